/* gst-tsrec: /whip/ID of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recservererror.h"

#include <string.h>

/* Offers that are answered in a second. */
#define MAX_OFFERS 100

static gboolean
has_type (RecServerRequest *request, const gchar *type)
{
  const gchar *value = soup_message_headers_get_content_type (
      soup_server_message_get_request_headers (
          rec_server_request_get_message (request)),
      NULL);

  return value && g_ascii_strcasecmp (value, type) == 0;
}

static void
refuse (RecServerRequest *request, guint status, const gchar *what,
    const gchar *detail)
{
  GError *error = NULL;

  rec_server_error_set (&error, status, what, "%s", detail);
  rec_server_request_reply_error (request, error);
}

/* The recording of a publisher that has come; starts it where that is what
 * "record" says. NULL with @error. */
static RecServerRecording *
find_or_start (RecServer *server, const gchar *id, GError **error)
{
  RecServerRecording *recording = rec_server_find (server, id);
  const RecServerPath *path = rec_server_config_get_path (server->config, id);
  RecServerRecordingConfig config = { .id = id,
    .server = server->config,
    .path = path,
    .format = rec_server_format_find (path->format),
    .quality = rec_server_quality_find (path->quality),
    .source = rec_server_source_find ("whip"),
    .by_publisher = TRUE };

  if (recording && rec_server_recording_is_active (recording))
    return recording;
  if (path->record_always)
    return rec_server_start (server, &config, error);
  rec_server_error_set (error, 404, "no such recording",
      "Nobody has started this recording. POST {\"id\": \"%s\"} to "
      "/api/recording/start first.",
      id);
  return NULL;
}

static gboolean
too_many_offers (RecServer *server)
{
  gint64 second = g_get_monotonic_time () / G_USEC_PER_SEC;

  if (second != server->offers_second) {
    server->offers_second = second;
    server->offers = 0;
  }
  return ++server->offers > MAX_OFFERS;
}

void
rec_server_handle_publish (RecServer *server, RecServerRequest *request)
{
  const gchar *id = rec_server_request_get_param (request, "id");
  RecServerRecording *recording;
  GError *error = NULL;

  if (!has_type (request, "application/sdp")) {
    refuse (request, 415, "wrong content type",
        "The Content-Type of an offer is application/sdp.");
    return;
  }
  if (too_many_offers (server)) {
    refuse (request, 429, "too many offers",
        "Too many offers in a second; come back later.");
    return;
  }
  recording = find_or_start (server, id, &error);
  if (recording)
    rec_server_recording_handle_whip (recording, request, NULL);
  else
    rec_server_request_reply_error (request, error);
}

void
rec_server_handle_session (RecServer *server, RecServerRequest *request)
{
  const gchar *id = rec_server_request_get_param (request, "id");
  const gchar *session_id = rec_server_request_get_param (request, "session");
  const gchar *method =
      soup_server_message_get_method (rec_server_request_get_message (request));
  RecServerRecording *recording = rec_server_find (server, id);

  if (g_str_equal (method, "PATCH") &&
      !has_type (request, "application/trickle-ice-sdpfrag"))
    refuse (request, 415, "wrong content type",
        "The Content-Type of a PATCH is application/trickle-ice-sdpfrag.");
  else if (!recording || !rec_server_recording_is_active (recording))
    refuse (request, 404, "no such session",
        "There is no such session (any more).");
  else
    rec_server_recording_handle_whip (recording, request, session_id);
}
