/* gst-tsrec: custom events between the elements
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recevent.h"

/* One field per line. */
/* clang-format off */

#define EVENT_RESYNC "tsrec-resync"
#define EVENT_JOURNAL "tsrec-journal"
#define EVENT_SESSION "tsrec-session"

GstEvent *
rec_event_new_resync (void)
{
  return gst_event_new_custom (
      GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty (EVENT_RESYNC));
}

gboolean
rec_event_is_resync (GstEvent *event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_UPSTREAM &&
      gst_event_has_name (event, EVENT_RESYNC);
}

GstEvent *
rec_event_new_journal (GstStructure *fields)
{
  GstStructure *s = gst_structure_new (
      EVENT_JOURNAL, "entry", GST_TYPE_STRUCTURE, fields, NULL);

  gst_structure_free (fields);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, s);
}

const GstStructure *
rec_event_parse_journal (GstEvent *event)
{
  const GValue *entry;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM ||
      !gst_event_has_name (event, EVENT_JOURNAL))
    return NULL;
  entry = gst_structure_get_value (gst_event_get_structure (event), "entry");
  return entry ? gst_value_get_structure (entry) : NULL;
}

GstEvent *
rec_event_new_session (const gchar *session_id)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (EVENT_SESSION,
          "session-id", G_TYPE_STRING, session_id, NULL));
}

const gchar *
rec_event_parse_session (GstEvent *event)
{
  const gchar *id;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM ||
      !gst_event_has_name (event, EVENT_SESSION))
    return NULL;
  id = gst_structure_get_string (gst_event_get_structure (event), "session-id");
  return id ? id : "";
}
