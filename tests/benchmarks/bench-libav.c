/* gst-tsrec: libavformat as a peer of the benchmark
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <libavformat/avformat.h>

static void
add_stream (AVFormatContext *format, enum AVMediaType type, enum AVCodecID id)
{
  AVStream *stream = avformat_new_stream (format, NULL);

  stream->codecpar->codec_type = type;
  stream->codecpar->codec_id = id;
  stream->codecpar->sample_rate = type == AVMEDIA_TYPE_AUDIO ? 48000 : 0;
  stream->time_base = (AVRational){ 1, 90000 };
}

/* Timestamps along the load; every packet goes to the kernel at once. */
static int
write_unit (AVFormatContext *format, AVPacket *packet, const GstMapInfo *unit,
    int stream, guint number, gboolean key)
{
  packet->data = unit->data;
  packet->size = (int)unit->size;
  packet->stream_index = stream;
  packet->pts = packet->dts = (int64_t)number * 90000 / BENCH_FPS;
  packet->flags = key ? AV_PKT_FLAG_KEY : 0;
  return av_write_frame (format, packet);
}

static int
write_all (AVFormatContext *format, const BenchLoad *load)
{
  GstMapInfo key, delta, audio;
  AVPacket *packet = av_packet_alloc ();
  int result = 0;

  gst_buffer_map (load->key, &key, GST_MAP_READ);
  gst_buffer_map (load->delta, &delta, GST_MAP_READ);
  gst_buffer_map (load->audio, &audio, GST_MAP_READ);
  for (guint i = 0; result >= 0 && i < load->pairs; i++) {
    gboolean is_key = i % BENCH_KEY_EVERY == 0;

    result = write_unit (format, packet, is_key ? &key : &delta, 0, i, is_key);
    if (result >= 0)
      result = write_unit (format, packet, &audio, 1, i, TRUE);
  }
  gst_buffer_unmap (load->key, &key);
  gst_buffer_unmap (load->delta, &delta);
  gst_buffer_unmap (load->audio, &audio);
  packet->data = NULL;
  packet->size = 0;
  av_packet_free (&packet);
  return result;
}

guint64
bench_run_libav (
    const BenchPeer *peer, const BenchLoad *load, const gchar *path)
{
  AVFormatContext *format = NULL;
  AVDictionary *dict = NULL;
  guint64 time = 0;
  int result;

  av_log_set_level (AV_LOG_ERROR);
  result = avformat_alloc_output_context2 (&format, NULL, "mpegts", path);
  if (result >= 0) {
    add_stream (format, AVMEDIA_TYPE_VIDEO, AV_CODEC_ID_H264);
    add_stream (format, AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_AAC);
    format->flags |= AVFMT_FLAG_FLUSH_PACKETS;
    format->flush_packets = 1;
    result = avio_open (&format->pb, path, AVIO_FLAG_WRITE);
  }
  /* Without it, audio frames wait until they fill a PES packet of 2,930 bytes,
   * and are not on disk when av_write_frame() returns. */
  av_dict_set_int (&dict, "pes_payload_size", 0, 0);
  if (result >= 0)
    result = avformat_write_header (format, &dict);
  av_dict_free (&dict);
  if (result >= 0) {
    guint64 start = bench_cpu_time ();

    result = write_all (format, load);
    if (result >= 0)
      result = av_write_trailer (format);
    if (result >= 0 && peer->sync && !bench_sync (path))
      result = AVERROR (errno);
    time = bench_cpu_time () - start;
  }
  if (result < 0) {
    g_printerr ("%s: %s\n", peer->name, av_err2str (result));
    time = 0;
  }
  if (format) {
    avio_closep (&format->pb);
    avformat_free_context (format);
  }
  return time;
}
