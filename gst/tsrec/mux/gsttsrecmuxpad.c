/* gst-tsrec: the sink pads of tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gsttsrecmuxpad.h"

#include <gst/tag/tag.h>
#include <string.h>

#include "reccaps.h"
#include "recmessage.h"
#include "recpad.h"
#include "recpadproperties.h"

/* Duration of a picture if it is unknown: 25 per second. */
#define DEFAULT_PICTURE (40 * (gint64)GST_MSECOND)

G_DEFINE_TYPE (GstTsRecMuxPad, gst_ts_rec_mux_pad, GST_TYPE_PAD);

/* --- Properties --- */

/* Sets the property language. Object lock held. */
static void
set_language (GstTsRecMuxPad *pad, const gchar *language)
{
  const gchar *code =
      language ? gst_tag_get_language_code_iso_639_2B (language) : NULL;

  if (code == NULL) /* a code that is not in the list, for example "qaa" */
    code = language;
  if (code && strlen (code) != 3) {
    g_warning ("\"%s\" is no language code of ISO 639.", language);
    return;
  }
  g_strlcpy (
      pad->wanted_language, code ? code : "", sizeof (pad->wanted_language));
}

static void
gst_ts_rec_mux_pad_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstTsRecMuxPad *pad = GST_TS_REC_MUX_PAD (object);

  GST_OBJECT_LOCK (pad);
  switch (id) {
    case REC_PAD_PROP_PID:
      pad->wanted_pid = (guint16)g_value_get_uint (value);
      break;
    case REC_PAD_PROP_LANGUAGE:
      set_language (pad, g_value_get_string (value));
      break;
    case REC_PAD_PROP_STREAM_NUMBER:
      pad->stream_number = g_value_get_int (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (pad);
}

static void
gst_ts_rec_mux_pad_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstTsRecMuxPad *pad = GST_TS_REC_MUX_PAD (object);

  GST_OBJECT_LOCK (pad);
  switch (id) {
    case REC_PAD_PROP_PID:
      g_value_set_uint (value, pad->wanted_pid);
      break;
    case REC_PAD_PROP_LANGUAGE:
      g_value_set_string (
          value, pad->wanted_language[0] ? pad->wanted_language : NULL);
      break;
    case REC_PAD_PROP_STREAM_NUMBER:
      g_value_set_int (value, pad->stream_number);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (pad);
}

/* --- The queue --- */

void
gst_ts_rec_mux_pad_push (
    GstTsRecMuxPad *pad, const RecMuxItem *item, gint64 end)
{
  RecMuxItem copy = *item;

  if (GST_IS_BUFFER (item->object))
    pad->queued_bytes += gst_buffer_get_size (GST_BUFFER_CAST (item->object));
  gst_queue_array_push_tail_struct (pad->queue, &copy);
  if (end != TS_TIME_NONE &&
      (pad->position == TS_TIME_NONE || end > pad->position))
    pad->position = end;
}

RecMuxItem *
gst_ts_rec_mux_pad_peek (GstTsRecMuxPad *pad)
{
  return gst_queue_array_peek_head_struct (pad->queue);
}

RecMuxItem
gst_ts_rec_mux_pad_pop (GstTsRecMuxPad *pad)
{
  RecMuxItem item = *(RecMuxItem *)gst_queue_array_pop_head_struct (pad->queue);

  if (GST_IS_BUFFER (item.object))
    pad->queued_bytes -= gst_buffer_get_size (GST_BUFFER_CAST (item.object));
  return item;
}

void
gst_ts_rec_mux_pad_clear (GstTsRecMuxPad *pad)
{
  while (!gst_queue_array_is_empty (pad->queue)) {
    RecMuxItem item = gst_ts_rec_mux_pad_pop (pad);

    gst_mini_object_unref (item.object);
  }
}

static gboolean
survives_flush (GstMiniObject *object)
{
  return GST_IS_EVENT (object) &&
      GST_EVENT_IS_STICKY (GST_EVENT_CAST (object)) &&
      GST_EVENT_TYPE (object) != GST_EVENT_EOS;
}

void
gst_ts_rec_mux_pad_flush (GstTsRecMuxPad *pad)
{
  for (guint i = gst_queue_array_get_length (pad->queue); i > 0; i--) {
    RecMuxItem item = gst_ts_rec_mux_pad_pop (pad);

    if (survives_flush (item.object))
      gst_queue_array_push_tail_struct (pad->queue, &item);
    else
      gst_mini_object_unref (item.object);
  }
}

gboolean
gst_ts_rec_mux_pad_find_time (
    GstTsRecMuxPad *pad, guint from, gboolean by_pts, gint64 *time)
{
  guint n = gst_queue_array_get_length (pad->queue);

  for (guint i = from; i < n; i++) {
    RecMuxItem *item = gst_queue_array_peek_nth_struct (pad->queue, i);

    *time = item->dts;
    if (*time == TS_TIME_NONE || (by_pts && item->pts != TS_TIME_NONE))
      *time = item->pts;
    if (GST_IS_BUFFER (item->object) && *time != TS_TIME_NONE)
      return TRUE;
  }
  return FALSE;
}

/* Returns the duration of @buffer: its own, or by the stream. 0 if unknown. */
static gint64
get_duration (GstTsRecMuxPad *pad, GstBuffer *buffer)
{
  TsTrackConfig config = { .codec = pad->codec };
  RecCapsData codec_data;
  gchar *reason = NULL;
  gint64 duration = 0;
  GstMapInfo map;

  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    return (gint64)MIN (GST_BUFFER_DURATION (buffer), GST_SECOND);
  if (pad->caps == NULL || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return 0;
  if (rec_caps_parse (pad->caps, &config, &codec_data, &reason))
    duration = ts_track_config_get_duration (&config, map.data, map.size);
  rec_caps_data_clear (&codec_data);
  g_free (reason);
  gst_buffer_unmap (buffer, &map);
  return duration;
}

/* A picture is decoded at most this much before the place that its PTS has in
 * output order, if it has no DTS. */
#define MAX_REORDERED 4

void
gst_ts_rec_mux_pad_place_before (GstTsRecMuxPad *pad, gint64 pts, gint64 dts)
{
  gboolean video = gst_ts_rec_mux_pad_is_video (pad);
  gint64 time = pts != TS_TIME_NONE && !video ? pts : dts, duration;
  RecMuxItem *first = NULL;

  for (guint i = gst_queue_array_get_length (pad->queue); i > 0; i--) {
    RecMuxItem *item = gst_queue_array_peek_nth_struct (pad->queue, i - 1);

    if (!GST_IS_BUFFER (item->object))
      continue;
    duration = get_duration (pad, GST_BUFFER_CAST (item->object));
    if (item->pts != TS_TIME_NONE || (duration == 0 && !video))
      break;
    if (duration == 0)
      duration = DEFAULT_PICTURE;
    if (time == TS_TIME_NONE)
      time = pts - MAX_REORDERED * duration;
    time -= duration;
    item->follows = video;
    if (!video) {
      item->pts = time;
      item->estimated = TRUE;
    }
    first = item;
  }
  if (first) {
    first->pts = time;
    first->estimated = TRUE;
  }
}

gint64
gst_ts_rec_mux_pad_get_turn (GstTsRecMuxPad *pad, gint64 pts, gint64 dts)
{
  if (dts != TS_TIME_NONE)
    return dts;
  return pad->track ? ts_track_estimate_dts (pad->track, pts) : pts;
}

/* --- The stream --- */

/* A peer that has sent nothing may be unable to: its own sink pads are not
 * linked. Once a stream has started, only the link counts. */
gboolean
gst_ts_rec_mux_pad_is_fed (GstTsRecMuxPad *pad)
{
  return pad->started ? rec_pad_is_linked (GST_PAD (pad))
                      : rec_pad_is_fed (GST_PAD (pad));
}

gboolean
gst_ts_rec_mux_pad_is_video (GstTsRecMuxPad *pad)
{
  if (pad->caps)
    return ts_codec_is_video (pad->codec);
  return g_str_has_prefix (
      GST_PAD_TEMPLATE_NAME_TEMPLATE (GST_PAD_PAD_TEMPLATE (GST_PAD (pad))),
      "video");
}

void
gst_ts_rec_mux_pad_reset (GstTsRecMuxPad *pad)
{
  gst_ts_rec_mux_pad_clear (pad);
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
  pad->track = NULL;
  pad->track_pending = FALSE;
  g_clear_pointer (&pad->refusal, g_free);
  gst_caps_replace (&pad->caps, NULL);
  pad->language[0] = '\0';
  pad->arrived = pad->placed = pad->paced = FALSE;
  pad->n_untimed = 0;
  pad->position = TS_TIME_NONE;
  pad->wait_budget = REC_MUX_WAIT_BUDGET;
  rec_pace_init (&pad->pace);
  pad->kept = 0;
  pad->skipped = 0;
  pad->last_thread = NULL;
  pad->last_request = 0;
  pad->latency = GST_CLOCK_TIME_NONE;
  pad->asked_latency = FALSE;
  pad->refused = pad->eos = pad->drained = pad->flushing = FALSE;
  pad->started = FALSE;
}

/* --- The type --- */

static void
gst_ts_rec_mux_pad_init (GstTsRecMuxPad *pad)
{
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
  pad->queue = gst_queue_array_new_for_struct (sizeof (RecMuxItem), 16);
  pad->stream_number = -1;
  pad->position = TS_TIME_NONE;
  pad->wait_budget = REC_MUX_WAIT_BUDGET;
  rec_pace_init (&pad->pace);
  pad->latency = GST_CLOCK_TIME_NONE;
}

static void
gst_ts_rec_mux_pad_finalize (GObject *object)
{
  GstTsRecMuxPad *pad = GST_TS_REC_MUX_PAD (object);

  gst_ts_rec_mux_pad_clear (pad);
  gst_queue_array_free (pad->queue);
  gst_caps_replace (&pad->caps, NULL);
  g_free (pad->refusal);
  G_OBJECT_CLASS (gst_ts_rec_mux_pad_parent_class)->finalize (object);
}

static void
gst_ts_rec_mux_pad_class_init (GstTsRecMuxPadClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = gst_ts_rec_mux_pad_finalize;
  object_class->set_property = gst_ts_rec_mux_pad_set_property;
  object_class->get_property = gst_ts_rec_mux_pad_get_property;
  rec_pad_properties_install (object_class);
}

/* --- Links and caps --- */

/* Returns the name of the element that the user created: of the bin around @mux,
 * if there is one. */
static const gchar *
get_shown_name (GstObject *mux)
{
  GstObject *parent = GST_OBJECT_PARENT (mux);

  return GST_OBJECT_NAME (parent && !GST_IS_PIPELINE (parent) ? parent : mux);
}

/* Posts the reason on the bus. Writes it to stderr as well, because the bus is
 * not read while a launch line is parsed. */
static void
post_refused_link (GstPad *pad, GstObject *mux, GstPad *peer,
    const GstCaps *caps, const gchar *reason)
{
  gchar *shown = gst_caps_is_any (caps) || gst_caps_is_empty (caps)
      ? g_strdup ("it")
      : g_strdup (gst_structure_get_name (gst_caps_get_structure (caps, 0)));

  g_message ("%s: cannot record %s from %s: %s", get_shown_name (mux), shown,
      GST_OBJECT_NAME (GST_OBJECT_PARENT (peer) ? GST_OBJECT_PARENT (peer)
                                                : GST_OBJECT (peer)),
      reason);
  g_free (shown);
  gst_element_post_message (GST_ELEMENT (mux),
      rec_message_new_track (
          GST_ELEMENT (mux), "tsrecmux-track-rejected", pad, caps, reason));
}

GstPadLinkReturn
gst_ts_rec_mux_pad_link (GstPad *pad, GstObject *parent, GstPad *peer)
{
  GstCaps *caps = gst_pad_query_caps (peer, NULL);
  gchar *reason = rec_caps_get_link_problem (
      caps, GST_PAD_TEMPLATE_NAME_TEMPLATE (GST_PAD_PAD_TEMPLATE (pad)));
  gboolean ok = reason == NULL;

  if (ok)
    rec_pad_watch_peer (pad, peer);
  else
    post_refused_link (pad, parent, peer, caps, reason);
  g_free (reason);
  gst_caps_unref (caps);
  return ok ? GST_PAD_LINK_OK : GST_PAD_LINK_REFUSED;
}

/* An unlinked pad accepts any caps, so that gst_ts_rec_mux_pad_link() is called
 * for each link. */
static GstCaps *
get_sink_caps (GstPad *pad, GstCaps *filter)
{
  GstCaps *caps, *filtered;

  if (rec_pad_is_linked (pad))
    caps = rec_caps_get_carried (
        GST_PAD_TEMPLATE_NAME_TEMPLATE (GST_PAD_PAD_TEMPLATE (pad)));
  else
    caps = gst_caps_new_any ();
  if (filter == NULL)
    return caps;
  filtered = gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  return filtered;
}

gboolean
gst_ts_rec_mux_pad_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCaps *filter, *caps;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      gst_query_parse_caps (query, &filter);
      caps = get_sink_caps (pad, filter);
      gst_query_set_caps_result (query, caps);
      gst_caps_unref (caps);
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      /* Caps that cannot be carried are refused later, without a flow error,
       * which would stop the other tracks of the source. */
      gst_query_set_accept_caps_result (query, TRUE);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      return FALSE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}
