/* gst-tsrec: hooks by HTTP and commands, with retries
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each is tried until it succeeds, with backoff; those of one recording in their
 * order. The queue is bounded: when too many hooks wait, the oldest one goes, and
 * is counted; the same for commands. On the service's thread only; nothing waits for a
 * receiver.
 */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _RecServerHooks RecServerHooks;

RecServerHooks *rec_server_hooks_new (void);
/* Discards undelivered hooks, and sends SIGTERM to running commands. */
void rec_server_hooks_free (RecServerHooks *hooks);

/* A hook or a command of @id has failed for the first time, or is given up. */
typedef void (*RecServerHookProblemFunc) (
    const gchar *id, const gchar *text, gpointer user_data);
void rec_server_hooks_set_problem_func (
    RecServerHooks *hooks, RecServerHookProblemFunc func, gpointer user_data);

/* Commands at a time. */
void rec_server_hooks_set_max_commands (RecServerHooks *hooks, guint max);

/* POST of @object, which belongs to the caller, to @url; @secret: for
 * X-Signature: sha256=HMAC of the body, or NULL. */
void rec_server_hooks_post (RecServerHooks *hooks, const gchar *id,
    const gchar *url, const gchar *secret, JsonObject *object);

/* The command of @path has succeeded. */
typedef void (*RecServerHookFunc) (const gchar *path, gpointer user_data);

/* Runs @command, in words as a shell splits them, with the strings and numbers
 * of @facts in its environment: REC_FILE_SIZE_BYTES for "file_size_bytes". @path:
 * of the file, in REC_PATH. @func is called when it has succeeded. Those of one
 * recording run in order, one at a time, but one that has failed holds up no
 * other. */
void rec_server_hooks_run (RecServerHooks *hooks, const gchar *id,
    const gchar *command, const gchar *path, JsonObject *facts,
    RecServerHookFunc func, gpointer user_data);

/* Gives up the commands of @path and its fragments, which were deleted. */
void rec_server_hooks_forget (RecServerHooks *hooks, const gchar *path);

/* The files whose command has yet to succeed. Free with g_strfreev(). */
gchar **rec_server_hooks_dup_pending (RecServerHooks *hooks);

/**
 * RecServerHookCounts:
 * @waiting: in the queue
 * @failures: attempts that failed
 * @dropped: given up because the queue was full
 */
typedef struct
{
  guint waiting;
  guint64 delivered;
  guint64 failures;
  guint64 dropped;
} RecServerHookCounts;

void rec_server_hooks_get_counts (
    RecServerHooks *hooks, RecServerHookCounts *counts);

G_END_DECLS
