/* gst-tsrec: the files of one recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Without max-size-time a recording is one file, unless the disk was gone or the
 * file was deleted: it continues in another one then.
 */

#include "config.h"

#include "recserverrecording-private.h"

#include <glib/gstdio.h>

static gboolean
is_fragmented (RecServerRecording *recording)
{
  return recording->path->max_size_time != 0;
}

void
rec_server_recording_add_file (RecServerRecording *recording, const gchar *path)
{
  if (is_fragmented (recording) || !path)
    return;
  /* The file in which an earlier run was continued may have another name. */
  if (recording->files->len == 0 && !recording->format->program) {
    g_free (recording->output);
    recording->output = g_strdup (path);
  }
  if (!g_ptr_array_find_with_equal_func (
          recording->files, path, g_str_equal, NULL))
    g_ptr_array_add (recording->files, g_strdup (path));
  g_free (recording->open_file);
  recording->open_file = g_strdup (path);
}

/* Files that end with the pipeline may be continued by the next one. */
gboolean
rec_server_recording_is_complete (
    RecServerRecording *recording, const gchar *reason)
{
  return is_fragmented (recording) ||
      (!recording->fault && g_strcmp0 (reason, "eos") != 0 &&
          g_strcmp0 (reason, "stopped") != 0);
}

void
rec_server_recording_complete_file (RecServerRecording *recording,
    const gchar *path, const gchar *reason, guint64 bytes)
{
  if (!rec_server_recording_is_complete (recording, reason))
    return;
  recording->closed_bytes += bytes;
  recording->open_bytes = 0;
  if (g_strcmp0 (recording->open_file, path) == 0)
    g_clear_pointer (&recording->open_file, g_free);
}

guint64
rec_server_recording_estimate (
    RecServerRecording *recording, const GstStructure *sink)
{
  guint64 size;

  if (!recording->open_file)
    recording->open_bytes = 0;
  else if (sink && gst_structure_get_uint64 (sink, "file-size", &size))
    recording->open_bytes = size;
  return recording->closed_bytes + recording->open_bytes;
}

/* Returns TRUE if the first file has been converted to another format. */
static gboolean
is_converted (RecServerRecording *recording)
{
  return recording->format->program && recording->files->len > 0 &&
      !g_str_equal (recording->output, g_ptr_array_index (recording->files, 0));
}

GPtrArray *
rec_server_recording_list_unclosed (RecServerRecording *recording)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  gboolean converted = is_converted (recording);

  if (converted)
    g_ptr_array_add (paths, g_strdup (recording->output));
  if (recording->open_file &&
      !(converted &&
          g_str_equal (
              recording->open_file, g_ptr_array_index (recording->files, 0))))
    g_ptr_array_add (paths, g_strdup (recording->open_file));
  return paths;
}

static guint64
get_size (const gchar *path)
{
  GStatBuf st;

  return g_stat (path, &st) == 0 ? (guint64)st.st_size : 0;
}

guint64
rec_server_recording_measure (RecServerRecording *recording)
{
  guint64 size;

  if (is_fragmented (recording) &&
      g_str_has_suffix (recording->output, ".m3u8"))
    return recording->closed_bytes;
  size = get_size (recording->output);
  for (guint i = 1; i < recording->files->len; i++)
    size += get_size (g_ptr_array_index (recording->files, i));
  return size;
}

void
rec_server_recording_describe_files (
    RecServerRecording *recording, JsonObject *object)
{
  JsonArray *files;

  if (recording->files->len < 2)
    return;
  files = json_array_new ();
  for (guint i = 0; i < recording->files->len; i++) {
    const gchar *path = g_ptr_array_index (recording->files, i);

    json_array_add_string_element (
        files, i == 0 && is_converted (recording) ? recording->output : path);
  }
  json_object_set_array_member (object, "files", files);
}
