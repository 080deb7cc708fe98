/* gst-tsrec: WHEP client that receives a stream from a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recwhepsrc
 * @title: recwhepsrc
 * @short_description: WHEP client: pulls a stream from an SFU
 * @see_also: recwhipsrc, tsrecsink
 *
 * Requests a stream from a WHEP server (draft-ietf-wish-whep). As in #recwhipsrc,
 * the pads `video` and `audio` always exist, and stay when a session ends. If the
 * server cannot be reached, has no stream yet or ends the session, the element
 * tries again for `retry-timeout`. The interval between attempts grows from 0.1 s
 * to 5 s. With `on-disconnect=eos`, the end of a session ends the stream. The
 * messages are those of #recwhipsrc, `recwhip-connected` and
 * `recwhip-disconnected`. Servers that make the offer themselves (status 406 with
 * an offer in the body) are not supported.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e \
 *     recwhepsrc name=w location=http://127.0.0.1:8889/stream/whep ! \
 *     h264parse ! tsrecsink name=rec location=rec.ts \
 *     w.audio ! opusparse ! rec.
 * ]|
 */

#include "config.h"

#include "gstrecwhepsrc.h"
#include "rtcproperties.h"
#include "whiptoken.h"
#include "whipclient.h"
#include "whipretry.h"

GST_DEBUG_CATEGORY_STATIC (rec_whep_src_debug);
#define GST_CAT_DEFAULT rec_whep_src_debug

#define DEFAULT_RETRY_TIMEOUT (30 * GST_SECOND)
#define RETRY_INTERVAL_MAX 5000 /* ms */
#define REMOVE_TIMEOUT_MS 2000

/* The properties of RtcClientProperties begin here. */
#define PROP_CLIENT 1

struct _GstRecWhepSrc
{
  GstRecWebrtcSrc parent;

  /* protected by the object lock */
  RtcClientProperties properties;
  gchar *token; /* of either property, from READY on; NULL: none */

  /* control thread */
  WhipClient *client;
  WhipRetry *retry;
};

G_DEFINE_TYPE (GstRecWhepSrc, gst_rec_whep_src, GST_TYPE_REC_WEBRTC_SRC);
GST_ELEMENT_REGISTER_DEFINE (
    recwhepsrc, "recwhepsrc", GST_RANK_NONE, GST_TYPE_REC_WHEP_SRC);

/* --- attempts; on the control thread --- */

static void
accept_answer (const gchar *answer, gpointer user_data)
{
  GstRecWhepSrc *self = user_data;
  GstRecWebrtcSrc *src = GST_REC_WEBRTC_SRC (self);
  GError *error = NULL;
  GstSDPMessage *sdp = rtc_sdp_parse (answer, strlen (answer), &error);

  if (sdp && gst_rec_webrtc_src_get_session (src))
    gst_rec_webrtc_src_accept (src, sdp, &error);
  g_clear_pointer (&sdp, gst_sdp_message_free);
  if (error) {
    whip_retry_fail (self->retry, error->message);
    g_error_free (error);
  }
}

static void
attempt (gpointer data)
{
  GstRecWhepSrc *self = data;
  GError *error = NULL;
  gchar *host = whip_client_dup_host (self->client);

  if (!gst_rec_webrtc_src_offer (GST_REC_WEBRTC_SRC (self), host, &error)) {
    whip_retry_fail (self->retry, error->message);
    g_error_free (error);
  }
  g_free (host);
}

/* --- GstRecWebrtcSrc --- */

static void
gst_rec_whep_src_described (GstRecWebrtcSrc *src, RtcSession *session,
    const gchar *sdp, const GError *error)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);

  if (sdp)
    whip_retry_post (self->retry, sdp, accept_answer, self);
  else
    whip_retry_fail (self->retry, error->message);
}

static void
gst_rec_whep_src_ended (
    GstRecWebrtcSrc *src, const gchar *reason, gboolean connected)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);

  if (!gst_rec_webrtc_src_is_accepting (src))
    return;
  /* The server may still keep the session. */
  whip_client_remove (self->client, NULL, NULL);
  /* A session that never connected is one more failure. */
  if (connected)
    whip_retry_reset (self->retry);
  whip_retry_later (self->retry, attempt, self, reason);
}

static gboolean
gst_rec_whep_src_open (GstRecWebrtcSrc *src, GError **error)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);
  gchar *token, *file;
  gboolean has, loaded;

  GST_OBJECT_LOCK (self);
  has = self->properties.location && *self->properties.location;
  token = g_strdup (self->properties.auth_token);
  file = g_strdup (self->properties.auth_token_file);
  g_clear_pointer (&self->token, g_free);
  GST_OBJECT_UNLOCK (self);
  loaded = !has || whip_token_load (token, file, &self->token, error);
  g_free (token);
  g_free (file);
  if (has)
    return loaded;
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "No location to pull from. Set location to the URL of a WHEP endpoint, "
      "for example http://127.0.0.1:8889/stream/whep.");
  return FALSE;
}

static void
gst_rec_whep_src_start (GstRecWebrtcSrc *src)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);
  RecWorker *worker = gst_rec_webrtc_src_get_worker (src);
  WhipRetryConfig config = { .category = GST_CAT_DEFAULT,
    .code = GST_RESOURCE_ERROR_OPEN_READ,
    .interval_max = RETRY_INTERVAL_MAX,
    .from_failure = TRUE,
    .missing_is_temporary = TRUE };

  GST_OBJECT_LOCK (self);
  self->client = whip_client_new (rec_worker_get_context (worker),
      self->properties.location, self->token, self->properties.insecure_tls);
  config.timeout = self->properties.retry_timeout;
  GST_OBJECT_UNLOCK (self);
  self->retry =
      whip_retry_new (GST_ELEMENT (self), worker, self->client, &config);
  whip_retry_now (self->retry, attempt, self);
}

static void
gst_rec_whep_src_stop (GstRecWebrtcSrc *src)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);

  if (!self->client)
    return;
  whip_retry_cancel (self->retry);
  whip_client_remove_sync (self->client, REMOVE_TIMEOUT_MS);
  g_clear_pointer (&self->client, whip_client_free);
  g_clear_pointer (&self->retry, whip_retry_free);
}

/* --- properties --- */

static void
gst_rec_whep_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (object);

  GST_OBJECT_LOCK (self);
  if (!rtc_client_properties_set (&self->properties, id - PROP_CLIENT, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_whep_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (object);

  GST_OBJECT_LOCK (self);
  if (!rtc_client_properties_get (&self->properties, id - PROP_CLIENT, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

/* --- GObject --- */

static void
gst_rec_whep_src_finalize (GObject *object)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (object);

  rtc_client_properties_clear (&self->properties);
  g_free (self->token);
  G_OBJECT_CLASS (gst_rec_whep_src_parent_class)->finalize (object);
}

static void
gst_rec_whep_src_class_init (GstRecWhepSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstRecWebrtcSrcClass *src_class = GST_REC_WEBRTC_SRC_CLASS (klass);

  object_class->set_property = gst_rec_whep_src_set_property;
  object_class->get_property = gst_rec_whep_src_get_property;
  object_class->finalize = gst_rec_whep_src_finalize;
  src_class->open = gst_rec_whep_src_open;
  src_class->start = gst_rec_whep_src_start;
  src_class->stop = gst_rec_whep_src_stop;
  src_class->described = gst_rec_whep_src_described;
  src_class->ended = gst_rec_whep_src_ended;
  rtc_client_properties_install (object_class, PROP_CLIENT,
      "URL of the WHEP endpoint to pull from",
      "How long to try again while the server is not there or has no "
      "stream, in nanoseconds",
      DEFAULT_RETRY_TIMEOUT);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "WHEP client source", "Source/Network",
      "Pulls a WebRTC stream from a server by WHEP", "The gst-tsrec authors");
  GST_DEBUG_CATEGORY_INIT (
      rec_whep_src_debug, "recwhepsrc", 0, "WHEP client source");
  src_class->category = rec_whep_src_debug;
  src_class->needs_thread = TRUE;
}

static void
gst_rec_whep_src_init (GstRecWhepSrc *self)
{
  self->properties.retry_timeout = DEFAULT_RETRY_TIMEOUT;
}
