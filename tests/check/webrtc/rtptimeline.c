/* gst-tsrec: RTP timestamps of all tracks of a session on one running time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtctimeline-private.h"

#include <gst/check/gstcheck.h>

/* Of our clock when the session begins. */
#define BEGIN (7 * SECOND)
/* 2026-01-01 in seconds since 1900. */
#define NTP_2026 G_GINT64_CONSTANT (3976214400)
#define VIDEO_STEP (40 * MS)
#define AUDIO_STEP (20 * MS)
/* Slewing may move a picture by so much from the one before it. */
#define SLEWED (MS)

/**
 * Sender:
 * Two tracks that are captured by one clock, in ns from its beginning.
 * @rtp: their timestamps at 0
 * @late: how long a track takes to be sent
 * @stopped: how long its RTP clock has stood still
 * @ntp_set: what has been added to the wall clock
 * @rate: of the sender's clock against ours
 */
typedef struct
{
  RtcTimeline timeline;
  unsigned video;
  unsigned audio;
  guint32 rtp[2];
  gint64 late[2];
  gint64 stopped[2];
  gint64 ntp_set;
  gdouble rate;
  gint64 last[2];
  gint64 last_capture[2];
  gint64 backward;
} Sender;

static void
sender_init (Sender *s)
{
  memset (s, 0, sizeof (*s));
  rtc_timeline_init (&s->timeline);
  s->video = rtc_timeline_add_track (&s->timeline, 90000);
  s->audio = rtc_timeline_add_track (&s->timeline, 48000);
  s->rtp[0] = 3000000;
  s->rtp[1] = 7000000;
  s->rate = 1;
  s->last[0] = s->last[1] = G_MININT64;
}

static guint32
rtp_of (const Sender *s, guint track, gint64 capture)
{
  gint64 rate = track == s->video ? 90000 : 48000;
  gint64 us = (gint64)((gdouble)(capture - s->stopped[track]) * s->rate) / 1000;

  return s->rtp[track] + (guint32)(gint64)(us * rate / 1000000);
}

/* Captured at @capture, and there at @arrival, both of our clock. */
static gint64
arrive_at (Sender *s, guint track, gint64 capture, gint64 arrival)
{
  gint64 running = rtc_timeline_map (
      &s->timeline, track, rtp_of (s, track, capture), BEGIN + arrival);

  if (capture > s->last_capture[track] && running <= s->last[track])
    s->backward++;
  s->last[track] = running;
  s->last_capture[track] = capture;
  return running;
}

static gint64
arrive (Sender *s, guint track, gint64 capture)
{
  return arrive_at (s, track, capture, capture + s->late[track]);
}

static void
report_raw (
    Sender *s, guint track, gint64 now, gint64 ntp_time, guint32 rtp_time)
{
  guint64 seconds = NTP_2026 + ntp_time / SECOND;
  guint64 ntp = (seconds << 32) |
      (guint64)((gdouble)(ntp_time % SECOND) / SECOND * 4294967296.0);

  rtc_timeline_report (&s->timeline, track, ntp, rtp_time, BEGIN + now);
}

static void
report (Sender *s, guint track, gint64 now)
{
  report_raw (s, track, now, (gint64)((gdouble)now * s->rate) + s->ntp_set,
      rtp_of (s, track, now));
}

/* Both tracks from @from to @to, a report of each every second. */
static void
flow (Sender *s, gint64 from, gint64 to)
{
  gint64 t;

  for (t = from; t < to; t += AUDIO_STEP) {
    arrive (s, s->audio, t);
    if (t % VIDEO_STEP == 0)
      arrive (s, s->video, t);
    if (t % SECOND == 100 * MS)
      report (s, s->video, t);
    if (t % SECOND == 500 * MS)
      report (s, s->audio, t);
  }
}

/* Sound minus picture of what was captured last: positive, the sound is late.
 */
static gint64
offset (const Sender *s)
{
  return (s->last[1] - s->last_capture[1]) - (s->last[0] - s->last_capture[0]);
}

#define assert_near(value, wanted, limit)                                      \
  G_STMT_START                                                                 \
  {                                                                            \
    gint64 v = (value), w = (wanted);                                          \
    fail_unless (ABS (v - w) <= (limit),                                       \
        "line %d: %" G_GINT64_FORMAT " ms instead of %" G_GINT64_FORMAT,       \
        __LINE__, v / MS, w / MS);                                             \
  }                                                                            \
  G_STMT_END

GST_START_TEST (test_pictures_are_where_they_arrive_and_keep_their_distance)
{
  Sender s;

  sender_init (&s);
  fail_unless_equals_int64 (arrive (&s, s.video, 0), BEGIN);
  fail_unless_equals_int64 (
      arrive_at (&s, s.video, VIDEO_STEP, 95 * MS), BEGIN + VIDEO_STEP);
  fail_unless_equals_int64 (
      arrive_at (&s, s.video, 2 * VIDEO_STEP, 96 * MS), BEGIN + 2 * VIDEO_STEP);
}

GST_END_TEST;

GST_START_TEST (test_packets_of_a_picture_have_one_time)
{
  Sender s;
  gint64 picture;

  sender_init (&s);
  flow (&s, 0, 2 * SECOND);
  picture = arrive (&s, s.video, 2 * SECOND);
  fail_unless_equals_int64 (
      arrive_at (&s, s.video, 2 * SECOND, 2100 * MS), picture);
}

GST_END_TEST;

GST_START_TEST (test_timestamps_wrap)
{
  Sender s;
  gint64 begin;

  sender_init (&s);
  s.rtp[0] = 0xffffffff - 90000;
  s.rtp[1] = 0xffffffff - 2 * 48000;
  begin = arrive (&s, s.video, 0);
  flow (&s, VIDEO_STEP, 10 * SECOND);
  assert_near (s.last[0] - begin, s.last_capture[0], SLEWED);
  assert_near (offset (&s), 0, SLEWED);
  fail_unless_equals_int64 (s.backward, 0);
  fail_unless_equals_uint64 (s.timeline.steps, 0);
}

GST_END_TEST;

/* 30 hours, with wraps of both: what nanoseconds times a rate overflow in. */
GST_START_TEST (test_days_do_not_overflow)
{
  Sender s;
  gint64 hour = 3600 * SECOND, t;

  sender_init (&s);
  for (t = 0; t < 30 * hour; t += 500 * MS) {
    arrive (&s, s.video, t);
    arrive (&s, s.audio, t);
  }
  assert_near (s.last[0], BEGIN + s.last_capture[0], SLEWED);
  assert_near (s.last[1], BEGIN + s.last_capture[1], SLEWED);
}

GST_END_TEST;

GST_START_TEST (test_b_frames_keep_their_places)
{
  Sender s;
  gint64 p;

  sender_init (&s);
  flow (&s, 0, SECOND);
  p = arrive_at (&s, s.video, SECOND + 3 * VIDEO_STEP, SECOND);
  fail_unless_equals_int64 (
      arrive_at (&s, s.video, SECOND + VIDEO_STEP, SECOND + VIDEO_STEP),
      p - 2 * VIDEO_STEP);
  fail_unless_equals_int64 (
      arrive_at (&s, s.video, SECOND + 2 * VIDEO_STEP, SECOND + VIDEO_STEP),
      p - VIDEO_STEP);
}

GST_END_TEST;

/* --- the network --- */

static void
hold (gint64 seconds, gboolean reports)
{
  Sender s;
  gint64 begin, t, held = 6 * SECOND, until = held + seconds;

  sender_init (&s);
  begin = arrive (&s, s.video, 0);
  for (t = VIDEO_STEP; t < 40 * SECOND; t += AUDIO_STEP) {
    gint64 arrival = t >= held && t < until ? until : t;

    arrive_at (&s, s.audio, t, arrival);
    if (t % VIDEO_STEP == 0)
      assert_near (arrive_at (&s, s.video, t, arrival), begin + t, SLEWED);
    assert_near (s.last[1], begin + t, SLEWED);
    if (reports && t % SECOND == 100 * MS && arrival == t) {
      report (&s, s.video, t);
      report (&s, s.audio, t);
    }
  }
  fail_unless_equals_uint64 (s.timeline.steps, 0);
}

GST_START_TEST (test_what_the_network_held_back_keeps_its_place)
{
  hold (SECOND / 2, TRUE);
  hold (1200 * MS, TRUE);
  hold (3 * SECOND, TRUE);
  hold (3 * SECOND, FALSE);
  hold (8 * SECOND, TRUE);
}

GST_END_TEST;

/* A sender that favours sound: pictures late by up to 2 s, then in time. */
GST_START_TEST (test_a_queue_of_pictures_moves_nothing)
{
  Sender s;
  gint64 begin, t;

  sender_init (&s);
  begin = arrive (&s, s.video, 0);
  for (t = VIDEO_STEP; t < 30 * SECOND; t += AUDIO_STEP) {
    gint64 queue = 0;

    if (t >= 5 * SECOND && t < 9 * SECOND)
      queue = (t - 5 * SECOND) / 2;
    else if (t >= 9 * SECOND && t < 10 * SECOND)
      queue = 2 * (10 * SECOND - t);
    arrive (&s, s.audio, t);
    if (t % VIDEO_STEP == 0)
      assert_near (arrive_at (&s, s.video, t, t + queue), begin + t, 40 * MS);
  }
  fail_unless_equals_uint64 (s.timeline.steps, 0);
}

GST_END_TEST;

GST_START_TEST (test_jitter_moves_nothing)
{
  Sender s;
  gint64 begin, t;

  sender_init (&s);
  begin = arrive (&s, s.video, 0);
  for (t = VIDEO_STEP; t < 60 * SECOND; t += VIDEO_STEP)
    assert_near (
        arrive_at (&s, s.video, t, t + (t / VIDEO_STEP * 7919) % 80 * MS),
        begin + t, 5 * MS);
}

GST_END_TEST;

/* --- the beginning --- */

GST_START_TEST (test_a_burst_at_the_start_goes_back_to_its_capture)
{
  Sender s;
  gint64 t;

  sender_init (&s);
  for (t = 0; t < 2500 * MS; t += VIDEO_STEP)
    rtc_timeline_arrived (
        &s.timeline, s.video, rtp_of (&s, s.video, t), BEGIN + 2500 * MS);
  for (t = 0; t < 2500 * MS; t += VIDEO_STEP)
    assert_near (arrive_at (&s, s.video, t, 2500 * MS), BEGIN + t, VIDEO_STEP);
  /* The sound came only with the end of it. */
  assert_near (arrive (&s, s.audio, t), BEGIN + t, VIDEO_STEP);
}

GST_END_TEST;

GST_START_TEST (test_a_burst_does_not_go_behind_what_is_recorded)
{
  Sender s;
  gint64 t, picture;

  sender_init (&s);
  rtc_timeline_set_floor (&s.timeline, BEGIN + SECOND);
  for (t = 0; t < 2500 * MS; t += VIDEO_STEP)
    rtc_timeline_arrived (
        &s.timeline, s.video, rtp_of (&s, s.video, t), BEGIN + 2500 * MS);
  picture = arrive_at (&s, s.video, 0, 2500 * MS);
  fail_unless_equals_int64 (picture, BEGIN + SECOND);
  for (t = VIDEO_STEP; t < 120 * SECOND; t += VIDEO_STEP) {
    gint64 before = s.last[0];
    gint64 now = arrive_at (&s, s.video, t, MAX (t, 2500 * MS));

    assert_near (now - before, VIDEO_STEP, SLEWED);
  }
  /* It leads by a second, and less and less. */
  fail_unless (s.last[0] - BEGIN - s.last_capture[0] < 700 * MS);
}

GST_END_TEST;

/* Later packets take a shorter way than the first one. */
GST_START_TEST (test_a_slow_first_packet_moves_no_picture_apart)
{
  Sender s;
  gint64 t;

  sender_init (&s);
  arrive_at (&s, s.video, 0, 400 * MS);
  for (t = VIDEO_STEP; t < 200 * SECOND; t += VIDEO_STEP) {
    gint64 before = s.last[0];

    assert_near (arrive_at (&s, s.video, t, MAX (t, 400 * MS)) - before,
        VIDEO_STEP, SLEWED);
  }
  assert_near (s.last[0], BEGIN + s.last_capture[0], 30 * MS);
}

GST_END_TEST;

GST_START_TEST (test_tracks_that_join_late_are_in_step)
{
  Sender s;
  gint64 t;

  sender_init (&s);
  for (t = 0; t < 9 * SECOND; t += VIDEO_STEP) {
    arrive (&s, s.video, t);
    if (t % SECOND == 0)
      report (&s, s.video, t);
  }
  flow (&s, 9 * SECOND, 12 * SECOND);
  assert_near (offset (&s), 0, 2 * MS);
  fail_unless_equals_int64 (s.backward, 0);
}

GST_END_TEST;

/* --- reports --- */

/* The first report comes after 5 s; until then the pictures are late. */
static void
align_late_video (gint64 late)
{
  Sender s;
  gint64 t;

  sender_init (&s);
  s.late[0] = late;
  for (t = 0; t < 5 * SECOND; t += AUDIO_STEP) {
    arrive (&s, s.audio, t);
    if (t % VIDEO_STEP == 0)
      arrive (&s, s.video, t);
  }
  assert_near (offset (&s), -late, 5 * MS);
  flow (&s, 5 * SECOND, 12 * SECOND);
  assert_near (offset (&s), 0, 20 * MS);
  fail_unless_equals_int64 (s.backward, 0);
}

GST_START_TEST (test_late_pictures_are_aligned_by_reports)
{
  align_late_video (60 * MS);
  align_late_video (800 * MS);
  align_late_video (1500 * MS);
  align_late_video (4 * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_setting_the_wall_clock_moves_nothing)
{
  gint64 by;

  for (by = -3600 * SECOND; by <= 3600 * SECOND; by += 1800 * SECOND - 2 * MS) {
    Sender s;

    sender_init (&s);
    flow (&s, 0, 8 * SECOND);
    s.ntp_set = by;
    flow (&s, 8 * SECOND, 20 * SECOND);
    assert_near (offset (&s), 0, 2 * MS);
    assert_near (s.last[0], BEGIN + s.last_capture[0], 2 * MS);
    /* And reports are believed again. */
    fail_unless_equals_int (s.timeline.tracks[s.video].n_suspects, 0);
    fail_unless_equals_int (s.timeline.tracks[s.audio].n_suspects, 0);
    fail_unless_equals_uint64 (s.timeline.steps, 0);
  }
}

GST_END_TEST;

GST_START_TEST (test_one_wrong_report_moves_nothing)
{
  Sender s;

  sender_init (&s);
  flow (&s, 0, 8 * SECOND);
  report_raw (&s, s.video, 8 * SECOND, 11 * SECOND, rtp_of (&s, 0, 8 * SECOND));
  flow (&s, 8 * SECOND, 20 * SECOND);
  report_raw (&s, s.audio, 20 * SECOND, 20 * SECOND, 0);
  flow (&s, 20 * SECOND, 30 * SECOND);
  assert_near (offset (&s), 0, 2 * MS);
  fail_unless_equals_uint64 (s.timeline.steps, 0);
}

GST_END_TEST;

GST_START_TEST (test_reports_without_meaning_are_ignored)
{
  Sender s;
  gint64 t;

  sender_init (&s);
  for (t = 0; t < 10 * SECOND; t += AUDIO_STEP) {
    arrive (&s, s.audio, t);
    if (t % VIDEO_STEP == 0)
      arrive (&s, s.video, t);
    if (t % SECOND)
      continue;
    /* RTP time 0, and NTP time 0 */
    report_raw (&s, s.video, t, t, 0);
    rtc_timeline_report (
        &s.timeline, s.audio, 0, rtp_of (&s, s.audio, t), BEGIN + t);
  }
  fail_if (rtc_timeline_track_is_synced (&s.timeline.tracks[s.video]));
  fail_if (rtc_timeline_track_is_synced (&s.timeline.tracks[s.audio]));
  fail_unless (s.timeline.ignored_reports > 0);
  assert_near (offset (&s), 0, 2 * MS);
}

GST_END_TEST;

/* One track says again and again that it is captured at another time than it
 * said before, the other that the wall clock is the same. */
GST_START_TEST (test_a_confirmed_report_moves_a_track)
{
  Sender s;
  gint64 t;

  sender_init (&s);
  flow (&s, 0, 8 * SECOND);
  for (t = 8 * SECOND; t < 20 * SECOND; t += AUDIO_STEP) {
    arrive (&s, s.audio, t);
    if (t % VIDEO_STEP == 0)
      arrive (&s, s.video, t);
    if (t % SECOND == 100 * MS)
      report_raw (&s, s.video, t, t - 600 * MS, rtp_of (&s, s.video, t));
    if (t % SECOND == 500 * MS)
      report (&s, s.audio, t);
  }
  assert_near (offset (&s), 600 * MS, 20 * MS);
  fail_unless_equals_int64 (s.backward, 0);
}

GST_END_TEST;

/* --- RTP clocks that stand still, jump or drift --- */

typedef enum
{
  FROZEN, /* reports go on with the time of the last packet */
  EXTRAPOLATED /* and count on from it */,
  NO_REPORTS, /* while nothing is captured */
  NONE_AT_ALL,
} Reports;

static void
stall (guint stalled, gint64 length, Reports reports, gint64 settled)
{
  Sender s;
  gint64 t, from = 6 * SECOND, to = from + length;

  sender_init (&s);
  for (t = 0; t < 20 * SECOND; t += AUDIO_STEP) {
    gboolean inside = t >= from && t < to;
    guint track;

    if (t >= to)
      s.stopped[stalled] = length;
    for (track = 0; track < 2; track++) {
      gboolean silent = inside && track == stalled;

      if (!silent && (track == s.audio || t % VIDEO_STEP == 0))
        arrive (&s, track, t);
      if (reports == NONE_AT_ALL || t % SECOND != 100 * MS + track * 100 * MS)
        continue;
      if (!silent || reports == EXTRAPOLATED)
        report (&s, track, t);
      else if (reports == FROZEN)
        report_raw (&s, track, t, t, rtp_of (&s, track, from));
    }
    if (t > to + settled)
      assert_near (offset (&s), 0, 100 * MS);
  }
  assert_near (s.last[0], BEGIN + s.last_capture[0], 60 * MS);
  fail_unless_equals_int64 (s.backward, 0);
}

GST_START_TEST (test_an_announced_stall_is_bridged_at_once)
{
  stall (0, 1700 * MS, FROZEN, 2 * VIDEO_STEP);
  stall (1, 5 * SECOND, FROZEN, 2 * VIDEO_STEP);
}

GST_END_TEST;

GST_START_TEST (test_a_stall_is_found_without_being_announced)
{
  stall (0, 1700 * MS, EXTRAPOLATED, SECOND);
  stall (1, 5 * SECOND, EXTRAPOLATED, SECOND);
  stall (0, 1700 * MS, NO_REPORTS, SECOND);
  stall (1, 5 * SECOND, NO_REPORTS, SECOND);
  stall (0, 1700 * MS, NONE_AT_ALL, SECOND);
  stall (1, 5 * SECOND, NONE_AT_ALL, SECOND);
  stall (1, 600 * MS, EXTRAPOLATED, 1500 * MS);
}

GST_END_TEST;

/* What has arrived is looked at before a packet is mapped: @capture to @arrival
 * of a track whose packets come in this order. */
static gint64
arrive_decided (
    Sender *s, guint track, gint64 capture, gint64 (*arrival) (gint64 capture))
{
  gint64 step = track == s->audio ? AUDIO_STEP : VIDEO_STEP;
  gint64 next = capture;

  while (rtc_timeline_is_undecided (&s->timeline, track,
             rtp_of (s, track, capture), BEGIN + arrival (capture)) &&
      arrival (next) <= arrival (capture) + RTC_TIMELINE_DECISION + step) {
    next += step;
    rtc_timeline_arrived (
        &s->timeline, track, rtp_of (s, track, next), BEGIN + arrival (next));
  }
  return arrive_at (s, track, capture, arrival (capture));
}

static gint64
at_once (gint64 capture)
{
  return capture;
}

static gint64
with_jitter (gint64 capture)
{
  return capture + (capture / AUDIO_STEP * 7919) % 60 * MS;
}

/* The sender gets no processor time for 200 ms, in each second. */
static gint64
busy (gint64 capture)
{
  gint64 at = capture % SECOND;

  return at >= 200 * MS && at < 400 * MS ? capture - at + 400 * MS : capture;
}

static void
stall_decided (
    guint stalled, gint64 length, gint64 (*arrival) (gint64), gint64 limit)
{
  Sender s;
  gint64 t, from = 6 * SECOND;

  sender_init (&s);
  for (t = 0; t < 12 * SECOND; t += AUDIO_STEP) {
    guint track;

    if (t >= from + length)
      s.stopped[stalled] = length;
    for (track = 0; track < 2; track++) {
      if (track == stalled && t >= from && t < from + length)
        continue;
      if (track == s.audio || t % VIDEO_STEP == 0)
        assert_near (arrive_decided (&s, track, t, arrival), BEGIN + t, limit);
    }
  }
  fail_unless_equals_uint64 (s.timeline.steps, 1);
  fail_unless_equals_int64 (s.backward, 0);
}

/* Nobody announces it: not one packet is out of its place. */
GST_START_TEST (test_a_stall_is_bridged_when_arrivals_are_known)
{
  const gint64 lengths[] = { 240, 320, 480, 800, 1720, 5000 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (lengths); i++) {
    stall_decided (0, lengths[i] * MS, at_once, 5 * MS);
    stall_decided (1, lengths[i] * MS, at_once, 5 * MS);
    if (lengths[i] < 300)
      continue;
    stall_decided (0, lengths[i] * MS, with_jitter, 80 * MS);
    stall_decided (1, lengths[i] * MS, with_jitter, 80 * MS);
    if (lengths[i] < 900)
      continue;
    stall_decided (0, lengths[i] * MS, busy, 10 * MS);
    stall_decided (1, lengths[i] * MS, busy, 10 * MS);
  }
}

GST_END_TEST;

/* Both tracks are silent meanwhile, and nobody can tell which RTP clock stood
 * still. The first report says what the packets behind the silence say. */
GST_START_TEST (test_the_first_report_after_a_stall_is_believed)
{
  gint64 t;
  Sender s;

  sender_init (&s);
  for (t = 0; t < 6 * SECOND; t += AUDIO_STEP) {
    if (t >= 4 * SECOND && t < 4500 * MS)
      continue;
    s.stopped[1] = t < 4 * SECOND ? 0 : 500 * MS;
    arrive (&s, s.audio, t);
    if (t % VIDEO_STEP == 0)
      arrive (&s, s.video, t);
    if (t == 5100 * MS) {
      report (&s, s.video, t);
      report (&s, s.audio, t);
    }
    if (t > 5200 * MS)
      assert_near (offset (&s), 0, 100 * MS);
  }
  fail_unless_equals_int64 (s.backward, 0);
}

GST_END_TEST;

/* It goes unseen, as nothing came of either track, and everything comes later
 * since; three reports confirm it. The next one is not bridged twice. */
GST_START_TEST (test_a_stall_behind_one_that_reports_confirmed)
{
  gint64 t;
  Sender s;

  sender_init (&s);
  for (t = 0; t < 14 * SECOND; t += AUDIO_STEP) {
    if (t >= 4 * SECOND && t < 4300 * MS)
      continue;
    if (t == 4300 * MS) {
      s.stopped[1] = 300 * MS;
      s.late[0] = s.late[1] = 150 * MS;
    }
    if (t % VIDEO_STEP == 0)
      arrive (&s, s.video, t);
    if (t == 10 * SECOND)
      s.stopped[1] += 500 * MS;
    if (t < 9500 * MS || t >= 10 * SECOND)
      arrive (&s, s.audio, t);
    if (t < 10 * SECOND && t % SECOND == 100 * MS) {
      report (&s, s.video, t);
      report (&s, s.audio, t);
    }
    if (t > 8 * SECOND && (t < 9500 * MS || t > 10300 * MS))
      assert_near (offset (&s), 0, 100 * MS);
  }
  fail_unless_equals_int64 (s.backward, 0);
}

GST_END_TEST;

static gint64 held;

/* Everything from 6 s on, in one go. */
static gint64
released (gint64 capture)
{
  return capture >= 6 * SECOND ? MAX (capture, 6 * SECOND + held) : capture;
}

/* Twice as fast as it was captured. */
static gint64
paced (gint64 capture)
{
  return capture >= 6 * SECOND
      ? MAX (capture, 6 * SECOND + held + (capture - 6 * SECOND) / 2)
      : capture;
}

/* A sender that keeps one track back: the other goes on. */
GST_START_TEST (test_what_a_sender_kept_back_is_no_stall)
{
  gint64 (*const ways[]) (gint64) = { released, paced };
  guint way, track;

  for (held = 200 * MS; held < SECOND; held += 40 * MS) {
    for (way = 0; way < G_N_ELEMENTS (ways); way++) {
      for (track = 0; track < 2; track++) {
        gint64 t, done = 0;
        Sender s;

        sender_init (&s);
        for (t = 0; t < 12 * SECOND; t += AUDIO_STEP) {
          gint64 step = track == s.audio ? AUDIO_STEP : VIDEO_STEP;

          if (track == s.video || t % VIDEO_STEP == 0)
            arrive_decided (&s, 1 - track, t, at_once);
          for (; ways[way](done) <= t; done += step)
            assert_near (arrive_decided (&s, track, done, ways[way]),
                BEGIN + done, 5 * MS);
        }
        fail_unless_equals_uint64 (s.timeline.steps, 0);
      }
    }
  }
}

GST_END_TEST;

/* The thread of the sound gets less and less processor time, that of the
 * pictures a little less, and the sound catches up at last. */
static gint64
starving (gint64 capture)
{
  gint64 at = capture - 6 * SECOND;

  if (at < 0 || at >= 3 * SECOND)
    return capture;
  return MIN (capture + at / (400 * MS) * 260 * MS, 9 * SECOND);
}

static gint64
starving_a_little (gint64 capture)
{
  gint64 at = capture - 5 * SECOND;

  return at >= 0 && at < 4 * SECOND && at % SECOND < 200 * MS
      ? capture - at % SECOND + 200 * MS
      : capture;
}

GST_START_TEST (test_a_sender_without_processor_time_is_no_stall)
{
  gint64 t, done = 0;
  Sender s;

  sender_init (&s);
  for (t = 0; t < 14 * SECOND; t += AUDIO_STEP) {
    if (t % VIDEO_STEP == 0)
      arrive_decided (&s, s.video, t, starving_a_little);
    for (; starving (done) <= t; done += AUDIO_STEP)
      assert_near (
          arrive_decided (&s, s.audio, done, starving), BEGIN + done, 20 * MS);
  }
  fail_unless_equals_uint64 (s.timeline.steps, 0);
}

GST_END_TEST;

GST_START_TEST (test_a_sender_that_slept_goes_on_at_the_present)
{
  Sender s;

  sender_init (&s);
  flow (&s, 0, 10 * SECOND);
  s.stopped[0] = s.stopped[1] = 6 * SECOND;
  flow (&s, 16 * SECOND, 40 * SECOND);
  assert_near (s.last[0], BEGIN + s.last_capture[0], 100 * MS);
  assert_near (offset (&s), 0, 20 * MS);
  fail_unless_equals_int64 (s.backward, 0);
}

GST_END_TEST;

static void
jump (gint64 by, guint track)
{
  Sender s;

  sender_init (&s);
  flow (&s, 0, 8 * SECOND);
  s.rtp[track] += (guint32)(gint32)(by / MS * (track == s.video ? 90 : 48));
  flow (&s, 8 * SECOND, 20 * SECOND);
  assert_near (s.last[track], BEGIN + s.last_capture[track], 200 * MS);
  assert_near (offset (&s), 0, 100 * MS);
  fail_unless_equals_int64 (s.backward, 0);
}

GST_START_TEST (test_rtp_clocks_that_jump_are_followed)
{
  guint track;

  for (track = 0; track < 2; track++) {
    jump (-2 * SECOND, track);
    jump (-700 * SECOND, track);
    jump (3 * SECOND, track);
    jump (20000 * SECOND, track);
  }
}

GST_END_TEST;

GST_START_TEST (test_single_wrong_timestamps_move_nothing)
{
  Sender s;
  gint64 t;

  sender_init (&s);
  flow (&s, 0, 8 * SECOND);
  for (t = 8 * SECOND; t < 16 * SECOND; t += AUDIO_STEP) {
    gint64 wanted = BEGIN + t;

    if (t % SECOND == 0) {
      /* two packets with timestamp 0 */
      assert_near (rtc_timeline_map (&s.timeline, s.audio, 0, BEGIN + t),
          wanted, AUDIO_STEP);
      t += AUDIO_STEP;
      rtc_timeline_map (&s.timeline, s.audio, 0, BEGIN + t);
    } else {
      assert_near (arrive (&s, s.audio, t), wanted, 5 * MS);
    }
  }
  fail_unless_equals_int64 (s.backward, 0);
  fail_unless_equals_uint64 (s.timeline.steps, 0);
}

GST_END_TEST;

static void
drift (gdouble ppm)
{
  Sender s;
  gint64 t, hour = 3600 * SECOND;

  sender_init (&s);
  s.rate = 1 + ppm / 1e6;
  for (t = 0; t < 3 * hour; t += SECOND) {
    gint64 jitter = (t / SECOND * 7919) % 30 * MS;

    arrive_at (&s, s.video, t, t + jitter);
    arrive_at (&s, s.audio, t, t + jitter / 2);
    report (&s, s.video, t);
    report (&s, s.audio, t);
    assert_near (s.last[0], BEGIN + t, 150 * MS);
    assert_near (offset (&s), 0, 5 * MS);
  }
  fail_unless_equals_int64 (s.backward, 0);
  fail_unless_equals_uint64 (s.timeline.steps, 0);
}

GST_START_TEST (test_drift_is_followed_by_both_tracks)
{
  drift (50);
  drift (-50);
  drift (4000);
  drift (-4000);
}

GST_END_TEST;

/* The clock of the sound card is another one than that of the reports. */
GST_START_TEST (test_a_sound_card_that_drifts_stays_in_step)
{
  Sender s;
  gint64 t;

  sender_init (&s);
  for (t = 0; t < 300 * SECOND; t += AUDIO_STEP) {
    guint32 fast = s.rtp[1] + (guint32)((gdouble)t / MS * 48 * 1.004);

    if (t % VIDEO_STEP == 0)
      arrive (&s, s.video, t);
    s.last[1] = rtc_timeline_map (&s.timeline, s.audio, fast, BEGIN + t);
    s.last_capture[1] = t;
    if (t % SECOND == 0) {
      report (&s, s.video, t);
      report_raw (&s, s.audio, t, t, fast);
    }
    assert_near (offset (&s), 0, 60 * MS);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_track_gives_way_when_there_are_too_many)
{
  RtcTimeline timeline;
  guint i;

  rtc_timeline_init (&timeline);
  for (i = 0; i < 3 * RTC_TIMELINE_TRACKS; i++) {
    unsigned track = rtc_timeline_add_track (&timeline, 90000);

    fail_unless (track < RTC_TIMELINE_TRACKS);
    fail_unless_equals_int64 (
        rtc_timeline_map (&timeline, track, 1000 * i, BEGIN + i * SECOND),
        BEGIN + i * SECOND);
  }
}

GST_END_TEST;

static Suite *
rtptimeline_suite (void)
{
  Suite *s = suite_create ("rtptimeline");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (
      tc, test_pictures_are_where_they_arrive_and_keep_their_distance);
  tcase_add_test (tc, test_packets_of_a_picture_have_one_time);
  tcase_add_test (tc, test_timestamps_wrap);
  tcase_add_test (tc, test_days_do_not_overflow);
  tcase_add_test (tc, test_b_frames_keep_their_places);
  tcase_add_test (tc, test_what_the_network_held_back_keeps_its_place);
  tcase_add_test (tc, test_a_queue_of_pictures_moves_nothing);
  tcase_add_test (tc, test_jitter_moves_nothing);
  tcase_add_test (tc, test_a_burst_at_the_start_goes_back_to_its_capture);
  tcase_add_test (tc, test_a_burst_does_not_go_behind_what_is_recorded);
  tcase_add_test (tc, test_a_slow_first_packet_moves_no_picture_apart);
  tcase_add_test (tc, test_tracks_that_join_late_are_in_step);
  tcase_add_test (tc, test_late_pictures_are_aligned_by_reports);
  tcase_add_test (tc, test_setting_the_wall_clock_moves_nothing);
  tcase_add_test (tc, test_one_wrong_report_moves_nothing);
  tcase_add_test (tc, test_reports_without_meaning_are_ignored);
  tcase_add_test (tc, test_a_confirmed_report_moves_a_track);
  tcase_add_test (tc, test_an_announced_stall_is_bridged_at_once);
  tcase_add_test (tc, test_a_stall_is_found_without_being_announced);
  tcase_add_test (tc, test_a_stall_is_bridged_when_arrivals_are_known);
  tcase_add_test (tc, test_the_first_report_after_a_stall_is_believed);
  tcase_add_test (tc, test_a_stall_behind_one_that_reports_confirmed);
  tcase_add_test (tc, test_what_a_sender_kept_back_is_no_stall);
  tcase_add_test (tc, test_a_sender_without_processor_time_is_no_stall);
  tcase_add_test (tc, test_a_sender_that_slept_goes_on_at_the_present);
  tcase_add_test (tc, test_rtp_clocks_that_jump_are_followed);
  tcase_add_test (tc, test_single_wrong_timestamps_move_nothing);
  tcase_add_test (tc, test_drift_is_followed_by_both_tracks);
  tcase_add_test (tc, test_a_sound_card_that_drifts_stays_in_step);
  tcase_add_test (tc, test_a_track_gives_way_when_there_are_too_many);
  return s;
}

GST_CHECK_MAIN (rtptimeline);
