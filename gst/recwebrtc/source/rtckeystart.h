/* gst-tsrec: RTP packets that begin a key frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pure function; any thread.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns TRUE if @payload begins a picture, or the parameter sets in front of
 * one, that can be decoded without earlier pictures: RFC 6184 (H264), RFC 7798
 * (H265), RFC 7741 (VP8), RFC 9628 (VP9), AV1 RTP section 4.4. Returns TRUE for
 * audio. @codec: encoding name, upper case. */
gboolean rtc_key_start (const gchar *codec, const guint8 *payload, gsize size);

G_END_DECLS
