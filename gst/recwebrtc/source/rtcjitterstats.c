/* gst-tsrec: statistics of jitter buffers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcjitterstats.h"

#include <string.h>

void
rtc_jitter_stats_init (RtcJitterStats *self)
{
  memset (self, 0, sizeof (*self));
  self->round_trip = GST_CLOCK_TIME_NONE;
}

void
rtc_jitter_stats_add (RtcJitterStats *self, GstElement *jitterbuffer)
{
  GstStructure *stats = NULL;
  guint64 value;

  g_object_get (jitterbuffer, "stats", &stats, NULL);
  if (!stats)
    return;
  if (gst_structure_get_uint64 (stats, "num-pushed", &value))
    self->received += value;
  if (gst_structure_get_uint64 (stats, "num-lost", &value))
    self->lost += value;
  if (gst_structure_get_uint64 (stats, "num-late", &value))
    self->late += value;
  if (gst_structure_get_uint64 (stats, "rtx-count", &value))
    self->requested += value;
  if (gst_structure_get_uint64 (stats, "rtx-success-count", &value))
    self->retransmitted += value;
  if (gst_structure_get_uint64 (stats, "avg-jitter", &value))
    self->jitter = value;
  if (gst_structure_get_uint64 (stats, "rtx-rtt", &value) && value > 0)
    self->round_trip = value;
  gst_structure_free (stats);
}

void
rtc_jitter_stats_fill (
    const RtcJitterStats *self, const gchar *kind, GstStructure *structure)
{
  const struct
  {
    const gchar *name;
    guint64 value;
  } fields[] = {
    { "rtp-received", self->received },
    { "rtp-lost", self->lost },
    { "rtp-late", self->late },
    { "rtp-requested", self->requested },
    { "rtp-retransmitted", self->retransmitted },
    { "jitter", self->jitter },
    { "round-trip", self->round_trip },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    gchar *name = g_strdup_printf ("%s-%s", kind, fields[i].name);

    gst_structure_set (structure, name, G_TYPE_UINT64, fields[i].value, NULL);
    g_free (name);
  }
}
