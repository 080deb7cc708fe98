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

#ifndef REC_FLOWCOUNT_H
#define REC_FLOWCOUNT_H

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
} FlowCount;

/* Returns NULL only when there is no memory. The caller owns one reference.
 * Probes that may outlive the monitor by a call hold one of their own. */
FlowCount *flow_count_new (void);
FlowCount *flow_count_ref (FlowCount *flow);
void flow_count_unref (FlowCount *flow);

/* Forgets everything; no packet may be counted meanwhile. */
void flow_count_reset (FlowCount *flow);

/* Counts @packets of together @bytes. One thread at a time (that is what the
 * stream lock is for), so plain additions do and no bus is locked. */
static inline void
flow_count_packets (FlowCount *flow, uint64_t packets, uint64_t bytes)
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
flow_count_set_pushing (FlowCount *flow, int pushing)
{
  atomic_store_explicit (&flow->pushing, pushing, memory_order_relaxed);
}

static inline int
flow_count_is_pushing (FlowCount *flow)
{
  return atomic_load_explicit (&flow->pushing, memory_order_relaxed);
}

/* Counts @frames that enter the encoder; any thread. */
static inline void
flow_count_frames (FlowCount *flow, uint64_t frames)
{
  atomic_fetch_add_explicit (&flow->frames, frames, memory_order_relaxed);
}

static inline uint64_t
flow_count_get_packets (FlowCount *flow)
{
  return atomic_load_explicit (&flow->packets, memory_order_relaxed);
}

static inline uint64_t
flow_count_get_bytes (FlowCount *flow)
{
  return atomic_load_explicit (&flow->bytes, memory_order_relaxed);
}

static inline uint64_t
flow_count_get_frames (FlowCount *flow)
{
  return atomic_load_explicit (&flow->frames, memory_order_relaxed);
}

/* Frames that entered the encoder since a packet came out; any thread. */
uint64_t flow_count_get_swallowed (FlowCount *flow);

/* Counts as if a packet had come out just now; any thread. */
void flow_count_forgive (FlowCount *flow);

/* --- the other streak: check ticks without a packet ---------------------- */

/* Belongs to one thread, the one that looks. */
typedef struct
{
  uint64_t packets; /* at the last look */
  uint64_t streak;  /* looks in a row without a new packet */
  uint64_t since;   /* time of the last look that saw a new packet, or start */
} FlowTicks;

/* @now: in any unit, of any clock that does not go back. */
void flow_ticks_init (FlowTicks *ticks, FlowCount *flow, uint64_t now);
/* One look, one tick after the last one. */
void flow_ticks_look (FlowTicks *ticks, FlowCount *flow, uint64_t now);

#endif
