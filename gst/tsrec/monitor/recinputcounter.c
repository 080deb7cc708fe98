/* gst-tsrec: counts the buffers that enter an element
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
  RecInputCounter *counter = g_new0 (RecInputCounter, 1);

  counter->flow = rec_flow_counters_ref (flow);
  counter->pads = g_array_new (FALSE, FALSE, sizeof (WatchedPad));
  g_array_set_clear_func (counter->pads, watched_pad_clear);
  return counter;
}

static gboolean
is_watched (const RecInputCounter *counter, GstPad *pad)
{
  guint i;

  for (i = 0; i < counter->pads->len; i++)
    if (g_array_index (counter->pads, WatchedPad, i).pad == pad)
      return TRUE;
  return FALSE;
}

static gboolean
watch_pad (GstElement *element, GstPad *pad, gpointer user_data)
{
  RecInputCounter *counter = user_data;
  WatchedPad w;

  if (is_watched (counter, pad))
    return TRUE;
  w.pad = gst_object_ref (pad);
  w.probe = gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count_entry,
      rec_flow_counters_ref (counter->flow),
      (GDestroyNotify)rec_flow_counters_unref);
  g_array_append_val (counter->pads, w);
  return TRUE;
}

void
rec_input_counter_set_element (RecInputCounter *counter, GstElement *element)
{
  if (element != counter->element) {
    g_array_set_size (counter->pads, 0);
    gst_object_replace ((GstObject **)&counter->element, GST_OBJECT (element));
  }
  /* Also for an element that is watched already: a bin around an encoder gets
   * its pads late. */
  if (element)
    gst_element_foreach_sink_pad (element, watch_pad, counter);
}

void
rec_input_counter_free (RecInputCounter *counter)
{
  rec_input_counter_set_element (counter, NULL);
  g_array_unref (counter->pads);
  rec_flow_counters_unref (counter->flow);
  g_free (counter);
}
