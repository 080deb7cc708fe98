/* gst-tsrec: the name of a recording in the messages about it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Several recordings in one process post messages from elements of the same
 * name. An element with the property `recording-id` calls
 * rec_recording_id_add() in its GstElement::post_message.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * RecRecordingId:
 * @setting: the property, NULL if it is not set
 * @derived: name in the location, NULL while it is not known
 *
 * Both are allocated, and protected by the object lock of the element. All zero
 * is a valid value. The functions take that lock.
 */
typedef struct
{
  gchar *setting;
  gchar *derived;
} RecRecordingId;

void rec_recording_id_clear (RecRecordingId *id);

/* Forgets the first file, when a recording begins. */
void rec_recording_id_reset (RecRecordingId *id, GstElement *element);

/* Notes the name of a file; only the first one counts. */
void rec_recording_id_note_location (
    RecRecordingId *id, GstElement *element, const gchar *location);

/* Returns TRUE if @message is of a kind that rec_recording_id_add() changes. */
gboolean rec_recording_id_is_carried (GstMessage *message);

/* Adds the field `recording-id` to a message of an element, and to the details
 * of a warning or an error, where it is not there yet. It is the property, else
 * the name in the location, else the name of the pipeline. Takes @message and
 * returns it, maybe as a copy; other kinds are returned as they are. */
GstMessage *rec_recording_id_add (
    RecRecordingId *id, GstElement *element, GstMessage *message);

/* The name of the file without its directory and its suffix; of a pattern
 * ("cam-%Y%m%d-%05d.ts") what stands before the first conversion ("cam"), so that
 * the name is the same in all files and after a restart. The caller frees it; NULL
 * when nothing is left. */
gchar *rec_recording_id_from_location (const gchar *location);

G_END_DECLS
