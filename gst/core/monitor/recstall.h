/* gst-tsrec: which stage of a recording is the first that delivers nothing
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each monitor knows how long nothing passed it, and how long nothing entered
 * the depayloader, decoder, encoder and mux between the monitor before it and
 * itself. Put together along the pads this is a tree, and the question where
 * it is dry has one answer. Times are of any one unit.
 */

#ifndef REC_STALL_H
#define REC_STALL_H

#include <stdbool.h>
#include <stdint.h>

/* In the order in which data flows. */
typedef enum
{
  REC_STALL_NETWORK,
  REC_STALL_DEPAYLOADER,
  REC_STALL_DECODER,
  REC_STALL_ENCODER,
  REC_STALL_MUX,
  REC_STALL_DISK,
} RecStallStage;

/* "network", "depayloader", …; a static string. */
const char *rec_stall_stage_name (RecStallStage stage);

/* What goes into one element that makes something else of it. */
typedef struct
{
  RecStallStage kind;
  uint64_t idle; /* since something last entered it, or since start */
} RecStallPoint;

#define REC_STALL_MAX_POINTS 12

/* What one monitor says. */
typedef struct
{
  uint64_t id;   /* not 0, its own among all monitors */
  uint64_t next; /* id of the monitor downstream of it, 0: none */
  uint64_t idle; /* since a packet passed, or since start */
  bool blocked;  /* a packet has been on its way downstream all that time */
  bool rtp;      /* RTP packets pass it */
  unsigned n_points;
  RecStallPoint points[REC_STALL_MAX_POINTS]; /* the nearest one first */
} RecMonitorReport;

/* Where it became dry, seen from monitor @id, which had nothing for @idle: its
 * own points and the monitors upstream of it are looked at. Something that had
 * nothing for at least half as long counts as dry as well. @monitors holds
 * @id and all monitors upstream of it, in any order; loops and missing links
 * do no harm. */
RecStallStage rec_stall_find_upstream (
    const RecMonitorReport *monitors, unsigned n, uint64_t id, uint64_t idle);

/* What keeps data from going on, seen from a monitor that delivers or is
 * blocked. @downstream: the monitors after it, the nearest one first;
 * @mux_follows: whether a mux stands between the last of them and the sink. */
RecStallStage rec_stall_find_downstream (const RecMonitorReport *downstream,
    unsigned n, uint64_t idle, bool blocked, bool mux_follows);

#endif
