/* gst-tsrec: sends part of an MPEG-TS recording as MP4
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On the service's thread only.
 */

#pragma once

#include "recserverlibrary.h"
#include "recserverrequest.h"

G_BEGIN_DECLS

/* Clips that are remuxed at a time. */
#define REC_SERVER_REMUX_MAX 4

/* Answers the paused @request with @clip as fragmented MP4, without re-encoding.
 * A process of low priority remuxes it while it is sent; at most 64 KiB of its
 * output are held. If the process fails after the answer has begun, the
 * connection is closed. Takes @clip->fd. Returns FALSE with @error (422: the
 * codec of a track cannot be stored in MP4, or ffmpeg is missing; 503: too many
 * at a time), and the caller answers. */
gboolean rec_server_remux (RecServerRequest *request,
    const RecServerLibraryClip *clip, GError **error);

G_END_DECLS
