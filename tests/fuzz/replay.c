/* gst-tsrec: runs a fuzz target over files and directories of files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The corpus is replayed in the test suite with this in place of libFuzzer.
 */

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

/* Returns how many inputs were run, 0 when there is none. */
static unsigned
replay_file (const char *path)
{
  FILE *file = fopen (path, "rb");
  uint8_t *data = malloc (1 << 20);
  size_t size;

  if (!file || !data) {
    fprintf (stderr, "Could not read \"%s\": %s\n", path, strerror (errno));
    exit (1);
  }
  size = fread (data, 1, 1 << 20, file);
  fclose (file);
  /* Exactly as large as it is, so that a tool sees reads past its end. */
  if (size) {
    uint8_t *exact = malloc (size);

    if (!exact)
      abort ();
    memcpy (exact, data, size);
    LLVMFuzzerTestOneInput (exact, size);
    free (exact);
  } else {
    LLVMFuzzerTestOneInput (data, 0);
  }
  free (data);
  return 1;
}

static unsigned
replay (const char *path)
{
  DIR *dir = opendir (path);
  struct dirent *entry;
  unsigned n = 0;

  if (!dir)
    return replay_file (path);
  while ((entry = readdir (dir))) {
    char name[4096];

    if (entry->d_name[0] == '.')
      continue;
    snprintf (name, sizeof name, "%s/%s", path, entry->d_name);
    n += replay (name);
  }
  closedir (dir);
  return n;
}

int
main (int argc, char **argv)
{
  unsigned n = 0;

  for (int i = 1; i < argc; i++)
    n += replay (argv[i]);
  printf ("%u inputs\n", n);
  return n ? 0 : 1;
}
