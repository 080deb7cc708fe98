/* gst-tsrec: packets that must not reach a depayloader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The depayloaders of GStreamer 1.22 trust the peer. A packet without payload
 * between two fragments of a NAL unit makes rtph264depay dereference NULL and
 * rtph265depay abort. A fragment of two bytes makes them allocate 4 GB. A
 * packet type that they do not implement is an error that ends the stream.
 *
 * Empty packets (padding, bandwidth probes) are removed, and later sequence
 * numbers are decremented, so that the depayloader does not detect a loss.
 * Malformed packets are removed too, but leave a gap, because their content is
 * lost.
 *
 * Plain data without a lock: everything on the streaming thread of the track.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RtcPacketFilter:
 * @started: a packet was received
 * @ssrc: SSRC of the stream
 * @have_seq: a packet of the stream was received
 * @next_seq: sequence number after that packet
 * @removed: number of empty packets removed from the stream, less @cut, modulo
 *   2^16
 * @cut: number of pictures without an end, modulo 2^16
 * @goes_on: the picture of the last packet has not ended
 * @tells_end: the stream marks the ends of pictures
 * @rtp_time: RTP timestamp of the last packet
 */
typedef struct
{
  gboolean started;
  guint32 ssrc;
  gboolean have_seq;
  guint16 next_seq;
  guint16 removed;
  guint16 cut;
  gboolean goes_on;
  gboolean tells_end;
  guint32 rtp_time;
} RtcPacketFilter;

/**
 * RtcPacketFilterVerdict:
 * @RTC_PACKET_FILTER_PASS: pass it to the depayloader
 * @RTC_PACKET_FILTER_EMPTY: it has no content; its sequence number counts as
 *   received
 * @RTC_PACKET_FILTER_MALFORMED: treat it like a lost packet
 */
typedef enum
{
  RTC_PACKET_FILTER_PASS,
  RTC_PACKET_FILTER_EMPTY,
  RTC_PACKET_FILTER_MALFORMED,
} RtcPacketFilterVerdict;

void rtc_packet_filter_init (RtcPacketFilter *shield);

/* The next packet has @ssrc. Returns TRUE if this is the first packet, or if
 * the previous packet belonged to another stream: sequence numbers and
 * timestamps are then unrelated. */
gboolean rtc_packet_filter_begin (RtcPacketFilter *shield, guint32 ssrc);

/* A packet with @seq was received and is not malformed. Returns TRUE if packets
 * before it are missing. */
gboolean rtc_packet_filter_note (RtcPacketFilter *shield, guint16 seq);

/* A packet that passes was received; to be called before
 * rtc_packet_filter_note(). Returns TRUE if the picture before it has no end
 * though no sequence number is missing: a sender that empties its queue for a key
 * frame leaves out packets before they are numbered. A gap is then inserted, as
 * if one packet had been lost. */
gboolean rtc_packet_filter_note_end (RtcPacketFilter *shield,
    const gchar *codec, const guint8 *payload, gsize size, gboolean marker,
    guint32 rtp_time, guint16 seq);

/* An empty packet was removed. */
void rtc_packet_filter_remove (RtcPacketFilter *shield);

/* Returns the sequence number to pass to the depayloader for @seq. */
guint16 rtc_packet_filter_map (const RtcPacketFilter *shield, guint16 seq);

/* Checks the payload format of one packet: RFC 6184 (H264), RFC 7798 (H265),
 * RFC 7741 (VP8), RFC 9628 (VP9), RFC 7587 with RFC 6716 section 3 (OPUS).
 * @codec: encoding name, upper case; packets of other codecs are only checked
 * for a payload. @marker: marker bit of the packet. */
RtcPacketFilterVerdict rtc_packet_filter_check (
    const gchar *codec, const guint8 *payload, gsize size, gboolean marker);

/* Checks an access unit (byte stream for H.264 and H.265) from the depayloader.
 * Returns FALSE if it would make the parser end the stream with an error.
 * Returns TRUE for other codecs. */
gboolean rtc_packet_filter_check_unit (
    const gchar *codec, const guint8 *data, gsize size);

/* Returns TRUE if an H.264 access unit (byte stream) has a subset sequence
 * parameter set (H.264 7.3.2.1.3). h264parse 1.22 dereferences NULL if it
 * rejects one. RFC 6184 section 5.2 does not use this NAL unit type, and the
 * base view is decoded without it. */
gboolean rtc_packet_filter_has_subset_sps (const guint8 *data, gsize size);

/* Copies an H.264 access unit (byte stream) without its subset sequence
 * parameter sets to @out, which has room for @size bytes. Returns the number of
 * bytes copied. */
gsize rtc_packet_filter_strip_subset_sps (
    const guint8 *data, gsize size, guint8 *out);

G_END_DECLS
