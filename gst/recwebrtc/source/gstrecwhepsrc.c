/* gst-tsrec: WHEP client that records what a server plays
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recwhepsrc
 * @title: recwhepsrc
 * @short_description: WHEP client: pulls a stream from an SFU
 * @see_also: recwhipsrc, tsrecsink
 *
 * Asks a WHEP server (draft-ietf-wish-whep) for its stream and puts it out like
 * #recwhipsrc does: the pads `video` and `audio` are there from the beginning
 * and stay when the session ends. A server that is not there, has no stream yet
 * or drops the session is asked again, at first at once and then every 5 s, for
 * `retry-timeout`; with `on-disconnect=eos` the end of a session ends the
 * stream. The messages are those of #recwhipsrc, `recwhip-connected` and
 * `recwhip-disconnected`. Servers that make the offer themselves (406 with an
 * offer in the body) are not supported.
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
#include "whiptoken.h"
#include "whipclient.h"

GST_DEBUG_CATEGORY_STATIC (rec_whep_src_debug);
#define GST_CAT_DEFAULT rec_whep_src_debug

#define DEFAULT_RETRY_TIMEOUT (30 * GST_SECOND)
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 5000
#define REMOVE_TIMEOUT_MS 2000

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_AUTH_TOKEN,
  PROP_AUTH_TOKEN_FILE,
  PROP_RETRY_TIMEOUT,
  PROP_INSECURE_TLS,
};

struct _GstRecWhepSrc
{
  GstRecWebrtcSrc parent;

  /* under the object lock */
  gchar *location;
  gchar *auth_token;
  gchar *auth_token_file;
  gchar *token; /* what one of these has, from READY on */
  GstClockTime retry_timeout;
  gboolean insecure_tls;

  /* control thread */
  WhipClient *client;
  gchar *offer;
  GSource *timer;
  gint64 retry_since;
  guint retry_ms;
};

G_DEFINE_TYPE (GstRecWhepSrc, gst_rec_whep_src, GST_TYPE_REC_WEBRTC_SRC);
GST_ELEMENT_REGISTER_DEFINE (
    recwhepsrc, "recwhepsrc", GST_RANK_NONE, GST_TYPE_REC_WHEP_SRC);

/* --- attempts; on the control thread --- */

static void
start_timer (GstRecWhepSrc *self, guint ms, GSourceFunc function)
{
  RecWorker *worker = gst_rec_webrtc_src_get_worker (GST_REC_WEBRTC_SRC (self));

  rec_worker_clear_timeout (&self->timer);
  self->timer = rec_worker_add_timeout (worker, ms, function, self, NULL);
}

static void
fail (GstRecWhepSrc *self, const gchar *message)
{
  rec_worker_clear_timeout (&self->timer);
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ, ("%s", message), (NULL));
}

/* FALSE when there is no more time. */
static gboolean
retry_later (GstRecWhepSrc *self, GSourceFunc function, const gchar *reason)
{
  gint64 now = g_get_monotonic_time ();
  GstClockTime timeout;

  if (self->retry_since == 0)
    self->retry_since = now;
  GST_OBJECT_LOCK (self);
  timeout = self->retry_timeout;
  GST_OBJECT_UNLOCK (self);
  if ((guint64)(now - self->retry_since) >= timeout / GST_USECOND)
    return FALSE;
  GST_INFO_OBJECT (self, "trying again in %u ms: %s", self->retry_ms, reason);
  /* Once; waiting for a stream is no fault. */
  if (self->retry_ms == RETRY_FIRST_MS)
    GST_ELEMENT_INFO (self, RESOURCE, OPEN_READ,
        ("%s: trying again until retry-timeout is over.", reason), (NULL));
  start_timer (self, self->retry_ms, function);
  self->retry_ms = MIN (2 * self->retry_ms, RETRY_LAST_MS);
  return TRUE;
}

static void
reset_retries (GstRecWhepSrc *self)
{
  self->retry_since = 0;
  self->retry_ms = RETRY_FIRST_MS;
}

static gboolean post_offer (gpointer data);

/* A stream that nobody publishes yet is a 404 with many servers. */
static gboolean
is_worth_a_retry (const GError *error, gboolean temporary)
{
  return temporary || g_error_matches (error, WHIP_CLIENT_ERROR, 404);
}

static void
accept_answer (GstRecWhepSrc *self, const gchar *answer)
{
  GstRecWebrtcSrc *src = GST_REC_WEBRTC_SRC (self);
  GError *error = NULL;
  GstSDPMessage *sdp = rtc_sdp_parse (answer, strlen (answer), &error);

  if (sdp && gst_rec_webrtc_src_get_session (src))
    gst_rec_webrtc_src_accept (src, sdp, &error);
  g_clear_pointer (&sdp, gst_sdp_message_free);
  if (error) {
    fail (self, error->message);
    g_error_free (error);
  }
}

static void
on_answer (WhipClient *client, const gchar *answer, const GError *error,
    gboolean temporary, gpointer user_data)
{
  GstRecWhepSrc *self = user_data;

  if (answer)
    accept_answer (self, answer);
  else if (!is_worth_a_retry (error, temporary) ||
      !retry_later (self, post_offer, error->message))
    fail (self, error->message);
}

static gboolean
post_offer (gpointer data)
{
  GstRecWhepSrc *self = data;

  rec_worker_clear_timeout (&self->timer);
  whip_client_offer (self->client, self->offer, on_answer, self);
  return G_SOURCE_REMOVE;
}

static gboolean
attempt (gpointer data)
{
  GstRecWhepSrc *self = data;
  GError *error = NULL;
  gchar *host = whip_client_dup_host (self->client);

  rec_worker_clear_timeout (&self->timer);
  if (!gst_rec_webrtc_src_offer (GST_REC_WEBRTC_SRC (self), host, &error)) {
    fail (self, error->message);
    g_error_free (error);
  }
  g_free (host);
  return G_SOURCE_REMOVE;
}

/* --- GstRecWebrtcSrc --- */

static void
gst_rec_whep_src_described (GstRecWebrtcSrc *src, RtcSession *session,
    const gchar *sdp, const GError *error)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);

  if (!sdp) {
    fail (self, error->message);
    return;
  }
  g_free (self->offer);
  self->offer = g_strdup (sdp);
  post_offer (self);
}

static void
gst_rec_whep_src_ended (
    GstRecWebrtcSrc *src, const gchar *reason, gboolean connected)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);

  if (!gst_rec_webrtc_src_is_accepting (src))
    return;
  /* The server may think that the session is still there. */
  whip_client_remove (self->client, NULL, NULL);
  /* One that never connected is a failure like any other. */
  if (connected)
    reset_retries (self);
  if (!retry_later (self, attempt, reason))
    fail (self, reason);
}

static gboolean
gst_rec_whep_src_open (GstRecWebrtcSrc *src, GError **error)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);
  gchar *token, *file;
  gboolean has, loaded;

  GST_OBJECT_LOCK (self);
  has = self->location && *self->location;
  token = g_strdup (self->auth_token);
  file = g_strdup (self->auth_token_file);
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

  GST_OBJECT_LOCK (self);
  self->client = whip_client_new (rec_worker_get_context (worker),
      self->location, self->token, self->insecure_tls);
  GST_OBJECT_UNLOCK (self);
  reset_retries (self);
  start_timer (self, 0, attempt);
}

static void
gst_rec_whep_src_stop (GstRecWebrtcSrc *src)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (src);

  rec_worker_clear_timeout (&self->timer);
  if (!self->client)
    return;
  whip_client_remove_sync (self->client, REMOVE_TIMEOUT_MS);
  g_clear_pointer (&self->client, whip_client_free);
  g_clear_pointer (&self->offer, g_free);
}

/* --- properties --- */

static void
gst_rec_whep_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_free (self->location);
      self->location = g_value_dup_string (value);
      break;
    case PROP_AUTH_TOKEN:
      g_free (self->auth_token);
      self->auth_token = g_value_dup_string (value);
      break;
    case PROP_AUTH_TOKEN_FILE:
      g_free (self->auth_token_file);
      self->auth_token_file = g_value_dup_string (value);
      break;
    case PROP_RETRY_TIMEOUT:
      self->retry_timeout = g_value_get_uint64 (value);
      break;
    case PROP_INSECURE_TLS:
      self->insecure_tls = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_whep_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case PROP_AUTH_TOKEN:
      g_value_set_string (value, self->auth_token);
      break;
    case PROP_AUTH_TOKEN_FILE:
      g_value_set_string (value, self->auth_token_file);
      break;
    case PROP_RETRY_TIMEOUT:
      g_value_set_uint64 (value, self->retry_timeout);
      break;
    case PROP_INSECURE_TLS:
      g_value_set_boolean (value, self->insecure_tls);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstRecWhepSrc:location:
   *
   * URL of the WHEP endpoint. Type: string. No default: the element does not
   * go to READY without it.
   */
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "URL of the WHEP endpoint to pull from", NULL, flags));
  /**
   * GstRecWhepSrc:auth-token:
   *
   * Bearer token to send (RFC 6750). Type: string. Default: none. Redirects
   * get it too, except from HTTPS to HTTP.
   */
  g_object_class_install_property (klass, PROP_AUTH_TOKEN,
      g_param_spec_string ("auth-token", "Authentication token",
          "Bearer token to send to the server", NULL, flags));
  /**
   * GstRecWhepSrc:auth-token-file:
   *
   * File with the token, for that a command line is there for everybody to see.
   * White space around the token is left out. Type: string. Default: none. Read
   * from NULL to READY; one that cannot be read, or is set beside
   * #GstRecWhepSrc:auth-token, is an error.
   */
  g_object_class_install_property (klass, PROP_AUTH_TOKEN_FILE,
      g_param_spec_string ("auth-token-file", "Authentication token file",
          "File to read the bearer token from, instead of auth-token", NULL,
          flags));
  /**
   * GstRecWhepSrc:retry-timeout:
   *
   * How long to try again, since the first failure or since a session ended,
   * while the server cannot be reached or has no stream, in nanoseconds. Type:
   * guint64.
   * Default: 30 s. 0: try once. 18446744073709551615: for ever. When it is
   * over the element posts an error.
   */
  g_object_class_install_property (klass, PROP_RETRY_TIMEOUT,
      g_param_spec_uint64 ("retry-timeout", "Retry timeout",
          "How long to try again while the server is not there or has no "
          "stream, in nanoseconds",
          0, G_MAXUINT64, DEFAULT_RETRY_TIMEOUT, flags));
  /**
   * GstRecWhepSrc:insecure-tls:
   *
   * Take any certificate of an HTTPS server, for tests with a self-signed one.
   * Type: gboolean. Default: FALSE.
   */
  g_object_class_install_property (klass, PROP_INSECURE_TLS,
      g_param_spec_boolean ("insecure-tls", "Insecure TLS",
          "Take any certificate of an HTTPS server", FALSE, flags));
}

/* --- GObject --- */

static void
gst_rec_whep_src_finalize (GObject *object)
{
  GstRecWhepSrc *self = GST_REC_WHEP_SRC (object);

  g_free (self->location);
  g_free (self->auth_token);
  g_free (self->auth_token_file);
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
  install_properties (object_class);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "WHEP client source", "Source/Network",
      "Pulls a WebRTC stream from a server by WHEP", "The gst-tsrec authors");
  GST_DEBUG_CATEGORY_INIT (
      rec_whep_src_debug, "recwhepsrc", 0, "WHEP client source");
  src_class->category = rec_whep_src_debug;
}

static void
gst_rec_whep_src_init (GstRecWhepSrc *self)
{
  self->retry_timeout = DEFAULT_RETRY_TIMEOUT;
}
