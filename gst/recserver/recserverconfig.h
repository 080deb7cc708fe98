/* gst-tsrec: the configuration of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A key file with the groups [server], [auth] and any number of
 * [path PATTERN]. A configuration does not change once it has been read; a
 * reload makes another one. Reference counted, any thread.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  REC_SERVER_ROLE_NONE = 0, /* everybody */
  REC_SERVER_ROLE_PUBLISH = 1 << 0,
  REC_SERVER_ROLE_WATCH = 1 << 1,
  REC_SERVER_ROLE_CONTROL = 1 << 2
} RecServerRole;

/**
 * RecServerToken: a line of [auth]
 * @name: of whoever has it, for logs
 * @roles: what it allows
 * @pattern: glob of the IDs it is for
 */
typedef struct
{
  gchar *name;
  gchar *token;
  RecServerRole roles;
  gchar *pattern;
} RecServerToken;

/**
 * RecServerPath: settings of the recordings whose ID matches @pattern
 * @record_always: a publisher starts the recording
 * @source: URI that is always recorded, or NULL
 * @location: pattern of the file name, without suffix; "{id}" and strftime
 * @launch: launch line that replaces the one of the service, or NULL
 * @max_size_time, @sync_interval, @max_duration, @keep_time,
 *   @publisher_timeout: ns, 0 is none
 * @peer_timeout: ns without a packet after which a session ends, 0: none,
 *   G_MAXUINT64: as the source has it
 * @keep_bytes: bytes, 0 is none
 * @resume: a @source goes on in the same file after a restart
 *
 * The first [path] that matches gives all settings. Strings may be NULL where
 * the key file does not name them.
 */
typedef struct
{
  gchar *pattern;
  gchar *format;
  gchar *quality;
  gchar *audio;
  gchar *source;
  gchar *location;
  gchar *launch;
  gchar *hook_url;
  gchar *hook_secret;
  gchar *run_on_closed;
  gboolean record_always;
  gboolean resume;
  gboolean playlist;
  gboolean journal;
  guint64 max_size_time;
  guint64 sync_interval;
  guint64 max_duration;
  guint64 publisher_timeout;
  guint64 peer_timeout;
  guint64 keep_time;
  guint64 keep_bytes;
} RecServerPath;

/**
 * RecServerConfig:
 * @port: TCP; 0 picks a free one
 * @udp_port: of the media; 0: that of @port, or webrtcbin receives
 * @port_range: of the media with webrtcbin; NULL: any
 * @ingest: FALSE: recordings are shown, and neither made nor deleted
 * @allow_origins: NULL-terminated; other origins than our own that pages may
 *   send requests from
 * @has_auth: there is an [auth] group
 * @tokens: (element-type RecServerToken)
 * @paths: (element-type RecServerPath): in the order of the file; the last one
 *   matches everything
 */
typedef struct
{
  gatomicrefcount refcount;
  gchar *directory;
  gchar *host;
  guint port;
  guint udp_port;
  gchar *port_range;
  gchar *tls_certificate;
  gchar *tls_key;
  gchar *public_address;
  gchar *stun_server;
  gchar *turn_server;
  gchar *tools_directory;
  gchar **allow_origins;
  gboolean ingest;
  guint max_recordings;
  guint max_connections;
  guint max_commands;
  gboolean has_auth;
  gchar *auth_url;
  GPtrArray *tokens;
  GPtrArray *paths;
} RecServerConfig;

/* The defaults. */
RecServerConfig *rec_server_config_new (void);

/* The key file @location. NULL with @error, which names the line. */
RecServerConfig *rec_server_config_load (const gchar *location, GError **error);

/* @text as a key file; @name: of the file, for @error. */
RecServerConfig *rec_server_config_parse (
    const gchar *text, gsize length, const gchar *name, GError **error);

RecServerConfig *rec_server_config_ref (RecServerConfig *config);
void rec_server_config_unref (RecServerConfig *config);

/* The settings of recordings named @id. Belongs to @config. */
const RecServerPath *rec_server_config_get_path (
    const RecServerConfig *config, const gchar *id);

G_END_DECLS
