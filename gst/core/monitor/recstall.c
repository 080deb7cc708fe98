/* gst-tsrec: which stage of a recording is the first that delivers nothing
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recstall.h"

const char *
rec_stall_stage_name (RecStallStage stage)
{
  static const char *const names[] = { "network", "depayloader", "decoder",
    "encoder", "mux", "disk" };

  return names[stage];
}

/* Returns true if a stage that is idle for @idle has stopped together with one
 * that is idle for @ref. */
static bool
is_dry (uint64_t idle, uint64_t ref)
{
  return idle > 0 && idle >= ref / 2;
}

static const RecMonitorReport *
find_monitor (const RecMonitorReport *monitors, unsigned n, uint64_t id)
{
  for (unsigned i = 0; i < n; i++)
    if (monitors[i].id == id)
      return &monitors[i];
  return 0;
}

/* The nearest element of the monitor's own stretch that gets something and
 * therefore is the one that gives nothing. */
static bool
find_wet_point (const RecMonitorReport *m, uint64_t idle, RecStallStage *stage)
{
  for (unsigned i = 0; i < m->n_points; i++)
    if (!is_dry (m->points[i].idle, idle)) {
      *stage = m->points[i].kind;
      return true;
    }
  return false;
}

/* Returns the first stage between a monitor that delivers packets and @m, which
 * receives none. */
static RecStallStage
first_stage_before (const RecMonitorReport *m, bool from_rtp)
{
  if (m->n_points > 0)
    return m->points[m->n_points - 1].kind;
  return from_rtp ? REC_STALL_DEPAYLOADER : REC_STALL_ENCODER;
}

static RecStallStage
look_upstream (const RecMonitorReport *monitors, unsigned n, uint64_t id,
    uint64_t idle, unsigned depth)
{
  const RecMonitorReport *m = find_monitor (monitors, n, id);
  RecStallStage stage, first = REC_STALL_DISK;
  bool any = false;

  if (!m || depth == 0)
    return REC_STALL_NETWORK;
  if (find_wet_point (m, idle, &stage))
    return stage;
  for (unsigned i = 0; i < n; i++)
    if (monitors[i].next == id &&
        (monitors[i].blocked || !is_dry (monitors[i].idle, idle)))
      return first_stage_before (m, monitors[i].rtp);
  for (unsigned i = 0; i < n; i++)
    if (monitors[i].next == id) {
      stage = look_upstream (monitors, n, monitors[i].id, idle, depth - 1);
      if (stage < first)
        first = stage;
      any = true;
    }
  return any ? first : REC_STALL_NETWORK;
}

RecStallStage
rec_stall_find_upstream (
    const RecMonitorReport *monitors, unsigned n, uint64_t id, uint64_t idle)
{
  return look_upstream (monitors, n, id, idle, n);
}

RecStallStage
rec_stall_find_downstream (const RecMonitorReport *downstream, unsigned n,
    uint64_t idle, bool blocked, bool mux_follows)
{
  RecStallStage stage;

  for (unsigned i = 0; i < n; i++) {
    const RecMonitorReport *m = &downstream[i];

    /* One that is blocked itself passes the question on. */
    if (m->blocked || !is_dry (m->idle, idle))
      continue;
    return find_wet_point (m, idle, &stage) ? stage
                                            : first_stage_before (m, false);
  }
  return mux_follows && !blocked ? REC_STALL_MUX : REC_STALL_DISK;
}
