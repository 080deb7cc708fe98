/* gst-tsrec: lock-free counters of the packets at one point of a stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Three threads use the counters and none waits for another: the streaming
 * thread of the monitor counts packets, the streaming thread of an encoder
 * counts its input frames, and the timer reads. Every field is a relaxed atomic.
 * Two fields may differ in age by nanoseconds, which is irrelevant for a timer
 * that reads ten times per second.
 */

#pragma once

#include <stdatomic.h>
#include <stdint.h>

/**
 * RecFlowCounters:
 * @packets: packets that passed
 * @bytes: bytes that passed
 * @frames: frames that entered the encoder
 * @frames_at_packet: value of @frames at the last packet
 * @pushing: a packet is being pushed downstream
 */
typedef struct
{
  atomic_int refs;
  _Atomic uint64_t packets;
  _Atomic uint64_t bytes;
  _Atomic uint64_t frames;
  _Atomic uint64_t frames_at_packet;
  atomic_int pushing;
} RecFlowCounters;

/* Returns NULL only if memory is exhausted. The caller owns one reference. A
 * probe that may outlive the monitor holds its own reference. */
RecFlowCounters *rec_flow_counters_new (void);
RecFlowCounters *rec_flow_counters_ref (RecFlowCounters *flow);
void rec_flow_counters_unref (RecFlowCounters *flow);

/* Sets all counters to 0. No packet may be counted during the call. */
void rec_flow_counters_reset (RecFlowCounters *flow);

/* Counts @packets with @bytes in total. The stream lock ensures one caller at a
 * time, so loads and stores are sufficient and no bus is locked. */
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

/* Set while a packet is pushed, so that the timer can distinguish a blocked
 * stream from a stalled one. */
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

/* Counts @frames that enter the encoder. Any thread. */
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

/* Returns the frames that entered the encoder since the last packet. Any
 * thread. */
uint64_t rec_flow_counters_get_frames_pending (RecFlowCounters *flow);

/* Sets the pending frames to 0, as a packet does. Any thread. */
void rec_flow_counters_reset_streak (RecFlowCounters *flow);

/* --- The streak without an encoder: checks without a packet --- */

/**
 * RecIdleTicks:
 * @packets: packets at the last check
 * @streak: consecutive checks without a new packet
 * @since: time of the last check with a new packet, or start
 *
 * Belongs to the thread that checks.
 */
typedef struct
{
  uint64_t packets;
  uint64_t streak;
  uint64_t since;
} RecIdleTicks;

/* @now: time of a monotonic clock, any unit. */
void rec_idle_ticks_init (
    RecIdleTicks *ticks, RecFlowCounters *flow, uint64_t now);
/* Performs one check. */
void rec_idle_ticks_update (
    RecIdleTicks *ticks, RecFlowCounters *flow, uint64_t now);
