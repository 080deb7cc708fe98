/* gst-tsrec: registration of the plugin "recwebrtc"
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <gst/gst.h>

#include "gstrecwhepsrc.h"
#include "gstrecwhipsink.h"
#include "gstrecwhipsrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = TRUE;

  ret &= GST_ELEMENT_REGISTER (recwhepsrc, plugin);
  ret &= GST_ELEMENT_REGISTER (recwhipsink, plugin);
  ret &= GST_ELEMENT_REGISTER (recwhipsrc, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, recwebrtc,
    "WebRTC sources and sinks (WHIP, WHEP) for recording", plugin_init, VERSION,
    GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
