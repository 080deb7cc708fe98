/* gst-tsrec: a function called on time, on a thread of its own, by any clock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rectimer.h"

struct _RecTimer
{
  gint refs; /* the owner and the thread */
  GstClock *clock;
  RecTimerFunc func;
  gpointer user_data;
  GstClockTime next; /* of the thread */
  GThread *thread;

  GMutex lock; /* of the two below */
  GstClockID id;
  gboolean stop;
};

static void
rec_timer_unref (RecTimer *timer)
{
  if (!g_atomic_int_dec_and_test (&timer->refs))
    return;
  gst_object_unref (timer->clock);
  g_mutex_clear (&timer->lock);
  g_free (timer);
}

/* Waits until the next time; FALSE when the timer was stopped. */
static gboolean
rec_timer_wait (RecTimer *timer)
{
  GstClockReturn ret = GST_CLOCK_UNSCHEDULED;
  GstClockID id = NULL;

  g_mutex_lock (&timer->lock);
  if (!timer->stop)
    id = timer->id = gst_clock_new_single_shot_id (timer->clock, timer->next);
  g_mutex_unlock (&timer->lock);
  if (!id)
    return FALSE;
  ret = gst_clock_id_wait (id, NULL);
  g_mutex_lock (&timer->lock);
  timer->id = NULL;
  g_mutex_unlock (&timer->lock);
  gst_clock_id_unref (id);
  /* EARLY: it was late already. Anything else would turn the thread into a
   * busy loop. */
  return ret == GST_CLOCK_OK || ret == GST_CLOCK_EARLY;
}

static gpointer
rec_timer_thread (gpointer data)
{
  RecTimer *timer = data;

  while (rec_timer_wait (timer))
    timer->next =
        timer->func (gst_clock_get_time (timer->clock), timer->user_data);
  rec_timer_unref (timer);
  return NULL;
}

RecTimer *
rec_timer_start (
    GstClock *clock, GstClockTime first, RecTimerFunc func, gpointer user_data)
{
  RecTimer *timer = g_new0 (RecTimer, 1);

  timer->refs = 2;
  timer->clock = gst_object_ref (clock);
  timer->func = func;
  timer->user_data = user_data;
  timer->next = first;
  g_mutex_init (&timer->lock);
  timer->thread = g_thread_new ("recmonitor", rec_timer_thread, timer);
  return timer;
}

void
rec_timer_stop (RecTimer *timer)
{
  GstClockID id = NULL;

  if (!timer)
    return;
  g_mutex_lock (&timer->lock);
  timer->stop = TRUE;
  if (timer->id)
    id = gst_clock_id_ref (timer->id);
  g_mutex_unlock (&timer->lock);
  if (id) {
    gst_clock_id_unschedule (id);
    gst_clock_id_unref (id);
  }
  if (timer->thread == g_thread_self ())
    g_thread_unref (timer->thread);
  else
    g_thread_join (timer->thread);
  rec_timer_unref (timer);
}
