/* gst-tsrec: the properties that the pads of tsrecmux and of tsrecsink have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recpadproperties.h"

#include "tspacket.h"

void
rec_pad_properties_install (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  /**
   * GstTsRecMuxPad:pid:
   *
   * PID of the track, 0x0020 to 0x1ffa (ISO/IEC 13818-1 table 2-3). Default: 0,
   * which derives the PID from the name of the pad. The value is used when the
   * track begins. If another stream is or was on that PID, another PID is used
   * and a warning names it. May be set from any thread.
   */
  g_object_class_install_property (klass, REC_PAD_PROP_PID,
      g_param_spec_uint ("pid", "PID",
          "PID of the track, 32 to 8186 (0 = by the name of the pad)", 0,
          TS_PID_MAX_USER, 0, flags));
  /**
   * GstTsRecMuxPad:language:
   *
   * Language of the track, an ISO 639 code of two or three letters, for the
   * ISO_639_language_descriptor (ISO/IEC 13818-1 2.6.18). Default: %NULL, which
   * takes the language from the tags. The value is used when the track begins.
   * May be set from any thread.
   */
  g_object_class_install_property (klass, REC_PAD_PROP_LANGUAGE,
      g_param_spec_string ("language", "Language",
          "Language of the track, an ISO 639 code (NULL = from the tags)", NULL,
          flags));
  /**
   * GstTsRecMuxPad:stream-number:
   *
   * Number of the track in the stream_id of its PES packets (ISO/IEC 13818-1
   * table 2-22): 0 to 15 for video, 0 to 31 for MPEG audio. It has no effect on
   * other tracks, which are private_stream_1. Default: -1, which counts the
   * tracks of each kind from 0. The value is used when the track begins. May be
   * set from any thread.
   */
  g_object_class_install_property (klass, REC_PAD_PROP_STREAM_NUMBER,
      g_param_spec_int ("stream-number", "Stream number",
          "Number of the track in stream_id, 0 to 15 for video, 0 to 31 for "
          "audio (-1 = tracks of a kind are counted)",
          -1, 31, -1, flags));
}
