/* gst-tsrec: resident memory of a process, as the kernel reports it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REC_PROC_MEM_H
#define REC_PROC_MEM_H

#include <stdint.h>

/* The file to sample for the calling process itself. */
#define REC_PROC_MEM_SELF "/proc/self/status"

/* What one look at the process says. */
typedef struct
{
  uint64_t rss;      /* VmRSS, bytes resident now */
  uint64_t rss_peak; /* VmHWM, the most bytes ever resident */
} RecProcMem;

/* Reads VmRSS and VmHWM from @path, a file in the format of proc(5) status.
 *
 * Returns 0 and fills *@mem, or a negative errno and leaves *@mem alone:
 * -EBADMSG when a field is missing, stands there twice, is not a number of kB
 * or does not fit, -EFBIG when the file is not a status file by its size, or
 * whatever open(2) and read(2) said. Thread safe, allocates nothing. */
int rec_proc_mem_sample (const char *path, RecProcMem *mem);

#endif
