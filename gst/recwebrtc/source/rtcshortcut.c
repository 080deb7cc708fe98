/* gst-tsrec: access units that go around the parser
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcshortcut.h"

#include "rtcnal.h"

/* Values of nal_unit_type (H.264 table 7-1). */
#define H264_SLICE 1
#define H264_DELIMITER 9
#define START_CODE 3
#define KIND_PICTURE 1
#define KIND_DELIMITED 2
#define KIND_OPUS 0x10000u
/* Bits of a slice header that are read; without emulation prevention. */
#define WINDOW 32
/* Zeros in front of first_mb_in_slice; with more of them, two bytes could be
 * zero. */
#define MAX_ZEROS 12

/* H.264 9.1: ue(v) at the top of *@bits, which are shifted. FALSE: too long. */
static gboolean
read_ue (guint64 *bits, guint *value)
{
  guint zeros = 0;

  while (zeros <= MAX_ZEROS && !(*bits >> 63)) {
    *bits <<= 1;
    zeros++;
  }
  if (zeros > MAX_ZEROS)
    return FALSE;
  *value = (guint)(*bits >> (63 - zeros)) - 1;
  *bits <<= zeros + 1;
  return TRUE;
}

/* P or B (H.264 table 7-6). A parser takes a picture with an I slice for a key
 * frame. */
static gboolean
is_inter_slice (const guint8 *unit, gsize size)
{
  guint64 bits = 0;
  guint first_mb, slice_type;

  if (size < 1 + WINDOW / 8 ||
      rec_nal_get_type (REC_NAL_H264, unit) != H264_SLICE)
    return FALSE;
  for (guint i = 1; i <= WINDOW / 8; i++)
    bits = bits << 8 | unit[i];
  bits <<= 64 - WINDOW;
  return read_ue (&bits, &first_mb) && read_ue (&bits, &slice_type) &&
      slice_type % 5 <= 1;
}

/* Returns KIND_PICTURE, KIND_DELIMITED or 0. */
static guint
get_picture_kind (const guint8 *data, gsize size)
{
  gsize at = rec_nal_find_start_code (data, size, 0), next;
  guint kind = 0;

  /* Nothing but a zero in front of it. */
  if (at > 1 || (at == 1 && data[0] != 0))
    return 0;
  for (; at < size; at = next) {
    at += START_CODE;
    next = rec_nal_find_start_code (data, size, at);
    if (kind == 0 && next < size && data[at] == H264_DELIMITER) {
      kind = KIND_DELIMITED;
      continue;
    }
    if (!is_inter_slice (data + at, next - at))
      return 0;
    kind = kind ? kind : KIND_PICTURE;
  }
  return kind;
}

guint
rtc_shortcut_get_kind (const gchar *codec, const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  if (g_str_equal (codec, "H264"))
    return get_picture_kind (data, size);
  if (!g_str_equal (codec, "OPUS"))
    return 0;
  /* Code 3: the number of frames is in the second byte. */
  if ((data[0] & 3) == 3)
    return size < 2 ? 0 : KIND_OPUS | (guint)data[0] << 8 | (data[1] & 0x3f);
  return KIND_OPUS | (guint)data[0] << 8;
}

gboolean
rtc_shortcut_is_open (const RtcShortcut *self, GstBuffer *buffer, guint kind)
{
  return kind != 0 && kind == self->kind && GST_BUFFER_PTS_IS_VALID (buffer) &&
      !GST_BUFFER_IS_DISCONT (buffer);
}

GstBuffer *
rtc_shortcut_apply (const RtcShortcut *self, GstBuffer *buffer)
{
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_FLAG_SET (buffer, self->flags);
  GST_BUFFER_DURATION (buffer) = self->duration;
  if (self->dts_is_pts)
    GST_BUFFER_DTS (buffer) = GST_BUFFER_PTS (buffer);
  return buffer;
}

void
rtc_shortcut_note_input (RtcShortcut *self, GstBuffer *buffer, guint kind)
{
  self->kind = 0;
  self->input_kind = kind;
  self->input_size = gst_buffer_get_size (buffer);
  self->input_pts = GST_BUFFER_PTS (buffer);
  self->input_dts = GST_BUFFER_DTS (buffer);
}

void
rtc_shortcut_note_output (RtcShortcut *self, GstBuffer *buffer)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer), dts = GST_BUFFER_DTS (buffer);

  if (self->input_kind != 0 && GST_CLOCK_TIME_IS_VALID (pts) &&
      pts == self->input_pts && (dts == self->input_dts || dts == pts) &&
      gst_buffer_get_size (buffer) == self->input_size &&
      !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER)) {
    self->kind = self->input_kind;
    self->flags = GST_BUFFER_FLAGS (buffer) & GST_BUFFER_FLAG_DELTA_UNIT;
    self->duration = GST_BUFFER_DURATION (buffer);
    self->dts_is_pts = dts != self->input_dts;
  }
  self->input_kind = 0;
}
