/* gst-tsrec: H.264 from RTP packets, against rtph264depay
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same packets pass our depayloader and that of GStreamer: the access units,
 * their times and flags must be the same.
 */

#include "gstrtch264depay.h"
#include "rtch264depay.h"
#include "rtcsdp.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/rtp/rtp.h>
#include <string.h>

#define CAPS                                                                   \
  "application/x-rtp, media=video, encoding-name=H264, clock-rate=90000, "     \
  "payload=96"
#define OUT "video/x-h264, stream-format=byte-stream, alignment=au"
#define FLAGS                                                                  \
  (GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_MARKER |                       \
      GST_BUFFER_FLAG_DISCONT)
#define STREAMS (g_getenv ("REC_SLOW_MACHINE") ? 30u : 500u)
#define MAX_PACKETS 60

typedef struct
{
  GstHarness *ours;
  GstHarness *theirs;
  guint64 malformed;
} Pair;

static GstHarness *
start (GstElement *element, const gchar *caps)
{
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");

  gst_harness_set_sink_caps_str (h, OUT);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

static void
open_pair (Pair *pair, const gchar *caps)
{
  const RtcSdpCodec *codec = rtc_sdp_find_codec ("video", "H264");
  GstElement *theirs = gst_element_factory_make ("rtph264depay", NULL);
  GstElement *ours = gst_rtc_h264_depay_new (codec->caps, &pair->malformed);

  memset (pair, 0, sizeof (*pair));
  gst_object_ref_sink (ours);
  gst_object_ref_sink (theirs);
  g_object_set (theirs, "request-keyframe", TRUE, NULL);
  pair->ours = start (ours, caps);
  pair->theirs = start (theirs, caps);
  gst_object_unref (ours);
  gst_object_unref (theirs);
}

static void
close_pair (Pair *pair)
{
  gst_harness_teardown (pair->ours);
  gst_harness_teardown (pair->theirs);
}

static void
assert_same_unit (GstBuffer *ours, GstBuffer *theirs, guint seed, guint n)
{
  GstMapInfo a, b;

  fail_unless ((ours != NULL) == (theirs != NULL),
      "stream %u, unit %u: ours %d, theirs %d", seed, n, ours != NULL,
      theirs != NULL);
  if (!ours)
    return;
  gst_buffer_map (ours, &a, GST_MAP_READ);
  gst_buffer_map (theirs, &b, GST_MAP_READ);
  fail_unless (a.size == b.size && memcmp (a.data, b.data, a.size) == 0,
      "stream %u, unit %u: %u and %u bytes", seed, n, (guint)a.size,
      (guint)b.size);
  gst_buffer_unmap (ours, &a);
  gst_buffer_unmap (theirs, &b);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (ours), GST_BUFFER_PTS (theirs));
  fail_unless (GST_BUFFER_DTS (ours) == GST_BUFFER_DTS (theirs),
      "stream %u, unit %u: DTS %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT,
      seed, n, GST_BUFFER_DTS (ours), GST_BUFFER_DTS (theirs));
  fail_unless (
      (GST_BUFFER_FLAGS (ours) & FLAGS) == (GST_BUFFER_FLAGS (theirs) & FLAGS),
      "stream %u, unit %u: flags %x and %x", seed, n,
      GST_BUFFER_FLAGS (ours) & FLAGS, GST_BUFFER_FLAGS (theirs) & FLAGS);
  gst_buffer_unref (ours);
  gst_buffer_unref (theirs);
}

static guint
assert_same_units (Pair *pair, guint seed)
{
  GstBuffer *ours;
  guint n = 0;

  do {
    ours = gst_harness_try_pull (pair->ours);
    assert_same_unit (ours, gst_harness_try_pull (pair->theirs), seed, n++);
  } while (ours);
  return n - 1;
}

static guint
count_keyframe_requests (GstHarness *h)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_upstream_event (h))) {
    n += gst_event_has_name (event, "GstForceKeyUnit");
    gst_event_unref (event);
  }
  return n;
}

/* --- packets --- */

typedef struct
{
  GRand *rand;
  guint16 seq;
  guint32 ssrc;
  guint32 time;
  guint loss; /* percent */
  gboolean discont;
} Sender;

static gboolean
chance (Sender *sender, gint percent)
{
  return g_rand_int_range (sender->rand, 0, 100) < percent;
}

static void
send_packet (Pair *pair, Sender *sender, guint16 seq, const guint8 *payload,
    gsize size, gboolean marker)
{
  GstBuffer *buffer = gst_rtp_buffer_new_allocate ((guint)size, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp);
  gst_rtp_buffer_set_payload_type (&rtp, 96);
  gst_rtp_buffer_set_seq (&rtp, seq);
  gst_rtp_buffer_set_ssrc (&rtp, sender->ssrc);
  gst_rtp_buffer_set_timestamp (&rtp, sender->time);
  gst_rtp_buffer_set_marker (&rtp, marker);
  memcpy (gst_rtp_buffer_get_payload (&rtp), payload, size);
  gst_rtp_buffer_unmap (&rtp);
  GST_BUFFER_PTS (buffer) = sender->time * GST_USECOND;
  GST_BUFFER_DTS (buffer) = (sender->time + seq) * GST_USECOND;
  if (sender->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  sender->discont = FALSE;
  fail_unless_equals_int (
      gst_harness_push (pair->ours, gst_buffer_ref (buffer)), GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_push (pair->theirs, buffer), GST_FLOW_OK);
}

static void
send_next (Pair *pair, Sender *sender, const guint8 *payload, gsize size,
    gboolean marker)
{
  guint16 seq = sender->seq++;

  if (chance (sender, (gint)sender->loss))
    return;
  send_packet (pair, sender, seq, payload, size, marker);
  /* What was sent twice, or comes late. */
  if (chance (sender, (gint)sender->loss / 2))
    send_packet (pair, sender,
        (guint16)(seq - g_rand_int_range (sender->rand, 0, 20)), payload, size,
        marker);
}

/* A NAL unit of a type that a packet may have, with any contents. */
static gsize
make_unit (Sender *sender, guint8 *unit, gsize max)
{
  static const guint8 types[] = { 1, 1, 1, 5, 6, 7, 8, 9, 2, 3, 12, 23 };
  gsize size = (gsize)g_rand_int_range (sender->rand, 2, (gint32)max);

  for (gsize i = 0; i < size; i++)
    unit[i] = (guint8)g_rand_int (sender->rand);
  unit[0] = (unit[0] & 0x60) |
      types[g_rand_int_range (sender->rand, 0, G_N_ELEMENTS (types))];
  return size;
}

static void
send_aggregate (Pair *pair, Sender *sender, gboolean marker)
{
  guint8 payload[2000] = { 24 };
  guint n = (guint)g_rand_int_range (sender->rand, 1, 4);
  gsize size = 1;

  for (guint i = 0; i < n; i++) {
    gsize unit = make_unit (sender, payload + size + 2, 300);

    payload[size] = (guint8)(unit >> 8);
    payload[size + 1] = (guint8)unit;
    size += 2 + unit;
  }
  /* The last one is cut off, or followed by a byte. */
  if (chance (sender, 5))
    size -= 1;
  else if (chance (sender, 5))
    payload[size++] = 0;
  send_next (pair, sender, payload, size, marker);
}

static void
send_fragments (Pair *pair, Sender *sender, gboolean marker)
{
  guint8 unit[4000], payload[1200];
  gsize size = make_unit (sender, unit, sizeof (unit)), at = 1;
  gboolean first = TRUE;

  while (at < size) {
    gsize limit = (gsize)g_rand_int_range (sender->rand, 1, 1100);
    gsize n = MIN (size - at, limit);
    gboolean last = at + n == size && !chance (sender, 3);

    payload[0] = (unit[0] & 0x60) | 28;
    payload[1] = (unit[0] & 0x1f) | (first && !chance (sender, 2) ? 0x80 : 0) |
        (last ? 0x40 : 0);
    memcpy (payload + 2, unit + at, n);
    send_next (pair, sender, payload, n + 2, marker && last);
    first = FALSE;
    at += n;
  }
}

static void
send_something (Pair *pair, Sender *sender)
{
  gboolean marker = chance (sender, 40);
  guint8 unit[1200];

  switch (g_rand_int_range (sender->rand, 0, 3)) {
    case 0:
      send_next (
          pair, sender, unit, make_unit (sender, unit, sizeof (unit)), marker);
      break;
    case 1:
      send_aggregate (pair, sender, marker);
      break;
    default:
      send_fragments (pair, sender, marker);
      break;
  }
  if (marker || chance (sender, 20))
    sender->time += 3000;
}

static guint
run_stream (guint seed, guint loss, const gchar *caps)
{
  Sender sender = { g_rand_new_with_seed (seed), .ssrc = 1, .loss = loss };
  guint n = (guint)g_rand_int_range (sender.rand, 1, MAX_PACKETS), units;
  Pair pair;

  open_pair (&pair, caps);
  sender.seq = (guint16)g_rand_int (sender.rand);
  sender.discont = chance (&sender, 50);
  for (guint i = 0; i < n; i++) {
    send_something (&pair, &sender);
    if (chance (&sender, 1))
      sender.discont = TRUE;
  }
  gst_harness_push_event (pair.ours, gst_event_new_eos ());
  gst_harness_push_event (pair.theirs, gst_event_new_eos ());
  units = assert_same_units (&pair, seed);
  fail_unless_equals_int (count_keyframe_requests (pair.ours),
      count_keyframe_requests (pair.theirs));
  close_pair (&pair);
  g_rand_free (sender.rand);
  return units;
}

GST_START_TEST (test_whole_streams_are_the_same)
{
  guint units = 0;

  for (guint seed = 0; seed < STREAMS; seed++)
    units += run_stream (seed, 0, CAPS);
  fail_unless (units > STREAMS);
}

GST_END_TEST;

GST_START_TEST (test_streams_with_losses_are_the_same)
{
  guint units = 0;

  for (guint seed = 0; seed < STREAMS; seed++)
    units += run_stream (STREAMS + seed, 1 + seed % 30, CAPS);
  fail_unless (units > STREAMS);
}

GST_END_TEST;

GST_START_TEST (test_parameter_sets_of_the_description_are_in_front)
{
  for (guint seed = 0; seed < 50; seed++)
    run_stream (seed, seed % 10,
        CAPS ", "
             "sprop-parameter-sets=(string)\"Z0LAHtkDxWhAAAADAEAAAAwDxYuS,"
             "aMuMsg==\"");
}

GST_END_TEST;

/* --- what GStreamer has no limit for --- */

static guint n_units;
static gsize last_size;

static void
count_unit (const RtcH264Unit *unit, gpointer user_data)
{
  n_units++;
  last_size = unit->size;
}

GST_START_TEST (test_an_access_unit_without_end_is_given_up)
{
  guint8 payload[60000] = { 28, 0x80 | 5 };
  RtcH264Depay depay;
  gboolean ok = TRUE;
  guint16 seq = 0;

  rtc_h264_depay_init (&depay, count_unit, NULL);
  for (; ok && seq < 2000; payload[1] = 5)
    ok = rtc_h264_depay_packet (
        &depay, payload, sizeof (payload), seq++, FALSE, 0);
  fail_unless (!ok);
  fail_unless_equals_int (depay.size, 0);
  fail_unless_equals_int (n_units, 0);
  payload[0] = 1;
  fail_unless (rtc_h264_depay_packet (&depay, payload, 10, seq, TRUE, 0));
  fail_unless_equals_int (n_units, 1);
  fail_unless_equals_int (last_size, 14);
  /* What was allocated for the large one is not kept. */
  fail_unless (depay.capacity < 2 * 1024 * 1024);
  rtc_h264_depay_clear (&depay);
}

GST_END_TEST;

static Suite *
recdepay_suite (void)
{
  Suite *s = suite_create ("recdepay");
  TCase *tc = tcase_create ("h264");

  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_whole_streams_are_the_same);
  tcase_add_test (tc, test_streams_with_losses_are_the_same);
  tcase_add_test (tc, test_parameter_sets_of_the_description_are_in_front);
  tcase_add_test (tc, test_an_access_unit_without_end_is_given_up);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (recdepay);
