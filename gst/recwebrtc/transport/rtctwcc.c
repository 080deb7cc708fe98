/* gst-tsrec: transport-wide congestion control feedback
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtctwcc.h"

/* Units of the draft: 250 µs for a delta, 64 ms for the reference time. */
#define DELTA_US 250
#define REFERENCE_US 64000
#define HEADER_SIZE 8
/* Packets of one message. Each takes 2 bytes of delta and 2 bits of status. */
#define MAX_REPORTED 400

typedef enum
{
  STATUS_MISSING = 0,
  STATUS_SMALL_DELTA = 1,
  STATUS_LARGE_DELTA = 2
} Status;

void
rtc_twcc_init (RtcTwcc *self)
{
  self->started = FALSE;
  self->first = self->end = 0;
  self->count = 0;
}

static gint64 *
get_arrival (RtcTwcc *self, gint64 number)
{
  return &self->arrivals[(guint64)number % RTC_TWCC_MAX_PACKETS];
}

void
rtc_twcc_add (RtcTwcc *self, guint16 seq, gint64 arrival)
{
  gint64 number;

  if (!self->started) {
    self->started = TRUE;
    self->first = self->end = 0x10000 + (gint64)seq;
  }
  number = self->end - 1 + (gint16)(seq - (guint16)(self->end - 1));
  /* Reported as missing already. */
  if (number < self->first)
    return;
  if (number - self->first >= RTC_TWCC_MAX_PACKETS) {
    /* A jump, or nobody has asked for reports. */
    if (number - self->end >= RTC_TWCC_MAX_PACKETS / 2)
      self->first = self->end = number;
    else
      self->first = number - RTC_TWCC_MAX_PACKETS + 1;
  }
  for (; self->end <= number; self->end++)
    *get_arrival (self, self->end) = -1;
  *get_arrival (self, number) = arrival;
}

gboolean
rtc_twcc_is_due (const RtcTwcc *self)
{
  return self->first < self->end;
}

static void
write_u16 (guint8 *out, guint value)
{
  out[0] = (guint8)(value >> 8);
  out[1] = (guint8)value;
}

/* Section 3.1.3 and 3.1.4: a run of one status, or seven two-bit statuses. */
static gsize
write_chunks (guint8 *out, const guint8 *statuses, guint n)
{
  gsize at = 0;
  guint i = 0;

  while (i < n) {
    guint run = 1, chunk;

    while (i + run < n && statuses[i + run] == statuses[i] && run < 0x1fff)
      run++;
    if (run >= 7 || i + run == n) {
      chunk = (guint)statuses[i] << 13 | run;
      i += run;
    } else {
      chunk = 3u << 14;
      for (guint k = 0; k < 7; k++, i++)
        if (i < n)
          chunk |= (guint)statuses[i] << (12 - 2 * k);
    }
    write_u16 (out + at, chunk);
    at += 2;
  }
  return at;
}

/* Writes the deltas of the packets from @first, and their statuses. Returns how
 * many packets fit; a delta that does not fit begins another message. */
static guint
write_deltas (RtcTwcc *self, gint64 reference, guint8 *deltas, gsize *size,
    guint8 *statuses)
{
  gint64 last = reference;
  guint n;

  *size = 0;
  for (n = 0; n < MAX_REPORTED && self->first + n < self->end; n++) {
    gint64 arrival = *get_arrival (self, self->first + n), delta;

    statuses[n] = STATUS_MISSING;
    if (arrival < 0)
      continue;
    delta = (arrival - last) / DELTA_US;
    if (delta < G_MININT16 || delta > G_MAXINT16)
      break;
    last += delta * DELTA_US;
    if (delta >= 0 && delta <= 0xff) {
      statuses[n] = STATUS_SMALL_DELTA;
      deltas[(*size)++] = (guint8)delta;
    } else {
      statuses[n] = STATUS_LARGE_DELTA;
      write_u16 (deltas + *size, (guint16)(gint16)delta);
      *size += 2;
    }
  }
  return n;
}

gsize
rtc_twcc_write (RtcTwcc *self, guint8 *fci)
{
  guint8 deltas[2 * MAX_REPORTED], statuses[MAX_REPORTED];
  gint64 reference, received = self->first;
  gsize n_deltas, at;
  guint n;

  while (received < self->end && *get_arrival (self, received) < 0)
    received++;
  if (received == self->end)
    return 0;
  reference = *get_arrival (self, received) / REFERENCE_US;
  n = write_deltas (
      self, reference * REFERENCE_US, deltas, &n_deltas, statuses);
  /* Missing ones at the end belong to the next message, unless nothing else is
   * in this one. */
  while (self->first + n > received + 1 && self->first + n < self->end &&
      statuses[n - 1] == STATUS_MISSING)
    n--;
  write_u16 (fci, (guint16)self->first);
  write_u16 (fci + 2, n);
  fci[4] = (guint8)(reference >> 16);
  write_u16 (fci + 5, (guint16)reference);
  fci[7] = self->count++;
  at = HEADER_SIZE + write_chunks (fci + HEADER_SIZE, statuses, n);
  for (gsize i = 0; i < n_deltas; i++)
    fci[at++] = deltas[i];
  while (at % 4 != 0)
    fci[at++] = 0;
  self->first += n;
  return at;
}
