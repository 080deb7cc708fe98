/* gst-tsrec: the encoded stream that the campaigns record
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On disk: the length, the caps, then the access units, in the byte order of
 * the machine; it lives as long as a campaign.
 */

#include "campaign.h"

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

static const gchar launch[] =
    "videotestsrc num-buffers=%u pattern=ball ! "
    "video/x-raw,width=320,height=240,framerate=30/1 ! "
    "x264enc tune=zerolatency bitrate=222 key-int-max=30 threads=1 ! h264parse "
    "config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au "
    "! fakesink name=v signal-handoffs=true sync=false async=false "
    "audiotestsrc num-buffers=%u samplesperbuffer=1024 ! "
    "audio/x-raw,rate=48000,channels=2 ! avenc_aac bitrate=48000 ! aacparse ! "
    "audio/mpeg,stream-format=adts ! "
    "fakesink name=a signal-handoffs=true sync=false async=false";

static void
take_unit (GstElement *sink, GstBuffer *buffer, GstPad *pad, UnitStream *stream)
{
  guint track =
      strcmp (GST_ELEMENT_NAME (sink), "v") ? TRACK_AUDIO : TRACK_VIDEO;
  gsize size = gst_buffer_get_size (buffer);
  Unit unit = { .size = (guint32)size, .track = (guint8)track };

  if (!GST_BUFFER_PTS_IS_VALID (buffer))
    return;
  unit.pts = GST_BUFFER_PTS (buffer);
  unit.dts =
      GST_BUFFER_DTS_IS_VALID (buffer) ? GST_BUFFER_DTS (buffer) : unit.pts;
  unit.key = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  unit.data = g_malloc (size);
  gst_buffer_extract (buffer, 0, unit.data, size);
  g_array_append_val (stream->units[track], unit);
  if (!stream->caps[track]) {
    GstCaps *caps = gst_pad_get_current_caps (pad);

    stream->caps[track] = gst_caps_to_string (caps);
    gst_caps_unref (caps);
  }
}

static UnitStream *
stream_new (void)
{
  UnitStream *stream = g_new0 (UnitStream, 1);

  for (guint i = 0; i < N_TRACKS; i++)
    stream->units[i] = g_array_new (FALSE, FALSE, sizeof (Unit));
  return stream;
}

void
unit_stream_free (UnitStream *stream)
{
  if (!stream)
    return;
  for (guint i = 0; i < N_TRACKS; i++) {
    for (guint j = 0; j < stream->units[i]->len; j++)
      g_free (g_array_index (stream->units[i], Unit, j).data);
    g_array_unref (stream->units[i]);
    g_free (stream->caps[i]);
  }
  g_free (stream);
}

/* Both tracks start at 0, and none is longer than the length. */
static void
rebase (UnitStream *stream)
{
  for (guint i = 0; i < N_TRACKS; i++) {
    guint64 first = g_array_index (stream->units[i], Unit, 0).dts;

    for (guint j = 0; j < stream->units[i]->len; j++) {
      Unit *unit = &g_array_index (stream->units[i], Unit, j);

      unit->dts -= first;
      unit->pts -= first;
    }
  }
}

UnitStream *
unit_stream_encode (guint seconds, GError **error)
{
  UnitStream *stream;
  /* Frames of 1,024 samples that last for a whole number of pictures. */
  guint pictures = seconds * 32, frames = seconds * 50;
  gchar *text = g_strdup_printf (launch, pictures, frames);
  GstElement *pipeline =
      gst_parse_launch_full (text, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  GstElement *sinks[N_TRACKS];
  GstBus *bus;
  GstMessage *message;

  g_free (text);
  if (!pipeline)
    return NULL;
  stream = stream_new ();
  sinks[0] = gst_bin_get_by_name (GST_BIN (pipeline), "v");
  sinks[1] = gst_bin_get_by_name (GST_BIN (pipeline), "a");
  for (guint i = 0; i < N_TRACKS; i++)
    g_signal_connect (sinks[i], "handoff", G_CALLBACK (take_unit), stream);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (
      bus, 120 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  else if (!message)
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
        "encoding took longer than 120 s");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  for (guint i = 0; i < N_TRACKS; i++)
    gst_object_unref (sinks[i]);
  if (message)
    gst_message_unref (message);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  if (*error) {
    unit_stream_free (stream);
    return NULL;
  }
  /* Whole seconds and a little, so that nothing goes back at the seam. */
  rebase (stream);
  stream->length =
      (guint64)(seconds * 32 + 31) / 30 * GST_SECOND + 100 * GST_MSECOND;
  return stream;
}

gboolean
unit_stream_save (const UnitStream *stream, const gchar *path, GError **error)
{
  GByteArray *bytes = g_byte_array_new ();
  gboolean saved;

  g_byte_array_append (
      bytes, (const guint8 *)&stream->length, sizeof stream->length);
  for (guint i = 0; i < N_TRACKS; i++) {
    guint32 count = stream->units[i]->len;
    guint32 caps = (guint32)strlen (stream->caps[i]) + 1;

    g_byte_array_append (bytes, (const guint8 *)&count, sizeof count);
    g_byte_array_append (bytes, (const guint8 *)&caps, sizeof caps);
    g_byte_array_append (bytes, (const guint8 *)stream->caps[i], caps);
    for (guint j = 0; j < count; j++) {
      const Unit *unit = &g_array_index (stream->units[i], Unit, j);

      g_byte_array_append (bytes, (const guint8 *)unit, sizeof *unit);
      g_byte_array_append (bytes, unit->data, unit->size);
    }
  }
  saved =
      g_file_set_contents (path, (const gchar *)bytes->data, bytes->len, error);
  g_byte_array_unref (bytes);
  return saved;
}

/* The file was made by this very program. */
static const gchar *
take (const gchar *at, gpointer to, gsize size)
{
  memcpy (to, at, size);
  return at + size;
}

UnitStream *
unit_stream_load (const gchar *path, GError **error)
{
  UnitStream *stream;
  gchar *contents;
  const gchar *at;

  if (!g_file_get_contents (path, &contents, NULL, error))
    return NULL;
  stream = stream_new ();
  at = take (contents, &stream->length, sizeof stream->length);
  for (guint i = 0; i < N_TRACKS; i++) {
    guint32 count, caps;

    at = take (at, &count, sizeof count);
    at = take (at, &caps, sizeof caps);
    stream->caps[i] = g_strdup (at);
    at += caps;
    for (guint j = 0; j < count; j++) {
      Unit unit;

      at = take (at, &unit, sizeof unit);
      unit.data = g_malloc (unit.size);
      at = take (at, unit.data, unit.size);
      g_array_append_val (stream->units[i], unit);
    }
  }
  g_free (contents);
  return stream;
}

const Unit *
unit_stream_get (
    const UnitStream *stream, guint track, guint64 number, guint64 *offset)
{
  guint count = stream->units[track]->len;

  *offset = number / count * stream->length;
  return &g_array_index (stream->units[track], Unit, number % count);
}
