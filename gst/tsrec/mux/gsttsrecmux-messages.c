/* gst-tsrec: tsrecmux, messages and requests for key frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Messages are queued with the lock held and posted without it. Each kind of
 * warning is posted once in a recording.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include <gst/video/video.h>

#include "recevent.h"

#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* Interval of requests for a key frame while none arrives. */
#define KEY_REQUEST_INTERVAL (1 * G_TIME_SPAN_SECOND)

/* --- The queue of messages --- */

void
gst_ts_rec_mux_queue_warning (
    GstTsRecMux *self, GstStreamError code, const gchar *text)
{
  GError *error = g_error_new_literal (GST_STREAM_ERROR, code, text);

  g_queue_push_tail (&self->messages,
      gst_message_new_warning (GST_OBJECT (self), error, NULL));
  g_error_free (error);
}

void
gst_ts_rec_mux_queue_journalled (
    GstTsRecMux *self, GstMessage *message, const gchar *entry)
{
  GstStructure *s = gst_structure_copy (gst_message_get_structure (message));

  gst_structure_set_name (s, entry);
  g_queue_push_tail (&self->messages, message);
  g_mutex_unlock (&self->lock);
  gst_ts_rec_mux_ensure_started (self);
  gst_pad_push_event (self->srcpad, rec_event_new_journal (s));
  g_mutex_lock (&self->lock);
}

void
gst_ts_rec_mux_post_messages (GstTsRecMux *self)
{
  GstMessage *message;

  do {
    g_mutex_lock (&self->lock);
    message = g_queue_pop_head (&self->messages);
    g_mutex_unlock (&self->lock);
    if (message)
      gst_element_post_message (GST_ELEMENT (self), message);
  } while (message);
}

void
gst_ts_rec_mux_post_pending (GstTsRecMux *self)
{
  GstPad *pad;

  do {
    gst_ts_rec_mux_post_messages (self);
    g_mutex_lock (&self->lock);
    pad = g_queue_pop_head (&self->key_requests);
    g_mutex_unlock (&self->lock);
    if (pad) {
      GST_DEBUG_OBJECT (pad, "asking for a key frame");
      gst_pad_push_event (pad,
          gst_video_event_new_upstream_force_key_unit (
              GST_CLOCK_TIME_NONE, TRUE, 0));
      gst_object_unref (pad);
    }
  } while (pad);
}

void
gst_ts_rec_mux_request_key_frame (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  gint64 now;

  if (pad->track == NULL || !ts_track_needs_random_access_point (pad->track))
    return;
  now = g_get_monotonic_time ();
  if (pad->last_request != 0 && now - pad->last_request < KEY_REQUEST_INTERVAL)
    return;
  pad->last_request = now;
  g_queue_push_tail (&self->key_requests, gst_object_ref (pad));
}

/* --- Warnings --- */

static void
warn_once (GstTsRecMux *self, GstPad *pad, RecMuxWarning warning,
    guint64 before, guint64 after, const gchar *problem)
{
  gchar *text;

  if (after == before)
    return;
  GST_DEBUG_OBJECT (pad, "%s", problem);
  if (self->warnings & warning)
    return;
  self->warnings |= warning;
  text = g_strdup_printf ("%s: %s Recording continues; further cases are "
                          "counted in the property \"stats\".",
      GST_OBJECT_NAME (pad), problem);
  gst_ts_rec_mux_queue_warning (self, GST_STREAM_ERROR_FORMAT, text);
  g_free (text);
}

/* Corrections that move presentation times are reported separately from those
 * that do not. A late access unit has its own warning. */
static void
warn_of_corrections (
    GstTsRecMux *self, GstPad *pad, const TsStats *before, const TsStats *after)
{
  if (after->late == before->late)
    warn_once (self, pad, REC_MUX_WARNING_DTS_RAISED, before->dts_raised,
        after->dts_raised,
        "decoding timestamps (DTS) go back; they were raised to follow the "
        "timestamp before. Presentation times (PTS) were kept.");
  warn_once (self, pad, REC_MUX_WARNING_PTS_NUDGED, before->pts_nudged,
      after->pts_nudged,
      "a presentation time (PTS) was moved by one tick of 90 kHz, to follow "
      "the timestamp before.");
  warn_once (self, pad, REC_MUX_WARNING_PTS_MOVED, before->pts_moved,
      after->pts_moved,
      "presentation times (PTS) were moved by more than one tick of 90 kHz: "
      "timestamps go back, or pictures are reordered by more than the stream "
      "declares.");
}

/* The remedy depends on the input: live input lags because of its branch, a file
 * because of the order in which it was written. */
static void
warn_of_lag (
    GstTsRecMux *self, GstPad *pad, const TsStats *before, const TsStats *after)
{
  warn_once (self, pad, REC_MUX_WARNING_LATE, before->late, after->late,
      gst_ts_rec_mux_is_live (self)
          ? "this track lags behind the others by more than the preroll; its "
            "timestamps are kept, and a decoder that follows PCR gets it too "
            "late. Lower the load or the latency of its branch, or raise the "
            "property \"preroll\"."
          : "this track lags behind the others by more than the preroll; its "
            "timestamps are kept, and a decoder that follows PCR gets it too "
            "late. The input is not sorted by time: raise the property "
            "\"max-interleave\", so that the mux waits longer to sort it.");
}

void
gst_ts_rec_mux_warn_of_changes (
    GstTsRecMux *self, GstPad *pad, const TsStats *before)
{
  TsStats after;

  ts_mux_get_stats (self->core, &after);
  warn_once (self, pad, REC_MUX_WARNING_NO_TIMESTAMP, before->no_timestamp,
      after.no_timestamp,
      "an access unit has no timestamp; it was placed after the access unit "
      "before.");
  warn_of_corrections (self, pad, before, &after);
  warn_once (self, pad, REC_MUX_WARNING_JUMP, before->jumps, after.jumps,
      "a timestamp is far off the others; the timeline was kept.");
  warn_of_lag (self, pad, before, &after);
  warn_once (self, pad, REC_MUX_WARNING_NO_KEYFRAME, before->no_random_access,
      after.no_random_access,
      "no key frame within 10 s; the recording begins with pictures that may "
      "not be decodable. Lower the key frame interval of the encoder.");
  warn_once (self, pad, REC_MUX_WARNING_EMPTY, before->empty, after.empty,
      "a buffer has zero size; it was dropped.");
  warn_once (self, pad, REC_MUX_WARNING_DAMAGED, before->damaged, after.damaged,
      "a buffer does not match its caps; it was dropped. Add a parser before "
      "the pad.");
}

/* Recognizes "scte-sit" of tsdemux, and events of
 * gst_mpegts_section_send_event(), whose name is the kind of section. Their
 * library is not needed for this. */
static gboolean
has_section (GstEvent *event)
{
  const GstStructure *s = gst_event_get_structure (event);
  const GValue *section = s ? gst_structure_get_value (s, "section") : NULL;

  return section &&
      g_str_equal (G_VALUE_TYPE_NAME (section), "GstMpegtsSection");
}

void
gst_ts_rec_mux_note_section (GstTsRecMux *self, GstEvent *event)
{
  gchar *text;

  if (!has_section (event))
    return;
  g_mutex_lock (&self->lock);
  if (!(self->warnings & REC_MUX_WARNING_SECTION)) {
    self->warnings |= REC_MUX_WARNING_SECTION;
    text = gst_event_has_name (event, "scte-sit")
        ? g_strdup (
              "SCTE-35 sections in events are not recorded: this mux does "
              "not carry SCTE-35. Recording of the tracks continues.")
        : g_strdup_printf ("Sections in events (\"%s\") are not "
                           "recorded: this mux writes its own tables. "
                           "Recording of the tracks continues.",
              gst_structure_get_name (gst_event_get_structure (event)));
    gst_ts_rec_mux_queue_warning (self, GST_STREAM_ERROR_MUX, text);
    g_free (text);
  }
  g_mutex_unlock (&self->lock);
}
