/* gst-tsrec: packets that must not reach a depayloader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The depayloaders of GStreamer 1.22 trust the peer. A packet without payload
 * between two fragments of a NAL unit makes rtph264depay dereference NULL and
 * rtph265depay abort; a fragment of two bytes makes them allocate 4 GB; a
 * packet type that they do not implement is an error that ends the stream.
 *
 * Empty packets (padding, probes for bandwidth) are removed, and the sequence
 * numbers behind them are closed up: the depayloader does not see a loss where
 * there is none. Malformed packets are removed as well but leave their gap,
 * because what they carried is lost.
 *
 * Plain data without a lock: everything on the streaming thread of the track.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RecShield:
 * @started: there was a packet
 * @ssrc: of the stream
 * @have_seq: a packet of the stream was received
 * @next_seq: sequence number that follows it
 * @removed: empty packets that were removed from it, modulo 2^16
 */
typedef struct
{
  gboolean started;
  guint32 ssrc;
  gboolean have_seq;
  guint16 next_seq;
  guint16 removed;
} RecShield;

/**
 * RecShieldVerdict:
 * @REC_SHIELD_PASS: for the depayloader
 * @REC_SHIELD_EMPTY: carries nothing; its sequence number counts as received
 * @REC_SHIELD_MALFORMED: to be treated like a packet that was lost
 */
typedef enum
{
  REC_SHIELD_PASS,
  REC_SHIELD_EMPTY,
  REC_SHIELD_MALFORMED,
} RecShieldVerdict;

void rec_shield_init (RecShield *shield);

/* The next packet has @ssrc. Returns TRUE if the stream is another one than
 * that of the packet before; sequence numbers and timestamps are then
 * unrelated. TRUE for the first packet. */
gboolean rec_shield_begin (RecShield *shield, guint32 ssrc);

/* A packet with @seq was received and is not malformed. Returns TRUE if packets
 * are missing in front of it. */
gboolean rec_shield_note (RecShield *shield, guint16 seq);

/* An empty packet was removed. */
void rec_shield_remove (RecShield *shield);

/* The sequence number that the depayloader gets for @seq. */
guint16 rec_shield_map (const RecShield *shield, guint16 seq);

/* Checks the payload format of one packet: RFC 6184 (H264), RFC 7798 (H265),
 * RFC 7741 (VP8), RFC 9628 (VP9), RFC 7587 with RFC 6716 section 3 (OPUS).
 * @codec: encoding name, upper case; other names are checked for emptiness
 * only. @marker: of the packet. */
RecShieldVerdict rec_shield_check (
    const gchar *codec, const guint8 *payload, gsize size, gboolean marker);

/* Checks an access unit (byte stream for H.264 and H.265) behind the
 * depayloader. FALSE: it must not reach the parser, which would end the stream
 * with an error. TRUE for other codecs. */
gboolean rec_shield_check_unit (
    const gchar *codec, const guint8 *data, gsize size);

G_END_DECLS
