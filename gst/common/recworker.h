/* gst-tsrec: a thread with a GMainContext, of its own or shared
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Waiting for webrtcbin deadlocks on its own threads and blocks streaming
 * threads; HTTP requires a main context. Each element has one worker.
 */

#pragma once

#include "rectasks.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecWorker RecWorker;

typedef void (*RecWorkerFunc) (gpointer data);

/* Returns a worker whose thread does not run yet. */
RecWorker *rec_worker_new (void);
/* The worker must be stopped. */
void rec_worker_free (RecWorker *worker);

void rec_worker_start (RecWorker *worker, const gchar *thread_name);
/* Without a thread of its own: functions run on the threads of @pool, one at a
 * time. */
void rec_worker_start_shared (RecWorker *worker, RecTasksPool pool);
/* Runs all functions invoked before, and joins the thread, if it has one. Not from the
 * worker. */
void rec_worker_stop (RecWorker *worker);

GMainContext *rec_worker_get_context (RecWorker *worker);

/* Runs @function on the worker. @destroy runs in any case, at the latest when the
 * worker is freed. Any thread. */
void rec_worker_invoke (RecWorker *worker, GSourceFunc function, gpointer data,
    GDestroyNotify destroy);

/* Runs @function on the worker and waits for it. Not from the worker. The caller
 * holds no lock that @function takes. */
void rec_worker_call (RecWorker *worker, RecWorkerFunc function, gpointer data);

/* Starts a timer on the worker, which runs until @function returns FALSE. To be
 * cleared on the worker. */
GSource *rec_worker_add_timeout (RecWorker *worker, guint interval_ms,
    GSourceFunc function, gpointer data, GDestroyNotify destroy);

/* Like rec_worker_add_timeout(), on a grid of @interval_ms that all workers
 * share, so that their timers cost one wakeup. The first interval may be shorter. */
GSource *rec_worker_add_tick (RecWorker *worker, guint interval_ms,
    GSourceFunc function, gpointer data, GDestroyNotify destroy);

/* Stops the timer *@source, which may be NULL, and sets it to NULL. */
void rec_worker_clear_timeout (GSource **source);

G_END_DECLS
