/* gst-tsrec: recfilesink, a file sink that can be killed at any time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recfilesink
 * @title: recfilesink
 * @short_description: writes each buffer to a file as soon as it arrives
 * @see_also: tsrecsink, tsrecmux, filesink
 *
 * Each buffer is written before the streaming thread returns. If the recorder
 * is killed, every accepted buffer is in the file, and the file ends after a
 * whole buffer. No data is kept in memory. A FLUSH does not change the file,
 * and buffers outside of the segment are recorded too.
 *
 * The file is created when the first buffer arrives, so that a recorder that
 * receives no data leaves no empty file. The element checks in READY whether
 * the file can be created, and posts an error if not. Before the EOS message is
 * posted, the file is durable (fdatasync) and closed.
 *
 * A write that the kernel does not finish (a frozen file system, a dead network
 * server) blocks the streaming thread, and a state change waits for it. `stats`
 * and the query "tsrec-written" are still answered. A write to a pipe that is
 * not read is cancelled when the element is stopped.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e audiotestsrc is-live=true ! audioconvert ! \
 *     avenc_aac ! aacparse ! mpegtsmux ! recfilesink location=tone.ts
 * ]|
 */

#include "config.h"

#include "gstrecfilesink.h"

#include "gstrecfilesink-private.h"
#include "tspacket.h"

#include <sys/eventfd.h>
#include <unistd.h>

GST_DEBUG_CATEGORY (gst_rec_file_sink_debug);
#define GST_CAT_DEFAULT gst_rec_file_sink_debug

enum
{
  SIGNAL_FORMAT_LOCATION,
  SIGNAL_SPLIT_NOW,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* video/mpegts is truncated to whole packets, other formats to whole buffers.
 */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

#define gst_rec_file_sink_parent_class parent_class
G_DEFINE_TYPE (GstRecFileSink, gst_rec_file_sink, GST_TYPE_BASE_SINK);
GST_ELEMENT_REGISTER_DEFINE (
    recfilesink, "recfilesink", GST_RANK_NONE, GST_TYPE_REC_FILE_SINK);

static void
reset (GstRecFileSink *self)
{
  RecSyncerTotals *totals = &self->totals;

  self->on_failover = self->raw_resumed = FALSE;
  self->packet_size = 1;
  gst_rec_file_sink_clear_names (self);
  memset (&self->cut, 0, sizeof (self->cut));
  rec_fault_state_init (&self->faults);
  rec_media_time_init (&self->media_time);
  rec_disk_folder_clear (&self->base);
  rec_retention_clear (&self->retention);
  self->disk_low = FALSE;
  totals->durable = totals->lost = totals->syncs = totals->failures = 0;
  totals->last_utc = 0;
  totals->duration_max = 0;
  gst_rec_file_sink_init_counters (&self->counters);
  self->place_suspect = self->split_requested = self->to_stream = FALSE;
  self->device = self->inode = 0;
  g_clear_pointer (&self->hls, rec_hls_writer_free);
  g_clear_pointer (&self->session_id, g_free);
  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->resume, g_free);
  GST_OBJECT_UNLOCK (self);
}

/* --- queries --- */

static gboolean
answer_written (GstRecFileSink *self, GstQuery *query)
{
  gchar *path = gst_rec_file_sink_dup_path (self);
  gchar *id = gst_rec_file_sink_dup_string (self, &self->recording_id.setting);
  /* read before bytes_written, so that it never seems to be greater */
  guint64 durable = self->totals.durable;
  RecWritten written = {
    .bytes_written = self->counters.bytes_written,
    .bytes_durable = durable,
    .bytes_dropped = self->counters.bytes_dropped,
    .file_size = self->counters.file_size,
    .buffers_written = self->counters.buffers_written,
    .write_blocked = gst_rec_file_sink_get_write_blocked (self),
    .waiting_for_disk = self->faults.waiting,
  };

  rec_query_set_written (query, &written, path);
  rec_query_set_recording_id (query, id);
  g_free (path);
  g_free (id);
  return TRUE;
}

static gboolean
answer_resume (GstRecFileSink *self, GstQuery *query)
{
  RecResume *resume = NULL;

  GST_OBJECT_LOCK (self);
  if (self->resume) {
    resume = g_memdup2 (self->resume, sizeof (*resume));
    resume->elapsed =
        MAX (g_get_real_time () - (gint64)self->resume_mtime_us, 0) *
        GST_USECOND;
  }
  GST_OBJECT_UNLOCK (self);
  if (!resume)
    return FALSE;
  rec_query_set_resume (query, resume);
  g_free (resume);
  return TRUE;
}

static gboolean
answer_query (GstRecFileSink *self, GstQuery *query)
{
  GstFormat format;

  if (rec_query_is_written (query))
    return answer_written (self, query);
  if (rec_query_is_resume (query))
    return answer_resume (self, query);
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (format != GST_FORMAT_BYTES && format != GST_FORMAT_DEFAULT)
        return FALSE;
      gst_query_set_position (query, format, self->counters.file_size);
      return TRUE;
    case GST_QUERY_FORMATS:
      gst_query_set_formats (query, 2, GST_FORMAT_DEFAULT, GST_FORMAT_BYTES);
      return TRUE;
    case GST_QUERY_SEEKING:
      /* written data cannot be overwritten */
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, FALSE, 0, -1);
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
gst_rec_file_sink_query (GstBaseSink *sink, GstQuery *query)
{
  return answer_query (GST_REC_FILE_SINK (sink), query) ||
      GST_BASE_SINK_CLASS (parent_class)->query (sink, query);
}

static gboolean
gst_rec_file_sink_element_query (GstElement *element, GstQuery *query)
{
  return answer_query (GST_REC_FILE_SINK (element), query) ||
      GST_ELEMENT_CLASS (parent_class)->query (element, query);
}

/* --- streaming --- */

static GstFlowReturn
gst_rec_file_sink_render (GstBaseSink *sink, GstBuffer *buffer)
{
  return gst_rec_file_sink_write_buffer (GST_REC_FILE_SINK (sink), buffer);
}

/* Makes all data durable before the EOS message is posted. */
static void
finish_at_eos (GstRecFileSink *self)
{
  if (!self->fragment)
    return;
  g_free (self->names.continue_path);
  self->names.continue_path = g_strdup (self->fragment->path);
  gst_rec_file_sink_finish (self, "eos");
  rec_hls_writer_end (self->hls);
  gst_rec_file_sink_wait_durable (self);
}

/* A source with several pads sends the event on each of them. */
static void
begin_session (GstRecFileSink *self, const gchar *session_id)
{
  gboolean split = gst_rec_file_sink_get_settings (self).new_file_per_session &&
      self->fragment && self->fragment->file.size > 0 &&
      (rec_media_time_has_begun (&self->media_time) ||
          !self->fragment->created);

  if (*session_id && g_strcmp0 (self->session_id, session_id) == 0)
    return;
  g_free (self->session_id);
  self->session_id = g_strdup (session_id);
  GST_INFO_OBJECT (self, "session \"%s\" begins%s", session_id,
      split ? ": a new file begins at its random access point" : "");
  gst_rec_file_sink_journal (self, self->counters.last_time,
      gst_structure_new (
          "session", "session-id", G_TYPE_STRING, session_id, NULL));
  if (split)
    self->split_requested = TRUE;
}

static gboolean
gst_rec_file_sink_event (GstBaseSink *sink, GstEvent *event)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (sink);
  const GstStructure *fields = rec_event_parse_journal (event);
  const gchar *session_id = rec_event_parse_session (event);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    finish_at_eos (self);
  else if (fields)
    gst_rec_file_sink_journal (
        self, self->counters.last_time, gst_structure_copy (fields));
  else if (session_id)
    begin_session (self, session_id);
  return GST_BASE_SINK_CLASS (parent_class)->event (sink, event);
}

static gboolean
gst_rec_file_sink_set_caps (GstBaseSink *sink, GstCaps *caps)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (sink);
  GstStructure *s = gst_caps_get_structure (caps, 0);
  gboolean is_ts = gst_structure_has_name (s, "video/mpegts");
  gint packet_size = is_ts ? TS_PACKET_SIZE : 1;
  gchar *text;

  if (is_ts && self->raw_resumed)
    goto other_format;
  gst_structure_get_int (s, "packetsize", &packet_size);
  self->packet_size = (guint)MAX (packet_size, 1);
  text = gst_caps_to_string (caps);
  GST_INFO_OBJECT (
      self, "caps %s: packets of %u bytes", text, self->packet_size);
  gst_rec_file_sink_journal (self, self->counters.last_time,
      gst_structure_new ("caps", "caps", G_TYPE_STRING, text, NULL));
  g_free (text);
  return TRUE;

  /* ERRORS */
other_format:
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
      ("Could not resume \"%s\": it is not an MPEG transport stream. Move it "
       "away, or set another location.",
          self->path),
      (NULL));
  return FALSE;
}

/* --- state --- */

static gboolean
gst_rec_file_sink_unlock (GstBaseSink *sink)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (sink);
  guint64 one = 1;

  /* fails only if it is already set */
  if (write (self->cancel_fd, &one, sizeof (one)) < 0)
    GST_LOG_OBJECT (self, "already unlocked");
  if (self->syncer)
    rec_syncer_set_cancelled (self->syncer, TRUE);
  return TRUE;
}

static gboolean
gst_rec_file_sink_unlock_stop (GstBaseSink *sink)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (sink);
  guint64 count;

  if (read (self->cancel_fd, &count, sizeof (count)) < 0)
    GST_LOG_OBJECT (self, "was not unlocked");
  if (self->syncer)
    rec_syncer_set_cancelled (self->syncer, FALSE);
  return TRUE;
}

/* Not in GstBaseSink::start, which would post a second error. */
static gboolean
open_sink (GstRecFileSink *self)
{
  gchar *location = gst_rec_file_sink_dup_string (self, &self->location);

  reset (self);
  rec_recording_id_reset (&self->recording_id, GST_ELEMENT (self));
  rec_recording_id_note_location (
      &self->recording_id, GST_ELEMENT (self), location);
  g_free (location);
  /* tests set a table of failing calls */
  self->sys = g_object_get_data (G_OBJECT (self), "rec-syscalls");
  return gst_rec_file_sink_prepare (self);
}

static void
log_settings (GstRecFileSink *self, const GstRecFileSinkSettings *settings)
{
  static const gchar *on_disk_full[] = { "wait", "error", "failover" };

  if (settings->sync_interval == REC_SYNCER_ALWAYS)
    GST_INFO_OBJECT (self, "syncs every access unit");
  else if (settings->sync_interval == 0)
    GST_INFO_OBJECT (self, "syncs at EOS only");
  else
    GST_INFO_OBJECT (self, "syncs within %" GST_TIME_FORMAT,
        GST_TIME_ARGS (settings->sync_interval));
  GST_INFO_OBJECT (self,
      "on-disk-full=%s, resume %d, fragments of %" GST_TIME_FORMAT
      " and %" G_GUINT64_FORMAT " bytes; keeps %" G_GUINT64_FORMAT
      " files and %" G_GUINT64_FORMAT " bytes (0: all), %" G_GUINT64_FORMAT
      " bytes free",
      on_disk_full[settings->on_disk_full], settings->resume,
      GST_TIME_ARGS (settings->max_size_time), settings->max_size_bytes,
      settings->retention.max_files, settings->retention.max_bytes,
      settings->retention.min_free_bytes);
}

static void
start_playlist (GstRecFileSink *self)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  gchar *location =
      gst_rec_file_sink_dup_string (self, &self->playlist_location);

  self->hls = rec_hls_writer_new (GST_ELEMENT (self), location,
      settings.playlist_target_duration, settings.resume);
  g_free (location);
}

static void
start_worker (GstRecFileSink *self)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  RecSyncer *syncer = rec_syncer_new (settings.sync_interval,
      &gst_rec_file_sink_syncer_funcs, &self->totals, self);

  log_settings (self, &settings);
  if (self->fragment)
    rec_syncer_set_current (syncer, self->fragment);
  GST_OBJECT_LOCK (self);
  self->syncer = syncer;
  GST_OBJECT_UNLOCK (self);
}

static void
stop_worker (GstRecFileSink *self)
{
  RecSyncer *syncer;

  gst_rec_file_sink_finish (self, "stopped");
  rec_hls_writer_end (self->hls);
  g_clear_pointer (&self->hls, rec_hls_writer_free);
  GST_OBJECT_LOCK (self);
  syncer = g_steal_pointer (&self->syncer);
  GST_OBJECT_UNLOCK (self);
  if (syncer)
    rec_syncer_free (syncer);
}

static GstStateChangeReturn
gst_rec_file_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_sink (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    reset (self); /* each start is a new recording */
    start_playlist (self);
    /* before the worker starts, because it deletes files */
    if (!gst_rec_file_sink_resume (self))
      return GST_STATE_CHANGE_FAILURE;
    start_worker (self);
  }
  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          ret == GST_STATE_CHANGE_FAILURE))
    stop_worker (self);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    g_clear_pointer (&self->journal, rec_journal_free);
  return ret;
}

/* --- signals --- */

static void
gst_rec_file_sink_split_now (GstRecFileSink *self)
{
  GST_DEBUG_OBJECT (
      self, "split-now: a new file begins at the next random access point");
  self->split_requested = TRUE;
}

/* --- messages --- */

static gboolean
gst_rec_file_sink_post_message (GstElement *element, GstMessage *message)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (element);

  if (gst_message_has_name (message, "recfilesink-opened"))
    rec_recording_id_note_location (&self->recording_id, element,
        gst_structure_get_string (
            gst_message_get_structure (message), "location"));
  return GST_ELEMENT_CLASS (parent_class)
      ->post_message (element,
          rec_recording_id_add (&self->recording_id, element, message));
}

/* --- object --- */

static void
gst_rec_file_sink_finalize (GObject *object)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (object);

  if (self->cancel_fd >= 0)
    close (self->cancel_fd);
  rec_retention_clear (&self->retention);
  g_free (self->location);
  rec_recording_id_clear (&self->recording_id);
  g_free (self->failover_location);
  g_free (self->journal_location);
  g_free (self->playlist_location);
  g_free (self->path);
  g_free (self->resume);
  gst_rec_file_sink_clear_names (self);
  g_free (self->session_id);
  rec_disk_folder_clear (&self->base);
  rec_hls_writer_free (self->hls);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

/* --- class --- */

static void
install_signals (GstRecFileSinkClass *klass)
{
  /**
   * GstRecFileSink::format-location:
   * @sink: the element
   * @fragment: number of the fragment, counted from 0
   *
   * Requests the name of the next fragment, on the streaming thread. While that
   * file cannot be opened, recording continues in the current fragment, and the
   * signal is emitted again every second with the same number.
   *
   * Returns: (transfer full) (nullable): path of the fragment; %NULL: the
   *   fragment is named by #GstRecFileSink:location
   */
  signals[SIGNAL_FORMAT_LOCATION] = g_signal_new ("format-location",
      G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
      G_TYPE_STRING, 1, G_TYPE_UINT);

  /**
   * GstRecFileSink::split-now:
   * @sink: the element
   *
   * Action signal: begins a new fragment at the next random access point and
   * requests a key frame. May be emitted on any thread.
   */
  signals[SIGNAL_SPLIT_NOW] = g_signal_new_class_handler ("split-now",
      G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
      G_CALLBACK (gst_rec_file_sink_split_now), NULL, NULL, NULL, G_TYPE_NONE,
      0);
}

static void
gst_rec_file_sink_class_init (GstRecFileSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      gst_rec_file_sink_debug, "recfilesink", 0, "durable file sink");
  object_class->set_property = gst_rec_file_sink_set_property;
  object_class->get_property = gst_rec_file_sink_get_property;
  object_class->finalize = gst_rec_file_sink_finalize;
  element_class->change_state = gst_rec_file_sink_change_state;
  element_class->query = gst_rec_file_sink_element_query;
  element_class->post_message = gst_rec_file_sink_post_message;
  sink_class->render = gst_rec_file_sink_render;
  sink_class->event = gst_rec_file_sink_event;
  sink_class->set_caps = gst_rec_file_sink_set_caps;
  sink_class->query = gst_rec_file_sink_query;
  sink_class->unlock = gst_rec_file_sink_unlock;
  sink_class->unlock_stop = gst_rec_file_sink_unlock_stop;

  gst_rec_file_sink_install_properties (object_class);
  install_signals (klass);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "Durable file sink",
      "Sink/File",
      "Writes each buffer to a file as soon as it arrives; the file is valid "
      "at "
      "all times",
      "The gst-tsrec authors");
}

static void
gst_rec_file_sink_init (GstRecFileSink *self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);

  self->cancel_fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  gst_rec_file_sink_init_settings (self);
  rec_retention_init (&self->retention);
  reset (self);
  gst_base_sink_set_sync (sink, FALSE);
  gst_base_sink_set_async_enabled (sink, FALSE);
  gst_base_sink_set_qos_enabled (sink, FALSE);
  gst_base_sink_set_last_sample_enabled (sink, FALSE);
  gst_base_sink_set_drop_out_of_segment (sink, FALSE);
}
