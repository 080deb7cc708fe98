/* gst-tsrec: parameter sets that are repeated between the slices of a picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcparamsets.h"
#include "rtcnal.h"

#include <string.h>

void
rtc_param_sets_init (RtcParamSets *self, gboolean h265)
{
  memset (self, 0, sizeof (*self));
  self->syntax = h265 ? REC_NAL_H265 : REC_NAL_H264;
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

/* Returns TRUE if @unit is to be removed, and remembers it. */
static gboolean
is_repeated (RtcParamSets *self, const guint8 *unit, gsize size)
{
  guint type;
  guint64 sum;
  guint i;

  if (size == 0)
    return FALSE;
  type = rec_nal_get_type (self->syntax, unit);
  if (rtc_nal_is_slice (self->syntax, type))
    self->slice_seen = TRUE;
  if (!rtc_nal_is_parameter_set (self->syntax, type))
    return FALSE;
  sum = checksum (unit, size);
  for (i = 0; i < self->n_sets; i++)
    if (self->sets[i] == sum)
      return self->slice_seen;
  if (self->n_sets < RTC_PARAM_SETS_MAX)
    self->sets[self->n_sets++] = sum;
  return FALSE;
}

/* A depayloader reads the first byte after the header of a slice, even if there
 * is none. */
static gboolean
is_cut_off (const RtcParamSets *self, const guint8 *unit, gsize size)
{
  gsize header = rec_nal_header_size (self->syntax);

  return size < header ||
      (size == header &&
          rtc_nal_is_slice (
              self->syntax, rec_nal_get_type (self->syntax, unit)));
}

/* NAL units after @header bytes, each after its size (RFC 6184 section 5.7.1,
 * RFC 7798 section 4.4.2). */
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
  gsize header = rec_nal_header_size (self->syntax);
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
  type = rec_nal_get_type (self->syntax, payload);
  if (type == rtc_nal_get_aggregate_type (self->syntax))
    return filter_aggregate (self, header, payload, size, out);
  if (type == rtc_nal_get_fragment_type (self->syntax)) {
    type = rtc_nal_get_fu_type (self->syntax, payload[header]);
    self->slice_seen |= rtc_nal_is_slice (self->syntax, type);
  } else if (is_repeated (self, payload, size)) {
    return 0;
  }
  if (out)
    memmove (out, payload, size);
  return size;
}
