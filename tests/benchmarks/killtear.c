/* gst-tsrec: how often kill -9 leaves a part of the access unit being written
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * killtear DIRECTORY BYTES RUNS [PAUSE_US]: a child writes access units of
 * BYTES to a file in DIRECTORY through the write loop of the recorder, with
 * PAUSE_US between them, and is killed at a random moment; RUNS times. Prints
 * how often the file ended in a torn packet, and in a whole number of packets
 * but not of access units, and how many accepted access units were missing.
 */

#include "recfile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PACKET_SIZE 188
/* Of one file; the child starts over at the front of a new one. */
#define MAX_FILE (UINT64_C (256) << 20)

static void
record (const char *path, size_t bytes, unsigned pause_us,
    _Atomic uint64_t *accepted)
{
  uint8_t *au = calloc (1, bytes);
  struct iovec iov = { au, bytes };
  RecFile file;

  memset (au, 0x47, bytes);
  rec_file_init (&file, NULL, -1);
  if (rec_file_open (&file, path, REC_FILE_CREATE))
    _exit (1);
  while (1) {
    if (rec_file_write (&file, &iov, 1))
      _exit (1);
    *accepted += bytes;
    if (file.size > MAX_FILE && !rec_file_truncate (&file, 0))
      *accepted = 0;
    if (pause_us)
      usleep (pause_us);
  }
}

int
main (int argc, char **argv)
{
  unsigned runs, i, torn = 0, partial = 0, missing = 0, pause_us;
  _Atomic uint64_t *accepted;
  size_t bytes;
  char path[4096];

  if (argc < 4) {
    fprintf (stderr, "usage: %s DIRECTORY BYTES RUNS [PAUSE_US]\n", argv[0]);
    return 2;
  }
  bytes = (size_t)strtoul (argv[2], NULL, 10) / PACKET_SIZE * PACKET_SIZE;
  runs = (unsigned)strtoul (argv[3], NULL, 10);
  pause_us = argc > 4 ? (unsigned)strtoul (argv[4], NULL, 10) : 0;
  snprintf (path, sizeof (path), "%s/killtear-%d.ts", argv[1], (int)getpid ());
  accepted = mmap (NULL, sizeof (*accepted), PROT_READ | PROT_WRITE,
      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  srandom ((unsigned)time (NULL));
  for (i = 0; i < runs; i++) {
    struct stat st;
    pid_t child;

    *accepted = 0;
    child = fork ();
    if (child == 0)
      record (path, bytes, pause_us, accepted);
    usleep (20000 + (unsigned)(random () % 30000));
    kill (child, SIGKILL);
    waitpid (child, NULL, 0);
    if (stat (path, &st) == 0) {
      torn += st.st_size % PACKET_SIZE != 0;
      partial += (uint64_t)st.st_size % bytes != 0;
      missing += (uint64_t)st.st_size < *accepted;
    }
    unlink (path);
  }
  printf ("%zu bytes, %u us apart: %u of %u end in a torn packet, %u in a part "
          "of an access unit, %u lack what was accepted\n",
      bytes, pause_us, torn, runs, partial, missing);
  return missing > 0;
}
