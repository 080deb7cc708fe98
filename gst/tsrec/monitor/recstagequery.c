/* gst-tsrec: reports between the monitors of a pipeline
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recstagequery.h"

/* One field per line. */
/* clang-format off */

#define QUERY_STAGES "tsrec-stages"

GstQuery *
rec_query_new_stages (guint64 asker)
{
  GArray *reports = g_array_new (FALSE, FALSE, sizeof (RecMonitorReport));
  GstStructure *s = gst_structure_new (QUERY_STAGES,
      "asker", G_TYPE_UINT64, asker,
      "reports", G_TYPE_ARRAY, reports, NULL);

  g_array_unref (reports);
  return gst_query_new_custom (GST_QUERY_CUSTOM, s);
}

gboolean
rec_query_is_stages (GstQuery *query)
{
  return GST_QUERY_TYPE (query) == GST_QUERY_CUSTOM &&
      gst_query_get_structure (query) &&
      gst_structure_has_name (gst_query_get_structure (query), QUERY_STAGES);
}

guint64
rec_query_get_stages_asker (GstQuery *query)
{
  guint64 asker = 0;

  gst_structure_get_uint64 (gst_query_get_structure (query), "asker", &asker);
  return asker;
}

void
rec_query_set_stages_asker (GstQuery *query, guint64 asker)
{
  gst_structure_set (gst_query_writable_structure (query),
      "asker", G_TYPE_UINT64, asker, NULL);
}

static GArray *
get_reports (GstQuery *query)
{
  const GValue *value =
      gst_structure_get_value (gst_query_get_structure (query), "reports");

  return value ? g_value_get_boxed (value) : NULL;
}

void
rec_query_add_stage (GstQuery *query, const RecMonitorReport *report)
{
  GArray *reports = get_reports (query);
  RecMonitorReport copy = *report;

  if (!reports)
    return;
  copy.next = rec_query_get_stages_asker (query);
  g_array_append_val (reports, copy);
}

const RecMonitorReport *
rec_query_get_stages (GstQuery *query, guint *n)
{
  GArray *reports = get_reports (query);

  *n = reports ? reports->len : 0;
  return reports ? (const RecMonitorReport *)reports->data : NULL;
}
