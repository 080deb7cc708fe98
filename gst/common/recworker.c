/* gst-tsrec: a thread with a GMainContext, of its own or shared
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recworker.h"

/* Dispatches in a row: then other tasks have their turn. */
#define MAX_ITERATIONS 16

/**
 * RecWorker:
 * @loop: with @thread
 * @thread: of its own, or NULL
 * @task: on shared threads, or NULL
 * @fds: of @context, when @task last ran
 */
struct _RecWorker
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  RecTask *task;
  GArray *fds;
};

RecWorker *
rec_worker_new (void)
{
  RecWorker *worker = g_new0 (RecWorker, 1);

  /* So that a shared worker is woken while no thread owns the context. */
  worker->context =
      g_main_context_new_with_flags (G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  worker->fds = g_array_new (FALSE, FALSE, sizeof (GPollFD));
  return worker;
}

void
rec_worker_free (RecWorker *worker)
{
  g_assert (worker->thread == NULL && worker->task == NULL);
  g_array_unref (worker->fds);
  g_main_context_unref (worker->context);
  g_free (worker);
}

static gpointer
worker_main (gpointer data)
{
  RecWorker *worker = data;

  g_main_context_push_thread_default (worker->context);
  g_main_loop_run (worker->loop);
  /* Cancelled operations still call back, and free their data. */
  while (g_main_context_iteration (worker->context, FALSE))
    ;
  g_main_context_pop_thread_default (worker->context);
  return NULL;
}

void
rec_worker_start (RecWorker *worker, const gchar *thread_name)
{
  worker->loop = g_main_loop_new (worker->context, FALSE);
  worker->thread = g_thread_new (thread_name, worker_main, worker);
}

/* --- without a thread of its own --- */

/* Returns when @worker is to run again, and sets its descriptors. The caller owns
 * the context. */
static gint64
prepare (RecWorker *worker)
{
  gint priority, timeout, n;

  if (g_main_context_prepare (worker->context, &priority))
    return G_MININT64;
  while ((n = g_main_context_query (worker->context, G_MAXINT, &timeout,
              (GPollFD *)worker->fds->data, (gint)worker->fds->len)) >
      (gint)worker->fds->len)
    g_array_set_size (worker->fds, (guint)n);
  g_array_set_size (worker->fds, (guint)n);
  return timeout < 0
      ? REC_TASKS_NEVER
      : g_get_monotonic_time () + timeout * G_TIME_SPAN_MILLISECOND;
}

/* RecTask's function */
static void
run_shared (gpointer data)
{
  RecWorker *worker = data;
  gint64 due;

  if (!g_main_context_acquire (worker->context))
    g_assert_not_reached ();
  g_main_context_push_thread_default (worker->context);
  for (guint i = 0; i < MAX_ITERATIONS; i++)
    if (!g_main_context_iteration (worker->context, FALSE))
      break;
  due = prepare (worker);
  g_main_context_pop_thread_default (worker->context);
  g_main_context_release (worker->context);
  if (due == G_MININT64)
    rec_task_wake (worker->task);
  else
    rec_task_watch (
        worker->task, due, (GPollFD *)worker->fds->data, worker->fds->len);
}

static void
drain (gpointer data)
{
  while (g_main_context_iteration (((RecWorker *)data)->context, FALSE))
    ;
}

void
rec_worker_start_shared (RecWorker *worker, RecTasksPool pool)
{
  worker->task = rec_task_new (pool, run_shared, worker);
  rec_task_wake (worker->task);
}

/* --- both --- */

static gboolean
quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

void
rec_worker_stop (RecWorker *worker)
{
  if (worker->task) {
    rec_worker_call (worker, drain, worker);
    rec_task_free (worker->task);
    worker->task = NULL;
  }
  if (!worker->thread)
    return;
  rec_worker_invoke (worker, quit, worker->loop, NULL);
  g_thread_join (worker->thread);
  worker->thread = NULL;
  g_clear_pointer (&worker->loop, g_main_loop_unref);
}

GMainContext *
rec_worker_get_context (RecWorker *worker)
{
  return worker->context;
}

void
rec_worker_invoke (RecWorker *worker, GSourceFunc function, gpointer data,
    GDestroyNotify destroy)
{
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, function, data, destroy);
  g_source_attach (source, worker->context);
  g_source_unref (source);
}

typedef struct
{
  RecWorkerFunc function;
  gpointer data;
  GMutex lock;
  GCond cond;
  gboolean done;
} Call;

static gboolean
run_call (gpointer data)
{
  Call *call = data;

  call->function (call->data);
  g_mutex_lock (&call->lock);
  call->done = TRUE;
  g_cond_signal (&call->cond);
  g_mutex_unlock (&call->lock);
  return G_SOURCE_REMOVE;
}

void
rec_worker_call (RecWorker *worker, RecWorkerFunc function, gpointer data)
{
  Call call = { .function = function, .data = data };

  g_mutex_init (&call.lock);
  g_cond_init (&call.cond);
  rec_worker_invoke (worker, run_call, &call, NULL);
  g_mutex_lock (&call.lock);
  while (!call.done)
    g_cond_wait (&call.cond, &call.lock);
  g_mutex_unlock (&call.lock);
  g_mutex_clear (&call.lock);
  g_cond_clear (&call.cond);
}

GSource *
rec_worker_add_timeout (RecWorker *worker, guint interval_ms,
    GSourceFunc function, gpointer data, GDestroyNotify destroy)
{
  GSource *source = g_timeout_source_new (interval_ms);

  g_source_set_callback (source, function, data, destroy);
  g_source_attach (source, worker->context);
  return source;
}

typedef struct
{
  GSource source;
  gint64 interval;
} Tick;

static void
set_next_tick (GSource *source)
{
  Tick *tick = (Tick *)source;
  gint64 now = g_get_monotonic_time ();

  g_source_set_ready_time (source, now - now % tick->interval + tick->interval);
}

static gboolean
dispatch_tick (GSource *source, GSourceFunc function, gpointer data)
{
  set_next_tick (source);
  return function (data);
}

GSource *
rec_worker_add_tick (RecWorker *worker, guint interval_ms, GSourceFunc function,
    gpointer data, GDestroyNotify destroy)
{
  static GSourceFuncs funcs = { .dispatch = dispatch_tick };
  GSource *source = g_source_new (&funcs, sizeof (Tick));

  ((Tick *)source)->interval = interval_ms * G_TIME_SPAN_MILLISECOND;
  set_next_tick (source);
  g_source_set_callback (source, function, data, destroy);
  g_source_attach (source, worker->context);
  return source;
}

void
rec_worker_clear_timeout (GSource **source)
{
  if (!*source)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}
