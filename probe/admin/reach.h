/*
 * Can the collector be reached: its name, its port, its TLS, step by step. For
 * `check`; the running probe has probe/uplink/uplink.h. Nothing is sent but the
 * handshake. Waits, but never longer than it was told for each step.
 */
#ifndef PROBE_ADMIN_REACH_H
#define PROBE_ADMIN_REACH_H

#include <stdint.h>

#include "common/crypto/tls.h"
#include "common/log.h"

/* How far it came; all before it are done. */
enum reach_step {
    REACH_FORM, /* not HOST:PORT */
    REACH_NAME, /* the name has no address */
    REACH_PORT, /* no connection */
    REACH_TLS,  /* no handshake, or our certificate was refused */
    REACH_ALPN, /* the server does not speak yz/1 */
    REACH_DONE,
};

struct reach_result {
    char host[256], port[8];
    bool is_numeric;       /* there was no name to look up */
    char address[64];      /* the one that answered, or was tried last */
    unsigned addresses;    /* of the name */
    struct error_text why; /* unless REACH_DONE */
};

/* collector: HOST:PORT or [V6]:PORT. context NULL: stops before TLS with
 * REACH_TLS. */
enum reach_step reach_collector(const char *collector, const char *name,
                                struct tls_context *context, int patience_ms,
                                struct reach_result *result);

#endif
