/* gst-tsrec: sync, close and periodic checks in the background
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One recording has one RecSyncer, a task on the threads of REC_TASKS_DISK. The
 * streaming thread writes to the current fragment and notifies the task, which
 * syncs the fragment in time. It also syncs and closes fragments that are handed
 * over. The streaming thread never waits for it, except in rec_syncer_wait(). A
 * sync that blocks delays another recording by about REC_TASKS_PATIENCE, and
 * syncs of N recordings that block by log2(N) times as long (rectasks.h).
 *
 * With an interval N, a sync starts at most N/2 after the first byte that no
 * sync covers. If the storage needs less than N/2 for a sync, every byte is
 * durable N after it was accepted.
 */

#pragma once

#include "recfragment.h"

#include <glib.h>

G_BEGIN_DECLS

/* Interval: sync after each access unit. The caller uses rec_syncer_wait(). */
#define REC_SYNCER_ALWAYS G_MAXUINT64

/* Callbacks of the task, one at a time, without a lock. */
typedef struct
{
  /* A sync failed with @err: @bytes of @fragment may never become durable. */
  void (*sync_failed) (
      RecFragment *fragment, gint err, guint64 bytes, gpointer user_data);
  /* A sync took @duration ns, longer than the interval allows. */
  void (*sync_late) (
      RecFragment *fragment, guint64 duration, gpointer user_data);
  /* @fragment was synced and closed. @err: errno of close, or 0. */
  void (*closed) (RecFragment *fragment, gint err, gpointer user_data);
  /* Called about once a second. */
  void (*tick) (gpointer user_data);
  /* Called after rec_syncer_wake(), and after syncs and closes. */
  void (*work) (gpointer user_data);
} RecSyncerFuncs;

/**
 * RecSyncerTotals:
 * @durable: bytes covered by a successful sync
 * @lost: bytes of failed syncs
 * @syncs: number of successful syncs
 * @failures: number of failed syncs
 * @last_utc: time of the last successful sync, µs since 1970
 * @duration_max: duration of the longest sync, ns
 *
 * Sums of all fragments. Any thread may read them.
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

/* Starts the task. @interval: ns; 0: sync on demand only. @totals must
 * outlive the RecSyncer. */
RecSyncer *rec_syncer_new (guint64 interval, const RecSyncerFuncs *funcs,
    RecSyncerTotals *totals, gpointer user_data);

/* Syncs and closes all fragments, stops the task and frees. Must not be
 * called from a callback. */
void rec_syncer_free (RecSyncer *self);

/* Also applies to bytes that are already written. @interval: ns. */
void rec_syncer_set_interval (RecSyncer *self, guint64 interval);

/* Sets the fragment that is written; borrowed until it is handed over. */
void rec_syncer_set_current (RecSyncer *self, RecFragment *fragment);

/* Bytes were written to the current fragment. */
void rec_syncer_notify_written (RecSyncer *self);

/* Hands over the current fragment: the task syncs it (with an interval of 0
 * only if @sync is TRUE), closes and frees it. */
void rec_syncer_finish_current (RecSyncer *self, gboolean sync);

/* Requests a call of `work`. */
void rec_syncer_wake (RecSyncer *self);

/* Waits until all bytes written before are durable or lost, and all fragments
 * that were handed over are closed. Returns FALSE if cancelled. */
gboolean rec_syncer_wait (RecSyncer *self);

/* While @cancelled is TRUE, rec_syncer_wait() returns immediately. */
void rec_syncer_set_cancelled (RecSyncer *self, gboolean cancelled);

G_END_DECLS
