/* gst-tsrec: configuration, JSON, IDs and tables of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gst/check/gstcheck.h>
#include <string.h>

#include "recserverconfig.h"
#include "recservererror.h"
#include "recserverformats.h"
#include "recserverid.h"
#include "recserverjson.h"

/* --- configuration --- */

static RecServerConfig *
parse (const gchar *text)
{
  GError *error = NULL;
  RecServerConfig *config =
      rec_server_config_parse (text, strlen (text), "f", &error);

  fail_unless (config != NULL, "%s", error ? error->message : "");
  return config;
}

static void
assert_wrong (const gchar *text, const gchar *said)
{
  GError *error = NULL;
  RecServerConfig *config =
      rec_server_config_parse (text, strlen (text), "f", &error);

  fail_unless (config == NULL, "was taken: %s", text);
  fail_unless (strstr (error->message, said) != NULL, "no \"%s\": %s", said,
      error->message);
  g_error_free (error);
}

GST_START_TEST (test_settings_are_read)
{
  RecServerConfig *config =
      parse ("# a comment\n[server]\nport = 81\ndirectory=/r\n"
             "allow-origins = https://a.example, https://b.example\n"
             "[auth]\nalice = publish, watch; studio-*; s3c;ret\n"
             "[path studio-*]\nformat=mp4\nrecord=on-start\n"
             "max-size-time = 1.5 h\nkeep-bytes = 2 G\n");
  const RecServerPath *path;
  const RecServerToken *token;

  fail_unless_equals_int (config->port, 81);
  fail_unless_equals_string (config->directory, "/r");
  fail_unless_equals_string (config->allow_origins[1], "https://b.example");
  fail_unless (config->has_auth);
  fail_unless_equals_int (config->tokens->len, 1);
  token = g_ptr_array_index (config->tokens, 0);
  fail_unless_equals_int (
      token->roles, REC_SERVER_ROLE_PUBLISH | REC_SERVER_ROLE_WATCH);
  fail_unless_equals_string (token->pattern, "studio-*");
  fail_unless_equals_string (token->token, "s3c;ret");
  path = rec_server_config_get_path (config, "studio-1");
  fail_unless_equals_string (path->format, "mp4");
  fail_if (path->record_always);
  fail_unless_equals_uint64 (
      path->max_size_time, 5400 * G_GUINT64_CONSTANT (1000000000));
  fail_unless_equals_uint64 (path->keep_bytes, G_GUINT64_CONSTANT (2000000000));
  path = rec_server_config_get_path (config, "other");
  fail_unless_equals_string (path->format, "mpegts");
  fail_unless (path->record_always);
  rec_server_config_unref (config);
}
GST_END_TEST

GST_START_TEST (test_a_wrong_key_is_named_with_its_line)
{
  assert_wrong ("[server]\n\nprot=1\n", "f:3: there is no key \"prot\"");
  assert_wrong ("[server]\nport=65536\n", "f:2: \"port\" takes");
  assert_wrong ("[server]\nport=1 2\n", "f:2:");
  assert_wrong ("[server]\nport=1\nport=2\n", "f:3: \"port\" is set twice");
  assert_wrong ("port=1\n", "f:1: there is no [GROUP]");
  assert_wrong ("[server]\nhello\n", "f:2: this is neither");
  assert_wrong ("[server\n", "f:1:");
  assert_wrong ("[sever]\n", "f:1: there is no group [sever]");
  assert_wrong ("[server]\n[server]\n", "f:2: there is a second");
  assert_wrong ("[path ]\n", "f:1:");
  assert_wrong ("[path a]\nformat=avi\n", "f:2: \"format\" takes one of");
  assert_wrong ("[path a]\nmax-size-time=-1\n", "f:2:");
  assert_wrong ("[path a]\nmax-size-time=1e300\n", "f:2:");
  assert_wrong ("[path a]\nmax-size-time=1 x\n", "f:2:");
  assert_wrong ("[path a]\nrecord=no\n", "f:2: \"record\" takes always");
  assert_wrong ("[server]\nport=\xff\n", "f:2: this is not UTF-8");
  assert_wrong ("[server]\nhost=\n", "f:2: \"host\" has no value");
  assert_wrong ("[server]\ndirectory=\n", "f:2: \"directory\" has no value");
  assert_wrong ("[path a]\nlocation= \n", "f:2: \"location\" has no value");
  assert_wrong ("[path cam*]\nsource=rtsp://h/\n", "f:2: \"source\" is for a");
  assert_wrong ("[path ../a]\nsource=rtsp://h/\n", "f:2: \"source\" is for");
}
GST_END_TEST

GST_START_TEST (test_a_wrong_token_is_not_repeated)
{
  static const gchar text[] = "[auth]\nbob = pubish; *; hunter2\n";
  GError *error = NULL;

  fail_unless (
      rec_server_config_parse (text, strlen (text), "f", &error) == NULL);
  fail_unless (g_str_has_prefix (error->message, "f:2: the token \"bob\""));
  fail_unless (strstr (error->message, "hunter2") == NULL);
  g_error_free (error);
}
GST_END_TEST

GST_START_TEST (test_a_missing_file_is_an_error)
{
  GError *error = NULL;

  fail_unless (rec_server_config_load ("/nonexistent/a", &error) == NULL);
  fail_unless (error != NULL);
  g_error_free (error);
}
GST_END_TEST

/* --- IDs --- */

GST_START_TEST (test_ids_are_names_of_files_that_hide_nothing)
{
  static const gchar *const good[] = { "a", "A-1_b.c", "your_mint_id", "-" };
  static const gchar *const bad[] = { "", ".", "..", ".a", "a/b", "a b", "a\n",
    "\xc3\xa4", "a%", "a\\b" };
  gchar *longest = g_strnfill (128, 'x'), *longer = g_strnfill (129, 'x');

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    fail_unless (rec_server_id_is_valid (good[i]), "%s", good[i]);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    fail_if (rec_server_id_is_valid (bad[i]), "%s", bad[i]);
  fail_if (rec_server_id_is_valid (NULL));
  fail_unless (rec_server_id_is_valid (longest));
  fail_if (rec_server_id_is_valid (longer));
  g_free (longest);
  g_free (longer);
}
GST_END_TEST

/* --- JSON --- */

static void
assert_no_json (const gchar *text, gsize length)
{
  GError *error = NULL;

  fail_unless (rec_server_json_parse (text, length, &error) == NULL,
      "was taken: %.80s", text);
  fail_unless_equals_int (rec_server_error_get_status (error), 400);
  g_error_free (error);
}

GST_START_TEST (test_json_is_an_object_of_few_levels)
{
  static const gchar *const bad[] = { "[]", "1", "\"a\"", "{", "{]", "{a:1}",
    "{'a':1}", "{\"a\":1}x", "/* */{}", "null", "{\"a\":\"\xff\"}",
    "{\"a\":\"b\\u0000\"}", "{\"a\":\"\\umkv0b\"}", "{\"a\":\"\\x\"}",
    "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\udc00\"}",
    "{\"a\":\"b", "{\"a\":\"\\" };
  static const gchar good[] =
      "{\"a\": \"[[[[[[[[[[[[[[[[[[[[[/\\\"\\ud83d\\ude00\", \"b\": null, "
      "\"c\": 1}";
  gchar *deep = g_strnfill (10000, '[');
  JsonObject *object;
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_no_json (bad[i], strlen (bad[i]));
  assert_no_json (deep, strlen (deep));
  memset (deep, '{', strlen (deep));
  assert_no_json (deep, strlen (deep));
  assert_no_json ("{\"a\":\0}", 7);
  object = rec_server_json_parse (" \n", 2, &error);
  fail_unless (object != NULL && json_object_get_size (object) == 0);
  json_object_unref (object);
  object = rec_server_json_parse (good, strlen (good), &error);
  fail_unless (object != NULL, "%s", error ? error->message : "");
  fail_unless_equals_string (rec_server_json_get_string (object, "a", &error),
      "[[[[[[[[[[[[[[[[[[[[[/\"\xf0\x9f\x98\x80");
  fail_unless (rec_server_json_get_string (object, "b", &error) == NULL);
  fail_unless (rec_server_json_get_string (object, "d", &error) == NULL);
  fail_unless (error == NULL);
  fail_unless (rec_server_json_get_string (object, "c", &error) == NULL);
  fail_unless_equals_int (rec_server_error_get_status (error), 400);
  g_error_free (error);
  json_object_unref (object);
  g_free (deep);
}
GST_END_TEST

/* --- tables --- */

GST_START_TEST (test_what_is_not_installed_is_refused_with_what_is_missing)
{
  const RecServerSource *source = rec_server_source_find ("livekit");
  GError *error = NULL;

  fail_unless (rec_server_source_find ("nonsense") == NULL);
  fail_unless (rec_server_format_find ("nonsense") == NULL);
  fail_unless (rec_server_format_find (NULL) == NULL);
  fail_if (rec_server_source_check (source, &error));
  fail_unless_equals_int (rec_server_error_get_status (error), 422);
  fail_unless (strstr (error->message, "reclivekitsrc") != NULL);
  g_clear_error (&error);
  /* Without its program. */
  fail_if (rec_server_format_check (
      rec_server_format_find ("mp4"), "/nonexistent", &error));
  fail_unless (strstr (error->message, "ts-to-mp4") != NULL);
  g_clear_error (&error);
  fail_unless (rec_server_format_check (
      rec_server_format_find ("mpegts"), NULL, &error));
}
GST_END_TEST

static Suite *
recserverparts_suite (void)
{
  Suite *s = suite_create ("recserverparts");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_settings_are_read);
  tcase_add_test (tc, test_a_wrong_key_is_named_with_its_line);
  tcase_add_test (tc, test_a_wrong_token_is_not_repeated);
  tcase_add_test (tc, test_a_missing_file_is_an_error);
  tcase_add_test (tc, test_ids_are_names_of_files_that_hide_nothing);
  tcase_add_test (tc, test_json_is_an_object_of_few_levels);
  tcase_add_test (
      tc, test_what_is_not_installed_is_refused_with_what_is_missing);
  return s;
}

GST_CHECK_MAIN (recserverparts);
