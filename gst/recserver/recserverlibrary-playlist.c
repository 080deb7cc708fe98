/* gst-tsrec: playlists for recordings without one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverlibrary-private.h"
#include "recservererror.h"
#include "recservertsindex.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1024 * 1024)
#define MAX_INDEXES 64
/* Time for which one request may read a file, µs. */
#define BUDGET (2 * G_USEC_PER_SEC)
/* Minimum duration of an entry except the last, seconds. */
#define MIN_ENTRY 1.9
/* Seconds; must not change while a recording is written. */
#define TARGET_DURATION 10
/* Seconds without a write after which a playlist may be abandoned. */
#define LEFT_ALONE 15

typedef struct
{
  RecServerTsIndex *index;
  goffset position;
} CachedIndex;

void
rec_server_library_free_index (gpointer data)
{
  CachedIndex *cached = data;

  rec_server_ts_index_free (cached->index);
  g_free (cached);
}

/* Call with index_lock held. */
static CachedIndex *
find_index (RecServerLibrary *library, const struct stat *st)
{
  gchar *key = rec_server_library_make_key (st);
  CachedIndex *cached = g_hash_table_lookup (library->indexes, key);

  if (cached && cached->position <= st->st_size) {
    g_free (key);
    return cached;
  }
  if (g_hash_table_size (library->indexes) >= MAX_INDEXES)
    g_hash_table_remove_all (library->indexes);
  cached = g_new0 (CachedIndex, 1);
  cached->index = rec_server_ts_index_new ();
  g_hash_table_replace (library->indexes, key, cached);
  return cached;
}

/* Returns TRUE if the file was read to its end. */
static gboolean
read_on (CachedIndex *cached, int fd, const struct stat *st)
{
  gint64 deadline = g_get_monotonic_time () + BUDGET;
  guint8 *buffer = g_malloc (CHUNK);
  gssize n = 1;

  while (cached->position < st->st_size && n > 0 &&
      g_get_monotonic_time () < deadline) {
    n = pread (fd, buffer, MIN (CHUNK, st->st_size - cached->position),
        cached->position);
    if (n > 0) {
      rec_server_ts_index_push (cached->index, cached->position, buffer, n);
      cached->position += n;
    }
  }
  g_free (buffer);
  return cached->position >= st->st_size;
}

RecServerTsIndex *
rec_server_library_read_index (
    RecServerLibrary *library, int fd, const struct stat *st, gboolean *whole)
{
  CachedIndex *cached = find_index (library, st);

  *whole = read_on (cached, fd, st);
  return cached->index;
}

static void
append_entry (GString *text, const gchar *url, gdouble seconds, guint64 offset,
    guint64 end, gboolean jumped)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  if (jumped)
    g_string_append (text, "#EXT-X-DISCONTINUITY\n");
  g_string_append_printf (text,
      "#EXTINF:%s,\n#EXT-X-BYTERANGE:%" G_GUINT64_FORMAT "@%" G_GUINT64_FORMAT
      "\n%s\n",
      g_ascii_formatd (number, sizeof (number), "%.5f", MAX (seconds, 0.001)),
      end - offset, offset, url);
}

/* Returns the end of an entry that begins at @i. */
static guint
find_end (const GArray *entries, guint i)
{
  const RecServerTsEntry *e = (const RecServerTsEntry *)entries->data;
  guint j = i + 1;

  while (j < entries->len && !e[j].jumped &&
      (e[j].time - e[i].time) < (gint64)(MIN_ENTRY * REC_SERVER_TS_CLOCK))
    j++;
  return j;
}

static gchar *
make_text (CachedIndex *cached, const gchar *url, guint64 size, gboolean ended)
{
  const GArray *entries = rec_server_ts_index_get_entries (cached->index);
  const RecServerTsEntry *e = (const RecServerTsEntry *)entries->data;
  GString *body = g_string_new (NULL), *text;
  gdouble longest = 1;
  gint64 first, last;
  guint next;

  rec_server_ts_index_get_range (cached->index, &first, &last);
  for (guint i = 0; i < entries->len; i = next) {
    gboolean is_last;
    gdouble seconds;

    next = find_end (entries, i);
    is_last = next == entries->len;
    if (is_last && !ended)
      break;
    seconds = is_last || e[next].jumped
        ? (last - e[i].time) / (gdouble)REC_SERVER_TS_CLOCK
        : (e[next].time - e[i].time) / (gdouble)REC_SERVER_TS_CLOCK;
    longest = MAX (longest, seconds);
    append_entry (body, url, seconds, e[i].offset,
        is_last ? size : e[next].offset, e[i].jumped);
  }
  text = g_string_new ("#EXTM3U\n#EXT-X-VERSION:4\n");
  g_string_append_printf (text,
      "#EXT-X-TARGETDURATION:%u\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
      "#EXT-X-MEDIA-SEQUENCE:0\n",
      MAX (TARGET_DURATION, (guint)ceil (longest)));
  g_string_append_len (text, body->str, body->len);
  if (ended)
    g_string_append (text, "#EXT-X-ENDLIST\n");
  g_string_free (body, TRUE);
  return g_string_free (text, FALSE);
}

/* Returns TRUE if the last file of the playlist @text is being written. */
static gboolean
names_growing (RecServerLibrary *library, const gchar *name, const gchar *text)
{
  gchar **lines = g_strsplit (text, "\n", -1), *folder, *uri = NULL, *path;
  gboolean growing = FALSE;
  struct stat st;
  int fd;

  for (guint i = 0; lines[i]; i++)
    if (*g_strstrip (lines[i]) != '\0' && *lines[i] != '#') {
      g_free (uri);
      uri = g_uri_unescape_string (lines[i], NULL);
    }
  folder = g_path_get_dirname (name);
  path = uri && !g_str_equal (folder, ".")
      ? g_build_filename (folder, uri, NULL)
      : g_strdup (uri);
  fd = path ? rec_server_folder_peek (library->folder, path, &st) : -1;
  if (fd >= 0) {
    growing = rec_server_library_is_growing (fd, &st) ||
        g_get_real_time () / G_USEC_PER_SEC - st.st_mtim.tv_sec < LEFT_ALONE;
    close (fd);
  }
  g_free (path);
  g_free (folder);
  g_free (uri);
  g_strfreev (lines);
  return growing;
}

/* Loads a playlist of a recorder. If the recorder was killed, adds the missing
 * end, so that players do not wait for more entries. */
static gchar *
load_written (RecServerLibrary *library, const gchar *name, GError **error)
{
  struct stat st;
  int fd = rec_server_folder_open (library->folder, name, &st, error);
  gchar *text, *whole;

  if (fd < 0)
    return NULL;
  close (fd);
  text = rec_server_folder_load (library->folder, name);
  if (!text)
    rec_server_error_set (
        error, 404, "not readable", "The playlist cannot be read.");
  if (!text || strstr (text, "#EXT-X-ENDLIST") || !strstr (text, "#EXTINF") ||
      g_get_real_time () / G_USEC_PER_SEC - st.st_mtim.tv_sec < LEFT_ALONE ||
      names_growing (library, name, text))
    return text;
  whole = g_strconcat (g_strchomp (text), "\n#EXT-X-ENDLIST\n", NULL);
  g_free (text);
  return whole;
}

static gchar *
generate (RecServerLibrary *library, const gchar *name, GError **error)
{
  struct stat st;
  int fd = rec_server_folder_open (library->folder, name, &st, error);
  gchar *url, *text = NULL;
  CachedIndex *cached;
  gboolean whole, growing;

  if (fd < 0)
    return NULL;
  growing = rec_server_library_is_growing (fd, &st);
  url = rec_server_library_make_url ("/files/", name);
  g_mutex_lock (&library->index_lock);
  cached = find_index (library, &st);
  whole = read_on (cached, fd, &st);
  if (rec_server_ts_index_get_entries (cached->index)->len > 0)
    text = make_text (cached, url, st.st_size, whole && !growing);
  g_mutex_unlock (&library->index_lock);
  close (fd);
  g_free (url);
  if (text)
    return text;
  if (whole && !growing)
    rec_server_error_set (error, 422, "nothing to play",
        "No picture and no sound was found in this file.");
  else
    rec_server_error_set (error, 503, "not yet",
        "The recording has only begun; try again in a moment.");
  return NULL;
}

/* --- threads --- */

typedef struct
{
  RecServerLibrary *library;
  gchar *name;
  RecServerLibraryFunc func;
  gpointer user_data;
} PlaylistJob;

static void
playlist_job_free (gpointer data)
{
  PlaylistJob *job = data;

  rec_server_library_unref (job->library);
  g_free (job->name);
  g_free (job);
}

static void
run_playlist_job (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  PlaylistJob *job = data;
  GError *error = NULL;
  gchar *text = g_str_has_suffix (job->name, ".m3u8")
      ? load_written (job->library, job->name, &error)
      : generate (job->library, job->name, &error);

  if (text)
    g_task_return_pointer (task, text, g_free);
  else
    g_task_return_error (task, error);
}

static void
on_done (GObject *object, GAsyncResult *result, gpointer data)
{
  PlaylistJob *job = g_task_get_task_data (G_TASK (result));
  GError *error = NULL;
  gchar *text = g_task_propagate_pointer (G_TASK (result), &error);
  JsonObject *answer = NULL;

  if (text) {
    answer = json_object_new ();
    json_object_set_string_member (answer, "text", text);
  }
  job->func (answer, error, job->user_data);
  g_free (text);
}

void
rec_server_library_make_playlist (RecServerLibrary *library, const gchar *name,
    RecServerLibraryFunc func, gpointer user_data)
{
  PlaylistJob *job = g_new0 (PlaylistJob, 1);
  GTask *task = g_task_new (NULL, NULL, on_done, NULL);

  g_atomic_ref_count_inc (&library->refcount);
  job->library = library;
  job->name = g_strdup (name);
  job->func = func;
  job->user_data = user_data;
  g_task_set_task_data (task, job, playlist_job_free);
  g_task_run_in_thread (task, run_playlist_job);
  g_object_unref (task);
}
