/* gst-tsrec: journal entries about the missing data of a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcgapjournal.h"

#include "recevent.h"

/* Losses are journalled at most once per second. */
#define LOSS_INTERVAL GST_SECOND

void
rtc_gap_journal_reset (RtcGapJournal *journal)
{
  journal->silent = journal->start_journalled = FALSE;
  journal->silent_since = journal->lost_since = GST_CLOCK_TIME_NONE;
  journal->last_loss_entry = GST_CLOCK_TIME_NONE;
  journal->entry = RTC_GAP_ENTRY_NONE;
  journal->losses = 0;
}

/* Journals the beginning of silence, which may never end. */
static void
push_gap_start_entry (RtcGapJournal *journal, GstClockTime from)
{
  GstStructure *s = gst_structure_new ("gap-start", "track", G_TYPE_STRING,
      journal->track, "cause", G_TYPE_STRING, "silence", "running-time",
      G_TYPE_UINT64, from, NULL);

  gst_pad_push_event (journal->pad, rec_event_new_journal (s));
}

/* Journals that the track has no data in [@from, @to). */
static void
push_gap_entry (RtcGapJournal *journal, const gchar *cause, guint64 losses,
    GstClockTime from, GstClockTime to)
{
  GstStructure *s = gst_structure_new ("gap", "track", G_TYPE_STRING,
      journal->track, "cause", G_TYPE_STRING, cause, "losses", G_TYPE_UINT64,
      losses, "running-time", G_TYPE_UINT64, from, "duration", G_TYPE_UINT64,
      to > from ? to - from : 0, NULL);

  gst_pad_push_event (journal->pad, rec_event_new_journal (s));
}

static void
end_silence (RtcGapJournal *journal, GstClockTime now)
{
  /* Packets that the network held back were late, but none is missing. */
  if ((now < journal->silent_since + RTC_GAP_MIN_SILENCE &&
          journal->losses == 0) ||
      (journal->entry == RTC_GAP_ENTRY_GAP && !journal->start_journalled))
    return;
  push_gap_entry (
      journal, "silence", journal->losses, journal->silent_since, now);
  journal->losses = 0;
}

static void
end_loss (RtcGapJournal *journal, GstClockTime now)
{
  if (journal->losses == 0 ||
      (GST_CLOCK_TIME_IS_VALID (journal->last_loss_entry) &&
          now < journal->last_loss_entry + LOSS_INTERVAL))
    return;
  push_gap_entry (
      journal, "packet-loss", journal->losses, journal->lost_since, now);
  journal->last_loss_entry = now;
  journal->losses = 0;
}

void
rtc_gap_journal_end_gap (
    RtcGapJournal *journal, GstClockTime last, GstClockTime now)
{
  if (journal->silent && GST_CLOCK_TIME_IS_VALID (journal->silent_since))
    end_silence (journal, now);
  else if (!journal->silent && GST_CLOCK_TIME_IS_VALID (last))
    end_loss (journal, now);
  journal->silent = journal->start_journalled = FALSE;
  journal->entry = RTC_GAP_ENTRY_NONE;
  journal->silent_since = GST_CLOCK_TIME_NONE;
}

void
rtc_gap_journal_note_entry (RtcGapJournal *journal, const GstStructure *entry)
{
  gboolean gap = gst_structure_has_name (entry, "gap");
  GstClockTime from = GST_CLOCK_TIME_NONE;

  journal->losses = 0;
  if (!gap && !gst_structure_has_name (entry, "gap-start"))
    return;
  journal->entry = gap ? RTC_GAP_ENTRY_GAP : RTC_GAP_ENTRY_START;
  if (!journal->start_journalled)
    return;
  gst_structure_get (entry, "running-time", G_TYPE_UINT64, &from, NULL);
  if (!GST_CLOCK_TIME_IS_VALID (from) || from < journal->silent_since)
    from = journal->silent_since;
  push_gap_entry (journal, "silence", 0, journal->silent_since, from);
  journal->start_journalled = FALSE;
}

void
rtc_gap_journal_add_loss (RtcGapJournal *journal, GstClockTime position)
{
  if (journal->losses++ == 0)
    journal->lost_since = position;
}

void
rtc_gap_journal_start_silence (RtcGapJournal *journal, GstClockTime since)
{
  journal->silent = TRUE;
  journal->silent_since = since;
  /* Otherwise the loss gate has journalled it. */
  if (journal->entry == RTC_GAP_ENTRY_START)
    return;
  journal->start_journalled = TRUE;
  push_gap_start_entry (journal, since);
}
