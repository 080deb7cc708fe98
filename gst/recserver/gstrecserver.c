/* gst-tsrec: the recording service as an element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recserver
 * @title: recserver
 * @short_description: a recording service: many recordings, one HTTP port
 * @see_also: recwhipsrc, recwhepsrc, tsrecsink, recmonitor
 *
 * Has no pads. Placed in any pipeline, or alone, it is a recording server:
 * publishers come by WHIP to /whip/ID, recordings are started, stopped and
 * looked at over HTTP (/api/openapi.json says how). Each recording is a
 * pipeline of its own, with its own bus: an error in one ends that one alone.
 *
 * It listens from READY on. EOS that is sent to the element ends every
 * recording and is posted when their files are complete; so does the way to
 * READY, which waits for it.
 *
 * Messages: "recserver-recording" with "id" (string), "state" (string) and,
 * unless the state has changed, "message" (#GstStructure): a message of the
 * inner pipeline.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e recserver directory=recordings
 * ]|
 * Then publish to http://127.0.0.1:8190/whip/NAME.
 */

#include "config.h"

#include "gstrecserver.h"
#include "recserver.h"
#include "recservererror.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (rec_server_debug);
#define GST_CAT_DEFAULT rec_server_debug

enum
{
  PROP_0,
  PROP_CONFIG,
  PROP_DIRECTORY,
  PROP_HOST,
  PROP_PORT,
  PROP_UDP_PORT,
  PROP_TLS_CERTIFICATE,
  PROP_TLS_KEY,
  PROP_PUBLIC_ADDRESS,
  PROP_MAX_RECORDINGS,
  PROP_TOOLS_DIRECTORY,
  PROP_INGEST,
  PROP_MAX_CONNECTIONS,
  PROP_URL,
  N_PROPS
};

struct _GstRecServer
{
  GstElement parent;

  /* under the object lock */
  gchar *config_location;
  gboolean is_set[N_PROPS]; /* what was set wins over the key file */
  gchar *directory;
  gchar *host;
  guint port;
  guint udp_port;
  gchar *tls_certificate;
  gchar *tls_key;
  gchar *public_address;
  guint max_recordings;
  guint max_connections;
  gboolean ingest;
  gchar *tools_directory;
  RecServer *server; /* from READY on */

  guint hangup; /* source of SIGHUP in the default main context, or 0 */
};

G_DEFINE_TYPE_WITH_CODE (GstRecServer, gst_rec_server, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (
        rec_server_debug, "recserver", 0, "recording service"));
GST_ELEMENT_REGISTER_DEFINE (
    recserver, "recserver", GST_RANK_NONE, GST_TYPE_REC_SERVER);

/* --- configuration --- */

static void
override_string (gchar **field, gboolean is_set, const gchar *value)
{
  if (!is_set)
    return;
  g_free (*field);
  *field = g_strdup (value);
}

/* Under the object lock. */
static void
apply_properties (GstRecServer *self, RecServerConfig *config)
{
  override_string (
      &config->directory, self->is_set[PROP_DIRECTORY], self->directory);
  override_string (&config->host, self->is_set[PROP_HOST], self->host);
  override_string (&config->tls_certificate, self->is_set[PROP_TLS_CERTIFICATE],
      self->tls_certificate);
  override_string (&config->tls_key, self->is_set[PROP_TLS_KEY], self->tls_key);
  override_string (&config->public_address, self->is_set[PROP_PUBLIC_ADDRESS],
      self->public_address);
  override_string (&config->tools_directory, self->is_set[PROP_TOOLS_DIRECTORY],
      self->tools_directory);
  if (self->is_set[PROP_PORT])
    config->port = self->port;
  if (self->is_set[PROP_UDP_PORT])
    config->udp_port = self->udp_port;
  if (self->is_set[PROP_MAX_RECORDINGS])
    config->max_recordings = self->max_recordings;
  if (self->is_set[PROP_MAX_CONNECTIONS])
    config->max_connections = self->max_connections;
  if (self->is_set[PROP_INGEST])
    config->ingest = self->ingest;
  if (!config->tools_directory)
    config->tools_directory = g_strdup (REC_SERVER_TOOLS_DIR);
}

static RecServerConfig *
load_config (GstRecServer *self, GError **error)
{
  RecServerConfig *config;
  gchar *location;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->config_location);
  GST_OBJECT_UNLOCK (self);
  config = location ? rec_server_config_load (location, error)
                    : rec_server_config_new ();
  g_free (location);
  if (!config)
    return NULL;
  GST_OBJECT_LOCK (self);
  apply_properties (self, config);
  GST_OBJECT_UNLOCK (self);
  return config;
}

static void
gst_rec_server_reload (GstRecServer *self)
{
  GError *error = NULL;
  RecServerConfig *config = load_config (self, &error);
  gboolean ok = config != NULL;
  gchar *what, *detail;

  GST_OBJECT_LOCK (self);
  if (ok && self->server)
    ok = rec_server_reconfigure (self->server, config, &error);
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&config, rec_server_config_unref);
  if (ok) {
    GST_INFO_OBJECT (self, "configuration read");
    return;
  }
  rec_server_error_split (error, &what, &detail);
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
      ("%s%s The settings stay as they are.", detail,
          g_str_has_suffix (detail, ".") ? "" : "."),
      (NULL));
  g_free (what);
  g_free (detail);
  g_error_free (error);
}

static gboolean
on_hangup (gpointer data)
{
  gst_rec_server_reload (data);
  return G_SOURCE_CONTINUE;
}

/* --- life --- */

static void
post_message (GstStructure *s, gpointer user_data)
{
  if (gst_structure_has_name (s, "recserver-warning")) {
    GST_ELEMENT_WARNING (user_data, RESOURCE, FAILED,
        ("%s", gst_structure_get_string (s, "text")), (NULL));
    gst_structure_free (s);
    return;
  }
  gst_element_post_message (
      user_data, gst_message_new_element (GST_OBJECT (user_data), s));
}

static gboolean
open_server (GstRecServer *self)
{
  GError *error = NULL;
  RecServerConfig *config = load_config (self, &error);
  RecServer *server = NULL;
  gchar *what, *detail;

  if (config)
    server = rec_server_new (config, post_message, self, &error);
  g_clear_pointer (&config, rec_server_config_unref);
  if (server) {
    GST_OBJECT_LOCK (self);
    self->server = server;
    if (self->config_location)
      self->hangup = g_unix_signal_add (SIGHUP, on_hangup, self);
    GST_OBJECT_UNLOCK (self);
    g_object_notify (G_OBJECT (self), "url");
    return TRUE;
  }
  rec_server_error_split (error, &what, &detail);
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", detail), (NULL));
  g_free (what);
  g_free (detail);
  g_error_free (error);
  return FALSE;
}

static void
close_server (GstRecServer *self)
{
  RecServer *server;
  guint hangup;

  GST_OBJECT_LOCK (self);
  server = g_steal_pointer (&self->server);
  hangup = self->hangup;
  self->hangup = 0;
  GST_OBJECT_UNLOCK (self);
  if (hangup)
    g_source_remove (hangup);
  if (server)
    rec_server_free (server);
}

static GstStateChangeReturn
gst_rec_server_change_state (GstElement *element, GstStateChange transition)
{
  GstRecServer *self = GST_REC_SERVER (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_server (self))
    return GST_STATE_CHANGE_FAILURE;
  ret = GST_ELEMENT_CLASS (gst_rec_server_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    close_server (self);
  return ret;
}

/* On the service's thread. */
static void
on_finished (gpointer user_data)
{
  GstElement *element = user_data;

  gst_element_post_message (
      element, gst_message_new_eos (GST_OBJECT (element)));
  gst_object_unref (element);
}

/* EOS from the application (Ctrl+C of gst-launch-1.0 -e). */
static gboolean
gst_rec_server_send_event (GstElement *element, GstEvent *event)
{
  GstRecServer *self = GST_REC_SERVER (element);
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  gst_event_unref (event);
  if (!eos)
    return FALSE;
  GST_OBJECT_LOCK (self);
  eos = self->server != NULL;
  if (eos)
    rec_server_finish (self->server, on_finished, gst_object_ref (self));
  GST_OBJECT_UNLOCK (self);
  return eos;
}

/* --- properties --- */

static gchar **
string_field (GstRecServer *self, guint id)
{
  switch (id) {
    case PROP_CONFIG:
      return &self->config_location;
    case PROP_DIRECTORY:
      return &self->directory;
    case PROP_HOST:
      return &self->host;
    case PROP_TLS_CERTIFICATE:
      return &self->tls_certificate;
    case PROP_TLS_KEY:
      return &self->tls_key;
    case PROP_PUBLIC_ADDRESS:
      return &self->public_address;
    case PROP_TOOLS_DIRECTORY:
      return &self->tools_directory;
    default:
      return NULL;
  }
}

static guint *
number_field (GstRecServer *self, guint id)
{
  switch (id) {
    case PROP_PORT:
      return &self->port;
    case PROP_UDP_PORT:
      return &self->udp_port;
    case PROP_MAX_RECORDINGS:
      return &self->max_recordings;
    case PROP_MAX_CONNECTIONS:
      return &self->max_connections;
    default:
      return NULL;
  }
}

static void
gst_rec_server_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstRecServer *self = GST_REC_SERVER (object);
  gchar **string = string_field (self, id);
  guint *number = number_field (self, id);

  GST_OBJECT_LOCK (self);
  if (string) {
    g_free (*string);
    *string = g_value_dup_string (value);
  } else if (number)
    *number = g_value_get_uint (value);
  else if (id == PROP_INGEST)
    self->ingest = g_value_get_boolean (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  self->is_set[id] = TRUE;
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_server_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstRecServer *self = GST_REC_SERVER (object);
  gchar **string = string_field (self, id);
  guint *number = number_field (self, id);

  GST_OBJECT_LOCK (self);
  if (id == PROP_URL)
    g_value_take_string (
        value, self->server ? rec_server_dup_url (self->server) : NULL);
  else if (string)
    g_value_set_string (value, *string);
  else if (number)
    g_value_set_uint (value, *number);
  else if (id == PROP_INGEST)
    g_value_set_boolean (value, self->ingest);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
install_strings (GObjectClass *klass, GParamFlags flags)
{
  /**
   * GstRecServer:config:
   *
   * Key file with the groups [server], [auth] and [path PATTERN]. Type: string.
   * Default: none. Read from NULL to READY, again on SIGHUP (while a main loop
   * runs the default context) and by #GstRecServer::reload. A wrong key is an
   * error that names its line. Properties that are set win over the file.
   */
  g_object_class_install_property (klass, PROP_CONFIG,
      g_param_spec_string ("config", "Configuration",
          "Key file to read (none: the properties and defaults)", NULL, flags));
  /**
   * GstRecServer:directory:
   *
   * Folder of the recordings; made when it is missing. Type: string. Default:
   * recordings.
   */
  g_object_class_install_property (klass, PROP_DIRECTORY,
      g_param_spec_string ("directory", "Directory", "Folder of the recordings",
          "recordings", flags));
  /**
   * GstRecServer:host:
   *
   * Address to listen on. Type: string. Default: 127.0.0.1. Another than a
   * loopback address needs an [auth] group in #GstRecServer:config; it is an
   * error otherwise.
   */
  g_object_class_install_property (klass, PROP_HOST,
      g_param_spec_string ("host", "Host",
          "Address to listen on (others than loopback need [auth])",
          "127.0.0.1", flags));
  /**
   * GstRecServer:tls-certificate:
   *
   * PEM file with the certificate of the server, and perhaps its key. Type:
   * string. Default: none, plain HTTP.
   */
  g_object_class_install_property (klass, PROP_TLS_CERTIFICATE,
      g_param_spec_string ("tls-certificate", "TLS certificate",
          "PEM file with the certificate for HTTPS (none: plain HTTP)", NULL,
          flags));
  /**
   * GstRecServer:tls-key:
   *
   * PEM file with the private key. Type: string. Default: the file of
   * #GstRecServer:tls-certificate has it.
   */
  g_object_class_install_property (klass, PROP_TLS_KEY,
      g_param_spec_string ("tls-key", "TLS key",
          "PEM file with the private key (none: tls-certificate has it)", NULL,
          flags));
  /**
   * GstRecServer:public-address:
   *
   * Address of this host on the other side of a 1:1 NAT, as recwhipsrc has it.
   * Type: string. Default: none.
   */
  g_object_class_install_property (klass, PROP_PUBLIC_ADDRESS,
      g_param_spec_string ("public-address", "Public address",
          "Address of this host on the other side of a 1:1 NAT (none: as it "
          "is)",
          NULL, flags));
  /**
   * GstRecServer:tools-directory:
   *
   * Folder with the program ts-to-mp4, which makes MP4 of a finished recording.
   * Type: string. Default: where it was installed.
   */
  g_object_class_install_property (klass, PROP_TOOLS_DIRECTORY,
      g_param_spec_string ("tools-directory", "Tools directory",
          "Folder with the program ts-to-mp4", REC_SERVER_TOOLS_DIR, flags));
  /**
   * GstRecServer:url:
   *
   * Where the service is, while the element is at least READY. Type: string.
   */
  g_object_class_install_property (klass, PROP_URL,
      g_param_spec_string ("url", "URL",
          "URL of the service (none below READY)", NULL,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_numbers (GObjectClass *klass, GParamFlags flags)
{
  /**
   * GstRecServer:port:
   *
   * TCP port of everything: WHIP, API, files and page. Type: guint. Range: 0 to
   * 65535. Default: 8190. 0 picks a free one, which #GstRecServer:url tells. A
   * port that is in use is an error when the element goes to READY.
   */
  g_object_class_install_property (klass, PROP_PORT,
      g_param_spec_uint ("port", "Port",
          "TCP port to listen on (0 picks a free one, see url)", 0, 65535, 8190,
          flags));
  /**
   * GstRecServer:udp-port:
   *
   * UDP port of the media of all publishers. Type: guint. Range: 0 to 65535.
   * Default: 0, the number of #GstRecServer:port; if that UDP port is in use, or
   * the key file has port-range, stun-server or turn-server, or recwhipsrc was
   * built without OpenSSL and libsrtp2, webrtcbin receives, on separate ports
   * for each session. A number that cannot be used is an error when the element
   * goes to READY. Applied from NULL to READY.
   */
  g_object_class_install_property (klass, PROP_UDP_PORT,
      g_param_spec_uint ("udp-port", "UDP port",
          "UDP port of the media of all publishers (0: the number of port)", 0,
          65535, 0, flags));
  /**
   * GstRecServer:max-recordings:
   *
   * Recordings at a time; one more is refused with 503. Type: guint. Range: 1
   * to 10000. Default: 100.
   */
  g_object_class_install_property (klass, PROP_MAX_RECORDINGS,
      g_param_spec_uint ("max-recordings", "Maximum of recordings",
          "Recordings at a time (count)", 1, 10000, 100, flags));
  /**
   * GstRecServer:max-connections:
   *
   * HTTP connections at a time; when one more comes, the one that has made no
   * progress for longest is closed. Type: guint. Range: 1 to 100000. Default:
   * 500.
   */
  g_object_class_install_property (klass, PROP_MAX_CONNECTIONS,
      g_param_spec_uint ("max-connections", "Maximum of connections",
          "HTTP connections at a time (count)", 1, 100000, 500, flags));
  /**
   * GstRecServer:ingest:
   *
   * Whether recordings are made, and may be deleted. Type: gboolean. Default:
   * TRUE. FALSE: the folder is shown as it is.
   */
  g_object_class_install_property (klass, PROP_INGEST,
      g_param_spec_boolean ("ingest", "Ingest",
          "Make recordings (FALSE: only show those of the folder)", TRUE,
          flags));
}

static void
gst_rec_server_finalize (GObject *object)
{
  GstRecServer *self = GST_REC_SERVER (object);

  for (guint id = PROP_0 + 1; id < N_PROPS; id++) {
    gchar **string = string_field (self, id);

    if (string)
      g_free (*string);
  }
  G_OBJECT_CLASS (gst_rec_server_parent_class)->finalize (object);
}

static void
gst_rec_server_class_init (GstRecServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  object_class->finalize = gst_rec_server_finalize;
  object_class->set_property = gst_rec_server_set_property;
  object_class->get_property = gst_rec_server_get_property;
  element_class->change_state = gst_rec_server_change_state;
  element_class->send_event = gst_rec_server_send_event;
  install_strings (object_class, flags);
  install_numbers (object_class, flags);
  /**
   * GstRecServer::reload:
   * @self: the element
   *
   * Reads #GstRecServer:config again, as SIGHUP does. A wrong file is a warning
   * on the bus, and the settings stay as they are. Any thread may emit it.
   */
  g_signal_new_class_handler ("reload", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION, G_CALLBACK (gst_rec_server_reload),
      NULL, NULL, NULL, G_TYPE_NONE, 0);
  gst_element_class_set_static_metadata (element_class, "Recording service",
      "Generic",
      "Records what is published by WebRTC, RTSP and more; started, stopped "
      "and "
      "watched over HTTP",
      "The gst-tsrec authors");
}

static void
gst_rec_server_init (GstRecServer *self)
{
  self->directory = g_strdup ("recordings");
  self->host = g_strdup ("127.0.0.1");
  self->port = 8190;
  self->max_recordings = 100;
  self->max_connections = 500;
  self->ingest = TRUE;
  self->tools_directory = g_strdup (REC_SERVER_TOOLS_DIR);
  /* EOS is sent to this element, and the pipeline waits for it. */
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
}
