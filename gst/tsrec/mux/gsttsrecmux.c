/* gst-tsrec: tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-tsrecmux
 * @title: tsrecmux
 * @short_description: MPEG transport stream mux in which nobody waits
 *
 * Muxes elementary streams to an MPEG transport stream for recording and for
 * sending live. Each access unit leaves the moment it arrives, as one buffer
 * of whole packets, whatever the other tracks do: a track that falls silent,
 * changes its caps, goes away or is refused never stops the others. Input that
 * is not live is put in the order of DTS within #tsrecmux:max-interleave. Live
 * is what says so in the LATENCY query, and what arrives at the pace of the
 * clock for half a second. An application's `appsrc` does best to say so:
 * `is-live=true format=time`, with `do-timestamp=true` unless its buffers have
 * timestamps of the running time. Then nothing is held back from the first
 * buffer on.
 *
 * In a pipeline that plays it may be linked before it is started: until then
 * buffers are dropped.
 *
 * A recording that is begun in the middle of a stream begins with a key frame,
 * and says in the element message `tsrecmux-skipped` what was left out before:
 * see #tsrecmux:wait-for-keyframe.
 *
 * Buffers without %GST_BUFFER_FLAG_DELTA_UNIT start with PAT, PMT, SDT and a
 * PCR and carry a random access point: the stream can be cut before each of
 * them. Their PTS and DTS are those of the access unit, as running time.
 *
 * Caps that MPEG-TS cannot carry are answered with the element message
 * `tsrecmux-track-rejected`, with the fields `pad`, `caps` and `reason`, and a
 * warning; what comes to that pad is dropped. When every track is refused, an
 * error is posted. A change of codec posts `tsrecmux-track-changed`, and the
 * new codec gets a PID of its own. Sections that come as events (`scte-sit` of
 * `tsdemux`) are not carried: the first one in a recording is answered with a
 * warning.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true num-buffers=150 ! \
 *     video/x-raw,format=I420 ! x264enc tune=zerolatency ! h264parse ! \
 *     tsrecmux name=mux ! filesink location=rec.ts \
 *     audiotestsrc is-live=true num-buffers=215 ! opusenc ! mux.
 * ]| Records five seconds of a picture and a tone.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include <gst/video/video.h>
#include <string.h>

#include "recpad.h"
#include "recevent.h"
#include "recquery.h"

GST_DEBUG_CATEGORY (gst_ts_rec_mux_debug);
#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* The first PID of each kind of pad, and how many there are. */
#define PID_VIDEO 0x0100
#define PID_AUDIO 0x0200
#define PID_DATA 0x0300
#define PIDS_PER_KIND 0x100

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/mpegts, systemstream = (boolean) true, "
                         "packetsize = (int) 188"));

/* What is carried: these stand in the registry, where autopluggers look. */
static GstStaticPadTemplate video_template =
    GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS (REC_VIDEO_CAPS));

static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE ("audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS (REC_AUDIO_CAPS));

static GstStaticPadTemplate data_template = GST_STATIC_PAD_TEMPLATE (
    "data_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (REC_DATA_CAPS));

/* What may be linked, to be refused with the reason and a remedy: GStreamer
 * refuses what is not in a template without a word of either. */
static GstStaticPadTemplate link_templates[] = {
  GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
      GST_STATIC_CAPS (REC_VIDEO_CAPS "; " REC_LINK_VIDEO_CAPS)),
  GST_STATIC_PAD_TEMPLATE ("audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
      GST_STATIC_CAPS (REC_AUDIO_CAPS "; " REC_LINK_AUDIO_CAPS)),
  GST_STATIC_PAD_TEMPLATE (
      "data_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY),
};

/* --- The element */

static void gst_ts_rec_mux_child_proxy_init (
    GstChildProxyInterface *iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstTsRecMux, gst_ts_rec_mux, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_CHILD_PROXY, gst_ts_rec_mux_child_proxy_init));
GST_ELEMENT_REGISTER_DEFINE (
    tsrecmux, "tsrecmux", GST_RANK_NONE, GST_TYPE_TS_REC_MUX);

static gboolean
gst_ts_rec_mux_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstFormat format;

  if (GST_QUERY_TYPE (query) != GST_QUERY_SEEKING)
    return gst_pad_query_default (pad, parent, query);
  gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
  gst_query_set_seeking (query, format, FALSE, 0, -1);
  return TRUE;
}

/* The video pads, referenced. */
static GPtrArray *
get_video_pads (GstTsRecMux *self)
{
  GPtrArray *pads = g_ptr_array_new_with_free_func (gst_object_unref);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->pads->len; i++) {
    GstPad *pad = g_ptr_array_index (self->pads, i);

    if (g_str_has_prefix (
            GST_PAD_TEMPLATE_NAME_TEMPLATE (GST_PAD_PAD_TEMPLATE (pad)),
            "video"))
      g_ptr_array_add (pads, gst_object_ref (pad));
  }
  g_mutex_unlock (&self->lock);
  return pads;
}

/* Takes @event. */
static gboolean
send_to_video_pads (GstTsRecMux *self, GstEvent *event)
{
  GPtrArray *pads = get_video_pads (self);
  gboolean ret = FALSE;

  for (guint i = 0; i < pads->len; i++)
    ret |=
        gst_pad_push_event (g_ptr_array_index (pads, i), gst_event_ref (event));
  g_ptr_array_unref (pads);
  gst_event_unref (event);
  return ret;
}

static void
resync (GstTsRecMux *self)
{
  g_mutex_lock (&self->lock);
  if (self->core)
    ts_mux_resync (self->core);
  g_mutex_unlock (&self->lock);
  send_to_video_pads (self,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

/* Sections are sent to a mux itself as well: it passes them on downstream. */
static gboolean
gst_ts_rec_mux_send_event (GstElement *element, GstEvent *event)
{
  GstTsRecMux *self = GST_TS_REC_MUX (element);

  if (GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM) {
    gst_ts_rec_mux_note_section (self, event);
    gst_ts_rec_mux_post_pending (self);
  }
  return GST_ELEMENT_CLASS (gst_ts_rec_mux_parent_class)
      ->send_event (element, event);
}

static gboolean
gst_ts_rec_mux_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstTsRecMux *self = GST_TS_REC_MUX (parent);

  if (rec_event_is_resync (event)) {
    gst_event_unref (event);
    resync (self);
    return TRUE;
  }
  if (gst_video_event_is_force_key_unit (event))
    return send_to_video_pads (self, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEEK: /* what is written is written */
    case GST_EVENT_QOS:
      gst_event_unref (event);
      return FALSE;
    default:
      return gst_pad_event_default (pad, parent, event);
  }
}

/* --- Request pads */

static guint
get_kind (GstPadTemplate *templ)
{
  const gchar *name = GST_PAD_TEMPLATE_NAME_TEMPLATE (templ);

  return name[0] == 'v' ? 0 : name[0] == 'a' ? 1 : 2;
}

/* Object lock held. */
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

/* Whether a pad has @pid, or had it and is in the PMT still. Lock held. */
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

/* The same pad has the same PID in every run, so that a recording goes on with
 * the PIDs it has; where so many came before that another one has it, the next
 * one that is free. Lock held. */
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

/* With the lock: whether the end of the stream may have waited for @pad. */
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

/* In another thread, as a write that hangs must not hold up the application. */
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

static GstPad *
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
  gst_pad_set_query_function (GST_PAD (pad), gst_ts_rec_mux_sink_query);
  gst_pad_set_link_function (GST_PAD (pad), gst_ts_rec_mux_sink_link);
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

/* With the lock: the pads that were to end a flush of all of them are gone. */
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

/* The track is taken out of the PMT by the thread that writes next. */
static void
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
  pad->pending = FALSE;
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

/* --- The pads as children, by which a launch line sets their properties */

static GObject *
get_child_by_index (GstChildProxy *proxy, guint index)
{
  GstElement *element = GST_ELEMENT (proxy);
  GObject *pad;

  GST_OBJECT_LOCK (element);
  pad = g_list_nth_data (element->sinkpads, index);
  if (pad)
    g_object_ref (pad);
  GST_OBJECT_UNLOCK (element);
  return pad;
}

static guint
get_children_count (GstChildProxy *proxy)
{
  GstElement *element = GST_ELEMENT (proxy);
  guint n;

  GST_OBJECT_LOCK (element);
  n = element->numsinkpads;
  GST_OBJECT_UNLOCK (element);
  return n;
}

static void
gst_ts_rec_mux_child_proxy_init (GstChildProxyInterface *iface, gpointer data)
{
  iface->get_child_by_index = get_child_by_index;
  iface->get_children_count = get_children_count;
}

/* --- Messages */

/* The sink answers without waiting for a write. */
static void
note_location (GstTsRecMux *self)
{
  GstQuery *query = rec_query_new_written ();
  RecWritten written;
  gchar *location = NULL;

  if (gst_pad_peer_query (self->srcpad, query) &&
      rec_query_parse_written (query, &written, &location)) {
    rec_recording_id_note_location (
        &self->recording_id, GST_ELEMENT (self), location);
    rec_recording_id_note_downstream (&self->recording_id, GST_ELEMENT (self),
        rec_query_get_recording_id (query));
  }
  g_free (location);
  gst_query_unref (query);
}

static gboolean
gst_ts_rec_mux_post_message (GstElement *element, GstMessage *message)
{
  GstTsRecMux *self = GST_TS_REC_MUX (element);

  if (rec_recording_id_is_carried (message))
    note_location (self);
  return GST_ELEMENT_CLASS (gst_ts_rec_mux_parent_class)
      ->post_message (element,
          rec_recording_id_add (&self->recording_id, element, message));
}

/* --- States */

static void
start (GstTsRecMux *self)
{
  TsMuxConfig config;
  TsStats none = { 0 };

  GST_OBJECT_LOCK (self);
  config = self->config;
  self->interleave = self->max_interleave;
  GST_OBJECT_UNLOCK (self);
  rec_recording_id_reset (&self->recording_id, GST_ELEMENT (self));
  self->started = self->prepared = self->sent_buffer = FALSE;
  g_mutex_lock (&self->lock);
  self->core = ts_mux_new (&config);
  self->stats = none;
  self->flow = GST_FLOW_OK;
  self->said = 0;
  self->refused = self->skipped = 0;
  self->wait_for_keyframe = config.wait_for_random_access;
  g_array_set_size (self->streams, 0);
  self->nothing_left = self->codec_changed = FALSE;
  self->live = self->paced = self->stopping = self->eos_sent = self->flushing =
      FALSE;
  for (guint i = 0; i < self->pads->len; i++)
    ((GstTsRecMuxPad *)g_ptr_array_index (self->pads, i))->asked_latency =
        FALSE;
  g_mutex_unlock (&self->lock);
}

static void
reset_pad (GstTsRecMuxPad *pad)
{
  gst_ts_rec_mux_pad_clear (pad);
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
  pad->track = NULL;
  pad->pending = FALSE;
  g_clear_pointer (&pad->refusal, g_free);
  gst_caps_replace (&pad->caps, NULL);
  pad->language[0] = '\0';
  pad->arrived = pad->placed = pad->paced = FALSE;
  pad->n_untimed = 0;
  pad->position = TS_TIME_NONE;
  pad->patience = REC_MUX_PATIENCE;
  rec_pace_init (&pad->pace);
  pad->kept = 0;
  pad->skipped = 0;
  pad->last_thread = NULL;
  pad->last_request = 0;
  pad->latency = GST_CLOCK_TIME_NONE;
  pad->asked_latency = FALSE;
  pad->refused = pad->eos = pad->drained = pad->flushing = FALSE;
  pad->started = FALSE;
}

/* All pads are inactive: no thread is in the element any more. */
static void
stop (GstTsRecMux *self)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->pads->len; i++)
    reset_pad (g_ptr_array_index (self->pads, i));
  g_ptr_array_set_size (self->removed, 0);
  if (self->core)
    ts_mux_get_stats (self->core, &self->stats);
  g_clear_pointer (&self->core, ts_mux_free);
  self->stopping = FALSE;
  g_mutex_unlock (&self->lock);
  rec_buffer_pools_clear (&self->buffers);
}

static GstStateChangeReturn
gst_ts_rec_mux_change_state (GstElement *element, GstStateChange transition)
{
  GstTsRecMux *self = GST_TS_REC_MUX (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    gst_ts_rec_mux_post_notes (self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    g_mutex_lock (&self->lock);
    self->stopping = TRUE;
    g_cond_broadcast (&self->cond);
    g_mutex_unlock (&self->lock);
  }
  ret = GST_ELEMENT_CLASS (gst_ts_rec_mux_parent_class)
            ->change_state (element, transition);
  /* not before the source pad takes what a source that runs already brings */
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      ret != GST_STATE_CHANGE_FAILURE)
    start (self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    stop (self);
  return ret;
}

/* Gives the class, of which the factory has read the templates, those with
 * which elements are linked. */
static void
widen_templates (GstElementClass *klass)
{
  static gsize done = 0;

  if (!g_once_init_enter (&done))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (link_templates); i++) {
    GstPadTemplate *old = gst_element_class_get_pad_template (
        klass, link_templates[i].name_template);

    /* kept: another thread may just be looking at it */
    g_type_set_qdata (G_TYPE_FROM_CLASS (klass),
        g_quark_from_static_string (link_templates[i].name_template),
        gst_object_ref (old));
    GST_OBJECT_FLAG_SET (old, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    gst_element_class_add_static_pad_template_with_gtype (
        klass, &link_templates[i], GST_TYPE_TS_REC_MUX_PAD);
  }
  g_once_init_leave (&done, 1);
}

static void
gst_ts_rec_mux_init (GstTsRecMux *self)
{
  widen_templates (GST_ELEMENT_GET_CLASS (self));
  gst_ts_rec_mux_init_properties (self);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_queue_init (&self->messages);
  g_queue_init (&self->key_requests);
  self->pads = g_ptr_array_new ();
  self->removed = g_ptr_array_new ();
  self->streams = g_array_new (FALSE, FALSE, sizeof (RecMuxStream));
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->srcpad, gst_ts_rec_mux_src_query);
  gst_pad_set_event_function (self->srcpad, gst_ts_rec_mux_src_event);
  gst_pad_use_fixed_caps (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

static void
gst_ts_rec_mux_finalize (GObject *object)
{
  GstTsRecMux *self = GST_TS_REC_MUX (object);

  ts_mux_free (self->core);
  rec_recording_id_clear (&self->recording_id);
  g_ptr_array_unref (self->notes);
  rec_buffer_pools_clear (&self->buffers);
  g_queue_clear_full (&self->messages, (GDestroyNotify)gst_message_unref);
  g_queue_clear_full (&self->key_requests, gst_object_unref);
  g_ptr_array_unref (self->pads);
  g_ptr_array_unref (self->removed);
  g_array_unref (self->streams);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (gst_ts_rec_mux_parent_class)->finalize (object);
}

static void
gst_ts_rec_mux_class_init (GstTsRecMuxClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      gst_ts_rec_mux_debug, "tsrecmux", 0, "MPEG-TS mux for recording");
  object_class->finalize = gst_ts_rec_mux_finalize;
  gst_ts_rec_mux_install_properties (object_class);
  element_class->request_new_pad = gst_ts_rec_mux_request_new_pad;
  element_class->release_pad = gst_ts_rec_mux_release_pad;
  element_class->change_state = gst_ts_rec_mux_change_state;
  element_class->send_event = gst_ts_rec_mux_send_event;
  element_class->post_message = gst_ts_rec_mux_post_message;
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_add_static_pad_template_with_gtype (
      element_class, &video_template, GST_TYPE_TS_REC_MUX_PAD);
  gst_element_class_add_static_pad_template_with_gtype (
      element_class, &audio_template, GST_TYPE_TS_REC_MUX_PAD);
  gst_element_class_add_static_pad_template_with_gtype (
      element_class, &data_template, GST_TYPE_TS_REC_MUX_PAD);
  gst_element_class_set_static_metadata (element_class,
      "Recording MPEG transport stream mux", "Codec/Muxer",
      "Muxes live streams to MPEG-TS; each access unit leaves at once and no "
      "track waits for another",
      "gst-tsrec developers");
}
