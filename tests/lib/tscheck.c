/* gst-tsrec: a strict checker of MPEG transport streams: the packet layer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tscheckpriv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const rule_names[TS_CHECK_N_RULES] = { "size", "sync",
  "transport-error", "scrambled", "continuity", "adaptation", "pat-interval",
  "pmt-interval", "sdt-interval", "psi-section", "psi-crc", "psi-version",
  "psi-content", "pid-unreferenced", "pes-header", "pes-length",
  "pes-truncated", "pts-order", "dts-order", "pts-interval", "pcr-pid",
  "pcr-order", "pcr-interval", "pcr-jump", "pcr-late", "delay", "rap-indicator",
  "rap-psi", "au-delimiter", "au-parameters" };

const char *
ts_check_rule_get_name (TsCheckRule rule)
{
  return (unsigned)rule < TS_CHECK_N_RULES ? rule_names[rule] : "?";
}

void
ts_check_error (
    TsCheck *check, TsCheckRule rule, uint16_t pid, const char *format, ...)
{
  bool warning = TS_CHECK_WARNINGS & TS_CHECK_IGNORE (rule);
  char text[200], where[32] = "";
  va_list args;
  size_t left = REPORT_SIZE - check->report_size;
  int n;

  if (check->options.ignored_rules & TS_CHECK_IGNORE (rule))
    return;
  check->stats.errors += !warning;
  check->stats.warnings += warning;
  check->stats.rule_errors[rule]++;
  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  if (check->error_func)
    check->error_func (check->user_data, rule, check->packet, pid, text);
  if (pid != 0xffff)
    snprintf (where, sizeof where, " PID 0x%04x", pid);
  n = snprintf (check->report + check->report_size, left,
      "packet %llu%s: %s%s: %s\n", (unsigned long long)check->packet, where,
      warning ? "warning: " : "", rule_names[rule], text);
  /* A line that does not fit is not begun. */
  if (n > 0 && (size_t)n < left)
    check->report_size += n;
  else
    check->report[check->report_size] = '\0';
}

TsCheck *
ts_check_new (const TsCheckOptions *options, TsCheckPesFunc pes_func,
    TsCheckErrorFunc error_func, void *user_data)
{
  TsCheck *check = calloc (1, sizeof *check);

  if (!check)
    return NULL;
  check->options = options ? *options : (TsCheckOptions)TS_CHECK_STRICT;
  check->pes_func = pes_func;
  check->error_func = error_func;
  check->user_data = user_data;
  check->pmt_pid = check->pcr_pid = 0xffff;
  check->highest_dts = TS_CHECK_NONE;
  check->stats.first_pcr = check->stats.last_pcr = TS_CHECK_NONE;
  check->stats.pat_version = check->stats.pmt_version = -1;
  check->stats.sdt_version = -1;
  for (unsigned i = 0; i < N_TABLES; i++) {
    check->tables[i].time = check->tables[i].arrival = TS_CHECK_NONE;
    check->tables[i].version = -1;
  }
  return check;
}

void
ts_check_free (TsCheck *check)
{
  if (!check)
    return;
  while (check->first) {
    Pid *pid = check->first;

    check->first = pid->next;
    free (pid->pes);
    free (pid);
  }
  for (unsigned i = 0; i < N_PIDS / PIDS_A_PAGE; i++)
    free (check->pages[i]);
  free (check);
}

Pid *
ts_check_get_pid (TsCheck *check, uint16_t number)
{
  Pid ***page = &check->pages[number / PIDS_A_PAGE], *pid;

  if (!*page)
    *page = calloc (PIDS_A_PAGE, sizeof **page);
  if (!*page)
    return NULL;
  pid = (*page)[number % PIDS_A_PAGE];
  if (pid)
    return pid;
  pid = calloc (1, sizeof *pid);
  if (!pid)
    return NULL;
  pid->next = check->first;
  check->first = pid;
  pid->stream.pid = number;
  pid->stream.first_pts = pid->stream.last_pts = TS_CHECK_NONE;
  pid->stream.first_dts = pid->stream.last_dts = TS_CHECK_NONE;
  pid->last_dts = pid->last_pts_pcr = pid->last_stamp = TS_CHECK_NONE;
  if (number == 0 || number == SDT_PID)
    pid->use = PID_PSI;
  (*page)[number % PIDS_A_PAGE] = pid;
  return pid;
}

/* 2.4.3.4 adaptation_field: @reader is at adaptation_field_length. */
static void
read_adaptation (TsCheck *check, Packet *packet, Reader *reader, bool payload)
{
  unsigned length = (unsigned)reader_get (reader, 8);
  Reader field = reader_sub (reader, length);
  unsigned flags;

  if (field.overrun || (!payload && length != 183) ||
      (payload && length > 182)) {
    ts_check_error (check, TS_CHECK_ADAPTATION, packet->pid,
        "adaptation_field_length %u with%s payload", length,
        payload ? "" : "out");
    return;
  }
  if (length == 0) {
    check->stats.stuffing_bytes++;
    return;
  }
  packet->discontinuity = reader_get (&field, 1);
  packet->random_access = reader_get (&field, 1);
  reader_get (&field, 1);
  flags = (unsigned)reader_get (&field, 5);
  if (flags & 0x10) {
    unsigned extension;

    packet->has_pcr = true;
    packet->pcr = reader_get (&field, 33) * 300;
    if (reader_get (&field, 6) != 0x3f)
      ts_check_error (check, TS_CHECK_ADAPTATION, packet->pid,
          "reserved bits of the PCR are not set");
    extension = (unsigned)reader_get (&field, 9);
    packet->pcr += extension;
    if (extension > 299)
      ts_check_error (check, TS_CHECK_ADAPTATION, packet->pid,
          "program_clock_reference_extension is %u", extension);
  }
  if (flags & 0x08)
    reader_get (&field, 48);
  if (flags & 0x04)
    reader_get (&field, 8);
  if (flags & 0x02)
    reader_sub (&field, reader_get (&field, 8));
  if (flags & 0x01)
    reader_sub (&field, reader_get (&field, 8));
  if (field.overrun) {
    packet->has_pcr = false;
    ts_check_error (check, TS_CHECK_ADAPTATION, packet->pid,
        "flags 0x%02x ask for more than the %u bytes there are", flags, length);
    return;
  }
  check->stats.stuffing_bytes += reader_left (&field);
  while (reader_left (&field))
    if (reader_get (&field, 8) != 0xff) {
      ts_check_error (check, TS_CHECK_ADAPTATION, packet->pid,
          "a stuffing byte is not 0xff");
      return;
    }
}

/* 2.4.3.3: the same packet sent twice differs in its PCR at most. */
static bool
is_duplicate (const uint8_t *one, const uint8_t *two)
{
  if (memcmp (one, two, 4))
    return false;
  if ((one[3] & 0x20) && one[4] > 6 && (one[5] & 0x10))
    return one[4] == two[4] && one[5] == two[5] &&
        !memcmp (one + 12, two + 12, PACKET_SIZE - 12);
  return !memcmp (one + 4, two + 4, PACKET_SIZE - 4);
}

/* Returns false when the payload has to be ignored: a duplicate. */
static bool
check_continuity (
    TsCheck *check, Pid *pid, const Packet *packet, const uint8_t *data)
{
  uint8_t counter = data[3] & 0x0f, expected;
  bool known = pid->seen, duplicate = false;

  expected = packet->payload ? (pid->counter + 1) & 0x0f : pid->counter;
  if (known && packet->payload && !packet->discontinuity &&
      counter == pid->counter && is_duplicate (data, pid->last)) {
    duplicate = true;
    check->stats.duplicates++;
    if (pid->duplicate)
      ts_check_error (check, TS_CHECK_CONTINUITY, packet->pid,
          "a packet is repeated more than once");
  } else if (known && counter != expected && !packet->discontinuity) {
    ts_check_error (check, TS_CHECK_CONTINUITY, packet->pid,
        "continuity_counter %u, expected %u", counter, expected);
    ts_check_pes_drop (pid);
    pid->in_section = false;
  }
  pid->seen = true;
  pid->duplicate = duplicate;
  pid->counter = counter;
  memcpy (pid->last, data, PACKET_SIZE);
  return !duplicate;
}

/* The first PCR may follow the first timestamps: on the same timeline. */
static int64_t
first_pcr (const TsCheck *check, int64_t pcr, int64_t period)
{
  int64_t ahead;

  if (check->highest_dts == TS_CHECK_NONE)
    return pcr;
  ahead = check->highest_dts * 300 - pcr;
  if (ahead > period / 2)
    return pcr + period;
  return ahead < -period / 2 ? pcr - period : pcr;
}

/* A PCR inside a PES packet has the time of that one; any other that of the
 * PES packet that comes next. */
static void
place_pcr (TsCheck *check, const Packet *packet)
{
  Pid *pid = ts_check_get_pid (check, packet->pid);

  check->pcr_fresh = !(pid && pid->in_pes && packet->payload &&
      !packet->unit_start && check->highest_dts != TS_CHECK_NONE);
  if (check->pcr_fresh)
    return;
  check->pcr_dts = check->highest_dts;
  pid->pcr_missing = 0;
  for (unsigned i = 0; i < N_TABLES; i++)
    if (check->tables[i].recent)
      check->tables[i].time = check->pcr;
}

/* 2.4.2.2: what stands between two PCRs arrives at a constant rate: tables that
 * are complete since the last one were so at these times. */
static void
place_tables (TsCheck *check, int64_t pcr, bool discontinuity)
{
  uint64_t packets = check->packet - check->pcr_packet;

  for (unsigned i = 0; i < N_TABLES; i++) {
    Table *table = &check->tables[i];

    for (unsigned n = 0; n < table->n_unplaced; n++) {
      int64_t time = pcr;

      if (check->have_pcr && packets > 0)
        time = check->pcr +
            (pcr - check->pcr) *
                (int64_t)(table->unplaced[n] - check->pcr_packet) /
                (int64_t)packets;
      if (!discontinuity)
        ts_check_table_arrival (check, i, time);
    }
    table->n_unplaced = 0;
    if (discontinuity)
      table->arrival = TS_CHECK_NONE;
  }
}

static void
check_pcr_step (TsCheck *check, const Packet *packet, int64_t delta)
{
  if (packet->discontinuity) {
    check->epoch++;
    if (delta < -27000000 || delta > 27000000)
      check->highest_dts = TS_CHECK_NONE;
    return;
  }
  if (delta < 0)
    ts_check_error (check, TS_CHECK_PCR_ORDER, packet->pid,
        "PCR goes back by %.3f ms", -delta / 27000.0);
  else if (delta > check->stats.max_pcr_gap)
    check->stats.max_pcr_gap = delta;
  if (delta > 100 * 27000)
    ts_check_error (check, TS_CHECK_PCR_JUMP, packet->pid,
        "PCR goes on by %.3f ms", delta / 27000.0);
}

static void
handle_pcr (TsCheck *check, const Packet *packet)
{
  const int64_t period = (INT64_C (1) << 33) * 300;
  int64_t delta = 0;

  if (check->pcr_pid != 0xffff && packet->pid != check->pcr_pid) {
    ts_check_error (check, TS_CHECK_PCR_PID, packet->pid,
        "a PCR, and the PMT names PID 0x%04x", check->pcr_pid);
    return;
  }
  check->stats.pcrs++;
  if (check->have_pcr) {
    delta = ((int64_t)packet->pcr - check->pcr) % period;
    if (delta < -period / 2)
      delta += period;
    else if (delta >= period / 2)
      delta -= period;
    check_pcr_step (check, packet, delta);
    place_tables (
        check, check->pcr + delta, packet->discontinuity || delta < 0);
    check->pcr += delta;
  } else {
    check->pcr = first_pcr (check, (int64_t)packet->pcr, period);
    check->stats.first_pcr = check->pcr;
    place_tables (check, check->pcr, packet->discontinuity);
  }
  check->pcr_packet = check->packet;
  check->have_pcr = check->pcr_since_pes = true;
  place_pcr (check, packet);
  check->stats.last_pcr = check->pcr;
  for (unsigned i = 0; i < N_TABLES; i++)
    if (packet->discontinuity && check->tables[i].size)
      check->tables[i].time = check->pcr;
}

static void
dispatch (TsCheck *check, Pid *pid, const Packet *packet)
{
  switch (pid->use) {
    case PID_PSI:
      check->stats.psi_packets++;
      ts_check_psi_packet (check, pid, packet);
      break;
    case PID_PES:
      ts_check_pes_packet (check, pid, packet);
      break;
    case PID_UNKNOWN:
      /* 0x01 to 0x1f belong to PSI and SI that need not be in the PAT. */
      if (packet->pid >= 0x20 && packet->pid != check->pcr_pid &&
          !pid->said_unreferenced) {
        pid->said_unreferenced = true;
        ts_check_error (check, TS_CHECK_PID_UNREFERENCED, packet->pid,
            "no table names this PID (said once)");
      }
      break;
  }
}

static void
handle_packet (TsCheck *check, const uint8_t *data)
{
  Reader reader = { data, PACKET_SIZE, 0, false };
  Packet packet = { 0 };
  unsigned scrambling, control;
  Pid *pid;

  check->stats.packets++;
  if (reader_get (&reader, 8) != 0x47) {
    ts_check_error (
        check, TS_CHECK_SYNC, 0xffff, "sync_byte is 0x%02x", data[0]);
    return;
  }
  if (reader_get (&reader, 1))
    ts_check_error (check, TS_CHECK_TRANSPORT_ERROR, 0xffff,
        "transport_error_indicator is set");
  packet.unit_start = reader_get (&reader, 1);
  reader_get (&reader, 1);
  packet.pid = (uint16_t)reader_get (&reader, 13);
  scrambling = (unsigned)reader_get (&reader, 2);
  control = (unsigned)reader_get (&reader, 2);
  reader_get (&reader, 4);
  if (packet.pid == NULL_PID) {
    check->stats.null_packets++;
    return;
  }
  if (scrambling)
    ts_check_error (check, TS_CHECK_SCRAMBLED, packet.pid,
        "transport_scrambling_control is %u", scrambling);
  if (control == 0) {
    ts_check_error (check, TS_CHECK_ADAPTATION, packet.pid,
        "adaptation_field_control is 0");
    return;
  }
  if (control & 2)
    read_adaptation (check, &packet, &reader, control & 1);
  if (control & 1) {
    packet.payload_size = reader_left (&reader);
    packet.payload = data + PACKET_SIZE - packet.payload_size;
  } else if (packet.unit_start) {
    ts_check_error (check, TS_CHECK_ADAPTATION, packet.pid,
        "payload_unit_start_indicator without payload");
  }
  pid = ts_check_get_pid (check, packet.pid);
  if (!pid)
    return;
  pid->stream.packets++;
  if (packet.discontinuity)
    check->stats.discontinuities++;
  if (packet.discontinuity && !packet.unit_start) {
    ts_check_pes_drop (pid);
    pid->in_section = false;
  }
  if (packet.has_pcr && !packet.payload)
    check->stats.pcr_only_packets++;
  if (packet.has_pcr)
    handle_pcr (check, &packet);
  if (check_continuity (check, pid, &packet, data) && packet.payload)
    dispatch (check, pid, &packet);
}

void
ts_check_push (TsCheck *check, const uint8_t *data, size_t size)
{
  while (size) {
    size_t n = PACKET_SIZE - check->partial_size;

    if (check->partial_size == 0 && size >= PACKET_SIZE) {
      handle_packet (check, data);
      check->packet++;
      data += PACKET_SIZE;
      size -= PACKET_SIZE;
      continue;
    }
    if (n > size)
      n = size;
    memcpy (check->partial + check->partial_size, data, n);
    check->partial_size += n;
    data += n;
    size -= n;
    if (check->partial_size == PACKET_SIZE) {
      check->partial_size = 0;
      handle_packet (check, check->partial);
      check->packet++;
    }
  }
}

uint64_t
ts_check_finish (TsCheck *check)
{
  if (check->partial_size)
    ts_check_error (check, TS_CHECK_SIZE, 0xffff,
        "the stream ends after %zu bytes of a packet", check->partial_size);
  for (Pid *pid = check->first; pid; pid = pid->next)
    if (pid->use == PID_PES)
      ts_check_pes_finish (check, pid, true);
  if (check->stats.packets && check->tables[TABLE_PAT].size == 0)
    ts_check_error (check, TS_CHECK_PAT_INTERVAL, 0, "no PAT at all");
  if (check->stats.packets && check->tables[TABLE_PMT].size == 0)
    ts_check_error (check, TS_CHECK_PMT_INTERVAL, 0xffff, "no PMT at all");
  if (check->stats.packets && check->options.sdt_interval_ms &&
      check->tables[TABLE_SDT].size == 0)
    ts_check_error (check, TS_CHECK_SDT_INTERVAL, SDT_PID, "no SDT at all");
  return check->stats.errors;
}

const TsCheckStats *
ts_check_get_stats (const TsCheck *check)
{
  return &check->stats;
}

const TsCheckStream *
ts_check_get_stream (const TsCheck *check, unsigned index)
{
  uint16_t number;

  if (index >= check->n_streams)
    return NULL;
  number = check->order[index];
  return &check->pages[number / PIDS_A_PAGE][number % PIDS_A_PAGE]->stream;
}

const char *
ts_check_get_report (const TsCheck *check)
{
  return check->report;
}

int64_t
ts_check_file (const char *path, const TsCheckOptions *options, char **report)
{
  uint8_t *buffer = malloc (188 * 1024);
  TsCheck *check = ts_check_new (options, NULL, NULL, NULL);
  FILE *file = fopen (path, "rb");
  int64_t errors = -1;
  size_t n;

  if (buffer && check && file) {
    while ((n = fread (buffer, 1, 188 * 1024, file)) > 0)
      ts_check_push (check, buffer, n);
    if (!ferror (file)) {
      errors = (int64_t)ts_check_finish (check);
      if (report)
        *report = strdup (check->report);
    }
  }
  if (file) {
    int saved = errno;
    fclose (file);
    errno = saved;
  }
  free (buffer);
  ts_check_free (check);
  return errors;
}
