/* gst-tsrec: layers of simulcast that are not recorded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Their packets are dropped before they are decrypted, as long as a layer of a
 * higher rank arrives. The header is read: the sender must not believe that they
 * were lost. It is not authentic, and nothing but reports to the sender depends
 * on it. One packet in a while is decrypted nevertheless: libsrtp2 must see that
 * sequence numbers roll over (RFC 3711 section 3.3.1), and that the stream is
 * still there.
 *
 * On the thread of the port, with its lock held.
 */

#include "config.h"

#include "rtcreceiver-private.h"

#define SAMPLE_INTERVAL (200 * G_TIME_SPAN_MILLISECOND)
/* Of the recorded layer, after which another one may have to take over. */
#define SILENCE (50 * G_TIME_SPAN_MILLISECOND)
#define DECISION_AGE (10 * G_TIME_SPAN_MILLISECOND)

/* --- under the lock of the receiver --- */

static RtcReceiverStream *
find_recorded (RtcReceiver *self)
{
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->kind == RTC_KIND_VIDEO && stream->sink && !stream->ended &&
        rtc_depay_chain_is_recorded (
            self->tracks[RTC_KIND_VIDEO].chain, stream->sink))
      return stream;
  }
  return NULL;
}

/* Its next packet follows the last one that was skipped. */
static void
resume (RtcReceiverStream *stream)
{
  stream->skipped = FALSE;
  rtc_reorder_restart (stream->reorder, (guint16)(stream->source.max_seq + 1));
}

static void
decide (RtcReceiver *self, gint64 now)
{
  RtcReceiverStream *recorded = find_recorded (self);
  guint highest = recorded && now - recorded->last < SILENCE
      ? rtc_layers_get_rank (self->layers, recorded->ssrc)
      : 0;

  self->skip_decided_at = now;
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);
    guint rank = stream->kind == RTC_KIND_VIDEO && stream != recorded
        ? rtc_layers_get_rank (self->layers, stream->ssrc)
        : 0;
    gboolean skip = rank > 0 && rank < highest;

    if (stream->skipped && !skip)
      resume (stream);
    stream->skipped = skip;
  }
}

void
rtc_receiver_note_skipped (RtcReceiver *self, RtcReceiverLink *link,
    RtcReceiverStream *stream, GstRTPBuffer *rtp, gint64 arrival)
{
  rtc_rtp_source_add (&stream->source, gst_rtp_buffer_get_seq (rtp),
      gst_rtp_buffer_get_timestamp (rtp), arrival);
}

static gboolean
wants (RtcReceiver *self, RtcReceiverLink *link, const guint8 *data, gsize size,
    gint64 arrival)
{
  RtcReceiverStream *stream =
      rtc_receiver_find_stream (self, GST_READ_UINT32_BE (data + 8));
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  GstBuffer *buffer;

  if (!stream || stream->kind != RTC_KIND_VIDEO)
    return TRUE;
  if (arrival - self->skip_decided_at >= DECISION_AGE ||
      arrival < self->skip_decided_at)
    decide (self, arrival);
  if (!stream->skipped || arrival - stream->sampled >= SAMPLE_INTERVAL)
    return TRUE;
  buffer = gst_buffer_new_wrapped_full (
      GST_MEMORY_FLAG_READONLY, (gpointer)data, size, 0, size, NULL, NULL);
  if (gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp)) {
    rtc_receiver_note_twcc (self, link, &rtp, arrival);
    rtc_receiver_note_skipped (self, link, stream, &rtp, arrival);
    gst_rtp_buffer_unmap (&rtp);
  }
  gst_buffer_unref (buffer);
  return FALSE;
}

gboolean
rtc_receiver_wants (
    const guint8 *data, gsize size, gint64 arrival, gpointer user_data)
{
  RtcReceiverLink *link = user_data;
  RtcReceiver *self = link->receiver;
  gboolean wanted;

  if (!self->layers || !rtc_layers_is_simulcast (self->layers))
    return TRUE;
  g_mutex_lock (&self->lock);
  wanted = wants (self, link, data, size, arrival);
  g_mutex_unlock (&self->lock);
  if (!wanted)
    __atomic_fetch_add (self->ignored, 1, __ATOMIC_RELAXED);
  return wanted;
}
