/* gst-tsrec: talking to webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcpeer.h"
#include "rtcice.h"
#include "rtcsdp.h"

GstElement *
rtc_peer_make (const gchar *factory, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (!element)
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "The element \"%s\" is missing. Install the GStreamer plugin that has "
        "it (Debian: gstreamer1.0-plugins-good, -bad and gstreamer1.0-nice).",
        factory);
  return element;
}

gboolean
rtc_peer_run (GstElement *webrtc, const gchar *action,
    GstWebRTCSessionDescription *description, GstWebRTCSessionDescription **out,
    GError **error)
{
  GstPromise *promise = gst_promise_new ();
  const GstStructure *reply;
  GError *reason = NULL;
  gboolean ok;

  g_signal_emit_by_name (webrtc, action, description, promise);
  ok = gst_promise_wait (promise) == GST_PROMISE_RESULT_REPLIED;
  reply = ok ? gst_promise_get_reply (promise) : NULL;
  if (reply && gst_structure_has_field (reply, "error"))
    gst_structure_get (reply, "error", G_TYPE_ERROR, &reason, NULL);
  if (ok && !reason && out)
    ok = reply &&
        gst_structure_get (reply,
            g_str_equal (action, "create-answer") ? "answer" : "offer",
            GST_TYPE_WEBRTC_SESSION_DESCRIPTION, out, NULL);
  gst_promise_unref (promise);
  if (ok && !reason)
    return TRUE;
  g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE,
      "webrtcbin refused the session description (%s): %s", action,
      reason ? reason->message : "no reply");
  g_clear_error (&reason);
  return FALSE;
}

/* webrtcbin refuses m-lines whose fingerprints differ, as those of a peer with
 * a certificate for each transport do, and checks none of them. */
static void
unify_fingerprints (GstSDPMessage *sdp)
{
  gchar *first = NULL;
  guint i, j;

  for (i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    GstSDPMedia *media = (GstSDPMedia *)gst_sdp_message_get_media (sdp, i);
    const gchar *value = gst_sdp_media_get_attribute_val (media, "fingerprint");

    if (!value)
      continue;
    if (!first)
      first = g_strdup (value);
    for (j = gst_sdp_media_attributes_len (media); j-- > 0;)
      if (g_str_equal (
              gst_sdp_media_get_attribute (media, j)->key, "fingerprint"))
        gst_sdp_media_remove_attribute (media, j);
    gst_sdp_media_add_attribute (media, "fingerprint", first);
  }
  g_free (first);
}

gboolean
rtc_peer_set_remote (GstElement *webrtc, GstWebRTCSDPType type,
    GstSDPMessage *sdp, GError **error)
{
  GstWebRTCSessionDescription *description;
  gboolean ok;

  unify_fingerprints (sdp);
  description = gst_webrtc_session_description_new (type, sdp);
  ok =
      rtc_peer_run (webrtc, "set-remote-description", description, NULL, error);
  gst_webrtc_session_description_free (description);
  return ok;
}

void
rtc_peer_configure (
    GstElement *webrtc, const gchar *stun_server, const gchar *turn_server)
{
  /* With another policy Chromium rejects the answer. */
  gst_util_set_object_arg (G_OBJECT (webrtc), "bundle-policy", "max-bundle");
  if (stun_server)
    g_object_set (webrtc, "stun-server", stun_server, NULL);
  if (turn_server)
    g_object_set (webrtc, "turn-server", turn_server, NULL);
  rtc_ice_prepare (webrtc);
}

gchar *
rtc_peer_get_offer (GstElement *webrtc)
{
  GstWebRTCSessionDescription *local = NULL;
  gchar *text;

  g_object_get (webrtc, "local-description", &local, NULL);
  if (!local)
    return NULL;
  text = rtc_sdp_offer_text (local->sdp);
  gst_webrtc_session_description_free (local);
  return text;
}

gboolean
rtc_peer_is_gathered (GstElement *webrtc)
{
  GstWebRTCICEGatheringState state;

  g_object_get (webrtc, "ice-gathering-state", &state, NULL);
  return state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE;
}

const gchar *
rtc_peer_dtls_state_name (GstWebRTCDTLSTransportState state)
{
  static const gchar *const names[] = { "new", "closed", "failed", "connecting",
    "connected" };

  return (guint)state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}

#define OWNER "rec-owner"

void
rtc_peer_set_owner (GstElement *element, gpointer owner)
{
  g_object_set_data (G_OBJECT (element), OWNER, owner);
}

gboolean
rtc_peer_has_owner (GstObject *object, gpointer owner)
{
  GstObject *current = gst_object_ref (object);
  gboolean owned = FALSE;

  while (current) {
    GstObject *parent;

    owned = g_object_get_data (G_OBJECT (current), OWNER) == owner;
    parent = owned ? NULL : gst_object_get_parent (current);
    gst_object_unref (current);
    current = parent;
  }
  return owned;
}
