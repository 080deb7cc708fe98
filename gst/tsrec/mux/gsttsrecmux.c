/* gst-tsrec: tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-tsrecmux
 * @title: tsrecmux
 * @short_description: MPEG transport stream mux for live recording
 *
 * Muxes elementary streams to an MPEG transport stream, for recording and for
 * live output. Each access unit leaves the moment it arrives, as one buffer of
 * whole packets. A track that falls silent, changes its caps, is released or
 * is refused never stops the other tracks.
 *
 * Input that is not live is sorted by DTS within #tsrecmux:max-interleave.
 * Input is live if the LATENCY query says so, or if it arrives at the pace of
 * the clock for half a second. An application should configure its `appsrc`
 * with `is-live=true format=time`, and with `do-timestamp=true` unless its
 * buffers have timestamps in running time. Then no buffer waits, not even the
 * first one.
 *
 * In a playing pipeline the element may be linked before it is started: until
 * then it drops buffers.
 *
 * A recording that starts in the middle of a stream begins with a key frame.
 * The element message `tsrecmux-skipped` reports what was left out before it:
 * see #tsrecmux:wait-for-keyframe.
 *
 * Buffers without %GST_BUFFER_FLAG_DELTA_UNIT start with PAT, PMT, SDT and a
 * PCR, and contain a random access point: the stream can be cut before each of
 * them. Their PTS and DTS are those of the access unit, as running time.
 *
 * If MPEG-TS cannot carry the caps of a pad, the element posts the element
 * message `tsrecmux-track-rejected`, with the fields `pad`, `caps` and
 * `reason`, and a warning. Buffers of that pad are dropped. If every track is
 * refused, it posts an error. A change of codec posts
 * `tsrecmux-track-changed`, and the new codec gets a PID of its own. Sections
 * in events (`scte-sit` of `tsdemux`) are not recorded: the first one in a
 * recording causes a warning.
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
#include "tspacket.h"

GST_DEBUG_CATEGORY (gst_ts_rec_mux_debug);
#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/mpegts, systemstream = (boolean) true, "
                         "packetsize = (int) " G_STRINGIFY (TS_PACKET_SIZE)));

/* Templates of the registry, where autopluggers look: the caps that can be
 * carried. */
static GstStaticPadTemplate video_template =
    GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS (REC_VIDEO_CAPS));

static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE ("audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS (REC_AUDIO_CAPS));

static GstStaticPadTemplate data_template = GST_STATIC_PAD_TEMPLATE (
    "data_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (REC_DATA_CAPS));

/* Templates of links. GStreamer refuses caps outside of a template without a
 * reason; these links are accepted, and then refused with a reason and a
 * remedy. */
static GstStaticPadTemplate link_templates[] = {
  GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
      GST_STATIC_CAPS (REC_VIDEO_CAPS "; " REC_LINK_VIDEO_CAPS)),
  GST_STATIC_PAD_TEMPLATE ("audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
      GST_STATIC_CAPS (REC_AUDIO_CAPS "; " REC_LINK_AUDIO_CAPS)),
  GST_STATIC_PAD_TEMPLATE (
      "data_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY),
};

/* --- The element --- */

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

/* Returns the video pads, referenced. */
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

/* Applications send sections to the mux itself as well. It passes them on
 * downstream. */
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
    case GST_EVENT_SEEK: /* written data cannot be changed */
    case GST_EVENT_QOS:
      gst_event_unref (event);
      return FALSE;
    default:
      return gst_pad_event_default (pad, parent, event);
  }
}

/* --- Pads as children, so that a launch line can set their properties --- */

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

/* --- Messages --- */

/* The sink answers the query without waiting for a write. */
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

/* --- States --- */

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
  self->release = rec_task_new (REC_TASKS_MEDIA, gst_ts_rec_mux_release, self);
  self->core = ts_mux_new (&config);
  self->stats = none;
  self->flow = GST_FLOW_OK;
  self->warnings = 0;
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

/* All pads are inactive: no streaming thread is in the element. */
static void
stop (GstTsRecMux *self)
{
  rec_task_free (self->release);
  self->release = NULL;
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->pads->len; i++)
    gst_ts_rec_mux_pad_reset (g_ptr_array_index (self->pads, i));
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
  /* After the source pad is active: a running source may already send buffers. */
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      ret != GST_STATE_CHANGE_FAILURE)
    start (self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    stop (self);
  return ret;
}

/* Replaces the templates of the class, which the factory has already read, by
 * those for links. */
static void
widen_templates (GstElementClass *klass)
{
  static gsize done = 0;

  if (!g_once_init_enter (&done))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (link_templates); i++) {
    GstPadTemplate *old = gst_element_class_get_pad_template (
        klass, link_templates[i].name_template);

    /* Not freed: another thread may be using it. */
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
