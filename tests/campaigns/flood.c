/* gst-tsrec: recordings beside a flood of unauthenticated datagrams
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ten recwhipsrc on one UDP port record ten publishers, while 50,000 datagrams a
 * second come from strangers: STUN that names no session, or one with a wrong
 * password, DTLS ClientHellos, RTP and RTCP, from many addresses and ports; and
 * RTP and DTLS with the address of a publisher. Every picture that was sent has
 * to be in the files, which the checker reads, and the memory of the process has
 * to stay as it is. In a network namespace of its own; ends after --seconds.
 *
 * What the kernel drops because the thread of the port has to wait for a
 * processor is no fault of it: such a run is void, and is repeated.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "rtctestpublisher.h"
#include "tscheck.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORDINGS 10
#define SKIPPED 77
#define PORT 20000
/* Strangers, in 127.0.0.0/8. */
#define STRANGERS 64
#define BURST 64
#define FRAME_US 33333
#define MAX_GROWTH (4 * 1024)
/* A thread that waits for longer is kept from its work by others. */
#define MAX_WAIT_PERCENT 5
#define MAX_RUNS 3
/* A session is connected, and its first pictures are recorded. */
#define PATIENCE (60 * G_USEC_PER_SEC)

typedef struct
{
  GstElement *source;
  GstElement *pipeline;
  RtcTestPeer *peer;
  gchar *ufrag;
  guint16 seq, audio_seq;
  guint sent;
} Recording;

static gint seconds = 8, rate = 50000;
static gchar *folder;
static Recording recordings[RECORDINGS];
static gint quit;
static guint64 n_flood;

/* --- a network of our own --- */

static gboolean
enter_namespace (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  gint fd;
  gboolean up;

  if (unshare (CLONE_NEWNET) < 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) < 0)
    return FALSE;
  fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  up = fd >= 0 && ioctl (fd, SIOCSIFFLAGS, &request) == 0;
  if (fd >= 0)
    close (fd);
  return up;
}

static gsize
get_resident (void)
{
  gchar *text = NULL;
  gsize pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*u %zu", &pages);
  g_free (text);
  return pages * (gsize)sysconf (_SC_PAGESIZE) / 1024;
}

/* ns for which the thread of the port was ready to run, and did not. */
static guint64
get_wait (void)
{
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *id;
  guint64 wait = 0;

  while ((id = g_dir_read_name (dir))) {
    gchar *comm = g_strdup_printf ("/proc/self/task/%s/comm", id), *text = NULL;
    gchar *stat = g_strdup_printf ("/proc/self/task/%s/schedstat", id);

    if (g_file_get_contents (comm, &text, NULL, NULL) &&
        g_str_has_prefix (text, "rtc-udp-port")) {
      g_clear_pointer (&text, g_free);
      if (g_file_get_contents (stat, &text, NULL, NULL))
        sscanf (text, "%*u %" G_GUINT64_FORMAT, &wait);
    }
    g_free (text);
    g_free (stat);
    g_free (comm);
  }
  g_dir_close (dir);
  return wait;
}

/* --- the flood --- */

static gint
open_stranger (guint index)
{
  struct sockaddr_in from = { .sin_family = AF_INET },
                     to = { .sin_family = AF_INET, .sin_port = htons (PORT) };
  gint fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  from.sin_addr.s_addr = htonl (0x7f000100 + index);
  to.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  g_assert (fd >= 0 && bind (fd, (struct sockaddr *)&from, sizeof (from)) == 0);
  g_assert (connect (fd, (struct sockaddr *)&to, sizeof (to)) == 0);
  return fd;
}

/* Datagrams of a burst, one kind after another. */
static void
make_datagrams (guint8 (*data)[256], struct iovec *vectors, guint round)
{
  static const guint8 hello[] = { 22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60,
    1 };

  for (guint i = 0; i < BURST; i++) {
    gchar *username = g_strdup_printf (
        "%s:x", i & 8 ? "nobody" : recordings[(round + i) % RECORDINGS].ufrag);
    RtcStunRequest request = { .username = username,
      .password = "wrong",
      .controlling = TRUE,
      .priority = 1 };
    guint8 id[RTC_STUN_ID_SIZE] = { (guint8)round, (guint8)i };

    vectors[i].iov_base = data[i];
    vectors[i].iov_len = 100 + i;
    memset (data[i], 0, sizeof (data[i]));
    if (i % 4 == 0)
      vectors[i].iov_len = rtc_stun_write_request (data[i], id, &request);
    else if (i % 4 == 1)
      memcpy (data[i], hello, sizeof (hello));
    else
      memcpy (data[i], i % 4 == 2 ? "\x80\x60\0\1" : "\x80\xc8\0\6", 4);
    g_free (username);
  }
}

/* A stranger who knows the address of a publisher, and sends with it: from its
 * own socket, which is the same for the kernel. */
static void
send_as_publisher (guint round)
{
  static const guint8 hello[60] = { 22, 254, 253 };
  guint8 rtp[200] = { 0x80, RTC_TEST_VIDEO_PT, (guint8)(round >> 8),
    (guint8)round, 0, 0, 0, 0, 0, 0, 0, 1 };
  Recording *recording = &recordings[round % RECORDINGS];

  rtc_test_peer_send_raw (recording->peer, rtp, sizeof (rtp));
  rtc_test_peer_send_raw (recording->peer, hello, sizeof (hello));
}

static gpointer
flood (gpointer unused)
{
  static guint8 data[BURST][256];
  struct iovec vectors[BURST];
  struct mmsghdr messages[BURST] = { 0 };
  gint fds[STRANGERS];
  gint64 begin = g_get_monotonic_time ();
  guint round = 0;

  for (guint i = 0; i < STRANGERS; i++)
    fds[i] = open_stranger (i);
  for (guint i = 0; i < BURST; i++) {
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (; !g_atomic_int_get (&quit); round++) {
    gint64 due = begin + (gint64)n_flood * G_USEC_PER_SEC / rate;
    gint64 now = g_get_monotonic_time ();

    if (now < due)
      g_usleep ((gulong)(due - now));
    /* A late thread does not catch up in one burst. */
    else if (now > due + 150 * G_TIME_SPAN_MILLISECOND)
      begin += now - due;
    if (round % 16 == 0)
      make_datagrams (data, vectors, round);
    n_flood += (guint64)MAX (
        sendmmsg (fds[round % STRANGERS], messages, BURST, MSG_DONTWAIT), 0);
    if (round % 4 == 0)
      send_as_publisher (round);
  }
  for (guint i = 0; i < STRANGERS; i++)
    close (fds[i]);
  return NULL;
}

/* --- recordings --- */

static gchar *
get_path (guint i)
{
  return g_strdup_printf ("%s/%u.ts", folder, i);
}

static void
start_recording (guint i, RtcCertificate *certificate)
{
  Recording *self = &recordings[i];
  gchar *path = get_path (i), *url = NULL;
  gchar *line = g_strdup_printf (
      "recwhipsrc name=w port=0 udp-port=%u w.video ! h264parse ! "
      "tsrecsink name=rec location=%s w.audio ! opusparse ! rec.",
      PORT, path);
  gint64 until = g_get_monotonic_time () + PATIENCE;

  memset (self, 0, sizeof (*self));
  self->pipeline = gst_parse_launch (line, NULL);
  g_assert (self->pipeline != NULL);
  self->source = gst_bin_get_by_name (GST_BIN (self->pipeline), "w");
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  g_object_get (self->source, "url", &url, NULL);
  while (!(self->peer = rtc_test_publish (url, certificate, 20000))) {
    g_assert (g_get_monotonic_time () < until);
    g_usleep (20000);
  }
  self->ufrag = g_strdup (self->peer->ufrag);
  g_free (url);
  g_free (line);
  g_free (path);
}

static void
send_unit (
    Recording *self, guint i, const guint8 *unit, gsize size, gboolean last)
{
  guint8 data[1100] = { 0x80, RTC_TEST_VIDEO_PT };

  if (last)
    data[1] |= 0x80;
  GST_WRITE_UINT16_BE (data + 2, self->seq++);
  GST_WRITE_UINT32_BE (data + 4, self->sent * 3000);
  GST_WRITE_UINT32_BE (data + 8, 7000 + i);
  memcpy (data + 12, unit, size);
  rtc_test_peer_send (self->peer, data, 12 + size);
}

static void
send_audio (Recording *self, guint i)
{
  guint8 data[15] = { 0x80, RTC_TEST_AUDIO_PT };

  GST_WRITE_UINT16_BE (data + 2, self->audio_seq);
  GST_WRITE_UINT32_BE (data + 4, self->audio_seq * 960u);
  GST_WRITE_UINT32_BE (data + 8, 8000 + i);
  memcpy (data + 12, "\xf8\xff\xfe", 3);
  self->audio_seq++;
  rtc_test_peer_send (self->peer, data, sizeof (data));
}

static void
send_picture (Recording *self, guint i)
{
  static const guint8 sps[] = { 0x67, 0x42, 0xc0, 0x0a, 0xda, 0x79, 0x7b, 0xff,
    0x00, 0x01, 0x00, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00,
    0x03, 0x03, 0xc8, 0xf1, 0x22, 0x6a };
  static const guint8 pps[] = { 0x68, 0xce, 0x0f, 0xc8 };
  guint8 idr[1000] = { 0x65, 0x88, 0x84 };

  memset (idr + 3, 0x55, sizeof (idr) - 3);
  send_unit (self, i, sps, sizeof (sps), FALSE);
  send_unit (self, i, pps, sizeof (pps), FALSE);
  send_unit (self, i, idr, sizeof (idr), TRUE);
  self->sent++;
  while (rtc_test_peer_run (self->peer, 0))
    ;
}

/* In real time. */
static void
send_media_for (gint64 duration)
{
  gint64 begin = g_get_monotonic_time (), next = begin;
  guint audio = 0;

  while (next < begin + duration) {
    gint64 now = g_get_monotonic_time ();

    if (now < next) {
      g_usleep ((gulong)(next - now));
      continue;
    }
    for (guint i = 0; i < RECORDINGS; i++) {
      send_picture (&recordings[i], i);
      while (audio * 20000 < (guint64)(next - begin)) {
        for (guint k = 0; k < RECORDINGS; k++)
          send_audio (&recordings[k], k);
        audio++;
      }
    }
    next += FRAME_US;
  }
}

static guint64
get_stat (Recording *self, const gchar *name)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (self->source, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, name, &value);
  gst_structure_free (stats);
  return value;
}

/* Waits until the pictures that were sent are recorded, or lost. */
static void
stop_recording (Recording *self)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;
  GstBus *bus = gst_element_get_bus (self->pipeline);
  GstMessage *message;

  while (get_stat (self, "video-rtp-received") +
              get_stat (self, "video-rtp-lost") <
          3 * self->sent &&
      g_get_monotonic_time () < until)
    g_usleep (20000);
  gst_element_send_event (self->source, gst_event_new_eos ());
  message = gst_bus_timed_pop_filtered (
      bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
}

static void
free_recording (Recording *self)
{
  rtc_test_peer_free (self->peer);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_object_unref (self->source);
  gst_object_unref (self->pipeline);
  g_free (self->ufrag);
}

/* --- the verdict --- */

/* Returns the pictures in file @i, and sets *@errors. */
static guint64
count_pictures (guint i, guint64 *errors)
{
  gchar *path = get_path (i), *data = NULL;
  TsCheck *check = ts_check_new (NULL, NULL, NULL, NULL);
  const TsCheckStream *stream;
  guint64 pictures = 0;
  gsize size = 0;

  if (!g_file_get_contents (path, &data, &size, NULL))
    fprintf (stderr, "no file %s\n", path);
  ts_check_push (check, (const uint8_t *)data, size);
  *errors = ts_check_finish (check);
  if (*errors > 0)
    fprintf (stderr, "%s", ts_check_get_report (check));
  for (guint k = 0; (stream = ts_check_get_stream (check, k)); k++)
    if (stream->kind == TS_CHECK_KIND_VIDEO)
      pictures = stream->pes_packets;
  ts_check_free (check);
  g_unlink (path);
  g_free (path);
  g_free (data);
  return pictures;
}

/* Returns FALSE when something is wrong, or, with *@is_void, was kept from its
 * work. */
static gboolean
run (gboolean *is_void)
{
  RtcCertificate *certificate = rtc_certificate_get (NULL);
  guint64 sent = 0, recorded = 0, errors, all_errors = 0, drops, wait;
  gsize before, after;
  GThread *thread;

  for (guint i = 0; i < RECORDINGS; i++)
    start_recording (i, certificate);
  send_media_for (G_USEC_PER_SEC);
  g_atomic_int_set (&quit, FALSE);
  n_flood = 0;
  thread = g_thread_new ("flood", flood, NULL);
  send_media_for (G_USEC_PER_SEC);
  before = get_resident ();
  wait = get_wait ();
  send_media_for (seconds * G_USEC_PER_SEC);
  after = get_resident ();
  wait = (get_wait () - wait) / (guint64)(seconds * 10000000);
  g_atomic_int_set (&quit, TRUE);
  g_thread_join (thread);
  drops = get_stat (&recordings[0], "socket-drops");
  for (guint i = 0; i < RECORDINGS; i++)
    stop_recording (&recordings[i]);
  for (guint i = 0; i < RECORDINGS; i++) {
    sent += recordings[i].sent;
    free_recording (&recordings[i]);
    recorded += count_pictures (i, &errors);
    all_errors += errors;
  }
  rtc_certificate_unref (certificate);
  printf ("%d s, %" G_GUINT64_FORMAT
          " datagrams a second: pictures %" G_GUINT64_FORMAT
          " of %" G_GUINT64_FORMAT ", errors of the checker %" G_GUINT64_FORMAT
          ", dropped by the kernel %" G_GUINT64_FORMAT
          ", resident KiB %zu, then %zu\n",
      seconds, n_flood / (guint64)(seconds + 1), recorded, sent, all_errors,
      drops, before, after);
  *is_void = drops > 0 && wait > MAX_WAIT_PERCENT;
  if (*is_void)
    printf ("void: the thread of the port waited for a processor for "
            "%" G_GUINT64_FORMAT " %% of the time\n",
        wait);
  return recorded == sent && all_errors == 0 && after <= before + MAX_GROWTH;
}

int
main (int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "of flood", NULL },
    { "rate", 0, 0, G_OPTION_ARG_INT, &rate, "datagrams a second", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  GOptionContext *context = g_option_context_new (NULL);
  gboolean ok = FALSE, is_void = TRUE;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, NULL))
    return 2;
  g_option_context_free (context);
  if (!enter_namespace ()) {
    printf (
        "SKIP: no network namespace to be had here: %s\n", g_strerror (errno));
    return SKIPPED;
  }
  gst_init (&argc, &argv);
  folder = g_dir_make_tmp ("flood-XXXXXX", NULL);
  for (guint i = 0; i < MAX_RUNS && !ok && is_void; i++)
    ok = run (&is_void);
  g_rmdir (folder);
  g_free (folder);
  if (!ok && is_void)
    printf ("SKIP: this machine is too busy\n");
  return ok ? 0 : is_void ? SKIPPED : 1;
}
