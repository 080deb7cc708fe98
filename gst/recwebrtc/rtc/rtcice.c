/* gst-tsrec: access to the ICE agent of webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcice.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#if HAVE_NICE
#include <nice/agent.h>
#endif

/* Prints the address of @entry. Returns FALSE if ICE cannot use it. Link-local
 * IPv6 addresses need a scope, which candidates cannot carry; RFC 8445 section
 * 5.1.1.1 excludes them. */
static gboolean
print_address (const struct ifaddrs *entry, gchar *text, gsize size)
{
  const struct sockaddr *address = entry->ifa_addr;

  if (!address || !(entry->ifa_flags & IFF_UP))
    return FALSE;
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;

    return inet_ntop (AF_INET, &in->sin_addr, text, size) != NULL;
  }
  if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

    return !IN6_IS_ADDR_LINKLOCAL (&in6->sin6_addr) &&
        inet_ntop (AF_INET6, &in6->sin6_addr, text, size) != NULL;
  }
  return FALSE;
}

static void
add_addresses (GObject *ice)
{
  struct ifaddrs *list = NULL, *entry;
  gchar text[INET6_ADDRSTRLEN];

  if (getifaddrs (&list) != 0)
    return;
  for (entry = list; entry; entry = entry->ifa_next) {
    gboolean added;

    if (print_address (entry, text, sizeof (text)))
      g_signal_emit_by_name (ice, "add-local-ip-address", text, &added);
  }
  freeifaddrs (list);
}

/* Returns the NiceAgent of the ICE agent of webrtcbin, or NULL. */
static GObject *
get_agent (GObject *ice)
{
  GObject *agent = NULL;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (ice), "agent"))
    g_object_get (ice, "agent", &agent, NULL);
  return agent;
}

void
rtc_ice_prepare (GstElement *webrtcbin)
{
  GObject *ice = NULL, *agent;

  g_object_get (webrtcbin, "ice-agent", &ice, NULL);
  if (!ice)
    return;
  add_addresses (ice);
  agent = get_agent (ice);
  if (agent) {
    g_object_set (agent, "upnp", FALSE, NULL);
    g_object_unref (agent);
  }
  g_object_unref (ice);
}

#if HAVE_NICE
/* All m-lines are bundled on the first stream. */
#define STREAM_ID 1

gboolean
rtc_ice_restart (GstElement *webrtcbin, const gchar *ufrag, const gchar *pwd,
    gchar **local_ufrag, gchar **local_pwd)
{
  GObject *ice = NULL, *agent = NULL;
  gboolean ok;

  g_object_get (webrtcbin, "ice-agent", &ice, NULL);
  if (ice)
    agent = get_agent (ice);
  ok = agent && NICE_IS_AGENT (agent) &&
      nice_agent_restart_stream (NICE_AGENT (agent), STREAM_ID) &&
      nice_agent_set_remote_credentials (
          NICE_AGENT (agent), STREAM_ID, ufrag, pwd) &&
      nice_agent_get_local_credentials (
          NICE_AGENT (agent), STREAM_ID, local_ufrag, local_pwd);
  g_clear_object (&agent);
  g_clear_object (&ice);
  return ok;
}

static gchar *
describe_candidate (const NiceCandidate *candidate)
{
  static const gchar *const types[] = { "host", "srflx", "prflx", "relay" };
  gchar address[NICE_ADDRESS_STRING_LEN];
  guint type = candidate->type;

  nice_address_to_string (&candidate->addr, address);
  return g_strdup_printf ("%s:%u (%s)", address,
      nice_address_get_port (&candidate->addr),
      type < G_N_ELEMENTS (types) ? types[type] : "?");
}

gchar *
rtc_ice_describe_pair (GstElement *webrtcbin)
{
  NiceCandidate *local, *remote;
  GObject *ice = NULL, *agent = NULL;
  gchar *text = NULL;

  g_object_get (webrtcbin, "ice-agent", &ice, NULL);
  if (ice)
    agent = get_agent (ice);
  if (agent && NICE_IS_AGENT (agent) &&
      nice_agent_get_selected_pair (
          NICE_AGENT (agent), STREAM_ID, 1, &local, &remote)) {
    gchar *from = describe_candidate (local), *to = describe_candidate (remote);

    text = g_strdup_printf ("%s - %s", from, to);
    g_free (from);
    g_free (to);
  }
  g_clear_object (&agent);
  g_clear_object (&ice);
  return text;
}
#else
gboolean
rtc_ice_restart (GstElement *webrtcbin, const gchar *ufrag, const gchar *pwd,
    gchar **local_ufrag, gchar **local_pwd)
{
  return FALSE;
}

gchar *
rtc_ice_describe_pair (GstElement *webrtcbin)
{
  return NULL;
}
#endif
