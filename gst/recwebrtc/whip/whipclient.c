/* gst-tsrec: the HTTP side of a WHIP or WHEP client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "whipclient.h"

#include <libsoup/soup.h>
#include <string.h>

// clang-format off
G_DEFINE_QUARK (whip-client-error-quark, whip_client_error)
// clang-format on

#define MAX_REDIRECTS 5
#define TIMEOUT_S 10
#define MAX_ANSWER (256 * 1024)

struct _WhipClient
{
  GMainContext *context;
  SoupSession *soup;
  GCancellable *cancellable;
  gchar *url;
  gchar *token;
  gboolean insecure;
  gchar *session;
  /* the answer was sent over HTTPS, and @session is HTTP */
  gboolean session_is_plain;
};

/* A request in progress. The client may be freed before the request ends: then
 * it was cancelled, and
 * @client is not used. */
typedef struct
{
  WhipClient *client;
  GCancellable *cancellable;
  SoupMessage *msg;
  gchar *offer;
  GInputStream *stream;
  gchar *body;
  guint redirects;
  WhipClientAnswerFunc answer_func;
  WhipClientDoneFunc done_func;
  gpointer user_data;
} Exchange;

static void
exchange_free (Exchange *exchange)
{
  g_object_unref (exchange->cancellable);
  g_clear_object (&exchange->msg);
  g_clear_object (&exchange->stream);
  g_free (exchange->body);
  g_free (exchange->offer);
  g_free (exchange);
}

static Exchange *
exchange_new (WhipClient *client, gpointer user_data)
{
  Exchange *exchange = g_new0 (Exchange, 1);

  exchange->client = client;
  exchange->cancellable = g_object_ref (client->cancellable);
  exchange->user_data = user_data;
  return exchange;
}

static gboolean
on_certificate (SoupMessage *msg, GTlsCertificate *certificate,
    GTlsCertificateFlags flags, gpointer user_data)
{
  return TRUE;
}

/* Returns the address for messages: without a password and a query, which may
 * contain a token. Caller frees. */
static gchar *
display_url (SoupMessage *msg)
{
  return g_uri_to_string_partial (soup_message_get_uri (msg),
      G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY | G_URI_HIDE_FRAGMENT);
}

static SoupMessage *
new_message (
    WhipClient *client, const gchar *method, const gchar *url, GError **error)
{
  SoupMessage *msg = soup_message_new (method, url);
  gchar *value;

  if (!msg) {
    g_set_error_literal (error, WHIP_CLIENT_ERROR, 400,
        "This is not a URL. Set location to the http(s) URL of a WHIP or WHEP "
        "endpoint.");
    return NULL;
  }
  soup_message_add_flags (msg, SOUP_MESSAGE_NO_REDIRECT);
  if (client->insecure)
    g_signal_connect (
        msg, "accept-certificate", G_CALLBACK (on_certificate), NULL);
  if (client->token) {
    value = g_strconcat ("Bearer ", client->token, NULL);
    soup_message_headers_replace (
        soup_message_get_request_headers (msg), "Authorization", value);
    g_free (value);
  }
  return msg;
}

/* --- offers --- */

static void post_offer (Exchange *exchange, const gchar *url);

static void
finish_offer (Exchange *exchange, const gchar *answer, const GError *error,
    gboolean temporary)
{
  exchange->answer_func (
      exchange->client, answer, error, temporary, exchange->user_data);
  exchange_free (exchange);
}

static gboolean
is_redirect (guint status)
{
  return status == 301 || status == 302 || status == 307 || status == 308;
}

static gchar *
resolve_location (SoupMessage *msg)
{
  const gchar *location = soup_message_headers_get_one (
      soup_message_get_response_headers (msg), "Location");
  GUri *uri = location ? g_uri_parse_relative (soup_message_get_uri (msg),
                             location, SOUP_HTTP_URI_FLAGS, NULL)
                       : NULL;
  gchar *url = uri ? g_uri_to_string (uri) : NULL;

  if (uri)
    g_uri_unref (uri);
  return url;
}

/* Returns the text of the server's answer on one line, for the error
 * message. */
static gchar *
excerpt (GBytes *body)
{
  gsize size = 0;
  const gchar *data = body ? g_bytes_get_data (body, &size) : NULL;
  gchar *text = g_strndup (data ? data : "", MIN (size, 300));
  gchar *valid = g_utf8_make_valid (text, -1);

  g_free (text);
  return g_strstrip (g_strdelimit (valid, "\r\n", ' '));
}

static const gchar *
advice (guint status)
{
  switch (status) {
    case 401:
    case 403:
      return "Set auth-token or auth-token-file to the token that the server "
             "expects.";
    case 404:
    case 405:
      return "Check the path in location.";
    case 409:
      return "Another publisher is connected there.";
    default:
      return "";
  }
}

static void
refused (Exchange *exchange, guint status, GBytes *body)
{
  gchar *said = excerpt (body);
  gchar *url = display_url (exchange->msg);
  GError *error =
      g_error_new (WHIP_CLIENT_ERROR, (gint)status, "%s answered %u %s: %s %s",
          url, status, soup_status_get_phrase (status), said, advice (status));

  finish_offer (exchange, NULL, error,
      status >= 500 || status == 409 || status == 429 || status == 408);
  g_error_free (error);
  g_free (url);
  g_free (said);
}

/* A redirect from HTTPS to HTTP would expose the token. */
static gboolean
is_downgrade (SoupMessage *msg, const gchar *url)
{
  const gchar *from = g_uri_get_scheme (soup_message_get_uri (msg));

  return g_str_equal (from, "https") && !g_str_has_prefix (url, "https:");
}

static void
accept_answer (Exchange *exchange, GBytes *body)
{
  WhipClient *client = exchange->client;
  gsize size = g_bytes_get_size (body);
  gchar *answer;

  g_free (client->session);
  client->session = resolve_location (exchange->msg);
  client->session_is_plain =
      client->session && is_downgrade (exchange->msg, client->session);
  if (size == 0) {
    refused (exchange, soup_message_get_status (exchange->msg), body);
    return;
  }
  answer = g_strndup (g_bytes_get_data (body, NULL), size);
  finish_offer (exchange, answer, NULL, FALSE);
  g_free (answer);
}

/* Returns FALSE if the message is not a redirect that can be followed. */
static gboolean
follow_redirect (Exchange *exchange)
{
  WhipClient *client = exchange->client;
  gchar *url = resolve_location (exchange->msg);

  if (!url || exchange->redirects++ >= MAX_REDIRECTS)
    goto not_followed;
  if (client->token && is_downgrade (exchange->msg, url))
    goto not_followed;
  g_clear_object (&exchange->msg);
  post_offer (exchange, url);
  g_free (url);
  return TRUE;

  /* ERRORS */
not_followed:
  g_free (url);
  return FALSE;
}

static const gchar *
certificate_fault (GTlsCertificateFlags flags)
{
  if (flags & G_TLS_CERTIFICATE_EXPIRED)
    return "it has expired";
  if (flags & G_TLS_CERTIFICATE_NOT_ACTIVATED)
    return "it is not valid yet";
  if (flags & G_TLS_CERTIFICATE_BAD_IDENTITY)
    return "it is for another host";
  if (flags & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return "it is not signed by an authority that this system trusts";
  if (flags & G_TLS_CERTIFICATE_REVOKED)
    return "it was revoked";
  return "it is not acceptable";
}

/* No other flag ends an attempt. */
static gboolean
is_tls_refusal (const GError *error)
{
  return g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE) ||
      g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED) ||
      g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_NOT_TLS) ||
      g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE);
}

static void
refuse_tls (Exchange *exchange, const GError *error)
{
  gchar *url = display_url (exchange->msg);
  GError *reason;

  if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE))
    reason = g_error_new (WHIP_CLIENT_ERROR, 0,
        "The certificate of %s was refused: %s. Install one that this system "
        "trusts for that host, or take any with insecure-tls=true.",
        url,
        certificate_fault (
            soup_message_get_tls_peer_certificate_errors (exchange->msg)));
  else
    reason = g_error_new (WHIP_CLIENT_ERROR, 0,
        "Could not speak TLS with %s: %s. Check location (http or https), and "
        "that glib-networking is installed.",
        url, error->message);
  g_free (url);
  finish_offer (exchange, NULL, reason, FALSE);
  g_error_free (reason);
}

static void
unreachable (Exchange *exchange, const GError *error)
{
  gchar *url = display_url (exchange->msg);
  GError *reason = g_error_new (WHIP_CLIENT_ERROR, 0,
      "Could not reach %s: %s. Check location, and that the server runs.", url,
      error->message);

  g_free (url);
  finish_offer (exchange, NULL, reason, TRUE);
  g_error_free (reason);
}

/* The answer is longer than any valid one. */
static void
too_long (Exchange *exchange)
{
  gchar *url = display_url (exchange->msg);
  GError *reason = g_error_new (WHIP_CLIENT_ERROR, 0,
      "The answer of %s is longer than %d bytes. Check location.", url,
      MAX_ANSWER);

  /* Closing the stream would read the remainder. */
  soup_session_abort (exchange->client->soup);
  g_free (url);
  finish_offer (exchange, NULL, reason, FALSE);
  g_error_free (reason);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Exchange *exchange = user_data;
  guint status = soup_message_get_status (exchange->msg);
  GError *error = NULL;
  gsize size = 0;
  gboolean ok = g_input_stream_read_all_finish (
      G_INPUT_STREAM (source), result, &size, &error);
  GBytes *body = g_bytes_new_take (g_steal_pointer (&exchange->body), size);

  if (ok && size <= MAX_ANSWER)
    g_input_stream_close_async (
        exchange->stream, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
  g_clear_object (&exchange->stream);
  if (g_cancellable_is_cancelled (exchange->cancellable))
    exchange_free (exchange);
  else if (!ok)
    unreachable (exchange, error);
  else if (size > MAX_ANSWER)
    too_long (exchange);
  else if (is_redirect (status) && follow_redirect (exchange))
    ;
  else if (status == 201 || status == 200)
    accept_answer (exchange, body);
  else
    refused (exchange, status, body);
  g_clear_error (&error);
  g_bytes_unref (body);
}

static void
on_headers (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Exchange *exchange = user_data;
  GError *error = NULL;

  exchange->stream =
      soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (g_cancellable_is_cancelled (exchange->cancellable)) {
    exchange_free (exchange);
  } else if (!exchange->stream && is_tls_refusal (error)) {
    refuse_tls (exchange, error);
  } else if (!exchange->stream) {
    unreachable (exchange, error);
  } else {
    exchange->body = g_malloc (MAX_ANSWER + 1);
    g_input_stream_read_all_async (exchange->stream, exchange->body,
        MAX_ANSWER + 1, G_PRIORITY_DEFAULT, exchange->cancellable, on_answer,
        exchange);
  }
  g_clear_error (&error);
}

static void
post_offer (Exchange *exchange, const gchar *url)
{
  WhipClient *client = exchange->client;
  GError *error = NULL;
  GBytes *body;

  exchange->msg = new_message (client, "POST", url, &error);
  if (!exchange->msg) {
    finish_offer (exchange, NULL, error, FALSE);
    g_error_free (error);
    return;
  }
  body = g_bytes_new (exchange->offer, strlen (exchange->offer));
  soup_message_set_request_body_from_bytes (
      exchange->msg, "application/sdp", body);
  g_bytes_unref (body);
  soup_message_headers_replace (
      soup_message_get_request_headers (exchange->msg), "Accept",
      "application/sdp");
  soup_session_send_async (client->soup, exchange->msg, G_PRIORITY_DEFAULT,
      exchange->cancellable, on_headers, exchange);
}

void
whip_client_offer (WhipClient *client, const gchar *offer,
    WhipClientAnswerFunc func, gpointer user_data)
{
  Exchange *exchange = exchange_new (client, user_data);

  exchange->offer = g_strdup (offer);
  exchange->answer_func = func;
  post_offer (exchange, client->url);
}

/* --- DELETE --- */

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Exchange *exchange = user_data;
  GError *error = NULL;
  GBytes *body =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);

  if (!g_cancellable_is_cancelled (exchange->cancellable) &&
      exchange->done_func)
    exchange->done_func (exchange->client, error, exchange->user_data);
  g_clear_error (&error);
  g_clear_pointer (&body, g_bytes_unref);
  exchange_free (exchange);
}

void
whip_client_remove (
    WhipClient *client, WhipClientDoneFunc func, gpointer user_data)
{
  gchar *url = g_steal_pointer (&client->session);
  Exchange *exchange;
  SoupMessage *msg = url ? new_message (client, "DELETE", url, NULL) : NULL;

  g_free (url);
  if (!msg) {
    if (func)
      func (client, NULL, user_data);
    return;
  }
  /* The server may be behind an HTTPS proxy and unaware of it. */
  if (client->session_is_plain)
    soup_message_headers_remove (
        soup_message_get_request_headers (msg), "Authorization");
  exchange = exchange_new (client, user_data);
  exchange->msg = msg;
  exchange->done_func = func;
  soup_session_send_and_read_async (client->soup, exchange->msg,
      G_PRIORITY_DEFAULT, exchange->cancellable, on_removed, exchange);
}

static void
set_done (WhipClient *client, const GError *error, gpointer user_data)
{
  *(gboolean *)user_data = TRUE;
}

static gboolean
on_timeout (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

void
whip_client_remove_sync (WhipClient *client, guint timeout_ms)
{
  gboolean done = FALSE;
  GSource *timeout;

  if (!client->session)
    return;
  timeout = g_timeout_source_new (timeout_ms);
  g_source_set_callback (timeout, on_timeout, &done, NULL);
  g_source_attach (timeout, client->context);
  whip_client_remove (client, set_done, &done);
  while (!done)
    g_main_context_iteration (client->context, TRUE);
  g_source_destroy (timeout);
  g_source_unref (timeout);
  /* A late answer is ignored. */
  g_cancellable_cancel (client->cancellable);
}

const gchar *
whip_client_get_session (WhipClient *client)
{
  return client->session;
}

gchar *
whip_client_dup_host (WhipClient *client)
{
  GUri *uri = g_uri_parse (client->url, SOUP_HTTP_URI_FLAGS, NULL);
  gchar *host = uri ? g_strdup (g_uri_get_host (uri)) : NULL;

  g_clear_pointer (&uri, g_uri_unref);
  return host;
}

/* --- life --- */

WhipClient *
whip_client_new (GMainContext *context, const gchar *url, const gchar *token,
    gboolean insecure)
{
  WhipClient *client = g_new0 (WhipClient, 1);

  client->context = g_main_context_ref (context);
  client->soup = soup_session_new_with_options (
      "timeout", TIMEOUT_S, "user-agent", "gst-tsrec ", NULL);
  client->cancellable = g_cancellable_new ();
  client->url = g_strdup (url);
  client->token = g_strdup (token);
  client->insecure = insecure;
  return client;
}

void
whip_client_free (WhipClient *client)
{
  if (!client)
    return;
  g_cancellable_cancel (client->cancellable);
  soup_session_abort (client->soup);
  g_object_unref (client->cancellable);
  g_object_unref (client->soup);
  g_main_context_unref (client->context);
  g_free (client->url);
  g_free (client->token);
  g_free (client->session);
  g_free (client);
}
