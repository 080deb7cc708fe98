/* gst-tsrec: tasks, what their parts share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * "Under lock" means rec_tasks_lock everywhere.
 */

#pragma once

#include "rectasks.h"

G_BEGIN_DECLS

/* µs after which a thread without a task ends. */
#define REC_TASKS_IDLE_TIMEOUT (500 * G_TIME_SPAN_MILLISECOND)

/**
 * RecTask:
 * @queued: in the queue; @since: for so long, monotonic µs
 * @running: on a thread
 * @again: to be queued when it has run
 * @removing: rec_task_free() waits for it: it does not run again
 * @due: when it is to run, monotonic µs
 * @fds: descriptors; the task also runs when one of them is ready
 * @index: in @watched, -1: it is not there
 */
struct _RecTask
{
  RecTasksPool pool;
  void (*func) (gpointer user_data);
  gpointer user_data;
  /* under lock */
  gboolean queued;
  gboolean running;
  gboolean again;
  gboolean removing;
  gint64 since;
  gint64 due;
  GArray *fds;
  gint index;
};

/**
 * RecThreadPool:
 * @n_woken: idle threads that have been woken
 * @n_starting: threads that have not begun to run
 * @n_removing: threads that wait for @finished
 */
typedef struct
{
  const gchar *name;
  GCond work;     /* a thread is to look at the queue */
  GCond finished; /* a task has run */
  GQueue queue;
  guint n_threads;
  guint n_idle;
  guint n_woken;
  guint n_starting;
  guint n_removing;
} RecThreadPool;

extern GMutex rec_tasks_lock;
/* under lock */
extern RecThreadPool rec_tasks_pools[REC_TASKS_POOLS];

/* --- rectasks-pool.c; under lock --- */

/* Puts @task into the queue of its pool, unless it is there. A task that runs is
 * queued when it has run. */
void rec_tasks_enqueue (RecTask *task);
/* Runs @task, which has left the queue of @pool. Releases the lock meanwhile. */
void rec_tasks_run (RecThreadPool *pool, RecTask *task);
/* Adds the threads that the queue needs. Returns whether one was added. */
gboolean rec_tasks_add_threads (RecThreadPool *pool);

/* --- rectasks-host.c; under lock --- */

/* Replaces threads that are blocked. */
void rec_tasks_hosts_look_after (gint64 now);
/* Appends the timers of the hosts to @fds, and NULL to @tasks for each. */
void rec_tasks_hosts_collect (GArray *tasks, GArray *fds);

/* --- rectasks.c; under lock --- */

/* Whether the thread that watches is there. */
gboolean rec_tasks_are_watched (void);
/* Makes it look again at what it watches, if it is there. */
void rec_tasks_watch_again (void);

G_END_DECLS
