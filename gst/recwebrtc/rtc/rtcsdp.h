/* gst-tsrec: what recwhipsrc and recwhepsrc take from a session description
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * webrtcbin 1.22 accepts m-lines it has no preference for, and trusts what it
 * is given. So it never sees the remote description itself, but one that is
 * made here: only the m-lines and payload types that were chosen, and of their
 * attributes only those that are understood. What was left out is put back,
 * rejected, into the answer that the client gets.
 *
 * Pure functions on SDP: no thread, no lock, no element. Every function may be
 * called from any thread as long as its arguments are not shared.
 */

#pragma once

#include <gio/gio.h>
#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

/* Bounds of a description we are willing to look at. */
#define RTC_SDP_MAX_BYTES (256 * 1024)
#define RTC_SDP_MAX_MEDIAS 64
#define RTC_SDP_MAX_LINES 8192
/* Of a peer, in an m-line or by trickle; libnice pairs each with all of ours.
 * Further ones are ignored. */
#define RTC_SDP_MAX_CANDIDATES 256

/* What the TS carries comes first; the rest is for transcoding pipelines. */
#define RTC_SDP_DEFAULT_VIDEO_CODECS "H264,H265"
#define RTC_SDP_DEFAULT_AUDIO_CODECS "OPUS"

#define RTC_SDP_ERROR (rtc_sdp_error_quark ())
GQuark rtc_sdp_error_quark (void);

/**
 * RtcSdpError:
 * @RTC_SDP_ERROR_SYNTAX: not a session description (HTTP 400)
 * @RTC_SDP_ERROR_TOO_LARGE: beyond one of the bounds above (HTTP 413)
 * @RTC_SDP_ERROR_UNACCEPTABLE: a session description that cannot be answered,
 *   for example because no codec matches (HTTP 422; RFC 9725 section 4.2)
 */
typedef enum
{
  RTC_SDP_ERROR_SYNTAX,
  RTC_SDP_ERROR_TOO_LARGE,
  RTC_SDP_ERROR_UNACCEPTABLE,
} RtcSdpError;

/**
 * RtcSdpCodec:
 * @name: encoding name as in a=rtpmap, upper case
 * @media: "video" or "audio"
 * @caps: of the elementary stream that leaves the element
 * @depayloader: element that takes it out of RTP
 * @parser: element that makes whole access units of it
 * @clock_rate: of its RTP timestamps, Hz (RFC 6184 and 7798: 90 kHz, RFC 7587:
 *   48 kHz)
 */
typedef struct
{
  const gchar *name;
  const gchar *media;
  const gchar *caps;
  const gchar *depayloader;
  const gchar *parser;
  guint clock_rate;
} RtcSdpCodec;

/* NULL when @name (any case) is not a codec we know. Static data. */
const RtcSdpCodec *rtc_sdp_find_codec (const gchar *media, const gchar *name);
/* "H264, H265, VP8, …": the names known for @media. Caller frees. */
gchar *rtc_sdp_codec_names (const gchar *media);
/* @list: names separated by commas, any case; NULL or "" is an empty list.
 * Returns a NULL terminated array of RtcSdpCodec (free with g_free), or NULL with
 * @error naming the first unknown entry. */
const RtcSdpCodec **rtc_sdp_parse_codecs (
    const gchar *media, const gchar *list, GError **error);

/**
 * RtcSdpTrack:
 * @codec: NULL when there is no such track in the session
 * @media: index of the m-line in the description of the client
 * @payload: payload type chosen for @codec
 * @profile_level_id: H.264 as in a=fmtp (GstSDP may drop it), 0 if unknown
 */
typedef struct
{
  const RtcSdpCodec *codec;
  guint media;
  gint payload;
  guint profile_level_id;
} RtcSdpTrack;

/**
 * RtcSdpChoice:
 * @video: the video track, if any
 * @audio: the audio track, if any
 */
typedef struct
{
  RtcSdpTrack video;
  RtcSdpTrack audio;
} RtcSdpChoice;

/* Parses @len bytes of a request's body, which need not be terminated, and
 * checks that it is a session description with at least one m-line.
 * Returns NULL with @error set, or a message the caller frees. */
GstSDPMessage *rtc_sdp_parse (const gchar *text, gsize len, GError **error);

/* Picks one m-line that sends for each kind of media, and one payload type in
 * it: the first of the listed codecs that it offers; among the payload types
 * of that codec the one that is depayloaded best, then the one offered first.
 * FALSE with @error naming what was offered and what would be accepted when
 * nothing matches at all. */
gboolean rtc_sdp_choose (const GstSDPMessage *offer,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, RtcSdpChoice *choice,
    GError **error);

/* The description for webrtcbin: what @choice says, in the order of @offer,
 * under the ICE and DTLS parameters of the first m-line of a BUNDLE group.
 * FALSE with @error when something needed (fingerprint, ufrag) is missing. */
GstSDPMessage *rtc_sdp_prune (
    const GstSDPMessage *offer, const RtcSdpChoice *choice, GError **error);

/* Codec preferences for the transceiver of m-line @media of a pruned
 * description: payload type, a=rtcp-fb, a=extmap. Caller unrefs. */
GstCaps *rtc_sdp_media_caps (const GstSDPMedia *media);

/* Caps for a transceiver of our own offer: a payload type for each codec, best
 * first, feedback and transport-wide congestion control. Empty for NULL or an
 * empty list. Caller unrefs. */
GstCaps *rtc_sdp_offer_caps (const RtcSdpCodec *const *codecs);

/* Our own @offer as a server gets it: every m-line has a port, and is not
 * limited to a bundle by an attribute that some do not know. Caller frees. */
gchar *rtc_sdp_offer_text (const GstSDPMessage *offer);

/* What a peer took of our @offer. @sends: the peer sends, else it receives.
 * FALSE with @error when it took nothing. The m-lines of @choice are those of
 * @answer. */
gboolean rtc_sdp_choose_answered (const GstSDPMessage *offer,
    const GstSDPMessage *answer, gboolean sends, RtcSdpChoice *choice,
    GError **error);

/* The answer for webrtcbin: an m-line for each one of @offer, with what
 * @choice says, all on one transport. Those that the peer rejected, which need
 * not say anything (RFC 3264 section 6), or left out, are there and inactive.
 * NULL with @error when something needed is missing. */
GstSDPMessage *rtc_sdp_complete_answer (const GstSDPMessage *offer,
    const GstSDPMessage *answer, const RtcSdpChoice *choice, gboolean sends,
    GError **error);

/**
 * RtcSdpRefusal:
 * @media: "video" or "audio"
 * @offered: "VP8, VP9": codecs of the side that offers
 * @accepted: "H264, H265": codecs of the side that refuses; "" when unknown
 * @text: one or two sentences for a person
 *
 * A track that one side offers and the other does not take.
 */
typedef struct
{
  const gchar *media;
  gchar *offered;
  gchar *accepted;
  gchar *text;
} RtcSdpRefusal;

/* Tracks that @offer would send and @choice leaves out: of a kind for which
 * codecs are listed, none of which is offered, or beyond the first of a kind.
 * Array of RtcSdpRefusal, perhaps empty; g_ptr_array_unref(). */
GPtrArray *rtc_sdp_find_refused (const GstSDPMessage *offer,
    const RtcSdpChoice *choice, const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs);
/* The same for our own @offer, and what the peer took of it in @answer. */
GPtrArray *rtc_sdp_find_rejected (const GstSDPMessage *offer,
    const GstSDPMessage *answer, const RtcSdpChoice *choice);

/* Puts every m-line of @offer that is not in @choice back into @answer, with
 * port 0 (RFC 3264 section 6). Returns a new message the caller frees. */
GstSDPMessage *rtc_sdp_expand_answer (const GstSDPMessage *offer,
    const GstSDPMessage *answer, const RtcSdpChoice *choice);

/* Adds b=AS and b=TIAS (RFC 3890) for @bits_per_second to every video m-line;
 * 0 adds nothing. */
void rtc_sdp_set_bandwidth (GstSDPMessage *sdp, guint bits_per_second);

/* @text, a description or a fragment, with the candidates of every m-line in
 * the order in which a client does best that takes the first only (as ffmpeg
 * does): host candidates of @reached_at first, the address at which the client
 * has already reached us (numeric, or NULL), then of other IPv4 and of IPv6
 * addresses, what is left, and those of loopback last, which lead from nowhere
 * but this host and are not needed there either. Caller frees. */
gchar *rtc_sdp_order_candidates (const gchar *text, const gchar *reached_at);

/* "a=candidate" attributes of @sdp, for logging and tests. */
guint rtc_sdp_count_candidates (const GstSDPMessage *sdp);

/**
 * RtcIceFragment:
 * @ufrag: ICE user name fragment, or NULL
 * @pwd: ICE password, or NULL
 * @candidates: "candidate:…" strings
 * @end_of_candidates: a=end-of-candidates was there
 *
 * application/trickle-ice-sdpfrag (RFC 8840 section 9).
 */
typedef struct
{
  gchar *ufrag;
  gchar *pwd;
  GPtrArray *candidates;
  gboolean end_of_candidates;
} RtcIceFragment;

/* NULL with @error when @text is not a fragment. */
RtcIceFragment *rtc_ice_fragment_parse (
    const gchar *text, gsize len, GError **error);
void rtc_ice_fragment_free (RtcIceFragment *fragment);

/* "stun://host:port" or "turn(s)://user:password@host:port" as the value of a
 * Link header (RFC 9725 section 4.6). NULL when it is neither. Caller frees. */
gchar *rtc_sdp_ice_server_link (const gchar *uri);

/* A fragment with these credentials and the candidates of the first m-line of
 * @sdp that has some. Caller frees. */
gchar *rtc_ice_fragment_build (
    const GstSDPMessage *sdp, const gchar *ufrag, const gchar *pwd);

/* ice-ufrag of the first m-line, or of the session; NULL if there is none.
 * Owned by @sdp. */
const gchar *rtc_sdp_get_ufrag (const GstSDPMessage *sdp);

G_END_DECLS
