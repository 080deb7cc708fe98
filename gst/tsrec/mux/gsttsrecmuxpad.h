/* gst-tsrec: the sink pads of tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The type of the pads, the queue of each pad, the links that they refuse, and
 * their answers about caps. The mux sets the chain function and the event
 * function.
 *
 * Fields are protected by the lock of the mux (GstTsRecMux.lock), unless their
 * comment names another lock. Functions on the queue are called with it held.
 */

#pragma once

#include <gst/base/base.h>
#include <gst/gst.h>

#include "recpace.h"
#include "tsmux.h"

G_BEGIN_DECLS

#define GST_TYPE_TS_REC_MUX_PAD (gst_ts_rec_mux_pad_get_type ())
G_DECLARE_FINAL_TYPE (
    GstTsRecMuxPad, gst_ts_rec_mux_pad, GST, TS_REC_MUX_PAD, GstPad)

/* The longest time that a fast thread waits for a thread without data, µs. */
#define REC_MUX_WAIT_BUDGET (500 * G_TIME_SPAN_MILLISECOND)

/**
 * RecMuxItem: an entry in the queue of a pad.
 * @object: a buffer or a serialized event, owned
 * @pts: running time, ns, TS_TIME_NONE if unknown
 * @dts: running time, ns, TS_TIME_NONE if unknown
 * @arrival: running time of the arrival of a buffer without a timestamp, before
 *   the first timestamp of live input; TS_TIME_NONE otherwise
 * @estimated: @pts was derived from a later buffer
 * @follows: the buffer follows the one before at the rate of the stream, not
 *   at the time of the clock
 */
typedef struct
{
  GstMiniObject *object;
  gint64 pts;
  gint64 dts;
  gint64 arrival;
  gboolean estimated;
  gboolean follows;
} RecMuxItem;

/**
 * GstTsRecMuxPad:
 * @wanted_pid: the property pid, 0: by the name of the pad (object lock)
 * @wanted_language: the property language as ISO 639-2 code, "": from the tags
 *   (object lock)
 * @stream_number: the property stream-number, -1: tracks are counted (object
 *   lock)
 * @index: number in the name of the pad; constant
 * @pid: PID of its first track; constant
 * @segment: segment of the buffers (stream lock of the pad)
 * @kept: time that buffers spent in this element, ns (stream lock of the pad)
 * @queue: RecMuxItem
 * @queued_bytes: bytes of the buffers in @queue
 * @position: running time of the end of the received data, ns, TS_TIME_NONE
 *   before the first timestamp
 * @last_thread: thread that pushed the last buffer, NULL before the first one
 * @wait_budget: remaining time that other pads may wait for this one, µs
 * @pace: measures whether buffers arrive at the pace of the clock
 * @first_arrival: arrival of the first of @n_untimed buffers, monotonic µs
 * @n_untimed: buffers without timestamp since the last one with a timestamp
 * @paced: buffers without timestamp arrive at the pace of the clock
 * @asked_latency: the LATENCY query was sent upstream
 * @latency: minimum latency of the branch, GST_CLOCK_TIME_NONE if it is not
 *   live
 * @started: STREAM_START has arrived
 * @arrived: a buffer has arrived
 * @placed: a buffer with a timestamp has arrived, or one without has left
 * @eos: EOS has arrived
 * @drained: EOS has left the queue
 * @flushing: FLUSH_START has arrived, FLUSH_STOP has not
 * @caps: caps of the stream, NULL before the first caps and after a refusal
 * @codec: codec of @caps
 * @track: track in the core, NULL before its first access unit and after a
 *   refusal
 * @identity: identity of @track, see ts_track_config_check()
 * @track_pending: no track exists for @caps yet; the next access unit adds it
 * @language: ISO 639-2 code from the tags, or ""
 * @refused: the caps cannot be carried
 * @refusal: the reason, a sentence
 * @skipped: access units left out at the start and not yet reported
 * @skipped_since: running time of the first of @skipped access units
 * @last_request: time of the last request for a key frame, monotonic µs
 */
struct _GstTsRecMuxPad
{
  GstPad parent;

  guint16 wanted_pid;
  gchar wanted_language[4];
  gint stream_number;

  guint index;
  guint16 pid;

  GstSegment segment;
  gint64 kept;

  GstQueueArray *queue;
  gsize queued_bytes;
  gint64 position;
  GThread *last_thread;
  gint64 wait_budget;
  RecPace pace;
  gint64 first_arrival;
  guint64 n_untimed;
  gboolean paced;
  gboolean asked_latency;
  GstClockTime latency;
  gboolean started;
  gboolean arrived;
  gboolean placed;
  gboolean eos;
  gboolean drained;
  gboolean flushing;

  GstCaps *caps;
  TsCodec codec;
  TsTrack *track;
  guint64 identity;
  gboolean track_pending;
  gchar language[4];
  gboolean refused;
  gchar *refusal;
  guint64 skipped;
  gint64 skipped_since;
  gint64 last_request;
};

/* --- The queue --- */

/* Returns the time of @item: its DTS, or its PTS, which is the only timestamp
 * of most audio encoders. TS_TIME_NONE if it has none. */
static inline gint64
rec_mux_item_get_time (const RecMuxItem *item)
{
  return item->dts != TS_TIME_NONE ? item->dts : item->pts;
}

/* Appends the object of @item, which is taken. @end: running time of its end, or
 * TS_TIME_NONE. */
void gst_ts_rec_mux_pad_push (
    GstTsRecMuxPad *pad, const RecMuxItem *item, gint64 end);

/* Returns the first item, which stays in the queue, or NULL. */
RecMuxItem *gst_ts_rec_mux_pad_peek (GstTsRecMuxPad *pad);

/* Removes the first item of a queue that is not empty. The caller owns its
 * object. */
RecMuxItem gst_ts_rec_mux_pad_pop (GstTsRecMuxPad *pad);

/* Removes all items. */
void gst_ts_rec_mux_pad_clear (GstTsRecMuxPad *pad);

/* Removes all items but sticky events, which upstream does not send again after
 * a flush. EOS is removed. */
void gst_ts_rec_mux_pad_flush (GstTsRecMuxPad *pad);

/* Stores the time of the first buffer with a timestamp in the queue, beginning
 * at item @from: its DTS, or with @by_pts its PTS if it has one. Returns FALSE
 * if no such buffer is queued. */
gboolean gst_ts_rec_mux_pad_find_time (
    GstTsRecMuxPad *pad, guint from, gboolean by_pts, gint64 *time);

/* Derives the times of queued buffers without a timestamp from their durations,
 * back from @pts and @dts, the first timestamps. Of pictures, only the first
 * gets one: the core knows their order. */
void gst_ts_rec_mux_pad_place_before (
    GstTsRecMuxPad *pad, gint64 pts, gint64 dts);

/* Returns the time that decides the order of items: @dts, or the DTS that the
 * core is going to give to @pts. */
gint64 gst_ts_rec_mux_pad_get_turn (
    GstTsRecMuxPad *pad, gint64 pts, gint64 dts);

/* --- The stream --- */

/* Returns TRUE if data can arrive at @pad: it is linked, past ghost pads, and
 * its peer has sent a stream or can still do so. */
gboolean gst_ts_rec_mux_pad_is_fed (GstTsRecMuxPad *pad);

/* Returns TRUE for video; before the first caps by the template. */
gboolean gst_ts_rec_mux_pad_is_video (GstTsRecMuxPad *pad);

/* Forgets the stream, as after a change to READY. */
void gst_ts_rec_mux_pad_reset (GstTsRecMuxPad *pad);

/* --- Pad functions --- */

/* GstPadLinkFunction: refuses a link to a stream that can never be carried. A
 * bin with a ghost pad of @pad calls this with the peer of the ghost pad. */
GstPadLinkReturn gst_ts_rec_mux_pad_link (
    GstPad *pad, GstObject *parent, GstPad *peer);
gboolean gst_ts_rec_mux_pad_query (
    GstPad *pad, GstObject *parent, GstQuery *query);

G_END_DECLS
