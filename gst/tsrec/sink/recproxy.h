/* gst-tsrec: the properties and signals of an inner element, on its bin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bin class calls the install functions from its class_init and the connect
 * function when the child exists. Nothing about the child is known here, so
 * what a child gains appears on the bin by itself, documented as the child
 * documents it.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Installs on @klass a property for each one of @child_type and of its parents
 * up to, and without, GstElement, that the bin does not have yet. @first_id is
 * the first free property id; returns the next free one. A name the bin has
 * already is installed as "@prefix-NAME".
 * @without: names that are not installed, NULL-terminated. */
guint rec_proxy_install_properties (GObjectClass *klass, GType child_type,
    guint first_id, const gchar *prefix, const gchar *const *without);

/* The child class' own specification of the property behind @pspec of the bin,
 * NULL when @pspec was not made by rec_proxy_install_properties(). */
GParamSpec *rec_proxy_get_target (GParamSpec *pspec);

/* Adds to @bin_type each signal of @child_type that it does not have. An
 * action signal that is emitted on the bin is emitted on the child, which
 * @get_child names: it returns a borrowed child of that type, or NULL. */
typedef GstElement *(*RecProxyGetChild) (GstElement *bin, GType child_type);
void rec_proxy_install_signals (
    GType bin_type, GType child_type, RecProxyGetChild get_child);

/* From now on, each signal of @child is emitted on @bin too, in the same
 * thread, and what the bin's handlers return is returned to the child. Also
 * "notify" of the proxied properties. */
void rec_proxy_connect (GstElement *bin, GstElement *child);

/* Returns TRUE if a handler of the child's signal @name is there, on the bin or
 * on the child; what rec_proxy_connect() connects does not count. */
gboolean rec_proxy_has_handler (
    GstElement *bin, GstElement *child, const gchar *name);

G_END_DECLS
