/* gst-tsrec: parameter sets that arrive without their picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tslead.h"

#include <stdlib.h>
#include <string.h>

/* Limit above the size of parameter sets and SEI of any picture. */
#define MAX_SIZE (64 * 1024)

void
ts_lead_clear (TsLead *lead)
{
  free (lead->data);
  free (lead->joined);
  memset (lead, 0, sizeof (*lead));
}

bool
ts_lead_add (TsLead *lead, const TsAccessUnit *au)
{
  uint8_t *data;

  if (au->size > MAX_SIZE - lead->size)
    return false;
  data = realloc (lead->data, lead->size + au->size);
  if (data == NULL)
    return false;
  memcpy (data + lead->size, au->data, au->size);
  lead->data = data;
  if (lead->size == 0) {
    lead->pts = au->pts;
    lead->dts = au->dts;
  }
  lead->size += au->size;
  return true;
}

bool
ts_lead_join (TsLead *lead, TsAccessUnit *au, size_t front)
{
  size_t size = lead->size + au->size;
  uint8_t *joined = size < au->size ? NULL : realloc (lead->joined, size);

  if (joined == NULL)
    return false;
  memcpy (joined, au->data, front);
  memcpy (joined + front, lead->data, lead->size);
  memcpy (joined + front + lead->size, au->data + front, au->size - front);
  lead->joined = joined;
  lead->size = 0;
  au->data = joined;
  au->size = size;
  if (au->pts == TS_TIME_NONE && au->dts == TS_TIME_NONE) {
    au->pts = lead->pts;
    au->dts = lead->dts;
  }
  return true;
}
