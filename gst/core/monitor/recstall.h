/* gst-tsrec: which stage of a recording is the first that delivers nothing
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each monitor knows how long nothing passed it, and how long nothing entered
 * the depayloader, decoder, encoder and mux between the monitor before it and
 * itself. Put together along the pads this is a tree, and the question where
 * it is dry has one answer. Times are of any one unit.
 */

#ifndef REC_DRYSTAGE_H
#define REC_DRYSTAGE_H

#include <stdbool.h>
#include <stdint.h>

/* In the order in which data flows. */
typedef enum
{
  DRY_NETWORK,
  DRY_DEPAYLOADER,
  DRY_DECODER,
  DRY_ENCODER,
  DRY_MUX,
  DRY_DISK,
} DryStage;

/* "network", "depayloader", …; a static string. */
const char *dry_stage_name (DryStage stage);

/* What goes into one element that makes something else of it. */
typedef struct
{
  DryStage kind;
  uint64_t idle; /* since something last entered it, or since start */
} DryPoint;

#define DRY_MAX_POINTS 12

/* What one monitor says. */
typedef struct
{
  uint64_t id;   /* not 0, its own among all monitors */
  uint64_t next; /* id of the monitor downstream of it, 0: none */
  uint64_t idle; /* since a packet passed, or since start */
  bool blocked;  /* a packet has been on its way downstream all that time */
  bool rtp;      /* RTP packets pass it */
  unsigned n_points;
  DryPoint points[DRY_MAX_POINTS]; /* the nearest one first */
} DryMonitor;

/* Where it became dry, seen from monitor @id, which had nothing for @idle: its
 * own points and the monitors upstream of it are looked at. Something that had
 * nothing for at least half as long counts as dry as well. @monitors holds
 * @id and all monitors upstream of it, in any order; loops and missing links
 * do no harm. */
DryStage dry_stage_upstream (
    const DryMonitor *monitors, unsigned n, uint64_t id, uint64_t idle);

/* What keeps data from going on, seen from a monitor that delivers or is
 * blocked. @downstream: the monitors after it, the nearest one first;
 * @mux_follows: whether a mux stands between the last of them and the sink. */
DryStage dry_stage_downstream (const DryMonitor *downstream, unsigned n,
    uint64_t idle, bool blocked, bool mux_follows);

#endif
