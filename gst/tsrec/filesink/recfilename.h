/* gst-tsrec: the names of recorded files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pattern holds strftime(3) conversions (local time) and at most one
 * fragment number, written with a width: "%05d". A bare "%d" is the day of the
 * month, as in strftime. All functions are thread safe; strings are returned
 * to the caller, who frees them.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* TRUE when @pattern holds a fragment number. */
gboolean rec_filename_has_index (const gchar *pattern);

/* The folder that every file of @pattern is in: its folders before the first
 * that has a conversion. NULL when no folder has one. */
gchar *rec_filename_fixed_folder (const gchar *pattern);

/* TRUE when a folder of @pattern has a conversion. */
gboolean rec_filename_has_folders (const gchar *pattern);

/* The name of fragment @index that starts at @when (µs since 1970). */
gchar *rec_filename_expand (const gchar *pattern, gint64 when, guint index);

/* "a/rec.ts", 2 -> "a/rec-2.ts"; number 0 is @path itself. */
gchar *rec_filename_numbered (const gchar *path, guint number);

/* The highest fragment number among the files that match @pattern at @when,
 * -1 when there is none. @path: NULL, or set to that file's name. */
gint64 rec_filename_last_index (
    const gchar *pattern, gint64 when, gchar **path);

/* The highest @number for which rec_filename_numbered (@path, number) exists,
 * -1 when not even @path does. */
gint64 rec_filename_last_number (const gchar *path);

G_END_DECLS
