/* gst-tsrec: output buffers from pools
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recbufferpools.h"
#include "tspacket.h"

/* Sizes in transport packets. A larger buffer is allocated. */
static const guint packets[REC_BUFFER_POOLS_N_SIZES] = { 8, 32, 128, 512, 2048,
  8192 };
/* With some buffers in reserve, GstBufferPool does not run empty, which costs
 * a system call. */
#define MIN_BUFFERS 3

static GstBufferPool *
create_pool (gsize size)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (
      config, NULL, (guint)size, size > 100000 ? 1 : MIN_BUFFERS, 0);
  if (gst_buffer_pool_set_config (pool, config) &&
      gst_buffer_pool_set_active (pool, TRUE))
    return pool;
  gst_object_unref (pool);
  return NULL;
}

GstBuffer *
rec_buffer_pools_acquire (RecBufferPools *buffers, gsize size)
{
  GstBuffer *buffer = NULL;

  for (guint i = 0; i < REC_BUFFER_POOLS_N_SIZES; i++) {
    if (size > (gsize)packets[i] * TS_PACKET_SIZE)
      continue;
    if (buffers->pools[i] == NULL)
      buffers->pools[i] = create_pool ((gsize)packets[i] * TS_PACKET_SIZE);
    if (buffers->pools[i] == NULL ||
        gst_buffer_pool_acquire_buffer (buffers->pools[i], &buffer, NULL) !=
            GST_FLOW_OK)
      return NULL;
    return buffer;
  }
  return gst_buffer_new_allocate (NULL, size, NULL);
}

void
rec_buffer_pools_clear (RecBufferPools *buffers)
{
  for (guint i = 0; i < REC_BUFFER_POOLS_N_SIZES; i++) {
    if (buffers->pools[i])
      gst_buffer_pool_set_active (buffers->pools[i], FALSE);
    gst_clear_object (&buffers->pools[i]);
  }
}
