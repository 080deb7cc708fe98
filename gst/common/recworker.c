/* gst-tsrec: a thread with a GMainContext
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recworker.h"

struct _RecWorker
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
};

RecWorker *
rec_worker_new (void)
{
  RecWorker *worker = g_new0 (RecWorker, 1);

  worker->context = g_main_context_new ();
  return worker;
}

void
rec_worker_free (RecWorker *worker)
{
  g_assert (worker->thread == NULL);
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

static gboolean
quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

void
rec_worker_stop (RecWorker *worker)
{
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

void
rec_worker_clear_timeout (GSource **source)
{
  if (!*source)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}
