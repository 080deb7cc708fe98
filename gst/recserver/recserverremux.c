/* gst-tsrec: sends part of an MPEG-TS recording as MP4
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ffmpeg writes the MP4, as in pipelines/ts-to-mp4: its muxer keeps every
 * timestamp to the tick, and writes edit lists for negative DTS and late tracks
 * in fragmented files, too.
 */

#include "config.h"

#include "recserverremux.h"
#include "recservererror.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CHUNK (64 * 1024)
/* Bytes after the first packet of the last track that ffmpeg may probe. */
#define PROBE (4 * 1024 * 1024)
/* Bytes of memory of the process. */
#define MAX_MEMORY (1024 * 1024 * 1024)

/* Codecs that MP4 can store, and the option of ffmpeg for such a track. */
static const struct
{
  const gchar *codec;
  const gchar *option;
  const gchar *value;
} codecs[] = {
  { "H.264", NULL, NULL },
  { "H.265", "-tag:v", "hvc1" },
  { "MPEG-1", NULL, NULL },
  { "MPEG-2", NULL, NULL },
  { "MPEG audio", NULL, NULL },
  { "AAC", "-bsf:a", "aac_adtstoasc" },
  { "AC-3", NULL, NULL },
  { "E-AC-3", NULL, NULL },
  { "Opus", NULL, NULL },
};

typedef struct
{
  grefcount refcount;
  RecServerRequest *request;
  SoupServerMessage *msg;
  GSubprocess *process;
  gboolean reading;
  gboolean started;
  gboolean finished; /* the answer was sent, or its connection is closed */
} Remux;

static guint running;

static void
remux_unref (Remux *remux)
{
  if (!g_ref_count_dec (&remux->refcount))
    return;
  running--;
  g_object_unref (remux->process);
  g_object_unref (remux->msg);
  rec_server_request_unref (remux->request);
  g_free (remux);
}

static Remux *
remux_ref (Remux *remux)
{
  g_ref_count_inc (&remux->refcount);
  return remux;
}

/* --- the answer --- */

static void read_more (Remux *remux);

static void
fail (Remux *remux, const gchar *text)
{
  GError *error = NULL;

  rec_server_error_set (&error, 422, "not remuxed",
      "ffmpeg could not make an MP4 of this recording: %s",
      *text ? text : "it was ended");
  rec_server_request_reply_error (remux->request, error);
}

/* Runs when the process has exited. */
static void
on_complaint (GObject *object, GAsyncResult *result, gpointer data)
{
  Remux *remux = data;
  GBytes *bytes =
      g_input_stream_read_bytes_finish (G_INPUT_STREAM (object), result, NULL);
  gsize size = 0;
  const gchar *text = bytes ? g_bytes_get_data (bytes, &size) : NULL;
  gchar *valid = g_utf8_make_valid (text ? text : "", (gssize)size);

  if (!remux->finished)
    fail (remux, g_strstrip (valid));
  g_free (valid);
  g_clear_pointer (&bytes, g_bytes_unref);
  remux_unref (remux);
}

static void
on_exited (GObject *object, GAsyncResult *result, gpointer data)
{
  Remux *remux = data;
  gboolean ok =
      g_subprocess_wait_check_finish (G_SUBPROCESS (object), result, NULL);

  if (!remux->finished && !remux->started)
    g_input_stream_read_bytes_async (
        g_subprocess_get_stderr_pipe (remux->process), 4096, G_PRIORITY_DEFAULT,
        NULL, on_complaint, remux_ref (remux));
  else if (!remux->finished && ok) {
    soup_message_body_complete (
        soup_server_message_get_response_body (remux->msg));
    soup_server_message_unpause (remux->msg);
  } else if (!remux->finished)
    rec_server_listener_cut_off (remux->msg);
  remux_unref (remux);
}

static void
on_wrote_chunk (SoupServerMessage *msg, gpointer data)
{
  read_more (data);
}

static void
start_answer (Remux *remux)
{
  remux->started = TRUE;
  rec_server_request_set_header (remux->request, "Cache-Control", "no-store");
  rec_server_request_set_header (remux->request, "Content-Type", "video/mp4");
  soup_server_message_set_status (remux->msg, 200, NULL);
  soup_message_headers_set_encoding (
      soup_server_message_get_response_headers (remux->msg),
      SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (
      soup_server_message_get_response_body (remux->msg), FALSE);
  g_signal_connect (
      remux->msg, "wrote-chunk", G_CALLBACK (on_wrote_chunk), remux);
}

static void
append (Remux *remux, GBytes *bytes)
{
  gboolean first = !remux->started;

  if (first)
    start_answer (remux);
  soup_message_body_append_bytes (
      soup_server_message_get_response_body (remux->msg), bytes);
  if (first)
    rec_server_request_resume (remux->request);
  else
    soup_server_message_unpause (remux->msg);
}

static void
on_read (GObject *object, GAsyncResult *result, gpointer data)
{
  Remux *remux = data;
  GBytes *bytes =
      g_input_stream_read_bytes_finish (G_INPUT_STREAM (object), result, NULL);

  remux->reading = FALSE;
  if (!remux->finished && bytes && g_bytes_get_size (bytes) > 0)
    append (remux, bytes);
  else
    g_subprocess_wait_check_async (
        remux->process, NULL, on_exited, remux_ref (remux));
  g_clear_pointer (&bytes, g_bytes_unref);
  remux_unref (remux);
}

static void
read_more (Remux *remux)
{
  if (remux->reading || remux->finished)
    return;
  remux->reading = TRUE;
  g_input_stream_read_bytes_async (
      g_subprocess_get_stdout_pipe (remux->process), CHUNK, G_PRIORITY_DEFAULT,
      NULL, on_read, remux_ref (remux));
}

static void
on_finished (SoupServerMessage *msg, gpointer data)
{
  Remux *remux = data;

  remux->finished = TRUE;
  g_signal_handlers_disconnect_by_data (msg, remux);
  g_subprocess_force_exit (remux->process);
  remux_unref (remux);
}

/* --- the process --- */

/* Between fork and exec: async-signal-safe calls only. It ends with the service.
 */
static void
limit_process (gpointer data)
{
  struct rlimit limit = { MAX_MEMORY, MAX_MEMORY };

  setpriority (PRIO_PROCESS, 0, 10);
  setrlimit (RLIMIT_DATA, &limit);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* Returns the row of @codec in codecs, or -1. */
static gint
find_codec (const gchar *codec)
{
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (g_str_equal (codecs[i].codec, codec))
      return (gint)i;
  return -1;
}

static void G_GNUC_PRINTF (2, 3) add (GPtrArray *line, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (line, g_strdup_vprintf (format, args));
  va_end (args);
}

static void
add_track (GPtrArray *line, const RecServerLibraryTrack *track, guint kinds[2])
{
  gint i = find_codec (track->codec);
  guint number = kinds[track->video]++;

  add (line, "-map");
  add (line, "0:i:%u", track->pid);
  /* AAC in LATM has no ADTS header to convert. */
  if (!codecs[i].option || (g_str_equal (track->codec, "AAC") && !track->adts))
    return;
  add (line, "%s:%u", codecs[i].option, number);
  add (line, "%s", codecs[i].value);
}

/* Returns the command that reads @clip from its standard input. */
static GPtrArray *
make_command (const RecServerLibraryClip *clip, const gchar *program)
{
  static const gchar *const input[] = { "-hide_banner", "-nostdin", "-v",
    "fatal", "-fflags", "+discardcorrupt", "-f", "mpegts", "-analyzeduration",
    "2147483647",
    /* Keep gaps. */
    "-dts_delta_threshold", "1000000000", "-probesize" };
  static const gchar *const output[] = { "-c", "copy", "-strict", "-2",
    /* The index of all tracks is written with the first fragment, when their
     * formats and their first timestamps are known. */
    "-movflags", "+frag_keyframe+delay_moov+default_base_moof",
    "-frag_duration", "10000000", "-frag_size", "33554432", "-f", "mp4",
    "pipe:1" };
  GPtrArray *line = g_ptr_array_new_with_free_func (g_free);
  guint kinds[2] = { 0 };

  add (line, "%s", program);
  for (guint i = 0; i < G_N_ELEMENTS (input); i++)
    add (line, "%s", input[i]);
  add (line, "%" G_GOFFSET_FORMAT, clip->head + PROBE);
  add (line, "-i");
  add (line,
      "subfile,,start,%" G_GOFFSET_FORMAT ",end,%" G_GOFFSET_FORMAT
      ",,:/proc/self/fd/0",
      clip->offset, clip->offset + clip->length);
  for (guint video = 2; video-- > 0;)
    for (guint i = 0; i < clip->n_tracks; i++)
      if (!!clip->tracks[i].video == (gboolean)video)
        add_track (line, &clip->tracks[i], kinds);
  for (guint i = 0; i < G_N_ELEMENTS (output); i++)
    add (line, "%s", output[i]);
  g_ptr_array_add (line, NULL);
  return line;
}

/* Takes @clip->fd. */
static GSubprocess *
spawn (const RecServerLibraryClip *clip, const gchar *program, GError **error)
{
  GSubprocessLauncher *launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  GPtrArray *line = make_command (clip, program);
  GSubprocess *process;

  g_subprocess_launcher_take_stdin_fd (launcher, clip->fd);
  g_subprocess_launcher_set_child_setup (launcher, limit_process, NULL, NULL);
  process = g_subprocess_launcher_spawnv (
      launcher, (const gchar *const *)line->pdata, error);
  g_ptr_array_unref (line);
  g_object_unref (launcher);
  return process;
}

static gboolean
check (const RecServerLibraryClip *clip, const gchar *program, GError **error)
{
  for (guint i = 0; i < clip->n_tracks; i++)
    if (find_codec (clip->tracks[i].codec) < 0) {
      rec_server_error_set (error, 422, "codec not supported",
          "%s cannot be stored in MP4. Download the recording as MPEG-TS.",
          clip->tracks[i].codec);
      return FALSE;
    }
  if (clip->n_tracks == 0)
    rec_server_error_set (error, 422, "codec not supported",
        "The clip has no track that MP4 can store.");
  else if (!program)
    rec_server_error_set (error, 422, "not installed",
        "ffmpeg is missing. Install it: apt-get install ffmpeg");
  else if (running >= REC_SERVER_REMUX_MAX)
    rec_server_error_set (error, 503, "too many conversions",
        "%u MP4 downloads are being made. Try again later.", running);
  else
    return TRUE;
  return FALSE;
}

gboolean
rec_server_remux (
    RecServerRequest *request, const RecServerLibraryClip *clip, GError **error)
{
  gchar *program = g_find_program_in_path ("ffmpeg");
  GSubprocess *process = NULL;
  Remux *remux;

  if (check (clip, program, error))
    process = spawn (clip, program, error);
  else
    close (clip->fd);
  g_free (program);
  if (!process)
    return FALSE;
  running++;
  remux = g_new0 (Remux, 1);
  g_ref_count_init (&remux->refcount);
  remux->request = rec_server_request_ref (request);
  remux->msg = g_object_ref (rec_server_request_get_message (request));
  remux->process = process;
  g_signal_connect (remux->msg, "finished", G_CALLBACK (on_finished), remux);
  read_more (remux);
  return TRUE;
}
