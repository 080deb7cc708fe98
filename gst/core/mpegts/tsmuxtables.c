/* gst-tsrec: when PAT, PMT and SDT are written
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * TR 101 290 1.3 and 1.5 measure the interval of PAT and PMT by their arrival,
 * which the surrounding PCRs determine (ISO/IEC 13818-1 2.4.2.2). A table
 * arrives between the PCR before it and the PCR after it. The interval that is
 * kept is therefore that from the PCR before a table to the PCR after the next
 * table. If access units are further apart than that, tables are written
 * between the PCRs of one access unit.
 */

#include "tsmux-private.h"

bool
ts_mux_is_table_due (
    const TsMux *mux, const TsTable *table, int64_t interval_ns, int64_t now)
{
  int64_t interval = ts_time_to_90k (interval_ns);
  int64_t passed;

  if (table->last_now == TS_TIME_NONE ||
      now + mux->au_distance - table->last_now >= interval)
    return true;
  if (table->last_pcr == TS_TIME_NONE)
    return false;
  passed = now + mux->au_distance - mux->last_pcr_dts;
  if (ts_mux_is_catching_up (mux, now))
    passed *= TS_PCR_CATCH_UP;
  return mux->last_pcr + passed + mux->pcr_interval - table->last_pcr >=
      interval;
}

/* Returns true if a table, last written after PCR @last, is due after PCR
 * @before, one of several PCRs of an access unit. @next: the PCR after
 * @before. @end: the last PCR. A table is written at the latest possible
 * place, or where it covers the remaining PCRs. */
static bool
is_due_between (const TsMux *mux, int64_t interval_ns, int64_t last,
    int64_t before, int64_t next, int64_t end)
{
  int64_t interval = ts_time_to_90k (interval_ns);

  end += mux->pcr_interval;
  if (last == TS_TIME_NONE || end - last <= interval)
    return false;
  return next + mux->pcr_interval - last > interval || end - before <= interval;
}

unsigned
ts_mux_count_between (
    const TsMux *mux, const TsTable *table, int64_t interval_ns, bool now)
{
  const TsPlan *plan = &mux->plan;
  int64_t last = now ? mux->last_pcr : table->last_pcr;
  int64_t before = mux->last_pcr;
  unsigned count = 0;

  if (before == TS_TIME_NONE || last == TS_TIME_NONE)
    return 0;
  for (unsigned n = plan->n_pcrs; n > 1; n--) {
    int64_t next = before + (plan->pcr - before) / n;

    if (is_due_between (mux, interval_ns, last, before, next, plan->pcr)) {
      last = before;
      count++;
    }
    before = next;
  }
  return count;
}

static void
write_table (TsWriter *w, TsTable *table)
{
  ts_write_table (w, table);
  table->last_now = ts_mux_to_ts (w->mux, w->mux->timeline.now);
  table->last_pcr = w->mux->last_pcr;
}

/* Returns true if a table is due between the PCRs of the plan. */
static bool
needs_table (const TsMux *mux, const TsTable *table, int64_t interval_ns)
{
  return mux->plan.n_pcrs > 1 && mux->last_pcr != TS_TIME_NONE &&
      table->last_pcr != TS_TIME_NONE &&
      mux->plan.pcr + mux->pcr_interval - table->last_pcr >
      ts_time_to_90k (interval_ns);
}

bool
ts_write_tables_between (TsWriter *w, const TsPlan *plan)
{
  TsMux *mux = w->mux;
  int64_t psi = mux->config.psi_interval, si = mux->config.si_interval;
  int64_t next = ts_mux_get_next_pcr (mux);

  if (needs_table (mux, &mux->pat, psi) &&
      is_due_between (
          mux, psi, mux->pat.last_pcr, mux->last_pcr, next, plan->pcr)) {
    write_table (w, &mux->pat);
    write_table (w, &mux->pmt);
  }
  if (needs_table (mux, &mux->sdt, si) &&
      is_due_between (
          mux, si, mux->sdt.last_pcr, mux->last_pcr, next, plan->pcr))
    write_table (w, &mux->sdt);
  return needs_table (mux, &mux->pat, psi) || needs_table (mux, &mux->sdt, si);
}

void
ts_write_psi (TsWriter *w, const TsPlan *plan)
{
  TsMux *mux = w->mux;

  if (plan->psi) {
    write_table (w, &mux->pat);
    write_table (w, &mux->pmt);
    mux->pcr_pid = mux->pcr_track ? mux->pcr_track->pid : 0;
    mux->psi_changed = false;
  }
  if (plan->sdt)
    write_table (w, &mux->sdt);
}
