/* gst-tsrec: queries and events between the elements
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recevent.h"
#include "recquery.h"

#include <gst/check/gstcheck.h>

GST_START_TEST (test_written_is_parsed_only_when_answered)
{
  RecWritten in = { 1, 2, 6, 3, 4, 5, TRUE }, out = { 0 };
  gchar *location = NULL;
  GstQuery *query = rec_query_new_written ();

  fail_unless (rec_query_is_written (query));
  fail_unless (!rec_query_is_resume (query));
  fail_unless (!rec_query_parse_written (query, &out, &location));
  fail_unless_equals_uint64 (out.bytes_written, 0);
  rec_query_set_written (query, &in, "a.ts");
  fail_unless (rec_query_parse_written (query, &out, &location));
  fail_unless_equals_uint64 (out.bytes_written, 1);
  fail_unless_equals_uint64 (out.bytes_durable, 2);
  fail_unless_equals_uint64 (out.bytes_dropped, 6);
  fail_unless_equals_uint64 (out.file_size, 3);
  fail_unless_equals_uint64 (out.buffers_written, 4);
  fail_unless_equals_uint64 (out.write_blocked, 5);
  fail_unless (out.waiting_for_disk);
  fail_unless_equals_string (location, "a.ts");
  g_free (location);
  rec_query_set_recording_id (query, NULL);
  fail_unless (rec_query_get_recording_id (query) == NULL);
  rec_query_set_recording_id (query, "hall");
  fail_unless_equals_string (rec_query_get_recording_id (query), "hall");
  gst_query_unref (query);
}

GST_END_TEST;

GST_START_TEST (test_resume_carries_every_continuity_counter)
{
  RecResume *in = g_new0 (RecResume, 1), *out = g_new0 (RecResume, 1);
  GstQuery *query = rec_query_new_resume ();
  guint i;

  fail_unless (!rec_query_parse_resume (query, out));
  for (i = 0; i < TS_N_PIDS; i++)
    in->continuity_counter[i] = i % 16;
  in->pmt_version = 31;
  in->sdt_version = -1;
  in->last_ts = G_GUINT64_CONSTANT (0x1ffffffff);
  rec_query_set_resume (query, in);
  fail_unless (rec_query_parse_resume (query, out));
  fail_unless (memcmp (in, out, sizeof (*in)) == 0);
  gst_query_unref (query);
  g_free (in);
  g_free (out);
}

GST_END_TEST;

/* An answer of another sink, that lacks a field or has one of another size. */
GST_START_TEST (test_a_damaged_answer_changes_nothing)
{
  RecResume in = { .pat_version = 7, .elapsed = 5 }, out, before;
  GstQuery *query = rec_query_new_resume ();
  GBytes *bytes = g_bytes_new ("short", 5);

  memset (&out, 0x5a, sizeof out);
  before = out;
  rec_query_set_resume (query, &in);
  gst_structure_remove_field (gst_query_writable_structure (query), "elapsed");
  fail_if (rec_query_parse_resume (query, &out));
  fail_unless (memcmp (&before, &out, sizeof out) == 0);
  rec_query_set_resume (query, &in);
  gst_structure_set (gst_query_writable_structure (query),
      "continuity-counters", G_TYPE_BYTES, bytes, NULL);
  fail_if (rec_query_parse_resume (query, &out));
  fail_unless (memcmp (&before, &out, sizeof out) == 0);
  g_bytes_unref (bytes);
  gst_query_unref (query);
}

GST_END_TEST;

GST_START_TEST (test_events_are_told_apart)
{
  GstEvent *resync = rec_event_new_resync ();
  GstEvent *journal = rec_event_new_journal (
      gst_structure_new ("gap", "cause", G_TYPE_STRING, "no-input", NULL));
  const GstStructure *s;

  fail_unless (rec_event_is_resync (resync));
  fail_unless (rec_event_parse_journal (resync) == NULL);
  fail_unless (!rec_event_is_resync (journal));
  s = rec_event_parse_journal (journal);
  fail_unless (s != NULL && gst_structure_has_name (s, "gap"));
  fail_unless_equals_string (gst_structure_get_string (s, "cause"), "no-input");
  gst_event_unref (resync);
  gst_event_unref (journal);
}

GST_END_TEST;

static Suite *
recquery_suite (void)
{
  Suite *s = suite_create ("recquery");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_written_is_parsed_only_when_answered);
  tcase_add_test (tc, test_resume_carries_every_continuity_counter);
  tcase_add_test (tc, test_a_damaged_answer_changes_nothing);
  tcase_add_test (tc, test_events_are_told_apart);
  return s;
}

GST_CHECK_MAIN (recquery);
