/* gst-tsrec: properties and signals of an inner element on its bin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bin class calls the install functions from its class_init, and the connect
 * function when the child exists. Nothing about the child is known here: a new
 * property of the child appears on the bin, with the documentation of the
 * child.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Installs on @klass a property for each property of @child_type and its
 * parents, up to and without GstElement. A name that the bin already has is
 * installed as "@prefix-NAME". @first_id: first free property id; returns the
 * next free one. @without: names that are not installed, NULL-terminated. */
guint rec_proxy_install_properties (GObjectClass *klass, GType child_type,
    guint first_id, const gchar *prefix, const gchar *const *without);

/* Returns the specification of the child for @pspec of the bin, or NULL if
 * rec_proxy_install_properties() has not created @pspec. */
GParamSpec *rec_proxy_get_target (GParamSpec *pspec);

/* Adds to @bin_type each signal of @child_type that it does not have. An
 * action signal of the bin is emitted on the child, which @get_child returns:
 * a borrowed child of that type, or NULL. */
typedef GstElement *(*RecProxyGetChild) (GstElement *bin, GType child_type);
void rec_proxy_install_signals (
    GType bin_type, GType child_type, RecProxyGetChild get_child);

/* Emits each signal of @child on @bin too, in the same thread, and returns the
 * result of its handlers to the child. Also emits "notify" for the proxied
 * properties. */
void rec_proxy_connect (GstElement *bin, GstElement *child);

/* Returns TRUE if a handler is connected to the signal @name of the bin or of
 * the child. Handlers of rec_proxy_connect() do not count. */
gboolean rec_proxy_has_handler (
    GstElement *bin, GstElement *child, const gchar *name);

G_END_DECLS
