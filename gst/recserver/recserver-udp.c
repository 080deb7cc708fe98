/* gst-tsrec: the UDP port of all publishers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recservererror.h"

GST_DEBUG_CATEGORY_EXTERN (rec_server_debug);
#define GST_CAT_DEFAULT rec_server_debug

/* Settings that only webrtcbin supports. */
static gboolean
wants_webrtcbin (const RecServerConfig *config)
{
  return config->port_range || config->stun_server || config->turn_server;
}

/* Why @source did not go to READY. Caller frees. */
static gchar *
dup_reason (GstBus *bus)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;
  gchar *reason;

  if (!message)
    return g_strdup ("it did not start");
  gst_message_parse_error (message, &error, NULL);
  reason = g_strdup (error->message);
  g_error_free (error);
  gst_message_unref (message);
  return reason;
}

/* Returns a recwhipsrc that keeps UDP port @number for this process, between
 * recordings too. NULL with *@reason, which the caller frees. */
static GstElement *
hold_port (guint number, gchar **reason)
{
  GstElement *source = gst_element_factory_make ("recwhipsrc", NULL);
  GstBus *bus;

  if (!source) {
    *reason = g_strdup ("there is no recwhipsrc");
    return NULL;
  }
  gst_object_ref_sink (source);
  bus = gst_bus_new ();
  gst_element_set_bus (source, bus);
  g_object_set (source, "listen", FALSE, "udp-port", number, NULL);
  if (gst_element_set_state (source, GST_STATE_READY) ==
      GST_STATE_CHANGE_FAILURE) {
    *reason = dup_reason (bus);
    gst_element_set_state (source, GST_STATE_NULL);
    gst_clear_object (&source);
  } else
    gst_element_set_bus (source, NULL);
  gst_object_unref (bus);
  return source;
}

gboolean
rec_server_udp_open (RecServer *server, GError **error)
{
  const RecServerConfig *config = server->config;
  guint number = config->udp_port;
  gchar *reason = NULL;

  if (!config->ingest || (number == 0 && wants_webrtcbin (config)))
    return TRUE;
  if (number == 0)
    number = server->port;
  server->udp = hold_port (number, &reason);
  if (!server->udp && config->udp_port != 0) {
    rec_server_error_set (error, 500, "no UDP port", "%s", reason);
    g_free (reason);
    return FALSE;
  }
  if (server->udp) {
    server->udp_port = number;
    GST_INFO ("media come to UDP port %u", number);
  } else
    GST_WARNING ("every publisher gets a UDP port of its own: %s", reason);
  g_free (reason);
  return TRUE;
}

void
rec_server_udp_close (RecServer *server)
{
  if (!server->udp)
    return;
  gst_element_set_state (server->udp, GST_STATE_NULL);
  gst_clear_object (&server->udp);
}
