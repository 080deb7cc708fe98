/* gst-tsrec: tsrecmux, its properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include "recmessage.h"

#define DEFAULT_MAX_INTERLEAVE (1 * GST_SECOND)
#define DEFAULT_INTERVAL (500 * GST_MSECOND)
#define DEFAULT_PCR_INTERVAL (40 * GST_MSECOND)
#define DEFAULT_PREROLL (900 * GST_MSECOND)
#define DEFAULT_START_OFFSET (1400 * GST_MSECOND)
#define DEFAULT_SERVICE_NAME "Recording"
#define DEFAULT_SERVICE_PROVIDER "gst-tsrec"

enum
{
  PROP_0,
  PROP_MAX_INTERLEAVE,
  PROP_PSI_INTERVAL,
  PROP_SI_INTERVAL,
  PROP_PCR_INTERVAL,
  PROP_PREROLL,
  PROP_START_OFFSET,
  PROP_AUDIO_PES_TIME,
  PROP_PACK,
  PROP_WAIT_FOR_KEYFRAME,
  PROP_SERVICE_NAME,
  PROP_SERVICE_PROVIDER,
  PROP_PROGRAM_NUMBER,
  PROP_TRANSPORT_STREAM_ID,
  PROP_RECORDING_ID,
  PROP_STATS
};

/* As much of it as fits, in whole characters. */
static void
set_name (gchar *field, const gchar *value)
{
  const gchar *end;

  if (g_strlcpy (field, value ? value : "", TS_MUX_MAX_NAME + 1) >
      TS_MUX_MAX_NAME) {
    g_utf8_validate (field, -1, &end);
    field[end - field] = '\0';
  }
}

/* What an interval may be, ns. */
typedef struct
{
  gint64 min;
  gint64 max;
} IntervalRange;

static const IntervalRange pcr_range = { 5 * GST_MSECOND, 100 * GST_MSECOND };
static const IntervalRange table_range = { 10 * GST_MSECOND, 10 * GST_SECOND };

/* Below this an interval is no time in ns, and the number of 90 kHz ticks that
 * mpegtsmux has under the same name. */
#define TICKS_BELOW GST_MSECOND

/* The time that is meant by @value. What is not plausible is noted for a
 * warning. Object lock held. */
static gint64
read_interval (GstTsRecMux *self, const gchar *name, const GValue *value,
    const IntervalRange *range)
{
  guint64 given = g_value_get_uint64 (value);
  gboolean ticks = given > 0 && given < TICKS_BELOW;
  guint64 time =
      ticks ? gst_util_uint64_scale (given, GST_SECOND, 90000) : given;
  gint64 used = (gint64)CLAMP (time, (guint64)range->min, (guint64)range->max);

  if (ticks)
    g_ptr_array_add (self->notes,
        g_strdup_printf ("%s=%" G_GUINT64_FORMAT " is taken as ticks of 90 "
                         "kHz, as in mpegtsmux. Here it is a time in ns: set "
                         "%s=%" G_GINT64_FORMAT ".",
            name, given, name, used));
  else if ((guint64)used != given)
    g_ptr_array_add (self->notes,
        g_strdup_printf ("%s=%" G_GUINT64_FORMAT
                         " is out of range, %s=%" G_GINT64_FORMAT
                         " is used: %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                         " ns are allowed.",
            name, given, name, used, range->min, range->max));
  return used;
}

void
gst_ts_rec_mux_post_notes (GstTsRecMux *self)
{
  GPtrArray *notes;

  GST_OBJECT_LOCK (self);
  notes = self->notes;
  self->notes = g_ptr_array_new_with_free_func (g_free);
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < notes->len; i++)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("%s", (const gchar *)g_ptr_array_index (notes, i)), (NULL));
  g_ptr_array_unref (notes);
}

static void
gst_ts_rec_mux_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstTsRecMux *self = GST_TS_REC_MUX (object);
  TsMuxConfig *config = &self->config;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MAX_INTERLEAVE:
      self->max_interleave = g_value_get_uint64 (value);
      break;
    case PROP_PSI_INTERVAL:
      config->psi_interval =
          read_interval (self, pspec->name, value, &table_range);
      break;
    case PROP_SI_INTERVAL:
      config->si_interval =
          read_interval (self, pspec->name, value, &table_range);
      break;
    case PROP_PCR_INTERVAL:
      config->pcr_interval =
          read_interval (self, pspec->name, value, &pcr_range);
      break;
    case PROP_PREROLL:
      config->preroll = (gint64)g_value_get_uint64 (value);
      break;
    case PROP_START_OFFSET:
      config->start_offset = (gint64)g_value_get_uint64 (value);
      break;
    case PROP_AUDIO_PES_TIME:
      config->audio_pes_time = (gint64)g_value_get_uint64 (value);
      break;
    case PROP_PACK:
      config->pack = g_value_get_boolean (value);
      break;
    case PROP_WAIT_FOR_KEYFRAME:
      config->wait_for_random_access = g_value_get_boolean (value);
      break;
    case PROP_SERVICE_NAME:
      set_name (config->service_name, g_value_get_string (value));
      break;
    case PROP_SERVICE_PROVIDER:
      set_name (config->service_provider, g_value_get_string (value));
      break;
    case PROP_PROGRAM_NUMBER:
      config->program_number = (guint16)g_value_get_uint (value);
      break;
    case PROP_TRANSPORT_STREAM_ID:
      config->transport_stream_id = (guint16)g_value_get_uint (value);
      break;
    case PROP_RECORDING_ID:
      g_free (self->recording_id.setting);
      self->recording_id.setting = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static GstStructure *
get_stats (GstTsRecMux *self)
{
  RecMuxStats stats = { 0 };

  g_mutex_lock (&self->lock);
  stats.mux = self->stats;
  if (self->core)
    ts_mux_get_stats (self->core, &stats.mux);
  stats.mux.skipped += self->skipped;
  stats.refused = self->refused;
  for (guint i = 0; i < self->pads->len; i++)
    if (((GstTsRecMuxPad *)g_ptr_array_index (self->pads, i))->track)
      stats.tracks++;
  g_mutex_unlock (&self->lock);
  return rec_structure_new_mux_stats (&stats);
}

static void
gst_ts_rec_mux_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstTsRecMux *self = GST_TS_REC_MUX (object);
  TsMuxConfig *config = &self->config;

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MAX_INTERLEAVE:
      g_value_set_uint64 (value, self->max_interleave);
      break;
    case PROP_PSI_INTERVAL:
      g_value_set_uint64 (value, (guint64)config->psi_interval);
      break;
    case PROP_SI_INTERVAL:
      g_value_set_uint64 (value, (guint64)config->si_interval);
      break;
    case PROP_PCR_INTERVAL:
      g_value_set_uint64 (value, (guint64)config->pcr_interval);
      break;
    case PROP_PREROLL:
      g_value_set_uint64 (value, (guint64)config->preroll);
      break;
    case PROP_START_OFFSET:
      g_value_set_uint64 (value, (guint64)config->start_offset);
      break;
    case PROP_AUDIO_PES_TIME:
      g_value_set_uint64 (value, (guint64)config->audio_pes_time);
      break;
    case PROP_PACK:
      g_value_set_boolean (value, config->pack);
      break;
    case PROP_WAIT_FOR_KEYFRAME:
      g_value_set_boolean (value, config->wait_for_random_access);
      break;
    case PROP_SERVICE_NAME:
      g_value_set_string (value, config->service_name);
      break;
    case PROP_SERVICE_PROVIDER:
      g_value_set_string (value, config->service_provider);
      break;
    case PROP_PROGRAM_NUMBER:
      g_value_set_uint (value, config->program_number);
      break;
    case PROP_TRANSPORT_STREAM_ID:
      g_value_set_uint (value, config->transport_stream_id);
      break;
    case PROP_RECORDING_ID:
      g_value_set_string (value, self->recording_id.setting);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

#define READY_FLAGS                                                            \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

static void
install_time (GObjectClass *klass, guint id, const gchar *name,
    const gchar *nick, const gchar *blurb, guint64 min, guint64 max,
    guint64 value)
{
  g_object_class_install_property (klass, id,
      g_param_spec_uint64 (name, nick, blurb, min, max, value, READY_FLAGS));
}

static void
install_time_properties (GObjectClass *klass)
{
  /**
   * GstTsRecMux:max-interleave:
   *
   * How far tracks of input that is not live may be out of order in the
   * stream, ns. Nothing waits longer than that for another track, and live
   * input not at all.
   */
  install_time (klass, PROP_MAX_INTERLEAVE, "max-interleave", "Max interleave",
      "How long input that is not live waits for other tracks, to leave in "
      "the order of DTS (ns)",
      0, 60 * GST_SECOND, DEFAULT_MAX_INTERLEAVE);
  /**
   * GstTsRecMux:psi-interval:
   *
   * PAT and PMT come at least this often, ns (ISO/IEC 13818-1 2.4.4; TR 101
   * 290 1.3 and 1.5 want 500 ms), and before every random access point. 10 ms
   * to 10 s; any other value is taken as #GstTsRecMux:pcr-interval says.
   */
  install_time (klass, PROP_PSI_INTERVAL, "psi-interval", "PSI interval",
      "PAT and PMT come at least this often, and before every random access "
      "point (ns, 10 ms to 10 s)",
      0, G_MAXUINT64, DEFAULT_INTERVAL);
  /**
   * GstTsRecMux:si-interval:
   *
   * The SDT comes at least this often, ns (ETSI EN 300 468), and before every
   * random access point. 10 ms to 10 s; any other value is taken as
   * #GstTsRecMux:pcr-interval says.
   */
  install_time (klass, PROP_SI_INTERVAL, "si-interval", "SI interval",
      "The SDT comes at least this often, and before every random access "
      "point (ns, 10 ms to 10 s)",
      0, G_MAXUINT64, DEFAULT_INTERVAL);
  /**
   * GstTsRecMux:pcr-interval:
   *
   * PCR comes at least this often while anything flows, ns (ISO/IEC 13818-1
   * 2.7.2 wants 100 ms, TR 101 290 2.3 wants 40 ms), and at least three times
   * per #GstTsRecMux:psi-interval and #GstTsRecMux:si-interval, because tables
   * are placed between PCRs. 5 ms to 100 ms; the
   * nearest of them is used for another value, and a warning says so when the
   * element starts. A value below 1 ms is taken as ticks of 90 kHz, which
   * mpegtsmux counts in under the same name, also with a warning.
   */
  install_time (klass, PROP_PCR_INTERVAL, "pcr-interval", "PCR interval",
      "PCR comes at least this often while anything flows (ns, 5 ms to 100 "
      "ms; below 1 ms: ticks of 90 kHz)",
      0, G_MAXUINT64, DEFAULT_PCR_INTERVAL);
  /**
   * GstTsRecMux:preroll:
   *
   * How far PCR stays behind DTS, ns: how late one track may be after another
   * one. Raised by itself to what the latencies of live branches differ by, but
   * to no more than 3 s: what is later than that is late by the decoder model,
   * and keeps its timestamps.
   */
  install_time (klass, PROP_PREROLL, "preroll", "Preroll",
      "How far PCR stays behind DTS, so how late one track may be after "
      "another one; raised by itself for live branches of unequal latency (ns)",
      0, 30 * GST_SECOND, DEFAULT_PREROLL);
  /**
   * GstTsRecMux:start-offset:
   *
   * TS time of the first access unit, ns; at least #GstTsRecMux:preroll.
   */
  install_time (klass, PROP_START_OFFSET, "start-offset", "Start offset",
      "Time in the stream of the first access unit; at least the preroll (ns)",
      0, 95000 * GST_SECOND, DEFAULT_START_OFFSET);
  /**
   * GstTsRecMux:audio-pes-time:
   *
   * Audio frames are put together in one PES packet until they span this
   * time, ns. 0 writes each frame when it arrives. More saves bytes and delays
   * audio, and a crash can lose as much.
   */
  install_time (klass, PROP_AUDIO_PES_TIME, "audio-pes-time", "Audio PES time",
      "Audio frames share a PES packet until they span this time: smaller "
      "files, but a crash loses as much; 0: every frame is written at once "
      "(ns)",
      0, 700 * GST_MSECOND, 0);
}

static void
install_other_properties (GObjectClass *klass)
{
  /**
   * GstTsRecMux:pack:
   *
   * Lets the end of a picture that does not fill a packet wait for the next
   * picture and share its packets, instead of stuffing the packet. Saves half
   * a packet a picture; a crash can lose the last 183 bytes of the last
   * picture.
   */
  g_object_class_install_property (klass, PROP_PACK,
      g_param_spec_boolean ("pack", "Pack",
          "The end of a picture shares a packet with the start of the next "
          "one: smaller files, but a crash can lose the last 183 bytes of a "
          "picture",
          FALSE, READY_FLAGS));
  /**
   * GstTsRecMux:wait-for-keyframe:
   *
   * Begins each video track with its first random access point (see
   * docs/internals/mux.md), as nobody can decode pictures before it. A recording that
   * begins in the middle of a stream begins there, its sound as well. A key
   * frame is asked for upstream. After 10 s without one it begins all the same,
   * with a warning. What is left out is counted in `skipped` of
   * #GstTsRecMux:stats, and said in the element message `tsrecmux-skipped`.
   */
  g_object_class_install_property (klass, PROP_WAIT_FOR_KEYFRAME,
      g_param_spec_boolean ("wait-for-keyframe", "Wait for key frame",
          "Begin each video track with its first random access point, for "
          "which it waits 10 s at most",
          TRUE, READY_FLAGS));
  /**
   * GstTsRecMux:service-name:
   *
   * Name of the service in the SDT, UTF-8, at most 80 bytes.
   */
  g_object_class_install_property (klass, PROP_SERVICE_NAME,
      g_param_spec_string ("service-name", "Service name",
          "Name of the service in the SDT (at most 80 bytes of UTF-8)",
          DEFAULT_SERVICE_NAME, READY_FLAGS));
  /**
   * GstTsRecMux:service-provider:
   *
   * Provider of the service in the SDT, UTF-8, at most 80 bytes.
   */
  g_object_class_install_property (klass, PROP_SERVICE_PROVIDER,
      g_param_spec_string ("service-provider", "Service provider",
          "Provider of the service in the SDT (at most 80 bytes of UTF-8)",
          DEFAULT_SERVICE_PROVIDER, READY_FLAGS));
  /**
   * GstTsRecMux:program-number:
   *
   * program_number in PAT and PMT, service_id in the SDT.
   */
  g_object_class_install_property (klass, PROP_PROGRAM_NUMBER,
      g_param_spec_uint ("program-number", "Program number",
          "Number of the program in PAT, PMT and SDT", 1, G_MAXUINT16, 1,
          READY_FLAGS));
  /**
   * GstTsRecMux:transport-stream-id:
   *
   * transport_stream_id in PAT and SDT.
   */
  g_object_class_install_property (klass, PROP_TRANSPORT_STREAM_ID,
      g_param_spec_uint ("transport-stream-id", "Transport stream ID",
          "Identifier of the transport stream in PAT and SDT", 0, G_MAXUINT16,
          1, READY_FLAGS));
  /**
   * GstTsRecMux:recording-id:
   *
   * Names the recording in every message of this element: a field of element
   * messages, and in the details of warnings and errors. Default: %NULL, which
   * takes the `recording-id` of a #recfilesink downstream, else the name in its
   * location without directory, suffix and conversions, else the name of the
   * pipeline. May be set at any time, from any thread.
   */
  g_object_class_install_property (klass, PROP_RECORDING_ID,
      g_param_spec_string ("recording-id", "Recording ID",
          "Names the recording in messages (NULL: the name in location, "
          "else of the pipeline)",
          NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_PLAYING));
  /**
   * GstTsRecMux:stats:
   *
   * Counters since READY to PAUSED, a #GstStructure named
   * `application/x-tsrecmux-stats`, all of them guint64: `tracks` (now),
   * `access-units`, `bytes-in`, `bytes-out`, `packets`, `stuffing-bytes`,
   * `psi-packets`, `pcr-packets`, `random-access-points`; access units
   * `no-timestamp`, `backward` and `jumps`, whose timestamps were corrected;
   * `dts-raised`, whose PTS is as it came, `pts-nudged`, whose PTS was moved by
   * one tick of 90 kHz at most, and `pts-moved`, whose PTS was moved by more;
   * `late`, which came after PCR had passed their DTS and have kept it;
   * `skipped`, which came before the first random access point;
   * `empty`, `damaged` and `refused`, which were dropped.
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Stats",
          "Counters of what was written, corrected and dropped",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

void
gst_ts_rec_mux_install_properties (GObjectClass *klass)
{
  klass->set_property = gst_ts_rec_mux_set_property;
  klass->get_property = gst_ts_rec_mux_get_property;
  install_time_properties (klass);
  install_other_properties (klass);
}

void
gst_ts_rec_mux_init_properties (GstTsRecMux *self)
{
  self->notes = g_ptr_array_new_with_free_func (g_free);
  ts_mux_config_init (&self->config);
  self->config.wait_for_random_access = TRUE;
  set_name (self->config.service_name, DEFAULT_SERVICE_NAME);
  set_name (self->config.service_provider, DEFAULT_SERVICE_PROVIDER);
  self->max_interleave = DEFAULT_MAX_INTERLEAVE;
}
