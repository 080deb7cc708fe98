/* gst-tsrec: names of recorded files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pattern has strftime(3) conversions (local time) and at most one fragment
 * number, written with a width: "%05d". A bare "%d" is the day of the month, as
 * in strftime. All functions are thread safe. Returned strings must be freed.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns TRUE if @pattern has a fragment number. */
gboolean rec_filename_has_index (const gchar *pattern);

/* Returns the folder that contains all files of @pattern: its folders before
 * the first one with a conversion. Returns NULL if no folder has a conversion.
 */
gchar *rec_filename_fixed_folder (const gchar *pattern);

/* Returns TRUE if a folder of @pattern has a conversion. */
gboolean rec_filename_has_folders (const gchar *pattern);

/* Returns TRUE if a missing folder of @path, a file of @pattern, may be
 * created: a folder of @pattern has a conversion, or the folder is inside of
 * the fixed folder of @recording, the pattern of the recorded files (may be
 * NULL). */
gboolean rec_filename_may_make_folder (
    const gchar *recording, const gchar *pattern, const gchar *path);

/* Returns the name of fragment @index that starts at @when, µs since 1970. */
gchar *rec_filename_expand (const gchar *pattern, gint64 when, guint index);

/* Adds @number to @path: "a/rec.ts", 2 -> "a/rec-2.ts". Number 0 returns @path.
 */
gchar *rec_filename_numbered (const gchar *path, guint number);

/* Returns the highest fragment number among the files of @pattern at @when, µs
 * since 1970; -1: none. Stores the path of that file in @path unless NULL. */
gint64 rec_filename_last_index (
    const gchar *pattern, gint64 when, gchar **path);

/* Returns the highest number for which rec_filename_numbered (@path, number)
 * exists; -1: not even @path exists. */
gint64 rec_filename_last_number (const gchar *path);

G_END_DECLS
