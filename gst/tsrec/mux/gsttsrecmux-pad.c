/* gst-tsrec: tsrecmux, its sink pads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The type of the pads, the links that they refuse, and what they answer about
 * caps.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include <gst/tag/tag.h>
#include <string.h>

#include "recmessage.h"
#include "recpad.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ts_rec_mux_debug);
#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

enum
{
  PROP_0,
  PROP_PID,
  PROP_LANGUAGE,
  PROP_STREAM_NUMBER
};

G_DEFINE_TYPE (GstTsRecMuxPad, gst_ts_rec_mux_pad, GST_TYPE_PAD);

/* --- Properties */

/* Object lock held. */
static void
set_language (GstTsRecMuxPad *pad, const gchar *language)
{
  const gchar *code =
      language ? gst_tag_get_language_code_iso_639_2B (language) : NULL;

  if (code == NULL) /* a code that is not in the list, such as "qaa" */
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
    case PROP_PID:
      pad->wanted_pid = (guint16)g_value_get_uint (value);
      break;
    case PROP_LANGUAGE:
      set_language (pad, g_value_get_string (value));
      break;
    case PROP_STREAM_NUMBER:
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
    case PROP_PID:
      g_value_set_uint (value, pad->wanted_pid);
      break;
    case PROP_LANGUAGE:
      g_value_set_string (
          value, pad->wanted_language[0] ? pad->wanted_language : NULL);
      break;
    case PROP_STREAM_NUMBER:
      g_value_set_int (value, pad->stream_number);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (pad);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  /**
   * GstTsRecMuxPad:pid:
   *
   * PID of the track, 0x0020 to 0x1ffa (ISO/IEC 13818-1 table 2-3). 0: by the
   * name of the pad. Used when the track begins, unless something else is or
   * was on that PID; a warning then says which one is used. Any thread.
   */
  g_object_class_install_property (klass, PROP_PID,
      g_param_spec_uint ("pid", "PID",
          "PID of the track, 32 to 8186 (0 = by the name of the pad)", 0,
          0x1ffa, 0, flags));
  /**
   * GstTsRecMuxPad:language:
   *
   * Language of the track, an ISO 639 code of two or three letters, for the
   * ISO_639_language_descriptor (ISO/IEC 13818-1 2.6.18). Default: %NULL, which
   * takes it from the tags. Used when the track begins. Any thread.
   */
  g_object_class_install_property (klass, PROP_LANGUAGE,
      g_param_spec_string ("language", "Language",
          "Language of the track, an ISO 639 code (NULL = from the tags)", NULL,
          flags));
  /**
   * GstTsRecMuxPad:stream-number:
   *
   * Number of the track in the stream_id of its PES packets (ISO/IEC 13818-1
   * table 2-22): 0 to 15 for video, 0 to 31 for MPEG audio; without effect for
   * other tracks, which are private_stream_1. -1: tracks of a kind are counted
   * from 0. Used when the track begins. Any thread.
   */
  g_object_class_install_property (klass, PROP_STREAM_NUMBER,
      g_param_spec_int ("stream-number", "Stream number",
          "Number of the track in stream_id, 0 to 15 for video, 0 to 31 for "
          "audio (-1 = tracks of a kind are counted)",
          -1, 31, -1, flags));
}

/* --- The type */

static void
gst_ts_rec_mux_pad_init (GstTsRecMuxPad *pad)
{
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
  pad->queue = gst_queue_array_new_for_struct (sizeof (RecMuxItem), 16);
  pad->stream_number = -1;
  pad->position = TS_TIME_NONE;
  pad->patience = REC_MUX_PATIENCE;
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
  install_properties (object_class);
}

/* An element that never sent anything may be one that cannot: its own pads are
 * not linked. Once a stream has started, only the link counts. */
gboolean
gst_ts_rec_mux_pad_is_fed (GstTsRecMuxPad *pad)
{
  return pad->started ? rec_pad_is_linked (GST_PAD (pad))
                      : rec_pad_is_fed (GST_PAD (pad));
}

/* --- Links and caps */

/* The element that the user named: the bin that @mux is a part of, if it is
 * one. */
static const gchar *
get_shown_name (GstObject *mux)
{
  GstObject *parent = GST_OBJECT_PARENT (mux);

  return GST_OBJECT_NAME (parent && !GST_IS_PIPELINE (parent) ? parent : mux);
}

/* Posts the reason on the bus, and writes it to stderr as well: nothing reads
 * a bus while a launch line is parsed. */
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

/* Refuses a link to what could never be carried. A bin that shows @pad as a
 * ghost pad calls this with what is linked to that. */
GstPadLinkReturn
gst_ts_rec_mux_sink_link (GstPad *pad, GstObject *parent, GstPad *peer)
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

/* An unlinked pad takes anything, so that each link gets as far as
 * gst_ts_rec_mux_sink_link(). */
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
gst_ts_rec_mux_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
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
      /* What cannot be carried is refused without an error, which would stop
       * the other tracks of the source. */
      gst_query_set_accept_caps_result (query, TRUE);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      return FALSE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}
