/* gst-tsrec: JSON of requests, bounded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverjson.h"
#include "recservererror.h"

#include <string.h>

/* JsonParser calls itself for each level, so it gets no text that is deeper.
 * Comments, which it takes, are no JSON (RFC 8259) and could hide brackets. */
static gboolean
is_flat (const gchar *text, gsize length)
{
  gboolean in_string = FALSE;
  guint depth = 0;

  for (gsize i = 0; i < length; i++) {
    if (in_string) {
      /* A NUL would cut the string short. */
      if (length - i >= 6 && memcmp (text + i, "\\u0000", 6) == 0)
        return FALSE;
      if (text[i] == '\\')
        i++;
      else if (text[i] == '"')
        in_string = FALSE;
      continue;
    }
    if (text[i] == '"')
      in_string = TRUE;
    else if (text[i] == '{' || text[i] == '[')
      depth++;
    else if ((text[i] == '}' || text[i] == ']') && depth > 0)
      depth--;
    else if (text[i] == '/' || text[i] == '\'')
      return FALSE;
    if (depth > REC_SERVER_JSON_MAX_DEPTH)
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_blank (const gchar *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isspace (text[i]))
      return FALSE;
  return TRUE;
}

JsonObject *
rec_server_json_parse (const gchar *text, gsize length, GError **error)
{
  JsonParser *parser;
  JsonObject *object = NULL;
  GError *reason = NULL;

  if (is_blank (text, length))
    return json_object_new ();
  if (!g_utf8_validate (text, length, NULL) || memchr (text, '\0', length)) {
    rec_server_error_set (
        error, 400, "invalid JSON", "The body is not UTF-8 text.");
    return NULL;
  }
  if (!is_flat (text, length)) {
    rec_server_error_set (error, 400, "invalid JSON",
        "The body is not JSON (RFC 8259), has more than %d levels, or a NUL.",
        REC_SERVER_JSON_MAX_DEPTH);
    return NULL;
  }
  parser = json_parser_new_immutable ();
  if (!json_parser_load_from_data (parser, text, length, &reason))
    rec_server_error_set (error, 400, "invalid JSON", "%s.", reason->message);
  else if (!json_parser_get_root (parser) ||
      !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    rec_server_error_set (error, 400, "invalid JSON",
        "The body is a JSON object, as in {\"id\": \"NAME\"}.");
  else
    object =
        json_object_ref (json_node_get_object (json_parser_get_root (parser)));
  g_clear_error (&reason);
  g_object_unref (parser);
  return object;
}

const gchar *
rec_server_json_get_string (
    JsonObject *object, const gchar *name, GError **error)
{
  JsonNode *node = json_object_get_member (object, name);

  if (!node || JSON_NODE_HOLDS_NULL (node))
    return NULL;
  if (JSON_NODE_HOLDS_VALUE (node) &&
      json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  rec_server_error_set (
      error, 400, "invalid field", "\"%s\" has to be a string.", name);
  return NULL;
}

gchar *
rec_server_json_to_string (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  gchar *text;

  json_node_take_object (node, object);
  text = json_to_string (node, FALSE);
  json_node_unref (node);
  return text;
}

void
rec_server_json_set_time (JsonObject *object, const gchar *name, gint64 us)
{
  GDateTime *time = g_date_time_new_from_unix_utc (us / G_USEC_PER_SEC);
  gchar *seconds = time ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%S") : NULL;
  gchar *text;

  if (!seconds) {
    json_object_set_null_member (object, name);
    return;
  }
  text = g_strdup_printf (
      "%s.%03uZ", seconds, (guint)(us % G_USEC_PER_SEC / 1000));
  json_object_set_string_member (object, name, text);
  g_free (text);
  g_free (seconds);
  g_date_time_unref (time);
}
