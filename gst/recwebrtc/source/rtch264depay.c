/* gst-tsrec: access units of H.264 from RTP packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtch264depay.h"
#include "rtcnal.h"

#include <string.h>

/* Values of nal_unit_type (H.264 table 7-1). */
#define SLICE 1
#define PARTITION_A 2
#define IDR 5
#define SEI 6
#define SPS 7
#define PPS 8
#define DELIMITER 9

#define START_CODE_SIZE 4
#define INITIAL_CAPACITY 16384
/* Of a rare key frame, more is not kept. */
#define MAX_KEPT (1024 * 1024)

void
rtc_h264_depay_init (
    RtcH264Depay *self, RtcH264DepayFunc func, gpointer user_data)
{
  memset (self, 0, sizeof (*self));
  self->func = func;
  self->user_data = user_data;
  rtc_h264_depay_reset (self);
}

void
rtc_h264_depay_clear (RtcH264Depay *self)
{
  g_clear_pointer (&self->data, g_free);
  self->capacity = 0;
}

void
rtc_h264_depay_reset (RtcH264Depay *self)
{
  self->size = self->fragment = 0;
  self->in_fragment = FALSE;
  self->wait_start = TRUE;
  self->has_picture = self->has_key = FALSE;
  self->last_pts = self->fragment_pts = GST_CLOCK_TIME_NONE;
}

static void
drop_fragment (RtcH264Depay *self)
{
  if (self->in_fragment)
    self->size = self->fragment;
  self->in_fragment = FALSE;
}

void
rtc_h264_depay_note_loss (RtcH264Depay *self)
{
  drop_fragment (self);
  self->wait_start = TRUE;
}

/* --- bytes --- */

/* FALSE: it would be too large. */
static gboolean
reserve (RtcH264Depay *self, gsize size)
{
  gsize needed = self->size + size, capacity = self->capacity;

  if (needed > RTC_H264_DEPAY_MAX_SIZE)
    return FALSE;
  if (needed <= capacity)
    return TRUE;
  capacity = MAX (capacity, INITIAL_CAPACITY);
  while (capacity < needed)
    capacity *= 2;
  self->data = g_realloc (self->data, capacity);
  self->capacity = capacity;
  return TRUE;
}

static void
append (RtcH264Depay *self, const guint8 *data, gsize size)
{
  memcpy (self->data + self->size, data, size);
  self->size += size;
}

static void
append_start_code (RtcH264Depay *self)
{
  static const guint8 start_code[START_CODE_SIZE] = { 0, 0, 0, 1 };

  append (self, start_code, START_CODE_SIZE);
}

/* --- access units --- */

/* Gives out the first @size bytes. */
static void
complete_unit (RtcH264Depay *self, gsize size, gboolean marker)
{
  RtcH264Unit unit = { self->data, size, self->last_pts, self->has_key,
    marker };

  self->has_picture = self->has_key = FALSE;
  self->func (&unit, self->user_data);
  self->size -= size;
  memmove (self->data, self->data + size, self->size);
  if (self->size == 0 && self->capacity > MAX_KEPT)
    rtc_h264_depay_clear (self);
}

/* Whether a NAL unit of @type begins another picture when there is one: H.264
 * 7.4.1.2.3, and a slice with first_mb_in_slice 0. */
static gboolean
begins_picture (guint type, const guint8 *unit, gsize size)
{
  switch (type) {
    case SLICE:
    case PARTITION_A:
    case IDR:
      return size > 1 && (unit[1] & 0x80);
    case SEI:
    case SPS:
    case PPS:
    case DELIMITER:
      return TRUE;
    default:
      return FALSE;
  }
}

/* The NAL unit from @at to the end, behind its start code, is whole. */
static void
take_unit (RtcH264Depay *self, gsize at, GstClockTime pts, gboolean marker)
{
  const guint8 *unit = self->data + at + START_CODE_SIZE;
  gsize size = self->size - at;
  guint type;

  if (size <= START_CODE_SIZE) {
    self->size = at;
    return;
  }
  size -= START_CODE_SIZE;
  type = rec_nal_get_type (REC_NAL_H264, unit);
  if (!marker && self->has_picture && begins_picture (type, unit, size))
    complete_unit (self, at, FALSE);
  self->last_pts = pts;
  self->has_key |= type == IDR || type == SPS || type == PPS;
  self->has_picture |= type == SLICE || type == PARTITION_A || type == IDR;
  if (marker)
    complete_unit (self, self->size, TRUE);
}

/* --- packets --- */

static gboolean
add_unit (RtcH264Depay *self, const guint8 *data, gsize size, GstClockTime pts,
    gboolean marker)
{
  gsize at = self->size;

  if (!reserve (self, START_CODE_SIZE + size))
    return FALSE;
  append_start_code (self);
  append (self, data, size);
  take_unit (self, at, pts, marker);
  return TRUE;
}

/* RFC 6184 section 5.7.1. */
static gboolean
add_aggregate (RtcH264Depay *self, const guint8 *payload, gsize size,
    GstClockTime pts, gboolean marker)
{
  gsize at = 1;

  while (size - at > 2) {
    gsize unit = (gsize)payload[at] << 8 | payload[at + 1];
    gboolean last;

    at += 2;
    unit = MIN (unit, size - at);
    last = size - at - unit <= 2;
    if (!add_unit (self, payload + at, unit, pts, marker && last))
      return FALSE;
    at += unit;
  }
  return TRUE;
}

static void
finish_fragment (RtcH264Depay *self)
{
  self->in_fragment = FALSE;
  take_unit (self, self->fragment, self->fragment_pts, self->fragment_marker);
}

/* RFC 6184 section 5.8. A sender may forget the end bit: what there is then
 * counts as whole, as no packet is missing. */
static gboolean
add_fragment (RtcH264Depay *self, const guint8 *payload, gsize size,
    guint16 seq, gboolean marker, GstClockTime pts)
{
  gboolean start = payload[1] & RTC_FU_START, end = payload[1] & 0x40;
  guint8 header = (payload[0] & 0xe0) | (payload[1] & 0x1f);

  if (start) {
    if (self->in_fragment)
      finish_fragment (self);
    if (!reserve (self, START_CODE_SIZE + size))
      return FALSE;
    self->in_fragment = TRUE;
    self->wait_start = FALSE;
    self->fragment = self->size;
    self->fragment_pts = pts;
    append_start_code (self);
    append (self, &header, 1);
  } else if (self->wait_start || !self->in_fragment) {
    return TRUE;
  } else if (seq != (guint16)(self->fragment_seq + 1)) {
    drop_fragment (self);
    return TRUE;
  } else if (!reserve (self, size)) {
    return FALSE;
  }
  append (self, payload + 2, size - 2);
  self->fragment_seq = seq;
  self->fragment_marker = marker;
  if (end)
    finish_fragment (self);
  return TRUE;
}

gboolean
rtc_h264_depay_packet (RtcH264Depay *self, const guint8 *payload, gsize size,
    guint16 seq, gboolean marker, GstClockTime pts)
{
  guint type = rec_nal_get_type (REC_NAL_H264, payload);
  gboolean ok;

  if (type == RTC_H264_FU_A) {
    ok = size < 2 || add_fragment (self, payload, size, seq, marker, pts);
  } else {
    if (self->in_fragment)
      finish_fragment (self);
    self->wait_start = FALSE;
    ok = type == RTC_H264_STAP_A
        ? add_aggregate (self, payload, size, pts, marker)
        : add_unit (self, payload, size, pts, marker);
  }
  if (!ok)
    rtc_h264_depay_reset (self);
  return ok;
}

void
rtc_h264_depay_drain (RtcH264Depay *self)
{
  drop_fragment (self);
  if (self->has_picture)
    complete_unit (self, self->size, FALSE);
}
