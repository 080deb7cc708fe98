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

/* Makes a thumbnail of the first key frame of the closed file @path, by ffmpeg at
 * the lowest priority, one at a time. Nothing happens where there is no
 * ffmpeg, or no picture. In the thread-default main context. */
void rec_server_thumbnails_add (
    RecServerThumbnails *thumbnails, const gchar *path);

G_END_DECLS
