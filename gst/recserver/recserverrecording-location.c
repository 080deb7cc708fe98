/* gst-tsrec: the names of the files of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverrecording-private.h"
#include "recservererror.h"

#include <errno.h>
#include <glib/gstdio.h>

/* "%Y" and "{id}" in the pattern of the operator; the id is no pattern. */
static gchar *
expand_location (const RecServerRecordingConfig *config)
{
  GDateTime *now = g_date_time_new_now_local ();
  gchar *expanded = g_date_time_format (now, config->path->location);
  gchar **parts = g_strsplit (expanded ? expanded : "{id}", "{id}", -1);
  gchar *name = g_strjoinv (config->id, parts), *path, *absolute;

  path = g_build_filename (config->server->directory, name, NULL);
  absolute = g_canonicalize_filename (path, NULL);
  g_date_time_unref (now);
  g_free (expanded);
  g_strfreev (parts);
  g_free (name);
  g_free (path);
  return absolute;
}

static gboolean
is_taken (const gchar *location, const gchar *suffix)
{
  gchar *path = g_strconcat (location, suffix, NULL);
  gboolean taken = g_file_test (path, G_FILE_TEST_EXISTS);

  g_free (path);
  return taken;
}

gchar *
rec_server_recording_choose_location (const RecServerRecordingConfig *config)
{
  static const gchar *const suffixes[] = { ".ts", ".m3u8", ".jsonl", ".json",
    ".mp4", "-00000.ts" };
  gchar *stem = expand_location (config), *location = g_strdup (stem);

  for (guint n = 1;; n++) {
    gboolean taken = FALSE;

    for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
      taken |= is_taken (location, suffixes[i]);
    if (!taken)
      break;
    g_free (location);
    location = g_strdup_printf ("%s-%u", stem, n);
  }
  g_free (stem);
  return location;
}

gboolean
rec_server_recording_make_folder (RecServerRecording *recording, GError **error)
{
  gchar *folder = g_path_get_dirname (recording->location);
  gboolean ok = g_mkdir_with_parents (folder, 0777) == 0 &&
      g_access (folder, W_OK | X_OK) == 0;

  if (!ok)
    rec_server_error_set (error, 500, "folder not writable",
        "Cannot write into \"%s\": %s. Check its permissions, or set directory "
        "to another one.",
        folder, g_strerror (errno));
  g_free (folder);
  return ok;
}

gchar *
rec_server_recording_choose_output (RecServerRecording *recording)
{
  if (recording->path->max_size_time)
    return g_strconcat (recording->location,
        recording->path->playlist ? ".m3u8" : "-00000.ts", NULL);
  return g_strconcat (
      recording->location, ".", recording->format->suffix, NULL);
}
