/* gst-tsrec: recfilesink, where a fragment ends; key frame requests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recclockalign.h"

#include <gst/video/video.h>

#include <errno.h>
#include <time.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* A random access point may end a fragment this much early: the distance of key
 * frames varies, and the next one may be a whole fragment away. */
#define MAX_EARLY (100 * GST_MSECOND)
/* Greatest delay of a live buffer; older buffers are not live. */
#define MAX_DELAY (10 * GST_SECOND)
/* Interval of the tries to open the next file. */
#define RETRY_US G_USEC_PER_SEC
/* Interval of key frame requests. */
#define KEY_UNIT_US G_USEC_PER_SEC
/* Interval of key frame requests while the next file cannot be opened. */
#define ASK_AGAIN_US (10 * G_USEC_PER_SEC)

/* --- the wall clock --- */

/* Returns the time since running time @time on the pipeline clock, ns; 0:
 * unknown. */
static GstClockTime
delay_of (GstRecFileSink *self, GstClockTime time)
{
  GstClock *clock = gst_element_get_clock (GST_ELEMENT (self));
  GstClockTime base = gst_element_get_base_time (GST_ELEMENT (self)), now;

  if (!clock)
    return 0;
  now = gst_clock_get_time (clock);
  gst_object_unref (clock);
  if (now < base || now - base <= time || now - base - time > MAX_DELAY)
    return 0;
  return now - base - time;
}

/* Returns the wall clock time of running time @time, µs since 1970. It is
 * earlier than now, because buffers arrive with a delay. @time NONE: returns
 * now. */
static gint64
real_time_at (GstRecFileSink *self, GstClockTime time)
{
  gint64 now = g_get_real_time ();

  if (GST_CLOCK_TIME_IS_VALID (time))
    now -= (gint64)(delay_of (self, time) / GST_USECOND);
  return now;
}

/* Converts @when, µs since 1970, to ns since 1970-01-01 00:00 local time. */
static guint64
to_local (gint64 when)
{
  time_t seconds = when / G_USEC_PER_SEC;
  struct tm tm;

  localtime_r (&seconds, &tm);
  return (guint64)MAX (when + tm.tm_gmtoff * G_USEC_PER_SEC, 0) * GST_USECOND;
}

/* Returns the time to expand in the name of the next fragment, µs since 1970.
 * @time: running time of its first buffer. */
static gint64
naming_time_of (GstRecFileSink *self, GstClockTime time)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  gint64 now = g_get_real_time (), when;
  guint64 early;

  if (!settings.align_to_clock)
    return now;
  when = real_time_at (self, time);
  early = rec_clock_align_early (to_local (when), settings.max_size_time);
  return MAX (now, when + (gint64)((early + 999) / GST_USECOND));
}

/* --- the cut --- */

void
gst_rec_file_sink_cut_begin (GstRecFileSink *self, GstClockTime time)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);

  self->cut.opened_local = to_local (real_time_at (self, time));
  if (settings.align_to_clock && settings.max_size_time)
    GST_DEBUG_OBJECT (self,
        "aligned to the clock: the fragment ends in %" GST_TIME_FORMAT,
        GST_TIME_ARGS (rec_clock_align_remaining (
            self->cut.opened_local, settings.max_size_time)));
}

static gboolean
time_is_over (GstRecFileSink *self, const GstRecFileSinkSettings *settings,
    GstClockTime time, gboolean random_access)
{
  GstClockTime begin = self->fragment->opened_time;
  GstClockTime period = settings->max_size_time;
  GstClockTime early = random_access ? MIN (period / 50, MAX_EARLY) : 0;
  GstClockTime duration = settings->align_to_clock
      ? rec_clock_align_remaining (self->cut.opened_local, period)
      : period;

  return period && GST_CLOCK_TIME_IS_VALID (time) &&
      GST_CLOCK_TIME_IS_VALID (begin) && time >= begin &&
      time - begin >= duration - early;
}

static gboolean
is_due (GstRecFileSink *self, const RecBufferView *view)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  guint64 size = self->fragment->file.size;

  if (size == 0)
    return FALSE;
  if (self->split_requested)
    return TRUE;
  if (!self->fragment->file.regular)
    return FALSE;
  if (settings.max_size_bytes && size + view->size > settings.max_size_bytes)
    return TRUE;
  return time_is_over (self, &settings, view->time, view->random_access);
}

/* --- key frames --- */

void
gst_rec_file_sink_request_key_unit (GstRecFileSink *self)
{
  gint64 now = g_get_monotonic_time ();

  if (now < self->cut.next_key_unit_at)
    return;
  self->cut.next_key_unit_at = now + KEY_UNIT_US;
  GST_DEBUG_OBJECT (self, "requesting a key frame");
  gst_pad_push_event (GST_BASE_SINK_PAD (self),
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, self->cut.n_key_units++));
}

/* --- the next fragment --- */

static gint
open_next (GstRecFileSink *self, const RecBufferView *view)
{
  gint err = gst_rec_file_sink_open_next (
      self, view, naming_time_of (self, view->time));

  if (err)
    return err;
  self->cut.retry_at = 0;
  gst_rec_file_sink_cut_begin (self, view->time);
  return 0;
}

/* Begins the next fragment at a random access point. If it cannot be opened,
 * the current one continues, and opening is tried again later. */
static void
split (GstRecFileSink *self, const RecBufferView *view)
{
  gint64 now = g_get_monotonic_time ();
  gint err;

  if (now < self->cut.retry_at)
    return;
  GST_DEBUG_OBJECT (self,
      "a cut is due: fragment of %" G_GUINT64_FORMAT " bytes, %" GST_TIME_FORMAT
      " to %" GST_TIME_FORMAT,
      (guint64)self->fragment->file.size,
      GST_TIME_ARGS (self->fragment->opened_time), GST_TIME_ARGS (view->time));
  /* before the file is opened: a later request asks for another cut */
  self->split_requested = FALSE;
  err = open_next (self, view);
  if (!err)
    return;
  self->split_requested = TRUE;
  if (err == ENODEV)
    self->place_suspect = TRUE; /* the next write checks the file system */
  else if (!self->cut.retry_at)
    gst_rec_file_sink_report_open_failed (self, err, view->time);
  self->cut.retry_at = now + RETRY_US;
  self->cut.ask_at = now + ASK_AGAIN_US;
}

gint
gst_rec_file_sink_prepare_fragment (
    GstRecFileSink *self, const RecBufferView *view)
{
  if (self->fragment && is_due (self, view)) {
    if (view->random_access)
      split (self, view);
    else if (!self->cut.retry_at || g_get_monotonic_time () >= self->cut.ask_at)
      gst_rec_file_sink_request_key_unit (self);
  }
  return self->fragment ? 0 : open_next (self, view);
}
