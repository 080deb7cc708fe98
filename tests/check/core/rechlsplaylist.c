/* gst-tsrec: the HLS playlist of a growing recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rechlsplaylist.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#define HEADER(target)                                                         \
  "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:" target                   \
  "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"                    \
  "#EXT-X-INDEPENDENT-SEGMENTS\n"

/* 2026-01-02 03:04:05.678 UTC */
#define UTC G_GINT64_CONSTANT (1767323045678000)

static gchar *folder, *path;

static void
setup (void)
{
  folder = g_dir_make_tmp ("tsrec-playlist-XXXXXX", NULL);
  path = g_build_filename (folder, "rec.m3u8", NULL);
}

static void
teardown (void)
{
  g_unlink (path);
  fail_unless (g_rmdir (folder) == 0, "something was left behind");
  g_free (path);
  g_free (folder);
}

static gchar *
contents (void)
{
  gchar *text;

  fail_unless (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

#define assert_contents(expected)                                              \
  G_STMT_START                                                                 \
  {                                                                            \
    gchar *_text = contents ();                                                \
    fail_unless_equals_string (_text, expected);                               \
    g_free (_text);                                                            \
  }                                                                            \
  G_STMT_END

static void
add (RecHlsPlaylist *playlist, guint64 offset, guint64 size,
    GstClockTime duration)
{
  RecHlsPlaylistEntry entry = { .uri = "rec.ts",
    .offset = offset,
    .size = size,
    .duration = duration,
    .utc_time = -1 };

  fail_unless_equals_int (rec_hls_playlist_add (playlist, &entry), 0);
}

GST_START_TEST (test_entries_are_added_and_the_list_is_ended)
{
  RecHlsPlaylist playlist;
  RecHlsPlaylistEntry entry = { .uri = "rec.ts",
    .size = 1880,
    .duration = 2 * GST_SECOND + GST_MSECOND,
    .utc_time = UTC };

  fail_unless_equals_int (
      rec_hls_playlist_create (&playlist, path, 2 * GST_SECOND), 0);
  assert_contents (HEADER ("2"));
  fail_unless_equals_int (rec_hls_playlist_add (&playlist, &entry), 0);
  entry.offset = 1880;
  entry.size = 188;
  entry.discontinuity = TRUE;
  entry.utc_time = UTC + 10 * G_USEC_PER_SEC;
  fail_unless_equals_int (rec_hls_playlist_add (&playlist, &entry), 0);
  add (&playlist, 2068, 376, 500 * GST_MSECOND);
  fail_unless_equals_int (rec_hls_playlist_end (&playlist), 0);
  assert_contents (
      HEADER ("2") "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678Z\n"
                   "#EXTINF:2.001000,\n#EXT-X-BYTERANGE:1880@0\nrec.ts\n"
                   "#EXT-X-DISCONTINUITY\n"
                   "#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:15.678Z\n"
                   "#EXTINF:2.001000,\n#EXT-X-BYTERANGE:188@1880\nrec.ts\n"
                   "#EXTINF:0.500000,\n#EXT-X-BYTERANGE:376@2068\nrec.ts\n"
                   "#EXT-X-ENDLIST\n");
  fail_unless_equals_int (rec_hls_playlist_add (&playlist, &entry), EINVAL);
  rec_hls_playlist_clear (&playlist);
}

GST_END_TEST;

GST_START_TEST (test_entry_of_a_whole_file_has_no_byte_range)
{
  RecHlsPlaylist playlist;
  RecHlsPlaylistEntry entry = { .uri = "rec-00000.ts",
    .whole_file = TRUE,
    .duration = 60 * GST_SECOND,
    .utc_time = -1 };

  fail_unless_equals_int (
      rec_hls_playlist_create (&playlist, path, 2 * GST_SECOND), 0);
  fail_unless_equals_int (rec_hls_playlist_add (&playlist, &entry), 0);
  assert_contents (HEADER ("60") "#EXTINF:60.000000,\nrec-00000.ts\n");
  rec_hls_playlist_clear (&playlist);
}

GST_END_TEST;

GST_START_TEST (test_long_entry_raises_the_target_duration)
{
  RecHlsPlaylist playlist;

  fail_unless_equals_int (
      rec_hls_playlist_create (&playlist, path, 2 * GST_SECOND), 0);
  add (&playlist, 0, 188, 2499 * GST_MSECOND);
  assert_contents (
      HEADER ("2") "#EXTINF:2.499000,\n#EXT-X-BYTERANGE:188@0\nrec.ts\n");
  add (&playlist, 188, 188, 9500 * GST_MSECOND);
  assert_contents (
      HEADER ("10") "#EXTINF:2.499000,\n#EXT-X-BYTERANGE:188@0\nrec.ts\n"
                    "#EXTINF:9.500000,\n#EXT-X-BYTERANGE:188@188\nrec.ts\n");
  rec_hls_playlist_clear (&playlist);
}

GST_END_TEST;

GST_START_TEST (test_continued_playlist_names_no_byte_that_is_gone)
{
  RecHlsPlaylist playlist;

  fail_unless_equals_int (
      rec_hls_playlist_create (&playlist, path, 2 * GST_SECOND), 0);
  add (&playlist, 0, 1880, 7 * GST_SECOND);
  add (&playlist, 1880, 1880, GST_SECOND);
  fail_unless_equals_int (rec_hls_playlist_end (&playlist), 0);
  rec_hls_playlist_clear (&playlist);

  /* The repair of the file cut 188 bytes off. */
  fail_unless_equals_int (rec_hls_playlist_continue (&playlist, path,
                              2 * GST_SECOND, "rec.ts", 3760 - 188),
      0);
  assert_contents (
      HEADER ("7") "#EXTINF:7.000000,\n#EXT-X-BYTERANGE:1880@0\nrec.ts\n");
  add (&playlist, 3572, 188, GST_SECOND);
  assert_contents (
      HEADER ("7") "#EXTINF:7.000000,\n#EXT-X-BYTERANGE:1880@0\nrec.ts\n"
                   "#EXT-X-DISCONTINUITY\n"
                   "#EXTINF:1.000000,\n#EXT-X-BYTERANGE:188@3572\nrec.ts\n");
  rec_hls_playlist_clear (&playlist);
}

GST_END_TEST;

GST_START_TEST (test_continuing_nothing_creates)
{
  RecHlsPlaylist playlist;

  fail_unless_equals_int (
      rec_hls_playlist_continue (&playlist, path, 2 * GST_SECOND, "rec.ts", 0),
      0);
  assert_contents (HEADER ("2"));
  add (&playlist, 0, 188, GST_SECOND);
  assert_contents (
      HEADER ("2") "#EXTINF:1.000000,\n#EXT-X-BYTERANGE:188@0\nrec.ts\n");
  rec_hls_playlist_clear (&playlist);
}

GST_END_TEST;

GST_START_TEST (test_other_files_are_left_alone)
{
  static const gchar *const others[] = { "", "hello\n", "#EXTM3U",
    "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n" };
  RecHlsPlaylist playlist;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (others); i++) {
    gint error;

    fail_unless (g_file_set_contents (path, others[i], -1, NULL));
    error = rec_hls_playlist_continue (
        &playlist, path, 2 * GST_SECOND, "rec.ts", 0);
    if (i == 2) {
      fail_unless_equals_int (error, 0);
      rec_hls_playlist_clear (&playlist);
    } else {
      fail_unless_equals_int (error, EINVAL);
      assert_contents (others[i]);
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_failed_update_keeps_the_playlist_and_can_be_repeated)
{
  RecHlsPlaylistEntry entry = { .uri = "rec.ts",
    .offset = 188,
    .size = 188,
    .duration = 5 * GST_SECOND,
    .utc_time = -1 };
  RecHlsPlaylist playlist;
  gchar *obstacle = g_build_filename (folder, ".rec.m3u8.new", NULL);

  fail_unless_equals_int (
      rec_hls_playlist_create (&playlist, path, 2 * GST_SECOND), 0);
  add (&playlist, 0, 188, GST_SECOND);
  fail_unless (g_mkdir (obstacle, 0700) == 0);
  fail_unless (rec_hls_playlist_add (&playlist, &entry) != 0);
  fail_unless (rec_hls_playlist_end (&playlist) != 0);
  assert_contents (
      HEADER ("2") "#EXTINF:1.000000,\n#EXT-X-BYTERANGE:188@0\nrec.ts\n");
  fail_unless (g_rmdir (obstacle) == 0);
  fail_unless_equals_int (rec_hls_playlist_add (&playlist, &entry), 0);
  assert_contents (
      HEADER ("5") "#EXTINF:1.000000,\n#EXT-X-BYTERANGE:188@0\nrec.ts\n"
                   "#EXTINF:5.000000,\n#EXT-X-BYTERANGE:188@188\nrec.ts\n");
  rec_hls_playlist_clear (&playlist);
  g_free (obstacle);
}

GST_END_TEST;

static gint stop_reading;

/* Returns the number of states that it saw. */
static gpointer
read_all_the_time (gpointer unused)
{
  gsize before = 0, seen = 0;

  while (!g_atomic_int_get (&stop_reading)) {
    gchar *text;
    gsize length;

    fail_unless (g_file_get_contents (path, &text, &length, NULL));
    fail_unless (g_str_has_prefix (text, HEADER ("2")), "a part of a header");
    fail_unless (
        length == strlen (HEADER ("2")) || g_str_has_suffix (text, "rec.ts\n"),
        "a part of an entry: %s", text);
    fail_unless (length >= before, "an entry disappeared");
    seen += length != before;
    before = length;
    g_free (text);
  }
  return GSIZE_TO_POINTER (seen);
}

GST_START_TEST (test_reader_never_sees_a_part_of_a_change)
{
  RecHlsPlaylist playlist;
  GThread *reader;
  guint i;

  fail_unless_equals_int (
      rec_hls_playlist_create (&playlist, path, 2 * GST_SECOND), 0);
  g_atomic_int_set (&stop_reading, FALSE);
  reader = g_thread_new ("reader", read_all_the_time, NULL);
  for (i = 0; i < 300; i++)
    add (&playlist, i * 188, 188, GST_SECOND);
  g_atomic_int_set (&stop_reading, TRUE);
  fail_unless (GPOINTER_TO_SIZE (g_thread_join (reader)) > 1);
  rec_hls_playlist_clear (&playlist);
}

GST_END_TEST;

GST_START_TEST (test_uri_is_relative_and_encoded)
{
  static const gchar *const rows[][3] = {
    { "/a/rec.m3u8", "/a/rec.ts", "rec.ts" },
    { "rec.m3u8", "rec.ts", "rec.ts" },
    { "/a/rec.m3u8", "/b/rec.ts", "/b/rec.ts" },
    { "/a/rec.m3u8", "/a/b/rec.ts", "b/rec.ts" },
    { "a/rec.m3u8", "a/b/rec.ts", "b/rec.ts" },
    { "a/rec.m3u8", "ab/rec.ts", "../ab/rec.ts" },
    { "a/b/rec.m3u8", "rec.ts", "../../rec.ts" },
    { "/a/b/rec.m3u8", "/a/rec.ts", "/a/rec.ts" },
    { "/a/rec.m3u8", "/a/#1 50%:\xc3\xa4?.ts", "%231%2050%25%3A%C3%A4%3F.ts" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar *uri = rec_hls_playlist_uri (rows[i][0], rows[i][1]);

    fail_unless_equals_string (uri, rows[i][2]);
    free (uri);
  }
}

GST_END_TEST;

static Suite *
rechlsplaylist_suite (void)
{
  Suite *s = suite_create ("rechlsplaylist");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_entries_are_added_and_the_list_is_ended);
  tcase_add_test (tc, test_entry_of_a_whole_file_has_no_byte_range);
  tcase_add_test (tc, test_long_entry_raises_the_target_duration);
  tcase_add_test (tc, test_continued_playlist_names_no_byte_that_is_gone);
  tcase_add_test (tc, test_continuing_nothing_creates);
  tcase_add_test (tc, test_other_files_are_left_alone);
  tcase_add_test (
      tc, test_failed_update_keeps_the_playlist_and_can_be_repeated);
  tcase_add_test (tc, test_reader_never_sees_a_part_of_a_change);
  tcase_add_test (tc, test_uri_is_relative_and_encoded);
  return s;
}

GST_CHECK_MAIN (rechlsplaylist);
