/* gst-tsrec: the RTCP packets of a receiver
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcrtcp.h"

#include <gst/rtp/rtp.h>
#include <string.h>

/* SSRC and sender information (RFC 3550 section 6.4.1), without the header. */
#define SR_WORDS 6

gboolean
rtc_rtcp_is_rtcp (const guint8 *data, gsize size)
{
  return size >= 8 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

/* --- writing --- */

typedef struct
{
  GstBuffer *buffer;
  GstRTCPBuffer rtcp;
} Writer;

/* Begins with a report and our CNAME. */
static void
begin (Writer *writer, guint32 ssrc, const gchar *cname,
    const RtcReport *reports, guint n)
{
  GstRTCPPacket packet;

  writer->buffer = gst_rtcp_buffer_new (RTC_RTCP_MAX_SIZE);
  writer->rtcp = (GstRTCPBuffer)GST_RTCP_BUFFER_INIT;
  gst_rtcp_buffer_map (writer->buffer, GST_MAP_READWRITE, &writer->rtcp);
  gst_rtcp_buffer_add_packet (&writer->rtcp, GST_RTCP_TYPE_RR, &packet);
  gst_rtcp_packet_rr_set_ssrc (&packet, ssrc);
  for (guint i = 0; i < n; i++)
    gst_rtcp_packet_add_rb (&packet, reports[i].ssrc, reports[i].fraction_lost,
        reports[i].lost, reports[i].highest, reports[i].jitter,
        reports[i].last_report, reports[i].delay);
  gst_rtcp_buffer_add_packet (&writer->rtcp, GST_RTCP_TYPE_SDES, &packet);
  gst_rtcp_packet_sdes_add_item (&packet, ssrc);
  gst_rtcp_packet_sdes_add_entry (&packet, GST_RTCP_SDES_CNAME,
      (guint8)strlen (cname), (const guint8 *)cname);
}

static gsize
finish (Writer *writer, guint8 *out)
{
  gsize size;

  gst_rtcp_buffer_unmap (&writer->rtcp);
  size = gst_buffer_extract (writer->buffer, 0, out, RTC_RTCP_MAX_SIZE);
  gst_buffer_unref (writer->buffer);
  return size;
}

/* Returns the FCI of a feedback message, @words long; NULL: no room. */
static guint8 *
add_feedback (Writer *writer, GstRTCPType type, GstRTCPFBType kind,
    guint32 ssrc, guint32 media, gsize words)
{
  GstRTCPPacket packet;

  if (!gst_rtcp_buffer_add_packet (&writer->rtcp, type, &packet))
    return NULL;
  gst_rtcp_packet_fb_set_type (&packet, kind);
  gst_rtcp_packet_fb_set_sender_ssrc (&packet, ssrc);
  gst_rtcp_packet_fb_set_media_ssrc (&packet, media);
  if (words == 0 ||
      !gst_rtcp_packet_fb_set_fci_length (&packet, (guint16)words))
    return NULL;
  return gst_rtcp_packet_fb_get_fci (&packet);
}

gsize
rtc_rtcp_write_report (guint8 *out, guint32 ssrc, const gchar *cname,
    const RtcReport *reports, guint n)
{
  Writer writer;

  begin (&writer, ssrc, cname, reports, MIN (n, RTC_RTCP_MAX_REPORTS));
  return finish (&writer, out);
}

/* PID and BLP (RFC 4585 section 6.2.1): a number, and a bit for each of the 16
 * behind it. Returns the words of FCI. */
static gsize
pack_nacks (const guint16 *seqs, guint n, guint32 *words)
{
  gsize used = 0;

  for (guint i = 0; i < n;) {
    guint16 pid = seqs[i++], blp = 0;

    while (i < n && (guint16)(seqs[i] - pid - 1) < 16)
      blp |= (guint16)(1u << (guint16)(seqs[i++] - pid - 1));
    words[used++] = (guint32)pid << 16 | blp;
  }
  return used;
}

gsize
rtc_rtcp_write_nack (guint8 *out, guint32 ssrc, const gchar *cname,
    guint32 media, const guint16 *seqs, guint n)
{
  guint32 words[RTC_RTCP_MAX_NACKS];
  gsize used = pack_nacks (seqs, MIN (n, RTC_RTCP_MAX_NACKS), words);
  Writer writer;
  guint8 *fci;

  begin (&writer, ssrc, cname, NULL, 0);
  fci = add_feedback (&writer, GST_RTCP_TYPE_RTPFB, GST_RTCP_RTPFB_TYPE_NACK,
      ssrc, media, used);
  for (gsize i = 0; fci && i < used; i++)
    GST_WRITE_UINT32_BE (fci + 4 * i, words[i]);
  return finish (&writer, out);
}

gsize
rtc_rtcp_write_pli (
    guint8 *out, guint32 ssrc, const gchar *cname, guint32 media)
{
  Writer writer;

  begin (&writer, ssrc, cname, NULL, 0);
  add_feedback (
      &writer, GST_RTCP_TYPE_PSFB, GST_RTCP_PSFB_TYPE_PLI, ssrc, media, 0);
  return finish (&writer, out);
}

/* RFC 5104 section 4.3.1: the SSRC is in the FCI, that of the header is 0. */
gsize
rtc_rtcp_write_fir (
    guint8 *out, guint32 ssrc, const gchar *cname, guint32 media, guint8 number)
{
  Writer writer;
  guint8 *fci;

  begin (&writer, ssrc, cname, NULL, 0);
  fci = add_feedback (
      &writer, GST_RTCP_TYPE_PSFB, GST_RTCP_PSFB_TYPE_FIR, ssrc, 0, 2);
  if (fci) {
    GST_WRITE_UINT32_BE (fci, media);
    GST_WRITE_UINT32_BE (fci + 4, (guint32)number << 24);
  }
  return finish (&writer, out);
}

gsize
rtc_rtcp_write_twcc (guint8 *out, guint32 ssrc, const gchar *cname,
    guint32 media, const guint8 *data, gsize size)
{
  Writer writer;
  guint8 *fci;

  begin (&writer, ssrc, cname, NULL, 0);
  fci = add_feedback (&writer, GST_RTCP_TYPE_RTPFB, GST_RTCP_RTPFB_TYPE_TWCC,
      ssrc, media, size / 4);
  if (fci)
    memcpy (fci, data, size / 4 * 4);
  return finish (&writer, out);
}

/* Section 2.2 of the draft: 18 bits of mantissa and 6 of exponent. */
gsize
rtc_rtcp_write_remb (guint8 *out, guint32 ssrc, const gchar *cname,
    const guint32 *media, guint n, guint bitrate)
{
  guint32 mantissa = bitrate, exponent = 0;
  Writer writer;
  guint8 *fci;

  n = MIN (n, RTC_RTCP_MAX_REPORTS);
  for (; mantissa > 0x3ffff; mantissa >>= 1)
    exponent++;
  begin (&writer, ssrc, cname, NULL, 0);
  fci = add_feedback (
      &writer, GST_RTCP_TYPE_PSFB, GST_RTCP_PSFB_TYPE_AFB, ssrc, 0, 2 + n);
  if (fci) {
    memcpy (fci, "REMB", 4);
    GST_WRITE_UINT32_BE (fci + 4, n << 24 | exponent << 18 | mantissa);
    for (guint i = 0; i < n; i++)
      GST_WRITE_UINT32_BE (fci + 8 + 4 * i, media[i]);
  }
  return finish (&writer, out);
}

/* --- reading --- */

static void
read_packet (GstRTCPPacket *packet, const RtcRtcpCallbacks *callbacks,
    gpointer user_data)
{
  guint32 ssrc, rtp_time, packets, octets;
  guint words = gst_rtcp_packet_get_length (packet);
  guint64 ntp;

  /* GStreamer compares the length of a packet with the datagram only, and not
   * with what the kind of packet has. */
  switch (gst_rtcp_packet_get_type (packet)) {
    case GST_RTCP_TYPE_SR:
      if (words < SR_WORDS)
        break;
      gst_rtcp_packet_sr_get_sender_info (
          packet, &ssrc, &ntp, &rtp_time, &packets, &octets);
      callbacks->sender_report (ssrc, ntp, rtp_time, user_data);
      break;
    case GST_RTCP_TYPE_BYE:
      if (words < gst_rtcp_packet_bye_get_ssrc_count (packet))
        break;
      for (guint i = 0; i < gst_rtcp_packet_bye_get_ssrc_count (packet); i++)
        callbacks->bye (
            gst_rtcp_packet_bye_get_nth_ssrc (packet, i), user_data);
      break;
    default:
      break;
  }
}

gboolean
rtc_rtcp_parse (const guint8 *data, gsize size,
    const RtcRtcpCallbacks *callbacks, gpointer user_data)
{
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  GstBuffer *buffer;

  if (!gst_rtcp_buffer_validate_data_reduced ((guint8 *)data, (guint)size))
    return FALSE;
  buffer = gst_buffer_new_memdup (data, size);
  gst_rtcp_buffer_map (buffer, GST_MAP_READ, &rtcp);
  for (gboolean more = gst_rtcp_buffer_get_first_packet (&rtcp, &packet); more;
       more = gst_rtcp_packet_move_to_next (&packet))
    read_packet (&packet, callbacks, user_data);
  gst_rtcp_buffer_unmap (&rtcp);
  gst_buffer_unref (buffer);
  return TRUE;
}
