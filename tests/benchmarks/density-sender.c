/* gst-tsrec: publishes many WebRTC sessions at little cost
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: density-sender URL N SECONDS [KBPS [GAP_MS]]
 *
 * Publishes N sessions to URL1 … URLN (the number is appended), each one H.264
 * at 30 pictures a second and KBPS (1000) and Opus, encoded once and sent by
 * each session under SSRCs of its own. A session begins GAP_MS (20) after the
 * one before. Prints "connected TIME" when all of them are, and SECONDS later,
 * for each session, "session NUMBER PICTURES CONNECTED_AT", the pictures that
 * were sent whole and the monotonic time in µs, and "done".
 */

#include "rtctestpublisher.h"

#include <gst/app/app.h>
#include <gst/rtp/rtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOP_US (10 * G_USEC_PER_SEC)

/**
 * Packet:
 * @at: µs from the beginning of the loop
 * @last: of its picture
 */
typedef struct
{
  gint64 at;
  gboolean video;
  gboolean last;
  gsize size;
  guint8 data[1400];
} Packet;

typedef struct
{
  RtcTestPeer *peer;
  gint64 start;
  gint64 connected_at;
  gint64 next_check;
  guint next; /* packet of the loop */
  guint loops;
  guint32 ssrcs[2];
  guint16 seqs[2];
  guint pictures;
} Session;

static GArray *packets;

/* --- the media --- */

static void
add_packet (GstBuffer *buffer, gboolean video)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  Packet packet = { 0 };

  g_assert (gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp));
  packet.video = video;
  packet.last = gst_rtp_buffer_get_marker (&rtp);
  packet.at = (gint64)gst_rtp_buffer_get_timestamp (&rtp) * G_USEC_PER_SEC /
      (video ? 90000 : 48000);
  gst_rtp_buffer_unmap (&rtp);
  packet.size = gst_buffer_extract (buffer, 0, packet.data, 1400);
  g_array_append_val (packets, packet);
}

static void
make_media (const gchar *line, gboolean video)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  GstElement *sink;
  GstSample *sample;

  if (!pipeline)
    g_error ("%s", error->message);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
    GstBufferList *list = gst_sample_get_buffer_list (sample);

    if (gst_sample_get_buffer (sample))
      add_packet (gst_sample_get_buffer (sample), video);
    for (guint i = 0; list && i < gst_buffer_list_length (list); i++)
      add_packet (gst_buffer_list_get (list, i), video);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
}

static gint
compare_packets (gconstpointer a, gconstpointer b)
{
  const Packet *first = a, *second = b;
  gint64 distance = first->at - second->at;

  if (distance == 0 && first->video == second->video)
    return (gint)(GST_READ_UINT16_BE (first->data + 2) -
        GST_READ_UINT16_BE (second->data + 2));
  return distance < 0 ? -1
      : distance > 0  ? 1
                      : (gint)first->video - second->video;
}

static void
make_packets (guint kbps)
{
  gchar *line = g_strdup_printf (
      "videotestsrc pattern=snow num-buffers=300 ! "
      "video/x-raw,width=320,height=240,framerate=30/1 ! "
      "x264enc bitrate=%u vbv-buf-capacity=300 speed-preset=ultrafast "
      "tune=zerolatency key-int-max=60 threads=1 ! "
      "video/x-h264,profile=constrained-baseline ! "
      "rtph264pay mtu=1200 config-interval=-1 pt=96 timestamp-offset=0 "
      "seqnum-offset=0 ! appsink name=sink sync=false buffer-list=true",
      kbps);

  packets = g_array_new (FALSE, FALSE, sizeof (Packet));
  make_media (line, TRUE);
  g_free (line);
  make_media ("audiotestsrc num-buffers=500 samplesperbuffer=960 ! "
              "audio/x-raw,rate=48000,channels=2 ! opusenc ! "
              "rtpopuspay pt=111 timestamp-offset=0 seqnum-offset=0 ! "
              "appsink name=sink sync=false",
      FALSE);
  g_array_sort (packets, compare_packets);
}

static void
connect_session (Session *session, const gchar *url, guint number)
{
  RtcCertificate *certificate = rtc_certificate_get (NULL);

  session->peer = rtc_test_publish (url, certificate, 20000);
  if (!session->peer)
    g_error ("session %u does not connect to %s", number, url);
  session->connected_at = session->start = g_get_monotonic_time ();
  session->ssrcs[0] = 1000 + 2 * number;
  session->ssrcs[1] = 1001 + 2 * number;
  rtc_certificate_unref (certificate);
}

/* --- sending --- */

static void
send_packet (Session *session, const Packet *packet)
{
  guint8 data[1400];
  guint32 time = GST_READ_UINT32_BE (packet->data + 4) +
      session->loops * (LOOP_US / G_USEC_PER_SEC) *
          (packet->video ? 90000u : 48000u);

  memcpy (data, packet->data, packet->size);
  GST_WRITE_UINT16_BE (data + 2, session->seqs[packet->video]++);
  GST_WRITE_UINT32_BE (data + 4, time);
  GST_WRITE_UINT32_BE (data + 8, session->ssrcs[packet->video]);
  rtc_test_peer_send (session->peer, data, packet->size);
  session->pictures += packet->video && packet->last;
}

static void
run_session (Session *session, gint64 now)
{
  while (rtc_test_peer_run (session->peer, 0))
    ;
  if (now >= session->next_check) {
    rtc_test_peer_check (session->peer, TRUE);
    session->next_check = now + 2 * G_USEC_PER_SEC;
  }
  for (;;) {
    const Packet *packet = &g_array_index (packets, Packet, session->next);

    if (session->start + packet->at > now)
      return;
    send_packet (session, packet);
    if (++session->next < packets->len)
      continue;
    session->next = 0;
    session->loops++;
    session->start += LOOP_US;
  }
}

/* Also ends each session with a whole picture. */
static gboolean
is_at_end (Session *session)
{
  const Packet *previous = &g_array_index (
      packets, Packet, (session->next + packets->len - 1) % packets->len);

  return !previous->video || previous->last;
}

static void
run (Session *sessions, guint n, gint64 until)
{
  gint64 now;

  while ((now = g_get_monotonic_time ()) < until) {
    for (guint i = 0; i < n; i++)
      run_session (&sessions[i], now);
    g_usleep (1000);
  }
}

int
main (int argc, char **argv)
{
  guint n, gap = 20;
  Session *sessions;
  gint seconds;

  gst_init (&argc, &argv);
  if (argc < 4)
    g_error ("Usage: density-sender URL N SECONDS [KBPS [GAP_MS]]");
  n = (guint)atoi (argv[2]);
  seconds = atoi (argv[3]);
  if (argc > 5)
    gap = (guint)atoi (argv[5]);
  make_packets (argc > 4 ? (guint)atoi (argv[4]) : 1000);
  sessions = g_new0 (Session, n);
  for (guint i = 0; i < n; i++) {
    gchar *url = g_strdup_printf ("%s%u", argv[1], i + 1);

    connect_session (&sessions[i], url, i);
    g_free (url);
    run (sessions, i + 1,
        g_get_monotonic_time () + gap * G_TIME_SPAN_MILLISECOND);
  }
  printf ("connected %" G_GINT64_FORMAT "\n", g_get_monotonic_time ());
  fflush (stdout);
  run (sessions, n, g_get_monotonic_time () + seconds * G_USEC_PER_SEC);
  printf ("measured\n");
  fflush (stdout);
  for (guint i = 0; i < n; i++) {
    while (!is_at_end (&sessions[i]))
      run (&sessions[i], 1, g_get_monotonic_time () + 1000);
    printf ("session %u %u %" G_GINT64_FORMAT "\n", i + 1, sessions[i].pictures,
        sessions[i].connected_at);
  }
  /* Packets on their way arrive before the end of the session. */
  g_usleep (300000);
  for (guint i = 0; i < n; i++)
    rtc_test_peer_free (sessions[i].peer);
  printf ("done\n");
  g_free (sessions);
  g_array_unref (packets);
  return 0;
}
