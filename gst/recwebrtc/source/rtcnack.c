/* gst-tsrec: retransmission requests per track of a webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcnack.h"

#include <stdlib.h>

GST_DEBUG_CATEGORY_STATIC (rtc_nack_debug);
#define GST_CAT_DEFAULT rtc_nack_debug

struct _RtcNack
{
  GstElement *rtpbin;
  gboolean video;
  gboolean audio;

  GMutex lock;
  /* under lock */
  GHashTable *wanted;  /* SSRC named in the offer: GINT_TO_POINTER (gboolean) */
  GHashTable *buffers; /* SSRC: rtpjitterbuffer */
};

static void
ensure_debug_category (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (
        rtc_nack_debug, "recretransmit", 0, "retransmission per track");
    g_once_init_leave (&once, 1);
  }
}

/* Reads a=ssrc:<ssrc-id> <attribute> lines (RFC 5576 section 4.1), including
 * those of the retransmission stream, which has no jitter buffer. */
static void
note_ssrcs (RtcNack *self, const GstSDPMedia *media, gboolean wanted)
{
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);
    guint32 ssrc;

    if (!g_str_equal (attribute->key, "ssrc") || !attribute->value)
      continue;
    ssrc = strtoul (attribute->value, NULL, 10);
    g_hash_table_insert (
        self->wanted, GUINT_TO_POINTER (ssrc), GINT_TO_POINTER (wanted));
  }
}

static void
on_new_jitterbuffer (GstElement *rtpbin, GstElement *buffer, guint session,
    guint ssrc, RtcNack *self)
{
  gpointer wanted = NULL;

  g_mutex_lock (&self->lock);
  g_hash_table_insert (
      self->buffers, GUINT_TO_POINTER (ssrc), gst_object_ref (buffer));
  g_hash_table_lookup_extended (
      self->wanted, GUINT_TO_POINTER (ssrc), NULL, &wanted);
  g_mutex_unlock (&self->lock);
  GST_INFO_OBJECT (buffer, "SSRC %u: retransmission %s", ssrc,
      wanted ? "on" : "off until its track is known");
  g_object_set (buffer, "do-retransmission", GPOINTER_TO_INT (wanted), NULL);
}

static gboolean
is_buffer (gpointer ssrc, gpointer buffer, gpointer element)
{
  return buffer == element;
}

/* The stream has ended. */
static void
on_element_removed (GstBin *rtpbin, GstElement *element, RtcNack *self)
{
  g_mutex_lock (&self->lock);
  g_hash_table_foreach_remove (self->buffers, is_buffer, element);
  g_mutex_unlock (&self->lock);
}

RtcNack *
rtc_nack_new (GstElement *webrtc, const GstSDPMessage *offer,
    const RtcSdpChoice *choice, gboolean video, gboolean audio)
{
  RtcNack *self = g_new0 (RtcNack, 1);

  ensure_debug_category ();
  g_mutex_init (&self->lock);
  self->video = video;
  self->audio = audio;
  self->wanted = g_hash_table_new (NULL, NULL);
  self->buffers = g_hash_table_new_full (NULL, NULL, NULL, gst_object_unref);
  if (choice->video.codec)
    note_ssrcs (
        self, gst_sdp_message_get_media (offer, choice->video.media), video);
  if (choice->audio.codec)
    note_ssrcs (
        self, gst_sdp_message_get_media (offer, choice->audio.media), audio);
  self->rtpbin = gst_bin_get_by_name (GST_BIN (webrtc), "rtpbin");
  if (self->rtpbin) {
    g_signal_connect (self->rtpbin, "new-jitterbuffer",
        G_CALLBACK (on_new_jitterbuffer), self);
    g_signal_connect (
        self->rtpbin, "element-removed", G_CALLBACK (on_element_removed), self);
  }
  return self;
}

/* The caps of a pad after rtpssrcdemux contain its SSRC. */
static gboolean
get_ssrc (GstPad *pad, guint *ssrc)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  gboolean known;

  if (!caps)
    return FALSE;
  known =
      gst_structure_get_uint (gst_caps_get_structure (caps, 0), "ssrc", ssrc);
  gst_caps_unref (caps);
  return known;
}

void
rtc_nack_pad_added (RtcNack *self, GstPad *pad, gboolean is_video)
{
  gboolean wanted = is_video ? self->video : self->audio;
  GstElement *buffer = NULL;
  guint ssrc;

  if (!get_ssrc (pad, &ssrc)) {
    GST_WARNING_OBJECT (pad, "has no SSRC in its caps: no retransmission");
    return;
  }
  g_mutex_lock (&self->lock);
  buffer = g_hash_table_lookup (self->buffers, GUINT_TO_POINTER (ssrc));
  if (buffer)
    gst_object_ref (buffer);
  g_mutex_unlock (&self->lock);
  if (!buffer)
    return;
  GST_INFO_OBJECT (buffer, "SSRC %u is %s: retransmission %s", ssrc,
      is_video ? "video" : "audio", wanted ? "on" : "off");
  g_object_set (buffer, "do-retransmission", wanted, NULL);
  gst_object_unref (buffer);
}

void
rtc_nack_free (RtcNack *self)
{
  if (!self)
    return;
  if (self->rtpbin)
    g_signal_handlers_disconnect_by_data (self->rtpbin, self);
  gst_clear_object (&self->rtpbin);
  g_hash_table_unref (self->wanted);
  g_hash_table_unref (self->buffers);
  g_mutex_clear (&self->lock);
  g_free (self);
}
