/* gst-tsrec: simulcast in session descriptions (RFC 8853, RFC 8851)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsdp-private.h"
#include "rtcsdpsimulcast.h"

#include <string.h>

/* Limit for the layers of a=simulcast, including alternatives. */
#define MAX_NAMES 32

static void
clear_layer (gpointer data)
{
  g_free (((RtcSdpLayer *)data)->rid);
}

static GArray *
new_layers (void)
{
  GArray *layers = g_array_new (FALSE, TRUE, sizeof (RtcSdpLayer));

  g_array_set_clear_func (layers, clear_layer);
  return layers;
}

/* --- a=rid:ID send pt=96,97;max-width=1280;… (RFC 8851 section 10) --- */

/* Returns the text after "ID send", which may be "". Returns NULL if @value
 * describes another rid. */
static const gchar *
rid_restrictions (const gchar *value, const gchar *rid)
{
  gsize n = strlen (rid);

  if (!value || strncmp (value, rid, n) != 0 || value[n] != ' ')
    return NULL;
  value += n + strspn (value + n, " ");
  if (strncmp (value, "send", 4) != 0 || (value[4] != ' ' && value[4] != '\0'))
    return NULL;
  value += 4;
  return value + strspn (value, " ");
}

static const gchar *
find_rid (const GstSDPMedia *media, const gchar *rid)
{
  const gchar *found = NULL;
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (media) && !found; i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (media, i);

    if (g_str_equal (a->key, "rid"))
      found = rid_restrictions (a->value, rid);
  }
  return found;
}

/* Returns the value of the restriction @part, "NAME=VALUE", if its name is
 * @name. */
static const gchar *
restriction (const gchar *part, const gchar *name)
{
  gsize n = strlen (name);

  return strncmp (part, name, n) == 0 && part[n] == '=' ? part + n + 1 : NULL;
}

static gboolean
lists_payload (const gchar *list, gint payload)
{
  gchar **formats = g_strsplit (list, ",", -1);
  gboolean found = FALSE;
  gint format;
  guint i;

  for (i = 0; formats[i] && !found; i++)
    found = rtc_sdp_parse_payload (formats[i], &format) && format == payload;
  g_strfreev (formats);
  return found;
}

/* Returns FALSE if the layer cannot carry @payload. */
static gboolean
read_restrictions (const gchar *text, gint payload, guint *pixels)
{
  gchar **parts = g_strsplit (text, ";", -1);
  guint64 width = 0, height = 0, macroblocks = 0;
  gboolean usable = TRUE;
  guint i;

  for (i = 0; parts[i]; i++) {
    const gchar *value;

    if ((value = restriction (parts[i], "pt")))
      usable = lists_payload (value, payload);
    else if ((value = restriction (parts[i], "max-width")))
      width = g_ascii_strtoull (value, NULL, 10);
    else if ((value = restriction (parts[i], "max-height")))
      height = g_ascii_strtoull (value, NULL, 10);
    else if ((value = restriction (parts[i], "max-fs")))
      macroblocks = g_ascii_strtoull (value, NULL, 10);
  }
  g_strfreev (parts);
  *pixels = 0;
  if (width > 0 && height > 0)
    *pixels = (guint)(MIN (width, G_MAXUINT16) * MIN (height, 32767));
  else if (macroblocks > 0)
    *pixels = (guint)MIN (macroblocks * 256, G_MAXINT);
  return usable;
}

/* The syntax of a rid: RFC 8852 section 3.1. */
static gboolean
is_rid (const gchar *name)
{
  return *name != '\0' && strlen (name) <= 255 &&
      name[strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_")] == '\0';
}

static gboolean
has_layer (const GArray *layers, const gchar *rid)
{
  guint i;

  for (i = 0; i < layers->len; i++)
    if (g_str_equal (g_array_index (layers, RtcSdpLayer, i).rid, rid))
      return TRUE;
  return FALSE;
}

static void
add_layer (
    GArray *layers, const GstSDPMedia *media, const gchar *rid, gint payload)
{
  RtcSdpLayer layer = { 0 };
  const gchar *restrictions;

  if (layers->len >= RTC_SDP_SIMULCAST_MAX_LAYERS || !is_rid (rid) ||
      has_layer (layers, rid))
    return;
  restrictions = find_rid (media, rid);
  if (!restrictions ||
      !read_restrictions (restrictions, payload, &layer.pixels))
    return;
  layer.rid = g_strdup (rid);
  g_array_append_val (layers, layer);
}

/* --- a=simulcast:send 1,~4;2 recv … (RFC 8853 section 5.1) --- */

/* Returns the send list, for example "1,~4;2", or NULL. Caller frees. */
static gchar *
sent_list (const GstSDPMedia *media)
{
  const gchar *value = gst_sdp_media_get_attribute_val (media, "simulcast");
  gchar **words, *list = NULL;
  guint i;

  if (!value)
    return NULL;
  words = g_strsplit (value, " ", 8);
  for (i = 0; words[i] && !list; i++)
    if (g_str_equal (words[i], "send") && words[i + 1])
      list = g_strdup (words[i + 1]);
  g_strfreev (words);
  return list;
}

static void
add_simulcast (
    GArray *layers, const GstSDPMedia *media, const gchar *list, gint payload)
{
  gchar **names = g_strsplit_set (list, ";,", MAX_NAMES);
  guint i;

  for (i = 0; names[i]; i++)
    add_layer (layers, media, names[i] + (names[i][0] == '~'), payload);
  g_strfreev (names);
}

/* Adds the layers of a=rid without a=simulcast. */
static void
add_rids (GArray *layers, const GstSDPMedia *media, gint payload)
{
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (media, i);
    gchar *rid;

    if (!g_str_equal (a->key, "rid") || !a->value)
      continue;
    rid = g_strndup (a->value, strcspn (a->value, " "));
    add_layer (layers, media, rid, payload);
    g_free (rid);
  }
}

/* Adds layers without names: the SSRCs of the old simulcast of Chrome. */
static void
add_ssrc_group (GArray *layers, const GstSDPMedia *media)
{
  guint i, j;

  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (media, i);
    gchar **ssrcs;

    if (!g_str_equal (a->key, "ssrc-group") || !a->value ||
        !g_str_has_prefix (a->value, "SIM "))
      continue;
    ssrcs = g_strsplit (a->value + 4, " ", RTC_SDP_SIMULCAST_MAX_LAYERS + 1);
    for (j = 0; ssrcs[j] && j < RTC_SDP_SIMULCAST_MAX_LAYERS; j++) {
      RtcSdpLayer layer = { 0 };

      layer.ssrc = (guint32)g_ascii_strtoull (ssrcs[j], NULL, 10);
      g_array_append_val (layers, layer);
    }
    g_strfreev (ssrcs);
    return;
  }
}

GArray *
rtc_sdp_simulcast_layers (const GstSDPMedia *media, gint payload)
{
  GArray *layers = new_layers ();
  gchar *list = sent_list (media);

  if (list)
    add_simulcast (layers, media, list, payload);
  else
    add_rids (layers, media, payload);
  g_free (list);
  if (layers->len == 0)
    add_ssrc_group (layers, media);
  return layers;
}

/* --- header extensions --- */

guint
rtc_sdp_header_extension (const GstSDPMedia *media, const gchar *uri)
{
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (media, i);
    const gchar *at = a->value;
    guint64 id;

    if (!g_str_equal (a->key, "extmap") || !at)
      continue;
    id = g_ascii_strtoull (at, NULL, 10);
    at += strcspn (at, " ");
    at += strspn (at, " ");
    if (id >= 1 && id <= 255 && strncmp (at, uri, strlen (uri)) == 0 &&
        (at[strlen (uri)] == '\0' || at[strlen (uri)] == ' '))
      return (guint)id;
  }
  return 0;
}

static void
accept_extension (
    const GstSDPMedia *offered, const gchar *uri, GstSDPMedia *answered)
{
  guint id = rtc_sdp_header_extension (offered, uri);
  gchar *value;

  if (id == 0 || rtc_sdp_header_extension (answered, uri) != 0)
    return;
  value = g_strdup_printf ("%u %s", id, uri);
  gst_sdp_media_add_attribute (answered, "extmap", value);
  g_free (value);
}

/* --- the answer --- */

/* Keeps the restrictions (RFC 8851 section 6.3), except payload types that are
 * not in the answer. */
static void
accept_rid (const GstSDPMedia *offered, const gchar *rid, gint payload,
    GstSDPMedia *answered)
{
  gchar **parts = g_strsplit (find_rid (offered, rid), ";", -1);
  GString *value = g_string_new (rid);
  const gchar *separator = " ";
  guint i;

  g_string_append (value, " recv");
  for (i = 0; parts[i]; i++) {
    const gchar *part = g_strstrip (parts[i]);

    if (*part == '\0')
      continue;
    g_string_append (value, separator);
    if (restriction (part, "pt"))
      g_string_append_printf (value, "pt=%d", payload);
    else
      g_string_append (value, part);
    separator = ";";
  }
  gst_sdp_media_add_attribute (answered, "rid", value->str);
  g_string_free (value, TRUE);
  g_strfreev (parts);
}

/* Returns the list of the offer without layers that are not accepted. */
static void
accept_list (const gchar *list, const GArray *layers, GstSDPMedia *answered)
{
  gchar **streams = g_strsplit (list, ";", MAX_NAMES);
  GString *value = g_string_new ("recv ");
  const gchar *between = "";
  guint i, j;

  for (i = 0; streams[i]; i++) {
    gchar **names = g_strsplit (streams[i], ",", MAX_NAMES);

    for (j = 0; names[j]; j++) {
      if (!has_layer (layers, names[j] + (names[j][0] == '~')))
        continue;
      g_string_append_printf (value, "%s%s", between, names[j]);
      between = ",";
    }
    if (value->len > strlen ("recv "))
      between = ";";
    g_strfreev (names);
  }
  g_strfreev (streams);
  gst_sdp_media_add_attribute (answered, "simulcast", value->str);
  g_string_free (value, TRUE);
}

void
rtc_sdp_simulcast_accept (
    const GstSDPMedia *offered, gint payload, GstSDPMedia *answered)
{
  GArray *layers = rtc_sdp_simulcast_layers (offered, payload);
  gchar *list = sent_list (offered);
  guint i;

  if (layers->len > 0 && g_array_index (layers, RtcSdpLayer, 0).rid) {
    accept_extension (offered, RTC_SDP_MID_URI, answered);
    accept_extension (offered, RTC_SDP_RID_URI, answered);
    accept_extension (offered, RTC_SDP_REPAIRED_RID_URI, answered);
    for (i = 0; i < layers->len; i++)
      accept_rid (offered, g_array_index (layers, RtcSdpLayer, i).rid, payload,
          answered);
    if (list)
      accept_list (list, layers, answered);
  }
  g_free (list);
  g_array_unref (layers);
}
