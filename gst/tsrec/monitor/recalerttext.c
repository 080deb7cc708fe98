/* gst-tsrec: text of an alert, and its warning or error message
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recalerttext.h"

#include <string.h>

GType
gst_rec_monitor_on_alert_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_REC_MONITOR_ON_ALERT_MESSAGE, "Element message only", "message" },
    { GST_REC_MONITOR_ON_ALERT_WARNING, "Also a warning", "warning" },
    { GST_REC_MONITOR_ON_ALERT_ERROR, "Also an error, which fails the pipeline",
        "error" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstRecMonitorOnAlert", values));
  return type;
}

/* Returns the remedy for a stalled stage. */
static const gchar *
get_advice (const gchar *where)
{
  static const gchar *const advice[][2] = {
    { "network",
        "No data arrives from the source. Check the sender and the network." },
    { "depayloader",
        "Packets arrive, but the depayloader produces no media. Check the "
        "payload type and the caps, and request a key frame from the sender." },
    { "decoder",
        "The decoder receives data but produces none. Request a key frame "
        "from the sender." },
    { "encoder",
        "The encoder or parser receives data but produces no packet. Restart "
        "it." },
    { "mux",
        "The mux receives data but produces none. Check for rejected tracks "
        "(tsrecmux-track-rejected)." },
    { "disk",
        "The sink cannot write to the disk. Free space, and check the disk." },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (advice); i++)
    if (strcmp (where, advice[i][0]) == 0)
      return advice[i][1];
  return "";
}

static void
append_seconds (GString *text, guint64 ns)
{
  g_string_append_printf (text, "%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT " s",
      ns / GST_SECOND, ns % GST_SECOND / (100 * GST_MSECOND));
}

static void
append_megabytes (GString *text, guint64 bytes)
{
  g_string_append_printf (text,
      "%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT " MB", bytes / 1000000,
      bytes % 1000000 / 100000);
}

static void
append_problem (
    GString *text, const RecAlert *alert, const RecAlertTextContext *context)
{
  switch (context->rule) {
    case REC_ALERT_RULE_STREAK:
      g_string_append_printf (text,
          context->by_frames
              ? "%" G_GUINT64_FORMAT " frames entered the encoder and no "
                "packet came out (max-zero-packet-streak is %" G_GUINT64_FORMAT
                "). "
              : "no packet in %" G_GUINT64_FORMAT " checks of 100 ms "
                "(max-zero-packet-streak is %" G_GUINT64_FORMAT "). ",
          alert->value, alert->threshold);
      break;
    case REC_ALERT_RULE_NO_PACKETS:
      g_string_append (text, "no packet for ");
      append_seconds (text, alert->value);
      g_string_append (text, " (no-packets-timeout is ");
      append_seconds (text, alert->threshold);
      g_string_append (text, "). ");
      break;
    case REC_ALERT_RULE_NO_BYTES:
      g_string_append (text, "no byte written for ");
      append_seconds (text, alert->value);
      g_string_append (text, " (the limit is ");
      append_seconds (text, alert->threshold);
      g_string_append (text, "). ");
      break;
    default:
      g_string_append (text, "the process uses ");
      append_megabytes (text, alert->value);
      g_string_append (text, " of memory (the limit is ");
      append_megabytes (text, alert->threshold);
      g_string_append (text, "), of which ");
      append_megabytes (text, context->memory_queued);
      g_string_append (text, " are in the queues upstream. ");
      break;
  }
}

gchar *
rec_alert_text_get (const RecAlert *alert, const RecAlertTextContext *context)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text,
      "Recording \"%s\", stage \"%s\": ", alert->recording_id, alert->stage);
  if (!alert->raised) {
    g_string_append_printf (text, "%s is over.", alert->rule);
    return g_string_free (text, FALSE);
  }
  append_problem (text, alert, context);
  if (context->rule == REC_ALERT_RULE_MEMORY)
    g_string_append (text,
        context->memory_queued >= alert->value / 2
            ? "An element downstream of the queues is too slow."
            : "Most of it is used elsewhere in the process.");
  else if (context->paused)
    g_string_append (text,
        "The pipeline is in PAUSED, where a live source produces no data. Set "
        "it "
        "to PLAYING.");
  else
    g_string_append (text, get_advice (alert->where));
  return g_string_free (text, FALSE);
}

static GError *
new_error (const RecAlert *alert)
{
  if (strcmp (alert->where, "network") == 0)
    return g_error_new_literal (
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, alert->text);
  if (strcmp (alert->where, "disk") == 0)
    return g_error_new_literal (
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, alert->text);
  if (!*alert->where)
    return g_error_new_literal (
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED, alert->text);
  return g_error_new_literal (
      GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, alert->text);
}

GstMessage *
rec_alert_text_new_message (
    GstElement *src, const RecAlert *alert, GstRecMonitorOnAlert how)
{
  GError *error;
  GstMessage *msg;
  gchar *debug;

  if (how == GST_REC_MONITOR_ON_ALERT_MESSAGE || !alert->raised)
    return NULL;
  error = new_error (alert);
  debug = g_strdup_printf ("rule %s, value %" G_GUINT64_FORMAT
                           ", threshold %" G_GUINT64_FORMAT ", where \"%s\"",
      alert->rule, alert->value, alert->threshold, alert->where);
  msg = how == GST_REC_MONITOR_ON_ALERT_ERROR
      ? gst_message_new_error (GST_OBJECT (src), error, debug)
      : gst_message_new_warning (GST_OBJECT (src), error, debug);
  g_free (debug);
  g_error_free (error);
  return msg;
}
