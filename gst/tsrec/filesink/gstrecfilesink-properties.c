/* gst-tsrec: recfilesink, properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#define DEFAULT_SYNC_INTERVAL GST_SECOND
#define DEFAULT_ON_EXISTS REC_ON_EXISTS_NUMBER
#define DEFAULT_ON_DISK_FULL REC_ON_DISK_FULL_WAIT
#define DEFAULT_PLAYLIST_TARGET_DURATION (2 * GST_SECOND)

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
    { REC_ON_EXISTS_REFUSE, "Fail with an error", "refuse" },
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
        "Keep the file, drop new data, continue when the disk works again",
        "wait" },
    { REC_ON_DISK_FULL_ERROR, "Stop with an error", "error" },
    { REC_ON_DISK_FULL_FAILOVER, "Continue at failover-location", "failover" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstRecFileSinkOnDiskFull", values));
  return type;
}

/* --- values --- */

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
      if (self->syncer)
        rec_syncer_set_interval (self->syncer, settings->sync_interval);
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
      settings->playlist_target_duration = g_value_get_uint64 (value);
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
      g_value_set_uint64 (value, settings->playlist_target_duration);
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
        value, gst_rec_file_sink_create_stats (GST_REC_FILE_SINK (object)));
    return;
  }
  GST_OBJECT_LOCK (object);
  get_setting (GST_REC_FILE_SINK (object), prop_id, value);
  GST_OBJECT_UNLOCK (object);
}

/* --- specifications --- */

#define RW (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)
#define RW_PLAYING (RW | GST_PARAM_MUTABLE_PLAYING)

static void
install_file_properties (GObjectClass *klass)
{
  /**
   * GstRecFileSink:location:
   *
   * Path of the file to record to. Default: %NULL; an error is posted in READY,
   * unless a handler of #GstRecFileSink::format-location is connected.
   *
   * strftime(3) conversions are expanded in local time when the file is
   * created. `%05d` (a `d` with a width) is the fragment number, counted from
   * 0; a bare `%d` is the day of the month; `%%` is a percent sign. If the name
   * has no fragment number, further files get a number before the extension:
   * `rec.ts`, `rec-1.ts`. Missing folders are created if the name of a folder
   * has a conversion.
   *
   * The file is created with the first buffer. Errors that can be detected
   * earlier are posted when the element goes to READY. May be set at any time,
   * from any thread, and takes effect with the next file. While that file
   * cannot be opened, recording continues in the current one
   * (`recfilesink-open-failed`). A pipe, a device, "/dev/stdout" or "/dev/fd/N"
   * is a stream, which is written from its present position.
   */
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "File location",
          "Path of the file; strftime conversions and a fragment number (%05d) "
          "are expanded",
          NULL, RW_PLAYING));

  /**
   * GstRecFileSink:recording-id:
   *
   * Name of the recording in all messages of the element: a field of element
   * messages, and part of the details of warnings and errors. Default: %NULL,
   * for the name in location without directory, suffix and conversions, or the
   * name of the pipeline if that is empty. May be set at any time, from any
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
   * Action if the file exists when recording begins. `number`, the default,
   * adds the next free number to the name, so that a restarted recorder
   * records. `refuse` posts an error. Files are never overwritten, and a file
   * that another recorder has open is always refused.
   */
  g_object_class_install_property (klass, PROP_ON_EXISTS,
      g_param_spec_enum ("on-exists", "On exists",
          "Action if the file already exists", on_exists_get_type (),
          DEFAULT_ON_EXISTS, RW | GST_PARAM_MUTABLE_READY));

  /**
   * GstRecFileSink:resume:
   *
   * Append to the newest file of an earlier run, if there is one. Default:
   * %FALSE. A partial packet at its end is removed, and the mux continues the
   * continuity counters, the PSI versions and the timeline of the file (query
   * "tsrec-resume"). A location with a time matches files of every time; the
   * file that was written last is continued. Older files that match count for
   * retention, and the newest playlist is continued. An error is posted in
   * READY if a conversion cannot be recognised in a name ("%c").
   */
  g_object_class_install_property (klass, PROP_RESUME,
      g_param_spec_boolean ("resume", "Resume",
          "Append to the newest file of an earlier run", FALSE,
          RW | GST_PARAM_MUTABLE_READY));

  /**
   * GstRecFileSink:journal-location:
   *
   * Path of the journal, which has one JSON object per line and event: opened,
   * closed, gap (with its cause), caps, disk-fault, disk-recovered,
   * sync-failed, ... Default: %NULL, no journal. Needs a build with json-glib.
   * Opened when the element goes to READY; a later change takes effect the next
   * time.
   */
  g_object_class_install_property (klass, PROP_JOURNAL_LOCATION,
      g_param_spec_string ("journal-location", "Journal location",
          "Path of the journal, JSON lines (null = none); opened in READY",
          NULL, RW));

  /**
   * GstRecFileSink:stats:
   *
   * Structure `application/x-recfilesink-stats`. May be read from any thread,
   * also while a write blocks. Sizes are in bytes, times in nanoseconds.
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Statistics of the sink: sizes in bytes, times in ns",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_disk_properties (GObjectClass *klass)
{
  /**
   * GstRecFileSink:sync-interval:
   *
   * Longest part of the recording that a power failure may lose, ns, plus one
   * access unit. Default: 1 s. fdatasync(2) runs on a separate thread, at most
   * half of the interval after a byte was written. 0: only at EOS. G_MAXUINT64
   * (-1 in a launch line): for every access unit, and the push of a buffer
   * returns when it is durable. May be set at any time, from any thread.
   */
  g_object_class_install_property (klass, PROP_SYNC_INTERVAL,
      g_param_spec_uint64 ("sync-interval", "Sync interval",
          "Longest part that a power failure may lose, in ns (0 = sync only at "
          "EOS, 18446744073709551615 = sync every access unit)",
          0, G_MAXUINT64, DEFAULT_SYNC_INTERVAL, RW_PLAYING));

  /**
   * GstRecFileSink:on-disk-full:
   *
   * Action when the disk is full, over quota, failing, read-only or unmounted.
   * `wait`, the default: whole access units are dropped and counted, writing is
   * tried every second, and recording continues at a random access point.
   * `failover`: recording continues at #GstRecFileSink:failover-location, and
   * waits if that fails too. `error`: an error is posted. May be set at any
   * time, from any thread.
   */
  g_object_class_install_property (klass, PROP_ON_DISK_FULL,
      g_param_spec_enum ("on-disk-full", "On disk full",
          "Action when the disk is full or fails", on_disk_full_get_type (),
          DEFAULT_ON_DISK_FULL, RW_PLAYING));

  /**
   * GstRecFileSink:failover-location:
   *
   * Path of the files after a failover (on-disk-full=failover), with the
   * conversions of #GstRecFileSink:location. Default: %NULL, no failover. Used
   * until the element is stopped. May be set at any time, from any thread.
   */
  g_object_class_install_property (klass, PROP_FAILOVER_LOCATION,
      g_param_spec_string ("failover-location", "Failover location",
          "File to record to when the disk of location fails "
          "(on-disk-full=failover)",
          NULL, RW_PLAYING));

  /**
   * GstRecFileSink:min-free-bytes:
   *
   * Free space below which the oldest fragments of the recording are deleted,
   * bytes. `recfilesink-disk-low` is posted if that is not enough. Checked once
   * a second. Default: 0, no limit. May be set at any time, from any thread.
   */
  g_object_class_install_property (klass, PROP_MIN_FREE_BYTES,
      g_param_spec_uint64 ("min-free-bytes", "Minimum free bytes",
          "Free bytes below which old fragments are deleted and a message is "
          "posted (0 = no limit)",
          0, G_MAXUINT64, 0, RW_PLAYING));
}

static void
install_fragment_properties (GObjectClass *klass)
{
  /**
   * GstRecFileSink:max-size-time:
   *
   * Duration of a fragment, ns of running time. Default: 0, no limit. The first
   * random access point at or after it begins the next fragment, or one that is
   * at most 2 % (and 100 ms) early, because the distance of key frames varies.
   * A key frame is requested when the duration is over. May be set at any time,
   * from any thread.
   */
  g_object_class_install_property (klass, PROP_MAX_SIZE_TIME,
      g_param_spec_uint64 ("max-size-time", "Maximum time of a fragment",
          "Duration of a file in ns (0 = no limit)", 0, G_MAXUINT64, 0,
          RW_PLAYING));

  /**
   * GstRecFileSink:max-size-bytes:
   *
   * Size of a fragment, bytes. Default: 0, no limit. The first random access
   * point that would exceed it begins the next fragment. May be set at any
   * time, from any thread.
   */
  g_object_class_install_property (klass, PROP_MAX_SIZE_BYTES,
      g_param_spec_uint64 ("max-size-bytes", "Maximum size of a fragment",
          "Size of a file in bytes (0 = no limit)", 0, G_MAXUINT64, 0,
          RW_PLAYING));

  /**
   * GstRecFileSink:align-to-clock:
   *
   * Ends fragments when the local time of day is a multiple of
   * #GstRecFileSink:max-size-time: 3600 s is on the hour. Default: %FALSE. No
   * effect without max-size-time. The first fragment is shorter.
   *
   * Multiples are counted from midnight, which also ends a fragment; multiples
   * of more than one day from 1970-01-01 00:00 local time. A remainder of at
   * most a tenth of max-size-time, or 1 s, is recorded together with the next
   * period, in a file that is named after the beginning of that period. The
   * wall clock is read when a fragment begins; after it was set, or when
   * daylight saving time begins or ends, the next fragment is aligned again.
   * May be set at any time, from any thread.
   */
  g_object_class_install_property (klass, PROP_ALIGN_TO_CLOCK,
      g_param_spec_boolean ("align-to-clock", "Align to clock",
          "End files when the local time of day is a multiple of "
          "max-size-time (3600 s: on the hour)",
          FALSE, RW_PLAYING));

  /**
   * GstRecFileSink:new-file-per-session:
   *
   * Begins a new file at the first random access point of each session that the
   * source announces with the event "tsrec-session". Default: %FALSE. Until
   * then recording continues in the file of the previous session. Applications
   * whose source has no such event can emit #GstRecFileSink::split-now. May be
   * set at any time, from any thread.
   */
  g_object_class_install_property (klass, PROP_NEW_FILE_PER_SESSION,
      g_param_spec_boolean ("new-file-per-session", "New file per session",
          "Begin a new file for each session that the source announces", FALSE,
          RW_PLAYING));

  /**
   * GstRecFileSink:max-files:
   *
   * Number of fragments to keep, including the current one. Default: 0, all.
   * The oldest fragments of the recording are deleted; with
   * #GstRecFileSink:resume also fragments of earlier runs. May be set at any
   * time, from any thread.
   */
  g_object_class_install_property (klass, PROP_MAX_FILES,
      g_param_spec_uint ("max-files", "Maximum number of files",
          "Number of fragments to keep; the oldest are deleted (0 = all)", 0,
          G_MAXUINT, 0, RW_PLAYING));

  /**
   * GstRecFileSink:max-total-bytes:
   *
   * Total size of the fragments to keep, bytes, including the current one.
   * Default: 0, no limit. The oldest fragments of the recording are deleted;
   * with #GstRecFileSink:resume also fragments of earlier runs. May be set at
   * any time, from any thread.
   */
  g_object_class_install_property (klass, PROP_MAX_TOTAL_BYTES,
      g_param_spec_uint64 ("max-total-bytes", "Maximum size of all files",
          "Total size of the fragments in bytes; the oldest are deleted "
          "(0 = no limit)",
          0, G_MAXUINT64, 0, RW_PLAYING));
}

static void
install_playlist_properties (GObjectClass *klass)
{
  /**
   * GstRecFileSink:playlist-location:
   *
   * Path of an HLS media playlist of the recording (RFC 8216, version 4).
   * Default: %NULL, no playlist. A player that opens it, over HTTP or as a
   * file, can watch the running recording and seek in it.
   *
   * The playlist is of type EVENT and ends with EXT-X-ENDLIST. It names byte
   * ranges of the files, or a whole file if that is a single entry. It is
   * replaced as a whole with each entry, so that it is valid at all times.
   * strftime(3) conversions are expanded. #GstRecFileSink:on-exists applies to
   * an existing playlist; #GstRecFileSink:resume continues it. Only for MPEG
   * transport streams. An error is posted once as a warning and never stops the
   * recording. Takes effect when the element goes to PAUSED.
   */
  g_object_class_install_property (klass, PROP_PLAYLIST_LOCATION,
      g_param_spec_string ("playlist-location", "Playlist location",
          "Path of an HLS playlist of the recording (null = none)", NULL,
          RW | GST_PARAM_MUTABLE_READY));

  /**
   * GstRecFileSink:playlist-target-duration:
   *
   * Wanted duration of an entry, ns of running time. Default: 2 s. The random
   * access point nearest to it begins the next entry, or one that is up to a
   * quarter early. EXT-X-TARGETDURATION is three times the duration; when two
   * thirds of that have passed without a random access point, a key frame is
   * requested upstream. Takes effect when the element goes to PAUSED.
   */
  g_object_class_install_property (klass, PROP_PLAYLIST_TARGET_DURATION,
      g_param_spec_uint64 ("playlist-target-duration",
          "Playlist target duration",
          "Wanted duration of a playlist entry in ns", GST_SECOND,
          3600 * GST_SECOND, DEFAULT_PLAYLIST_TARGET_DURATION,
          RW | GST_PARAM_MUTABLE_READY));
}

void
gst_rec_file_sink_install_properties (GObjectClass *klass)
{
  install_file_properties (klass);
  install_disk_properties (klass);
  install_fragment_properties (klass);
  install_playlist_properties (klass);
  gst_type_mark_as_plugin_api (on_exists_get_type (), 0);
  gst_type_mark_as_plugin_api (on_disk_full_get_type (), 0);
}

void
gst_rec_file_sink_init_settings (GstRecFileSink *self)
{
  self->settings.sync_interval = DEFAULT_SYNC_INTERVAL;
  self->settings.on_exists = DEFAULT_ON_EXISTS;
  self->settings.on_disk_full = DEFAULT_ON_DISK_FULL;
  self->settings.playlist_target_duration = DEFAULT_PLAYLIST_TARGET_DURATION;
}

/* --- values for the other parts --- */

GstRecFileSinkSettings
gst_rec_file_sink_get_settings (GstRecFileSink *self)
{
  GstRecFileSinkSettings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  return settings;
}

gchar *
gst_rec_file_sink_dup_string (GstRecFileSink *self, gchar *const *field)
{
  gchar *string;

  GST_OBJECT_LOCK (self);
  string = g_strdup (*field);
  GST_OBJECT_UNLOCK (self);
  return string;
}

gchar *
gst_rec_file_sink_dup_path (GstRecFileSink *self)
{
  gchar *path;

  GST_OBJECT_LOCK (self);
  path = g_strdup (self->path ? self->path : self->location);
  GST_OBJECT_UNLOCK (self);
  return path;
}

gchar *
gst_rec_file_sink_dup_pattern (GstRecFileSink *self)
{
  return gst_rec_file_sink_dup_string (
      self, self->on_failover ? &self->failover_location : &self->location);
}
