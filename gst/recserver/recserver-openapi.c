/* gst-tsrec: the OpenAPI document, generated from the table of routes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recserverauth.h"

#include <stdlib.h>

static JsonObject *
describe_type (const RecServerField *field)
{
  JsonObject *schema = json_object_new ();

  json_object_set_string_member (schema, "type", field->type);
  if (field->choices) {
    gchar **choices = g_strsplit (field->choices, "|", -1);
    JsonArray *values = json_array_new ();

    for (guint i = 0; choices[i]; i++)
      json_array_add_string_element (values, choices[i]);
    json_object_set_array_member (schema, "enum", values);
    g_strfreev (choices);
  }
  return schema;
}

static JsonObject *
describe_content (const gchar *type, JsonObject *schema)
{
  JsonObject *content = json_object_new (), *media = json_object_new ();

  json_object_set_object_member (media, "schema", schema);
  json_object_set_object_member (content, type, media);
  return content;
}

static JsonObject *
describe_body (const RecServerRoute *route)
{
  JsonObject *body = json_object_new (), *schema = json_object_new ();

  if (route->body->name) {
    JsonObject *properties = json_object_new ();

    for (const RecServerField *field = route->body; field->name; field++) {
      JsonObject *property = describe_type (field);

      json_object_set_string_member (property, "description", field->text);
      json_object_set_object_member (properties, field->name, property);
    }
    json_object_set_string_member (schema, "type", "object");
    json_object_set_object_member (schema, "properties", properties);
  } else
    json_object_set_string_member (schema, "type", "string");
  json_object_set_boolean_member (body, "required", TRUE);
  json_object_set_object_member (
      body, "content", describe_content (route->body_type, schema));
  return body;
}

static void
add_parameter (JsonArray *parameters, const gchar *name, const gchar *in,
    JsonObject *schema, const gchar *text)
{
  JsonObject *parameter = json_object_new ();

  json_object_set_string_member (parameter, "name", name);
  json_object_set_string_member (parameter, "in", in);
  json_object_set_boolean_member (
      parameter, "required", g_str_equal (in, "path"));
  if (text)
    json_object_set_string_member (parameter, "description", text);
  json_object_set_object_member (parameter, "schema", schema);
  json_array_add_object_element (parameters, parameter);
}

static JsonArray *
describe_parameters (const RecServerRoute *route)
{
  JsonArray *parameters = json_array_new ();
  gchar **parts = g_strsplit_set (route->path, "{}", -1);

  for (guint i = 1; parts[0] && parts[i]; i += 2) {
    JsonObject *schema = json_object_new ();

    json_object_set_string_member (schema, "type", "string");
    add_parameter (parameters, parts[i], "path", schema, NULL);
    if (!parts[i + 1])
      break;
  }
  for (const RecServerField *field = route->query; field && field->name;
       field++)
    add_parameter (
        parameters, field->name, "query", describe_type (field), field->text);
  g_strfreev (parts);
  return parameters;
}

static JsonObject *
describe_answer (const gchar *text, const gchar *type, const gchar *schema_type)
{
  JsonObject *answer = json_object_new (), *schema = json_object_new ();

  json_object_set_string_member (answer, "description", text);
  if (!type) {
    json_object_unref (schema);
    return answer;
  }
  if (schema_type)
    json_object_set_string_member (schema, "type", schema_type);
  else
    json_object_set_string_member (
        schema, "$ref", "#/components/schemas/Error");
  json_object_set_object_member (
      answer, "content", describe_content (type, schema));
  return answer;
}

static JsonObject *
describe_answers (const RecServerRoute *route)
{
  gchar *all = g_strconcat (route->errors, route->role ? " 401 403" : "", NULL);
  gchar **statuses = g_strsplit (all, " ", -1);
  JsonObject *answers = json_object_new ();

  json_object_set_object_member (answers, route->status,
      describe_answer ("success", route->answer_type,
          g_strcmp0 (route->answer_type, REC_SERVER_TYPE_JSON) == 0
              ? "object"
              : "string"));
  for (guint i = 0; statuses[i]; i++)
    if (*statuses[i])
      json_object_set_object_member (answers, statuses[i],
          describe_answer (soup_status_get_phrase ((guint)atoi (statuses[i])),
              REC_SERVER_TYPE_JSON, NULL));
  g_strfreev (statuses);
  g_free (all);
  return answers;
}

static JsonObject *
describe_route (const RecServerRoute *route)
{
  JsonObject *operation = json_object_new ();
  gchar *text;

  json_object_set_string_member (operation, "summary", route->text);
  json_object_set_array_member (
      operation, "parameters", describe_parameters (route));
  if (route->body)
    json_object_set_object_member (
        operation, "requestBody", describe_body (route));
  json_object_set_object_member (
      operation, "responses", describe_answers (route));
  if (route->role) {
    JsonArray *security = json_array_new (), *none = json_array_new ();
    JsonObject *bearer = json_object_new ();

    json_object_set_array_member (bearer, "token", none);
    json_array_add_object_element (security, bearer);
    json_object_set_array_member (operation, "security", security);
    text = g_strdup_printf (
        "Needs a token with the role %s where there is an [auth] section.",
        rec_server_role_get_name (route->role));
    json_object_set_string_member (operation, "description", text);
    g_free (text);
  }
  return operation;
}

static JsonNode *
parse_constant (const gchar *text)
{
  JsonNode *node = json_from_string (text, NULL);

  g_assert (node);
  return node;
}

JsonObject *
rec_server_routes_describe (void)
{
  JsonObject *document = json_object_new (), *paths = json_object_new ();
  guint n;
  const RecServerRoute *routes = rec_server_routes_get (&n);

  for (guint i = 0; i < n; i++) {
    gchar *method = g_ascii_strdown (routes[i].method, -1);
    JsonObject *path;

    if (!json_object_has_member (paths, routes[i].path))
      json_object_set_object_member (paths, routes[i].path, json_object_new ());
    path = json_object_get_object_member (paths, routes[i].path);
    json_object_set_object_member (path, method, describe_route (&routes[i]));
    g_free (method);
  }
  json_object_set_string_member (document, "openapi", "3.0.3");
  json_object_set_member (document, "info",
      parse_constant (
          "{\"title\": \"gst-tsrec recording service\", \"version\": \"" VERSION
          "\", \"license\": {\"name\": \"LGPL-2.1-or-later\"}}"));
  json_object_set_object_member (document, "paths", paths);
  json_object_set_member (document, "components",
      parse_constant (
          "{\"securitySchemes\": {\"token\": {\"type\": \"http\", \"scheme\": "
          "\"bearer\"}}, \"schemas\": {\"Error\": {\"type\": \"object\", "
          "\"required\": [\"success\", \"error\", \"detail\"], \"properties\": "
          "{\"success\": {\"type\": \"boolean\", \"enum\": [false]}, "
          "\"error\": {\"type\": \"string\"}, \"detail\": {\"type\": "
          "\"string\"}}}}}"));
  return document;
}
