/* gst-tsrec: the running time of the packets of an RTP session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcreception.h"

#include <gst/check/gstcheck.h>
#include <gst/rtp/rtp.h>
#include <stdio.h>

#define VIDEO 96
#define AUDIO 97
#define OTHER 98
#define FRAME 3600 /* ticks of video: 40 ms */
#define BLOCK 960  /* ticks of audio: 20 ms */
#define PROBES 6
/* Shorter than any time for which a track waits for another one, µs. */
#define NO_WAIT (200 * 1000)

typedef struct
{
  guint32 ssrc;
  guint8 payload;
  guint32 rtp_time;
  guint16 seq;
} Sender;

static GstElement *webrtc, *rtpbin;
static GstElement *jitterbuffer; /* the last one */
static GstPad *sink;             /* of the session */
static RtcReception *reception;
/* SSRCs from these on are not recorded, or get other sequence numbers. */
static guint recorded, anew;
static GMutex lock;
static GCond arrived;
/* under lock */
static guint16 last_seq;
static GHashTable *times; /* SSRC: GArray of GstClockTime */

static GArray *
get_times (guint32 ssrc)
{
  GArray *array = g_hash_table_lookup (times, GUINT_TO_POINTER (ssrc));

  if (!array) {
    array = g_array_new (FALSE, FALSE, sizeof (GstClockTime));
    g_hash_table_insert (times, GUINT_TO_POINTER (ssrc), array);
  }
  return array;
}

static GstFlowReturn
note_packet (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  GstClockTime time = GST_BUFFER_PTS (buffer);

  fail_unless (gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp));
  g_mutex_lock (&lock);
  g_array_append_val (get_times (gst_rtp_buffer_get_ssrc (&rtp)), time);
  last_seq = gst_rtp_buffer_get_seq (&rtp);
  g_cond_broadcast (&arrived);
  g_mutex_unlock (&lock);
  gst_rtp_buffer_unmap (&rtp);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstCaps *
get_map (GstElement *bin, guint session, guint payload, gpointer user_data)
{
  return payload == VIDEO
      ? gst_caps_from_string ("application/x-rtp, media=video, "
                              "clock-rate=90000, encoding-name=H264")
      : gst_caps_from_string ("application/x-rtp, media=audio, "
                              "clock-rate=48000, encoding-name=OPUS");
}

/* As a decoder for FEC does. */
static GstPadProbeReturn
number_anew (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer =
      gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  fail_unless (gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp));
  gst_rtp_buffer_set_seq (&rtp, gst_rtp_buffer_get_seq (&rtp) + 6644);
  gst_rtp_buffer_unmap (&rtp);
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  return GST_PAD_PROBE_OK;
}

static void
on_pad_added (GstElement *bin, GstPad *pad, gpointer user_data)
{
  guint session, ssrc, payload;
  GstPad *out;

  if (sscanf (GST_PAD_NAME (pad), "recv_rtp_src_%u_%u_%u", &session, &ssrc,
          &payload) != 3)
    return;
  out = gst_pad_new (NULL, GST_PAD_SINK);
  gst_pad_set_chain_function (out, note_packet);
  gst_pad_set_active (out, TRUE);
  gst_element_add_pad (webrtc, out);
  if (ssrc >= anew)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, number_anew, NULL, NULL);
  if (ssrc < recorded)
    rtc_reception_take_pad (
        reception, pad, ssrc, payload == VIDEO, GST_CLOCK_TIME_NONE);
  fail_unless_equals_int (
      gst_pad_link_full (pad, out, GST_PAD_LINK_CHECK_NOTHING),
      GST_PAD_LINK_OK);
}

/* As in a session: what was not negotiated does not reach the jitter buffer. */
static GstPadProbeReturn
drop_other (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  guint8 byte = 0;

  gst_buffer_extract (GST_PAD_PROBE_INFO_BUFFER (info), 1, &byte, 1);
  return (byte & 0x7f) == OTHER ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static void
on_new_jitterbuffer (GstElement *bin, GstElement *element, guint session,
    guint ssrc, gpointer user_data)
{
  GstPad *pad = gst_element_get_static_pad (element, "sink");

  jitterbuffer = element;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, drop_other, NULL, NULL);
  gst_object_unref (pad);
}

/* As webrtcbin does. */
static GstElement *
get_decoder (
    GstElement *bin, guint session, guint ssrc, guint payload, gpointer storage)
{
  GstElement *decoder = gst_element_factory_make ("rtpulpfecdec", NULL);
  GObject *internal = NULL;

  fail_unless (decoder != NULL);
  g_object_get (storage, "internal-storage", &internal, NULL);
  g_object_set (decoder, "pt", 120, "storage", internal, NULL);
  g_object_unref (internal);
  return decoder;
}

static void
setup (void)
{
  GstCaps *caps;
  GstSegment segment;
  GstClock *clock = gst_system_clock_obtain ();
  GObject *session = NULL;

  recorded = anew = 1000;
  times =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
  webrtc = gst_pipeline_new (NULL);
  rtpbin = gst_element_factory_make ("rtpbin", "rtpbin");
  fail_unless (rtpbin != NULL);
  g_object_set (rtpbin, "latency", 0, NULL);
  gst_bin_add (GST_BIN (webrtc), rtpbin);
  reception = rtc_reception_new (webrtc);
  g_signal_connect (rtpbin, "request-pt-map", G_CALLBACK (get_map), NULL);
  g_signal_connect (rtpbin, "pad-added", G_CALLBACK (on_pad_added), NULL);
  g_signal_connect (
      rtpbin, "new-jitterbuffer", G_CALLBACK (on_new_jitterbuffer), NULL);
  sink = gst_element_request_pad_simple (rtpbin, "recv_rtp_sink_0");
  g_signal_emit_by_name (rtpbin, "get-internal-session", 0, &session);
  g_object_set (session, "probation", 0, NULL);
  g_object_unref (session);
  gst_pipeline_use_clock (GST_PIPELINE (webrtc), clock);
  gst_element_set_start_time (webrtc, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (webrtc, gst_clock_get_time (clock));
  gst_object_unref (clock);
  gst_element_set_state (webrtc, GST_STATE_PLAYING);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_send_event (sink, gst_event_new_stream_start ("rtp"));
  caps = gst_caps_new_empty_simple ("application/x-rtp");
  gst_pad_send_event (sink, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_pad_send_event (sink, gst_event_new_segment (&segment));
}

static void
teardown (void)
{
  gst_object_unref (sink);
  gst_object_unref (webrtc);
  rtc_reception_free (reception);
  g_hash_table_unref (times);
}

/* @time: running time of its arrival. */
static GstBuffer *
new_packet (Sender *sender, guint8 payload, guint32 rtp_time, GstClockTime time)
{
  GstBuffer *buffer = gst_rtp_buffer_new_allocate (20, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  fail_unless (gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp));
  gst_rtp_buffer_set_payload_type (&rtp, payload);
  gst_rtp_buffer_set_ssrc (&rtp, sender->ssrc);
  gst_rtp_buffer_set_seq (&rtp, sender->seq++);
  gst_rtp_buffer_set_timestamp (&rtp, rtp_time);
  gst_rtp_buffer_unmap (&rtp);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = time;
  return buffer;
}

static void
send (Sender *sender, guint8 payload, guint32 rtp_time, GstClockTime time)
{
  fail_unless_equals_int (
      gst_pad_chain (sink, new_packet (sender, payload, rtp_time, time)),
      GST_FLOW_OK);
}

static void
send_next (Sender *sender, GstClockTime time)
{
  send (sender, sender->payload, sender->rtp_time, time);
  sender->rtp_time += sender->payload == VIDEO ? FRAME : BLOCK;
}

/* Returns when @n packets of @ssrc have left. */
static void
wait_for (guint32 ssrc, guint n)
{
  g_mutex_lock (&lock);
  while (get_times (ssrc)->len < n)
    g_cond_wait (&arrived, &lock);
  g_mutex_unlock (&lock);
}

static GstClockTime
get_time (guint32 ssrc, guint i)
{
  GstClockTime time;

  g_mutex_lock (&lock);
  time = g_array_index (get_times (ssrc), GstClockTime, i);
  g_mutex_unlock (&lock);
  return time;
}

/* A packet of each track comes out. */
static void
begin (Sender *video, Sender *audio, GstClockTime time)
{
  rtc_reception_expect (reception, TRUE, TRUE);
  send_next (audio, time);
  send_next (video, time);
  wait_for (video->ssrc, 1);
  wait_for (audio->ssrc, 1);
}

/* Another SSRC, which is not recorded: the tracks that have begun go on. */
GST_START_TEST (nobody_waits_for_what_is_not_recorded)
{
  Sender video = { 1, VIDEO, 5000, 10 }, audio = { 2, AUDIO, 7000, 20 };
  gint64 fastest = G_MAXINT64;
  guint i;

  recorded = 100;
  begin (&video, &audio, 0);
  for (i = 0; i < PROBES; i++) {
    Sender probe = { 100 + i, VIDEO, 1, 1 };
    gint64 start = g_get_monotonic_time ();

    send_next (&probe, (i + 1) * 20 * GST_MSECOND);
    send_next (&audio, (i + 1) * 20 * GST_MSECOND);
    wait_for (audio.ssrc, i + 2);
    fastest = MIN (fastest, g_get_monotonic_time () - start);
  }
  fail_unless (fastest < NO_WAIT, "%" G_GINT64_FORMAT " µs", fastest);
  gst_element_set_state (webrtc, GST_STATE_NULL);
}
GST_END_TEST;

/* The timestamps of a payload type that is dropped move nothing. */
GST_START_TEST (what_was_not_negotiated_moves_nothing)
{
  Sender audio = { 2, AUDIO, 7000, 20 };

  rtc_reception_expect (reception, FALSE, TRUE);
  /* As if the transit had been five seconds shorter. */
  send (&audio, OTHER, 7000 + 5 * 48000, GST_SECOND);
  send_next (&audio, GST_SECOND);
  wait_for (audio.ssrc, 1);
  fail_unless_equals_uint64 (get_time (audio.ssrc, 0), GST_SECOND);
  gst_element_set_state (webrtc, GST_STATE_NULL);
}
GST_END_TEST;

/* A track that is silent while another one changes its SSRC many times keeps
 * its own clock. */
GST_START_TEST (a_silent_track_keeps_its_clock)
{
  Sender video = { 10, VIDEO, 5000, 10 }, audio = { 2, AUDIO, 7000, 20 };
  GstClockTime time = 0;
  guint i;

  begin (&video, &audio, time);
  for (i = 1; i < 12; i++) {
    Sender next = { 10 + i, VIDEO, 1000 * i, 10 };

    time += 40 * GST_MSECOND;
    send_next (&next, time);
    wait_for (next.ssrc, 1);
    fail_unless_equals_uint64 (get_time (next.ssrc, 0), time);
  }
  for (i = 1; i <= 4; i++) {
    audio.rtp_time = 7000 + (guint32)(time * 48000 / GST_SECOND);
    send_next (&audio, time);
    wait_for (audio.ssrc, i + 1);
    time += 20 * GST_MSECOND;
  }
  for (i = 2; i <= 4; i++)
    fail_unless_equals_uint64 (get_time (audio.ssrc, i),
        get_time (audio.ssrc, i - 1) + 20 * GST_MSECOND);
  gst_element_set_state (webrtc, GST_STATE_NULL);
}
GST_END_TEST;

/* An SSRC that the session description does not name: of a layer of simulcast,
 * or of a sender that has started again. */
GST_START_TEST (other_sequence_numbers_behind_the_jitter_buffer)
{
  Sender video = { 1, VIDEO, 5000, 10 }, audio = { 2, AUDIO, 7000, 20 };
  Sender other = { 10, VIDEO, 77777777, 10000 };
  guint i;

  anew = other.ssrc;
  begin (&video, &audio, GST_SECOND);
  for (i = 0; i < 3; i++) {
    send_next (&other, 3 * GST_SECOND + i * 40 * GST_MSECOND);
    wait_for (other.ssrc, i + 1);
    fail_unless_equals_uint64 (
        get_time (other.ssrc, i), 3 * GST_SECOND + i * 40 * GST_MSECOND);
  }
  gst_element_set_state (webrtc, GST_STATE_NULL);
}

GST_END_TEST;

/* Packets that reach the jitter buffer as a list are known by their own times
 * of arrival, and so is what leaves it. */
GST_START_TEST (lists_of_packets_are_noted)
{
  Sender video = { 1, VIDEO, 5000, 10 };
  GstBufferList *list = gst_buffer_list_new ();
  GstPad *pad;
  guint i;

  rtc_reception_expect (reception, TRUE, FALSE);
  send_next (&video, GST_SECOND);
  wait_for (video.ssrc, 1);
  /* They follow a pause in which the RTP clock jumped: where they arrive is
   * where they belong. */
  video.rtp_time += 1000 * 90000;
  for (i = 0; i < 4; i++) {
    gst_buffer_list_add (list,
        new_packet (&video, VIDEO, video.rtp_time,
            3 * GST_SECOND + i * 40 * GST_MSECOND));
    video.rtp_time += FRAME;
  }
  pad = gst_element_get_static_pad (jitterbuffer, "sink");
  fail_unless_equals_int (gst_pad_chain_list (pad, list), GST_FLOW_OK);
  gst_object_unref (pad);
  wait_for (video.ssrc, 5);
  for (i = 1; i < 5; i++)
    fail_unless_equals_uint64 (
        get_time (video.ssrc, i), 3 * GST_SECOND + (i - 1) * 40 * GST_MSECOND);
  gst_element_set_state (webrtc, GST_STATE_NULL);
}

GST_END_TEST;

/* The sound waits for pictures that were due long ago, and no longer when the
 * session ends. */
GST_START_TEST (nobody_waits_when_the_session_ends)
{
  Sender audio = { 2, AUDIO, 7000, 20 };
  gint64 fastest = G_MAXINT64, start;
  guint i;

  /* All of it was due long ago. */
  gst_element_set_base_time (
      rtpbin, gst_element_get_base_time (rtpbin) - 10 * GST_SECOND);
  rtc_reception_expect (reception, TRUE, TRUE);
  rtc_reception_stop (reception);
  for (i = 0; i < PROBES; i++) {
    start = g_get_monotonic_time ();
    send_next (&audio, i * 20 * GST_MSECOND);
    wait_for (audio.ssrc, i + 1);
    fastest = MIN (fastest, g_get_monotonic_time () - start);
    rtc_reception_expect (reception, TRUE, FALSE);
  }
  /* It would wait for 500 ms. */
  fail_unless (fastest < 2 * NO_WAIT, "%" G_GINT64_FORMAT " µs", fastest);
  gst_element_set_state (webrtc, GST_STATE_NULL);
}

GST_END_TEST;

/* A loss shows in the sequence numbers. */
GST_START_TEST (no_decoder_hides_losses)
{
  Sender video = { 1, VIDEO, 5000, 10 };
  GstElement *storage = gst_element_factory_make ("rtpstorage", NULL);

  fail_unless (storage != NULL);
  g_object_set (storage, "size-time", GST_SECOND, NULL);
  g_signal_connect (
      rtpbin, "request-fec-decoder-full", G_CALLBACK (get_decoder), storage);
  rtc_reception_expect (reception, TRUE, FALSE);
  send_next (&video, 0);
  wait_for (video.ssrc, 1);
  video.seq++;
  send_next (&video, 80 * GST_MSECOND);
  wait_for (video.ssrc, 2);
  g_mutex_lock (&lock);
  fail_unless_equals_int (last_seq, 12);
  g_mutex_unlock (&lock);
  gst_element_set_state (webrtc, GST_STATE_NULL);
  gst_object_unref (storage);
}

GST_END_TEST;

static Suite *
recreception_suite (void)
{
  Suite *s = suite_create ("recreception");
  TCase *tc = tcase_create ("packets");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, nobody_waits_for_what_is_not_recorded);
  tcase_add_test (tc, what_was_not_negotiated_moves_nothing);
  tcase_add_test (tc, a_silent_track_keeps_its_clock);
  tcase_add_test (tc, other_sequence_numbers_behind_the_jitter_buffer);
  tcase_add_test (tc, no_decoder_hides_losses);
  tcase_add_test (tc, lists_of_packets_are_noted);
  tcase_add_test (tc, nobody_waits_when_the_session_ends);
  return s;
}

GST_CHECK_MAIN (recreception);
