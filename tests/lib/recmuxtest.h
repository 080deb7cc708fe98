/* gst-tsrec: fixtures of the tests of tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same tests run over two subjects: tsrecmux, and tsrecsink, whose pads are
 * ghost pads of those of its mux. tsrecsink is given a pad "src" in place of
 * its file sink.
 */

#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <string.h>

#include "recevent.h"
#include "recquery.h"
#include "rectest.h"
#include "tscheck.h"

G_BEGIN_DECLS

/* "tsrecmux" or "tsrecsink" */
extern const gchar *subject;

void use_tsrecmux (void);

void use_tsrecsink (void);

/* A new element that the tests are run over; the caller unrefs it. */
GstElement *make_subject (void);

#define H264_CAPS "video/x-h264, stream-format=byte-stream, alignment=au"
#define AAC_CAPS                                                               \
  "audio/mpeg, mpegversion=4, stream-format=adts, rate=48000, channels=2"
#define FRAME (GST_SECOND / 30)
#define AAC_FRAME (GST_SECOND * 1024 / 48000)
#define PACKET_SIZE 188

/* --- A mux with pads, and what it wrote */

typedef struct
{
  GstHarness *video; /* of the source pad as well */
  GstHarness *audio;
  GstElement *mux;
  GstBus *bus;
  TsCheck *check;
} Mux;

void mux_init (Mux *m, gboolean live);

void mux_clear (Mux *m);

/* Takes what the mux wrote, gives it to the checker and returns its size. */
gsize mux_collect (Mux *m);

void mux_assert_conformant (Mux *m);

guint64 mux_get_stat (Mux *m, const gchar *name);

/* --- Access units */

static const guint8 sps[] = { 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x0d, 0xd9, 0x01,
  0x41, 0xfb, 0x01, 0x10 };
static const guint8 pps[] = { 0, 0, 0, 1, 0x68, 0xcb, 0x83, 0xcb, 0x20 };

GstBuffer *stamp (GstBuffer *buffer, GstClockTime time, GstClockTime duration);

/* A picture of @size bytes after its start code; with parameter sets where it
 * is a key frame. */
GstBuffer *new_picture (
    GstClockTime time, gsize size, gboolean key, gboolean sets);

GstBuffer *new_aac (GstClockTime time, gsize size);

/* Picture number @i of a stream with a key frame every two seconds. */
void push_picture (Mux *m, guint i);

void push_aac (Mux *m, guint i);

/* Pushes both tracks in the order of time, from @from to @to; without video in
 * between where it is silent. */
void push_both (Mux *m, GstClockTime from, GstClockTime to,
    GstClockTime silent_from, GstClockTime silent_to);

GstMessage *pop_element_message (Mux *m, const gchar *name);

gboolean has_event (Mux *m, GstEventType type);

G_END_DECLS
