/* gst-tsrec: server-sent events
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On the service's thread only.
 */

#pragma once

#include "recserverrequest.h"

G_BEGIN_DECLS

typedef struct _RecServerEvents RecServerEvents;

RecServerEvents *rec_server_events_new (void);
/* Ends every stream. */
void rec_server_events_free (RecServerEvents *events);

/* Answers @request with a stream of events: those after its Last-Event-ID, and
 * all that follow. Only events of IDs that match the pattern of @request are
 * sent. */
void rec_server_events_add (RecServerEvents *events, RecServerRequest *request);

/* @id: of the recording; @object: as JSON, belongs to the caller. */
void rec_server_events_publish (RecServerEvents *events, const gchar *type,
    const gchar *id, JsonObject *object);

G_END_DECLS
