/* gst-tsrec: an HLS media playlist beside a growing recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rechlsplaylist.h"
#include "recfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C (1000000000)
#define COPY_CHUNK 16384
/* The longest line that we read back; ours are a path and a few numbers. */
#define LINE_MAX_LENGTH 16384
/* A date for every so many entries: clients go on from the last one by the
 * durations, whose rounding would add up. */
#define ENTRIES_PER_DATE 30
#define END_LIST "#EXT-X-ENDLIST\n"

static unsigned
seconds_rounded (uint64_t duration)
{
  return (unsigned)((duration + NS_PER_SECOND / 2) / NS_PER_SECOND);
}

/* --- the next state of the file */

static int
write_text (RecFile *file, const char *text, size_t length)
{
  struct iovec iov = { .iov_base = (void *)text, .iov_len = length };

  return length > 0 ? rec_file_write (file, &iov, 1) : 0;
}

/* Version 4 brings EXT-X-BYTERANGE. */
static int
write_header (RecHlsPlaylist *playlist, RecFile *file)
{
  char text[256];
  int length = snprintf (text, sizeof (text),
      "#EXTM3U\n"
      "#EXT-X-VERSION:4\n"
      "#EXT-X-TARGETDURATION:%u\n"
      "#EXT-X-MEDIA-SEQUENCE:0\n"
      "#EXT-X-PLAYLIST-TYPE:EVENT\n"
      "#EXT-X-INDEPENDENT-SEGMENTS\n",
      playlist->target_duration);

  return write_text (file, text, (size_t)length);
}

/* Creates the file of the next state, in place of one that a killed recorder
 * left behind. */
static int
new_state_begin (RecHlsPlaylist *playlist, RecFile *file)
{
  int error;

  rec_file_init (file, NULL, -1);
  if (unlink (playlist->new_path) != 0 && errno != ENOENT)
    return errno;
  error = rec_file_open (file, playlist->new_path, REC_FILE_CREATE);
  if (error != 0)
    return error;
  return write_header (playlist, file);
}

/* Puts the next state in the place of the present one, or, after @error, drops
 * it. Returns the first error. */
static int
new_state_finish (RecHlsPlaylist *playlist, RecFile *file, int error)
{
  int close_error = rec_file_is_open (file) ? rec_file_close (file) : 0;

  if (error == 0)
    error = close_error;
  if (error == 0 && rename (playlist->new_path, playlist->path) != 0)
    error = errno;
  if (error != 0)
    unlink (playlist->new_path);
  return error;
}

static int
copy_entries (RecHlsPlaylist *playlist, RecFile *file)
{
  char chunk[COPY_CHUNK];
  FILE *old = fopen (playlist->path, "re");
  size_t length;
  int error = 0;

  if (old == NULL)
    return errno;
  if (fseeko (old, (off_t)playlist->body, SEEK_SET) != 0)
    error = errno;
  while (error == 0 && (length = fread (chunk, 1, sizeof (chunk), old)) > 0)
    error = write_text (file, chunk, length);
  if (error == 0 && ferror (old))
    error = EIO;
  fclose (old);
  return error;
}

/* The present state with a header of @target_duration and @text at its end. */
static int
append (RecHlsPlaylist *playlist, unsigned target_duration, const char *text)
{
  unsigned old_target_duration = playlist->target_duration;
  RecFile file;
  uint64_t body = 0;
  int error;

  playlist->target_duration = target_duration;
  error = new_state_begin (playlist, &file);
  if (error == 0) {
    body = atomic_load (&file.size);
    error = copy_entries (playlist, &file);
  }
  if (error == 0)
    error = write_text (&file, text, strlen (text));
  error = new_state_finish (playlist, &file, error);
  if (error == 0)
    playlist->body = body;
  else
    playlist->target_duration = old_target_duration;
  return error;
}

/* --- reading back what an earlier run left */

/* Lines of one entry: tags, then the URI. */
typedef struct
{
  char *text;
  size_t length;
  size_t size;
  uint64_t end; /* first byte behind its range; 0: no range */
  uint64_t duration;
} Lines;

static int
lines_add (Lines *lines, const char *line)
{
  size_t length = strlen (line);

  if (lines->length + length + 1 > lines->size) {
    size_t size = (lines->length + length + 1) * 2;
    char *text = realloc (lines->text, size);

    if (text == NULL)
      return ENOMEM;
    lines->text = text;
    lines->size = size;
  }
  memcpy (lines->text + lines->length, line, length + 1);
  lines->length += length;
  return 0;
}

static void
lines_reset (Lines *lines)
{
  lines->length = 0;
  lines->end = 0;
  lines->duration = 0;
}

/* Tags of the header, which is written anew, and the end, which is not one. */
static bool
is_header_tag (const char *line)
{
  static const char *const tags[] = { "#EXTM3U", "#EXT-X-VERSION",
    "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PLAYLIST-TYPE",
    "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-ENDLIST" };
  size_t i;

  for (i = 0; i < sizeof (tags) / sizeof (tags[0]); i++) {
    if (strncmp (line, tags[i], strlen (tags[i])) == 0)
      return true;
  }
  return false;
}

static void
lines_read_tag (Lines *lines, const char *line)
{
  uint64_t size, offset;
  double seconds;

  if (sscanf (line, "#EXT-X-BYTERANGE:%" SCNu64 "@%" SCNu64, &size, &offset) ==
      2)
    lines->end = size <= UINT64_MAX - offset ? offset + size : UINT64_MAX;
  else if (sscanf (line, "#EXTINF:%lf", &seconds) == 1 && seconds >= 0.0 &&
      seconds < 1e6)
    lines->duration = (uint64_t)(seconds * (double)NS_PER_SECOND);
}

static bool
is_uri_line (const char *line, const char *uri)
{
  size_t length = strlen (uri);

  return strncmp (line, uri, length) == 0 &&
      (line[length] == '\n' || line[length] == '\r' || line[length] == '\0');
}

/* Writes the entry unless it names bytes that @uri does not have any more. */
static int
keep_entry (RecHlsPlaylist *playlist, RecFile *file, const Lines *lines,
    const char *line, const char *uri, uint64_t file_size)
{
  if (lines->end > file_size && is_uri_line (line, uri))
    return 0;
  playlist->entries++;
  return write_text (file, lines->text, lines->length);
}

/* One line of the old playlist; a line without its end was never complete. */
static int
read_line (RecHlsPlaylist *playlist, RecFile *file, Lines *lines,
    const char *line, const char *uri, uint64_t file_size)
{
  int error;

  if (strchr (line, '\n') == NULL || line[0] == '\n' || line[0] == '\r' ||
      is_header_tag (line))
    return 0;
  error = lines_add (lines, line);
  if (error != 0)
    return error;
  if (line[0] == '#') {
    lines_read_tag (lines, line);
    return 0;
  }
  error = keep_entry (playlist, file, lines, line, uri, file_size);
  lines_reset (lines);
  return error;
}

/* The longest entry decides on EXT-X-TARGETDURATION, which stands before all
 * of them. */
static int
survey (FILE *old, unsigned *target_duration)
{
  char line[LINE_MAX_LENGTH];
  Lines lines = { 0 };

  if (fgets (line, sizeof (line), old) == NULL ||
      strncmp (line, "#EXTM3U", 7) != 0)
    return EINVAL;
  while (fgets (line, sizeof (line), old) != NULL) {
    if (strncmp (line, "#EXT-X-STREAM-INF", 17) == 0)
      return EINVAL;
    lines_read_tag (&lines, line);
    if (seconds_rounded (lines.duration) > *target_duration)
      *target_duration = seconds_rounded (lines.duration);
  }
  rewind (old);
  return ferror (old) ? EIO : 0;
}

static int
take_over (
    RecHlsPlaylist *playlist, FILE *old, const char *uri, uint64_t file_size)
{
  char line[LINE_MAX_LENGTH];
  Lines lines = { 0 };
  RecFile file;
  uint64_t body = 0;
  int error;

  error = survey (old, &playlist->target_duration);
  if (error != 0)
    return error;
  error = new_state_begin (playlist, &file);
  if (error == 0)
    body = atomic_load (&file.size);
  while (error == 0 && fgets (line, sizeof (line), old) != NULL)
    error = read_line (playlist, &file, &lines, line, uri, file_size);
  if (error == 0 && ferror (old))
    error = EIO;
  error = new_state_finish (playlist, &file, error);
  free (lines.text);
  playlist->body = body;
  playlist->discontinuous = playlist->entries > 0;
  return error;
}

/* --- the interface */

static char *
path_of_next_state (const char *path)
{
  const char *slash = strrchr (path, '/');
  size_t directory = slash != NULL ? (size_t)(slash - path) + 1 : 0;
  size_t size = strlen (path) + sizeof (".new") + 1;
  char *result = malloc (size);

  if (result != NULL)
    snprintf (
        result, size, "%.*s.%s.new", (int)directory, path, path + directory);
  return result;
}

static int
init (RecHlsPlaylist *playlist, const char *path, uint64_t target_duration)
{
  memset (playlist, 0, sizeof (*playlist));
  playlist->path = strdup (path);
  playlist->new_path = path_of_next_state (path);
  playlist->target_duration = seconds_rounded (target_duration);
  if (playlist->target_duration == 0)
    playlist->target_duration = 1;
  return playlist->path != NULL && playlist->new_path != NULL ? 0 : ENOMEM;
}

int
rec_hls_playlist_create (
    RecHlsPlaylist *playlist, const char *path, uint64_t target_duration)
{
  RecFile file;
  uint64_t body;
  int error = init (playlist, path, target_duration);

  if (error == 0) {
    error = new_state_begin (playlist, &file);
    body = atomic_load (&file.size);
    error = new_state_finish (playlist, &file, error);
    playlist->body = body;
  }
  if (error != 0)
    rec_hls_playlist_clear (playlist);
  return error;
}

int
rec_hls_playlist_continue (RecHlsPlaylist *playlist, const char *path,
    uint64_t target_duration, const char *uri, uint64_t file_size)
{
  FILE *old = fopen (path, "re");
  int error;

  if (old == NULL && errno == ENOENT)
    return rec_hls_playlist_create (playlist, path, target_duration);
  memset (playlist, 0, sizeof (*playlist));
  if (old == NULL)
    return errno;
  error = init (playlist, path, target_duration);
  if (error == 0)
    error = take_over (playlist, old, uri, file_size);
  fclose (old);
  if (error != 0)
    rec_hls_playlist_clear (playlist);
  return error;
}

/* EXT-X-PROGRAM-DATE-TIME is ISO 8601 with a zone; ours is UTC. */
static void
format_date (char *text, size_t size, int64_t utc_time)
{
  time_t seconds = (time_t)(utc_time / 1000000);
  struct tm tm;
  char date[64];

  text[0] = '\0';
  if (gmtime_r (&seconds, &tm) == NULL ||
      strftime (date, sizeof (date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
    return;
  snprintf (text, size, "#EXT-X-PROGRAM-DATE-TIME:%s.%03dZ\n", date,
      (int)(utc_time % 1000000 / 1000));
}

int
rec_hls_playlist_add (
    RecHlsPlaylist *playlist, const RecHlsPlaylistEntry *entry)
{
  bool discontinuity = playlist->entries > 0 &&
      (entry->discontinuity || playlist->discontinuous);
  unsigned target_duration = playlist->target_duration;
  char date[128] = "", range[64] = "", *text;
  int error;

  if (playlist->ended)
    return EINVAL;
  if (entry->utc_time >= 0 &&
      (discontinuity || playlist->entries % ENTRIES_PER_DATE == 0))
    format_date (date, sizeof (date), entry->utc_time);
  if (!entry->whole_file)
    snprintf (range, sizeof (range),
        "#EXT-X-BYTERANGE:%" PRIu64 "@%" PRIu64 "\n", entry->size,
        entry->offset);
  if (asprintf (&text, "%s%s#EXTINF:%" PRIu64 ".%06u,\n%s%s\n",
          discontinuity ? "#EXT-X-DISCONTINUITY\n" : "", date,
          entry->duration / NS_PER_SECOND,
          (unsigned)(entry->duration % NS_PER_SECOND / 1000), range,
          entry->uri) < 0)
    return ENOMEM;
  /* EXTINF, rounded, must not be above it (RFC 8216, 4.3.3.1). */
  if (seconds_rounded (entry->duration) > target_duration)
    target_duration = seconds_rounded (entry->duration);
  error = append (playlist, target_duration, text);
  free (text);
  if (error == 0) {
    playlist->entries++;
    playlist->discontinuous = false;
  }
  return error;
}

int
rec_hls_playlist_end (RecHlsPlaylist *playlist)
{
  int error;

  if (playlist->ended)
    return 0;
  error = append (playlist, playlist->target_duration, END_LIST);
  if (error == 0)
    playlist->ended = true;
  return error;
}

void
rec_hls_playlist_clear (RecHlsPlaylist *playlist)
{
  free (playlist->path);
  free (playlist->new_path);
  memset (playlist, 0, sizeof (*playlist));
}

/* Unreserved characters, and those that a path segment may hold as they are;
 * not the colon, which would make the first segment a scheme. */
static bool
is_plain (unsigned char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
      (c >= '0' && c <= '9') || (c != '\0' && strchr ("-._~/!$&'()*+,;=@", c));
}

/* @path seen from the working directory if it is relative. NULL: no memory, or
 * no such directory. */
static char *
make_absolute (const char *path)
{
  char *folder, *result = NULL;

  if (path[0] == '/')
    return strdup (path);
  folder = getcwd (NULL, 0);
  if (folder != NULL && asprintf (&result, "%s/%s", folder, path) < 0)
    result = NULL;
  free (folder);
  return result;
}

/* How many bytes of both are the same folders. */
static size_t
common_folders (const char *a, const char *b)
{
  size_t length = 0, i;

  for (i = 0; a[i] != '\0' && a[i] == b[i]; i++) {
    if (a[i] == '/')
      length = i + 1;
  }
  return length;
}

static char *
encode (const char *path, unsigned levels_up)
{
  char *uri = malloc (levels_up * 3 + strlen (path) * 3 + 1), *out = uri;

  if (uri == NULL)
    return NULL;
  for (; levels_up > 0; levels_up--)
    out += sprintf (out, "../");
  for (; *path != '\0'; path++) {
    if (is_plain ((unsigned char)*path))
      *out++ = *path;
    else
      out += sprintf (out, "%%%02X", (unsigned char)*path);
  }
  *out = '\0';
  return uri;
}

/* Only up from a relative name: the folders above an absolute one may well be
 * links, and are not served. */
static char *
uri_of (const char *playlist_path, const char *file_path)
{
  size_t common = common_folders (playlist_path, file_path);
  const char *rest = playlist_path + common;
  unsigned levels = 0;

  for (; (rest = strchr (rest, '/')) != NULL; rest++)
    levels++;
  if (playlist_path[0] == '/' && levels > 0)
    return encode (file_path, 0);
  return encode (file_path + common, levels);
}

char *
rec_hls_playlist_uri (const char *playlist_path, const char *file_path)
{
  char *playlist, *file, *uri = NULL;

  if ((playlist_path[0] == '/') == (file_path[0] == '/'))
    return uri_of (playlist_path, file_path);
  playlist = make_absolute (playlist_path);
  file = make_absolute (file_path);
  if (playlist != NULL && file != NULL)
    uri = uri_of (playlist, file);
  free (playlist);
  free (file);
  return uri;
}
