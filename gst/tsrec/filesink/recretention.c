/* gst-tsrec: deletion of old fragments
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recretention.h"

#include "recdisk.h"
#include "recfile.h"

#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  gchar *path, *base;
  guint64 bytes, device, inode;
  struct timespec modified;
} Kept;

static void
kept_free (gpointer data)
{
  Kept *kept = data;

  g_free (kept->path);
  g_free (kept->base);
  g_free (kept);
}

void
rec_retention_init (RecRetention *self)
{
  g_queue_init (&self->files);
  self->bytes = 0;
}

void
rec_retention_clear (RecRetention *self)
{
  g_queue_clear_full (&self->files, kept_free);
  self->bytes = 0;
}

static gboolean
is_inside (const gchar *path, const gchar *base)
{
  gsize len = base ? strlen (base) : 0;

  if (!base)
    return FALSE;
  if (g_str_equal (base, "."))
    return path[0] != G_DIR_SEPARATOR;
  return strncmp (path, base, len) == 0 &&
      (base[len - 1] == G_DIR_SEPARATOR || path[len] == G_DIR_SEPARATOR);
}

void
rec_retention_add (RecRetention *self, const gchar *path, const gchar *base)
{
  struct stat st;
  Kept *kept;

  if (stat (path, &st) < 0 || !S_ISREG (st.st_mode))
    return;
  kept = g_new0 (Kept, 1);
  kept->path = g_strdup (path);
  kept->base = is_inside (path, base) ? g_strdup (base) : NULL;
  kept->bytes = (guint64)st.st_size;
  kept->device = st.st_dev;
  kept->inode = st.st_ino;
  kept->modified = st.st_mtim;
  self->bytes += kept->bytes;
  g_queue_push_tail (&self->files, kept);
}

/* Compares the time too, because inode numbers are reused immediately. */
static gboolean
is_unchanged (const Kept *kept)
{
  struct stat st;

  return stat (kept->path, &st) == 0 && st.st_dev == kept->device &&
      st.st_ino == kept->inode && (guint64)st.st_size == kept->bytes &&
      st.st_mtim.tv_sec == kept->modified.tv_sec &&
      st.st_mtim.tv_nsec == kept->modified.tv_nsec;
}

static gboolean
is_over (RecRetention *self, const RecRetentionLimits *limits,
    guint current_files, guint64 current_bytes, const gchar *directory)
{
  if (limits->max_files &&
      self->files.length + current_files > limits->max_files)
    return TRUE;
  if (limits->max_bytes && self->bytes + current_bytes > limits->max_bytes)
    return TRUE;
  return limits->min_free_bytes &&
      rec_disk_free (directory) < limits->min_free_bytes;
}

/* rmdir() fails for a folder that is not empty. */
static void
remove_empty_folders (const Kept *kept)
{
  gchar *folder = g_path_get_dirname (kept->path), *above;

  while (kept->base && strlen (folder) > 1 &&
      !g_str_equal (folder, kept->base) && rmdir (folder) == 0) {
    above = g_path_get_dirname (folder);
    g_free (folder);
    folder = above;
  }
  g_free (folder);
}

guint
rec_retention_apply (RecRetention *self, const RecRetentionLimits *limits,
    guint current_files, guint64 current_bytes, const gchar *directory,
    RecRetentionDeleted deleted, gpointer user_data)
{
  guint n = 0;

  while (self->files.length > 0 &&
      is_over (self, limits, current_files, current_bytes, directory)) {
    Kept *kept = g_queue_pop_head (&self->files);

    self->bytes -= kept->bytes;
    if (is_unchanged (kept) && rec_file_probe_lock (NULL, kept->path) == 0) {
      deleted (kept->path, kept->bytes, user_data);
      if (unlink (kept->path) == 0)
        n++;
      remove_empty_folders (kept);
    }
    kept_free (kept);
  }
  return n;
}
