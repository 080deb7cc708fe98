/* gst-tsrec: what passes one point of a stream, counted without a lock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recflowcounters.h"

#include <stdlib.h>

FlowCount *
flow_count_new (void)
{
  FlowCount *flow = calloc (1, sizeof *flow);

  if (flow)
    atomic_init (&flow->refs, 1);
  return flow;
}

FlowCount *
flow_count_ref (FlowCount *flow)
{
  atomic_fetch_add_explicit (&flow->refs, 1, memory_order_relaxed);
  return flow;
}

void
flow_count_unref (FlowCount *flow)
{
  if (atomic_fetch_sub_explicit (&flow->refs, 1, memory_order_acq_rel) == 1)
    free (flow);
}

void
flow_count_reset (FlowCount *flow)
{
  atomic_store_explicit (&flow->packets, 0, memory_order_relaxed);
  atomic_store_explicit (&flow->bytes, 0, memory_order_relaxed);
  atomic_store_explicit (&flow->frames, 0, memory_order_relaxed);
  atomic_store_explicit (&flow->frames_at_packet, 0, memory_order_relaxed);
}

uint64_t
flow_count_get_swallowed (FlowCount *flow)
{
  /* In this order, so that a packet in between makes the streak too small,
   * never negative. */
  uint64_t out =
      atomic_load_explicit (&flow->frames_at_packet, memory_order_acquire);
  uint64_t in = flow_count_get_frames (flow);

  return in > out ? in - out : 0;
}

void
flow_count_forgive (FlowCount *flow)
{
  atomic_store_explicit (&flow->frames_at_packet, flow_count_get_frames (flow),
      memory_order_relaxed);
}

void
flow_ticks_init (FlowTicks *ticks, FlowCount *flow, uint64_t now)
{
  ticks->packets = flow_count_get_packets (flow);
  ticks->streak = 0;
  ticks->since = now;
}

void
flow_ticks_look (FlowTicks *ticks, FlowCount *flow, uint64_t now)
{
  uint64_t packets = flow_count_get_packets (flow);

  if (packets == ticks->packets) {
    ticks->streak++;
    return;
  }
  ticks->packets = packets;
  ticks->streak = 0;
  ticks->since = now;
}
