/* gst-tsrec: ranges of recordings by wall-clock time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverlibrary-private.h"
#include "recservererror.h"
#include "recserverjson.h"
#include "tspacket.h"

#include <string.h>
#include <unistd.h>

/* Attempts to read the index to its end, two seconds each. */
#define MAX_ATTEMPTS 15

typedef struct
{
  RecServerLibrary *library;
  gchar *name;
  RecServerLibraryRange range;
  RecServerLibraryClipFunc func;
  gpointer user_data;
} ClipJob;

static void
clip_job_free (gpointer data)
{
  ClipJob *job = data;

  rec_server_library_unref (job->library);
  g_free (job->name);
  g_free (job);
}

/* Returns the UTC of the first PTS, from NAME.json or from the time of the last
 * write. */
static gint64
get_first_utc (ClipJob *job, const struct stat *st, gint64 span)
{
  gchar *beside = rec_server_library_replace_suffix (job->name, ".json");
  gchar *text = rec_server_folder_load (job->library->folder, beside);
  JsonObject *facts =
      text ? rec_server_json_parse (text, strlen (text), NULL) : NULL;
  const gchar *utc = facts
      ? json_object_get_string_member_with_default (facts, "first_utc", NULL)
      : NULL;
  GDateTime *time = utc ? g_date_time_new_from_iso8601 (utc, NULL) : NULL;
  gint64 first = st->st_mtim.tv_sec * G_USEC_PER_SEC +
      st->st_mtim.tv_nsec / 1000 - span * 100 / 9;

  if (time) {
    first = g_date_time_to_unix (time) * G_USEC_PER_SEC +
        g_date_time_get_microsecond (time);
    g_date_time_unref (time);
  }
  g_clear_pointer (&facts, json_object_unref);
  g_free (text);
  g_free (beside);
  return first;
}

static gchar *
format_utc (gint64 us)
{
  JsonObject *object = json_object_new ();
  gchar *text;

  rec_server_json_set_time (object, "t", us);
  text =
      g_strdup (json_object_get_string_member_with_default (object, "t", "?"));
  json_object_unref (object);
  return text;
}

/* @before, @after: the nearest recorded times, 0 if there is none. */
static void
set_nothing (GError **error, gint64 before, gint64 after)
{
  gchar *ends = before ? format_utc (before) : NULL;
  gchar *begins = after ? format_utc (after) : NULL;

  rec_server_error_set (error, 404, "no media in this range",
      "Nothing was recorded then. The nearest recorded time%s%s%s%s%s.",
      ends ? " ends at " : "", ends ? ends : "", ends && begins ? " and" : "",
      begins ? " begins at " : "", begins ? begins : "");
  g_free (ends);
  g_free (begins);
}

/* Position of a clip in the entries of an index. */
typedef struct
{
  guint first;
  guint end;           /* after the last one */
  gboolean from_start; /* with what is before the first entry */
} Span;

/* @from, @to: on the clock of the entries; @utc: of its zero. */
static gboolean
choose (const GArray *entries, gint64 from, gint64 to, gint64 utc, Span *span,
    GError **error)
{
  const RecServerTsEntry *e = (const RecServerTsEntry *)entries->data;
  guint first = 0, end;

  while (first + 1 < entries->len && e[first + 1].time <= from)
    first++;
  for (end = first + 1; end < entries->len && e[end].time < to;)
    end++;
  if (to <= e[0].time) {
    set_nothing (error, 0, utc + e[0].time * 100 / 9);
    return FALSE;
  }
  if (e[first].end < from && end == first + 1) {
    set_nothing (error, utc + e[first].end * 100 / 9,
        end < entries->len ? utc + e[end].time * 100 / 9 : 0);
    return FALSE;
  }
  /* The range begins in a gap: start with the media after it. */
  if (e[first].end < from)
    first++;
  span->first = first;
  span->end = end;
  span->from_start = from == G_MININT64;
  return TRUE;
}

static void
set_bytes (RecServerLibraryClip *clip, const GArray *entries, const Span *span)
{
  const RecServerTsEntry *e = (const RecServerTsEntry *)entries->data;
  goffset end = span->end < entries->len
      ? (goffset)e[span->end].offset
      : clip->st.st_size - clip->st.st_size % TS_PACKET_SIZE;

  clip->offset = span->from_start ? 0 : (goffset)e[span->first].offset;
  clip->length = end - clip->offset;
}

/* Sets @clip->tracks and @clip->head. Returns FALSE if a track begins too late.
 */
static gboolean
set_tracks (
    RecServerTsIndex *index, RecServerLibraryClip *clip, const Span *span)
{
  const GArray *tracks = rec_server_ts_index_get_tracks (index);
  const GArray *entries = rec_server_ts_index_get_entries (index);
  guint seen =
      span->from_start ? rec_server_ts_index_get_early_tracks (index) : 0;

  for (guint i = span->first; i < span->end; i++) {
    const RecServerTsEntry *e = &g_array_index (entries, RecServerTsEntry, i);

    if (!(e->tracks & ~seen))
      continue;
    if ((goffset)e->offset - clip->offset > REC_SERVER_LIBRARY_MAX_HEAD)
      return FALSE;
    seen |= e->tracks;
    clip->head = (i + 1 < entries->len ? (goffset)e[1].offset
                                       : clip->offset + clip->length) -
        clip->offset;
  }
  for (guint i = 0; i < tracks->len; i++) {
    const RecServerTsTrack *track =
        &g_array_index (tracks, RecServerTsTrack, i);

    if (seen & 1U << i)
      clip->tracks[clip->n_tracks++] = (RecServerLibraryTrack){ track->pid,
        track->video, track->adts != 0, track->codec };
  }
  return TRUE;
}

/* Returns TRUE if a track ends and one of its kind with another codec begins
 * later: the format has changed, and with it the PID. */
static gboolean
has_successor (RecServerTsIndex *index, const Span *span)
{
  const GArray *tracks = rec_server_ts_index_get_tracks (index);
  const GArray *entries = rec_server_ts_index_get_entries (index);
  guint first[REC_SERVER_TS_MAX_TRACKS], last[REC_SERVER_TS_MAX_TRACKS] = { 0 };

  for (guint i = span->end; i-- > span->first;)
    for (guint j = 0; j < tracks->len; j++)
      if (g_array_index (entries, RecServerTsEntry, i).tracks & 1U << j) {
        first[j] = i;
        last[j] = last[j] ? last[j] : i + 1;
      }
  for (guint i = 0; i < tracks->len; i++)
    for (guint j = 0; j < tracks->len; j++) {
      const RecServerTsTrack *t = (const RecServerTsTrack *)tracks->data;

      if (last[i] && last[j] && first[j] >= last[i] &&
          t[i].video == t[j].video && g_strcmp0 (t[i].codec, t[j].codec) != 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
make_uniform (RecServerTsIndex *index, RecServerLibraryClip *clip, Span *span,
    GError **error)
{
  const GArray *entries = rec_server_ts_index_get_entries (index);
  gboolean ok;

  /* The last access unit of a recording that is being written may be partial. */
  if (span->end == entries->len && span->end > span->first + 1 &&
      rec_server_folder_is_locked (clip->fd)) {
    span->end--;
    set_bytes (clip, entries, span);
  }
  ok = set_tracks (index, clip, span);
  if (!ok)
    rec_server_error_set (error, 422, "a track begins late",
        "A track begins more than %d MiB after the start of the clip. Choose a "
        "later start, or use pipelines/ts-to-mp4.",
        REC_SERVER_LIBRARY_MAX_HEAD / (1024 * 1024));
  else if (has_successor (index, span) ||
      rec_server_ts_index_has_change (
          index, clip->offset, clip->offset + clip->length)) {
    rec_server_error_set (error, 422, "the format changes",
        "The codec, the sampling rate or the channels of a track change in "
        "this range, and a track of an MP4 has one format. Choose a range "
        "before or after the change, or use pipelines/ts-to-mp4, which makes "
        "two files.");
    ok = FALSE;
  }
  return ok;
}

/* The range on the clock of the entries, of which @utc is the zero. */
static gboolean
find_range (ClipJob *job, RecServerTsIndex *index, gint64 utc,
    RecServerLibraryClip *clip, GError **error)
{
  const RecServerLibraryRange *range = &job->range;
  gint64 from = G_MININT64, to = G_MAXINT64, start;
  const GArray *entries = rec_server_ts_index_get_entries (index);
  Span span;

  if (range->start != G_MININT64)
    from = (range->start - utc) * 9 / 100;
  if (range->duration != G_MAXINT64) {
    start = from != G_MININT64
        ? from
        : g_array_index (entries, RecServerTsEntry, 0).time;
    to = start + range->duration * 9 / 100;
  }
  if (!choose (entries, from, to, utc, &span, error))
    return FALSE;
  set_bytes (clip, entries, &span);
  return !range->uniform || make_uniform (index, clip, &span, error);
}

static gboolean
find_in_index (ClipJob *job, RecServerLibraryClip *clip, GError **error)
{
  RecServerTsIndex *index = NULL;
  gboolean whole = FALSE, ok = FALSE;
  gint64 first, last, utc;

  g_mutex_lock (&job->library->index_lock);
  for (guint i = 0; i < MAX_ATTEMPTS && !whole; i++)
    index = rec_server_library_read_index (
        job->library, clip->fd, &clip->st, &whole);
  if (whole && rec_server_ts_index_get_range (index, &first, &last) &&
      rec_server_ts_index_get_entries (index)->len > 0) {
    utc = get_first_utc (job, &clip->st, last - first) - first * 100 / 9;
    ok = find_range (job, index, utc, clip, error);
  } else if (whole)
    rec_server_error_set (error, 404, "no media in this range",
        "No picture and no sound was found in this file.");
  else
    rec_server_error_set (error, 503, "not yet",
        "The recording is still being read; try again in a moment.");
  g_mutex_unlock (&job->library->index_lock);
  return ok;
}

static void
run_clip_job (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  ClipJob *job = data;
  RecServerLibraryClip *clip = g_new0 (RecServerLibraryClip, 1);
  GError *error = NULL;

  clip->fd = rec_server_folder_open (
      job->library->folder, job->name, &clip->st, &error);
  if (clip->fd >= 0 && find_in_index (job, clip, &error)) {
    g_task_return_pointer (task, clip, g_free);
    return;
  }
  if (clip->fd >= 0)
    close (clip->fd);
  g_free (clip);
  g_task_return_error (task, error);
}

static void
on_done (GObject *object, GAsyncResult *result, gpointer data)
{
  ClipJob *job = g_task_get_task_data (G_TASK (result));
  GError *error = NULL;
  RecServerLibraryClip *clip =
      g_task_propagate_pointer (G_TASK (result), &error);

  job->func (clip, error, job->user_data);
  g_free (clip);
}

void
rec_server_library_find_clip (RecServerLibrary *library, const gchar *name,
    const RecServerLibraryRange *range, RecServerLibraryClipFunc func,
    gpointer user_data)
{
  ClipJob *job = g_new0 (ClipJob, 1);
  GTask *task = g_task_new (NULL, NULL, on_done, NULL);

  g_atomic_ref_count_inc (&library->refcount);
  job->library = library;
  job->name = g_strdup (name);
  job->range = *range;
  job->func = func;
  job->user_data = user_data;
  g_task_set_task_data (task, job, clip_job_free);
  g_task_run_in_thread (task, run_clip_job);
  g_object_unref (task);
}
