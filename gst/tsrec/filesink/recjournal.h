/* gst-tsrec: the journal of a recording, one JSON object a line
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lines are made where something happens and are written by whoever may block.
 * What cannot be written (a full disk) is kept, within bounds, and tried again
 * with the next flush. Lines are appended; the file is never truncated, and a
 * second recorder is refused.
 */

#pragma once

#include "recfile.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecJournal RecJournal;

/* Opens or creates @location. NULL: @error (to be freed) says what is wrong and
 * what to do; also when this build has no json-glib. */
RecJournal *rec_journal_new (
    const gchar *location, const RecSyscalls *sys, gchar **error);

/* Writes and syncs what is left, and closes. NULL is ignored. */
void rec_journal_free (RecJournal *self);

/* Adds the line { "event": name of @fields, "utc": now, "running-time":
 * @running_time, and the fields }. GST_CLOCK_TIME_NONE becomes null. Takes
 * ownership of @fields. Any thread; never blocks; @self may be NULL. */
void rec_journal_add (
    RecJournal *self, GstClockTime running_time, GstStructure *fields);

/* Writes the lines that were added. One thread at a time; may block. */
void rec_journal_flush (RecJournal *self);

G_END_DECLS
