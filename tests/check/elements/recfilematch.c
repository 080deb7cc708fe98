/* gst-tsrec: which files a name pattern has led to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recfilematch.h"
#include "recfilename.h"

#include <gst/check/gstcheck.h>

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

static gchar *dir;

static void
setup (void)
{
  dir = g_dir_make_tmp ("recfilematch-XXXXXX", NULL);
}

static void
remove_tree (const gchar *folder)
{
  GDir *d = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (d))) {
    gchar *file = g_build_filename (folder, name, NULL);

    if (g_file_test (file, G_FILE_TEST_IS_DIR) &&
        !g_file_test (file, G_FILE_TEST_IS_SYMLINK))
      remove_tree (file);
    else
      g_unlink (file);
    g_free (file);
  }
  g_dir_close (d);
  g_rmdir (folder);
}

static void
teardown (void)
{
  remove_tree (dir);
  g_free (dir);
}

/* Makes @name, last written at @seconds. */
static void
touch (const gchar *name, gint seconds)
{
  gchar *path = g_build_filename (dir, name, NULL);
  gchar *folder = g_path_get_dirname (path);
  struct timeval times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

  fail_unless_equals_int (g_mkdir_with_parents (folder, 0700), 0);
  fail_unless (g_file_set_contents (path, "x", 1, NULL));
  fail_unless_equals_int (utimes (path, times), 0);
  g_free (folder);
  g_free (path);
}

/* Exactly the @expected names match @pattern, in that order. */
static void
assert_matches (const gchar *pattern, const gchar *const *expected)
{
  gchar *full = g_build_filename (dir, pattern, NULL);
  GPtrArray *matches = rec_file_match_list (full);
  guint i;

  for (i = 0; i < matches->len; i++) {
    const RecFileMatch *match = g_ptr_array_index (matches, i);

    fail_unless (expected[i] != NULL, "%s matches %s", match->path, pattern);
    fail_unless_equals_string (match->path + strlen (dir) + 1, expected[i]);
  }
  fail_unless (
      expected[i] == NULL, "%s does not match %s", expected[i], pattern);
  g_ptr_array_unref (matches);
  g_free (full);
}

#define ASSERT_MATCHES(pattern, ...)                                           \
  assert_matches (pattern, (const gchar *const[]){ __VA_ARGS__, NULL })

GST_START_TEST (test_names_with_a_time_match_in_the_order_of_writing)
{
  touch ("cam-20260228-235959.ts", 30);
  touch ("cam-20251231-000000.ts", 20);
  touch ("cam-20251231-000000-1.ts", 25);
  touch ("cam-20260301-120000.ts", 10);
  /* what another program, or a person, has made */
  touch ("cam-20261301-120000.ts", 1); /* no such month */
  touch ("cam-20260301-250000.ts", 1);
  touch ("cam-20260301-1200.ts", 1);
  touch ("cam-20260301-120000.ts.bak", 1);
  touch ("cam-20260301-120000-copy.ts", 1);
  touch ("cam-20260301-120000-01.ts", 1);
  touch ("cam-20260301-120000.m3u8", 1);
  touch ("xcam-20260301-120000.ts", 1);
  touch ("cam-best-of.ts", 1);
  ASSERT_MATCHES ("cam-%Y%m%d-%H%M%S.ts", "cam-20260301-120000.ts",
      "cam-20251231-000000.ts", "cam-20251231-000000-1.ts",
      "cam-20260228-235959.ts");
}

GST_END_TEST;

GST_START_TEST (test_names_with_a_number_match_in_its_order)
{
  touch ("f-00002.ts", 1);
  touch ("f-00010.ts", 2);
  touch ("f-100000.ts", 3);
  touch ("f-00001.ts", 9);
  touch ("f-000003.ts", 1); /* wider than it would be written */
  touch ("f-3.ts", 1);
  touch ("f-00004-1.ts", 1);
  ASSERT_MATCHES (
      "f-%05d.ts", "f-00001.ts", "f-00002.ts", "f-00010.ts", "f-100000.ts");
  touch ("rec.ts", 9);
  touch ("rec-2.ts", 5);
  touch ("rec-10.ts", 1);
  touch ("rec-old.ts", 1);
  ASSERT_MATCHES ("rec.ts", "rec.ts", "rec-2.ts", "rec-10.ts");
}

GST_END_TEST;

GST_START_TEST (test_folders_of_a_pattern_are_searched)
{
  touch ("2026-01-02/cam-20260102-10.ts", 10);
  touch ("2026-01-01/cam-20260101-10.ts", 9);
  touch ("2026-01-01/cam-20260102-10.ts", 1); /* not the day of its folder */
  touch ("2026-01-01/notes/cam-20260101-10.ts", 1);
  touch ("old/cam-20260101-10.ts", 1);
  touch ("cam-20260101-10.ts", 1);
  ASSERT_MATCHES ("%F/cam-%Y%m%d-%H.ts", "2026-01-01/cam-20260101-10.ts",
      "2026-01-02/cam-20260102-10.ts");
  touch ("p-00/rec.ts", 3);
  touch ("p-01/rec.ts", 1);
  touch ("p-01/other.ts", 1);
  ASSERT_MATCHES ("p-%02d/rec.ts", "p-00/rec.ts", "p-01/rec.ts");
}

GST_END_TEST;

GST_START_TEST (test_every_conversion_that_is_recognised_matches_its_own_names)
{
  static const gchar *patterns[] = { "%Y%m%d%H%M%S", "%F_%T", "%R %D.ts",
    "%y-%j", "%s.ts", "%a %d %b %Y", "%A, %d %B", "%I%p", "%G-W%V-%u", "%U%W%w",
    "100%%-%H", "%z", "%C%g", "%Y-%05d-%H", "%h" };
  gint64 now = g_get_real_time ();
  guint i;

  for (i = 0; i < G_N_ELEMENTS (patterns); i++) {
    gchar *name = rec_filename_expand (patterns[i], now, 7);

    fail_unless (rec_file_match_find_unsupported (patterns[i]) == NULL);
    touch (name, 1);
    ASSERT_MATCHES (patterns[i], name);
    g_free (name);
    remove_tree (dir);
    g_mkdir (dir, 0700);
  }
}

GST_END_TEST;

GST_START_TEST (test_conversions_that_cannot_be_recognised_are_named)
{
  static const gchar *rows[][2] = { { "rec-%c.ts", "%c" }, { "%Y%x", "%x" },
    { "%-d.ts", "%-" }, { "%EY", "%E" }, { "rec%", "%" }, { "%Z", "%Z" },
    { "%03d-%03d", "%0" } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar *unsupported = rec_file_match_find_unsupported (rows[i][0]);
    GPtrArray *none = rec_file_match_list (rows[i][0]);

    fail_unless_equals_string (unsupported, rows[i][1]);
    fail_unless_equals_int (none->len, 0);
    g_ptr_array_unref (none);
    g_free (unsupported);
  }
}

GST_END_TEST;

static Suite *
recfilematch_suite (void)
{
  Suite *s = suite_create ("recfilematch");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_names_with_a_time_match_in_the_order_of_writing);
  tcase_add_test (tc, test_names_with_a_number_match_in_its_order);
  tcase_add_test (tc, test_folders_of_a_pattern_are_searched);
  tcase_add_test (
      tc, test_every_conversion_that_is_recognised_matches_its_own_names);
  tcase_add_test (tc, test_conversions_that_cannot_be_recognised_are_named);
  return s;
}

GST_CHECK_MAIN (recfilematch);
