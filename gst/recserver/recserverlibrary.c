/* gst-tsrec: list, playlists and clips of the recordings in a folder
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverlibrary-private.h"
#include "recserverjson.h"

#include <string.h>
#include <unistd.h>

#define MAX_FILES 20000

/* --- life --- */

RecServerLibrary *
rec_server_library_new (RecServerFolder *folder)
{
  RecServerLibrary *library = g_new0 (RecServerLibrary, 1);

  g_atomic_ref_count_init (&library->refcount);
  library->folder = rec_server_folder_ref (folder);
  g_mutex_init (&library->lock);
  g_mutex_init (&library->index_lock);
  library->facts = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);
  library->indexes = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, rec_server_library_free_index);
  return library;
}

static RecServerLibrary *
library_ref (RecServerLibrary *library)
{
  g_atomic_ref_count_inc (&library->refcount);
  return library;
}

void
rec_server_library_unref (RecServerLibrary *library)
{
  if (!g_atomic_ref_count_dec (&library->refcount))
    return;
  g_hash_table_unref (library->facts);
  g_hash_table_unref (library->indexes);
  g_mutex_clear (&library->lock);
  g_mutex_clear (&library->index_lock);
  rec_server_folder_unref (library->folder);
  g_free (library);
}

RecServerFolder *
rec_server_library_get_folder (RecServerLibrary *library)
{
  return library->folder;
}

gchar *
rec_server_library_make_key (const struct stat *st)
{
  return g_strdup_printf ("%lu:%lu", (gulong)st->st_dev, (gulong)st->st_ino);
}

gboolean
rec_server_library_is_growing (int fd, const struct stat *st)
{
  return g_get_real_time () / G_USEC_PER_SEC - st->st_mtim.tv_sec <
      REC_SERVER_LIBRARY_GROWING ||
      rec_server_folder_is_locked (fd);
}

gchar *
rec_server_library_make_url (const gchar *prefix, const gchar *name)
{
  gchar *escaped = g_uri_escape_string (name, "/", FALSE);
  gchar *url = g_strconcat (prefix, escaped, NULL);

  g_free (escaped);
  return url;
}

gchar *
rec_server_library_replace_suffix (const gchar *name, const gchar *suffix)
{
  const gchar *dot = strrchr (name, '.');
  gchar *stem = g_strndup (name, dot ? (gsize)(dot - name) : strlen (name));
  gchar *replaced = g_strconcat (stem, suffix, NULL);

  g_free (stem);
  return replaced;
}

/* The row of the file @name without what is in it; NULL if it is not there. */
static JsonObject *
look (RecServerLibrary *library, const gchar *name)
{
  JsonObject *row;
  struct stat st;
  int fd = rec_server_folder_open (library->folder, name, &st, NULL);
  gchar *url;

  if (fd < 0)
    return NULL;
  row = json_object_new ();
  url = rec_server_library_make_url ("/files/", name);
  json_object_set_string_member (row, "name", name);
  json_object_set_string_member (row, "url", url);
  json_object_set_int_member (row, "file_size_bytes", st.st_size);
  json_object_set_double_member (row, "modified",
      st.st_mtim.tv_sec + st.st_mtim.tv_nsec / 1000000 / 1000.0);
  json_object_set_boolean_member (
      row, "growing", rec_server_library_is_growing (fd, &st));
  close (fd);
  g_free (url);
  return row;
}

/* --- the list --- */

static gboolean
add_name (const gchar *name, gpointer names)
{
  g_ptr_array_add (names, g_strdup (name));
  return ((GPtrArray *)names)->len < MAX_FILES;
}

GPtrArray *
rec_server_library_read_uris (
    const gchar *name, const gchar *text, gboolean *ended, gdouble *duration)
{
  gchar *folder = g_path_get_dirname (name), **lines;
  GPtrArray *uris = g_ptr_array_new_with_free_func (g_free);

  *ended = FALSE;
  *duration = 0;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    gchar *line = g_strstrip (lines[i]), *uri;

    if (g_str_has_prefix (line, "#EXTINF:"))
      *duration += MAX (0, g_ascii_strtod (line + strlen ("#EXTINF:"), NULL));
    *ended |= g_str_equal (line, "#EXT-X-ENDLIST");
    if (*line == '#' || *line == '\0')
      continue;
    uri = g_uri_unescape_string (line, NULL);
    if (uri)
      g_ptr_array_add (uris,
          g_str_equal (folder, ".") ? g_strdup (uri)
                                    : g_build_filename (folder, uri, NULL));
    g_free (uri);
  }
  g_strfreev (lines);
  g_free (folder);
  return uris;
}

/* Replaces the rows of fragments with one, with the name of their playlist. */
static void
join_fragments (
    GHashTable *rows, JsonObject *row, GPtrArray *uris, gdouble duration)
{
  gint64 bytes = 0;
  gdouble modified = 0;
  gboolean growing = FALSE;
  guint n = 0;
  gchar *before = NULL;

  for (guint i = 0; i < uris->len; i++) {
    const gchar *uri = g_ptr_array_index (uris, i);
    JsonObject *part = g_hash_table_lookup (rows, uri);

    if (!part || g_strcmp0 (before, uri) == 0)
      continue;
    g_free (before);
    before = g_strdup (uri);
    bytes += json_object_get_int_member (part, "file_size_bytes");
    modified = MAX (modified, json_object_get_double_member (part, "modified"));
    growing |= json_object_get_boolean_member (part, "growing");
    json_object_set_string_member (row, REC_SERVER_LIBRARY_PART, uri);
    g_hash_table_remove (rows, uri);
    n++;
  }
  json_object_set_int_member (row, "fragments", n);
  json_object_set_int_member (row, "file_size_bytes", bytes);
  json_object_set_double_member (row, "modified", modified);
  json_object_set_boolean_member (row, "growing", growing);
  json_object_set_double_member (row, "duration_seconds", duration);
  json_object_set_string_member (
      row, "playlist_url", json_object_get_string_member (row, "url"));
  g_free (before);
}

/* Replaces the row of a playlist, or of the fragments that it lists. */
static void
take_playlist (RecServerLibrary *library, GHashTable *rows, const gchar *name)
{
  gchar *text = rec_server_folder_load (library->folder, name);
  gchar *single = rec_server_library_replace_suffix (name, ".ts");
  JsonObject *row = g_hash_table_lookup (rows, name);
  JsonObject *only = g_hash_table_lookup (rows, single);
  gboolean ended;
  gdouble duration;
  GPtrArray *uris;

  if (text && row) {
    uris = rec_server_library_read_uris (name, text, &ended, &duration);
    if (!only)
      join_fragments (rows, row, uris, duration);
    /* The playlist of a recorder that was killed has no end. */
    else if (ended || json_object_get_boolean_member (only, "growing"))
      json_object_set_string_member (
          only, "playlist_url", json_object_get_string_member (row, "url"));
    g_ptr_array_unref (uris);
  }
  if (only || !text ||
      !json_object_get_int_member_with_default (row, "fragments", 0))
    g_hash_table_remove (rows, name);
  g_free (single);
  g_free (text);
}

static GHashTable *
collect (RecServerLibrary *library)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  GHashTable *rows = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);

  rec_server_folder_foreach (library->folder, add_name, names);
  for (guint i = 0; i < names->len; i++) {
    const gchar *name = g_ptr_array_index (names, i);
    JsonObject *row =
        g_str_has_suffix (name, ".jpg") ? NULL : look (library, name);

    if (row)
      g_hash_table_insert (rows, g_strdup (name), row);
  }
  for (guint i = 0; i < names->len; i++)
    if (g_str_has_suffix (g_ptr_array_index (names, i), ".m3u8"))
      take_playlist (library, rows, g_ptr_array_index (names, i));
  g_ptr_array_unref (names);
  return rows;
}

static gdouble
get_number (JsonObject *row, const gchar *member)
{
  JsonNode *node = json_object_get_member (row, member);

  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : 0;
}

static gint
compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  JsonObject *x = *(JsonObject *const *)a, *y = *(JsonObject *const *)b;
  const gchar *sort = user_data;
  gint sign = *sort == '-' ? -1 : 1, order = 0;
  const gchar *by = sort + (*sort == '-');
  const gchar *member = g_str_equal (by, "size") ? "file_size_bytes"
      : g_str_equal (by, "duration")             ? "duration_seconds"
                                                 : "modified";
  gdouble m = get_number (x, member), n = get_number (y, member);

  if (!g_str_equal (by, "name"))
    order = m < n ? -1 : m > n;
  if (order == 0)
    order = strcmp (json_object_get_string_member (x, "name"),
        json_object_get_string_member (y, "name"));
  return sign * order;
}

/* Adds the URL of a generated playlist if a transport stream has none. */
static void
complete_row (JsonObject *row)
{
  const gchar *name = json_object_get_string_member (row, "name");
  gchar *url, *playlist;

  if (json_object_has_member (row, "playlist_url") ||
      !g_str_has_suffix (name, ".ts"))
    return;
  url = rec_server_library_make_url ("/hls/", name);
  playlist = g_strconcat (url, ".m3u8", NULL);
  json_object_set_string_member (row, "playlist_url", playlist);
  g_free (playlist);
  g_free (url);
}

typedef struct
{
  RecServerLibrary *library;
  RecServerLibraryQuery query;
  gchar *name; /* NULL: the list */
  RecServerLibraryFunc func;
  gpointer user_data;
} QueryJob;

static void
query_job_free (gpointer data)
{
  QueryJob *job = data;

  rec_server_library_unref (job->library);
  g_free (job->query.pattern);
  g_free (job->query.sort);
  g_free (job->query.name);
  g_free (job->name);
  g_free (job);
}

static gchar *
load_id (RecServerLibrary *library, const gchar *name, const gchar *suffix)
{
  gchar *beside = rec_server_library_replace_suffix (name, suffix), *id = NULL;
  gchar *text = rec_server_folder_load (library->folder, beside);
  JsonObject *sidecar =
      text ? rec_server_json_parse (text, strlen (text), NULL) : NULL;

  if (sidecar)
    id = g_strdup (rec_server_json_get_string (sidecar, "id", NULL));
  g_clear_pointer (&sidecar, json_object_unref);
  g_free (text);
  g_free (beside);
  return id;
}

/* "cam" of "cam-20260131-120000-1.ts": the location by default. */
static gchar *
parse_id (const gchar *name)
{
  gchar *base = g_path_get_basename (name);
  gchar *stem = rec_server_library_replace_suffix (base, "");
  GRegex *dated = g_regex_new ("-\\d{8}-\\d{6}(-\\d+){0,2}$", 0, 0, NULL);
  gchar *id = g_regex_replace_literal (dated, stem, -1, 0, "", 0, NULL);

  g_regex_unref (dated);
  g_free (stem);
  g_free (base);
  return id;
}

gchar *
rec_server_library_dup_id (RecServerLibrary *library, const gchar *name)
{
  gchar *id = load_id (library, name, ".json");

  if (!id && g_str_has_suffix (name, ".m3u8"))
    id = load_id (library, name, "-00000.json");
  return id ? id : parse_id (name);
}

static gboolean
is_wanted (RecServerLibrary *library, const RecServerLibraryQuery *query,
    const gchar *name)
{
  gboolean wanted = !query->name || g_str_equal (query->name, name);
  gchar *id;

  if (!wanted || g_str_equal (query->pattern, "*"))
    return wanted;
  id = rec_server_library_dup_id (library, name);
  wanted = g_pattern_match_simple (query->pattern, id);
  g_free (id);
  return wanted;
}

/* Files are read only if the page, or its order, depends on it. */
static JsonObject *
make_list (QueryJob *job)
{
  gboolean by_duration = g_str_has_suffix (job->query.sort, "duration");
  GHashTable *rows = collect (job->library);
  GPtrArray *sorted =
      g_ptr_array_new_with_free_func ((GDestroyNotify)json_object_unref);
  JsonObject *answer = json_object_new ();
  JsonArray *page = json_array_new ();
  gchar *folder = rec_server_folder_dup_name (job->library->folder);
  GHashTableIter iter;
  gpointer name, row;

  g_hash_table_iter_init (&iter, rows);
  while (g_hash_table_iter_next (&iter, &name, &row)) {
    if (!is_wanted (job->library, &job->query, name))
      continue;
    if (by_duration)
      rec_server_library_add_facts (job->library, row);
    g_ptr_array_add (sorted, json_object_ref (row));
  }
  g_ptr_array_sort_with_data (sorted, compare, job->query.sort);
  for (guint i = job->query.offset;
       i < sorted->len && i - job->query.offset < job->query.limit; i++) {
    if (!by_duration)
      rec_server_library_add_facts (
          job->library, g_ptr_array_index (sorted, i));
    complete_row (g_ptr_array_index (sorted, i));
    json_array_add_object_element (
        page, json_object_ref (g_ptr_array_index (sorted, i)));
  }
  json_object_set_boolean_member (answer, "success", TRUE);
  json_object_set_string_member (answer, "folder", folder);
  json_object_set_double_member (
      answer, "now", g_get_real_time () / 1000 / 1000.0);
  json_object_set_int_member (answer, "total", sorted->len);
  json_object_set_array_member (answer, "recordings", page);
  g_ptr_array_unref (sorted);
  g_hash_table_unref (rows);
  g_free (folder);
  return answer;
}

/* --- threads --- */

static void
run_query_job (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  QueryJob *job = data;
  GError *error = NULL;
  JsonObject *answer = job->name
      ? rec_server_library_delete_files (job->library, job->name, &error)
      : make_list (job);

  if (answer)
    g_task_return_pointer (task, answer, (GDestroyNotify)json_object_unref);
  else
    g_task_return_error (task, error);
}

static void
on_done (GObject *object, GAsyncResult *result, gpointer data)
{
  QueryJob *job = g_task_get_task_data (G_TASK (result));
  GError *error = NULL;
  JsonObject *answer = g_task_propagate_pointer (G_TASK (result), &error);

  job->func (answer, error, job->user_data);
}

static void
start_job (QueryJob *job)
{
  GTask *task = g_task_new (NULL, NULL, on_done, NULL);

  g_task_set_task_data (task, job, query_job_free);
  g_task_run_in_thread (task, run_query_job);
  g_object_unref (task);
}

void
rec_server_library_list (RecServerLibrary *library,
    const RecServerLibraryQuery *query, RecServerLibraryFunc func,
    gpointer user_data)
{
  QueryJob *job = g_new0 (QueryJob, 1);

  job->library = library_ref (library);
  job->query = *query;
  job->query.pattern = g_strdup (query->pattern);
  job->query.sort = g_strdup (query->sort);
  job->query.name = g_strdup (query->name);
  job->func = func;
  job->user_data = user_data;
  start_job (job);
}

void
rec_server_library_delete (RecServerLibrary *library, const gchar *name,
    RecServerLibraryFunc func, gpointer user_data)
{
  QueryJob *job = g_new0 (QueryJob, 1);

  job->library = library_ref (library);
  job->name = g_strdup (name);
  job->func = func;
  job->user_data = user_data;
  start_job (job);
}
