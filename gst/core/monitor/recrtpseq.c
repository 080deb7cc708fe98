/* gst-tsrec: lost, late and reordered packets by RTP sequence number
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recrtpseq.h"

#include <string.h>

/* Farther off than this the sender has started over (MAX_DROPOUT and
 * MAX_MISORDER of RFC 3550, A.1). */
#define MAX_DROPOUT 3000
#define MAX_MISORDER 1000

static void
add (_Atomic uint64_t *counter, uint64_t n)
{
  uint64_t value = atomic_load_explicit (counter, memory_order_relaxed);

  atomic_store_explicit (counter, value + n, memory_order_relaxed);
}

void
rec_rtp_seq_init (RecRtpSeq *seq)
{
  atomic_store_explicit (&seq->lost, 0, memory_order_relaxed);
  atomic_store_explicit (&seq->late, 0, memory_order_relaxed);
  atomic_store_explicit (&seq->reordered, 0, memory_order_relaxed);
  atomic_store_explicit (&seq->duplicate, 0, memory_order_relaxed);
  seq->started = false;
  seq->odd_pending = false;
}

/* From here on; whatever was before counts as having come. */
static void
start (RecRtpSeq *seq, uint32_t ssrc, uint16_t number)
{
  seq->started = true;
  seq->ssrc = ssrc;
  seq->highest = number;
  seq->seen = UINT64_MAX;
  seq->odd_pending = false;
}

/* @n numbers further; those that leave the window and never came are lost. */
static void
advance (RecRtpSeq *seq, unsigned n)
{
  uint64_t leaving;

  if (n < REC_RTP_SEQ_WINDOW) {
    leaving = ~seq->seen >> (REC_RTP_SEQ_WINDOW - n);
    add (&seq->lost, (uint64_t)__builtin_popcountll (leaving));
    seq->seen = seq->seen << n | 1;
  } else {
    add (&seq->lost, (uint64_t)__builtin_popcountll (~seq->seen));
    add (&seq->lost, n - REC_RTP_SEQ_WINDOW);
    seq->seen = 1;
  }
  seq->highest = (uint16_t)(seq->highest + n);
}

static void
go_back (RecRtpSeq *seq, unsigned n)
{
  uint64_t bit;

  if (n >= REC_RTP_SEQ_WINDOW) {
    add (&seq->late, 1);
    return;
  }
  bit = UINT64_C (1) << n;
  add (seq->seen & bit ? &seq->duplicate : &seq->reordered, 1);
  seq->seen |= bit;
}

/* Two in a row from far off are a sender that started over; one alone is a
 * stray. */
static void
note_far_off (RecRtpSeq *seq, uint32_t ssrc, uint16_t number)
{
  if (seq->odd_pending && number == (uint16_t)(seq->odd + 1)) {
    start (seq, ssrc, number);
    return;
  }
  seq->odd = number;
  seq->odd_pending = true;
}

bool
rec_rtp_seq_push (RecRtpSeq *seq, const uint8_t *header, size_t size)
{
  uint16_t number, forward;
  uint32_t ssrc;

  if (size < REC_RTP_SEQ_HEADER_SIZE || header[0] >> 6 != 2)
    return false;
  number = (uint16_t)(header[2] << 8 | header[3]);
  ssrc = (uint32_t)header[8] << 24 | (uint32_t)header[9] << 16 |
      (uint32_t)header[10] << 8 | header[11];
  if (!seq->started || ssrc != seq->ssrc) {
    start (seq, ssrc, number);
    return true;
  }
  forward = (uint16_t)(number - seq->highest);
  if (forward == 0)
    add (&seq->duplicate, 1);
  else if (forward < MAX_DROPOUT)
    advance (seq, forward);
  else if (forward >= 65536 - MAX_MISORDER)
    go_back (seq, 65536u - forward);
  else {
    note_far_off (seq, ssrc, number);
    return true;
  }
  seq->odd_pending = false;
  return true;
}
