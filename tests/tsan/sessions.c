/* gst-tsrec: 50 sessions that come and go on one UDP port
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ten recwhipsrc, each with a thread that publishes to it five times, while
 * their statistics are read, key frames are asked for, and in the end the
 * pipeline stops below the last sessions. For ThreadSanitizer, and as a stress
 * test of every build.
 */

#include "rtctestpublisher.h"

#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>

#define SOURCES 10
#define ROUNDS 5
#define PACKETS 120

static GstElement *pipeline;
static GstElement *sources[SOURCES];
static gint n_sessions, n_failed, n_pictures, quit;

static void
send_media (RtcTestPeer *peer, guint number)
{
  static const guint8 idr[] = { 0x65, 0x88, 0x84, 0x00, 0x10 };
  static const guint8 sps[] = { 0x67, 0x42, 0xc0, 0x0a, 0xda, 0x79, 0x7b, 0xff,
    0x00, 0x01, 0x00, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
    0x03, 0x03, 0xc8, 0xf1, 0x22, 0x6a };
  static const guint8 pps[] = { 0x68, 0xce, 0x0f, 0xc8 };
  const struct
  {
    const guint8 *data;
    gsize size;
  } units[] = { { sps, sizeof (sps) }, { pps, sizeof (pps) },
    { idr, sizeof (idr) } };
  guint16 seq = 0;

  for (guint i = 0; i < PACKETS; i++) {
    guint8 data[64] = { 0x80, RTC_TEST_VIDEO_PT };

    if (i % 3 == 2)
      data[1] |= 0x80;
    GST_WRITE_UINT16_BE (data + 2, seq++);
    GST_WRITE_UINT32_BE (data + 4, i / 3 * 3000);
    GST_WRITE_UINT32_BE (data + 8, 7000 + number);
    memcpy (data + 12, units[i % 3].data, units[i % 3].size);
    /* Some are lost, and requested. */
    if (i % 40 != 30)
      rtc_test_peer_send (peer, data, 12 + units[i % 3].size);
    rtc_test_peer_send_rtp (peer, 8000 + number, RTC_TEST_AUDIO_PT, i * 960);
    rtc_test_peer_run (peer, 3);
  }
}

static gpointer
publish (gpointer data)
{
  guint number = GPOINTER_TO_UINT (data);
  RtcCertificate *certificate = rtc_certificate_get (NULL);
  gchar *url;

  g_object_get (sources[number], "url", &url, NULL);
  for (guint i = 0; i < ROUNDS; i++) {
    RtcTestPeer *peer = NULL;

    /* The session before is drained first. */
    for (guint k = 0; k < 200 && !peer; k++)
      if (!(peer = rtc_test_publish (url, certificate, 20000)))
        g_usleep (50000);
    if (!peer) {
      g_atomic_int_inc (&n_failed);
      break;
    }
    g_atomic_int_inc (&n_sessions);
    send_media (peer, number);
    /* The last one is still there when the pipeline stops. */
    if (i + 1 < ROUNDS)
      rtc_test_peer_free (peer);
    else
      g_object_set_data_full (G_OBJECT (sources[number]), "peer", peer,
          (GDestroyNotify)rtc_test_peer_free);
  }
  g_free (url);
  rtc_certificate_unref (certificate);
  return NULL;
}

static gpointer
look (gpointer unused)
{
  while (!g_atomic_int_get (&quit)) {
    for (guint i = 0; i < SOURCES; i++) {
      GstStructure *stats;
      GstPad *pad = gst_element_get_static_pad (sources[i], "video");

      g_object_get (sources[i], "stats", &stats, NULL);
      gst_structure_free (stats);
      gst_pad_send_event (pad,
          gst_video_event_new_upstream_force_key_unit (
              GST_CLOCK_TIME_NONE, TRUE, 0));
      gst_object_unref (pad);
    }
    g_usleep (20000);
  }
  return NULL;
}

static void
on_handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer unused)
{
  g_atomic_int_inc (&n_pictures);
}

/* TRUE to try another port. */
static gboolean
start (guint port)
{
  GString *line = g_string_new (NULL);
  GError *error = NULL;

  for (guint i = 0; i < SOURCES; i++)
    g_string_append_printf (line,
        "recwhipsrc name=w%u port=0 udp-port=%u latency=50 w%u.video ! "
        "fakesink name=v%u sync=false async=false signal-handoffs=true "
        "w%u.audio ! fakesink sync=false async=false ",
        i, port, i, i, i);
  pipeline = gst_parse_launch (line->str, &error);
  g_string_free (line, TRUE);
  if (!pipeline)
    g_error ("%s", error->message);
  for (guint i = 0; i < SOURCES; i++) {
    gchar *name = g_strdup_printf ("w%u", i),
          *sink = g_strdup_printf ("v%u", i);
    GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), sink);

    sources[i] = gst_bin_get_by_name (GST_BIN (pipeline), name);
    g_signal_connect (element, "handoff", G_CALLBACK (on_handoff), NULL);
    gst_object_unref (element);
    g_free (name);
    g_free (sink);
  }
  if (gst_element_set_state (pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE)
    return FALSE;
  gst_element_set_state (pipeline, GST_STATE_NULL);
  for (guint i = 0; i < SOURCES; i++)
    gst_object_unref (sources[i]);
  gst_object_unref (pipeline);
  return TRUE;
}

int
main (int argc, char **argv)
{
  GThread *threads[SOURCES], *looker;
  guint port = 20000 + (guint)g_random_int_range (0, 20000);

  gst_init (&argc, &argv);
  while (start (port))
    port++;
  for (guint i = 0; i < SOURCES; i++)
    threads[i] = g_thread_new ("publish", publish, GUINT_TO_POINTER (i));
  looker = g_thread_new ("look", look, NULL);
  for (guint i = 0; i < SOURCES; i++)
    g_thread_join (threads[i]);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_atomic_int_set (&quit, TRUE);
  g_thread_join (looker);
  for (guint i = 0; i < SOURCES; i++)
    gst_object_unref (sources[i]);
  gst_object_unref (pipeline);
  printf ("%d sessions, %d failed, %d pictures\n", n_sessions, n_failed,
      n_pictures);
  return n_failed == 0 && n_sessions == SOURCES * ROUNDS &&
          n_pictures >= SOURCES * ROUNDS
      ? 0
      : 1;
}
