/* gst-tsrec: tests of the tracks of tsrecmux: when they begin, what becomes of
 * another codec, and of one that cannot be carried
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recmuxtest.h"

#include <glib/gstdio.h>

#define H265_CAPS "video/x-h265, stream-format=byte-stream, alignment=au"
#define OPUS_CAPS "audio/x-opus, channels=2"
#define PMT_PID 0x1000

/* --- What the tables say */

typedef struct
{
  guint n;
  guint pids[8];
  guint8 stream_types[8];
} Pmt;

static void
parse_pmt (const guint8 *packet, Pmt *pmt)
{
  const guint8 *section = packet + 5 + packet[4];
  gsize length = 3 + ((section[1] & 0x0f) << 8 | section[2]) - 4;
  gsize pos = 12 + ((section[10] & 0x0f) << 8 | section[11]);

  pmt->n = 0;
  while (pos + 5 <= length) {
    pmt->stream_types[pmt->n] = section[pos];
    pmt->pids[pmt->n++] = (section[pos + 1] & 0x1f) << 8 | section[pos + 2];
    pos += 5 + ((section[pos + 3] & 0x0f) << 8 | section[pos + 4]);
  }
}

/* Takes what the mux wrote. @pmt: the last one of it, unless NULL. */
static void
take (Mux *m, Pmt *pmt)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (m->video))) {
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    for (gsize pos = 0; pmt && pos < map.size; pos += PACKET_SIZE) {
      const guint8 *p = map.data + pos;

      if (((p[1] & 0x1f) << 8 | p[2]) == PMT_PID && (p[1] & 0x40))
        parse_pmt (p, pmt);
    }
    ts_check_push (m->check, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
}

/* The PID with @stream_type, 0 if the table names none. */
static guint
find_pid (const Pmt *pmt, guint8 stream_type)
{
  for (guint i = 0; i < pmt->n; i++) {
    if (pmt->stream_types[i] == stream_type)
      return pmt->pids[i];
  }
  return 0;
}

static void
push_opus (GstHarness *h, GstClockTime time)
{
  fail_unless_equals_int (
      gst_harness_push (
          h, stamp (gst_buffer_new_memdup ("opus", 4), time, 20 * GST_MSECOND)),
      GST_FLOW_OK);
}

/* --- Another codec */

static void
check_change_of_codec (gboolean live)
{
  Pmt pmt = { 0 };
  guint aac, opus;
  Mux m;

  mux_init (&m, live);
  push_both (&m, 0, GST_SECOND, 0, 0);
  take (&m, &pmt);
  aac = find_pid (&pmt, 0x0f);
  fail_unless_equals_int (aac, 0x200);
  gst_harness_set_src_caps_str (m.audio, OPUS_CAPS);
  for (guint i = 0; i < 50; i++)
    push_opus (m.audio, GST_SECOND + i * 20 * GST_MSECOND);
  for (guint i = 30; i < 60; i++)
    push_picture (&m, i);
  push_opus (m.audio, 2 * GST_SECOND);
  take (&m, &pmt);
  opus = find_pid (&pmt, 0x06);
  fail_unless (opus != 0 && opus != aac);
  fail_unless_equals_int (find_pid (&pmt, 0x0f), 0);
  fail_unless_equals_int (pmt.n, 2);
  /* it comes back */
  gst_harness_set_src_caps_str (m.audio, AAC_CAPS);
  push_both (&m, 2 * GST_SECOND + 40 * GST_MSECOND, 4 * GST_SECOND, 0, 0);
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  gst_harness_push_event (m.video, gst_event_new_eos ());
  take (&m, &pmt);
  fail_unless_equals_int (find_pid (&pmt, 0x0f), aac);
  fail_unless_equals_int (find_pid (&pmt, 0x06), 0);
  fail_unless (
      ts_check_finish (m.check) == 0, "%s", ts_check_get_report (m.check));
  mux_clear (&m);
}

GST_START_TEST (test_another_codec_gets_another_pid)
{
  check_change_of_codec (TRUE);
  check_change_of_codec (FALSE);
}
GST_END_TEST;

static GstBuffer *
new_h265_picture (GstClockTime time)
{
  static const guint8 idr[] = { 0, 0, 0, 1, 0x26, 0x01, 0xaf, 0x09 };

  return stamp (gst_buffer_new_memdup (idr, sizeof (idr)), time, FRAME);
}

/* Not by the caps alone: the old codec may come back before anything came. */
GST_START_TEST (test_caps_without_data_in_between_change_nothing)
{
  Pmt pmt = { 0 };
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, GST_SECOND, 0, 0);
  gst_harness_set_src_caps_str (m.video, H265_CAPS);
  push_aac (&m, 47);
  gst_harness_set_src_caps_str (m.video, H264_CAPS);
  push_both (&m, 2 * GST_SECOND, 3 * GST_SECOND, 0, 0);
  take (&m, &pmt);
  fail_unless_equals_int (find_pid (&pmt, 0x1b), 0x100);
  fail_unless (
      ts_check_finish (m.check) == 0, "%s", ts_check_get_report (m.check));
  fail_unless (ts_check_get_stats (m.check)->pmt_version <= 1);
  mux_clear (&m);
}
GST_END_TEST;

/* A playlist says there that the tracks change. */
GST_START_TEST (test_first_random_access_point_of_another_codec_is_marked)
{
  GstBuffer *buffer;
  guint discont = 0;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, GST_SECOND, 0, 0);
  take (&m, NULL);
  gst_harness_set_src_caps_str (m.video, H265_CAPS);
  for (guint i = 30; i < 40; i++)
    gst_harness_push (m.video, new_h265_picture (i * FRAME));
  while ((buffer = gst_harness_try_pull (m.video))) {
    if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT)) {
      fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 30 * FRAME);
      fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT));
      discont++;
    }
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (discont, 1);
  mux_clear (&m);
}
GST_END_TEST;

/* A pad of the same name that is requested again is the same to a reader. */
GST_START_TEST (test_new_pad_of_an_old_name_and_another_codec_gets_another_pid)
{
  GstHarness *other;
  Pmt pmt = { 0 };
  guint opus;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, GST_SECOND, 0, 0);
  gst_harness_teardown (m.audio); /* releases the pad */
  other = gst_harness_new_with_element (m.mux, "audio_0", NULL);
  gst_harness_set_live (other, TRUE);
  gst_harness_set_src_caps_str (other, OPUS_CAPS);
  push_opus (other, GST_SECOND);
  take (&m, &pmt);
  opus = find_pid (&pmt, 0x06);
  fail_unless (opus != 0 && opus != 0x200, "PID 0x%x", opus);
  gst_harness_teardown (other);
  m.audio = gst_harness_new_with_element (m.mux, "audio_0", NULL);
  gst_harness_set_live (m.audio, TRUE);
  gst_harness_set_src_caps_str (m.audio, AAC_CAPS);
  gst_harness_push (m.audio, new_aac (2 * GST_SECOND, 135));
  take (&m, &pmt);
  fail_unless_equals_int (find_pid (&pmt, 0x0f), 0x200);
  mux_clear (&m);
}
GST_END_TEST;

/* ADTS headers say what is new; the channels of Opus are in the PMT. */
GST_START_TEST (test_other_parameters_of_a_codec_get_another_pid_where_needed)
{
  Pmt pmt = { 0 };
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, GST_SECOND, 0, 0);
  gst_harness_set_src_caps_str (m.audio,
      "audio/mpeg, mpegversion=4, stream-format=adts, rate=44100, channels=1");
  push_aac (&m, 47);
  take (&m, &pmt);
  fail_unless_equals_int (find_pid (&pmt, 0x0f), 0x200);
  gst_harness_set_src_caps_str (m.audio, OPUS_CAPS);
  push_opus (m.audio, 2 * GST_SECOND);
  take (&m, &pmt);
  fail_if (find_pid (&pmt, 0x06) == 0x200);
  {
    guint stereo = find_pid (&pmt, 0x06);

    gst_harness_set_src_caps_str (m.audio, "audio/x-opus, channels=1");
    push_opus (m.audio, 2 * GST_SECOND + 20 * GST_MSECOND);
    take (&m, &pmt);
    fail_unless (find_pid (&pmt, 0x06) != 0);
    fail_if (find_pid (&pmt, 0x06) == stereo);
  }
  mux_clear (&m);
}
GST_END_TEST;

/* --- Input of MP4, Matroska and FLV */

/* @au with lengths in place of its start codes of four bytes. */
static GstBuffer *
with_lengths (GstBuffer *au)
{
  GstMapInfo map;
  gsize end;

  au = gst_buffer_make_writable (au);
  gst_buffer_map (au, &map, GST_MAP_READWRITE);
  end = map.size;
  for (gsize pos = map.size; pos-- > 0;) {
    if (pos + 4 <= map.size && memcmp (map.data + pos, "\0\0\0\1", 4) == 0) {
      GST_WRITE_UINT32_BE (map.data + pos, (guint32)(end - pos - 4));
      end = pos;
    }
  }
  gst_buffer_unmap (au, &map);
  return au;
}

static void
set_avc_caps (GstHarness *h, gboolean with_codec_data)
{
  GByteArray *record = g_byte_array_new ();
  static const guint8 head[] = { 1, 0x42, 0xc0, 0x0d, 0xff, 0xe1, 0,
    sizeof (sps) - 4 };
  static const guint8 middle[] = { 1, 0, sizeof (pps) - 4 };
  GstCaps *caps =
      gst_caps_from_string ("video/x-h264, stream-format=avc, alignment=au");
  GstBuffer *buffer;

  g_byte_array_append (record, head, sizeof (head));
  g_byte_array_append (record, sps + 4, sizeof (sps) - 4);
  g_byte_array_append (record, middle, sizeof (middle));
  g_byte_array_append (record, pps + 4, sizeof (pps) - 4);
  buffer = gst_buffer_new_memdup (record->data, record->len);
  if (with_codec_data)
    gst_caps_set_simple (caps, "codec_data", GST_TYPE_BUFFER, buffer, NULL);
  gst_harness_set_src_caps (h, caps);
  gst_buffer_unref (buffer);
  g_byte_array_unref (record);
}

/* The checker finds delimiters, parameter sets at each random access point, and
 * what is one. */
GST_START_TEST (test_nal_units_with_lengths_become_a_byte_stream)
{
  Mux m;

  mux_init (&m, TRUE);
  set_avc_caps (m.video, TRUE);
  for (guint i = 0; i < 180; i++) {
    gboolean key = i % 60 == 0;

    fail_unless_equals_int (
        gst_harness_push (
            m.video, with_lengths (new_picture (i * FRAME, 900, key, FALSE))),
        GST_FLOW_OK);
  }
  fail_unless_equals_uint64 (mux_get_stat (&m, "damaged"), 0);
  fail_unless_equals_uint64 (mux_get_stat (&m, "random-access-points"), 3);
  /* and back, on the same PID */
  gst_harness_set_src_caps_str (m.video, H264_CAPS);
  for (guint i = 180; i < 240; i++)
    push_picture (&m, i);
  mux_assert_conformant (&m);
  fail_unless_equals_int (ts_check_get_stream (m.check, 0)->pes_packets, 240);
  fail_unless (ts_check_get_stream (m.check, 1) == NULL);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_lengths_that_do_not_fill_an_access_unit_are_damage)
{
  GstMessage *message;
  Mux m;

  mux_init (&m, TRUE);
  set_avc_caps (m.video, TRUE);
  gst_harness_push (m.video, new_picture (0, 900, TRUE, FALSE));
  fail_unless_equals_uint64 (mux_get_stat (&m, "damaged"), 1);
  set_avc_caps (m.video, FALSE);
  message = pop_element_message (&m, "tsrecmux-track-rejected");
  fail_unless (message != NULL);
  gst_message_unref (message);
  mux_clear (&m);
}
GST_END_TEST;

/* --- A recording that is resumed */

static GstHarness *
start_recording (GstElement **sink, const gchar *path, const gchar *caps)
{
  GstHarness *h;

  *sink = gst_check_setup_element ("tsrecsink");
  g_object_set (*sink, "location", path, "resume", TRUE, NULL);
  h = gst_harness_new_with_element (*sink, "audio_0", NULL);
  gst_harness_set_live (h, TRUE);
  gst_harness_play (h);
  gst_harness_set_src_caps_str (h, caps);
  return h;
}

static void
end_recording (GstElement *sink, GstHarness *h)
{
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_harness_teardown (h);
  gst_object_unref (sink);
}

static void
note_type (void *types, const TsCheckPes *pes)
{
  gpointer pid = GUINT_TO_POINTER (pes->pid);
  guint before = GPOINTER_TO_UINT (g_hash_table_lookup (types, pid));

  fail_unless (before == 0 || before == pes->stream_type,
      "PID 0x%x carries stream_types 0x%x and 0x%x", pes->pid, before,
      pes->stream_type);
  g_hash_table_insert (types, pid, GUINT_TO_POINTER (pes->stream_type));
}

static guint
count_pids (const gchar *path)
{
  GHashTable *types = g_hash_table_new (NULL, NULL);
  TsCheck *check = ts_check_new (NULL, note_type, NULL, types);
  gchar *contents;
  gsize size;
  guint n;

  fail_unless (g_file_get_contents (path, &contents, &size, NULL));
  ts_check_push (check, (const guint8 *)contents, size);
  ts_check_finish (check);
  n = g_hash_table_size (types);
  ts_check_free (check);
  g_hash_table_unref (types);
  g_free (contents);
  return n;
}

GST_START_TEST (test_resumed_recording_keeps_the_pid_of_each_codec)
{
  gchar *dir = g_dir_make_tmp ("tsrecmuxtracks-XXXXXX", NULL);
  gchar *path = g_build_filename (dir, "rec.ts", NULL);
  static const gchar *const caps[] = { AAC_CAPS, OPUS_CAPS, OPUS_CAPS, AAC_CAPS,
    OPUS_CAPS };
  GstElement *sink;

  for (guint i = 0; i + 1 < G_N_ELEMENTS (caps); i++) {
    GstHarness *h = start_recording (&sink, path, caps[i]);

    for (guint j = 0; j < 2; j++) {
      GstClockTime time = (j * 50) * 20 * GST_MSECOND;

      gst_harness_set_src_caps_str (h, caps[i + j]);
      for (guint k = 0; k < 50; k++) {
        if (g_str_equal (caps[i + j], OPUS_CAPS))
          push_opus (h, time + k * 20 * GST_MSECOND);
        else
          gst_harness_push (h, new_aac (time + k * 20 * GST_MSECOND, 135));
      }
    }
    end_recording (sink, h);
  }
  fail_unless_equals_int (count_pids (path), 2);
  g_unlink (path);
  g_rmdir (dir);
  g_free (path);
  g_free (dir);
}
GST_END_TEST;

/* --- Tables and tracks that never come */

static void
check_caps_without_data (gboolean live)
{
  GstHarness *other;
  Pmt pmt = { 0 };
  Mux m;

  mux_init (&m, live);
  other = gst_harness_new_with_element (m.mux, "audio_1", NULL);
  gst_harness_set_live (other, live);
  gst_harness_set_src_caps_str (other, AAC_CAPS);
  push_both (&m, 0, 2 * GST_SECOND, 0, 0);
  take (&m, &pmt);
  fail_unless_equals_int (pmt.n, 2);
  gst_harness_push (other, new_aac (2 * GST_SECOND, 135));
  push_both (&m, 2 * GST_SECOND, 3 * GST_SECOND, 0, 0);
  take (&m, &pmt);
  fail_unless_equals_int (pmt.n, 3);
  gst_harness_teardown (other);
  mux_clear (&m);
}

GST_START_TEST (test_tables_name_a_track_with_its_first_access_unit)
{
  check_caps_without_data (TRUE);
  check_caps_without_data (FALSE);
}
GST_END_TEST;

/* Input that is not live waits anyway. */
GST_START_TEST (test_first_table_of_a_file_is_complete)
{
  Mux m;

  mux_init (&m, FALSE);
  push_both (&m, 0, 3 * GST_SECOND, 0, 0);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  mux_assert_conformant (&m);
  fail_unless_equals_int (ts_check_get_stats (m.check)->pmt_version, 0);
  mux_clear (&m);
}
GST_END_TEST;

/* --- Refused tracks */

static guint
count_messages (Mux *m, GstMessageType type, const gchar *part)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (m->bus, type))) {
    GError *error = NULL;

    if (type == GST_MESSAGE_ERROR)
      gst_message_parse_error (message, &error, NULL);
    else
      gst_message_parse_warning (message, &error, NULL);
    fail_unless (strstr (error->message, part) != NULL, "%s", error->message);
    n++;
    g_error_free (error);
    gst_message_unref (message);
  }
  return n;
}

GST_START_TEST (test_loss_of_a_track_is_a_warning)
{
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, GST_SECOND, 0, 0);
  gst_harness_set_src_caps_str (m.video, "video/x-vp8");
  fail_unless_equals_int (count_messages (&m, GST_MESSAGE_WARNING, "VP8"), 1);
  gst_harness_set_src_caps_str (m.video, "video/x-vp8, width=64");
  fail_unless_equals_int (count_messages (&m, GST_MESSAGE_WARNING, "VP8"), 0);
  push_aac (&m, 47);
  fail_unless_equals_int (count_messages (&m, GST_MESSAGE_ERROR, ""), 0);
  mux_clear (&m);
}
GST_END_TEST;

static void
check_all_refused (gboolean live)
{
  Mux m;

  mux_init (&m, live);
  gst_harness_set_src_caps_str (m.video, "video/x-vp8");
  fail_unless_equals_int (count_messages (&m, GST_MESSAGE_ERROR, ""), 0);
  gst_harness_set_src_caps_str (m.audio, "audio/x-flac");
  fail_unless_equals_int (
      count_messages (&m, GST_MESSAGE_ERROR, "every track is refused"), 1);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  fail_unless_equals_int (count_messages (&m, GST_MESSAGE_ERROR, ""), 0);
  mux_clear (&m);
}

GST_START_TEST (test_loss_of_every_track_is_an_error)
{
  check_all_refused (TRUE);
  check_all_refused (FALSE);
}
GST_END_TEST;

/* A track that has said nothing yet may still be carried. */
static void
check_undecided (gboolean live, gboolean comes)
{
  GstHarness *video, *audio;
  Mux m = { 0 };

  m.mux = make_subject ();
  m.bus = gst_bus_new ();
  gst_element_set_bus (m.mux, m.bus);
  video = gst_harness_new_with_element (m.mux, "video_0", "src");
  audio = gst_harness_new_with_element (m.mux, "audio_0", NULL);
  gst_harness_set_live (video, live);
  gst_harness_set_live (audio, live);
  gst_harness_play (video);
  gst_harness_set_src_caps_str (video, "video/x-vp8");
  fail_unless_equals_int (count_messages (&m, GST_MESSAGE_ERROR, ""), 0);
  if (comes) {
    gst_harness_set_src_caps_str (audio, AAC_CAPS);
    fail_unless_equals_int (
        gst_harness_push (audio, new_aac (0, 135)), GST_FLOW_OK);
  } else {
    gst_harness_push_event (audio, gst_event_new_stream_start ("audio"));
  }
  gst_harness_push_event (audio, gst_event_new_eos ());
  fail_unless_equals_int (
      count_messages (&m, GST_MESSAGE_ERROR, "refused"), comes ? 0 : 1);
  gst_harness_teardown (audio);
  gst_harness_teardown (video);
  gst_element_set_bus (m.mux, NULL);
  gst_object_unref (m.bus);
  gst_object_unref (m.mux);
}

GST_START_TEST (test_undecided_track_is_waited_for)
{
  check_undecided (TRUE, TRUE);
  check_undecided (TRUE, FALSE);
  check_undecided (FALSE, TRUE);
  check_undecided (FALSE, FALSE);
}
GST_END_TEST;

/* --- The suite */

static void
add_tests (TCase *tc)
{
  tcase_add_test (tc, test_another_codec_gets_another_pid);
  tcase_add_test (tc, test_caps_without_data_in_between_change_nothing);
  tcase_add_test (
      tc, test_first_random_access_point_of_another_codec_is_marked);
  tcase_add_test (
      tc, test_new_pad_of_an_old_name_and_another_codec_gets_another_pid);
  tcase_add_test (
      tc, test_other_parameters_of_a_codec_get_another_pid_where_needed);
  tcase_add_test (tc, test_nal_units_with_lengths_become_a_byte_stream);
  tcase_add_test (tc, test_lengths_that_do_not_fill_an_access_unit_are_damage);
  tcase_add_test (tc, test_tables_name_a_track_with_its_first_access_unit);
  tcase_add_test (tc, test_first_table_of_a_file_is_complete);
  tcase_add_test (tc, test_loss_of_a_track_is_a_warning);
  tcase_add_test (tc, test_loss_of_every_track_is_an_error);
  tcase_add_test (tc, test_undecided_track_is_waited_for);
}

static Suite *
tsrecmuxtracks_suite (void)
{
  Suite *s = suite_create ("tsrecmuxtracks");
  TCase *mux = tcase_create ("tsrecmux"), *sink = tcase_create ("tsrecsink");

  tcase_add_checked_fixture (mux, use_tsrecmux, NULL);
  add_tests (mux);
  suite_add_tcase (s, mux);
  tcase_add_checked_fixture (sink, use_tsrecsink, NULL);
  add_tests (sink);
  tcase_add_test (sink, test_resumed_recording_keeps_the_pid_of_each_codec);
  suite_add_tcase (s, sink);
  return s;
}

GST_CHECK_MAIN (tsrecmuxtracks);
