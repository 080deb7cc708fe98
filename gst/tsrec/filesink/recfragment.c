/* gst-tsrec: one file of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recfragment.h"

RecFragment *
rec_fragment_new (const gchar *path, const RecSyscalls *sys, gint cancel_fd)
{
  RecFragment *fragment = g_new0 (RecFragment, 1);

  rec_file_init (&fragment->file, sys, cancel_fd);
  fragment->path = g_strdup (path);
  fragment->directory = g_path_get_dirname (path);
  return fragment;
}

void
rec_fragment_free (RecFragment *fragment)
{
  rec_file_close (&fragment->file);
  g_free (fragment->path);
  g_free (fragment->directory);
  g_free (fragment->base);
  g_free (fragment);
}
