/* gst-tsrec: the folder of the recordings, from which no name can escape
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverfolder.h"
#include "recservererror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_TEXT (16 * 1024 * 1024)

struct _RecServerFolder
{
  gatomicrefcount refcount;
  gchar *path;
  int fd;
};

/* Nothing else in the folder can be asked for, should it be somebody's home. */
static const gchar *const types[][2] = {
  { ".ts", "video/mp2t" },
  { ".m3u8", "application/vnd.apple.mpegurl" },
  { ".mp4", "video/mp4" },
  { ".mkv", "video/x-matroska" },
  { ".webm", "video/webm" },
  { ".jpg", "image/jpeg" },
};

RecServerFolder *
rec_server_folder_new (const gchar *path, GError **error)
{
  RecServerFolder *folder;
  int fd = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0) {
    rec_server_error_set (error, 500, "no folder",
        "Could not open the folder \"%s\": %s. Set directory to one that this "
        "user may read.",
        path, g_strerror (errno));
    return NULL;
  }
  folder = g_new0 (RecServerFolder, 1);
  g_atomic_ref_count_init (&folder->refcount);
  folder->path = g_canonicalize_filename (path, NULL);
  folder->fd = fd;
  return folder;
}

RecServerFolder *
rec_server_folder_ref (RecServerFolder *folder)
{
  g_atomic_ref_count_inc (&folder->refcount);
  return folder;
}

void
rec_server_folder_unref (RecServerFolder *folder)
{
  if (!g_atomic_ref_count_dec (&folder->refcount))
    return;
  close (folder->fd);
  g_free (folder->path);
  g_free (folder);
}

gchar *
rec_server_folder_dup_name (RecServerFolder *folder)
{
  return g_path_get_basename (folder->path);
}

const gchar *
rec_server_folder_get_type (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    gsize length = strlen (name), end = strlen (types[i][0]);

    if (length > end &&
        g_ascii_strcasecmp (name + length - end, types[i][0]) == 0)
      return types[i][1];
  }
  return NULL;
}

/* Neither hidden nor empty components, no backslash, not too deep. */
static gboolean
is_plain_name (const gchar *name)
{
  gchar **parts = g_strsplit (name, "/", -1);
  guint n = g_strv_length (parts);
  gboolean ok = n > 0 && n <= REC_SERVER_FOLDER_MAX_DEPTH + 1 &&
      strlen (name) < 4096 && !strchr (name, '\\');

  for (guint i = 0; ok && parts[i]; i++)
    ok = *parts[i] != '\0' && *parts[i] != '.';
  g_strfreev (parts);
  return ok;
}

/* --- opening --- */

/* Kernels before 5.6: component by component, and no links at all. */
static int
open_without_links (int folder, const gchar *name, int flags)
{
  gchar **parts = g_strsplit (name, "/", -1);
  int fd = fcntl (folder, F_DUPFD_CLOEXEC, 0);

  for (guint i = 0; parts[i] && fd >= 0; i++) {
    int at = fd;

    fd = openat (at, parts[i],
        (parts[i + 1] ? O_PATH | O_DIRECTORY : flags) | O_NOFOLLOW | O_CLOEXEC);
    close (at);
  }
  g_strfreev (parts);
  return fd;
}

static int
open_beneath (int folder, const gchar *name, int flags)
{
  struct open_how how = { .flags = (guint64)(flags | O_CLOEXEC),
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
  int fd = (int)syscall (SYS_openat2, folder, name, &how, sizeof (how));

  if (fd < 0 && (errno == ENOSYS || errno == EPERM))
    return open_without_links (folder, name, flags);
  return fd;
}

static void
set_error (GError **error, const gchar *name, int err)
{
  switch (err) {
    case EXDEV:
      rec_server_error_set (error, 403, "not in the folder",
          "\"%s\" is a link that leads out of the folder that is served.",
          name);
      break;
    case EACCES:
    case EPERM:
      rec_server_error_set (error, 403, "not readable",
          "The server may not access \"%s\"; check its permissions.", name);
      break;
    case EMFILE:
    case ENFILE:
      rec_server_error_set (error, 503, "too many files",
          "Too many files are open; try again in a moment.");
      break;
    default:
      rec_server_error_set (error, 404, "no such recording",
          "There is no recording \"%s\" in this folder.", name);
  }
}

int
rec_server_folder_open (
    RecServerFolder *folder, const gchar *name, struct stat *st, GError **error)
{
  int fd;

  if (!is_plain_name (name)) {
    rec_server_error_set (error, 403, "not in the folder",
        "The name leads out of the folder that is served.");
    return -1;
  }
  if (!rec_server_folder_get_type (name)) {
    set_error (error, name, ENOENT);
    return -1;
  }
  /* A FIFO would otherwise wait for somebody to write into it. */
  fd = open_beneath (folder->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    set_error (error, name, errno);
    return -1;
  }
  if (fstat (fd, st) == 0 && S_ISREG (st->st_mode))
    return fd;
  close (fd);
  set_error (error, name, ENOENT);
  return -1;
}

int
rec_server_folder_peek (
    RecServerFolder *folder, const gchar *name, struct stat *st)
{
  int fd = is_plain_name (name)
      ? open_beneath (folder->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      : -1;

  if (fd < 0 || (fstat (fd, st) == 0 && S_ISREG (st->st_mode)))
    return fd;
  close (fd);
  return -1;
}

gchar *
rec_server_folder_load (RecServerFolder *folder, const gchar *name)
{
  struct stat st;
  int fd = rec_server_folder_peek (folder, name, &st);
  gchar *text = NULL;
  gsize size = 0;
  gssize n = 1;

  if (fd < 0)
    return NULL;
  if (st.st_size <= MAX_TEXT) {
    text = g_malloc (st.st_size + 1);
    while (size < (gsize)st.st_size && n > 0) {
      n = pread (fd, text + size, st.st_size - size, size);
      size += MAX (n, 0);
    }
    text[size] = '\0';
  }
  close (fd);
  return text;
}

gboolean
rec_server_folder_delete (
    RecServerFolder *folder, const gchar *name, GError **error)
{
  const gchar *slash = strrchr (name, '/');
  gchar *parent = slash ? g_strndup (name, slash - name) : g_strdup (".");
  int fd, r;

  if (!is_plain_name (name)) {
    g_free (parent);
    set_error (error, name, ENOENT);
    return FALSE;
  }
  fd = open_beneath (folder->fd, parent, O_PATH | O_DIRECTORY);
  r = fd < 0 ? -1 : unlinkat (fd, slash ? slash + 1 : name, 0);
  if (r < 0)
    set_error (error, name, errno);
  if (fd >= 0)
    close (fd);
  g_free (parent);
  return r == 0;
}

gboolean
rec_server_folder_is_locked (int fd)
{
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

  return fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* --- looking around --- */

typedef struct
{
  RecServerFolder *folder;
  RecServerFolderFunc func;
  gpointer user_data;
  gboolean goes_on;
} Walk;

/* Closes @fd. */
static void
walk (Walk *state, int fd, const gchar *prefix, guint depth)
{
  DIR *dir = fdopendir (fd);
  struct dirent *entry;

  if (!dir) {
    close (fd);
    return;
  }
  while (state->goes_on && (entry = readdir (dir))) {
    gchar *name = g_strconcat (prefix, entry->d_name, NULL);
    struct stat st;

    if (*entry->d_name != '.' && g_utf8_validate (name, -1, NULL) &&
        fstatat (dirfd (dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
      if (S_ISDIR (st.st_mode) && depth < REC_SERVER_FOLDER_MAX_DEPTH) {
        gchar *below = g_strconcat (name, "/", NULL);
        int inner =
            open_beneath (state->folder->fd, name, O_RDONLY | O_DIRECTORY);

        if (inner >= 0)
          walk (state, inner, below, depth + 1);
        g_free (below);
      } else if (!S_ISDIR (st.st_mode) && rec_server_folder_get_type (name))
        state->goes_on = state->func (name, state->user_data);
    }
    g_free (name);
  }
  closedir (dir);
}

void
rec_server_folder_foreach (
    RecServerFolder *folder, RecServerFolderFunc func, gpointer user_data)
{
  Walk state = { folder, func, user_data, TRUE };
  int fd = openat (folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0)
    walk (&state, fd, "", 0);
}
