/* gst-tsrec: conversion of access units for PES packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The needs of each codec in the transport stream, in one place: the payload
 * and the descriptors in the PMT follow the same table of codecs.
 */

#include "tscodec.h"
#include "tsac3.h"
#include "tspacket.h"

#include <stdlib.h>
#include <string.h>

static const struct
{
  const char *name;
  uint8_t stream_type;
  uint8_t stream_id;
  char registration[5]; /* format_identifier, or "" */
} codecs[TS_N_CODECS] = {
  [TS_CODEC_NONE] = { "none", 0, 0, "" },
  [TS_CODEC_H264] = { "H.264", TS_STREAM_TYPE_H264, TS_STREAM_ID_VIDEO, "" },
  [TS_CODEC_H265] = { "H.265", TS_STREAM_TYPE_H265, TS_STREAM_ID_VIDEO,
      "HEVC" },
  [TS_CODEC_H266] = { "H.266", TS_STREAM_TYPE_H266, TS_STREAM_ID_VIDEO, "" },
  [TS_CODEC_MPEG1_VIDEO] = { "MPEG-1 video", TS_STREAM_TYPE_MPEG1_VIDEO,
      TS_STREAM_ID_VIDEO, "" },
  [TS_CODEC_MPEG2_VIDEO] = { "MPEG-2 video", TS_STREAM_TYPE_MPEG2_VIDEO,
      TS_STREAM_ID_VIDEO, "" },
  [TS_CODEC_AAC_ADTS] = { "AAC (ADTS)", TS_STREAM_TYPE_AAC_ADTS,
      TS_STREAM_ID_AUDIO, "" },
  [TS_CODEC_AAC_RAW] = { "AAC", TS_STREAM_TYPE_AAC_ADTS, TS_STREAM_ID_AUDIO,
      "" },
  [TS_CODEC_AAC_LOAS] = { "AAC (LATM)", TS_STREAM_TYPE_AAC_ADTS,
      TS_STREAM_ID_AUDIO, "" },
  [TS_CODEC_MPEG1_AUDIO] = { "MPEG-1 audio", TS_STREAM_TYPE_MPEG1_AUDIO,
      TS_STREAM_ID_AUDIO, "" },
  [TS_CODEC_MPEG2_AUDIO] = { "MPEG-2 audio", TS_STREAM_TYPE_MPEG2_AUDIO,
      TS_STREAM_ID_AUDIO, "" },
  [TS_CODEC_AC3] = { "AC-3", TS_STREAM_TYPE_AC3, TS_STREAM_ID_PRIVATE_1,
      "AC-3" },
  [TS_CODEC_EAC3] = { "E-AC-3", TS_STREAM_TYPE_EAC3, TS_STREAM_ID_PRIVATE_1,
      "EAC3" },
  /* The format_identifier depends on the length of the frames. */
  [TS_CODEC_DTS] = { "DTS", TS_STREAM_TYPE_PRIVATE_PES, TS_STREAM_ID_PRIVATE_1,
      "" },
  [TS_CODEC_OPUS] = { "Opus", TS_STREAM_TYPE_PRIVATE_PES,
      TS_STREAM_ID_PRIVATE_1, "Opus" },
  [TS_CODEC_KLV] = { "KLV", TS_STREAM_TYPE_PRIVATE_PES, TS_STREAM_ID_PRIVATE_1,
      "KLVA" },
  [TS_CODEC_ID3] = { "ID3", TS_STREAM_TYPE_METADATA_PES, TS_STREAM_ID_PRIVATE_1,
      "" },
  [TS_CODEC_DVB_SUBTITLE] = { "DVB subtitles", TS_STREAM_TYPE_PRIVATE_PES,
      TS_STREAM_ID_PRIVATE_1, "" },
  [TS_CODEC_TELETEXT] = { "teletext", TS_STREAM_TYPE_PRIVATE_PES,
      TS_STREAM_ID_PRIVATE_1, "" },
};

const char *
ts_codec_get_name (TsCodec codec)
{
  return (unsigned)codec < TS_N_CODECS ? codecs[codec].name : "none";
}

uint8_t
ts_codec_get_stream_id (TsCodec codec)
{
  return codecs[codec].stream_id;
}

bool
ts_codec_is_video (TsCodec codec)
{
  return codec >= TS_CODEC_H264 && codec <= TS_CODEC_MPEG2_VIDEO;
}

bool
ts_codec_is_audio (TsCodec codec)
{
  return codec >= TS_CODEC_AAC_ADTS && codec <= TS_CODEC_OPUS;
}

/* --- Payload --- */

static void
add_span (TsPayload *payload, const uint8_t *data, size_t size)
{
  if (size == 0)
    return;
  payload->spans[payload->n_spans].data = data;
  payload->spans[payload->n_spans].size = size;
  payload->n_spans++;
  payload->size += size;
}

/* --- H.264, H.265, H.266 --- */

/* Reads the order and the duration of a picture from the header of its first
 * slice and from the parameter sets of that slice. */
static void
read_slice (TsCodecState *state, const RecNalUnit *nal, TsPicture *picture)
{
  const TsParameterSets *sets = state->sets;
  int id = rec_nal_get_slice_pps_id (state->syntax, nal);
  RecNalPps pps = { .sps_id = sets->last_sps };
  RecNalSlice slice;

  if (id >= 0 && sets->pps[id].valid)
    pps = sets->pps[id];
  rec_nal_parse_slice (
      state->syntax, nal, &sets->sps[pps.sps_id], &pps, &slice);
  ts_picture_from_slice (
      &state->pictures, state->syntax, &sets->sps[pps.sps_id], &slice, picture);
}

/* If a sender repeats parameter sets before every slice, as rtph264pay
 * config-interval=-1 does, a parser makes an access unit of each slice, and
 * only the first has a timestamp. The others belong to the access unit before.
 * They are written without the parameter sets, which would end it (H.264
 * 7.4.1.2.3). */
static void
add_continuation (
    const TsAccessUnit *au, const uint8_t *from, TsPayload *payload)
{
  add_span (payload, from, au->size - (size_t)(from - au->data));
  payload->random_access = false;
  payload->dependent = true;
}

static bool
prepare_nal (TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  TsParameterSets *sets = state->sets;
  size_t aud_end = 0, n_nals = 0;
  bool random_access = false, leads = false, has_slice = false;
  bool layer = false;
  bool untimed = au->pts == TS_TIME_NONE && au->dts == TS_TIME_NONE;
  RecNalScanner scanner;
  RecNalUnit nal;

  sets->serial++;
  sets->n_seen = 0;
  rec_nal_scanner_init (&scanner, state->syntax, au->data, au->size);
  while (rec_nal_scanner_next (&scanner, &nal)) {
    if (nal.kind == REC_NAL_AUD && n_nals == 0)
      aud_end = (size_t)(nal.data - au->data) + nal.size;
    else if (nal.kind >= REC_NAL_VPS && nal.kind <= REC_NAL_PPS)
      ts_parameter_sets_keep (sets, state->syntax, &nal);
    random_access |= rec_nal_is_random_access (state->syntax, &nal);
    leads |= nal.kind >= REC_NAL_VPS && nal.kind <= REC_NAL_SEI;
    has_slice |= nal.kind >= REC_NAL_SLICE;
    layer |= nal.kind == REC_NAL_LAYER;
    if (untimed && state->has_picture &&
        rec_nal_continues_picture (state->syntax, &nal)) {
      add_continuation (au, au->data + nal.offset, payload);
      return true;
    }
    if (nal.kind >= REC_NAL_SLICE)
      read_slice (state, &nal, &payload->picture);
    n_nals++;
  }
  if (n_nals == 0)
    return false;
  /* Another layer of the picture before, sent as a buffer of its own. */
  if (layer && !has_slice && state->has_picture) {
    add_continuation (au, au->data + aud_end, payload);
    return true;
  }
  state->has_picture |= has_slice;
  payload->random_access = random_access;
  payload->leads = leads && !has_slice && state->format.length_size == 0;
  if (aud_end == 0) {
    size_t size;
    const uint8_t *aud = rec_nal_get_aud (state->syntax, random_access, &size);

    add_span (payload, aud, size);
  } else {
    add_span (payload, au->data, aud_end);
  }
  if (random_access && sets->n_seen < sets->n_sets &&
      (!sets->changed || ts_parameter_sets_join (sets)))
    add_span (payload, sets->joined, sets->joined_size);
  add_span (payload, au->data + aud_end, au->size - aud_end);
  return true;
}

size_t
ts_codec_get_delimiter_size (
    const TsCodecState *state, const uint8_t *data, size_t size)
{
  RecNalScanner scanner;
  RecNalUnit nal;

  rec_nal_scanner_init (&scanner, state->syntax, data, size);
  if (!rec_nal_scanner_next (&scanner, &nal) || nal.kind != REC_NAL_AUD)
    return 0;
  return (size_t)(nal.data - data) + nal.size;
}

/* --- MPEG-1 and MPEG-2 video --- */

/* ISO/IEC 13818-2 6.2.1, start code values */
#define PICTURE_START_CODE 0x00
#define SEQUENCE_HEADER_CODE 0xb3
#define SLICE_START_CODE_MAX 0xaf
#define PICTURE_CODING_TYPE_I 1

static bool
prepare_mpeg_video (
    TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  size_t pos = rec_nal_find_start_code (au->data, au->size, 0);
  bool sequence = false, found = pos < au->size;

  while (pos + 5 < au->size) {
    unsigned code = au->data[pos + 3];

    ts_picture_read_mpeg_header (
        &state->pictures, au->data + pos, au->size - pos);
    if (code == SEQUENCE_HEADER_CODE)
      sequence = true;
    if (code == PICTURE_START_CODE) {
      /* temporal_reference (10 bits), then picture_coding_type */
      unsigned type = au->data[pos + 5] >> 3 & 7;

      payload->random_access = sequence && type == PICTURE_CODING_TYPE_I;
    } else if (code <= SLICE_START_CODE_MAX) {
      break;
    }
    pos = rec_nal_find_start_code (au->data, au->size, pos + 4);
  }
  ts_picture_from_mpeg (&state->pictures, &payload->picture);
  add_span (payload, au->data, au->size);
  return found;
}

/* --- Audio and data --- */

static bool
prepare_raw_aac (
    TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  size_t size =
      ts_adts_write_prefix (state->header, &state->adts, au->data, au->size);

  add_span (payload, state->header, size);
  add_span (payload, au->data, au->size);
  return size > 0;
}

static bool
prepare_loas (TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  size_t size = ts_loas_to_adts (&state->loas->state, au->data, au->size,
      state->loas->adts, sizeof (state->loas->adts));

  add_span (payload, state->loas->adts, size);
  return size > 0;
}

/* Limits the trims to the samples of the packet. If the source gives the
 * packet a duration, the end trim cannot cover all of it. */
static void
get_trim (
    const TsAccessUnit *au, unsigned samples, unsigned *start, unsigned *end)
{
  *start = au->trim_start < samples ? au->trim_start : samples;
  *end = au->trim_end;
  if (*end > samples - *start)
    *end = au->duration > 0 ? 0 : samples - *start;
  if (*start > TS_OPUS_MAX_TRIM)
    *start = TS_OPUS_MAX_TRIM;
  if (*end > TS_OPUS_MAX_TRIM)
    *end = TS_OPUS_MAX_TRIM;
}

/* opus_access_unit () of the carriage of Opus in MPEG-2 transport streams:
 * control_header_prefix 0x3ff (11 bits), start_trim_flag, end_trim_flag,
 * control_extension_flag, two reserved bits; au_size in steps of 255; trims. */
static size_t
write_control_header (uint8_t *p, size_t size, unsigned start, unsigned end)
{
  uint8_t *first = p;

  *p++ = 0x7f;
  *p++ = (uint8_t)(0xe0 | (start ? 0x10 : 0) | (end ? 0x08 : 0));
  for (; size >= 255; size -= 255)
    *p++ = 255;
  *p++ = (uint8_t)size;
  if (start) {
    *p++ = (uint8_t)(start >> 8 & 0x1f);
    *p++ = (uint8_t)start;
  }
  if (end) {
    *p++ = (uint8_t)(end >> 8 & 0x1f);
    *p++ = (uint8_t)end;
  }
  return (size_t)(p - first);
}

static bool
prepare_opus (TsCodecState *state, TsAccessUnit *au, TsPayload *payload,
    TsFrameLength *length)
{
  unsigned samples = ts_opus_get_samples (au->data, au->size), start, end, n;
  TsSpan spans[TS_OPUS_MAX_ORDER + 2];
  size_t size = 0;

  if (au->size > TS_OPUS_MAX_SIZE)
    return false;
  n = ts_opus_order (&state->opus, au->data, au->size, spans);
  get_trim (au, samples, &start, &end);
  for (unsigned i = 0; i < n; i++)
    size += spans[i].size;
  add_span (payload, state->header,
      write_control_header (state->header, size, start, end));
  for (unsigned i = 0; i < n; i++)
    add_span (payload, spans[i].data, spans[i].size);
  if (samples > 0) {
    length->rate = 48000;
    length->coded = samples;
    length->presented = samples - start - end;
    length->silent = start > 0 && length->presented == 0;
    length->believed = start == 0;
  }
  return n > 0;
}

/* Codecs whose frames start with a syncword of up to 16 bits. */
static bool
prepare_sync (
    const TsAccessUnit *au, unsigned mask, unsigned sync, TsPayload *payload)
{
  if (au->size < 2 || ((au->data[0] << 8 | au->data[1]) & mask) != sync)
    return false;
  add_span (payload, au->data, au->size);
  return true;
}

/* Returns the duration of an audio frame by its own header, ns, 0 if unknown.
 * ADTS: ISO/IEC 14496-3 1.A.2.2; MPEG audio: ISO/IEC 11172-3 2.4.2.3. */
static int64_t
get_duration (
    TsCodec codec, const TsPayload *payload, const TsFrameLength *length)
{
  static const uint32_t aac[16] = { 96000, 88200, 64000, 48000, 44100, 32000,
    24000, 22050, 16000, 12000, 11025, 8000, 7350 };
  static const uint32_t mpeg[4] = { 44100, 48000, 32000 };
  const uint8_t *data = payload->spans[0].data;
  uint32_t rate = length->rate, samples = length->coded;

  if (payload->n_spans == 0 || payload->spans[0].size < 4)
    return 0;
  if (codec >= TS_CODEC_AAC_ADTS && codec <= TS_CODEC_AAC_LOAS &&
      payload->spans[0].size >= TS_ADTS_HEADER_SIZE) {
    rate = aac[data[2] >> 2 & 15];
    samples = 1024 * ((data[6] & 3) + 1u);
  } else if (codec == TS_CODEC_MPEG1_AUDIO || codec == TS_CODEC_MPEG2_AUDIO) {
    unsigned version = data[1] >> 3 & 3, layer = 4 - (data[1] >> 1 & 3);

    /* 3: MPEG-1, 2: MPEG-2, 0: "MPEG-2.5" */
    rate = mpeg[data[2] >> 2 & 3] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    samples = layer == 1 ? 384 : layer == 3 && version != 3 ? 576 : 1152;
  }
  return rate > 0 ? (int64_t)samples * TS_NS_PER_S / rate : 0;
}

/* AC-3, E-AC-3 and DTS: a dependent frame has no time of its own. */
static bool
prepare_frame (TsCodecState *state, const TsAccessUnit *au, TsPayload *payload,
    TsFrameLength *length)
{
  bool dts = state->codec == TS_CODEC_DTS;
  TsAudioFrame frame;

  if (!(dts ? ts_dts_read_frame : ts_ac3_read_frame) (
          au->data, au->size, &frame))
    return false;
  add_span (payload, au->data, au->size);
  payload->dependent = frame.dependent && state->has_core;
  /* nExtSSIndex increases within a frame. An index that does not increase
   * begins another frame, which has no core. */
  if (dts)
    payload->dependent = frame.dependent && frame.index >= state->next_index &&
        (state->has_core || state->next_index > 0);
  state->next_index = frame.next_index;
  if (payload->dependent) {
    payload->random_access = false;
    if (au->pts != TS_TIME_NONE)
      ts_frame_time_add_hidden (&state->frame_time, &frame.length);
    return true;
  }
  state->has_core = frame.core;
  *length = frame.length;
  if (dts && frame.length.coded != state->dts_samples) {
    payload->described = frame.length.coded > 0;
    state->dts_samples = frame.length.coded;
  }
  return true;
}

static bool
prepare_dvb (TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  bool known = state->pages.known;
  TsSpan spans[TS_DVB_MAX_SPANS];
  unsigned n;

  if (state->codec == TS_CODEC_TELETEXT)
    n = ts_dvb_wrap_teletext (au->data, au->size, spans, &state->pages);
  else
    n = ts_dvb_wrap_subtitles (au->data, au->size, spans, &state->pages);
  for (unsigned i = 0; i < n; i++)
    add_span (payload, spans[i].data, spans[i].size);
  payload->described = state->pages.known && !known;
  return n > 0;
}

static bool
prepare_audio (TsCodecState *state, TsAccessUnit *au, TsPayload *payload)
{
  TsFrameLength length = { 0 };
  bool ok = false;

  switch (state->codec) {
    case TS_CODEC_AAC_ADTS:
      ok = prepare_sync (au, 0xfff6, 0xfff0, payload);
      break;
    case TS_CODEC_AAC_RAW:
      ok = prepare_raw_aac (state, au, payload);
      break;
    case TS_CODEC_AAC_LOAS:
      ok = prepare_loas (state, au, payload);
      break;
    case TS_CODEC_MPEG1_AUDIO:
    case TS_CODEC_MPEG2_AUDIO:
      ok = prepare_sync (au, 0xffe0, 0xffe0, payload);
      length.silent = ok && ts_mpeg_audio_is_info_frame (au->data, au->size);
      break;
    case TS_CODEC_AC3:
    case TS_CODEC_EAC3:
    case TS_CODEC_DTS:
      ok = prepare_frame (state, au, payload, &length);
      break;
    case TS_CODEC_OPUS:
      ok = prepare_opus (state, au, payload, &length);
      break;
    default:
      break;
  }
  length.silent |= au->duration == 0;
  if (ok && !payload->dependent) {
    payload->duration = get_duration (state->codec, payload, &length);
    ts_frame_time_fix (&state->frame_time, &length, &au->pts, &au->dts);
  }
  return ok;
}

bool
ts_codec_prepare (TsCodecState *state, TsAccessUnit *au, TsPayload *payload)
{
  TsAccessUnit converted;

  memset (payload, 0, sizeof (*payload));
  if (state->format.length_size > 0) {
    converted = *au;
    if (!rec_nal_format_convert (&state->format, au->data, au->size,
            &converted.data, &converted.size))
      return false;
    au = &converted;
  }
  /* Every audio frame is a random access point. */
  payload->random_access = !ts_codec_is_video (state->codec);
  if (ts_codec_is_audio (state->codec))
    return prepare_audio (state, au, payload);
  switch (state->codec) {
    case TS_CODEC_H264:
    case TS_CODEC_H265:
    case TS_CODEC_H266:
      return prepare_nal (state, au, payload);
    case TS_CODEC_MPEG1_VIDEO:
    case TS_CODEC_MPEG2_VIDEO:
      return prepare_mpeg_video (state, au, payload);
    case TS_CODEC_DVB_SUBTITLE:
    case TS_CODEC_TELETEXT:
      return prepare_dvb (state, au, payload);
    case TS_CODEC_KLV:
    case TS_CODEC_ID3:
      add_span (payload, au->data, au->size);
      return true;
    default:
      return false;
  }
}

/* --- Descriptors in the PMT --- */

/* ISO/IEC 13818-1 2.6.60, filled as in Apple's "Timed Metadata for HTTP Live
 * Streaming": application format and metadata format are "ID3 ". */
static void
describe_id3 (TsPsiStream *psi)
{
  static const uint8_t metadata[] = { 0xff, 0xff, 'I', 'D', '3', ' ', 0xff, 'I',
    'D', '3', ' ', 0x00, 0x0f };

  ts_psi_add_descriptor (
      psi, TS_DESCRIPTOR_METADATA, metadata, sizeof (metadata));
}

/* SMPTE registration authority: DTS1, DTS2 and DTS3 for 512, 1024 and 2048
 * samples per frame. */
static void
describe_dts (unsigned samples, TsPsiStream *psi)
{
  uint8_t format[] = { 'D', 'T', 'S', '1' };

  if (samples > 512)
    format[3] = samples > 1024 ? '3' : '2';
  ts_psi_add_descriptor (
      psi, TS_DESCRIPTOR_REGISTRATION, format, sizeof (format));
}

bool
ts_codec_describe (TsCodecState *state, const TsTrackConfig *config,
    TsPsiStream *psi, const char **reason)
{
  const char *registration = codecs[config->codec].registration;
  /* audio_type undefined */
  uint8_t language[4] = { 0, 0, 0, 0 };

  memset (psi, 0, sizeof (*psi));
  psi->stream_type = codecs[config->codec].stream_type;
  if (registration[0])
    ts_psi_add_descriptor (
        psi, TS_DESCRIPTOR_REGISTRATION, (const uint8_t *)registration, 4);
  switch (config->codec) {
    case TS_CODEC_OPUS:
      if (!ts_opus_init (&state->opus, config, psi, reason))
        return false;
      break;
    case TS_CODEC_DTS:
      describe_dts (state->dts_samples, psi);
      break;
    case TS_CODEC_ID3:
      describe_id3 (psi);
      break;
    case TS_CODEC_DVB_SUBTITLE: /* their descriptors include the language */
      ts_dvb_describe_subtitles (&state->pages, config->language, psi);
      return true;
    case TS_CODEC_TELETEXT:
      ts_dvb_describe_teletext (&state->pages, config->language, psi);
      return true;
    default:
      break;
  }
  if (config->language[0]) {
    memcpy (language, config->language, 3);
    ts_psi_add_descriptor (
        psi, TS_DESCRIPTOR_ISO_639_LANGUAGE, language, sizeof (language));
  }
  return true;
}

bool
ts_codec_init (TsCodecState *state, const TsTrackConfig *config,
    TsPsiStream *psi, const char **reason)
{
  memset (state, 0, sizeof (*state));
  *reason = "unknown codec";
  if (config->codec <= TS_CODEC_NONE || config->codec >= TS_N_CODECS)
    return false;
  state->codec = config->codec;
  ts_frame_time_init (&state->frame_time);
  ts_picture_state_init (&state->pictures);
  if (!ts_codec_describe (state, config, psi, reason))
    return false;
  if (config->codec == TS_CODEC_AAC_RAW &&
      !ts_adts_init (&state->adts, config->audio_specific_config,
          config->audio_specific_config_size, reason))
    return false;
  if (config->codec >= TS_CODEC_H264 && config->codec <= TS_CODEC_H266) {
    state->syntax =
        (RecNalSyntax)(REC_NAL_H264 + (config->codec - TS_CODEC_H264));
    if (config->decoder_configuration &&
        !rec_nal_format_init (&state->format, state->syntax,
            config->decoder_configuration, config->decoder_configuration_size,
            reason))
      return false;
    state->sets = calloc (1, sizeof (*state->sets));
    *reason = "out of memory";
    return state->sets != NULL;
  }
  if (config->codec == TS_CODEC_AAC_LOAS) {
    state->loas = calloc (1, sizeof (*state->loas));
    *reason = "out of memory";
    return state->loas != NULL;
  }
  return true;
}

void
ts_codec_clear (TsCodecState *state)
{
  ts_parameter_sets_free (state->sets);
  state->sets = NULL;
  free (state->loas);
  state->loas = NULL;
  rec_nal_format_clear (&state->format);
}

void
ts_codec_keep_parameter_sets (TsCodecState *state, TsCodecState *old)
{
  ts_parameter_sets_free (state->sets);
  state->sets = old->sets;
  old->sets = NULL;
  ts_codec_clear (old);
}
