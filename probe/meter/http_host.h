/*
 * The Host field of a plain HTTP/1 request (RFC 9112 section 3.2).
 *
 * Looks at the first bytes of a connection from the client. Of everything
 * that is there (path, cookies, credentials) only the host is taken.
 */
#ifndef PROBE_METER_HTTP_HOST_H
#define PROBE_METER_HTTP_HOST_H

#include "common/slice.h"

enum http_status {
    HTTP_NOT,     /* no request */
    HTTP_MORE,    /* a request, its Host not yet seen */
    HTTP_HOST,    /* *host is the host without its port */
    HTTP_NO_HOST, /* a request without a usable Host */
    HTTP_CONNECT, /* a tunnel request: what follows may be TLS */
};

enum http_status http_host_find(struct slice data, struct slice *host);

#endif
