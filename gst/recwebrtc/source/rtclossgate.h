/* gst-tsrec: keeps pictures that a loss has broken out of the recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A depayloader of GStreamer 1.22 that waits for a key frame still lets
 * through the picture in which packets are missing, and takes parameter sets
 * or one slice of several for a key frame. The gate sees the packets that go
 * into it and the access units that come out of it, and lets nothing pass from
 * the first missing packet on until a key frame of which nothing is missing.
 *
 * Plain data without a lock: everything on the streaming thread of the track.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define RTC_LOSS_GATE_UNITS 8

typedef struct
{
  GstClockTime pts;
  guint32 rtp_time;
  gboolean damaged; /* packets inside it, or at its end, are missing */
} RtcLossGateUnit;

typedef struct
{
  RtcLossGateUnit
      units[RTC_LOSS_GATE_UNITS]; /* a ring, the newest at @newest */
  guint newest;
  gboolean have_packet;
  guint16 last_seq;
  gboolean last_marker;

  gboolean closed;
  guint64 held_back;      /* access units, since the gate was closed */
  GstClockTime closed_at; /* PTS of the first of them */
} RtcLossGate;

typedef enum
{
  RTC_LOSS_GATE_PASS, /* to be recorded */
  RTC_LOSS_GATE_OPEN, /* to be recorded; the gate was closed before */
  RTC_LOSS_GATE_DROP, /* to be dropped; a key frame is needed */
} RtcLossGateVerdict;

/* Closed: it opens with the first key frame. */
void rtc_loss_gate_init (RtcLossGate *gate);

/* The packets that follow are those of another stream: their sequence numbers
 * have nothing to do with those before. Closes the gate. */
void rtc_loss_gate_restart (RtcLossGate *gate);

/* A picture is missing: nothing passes until the next key frame. */
void rtc_loss_gate_close (RtcLossGate *gate);

/* A packet goes into the depayloader, in order. @empty: only padding. */
void rtc_loss_gate_packet (RtcLossGate *gate, guint16 seq, guint32 rtp_time,
    gboolean marker, gboolean empty, GstClockTime pts);

/* An access unit with @pts comes out of it. @key: one can begin with it
 * (rtc_loss_gate_is_key()). With RTC_LOSS_GATE_OPEN, @held_back and @closed_at say what
 * was left out. */
RtcLossGateVerdict rtc_loss_gate_unit (RtcLossGate *gate, GstClockTime pts,
    gboolean key, guint64 *held_back, GstClockTime *closed_at);

/* Whether an access unit (byte stream for H.264 and H.265) that is said to be
 * a key frame begins with the first slice of one: of an IDR picture, or of one
 * with a recovery point. TRUE for other codecs, whose depayloaders look at the
 * start themselves. */
gboolean rtc_loss_gate_is_key (
    const gchar *codec, const guint8 *data, gsize size);

/* Whether an access unit (byte stream for H.264 and H.265) holds a slice: some
 * senders put the marker bit onto parameter sets, so that a depayloader makes
 * an access unit of them alone. TRUE for other codecs. */
gboolean rtc_loss_gate_has_picture (
    const gchar *codec, const guint8 *data, gsize size);

G_END_DECLS
