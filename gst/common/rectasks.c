/* gst-tsrec: work of many elements on few threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rectasks-private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* under rec_tasks_lock */
static GPtrArray *watched; /* RecTask */
static guint n_tasks;
static gboolean watching;   /* the thread that watches is there */
static gint wake_fd = -1;   /* wakes it */
static gint64 watch_until;  /* it sleeps so long, at most */
static gint64 patience_due; /* when a queue is to be looked at */

/* --- the thread that watches --- */

/* Under lock. */
static void
unwatch (RecTask *task)
{
  if (task->index < 0)
    return;
  g_ptr_array_remove_index_fast (watched, (guint)task->index);
  if ((guint)task->index < watched->len)
    ((RecTask *)g_ptr_array_index (watched, task->index))->index = task->index;
  task->index = -1;
  task->due = REC_TASKS_NEVER;
  g_clear_pointer (&task->fds, g_array_unref);
}

/* Under lock. Queues the tasks that are due or ready; @fds are their
 * descriptors in the same order, as polled. */
static void
queue_ready (const GArray *tasks, const GArray *fds)
{
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < fds->len; i++) {
    const GPollFD *fd = &g_array_index (fds, GPollFD, i);
    RecTask *task = g_array_index (tasks, RecTask *, i);

    /* It may be gone, or another one may be at its address. */
    if (!task || !fd->revents || !g_ptr_array_find (watched, task, NULL))
      continue;
    unwatch (task);
    rec_tasks_enqueue (task);
  }
  for (guint i = watched->len; i > 0; i--) {
    RecTask *task = g_ptr_array_index (watched, i - 1);

    if (task->due > now)
      continue;
    /* Its descriptors stay: most tasks watch the same ones again. */
    task->due = REC_TASKS_NEVER;
    if (!task->fds)
      unwatch (task);
    rec_tasks_enqueue (task);
  }
}

/* Under lock. Adds threads to the pools that need them, and tries again
 * later if that fails. */
static void
look_after_pools (void)
{
  gint64 now = g_get_monotonic_time ();

  patience_due = REC_TASKS_NEVER;
  rec_tasks_hosts_look_after (now);
  for (guint i = 0; i < REC_TASKS_POOLS; i++) {
    const RecTask *oldest = g_queue_peek_head (&rec_tasks_pools[i].queue);

    if (!oldest)
      continue;
    rec_tasks_add_threads (&rec_tasks_pools[i]);
    patience_due = MIN (patience_due,
        (oldest->since > now - REC_TASKS_PATIENCE ? oldest->since : now) +
            REC_TASKS_PATIENCE);
  }
}

/* Under lock. Fills in the descriptors to poll, and returns the end of the
 * poll, monotonic µs. */
static gint64
collect (GArray *tasks, GArray *fds)
{
  gint64 until = patience_due;
  GPollFD wake = { wake_fd, G_IO_IN, 0 };
  RecTask *none = NULL;

  g_array_set_size (tasks, 0);
  g_array_set_size (fds, 0);
  g_array_append_val (tasks, none);
  g_array_append_val (fds, wake);
  rec_tasks_hosts_collect (tasks, fds);
  for (guint i = 0; i < watched->len; i++) {
    RecTask *task = g_ptr_array_index (watched, i);

    until = MIN (until, task->due);
    for (guint j = 0; task->fds && j < task->fds->len; j++) {
      g_array_append_val (tasks, task);
      g_array_append_val (fds, g_array_index (task->fds, GPollFD, j));
    }
  }
  return until;
}

static void
poll_until (GArray *fds, gint64 until)
{
  gint64 left = MAX (until - g_get_monotonic_time (), 0);
  struct timespec timeout = { left / G_USEC_PER_SEC,
    left % G_USEC_PER_SEC * 1000 };
  guint64 unused;

  G_STATIC_ASSERT (sizeof (GPollFD) == sizeof (struct pollfd));
  ppoll ((struct pollfd *)fds->data, fds->len,
      until == REC_TASKS_NEVER ? NULL : &timeout, NULL);
  if (g_array_index (fds, GPollFD, 0).revents &&
      read (wake_fd, &unused, sizeof (unused)) < 0)
    g_assert (errno == EAGAIN || errno == EINTR);
}

/* Under lock. */
static void
open_wake_fd (void)
{
  if (wake_fd < 0)
    wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static gpointer
watch (gpointer unused)
{
  GArray *tasks = g_array_new (FALSE, FALSE, sizeof (RecTask *));
  GArray *fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  gint64 end = REC_TASKS_NEVER, until;

  g_mutex_lock (&rec_tasks_lock);
  while (n_tasks > 0 || g_get_monotonic_time () < end) {
    open_wake_fd ();
    until = collect (tasks, fds);
    if (n_tasks > 0)
      end = REC_TASKS_NEVER;
    else if (end == REC_TASKS_NEVER)
      end = g_get_monotonic_time () + REC_TASKS_IDLE_TIMEOUT;
    /* It cannot be woken: the process has no descriptors left. */
    if (wake_fd < 0)
      until = MIN (until, g_get_monotonic_time () + REC_TASKS_PATIENCE);
    until = watch_until = MIN (until, end);
    g_mutex_unlock (&rec_tasks_lock);
    poll_until (fds, until);
    g_mutex_lock (&rec_tasks_lock);
    watch_until = G_MININT64;
    queue_ready (tasks, fds);
    look_after_pools ();
  }
  watching = FALSE;
  g_mutex_unlock (&rec_tasks_lock);
  g_array_unref (tasks);
  g_array_unref (fds);
  return NULL;
}

/* Under lock. When the system has no thread for it, the next call tries again. */
static void
start_watching (void)
{
  static gboolean said = FALSE;
  GThread *thread;

  watch_until = G_MININT64;
  thread = g_thread_try_new ("rec-watch", watch, NULL, NULL);
  watching = thread != NULL;
  if (!watching && !said)
    g_message ("There is no thread for the timers of recordings and sessions.");
  said = !watching;
  g_clear_pointer (&thread, g_thread_unref);
}

/* Under lock. Makes the thread that watches look again by @due. */
static void
watch_by (gint64 due)
{
  guint64 one = 1;

  if (!watching) {
    start_watching ();
  } else if (due < watch_until) {
    watch_until = due;
    while (write (wake_fd, &one, sizeof (one)) < 0 && errno == EINTR)
      ;
  }
}

gboolean
rec_tasks_are_watched (void)
{
  return watching;
}

void
rec_tasks_watch_again (void)
{
  if (watching)
    watch_by (G_MININT64 + 1);
}

/* --- tasks --- */

RecTask *
rec_task_new (
    RecTasksPool pool, void (*func) (gpointer user_data), gpointer user_data)
{
  RecTask *task = g_new0 (RecTask, 1);

  task->pool = pool;
  task->func = func;
  task->user_data = user_data;
  task->due = REC_TASKS_NEVER;
  task->index = -1;
  g_mutex_lock (&rec_tasks_lock);
  if (!watched) {
    watched = g_ptr_array_new ();
    patience_due = REC_TASKS_NEVER;
  }
  n_tasks++;
  /* It is also there for when the task has to wait for its first thread. */
  if (!watching)
    start_watching ();
  g_mutex_unlock (&rec_tasks_lock);
  return task;
}

void
rec_task_queue (RecTask *task)
{
  g_mutex_lock (&rec_tasks_lock);
  rec_tasks_enqueue (task);
  g_mutex_unlock (&rec_tasks_lock);
}

void
rec_tasks_run_queued (RecTasksPool pool)
{
  g_mutex_lock (&rec_tasks_lock);
  rec_tasks_add_threads (&rec_tasks_pools[pool]);
  g_mutex_unlock (&rec_tasks_lock);
}

void
rec_task_wake (RecTask *task)
{
  RecThreadPool *pool = &rec_tasks_pools[task->pool];
  gboolean added;

  g_mutex_lock (&rec_tasks_lock);
  rec_tasks_enqueue (task);
  added = rec_tasks_add_threads (pool);
  /* The threads that are at work may be blocked, or the one that was added may
   * take another task. */
  if (task->queued && !(added && pool->queue.length == 1) &&
      (patience_due == REC_TASKS_NEVER || !watching)) {
    patience_due = task->since + REC_TASKS_PATIENCE;
    watch_by (patience_due);
  }
  g_mutex_unlock (&rec_tasks_lock);
}

void
rec_task_watch (RecTask *task, gint64 due, const GPollFD *fds, guint n_fds)
{
  gboolean same;

  g_mutex_lock (&rec_tasks_lock);
  same = task->fds && task->fds->len == n_fds &&
      memcmp (task->fds->data, fds, n_fds * sizeof (GPollFD)) == 0;
  if (task->index < 0) {
    task->index = (gint)watched->len;
    g_ptr_array_add (watched, task);
  }
  task->due = due;
  if (!same) {
    g_clear_pointer (&task->fds, g_array_unref);
    if (n_fds > 0) {
      task->fds = g_array_sized_new (FALSE, FALSE, sizeof (GPollFD), n_fds);
      g_array_append_vals (task->fds, fds, n_fds);
    }
  }
  /* A single one is that of a GMainContext, which stays open. Of several, one may
   * be that of another file by now, which is not polled yet. */
  watch_by (n_fds == 0 || (same && n_fds == 1) ? due : G_MININT64 + 1);
  g_mutex_unlock (&rec_tasks_lock);
}

void
rec_task_wake_at (RecTask *task, gint64 due)
{
  g_mutex_lock (&rec_tasks_lock);
  if (task->index < 0) {
    task->index = (gint)watched->len;
    g_ptr_array_add (watched, task);
  }
  task->due = MIN (task->due, due);
  watch_by (task->due);
  g_mutex_unlock (&rec_tasks_lock);
}

void
rec_task_free (RecTask *task)
{
  RecThreadPool *pool;

  if (!task)
    return;
  pool = &rec_tasks_pools[task->pool];
  g_mutex_lock (&rec_tasks_lock);
  task->removing = TRUE;
  pool->n_removing++;
  while (task->running)
    g_cond_wait (&pool->finished, &rec_tasks_lock);
  pool->n_removing--;
  if (task->queued)
    g_queue_remove (&pool->queue, task);
  unwatch (task);
  if (--n_tasks == 0)
    rec_tasks_watch_again ();
  g_mutex_unlock (&rec_tasks_lock);
  g_free (task);
}

guint
rec_tasks_count_threads (void)
{
  guint n = 0;

  g_mutex_lock (&rec_tasks_lock);
  for (guint i = 0; i < REC_TASKS_POOLS; i++)
    n += rec_tasks_pools[i].n_threads;
  g_mutex_unlock (&rec_tasks_lock);
  return n;
}
