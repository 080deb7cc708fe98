/* gst-tsrec: many tasks on few threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rectasks.h"

#include <gst/check/gstcheck.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PATIENCE (30 * G_TIME_SPAN_SECOND)

/* --- what the system refuses --- */

static gint refused_threads; /* so many in a row */
static gint refused_eventfds;

GThread *__real_g_thread_try_new (
    const gchar *name, GThreadFunc func, gpointer data, GError **error);
GThread *__wrap_g_thread_try_new (
    const gchar *name, GThreadFunc func, gpointer data, GError **error);
int __real_eventfd (unsigned int initval, int flags);
int __wrap_eventfd (unsigned int initval, int flags);

static gboolean
take_one (gint *n)
{
  gint old;

  do {
    old = g_atomic_int_get (n);
    if (old == 0)
      return FALSE;
  } while (!g_atomic_int_compare_and_exchange (n, old, old - 1));
  return TRUE;
}

GThread *
__wrap_g_thread_try_new (
    const gchar *name, GThreadFunc func, gpointer data, GError **error)
{
  return take_one (&refused_threads)
      ? NULL
      : __real_g_thread_try_new (name, func, data, error);
}

int
__wrap_eventfd (unsigned int initval, int flags)
{
  if (!take_one (&refused_eventfds))
    return __real_eventfd (initval, flags);
  errno = EMFILE;
  return -1;
}

/* --- tasks --- */

static void
wait_for (const gint *n, gint value)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  while (g_atomic_int_get (n) < value) {
    fail_unless (g_get_monotonic_time () < until, "%d instead of %d",
        g_atomic_int_get (n), value);
    g_usleep (500);
  }
}

static void
count (gpointer n)
{
  g_atomic_int_inc ((gint *)n);
}

static GMutex gate;
static gint n_blocked;

static void
block (gpointer unused)
{
  g_atomic_int_inc (&n_blocked);
  g_mutex_lock (&gate);
  g_mutex_unlock (&gate);
}

static void
check_that_threads_end (void)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  while (rec_tasks_count_threads () > 0) {
    fail_unless (g_get_monotonic_time () < until);
    g_usleep (1000);
  }
}

/* --- waking --- */

#define N_STRESSED 300
#define N_WAKERS 4
#define N_WAKEUPS 20000

typedef struct
{
  RecTask *task;
  gint inside;
  gint wanted; /* counts wakeups */
  gint seen;   /* `wanted`, when it last began to run */
  gint clashes;
} Stressed;

static Stressed stressed[N_STRESSED];

static void
run_stressed (gpointer data)
{
  Stressed *s = data;

  if (g_atomic_int_add (&s->inside, 1) != 0)
    g_atomic_int_inc (&s->clashes);
  g_atomic_int_set (&s->seen, g_atomic_int_get (&s->wanted));
  if (g_random_int_range (0, 2000) == 0)
    g_usleep (8000);
  g_atomic_int_add (&s->inside, -1);
}

static gpointer
wake_at_random (gpointer seed)
{
  GRand *rand = g_rand_new_with_seed (GPOINTER_TO_UINT (seed));

  for (guint i = 0; i < N_WAKEUPS; i++) {
    Stressed *s = &stressed[g_rand_int_range (rand, 0, N_STRESSED)];
    gint64 now = g_get_monotonic_time ();

    g_atomic_int_inc (&s->wanted);
    if (i % 3 == 0)
      rec_task_wake_at (s->task, now + g_rand_int_range (rand, -500, 2000));
    else
      rec_task_wake (s->task);
    if (i % 64 == 0)
      g_usleep (200);
  }
  g_rand_free (rand);
  return NULL;
}

GST_START_TEST (test_no_wakeup_of_hundreds_of_tasks_is_lost)
{
  GThread *wakers[N_WAKERS];

  for (guint i = 0; i < N_STRESSED; i++)
    stressed[i].task =
        rec_task_new (i % REC_TASKS_POOLS, run_stressed, &stressed[i]);
  for (guint i = 0; i < N_WAKERS; i++)
    wakers[i] =
        g_thread_new ("waker", wake_at_random, GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < N_WAKERS; i++)
    g_thread_join (wakers[i]);
  for (guint i = 0; i < N_STRESSED; i++) {
    wait_for (&stressed[i].seen, g_atomic_int_get (&stressed[i].wanted));
    rec_task_free (stressed[i].task);
    fail_unless_equals_int (stressed[i].clashes, 0);
  }
}
GST_END_TEST;

typedef struct
{
  RecTask *task;
  gint left;
  gint runs;
} Repeated;

static void
repeat (gpointer data)
{
  Repeated *r = data;

  g_atomic_int_inc (&r->runs);
  if (r->left != 0)
    rec_task_wake (r->task);
  r->left -= r->left > 0;
}

GST_START_TEST (test_a_task_that_wakes_itself_runs_again)
{
  Repeated r = { .left = 5 };

  r.task = rec_task_new (REC_TASKS_MEDIA, repeat, &r);
  rec_task_wake (r.task);
  wait_for (&r.runs, 6);
  rec_task_free (r.task);
  fail_unless_equals_int (r.runs, 6);
}
GST_END_TEST;

/* --- freeing --- */

GST_START_TEST (test_a_task_that_never_rests_can_be_freed)
{
  Repeated r[8] = { { NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (r); i++) {
    r[i].left = -1;
    r[i].task = rec_task_new (REC_TASKS_CONTROL, repeat, &r[i]);
    rec_task_wake (r[i].task);
    wait_for (&r[i].runs, 10);
  }
  for (guint i = 0; i < G_N_ELEMENTS (r); i++) {
    gint before = g_atomic_int_get (&r[i].runs), runs;

    rec_task_free (r[i].task);
    runs = r[i].runs;
    fail_unless (runs >= before);
    g_usleep (1000);
    fail_unless_equals_int (g_atomic_int_get (&r[i].runs), runs);
  }
}
GST_END_TEST;

static gint finished;

static void
block_and_finish (gpointer unused)
{
  block (NULL);
  g_atomic_int_inc (&finished);
}

static gpointer
free_task (gpointer task)
{
  rec_task_free (task);
  return GINT_TO_POINTER (g_atomic_int_get (&finished));
}

GST_START_TEST (test_freeing_waits_until_the_task_has_run)
{
  RecTask *task = rec_task_new (REC_TASKS_DISK, block_and_finish, NULL);
  GThread *thread;
  gint finished_when_freed;

  g_mutex_lock (&gate);
  rec_task_wake (task);
  wait_for (&n_blocked, 1);
  rec_task_wake (task);
  rec_task_wake_at (task, g_get_monotonic_time ());
  thread = g_thread_new ("free", free_task, task);
  g_usleep (20000);
  g_mutex_unlock (&gate);
  finished_when_freed = GPOINTER_TO_INT (g_thread_join (thread));
  fail_unless (finished_when_freed >= 1);
  fail_unless_equals_int (g_atomic_int_get (&n_blocked), finished_when_freed);
}
GST_END_TEST;

/* --- tasks that block --- */

#define N_FROZEN 300

/* Returns how long a task waits that is due with @n others, all of which block. */
static gint64
measure_among_blocked (guint n)
{
  RecTask *blocked[N_FROZEN], *other;
  gint64 due;
  gint runs = 0;

  other = rec_task_new (REC_TASKS_DISK, count, &runs);
  for (guint i = 0; i < n; i++)
    blocked[i] = rec_task_new (REC_TASKS_DISK, block, NULL);
  g_mutex_lock (&gate);
  due = g_get_monotonic_time () + 300 * G_TIME_SPAN_MILLISECOND;
  /* Of those that are due, the one that was set first runs last. */
  rec_task_wake_at (other, due);
  for (guint i = 0; i < n; i++)
    rec_task_wake_at (blocked[i], due);
  wait_for (&runs, 1);
  due = g_get_monotonic_time () - due;
  g_mutex_unlock (&gate);
  for (guint i = 0; i < n; i++)
    rec_task_free (blocked[i]);
  rec_task_free (other);
  return due;
}

/* As when the syncs of many recordings on a frozen disk are due at once, and
 * that of one on another disk. One thread in REC_TASKS_PATIENCE would take
 * N_FROZEN times as long. */
GST_START_TEST (test_hundreds_of_blocked_tasks_hold_up_no_other)
{
  const gchar *preload = g_getenv ("LD_PRELOAD");
  gboolean imitated = preload && strstr (preload, "vgpreload");
  gint64 waited = measure_among_blocked (imitated ? 20 : N_FROZEN);

  /* valgrind runs one thread at a time. */
  fail_unless (imitated || waited < N_FROZEN * REC_TASKS_PATIENCE * 2 / 3,
      "waited for %" G_GINT64_FORMAT " ms", waited / 1000);
}
GST_END_TEST;

/* --- time and descriptors --- */

GST_START_TEST (test_tasks_run_when_they_are_due)
{
  gint runs[20] = { 0 };
  gint64 now = g_get_monotonic_time ();
  RecTask *tasks[20];

  for (guint i = 0; i < 20; i++) {
    tasks[i] = rec_task_new (i % REC_TASKS_POOLS, count, &runs[i]);
    /* The later one first: the earlier one counts. */
    rec_task_wake_at (tasks[i], REC_TASKS_NEVER);
    rec_task_wake_at (tasks[i], now + (20 - i) * 5000);
    rec_task_wake_at (tasks[i], now + 3600 * G_TIME_SPAN_SECOND);
  }
  for (gint i = 19; i >= 0; i--) {
    wait_for (&runs[i], 1);
    fail_unless (g_get_monotonic_time () >= now + (20 - i) * 5000);
  }
  for (guint i = 0; i < 20; i++) {
    rec_task_free (tasks[i]);
    fail_unless_equals_int (runs[i], 1);
  }
}
GST_END_TEST;

static GPollFD
open_fd (void)
{
  GPollFD fd = { __real_eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC), G_IO_IN, 0 };

  fail_unless (fd.fd >= 0);
  return fd;
}

static void
make_ready (gint fd)
{
  guint64 one = 1;

  fail_unless_equals_int (write (fd, &one, sizeof (one)), sizeof (one));
}

GST_START_TEST (test_tasks_run_when_a_descriptor_is_ready)
{
  gint runs = 0;
  RecTask *task = rec_task_new (REC_TASKS_CONTROL, count, &runs);
  GPollFD fds[2] = { open_fd (), open_fd () };

  rec_task_watch (task, REC_TASKS_NEVER, fds, 2);
  g_usleep (10000);
  fail_unless_equals_int (g_atomic_int_get (&runs), 0);
  make_ready (fds[1].fd);
  wait_for (&runs, 1);
  /* Once. */
  g_usleep (10000);
  fail_unless_equals_int (g_atomic_int_get (&runs), 1);
  rec_task_watch (task, REC_TASKS_NEVER, fds, 2);
  wait_for (&runs, 2);
  rec_task_free (task);
  close (fds[0].fd);
  close (fds[1].fd);
}
GST_END_TEST;

/* A number may come back as that of another file, which is not the one that is
 * being polled. */
GST_START_TEST (test_a_descriptor_that_was_opened_anew_is_watched)
{
  gint runs = 0, copy;
  RecTask *task = rec_task_new (REC_TASKS_CONTROL, count, &runs);
  GPollFD fds[2] = { open_fd (), open_fd () };

  rec_task_watch (task, REC_TASKS_NEVER, fds, 2);
  g_usleep (50000);
  copy = __real_eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  fail_unless_equals_int (dup3 (copy, fds[1].fd, O_CLOEXEC), fds[1].fd);
  rec_task_watch (task, REC_TASKS_NEVER, fds, 2);
  make_ready (copy);
  wait_for (&runs, 1);
  rec_task_free (task);
  close (copy);
  close (fds[0].fd);
  close (fds[1].fd);
}
GST_END_TEST;

/* --- a system at its limits --- */

/* Nobody calls again after the failure. */
GST_START_TEST (test_a_task_runs_when_threads_can_be_had_again)
{
  gint runs = 0;
  RecTask *task = rec_task_new (REC_TASKS_DISK, count, &runs);

  g_atomic_int_set (&refused_threads, 3);
  rec_task_wake (task);
  wait_for (&runs, 1);
  fail_unless_equals_int (g_atomic_int_get (&refused_threads), 0);
  rec_task_free (task);
}
GST_END_TEST;

/* The thread that watches is the one that was refused. */
GST_START_TEST (test_a_blocked_task_holds_up_none_after_a_refused_thread)
{
  RecTask *blocked, *other;
  gint runs = 0;

  g_atomic_int_set (&refused_threads, 1);
  blocked = rec_task_new (REC_TASKS_DISK, block, NULL);
  other = rec_task_new (REC_TASKS_DISK, count, &runs);
  g_mutex_lock (&gate);
  rec_task_wake (blocked);
  wait_for (&n_blocked, 1);
  g_atomic_int_set (&refused_threads, 1);
  rec_task_wake (other);
  rec_task_wake (other);
  wait_for (&runs, 1);
  g_mutex_unlock (&gate);
  rec_task_free (blocked);
  rec_task_free (other);
}
GST_END_TEST;

GST_START_TEST (test_tasks_run_without_an_eventfd)
{
  gint runs = 0;
  RecTask *task;

  g_atomic_int_set (&refused_eventfds, 1000000);
  task = rec_task_new (REC_TASKS_DISK, count, &runs);
  rec_task_wake_at (task, g_get_monotonic_time () + 3600 * G_TIME_SPAN_SECOND);
  g_usleep (50000);
  rec_task_wake_at (task, g_get_monotonic_time ());
  wait_for (&runs, 1);
  rec_task_free (task);
}
GST_END_TEST;

/* --- hosts --- */

typedef struct
{
  RecTasksHost *host;
  GThread *ran_on;
  gint replaced;
  gboolean refuse;
  gint returned;
  gboolean still_host;
} Hosted;

static gboolean
replace (gpointer data)
{
  Hosted *hosted = data;

  g_atomic_int_inc (&hosted->replaced);
  return !hosted->refuse;
}

static void
note_thread (gpointer data)
{
  g_atomic_pointer_set (&((Hosted *)data)->ran_on, g_thread_self ());
}

static gpointer
run_host (gpointer data)
{
  Hosted *hosted = data;

  hosted->still_host = rec_tasks_host_run (hosted->host);
  g_atomic_int_inc (&hosted->returned);
  return NULL;
}

GST_START_TEST (test_a_host_runs_what_is_queued)
{
  Hosted hosted = { 0 };
  RecTask *task = rec_task_new (REC_TASKS_MEDIA, note_thread, &hosted);

  hosted.host = rec_tasks_host_new (REC_TASKS_MEDIA, replace, &hosted);
  fail_unless (hosted.host != NULL);
  fail_unless (rec_tasks_host_run (hosted.host));
  fail_unless (hosted.ran_on == NULL);
  rec_task_queue (task);
  fail_unless (rec_tasks_host_run (hosted.host));
  fail_unless (hosted.ran_on == g_thread_self ());
  fail_unless_equals_int (rec_tasks_count_threads (), 0);
  fail_unless (rec_tasks_host_stop (hosted.host));
  hosted.ran_on = NULL;
  rec_task_queue (task);
  fail_unless (rec_tasks_host_run (hosted.host));
  fail_unless (g_atomic_pointer_get (&hosted.ran_on) != g_thread_self ());
  rec_tasks_host_free (hosted.host);
  rec_task_free (task);
  check_that_threads_end ();
}

GST_END_TEST;

/* @refuse: the process has no thread to take its place; those of the pool run
 * the other tasks all the same. */
static void
block_a_host (gboolean refuse)
{
  Hosted hosted = { .refuse = refuse };
  RecTask *tasks[20], *blocked = rec_task_new (REC_TASKS_MEDIA, block, NULL);
  gint n = 0, before = n_blocked;
  GThread *thread;

  hosted.host = rec_tasks_host_new (REC_TASKS_MEDIA, replace, &hosted);
  g_mutex_lock (&gate);
  rec_task_queue (blocked);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++) {
    tasks[i] = rec_task_new (REC_TASKS_MEDIA, count, &n);
    rec_task_queue (tasks[i]);
  }
  thread = g_thread_new ("host", run_host, &hosted);
  wait_for (&n_blocked, before + 1);
  wait_for (&hosted.replaced, refuse ? 3 : 1);
  wait_for (&n, G_N_ELEMENTS (tasks));
  fail_unless_equals_int (g_atomic_int_get (&hosted.returned), 0);
  if (!refuse) {
    /* The one that takes its place. */
    rec_task_queue (tasks[0]);
    fail_unless (rec_tasks_host_run (hosted.host));
    wait_for (&n, G_N_ELEMENTS (tasks) + 1);
  }
  /* The one that could not be replaced is left where it is. */
  fail_unless_equals_int (rec_tasks_host_stop (hosted.host), !refuse);
  rec_tasks_host_free (hosted.host);
  g_mutex_unlock (&gate);
  g_thread_join (thread);
  fail_unless (!hosted.still_host);
  rec_task_free (blocked);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    rec_task_free (tasks[i]);
  check_that_threads_end ();
}

GST_START_TEST (test_a_host_that_blocks_is_replaced)
{
  block_a_host (FALSE);
}

GST_END_TEST;

GST_START_TEST (test_a_blocked_host_can_be_stopped)
{
  block_a_host (TRUE);
}

GST_END_TEST;

typedef struct
{
  RecTask *task;
  gint runs;
  gint quit;
} Restless;

static void
queue_again (gpointer data)
{
  Restless *restless = data;

  g_atomic_int_inc (&restless->runs);
  if (!g_atomic_int_get (&restless->quit))
    rec_task_queue (restless->task);
}

GST_START_TEST (test_a_task_that_never_rests_does_not_hold_its_host)
{
  Hosted hosted = { 0 };
  Restless restless = { 0 };

  restless.task = rec_task_new (REC_TASKS_MEDIA, queue_again, &restless);
  hosted.host = rec_tasks_host_new (REC_TASKS_MEDIA, replace, &hosted);
  rec_task_queue (restless.task);
  fail_unless (rec_tasks_host_run (hosted.host));
  /* The pool goes on with it. */
  wait_for (&restless.runs, 100);
  g_atomic_int_set (&restless.quit, TRUE);
  fail_unless (rec_tasks_host_stop (hosted.host));
  rec_tasks_host_free (hosted.host);
  rec_task_free (restless.task);
  check_that_threads_end ();
}

GST_END_TEST;

static Suite *
rectasks_suite (void)
{
  Suite *suite = suite_create ("rectasks");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_checked_fixture (tc, NULL, check_that_threads_end);
  tcase_add_test (tc, test_no_wakeup_of_hundreds_of_tasks_is_lost);
  tcase_add_test (tc, test_a_task_that_wakes_itself_runs_again);
  tcase_add_test (tc, test_a_task_that_never_rests_can_be_freed);
  tcase_add_test (tc, test_freeing_waits_until_the_task_has_run);
  tcase_add_test (tc, test_hundreds_of_blocked_tasks_hold_up_no_other);
  tcase_add_test (tc, test_tasks_run_when_they_are_due);
  tcase_add_test (tc, test_tasks_run_when_a_descriptor_is_ready);
  tcase_add_test (tc, test_a_descriptor_that_was_opened_anew_is_watched);
  tcase_add_test (tc, test_a_task_runs_when_threads_can_be_had_again);
  tcase_add_test (tc, test_a_blocked_task_holds_up_none_after_a_refused_thread);
  tcase_add_test (tc, test_tasks_run_without_an_eventfd);
  tcase_add_test (tc, test_a_host_runs_what_is_queued);
  tcase_add_test (tc, test_a_host_that_blocks_is_replaced);
  tcase_add_test (tc, test_a_blocked_host_can_be_stopped);
  tcase_add_test (tc, test_a_task_that_never_rests_does_not_hold_its_host);
  return suite;
}

GST_CHECK_MAIN (rectasks);
