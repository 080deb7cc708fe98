/* gst-tsrec: conversion of NAL units with length prefixes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recnalformat.h"

#include <stdlib.h>
#include <string.h>

/* ITU-T H.264 table 7-1, H.265 table 7-1: nal_unit_type */
#define H264_AUD 9
#define H265_VPS 32
#define H265_PPS 34
#define H265_AUD 35

static const uint8_t start_code[] = { 0, 0, 0, 1 };

/* A bounds-checked reader: a read past the end returns 0 and sets @overrun. */
typedef struct
{
  const uint8_t *data;
  size_t size;
  size_t pos;
  bool overrun;
} Reader;

static unsigned
read_bytes (Reader *r, unsigned n)
{
  unsigned value = 0;

  if (n > r->size - r->pos) {
    r->overrun = true;
    return 0;
  }
  while (n-- > 0)
    value = value << 8 | r->data[r->pos++];
  return value;
}

static void
skip (Reader *r, size_t n)
{
  if (n > r->size - r->pos) {
    r->overrun = true;
    return;
  }
  r->pos += n;
}

/* --- The record --- */

/* Appends the NAL unit at the reader, which follows its length, to
 * @format->sets. There is room: a start code is two bytes longer than a
 * length. */
static void
read_set (RecNalFormat *format, Reader *r, bool wanted)
{
  size_t size = read_bytes (r, 2);
  const uint8_t *nal = r->data + r->pos;

  skip (r, size);
  if (r->overrun || size == 0 || !wanted)
    return;
  memcpy (format->sets + format->sets_size, start_code, sizeof (start_code));
  memcpy (format->sets + format->sets_size + sizeof (start_code), nal, size);
  format->sets_size += sizeof (start_code) + size;
}

static void
read_avcc (RecNalFormat *format, Reader *r)
{
  skip (r, 4); /* configurationVersion, profile, compatibility, level */
  format->length_size = (read_bytes (r, 1) & 3) + 1;
  for (unsigned n = read_bytes (r, 1) & 0x1f; n > 0 && !r->overrun; n--)
    read_set (format, r, true);
  for (unsigned n = read_bytes (r, 1); n > 0 && !r->overrun; n--)
    read_set (format, r, true);
}

static void
read_hvcc (RecNalFormat *format, Reader *r)
{
  skip (r, 21);
  format->length_size = (read_bytes (r, 1) & 3) + 1;
  for (unsigned n = read_bytes (r, 1); n > 0 && !r->overrun; n--) {
    unsigned type = read_bytes (r, 1) & 0x3f;
    bool wanted = type >= H265_VPS && type <= H265_PPS;

    for (unsigned m = read_bytes (r, 2); m > 0 && !r->overrun; m--)
      read_set (format, r, wanted);
  }
}

bool
rec_nal_format_init (RecNalFormat *format, RecNalSyntax syntax,
    const uint8_t *record, size_t size, const char **reason)
{
  Reader r = { record, size, 0, false };

  memset (format, 0, sizeof (*format));
  *reason = "its codec_data is no decoder configuration record";
  if (syntax != REC_NAL_H264 && syntax != REC_NAL_H265)
    return false;
  format->syntax = syntax;
  /* The length of a set is two bytes in the record, its start code has four. */
  format->sets = malloc (2 * size + 1);
  if (format->sets == NULL) {
    *reason = "out of memory";
    return false;
  }
  if (syntax == REC_NAL_H264)
    read_avcc (format, &r);
  else
    read_hvcc (format, &r);
  format->sets_pending = format->sets_size > 0;
  if (!r.overrun)
    return true;
  rec_nal_format_clear (format);
  return false;
}

void
rec_nal_format_clear (RecNalFormat *format)
{
  free (format->sets);
  free (format->out);
  memset (format, 0, sizeof (*format));
}

/* --- Access units --- */

static bool
is_aud (const RecNalFormat *format, const uint8_t *nal)
{
  if (format->syntax == REC_NAL_H264)
    return (nal[0] & 0x1f) == H264_AUD;
  return (nal[0] >> 1 & 0x3f) == H265_AUD;
}

/* Returns the size of the output, 0 if the lengths do not fill the input. */
static size_t
get_size (const RecNalFormat *format, const uint8_t *data, size_t size)
{
  Reader r = { data, size, 0, false };
  size_t out = 0;

  while (r.pos < r.size && !r.overrun) {
    size_t nal = read_bytes (&r, format->length_size);

    skip (&r, nal);
    if (nal > 0)
      out += sizeof (start_code) + nal;
  }
  if (r.overrun)
    return 0;
  return out + (format->sets_pending ? format->sets_size : 0);
}

static bool
reserve (RecNalFormat *format, size_t size)
{
  uint8_t *out;

  if (size <= format->out_alloc)
    return true;
  out = realloc (format->out, size + size / 4);
  if (out == NULL)
    return false;
  format->out = out;
  format->out_alloc = size + size / 4;
  return true;
}

static uint8_t *
put_sets (RecNalFormat *format, uint8_t *p)
{
  if (!format->sets_pending)
    return p;
  format->sets_pending = false;
  memcpy (p, format->sets, format->sets_size);
  return p + format->sets_size;
}

bool
rec_nal_format_convert (RecNalFormat *format, const uint8_t *data, size_t size,
    const uint8_t **out, size_t *out_size)
{
  Reader r = { data, size, 0, false };
  size_t total = get_size (format, data, size);
  uint8_t *p;

  if (total == 0 || !reserve (format, total))
    return false;
  p = format->out;
  while (r.pos < r.size) {
    size_t nal = read_bytes (&r, format->length_size);

    if (nal == 0)
      continue;
    if (!is_aud (format, data + r.pos))
      p = put_sets (format, p);
    memcpy (p, start_code, sizeof (start_code));
    memcpy (p + sizeof (start_code), data + r.pos, nal);
    p += sizeof (start_code) + nal;
    skip (&r, nal);
  }
  *out = format->out;
  *out_size = (size_t)(p - format->out);
  return *out_size > 0;
}
