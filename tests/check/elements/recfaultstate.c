/* gst-tsrec: states of a recording whose disk fails
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recfaultstate.h"

#include <gst/check/gstcheck.h>

#define NOW (1000 * G_USEC_PER_SEC)

static RecFaultState state;

static void
setup (void)
{
  rec_fault_state_init (&state);
}

GST_START_TEST (test_recording_continues_at_a_random_access_point)
{
  fail_unless_equals_int (state.phase, REC_FAULT_WRITING);
  state.fault = REC_DISK_IO_ERROR;
  rec_fault_state_wait (&state, REC_DISK_IO_ERROR, NOW, 1000);
  fail_unless_equals_int (state.phase, REC_FAULT_WAITING);
  fail_unless (state.waiting);
  rec_fault_state_begin_resync (&state, NOW, FALSE);
  fail_unless_equals_int (state.phase, REC_FAULT_RESYNC);
  fail_unless (state.waiting);
  fail_if (rec_fault_state_ends_resync (&state, NOW, FALSE, FALSE));
  fail_unless (rec_fault_state_ends_resync (&state, NOW, TRUE, FALSE));
  rec_fault_state_end (&state);
  fail_unless_equals_int (state.phase, REC_FAULT_WRITING);
  fail_unless_equals_int (state.fault, REC_DISK_OK);
  fail_if (state.waiting);
}

GST_END_TEST;

GST_START_TEST (test_marked_random_access_point_is_awaited_for_a_limited_time)
{
  gint64 end = NOW + 5 * G_USEC_PER_SEC;

  rec_fault_state_begin_resync (&state, NOW, TRUE);
  fail_if (rec_fault_state_ends_resync (&state, end - 1, TRUE, FALSE));
  fail_if (rec_fault_state_ends_resync (&state, NOW, FALSE, TRUE));
  fail_unless (rec_fault_state_ends_resync (&state, NOW, TRUE, TRUE));
  fail_unless (rec_fault_state_ends_resync (&state, end, TRUE, FALSE));
  fail_if (rec_fault_state_ends_resync (&state, end, FALSE, FALSE));
}

GST_END_TEST;

GST_START_TEST (test_disk_is_tried_once_a_second)
{
  rec_fault_state_wait (&state, REC_DISK_QUOTA, NOW, 1000);
  fail_if (rec_fault_state_is_retry_due (&state, NOW + G_USEC_PER_SEC - 1));
  fail_unless (rec_fault_state_is_retry_due (&state, NOW + G_USEC_PER_SEC));
  fail_if (rec_fault_state_is_retry_due (&state, NOW + G_USEC_PER_SEC + 1));
  fail_unless (rec_fault_state_is_retry_due (&state, NOW + 2 * G_USEC_PER_SEC));
}

GST_END_TEST;

GST_START_TEST (test_file_is_opened_again_after_three_failures)
{
  for (guint i = 0; i < 10; i++) {
    fail_unless_equals_int (
        rec_fault_state_wait (&state, REC_DISK_IO_ERROR, NOW, 1000),
        i % 3 == 2);
  }
  rec_fault_state_end (&state);
  for (guint i = 0; i < 10; i++) {
    fail_if (rec_fault_state_wait (&state, REC_DISK_FULL, NOW, 1000));
    fail_if (rec_fault_state_wait (&state, REC_DISK_QUOTA, NOW, 1000));
  }
}

GST_END_TEST;

GST_START_TEST (test_full_disk_is_tried_when_the_buffer_fits_twice)
{
  const gchar *path = "/tmp/rec.ts";
  guint64 bytes_free = rec_disk_free_at (path);

  state.fault = REC_DISK_FULL;
  rec_fault_state_wait (&state, REC_DISK_FULL, NOW, 10);
  fail_unless_equals_uint64 (state.need_bytes, 64 * 1024);
  rec_fault_state_wait (&state, REC_DISK_FULL, NOW, 1024 * 1024);
  fail_unless_equals_uint64 (state.need_bytes, 2 * 1024 * 1024);
  state.need_bytes = bytes_free > 0 ? 1 : 0;
  fail_unless (rec_fault_state_is_disk_ready (&state, path));
  state.need_bytes = G_MAXUINT64;
  fail_if (rec_fault_state_is_disk_ready (&state, path));
  state.fault = REC_DISK_IO_ERROR;
  fail_unless (rec_fault_state_is_disk_ready (&state, path));
}

GST_END_TEST;

GST_START_TEST (test_removed_file_system_is_awaited)
{
  const gchar *path = "/tmp/rec.ts";
  guint64 device = rec_disk_device (path);

  state.fault = REC_DISK_MOUNT_REMOVED;
  rec_fault_state_set_unmounted (&state, path, device + 1);
  fail_if (rec_fault_state_is_disk_ready (&state, path));
  /* it fails, but is still mounted */
  rec_fault_state_set_unmounted (&state, path, device);
  fail_unless (rec_fault_state_is_disk_ready (&state, path));
}

GST_END_TEST;

static Suite *
recfaultstate_suite (void)
{
  Suite *s = suite_create ("recfaultstate");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, NULL);
  tcase_add_test (tc, test_recording_continues_at_a_random_access_point);
  tcase_add_test (
      tc, test_marked_random_access_point_is_awaited_for_a_limited_time);
  tcase_add_test (tc, test_disk_is_tried_once_a_second);
  tcase_add_test (tc, test_file_is_opened_again_after_three_failures);
  tcase_add_test (tc, test_full_disk_is_tried_when_the_buffer_fits_twice);
  tcase_add_test (tc, test_removed_file_system_is_awaited);
  return s;
}

GST_CHECK_MAIN (recfaultstate);
