/* gst-tsrec: deletes recordings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverlibrary-private.h"
#include "recservererror.h"

#include <string.h>
#include <unistd.h>

static gboolean
exists (RecServerFolder *folder, const gchar *name)
{
  struct stat st;
  int fd = rec_server_folder_open (folder, name, &st, NULL);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* The fragments of the playlist @name; none for any other file. Whoever may
 * write into the folder may write any name into a playlist, so only those count
 * that are named after it. */
static GPtrArray *
find_fragments (RecServerFolder *folder, const gchar *name)
{
  gchar *stem = rec_server_library_replace_suffix (name, "-");
  gchar *text = g_str_has_suffix (name, ".m3u8")
      ? rec_server_folder_load (folder, name)
      : NULL;
  gboolean ended;
  gdouble duration;
  GPtrArray *uris =
      rec_server_library_read_uris (name, text ? text : "", &ended, &duration);

  for (guint i = uris->len; i > 0; i--) {
    const gchar *uri = g_ptr_array_index (uris, i - 1);

    if (!g_str_has_prefix (uri, stem) || !g_str_has_suffix (uri, ".ts"))
      g_ptr_array_remove_index (uris, i - 1);
  }
  g_free (text);
  g_free (stem);
  return uris;
}

/* Returns TRUE if nothing writes to @name. */
static gboolean
check_complete (RecServerFolder *folder, const gchar *name, GError **error)
{
  struct stat st;
  gboolean growing;
  int fd = rec_server_folder_open (folder, name, &st, error);

  if (fd < 0)
    return FALSE;
  growing = rec_server_library_is_growing (fd, &st);
  close (fd);
  if (growing)
    rec_server_error_set (error, 409, "still recording",
        "\"%s\" is being recorded, or was a moment ago. Stop the recording "
        "first.",
        name);
  return !growing;
}

typedef struct
{
  RecServerFolder *folder;
  gchar *stem;
  GError **error;
  gboolean ok;
} Fragments;

/* The one that is being written is in no playlist yet. */
static gboolean
check_fragment (const gchar *name, gpointer data)
{
  Fragments *fragments = data;
  gsize length = strlen (fragments->stem);
  const gchar *number;

  if (!g_str_has_prefix (name, fragments->stem))
    return TRUE;
  number = name + length;
  if (g_str_equal (number + strspn (number, "0123456789"), ".ts"))
    fragments->ok = check_complete (fragments->folder, name, fragments->error);
  return fragments->ok;
}

static gboolean
check_fragments (RecServerFolder *folder, const gchar *name, GError **error)
{
  Fragments fragments = { folder, rec_server_library_replace_suffix (name, "-"),
    error, TRUE };

  if (g_str_has_suffix (name, ".m3u8"))
    rec_server_folder_foreach (folder, check_fragment, &fragments);
  g_free (fragments.stem);
  return fragments.ok;
}

/* A picture, and the playlist of one file, belong to that file. */
static gboolean
check_is_recording (RecServerFolder *folder, const gchar *name, GError **error)
{
  gchar *single = rec_server_library_replace_suffix (name, ".ts");
  gboolean belongs = g_str_has_suffix (name, ".jpg") ||
      (g_str_has_suffix (name, ".m3u8") && exists (folder, single));

  if (belongs)
    rec_server_error_set (error, 404, "no such recording",
        "\"%s\" is not a recording, but belongs to one.", name);
  g_free (single);
  return !belongs;
}

/* @name and what belongs to it. */
static gboolean
delete_file (RecServerFolder *folder, const gchar *name, GError **error)
{
  static const gchar *const beside[] = { ".m3u8", ".jsonl", ".json", ".jpg" };

  if (!rec_server_folder_delete (folder, name, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (beside); i++) {
    gchar *other = rec_server_library_replace_suffix (name, beside[i]);

    rec_server_folder_delete (folder, other, NULL);
    g_free (other);
  }
  return TRUE;
}

JsonObject *
rec_server_library_delete_files (
    RecServerLibrary *library, const gchar *name, GError **error)
{
  RecServerFolder *folder = library->folder;
  GPtrArray *parts = find_fragments (folder, name);
  gboolean ok = check_is_recording (folder, name, error) &&
      check_complete (folder, name, error) &&
      check_fragments (folder, name, error);
  JsonObject *answer;

  for (guint i = 0; ok && i < parts->len; i++)
    delete_file (folder, g_ptr_array_index (parts, i), NULL);
  ok = ok && delete_file (folder, name, error);
  g_ptr_array_unref (parts);
  if (!ok)
    return NULL;
  answer = json_object_new ();
  json_object_set_boolean_member (answer, "success", TRUE);
  json_object_set_string_member (answer, "name", name);
  return answer;
}
