/* gst-tsrec: KLV and ID3 beside a picture come out of other people's demuxers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Units of both kinds, of many sizes, through tsrecmux into a file. The
 * checker, tsdemux (KLV; 1.22 does not know ID3) and ffprobe have to find the
 * same bytes at the same times, to one tick of the 90 kHz clock, and name the
 * codec. ffmpeg 5.1 takes the first five bytes of an ID3 tag for the header of
 * a metadata access unit (ISO/IEC 13818-1 2.12.4), which Apple's "Timed
 * Metadata for HTTP Live Streaming" does not have.
 */

#include "rectest.h"
#include "tscheck.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/app/app.h>
#include <string.h>

#define N_UNITS 40
#define STEP (50 * GST_MSECOND)
#define TICK (GST_SECOND / 90000 + 2)
#define METADATA_AU_HEADER 5

typedef struct
{
  const gchar *name; /* of the appsrc, and of the codec in ffprobe */
  guint16 pid;
  GPtrArray *units; /* GBytes, that went in */
  GPtrArray *found; /* Found, by the reader whose turn it is */
} Track;

typedef struct
{
  GBytes *bytes; /* NULL: only their MD5 is known */
  gchar *md5;
  gint64 pts; /* ns, from some origin */
} Found;

static Track klv = { "klv", 0x0300, NULL, NULL };
static Track id3 = { "timed_id3", 0x0301, NULL, NULL };
static gchar *path;

static void
found_free (gpointer data)
{
  Found *found = data;

  g_clear_pointer (&found->bytes, g_bytes_unref);
  g_free (found->md5);
  g_free (found);
}

static void
add_found (Track *track, GBytes *bytes, const gchar *md5, gint64 pts)
{
  Found *found = g_new0 (Found, 1);

  found->bytes = bytes;
  found->md5 = g_strdup (md5);
  found->pts = pts;
  g_ptr_array_add (track->found, found);
}

/* SMPTE 336: a universal key, a BER length of the long form, a value. */
static GBytes *
make_klv (guint n)
{
  static const guint8 key[16] = { 0x06, 0x0e, 0x2b, 0x34, 0x02, 0x0b, 0x01,
    0x01, 0x0e, 0x01, 0x03, 0x01, 0x01 };
  guint size = 1 + n * 97;
  GByteArray *unit = g_byte_array_new ();
  guint8 length[] = { 0x82, (guint8)(size >> 8), (guint8)size };

  g_byte_array_append (unit, key, sizeof (key));
  g_byte_array_append (unit, length, sizeof (length));
  for (guint i = 0; i < size; i++) {
    guint8 byte = (guint8)(i * 7 + n);

    g_byte_array_append (unit, &byte, 1);
  }
  return g_byte_array_free_to_bytes (unit);
}

/* ID3v2.4 with one TXXX frame; sizes are synchsafe. */
static GBytes *
make_id3 (guint n)
{
  gchar *text = g_strdup_printf ("%cscene%c%u %*s", 3, 0, n, (int)n * 11, "");
  guint size = 1 + 6 + (guint)strlen (text + 7);
  guint8 header[20] = { 'I', 'D', '3', 4, 0, 0, 0, 0,
    (guint8)((size + 10) >> 7), (guint8)((size + 10) & 0x7f), 'T', 'X', 'X',
    'X', 0, 0, (guint8)(size >> 7), (guint8)(size & 0x7f), 0, 0 };
  GByteArray *unit = g_byte_array_new ();

  g_byte_array_append (unit, header, sizeof (header));
  g_byte_array_append (unit, (guint8 *)text, size);
  g_free (text);
  return g_byte_array_free_to_bytes (unit);
}

static void
push_units (GstElement *pipeline, const Track *track)
{
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), track->name);

  for (guint i = 0; i < track->units->len; i++) {
    GstBuffer *buffer =
        gst_buffer_new_wrapped_bytes (g_ptr_array_index (track->units, i));

    GST_BUFFER_PTS (buffer) = i * STEP;
    fail_unless_equals_int (
        gst_app_src_push_buffer (GST_APP_SRC (source), buffer), GST_FLOW_OK);
  }
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  gst_object_unref (source);
}

static void
wait_for_eos (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  fail_unless (message != NULL, "no end of stream");
  fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS,
      "%" GST_PTR_FORMAT, message);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
}

static void
setup (void)
{
  GstElement *pipeline;
  gchar *launch;

  path = g_strdup_printf (
      "%s/timedmetadata-%d.ts", g_get_tmp_dir (), (int)getpid ());
  klv.units = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  id3.units = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  klv.found = g_ptr_array_new_with_free_func (found_free);
  id3.found = g_ptr_array_new_with_free_func (found_free);
  for (guint i = 0; i < N_UNITS; i++) {
    g_ptr_array_add (klv.units, make_klv (i));
    g_ptr_array_add (id3.units, make_id3 (i));
  }
  rec_test_assert_built_here ("tsrecmux");
  launch = g_strdup_printf ("tsrecmux name=m ! filesink location=%s "
                            "appsrc name=klv caps=meta/x-klv,parsed=true "
                            "format=time ! queue ! m.data_0 "
                            "appsrc name=timed_id3 caps=meta/x-id3 "
                            "format=time ! queue ! m.data_1 "
                            "videotestsrc num-buffers=50 ! video/x-raw,"
                            "width=160,height=120,framerate=25/1 ! x264enc "
                            "tune=zerolatency ! h264parse ! queue ! m.video_0",
      path);
  pipeline = gst_parse_launch (launch, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  push_units (pipeline, &klv);
  push_units (pipeline, &id3);
  wait_for_eos (pipeline);
  gst_object_unref (pipeline);
  g_free (launch);
}

static void
teardown (void)
{
  g_unlink (path);
  g_free (path);
  g_ptr_array_unref (klv.units);
  g_ptr_array_unref (id3.units);
  g_ptr_array_unref (klv.found);
  g_ptr_array_unref (id3.found);
}

static gboolean
is_same (const Found *found, GBytes *unit)
{
  gchar *md5 = g_compute_checksum_for_bytes (G_CHECKSUM_MD5, unit);
  gboolean same = found->bytes ? g_bytes_equal (unit, found->bytes)
                               : g_str_equal (md5, found->md5);

  g_free (md5);
  return same;
}

/* All of @track was found, but for the first @skip bytes of each unit, at a
 * constant distance in time. */
static void
assert_found (const Track *track, gsize skip)
{
  gint64 origin;

  fail_unless_equals_int (track->found->len, N_UNITS);
  origin = ((Found *)g_ptr_array_index (track->found, 0))->pts;
  for (guint i = 0; i < N_UNITS; i++) {
    GBytes *whole = g_ptr_array_index (track->units, i);
    GBytes *unit =
        g_bytes_new_from_bytes (whole, skip, g_bytes_get_size (whole) - skip);
    const Found *found = g_ptr_array_index (track->found, i);

    fail_unless (
        is_same (found, unit), "%s %u: the bytes differ", track->name, i);
    fail_unless (ABS (found->pts - origin - (gint64)(i * STEP)) <= (gint64)TICK,
        "%s %u: PTS is off", track->name, i);
    g_bytes_unref (unit);
  }
}

static void
on_pes (void *user_data, const TsCheckPes *pes)
{
  Track *tracks[] = { &klv, &id3 };

  for (guint i = 0; i < G_N_ELEMENTS (tracks); i++)
    if (pes->pid == tracks[i]->pid)
      add_found (tracks[i], g_bytes_new (pes->data, pes->size), NULL,
          pes->pts * 100000 / 9);
}

GST_START_TEST (test_the_checker_finds_what_went_in)
{
  TsCheck *check = ts_check_new (NULL, on_pes, NULL, NULL);
  gchar *contents;
  gsize size;

  fail_unless (g_file_get_contents (path, &contents, &size, NULL));
  ts_check_push (check, (guint8 *)contents, size);
  fail_unless (ts_check_finish (check) == 0, "%s", ts_check_get_report (check));
  fail_unless (ts_check_get_stats (check)->warnings == 0, "%s",
      ts_check_get_report (check));
  ts_check_free (check);
  g_free (contents);
  assert_found (&klv, 0);
  assert_found (&id3, 0);
}

GST_END_TEST;

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  add_found (&klv, g_bytes_new (map.data, map.size), NULL,
      (gint64)GST_BUFFER_PTS (buffer));
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

static void
on_pad (GstElement *demux, GstPad *pad, gpointer user_data)
{
  GstObject *bin = gst_object_get_parent (GST_OBJECT (demux));
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstPad *sink_pad = gst_element_get_static_pad (sink, "sink");
  GstCaps *caps = gst_pad_query_caps (pad, NULL);

  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  gst_bin_add (GST_BIN (bin), sink);
  if (gst_structure_has_name (gst_caps_get_structure (caps, 0), "meta/x-klv"))
    gst_pad_add_probe (
        sink_pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, NULL, NULL);
  fail_unless_equals_int (gst_pad_link (pad, sink_pad), GST_PAD_LINK_OK);
  gst_element_sync_state_with_parent (sink);
  gst_caps_unref (caps);
  gst_object_unref (sink_pad);
  gst_object_unref (bin);
}

GST_START_TEST (test_tsdemux_finds_klv)
{
  gchar *launch =
      g_strdup_printf ("filesrc location=%s ! tsdemux name=d", path);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *demux = gst_bin_get_by_name (GST_BIN (pipeline), "d");

  g_signal_connect (demux, "pad-added", G_CALLBACK (on_pad), NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for_eos (pipeline);
  assert_found (&klv, 0);
  gst_object_unref (demux);
  gst_object_unref (pipeline);
  g_free (launch);
}

GST_END_TEST;

/* The packets of @track by ffprobe, which has to know its codec. */
static void
probe (Track *track)
{
  gchar *pid = g_strdup_printf ("i:%u", track->pid), *out = NULL;
  gchar *complaint = NULL, **lines;
  GSubprocess *process = g_subprocess_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, NULL,
      "ffprobe", "-v", "error", "-select_streams", pid, "-show_streams",
      "-show_packets", "-show_data_hash", "md5", "-show_entries",
      "stream=codec_name:packet=pts,data_hash", "-of", "default=nw=1", path,
      NULL);
  gboolean named = FALSE;
  gint64 pts = 0;

  fail_unless (process != NULL);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &out, &complaint, NULL);
  fail_unless (complaint[0] == '\0', "ffprobe: %s", complaint);
  lines = g_strsplit (out, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    if (g_str_has_prefix (lines[i], "pts="))
      pts = g_ascii_strtoll (lines[i] + 4, NULL, 10) * 100000 / 9;
    else if (g_str_has_prefix (lines[i], "data_hash=MD5:"))
      add_found (track, NULL, lines[i] + 14, pts);
    else if (g_str_has_prefix (lines[i], "codec_name="))
      named = g_str_equal (lines[i] + 11, track->name);
  }
  fail_unless (named, "ffprobe knows no %s here: %s", track->name, out);
  g_strfreev (lines);
  g_free (complaint);
  g_free (out);
  g_free (pid);
  g_object_unref (process);
}

GST_START_TEST (test_ffprobe_finds_what_went_in)
{
  gboolean whole;

  probe (&klv);
  assert_found (&klv, 0);
  probe (&id3);
  fail_unless (id3.found->len > 0);
  whole = is_same (
      g_ptr_array_index (id3.found, 0), g_ptr_array_index (id3.units, 0));
  assert_found (&id3, whole ? 0 : METADATA_AU_HEADER);
}

GST_END_TEST;

static Suite *
timedmetadata_suite (void)
{
  Suite *s = suite_create ("timedmetadata");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  /* Where the encoder takes longer than tsrecmux waits for a track, what comes
   * out is no longer in order; and it is the demuxers that are looked at. */
  if (g_getenv ("REC_SLOW_MACHINE"))
    return s;
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_the_checker_finds_what_went_in);
  tcase_add_test (tc, test_tsdemux_finds_klv);
  tcase_add_test (tc, test_ffprobe_finds_what_went_in);
  return s;
}

GST_CHECK_MAIN (timedmetadata);
