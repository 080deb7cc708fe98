/* gst-tsrec: tells others what happens: hooks by HTTP, and commands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverhooks.h"

#include <libsoup/soup.h>
#include <string.h>

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN (rec_server_debug);
#define GST_CAT_DEFAULT rec_server_debug

#define MAX_WAITING 10000
#define MAX_POSTS 8
#define POST_TIMEOUT 10 /* seconds without a byte */
#define POST_LIMIT 20   /* seconds for all of it */
#define MAX_BACKOFF 60  /* seconds */

typedef struct
{
  gint refcount; /* one for the queue, one while it is under way */
  gchar *id;
  gchar *url; /* of a hook, or NULL */
  GBytes *body;
  gchar *signature;
  gchar **argv; /* of a command, or NULL */
  gchar **environment;
  gchar *path;
  RecServerHookFunc func; /* when a command has succeeded, or NULL */
  gpointer user_data;
  guint attempts;
  gint64 due;      /* monotonic, µs */
  gint64 deadline; /* of a hook that is under way */
  GCancellable *cancellable;
  gboolean under_way;
  RecServerHooks *hooks; /* NULL when that has gone */
  SoupMessage *msg;
} Job;

struct _RecServerHooks
{
  SoupSession *session;
  GQueue jobs;
  GSource *timer;
  guint posts;
  guint commands;
  guint waiting[2]; /* commands and hooks in @jobs */
  guint max_commands;
  RecServerHookCounts counts;
};

static void
job_unref (gpointer data)
{
  Job *job = data;

  if (--job->refcount > 0)
    return;
  g_clear_object (&job->msg);
  g_clear_object (&job->cancellable);
  g_clear_pointer (&job->body, g_bytes_unref);
  g_strfreev (job->argv);
  g_strfreev (job->environment);
  g_free (job->id);
  g_free (job->url);
  g_free (job->signature);
  g_free (job->path);
  g_free (job);
}

static void pump (RecServerHooks *hooks);

/* Whether @job was in the queue, which lets go of it. */
static gboolean
take_out (RecServerHooks *hooks, Job *job)
{
  if (!g_queue_remove (&hooks->jobs, job))
    return FALSE;
  hooks->waiting[job->url != NULL]--;
  job_unref (job);
  return TRUE;
}

/* --- results --- */

static void
finish (Job *job, gboolean ok, const gchar *problem)
{
  RecServerHooks *hooks = job->hooks;

  job->under_way = FALSE;
  if (!hooks) {
    job_unref (job);
    return;
  }
  if (job->url)
    hooks->posts--;
  else
    hooks->commands--;
  if (ok) {
    hooks->counts.delivered++;
    take_out (hooks, job);
    if (job->func)
      job->func (job->path, job->user_data);
  } else {
    guint seconds = 1u << MIN (job->attempts, 6);

    hooks->counts.failures++;
    job->attempts++;
    job->due = g_get_monotonic_time () +
        (gint64)MIN (seconds, MAX_BACKOFF) * G_USEC_PER_SEC;
    if (job->attempts == 1)
      GST_WARNING ("%s: %s failed, it will be tried again: %s", job->id,
          job->url ? "the hook" : job->argv[0], problem);
  }
  job_unref (job);
  pump (hooks);
}

static void
on_posted (GObject *object, GAsyncResult *result, gpointer data)
{
  Job *job = data;
  GError *error = NULL;
  /* What a receiver says beside its status is not read: it may not end. */
  GInputStream *stream =
      soup_session_send_finish (SOUP_SESSION (object), result, &error);
  guint status = soup_message_get_status (job->msg);
  gboolean ok = stream && status / 100 == 2;
  gchar *problem =
      error ? g_strdup (error->message) : g_strdup_printf ("HTTP %u", status);

  g_clear_object (&job->msg);
  g_clear_object (&job->cancellable);
  g_clear_object (&stream);
  finish (job, ok, problem);
  g_free (problem);
  g_clear_error (&error);
}

static void
on_exited (GObject *object, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  gboolean ok =
      g_subprocess_wait_check_finish (G_SUBPROCESS (object), result, &error);

  finish (data, ok, error ? error->message : "");
  g_clear_error (&error);
}

/* --- attempts --- */

static gboolean
post (RecServerHooks *hooks, Job *job)
{
  job->msg = soup_message_new ("POST", job->url);
  if (!job->msg)
    return FALSE;
  soup_message_set_request_body_from_bytes (
      job->msg, "application/json", job->body);
  soup_message_add_flags (job->msg, SOUP_MESSAGE_NO_REDIRECT);
  if (job->signature)
    soup_message_headers_replace (soup_message_get_request_headers (job->msg),
        "X-Signature", job->signature);
  job->cancellable = g_cancellable_new ();
  job->deadline = g_get_monotonic_time () + POST_LIMIT * G_USEC_PER_SEC;
  soup_session_send_async (hooks->session, job->msg, G_PRIORITY_DEFAULT,
      job->cancellable, on_posted, job);
  return TRUE;
}

static gboolean
run (RecServerHooks *hooks, Job *job, GError **error)
{
  GSubprocessLauncher *launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  GSubprocess *process;

  g_subprocess_launcher_set_environ (launcher, job->environment);
  process = g_subprocess_launcher_spawnv (
      launcher, (const gchar *const *)job->argv, error);
  g_object_unref (launcher);
  if (!process)
    return FALSE;
  g_subprocess_wait_check_async (process, NULL, on_exited, job);
  g_object_unref (process);
  return TRUE;
}

static void
start (RecServerHooks *hooks, Job *job)
{
  GError *error = NULL;
  gboolean started;

  job->refcount++;
  job->under_way = TRUE;
  if (job->url) {
    hooks->posts++;
    started = post (hooks, job);
  } else {
    hooks->commands++;
    started = run (hooks, job, &error);
  }
  if (!started)
    finish (job, FALSE, error ? error->message : "this is no URL");
  g_clear_error (&error);
}

/* Hooks of one recording are delivered in order, and so are its commands. */
static gchar *
make_lane (const Job *job)
{
  return g_strconcat (job->url ? "hook " : "command ", job->id, NULL);
}

/* The first job that may be started, or NULL. */
static Job *
find_next (RecServerHooks *hooks, gint64 now)
{
  GHashTable *blocked =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Job *found = NULL;

  for (GList *l = hooks->jobs.head; l && !found &&
       (hooks->posts < MAX_POSTS || hooks->commands < hooks->max_commands);
       l = l->next) {
    Job *job = l->data;
    gchar *lane = make_lane (job);

    if (!g_hash_table_contains (blocked, lane) && !job->under_way &&
        job->due <= now &&
        (job->url ? hooks->posts < MAX_POSTS
                  : hooks->commands < hooks->max_commands))
      found = job;
    g_hash_table_add (blocked, lane);
  }
  g_hash_table_unref (blocked);
  return found;
}

static void
pump (RecServerHooks *hooks)
{
  gint64 now = g_get_monotonic_time ();
  Job *job;

  while ((job = find_next (hooks, now)))
    start (hooks, job);
}

/* A receiver that answers a byte now and then would hold a recording's hooks up
 * for ever. */
static void
cancel_late (RecServerHooks *hooks)
{
  gint64 now = g_get_monotonic_time ();

  for (GList *l = hooks->jobs.head; l && hooks->posts > 0; l = l->next) {
    Job *job = l->data;

    if (job->cancellable && job->deadline <= now)
      g_cancellable_cancel (job->cancellable);
  }
}

static gboolean
on_timer (gpointer data)
{
  cancel_late (data);
  pump (data);
  return G_SOURCE_CONTINUE;
}

/* --- the queue --- */

/* The oldest of its kind: a receiver that is down must not cost a command. */
static void
drop_oldest (RecServerHooks *hooks, gboolean is_hook)
{
  GList *l = hooks->jobs.head;

  while (l && (((Job *)l->data)->url != NULL) != is_hook)
    l = l->next;
  if (!l)
    return;
  hooks->counts.dropped++;
  GST_WARNING ("too many %s wait: the oldest is dropped",
      is_hook ? "hooks" : "commands");
  take_out (hooks, l->data);
}

static void
add (RecServerHooks *hooks, Job *job)
{
  gboolean is_hook = job->url != NULL;

  job->refcount = 1;
  job->hooks = hooks;
  if (hooks->waiting[is_hook] >= MAX_WAITING)
    drop_oldest (hooks, is_hook);
  g_queue_push_tail (&hooks->jobs, job);
  hooks->waiting[is_hook]++;
  pump (hooks);
}

void
rec_server_hooks_post (RecServerHooks *hooks, const gchar *id, const gchar *url,
    const gchar *secret, JsonObject *object)
{
  Job *job = g_new0 (Job, 1);
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  gchar *text, *hmac;

  json_node_set_object (node, object);
  text = json_to_string (node, FALSE);
  json_node_unref (node);
  if (secret) {
    hmac = g_compute_hmac_for_string (
        G_CHECKSUM_SHA256, (const guchar *)secret, strlen (secret), text, -1);
    job->signature = g_strconcat ("sha256=", hmac, NULL);
    g_free (hmac);
  }
  job->body = g_bytes_new_take (text, strlen (text));
  job->id = g_strdup (id);
  job->url = g_strdup (url);
  add (hooks, job);
}

static void
add_variable (
    JsonObject *facts, const gchar *member, JsonNode *node, gpointer data)
{
  gchar ***environment = data;
  GString *name = g_string_new ("REC_");
  GValue value = G_VALUE_INIT, text = G_VALUE_INIT;

  if (!JSON_NODE_HOLDS_VALUE (node)) {
    g_string_free (name, TRUE);
    return;
  }
  for (; *member; member++)
    g_string_append_c (
        name, g_ascii_isalnum (*member) ? g_ascii_toupper (*member) : '_');
  json_node_get_value (node, &value);
  g_value_init (&text, G_TYPE_STRING);
  if (g_value_transform (&value, &text))
    *environment = g_environ_setenv (
        *environment, name->str, g_value_get_string (&text), TRUE);
  g_value_unset (&value);
  g_value_unset (&text);
  g_string_free (name, TRUE);
}

void
rec_server_hooks_run (RecServerHooks *hooks, const gchar *id,
    const gchar *command, const gchar *path, JsonObject *facts,
    RecServerHookFunc func, gpointer user_data)
{
  Job *job = g_new0 (Job, 1);
  GError *error = NULL;

  job->id = g_strdup (id);
  job->path = g_strdup (path);
  job->func = func;
  job->user_data = user_data;
  if (!g_shell_parse_argv (command, NULL, &job->argv, &error)) {
    GST_WARNING (
        "run-on-closed cannot be split into words: %s", error->message);
    g_error_free (error);
    job->refcount = 1;
    job_unref (job);
    return;
  }
  job->environment =
      g_environ_setenv (g_get_environ (), "REC_PATH", path, TRUE);
  json_object_foreach_member (facts, add_variable, &job->environment);
  add (hooks, job);
}

gchar **
rec_server_hooks_dup_pending (RecServerHooks *hooks)
{
  GPtrArray *paths = g_ptr_array_new ();

  for (GList *l = hooks->jobs.head; l; l = l->next)
    if (((Job *)l->data)->path)
      g_ptr_array_add (paths, g_strdup (((Job *)l->data)->path));
  g_ptr_array_add (paths, NULL);
  return (gchar **)g_ptr_array_free (paths, FALSE);
}

void
rec_server_hooks_get_counts (RecServerHooks *hooks, RecServerHookCounts *counts)
{
  *counts = hooks->counts;
  counts->waiting = hooks->jobs.length;
}

/* --- life --- */

void
rec_server_hooks_set_max_commands (RecServerHooks *hooks, guint max)
{
  hooks->max_commands = max;
}

RecServerHooks *
rec_server_hooks_new (void)
{
  RecServerHooks *hooks = g_new0 (RecServerHooks, 1);

  hooks->max_commands = 1;
  hooks->session =
      soup_session_new_with_options ("timeout", POST_TIMEOUT, NULL);
  hooks->timer = g_timeout_source_new (500);
  g_source_set_callback (hooks->timer, on_timer, hooks, NULL);
  g_source_attach (hooks->timer, g_main_context_get_thread_default ());
  return hooks;
}

void
rec_server_hooks_free (RecServerHooks *hooks)
{
  Job *job;

  g_source_destroy (hooks->timer);
  g_source_unref (hooks->timer);
  while ((job = g_queue_pop_head (&hooks->jobs))) {
    job->hooks = NULL;
    job_unref (job);
  }
  soup_session_abort (hooks->session);
  g_object_unref (hooks->session);
  g_free (hooks);
}
