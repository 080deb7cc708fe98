/* gst-tsrec: attempts of a WHIP or WHEP client to open a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Posts an offer until the server answers it, fails for good, or the time for
 * retries is over. The first retry follows after 100 ms; the interval doubles
 * up to a limit. The first retry is posted as an info message, and a failure as
 * an error message of the element.
 *
 * All functions and callbacks run on the worker.
 */

#pragma once

#include <gst/gst.h>

#include "recworker.h"
#include "whipclient.h"

G_BEGIN_DECLS

typedef struct _WhipRetry WhipRetry;

/**
 * WhipRetryConfig:
 * @category: debug category of the element
 * @code: code of the info and error messages
 * @timeout: time in which failed attempts are repeated, ns
 * @interval_max: longest interval between attempts, ms
 * @from_failure: @timeout begins at the first failure, not at
 *   whip_retry_new()
 * @missing_is_temporary: also retry after 404, which many servers return for a
 *   stream without a publisher
 */
typedef struct
{
  GstDebugCategory *category;
  GstResourceError code;
  GstClockTime timeout;
  guint interval_max;
  gboolean from_failure;
  gboolean missing_is_temporary;
} WhipRetryConfig;

/* @answer: session description of the server. */
typedef void (*WhipRetryAnswerFunc) (const gchar *answer, gpointer user_data);

/* @element, @worker and @client must outlive the object. @config is copied. */
WhipRetry *whip_retry_new (GstElement *element, RecWorker *worker,
    WhipClient *client, const WhipRetryConfig *config);
/* Cancels the next attempt. Free @client before, so that the request under way
 * does not call back. NULL is allowed. */
void whip_retry_free (WhipRetry *retry);

/* Posts @offer, again and again if necessary, and passes the answer to
 * @answered. */
void whip_retry_post (WhipRetry *retry, const gchar *offer,
    WhipRetryAnswerFunc answered, gpointer user_data);

/* Calls @attempt with @user_data after the next interval. If the time is over,
 * posts @reason as an error message instead. */
void whip_retry_later (WhipRetry *retry, RecWorkerFunc attempt,
    gpointer user_data, const gchar *reason);

/* Calls @attempt from the main loop of the worker, without counting it. */
void whip_retry_now (
    WhipRetry *retry, RecWorkerFunc attempt, gpointer user_data);

/* After a session: the next failure counts as the first. */
void whip_retry_reset (WhipRetry *retry);

/* Cancels the next attempt. */
void whip_retry_cancel (WhipRetry *retry);

/* Cancels the next attempt and posts @message as an error message. */
void whip_retry_fail (WhipRetry *retry, const gchar *message);

G_END_DECLS
