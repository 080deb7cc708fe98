/* gst-tsrec: a reverse proxy between a WHIP or WHEP client and its server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Takes a prefix off the path as nginx does with "location /prefix/ {
 * proxy_pass http://server/; }", and may change the descriptions.
 */

#pragma once

#include "rechttp.h"

G_BEGIN_DECLS

#define REC_PROXY_PREFIX "/some/prefix"

/* Returns another text; the caller frees it. */
typedef gchar *(*RecProxyEdit) (const gchar *text);

/**
 * RecProxy:
 * @url: what a client uses instead of the URL of the server
 * @offer: the last offer, as it came from the client
 * @answer: the last answer with its headers, as it came from the server
 */
typedef struct
{
  GSocketListener *listener;
  GCancellable *cancellable;
  GThread *thread;
  gchar *target;
  RecProxyEdit edit_offer;
  RecProxyEdit edit_answer;
  gchar *url;

  GMutex lock;
  gchar *offer;
  gchar *answer;
} RecProxy;

/* "00" in place of the first byte of every fingerprint, and "01" of 00. */
gchar *rec_proxy_break_fingerprints (const gchar *text);

/* Returns a copy of *@field, the offer or the answer. Caller frees. */
gchar *rec_proxy_dup (RecProxy *proxy, gchar **field);

/* Listens in front of @target, a URL; NULL leaves the descriptions alone. */
void rec_proxy_start (RecProxy *proxy, const gchar *target,
    RecProxyEdit edit_offer, RecProxyEdit edit_answer);

void rec_proxy_stop (RecProxy *proxy);

G_END_DECLS
