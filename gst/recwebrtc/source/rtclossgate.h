/* gst-tsrec: keeps pictures that a loss has broken out of the recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A depayloader of GStreamer 1.22 that waits for a key frame still passes
 * the picture in which packets are missing, and takes parameter sets or one
 * slice of several for a key frame. The gate sees the packets that enter the
 * depayloader and the access units that leave it. It closes at the first
 * missing packet.
 *
 * It opens at the next whole random access point
 * (rec_nal_is_random_access(), the same definition that the mux uses). A
 * picture where gradual recovery begins (rec_nal_is_gradual_recovery()) is
 * not one: the pictures after it are right only in part until the refresh is
 * complete. The gate opens there only if the point before it in the stream,
 * recorded or not, was gradual too. Such a sender refreshes its pictures
 * gradually and sends no key frame, and a gate that waited for one would
 * stay closed for ever.
 *
 * Plain data without a lock: everything on the streaming thread of the
 * track.
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
      units[RTC_LOSS_GATE_UNITS]; /* a ring, the newest one at @newest */
  guint newest;
  gboolean have_packet;
  guint16 last_seq;
  gboolean last_marker;

  gboolean refreshes_gradually; /* the last point of recovery was gradual */
  gboolean closed;
  guint64 held_back;      /* access units dropped since the gate was closed */
  GstClockTime closed_at; /* PTS of the first access unit dropped */
} RtcLossGate;

/**
 * RtcPictureKind:
 * @RTC_PICTURE_NONE: an access unit without a slice: some senders set the
 *   marker bit on parameter sets, and a depayloader makes an access unit of
 *   them
 * @RTC_PICTURE_DEPENDENT: a picture that needs earlier pictures
 * @RTC_PICTURE_GRADUAL_RECOVERY: a picture where a gradual recovery begins
 * @RTC_PICTURE_RANDOM_ACCESS: a random access point
 */
typedef enum
{
  RTC_PICTURE_NONE,
  RTC_PICTURE_DEPENDENT,
  RTC_PICTURE_GRADUAL_RECOVERY,
  RTC_PICTURE_RANDOM_ACCESS
} RtcPictureKind;

typedef enum
{
  RTC_LOSS_GATE_PASS, /* record the unit */
  RTC_LOSS_GATE_OPEN, /* record the unit; the gate was closed before */
  RTC_LOSS_GATE_DROP, /* drop the unit; a key frame is needed */
} RtcLossGateVerdict;

/* The gate is closed, and opens at the first random access point. */
void rtc_loss_gate_init (RtcLossGate *gate);

/* The next packet belongs to another stream, whose sequence numbers are
 * unrelated. Closes the gate. */
void rtc_loss_gate_restart (RtcLossGate *gate);

/* A picture is missing: closes the gate. */
void rtc_loss_gate_close (RtcLossGate *gate);

/* A packet enters the depayloader, in order. @empty: it contains only
 * padding. */
void rtc_loss_gate_packet (RtcLossGate *gate, guint16 seq, guint32 rtp_time,
    gboolean marker, gboolean empty, GstClockTime pts);

/* An access unit with @pts leaves the depayloader. If it opens the gate,
 * *@held_back is the number of access units that were dropped since the gate
 * was closed, and *@closed_at the PTS of the first one. */
RtcLossGateVerdict rtc_loss_gate_unit (RtcLossGate *gate, GstClockTime pts,
    RtcPictureKind kind, guint64 *held_back, GstClockTime *closed_at);

/* Reads an access unit (byte stream for H.264 and H.265) up to its first
 * slice. An access unit that begins with another slice than the first of its
 * picture is RTC_PICTURE_DEPENDENT. Returns RTC_PICTURE_RANDOM_ACCESS for
 * other codecs: their depayloaders mark the other pictures as
 * GST_BUFFER_FLAG_DELTA_UNIT. */
RtcPictureKind rtc_loss_gate_parse_unit (
    const gchar *codec, const guint8 *data, gsize size);

G_END_DECLS
