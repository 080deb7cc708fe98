/* gst-tsrec: from RTP to access units, for one track of a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcdepaychain.h"

#include "gstrtch264depay.h"
#include "gstrtcpacketfilter.h"
#include "gstrtcpicturefilter.h"
#include "rtcpeer.h"
#include "gstrtcstreamselect.h"

/**
 * RtcDepayChain:
 * @bin: the source
 * @out: sink pad that the chain is linked to
 *
 * select ! packet filter ! depayloader ! picture filter (capsfilter ! parser)
 */
struct _RtcDepayChain
{
  GstBin *bin;
  gpointer owner;
  const RtcSdpCodec *codec;
  GstPad *out;
  GstRtcStreamSelect *select;
  GstElement *packet_filter;
  GstElement *depay;
  GstElement *picture_filter;
  RtcDepayChainCounters *counters;
};

static void
set_if_there (GstElement *element, const gchar *property, gint value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), property))
    g_object_set (element, property, value, NULL);
}

/* --- elements --- */

/* Sinks @element and returns a reference that the chain owns. */
static GstElement *
add (RtcDepayChain *self, GstElement *element)
{
  gst_bin_add (self->bin, gst_object_ref (element));
  return element;
}

static void
set_not_linked (RtcDepayChain *self, GError **error)
{
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
      "Could not link the elements for %s.", self->codec->name);
}

/* Ours for H.264: that of GStreamer makes objects of every NAL unit, and copies
 * it three times. */
static gboolean
make_depayloader (RtcDepayChain *self, GError **error)
{
  GstElement *depay;

  if (g_str_equal (self->codec->name, "H264")) {
    depay =
        gst_rtc_h264_depay_new (self->codec->caps, &self->counters->malformed);
    self->depay = add (self, depay);
    return TRUE;
  }
  depay = rtc_peer_make (self->codec->depayloader, error);
  if (!depay)
    return FALSE;
  rtc_peer_set_owner (depay, self->owner);
  /* After a pause the first packet of the key frame is easily lost, and
   * nothing else requests another one. */
  if (rtc_depay_chain_is_video (self))
    set_if_there (depay, "request-keyframe", TRUE);
  self->depay = add (self, depay);
  return TRUE;
}

static GstElement *
make_capsfilter (RtcDepayChain *self, GError **error)
{
  GstElement *filter = rtc_peer_make ("capsfilter", error);
  GstCaps *caps;

  if (!filter)
    return NULL;
  rtc_peer_set_owner (filter, self->owner);
  caps = gst_caps_from_string (self->codec->caps);
  g_object_set (filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  return filter;
}

/* The parser has no owner: its errors do not end the session, as the picture
 * filter handles them. */
static gboolean
make_picture_filter (RtcDepayChain *self, gboolean freeze, GError **error)
{
  GstElement *filter, *parser = NULL;
  GstRtcPictureFilter *pictures;

  if (!(filter = make_capsfilter (self, error)))
    return FALSE;
  if (self->codec->parser &&
      !(parser = rtc_peer_make (self->codec->parser, error))) {
    gst_object_unref (filter);
    return FALSE;
  }
  /* Parameter sets in front of every key frame: playback can begin there. */
  if (parser)
    set_if_there (parser, "config-interval", -1);
  pictures = gst_rtc_picture_filter_new (self->codec, filter, parser, freeze,
      &self->counters->held_back, &self->counters->malformed);
  if (!pictures) {
    set_not_linked (self, error);
    return FALSE;
  }
  self->picture_filter = add (self, GST_ELEMENT (pictures));
  return TRUE;
}

static gboolean
add_elements (RtcDepayChain *self, gboolean freeze, GError **error)
{
  self->select =
      gst_rtc_stream_select_new (self->codec->name, &self->counters->ignored);
  add (self, GST_ELEMENT (self->select));
  if (!make_depayloader (self, error) ||
      !make_picture_filter (self, freeze, error))
    return FALSE;
  self->packet_filter = add (self,
      GST_ELEMENT (gst_rtc_packet_filter_new (self->codec,
          GST_RTC_PICTURE_FILTER (self->picture_filter),
          &self->counters->malformed)));
  return TRUE;
}

static gboolean
link_elements (RtcDepayChain *self)
{
  GstElement *select = GST_ELEMENT (self->select);
  GstPad *src = gst_element_get_static_pad (self->picture_filter, "src");
  gboolean ok = gst_element_link_many (select, self->packet_filter, self->depay,
                    self->picture_filter, NULL) &&
      gst_pad_link (src, self->out) == GST_PAD_LINK_OK;

  gst_object_unref (src);
  if (!ok)
    return FALSE;
  gst_element_sync_state_with_parent (self->picture_filter);
  gst_element_sync_state_with_parent (self->depay);
  gst_element_sync_state_with_parent (self->packet_filter);
  gst_element_sync_state_with_parent (select);
  return TRUE;
}

RtcDepayChain *
rtc_depay_chain_new (GstBin *bin, gpointer owner, const RtcSdpTrack *track,
    GstPad *out, gboolean freeze, RtcDepayChainCounters *counters,
    GError **error)
{
  RtcDepayChain *self = g_new0 (RtcDepayChain, 1);

  self->bin = bin;
  self->owner = owner;
  self->codec = track->codec;
  self->counters = counters;
  self->out = gst_object_ref (out);
  if (!add_elements (self, freeze, error))
    goto failed;
  if (!link_elements (self))
    goto not_linked;
  return self;

  /* ERRORS */
not_linked:
  set_not_linked (self, error);
failed:
  rtc_depay_chain_free (self);
  return NULL;
}

static void
drop (RtcDepayChain *self, GstElement *element)
{
  if (!element)
    return;
  gst_element_set_locked_state (element, TRUE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bin_remove (self->bin, element);
  gst_object_unref (element);
}

void
rtc_depay_chain_free (RtcDepayChain *self)
{
  GstPad *peer;

  if (!self)
    return;
  peer = gst_pad_get_peer (self->out);
  if (peer) {
    gst_pad_unlink (peer, self->out);
    gst_object_unref (peer);
  }
  drop (self, (GstElement *)self->select);
  drop (self, self->packet_filter);
  drop (self, self->depay);
  drop (self, self->picture_filter);
  gst_object_unref (self->out);
  g_free (self);
}

gboolean
rtc_depay_chain_is_video (RtcDepayChain *self)
{
  return g_str_equal (self->codec->media, "video");
}

GstPad *
rtc_depay_chain_add_stream (RtcDepayChain *self, guint rank)
{
  return gst_rtc_stream_select_add_stream (self->select, rank);
}

gboolean
rtc_depay_chain_is_recorded (RtcDepayChain *self, GstPad *pad)
{
  return gst_rtc_stream_select_is_chosen (self->select, pad);
}

void
rtc_depay_chain_set_rank (RtcDepayChain *self, GstPad *pad, guint rank)
{
  gst_rtc_stream_select_set_rank (self->select, pad, rank);
}

void
rtc_depay_chain_remove_stream (RtcDepayChain *self, GstPad *pad)
{
  gst_rtc_stream_select_remove_stream (self->select, pad);
}

GstPad *
rtc_depay_chain_get_event_pad (RtcDepayChain *self)
{
  return gst_element_get_static_pad (GST_ELEMENT (self->select), "src");
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

static const gchar *
find_missing (const RtcSdpCodec *codec)
{
  if (!has_factory (codec->depayloader))
    return codec->depayloader;
  return codec->parser && !has_factory (codec->parser) ? codec->parser : NULL;
}

void
rtc_depay_chain_keep_available (const RtcSdpCodec **codecs, GString *missing)
{
  const gchar *element;
  guint i, n = 0;

  for (i = 0; codecs[i]; i++) {
    if (!(element = find_missing (codecs[i])))
      codecs[n++] = codecs[i];
    else
      g_string_append_printf (missing, "%s%s (%s)", missing->len ? ", " : "",
          codecs[i]->name, element);
  }
  codecs[n] = NULL;
}
