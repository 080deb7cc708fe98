/* gst-tsrec: counts lost, late and reordered RTP packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Follows one synchronization source at a time (RFC 3550, 5.1 and A.1). A packet
 * is lost if it is still missing after REC_RTP_SEQ_WINDOW later packets. A packet
 * that arrives after that is late; it remains counted as lost, because it is of
 * no use. A packet that arrives out of order but earlier is reordered.
 */

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REC_RTP_SEQ_WINDOW 64
#define REC_RTP_SEQ_HEADER_SIZE 12 /* RFC 3550, 5.1: without CSRC */

/**
 * RecRtpSeq:
 * @lost: lost packets
 * @late: late packets
 * @reordered: reordered packets
 * @duplicate: packets that arrived twice
 * @started: a packet has arrived
 * @ssrc: synchronization source
 * @highest: highest sequence number
 * @seen: bit i is set if the packet @highest - i has arrived
 * @odd: sequence number far from @highest, see @odd_pending
 * @odd_pending: @odd is valid; a second packet there restarts the window
 *
 * Any thread may read the counters. The other fields belong to the thread that
 * pushes packets.
 */
typedef struct
{
  _Atomic uint64_t lost;
  _Atomic uint64_t late;
  _Atomic uint64_t reordered;
  _Atomic uint64_t duplicate;

  bool started;
  uint32_t ssrc;
  uint16_t highest;
  uint64_t seen;
  uint16_t odd;
  bool odd_pending;
} RecRtpSeq;

void rec_rtp_seq_init (RecRtpSeq *seq);

/* Counts the packet whose first @size bytes are at @header. Returns false, and
 * counts nothing, if that is too short or not RTP version 2. */
bool rec_rtp_seq_push (RecRtpSeq *seq, const uint8_t *header, size_t size);
