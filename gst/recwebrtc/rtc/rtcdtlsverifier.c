/* gst-tsrec: verification of the DTLS certificate of a peer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcdtlsverifier.h"
#include "rtcsdpfingerprint.h"

GST_DEBUG_CATEGORY_STATIC (rtc_dtls_verifier_debug);
#define GST_CAT_DEFAULT rtc_dtls_verifier_debug

typedef enum
{
  UNKNOWN,
  VERIFIED,
  REFUSED
} Verdict;

/**
 * Transport:
 * @verdict: a Verdict, atomic
 * @media: index of the m-line of the transport
 */
typedef struct
{
  RtcDtlsVerifier *peer;
  gint verdict;
  guint media;
} Transport;

struct _RtcDtlsVerifier
{
  gatomicrefcount refcount;
  GstElement *webrtc;
  RtcDtlsVerifierRefusedFunc refused;
  gpointer user_data;
  GDestroyNotify destroy;

  GMutex lock;
  /* protected by lock */
  GstSDPMessage *remote;
  guint n_verified;
  gboolean any_refused;
};

static void
peer_unref (RtcDtlsVerifier *self)
{
  if (!g_atomic_ref_count_dec (&self->refcount))
    return;
  if (self->remote)
    gst_sdp_message_free (self->remote);
  if (self->destroy)
    self->destroy (self->user_data);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* The reference-counted box frees the memory. */
static void
transport_clear (gpointer data)
{
  Transport *transport = data;

  peer_unref (transport->peer);
}

static void
transport_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, transport_clear);
}

static void
transport_unref_closure (gpointer data, GClosure *closure)
{
  transport_unref (data);
}

/* --- on threads of webrtcbin --- */

static gboolean
is_allowed (RtcDtlsVerifier *self, guint media, const gchar *pem)
{
  gchar **fingerprints = NULL;
  gboolean allowed;

  g_mutex_lock (&self->lock);
  if (self->remote)
    fingerprints = rtc_sdp_fingerprint_list (self->remote, media);
  g_mutex_unlock (&self->lock);
  allowed = fingerprints &&
      rtc_sdp_fingerprint_matches ((const gchar *const *)fingerprints, pem);
  g_strfreev (fingerprints);
  return allowed;
}

static void
note_verified (RtcDtlsVerifier *self)
{
  g_mutex_lock (&self->lock);
  self->n_verified++;
  g_mutex_unlock (&self->lock);
}

static void
note_refused (RtcDtlsVerifier *self)
{
  gboolean first;

  g_mutex_lock (&self->lock);
  first = !self->any_refused;
  self->any_refused = TRUE;
  g_mutex_unlock (&self->lock);
  if (first)
    self->refused (self->user_data);
}

/* Called in the handshake for each certificate of the chain. The certificate of
 * the peer itself cannot be identified here, and an attacker may choose the
 * order of the chain. Therefore each certificate must be allowed. One that is
 * not closes the transport permanently. Real peers send a single certificate. */
static void
on_peer_pem (GstElement *dec, GParamSpec *pspec, gpointer user_data)
{
  Transport *transport = user_data;
  gchar *pem = NULL;

  g_object_get (dec, "peer-pem", &pem, NULL);
  if (!pem)
    return;
  if (!is_allowed (transport->peer, transport->media, pem)) {
    GST_WARNING_OBJECT (dec,
        "transport %u: the certificate does not match the fingerprint",
        transport->media);
    g_atomic_int_set (&transport->verdict, REFUSED);
    note_refused (transport->peer);
  } else if (g_atomic_int_compare_and_exchange (
                 &transport->verdict, UNKNOWN, VERIFIED)) {
    GST_DEBUG_OBJECT (dec, "transport %u: verified", transport->media);
    note_verified (transport->peer);
  }
  g_free (pem);
}

static GstPadProbeReturn
hold (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Transport *transport = user_data;

  return g_atomic_int_get (&transport->verdict) == VERIFIED
      ? GST_PAD_PROBE_OK
      : GST_PAD_PROBE_DROP;
}

static void
hold_pad (GstElement *dec, const gchar *name, Transport *transport)
{
  GstPad *pad = gst_element_get_static_pad (dec, name);

  if (!pad)
    return;
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, hold,
      g_atomic_rc_box_acquire (transport), transport_unref);
  gst_object_unref (pad);
}

/* Returns the index of the m-line of @dec, which is the session-id of the stream
 * of its bin. Returns G_MAXUINT if it is unknown. */
static guint
find_media (GstElement *dec)
{
  GstObject *bin = gst_object_get_parent (GST_OBJECT (dec));
  GObject *stream = NULL;
  guint media = G_MAXUINT;

  if (bin && g_object_class_find_property (G_OBJECT_GET_CLASS (bin), "stream"))
    g_object_get (bin, "stream", &stream, NULL);
  if (stream &&
      g_object_class_find_property (G_OBJECT_GET_CLASS (stream), "session-id"))
    g_object_get (stream, "session-id", &media, NULL);
  g_clear_object (&stream);
  g_clear_pointer (&bin, gst_object_unref);
  return media;
}

static void
on_deep_element_added (
    GstBin *webrtc, GstBin *sub_bin, GstElement *element, RtcDtlsVerifier *self)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  Transport *transport;

  if (!factory || g_strcmp0 (GST_OBJECT_NAME (factory), "dtlssrtpdec") != 0)
    return;
  transport = g_atomic_rc_box_new0 (Transport);
  g_atomic_ref_count_inc (&self->refcount);
  transport->peer = self;
  transport->media = find_media (element);
  hold_pad (element, "rtp_src", transport);
  hold_pad (element, "rtcp_src", transport);
  hold_pad (element, "data_src", transport);
  g_signal_connect_data (element, "notify::peer-pem", G_CALLBACK (on_peer_pem),
      g_atomic_rc_box_acquire (transport), transport_unref_closure, 0);
  transport_unref (transport);
}

/* --- life --- */

RtcDtlsVerifier *
rtc_dtls_verifier_new (GstElement *webrtc, RtcDtlsVerifierRefusedFunc refused,
    gpointer user_data, GDestroyNotify destroy)
{
  static gsize once = 0;
  RtcDtlsVerifier *self = g_new0 (RtcDtlsVerifier, 1);

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (
        rtc_dtls_verifier_debug, "recpeer", 0, "certificate of a WebRTC peer");
    g_once_init_leave (&once, 1);
  }
  g_atomic_ref_count_init (&self->refcount);
  g_mutex_init (&self->lock);
  self->webrtc = gst_object_ref (webrtc);
  self->refused = refused;
  self->user_data = user_data;
  self->destroy = destroy;
  g_signal_connect (
      webrtc, "deep-element-added", G_CALLBACK (on_deep_element_added), self);
  return self;
}

void
rtc_dtls_verifier_unref (RtcDtlsVerifier *self)
{
  if (!self)
    return;
  g_signal_handlers_disconnect_by_data (self->webrtc, self);
  gst_clear_object (&self->webrtc);
  peer_unref (self);
}

void
rtc_dtls_verifier_set_remote (
    RtcDtlsVerifier *self, const GstSDPMessage *remote)
{
  GstSDPMessage *copy = NULL;

  gst_sdp_message_copy (remote, &copy);
  g_mutex_lock (&self->lock);
  if (self->remote)
    gst_sdp_message_free (self->remote);
  self->remote = copy;
  g_mutex_unlock (&self->lock);
}

gboolean
rtc_dtls_verifier_is_verified (RtcDtlsVerifier *self)
{
  gboolean verified;

  g_mutex_lock (&self->lock);
  verified = self->n_verified > 0 && !self->any_refused;
  g_mutex_unlock (&self->lock);
  return verified;
}
