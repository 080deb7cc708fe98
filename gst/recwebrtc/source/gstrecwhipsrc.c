/* gst-tsrec: WHIP server source for recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The element with its properties, which take most of the lines. The handlers
 * of its requests are in gstrecwhipsrc-requests.c.
 */

/**
 * SECTION:element-recwhipsrc
 * @title: recwhipsrc
 * @short_description: WHIP server: a browser, OBS or ffmpeg pushes in
 * @see_also: recwhepsrc, recwhipsink, tsrecsink
 *
 * Listens for one publisher at a time (RFC 9725) and outputs parsed elementary
 * streams: H.264 as byte-stream access units with the parameter sets in front
 * of every key frame, Opus as packets. The pads `video` and `audio` always
 * exist, so that a launch line can link them before a publisher connects. A
 * publisher may send only one track, connect late, disconnect, and connect
 * again. EOS that is sent to the element leaves by both pads.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e recwhipsrc name=w port=8080 ! h264parse ! \
 *     tsrecsink name=rec location=rec.ts w.audio ! opusparse ! rec.
 * ]|
 * Publish to http://127.0.0.1:8080/whip, for example with
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! \
 *     x264enc tune=zerolatency key-int-max=50 ! \
 *     video/x-h264,profile=constrained-baseline ! \
 *     recwhipsink location=http://127.0.0.1:8080/whip
 * ]|
 */

#include "config.h"

#include "gstrecwhipsrc-private.h"

#include "gstrecwebrtcsrc-private.h"
#include "rtclayers.h"
#include "whiptoken.h"
#if HAVE_TRANSPORT
#include "rtcudpport.h"
#endif

GST_DEBUG_CATEGORY_STATIC (rec_whip_src_debug);
#define GST_CAT_DEFAULT rec_whip_src_debug

#define MAX_CONNECTIONS 128
#define MAX_OFFERS_PER_SECOND 20
#define IDLE_TIMEOUT 15

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT 8080
#define DEFAULT_PATH "/whip"
#define DEFAULT_UDP_PORT 0
#define DEFAULT_BATCH_INTERVAL 5

enum
{
  PROP_0,
  PROP_HOST,
  PROP_PORT,
  PROP_PATH,
  PROP_AUTH_TOKEN,
  PROP_AUTH_TOKEN_FILE,
  PROP_CORS_ORIGINS,
  PROP_TLS_CERTIFICATE,
  PROP_TLS_KEY,
  PROP_UDP_PORT,
  PROP_BATCH_INTERVAL,
  PROP_LISTEN,
  PROP_SIMULCAST_LAYER,
  PROP_ICE_TCP,
  PROP_URL,
};

G_DEFINE_TYPE (GstRecWhipSrc, gst_rec_whip_src, GST_TYPE_REC_WEBRTC_SRC);
GST_ELEMENT_REGISTER_DEFINE (
    recwhipsrc, "recwhipsrc", GST_RANK_NONE, GST_TYPE_REC_WHIP_SRC);

/* --- GstRecWebrtcSrc --- */

static void
set_taking_requests (GstRecWhipSrc *self, gboolean taking)
{
  GST_OBJECT_LOCK (self);
  self->taking_requests = taking;
  GST_OBJECT_UNLOCK (self);
}

/* The sessions of the element have ended. */
static void
close_udp_port (GstRecWhipSrc *self)
{
#if HAVE_TRANSPORT
  GstRecWebrtcSrcPrivate *priv =
      gst_rec_webrtc_src_priv (GST_REC_WEBRTC_SRC (self));

  rtc_udp_port_close (g_steal_pointer (&priv->udp_port));
#endif
}

static gboolean
open_udp_port (GstRecWhipSrc *self, GError **error)
{
  GstRecWebrtcSrcPrivate *priv =
      gst_rec_webrtc_src_priv (GST_REC_WEBRTC_SRC (self));

  if (self->udp_port == 0)
    return TRUE;
#if HAVE_TRANSPORT
  priv->udp_port = rtc_udp_port_open (
      self->udp_port, self->batch_interval * G_TIME_SPAN_MILLISECOND, error);
  if (priv->udp_port && self->ice_tcp &&
      !rtc_udp_port_open_tcp (priv->udp_port, error))
    close_udp_port (self);
#else
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "udp-port needs a build with OpenSSL and libsrtp2 (Debian packages "
      "libssl-dev and libsrtp2-dev). Set udp-port=0.");
#endif
  return priv->udp_port != NULL;
}

static gboolean
gst_rec_whip_src_open (GstRecWebrtcSrc *src, GError **error)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (src);
  WhipEndpointConfig config = { .max_body = RTC_SDP_MAX_BYTES,
    .max_connections = MAX_CONNECTIONS,
    .max_offers = MAX_OFFERS_PER_SECOND,
    .idle_timeout = IDLE_TIMEOUT };
  WhipEndpoint *endpoint;
  gchar **links;
  gchar *url, *token;

  if (!self->listen) {
    if (!open_udp_port (self, error))
      return FALSE;
    set_taking_requests (self, TRUE);
    return TRUE;
  }
  if (!whip_token_load (self->auth_token, self->auth_token_file, &token, error))
    return FALSE;
  if (!open_udp_port (self, error)) {
    g_free (token);
    return FALSE;
  }
  links = gst_rec_whip_src_make_links (self, token != NULL);
  /* These properties do not change from READY on. */
  config.host = self->host;
  config.port = self->port;
  config.path = self->path;
  config.auth_token = token;
  config.cors_origins = self->cors_origins;
  config.tls_certificate = self->tls_certificate;
  config.tls_key = self->tls_key;
  config.ice_servers = (const gchar *const *)links;
  endpoint =
      whip_endpoint_new (&config, &gst_rec_whip_src_callbacks, self, error);
  g_strfreev (links);
  g_free (token);
  if (!endpoint) {
    close_udp_port (self);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  self->endpoint = endpoint;
  GST_OBJECT_UNLOCK (self);
  url = whip_endpoint_dup_url (endpoint);
  GST_INFO_OBJECT (self, "publish to %s", url);
  g_free (url);
  g_object_notify (G_OBJECT (self), "url");
  return TRUE;
}

static void
gst_rec_whip_src_close (GstRecWebrtcSrc *src)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (src);
  WhipEndpoint *endpoint;

  GST_OBJECT_LOCK (self);
  endpoint = g_steal_pointer (&self->endpoint);
  self->taking_requests = FALSE;
  GST_OBJECT_UNLOCK (self);
  whip_endpoint_free (endpoint);
  close_udp_port (self);
}

/* --- GObject --- */

/* Returns the field of an integer property; under the object lock. */
static guint *
get_uint_field (GstRecWhipSrc *self, guint id)
{
  switch (id) {
    case PROP_PORT:
      return &self->port;
    case PROP_UDP_PORT:
      return &self->udp_port;
    case PROP_BATCH_INTERVAL:
      return &self->batch_interval;
    default:
      return NULL;
  }
}

/* Returns the field of a string property; under the object lock. */
static gchar **
get_string_field (GstRecWhipSrc *self, guint id)
{
  switch (id) {
    case PROP_HOST:
      return &self->host;
    case PROP_PATH:
      return &self->path;
    case PROP_AUTH_TOKEN:
      return &self->auth_token;
    case PROP_AUTH_TOKEN_FILE:
      return &self->auth_token_file;
    case PROP_CORS_ORIGINS:
      return &self->cors_origins;
    case PROP_TLS_CERTIFICATE:
      return &self->tls_certificate;
    case PROP_TLS_KEY:
      return &self->tls_key;
    case PROP_SIMULCAST_LAYER:
      return &gst_rec_webrtc_src_priv (GST_REC_WEBRTC_SRC (self))
                  ->simulcast_layer;
    default:
      return NULL;
  }
}

static void
gst_rec_whip_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (object);
  gchar **field;
  guint *number;

  GST_OBJECT_LOCK (self);
  if ((field = get_string_field (self, id))) {
    g_free (*field);
    *field = g_value_dup_string (value);
    if (id == PROP_SIMULCAST_LAYER && (!*field || **field == '\0')) {
      g_free (*field);
      *field = g_strdup (RTC_LAYERS_HIGHEST);
    }
  } else if ((number = get_uint_field (self, id))) {
    *number = g_value_get_uint (value);
  } else if (id == PROP_ICE_TCP) {
    self->ice_tcp = g_value_get_boolean (value);
  } else if (id == PROP_LISTEN) {
    self->listen = g_value_get_boolean (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_whip_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (object);
  gchar **field;
  guint *number;

  GST_OBJECT_LOCK (self);
  if ((field = get_string_field (self, id)))
    g_value_set_string (value, *field);
  else if ((number = get_uint_field (self, id)))
    g_value_set_uint (value, *number);
  else if (id == PROP_ICE_TCP)
    g_value_set_boolean (value, self->ice_tcp);
  else if (id == PROP_LISTEN)
    g_value_set_boolean (value, self->listen);
  else if (id != PROP_URL)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  else if (self->endpoint)
    g_value_take_string (value, whip_endpoint_dup_url (self->endpoint));
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstRecWhipSrc:host:
   *
   * Address to listen on. Type: string. Default: 127.0.0.1, which only this
   * host can reach. "0.0.0.0" and "::" listen on all addresses; then set
   * #GstRecWhipSrc:auth-token too. Applied from NULL to READY.
   */
  g_object_class_install_property (klass, PROP_HOST,
      g_param_spec_string ("host", "Host",
          "Address to listen on (0.0.0.0 or ::: all of this host's)",
          DEFAULT_HOST, flags));
  /**
   * GstRecWhipSrc:port:
   *
   * TCP port to listen on. Type: guint. Range: 0 to 65535. Default: 8080. 0
   * selects a free port, see #GstRecWhipSrc:url. Elements of one process may
   * share a port if their paths differ. If another process uses the port, the
   * state change to READY fails.
   */
  g_object_class_install_property (klass, PROP_PORT,
      g_param_spec_uint ("port", "Port",
          "TCP port to listen on (0 picks a free one, see url)", 0, 65535,
          DEFAULT_PORT, flags));
  /**
   * GstRecWhipSrc:path:
   *
   * Path of the WHIP endpoint. Type: string. Default: /whip.
   */
  g_object_class_install_property (klass, PROP_PATH,
      g_param_spec_string (
          "path", "Path", "Path of the WHIP endpoint", DEFAULT_PATH, flags));
  /**
   * GstRecWhipSrc:auth-token:
   *
   * Bearer token (RFC 6750) that publishers must send. Type: string. Default:
   * none, no token is needed. Without #GstRecWhipSrc:tls-certificate the token
   * is sent unencrypted.
   */
  g_object_class_install_property (klass, PROP_AUTH_TOKEN,
      g_param_spec_string ("auth-token", "Authentication token",
          "Bearer token that publishers must send (none: not needed)", NULL,
          flags));
  /**
   * GstRecWhipSrc:auth-token-file:
   *
   * File that contains the token, because other users of the host can read
   * command lines. White space around the token is ignored. Type: string.
   * Default: none. Read from NULL to READY, which fails if the file cannot be
   * read, or if #GstRecWhipSrc:auth-token is set too.
   */
  g_object_class_install_property (klass, PROP_AUTH_TOKEN_FILE,
      g_param_spec_string ("auth-token-file", "Authentication token file",
          "File to read the bearer token from, instead of auth-token", NULL,
          flags));
  /**
   * GstRecWhipSrc:cors-origins:
   *
   * Origins of web pages that may publish, separated by commas, "*" for all.
   * Type: string. Default: none; browsers then publish only from pages of the
   * same host and port.
   */
  g_object_class_install_property (klass, PROP_CORS_ORIGINS,
      g_param_spec_string ("cors-origins", "CORS origins",
          "Origins of web pages that may publish, separated by commas, * for "
          "all (none: no page of another origin)",
          NULL, flags));
  /**
   * GstRecWhipSrc:tls-certificate:
   *
   * PEM file with the certificate of the server; it may contain the key too.
   * Type: string. Default: none, plain HTTP.
   */
  g_object_class_install_property (klass, PROP_TLS_CERTIFICATE,
      g_param_spec_string ("tls-certificate", "TLS certificate",
          "PEM file with the certificate for HTTPS (none: plain HTTP)", NULL,
          flags));
  /**
   * GstRecWhipSrc:tls-key:
   *
   * PEM file with the private key. Type: string. Default: none, the key is in
   * the file of #GstRecWhipSrc:tls-certificate.
   */
  g_object_class_install_property (klass, PROP_TLS_KEY,
      g_param_spec_string ("tls-key", "TLS key",
          "PEM file with the private key (none: tls-certificate has it)", NULL,
          flags));
  /**
   * GstRecWhipSrc:listen:
   *
   * Whether the element opens a socket. Type: gboolean. Default: TRUE. If
   * FALSE, the application receives the requests and passes them on with
   * #GstRecWhipSrc::handle-request; the properties for address, token, CORS and
   * TLS are ignored, and #GstRecWhipSrc:url is NULL. Applied from NULL to READY.
   */
  g_object_class_install_property (klass, PROP_LISTEN,
      g_param_spec_boolean ("listen", "Listen",
          "Listen at host and port (false: requests come by handle-request)",
          TRUE, flags));
  /**
   * GstRecWhipSrc:udp-port:
   *
   * UDP port that receives the media of all sessions. Type: guint. Range: 0 to
   * 65535. Default: 0, webrtcbin receives, on separate ports for each session.
   * With a port, the element receives by itself, as an ICE-lite agent (RFC 8445
   * section 2.5), on UDP, and with #GstRecWhipSrc:ice-tcp on TCP. Elements of one process may share a port. Pads,
   * messages and statistics are the same as with webrtcbin.
   * #GstRecWebrtcSrc:port-range, #GstRecWebrtcSrc:stun-server and
   * #GstRecWebrtcSrc:turn-server have no effect; the port has to be reachable at
   * an address of the host or at #GstRecWebrtcSrc:public-address. Applied from
   * NULL to READY, which fails if another process uses the port, or if the
   * build has no OpenSSL and libsrtp2.
   */
  g_object_class_install_property (klass, PROP_UDP_PORT,
      g_param_spec_uint ("udp-port", "UDP port",
          "UDP port for the media of all sessions (0: webrtcbin, with separate "
          "ports)",
          0, 65535, DEFAULT_UDP_PORT, flags));
  /**
   * GstRecWhipSrc:batch-interval:
   *
   * Time for which packets are collected at #GstRecWhipSrc:udp-port before they
   * are processed together: a longer interval takes less CPU time and adds
   * delay. Type: guint. Unit: ms. Range: 0 to 100; with 0, each packet is
   * processed at once. Default: 5. Elements that share a port use the shortest
   * of their intervals. Applied from NULL to READY.
   */
  g_object_class_install_property (klass, PROP_BATCH_INTERVAL,
      g_param_spec_uint ("batch-interval", "Batch interval",
          "Time for which packets are collected at udp-port (ms, 0: not at "
          "all)",
          0, 100, DEFAULT_BATCH_INTERVAL, flags));
  /**
   * GstRecWhipSrc:simulcast-layer:
   *
   * Layer of a simulcast that is recorded: "highest", "lowest", or the rid
   * (RFC 8851) of a layer. Type: string. Default: highest. While that layer is
   * not sent, the next one is recorded, in the order of their sizes. If the
   * publisher does not offer the rid, the largest layer is recorded, and a
   * warning is posted. Used for sessions that begin later. No effect on a
   * publisher that sends one layer.
   */
  g_object_class_install_property (klass, PROP_SIMULCAST_LAYER,
      g_param_spec_string ("simulcast-layer", "Simulcast layer",
          "Layer of a simulcast that is recorded: highest, lowest, or its rid",
          RTC_LAYERS_HIGHEST, flags));
  /**
   * GstRecWhipSrc:ice-tcp:
   *
   * Also accept media over TCP (RFC 6544, passive), at the TCP port with the
   * number of #GstRecWhipSrc:udp-port, from publishers that cannot send UDP.
   * Type: gboolean. Default: FALSE. No effect without
   * #GstRecWhipSrc:udp-port. It holds for all elements that share the port.
   * Applied from NULL to READY, which fails if the TCP port is in use.
   */
  g_object_class_install_property (klass, PROP_ICE_TCP,
      g_param_spec_boolean ("ice-tcp", "ICE over TCP",
          "Accept media over TCP too, at the TCP port with the number of "
          "udp-port",
          FALSE, flags));
  /**
   * GstRecWhipSrc:url:
   *
   * URL to publish to, NULL below READY. Type: string. Any thread.
   */
  g_object_class_install_property (klass, PROP_URL,
      g_param_spec_string ("url", "URL", "URL to publish to (none below READY)",
          NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_rec_whip_src_finalize (GObject *object)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (object);

  g_free (self->host);
  g_free (self->path);
  g_free (self->auth_token);
  g_free (self->auth_token_file);
  g_free (self->cors_origins);
  g_free (self->tls_certificate);
  g_free (self->tls_key);
  G_OBJECT_CLASS (gst_rec_whip_src_parent_class)->finalize (object);
}

static void
gst_rec_whip_src_class_init (GstRecWhipSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstRecWebrtcSrcClass *src_class = GST_REC_WEBRTC_SRC_CLASS (klass);

  object_class->finalize = gst_rec_whip_src_finalize;
  src_class->open = gst_rec_whip_src_open;
  src_class->close = gst_rec_whip_src_close;
  src_class->described = gst_rec_whip_src_described;
  src_class->ended = gst_rec_whip_src_ended;
  src_class->waits_for_peer = TRUE;
  object_class->set_property = gst_rec_whip_src_set_property;
  object_class->get_property = gst_rec_whip_src_get_property;
  install_properties (object_class);
  gst_rec_whip_src_install_signals (klass);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "WHIP server source", "Source/Network",
      "Receives one WebRTC publisher at a time by WHIP (RFC 9725)",
      "The gst-tsrec authors");
  GST_DEBUG_CATEGORY_INIT (
      rec_whip_src_debug, "recwhipsrc", 0, "WHIP server source");
  src_class->category = rec_whip_src_debug;
}

static void
gst_rec_whip_src_init (GstRecWhipSrc *self)
{
  self->host = g_strdup (DEFAULT_HOST);
  self->port = DEFAULT_PORT;
  self->listen = TRUE;
  self->path = g_strdup (DEFAULT_PATH);
  self->udp_port = DEFAULT_UDP_PORT;
  self->batch_interval = DEFAULT_BATCH_INTERVAL;
}
