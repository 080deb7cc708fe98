/* gst-tsrec: recfilesink, a file sink that can be killed at any instant
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recfilesink
 * @title: recfilesink
 * @short_description: writes each buffer to a file the moment it arrives
 * @see_also: tsrecsink, tsrecmux, filesink
 *
 * Each buffer is one write, made before the buffer's streaming thread returns:
 * a recorder that is killed loses nothing that this element had accepted, and
 * the file always ends after a whole buffer. Nothing is kept in memory, a
 * FLUSH does not touch the file, and buffers outside of the segment are
 * recorded too.
 *
 * The file is created when the first buffer arrives, so that a recorder that
 * never receives anything leaves no empty file behind; whether it can be
 * created is checked when the element goes to READY, and an error then says
 * what is wrong. Before the EOS message is posted, the file is on stable
 * storage (fdatasync) and closed.
 *
 * A write that the kernel does not finish (a frozen file system, a dead
 * network server) blocks the streaming thread, and a state change waits for
 * it; `stats` and the query "tsrec-written" are answered meanwhile. A write to
 * a pipe that nobody reads is given up when the element is stopped.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e audiotestsrc is-live=true ! audioconvert ! \
 *     avenc_aac ! aacparse ! mpegtsmux ! recfilesink location=tone.ts
 * ]|
 */

#include "config.h"

#include "gstrecfilesink.h"

#include "recfile.h"
#include "recfilename.h"
#include "recmessage.h"
#include "recquery.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

GST_DEBUG_CATEGORY_STATIC (gst_rec_file_sink_debug);
#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* More memories than that are written by more than one call. */
#define MAX_IOVS 64

struct _GstRecFileSink
{
  GstBaseSink parent;

  /* properties, under the object lock */
  gchar *location;

  /* streaming thread, and state changes while it does not run */
  RecFile file;
  gchar *path; /* of the file that is open; changed under the object lock */
  guint index;
  gboolean finished; /* EOS: data after it continues the same file */
  GstClockTime opened_time;
  GstClockTime last_time;

  /* read from any thread */
  int cancel_fd;
  _Atomic guint64 bytes_before; /* of the fragments before this one */
  _Atomic guint64 durable_before;
  _Atomic guint64 buffers;
  _Atomic gint64 write_began; /* monotonic µs, 0: no write is under way */
  _Atomic guint64 latency_sum;
  _Atomic guint64 latency_max;
};

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_STATS
};

/* video/mpegts is cut at its packets; any other format at its buffers. */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

#define gst_rec_file_sink_parent_class parent_class
G_DEFINE_TYPE (GstRecFileSink, gst_rec_file_sink, GST_TYPE_BASE_SINK);
GST_ELEMENT_REGISTER_DEFINE (
    recfilesink, "recfilesink", GST_RANK_NONE, GST_TYPE_REC_FILE_SINK);

/* --- statistics: atomics only, so that they answer while a write hangs */

static guint64
get_write_blocked (GstRecFileSink *self)
{
  gint64 began = self->write_began;

  return began ? (g_get_monotonic_time () - began) * GST_USECOND : 0;
}

static gchar *
dup_path (GstRecFileSink *self)
{
  gchar *path;

  GST_OBJECT_LOCK (self);
  path = g_strdup (self->path);
  GST_OBJECT_UNLOCK (self);
  return path;
}

static GstStructure *
get_stats (GstRecFileSink *self)
{
  gchar *path = dup_path (self);
  guint64 buffers = self->buffers;
  GstStructure *s;
  RecFileSinkStats stats = {
    .location = path,
    .fragment_index = self->index,
    .fragments = path ? 1 : 0,
    .file_size = self->file.size,
    .bytes_written = self->bytes_before + self->file.accepted,
    .bytes_durable = self->durable_before + self->file.durable,
    .bytes_lost_to_sync = self->file.lost_to_sync,
    .buffers_written = buffers,
    .write_latency_mean = buffers ? self->latency_sum / buffers : 0,
    .write_latency_max = self->latency_max,
    .write_blocked = get_write_blocked (self),
  };

  s = rec_structure_new_file_sink_stats (&stats);
  g_free (path);
  return s;
}

static gboolean
answer_written (GstRecFileSink *self, GstQuery *query)
{
  gchar *path = dup_path (self);
  RecWritten written = {
    .bytes_written = self->bytes_before + self->file.accepted,
    .bytes_durable = self->durable_before + self->file.durable,
    .file_size = self->file.size,
    .buffers_written = self->buffers,
    .write_blocked = get_write_blocked (self),
  };

  rec_query_set_written (query, &written, path);
  g_free (path);
  return TRUE;
}

/* --- opening and closing */

/* What a person can do about @err, for error messages. */
static const gchar *
way_out (gint err)
{
  switch (err) {
    case ENOENT:
    case ENOTDIR:
      return "Create the directory, or set location to one that exists.";
    case EACCES:
    case EPERM:
      return "Give the recorder write permission, or set another location.";
    case EROFS:
      return "The file system is mounted read-only: remount it, or set another "
             "location.";
    case EISDIR:
      return "Set location to a file name in that directory.";
    case EBUSY:
      return "Another recorder is writing to it: stop that one, or set another "
             "location.";
    case EEXIST:
      return "Move it away, or set another location.";
    case ENXIO:
      return "Start the reader of the pipe first.";
    case ENOSPC:
    case EDQUOT:
      return "Free space, or set another location.";
    default:
      return "Set another location.";
  }
}

static void
post_open_error (GstRecFileSink *self, const gchar *path, gint err)
{
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
      ("Could not record to \"%s\": %s. %s", path,
          err == EBUSY ? "it is in use" : g_strerror (err), way_out (err)),
      ("errno %d", err));
}

/* Tries, without leaving a trace, whether a file can be made in @directory. */
static gint
probe_directory (const gchar *directory)
{
  struct stat st;
  gint fd;

  if (stat (directory, &st) < 0)
    return errno;
  if (!S_ISDIR (st.st_mode))
    return ENOTDIR;
  if (access (directory, W_OK | X_OK) < 0)
    return errno;
  fd = open (directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0)
    close (fd);
  else if (errno == EROFS || errno == EACCES || errno == EPERM)
    return errno;
  return 0;
}

/* Whether @path can be recorded to; nothing is created or changed. */
static gint
probe_target (const gchar *path)
{
  gchar *directory;
  struct stat st;
  gint err;

  if (stat (path, &st) == 0) {
    if (S_ISDIR (st.st_mode))
      return EISDIR;
    if (!S_ISREG (st.st_mode))
      return access (path, W_OK) < 0 ? errno : 0;
    return rec_file_probe_lock (NULL, path) ? EBUSY : EEXIST;
  }
  if (errno != ENOENT)
    return errno;
  directory = g_path_get_dirname (path);
  err = probe_directory (directory);
  g_free (directory);
  return err;
}

static gchar *
make_path (GstRecFileSink *self)
{
  gchar *location, *path = NULL;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);
  if (location)
    path = rec_filename_expand (location, g_get_real_time (), self->index);
  g_free (location);
  return path;
}

static gboolean
open_file (GstRecFileSink *self, GstClockTime time)
{
  gchar *path = self->finished ? dup_path (self) : make_path (self);
  gint err;

  err = rec_file_open (
      &self->file, path, self->finished ? REC_FILE_CONTINUE : REC_FILE_CREATE);
  if (err)
    goto failed;
  GST_INFO_OBJECT (self, "recording to \"%s\"", path);
  self->finished = FALSE;
  self->opened_time = time;
  GST_OBJECT_LOCK (self);
  g_free (self->path);
  self->path = g_strdup (path);
  GST_OBJECT_UNLOCK (self);
  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_opened (GST_ELEMENT (self), path, self->index, time));
  g_free (path);
  return TRUE;

  /* ERRORS */
failed:
  post_open_error (self, path, err);
  g_free (path);
  return FALSE;
}

/* Makes the file durable and closes it. */
static void
close_file (GstRecFileSink *self, const gchar *reason)
{
  guint64 bytes = self->file.size;
  gint err;

  if (!rec_file_is_open (&self->file))
    return;
  err = rec_file_sync (&self->file, NULL);
  self->bytes_before += self->file.accepted;
  self->durable_before += self->file.durable;
  self->file.accepted = self->file.durable = 0;
  if (!err)
    err = rec_file_close (&self->file);
  else
    rec_file_close (&self->file);
  if (err)
    GST_ELEMENT_WARNING (self, RESOURCE, SYNC,
        ("Could not make \"%s\" durable: %s. What was written since the last "
         "sync may be lost in a power cut.",
            self->path, g_strerror (err)),
        (NULL));
  self->finished = TRUE;
  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_closed (GST_ELEMENT (self), self->path, self->index,
          self->last_time, bytes,
          GST_CLOCK_DIFF (self->opened_time, self->last_time), reason));
}

/* --- streaming */

static gint
write_buffer (GstRecFileSink *self, GstBuffer *buffer)
{
  guint i, n = gst_buffer_n_memory (buffer);
  GstMapInfo maps[MAX_IOVS], whole;
  struct iovec iov[MAX_IOVS];
  gboolean merged = n > MAX_IOVS;
  gint err;

  if (merged && !gst_buffer_map (buffer, &whole, GST_MAP_READ))
    return ENOMEM;
  for (i = 0; i < n && !merged; i++) {
    if (!gst_memory_map (
            gst_buffer_peek_memory (buffer, i), &maps[i], GST_MAP_READ)) {
      n = i;
      err = ENOMEM;
      goto unmap;
    }
    iov[i].iov_base = maps[i].data;
    iov[i].iov_len = maps[i].size;
  }
  if (merged) {
    iov[0].iov_base = whole.data;
    iov[0].iov_len = whole.size;
  }
  err = rec_file_write (&self->file, iov, merged ? 1 : n);

unmap:
  if (merged)
    gst_buffer_unmap (buffer, &whole);
  for (i = 0; i < n && !merged; i++)
    gst_memory_unmap (gst_buffer_peek_memory (buffer, i), &maps[i]);
  return err;
}

static gint
write_timed (GstRecFileSink *self, GstBuffer *buffer)
{
  gint64 began = g_get_monotonic_time ();
  guint64 latency;
  gint err;

  self->write_began = began;
  err = write_buffer (self, buffer);
  latency = (g_get_monotonic_time () - began) * GST_USECOND;
  self->write_began = 0;
  if (err)
    return err;
  self->buffers++;
  self->latency_sum += latency;
  self->latency_max = MAX (self->latency_max, latency);
  return 0;
}

static GstClockTime
running_time_of (GstRecFileSink *self, GstBuffer *buffer)
{
  GstClockTime time = GST_BUFFER_DTS_OR_PTS (buffer);
  const GstSegment *segment = &GST_BASE_SINK (self)->segment;

  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (time))
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME, time);
}

static GstFlowReturn
gst_rec_file_sink_render (GstBaseSink *sink, GstBuffer *buffer)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (sink);
  GstClockTime time = running_time_of (self, buffer);
  gint err;

  if (gst_buffer_get_size (buffer) == 0)
    return GST_FLOW_OK;
  if (!rec_file_is_open (&self->file) && !open_file (self, time))
    return GST_FLOW_ERROR;
  while ((err = write_timed (self, buffer)) == ECANCELED) {
    GstFlowReturn ret = gst_base_sink_wait_preroll (sink);

    if (ret != GST_FLOW_OK)
      return ret;
  }
  if (err)
    goto failed;
  if (GST_CLOCK_TIME_IS_VALID (time))
    self->last_time = time;
  return GST_FLOW_OK;

  /* ERRORS */
failed:
  GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
      ("Could not write to \"%s\": %s (wrote %" G_GUINT64_FORMAT
       " bytes, all kept). %s",
          self->path, g_strerror (err), (guint64)self->file.accepted,
          way_out (err)),
      ("errno %d", err));
  return GST_FLOW_ERROR;
}

static gboolean
gst_rec_file_sink_event (GstBaseSink *sink, GstEvent *event)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (sink);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    close_file (self, "eos");
  return GST_BASE_SINK_CLASS (parent_class)->event (sink, event);
}

static gboolean
answer_query (GstRecFileSink *self, GstQuery *query)
{
  GstFormat format;

  if (rec_query_is_written (query))
    return answer_written (self, query);
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (format != GST_FORMAT_BYTES && format != GST_FORMAT_DEFAULT)
        return FALSE;
      gst_query_set_position (query, format, self->file.size);
      return TRUE;
    case GST_QUERY_FORMATS:
      gst_query_set_formats (query, 2, GST_FORMAT_DEFAULT, GST_FORMAT_BYTES);
      return TRUE;
    case GST_QUERY_SEEKING:
      /* what is written stays written */
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

/* --- state */

static gboolean
gst_rec_file_sink_unlock (GstBaseSink *sink)
{
  guint64 one = 1;

  /* fails only when it is set already */
  if (write (GST_REC_FILE_SINK (sink)->cancel_fd, &one, sizeof (one)) < 0)
    GST_LOG_OBJECT (sink, "already unlocked");
  return TRUE;
}

static gboolean
gst_rec_file_sink_unlock_stop (GstBaseSink *sink)
{
  guint64 count;

  if (read (GST_REC_FILE_SINK (sink)->cancel_fd, &count, sizeof (count)) < 0)
    GST_LOG_OBJECT (sink, "was not unlocked");
  return TRUE;
}

/* Not in GstBaseSink::start: a second error would follow there. */
static gboolean
prepare (GstRecFileSink *self)
{
  gchar *path;
  gint err;

  self->index = 0;
  self->finished = FALSE;
  self->bytes_before = self->durable_before = 0;
  self->buffers = self->latency_sum = self->latency_max = 0;
  path = make_path (self);
  if (!path)
    goto no_location;
  if ((err = probe_target (path)))
    goto failed;
  g_free (path);
  return TRUE;

  /* ERRORS */
no_location:
  GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
      ("No file name to record to. Set location, for example to \"rec.ts\"."),
      (NULL));
  return FALSE;
failed:
  post_open_error (self, path, err);
  g_free (path);
  return FALSE;
}

static GstStateChangeReturn
gst_rec_file_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !prepare (self))
    return GST_STATE_CHANGE_FAILURE;
  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    close_file (self, "stopped");
  return ret;
}

/* --- object */

static void
gst_rec_file_sink_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_LOCATION:
      g_free (self->location);
      self->location = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_file_sink_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (object);

  switch (prop_id) {
    case PROP_LOCATION:
      GST_OBJECT_LOCK (self);
      g_value_set_string (value, self->location);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, get_stats (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
gst_rec_file_sink_finalize (GObject *object)
{
  GstRecFileSink *self = GST_REC_FILE_SINK (object);

  rec_file_close (&self->file);
  if (self->cancel_fd >= 0)
    close (self->cancel_fd);
  g_free (self->location);
  g_free (self->path);
  G_OBJECT_CLASS (parent_class)->finalize (object);
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
  sink_class->render = gst_rec_file_sink_render;
  sink_class->event = gst_rec_file_sink_event;
  sink_class->query = gst_rec_file_sink_query;
  sink_class->unlock = gst_rec_file_sink_unlock;
  sink_class->unlock_stop = gst_rec_file_sink_unlock_stop;

  /**
   * GstRecFileSink:location:
   *
   * The file to record to. strftime(3) conversions are expanded in local time
   * when the file is created; `%05d` (a `d` with a width) is the fragment
   * number, counted from 0, while a bare `%d` is the day of the month. `%%` is
   * a percent sign. Errors are posted when the element goes to READY. Takes
   * effect with the next file that is created.
   */
  g_object_class_install_property (object_class, PROP_LOCATION,
      g_param_spec_string ("location", "File location",
          "File to record to; strftime conversions and a fragment number "
          "(%05d) are expanded",
          NULL,
          G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING |
              G_PARAM_STATIC_STRINGS));

  /**
   * GstRecFileSink:stats:
   *
   * Structure `application/x-recfilesink-stats`. May be read from any thread,
   * also while a write hangs. Sizes are in bytes, times in nanoseconds.
   */
  g_object_class_install_property (object_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "What was written so far (bytes), and how long it took (ns)",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "Durable file sink",
      "Sink/File",
      "Writes each buffer to a file the moment it arrives; the file is whole "
      "at "
      "every instant",
      "The gst-tsrec authors");
}

static void
gst_rec_file_sink_init (GstRecFileSink *self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);

  self->cancel_fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  rec_file_init (&self->file, NULL, self->cancel_fd);
  gst_base_sink_set_sync (sink, FALSE);
  gst_base_sink_set_async_enabled (sink, FALSE);
  gst_base_sink_set_qos_enabled (sink, FALSE);
  gst_base_sink_set_last_sample_enabled (sink, FALSE);
  gst_base_sink_set_drop_out_of_segment (sink, FALSE);
}
