/* gst-tsrec: an alert in words, and as the message that on-alert asks for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recalertrules.h"
#include "recmessage.h"

G_BEGIN_DECLS

/**
 * GstRecMonitorOnAlert:
 * @GST_REC_MONITOR_ON_ALERT_MESSAGE: post the element message alone
 * @GST_REC_MONITOR_ON_ALERT_WARNING: and a warning when the alert is raised
 * @GST_REC_MONITOR_ON_ALERT_ERROR: and an error, which fails the pipeline
 *
 * What a raised alert does besides the element message `recmonitor-alert`.
 */
typedef enum
{
  GST_REC_MONITOR_ON_ALERT_MESSAGE,
  GST_REC_MONITOR_ON_ALERT_WARNING,
  GST_REC_MONITOR_ON_ALERT_ERROR,
} GstRecMonitorOnAlert;

GType gst_rec_monitor_on_alert_get_type (void);

/* What an alert is about, besides what goes into the message. */
typedef struct
{
  RecAlertRule rule;
  gboolean by_frames; /* the streak counts frames, not ticks */
  gboolean paused;    /* nothing may flow, because somebody paused it */
  gboolean by_growth; /* the memory grows, not: is too much */
  guint64 memory_queued;
} RecAlertTextContext;

/* One sentence what, one what to do; the caller frees it. */
gchar *rec_alert_text_get (
    const RecAlert *alert, const RecAlertTextContext *context);

/* The warning or error for a raised alert, NULL when @how wants none. */
GstMessage *rec_alert_text_new_message (
    GstElement *src, const RecAlert *alert, GstRecMonitorOnAlert how);

G_END_DECLS
