/* gst-tsrec: counts what enters an element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recinputcounter.h"

typedef struct
{
  GstPad *pad;
  gulong probe;
} WatchedPad;

struct _RecInputCounter
{
  RecFlowCounters *flow;
  GstElement *element;
  GArray *pads; /* of WatchedPad */
};

static GstPadProbeReturn
count_entry (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  guint n = 1;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    n = gst_buffer_list_length (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
  rec_flow_counters_frames (user_data, n);
  return GST_PAD_PROBE_OK;
}

static void
watched_pad_clear (gpointer data)
{
  WatchedPad *w = data;

  gst_pad_remove_probe (w->pad, w->probe);
  gst_object_unref (w->pad);
}

RecInputCounter *
rec_input_counter_new (RecFlowCounters *flow)
{
  RecInputCounter *watch = g_new0 (RecInputCounter, 1);

  watch->flow = rec_flow_counters_ref (flow);
  watch->pads = g_array_new (FALSE, FALSE, sizeof (WatchedPad));
  g_array_set_clear_func (watch->pads, watched_pad_clear);
  return watch;
}

static gboolean
is_watched (const RecInputCounter *watch, GstPad *pad)
{
  guint i;

  for (i = 0; i < watch->pads->len; i++)
    if (g_array_index (watch->pads, WatchedPad, i).pad == pad)
      return TRUE;
  return FALSE;
}

static gboolean
watch_pad (GstElement *element, GstPad *pad, gpointer user_data)
{
  RecInputCounter *watch = user_data;
  WatchedPad w;

  if (is_watched (watch, pad))
    return TRUE;
  w.pad = gst_object_ref (pad);
  w.probe = gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count_entry,
      rec_flow_counters_ref (watch->flow),
      (GDestroyNotify)rec_flow_counters_unref);
  g_array_append_val (watch->pads, w);
  return TRUE;
}

void
rec_input_counter_set_element (RecInputCounter *watch, GstElement *element)
{
  if (element != watch->element) {
    g_array_set_size (watch->pads, 0);
    gst_object_replace ((GstObject **)&watch->element, GST_OBJECT (element));
  }
  /* Also for an element that is watched already: a bin around an encoder gets
   * its pads late. */
  if (element)
    gst_element_foreach_sink_pad (element, watch_pad, watch);
}

gboolean
rec_input_counter_is_set (const RecInputCounter *watch)
{
  return watch->element != NULL;
}

void
rec_input_counter_free (RecInputCounter *watch)
{
  rec_input_counter_set_element (watch, NULL);
  g_array_unref (watch->pads);
  rec_flow_counters_unref (watch->flow);
  g_free (watch);
}
