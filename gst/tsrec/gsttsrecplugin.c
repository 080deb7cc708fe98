/* gst-tsrec: registration of the plugin "tsrec"
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitor.h"

#include <gst/gst.h>

#include "gstrecfilesink.h"
#include "gsttsrecmux.h"
#include "gsttsrecsink.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ret = TRUE;

  ret &= GST_ELEMENT_REGISTER (recmonitor, plugin);
  ret &= GST_ELEMENT_REGISTER (recfilesink, plugin);
  ret &= GST_ELEMENT_REGISTER (tsrecmux, plugin);
  /* Registered last, because it copies the properties of the elements above. */
  ret &= GST_ELEMENT_REGISTER (tsrecsink, plugin);
  return ret;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, tsrec,
    "Crash-proof recording of live streams to MPEG-TS", plugin_init, VERSION,
    GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
