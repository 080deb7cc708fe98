/* gst-tsrec: NAME.json beside a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserversidecar.h"
#include "recserverjson.h"
#include "recservertsindex.h"
#include "tspacket.h"
#include "tsresume.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (TS_PACKET_SIZE * 4096)
#define MAX_GAPS 1000
#define MAX_JOURNAL (64 * 1024 * 1024)

static gchar *
replace_suffix (const gchar *path, const gchar *suffix)
{
  const gchar *dot = strrchr (path, '.');
  gchar *stem = g_strndup (path, dot ? (gsize)(dot - path) : strlen (path));
  gchar *replaced = g_strconcat (stem, suffix, NULL);

  g_free (stem);
  return replaced;
}

/* --- reading the recording --- */

/**
 * Check: whether packets are whole and none is missing
 * @counters: continuity_counter by PID, TS_CC_NONE: none yet
 */
typedef struct
{
  guint8 counters[TS_N_PIDS];
  guint64 faults;
} Check;

/* 2.4.3.3: the counter rises with each packet that has a payload, and may
 * repeat once; discontinuity_indicator allows any. */
static void
check_packet (Check *check, const guint8 *packet)
{
  guint pid = ts_get_pid (packet);
  guint8 counter = ts_get_cc (packet), last = check->counters[pid];

  if (!ts_has_sync_byte (packet)) {
    check->faults++;
    return;
  }
  if (!ts_has_payload (packet) || pid == TS_PID_NULL)
    return;
  if (last != TS_CC_NONE && !ts_get_discontinuity_indicator (packet) &&
      counter != last && counter != ((last + 1) & TS_CC_MASK))
    check->faults++;
  check->counters[pid] = counter;
}

/* Sets the duration found in the file. */
static void
set_duration (RecServerTsIndex *index, JsonObject *facts)
{
  gint64 first, last;

  if (rec_server_ts_index_get_range (index, &first, &last))
    json_object_set_double_member (facts, "duration_seconds",
        (gint64)((last - first) / 90.0 + 0.5) / 1000.0);
}

/* Size, SHA-256 and, of MPEG-TS, "sound" and duration. */
static void
read_file (const gchar *path, JsonObject *facts)
{
  RecServerTsIndex *index = rec_server_ts_index_new ();
  GChecksum *sum = g_checksum_new (G_CHECKSUM_SHA256);
  Check *check = g_new0 (Check, 1);
  guint8 *buffer = g_malloc (CHUNK);
  gboolean ts = g_str_has_suffix (path, ".ts");
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  guint64 size = 0;
  gssize n = 0;

  memset (check->counters, TS_CC_NONE, sizeof (check->counters));
  while (fd >= 0 && (n = pread (fd, buffer, CHUNK, size)) > 0) {
    g_checksum_update (sum, buffer, n);
    if (ts)
      rec_server_ts_index_push (index, size, buffer, n);
    for (gssize at = 0; ts && at + TS_PACKET_SIZE <= n; at += TS_PACKET_SIZE)
      check_packet (check, buffer + at);
    /* The data is not needed in the page cache. */
    posix_fadvise (fd, size, n, POSIX_FADV_DONTNEED);
    size += n;
  }
  if (fd >= 0 && n == 0) {
    json_object_set_int_member (facts, "file_size_bytes", (gint64)size);
    json_object_set_string_member (
        facts, "sha256", g_checksum_get_string (sum));
    if (ts) {
      json_object_set_boolean_member (
          facts, "sound", check->faults == 0 && size % TS_PACKET_SIZE == 0);
      set_duration (index, facts);
    }
  }
  if (fd >= 0)
    close (fd);
  g_free (buffer);
  g_free (check);
  g_checksum_free (sum);
  rec_server_ts_index_free (index);
}

/* --- the journal --- */

static void
add_gap (JsonArray *gaps, JsonObject *entry)
{
  static const gchar *const members[] = { "utc", "track", "cause" };
  JsonObject *gap = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (json_object_has_member (entry, members[i]))
      json_object_set_member (
          gap, members[i], json_object_dup_member (entry, members[i]));
  json_object_set_double_member (gap, "duration_seconds",
      json_object_get_int_member_with_default (entry, "duration", 0) / 1e9);
  json_array_add_object_element (gaps, gap);
}

/* The lines "gap" of a journal beside the file. */
static void
read_journal (const gchar *path, JsonObject *facts)
{
  gchar *journal = replace_suffix (path, ".jsonl"), *text = NULL, **lines;
  JsonArray *gaps;
  gsize length;

  if (g_file_get_contents (journal, &text, &length, NULL) &&
      length < MAX_JOURNAL) {
    gaps = json_array_new ();
    lines = g_strsplit (text, "\n", -1);
    for (guint i = 0; lines[i] && json_array_get_length (gaps) < MAX_GAPS;
         i++) {
      JsonObject *entry = strstr (lines[i], "\"event\":\"gap\"")
          ? rec_server_json_parse (lines[i], strlen (lines[i]), NULL)
          : NULL;

      if (entry) {
        add_gap (gaps, entry);
        json_object_unref (entry);
      }
    }
    g_strfreev (lines);
    json_object_set_array_member (facts, "gaps", gaps);
  }
  g_free (text);
  g_free (journal);
}

/* --- writing --- */

static gboolean
write_sidecar (const gchar *path, JsonObject *facts, GError **error)
{
  gchar *sidecar = replace_suffix (path, ".json");
  gchar *text = rec_server_json_to_string (json_object_ref (facts));
  gchar *line = g_strconcat (text, "\n", NULL);
  gboolean ok = g_file_set_contents_full (sidecar, line, -1,
      G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666,
      error);

  g_free (line);
  g_free (text);
  g_free (sidecar);
  return ok;
}

typedef struct
{
  gchar *path;
  JsonObject *facts;
  gboolean closed;
  RecServerSidecarFunc func;
  gpointer user_data;
} SidecarJob;

static void
sidecar_job_free (gpointer data)
{
  SidecarJob *job = data;

  json_object_unref (job->facts);
  g_free (job->path);
  g_free (job);
}

static JsonObject *
load_sidecar (const gchar *path)
{
  gchar *sidecar = replace_suffix (path, ".json"), *text = NULL;
  JsonObject *facts = g_file_get_contents (sidecar, &text, NULL, NULL)
      ? rec_server_json_parse (text, strlen (text), NULL)
      : NULL;

  g_free (text);
  g_free (sidecar);
  return facts;
}

/* A file that goes on after a crash, or another connection to its source, began
 * when it was opened first. */
static void
keep_first_utc (JsonObject *facts, JsonObject *before)
{
  const gchar *utc =
      json_object_get_string_member_with_default (before, "first_utc", NULL);

  if (utc)
    json_object_set_string_member (facts, "first_utc", utc);
}

static void
set_last_utc (JsonObject *facts)
{
  const gchar *utc =
      json_object_get_string_member_with_default (facts, "first_utc", NULL);
  GDateTime *first = utc ? g_date_time_new_from_iso8601 (utc, NULL) : NULL;

  if (!first)
    return;
  rec_server_json_set_time (facts, "last_utc",
      g_date_time_to_unix (first) * G_USEC_PER_SEC +
          g_date_time_get_microsecond (first) +
          (gint64)(json_object_get_double_member_with_default (
                       facts, "duration_seconds", 0) *
              G_USEC_PER_SEC));
  g_date_time_unref (first);
}

/* Returns FALSE if @path does not exist, e.g. because its file system is not
 * mounted. */
static gboolean
is_there (const gchar *path, GError **error)
{
  struct stat st;

  if (stat (path, &st) == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s",
      g_strerror (errno));
  return FALSE;
}

static void
run_sidecar_job (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  SidecarJob *job = data;
  JsonObject *before = load_sidecar (job->path);
  gboolean done = before && rec_server_json_get_string (before, "ended", NULL);
  GError *error = NULL;

  if (before && !done)
    keep_first_utc (job->facts, before);
  g_clear_pointer (&before, json_object_unref);
  if (job->closed) {
    read_file (job->path, job->facts);
    read_journal (job->path, job->facts);
    set_last_utc (job->facts);
  } else if (done) {
    /* Jobs run in any order: the file has been closed already. */
    g_task_return_boolean (task, TRUE);
    return;
  }
  if (is_there (job->path, &error) &&
      write_sidecar (job->path, job->facts, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_done (GObject *object, GAsyncResult *result, gpointer data)
{
  SidecarJob *job = g_task_get_task_data (G_TASK (result));
  GError *error = NULL;

  g_task_propagate_boolean (G_TASK (result), &error);
  if (job->func)
    job->func (job->path, job->facts, error, job->user_data);
  g_clear_error (&error);
}

static void
start_job (const gchar *path, JsonObject *facts, gboolean closed,
    RecServerSidecarFunc func, gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, on_done, NULL);
  SidecarJob *job = g_new0 (SidecarJob, 1);

  job->path = g_strdup (path);
  job->facts = json_object_ref (facts);
  job->closed = closed;
  job->func = func;
  job->user_data = user_data;
  g_task_set_task_data (task, job, sidecar_job_free);
  g_task_set_priority (task, G_PRIORITY_LOW);
  g_task_run_in_thread (task, run_sidecar_job);
  g_object_unref (task);
}

void
rec_server_sidecar_open (const gchar *path, JsonObject *facts)
{
  json_object_set_null_member (facts, "ended");
  start_job (path, facts, FALSE, NULL, NULL);
}

void
rec_server_sidecar_close (const gchar *path, JsonObject *facts,
    RecServerSidecarFunc func, gpointer user_data)
{
  start_job (path, facts, TRUE, func, user_data);
}

static void
copy_member (
    JsonObject *object, const gchar *name, JsonNode *node, gpointer copy)
{
  json_object_set_member (copy, name, json_node_copy (node));
}

static void
run_set_done (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  JsonObject *facts = load_sidecar (data);

  if (facts && json_object_has_member (facts, REC_SERVER_SIDECAR_COMMAND)) {
    JsonObject *copy = json_object_new ();

    /* Parsed objects are immutable. */
    json_object_foreach_member (facts, copy_member, copy);
    json_object_set_string_member (copy, REC_SERVER_SIDECAR_COMMAND, "done");
    write_sidecar (data, copy, NULL);
    json_object_unref (copy);
  }
  g_clear_pointer (&facts, json_object_unref);
  g_task_return_boolean (task, TRUE);
}

void
rec_server_sidecar_set_done (const gchar *path)
{
  GTask *task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_set_task_data (task, g_strdup (path), g_free);
  g_task_set_priority (task, G_PRIORITY_LOW);
  g_task_run_in_thread (task, run_set_done);
  g_object_unref (task);
}

/* --- after a crash --- */

void
rec_server_crashed_free (gpointer data)
{
  RecServerCrashed *crashed = data;

  json_object_unref (crashed->facts);
  g_free (crashed->path);
  g_free (crashed);
}

static gboolean
is_pending (JsonObject *facts)
{
  return g_strcmp0 (rec_server_json_get_string (
                        facts, REC_SERVER_SIDECAR_COMMAND, NULL),
             REC_SERVER_SIDECAR_PENDING) == 0;
}

typedef struct
{
  RecServerFolder *folder;
  const gchar *directory;
  GPtrArray *found;
} Search;

/* The sidecar of @name when it says that the recording has not ended, or that
 * its command has not (*@closed). */
static JsonObject *
load_open_sidecar (RecServerFolder *folder, const gchar *name, gboolean *closed)
{
  gchar *beside = replace_suffix (name, ".json");
  gchar *text = rec_server_folder_load (folder, beside);
  JsonObject *facts =
      text ? rec_server_json_parse (text, strlen (text), NULL) : NULL;

  g_free (text);
  g_free (beside);
  *closed = facts && rec_server_json_get_string (facts, "ended", NULL);
  if (facts && rec_server_json_get_string (facts, "id", NULL) &&
      json_object_has_member (facts, "ended") &&
      (*closed ? is_pending (facts)
               : json_object_get_null_member (facts, "ended")))
    return facts;
  g_clear_pointer (&facts, json_object_unref);
  return NULL;
}

static gboolean
look (const gchar *name, gpointer user_data)
{
  Search *search = user_data;
  RecServerCrashed *crashed;
  JsonObject *facts;
  gboolean closed = FALSE, ts = g_str_has_suffix (name, ".ts");
  struct stat st;
  int fd;

  if (!ts && !g_str_has_suffix (name, ".mp4"))
    return TRUE;
  facts = load_open_sidecar (search->folder, name, &closed);
  if (!closed && !ts)
    g_clear_pointer (&facts, json_object_unref);
  fd = facts ? rec_server_folder_open (search->folder, name, &st, NULL) : -1;
  if (fd >= 0 && !rec_server_folder_is_locked (fd)) {
    crashed = g_new0 (RecServerCrashed, 1);
    crashed->path = g_canonicalize_filename (name, search->directory);
    crashed->facts = json_object_ref (facts);
    crashed->closed = closed;
    g_ptr_array_add (search->found, crashed);
  }
  if (fd >= 0)
    close (fd);
  g_clear_pointer (&facts, json_object_unref);
  return TRUE;
}

GPtrArray *
rec_server_sidecar_find_crashed (
    RecServerFolder *folder, const gchar *directory)
{
  gchar *absolute = g_canonicalize_filename (directory, NULL);
  Search search = { folder, absolute,
    g_ptr_array_new_with_free_func (rec_server_crashed_free) };

  rec_server_folder_foreach (folder, look, &search);
  g_free (absolute);
  return search.found;
}

/* Returns 0 or errno. */
static int
cut (const gchar *path, guint64 size)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW), err = 0;

  if (fd < 0)
    return errno;
  if (ftruncate (fd, (off_t)size) < 0 || fsync (fd) < 0)
    err = errno;
  close (fd);
  return err;
}

gboolean
rec_server_sidecar_repair (const gchar *path)
{
  TsResumeScan *scan = g_new0 (TsResumeScan, 1);
  int err = ts_resume_scan_file (scan, path, 0);

  if (err == 0 && scan->is_ts && scan->whole < scan->size)
    err = cut (path, scan->whole);
  g_free (scan);
  errno = err;
  return err == 0;
}
