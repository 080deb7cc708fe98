/* gst-tsrec: tests of tsrecmux, with what a recording begins
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The streams here have played for 20 s when the recording begins, unless it
 * says otherwise.
 */

#include "config.h"

#include <gst/check/gstcheck.h>

#include "recmuxtest.h"

/* 100 ms after a key frame, which is every two seconds */
#define BEGIN (20 * GST_SECOND + 100 * GST_MSECOND)
#define KEY (660 * FRAME)

typedef struct
{
  guint video, audio;            /* PES packets */
  gboolean video_key;            /* the first one */
  gint64 video_time, audio_time; /* PTS of the first one, 90 kHz */
} Begin;

static Begin begin;

static void
note_pes (void *user_data, const TsCheckPes *pes)
{
  gboolean video = pes->kind == TS_CHECK_KIND_VIDEO;

  if (video && begin.video++ == 0) {
    begin.video_key = pes->random_access;
    begin.video_time = pes->pts;
  }
  if (!video && begin.audio++ == 0)
    begin.audio_time = pes->pts;
}

static void
begin_init (Mux *m, gboolean live)
{
  memset (&begin, 0, sizeof (begin));
  mux_init (m, live);
  ts_check_free (m->check);
  m->check = ts_check_new (NULL, note_pes, NULL, NULL);
}

static guint
count_warnings (Mux *m)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (m->bus, GST_MESSAGE_WARNING))) {
    n++;
    gst_message_unref (message);
  }
  return n;
}

/* How many access units the message says that pad @name has left out. */
static guint64
get_skipped (Mux *m, const gchar *name)
{
  GstMessage *message;
  guint64 n = 0, duration;

  while ((message = pop_element_message (m, "tsrecmux-skipped"))) {
    const GstStructure *s = gst_message_get_structure (message);

    if (g_str_equal (gst_structure_get_string (s, "pad"), name)) {
      fail_unless (n == 0, "said twice");
      fail_unless (gst_structure_get_uint64 (s, "access-units", &n));
      fail_unless (gst_structure_get_uint64 (s, "duration", &duration));
      fail_unless (duration < 2 * GST_SECOND);
    }
    gst_message_unref (message);
    if (n > 0)
      break;
  }
  return n;
}

/* From some of the times audio comes first, from others video. */
static void
check_mid_stream (gboolean live, GstClockTime from)
{
  guint pictures, frames;
  Mux m;

  begin_init (&m, live);
  push_both (&m, from, KEY, 0, 0);
  if (live) {
    fail_unless_equals_int (mux_collect (&m), 0);
    fail_unless (pop_element_message (&m, "tsrecmux-skipped") == NULL);
  }
  push_both (&m, KEY, KEY + 3 * GST_SECOND, 0, 0);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  pictures = (guint)((KEY - from) / FRAME);
  frames = (guint)((KEY - from) / AAC_FRAME);
  fail_unless_equals_int (count_warnings (&m), 0);
  mux_assert_conformant (&m);
  fail_unless (begin.video_key);
  fail_unless (begin.audio_time >= begin.video_time &&
      begin.audio_time < begin.video_time + 2000);
  fail_unless (begin.video >= 90);
  fail_unless (begin.audio >= 139);
  fail_unless (ABS ((gint64)mux_get_stat (&m, "skipped") -
                   (gint64)(pictures + frames)) <= 2);
  fail_unless_equals_uint64 (
      mux_get_stat (&m, "skipped") + mux_get_stat (&m, "access-units"),
      begin.video + begin.audio + mux_get_stat (&m, "skipped"));
  mux_clear (&m);
}

GST_START_TEST (test_a_recording_in_mid_stream_begins_with_a_key_frame)
{
  for (guint i = 0; i < 5; i++) {
    check_mid_stream (TRUE, BEGIN + i * 9 * GST_MSECOND);
    check_mid_stream (FALSE, BEGIN + i * 9 * GST_MSECOND);
  }
}
GST_END_TEST;

/* Encoders of audio, such as opusenc, give PTS only, and so do payloads out of
 * RTP. */
GST_START_TEST (test_sound_without_dts_begins_with_the_key_frame_too)
{
  guint a = (guint)(BEGIN / AAC_FRAME);
  Mux m;

  for (guint live = 0; live < 2; live++, a = (guint)(BEGIN / AAC_FRAME)) {
    begin_init (&m, live);
    for (guint v = (guint)(BEGIN / FRAME) + 1; v * FRAME < KEY + GST_SECOND;
         v++) {
      for (; a * AAC_FRAME < v * FRAME; a++) {
        GstBuffer *buffer = new_aac (a * AAC_FRAME, 135);

        GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
        gst_harness_push (m.audio, buffer);
      }
      push_picture (&m, v);
    }
    gst_harness_push_event (m.video, gst_event_new_eos ());
    gst_harness_push_event (m.audio, gst_event_new_eos ());
    mux_assert_conformant (&m);
    fail_unless (begin.video_key);
    fail_unless (begin.audio_time >= begin.video_time &&
        begin.audio_time < begin.video_time + 2000);
    fail_unless (get_skipped (&m, "audio_0") >= 88);
    mux_clear (&m);
  }
}
GST_END_TEST;

/* A pad takes whatever its caps say: a source without caps, such as an appsrc,
 * is linked to the first template. */
GST_START_TEST (test_sound_on_a_video_pad_begins_with_the_key_frame_too)
{
  guint a = (guint)(BEGIN / AAC_FRAME);
  GstHarness *other;
  Mux m;

  begin_init (&m, TRUE);
  other = gst_harness_new_with_element (m.mux, "video_1", NULL);
  gst_harness_set_live (other, TRUE);
  gst_harness_set_src_caps_str (other, AAC_CAPS);
  for (guint v = (guint)(BEGIN / FRAME) + 1; v * FRAME < KEY + GST_SECOND;
       v++) {
    for (; a * AAC_FRAME < v * FRAME; a++)
      gst_harness_push (other, new_aac (a * AAC_FRAME, 135));
    push_picture (&m, v);
  }
  mux_collect (&m);
  ts_check_finish (m.check); /* PCR waits for audio_0 */
  fail_unless (begin.video_key);
  fail_unless (begin.audio_time >= begin.video_time &&
      begin.audio_time < begin.video_time + 2000);
  gst_harness_teardown (other);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_what_was_left_out_is_said_once_for_each_track)
{
  Mux m;

  begin_init (&m, TRUE);
  push_both (&m, BEGIN, KEY + 3 * GST_SECOND, 0, 0);
  fail_unless_equals_uint64 (get_skipped (&m, "video_0"), 56);
  fail_unless (get_skipped (&m, "audio_0") >= 88);
  fail_unless (pop_element_message (&m, "tsrecmux-skipped") == NULL);
  fail_unless_equals_int (count_warnings (&m), 0);
  mux_clear (&m);
}
GST_END_TEST;

/* A stream that begins with its recording, at any time, loses nothing. */
GST_START_TEST (test_nothing_is_left_out_where_a_key_frame_is_first)
{
  static const GstClockTime times[] = { 0, 2 * GST_SECOND, KEY };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (times); i++) {
    GstClockTime time = times[i / 2];
    Mux m;

    begin_init (&m, i % 2);
    /* the encoder of the sound was ready before that of the pictures */
    for (guint a = 0; a < 5; a++)
      gst_harness_push (m.audio, new_aac (time + a * AAC_FRAME, 135));
    gst_harness_push (
        m.video, new_picture (time + 50 * GST_MSECOND, 5000, TRUE, TRUE));
    for (guint a = 5; a < 200; a++)
      gst_harness_push (m.audio, new_aac (time + a * AAC_FRAME, 135));
    gst_harness_push_event (m.video, gst_event_new_eos ());
    gst_harness_push_event (m.audio, gst_event_new_eos ());
    mux_assert_conformant (&m);
    fail_unless_equals_uint64 (mux_get_stat (&m, "skipped"), 0);
    fail_unless_equals_int (begin.audio, 200);
    fail_unless_equals_int (begin.video, 1);
    fail_unless (pop_element_message (&m, "tsrecmux-skipped") == NULL);
    mux_clear (&m);
  }
}
GST_END_TEST;

/* The camera is linked, and off. */
GST_START_TEST (test_sound_alone_is_not_kept_waiting)
{
  Mux m;

  begin_init (&m, TRUE);
  push_aac (&m, 0);
  fail_unless (mux_collect (&m) > 0);
  mux_clear (&m);
  begin_init (&m, TRUE);
  for (guint i = 1000; i < 1100; i++) {
    push_aac (&m, i);
    fail_unless ((mux_collect (&m) > 0) == (i >= 1010), "frame %u", i);
  }
  fail_unless_equals_uint64 (mux_get_stat (&m, "skipped"), 0);
  ts_check_finish (m.check); /* PCR waits for the camera */
  fail_unless_equals_int (begin.audio, 100);
  mux_clear (&m);
  /* and one that ends at once */
  begin_init (&m, TRUE);
  push_aac (&m, 1000);
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  fail_unless (mux_collect (&m) > 0);
  mux_clear (&m);
}
GST_END_TEST;

static gint64 sound_times[64]; /* PTS of each frame of sound, 90 kHz */
static gint64 picture_time;
static guint n_sound;

static void
note_times (void *user_data, const TsCheckPes *pes)
{
  if (pes->kind == TS_CHECK_KIND_VIDEO && picture_time < 0)
    picture_time = pes->pts;
  else if (pes->kind != TS_CHECK_KIND_VIDEO && n_sound < 64)
    sound_times[n_sound++] = pes->pts;
}

static GstEvent *
new_segment (void)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  return gst_event_new_segment (&segment);
}

static GstBuffer *
new_untimed_aac (void)
{
  return new_aac (GST_CLOCK_TIME_NONE, 135);
}

/* A transport stream from its middle, a segment of HLS: the first PES packet
 * of the sound is from before the first PCR, and its frames come without a
 * timestamp. They are before the first one that has one; it is not moved. */
GST_START_TEST (test_sound_without_times_at_first_does_not_move_the_rest)
{
  const GstClockTime timed = 90 * GST_MSECOND;
  Mux m;

  mux_init (&m, FALSE);
  n_sound = 0;
  picture_time = -1;
  ts_check_free (m.check);
  m.check = ts_check_new (NULL, note_times, NULL, NULL);
  push_picture (&m, 0);
  for (guint i = 0; i < 4; i++)
    gst_harness_push (m.audio, new_untimed_aac ());
  for (guint i = 0; i < 40; i++) {
    push_picture (&m, i + 1);
    gst_harness_push (m.audio, new_aac (timed + i * AAC_FRAME, 135));
  }
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  mux_assert_conformant (&m);
  fail_unless_equals_int (n_sound, 44);
  for (gint i = 0; i < 44; i++) {
    gint64 off = sound_times[i] - picture_time - 8100 - (i - 4) * 1920;

    fail_unless (
        ABS (off) <= 1, "frame %d is off by %" G_GINT64_FORMAT, i, off);
  }
  fail_unless_equals_uint64 (mux_get_stat (&m, "pts-moved"), 0);
  fail_unless_equals_uint64 (mux_get_stat (&m, "no-timestamp"), 4);
  fail_unless_equals_int (count_warnings (&m), 1);
  mux_clear (&m);
}
GST_END_TEST;

/* The frames are live, and their timestamps are half a second behind the clock,
 * as of a branch with that latency; or they are of a file and have no
 * duration. They are before the first timestamp all the same. */
GST_START_TEST (test_a_start_without_times_moves_no_timestamps)
{
  for (gint kind = 0; kind < 3; kind++) {
    gboolean live = kind > 0;
    Mux m;

    mux_init (&m, live);
    n_sound = 0;
    picture_time = -1;
    ts_check_free (m.check);
    m.check = ts_check_new (NULL, note_times, NULL, NULL);
    gst_harness_set_time (m.video, live ? 3500 * GST_MSECOND : 0);
    for (guint i = 0; i < 10; i++) {
      GstBuffer *buffer = new_untimed_aac ();

      if (kind != 1)
        GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
      gst_harness_push (m.audio, buffer);
    }
    for (guint i = 0; i < 40; i++) {
      gst_harness_push (m.video,
          new_picture (3 * GST_SECOND + i * FRAME, 900, i == 0, i == 0));
      gst_harness_push (
          m.audio, new_aac (3 * GST_SECOND + (i + 10) * AAC_FRAME, 135));
    }
    gst_harness_push_event (m.video, gst_event_new_eos ());
    gst_harness_push_event (m.audio, gst_event_new_eos ());
    mux_assert_conformant (&m);
    fail_unless_equals_int (n_sound, 50);
    for (gint i = 0; i < 50; i++) {
      gint64 off = sound_times[i] - picture_time - i * 1920;

      fail_unless (ABS (off) <= 1,
          "kind %d, frame %d is off by %" G_GINT64_FORMAT, kind, i, off);
    }
    fail_unless_equals_uint64 (mux_get_stat (&m, "pts-moved"), 0);
    fail_unless_equals_uint64 (mux_get_stat (&m, "no-timestamp"), 10);
    mux_clear (&m);
  }
}
GST_END_TEST;

static gint64 picture_times[64];
static guint n_pictures;

static void
note_pictures (void *user_data, const TsCheckPes *pes)
{
  if (pes->kind == TS_CHECK_KIND_VIDEO && n_pictures < 64)
    picture_times[n_pictures++] = pes->pts;
}

/* Pictures as well, live or not: there is no gap before the first timestamp. */
GST_START_TEST (test_pictures_without_times_at_first_are_before_the_rest)
{
  for (gint live = 0; live < 2; live++) {
    Mux m;

    mux_init (&m, live);
    n_pictures = 0;
    ts_check_free (m.check);
    m.check = ts_check_new (NULL, note_pictures, NULL, NULL);
    gst_harness_push_event (m.audio, gst_event_new_eos ());
    gst_harness_set_time (m.video, live ? 3500 * GST_MSECOND : 0);
    for (guint i = 0; i < 50; i++) {
      GstBuffer *buffer =
          new_picture (3 * GST_SECOND + i * FRAME, 900, i == 0, i == 0);

      gst_harness_push (m.video,
          i < 10 ? stamp (buffer, GST_CLOCK_TIME_NONE, FRAME) : buffer);
    }
    gst_harness_push_event (m.video, gst_event_new_eos ());
    mux_assert_conformant (&m);
    fail_unless_equals_int (n_pictures, 50);
    for (gint i = 0; i < 50; i++)
      fail_unless (ABS (picture_times[i] - picture_times[0] - i * 3000) <= 1,
          "live %d, picture %d", live, i);
    fail_unless_equals_uint64 (mux_get_stat (&m, "pts-moved"), 0);
    mux_clear (&m);
  }
}
GST_END_TEST;

/* Waits until the mux has written something; nothing arrives meanwhile. */
static gboolean
wait_for_output (Mux *m)
{
  for (guint i = 0; i < 2000; i++) {
    if (mux_collect (m) > 0)
      return TRUE;
    g_usleep (10000);
  }
  return FALSE;
}

/* Live input without a timestamp at first waits for one for half a second, also
 * if no more of it comes; that after a flush and that of another track too. */
GST_START_TEST (test_what_has_no_time_leaves_though_nothing_follows)
{
  Mux m;

  mux_init (&m, TRUE);
  for (guint run = 1; run < 4; run++) {
    GstHarness *h = run == 3 ? m.audio : m.video;
    gint64 start = g_get_monotonic_time ();
    guint64 written;

    if (run == 2) {
      gst_harness_push_event (h, gst_event_new_flush_start ());
      gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
      gst_harness_push_event (h, new_segment ());
    }
    if (run == 3)
      gst_harness_push (h, new_untimed_aac ());
    else
      gst_harness_push (h,
          stamp (new_picture (0, 900, TRUE, TRUE), GST_CLOCK_TIME_NONE, FRAME));
    written = mux_get_stat (&m, "access-units");
    fail_unless (written == run - 1 ||
        g_get_monotonic_time () - start > 400 * G_TIME_SPAN_MILLISECOND);
    fail_unless (wait_for_output (&m), "run %u", run);
    fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), run);
    fail_unless_equals_uint64 (mux_get_stat (&m, "no-timestamp"), run);
  }
  /* and where it stops meanwhile */
  gst_element_set_state (m.mux, GST_STATE_READY);
  gst_element_set_state (m.mux, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (m.audio, AAC_CAPS);
  gst_harness_push (m.audio, new_untimed_aac ());
  mux_clear (&m);
}
GST_END_TEST;

/* The text of the warning that a track lags; NULL without one. */
static gchar *
get_lag_warning (gboolean live)
{
  GstMessage *message;
  gchar *text = NULL;
  Mux m;

  mux_init (&m, live);
  push_aac (&m, 0);
  for (guint i = 0; i < 60 * 30; i++)
    push_picture (&m, i);
  push_aac (&m, 1);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  while ((message = gst_bus_pop_filtered (m.bus, GST_MESSAGE_WARNING))) {
    GError *error;

    gst_message_parse_warning (message, &error, NULL);
    if (strstr (error->message, "lags behind")) {
      g_free (text);
      text = g_strdup (error->message);
    }
    g_error_free (error);
    gst_message_unref (message);
  }
  mux_clear (&m);
  return text;
}

/* No encoder is to blame where a file has its tracks in another order: what
 * helps is named. */
GST_START_TEST (test_the_warning_of_a_lag_says_what_helps)
{
  gchar *live = get_lag_warning (TRUE), *file = get_lag_warning (FALSE);

  fail_unless (live != NULL && file != NULL);
  fail_unless (strstr (live, "\"preroll\"") != NULL, "%s", live);
  fail_unless (strstr (live, "\"max-interleave\"") == NULL, "%s", live);
  fail_unless (strstr (file, "\"max-interleave\"") != NULL, "%s", file);
  fail_unless (strstr (file, "Lower the load") == NULL, "%s", file);
  g_free (live);
  g_free (file);
}
GST_END_TEST;

/* Sound that never has a timestamp follows its order, and is not kept back for
 * long. */
GST_START_TEST (test_sound_without_any_times_is_not_kept_waiting)
{
  Mux m;

  mux_init (&m, FALSE);
  n_sound = 0;
  ts_check_free (m.check);
  m.check = ts_check_new (NULL, note_times, NULL, NULL);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  for (guint i = 0; i < 100; i++)
    gst_harness_push (m.audio, new_untimed_aac ());
  fail_unless (mux_collect (&m) > 0);
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  mux_assert_conformant (&m);
  for (guint i = 1; i < 64; i++)
    fail_unless (ABS (sound_times[i] - sound_times[0] - i * 1920) <= 1);
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 100);
  mux_clear (&m);
}
GST_END_TEST;

/* Periodic intra refresh: after ten seconds it begins all the same, which is
 * said, and with all of the sound, which can be decoded. */
GST_START_TEST (test_a_key_frame_that_never_comes_is_not_waited_for)
{
  guint a = 1000;
  Mux m;

  begin_init (&m, TRUE);
  for (guint i = 0; i < 360; i++) {
    GstClockTime time = 1000 * AAC_FRAME + i * FRAME;

    gst_harness_push (m.video, new_picture (time, 900, FALSE, FALSE));
    for (; a * AAC_FRAME < time + FRAME; a++)
      push_aac (&m, a);
    if (i == 280)
      fail_unless_equals_int (mux_collect (&m), 0);
  }
  mux_collect (&m);
  fail_unless_equals_int (count_warnings (&m), 1);
  fail_unless (mux_get_stat (&m, "skipped") >= 299 &&
      mux_get_stat (&m, "skipped") <= 301);
  fail_unless (begin.video >= 58);
  ts_check_finish (m.check);
  fail_unless_equals_int (begin.audio, a - 1000);
  mux_clear (&m);
}
GST_END_TEST;

/* Nor is one of a track that has stopped. */
GST_START_TEST (test_pictures_that_stop_are_not_waited_for)
{
  Mux m;

  begin_init (&m, TRUE);
  push_both (&m, BEGIN, BEGIN + GST_SECOND, 0, 0);
  for (guint i = 1000; i < 1600; i++)
    push_aac (&m, i);
  fail_unless (mux_collect (&m) > 0);
  ts_check_finish (m.check);
  fail_unless (begin.audio > 600);
  fail_unless_equals_int (begin.video, 0);
  mux_clear (&m);
  /* and where its branch has come to an end */
  begin_init (&m, TRUE);
  push_both (&m, BEGIN, BEGIN + GST_SECOND, 0, 0);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  fail_unless (mux_collect (&m) > 0);
  mux_clear (&m);
}
GST_END_TEST;

/* Sound is being recorded: it goes on, and leads nowhere. */
GST_START_TEST (test_pictures_that_join_later_begin_with_a_key_frame)
{
  guint a = 0;
  Mux m;

  begin_init (&m, TRUE);
  for (; a * AAC_FRAME < 3 * GST_SECOND; a++)
    push_aac (&m, a);
  mux_collect (&m);
  for (guint v = 90; v < 240; v++) {
    push_picture (&m, v);
    for (; a * AAC_FRAME < v * FRAME; a++) {
      push_aac (&m, a);
      fail_unless (mux_collect (&m) > 0, "frame %u waits", a);
    }
  }
  ts_check_finish (m.check); /* PCR has waited for the camera */
  fail_unless (begin.video_key);
  fail_unless_equals_int (begin.audio, a);
  fail_unless_equals_uint64 (mux_get_stat (&m, "skipped"), 30);
  fail_unless_equals_uint64 (get_skipped (&m, "video_0"), 30);
  mux_clear (&m);
}
GST_END_TEST;

/* The sound is ahead of the pictures by the latency of their encoder: of what
 * has come before the key frame, it keeps what is later than that. */
GST_START_TEST (test_sound_that_is_ahead_begins_where_the_pictures_do)
{
  const GstClockTime ahead = 1500 * GST_MSECOND;
  guint a = (guint)(BEGIN / AAC_FRAME);
  Mux m;

  begin_init (&m, TRUE);
  for (guint v = (guint)(BEGIN / FRAME) + 1; v * FRAME < KEY + GST_SECOND;
       v++) {
    push_picture (&m, v);
    for (; a * AAC_FRAME < v * FRAME + ahead; a++)
      push_aac (&m, a);
  }
  mux_collect (&m);
  ts_check_finish (m.check);
  fail_unless (begin.video_key);
  fail_unless (ABS (begin.audio_time - begin.video_time) < 2000);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_each_of_two_video_tracks_begins_with_a_key_frame)
{
  GstHarness *other;
  Mux m;

  begin_init (&m, TRUE);
  other = gst_harness_new_with_element (m.mux, "video_1", NULL);
  gst_harness_set_live (other, TRUE);
  gst_harness_set_src_caps_str (other, H264_CAPS);
  for (guint v = 603; v < 740; v++) {
    push_picture (&m, v);
    gst_harness_push (
        other, new_picture (v * FRAME, 900, v % 50 == 0, v % 50 == 0));
  }
  mux_assert_conformant (&m);
  fail_unless (begin.video_key);
  fail_unless_equals_uint64 (
      mux_get_stat (&m, "skipped"), (660 - 603) + (650 - 603));
  gst_harness_teardown (other);
  mux_clear (&m);
}
GST_END_TEST;

/* A picture every @distance from an encoder that holds one back, beside sound:
 * the sound begins where it always does, and PCR stays near it. */
GST_START_TEST (test_rare_pictures_do_not_move_the_sound)
{
  static const guint distances[] = { 2, 5, 12, 20 };

  for (guint i = 0; i < G_N_ELEMENTS (distances); i++) {
    GstClockTime distance = distances[i] * GST_SECOND;
    gint64 pictures[8], start;
    guint v = 0;
    Mux m;

    begin_init (&m, TRUE);
    gst_harness_set_upstream_latency (m.video, distance);
    for (guint a = 0; v < 4; a++) {
      gst_harness_set_time (m.video, a * AAC_FRAME);
      gst_harness_set_time (m.audio, a * AAC_FRAME);
      push_aac (&m, a);
      if (a * AAC_FRAME < (v + 1) * distance)
        continue;
      gst_harness_push (m.video, new_picture (v * distance, 900, TRUE, TRUE));
      pictures[v] = (gint64)(v * distance / 1000 * 9 / 100);
      v++;
    }
    mux_collect (&m);
    ts_check_finish (m.check);
    start = begin.audio_time;
    fail_unless (start <= 3 * 90000, "%g s", (double)start / 90000);
    fail_unless_equals_int (begin.video, 4);
    fail_unless (ABS (begin.video_time - start - pictures[0]) <= 1);
    for (guint s = 0; ts_check_get_stream (m.check, s); s++) {
      const TsCheckStream *stream = ts_check_get_stream (m.check, s);

      if (stream->kind == TS_CHECK_KIND_VIDEO)
        fail_unless (ABS (stream->last_pts - start - pictures[3]) <= 1);
      else /* in the end, sound is no further than 3 s from PCR */
        fail_unless (
            stream->last_pts - ts_check_get_stats (m.check)->last_pcr / 300 <
            3 * 90000 + 4000);
    }
    mux_clear (&m);
  }
}
GST_END_TEST;

GST_START_TEST (test_everything_is_recorded_where_that_is_asked_for)
{
  Mux m;

  begin_init (&m, TRUE);
  gst_element_set_state (m.mux, GST_STATE_READY);
  g_object_set (m.mux, "wait-for-keyframe", FALSE, NULL);
  gst_element_set_state (m.mux, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (m.video, H264_CAPS);
  gst_harness_set_src_caps_str (m.audio, AAC_CAPS);
  push_both (&m, BEGIN, KEY, 0, 0);
  fail_unless (mux_collect (&m) > 0);
  fail_unless_equals_uint64 (mux_get_stat (&m, "skipped"), 0);
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 56 + 89);
  mux_clear (&m);
}
GST_END_TEST;

static void
add_tests (TCase *tc)
{
  tcase_add_test (tc, test_a_recording_in_mid_stream_begins_with_a_key_frame);
  tcase_add_test (tc, test_sound_without_dts_begins_with_the_key_frame_too);
  tcase_add_test (tc, test_sound_on_a_video_pad_begins_with_the_key_frame_too);
  tcase_add_test (tc, test_what_was_left_out_is_said_once_for_each_track);
  tcase_add_test (tc, test_nothing_is_left_out_where_a_key_frame_is_first);
  tcase_add_test (tc, test_sound_alone_is_not_kept_waiting);
  tcase_add_test (tc, test_sound_without_times_at_first_does_not_move_the_rest);
  tcase_add_test (tc, test_a_start_without_times_moves_no_timestamps);
  tcase_add_test (tc, test_pictures_without_times_at_first_are_before_the_rest);
  tcase_add_test (tc, test_what_has_no_time_leaves_though_nothing_follows);
  tcase_add_test (tc, test_sound_without_any_times_is_not_kept_waiting);
  tcase_add_test (tc, test_the_warning_of_a_lag_says_what_helps);
  tcase_add_test (tc, test_a_key_frame_that_never_comes_is_not_waited_for);
  tcase_add_test (tc, test_pictures_that_stop_are_not_waited_for);
  tcase_add_test (tc, test_pictures_that_join_later_begin_with_a_key_frame);
  tcase_add_test (tc, test_sound_that_is_ahead_begins_where_the_pictures_do);
  tcase_add_test (tc, test_each_of_two_video_tracks_begins_with_a_key_frame);
  tcase_add_test (tc, test_rare_pictures_do_not_move_the_sound);
  tcase_add_test (tc, test_everything_is_recorded_where_that_is_asked_for);
}

static Suite *
tsrecmuxbegin_suite (void)
{
  Suite *s = suite_create ("tsrecmuxbegin");
  TCase *mux = tcase_create ("tsrecmux"), *sink = tcase_create ("tsrecsink");

  tcase_add_checked_fixture (mux, use_tsrecmux, NULL);
  add_tests (mux);
  suite_add_tcase (s, mux);
  tcase_add_checked_fixture (sink, use_tsrecsink, NULL);
  add_tests (sink);
  suite_add_tcase (s, sink);
  return s;
}

GST_CHECK_MAIN (tsrecmuxbegin);
