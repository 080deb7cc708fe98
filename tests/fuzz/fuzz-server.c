/* gst-tsrec: fuzz target, what clients and operators give the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is read as the body of a request, as a configuration and as a
 * recording. Accepted values must be within their bounds.
 */

#include "fuzz.h"
#include "recserverconfig.h"
#include "recserverformats.h"
#include "recserverid.h"
#include "recserverjson.h"
#include "recservertsindex.h"

#include <string.h>

static void
read_json (const char *text, size_t length)
{
  JsonObject *object = rec_server_json_parse (text, length, NULL);
  const gchar *id;

  if (!object)
    return;
  id = rec_server_json_get_string (object, "id", NULL);
  if (rec_server_id_is_valid (id))
    FUZZ_ASSERT (!strchr (id, '/') && *id != '.', "%s", id);
  /* A value that was read can be written and read again. */
  {
    gchar *again = rec_server_json_to_string (json_object_ref (object));
    JsonObject *copy = json_object_get_size (object) > 0
        ? rec_server_json_parse (again, strlen (again), NULL)
        : json_object_ref (object);

    FUZZ_ASSERT (
        copy || strchr (again, '/') || strstr (again, "u0000"), "%s", again);
    g_clear_pointer (&copy, json_object_unref);
    g_free (again);
  }
  json_object_unref (object);
}

static void
read_config (const char *text, size_t length)
{
  GError *error = NULL;
  RecServerConfig *config =
      rec_server_config_parse (text, length, "fuzz", &error);

  FUZZ_ASSERT (!config == (error != NULL), "an error and a configuration");
  g_clear_error (&error);
  if (!config)
    return;
  FUZZ_ASSERT (config->port <= 65535, "%u", config->port);
  for (guint i = 0; i < config->paths->len; i++) {
    const RecServerPath *path = g_ptr_array_index (config->paths, i);

    FUZZ_ASSERT (!path->format || rec_server_format_find (path->format), "%s",
        path->format);
    FUZZ_ASSERT (!path->quality || rec_server_quality_find (path->quality),
        "%s", path->quality);
  }
  FUZZ_ASSERT (rec_server_config_get_path (config, "any"), "no path");
  rec_server_config_unref (config);
}

/* In two parts, which must make no difference to where entries are. */
static void
read_recording (const uint8_t *data, size_t length)
{
  RecServerTsIndex *index = rec_server_ts_index_new ();
  const GArray *entries;
  gint64 first, last;
  guint64 before = 0;

  rec_server_ts_index_push (index, 0, data, length / 2);
  rec_server_ts_index_push (
      index, length / 2, data + length / 2, length - length / 2);
  entries = rec_server_ts_index_get_entries (index);
  for (guint i = 0; i < entries->len; i++) {
    const RecServerTsEntry *entry =
        &g_array_index (entries, RecServerTsEntry, i);

    FUZZ_ASSERT (entry->offset < length, "beyond the end");
    FUZZ_ASSERT (entry->offset >= before, "not in order");
    before = entry->offset;
  }
  if (rec_server_ts_index_get_range (index, &first, &last))
    FUZZ_ASSERT (first <= last, "ends before it begins");
  rec_server_ts_index_free (index);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  read_json ((const char *)data, size);
  read_config ((const char *)data, size);
  read_recording (data, size);
  return 0;
}
