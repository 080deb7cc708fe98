/* gst-tsrec: the packets of one SSRC in the order of their sequence numbers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A packet leaves as soon as it is the next one. A missing packet is waited
 * for, from the arrival of the first packet behind it, for the latency, and is
 * then lost. The first packet of a stream is held back for the latency too, as
 * earlier ones may be on their way. A pause loses nothing.
 *
 * Sequence numbers of any jump are followed: two consecutive packets far away
 * from the others are taken for a new start (RFC 3550 appendix A.1).
 *
 * All times are µs. Not thread safe; the caller locks.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sequence numbers that may be waited for or held at a time. */
#define RTC_REORDER_MAX_SPAN 16384
/* Requests for one packet. */
#define RTC_REORDER_MAX_REQUESTS 10
/* Never due. */
#define RTC_REORDER_NEVER G_MAXINT64

typedef struct _RtcReorder RtcReorder;

/**
 * RtcReorderResult:
 * @RTC_REORDER_ADDED: will leave, or leaves now
 * @RTC_REORDER_DUPLICATE: was there already; dropped
 * @RTC_REORDER_LATE: has been taken for lost; dropped
 * @RTC_REORDER_SUSPECT: far away from the others; kept until the next packet
 *   shows whether the stream starts over there
 */
typedef enum
{
  RTC_REORDER_ADDED,
  RTC_REORDER_DUPLICATE,
  RTC_REORDER_LATE,
  RTC_REORDER_SUSPECT
} RtcReorderResult;

/**
 * RtcReorderStats:
 * @received: packets that have left
 * @lost: packets that were not there in time
 * @late: packets that arrived after they had been taken for lost
 * @duplicates: packets that were dropped because they were there already, and
 *   retransmissions (RFC 4588) that came too late, or without need
 * @requested: requests for missing packets
 * @retransmitted: requested packets that arrived in time
 */
typedef struct
{
  guint64 received;
  guint64 lost;
  guint64 late;
  guint64 duplicates;
  guint64 requested;
  guint64 retransmitted;
} RtcReorderStats;

/* @max_bytes: of the packets that are held; what is missing in front of them
 * is then lost at once, and beyond twice as many the oldest packets are.
 * RTC_REORDER_MAX_SPAN bounds their number likewise. @destroy frees an item. */
RtcReorder *rtc_reorder_new (
    gint64 latency, gsize max_bytes, GDestroyNotify destroy);
/* NULL is allowed. */
void rtc_reorder_free (RtcReorder *reorder);

/* Takes @item, a packet of @size bytes, and frees it unless the result is
 * RTC_REORDER_ADDED or RTC_REORDER_SUSPECT. @retransmitted: by RFC 4588. */
RtcReorderResult rtc_reorder_add (RtcReorder *reorder, guint16 seq,
    gpointer item, gsize size, gint64 arrival, gboolean retransmitted);

/* Returns the next item in order, or NULL when there is none at @now. */
gpointer rtc_reorder_take (RtcReorder *reorder, gint64 now);
/* Returns when rtc_reorder_take() next returns an item, RTC_REORDER_NEVER
 * without any: the past, when there is one already. */
gint64 rtc_reorder_get_due (RtcReorder *reorder);
/* Calls @function for each item that is held, in order. */
void rtc_reorder_foreach (
    RtcReorder *reorder, GFunc function, gpointer user_data);
/* What is held leaves first, then the packet with number @seq, or the next one
 * that is added: those in between were left out on purpose. */
void rtc_reorder_restart (RtcReorder *reorder, guint16 seq);

/* Returns how many of the missing packets are to be requested at @now, and
 * fills @seqs, in order. @round_trip: measured, 0: unknown. They count as
 * requested. */
guint rtc_reorder_get_missing (RtcReorder *reorder, gint64 now,
    gint64 round_trip, guint16 *seqs, guint max);
/* Returns when rtc_reorder_get_missing() next has one. */
gint64 rtc_reorder_get_request_due (RtcReorder *reorder);
/* Returns whether @seq is missing and has been requested. */
gboolean rtc_reorder_is_requested (RtcReorder *reorder, guint16 seq);
/* Returns the time from the last request to the arrival of the packet that was
 * added last, when it had been requested exactly once; 0 otherwise. */
gint64 rtc_reorder_get_response_time (RtcReorder *reorder);

void rtc_reorder_get_stats (RtcReorder *reorder, RtcReorderStats *stats);

G_END_DECLS
