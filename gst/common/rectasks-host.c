/* gst-tsrec: tasks, threads of others that run them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rectasks-private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

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

/* RecTasksHost; under lock */
static GPtrArray *hosts;

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
  rec_tasks_add_threads (&rec_tasks_pools[host->pool]);
  set_timer (host, host->shift ? host->shift->since + REC_TASKS_PATIENCE : 0);
}

void
rec_tasks_hosts_look_after (gint64 now)
{
  for (guint i = 0; hosts && i < hosts->len; i++)
    look_after_host (g_ptr_array_index (hosts, i), now);
}

void
rec_tasks_hosts_collect (GArray *tasks, GArray *fds)
{
  RecTask *none = NULL;

  for (guint i = 0; hosts && i < hosts->len; i++) {
    const RecTasksHost *host = g_ptr_array_index (hosts, i);
    GPollFD timer = { host->timer_fd, G_IO_IN, 0 };

    g_array_append_val (tasks, none);
    g_array_append_val (fds, timer);
  }
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
  g_mutex_lock (&rec_tasks_lock);
  if (!hosts)
    hosts = g_ptr_array_new ();
  g_ptr_array_add (hosts, host);
  rec_tasks_watch_again ();
  g_mutex_unlock (&rec_tasks_lock);
  return host;
}

/* Under lock. Returns the first task that was queued before @start. */
static RecTask *
pop_older (RecThreadPool *pool, gint64 start)
{
  RecTask *task = g_queue_peek_head (&pool->queue);

  return task && task->since <= start ? g_queue_pop_head (&pool->queue) : NULL;
}

/* Under lock. */
static void
run_shift (RecTasksHost *host, RecThreadPool *pool, Shift *shift)
{
  gint64 start = shift->since = g_get_monotonic_time ();
  RecTask *task;

  shift->thread = (gint)syscall (SYS_gettid);
  host->shift = shift;
  set_timer (host, start + REC_TASKS_PATIENCE);
  pool->n_threads++;
  while (!shift->replaced && (task = pop_older (pool, start))) {
    shift->since = g_get_monotonic_time ();
    rec_tasks_run (pool, task);
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
  RecThreadPool *pool = &rec_tasks_pools[host->pool];
  Shift shift = { 0 };

  g_mutex_lock (&rec_tasks_lock);
  /* Without the thread that watches, nobody would notice that a task blocks. */
  if (rec_tasks_are_watched () && !host->stopped &&
      !g_queue_is_empty (&pool->queue))
    run_shift (host, pool, &shift);
  /* What has been queued meanwhile. From here on @host may be gone. */
  if (!g_queue_is_empty (&pool->queue))
    rec_tasks_add_threads (pool);
  g_mutex_unlock (&rec_tasks_lock);
  return !shift.replaced;
}

gboolean
rec_tasks_host_stop (RecTasksHost *host)
{
  gboolean idle;

  g_mutex_lock (&rec_tasks_lock);
  host->stopped = TRUE;
  idle = host->shift == NULL;
  if (!idle)
    host->shift->replaced = TRUE;
  host->shift = NULL;
  set_timer (host, 0);
  g_mutex_unlock (&rec_tasks_lock);
  return idle;
}

void
rec_tasks_host_free (RecTasksHost *host)
{
  if (!host)
    return;
  g_mutex_lock (&rec_tasks_lock);
  g_ptr_array_remove_fast (hosts, host);
  rec_tasks_watch_again ();
  g_mutex_unlock (&rec_tasks_lock);
  close (host->timer_fd);
  g_free (host);
}
