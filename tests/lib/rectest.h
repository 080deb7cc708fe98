/* gst-tsrec: what every test of an element needs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/check/gstcheck.h>

G_BEGIN_DECLS

/* Fails the test unless @feature comes from the plugin file that this build
 * made: a plugin that fails to load is otherwise silently replaced by one that
 * is installed in the system. Call it first in every suite, once a feature. */
static inline void
rec_test_assert_built_here (const gchar *feature_name)
{
  GstPluginFeature *feature =
      gst_registry_lookup_feature (gst_registry_get (), feature_name);
  GstPlugin *plugin;
  const gchar *file;

  fail_unless (feature != NULL, "no element \"%s\"", feature_name);
  plugin = gst_plugin_feature_get_plugin (feature);
  fail_unless (plugin != NULL);
  file = gst_plugin_get_filename (plugin);
  fail_unless (file != NULL && g_str_has_prefix (file, REC_TEST_BUILD_DIR),
      "\"%s\" was loaded from %s, not from %s", feature_name, file,
      REC_TEST_BUILD_DIR);
  gst_object_unref (plugin);
  gst_object_unref (feature);
}

G_END_DECLS
