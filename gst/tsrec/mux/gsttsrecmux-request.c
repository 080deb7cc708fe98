/* gst-tsrec: tsrecmux, request pads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Adds and removes pads, and assigns their PIDs. A track is removed from the
 * PMT with the next output.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include <string.h>

#include "recpad.h"

#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* First PID of each kind of pad, and number of PIDs per kind. */
#define PID_VIDEO 0x0100
#define PID_AUDIO 0x0200
#define PID_DATA 0x0300
#define PIDS_PER_KIND 0x100

static guint
get_kind (GstPadTemplate *templ)
{
  const gchar *name = GST_PAD_TEMPLATE_NAME_TEMPLATE (templ);

  return name[0] == 'v' ? 0 : name[0] == 'a' ? 1 : 2;
}

/* Chooses the number of a new pad. Returns FALSE for an invalid name. Object
 * lock held. */
static gboolean
choose_index (GstTsRecMux *self, guint kind, const gchar *name, guint *index)
{
  const gchar *number = name ? strrchr (name, '_') : NULL;
  guint64 value;

  if (number == NULL) {
    *index = self->next_index[kind];
  } else if (g_ascii_string_to_unsigned (
                 number + 1, 10, 0, G_MAXUINT - 1, &value, NULL)) {
    *index = (guint)value;
  } else {
    return FALSE;
  }
  if (*index >= self->next_index[kind])
    self->next_index[kind] = *index + 1;
  return TRUE;
}

/* Returns TRUE if a pad has @pid, or a released pad whose track is still in
 * the PMT. Lock held. */
static gboolean
is_pid_taken (GstTsRecMux *self, guint16 pid)
{
  for (guint i = 0; i < self->pads->len; i++) {
    if (((GstTsRecMuxPad *)g_ptr_array_index (self->pads, i))->pid == pid)
      return TRUE;
  }
  for (guint i = 0; i < self->removed->len; i++) {
    if (ts_track_get_pid (g_ptr_array_index (self->removed, i)) == pid)
      return TRUE;
  }
  return FALSE;
}

/* Chooses the PID of a pad. A pad has the same PID in every run, so that a
 * recording can be continued. If another pad has that PID, the next free PID
 * is used. Lock held. */
static guint16
choose_pid (GstTsRecMux *self, guint kind, guint index)
{
  static const guint16 first[] = { PID_VIDEO, PID_AUDIO, PID_DATA };
  guint16 pid = 0;

  for (guint i = 0; i < PIDS_PER_KIND; i++) {
    pid = (guint16)(first[kind] + (index + i) % PIDS_PER_KIND);
    if (!is_pid_taken (self, pid))
      break;
  }
  return pid;
}

static void
drain_async (GstElement *element, gpointer data)
{
  gst_ts_rec_mux_drain (GST_TS_REC_MUX (element));
  gst_ts_rec_mux_post_pending (GST_TS_REC_MUX (element));
}

/* Returns TRUE if the end of the stream may have waited for @pad. Lock held. */
static gboolean
is_end_near (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  gboolean any = FALSE;

  if (self->core == NULL || !g_ptr_array_find (self->pads, pad, NULL))
    return FALSE;
  for (guint i = 0; i < self->pads->len; i++)
    any |= ((GstTsRecMuxPad *)g_ptr_array_index (self->pads, i))->eos;
  return any;
}

/* Drains in another thread, so that a write that hangs does not block the
 * application. */
static void
on_unlinked (GstPad *gstpad, gpointer data)
{
  GstElement *element = gst_pad_get_parent_element (gstpad);
  GstTsRecMuxPad *pad = GST_TS_REC_MUX_PAD (gstpad);
  GstTsRecMux *self;
  gboolean drain;

  if (element == NULL)
    return;
  self = GST_TS_REC_MUX (element);
  g_mutex_lock (&self->lock);
  pad->started = FALSE;
  g_cond_broadcast (&self->cond);
  drain = is_end_near (self, pad);
  g_mutex_unlock (&self->lock);
  if (drain)
    gst_element_call_async (element, drain_async, NULL, NULL);
  gst_object_unref (element);
}

GstPad *
gst_ts_rec_mux_request_new_pad (GstElement *element, GstPadTemplate *templ,
    const gchar *req_name, const GstCaps *caps)
{
  static const gchar *const prefixes[] = { "video", "audio", "data" };
  GstTsRecMux *self = GST_TS_REC_MUX (element);
  guint kind = get_kind (templ), index = 0;
  GstTsRecMuxPad *pad;
  gboolean valid;
  gchar *name;

  GST_OBJECT_LOCK (self);
  valid = choose_index (self, kind, req_name, &index);
  GST_OBJECT_UNLOCK (self);
  if (!valid)
    return NULL;
  name = g_strdup_printf ("%s_%u", prefixes[kind], index);
  pad = g_object_new (GST_TYPE_TS_REC_MUX_PAD, "name", name, "direction",
      templ->direction, "template", templ, NULL);
  g_free (name);
  gst_pad_set_chain_function (GST_PAD (pad), gst_ts_rec_mux_chain);
  gst_pad_set_event_function (GST_PAD (pad), gst_ts_rec_mux_sink_event);
  gst_pad_set_query_function (GST_PAD (pad), gst_ts_rec_mux_pad_query);
  gst_pad_set_link_function (GST_PAD (pad), gst_ts_rec_mux_pad_link);
  rec_pad_watch_unlinked (GST_PAD (pad), on_unlinked, NULL);
  g_mutex_lock (&self->lock);
  pad->index = index;
  pad->pid = choose_pid (self, kind, index);
  g_ptr_array_add (self->pads, pad);
  g_mutex_unlock (&self->lock);
  gst_pad_set_active (GST_PAD (pad), TRUE);
  if (gst_element_add_pad (element, GST_PAD (pad))) {
    gst_child_proxy_child_added (
        GST_CHILD_PROXY (self), G_OBJECT (pad), GST_OBJECT_NAME (pad));
    GST_INFO_OBJECT (
        pad, "requested; PID 0x%04x unless the property pid is set", pad->pid);
    return GST_PAD (pad);
  }
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->pads, pad);
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* Returns TRUE if the pads that were to end a flush of all pads are gone. Lock
 * held. */
static gboolean
take_unfinished_flush (GstTsRecMux *self)
{
  for (guint i = 0; i < self->pads->len; i++) {
    if (((GstTsRecMuxPad *)g_ptr_array_index (self->pads, i))->flushing)
      return FALSE;
  }
  if (!self->flushing)
    return FALSE;
  self->flushing = FALSE;
  self->flow = GST_FLOW_OK;
  return TRUE;
}

/* The thread that writes next removes the track from the PMT. */
void
gst_ts_rec_mux_release_pad (GstElement *element, GstPad *gstpad)
{
  GstTsRecMux *self = GST_TS_REC_MUX (element);
  GstTsRecMuxPad *pad = GST_TS_REC_MUX_PAD (gstpad);
  gboolean all_eos, unflush;

  GST_INFO_OBJECT (pad, "released");
  g_mutex_lock (&self->lock);
  pad->flushing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_pad_set_active (gstpad, FALSE);
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->pads, pad);
  gst_ts_rec_mux_pad_clear (pad);
  if (pad->track)
    g_ptr_array_add (self->removed, pad->track);
  pad->track = NULL;
  pad->track_pending = FALSE;
  g_cond_broadcast (&self->cond);
  all_eos = self->core != NULL;
  unflush = take_unfinished_flush (self);
  g_mutex_unlock (&self->lock);
  gst_child_proxy_child_removed (
      GST_CHILD_PROXY (self), G_OBJECT (pad), GST_OBJECT_NAME (pad));
  gst_element_remove_pad (element, gstpad);
  if (unflush)
    gst_ts_rec_mux_end_flush (self, gst_event_new_flush_stop (TRUE));
  if (all_eos)
    gst_ts_rec_mux_drain (self);
}
