/* gst-tsrec: tasks, the threads of a pool
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rectasks-private.h"

#define MAX_THREADS 1024

GMutex rec_tasks_lock;
/* under lock */
RecThreadPool rec_tasks_pools[REC_TASKS_POOLS] = {
  [REC_TASKS_MEDIA] = { .name = "rec-media" },
  [REC_TASKS_CONTROL] = { .name = "rec-control" },
  [REC_TASKS_DISK] = { .name = "rec-disk" },
};

/* Under lock. Returns the next task, NULL when there was none for long. */
static RecTask *
wait_for_task (RecThreadPool *pool)
{
  gint64 end = g_get_monotonic_time () + REC_TASKS_IDLE_TIMEOUT;
  gboolean waiting = TRUE;
  RecTask *task;

  while (!(task = g_queue_pop_head (&pool->queue)) && waiting) {
    pool->n_idle++;
    waiting = g_cond_wait_until (&pool->work, &rec_tasks_lock, end);
    pool->n_idle--;
    /* Also at the end of the time: it may have been woken just then. */
    pool->n_woken -= pool->n_woken > 0;
  }
  return task;
}

void
rec_tasks_enqueue (RecTask *task)
{
  if (task->running) {
    task->again = TRUE;
    return;
  }
  if (task->queued || task->removing)
    return;
  task->queued = TRUE;
  task->since = g_get_monotonic_time ();
  g_queue_push_tail (&rec_tasks_pools[task->pool].queue, task);
}

void
rec_tasks_run (RecThreadPool *pool, RecTask *task)
{
  task->queued = FALSE;
  task->running = TRUE;
  g_mutex_unlock (&rec_tasks_lock);
  task->func (task->user_data);
  g_mutex_lock (&rec_tasks_lock);
  task->running = FALSE;
  if (task->again)
    rec_tasks_enqueue (task);
  task->again = FALSE;
  /* A system call even when nobody waits. */
  if (pool->n_removing > 0)
    g_cond_broadcast (&pool->finished);
}

static gpointer
run_tasks (gpointer data)
{
  RecThreadPool *pool = data;
  RecTask *task;

  g_mutex_lock (&rec_tasks_lock);
  pool->n_starting--;
  while ((task = wait_for_task (pool)))
    rec_tasks_run (pool, task);
  pool->n_threads--;
  g_mutex_unlock (&rec_tasks_lock);
  return NULL;
}

/* Under lock. Returns how many more threads the tasks that wait need: a thread
 * that is at work, or on its way, takes them next, unless they have waited for
 * so long that it may be blocked. Then there are twice as many, so that those
 * behind many that block do not wait long either. */
static guint
count_needed (RecThreadPool *pool)
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
add_thread (RecThreadPool *pool)
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

gboolean
rec_tasks_add_threads (RecThreadPool *pool)
{
  guint needed = count_needed (pool), n = 0;

  while (n < needed && add_thread (pool))
    n++;
  return n > 0;
}
