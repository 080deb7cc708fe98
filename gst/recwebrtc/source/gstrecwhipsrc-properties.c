/* gst-tsrec: the properties of recwhipsrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecwhipsrc-private.h"

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT 8080
#define DEFAULT_PATH "/whip"

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
  PROP_LISTEN,
  PROP_URL,
};

static void
gst_rec_whip_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (object);
  gchar **field = NULL;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_HOST:
      field = &self->host;
      break;
    case PROP_PORT:
      self->port = g_value_get_uint (value);
      break;
    case PROP_PATH:
      field = &self->path;
      break;
    case PROP_AUTH_TOKEN:
      field = &self->auth_token;
      break;
    case PROP_AUTH_TOKEN_FILE:
      field = &self->auth_token_file;
      break;
    case PROP_CORS_ORIGINS:
      field = &self->cors_origins;
      break;
    case PROP_TLS_CERTIFICATE:
      field = &self->tls_certificate;
      break;
    case PROP_TLS_KEY:
      field = &self->tls_key;
      break;
    case PROP_LISTEN:
      self->listen = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  if (field) {
    g_free (*field);
    *field = g_value_dup_string (value);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_whip_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_HOST:
      g_value_set_string (value, self->host);
      break;
    case PROP_PORT:
      g_value_set_uint (value, self->port);
      break;
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_AUTH_TOKEN:
      g_value_set_string (value, self->auth_token);
      break;
    case PROP_AUTH_TOKEN_FILE:
      g_value_set_string (value, self->auth_token_file);
      break;
    case PROP_CORS_ORIGINS:
      g_value_set_string (value, self->cors_origins);
      break;
    case PROP_TLS_CERTIFICATE:
      g_value_set_string (value, self->tls_certificate);
      break;
    case PROP_TLS_KEY:
      g_value_set_string (value, self->tls_key);
      break;
    case PROP_LISTEN:
      g_value_set_boolean (value, self->listen);
      break;
    case PROP_URL:
      if (self->endpoint)
        g_value_take_string (value, whip_endpoint_dup_url (self->endpoint));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

void
gst_rec_whip_src_install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  klass->set_property = gst_rec_whip_src_set_property;
  klass->get_property = gst_rec_whip_src_get_property;
  /**
   * GstRecWhipSrc:host:
   *
   * Address to listen on. Type: string. Default: 127.0.0.1, only this host can
   * publish; "0.0.0.0" or "::" let others in, who then should need auth-token.
   * Applied from NULL to READY.
   */
  g_object_class_install_property (klass, PROP_HOST,
      g_param_spec_string ("host", "Host",
          "Address to listen on (0.0.0.0 or ::: all of this host's)",
          DEFAULT_HOST, flags));
  /**
   * GstRecWhipSrc:port:
   *
   * TCP port to listen on. Type: guint. Range: 0 to 65535. Default: 8080. 0
   * picks a free one, which #GstRecWhipSrc:url then tells. Elements of one
   * process may share a port, each with a path of its own. A port that another
   * process uses is an error when the element goes to READY.
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
   * Bearer token (RFC 6750) that a publisher must bring. Type: string.
   * Default: none is needed. Without tls-certificate it travels in the clear.
   */
  g_object_class_install_property (klass, PROP_AUTH_TOKEN,
      g_param_spec_string ("auth-token", "Authentication token",
          "Bearer token that publishers must send (none: everybody may)", NULL,
          flags));
  /**
   * GstRecWhipSrc:auth-token-file:
   *
   * File with the token, for that a command line is there for everybody to see.
   * White space around the token is left out. Type: string. Default: none. Read
   * from NULL to READY; one that cannot be read, or is set beside
   * #GstRecWhipSrc:auth-token, is an error.
   */
  g_object_class_install_property (klass, PROP_AUTH_TOKEN_FILE,
      g_param_spec_string ("auth-token-file", "Authentication token file",
          "File to read the bearer token from, instead of auth-token", NULL,
          flags));
  /**
   * GstRecWhipSrc:cors-origins:
   *
   * Origins of web pages that may publish, separated by commas, "*" for all.
   * Type: string. Default: none; browsers then publish only from a page that
   * comes from the same host and port.
   */
  g_object_class_install_property (klass, PROP_CORS_ORIGINS,
      g_param_spec_string ("cors-origins", "CORS origins",
          "Origins of web pages that may publish, separated by commas, * for "
          "all (none: no page of another origin)",
          NULL, flags));
  /**
   * GstRecWhipSrc:tls-certificate:
   *
   * PEM file with the certificate of the server, and perhaps its key. Type:
   * string. Default: none, plain HTTP.
   */
  g_object_class_install_property (klass, PROP_TLS_CERTIFICATE,
      g_param_spec_string ("tls-certificate", "TLS certificate",
          "PEM file with the certificate for HTTPS (none: plain HTTP)", NULL,
          flags));
  /**
   * GstRecWhipSrc:tls-key:
   *
   * PEM file with the private key. Type: string. Default: the file of
   * #GstRecWhipSrc:tls-certificate has it.
   */
  g_object_class_install_property (klass, PROP_TLS_KEY,
      g_param_spec_string ("tls-key", "TLS key",
          "PEM file with the private key (none: tls-certificate has it)", NULL,
          flags));
  /**
   * GstRecWhipSrc:listen:
   *
   * Whether the element has a socket of its own. Type: gboolean. Default: TRUE.
   * FALSE: host, port, path, the token, CORS and TLS are those of the
   * application, which passes requests on by #GstRecWhipSrc::handle-request.
   * Applied from NULL to READY.
   */
  g_object_class_install_property (klass, PROP_LISTEN,
      g_param_spec_boolean ("listen", "Listen",
          "Listen at host and port (FALSE: requests come by handle-request)",
          TRUE, flags));
  /**
   * GstRecWhipSrc:url:
   *
   * Where to publish to, while the element is at least READY. Type: string.
   */
  g_object_class_install_property (klass, PROP_URL,
      g_param_spec_string ("url", "URL", "URL to publish to (none below READY)",
          NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

void
gst_rec_whip_src_init_props (GstRecWhipSrc *self)
{
  self->host = g_strdup (DEFAULT_HOST);
  self->port = DEFAULT_PORT;
  self->listen = TRUE;
  self->path = g_strdup (DEFAULT_PATH);
}

void
gst_rec_whip_src_free_props (GstRecWhipSrc *self)
{
  g_free (self->host);
  g_free (self->path);
  g_free (self->auth_token);
  g_free (self->auth_token_file);
  g_free (self->cors_origins);
  g_free (self->tls_certificate);
  g_free (self->tls_key);
}
