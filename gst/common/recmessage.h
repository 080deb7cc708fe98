/* gst-tsrec: the one builder of every element message and stats structure
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every structure that leaves an element of this plugin on the bus is built
 * here, so that a field has one name, one type and one unit. Sizes are guint64
 * bytes, times guint64 nanoseconds (UTC: gint64 microseconds since 1970),
 * counters guint64. A time that is not known is GST_CLOCK_TIME_NONE.
 *
 * The builders are thread safe and take no lock. They return a structure or a
 * message that the caller owns; strings are copied, NULL becomes "".
 * Never post the message while holding a lock.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * RecMonitorStats:
 * @recording_id: names the recording, the same in every monitor of it
 * @stage: where in the pipeline this monitor stands
 * @packets: buffers that passed since start
 * @bytes: bytes that passed since start
 * @packet_rate: packets per second over the last interval
 * @bitrate: bits per second over the last interval
 * @zero_packet_streak: see the `zero-packet-streak` property of recmonitor
 * @waiting: nothing is expected now, as no publisher is connected, or the one
 *   that is sends no such track; FALSE when the source does not tell
 * @idle_time: time since the last packet, or since start, ns
 * @bytes_written: bytes that the sink downstream gave to the kernel; 0 unless
 *   a sink answered
 * @bytes_durable: of these, bytes known to be on stable storage
 * @bytes_dropped: bytes that the sink downstream could not write and dropped
 * @memory_rss: resident memory of the process, bytes
 * @memory_rss_peak: its highest value so far, bytes
 * @memory_queued: bytes held by the queues upstream of the monitor
 * @packets_lost: RTP packets that never came, or came too late to be of use
 *   (more than 64 packets late); 0 unless RTP passes
 * @packets_late: of these, how many came after all
 * @packets_reordered: RTP packets that came out of order, but in time
 * @running_time: of the pipeline, ns
 * @utc_time: µs since 1970
 */
typedef struct
{
  const gchar *recording_id;
  const gchar *stage;
  guint64 packets;
  guint64 bytes;
  gdouble packet_rate;
  guint64 bitrate;
  guint64 zero_packet_streak;
  gboolean waiting;
  GstClockTime idle_time;
  guint64 bytes_written;
  guint64 bytes_durable;
  guint64 bytes_dropped;
  guint64 memory_rss;
  guint64 memory_rss_peak;
  guint64 memory_queued;
  guint64 packets_lost;
  guint64 packets_late;
  guint64 packets_reordered;
  GstClockTime running_time;
  gint64 utc_time;
} RecMonitorStats;

/* Structure named @name ("recmonitor-stats" for the message,
 * "application/x-recmonitor-stats" for the property). */
GstStructure *rec_structure_new_monitor_stats (
    const gchar *name, const RecMonitorStats *stats);

/**
 * RecAlert:
 * @recording_id: as in RecMonitorStats
 * @stage: the monitor that speaks
 * @rule: zero-packet-streak, memory, no-bytes-written or no-packets
 * @raised: raised or cleared
 * @value: what exceeded the limit, or is below it again, in the unit of the
 *   rule: frames or ticks; bytes; ns; ns
 * @threshold: the limit, in the same unit
 * @where: the first stage that delivers nothing: network, depayloader,
 *   decoder, encoder, mux or disk; "" for the rule memory. When cleared, what
 *   it was when raised
 * @since: when the trouble began, not when it was noticed, µs since 1970
 * @text: one sentence for a person: what, why, and what to do
 */
typedef struct
{
  const gchar *recording_id;
  const gchar *stage;
  const gchar *rule;
  gboolean raised;
  guint64 value;
  guint64 threshold;
  const gchar *where;
  gint64 since;
  const gchar *text;
} RecAlert;

/* "recmonitor-alert" */
GstMessage *rec_message_new_alert (GstElement *src, const RecAlert *alert);

/**
 * RecFileSinkStats:
 * @location: the current file, NULL before the first buffer
 * @fragment_index: number of the current file
 * @fragments: files opened since start
 * @file_size: size of the current file, bytes
 * @bytes_written: accepted by the kernel since start, over all files
 * @bytes_durable: of these, covered by a successful fdatasync
 * @bytes_lost_to_sync: of these, concerned by a failed fdatasync: never durable
 * @buffers_written: buffers (access units) accepted
 * @bytes_dropped: received but not written because the disk was full or failed
 * @buffers_dropped: the same in buffers
 * @write_latency_mean: of a write, ns
 * @write_latency_max: of a write, ns
 * @write_blocked: age of the write that is under way, ns; 0 when none is
 * @syncs: successful syncs
 * @sync_failures: failed syncs
 * @last_sync_utc_time: of the last successful sync, µs since 1970; 0: none yet
 * @sync_duration_max: of the longest sync, ns
 * @waiting_for_disk: TRUE while access units are dropped for want of a disk
 * @media_time: time that is covered by what was written, ns
 * @gap_time: time between the first and the last buffer that is not, ns
 * @gaps: number of gaps
 */
typedef struct
{
  const gchar *location;
  guint64 fragment_index;
  guint64 fragments;
  guint64 file_size;
  guint64 bytes_written;
  guint64 bytes_durable;
  guint64 bytes_lost_to_sync;
  guint64 buffers_written;
  guint64 bytes_dropped;
  guint64 buffers_dropped;
  GstClockTime write_latency_mean;
  GstClockTime write_latency_max;
  GstClockTime write_blocked;
  guint64 syncs;
  guint64 sync_failures;
  gint64 last_sync_utc_time;
  GstClockTime sync_duration_max;
  gboolean waiting_for_disk;
  GstClockTime media_time;
  GstClockTime gap_time;
  guint64 gaps;
} RecFileSinkStats;

/* Structure "application/x-recfilesink-stats". */
GstStructure *rec_structure_new_file_sink_stats (const RecFileSinkStats *stats);

/* "recfilesink-opened": fragment number @index was created at @running_time. */
GstMessage *rec_message_new_opened (GstElement *src, const gchar *location,
    guint index, GstClockTime running_time);

/* "recfilesink-closed"; @reason is one of eos, fragment, stopped, error,
 * disk-full, failover. */
GstMessage *rec_message_new_closed (GstElement *src, const gchar *location,
    guint index, GstClockTime running_time, guint64 bytes,
    GstClockTime duration, const gchar *reason);

/* "recfilesink-open-failed": @location could not be opened for @reason;
 * recording goes on in @current. */
GstMessage *rec_message_new_open_failed (GstElement *src, const gchar *location,
    const gchar *current, const gchar *reason);

/* "recfilesink-disk-low", "recfilesink-disk-full", "recfilesink-recovered".
 * @reason: disk-low, disk-full, quota, io-error, read-only, file-limit,
 * mount-removed, deleted, truncated or error; when recovered, from what.
 * @bytes_free: G_MAXUINT64 when it is not known. */
GstMessage *rec_message_new_disk (GstElement *src, const gchar *name,
    const gchar *location, guint64 bytes_free, guint64 bytes_dropped,
    const gchar *reason);

/* "tsrecmux-track-rejected", "tsrecmux-track-changed"; @caps may be NULL. */
GstMessage *rec_message_new_track (GstElement *src, const gchar *name,
    GstPad *pad, const GstCaps *caps, const gchar *reason);

/* `tsrecmux-skipped`: a track begins later than its data: @access_units that
 * came before the first random access point, over @duration (ns), were left
 * out. */
GstMessage *rec_message_new_skipped (
    GstElement *src, GstPad *pad, guint64 access_units, GstClockTime duration);

G_END_DECLS
