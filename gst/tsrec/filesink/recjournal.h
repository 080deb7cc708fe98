/* gst-tsrec: journal of a recording, one JSON object per line
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any thread adds lines; a thread that may block writes them. Lines that cannot
 * be written (a full disk) are kept, up to a limit, and tried again with the
 * next flush. Lines are appended and the file is never truncated. Two recorders
 * cannot use the same journal.
 */

#pragma once

#include "recfile.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecJournal RecJournal;

/* Opens or creates @location. Returns NULL, with a text for users in @error (to
 * be freed), if that fails or if this build has no json-glib. @sys NULL: the
 * real calls. */
RecJournal *rec_journal_new (
    const gchar *location, const RecSyscalls *sys, gchar **error);

/* Writes and syncs the pending lines, and closes. @self may be NULL. */
void rec_journal_free (RecJournal *self);

/* Adds the line { "event": name of @fields, "utc": now, "running-time":
 * @running_time, and the fields }. GST_CLOCK_TIME_NONE becomes null. Owns
 * @fields. Any thread; never blocks. @self may be NULL. */
void rec_journal_add (
    RecJournal *self, GstClockTime running_time, GstStructure *fields);

/* Writes and syncs the added lines. One thread at a time; may block. @self may
 * be NULL. */
void rec_journal_flush (RecJournal *self);

G_END_DECLS
