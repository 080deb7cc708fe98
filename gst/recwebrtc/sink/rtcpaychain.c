/* gst-tsrec: one track that recwhipsink publishes, up to RTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcpaychain.h"
#include "rtcpeer.h"

#include <gst/video/video.h>

/**
 * Recipe:
 * @payload: dynamic payload type (RFC 3551 section 3)
 */
typedef struct
{
  const gchar *kind;
  const gchar *parser;
  const gchar *payloader;
  const gchar *caps;
  guint payload;
} Recipe;

/* clang-format off */
static const Recipe recipes[] = {
  { "video", "h264parse", "rtph264pay",
    "application/x-rtp, media=(string)video, encoding-name=(string)H264, "
    "clock-rate=(int)90000, payload=(int)96, packetization-mode=(string)1", 96 },
  { "audio", "opusparse", "rtpopuspay",
    "application/x-rtp, media=(string)audio, encoding-name=(string)OPUS, "
    "clock-rate=(int)48000, payload=(int)111", 111 },
};
/* clang-format on */

struct _RtcPayChain
{
  const Recipe *recipe;
  GstBin *bin;
  RtcPayChainCallbacks callbacks;
  gpointer user_data;

  GstElement *sync;
  GstElement *parse;
  GstElement *pay;
  GstElement *filter;
  GstPad *out;
  GstPad *webrtc_pad;

  GMutex lock;
  /* protected by lock */
  gboolean open;
  gboolean ready;
  gboolean eos;
  guint64 packets;
  guint64 bytes;
};

static GstPadProbeReturn
on_event (RtcPayChain *self, GstEvent *event)
{
  gboolean first;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      g_mutex_lock (&self->lock);
      first = !self->ready;
      self->ready = TRUE;
      g_mutex_unlock (&self->lock);
      if (first)
        self->callbacks.ready (self, self->user_data);
      return GST_PAD_PROBE_OK;
    case GST_EVENT_EOS:
      g_mutex_lock (&self->lock);
      self->eos = TRUE;
      g_mutex_unlock (&self->lock);
      self->callbacks.eos (self, self->user_data);
      /* EOS has no useful effect in the sinks of webrtcbin. The element posts
       * the EOS message. */
      return GST_PAD_PROBE_DROP;
    default:
      return GST_PAD_PROBE_OK;
  }
}

static GstPadProbeReturn
on_data (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  RtcPayChain *self = user_data;
  gboolean list =
      (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0;
  gboolean pass;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM)
    return on_event (self, GST_PAD_PROBE_INFO_EVENT (info));
  g_mutex_lock (&self->lock);
  pass = self->open;
  if (pass && list) {
    GstBufferList *buffers = GST_PAD_PROBE_INFO_BUFFER_LIST (info);

    self->packets += gst_buffer_list_length (buffers);
    self->bytes += gst_buffer_list_calculate_size (buffers);
  } else if (pass) {
    self->packets++;
    self->bytes += gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info));
  }
  g_mutex_unlock (&self->lock);
  return pass ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static GstElement *
add (RtcPayChain *self, const gchar *factory, GError **error)
{
  GstElement *element = rtc_peer_make (factory, error);

  if (element)
    gst_bin_add (self->bin, gst_object_ref (element));
  return element;
}

/* rtph264pay 1.22 reacts to this event with parameter sets in a packet of their
 * own with the marker bit. This is an access unit without a picture. The parser
 * inserts parameter sets before each key frame, so the event is not needed. */
static GstPadProbeReturn
drop_force_key_unit (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return gst_event_has_name (GST_PAD_PROBE_INFO_EVENT (info), "GstForceKeyUnit")
      ? GST_PAD_PROBE_DROP
      : GST_PAD_PROBE_OK;
}

static void
configure (RtcPayChain *self)
{
  GstPad *pad = gst_element_get_static_pad (self->pay, "sink");
  GstCaps *caps = gst_caps_from_string (self->recipe->caps);

  g_object_set (self->filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  g_object_set (self->pay, "pt", self->recipe->payload, NULL);
  if (g_str_equal (self->recipe->kind, "video")) {
    /* The parser inserts parameter sets before every key frame, because the
     * payloader would insert them before every slice. "zero-latency" does not
     * wait for the next access unit to find the end of the current one. */
    g_object_set (self->parse, "config-interval", -1, NULL);
    gst_util_set_object_arg (
        G_OBJECT (self->pay), "aggregate-mode", "zero-latency");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        drop_force_key_unit, NULL, NULL);
  }
  gst_object_unref (pad);
}

RtcPayChain *
rtc_pay_chain_new (GstBin *bin, const gchar *kind,
    const RtcPayChainCallbacks *callbacks, gpointer user_data, GError **error)
{
  RtcPayChain *self = g_new0 (RtcPayChain, 1);

  g_mutex_init (&self->lock);
  self->recipe = g_str_equal (kind, "video") ? &recipes[0] : &recipes[1];
  self->bin = bin;
  self->callbacks = *callbacks;
  self->user_data = user_data;
  if (!(self->sync = add (self, "clocksync", error)) ||
      !(self->parse = add (self, self->recipe->parser, error)) ||
      !(self->pay = add (self, self->recipe->payloader, error)) ||
      !(self->filter = add (self, "capsfilter", error)))
    goto failed;
  configure (self);
  gst_element_link_many (
      self->sync, self->parse, self->pay, self->filter, NULL);
  self->out = gst_element_get_static_pad (self->filter, "src");
  gst_pad_add_probe (self->out,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
          GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      on_data, self, NULL);
  return self;

  /* ERRORS */
failed:
  rtc_pay_chain_free (self);
  return NULL;
}

static void
drop (RtcPayChain *self, GstElement *element)
{
  if (!element)
    return;
  gst_element_set_locked_state (element, TRUE);
  gst_element_set_state (element, GST_STATE_NULL);
  /* A disposed bin has removed the element already. */
  if (GST_OBJECT_PARENT (element) == GST_OBJECT (self->bin))
    gst_bin_remove (self->bin, element);
  gst_object_unref (element);
}

void
rtc_pay_chain_free (RtcPayChain *self)
{
  if (!self)
    return;
  drop (self, self->sync);
  drop (self, self->parse);
  drop (self, self->pay);
  drop (self, self->filter);
  gst_clear_object (&self->webrtc_pad);
  gst_clear_object (&self->out);
  g_mutex_clear (&self->lock);
  g_free (self);
}

const gchar *
rtc_pay_chain_get_kind (RtcPayChain *self)
{
  return self->recipe->kind;
}

GstPad *
rtc_pay_chain_get_sink_pad (RtcPayChain *self)
{
  return gst_element_get_static_pad (self->sync, "sink");
}

gboolean
rtc_pay_chain_link (RtcPayChain *self, GstElement *webrtc)
{
  GstWebRTCRTPTransceiver *transceiver = NULL;
  GstCaps *caps = gst_caps_from_string (self->recipe->caps);
  gboolean ok;

  self->webrtc_pad = gst_element_request_pad_simple (webrtc, "sink_%u");
  ok = self->webrtc_pad &&
      gst_pad_link (self->out, self->webrtc_pad) == GST_PAD_LINK_OK;
  if (ok)
    g_object_get (self->webrtc_pad, "transceiver", &transceiver, NULL);
  if (transceiver) {
    g_object_set (transceiver, "direction",
        GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY, "codec-preferences",
        caps, "do-nack", TRUE, NULL);
    gst_object_unref (transceiver);
  }
  gst_caps_unref (caps);
  return ok;
}

void
rtc_pay_chain_unlink (RtcPayChain *self, GstElement *webrtc)
{
  if (!self->webrtc_pad)
    return;
  gst_pad_unlink (self->out, self->webrtc_pad);
  gst_element_release_request_pad (webrtc, self->webrtc_pad);
  gst_clear_object (&self->webrtc_pad);
}

void
rtc_pay_chain_open (RtcPayChain *self)
{
  g_mutex_lock (&self->lock);
  self->open = TRUE;
  g_mutex_unlock (&self->lock);
  if (g_str_equal (self->recipe->kind, "video"))
    gst_pad_send_event (self->out,
        gst_video_event_new_upstream_force_key_unit (
            GST_CLOCK_TIME_NONE, TRUE, 0));
}

void
rtc_pay_chain_close (RtcPayChain *self)
{
  g_mutex_lock (&self->lock);
  self->open = FALSE;
  g_mutex_unlock (&self->lock);
}

gboolean
rtc_pay_chain_is_ready (RtcPayChain *self)
{
  gboolean ready;

  g_mutex_lock (&self->lock);
  ready = self->ready;
  g_mutex_unlock (&self->lock);
  return ready;
}

gboolean
rtc_pay_chain_is_eos (RtcPayChain *self)
{
  gboolean eos;

  g_mutex_lock (&self->lock);
  eos = self->eos;
  g_mutex_unlock (&self->lock);
  return eos;
}

void
rtc_pay_chain_reset (RtcPayChain *self)
{
  g_mutex_lock (&self->lock);
  self->open = self->ready = self->eos = FALSE;
  g_mutex_unlock (&self->lock);
}

void
rtc_pay_chain_get_stats (RtcPayChain *self, guint64 *packets, guint64 *bytes)
{
  g_mutex_lock (&self->lock);
  *packets = self->packets;
  *bytes = self->bytes;
  g_mutex_unlock (&self->lock);
}
