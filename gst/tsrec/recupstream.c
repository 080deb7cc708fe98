/* gst-tsrec: what stands upstream of a pad, and frames entering an encoder
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recupstream.h"

#include <string.h>

/* --- walking ------------------------------------------------------------- */

typedef struct
{
  RecUpstreamFunc func;
  gpointer user_data;
  GHashTable *seen; /* elements, by address only */
} Walk;

/* The source pad of a real element that feeds @pad, or NULL. */
static GstPad *
get_feeding_pad (GstPad *pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  while (peer && GST_IS_PROXY_PAD (peer)) {
    GstPad *next;

    if (GST_IS_GHOST_PAD (peer)) {
      /* out of a bin: go inside */
      next = gst_ghost_pad_get_target (GST_GHOST_PAD (peer));
    } else {
      /* the inner half of a ghost sink pad: leave the bin */
      GstProxyPad *ghost = gst_proxy_pad_get_internal (GST_PROXY_PAD (peer));

      next = ghost ? gst_pad_get_peer (GST_PAD (ghost)) : NULL;
      gst_clear_object (&ghost);
    }
    gst_object_unref (peer);
    peer = next;
  }
  return peer;
}

static void walk_pad (Walk *walk, GstPad *sinkpad);

static void
walk_linked_pad (const GValue *value, gpointer user_data)
{
  walk_pad (user_data, g_value_get_object (value));
}

static void
walk_inside (Walk *walk, GstPad *srcpad)
{
  GstIterator *it = gst_pad_iterate_internal_links (srcpad);

  if (!it)
    return;
  /* An element that changes its pads meanwhile is walked again; those already
   * seen are left out then. */
  while (
      gst_iterator_foreach (it, walk_linked_pad, walk) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (it);
  gst_iterator_free (it);
}

static void
walk_pad (Walk *walk, GstPad *sinkpad)
{
  GstPad *srcpad = get_feeding_pad (sinkpad);
  GstElement *element = srcpad ? gst_pad_get_parent_element (srcpad) : NULL;

  if (element && g_hash_table_add (walk->seen, element) &&
      walk->func (element, srcpad, walk->user_data))
    walk_inside (walk, srcpad);
  gst_clear_object (&element);
  gst_clear_object (&srcpad);
}

void
rec_upstream_walk (GstPad *sinkpad, RecUpstreamFunc func, gpointer user_data)
{
  Walk walk = { func, user_data, g_hash_table_new (NULL, NULL) };

  walk_pad (&walk, sinkpad);
  g_hash_table_unref (walk.seen);
}

gboolean
rec_element_is (GstElement *element, const gchar *word)
{
  const gchar *klass = gst_element_class_get_metadata (
      GST_ELEMENT_GET_CLASS (element), GST_ELEMENT_METADATA_KLASS);
  gsize length = strlen (word);

  while (klass) {
    if (strncmp (klass, word, length) == 0 &&
        (klass[length] == '/' || klass[length] == '\0'))
      return TRUE;
    klass = strchr (klass, '/');
    if (klass)
      klass++;
  }
  return FALSE;
}

/* user_data: GstElement **, the best one so far */
static gboolean
note_encoder (GstElement *element, GstPad *srcpad, gpointer user_data)
{
  GstElement **found = user_data;

  if (!rec_element_is (element, "Encoder"))
    return TRUE;
  if (!*found ||
      (rec_element_is (element, "Video") && !rec_element_is (*found, "Video")))
    gst_object_replace ((GstObject **)found, GST_OBJECT (element));
  return FALSE;
}

GstElement *
rec_upstream_find_encoder (GstPad *sinkpad)
{
  GstElement *encoder = NULL;

  rec_upstream_walk (sinkpad, note_encoder, &encoder);
  return encoder;
}

/* --- counting ------------------------------------------------------------ */

typedef struct
{
  GstPad *pad;
  gulong probe;
} WatchedPad;

struct _RecEntryWatch
{
  FlowCount *flow;
  GstElement *element;
  GArray *pads; /* of WatchedPad */
};

static GstPadProbeReturn
count_entry (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  guint n = 1;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    n = gst_buffer_list_length (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
  flow_count_frames (user_data, n);
  return GST_PAD_PROBE_OK;
}

static void
watched_pad_clear (gpointer data)
{
  WatchedPad *w = data;

  gst_pad_remove_probe (w->pad, w->probe);
  gst_object_unref (w->pad);
}

RecEntryWatch *
rec_entry_watch_new (FlowCount *flow)
{
  RecEntryWatch *watch = g_new0 (RecEntryWatch, 1);

  watch->flow = flow_count_ref (flow);
  watch->pads = g_array_new (FALSE, FALSE, sizeof (WatchedPad));
  g_array_set_clear_func (watch->pads, watched_pad_clear);
  return watch;
}

static gboolean
is_watched (const RecEntryWatch *watch, GstPad *pad)
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
  RecEntryWatch *watch = user_data;
  WatchedPad w;

  if (is_watched (watch, pad))
    return TRUE;
  w.pad = gst_object_ref (pad);
  w.probe = gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count_entry,
      flow_count_ref (watch->flow), (GDestroyNotify)flow_count_unref);
  g_array_append_val (watch->pads, w);
  return TRUE;
}

void
rec_entry_watch_set (RecEntryWatch *watch, GstElement *element)
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
rec_entry_watch_is_set (const RecEntryWatch *watch)
{
  return watch->element != NULL;
}

void
rec_entry_watch_free (RecEntryWatch *watch)
{
  rec_entry_watch_set (watch, NULL);
  g_array_unref (watch->pads);
  flow_count_unref (watch->flow);
  g_free (watch);
}
