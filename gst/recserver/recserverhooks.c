/* gst-tsrec: hooks by HTTP and commands, with retries
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hooks and commands in one file: order, retries and limits are the same for
 * both, and only how a job is run differs.
 */

#include "config.h"

#include "recserverhooks.h"

#include <libsoup/soup.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

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
  guint64 number;
  gchar *id;
  gchar *lane; /* key of the queue that it is in */
  gchar *url;  /* of a hook, or NULL */
  GBytes *body;
  gchar *signature;
  gchar **argv; /* of a command, or NULL */
  gchar **environment;
  gchar *path;
  RecServerHookFunc func; /* when a command has succeeded, or NULL */
  gpointer user_data;
  guint attempts;
  gint64 due;                /* monotonic, µs */
  gint64 deadline;           /* of a hook that is under way */
  GCancellable *cancellable; /* while it is under way */
  GSubprocess *process;      /* of the command that is, or NULL */
  gboolean under_way;
  gboolean forgotten;
  RecServerHooks *hooks; /* NULL when that has gone */
  SoupMessage *msg;
} Job;

struct _RecServerHooks
{
  SoupSession *session;
  GSource *timer;
  guint max_commands;
  guint64 number; /* of jobs so far */
  /* of commands, and of hooks */
  GHashTable
      *lanes[2]; /* key → GQueue of Job, of which the first may be under way */
  guint waiting[2];
  guint under_way[2];
  gint64 dropped_at; /* monotonic: when that was reported; 0: never */
  RecServerHookProblemFunc problem;
  gpointer problem_data;
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
  g_free (job->lane);
  g_free (job->url);
  g_free (job->signature);
  g_free (job->path);
  g_free (job);
}

static void pump (RecServerHooks *hooks);

static gboolean
is_hook (const Job *job)
{
  return job->url != NULL;
}

static void
leave_lane (RecServerHooks *hooks, Job *job)
{
  GHashTable *lanes = hooks->lanes[is_hook (job)];
  GQueue *lane = g_hash_table_lookup (lanes, job->lane);

  g_queue_remove (lane, job);
  if (g_queue_is_empty (lane))
    g_hash_table_remove (lanes, job->lane);
}

/* Takes @key. */
static void
enter_lane (RecServerHooks *hooks, Job *job, gchar *key)
{
  GHashTable *lanes = hooks->lanes[is_hook (job)];
  GQueue *lane = g_hash_table_lookup (lanes, key);

  if (!lane) {
    lane = g_queue_new ();
    g_hash_table_insert (lanes, g_strdup (key), lane);
  }
  g_queue_push_tail (lane, job);
  g_free (job->lane);
  job->lane = key;
}

static void
take_out (RecServerHooks *hooks, Job *job)
{
  leave_lane (hooks, job);
  hooks->waiting[is_hook (job)]--;
  job_unref (job);
}

/* --- results --- */

static void
report (RecServerHooks *hooks, const gchar *id, gchar *text)
{
  GST_WARNING ("%s: %s", id, text);
  if (hooks->problem)
    hooks->problem (id, text, hooks->problem_data);
  g_free (text);
}

/* Events are delivered in order, so a hook holds up those behind it; a command
 * that fails for one file does not concern the next. */
static void
put_off (RecServerHooks *hooks, Job *job, const gchar *problem)
{
  guint seconds = 1u << MIN (job->attempts, 6);

  hooks->counts.failures++;
  job->due = g_get_monotonic_time () +
      (gint64)MIN (seconds, MAX_BACKOFF) * G_USEC_PER_SEC;
  if (job->attempts++ > 0)
    return;
  if (!is_hook (job)) {
    leave_lane (hooks, job);
    enter_lane (hooks, job,
        g_strdup_printf ("%s %" G_GUINT64_FORMAT, job->id, job->number));
  }
  report (hooks, job->id,
      is_hook (job)
          ? g_strdup_printf (
                "hook-url failed: %s. It is tried again until it succeeds.",
                problem)
          : g_strdup_printf ("run-on-closed (%s) failed for \"%s\": %s. It is "
                             "tried again until it succeeds.",
                job->argv[0], job->path, problem));
}

static void
finish (Job *job, gboolean ok, const gchar *problem)
{
  RecServerHooks *hooks = job->hooks;

  job->under_way = FALSE;
  g_clear_object (&job->cancellable);
  g_clear_object (&job->process);
  if (!hooks) {
    job_unref (job);
    return;
  }
  hooks->under_way[is_hook (job)]--;
  if (ok) {
    hooks->counts.delivered++;
    take_out (hooks, job);
    if (job->func)
      job->func (job->path, job->user_data);
  } else if (job->forgotten)
    take_out (hooks, job);
  else
    put_off (hooks, job, problem);
  job_unref (job);
  pump (hooks);
}

static void
on_posted (GObject *object, GAsyncResult *result, gpointer data)
{
  Job *job = data;
  GError *error = NULL;
  /* The body of the response is not read: it may be endless. */
  GInputStream *stream =
      soup_session_send_finish (SOUP_SESSION (object), result, &error);
  guint status = soup_message_get_status (job->msg);
  gboolean ok = stream && status / 100 == 2;
  gchar *problem =
      error ? g_strdup (error->message) : g_strdup_printf ("HTTP %u", status);

  g_clear_object (&job->msg);
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
  job->deadline = g_get_monotonic_time () + POST_LIMIT * G_USEC_PER_SEC;
  soup_session_send_async (hooks->session, job->msg, G_PRIORITY_DEFAULT,
      job->cancellable, on_posted, job);
  return TRUE;
}

/* Between fork and exec: async-signal-safe calls only. What a shell starts ends
 * with it. */
static void
lead_group (gpointer data)
{
  setpgid (0, 0);
}

static gboolean
run (RecServerHooks *hooks, Job *job, GError **error)
{
  GSubprocessLauncher *launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);

  g_subprocess_launcher_set_environ (launcher, job->environment);
  g_subprocess_launcher_set_child_setup (launcher, lead_group, NULL, NULL);
  job->process = g_subprocess_launcher_spawnv (
      launcher, (const gchar *const *)job->argv, error);
  g_object_unref (launcher);
  if (!job->process)
    return FALSE;
  g_subprocess_wait_check_async (
      job->process, job->cancellable, on_exited, job);
  return TRUE;
}

static void
start (RecServerHooks *hooks, Job *job)
{
  GError *error = NULL;
  gboolean started;

  job->refcount++;
  job->under_way = TRUE;
  job->cancellable = g_cancellable_new ();
  hooks->under_way[is_hook (job)]++;
  started = is_hook (job) ? post (hooks, job) : run (hooks, job, &error);
  if (!started)
    finish (job, FALSE, error ? error->message : "this is no URL");
  g_clear_error (&error);
}

/* The job that may be started, or NULL. Those of one recording are in order; of
 * the recordings, one that is new goes before those that have failed. */
static Job *
find_next (RecServerHooks *hooks, gboolean kind, gint64 now)
{
  Job *found = NULL;
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, hooks->lanes[kind]);
  while (g_hash_table_iter_next (&iter, NULL, &lane)) {
    Job *job = g_queue_peek_head (lane);

    if (!job->under_way && job->due <= now &&
        (!found || job->due < found->due ||
            (job->due == found->due && job->number < found->number)))
      found = job;
  }
  return found;
}

static void
pump (RecServerHooks *hooks)
{
  const guint max[2] = { hooks->max_commands, MAX_POSTS };
  gint64 now = g_get_monotonic_time ();

  for (guint kind = 0; kind < G_N_ELEMENTS (max); kind++) {
    Job *job;

    while (hooks->under_way[kind] < max[kind] &&
        (job = find_next (hooks, kind, now)))
      start (hooks, job);
  }
}

/* A receiver that answers a byte now and then would hold a recording's hooks up
 * for ever. */
static void
cancel_late (RecServerHooks *hooks)
{
  gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, hooks->lanes[TRUE]);
  while (g_hash_table_iter_next (&iter, NULL, &lane)) {
    Job *job = g_queue_peek_head (lane);

    if (job->under_way && job->deadline <= now)
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

/* The oldest of its kind: a receiver that is down must not cost a command. What is
 * under way stays, so that nothing of its recording overtakes it. */
static void
drop_oldest (RecServerHooks *hooks, gboolean kind)
{
  Job *oldest = NULL;
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, hooks->lanes[kind]);
  while (g_hash_table_iter_next (&iter, NULL, &lane)) {
    GList *l = ((GQueue *)lane)->head;

    if (((Job *)l->data)->under_way)
      l = l->next;
    if (l && (!oldest || ((Job *)l->data)->number < oldest->number))
      oldest = l->data;
  }
  if (!oldest)
    return;
  hooks->counts.dropped++;
  if (hooks->dropped_at == 0 ||
      g_get_monotonic_time () - hooks->dropped_at > G_USEC_PER_SEC * 60) {
    hooks->dropped_at = g_get_monotonic_time ();
    report (hooks, oldest->id,
        g_strdup_printf ("%s is given up, because %u wait.",
            kind ? "An event for hook-url"
                 : "A run-on-closed command, until the next start,",
            MAX_WAITING));
  }
  take_out (hooks, oldest);
}

static void
add (RecServerHooks *hooks, Job *job)
{
  gboolean kind = is_hook (job);

  job->refcount = 1;
  job->hooks = hooks;
  job->number = hooks->number++;
  if (hooks->waiting[kind] >= MAX_WAITING)
    drop_oldest (hooks, kind);
  enter_lane (hooks, job, g_strdup (job->id));
  hooks->waiting[kind]++;
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
    report (hooks, id,
        g_strdup_printf (
            "run-on-closed cannot be split into words: %s", error->message));
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

/* "NAME.ts" of "NAME.m3u8", and its fragments "NAME-00000.ts". */
static gboolean
belongs_to (const gchar *path, const gchar *stem, gsize length)
{
  if (strncmp (path, stem, length) != 0)
    return FALSE;
  path += length;
  if (*path == '-')
    path += 1 + strspn (path + 1, "0123456789");
  return *path == '.' && !strchr (path, '/');
}

void
rec_server_hooks_forget (RecServerHooks *hooks, const gchar *path)
{
  const gchar *dot = strrchr (path, '.');
  gsize length = dot ? (gsize)(dot - path) : strlen (path);
  GSList *found = NULL;
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, hooks->lanes[FALSE]);
  while (g_hash_table_iter_next (&iter, NULL, &lane))
    for (GList *l = ((GQueue *)lane)->head; l; l = l->next)
      if (belongs_to (((Job *)l->data)->path, path, length))
        found = g_slist_prepend (found, l->data);
  for (GSList *l = found; l; l = l->next) {
    Job *job = l->data;

    if (job->under_way)
      job->forgotten = TRUE;
    else
      take_out (hooks, job);
  }
  g_slist_free (found);
}

gchar **
rec_server_hooks_dup_pending (RecServerHooks *hooks)
{
  GPtrArray *paths = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, hooks->lanes[FALSE]);
  while (g_hash_table_iter_next (&iter, NULL, &lane))
    for (GList *l = ((GQueue *)lane)->head; l; l = l->next)
      g_ptr_array_add (paths, g_strdup (((Job *)l->data)->path));
  g_ptr_array_add (paths, NULL);
  return (gchar **)g_ptr_array_free (paths, FALSE);
}

void
rec_server_hooks_get_counts (RecServerHooks *hooks, RecServerHookCounts *counts)
{
  *counts = hooks->counts;
  counts->waiting = hooks->waiting[FALSE] + hooks->waiting[TRUE];
}

/* --- life --- */

void
rec_server_hooks_set_problem_func (
    RecServerHooks *hooks, RecServerHookProblemFunc func, gpointer user_data)
{
  hooks->problem = func;
  hooks->problem_data = user_data;
}

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
  for (guint kind = 0; kind < G_N_ELEMENTS (hooks->lanes); kind++)
    hooks->lanes[kind] = g_hash_table_new_full (
        g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_queue_free);
  /* Requests that wait for a connection would be cancelled before they are sent. */
  hooks->session = soup_session_new_with_options ("timeout", POST_TIMEOUT,
      "max-conns", MAX_POSTS, "max-conns-per-host", MAX_POSTS, NULL);
  hooks->timer = g_timeout_source_new (500);
  g_source_set_callback (hooks->timer, on_timer, hooks, NULL);
  g_source_attach (hooks->timer, g_main_context_get_thread_default ());
  return hooks;
}

/* If it is under way, its callback frees it. */
static void
abandon (gpointer data, gpointer user_data)
{
  Job *job = data;
  const gchar *pid =
      job->process ? g_subprocess_get_identifier (job->process) : NULL;

  job->hooks = NULL;
  if (pid)
    kill (-(GPid)g_ascii_strtoll (pid, NULL, 10), SIGTERM);
  if (job->cancellable)
    g_cancellable_cancel (job->cancellable);
  job_unref (job);
}

void
rec_server_hooks_free (RecServerHooks *hooks)
{
  g_source_destroy (hooks->timer);
  g_source_unref (hooks->timer);
  for (guint kind = 0; kind < G_N_ELEMENTS (hooks->lanes); kind++) {
    GHashTableIter iter;
    gpointer lane;

    g_hash_table_iter_init (&iter, hooks->lanes[kind]);
    while (g_hash_table_iter_next (&iter, NULL, &lane))
      g_queue_foreach (lane, abandon, NULL);
    g_hash_table_unref (hooks->lanes[kind]);
  }
  soup_session_abort (hooks->session);
  g_object_unref (hooks->session);
  g_free (hooks);
}
