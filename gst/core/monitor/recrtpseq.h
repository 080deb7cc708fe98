/* gst-tsrec: lost, late and reordered packets by RTP sequence number
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Follows one synchronization source at a time (RFC 3550, 5.1 and A.1). A
 * packet that is missing when REC_RTP_SEQ_WINDOW later ones have come is lost; one
 * that comes after that is late, and stays counted as lost because nobody can
 * use it any more; one that comes out of order but in time is reordered.
 */

#ifndef REC_RTP_SEQ_H
#define REC_RTP_SEQ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REC_RTP_SEQ_WINDOW 64
#define REC_RTP_SEQ_HEADER_SIZE 12 /* RFC 3550, 5.1: without CSRC */

/* The counters may be read by any thread; all else belongs to the thread that
 * pushes packets. */
typedef struct
{
  _Atomic uint64_t lost;
  _Atomic uint64_t late;
  _Atomic uint64_t reordered;
  _Atomic uint64_t duplicate;

  bool started;
  uint32_t ssrc;
  uint16_t highest;
  uint64_t seen; /* bit i: highest - i has come */
  uint16_t odd;  /* a number far off, and whether there was one */
  bool odd_pending;
} RecRtpSeq;

void rec_rtp_seq_init (RecRtpSeq *seq);

/* Counts the packet whose first @size bytes are at @header. Returns false,
 * and counts nothing, when that is not RTP version 2 or too short. */
bool rec_rtp_seq_push (RecRtpSeq *seq, const uint8_t *header, size_t size);

#endif
