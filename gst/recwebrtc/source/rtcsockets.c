/* gst-tsrec: the UDP sockets of a webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsockets.h"

#include <sys/socket.h>

#if HAVE_NICE
#include <nice/agent.h>
#endif

/* linux/sock_diag.h: SK_MEMINFO_DROPS, and room for later fields */
#define MEMINFO_DROPS 8
#define MEMINFO_MAX 32

/* webrtcbin makes at most one stream per m-line, and bundles them. */
#define MAX_STREAMS 4
#define MAX_COMPONENTS 2

/**
 * Known: one socket
 * @fd: file descriptor of an open socket that the agent lists
 */
typedef struct
{
  gint fd;
  guint32 drops;
  gboolean seen;
} Known;

struct _RtcSockets
{
  GArray *known;

  GMutex lock;
  /* under lock */
  guint64 drops;
  guint granted;
};

/* --- one socket --- */

guint
rtc_sockets_enlarge (gint fd, guint wanted)
{
  gint size = 0, value = (gint)wanted;
  socklen_t length = sizeof (size);

  if (getsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, &length) != 0)
    return 0;
  /* The kernel returns twice the value that was set (socket(7)). */
  if (size / 2 < value) {
#ifdef SO_RCVBUFFORCE
    if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof (value)) !=
        0)
#endif
      (void)setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof (value));
    (void)getsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, &length);
  }
  return (guint)size / 2;
}

gboolean
rtc_sockets_get_drops (gint fd, guint32 *drops)
{
#ifdef SO_MEMINFO
  guint32 info[MEMINFO_MAX] = { 0 };
  socklen_t length = sizeof (info);

  if (getsockopt (fd, SOL_SOCKET, SO_MEMINFO, info, &length) != 0 ||
      length <= MEMINFO_DROPS * sizeof (info[0]))
    return FALSE;
  *drops = info[MEMINFO_DROPS];
  return TRUE;
#else
  return FALSE;
#endif
}

/* --- the sockets of an agent --- */

#if HAVE_NICE
static Known *
find_known (RtcSockets *self, gint fd)
{
  guint i;

  for (i = 0; i < self->known->len; i++) {
    Known *known = &g_array_index (self->known, Known, i);

    if (known->fd == fd)
      return known;
  }
  return NULL;
}

static void
note_granted (RtcSockets *self, guint granted)
{
  g_mutex_lock (&self->lock);
  if (granted > 0 && (self->granted == 0 || granted < self->granted))
    self->granted = granted;
  g_mutex_unlock (&self->lock);
}

static guint64
look_at (RtcSockets *self, gint fd)
{
  Known *known = find_known (self, fd);
  guint32 drops = 0, before;

  if (!known) {
    Known new_one = { fd, 0, TRUE };

    note_granted (self, rtc_sockets_enlarge (fd, RTC_SOCKETS_WANTED));
    g_array_append_val (self->known, new_one);
    known = find_known (self, fd);
  }
  known->seen = TRUE;
  if (!rtc_sockets_get_drops (fd, &drops))
    return 0;
  before = known->drops;
  known->drops = drops;
  return (guint32)(drops - before);
}

static guint64
look_at_component (
    RtcSockets *self, NiceAgent *agent, guint stream, guint component)
{
  GPtrArray *sockets = nice_agent_get_sockets (agent, stream, component);
  guint64 drops = 0;
  guint i;

  for (i = 0; sockets && i < sockets->len; i++) {
    GSocket *socket = g_ptr_array_index (sockets, i);

    if (socket && g_socket_get_socket_type (socket) == G_SOCKET_TYPE_DATAGRAM &&
        !g_socket_is_closed (socket))
      drops += look_at (self, g_socket_get_fd (socket));
  }
  g_clear_pointer (&sockets, g_ptr_array_unref);
  return drops;
}

static NiceAgent *
get_agent (GstElement *webrtc)
{
  GObject *ice = NULL, *agent = NULL;

  g_object_get (webrtc, "ice-agent", &ice, NULL);
  if (ice && g_object_class_find_property (G_OBJECT_GET_CLASS (ice), "agent"))
    g_object_get (ice, "agent", &agent, NULL);
  g_clear_object (&ice);
  if (agent && !NICE_IS_AGENT (agent))
    g_clear_object (&agent);
  return (NiceAgent *)agent;
}

static void
forget_unseen (RtcSockets *self)
{
  guint i;

  for (i = self->known->len; i-- > 0;) {
    Known *known = &g_array_index (self->known, Known, i);

    if (!known->seen)
      g_array_remove_index_fast (self->known, i);
    else
      known->seen = FALSE;
  }
}
#endif

/* --- life --- */

RtcSockets *
rtc_sockets_new (void)
{
  RtcSockets *self = g_new0 (RtcSockets, 1);

  g_mutex_init (&self->lock);
  self->known = g_array_new (FALSE, FALSE, sizeof (Known));
  return self;
}

void
rtc_sockets_free (RtcSockets *self)
{
  if (!self)
    return;
  g_array_unref (self->known);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint64
rtc_sockets_update (RtcSockets *self, GstElement *webrtc)
{
  guint64 drops = 0;
#if HAVE_NICE
  NiceAgent *agent = get_agent (webrtc);
  guint stream, component;

  if (!agent)
    return 0;
  for (stream = 1; stream <= MAX_STREAMS; stream++) {
    for (component = 1; component <= MAX_COMPONENTS; component++)
      drops += look_at_component (self, agent, stream, component);
  }
  g_object_unref (agent);
  forget_unseen (self);
  g_mutex_lock (&self->lock);
  self->drops += drops;
  g_mutex_unlock (&self->lock);
#endif
  return drops;
}

void
rtc_sockets_get (RtcSockets *self, guint64 *drops, guint *granted)
{
  g_mutex_lock (&self->lock);
  *drops = self->drops;
  *granted = self->granted;
  g_mutex_unlock (&self->lock);
}
