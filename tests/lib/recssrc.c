/* gst-tsrec: a sender that goes on as another SSRC
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recssrc.h"

/**
 * RecSsrcTrack:
 * @ssrc: of the first stream
 * @seq: next sequence number of each stream, when @started
 */
typedef struct
{
  gboolean used;
  guint32 ssrc;
  gboolean started[2];
  guint16 seq[2];
} RecSsrcTrack;

/* The tracks of a pad: bundled tracks share one. */
typedef struct
{
  RecSsrc *streams;
  GstPad *pad;
  RecSsrcTrack tracks[4];
} RecSsrcPad;

static RecSsrcTrack *
rec_ssrc_find_track (RecSsrcPad *pad, guint32 ssrc)
{
  RecSsrcTrack *track = pad->tracks;

  while (track->used && track->ssrc != ssrc)
    track++;
  fail_unless (track < pad->tracks + G_N_ELEMENTS (pad->tracks));
  track->used = TRUE;
  track->ssrc = ssrc;
  return track;
}

/* In front of a packet that goes on afterwards. */
static void
rec_ssrc_push_noise (GstPad *pad, guint32 ssrc, guint16 seq, guint32 rtp_time)
{
  GstBuffer *buffer = gst_rtp_buffer_new_allocate (20, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  GstPad *peer = gst_pad_get_peer (pad);

  fail_unless (gst_rtp_buffer_map (buffer, GST_MAP_WRITE, &rtp));
  gst_rtp_buffer_set_payload_type (&rtp, REC_SSRC_NOISE);
  gst_rtp_buffer_set_ssrc (&rtp, ssrc);
  gst_rtp_buffer_set_seq (&rtp, seq);
  gst_rtp_buffer_set_timestamp (&rtp, rtp_time);
  gst_rtp_buffer_unmap (&rtp);
  gst_pad_push (peer, buffer);
  gst_object_unref (peer);
}

/* Each stream has its own SSRC, and sequence numbers without a gap. */
static gboolean
rec_ssrc_rewrite (GstBuffer **buffer, guint idx, gpointer user_data)
{
  RecSsrcPad *pad = user_data;
  gint other = g_atomic_int_get (&pad->streams->other);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  RecSsrcTrack *track;

  *buffer = gst_buffer_make_writable (*buffer);
  fail_unless (gst_rtp_buffer_map (*buffer, GST_MAP_READWRITE, &rtp));
  if (gst_rtp_buffer_get_payload_type (&rtp) == REC_SSRC_NOISE) {
    gst_rtp_buffer_unmap (&rtp);
    return TRUE;
  }
  track = rec_ssrc_find_track (pad, gst_rtp_buffer_get_ssrc (&rtp));
  if (!track->started[other])
    track->seq[other] = other ? 10000 : gst_rtp_buffer_get_seq (&rtp);
  track->started[other] = TRUE;
  if (g_atomic_int_get (&pad->streams->noise) && track->seq[other] % 7 == 0) {
    rec_ssrc_push_noise (pad->pad, track->ssrc, track->seq[other]++,
        gst_rtp_buffer_get_timestamp (&rtp));
    g_atomic_int_inc (&pad->streams->sent_noise);
  }
  gst_rtp_buffer_set_seq (&rtp, track->seq[other]++);
  if (other) {
    gst_rtp_buffer_set_ssrc (&rtp, gst_rtp_buffer_get_ssrc (&rtp) + 1);
    gst_rtp_buffer_set_timestamp (
        &rtp, gst_rtp_buffer_get_timestamp (&rtp) + REC_SSRC_APART);
  }
  gst_rtp_buffer_unmap (&rtp);
  g_atomic_int_inc (&pad->streams->sent[other]);
  return TRUE;
}

static GstPadProbeReturn
rec_ssrc_on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    info->data =
        gst_buffer_list_make_writable (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
    gst_buffer_list_foreach (info->data, rec_ssrc_rewrite, user_data);
  } else {
    rec_ssrc_rewrite ((GstBuffer **)&info->data, 0, user_data);
  }
  return GST_PAD_PROBE_OK;
}

/* A request for the other stream is a request to its encoder. */
static GstPadProbeReturn
rec_ssrc_on_request (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  RecSsrcPad *data = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  guint i, ssrc;

  if (!gst_event_has_name (event, "GstForceKeyUnit") ||
      !gst_structure_get_uint (gst_event_get_structure (event), "ssrc", &ssrc))
    return GST_PAD_PROBE_OK;
  for (i = 0; i < G_N_ELEMENTS (data->tracks); i++) {
    if (!data->tracks[i].used || data->tracks[i].ssrc + 1 != ssrc)
      continue;
    event = gst_event_make_writable (event);
    gst_structure_set (gst_event_writable_structure (event), "ssrc",
        G_TYPE_UINT, data->tracks[i].ssrc, NULL);
    GST_PAD_PROBE_INFO_DATA (info) = event;
  }
  return GST_PAD_PROBE_OK;
}

static gboolean
rec_ssrc_take_pad (GstElement *rtpbin, GstPad *pad, gpointer streams)
{
  RecSsrcPad *data;

  if (!g_str_has_prefix (GST_PAD_NAME (pad), "send_rtp_sink_"))
    return TRUE;
  data = g_new0 (RecSsrcPad, 1);
  data->streams = streams;
  data->pad = pad;
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      rec_ssrc_on_packet, data, g_free);
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, rec_ssrc_on_request, data, NULL);
  return TRUE;
}

void
rec_ssrc_init (RecSsrc *streams, GstElement *sender)
{
  GstIterator *bins =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (sender), "rtpbin");
  GValue value = G_VALUE_INIT;

  memset (streams, 0, sizeof (*streams));
  fail_unless (gst_iterator_next (bins, &value) == GST_ITERATOR_OK);
  gst_element_foreach_sink_pad (
      g_value_get_object (&value), rec_ssrc_take_pad, streams);
  g_value_unset (&value);
  gst_iterator_free (bins);
}
