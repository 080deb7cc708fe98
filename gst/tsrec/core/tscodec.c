/* gst-tsrec: what each codec needs before it can go into a PES packet
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tscodec.h"
#include "tspacket.h"

#include <stdlib.h>
#include <string.h>

static const struct
{
  const char *name;
  uint8_t stream_type;
  uint8_t stream_id;
  char registration[5]; /* format_identifier, where one is needed */
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
  [TS_CODEC_OPUS] = { "Opus", TS_STREAM_TYPE_PRIVATE_PES,
      TS_STREAM_ID_PRIVATE_1, "Opus" },
  [TS_CODEC_KLV] = { "KLV", TS_STREAM_TYPE_PRIVATE_PES, TS_STREAM_ID_PRIVATE_1,
      "KLVA" },
  [TS_CODEC_ID3] = { "ID3", TS_STREAM_TYPE_METADATA_PES, TS_STREAM_ID_PRIVATE_1,
      "" },
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

/* --- Payload */

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

/* --- H.264, H.265, H.266 */

static const uint8_t start_code[] = { 0, 0, 0, 1 };

static bool
join_parameter_sets (TsParameterSets *sets)
{
  uint8_t *p = realloc (sets->joined, sets->bytes > 0 ? sets->bytes : 1);

  if (p == NULL)
    return false;
  sets->joined = p;
  for (int kind = 0; kind < 3; kind++) {
    for (int id = 0; id < TS_MAX_PARAMETER_SETS; id++) {
      TsParameterSet *set = &sets->sets[kind][id];

      if (set->size == 0)
        continue;
      memcpy (p, start_code, sizeof (start_code));
      memcpy (p + sizeof (start_code), set->data, set->size);
      p += sizeof (start_code) + set->size;
    }
  }
  sets->joined_size = sets->bytes;
  sets->changed = false;
  return true;
}

/* Keeps a parameter set; one that is the same as before costs a comparison. */
static void
keep_parameter_set (TsParameterSets *sets, NalSyntax syntax, const NalUnit *nal)
{
  int kind = nal->kind - NAL_VPS;
  int id = nal_get_parameter_set_id (syntax, nal);
  TsParameterSet *set;
  uint8_t *data;
  size_t bytes;

  if (id < 0)
    return;
  set = &sets->sets[kind][id];
  if (set->serial != sets->serial && set->size > 0)
    sets->n_seen++;
  set->serial = sets->serial;
  if (set->size == nal->size && memcmp (set->data, nal->data, nal->size) == 0)
    return;
  bytes = sets->bytes + sizeof (start_code) + nal->size;
  if (set->size > 0)
    bytes -= sizeof (start_code) + set->size;
  if (bytes > TS_MAX_PARAMETER_BYTES)
    return;
  data = realloc (set->data, nal->size);
  if (data == NULL)
    return;
  memcpy (data, nal->data, nal->size);
  if (set->size == 0) {
    sets->n_sets++;
    sets->n_seen++;
  }
  set->data = data;
  set->size = nal->size;
  sets->bytes = bytes;
  sets->changed = true;
}

static bool
prepare_nal (TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  TsParameterSets *sets = state->sets;
  size_t aud_end = 0, n_nals = 0;
  bool random_access = false;
  NalScanner scanner;
  NalUnit nal;

  sets->serial++;
  sets->n_seen = 0;
  nal_scanner_init (&scanner, state->syntax, au->data, au->size);
  while (nal_scanner_next (&scanner, &nal)) {
    if (nal.kind == NAL_AUD && n_nals == 0)
      aud_end = (size_t)(nal.data - au->data) + nal.size;
    else if (nal.kind >= NAL_VPS && nal.kind <= NAL_PPS)
      keep_parameter_set (sets, state->syntax, &nal);
    else if (nal.kind == NAL_SEI)
      random_access |= nal_sei_is_recovery_point (state->syntax, &nal);
    else if (nal.kind == NAL_SLICE_IDR || nal.kind == NAL_SLICE_CRA)
      random_access = true;
    n_nals++;
  }
  if (n_nals == 0)
    return false;
  payload->random_access = random_access;
  if (aud_end == 0) {
    size_t size;
    const uint8_t *aud = nal_get_aud (state->syntax, random_access, &size);

    add_span (payload, aud, size);
  } else {
    add_span (payload, au->data, aud_end);
  }
  if (random_access && sets->n_seen < sets->n_sets &&
      (!sets->changed || join_parameter_sets (sets)))
    add_span (payload, sets->joined, sets->joined_size);
  add_span (payload, au->data + aud_end, au->size - aud_end);
  return true;
}

static void
free_parameter_sets (TsParameterSets *sets)
{
  if (sets == NULL)
    return;
  for (int kind = 0; kind < 3; kind++) {
    for (int id = 0; id < TS_MAX_PARAMETER_SETS; id++)
      free (sets->sets[kind][id].data);
  }
  free (sets->joined);
  free (sets);
}

/* --- MPEG-1 and MPEG-2 video */

/* ISO/IEC 13818-2 6.2.1, start code values */
#define PICTURE_START_CODE 0x00
#define SEQUENCE_HEADER_CODE 0xb3
#define SLICE_START_CODE_MAX 0xaf
#define PICTURE_CODING_TYPE_I 1

static bool
prepare_mpeg_video (
    TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  size_t pos = nal_find_start_code (au->data, au->size, 0);
  bool sequence = false, found = pos < au->size;

  (void)state;
  while (pos + 5 < au->size) {
    unsigned code = au->data[pos + 3];

    if (code == SEQUENCE_HEADER_CODE)
      sequence = true;
    if (code == PICTURE_START_CODE) {
      /* temporal_reference is 10 bits, then picture_coding_type */
      unsigned type = au->data[pos + 5] >> 3 & 7;

      payload->random_access = sequence && type == PICTURE_CODING_TYPE_I;
    } else if (code <= SLICE_START_CODE_MAX) {
      break;
    }
    pos = nal_find_start_code (au->data, au->size, pos + 4);
  }
  add_span (payload, au->data, au->size);
  return found;
}

/* --- Audio and data */

static bool
prepare_raw_aac (
    TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  if (au->size > TS_ADTS_MAX_FRAME_SIZE - TS_ADTS_HEADER_SIZE)
    return false;
  ts_adts_write_header (state->header, state->adts, au->size);
  add_span (payload, state->header, TS_ADTS_HEADER_SIZE);
  add_span (payload, au->data, au->size);
  return true;
}

static bool
prepare_loas (TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  size_t size = ts_loas_to_adts (&state->loas->state, au->data, au->size,
      state->loas->adts, sizeof (state->loas->adts));

  add_span (payload, state->loas->adts, size);
  return size > 0;
}

/* opus_access_unit () of the carriage of Opus in MPEG-2 transport streams:
 * control_header_prefix 0x3ff (11 bits), start_trim_flag, end_trim_flag,
 * control_extension_flag, two reserved bits; au_size, 255 at a time; trims. */
static bool
prepare_opus (TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  uint8_t *p = state->header;
  size_t left = au->size;

  if (au->size > TS_OPUS_MAX_SIZE)
    return false;
  *p++ = 0x7f;
  *p++ =
      (uint8_t)(0xe0 | (au->trim_start ? 0x10 : 0) | (au->trim_end ? 0x08 : 0));
  for (; left >= 255; left -= 255)
    *p++ = 255;
  *p++ = (uint8_t)left;
  if (au->trim_start) {
    *p++ = (uint8_t)(au->trim_start >> 8 & 0x1f);
    *p++ = (uint8_t)au->trim_start;
  }
  if (au->trim_end) {
    *p++ = (uint8_t)(au->trim_end >> 8 & 0x1f);
    *p++ = (uint8_t)au->trim_end;
  }
  add_span (payload, state->header, (size_t)(p - state->header));
  add_span (payload, au->data, au->size);
  return true;
}

/* Audio whose every frame starts with a syncword of up to 16 bits. */
static bool
prepare_sync (
    const TsAccessUnit *au, unsigned mask, unsigned sync, TsPayload *payload)
{
  if (au->size < 2 || ((au->data[0] << 8 | au->data[1]) & mask) != sync)
    return false;
  add_span (payload, au->data, au->size);
  return true;
}

bool
ts_codec_prepare (
    TsCodecState *state, const TsAccessUnit *au, TsPayload *payload)
{
  memset (payload, 0, sizeof (*payload));
  /* Any audio frame will do to start with. */
  payload->random_access = !ts_codec_is_video (state->codec);
  switch (state->codec) {
    case TS_CODEC_H264:
    case TS_CODEC_H265:
    case TS_CODEC_H266:
      return prepare_nal (state, au, payload);
    case TS_CODEC_MPEG1_VIDEO:
    case TS_CODEC_MPEG2_VIDEO:
      return prepare_mpeg_video (state, au, payload);
    case TS_CODEC_AAC_ADTS:
      return prepare_sync (au, 0xfff6, 0xfff0, payload);
    case TS_CODEC_AAC_RAW:
      return prepare_raw_aac (state, au, payload);
    case TS_CODEC_AAC_LOAS:
      return prepare_loas (state, au, payload);
    case TS_CODEC_MPEG1_AUDIO:
    case TS_CODEC_MPEG2_AUDIO:
      return prepare_sync (au, 0xffe0, 0xffe0, payload);
    case TS_CODEC_AC3:
    case TS_CODEC_EAC3:
      return prepare_sync (au, 0xffff, 0x0b77, payload);
    case TS_CODEC_OPUS:
      return prepare_opus (state, au, payload);
    case TS_CODEC_KLV:
    case TS_CODEC_ID3:
      add_span (payload, au->data, au->size);
      return true;
    case TS_CODEC_NONE:
    case TS_N_CODECS:
      break;
  }
  return false;
}

/* --- What the PMT says */

/* channel_config_code: 0 dual mono, 1 to 8 the layouts of RFC 7845 with as
 * many stereo streams as there are pairs, 0x80 more where all streams are
 * mono. Anything else has no code. */
static int
get_opus_channel_config_code (const TsTrackConfig *config)
{
  static const uint8_t coupled[9] = { 0, 0, 1, 1, 2, 2, 2, 3, 3 };
  static const uint8_t pairs[8][8] = { { 0 }, { 0, 1 }, { 0, 2, 1 },
    { 0, 1, 2, 3 }, { 0, 4, 1, 2, 3 }, { 0, 4, 1, 2, 3, 5 },
    { 0, 4, 1, 2, 3, 5, 6 }, { 0, 6, 1, 2, 3, 4, 5, 7 } };
  static const uint8_t mono[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
  unsigned n = config->channels;

  if (n < 1 || n > 8)
    return -1;
  if (config->mapping_family == 0)
    return n <= 2 ? (int)n : -1;
  if (config->coupled_count == coupled[n] &&
      config->stream_count == n - coupled[n] && config->mapping_family == 1 &&
      memcmp (config->channel_mapping, pairs[n - 1], n) == 0)
    return (int)n;
  if (config->coupled_count == 0 && config->stream_count == n &&
      (config->mapping_family == 1 || config->mapping_family == 255) &&
      memcmp (config->channel_mapping, mono, n) == 0)
    return (int)n | 0x80;
  if (n == 2 && config->mapping_family == 255 && config->stream_count == 1 &&
      config->coupled_count == 1 &&
      memcmp (config->channel_mapping, mono, n) == 0)
    return 0;
  return -1;
}

static bool
describe_opus (
    const TsTrackConfig *config, TsPsiStream *psi, const char **reason)
{
  int code = get_opus_channel_config_code (config);
  /* descriptor_tag_extension of the Opus audio descriptor, then the code */
  uint8_t descriptor[] = { 0x80, (uint8_t)code };

  if (code < 0) {
    *reason = "no channel_config_code says this number and mapping of Opus "
              "channels";
    return false;
  }
  return ts_psi_add_descriptor (
      psi, TS_DESCRIPTOR_EXTENSION, descriptor, sizeof (descriptor));
}

/* ISO/IEC 13818-1 2.6.60, as Apple's "Timed Metadata for HTTP Live Streaming"
 * fills it: application format and metadata format are "ID3 ". */
static void
describe_id3 (TsPsiStream *psi)
{
  static const uint8_t metadata[] = { 0xff, 0xff, 'I', 'D', '3', ' ', 0xff, 'I',
    'D', '3', ' ', 0x00, 0x0f };

  ts_psi_add_descriptor (
      psi, TS_DESCRIPTOR_METADATA, metadata, sizeof (metadata));
}

static bool
describe (const TsTrackConfig *config, TsPsiStream *psi, const char **reason)
{
  const char *registration = codecs[config->codec].registration;
  /* audio_type undefined */
  uint8_t language[4] = { 0, 0, 0, 0 };

  memset (psi, 0, sizeof (*psi));
  psi->stream_type = codecs[config->codec].stream_type;
  if (registration[0])
    ts_psi_add_descriptor (
        psi, TS_DESCRIPTOR_REGISTRATION, (const uint8_t *)registration, 4);
  if (config->codec == TS_CODEC_OPUS && !describe_opus (config, psi, reason))
    return false;
  if (config->codec == TS_CODEC_ID3)
    describe_id3 (psi);
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
  if (!describe (config, psi, reason))
    return false;
  if (config->codec == TS_CODEC_AAC_RAW &&
      !ts_adts_init (state->adts, config->audio_specific_config,
          config->audio_specific_config_size, reason))
    return false;
  if (config->codec >= TS_CODEC_H264 && config->codec <= TS_CODEC_H266) {
    state->syntax = (NalSyntax)(NAL_H264 + (config->codec - TS_CODEC_H264));
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
  free_parameter_sets (state->sets);
  state->sets = NULL;
  free (state->loas);
  state->loas = NULL;
}
