/* gst-tsrec: access units that go around the parser
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A parser costs as much as the rest of a chain, and passes on most access units
 * as they are. When it has been seen to do that with one of a kind, the others
 * of this kind may go around it, until something else has to go through it.
 * Streaming thread only.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * RtcShortcut:
 * @kind: of access units that go around, see rtc_shortcut_get_kind(); 0: none
 * @flags: the parser sets
 * @duration: the parser sets
 * @dts_is_pts: the parser sets the DTS to the PTS
 * @input_kind: of the access unit that enters the parser; 0: it has been seen
 */
typedef struct
{
  guint kind;
  guint flags;
  GstClockTime duration;
  gboolean dts_is_pts;
  guint input_kind;
  gsize input_size;
  GstClockTime input_pts;
  GstClockTime input_dts;
} RtcShortcut;

/* Returns the kind of an access unit, 0 if it has to be parsed. A parser handles
 * all access units of one kind alike, as long as its stream does not change.
 * H264: pictures of P and B slices only, with or without a delimiter before
 * them, without parameter sets and SEI. OPUS: packets with the same configuration
 * and number of frames (RFC 6716 section 3.1). Any thread. */
guint rtc_shortcut_get_kind (
    const gchar *codec, const guint8 *data, gsize size);

/* Returns TRUE if @buffer, of @kind, may bypass the parser. */
gboolean rtc_shortcut_is_open (
    const RtcShortcut *self, GstBuffer *buffer, guint kind);
/* Returns @buffer, which is taken, as the parser would push it. */
GstBuffer *rtc_shortcut_apply (const RtcShortcut *self, GstBuffer *buffer);

/* @buffer, of @kind, enters the parser. */
void rtc_shortcut_note_input (RtcShortcut *self, GstBuffer *buffer, guint kind);
/* @buffer leaves the parser. */
void rtc_shortcut_note_output (RtcShortcut *self, GstBuffer *buffer);

G_END_DECLS
