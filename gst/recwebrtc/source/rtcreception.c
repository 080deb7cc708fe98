/* gst-tsrec: reception statistics and timestamps of a webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcreception-private.h"

#define PACKETS (GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST)
/* A track that is late after a silence waits this long, µs, until its
 * position is known. This is less than ORDER_WAIT, so that the other tracks
 * wait with it. */
#define DECISION_WAIT                                                          \
  (RTC_TIMELINE_DECISION / 1000 + 40 * G_TIME_SPAN_MILLISECOND)

static void
clear_stream (gpointer data)
{
  RtcReceptionStream *stream = data;

  gst_object_unref (stream->jitterbuffer);
  g_free (stream->arrivals);
}

static RtcReceptionStream *
find_stream (RtcReception *self, guint ssrc)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    RtcReceptionStream *stream =
        &g_array_index (self->streams, RtcReceptionStream, i);

    if (stream->ssrc == ssrc)
      return stream;
  }
  return NULL;
}

/* --- the running time of packets --- */

/* RFC 3550 section 5.1 */
static gboolean
get_header (GstBuffer *buffer, guint16 *seq, guint32 *rtp_time)
{
  guint8 bytes[6];

  if (gst_buffer_extract (buffer, 2, bytes, 6) != 6)
    return FALSE;
  *seq = (guint16)(bytes[0] << 8 | bytes[1]);
  *rtp_time = (guint32)bytes[2] << 24 | (guint32)bytes[3] << 16 |
      (guint32)bytes[4] << 8 | bytes[5];
  return TRUE;
}

/**
 * Path: user data of a probe of a stream; freed with the pad
 */
typedef struct
{
  RtcReception *reception;
  guint ssrc;
} Path;

static Path *
path_new (RtcReception *self, guint ssrc)
{
  Path *path = g_new0 (Path, 1);

  path->reception = self;
  path->ssrc = ssrc;
  return path;
}

static void
remember_arrival (RtcReceptionStream *stream, guint16 seq, guint32 rtp_time,
    GstClockTime time)
{
  RtcArrival *arrival = &stream->arrivals[seq % RTC_RECEPTION_ARRIVALS];

  arrival->time = time;
  arrival->seq = seq;
  arrival->rtp_time = rtp_time;
  if (!stream->has_newest || (gint32)(rtp_time - stream->newest) > 0)
    stream->newest = rtp_time;
  stream->has_newest = TRUE;
}

/* Calls @f for the packet of @info, or for each packet of its list. */
static void
for_each_packet (GstPadProbeInfo *info, GstBufferListFunc f, Path *path)
{
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    gst_buffer_list_foreach (GST_PAD_PROBE_INFO_BUFFER_LIST (info), f, path);
  else
    f ((GstBuffer **)&info->data, 0, path);
}

/* GstBufferListFunc */
static gboolean
note_arrival (GstBuffer **buffer, guint idx, gpointer user_data)
{
  Path *path = user_data;
  GstClockTime time = GST_BUFFER_DTS_OR_PTS (*buffer);
  guint16 seq;
  guint32 rtp_time;
  RtcReceptionStream *stream;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    time = gst_element_get_current_running_time (path->reception->rtpbin);
  if (!GST_CLOCK_TIME_IS_VALID (time) || !get_header (*buffer, &seq, &rtp_time))
    return TRUE;
  g_mutex_lock (&path->reception->lock);
  stream = find_stream (path->reception, path->ssrc);
  if (stream) {
    remember_arrival (stream, seq, rtp_time, time);
    if (stream->has_track)
      rtc_timeline_arrived (
          &path->reception->timeline, stream->track, rtp_time, (gint64)time);
    g_cond_broadcast (&path->reception->moved);
  }
  g_mutex_unlock (&path->reception->lock);
  return TRUE;
}

/* Runs in front of the jitter buffer, which does not forward the time of
 * arrival. */
static GstPadProbeReturn
on_arrival (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  for_each_packet (info, note_arrival, user_data);
  return GST_PAD_PROBE_OK;
}

static void
recall_arrival (RtcReceptionStream *stream, guint16 seq)
{
  const RtcArrival *arrival = &stream->arrivals[seq % RTC_RECEPTION_ARRIVALS];

  if (GST_CLOCK_TIME_IS_VALID (arrival->time) && arrival->seq == seq)
    stream->last_arrival = arrival->time;
}

/* GstBufferListFunc */
static gboolean
note_departure (GstBuffer **buffer, guint idx, gpointer user_data)
{
  Path *path = user_data;
  guint16 seq;
  guint32 rtp_time;
  RtcReceptionStream *stream;

  if (!get_header (*buffer, &seq, &rtp_time))
    return TRUE;
  g_mutex_lock (&path->reception->lock);
  stream = find_stream (path->reception, path->ssrc);
  if (stream)
    recall_arrival (stream, seq);
  g_mutex_unlock (&path->reception->lock);
  return TRUE;
}

/* Runs after the jitter buffer, and in front of the FEC decoder, which changes
 * the sequence numbers of an SSRC that the session description does not
 * contain. */
static GstPadProbeReturn
on_departure (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  for_each_packet (info, note_departure, user_data);
  return GST_PAD_PROBE_OK;
}

static void
clear_arrivals (RtcReceptionStream *stream)
{
  guint i;

  for (i = 0; i < RTC_RECEPTION_ARRIVALS; i++)
    stream->arrivals[i].time = GST_CLOCK_TIME_NONE;
}

/* The timeline has assigned the track to another stream. The arrivals of the
 * earlier stream are too old for a new track. */
static void
take_track (RtcReception *self, guint track)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    RtcReceptionStream *stream =
        &g_array_index (self->streams, RtcReceptionStream, i);

    if (!stream->has_track || stream->track != track)
      continue;
    stream->has_track = FALSE;
    clear_arrivals (stream);
  }
}

/* Starts the track with all packets that have arrived so far; under lock. */
static void
begin_track (RtcReception *self, RtcReceptionStream *stream)
{
  guint track = rtc_timeline_add_track (&self->timeline, stream->rate);
  guint i;

  take_track (self, track);
  stream->track = track;
  stream->has_track = TRUE;
  for (i = 0; i < RTC_RECEPTION_ARRIVALS; i++) {
    const RtcArrival *arrival = &stream->arrivals[i];

    if (GST_CLOCK_TIME_IS_VALID (arrival->time))
      rtc_timeline_arrived (&self->timeline, stream->track, arrival->rtp_time,
          (gint64)arrival->time);
  }
}

/* Passes the arrivals after @rtp_time to the timeline; under lock. */
static void
tell_arrivals (RtcReception *self, RtcReceptionStream *stream, guint32 rtp_time)
{
  guint i;

  for (i = 0; i < RTC_RECEPTION_ARRIVALS; i++) {
    const RtcArrival *arrival = &stream->arrivals[i];

    if (GST_CLOCK_TIME_IS_VALID (arrival->time) &&
        (gint32)(arrival->rtp_time - rtp_time) > 0)
      rtc_timeline_arrived (&self->timeline, stream->track, arrival->rtp_time,
          (gint64)arrival->time);
  }
}

/* Waits until it is known whether the RTP clock stopped before @rtp_time; under
 * lock. Returns the stream, which may have moved, or NULL. Without later
 * arrivals it stays unknown. */
static RtcReceptionStream *
wait_for_decision (
    RtcReception *self, RtcReceptionStream *stream, guint32 rtp_time)
{
  gint64 end = g_get_monotonic_time () + DECISION_WAIT;
  gint64 arrival = (gint64)stream->last_arrival;
  guint ssrc = stream->ssrc;
  gboolean told = FALSE;

  while (stream && stream->has_track && !self->stopped &&
      rtc_timeline_is_undecided (
          &self->timeline, stream->track, rtp_time, arrival)) {
    if (!told)
      tell_arrivals (self, stream, rtp_time);
    else if (!g_cond_wait_until (&self->moved, &self->lock, end))
      break;
    told = TRUE;
    stream = find_stream (self, ssrc);
  }
  return stream;
}

static gboolean
map_packet (GstBuffer **buffer, guint idx, gpointer user_data)
{
  Path *path = user_data;
  RtcReception *self = path->reception;
  gint64 running = -1;
  guint32 rtp_time;
  guint16 seq;
  RtcReceptionStream *stream;

  if (!get_header (*buffer, &seq, &rtp_time))
    return TRUE;
  g_mutex_lock (&self->lock);
  stream = find_stream (self, path->ssrc);
  if (stream && stream->rate > 0) {
    if (!stream->has_track)
      begin_track (self, stream);
    stream = wait_for_decision (self, stream, rtp_time);
  }
  if (stream && stream->rate > 0) {
    running = rtc_timeline_map (
        &self->timeline, stream->track, rtp_time, (gint64)stream->last_arrival);
    running = MAX (running, 0);
    rtc_reception_note_departure (self, stream, rtp_time, running);
    rtc_reception_wait_for_order (self, path->ssrc, running);
  }
  g_mutex_unlock (&self->lock);
  if (running >= 0) {
    *buffer = gst_buffer_make_writable (*buffer);
    GST_BUFFER_PTS (*buffer) = GST_BUFFER_DTS (*buffer) = (GstClockTime)running;
  }
  return TRUE;
}

static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    info->data =
        gst_buffer_list_make_writable (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
  for_each_packet (info, map_packet, user_data);
  return GST_PAD_PROBE_OK;
}

static void
on_new_jitterbuffer (GstElement *rtpbin, GstElement *jitterbuffer,
    guint session, guint ssrc, RtcReception *self)
{
  RtcReceptionStream stream = { 0 };
  GstPad *sink = gst_element_get_static_pad (jitterbuffer, "sink");
  GstPad *src = gst_element_get_static_pad (jitterbuffer, "src");

  stream.ssrc = ssrc;
  stream.session = session;
  stream.jitterbuffer = gst_object_ref (jitterbuffer);
  stream.arrivals = g_new (RtcArrival, RTC_RECEPTION_ARRIVALS);
  clear_arrivals (&stream);
  g_mutex_lock (&self->lock);
  g_array_append_val (self->streams, stream);
  g_mutex_unlock (&self->lock);
  /* By default the packet after a pause is declared lost before it arrives, and
   * is then dropped: the first packet that a network releases after holding
   * packets back. */
  if (g_object_class_find_property (
          G_OBJECT_GET_CLASS (jitterbuffer), "rtx-next-seqnum"))
    g_object_set (jitterbuffer, "rtx-next-seqnum", FALSE, NULL);
  gst_pad_add_probe (sink, PACKETS, on_arrival, path_new (self, ssrc), g_free);
  gst_pad_add_probe (src, PACKETS, on_departure, path_new (self, ssrc), g_free);
  gst_object_unref (src);
  gst_object_unref (sink);
}

static guint
get_clock_rate (GstPad *pad, gboolean video)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  gint rate = 0;

  if (caps)
    gst_structure_get_int (
        gst_caps_get_structure (caps, 0), "clock-rate", &rate);
  gst_clear_caps (&caps);
  if (rate > 0)
    return rate;
  return video ? 90000 : 48000;
}

static void
expect_kind (RtcReception *self, RtcReceptionKind kind)
{
  guint i;

  self->missing[kind] = TRUE;
  for (i = 0; i < self->streams->len; i++) {
    const RtcReceptionStream *stream =
        &g_array_index (self->streams, RtcReceptionStream, i);

    if (stream->kind == kind && stream->has_left)
      self->missing[kind] = FALSE;
  }
}

void
rtc_reception_expect (RtcReception *self, gboolean video, gboolean audio)
{
  g_mutex_lock (&self->lock);
  if (video)
    expect_kind (self, RTC_RECEPTION_VIDEO);
  if (audio)
    expect_kind (self, RTC_RECEPTION_AUDIO);
  g_mutex_unlock (&self->lock);
}

void
rtc_reception_take_pad (RtcReception *self, GstPad *pad, guint ssrc,
    gboolean video, GstClockTime floor)
{
  guint rate = get_clock_rate (pad, video);
  RtcReceptionStream *stream;

  g_mutex_lock (&self->lock);
  stream = find_stream (self, ssrc);
  if (stream) {
    stream->kind = video ? RTC_RECEPTION_VIDEO : RTC_RECEPTION_AUDIO;
    if (GST_CLOCK_TIME_IS_VALID (floor))
      rtc_timeline_set_floor (&self->timeline, (gint64)floor);
    stream->rate = rate;
    if (!stream->has_track)
      begin_track (self, stream);
  }
  g_mutex_unlock (&self->lock);
  gst_pad_add_probe (pad, PACKETS, on_packet, path_new (self, ssrc), g_free);
}

/* --- the sender's clock --- */

static GstStructure *
source_stats (RtcReception *self, guint session, guint ssrc)
{
  GObject *rtp_session = NULL, *source = NULL;
  GstStructure *stats = NULL;

  g_signal_emit_by_name (
      self->rtpbin, "get-internal-session", session, &rtp_session);
  if (rtp_session)
    g_signal_emit_by_name (rtp_session, "get-source-by-ssrc", ssrc, &source);
  if (source)
    g_object_get (source, "stats", &stats, NULL);
  g_clear_object (&source);
  g_clear_object (&rtp_session);
  return stats;
}

/* RTCP of @ssrc was received. */
static void
on_ssrc_active (
    GstElement *rtpbin, guint session, guint ssrc, RtcReception *self)
{
  GstStructure *stats = source_stats (self, session, ssrc);
  gint64 now = g_get_monotonic_time ();
  GstClockTime running = gst_element_get_current_running_time (rtpbin);
  gboolean have_sr = FALSE, internal = TRUE;
  guint64 ntp = 0;
  guint rtp_time = 0;
  RtcReceptionStream *first, *stream;

  if (!stats)
    return;
  gst_structure_get_boolean (stats, "internal", &internal);
  gst_structure_get_boolean (stats, "have-sr", &have_sr);
  gst_structure_get_uint64 (stats, "sr-ntptime", &ntp);
  gst_structure_get_uint (stats, "sr-rtptime", &rtp_time);
  gst_structure_free (stats);
  if (internal || !have_sr || ntp == 0)
    return;
  g_mutex_lock (&self->lock);
  /* All streams of a sender share its clock: one stream is enough. */
  first = self->streams->len
      ? &g_array_index (self->streams, RtcReceptionStream, 0)
      : NULL;
  if (first && first->ssrc == ssrc)
    rtc_sender_clock_add (&self->clock, ntp, now);
  stream = find_stream (self, ssrc);
  if (stream && stream->has_track && GST_CLOCK_TIME_IS_VALID (running))
    rtc_timeline_report (
        &self->timeline, stream->track, ntp, rtp_time, (gint64)running);
  g_mutex_unlock (&self->lock);
}

gboolean
rtc_reception_get_sender_time (RtcReception *self, gint64 *utc)
{
  return rtc_sender_clock_get_utc_now_with_lock (
      &self->clock, &self->lock, utc);
}

/* --- statistics --- */

/* A stream has ended. Its counters are kept, and no other stream waits for
 * it. */
static void
on_element_removed (GstBin *rtpbin, GstElement *element, RtcReception *self)
{
  RtcReceptionStream ended = { 0 };
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len && !ended.jitterbuffer; i++) {
    RtcReceptionStream *stream =
        &g_array_index (self->streams, RtcReceptionStream, i);

    if (stream->jitterbuffer != element)
      continue;
    ended = *stream;
    gst_object_ref (ended.jitterbuffer);
    rtc_jitter_stats_add (&self->ended[ended.kind], ended.jitterbuffer);
    if (ended.has_track)
      rtc_timeline_remove_track (&self->timeline, ended.track);
    g_array_remove_index (self->streams, i);
    g_cond_broadcast (&self->moved);
  }
  g_mutex_unlock (&self->lock);
  gst_clear_object (&ended.jitterbuffer);
}

void
rtc_reception_add_stats (RtcReception *self, GstStructure *stats)
{
  RtcJitterStats totals[RTC_RECEPTION_AUDIO + 1];
  GArray *copy;
  gint64 utc = 0;
  guint64 steps;
  guint i;

  g_mutex_lock (&self->lock);
  memcpy (totals, self->ended, sizeof (totals));
  copy = g_array_copy (self->streams);
  g_array_set_clear_func (copy, clear_stream);
  for (i = 0; i < copy->len; i++) {
    gst_object_ref (g_array_index (copy, RtcReceptionStream, i).jitterbuffer);
    g_array_index (copy, RtcReceptionStream, i).arrivals = NULL;
  }
  steps = self->timeline.steps;
  rtc_sender_clock_get_utc_now (&self->clock, &utc);
  g_mutex_unlock (&self->lock);
  for (i = 0; i < copy->len; i++) {
    RtcReceptionStream *stream = &g_array_index (copy, RtcReceptionStream, i);

    rtc_jitter_stats_add (&totals[stream->kind], stream->jitterbuffer);
  }
  g_array_unref (copy);
  rtc_jitter_stats_fill (&totals[RTC_RECEPTION_VIDEO], "video", stats);
  rtc_jitter_stats_fill (&totals[RTC_RECEPTION_AUDIO], "audio", stats);
  gst_structure_set (stats, "clock-steps", G_TYPE_UINT64, steps,
      "sender-utc-time", G_TYPE_INT64, utc, NULL);
}

/* --- life --- */

/* webrtcbin decodes FEC of every SSRC that the session description does not
 * contain, even if no FEC was negotiated, and renumbers the packets. Losses
 * could then not be detected. */
static void
on_element_added (GstBin *rtpbin, GstElement *element, gpointer unused)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  if (factory && g_strcmp0 (GST_OBJECT_NAME (factory), "rtpulpfecdec") == 0)
    g_object_set (element, "passthrough", TRUE, NULL);
}

RtcReception *
rtc_reception_new (GstElement *webrtc)
{
  RtcReception *self = g_new0 (RtcReception, 1);
  guint i;

  g_mutex_init (&self->lock);
  g_cond_init (&self->moved);
  self->streams = g_array_new (FALSE, TRUE, sizeof (RtcReceptionStream));
  g_array_set_clear_func (self->streams, clear_stream);
  for (i = 0; i < G_N_ELEMENTS (self->ended); i++)
    rtc_jitter_stats_init (&self->ended[i]);
  rtc_timeline_init (&self->timeline);
  self->rtpbin = gst_bin_get_by_name (GST_BIN (webrtc), "rtpbin");
  if (!self->rtpbin)
    return self;
  /* RtcTimeline sets the timestamps; rtpbin may move a track by at most this
   * much. */
  g_object_set (self->rtpbin, "max-ts-offset", G_GINT64_CONSTANT (1), NULL);
  /* Connected after the other probes: packets that they drop have not arrived,
   * and the timestamps of these packets have no meaning. */
  self->handlers[0] = g_signal_connect_after (
      self->rtpbin, "new-jitterbuffer", G_CALLBACK (on_new_jitterbuffer), self);
  self->handlers[1] = g_signal_connect (
      self->rtpbin, "on-ssrc-active", G_CALLBACK (on_ssrc_active), self);
  self->handlers[2] = g_signal_connect (
      self->rtpbin, "element-removed", G_CALLBACK (on_element_removed), self);
  self->handlers[3] = g_signal_connect (
      self->rtpbin, "element-added", G_CALLBACK (on_element_added), NULL);
  return self;
}

void
rtc_reception_stop (RtcReception *self)
{
  if (!self)
    return;
  g_mutex_lock (&self->lock);
  self->stopped = TRUE;
  g_cond_broadcast (&self->moved);
  g_mutex_unlock (&self->lock);
}

void
rtc_reception_free (RtcReception *self)
{
  guint i;

  if (!self)
    return;
  if (self->rtpbin) {
    for (i = 0; i < G_N_ELEMENTS (self->handlers); i++)
      g_signal_handler_disconnect (self->rtpbin, self->handlers[i]);
    gst_object_unref (self->rtpbin);
  }
  g_array_unref (self->streams);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->moved);
  g_free (self);
}
