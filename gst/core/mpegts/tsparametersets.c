/* gst-tsrec: the parameter sets of a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsparametersets.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t start_code[] = { 0, 0, 0, 1 };

bool
ts_parameter_sets_join (TsParameterSets *sets)
{
  uint8_t *p = realloc (sets->joined, sets->bytes > 0 ? sets->bytes : 1);

  if (p == NULL)
    return false;
  sets->joined = p;
  for (int kind = 0; kind < 3; kind++) {
    for (int id = 0; id < TS_MAX_PARAMETER_SETS; id++) {
      TsParameterSet *set = &sets->sets[kind][id];

      if (set->size == 0)
        continue;
      memcpy (p, start_code, sizeof (start_code));
      memcpy (p + sizeof (start_code), set->data, set->size);
      p += sizeof (start_code) + set->size;
    }
  }
  sets->joined_size = sets->bytes;
  sets->changed = false;
  return true;
}

static void
parse_parameter_set (
    TsParameterSets *sets, RecNalSyntax syntax, const RecNalUnit *nal, int id)
{
  if (nal->kind == REC_NAL_SPS && id < TS_MAX_SPS) {
    rec_nal_parse_sps (syntax, nal, &sets->sps[id]);
    sets->last_sps = (uint8_t)id;
  } else if (nal->kind == REC_NAL_PPS) {
    rec_nal_parse_pps (syntax, nal, &sets->pps[id]);
  }
}

void
ts_parameter_sets_keep (
    TsParameterSets *sets, RecNalSyntax syntax, const RecNalUnit *nal)
{
  int kind = nal->kind - REC_NAL_VPS;
  int id = rec_nal_get_parameter_set_id (syntax, nal);
  TsParameterSet *set;
  uint8_t *data;
  size_t bytes;

  if (id < 0)
    return;
  set = &sets->sets[kind][id];
  if (set->serial != sets->serial && set->size > 0)
    sets->n_seen++;
  set->serial = sets->serial;
  if (set->size == nal->size && memcmp (set->data, nal->data, nal->size) == 0)
    return;
  bytes = sets->bytes + sizeof (start_code) + nal->size;
  if (set->size > 0)
    bytes -= sizeof (start_code) + set->size;
  if (bytes > TS_MAX_PARAMETER_BYTES)
    return;
  data = realloc (set->data, nal->size);
  if (data == NULL)
    return;
  memcpy (data, nal->data, nal->size);
  if (set->size == 0) {
    sets->n_sets++;
    sets->n_seen++;
  }
  set->data = data;
  set->size = nal->size;
  sets->bytes = bytes;
  sets->changed = true;
  parse_parameter_set (sets, syntax, nal, id);
}

void
ts_parameter_sets_free (TsParameterSets *sets)
{
  if (sets == NULL)
    return;
  for (int kind = 0; kind < 3; kind++) {
    for (int id = 0; id < TS_MAX_PARAMETER_SETS; id++)
      free (sets->sets[kind][id].data);
  }
  free (sets->joined);
  free (sets);
}
