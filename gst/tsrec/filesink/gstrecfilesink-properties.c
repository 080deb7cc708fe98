/* gst-tsrec: the properties of recfilesink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#define DEFAULT_SYNC_INTERVAL GST_SECOND
#define DEFAULT_ON_EXISTS REC_ON_EXISTS_NUMBER
#define DEFAULT_ON_DISK_FULL REC_ON_DISK_FULL_WAIT

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_RECORDING_ID,
  PROP_SYNC_INTERVAL,
  PROP_ON_EXISTS,
  PROP_RESUME,
  PROP_ON_DISK_FULL,
  PROP_FAILOVER_LOCATION,
  PROP_MIN_FREE_BYTES,
  PROP_MAX_SIZE_TIME,
  PROP_MAX_SIZE_BYTES,
  PROP_ALIGN_TO_CLOCK,
  PROP_NEW_FILE_PER_SESSION,
  PROP_MAX_FILES,
  PROP_MAX_TOTAL_BYTES,
  PROP_JOURNAL_LOCATION,
  PROP_PLAYLIST_LOCATION,
  PROP_PLAYLIST_TARGET_DURATION,
  PROP_STATS
};

static GType
on_exists_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { REC_ON_EXISTS_REFUSE, "Refuse to record: an error says so", "refuse" },
    { REC_ON_EXISTS_NUMBER, "Record to the next free number", "number" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstRecFileSinkOnExists", values));
  return type;
}

static GType
on_disk_full_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { REC_ON_DISK_FULL_WAIT,
        "Keep what is written, drop what arrives, go on when it works again",
        "wait" },
    { REC_ON_DISK_FULL_ERROR, "Stop with an error", "error" },
    { REC_ON_DISK_FULL_FAILOVER, "Go on at failover-location", "failover" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstRecFileSinkOnDiskFull", values));
  return type;
}

/* --- values */

static void
replace_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

/* With the object lock. */
static void
set_setting (GstRecFileSink *self, guint prop_id, const GValue *value)
{
  GstRecFileSinkSettings *settings = &self->settings;

  switch (prop_id) {
    case PROP_LOCATION:
      replace_string (&self->location, value);
      break;
    case PROP_RECORDING_ID:
      replace_string (&self->recording_id.setting, value);
      break;
    case PROP_SYNC_INTERVAL:
      settings->sync_interval = g_value_get_uint64 (value);
      if (self->durability)
        rec_syncer_set_interval (self->durability, settings->sync_interval);
      break;
    case PROP_ON_EXISTS:
      settings->on_exists = g_value_get_enum (value);
      break;
    case PROP_RESUME:
      settings->resume = g_value_get_boolean (value);
      break;
    case PROP_ON_DISK_FULL:
      settings->on_disk_full = g_value_get_enum (value);
      break;
    case PROP_FAILOVER_LOCATION:
      replace_string (&self->failover_location, value);
      break;
    case PROP_MIN_FREE_BYTES:
      settings->retention.min_free_bytes = g_value_get_uint64 (value);
      break;
    case PROP_MAX_SIZE_TIME:
      settings->max_size_time = g_value_get_uint64 (value);
      break;
    case PROP_MAX_SIZE_BYTES:
      settings->max_size_bytes = g_value_get_uint64 (value);
      break;
    case PROP_ALIGN_TO_CLOCK:
      settings->align_to_clock = g_value_get_boolean (value);
      break;
    case PROP_NEW_FILE_PER_SESSION:
      settings->new_file_per_session = g_value_get_boolean (value);
      break;
    case PROP_MAX_FILES:
      settings->retention.max_files = g_value_get_uint (value);
      break;
    case PROP_MAX_TOTAL_BYTES:
      settings->retention.max_bytes = g_value_get_uint64 (value);
      break;
    case PROP_JOURNAL_LOCATION:
      replace_string (&self->journal_location, value);
      break;
    case PROP_PLAYLIST_LOCATION:
      replace_string (&self->playlist_location, value);
      break;
    case PROP_PLAYLIST_TARGET_DURATION:
      self->playlist_target_duration = g_value_get_uint64 (value);
      break;
  }
}

/* With the object lock. */
static void
get_setting (GstRecFileSink *self, guint prop_id, GValue *value)
{
  const GstRecFileSinkSettings *settings = &self->settings;

  switch (prop_id) {
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case PROP_RECORDING_ID:
      g_value_set_string (value, self->recording_id.setting);
      break;
    case PROP_SYNC_INTERVAL:
      g_value_set_uint64 (value, settings->sync_interval);
      break;
    case PROP_ON_EXISTS:
      g_value_set_enum (value, settings->on_exists);
      break;
    case PROP_RESUME:
      g_value_set_boolean (value, settings->resume);
      break;
    case PROP_ON_DISK_FULL:
      g_value_set_enum (value, settings->on_disk_full);
      break;
    case PROP_FAILOVER_LOCATION:
      g_value_set_string (value, self->failover_location);
      break;
    case PROP_MIN_FREE_BYTES:
      g_value_set_uint64 (value, settings->retention.min_free_bytes);
      break;
    case PROP_MAX_SIZE_TIME:
      g_value_set_uint64 (value, settings->max_size_time);
      break;
    case PROP_MAX_SIZE_BYTES:
      g_value_set_uint64 (value, settings->max_size_bytes);
      break;
    case PROP_ALIGN_TO_CLOCK:
      g_value_set_boolean (value, settings->align_to_clock);
      break;
    case PROP_NEW_FILE_PER_SESSION:
      g_value_set_boolean (value, settings->new_file_per_session);
      break;
    case PROP_MAX_FILES:
      g_value_set_uint (value, (guint)settings->retention.max_files);
      break;
    case PROP_MAX_TOTAL_BYTES:
      g_value_set_uint64 (value, settings->retention.max_bytes);
      break;
    case PROP_JOURNAL_LOCATION:
      g_value_set_string (value, self->journal_location);
      break;
    case PROP_PLAYLIST_LOCATION:
      g_value_set_string (value, self->playlist_location);
      break;
    case PROP_PLAYLIST_TARGET_DURATION:
      g_value_set_uint64 (value, self->playlist_target_duration);
      break;
  }
}

void
gst_rec_file_sink_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GST_OBJECT_LOCK (object);
  set_setting (GST_REC_FILE_SINK (object), prop_id, value);
  GST_OBJECT_UNLOCK (object);
}

void
gst_rec_file_sink_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  if (prop_id == PROP_STATS) {
    g_value_take_boxed (
        value, gst_rec_file_sink_get_stats (GST_REC_FILE_SINK (object)));
    return;
  }
  GST_OBJECT_LOCK (object);
  get_setting (GST_REC_FILE_SINK (object), prop_id, value);
  GST_OBJECT_UNLOCK (object);
}

/* --- specifications */

#define RW (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)
#define RW_PLAYING (RW | GST_PARAM_MUTABLE_PLAYING)

static void
install_file_properties (GObjectClass *klass)
{
  /**
   * GstRecFileSink:location:
   *
   * The file to record to. strftime(3) conversions are expanded in local time
   * when the file is created; `%05d` (a `d` with a width) is the fragment
   * number, counted from 0, while a bare `%d` is the day of the month. `%%` is
   * a percent sign. Where a second file is needed and the name has no number,
   * one is put before the extension: `rec.ts`, `rec-1.ts`. The file is created
   * with the first buffer; errors that can be foreseen are posted when the
   * element goes to READY. Folders that are missing are made where the name of
   * one of them holds a conversion. Takes effect with the next file; while that
   * cannot be opened, recording goes on in the present one
   * (`recfilesink-open-failed`). A pipe, a device, "/dev/stdout" or "/dev/fd/N"
   * is a stream, which is written to as it is.
   */
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "File location",
          "File to record to; strftime conversions and a fragment number "
          "(%05d) are expanded",
          NULL, RW_PLAYING));

  /**
   * GstRecFileSink:recording-id:
   *
   * Names the recording in every message of this element: a field of element
   * messages, and in the details of warnings and errors. Default: %NULL, which
   * takes the name in location, without directory, suffix and conversions, and if
   * nothing is left the name of the pipeline. May be set at any time, from any
   * thread.
   */
  g_object_class_install_property (klass, PROP_RECORDING_ID,
      g_param_spec_string ("recording-id", "Recording ID",
          "Names the recording in messages (NULL: the name in location, "
          "else of the pipeline)",
          NULL, RW_PLAYING));

  /**
   * GstRecFileSink:on-exists:
   *
   * What to do when the file to create exists. `number`: record to the next
   * free number, so that a recorder that is started again records. `refuse`:
   * post an error. Nothing is ever overwritten, and a file that a recorder is
   * writing to is refused in any case.
   */
  g_object_class_install_property (klass, PROP_ON_EXISTS,
      g_param_spec_enum ("on-exists", "On exists",
          "What to do when the file exists already", on_exists_get_type (),
          DEFAULT_ON_EXISTS, RW | GST_PARAM_MUTABLE_READY));

  /**
   * GstRecFileSink:resume:
   *
   * Go on in the newest file of that name, if there is one: a torn packet at
   * its end is cut off, and the mux goes on with the continuity counters, the
   * PSI versions and the time line of the file (query "tsrec-resume"). A
   * location with a time matches files of every time; the one that was written
   * last is continued. Older files that match count for retention, and the
   * newest playlist is continued. Conversions that cannot be recognised in a
   * name ("%c") are refused with an error on the way to READY.
   */
  g_object_class_install_property (klass, PROP_RESUME,
      g_param_spec_boolean ("resume", "Resume",
          "Go on in the file that an earlier run left", FALSE,
          RW | GST_PARAM_MUTABLE_READY));

  /**
   * GstRecFileSink:journal-location:
   *
   * A file that gets one JSON object a line for each event: opened, closed,
   * gap (with its cause), caps, disk-fault, disk-recovered, sync-failed, ...
   * Needs a build with json-glib. %NULL: no journal. Opened on the way to
   * READY; what is set later holds from the next time on.
   */
  g_object_class_install_property (klass, PROP_JOURNAL_LOCATION,
      g_param_spec_string ("journal-location", "Journal location",
          "File for the journal, JSON lines (null = none); opened on the way "
          "to READY",
          NULL, RW));

  /**
   * GstRecFileSink:stats:
   *
   * Structure `application/x-recfilesink-stats`. May be read from any thread,
   * also while a write hangs. Sizes are in bytes, times in nanoseconds.
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "What was written so far (bytes), and how long it took (ns)",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_disk_properties (GObjectClass *klass)
{
  /**
   * GstRecFileSink:sync-interval:
   *
   * The most that a power cut may lose, in ns of recording, plus one access
   * unit. fdatasync(2) runs on a thread of its own, at the latest half of this
   * after a byte was written. 0: only at EOS. G_MAXUINT64 (-1 in a launch
   * line): for every access unit, whose push then returns when it is durable.
   */
  g_object_class_install_property (klass, PROP_SYNC_INTERVAL,
      g_param_spec_uint64 ("sync-interval", "Sync interval",
          "Most that a power cut may lose, in ns (0 = sync only at EOS, "
          "18446744073709551615 = sync every access unit)",
          0, G_MAXUINT64, DEFAULT_SYNC_INTERVAL, RW_PLAYING));

  /**
   * GstRecFileSink:on-disk-full:
   *
   * What to do when the disk takes no more: full, over quota, failing, made
   * read-only or unmounted. With `wait`, whole access units are dropped and
   * counted, writing is tried every second, and recording goes on by itself at
   * a random access point. With `failover` it goes on at
   * #GstRecFileSink:failover-location, and waits when that fails too.
   */
  g_object_class_install_property (klass, PROP_ON_DISK_FULL,
      g_param_spec_enum ("on-disk-full", "On disk full",
          "What to do when the disk is full or fails", on_disk_full_get_type (),
          DEFAULT_ON_DISK_FULL, RW_PLAYING));

  /**
   * GstRecFileSink:failover-location:
   *
   * Where to go on with on-disk-full=failover; conversions as in
   * #GstRecFileSink:location. Used until the element is stopped.
   */
  g_object_class_install_property (klass, PROP_FAILOVER_LOCATION,
      g_param_spec_string ("failover-location", "Failover location",
          "File to record to when the disk of location fails "
          "(on-disk-full=failover)",
          NULL, RW_PLAYING));

  /**
   * GstRecFileSink:min-free-bytes:
   *
   * When less is free, the oldest fragments of this recording are deleted;
   * when there are none, `recfilesink-disk-low` is posted. Checked once a
   * second. 0: neither.
   */
  g_object_class_install_property (klass, PROP_MIN_FREE_BYTES,
      g_param_spec_uint64 ("min-free-bytes", "Minimum free bytes",
          "Bytes that should stay free on the disk: below that, old fragments "
          "are deleted and a warning is posted (0 = none)",
          0, G_MAXUINT64, 0, RW_PLAYING));
}

static void
install_fragment_properties (GObjectClass *klass)
{
  /**
   * GstRecFileSink:max-size-time:
   *
   * Duration of a fragment, ns of running time: the first random access point
   * at or after it begins the next one, also one that is 2 % of it (at most
   * 100 ms) early, as the times of key frames vary. A key frame is requested
   * when it is due. 0: no limit.
   */
  g_object_class_install_property (klass, PROP_MAX_SIZE_TIME,
      g_param_spec_uint64 ("max-size-time", "Maximum time of a fragment",
          "Duration in ns after which a new file is begun (0 = no limit)", 0,
          G_MAXUINT64, 0, RW_PLAYING));

  /**
   * GstRecFileSink:max-size-bytes:
   *
   * Size of a fragment, bytes: the first random access point with which it
   * would be exceeded begins the next one. 0: no limit.
   */
  g_object_class_install_property (klass, PROP_MAX_SIZE_BYTES,
      g_param_spec_uint64 ("max-size-bytes", "Maximum size of a fragment",
          "Size in bytes after which a new file is begun (0 = no limit)", 0,
          G_MAXUINT64, 0, RW_PLAYING));

  /**
   * GstRecFileSink:align-to-clock:
   *
   * With #GstRecFileSink:max-size-time, fragments end where the local time of
   * day is a multiple of it: 3600 s is on the hour. The first fragment is
   * shorter. Multiples are counted from midnight, which also ends a fragment; of
   * more than a day, from 1970-01-01 00:00 local time. A remainder of at most a
   * tenth of max-size-time, or 1 s, is recorded together with the period after
   * it, and its file is named after the beginning of that period. The wall clock
   * is read when a fragment begins; if it is set, or daylight saving time begins
   * or ends, the next fragment is aligned again. Without max-size-time it does
   * nothing. May be set at any time, from any thread.
   */
  g_object_class_install_property (klass, PROP_ALIGN_TO_CLOCK,
      g_param_spec_boolean ("align-to-clock", "Align to clock",
          "End files where the local time of day is a multiple of "
          "max-size-time, the first one early (3600 s: on the hour)",
          FALSE, RW_PLAYING));

  /**
   * GstRecFileSink:new-file-per-session:
   *
   * Begin a new file at the first random access point of each session that a
   * source announces by the event "tsrec-session". Until then the file of the
   * session before goes on. Sources without the event: emit
   * #GstRecFileSink::split-now.
   */
  g_object_class_install_property (klass, PROP_NEW_FILE_PER_SESSION,
      g_param_spec_boolean ("new-file-per-session", "New file per session",
          "Begin a new file for each session that the source announces", FALSE,
          RW_PLAYING));

  /**
   * GstRecFileSink:max-files:
   *
   * Number of fragments to keep, with the one being written; the oldest that
   * this recording made are deleted, with #GstRecFileSink:resume also those of
   * earlier runs. 0: all.
   */
  g_object_class_install_property (klass, PROP_MAX_FILES,
      g_param_spec_uint ("max-files", "Maximum number of files",
          "Number of fragments to keep, the oldest are deleted (0 = all)", 0,
          G_MAXUINT, 0, RW_PLAYING));

  /**
   * GstRecFileSink:max-total-bytes:
   *
   * Size of all fragments to keep, with the one being written; the oldest that
   * this recording made are deleted, with #GstRecFileSink:resume also those of
   * earlier runs. 0: no limit.
   */
  g_object_class_install_property (klass, PROP_MAX_TOTAL_BYTES,
      g_param_spec_uint64 ("max-total-bytes", "Maximum size of all files",
          "Size in bytes of the fragments to keep, the oldest are deleted "
          "(0 = no limit)",
          0, G_MAXUINT64, 0, RW_PLAYING));
}

void
gst_rec_file_sink_install_properties (GObjectClass *klass)
{
  install_file_properties (klass);
  install_disk_properties (klass);
  install_fragment_properties (klass);
  gst_rec_file_sink_playlist_install_properties (
      klass, PROP_PLAYLIST_LOCATION, PROP_PLAYLIST_TARGET_DURATION);
  gst_type_mark_as_plugin_api (on_exists_get_type (), 0);
  gst_type_mark_as_plugin_api (on_disk_full_get_type (), 0);
}

void
gst_rec_file_sink_init_settings (GstRecFileSink *self)
{
  self->settings.sync_interval = DEFAULT_SYNC_INTERVAL;
  self->settings.on_exists = DEFAULT_ON_EXISTS;
  self->settings.on_disk_full = DEFAULT_ON_DISK_FULL;
}
