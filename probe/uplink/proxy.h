/*
 * An HTTP proxy on the way to the collector: CONNECT (RFC 9110 section 9.3.6),
 * with Basic authentication (RFC 7617). Pure: bytes to send, bytes that came.
 *
 * The proxy sees where the connection goes and how much passes; TLS, with our
 * own authority, is between probe and collector.
 */
#ifndef PROBE_UPLINK_PROXY_H
#define PROBE_UPLINK_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"
#include "common/slice.h"

enum {
    PROXY_USER_LEN = 256, /* name and password, with colon and NUL */
    PROXY_ANSWER_MAX = 8192,
};

/* "HOST:PORT", "[V6]:PORT", or one of them behind "USER:PASSWORD@", all of it
 * behind "http://" when that is there; *address is
 * the part behind the last "@", of the same text. */
struct proxy {
    struct slice address;
    char user[PROXY_USER_LEN]; /* "": no authentication */
};
bool proxy_parse(const char *text, struct proxy *proxy);

/* `target` is HOST:PORT. */
void proxy_request(const struct proxy *proxy, const char *target,
                   struct buffer *out);

enum proxy_answer { PROXY_MORE, PROXY_OPEN, PROXY_REFUSED };

/* What came so far, PROXY_ANSWER_MAX bytes at most. A refusal has a sentence in
 * `reason`. */
enum proxy_answer proxy_answer(struct slice answer, char reason[static 160]);

#endif
