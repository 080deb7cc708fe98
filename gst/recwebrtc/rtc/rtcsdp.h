/* gst-tsrec: session descriptions (SDP)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * webrtcbin 1.22 accepts m-lines without a codec preference, and trusts its
 * input. Therefore it never gets the remote description, but a new description
 * that is made here. It has only the chosen m-lines and payload types, and only
 * attributes that webrtcbin understands. The answer for the client contains the
 * other m-lines as rejected.
 *
 * Pure functions on SDP, without threads, locks and elements. Every function may
 * be called from any thread as long as its arguments are not shared.
 */

#pragma once

#include <gio/gio.h>
#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

/* Limits for a description; larger ones are refused. */
#define RTC_SDP_MAX_BYTES (256 * 1024)
#define RTC_SDP_MAX_MEDIAS 64
#define RTC_SDP_MAX_LINES 8192
/* Limit for the candidates of a peer, in an m-line or by trickle. libnice pairs
 * each of them with all of ours. Further candidates are ignored. */
#define RTC_SDP_MAX_CANDIDATES 256

/* Defaults: codecs that MPEG-TS carries. Others are for transcoding. */
#define RTC_SDP_DEFAULT_VIDEO_CODECS "H264,H265"
#define RTC_SDP_DEFAULT_AUDIO_CODECS "OPUS"

#define RTC_SDP_ERROR (rtc_sdp_error_quark ())
GQuark rtc_sdp_error_quark (void);

/**
 * RtcSdpError:
 * @RTC_SDP_ERROR_SYNTAX: not a session description (HTTP 400)
 * @RTC_SDP_ERROR_TOO_LARGE: exceeds one of the limits above (HTTP 413)
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
 * @caps: caps of the elementary stream on the pads of a source
 * @depayloader: name of the depayloader element
 * @parser: name of the element that forms whole access units; NULL: not needed
 * @clock_rate: clock rate of RTP, Hz (RFC 6184 and 7798: 90 kHz, RFC 7587: 48
 *   kHz)
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

/* Returns the codec @name (any case), or NULL if it is unknown. Static data. */
const RtcSdpCodec *rtc_sdp_find_codec (const gchar *media, const gchar *name);
/* Returns the names of all codecs of @media, "H264, H265, VP8, …". Caller
 * frees. */
gchar *rtc_sdp_codec_names (const gchar *media);
/* @list: names separated by commas, any case; NULL or "" is an empty list.
 * Returns a NULL terminated array (free with g_free()), or NULL with @error, which
 * names the first unknown entry. */
const RtcSdpCodec **rtc_sdp_parse_codecs (
    const gchar *media, const gchar *list, GError **error);

/**
 * RtcSdpTrack:
 * @codec: codec of the track; NULL: the session has no such track
 * @media: index of the m-line in the description of the client
 * @payload: payload type chosen for @codec
 * @profile_level_id: H.264 profile-level-id of a=fmtp, which GstSDP may drop;
 *   0: unknown
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

/* Parses @len bytes of the body of a request. @text need not be terminated.
 * Returns NULL with @error (RTC_SDP_ERROR) unless it is a session description
 * with at least one m-line. Caller frees. */
GstSDPMessage *rtc_sdp_parse (const gchar *text, gsize len, GError **error);

/* Chooses one sending m-line for each kind of media, and a payload type in it.
 * The first listed codec that is offered is used. Among its payload types, the
 * one that can be depayloaded best is used, and then the first one. Returns FALSE
 * with @error, which names the offered and the accepted codecs, if nothing
 * matches. */
gboolean rtc_sdp_choose (const GstSDPMessage *offer,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, RtcSdpChoice *choice,
    GError **error);

/* Returns the offer for webrtcbin: the tracks of @choice in the order of @offer,
 * with the ICE and DTLS parameters of the first m-line of the BUNDLE group.
 * Returns NULL with @error if a necessary attribute (fingerprint, ufrag) is
 * missing. Caller frees. */
GstSDPMessage *rtc_sdp_prune (
    const GstSDPMessage *offer, const RtcSdpChoice *choice, GError **error);

/* Returns the codec preferences for the transceiver of @media, an m-line of a
 * pruned description: payload type, a=rtcp-fb, a=extmap. Caller unrefs. */
GstCaps *rtc_sdp_media_caps (const GstSDPMedia *media);

/* Returns the caps for a transceiver of our own offer: a payload type for each
 * codec, best first, with transport-wide congestion control. Empty for NULL or
 * an empty list. Caller unrefs. */
GstCaps *rtc_sdp_offer_caps (const RtcSdpCodec *const *codecs);

/* Returns the text of our own @offer for a server: every m-line has a port, and
 * none has a=bundle-only, which some servers do not know. Caller frees. */
gchar *rtc_sdp_offer_text (const GstSDPMessage *offer);

/* Sets @choice to the tracks of our @offer that @answer accepts. @sends: TRUE if
 * the peer sends, FALSE if it receives. The m-lines of @choice are those of
 * @answer. Returns FALSE with @error if no track is accepted. */
gboolean rtc_sdp_choose_answered (const GstSDPMessage *offer,
    const GstSDPMessage *answer, gboolean sends, RtcSdpChoice *choice,
    GError **error);

/* Returns the answer for webrtcbin: one m-line for each m-line of @offer, with
 * the tracks of @choice, on one transport. An m-line that the peer omitted or
 * rejected is inactive; a rejected m-line may be without attributes (RFC 3264
 * section 6). Returns NULL with @error if a necessary attribute is missing.
 * Caller frees. */
GstSDPMessage *rtc_sdp_complete_answer (const GstSDPMessage *offer,
    const GstSDPMessage *answer, const RtcSdpChoice *choice, gboolean sends,
    GError **error);

/**
 * RtcSdpRefusal:
 * @media: "video" or "audio"
 * @offered: codecs of the offering side, for example "VP8, VP9"
 * @accepted: codecs of the refusing side, for example "H264, H265"; "": unknown
 * @text: one or two sentences for users
 *
 * A track that one side offers and the other side does not accept.
 */
typedef struct
{
  const gchar *media;
  gchar *offered;
  gchar *accepted;
  gchar *text;
} RtcSdpRefusal;

/* Returns the sending tracks of @offer that are not in @choice: tracks of a kind
 * for which none of the listed codecs is offered, and further tracks of a kind.
 * A kind without listed codecs is not reported. The array of RtcSdpRefusal may be
 * empty. Free with g_ptr_array_unref(). */
GPtrArray *rtc_sdp_find_refused (const GstSDPMessage *offer,
    const RtcSdpChoice *choice, const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs);
/* Returns the tracks of our own @offer that the peer did not accept in @answer.
 * Free with g_ptr_array_unref(). */
GPtrArray *rtc_sdp_find_rejected (const GstSDPMessage *offer,
    const GstSDPMessage *answer, const RtcSdpChoice *choice);

/* Returns the answer for the client: @answer with the m-lines of @offer that are
 * not in @choice as rejected, with port 0 (RFC 3264 section 6). Caller frees. */
GstSDPMessage *rtc_sdp_expand_answer (const GstSDPMessage *offer,
    const GstSDPMessage *answer, const RtcSdpChoice *choice);

/* Adds b=AS and b=TIAS (RFC 3890) for @bits_per_second to every video m-line;
 * 0 adds nothing. */
void rtc_sdp_set_bandwidth (GstSDPMessage *sdp, guint bits_per_second);

/* Returns @text, a description or an ICE fragment, with the candidates of each
 * m-line sorted for clients that only try the first one, such as ffmpeg. The
 * order is: host candidates of @reached_at, of other IPv4 addresses, of IPv6
 * addresses; other candidates; host candidates of loopback, which only this host
 * can reach. @reached_at: address at which the client has reached us (numeric),
 * or NULL. Caller frees. */
gchar *rtc_sdp_order_candidates (const gchar *text, const gchar *reached_at);

/* Returns the number of a=candidate attributes of @sdp. */
guint rtc_sdp_count_candidates (const GstSDPMessage *sdp);

/**
 * RtcIceFragment:
 * @ufrag: ICE user name fragment, or NULL
 * @pwd: ICE password, or NULL
 * @candidates: "candidate:…" strings
 * @end_of_candidates: the fragment has a=end-of-candidates
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

/* Returns NULL with @error if @text is not a fragment. */
RtcIceFragment *rtc_ice_fragment_parse (
    const gchar *text, gsize len, GError **error);
void rtc_ice_fragment_free (RtcIceFragment *fragment);

/* Returns @uri, "stun://host:port" or "turn(s)://user:password@host:port", as the
 * value of a Link header (RFC 9725 section 4.6). Returns NULL for any other URI.
 * Caller frees. */
gchar *rtc_sdp_ice_server_link (const gchar *uri);

/* Returns an ICE fragment with the credentials @ufrag and @pwd, and the
 * candidates of the first m-line of @sdp. Caller frees. */
gchar *rtc_ice_fragment_build (
    const GstSDPMessage *sdp, const gchar *ufrag, const gchar *pwd);

/* Returns the ice-ufrag of the first m-line or of the session, or NULL. Owned by
 * @sdp. */
const gchar *rtc_sdp_get_ufrag (const GstSDPMessage *sdp);

G_END_DECLS
