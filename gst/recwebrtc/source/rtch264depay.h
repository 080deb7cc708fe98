/* gst-tsrec: access units of H.264 from RTP packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Packetization modes 0 and 1 of RFC 6184 (single NAL units, STAP-A, FU-A),
 * into access units as a byte stream, each NAL unit behind four bytes of start
 * code. For the same packets, the result is that of rtph264depay with
 * alignment=au: an access unit ends with the marker bit, or, without it, in
 * front of a NAL unit that begins another picture. It costs a fifth, as each
 * payload is copied once, into one buffer, without an object for it.
 *
 * Packets have passed RtcPacketFilter. Plain data without a lock: everything on
 * the streaming thread of the track.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* An access unit with more bytes is given up. */
#define RTC_H264_DEPAY_MAX_SIZE (64 * 1024 * 1024)

/**
 * RtcH264Unit:
 * @data: valid during the call only
 * @pts: that of the last NAL unit, of its first packet
 * @key: has a parameter set or a slice of an IDR picture
 * @marker: ended by the marker bit
 */
typedef struct
{
  const guint8 *data;
  gsize size;
  GstClockTime pts;
  gboolean key;
  gboolean marker;
} RtcH264Unit;

typedef void (*RtcH264DepayFunc) (const RtcH264Unit *unit, gpointer user_data);

/**
 * RtcH264Depay:
 * @func: gets the access units
 * @data: NAL units of the access unit, and then those fragments of a NAL unit
 *   that have arrived, from @fragment on
 * @capacity: bytes allocated at @data
 * @wait_start: fragments are dropped until one begins a NAL unit
 * @in_fragment: a fragment has begun a NAL unit
 * @fragment_seq: sequence number of its last packet, with the marker bit
 *   @fragment_marker
 * @fragment_pts: time of its first packet
 * @has_picture: the access unit has a slice
 * @has_key: see RtcH264Unit
 * @last_pts: time of the last NAL unit of the access unit
 */
typedef struct
{
  RtcH264DepayFunc func;
  gpointer user_data;
  guint8 *data;
  gsize size;
  gsize capacity;
  gsize fragment;
  gboolean wait_start;
  gboolean in_fragment;
  guint16 fragment_seq;
  gboolean fragment_marker;
  GstClockTime fragment_pts;
  gboolean has_picture;
  gboolean has_key;
  GstClockTime last_pts;
} RtcH264Depay;

void rtc_h264_depay_init (
    RtcH264Depay *depay, RtcH264DepayFunc func, gpointer user_data);
void rtc_h264_depay_clear (RtcH264Depay *depay);

/* Forgets everything, as after a flush. */
void rtc_h264_depay_reset (RtcH264Depay *depay);
/* Packets are missing before the next one: gives up a NAL unit of which only a
 * part has arrived. */
void rtc_h264_depay_note_loss (RtcH264Depay *depay);

/* The payload of the next packet, at least one byte. May call the function.
 * Returns FALSE if the access unit was too large, and was given up. */
gboolean rtc_h264_depay_packet (RtcH264Depay *depay, const guint8 *payload,
    gsize size, guint16 seq, gboolean marker, GstClockTime pts);
/* The stream has ended: gives out a picture of which the end is not marked. */
void rtc_h264_depay_drain (RtcH264Depay *depay);

G_END_DECLS
