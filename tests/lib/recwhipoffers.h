/* gst-tsrec: offers of WHIP clients that Debian 12 does not have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Of the shape that these clients are publicly known to send, with made-up
 * names, addresses and keys.
 */

#pragma once

#define OFFER_FINGERPRINT                                                      \
  "a=fingerprint:sha-256 "                                                     \
  "3A:F1:08:42:9C:6E:D0:77:B5:1D:24:C3:E8:90:5F:6B:A7:12:4D:8E:33:F9:C0:5A:"   \
  "61:BE:07:D4:98:2F:E5:1C\r\n"

/* ffmpeg 8, libavformat/whip.c: DTLS server, no candidates, no feedback, and
 * both m-lines in the group whether they are there or not. */
#define FFMPEG_HEAD                                                            \
  "v=0\r\no=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1\r\n"                 \
  "s=FFmpegPublishSession\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"                  \
  "a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n"
#define FFMPEG_TRANSPORT                                                       \
  "c=IN IP4 0.0.0.0\r\na=ice-ufrag:7a1c93e0\r\n"                               \
  "a=ice-pwd:5f0de29b11c7a84603bd9e72f4a86c15\r\n" OFFER_FINGERPRINT           \
  "a=setup:passive\r\n"
#define FFMPEG_AUDIO                                                           \
  "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" FFMPEG_TRANSPORT                       \
  "a=mid:0\r\na=sendonly\r\na=msid:FFmpeg audio\r\na=rtcp-mux\r\n"             \
  "a=rtpmap:111 opus/48000/2\r\na=ssrc:2617098421 cname:FFmpeg\r\n"            \
  "a=ssrc:2617098421 msid:FFmpeg audio\r\n"
#define FFMPEG_VIDEO                                                           \
  "m=video 9 UDP/TLS/RTP/SAVPF 106\r\n" FFMPEG_TRANSPORT                       \
  "a=mid:1\r\na=sendonly\r\na=msid:FFmpeg video\r\na=rtcp-mux\r\n"             \
  "a=rtcp-rsize\r\na=rtpmap:106 H264/90000\r\n"                                \
  "a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;"                 \
  "profile-level-id=42c01f\r\na=ssrc:1937284650 cname:FFmpeg\r\n"              \
  "a=ssrc:1937284650 msid:FFmpeg video\r\n"

static const gchar ffmpeg_offer[] = FFMPEG_HEAD FFMPEG_AUDIO FFMPEG_VIDEO;
static const gchar ffmpeg_video_offer[] = FFMPEG_HEAD FFMPEG_VIDEO;
static const gchar ffmpeg_audio_offer[] = FFMPEG_HEAD FFMPEG_AUDIO;

#define FFMPEG_HEADERS                                                         \
  "User-Agent: Lavf/62.3.100\r\nAccept: */*\r\nIcy-MetaData: 1\r\n"            \
  "Cache-Control: no-cache\r\nContent-Type: application/sdp\r\n"

/* OBS 30 with libdatachannel 0.19 and 0.20: one transport for the whole
 * session, the address of a candidate in the m-lines. */
#define OBS_HEAD                                                               \
  "v=0\r\no=rtc 2877212184 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"             \
  "a=group:BUNDLE 0 1\r\na=group:LS 0 1\r\na=msid-semantic:WMS *\r\n"
#define OBS_ICE                                                                \
  "a=setup:actpass\r\na=ice-ufrag:nvRM\r\na=ice-pwd:"                          \
  "ezQAjgT8LLvbRhUA1zc6Se\r\n"
#define OBS_AUDIO                                                              \
  "a=mid:0\r\na=sendonly\r\na=ssrc:3388068600 cname:Yuu1KDxQcc3L5CpY\r\n"      \
  "a=ssrc:3388068600 msid:XmQSKutZo7zYcEQl XmQSKutZo7zYcEQl-audio\r\n"         \
  "a=msid:XmQSKutZo7zYcEQl XmQSKutZo7zYcEQl-audio\r\na=rtcp-mux\r\n"           \
  "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;"                       \
  "maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1\r\n"
#define OBS_VIDEO                                                              \
  "a=mid:1\r\na=sendonly\r\na=ssrc:3388068601 cname:Yuu1KDxQcc3L5CpY\r\n"      \
  "a=ssrc:3388068601 msid:XmQSKutZo7zYcEQl XmQSKutZo7zYcEQl-video\r\n"         \
  "a=msid:XmQSKutZo7zYcEQl XmQSKutZo7zYcEQl-video\r\na=rtcp-mux\r\n"           \
  "a=rtpmap:96 H264/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"   \
  "a=rtcp-fb:96 goog-remb\r\na=fmtp:96 profile-level-id=42e01f;"               \
  "packetization-mode=1;level-asymmetry-allowed=1\r\n"
#define OBS_CANDIDATES                                                         \
  "a=candidate:1 1 UDP 2122317823 192.0.2.53 57249 typ host\r\n"               \
  "a=candidate:2 1 UDP 2122187263 2001:db8::53 57249 typ host\r\n"

static const gchar obs30_offer[] = OBS_HEAD OBS_ICE
    "a=ice-options:ice2,trickle\r\n" OFFER_FINGERPRINT
    "m=audio 57249 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.53\r\n" OBS_AUDIO
        OBS_CANDIDATES "a=end-of-candidates\r\n"
    "m=video 57249 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 192.0.2.53\r\n" OBS_VIDEO;

/* OBS 30.2 and later with a newer libdatachannel: ICE in every m-line, and
 * no candidates yet when the offer is sent. */
static const gchar obs32_offer[] = OBS_HEAD
    "a=ice-options:ice2,trickle\r\n" OFFER_FINGERPRINT
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n" OBS_AUDIO OBS_ICE
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n" OBS_VIDEO OBS_ICE;

#define OBS_HEADERS                                                            \
  "Accept: */*\r\nContent-Type: application/sdp\r\n"                           \
  "User-Agent: Mozilla/5.0 (OBS-Studio/32.0.1; Linux x86_64; en-US)\r\n"

/* whipclientsink of gst-plugins-rs, that is webrtcbin 1.24: every codec that
 * it can encode, each with retransmission; the second m-line in the bundle
 * only. */
#define RS_EXTMAP                                                              \
  "a=extmap:1 http://www.ietf.org/id/"                                         \
  "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
#define RS_ICE                                                                 \
  "a=setup:actpass\r\na=ice-ufrag:XSpSXnqHmAQrDRjX8c+o/8W0wN/Xw8cW\r\n"        \
  "a=ice-pwd:GJtQwV6nRkGmmnw0Rz1q0m3/AbcdEfgh\r\n"
#define RS_FEEDBACK(pt)                                                        \
  "a=rtcp-fb:" pt " nack\r\na=rtcp-fb:" pt " nack pli\r\n"                     \
  "a=rtcp-fb:" pt " ccm fir\r\na=rtcp-fb:" pt " transport-cc\r\n"
#define RS_RTX(pt, apt)                                                        \
  "a=rtpmap:" pt " rtx/90000\r\na=fmtp:" pt " apt=" apt "\r\n"

static const gchar whipclientsink_offer[] =
    "v=0\r\no=- 5621231658615911316 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    "a=ice-options:trickle\r\na=msid-semantic:WMS *\r\n"
    "a=extmap-allow-mixed\r\na=group:BUNDLE video0 audio1\r\n" OFFER_FINGERPRINT
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100 101 102 103\r\n"
    "c=IN IP4 0.0.0.0\r\n" RS_ICE
    "a=mid:video0\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" RS_EXTMAP
    "a=rtpmap:96 VP8/90000\r\n" RS_FEEDBACK ("96")
        RS_RTX ("97", "96") "a=rtpmap:98 H264/90000\r\n" RS_FEEDBACK (
            "98") "a=fmtp:98 packetization-mode=1;profile-level-id=42c01f;"
                  "level-asymmetry-allowed=1\r\n" RS_RTX ("99",
                      "98") "a=rtpmap:100 VP9/90000\r\n" RS_FEEDBACK ("100")
                      RS_RTX ("101",
                          "100") "a=rtpmap:102 H265/90000\r\n" RS_FEEDBACK ("10"
                                                                            "2")
                          RS_RTX ("103",
                              "102") "a=ssrc-group:FID 2718281828 "
                                     "3141592653\r\n"
                                     "a=ssrc:2718281828 msid:user1@host "
                                     "webrtctransceiver0\r\n"
                                     "a=ssrc:2718281828 cname:user1@host\r\n"
                                     "a=ssrc:3141592653 msid:user1@host "
                                     "webrtctransceiver0\r\n"
                                     "a=ssrc:3141592653 cname:user1@host\r\n"
                                     "a=sendonly\r\n"
                                     "a=candidate:1 1 UDP 2015363327 192.0.2.7 "
                                     "40001 typ host\r\n"
                                     "a=candidate:2 1 TCP 1015021823 192.0.2.7 "
                                     "9 typ host tcptype active\r\n"
                                     "a=candidate:3 1 TCP 1010827519 192.0.2.7 "
                                     "40002 typ host tcptype passive"
                                     "\r\na=end-of-candidates\r\n"
                                     "m=audio 0 UDP/TLS/RTP/SAVPF 104\r\nc=IN "
                                     "IP4 0.0.0.0\r\n" RS_ICE
                                     "a=bundle-only\r\na=mid:audio1\r\na=rtcp-"
                                     "mux\r\na=rtcp-rsize\r\n" RS_EXTMAP
                                     "a=rtpmap:104 "
                                     "OPUS/48000/2\r\na=rtcp-fb:104 "
                                     "transport-cc\r\n"
                                     "a=fmtp:104 "
                                     "sprop-stereo=0;sprop-maxcapturerate="
                                     "48000\r\n"
                                     "a=ssrc:1618033988 msid:user1@host "
                                     "webrtctransceiver1\r\n"
                                     "a=ssrc:1618033988 "
                                     "cname:user1@host\r\na=sendonly\r\n";

#define WHIPCLIENTSINK_HEADERS                                                 \
  "Content-Type: application/sdp\r\nAccept: */*\r\n"                           \
  "Accept-Encoding: gzip\r\n"
