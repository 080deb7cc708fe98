/* gst-tsrec: NAME.json beside a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Written when a file is opened, with "ended" null, and replaced when it is
 * closed; so a file whose "ended" is null and that nobody writes is what a crash
 * has left. Replaced as a whole, and durable. Files are read and written on
 * threads of their own.
 */

#pragma once

#include "recserverfolder.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* @facts: of the sidecar. @error: why it was not written, or NULL;
 * G_FILE_ERROR_NOENT if the recording is not there. */
typedef void (*RecServerSidecarFunc) (const gchar *path, JsonObject *facts,
    const GError *error, gpointer user_data);

/* Writes the sidecar of a file that was opened: @facts and "ended": null. */
void rec_server_sidecar_open (const gchar *path, JsonObject *facts);

/* Adds to @facts the size, the SHA-256, whether the file is sound and the gaps
 * that a journal beside it names, and writes the sidecar. @func, which may be
 * NULL, is called in the thread-default main context. */
void rec_server_sidecar_close (const gchar *path, JsonObject *facts,
    RecServerSidecarFunc func, gpointer user_data);

/* "run_on_closed" in the facts of a closed file. */
#define REC_SERVER_SIDECAR_COMMAND "run_on_closed"
#define REC_SERVER_SIDECAR_PENDING "pending"

/* Notes in the sidecar of @path that its command has succeeded. */
void rec_server_sidecar_set_done (const gchar *path);

/**
 * RecServerCrashed: a recording that an earlier run did not close, or whose
 * command it did not complete
 * @path: of the file, absolute
 * @facts: of its sidecar
 * @closed: only the command is missing
 */
typedef struct
{
  gchar *path;
  JsonObject *facts;
  gboolean closed;
} RecServerCrashed;

void rec_server_crashed_free (gpointer crashed);

/* (element-type RecServerCrashed): all of those in @folder, which is at
 * @directory. Blocks. */
GPtrArray *rec_server_sidecar_find_crashed (
    RecServerFolder *folder, const gchar *directory);

/* Cuts the part of a packet off that the crash has left at the end. Returns FALSE
 * with errno if that is not possible. Blocks. */
gboolean rec_server_sidecar_repair (const gchar *path);

G_END_DECLS
