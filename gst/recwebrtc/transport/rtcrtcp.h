/* gst-tsrec: the RTCP packets of a receiver
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes receiver reports (RFC 3550), NACK, PLI (RFC 4585), FIR (RFC 5104), REMB
 * (draft-alvestrand-rmcat-remb) and transport-wide congestion control feedback with GstRTCPBuffer, and reads
 * sender reports and BYE. Any thread.
 */

#pragma once

#include "rtcrtpsource.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Room for every packet that this file writes. */
#define RTC_RTCP_MAX_SIZE 1300
/* Sequence numbers of one NACK. */
#define RTC_RTCP_MAX_NACKS 250
/* Report blocks of one report (RFC 3550 section 6.4.2). */
#define RTC_RTCP_MAX_REPORTS 31

/* Returns whether a packet is RTCP rather than RTP, by its payload type
 * (RFC 5761 section 4). */
gboolean rtc_rtcp_is_rtcp (const guint8 *data, gsize size);

/* The writers return how many bytes of @out (RTC_RTCP_MAX_SIZE) are used. They
 * are compound packets (RFC 3550 section 6.1): @ssrc and @cname are ours. */

/* A receiver report and SDES. @n: 0 to RTC_RTCP_MAX_REPORTS. */
gsize rtc_rtcp_write_report (guint8 *out, guint32 ssrc, const gchar *cname,
    const RtcReport *reports, guint n);
/* Asks for the packets @seqs of @media again; n: 1 to RTC_RTCP_MAX_NACKS. */
gsize rtc_rtcp_write_nack (guint8 *out, guint32 ssrc, const gchar *cname,
    guint32 media, const guint16 *seqs, guint n);
/* Asks for a key frame of @media. */
gsize rtc_rtcp_write_pli (
    guint8 *out, guint32 ssrc, const gchar *cname, guint32 media);
gsize rtc_rtcp_write_fir (guint8 *out, guint32 ssrc, const gchar *cname,
    guint32 media, guint8 number);
/* @fci: of rtc_twcc_write(). */
gsize rtc_rtcp_write_twcc (guint8 *out, guint32 ssrc, const gchar *cname,
    guint32 media, const guint8 *fci, gsize size);

/* @bitrate: bit/s for all of the @n streams @media together; n: 1 to
 * RTC_RTCP_MAX_REPORTS. */
gsize rtc_rtcp_write_remb (guint8 *out, guint32 ssrc, const gchar *cname,
    const guint32 *media, guint n, guint bitrate);

/**
 * RtcRtcpCallbacks:
 * @sender_report: @ntp: 32.32 fixed point seconds since 1900
 * @bye: the SSRC has left
 */
typedef struct
{
  void (*sender_report) (
      guint32 ssrc, guint64 ntp, guint32 rtp_time, gpointer user_data);
  void (*bye) (guint32 ssrc, gpointer user_data);
} RtcRtcpCallbacks;

/* Returns FALSE when @data is not a valid compound or reduced-size packet;
 * nothing is called then. */
gboolean rtc_rtcp_parse (const guint8 *data, gsize size,
    const RtcRtcpCallbacks *callbacks, gpointer user_data);

G_END_DECLS
