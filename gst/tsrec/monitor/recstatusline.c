/* gst-tsrec: status line of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recstatusline.h"

/* Appends a value in decimal units, with a decimal point in all locales, for
 * example "3.4 MB". */
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

static void
append_utc_time (GString *line, gint64 utc_time)
{
  GDateTime *utc = g_date_time_new_from_unix_utc (utc_time / G_USEC_PER_SEC);
  GDateTime *local = utc ? g_date_time_to_local (utc) : NULL;
  gchar *text = local ? g_date_time_format (local, "%Y-%m-%d %H:%M:%S ") : NULL;

  if (text)
    g_string_append (line, text);
  g_free (text);
  g_clear_pointer (&local, g_date_time_unref);
  g_clear_pointer (&utc, g_date_time_unref);
}

static void
append_flow (GString *line, const RecStatusLine *report)
{
  const RecMonitorStats *stats = report->stats;
  gchar rate[G_ASCII_DTOSTR_BUF_SIZE];

  if (report->waiting) {
    g_string_append (line, "the publisher sends none");
    return;
  }
  append_scaled (line, stats->bitrate, "bit/s");
  g_ascii_formatd (rate, sizeof rate, "%.1f", stats->packet_rate);
  g_string_append_printf (line, "  %s packets/s  streak %" G_GUINT64_FORMAT,
      rate, stats->zero_packet_streak);
}

gchar *
rec_status_line_format (const RecStatusLine *report)
{
  const RecMonitorStats *stats = report->stats;
  GString *line = g_string_new (NULL);
  guint seconds = report->elapsed / GST_SECOND;

  append_utc_time (line, stats->utc_time);
  g_string_append_printf (line, "%s [%s] %02u:%02u:%02u  ", stats->recording_id,
      stats->stage, seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (report->waiting && !report->connected) {
    g_string_append (line, "waiting for a publisher");
    return g_string_free (line, FALSE);
  }
  append_scaled (
      line, report->written_known ? stats->bytes_written : stats->bytes, "B");
  g_string_append (line, report->written_known ? " written  " : "  ");
  append_flow (line, report);
  g_string_append (line, "  memory ");
  append_scaled (line, stats->memory_rss, "B");
  if (report->waiting_for_disk)
    g_string_append (line, "  DISK FULL");
  if (stats->bytes_dropped > 0) {
    g_string_append (line, "  ");
    append_scaled (line, stats->bytes_dropped, "B");
    g_string_append (line, " dropped");
  }
  if (report->alerts && *report->alerts)
    g_string_append_printf (line, "  ALERT %s", report->alerts);
  return g_string_free (line, FALSE);
}
