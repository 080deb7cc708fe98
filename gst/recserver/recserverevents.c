/* gst-tsrec: server-sent events
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverevents.h"
#include "recservererror.h"

#include <string.h>

#define MAX_CLIENTS 64
/* Bytes that a client may be behind. */
#define MAX_BEHIND (1024 * 1024)
/* Events that a client that comes back gets. */
#define MAX_KEPT 256
#define KEEP_ALIVE 15

typedef struct
{
  RecServerEvents *events;
  SoupServerMessage *msg;
  gchar *pattern;
  gsize behind;
} Client;

typedef struct
{
  guint64 number;
  gchar *id;
  GBytes *text;
} Event;

struct _RecServerEvents
{
  GList *clients;
  GQueue kept;
  guint64 number;
  GSource *timer;
};

static void
event_free (gpointer data)
{
  Event *event = data;

  g_bytes_unref (event->text);
  g_free (event->id);
  g_free (event);
}

/* --- clients --- */

static void on_finished (SoupServerMessage *msg, gpointer data);

static void
client_free (Client *client)
{
  g_signal_handlers_disconnect_by_data (client->msg, client);
  g_object_unref (client->msg);
  g_free (client->pattern);
  g_free (client);
}

static void
on_finished (SoupServerMessage *msg, gpointer data)
{
  Client *client = data;

  client->events->clients = g_list_remove (client->events->clients, client);
  client_free (client);
}

static void
on_wrote (SoupServerMessage *msg, guint size, gpointer data)
{
  Client *client = data;

  client->behind -= MIN (client->behind, size);
}

/* The end of the stream; a client that is too slow comes back by itself. */
static void
end_client (Client *client)
{
  soup_message_body_complete (
      soup_server_message_get_response_body (client->msg));
  soup_server_message_unpause (client->msg);
}

static void
send_bytes (Client *client, GBytes *bytes)
{
  if (client->behind > MAX_BEHIND)
    return;
  client->behind += g_bytes_get_size (bytes);
  if (client->behind > MAX_BEHIND) {
    end_client (client);
    return;
  }
  soup_message_body_append_bytes (
      soup_server_message_get_response_body (client->msg), bytes);
  soup_server_message_unpause (client->msg);
}

static gboolean
on_timer (gpointer data)
{
  static const gchar comment[] = ":\n\n";
  RecServerEvents *events = data;
  GBytes *bytes = g_bytes_new_static (comment, strlen (comment));

  for (GList *l = events->clients; l; l = l->next)
    send_bytes (l->data, bytes);
  g_bytes_unref (bytes);
  return G_SOURCE_CONTINUE;
}

static void
send_missed (RecServerEvents *events, Client *client, const gchar *last)
{
  guint64 number;

  if (!last ||
      !g_ascii_string_to_unsigned (last, 10, 0, G_MAXUINT64, &number, NULL))
    return;
  for (GList *l = events->kept.head; l; l = l->next) {
    Event *event = l->data;

    if (event->number > number &&
        g_pattern_match_simple (client->pattern, event->id))
      send_bytes (client, event->text);
  }
}

void
rec_server_events_add (RecServerEvents *events, RecServerRequest *request)
{
  static const gchar hello[] = "retry: 2000\n\n";
  SoupServerMessage *msg = rec_server_request_get_message (request);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (msg);
  GError *error = NULL;
  Client *client;
  GBytes *bytes;

  if (g_list_length (events->clients) >= MAX_CLIENTS) {
    rec_server_error_set (&error, 503, "too many event streams",
        "At most %d clients can follow the events; try again later.",
        MAX_CLIENTS);
    rec_server_request_reply_error (request, error);
    return;
  }
  client = g_new0 (Client, 1);
  client->events = events;
  client->msg = g_object_ref (msg);
  client->pattern = g_strdup (rec_server_request_get_pattern (request));
  events->clients = g_list_prepend (events->clients, client);
  g_signal_connect (msg, "finished", G_CALLBACK (on_finished), client);
  g_signal_connect (msg, "wrote-body-data", G_CALLBACK (on_wrote), client);
  soup_server_message_set_status (msg, SOUP_STATUS_OK, NULL);
  soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  soup_message_headers_replace (headers, "Content-Type", "text/event-stream");
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Accel-Buffering", "no");
  soup_message_body_set_accumulate (
      soup_server_message_get_response_body (msg), FALSE);
  bytes = g_bytes_new_static (hello, strlen (hello));
  send_bytes (client, bytes);
  g_bytes_unref (bytes);
  send_missed (
      events, client, rec_server_request_get_header (request, "Last-Event-ID"));
}

/* --- events --- */

void
rec_server_events_publish (RecServerEvents *events, const gchar *type,
    const gchar *id, JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  Event *event = g_new0 (Event, 1);
  gchar *json, *text;

  json_node_set_object (node, object);
  json = json_to_string (node, FALSE);
  json_node_unref (node);
  event->number = ++events->number;
  event->id = g_strdup (id);
  text = g_strdup_printf ("id: %" G_GUINT64_FORMAT "\nevent: %s\ndata: %s\n\n",
      event->number, type, json);
  event->text = g_bytes_new_take (text, strlen (text));
  g_free (json);
  for (GList *l = events->clients; l; l = l->next)
    if (g_pattern_match_simple (((Client *)l->data)->pattern, id))
      send_bytes (l->data, event->text);
  g_queue_push_tail (&events->kept, event);
  if (events->kept.length > MAX_KEPT)
    event_free (g_queue_pop_head (&events->kept));
}

/* --- life --- */

RecServerEvents *
rec_server_events_new (void)
{
  RecServerEvents *events = g_new0 (RecServerEvents, 1);

  /* Numbers of an earlier run are all in the past. */
  events->number = (guint64)g_get_real_time ();
  events->timer = g_timeout_source_new_seconds (KEEP_ALIVE);
  g_source_set_callback (events->timer, on_timer, events, NULL);
  g_source_attach (events->timer, g_main_context_get_thread_default ());
  return events;
}

void
rec_server_events_free (RecServerEvents *events)
{
  g_source_destroy (events->timer);
  g_source_unref (events->timer);
  while (events->clients) {
    Client *client = events->clients->data;

    events->clients = g_list_delete_link (events->clients, events->clients);
    end_client (client);
    client_free (client);
  }
  g_queue_clear_full (&events->kept, event_free);
  g_free (events);
}
