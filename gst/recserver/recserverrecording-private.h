/* gst-tsrec: internals of RecServerRecording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recserverrecording.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * RecServerTotals: of all pipelines that a recording has had
 */
typedef struct
{
  guint64 packets;
  guint64 bytes_written;
  guint64 bytes_durable;
  guint64 bytes_dropped;
  guint64 media_time; /* ns */
  guint64 gap_time;   /* ns */
  guint64 gaps;
  guint64 packets_lost;
  guint64 keyframe_requests;
} RecServerTotals;

struct _RecServerRecording
{
  grefcount refcount;
  RecServerRecordingCallbacks callbacks;
  gpointer user_data;
  GMainContext *context;

  gchar *id;
  RecServerConfig *server;
  const RecServerPath *path; /* belongs to @server */
  const RecServerFormat *format;
  const RecServerQuality *quality;
  const RecServerSource *source;
  gchar *url;
  gchar *token;
  gboolean by_publisher;
  gchar *location;  /* absolute, without suffix */
  gchar *output;    /* absolute */
  GPtrArray *files; /* of gchar: absolute paths, without those of fragments */
  gchar *open_file; /* the one that is written, or NULL */

  GstElement *pipeline; /* NULL between two attempts, and after the end */
  GSource *bus_watch;
  GSource *timer;   /* once a second */
  gboolean playing; /* the pipeline has reached PLAYING */
  gboolean closing; /* it is on its way to NULL */
  gboolean resume;  /* the next pipeline goes on in the file */
  guint attempts;   /* since something was recorded */
  gint64 retry_at;  /* monotonic, 0: not */

  RecServerState state;
  gchar *fault; /* why it failed, or NULL */
  gchar *warning;
  gboolean connected; /* a publisher is, or the source delivers */
  gboolean opened;    /* a file is there */
  gboolean disk_full;
  GHashTable *alerts; /* "rule stage", or "disk-…" → JsonObject */
  gint64 start_time;  /* µs since 1970 */
  gint64 end_time;
  gint64 opened_at;    /* monotonic, 0: not yet */
  gint64 stopping_at;  /* monotonic */
  gint64 lonely_since; /* monotonic: without a publisher; 0: there is one */
  guint fragments;
  guint64 closed_bytes;   /* of files that are complete */
  guint64 open_bytes;     /* of @open_file, when it was seen last */
  RecServerTotals before; /* of earlier pipelines */
  RecServerTotals last;   /* of all, when the last pipeline has gone */
  JsonArray *tracks;      /* as last seen */
  guint64 file_size;      /* of the finished file */

  GQueue requests; /* of WhipCall, until the pipeline plays */
  GSList *stops;   /* of StopCall */
};

/* recserverrecording.c */

void rec_server_recording_set_state (
    RecServerRecording *recording, RecServerState state);
/* Computes the state from what is known. */
void rec_server_recording_update_state (RecServerRecording *recording);
/* Takes @facts, which may be NULL. */
void rec_server_recording_emit (
    RecServerRecording *recording, const gchar *event, JsonObject *facts);
/* Ends with a fault. */
void rec_server_recording_fail (
    RecServerRecording *recording, const gchar *fault);
/* The pipeline has ended by itself, or with an error that may pass. */
void rec_server_recording_retry (
    RecServerRecording *recording, const gchar *reason);
/* The pipeline has posted EOS. */
void rec_server_recording_finish (RecServerRecording *recording);

/* recserverrecording-bus.c */

gboolean rec_server_recording_on_bus (
    GstBus *bus, GstMessage *message, gpointer user_data);

/* Clears what the pipeline has raised, before it goes. */
void rec_server_recording_clear_alerts (RecServerRecording *recording);

/* recserverrecording-files.c */

/* The sink has opened @path, or closed it for @reason. */
void rec_server_recording_add_file (
    RecServerRecording *recording, const gchar *path);
void rec_server_recording_complete_file (RecServerRecording *recording,
    const gchar *path, const gchar *reason, guint64 bytes);
/* Returns the size of what was recorded, in bytes, without fragments; @sink:
 * "stats" of the sink, or NULL. */
guint64 rec_server_recording_estimate (
    RecServerRecording *recording, const GstStructure *sink);
/* The same when the recording has ended, by looking at the files, fragments
 * included. */
guint64 rec_server_recording_measure (RecServerRecording *recording);
/* Adds "files" to @object if the recording is in more than one. */
void rec_server_recording_describe_files (
    RecServerRecording *recording, JsonObject *object);

/* recserverrecording-location.c */

/* Returns a location, absolute and without suffix, that no recording has yet.
 * Caller frees. */
gchar *rec_server_recording_choose_location (
    const RecServerRecordingConfig *config);
/* Returns the path of the file, or of the playlist of fragments. Caller frees.
 */
gchar *rec_server_recording_choose_output (RecServerRecording *recording);
/* Makes the folder of the location. FALSE with @error (500) if the recording
 * could not be written there. */
gboolean rec_server_recording_make_folder (
    RecServerRecording *recording, GError **error);

/* recserverrecording-status.c */

/* Totals of the pipeline that is there. */
void rec_server_recording_get_totals (
    RecServerRecording *recording, RecServerTotals *totals);
/* Keeps the tracks and totals of the pipeline before it goes. */
void rec_server_recording_keep_totals (RecServerRecording *recording);

/* recserverrecording-whip.c */

/* Passes on what has waited; with 503 when the pipeline does not play. */
void rec_server_recording_flush_whip (RecServerRecording *recording);

G_END_DECLS
