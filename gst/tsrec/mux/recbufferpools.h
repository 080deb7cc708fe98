/* gst-tsrec: buffers for output, from pools, one allocation for none or one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A GstBufferPool has buffers of one size, and access units have any: this is
 * a pool for each of a few sizes, made when it is first needed. Not thread
 * safe; the buffers themselves go back to their pool from any thread.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define REC_BUFFER_POOLS_N_SIZES 6

typedef struct
{
  GstBufferPool *pools[REC_BUFFER_POOLS_N_SIZES];
} RecBufferPools;

/* A buffer of one memory with room for @size bytes at least, or NULL when
 * memory is short. The caller sets its size. */
GstBuffer *rec_buffer_pools_acquire (RecBufferPools *buffers, gsize size);

/* Gives the pools up; buffers that are still out are freed when they come
 * back. @buffers can be used again. */
void rec_buffer_pools_clear (RecBufferPools *buffers);

G_END_DECLS
