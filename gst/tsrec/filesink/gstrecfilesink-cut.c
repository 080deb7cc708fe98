/* gst-tsrec: recfilesink decides where the next fragment begins
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recclockalign.h"

#include <time.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* A random access point that is so little before a cut is due is the one: the
 * times of key frames vary, and the next may be as far off as this one was. */
#define MAX_EARLY (100 * GST_MSECOND)
/* A buffer that seems to be older is no live one. */
#define MAX_DELAY (10 * GST_SECOND)

/* --- the wall clock */

/* How long ago @time was on the clock of the pipeline, ns; 0: not known. */
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

/* The wall clock at running time @time, µs since 1970: what is recorded now
 * arrived with some delay. @time NONE: now. */
static gint64
real_time_at (GstRecFileSink *self, GstClockTime time)
{
  gint64 now = g_get_real_time ();

  if (GST_CLOCK_TIME_IS_VALID (time))
    now -= (gint64)(delay_of (self, time) / GST_USECOND);
  return now;
}

/* @when: µs since 1970. In ns since 1970-01-01 00:00 local time. */
static guint64
to_local (gint64 when)
{
  time_t seconds = when / G_USEC_PER_SEC;
  struct tm tm;

  localtime_r (&seconds, &tm);
  return (guint64)MAX (when + tm.tm_gmtoff * G_USEC_PER_SEC, 0) * GST_USECOND;
}

gint64
gst_rec_file_sink_naming_time (GstRecFileSink *self, GstClockTime time)
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

/* --- the cut */

void
gst_rec_file_sink_cut_begin (GstRecFileSink *self, GstClockTime time)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);

  self->opened_local = to_local (real_time_at (self, time));
  if (settings.align_to_clock && settings.max_size_time)
    GST_DEBUG_OBJECT (self,
        "aligned to the clock: this fragment ends in %" GST_TIME_FORMAT,
        GST_TIME_ARGS (rec_clock_align_remaining (
            self->opened_local, settings.max_size_time)));
}

static gboolean
time_is_over (GstRecFileSink *self, const GstRecFileSinkSettings *settings,
    GstClockTime time, gboolean random_access)
{
  GstClockTime begin = self->fragment->opened_time;
  GstClockTime period = settings->max_size_time;
  GstClockTime early = random_access ? MIN (period / 50, MAX_EARLY) : 0;
  GstClockTime duration = settings->align_to_clock
      ? rec_clock_align_remaining (self->opened_local, period)
      : period;

  return period && GST_CLOCK_TIME_IS_VALID (time) &&
      GST_CLOCK_TIME_IS_VALID (begin) && time >= begin &&
      time - begin >= duration - early;
}

gboolean
gst_rec_file_sink_cut_is_due (GstRecFileSink *self, GstBuffer *buffer,
    GstClockTime time, gboolean random_access)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  guint64 size = self->fragment->file.size;

  if (size == 0)
    return FALSE;
  if (self->split_requested)
    return TRUE;
  if (!self->fragment->file.regular)
    return FALSE;
  if (settings.max_size_bytes &&
      size + gst_buffer_get_size (buffer) > settings.max_size_bytes)
    return TRUE;
  return time_is_over (self, &settings, time, random_access);
}
