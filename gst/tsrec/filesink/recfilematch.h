/* gst-tsrec: the files that a name pattern has led to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reverse of recfilename.h: which of the files on disk have a name that
 * rec_filename_expand() and rec_filename_numbered() can make of a pattern, at
 * any time and with any number. A conversion matches only what strftime(3)
 * writes for it (%m: 01 to 12), and the same wherever it occurs again. All
 * functions are thread safe.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RecFileMatch:
 * @path: the name, as rec_filename_expand() writes it
 * @plain: @path without the number of rec_filename_numbered()
 * @index: the fragment number in it; 0 when the pattern has none
 * @number: the number behind it; 0 when there is none
 * @modified: last write, ns since 1970
 * @is_link: a link leads to the file
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

/* The first conversion in @pattern that cannot be recognised in a name ("%c",
 * which depends on the locale), to be freed; NULL: all can. */
gchar *rec_file_match_find_unsupported (const gchar *pattern);

/* The regular files that match @pattern, oldest first: an array of
 * RecFileMatch that frees its elements. The order is that of the last write
 * where the name holds a time, otherwise that of the numbers. Empty when
 * @pattern holds a conversion that cannot be recognised. */
GPtrArray *rec_file_match_list (const gchar *pattern);

G_END_DECLS
