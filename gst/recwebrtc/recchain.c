/* gst-tsrec: from RTP to access units, for one track of a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recchain.h"
#include "webrtcutil.h"

struct _RecChain
{
  GstBin *bin;
  gpointer owner;
  SdpTrack track;
  GstPad *out;
  GstElement *depay;
  GstElement *filter;
  GstElement *parse;
};

static void
set_if_there (GstElement *element, const gchar *property, gint value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), property))
    g_object_set (element, property, value, NULL);
}

static GstElement *
add (RecChain *self, const gchar *factory, GError **error)
{
  GstElement *element = webrtc_util_make (factory, error);

  if (!element)
    return NULL;
  webrtc_util_set_owner (element, self->owner);
  gst_bin_add (self->bin, gst_object_ref (element));
  return element;
}

static gboolean
add_elements (RecChain *self, gboolean freeze, GError **error)
{
  const SdpCodec *codec = self->track.codec;
  GstCaps *caps;

  if (!(self->depay = add (self, codec->depayloader, error)) ||
      !(self->filter = add (self, "capsfilter", error)) ||
      (codec->parser && !(self->parse = add (self, codec->parser, error))))
    return FALSE;
  if (rec_chain_is_video (self)) {
    /* After a pause the first packet of the key frame is easily lost, and
     * nobody else asks for another. */
    set_if_there (self->depay, "request-keyframe", TRUE);
    set_if_there (self->depay, "wait-for-keyframe", freeze);
  }
  caps = gst_caps_from_string (codec->caps);
  g_object_set (self->filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  /* Parameter sets in front of every key frame: one can begin there. */
  if (self->parse)
    set_if_there (self->parse, "config-interval", -1);
  return TRUE;
}

static gboolean
link_elements (RecChain *self)
{
  GstElement *last = self->parse ? self->parse : self->filter;
  GstPad *src = gst_element_get_static_pad (last, "src");
  gboolean ok = gst_element_link (self->depay, self->filter) &&
      (!self->parse || gst_element_link (self->filter, self->parse)) &&
      gst_pad_link (src, self->out) == GST_PAD_LINK_OK;

  gst_object_unref (src);
  if (!ok)
    return FALSE;
  if (self->parse)
    gst_element_sync_state_with_parent (self->parse);
  gst_element_sync_state_with_parent (self->filter);
  gst_element_sync_state_with_parent (self->depay);
  return TRUE;
}

RecChain *
rec_chain_new (GstBin *bin, gpointer owner, const SdpTrack *track, GstPad *out,
    gboolean freeze, GError **error)
{
  RecChain *self = g_new0 (RecChain, 1);

  self->bin = bin;
  self->owner = owner;
  self->track = *track;
  self->out = gst_object_ref (out);
  if (!add_elements (self, freeze, error))
    goto failed;
  if (!link_elements (self))
    goto not_linked;
  return self;

  /* ERRORS */
not_linked:
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
      "Could not link the elements for %s.", track->codec->name);
failed:
  rec_chain_free (self);
  return NULL;
}

static void
drop (RecChain *self, GstElement *element)
{
  if (!element)
    return;
  gst_element_set_locked_state (element, TRUE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bin_remove (self->bin, element);
  gst_object_unref (element);
}

void
rec_chain_free (RecChain *self)
{
  GstPad *peer;

  if (!self)
    return;
  peer = gst_pad_get_peer (self->out);
  if (peer) {
    gst_pad_unlink (peer, self->out);
    gst_object_unref (peer);
  }
  drop (self, self->depay);
  drop (self, self->filter);
  drop (self, self->parse);
  gst_object_unref (self->out);
  g_free (self);
}

const SdpTrack *
rec_chain_get_track (RecChain *self)
{
  return &self->track;
}

gboolean
rec_chain_is_video (RecChain *self)
{
  return g_str_equal (self->track.codec->media, "video");
}

GstPad *
rec_chain_get_sink_pad (RecChain *self)
{
  return gst_element_get_static_pad (self->depay, "sink");
}

static gboolean
has_factory (const gchar *name)
{
  GstElementFactory *factory = gst_element_factory_find (name);

  if (!factory)
    return FALSE;
  gst_object_unref (factory);
  return TRUE;
}

gboolean
rec_chain_is_available (const SdpCodec *codec)
{
  return has_factory (codec->depayloader) &&
      (!codec->parser || has_factory (codec->parser));
}
