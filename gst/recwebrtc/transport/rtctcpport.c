/* gst-tsrec: ICE over TCP, beside a UDP port of the same number
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtctcpport.h"

#include <errno.h>
#include <gio/gio.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Larger ones are no WebRTC. */
#define MAX_DATAGRAM 2048
#define HEADER_SIZE 2
#define BACKLOG 64
#define EVENTS 64
/* Reads of one connection before the others have their turn. */
#define MAX_READS 16
/* Connections that are accepted before those that are there have their turn. */
#define MAX_ACCEPTED 64
#define TICK (1 * G_TIME_SPAN_SECOND)

/**
 * Connection:
 * @since: when it was accepted, or was last of a session, µs
 * @in: what has come of a datagram and its header, @n_in bytes
 * @out: the rest of a datagram that did not fit into the socket, @n_out bytes
 */
typedef struct
{
  gint fd;
  RtcAddress remote;
  RtcAddress local;
  gint64 since;
  gsize n_in;
  gsize n_out;
  guint8 in[HEADER_SIZE + MAX_DATAGRAM];
  guint8 out[HEADER_SIZE + MAX_DATAGRAM];
} Connection;

/**
 * RtcTcpPort:
 * @resume_at: when to accept again, µs; 0: it does
 */
struct _RtcTcpPort
{
  guint number;
  gint epoll;
  gint listeners[2];
  gint64 resume_at;
  GHashTable *connections; /* RtcAddress *: Connection */
  RtcTcpPortCallbacks callbacks;
  gpointer user_data;
};

/* --- connections --- */

static void
free_connection (gpointer data)
{
  Connection *connection = data;

  close (connection->fd);
  g_free (connection);
}

static gboolean
watch (RtcTcpPort *self, Connection *connection, gint operation)
{
  struct epoll_event event = { .data.ptr = connection };

  event.events = EPOLLIN | (connection->n_out > 0 ? EPOLLOUT : 0);
  return epoll_ctl (self->epoll, operation, connection->fd, &event) == 0;
}

static void
drop (RtcTcpPort *self, Connection *connection)
{
  g_hash_table_remove (self->connections, &connection->remote);
}

/* Whether another connection of @remote, which is of no session yet, may be
 * there. Many peers may share the address of a NAT, but few connect at a time. */
static gboolean
may_connect (RtcTcpPort *self, const RtcAddress *remote)
{
  GHashTableIter iter;
  gpointer key;
  guint n = 0;

  if (g_hash_table_size (self->connections) >= RTC_TCP_PORT_MAX_CONNECTIONS)
    return FALSE;
  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    n += rtc_address_is_same_host (key, remote) &&
        !self->callbacks.is_used (key, self->user_data);
  return n < RTC_TCP_PORT_MAX_STRANGERS;
}

/* A connection from the same address, to another one of ours or of before the
 * peer reset it, gives way. */
static void
add_connection (RtcTcpPort *self, gint fd, const RtcAddress *remote,
    const RtcAddress *local, gint64 now)
{
  Connection *connection = g_new0 (Connection, 1);
  gint one = 1;

  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof (one));
  connection->fd = fd;
  connection->since = now;
  connection->remote = *remote;
  connection->local = *local;
  g_hash_table_replace (self->connections, &connection->remote, connection);
  if (!watch (self, connection, EPOLL_CTL_ADD))
    drop (self, connection);
}

static void
take_connection (RtcTcpPort *self, gint fd, gint64 now)
{
  struct sockaddr_storage name = { 0 };
  socklen_t size = sizeof (name);
  RtcAddress remote, local;

  if (getpeername (fd, (struct sockaddr *)&name, &size) < 0)
    goto refused;
  remote = rtc_address_from_sockaddr ((struct sockaddr *)&name);
  size = sizeof (name);
  if (getsockname (fd, (struct sockaddr *)&name, &size) < 0)
    goto refused;
  local = rtc_address_from_sockaddr ((struct sockaddr *)&name);
  remote.tcp = local.tcp = TRUE;
  if (!may_connect (self, &remote))
    goto refused;
  add_connection (self, fd, &remote, &local, now);
  return;

refused:
  close (fd);
}

static void
watch_listeners (RtcTcpPort *self, guint32 events)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->listeners); i++) {
    struct epoll_event event = { .events = events,
      .data.ptr = &self->listeners[i] };

    if (self->listeners[i] >= 0)
      epoll_ctl (self->epoll, EPOLL_CTL_MOD, self->listeners[i], &event);
  }
}

/* Without a free descriptor a connection stays in the queue of the listener,
 * which would wake the thread up at once, again and again. */
static void
pause_listeners (RtcTcpPort *self, gint64 now)
{
  self->resume_at = now + TICK;
  watch_listeners (self, 0);
}

static void
accept_connections (RtcTcpPort *self, gint listener, gint64 now)
{
  for (guint i = 0; i < MAX_ACCEPTED; i++) {
    gint fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
      take_connection (self, fd, now);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
        errno == ENOMEM)
      pause_listeners (self, now);
    return;
  }
}

/* --- RFC 4571 --- */

/* Gives out the datagrams that are complete. Returns FALSE when one is too
 * large. */
static gboolean
take_datagrams (RtcTcpPort *self, Connection *connection, gint64 now, guint *n)
{
  guint8 data[MAX_DATAGRAM] __attribute__ ((aligned (8)));
  gsize at = 0;

  while (connection->n_in - at >= HEADER_SIZE) {
    gsize size = (gsize)connection->in[at] << 8 | connection->in[at + 1];

    if (size > MAX_DATAGRAM)
      return FALSE;
    if (connection->n_in - at < HEADER_SIZE + size)
      break;
    memcpy (data, connection->in + at + HEADER_SIZE, size);
    at += HEADER_SIZE + size;
    if (size == 0)
      continue;
    self->callbacks.datagram (data, size, &connection->remote,
        &connection->local, now, self->user_data);
    ++*n;
  }
  connection->n_in -= at;
  memmove (connection->in, connection->in + at, connection->n_in);
  return TRUE;
}

/* Returns FALSE when the connection has ended. */
static gboolean
read_some (RtcTcpPort *self, Connection *connection, gint64 now, guint *n)
{
  for (guint i = 0; i < MAX_READS; i++) {
    gssize size = recv (connection->fd, connection->in + connection->n_in,
        sizeof (connection->in) - connection->n_in, 0);

    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK;
    if (size == 0)
      return FALSE;
    connection->n_in += (gsize)size;
    if (!take_datagrams (self, connection, now, n))
      return FALSE;
  }
  return TRUE;
}

/* The rest of the datagram that is on its way. Returns FALSE when the connection
 * has ended. */
static gboolean
write_rest (RtcTcpPort *self, Connection *connection)
{
  gssize n = send (connection->fd, connection->out, connection->n_out,
      MSG_DONTWAIT | MSG_NOSIGNAL);

  if (n < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  connection->n_out -= (gsize)n;
  memmove (connection->out, connection->out + n, connection->n_out);
  if (connection->n_out == 0)
    watch (self, connection, EPOLL_CTL_MOD);
  return TRUE;
}

void
rtc_tcp_port_send (
    RtcTcpPort *self, const RtcAddress *remote, const guint8 *data, gsize size)
{
  Connection *connection = g_hash_table_lookup (self->connections, remote);
  guint8 frame[HEADER_SIZE + MAX_DATAGRAM];
  gssize n;

  if (!connection || connection->n_out > 0 || size > MAX_DATAGRAM)
    return;
  frame[0] = (guint8)(size >> 8);
  frame[1] = (guint8)size;
  memcpy (frame + HEADER_SIZE, data, size);
  size += HEADER_SIZE;
  n = send (connection->fd, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  /* That it has ended is noticed when it is read. */
  if (n < 0 || (gsize)n == size)
    return;
  connection->n_out = size - (gsize)n;
  memcpy (connection->out, frame + n, connection->n_out);
  watch (self, connection, EPOLL_CTL_MOD);
}

/* --- what there is to do --- */

gint
rtc_tcp_port_get_fd (RtcTcpPort *self)
{
  return self->epoll;
}

/* New connections come last: one of them may take the place of another one whose
 * event is still to be looked at. */
guint
rtc_tcp_port_receive (RtcTcpPort *self, gint64 now)
{
  struct epoll_event events[EVENTS];
  gint n_events = epoll_wait (self->epoll, events, EVENTS, 0);
  gboolean ready[G_N_ELEMENTS (self->listeners)] = { FALSE };
  guint n = 0;

  for (gint i = 0; i < n_events; i++) {
    Connection *connection = events[i].data.ptr;

    if (events[i].data.ptr == &self->listeners[0])
      ready[0] = TRUE;
    else if (events[i].data.ptr == &self->listeners[1])
      ready[1] = TRUE;
    else if (((events[i].events & EPOLLOUT) &&
                 !write_rest (self, connection)) ||
        ((events[i].events & ~(guint)EPOLLOUT) &&
            !read_some (self, connection, now, &n)))
      drop (self, connection);
  }
  for (guint i = 0; i < G_N_ELEMENTS (self->listeners); i++)
    if (ready[i])
      accept_connections (self, self->listeners[i], now);
  return n;
}

gint64
rtc_tcp_port_tick (RtcTcpPort *self, gint64 now)
{
  GHashTableIter iter;
  gpointer value;

  if (self->resume_at != 0 && now >= self->resume_at) {
    self->resume_at = 0;
    watch_listeners (self, EPOLLIN);
  }
  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Connection *connection = value;

    if (self->callbacks.is_used (&connection->remote, self->user_data))
      connection->since = now;
    else if (now - connection->since >= RTC_TCP_PORT_TIMEOUT)
      g_hash_table_iter_remove (&iter);
  }
  return g_hash_table_size (self->connections) > 0 || self->resume_at != 0
      ? now + TICK
      : G_MAXINT64;
}

/* --- life --- */

static gint
listen_at (gint family, guint number)
{
  struct sockaddr_storage name;
  RtcAddress any = { .family = (guint8)family, .port = (guint16)number };
  socklen_t size = rtc_address_to_sockaddr (&any, &name);
  gint one = 1, saved;
  gint fd = socket (family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return -1;
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof (one));
  if (family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof (one));
  if (bind (fd, (struct sockaddr *)&name, size) == 0 &&
      listen (fd, BACKLOG) == 0)
    return fd;
  saved = errno;
  close (fd);
  errno = saved;
  return -1;
}

/* IPv6 may be switched off. */
static gboolean
open_listeners (RtcTcpPort *self)
{
  static const gint families[2] = { AF_INET, AF_INET6 };
  guint n = 0;

  for (guint i = 0; i < 2; i++) {
    struct epoll_event event = { .events = EPOLLIN,
      .data.ptr = &self->listeners[i] };

    self->listeners[i] = listen_at (families[i], self->number);
    if (self->listeners[i] < 0 && errno != EAFNOSUPPORT &&
        errno != EADDRNOTAVAIL)
      return FALSE;
    if (self->listeners[i] < 0)
      continue;
    if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, self->listeners[i], &event) < 0)
      return FALSE;
    n++;
  }
  return n > 0;
}

RtcTcpPort *
rtc_tcp_port_new (guint number, const RtcTcpPortCallbacks *callbacks,
    gpointer user_data, GError **error)
{
  RtcTcpPort *self = g_new0 (RtcTcpPort, 1);

  self->number = number;
  self->listeners[0] = self->listeners[1] = -1;
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->connections = g_hash_table_new_full (
      rtc_address_hash, rtc_address_equal, NULL, free_connection);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll >= 0 && open_listeners (self))
    return self;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
      "Could not listen at TCP port %u: %s. Choose another udp-port, stop the "
      "process that uses it, or set ice-tcp=false.",
      number, g_strerror (errno));
  rtc_tcp_port_free (self);
  return NULL;
}

void
rtc_tcp_port_free (RtcTcpPort *self)
{
  if (!self)
    return;
  g_hash_table_unref (self->connections);
  for (guint i = 0; i < 2; i++)
    if (self->listeners[i] >= 0)
      close (self->listeners[i]);
  if (self->epoll >= 0)
    close (self->epoll);
  g_free (self);
}
