/* gst-tsrec: fixtures of the tests of recfilesink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recsinktest.h"

gchar *dir, *path;

gchar *
in_dir (const gchar *name)
{
  return g_build_filename (dir, name, NULL);
}

void
setup (void)
{
  rec_test_assert_built_here ("recfilesink");
  dir = g_dir_make_tmp ("recfilesink-XXXXXX", NULL);
  path = in_dir ("rec.ts");
}

void
teardown (void)
{
  GDir *d = g_dir_open (dir, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (d))) {
    gchar *file = in_dir (name);

    g_unlink (file);
    g_free (file);
  }
  g_dir_close (d);
  fail_unless_equals_int (g_rmdir (dir), 0);
  g_free (path);
  g_free (dir);
}

/* Packet @i of access unit @n: sync_byte, then the number, on PID 0x100. A PES
 * packet starts in the first. */
static void
fill_packet (guint8 *packet, guint n, guint i)
{
  memset (packet, (gint)n, PACKET);
  packet[0] = 0x47;
  packet[1] = i == 0 ? 0x41 : 0x01;
  packet[2] = 0x00;
  packet[3] = 0x10 | ((n * AU_PACKETS + i) & 0x0f);
  if (i == 0)
    memcpy (packet + 4, "\0\0\1\xe0\0\0\x80\0\0", 9);
  packet[20] = n >> 8;
  packet[21] = n & 0xff;
}

GstBuffer *
make_au (guint n, gboolean random_access)
{
  guint8 *data = g_malloc (AU);
  GstBuffer *buffer;
  guint i;

  for (i = 0; i < AU_PACKETS; i++)
    fill_packet (data + i * PACKET, n, i);
  buffer = gst_buffer_new_wrapped (data, AU);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = n * FRAME;
  if (!random_access)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return buffer;
}

GArray *
read_aus (const gchar *name)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  guint8 expected[PACKET];
  gchar *contents;
  gsize size, pos;

  fail_unless (g_file_get_contents (name, &contents, &size, NULL),
      "there is no %s", name);
  fail_unless_equals_uint64 (size % AU, 0);
  for (pos = 0; pos < size; pos += AU) {
    guint n = (guint8)contents[pos + 20] << 8 | (guint8)contents[pos + 21];
    guint i;

    for (i = 0; i < AU_PACKETS; i++) {
      fill_packet (expected, n, i);
      fail_unless (memcmp (contents + pos + i * PACKET, expected, PACKET) == 0,
          "access unit %u in %s is torn", n, name);
    }
    g_array_append_val (numbers, n);
  }
  g_free (contents);
  return numbers;
}

guint64
size_on_disk (const gchar *name)
{
  struct stat st;

  return stat (name, &st) == 0 ? (guint64)st.st_size : 0;
}

guint64
get_stat (GstElement *element, const gchar *field)
{
  GstStructure *stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  fail_unless (
      gst_structure_has_name (stats, "application/x-recfilesink-stats"));
  fail_unless (gst_structure_get_uint64 (stats, field, &value), "no %s", field);
  gst_structure_free (stats);
  return value;
}

GstElement *
make_sink (const gchar *location)
{
  GstElement *element = gst_element_factory_make ("recfilesink", NULL);

  g_object_set (element, "location", location, NULL);
  return element;
}

GstHarness *
start_sink (GstElement *element, GstBus **bus)
{
  GstHarness *h;

  if (bus) {
    *bus = gst_bus_new ();
    gst_element_set_bus (element, *bus);
  }
  h = gst_harness_new_with_element (element, "sink", NULL);
  gst_object_unref (element);
  gst_harness_set_src_caps_str (
      h, "video/mpegts, systemstream=(boolean)true, packetsize=(int)188");
  gst_harness_play (h);
  return h;
}

void
stop_sink (GstHarness *h, GstBus *bus)
{
  gst_element_set_state (h->element, GST_STATE_NULL);
  if (bus) {
    gst_element_set_bus (h->element, NULL);
    gst_object_unref (bus);
  }
  gst_harness_teardown (h);
}

guint
soak_rounds (guint n)
{
  return g_getenv ("REC_SLOW_MACHINE") ? n / 50 : n;
}

guint
count_entries (const gchar *directory)
{
  GDir *d = g_dir_open (directory, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (d))
    n++;
  g_dir_close (d);
  return n;
}

guint64
resident (void)
{
  gchar *contents;
  guint64 pages;

  fail_unless (g_file_get_contents ("/proc/self/statm", &contents, NULL, NULL));
  pages = g_ascii_strtoull (strchr (contents, ' '), NULL, 10);
  g_free (contents);
  return pages * (guint64)sysconf (_SC_PAGESIZE);
}

guint
count_messages (GstBus *bus, const gchar *name)
{
  GstMessage *msg;
  guint n = 0;

  while ((msg = gst_bus_pop (bus))) {
    if (gst_message_has_name (msg, name))
      n++;
    gst_message_unref (msg);
  }
  return n;
}

GstMessage *
wait_message (GstBus *bus, const gchar *name)
{
  GstMessage *msg;

  while ((msg = gst_bus_timed_pop_filtered (
              bus, 20 * GST_SECOND, GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (msg, name))
      return msg;
    gst_message_unref (msg);
  }
  fail ("no message %s", name);
  return NULL;
}

gchar *
pop_text (GstBus *bus, GstMessageType type)
{
  GstMessage *msg = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, type);
  GError *err = NULL;
  gchar *text;

  fail_unless (msg != NULL);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (msg, &err, NULL);
  else
    gst_message_parse_warning (msg, &err, NULL);
  text = g_strdup (err->message);
  g_error_free (err);
  gst_message_unref (msg);
  return text;
}

void
assert_text_has (const gchar *text, const gchar *part)
{
  fail_unless (strstr (text, part) != NULL, "\"%s\" lacks \"%s\"", text, part);
}

void
assert_refused (GstElement *element, GstState state, const gchar *part)
{
  GstBus *bus = gst_bus_new ();
  gchar *text;

  gst_element_set_bus (element, bus);
  fail_unless_equals_int (
      gst_element_set_state (element, state), GST_STATE_CHANGE_FAILURE);
  text = pop_text (bus, GST_MESSAGE_ERROR);
  assert_text_has (text, part);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  g_free (text);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
