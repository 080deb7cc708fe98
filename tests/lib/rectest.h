/* gst-tsrec: fixture of every test of an element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/check/gstcheck.h>

G_BEGIN_DECLS

/* Fails the test unless @feature comes from the plugin file that this build
 * made: a plugin that fails to load is otherwise silently replaced by one that
 * is installed in the system. Call it first in every suite, once a feature. */
void rec_test_assert_built_here (const gchar *feature_name);

G_END_DECLS
