/* gst-tsrec: the name of a recording in the messages about it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recrecordingid.h"

#include <string.h>

#define FIELD "recording-id"

gchar *
rec_recording_id_from_location (const gchar *location)
{
  gchar *name = g_path_get_basename (location);
  gchar *dot = strrchr (name, '.'), *percent = strchr (name, '%');

  if (dot && dot != name)
    *dot = '\0';
  if (percent) {
    *percent = '\0';
    while (percent > name && strchr ("-_. ", percent[-1]))
      *--percent = '\0';
  }
  if (!*name)
    g_clear_pointer (&name, g_free);
  return name;
}

void
rec_recording_id_clear (RecRecordingId *id)
{
  g_clear_pointer (&id->setting, g_free);
  g_clear_pointer (&id->downstream, g_free);
  g_clear_pointer (&id->derived, g_free);
}

void
rec_recording_id_reset (RecRecordingId *id, GstElement *element)
{
  GST_OBJECT_LOCK (element);
  g_clear_pointer (&id->downstream, g_free);
  g_clear_pointer (&id->derived, g_free);
  GST_OBJECT_UNLOCK (element);
}

void
rec_recording_id_note_location (
    RecRecordingId *id, GstElement *element, const gchar *location)
{
  GST_OBJECT_LOCK (element);
  if (!id->derived && location && location[0])
    id->derived = rec_recording_id_from_location (location);
  GST_OBJECT_UNLOCK (element);
}

void
rec_recording_id_note_downstream (
    RecRecordingId *id, GstElement *element, const gchar *name)
{
  GST_OBJECT_LOCK (element);
  g_free (id->downstream);
  id->downstream = g_strdup (name);
  GST_OBJECT_UNLOCK (element);
}

/* The caller frees it. */
static gchar *
dup_id (RecRecordingId *id, GstElement *element)
{
  GstObject *object = GST_OBJECT_CAST (element);
  gchar *copy;

  GST_OBJECT_LOCK (element);
  copy = g_strdup (id->setting ? id->setting
          : id->downstream     ? id->downstream
                               : id->derived);
  GST_OBJECT_UNLOCK (element);
  if (copy)
    return copy;
  while (object->parent)
    object = object->parent;
  return g_strdup (GST_OBJECT_NAME (object));
}

static void
add_details (GstStructure *s, const gchar *id)
{
  GstStructure *details = NULL;

  if (!gst_structure_get (s, "details", GST_TYPE_STRUCTURE, &details, NULL) ||
      !details)
    details = gst_structure_new_empty ("details");
  if (!gst_structure_has_field (details, FIELD))
    gst_structure_set (details, FIELD, G_TYPE_STRING, id, NULL);
  gst_structure_set (s, "details", GST_TYPE_STRUCTURE, details, NULL);
  gst_structure_free (details);
}

gboolean
rec_recording_id_is_carried (GstMessage *message)
{
  GstMessageType type = GST_MESSAGE_TYPE (message);

  return type == GST_MESSAGE_ELEMENT || type == GST_MESSAGE_WARNING ||
      type == GST_MESSAGE_ERROR;
}

GstMessage *
rec_recording_id_add (
    RecRecordingId *id, GstElement *element, GstMessage *message)
{
  GstMessageType type = GST_MESSAGE_TYPE (message);
  GstStructure *s;
  gchar *value;

  if (!rec_recording_id_is_carried (message))
    return message;
  value = dup_id (id, element);
  message = gst_message_make_writable (message);
  s = gst_message_writable_structure (message);
  if (type != GST_MESSAGE_ELEMENT)
    add_details (s, value);
  else if (!gst_structure_has_field (s, FIELD))
    gst_structure_set (s, FIELD, G_TYPE_STRING, value, NULL);
  g_free (value);
  return message;
}
