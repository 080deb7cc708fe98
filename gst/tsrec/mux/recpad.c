/* gst-tsrec: the peer of a pad
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recpad.h"

/* Limit of the depth, so that loops end. */
#define MAX_DEPTH 64

GstPad *
rec_pad_get_peer (GstPad *pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  while (peer && GST_IS_PROXY_PAD (peer)) {
    GstProxyPad *internal = gst_proxy_pad_get_internal (GST_PROXY_PAD (peer));

    gst_object_unref (peer);
    peer = internal ? gst_pad_get_peer (GST_PAD (internal)) : NULL;
    gst_clear_object (&internal);
  }
  return peer;
}

gboolean
rec_pad_is_linked (GstPad *pad)
{
  GstPad *peer = rec_pad_get_peer (pad);
  gboolean linked = peer != NULL;

  gst_clear_object (&peer);
  return linked;
}

/* --- Where data can come from --- */

static gboolean is_fed (GstPad *pad, guint depth);

/* Returns the sink pads of @element, referenced. */
static GPtrArray *
get_sink_pads (GstElement *element)
{
  GPtrArray *pads = g_ptr_array_new_with_free_func (gst_object_unref);

  GST_OBJECT_LOCK (element);
  for (GList *l = element->sinkpads; l; l = l->next)
    g_ptr_array_add (pads, gst_object_ref (l->data));
  GST_OBJECT_UNLOCK (element);
  return pads;
}

/* Returns TRUE if @element can send data. An element without sink pads is a
 * source, or may still request some. */
static gboolean
can_send (GstElement *element, guint depth)
{
  GPtrArray *pads = get_sink_pads (element);
  gboolean can = pads->len == 0 ||
      GST_OBJECT_FLAG_IS_SET (element, GST_ELEMENT_FLAG_SOURCE);

  for (guint i = 0; i < pads->len && !can; i++)
    can = is_fed (g_ptr_array_index (pads, i), depth + 1);
  g_ptr_array_unref (pads);
  return can;
}

static gboolean
is_fed (GstPad *pad, guint depth)
{
  GstPad *peer = rec_pad_get_peer (pad);
  GstElement *element;
  gboolean fed;

  if (!peer)
    return FALSE;
  element = gst_pad_get_parent_element (peer);
  fed = !element || depth >= MAX_DEPTH || can_send (element, depth);
  gst_clear_object (&element);
  gst_object_unref (peer);
  return fed;
}

gboolean
rec_pad_is_fed (GstPad *pad)
{
  return is_fed (pad, 0);
}

/* --- Links that end --- */

typedef struct
{
  RecPadUnlinked func;
  gpointer data;
} Watch;

static GQuark
watch_quark (void)
{
  return g_quark_from_static_string ("rec-pad-watch");
}

/* Handler of "unlinked" of @linked, which is @pad or a ghost pad of it. */
static void
on_unlinked (GstPad *linked, GstPad *peer, GstPad *pad)
{
  Watch *watch = g_object_get_qdata (G_OBJECT (pad), watch_quark ());

  if (watch)
    watch->func (pad, watch->data);
}

static void
on_linked (GstPad *linked, GstPad *peer, GstPad *pad)
{
  rec_pad_watch_peer (pad, peer);
}

void
rec_pad_watch_unlinked (GstPad *pad, RecPadUnlinked func, gpointer data)
{
  Watch *watch = g_new (Watch, 1);

  watch->func = func;
  watch->data = data;
  g_object_set_qdata_full (G_OBJECT (pad), watch_quark (), watch, g_free);
  g_signal_connect (pad, "unlinked", G_CALLBACK (on_unlinked), pad);
}

void
rec_pad_watch_peer (GstPad *pad, GstPad *peer)
{
  GstProxyPad *ghost;

  if (!GST_IS_PROXY_PAD (peer) || GST_IS_GHOST_PAD (peer))
    return;
  ghost = gst_proxy_pad_get_internal (GST_PROXY_PAD (peer));
  if (!ghost)
    return;
  if (!g_signal_handler_find (ghost, G_SIGNAL_MATCH_FUNC | G_SIGNAL_MATCH_DATA,
          0, 0, NULL, on_unlinked, pad)) {
    g_signal_connect_object (
        ghost, "unlinked", G_CALLBACK (on_unlinked), pad, 0);
    g_signal_connect_object (ghost, "linked", G_CALLBACK (on_linked), pad, 0);
  }
  gst_object_unref (ghost);
}
