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
 *
 * What a request may cost is asked as soon as its headers are in, before
 * anything of its body is read: whether at all, how long that may be, whether it
 * is a form with files, and who answers. Files go to disk while they come, and
 * are never held. Each kind of work has a lane, threads of its own that answer in
 * the order of asking while the connection sleeps, so that no page waits behind a
 * search, a log-in or an export, and none behind another because they came by the
 * same thread. An answer that is too long to be held is a file, sent as the
 * reader takes it: no thread waits for a slow reader, and memory does not grow
 * with the answer. Texts are compressed where the reader takes that.
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
#include "portal/store/proxies.h"

struct upload;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

enum {
    HTTP_BODY_MAX = 16 * 1024, /* where the settings say nothing else */
    HTTP_HEADER_MAX = 16 * 1024,
    HTTP_ADDRESS_MAX = 4096,
    HTTP_RESPONSE_MAX = 64 * 1024 * 1024,
    HTTP_HEADERS_OUT_MAX = 16,
};

/* All slices are borrowed for the call. */
struct http_request {
    enum http_method method;
    struct slice path;  /* as sent, up to '?', still escaped */
    struct slice query; /* as sent, behind '?' */
    struct slice cookies;
    struct slice content_type;
    struct slice if_none_match;
    struct slice accept_encoding;
    struct slice authorization;
    struct slice user_agent;
    struct proxy_words proxy; /* several of a kind are joined */
    struct slice body;
    /* The body, where the plan took it so; or NULL. With `refused` it says
     * whether that was for the form (upload_state). */
    struct upload *upload;
    struct slice peer_certificate; /* DER; empty without TLS, or without one */
    struct address peer;           /* who is connected; version 0: not known */
    int refused; /* 0, or the status this request must be answered with */
};

/* Who answers. */
enum http_lane {
    HTTP_AT_ONCE,  /* the thread that has read the request: what is refused */
    HTTP_PAGES,    /* a few threads: a millisecond, in the order of asking */
    HTTP_SEARCHES, /* a few threads: tens of milliseconds now and then */
    HTTP_ACTS,     /* a few threads: they wait for the disk */
    HTTP_LOGINS,   /* a few threads: a hash takes 30 ms of a core */
    HTTP_EXPORTS,  /* a few: seconds of a core */
    HTTP_UPLOADS,  /* a few: the disk, and the scanner */
    HTTP_LANES,
};
enum {
    HTTP_PAGE_THREADS = 4,
    HTTP_SEARCH_THREADS = 2,
    HTTP_ACT_THREADS = 2,
    HTTP_LOGIN_THREADS = 4, /* at most: half as many as there are cores */
    HTTP_EXPORT_THREADS = 2,
    HTTP_UPLOAD_THREADS = 2,
};

struct http_plan {
    size_t body_limit; /* bytes */
    enum http_lane lane;
    int refused; /* a status, when nothing of the body is to be read */
    /* Takes the parts of a multipart body as they come (upload.h); the server's
     * from then on. NULL: the body is kept as it is. */
    struct upload *upload;
};

struct http_header {
    const char *name;
    char value[1024];
};

struct http_response {
    int status; /* 200 at first */
    const char *content_type;
    struct buffer body;
    struct http_header headers[HTTP_HEADERS_OUT_MAX];
    size_t header_count;
    unsigned
        wait_ms; /* of HTTP_LOGINS: the answer goes out so much later, and no
                         thread waits with it */
    bool has_file;
    int file;                    /* in place of the body */
    void (*when_over)(void *of); /* see below */
    void *of;
};

/* The body is this file from its start to its end. It is the response's now. */
void http_response_file(struct http_response *response, int fd);
/* What is called when the answer has been sent, or its reader is gone. */
void http_response_when_over(struct http_response *response,
                             void (*when_over)(void *of), void *of);

/* Adds a header; one that does not fit, or has control characters, is left out
 * and makes the response a 500. */
void http_response_header(struct http_response *response, const char *name,
                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, in place of one of that name. */
void http_response_replace(struct http_response *response, const char *name,
                           const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef void (*http_handler)(void *context, const struct http_request *request,
                             struct http_response *response);

/* Asked with the headers alone; called like the handler. */
typedef struct http_plan (*http_planner)(void *context,
                                         const struct http_request *request);

struct http_settings {
    const char *listen; /* HOST:PORT or [V6]:PORT; port 0 takes a free one */
    unsigned thread_count;
    unsigned connection_limit;
    unsigned address_limit; /* connections of one address; 0: no limit */
    unsigned idle_timeout_s;
    http_planner planner; /* NULL: HTTP_BODY_MAX, and all HTTP_AT_ONCE */
    http_handler
        handler; /* called from thread_count threads at once, and with a
                             planner from those of the lanes */
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
