/* gst-tsrec: one track of a WebRTC source, with and without a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrtctrack.h"

#include "recevent.h"
#include "rtcgapjournal.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (gst_rtc_track_debug);
#define GST_CAT_DEFAULT gst_rtc_track_debug

/* Distance of GAP events from the clock, so that they do not overtake a packet
 * that is being delivered. */
#define GAP_MARGIN (200 * GST_MSECOND)
/* Maximum number of events that wait for the first caps: sessions without media
 * queue some events each, for as long as the element runs. */
#define MAX_EVENTS 256
/* One unit of the 90 kHz clock, rounded up: the smallest distance of two
 * timestamps in a transport stream. */
#define TICK ((GST_SECOND + 89999) / 90000)

struct _GstRtcTrack
{
  GstElement parent;

  GstPad *sink;
  GstPad *src;
  gboolean video;
  guint group_id;
  GstRtcTrackKeyframeFunc keyframe_func;
  gpointer keyframe_data;

  /* under the stream lock of the sink pad */
  GstSegment segment;
  gboolean started;
  gboolean have_caps;
  gboolean have_segment;
  gboolean eos_sent;
  gboolean discont;
  GstClockTime last_timestamp;
  GstClockTime position;
  GstClockTime lag; /* lateness of the last access unit */
  RtcGapJournal journal;

  /* under the object lock */
  GstClockTime latency;
  GstClockTime end;
  gboolean finished;
  RecSource source;
  GQueue events;
  GstRtcTrackStats stats;
};

G_DEFINE_TYPE (GstRtcTrack, gst_rtc_track, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* --- output; under the stream lock of the sink pad --- */

static void
start_stream (GstRtcTrack *self)
{
  gchar *id;
  GstEvent *event;

  if (self->started)
    return;
  self->started = TRUE;
  id = gst_pad_create_stream_id (
      self->src, GST_ELEMENT (self), self->video ? "video" : "audio");
  event = gst_event_new_stream_start (id);
  gst_event_set_group_id (event, self->group_id);
  g_free (id);
  gst_pad_push_event (self->src, event);
}

static void
start_segment (GstRtcTrack *self)
{
  GstSegment segment;

  if (self->have_segment)
    return;
  self->have_segment = TRUE;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (self->src, gst_event_new_segment (&segment));
}

static void
push_queued_events (GstRtcTrack *self)
{
  GstEvent *event;

  if (!self->have_caps || !self->have_segment)
    return;
  do {
    GST_OBJECT_LOCK (self);
    event = g_queue_pop_head (&self->events);
    GST_OBJECT_UNLOCK (self);
    if (event)
      gst_pad_push_event (self->src, event);
  } while (event);
}

static GstClockTime
to_running_time (GstRtcTrack *self, GstClockTime timestamp)
{
  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    return GST_CLOCK_TIME_NONE;
  if (self->segment.format != GST_FORMAT_TIME)
    return timestamp;
  return gst_segment_to_running_time (
      &self->segment, GST_FORMAT_TIME, timestamp);
}

/* Corrects the timestamps. Returns FALSE if there is none. An access unit
 * without a timestamp that follows others gets a timestamp right after the last
 * one: a parser may assign its timestamp to the access unit before it, and
 * pictures that refer to it need it for decoding. */
static gboolean
set_timestamps (GstRtcTrack *self, GstBuffer *buffer)
{
  GstClockTime pts = to_running_time (self, GST_BUFFER_PTS (buffer));
  GstClockTime dts = to_running_time (self, GST_BUFFER_DTS (buffer));
  GstClockTime timestamp = GST_CLOCK_TIME_IS_VALID (dts) ? dts : pts;

  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    timestamp = self->last_timestamp;
  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    return FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (pts))
    pts = timestamp;
  if (GST_CLOCK_TIME_IS_VALID (self->last_timestamp) &&
      timestamp <= self->last_timestamp) {
    GST_LOG_OBJECT (self,
        "timestamp %" GST_TIME_FORMAT " is not after %" GST_TIME_FORMAT,
        GST_TIME_ARGS (timestamp), GST_TIME_ARGS (self->last_timestamp));
    timestamp = self->last_timestamp + TICK;
    GST_OBJECT_LOCK (self);
    self->stats.timestamps_corrected++;
    GST_OBJECT_UNLOCK (self);
  }
  self->last_timestamp = timestamp;
  GST_BUFFER_PTS (buffer) = MAX (pts, timestamp);
  GST_BUFFER_DTS (buffer) = self->video ? timestamp : GST_CLOCK_TIME_NONE;
  self->position = GST_BUFFER_PTS (buffer);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    self->position += GST_BUFFER_DURATION (buffer);
  return TRUE;
}

/* The depayloader reports missing packets. */
static void
note_loss (GstRtcTrack *self)
{
  rtc_gap_journal_add_loss (&self->journal, self->position);
  GST_OBJECT_LOCK (self);
  self->stats.losses++;
  GST_OBJECT_UNLOCK (self);
}

static void
count_buffer (GstRtcTrack *self, GstBuffer *buffer)
{
  GstClockTime now = gst_element_get_current_running_time (GST_ELEMENT (self));

  self->lag = GST_CLOCK_TIME_IS_VALID (now) && now > self->position
      ? now - self->position
      : 0;
  GST_OBJECT_LOCK (self);
  self->end = self->position;
  self->stats.buffers++;
  self->stats.bytes += gst_buffer_get_size (buffer);
  GST_OBJECT_UNLOCK (self);
}

static GstFlowReturn
gst_rtc_track_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRtcTrack *self = GST_RTC_TRACK (parent);
  GstClockTime last_timestamp = self->last_timestamp;
  GstFlowReturn ret;

  if (gst_rtc_track_is_finished (self))
    goto finished;
  buffer = gst_buffer_make_writable (buffer);
  if (!set_timestamps (self, buffer))
    goto no_timestamp;
  start_stream (self);
  start_segment (self);
  push_queued_events (self);
  if (self->discont) {
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    self->discont = FALSE;
  }
  rtc_gap_journal_end_gap (
      &self->journal, last_timestamp, GST_BUFFER_PTS (buffer));
  count_buffer (self, buffer);
  ret = gst_pad_push (self->src, buffer);
  /* An unlinked pad is not an error. */
  return ret == GST_FLOW_NOT_LINKED ? GST_FLOW_OK : ret;

  /* ERRORS */
finished:
  gst_buffer_unref (buffer);
  return GST_FLOW_EOS;
no_timestamp:
  GST_DEBUG_OBJECT (self, "dropping an access unit without a timestamp");
  GST_OBJECT_LOCK (self);
  self->stats.dropped_no_timestamp++;
  GST_OBJECT_UNLOCK (self);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
gst_rtc_track_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstRtcTrack *self = GST_RTC_TRACK (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      start_stream (self);
      self->have_caps = TRUE;
      return gst_pad_push_event (self->src, event);
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &self->segment);
      break;
    case GST_EVENT_STREAM_START:
      /* This may be another session: its first buffer does not follow the last
       * one. */
      self->discont = TRUE;
      break;
    case GST_EVENT_GAP:
      note_loss (self);
      break;
    case GST_EVENT_TAG:
      if (self->started)
        return gst_pad_push_event (self->src, event);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      if (self->started && rec_event_parse_journal (event)) {
        rtc_gap_journal_note_entry (
            &self->journal, rec_event_parse_journal (event));
        return gst_pad_push_event (self->src, event);
      }
      /* GstRTPPacketLost and similar events end here. */
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
gst_rtc_track_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstRtcTrack *self = GST_RTC_TRACK (parent);
  gboolean ret = TRUE;

  if (gst_video_event_is_force_key_unit (event)) {
    if (self->video && self->keyframe_func)
      self->keyframe_func (self, self->keyframe_data);
    gst_event_unref (event);
    return TRUE;
  }
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEEK:
      ret = FALSE;
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return ret;
}

static gboolean
gst_rtc_track_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstRtcTrack *self = GST_RTC_TRACK (parent);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_LATENCY: {
      GstClockTime latency;

      GST_OBJECT_LOCK (self);
      latency = self->latency;
      GST_OBJECT_UNLOCK (self);
      gst_query_set_latency (query, TRUE, latency, GST_CLOCK_TIME_NONE);
      return TRUE;
    }
    case GST_QUERY_SEEKING: {
      GstFormat format;

      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, FALSE, 0, -1);
      return TRUE;
    }
    case GST_QUERY_CUSTOM:
      if (rec_query_is_source (query)) {
        RecSource source;

        GST_OBJECT_LOCK (self);
        source = self->source;
        GST_OBJECT_UNLOCK (self);
        rec_query_set_source (query, &source);
        return TRUE;
      }
      return gst_pad_query_default (pad, parent, query);
    case GST_QUERY_CAPS:
    case GST_QUERY_ACCEPT_CAPS:
      return gst_pad_query_default (pad, parent, query);
    case GST_QUERY_DURATION:
    case GST_QUERY_POSITION:
      return FALSE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/* --- without a session --- */

static gboolean
gap_is_due (GstRtcTrack *self, GstClockTime until)
{
  if (!self->have_caps || !self->have_segment || self->eos_sent)
    return FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (self->position) || until <= self->position)
    return FALSE;
  return self->journal.silent || until - self->position >= RTC_GAP_MIN_SILENCE;
}

/* Silence is reported downstream while a peer should send. While no peer is
 * expected to send, it is only noted, for the journal: an encoder would make
 * audio of it, and the mux tables, for as long as the recorder waits. */
static void
note_gap (GstRtcTrack *self, GstClockTime until, gboolean waiting)
{
  GstClockTime start = self->position;

  if (!self->journal.silent) {
    GST_OBJECT_LOCK (self);
    self->stats.gaps++;
    GST_OBJECT_UNLOCK (self);
    rtc_gap_journal_start_silence (&self->journal, start);
  }
  self->position = until;
  GST_OBJECT_LOCK (self);
  self->end = until;
  GST_OBJECT_UNLOCK (self);
  if (!waiting)
    gst_pad_push_event (self->src, gst_event_new_gap (start, until - start));
}

static void
push_eos (GstRtcTrack *self)
{
  if (self->eos_sent)
    return;
  self->eos_sent = TRUE;
  start_segment (self);
  gst_pad_push_event (self->src, gst_event_new_eos ());
}

/* Returns whether there is something left to do while no peer is there. Under
 * the stream lock of the sink pad. */
static gboolean
needs_tick (GstRtcTrack *self)
{
  gboolean ready = self->have_caps && self->have_segment, needed;

  GST_OBJECT_LOCK (self);
  needed = !self->source.waiting || (self->finished && !self->eos_sent) ||
      (ready && !g_queue_is_empty (&self->events));
  GST_OBJECT_UNLOCK (self);
  return needed ||
      (ready && !self->eos_sent && !self->journal.silent &&
          GST_CLOCK_TIME_IS_VALID (self->position));
}

gboolean
gst_rtc_track_tick (GstRtcTrack *self, GstClockTime now)
{
  GstClockTime behind;
  gboolean waiting, needed = TRUE;

  if (!GST_PAD_STREAM_TRYLOCK (self->sink))
    return TRUE;
  if (GST_PAD_IS_FLUSHING (self->src))
    goto done;
  start_stream (self);
  push_queued_events (self);
  GST_OBJECT_LOCK (self);
  behind = MAX (self->latency, self->lag) + GAP_MARGIN;
  waiting = self->source.waiting;
  GST_OBJECT_UNLOCK (self);
  if (gst_rtc_track_is_finished (self))
    push_eos (self);
  else if (GST_CLOCK_TIME_IS_VALID (now) && now > behind &&
      gap_is_due (self, now - behind))
    note_gap (self, now - behind, waiting);
  needed = needs_tick (self);
done:
  GST_PAD_STREAM_UNLOCK (self->sink);
  return needed;
}

/* --- from outside --- */

void
gst_rtc_track_finish (GstRtcTrack *self)
{
  GST_OBJECT_LOCK (self);
  self->finished = TRUE;
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_rtc_track_is_finished (GstRtcTrack *self)
{
  gboolean finished;

  GST_OBJECT_LOCK (self);
  finished = self->finished;
  GST_OBJECT_UNLOCK (self);
  return finished;
}

void
gst_rtc_track_queue_event (GstRtcTrack *self, GstEvent *event)
{
  GstEvent *oldest = NULL;

  GST_OBJECT_LOCK (self);
  if (g_queue_get_length (&self->events) >= MAX_EVENTS)
    oldest = g_queue_pop_head (&self->events);
  g_queue_push_tail (&self->events, event);
  GST_OBJECT_UNLOCK (self);
  if (oldest)
    gst_event_unref (oldest);
}

void
gst_rtc_track_set_latency (GstRtcTrack *self, GstClockTime latency)
{
  GST_OBJECT_LOCK (self);
  self->latency = latency;
  GST_OBJECT_UNLOCK (self);
}

void
gst_rtc_track_set_source (GstRtcTrack *self, const RecSource *source)
{
  GST_OBJECT_LOCK (self);
  self->source = *source;
  GST_OBJECT_UNLOCK (self);
}

void
gst_rtc_track_set_keyframe_func (
    GstRtcTrack *self, GstRtcTrackKeyframeFunc func, gpointer user_data)
{
  self->keyframe_func = func;
  self->keyframe_data = user_data;
}

void
gst_rtc_track_get_stats (GstRtcTrack *self, GstRtcTrackStats *stats)
{
  GST_OBJECT_LOCK (self);
  *stats = self->stats;
  GST_OBJECT_UNLOCK (self);
}

GstClockTime
gst_rtc_track_get_end (GstRtcTrack *self)
{
  GstClockTime end;

  GST_OBJECT_LOCK (self);
  end = self->end;
  GST_OBJECT_UNLOCK (self);
  return end;
}

/* --- GObject --- */

static void
reset (GstRtcTrack *self)
{
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->started = self->have_caps = self->have_segment = FALSE;
  self->eos_sent = FALSE;
  self->discont = TRUE;
  self->last_timestamp = self->position = GST_CLOCK_TIME_NONE;
  rtc_gap_journal_reset (&self->journal);
  self->lag = 0;
  GST_OBJECT_LOCK (self);
  self->end = GST_CLOCK_TIME_NONE;
  self->finished = FALSE;
  self->source = (RecSource){ FALSE, TRUE, 0 };
  g_queue_clear_full (&self->events, (GDestroyNotify)gst_event_unref);
  memset (&self->stats, 0, sizeof (self->stats));
  GST_OBJECT_UNLOCK (self);
}

static GstStateChangeReturn
gst_rtc_track_change_state (GstElement *element, GstStateChange transition)
{
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    reset (GST_RTC_TRACK (element));
  ret = GST_ELEMENT_CLASS (gst_rtc_track_parent_class)
            ->change_state (element, transition);
  /* A live source: there is no data before PLAYING. */
  if (ret == GST_STATE_CHANGE_SUCCESS &&
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED ||
          transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED))
    ret = GST_STATE_CHANGE_NO_PREROLL;
  return ret;
}

static void
gst_rtc_track_finalize (GObject *object)
{
  GstRtcTrack *self = GST_RTC_TRACK (object);

  g_queue_clear_full (&self->events, (GDestroyNotify)gst_event_unref);
  G_OBJECT_CLASS (gst_rtc_track_parent_class)->finalize (object);
}

static void
gst_rtc_track_class_init (GstRtcTrackClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_rtc_track_finalize;
  element_class->change_state = gst_rtc_track_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "WebRTC track",
      "Source/Network", "Keeps one track going over many WebRTC sessions",
      "The gst-tsrec authors");
  GST_DEBUG_CATEGORY_INIT (
      gst_rtc_track_debug, "rectrack", 0, "one track of a WebRTC source");
}

static void
gst_rtc_track_init (GstRtcTrack *self)
{
  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink, gst_rtc_track_chain);
  gst_pad_set_event_function (self->sink, gst_rtc_track_sink_event);
  gst_element_add_pad (GST_ELEMENT (self), self->sink);
  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_event_function (self->src, gst_rtc_track_src_event);
  gst_pad_set_query_function (self->src, gst_rtc_track_src_query);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
  g_queue_init (&self->events);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
  reset (self);
}

GstRtcTrack *
gst_rtc_track_new (const gchar *kind, guint group_id)
{
  gchar *name = g_strdup_printf ("track-%s", kind);
  GstRtcTrack *self = g_object_new (GST_TYPE_RTC_TRACK, "name", name, NULL);

  g_free (name);
  self->video = g_str_equal (kind, "video");
  self->group_id = group_id;
  self->journal.pad = self->src;
  self->journal.track = self->video ? "video" : "audio";
  return self;
}
