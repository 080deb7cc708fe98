/* gst-tsrec: journal entries about the missing data of a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pushes the journal events "gap-start" and "gap" for silence and for lost
 * packets, except for the gaps that the loss gate has journalled. All functions
 * are called under the stream lock of the track.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A shorter silence is none, unless packets are lost in it. */
#define RTC_GAP_MIN_SILENCE (500 * GST_MSECOND)

/* Gap entries that the loss gate has journalled since the last access unit. */
typedef enum
{
  RTC_GAP_ENTRY_NONE,
  RTC_GAP_ENTRY_START, /* the beginning of a gap */
  RTC_GAP_ENTRY_GAP
} RtcGapEntry;

/**
 * RtcGapJournal:
 * @pad: pad that the events are pushed on, borrowed
 * @track: "video" or "audio"
 * @silent: silence was reported since the last access unit
 * @silent_since: beginning of the silence, running time
 * @start_journalled: the beginning of the silence is in the journal, its end is
 *   not
 * @entry: entries of the loss gate since the last access unit
 * @losses: losses that are not in the journal yet
 * @lost_since: running time of the first of them
 * @last_loss_entry: running time of the last entry about losses,
 *   GST_CLOCK_TIME_NONE without one
 */
typedef struct
{
  GstPad *pad;
  const gchar *track;
  gboolean silent;
  GstClockTime silent_since;
  gboolean start_journalled;
  RtcGapEntry entry;
  guint64 losses;
  GstClockTime lost_since;
  GstClockTime last_loss_entry;
} RtcGapJournal;

/* Forgets all gaps; @pad and @track stay. */
void rtc_gap_journal_reset (RtcGapJournal *journal);

/* Packets are missing after @position. */
void rtc_gap_journal_add_loss (RtcGapJournal *journal, GstClockTime position);

/* The loss gate has journalled @entry, which is about to be pushed. */
void rtc_gap_journal_note_entry (
    RtcGapJournal *journal, const GstStructure *entry);

/* The track is silent since @since. To be called once for each silence. */
void rtc_gap_journal_start_silence (RtcGapJournal *journal, GstClockTime since);

/* An access unit has arrived at @now: journals the gap before it. @last:
 * timestamp of the access unit before, GST_CLOCK_TIME_NONE without one. */
void rtc_gap_journal_end_gap (
    RtcGapJournal *journal, GstClockTime last, GstClockTime now);

G_END_DECLS
