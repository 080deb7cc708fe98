/* gst-tsrec: where a stall is found
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recstall.h"

#include <gst/check/gstcheck.h>

#define S UINT64_C (1000000000)
#define MS UINT64_C (1000000)

/* network monitor (1) - depayloader - decoder - monitor 2 - encoder -
 * monitor 3 - mux - monitor 4 */
static void
make_chain (RecMonitorReport m[4])
{
  memset (m, 0, 4 * sizeof *m);
  m[0] = (RecMonitorReport){ .id = 1, .next = 2, .rtp = true };
  m[1] = (RecMonitorReport){ .id = 2,
    .next = 3,
    .n_points = 2,
    .points = { { REC_STALL_DECODER, 0 }, { REC_STALL_DEPAYLOADER, 0 } } };
  m[2] = (RecMonitorReport){
    .id = 3, .next = 4, .n_points = 1, .points = { { REC_STALL_ENCODER, 0 } }
  };
  m[3] = (RecMonitorReport){
    .id = 4, .n_points = 1, .points = { { REC_STALL_MUX, 0 } }
  };
}

/* Dry from the given monitor on, and what enters its points from point
 * @points on, counted from the far end. */
static void
dry_from (RecMonitorReport m[4], guint from, guint points, guint64 idle)
{
  guint i, j;

  for (i = from; i < 4; i++) {
    m[i].idle = idle;
    for (j = 0; j < m[i].n_points; j++)
      if (i > from || m[i].n_points - 1 - j >= points)
        m[i].points[j].idle = idle;
  }
}

#define assert_where(m, n, id, stage)                                          \
  fail_unless_equals_string (                                                  \
      rec_stall_stage_name (rec_stall_find_upstream (m, n, id, 2 * S)), stage)

GST_START_TEST (test_the_first_dry_stage_is_named_from_anywhere)
{
  static const struct
  {
    guint from, points;
    const gchar *stage;
  } rows[] = {
    { 0, 0, "network" },
    { 1, 0, "depayloader" }, /* the network gives, nothing enters it */
    { 1, 1, "depayloader" }, /* it gets packets, and gives none */
    { 1, 2, "decoder" },
    { 2, 0, "encoder" },
    { 2, 1, "encoder" },
    { 3, 0, "mux" },
    { 3, 1, "mux" },
  };
  RecMonitorReport m[4];
  guint i, id;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    for (id = rows[i].from + 1; id <= 4; id++) {
      make_chain (m);
      dry_from (m, rows[i].from, rows[i].points, 2 * S);
      assert_where (m, 4, id, rows[i].stage);
    }
}

GST_END_TEST;

GST_START_TEST (test_one_monitor_alone_names_the_stage_by_what_enters)
{
  RecMonitorReport m = { .id = 7,
    .idle = 2 * S,
    .n_points = 3,
    .points = { { REC_STALL_MUX, 2 * S }, { REC_STALL_ENCODER, 2 * S },
        { REC_STALL_DEPAYLOADER, 2 * S } } };

  assert_where (&m, 1, 7, "network");
  m.points[2].idle = 0;
  assert_where (&m, 1, 7, "depayloader");
  m.points[1].idle = 100 * MS;
  assert_where (&m, 1, 7, "encoder");
  m.points[0].idle = 0;
  assert_where (&m, 1, 7, "mux");
  m.n_points = 0;
  assert_where (&m, 1, 7, "network");
}

GST_END_TEST;

GST_START_TEST (test_after_a_mux_the_earliest_branch_is_named)
{
  RecMonitorReport m[3] = {
    { .id = 1,
        .next = 3,
        .idle = 2 * S,
        .n_points = 1,
        .points = { { REC_STALL_ENCODER, 0 } } },
    { .id = 2, .next = 3, .idle = 2 * S },
    { .id = 3,
        .idle = 2 * S,
        .n_points = 1,
        .points = { { REC_STALL_MUX, 2 * S } } },
  };

  assert_where (m, 3, 3, "network");
  m[1].idle = 0;
  assert_where (m, 3, 3, "mux");
}

GST_END_TEST;

GST_START_TEST (test_loops_and_strangers_do_no_harm)
{
  RecMonitorReport m[2] = { { .id = 1, .next = 2, .idle = 2 * S },
    { .id = 2, .next = 1, .idle = 2 * S } };

  assert_where (m, 2, 1, "network");
  assert_where (m, 2, 9, "network");
  assert_where (m, 0, 1, "network");
}

GST_END_TEST;

GST_START_TEST (test_what_is_blocked_is_named_downstream)
{
  RecMonitorReport m[2] = { { .id = 3, .idle = 2 * S, .blocked = true },
    { .id = 4,
        .idle = 2 * S,
        .n_points = 1,
        .points = { { REC_STALL_MUX, 2 * S } } } };

  fail_unless_equals_int (
      rec_stall_find_downstream (m, 2, 2 * S, true, false), REC_STALL_MUX);
  m[1].blocked = true;
  fail_unless_equals_int (
      rec_stall_find_downstream (m, 2, 2 * S, true, false), REC_STALL_DISK);
  fail_unless_equals_int (
      rec_stall_find_downstream (NULL, 0, 2 * S, true, true), REC_STALL_DISK);
  /* delivers, and the sink writes nothing */
  fail_unless_equals_int (
      rec_stall_find_downstream (NULL, 0, 5 * S, false, true), REC_STALL_MUX);
  fail_unless_equals_int (
      rec_stall_find_downstream (NULL, 0, 5 * S, false, false), REC_STALL_DISK);
}

GST_END_TEST;

static Suite *
recstall_suite (void)
{
  Suite *s = suite_create ("recstall");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_the_first_dry_stage_is_named_from_anywhere);
  tcase_add_test (tc, test_one_monitor_alone_names_the_stage_by_what_enters);
  tcase_add_test (tc, test_after_a_mux_the_earliest_branch_is_named);
  tcase_add_test (tc, test_loops_and_strangers_do_no_harm);
  tcase_add_test (tc, test_what_is_blocked_is_named_downstream);
  return s;
}

GST_CHECK_MAIN (recstall);
