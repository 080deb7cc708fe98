/* gst-tsrec: fixtures of the tests of recmonitor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recmontest.h"

/* --- a clock that only the test moves ------------------------------------ */

void
rec_run_until (GstTestClock *clock, GstClockTime time)
{
  for (;;) {
    GstClockID id;
    GstClockTime next;

    gst_test_clock_wait_for_next_pending_id (clock, &id);
    next = gst_clock_id_get_time (id);
    gst_clock_id_unref (id);
    if (next > time)
      break;
    fail_unless (gst_test_clock_crank (clock));
  }
  if (gst_clock_get_time (GST_CLOCK (clock)) < time)
    gst_test_clock_set_time (clock, time);
}

void
rec_run_for (GstTestClock *clock, GstClockTime span)
{
  rec_run_until (clock, gst_clock_get_time (GST_CLOCK (clock)) + span);
}

/* --- messages ------------------------------------------------------------ */

GstMessage *
rec_pop_named (GstBus *bus, const gchar *name)
{
  GstMessage *msg;

  while ((msg = gst_bus_pop (bus)) != NULL) {
    const GstStructure *s = gst_message_get_structure (msg);

    if (s && gst_structure_has_name (s, name))
      return msg;
    gst_message_unref (msg);
  }
  return NULL;
}

guint
rec_count_named (GstBus *bus, const gchar *name)
{
  GstMessage *msg;
  guint n = 0;

  while ((msg = rec_pop_named (bus, name)) != NULL) {
    gst_message_unref (msg);
    n++;
  }
  return n;
}

guint64
rec_get_uint64 (const GstStructure *s, const gchar *field)
{
  guint64 value = G_MAXUINT64;

  fail_unless (gst_structure_get_uint64 (s, field, &value),
      "no guint64 field \"%s\" in %s", field, gst_structure_get_name (s));
  return value;
}

guint64
rec_stat (GstElement *monitor, const gchar *field)
{
  GstStructure *s = NULL;
  guint64 value;

  g_object_get (monitor, "stats", &s, NULL);
  value = rec_get_uint64 (s, field);
  gst_structure_free (s);
  return value;
}

/* --- stages that pass on, or swallow ------------------------------------- */

/* One kind of element each, by klass; all have the pads "sink", "sink1" and
 * "src". Buffers are forwarded, or dropped. */
typedef struct
{
  GstElement parent;
  GstPad *srcpad;
  gint swallow; /* atomic */
} RecTestStage;

typedef GstElementClass RecTestStageClass;

static GstFlowReturn
rec_test_stage_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  RecTestStage *self = (RecTestStage *)parent;

  if (!g_atomic_int_get (&self->swallow))
    return gst_pad_push (self->srcpad, buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

/* The output has other caps than the input. */
static gboolean
rec_test_stage_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    GstCaps *caps = gst_caps_new_empty_simple ("video/x-test");

    gst_event_unref (event);
    event = gst_event_new_caps (caps);
    gst_caps_unref (caps);
  }
  return gst_pad_event_default (pad, parent, event);
}

/* @class_data: the klass */
static void
rec_test_stage_class_init (gpointer klass, gpointer class_data)
{
  gst_element_class_set_metadata (
      klass, "Test stage", class_data, "Passes on, or swallows", "gst-tsrec");
}

static void
rec_test_stage_init (GTypeInstance *instance, gpointer klass)
{
  static const gchar *const sinks[] = { "sink", "sink1" };
  RecTestStage *self = (RecTestStage *)instance;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (sinks); i++) {
    GstPad *pad = gst_pad_new (sinks[i], GST_PAD_SINK);

    gst_pad_set_chain_function (pad, rec_test_stage_chain);
    gst_pad_set_event_function (pad, rec_test_stage_event);
    gst_element_add_pad (GST_ELEMENT (self), pad);
  }
  self->srcpad = gst_pad_new ("src", GST_PAD_SRC);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

GstElement *
rec_test_stage_new (const gchar *klass, const gchar *name)
{
  gchar *type_name = g_strdup_printf ("RecTest-%s", klass);
  GType type;

  g_strdelimit (type_name, "/", '-');
  type = g_type_from_name (type_name);
  if (!type) {
    const GTypeInfo info = { sizeof (RecTestStageClass), NULL, NULL,
      rec_test_stage_class_init, NULL, klass, sizeof (RecTestStage), 0,
      rec_test_stage_init, NULL };

    type = g_type_register_static (GST_TYPE_ELEMENT, type_name, &info, 0);
  }
  g_free (type_name);
  return g_object_new (type, "name", name, NULL);
}

void
rec_test_stage_set_swallow (GstElement *stage, gboolean swallow)
{
  g_atomic_int_set (&((RecTestStage *)stage)->swallow, swallow);
}

GstElement *
rec_test_encoder_new (gboolean swallow)
{
  GstElement *encoder = rec_test_stage_new ("Codec/Encoder/Video", NULL);

  rec_test_stage_set_swallow (encoder, swallow);
  return encoder;
}

/* --- one monitor --------------------------------------------------------- */

void
rec_rig_init (RecRig *f, GstElement *encoder)
{
  GstPad *pad;

  f->bin = gst_bin_new ("rig");
  f->encoder = encoder;
  f->monitor = gst_element_factory_make ("recmonitor", "mon");
  fail_unless (f->monitor != NULL);
  f->clock = GST_TEST_CLOCK (gst_test_clock_new ());
  g_object_set (f->monitor, "clock", f->clock, NULL);
  f->bus = gst_bus_new ();
  gst_bin_add (GST_BIN (f->bin), f->monitor);
  if (encoder) {
    gst_bin_add (GST_BIN (f->bin), encoder);
    fail_unless (gst_element_link (encoder, f->monitor));
  }
  gst_element_set_bus (f->bin, f->bus);
  pad = gst_element_get_static_pad (encoder ? encoder : f->monitor, "sink");
  gst_element_add_pad (f->bin, gst_ghost_pad_new ("sink", pad));
  gst_object_unref (pad);
  pad = gst_element_get_static_pad (f->monitor, "src");
  gst_element_add_pad (f->bin, gst_ghost_pad_new ("src", pad));
  gst_object_unref (pad);
  f->h = gst_harness_new_with_element (f->bin, "sink", "src");
  gst_harness_set_src_caps_str (f->h, "video/x-test");
}

void
rec_rig_clear (RecRig *f)
{
  gst_harness_teardown (f->h);
  gst_element_set_bus (f->bin, NULL);
  gst_object_unref (f->bus);
  gst_object_unref (f->bin);
  gst_object_unref (f->clock);
}

void
rec_rig_push (RecRig *f, guint n)
{
  while (n-- > 0)
    fail_unless_equals_int (
        gst_harness_push (f->h, gst_buffer_new_allocate (NULL, 100, NULL)),
        GST_FLOW_OK);
}
