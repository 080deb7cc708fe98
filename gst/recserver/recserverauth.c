/* gst-tsrec: authorization of requests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverauth.h"
#include "recservererror.h"
#include "recserverjson.h"

#include <string.h>

/* Seconds that auth-url may take. */
#define ASK_TIMEOUT 5
#define COOKIE "tsrec="

const gchar *
rec_server_role_get_name (RecServerRole role)
{
  switch (role) {
    case REC_SERVER_ROLE_PUBLISH:
      return "publish";
    case REC_SERVER_ROLE_WATCH:
      return "watch";
    case REC_SERVER_ROLE_CONTROL:
      return "control";
    default:
      return "none";
  }
}

/* --- origin and host --- */

static gboolean
is_loopback_name (const gchar *host)
{
  gchar *name = g_strdup (host);
  gchar *colon = strrchr (name, ':');
  gboolean loopback;

  if (colon && !strchr (colon, ']'))
    *colon = '\0';
  loopback = g_ascii_strcasecmp (name, "localhost") == 0 ||
      g_str_equal (name, "[::1]");
  if (!loopback && g_str_has_prefix (name, "127."))
    loopback = g_hostname_is_ip_address (name);
  g_free (name);
  return loopback;
}

static gboolean
is_own_origin (const gchar *origin, const gchar *host)
{
  const gchar *rest = strstr (origin, "://");

  return rest && host && g_ascii_strcasecmp (rest + 3, host) == 0;
}

static gboolean
is_allowed_origin (const RecServerConfig *config, const gchar *origin)
{
  for (gchar **o = config->allow_origins; *o; o++)
    if (g_str_equal (*o, "*") || g_ascii_strcasecmp (*o, origin) == 0)
      return TRUE;
  return FALSE;
}

static void
add_cors (RecServerRequest *request, const gchar *origin)
{
  static const gchar *const headers[][2] = {
    { "Vary", "Origin" },
    { "Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE" },
    { "Access-Control-Allow-Headers",
        "Authorization, Content-Type, If-Match, Range, Last-Event-ID" },
    { "Access-Control-Expose-Headers",
        "Location, ETag, Link, Warning, Retry-After, Content-Range" },
    { "Access-Control-Max-Age", "86400" },
  };

  rec_server_request_set_header (
      request, "Access-Control-Allow-Origin", origin);
  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    rec_server_request_set_header (request, headers[i][0], headers[i][1]);
}

gboolean
rec_server_auth_check_origin (
    const RecServerConfig *config, RecServerRequest *request, GError **error)
{
  const gchar *host = rec_server_request_get_header (request, "Host");
  const gchar *origin = rec_server_request_get_header (request, "Origin");

  /* A page elsewhere whose name was made to resolve to this machine. */
  if (!config->has_auth && host && !is_loopback_name (host)) {
    rec_server_error_set (error, 421, "wrong host",
        "Without an [auth] section this server answers to localhost only.");
    return FALSE;
  }
  if (!origin || is_own_origin (origin, host))
    return TRUE;
  if (is_allowed_origin (config, origin)) {
    add_cors (request, origin);
    return TRUE;
  }
  rec_server_error_set (error, 403, "origin not allowed",
      "Pages of another origin may not use this server. Add the origin to "
      "allow-origins in [server].");
  return FALSE;
}

/* --- tokens --- */

/* Takes the same time wherever the first difference is. */
static gboolean
equal_secret (const gchar *a, const gchar *b)
{
  gsize n = strlen (a), m = strlen (b);
  guint difference = n != m;

  for (gsize i = 0; i < n; i++)
    difference |= (guchar)a[i] ^ (guchar)b[m ? i % m : 0];
  return difference == 0;
}

/* The cookie is for what a browser loads by itself, as a video: it is not sent
 * by pages of other sites. Caller frees. */
static gchar *
dup_token (RecServerRequest *request)
{
  const gchar *header =
      rec_server_request_get_header (request, "Authorization");
  const gchar *cookie = rec_server_request_get_header (request, "Cookie");
  gchar *token = NULL, **parts;

  if (header && g_ascii_strncasecmp (header, "Bearer ", 7) == 0)
    return g_strdup (header + 7);
  if (!cookie)
    return NULL;
  parts = g_strsplit (cookie, ";", 50);
  for (guint i = 0; parts[i] && !token; i++) {
    g_strstrip (parts[i]);
    if (g_str_has_prefix (parts[i], COOKIE))
      token = g_uri_unescape_string (parts[i] + strlen (COOKIE), NULL);
  }
  g_strfreev (parts);
  return token;
}

static const RecServerToken *
find_token (const RecServerConfig *config, const gchar *token,
    RecServerRole role, const gchar *id, gboolean *known)
{
  const RecServerToken *found = NULL;

  *known = FALSE;
  for (guint i = 0; token && i < config->tokens->len; i++) {
    const RecServerToken *candidate = g_ptr_array_index (config->tokens, i);

    if (!equal_secret (token, candidate->token))
      continue;
    *known = TRUE;
    if (!found && (candidate->roles & role) &&
        (!id || g_pattern_match_simple (candidate->pattern, id)))
      found = candidate;
  }
  return found;
}

gboolean
rec_server_auth_check (const RecServerConfig *config, RecServerRequest *request,
    RecServerRole role, const gchar *id, gboolean *ask, GError **error)
{
  const RecServerToken *found;
  gboolean known;
  gchar *token;

  *ask = FALSE;
  if (!config->has_auth || role == REC_SERVER_ROLE_NONE)
    return TRUE;
  token = dup_token (request);
  found = find_token (config, token, role, id, &known);
  g_free (token);
  if (found) {
    rec_server_request_set_authorized (request, TRUE);
    rec_server_request_set_pattern (request, found->pattern);
    return TRUE;
  }
  *ask = !known && config->auth_url != NULL;
  if (*ask)
    return TRUE;
  if (known)
    rec_server_error_set (error, 403, "not allowed",
        "This token does not allow to %s%s%s.", rec_server_role_get_name (role),
        id ? " " : "", id ? id : "");
  else
    rec_server_error_set (error, 401, "token missing or wrong",
        "Send \"Authorization: Bearer TOKEN\" with a token of the [auth] "
        "section.");
  return FALSE;
}

/* --- auth-url --- */

typedef struct
{
  RecServerRequest *request;
  RecServerAuthFunc func;
  gpointer user_data;
  SoupSession *session;
  SoupMessage *msg;
} Question;

static void
on_answer (GObject *object, GAsyncResult *result, gpointer data)
{
  Question *question = data;
  GError *reason = NULL, *error = NULL;
  GInputStream *stream =
      soup_session_send_finish (SOUP_SESSION (object), result, &reason);
  guint status = soup_message_get_status (question->msg);

  if (!stream)
    rec_server_error_set (&error, 503, "authorization not available",
        "The server at auth-url did not answer: %s.", reason->message);
  else if (status / 100 == 2)
    rec_server_request_set_authorized (question->request, TRUE);
  else if (status == 401)
    rec_server_error_set (&error, 401, "token missing or wrong",
        "The server at auth-url refused it.");
  else
    rec_server_error_set (&error, 403, "not allowed",
        "The server at auth-url refused it with HTTP %u.", status);
  question->func (error, question->user_data);
  g_clear_error (&error);
  g_clear_error (&reason);
  g_clear_object (&stream);
  rec_server_request_unref (question->request);
  g_object_unref (question->msg);
  g_object_unref (question->session);
  g_free (question);
}

static gchar *
make_question (RecServerRequest *request, RecServerRole role, const gchar *id)
{
  JsonObject *object = json_object_new ();
  gchar *token = dup_token (request);

  json_object_set_string_member (
      object, "action", rec_server_role_get_name (role));
  if (id)
    json_object_set_string_member (object, "id", id);
  if (token)
    json_object_set_string_member (object, "token", token);
  json_object_set_string_member (
      object, "address", rec_server_request_get_remote (request));
  g_free (token);
  return rec_server_json_to_string (object);
}

void
rec_server_auth_ask (const RecServerConfig *config, RecServerRequest *request,
    RecServerRole role, const gchar *id, RecServerAuthFunc func,
    gpointer user_data)
{
  Question *question;
  SoupMessage *msg = soup_message_new ("POST", config->auth_url);
  GError *error = NULL;
  GBytes *body;
  gchar *text;

  if (!msg) {
    rec_server_error_set (
        &error, 503, "authorization not available", "auth-url is no URL.");
    func (error, user_data);
    g_error_free (error);
    return;
  }
  text = make_question (request, role, id);
  body = g_bytes_new_take (text, strlen (text));
  soup_message_set_request_body_from_bytes (msg, "application/json", body);
  g_bytes_unref (body);
  soup_message_add_flags (msg, SOUP_MESSAGE_NO_REDIRECT);
  question = g_new0 (Question, 1);
  question->request = rec_server_request_ref (request);
  question->func = func;
  question->user_data = user_data;
  question->msg = msg;
  question->session =
      soup_session_new_with_options ("timeout", ASK_TIMEOUT, NULL);
  soup_session_send_async (
      question->session, msg, G_PRIORITY_DEFAULT, NULL, on_answer, question);
}
