/* gst-tsrec: JSON of requests, bounded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverjson.h"
#include "recservererror.h"

#include <string.h>

/* The code unit of "\uXXXX" at @text, -1 if there is none. */
static gint
read_unit (const gchar *text, gsize length)
{
  gint unit = 0;

  if (length < 6 || text[0] != '\\' || text[1] != 'u')
    return -1;
  for (guint i = 2; i < 6; i++) {
    if (!g_ascii_isxdigit (text[i]))
      return -1;
    unit = unit << 4 | g_ascii_xdigit_value (text[i]);
  }
  return unit;
}

/* The size of the escape sequence at @text, 0 if it is none (RFC 8259, section
 * 7), half a surrogate pair, or a NUL, which would cut the string short.
 * JsonParser takes all of these. */
static gsize
get_escape_size (const gchar *text, gsize length)
{
  gint unit, low;

  if (length < 2 || text[1] == '\0' || !strchr ("\"\\/bfnrtu", text[1]))
    return 0;
  if (text[1] != 'u')
    return 2;
  unit = read_unit (text, length);
  if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
    return 0;
  if (unit < 0xd800 || unit > 0xdbff)
    return 6;
  low = read_unit (text + 6, length - 6);
  return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/* Passes over the string that begins at @text. 0: it is not valid. */
static gsize
get_string_size (const gchar *text, gsize length)
{
  gsize i = 1;

  while (i < length && text[i] != '"') {
    gsize n = text[i] == '\\' ? get_escape_size (text + i, length - i) : 1;

    if (n == 0)
      return 0;
    i += n;
  }
  return i < length ? i + 1 : 0;
}

/* JsonParser calls itself for each level, so it gets no text that is deeper.
 * Comments, which it takes, are no JSON (RFC 8259) and could hide brackets. */
static gboolean
is_flat (const gchar *text, gsize length)
{
  guint depth = 0;
  gsize i = 0;

  while (i < length) {
    gsize n = text[i] == '"' ? get_string_size (text + i, length - i) : 1;

    if (text[i] == '{' || text[i] == '[')
      depth++;
    else if ((text[i] == '}' || text[i] == ']') && depth > 0)
      depth--;
    else if (text[i] == '/' || text[i] == '\'')
      return FALSE;
    if (n == 0 || depth > REC_SERVER_JSON_MAX_DEPTH)
      return FALSE;
    i += n;
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
