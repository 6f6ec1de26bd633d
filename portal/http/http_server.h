/*
 * The HTTP server: libmicrohttpd stops here.
 *
 * A fixed pool of threads calls one handler for each request, with everything
 * the portal looks at in a request and nothing more. What a stranger can send
 * is bounded before the handler sees it: bytes of header, bytes of body, length
 * of the address, connections, seconds without progress. A request outside
 * the bounds still reaches the handler, with `refused` set to the status
 * that it deserves, so that people get a page instead of a broken connection.
 *
 * Length and transfer headers that appear twice, or together, are refused: a
 * proxy in front could have read the other one (request smuggling).
 *
 * With a certificate the server speaks TLS 1.3 alone, for programs (EST): a
 * client may show a certificate, which is passed on as it is. That the client
 * has its key is proved then; who issued it is for the handler to look at.
 */
#ifndef PORTAL_HTTP_HTTP_SERVER_H
#define PORTAL_HTTP_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/buffer.h"
#include "common/log.h"
#include "common/slice.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

enum {
    HTTP_BODY_MAX = 16 * 1024, /* where the settings say nothing else */
    HTTP_HEADER_MAX = 16 * 1024,
    HTTP_ADDRESS_MAX = 4096,
    HTTP_RESPONSE_MAX = 64 * 1024 * 1024,
    HTTP_HEADERS_OUT_MAX = 12,
};

/* All slices are borrowed for the call. */
struct http_request {
    enum http_method method;
    struct slice path;  /* as sent, up to '?', still escaped */
    struct slice query; /* as sent, behind '?' */
    struct slice cookies;
    struct slice content_type;
    struct slice if_none_match;
    struct slice authorization;
    struct slice body;
    struct slice peer_certificate; /* DER; empty without TLS, or without one */
    struct address peer;           /* who is connected; version 0: not known */
    int refused; /* 0, or the status this request must be answered with */
};

struct http_header {
    const char *name;
    char value[512];
};

struct http_response {
    int status; /* 200 at first */
    const char *content_type;
    struct buffer body;
    struct http_header headers[HTTP_HEADERS_OUT_MAX];
    size_t header_count;
};

/* Adds a header; one that does not fit, or has control characters, is left out
 * and makes the response a 500. */
void http_response_header(struct http_response *response, const char *name,
                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef void (*http_handler)(void *context, const struct http_request *request,
                             struct http_response *response);

struct http_settings {
    const char *listen; /* HOST:PORT or [V6]:PORT; port 0 takes a free one */
    unsigned thread_count;
    unsigned connection_limit;
    unsigned address_limit; /* connections of one address; 0: no limit */
    unsigned idle_timeout_s;
    size_t body_limit;    /* bytes of a request's body; 0: HTTP_BODY_MAX */
    http_handler handler; /* called from thread_count threads at once */
    void *context;
    /* PEM texts, borrowed for the call; NULL speaks plain HTTP. `trust` are the
     * authorities named to clients. */
    const char *certificate, *key, *trust;
};

struct http_server;

/* NULL with a reason such as "127.0.0.1:8080: address already in use". */
struct http_server *http_server_start(const struct http_settings *settings,
                                      struct error_text *error);
uint16_t http_server_port(const struct http_server *server);
/* Ends open connections and waits for the handlers to return. */
void http_server_stop(struct http_server *server);

#endif
