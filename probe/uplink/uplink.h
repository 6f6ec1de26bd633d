/*
 * The way out: one TLS 1.3 connection to the collector (ALPN yz/1).
 *
 * Batches go out of the spool in order, a few ahead of their receipts; each
 * receipt that verifies moves its batch on. Whatever goes wrong (no route,
 * wrong certificate, silence, garbage, death at any byte) ends the connection,
 * and after a growing, jittered pause everything unacknowledged is sent again;
 * the collector counts a batch once. What else comes back goes to the return
 * side (return_side.h), whose questions go out between batches. Nothing here
 * blocks: the caller polls.
 *
 *   struct uplink_wait w = uplink_wait(uplink, now);
 *   poll({w.fd, w.events}, until w.until)
 *   uplink_step(uplink, now)
 */
#ifndef PROBE_UPLINK_UPLINK_H
#define PROBE_UPLINK_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/crypto/tls.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/wire/receipt.h"
#include "probe/uplink/receipts.h"
#include "probe/uplink/return_side.h"
#include "probe/uplink/spool.h"

enum { UPLINK_WINDOW = 8 }; /* batches sent and not yet acknowledged */

struct uplink;

struct uplink_options {
    const char *collector;      /* HOST:PORT or [V6]:PORT */
    const char *collector_name; /* in its certificate */
    const char *proxy;          /* [USER:PASSWORD@]HOST:PORT; NULL or "":
                                   straight to the collector */
    struct return_side *side;   /* borrowed; NULL: receipts alone */
    struct receipts *receipts;  /* borrowed; NULL: they are not kept */
    const char *probe_id;       /* receipts for others are refused */
    enum sign_algorithm receipt_algorithm;
    struct slice receipt_key;  /* raw public key; all borrowed */
    uint64_t answer_timeout_s; /* for connecting, and for each receipt */
    uint64_t pause_min_ms, pause_max_ms; /* between attempts */
};

struct uplink_wait {
    int fd;                 /* -1: nothing to poll */
    short events;           /* POLLIN, POLLOUT */
    struct mono_time until; /* step then at the latest */
};

struct uplink_status {
    bool is_connected;
    uint64_t attempts, receipts;
    bool has_receipt;
    struct receipt last_receipt;
    /* Connections that failed since the last receipt; why the last did, when,
     * and when the next is tried (0 while one is). */
    uint64_t failures;
    char fault[160];
    struct mono_time fault_time, next_attempt;
};

/* Borrows the context and the spool. NULL without memory or for a malformed
 * address, of collector or proxy. */
struct uplink *uplink_new(const struct uplink_options *options,
                          struct tls_context *context, struct spool *spool);
void uplink_free(struct uplink *uplink);
struct uplink_wait uplink_wait(const struct uplink *uplink,
                               struct mono_time now);
void uplink_step(struct uplink *uplink, struct mono_time now);
/* The pause is over: a last try before the end, say. */
void uplink_hurry(struct uplink *uplink, struct mono_time now);
/* Another context, borrowed, from the next connection on; the one before is not
 * needed any more, also by a connection that is open. */
void uplink_set_context(struct uplink *uplink, struct tls_context *context);
struct uplink_status uplink_status(const struct uplink *uplink);

#endif
