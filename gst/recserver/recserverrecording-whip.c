/* gst-tsrec: passes requests of WHIP publishers on to recwhipsrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverrecording-private.h"
#include "recservererror.h"

#include <string.h>

typedef struct
{
  RecServerRecording *recording;
  RecServerRequest *request;
  gchar *session_id;
  GMainContext *context;
  GstPromise *promise;
} WhipCall;

static void
whip_call_free (gpointer data)
{
  WhipCall *call = data;

  rec_server_recording_unref (call->recording);
  rec_server_request_unref (call->request);
  g_clear_pointer (&call->promise, gst_promise_unref);
  g_main_context_unref (call->context);
  g_free (call->session_id);
  g_free (call);
}

/* --- the answer --- */

/* "/rec" of X-Forwarded-Prefix, which proxies set that take a prefix off the
 * path; "" when there is none, or none that can stand in a URL. */
static const gchar *
get_prefix (RecServerRequest *request)
{
  const gchar *prefix =
      rec_server_request_get_header (request, "X-Forwarded-Prefix");

  if (!prefix || prefix[0] != '/' || prefix[1] == '/' ||
      strlen (prefix) > 512 ||
      prefix[strspn (
          prefix, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/-._~")] != '\0')
    return "";
  return prefix;
}

static void
set_created_headers (WhipCall *call, const GstStructure *reply)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (
      rec_server_request_get_message (call->request));
  const gchar *session_id = gst_structure_get_string (reply, "session-id");
  const GValue *links = gst_structure_get_value (reply, "links");
  gchar **link = links ? g_value_get_boxed (links) : NULL;
  gchar *location;

  if (!session_id)
    return;
  location = g_strdup_printf ("%s/whip/%s/%s", get_prefix (call->request),
      call->recording->id, session_id);
  soup_message_headers_replace (headers, "Location", location);
  for (; link && *link; link++)
    soup_message_headers_append (headers, "Link", *link);
  g_free (location);
}

static void
set_headers (WhipCall *call, const GstStructure *reply)
{
  const gchar *etag = gst_structure_get_string (reply, "etag");
  const gchar *warning = gst_structure_get_string (reply, "warning");

  if (etag) {
    gchar *quoted = g_strdup_printf ("\"%s\"", etag);

    rec_server_request_set_header (call->request, "ETag", quoted);
    g_free (quoted);
  }
  if (warning)
    rec_server_request_set_header (call->request, "Warning", warning);
  set_created_headers (call, reply);
}

static void
reply_refusal (WhipCall *call, guint status, const gchar *text)
{
  GError *error = NULL;
  gchar *detail = g_strdup (text ? text : "");

  rec_server_error_set (&error, status,
      status == 422 ? "no usable codec" : "refused", "%s", g_strchomp (detail));
  rec_server_request_reply_error (call->request, error);
  g_free (detail);
}

static gboolean
send_reply (gpointer data)
{
  WhipCall *call = data;
  const GstStructure *reply =
      gst_promise_wait (call->promise) == GST_PROMISE_RESULT_REPLIED
      ? gst_promise_get_reply (call->promise)
      : NULL;
  guint status = 503;

  if (reply)
    gst_structure_get_uint (reply, "status", &status);
  if (status >= 400) {
    reply_refusal (
        call, status, reply ? gst_structure_get_string (reply, "body") : NULL);
    return G_SOURCE_REMOVE;
  }
  set_headers (call, reply);
  rec_server_request_reply_text (call->request, status,
      gst_structure_get_string (reply, "content-type"),
      gst_structure_get_string (reply, "body"));
  return G_SOURCE_REMOVE;
}

/* On any thread. */
static void
on_replied (GstPromise *promise, gpointer data)
{
  WhipCall *call = data;
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, send_reply, call, whip_call_free);
  g_source_attach (source, call->context);
  g_source_unref (source);
}

/* --- the request --- */

static GstStructure *
make_structure (WhipCall *call)
{
  RecServerRequest *request = call->request;
  GBytes *bytes = rec_server_request_dup_body (request);
  gsize length;
  const gchar *data = g_bytes_get_data (bytes, &length);
  gchar *body = data ? g_strndup (data, length) : NULL;
  const gchar *if_match = rec_server_request_get_header (request, "If-Match");
  GstStructure *s = gst_structure_new ("request", "method", G_TYPE_STRING,
      soup_server_message_get_method (rec_server_request_get_message (request)),
      "remote", G_TYPE_STRING, rec_server_request_get_remote (request), "local",
      G_TYPE_STRING, rec_server_request_get_local (request), "authorized",
      G_TYPE_BOOLEAN, rec_server_request_is_authorized (request), NULL);

  if (body)
    gst_structure_set (s, "body", G_TYPE_STRING, body, NULL);
  if (if_match)
    gst_structure_set (s, "if-match", G_TYPE_STRING, if_match, NULL);
  if (call->session_id)
    gst_structure_set (s, "session-id", G_TYPE_STRING, call->session_id, NULL);
  g_free (body);
  g_bytes_unref (bytes);
  return s;
}

static void
pass_on (WhipCall *call)
{
  GstElement *source =
      gst_bin_get_by_name (GST_BIN (call->recording->pipeline), "source");
  GstStructure *s = make_structure (call);
  GstPromise *promise;

  promise = gst_promise_new_with_change_func (on_replied, call, NULL);
  call->promise = promise;
  g_signal_emit_by_name (source, "handle-request", s, promise);
  gst_structure_free (s);
  gst_object_unref (source);
}

static void
refuse (WhipCall *call, guint status, const gchar *what, const gchar *detail)
{
  GError *error = NULL;

  rec_server_error_set (&error, status, what, "%s", detail);
  rec_server_request_reply_error (call->request, error);
  whip_call_free (call);
}

void
rec_server_recording_flush_whip (RecServerRecording *recording)
{
  WhipCall *call;

  while ((call = g_queue_pop_head (&recording->requests))) {
    if (recording->pipeline && recording->playing)
      pass_on (call);
    else
      refuse (call, 503, "recording ended",
          recording->fault ? recording->fault : "The recording has ended.");
  }
}

void
rec_server_recording_handle_whip (RecServerRecording *recording,
    RecServerRequest *request, const gchar *session_id)
{
  WhipCall *call = g_new0 (WhipCall, 1);

  call->recording = rec_server_recording_ref (recording);
  call->request = rec_server_request_ref (request);
  call->session_id = g_strdup (session_id);
  call->context = g_main_context_ref (recording->context);
  rec_server_request_pause (request);
  if (!g_str_equal (recording->source->type, "whip"))
    refuse (call, 409, "not a WHIP recording",
        "This recording gets its media from another source. Publish to another "
        "id.");
  else if (recording->state >= REC_SERVER_STATE_STOPPING)
    refuse (call, 503, "recording ends", "The recording is being stopped.");
  else if (recording->playing)
    pass_on (call);
  else
    g_queue_push_tail (&recording->requests, call);
}
