/* gst-tsrec: the properties port-range and public-address
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcicesettings.h"

#include <gio/gio.h>
#include <string.h>

#define PREFIX "a=candidate:"
/* FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ TYPE */
#define ADDRESS_FIELD 4
#define TYPE_FIELD 7

static gboolean
is_set (const gchar *text)
{
  return text && *text;
}

/* --- syntax --- */

static gboolean
parse_port (const gchar *text, guint *port)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 1, 65535, &value, NULL))
    return FALSE;
  *port = (guint)value;
  return TRUE;
}

static gboolean
parse_port_range (const gchar *text, guint *min, guint *max)
{
  gchar **ends = g_strsplit (text, "-", 3);
  gboolean ok = g_strv_length (ends) == 2 && parse_port (ends[0], min) &&
      parse_port (ends[1], max) && *min <= *max;

  g_strfreev (ends);
  return ok;
}

/* Returns the addresses of @text in the notation of candidates, at most one of
 * each family. Returns NULL if @text is invalid. Free with g_strfreev(). */
static gchar **
parse_addresses (const gchar *text)
{
  gchar **list = g_strsplit (text, ",", 3);
  gboolean ipv4 = FALSE, ipv6 = FALSE, ok = list[0] != NULL;

  for (guint i = 0; list[i] && ok; i++) {
    GInetAddress *address =
        g_inet_address_new_from_string (g_strstrip (list[i]));
    gboolean *seen =
        address && g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4
        ? &ipv4
        : &ipv6;

    ok = address && !*seen && !g_inet_address_get_is_any (address) &&
        !g_inet_address_get_is_multicast (address);
    *seen = TRUE;
    g_free (list[i]);
    list[i] = ok ? g_inet_address_to_string (address) : g_strdup ("");
    g_clear_object (&address);
  }
  if (!ok)
    g_clear_pointer (&list, g_strfreev);
  return list;
}

gboolean
rtc_ice_settings_check (
    const gchar *port_range, const gchar *public_address, GError **error)
{
  gchar **addresses;
  guint min, max;

  if (is_set (port_range) && !parse_port_range (port_range, &min, &max)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "port-range cannot be \"%s\". Set it to MIN-MAX, two ports from 1 to "
        "65535, for example 50000-50099.",
        port_range);
    return FALSE;
  }
  if (!is_set (public_address))
    return TRUE;
  addresses = parse_addresses (public_address);
  if (!addresses) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "public-address cannot be \"%s\". Set it to an IPv4 address, an IPv6 "
        "address, or one of each separated by a comma, without port and "
        "prefix; names are not looked up.",
        public_address);
    return FALSE;
  }
  g_strfreev (addresses);
  return TRUE;
}

/* --- ports --- */

void
rtc_ice_settings_set_ports (GstElement *webrtcbin, const gchar *port_range)
{
  GObject *ice = NULL;
  guint min, max;

  if (!is_set (port_range) || !parse_port_range (port_range, &min, &max))
    return;
  g_object_get (webrtcbin, "ice-agent", &ice, NULL);
  if (!ice)
    return;
  g_object_set (ice, "min-rtp-port", min, "max-rtp-port", max, NULL);
  g_object_unref (ice);
}

/* --- addresses --- */

static gboolean
is_ipv6 (const gchar *address)
{
  return strchr (address, ':') != NULL;
}

/* Returns the host candidate @line with the public address of its family, or
 * NULL if it does not change. Caller frees. */
static gchar *
replace_address (const gchar *line, gchar **addresses)
{
  gchar **fields = g_strsplit (line, " ", -1), *replaced = NULL;

  if (g_strv_length (fields) > TYPE_FIELD &&
      strcmp (g_strchomp (fields[TYPE_FIELD]), "host") == 0)
    for (guint i = 0; addresses[i] && !replaced; i++)
      if (is_ipv6 (addresses[i]) == is_ipv6 (fields[ADDRESS_FIELD])) {
        g_free (fields[ADDRESS_FIELD]);
        fields[ADDRESS_FIELD] = g_strdup (addresses[i]);
        replaced = g_strjoinv (" ", fields);
        g_strchomp (replaced);
      }
  g_strfreev (fields);
  return replaced;
}

/* Returns the fields of a candidate other than foundation and priority, for
 * comparison. Caller frees. */
static gchar *
identity_of (const gchar *line)
{
  gchar **fields = g_strsplit (line, " ", 9), *identity = NULL;

  if (g_strv_length (fields) > TYPE_FIELD)
    identity = g_strjoin (" ", fields[1], fields[2], fields[4], fields[5],
        g_strchomp (fields[7]), fields[8], NULL);
  g_strfreev (fields);
  return identity;
}

static void
publish_line (
    GString *out, const gchar *line, gchar **addresses, GHashTable *seen)
{
  gchar *replaced = replace_address (line, addresses);
  gchar *identity = replaced ? identity_of (replaced) : NULL;

  if (!replaced)
    g_string_append (out, line);
  else if (g_hash_table_add (seen, g_steal_pointer (&identity)))
    g_string_append_printf (
        out, "%s%s", replaced, g_str_has_suffix (line, "\r") ? "\r" : "");
  g_free (replaced);
}

gchar *
rtc_ice_settings_publish (const gchar *text, const gchar *public_address)
{
  gchar **addresses =
      is_set (public_address) ? parse_addresses (public_address) : NULL;
  gchar **lines;
  GHashTable *seen;
  GString *out;

  if (!addresses)
    return g_strdup (text);
  lines = g_strsplit (text, "\n", -1);
  seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  out = g_string_sized_new (strlen (text));
  for (guint i = 0; lines[i]; i++) {
    gsize length = out->len;

    if (g_str_has_prefix (lines[i], "m="))
      g_hash_table_remove_all (seen);
    if (g_str_has_prefix (lines[i], PREFIX))
      publish_line (out, lines[i], addresses, seen);
    else
      g_string_append (out, lines[i]);
    if (lines[i + 1] && (out->len > length || *lines[i] == '\0'))
      g_string_append_c (out, '\n');
  }
  g_hash_table_unref (seen);
  g_strfreev (lines);
  g_strfreev (addresses);
  return g_string_free (out, FALSE);
}
