/* gst-tsrec: responses with the contents of a file and byte ranges
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverfilesender.h"
#include "recservererror.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
/* Seconds after which a file that was not written to is taken for settled. */
#define SETTLED 60

typedef struct
{
  gatomicrefcount refcount;
  SoupServerMessage *msg;
  int fd;
  goffset position;
  goffset left;
  gboolean reading;
  gboolean finished;
} Sender;

static void
sender_unref (gpointer data)
{
  Sender *sender = data;

  if (!g_atomic_ref_count_dec (&sender->refcount))
    return;
  close (sender->fd);
  g_object_unref (sender->msg);
  g_free (sender);
}

static Sender *
sender_ref (Sender *sender)
{
  g_atomic_ref_count_inc (&sender->refcount);
  return sender;
}

/* --- chunks --- */

static void
run_read (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  Sender *sender = data;
  gsize size = (gsize)MIN (sender->left, CHUNK);
  guint8 *buffer = g_malloc (size);
  gssize n;

  do
    n = pread (sender->fd, buffer, size, sender->position);
  while (n < 0 && errno == EINTR);
  if (n > 0) {
    g_task_return_pointer (
        task, g_bytes_new_take (buffer, n), (GDestroyNotify)g_bytes_unref);
    return;
  }
  g_free (buffer);
  g_task_return_pointer (task, NULL, NULL);
}

static void
on_read (GObject *object, GAsyncResult *result, gpointer data)
{
  Sender *sender = data;
  GBytes *bytes = g_task_propagate_pointer (G_TASK (result), NULL);

  sender->reading = FALSE;
  if (!sender->finished && bytes) {
    sender->position += g_bytes_get_size (bytes);
    sender->left -= g_bytes_get_size (bytes);
    soup_message_body_append_bytes (
        soup_server_message_get_response_body (sender->msg), bytes);
    if (sender->left == 0)
      soup_message_body_complete (
          soup_server_message_get_response_body (sender->msg));
    soup_server_message_unpause (sender->msg);
  } else if (!sender->finished)
    /* The file has become shorter, or cannot be read: what was promised cannot be
     * kept. */
    rec_server_listener_cut_off (sender->msg);
  g_clear_pointer (&bytes, g_bytes_unref);
  sender_unref (sender);
}

static void
read_more (Sender *sender)
{
  GTask *task;

  if (sender->reading || sender->finished || sender->left == 0)
    return;
  sender->reading = TRUE;
  task = g_task_new (NULL, NULL, on_read, sender_ref (sender));
  g_task_set_task_data (task, sender_ref (sender), sender_unref);
  g_task_run_in_thread (task, run_read);
  g_object_unref (task);
}

static void
on_wrote_chunk (SoupServerMessage *msg, gpointer data)
{
  read_more (data);
}

static void
on_finished (SoupServerMessage *msg, gpointer data)
{
  Sender *sender = data;

  sender->finished = TRUE;
  g_signal_handlers_disconnect_by_data (msg, sender);
  sender_unref (sender);
}

/* --- headers --- */

/* Digits at *@text as a number, G_MAXINT64 when it is larger; moves *@text.
 * -1: there is none. */
static goffset
parse_digits (const gchar **text)
{
  goffset value = 0;

  if (!g_ascii_isdigit (**text))
    return -1;
  for (; g_ascii_isdigit (**text); (*text)++)
    value = value > (G_MAXINT64 - 9) / 10 ? G_MAXINT64
                                          : value * 10 + (**text - '0');
  return value;
}

typedef enum
{
  RANGE_NONE, /* all of the file */
  RANGE_PART,
  RANGE_OUTSIDE
} RangeResult;

/* RFC 9110 section 14.1.2; one range. Several are answered with all, as a
 * server may. */
static RangeResult
parse_range (const gchar *header, goffset size, goffset *start, goffset *length)
{
  goffset first, last;

  if (!header || !g_str_has_prefix (header, "bytes="))
    return RANGE_NONE;
  header += strlen ("bytes=");
  first = parse_digits (&header);
  if (*header++ != '-')
    return RANGE_NONE;
  last = parse_digits (&header);
  if (*header != '\0' || (first < 0 && last < 0) ||
      (first >= 0 && last >= 0 && last < first))
    return RANGE_NONE;
  if (first < 0) {
    if (last == 0)
      return RANGE_OUTSIDE;
    first = size - MIN (last, size);
    last = size - 1;
  }
  if (first >= size)
    return RANGE_OUTSIDE;
  *start = first;
  *length = (last < 0 || last >= size ? size - 1 : last) - first + 1;
  return RANGE_PART;
}

/* A name of this content. Caller frees. */
static gchar *
make_etag (const struct stat *st)
{
  return g_strdup_printf ("\"%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER
                          "x-%lx\"",
      (guint64)st->st_ino, (guint64)st->st_size,
      (gulong)(st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000));
}

/* Sets Cache-Control, and what names the content when it is settled. Whether
 * the client has it already. */
static gboolean
set_validators (RecServerRequest *request, const struct stat *st)
{
  gboolean settled =
      g_get_real_time () / G_USEC_PER_SEC - st->st_mtim.tv_sec > SETTLED;
  const gchar *have = rec_server_request_get_header (request, "If-None-Match");
  gboolean same;
  gchar *etag;

  rec_server_request_set_header (
      request, "Cache-Control", settled ? "no-cache" : "no-store");
  if (!settled)
    return FALSE;
  etag = make_etag (st);
  rec_server_request_set_header (request, "ETag", etag);
  same = have && (g_str_equal (have, "*") || strstr (have, etag) != NULL);
  g_free (etag);
  return same;
}

/* A Range with an If-Range that names other content is for all of it. */
static const gchar *
get_range (RecServerRequest *request, const struct stat *st)
{
  const gchar *condition = rec_server_request_get_header (request, "If-Range");
  gchar *etag = make_etag (st);
  gboolean same = !condition || g_str_equal (condition, etag);

  g_free (etag);
  return same ? rec_server_request_get_header (request, "Range") : NULL;
}

static void
refuse_range (RecServerRequest *request, goffset size)
{
  gchar *range = g_strdup_printf ("bytes */%" G_GOFFSET_FORMAT, size);
  GError *error = NULL;

  rec_server_request_set_header (request, "Content-Range", range);
  rec_server_error_set (&error, 416, "range not satisfiable",
      "The file has %" G_GOFFSET_FORMAT " bytes; the range starts after that.",
      size);
  rec_server_request_reply_error (request, error);
  g_free (range);
}

static void
start_sending (RecServerRequest *request, int fd, goffset start, goffset length)
{
  SoupServerMessage *msg = rec_server_request_get_message (request);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (msg);
  Sender *sender = g_new0 (Sender, 1);

  g_atomic_ref_count_init (&sender->refcount);
  sender->msg = g_object_ref (msg);
  sender->fd = fd;
  sender->position = start;
  sender->left = length;
  soup_message_headers_set_content_length (headers, length);
  soup_message_body_set_accumulate (
      soup_server_message_get_response_body (msg), FALSE);
  g_signal_connect (msg, "finished", G_CALLBACK (on_finished), sender);
  if (g_str_equal (soup_server_message_get_method (msg), "HEAD") || length == 0)
    return;
  g_signal_connect (msg, "wrote-chunk", G_CALLBACK (on_wrote_chunk), sender);
  soup_server_message_pause (msg);
  read_more (sender);
}

void
rec_server_file_sender_send (
    RecServerRequest *request, int fd, const struct stat *st, const gchar *type)
{
  SoupServerMessage *msg = rec_server_request_get_message (request);
  goffset start = 0, length = st->st_size;
  RangeResult range;

  rec_server_request_set_header (request, "Accept-Ranges", "bytes");
  if (set_validators (request, st)) {
    close (fd);
    rec_server_request_reply_text (request, 304, NULL, NULL);
    return;
  }
  range = parse_range (get_range (request, st), st->st_size, &start, &length);
  if (range == RANGE_OUTSIDE) {
    close (fd);
    refuse_range (request, st->st_size);
    return;
  }
  if (range == RANGE_PART) {
    gchar *text = g_strdup_printf ("bytes %" G_GOFFSET_FORMAT
                                   "-%" G_GOFFSET_FORMAT "/%" G_GOFFSET_FORMAT,
        start, start + length - 1, (goffset)st->st_size);

    rec_server_request_set_header (request, "Content-Range", text);
    g_free (text);
  }
  rec_server_request_set_header (request, "Content-Type", type);
  soup_server_message_set_status (msg, range == RANGE_PART ? 206 : 200, NULL);
  start_sending (request, fd, start, length);
}

void
rec_server_file_sender_send_part (RecServerRequest *request, int fd,
    goffset offset, goffset length, const gchar *type)
{
  rec_server_request_set_header (request, "Cache-Control", "no-store");
  rec_server_request_set_header (request, "Content-Type", type);
  soup_server_message_set_status (
      rec_server_request_get_message (request), 200, NULL);
  start_sending (request, fd, offset, length);
}
