/* gst-tsrec: attempts of a WHIP or WHEP client to open a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "whipretry.h"

#define INTERVAL_MIN 100 /* ms */

struct _WhipRetry
{
  GstElement *element;
  RecWorker *worker;
  WhipClient *client;
  WhipRetryConfig config;

  gchar *offer;
  WhipRetryAnswerFunc answered;
  gpointer answered_data;

  /* the next attempt; NULL: none is scheduled */
  GSource *timer;
  RecWorkerFunc attempt;
  gpointer attempt_data;

  gint64 since; /* begin of the timeout, µs of the monotonic clock; 0: unset */
  guint interval; /* until the next attempt, ms */
};

WhipRetry *
whip_retry_new (GstElement *element, RecWorker *worker, WhipClient *client,
    const WhipRetryConfig *config)
{
  WhipRetry *self = g_new0 (WhipRetry, 1);

  self->element = element;
  self->worker = worker;
  self->client = client;
  self->config = *config;
  whip_retry_reset (self);
  return self;
}

void
whip_retry_free (WhipRetry *self)
{
  if (!self)
    return;
  whip_retry_cancel (self);
  g_free (self->offer);
  g_free (self);
}

void
whip_retry_reset (WhipRetry *self)
{
  self->since = self->config.from_failure ? 0 : g_get_monotonic_time ();
  self->interval = INTERVAL_MIN;
}

void
whip_retry_cancel (WhipRetry *self)
{
  rec_worker_clear_timeout (&self->timer);
}

void
whip_retry_fail (WhipRetry *self, const gchar *message)
{
  whip_retry_cancel (self);
  gst_element_message_full (self->element, GST_MESSAGE_ERROR,
      GST_RESOURCE_ERROR, self->config.code, g_strdup (message), NULL, __FILE__,
      G_STRFUNC, __LINE__);
}

/* --- attempts --- */

static gboolean
run_attempt (gpointer data)
{
  WhipRetry *self = data;

  rec_worker_clear_timeout (&self->timer);
  self->attempt (self->attempt_data);
  return G_SOURCE_REMOVE;
}

static void
schedule (
    WhipRetry *self, guint ms, RecWorkerFunc attempt, gpointer attempt_data)
{
  whip_retry_cancel (self);
  self->attempt = attempt;
  self->attempt_data = attempt_data;
  self->timer =
      rec_worker_add_timeout (self->worker, ms, run_attempt, self, NULL);
}

void
whip_retry_now (WhipRetry *self, RecWorkerFunc attempt, gpointer user_data)
{
  schedule (self, 0, attempt, user_data);
}

static gboolean
is_over (WhipRetry *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->since == 0)
    self->since = now;
  return (guint64)(now - self->since) >= self->config.timeout / GST_USECOND;
}

/* An info message, because waiting for a server is not a fault. */
static void
post_first_retry (WhipRetry *self, const gchar *reason)
{
  gchar *text = g_strdup_printf (g_str_has_suffix (reason, ".")
          ? "%s Trying again until retry-timeout is over."
          : "%s: trying again until retry-timeout is over.",
      reason);

  gst_element_message_full (self->element, GST_MESSAGE_INFO, GST_RESOURCE_ERROR,
      self->config.code, text, NULL, __FILE__, G_STRFUNC, __LINE__);
}

void
whip_retry_later (WhipRetry *self, RecWorkerFunc attempt, gpointer user_data,
    const gchar *reason)
{
  if (is_over (self)) {
    whip_retry_fail (self, reason);
    return;
  }
  GST_CAT_INFO_OBJECT (self->config.category, self->element,
      "trying again in %u ms: %s", self->interval, reason);
  if (self->interval == INTERVAL_MIN)
    post_first_retry (self, reason);
  schedule (self, self->interval, attempt, user_data);
  self->interval = MIN (2 * self->interval, self->config.interval_max);
}

/* --- offers --- */

static gboolean
is_temporary (WhipRetry *self, const GError *error, gboolean temporary)
{
  return temporary ||
      (self->config.missing_is_temporary &&
          g_error_matches (error, WHIP_CLIENT_ERROR, 404));
}

static void post_offer (gpointer data);

static void
on_answer (WhipClient *client, const gchar *answer, const GError *error,
    gboolean temporary, gpointer user_data)
{
  WhipRetry *self = user_data;

  if (answer)
    self->answered (answer, self->answered_data);
  else if (is_temporary (self, error, temporary))
    whip_retry_later (self, post_offer, self, error->message);
  else
    whip_retry_fail (self, error->message);
}

static void
post_offer (gpointer data)
{
  WhipRetry *self = data;
  gchar *host = whip_client_dup_host (self->client);

  GST_CAT_INFO_OBJECT (self->config.category, self->element,
      "posting the offer to %s", host ? host : "the location");
  g_free (host);
  whip_client_offer (self->client, self->offer, on_answer, self);
}

void
whip_retry_post (WhipRetry *self, const gchar *offer,
    WhipRetryAnswerFunc answered, gpointer user_data)
{
  whip_retry_cancel (self);
  g_free (self->offer);
  self->offer = g_strdup (offer);
  self->answered = answered;
  self->answered_data = user_data;
  post_offer (self);
}
