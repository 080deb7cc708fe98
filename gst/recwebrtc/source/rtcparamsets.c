/* gst-tsrec: parameter sets that are repeated between the slices of a picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcparamsets.h"

#include <string.h>

typedef enum
{
  UNIT_OTHER,
  UNIT_SLICE,
  UNIT_PARAMETER_SET,
} UnitKind;

/* Types of packets that are not one whole NAL unit. */
#define H264_STAP_A 24
#define H264_FU_A 28
#define H265_AP 48
#define H265_FU 49

void
rtc_param_sets_init (RtcParamSets *self, gboolean h265)
{
  memset (self, 0, sizeof (*self));
  self->h265 = h265;
}

static guint
unit_type (const RtcParamSets *self, const guint8 *unit)
{
  return self->h265 ? (unit[0] >> 1) & 0x3f : unit[0] & 0x1f;
}

static UnitKind
unit_kind (const RtcParamSets *self, guint type)
{
  if (self->h265)
    return type < 32 ? UNIT_SLICE
        : type <= 34 ? UNIT_PARAMETER_SET
                     : UNIT_OTHER;
  if (type >= 1 && type <= 5)
    return UNIT_SLICE;
  return type == 7 || type == 8 ? UNIT_PARAMETER_SET : UNIT_OTHER;
}

/* FNV-1a. */
static guint64
checksum (const guint8 *data, gsize size)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);
  gsize i;

  for (i = 0; i < size; i++)
    hash = (hash ^ data[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash;
}

/* TRUE when @unit is to be left out; remembers what it is. */
static gboolean
is_repeated (RtcParamSets *self, const guint8 *unit, gsize size)
{
  UnitKind kind =
      size > 0 ? unit_kind (self, unit_type (self, unit)) : UNIT_OTHER;
  guint64 sum;
  guint i;

  if (kind == UNIT_SLICE)
    self->slice_seen = TRUE;
  if (kind != UNIT_PARAMETER_SET)
    return FALSE;
  sum = checksum (unit, size);
  for (i = 0; i < self->n_sets; i++)
    if (self->sets[i] == sum)
      return self->slice_seen;
  if (self->n_sets < RTC_PARAM_SETS_MAX)
    self->sets[self->n_sets++] = sum;
  return FALSE;
}

/* A depayloader reads the first byte behind the header of a slice, also where
 * there is none. */
static gboolean
is_cut_off (const RtcParamSets *self, const guint8 *unit, gsize size)
{
  gsize header = self->h265 ? 2 : 1;

  return size < header ||
      (size == header &&
          unit_kind (self, unit_type (self, unit)) == UNIT_SLICE);
}

/* Units behind @header bytes, each after its size (RFC 6184 section 5.7.1, RFC
 * 7798 section 4.4.2). */
static gsize
filter_aggregate (RtcParamSets *self, gsize header, const guint8 *payload,
    gsize size, guint8 *out)
{
  gsize at, kept = header;

  for (at = header; at + 2 <= size;) {
    gsize unit = 2 + ((gsize)payload[at] << 8 | payload[at + 1]);

    if (unit > size - at)
      unit = size - at;
    if (!is_cut_off (self, payload + at + 2, unit - 2) &&
        !is_repeated (self, payload + at + 2, unit - 2)) {
      if (out)
        memmove (out + kept, payload + at, unit);
      kept += unit;
    }
    at += unit;
  }
  return kept > header ? kept : 0;
}

gsize
rtc_param_sets_filter (RtcParamSets *self, guint32 timestamp,
    const guint8 *payload, gsize size, guint8 *out)
{
  gsize header = self->h265 ? 2 : 1;
  guint type;

  if (!self->started || timestamp != self->timestamp) {
    self->started = TRUE;
    self->timestamp = timestamp;
    self->slice_seen = FALSE;
    self->n_sets = 0;
  }
  if (size <= header)
    return size;
  if (out)
    memmove (out, payload, header);
  type = unit_type (self, payload);
  if (type == (self->h265 ? H265_AP : H264_STAP_A))
    return filter_aggregate (self, header, payload, size, out);
  if (type == (self->h265 ? H265_FU : H264_FU_A)) {
    guint8 fu = payload[header] & (self->h265 ? 0x3f : 0x1f);

    self->slice_seen |= unit_kind (self, fu) == UNIT_SLICE;
  } else if (is_repeated (self, payload, size)) {
    return 0;
  }
  if (out)
    memmove (out, payload, size);
  return size;
}
