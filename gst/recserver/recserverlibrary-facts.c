/* gst-tsrec: duration, tracks and sidecar of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverlibrary-private.h"
#include "recserverjson.h"
#include "recservertsindex.h"
#include "tspacket.h"

#include <string.h>
#include <unistd.h>

#define MAX_FACTS 20000
/* Bytes in which the first and the last timestamps are searched. */
#define HEAD (256 * 1024)
#define TAIL (256 * 1024)
/* Seconds after which a file without a sidecar is not expected to get one. */
#define SETTLED 60

static void
push_part (RecServerTsIndex *index, int fd, goffset offset, gsize length)
{
  guint8 *buffer = g_malloc (length);
  gssize n = pread (fd, buffer, length, offset);

  if (n > 0)
    rec_server_ts_index_push (index, offset, buffer, n);
  g_free (buffer);
}

/* Reads tracks and duration from both ends of a recording. */
static void
probe_ts (int fd, const struct stat *st, JsonObject *facts)
{
  RecServerTsIndex *index = rec_server_ts_index_new ();
  goffset tail = MAX (0, st->st_size - TAIL);
  JsonArray *names = json_array_new ();
  const GArray *tracks;
  gint64 first, last;

  push_part (index, fd, 0, HEAD);
  if (tail > HEAD)
    push_part (index, fd, tail - tail % TS_PACKET_SIZE, TAIL + TS_PACKET_SIZE);
  else if (st->st_size > HEAD)
    push_part (index, fd, HEAD, TAIL);
  tracks = rec_server_ts_index_get_tracks (index);
  for (guint i = 0; i < tracks->len; i++)
    json_array_add_string_element (
        names, g_array_index (tracks, RecServerTsTrack, i).codec);
  json_object_set_array_member (facts, "tracks", names);
  if (rec_server_ts_index_get_range (index, &first, &last))
    json_object_set_double_member (facts, "duration_seconds",
        (last - first) / (gdouble)REC_SERVER_TS_CLOCK);
  rec_server_ts_index_free (index);
}

/* The tracks of NAME.json by their codecs, as probe_ts() lists them. */
static void
set_codecs (JsonObject *facts)
{
  JsonNode *node = json_object_get_member (facts, "tracks");
  JsonArray *names = json_array_new (), *tracks;

  if (node && JSON_NODE_HOLDS_ARRAY (node)) {
    tracks = json_node_get_array (node);
    for (guint i = 0; i < json_array_get_length (tracks); i++) {
      JsonNode *track = json_array_get_element (tracks, i);

      if (JSON_NODE_HOLDS_OBJECT (track))
        json_array_add_string_element (names,
            json_object_get_string_member_with_default (
                json_node_get_object (track), "codec", "?"));
    }
  }
  json_object_set_array_member (facts, "tracks", names);
}

/* Adds the members of NAME.json that the list shows. While the file is written
 * (@growing) the others are not known. */
static void
add_sidecar (RecServerLibrary *library, const gchar *name, JsonObject *facts,
    gboolean growing)
{
  static const gchar *const members[] = { "id", "first_utc", "tracks",
    "duration_seconds", "last_utc", "gaps", "gap_seconds", "sound", "ended",
    "sha256" };
  const guint n = growing ? 2 : G_N_ELEMENTS (members);
  gchar *beside = rec_server_library_replace_suffix (name, ".json");
  gchar *text = rec_server_folder_load (library->folder, beside);
  JsonObject *sidecar =
      text ? rec_server_json_parse (text, strlen (text), NULL) : NULL;

  for (guint i = 0; sidecar && i < n; i++)
    if (json_object_has_member (sidecar, members[i]))
      json_object_set_member (
          facts, members[i], json_object_dup_member (sidecar, members[i]));
  if (json_object_has_member (facts, "tracks"))
    set_codecs (facts);
  g_clear_pointer (&sidecar, json_object_unref);
  g_free (text);
  g_free (beside);
}

static gchar *
make_version (const struct stat *st)
{
  return g_strdup_printf ("%lu:%lu:%lu", (gulong)st->st_size,
      (gulong)st->st_mtim.tv_sec, (gulong)st->st_mtim.tv_nsec);
}

/* Returns the facts of this version of the file, or NULL. Caller unrefs. */
static JsonObject *
find_facts (RecServerLibrary *library, const gchar *key, const gchar *version)
{
  JsonObject *facts;

  g_mutex_lock (&library->lock);
  facts = g_hash_table_lookup (library->facts, key);
  if (facts &&
      g_str_equal (json_object_get_string_member (facts, "version"), version))
    json_object_ref (facts);
  else
    facts = NULL;
  g_mutex_unlock (&library->lock);
  return facts;
}

static void
keep_facts (RecServerLibrary *library, const gchar *key, JsonObject *facts)
{
  g_mutex_lock (&library->lock);
  if (g_hash_table_size (library->facts) >= MAX_FACTS)
    g_hash_table_remove_all (library->facts);
  g_hash_table_replace (
      library->facts, g_strdup (key), json_object_ref (facts));
  g_mutex_unlock (&library->lock);
}

/* Returns TRUE if @facts will not change any more: the sidecar is complete, or
 * there is none and the file is old. */
static gboolean
is_final (JsonObject *facts, const struct stat *st)
{
  JsonNode *ended = json_object_get_member (facts, "ended");

  if (json_object_has_member (facts, "id"))
    return ended && !JSON_NODE_HOLDS_NULL (ended);
  return g_get_real_time () / G_USEC_PER_SEC - st->st_mtim.tv_sec > SETTLED;
}

static JsonObject *
read_facts (RecServerLibrary *library, const gchar *name, int fd,
    const struct stat *st, gboolean growing)
{
  gchar *key = rec_server_library_make_key (st), *version = make_version (st);
  JsonObject *facts = growing ? NULL : find_facts (library, key, version);

  if (!facts) {
    facts = json_object_new ();
    json_object_set_string_member (facts, "version", version);
    add_sidecar (library, name, facts, growing);
    if (g_str_has_suffix (name, ".ts") &&
        !json_object_has_member (facts, "duration_seconds"))
      probe_ts (fd, st, facts);
    if (!growing && is_final (facts, st))
      keep_facts (library, key, facts);
  }
  g_free (key);
  g_free (version);
  return facts;
}

static void
copy_member (gpointer data, const gchar *member, JsonNode *node, gpointer to)
{
  if (!g_str_equal (member, "version"))
    json_object_set_member (to, member, json_node_copy (node));
}

static void
each_member (
    JsonObject *object, const gchar *member, JsonNode *node, gpointer to)
{
  copy_member (NULL, member, node, to);
}

void
rec_server_library_add_facts (RecServerLibrary *library, JsonObject *row)
{
  const gchar *part = json_object_get_string_member_with_default (
      row, REC_SERVER_LIBRARY_PART, NULL);
  const gchar *name = part ? part : json_object_get_string_member (row, "name");
  struct stat st;
  int fd = rec_server_folder_open (library->folder, name, &st, NULL);
  JsonObject *facts;

  if (fd >= 0) {
    facts = read_facts (
        library, name, fd, &st, rec_server_library_is_growing (fd, &st));
    if (!part)
      json_object_foreach_member (facts, each_member, row);
    else if (json_object_has_member (facts, "tracks"))
      json_object_set_member (
          row, "tracks", json_object_dup_member (facts, "tracks"));
    json_object_unref (facts);
    close (fd);
  }
  if (part)
    json_object_remove_member (row, REC_SERVER_LIBRARY_PART);
}
