/* gst-tsrec: existing files of a name pattern
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reverse of recfilename.h: finds the files on disk whose names
 * rec_filename_expand() and rec_filename_numbered() can produce from a pattern,
 * at any time and with any number. A conversion matches only text that
 * strftime(3) writes for it (%m: 01 to 12). A conversion that occurs twice
 * matches the same text. All functions are thread safe.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RecFileMatch:
 * @path: path of the file, as rec_filename_expand() writes it
 * @plain: @path without the number of rec_filename_numbered()
 * @index: fragment number in @path; 0 if the pattern has none
 * @number: number added by rec_filename_numbered(); 0: none
 * @modified: time of the last write, ns since 1970
 * @is_link: @path is a symbolic link to a file
 */
typedef struct
{
  gchar *path;
  gchar *plain;
  guint64 index;
  guint number;
  gint64 modified;
  gboolean is_link;
} RecFileMatch;

/* Returns the first conversion in @pattern that cannot be recognised in a name
 * ("%c", which depends on the locale), to be freed; NULL: none. */
gchar *rec_file_match_find_unsupported (const gchar *pattern);

/* Returns the regular files that match @pattern, oldest first, as an array of
 * RecFileMatch that frees its elements. They are sorted by their last write if
 * the pattern has a time, else by their numbers. The array is empty if @pattern
 * has a conversion that cannot be recognised. */
GPtrArray *rec_file_match_list (const gchar *pattern);

G_END_DECLS
