/* gst-tsrec: fixture of every test of an element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rectest.h"

void
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
