/* gst-tsrec: the HTTP side of a WHIP server (RFC 9725)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "whipendpoint.h"
#include "whiplistener.h"

#include <string.h>

#define TYPE_SDP "application/sdp"
#define TYPE_FRAGMENT "application/trickle-ice-sdpfrag"

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
  gint refused;

  GMutex lock;
  gchar *auth_token;

  /* server's thread only: offers since the second began */
  gint64 second;
  guint offers;
};

struct _WhipRequest
{
  /* Either @server, @msg and @base are set, or @func. */
  WhipListener *server;
  SoupServerMessage *msg;
  WhipReplyFunc func;
  gpointer func_data;
  gchar *base; /* of the session's location, up to its id */
  gchar *session_id;
  gchar *remote;
  gchar *local;
  gchar *if_match;
  gchar **ice_servers;
  GBytes *body;

  guint status;
  gchar *type;
  gchar *location;
  gchar *created_id;
  gchar *etag;
  gchar *warning;
  gchar *text;
};

/* --- answering --- */

static void
set_text (
    SoupServerMessage *msg, guint status, const gchar *type, const gchar *text)
{
  soup_server_message_set_status (msg, status, NULL);
  soup_server_message_set_response (
      msg, type, SOUP_MEMORY_COPY, text, strlen (text));
}

/* Refuses before the body has been read: what is still to come is not kept,
 * and the connection is closed after the answer. */
static void
refuse (SoupServerMessage *msg, guint status, const gchar *reason)
{
  gchar *text = g_strconcat (reason, "\n", NULL);

  soup_message_body_set_accumulate (
      soup_server_message_get_request_body (msg), FALSE);
  soup_message_headers_replace (
      soup_server_message_get_response_headers (msg), "Connection", "close");
  set_text (msg, status, "text/plain; charset=utf-8", text);
  g_free (text);
}

static void
request_free (gpointer data)
{
  WhipRequest *request = data;

  g_clear_object (&request->msg);
  g_clear_pointer (&request->server, whip_listener_unref);
  if (request->body)
    g_bytes_unref (request->body);
  g_strfreev (request->ice_servers);
  g_free (request->base);
  g_free (request->session_id);
  g_free (request->remote);
  g_free (request->local);
  g_free (request->if_match);
  g_free (request->type);
  g_free (request->location);
  g_free (request->created_id);
  g_free (request->etag);
  g_free (request->warning);
  g_free (request->text);
  g_free (request);
}

/* On the server's thread. */
static gboolean
send_reply (gpointer data)
{
  WhipRequest *request = data;
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (request->msg);
  guint i;

  if (request->location)
    soup_message_headers_replace (headers, "Location", request->location);
  if (request->etag) {
    gchar *quoted = g_strdup_printf ("\"%s\"", request->etag);

    soup_message_headers_replace (headers, "ETag", quoted);
    g_free (quoted);
  }
  if (request->warning)
    soup_message_headers_replace (headers, "Warning", request->warning);
  for (i = 0; request->location && request->ice_servers[i]; i++)
    soup_message_headers_append (headers, "Link", request->ice_servers[i]);
  if (request->status == SOUP_STATUS_SERVICE_UNAVAILABLE ||
      request->status == 429)
    soup_message_headers_replace (headers, "Retry-After", "1");
  if (request->text)
    set_text (request->msg, request->status, request->type, request->text);
  else
    soup_server_message_set_status (request->msg, request->status, NULL);
  soup_server_message_unpause (request->msg);
  return G_SOURCE_REMOVE;
}

static void
call_back (WhipRequest *request)
{
  static const gchar *const none[] = { NULL };
  WhipReply answer = { .status = request->status,
    .type = request->type,
    .text = request->text,
    .session_id = request->created_id,
    .etag = request->etag,
    .warning = request->warning,
    .links = none };

  if (request->created_id)
    answer.links = (const gchar *const *)request->ice_servers;
  request->func (&answer, request->func_data);
  request_free (request);
}

static void
reply (WhipRequest *request)
{
  WhipListener *server;

  if (request->func) {
    call_back (request);
    return;
  }
  server = whip_listener_ref (request->server);
  whip_listener_invoke (server, send_reply, request, request_free);
  whip_listener_unref (server);
}

/* 299 is a warning that lasts. Names in @text may be the client's own words:
 * what does not belong into a quoted string is left out. Caller frees. */
static gchar *
make_warning (const gchar *text)
{
  GString *value = g_string_new ("299 gst-tsrec \"");

  for (; *text; text++)
    if (g_ascii_isprint (*text) && *text != '"' && *text != '\\')
      g_string_append_c (value, *text);
  g_string_append_c (value, '"');
  return g_string_free (value, FALSE);
}

void
whip_request_reply_created (WhipRequest *request, const gchar *session_id,
    const gchar *etag, const gchar *answer, const gchar *warning)
{
  request->status = SOUP_STATUS_CREATED;
  request->type = g_strdup (TYPE_SDP);
  request->created_id = g_strdup (session_id);
  if (request->base)
    request->location = g_strconcat (request->base, session_id, NULL);
  request->etag = g_strdup (etag);
  request->text = g_strdup (answer);
  request->warning = warning ? make_warning (warning) : NULL;
  reply (request);
}

void
whip_request_reply_fragment (
    WhipRequest *request, const gchar *etag, const gchar *fragment)
{
  request->status = SOUP_STATUS_OK;
  request->type = g_strdup (TYPE_FRAGMENT);
  request->etag = g_strdup (etag);
  request->text = g_strdup (fragment);
  reply (request);
}

void
whip_request_reply (WhipRequest *request, guint status, const gchar *reason)
{
  request->status = status;
  request->type = g_strdup ("text/plain; charset=utf-8");
  request->text = reason ? g_strconcat (reason, "\n", NULL) : NULL;
  reply (request);
}

const gchar *
whip_request_get_body (WhipRequest *request, gsize *length)
{
  return g_bytes_get_data (request->body, length);
}

const gchar *
whip_request_get_session_id (WhipRequest *request)
{
  return request->session_id;
}

const gchar *
whip_request_get_local (WhipRequest *request)
{
  return request->local;
}

const gchar *
whip_request_get_remote (WhipRequest *request)
{
  return request->remote;
}

const gchar *
whip_request_get_if_match (WhipRequest *request)
{
  return request->if_match;
}

/* --- checks, on the server's thread --- */

/* Takes the same time wherever the first difference is. */
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
  gboolean ok;

  g_mutex_lock (&endpoint->lock);
  ok = !endpoint->auth_token ||
      (header && g_ascii_strncasecmp (header, "Bearer ", 7) == 0 &&
          equal_secret (header + 7, endpoint->auth_token));
  g_mutex_unlock (&endpoint->lock);
  return ok;
}

static gboolean
has_type (SoupServerMessage *msg, const gchar *type)
{
  const gchar *value = soup_message_headers_get_content_type (
      soup_server_message_get_request_headers (msg), NULL);

  return value && g_ascii_strcasecmp (value, type) == 0;
}

/* Web pages of the listed origins may read the answer, and its headers. */
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
    soup_message_headers_replace (headers, "Accept-Patch", TYPE_FRAGMENT);
  else
    soup_message_headers_replace (headers, "Accept-Post", TYPE_SDP);
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

/* libsoup 3.2 passes it on, with a warning of GObject. */
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
  else if (post && !has_type (msg, TYPE_SDP))
    refuse (msg, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
        "The Content-Type of an offer is " TYPE_SDP ".");
  else if (patch && !has_type (msg, TYPE_FRAGMENT))
    refuse (msg, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE,
        "The Content-Type of a PATCH is " TYPE_FRAGMENT ".");
  else if (post && too_many_offers (endpoint)) {
    soup_message_headers_replace (
        soup_server_message_get_response_headers (msg), "Retry-After", "1");
    refuse (msg, 429, "Too many offers in a second; come back later.");
  }
}

/* --- requests, on the server's thread --- */

static gchar *
local_address (SoupServerMessage *msg)
{
  GSocketAddress *address = soup_server_message_get_local_address (msg);

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return NULL;
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

/* --- where a session is, as the client sees it --- */

/* "/rec" of X-Forwarded-Prefix, which proxies set that take a prefix off the
 * path; NULL when there is none, or none that can stand in a URL. */
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

/* Host names another port than ours, or a domain and no port where ours is not
 * that of its scheme. */
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

/* OBS puts whatever is no URL in place of the whole path. */
static gboolean
resolves_locations (SoupMessageHeaders *headers)
{
  const gchar *agent = soup_message_headers_get_one (headers, "User-Agent");

  return !agent || !strstr (agent, "OBS-Studio");
}

/* A path from the root is what every client understands. A proxy may have taken
 * a prefix off it, which a path that is relative to that of the request keeps
 * (RFC 3986 section 5.2). Caller frees. */
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

static WhipRequest *
request_new (WhipEndpoint *endpoint, WhipListener *server,
    SoupServerMessage *msg, const gchar *session_id)
{
  WhipRequest *request = g_new0 (WhipRequest, 1);

  request->server = whip_listener_ref (server);
  request->msg = g_object_ref (msg);
  request->base = session_base (endpoint, server, msg);
  request->session_id = g_strdup (session_id);
  request->remote = g_strdup (soup_server_message_get_remote_host (msg));
  request->local = local_address (msg);
  request->if_match = g_strdup (soup_message_headers_get_list (
      soup_server_message_get_request_headers (msg), "If-Match"));
  request->ice_servers = g_strdupv (endpoint->ice_servers);
  request->body =
      soup_message_body_flatten (soup_server_message_get_request_body (msg));
  return request;
}

WhipRequest *
whip_request_new (
    const WhipRequestFields *fields, WhipReplyFunc func, gpointer user_data)
{
  static const gchar *const none[] = { NULL };
  WhipRequest *request = g_new0 (WhipRequest, 1);

  request->func = func;
  request->func_data = user_data;
  request->session_id = g_strdup (fields->session_id);
  request->body = g_bytes_new (fields->body, fields->body_length);
  request->if_match = g_strdup (fields->if_match);
  request->local = g_strdup (fields->local);
  request->remote = g_strdup (fields->remote);
  request->ice_servers =
      g_strdupv ((gchar **)(fields->ice_servers ? fields->ice_servers : none));
  return request;
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
    if (soup_server_message_get_status (msg) >= 400)
      g_atomic_int_inc (&endpoint->refused);
    return;
  }
  request = request_new (endpoint, server, msg, session_id);
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

  g_mutex_init (&endpoint->lock);
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
  g_mutex_clear (&endpoint->lock);
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

void
whip_endpoint_set_auth_token (WhipEndpoint *endpoint, const gchar *token)
{
  g_mutex_lock (&endpoint->lock);
  g_free (endpoint->auth_token);
  endpoint->auth_token = g_strdup (token);
  g_mutex_unlock (&endpoint->lock);
}

guint64
whip_endpoint_get_refused (WhipEndpoint *endpoint)
{
  return (guint)g_atomic_int_get (&endpoint->refused);
}
