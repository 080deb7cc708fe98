/* gst-tsrec: publishes to recwhipsrc without webrtcbin, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtctestpublisher.h"

#include <gio/gio.h>
#include <gst/sdp/sdp.h>
#include <stdlib.h>
#include <string.h>

#define OWN_PWD "0123456789012345678901"

static gchar *
make_offer (RtcCertificate *certificate, const gchar *lines)
{
  gchar *transport = g_strdup_printf (
      "c=IN IP4 0.0.0.0\r\na=ice-ufrag:peer\r\na=ice-pwd:" OWN_PWD
      "\r\na=fingerprint:%s\r\na=setup:actpass\r\na=rtcp-mux\r\n"
      "a=rtcp-rsize\r\na=sendonly\r\n",
      rtc_certificate_get_fingerprint (certificate));
  gchar *offer = g_strdup_printf (
      "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
      "a=group:BUNDLE 0 1\r\n"
      "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n%sa=mid:0\r\n"
      "a=rtpmap:111 opus/48000/2\r\n"
      "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n%sa=mid:1\r\n"
      "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
      "a=rtpmap:96 H264/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
      "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n%s",
      transport, transport, lines);

  g_free (transport);
  return offer;
}

/* Returns the body of an answer with status 201, NULL of any other. */
static gchar *
read_answer (GInputStream *in)
{
  GString *reply = g_string_new (NULL);
  gchar buffer[4096];
  const gchar *body;
  gchar *answer = NULL;
  gssize n;

  while (
      (n = g_input_stream_read (in, buffer, sizeof (buffer), NULL, NULL)) > 0)
    g_string_append_len (reply, buffer, n);
  body = strstr (reply->str, "\r\n\r\n");
  if (g_str_has_prefix (reply->str, "HTTP/1.1 201 ") && body)
    answer = g_strdup (body + 4);
  g_string_free (reply, TRUE);
  return answer;
}

static gchar *
post (const gchar *url, const gchar *offer)
{
  GUri *uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  GSocketClient *client = g_socket_client_new ();
  GSocketConnection *connection = g_socket_client_connect_to_host (
      client, g_uri_get_host (uri), (guint16)g_uri_get_port (uri), NULL, NULL);
  gchar *request = g_strdup_printf (
      "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/sdp\r\n"
      "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
      g_uri_get_path (uri), g_uri_get_host (uri), strlen (offer), offer);
  gchar *answer = NULL;

  if (connection &&
      g_output_stream_write_all (
          g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
          strlen (request), NULL, NULL, NULL))
    answer =
        read_answer (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  g_free (request);
  g_clear_object (&connection);
  g_object_unref (client);
  g_uri_unref (uri);
  return answer;
}

/* Sets *@address, to be freed, and *@port: of the candidate at 127.0.0.1, or else
 * of the last IPv4 one; of none when there is none. */
static void
find_candidate (const GstSDPMedia *media, gchar **address, guint *port)
{
  *address = NULL;
  *port = 0;
  for (guint i = 0; i < gst_sdp_media_attributes_len (media) &&
       g_strcmp0 (*address, "127.0.0.1") != 0;
       i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (media, i);
    gchar **fields;

    if (!g_str_equal (a->key, "candidate"))
      continue;
    fields = g_strsplit (a->value, " ", 8);
    if (g_strv_length (fields) > 5 &&
        g_ascii_strcasecmp (fields[2], "UDP") == 0 && strchr (fields[4], '.')) {
      g_free (*address);
      *address = g_strdup (fields[4]);
      *port = (guint)atoi (fields[5]);
    }
    g_strfreev (fields);
  }
}

RtcTestPeer *
rtc_test_publish_lines (const gchar *url, RtcCertificate *certificate,
    const gchar *lines, gint timeout)
{
  gchar *offer = make_offer (certificate, lines), *answer = post (url, offer);
  const GstSDPMedia *media;
  RtcTestPeer *peer;
  GstSDPMessage *sdp;
  gchar *address;
  guint port;

  g_free (offer);
  if (!answer)
    return NULL;
  gst_sdp_message_new_from_text (answer, &sdp);
  g_free (answer);
  media = gst_sdp_message_get_media (sdp, 0);
  find_candidate (media, &address, &port);
  peer = rtc_test_peer_new (address ? address : "127.0.0.1", port,
      gst_sdp_media_get_attribute_val (media, "ice-ufrag"),
      gst_sdp_media_get_attribute_val (media, "ice-pwd"),
      g_strcmp0 (gst_sdp_media_get_attribute_val (media, "setup"), "active") ==
          0,
      certificate);
  g_free (address);
  peer->own_pwd = OWN_PWD;
  gst_sdp_message_free (sdp);
  if (!rtc_test_peer_connect (peer, timeout))
    g_clear_pointer (&peer, rtc_test_peer_free);
  return peer;
}

RtcTestPeer *
rtc_test_publish (const gchar *url, RtcCertificate *certificate, gint timeout)
{
  return rtc_test_publish_lines (url, certificate, "", timeout);
}
