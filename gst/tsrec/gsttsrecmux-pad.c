/* gst-tsrec: tsrecmux, its sink pads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The type of the pads, the links that they refuse, and what they answer about
 * caps.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include "recmessage.h"
#include "recpad.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ts_rec_mux_debug);
#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

G_DEFINE_TYPE (GstTsRecMuxPad, gst_ts_rec_mux_pad, GST_TYPE_PAD);

static void
gst_ts_rec_mux_pad_init (GstTsRecMuxPad *pad)
{
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
  pad->queue = gst_queue_array_new_for_struct (sizeof (RecMuxItem), 16);
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
  G_OBJECT_CLASS (klass)->finalize = gst_ts_rec_mux_pad_finalize;
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
  gchar *reason = rec_codec_get_link_problem (
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
    caps = rec_codec_get_carried_caps (
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
