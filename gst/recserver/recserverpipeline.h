/* gst-tsrec: creates the pipeline of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From a launch line, in which {source}, {queue}, {video} and {audio} stand for
 * what the tables of recserverformats.c say. Names and locations, which may
 * come from a request, are never part of that line: they are set as properties.
 */

#pragma once

#include "recserverconfig.h"
#include "recserverformats.h"

G_BEGIN_DECLS

/**
 * RecServerPipelineConfig:
 * @id: of the recording
 * @location: absolute path of the file, without suffix
 * @url, @token: of a source that has one, or NULL
 * @resume: go on in a file that is there
 */
typedef struct
{
  const gchar *id;
  const gchar *location;
  const RecServerConfig *server;
  const RecServerPath *path;
  const RecServerSource *source;
  const RecServerQuality *quality;
  const gchar *url;
  const gchar *token;
  gboolean resume;
} RecServerPipelineConfig;

/* A pipeline in NULL with an element "rec" (tsrecsink) and one "source"; NULL
 * with @error. Any thread. */
GstElement *rec_server_pipeline_new (
    const RecServerPipelineConfig *config, GError **error);

G_END_DECLS
