/* gst-tsrec: the properties that the pads of tsrecmux and of tsrecsink have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One definition for both types, so that ranges, defaults and texts agree.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

enum
{
  REC_PAD_PROP_PID = 1,
  REC_PAD_PROP_LANGUAGE,
  REC_PAD_PROP_STREAM_NUMBER
};

/* Installs the three properties on @klass, with the identifiers above. To be
 * called from class_init. */
void rec_pad_properties_install (GObjectClass *klass);

G_END_DECLS
