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

/* Answers @request with a stream of what is published from now on, and of what
 * it has missed since its Last-Event-ID. Only events of IDs that the pattern of
 * @request matches are sent. */
void rec_server_events_add (RecServerEvents *events, RecServerRequest *request);

/* @id: of the recording; @object: as JSON, belongs to the caller. */
void rec_server_events_publish (RecServerEvents *events, const gchar *type,
    const gchar *id, JsonObject *object);

G_END_DECLS
