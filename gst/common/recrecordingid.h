/* gst-tsrec: the name of a recording in its messages
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
 * @setting: value of the property, NULL if it is not set
 * @downstream: value of the property of the sink downstream, NULL if it is not
 *   set or not known
 * @derived: name from the location, NULL before it is known
 *
 * The strings are allocated and protected by the object lock of the element,
 * which the functions take. All zero is a valid value.
 */
typedef struct
{
  gchar *setting;
  gchar *downstream;
  gchar *derived;
} RecRecordingId;

void rec_recording_id_clear (RecRecordingId *id);

/* Clears @derived when a recording begins. */
void rec_recording_id_reset (RecRecordingId *id, GstElement *element);

/* Derives the name from @location, unless it is known already. */
void rec_recording_id_note_location (
    RecRecordingId *id, GstElement *element, const gchar *location);

/* Notes the name that the sink uses for the recording, NULL without one. */
void rec_recording_id_note_downstream (
    RecRecordingId *id, GstElement *element, const gchar *name);

/* Returns TRUE if @message is of a kind that rec_recording_id_add() changes. */
gboolean rec_recording_id_is_carried (GstMessage *message);

/* Adds the field `recording-id` to a message of an element, and to the details
 * of a warning or an error, unless it is present. Its value is the property, else
 * that of the sink, else the name from the location, else the name of the
 * pipeline. Takes @message and returns it or a copy; other kinds of message are
 * returned unchanged. */
GstMessage *rec_recording_id_add (
    RecRecordingId *id, GstElement *element, GstMessage *message);

/* Returns the name of the file without directory and suffix. For a pattern
 * ("cam-%Y%m%d-%05d.ts") it is the part before the first conversion ("cam"), which
 * is the same in all files and after a restart. The caller frees it. Returns NULL
 * if nothing is left. */
gchar *rec_recording_id_from_location (const gchar *location);

G_END_DECLS
