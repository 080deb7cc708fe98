/* gst-tsrec: resident memory of a process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recprocmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* A status file has about 1.5 kB, and more on machines with many processors. */
#define STATUS_MAX 16384

/* Reads the whole file @path into @text as a string. procfs may return it in
 * several parts. */
static int
read_text (const char *path, char text[STATUS_MAX])
{
  size_t filled = 0;
  int err = 0;
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return errno;
  for (;;) {
    ssize_t n = read (fd, text + filled, STATUS_MAX - filled);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      err = errno;
    if (n <= 0)
      break;
    filled += (size_t)n;
    if (filled == STATUS_MAX) {
      err = EFBIG;
      break;
    }
  }
  close (fd);
  if (!err)
    text[filled] = '\0';
  return err;
}

/* Parses the text after the colon: blanks, decimal digits, blanks, "kB", end of
 * line. Returns false for other texts, and for a number of bytes that exceeds
 * 64 bits. */
static bool
parse_kb (const char *s, uint64_t *bytes)
{
  uint64_t kb = 0;
  bool any = false;

  s += strspn (s, " \t");
  for (; *s >= '0' && *s <= '9'; s++, any = true) {
    if (kb > (UINT64_MAX / 1024 - 9) / 10)
      return false;
    kb = kb * 10 + (uint64_t)(*s - '0');
  }
  s += strspn (s, " \t");
  if (!any || strncmp (s, "kB", 2) != 0 || (s[2] != '\n' && s[2] != '\0'))
    return false;
  *bytes = kb * 1024;
  return true;
}

/* Returns false unless exactly one line starts with @name and a colon. */
static bool
find_field (const char *text, const char *name, uint64_t *bytes)
{
  size_t length = strlen (name);
  bool found = false;
  const char *line = text;

  while (line && *line) {
    if (strncmp (line, name, length) == 0 && line[length] == ':') {
      if (found || !parse_kb (line + length + 1, bytes))
        return false;
      found = true;
    }
    line = strchr (line, '\n');
    if (line)
      line++;
  }
  return found;
}

int
rec_proc_mem_sample (const char *path, RecProcMem *mem)
{
  char text[STATUS_MAX];
  RecProcMem m;
  int err = read_text (path, text);

  if (err)
    return err;
  if (!find_field (text, "VmRSS", &m.rss) ||
      !find_field (text, "VmHWM", &m.rss_peak))
    return EBADMSG;
  *mem = m;
  return 0;
}
