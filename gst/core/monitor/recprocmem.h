/* gst-tsrec: resident memory of a process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdint.h>

/* The file to sample for the calling process itself. */
#define REC_PROC_MEM_SELF "/proc/self/status"

/**
 * RecProcMem:
 * @rss: current resident memory (VmRSS), bytes
 * @rss_peak: highest resident memory so far (VmHWM), bytes
 */
typedef struct
{
  uint64_t rss;
  uint64_t rss_peak;
} RecProcMem;

/* Reads VmRSS and VmHWM from @path, a file in the format of proc(5) status.
 *
 * Returns 0 and fills *@mem, or returns an errno and leaves *@mem unchanged:
 * EBADMSG if a field is missing, occurs twice, is not a number of kB or exceeds
 * 64 bits; EFBIG if the file is too large; else the error of open(2) or
 * read(2). Thread safe; does not allocate. */
int rec_proc_mem_sample (const char *path, RecProcMem *mem);
