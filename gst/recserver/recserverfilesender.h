/* gst-tsrec: responses with the contents of a file and byte ranges
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On the service's thread. Files are read on other threads, at the speed of the
 * client.
 */

#pragma once

#include "recserverrequest.h"

#include <sys/stat.h>

G_BEGIN_DECLS

/* Answers @request with the file @fd, which is closed afterwards. A file that
 * was written to lately is sent without validators, as no-store. */
void rec_server_file_sender_send (RecServerRequest *request, int fd,
    const struct stat *st, const gchar *type);

/* Answers @request with @length bytes of @fd from @offset on. */
void rec_server_file_sender_send_part (RecServerRequest *request, int fd,
    goffset offset, goffset length, const gchar *type);

G_END_DECLS
