/* gst-tsrec: what the files of tsrecmux share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gsttsrecmux.c is the element: pads, states, and what comes from downstream.
 * gsttsrecmux-pad.c is the type of its sink pads, gsttsrecmux-properties.c its
 * properties. gsttsrecmux-input.c is what comes
 * from upstream, and whose turn it is; gsttsrecmux-output.c makes output of it,
 * and gsttsrecmux-tracks.c tracks of caps.
 *
 * Locks, in this order: the stream lock of a sink pad; the stream lock of the
 * source pad, which makes a funnel of the sink pads, as everything that leaves
 * does so under it; GstTsRecMux.lock for the fields marked with it, never held
 * while something is pushed, posted or asked.
 */

#pragma once

#include <gst/base/base.h>
#include <gst/gst.h>

#include "gsttsrecmux.h"
#include "recbufferpools.h"
#include "reccaps.h"
#include "recrecordingid.h"
#include "recpace.h"
#include "tsmux.h"

G_BEGIN_DECLS

#define GST_TYPE_TS_REC_MUX_PAD (gst_ts_rec_mux_pad_get_type ())
G_DECLARE_FINAL_TYPE (
    GstTsRecMuxPad, gst_ts_rec_mux_pad, GST, TS_REC_MUX_PAD, GstPad)

/* What waits in a pad: a buffer or a serialized event, and its timestamps,
 * TS_TIME_NONE where it has none. @estimated: of what came behind it. */
typedef struct
{
  GstMiniObject *object;
  gint64 pts;
  gint64 dts;
  gboolean estimated;
} RecMuxItem;

/**
 * GstTsRecMuxPad:
 * @wanted_pid: the property, 0: by the name; object lock
 * @wanted_language: the property as ISO 639-2 code, "": of the tags; object
 *   lock
 * @stream_number: the property, -1: tracks are counted; object lock
 * @segment: of the buffers; stream lock of the pad
 * @last_thread: that brought the last buffer; lock
 * @queue: of RecMuxItem; lock
 * @queued_bytes: in @queue; lock
 * @arrived: a buffer has arrived, with a timestamp or without; lock
 * @placed: one has arrived with a timestamp, or has left without; lock
 * @first_arrival: when the first of @n_untimed arrived, monotonic µs; lock
 * @n_untimed: buffers without a timestamp, since the last one with; lock
 * @paced: they arrive at the pace of the clock; lock
 * @position: the end of what has arrived, running time; lock
 * @patience: how long others still wait for this pad; lock
 * @pace: whether its buffers arrive at the pace of the clock; lock
 * @kept: how long buffers were in this element, ns; stream lock of the pad
 * @index: number in its name
 * @pid: of its first track
 * @track: in the core, NULL before its first access unit and after a refusal;
 *   lock
 * @identity: of @track, ts_track_config_check(); lock
 * @codec: of @caps; lock
 * @pending: @caps name what no track is there for yet: the next access unit
 *   begins it; lock
 * @skipped: access units that were left out at the start, and not said; lock
 * @skipped_since: running time of the first of them; lock
 * @language: ISO 639-2 code of the tags, or ""; lock
 * @refused: its caps are not carried; lock
 * @refusal: the reason, a sentence; lock
 * @eos: EOS has arrived; lock
 * @drained: EOS has left the queue; lock
 * @started: a stream has started: STREAM_START has arrived; lock
 * @flushing: between FLUSH_START and FLUSH_STOP; lock
 * @caps: of the stream, NULL before the first ones and after a refusal; lock
 * @last_request: when a key frame was last asked for, monotonic µs; lock
 * @asked_latency: whether @latency was asked of upstream; lock
 * @latency: least latency of its branch; lock
 */
struct _GstTsRecMuxPad
{
  GstPad parent;

  guint16 wanted_pid;
  gchar wanted_language[4];
  gint stream_number;

  GstSegment segment;
  GThread *last_thread;
  GstQueueArray *queue;
  gsize queued_bytes;
  gboolean arrived;
  gboolean placed;
  gint64 first_arrival;
  guint64 n_untimed;
  gboolean paced;
  gint64 position;
  gint64 patience;
  guint index;
  RecPace pace;
  gint64 kept;
  guint16 pid;
  TsTrack *track;
  guint64 identity;
  TsCodec codec;
  gboolean pending;
  gchar *refusal;
  GstCaps *caps;
  guint64 skipped;
  gint64 skipped_since;
  gchar language[4];
  gboolean asked_latency;
  GstClockTime latency;
  gboolean refused;
  gboolean eos;
  gboolean drained;
  gboolean started;
  gboolean flushing;
  gint64 last_request;
};

/* What has been said once in a recording already. */
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

struct _GstTsRecMux
{
  GstElement parent;

  GstPad *srcpad;

  /* object lock */
  TsMuxConfig config;
  guint64 max_interleave;
  RecRecordingId recording_id;
  GPtrArray *notes; /* gchar, warnings about properties, for the next start */
  guint next_index[3];

  /* stream lock of the source pad */
  gboolean started;  /* stream-start, caps and segment were pushed */
  gboolean prepared; /* the core knows where to start */
  gboolean sent_buffer;
  RecBufferPools buffers;

  /* lock */
  GMutex lock;
  GCond cond;
  guint n_waiting; /* threads, for @cond */
  TsMux *core;
  GPtrArray *pads;     /* GstTsRecMuxPad, not owned */
  GPtrArray *removed;  /* TsTrack whose pads were released */
  GArray *streams;     /* RecMuxStream of this run, and of a resumed file */
  GQueue messages;     /* GstMessage to be posted */
  GQueue key_requests; /* GstPad to ask for a key frame */
  guint64 interleave;  /* max-interleave of this run */
  GstFlowReturn flow;  /* of the last push */
  RecMuxWarning said;
  gboolean wait_for_keyframe; /* of this run */
  guint64 skipped;            /* sound before the first picture */
  TsStats stats;              /* of this run, when core is gone */
  guint64 refused;            /* access units on pads whose caps are refused */
  gboolean nothing_left;      /* an error has said so: every track is refused */
  gboolean codec_changed;     /* since the last random access point */
  gboolean live;              /* as the LATENCY query says */
  gboolean paced;             /* as the clock says */
  gboolean stopping;
  gboolean eos_sent;
  gboolean flushing;
};

/* How long a fast thread waits, at most, for one that brings nothing, µs. */
#define REC_MUX_PATIENCE (500 * G_TIME_SPAN_MILLISECOND)

/* gsttsrecmux-properties.c */

void gst_ts_rec_mux_install_properties (GObjectClass *klass);
/* Posts what is to be said about values of properties. No lock held. */
void gst_ts_rec_mux_post_notes (GstTsRecMux *self);
/* The defaults, in a new element. */
void gst_ts_rec_mux_init_properties (GstTsRecMux *self);

/* gsttsrecmux-pad.c */

/* Whether data can arrive at @pad: it is linked, past ghost pads, and what it
 * is linked to has sent something or may still. Lock held. */
gboolean gst_ts_rec_mux_pad_is_fed (GstTsRecMuxPad *pad);
GstPadLinkReturn gst_ts_rec_mux_sink_link (
    GstPad *pad, GstObject *parent, GstPad *peer);
gboolean gst_ts_rec_mux_sink_query (
    GstPad *pad, GstObject *parent, GstQuery *query);

/* gsttsrecmux-begin.c. With the lock. */

/* Whether @head, next in @pad, leaves before all others: a picture that will be
 * skipped, so that it is known that the recording begins in the middle of a
 * stream. */
gboolean gst_ts_rec_mux_is_mid_stream (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *head);
/* Whether @head, next in @pad, has to stay for the picture that the recording
 * is to begin with. */
gboolean gst_ts_rec_mux_waits_for_picture (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *head);
/* @item of @pad has been left out. */
void gst_ts_rec_mux_note_skipped (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item);
/* @item of @pad is written; @first: as the first of the recording. Says what
 * was left out before. The stream lock of the source pad is held as well, the
 * lock is given up meanwhile. */
void gst_ts_rec_mux_note_begun (GstTsRecMux *self, GstTsRecMuxPad *pad,
    const RecMuxItem *item, gboolean first);

/* gsttsrecmux-input.c */

/* For an item of @pad that waits no longer: tells the core what follows it.
 * Lock held. */
void gst_ts_rec_mux_set_next (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item);
GstFlowReturn gst_ts_rec_mux_chain (
    GstPad *pad, GstObject *parent, GstBuffer *buffer);
gboolean gst_ts_rec_mux_sink_event (
    GstPad *pad, GstObject *parent, GstEvent *event);

/* Writes out whatever may go now, EOS included. Call with no lock held. */
GstFlowReturn gst_ts_rec_mux_drain (GstTsRecMux *self);

/* Downstream goes on after a flush. Takes @event, a FLUSH_STOP. Call with no
 * lock held. */
void gst_ts_rec_mux_end_flush (GstTsRecMux *self, GstEvent *event);

/* Posts messages and asks for key frames, as queued. No lock held. */
void gst_ts_rec_mux_post_pending (GstTsRecMux *self);

/* When @item is: its DTS, or its PTS, which is all that most encoders of audio
 * give; TS_TIME_NONE where it has none. */
static inline gint64
gst_ts_rec_mux_get_item_time (const RecMuxItem *item)
{
  return item->dts != TS_TIME_NONE ? item->dts : item->pts;
}

/* Whether nothing waits for anything. Lock held. */
static inline gboolean
gst_ts_rec_mux_is_live (GstTsRecMux *self)
{
  return self->live || self->paced;
}

/* Empties the queue of @pad. Lock held. */
void gst_ts_rec_mux_pad_clear (GstTsRecMuxPad *pad);

/* gsttsrecmux-output.c. All but gst_ts_rec_mux_post_pending() with the stream lock of
 * the source pad held. */

/* Before anything leaves: stream-start, caps and segment. Lock not held. */
void gst_ts_rec_mux_ensure_started (GstTsRecMux *self);
/* Before the first access unit: where does the timeline start? Lock not
 * held. */
void gst_ts_rec_mux_prepare (GstTsRecMux *self);

/* The lock is held, and given up while something is pushed. */
void gst_ts_rec_mux_mux_buffer (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item);
void gst_ts_rec_mux_mux_gap (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item);
void gst_ts_rec_mux_flush_held (GstTsRecMux *self);
/* Posts the queued messages. Lock not held. */
void gst_ts_rec_mux_post_messages (GstTsRecMux *self);
/* Takes the tracks of released and refused pads out of the PMT. */
void gst_ts_rec_mux_remove_tracks (GstTsRecMux *self);

/* gsttsrecmux-tracks.c. The lock is held, and given up while something is
 * pushed. */

/* @caps arrived: what is not carried is refused. */
void gst_ts_rec_mux_configure_track (
    GstTsRecMux *self, GstTsRecMuxPad *pad, GstCaps *caps);
/* The first access unit of the caps of @pad is about to be muxed: it gets a
 * track, as does each pad whose first one waits. */
void gst_ts_rec_mux_begin_track (GstTsRecMux *self, GstTsRecMuxPad *pad);
/* Adds what is on the PIDs of a file that is resumed. */
void gst_ts_rec_mux_add_stream (
    GstTsRecMux *self, guint16 pid, guint64 identity);
/* Queues an error if every track that there is or can be is refused. */
void gst_ts_rec_mux_check_refusals (GstTsRecMux *self);
/* Queues a warning, once in a recording, if @event brings a section (SCTE-35
 * and others), which is not carried. No lock held. */
void gst_ts_rec_mux_note_section (GstTsRecMux *self, GstEvent *event);
void gst_ts_rec_mux_set_language (
    GstTsRecMux *self, GstTsRecMuxPad *pad, GstTagList *tags);

G_END_DECLS
