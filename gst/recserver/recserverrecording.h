/* gst-tsrec: a recording: pipeline, bus, state
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On the service's thread only, unless said otherwise. What may block, as the
 * states of a pipeline and the conversion of a file, runs elsewhere.
 */

#pragma once

#include "recserverconfig.h"
#include "recserverformats.h"
#include "recserverrequest.h"

G_BEGIN_DECLS

typedef struct _RecServerRecording RecServerRecording;

typedef enum
{
  REC_SERVER_STATE_WAITING,
  REC_SERVER_STATE_CONNECTING,
  REC_SERVER_STATE_RECORDING,
  REC_SERVER_STATE_STALLED,
  REC_SERVER_STATE_DISK_FULL,
  REC_SERVER_STATE_STOPPING,
  REC_SERVER_STATE_STOPPED,
  REC_SERVER_STATE_FAILED
} RecServerState;

const gchar *rec_server_state_get_name (RecServerState state);

/**
 * RecServerRecordingConfig:
 * @id: valid
 * @url, @token: of the source, or NULL
 * @by_publisher: started by a publisher, so it may end when that has gone
 * @location: path without suffix in which to go on (resume), or NULL
 *
 * Strings are copied, @server is referenced.
 */
typedef struct
{
  const gchar *id;
  RecServerConfig *server;
  const RecServerPath *path;
  const RecServerFormat *format;
  const RecServerQuality *quality;
  const RecServerSource *source;
  const gchar *url;
  const gchar *token;
  const gchar *location;
  gboolean by_publisher;
} RecServerRecordingConfig;

/**
 * RecServerRecordingFunc:
 * @event: "state", "publisher-connected", "publisher-disconnected",
 *   "fragment-opened", "fragment-closed", "alert-raised", "alert-cleared",
 *   "disk-full", "disk-recovered", "track-rejected", "warning", "closed" (the
 *   recording has ended, and its file is complete)
 * @facts: (nullable): of the event; belongs to the caller
 */
typedef void (*RecServerRecordingFunc) (RecServerRecording *recording,
    const gchar *event, JsonObject *facts, gpointer user_data);

/* Each message of the pipeline's bus. */
typedef void (*RecServerRecordingMessageFunc) (
    RecServerRecording *recording, GstMessage *message, gpointer user_data);

typedef struct
{
  RecServerRecordingFunc event;
  RecServerRecordingMessageFunc message;
} RecServerRecordingCallbacks;

/* Starts. NULL with @error when that is not possible. */
RecServerRecording *rec_server_recording_new (
    const RecServerRecordingConfig *config,
    const RecServerRecordingCallbacks *callbacks, gpointer user_data,
    GError **error);
RecServerRecording *rec_server_recording_ref (RecServerRecording *recording);
void rec_server_recording_unref (RecServerRecording *recording);

const gchar *rec_server_recording_get_id (RecServerRecording *recording);
RecServerState rec_server_recording_get_state (RecServerRecording *recording);
/* Neither stopped nor failed. */
gboolean rec_server_recording_is_active (RecServerRecording *recording);
/* µs since 1970, when it ended; 0: it has not. */
gint64 rec_server_recording_get_end_time (RecServerRecording *recording);
const RecServerPath *rec_server_recording_get_path (
    RecServerRecording *recording);
/* Absolute path of the file, or of the file that is made of it at the end. */
const gchar *rec_server_recording_get_output (RecServerRecording *recording);

/* Whether a file that was closed for @reason (of recfilesink-closed) is complete;
 * if not, it may be continued, and is complete when the recording is. */
gboolean rec_server_recording_is_complete (
    RecServerRecording *recording, const gchar *reason);
/* (element-type filename): the files that are complete when the recording is, and
 * were not before. Without fragments. Caller unrefs. */
GPtrArray *rec_server_recording_list_unclosed (RecServerRecording *recording);

/* The answer of /api/recording/status. Caller unrefs. */
JsonObject *rec_server_recording_describe (RecServerRecording *recording);

/* Ends it. @func, which may be NULL, is called when the file is complete and
 * durable, or the recording has failed; perhaps before this returns. */
typedef void (*RecServerStopFunc) (
    RecServerRecording *recording, gpointer user_data);
void rec_server_recording_stop (
    RecServerRecording *recording, RecServerStopFunc func, gpointer user_data);

/* The answer of /api/recording/stop. Caller unrefs. */
JsonObject *rec_server_recording_describe_end (RecServerRecording *recording);

/* A request of a WHIP publisher; @session_id NULL: an offer. Answers it. */
void rec_server_recording_handle_whip (RecServerRecording *recording,
    RecServerRequest *request, const gchar *session_id);

G_END_DECLS
