/* gst-tsrec: fixtures of the tests of recfilesink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recfile.h"
#include "recevent.h"
#include "recquery.h"
#include "rectest.h"

#include <gst/check/gstharness.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_BEGIN_DECLS

#define PACKET 188
#define AU_PACKETS 7
#define AU (AU_PACKETS * PACKET)
#define FRAME (40 * GST_MSECOND)

/* The folder of a test, and a file in it. */
extern gchar *dir, *path;

gchar *in_dir (const gchar *name);

void setup (void);

void teardown (void);

/* Access unit @n of a stream of 25 pictures a second. */
GstBuffer *make_au (guint n, gboolean random_access);

/* The numbers of the access units in @name, each of them whole. */
GArray *read_aus (const gchar *name);

guint64 size_on_disk (const gchar *name);

guint64 get_stat (GstElement *element, const gchar *field);

/* A sink that records to @location, not started. */
GstElement *make_sink (const gchar *location);

/* Starts @element (ownership is taken) with a bus of its own. */
GstHarness *start_sink (GstElement *element, GstBus **bus);

/* Stops the sink and all its threads; then nothing writes any more. */
void stop_sink (GstHarness *h, GstBus *bus);

/* @n rounds of a soak test, fewer where each takes a hundred times as long. */
guint soak_rounds (guint n);

guint count_entries (const gchar *directory);

/* Resident memory of this process, bytes. */
guint64 resident (void);

/* The messages called @name that are on @bus; all that is there is consumed. */
guint count_messages (GstBus *bus, const gchar *name);

/* Waits for the message called @name. */
GstMessage *wait_message (GstBus *bus, const gchar *name);

/* The next error or warning of @type, which the caller frees. */
gchar *pop_text (GstBus *bus, GstMessageType type);

void assert_text_has (const gchar *text, const gchar *part);

/* Starting @element (ownership is taken) fails with an error that has @part. */
void assert_refused (GstElement *element, GstState state, const gchar *part);

G_END_DECLS
