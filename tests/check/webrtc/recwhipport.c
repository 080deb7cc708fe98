/* gst-tsrec: sessions of recwhipsrc that share one UDP port
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reclive.h"
#include "rtctestpublisher.h"

#include <string.h>

#define SOURCES 20
#define FRAME 3000

static GstElement *pipeline;
static GstElement *sources[SOURCES];
static RtcTestPeer *peers[SOURCES];
static gint n_pictures[SOURCES];
static guint32 rtp_times[SOURCES];
static guint16 seqs[SOURCES];
static gboolean ice_tcp;
static const gchar *extra_lines = ""; /* of the offer */

static GstPadProbeReturn
count_picture (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_inc ((gint *)data);
  return GST_PAD_PROBE_OK;
}

/* ms. */
static guint latency = 100;

/* @n elements on one port, each with a publisher. */
static void
start (guint n)
{
  RtcCertificate *certificate = rtc_certificate_get (NULL);
  guint number = 0;

  /* GIO would keep a thread of it. */
  g_setenv ("GSETTINGS_BACKEND", "memory", TRUE);
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  pipeline = gst_pipeline_new (NULL);
  for (guint i = 0; i < n; i++) {
    gchar *line =
        g_strdup_printf ("recwhipsrc name=w%u port=0 latency=%u w%u.video ! "
                         "fakesink name=v%u sync=false async=false w%u.audio ! "
                         "fakesink sync=false async=false",
            i, latency, i, i, i);
    GstElement *bin = gst_parse_bin_from_description (line, FALSE, NULL);
    GstElement *sink;
    GstPad *pad;

    g_free (line);
    line = g_strdup_printf ("v%u", i);
    sink = gst_bin_get_by_name (GST_BIN (bin), line);
    g_free (line);
    line = g_strdup_printf ("w%u", i);
    sources[i] = gst_bin_get_by_name (GST_BIN (bin), line);
    g_free (line);
    if (number == 0) {
      g_setenv ("REC_TEST_UDP_PORT", "1", TRUE);
      rec_live_set_transport (sources[i]);
      g_object_get (sources[i], "udp-port", &number, NULL);
    }
    g_object_set (sources[i], "udp-port", number, "ice-tcp", ice_tcp, NULL);
    pad = gst_element_get_static_pad (sink, "sink");
    g_atomic_int_set (&n_pictures[i], 0);
    gst_pad_add_probe (
        pad, GST_PAD_PROBE_TYPE_BUFFER, count_picture, &n_pictures[i], NULL);
    gst_object_unref (pad);
    gst_object_unref (sink);
    gst_bin_add (GST_BIN (pipeline), bin);
    rtp_times[i] = 0;
    seqs[i] = (guint16)(65500 + i);
  }
  fail_if (gst_element_set_state (pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE);
  for (guint i = 0; i < n; i++) {
    gchar *url;

    g_object_get (sources[i], "url", &url, NULL);
    peers[i] = NULL;
    /* Not while the element is on its way to PLAYING. */
    for (guint k = 0; k < 1000 && !peers[i]; k++)
      if (!(peers[i] = rtc_test_publish_lines (
                url, certificate, extra_lines, 20000)))
        g_usleep (10000);
    fail_unless (peers[i] != NULL, "%u", i);
    g_free (url);
  }
  rtc_certificate_unref (certificate);
}

static void
stop (guint n)
{
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&peers[i], rtc_test_peer_free);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  for (guint i = 0; i < n; i++)
    gst_object_unref (sources[i]);
  gst_object_unref (pipeline);
  rec_live_wait_for_threads ();
}

static gsize
make_packet (
    guint i, guint8 *data, const guint8 *unit, gsize size, gboolean last)
{
  data[0] = 0x80;
  data[1] = RTC_TEST_VIDEO_PT | (last ? 0x80 : 0);
  GST_WRITE_UINT16_BE (data + 2, seqs[i]++);
  GST_WRITE_UINT32_BE (data + 4, rtp_times[i]);
  GST_WRITE_UINT32_BE (data + 8, 7000 + i);
  memcpy (data + 12, unit, size);
  return 12 + size;
}

/* A key frame, in three packets. The second is put into *@held, when given,
 * instead of being sent. */
static gsize
send_picture (guint i, guint8 *held)
{
  static const guint8 sps[] = { 0x67, 0x42, 0xc0, 0x0a, 0xda, 0x79, 0x7b, 0xff,
    0x00, 0x01, 0x00, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
    0x03, 0x03, 0xc8, 0xf1, 0x22, 0x6a };
  static const guint8 pps[] = { 0x68, 0xce, 0x0f, 0xc8 };
  static const guint8 idr[] = { 0x65, 0x88, 0x84, 0x00, 0x10 };
  guint8 data[64];
  gsize size;

  rtc_test_peer_send (
      peers[i], data, make_packet (i, data, sps, sizeof (sps), FALSE));
  size = make_packet (i, held ? held : data, pps, sizeof (pps), FALSE);
  if (!held)
    rtc_test_peer_send (peers[i], data, size);
  rtc_test_peer_send (
      peers[i], data, make_packet (i, data, idr, sizeof (idr), TRUE));
  rtp_times[i] += FRAME;
  return size;
}

/* Sends pictures from @first to before @end until each of them has @n. */
static void
run_until (guint first, guint end, gint n)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  gboolean all;

  do {
    all = TRUE;
    fail_unless (g_get_monotonic_time () < until);
    for (guint i = first; i < end; i++) {
      while (rtc_test_peer_run (peers[i], 0))
        ;
      all &= g_atomic_int_get (&n_pictures[i]) >= n;
      if (g_atomic_int_get (&n_pictures[i]) < n)
        send_picture (i, NULL);
    }
    g_usleep (5000);
  } while (!all);
}

static guint64
get_stat (guint i, const gchar *name)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (sources[i], "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value), "%s", name);
  gst_structure_free (stats);
  return value;
}

/* --- a sink that blocks, as a frozen file system does --- */

static GMutex gate;

static GstPadProbeReturn
wait_at_gate (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_mutex_lock (&gate);
  g_mutex_unlock (&gate);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (test_a_sink_that_blocks_holds_up_no_other_session)
{
  GstPad *pad;
  gint before;
  gulong id;

  start (SOURCES);
  run_until (0, SOURCES, 1);
  pad = gst_element_get_static_pad (sources[0], "video");
  g_mutex_lock (&gate);
  id = gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, wait_at_gate, NULL, NULL);
  before = g_atomic_int_get (&n_pictures[0]);
  for (guint i = 0; i < 10; i++)
    send_picture (0, NULL);
  for (guint i = 1; i < SOURCES; i++)
    g_atomic_int_set (&n_pictures[i], 0);
  run_until (1, SOURCES, 50);
  fail_unless (g_atomic_int_get (&n_pictures[0]) <= before + 1);
  g_mutex_unlock (&gate);
  /* And it loses nothing. */
  while (g_atomic_int_get (&n_pictures[0]) < before + 10)
    g_usleep (1000);
  gst_pad_remove_probe (pad, id);
  gst_object_unref (pad);
  fail_unless_equals_uint64 (get_stat (0, "video-rtp-lost"), 0);
  stop (SOURCES);
}

GST_END_TEST;

/* --- retransmission --- */

static gint
get_pictures (guint i)
{
  return g_atomic_int_get (&n_pictures[i]);
}

GST_START_TEST (test_a_lost_packet_is_requested_and_taken_from_rtx)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  guint8 held[64], rtx[66];
  gsize size;

  /* Under AddressSanitizer, an answer takes more than 100 ms. */
  latency = 5000;
  start (1);
  latency = 100;
  run_until (0, 1, 5);
  size = send_picture (0, held);
  /* RFC 4588: another SSRC and payload type, and the original number. */
  memcpy (rtx, held, 12);
  rtx[1] = RTC_TEST_RTX_PT;
  GST_WRITE_UINT16_BE (rtx + 2, 1);
  GST_WRITE_UINT32_BE (rtx + 8, 9000);
  memcpy (rtx + 12, held + 2, 2);
  memcpy (rtx + 14, held + 12, size - 12);
  while (get_stat (0, "video-rtp-requested") == 0) {
    fail_unless (g_get_monotonic_time () < until);
    rtc_test_peer_run (peers[0], 1);
  }
  rtc_test_peer_send (peers[0], rtx, size + 2);
  while (get_stat (0, "video-rtp-retransmitted") == 0) {
    fail_unless (g_get_monotonic_time () < until);
    rtc_test_peer_run (peers[0], 1);
  }
  fail_unless_equals_uint64 (get_stat (0, "video-rtp-retransmitted"), 1);
  fail_unless_equals_uint64 (get_stat (0, "video-rtp-lost"), 0);
  fail_unless (get_stat (0, "video-round-trip") < 60 * GST_SECOND);
  stop (1);
}

GST_END_TEST;

GST_START_TEST (test_what_never_comes_is_lost_after_the_latency)
{
  guint8 held[64];
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;

  start (1);
  run_until (0, 1, 5);
  send_picture (0, held);
  while (get_stat (0, "video-rtp-lost") == 0) {
    fail_unless (g_get_monotonic_time () < until);
    rtc_test_peer_run (peers[0], 1);
  }
  run_until (0, 1, get_pictures (0) + 2);
  fail_unless_equals_uint64 (get_stat (0, "video-rtp-lost"), 1);
  stop (1);
}

GST_END_TEST;

/* --- an RTP clock that stops --- */

#define VIDEO_INTERVAL (33 * G_TIME_SPAN_MILLISECOND)
#define AUDIO_INTERVAL (20 * G_TIME_SPAN_MILLISECOND)

static GstClockTime times[1000]; /* of the pictures */
static gint n_times;
static gint64 clock_stopped; /* of the video, for so long, µs */

static GstPadProbeReturn
note_time (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  gint n = g_atomic_int_get (&n_times);

  if (n < (gint)G_N_ELEMENTS (times))
    times[n] = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  g_atomic_int_set (&n_times, n + 1);
  return GST_PAD_PROBE_OK;
}

static void
send_audio (guint16 seq, gint64 time)
{
  guint8 data[15] = { 0x80, RTC_TEST_AUDIO_PT };

  GST_WRITE_UINT16_BE (data + 2, seq);
  GST_WRITE_UINT32_BE (data + 4, (guint32)(time * 48 / 1000));
  GST_WRITE_UINT32_BE (data + 8, 8000);
  memcpy (data + 12, "\xf8\xff\xfe", 3);
  rtc_test_peer_send (peers[0], data, sizeof (data));
}

/* Sends audio, and pictures too with @video, in real time. Returns the number of
 * pictures. */
static gint
send_for (gint64 duration, gboolean video, gint64 epoch, guint16 *seq)
{
  gint64 begin = g_get_monotonic_time (), now, next_picture = begin;
  gint n = 0;

  while ((now = g_get_monotonic_time ()) < begin + duration) {
    while (rtc_test_peer_run (peers[0], 0))
      ;
    if (now >= epoch + *seq * AUDIO_INTERVAL) {
      send_audio (*seq, *seq * AUDIO_INTERVAL);
      (*seq)++;
    }
    if (video && now >= next_picture) {
      rtp_times[0] = (guint32)((now - epoch - clock_stopped) * 90 / 1000);
      send_picture (0, NULL);
      next_picture = now + VIDEO_INTERVAL;
      n++;
    }
    g_usleep (1000);
  }
  return n;
}

/* The sender gets nothing from its camera for a second, and its RTP clock stands
 * still meanwhile. Already the first picture behind that is where it arrives, not
 * where its timestamp says. */
GST_START_TEST (test_a_picture_behind_a_stopped_clock_is_where_it_arrives)
{
  const gint64 silence = G_TIME_SPAN_SECOND;
  gint64 epoch, until;
  gint before, all;
  guint16 seq = 0;
  GstElement *sink;
  GstPad *pad;

  start (1);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "v0");
  pad = gst_element_get_static_pad (sink, "sink");
  g_atomic_int_set (&n_times, 0);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_time, NULL, NULL);
  epoch = g_get_monotonic_time ();
  before = send_for (2 * G_TIME_SPAN_SECOND, TRUE, epoch, &seq);
  send_for (silence, FALSE, epoch, &seq);
  clock_stopped = silence;
  all = before + send_for (2 * G_TIME_SPAN_SECOND, TRUE, epoch, &seq);
  clock_stopped = 0;
  until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  while (g_atomic_int_get (&n_times) <= before) {
    fail_unless (g_get_monotonic_time () < until);
    send_for (AUDIO_INTERVAL, FALSE, epoch, &seq);
  }
  fail_unless (before < all && all < (gint)G_N_ELEMENTS (times));
  fail_unless (
      times[before] - times[before - 1] > (GstClockTime)(silence / 2) * 1000,
      "%" G_GUINT64_FORMAT, times[before] - times[before - 1]);
  gst_object_unref (pad);
  gst_object_unref (sink);
  stop (1);
}

GST_END_TEST;

/* --- TCP --- */

GST_START_TEST (test_media_may_come_over_tcp)
{
  ice_tcp = TRUE;
  start (2);
  ice_tcp = FALSE;
  run_until (0, 2, 5);
  rtc_test_peer_use_tcp (peers[0]);
  rtc_test_peer_check (peers[0], TRUE);
  fail_unless_equals_int (rtc_test_peer_wait_answer (peers[0]), 0);
  run_until (0, 2, 50);
  for (guint i = 0; i < 2; i++)
    fail_unless_equals_uint64 (get_stat (i, "video-rtp-lost"), 0);
  stop (2);
}

GST_END_TEST;

/* --- congestion control --- */

/* Returns the bit rate of REMB in the last RTCP that came, 0: none. */
static guint
find_remb (void)
{
  const guint8 *data = peers[0]->rtcp;
  gsize at = 0;

  while (at + 20 <= peers[0]->rtcp_size) {
    gsize size = 4 * (1 + (gsize)GST_READ_UINT16_BE (data + at + 2));

    if (data[at] == (0x80 | 15) && data[at + 1] == 206 &&
        memcmp (data + at + 12, "REMB", 4) == 0) {
      guint32 word = GST_READ_UINT32_BE (data + at + 16);

      fail_unless_equals_int (GST_READ_UINT32_BE (data + at + 20), 7000);
      return (word & 0x3ffff) << (word >> 18 & 0x3f);
    }
    at += size;
  }
  return 0;
}

/* Sends until a report has come, and a REMB with @remb. Returns that. */
static guint
publish_and_find_remb (const gchar *lines, gboolean remb)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  guint found = 0;

  extra_lines = lines;
  start (1);
  extra_lines = "";
  while (remb ? found == 0 : peers[0]->n_rtcp < 4) {
    fail_unless (g_get_monotonic_time () < until);
    send_picture (0, NULL);
    if (rtc_test_peer_run (peers[0], 10))
      found = MAX (found, find_remb ());
  }
  stop (1);
  return found;
}

GST_START_TEST (test_remb_is_sent_to_who_knows_nothing_else)
{
  guint remb = publish_and_find_remb ("a=rtcp-fb:96 goog-remb\r\n", TRUE);

  fail_unless (remb > 900000 && remb <= 1000000, "%u", remb);
  fail_unless_equals_int (
      publish_and_find_remb ("a=rtcp-fb:96 goog-remb\r\n"
                             "a=rtcp-fb:96 transport-cc\r\n"
                             "a=extmap:3 http://www.ietf.org/id/"
                             "draft-holmer-rmcat-transport-wide-cc-extensions-"
                             "01\r\n",
          FALSE),
      0);
  fail_unless_equals_int (publish_and_find_remb ("", FALSE), 0);
}

GST_END_TEST;

/* --- rollover --- */

/* Of sequence numbers, more than once, and of timestamps (RFC 3550 section 5.1):
 * no picture is lost or put elsewhere. */
GST_START_TEST (test_sequence_numbers_and_timestamps_roll_over)
{
  const gint n = 24000;
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  GstElement *sink;
  GstPad *pad;

  start (1);
  rtp_times[0] = 0u - 500 * FRAME;
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "v0");
  pad = gst_element_get_static_pad (sink, "sink");
  g_atomic_int_set (&n_times, 0);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_time, NULL, NULL);
  for (gint i = 0; i < n; i++) {
    send_picture (0, NULL);
    while (rtc_test_peer_run (peers[0], 0))
      ;
    /* No more than the socket can hold. */
    while (i - get_pictures (0) > 100) {
      fail_unless (g_get_monotonic_time () < until);
      g_usleep (1000);
    }
  }
  while (get_pictures (0) < n) {
    fail_unless (g_get_monotonic_time () < until);
    g_usleep (1000);
  }
  fail_unless_equals_uint64 (get_stat (0, "video-rtp-lost"), 0);
  for (guint i = 1; i < G_N_ELEMENTS (times); i++)
    fail_unless (times[i] > times[i - 1] &&
            times[i] - times[i - 1] < 2 * GST_SECOND * FRAME / 90000,
        "%u: %" G_GUINT64_FORMAT, i, times[i] - times[i - 1]);
  gst_object_unref (pad);
  gst_object_unref (sink);
  stop (1);
}

GST_END_TEST;

/* --- floods --- */

static gint flooding;

static gpointer
flood (gpointer unused)
{
  static const guint8 hello[60] = { 22, 254, 253 };
  static const guint8 rtp[200] = { 0x80, RTC_TEST_VIDEO_PT };
  static const guint8 rtcp[28] = { 0x80, 200, 0, 6 };
  guint number;
  RtcTestPeer *stranger;

  g_object_get (sources[0], "udp-port", &number, NULL);
  stranger =
      rtc_test_peer_new ("127.0.0.1", number, "nobody", "x", FALSE, NULL);
  while (g_atomic_int_get (&flooding)) {
    for (guint i = 0; i < 50; i++) {
      rtc_test_peer_check (stranger, TRUE);
      rtc_test_peer_send_raw (stranger, hello, sizeof (hello));
      rtc_test_peer_send_raw (stranger, rtp, sizeof (rtp));
      rtc_test_peer_send_raw (stranger, rtcp, sizeof (rtcp));
    }
    g_usleep (1000);
  }
  rtc_test_peer_free (stranger);
  return NULL;
}

GST_START_TEST (test_a_flood_of_strangers_costs_a_session_nothing)
{
  GThread *thread;

  start (2);
  run_until (0, 2, 1);
  g_atomic_int_set (&flooding, TRUE);
  thread = g_thread_new ("flood", flood, NULL);
  run_until (0, 2, 200);
  g_atomic_int_set (&flooding, FALSE);
  g_thread_join (thread);
  /* The kernel drops packets only if the socket buffer is too small. */
  if (get_stat (0, "socket-drops") == 0)
    for (guint i = 0; i < 2; i++)
      fail_unless_equals_uint64 (get_stat (i, "video-rtp-lost"), 0);
  stop (2);
}

GST_END_TEST;

/* How often all other threads of the process have been woken up. */
static guint64
count_wakeups (void)
{
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  guint64 sum = 0;
  const gchar *id;

  fail_unless (dir != NULL);
  while ((id = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_strdup_printf ("/proc/self/task/%s/status", id);
    gchar *text = NULL, *line;

    if (g_ascii_strtoll (id, NULL, 10) != getpid () &&
        g_file_get_contents (path, &text, NULL, NULL) &&
        (line = strstr (text, "\nvoluntary_ctxt_switches:")) != NULL)
      sum += g_ascii_strtoull (strchr (line, ':') + 1, NULL, 10);
    g_free (text);
    g_free (path);
  }
  g_dir_close (dir);
  return sum;
}

/* Before and after a session. */
GST_START_TEST (test_sources_without_a_publisher_sleep)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  guint64 before, after;

  start (SOURCES);
  run_until (0, SOURCES, 3);
  for (guint i = 0; i < SOURCES; i++)
    g_clear_pointer (&peers[i], rtc_test_peer_free);
  after = count_wakeups ();
  do {
    before = after;
    g_usleep (G_USEC_PER_SEC);
    after = count_wakeups ();
    fail_unless (
        g_get_monotonic_time () < until, "%" G_GUINT64_FORMAT, after - before);
    /* One timer of a single source would be ten. */
  } while (after - before >= 10);
  stop (SOURCES);
}

GST_END_TEST;

static Suite *
recwhipport_suite (void)
{
  Suite *s = suite_create ("recwhipport");
  TCase *tc = tcase_create ("sessions");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_a_sink_that_blocks_holds_up_no_other_session);
  tcase_add_test (tc, test_a_lost_packet_is_requested_and_taken_from_rtx);
  tcase_add_test (tc, test_what_never_comes_is_lost_after_the_latency);
  tcase_add_test (
      tc, test_a_picture_behind_a_stopped_clock_is_where_it_arrives);
  tcase_add_test (tc, test_media_may_come_over_tcp);
  tcase_add_test (tc, test_remb_is_sent_to_who_knows_nothing_else);
  tcase_add_test (tc, test_sequence_numbers_and_timestamps_roll_over);
  tcase_add_test (tc, test_sources_without_a_publisher_sleep);
  tcase_add_test (tc, test_a_flood_of_strangers_costs_a_session_nothing);
  return s;
}

GST_CHECK_MAIN (recwhipport);
