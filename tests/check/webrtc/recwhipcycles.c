/* gst-tsrec: publishers that come and go, one after another
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * After the first cycles, threads, descriptors and allocated memory stay as they
 * are. REC_TEST_CYCLES is the number of cycles (default: 100).
 */

#include "reclive.h"
#include "rtctestpublisher.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* So many at a time, because the HTTP server limits the offers in a second. */
#define SOURCES 4
#define FRAME 3000
/* Of what a cycle may leave behind, bytes: nothing, but there is noise. */
#define MAX_GROWTH 64
#define NOISE (128 * 1024)

typedef struct
{
  GstElement *element;
  gchar *url;
  RtcTestPeer *peer;
  gint n_pictures;
  guint16 seq;
  guint32 ssrc;
  guint32 rtp_time;
} Source;

typedef struct
{
  guint threads;
  guint descriptors;
  gsize allocated;
} Usage;

static GstElement *pipeline;
static Source sources[SOURCES];
static RtcCertificate *certificate;

static guint
count_entries (const gchar *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  fail_unless (dir != NULL);
  while (g_dir_read_name (dir))
    n++;
  g_dir_close (dir);
  return n;
}

static Usage
get_usage (void)
{
  return (Usage){ count_entries ("/proc/self/task"),
    count_entries ("/proc/self/fd"), mallinfo2 ().uordblks };
}

static GstPadProbeReturn
count_picture (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_inc ((gint *)data);
  return GST_PAD_PROBE_OK;
}

static void
start (void)
{
  guint number = 0;

  /* GIO would keep a thread of it. */
  g_setenv ("GSETTINGS_BACKEND", "memory", TRUE);
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  g_setenv ("REC_TEST_UDP_PORT", "1", TRUE);
  g_thread_pool_set_max_idle_time (100);
  certificate = rtc_certificate_get (NULL);
  pipeline = gst_pipeline_new (NULL);
  for (guint i = 0; i < SOURCES; i++) {
    GstElement *bin = gst_parse_bin_from_description (
        "recwhipsrc name=w port=0 latency=50 w.video ! "
        "fakesink sync=false async=false w.audio ! "
        "fakesink sync=false async=false",
        FALSE, NULL);
    GstPad *pad;

    memset (&sources[i], 0, sizeof (sources[i]));
    sources[i].element = gst_bin_get_by_name (GST_BIN (bin), "w");
    if (number == 0) {
      rec_live_set_transport (sources[i].element);
      g_object_get (sources[i].element, "udp-port", &number, NULL);
    }
    g_object_set (sources[i].element, "udp-port", number, NULL);
    pad = gst_element_get_static_pad (sources[i].element, "video");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_picture,
        &sources[i].n_pictures, NULL);
    gst_object_unref (pad);
    gst_bin_add (GST_BIN (pipeline), bin);
  }
  fail_if (gst_element_set_state (pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE);
  /* Nobody reads the messages, which refer to the elements of a session. */
  gst_bus_set_flushing (GST_ELEMENT_BUS (pipeline), TRUE);
  for (guint i = 0; i < SOURCES; i++)
    g_object_get (sources[i].element, "url", &sources[i].url, NULL);
}

static void
stop (void)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  for (guint i = 0; i < SOURCES; i++) {
    gst_object_unref (sources[i].element);
    g_free (sources[i].url);
  }
  gst_object_unref (pipeline);
  rtc_certificate_unref (certificate);
  rec_live_wait_for_threads ();
}

static void
send_unit (Source *self, const guint8 *unit, gsize size, gboolean last)
{
  guint8 data[64] = { 0x80, RTC_TEST_VIDEO_PT };

  if (last)
    data[1] |= 0x80;
  GST_WRITE_UINT16_BE (data + 2, self->seq++);
  GST_WRITE_UINT32_BE (data + 4, self->rtp_time);
  GST_WRITE_UINT32_BE (data + 8, self->ssrc);
  memcpy (data + 12, unit, size);
  rtc_test_peer_send (self->peer, data, 12 + size);
}

static void
send_picture (Source *self)
{
  static const guint8 sps[] = { 0x67, 0x42, 0xc0, 0x0a, 0xda, 0x79, 0x7b, 0xff,
    0x00, 0x01, 0x00, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
    0x03, 0x03, 0xc8, 0xf1, 0x22, 0x6a };
  static const guint8 pps[] = { 0x68, 0xce, 0x0f, 0xc8 };
  static const guint8 idr[] = { 0x65, 0x88, 0x84, 0x00, 0x10 };

  send_unit (self, sps, sizeof (sps), FALSE);
  send_unit (self, pps, sizeof (pps), FALSE);
  send_unit (self, idr, sizeof (idr), TRUE);
  self->rtp_time += FRAME;
}

/* Connects each source, which has another SSRC every time, sends until a picture
 * is there, and disconnects it. */
static void
run_cycle (void)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;

  for (guint i = 0; i < SOURCES; i++) {
    Source *self = &sources[i];
    gint before;

    while (!(self->peer = rtc_test_publish (self->url, certificate, 20000))) {
      fail_unless (g_get_monotonic_time () < until);
      g_usleep (5000);
    }
    self->ssrc += 7919;
    before = g_atomic_int_get (&self->n_pictures);
    while (g_atomic_int_get (&self->n_pictures) == before) {
      fail_unless (g_get_monotonic_time () < until);
      send_picture (self);
      while (rtc_test_peer_run (self->peer, 2))
        ;
    }
    rtc_test_peer_free (self->peer);
  }
}

/* Threads that end by themselves may take a moment. */
static void
wait_for_usage (const Usage *before, guint cycles)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  gsize allowed = before->allocated + NOISE + (gsize)cycles * MAX_GROWTH;
  Usage now;

  do {
    g_usleep (20000);
    now = get_usage ();
    fail_unless (g_get_monotonic_time () < until,
        "threads %u, then %u; descriptors %u, then %u; bytes %zu, then %zu",
        before->threads, now.threads, before->descriptors, now.descriptors,
        before->allocated, now.allocated);
  } while (now.threads > before->threads ||
      now.descriptors > before->descriptors || now.allocated > allowed);
  g_print ("%u cycles: threads %u, then %u; descriptors %u, then %u; KiB %zu, "
           "then %zu\n",
      cycles, before->threads, now.threads, before->descriptors,
      now.descriptors, before->allocated / 1024, now.allocated / 1024);
}

GST_START_TEST (test_sessions_leave_nothing_behind)
{
  const gchar *text = g_getenv ("REC_TEST_CYCLES");
  guint cycles = text ? (guint)atoi (text) : 100;
  Usage before;

  start ();
  for (guint i = 0; i < 5; i++)
    run_cycle ();
  before = get_usage ();
  for (guint i = 0; i < cycles; i += SOURCES)
    run_cycle ();
  wait_for_usage (&before, cycles);
  stop ();
}

GST_END_TEST;

static Suite *
recwhipcycles_suite (void)
{
  Suite *s = suite_create ("recwhipcycles");
  TCase *tc = tcase_create ("cycles");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_sessions_leave_nothing_behind);
  return s;
}

GST_CHECK_MAIN (recwhipcycles);
