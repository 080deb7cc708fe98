/* gst-tsrec: video that arrives and cannot be decoded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * If a key frame or its parameter sets are lost, nothing else requests them
 * again: packets arrive, but no picture leaves the parser. The watch determines
 * when to request a key frame: after RTC_KEY_WATCH_FIRST, then at intervals
 * that double up to RTC_KEY_WATCH_MAX, until a picture leaves.
 *
 * Plain data without a lock: everything on the streaming thread of the track.
 * Times are µs of one monotonic clock.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RTC_KEY_WATCH_FIRST (1 * G_USEC_PER_SEC)
#define RTC_KEY_WATCH_MAX (16 * G_USEC_PER_SEC)
/* Time after which a warning is due. */
#define RTC_KEY_WATCH_WARN (5 * G_USEC_PER_SEC)
/* Pictures (RTP timestamps) that must arrive first: a single picture is not
 * overdue. */
#define RTC_KEY_WATCH_PICTURES 4

/**
 * RtcKeyWatch:
 * @since: arrival of the first packet after the last picture, 0 if there is
 *   none
 * @rtp_time: RTP timestamp of the last packet
 * @pictures: number of RTP timestamps since @since
 * @next: time of the next request
 * @interval: time between the next request and the one after it
 * @requests: number of requests since @since
 * @warned: RTC_KEY_WATCH_ASK_AND_WARN was returned
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
  RTC_KEY_WATCH_ASK,          /* request a key frame now */
  RTC_KEY_WATCH_ASK_AND_WARN, /* request, and warn; once */
} RtcKeyWatchVerdict;

void rtc_key_watch_init (RtcKeyWatch *watch);

/* A packet with payload arrived at @now. */
RtcKeyWatchVerdict rtc_key_watch_packet (
    RtcKeyWatch *watch, guint32 rtp_time, gint64 now);

/* A picture left the parser. */
void rtc_key_watch_picture (RtcKeyWatch *watch);

G_END_DECLS
