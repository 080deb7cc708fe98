/* gst-tsrec: tracks the stages and the other monitors around a monitor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recstagetracker.h"

#include "recgraph.h"
#include "recinputcounter.h"

/* A write that takes longer than this blocks the stages upstream. */
#define WRITE_HANGS (300 * GST_MSECOND)

/* --- Inputs of the stages --- */

typedef struct
{
  GstElement *element;
  RecStallStage kind;
  RecFlowCounters *flow;
  RecInputCounter *watch;
  guint64 frames; /* at the last look */
  GstClockTime since;
} Stage;

struct _RecStageTracker
{
  GType monitor_type;
  GPtrArray *stages; /* of Stage, nearest first as the walk finds them */
  GPtrArray *found;  /* the order of the walk under way */
  GstClockTime now;
};

static void
stage_free (gpointer data)
{
  Stage *stage = data;

  rec_input_counter_free (stage->watch);
  rec_flow_counters_unref (stage->flow);
  gst_object_unref (stage->element);
  g_free (stage);
}

static Stage *
stage_new (GstElement *element, RecStallStage kind, GstClockTime now)
{
  Stage *stage = g_new0 (Stage, 1);

  stage->element = gst_object_ref (element);
  stage->kind = kind;
  stage->flow = rec_flow_counters_new ();
  stage->watch = rec_input_counter_new (stage->flow);
  stage->since = now;
  return stage;
}

RecStageTracker *
rec_stage_tracker_new (GType monitor_type)
{
  RecStageTracker *stages = g_new0 (RecStageTracker, 1);

  stages->monitor_type = monitor_type;
  stages->stages = g_ptr_array_new_with_free_func (stage_free);
  return stages;
}

void
rec_stage_tracker_free (RecStageTracker *stages)
{
  g_ptr_array_unref (stages->stages);
  g_free (stages);
}

/* Returns the stage kind of @element. A demuxer counts as a depayloader. */
static gboolean
get_kind (GstElement *element, RecStallStage *kind)
{
  static const struct
  {
    const gchar *word;
    RecStallStage kind;
  } kinds[] = {
    { "Depayloader", REC_STALL_DEPAYLOADER },
    { "Demuxer", REC_STALL_DEPAYLOADER },
    { "Decoder", REC_STALL_DECODER },
    { "Encoder", REC_STALL_ENCODER },
    { "Muxer", REC_STALL_MUX },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (rec_graph_element_is (element, kinds[i].word)) {
      *kind = kinds[i].kind;
      return TRUE;
    }
  return FALSE;
}

/* Moves known stages from the old list to the new one, which is in the order of
 * the walk. */
static gboolean
note_stage (GstElement *element, GstPad *pad, gpointer user_data)
{
  RecStageTracker *stages = user_data;
  RecStallStage kind;
  guint i;

  if (G_OBJECT_TYPE (element) == stages->monitor_type)
    return FALSE;
  if (!get_kind (element, &kind) || stages->found->len == REC_STALL_MAX_POINTS)
    return TRUE;
  for (i = 0; i < stages->stages->len; i++)
    if (((Stage *)g_ptr_array_index (stages->stages, i))->element == element)
      break;
  g_ptr_array_add (stages->found,
      i < stages->stages->len ? g_ptr_array_steal_index (stages->stages, i)
                              : stage_new (element, kind, stages->now));
  return TRUE;
}

void
rec_stage_tracker_update (RecStageTracker *stages, GstPad *sinkpad,
    GstClockTime now, RecMonitorReport *report)
{
  guint i;

  stages->now = now;
  stages->found = g_ptr_array_new_with_free_func (stage_free);
  rec_graph_foreach (sinkpad, note_stage, stages);
  g_ptr_array_unref (stages->stages);
  stages->stages = g_steal_pointer (&stages->found);
  report->n_points = stages->stages->len;
  for (i = 0; i < stages->stages->len; i++) {
    Stage *stage = g_ptr_array_index (stages->stages, i);
    guint64 frames;

    rec_input_counter_set_element (stage->watch, stage->element);
    frames = rec_flow_counters_get_frames (stage->flow);
    if (frames != stage->frames)
      stage->since = now;
    stage->frames = frames;
    report->points[i].kind = stage->kind;
    report->points[i].idle = now - stage->since;
  }
}

/* --- The stalled stage --- */

static gboolean
note_mux (GstElement *element, GstPad *pad, gpointer user_data)
{
  gboolean *found = user_data;

  *found = *found || rec_graph_element_is (element, "Muxer");
  return !*found;
}

static gboolean
any_after_mux (const RecMonitorReport *monitors, guint n)
{
  guint i, j;

  for (i = 0; i < n; i++)
    for (j = 0; j < monitors[i].n_points; j++)
      if (monitors[i].points[j].kind == REC_STALL_MUX)
        return TRUE;
  return FALSE;
}

/* Returns the stalled stage downstream of a pad that has packets. */
static RecStallStage
find_downstream (GstPad *srcpad, const RecMonitorReport *report,
    GstClockTime idle, gboolean blocked)
{
  GstQuery *query = rec_query_new_stages (report->id);
  const RecMonitorReport *monitors;
  gboolean mux_follows = FALSE;
  RecStallStage stage;
  guint n;

  gst_pad_peer_query (srcpad, query);
  monitors = rec_query_get_stages (query, &n);
  /* A monitor after the mux sees the output of the mux itself. */
  if (!any_after_mux (monitors, n))
    rec_graph_foreach (srcpad, note_mux, &mux_follows);
  stage = rec_stall_find_downstream (monitors, n, idle, blocked, mux_follows);
  gst_query_unref (query);
  return stage;
}

static RecStallStage
find_upstream (
    GstPad *sinkpad, const RecMonitorReport *report, GstClockTime idle)
{
  GstQuery *query = rec_query_new_stages (0);
  const RecMonitorReport *monitors;
  RecStallStage stage;
  guint n;

  rec_query_add_stage (query, report);
  rec_query_set_stages_asker (query, report->id);
  gst_pad_peer_query (sinkpad, query);
  monitors = rec_query_get_stages (query, &n);
  stage = rec_stall_find_upstream (monitors, n, report->id, idle);
  gst_query_unref (query);
  return stage;
}

RecStallStage
rec_stage_tracker_find_stalled (GstPad *sinkpad, GstPad *srcpad,
    const RecMonitorReport *report, GstClockTime idle,
    const RecWritten *written)
{
  if (written && written->write_blocked > WRITE_HANGS)
    return REC_STALL_DISK;
  if (report->blocked)
    return find_downstream (srcpad, report, idle, TRUE);
  return find_upstream (sinkpad, report, idle);
}

RecStallStage
rec_stage_tracker_find_unwritten (GstPad *sinkpad, GstPad *srcpad,
    const RecMonitorReport *report, GstClockTime idle,
    const RecWritten *written)
{
  if (written &&
      (written->write_blocked > WRITE_HANGS || written->waiting_for_disk))
    return REC_STALL_DISK;
  if (report->idle > 0 && report->idle >= idle / 2)
    return rec_stage_tracker_find_stalled (
        sinkpad, srcpad, report, idle, written);
  return find_downstream (srcpad, report, idle, FALSE);
}

/* --- Queues --- */

/* queue, queue2, appsrc and others have the property themselves; multiqueue has
 * it on its pads. */
static guint64
get_level (GObject *object)
{
  GParamSpec *pspec = g_object_class_find_property (
      G_OBJECT_GET_CLASS (object), "current-level-bytes");
  guint64 bytes = 0;

  if (!pspec || !(pspec->flags & G_PARAM_READABLE))
    return 0;
  if (pspec->value_type == G_TYPE_UINT64) {
    g_object_get (object, "current-level-bytes", &bytes, NULL);
  } else if (pspec->value_type == G_TYPE_UINT) {
    guint narrow = 0;

    g_object_get (object, "current-level-bytes", &narrow, NULL);
    bytes = narrow;
  }
  return bytes;
}

static gboolean
add_level (GstElement *element, GstPad *pad, gpointer user_data)
{
  *(guint64 *)user_data +=
      get_level (G_OBJECT (element)) + get_level (G_OBJECT (pad));
  return TRUE;
}

guint64
rec_stage_tracker_get_queued (GstPad *sinkpad)
{
  guint64 bytes = 0;

  rec_graph_foreach (sinkpad, add_level, &bytes);
  return bytes;
}
