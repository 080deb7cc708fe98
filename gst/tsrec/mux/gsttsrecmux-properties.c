/* gst-tsrec: tsrecmux, properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gsttsrecmux-private.h"
#include "tspacket.h"

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

/* Copies as many whole characters as fit. */
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

/* Range of an interval, ns. */
typedef struct
{
  gint64 min;
  gint64 max;
} IntervalRange;

static const IntervalRange pcr_range = { 5 * GST_MSECOND, 100 * GST_MSECOND };
static const IntervalRange table_range = { 10 * GST_MSECOND, 10 * GST_SECOND };

/* A lower interval is not a time in ns, but a number of 90 kHz ticks, the unit
 * of the property of mpegtsmux with the same name. */
#define TICKS_BELOW GST_MSECOND

/* Returns the time that @value means. Notes a warning for an implausible
 * value. Object lock held. */
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
   * Limit of the disorder of tracks in the stream, for input that is not live,
   * ns, 0 to 60 s. Default: 1 s. A track waits no longer than this for another
   * track. Live input never waits.
   */
  install_time (klass, PROP_MAX_INTERLEAVE, "max-interleave", "Max interleave",
      "Longest time that input that is not live waits for other tracks, to "
      "leave in the order of DTS (ns)",
      0, 60 * GST_SECOND, DEFAULT_MAX_INTERLEAVE);
  /**
   * GstTsRecMux:psi-interval:
   *
   * Longest interval of PAT and PMT, ns, 10 ms to 10 s (ISO/IEC 13818-1 2.4.4;
   * TR 101 290 1.3 and 1.5 require 500 ms). Default: 500 ms. They also precede
   * every random access point. Values outside of the range are handled as for
   * #GstTsRecMux:pcr-interval.
   */
  install_time (klass, PROP_PSI_INTERVAL, "psi-interval", "PSI interval",
      "Longest interval of PAT and PMT, which also precede every random "
      "access point (ns, 10 ms to 10 s)",
      0, G_MAXUINT64, DEFAULT_INTERVAL);
  /**
   * GstTsRecMux:si-interval:
   *
   * Longest interval of the SDT, ns, 10 ms to 10 s (ETSI EN 300 468). Default:
   * 500 ms. It also precedes every random access point. Values outside of the
   * range are handled as for #GstTsRecMux:pcr-interval.
   */
  install_time (klass, PROP_SI_INTERVAL, "si-interval", "SI interval",
      "Longest interval of the SDT, which also precedes every random access "
      "point (ns, 10 ms to 10 s)",
      0, G_MAXUINT64, DEFAULT_INTERVAL);
  /**
   * GstTsRecMux:pcr-interval:
   *
   * Longest interval of PCR while data flows, ns, 5 ms to 100 ms (ISO/IEC
   * 13818-1 2.7.2 requires 100 ms, TR 101 290 2.3 requires 40 ms). Default: 40
   * ms. PCR comes at least three times per #GstTsRecMux:psi-interval and
   * #GstTsRecMux:si-interval, because tables are placed between PCRs. A value
   * outside of the range is clamped, with a warning when the element starts. A
   * value below 1 ms is a number of 90 kHz ticks, the unit of mpegtsmux, also
   * with a warning.
   */
  install_time (klass, PROP_PCR_INTERVAL, "pcr-interval", "PCR interval",
      "Longest interval of PCR while data flows (ns, 5 ms to 100 ms; below 1 "
      "ms: ticks of 90 kHz)",
      0, G_MAXUINT64, DEFAULT_PCR_INTERVAL);
  /**
   * GstTsRecMux:preroll:
   *
   * Distance of PCR behind DTS, ns, 0 to 30 s. Default: 900 ms. One track may
   * be late by this much after another. The mux raises it to the difference of
   * the latencies of live branches, up to 3 s. A track that is later than that
   * is late by the decoder model, and keeps its timestamps.
   */
  install_time (klass, PROP_PREROLL, "preroll", "Preroll",
      "Distance of PCR behind DTS: the delay that one track may have behind "
      "another; raised for live branches of different latency (ns)",
      0, 30 * GST_SECOND, DEFAULT_PREROLL);
  /**
   * GstTsRecMux:start-offset:
   *
   * TS time of the first access unit, ns, 0 to 95000 s. Default: 1.4 s. It is
   * raised to #GstTsRecMux:preroll if it is less.
   */
  install_time (klass, PROP_START_OFFSET, "start-offset", "Start offset",
      "TS time of the first access unit; at least the preroll (ns)", 0,
      95000 * GST_SECOND, DEFAULT_START_OFFSET);
  /**
   * GstTsRecMux:audio-pes-time:
   *
   * Audio frames share a PES packet until they span this time, ns, 0 to 700
   * ms. Default: 0, which writes each frame when it arrives. A longer time
   * saves bytes, but delays audio, and a crash can lose as much of it.
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
   * The end of a picture that does not fill a packet waits for the next
   * picture and shares its packets, instead of being stuffed. Default: %FALSE.
   * This saves half a packet per picture. A crash can lose the last 183 bytes
   * of the last picture.
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
   * Each video track begins with its first random access point (see
   * docs/internals/mux.md), because earlier pictures cannot be
   * decoded. Default: %TRUE. A recording that starts in the middle of a stream
   * starts there, including its audio. A key frame is requested upstream. After 10 s
   * without one the recording starts anyway, with a warning. Access units that
   * were left out are counted in `skipped` of #GstTsRecMux:stats and reported
   * in the element message `tsrecmux-skipped`.
   */
  g_object_class_install_property (klass, PROP_WAIT_FOR_KEYFRAME,
      g_param_spec_boolean ("wait-for-keyframe", "Wait for key frame",
          "Begin each video track with its first random access point, and wait "
          "10 s at most for it",
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
   * program_number in PAT and PMT, service_id in the SDT, 1 to 65535. Default:
   * 1.
   */
  g_object_class_install_property (klass, PROP_PROGRAM_NUMBER,
      g_param_spec_uint ("program-number", "Program number",
          "Number of the program in PAT, PMT and SDT", 1, G_MAXUINT16, 1,
          READY_FLAGS));
  /**
   * GstTsRecMux:transport-stream-id:
   *
   * transport_stream_id in PAT and SDT, 0 to 65535. Default: 1.
   */
  g_object_class_install_property (klass, PROP_TRANSPORT_STREAM_ID,
      g_param_spec_uint ("transport-stream-id", "Transport stream ID",
          "Identifier of the transport stream in PAT and SDT", 0, G_MAXUINT16,
          1, READY_FLAGS));
  /**
   * GstTsRecMux:recording-id:
   *
   * Name of the recording in every message of this element: a field of element
   * messages, and of the details of warnings and errors. Default: %NULL, which
   * takes the `recording-id` of a #recfilesink downstream, otherwise the name in
   * its location without directory, suffix and conversions, otherwise the name
   * of the pipeline. May be set at any time, from any thread.
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
   * Statistics since READY to PAUSED, a #GstStructure named
   * `application/x-tsrecmux-stats`. All fields are guint64: `tracks` (current
   * number), `access-units`, `bytes-in`, `bytes-out`, `packets`,
   * `stuffing-bytes`, `psi-packets`, `pcr-packets`, `random-access-points`;
   * access units with corrected timestamps: `no-timestamp`, `backward`,
   * `jumps`; `dts-raised`: PTS kept; `pts-nudged`: PTS moved by one tick of 90
   * kHz at most; `pts-moved`: PTS moved by more; `late`: PCR had passed their
   * DTS, which they keep; `skipped`: before the first random access point;
   * `empty`, `damaged` and `refused`: dropped. May be read from any thread.
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Stats", "Mux statistics",
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
