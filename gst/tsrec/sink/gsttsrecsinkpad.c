/* gst-tsrec: the pads of tsrecsink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gsttsrecsinkpad.h"

#include "recpadproperties.h"

/**
 * GstTsRecSinkPad:
 * @query: query function of a ghost pad
 */
struct _GstTsRecSinkPad
{
  GstGhostPad parent;

  GstPadQueryFunction query;
};

G_DEFINE_TYPE (GstTsRecSinkPad, gst_ts_rec_sink_pad, GST_TYPE_GHOST_PAD);

/* --- Properties: those of the target --- */

static void
gst_ts_rec_sink_pad_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstPad *target = gst_ghost_pad_get_target (GST_GHOST_PAD (object));

  if (!target)
    return;
  g_object_set_property (G_OBJECT (target), pspec->name, value);
  gst_object_unref (target);
}

static void
gst_ts_rec_sink_pad_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstPad *target = gst_ghost_pad_get_target (GST_GHOST_PAD (object));

  if (!target)
    return;
  g_object_get_property (G_OBJECT (target), pspec->name, value);
  gst_object_unref (target);
}

/* --- Links and caps --- */

static GstPadLinkReturn
gst_ts_rec_sink_pad_link (GstPad *pad, GstObject *parent, GstPad *peer)
{
  GstPad *target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));
  GstPadLinkReturn ret = GST_PAD_LINK_OK;
  GstObject *mux;

  if (!target)
    return ret;
  mux = gst_object_get_parent (GST_OBJECT (target));
  if (mux && GST_PAD_LINKFUNC (target))
    ret = GST_PAD_LINKFUNC (target) (target, mux, peer);
  gst_clear_object (&mux);
  gst_object_unref (target);
  return ret;
}

/* A proxy pad answers ACCEPT_CAPS by its template. The mux accepts any caps,
 * and refuses a track without an error. */
static gboolean
gst_ts_rec_sink_pad_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstPad *target;
  gboolean ret;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS &&
      GST_QUERY_TYPE (query) != GST_QUERY_ACCEPT_CAPS)
    return GST_TS_REC_SINK_PAD (pad)->query (pad, parent, query);
  target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));
  if (!target)
    return GST_TS_REC_SINK_PAD (pad)->query (pad, parent, query);
  ret = gst_pad_query (target, query);
  gst_object_unref (target);
  return ret;
}

static void
gst_ts_rec_sink_pad_init (GstTsRecSinkPad *pad)
{
  pad->query = GST_PAD_QUERYFUNC (pad);
  gst_pad_set_query_function (GST_PAD (pad), gst_ts_rec_sink_pad_query);
}

static void
gst_ts_rec_sink_pad_class_init (GstTsRecSinkPadClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = gst_ts_rec_sink_pad_set_property;
  object_class->get_property = gst_ts_rec_sink_pad_get_property;
  rec_pad_properties_install (object_class);
}

GstPad *
gst_ts_rec_sink_pad_new (GstPadTemplate *templ, GstPad *target)
{
  GstPad *pad =
      g_object_new (GST_TYPE_TS_REC_SINK_PAD, "name", GST_OBJECT_NAME (target),
          "direction", GST_PAD_SINK, "template", templ, NULL);

  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), target);
  /* after the ghost pad has linked its target */
  gst_pad_set_link_function (pad, gst_ts_rec_sink_pad_link);
  return pad;
}
