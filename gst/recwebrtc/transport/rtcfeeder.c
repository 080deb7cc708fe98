/* gst-tsrec: threads that pass on what has arrived
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcfeeder.h"

#define MAX_THREADS 1024
#define IDLE_TIMEOUT (500 * G_TIME_SPAN_MILLISECOND)

/**
 * RtcFeederTask:
 * @queued: in the queue; @since: for so long, monotonic time in µs
 * @running: on a thread
 * @again: to be queued when it has run
 */
struct _RtcFeederTask
{
  void (*func) (gpointer user_data);
  gpointer user_data;
  gboolean queued;
  gboolean running;
  gboolean again;
  gint64 since;
};

static GMutex lock;
static GCond work;     /* a task was queued */
static GCond finished; /* a task has run */
/* under lock */
static GQueue queue = G_QUEUE_INIT;
static guint n_threads;
static guint n_idle;

/* Under lock. Returns the next task, NULL when there was none for long. */
static RtcFeederTask *
wait_for_task (void)
{
  gint64 end = g_get_monotonic_time () + IDLE_TIMEOUT;
  RtcFeederTask *task;

  n_idle++;
  while (!(task = g_queue_pop_head (&queue)))
    if (!g_cond_wait_until (&work, &lock, end))
      break;
  if (!task)
    task = g_queue_pop_head (&queue);
  n_idle--;
  return task;
}

/* Under lock. */
static void
enqueue (RtcFeederTask *task)
{
  task->queued = TRUE;
  task->since = g_get_monotonic_time ();
  g_queue_push_tail (&queue, task);
}

static gpointer
run_tasks (gpointer unused)
{
  RtcFeederTask *task;

  g_mutex_lock (&lock);
  while ((task = wait_for_task ())) {
    task->queued = FALSE;
    task->running = TRUE;
    g_mutex_unlock (&lock);
    task->func (task->user_data);
    g_mutex_lock (&lock);
    task->running = FALSE;
    if (task->again)
      enqueue (task);
    task->again = FALSE;
    g_cond_broadcast (&finished);
  }
  n_threads--;
  g_mutex_unlock (&lock);
  return NULL;
}

/* Under lock. Returns whether the tasks that wait need another thread. */
static gboolean
need_thread (void)
{
  RtcFeederTask *oldest = g_queue_peek_head (&queue);

  if (!oldest || n_idle > 0 || n_threads >= MAX_THREADS)
    return FALSE;
  return n_threads < g_get_num_processors () ||
      g_get_monotonic_time () - oldest->since > RTC_FEEDER_PATIENCE;
}

static void
start_thread (void)
{
  GThread *thread = g_thread_try_new ("rtc-feeder", run_tasks, NULL, NULL);

  if (thread) {
    g_thread_unref (thread);
    return;
  }
  g_mutex_lock (&lock);
  n_threads--;
  g_mutex_unlock (&lock);
}

RtcFeederTask *
rtc_feeder_add (void (*func) (gpointer user_data), gpointer user_data)
{
  RtcFeederTask *task = g_new0 (RtcFeederTask, 1);

  task->func = func;
  task->user_data = user_data;
  return task;
}

void
rtc_feeder_push (RtcFeederTask *task)
{
  gboolean need, wake = FALSE;

  g_mutex_lock (&lock);
  if (task->running) {
    task->again = TRUE;
  } else if (!task->queued) {
    enqueue (task);
    wake = n_idle > 0;
  }
  need = need_thread ();
  n_threads += need;
  g_mutex_unlock (&lock);
  if (wake)
    g_cond_signal (&work);
  if (need)
    start_thread ();
}

void
rtc_feeder_remove (RtcFeederTask *task)
{
  if (!task)
    return;
  g_mutex_lock (&lock);
  task->again = FALSE;
  while (task->running) {
    g_cond_wait (&finished, &lock);
    task->again = FALSE;
  }
  if (task->queued)
    g_queue_remove (&queue, task);
  g_mutex_unlock (&lock);
  g_free (task);
}

guint
rtc_feeder_count_threads (void)
{
  guint n;

  g_mutex_lock (&lock);
  n = n_threads;
  g_mutex_unlock (&lock);
  return n;
}
