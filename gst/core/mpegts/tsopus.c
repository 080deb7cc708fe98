/* gst-tsrec: Opus in MPEG-TS: channel layouts, frames of a packet
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsopus.h"

#include <string.h>

/* RFC 7845 5.1.1.2: stereo streams for each number of channels, and the
 * decoded channel of each output channel */
#define MAX_LAYOUT 8
static const uint8_t layout_coupled[MAX_LAYOUT + 1] = { 0, 0, 1, 1, 2, 2, 2, 3,
  3 };
static const uint8_t layout_mapping[MAX_LAYOUT][MAX_LAYOUT] = { { 0 }, { 0, 1 },
  { 0, 2, 1 }, { 0, 1, 2, 3 }, { 0, 4, 1, 2, 3 }, { 0, 4, 1, 2, 3, 5 },
  { 0, 4, 1, 2, 3, 5, 6 }, { 0, 6, 1, 2, 3, 4, 5, 7 } };

/* channel_config_code */
#define CODE_DUAL_MONO 0x00
#define CODE_EXPLICIT 0x81
#define CODE_MONO_STREAMS 0x80
/* RFC 7845 5.1.1: index of a silent channel */
#define SILENT 255
/* RFC 8486 3.2: ambisonics by a demixing matrix */
#define FAMILY_MATRIX 3

/* --- The descriptor in the PMT --- */

static bool
is_identity (const uint8_t *mapping, unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    if (mapping[i] != i)
      return false;
  }
  return true;
}

/* Returns the stream of the decoded channel @index, and stores its side in
 * *@side. */
static unsigned
get_stream (unsigned index, unsigned coupled, unsigned *side)
{
  *side = index < 2 * coupled ? index % 2 : 0;
  return index < 2 * coupled ? index / 2 : index - coupled;
}

/* Returns true if the mapping is that of RFC 7845 with the streams in another
 * order, which is stored in @opus. */
static bool
find_order (TsOpus *opus, const TsTrackConfig *config)
{
  unsigned n = config->channels, coupled, seen = 0;

  if (n < 3 || n > MAX_LAYOUT || config->mapping_family != 1)
    return false;
  coupled = layout_coupled[n];
  if (config->coupled_count != coupled || config->stream_count != n - coupled)
    return false;
  for (unsigned i = 0; i < n; i++) {
    unsigned side, wanted_side, from, to;

    if (config->channel_mapping[i] >= n)
      return false;
    from = get_stream (config->channel_mapping[i], coupled, &side);
    to = get_stream (layout_mapping[n - 1][i], coupled, &wanted_side);
    if (side != wanted_side || (from < coupled) != (to < coupled))
      return false;
    if ((seen >> to & 1) && opus->order[to] != from)
      return false;
    seen |= 1u << to;
    opus->order[to] = (uint8_t)from;
  }
  opus->reorder = !is_identity (opus->order, config->stream_count);
  return true;
}

/* Returns the channel_config_code: 0 dual mono, 1 to 8 the layouts of RFC
 * 7845, 0x82 to 0x88 if all streams are mono, otherwise 0x81. */
static uint8_t
choose_code (TsOpus *opus, const TsTrackConfig *config)
{
  unsigned n = config->channels, streams = config->stream_count;
  unsigned family = config->mapping_family, coupled = config->coupled_count;
  bool identity = is_identity (config->channel_mapping, n);

  if (family == 0 ||
      (family == 1 && n <= 2 && identity && streams == 1 &&
          coupled == layout_coupled[n]))
    return (uint8_t)n;
  if (find_order (opus, config))
    return (uint8_t)n;
  if (n >= 2 && n <= MAX_LAYOUT && coupled == 0 && streams == n && identity &&
      (family == 1 || family == 255))
    return (uint8_t)(n | CODE_MONO_STREAMS);
  if (n == 2 && family == 255 && streams == 1 && coupled == 1 && identity)
    return CODE_DUAL_MONO;
  return CODE_EXPLICIT;
}

static const char *
find_fault (const TsTrackConfig *config)
{
  unsigned n = config->channels;
  unsigned streams = config->stream_count, coupled = config->coupled_count;

  if (n < 1 || n > TS_OPUS_MAX_CHANNELS)
    return "the Opus audio descriptor has room for 1 to 36 channels";
  if (config->mapping_family == 0)
    return n > 2 ? "Opus with channel mapping family 0 has one or two channels"
                 : NULL;
  if (config->mapping_family == FAMILY_MATRIX)
    return "the demixing matrix of channel mapping family 3 has no place in "
           "MPEG-TS";
  /* the width of stream_count_minus_one depends on the number of channels */
  if (streams < 1 || streams > n || coupled > streams ||
      streams + coupled > SILENT)
    return "its caps have no valid stream-count and coupled-count. Put "
           "opusparse in front of the pad";
  for (unsigned i = 0; i < n; i++) {
    if (config->channel_mapping[i] != SILENT &&
        config->channel_mapping[i] >= streams + coupled)
      return "the channel-mapping of its caps names a stream that it does not "
             "have";
  }
  return NULL;
}

/* ceil (log2 (n)) */
static unsigned
get_bits (unsigned n)
{
  unsigned bits = 0;

  while (1u << bits < n)
    bits++;
  return bits;
}

typedef struct
{
  uint8_t data[2 + 2 + TS_OPUS_MAX_CHANNELS];
  size_t pos; /* in bits */
} Descriptor;

static void
put (Descriptor *descriptor, unsigned n, unsigned value)
{
  while (n-- > 0) {
    descriptor->data[descriptor->pos / 8] |=
        (uint8_t)((value >> n & 1) << (7 - descriptor->pos % 8));
    descriptor->pos++;
  }
}

/* A silent channel is coded as the value after the last decoded channel, for
 * which the width has room. */
static void
put_mapping (Descriptor *descriptor, const TsTrackConfig *config)
{
  unsigned n = config->channels;
  unsigned last = config->stream_count + config->coupled_count;

  put (descriptor, 8, n);
  put (descriptor, 8, config->mapping_family);
  put (descriptor, get_bits (n), config->stream_count - 1u);
  put (descriptor, get_bits (config->stream_count + 1u), config->coupled_count);
  for (unsigned i = 0; i < n; i++) {
    unsigned value = config->channel_mapping[i];

    put (descriptor, get_bits (last + 1), value == SILENT ? last : value);
  }
}

bool
ts_opus_init (TsOpus *opus, const TsTrackConfig *config, TsPsiStream *psi,
    const char **reason)
{
  Descriptor descriptor = { { 0 }, 0 };
  uint8_t code;

  memset (opus, 0, sizeof (*opus));
  *reason = find_fault (config);
  if (*reason)
    return false;
  code = choose_code (opus, config);
  opus->n_streams = config->mapping_family == 0 ? 1 : config->stream_count;
  put (&descriptor, 8, 0x80); /* descriptor_tag_extension: Opus */
  put (&descriptor, 8, code);
  if (code == CODE_EXPLICIT)
    put_mapping (&descriptor, config);
  *reason = "its descriptors have no room in the PMT";
  return ts_psi_add_descriptor (
      psi, TS_DESCRIPTOR_EXTENSION, descriptor.data, (descriptor.pos + 7) / 8);
}

/* --- Packets --- */

/* RFC 6716 3.2 and appendix B: one Opus packet.
 * @head: bytes in front of the length of its last frame (of every frame, where
 *   they are of the same size), which only self-delimiting packets have
 * @length_size: bytes of that length, 0 when it is not self-delimiting
 * @last: that length
 * @size: bytes of the packet
 */
typedef struct
{
  const uint8_t *data;
  size_t head;
  size_t length_size;
  size_t last;
  size_t size;
} Packet;

/* 3.2.1: one or two bytes at *@pos. False past the end. */
static bool
read_length (const uint8_t *data, size_t size, size_t *pos, size_t *length)
{
  if (*pos >= size)
    return false;
  *length = data[(*pos)++];
  if (*length < 252)
    return true;
  if (*pos >= size)
    return false;
  *length += 4u * data[(*pos)++];
  return true;
}

static unsigned
write_length (uint8_t *out, size_t length)
{
  if (length < 252) {
    out[0] = (uint8_t)length;
    return 1;
  }
  out[0] = (uint8_t)(252 + (length & 3));
  out[1] = (uint8_t)((length - out[0]) / 4);
  return 2;
}

/* 3.2.5: reads the bytes after the frame count of a packet of code 3. *@head:
 * bytes up to the frames, or up to the length of the last frame; *@others:
 * bytes of the frames with a given length; *@padding: bytes of padding. */
static bool
read_code_3 (const Packet *packet, size_t size, size_t *head, size_t *others,
    size_t *padding)
{
  const uint8_t *data = packet->data;
  unsigned count = data[1] & 0x3f;
  size_t length = 255;

  *head = 2;
  *others = *padding = 0;
  while ((data[1] & 0x40) && length == 255) {
    if (*head >= size)
      return false;
    length = data[(*head)++];
    *padding += length == 255 ? 254 : length;
  }
  for (unsigned i = 1; (data[1] & 0x80) && i < count; i++) {
    if (!read_length (data, size, head, &length))
      return false;
    *others += length;
  }
  return count > 0;
}

/* Reads the packet at packet->data, which has at most @size bytes, or exactly
 * @size bytes if it is not @delimited. */
static bool
read_packet (Packet *packet, size_t size, bool delimited)
{
  const uint8_t *data = packet->data;
  size_t others = 0, padding = 0, frames = 1, pos;

  if (size < 1 || ((data[0] & 3) == 3 && size < 2))
    return false;
  packet->head = 1;
  switch (data[0] & 3) {
    case 0:
      break;
    case 1:
      frames = 2;
      break;
    case 2:
      if (!read_length (data, size, &packet->head, &others))
        return false;
      break;
    default:
      if (!read_code_3 (packet, size, &packet->head, &others, &padding))
        return false;
      frames = data[1] & 0x80 ? 1 : data[1] & 0x3f;
      break;
  }
  pos = packet->head;
  if (delimited) {
    if (!read_length (data, size, &pos, &packet->last))
      return false;
  } else if (size < pos + others + padding) {
    return false;
  } else {
    packet->last = (size - pos - others - padding) / frames;
  }
  packet->length_size = pos - packet->head;
  packet->size = pos + others + frames * packet->last + padding;
  return delimited ? packet->size <= size : packet->size == size;
}

static void
add (TsSpan *spans, unsigned *n, const uint8_t *data, size_t size)
{
  spans[*n].data = data;
  spans[*n].size = size;
  *n += size > 0;
}

/* RFC 7845 5.1: all packets except the last one are self-delimiting. */
unsigned
ts_opus_order (TsOpus *opus, const uint8_t *data, size_t size, TsSpan *spans)
{
  Packet packets[TS_OPUS_MAX_ORDER];
  unsigned n = 0, last = opus->n_streams - 1;

  if (!opus->reorder) {
    add (spans, &n, data, size);
    return n;
  }
  for (unsigned i = 0; i <= last; i++) {
    packets[i].data = data;
    if (!read_packet (&packets[i], size, i < last))
      return 0;
    data += packets[i].size;
    size -= packets[i].size;
  }
  for (unsigned i = 0; i <= last; i++) {
    const Packet *packet = &packets[opus->order[i]];
    const uint8_t *rest = packet->data + packet->head + packet->length_size;
    size_t rest_size = packet->size - packet->head - packet->length_size;

    if ((i == last) == (packet->length_size == 0)) {
      add (spans, &n, packet->data, packet->size);
      continue;
    }
    add (spans, &n, packet->data, packet->head);
    if (i < last)
      add (spans, &n, opus->length, write_length (opus->length, packet->last));
    add (spans, &n, rest, rest_size);
  }
  return n;
}

/* RFC 6716 3.1, table 2 */
unsigned
ts_opus_get_samples (const uint8_t *data, size_t size)
{
  static const uint16_t silk[] = { 480, 960, 1920, 2880 };
  unsigned config, frame;

  if (size < 1)
    return 0;
  config = data[0] >> 3;
  if (config < 12)
    frame = silk[config & 3];
  else if (config < 16)
    frame = silk[config & 1];
  else
    frame = 120u << (config & 3);
  switch (data[0] & 3) {
    case 0:
      return frame;
    case 1:
    case 2:
      return 2 * frame;
    default:
      return size < 2 ? 0 : frame * (data[1] & 0x3f);
  }
}
