/* gst-tsrec: what recmonitor costs a buffer, beside identity silent=true
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pushes the same buffer through each element in turn, many short rounds, and
 * compares the medians, so that whatever else the machine does hits both.
 * Exits with 1 when the monitor costs more than 100 ns over identity.
 */

#include <gst/gst.h>
#include <stdlib.h>

#define ROUNDS 41
#define PUSHES 20000
#define LIMIT 100.0

typedef struct
{
  const gchar *name;
  GstElement *element;
  GstPad *src, *sink;
  gdouble ns[ROUNDS];
} Candidate;

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
push_headers (GstPad *pad, const gchar *caps_str)
{
  GstCaps *caps = gst_caps_from_string (caps_str);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_stream_start ("s"));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

static void
candidate_init (
    Candidate *c, const gchar *name, const gchar *launch, const gchar *caps)
{
  GstPad *pad;

  c->name = name;
  c->element = gst_parse_launch (launch, NULL);
  if (!c->element)
    g_error ("no element for \"%s\"", launch);
  c->src = gst_pad_new ("src", GST_PAD_SRC);
  c->sink = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_chain_function (c->sink, chain);
  pad = gst_element_get_static_pad (c->element, "sink");
  gst_pad_link (c->src, pad);
  gst_object_unref (pad);
  pad = gst_element_get_static_pad (c->element, "src");
  gst_pad_link (pad, c->sink);
  gst_object_unref (pad);
  gst_pad_set_active (c->src, TRUE);
  gst_pad_set_active (c->sink, TRUE);
  gst_element_set_state (c->element, GST_STATE_PLAYING);
  push_headers (c->src, caps);
}

static void
candidate_clear (Candidate *c)
{
  gst_element_set_state (c->element, GST_STATE_NULL);
  gst_pad_set_active (c->src, FALSE);
  gst_pad_set_active (c->sink, FALSE);
  gst_object_unref (c->element);
  gst_object_unref (c->src);
  gst_object_unref (c->sink);
}

static gdouble
run_round (Candidate *c, GstBuffer *buffer)
{
  GstClockTime start = gst_util_get_timestamp ();
  guint i;

  for (i = 0; i < PUSHES; i++)
    gst_pad_push (c->src, gst_buffer_ref (buffer));
  return (gdouble)(gst_util_get_timestamp () - start) / PUSHES;
}

static int
compare (const void *a, const void *b)
{
  gdouble x = *(const gdouble *)a, y = *(const gdouble *)b;

  return x < y ? -1 : x > y;
}

static gdouble
get_median (Candidate *c)
{
  qsort (c->ns, ROUNDS, sizeof c->ns[0], compare);
  return c->ns[ROUNDS / 2];
}

int
main (int argc, char **argv)
{
  Candidate c[3];
  GstBuffer *buffer;
  gdouble base, cost;
  guint i, round;
  gboolean ok = TRUE;

  gst_init (&argc, &argv);
  candidate_init (
      &c[0], "identity silent=true", "identity silent=true", "video/x-h264");
  candidate_init (&c[1], "recmonitor", "recmonitor", "video/x-h264");
  candidate_init (
      &c[2], "recmonitor on RTP", "recmonitor", "application/x-rtp");
  buffer = gst_buffer_new_allocate (NULL, 1200, NULL);
  gst_buffer_memset (buffer, 0, 0x80, 1200);
  for (round = 0; round < ROUNDS; round++)
    for (i = 0; i < G_N_ELEMENTS (c); i++)
      c[i].ns[round] = run_round (&c[i], buffer);
  base = get_median (&c[0]);
  g_print ("%-22s %7.1f ns per buffer\n", c[0].name, base);
  for (i = 1; i < G_N_ELEMENTS (c); i++) {
    cost = get_median (&c[i]);
    g_print ("%-22s %7.1f ns per buffer, %+.1f ns over identity\n", c[i].name,
        cost, cost - base);
    ok = ok && cost - base <= LIMIT;
  }
  if (!ok)
    g_print ("the monitor may cost at most %.0f ns over identity\n", LIMIT);
  for (i = 0; i < G_N_ELEMENTS (c); i++)
    candidate_clear (&c[i]);
  gst_buffer_unref (buffer);
  return ok ? 0 : 1;
}
