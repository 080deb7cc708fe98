/* gst-tsrec: the HTTP side of a WHIP server (RFC 9725)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "whipendpoint.h"
#include "whiplistener.h"
#include "whiprequest-private.h"

#include <string.h>

struct _WhipEndpoint
{
  WhipListener *server;
  WhipEndpointCallbacks callbacks;
  gpointer user_data;
  gchar *host;
  gchar *path;
  gchar *cors_origins;
  gchar **ice_servers;
  gsize max_body;
  guint max_offers;
  gchar *auth_token;

  /* thread of the listener only: offers since the second began */
  gint64 second;
  guint offers;
};

/* Refuses a request before its body was read. The body is discarded, and the
 * connection is closed after the answer. */
static void
refuse (SoupServerMessage *msg, guint status, const gchar *reason)
{
  gchar *text = g_strconcat (reason, "\n", NULL);

  soup_message_body_set_accumulate (
      soup_server_message_get_request_body (msg), FALSE);
  soup_message_headers_replace (
      soup_server_message_get_response_headers (msg), "Connection", "close");
  whip_request_set_text (msg, status, "text/plain; charset=utf-8", text);
  g_free (text);
}

/* --- checks, on the thread of the listener --- */

/* Constant-time comparison. */
static gboolean
equal_secret (const gchar *a, const gchar *b)
{
  gsize i, n = strlen (a), m = strlen (b);
  guint difference = n != m;

  for (i = 0; i < n; i++)
    difference |= (guchar)a[i] ^ (guchar)b[m ? i % m : 0];
  return difference == 0;
}

static gboolean
is_authorized (WhipEndpoint *endpoint, SoupServerMessage *msg)
{
  const gchar *header = soup_message_headers_get_one (
      soup_server_message_get_request_headers (msg), "Authorization");

  return !endpoint->auth_token ||
      (header && g_ascii_strncasecmp (header, "Bearer ", 7) == 0 &&
          equal_secret (header + 7, endpoint->auth_token));
}

static gboolean
has_type (SoupServerMessage *msg, const gchar *type)
{
  const gchar *value = soup_message_headers_get_content_type (
      soup_server_message_get_request_headers (msg), NULL);

  return value && g_ascii_strcasecmp (value, type) == 0;
}

/* Lets web pages of the listed origins read the answer and its headers. */
static void
add_cors (WhipEndpoint *endpoint, SoupServerMessage *msg)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (msg);
  const gchar *origin = soup_message_headers_get_one (
      soup_server_message_get_request_headers (msg), "Origin");
  gchar **allowed;
  guint i;

  if (!origin || !endpoint->cors_origins)
    return;
  allowed = g_strsplit (endpoint->cors_origins, ",", -1);
  for (i = 0; allowed[i]; i++) {
    const gchar *entry = g_strstrip (allowed[i]);

    if (!g_str_equal (entry, "*") && g_ascii_strcasecmp (entry, origin) != 0)
      continue;
    soup_message_headers_replace (
        headers, "Access-Control-Allow-Origin", origin);
    soup_message_headers_replace (headers, "Vary", "Origin");
    soup_message_headers_replace (headers, "Access-Control-Expose-Headers",
        "Location, ETag, Link, Warning");
    break;
  }
  g_strfreev (allowed);
}

static void
answer_options (SoupServerMessage *msg, const gchar *session_id)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (msg);
  const gchar *methods =
      session_id ? "OPTIONS, PATCH, DELETE" : "OPTIONS, POST";

  soup_message_headers_replace (headers, "Allow", methods);
  if (session_id)
    soup_message_headers_replace (headers, "Accept-Patch", WHIP_TYPE_FRAGMENT);
  else
    soup_message_headers_replace (headers, "Accept-Post", WHIP_TYPE_SDP);
  if (soup_message_headers_get_one (headers, "Access-Control-Allow-Origin")) {
    soup_message_headers_replace (
        headers, "Access-Control-Allow-Methods", methods);
    soup_message_headers_replace (headers, "Access-Control-Allow-Headers",
        "Authorization, Content-Type, If-Match");
    soup_message_headers_replace (headers, "Access-Control-Max-Age", "86400");
  }
  soup_server_message_set_status (msg, SOUP_STATUS_NO_CONTENT, NULL);
}

static gboolean
too_many_offers (WhipEndpoint *endpoint)
{
  gint64 second = g_get_monotonic_time () / G_USEC_PER_SEC;

  if (second != endpoint->second) {
    endpoint->second = second;
    endpoint->offers = 0;
  }
  return ++endpoint->offers > endpoint->max_offers;
}

static void
refuse_method (SoupServerMessage *msg, const gchar *session_id)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (msg),
      "Allow", session_id ? "OPTIONS, PATCH, DELETE" : "OPTIONS, POST");
  refuse (msg, SOUP_STATUS_METHOD_NOT_ALLOWED,
      session_id ? "This is a WHIP session: it takes PATCH and DELETE."
                 : "This is a WHIP endpoint: POST an SDP offer to it "
                   "(RFC 9725).");
}

typedef struct
{
  gsize size;
  gsize max;
} BodyLimit;

/* Chunked bodies have no length to check in advance. */
static void
on_chunk (SoupServerMessage *msg, GBytes *chunk, gpointer user_data)
{
  BodyLimit *limit = user_data;

  limit->size += g_bytes_get_size (chunk);
  if (limit->size <= limit->max)
    return;
  if (soup_server_message_get_status (msg) == 0)
    refuse (msg, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE,
        "The body of the request is too large.");
}

static void
limit_body (WhipEndpoint *endpoint, SoupServerMessage *msg)
{
  BodyLimit *limit = g_new0 (BodyLimit, 1);

  limit->max = endpoint->max_body;
  g_signal_connect_data (msg, "got-chunk", G_CALLBACK (on_chunk), limit,
      (GClosureNotify)(void (*) (void))g_free, 0);
}

/* libsoup 3.2 accepts it, with a warning of GObject. */
static gboolean
has_negative_length (SoupMessageHeaders *headers)
{
  return soup_message_headers_get_encoding (headers) ==
      SOUP_ENCODING_CONTENT_LENGTH &&
      soup_message_headers_get_content_length (headers) < 0;
}

static void
check_headers (
    WhipEndpoint *endpoint, SoupServerMessage *msg, const gchar *session_id)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (msg);
  const gchar *method = soup_server_message_get_method (msg);
  gboolean post = !session_id && g_str_equal (method, "POST");
  gboolean patch = session_id && g_str_equal (method, "PATCH");

  limit_body (endpoint, msg);
  add_cors (endpoint, msg);
  if (g_str_equal (method, "OPTIONS"))
    answer_options (msg, session_id);
  else if (!is_authorized (endpoint, msg)) {
    soup_message_headers_replace (
        soup_server_message_get_response_headers (msg), "WWW-Authenticate",
        "Bearer");
    refuse (msg, SOUP_STATUS_UNAUTHORIZED,
        "The bearer token is missing or wrong. Send \"Authorization: Bearer "
        "TOKEN\" with the token that the recorder was started with.");
  } else if (!post && !patch && !(session_id && g_str_equal (method, "DELETE")))
    refuse_method (msg, session_id);
  else if (has_negative_length (headers))
    refuse (msg, SOUP_STATUS_BAD_REQUEST, "The Content-Length is negative.");
  else if (soup_message_headers_get_encoding (headers) ==
          SOUP_ENCODING_CONTENT_LENGTH &&
      soup_message_headers_get_content_length (headers) >
          (goffset)endpoint->max_body)
    refuse (msg, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE,
        "The body of the request is too large.");
  else if (post && !has_type (msg, WHIP_TYPE_SDP))
    refuse (msg, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
        "The Content-Type of an offer is " WHIP_TYPE_SDP ".");
  else if (patch && !has_type (msg, WHIP_TYPE_FRAGMENT))
    refuse (msg, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
        "The Content-Type of a PATCH is " WHIP_TYPE_FRAGMENT ".");
  else if (post && too_many_offers (endpoint)) {
    soup_message_headers_replace (
        soup_server_message_get_response_headers (msg), "Retry-After", "1");
    refuse (msg, 429, "Too many offers in a second; come back later.");
  }
}

/* --- requests, on the thread of the listener --- */

/* --- location of a session, as the client sees it --- */

/* Returns the value of X-Forwarded-Prefix ("/rec"), which is set by proxies
 * that remove a prefix from the path. Returns NULL if there is none, or if it
 * is not valid in a URL. */
static const gchar *
forwarded_prefix (SoupMessageHeaders *headers)
{
  const gchar *prefix =
      soup_message_headers_get_one (headers, "X-Forwarded-Prefix");

  if (!prefix || prefix[0] != '/' || prefix[1] == '/' ||
      strlen (prefix) > 512 ||
      prefix[strspn (prefix,
          G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/-._~%!$&()*+=:@")] != '\0')
    return NULL;
  return prefix;
}

/* Returns TRUE if the Host header contains another port than ours, or a domain
 * without a port although our port is not the default of the scheme. */
static gboolean
host_is_other (WhipListener *server, const gchar *host)
{
  guint port = whip_listener_get_port (server);
  const gchar *colon = host ? strrchr (host, ':') : NULL;

  if (!host)
    return FALSE;
  if (colon && !strchr (colon, ']'))
    return g_ascii_strtoull (colon + 1, NULL, 10) != port;
  return port != 80 && port != 443 && strchr (host, '.') &&
      !g_hostname_is_ip_address (host);
}

static gboolean
is_proxied (WhipListener *server, SoupMessageHeaders *headers)
{
  static const gchar *const signs[] = { "Forwarded", "Via", "X-Forwarded-For",
    "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port",
    "X-Forwarded-Uri", "X-Forwarded-Server", "X-Forwarded-Prefix", "X-Real-IP",
    "X-Original-URI", "X-Original-URL" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (signs); i++)
    if (soup_message_headers_get_one (headers, signs[i]))
      return TRUE;
  return host_is_other (server, soup_message_headers_get_one (headers, "Host"));
}

/* OBS replaces the whole path by a Location that is not a URL. */
static gboolean
resolves_locations (SoupMessageHeaders *headers)
{
  const gchar *agent = soup_message_headers_get_one (headers, "User-Agent");

  return !agent || !strstr (agent, "OBS-Studio");
}

/* Returns the location of a session without its identifier. All clients
 * understand an absolute path. A proxy may have removed a prefix, which is kept
 * by a path relative to that of the request (RFC 3986 section 5.2). Caller
 * frees. */
static gchar *
session_base (
    WhipEndpoint *endpoint, WhipListener *server, SoupServerMessage *msg)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (msg);
  const gchar *prefix = forwarded_prefix (headers);
  const gchar *asked = g_uri_get_path (soup_server_message_get_uri (msg));
  gchar *path = g_strdup (endpoint->path), *base;

  while (g_str_has_suffix (path, "/"))
    path[strlen (path) - 1] = '\0';
  if (prefix)
    base = g_strconcat (prefix, g_str_has_suffix (prefix, "/") ? "" : "/",
        path + (*path == '/'), *path ? "/" : "", NULL);
  else if (!is_proxied (server, headers) || !resolves_locations (headers))
    base = g_strconcat (path, "/", NULL);
  else if (*path == '\0' || g_str_has_suffix (asked, "/"))
    base = g_strdup ("");
  else
    base = g_strconcat (strrchr (path, '/') + 1, "/", NULL);
  g_free (path);
  return base;
}

static void
handle (gpointer data, WhipListener *server, SoupServerMessage *msg,
    const gchar *session_id, gboolean early)
{
  WhipEndpoint *endpoint = data;
  const gchar *method = soup_server_message_get_method (msg);
  WhipRequest *request;

  if (early) {
    check_headers (endpoint, msg, session_id);
    return;
  }
  request = whip_request_new (server, msg, session_base (endpoint, server, msg),
      session_id, endpoint->ice_servers);
  soup_server_message_pause (msg);
  if (g_str_equal (method, "POST"))
    endpoint->callbacks.offer (request, endpoint->user_data);
  else if (g_str_equal (method, "PATCH"))
    endpoint->callbacks.patch (request, endpoint->user_data);
  else
    endpoint->callbacks.remove (request, endpoint->user_data);
}

/* --- life --- */

WhipEndpoint *
whip_endpoint_new (const WhipEndpointConfig *config,
    const WhipEndpointCallbacks *callbacks, gpointer user_data, GError **error)
{
  static const gchar *const none[] = { NULL };
  WhipListenerConfig server = { config->host, config->port,
    config->tls_certificate, config->tls_key, config->max_connections,
    config->idle_timeout };
  WhipEndpoint *endpoint = g_new0 (WhipEndpoint, 1);

  endpoint->callbacks = *callbacks;
  endpoint->user_data = user_data;
  endpoint->host = g_strdup (config->host);
  endpoint->path = g_strdup (config->path);
  endpoint->auth_token = g_strdup (config->auth_token);
  endpoint->cors_origins = g_strdup (config->cors_origins);
  endpoint->ice_servers =
      g_strdupv ((gchar **)(config->ice_servers ? config->ice_servers : none));
  endpoint->max_body = config->max_body;
  endpoint->max_offers = config->max_offers;
  if (!config->host)
    goto no_host;
  if (!config->path || config->path[0] != '/' || strstr (config->path, ".."))
    goto bad_path;
  endpoint->server =
      whip_listener_claim (&server, config->path, handle, endpoint, error);
  if (!endpoint->server)
    goto failed;
  return endpoint;

  /* ERRORS */
no_host:
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "There is no address to listen on. Set host, for example to "
      "\"127.0.0.1\".");
  goto failed;
bad_path:
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "The path \"%s\" cannot be used. Set path to something that begins with "
      "\"/\" and does not contain \"..\", for example \"/whip\".",
      config->path ? config->path : "");
failed:
  whip_endpoint_free (endpoint);
  return NULL;
}

void
whip_endpoint_free (WhipEndpoint *endpoint)
{
  if (!endpoint)
    return;
  if (endpoint->server)
    whip_listener_release (endpoint->server, endpoint->path);
  g_strfreev (endpoint->ice_servers);
  g_free (endpoint->cors_origins);
  g_free (endpoint->auth_token);
  g_free (endpoint->host);
  g_free (endpoint->path);
  g_free (endpoint);
}

gchar *
whip_endpoint_dup_url (WhipEndpoint *endpoint)
{
  gboolean v6 = strchr (endpoint->host, ':') != NULL;

  return g_strdup_printf ("%s://%s%s%s:%u%s",
      whip_listener_is_tls (endpoint->server) ? "https" : "http", v6 ? "[" : "",
      endpoint->host, v6 ? "]" : "", whip_listener_get_port (endpoint->server),
      endpoint->path);
}
