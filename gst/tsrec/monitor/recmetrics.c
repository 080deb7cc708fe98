/* gst-tsrec: the metrics of all monitors of the process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recmetrics.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- The registry --- */

/**
 * RecMetricsEntry:
 * @recording: label, NULL before the first sample
 * @stage: label, NULL before the first sample
 * @file: file that this entry writes, or NULL
 * @shown: the entry has a sample
 * @ended: the monitor has ended; @sample holds its last values
 * @left: the monitor has released the entry
 * @sample: last sample; its strings are NULL
 */
struct _RecMetricsEntry
{
  gchar *recording;
  gchar *stage;
  gchar *file;
  gboolean shown;
  gboolean ended;
  gboolean left;
  RecMetricsSample sample;
};

static GMutex registry_lock;
static GList *registry; /* of RecMetricsEntry, oldest first */

static void
entry_free (RecMetricsEntry *entry)
{
  g_free (entry->recording);
  g_free (entry->stage);
  g_free (entry->file);
  g_free (entry);
}

RecMetricsEntry *
rec_metrics_add (void)
{
  RecMetricsEntry *entry = g_new0 (RecMetricsEntry, 1);
  GList *l, *next;

  g_mutex_lock (&registry_lock);
  for (l = registry; l; l = next) {
    next = l->next;
    if (((RecMetricsEntry *)l->data)->left) {
      entry_free (l->data);
      registry = g_list_delete_link (registry, l);
    }
  }
  registry = g_list_append (registry, entry);
  g_mutex_unlock (&registry_lock);
  return entry;
}

void
rec_metrics_update (RecMetricsEntry *entry, const RecMetricsSample *sample)
{
  g_mutex_lock (&registry_lock);
  if (g_strcmp0 (entry->recording, sample->stats.recording_id) != 0) {
    g_free (entry->recording);
    entry->recording = g_strdup (sample->stats.recording_id);
  }
  if (g_strcmp0 (entry->stage, sample->stats.stage) != 0) {
    g_free (entry->stage);
    entry->stage = g_strdup (sample->stats.stage);
  }
  entry->sample = *sample;
  entry->sample.stats.recording_id = entry->sample.stats.stage = NULL;
  entry->shown = TRUE;
  g_mutex_unlock (&registry_lock);
}

void
rec_metrics_end (RecMetricsEntry *entry)
{
  g_mutex_lock (&registry_lock);
  entry->ended = TRUE;
  entry->sample.running = FALSE;
  memset (entry->sample.raised, 0, sizeof entry->sample.raised);
  g_mutex_unlock (&registry_lock);
}

void
rec_metrics_leave (RecMetricsEntry *entry)
{
  g_mutex_lock (&registry_lock);
  g_clear_pointer (&entry->file, g_free);
  entry->left = TRUE;
  g_mutex_unlock (&registry_lock);
}

gboolean
rec_metrics_claim_file (RecMetricsEntry *entry, const gchar *path)
{
  gboolean mine = path != NULL;
  GList *l;

  g_mutex_lock (&registry_lock);
  for (l = registry; l && mine; l = l->next) {
    RecMetricsEntry *other = l->data;

    if (other != entry && g_strcmp0 (other->file, path) == 0)
      mine = FALSE;
  }
  if (g_strcmp0 (entry->file, mine ? path : NULL) != 0) {
    g_free (entry->file);
    entry->file = mine ? g_strdup (path) : NULL;
  }
  g_mutex_unlock (&registry_lock);
  return mine;
}

/* --- The exposition --- */

typedef enum
{
  GAUGE,
  COUNTER,
} FamilyType;

/* Appends the value of @sample. */
typedef void (*FamilyValue) (GString *out, const RecMetricsSample *sample);

typedef struct
{
  const gchar *name; /* without _total */
  FamilyType type;
  const gchar *unit; /* the end of the name, or "" */
  const gchar *help;
  FamilyValue value;
  enum
  {
    ALWAYS,
    IF_RTP,
    IF_SOURCE_KNOWN,
  } shown;
} Family;

static void
append_integer (GString *out, guint64 value)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT, value);
}

static void
append_double (GString *out, gdouble value)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (
      out, g_ascii_formatd (number, sizeof number, "%.15g", value));
}

#define INTEGER(name, expression)                                              \
  static void value_##name (GString *out, const RecMetricsSample *s)           \
  {                                                                            \
    append_integer (out, expression);                                          \
  }
#define SECONDS(name, expression)                                              \
  static void value_##name (GString *out, const RecMetricsSample *s)           \
  {                                                                            \
    append_double (out, (gdouble)(expression) / GST_SECOND);                   \
  }

/* clang-format off */
INTEGER (file_size, s->written.file_size)
INTEGER (streak, s->stats.zero_packet_streak)
INTEGER (buffers_written, s->written.buffers_written)
INTEGER (packets, s->stats.packets)
INTEGER (bytes, s->stats.bytes)
INTEGER (bytes_written, s->stats.bytes_written)
INTEGER (bytes_durable, s->stats.bytes_durable)
INTEGER (memory_rss, s->stats.memory_rss)
INTEGER (memory_rss_peak, s->stats.memory_rss_peak)
INTEGER (memory_queued, s->stats.memory_queued)
INTEGER (running, s->running ? 1 : 0)
INTEGER (connected, s->source.connected ? 1 : 0)
INTEGER (socket_dropped, s->source.packets_dropped)
INTEGER (dropped, s->written.bytes_dropped)
INTEGER (waiting, s->written.waiting_for_disk ? 1 : 0)
INTEGER (lost, s->stats.packets_lost)
INTEGER (late, s->stats.packets_late)
INTEGER (reordered, s->stats.packets_reordered)
SECONDS (idle, s->stats.idle_time)
SECONDS (elapsed, s->elapsed)
SECONDS (durable_lag, s->durable_lag)
SECONDS (write_blocked, s->written.write_blocked)

static void
value_memory_mb (GString *out, const RecMetricsSample *s)
{
  append_double (out, s->stats.memory_rss / 1e6);
}

/* The first four are names that dashboards query already. */
static const Family families[] = {
  { "recording_memory_usage_mb", GAUGE, "mb",
    "Resident memory of the recording process, in units of 1000000 bytes.",
    value_memory_mb, ALWAYS },
  { "recording_file_size_bytes", GAUGE, "bytes",
    "Size of the file that is being written.", value_file_size, ALWAYS },
  { "recording_zero_packet_streak", GAUGE, "",
    "Frames that entered the encoder, or checks of 100 ms, since a packet came; "
    "the lowest of the last second.",
    value_streak, ALWAYS },
  { "recording_packets_written", GAUGE, "",
    "Access units that the sink wrote since the start.",
    value_buffers_written, ALWAYS },
  { "recording_packets", COUNTER, "",
    "Packets that passed the monitor.", value_packets, ALWAYS },
  { "recording_passed_bytes", COUNTER, "bytes",
    "Bytes that passed the monitor.", value_bytes, ALWAYS },
  { "recording_written_bytes", COUNTER, "bytes",
    "Bytes that the sink gave to the kernel, over all files.",
    value_bytes_written, ALWAYS },
  { "recording_durable_bytes", COUNTER, "bytes",
    "Bytes written that are known to be on stable storage.",
    value_bytes_durable, ALWAYS },
  { "recording_durable_lag_seconds", GAUGE, "seconds",
    "How long the oldest byte that a power cut would take has been waiting.",
    value_durable_lag, ALWAYS },
  { "recording_write_blocked_seconds", GAUGE, "seconds",
    "How long the write that is under way has been going on.",
    value_write_blocked, ALWAYS },
  { "recording_waiting_for_disk", GAUGE, "",
    "1 while access units are dropped because the disk is full.",
    value_waiting, ALWAYS },
  { "recording_dropped_bytes", COUNTER, "bytes",
    "Bytes that the sink received and could not write.",
    value_dropped, ALWAYS },
  { "recording_publisher_connected", GAUGE, "",
    "1 while a publisher is connected to the source, 0 while it waits for one.",
    value_connected, IF_SOURCE_KNOWN },
  { "recording_socket_dropped_packets", COUNTER, "",
    "Packets that the kernel dropped as the receive buffer of a socket was full; "
    "the same at every stage of a connection.",
    value_socket_dropped, IF_SOURCE_KNOWN },
  { "recording_idle_seconds", GAUGE, "seconds",
    "Time since a packet passed the monitor.", value_idle, ALWAYS },
  { "recording_elapsed_seconds", GAUGE, "seconds",
    "Time since the monitor started.", value_elapsed, ALWAYS },
  { "recording_running", GAUGE, "",
    "1 while the monitor runs, 0 after the recording ended.",
    value_running, ALWAYS },
  { "recording_resident_memory_bytes", GAUGE, "bytes",
    "Resident memory of the recording process.", value_memory_rss, ALWAYS },
  { "recording_resident_memory_peak_bytes", GAUGE, "bytes",
    "Highest resident memory of the recording process so far.",
    value_memory_rss_peak, ALWAYS },
  { "recording_queued_bytes", GAUGE, "bytes",
    "Bytes held by the queues upstream of the monitor.",
    value_memory_queued, ALWAYS },
  { "recording_rtp_packets_lost", COUNTER, "",
    "RTP packets that never came or came too late to be of use.",
    value_lost, IF_RTP },
  { "recording_rtp_packets_late", COUNTER, "",
    "RTP packets that came too late to be of use.", value_late, IF_RTP },
  { "recording_rtp_packets_reordered", COUNTER, "",
    "RTP packets that came out of order but in time.",
    value_reordered, IF_RTP },
};
/* clang-format on */

static void
append_escaped (GString *out, const gchar *value)
{
  for (; *value; value++) {
    if (*value == '\\' || *value == '"')
      g_string_append_c (out, '\\');
    if (*value == '\n')
      g_string_append (out, "\\n");
    else
      g_string_append_c (out, *value);
  }
}

static void
append_header (GString *out, RecMetricsFormat format, const gchar *name,
    FamilyType type, const gchar *unit, const gchar *help)
{
  const gchar *total =
      type == COUNTER && format == REC_METRICS_TEXT ? "_total" : "";

  g_string_append_printf (out, "# HELP %s%s %s\n", name, total, help);
  g_string_append_printf (out, "# TYPE %s%s %s\n", name, total,
      type == COUNTER ? "counter" : "gauge");
  g_string_append_printf (out, "# UNIT %s%s %s\n", name, total, unit);
}

/* Up to the closing brace, which is left for more labels. */
static void
append_name (GString *out, const RecMetricsEntry *entry, const gchar *name,
    FamilyType type)
{
  g_string_append_printf (
      out, "%s%s{recording=\"", name, type == COUNTER ? "_total" : "");
  append_escaped (out, entry->recording);
  g_string_append (out, "\",stage=\"");
  append_escaped (out, entry->stage);
  g_string_append_c (out, '"');
}

static void
append_family (GString *out, RecMetricsFormat format, const Family *family,
    GPtrArray *entries)
{
  guint i;

  append_header (
      out, format, family->name, family->type, family->unit, family->help);
  for (i = 0; i < entries->len; i++) {
    const RecMetricsEntry *entry = g_ptr_array_index (entries, i);

    if ((family->shown == IF_RTP && !entry->sample.rtp) ||
        (family->shown == IF_SOURCE_KNOWN && !entry->sample.source_known))
      continue;
    append_name (out, entry, family->name, family->type);
    g_string_append (out, "} ");
    family->value (out, &entry->sample);
    g_string_append_c (out, '\n');
  }
}

/* The families with a label "rule". */
static void
append_alerts (GString *out, RecMetricsFormat format, GPtrArray *entries)
{
  guint i, rule;

  append_header (out, format, "recording_alert", GAUGE, "",
      "1 while the rule is raised; where names the first stage that delivers "
      "nothing.");
  for (i = 0; i < entries->len; i++)
    for (rule = 0; rule < REC_ALERT_N_RULES; rule++) {
      const RecMetricsEntry *entry = g_ptr_array_index (entries, i);
      gboolean raised = entry->sample.raised[rule];

      append_name (out, entry, "recording_alert", GAUGE);
      g_string_append_printf (out, ",rule=\"%s\"", rec_alert_rule_name (rule));
      if (raised && *entry->sample.where[rule])
        g_string_append_printf (
            out, ",where=\"%s\"", entry->sample.where[rule]);
      g_string_append_printf (out, "} %d\n", raised ? 1 : 0);
    }
  append_header (out, format, "recording_alerts", COUNTER, "",
      "How often the rule was raised.");
  for (i = 0; i < entries->len; i++)
    for (rule = 0; rule < REC_ALERT_N_RULES; rule++) {
      const RecMetricsEntry *entry = g_ptr_array_index (entries, i);

      append_name (out, entry, "recording_alerts", COUNTER);
      g_string_append_printf (out, ",rule=\"%s\"} %" G_GUINT64_FORMAT "\n",
          rec_alert_rule_name (rule), entry->sample.raised_count[rule]);
    }
}

static gboolean
same_labels (const RecMetricsEntry *a, const RecMetricsEntry *b)
{
  return strcmp (a->recording, b->recording) == 0 &&
      strcmp (a->stage, b->stage) == 0;
}

/* Returns the exposed entries: of two with the same labels the running one, or
 * the older one, because an exposition contains a series only once. */
static GPtrArray *
choose_entries_unlocked (void)
{
  GPtrArray *chosen = g_ptr_array_new ();
  GList *l;

  for (l = registry; l; l = l->next) {
    RecMetricsEntry *entry = l->data;
    guint i;

    if (!entry->shown)
      continue;
    for (i = 0; i < chosen->len; i++)
      if (same_labels (g_ptr_array_index (chosen, i), entry))
        break;
    if (i == chosen->len)
      g_ptr_array_add (chosen, entry);
    else if (((RecMetricsEntry *)g_ptr_array_index (chosen, i))->ended)
      g_ptr_array_index (chosen, i) = entry;
  }
  return chosen;
}

gchar *
rec_metrics_render (RecMetricsFormat format)
{
  GString *out = g_string_new (NULL);
  GPtrArray *entries;
  guint i;

  g_mutex_lock (&registry_lock);
  entries = choose_entries_unlocked ();
  for (i = 0; i < G_N_ELEMENTS (families); i++)
    append_family (out, format, &families[i], entries);
  append_alerts (out, format, entries);
  g_ptr_array_unref (entries);
  g_mutex_unlock (&registry_lock);
  g_string_append (out, "# EOF\n");
  return g_string_free (out, FALSE);
}

/* --- The file --- */

/* Writes @text to @fd and closes it. Returns 0 or errno. */
static int
write_and_close (int fd, const gchar *text)
{
  FILE *file = fdopen (fd, "w");
  int err = 0;

  if (!file) {
    err = errno;
    close (fd);
    return err;
  }
  /* The collector may run as another user. The file is not synced: after a
   * power cut its values would be out of date. */
  if (fputs (text, file) < 0 || fchmod (fd, 0644) < 0)
    err = errno;
  if (fclose (file) < 0 && !err)
    err = errno;
  return err;
}

gboolean
rec_metrics_write_file (const gchar *path, GError **error)
{
  gchar *dir = g_path_get_dirname (path);
  gchar *name = g_path_get_basename (path);
  /* Hidden, and without the suffix that the textfile collector looks for. */
  gchar *temp = g_strdup_printf ("%s/.%s.XXXXXX", dir, name);
  gchar *text = rec_metrics_render (REC_METRICS_TEXT);
  int fd = g_mkstemp_full (temp, O_WRONLY | O_CLOEXEC, 0644);
  int err = 0;

  if (fd < 0) {
    err = errno;
  } else {
    err = write_and_close (fd, text);
    if (!err && g_rename (temp, path) < 0)
      err = errno;
    if (err)
      g_unlink (temp);
  }
  if (err)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (err),
        "Could not write the metrics to \"%s\": %s. Recording goes on; make "
        "the directory writable or set metrics-file to another path.",
        path, g_strerror (err));
  g_free (text);
  g_free (temp);
  g_free (name);
  g_free (dir);
  return err == 0;
}
