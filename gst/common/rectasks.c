/* gst-tsrec: work of many elements on few threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rectasks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_THREADS 1024
#define IDLE_TIMEOUT (500 * G_TIME_SPAN_MILLISECOND)

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
 * Pool:
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
} Pool;

/**
 * Shift: of a thread in rec_tasks_host_run(), on its stack
 * @thread: its number in the system
 * @since: when the task that it runs began, monotonic µs
 * @replaced: another thread has taken its place
 */
typedef struct
{
  gint thread;
  gint64 since;
  gboolean replaced;
} Shift;

/**
 * RecTasksHost:
 * @timer_fd: timerfd, wakes the thread that watches when a task may be blocked
 */
struct _RecTasksHost
{
  RecTasksPool pool;
  gboolean (*replace) (gpointer user_data);
  gpointer user_data;
  gint timer_fd;
  /* under lock */
  Shift *shift; /* NULL: no thread runs tasks */
  gint64 due;   /* of the timer, monotonic µs; 0: never */
  gboolean stopped;
};

static GMutex lock;
/* under lock */
static Pool pools[REC_TASKS_POOLS] = {
  [REC_TASKS_MEDIA] = { .name = "rec-media" },
  [REC_TASKS_CONTROL] = { .name = "rec-control" },
  [REC_TASKS_DISK] = { .name = "rec-disk" },
};
static GPtrArray *watched; /* RecTask */
static GPtrArray *hosts;   /* RecTasksHost */
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
  if (task->queued || task->removing)
    return;
  task->queued = TRUE;
  task->since = g_get_monotonic_time ();
  g_queue_push_tail (&pools[task->pool].queue, task);
}

/* Under lock, which is released while @task, which has left the queue, runs. */
static void
run_task (Pool *pool, RecTask *task)
{
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

static gpointer
run_tasks (gpointer data)
{
  Pool *pool = data;
  RecTask *task;

  g_mutex_lock (&lock);
  pool->n_starting--;
  while ((task = wait_for_task (pool)))
    run_task (pool, task);
  pool->n_threads--;
  g_mutex_unlock (&lock);
  return NULL;
}

/* Under lock. Returns how many more threads the tasks that wait need: a thread
 * that is at work, or on its way, takes them next, unless they have waited for
 * so long that it may be blocked. Then there are twice as many, so that those
 * behind many that block do not wait long either. */
static guint
count_needed (Pool *pool)
{
  guint at_work = pool->n_threads - pool->n_idle + pool->n_woken;
  guint on_the_way = pool->n_starting + pool->n_woken;
  gint64 since = g_get_monotonic_time () - REC_TASKS_PATIENCE;
  guint n = 0;

  if (at_work == 0)
    return g_queue_is_empty (&pool->queue) ? 0 : 1;
  for (const GList *l = pool->queue.head; l && n < on_the_way + at_work;
       l = l->next, n++)
    if (((const RecTask *)l->data)->since > since)
      break;
  return n > on_the_way ? n - on_the_way : 0;
}

/* Under lock. Returns FALSE when the system has no more threads. */
static gboolean
add_thread (Pool *pool)
{
  GThread *thread;

  if (pool->n_idle > pool->n_woken) {
    pool->n_woken++;
    g_cond_signal (&pool->work);
    return TRUE;
  }
  if (pool->n_threads >= MAX_THREADS)
    return FALSE;
  thread = g_thread_try_new (pool->name, run_tasks, pool, NULL);
  if (!thread)
    return FALSE;
  g_thread_unref (thread);
  pool->n_threads++;
  pool->n_starting++;
  return TRUE;
}

/* Under lock. Returns whether a thread was added. */
static gboolean
add_threads (Pool *pool)
{
  guint needed = count_needed (pool), n = 0;

  while (n < needed && add_thread (pool))
    n++;
  return n > 0;
}

/* --- hosts --- */

/* Under lock. @due: monotonic µs, 0: never. An expiration that was not noticed is
 * forgotten. */
static void
set_timer (RecTasksHost *host, gint64 due)
{
  struct itimerspec spec = { .it_value = { due / G_USEC_PER_SEC,
                                 due % G_USEC_PER_SEC * 1000 } };

  host->due = due;
  timerfd_settime (host->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* Returns whether @thread waits for something else than a processor: the state
 * behind its name in parentheses is not R (proc(5)). */
static gboolean
is_blocked (gint thread)
{
  gchar path[64], text[512], *end;
  gssize size;
  gint fd;

  g_snprintf (path, sizeof (path), "/proc/self/task/%d/stat", thread);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  size = fd >= 0 ? read (fd, text, sizeof (text) - 1) : -1;
  if (fd >= 0)
    close (fd);
  text[MAX (size, 0)] = '\0';
  end = strrchr (text, ')');
  return !end || end[1] == '\0' || end[2] != 'R';
}

/* Under lock. A task of @host that has blocked for long: another thread takes its
 * place. On a machine that is too slow, none would run sooner. Tasks behind it
 * have waited for long in either case. */
static void
look_after_host (RecTasksHost *host, gint64 now)
{
  if (!host->shift || now < host->due)
    return;
  if (now - host->shift->since >= REC_TASKS_PATIENCE) {
    if (is_blocked (host->shift->thread) && host->replace (host->user_data)) {
      host->shift->replaced = TRUE;
      host->shift = NULL;
    } else {
      host->shift->since = now;
    }
  }
  add_threads (&pools[host->pool]);
  set_timer (host, host->shift ? host->shift->since + REC_TASKS_PATIENCE : 0);
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

/* Under lock. Adds threads to the pools that need them, and tries again
 * later if that fails. */
static void
look_after_pools (void)
{
  gint64 now = g_get_monotonic_time ();

  patience_due = REC_TASKS_NEVER;
  for (guint i = 0; hosts && i < hosts->len; i++)
    look_after_host (g_ptr_array_index (hosts, i), now);
  for (guint i = 0; i < REC_TASKS_POOLS; i++) {
    const RecTask *oldest = g_queue_peek_head (&pools[i].queue);

    if (!oldest)
      continue;
    add_threads (&pools[i]);
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
  for (guint i = 0; hosts && i < hosts->len; i++) {
    RecTasksHost *host = g_ptr_array_index (hosts, i);
    GPollFD timer = { host->timer_fd, G_IO_IN, 0 };

    g_array_append_val (tasks, none);
    g_array_append_val (fds, timer);
  }
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

  g_mutex_lock (&lock);
  while (n_tasks > 0 || g_get_monotonic_time () < end) {
    open_wake_fd ();
    until = collect (tasks, fds);
    if (n_tasks > 0)
      end = REC_TASKS_NEVER;
    else if (end == REC_TASKS_NEVER)
      end = g_get_monotonic_time () + IDLE_TIMEOUT;
    /* It cannot be woken: the process has no descriptors left. */
    if (wake_fd < 0)
      until = MIN (until, g_get_monotonic_time () + REC_TASKS_PATIENCE);
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
  /* It is also there for when the task has to wait for its first thread. */
  if (!watching)
    start_watching ();
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
  add_threads (&pools[pool]);
  g_mutex_unlock (&lock);
}

void
rec_task_wake (RecTask *task)
{
  Pool *pool = &pools[task->pool];
  gboolean added;

  g_mutex_lock (&lock);
  enqueue (task);
  added = add_threads (pool);
  /* The threads that are at work may be blocked, or the one that was added may
   * take another task. */
  if (task->queued && !(added && pool->queue.length == 1) &&
      (patience_due == REC_TASKS_NEVER || !watching)) {
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
  /* A single one is that of a GMainContext, which stays open. Of several, one may
   * be that of another file by now, which is not polled yet. */
  watch_by (n_fds == 0 || (same && n_fds == 1) ? due : G_MININT64 + 1);
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

RecTasksHost *
rec_tasks_host_new (RecTasksPool pool, gboolean (*replace) (gpointer user_data),
    gpointer user_data)
{
  gint fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  RecTasksHost *host;

  if (fd < 0)
    return NULL;
  host = g_new0 (RecTasksHost, 1);
  host->pool = pool;
  host->replace = replace;
  host->user_data = user_data;
  host->timer_fd = fd;
  g_mutex_lock (&lock);
  if (!hosts)
    hosts = g_ptr_array_new ();
  g_ptr_array_add (hosts, host);
  if (watching)
    watch_by (G_MININT64 + 1);
  g_mutex_unlock (&lock);
  return host;
}

/* Under lock. Returns the first task that was queued before @start. */
static RecTask *
pop_older (Pool *pool, gint64 start)
{
  RecTask *task = g_queue_peek_head (&pool->queue);

  return task && task->since <= start ? g_queue_pop_head (&pool->queue) : NULL;
}

/* Under lock. */
static void
run_shift (RecTasksHost *host, Pool *pool, Shift *shift)
{
  gint64 start = shift->since = g_get_monotonic_time ();
  RecTask *task;

  shift->thread = (gint)syscall (SYS_gettid);
  host->shift = shift;
  set_timer (host, start + REC_TASKS_PATIENCE);
  pool->n_threads++;
  while (!shift->replaced && (task = pop_older (pool, start))) {
    shift->since = g_get_monotonic_time ();
    run_task (pool, task);
  }
  pool->n_threads--;
  if (shift->replaced)
    return;
  host->shift = NULL;
  set_timer (host, 0);
}

gboolean
rec_tasks_host_run (RecTasksHost *host)
{
  Pool *pool = &pools[host->pool];
  Shift shift = { 0 };

  g_mutex_lock (&lock);
  /* Without the thread that watches, nobody would notice that a task blocks. */
  if (watching && !host->stopped && !g_queue_is_empty (&pool->queue))
    run_shift (host, pool, &shift);
  /* What has been queued meanwhile. From here on @host may be gone. */
  if (!g_queue_is_empty (&pool->queue))
    add_threads (pool);
  g_mutex_unlock (&lock);
  return !shift.replaced;
}

gboolean
rec_tasks_host_stop (RecTasksHost *host)
{
  gboolean idle;

  g_mutex_lock (&lock);
  host->stopped = TRUE;
  idle = host->shift == NULL;
  if (!idle)
    host->shift->replaced = TRUE;
  host->shift = NULL;
  set_timer (host, 0);
  g_mutex_unlock (&lock);
  return idle;
}

void
rec_tasks_host_free (RecTasksHost *host)
{
  if (!host)
    return;
  g_mutex_lock (&lock);
  g_ptr_array_remove_fast (hosts, host);
  if (watching)
    watch_by (G_MININT64 + 1);
  g_mutex_unlock (&lock);
  close (host->timer_fd);
  g_free (host);
}

void
rec_task_free (RecTask *task)
{
  Pool *pool;

  if (!task)
    return;
  pool = &pools[task->pool];
  g_mutex_lock (&lock);
  task->removing = TRUE;
  pool->n_removing++;
  while (task->running)
    g_cond_wait (&pool->finished, &lock);
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
