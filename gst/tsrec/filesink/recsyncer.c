/* gst-tsrec: sync, close and periodic checks in the background
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recsyncer.h"

#include "rectasks.h"

#define NS_PER_US 1000
#define TICK_US G_USEC_PER_SEC
/* Syncs of many recordings begin together, up to this part of the time that is
 * left for them earlier: one wakeup for all. */
#define GRID 8

typedef struct
{
  RecFragment *fragment;
  gboolean sync;
} Finishing;

struct _RecSyncer
{
  const RecSyncerFuncs *funcs;
  RecSyncerTotals *totals;
  gpointer user_data;
  RecTask *task;
  atomic_bool armed; /* `deadline` is set */
  gint64 next_tick;  /* of the task */

  /* protected by the lock */
  GMutex lock;
  GCond done; /* wakes rec_syncer_wait() and rec_syncer_free() */
  guint64 interval;
  RecFragment *current;
  GQueue finishing; /* Finishing */
  gint64 deadline;  /* of the next sync, monotonic µs; only while armed */
  guint64 requested, completed;
  gboolean cancelled;
  gboolean wake_requested;
  gboolean quit;
  gboolean ended;
};

/* --- the task --- */

static void
note_result (RecSyncer *self, RecFragment *fragment, gint err, guint64 durable,
    guint64 lost, guint64 duration)
{
  RecSyncerTotals *totals = self->totals;

  totals->durable += durable;
  totals->lost += lost;
  if (duration > totals->duration_max)
    totals->duration_max = duration;
  if (err) {
    totals->failures++;
    self->funcs->sync_failed (fragment, err, lost, self->user_data);
    return;
  }
  totals->syncs++;
  totals->last_utc = g_get_real_time ();
}

/* Syncs the folders above new folders: they contain the names. */
static gint
sync_new_folders (RecFragment *fragment)
{
  gchar *folder = g_strdup (fragment->directory), *above;
  gint err = 0;
  guint i;

  for (i = 0; folder && !err && i < fragment->new_folders; i++) {
    above = g_path_get_dirname (folder);
    err = rec_file_sync_directory (fragment->file.sys, above);
    g_free (folder);
    folder = above;
  }
  g_free (folder);
  return err;
}

static void
sync_fragment (RecSyncer *self, RecFragment *fragment, guint64 interval)
{
  RecFile *file = &fragment->file;
  guint64 durable = file->durable, lost = file->lost_to_sync, duration;
  gint64 began = g_get_monotonic_time ();
  gint err;

  if (!rec_file_needs_sync (file))
    return;
  err = rec_file_sync (file, fragment->directory);
  if (!err && sync_new_folders (fragment) == 0)
    g_clear_pointer (&fragment->directory, g_free);
  duration = (g_get_monotonic_time () - began) * NS_PER_US;
  note_result (self, fragment, err, file->durable - durable,
      file->lost_to_sync - lost, duration);
  if (interval && interval != REC_SYNCER_ALWAYS && duration > interval / 2)
    self->funcs->sync_late (fragment, duration, self->user_data);
}

static void
finish_one (RecSyncer *self, Finishing *item)
{
  gint err;

  if (item->sync)
    sync_fragment (self, item->fragment, 0);
  err = rec_file_close (&item->fragment->file);
  self->funcs->closed (item->fragment, err, self->user_data);
  rec_fragment_free (item->fragment);
  g_free (item);
}

/* With the lock, which is released while a call may block. */
static void
finish_all (RecSyncer *self)
{
  Finishing *item;

  while ((item = g_queue_pop_head (&self->finishing))) {
    g_mutex_unlock (&self->lock);
    finish_one (self, item);
    g_mutex_lock (&self->lock);
  }
}

/* With the lock, which is released during the sync. Later writes set the next
 * deadline. */
static void
sync_current (RecSyncer *self)
{
  RecFragment *fragment = self->current;
  guint64 interval = self->interval;

  self->armed = FALSE;
  if (!fragment)
    return;
  g_mutex_unlock (&self->lock);
  sync_fragment (self, fragment, interval);
  g_mutex_lock (&self->lock);
}

static gboolean
is_due (RecSyncer *self)
{
  return self->requested > self->completed ||
      (self->armed && self->deadline <= g_get_monotonic_time ());
}

static void
work_once (RecSyncer *self)
{
  guint64 requested = self->requested;

  finish_all (self);
  if (is_due (self))
    sync_current (self);
  /* fragments that were handed over during the sync */
  finish_all (self);
  self->wake_requested = FALSE;
  g_mutex_unlock (&self->lock);
  self->funcs->work (self->user_data);
  g_mutex_lock (&self->lock);
  self->completed = requested;
  g_cond_broadcast (&self->done);
}

static void
tick_if_due (RecSyncer *self)
{
  gint64 now = g_get_monotonic_time ();

  if (now < self->next_tick)
    return;
  self->next_tick = now - now % TICK_US + TICK_US;
  g_mutex_unlock (&self->lock);
  self->funcs->tick (self->user_data);
  g_mutex_lock (&self->lock);
}

/* RecTask's function */
static void
run (gpointer data)
{
  RecSyncer *self = data;
  gint64 until;

  g_mutex_lock (&self->lock);
  tick_if_due (self);
  while (self->finishing.length > 0 || self->wake_requested || is_due (self)) {
    work_once (self);
    tick_if_due (self);
  }
  until = self->armed ? MIN (self->next_tick, self->deadline) : self->next_tick;
  self->ended = self->quit;
  if (self->ended)
    g_cond_broadcast (&self->done);
  else
    rec_task_wake_at (self->task, until);
  g_mutex_unlock (&self->lock);
}

/* --- the streaming thread and the state changes --- */

RecSyncer *
rec_syncer_new (guint64 interval, const RecSyncerFuncs *funcs,
    RecSyncerTotals *totals, gpointer user_data)
{
  RecSyncer *self = g_new0 (RecSyncer, 1);

  self->funcs = funcs;
  self->totals = totals;
  self->user_data = user_data;
  self->interval = interval;
  g_mutex_init (&self->lock);
  g_cond_init (&self->done);
  g_queue_init (&self->finishing);
  self->task = rec_task_new (REC_TASKS_DISK, run, self);
  rec_task_wake (self->task);
  return self;
}

void
rec_syncer_free (RecSyncer *self)
{
  rec_syncer_finish_current (self, FALSE);
  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  rec_task_wake (self->task);
  while (!self->ended)
    g_cond_wait (&self->done, &self->lock);
  g_mutex_unlock (&self->lock);
  rec_task_free (self->task);
  g_cond_clear (&self->done);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* With the lock: sets the deadline to half of the interval from now, unless it
 * is earlier already. */
static void
arm (RecSyncer *self)
{
  gint64 deadline, grid;

  if (!self->interval || self->interval == REC_SYNCER_ALWAYS)
    return;
  deadline = g_get_monotonic_time () + self->interval / NS_PER_US / 2;
  grid = MAX ((gint64)(self->interval / NS_PER_US / 2 / GRID), 1);
  deadline -= deadline % grid;
  if (!self->armed || deadline < self->deadline)
    self->deadline = deadline;
  self->armed = TRUE;
  rec_task_wake_at (self->task, self->deadline);
}

void
rec_syncer_set_interval (RecSyncer *self, guint64 interval)
{
  g_mutex_lock (&self->lock);
  self->interval = interval;
  arm (self);
  g_mutex_unlock (&self->lock);
}

void
rec_syncer_set_current (RecSyncer *self, RecFragment *fragment)
{
  g_mutex_lock (&self->lock);
  self->current = fragment;
  g_mutex_unlock (&self->lock);
}

void
rec_syncer_notify_written (RecSyncer *self)
{
  if (self->armed)
    return;
  g_mutex_lock (&self->lock);
  arm (self);
  g_mutex_unlock (&self->lock);
}

void
rec_syncer_finish_current (RecSyncer *self, gboolean sync)
{
  Finishing *item;

  g_mutex_lock (&self->lock);
  if (self->current) {
    item = g_new0 (Finishing, 1);
    item->fragment = self->current;
    item->sync = sync || self->interval;
    self->current = NULL;
    g_queue_push_tail (&self->finishing, item);
    rec_task_wake (self->task);
  }
  g_mutex_unlock (&self->lock);
}

void
rec_syncer_wake (RecSyncer *self)
{
  g_mutex_lock (&self->lock);
  self->wake_requested = TRUE;
  rec_task_wake (self->task);
  g_mutex_unlock (&self->lock);
}

gboolean
rec_syncer_wait (RecSyncer *self)
{
  guint64 ticket;
  gboolean done;

  g_mutex_lock (&self->lock);
  ticket = ++self->requested;
  rec_task_wake (self->task);
  while (self->completed < ticket && !self->cancelled)
    g_cond_wait (&self->done, &self->lock);
  done = self->completed >= ticket;
  g_mutex_unlock (&self->lock);
  return done;
}

void
rec_syncer_set_cancelled (RecSyncer *self, gboolean cancelled)
{
  g_mutex_lock (&self->lock);
  self->cancelled = cancelled;
  g_cond_broadcast (&self->done);
  g_mutex_unlock (&self->lock);
}
