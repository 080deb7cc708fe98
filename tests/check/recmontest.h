/* gst-tsrec: what the tests of recmonitor share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/check/gsttestclock.h>

#include "rectest.h"

G_BEGIN_DECLS

/* --- a clock that only the test moves ------------------------------------ */

/* Runs the only timer on @clock up to and including @time, and returns when
 * what was due then is done. */
static inline void
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

static inline void
rec_run_for (GstTestClock *clock, GstClockTime span)
{
  rec_run_until (clock, gst_clock_get_time (GST_CLOCK (clock)) + span);
}

/* --- messages ------------------------------------------------------------ */

/* Takes messages off the bus up to one whose structure has this name; NULL
 * when there is none. */
static inline GstMessage *
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

/* How many messages of this name wait on the bus; takes all off it. */
static inline guint
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

static inline guint64
rec_get_uint64 (const GstStructure *s, const gchar *field)
{
  guint64 value = G_MAXUINT64;

  fail_unless (gst_structure_get_uint64 (s, field, &value),
      "no guint64 field \"%s\" in %s", field, gst_structure_get_name (s));
  return value;
}

/* The field of the stats property. */
static inline guint64
rec_stat (GstElement *monitor, const gchar *field)
{
  GstStructure *s = NULL;
  guint64 value;

  g_object_get (monitor, "stats", &s, NULL);
  value = rec_get_uint64 (s, field);
  gst_structure_free (s);
  return value;
}

/* --- an encoder that swallows frames ------------------------------------- */

typedef struct
{
  GstElement parent;
  GstPad *sinkpad, *srcpad;
  gint swallow; /* atomic */
} RecTestEncoder;

typedef struct
{
  GstElementClass parent_class;
} RecTestEncoderClass;

GType rec_test_encoder_get_type (void);

G_DEFINE_TYPE (RecTestEncoder, rec_test_encoder, GST_TYPE_ELEMENT)

static GstFlowReturn
rec_test_encoder_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  RecTestEncoder *self = (RecTestEncoder *)parent;

  if (!g_atomic_int_get (&self->swallow))
    return gst_pad_push (self->srcpad, buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
rec_test_encoder_class_init (RecTestEncoderClass *klass)
{
  static GstStaticPadTemplate sink = GST_STATIC_PAD_TEMPLATE (
      "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  static GstStaticPadTemplate src = GST_STATIC_PAD_TEMPLATE (
      "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  gst_element_class_add_static_pad_template (element_class, &sink);
  gst_element_class_add_static_pad_template (element_class, &src);
  gst_element_class_set_static_metadata (element_class, "Test encoder",
      "Codec/Encoder/Video", "Passes frames on, or swallows them", "gst-tsrec");
}

static void
rec_test_encoder_init (RecTestEncoder *self)
{
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (self);

  self->sinkpad = gst_pad_new_from_template (
      gst_element_class_get_pad_template (klass, "sink"), "sink");
  gst_pad_set_chain_function (self->sinkpad, rec_test_encoder_chain);
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  self->srcpad = gst_pad_new_from_template (
      gst_element_class_get_pad_template (klass, "src"), "src");
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

static inline GstElement *
rec_test_encoder_new (gboolean swallow)
{
  RecTestEncoder *encoder = g_object_new (rec_test_encoder_get_type (), NULL);

  encoder->swallow = swallow;
  return GST_ELEMENT (encoder);
}

static inline void
rec_test_encoder_set_swallow (GstElement *encoder, gboolean swallow)
{
  g_atomic_int_set (&((RecTestEncoder *)encoder)->swallow, swallow);
}

G_END_DECLS
