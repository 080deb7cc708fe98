/* gst-tsrec: what passes one point of a stream, counted without a lock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Three sides meet here and none waits for another: the streaming thread of
 * the monitor counts packets, the streaming thread of an encoder counts the
 * frames that enter it, and the timer reads. Every field is a relaxed atomic:
 * each value is right by itself, and the few nanoseconds by which one of them
 * may be newer than the other do not matter at 10 looks a second.
 */

#ifndef REC_FLOW_COUNTERS_H
#define REC_FLOW_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct
{
  atomic_int refs;
  _Atomic uint64_t packets;
  _Atomic uint64_t bytes;
  /* frames that entered the encoder, and how many there were when the last
   * packet came out of it */
  _Atomic uint64_t frames;
  _Atomic uint64_t frames_at_packet;
  atomic_int pushing; /* a packet is on its way downstream */
} RecFlowCounters;

/* Returns NULL only when there is no memory. The caller owns one reference.
 * Probes that may outlive the monitor by a call hold one of their own. */
RecFlowCounters *rec_flow_counters_new (void);
RecFlowCounters *rec_flow_counters_ref (RecFlowCounters *flow);
void rec_flow_counters_unref (RecFlowCounters *flow);

/* Forgets everything; no packet may be counted meanwhile. */
void rec_flow_counters_reset (RecFlowCounters *flow);

/* Counts @packets of together @bytes. One thread at a time (that is what the
 * stream lock is for), so plain additions do and no bus is locked. */
static inline void
rec_flow_counters_packets (
    RecFlowCounters *flow, uint64_t packets, uint64_t bytes)
{
  uint64_t n = atomic_load_explicit (&flow->packets, memory_order_relaxed);
  uint64_t b = atomic_load_explicit (&flow->bytes, memory_order_relaxed);
  uint64_t f = atomic_load_explicit (&flow->frames, memory_order_relaxed);

  atomic_store_explicit (&flow->bytes, b + bytes, memory_order_relaxed);
  atomic_store_explicit (&flow->frames_at_packet, f, memory_order_relaxed);
  atomic_store_explicit (&flow->packets, n + packets, memory_order_relaxed);
}

/* Around pushing it on, so that the timer can tell a stream that is blocked
 * from one that is dry. */
static inline void
rec_flow_counters_set_pushing (RecFlowCounters *flow, int pushing)
{
  atomic_store_explicit (&flow->pushing, pushing, memory_order_relaxed);
}

static inline int
rec_flow_counters_is_pushing (RecFlowCounters *flow)
{
  return atomic_load_explicit (&flow->pushing, memory_order_relaxed);
}

/* Counts @frames that enter the encoder; any thread. */
static inline void
rec_flow_counters_frames (RecFlowCounters *flow, uint64_t frames)
{
  atomic_fetch_add_explicit (&flow->frames, frames, memory_order_relaxed);
}

static inline uint64_t
rec_flow_counters_get_packets (RecFlowCounters *flow)
{
  return atomic_load_explicit (&flow->packets, memory_order_relaxed);
}

static inline uint64_t
rec_flow_counters_get_bytes (RecFlowCounters *flow)
{
  return atomic_load_explicit (&flow->bytes, memory_order_relaxed);
}

static inline uint64_t
rec_flow_counters_get_frames (RecFlowCounters *flow)
{
  return atomic_load_explicit (&flow->frames, memory_order_relaxed);
}

/* Frames that entered the encoder since a packet came out; any thread. */
uint64_t rec_flow_counters_get_frames_pending (RecFlowCounters *flow);

/* Counts as if a packet had come out just now; any thread. */
void rec_flow_counters_reset_streak (RecFlowCounters *flow);

/* --- the other streak: check ticks without a packet ---------------------- */

/* Belongs to one thread, the one that looks. */
typedef struct
{
  uint64_t packets; /* at the last look */
  uint64_t streak;  /* looks in a row without a new packet */
  uint64_t since;   /* time of the last look that saw a new packet, or start */
} RecIdleTicks;

/* @now: in any unit, of any clock that does not go back. */
void rec_idle_ticks_init (
    RecIdleTicks *ticks, RecFlowCounters *flow, uint64_t now);
/* One look, one tick after the last one. */
void rec_idle_ticks_update (
    RecIdleTicks *ticks, RecFlowCounters *flow, uint64_t now);

#endif
