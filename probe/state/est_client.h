/*
 * The portal's enrolment port, as a probe asks it (EST, RFC 7030). libcurl stops
 * in est_client.c.
 *
 * Everything goes over TLS 1.3 to a portal whose certificate the given authority
 * issued; no other authority of the machine counts. Calls wait for their answer,
 * est_options.timeout_s at most. Nothing is read from or written to a file.
 */
#ifndef PROBE_STATE_EST_CLIENT_H
#define PROBE_STATE_EST_CLIENT_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/log.h"
#include "common/slice.h"

enum { EST_TIMEOUT_S = 30 };

struct est_options {
    const char *portal; /* https://HOST[:PORT] */
    const char *proxy;  /* HOST:PORT or http://user:password@HOST:PORT; "" */
    struct slice authority;        /* PEM */
    struct slice certificate, key; /* our own, PEM; empty: none is shown */
    unsigned timeout_s;
};

/* What came with the last answer. */
struct est_answer {
    int status;             /* of HTTP; 0: there was no answer */
    struct wall_time date;  /* the portal's clock; 0: not told */
    unsigned retry_after_s; /* 0: not told */
};

/* Once a program, before threads. */
bool est_client_init(void);
/* False for what is not https://HOST[:PORT]. The port is 443 without one. */
bool est_client_portal(const char *portal, struct slice *host, uint16_t *port);
/* The same for a proxy, whose port is 1080 without one, as libcurl has it. */
bool est_client_proxy(const char *proxy, uint16_t *port);

/* The authority's certificates, as PEM. Without an authority in the options the
 * portal is not verified: nothing of what came may then be used before it was
 * compared with something. All functions: false with a sentence. */
bool est_client_authority(const struct est_options *options, struct buffer *pem,
                          struct est_answer *answer, struct error_text *error);
/* The JSON text of /.well-known/yunzheng. */
bool est_client_info(const struct est_options *options, struct buffer *json,
                     struct est_answer *answer, struct error_text *error);
/* A PKCS#10 request to a certificate, both DER. With a code simpleenroll, with
 * NULL simplereenroll, which needs certificate and key in the options. */
bool est_client_enrol(const struct est_options *options, const char *code,
                      struct slice request, struct buffer *certificate,
                      struct est_answer *answer, struct error_text *error);

#endif
