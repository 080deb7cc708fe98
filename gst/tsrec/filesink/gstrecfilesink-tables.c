/* gst-tsrec: recfilesink names tracks that come later in the first tables
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The only place where bytes that were written are written anew; tspmtpatch.h
 * says why.
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* Tracks that come within this time are named from the start of the file on. */
#define START_TIME (5 * GST_SECOND)

static gboolean
is_start (GstRecFileSink *self, GstClockTime time)
{
  RecFragment *fragment = self->fragment;

  return self->packet_size == 188 && fragment->file.regular &&
      GST_CLOCK_TIME_IS_VALID (time) &&
      (!GST_CLOCK_TIME_IS_VALID (fragment->opened_time) ||
          time < fragment->opened_time + START_TIME);
}

guint
gst_rec_file_sink_find_incomplete_tables (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime time)
{
  GstMapInfo map;
  guint n;

  if (!self->first_pmt.watching)
    return 0;
  if (!is_start (self, time) || !gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    self->first_pmt.watching = FALSE;
    return 0;
  }
  n = ts_pmt_patch_scan (
      &self->first_pmt, map.data, map.size, self->fragment->file.size);
  gst_buffer_unmap (buffer, &map);
  return n;
}

static gint
rewrite_table (GstRecFileSink *self, guint i, gboolean old)
{
  guint8 packet[TS_PMT_PATCH_PACKET];
  guint64 offset = ts_pmt_patch_get (&self->first_pmt, i, old, packet);

  return rec_file_rewrite (
      &self->fragment->file, offset, packet, sizeof (packet));
}

void
gst_rec_file_sink_complete_tables (GstRecFileSink *self, guint n)
{
  guint i;

  for (i = n; i > 0; i--) {
    gint err = rewrite_table (self, i - 1, FALSE);

    if (err) {
      GST_WARNING_OBJECT (self,
          "the tables at the start of \"%s\" are not complete: %s",
          self->fragment->path, g_strerror (err));
      rewrite_table (self, i - 1, TRUE); /* of which a part may be there */
      self->first_pmt.watching = FALSE;
      return;
    }
  }
  if (n > 0)
    GST_INFO_OBJECT (self, "completed %u tables at the start of \"%s\"", n,
        self->fragment->path);
}
