/* gst-tsrec: state of a recording whose disk fails
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A recording is in one of three states. WRITING is the normal one. WAITING
 * begins with a fault: buffers are dropped, and the disk is tried again once a
 * second. RESYNC begins when the disk may work again: buffers are dropped until
 * a random access point, because access units before it are missing.
 *
 * The struct decides; it writes no file and posts no message. Times are
 * monotonic, µs. Only the streaming thread may use it, except for `waiting`.
 */

#pragma once

#include "recdisk.h"

#include <stdatomic.h>

G_BEGIN_DECLS

typedef enum
{
  REC_FAULT_WRITING,
  REC_FAULT_WAITING,
  REC_FAULT_RESYNC
} RecFaultPhase;

/**
 * RecFaultState:
 * @phase: state of the recording
 * @fault: fault that ended WRITING; %REC_DISK_OK while WRITING
 * @announced: the fault was posted on the bus
 * @waiting: TRUE from a fault until the first write after it; any thread
 * @need_bytes: free bytes needed before a full disk is tried again
 * @unmounted_device: device found in place of the one that was removed; 0: none
 * @failed_tries: failed writes in a row to the same file
 * @retry_at: time of the next try, monotonic µs
 * @resync_until: end of the wait for a marked random access point, monotonic µs
 * @resync_understood: upstream marks the random access point to continue at
 */
typedef struct
{
  RecFaultPhase phase;
  RecDiskFault fault;
  gboolean announced;
  atomic_bool waiting;
  guint64 need_bytes;
  guint64 unmounted_device;
  guint failed_tries;
  gint64 retry_at;
  gint64 resync_until;
  gboolean resync_understood;
} RecFaultState;

void rec_fault_state_init (RecFaultState *self);

/* WAITING: a buffer of @size bytes could not be written at @now. Returns TRUE
 * when the file should be closed and opened again before the next try: after
 * several failures its descriptor may be unusable although the disk works. */
gboolean rec_fault_state_wait (
    RecFaultState *self, RecDiskFault fault, gint64 now, gsize size);

/* The file system of @path was removed; its device number was @device. */
void rec_fault_state_set_unmounted (
    RecFaultState *self, const gchar *path, guint64 device);

/* While WAITING: TRUE once a second, for the next try. */
gboolean rec_fault_state_is_retry_due (RecFaultState *self, gint64 now);

/* FALSE when a write to @path would certainly fail: too little space, or the
 * file system is still missing. */
gboolean rec_fault_state_is_disk_ready (
    const RecFaultState *self, const gchar *path);

/* RESYNC: waits for a random access point. @understood: upstream will mark it;
 * after 5 s any random access point ends the wait. */
void rec_fault_state_begin_resync (
    RecFaultState *self, gint64 now, gboolean understood);

/* While in RESYNC: TRUE when recording can continue with a buffer.
 * @random_access: the buffer is a random access point; @discont: it is marked
 * as discontinuous. */
gboolean rec_fault_state_ends_resync (const RecFaultState *self, gint64 now,
    gboolean random_access, gboolean discont);

/* WRITING: a write succeeded. */
void rec_fault_state_end (RecFaultState *self);

G_END_DECLS
