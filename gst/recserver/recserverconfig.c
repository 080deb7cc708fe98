/* gst-tsrec: the configuration of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverconfig.h"
#include "recserverformats.h"
#include "recserverid.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define MAX_FILE (1024 * 1024)
#define SECOND G_GUINT64_CONSTANT (1000000000)

typedef enum
{
  KEY_STRING,
  KEY_LIST, /* separated by commas */
  KEY_UINT,
  KEY_BOOLEAN,
  KEY_TIME,  /* seconds, or a number with s, m, h or d; kept as ns */
  KEY_BYTES, /* or a number with k, M, G or T */
  KEY_CHOICE,
  KEY_RECORD,
} KeyType;

typedef struct
{
  const gchar *name;
  KeyType type;
  gsize offset;
  guint64 min, max;     /* of a number */
  const gchar *choices; /* of KEY_CHOICE: separated by "|" */
} Key;

#define SERVER(field) G_STRUCT_OFFSET (RecServerConfig, field)
#define PATH(field) G_STRUCT_OFFSET (RecServerPath, field)

static const Key server_keys[] = {
  { "directory", KEY_STRING, SERVER (directory), 0, 0, NULL },
  { "host", KEY_STRING, SERVER (host), 0, 0, NULL },
  { "port", KEY_UINT, SERVER (port), 0, 65535, NULL },
  { "udp-port", KEY_UINT, SERVER (udp_port), 0, 65535, NULL },
  { "port-range", KEY_STRING, SERVER (port_range), 0, 0, NULL },
  { "tls-certificate", KEY_STRING, SERVER (tls_certificate), 0, 0, NULL },
  { "tls-key", KEY_STRING, SERVER (tls_key), 0, 0, NULL },
  { "public-address", KEY_STRING, SERVER (public_address), 0, 0, NULL },
  { "stun-server", KEY_STRING, SERVER (stun_server), 0, 0, NULL },
  { "turn-server", KEY_STRING, SERVER (turn_server), 0, 0, NULL },
  { "tools-directory", KEY_STRING, SERVER (tools_directory), 0, 0, NULL },
  { "allow-origins", KEY_LIST, SERVER (allow_origins), 0, 0, NULL },
  { "ingest", KEY_BOOLEAN, SERVER (ingest), 0, 0, NULL },
  { "max-recordings", KEY_UINT, SERVER (max_recordings), 1, 10000, NULL },
  { "max-connections", KEY_UINT, SERVER (max_connections), 1, 100000, NULL },
  { "max-commands", KEY_UINT, SERVER (max_commands), 1, 1000, NULL },
};

static const Key path_keys[] = {
  { "format", KEY_CHOICE, PATH (format), 0, 0, REC_SERVER_FORMAT_NAMES },
  { "quality", KEY_CHOICE, PATH (quality), 0, 0, REC_SERVER_QUALITY_NAMES },
  { "audio", KEY_CHOICE, PATH (audio), 0, 0, "aac|copy" },
  { "record", KEY_RECORD, PATH (record_always), 0, 0, NULL },
  { "source", KEY_STRING, PATH (source), 0, 0, NULL },
  { "resume", KEY_BOOLEAN, PATH (resume), 0, 0, NULL },
  { "playlist", KEY_BOOLEAN, PATH (playlist), 0, 0, NULL },
  { "journal", KEY_BOOLEAN, PATH (journal), 0, 0, NULL },
  { "location", KEY_STRING, PATH (location), 0, 0, NULL },
  { "launch", KEY_STRING, PATH (launch), 0, 0, NULL },
  { "max-size-time", KEY_TIME, PATH (max_size_time), 0, 0, NULL },
  { "sync-interval", KEY_TIME, PATH (sync_interval), 0, 0, NULL },
  { "max-duration", KEY_TIME, PATH (max_duration), 0, 0, NULL },
  { "publisher-timeout", KEY_TIME, PATH (publisher_timeout), 0, 0, NULL },
  { "peer-timeout", KEY_TIME, PATH (peer_timeout), 0, 0, NULL },
  { "keep-time", KEY_TIME, PATH (keep_time), 0, 0, NULL },
  { "keep-bytes", KEY_BYTES, PATH (keep_bytes), 0, 0, NULL },
  { "hook-url", KEY_STRING, PATH (hook_url), 0, 0, NULL },
  { "hook-secret", KEY_STRING, PATH (hook_secret), 0, 0, NULL },
  { "run-on-closed", KEY_STRING, PATH (run_on_closed), 0, 0, NULL },
};

/* --- life --- */

static void
free_strings (gpointer block, const Key *keys, gsize n_keys)
{
  for (gsize i = 0; i < n_keys; i++) {
    gpointer field = (gchar *)block + keys[i].offset;

    if (keys[i].type == KEY_STRING || keys[i].type == KEY_CHOICE)
      g_clear_pointer ((gchar **)field, g_free);
    else if (keys[i].type == KEY_LIST)
      g_clear_pointer ((gchar ***)field, g_strfreev);
  }
}

static void
path_free (gpointer data)
{
  RecServerPath *path = data;

  free_strings (path, path_keys, G_N_ELEMENTS (path_keys));
  g_free (path->pattern);
  g_free (path);
}

static RecServerPath *
path_new (const gchar *pattern)
{
  RecServerPath *path = g_new0 (RecServerPath, 1);

  path->pattern = g_strdup (pattern);
  path->format = g_strdup ("mpegts");
  path->quality = g_strdup ("copy");
  path->audio = g_strdup ("aac");
  path->location = g_strdup ("{id}-%Y%m%d-%H%M%S");
  path->record_always = path->resume = path->playlist = path->journal = TRUE;
  path->sync_interval = 5 * SECOND;
  path->publisher_timeout = 60 * SECOND;
  path->peer_timeout = G_MAXUINT64;
  return path;
}

static void
token_free (gpointer data)
{
  RecServerToken *token = data;

  g_free (token->name);
  g_free (token->token);
  g_free (token->pattern);
  g_free (token);
}

static RecServerConfig *
config_new_bare (void)
{
  RecServerConfig *config = g_new0 (RecServerConfig, 1);

  g_atomic_ref_count_init (&config->refcount);
  config->directory = g_strdup ("recordings");
  config->host = g_strdup ("127.0.0.1");
  config->port = 8190;
  config->ingest = TRUE;
  config->max_recordings = 100;
  config->max_connections = 500;
  config->max_commands = 4;
  config->allow_origins = g_new0 (gchar *, 1);
  config->tokens = g_ptr_array_new_with_free_func (token_free);
  config->paths = g_ptr_array_new_with_free_func (path_free);
  return config;
}

RecServerConfig *
rec_server_config_new (void)
{
  RecServerConfig *config = config_new_bare ();

  g_ptr_array_add (config->paths, path_new ("*"));
  return config;
}

RecServerConfig *
rec_server_config_ref (RecServerConfig *config)
{
  g_atomic_ref_count_inc (&config->refcount);
  return config;
}

void
rec_server_config_unref (RecServerConfig *config)
{
  if (!g_atomic_ref_count_dec (&config->refcount))
    return;
  free_strings (config, server_keys, G_N_ELEMENTS (server_keys));
  g_free (config->auth_url);
  g_ptr_array_unref (config->tokens);
  g_ptr_array_unref (config->paths);
  g_free (config);
}

const RecServerPath *
rec_server_config_get_path (const RecServerConfig *config, const gchar *id)
{
  guint i = 0;

  while (!g_pattern_match_simple (
      ((RecServerPath *)g_ptr_array_index (config->paths, i))->pattern, id))
    i++;
  return g_ptr_array_index (config->paths, i);
}

/* --- values --- */

/* What @text is, times the factor of its unit in @units ("s1 m60"). */
static gboolean
parse_number (
    const gchar *text, const gchar *units, gdouble scale, guint64 *number)
{
  gchar *end;
  gdouble value = g_ascii_strtod (text, &end);
  const gchar *unit;

  if (end == text || !isfinite (value) || value < 0)
    return FALSE;
  while (*end == ' ')
    end++;
  if (*end) {
    unit = strchr (units, *end);
    if (!unit || end[1] != '\0' || !g_ascii_isalpha (*end))
      return FALSE;
    value *= g_ascii_strtod (unit + 1, NULL);
  }
  value *= scale;
  if (value >= 9.2e18)
    return FALSE;
  *number = (guint64)(value + 0.5);
  return TRUE;
}

static gboolean
parse_uint (const gchar *text, const Key *key, guint *number)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, key->min, key->max, &value, NULL))
    return FALSE;
  *number = (guint)value;
  return TRUE;
}

static gboolean
is_choice (const gchar *text, const gchar *choices)
{
  gchar **names = g_strsplit (choices, "|", -1);
  gboolean found = g_strv_contains ((const gchar *const *)names, text);

  g_strfreev (names);
  return found;
}

static gboolean
parse_boolean (const gchar *text, gboolean *value)
{
  *value = g_str_equal (text, "true");
  return *value || g_str_equal (text, "false");
}

static gchar **
parse_list (const gchar *text)
{
  gchar **items = g_strsplit (text, ",", -1);

  for (guint i = 0; items[i]; i++)
    g_strstrip (items[i]);
  return items;
}

/* Sets *@wanted to what would be right where @text is not. */
static gboolean
set_value (gpointer field, const Key *key, const gchar *text, gchar **wanted)
{
  switch (key->type) {
    case KEY_CHOICE:
      *wanted = g_strdup_printf ("one of %s", key->choices);
      if (!is_choice (text, key->choices))
        return FALSE;
      /* fall through */
    case KEY_STRING:
      g_free (*(gchar **)field);
      *(gchar **)field = *text ? g_strdup (text) : NULL;
      return TRUE;
    case KEY_LIST:
      g_strfreev (*(gchar ***)field);
      *(gchar ***)field = parse_list (text);
      return TRUE;
    case KEY_UINT:
      *wanted = g_strdup_printf ("a number from %" G_GUINT64_FORMAT
                                 " to %" G_GUINT64_FORMAT,
          key->min, key->max);
      return parse_uint (text, key, field);
    case KEY_BOOLEAN:
      *wanted = g_strdup ("true or false");
      return parse_boolean (text, field);
    case KEY_RECORD:
      *wanted = g_strdup ("always or on-start");
      *(gboolean *)field = g_str_equal (text, "always");
      return *(gboolean *)field || g_str_equal (text, "on-start");
    case KEY_TIME:
      *wanted = g_strdup ("seconds, or a number with s, m, h or d");
      return parse_number (text, "s1 m60 h3600 d86400", SECOND, field);
    case KEY_BYTES:
      *wanted = g_strdup ("bytes, or a number with k, M, G or T");
      return parse_number (text, "k1e3 M1e6 G1e9 T1e12", 1, field);
  }
  return FALSE;
}

/* --- the file --- */

typedef struct
{
  RecServerConfig *config;
  const gchar *name; /* of the file */
  guint line;        /* the one that is being read, from 1 */
  enum
  {
    GROUP_NONE,
    GROUP_SERVER,
    GROUP_AUTH,
    GROUP_PATH
  } group;
  RecServerPath *path; /* the group that is being read */
  GHashTable *seen;    /* keys of this group, and groups with "[" */
} Reader;

static gboolean G_GNUC_PRINTF (3, 4)
    wrong (const Reader *reader, GError **error, const gchar *format, ...)
{
  va_list args;
  gchar *text;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE, "%s:%u: %s",
      reader->name, reader->line, text);
  g_free (text);
  return FALSE;
}

/* "publish,watch" → *@roles. */
static gboolean
parse_roles (const gchar *text, RecServerRole *roles)
{
  static const struct
  {
    const gchar *name;
    RecServerRole role;
  } names[] = { { "publish", REC_SERVER_ROLE_PUBLISH },
    { "watch", REC_SERVER_ROLE_WATCH },
    { "control", REC_SERVER_ROLE_CONTROL } };
  gchar **words = parse_list (text);
  gboolean ok = words[0] != NULL;

  *roles = REC_SERVER_ROLE_NONE;
  for (guint i = 0; words[i] && ok; i++) {
    RecServerRole role = REC_SERVER_ROLE_NONE;

    for (guint j = 0; j < G_N_ELEMENTS (names); j++)
      if (g_str_equal (words[i], names[j].name))
        role = names[j].role;
    ok = role != REC_SERVER_ROLE_NONE;
    *roles |= role;
  }
  g_strfreev (words);
  return ok;
}

/* "@FILE" is the first line of FILE. Neither appears in an error. */
static gchar *
load_token (const gchar *text, GError **error)
{
  gchar *content;

  if (*text != '@')
    return g_strdup (text);
  if (!g_file_get_contents (text + 1, &content, NULL, error))
    return NULL;
  content[strcspn (content, "\r\n")] = '\0';
  return g_strstrip (content);
}

/* NAME = ROLES; PATTERN; TOKEN */
static gboolean
read_token (
    Reader *reader, const gchar *name, const gchar *value, GError **error)
{
  gchar **parts = g_strsplit (value, ";", 3);
  RecServerToken *token = g_new0 (RecServerToken, 1);
  gboolean ok = g_strv_length (parts) == 3;
  GError *reason = NULL;

  token->name = g_strdup (name);
  ok = ok && parse_roles (g_strstrip (parts[0]), &token->roles);
  if (ok) {
    token->pattern = g_strdup (g_strstrip (parts[1]));
    token->token = load_token (g_strstrip (parts[2]), &reason);
  }
  ok = ok && token->token && *token->token && *token->pattern;
  g_strfreev (parts);
  if (ok) {
    g_ptr_array_add (reader->config->tokens, token);
    return TRUE;
  }
  token_free (token);
  wrong (reader, error,
      "the token \"%s\" is not ROLES; PATTERN; TOKEN, as in "
      "\"publish,watch; studio-*; SECRET\", with the roles publish, watch and "
      "control, and @FILE for a token in a file%s%s",
      name, reason ? ": " : "", reason ? reason->message : "");
  g_clear_error (&reason);
  return FALSE;
}

/* Nothing can be done without these. */
static gboolean
is_needed (const gchar *name)
{
  static const gchar *const names[] = { "directory", "host", "location", NULL };

  return g_strv_contains (names, name);
}

static gboolean
read_key (Reader *reader, const gchar *name, const gchar *value, GError **error)
{
  gboolean in_path = reader->group == GROUP_PATH;
  const Key *keys = in_path ? path_keys : server_keys;
  gsize n_keys =
      in_path ? G_N_ELEMENTS (path_keys) : G_N_ELEMENTS (server_keys);
  gpointer block = in_path ? (gpointer)reader->path : (gpointer)reader->config;
  gchar *wanted = NULL;
  gsize i = 0;
  gboolean ok;

  if (!g_hash_table_add (reader->seen, g_strdup (name)))
    return wrong (reader, error, "\"%s\" is set twice", name);
  if (reader->group == GROUP_AUTH && g_str_equal (name, "auth-url")) {
    g_free (reader->config->auth_url);
    reader->config->auth_url = g_strdup (value);
    return TRUE;
  }
  if (reader->group == GROUP_AUTH)
    return read_token (reader, name, value, error);
  while (i < n_keys && !g_str_equal (keys[i].name, name))
    i++;
  if (i == n_keys)
    return wrong (reader, error, "there is no key \"%s\" in [%s]", name,
        in_path ? "path" : "server");
  if (*value == '\0' && is_needed (name))
    return wrong (reader, error, "\"%s\" has no value", name);
  if (in_path && g_str_equal (name, "source") && *value &&
      !rec_server_id_is_valid (reader->path->pattern))
    return wrong (reader, error,
        "\"source\" is for a path that is one id, not for \"%s\"",
        reader->path->pattern);
  ok = set_value ((gchar *)block + keys[i].offset, &keys[i], value, &wanted);
  if (!ok)
    wrong (reader, error, "\"%s\" takes %s, not \"%s\"", name, wanted, value);
  g_free (wanted);
  return ok;
}

static gboolean
read_group (Reader *reader, const gchar *name, GError **error)
{
  gchar *seen = g_strconcat ("[", name, NULL);

  if (!g_hash_table_add (reader->seen, seen))
    return wrong (reader, error, "there is a second [%s]", name);
  if (g_str_equal (name, "server"))
    reader->group = GROUP_SERVER;
  else if (g_str_equal (name, "auth")) {
    reader->group = GROUP_AUTH;
    reader->config->has_auth = TRUE;
  } else if (g_str_has_prefix (name, "path ") && name[5] != '\0') {
    reader->group = GROUP_PATH;
    reader->path = path_new (name + 5);
    g_ptr_array_add (reader->config->paths, reader->path);
  } else
    return wrong (reader, error,
        "there is no group [%s]; there are [server], [auth] and "
        "[path PATTERN]",
        name);
  return TRUE;
}

static gboolean
is_group (gpointer key, gpointer value, gpointer user_data)
{
  return *(const gchar *)key != '[';
}

/* @line without the white space around it. */
static gboolean
read_line (Reader *reader, gchar *line, GError **error)
{
  gchar *equals = strchr (line, '=');
  gsize length = strlen (line);

  if (*line == '\0' || *line == '#' || *line == ';')
    return TRUE;
  if (*line == '[') {
    if (line[length - 1] != ']')
      return wrong (reader, error, "the group has no \"]\"");
    line[length - 1] = '\0';
    g_hash_table_foreach_remove (reader->seen, is_group, NULL);
    return read_group (reader, g_strstrip (line + 1), error);
  }
  if (!equals)
    return wrong (reader, error, "this is neither [GROUP] nor KEY=VALUE");
  if (reader->group == GROUP_NONE)
    return wrong (reader, error, "there is no [GROUP] before this key");
  *equals = '\0';
  return read_key (reader, g_strchomp (line), g_strchug (equals + 1), error);
}

/* GKeyFile is the reference of the syntax, and names no lines: what it alone
 * refuses gets the name of the file only. */
static gboolean
check_key_file (Reader *reader, const gchar *text, gsize length, GError **error)
{
  GKeyFile *file = g_key_file_new ();
  GError *reason = NULL;
  gboolean ok =
      g_key_file_load_from_data (file, text, length, G_KEY_FILE_NONE, &reason);

  if (!ok)
    g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE, "%s: %s",
        reader->name, reason->message);
  g_clear_error (&reason);
  g_key_file_free (file);
  return ok;
}

static gboolean
read_lines (Reader *reader, const gchar *text, gsize length, GError **error)
{
  const gchar *at = text, *end = text + length;
  gboolean ok = TRUE;

  while (at < end && ok) {
    const gchar *newline = memchr (at, '\n', end - at);
    gsize n = newline ? (gsize)(newline - at) : (gsize)(end - at);
    gchar *line = g_strndup (at, n);

    reader->line++;
    if (strlen (line) != n || !g_utf8_validate (line, -1, NULL))
      ok = wrong (reader, error, "this is not UTF-8 text");
    else
      ok = read_line (reader, g_strstrip (line), error);
    g_free (line);
    at += n + 1;
  }
  return ok;
}

RecServerConfig *
rec_server_config_parse (
    const gchar *text, gsize length, const gchar *name, GError **error)
{
  Reader reader = { .config = config_new_bare (), .name = name };
  gboolean ok;

  reader.seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ok = read_lines (&reader, text, length, error) &&
      check_key_file (&reader, text, length, error);
  g_hash_table_unref (reader.seen);
  if (!ok) {
    rec_server_config_unref (reader.config);
    return NULL;
  }
  g_ptr_array_add (reader.config->paths, path_new ("*"));
  return reader.config;
}

RecServerConfig *
rec_server_config_load (const gchar *location, GError **error)
{
  RecServerConfig *config = NULL;
  gchar *text;
  gsize length;

  if (!g_file_get_contents (location, &text, &length, error))
    return NULL;
  if (length > MAX_FILE)
    g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE,
        "%s: a configuration has at most %d bytes", location, MAX_FILE);
  else
    config = rec_server_config_parse (text, length, location, error);
  g_free (text);
  return config;
}
