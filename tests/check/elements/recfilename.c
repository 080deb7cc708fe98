/* gst-tsrec: the names of recorded files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recfilename.h"

#include <gst/check/gstcheck.h>
#include <glib/gstdio.h>

/* 2001-02-03 04:05:06 UTC */
#define WHEN (G_GINT64_CONSTANT (981173106) * G_USEC_PER_SEC)

static void
assert_expands (const gchar *pattern, guint index, const gchar *expected)
{
  gchar *path = rec_filename_expand (pattern, WHEN, index);

  fail_unless_equals_string (path, expected);
  g_free (path);
}

GST_START_TEST (test_time_and_fragment_number_are_expanded)
{
  g_setenv ("TZ", "UTC", TRUE);
  tzset ();
  assert_expands ("rec.ts", 3, "rec.ts");
  assert_expands ("", 3, "");
  assert_expands ("%Y-%m-%d/%H%M%S.ts", 3, "2001-02-03/040506.ts");
  assert_expands ("rec-%05d.ts", 42, "rec-00042.ts");
  assert_expands ("rec-%05d.ts", 1234567, "rec-1234567.ts");
  assert_expands ("%Y/%3d-%d.ts", 7, "2001/007-03.ts");
  assert_expands ("100%%-%05d", 1, "100%-00001");
  assert_expands ("%%05d", 1, "%05d");
}

GST_END_TEST;

static void
assert_numbered (const gchar *path, guint number, const gchar *expected)
{
  gchar *numbered = rec_filename_numbered (path, number);

  fail_unless_equals_string (numbered, expected);
  g_free (numbered);
}

GST_START_TEST (test_number_goes_before_the_extension)
{
  assert_numbered ("a.b/rec.ts", 0, "a.b/rec.ts");
  assert_numbered ("a.b/rec.ts", 2, "a.b/rec-2.ts");
  assert_numbered ("a.b/rec", 2, "a.b/rec-2");
  assert_numbered (".hidden", 1, ".hidden-1");
}

GST_END_TEST;

static void
touch (const gchar *dir, const gchar *name, gboolean there)
{
  gchar *path = g_build_filename (dir, name, NULL);

  if (there)
    fail_unless (g_file_set_contents (path, "x", 1, NULL));
  else
    g_unlink (path);
  g_free (path);
}

GST_START_TEST (test_numbering_goes_on_after_the_highest)
{
  static const gchar *names[] = { "a-00003.ts", "a-00011.ts", "a-00012.ts.bak",
    "a-x.ts", "b-00099.ts", "rec.ts", "rec-4.ts" };
  gchar *dir = g_dir_make_tmp ("recfilename-XXXXXX", NULL);
  gchar *pattern = g_build_filename (dir, "a-%05d.ts", NULL);
  gchar *plain = g_build_filename (dir, "rec.ts", NULL);
  gchar *path, *expected = g_build_filename (dir, "a-00011.ts", NULL);
  guint i;

  fail_unless_equals_int64 (rec_filename_last_index (pattern, WHEN, &path), -1);
  fail_unless (path == NULL);
  fail_unless_equals_int64 (rec_filename_last_number (plain), -1);
  for (i = 0; i < G_N_ELEMENTS (names); i++)
    touch (dir, names[i], TRUE);
  fail_unless_equals_int64 (rec_filename_last_index (pattern, WHEN, &path), 11);
  fail_unless_equals_string (path, expected);
  fail_unless_equals_int64 (rec_filename_last_number (plain), 4);
  touch (dir, "rec-4.ts", FALSE);
  fail_unless_equals_int64 (rec_filename_last_number (plain), 0);
  for (i = 0; i < G_N_ELEMENTS (names); i++)
    touch (dir, names[i], FALSE);
  fail_unless_equals_int (g_rmdir (dir), 0);
  g_free (path);
  g_free (expected);
  g_free (plain);
  g_free (pattern);
  g_free (dir);
}

GST_END_TEST;

static Suite *
recfilename_suite (void)
{
  Suite *s = suite_create ("recfilename");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_time_and_fragment_number_are_expanded);
  tcase_add_test (tc, test_number_goes_before_the_extension);
  tcase_add_test (tc, test_numbering_goes_on_after_the_highest);
  return s;
}

GST_CHECK_MAIN (recfilename);
