/* gst-tsrec: finds the first stalled stage of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each monitor measures the time since the last packet, and the time since the
 * last input of each depayloader, decoder, encoder and mux between itself and
 * the monitor upstream. Along the pads these reports form a tree, in which the
 * first stalled stage is unique. All times have the same unit.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Stage kinds, in the direction of the data. */
typedef enum
{
  REC_STALL_NETWORK,
  REC_STALL_DEPAYLOADER,
  REC_STALL_DECODER,
  REC_STALL_ENCODER,
  REC_STALL_MUX,
  REC_STALL_DISK,
} RecStallStage;

/* Returns "network", "depayloader", …; a static string. */
const char *rec_stall_stage_name (RecStallStage stage);

/**
 * RecStallPoint:
 * @kind: kind of the element
 * @idle: time since its last input, or since the start
 *
 * The input of one element.
 */
typedef struct
{
  RecStallStage kind;
  uint64_t idle;
} RecStallPoint;

#define REC_STALL_MAX_POINTS 12

/**
 * RecMonitorReport:
 * @id: unique number of the monitor, not 0
 * @next: @id of the monitor downstream, 0 if there is none
 * @idle: time since the last packet, or since the start
 * @blocked: a packet has been pushed downstream for the time @idle
 * @rtp: the packets are RTP packets
 * @n_points: number of @points
 * @points: inputs of the elements upstream, nearest first
 *
 * State of one monitor, as other monitors see it.
 */
typedef struct
{
  uint64_t id;
  uint64_t next;
  uint64_t idle;
  bool blocked;
  bool rtp;
  unsigned n_points;
  RecStallPoint points[REC_STALL_MAX_POINTS];
} RecMonitorReport;

/* Returns the first stalled stage upstream of monitor @id, which has had no
 * packet for @idle. A point or monitor counts as stalled if it had no input for
 * at least half of that time. @monitors contains @id and all monitors upstream,
 * in any order. Loops and missing links are harmless. */
RecStallStage rec_stall_find_upstream (
    const RecMonitorReport *monitors, unsigned n, uint64_t id, uint64_t idle);

/* Returns the stage that holds data back downstream of a monitor which delivers
 * packets or is blocked. @downstream: the @n monitors downstream, nearest first.
 * @mux_follows: a mux is between the last monitor and the sink. */
RecStallStage rec_stall_find_downstream (const RecMonitorReport *downstream,
    unsigned n, uint64_t idle, bool blocked, bool mux_follows);
