/* gst-tsrec: one track that recwhipsink publishes, up to RTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clocksync ! parser ! payloader ! capsfilter, in the bin of the sink. RTP is
 * dropped until the output is opened, so that upstream never waits for the
 * connection and nothing old is sent when it is there.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecOutput RecOutput;

/**
 * RecOutputCallbacks:
 * @ready: the caps of the RTP stream are known
 * @eos: the stream has ended
 *
 * On the streaming thread, with no lock held.
 */
typedef struct
{
  void (*ready) (RecOutput *output, gpointer user_data);
  void (*eos) (RecOutput *output, gpointer user_data);
} RecOutputCallbacks;

/* @kind: "video" (H.264) or "audio" (Opus). NULL with @error when an element
 * is missing. */
RecOutput *rec_output_new (GstBin *bin, const gchar *kind,
    const RecOutputCallbacks *callbacks, gpointer user_data, GError **error);
/* Takes its elements out of the bin. */
void rec_output_free (RecOutput *output);

/* "video" or "audio". */
const gchar *rec_output_get_kind (RecOutput *output);
/* Where the element's pad leads. Caller unrefs. */
GstPad *rec_output_get_sink_pad (RecOutput *output);

/* Links to a new pad of @webrtc, sending only. FALSE when it cannot be. */
gboolean rec_output_link (RecOutput *output, GstElement *webrtc);
void rec_output_unlink (RecOutput *output, GstElement *webrtc);

/* Lets RTP through, and asks the encoder for a key frame. Any thread. */
void rec_output_open (RecOutput *output);
/* Drops RTP again. Any thread. */
void rec_output_close (RecOutput *output);

/* Caps of the RTP stream are known. Any thread. */
gboolean rec_output_is_ready (RecOutput *output);
gboolean rec_output_is_eos (RecOutput *output);
/* For another run: neither ready nor at EOS. */
void rec_output_reset (RecOutput *output);

/* RTP packets and their bytes that went out. Any thread. */
void rec_output_get_stats (RecOutput *output, guint64 *packets, guint64 *bytes);

G_END_DECLS
