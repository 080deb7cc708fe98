/* gst-tsrec: units of time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdint.h>

#define REC_NS_PER_S INT64_C (1000000000)
#define REC_NS_PER_MS INT64_C (1000000)
