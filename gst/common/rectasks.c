/* gst-tsrec: work of many elements on few threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rectasks.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAX_THREADS 1024
#define IDLE_TIMEOUT (500 * G_TIME_SPAN_MILLISECOND)

/**
 * RecTask:
 * @queued: in the queue; @since: for so long, monotonic µs
 * @running: on a thread
 * @again: to be queued when it has run
 * @due: when it is to run, monotonic µs
 * @fds: or when one of these is ready
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
  gint64 since;
  gint64 due;
  GArray *fds;
  gint index;
};

/**
 * Pool:
 * @n_woken: idle threads that have been woken
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
  guint n_removing;
} Pool;

static GMutex lock;
/* under lock */
static Pool pools[REC_TASKS_POOLS] = {
  [REC_TASKS_MEDIA] = { .name = "rec-media" },
  [REC_TASKS_CONTROL] = { .name = "rec-control" },
  [REC_TASKS_DISK] = { .name = "rec-disk" },
};
static GPtrArray *watched; /* RecTask */
static guint n_tasks;
static gboolean watching;   /* the thread that watches is there */
static gint wake_fd = -1;   /* wakes it */
static gint64 watch_until;  /* it sleeps so long, at most */
static gint64 patience_due; /* when a queue is to be looked at */

/* --- the threads of a pool --- */

/* Under lock. Returns the next task, NULL when there was none for long. */
static RecTask *
wait_for_task (Pool *pool)
{
  gint64 end = g_get_monotonic_time () + IDLE_TIMEOUT;
  gboolean waiting = TRUE;
  RecTask *task;

  while (!(task = g_queue_pop_head (&pool->queue)) && waiting) {
    pool->n_idle++;
    waiting = g_cond_wait_until (&pool->work, &lock, end);
    pool->n_idle--;
    /* Also at the end of the time: it may have been woken just then. */
    pool->n_woken -= pool->n_woken > 0;
  }
  return task;
}

/* Under lock. */
static void
enqueue (RecTask *task)
{
  if (task->running) {
    task->again = TRUE;
    return;
  }
  if (task->queued)
    return;
  task->queued = TRUE;
  task->since = g_get_monotonic_time ();
  g_queue_push_tail (&pools[task->pool].queue, task);
}

static gpointer
run_tasks (gpointer data)
{
  Pool *pool = data;
  RecTask *task;

  g_mutex_lock (&lock);
  while ((task = wait_for_task (pool))) {
    task->queued = FALSE;
    task->running = TRUE;
    g_mutex_unlock (&lock);
    task->func (task->user_data);
    g_mutex_lock (&lock);
    task->running = FALSE;
    if (task->again)
      enqueue (task);
    task->again = FALSE;
    /* A system call even when nobody waits. */
    if (pool->n_removing > 0)
      g_cond_broadcast (&pool->finished);
  }
  pool->n_threads--;
  g_mutex_unlock (&lock);
  return NULL;
}

/* Under lock. Returns whether the tasks that wait need one more thread: a thread
 * that is at work, or on its way, takes them next, unless they have waited for
 * so long that it may be blocked. */
static gboolean
need_thread (Pool *pool)
{
  RecTask *oldest = g_queue_peek_head (&pool->queue);

  if (!oldest)
    return FALSE;
  return pool->n_threads - pool->n_idle + pool->n_woken == 0 ||
      g_get_monotonic_time () - oldest->since > REC_TASKS_PATIENCE;
}

/* Under lock: a thread that could not be started is tried again with the next
 * task. */
static void
add_thread (Pool *pool)
{
  GThread *thread;

  if (pool->n_idle > pool->n_woken) {
    pool->n_woken++;
    g_cond_signal (&pool->work);
    return;
  }
  if (pool->n_idle > 0 || pool->n_threads >= MAX_THREADS)
    return;
  thread = g_thread_try_new (pool->name, run_tasks, pool, NULL);
  if (!thread)
    return;
  g_thread_unref (thread);
  pool->n_threads++;
}

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

/* Under lock. Queues what is due or ready; @fds are those of the tasks in their
 * order, as they were polled. */
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
    enqueue (task);
  }
  for (guint i = watched->len; i > 0; i--) {
    RecTask *task = g_ptr_array_index (watched, i - 1);

    if (task->due > now)
      continue;
    /* Its descriptors stay: most tasks watch the same ones again. */
    task->due = REC_TASKS_NEVER;
    if (!task->fds)
      unwatch (task);
    enqueue (task);
  }
}

/* Under lock. Adds threads where they are needed. */
static void
look_after_pools (void)
{
  patience_due = REC_TASKS_NEVER;
  for (guint i = 0; i < REC_TASKS_POOLS; i++) {
    if (need_thread (&pools[i]))
      add_thread (&pools[i]);
    if (!g_queue_is_empty (&pools[i].queue))
      patience_due = g_get_monotonic_time () + REC_TASKS_PATIENCE;
  }
}

/* Under lock. Fills in what is to be polled, and returns until when. */
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

static gpointer
watch (gpointer unused)
{
  GArray *tasks = g_array_new (FALSE, FALSE, sizeof (RecTask *));
  GArray *fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  gint64 end = REC_TASKS_NEVER, until;

  g_mutex_lock (&lock);
  while (n_tasks > 0 || g_get_monotonic_time () < end) {
    until = collect (tasks, fds);
    if (n_tasks > 0)
      end = REC_TASKS_NEVER;
    else if (end == REC_TASKS_NEVER)
      end = g_get_monotonic_time () + IDLE_TIMEOUT;
    until = watch_until = MIN (until, end);
    g_mutex_unlock (&lock);
    poll_until (fds, until);
    g_mutex_lock (&lock);
    watch_until = G_MININT64;
    queue_ready (tasks, fds);
    look_after_pools ();
  }
  watching = FALSE;
  g_mutex_unlock (&lock);
  g_array_unref (tasks);
  g_array_unref (fds);
  return NULL;
}

/* Under lock. Makes the thread that watches look again by @due. */
static void
watch_by (gint64 due)
{
  guint64 one = 1;
  GThread *thread;

  if (!watching) {
    if (wake_fd < 0)
      wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch_until = G_MININT64;
    thread = g_thread_try_new ("rec-watch", watch, NULL, NULL);
    watching = thread != NULL;
    g_clear_pointer (&thread, g_thread_unref);
  } else if (due < watch_until) {
    watch_until = due;
    while (write (wake_fd, &one, sizeof (one)) < 0 && errno == EINTR)
      ;
  }
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
  g_mutex_lock (&lock);
  if (!watched) {
    watched = g_ptr_array_new ();
    patience_due = REC_TASKS_NEVER;
  }
  n_tasks++;
  g_mutex_unlock (&lock);
  return task;
}

void
rec_task_queue (RecTask *task)
{
  g_mutex_lock (&lock);
  enqueue (task);
  g_mutex_unlock (&lock);
}

void
rec_tasks_run_queued (RecTasksPool pool)
{
  g_mutex_lock (&lock);
  if (need_thread (&pools[pool]))
    add_thread (&pools[pool]);
  g_mutex_unlock (&lock);
}

void
rec_task_wake (RecTask *task)
{
  Pool *pool = &pools[task->pool];

  g_mutex_lock (&lock);
  enqueue (task);
  if (need_thread (pool)) {
    add_thread (pool);
  } else if (task->queued && patience_due == REC_TASKS_NEVER) {
    /* The thread that is at work may be blocked. */
    patience_due = task->since + REC_TASKS_PATIENCE;
    watch_by (patience_due);
  }
  g_mutex_unlock (&lock);
}

void
rec_task_watch (RecTask *task, gint64 due, const GPollFD *fds, guint n_fds)
{
  gboolean same;

  g_mutex_lock (&lock);
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
  watch_by (same || n_fds == 0 ? due : G_MININT64 + 1);
  g_mutex_unlock (&lock);
}

void
rec_task_wake_at (RecTask *task, gint64 due)
{
  g_mutex_lock (&lock);
  if (task->index < 0) {
    task->index = (gint)watched->len;
    g_ptr_array_add (watched, task);
  }
  task->due = MIN (task->due, due);
  watch_by (task->due);
  g_mutex_unlock (&lock);
}

void
rec_task_free (RecTask *task)
{
  Pool *pool;

  if (!task)
    return;
  pool = &pools[task->pool];
  g_mutex_lock (&lock);
  pool->n_removing++;
  while (task->running) {
    task->again = FALSE;
    g_cond_wait (&pool->finished, &lock);
  }
  pool->n_removing--;
  if (task->queued)
    g_queue_remove (&pool->queue, task);
  unwatch (task);
  if (--n_tasks == 0 && watching)
    watch_by (G_MININT64 + 1);
  g_mutex_unlock (&lock);
  g_free (task);
}

guint
rec_tasks_count_threads (void)
{
  guint n = 0;

  g_mutex_lock (&lock);
  for (guint i = 0; i < REC_TASKS_POOLS; i++)
    n += pools[i].n_threads;
  g_mutex_unlock (&lock);
  return n;
}
