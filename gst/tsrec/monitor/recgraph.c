/* gst-tsrec: walks the elements upstream or downstream of a pad
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recgraph.h"

#include <string.h>

/* --- Walking --- */

typedef struct
{
  RecGraphFunc func;
  gpointer user_data;
  GHashTable *seen; /* elements, by address only */
} Walk;

/* The pad of a real element at the other end of @pad's link, or NULL; the ghost
 * pad of a bin where that has no target. */
static GstPad *
get_real_peer (GstPad *pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  while (peer && GST_IS_PROXY_PAD (peer)) {
    GstPad *next;

    if (GST_IS_GHOST_PAD (peer)) {
      /* of a bin: go inside */
      next = gst_ghost_pad_get_target (GST_GHOST_PAD (peer));
      if (!next)
        return peer;
    } else {
      /* the inner half of a ghost pad: leave the bin */
      GstProxyPad *ghost = gst_proxy_pad_get_internal (GST_PROXY_PAD (peer));

      next = ghost ? gst_pad_get_peer (GST_PAD (ghost)) : NULL;
      gst_clear_object (&ghost);
    }
    gst_object_unref (peer);
    peer = next;
  }
  return peer;
}

static void walk_pad (Walk *walk, GstPad *pad);

static void
walk_linked_pad (const GValue *value, gpointer user_data)
{
  walk_pad (user_data, g_value_get_object (value));
}

/* Iterates over the pads that the pad of an element leads to. A bin whose pad has
 * no target (a switchbin without a chosen path) is passed as a whole. */
static GstIterator *
iterate_links (GstElement *element, GstPad *peer)
{
  if (!GST_IS_GHOST_PAD (peer))
    return gst_pad_iterate_internal_links (peer);
  return GST_PAD_IS_SRC (peer) ? gst_element_iterate_sink_pads (element)
                               : gst_element_iterate_src_pads (element);
}

static void
walk_inside (Walk *walk, GstElement *element, GstPad *peer)
{
  GstIterator *it = iterate_links (element, peer);

  if (!it)
    return;
  /* An element whose pads change during the walk is walked again, without the
   * elements already seen. */
  while (
      gst_iterator_foreach (it, walk_linked_pad, walk) == GST_ITERATOR_RESYNC)
    gst_iterator_resync (it);
  gst_iterator_free (it);
}

static void
walk_pad (Walk *walk, GstPad *pad)
{
  GstPad *peer = get_real_peer (pad);
  GstElement *element = peer ? gst_pad_get_parent_element (peer) : NULL;

  if (element && g_hash_table_add (walk->seen, element) &&
      walk->func (element, peer, walk->user_data))
    walk_inside (walk, element, peer);
  gst_clear_object (&element);
  gst_clear_object (&peer);
}

void
rec_graph_foreach (GstPad *pad, RecGraphFunc func, gpointer user_data)
{
  Walk walk = { func, user_data, g_hash_table_new (NULL, NULL) };

  walk_pad (&walk, pad);
  g_hash_table_unref (walk.seen);
}

gboolean
rec_graph_element_is (GstElement *element, const gchar *word)
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
note_encoder (GstElement *element, GstPad *peer, gpointer user_data)
{
  GstElement **found = user_data;

  if (!rec_graph_element_is (element, "Encoder"))
    return TRUE;
  if (!*found ||
      (rec_graph_element_is (element, "Video") &&
          !rec_graph_element_is (*found, "Video")))
    gst_object_replace ((GstObject **)found, GST_OBJECT (element));
  return FALSE;
}

GstElement *
rec_graph_find_encoder (GstPad *pad)
{
  GstElement *encoder = NULL;

  rec_graph_foreach (pad, note_encoder, &encoder);
  return encoder;
}
