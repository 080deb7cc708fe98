/* gst-tsrec: the session of recwhipsink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Publishes the RTP of tracks to a WHIP server: makes an offer once the caps of
 * every track are known (after 2 s at the latest), posts it, and lets RTP
 * through when the connection is there. When every track has ended, the session
 * is DELETEd and an EOS message is posted. Messages and errors are posted in the
 * name of the bin.
 */

#pragma once

#include <gst/gst.h>

#include "recworker.h"
#include "rtcpaychain.h"

G_BEGIN_DECLS

typedef struct _RtcPublisher RtcPublisher;

/**
 * RtcPublisherConfig:
 * @location: URL of the WHIP endpoint
 * @token: bearer token, or NULL
 * @insecure_tls: accept any TLS certificate of the server
 * @retry_timeout: time in which failed attempts are repeated, ns
 * @stun_server: "stun://host:port" or NULL
 * @turn_server: "turn://user:password@host:port" or NULL
 * @port_range: UDP ports of ICE, "MIN-MAX", or NULL
 * @public_address: replaces the address of our host candidates, or NULL
 */
typedef struct
{
  const gchar *location;
  const gchar *token;
  gboolean insecure_tls;
  GstClockTime retry_timeout;
  const gchar *stun_server;
  const gchar *turn_server;
  const gchar *port_range;
  const gchar *public_address;
} RtcPublisherConfig;

/* @bin owns the object and outlives it. @worker: its control thread. @category:
 * debug category of the element. */
RtcPublisher *rtc_publisher_new (
    GstBin *bin, RecWorker *worker, GstDebugCategory *category);
/* Must have been stopped. */
void rtc_publisher_free (RtcPublisher *publisher);

/* Adds and removes a track, which the caller owns. Tracks are added before
 * rtc_publisher_start(). Any thread. */
void rtc_publisher_add_track (RtcPublisher *publisher, RtcPayChain *track);
void rtc_publisher_remove_track (RtcPublisher *publisher, RtcPayChain *track);

/* The caps of a track have become known, or a track has ended. Any thread. */
void rtc_publisher_track_ready (RtcPublisher *publisher);
void rtc_publisher_track_eos (RtcPublisher *publisher);

/* Begins the session, in the background. @config is copied. Waits for the
 * control thread; not from there. */
void rtc_publisher_start (
    RtcPublisher *publisher, const RtcPublisherConfig *config);
/* Ends the session and DELETEs it, waiting for at most 2 s for the server. Not
 * from the control thread. */
void rtc_publisher_stop (RtcPublisher *publisher);

/* Adds the fields of the property "stats". Any thread. */
void rtc_publisher_add_stats (RtcPublisher *publisher, GstStructure *stats);

G_END_DECLS
