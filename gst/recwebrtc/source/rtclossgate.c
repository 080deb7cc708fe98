/* gst-tsrec: keeps pictures damaged by packet loss out of the recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtclossgate.h"
#include "rtcnal.h"

#include <string.h>

void
rtc_loss_gate_init (RtcLossGate *gate)
{
  guint i;

  memset (gate, 0, sizeof (*gate));
  gate->closed = TRUE;
  gate->closed_at = GST_CLOCK_TIME_NONE;
  for (i = 0; i < RTC_LOSS_GATE_UNITS; i++)
    gate->units[i].pts = GST_CLOCK_TIME_NONE;
}

void
rtc_loss_gate_close (RtcLossGate *gate)
{
  if (gate->closed)
    return;
  gate->closed = TRUE;
  gate->held_back = 0;
  gate->closed_at = GST_CLOCK_TIME_NONE;
}

void
rtc_loss_gate_restart (RtcLossGate *gate)
{
  if (!gate->have_packet)
    return;
  rtc_loss_gate_close (gate);
  gate->refreshes_gradually = FALSE;
  /* The end of the last access unit may be missing. */
  if (!gate->last_marker)
    gate->units[gate->newest].damaged = TRUE;
  gate->have_packet = FALSE;
}

static void
begin_unit (RtcLossGate *gate, guint32 rtp_time, GstClockTime pts)
{
  RtcLossGateUnit *unit;

  gate->newest = (gate->newest + 1) % RTC_LOSS_GATE_UNITS;
  unit = &gate->units[gate->newest];
  unit->pts = pts;
  unit->rtp_time = rtp_time;
  unit->damaged = FALSE;
}

void
rtc_loss_gate_packet (RtcLossGate *gate, guint16 seq, guint32 rtp_time,
    gboolean marker, gboolean empty, GstClockTime pts)
{
  RtcLossGateUnit *unit = &gate->units[gate->newest];
  gboolean first = !gate->have_packet;
  gboolean gap = first || seq != (guint16)(gate->last_seq + 1);

  gate->have_packet = TRUE;
  gate->last_seq = seq;
  if (gap) {
    rtc_loss_gate_close (gate);
    /* The end or the middle of the last access unit may be missing. */
    if (!first && !gate->last_marker)
      unit->damaged = TRUE;
  }
  if (empty)
    return;
  if (first || rtp_time != unit->rtp_time || gate->last_marker)
    begin_unit (gate, rtp_time, pts);
  gate->last_marker = marker;
}

/* Returns the unit whose packets had @pts. Depayloaders keep the time of the
 * first packet, of the last one, or of one in between. */
static const RtcLossGateUnit *
find_unit (const RtcLossGate *gate, GstClockTime pts)
{
  const RtcLossGateUnit *best = &gate->units[gate->newest];
  GstClockTimeDiff best_distance = G_MAXINT64;
  guint i;

  if (!GST_CLOCK_TIME_IS_VALID (pts))
    return best;
  for (i = 0; i < RTC_LOSS_GATE_UNITS; i++) {
    const RtcLossGateUnit *unit =
        &gate->units[(gate->newest + RTC_LOSS_GATE_UNITS - i) %
            RTC_LOSS_GATE_UNITS];
    GstClockTimeDiff distance;

    if (!GST_CLOCK_TIME_IS_VALID (unit->pts))
      continue;
    distance = ABS (GST_CLOCK_DIFF (unit->pts, pts));
    if (distance < best_distance) {
      best = unit;
      best_distance = distance;
    }
  }
  return best;
}

/* The rule for gradual recovery: see rtclossgate.h. */
static gboolean
can_open (RtcLossGate *gate, RtcPictureKind kind)
{
  gboolean refreshes_gradually = gate->refreshes_gradually;

  if (kind == RTC_PICTURE_RANDOM_ACCESS)
    gate->refreshes_gradually = FALSE;
  else if (kind == RTC_PICTURE_GRADUAL_RECOVERY)
    gate->refreshes_gradually = TRUE;
  return kind == RTC_PICTURE_RANDOM_ACCESS ||
      (kind == RTC_PICTURE_GRADUAL_RECOVERY && refreshes_gradually);
}

RtcLossGateVerdict
rtc_loss_gate_unit (RtcLossGate *gate, GstClockTime pts, RtcPictureKind kind,
    guint64 *held_back, GstClockTime *closed_at)
{
  const RtcLossGateUnit *unit = find_unit (gate, pts);
  gboolean opens = can_open (gate, kind);

  if (unit->damaged)
    rtc_loss_gate_close (gate);
  if (!gate->closed)
    return RTC_LOSS_GATE_PASS;
  if (opens && !unit->damaged) {
    gate->closed = FALSE;
    *held_back = gate->held_back;
    *closed_at = gate->closed_at;
    return RTC_LOSS_GATE_OPEN;
  }
  if (gate->held_back++ == 0)
    gate->closed_at = pts;
  return RTC_LOSS_GATE_DROP;
}

/* The first slice decides: a depayloader takes parameter sets in front of an
 * ordinary picture for a key frame if the key frame itself was lost. */
static RtcPictureKind
parse_first_slice (RecNalSyntax syntax, const guint8 *data, gsize size)
{
  gboolean random_access = FALSE, gradual = FALSE, layer = FALSE;
  RecNalScanner scanner;
  RecNalUnit nal = { .kind = REC_NAL_OTHER };

  rec_nal_scanner_init (&scanner, syntax, data, size);
  while (rec_nal_scanner_next (&scanner, &nal)) {
    random_access |= rec_nal_is_random_access (syntax, &nal);
    gradual |= rec_nal_is_gradual_recovery (syntax, &nal);
    layer |= nal.kind == REC_NAL_LAYER;
  }
  if (nal.kind < REC_NAL_SLICE)
    return layer ? RTC_PICTURE_DEPENDENT : RTC_PICTURE_NONE;
  if (nal.size <= rec_nal_header_size (syntax) ||
      rec_nal_continues_picture (syntax, &nal))
    return RTC_PICTURE_DEPENDENT;
  return random_access ? RTC_PICTURE_RANDOM_ACCESS
      : gradual        ? RTC_PICTURE_GRADUAL_RECOVERY
                       : RTC_PICTURE_DEPENDENT;
}

RtcPictureKind
rtc_loss_gate_parse_unit (const gchar *codec, const guint8 *data, gsize size)
{
  RecNalSyntax syntax;

  return rtc_nal_get_syntax (codec, &syntax)
      ? parse_first_slice (syntax, data, size)
      : RTC_PICTURE_RANDOM_ACCESS;
}
