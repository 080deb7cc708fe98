/* gst-tsrec: the order of the ICE candidates of a description
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "sdputil.h"

#include <string.h>

#define PREFIX "a=candidate:"

typedef enum
{
  RANK_REACHED,
  RANK_IPV4,
  RANK_IPV6,
  RANK_OTHER,
  RANK_LOOPBACK,
} Rank;

static Rank
address_rank (const gchar *text, const gchar *reached_at)
{
  GInetAddress *address = g_inet_address_new_from_string (text);
  Rank rank = RANK_OTHER;

  if (!address)
    return rank;
  if (g_inet_address_get_is_loopback (address))
    rank = RANK_LOOPBACK;
  else if (g_strcmp0 (text, reached_at) == 0)
    rank = RANK_REACHED;
  else if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
    rank = RANK_IPV4;
  else
    rank = RANK_IPV6;
  g_object_unref (address);
  return rank;
}

/* "a=candidate:FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ TYPE"
 * (RFC 8839 section 5.1). */
static Rank
candidate_rank (const gchar *line, const gchar *reached_at)
{
  gchar **fields = g_strsplit (line, " ", 9);
  Rank rank = RANK_OTHER;

  if (g_strv_length (fields) >= 8 &&
      g_ascii_strcasecmp (fields[2], "udp") == 0 &&
      strcmp (g_strchomp (fields[7]), "host") == 0)
    rank = address_rank (fields[4], reached_at);
  g_strfreev (fields);
  return rank;
}

/* The lines from @first to before @end, by rank and otherwise as they were. */
static void
order_run (gchar **lines, guint first, guint end, const gchar *reached_at)
{
  guint i, j;

  for (i = first + 1; i < end; i++) {
    gchar *line = lines[i];
    Rank rank = candidate_rank (line, reached_at);

    for (j = i; j > first && candidate_rank (lines[j - 1], reached_at) > rank;
         j--)
      lines[j] = lines[j - 1];
    lines[j] = line;
  }
}

gchar *
sdp_util_order_candidates (const gchar *text, const gchar *reached_at)
{
  gchar **lines = g_strsplit (text, "\n", -1), *ordered;
  guint i, first = 0;

  for (i = 0; lines[i]; i++) {
    if (g_str_has_prefix (lines[i], PREFIX))
      continue;
    order_run (lines, first, i, reached_at);
    first = i + 1;
  }
  order_run (lines, first, i, reached_at);
  ordered = g_strjoinv ("\n", lines);
  g_strfreev (lines);
  return ordered;
}
