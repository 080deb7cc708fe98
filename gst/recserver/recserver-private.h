/* gst-tsrec: internals of RecServer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recserver.h"
#include "recserverevents.h"
#include "recserverhooks.h"
#include "recserverlibrary.h"
#include "recserverlistener.h"
#include "recserverrecording.h"
#include "recserverrequest.h"
#include "recserverthumbnail.h"
#include "recworker.h"

G_BEGIN_DECLS

struct _RecServer
{
  RecServerMessageFunc func;
  gpointer user_data;
  RecWorker *worker;
  GAsyncQueue *ended; /* gets one entry when rec_server_free() may go on */
  guint port;         /* does not change */
  gchar *host;
  gboolean tls;
  guint udp_port; /* of all publishers; 0: each has its own */

  /* on the thread only */
  RecServerConfig *config;
  RecServerListener *listener;
  RecServerEvents *events;
  RecServerHooks *hooks;
  RecServerThumbnails *thumbnails;
  GHashTable *recordings; /* id → RecServerRecording, the latest of that id */
  GHashTable *past;       /* id → status of what an earlier run left */
  GHashTable *resumable;  /* id → location in which it goes on */
  GHashTable *refusals;   /* id → why a path with a source does not record */
  RecServerLibrary *library;
  GstElement *metrics; /* a recmonitor, or NULL */
  GstElement *udp;     /* a recwhipsrc that holds @udp_port, or NULL */
  GSource *upkeep;     /* timer of retention, sidecars and sources */
  gboolean prunes;     /* retention is running */
  gboolean finishing;
  guint archiving;           /* number of sidecars being written */
  GQueue unwritten;          /* sidecars to be written again */
  gboolean sidecars_fail;    /* failed writes have been reported */
  gboolean sidecars_dropped; /* so has that some are given up */
  void (*finished) (gpointer user_data);
  gpointer finished_data;
  gint64 finish_by; /* monotonic: how long hooks are waited for */
  gint64 offers_second;
  guint offers; /* in that second */
  guint64 requests;
  guint64 refused;
};

/* recserver.c */

/* Returns the recording @id, also if it has ended; NULL if there is none. */
RecServerRecording *rec_server_find (RecServer *server, const gchar *id);
/* Starts a recording. Returns NULL with @error (409, 422, 500, 503). Owned by
 * @server. */
RecServerRecording *rec_server_start (
    RecServer *server, const RecServerRecordingConfig *config, GError **error);

/* Calls @finished if the service is ending and all files are complete. */
void rec_server_check_finished (RecServer *server);

/* recserver-notify.c */

/* Callbacks of all recordings; the user data is the service. */
extern const RecServerRecordingCallbacks rec_server_recording_callbacks;
/* Posts a warning about the service itself, which should contain advice, on the
 * bus. */
void rec_server_warn (RecServer *server, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);
/* Posts a warning about the recording @id. */
void rec_server_warn_of (const gchar *id, const gchar *text, gpointer server);
/* Passes an event on: server-sent events, bus, hooks, archive. */
void rec_server_notify (RecServer *server, RecServerRecording *recording,
    const gchar *event, JsonObject *facts);

/* recserver-archive.c */

/* A file of @recording was opened. */
void rec_server_archive_opened (
    RecServer *server, RecServerRecording *recording, const gchar *path);
/* A file of @recording is complete. @duration: of it, in seconds; negative: that
 * of the recording. */
void rec_server_archive_closed (RecServer *server,
    RecServerRecording *recording, const gchar *path, gdouble duration);
/* Writes the sidecars that the disk has refused. */
void rec_server_archive_write_again (RecServer *server);
void rec_server_archive_clear (RecServer *server);
/* Seconds between two attempts, and two runs of retention. */
#define REC_SERVER_UPKEEP_INTERVAL 30
/* Deletes recordings by keep-time and keep-bytes. */
void rec_server_archive_prune (RecServer *server);
/* Repairs the files of recordings that a crash has interrupted. Blocks. */
void rec_server_archive_recover (RecServer *server);

/* recserver-udp.c */

/* Opens the UDP port of all publishers: udp-port, or the number of the TCP port
 * if that is possible. FALSE with @error if udp-port cannot be had. */
gboolean rec_server_udp_open (RecServer *server, GError **error);
void rec_server_udp_close (RecServer *server);

/* recserver-dispatch.c */

void rec_server_dispatch (
    SoupServerMessage *msg, gboolean early, gpointer server);

/* Handler of a route. Answers the request before it returns, or pauses it. */
typedef void (*RecServerHandler) (RecServer *server, RecServerRequest *request);

/* recserver-routes.c */

#define REC_SERVER_TYPE_JSON "application/json"

/**
 * RecServerField: a member of a JSON body, or a parameter of a query
 * @type: of JSON Schema
 * @choices: separated by "|", or NULL
 */
typedef struct
{
  const gchar *name;
  const gchar *type;
  const gchar *choices;
  const gchar *text;
} RecServerField;

/**
 * RecServerRoute:
 * @path: "{id}", "{session}" and "{asset}" are one component, "{name}" is one
 *   or more
 * @role: required role, for the {id} if there is one
 * @body, @query: end with a name of NULL; NULL: none
 * @errors: HTTP statuses, separated by spaces
 */
typedef struct
{
  const gchar *method;
  const gchar *path;
  RecServerRole role;
  RecServerHandler handler;
  const gchar *text;
  const RecServerField *body;
  const gchar *body_type;
  const RecServerField *query;
  const gchar *status;
  const gchar *answer_type;
  const gchar *errors;
} RecServerRoute;

/* All routes, *@n of them. */
const RecServerRoute *rec_server_routes_get (guint *n);
/* Returns the route of a request and sets its parameters. Otherwise returns NULL
 * with @error, and sets *@allow to the methods of the path. Caller frees
 * *@allow. */
const RecServerRoute *rec_server_routes_find (
    RecServerRequest *request, gchar **allow, GError **error);

/* recserver-openapi.c */

/* Returns the OpenAPI document of all routes. Caller unrefs. */
JsonObject *rec_server_routes_describe (void);

/* recserver-api.c */
void rec_server_handle_start (RecServer *server, RecServerRequest *request);
void rec_server_handle_stop (RecServer *server, RecServerRequest *request);
void rec_server_handle_status (RecServer *server, RecServerRequest *request);
void rec_server_handle_active (RecServer *server, RecServerRequest *request);
void rec_server_handle_formats (RecServer *server, RecServerRequest *request);
void rec_server_handle_events (RecServer *server, RecServerRequest *request);
void rec_server_handle_metrics (RecServer *server, RecServerRequest *request);
void rec_server_handle_healthz (RecServer *server, RecServerRequest *request);
void rec_server_handle_readyz (RecServer *server, RecServerRequest *request);
void rec_server_handle_openapi (RecServer *server, RecServerRequest *request);

/* recserver-whip.c */
void rec_server_handle_publish (RecServer *server, RecServerRequest *request);
void rec_server_handle_session (RecServer *server, RecServerRequest *request);

/* recserver-files.c */
void rec_server_handle_file (RecServer *server, RecServerRequest *request);
void rec_server_handle_playlist (RecServer *server, RecServerRequest *request);
void rec_server_handle_list (RecServer *server, RecServerRequest *request);
void rec_server_handle_delete (RecServer *server, RecServerRequest *request);
void rec_server_handle_clip (RecServer *server, RecServerRequest *request);
void rec_server_handle_page (RecServer *server, RecServerRequest *request);

G_END_DECLS
