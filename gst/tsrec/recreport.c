/* gst-tsrec: what the monitor says to a person, one line at a time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recreport.h"

/* Decimal units with a point whatever the locale, as in "3.4 MB". */
static void
append_scaled (GString *line, gdouble value, const gchar *unit)
{
  static const gchar *const prefix[] = { "", "k", "M", "G", "T" };
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];
  guint i = 0;

  while (value >= 999.5 && i + 1 < G_N_ELEMENTS (prefix)) {
    value /= 1000;
    i++;
  }
  g_ascii_formatd (
      number, sizeof number, i == 0 || value >= 99.95 ? "%.0f" : "%.1f", value);
  g_string_append_printf (line, "%s %s%s", number, prefix[i], unit);
}

gchar *
rec_report_line (const RecMonitorStats *stats, GstClockTime elapsed,
    gboolean written, const gchar *alerting)
{
  GString *line = g_string_new (NULL);
  guint seconds = elapsed / GST_SECOND;
  gchar rate[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (line, "%s [%s] %02u:%02u:%02u  ", stats->recording_id,
      stats->stage, seconds / 3600, seconds / 60 % 60, seconds % 60);
  append_scaled (line, written ? stats->bytes_written : stats->bytes, "B");
  g_string_append (line, written ? " written  " : "  ");
  append_scaled (line, stats->bitrate, "bit/s");
  g_ascii_formatd (rate, sizeof rate, "%.1f", stats->packet_rate);
  g_string_append_printf (line,
      "  %s packets/s  streak %" G_GUINT64_FORMAT "  memory ", rate,
      stats->zero_packet_streak);
  append_scaled (line, stats->memory_rss, "B");
  if (alerting && *alerting)
    g_string_append_printf (line, "  ALERT %s", alerting);
  return g_string_free (line, FALSE);
}
