/* gst-tsrec: custom events between the elements
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The queries are in recquery.h. Constructors return a new event that the caller
 * owns. All functions are thread safe.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* --- event "tsrec-resync": upstream; recfilesink sends it when bytes of the
 * stream did not reach the file (disk full, failed write) and writing can go
 * on. tsrecmux then asks its video tracks for a key frame, and marks the next
 * random access point buffer GST_BUFFER_FLAG_DISCONT; from that buffer on the
 * first packet of every PID carries discontinuity_indicator=1. The sink drops
 * everything before that buffer. Where no video flows, the next buffer that
 * starts with PSI counts as the random access point.
 *
 * gst_pad_push_event() returns FALSE if no element upstream handles it; the
 * sink then continues at the next buffer that is not a DELTA_UNIT. */
GstEvent *rec_event_new_resync (void);
gboolean rec_event_is_resync (GstEvent *event);

/* --- event "tsrec-journal": downstream, serialized; anything upstream of
 * recfilesink may send it, and recfilesink adds the time and writes it to the
 * journal as one line. Other elements pass it on. @fields: a structure named
 * after the journal event ("gap", "caps-changed", "track-rejected", …) with
 * fields of basic types; the event takes ownership of it. */
GstEvent *rec_event_new_journal (GstStructure *fields);
/* Returns the structure, owned by the event, or NULL. */
const GstStructure *rec_event_parse_journal (GstEvent *event);

/* --- event "tsrec-session": downstream, serialized; a source sends it on each
 * of its pads before the first buffer of a session (a publisher that connects,
 * also again), with the same @session_id on all. recfilesink writes it to the
 * journal and, with `new-file-per-session`, begins a new file at the next
 * random access point. Other elements pass it on. */
GstEvent *rec_event_new_session (const gchar *session_id);
/* Returns the id, owned by the event ("" where it has none), or NULL. */
const gchar *rec_event_parse_session (GstEvent *event);

G_END_DECLS
