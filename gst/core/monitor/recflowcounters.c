/* gst-tsrec: what passes one point of a stream, counted without a lock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recflowcounters.h"

#include <stdlib.h>

RecFlowCounters *
rec_flow_counters_new (void)
{
  RecFlowCounters *flow = calloc (1, sizeof *flow);

  if (flow)
    atomic_init (&flow->refs, 1);
  return flow;
}

RecFlowCounters *
rec_flow_counters_ref (RecFlowCounters *flow)
{
  atomic_fetch_add_explicit (&flow->refs, 1, memory_order_relaxed);
  return flow;
}

void
rec_flow_counters_unref (RecFlowCounters *flow)
{
  if (atomic_fetch_sub_explicit (&flow->refs, 1, memory_order_acq_rel) == 1)
    free (flow);
}

void
rec_flow_counters_reset (RecFlowCounters *flow)
{
  atomic_store_explicit (&flow->packets, 0, memory_order_relaxed);
  atomic_store_explicit (&flow->bytes, 0, memory_order_relaxed);
  atomic_store_explicit (&flow->frames, 0, memory_order_relaxed);
  atomic_store_explicit (&flow->frames_at_packet, 0, memory_order_relaxed);
}

uint64_t
rec_flow_counters_get_frames_pending (RecFlowCounters *flow)
{
  /* In this order, so that a packet in between makes the streak too small,
   * never negative. */
  uint64_t out =
      atomic_load_explicit (&flow->frames_at_packet, memory_order_acquire);
  uint64_t in = rec_flow_counters_get_frames (flow);

  return in > out ? in - out : 0;
}

void
rec_flow_counters_reset_streak (RecFlowCounters *flow)
{
  atomic_store_explicit (&flow->frames_at_packet,
      rec_flow_counters_get_frames (flow), memory_order_relaxed);
}

void
rec_idle_ticks_init (RecIdleTicks *ticks, RecFlowCounters *flow, uint64_t now)
{
  ticks->packets = rec_flow_counters_get_packets (flow);
  ticks->streak = 0;
  ticks->since = now;
}

void
rec_idle_ticks_update (RecIdleTicks *ticks, RecFlowCounters *flow, uint64_t now)
{
  uint64_t packets = rec_flow_counters_get_packets (flow);

  if (packets == ticks->packets) {
    ticks->streak++;
    return;
  }
  ticks->packets = packets;
  ticks->streak = 0;
  ticks->since = now;
}
