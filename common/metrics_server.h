/*
 * The small server that hands out metrics (Prometheus text format 0.0.4) and
 * health, and what their texts have in common.
 *
 * It answers on a Unix socket or on a loopback port, never to another machine.
 * It belongs into a poll loop and never waits for anybody: at most
 * METRICS_CONNECTIONS at once (further ones wait in the kernel), each with
 * METRICS_REQUEST_MAX bytes and METRICS_PATIENCE_S seconds.
 *
 *   count = metrics_fds(server, fds, size);
 *   poll(fds, count, ...);
 *   metrics_step(server, fds, count, &pages, now);
 *
 * After opening it needs accept4, recv, send, shutdown and close. Nothing here
 * looks at what a client sends beyond its request line.
 */
#ifndef COMMON_METRICS_SERVER_H
#define COMMON_METRICS_SERVER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/log.h"

enum {
    METRICS_CONNECTIONS = 8,
    METRICS_FDS = METRICS_CONNECTIONS + 1,
    METRICS_REQUEST_MAX = 4096,
    METRICS_PATIENCE_S = 5,
    METRICS_TEXT_MAX = 256 * 1024, /* a limit for the text's buffer */
};

struct metrics_server;

/* "unix:/PATH", "127.0.0.1:PORT" (all of 127.0.0.0/8) or "[::1]:PORT"; "" gives
 * a server that serves nobody. NULL with a sentence. A Unix socket is open to
 * all on this machine, as a port is; its folder can be narrower. One that nobody
 * answers on any more is replaced. */
struct metrics_server *metrics_open(const char *address,
                                    struct error_text *error);
/* Removes the Unix socket too, where that is still allowed. */
void metrics_close(struct metrics_server *server);
/* The port that the kernel chose for port 0; 0 for a Unix socket. */
unsigned metrics_port(const struct metrics_server *server);

/* Fills in what to poll, at most METRICS_FDS; the number. */
int metrics_fds(const struct metrics_server *server, struct pollfd *fds,
                size_t size);
/* What is served. */
struct metrics_pages {
    const char *program;          /* "yz-probe" */
    const struct buffer *metrics; /* /metrics */
    const struct buffer *health;  /* /healthz; NULL: there is none */
    bool is_healthy;              /* 200, else 503 */
};

/* fds as metrics_fds filled them and poll() answered. Call it at least every
 * second, so that clients which do nothing are let go; with none of them ready
 * it costs nothing. */
void metrics_step(struct metrics_server *server, const struct pollfd *fds,
                  size_t count, const struct metrics_pages *pages,
                  struct mono_time now);

enum metrics_request {
    METRICS_MORE,      /* not complete yet */
    METRICS_GET,       /* /metrics */
    METRICS_HEALTH,    /* /healthz */
    METRICS_ROOT,      /* / */
    METRICS_NOT_FOUND, /* 404 */
    METRICS_NOT_GET,   /* 405 */
    METRICS_MALFORMED, /* 400 */
    METRICS_REQUEST_COUNT
};

/* What an HTTP/1 request is about, judged by its first line once the blank line
 * behind its fields is there; a first line that is wrong is so at once. */
enum metrics_request metrics_parse_request(struct slice bytes);

/* --- the text --- */

/* HELP and TYPE of a metric; `prefix` such as "yunzheng_probe_". */
void metrics_add_head(struct buffer *out, const char *prefix, const char *name,
                      const char *type, const char *help);
struct metrics_label {
    const char *name, *value; /* any bytes; NULL: "" */
};
void metrics_add_sample(struct buffer *out, const char *prefix,
                        const char *name, const struct metrics_label *labels,
                        size_t count, uint64_t value);

#endif
