/* gst-tsrec: RTP and RTCP of a peer, as they arrive
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On the thread of the port, with its lock held.
 */

#include "config.h"

#include "rtcreceiver-private.h"
#include "rtcrtcp.h"

GST_DEBUG_CATEGORY_EXTERN (rtc_receiver_debug);
#define GST_CAT_DEFAULT rtc_receiver_debug

/* Limit of the packets that one stream holds while earlier ones are missing. */
#define MAX_HELD_BYTES (16 * 1024 * 1024)
#define REPORT_INTERVAL G_USEC_PER_SEC
#define TWCC_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)
/* Interval at which the timers are checked while packets are being pushed. */
#define FEEDING_INTERVAL (10 * G_TIME_SPAN_MILLISECOND)
/* The first guess of a round trip is from the handshake, which does not include
 * the time that a sender takes to answer a request. */
#define MIN_FIRST_GUESS (50 * G_TIME_SPAN_MILLISECOND)
#define OFFSET_AGE (20 * G_TIME_SPAN_MILLISECOND)

/* --- streams; under lock --- */

RtcReceiverStream *
rtc_receiver_find_stream (RtcReceiver *self, guint32 ssrc)
{
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->ssrc == ssrc)
      return stream;
  }
  return NULL;
}

static RtcReceiverStream *
add_stream (
    RtcReceiver *self, RtcReceiverLink *link, guint32 ssrc, RtcKind kind)
{
  RtcReceiverStream *stream;

  if (self->streams->len >= RTC_RECEIVER_MAX_STREAMS)
    return NULL;
  stream = g_new0 (RtcReceiverStream, 1);
  stream->ssrc = ssrc;
  stream->kind = kind;
  stream->link = link;
  stream->reorder = rtc_reorder_new (
      self->latency, MAX_HELD_BYTES, (GDestroyNotify)gst_buffer_unref);
  stream->payload = self->tracks[kind].track.payload;
  rtc_rtp_source_init (&stream->source, ssrc, self->tracks[kind].rate);
  g_ptr_array_add (self->streams, stream);
  GST_INFO_OBJECT (self->bin, "SSRC %u: %s", ssrc,
      kind == RTC_KIND_VIDEO ? "video" : "audio");
  return stream;
}

/* --- the kinds of packets; under lock --- */

/* A payload type that was not negotiated is neither recorded nor missing: it
 * becomes an empty packet in its place. */
static GstBuffer *
make_empty (RtcReceiverStream *stream, guint16 seq)
{
  GstBuffer *empty = gst_rtp_buffer_new_allocate (0, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  gst_rtp_buffer_map (empty, GST_MAP_READWRITE, &rtp);
  gst_rtp_buffer_set_payload_type (&rtp, (guint8)stream->payload);
  gst_rtp_buffer_set_seq (&rtp, seq);
  gst_rtp_buffer_set_ssrc (&rtp, stream->ssrc);
  gst_rtp_buffer_set_timestamp (&rtp, stream->rtp_time);
  gst_rtp_buffer_unmap (&rtp);
  return empty;
}

/* RFC 4588 section 4: the original sequence number, and then its payload. */
static GstBuffer *
unwrap_rtx (GstRTPBuffer *rtp, guint32 ssrc, gint payload, guint16 *seq)
{
  guint size = gst_rtp_buffer_get_payload_len (rtp);
  guint header = gst_rtp_buffer_get_header_len (rtp);
  const guint8 *data = gst_rtp_buffer_get_payload (rtp);
  GstRTPBuffer original = GST_RTP_BUFFER_INIT;
  GstBuffer *buffer;
  guint8 first;

  /* Without one it is padding. */
  if (size < 2)
    return NULL;
  *seq = GST_READ_UINT16_BE (data);
  buffer = gst_buffer_new_allocate (NULL, header + size - 2, NULL);
  gst_buffer_fill (buffer, 0, rtp->map[0].data, header);
  gst_buffer_fill (buffer, header, data + 2, size - 2);
  /* The padding is gone, and its flag has to be (RFC 3550 section 5.1). */
  gst_buffer_extract (buffer, 0, &first, 1);
  first &= (guint8)~0x20;
  gst_buffer_fill (buffer, 0, &first, 1);
  if (!gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &original)) {
    gst_buffer_unref (buffer);
    return NULL;
  }
  gst_rtp_buffer_set_payload_type (&original, (guint8)payload);
  gst_rtp_buffer_set_seq (&original, *seq);
  gst_rtp_buffer_set_ssrc (&original, ssrc);
  gst_rtp_buffer_unmap (&original);
  return buffer;
}

/* The stream that @rtx_ssrc retransmits: known, named by the offer, or the one
 * that has asked for @seq. */
static RtcReceiverStream *
find_retransmitted (
    RtcReceiver *self, guint32 rtx_ssrc, RtcKind kind, guint16 seq)
{
  gpointer named;
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->rtx_ssrc == rtx_ssrc)
      return stream;
  }
  if (g_hash_table_lookup_extended (
          self->rtx_groups, GUINT_TO_POINTER (rtx_ssrc), NULL, &named))
    return rtc_receiver_find_stream (self, GPOINTER_TO_UINT (named));
  for (i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->kind == kind && stream->rtx_ssrc == 0 &&
        rtc_reorder_is_requested (stream->reorder, seq)) {
      stream->rtx_ssrc = rtx_ssrc;
      return stream;
    }
  }
  return NULL;
}

static void
note_response (RtcReceiverStream *stream)
{
  gint64 time = rtc_reorder_get_response_time (stream->reorder);

  if (time > 0)
    stream->round_trip =
        stream->round_trip > 0 ? (stream->round_trip * 7 + time) / 8 : time;
}

/* Takes @buffer. Its time of arrival, in running time, travels in its DTS, its
 * RTP timestamp in its offset. */
static void
add_packet (RtcReceiver *self, RtcReceiverStream *stream, GstBuffer *buffer,
    guint16 seq, guint32 rtp_time, gint64 arrival, gboolean retransmitted)
{
  gint64 running = arrival * 1000 + self->offset;

  GST_BUFFER_DTS (buffer) = (GstClockTime)MAX (running, 0);
  GST_BUFFER_OFFSET (buffer) = rtp_time;
  if (!stream->has_left && !stream->has_timeline)
    rtc_receiver_begin_track (self, stream);
  if (stream->has_timeline && !retransmitted)
    rtc_timeline_arrived (
        &self->timeline, stream->timeline, rtp_time, MAX (running, 0));
  stream->last = arrival;
  stream->bye = FALSE;
  rtc_reorder_add (stream->reorder, seq, buffer, gst_buffer_get_size (buffer),
      arrival, retransmitted);
  note_response (stream);
}

static gboolean
take_media (RtcReceiver *self, RtcReceiverLink *link, RtcKind kind,
    GstBuffer *buffer, GstRTPBuffer *rtp, gint64 arrival)
{
  guint32 ssrc = gst_rtp_buffer_get_ssrc (rtp);
  guint32 rtp_time = gst_rtp_buffer_get_timestamp (rtp);
  guint16 seq = gst_rtp_buffer_get_seq (rtp);
  RtcReceiverStream *stream = rtc_receiver_find_stream (self, ssrc);

  if (!stream)
    stream = add_stream (self, link, ssrc, kind);
  if (!stream || stream->kind != kind)
    return FALSE;
  if (stream->skipped) {
    rtc_receiver_note_skipped (self, link, stream, rtp, arrival);
    stream->last = stream->sampled = arrival;
    return FALSE;
  }
  stream->payload = gst_rtp_buffer_get_payload_type (rtp);
  stream->rtp_time = rtp_time;
  if (kind == RTC_KIND_VIDEO)
    rtc_remb_add (&self->remb, gst_buffer_get_size (buffer));
  rtc_rtp_source_add (&stream->source, seq, rtp_time, arrival);
  gst_rtp_buffer_unmap (rtp);
  add_packet (
      self, stream, gst_buffer_ref (buffer), seq, rtp_time, arrival, FALSE);
  return TRUE;
}

static gboolean
take_rtx (RtcReceiver *self, RtcKind kind, GstRTPBuffer *rtp, gint64 arrival)
{
  guint32 ssrc = gst_rtp_buffer_get_ssrc (rtp);
  guint32 rtp_time = gst_rtp_buffer_get_timestamp (rtp);
  RtcReceiverStream *stream;
  GstBuffer *buffer;
  guint16 seq;

  if (gst_rtp_buffer_get_payload_len (rtp) < 2)
    return FALSE;
  seq = GST_READ_UINT16_BE (gst_rtp_buffer_get_payload (rtp));
  stream = find_retransmitted (self, ssrc, kind, seq);
  if (!stream)
    return FALSE;
  buffer =
      unwrap_rtx (rtp, stream->ssrc, self->tracks[kind].track.payload, &seq);
  if (!buffer)
    return FALSE;
  add_packet (self, stream, buffer, seq, rtp_time, arrival, TRUE);
  return TRUE;
}

static gboolean
take_unknown (RtcReceiver *self, GstRTPBuffer *rtp, gint64 arrival)
{
  RtcReceiverStream *stream =
      rtc_receiver_find_stream (self, gst_rtp_buffer_get_ssrc (rtp));
  guint16 seq = gst_rtp_buffer_get_seq (rtp);

  if (stream && !stream->skipped)
    add_packet (self, stream, make_empty (stream, seq), seq, stream->rtp_time,
        arrival, FALSE);
  return FALSE;
}

/* The m-lines of @link. */
static gboolean
is_track_of (RtcReceiver *self, RtcReceiverLink *link, RtcKind kind)
{
  return self->tracks[kind].track.codec &&
      (self->bundled ||
          self->tracks[kind].media ==
              gst_sdp_message_get_media (self->pruned, link->index));
}

/* Returns FALSE when the packet is of no use; @rtp may be unmapped. */
static gboolean
take_packet (RtcReceiver *self, RtcReceiverLink *link, GstBuffer *buffer,
    GstRTPBuffer *rtp, gint64 arrival)
{
  gint payload = gst_rtp_buffer_get_payload_type (rtp);

  for (guint kind = 0; kind < RTC_KINDS; kind++) {
    if (!is_track_of (self, link, kind))
      continue;
    if (payload == self->tracks[kind].track.payload)
      return take_media (self, link, kind, buffer, rtp, arrival);
    if (payload == self->tracks[kind].rtx)
      return take_rtx (self, kind, rtp, arrival);
  }
  return take_unknown (self, rtp, arrival);
}

static guint8
get_twcc_id (RtcReceiver *self)
{
  return self->tracks[RTC_KIND_VIDEO].twcc ? self->tracks[RTC_KIND_VIDEO].twcc
                                           : self->tracks[RTC_KIND_AUDIO].twcc;
}

void
rtc_receiver_note_twcc (
    RtcReceiver *self, RtcReceiverLink *link, GstRTPBuffer *rtp, gint64 arrival)
{
  guint8 id = get_twcc_id (self);
  gpointer data;
  guint size;

  if (id == 0 || id > 14 ||
      !gst_rtp_buffer_get_extension_onebyte_header (rtp, id, 0, &data, &size) ||
      size < 2)
    return;
  /* At any address: GST_READ_UINT16_BE() would be undefined. */
  rtc_twcc_add (&link->twcc,
      (guint16)(((guint8 *)data)[0] << 8 | ((guint8 *)data)[1]), arrival);
  link->has_twcc = TRUE;
}

/* The clock of the pipeline need not be the monotonic one. */
static void
update_offset (RtcReceiver *self)
{
  gint64 now = g_get_monotonic_time ();
  GstClockTime running;

  if (self->offset_at != 0 && now - self->offset_at < OFFSET_AGE)
    return;
  running = gst_element_get_current_running_time (GST_ELEMENT (self->bin));
  if (!GST_CLOCK_TIME_IS_VALID (running))
    return;
  self->offset = (gint64)running - now * 1000;
  self->offset_at = now;
}

void
rtc_receiver_take_rtp (
    guint8 *data, gsize size, gint64 arrival, gpointer user_data)
{
  RtcReceiverLink *link = user_data;
  RtcReceiver *self = link->receiver;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gboolean used = FALSE;

  gst_buffer_fill (buffer, 0, data, size);
  if (gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp)) {
    g_mutex_lock (&self->lock);
    update_offset (self);
    rtc_receiver_note_twcc (self, link, &rtp, arrival);
    used = take_packet (self, link, buffer, &rtp, arrival);
    g_mutex_unlock (&self->lock);
    if (rtp.buffer)
      gst_rtp_buffer_unmap (&rtp);
  }
  if (!used)
    __atomic_fetch_add (self->ignored, 1, __ATOMIC_RELAXED);
  gst_buffer_unref (buffer);
}

/* --- RTCP --- */

static void
on_sender_report (
    guint32 ssrc, guint64 ntp, guint32 rtp_time, gpointer user_data)
{
  RtcReceiverLink *link = user_data;
  RtcReceiver *self = link->receiver;
  gint64 now = g_get_monotonic_time ();
  RtcReceiverStream *stream;

  g_mutex_lock (&self->lock);
  stream = rtc_receiver_find_stream (self, ssrc);
  if (stream) {
    rtc_rtp_source_set_report (&stream->source, ntp, now);
    /* All streams of a sender share its clock: one is enough. */
    if (self->clock_ssrc == 0)
      self->clock_ssrc = ssrc;
    if (self->clock_ssrc == ssrc && ntp != 0)
      rtc_sender_clock_add (&self->clock, ntp, now);
  }
  if (stream && stream->has_timeline && stream->has_left && ntp != 0 &&
      self->offset_at != 0)
    rtc_timeline_report (&self->timeline, stream->timeline, ntp, rtp_time,
        now * 1000 + self->offset);
  g_mutex_unlock (&self->lock);
}

static void
on_bye (guint32 ssrc, gpointer user_data)
{
  RtcReceiverLink *link = user_data;
  RtcReceiver *self = link->receiver;
  RtcReceiverStream *stream;

  g_mutex_lock (&self->lock);
  stream = rtc_receiver_find_stream (self, ssrc);
  if (stream)
    stream->bye = TRUE;
  g_mutex_unlock (&self->lock);
}

void
rtc_receiver_take_rtcp (
    const guint8 *data, gsize size, gint64 arrival, gpointer link)
{
  static const RtcRtcpCallbacks callbacks = { on_sender_report, on_bye };

  rtc_rtcp_parse (data, size, &callbacks, link);
}

/* --- timers --- */

/* Under lock, as is all that follows: the transport sends from here, as its
 * lock is held already. */
static void
send_nacks (RtcReceiver *self, RtcReceiverLink *link, RtcReceiverStream *stream,
    gint64 now)
{
  guint8 out[RTC_RTCP_MAX_SIZE];
  guint16 seqs[RTC_RTCP_MAX_NACKS];
  gint64 round_trip = stream->round_trip > 0
      ? stream->round_trip
      : MAX (rtc_transport_get_round_trip (link->transport), MIN_FIRST_GUESS);
  guint n = rtc_reorder_get_missing (
      stream->reorder, now, round_trip, seqs, RTC_RTCP_MAX_NACKS);

  if (n > 0)
    rtc_transport_send_rtcp (link->transport, out,
        rtc_rtcp_write_nack (
            out, self->ssrc, self->cname, stream->ssrc, seqs, n));
}

static void
send_remb (
    RtcReceiver *self, RtcReceiverLink *link, guint8 fraction_lost, gint64 now)
{
  guint32 ssrcs[RTC_RECEIVER_MAX_STREAMS];
  guint8 out[RTC_RTCP_MAX_SIZE];
  guint n = 0;

  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->link == link && stream->kind == RTC_KIND_VIDEO)
      ssrcs[n++] = stream->ssrc;
  }
  if (n > 0)
    rtc_transport_send_rtcp (link->transport, out,
        rtc_rtcp_write_remb (out, self->ssrc, self->cname, ssrcs, n,
            rtc_remb_update (&self->remb, fraction_lost, now)));
}

static void
send_report (RtcReceiver *self, RtcReceiverLink *link, gint64 now)
{
  RtcReport reports[RTC_RECEIVER_MAX_STREAMS];
  guint8 out[RTC_RTCP_MAX_SIZE], lost = 0;
  guint n = 0;

  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->link != link || !stream->source.started)
      continue;
    rtc_rtp_source_get_report (&stream->source, now, &reports[n]);
    if (stream->kind == RTC_KIND_VIDEO)
      lost = MAX (lost, reports[n].fraction_lost);
    n++;
  }
  rtc_transport_send_rtcp (link->transport, out,
      rtc_rtcp_write_report (out, self->ssrc, self->cname, reports, n));
  if (self->tracks[RTC_KIND_VIDEO].remb)
    send_remb (self, link, lost, now);
}

static void
send_twcc (RtcReceiver *self, RtcReceiverLink *link)
{
  guint8 out[RTC_RTCP_MAX_SIZE], fci[RTC_TWCC_MAX_FCI];
  RtcReceiverStream *first =
      self->streams->len ? g_ptr_array_index (self->streams, 0) : NULL;
  gsize size;

  while ((size = rtc_twcc_write (&link->twcc, fci)) > 0)
    rtc_transport_send_rtcp (link->transport, out,
        rtc_rtcp_write_twcc (
            out, self->ssrc, self->cname, first ? first->ssrc : 0, fci, size));
}

static gint64
run_stream_timers (RtcReceiver *self, RtcReceiverLink *link,
    RtcReceiverStream *stream, gint64 now)
{
  if (!self->tracks[stream->kind].nack)
    return G_MAXINT64;
  if (rtc_reorder_get_request_due (stream->reorder) <= now)
    send_nacks (self, link, stream, now);
  return rtc_reorder_get_request_due (stream->reorder);
}

static gint64
run_feedback_timers (RtcReceiver *self, RtcReceiverLink *link, gint64 now)
{
  gint64 due;

  if (self->streams->len == 0)
    return G_MAXINT64;
  if (link->report_due <= now) {
    send_report (self, link, now);
    link->report_due = now + REPORT_INTERVAL;
  }
  due = link->report_due;
  if (!link->has_twcc || !rtc_twcc_is_due (&link->twcc))
    return due;
  if (link->twcc_due <= now) {
    send_twcc (self, link);
    link->twcc_due = now + TWCC_INTERVAL;
  }
  return MIN (due, link->twcc_due);
}

gint64
rtc_receiver_run_timers (gint64 now, gpointer user_data)
{
  RtcReceiverLink *link = user_data;
  RtcReceiver *self = link->receiver;
  gint64 due, feed_due;
  gboolean push;

  g_mutex_lock (&self->lock);
  due = run_feedback_timers (self, link, now);
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->link == link)
      due = MIN (due, run_stream_timers (self, link, stream, now));
  }
  feed_due = rtc_receiver_get_feed_due (self, now);
  push = self->feeding || feed_due <= now;
  if (push) {
    self->feeding = TRUE;
    feed_due = now + FEEDING_INTERVAL;
  }
  g_mutex_unlock (&self->lock);
  /* The thread of the port runs them when the timers of all have run. */
  if (push)
    rec_task_queue (self->task);
  return MIN (due, feed_due);
}
