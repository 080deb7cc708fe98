/* gst-tsrec: file of an HLS media playlist
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
/* Longest line that is read back; own lines are a path and a few numbers. */
#define LINE_MAX_LENGTH 16384
/* Distance of EXT-X-PROGRAM-DATE-TIME in entries: clients add durations to the
 * last date, and the rounding errors add up. */
#define ENTRIES_PER_DATE 30
#define END_LIST "#EXT-X-ENDLIST\n"

static unsigned
seconds_rounded (uint64_t duration)
{
  return (unsigned)((duration + NS_PER_SECOND / 2) / NS_PER_SECOND);
}

/* --- the next state of the file --- */

static int
write_text (RecFile *file, const char *text, size_t length)
{
  struct iovec iov = { .iov_base = (void *)text, .iov_len = length };

  return length > 0 ? rec_file_write (file, &iov, 1) : 0;
}

/* EXT-X-BYTERANGE needs version 4. */
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

/* Creates the temporary file, replacing one that a killed recorder left. */
static int
new_state_begin (RecHlsPlaylist *playlist, RecFile *file)
{
  int err;

  rec_file_init (file, NULL, -1);
  if (unlink (playlist->new_path) != 0 && errno != ENOENT)
    return errno;
  err = rec_file_open (file, playlist->new_path, REC_FILE_CREATE);
  if (err != 0)
    return err;
  return write_header (playlist, file);
}

/* Replaces the playlist with the temporary file or, after @err, deletes the
 * temporary file. Returns the first error. */
static int
new_state_finish (RecHlsPlaylist *playlist, RecFile *file, int err)
{
  int close_err = rec_file_is_open (file) ? rec_file_close (file) : 0;

  if (err == 0)
    err = close_err;
  if (err == 0 && rename (playlist->new_path, playlist->path) != 0)
    err = errno;
  if (err != 0)
    unlink (playlist->new_path);
  return err;
}

static int
copy_entries (RecHlsPlaylist *playlist, RecFile *file)
{
  char chunk[COPY_CHUNK];
  FILE *old = fopen (playlist->path, "re");
  size_t length;
  int err = 0;

  if (old == NULL)
    return errno;
  if (fseeko (old, (off_t)playlist->body, SEEK_SET) != 0)
    err = errno;
  while (err == 0 && (length = fread (chunk, 1, sizeof (chunk), old)) > 0)
    err = write_text (file, chunk, length);
  if (err == 0 && ferror (old))
    err = EIO;
  fclose (old);
  return err;
}

/* Writes the present entries and @text, with a header of @target_duration. */
static int
append (RecHlsPlaylist *playlist, unsigned target_duration, const char *text)
{
  unsigned old_target_duration = playlist->target_duration;
  RecFile file;
  uint64_t body = 0;
  int err;

  playlist->target_duration = target_duration;
  err = new_state_begin (playlist, &file);
  if (err == 0) {
    body = atomic_load (&file.size);
    err = copy_entries (playlist, &file);
  }
  if (err == 0)
    err = write_text (&file, text, strlen (text));
  err = new_state_finish (playlist, &file, err);
  if (err == 0)
    playlist->body = body;
  else
    playlist->target_duration = old_target_duration;
  return err;
}

/* --- the playlist of an earlier run --- */

/* Lines of one entry: tags, then the URI. */
typedef struct
{
  char *text;
  size_t length;
  size_t size;
  uint64_t end; /* first byte after its range; 0: no range */
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

/* Returns true for tags of the header, which is written again, and for the end
 * tag. */
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

/* Writes the entry unless it names bytes after @file_size in @uri. */
static int
keep_entry (RecHlsPlaylist *playlist, RecFile *file, const Lines *lines,
    const char *line, const char *uri, uint64_t file_size)
{
  if (lines->end > file_size && is_uri_line (line, uri))
    return 0;
  playlist->entries++;
  return write_text (file, lines->text, lines->length);
}

/* Reads one line of the old playlist. A line without a line feed is incomplete
 * and ignored. */
static int
read_line (RecHlsPlaylist *playlist, RecFile *file, Lines *lines,
    const char *line, const char *uri, uint64_t file_size)
{
  int err;

  if (strchr (line, '\n') == NULL || line[0] == '\n' || line[0] == '\r' ||
      is_header_tag (line))
    return 0;
  err = lines_add (lines, line);
  if (err != 0)
    return err;
  if (line[0] == '#') {
    lines_read_tag (lines, line);
    return 0;
  }
  err = keep_entry (playlist, file, lines, line, uri, file_size);
  lines_reset (lines);
  return err;
}

/* Checks that @old is a media playlist, and raises @target_duration to the
 * longest entry, because EXT-X-TARGETDURATION precedes all entries. */
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
  int err;

  err = survey (old, &playlist->target_duration);
  if (err != 0)
    return err;
  err = new_state_begin (playlist, &file);
  if (err == 0)
    body = atomic_load (&file.size);
  while (err == 0 && fgets (line, sizeof (line), old) != NULL)
    err = read_line (playlist, &file, &lines, line, uri, file_size);
  if (err == 0 && ferror (old))
    err = EIO;
  err = new_state_finish (playlist, &file, err);
  free (lines.text);
  playlist->body = body;
  playlist->discontinuous = playlist->entries > 0;
  return err;
}

/* --- the interface --- */

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
  int err = init (playlist, path, target_duration);

  if (err == 0) {
    err = new_state_begin (playlist, &file);
    body = atomic_load (&file.size);
    err = new_state_finish (playlist, &file, err);
    playlist->body = body;
  }
  if (err != 0)
    rec_hls_playlist_clear (playlist);
  return err;
}

int
rec_hls_playlist_continue (RecHlsPlaylist *playlist, const char *path,
    uint64_t target_duration, const char *uri, uint64_t file_size)
{
  FILE *old = fopen (path, "re");
  int err;

  if (old == NULL && errno == ENOENT)
    return rec_hls_playlist_create (playlist, path, target_duration);
  memset (playlist, 0, sizeof (*playlist));
  if (old == NULL)
    return errno;
  err = init (playlist, path, target_duration);
  if (err == 0)
    err = take_over (playlist, old, uri, file_size);
  fclose (old);
  if (err != 0)
    rec_hls_playlist_clear (playlist);
  return err;
}

/* Writes EXT-X-PROGRAM-DATE-TIME in UTC. It is empty if the time cannot be
 * converted. */
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
  int err;

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
  /* the rounded EXTINF must not be greater (RFC 8216, 4.3.3.1) */
  if (seconds_rounded (entry->duration) > target_duration)
    target_duration = seconds_rounded (entry->duration);
  err = append (playlist, target_duration, text);
  free (text);
  if (err == 0) {
    playlist->entries++;
    playlist->discontinuous = false;
  }
  return err;
}

int
rec_hls_playlist_end (RecHlsPlaylist *playlist)
{
  int err;

  if (playlist->ended)
    return 0;
  err = append (playlist, playlist->target_duration, END_LIST);
  if (err == 0)
    playlist->ended = true;
  return err;
}

void
rec_hls_playlist_clear (RecHlsPlaylist *playlist)
{
  free (playlist->path);
  free (playlist->new_path);
  memset (playlist, 0, sizeof (*playlist));
}

/* Returns true for characters that a path segment may contain unencoded (RFC
 * 3986, 3.3), except the colon, which would make the first segment a scheme. */
static bool
is_plain (unsigned char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
      (c >= '0' && c <= '9') || (c != '\0' && strchr ("-._~/!$&'()*+,;=@", c));
}

/* Returns @path as an absolute path, to be freed; NULL: out of memory, or the
 * working directory does not exist. */
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

/* Returns the length of the folders that both paths begin with. */
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

/* "../" is used for relative paths only: the folders above an absolute path may
 * be symbolic links and are not served. */
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
