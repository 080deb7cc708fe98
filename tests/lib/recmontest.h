/* gst-tsrec: fixtures of the tests of recmonitor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>

#include "rectest.h"

G_BEGIN_DECLS

/* --- a clock that only the test moves ------------------------------------ */

/* Runs the only timer on @clock up to and including @time, and returns when
 * what was due then is done. */
void rec_run_until (GstTestClock *clock, GstClockTime time);

void rec_run_for (GstTestClock *clock, GstClockTime span);

/* --- messages ------------------------------------------------------------ */

/* Takes messages off the bus up to one whose structure has this name; NULL
 * when there is none. */
GstMessage *rec_pop_named (GstBus *bus, const gchar *name);

/* How many messages of this name wait on the bus; takes all off it. */
guint rec_count_named (GstBus *bus, const gchar *name);

guint64 rec_get_uint64 (const GstStructure *s, const gchar *field);

/* The field of the stats property. */
guint64 rec_stat (GstElement *monitor, const gchar *field);

/* --- stages that pass on, or swallow ------------------------------------- */

/* @klass: static, such as "Codec/Encoder/Video" */
GstElement *rec_test_stage_new (const gchar *klass, const gchar *name);

void rec_test_stage_set_swallow (GstElement *stage, gboolean swallow);

GstElement *rec_test_encoder_new (gboolean swallow);

/* --- one monitor --------------------------------------------------------- */

/* A monitor, or an encoder and a monitor, on a clock of the test. */
typedef struct
{
  GstElement *bin, *encoder, *monitor;
  GstHarness *h;
  GstTestClock *clock;
  GstBus *bus;
} RecRig;

void rec_rig_init (RecRig *f, GstElement *encoder);

void rec_rig_clear (RecRig *f);

void rec_rig_push (RecRig *f, guint n);

G_END_DECLS
