/* gst-tsrec: tsrecmux, tracks
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Caps become tracks. A track is added to the PMT with its first access unit,
 * so that the PMT does not name tracks without data. Readers keep the codec
 * that they have seen on a PID: another codec gets another PID.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include <gst/tag/tag.h>
#include <string.h>

#include "recmessage.h"

#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* PIDs of tracks that cannot use the PID of their pad. */
#define PID_OTHER 0x0400
#define PID_OTHER_END 0x0f00
#define PIDS_PER_IDENTITY 0x40
/* Lower PIDs are tables of DVB, higher ones of ATSC and DOCSIS. */
#define PID_MIN 0x0020
#define PID_MAX 0x1ffa

/* --- Refusals --- */

static void
queue_track_message (GstTsRecMux *self, GstTsRecMuxPad *pad, const gchar *name,
    const gchar *entry, const GstCaps *caps, const gchar *reason)
{
  GST_INFO_OBJECT (pad, "%s: %s", name, reason);
  gst_ts_rec_mux_queue_journalled (self,
      rec_message_new_track (
          GST_ELEMENT (self), name, GST_PAD (pad), caps, reason),
      entry);
}

static void
queue_refusal (GstTsRecMux *self, GstTsRecMuxPad *pad, const gchar *reason)
{
  gchar *text = g_strdup_printf (
      "%s is not recorded: %s Recording of the other tracks continues.",
      GST_OBJECT_NAME (pad), reason);

  gst_ts_rec_mux_queue_warning (self, GST_STREAM_ERROR_WRONG_TYPE, text);
  g_free (text);
}

void
gst_ts_rec_mux_check_refusals (GstTsRecMux *self)
{
  GstTsRecMuxPad *refused = NULL;
  GError *error;

  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);

    if (pad->refused)
      refused = pad;
    else if (pad->caps || (!pad->eos && gst_ts_rec_mux_pad_is_fed (pad)))
      return; /* It is carried, or may still be. */
  }
  if (refused == NULL || self->nothing_left)
    return;
  self->nothing_left = TRUE;
  error = g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE,
      "Nothing can be recorded: every track is refused. %s: %s",
      GST_OBJECT_NAME (refused), refused->refusal);
  g_queue_push_tail (
      &self->messages, gst_message_new_error (GST_OBJECT (self), error, NULL));
  g_error_free (error);
}

/* --- Which PID --- */

static gboolean
has_stream (GstTsRecMux *self, guint16 pid, guint64 identity)
{
  for (guint i = 0; i < self->streams->len; i++) {
    RecMuxStream *stream = &g_array_index (self->streams, RecMuxStream, i);

    if (stream->pid == pid && stream->identity == identity)
      return TRUE;
  }
  return FALSE;
}

void
gst_ts_rec_mux_add_stream (GstTsRecMux *self, guint16 pid, guint64 identity)
{
  RecMuxStream stream = { pid, identity };

  if (!has_stream (self, pid, identity))
    g_array_append_val (self->streams, stream);
}

/* Returns TRUE if a track of @identity may use @pid: no track is on it, and no
 * track of another identity was. */
static gboolean
is_pid_usable (GstTsRecMux *self, guint16 pid, guint64 identity)
{
  if (pid < PID_MIN || pid > PID_MAX || pid == self->config.pmt_pid)
    return FALSE;
  for (guint i = 0; i < self->streams->len; i++) {
    RecMuxStream *stream = &g_array_index (self->streams, RecMuxStream, i);

    if (stream->pid == pid && stream->identity != identity)
      return FALSE;
  }
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *other = g_ptr_array_index (self->pads, i);

    if (other->track && ts_track_get_pid (other->track) == pid)
      return FALSE;
  }
  return TRUE;
}

/* Returns the PID of the pad, unless another stream was on it in this file.
 * Otherwise returns a PID that depends only on the pad and the identity, so
 * that a resumed recording, or a codec that returns, gets it again. */
static guint16
choose_own_pid (GstTsRecMux *self, GstTsRecMuxPad *pad, guint64 identity)
{
  const guint n = PID_OTHER_END - PID_OTHER;
  guint other =
      (guint)(identity % (n / PIDS_PER_IDENTITY)) * PIDS_PER_IDENTITY +
      pad->index % PIDS_PER_IDENTITY;

  if (!has_stream (self, (guint16)(PID_OTHER + other), identity) &&
      is_pid_usable (self, pad->pid, identity))
    return pad->pid;
  for (guint i = 0; i < n; i++) {
    guint16 pid = (guint16)(PID_OTHER + (other + i) % n);

    if (is_pid_usable (self, pid, identity))
      return pid;
  }
  return pad->pid;
}

static guint16
choose_track_pid (GstTsRecMux *self, GstTsRecMuxPad *pad, guint64 identity)
{
  guint16 wanted, pid;
  gchar *text;

  GST_OBJECT_LOCK (pad);
  wanted = pad->wanted_pid;
  GST_OBJECT_UNLOCK (pad);
  if (wanted != 0 && is_pid_usable (self, wanted, identity))
    return wanted;
  pid = choose_own_pid (self, pad, identity);
  if (wanted != 0) {
    text = g_strdup_printf ("%s: PID %u cannot be used, as something else is "
                            "or was on it; PID %u is used.",
        GST_OBJECT_NAME (pad), wanted, pid);
    gst_ts_rec_mux_queue_warning (self, GST_STREAM_ERROR_MUX, text);
    g_free (text);
  }
  return pid;
}

/* --- Caps --- */

static void
refuse_track (GstTsRecMux *self, GstTsRecMuxPad *pad, const GstCaps *caps,
    const gchar *reason)
{
  gboolean known = pad->refused && g_strcmp0 (pad->refusal, reason) == 0;

  pad->refused = TRUE;
  pad->track_pending = FALSE;
  g_free (pad->refusal);
  pad->refusal = g_strdup (reason);
  gst_caps_replace (&pad->caps, NULL);
  if (pad->track)
    g_ptr_array_add (self->removed, pad->track);
  pad->track = NULL;
  gst_ts_rec_mux_remove_tracks (self);
  queue_track_message (
      self, pad, "tsrecmux-track-rejected", "track-rejected", caps, reason);
  if (!known)
    queue_refusal (self, pad, reason);
  gst_ts_rec_mux_check_refusals (self);
}

/* Fills @config from @caps. Returns FALSE, with *@reason set (free with
 * g_free), if they cannot be carried. The caller clears @codec_data in both
 * cases. */
static gboolean
read_caps (GstTsRecMuxPad *pad, const GstCaps *caps, TsTrackConfig *config,
    RecCapsData *codec_data, guint64 *identity, gchar **reason)
{
  const gchar *problem = NULL;

  if (!rec_caps_parse (caps, config, codec_data, reason))
    return FALSE;
  GST_OBJECT_LOCK (pad);
  memcpy (config->language,
      pad->wanted_language[0] ? pad->wanted_language : pad->language,
      sizeof (config->language));
  config->stream_number = (guint8)(pad->stream_number + 1);
  GST_OBJECT_UNLOCK (pad);
  if (ts_track_config_check (config, identity, &problem))
    return TRUE;
  *reason = g_strdup_printf ("%s.", problem);
  return FALSE;
}

static void
announce_change (GstTsRecMux *self, GstTsRecMuxPad *pad, const GstCaps *caps,
    TsCodec before, TsCodec after)
{
  gchar *text = before == after
      ? g_strdup_printf (
            "channel configuration of %s changed", ts_codec_get_name (after))
      : g_strdup_printf ("codec changed from %s to %s",
            ts_codec_get_name (before), ts_codec_get_name (after));

  queue_track_message (
      self, pad, "tsrecmux-track-changed", "caps-changed", caps, text);
  g_free (text);
}

/* A stream of the same identity continues on its PID. Another stream begins
 * with its first access unit, after the pending data of the old one. */
static void
accept_caps (GstTsRecMux *self, GstTsRecMuxPad *pad, GstCaps *caps,
    const TsTrackConfig *config, guint64 identity)
{
  gboolean other = pad->track && pad->identity != identity;
  TsCodec before = pad->caps ? pad->codec : TS_CODEC_NONE;

  pad->refused = FALSE;
  self->nothing_left = FALSE;
  pad->codec = config->codec;
  gst_caps_replace (&pad->caps, caps);
  pad->track_pending = pad->track == NULL || other;
  if (pad->track)
    gst_ts_rec_mux_flush_pending (self);
  if (!g_ptr_array_find (self->pads, pad, NULL)) /* released in the meantime */
    return;
  if (!pad->track_pending)
    ts_mux_configure_track (self->core, pad->track, config, NULL);
  if (before != TS_CODEC_NONE && (before != config->codec || other))
    announce_change (self, pad, caps, before, config->codec);
}

void
gst_ts_rec_mux_configure_track (
    GstTsRecMux *self, GstTsRecMuxPad *pad, GstCaps *caps)
{
  RecCapsData codec_data = { 0 };
  TsTrackConfig config;
  gchar *reason = NULL;
  guint64 identity;

  /* A released pad gets no track, which would never be removed. */
  if (!g_ptr_array_find (self->pads, pad, NULL))
    return;
  if (read_caps (pad, caps, &config, &codec_data, &identity, &reason))
    accept_caps (self, pad, caps, &config, identity);
  else
    refuse_track (self, pad, caps, reason);
  rec_caps_data_clear (&codec_data);
  g_free (reason);
}

/* --- The first access unit --- */

static void
add_track (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  RecCapsData codec_data = { 0 };
  const gchar *problem = NULL;
  TsTrackConfig config;
  gchar *reason = NULL;
  guint64 identity = 0;

  pad->track_pending = FALSE;
  if (read_caps (pad, pad->caps, &config, &codec_data, &identity, &reason)) {
    pad->track = ts_mux_add_track (
        self->core, choose_track_pid (self, pad, identity), &config, &problem);
    if (problem)
      reason = g_strdup_printf ("%s.", problem);
  }
  rec_caps_data_clear (&codec_data);
  if (pad->track) {
    pad->identity = identity;
    gst_ts_rec_mux_add_stream (self, ts_track_get_pid (pad->track), identity);
    GST_INFO_OBJECT (pad, "track on PID 0x%04x: %" GST_PTR_FORMAT,
        ts_track_get_pid (pad->track), pad->caps);
  } else {
    GstCaps *caps = gst_caps_ref (pad->caps);

    refuse_track (self, pad, caps, reason);
    gst_caps_unref (caps);
  }
  g_free (reason);
}

static gboolean
has_buffer (GstTsRecMuxPad *pad)
{
  RecMuxItem *head = gst_ts_rec_mux_pad_peek (pad);

  return head && GST_IS_BUFFER (head->object);
}

void
gst_ts_rec_mux_begin_track (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  GPtrArray *pads = g_ptr_array_new ();

  if (pad->track) {
    gst_ts_rec_mux_flush_pending (self);
    if (pad->track) {
      GST_INFO_OBJECT (
          pad, "track on PID 0x%04x leaves", ts_track_get_pid (pad->track));
      ts_mux_remove_track (self->core, pad->track);
      pad->track = NULL;
      self->codec_changed = TRUE;
    }
  }
  /* A refusal releases the lock: pads may be requested and released. */
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *other = g_ptr_array_index (self->pads, i);

    if (other->track_pending &&
        (other == pad || (other->track == NULL && has_buffer (other))))
      g_ptr_array_add (pads, gst_object_ref (other));
  }
  for (guint i = 0; i < pads->len; i++) {
    GstTsRecMuxPad *other = g_ptr_array_index (pads, i);

    if (other->track_pending && g_ptr_array_find (self->pads, other, NULL))
      add_track (self, other);
    gst_object_unref (other);
  }
  g_ptr_array_unref (pads);
}

/* --- Tags --- */

void
gst_ts_rec_mux_set_language (
    GstTsRecMux *self, GstTsRecMuxPad *pad, GstTagList *tags)
{
  const gchar *code;
  gchar *tag = NULL;

  if (!gst_tag_list_get_string (tags, GST_TAG_LANGUAGE_CODE, &tag))
    return;
  code = gst_tag_get_language_code_iso_639_2B (tag);
  if (code && strlen (code) == 3 && strcmp (code, pad->language) != 0) {
    strcpy (pad->language, code);
    if (pad->caps && pad->track && !pad->track_pending)
      gst_ts_rec_mux_configure_track (self, pad, pad->caps);
  }
  g_free (tag);
}
