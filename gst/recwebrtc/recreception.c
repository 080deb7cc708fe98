/* gst-tsrec: what the RTP session of a webrtcbin knows about reception
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recreception.h"
#include "recclock.h"

typedef enum
{
  KIND_UNKNOWN,
  KIND_VIDEO,
  KIND_AUDIO,
} Kind;

/**
 * Stream:
 * @jitterbuffer: of this SSRC
 * @session: number of the RTP session it belongs to
 */
typedef struct
{
  guint ssrc;
  guint session;
  Kind kind;
  GstElement *jitterbuffer;
} Stream;

/* Totals over the streams of one kind: a sender that starts anew takes a new
 * SSRC. */
typedef struct
{
  guint64 received;
  guint64 lost;
  guint64 late;
  guint64 requested;
  guint64 retransmitted;
  guint64 jitter;
  guint64 round_trip;
} Totals;

struct _RecReception
{
  GstElement *rtpbin;
  gulong handlers[3];

  GMutex lock;
  /* under lock */
  GArray *streams;
  Totals ended[KIND_AUDIO + 1]; /* of streams that have ended */
  RecClock clock;
};

static void
clear_stream (gpointer data)
{
  gst_object_unref (((Stream *)data)->jitterbuffer);
}

static Stream *
find_stream (RecReception *self, guint ssrc)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    Stream *stream = &g_array_index (self->streams, Stream, i);

    if (stream->ssrc == ssrc)
      return stream;
  }
  return NULL;
}

static void
on_new_jitterbuffer (GstElement *rtpbin, GstElement *jitterbuffer,
    guint session, guint ssrc, RecReception *self)
{
  Stream stream = { ssrc, session, KIND_UNKNOWN,
    gst_object_ref (jitterbuffer) };

  g_mutex_lock (&self->lock);
  g_array_append_val (self->streams, stream);
  g_mutex_unlock (&self->lock);
}

void
rec_reception_set_kind (RecReception *self, guint ssrc, gboolean video)
{
  Stream *stream;

  g_mutex_lock (&self->lock);
  stream = find_stream (self, ssrc);
  if (stream)
    stream->kind = video ? KIND_VIDEO : KIND_AUDIO;
  g_mutex_unlock (&self->lock);
}

/* --- the sender's clock --- */

static GstStructure *
source_stats (RecReception *self, guint session, guint ssrc)
{
  GObject *rtp_session = NULL, *source = NULL;
  GstStructure *stats = NULL;

  g_signal_emit_by_name (
      self->rtpbin, "get-internal-session", session, &rtp_session);
  if (rtp_session)
    g_signal_emit_by_name (rtp_session, "get-source-by-ssrc", ssrc, &source);
  if (source)
    g_object_get (source, "stats", &stats, NULL);
  g_clear_object (&source);
  g_clear_object (&rtp_session);
  return stats;
}

/* RTCP of @ssrc has come. */
static void
on_ssrc_active (
    GstElement *rtpbin, guint session, guint ssrc, RecReception *self)
{
  GstStructure *stats = source_stats (self, session, ssrc);
  gint64 now = g_get_monotonic_time ();
  gboolean have_sr = FALSE, internal = TRUE;
  guint64 ntp = 0;
  Stream *first;

  if (!stats)
    return;
  gst_structure_get_boolean (stats, "internal", &internal);
  gst_structure_get_boolean (stats, "have-sr", &have_sr);
  gst_structure_get_uint64 (stats, "sr-ntptime", &ntp);
  gst_structure_free (stats);
  if (internal || !have_sr || ntp == 0)
    return;
  g_mutex_lock (&self->lock);
  /* All streams of a sender share its clock: one is enough. */
  first = self->streams->len ? &g_array_index (self->streams, Stream, 0) : NULL;
  if (first && first->ssrc == ssrc)
    rec_clock_add (&self->clock, ntp, now);
  g_mutex_unlock (&self->lock);
}

gboolean
rec_reception_get_sender_time (RecReception *self, gint64 *utc)
{
  gboolean known;

  g_mutex_lock (&self->lock);
  known = rec_clock_get_wall_clock (&self->clock, g_get_monotonic_time (), utc);
  g_mutex_unlock (&self->lock);
  return known;
}

/* --- statistics --- */

static void
add_jitterbuffer (GstElement *jitterbuffer, Totals *totals)
{
  GstStructure *stats = NULL;
  guint64 value;

  g_object_get (jitterbuffer, "stats", &stats, NULL);
  if (!stats)
    return;
  if (gst_structure_get_uint64 (stats, "num-pushed", &value))
    totals->received += value;
  if (gst_structure_get_uint64 (stats, "num-lost", &value))
    totals->lost += value;
  if (gst_structure_get_uint64 (stats, "num-late", &value))
    totals->late += value;
  if (gst_structure_get_uint64 (stats, "rtx-count", &value))
    totals->requested += value;
  if (gst_structure_get_uint64 (stats, "rtx-success-count", &value))
    totals->retransmitted += value;
  if (gst_structure_get_uint64 (stats, "avg-jitter", &value))
    totals->jitter = value;
  if (gst_structure_get_uint64 (stats, "rtx-rtt", &value) && value > 0)
    totals->round_trip = value;
  gst_structure_free (stats);
}

/* A stream has ended; what it counted stays. */
static void
on_element_removed (GstBin *rtpbin, GstElement *element, RecReception *self)
{
  Stream ended = { 0 };
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len && !ended.jitterbuffer; i++) {
    Stream *stream = &g_array_index (self->streams, Stream, i);

    if (stream->jitterbuffer != element)
      continue;
    ended = *stream;
    gst_object_ref (ended.jitterbuffer);
    add_jitterbuffer (ended.jitterbuffer, &self->ended[ended.kind]);
    g_array_remove_index (self->streams, i);
  }
  g_mutex_unlock (&self->lock);
  gst_clear_object (&ended.jitterbuffer);
}

static void
add_totals (GstStructure *stats, const gchar *kind, const Totals *totals)
{
  const struct
  {
    const gchar *name;
    guint64 value;
  } fields[] = {
    { "rtp-received", totals->received },
    { "rtp-lost", totals->lost },
    { "rtp-late", totals->late },
    { "rtp-requested", totals->requested },
    { "rtp-retransmitted", totals->retransmitted },
    { "jitter", totals->jitter },
    { "round-trip", totals->round_trip },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    gchar *name = g_strdup_printf ("%s-%s", kind, fields[i].name);

    gst_structure_set (stats, name, G_TYPE_UINT64, fields[i].value, NULL);
    g_free (name);
  }
}

void
rec_reception_add_stats (RecReception *self, GstStructure *stats)
{
  Totals totals[KIND_AUDIO + 1];
  GArray *copy;
  gint64 utc = 0;
  gdouble drift = 0;
  guint i;

  g_mutex_lock (&self->lock);
  memcpy (totals, self->ended, sizeof (totals));
  copy = g_array_copy (self->streams);
  g_array_set_clear_func (copy, clear_stream);
  for (i = 0; i < copy->len; i++)
    gst_object_ref (g_array_index (copy, Stream, i).jitterbuffer);
  rec_clock_get_wall_clock (&self->clock, g_get_monotonic_time (), &utc);
  rec_clock_get_drift (&self->clock, &drift);
  g_mutex_unlock (&self->lock);
  for (i = 0; i < copy->len; i++) {
    Stream *stream = &g_array_index (copy, Stream, i);

    add_jitterbuffer (stream->jitterbuffer, &totals[stream->kind]);
  }
  g_array_unref (copy);
  add_totals (stats, "video", &totals[KIND_VIDEO]);
  add_totals (stats, "audio", &totals[KIND_AUDIO]);
  gst_structure_set (stats, "sender-utc-time", G_TYPE_INT64, utc,
      "sender-clock-drift", G_TYPE_DOUBLE, drift, NULL);
}

/* --- life --- */

RecReception *
rec_reception_new (GstElement *webrtc)
{
  RecReception *self = g_new0 (RecReception, 1);
  guint i;

  g_mutex_init (&self->lock);
  self->streams = g_array_new (FALSE, TRUE, sizeof (Stream));
  g_array_set_clear_func (self->streams, clear_stream);
  for (i = 0; i < G_N_ELEMENTS (self->ended); i++)
    self->ended[i].round_trip = GST_CLOCK_TIME_NONE;
  self->rtpbin = gst_bin_get_by_name (GST_BIN (webrtc), "rtpbin");
  if (!self->rtpbin)
    return self;
  self->handlers[0] = g_signal_connect (
      self->rtpbin, "new-jitterbuffer", G_CALLBACK (on_new_jitterbuffer), self);
  self->handlers[1] = g_signal_connect (
      self->rtpbin, "on-ssrc-active", G_CALLBACK (on_ssrc_active), self);
  self->handlers[2] = g_signal_connect (
      self->rtpbin, "element-removed", G_CALLBACK (on_element_removed), self);
  return self;
}

void
rec_reception_free (RecReception *self)
{
  if (!self)
    return;
  if (self->rtpbin) {
    g_signal_handler_disconnect (self->rtpbin, self->handlers[0]);
    g_signal_handler_disconnect (self->rtpbin, self->handlers[1]);
    g_signal_handler_disconnect (self->rtpbin, self->handlers[2]);
    gst_object_unref (self->rtpbin);
  }
  g_array_unref (self->streams);
  g_mutex_clear (&self->lock);
  g_free (self);
}
