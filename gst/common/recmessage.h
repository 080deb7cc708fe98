/* gst-tsrec: from the numbers of an element to its messages and statistics
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Two elements that report the same thing use the same builder, so that a field
 * has one name, one type and one unit. Sizes are guint64 bytes, times guint64
 * nanoseconds (UTC: gint64 microseconds since 1970), counters guint64. An
 * unknown time is GST_CLOCK_TIME_NONE.
 *
 * The builders are thread safe and take no lock. They return a structure or a
 * message that the caller owns, and that the element posts:
 * gstrecmonitor-timer.c, gstrecfilesink-events.c, gsttsrecmux-messages.c. Strings are copied; NULL becomes "". Never post
 * a message while a lock is held.
 */

#pragma once

#include "tsmux.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * RecMonitorStats:
 * @recording_id: name of the recording, the same for all of its monitors
 * @stage: name of the place of the monitor in the pipeline
 * @packets: buffers since the start
 * @bytes: bytes since the start
 * @packet_rate: packets per second over the last interval
 * @bitrate: bits per second over the last interval
 * @zero_packet_streak: see the `zero-packet-streak` property of recmonitor
 * @waiting: no media is expected now, because no publisher is connected or the
 *   connected one does not send this track; FALSE if the source does not report it
 * @idle_time: time since the last packet, or since the start, ns
 * @bytes_written: bytes that the sink downstream has written; 0 unless a sink
 *   answered
 * @bytes_durable: bytes that the sink has synced to stable storage
 * @bytes_dropped: bytes that the sink could not write and dropped
 * @memory_rss: resident memory of the process, bytes
 * @memory_rss_peak: highest resident memory of the process so far, bytes
 * @memory_queued: bytes held by the queues upstream of the monitor
 * @packets_lost: RTP packets that did not arrive, or arrived more than 64 packets
 *   late; 0 for other caps
 * @packets_late: lost RTP packets that arrived after all
 * @packets_reordered: RTP packets that arrived out of order, but in time
 * @running_time: running time of the pipeline, ns
 * @utc_time: time of the sample, µs since 1970
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

/* Returns a structure with the name @name: "recmonitor-stats" for the message,
 * "application/x-recmonitor-stats" for the property. */
GstStructure *rec_structure_new_monitor_stats (
    const gchar *name, const RecMonitorStats *stats);

/**
 * RecAlert:
 * @recording_id: name of the recording
 * @stage: stage of the monitor that posts the alert
 * @rule: zero-packet-streak, memory, no-bytes-written or no-packets
 * @raised: TRUE if raised, FALSE if cleared
 * @value: value at the change, in the unit of the rule: frames or checks; bytes;
 *   ns; ns
 * @threshold: limit, in the unit of @value
 * @where: first stalled stage: network, depayloader, decoder, encoder, mux or
 *   disk; "" for the rule memory. A cleared alert repeats the value that was
 *   raised
 * @since: begin of the condition, which is earlier than its detection, µs since
 *   1970
 * @text: description for a person: problem, cause and remedy
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

/* Returns the message "recmonitor-alert". */
GstMessage *rec_message_new_alert (GstElement *src, const RecAlert *alert);

/**
 * RecFileSinkStats:
 * @location: current file, NULL before the first buffer
 * @fragment_index: number of the current file
 * @fragments: files opened since the start
 * @file_size: size of the current file, bytes
 * @bytes_written: bytes accepted by the kernel since the start, in all files
 * @bytes_durable: bytes covered by a successful fdatasync
 * @bytes_lost_to_sync: bytes whose fdatasync failed, which are never durable
 * @buffers_written: buffers (access units) accepted by the kernel
 * @bytes_dropped: bytes received but not written, because the disk was full or
 *   failed
 * @buffers_dropped: buffers received but not written
 * @write_latency_mean: mean duration of a write, ns
 * @write_latency_max: longest duration of a write, ns
 * @write_blocked: age of the current write, ns; 0 if there is none
 * @syncs: successful syncs
 * @sync_failures: failed syncs
 * @last_sync_utc_time: time of the last successful sync, µs since 1970; 0 if there
 *   was none
 * @sync_duration_max: duration of the longest sync, ns
 * @waiting_for_disk: TRUE while access units are dropped, because the disk is full
 *   or failed
 * @media_time: time covered by the written data, ns
 * @gap_time: time between the first and the last buffer that is not covered, ns
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

/* Returns the structure "application/x-recfilesink-stats". */
GstStructure *rec_structure_new_file_sink_stats (const RecFileSinkStats *stats);

/**
 * RecMuxStats:
 * @mux: counters of the core
 * @tracks: tracks that are in the program now
 * @refused: tracks that were refused
 */
typedef struct
{
  TsStats mux;
  guint64 tracks;
  guint64 refused;
} RecMuxStats;

/* Returns the structure "application/x-tsrecmux-stats". */
GstStructure *rec_structure_new_mux_stats (const RecMuxStats *stats);

/* Returns the message "recfilesink-opened": fragment @index was created at
 * @running_time. */
GstMessage *rec_message_new_opened (GstElement *src, const gchar *location,
    guint index, GstClockTime running_time);

/* Returns the message "recfilesink-closed". @reason: eos, fragment, stopped, error
 * or failover. */
GstMessage *rec_message_new_closed (GstElement *src, const gchar *location,
    guint index, GstClockTime running_time, guint64 bytes,
    GstClockTime duration, const gchar *reason);

/* Returns the message "recfilesink-open-failed": @location cannot be opened for
 * @reason; recording continues in @current. */
GstMessage *rec_message_new_open_failed (GstElement *src, const gchar *location,
    const gchar *current, const gchar *reason);

/* Returns the message @name: "recfilesink-disk-low", "recfilesink-disk-full" or
 * "recfilesink-recovered". @reason: disk-low, disk-full, quota, io-error,
 * read-only, file-limit, mount-removed, deleted, truncated or error; after a
 * recovery, the reason of the fault. @bytes_free: G_MAXUINT64 if unknown. @text:
 * for the operator. */
GstMessage *rec_message_new_disk (GstElement *src, const gchar *name,
    const gchar *location, guint64 bytes_free, guint64 bytes_dropped,
    const gchar *reason, const gchar *text);

/* Returns the message @name: "tsrecmux-track-rejected" or
 * "tsrecmux-track-changed". @caps may be NULL. */
GstMessage *rec_message_new_track (GstElement *src, const gchar *name,
    GstPad *pad, const GstCaps *caps, const gchar *reason);

/* Returns the message "tsrecmux-skipped": @access_units before the first random
 * access point of the track, over @duration ns, were not recorded. */
GstMessage *rec_message_new_skipped (
    GstElement *src, GstPad *pad, guint64 access_units, GstClockTime duration);

/**
 * RecSession:
 * @id: session id, the last segment of the session URL
 * @remote: address or host of the peer
 * @video_codec: encoding name of the video track, NULL if there is none
 * @audio_codec: encoding name of the audio track, NULL if there is none
 * @reason: why the session began or ended
 *
 * A WebRTC session, in either direction.
 */
typedef struct
{
  const gchar *id;
  const gchar *remote;
  const gchar *video_codec;
  const gchar *audio_codec;
  const gchar *reason;
} RecSession;

/* Returns the structure @name, which is "recwhip-connected",
 * "recwhip-disconnected" or one of their recwhep counterparts. */
GstStructure *rec_structure_new_session (
    const gchar *name, const RecSession *session);

G_END_DECLS
