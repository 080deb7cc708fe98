/* gst-tsrec: which layer of a simulcast is recorded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * By webrtcbin, and on a UDP port of recwhipsrc with REC_TEST_UDP_PORT.
 */

#include "reclive.h"
#include "rtctestpublisher.h"

#include <gst/rtp/rtp.h>
#include <string.h>

#define RID_EXTENSION 10
#define LINES                                                                  \
  "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"              \
  "a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n"
#define FRAME 3000

typedef enum
{
  HIGH,
  LOW,
  LAYERS
} LayerId;

/**
 * Layer:
 * @sps: sequence parameter set, by which its pictures are known
 */
typedef struct
{
  const gchar *rid;
  guint32 ssrc;
  const guint8 *sps;
  gsize sps_size;
  guint16 seq;
  guint n_packets;
} Layer;

static const guint8 small_sps[] = { 0x67, 0x42, 0xc0, 0x0a, 0xda, 0x79, 0x7b,
  0xff, 0x00, 0x01, 0x00, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
  0x03, 0x03, 0xc8, 0xf1, 0x22, 0x6a };
/* 640x360 */
static const guint8 large_sps[] = { 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0,
  0x2f, 0xf9, 0x70, 0x16, 0xa0, 0xc0, 0xc0, 0xd4, 0xa0, 0x00, 0x00, 0x03, 0x00,
  0x20, 0x00, 0x00, 0x07, 0x91, 0xe2, 0xc5, 0xc9 };

static Layer layers[LAYERS];
static gint n_pictures[LAYERS];
static guint32 rtp_time;
static GstElement *pipeline, *source;
static RtcTestPeer *peer;

static GstPadProbeReturn
count_picture (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  GstMapInfo map;

  gst_buffer_map (GST_PAD_PROBE_INFO_BUFFER (info), &map, GST_MAP_READ);
  for (guint i = 0; i < LAYERS; i++)
    if (memmem (map.data, map.size, layers[i].sps, layers[i].sps_size))
      g_atomic_int_inc (&n_pictures[i]);
  gst_buffer_unmap (GST_PAD_PROBE_INFO_BUFFER (info), &map);
  return GST_PAD_PROBE_OK;
}

static void
start (const gchar *wanted)
{
  RtcCertificate *certificate = rtc_certificate_get (NULL);
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  gchar *url;
  GstPad *pad;

  layers[HIGH] = (Layer){ "h", 7000, large_sps, sizeof (large_sps), 65500, 0 };
  layers[LOW] = (Layer){ "l", 8000, small_sps, sizeof (small_sps), 100, 0 };
  memset (n_pictures, 0, sizeof (n_pictures));
  rtp_time = 0;
  /* stop() waits for idle threads. */
  g_thread_pool_set_max_idle_time (100);
  /* GIO would keep a thread of it. */
  g_setenv ("GSETTINGS_BACKEND", "memory", TRUE);
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  pipeline =
      gst_parse_launch ("recwhipsrc name=w port=0 latency=50 w.video ! "
                        "fakesink name=v sync=false async=false w.audio ! "
                        "fakesink sync=false async=false",
          NULL);
  source = gst_bin_get_by_name (GST_BIN (pipeline), "w");
  rec_live_set_transport (source);
  g_object_set (source, "simulcast-layer", wanted, NULL);
  pad = gst_element_get_static_pad (source, "video");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_picture, NULL, NULL);
  gst_object_unref (pad);
  fail_if (gst_element_set_state (pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE);
  g_object_get (source, "url", &url, NULL);
  while (!(peer = rtc_test_publish_lines (url, certificate, LINES, 20000))) {
    fail_unless (g_get_monotonic_time () < until);
    g_usleep (10000);
  }
  g_free (url);
  rtc_certificate_unref (certificate);
}

static void
stop (void)
{
  rtc_test_peer_free (peer);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (source);
  gst_object_unref (pipeline);
  rec_live_wait_for_threads ();
}

/* @forged: with a signature that is wrong. */
static void
send_unit (
    LayerId id, const guint8 *unit, gsize size, gboolean last, gboolean forged)
{
  Layer *layer = &layers[id];
  guint8 data[128 + RTC_SRTP_MAX_TRAILER] = { 0x90, RTC_TEST_VIDEO_PT };
  gsize n = 20 + size;

  if (last)
    data[1] |= 0x80;
  GST_WRITE_UINT16_BE (data + 2, layer->seq++);
  GST_WRITE_UINT32_BE (data + 4, rtp_time);
  GST_WRITE_UINT32_BE (data + 8, layer->ssrc);
  /* RFC 8285, section 4.2. */
  GST_WRITE_UINT32_BE (data + 12, 0xbede0001);
  data[16] = RID_EXTENSION << 4;
  data[17] = (guint8)layer->rid[0];
  memcpy (data + 20, unit, size);
  layer->n_packets++;
  if (!forged) {
    rtc_test_peer_send (peer, data, n);
    return;
  }
  fail_unless (rtc_srtp_protect_rtp (peer->srtp, data, &n));
  data[n - 1] ^= 1;
  rtc_test_peer_send_raw (peer, data, n);
}

/* A key frame of layer @id. */
static void
send_picture (LayerId id, gboolean forged)
{
  static const guint8 pps[] = { 0x68, 0xce, 0x0f, 0xc8 };
  static const guint8 idr[] = { 0x65, 0x88, 0x84, 0x00, 0x10 };

  send_unit (id, layers[id].sps, layers[id].sps_size, FALSE, forged);
  send_unit (id, pps, sizeof (pps), FALSE, forged);
  send_unit (id, idr, sizeof (idr), TRUE, forged);
}

static void
send_pictures (gboolean high, gboolean low)
{
  if (high)
    send_picture (HIGH, FALSE);
  if (low)
    send_picture (LOW, FALSE);
  rtp_time += FRAME;
  while (rtc_test_peer_run (peer, 0))
    ;
  g_usleep (10000);
}

/* Sends until layer @id has @n pictures more. */
static void
send_until (LayerId id, gint n, gboolean high, gboolean low)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;

  n += g_atomic_int_get (&n_pictures[id]);
  while (g_atomic_int_get (&n_pictures[id]) < n) {
    fail_unless (g_get_monotonic_time () < until);
    send_pictures (high, low);
  }
}

/* Both layers are sent, and from now on only @id is recorded. */
static void
check_recorded (LayerId id)
{
  gint before;

  send_until (id, 10, TRUE, TRUE);
  before = g_atomic_int_get (&n_pictures[1 - id]);
  send_until (id, 30, TRUE, TRUE);
  fail_unless_equals_int (g_atomic_int_get (&n_pictures[1 - id]), before);
}

static guint64
get_stat (const gchar *name)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (source, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value), "%s", name);
  gst_structure_free (stats);
  return value;
}

static void
check_wanted (const gchar *wanted, LayerId id)
{
  start (wanted);
  check_recorded (id);
  stop ();
}

GST_START_TEST (test_the_wanted_layer_is_recorded)
{
  check_wanted ("highest", HIGH);
  check_wanted ("lowest", LOW);
  check_wanted ("l", LOW);
  check_wanted ("h", HIGH);
  check_wanted ("", HIGH);
}

GST_END_TEST;

GST_START_TEST (test_another_layer_takes_over_and_gives_back)
{
  start ("highest");
  check_recorded (HIGH);
  send_until (LOW, 20, FALSE, TRUE);
  check_recorded (HIGH);
  send_until (LOW, 20, FALSE, TRUE);
  fail_unless_equals_uint64 (get_stat ("video-rtp-lost"), 0);
  stop ();
  start ("l");
  check_recorded (LOW);
  send_until (HIGH, 20, TRUE, FALSE);
  check_recorded (LOW);
  fail_unless_equals_uint64 (get_stat ("video-rtp-lost"), 0);
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_a_layer_that_does_not_exist_is_said)
{
  GstBus *bus;
  GstMessage *message;
  GError *error;

  start ("q");
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (
      bus, REC_LIVE_PATIENCE, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  fail_unless (
      message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, "\"q\"") != NULL &&
          strstr (error->message, "h, l") != NULL,
      "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
  check_recorded (HIGH);
  stop ();
}

GST_END_TEST;

/* --- on our own UDP port only --- */

/* Returns whether the last RTCP of the recorder reports on layer @id, with
 * @report. */
static gboolean
find_report (LayerId id, guint32 *highest, gint32 *lost)
{
  GstBuffer *buffer = gst_buffer_new_memdup (peer->rtcp, peer->rtcp_size);
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  gboolean found = FALSE;

  gst_rtcp_buffer_map (buffer, GST_MAP_READ, &rtcp);
  if (gst_rtcp_buffer_get_first_packet (&rtcp, &packet) &&
      gst_rtcp_packet_get_type (&packet) == GST_RTCP_TYPE_RR)
    for (guint i = 0; i < gst_rtcp_packet_get_rb_count (&packet) && !found;
         i++) {
      guint32 ssrc, jitter, lsr, dlsr;
      guint8 fraction;

      gst_rtcp_packet_get_rb (
          &packet, i, &ssrc, &fraction, lost, highest, &jitter, &lsr, &dlsr);
      found = ssrc == layers[id].ssrc;
    }
  gst_rtcp_buffer_unmap (&rtcp);
  gst_buffer_unref (buffer);
  return found;
}

/* Packets that are not decrypted cannot be distinguished from forged ones: both are layers that
 * are not recorded. */
GST_START_TEST (test_other_layers_are_dropped_before_they_are_decrypted)
{
  gint64 until;
  guint64 before;
  guint n = 0;

  if (!g_getenv ("REC_TEST_UDP_PORT"))
    return;
  start ("highest");
  check_recorded (HIGH);
  until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  before = get_stat ("rtp-ignored");
  while (get_stat ("rtp-ignored") < before + 60) {
    fail_unless (g_get_monotonic_time () < until);
    send_picture (LOW, TRUE);
    send_pictures (TRUE, FALSE);
    /* One in a while is decrypted, and all up to the next authentic one. */
    if (++n % 4 == 0)
      send_picture (LOW, FALSE);
  }
  /* Authentic ones alone would take longer. */
  fail_unless (n < 60 / 3 * 4 - 4, "%u", n);
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_the_sender_is_told_that_other_layers_arrive)
{
  gint64 until;
  guint32 highest = 0;
  gint32 lost = -1;

  if (!g_getenv ("REC_TEST_UDP_PORT"))
    return;
  start ("highest");
  check_recorded (HIGH);
  until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  /* Until a report covers a part of what was sent last. */
  for (guint32 begin = layers[LOW].seq;
       !find_report (LOW, &highest, &lost) || highest < begin + 30;) {
    fail_unless (g_get_monotonic_time () < until);
    send_pictures (TRUE, TRUE);
  }
  fail_unless_equals_int (lost, 0);
  stop ();
}

GST_END_TEST;

/* Sequence numbers roll over in a layer that is not recorded (RFC 3711, section
 * 3.3.1). */
GST_START_TEST (test_a_layer_that_was_not_recorded_for_long_takes_over)
{
  static const guint8 filler[] = { 0x0c, 0xff };

  if (!g_getenv ("REC_TEST_UDP_PORT"))
    return;
  start ("highest");
  check_recorded (HIGH);
  for (guint i = 0; i < 70000; i++) {
    send_unit (LOW, filler, sizeof (filler), FALSE, FALSE);
    if (i % 200 == 0)
      send_pictures (TRUE, FALSE);
  }
  send_until (LOW, 10, FALSE, TRUE);
  fail_unless_equals_uint64 (get_stat ("video-rtp-lost"), 0);
  stop ();
}

GST_END_TEST;

static Suite *
recwhiplayers_suite (void)
{
  Suite *s = suite_create ("recwhiplayers");
  TCase *tc = tcase_create ("layers");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_the_wanted_layer_is_recorded);
  tcase_add_test (tc, test_another_layer_takes_over_and_gives_back);
  tcase_add_test (tc, test_a_layer_that_does_not_exist_is_said);
  tcase_add_test (tc, test_other_layers_are_dropped_before_they_are_decrypted);
  tcase_add_test (tc, test_the_sender_is_told_that_other_layers_arrive);
  tcase_add_test (tc, test_a_layer_that_was_not_recorded_for_long_takes_over);
  return s;
}

GST_CHECK_MAIN (recwhiplayers);
