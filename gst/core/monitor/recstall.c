/* gst-tsrec: which stage of a recording is the first that delivers nothing
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recstall.h"

const char *
dry_stage_name (DryStage stage)
{
  static const char *const names[] = { "network", "depayloader", "decoder",
    "encoder", "mux", "disk" };

  return names[stage];
}

/* @idle of something that stopped together with what has been dry for @ref. */
static bool
is_dry (uint64_t idle, uint64_t ref)
{
  return idle > 0 && idle >= ref / 2;
}

static const DryMonitor *
find_monitor (const DryMonitor *monitors, unsigned n, uint64_t id)
{
  for (unsigned i = 0; i < n; i++)
    if (monitors[i].id == id)
      return &monitors[i];
  return 0;
}

/* The nearest element of the monitor's own stretch that gets something and
 * therefore is the one that gives nothing. */
static bool
find_wet_point (const DryMonitor *m, uint64_t idle, DryStage *stage)
{
  for (unsigned i = 0; i < m->n_points; i++)
    if (!is_dry (m->points[i].idle, idle)) {
      *stage = m->points[i].kind;
      return true;
    }
  return false;
}

/* What stands between a monitor that delivers and @m, which gets nothing. */
static DryStage
first_stage_before (const DryMonitor *m, bool from_rtp)
{
  if (m->n_points > 0)
    return m->points[m->n_points - 1].kind;
  return from_rtp ? DRY_DEPAYLOADER : DRY_ENCODER;
}

static DryStage
look_upstream (const DryMonitor *monitors, unsigned n, uint64_t id,
    uint64_t idle, unsigned depth)
{
  const DryMonitor *m = find_monitor (monitors, n, id);
  DryStage stage, first = DRY_DISK;
  bool any = false;

  if (!m || depth == 0)
    return DRY_NETWORK;
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
  return any ? first : DRY_NETWORK;
}

DryStage
dry_stage_upstream (
    const DryMonitor *monitors, unsigned n, uint64_t id, uint64_t idle)
{
  return look_upstream (monitors, n, id, idle, n);
}

DryStage
dry_stage_downstream (const DryMonitor *downstream, unsigned n, uint64_t idle,
    bool blocked, bool mux_follows)
{
  DryStage stage;

  for (unsigned i = 0; i < n; i++) {
    const DryMonitor *m = &downstream[i];

    /* One that is blocked itself passes the question on. */
    if (m->blocked || !is_dry (m->idle, idle))
      continue;
    return find_wet_point (m, idle, &stage) ? stage
                                            : first_stage_before (m, false);
  }
  return mux_follows && !blocked ? DRY_MUX : DRY_DISK;
}
