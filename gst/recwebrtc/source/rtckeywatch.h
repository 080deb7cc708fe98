/* gst-tsrec: video that arrives and cannot be decoded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The key frame, or its parameter sets, may be lost, and nobody asks again:
 * from then on packets arrive, and no picture ever leaves the parser. The watch
 * says when to ask the sender: after RTC_KEY_WATCH_FIRST, then at intervals
 * that double up to RTC_KEY_WATCH_MAX, until there is a picture.
 *
 * Plain data without a lock: everything on the streaming thread of the track.
 * Times are in µs of one monotonic clock.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RTC_KEY_WATCH_FIRST (1 * G_USEC_PER_SEC)
#define RTC_KEY_WATCH_MAX (16 * G_USEC_PER_SEC)
/* When somebody should look at it. */
#define RTC_KEY_WATCH_WARN (5 * G_USEC_PER_SEC)
/* Of different times that have to arrive: one picture is not overdue. */
#define RTC_KEY_WATCH_PICTURES 4

/**
 * RtcKeyWatch:
 * @since: arrival of the first packet since the last picture; 0: none
 * @rtp_time: of the last packet
 * @pictures: RTP timestamps since then
 * @next: when to ask
 * @interval: from there to the time after that
 * @requests: how often was asked
 * @warned: RTC_KEY_WATCH_WARN was returned
 */
typedef struct
{
  gint64 since;
  guint32 rtp_time;
  guint pictures;
  gint64 next;
  gint64 interval;
  guint requests;
  gboolean warned;
} RtcKeyWatch;

typedef enum
{
  RTC_KEY_WATCH_WAIT,
  RTC_KEY_WATCH_ASK,          /* for a key frame, now */
  RTC_KEY_WATCH_ASK_AND_WARN, /* once */
} RtcKeyWatchVerdict;

void rtc_key_watch_init (RtcKeyWatch *watch);

/* A packet with payload arrived at @now. */
RtcKeyWatchVerdict rtc_key_watch_packet (
    RtcKeyWatch *watch, guint32 rtp_time, gint64 now);

/* A picture left the parser. */
void rtc_key_watch_picture (RtcKeyWatch *watch);

G_END_DECLS
