/* gst-tsrec: the thread that does what may block: syncs, closes, looks around
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One recording has one RecSyncer. The streaming thread writes to the
 * current fragment and says so; this thread syncs it in time, and finishes and
 * closes fragments that are handed over. Nothing here ever makes the streaming
 * thread wait unless it asks to.
 *
 * With an interval N, a sync starts at the latest N/2 after the first byte
 * that is not covered: as long as the storage needs less than N/2 for a sync,
 * every byte is durable N after it was accepted.
 */

#pragma once

#include "recfragment.h"

#include <glib.h>

G_BEGIN_DECLS

/* After each access unit; rec_syncer_wait() is called for each then. */
#define REC_SYNCER_ALWAYS G_MAXUINT64

/* Called on the thread of the RecSyncer, without a lock. */
typedef struct
{
  /* @bytes of @fragment are not known to be durable and never will be. */
  void (*sync_failed) (
      RecFragment *fragment, gint err, guint64 bytes, gpointer user_data);
  /* A sync took longer than the interval allows. */
  void (*sync_late) (
      RecFragment *fragment, guint64 duration, gpointer user_data);
  /* @fragment is synced and closed, with error @err of close or 0. */
  void (*closed) (RecFragment *fragment, gint err, gpointer user_data);
  /* About once a second. */
  void (*tick) (gpointer user_data);
  /* After rec_syncer_wake() and after anything else was done. */
  void (*work) (gpointer user_data);
} RecSyncerFuncs;

/**
 * RecSyncerTotals:
 * @durable: bytes covered by a successful sync
 * @lost: bytes concerned by a failed one
 * @syncs: successful syncs
 * @failures: failed syncs
 * @last_utc: of the last successful sync, µs since 1970
 * @duration_max: of the longest sync, ns
 *
 * Over all fragments; may be read from any thread.
 */
typedef struct
{
  _Atomic guint64 durable;
  _Atomic guint64 lost;
  _Atomic guint64 syncs;
  _Atomic guint64 failures;
  _Atomic gint64 last_utc;
  _Atomic guint64 duration_max;
} RecSyncerTotals;

typedef struct _RecSyncer RecSyncer;

/* @interval: ns, 0: only on demand. Adds to @totals, which outlives it. */
RecSyncer *rec_syncer_new (guint64 interval, const RecSyncerFuncs *funcs,
    RecSyncerTotals *totals, gpointer user_data);

/* Finishes everything, stops the thread and frees. Not from a callback. */
void rec_syncer_free (RecSyncer *self);

/* Holds for what is written already as well. */
void rec_syncer_set_interval (RecSyncer *self, guint64 interval);

/* @fragment is now the one written to; borrowed until it is handed over. */
void rec_syncer_set_current (RecSyncer *self, RecFragment *fragment);

/* Bytes were accepted by the current fragment. */
void rec_syncer_notify_written (RecSyncer *self);

/* Hands the current fragment over: it is synced (unless @interval is 0),
 * closed and freed. @sync: also when the interval is 0. */
void rec_syncer_finish_current (RecSyncer *self, gboolean sync);

/* Has `work` called soon. */
void rec_syncer_wake (RecSyncer *self);

/* Waits until all that was accepted before is durable or lost, and what was
 * handed over is closed. FALSE: cancelled before. */
gboolean rec_syncer_wait (RecSyncer *self);

/* While TRUE, rec_syncer_wait() returns at once. */
void rec_syncer_set_cancelled (RecSyncer *self, gboolean cancelled);

G_END_DECLS
