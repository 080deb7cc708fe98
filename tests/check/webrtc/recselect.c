/* gst-tsrec: which of several RTP streams is recorded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstrtcstreamselect.h"

#include <gst/check/gstcheck.h>
#include <gst/rtp/rtp.h>

#define FRAME 40000 /* µs */

static gint64 now;

/* The linker replaces g_get_monotonic_time() in the selector by this function
 * (--wrap). */
gint64 __wrap_g_get_monotonic_time (void);

gint64
__wrap_g_get_monotonic_time (void)
{
  return now;
}

/* A stream, a pad in front of the selector. */
typedef struct
{
  GstPad *src;
  GstPad *sink;
  guint32 ssrc;
  guint16 seq;
  guint requests;
} Sender;

static GstElement *element;
static GstPad *out;
static GString *seen; /* "a" for a packet of stream 'a', "A" for a key frame */
static guint64 ignored;

static GstFlowReturn
note_packet (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp);
  if (gst_rtp_buffer_get_payload_len (&rtp) == 0)
    g_string_append_c (seen, '.');
  else if (*(guint8 *)gst_rtp_buffer_get_payload (&rtp) == 0x65)
    g_string_append_c (
        seen, (gchar)g_ascii_toupper ((gchar)gst_rtp_buffer_get_ssrc (&rtp)));
  else
    g_string_append_c (seen, (gchar)gst_rtp_buffer_get_ssrc (&rtp));
  gst_rtp_buffer_unmap (&rtp);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstStaticPadTemplate any_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void
setup (void)
{
  now = 1000000;
  ignored = 0;
  seen = g_string_new (NULL);
  element = GST_ELEMENT (
      g_object_ref_sink (gst_rtc_stream_select_new ("H264", &ignored)));
  out = gst_check_setup_sink_pad_by_name (element, &any_template, "src");
  gst_pad_set_chain_function (out, note_packet);
  gst_pad_set_active (out, TRUE);
  gst_element_set_state (element, GST_STATE_PLAYING);
}

static void
teardown (void)
{
  gst_pad_set_active (out, FALSE);
  gst_check_teardown_pad_by_name (element, "src");
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
  g_string_free (seen, TRUE);
}

static gboolean
count_request (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Sender *sender = gst_pad_get_element_private (pad);

  sender->requests += gst_event_has_name (event, "GstForceKeyUnit");
  gst_event_unref (event);
  return TRUE;
}

static void
sender_init (Sender *sender, gchar name, guint rank)
{
  GstSegment segment;

  memset (sender, 0, sizeof (*sender));
  sender->ssrc = (guint32)name;
  sender->src = gst_pad_new ("src", GST_PAD_SRC);
  gst_pad_set_element_private (sender->src, sender);
  gst_pad_set_event_function (sender->src, count_request);
  gst_pad_set_active (sender->src, TRUE);
  sender->sink =
      gst_rtc_stream_select_add_stream (GST_RTC_STREAM_SELECT (element), rank);
  fail_unless_equals_int (
      gst_pad_link (sender->src, sender->sink), GST_PAD_LINK_OK);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (sender->src, gst_event_new_stream_start ("x"));
  gst_pad_push_event (sender->src, gst_event_new_segment (&segment));
}

static void
sender_clear (Sender *sender)
{
  gst_pad_set_active (sender->src, FALSE);
  gst_pad_unlink (sender->src, sender->sink);
  gst_rtc_stream_select_remove_stream (
      GST_RTC_STREAM_SELECT (element), sender->sink);
  gst_object_unref (sender->sink);
  gst_object_unref (sender->src);
}

/* @what: 'K' a key frame, 'p' another picture, '.' padding. */
static void
send (Sender *sender, gchar what)
{
  GstBuffer *buffer = gst_rtp_buffer_new_allocate (what == '.' ? 0 : 3, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp);
  gst_rtp_buffer_set_ssrc (&rtp, sender->ssrc);
  gst_rtp_buffer_set_seq (&rtp, sender->seq++);
  if (what != '.')
    memset (gst_rtp_buffer_get_payload (&rtp), what == 'K' ? 0x65 : 0x41, 3);
  gst_rtp_buffer_unmap (&rtp);
  fail_unless_equals_int (gst_pad_push (sender->src, buffer), GST_FLOW_OK);
}

/* One picture each 40 ms. */
static void
send_all (Sender *sender, const gchar *what)
{
  for (; *what; what++) {
    send (sender, *what);
    now += FRAME;
  }
}

static void
assert_seen (const gchar *expected)
{
  fail_unless_equals_string (seen->str, expected);
  g_string_set_size (seen, 0);
}

GST_START_TEST (test_a_stream_that_replaces_another_loses_nothing)
{
  Sender a, b;

  sender_init (&a, 'a', 0);
  send_all (&a, "Kpp");
  assert_seen ("Aaa");
  sender_init (&b, 'b', 0);
  send_all (&b, "KpKppppppppp");
  assert_seen ("BbBbbbbbbbbb");
  /* And the first one returns. */
  send_all (&a, "Kppppppppp");
  assert_seen ("Aaaaaaaaaa");
  fail_unless_equals_uint64 (ignored, 0);
  sender_clear (&a);
  sender_clear (&b);
}
GST_END_TEST;

GST_START_TEST (test_of_two_streams_at_once_the_first_is_kept)
{
  Sender a, b;
  guint i;

  sender_init (&a, 'a', 0);
  sender_init (&b, 'b', 0);
  for (i = 0; i < 50; i++) {
    send (&a, i % 10 == 0 ? 'K' : 'p');
    send (&b, i % 10 == 0 ? 'K' : 'p');
    now += FRAME;
  }
  fail_unless_equals_int (strcspn (seen->str, "bB"), 50);
  fail_unless_equals_int (seen->len, 50);
  /* A burst after a pause of the network is no change: b alone has not flowed
   * for long. */
  now += 1200000;
  send (&b, 'p');
  send (&a, 'p');
  fail_unless_equals_int (seen->str[50], 'a');
  sender_clear (&a);
  sender_clear (&b);
  fail_unless (ignored >= 50);
}
GST_END_TEST;

/* Two pictures a second. */
GST_START_TEST (test_a_slow_stream_takes_over_too)
{
  Sender a, b;
  guint i;

  sender_init (&a, 'a', 0);
  sender_init (&b, 'b', 0);
  send_all (&a, "Kp");
  for (i = 0; i < 4; i++, now += 500000)
    send (&b, i == 0 ? 'K' : 'p');
  assert_seen ("AaBbbb");
  sender_clear (&a);
  sender_clear (&b);
}
GST_END_TEST;

GST_START_TEST (test_probes_of_another_stream_do_not_matter)
{
  Sender a, b;

  sender_init (&a, 'a', 0);
  sender_init (&b, 'b', 0);
  send_all (&b, "...");
  send_all (&a, "Kpp");
  send_all (&b, "...");
  send_all (&b, "p");
  send_all (&a, ".pp");
  /* Padding, but for longer. */
  send_all (&b, "....................");
  send_all (&a, "p");
  assert_seen ("Aaa.aaa");
  fail_unless_equals_int (b.requests, 0);
  sender_clear (&a);
  sender_clear (&b);
}
GST_END_TEST;

GST_START_TEST (test_a_stream_without_a_key_frame_is_asked_for_one)
{
  Sender a, b;

  sender_init (&a, 'a', 0);
  sender_init (&b, 'b', 0);
  send_all (&a, "K");
  send_all (&b, "ppppp");
  fail_unless_equals_int (b.requests, 1);
  assert_seen ("A");
  /* Nothing of it could be decoded before the key frame. */
  send_all (&b, "Kppppp");
  assert_seen ("Bbbbbb");
  fail_unless_equals_int (b.requests, 1);
  fail_unless_equals_int (a.requests, 0);
  sender_clear (&a);
  sender_clear (&b);
}
GST_END_TEST;

GST_START_TEST (test_the_largest_layer_of_simulcast_is_recorded)
{
  Sender small, large;

  sender_init (&small, 's', 1);
  sender_init (&large, 'l', 2);
  send_all (&small, "Kp");
  send (&large, 'K');
  send (&small, 'p');
  send (&large, 'p');
  send (&small, 'K');
  assert_seen ("SsLl");
  /* The bandwidth falls, and comes back. */
  send_all (&small, "Kppppppppp");
  assert_seen ("SSsssssssss");
  send (&large, 'p');
  send (&small, 'p');
  send (&large, 'K');
  send (&small, 'p');
  assert_seen ("sL");
  sender_clear (&small);
  sender_clear (&large);
}
GST_END_TEST;

GST_START_TEST (test_a_rank_that_changes_counts_from_the_next_key_frame)
{
  Sender a, b;

  sender_init (&a, 'a', 0);
  sender_init (&b, 'b', 0);
  send_all (&a, "Kp");
  send_all (&b, "K");
  gst_rtc_stream_select_set_rank (GST_RTC_STREAM_SELECT (element), b.sink, 1);
  send_all (&a, "p");
  send_all (&b, "p");
  send_all (&a, "p");
  send_all (&b, "Kp");
  send_all (&a, "Kp");
  assert_seen ("AaaaBb");
  sender_clear (&a);
  sender_clear (&b);
}
GST_END_TEST;

GST_START_TEST (test_a_stream_that_is_gone_makes_room_at_once)
{
  Sender a, b;

  sender_init (&a, 'a', 0);
  sender_init (&b, 'b', 0);
  send_all (&a, "Kp");
  send_all (&b, "Kp");
  sender_clear (&a);
  send_all (&b, "p");
  /* Held packets are not lost. */
  assert_seen ("AaBbb");
  sender_clear (&b);
}
GST_END_TEST;

static Suite *
recselect_suite (void)
{
  Suite *s = suite_create ("recselect");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_a_stream_that_replaces_another_loses_nothing);
  tcase_add_test (tc, test_of_two_streams_at_once_the_first_is_kept);
  tcase_add_test (tc, test_a_slow_stream_takes_over_too);
  tcase_add_test (tc, test_probes_of_another_stream_do_not_matter);
  tcase_add_test (tc, test_a_stream_without_a_key_frame_is_asked_for_one);
  tcase_add_test (tc, test_the_largest_layer_of_simulcast_is_recorded);
  tcase_add_test (tc, test_a_rank_that_changes_counts_from_the_next_key_frame);
  tcase_add_test (tc, test_a_stream_that_is_gone_makes_room_at_once);
  return s;
}

GST_CHECK_MAIN (recselect);
