/* gst-tsrec: a WHIP endpoint that goes while it is being asked
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rechttp.h"
#include "whipclient.h"
#include "whipendpoint.h"

static GAsyncQueue *requests;

static void
on_call (WhipRequest *request, gpointer user_data)
{
  g_async_queue_push (requests, request);
}

static gpointer
post (gpointer data)
{
  return rec_http ("POST", data, REC_HTTP_SDP, "an offer");
}

static guint
count_descriptors (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  fail_unless (dir != NULL);
  while (g_dir_read_name (dir))
    n++;
  g_dir_close (dir);
  return n;
}

static void
free_before_the_answer (void)
{
  static const WhipEndpointCallbacks callbacks = { on_call, on_call, on_call };
  const WhipEndpointConfig config = { .host = "127.0.0.1",
    .path = "/whip",
    .max_body = 1000,
    .max_connections = 4,
    .max_offers = 100,
    .idle_timeout = 15 };
  WhipEndpoint *endpoint = whip_endpoint_new (&config, &callbacks, NULL, NULL);
  WhipRequest *request;
  GThread *client;
  gchar *url;

  fail_unless (endpoint != NULL);
  url = whip_endpoint_dup_url (endpoint);
  client = g_thread_new ("client", post, url);
  request = g_async_queue_pop (requests);
  whip_endpoint_free (endpoint);
  whip_request_reply (request, 503, "The recorder is shutting down.");
  g_free (g_thread_join (client));
  g_free (url);
}

GST_START_TEST (test_the_error_domain_has_a_name)
{
  fail_unless_equals_string (
      g_quark_to_string (WHIP_CLIENT_ERROR), "whip-client-error-quark");
}

GST_END_TEST;

GST_START_TEST (test_an_answer_after_the_end_leaves_nothing_behind)
{
  guint i, before;

  requests = g_async_queue_new ();
  /* The permanent memory of GLib and libsoup is there after the first one. */
  free_before_the_answer ();
  before = count_descriptors ();
  for (i = 0; i < 5; i++)
    free_before_the_answer ();
  fail_unless_equals_int (count_descriptors (), before);
  g_async_queue_unref (requests);
}

GST_END_TEST;

static Suite *
whipendpoint_suite (void)
{
  Suite *s = suite_create ("whipendpoint");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_the_error_domain_has_a_name);
  tcase_add_test (tc, test_an_answer_after_the_end_leaves_nothing_behind);
  return s;
}

GST_CHECK_MAIN (whipendpoint);
