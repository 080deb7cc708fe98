/* gst-tsrec: the HLS playlist that recfilesink keeps
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recsinktest.h"

#include <gst/video/video.h>

/* A picture is 40 ms: 50 of them are the 2 s of an entry. */
#define GOP 50

static gchar *list;

static void
setup_list (void)
{
  setup ();
  list = in_dir ("rec.m3u8");
}

static void
teardown_list (void)
{
  g_free (list);
  teardown ();
}

static GstElement *
make_list_sink (const gchar *location)
{
  GstElement *element = make_sink (location);

  g_object_set (element, "playlist-location", list, NULL);
  return element;
}

/* An access unit that a key frame begins has a PAT in front. */
static void
push_flagged (GstHarness *h, guint n, gboolean random_access, guint flags)
{
  GstBuffer *buffer = make_au (n, random_access);
  static const guint8 pat[] = { 0x47, 0x40, 0x00, 0x10 };

  if (random_access)
    gst_buffer_fill (buffer, 0, pat, sizeof (pat));
  GST_BUFFER_DURATION (buffer) = FRAME;
  GST_BUFFER_FLAG_SET (buffer, flags);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
}

static void
push (GstHarness *h, guint n, gboolean random_access)
{
  push_flagged (h, n, random_access, 0);
}

static void
push_range (GstHarness *h, guint from, guint to, guint gop)
{
  guint n;

  for (n = from; n < to; n++)
    push (h, n, n % gop == 0);
}

static gchar *
read_list (void)
{
  gchar *text;

  fail_unless (g_file_get_contents (list, &text, NULL, NULL), "no playlist");
  return text;
}

typedef struct
{
  guint entries, discontinuities, whole, dates, target;
  gboolean ended;
  guint64 end; /* highest byte that is named */
  gdouble duration, longest;
} Summary;

/* Every range lies in its file and begins with a PAT. */
static void
check_range (const gchar *uri, guint64 size, guint64 offset)
{
  gchar *name = g_path_is_absolute (uri) ? g_strdup (uri) : in_dir (uri);
  gchar *contents;
  gsize length;

  fail_unless (g_file_get_contents (name, &contents, &length, NULL),
      "the playlist names %s", uri);
  fail_unless (size > 0 && offset + size <= length);
  fail_unless_equals_int (contents[offset], 0x47);
  fail_unless ((contents[offset + 1] & 0x1f) == 0 && contents[offset + 2] == 0);
  g_free (contents);
  g_free (name);
}

static Summary
survey (void)
{
  gchar *text = read_list (), **lines = g_strsplit (text, "\n", -1), **line;
  guint64 size = 0, offset = 0;
  gdouble seconds = 0;
  Summary s = { 0 };

  fail_unless (g_str_has_prefix (text, "#EXTM3U\n#EXT-X-VERSION:4\n"));
  fail_unless (g_str_has_suffix (text, "\n"));
  for (line = lines; *line; line++) {
    s.discontinuities += g_str_equal (*line, "#EXT-X-DISCONTINUITY");
    s.dates += g_str_has_prefix (*line, "#EXT-X-PROGRAM-DATE-TIME:");
    s.ended |= g_str_equal (*line, "#EXT-X-ENDLIST");
    sscanf (*line, "#EXT-X-TARGETDURATION:%u", &s.target);
    sscanf (*line, "#EXTINF:%lf", &seconds);
    sscanf (*line, "#EXT-X-BYTERANGE:%" G_GUINT64_FORMAT "@%" G_GUINT64_FORMAT,
        &size, &offset);
    if (**line == '#' || **line == '\0')
      continue;
    if (size > 0)
      check_range (*line, size, offset);
    else
      s.whole++;
    s.entries++;
    s.end = MAX (s.end, offset + size);
    s.duration += seconds;
    s.longest = MAX (s.longest, seconds);
    size = offset = 0;
  }
  fail_unless ((guint)(s.longest + 0.5) <= s.target,
      "an entry of %g s where %u are promised", s.longest, s.target);
  g_strfreev (lines);
  g_free (text);
  return s;
}

static void
assert_seconds (gdouble found, gdouble expected)
{
  fail_unless (ABS (found - expected) < 1e-3, "%g s, not %g", found, expected);
}

GST_START_TEST (test_playlist_never_names_a_byte_that_is_not_there)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  Summary s;
  guint n;

  for (n = 0; n < 5 * GOP; n++) {
    push (h, n, n % 25 == 0);
    if (n % 25 > 1) /* around random access points only: it reads everything */
      continue;
    s = survey ();
    /* an entry is there as soon as the next one has begun */
    fail_unless_equals_int (s.entries, n / GOP);
    fail_unless_equals_uint64 (s.end, (guint64)(n / GOP) * GOP * AU);
    fail_unless (!s.ended);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  s = survey ();
  fail_unless_equals_int (s.entries, 5);
  fail_unless_equals_int (s.discontinuities, 0);
  fail_unless_equals_int (s.dates, 1);
  fail_unless_equals_uint64 (s.end, 5 * GOP * AU);
  fail_unless (s.ended);
  assert_seconds (s.duration, 10.0);
  fail_unless_equals_int (s.target, 6);
  stop_sink (h, NULL);
}

GST_END_TEST;

GST_START_TEST (test_stop_without_eos_ends_the_playlist)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  Summary s;

  push_range (h, 0, GOP + 10, GOP);
  stop_sink (h, NULL);
  s = survey ();
  fail_unless_equals_int (s.entries, 2);
  fail_unless (s.ended);
  assert_seconds (s.duration, 2.4);
}

GST_END_TEST;

static guint
count_key_unit_requests (GstHarness *h)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_upstream_event (h))) {
    if (gst_video_event_is_force_key_unit (event))
      n++;
    gst_event_unref (event);
  }
  return n;
}

GST_START_TEST (test_key_frame_is_asked_for_before_the_promise_is_broken)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);

  push_range (h, 0, 2 * GOP, 1000);
  fail_unless_equals_int (count_key_unit_requests (h), 0);
  push_range (h, 2 * GOP, 3 * GOP, 1000);
  fail_unless (count_key_unit_requests (h) > 0);
  /* and where the source sends none even then, the promise is changed */
  push_range (h, 3 * GOP, 10 * GOP, 1000);
  push (h, 10 * GOP, TRUE);
  fail_unless_equals_int (survey ().entries, 1);
  fail_unless_equals_int (survey ().target, 20);
  stop_sink (h, NULL);
}

GST_END_TEST;

/* PAT and PMT alone, as a mux writes before a publisher connects. */
static void
push_tables (GstHarness *h, guint n)
{
  GstBuffer *buffer;
  guint8 *data;

  for (; n > 0; n--) {
    data = g_malloc0 (PACKET);
    data[0] = 0x47;
    data[1] = 0x40;
    data[3] = 0x10;
    buffer = gst_buffer_new_wrapped (data, PACKET);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
}

GST_START_TEST (test_tables_without_timestamps_take_no_time)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  Summary s;

  push_tables (h, 2);
  push_range (h, 0, 20, GOP);
  push_tables (h, 3);
  push_range (h, 20, 2 * GOP, GOP);
  push_tables (h, 3);
  push_range (h, 2 * GOP, 2 * GOP + 10, GOP);
  push_tables (h, 3);
  gst_harness_push_event (h, gst_event_new_eos ());
  s = survey ();
  fail_unless_equals_int (s.entries, 3);
  assert_seconds (s.longest, 2.0);
  assert_seconds (s.duration, 4.4);
  fail_unless_equals_int (s.target, 6);
  stop_sink (h, NULL);
}

GST_END_TEST;

GST_START_TEST (test_pause_of_the_publisher_is_no_part_of_an_entry)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  Summary s;

  push_range (h, 0, GOP + 10, GOP);
  push_tables (h, 3);
  /* ten minutes later, sound comes before the picture */
  push_range (h, 15000, 15005, 20000);
  push (h, 15005, TRUE);
  push_range (h, 15006, 15005 + GOP, 20000);
  gst_harness_push_event (h, gst_event_new_eos ());
  s = survey ();
  fail_unless_equals_int (s.target, 6);
  fail_unless_equals_int (s.entries, 3);
  fail_unless_equals_int (s.discontinuities, 1);
  fail_unless_equals_int (s.dates, 2);
  assert_seconds (s.duration, 2.0 + 0.4 + 2.0);
  stop_sink (h, NULL);
}

GST_END_TEST;

/* One picture in ten seconds is no pause: entries last until the next. */
GST_START_TEST (test_rare_pictures_are_no_pauses)
{
  GstElement *element = make_list_sink (path);
  GstHarness *h = start_sink (element, NULL);
  guint n;

  for (n = 0; n < 10; n++)
    push (h, n * 250, TRUE);
  fail_unless_equals_int (survey ().entries, 9);
  fail_unless (survey ().discontinuities <= 1);
  fail_unless (survey ().duration > 75);
  stop_sink (h, NULL);
}

GST_END_TEST;

/* Nor is it one where a fragment ends, be it with each picture. */
GST_START_TEST (test_rare_pictures_are_no_pauses_between_fragments)
{
  static const guint sizes[] = { 30, 10 };
  guint i, n;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gchar *pattern = in_dir (i ? "one-%05d.ts" : "three-%05d.ts");
    GstElement *element;
    GstHarness *h;

    g_unlink (list);
    element = make_list_sink (pattern);
    g_object_set (element, "max-size-time", sizes[i] * GST_SECOND, NULL);
    h = start_sink (element, NULL);
    for (n = 0; n < 13; n++)
      push (h, n * 250, TRUE);
    fail_unless_equals_int (survey ().entries, 12);
    fail_unless (survey ().discontinuities <= 1);
    /* the first step is not known to be none */
    fail_unless (survey ().duration > 109);
    stop_sink (h, NULL);
    g_free (pattern);
  }
}

GST_END_TEST;

/* Such a stream is measured by the clock, from one entry to the next. */
GST_START_TEST (test_stream_without_timestamps_has_durations)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  GstBuffer *buffer;
  Summary s;
  guint n;

  for (n = 0; n < 20; n++) {
    buffer = make_au (n, TRUE);
    gst_buffer_fill (buffer, 0, "\x47\x40\x00\x10", 4);
    /* the last ones have timestamps, which are far from any clock */
    if (n < 10)
      GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  s = survey ();
  fail_unless_equals_int (s.target, 6);
  fail_unless (s.duration < 6);
  stop_sink (h, NULL);
}

GST_END_TEST;

GST_START_TEST (test_entry_at_the_end_of_a_fragment_lasts_until_the_next)
{
  gchar *pattern = in_dir ("f-%05d.ts");
  GstElement *element = make_list_sink (pattern);
  GstHarness *h;
  guint n;

  g_object_set (element, "max-size-time", 4 * GST_SECOND, NULL);
  h = start_sink (element, NULL);
  for (n = 0; n <= 2 * GOP; n++) {
    GstBuffer *buffer = make_au (n, n % GOP == 0);

    if (n % GOP == 0)
      gst_buffer_fill (buffer, 0, "\x47\x40\x00\x10", 4);
    /* without a duration, as the mux gives them */
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
  fail_unless_equals_int (survey ().entries, 2);
  assert_seconds (survey ().duration, 4.0);
  stop_sink (h, NULL);
  g_free (pattern);
}

GST_END_TEST;

/* Pictures in coding order, I P b b P b b … in groups of GOP, whose first DTS
 * is raised to that of a stream without reordering, as where there is no time
 * before it. */
static void
push_reordered (GstHarness *h, guint n, GstClockTime duration)
{
  static const gint ahead[] = { 0, 2, -1, -1 };
  GstBuffer *buffer = make_au (n, n % GOP == 0);
  guint in_gop = n % GOP, order;

  if (in_gop == 0)
    gst_buffer_fill (buffer, 0, "\x47\x40\x00\x10", 4);
  order = n + (in_gop == 0 ? 0 : ahead[1 + (in_gop - 1) % 3]);
  if (in_gop == GOP - 1) /* the last one alone, 3 * 16 + 1 before it */
    order = n;
  GST_BUFFER_PTS (buffer) = (order + 2) * FRAME;
  GST_BUFFER_DTS (buffer) = n == 0 ? 2 * FRAME : MAX (n, 2) * FRAME + n % 2;
  GST_BUFFER_DURATION (buffer) = duration;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
}

static void
assert_entries_last (gdouble expected, guint n)
{
  gchar *text = read_list (), *at = text;
  guint found = 0;

  while ((at = strstr (at, "#EXTINF:"))) {
    at += strlen ("#EXTINF:");
    assert_seconds (g_ascii_strtod (at, NULL), expected);
    found++;
  }
  fail_unless_equals_int (found, n);
  g_free (text);
}

GST_START_TEST (test_entries_of_reordered_pictures_last_as_they_play)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  guint n;

  for (n = 0; n < 4 * GOP; n++)
    push_reordered (h, n, FRAME);
  assert_entries_last (2.0, 3);
  stop_sink (h, NULL);
  assert_entries_last (2.0, 4);
}

GST_END_TEST;

GST_START_TEST (test_fragments_of_reordered_pictures_last_as_they_play)
{
  gchar *pattern = in_dir ("f-%05d.ts");
  GstElement *element;
  GstHarness *h;
  guint n;
  gint known;

  for (known = 0; known < 2; known++) {
    element = make_list_sink (pattern);
    g_object_set (element, "max-size-time", 2 * GST_SECOND, NULL);
    h = start_sink (element, NULL);
    /* the picture after a key frame shows that none leads it */
    for (n = 0; n <= 3 * GOP + 1; n++)
      push_reordered (h, n, known ? FRAME : GST_CLOCK_TIME_NONE);
    assert_entries_last (2.0, 3);
    stop_sink (h, NULL);
    g_unlink (list);
  }
  g_free (pattern);
}

GST_END_TEST;

/* Open GOPs: two pictures lead each key frame but the first. They are part of
 * the entry that begins with it, in one file and in several. */
GST_START_TEST (test_leading_pictures_belong_to_their_entry)
{
  gchar *pattern = in_dir ("f-%05d.ts"), *text, *at;
  guint n, found;

  for (guint fragments = 0; fragments < 2; fragments++) {
    GstElement *element = make_list_sink (fragments ? pattern : path);
    GstHarness *h;

    if (fragments)
      g_object_set (element, "max-size-time", 2 * GST_SECOND, NULL);
    h = start_sink (element, NULL);
    for (n = 0; n < 4 * GOP; n++) {
      GstBuffer *buffer = make_au (n, n % GOP == 0);
      guint in_gop = n % GOP;

      if (in_gop == 0)
        gst_buffer_fill (buffer, 0, "\x47\x40\x00\x10", 4);
      GST_BUFFER_DTS (buffer) = (2 + n) * FRAME;
      GST_BUFFER_PTS (buffer) = n < GOP ? (4 + n) * FRAME
          : in_gop == 0                 ? (6 + n) * FRAME
          : in_gop < 3                  ? (3 + n) * FRAME
                                        : (4 + n) * FRAME;
      GST_BUFFER_DURATION (buffer) = FRAME;
      fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
    }
    stop_sink (h, NULL);
    at = text = read_list ();
    for (found = 0; (at = strstr (at, "#EXTINF:")); found++) {
      at += strlen ("#EXTINF:");
      assert_seconds (g_ascii_strtod (at, NULL), 2.0);
    }
    fail_unless_equals_int (found, 4);
    g_free (text);
    g_unlink (list);
  }
  g_free (pattern);
}

GST_END_TEST;

/* Sound that is a second ahead when the next fragment begins is no part of how
 * long an entry lasts. */
GST_START_TEST (test_sound_ahead_does_not_make_entries_longer)
{
  gchar *pattern = in_dir ("f-%05d.ts");
  GstElement *element = make_list_sink (pattern);
  GstHarness *h;
  GstBuffer *sound;
  guint n;

  g_object_set (element, "max-size-time", 2 * GST_SECOND, NULL);
  h = start_sink (element, NULL);
  for (n = 0; n <= 3 * GOP; n++) {
    push_reordered (h, n, FRAME);
    sound = make_au (n, FALSE);
    GST_BUFFER_PTS (sound) = GST_BUFFER_DTS (sound) =
        n * FRAME + GST_SECOND + 2 * FRAME;
    GST_BUFFER_DURATION (sound) = FRAME;
    fail_unless_equals_int (gst_harness_push (h, sound), GST_FLOW_OK);
  }
  assert_entries_last (2.0, 3);
  stop_sink (h, NULL);
  g_free (pattern);
}

GST_END_TEST;

/* Random access points alone, @n of them, @step apart; every other one is
 * @jitter early. */
static Summary
list_key_frames (guint n, GstClockTime step, GstClockTime jitter)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  Summary s;
  guint i;

  for (i = 0; i < n; i++) {
    GstBuffer *buffer = make_au (i, TRUE);

    gst_buffer_fill (buffer, 0, "\x47\x40\x00\x10", 4);
    GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) =
        GST_SECOND + i * step - (i % 2 ? jitter : 0);
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
  s = survey ();
  stop_sink (h, NULL);
  g_unlink (list);
  g_unlink (path);
  return s;
}

GST_START_TEST (test_key_frames_that_vary_do_not_double_the_entries)
{
  Summary s;

  s = list_key_frames (21, 2 * GST_SECOND, 30 * GST_USECOND);
  fail_unless_equals_int (s.entries, 20);
  fail_unless_equals_int (s.target, 6);
  s = list_key_frames (21, 2 * GST_SECOND, 100 * GST_MSECOND);
  fail_unless_equals_int (s.entries, 20);
  s = list_key_frames (41, GST_SECOND, 30 * GST_USECOND);
  fail_unless_equals_int (s.entries, 20);
  /* 1.8 s and 2.4 s: the one before is nearer, as are 2.1 s */
  s = list_key_frames (31, 600 * GST_MSECOND, 0);
  fail_unless_equals_int (s.entries, 10);
  s = list_key_frames (71, 300 * GST_MSECOND, 0);
  fail_unless_equals_int (s.entries, 10);
  /* and key frames that are close do not make short entries */
  s = list_key_frames (501, 40 * GST_MSECOND, 0);
  fail_unless_equals_int (s.entries, 10);
  assert_seconds (s.longest, 2.0);
}

GST_END_TEST;

GST_START_TEST (test_lost_access_units_are_a_discontinuity)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  Summary s;

  push_range (h, 0, 30, GOP);
  push_flagged (h, 3 * GOP, TRUE, GST_BUFFER_FLAG_DISCONT);
  s = survey ();
  fail_unless_equals_int (s.entries, 1);
  assert_seconds (s.duration, 30 * 0.04); /* what is missing does not count */
  push_range (h, 3 * GOP + 1, 4 * GOP, GOP);
  stop_sink (h, NULL);
  s = survey ();
  fail_unless_equals_int (s.entries, 2);
  fail_unless_equals_int (s.discontinuities, 1);
  fail_unless_equals_int (s.dates, 2);
}

GST_END_TEST;

GST_START_TEST (test_fragments_are_named_one_by_one)
{
  gchar *pattern = in_dir ("f-%05d.ts");
  GstElement *element = make_list_sink (pattern);
  GstHarness *h;
  Summary s;

  g_object_set (element, "max-size-time", 4 * GST_SECOND, NULL);
  h = start_sink (element, NULL);
  push_range (h, 0, 6 * GOP + 5, 2 * GOP);
  s = survey ();
  /* key frames 4 s apart: an entry is a fragment, and named without a range */
  fail_unless_equals_int (s.entries, 3);
  fail_unless_equals_int (s.whole, 3);
  stop_sink (h, NULL);
  s = survey ();
  fail_unless_equals_int (s.entries, 4);
  fail_unless_equals_int (s.discontinuities, 0);
  assert_seconds (s.duration, 12.2);
  g_free (pattern);
}

GST_END_TEST;

GST_START_TEST (test_fragment_of_several_entries_is_named_by_ranges)
{
  gchar *pattern = in_dir ("f-%05d.ts");
  GstElement *element = make_list_sink (pattern);
  GstHarness *h;
  Summary s;

  g_object_set (element, "max-size-time", 4 * GST_SECOND, NULL);
  h = start_sink (element, NULL);
  push_range (h, 0, 4 * GOP + 1, GOP);
  s = survey ();
  fail_unless_equals_int (s.entries, 4);
  fail_unless_equals_int (s.whole, 0);
  stop_sink (h, NULL);
  assert_seconds (survey ().duration, 8.04);
  g_free (pattern);
}

GST_END_TEST;

/* After a kill: the file and the playlist as they are. */
static void
record_and_kill (guint n)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  gchar *text;

  push_range (h, 0, n, GOP);
  text = read_list ();
  stop_sink (h, NULL);
  g_file_set_contents (list, text, -1, NULL);
  g_free (text);
}

GST_START_TEST (test_resume_goes_on_with_the_playlist)
{
  GstElement *element;
  GstHarness *h;
  Summary s;

  record_and_kill (2 * GOP + 20);
  s = survey ();
  fail_unless_equals_int (s.entries, 2);
  fail_unless (!s.ended);
  element = make_list_sink (path);
  g_object_set (element, "resume", TRUE, NULL);
  h = start_sink (element, NULL);
  push_range (h, 3 * GOP, 5 * GOP, GOP);
  stop_sink (h, NULL);
  s = survey ();
  fail_unless_equals_int (s.entries, 4);
  fail_unless_equals_int (s.discontinuities, 1);
  fail_unless (s.ended);
  fail_unless_equals_uint64 (s.end, size_on_disk (path));
}

GST_END_TEST;

GST_START_TEST (test_resume_in_a_new_file_goes_on_with_the_playlist)
{
  GstElement *element;
  GstHarness *h;
  Summary s;

  record_and_kill (2 * GOP + 20);
  /* the next run has another name: nothing of the old one is to go on with */
  g_free (path);
  path = in_dir ("other.ts");
  element = make_list_sink (path);
  g_object_set (element, "resume", TRUE, NULL);
  h = start_sink (element, NULL);
  push_range (h, 3 * GOP, 5 * GOP, GOP);
  stop_sink (h, NULL);
  s = survey ();
  fail_unless_equals_int (s.entries, 4);
  fail_unless_equals_int (s.discontinuities, 1);
  fail_unless (s.ended);
}

GST_END_TEST;

GST_START_TEST (test_resume_goes_on_with_a_playlist_that_has_a_time)
{
  gchar *pattern = in_dir ("list-%Y%m%d.m3u8"), *text;
  GstElement *element;
  GstHarness *h;
  Summary s;

  record_and_kill (2 * GOP + 20);
  text = read_list ();
  g_unlink (list);
  g_free (list);
  list = in_dir ("list-20200101.m3u8");
  g_file_set_contents (list, text, -1, NULL);
  element = make_sink (path);
  g_object_set (element, "playlist-location", pattern, "resume", TRUE, NULL);
  h = start_sink (element, NULL);
  push_range (h, 3 * GOP, 5 * GOP, GOP);
  stop_sink (h, NULL);
  s = survey ();
  fail_unless_equals_int (s.entries, 4);
  fail_unless_equals_int (count_entries (dir), 2);
  g_free (text);
  g_free (pattern);
}

GST_END_TEST;

GST_START_TEST (test_resume_forgets_what_the_file_lost)
{
  GstElement *element;
  GstHarness *h;
  Summary s;

  record_and_kill (3 * GOP + 20);
  fail_unless_equals_int (survey ().entries, 3);
  /* a power cut: the playlist was written back, the file was not */
  fail_unless_equals_int (truncate (path, (GOP + 7) * AU), 0);
  element = make_list_sink (path);
  g_object_set (element, "resume", TRUE, NULL);
  h = start_sink (element, NULL);
  push_range (h, 4 * GOP, 5 * GOP, GOP);
  stop_sink (h, NULL);
  s = survey ();
  fail_unless_equals_int (s.entries, 2);
  fail_unless_equals_uint64 (s.end, size_on_disk (path));
}

GST_END_TEST;

GST_START_TEST (test_file_that_somebody_cuts_is_not_named_beyond_its_end)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  Summary s;

  push_range (h, 0, 3 * GOP + 5, GOP);
  fail_unless_equals_int (survey ().entries, 3);
  fail_unless_equals_int (truncate (path, GOP * AU + 5 * PACKET), 0);
  push_range (h, 3 * GOP + 5, 3 * GOP + 6, GOP);
  s = survey ();
  fail_unless_equals_int (s.entries, 1);
  push_flagged (h, 4 * GOP, TRUE, GST_BUFFER_FLAG_DISCONT);
  push_range (h, 4 * GOP + 1, 6 * GOP, GOP);
  stop_sink (h, NULL);
  s = survey ();
  fail_unless_equals_int (s.entries, 3);
  fail_unless_equals_int (s.discontinuities, 1);
}

GST_END_TEST;

GST_START_TEST (test_data_after_eos_goes_on_with_the_playlist)
{
  GstHarness *h = start_sink (make_list_sink (path), NULL);
  GstSegment segment;
  Summary s;

  push_range (h, 0, GOP, GOP);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (survey ().ended);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push_range (h, GOP, 2 * GOP + 1, GOP);
  s = survey ();
  fail_unless_equals_int (s.entries, 2);
  fail_unless (!s.ended);
  stop_sink (h, NULL);
  fail_unless (survey ().ended);
}

GST_END_TEST;

GST_START_TEST (test_earlier_playlist_is_never_overwritten)
{
  gchar *second = in_dir ("rec-1.m3u8"), *text;
  GstElement *element;
  GstHarness *h;

  g_file_set_contents (list, "precious", -1, NULL);
  h = start_sink (make_list_sink (path), NULL);
  push_range (h, 0, GOP + 1, GOP);
  stop_sink (h, NULL);
  text = read_list ();
  fail_unless_equals_string (text, "precious");
  fail_unless (g_file_test (second, G_FILE_TEST_EXISTS));
  element = make_list_sink (path);
  gst_util_set_object_arg (G_OBJECT (element), "on-exists", "refuse");
  g_unlink (path);
  assert_refused (element, GST_STATE_READY, "rec.m3u8");
  g_free (text);
  g_free (second);
}

GST_END_TEST;

GST_START_TEST (test_file_that_is_no_playlist_is_left_alone)
{
  GstElement *element;
  GstHarness *h;
  GstBus *bus;
  gchar *text;

  record_and_kill (GOP);
  g_file_set_contents (list, "precious", -1, NULL);
  element = make_list_sink (path);
  g_object_set (element, "resume", TRUE, NULL);
  h = start_sink (element, &bus);
  push_range (h, GOP, 3 * GOP, GOP);
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, "not a media playlist");
  g_free (text);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  stop_sink (h, bus);
  text = read_list ();
  fail_unless_equals_string (text, "precious");
  g_free (text);
  fail_unless_equals_uint64 (size_on_disk (path), 3 * GOP * AU);
}

GST_END_TEST;

GST_START_TEST (test_playlist_that_cannot_be_written_is_caught_up)
{
  gchar *folder = in_dir ("lists"), *text;
  GstElement *element;
  GstHarness *h;
  GstBus *bus;

  fail_unless_equals_int (g_mkdir (folder, 0700), 0);
  g_free (list);
  list = g_build_filename (folder, "rec.m3u8", NULL);
  element = make_list_sink (path);
  h = start_sink (element, &bus);
  push_range (h, 0, GOP + 1, GOP);
  /* a folder cannot be replaced by a file, whoever asks */
  fail_unless_equals_int (g_unlink (list), 0);
  fail_unless_equals_int (g_mkdir (list, 0700), 0);
  push_range (h, GOP + 1, 4 * GOP, GOP);
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, "rec.m3u8");
  assert_text_has (text, "Recording continues");
  g_free (text);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  fail_unless_equals_uint64 (size_on_disk (path), 4 * GOP * AU);
  fail_unless_equals_int (g_rmdir (list), 0);
  push_range (h, 4 * GOP, 5 * GOP + 1, GOP);
  fail_unless_equals_int (survey ().entries, 4); /* all but the deleted one */
  stop_sink (h, bus);
  fail_unless (survey ().ended);
  g_unlink (list);
  g_rmdir (folder);
  g_free (folder);
}

GST_END_TEST;

GST_START_TEST (test_other_formats_are_recorded_without_a_playlist)
{
  GstHarness *h;
  GstBus *bus;
  gchar *text;

  h = start_sink (make_list_sink (path), &bus);
  gst_harness_set_src_caps_str (h, "video/x-matroska");
  push_range (h, 0, 2 * GOP, GOP);
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, "MPEG transport streams only");
  g_free (text);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  stop_sink (h, bus);
  fail_unless_equals_uint64 (size_on_disk (path), 2 * GOP * AU);
}

GST_END_TEST;

/* The bytes of a real file of another format do not look like a PAT. */
GST_START_TEST (test_other_formats_are_reported_whatever_their_bytes_are)
{
  GstHarness *h;
  GstBus *bus;
  gchar *text;

  h = start_sink (make_list_sink (path), &bus);
  gst_harness_set_src_caps_str (h, "video/x-matroska");
  gst_harness_push (h, gst_buffer_new_wrapped (g_strdup ("EBML"), 4));
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, "MPEG transport streams only");
  g_free (text);
  fail_if (g_file_test (list, G_FILE_TEST_EXISTS));
  stop_sink (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_place_that_cannot_be_written_is_refused_at_once)
{
  GstElement *element;

  g_free (list);
  list = g_strdup ("/no/such/folder/rec.m3u8");
  element = make_list_sink (path);
  assert_refused (element, GST_STATE_READY, "/no/such/folder/rec.m3u8");
}

GST_END_TEST;

static Suite *
recfilesinkplaylist_suite (void)
{
  Suite *s = suite_create ("recfilesinkplaylist");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup_list, teardown_list);
  tcase_add_test (tc, test_playlist_never_names_a_byte_that_is_not_there);
  tcase_add_test (tc, test_stop_without_eos_ends_the_playlist);
  tcase_add_test (tc, test_key_frame_is_asked_for_before_the_promise_is_broken);
  tcase_add_test (tc, test_tables_without_timestamps_take_no_time);
  tcase_add_test (tc, test_pause_of_the_publisher_is_no_part_of_an_entry);
  tcase_add_test (tc, test_rare_pictures_are_no_pauses);
  tcase_add_test (tc, test_rare_pictures_are_no_pauses_between_fragments);
  tcase_add_test (tc, test_stream_without_timestamps_has_durations);
  tcase_add_test (tc, test_entry_at_the_end_of_a_fragment_lasts_until_the_next);
  tcase_add_test (tc, test_entries_of_reordered_pictures_last_as_they_play);
  tcase_add_test (tc, test_fragments_of_reordered_pictures_last_as_they_play);
  tcase_add_test (tc, test_leading_pictures_belong_to_their_entry);
  tcase_add_test (tc, test_sound_ahead_does_not_make_entries_longer);
  tcase_add_test (tc, test_key_frames_that_vary_do_not_double_the_entries);
  tcase_add_test (tc, test_lost_access_units_are_a_discontinuity);
  tcase_add_test (tc, test_fragments_are_named_one_by_one);
  tcase_add_test (tc, test_fragment_of_several_entries_is_named_by_ranges);
  tcase_add_test (tc, test_resume_goes_on_with_the_playlist);
  tcase_add_test (tc, test_resume_in_a_new_file_goes_on_with_the_playlist);
  tcase_add_test (tc, test_resume_goes_on_with_a_playlist_that_has_a_time);
  tcase_add_test (tc, test_resume_forgets_what_the_file_lost);
  tcase_add_test (tc, test_file_that_somebody_cuts_is_not_named_beyond_its_end);
  tcase_add_test (tc, test_data_after_eos_goes_on_with_the_playlist);
  tcase_add_test (tc, test_earlier_playlist_is_never_overwritten);
  tcase_add_test (tc, test_file_that_is_no_playlist_is_left_alone);
  tcase_add_test (tc, test_playlist_that_cannot_be_written_is_caught_up);
  tcase_add_test (tc, test_other_formats_are_recorded_without_a_playlist);
  tcase_add_test (tc, test_other_formats_are_reported_whatever_their_bytes_are);
  tcase_add_test (tc, test_place_that_cannot_be_written_is_refused_at_once);
  return s;
}

GST_CHECK_MAIN (recfilesinkplaylist);
