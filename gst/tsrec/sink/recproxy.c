/* gst-tsrec: the properties and signals of an inner element, on its bin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recproxy.h"

#include <string.h>

static GQuark
target_quark (void)
{
  return g_quark_from_static_string ("rec-proxy-target");
}

/* The copies of numeric kinds differ only in their names. */
#define CLONE_NUMBER(Type, type, TYPE)                                         \
  if (G_IS_PARAM_SPEC_##TYPE (p)) {                                            \
    GParamSpec##Type *q = G_PARAM_SPEC_##TYPE (p);                             \
    return g_param_spec_##type (                                               \
        name, nick, blurb, q->minimum, q->maximum, q->default_value, flags);   \
  }

/* Knows the kinds that the inner elements have. Returns NULL, after a critical
 * warning, for another kind: add it here. */
static GParamSpec *
clone_property (GParamSpec *p, const gchar *name, GParamFlags flags)
{
  const gchar *nick = g_param_spec_get_nick (p);
  const gchar *blurb = g_param_spec_get_blurb (p);
  GType type = G_PARAM_SPEC_VALUE_TYPE (p);

  CLONE_NUMBER (Int, int, INT)
  CLONE_NUMBER (UInt, uint, UINT)
  CLONE_NUMBER (UInt64, uint64, UINT64)
  if (G_IS_PARAM_SPEC_BOOLEAN (p))
    return g_param_spec_boolean (
        name, nick, blurb, G_PARAM_SPEC_BOOLEAN (p)->default_value, flags);
  if (G_IS_PARAM_SPEC_STRING (p))
    return g_param_spec_string (
        name, nick, blurb, G_PARAM_SPEC_STRING (p)->default_value, flags);
  if (G_IS_PARAM_SPEC_ENUM (p))
    return g_param_spec_enum (
        name, nick, blurb, type, G_PARAM_SPEC_ENUM (p)->default_value, flags);
  if (G_IS_PARAM_SPEC_BOXED (p))
    return g_param_spec_boxed (name, nick, blurb, type, flags);
  g_critical (
      "%s: properties of type %s are not proxied", p->name, g_type_name (type));
  return NULL;
}

guint
rec_proxy_install_properties (GObjectClass *klass, GType child_type,
    guint first_id, const gchar *prefix, const gchar *const *without)
{
  GObjectClass *child = g_type_class_ref (child_type);
  guint i, n, id = first_id;
  GParamSpec **specs = g_object_class_list_properties (child, &n);

  for (i = 0; i < n; i++) {
    GParamSpec *p = specs[i], *clone;
    GParamFlags flags = p->flags &
        ~(G_PARAM_CONSTRUCT | G_PARAM_STATIC_NAME | G_PARAM_STATIC_NICK |
            G_PARAM_STATIC_BLURB);
    gchar *name;

    if (g_type_is_a (GST_TYPE_ELEMENT, p->owner_type) ||
        (p->flags & G_PARAM_CONSTRUCT_ONLY) ||
        g_strv_contains (without, p->name))
      continue;
    if (g_object_class_find_property (klass, p->name))
      name = g_strconcat (prefix, "-", p->name, NULL);
    else
      name = g_strdup (p->name);
    clone = clone_property (p, name, flags);
    if (clone) {
      g_param_spec_set_qdata (clone, target_quark (), p);
      g_object_class_install_property (klass, id++, clone);
    }
    g_free (name);
  }
  g_free (specs);
  /* The class stays referenced: the new specifications point into it. */
  return id;
}

GParamSpec *
rec_proxy_get_target (GParamSpec *pspec)
{
  return g_param_spec_get_qdata (pspec, target_quark ());
}

/* --- Signals --- */

/* Emits the signal @signal_id of @to with the arguments of an emission on
 * another object. */
static void
emit_on (GstElement *to, guint signal_id, GValue *ret, guint n_values,
    const GValue *values)
{
  GValue *args = g_new0 (GValue, n_values);
  guint i;

  g_value_init (&args[0], G_OBJECT_TYPE (to));
  g_value_set_object (&args[0], to);
  for (i = 1; i < n_values; i++) {
    g_value_init (&args[i], G_VALUE_TYPE (&values[i]));
    g_value_copy (&values[i], &args[i]);
  }
  g_signal_emitv (args, signal_id, 0, ret);
  for (i = 0; i < n_values; i++)
    g_value_unset (&args[i]);
  g_free (args);
}

typedef struct
{
  GType child_type;
  guint child_signal_id;
  RecProxyGetChild get_child;
} ActionTarget;

/* Class closure of an action signal of the bin. */
static void
forward_action (GClosure *closure, GValue *ret, guint n_values,
    const GValue *values, gpointer hint, gpointer data)
{
  ActionTarget *target = closure->data;
  GstElement *bin = g_value_get_object (&values[0]);
  GstElement *child = target->get_child (bin, target->child_type);

  if (child)
    emit_on (child, target->child_signal_id, ret, n_values, values);
}

static void
install_signal (GType bin_type, GType child_type, guint child_signal_id,
    RecProxyGetChild get_child)
{
  GClosure *closure = NULL;
  GSignalQuery query;

  g_signal_query (child_signal_id, &query);
  if (g_signal_lookup (query.signal_name, bin_type))
    return;
  if (query.signal_flags & G_SIGNAL_ACTION) {
    ActionTarget *target = g_new0 (ActionTarget, 1);

    target->child_type = child_type;
    target->child_signal_id = child_signal_id;
    target->get_child = get_child;
    closure = g_closure_new_simple (sizeof (GClosure), target);
    g_closure_set_marshal (closure, forward_action);
  }
  g_signal_newv (query.signal_name, bin_type, query.signal_flags, closure, NULL,
      NULL, NULL, query.return_type, query.n_params,
      (GType *)query.param_types);
}

void
rec_proxy_install_signals (
    GType bin_type, GType child_type, RecProxyGetChild get_child)
{
  GType type;
  guint *ids, i, n;

  /* The signals of a type exist once its class does. The class stays
   * referenced. */
  g_type_class_ref (child_type);
  for (type = child_type; type && type != GST_TYPE_ELEMENT;
       type = g_type_parent (type)) {
    ids = g_signal_list_ids (type, &n);
    for (i = 0; i < n; i++)
      install_signal (bin_type, child_type, ids[i], get_child);
    g_free (ids);
  }
}

typedef struct
{
  GWeakRef bin;
  guint bin_signal_id;
} EmitTarget;

static void
emit_target_free (gpointer data, GClosure *closure)
{
  EmitTarget *target = data;

  g_weak_ref_clear (&target->bin);
  g_free (target);
}

/* Handler of the signal of the child: calls the handlers of the bin. */
static void
emit_on_bin (GClosure *closure, GValue *ret, guint n_values,
    const GValue *values, gpointer hint, gpointer data)
{
  EmitTarget *target = closure->data;
  GstElement *bin = g_weak_ref_get (&target->bin);

  if (!bin)
    return;
  emit_on (bin, target->bin_signal_id, ret, n_values, values);
  gst_object_unref (bin);
}

/* Returns the quark of the handler that emits @signal_name on the bin. */
static GQuark
forwarder_quark (const gchar *signal_name)
{
  gchar *text = g_strconcat ("rec-proxy-forwarder-", signal_name, NULL);
  GQuark quark = g_quark_from_string (text);

  g_free (text);
  return quark;
}

static void
connect_signal (GstElement *bin, GstElement *child, guint child_signal_id)
{
  EmitTarget *target;
  GClosure *closure;
  GSignalQuery query;
  guint bin_signal_id;

  g_signal_query (child_signal_id, &query);
  bin_signal_id = g_signal_lookup (query.signal_name, G_OBJECT_TYPE (bin));
  if (!bin_signal_id || (query.signal_flags & G_SIGNAL_ACTION))
    return;
  target = g_new0 (EmitTarget, 1);
  g_weak_ref_init (&target->bin, bin);
  target->bin_signal_id = bin_signal_id;
  closure = g_closure_new_simple (sizeof (GClosure), target);
  g_closure_add_finalize_notifier (closure, target, emit_target_free);
  g_closure_set_marshal (closure, emit_on_bin);
  g_object_set_qdata (G_OBJECT (child), forwarder_quark (query.signal_name),
      GSIZE_TO_POINTER (g_signal_connect_closure_by_id (
          child, child_signal_id, 0, closure, FALSE)));
}

gboolean
rec_proxy_has_handler (GstElement *bin, GstElement *child, const gchar *name)
{
  gulong forwarder = GPOINTER_TO_SIZE (
      g_object_get_qdata (G_OBJECT (child), forwarder_quark (name)));
  guint id = g_signal_lookup (name, G_OBJECT_TYPE (bin));
  gboolean has = id && g_signal_has_handler_pending (bin, id, 0, FALSE);

  if (has || !forwarder)
    return has;
  g_signal_handler_block (child, forwarder);
  id = g_signal_lookup (name, G_OBJECT_TYPE (child));
  has = g_signal_has_handler_pending (child, id, 0, FALSE);
  g_signal_handler_unblock (child, forwarder);
  return has;
}

static void
notify_on_bin (GstElement *child, GParamSpec *pspec, gpointer user_data)
{
  GstElement *bin = g_weak_ref_get (user_data);
  guint i, n;
  GParamSpec **specs;

  if (!bin)
    return;
  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (bin), &n);
  for (i = 0; i < n; i++)
    if (rec_proxy_get_target (specs[i]) == pspec)
      g_object_notify_by_pspec (G_OBJECT (bin), specs[i]);
  g_free (specs);
  gst_object_unref (bin);
}

static void
weak_ref_free (gpointer data, GClosure *closure)
{
  g_weak_ref_clear (data);
  g_free (data);
}

void
rec_proxy_connect (GstElement *bin, GstElement *child)
{
  GWeakRef *ref = g_new0 (GWeakRef, 1);
  GType type;
  guint *ids, i, n;

  for (type = G_OBJECT_TYPE (child); type && type != GST_TYPE_ELEMENT;
       type = g_type_parent (type)) {
    ids = g_signal_list_ids (type, &n);
    for (i = 0; i < n; i++)
      connect_signal (bin, child, ids[i]);
    g_free (ids);
  }
  g_weak_ref_init (ref, bin);
  g_signal_connect_data (
      child, "notify", G_CALLBACK (notify_on_bin), ref, weak_ref_free, 0);
}
