/* gst-tsrec: what the RTP session of a webrtcbin knows about reception
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcreception.h"
#include "rtcsenderclock.h"
#include "rtctimeline.h"

/* The last packets of a stream of which it is known when they arrived: what a
 * jitter buffer holds. A power of two. */
#define ARRIVALS 4096
#define PACKETS (GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST)
/* Tracks of which much arrives at once leave in the order of their times, to
 * within this: the mux writes no picture before what has been written already.
 * They wait for each other for so long at most, µs. */
#define ORDER (150 * GST_MSECOND)
#define ORDER_WAIT (250 * G_TIME_SPAN_MILLISECOND)
#define ORDER_WAIT_LATE (500 * G_TIME_SPAN_MILLISECOND)
/* A track that comes late after a silence waits for what decides where it
 * belongs, µs; less than ORDER_WAIT, so that the others wait with it. */
#define DECISION_WAIT                                                          \
  (RTC_TIMELINE_DECISION / 1000 + 40 * G_TIME_SPAN_MILLISECOND)

typedef enum
{
  KIND_UNKNOWN,
  KIND_VIDEO,
  KIND_AUDIO,
} Kind;

/**
 * Arrival:
 * @time: running time, GST_CLOCK_TIME_NONE: no packet
 */
typedef struct
{
  GstClockTime time;
  guint32 rtp_time;
  guint16 seq;
} Arrival;

/**
 * Stream:
 * @jitterbuffer: of this SSRC
 * @session: number of the RTP session it belongs to
 * @arrivals: ARRIVALS of them, by sequence number
 * @last_arrival: when the last packet out of the jitter buffer arrived
 * @newest: highest RTP timestamp that has arrived
 * @track: of the timeline
 * @left: RTP timestamp of the last packet out of the jitter buffer
 * @running: its running time
 * @excused: the others do not wait for it until it has caught up with them
 * @rate: ticks per second, 0 while it is not recorded
 */
typedef struct
{
  guint ssrc;
  guint session;
  Kind kind;
  GstElement *jitterbuffer;
  Arrival *arrivals;
  GstClockTime last_arrival;
  gboolean has_newest;
  guint32 newest;
  gboolean has_track;
  guint track;
  gboolean has_left;
  guint32 left;
  gint64 running;
  gboolean excused;
  guint rate;
} Stream;

/* Totals over the streams of one kind: a sender that starts anew takes a new
 * SSRC. */
typedef struct
{
  guint64 received;
  guint64 lost;
  guint64 late;
  guint64 requested;
  guint64 retransmitted;
  guint64 jitter;
  guint64 round_trip;
} Totals;

struct _RtcReception
{
  GstElement *rtpbin;
  gulong handlers[4];

  GMutex lock;
  GCond moved; /* a stream has gone on */
  /* under lock */
  GArray *streams;
  Totals ended[KIND_AUDIO + 1];     /* of streams that have ended */
  gboolean missing[KIND_AUDIO + 1]; /* has not begun, and is waited for */
  gboolean stopped;                 /* nobody is waited for */
  RtcSenderClock clock;
  RtcTimeline timeline;
};

static void
clear_stream (gpointer data)
{
  Stream *stream = data;

  gst_object_unref (stream->jitterbuffer);
  g_free (stream->arrivals);
}

static Stream *
find_stream (RtcReception *self, guint ssrc)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    Stream *stream = &g_array_index (self->streams, Stream, i);

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
 * Path:
 * What a probe of a stream knows; freed with the pad.
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
remember_arrival (
    Stream *stream, guint16 seq, guint32 rtp_time, GstClockTime time)
{
  Arrival *arrival = &stream->arrivals[seq % ARRIVALS];

  arrival->time = time;
  arrival->seq = seq;
  arrival->rtp_time = rtp_time;
  if (!stream->has_newest || (gint32)(rtp_time - stream->newest) > 0)
    stream->newest = rtp_time;
  stream->has_newest = TRUE;
}

/* @f for the packet of @info, or for each one of its list. */
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
  Stream *stream;

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

/* In front of the jitter buffer, which keeps the time of arrival to itself. */
static GstPadProbeReturn
on_arrival (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  for_each_packet (info, note_arrival, user_data);
  return GST_PAD_PROBE_OK;
}

static void
recall_arrival (Stream *stream, guint16 seq)
{
  const Arrival *arrival = &stream->arrivals[seq % ARRIVALS];

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
  Stream *stream;

  if (!get_header (*buffer, &seq, &rtp_time))
    return TRUE;
  g_mutex_lock (&path->reception->lock);
  stream = find_stream (path->reception, path->ssrc);
  if (stream)
    recall_arrival (stream, seq);
  g_mutex_unlock (&path->reception->lock);
  return TRUE;
}

/* Behind the jitter buffer; in front of the decoder for FEC, which gives other
 * sequence numbers to the packets of an SSRC that the session description does
 * not name. */
static GstPadProbeReturn
on_departure (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  for_each_packet (info, note_departure, user_data);
  return GST_PAD_PROBE_OK;
}

/* What is recorded so long after its time has been held back, and what belongs
 * in front of it may not have arrived yet. */
#define LATE (300 * GST_MSECOND)

static gboolean
any_missing (const RtcReception *self)
{
  return self->missing[KIND_VIDEO] || self->missing[KIND_AUDIO];
}

/* Nothing has left @stream yet, and its track may begin with it; under lock.
 * Another SSRC of a track that has begun keeps nobody waiting. */
static gboolean
may_begin_track (const RtcReception *self, const Stream *stream)
{
  return stream->kind == KIND_UNKNOWN ? any_missing (self)
                                      : self->missing[stream->kind];
}

/* A stream of which more belongs in front of @running, as it has arrived and
 * not left, or, when @late, as it may have been held back too; under lock. */
static Stream *
find_behind (RtcReception *self, guint ssrc, gint64 running, gboolean late)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    Stream *other = &g_array_index (self->streams, Stream, i);
    gboolean more;

    if (other->ssrc == ssrc || other->excused || !other->has_newest)
      continue;
    if (!other->has_left) {
      if (may_begin_track (self, other))
        return other;
      continue;
    }
    more = late || (gint32)(other->newest - other->left) > 0;
    if (more && other->running + (gint64)ORDER < running)
      return other;
  }
  return NULL;
}

/* Something that belongs in front of @running may still come; under lock. The
 * one that is not waited for again is excused. */
static gboolean
is_in_order (RtcReception *self, guint ssrc, gint64 running, gboolean late,
    gboolean excuse)
{
  Stream *other = find_behind (self, ssrc, running, late);

  if (other && excuse)
    other->excused = TRUE;
  if (!other && late && excuse)
    self->missing[KIND_VIDEO] = self->missing[KIND_AUDIO] = FALSE;
  return !other && !(late && any_missing (self));
}

/* Under lock; the stream may be another place of the array afterwards. */
static void
wait_for_order (RtcReception *self, guint ssrc, gint64 running)
{
  GstClockTime now = gst_element_get_current_running_time (self->rtpbin);
  gboolean late =
      GST_CLOCK_TIME_IS_VALID (now) && (gint64)now - running > (gint64)LATE;
  gint64 end = g_get_monotonic_time () + (late ? ORDER_WAIT_LATE : ORDER_WAIT);

  while (!self->stopped && !is_in_order (self, ssrc, running, late, FALSE)) {
    if (!g_cond_wait_until (&self->moved, &self->lock, end))
      is_in_order (self, ssrc, running, late, TRUE);
  }
}

/* Under lock: no other stream is ahead of it by more than ORDER. */
static gboolean
has_caught_up (RtcReception *self, const Stream *stream)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    const Stream *other = &g_array_index (self->streams, Stream, i);

    if (other->has_left && other->running > stream->running + (gint64)ORDER)
      return FALSE;
  }
  return TRUE;
}

static void
go_on (RtcReception *self, Stream *stream, guint32 rtp_time, gint64 running)
{
  self->missing[stream->kind] = FALSE;
  stream->has_left = TRUE;
  stream->left = rtp_time;
  stream->running = running;
  if (stream->excused)
    stream->excused = !has_caught_up (self, stream);
  g_cond_broadcast (&self->moved);
}

static void
clear_arrivals (Stream *stream)
{
  guint i;

  for (i = 0; i < ARRIVALS; i++)
    stream->arrivals[i].time = GST_CLOCK_TIME_NONE;
}

/* The timeline has given the track to another stream. What is known of the one
 * before is too old for a new track. */
static void
take_track (RtcReception *self, guint track)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    Stream *stream = &g_array_index (self->streams, Stream, i);

    if (!stream->has_track || stream->track != track)
      continue;
    stream->has_track = FALSE;
    clear_arrivals (stream);
  }
}

/* With all that has arrived so far; under lock. */
static void
begin_track (RtcReception *self, Stream *stream)
{
  guint track = rtc_timeline_add_track (&self->timeline, stream->rate);
  guint i;

  take_track (self, track);
  stream->track = track;
  stream->has_track = TRUE;
  for (i = 0; i < ARRIVALS; i++) {
    const Arrival *arrival = &stream->arrivals[i];

    if (GST_CLOCK_TIME_IS_VALID (arrival->time))
      rtc_timeline_arrived (&self->timeline, stream->track, arrival->rtp_time,
          (gint64)arrival->time);
  }
}

/* What has arrived behind @rtp_time already; under lock. */
static void
tell_arrivals (RtcReception *self, Stream *stream, guint32 rtp_time)
{
  guint i;

  for (i = 0; i < ARRIVALS; i++) {
    const Arrival *arrival = &stream->arrivals[i];

    if (GST_CLOCK_TIME_IS_VALID (arrival->time) &&
        (gint32)(arrival->rtp_time - rtp_time) > 0)
      rtc_timeline_arrived (&self->timeline, stream->track, arrival->rtp_time,
          (gint64)arrival->time);
  }
}

/* Until it is known whether the RTP clock stood still before @rtp_time; under
 * lock. Nothing is told while nothing arrives. */
static Stream *
wait_for_decision (RtcReception *self, Stream *stream, guint32 rtp_time)
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
  Stream *stream;

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
    go_on (self, stream, rtp_time, running);
    wait_for_order (self, path->ssrc, running);
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
  Stream stream = { 0 };
  GstPad *sink = gst_element_get_static_pad (jitterbuffer, "sink");
  GstPad *src = gst_element_get_static_pad (jitterbuffer, "src");

  stream.ssrc = ssrc;
  stream.session = session;
  stream.jitterbuffer = gst_object_ref (jitterbuffer);
  stream.arrivals = g_new (Arrival, ARRIVALS);
  clear_arrivals (&stream);
  g_mutex_lock (&self->lock);
  g_array_append_val (self->streams, stream);
  g_mutex_unlock (&self->lock);
  /* By default the packet behind a pause is declared lost before it comes, and
   * dropped when it does: what a network holds back begins with it. */
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
expect_kind (RtcReception *self, Kind kind)
{
  guint i;

  self->missing[kind] = TRUE;
  for (i = 0; i < self->streams->len; i++) {
    const Stream *stream = &g_array_index (self->streams, Stream, i);

    if (stream->kind == kind && stream->has_left)
      self->missing[kind] = FALSE;
  }
}

void
rtc_reception_expect (RtcReception *self, gboolean video, gboolean audio)
{
  g_mutex_lock (&self->lock);
  if (video)
    expect_kind (self, KIND_VIDEO);
  if (audio)
    expect_kind (self, KIND_AUDIO);
  g_mutex_unlock (&self->lock);
}

void
rtc_reception_take_pad (RtcReception *self, GstPad *pad, guint ssrc,
    gboolean video, GstClockTime floor)
{
  guint rate = get_clock_rate (pad, video);
  Stream *stream;

  g_mutex_lock (&self->lock);
  stream = find_stream (self, ssrc);
  if (stream) {
    stream->kind = video ? KIND_VIDEO : KIND_AUDIO;
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

/* RTCP of @ssrc has come. */
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
  Stream *first, *stream;

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
  /* All streams of a sender share its clock: one is enough. */
  first = self->streams->len ? &g_array_index (self->streams, Stream, 0) : NULL;
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
  gboolean known;

  g_mutex_lock (&self->lock);
  known = rtc_sender_clock_get_wall_clock (
      &self->clock, g_get_monotonic_time (), utc);
  g_mutex_unlock (&self->lock);
  return known;
}

/* --- statistics --- */

static void
add_jitterbuffer (GstElement *jitterbuffer, Totals *totals)
{
  GstStructure *stats = NULL;
  guint64 value;

  g_object_get (jitterbuffer, "stats", &stats, NULL);
  if (!stats)
    return;
  if (gst_structure_get_uint64 (stats, "num-pushed", &value))
    totals->received += value;
  if (gst_structure_get_uint64 (stats, "num-lost", &value))
    totals->lost += value;
  if (gst_structure_get_uint64 (stats, "num-late", &value))
    totals->late += value;
  if (gst_structure_get_uint64 (stats, "rtx-count", &value))
    totals->requested += value;
  if (gst_structure_get_uint64 (stats, "rtx-success-count", &value))
    totals->retransmitted += value;
  if (gst_structure_get_uint64 (stats, "avg-jitter", &value))
    totals->jitter = value;
  if (gst_structure_get_uint64 (stats, "rtx-rtt", &value) && value > 0)
    totals->round_trip = value;
  gst_structure_free (stats);
}

/* A stream has ended; what it counted stays, and nobody waits for it. */
static void
on_element_removed (GstBin *rtpbin, GstElement *element, RtcReception *self)
{
  Stream ended = { 0 };
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len && !ended.jitterbuffer; i++) {
    Stream *stream = &g_array_index (self->streams, Stream, i);

    if (stream->jitterbuffer != element)
      continue;
    ended = *stream;
    gst_object_ref (ended.jitterbuffer);
    add_jitterbuffer (ended.jitterbuffer, &self->ended[ended.kind]);
    if (ended.has_track)
      rtc_timeline_remove_track (&self->timeline, ended.track);
    g_array_remove_index (self->streams, i);
    g_cond_broadcast (&self->moved);
  }
  g_mutex_unlock (&self->lock);
  gst_clear_object (&ended.jitterbuffer);
}

static void
add_totals (GstStructure *stats, const gchar *kind, const Totals *totals)
{
  const struct
  {
    const gchar *name;
    guint64 value;
  } fields[] = {
    { "rtp-received", totals->received },
    { "rtp-lost", totals->lost },
    { "rtp-late", totals->late },
    { "rtp-requested", totals->requested },
    { "rtp-retransmitted", totals->retransmitted },
    { "jitter", totals->jitter },
    { "round-trip", totals->round_trip },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    gchar *name = g_strdup_printf ("%s-%s", kind, fields[i].name);

    gst_structure_set (stats, name, G_TYPE_UINT64, fields[i].value, NULL);
    g_free (name);
  }
}

void
rtc_reception_add_stats (RtcReception *self, GstStructure *stats)
{
  Totals totals[KIND_AUDIO + 1];
  GArray *copy;
  gint64 utc = 0;
  gdouble drift = 0;
  guint64 steps;
  guint i;

  g_mutex_lock (&self->lock);
  memcpy (totals, self->ended, sizeof (totals));
  copy = g_array_copy (self->streams);
  g_array_set_clear_func (copy, clear_stream);
  for (i = 0; i < copy->len; i++) {
    gst_object_ref (g_array_index (copy, Stream, i).jitterbuffer);
    g_array_index (copy, Stream, i).arrivals = NULL;
  }
  steps = self->timeline.steps;
  rtc_sender_clock_get_wall_clock (&self->clock, g_get_monotonic_time (), &utc);
  rtc_sender_clock_get_drift (&self->clock, &drift);
  g_mutex_unlock (&self->lock);
  for (i = 0; i < copy->len; i++) {
    Stream *stream = &g_array_index (copy, Stream, i);

    add_jitterbuffer (stream->jitterbuffer, &totals[stream->kind]);
  }
  g_array_unref (copy);
  add_totals (stats, "video", &totals[KIND_VIDEO]);
  add_totals (stats, "audio", &totals[KIND_AUDIO]);
  gst_structure_set (stats, "clock-steps", G_TYPE_UINT64, steps,
      "sender-utc-time", G_TYPE_INT64, utc, "sender-clock-drift", G_TYPE_DOUBLE,
      drift, NULL);
}

/* --- life --- */

/* webrtcbin decodes FEC of every SSRC that the session description does not
 * name, also where none was negotiated, and numbers the packets anew: what is
 * lost could not be seen any more. */
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
  self->streams = g_array_new (FALSE, TRUE, sizeof (Stream));
  g_array_set_clear_func (self->streams, clear_stream);
  for (i = 0; i < G_N_ELEMENTS (self->ended); i++)
    self->ended[i].round_trip = GST_CLOCK_TIME_NONE;
  rtc_timeline_init (&self->timeline);
  self->rtpbin = gst_bin_get_by_name (GST_BIN (webrtc), "rtpbin");
  if (!self->rtpbin)
    return self;
  /* Ours is the timeline: the one of rtpbin moves no track by more than this.
   */
  g_object_set (self->rtpbin, "max-ts-offset", G_GINT64_CONSTANT (1), NULL);
  /* Behind the probes of the others: what they drop has not arrived, and its
   * timestamps mean nothing. */
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
