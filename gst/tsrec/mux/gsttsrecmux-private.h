/* gst-tsrec: the parts of tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gsttsrecmuxpad        a sink pad, its queue and its properties
 * gsttsrecmux-output    packets of the core leave on the source pad
 * gsttsrecmux-messages  messages, warnings, requests for key frames
 * gsttsrecmux-tracks    caps become tracks, or are refused
 * gsttsrecmux-begin     where a recording begins in the middle of a stream
 * gsttsrecmux-accessunit  an access unit goes through the core
 * gsttsrecmux-schedule  which pad goes next, waiting, end of stream
 * gsttsrecmux-input     buffers and events from upstream
 * gsttsrecmux-request   request pads and their PIDs
 * gsttsrecmux-properties  properties of the element
 * gsttsrecmux           the element: states, events from downstream
 *
 * Each part uses only parts above it in this list.
 *
 * Locks, in this order:
 * - the stream lock of a sink pad;
 * - the stream lock of the source pad: everything is pushed with it held, so
 *   only one sink pad at a time is muxed;
 * - GstTsRecMux.lock, never held while something is pushed, posted or queried.
 *
 * "Lock held" means GstTsRecMux.lock. A function that pushes releases it
 * meanwhile: pads may be requested and released during the call.
 */

#pragma once

#include <gst/base/base.h>
#include <gst/gst.h>

#include "gsttsrecmux.h"
#include "gsttsrecmuxpad.h"
#include "recbufferpools.h"
#include "reccaps.h"
#include "recrecordingid.h"
#include "rectasks.h"
#include "tsmux.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_ts_rec_mux_debug);

/* Warnings that are posted once in a recording. */
typedef enum
{
  REC_MUX_WARNING_NO_TIMESTAMP = 1 << 0,
  REC_MUX_WARNING_DTS_RAISED = 1 << 1,
  REC_MUX_WARNING_JUMP = 1 << 2,
  REC_MUX_WARNING_LATE = 1 << 3,
  REC_MUX_WARNING_EMPTY = 1 << 4,
  REC_MUX_WARNING_DAMAGED = 1 << 5,
  REC_MUX_WARNING_NO_KEYFRAME = 1 << 6,
  REC_MUX_WARNING_PTS_NUDGED = 1 << 7,
  REC_MUX_WARNING_PTS_MOVED = 1 << 8,
  REC_MUX_WARNING_SECTION = 1 << 9
} RecMuxWarning;

/* A PID of the stream, and the only kind of stream that may ever be on it. */
typedef struct
{
  guint16 pid;
  guint64 identity;
} RecMuxStream;

/**
 * GstTsRecMux:
 * @config: properties of the core (object lock)
 * @max_interleave: the property, ns (object lock)
 * @recording_id: the property (object lock)
 * @notes: warnings about property values, gchar, for the next start (object
 *   lock)
 * @next_index: next number of a pad: video, audio, data (object lock)
 * @started: STREAM_START, CAPS and SEGMENT were pushed (stream lock of srcpad)
 * @prepared: the core knows where the timeline starts (stream lock of srcpad)
 * @sent_buffer: a buffer was created in this run (stream lock of srcpad)
 * @buffers: pools of output buffers (stream lock of srcpad)
 * @lock: protects the fields that follow, and the fields of the pads
 * @cond: signalled when data arrives, or waiting has to end
 * @n_waiting: threads that wait for @cond
 * @core: the mux, NULL in READY and below
 * @pads: GstTsRecMuxPad, not referenced
 * @removed: TsTrack of released and refused pads, to be removed from the PMT
 * @streams: RecMuxStream of this run and of a resumed file
 * @messages: GstMessage to be posted
 * @key_requests: GstPad to be asked for a key frame
 * @release: drains when what waits for a timestamp has waited for long enough;
 *   NULL in READY and below
 * @interleave: max-interleave of this run, ns
 * @flow: result of the last push
 * @warnings: warnings already posted in this recording
 * @wait_for_keyframe: the property, as of this run
 * @skipped: audio access units left out before the first picture
 * @refused: access units on pads whose caps are refused
 * @stats: statistics of the last run, for when @core is NULL
 * @nothing_left: an error was posted because every track is refused
 * @codec_changed: a codec has changed since the last random access point
 * @live: a LATENCY query was answered with "live"
 * @paced: all input arrives at the pace of the clock
 * @stopping: the element is on its way to READY
 * @eos_sent: EOS was pushed
 * @flushing: FLUSH_START was pushed, FLUSH_STOP was not
 */
struct _GstTsRecMux
{
  GstElement parent;

  GstPad *srcpad;

  TsMuxConfig config;
  guint64 max_interleave;
  RecRecordingId recording_id;
  GPtrArray *notes;
  guint next_index[3];

  gboolean started;
  gboolean prepared;
  gboolean sent_buffer;
  RecBufferPools buffers;

  GMutex lock;
  GCond cond;
  guint n_waiting;
  TsMux *core;
  GPtrArray *pads;
  GPtrArray *removed;
  GArray *streams;
  GQueue messages;
  GQueue key_requests;
  RecTask *release;
  guint64 interleave;
  GstFlowReturn flow;
  RecMuxWarning warnings;
  gboolean wait_for_keyframe;
  guint64 skipped;
  guint64 refused;
  TsStats stats;
  gboolean nothing_left;
  gboolean codec_changed;
  gboolean live;
  gboolean paced;
  gboolean stopping;
  gboolean eos_sent;
  gboolean flushing;
};

/* Returns TRUE if nothing waits for other tracks. Lock held. */
static inline gboolean
gst_ts_rec_mux_is_live (GstTsRecMux *self)
{
  return self->live || self->paced;
}

/* --- Gsttsrecmux-output.c; stream lock of the source pad held --- */

/* Pushes STREAM_START, CAPS and SEGMENT before anything else leaves. Lock not
 * held. */
void gst_ts_rec_mux_ensure_started (GstTsRecMux *self);

/* Returns a buffer with what the core has planned, at most @size bytes, and
 * fills @output. Returns NULL without memory. Lock held. */
GstBuffer *gst_ts_rec_mux_finish (
    GstTsRecMux *self, gsize size, TsOutput *output);

/* Takes and pushes @buffer, which may be NULL. Packets before a random access
 * point leave in a buffer of their own, so that a file can be cut between the
 * two. Lock held, and released during the call. */
void gst_ts_rec_mux_push (
    GstTsRecMux *self, GstBuffer *buffer, const TsOutput *output);

/* Pushes data that the core holds back. Lock held, and released during the call. */
void gst_ts_rec_mux_flush_pending (GstTsRecMux *self);

/* Removes the tracks of released and refused pads from the PMT. Lock held, and
 * released during the call. */
void gst_ts_rec_mux_remove_tracks (GstTsRecMux *self);

/* --- Gsttsrecmux-messages.c --- */

/* Queues a warning for the bus. Lock held. */
void gst_ts_rec_mux_queue_warning (
    GstTsRecMux *self, GstStreamError code, const gchar *text);

/* Queues @message, which is taken, for the bus, and pushes its structure as a
 * journal entry named @entry. Lock held, and released during the call; stream lock of
 * the source pad held. */
void gst_ts_rec_mux_queue_journalled (
    GstTsRecMux *self, GstMessage *message, const gchar *entry);

/* Queues a warning, once for each kind, for counters of the core that have
 * changed since @before. Lock held. */
void gst_ts_rec_mux_warn_of_changes (
    GstTsRecMux *self, GstPad *pad, const TsStats *before);

/* Queues a warning, once in a recording, if @event carries a section (SCTE-35
 * and others), which is not recorded. Lock not held. */
void gst_ts_rec_mux_note_section (GstTsRecMux *self, GstEvent *event);

/* Queues a request for a key frame if the track of @pad waits for one. Lock
 * held. */
void gst_ts_rec_mux_request_key_frame (GstTsRecMux *self, GstTsRecMuxPad *pad);

/* Posts the queued messages. Lock not held. */
void gst_ts_rec_mux_post_messages (GstTsRecMux *self);

/* Posts the queued messages and sends the queued requests for key frames. No
 * lock held. */
void gst_ts_rec_mux_post_pending (GstTsRecMux *self);

/* --- gsttsrecmux-tracks.c; lock held, and released while something is pushed
 * --- */

/* Configures the track of @pad for @caps, or refuses it. */
void gst_ts_rec_mux_configure_track (
    GstTsRecMux *self, GstTsRecMuxPad *pad, GstCaps *caps);

/* Adds the track of @pad before its first access unit, and the tracks of all
 * pads whose first access unit is queued. */
void gst_ts_rec_mux_begin_track (GstTsRecMux *self, GstTsRecMuxPad *pad);

/* Notes a stream of this run or of a file that is resumed. */
void gst_ts_rec_mux_add_stream (
    GstTsRecMux *self, guint16 pid, guint64 identity);

/* Queues an error if all present and possible tracks are refused. */
void gst_ts_rec_mux_check_refusals (GstTsRecMux *self);

/* Sets the language of the track of @pad from @tags. */
void gst_ts_rec_mux_set_language (
    GstTsRecMux *self, GstTsRecMuxPad *pad, GstTagList *tags);

/* --- Gsttsrecmux-begin.c; lock held --- */

/* Returns TRUE if @head, next in @pad, leaves before all others: it is a picture
 * that will be skipped, which tells that the recording begins in the middle of
 * a stream. */
gboolean gst_ts_rec_mux_is_mid_stream (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *head);

/* Returns TRUE if @head, next in @pad, has to wait for the picture that the
 * recording is going to begin with. */
gboolean gst_ts_rec_mux_waits_for_picture (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *head);

/* Counts @item of @pad, which has been left out. */
void gst_ts_rec_mux_note_skipped (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item);

/* Reports what was left out before @item of @pad, which was written; @first: as
 * the first access unit of the recording. The stream lock of the source pad is
 * held, the lock is released during the call. */
void gst_ts_rec_mux_note_begun (GstTsRecMux *self, GstTsRecMuxPad *pad,
    const RecMuxItem *item, gboolean first);

/* --- Gsttsrecmux-accessunit.c; stream lock of the source pad held --- */

/* Tells the core where the timeline starts: after a resumed file, and with room
 * for the latencies of the branches. Lock not held. */
void gst_ts_rec_mux_prepare (GstTsRecMux *self);

/* Writes the access unit @item of @pad. Lock held, and released during the call. */
void gst_ts_rec_mux_mux_access_unit (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item);

/* Writes what is due at the GAP event @item of @pad. Lock held, and released
 * meanwhile. */
void gst_ts_rec_mux_mux_gap (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item);

/* Returns TRUE if the first item of @pad has to wait for the one after it:
 * without a clock, a step of half a minute is believed only if the next
 * timestamp confirms it. Lock held. */
gboolean gst_ts_rec_mux_lacks_next (GstTsRecMux *self, GstTsRecMuxPad *pad);

/* --- Gsttsrecmux-schedule.c --- */

/* Writes everything that may leave now, EOS included. No lock held. */
GstFlowReturn gst_ts_rec_mux_drain (GstTsRecMux *self);

/* The same from a task, and posts what it has queued. */
void gst_ts_rec_mux_release (gpointer self);

/* Lets other pads catch up with @pad, for a bounded time. Only the order in the
 * file depends on this. Lock held, and released during the call. */
void gst_ts_rec_mux_wait_for_others (GstTsRecMux *self, GstTsRecMuxPad *pad);

/* --- Gsttsrecmux-input.c --- */

GstFlowReturn gst_ts_rec_mux_chain (
    GstPad *pad, GstObject *parent, GstBuffer *buffer);
gboolean gst_ts_rec_mux_sink_event (
    GstPad *pad, GstObject *parent, GstEvent *event);

/* Pushes @event, a FLUSH_STOP, which is taken. No lock held. */
void gst_ts_rec_mux_end_flush (GstTsRecMux *self, GstEvent *event);

/* --- Gsttsrecmux-request.c --- */

GstPad *gst_ts_rec_mux_request_new_pad (GstElement *element,
    GstPadTemplate *templ, const gchar *req_name, const GstCaps *caps);
void gst_ts_rec_mux_release_pad (GstElement *element, GstPad *gstpad);

/* --- Gsttsrecmux-properties.c --- */

void gst_ts_rec_mux_install_properties (GObjectClass *klass);

/* Sets the defaults of a new element. */
void gst_ts_rec_mux_init_properties (GstTsRecMux *self);

/* Posts warnings about values of properties. No lock held. */
void gst_ts_rec_mux_post_notes (GstTsRecMux *self);

G_END_DECLS
