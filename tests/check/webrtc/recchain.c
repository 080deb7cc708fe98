/* gst-tsrec: from the RTP of real payloaders to access units
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcdepaychain.h"
#include "recevent.h"

#include <gst/check/gstcheck.h>
#include <gst/rtp/rtp.h>
#include <string.h>

#define PICTURES 40

typedef struct
{
  guint units;
  guint same_time;
  guint keys;
  guint without_sets;
  GstClockTime last;
  guint most_slices;
  gint eos;
} Seen;

static GstFlowReturn
look (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Seen *seen = pad->chaindata;
  GstMapInfo map;
  gboolean sets = FALSE;
  guint slices = 0;
  gsize i;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (i = 0; i + 4 <= map.size; i++) {
    if (map.data[i] || map.data[i + 1] || map.data[i + 2] != 1)
      continue;
    sets |= (map.data[i + 3] & 0x1f) == 7;
    slices += (map.data[i + 3] & 0x1f) == 5 || (map.data[i + 3] & 0x1f) == 1;
  }
  gst_buffer_unmap (buffer, &map);
  seen->units++;
  seen->most_slices = MAX (seen->most_slices, slices);
  if (GST_BUFFER_PTS (buffer) == seen->last)
    seen->same_time++;
  seen->last = GST_BUFFER_PTS (buffer);
  if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT)) {
    seen->keys++;
    seen->without_sets += !sets;
  }
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
look_at_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Seen *seen = pad->chaindata;

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    g_atomic_int_set (&seen->eos, TRUE);
  gst_event_unref (event);
  return TRUE;
}

/* Sends PICTURES pictures, every tenth a key frame, through @sender. */
static void
run (const gchar *sender, gboolean freeze, Seen *seen)
{
  gchar *line = g_strdup_printf ("videotestsrc num-buffers=%d ! "
                                 "video/x-raw,width=320,height=240,"
                                 "framerate=25/1 ! %s ! identity name=last",
      PICTURES, sender);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstElement *last = gst_bin_get_by_name (GST_BIN (pipeline), "last");
  GstPad *out = gst_pad_new ("out", GST_PAD_SINK);
  GstPad *src = gst_element_get_static_pad (last, "src"), *sink;
  RtcSdpTrack track = { .codec = rtc_sdp_find_codec ("video", "H264") };
  RtcDepayChainCounters counters = { 0 };
  RtcDepayChain *chain;
  GstMessage *message;

  memset (seen, 0, sizeof (*seen));
  seen->last = GST_CLOCK_TIME_NONE;
  gst_pad_set_chain_function (out, look);
  gst_pad_set_event_function (out, look_at_event);
  out->chaindata = seen;
  gst_pad_set_active (out, TRUE);
  chain = rtc_depay_chain_new (
      GST_BIN (pipeline), pipeline, &track, out, freeze, &counters, NULL);
  fail_unless (chain != NULL);
  sink = rtc_depay_chain_add_stream (chain, 0);
  fail_unless_equals_int (gst_pad_link (src, sink), GST_PAD_LINK_OK);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = NULL;
  while (!g_atomic_int_get (&seen->eos) && !message)
    message = gst_bus_timed_pop_filtered (
        GST_ELEMENT_BUS (pipeline), 10 * GST_MSECOND, GST_MESSAGE_ERROR);
  fail_unless (message == NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless_equals_uint64 (counters.held_back, 0);
  rtc_depay_chain_free (chain);
  gst_object_unref (sink);
  gst_object_unref (src);
  gst_object_unref (last);
  gst_object_unref (pipeline);
  gst_object_unref (out);
  g_free (line);
}

#define SLICED                                                                 \
  "x264enc tune=zerolatency speed-preset=ultrafast threads=4 "                 \
  "sliced-threads=true key-int-max=10"

GST_START_TEST (test_a_picture_of_slices_with_sets_each_is_one_access_unit)
{
  const gchar *const payloaders[] = {
    SLICED " ! rtph264pay config-interval=-1",
    SLICED " ! rtph264pay config-interval=-1 mtu=300",
    SLICED " ! h264parse config-interval=-1 ! rtph264pay",
  };
  Seen seen;
  guint i;

  for (i = 0; i < 2 * G_N_ELEMENTS (payloaders); i++) {
    run (payloaders[i / 2], i % 2 == 0, &seen);
    fail_unless (
        seen.most_slices > 1, "%s: there are no slices", payloaders[i / 2]);
    fail_unless_equals_int (seen.same_time, 0);
    fail_unless (seen.units == PICTURES, "%s: %u access units of %d pictures",
        payloaders[i / 2], seen.units, PICTURES);
    fail_unless (seen.keys >= PICTURES / 10, "%u key frames", seen.keys);
    fail_unless_equals_int (seen.without_sets, 0);
  }
}

GST_END_TEST;

/* --- packets of our own --- */

/* A chain with a pad in front of it and one behind it. */
typedef struct
{
  GstElement *pipeline;
  GstPad *src;
  GstPad *out;
  RtcDepayChain *chain;
  RtcDepayChainCounters counters;
  guint requests;   /* for a key frame */
  guint gaps;       /* GAP events */
  GString *journal; /* names of the entries */
  guint16 seq;
  guint32 ssrc;
  GString *sizes; /* of the access units that came out */
  GstClockTime last;
} Track;

static GstFlowReturn
note_unit (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Track *track = pad->chaindata;

  fail_unless (gst_buffer_get_size (buffer) > 0);
  g_string_append_printf (
      track->sizes, "%" G_GSIZE_FORMAT " ", gst_buffer_get_size (buffer));
  track->last = GST_BUFFER_PTS (buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
count_request (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Track *track = pad->chaindata;

  track->requests += gst_event_has_name (event, "GstForceKeyUnit");
  gst_event_unref (event);
  return TRUE;
}

static gboolean
note_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Track *track = pad->chaindata;
  const GstStructure *entry = rec_event_parse_journal (event);

  track->gaps += GST_EVENT_TYPE (event) == GST_EVENT_GAP;
  if (entry)
    g_string_append_printf (
        track->journal, "%s ", gst_structure_get_name (entry));
  gst_event_unref (event);
  return TRUE;
}

static GstStaticPadTemplate any_template = GST_STATIC_PAD_TEMPLATE (
    "out", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void
send_stream_start (Track *track, const gchar *media, const gchar *codec)
{
  GstCaps *caps = gst_caps_new_simple ("application/x-rtp", "media",
      G_TYPE_STRING, media, "encoding-name", G_TYPE_STRING, codec, "clock-rate",
      G_TYPE_INT, g_str_equal (media, "video") ? 90000 : 48000, "payload",
      G_TYPE_INT, 96, NULL);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (track->src, gst_event_new_stream_start ("packets"));
  gst_pad_push_event (track->src, gst_event_new_caps (caps));
  gst_pad_push_event (track->src, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

static void
track_init (
    Track *track, const gchar *media, const gchar *codec, gboolean freeze)
{
  RtcSdpTrack description = { .codec = rtc_sdp_find_codec (media, codec) };
  GstPad *sink;

  memset (track, 0, sizeof (*track));
  track->seq = 65534;
  track->ssrc = 1;
  track->sizes = g_string_new (NULL);
  track->journal = g_string_new (NULL);
  track->last = GST_CLOCK_TIME_NONE;
  track->pipeline = gst_pipeline_new (NULL);
  track->out = gst_pad_new_from_static_template (&any_template, "out");
  gst_pad_set_chain_function (track->out, note_unit);
  gst_pad_set_event_function (track->out, note_event);
  track->out->chaindata = track;
  gst_pad_set_active (track->out, TRUE);
  track->chain =
      rtc_depay_chain_new (GST_BIN (track->pipeline), track->pipeline,
          &description, track->out, freeze, &track->counters, NULL);
  fail_unless (track->chain != NULL);
  gst_element_set_state (track->pipeline, GST_STATE_PLAYING);
  track->src = gst_pad_new ("src", GST_PAD_SRC);
  track->src->chaindata = track;
  gst_pad_set_event_function (track->src, count_request);
  gst_pad_set_active (track->src, TRUE);
  sink = rtc_depay_chain_add_stream (track->chain, 0);
  fail_unless_equals_int (gst_pad_link (track->src, sink), GST_PAD_LINK_OK);
  gst_object_unref (sink);
  send_stream_start (track, media, codec);
}

static void
track_clear (Track *track)
{
  gst_pad_set_active (track->src, FALSE);
  gst_element_set_state (track->pipeline, GST_STATE_NULL);
  rtc_depay_chain_free (track->chain);
  gst_object_unref (track->src);
  gst_object_unref (track->out);
  gst_object_unref (track->pipeline);
  g_string_free (track->sizes, TRUE);
  g_string_free (track->journal, TRUE);
}

/* A packet of picture @picture, 40 ms each. @padding: bytes of it. */
static void
send_packet (Track *track, guint picture, gboolean marker,
    const guint8 *payload, guint size, guint padding)
{
  GstBuffer *buffer = gst_rtp_buffer_new_allocate (size, padding, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp);
  gst_rtp_buffer_set_payload_type (&rtp, 96);
  gst_rtp_buffer_set_seq (&rtp, track->seq++);
  gst_rtp_buffer_set_ssrc (&rtp, track->ssrc);
  gst_rtp_buffer_set_timestamp (&rtp, picture * 3600);
  gst_rtp_buffer_set_marker (&rtp, marker);
  if (size > 0)
    memcpy (gst_rtp_buffer_get_payload (&rtp), payload, size);
  gst_rtp_buffer_unmap (&rtp);
  GST_BUFFER_PTS (buffer) = picture * 40 * GST_MSECOND;
  fail_unless_equals_int (gst_pad_push (track->src, buffer), GST_FLOW_OK);
}

#define SEND(track, picture, marker, ...)                                      \
  send_packet (track, picture, marker, (const guint8[]){ __VA_ARGS__ },        \
      sizeof ((const guint8[]){ __VA_ARGS__ }), 0)
#define SEND_PADDING(track, picture)                                           \
  send_packet (track, picture, FALSE, NULL, 0, 100)
#define SEND_EMPTY(track, picture)                                             \
  send_packet (track, picture, FALSE, NULL, 0, 0)

/* 160x96, Constrained Baseline */
#define H264_SPS 0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x02, 0x8d, 0x90
#define H264_PPS 0x68, 0xcb, 0x83, 0xcb, 0x20
#define H264_SETS 0x78, 0, 8, H264_SPS, 0, 5, H264_PPS

typedef enum
{
  NOTHING,
  PADDING,
  EMPTY_PACKET,
  ANYTHING_EMPTY, /* twice as many as there are packets of media */
} Between;

static void
send_between (Track *track, guint picture, Between between)
{
  if (between == PADDING || between == ANYTHING_EMPTY)
    SEND_PADDING (track, picture);
  if (between == EMPTY_PACKET || between == ANYTHING_EMPTY)
    SEND_EMPTY (track, picture);
}

/* A key frame and two pictures, in three fragments each. */
static void
send_h264 (Track *track, Between between)
{
  guint i;

  SEND (track, 1, FALSE, H264_SETS);
  for (i = 1; i < 4; i++) {
    guint8 type = i == 1 ? 5 : 1;

    send_between (track, i, between);
    SEND (track, i, FALSE, 0x7c, 0x80 | type, 0x9a, 1, 2, 3);
    send_between (track, i, between);
    SEND (track, i, FALSE, 0x7c, type, 4, 5);
    send_between (track, i, between);
    SEND (track, i, TRUE, 0x7c, 0x40 | type, 6, 7, 8);
  }
}

/* 64x64, Main */
#define H265_VPS                                                               \
  0x40, 1, 0x0c, 1, 0xff, 0xff, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3,   \
      0, 0x1e, 0xba, 0x02, 0x40
#define H265_SPS                                                               \
  0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x1e, 0xa0,      \
      0x20, 0x81, 5, 0x96, 0xe9, 0x29, 0x30, 0xbf, 0xfc, 0, 4, 0, 5, 0xa8,     \
      0x30, 0x30, 0x20, 0, 0, 3, 0, 0x20, 0, 0, 3, 3, 0xc1
#define H265_PPS 0x44, 1, 0xc0, 0x71, 0x81, 0x12
#define H265_SETS 0x60, 1, 0, 24, H265_VPS, 0, 46, H265_SPS, 0, 6, H265_PPS

static void
send_h265 (Track *track, Between between)
{
  guint i;

  SEND (track, 1, FALSE, H265_SETS);
  for (i = 1; i < 4; i++) {
    guint8 type = i == 1 ? 19 : 1;

    SEND (track, i, FALSE, 0x62, 0x01, 0x80 | type, 0xaf, 1, 2, 3);
    send_between (track, i, between);
    SEND (track, i, FALSE, 0x62, 0x01, type, 4, 5);
    send_between (track, i, between);
    SEND (track, i, TRUE, 0x62, 0x01, 0x40 | type, 6, 7, 8);
  }
}

static void
send_vp8 (Track *track, Between between)
{
  guint i;

  for (i = 1; i < 4; i++) {
    guint8 inter = i == 1 ? 0 : 1;

    SEND (track, i, FALSE, 0x90, 0x80, i, 0x10 | inter, 0, 0, 0x9d, 1, 0x2a);
    send_between (track, i, between);
    SEND (track, i, FALSE, 0x80, 0x80, i, 160, 0, 96, 0, 1, 2, 3);
    send_between (track, i, between);
    SEND (track, i, TRUE, 0x80, 0x80, i, 4, 5, 6);
  }
}

static void
send_vp9 (Track *track, Between between)
{
  guint i;

  for (i = 1; i < 4; i++) {
    guint8 inter = i == 1 ? 0 : 0x40;

    SEND (track, i, FALSE, 0x88 | inter, i, 0x82, 0x49, 0x83, 0x42, 0, 0);
    send_between (track, i, between);
    SEND (track, i, FALSE, 0x80 | inter, i, 9, 0xf0, 5, 0xf6, 1, 2, 3);
    send_between (track, i, between);
    SEND (track, i, TRUE, 0x84 | inter, i, 4, 5, 6);
  }
}

static void
send_opus (Track *track, Between between)
{
  guint i;

  for (i = 1; i < 4; i++) {
    SEND (track, i, FALSE, 0x78, 1, 2, 3);
    send_between (track, i, between);
  }
}

static guint
count_type (GstElement *pipeline, const gchar *type)
{
  GstIterator *it = gst_bin_iterate_recurse (GST_BIN (pipeline));
  GValue item = G_VALUE_INIT;
  guint n = 0;

  while (gst_iterator_next (it, &item) == GST_ITERATOR_OK) {
    n += g_str_equal (G_OBJECT_TYPE_NAME (g_value_get_object (&item)), type);
    g_value_reset (&item);
  }
  g_value_unset (&item);
  gst_iterator_free (it);
  return n;
}

GST_START_TEST (test_the_filters_are_elements_of_the_bin)
{
  static const struct
  {
    const gchar *media;
    const gchar *codec;
  } tracks[] = { { "video", "H264" }, { "video", "VP8" }, { "audio", "OPUS" } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (tracks); i++) {
    Track track;
    gchar *dot;

    track_init (&track, tracks[i].media, tracks[i].codec, TRUE);
    fail_unless_equals_int (
        count_type (track.pipeline, "GstRtcPacketFilter"), 1);
    fail_unless_equals_int (
        count_type (track.pipeline, "GstRtcPictureFilter"), 1);
    dot = gst_debug_bin_to_dot_data (
        GST_BIN (track.pipeline), GST_DEBUG_GRAPH_SHOW_ALL);
    fail_unless (strstr (dot, "GstRtcPacketFilter") != NULL);
    fail_unless (strstr (dot, "GstRtcPictureFilter") != NULL);
    g_free (dot);
    track_clear (&track);
  }
}

GST_END_TEST;

static guint
count_units (Track *track)
{
  guint n = 0;

  for (const gchar *p = track->sizes->str; *p; p++)
    n += *p == ' ';
  return n;
}

#define H264_SLICE(track, picture) SEND (track, picture, TRUE, 0x41, 0x9a, 1, 2)
/* An SEI NAL unit with recovery_frame_cnt 1, and a slice: STAP-A */
#define H264_GRADUAL(track, picture)                                           \
  SEND (track, picture, TRUE, 0x78, 0, 5, 6, 6, 1, 0x48, 0x80, 0, 4, 0x41,     \
      0x9a, 1, 2)

/* Periodic intra refresh: a sender that refreshes a part of each picture
 * sends no key frame but the first. */
GST_START_TEST (test_intra_refresh_ends_a_loss)
{
  Track track;

  track_init (&track, "video", "H264", TRUE);
  send_h264 (&track, NOTHING);
  fail_unless_equals_int (count_units (&track), 3);
  track.seq++;
  H264_SLICE (&track, 5);
  H264_GRADUAL (&track, 6);
  H264_SLICE (&track, 7);
  fail_unless_equals_int (count_units (&track), 3);
  H264_GRADUAL (&track, 8);
  H264_SLICE (&track, 9);
  fail_unless_equals_int (count_units (&track), 5);
  fail_unless_equals_uint64 (track.counters.held_back, 3);
  track_clear (&track);
}

GST_END_TEST;

/* The output is the same as without the packets without payload. */
GST_START_TEST (test_packets_without_payload_change_nothing)
{
  static const struct
  {
    const gchar *media;
    const gchar *codec;
    void (*send) (Track *track, Between between);
  } formats[] = {
    { "video", "H264", send_h264 },
    { "video", "H265", send_h265 },
    { "video", "VP8", send_vp8 },
    { "video", "VP9", send_vp9 },
    { "audio", "OPUS", send_opus },
  };
  guint i, j;

  for (i = 0; i < 2 * G_N_ELEMENTS (formats); i++) {
    gboolean video = g_str_equal (formats[i / 2].media, "video");
    gboolean freeze = video && i % 2;
    gchar *plain = NULL;

    for (j = NOTHING; j <= ANYTHING_EMPTY; j++) {
      Track track;

      track_init (&track, formats[i / 2].media, formats[i / 2].codec, freeze);
      formats[i / 2].send (&track, j);
      fail_unless_equals_uint64 (track.counters.held_back, 0);
      fail_unless_equals_uint64 (track.counters.malformed, 0);
      if (j == NOTHING)
        plain = g_strdup (track.sizes->str);
      fail_unless_equals_string (track.sizes->str, plain);
      track_clear (&track);
    }
    fail_if (*plain == '\0', "no %s", formats[i / 2].codec);
    g_free (plain);
  }
}

GST_END_TEST;

/* A jitter buffer says so of the packet behind the last, at every pause. */
GST_START_TEST (test_only_missing_packets_are_losses)
{
  Track track;

  track_init (&track, "audio", "OPUS", FALSE);
  send_opus (&track, ANYTHING_EMPTY);
  gst_pad_push_event (track.src,
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new ("GstRTPPacketLost", "seqnum", G_TYPE_UINT,
              (guint)track.seq, "timestamp", G_TYPE_UINT64,
              (guint64)4 * 40 * GST_MSECOND, "duration", G_TYPE_UINT64,
              (guint64)40 * GST_MSECOND, NULL)));
  SEND (&track, 10, FALSE, 0x78, 1, 2, 3);
  fail_unless_equals_int (track.gaps, 0);
  track.seq += 5;
  SEND (&track, 11, FALSE, 0x78, 1, 2, 3);
  SEND (&track, 12, FALSE, 0x78, 1, 2, 3);
  fail_unless_equals_int (track.gaps, 1);
  /* A malformed packet is missing too. */
  SEND (&track, 13, FALSE, 0x79, 1);
  SEND (&track, 14, FALSE, 0x78, 1, 2, 3);
  fail_unless_equals_int (track.gaps, 2);
  /* Another SSRC is no loss. */
  track.ssrc++;
  track.seq += 1000;
  SEND (&track, 15, FALSE, 0x78, 1, 2, 3);
  fail_unless_equals_int (track.gaps, 2);
  track_clear (&track);
}

GST_END_TEST;

/* The gap may never end: its beginning is in the journal at once. */
GST_START_TEST (test_the_beginning_of_a_gap_is_journalled)
{
  Track track;

  track_init (&track, "video", "H264", TRUE);
  send_h264 (&track, NOTHING);
  track.seq++;
  SEND (&track, 4, TRUE, 0x41, 0x9a, 1, 2);
  fail_unless_equals_string (track.journal->str, "gap-start ");
  SEND (&track, 5, TRUE, 0x41, 0x9a, 1, 2);
  fail_unless_equals_string (track.journal->str, "gap-start ");
  SEND (&track, 6, FALSE, H264_SETS);
  SEND (&track, 6, TRUE, 0x65, 0x88, 1, 2);
  fail_unless_equals_string (track.journal->str, "gap-start gap ");
  /* Within a second of the first, and longer than that. */
  track.seq++;
  SEND (&track, 7, TRUE, 0x41, 0x9a, 1, 2);
  fail_unless_equals_string (track.journal->str, "gap-start gap ");
  SEND (&track, 40, TRUE, 0x41, 0x9a, 1, 2);
  fail_unless_equals_string (track.journal->str, "gap-start gap gap-start ");
  track_clear (&track);
}

GST_END_TEST;

/* The only parameter sets were lost: packets come, and no picture. */
static void
assert_asks (const gchar *codec, gboolean freeze, gboolean warned,
    const guint8 *key, guint size)
{
  Track track;
  GstMessage *warning = NULL;
  gint64 end = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  guint picture;

  track_init (&track, "video", codec, freeze);
  for (picture = 1; (track.requests < 2 || track.journal->len == 0 ||
                        (warned && !warning)) &&
       g_get_monotonic_time () < end;
       picture++) {
    send_packet (&track, picture, TRUE, key, size, 0);
    g_usleep (10000);
    warning = gst_bus_pop_filtered (
        GST_ELEMENT_BUS (track.pipeline), GST_MESSAGE_WARNING);
  }
  fail_unless (!warned || warning != NULL, "%s: no warning", codec);
  fail_unless (track.requests >= 2, "%s: %u requests", codec, track.requests);
  fail_unless_equals_string (track.journal->str, "gap-start ");
  if (warning)
    gst_message_unref (warning);
  track_clear (&track);
}

GST_START_TEST (test_a_lost_parameter_set_is_asked_for_again)
{
  static const guint8 h264[] = { 0x65, 0x88, 1, 2 };

  assert_asks ("H264", TRUE, TRUE, h264, sizeof (h264));
}

GST_END_TEST;

GST_START_TEST (test_a_lost_parameter_set_of_h265_is_asked_for_again)
{
  static const guint8 h265[] = { 0x26, 0x01, 0xaf, 1, 2 };

  assert_asks ("H265", FALSE, FALSE, h265, sizeof (h265));
}

GST_END_TEST;

GST_START_TEST (test_a_lost_key_frame_of_vp8_is_asked_for_again)
{
  static const guint8 vp8[] = { 0x10, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

  assert_asks ("VP8", TRUE, FALSE, vp8, sizeof (vp8));
}

GST_END_TEST;

GST_START_TEST (test_a_packet_lost_beside_padding_is_a_loss)
{
  Track track;

  track_init (&track, "video", "H264", TRUE);
  send_h264 (&track, NOTHING);
  SEND (&track, 4, FALSE, 0x7c, 0x81, 0x9a, 1, 2, 3);
  SEND_PADDING (&track, 4);
  track.seq++;
  SEND (&track, 4, TRUE, 0x7c, 0x41, 6, 7, 8);
  SEND (&track, 5, TRUE, 0x41, 0x9a, 1, 2);
  fail_unless_equals_uint64 (track.last, 3 * 40 * GST_MSECOND);
  fail_unless (track.counters.held_back > 0);
  fail_unless (track.requests > 0);
  SEND (&track, 6, FALSE, H264_SETS);
  SEND (&track, 6, TRUE, 0x65, 0x88, 1, 2);
  fail_unless_equals_uint64 (track.last, 6 * 40 * GST_MSECOND);
  track_clear (&track);
}

GST_END_TEST;

/* Picture 4 has a beginning only, without a gap in the sequence numbers; 5 and 6
 * are key frames of a packet each. */
static void
assert_cut (const gchar *codec, void (*send) (Track *, Between),
    const guint8 *begin, guint begin_size, const guint8 *sets, guint sets_size,
    const guint8 *key, guint key_size)
{
  Track track;
  guint i, units = 0;
  gsize before;

  track_init (&track, "video", codec, TRUE);
  send (&track, NOTHING);
  send_packet (&track, 4, FALSE, begin, begin_size, 0);
  before = track.sizes->len;
  send_packet (&track, 5, FALSE, sets, sets_size, 0);
  send_packet (&track, 5, TRUE, key, key_size, 0);
  SEND_PADDING (&track, 5);
  send_packet (&track, 6, TRUE, key, key_size, 0);
  fail_unless_equals_uint64 (track.last, 6 * 40 * GST_MSECOND);
  fail_unless_equals_int (track.gaps, 1);
  for (i = before; i < track.sizes->len; i++)
    units += track.sizes->str[i] == ' ';
  fail_unless (units == 2, "%u units: %s", units, track.sizes->str);
  track_clear (&track);
}

/* Chromium drops what waits in front of a key frame before it is numbered. */
GST_START_TEST (test_a_picture_without_its_end_is_a_loss)
{
  static const guint8 h264_begin[] = { 0x7c, 0x81, 0x9a, 1, 2, 3 };
  static const guint8 h264_sets[] = { H264_SETS };
  static const guint8 h264_key[] = { 0x65, 0x88, 1, 2 };
  static const guint8 h265_begin[] = { 0x62, 0x01, 0x81, 0xaf, 1, 2, 3 };
  static const guint8 h265_sets[] = { H265_SETS };
  static const guint8 h265_key[] = { 0x26, 0x01, 0xaf, 1, 2 };

  assert_cut ("H264", send_h264, h264_begin, sizeof (h264_begin), h264_sets,
      sizeof (h264_sets), h264_key, sizeof (h264_key));
  assert_cut ("H265", send_h265, h265_begin, sizeof (h265_begin), h265_sets,
      sizeof (h265_sets), h265_key, sizeof (h265_key));
}

GST_END_TEST;

/* rtph264depay allocates 4 GB for a fragment of a byte, and ends the stream at
 * a packet of the interleaved mode. */
GST_START_TEST (test_malformed_packets_cost_a_picture_at_most)
{
  Track track;
  guint type;

  track_init (&track, "video", "H264", TRUE);
  send_h264 (&track, NOTHING);
  for (type = 24; type <= 32; type++) {
    guint8 packet[] = { 0x60 | (type & 31), 0x85 };

    send_packet (&track, 3 + type, TRUE, packet, 1, 0);
    send_packet (&track, 3 + type, TRUE, packet, 2, 0);
  }
  fail_unless (track.counters.malformed >= 9);
  SEND (&track, 50, FALSE, H264_SETS);
  SEND (&track, 50, TRUE, 0x65, 0x88, 1, 2);
  fail_unless_equals_uint64 (track.last, 50 * 40 * GST_MSECOND);
  track_clear (&track);
}

GST_END_TEST;

/* h264parse posts an error at bytes behind an end of sequence, and at a prefix
 * NAL unit without its extension. */
GST_START_TEST (test_what_the_parser_refuses_costs_a_picture_at_most)
{
  guint i;

  for (i = 0; i < 3; i++) {
    Track track;

    track_init (&track, "video", "H264", i != 1);
    send_h264 (&track, NOTHING);
    if (i < 2)
      SEND (&track, 4, TRUE, 0x78, 0, 4, 0x41, 0x9a, 1, 2, 0, 4, 0x0a, 1, 2, 3);
    else
      SEND (&track, 4, TRUE, 0x78, 0, 4, 0x41, 0x9a, 1, 2, 0, 1, 0x0a, 0, 2,
          0x74, 1);
    fail_unless_equals_uint64 (track.counters.malformed, 1);
    fail_unless (track.requests > 0);
    SEND (&track, 5, FALSE, H264_SETS);
    SEND (&track, 5, TRUE, 0x65, 0x88, 1, 2);
    SEND (&track, 6, TRUE, 0x41, 0x9a, 1, 2);
    fail_unless_equals_uint64 (track.last, 6 * 40 * GST_MSECOND);
    track_clear (&track);
  }
}

GST_END_TEST;

/* --- lists --- */

static guint n_refused;

/* Every second access unit is refused. */
static GstFlowReturn
refuse_some (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Track *track = pad->chaindata;

  note_unit (pad, parent, buffer);
  return strlen (track->sizes->str) / 2 % 2 && ++n_refused > 0
      ? GST_FLOW_NOT_LINKED
      : GST_FLOW_OK;
}

static GstBuffer *
make_opus (Track *track, guint32 rtp_time)
{
  GstBuffer *buffer = gst_rtp_buffer_new_allocate (3, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp);
  gst_rtp_buffer_set_payload_type (&rtp, 96);
  gst_rtp_buffer_set_ssrc (&rtp, track->ssrc);
  gst_rtp_buffer_set_seq (&rtp, track->seq++);
  gst_rtp_buffer_set_timestamp (&rtp, rtp_time);
  memcpy (gst_rtp_buffer_get_payload (&rtp), "\xfc\x01\x02", 3);
  gst_rtp_buffer_unmap (&rtp);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) =
      rtp_time * GST_SECOND / 48000;
  return buffer;
}

/* As with single packets: what is refused costs nothing but itself. The second
 * time there are two streams to choose from. */
GST_START_TEST (test_a_list_goes_on_behind_what_is_refused)
{
  for (guint n_streams = 1; n_streams <= 2; n_streams++) {
    GstBufferList *list = gst_buffer_list_new ();
    GstPad *other = NULL;
    Track track;

    track_init (&track, "audio", "OPUS", FALSE);
    gst_pad_set_chain_function (track.out, refuse_some);
    track.out->chaindata = &track;
    n_refused = 0;
    if (n_streams == 2)
      other = rtc_depay_chain_add_stream (track.chain, 0);
    for (guint i = 0; i < 10; i++)
      gst_buffer_list_add (list, make_opus (&track, i * 960));
    fail_unless_equals_int (
        gst_pad_push_list (track.src, list), GST_FLOW_NOT_LINKED);
    fail_unless_equals_string (track.sizes->str, "3 3 3 3 3 3 3 3 3 3 ");
    fail_unless_equals_int (n_refused, 5);
    if (other)
      rtc_depay_chain_remove_stream (track.chain, other);
    gst_clear_object (&other);
    track_clear (&track);
  }
}

GST_END_TEST;

static Suite *
recchain_suite (void)
{
  Suite *s = suite_create ("recchain");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (
      tc, test_a_picture_of_slices_with_sets_each_is_one_access_unit);
  tcase_add_test (tc, test_the_filters_are_elements_of_the_bin);
  tcase_add_test (tc, test_intra_refresh_ends_a_loss);
  tcase_add_test (tc, test_packets_without_payload_change_nothing);
  tcase_add_test (tc, test_only_missing_packets_are_losses);
  tcase_add_test (tc, test_the_beginning_of_a_gap_is_journalled);
  tcase_add_test (tc, test_a_lost_parameter_set_is_asked_for_again);
  tcase_add_test (tc, test_a_lost_parameter_set_of_h265_is_asked_for_again);
  tcase_add_test (tc, test_a_lost_key_frame_of_vp8_is_asked_for_again);
  tcase_add_test (tc, test_a_packet_lost_beside_padding_is_a_loss);
  tcase_add_test (tc, test_a_picture_without_its_end_is_a_loss);
  tcase_add_test (tc, test_malformed_packets_cost_a_picture_at_most);
  tcase_add_test (tc, test_what_the_parser_refuses_costs_a_picture_at_most);
  tcase_add_test (tc, test_a_list_goes_on_behind_what_is_refused);
  return s;
}

GST_CHECK_MAIN (recchain);
