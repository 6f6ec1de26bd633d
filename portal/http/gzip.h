/*
 * Answers made shorter (RFC 1952): zlib stops here.
 *
 * At the fastest level: pages become a seventh, and a page's answer costs a
 * third of a millisecond more. What a compressed answer's length tells (BREACH):
 * a secret in it beside what a stranger chose. Forms' tokens are therefore other
 * bytes in each page (portal/access/session.h), and no session's cookie comes
 * with a request from elsewhere (SameSite).
 */
#ifndef PORTAL_HTTP_GZIP_H
#define PORTAL_HTTP_GZIP_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/slice.h"

/* Below this an answer fits a packet anyway. */
enum { GZIP_BYTES_MIN = 1024 };

/* Whether an Accept-Encoding takes it (RFC 9110, 12.5.3). */
bool gzip_is_accepted(struct slice accept_encoding);
/* The buffer's bytes compressed in their place; false and unchanged when that
 * failed. */
bool gzip_buffer(struct buffer *buffer);
/* A file with fd's content compressed, at its start; fd is read from its start
 * and stays the caller's. -1 when that failed. */
int gzip_file(int fd);

#endif
