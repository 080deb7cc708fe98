/* gst-tsrec: output buffers from pools
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A GstBufferPool has buffers of one size, but access units have any size:
 * this is a set of pools, one per size class, created on first use. Not thread
 * safe; buffers may return to their pool from any thread.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define REC_BUFFER_POOLS_N_SIZES 6

typedef struct
{
  GstBufferPool *pools[REC_BUFFER_POOLS_N_SIZES];
} RecBufferPools;

/* Returns a buffer of one memory with room for at least @size bytes, or NULL
 * without memory. The caller sets its size. */
GstBuffer *rec_buffer_pools_acquire (RecBufferPools *buffers, gsize size);

/* Releases the pools. Buffers that are still in use are freed when they
 * return. @buffers can be used again. */
void rec_buffer_pools_clear (RecBufferPools *buffers);

G_END_DECLS
