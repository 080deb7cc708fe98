/* gst-tsrec: a track that comes a moment later is in the file from its start
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The mux core writes tracks that join, change and go; recfilesink makes a file
 * of it, and the checker says how often the tables in it change.
 */

#include "tspmtpatch.h"
#include "recsinktest.h"
#include "tscheck.h"
#include "tsmux.h"
#include "tspsi.h"

#define MS TS_NS_PER_MS
#define PID_VIDEO 0x100
#define PID_AUDIO 0x200

/* --- A recording */

typedef struct
{
  TsMux *mux;
  GstHarness *h;
  gint64 time;
  TsTrack *video, *audio; /* NULL: not there */
} Recording;

static void
start_recording (Recording *r, GstElement *sink)
{
  TsMuxConfig config;

  memset (r, 0, sizeof (*r));
  ts_mux_config_init (&config);
  r->mux = ts_mux_new (&config);
  r->h = start_sink (sink, NULL);
}

static TsTrack *
join (Recording *r, guint16 pid, TsCodec codec)
{
  TsTrackConfig config = { .codec = codec };
  TsTrack *track = ts_mux_add_track (r->mux, pid, &config, NULL);

  fail_unless (track != NULL);
  return track;
}

static void
push (Recording *r, TsTrack *track, const guint8 *data, gsize size)
{
  TsAccessUnit au = { data, size, r->time, r->time, TS_TIME_NONE, TS_TIME_NONE,
    0, 0 };
  gsize n = ts_mux_begin (r->mux, track, &au);
  guint8 *out = g_malloc (n);
  TsOutput output;
  GstBuffer *buffer;

  n = ts_mux_finish (r->mux, out, n, &output);
  buffer = gst_buffer_new_wrapped (out, n);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = (GstClockTime)r->time;
  if (!output.random_access)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  fail_unless_equals_int (gst_harness_push (r->h, buffer), GST_FLOW_OK);
}

static void
push_picture (Recording *r, gboolean key)
{
  static const guint8 head[] = { 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0, 0,
    0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65 };
  static const guint8 delta[] = { 0, 0, 0, 1, 0x41 };
  guint8 au[700];

  memset (au, 0x88, sizeof (au));
  if (key)
    memcpy (au, head, sizeof (head));
  else
    memcpy (au, delta, sizeof (delta));
  push (r, r->video, au, sizeof (au));
}

static void
push_frame (Recording *r)
{
  guint8 au[100] = { 0xff, 0xf1, 0x4c, 0x80, 100 >> 3, (100 & 7) << 5 | 0x1f,
    0xfc };

  push (r, r->audio, au, sizeof (au));
}

/* Both tracks, as far as they are there, every 20 ms. */
static void
record (Recording *r, gint64 duration)
{
  gint64 until = r->time + duration;

  for (; r->time < until; r->time += 20 * MS) {
    if (r->video && r->time % (40 * MS) == 0)
      push_picture (r, r->time % (1000 * MS) == 0 || r->time == 0);
    if (r->audio)
      push_frame (r);
  }
}

/* How often the tables of the file change; it conforms in everything else. */
static guint64
end_recording (Recording *r, guint n_streams)
{
  TsCheckOptions options = TS_CHECK_STRICT;
  TsCheck *check;
  gchar *contents;
  guint64 changes;
  gsize size;
  guint n = 0;

  gst_harness_push_event (r->h, gst_event_new_eos ());
  stop_sink (r->h, NULL);
  ts_mux_free (r->mux);
  /* these frames are not 20 ms long, and there is no end to the pictures */
  options.ignored_rules = TS_CHECK_IGNORE (TS_CHECK_PCR_INTERVAL);
  check = ts_check_new (&options, NULL, NULL, NULL);
  fail_unless (g_file_get_contents (path, &contents, &size, NULL));
  ts_check_push (check, (guint8 *)contents, size);
  fail_unless (ts_check_finish (check) == 0, "%s", ts_check_get_report (check));
  fail_unless (ts_check_get_stats (check)->warnings == 0, "%s",
      ts_check_get_report (check));
  changes = ts_check_get_stats (check)->pmt_changes;
  while (ts_check_get_stream (check, n))
    n++;
  fail_unless_equals_int (n, n_streams);
  ts_check_free (check);
  g_free (contents);
  return changes;
}

static void
join_video (Recording *r)
{
  r->video = join (r, PID_VIDEO, TS_CODEC_H264);
}

static void
join_audio (Recording *r)
{
  r->audio = join (r, PID_AUDIO, TS_CODEC_AAC_ADTS);
}

/* One track @alone, then both. Returns how often the tables change. */
static guint64
end_with_both (Recording *r, gboolean video_first, gint64 alone, gint64 both)
{
  if (video_first)
    join_video (r);
  else
    join_audio (r);
  record (r, alone);
  if (video_first)
    join_audio (r);
  else
    join_video (r);
  record (r, both);
  return end_recording (r, 2);
}

/* --- What is completed */

GST_START_TEST (test_audio_that_comes_later_is_in_the_first_table)
{
  Recording r;

  start_recording (&r, make_sink (path));
  fail_unless_equals_uint64 (end_with_both (&r, TRUE, 1500 * MS, 1500 * MS), 0);
}

GST_END_TEST;

GST_START_TEST (test_video_that_comes_later_is_in_the_first_table)
{
  Recording r;

  start_recording (&r, make_sink (path));
  fail_unless_equals_uint64 (
      end_with_both (&r, FALSE, 3000 * MS, 3000 * MS), 0);
}

GST_END_TEST;

GST_START_TEST (test_tracks_and_languages_add_up)
{
  TsTrackConfig config = { .codec = TS_CODEC_AAC_ADTS, .language = "deu" };
  Recording r;

  start_recording (&r, make_sink (path));
  join_audio (&r);
  record (&r, 100 * MS);
  fail_unless (ts_mux_configure_track (r.mux, r.audio, &config, NULL));
  record (&r, 100 * MS);
  join_video (&r);
  record (&r, 800 * MS);
  join (&r, 0x300, TS_CODEC_ID3);
  record (&r, 1000 * MS);
  fail_unless_equals_uint64 (end_recording (&r, 3), 0);
}

GST_END_TEST;

/* GStreamer's demuxer puts out new pads for another table. */
static void
count_pads (GstElement *demux, GstPad *pad, guint *n)
{
  (*n)++;
}

GST_START_TEST (test_a_demuxer_finds_each_track_once)
{
  gchar *launch = g_strdup_printf ("filesrc location=%s ! tsdemux name=d "
                                   "d.video_0_0100 ! queue ! fakesink "
                                   "d.audio_0_0200 ! queue ! fakesink",
      path);
  GstElement *pipeline, *demux;
  GstMessage *message;
  guint n_pads = 0;
  GstBus *bus;
  Recording r;

  start_recording (&r, make_sink (path));
  end_with_both (&r, TRUE, 200 * MS, 4000 * MS);
  pipeline = gst_parse_launch (launch, NULL);
  demux = gst_bin_get_by_name (GST_BIN (pipeline), "d");
  g_signal_connect (demux, "pad-added", G_CALLBACK (count_pads), &n_pads);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (
      bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (
      message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  fail_unless_equals_int (n_pads, 2);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (demux);
  gst_object_unref (pipeline);
  g_free (launch);
}

GST_END_TEST;

/* --- What is not */

GST_START_TEST (test_a_track_that_comes_much_later_is_a_change)
{
  Recording r;

  start_recording (&r, make_sink (path));
  fail_unless_equals_uint64 (end_with_both (&r, TRUE, 6000 * MS, 1000 * MS), 1);
}

GST_END_TEST;

GST_START_TEST (test_a_track_that_goes_is_a_change)
{
  Recording r;

  start_recording (&r, make_sink (path));
  join_video (&r);
  join_audio (&r);
  record (&r, 1000 * MS);
  ts_mux_remove_track (r.mux, r.audio);
  r.audio = NULL;
  record (&r, 1000 * MS);
  fail_unless_equals_uint64 (end_recording (&r, 2), 1);
}

GST_END_TEST;

GST_START_TEST (test_another_codec_is_a_change)
{
  TsTrackConfig config = { .codec = TS_CODEC_MPEG1_AUDIO };
  static const guint8 layer2[144] = { 0xff, 0xfd, 0x14, 0x00 };
  Recording r;

  start_recording (&r, make_sink (path));
  join_audio (&r);
  record (&r, 1000 * MS);
  fail_unless (ts_mux_configure_track (r.mux, r.audio, &config, NULL));
  push (&r, r.audio, layer2, sizeof (layer2));
  fail_unless_equals_uint64 (end_recording (&r, 1), 1);
}

GST_END_TEST;

/* The next fragment names all from its start on without that. */
GST_START_TEST (test_each_file_has_a_start_of_its_own)
{
  gchar *second = in_dir ("rec-00001.ts");
  gchar *pattern = in_dir ("rec-%05d.ts");
  GstElement *sink = make_sink (pattern);
  Recording r;

  g_free (path);
  path = in_dir ("rec-00000.ts");
  g_object_set (sink, "max-size-time", 2 * GST_SECOND, NULL);
  start_recording (&r, sink);
  join_video (&r);
  record (&r, 3500 * MS);
  join_audio (&r);
  record (&r, 400 * MS);
  fail_unless_equals_uint64 (end_recording (&r, 1), 0);
  g_free (path);
  path = second;
  fail_unless_equals_int (ts_check_file (path, NULL, NULL), 0);
  g_free (pattern);
}

GST_END_TEST;

/* Nobody knows how young the file is. */
GST_START_TEST (test_without_times_nothing_is_completed)
{
  GstSegment segment;
  Recording r;

  start_recording (&r, make_sink (path));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (r.h, gst_event_new_segment (&segment));
  fail_unless_equals_uint64 (end_with_both (&r, TRUE, 500 * MS, 500 * MS), 1);
}

GST_END_TEST;

/* --- When the disk does not */

/* @first: which rewrite is the first that fails. @failing: how many do, from
 * there on. @taken: bytes that the first of these takes all the same, in a call
 * of its own. */
static struct
{
  guint64 end;
  guint rewrites, first, failing, syncs;
  gsize taken;
} disk;

static ssize_t
failing_pwritev (int fd, const struct iovec *iov, int n_iov, off_t offset)
{
  ssize_t n;

  if ((guint64)offset < disk.end) {
    disk.rewrites++;
    if (disk.taken > 0 && disk.rewrites == disk.first) {
      n = pwrite (fd, iov[0].iov_base, disk.taken, offset);
      disk.first++;
      disk.taken = 0;
      return n;
    }
    if (disk.rewrites >= disk.first &&
        disk.rewrites < disk.first + disk.failing) {
      errno = EIO;
      return -1;
    }
    disk.syncs = 0;
    return pwritev (fd, iov, n_iov, offset);
  }
  n = pwritev (fd, iov, n_iov, offset);
  disk.end = (guint64)offset + (guint64)n;
  return n;
}

static int
counting_fdatasync (int fd)
{
  disk.syncs++;
  return 0;
}

static guint64
record_on_failing_disk (guint first, guint failing, gsize taken)
{
  RecSyscalls sys = rec_syscalls_posix;
  GstElement *sink = make_sink (path);
  Recording r;

  memset (&disk, 0, sizeof (disk));
  disk.first = first;
  disk.failing = failing;
  disk.taken = taken;
  sys.pwritev = failing_pwritev;
  sys.fdatasync = counting_fdatasync;
  g_object_set_data (G_OBJECT (sink), "rec-syscalls", &sys);
  start_recording (&r, sink);
  return end_with_both (&r, TRUE, 2000 * MS, 1000 * MS);
}

GST_START_TEST (test_a_table_that_cannot_be_completed_costs_nothing)
{
  fail_unless_equals_uint64 (record_on_failing_disk (1, G_MAXUINT / 2, 0), 1);
  fail_unless (disk.rewrites > 0);
}

GST_END_TEST;

/* A complete table follows an incomplete one: there is still one change. */
GST_START_TEST (test_some_tables_that_cannot_be_completed_cost_nothing)
{
  fail_unless_equals_uint64 (record_on_failing_disk (3, G_MAXUINT / 2, 0), 1);
  fail_unless (disk.rewrites > 3);
}

GST_END_TEST;

GST_START_TEST (test_a_table_that_is_completed_in_part_is_put_back)
{
  fail_unless_equals_uint64 (record_on_failing_disk (2, 1, 30), 1);
}

GST_END_TEST;

GST_START_TEST (test_what_was_completed_is_synced)
{
  fail_unless_equals_uint64 (record_on_failing_disk (0, 0, 0), 0);
  fail_unless (disk.rewrites > 3);
  fail_unless (disk.syncs > 0);
}

GST_END_TEST;

/* The same when nothing at all is written afterwards. */
GST_START_TEST (test_a_rewrite_alone_is_synced)
{
  RecSyscalls sys = rec_syscalls_posix;
  struct iovec iov = { (void *)"0123456789", 10 };
  RecFile file;

  memset (&disk, 0, sizeof (disk));
  sys.fdatasync = counting_fdatasync;
  rec_file_init (&file, &sys, -1);
  fail_unless_equals_int (rec_file_open (&file, path, REC_FILE_CREATE), 0);
  fail_unless_equals_int (rec_file_write (&file, &iov, 1), 0);
  fail_unless (rec_file_needs_sync (&file));
  fail_unless_equals_int (rec_file_sync (&file, NULL), 0);
  fail_if (rec_file_needs_sync (&file));
  fail_unless_equals_int (rec_file_rewrite (&file, 8, "ab", 3), EINVAL);
  fail_if (rec_file_needs_sync (&file));
  fail_unless_equals_int (rec_file_rewrite (&file, 8, "ab", 2), 0);
  fail_unless (rec_file_needs_sync (&file));
  fail_unless_equals_int (rec_file_sync (&file, NULL), 0);
  fail_if (rec_file_needs_sync (&file));
  fail_unless_equals_uint64 (file.durable, 10);
  rec_file_close (&file);
}

GST_END_TEST;

/* --- PCR */

static guint
pcr_pid (gboolean last)
{
  gchar *contents;
  gsize size, pos;
  guint pid = 0;

  fail_unless (g_file_get_contents (path, &contents, &size, NULL));
  for (pos = 0; pos < size && (last || pid == 0); pos += PACKET) {
    const guint8 *ts = (guint8 *)contents + pos;

    if ((ts[1] & 0x1f) == 0x10 && ts[2] == 0x00)
      pid = (ts[13] & 0x1f) << 8 | ts[14];
  }
  g_free (contents);
  return pid;
}

GST_START_TEST (test_pcr_leaves_audio_that_is_muted_at_a_key_frame)
{
  Recording r;

  start_recording (&r, make_sink (path));
  join_audio (&r);
  record (&r, 200 * MS);
  join_video (&r);
  record (&r, 3000 * MS);
  r.audio = NULL;
  record (&r, 6000 * MS);
  fail_unless_equals_uint64 (end_recording (&r, 2), 1);
  fail_unless_equals_int (pcr_pid (FALSE), PID_AUDIO);
  fail_unless_equals_int (pcr_pid (TRUE), PID_VIDEO);
}

GST_END_TEST;

/* Audio that no table named as the PCR_PID does not keep it. */
GST_START_TEST (test_pcr_goes_to_the_best_of_the_tracks_that_come_together)
{
  static const guint8 tag[] = { 'I', 'D', '3', 4, 0, 0, 0, 0, 0, 0 };
  Recording r;
  TsTrack *data;

  start_recording (&r, make_sink (path));
  data = join (&r, 0x300, TS_CODEC_ID3);
  push (&r, data, tag, sizeof (tag));
  r.time = 40 * MS;
  join_audio (&r);
  join_video (&r);
  record (&r, 2000 * MS);
  end_recording (&r, 3);
  fail_unless_equals_int (pcr_pid (TRUE), PID_VIDEO);
}

GST_END_TEST;

/* --- The tables alone */

static void
make_pat (guint8 *packet)
{
  memset (packet, 0xff, PACKET);
  memcpy (packet, "\x47\x40\x00\x10\x00", 5);
  ts_psi_build_pat (packet + 5, PACKET - 5, 1, 0, 1, 0x1000);
}

static void
make_pmt (guint8 *packet, guint8 cc, guint8 version, guint n_streams)
{
  TsPsiStream streams[4] = { { TS_STREAM_TYPE_H264, 0x100, 0, { 0 } },
    { TS_STREAM_TYPE_AAC_ADTS, 0x200, 0, { 0 } },
    { TS_STREAM_TYPE_PRIVATE_PES, 0x300, 0, { 0 } },
    { TS_STREAM_TYPE_PRIVATE_PES, 0x301, 0, { 0 } } };

  ts_psi_add_descriptor (
      &streams[2], TS_DESCRIPTOR_REGISTRATION, (const guint8 *)"Opus", 4);
  memset (packet, 0xff, PACKET);
  memcpy (packet, "\x47\x50\x00\x10\x00", 5);
  packet[3] |= cc;
  ts_psi_build_pmt (
      packet + 5, PACKET - 5, 1, version, 0x100, NULL, 0, streams, n_streams);
}

GST_START_TEST (test_counters_and_discontinuities_stay)
{
  guint8 packets[3 * PACKET], packet[PACKET], plain[PACKET];
  TsPmtPatch tables;

  make_pat (packets);
  make_pmt (plain, 7, 0, 1);
  /* discontinuity_indicator, as after a resume */
  memcpy (packets + PACKET, plain, PACKET);
  memmove (packets + PACKET + 6, plain + 4, PACKET - 6);
  memcpy (packets + PACKET + 3, "\x37\x01\x80", 3);
  make_pmt (packets + 2 * PACKET, 8, 0, 1);
  ts_pmt_patch_init (&tables, 1000);
  fail_unless_equals_int (
      ts_pmt_patch_scan (&tables, packets, 3 * PACKET, 1000), 0);
  make_pmt (plain, 9, 1, 3);
  fail_unless_equals_int (
      ts_pmt_patch_scan (&tables, plain, PACKET, 1000 + 3 * PACKET), 2);
  fail_unless_equals_uint64 (
      ts_pmt_patch_get (&tables, 0, FALSE, packet), 1000 + PACKET);
  fail_unless (memcmp (packet, "\x47\x50\x00\x37\x01\x80", 6) == 0);
  fail_unless (memcmp (packet + 6, plain + 4, PACKET - 6) == 0);
  fail_unless_equals_uint64 (
      ts_pmt_patch_get (&tables, 1, FALSE, packet), 1000 + 2 * PACKET);
  plain[3] = 0x18;
  fail_unless (memcmp (packet, plain, PACKET) == 0);
}

GST_END_TEST;

/* Not the output of our mux. */
GST_START_TEST (test_tables_of_another_kind_are_left_alone)
{
  guint8 start[2 * PACKET], next[2 * PACKET];

  for (guint i = 0; i < 4; i++) {
    guint8 *pmt = next + PACKET;
    guint32 crc;
    TsPmtPatch tables;

    make_pat (start);
    make_pmt (start + PACKET, 0, 0, 1);
    make_pat (next);
    make_pmt (pmt, 1, 1, 2);
    if (i == 0) { /* the PMT moves to another PID */
      ts_psi_build_pat (next + 5, PACKET - 5, 1, 1, 1, 0x1001);
      pmt[2] = 0x01;
    } else if (i == 1) { /* current_next_indicator: not yet in force */
      pmt[10] &= 0xfe;
      crc = GUINT32_TO_BE (ts_psi_crc32 (pmt + 5, 3 + pmt[7] - 4));
      memcpy (pmt + 5 + 3 + pmt[7] - 4, &crc, 4);
    } else if (i == 2) { /* another section follows */
      pmt[PACKET - 1] = 0x42;
    } else { /* transport_priority */
      pmt[1] |= 0x20;
    }
    ts_pmt_patch_init (&tables, 0);
    fail_unless_equals_int (
        ts_pmt_patch_scan (&tables, start, 2 * PACKET, 0), 0);
    fail_unless_equals_int (
        ts_pmt_patch_scan (&tables, next, 2 * PACKET, 2 * PACKET), 0);
    fail_if (tables.watching, "%u", i);
  }
}

GST_END_TEST;

GST_START_TEST (test_what_does_not_follow_is_not_watched)
{
  guint8 packets[2 * PACKET], pmt[PACKET];
  TsPmtPatch tables;

  make_pat (packets);
  make_pmt (packets + PACKET, 0, 0, 1);
  make_pmt (pmt, 1, 1, 2);
  ts_pmt_patch_init (&tables, 0);
  ts_pmt_patch_scan (&tables, packets, sizeof (packets), 0);
  fail_unless (tables.watching);
  /* bytes that were written and not shown, or shown and not written */
  fail_unless_equals_int (
      ts_pmt_patch_scan (&tables, pmt, PACKET, 3 * PACKET), 0);
  fail_if (tables.watching);
}

GST_END_TEST;

GST_START_TEST (test_no_bytes_do_harm)
{
  const guint rounds = g_getenv ("REC_SLOW_MACHINE") ? 2000 : 200000;
  guint8 *data = g_malloc (3 * PACKET), packet[PACKET];
  GRand *rand = g_rand_new_with_seed (7);
  guint replaced = 0;

  for (guint i = 0; i < rounds; i++) {
    TsPmtPatch tables;
    guint64 offset = 0;

    ts_pmt_patch_init (&tables, 0);
    for (guint j = 0; j < 4; j++, offset += 3 * PACKET) {
      guint n;

      make_pat (data);
      make_pmt (data + PACKET, j, j, 1 + g_rand_int_range (rand, 0, 4));
      make_pmt (data + 2 * PACKET, j + 1, j, 1 + g_rand_int_range (rand, 0, 4));
      /* none, one or a few bytes are wrong; the CRC is right again or not */
      for (n = g_rand_int_range (rand, 0, 3); n > 0; n--)
        data[g_rand_int_range (rand, 0, 3 * PACKET)] =
            (guint8)g_rand_int (rand);
      if (g_rand_boolean (rand)) {
        guint8 *section = data + PACKET + 5;
        gsize size = 3 + ((section[1] & 0x0f) << 8 | section[2]);

        if (size > 4 && size <= PACKET - 5) {
          guint32 crc = GUINT32_TO_BE (ts_psi_crc32 (section, size - 4));

          memcpy (section + size - 4, &crc, 4);
        }
      }
      n = ts_pmt_patch_scan (&tables, data, 3 * PACKET, offset);
      replaced += n;
      while (n-- > 0)
        fail_unless (ts_pmt_patch_get (&tables, n, FALSE, packet) < offset);
    }
  }
  fail_unless (replaced > 0);
  g_rand_free (rand);
  g_free (data);
}

GST_END_TEST;

static Suite *
firstpmt_suite (void)
{
  Suite *s = suite_create ("firstpmt");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_audio_that_comes_later_is_in_the_first_table);
  tcase_add_test (tc, test_video_that_comes_later_is_in_the_first_table);
  tcase_add_test (tc, test_tracks_and_languages_add_up);
  tcase_add_test (tc, test_a_demuxer_finds_each_track_once);
  tcase_add_test (tc, test_a_track_that_comes_much_later_is_a_change);
  tcase_add_test (tc, test_a_track_that_goes_is_a_change);
  tcase_add_test (tc, test_another_codec_is_a_change);
  tcase_add_test (tc, test_each_file_has_a_start_of_its_own);
  tcase_add_test (tc, test_without_times_nothing_is_completed);
  tcase_add_test (tc, test_a_table_that_cannot_be_completed_costs_nothing);
  tcase_add_test (tc, test_some_tables_that_cannot_be_completed_cost_nothing);
  tcase_add_test (tc, test_a_table_that_is_completed_in_part_is_put_back);
  tcase_add_test (tc, test_what_was_completed_is_synced);
  tcase_add_test (tc, test_a_rewrite_alone_is_synced);
  tcase_add_test (tc, test_pcr_leaves_audio_that_is_muted_at_a_key_frame);
  tcase_add_test (
      tc, test_pcr_goes_to_the_best_of_the_tracks_that_come_together);
  tcase_add_test (tc, test_tables_of_another_kind_are_left_alone);
  tcase_add_test (tc, test_counters_and_discontinuities_stay);
  tcase_add_test (tc, test_what_does_not_follow_is_not_watched);
  tcase_add_test (tc, test_no_bytes_do_harm);
  return s;
}

GST_CHECK_MAIN (firstpmt);
