/* gst-tsrec: keeps pictures that a loss has broken out of the recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtclossgate.h"

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
  /* The end of the last access unit is not known to be there. */
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
    /* The end of the last access unit may be missing, or the middle of it. */
    if (!first && !gate->last_marker)
      unit->damaged = TRUE;
  }
  if (empty)
    return;
  if (first || rtp_time != unit->rtp_time || gate->last_marker)
    begin_unit (gate, rtp_time, pts);
  gate->last_marker = marker;
}

/* The one whose packets had @pts; depayloaders keep the time of the first
 * packet, the last, or something between. */
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

RtcLossGateVerdict
rtc_loss_gate_unit (RtcLossGate *gate, GstClockTime pts, gboolean key,
    guint64 *held_back, GstClockTime *closed_at)
{
  const RtcLossGateUnit *unit = find_unit (gate, pts);

  if (unit->damaged)
    rtc_loss_gate_close (gate);
  if (!gate->closed)
    return RTC_LOSS_GATE_PASS;
  if (key && !unit->damaged) {
    gate->closed = FALSE;
    *held_back = gate->held_back;
    *closed_at = gate->closed_at;
    return RTC_LOSS_GATE_OPEN;
  }
  if (gate->held_back++ == 0)
    gate->closed_at = pts;
  return RTC_LOSS_GATE_DROP;
}

/* Behind the next start code (ITU-T H.264 B.1, H.265 B.1); NULL at the end. */
static const guint8 *
next_nal_unit (const guint8 *data, const guint8 *end)
{
  for (; data + 3 < end; data++) {
    if (data[0] == 0 && data[1] == 0 && data[2] == 1)
      return data + 3;
  }
  return NULL;
}

/* The first slice decides: a depayloader takes parameter sets in front of an
 * ordinary picture for a key frame, when the key frame itself was lost. */
static gboolean
h264_is_key (const guint8 *data, const guint8 *end)
{
  const guint8 *nal = data;
  gboolean recovery_point = FALSE;

  while ((nal = next_nal_unit (nal, end)) && end - nal >= 2) {
    guint type = nal[0] & 0x1f;

    if (type == 6 && nal[1] == 6)
      recovery_point = TRUE; /* D.1.8 */
    /* first_mb_in_slice, ue(v), is 0 (7.3.3) */
    if (type >= 1 && type <= 5)
      return (type == 5 || recovery_point) && (nal[1] & 0x80);
  }
  return FALSE;
}

static gboolean
h265_is_key (const guint8 *data, const guint8 *end)
{
  const guint8 *nal = data;

  while ((nal = next_nal_unit (nal, end)) && end - nal >= 3) {
    guint type = (nal[0] >> 1) & 0x3f;

    /* IRAP (7.4.2.2) and first_slice_segment_in_pic_flag (7.3.6.1) */
    if (type < 32)
      return type >= 16 && type <= 23 && (nal[2] & 0x80);
  }
  return FALSE;
}

gboolean
rtc_loss_gate_is_key (const gchar *codec, const guint8 *data, gsize size)
{
  if (g_str_equal (codec, "H264"))
    return h264_is_key (data, data + size);
  if (g_str_equal (codec, "H265"))
    return h265_is_key (data, data + size);
  return TRUE;
}

gboolean
rtc_loss_gate_has_picture (const gchar *codec, const guint8 *data, gsize size)
{
  gboolean h264 = g_str_equal (codec, "H264");
  const guint8 *nal = data, *end = data + size;

  if (!h264 && !g_str_equal (codec, "H265"))
    return TRUE;
  while ((nal = next_nal_unit (nal, end))) {
    guint type = h264 ? nal[0] & 0x1f : (nal[0] >> 1) & 0x3f;

    /* Tables 7-1 of both: slices and partitions of one; VCL NAL units */
    if (h264 ? type >= 1 && type <= 5 : type < 32)
      return TRUE;
  }
  return FALSE;
}
