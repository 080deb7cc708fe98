/* gst-tsrec: text of an alert, and its warning or error message
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recalertrules.h"
#include "recmessage.h"

G_BEGIN_DECLS

/**
 * GstRecMonitorOnAlert:
 * @GST_REC_MONITOR_ON_ALERT_MESSAGE: post only the element message
 * @GST_REC_MONITOR_ON_ALERT_WARNING: also post a warning
 * @GST_REC_MONITOR_ON_ALERT_ERROR: also post an error, which fails the pipeline
 *
 * Messages for a raised alert, in addition to `recmonitor-alert`.
 */
typedef enum
{
  GST_REC_MONITOR_ON_ALERT_MESSAGE,
  GST_REC_MONITOR_ON_ALERT_WARNING,
  GST_REC_MONITOR_ON_ALERT_ERROR,
} GstRecMonitorOnAlert;

GType gst_rec_monitor_on_alert_get_type (void);

/**
 * RecAlertTextContext:
 * @rule: rule of the alert
 * @by_frames: the streak counts frames, not checks
 * @paused: the pipeline is in PAUSED
 * @memory_queued: bytes in the queues upstream
 *
 * Facts for the text that are not in the message.
 */
typedef struct
{
  RecAlertRule rule;
  gboolean by_frames;
  gboolean paused;
  guint64 memory_queued;
} RecAlertTextContext;

/* Returns the problem and the remedy, one sentence each. The caller frees it. */
gchar *rec_alert_text_get (
    const RecAlert *alert, const RecAlertTextContext *context);

/* Returns the warning or error for a raised alert, or NULL if @how requests
 * none. */
GstMessage *rec_alert_text_new_message (
    GstElement *src, const RecAlert *alert, GstRecMonitorOnAlert how);

G_END_DECLS
