/* gst-tsrec: NAME.jpg beside a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _RecServerThumbnails RecServerThumbnails;

RecServerThumbnails *rec_server_thumbnails_new (void);
/* Those that wait are not made. */
void rec_server_thumbnails_free (RecServerThumbnails *thumbnails);

/* Makes the thumbnail of the finished file @path of its first key frame, one at a
 * time, by ffmpeg at the lowest priority. Nothing happens where there is no
 * ffmpeg, or no picture. In the thread-default main context. */
void rec_server_thumbnails_add (
    RecServerThumbnails *thumbnails, const gchar *path);

G_END_DECLS
