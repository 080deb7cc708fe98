/* gst-tsrec: work of many elements on few threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A task is a function that runs when it is woken, when its time has come, or
 * when one of its descriptors is ready; on one thread at a time. The tasks of a
 * pool share its threads. As long as they are quick, one thread runs them all;
 * when some have waited for longer than REC_TASKS_PATIENCE, because there is
 * much to do or others block, for example in a write to a slow disk, the number
 * of threads doubles, up to one for each task that waits. Idle threads end.
 * Threads that the system refuses are tried again. Any thread.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* µs that a task waits for a thread before more threads join. */
#define REC_TASKS_PATIENCE (5 * G_TIME_SPAN_MILLISECOND)
#define REC_TASKS_NEVER G_MAXINT64

typedef enum
{
  REC_TASKS_MEDIA,   /* pushes buffers and events */
  REC_TASKS_CONTROL, /* sessions */
  REC_TASKS_DISK,    /* sync and close */
  REC_TASKS_POOLS
} RecTasksPool;

typedef struct _RecTask RecTask;

RecTask *rec_task_new (
    RecTasksPool pool, void (*func) (gpointer user_data), gpointer user_data);

/* Runs the task soon, once more when it is running. */
void rec_task_wake (RecTask *task);

/* Runs the task at @due, monotonic µs, or when one of @fds, which are copied, is
 * ready; replaces an earlier call. Once; it may also run without a cause. A
 * single descriptor stays open while it is watched; several may be closed, and
 * opened again, if they are then set again. */
void rec_task_watch (
    RecTask *task, gint64 due, const GPollFD *fds, guint n_fds);

/* Runs the task at @due at the latest. */
void rec_task_wake_at (RecTask *task, gint64 due);

/* Like rec_task_wake() for many tasks with one wakeup: the next
 * rec_tasks_run_queued() runs them. The caller looks again, so that none waits
 * for a task that blocks. */
void rec_task_queue (RecTask *task);
void rec_tasks_run_queued (RecTasksPool pool);

/* A thread of the caller that runs tasks itself, which spares waking another one
 * up, and leaves that to the pool where one blocks. */
typedef struct _RecTasksHost RecTasksHost;

/* @replace: the thread that is in rec_tasks_host_run() has been in one task for
 * REC_TASKS_PATIENCE, and is blocked there: starts another thread in its place,
 * which may call rec_tasks_host_run(). Returns FALSE when that is not possible;
 * it is asked again then. Any thread, with locks held: it may only start a
 * thread. Returns NULL when the process has no descriptors left. */
RecTasksHost *rec_tasks_host_new (RecTasksPool pool,
    gboolean (*replace) (gpointer user_data), gpointer user_data);
/* Runs what is queued. Returns FALSE if the thread has been replaced meanwhile:
 * it has to end, and what @user_data and @host point to may be gone. */
gboolean rec_tasks_host_run (RecTasksHost *host);
/* Nothing runs any more, and no thread is replaced. Returns FALSE if a thread is in
 * rec_tasks_host_run() at the moment: it gets FALSE there then, as if it had been
 * replaced, and need not be waited for. */
gboolean rec_tasks_host_stop (RecTasksHost *host);
/* After rec_tasks_host_stop(). NULL is allowed. */
void rec_tasks_host_free (RecTasksHost *host);

/* Waits until the task is not running, and frees it; it does not run again, even
 * when it has been woken. NULL is allowed. Not from inside of the task. */
void rec_task_free (RecTask *task);

/* Threads there are now, of all pools. */
guint rec_tasks_count_threads (void);

G_END_DECLS
