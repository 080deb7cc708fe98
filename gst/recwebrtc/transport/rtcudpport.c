/* gst-tsrec: one UDP port for all sessions of the process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sockets, thread and lookup tables in one file: the loop that receives uses all
 * of them under one lock.
 */

#include "config.h"

#include "rtccandidates.h"
#include "rectasks.h"
#include "rtctcpport.h"
#include "rtctransport-private.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Datagrams of one system call. */
#define BATCH 64
/* Larger ones are no WebRTC. */
#define MAX_DATAGRAM 2048
/* A key frame of each of a hundred sessions. */
#define SOCKET_BUFFER (8 * 1024 * 1024)
/* So many in one go: there is no time to let others gather. */
#define BUSY 48
/* What is due while datagrams gather may wait for so long: otherwise the feedback
 * of each session, ten times a second, would wake up the thread once more. */
#define MAX_DELAY (5 * G_TIME_SPAN_MILLISECOND)
/* Addresses that are told apart when they are limited. */
#define N_LIMITS 4096
/* After a session has blocked the thread of the port, others may: so long, it
 * leaves them to other threads. */
#define BLOCKED_AGE G_USEC_PER_SEC
#define MAX_SLEEP (3600 * G_TIME_SPAN_SECOND)

typedef struct
{
  gint fd;
  guint32 drops; /* as the kernel last told */
} Socket;

/**
 * Limit:
 * @second: in which @failures messages of STUN were not authentic
 */
typedef struct
{
  guint32 second;
  guint32 failures;
} Limit;

typedef struct
{
  struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  struct sockaddr_storage names[BATCH];
  guint8 control[BATCH][128];
  guint8 data[BATCH][MAX_DATAGRAM];
} Batch;

/**
 * RtcUdpPort:
 * @users: how many have opened the port; under registry_lock
 * @wake_fd: eventfd, wakes the thread
 * @host: lets @thread push what it has received; another one takes its place
 *   where that blocks. NULL: there is none
 * @replaced_at: when that happened last, monotonic µs, 0: never
 * @lock: recursive, as callbacks of a transport may send
 */
struct _RtcUdpPort
{
  guint number;
  guint users;
  Socket sockets[2];
  guint n_sockets;
  gint wake_fd;
  GThread *thread;
  RecTasksHost *host;
  gint64 replaced_at;
  gint quit;
  Batch *batch; /* thread of the port */

  GRecMutex lock;
  /* under lock */
  gint64 batch_interval;
  GPtrArray *transports;
  GHashTable *ufrags; /* gchar *: RtcTransport */
  GHashTable *paths;  /* RtcAddress *: RtcPath */
  Limit limits[N_LIMITS];
  RtcUdpPortStats stats;
  RtcTcpPort *tcp; /* or NULL; once set it stays */
};

static GMutex registry_lock;
static GHashTable *registry; /* number: RtcUdpPort; under registry_lock */

void
rtc_udp_port_lock (RtcUdpPort *self)
{
  g_rec_mutex_lock (&self->lock);
}

void
rtc_udp_port_unlock (RtcUdpPort *self)
{
  g_rec_mutex_unlock (&self->lock);
}

/* --- transports; under lock --- */

gboolean
rtc_udp_port_add (RtcUdpPort *self, RtcTransport *transport)
{
  if (self->transports->len >= RTC_UDP_PORT_MAX_TRANSPORTS)
    return FALSE;
  g_ptr_array_add (self->transports, transport);
  return TRUE;
}

void
rtc_udp_port_remove (RtcUdpPort *self, RtcTransport *transport)
{
  g_ptr_array_remove_fast (self->transports, transport);
}

void
rtc_udp_port_add_ufrag (
    RtcUdpPort *self, const gchar *ufrag, RtcTransport *transport)
{
  g_hash_table_insert (self->ufrags, g_strdup (ufrag), transport);
}

void
rtc_udp_port_remove_ufrag (RtcUdpPort *self, const gchar *ufrag)
{
  g_hash_table_remove (self->ufrags, ufrag);
}

void
rtc_udp_port_add_path (RtcUdpPort *self, RtcPath *path)
{
  g_hash_table_insert (self->paths, &path->remote, path);
}

void
rtc_udp_port_remove_path (RtcUdpPort *self, RtcPath *path)
{
  if (g_hash_table_lookup (self->paths, &path->remote) == path)
    g_hash_table_remove (self->paths, &path->remote);
}

void
rtc_udp_port_count_refused (RtcUdpPort *self)
{
  self->stats.refused++;
}

void
rtc_udp_port_count_skipped (RtcUdpPort *self)
{
  self->stats.skipped++;
}

/* --- sending --- */

/* From the address that the peer reached: a host may have more than one. */
static void
set_local (struct msghdr *message, const RtcAddress *local, guint8 *control)
{
  struct cmsghdr *header = (struct cmsghdr *)control;

  if (local->family == AF_INET) {
    struct in_pktinfo info = { 0 };

    memcpy (&info.ipi_spec_dst, local->bytes, 4);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN (sizeof (info));
    memcpy (CMSG_DATA (header), &info, sizeof (info));
    message->msg_controllen = CMSG_SPACE (sizeof (info));
  } else if (local->family == AF_INET6) {
    struct in6_pktinfo info = { 0 };

    memcpy (&info.ipi6_addr, local->bytes, 16);
    info.ipi6_ifindex = local->scope;
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN (sizeof (info));
    memcpy (CMSG_DATA (header), &info, sizeof (info));
    message->msg_controllen = CMSG_SPACE (sizeof (info));
  } else {
    return;
  }
  message->msg_control = control;
}

/* A datagram that cannot be sent is lost, as on the way. */
void
rtc_udp_port_send (RtcUdpPort *self, const RtcAddress *local,
    const RtcAddress *remote, const guint8 *data, gsize size)
{
  struct sockaddr_storage name;
  struct iovec vector = { (void *)data, size };
  struct msghdr message = { 0 };
  guint8 control[CMSG_SPACE (sizeof (struct in6_pktinfo))]
      __attribute__ ((aligned (8))) = { 0 };
  guint which = remote->family == AF_INET6 ? 1 : 0;

  if (remote->tcp) {
    if (self->tcp)
      rtc_tcp_port_send (self->tcp, remote, data, size);
    return;
  }
  if (self->sockets[which].fd < 0)
    return;
  message.msg_name = &name;
  message.msg_namelen = rtc_address_to_sockaddr (remote, &name);
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  set_local (&message, local, control);
  while (sendmsg (self->sockets[which].fd, &message,
             MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
      errno == EINTR)
    ;
}

static void
wake (RtcUdpPort *self)
{
  guint64 one = 1;

  while (write (self->wake_fd, &one, sizeof (one)) < 0 && errno == EINTR)
    ;
}

/* --- receiving; on the thread of the port --- */

/* How much @from, of which nothing is known, has failed to authenticate in this
 * second. Addresses that share a bucket share what it allows. */
static guint32 *
get_failures (RtcUdpPort *self, const RtcAddress *from, gint64 now)
{
  Limit *limit = &self->limits[rtc_address_hash_host (from) % N_LIMITS];
  guint32 second = (guint32)(now / G_USEC_PER_SEC);

  if (limit->second != second)
    *limit = (Limit){ second, 0 };
  return &limit->failures;
}

static RtcTransport *
find_by_username (RtcUdpPort *self, const RtcStunMessage *message)
{
  const gchar *colon = message->username
      ? memchr (message->username, ':', message->username_size)
      : NULL;
  RtcTransport *transport;
  gchar *ufrag;

  if (!colon)
    return NULL;
  ufrag = g_strndup (message->username, (gsize)(colon - message->username));
  transport = g_hash_table_lookup (self->ufrags, ufrag);
  g_free (ufrag);
  return transport;
}

static void
take_stun (RtcUdpPort *self, RtcDatagram *datagram)
{
  guint32 *failures = get_failures (self, &datagram->remote, datagram->arrival);
  RtcStunMessage message;
  RtcTransport *transport;

  if (!datagram->path && *failures >= RTC_UDP_PORT_MAX_FAILURES) {
    self->stats.limited++;
    return;
  }
  if (!rtc_stun_parse (datagram->data, datagram->size, &message) ||
      message.type != RTC_STUN_BINDING_REQUEST ||
      !(transport = find_by_username (self, &message))) {
    self->stats.unknown++;
    ++*failures;
    return;
  }
  if (!rtc_transport_take_check (transport, datagram, &message))
    ++*failures;
}

static void
take_datagram (RtcUdpPort *self, RtcDatagram *datagram)
{
  self->stats.received++;
  datagram->path = g_hash_table_lookup (self->paths, &datagram->remote);
  if (rtc_stun_is_stun (datagram->data, datagram->size))
    take_stun (self, datagram);
  else if (datagram->path)
    rtc_transport_take (datagram->path->transport, datagram);
  else
    self->stats.unknown++;
}

/* What the kernel says of a datagram. @offset: from its clock to ours, µs. */
static void
read_control (RtcUdpPort *self, Socket *socket, struct msghdr *message,
    RtcDatagram *datagram, gint64 offset)
{
  struct cmsghdr *c;

  for (c = CMSG_FIRSTHDR (message); c; c = CMSG_NXTHDR (message, c)) {
    const void *value = CMSG_DATA (c);

    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec time;

      memcpy (&time, value, sizeof (time));
      datagram->arrival =
          (gint64)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000 + offset;
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      guint32 drops;

      memcpy (&drops, value, sizeof (drops));
      self->stats.drops += (guint32)(drops - socket->drops);
      socket->drops = drops;
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;

      memcpy (&info, value, sizeof (info));
      datagram->local.family = AF_INET;
      memcpy (datagram->local.bytes, &info.ipi_addr, 4);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;

      memcpy (&info, value, sizeof (info));
      datagram->local.family = AF_INET6;
      datagram->local.scope =
          IN6_IS_ADDR_LINKLOCAL (&info.ipi6_addr) ? info.ipi6_ifindex : 0;
      memcpy (datagram->local.bytes, &info.ipi6_addr, 16);
    }
  }
}

/* Makes the first @n ready for recvmmsg(), which changes them. */
static void
prepare_batch (Batch *batch, guint n)
{
  for (guint i = 0; i < n; i++) {
    struct msghdr *message = &batch->messages[i].msg_hdr;

    batch->vectors[i] = (struct iovec){ batch->data[i], MAX_DATAGRAM };
    message->msg_name = &batch->names[i];
    message->msg_namelen = sizeof (batch->names[i]);
    message->msg_iov = &batch->vectors[i];
    message->msg_iovlen = 1;
    message->msg_control = batch->control[i];
    message->msg_controllen = sizeof (batch->control[i]);
    message->msg_flags = 0;
  }
}

/* Under lock. */
static void
take_batch (RtcUdpPort *self, Socket *socket, gint n)
{
  gint64 now = g_get_monotonic_time ();
  gint64 offset = now - g_get_real_time ();

  for (gint i = 0; i < n; i++) {
    struct mmsghdr *received = &self->batch->messages[i];
    RtcDatagram datagram = { 0 };

    datagram.data = self->batch->data[i];
    datagram.size = received->msg_len;
    datagram.arrival = now;
    datagram.remote = rtc_address_from_sockaddr (received->msg_hdr.msg_name);
    datagram.local.port = (guint16)self->number;
    read_control (self, socket, &received->msg_hdr, &datagram, offset);
    /* The clock of the kernel may have been set in between. */
    datagram.arrival = CLAMP (datagram.arrival, now - 10 * G_USEC_PER_SEC, now);
    if (!(received->msg_hdr.msg_flags & MSG_TRUNC))
      take_datagram (self, &datagram);
  }
}

/* Returns how many datagrams there were. */
static guint
receive (RtcUdpPort *self, Socket *socket)
{
  gint n;

  do
    n = recvmmsg (socket->fd, self->batch->messages, BATCH, MSG_DONTWAIT, NULL);
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return 0;
  rtc_udp_port_lock (self);
  take_batch (self, socket, n);
  rtc_udp_port_unlock (self);
  prepare_batch (self->batch, (guint)n);
  return (guint)n;
}

/* --- TCP; under lock --- */

static void
take_tcp_datagram (guint8 *data, gsize size, const RtcAddress *remote,
    const RtcAddress *local, gint64 arrival, gpointer user_data)
{
  RtcDatagram datagram = { .data = data,
    .size = size,
    .remote = *remote,
    .local = *local,
    .arrival = arrival };

  take_datagram (user_data, &datagram);
}

static gboolean
is_path (const RtcAddress *remote, gpointer user_data)
{
  return g_hash_table_contains (((RtcUdpPort *)user_data)->paths, remote);
}

gboolean
rtc_udp_port_open_tcp (RtcUdpPort *self, GError **error)
{
  static const RtcTcpPortCallbacks callbacks = { take_tcp_datagram, is_path };
  gboolean ok;

  rtc_udp_port_lock (self);
  if (!self->tcp)
    self->tcp = rtc_tcp_port_new (self->number, &callbacks, self, error);
  ok = self->tcp != NULL;
  rtc_udp_port_unlock (self);
  wake (self);
  return ok;
}

static gint
get_tcp_fd (RtcUdpPort *self)
{
  gint fd;

  rtc_udp_port_lock (self);
  fd = self->tcp ? rtc_tcp_port_get_fd (self->tcp) : -1;
  rtc_udp_port_unlock (self);
  return fd;
}

static guint
receive_tcp (RtcUdpPort *self)
{
  guint n;

  rtc_udp_port_lock (self);
  n = rtc_tcp_port_receive (self->tcp, g_get_monotonic_time ());
  rtc_udp_port_unlock (self);
  return n;
}

/* Returns when something is due next, and sets *@interval. */
static gint64
run_timers (RtcUdpPort *self, gint64 *interval)
{
  gint64 now = g_get_monotonic_time (), due = now + MAX_SLEEP;

  rtc_udp_port_lock (self);
  for (guint i = 0; i < self->transports->len; i++) {
    gint64 next =
        rtc_transport_tick (g_ptr_array_index (self->transports, i), now);

    due = MIN (due, next);
  }
  if (self->tcp)
    due = MIN (due, rtc_tcp_port_tick (self->tcp, now));
  *interval = self->batch_interval;
  rtc_udp_port_unlock (self);
  return due;
}

/* Pushes what has been received. Returns FALSE if another thread has taken the
 * place of this one. */
static gboolean
push_media (RtcUdpPort *self)
{
  if (self->host &&
      (self->replaced_at == 0 ||
          g_get_monotonic_time () > self->replaced_at + BLOCKED_AGE))
    return rec_tasks_host_run (self->host);
  rec_tasks_run_queued (REC_TASKS_MEDIA);
  return TRUE;
}

/* Waits until @until for one of the first @n descriptors. */
static void
wait_until (struct pollfd *fds, guint n, gint64 until)
{
  gint64 left = MAX (until - g_get_monotonic_time (), 0);
  struct timespec timeout = { left / G_USEC_PER_SEC,
    left % G_USEC_PER_SEC * 1000 };

  for (guint i = 0; i < n; i++)
    fds[i].revents = 0;
  ppoll (fds, n, &timeout, NULL);
}

/* Receives from all of @fds that are ready. Returns how many datagrams there
 * were. */
static guint
receive_ready (RtcUdpPort *self, const struct pollfd *fds)
{
  guint64 unused;
  guint n = 0;

  if (fds[0].revents && read (self->wake_fd, &unused, sizeof (unused)) < 0)
    g_assert (errno == EAGAIN || errno == EINTR);
  for (guint i = 0; i < 2; i++)
    if (fds[1 + i].revents)
      n += receive (self, &self->sockets[i]);
  if (fds[3].revents)
    n += receive_tcp (self);
  return n;
}

/* What comes in the meantime is taken together: one wakeup for all. */
static void
gather (struct pollfd *fds, gint64 due, gint64 interval)
{
  gint64 now = g_get_monotonic_time ();

  wait_until (fds, 1, MIN (MAX (due, now + MAX_DELAY), now + interval));
}

/* After a pause for others to gather, there is something: poll(2) is spared. */
static void
expect_all (struct pollfd *fds)
{
  for (guint i = 1; i < 3; i++)
    fds[i].revents = fds[i].fd >= 0 ? POLLIN : 0;
  fds[3].revents = 0;
}

static gpointer
run (gpointer data)
{
  RtcUdpPort *self = data;
  struct pollfd fds[4] = { { .fd = self->wake_fd, .events = POLLIN } };
  gint64 due = 0, interval = 0;
  gboolean gathered = FALSE;

  for (guint i = 0; i < 2; i++)
    fds[1 + i] = (struct pollfd){ .fd = self->sockets[i].fd, .events = POLLIN };
  while (!g_atomic_int_get (&self->quit)) {
    guint n;

    fds[3] = (struct pollfd){ .fd = get_tcp_fd (self), .events = POLLIN };
    if (gathered && fds[3].fd < 0)
      expect_all (fds);
    else
      wait_until (fds, G_N_ELEMENTS (fds), due);
    n = receive_ready (self, fds);
    due = run_timers (self, &interval);
    if (!push_media (self))
      return NULL;
    gathered = n > 0 && n < BUSY && interval > 0;
    if (gathered)
      gather (fds, due, interval);
  }
  return NULL;
}

/* Starts a thread in the place of the one that is blocked in push_media(). */
static gboolean
replace_thread (gpointer data)
{
  RtcUdpPort *self = data;
  GThread *thread;

  self->replaced_at = g_get_monotonic_time ();
  thread = g_thread_try_new ("rtc-udp-port", run, self, NULL);
  if (!thread)
    return FALSE;
  g_thread_unref (self->thread);
  self->thread = thread;
  return TRUE;
}

/* --- opening --- */

/* Asks for a large receive buffer. Returns what the kernel granted. */
static guint
set_buffer (gint fd)
{
  gint wanted = SOCKET_BUFFER, granted = 0;
  socklen_t size = sizeof (granted);

  /* Only root may go beyond net.core.rmem_max. */
  if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof (wanted)) < 0)
    setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof (wanted));
  getsockopt (fd, SOL_SOCKET, SO_RCVBUF, &granted, &size);
  /* The kernel doubles the number, for its own use (socket(7)). */
  return (guint)granted / 2;
}

static gint
open_socket (gint family, guint number)
{
  struct sockaddr_storage name;
  RtcAddress any = { .family = (guint8)family, .port = (guint16)number };
  socklen_t size = rtc_address_to_sockaddr (&any, &name);
  gint one = 1;
  gint fd = socket (family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return -1;
  if (family == AF_INET6) {
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof (one));
    setsockopt (fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof (one));
  } else {
    setsockopt (fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof (one));
  }
  setsockopt (fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof (one));
  setsockopt (fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof (one));
  if (bind (fd, (struct sockaddr *)&name, size) < 0) {
    gint saved = errno;

    close (fd);
    errno = saved;
    return -1;
  }
  return fd;
}

/* IPv6 may be switched off; a port that is taken there is not ours either. */
static gboolean
open_sockets (RtcUdpPort *self, GError **error)
{
  static const gint families[2] = { AF_INET, AF_INET6 };

  for (guint i = 0; i < 2; i++) {
    gint fd = open_socket (families[i], self->number);

    self->sockets[i].fd = fd;
    if (fd < 0 && errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
      goto failed;
    if (fd >= 0) {
      guint buffer = set_buffer (fd);

      self->stats.buffer =
          self->n_sockets++ > 0 ? MIN (self->stats.buffer, buffer) : buffer;
    }
  }
  if (self->n_sockets > 0)
    return TRUE;

  /* ERRORS */
failed:
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
      "Could not open UDP port %u: %s. Choose another udp-port, or stop the "
      "process that uses it.",
      self->number, g_strerror (errno));
  return FALSE;
}

static void
free_port (RtcUdpPort *self)
{
  for (guint i = 0; i < 2; i++)
    if (self->sockets[i].fd >= 0)
      close (self->sockets[i].fd);
  if (self->wake_fd >= 0)
    close (self->wake_fd);
  rtc_tcp_port_free (self->tcp);
  rec_tasks_host_free (self->host);
  g_hash_table_unref (self->ufrags);
  g_hash_table_unref (self->paths);
  g_ptr_array_unref (self->transports);
  g_rec_mutex_clear (&self->lock);
  g_free (self->batch);
  g_free (self);
}

static RtcUdpPort *
new_port (guint number, GError **error)
{
  RtcUdpPort *self = g_new0 (RtcUdpPort, 1);

  rtc_srtp_init ();
  self->number = number;
  self->batch_interval = G_MAXINT64;
  self->sockets[0].fd = self->sockets[1].fd = -1;
  g_rec_mutex_init (&self->lock);
  self->transports = g_ptr_array_new ();
  self->ufrags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->paths = g_hash_table_new (rtc_address_hash, rtc_address_equal);
  self->batch = g_new0 (Batch, 1);
  prepare_batch (self->batch, BATCH);
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake_fd < 0)
    goto no_eventfd;
  if (!open_sockets (self, error))
    goto failed;
  self->host = rec_tasks_host_new (REC_TASKS_MEDIA, replace_thread, self);
  self->thread = g_thread_try_new ("rtc-udp-port", run, self, error);
  if (self->thread)
    return self;

  /* ERRORS */
failed:
  free_port (self);
  return NULL;
no_eventfd:
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
      "Could not make an eventfd: %s", g_strerror (errno));
  free_port (self);
  return NULL;
}

RtcUdpPort *
rtc_udp_port_open (guint number, gint64 batch_interval, GError **error)
{
  RtcUdpPort *self;

  g_mutex_lock (&registry_lock);
  if (!registry)
    registry = g_hash_table_new (NULL, NULL);
  self = g_hash_table_lookup (registry, GUINT_TO_POINTER (number));
  if (!self && (self = new_port (number, error)))
    g_hash_table_insert (registry, GUINT_TO_POINTER (number), self);
  if (self) {
    self->users++;
    rtc_udp_port_lock (self);
    self->batch_interval = MIN (self->batch_interval, batch_interval);
    rtc_udp_port_unlock (self);
  }
  g_mutex_unlock (&registry_lock);
  return self;
}

RtcUdpPort *
rtc_udp_port_ref (RtcUdpPort *self)
{
  g_mutex_lock (&registry_lock);
  self->users++;
  g_mutex_unlock (&registry_lock);
  return self;
}

/* The thread is joined under the lock, which it never takes: who opens the same
 * port meanwhile has to wait until it is free. */
void
rtc_udp_port_close (RtcUdpPort *self)
{
  if (!self)
    return;
  g_mutex_lock (&registry_lock);
  if (--self->users == 0) {
    g_hash_table_remove (registry, GUINT_TO_POINTER (self->number));
    g_atomic_int_set (&self->quit, TRUE);
    wake (self);
    /* It may be blocked in a push, also of another port's session, and never
     * comes back here then. */
    if (self->host && !rec_tasks_host_stop (self->host))
      g_thread_unref (self->thread);
    else
      g_thread_join (self->thread);
    free_port (self);
  }
  g_mutex_unlock (&registry_lock);
}

guint
rtc_udp_port_get_number (RtcUdpPort *self)
{
  return self->number;
}

void
rtc_udp_port_get_stats (RtcUdpPort *self, RtcUdpPortStats *stats)
{
  rtc_udp_port_lock (self);
  *stats = self->stats;
  rtc_udp_port_unlock (self);
}

gchar **
rtc_udp_port_list_candidates (RtcUdpPort *self)
{
  return rtc_candidates_list (self->number, self->sockets[0].fd >= 0,
      self->sockets[1].fd >= 0, self->tcp != NULL);
}
