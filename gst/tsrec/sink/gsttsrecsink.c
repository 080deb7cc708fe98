/* gst-tsrec: tsrecsink, a multiplexer and a file sink in one element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-tsrecsink
 * @title: tsrecsink
 * @short_description: records live streams to a crash-proof MPEG-TS file
 * @see_also: tsrecmux, recfilesink, recmonitor
 *
 * A bin of #tsrecmux and #recfilesink. Every access unit is muxed and written
 * the moment it arrives; no track waits for another one. The pads `video_%u`,
 * `audio_%u` and `data_%u` are requested as from the mux, also while
 * recording.
 *
 * The bin has every property, signal and action signal of the two inner
 * elements under the same name, except for ten properties of GstBaseSink that
 * a recording does not need. `stats` holds the fields of both. If both have a
 * property of the same name, that of the mux has the prefix `mux-`.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true ! video/x-raw,format=I420 ! \
 *     x264enc tune=zerolatency ! h264parse ! tsrecsink name=rec location=rec.ts \
 *     audiotestsrc is-live=true ! audioconvert ! avenc_aac ! aacparse ! rec.
 * ]| Records a moving picture and a tone until Ctrl+C. `rec.ts` can be played while
 * it is written. If the recorder is killed, the written part stays playable.
 */

#include "config.h"

#include "gsttsrecsink.h"

#include "gsttsrecsinkpad.h"
#include "recproxy.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (gst_ts_rec_sink_debug);
#define GST_CAT_DEFAULT gst_ts_rec_sink_debug

#define MUX_FACTORY "tsrecmux"
#define SINK_FACTORY "recfilesink"

struct _GstTsRecSink
{
  GstBin parent;

  GstElement *mux;  /* owned by the bin, NULL if the element is missing */
  GstElement *sink; /* owned by the bin, NULL if the element is missing */
};

enum
{
  PROP_0,
  PROP_STATS,
  PROP_RECORDING_ID,
  PROP_FIRST_PROXIED
};

/* Properties of GstBaseSink that a recording does not need, and a property
 * that the bin has in place of both elements. */
static const gchar *const not_proxied[] = { "blocksize", "enable-last-sample",
  "last-sample", "max-bitrate", "max-lateness", "processing-deadline", "qos",
  "render-delay", "throttle-time", "ts-offset", "recording-id", NULL };

/* Templates for the case that the mux is missing. */
static GstStaticPadTemplate fallback_templates[] = {
  GST_STATIC_PAD_TEMPLATE (
      "video_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY),
  GST_STATIC_PAD_TEMPLATE (
      "audio_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY),
  GST_STATIC_PAD_TEMPLATE (
      "data_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY),
};

#define gst_ts_rec_sink_parent_class parent_class
static void gst_ts_rec_sink_child_proxy_init (
    GstChildProxyInterface *iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstTsRecSink, gst_ts_rec_sink, GST_TYPE_BIN,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_CHILD_PROXY, gst_ts_rec_sink_child_proxy_init));
GST_ELEMENT_REGISTER_DEFINE (
    tsrecsink, "tsrecsink", GST_RANK_NONE, GST_TYPE_TS_REC_SINK);

/* --- Properties --- */

/* Returns the inner element whose class is @type or derived from it. */
static GstElement *
get_child (GstElement *element, GType type)
{
  GstTsRecSink *self = GST_TS_REC_SINK (element);

  if (self->mux && g_type_is_a (G_OBJECT_TYPE (self->mux), type))
    return self->mux;
  if (self->sink && g_type_is_a (G_OBJECT_TYPE (self->sink), type))
    return self->sink;
  return NULL;
}

static gboolean
copy_field (GQuark field, const GValue *value, gpointer user_data)
{
  gst_structure_id_set_value (user_data, field, value);
  return TRUE;
}

static GstStructure *
get_stats (GstTsRecSink *self)
{
  GstElement *children[] = { self->mux, self->sink };
  GstStructure *stats =
      gst_structure_new_empty ("application/x-tsrecsink-stats");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (children); i++) {
    GstStructure *s = NULL;

    if (!children[i] ||
        !g_object_class_find_property (
            G_OBJECT_GET_CLASS (children[i]), "stats"))
      continue;
    g_object_get (children[i], "stats", &s, NULL);
    if (s)
      gst_structure_foreach (s, copy_field, stats);
    gst_clear_structure (&s);
  }
  return stats;
}

static void
set_recording_id (GstTsRecSink *self, const GValue *value)
{
  if (self->mux)
    g_object_set_property (G_OBJECT (self->mux), "recording-id", value);
  if (self->sink)
    g_object_set_property (G_OBJECT (self->sink), "recording-id", value);
}

static void
gst_ts_rec_sink_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GParamSpec *target = rec_proxy_get_target (pspec);
  GstElement *child =
      target ? get_child (GST_ELEMENT (object), target->owner_type) : NULL;

  if (prop_id == PROP_RECORDING_ID)
    set_recording_id (GST_TS_REC_SINK (object), value);
  else if (child)
    g_object_set_property (G_OBJECT (child), target->name, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
gst_ts_rec_sink_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GParamSpec *target = rec_proxy_get_target (pspec);
  GstElement *child =
      target ? get_child (GST_ELEMENT (object), target->owner_type) : NULL;

  if (prop_id == PROP_STATS)
    g_value_take_boxed (value, get_stats (GST_TS_REC_SINK (object)));
  else if (prop_id == PROP_RECORDING_ID && GST_TS_REC_SINK (object)->sink)
    g_object_get_property (
        G_OBJECT (GST_TS_REC_SINK (object)->sink), "recording-id", value);
  else if (child)
    g_object_get_property (G_OBJECT (child), target->name, value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

/* --- The pads as children, beside the elements --- */

static GObject *
get_child_by_name (GstChildProxy *proxy, const gchar *name)
{
  GstChildProxyInterface *parent_iface =
      g_type_interface_peek_parent (GST_CHILD_PROXY_GET_INTERFACE (proxy));
  GstPad *pad = gst_element_get_static_pad (GST_ELEMENT (proxy), name);

  return pad ? G_OBJECT (pad) : parent_iface->get_child_by_name (proxy, name);
}

static void
gst_ts_rec_sink_child_proxy_init (GstChildProxyInterface *iface, gpointer data)
{
  iface->get_child_by_name = get_child_by_name;
}

/* --- Pads --- */

static GstPad *
gst_ts_rec_sink_request_new_pad (GstElement *element, GstPadTemplate *templ,
    const gchar *name, const GstCaps *caps)
{
  GstTsRecSink *self = GST_TS_REC_SINK (element);
  GstPadTemplate *mux_templ;
  GstPad *target = NULL, *ghost;

  /* Without a mux the change to READY fails with an error, which is more
   * precise than a failed link. */
  if (!self->mux) {
    ghost = gst_ghost_pad_new_no_target_from_template (name, templ);
    gst_element_add_pad (element, ghost);
    return ghost;
  }
  mux_templ = gst_element_get_pad_template (
      self->mux, GST_PAD_TEMPLATE_NAME_TEMPLATE (templ));
  if (mux_templ)
    target = gst_element_request_pad (self->mux, mux_templ, name, caps);
  if (!target)
    goto no_pad;
  ghost = gst_ts_rec_sink_pad_new (templ, target);
  gst_object_unref (target);
  gst_pad_set_active (ghost, TRUE);
  if (!gst_element_add_pad (element, ghost))
    return NULL;
  gst_child_proxy_child_added (
      GST_CHILD_PROXY (self), G_OBJECT (ghost), GST_OBJECT_NAME (ghost));
  GST_INFO_OBJECT (self, "pad %s is there", GST_OBJECT_NAME (ghost));
  return ghost;

  /* ERRORS */
no_pad:
  GST_WARNING_OBJECT (self, "no pad \"%s\" of template %s", GST_STR_NULL (name),
      GST_PAD_TEMPLATE_NAME_TEMPLATE (templ));
  return NULL;
}

static void
gst_ts_rec_sink_release_pad (GstElement *element, GstPad *pad)
{
  GstTsRecSink *self = GST_TS_REC_SINK (element);
  GstPad *target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));

  GST_INFO_OBJECT (self, "pad %s goes", GST_OBJECT_NAME (pad));
  gst_pad_set_active (pad, FALSE);
  gst_child_proxy_child_removed (
      GST_CHILD_PROXY (self), G_OBJECT (pad), GST_OBJECT_NAME (pad));
  if (target) {
    gst_element_release_request_pad (self->mux, target);
    gst_object_unref (target);
  }
  gst_element_remove_pad (element, pad);
}

/* --- State --- */

/* Returns TRUE if the sink can get a file name. The sink itself cannot tell
 * whether a handler is connected to the signal of the bin. */
static gboolean
has_name (GstTsRecSink *self)
{
  gchar *location = NULL;
  gboolean has;

  g_object_get (self->sink, "location", &location, NULL);
  has = (location && location[0]) ||
      rec_proxy_has_handler (GST_ELEMENT (self), self->sink, "format-location");
  g_free (location);
  return has;
}

static void
log_transition (GstTsRecSink *self, GstStateChange transition)
{
  gchar *location = NULL;

  g_object_get (self->sink, "location", &location, NULL);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    GST_INFO_OBJECT (self, "recording begins, to \"%s\"",
        location ? location : "what format-location returns");
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    GST_INFO_OBJECT (self, "recording ends");
  g_free (location);
}

static GstStateChangeReturn
gst_ts_rec_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstTsRecSink *self = GST_TS_REC_SINK (element);

  if (transition == GST_STATE_CHANGE_NULL_TO_READY &&
      (!self->mux || !self->sink))
    goto missing;
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !has_name (self))
    goto no_location;
  log_transition (self, transition);
  return GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);

  /* ERRORS */
missing:
  GST_ELEMENT_ERROR (self, CORE, MISSING_PLUGIN,
      ("The element \"%s\" is missing: install the plugin \"tsrec\" "
       "completely.",
          self->mux ? SINK_FACTORY : MUX_FACTORY),
      ("tsrecsink is made of " MUX_FACTORY " and " SINK_FACTORY ", which come "
       "in the same plugin, \"tsrec\": install it completely."));
  return GST_STATE_CHANGE_FAILURE;
no_location:
  GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
      ("No file name to record to. Set location, for example to \"rec.ts\"."),
      (NULL));
  return GST_STATE_CHANGE_FAILURE;
}

/* --- Class --- */

/* Adds the templates of @l whose name begins with @prefix. Returns their
 * number. */
static guint
add_templates_of_kind (
    GstElementClass *klass, const GList *l, const gchar *prefix)
{
  guint n = 0;

  for (; l; l = l->next) {
    GstStaticPadTemplate *templ = l->data;

    if (templ->direction != GST_PAD_SINK ||
        !g_str_has_prefix (templ->name_template, prefix))
      continue;
    gst_element_class_add_static_pad_template_with_gtype (
        klass, templ, GST_TYPE_TS_REC_SINK_PAD);
    n++;
  }
  return n;
}

/* The order matters: a link takes the first template that fits, and a data pad
 * accepts any caps. */
static void
add_templates (GstElementClass *klass)
{
  static const gchar *const prefixes[] = { "video", "audio", "data" };
  GstElementFactory *mux = gst_element_factory_find (MUX_FACTORY);
  const GList *l =
      mux ? gst_element_factory_get_static_pad_templates (mux) : NULL;
  guint i, n = 0;

  for (i = 0; i < G_N_ELEMENTS (prefixes); i++)
    n += add_templates_of_kind (klass, l, prefixes[i]);
  for (i = 0; n == 0 && i < G_N_ELEMENTS (fallback_templates); i++)
    gst_element_class_add_static_pad_template (klass, &fallback_templates[i]);
  g_clear_pointer (&mux, gst_object_unref);
}

/* The inner elements are looked up by name, so that the elements do not depend
 * on each other. They are registered before this one. */
static guint
proxy_child (GObjectClass *klass, const gchar *factory_name,
    const gchar *prefix, guint first_id)
{
  GstElementFactory *factory = gst_element_factory_find (factory_name);
  GType type = factory ? gst_element_factory_get_element_type (factory) : 0;

  g_clear_pointer (&factory, gst_object_unref);
  if (!type)
    return first_id;
  rec_proxy_install_signals (G_OBJECT_CLASS_TYPE (klass), type, get_child);
  return rec_proxy_install_properties (
      klass, type, first_id, prefix, not_proxied);
}

static void
gst_ts_rec_sink_class_init (GstTsRecSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  guint id;

  GST_DEBUG_CATEGORY_INIT (
      gst_ts_rec_sink_debug, "tsrecsink", 0, "MPEG-TS recorder");
  object_class->set_property = gst_ts_rec_sink_set_property;
  object_class->get_property = gst_ts_rec_sink_get_property;
  element_class->request_new_pad = gst_ts_rec_sink_request_new_pad;
  element_class->release_pad = gst_ts_rec_sink_release_pad;
  element_class->change_state = gst_ts_rec_sink_change_state;

  /**
   * GstTsRecSink:stats:
   *
   * Fields of the `stats` of #tsrecmux and of #recfilesink in one
   * #GstStructure named `application/x-tsrecsink-stats`. May be read from any
   * thread, also while a write hangs.
   */
  g_object_class_install_property (object_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Statistics of the multiplexer and of the file sink in one structure",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  /**
   * GstTsRecSink:recording-id:
   *
   * Name of the recording in every message of the two inner elements, whose
   * own names are the same in every recording: a field of element messages,
   * and of the details of warnings and errors. Default: %NULL, which takes the
   * name from #GstTsRecSink:location without directory, suffix and
   * conversions, or if that is empty the name of the pipeline. May be set at
   * any time, from any thread.
   */
  g_object_class_install_property (object_class, PROP_RECORDING_ID,
      g_param_spec_string ("recording-id", "Recording ID",
          "Names the recording in messages (NULL: the name in location, "
          "else of the pipeline)",
          NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_PLAYING));
  id = proxy_child (object_class, SINK_FACTORY, "sink", PROP_FIRST_PROXIED);
  proxy_child (object_class, MUX_FACTORY, "mux", id);

  add_templates (element_class);
  gst_element_class_set_static_metadata (element_class, "MPEG-TS recorder",
      "Sink/Muxer/File",
      "Records live streams to an MPEG-TS file that is valid at every instant",
      "The gst-tsrec authors");
}

static GstElement *
add_child (GstTsRecSink *self, const gchar *factory_name, const gchar *name)
{
  GstElement *child = gst_element_factory_make (factory_name, name);

  if (!child)
    return NULL;
  gst_bin_add (GST_BIN (self), child);
  rec_proxy_connect (GST_ELEMENT (self), child);
  return child;
}

/* Replaces the templates of the class, which come from the factory of the mux,
 * by those of the mux itself. They accept links that the mux then refuses with
 * a reason. */
static void
copy_templates (GstElementClass *klass, GstElement *mux)
{
  static gsize done = 0;
  GList *l;

  if (!g_once_init_enter (&done))
    return;
  l = gst_element_class_get_pad_template_list (GST_ELEMENT_GET_CLASS (mux));
  for (; l; l = l->next) {
    GstPadTemplate *old, *templ = l->data;

    if (GST_PAD_TEMPLATE_DIRECTION (templ) != GST_PAD_SINK)
      continue;
    old = gst_element_class_get_pad_template (
        klass, GST_PAD_TEMPLATE_NAME_TEMPLATE (templ));
    if (old) { /* Not freed: another thread may be using it. */
      g_type_set_qdata (G_TYPE_FROM_CLASS (klass),
          g_quark_from_string (GST_PAD_TEMPLATE_NAME_TEMPLATE (templ)),
          gst_object_ref (old));
      GST_OBJECT_FLAG_SET (old, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    }
    templ =
        gst_pad_template_new_with_gtype (GST_PAD_TEMPLATE_NAME_TEMPLATE (templ),
            GST_PAD_SINK, GST_PAD_TEMPLATE_PRESENCE (templ),
            GST_PAD_TEMPLATE_CAPS (templ), GST_TYPE_TS_REC_SINK_PAD);
    /* A class takes a floating reference only for a new name. For a replaced
     * one, the first user of the template would own it, and a binding frees
     * what it owns. */
    if (old)
      gst_object_ref_sink (templ);
    gst_element_class_add_pad_template (klass, templ);
  }
  g_once_init_leave (&done, 1);
}

static void
gst_ts_rec_sink_init (GstTsRecSink *self)
{
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
  self->mux = add_child (self, MUX_FACTORY, "mux");
  self->sink = add_child (self, SINK_FACTORY, "sink");
  if (self->mux)
    copy_templates (GST_ELEMENT_GET_CLASS (self), self->mux);
  if (self->mux && self->sink)
    gst_element_link (self->mux, self->sink);
}
