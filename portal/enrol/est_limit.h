/*
 * How often strangers may try.
 *
 * Each source (an IPv4 address, or an IPv6 network of 64 bits) has some attempts
 * at once and one more every so often, and all sources together have more. What
 * goes into the audit log about failures is bounded in the same way. The table
 * has a fixed size; the source that was quiet for longest makes room. No
 * locking: one caller at a time.
 */
#ifndef PORTAL_ENROL_EST_LIMIT_H
#define PORTAL_ENROL_EST_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/clock.h"

enum {
    EST_LIMIT_SOURCES = 1024,
    EST_LIMIT_BURST = 20,      /* of one source */
    EST_LIMIT_PERIOD_S = 30,   /* until it has one more */
    EST_LIMIT_ALL_BURST = 500, /* of all */
    EST_LIMIT_ALL_PERIOD_MS = 200,
    EST_LIMIT_AUDIT_BURST = 100, /* rows about failures */
    EST_LIMIT_AUDIT_PERIOD_S = 60,
};

/* Tokens that come back with time. */
struct est_bucket {
    int64_t tokens_us; /* time saved up, at most burst * period */
    struct mono_time seen;
};

struct est_source {
    struct address address; /* version 0: free */
    struct est_bucket bucket;
};

struct est_limit {
    struct est_source sources[EST_LIMIT_SOURCES];
    struct est_bucket all, audit;
    uint64_t unaudited; /* failures since the last row */
};

/* All are full. */
void est_limit_init(struct est_limit *limit, struct mono_time now);
/* Takes one attempt of this source. False: it has none left, and *wait_s
 * seconds from now it has one again. */
bool est_limit_take(struct est_limit *limit, const struct address *from,
                    struct mono_time now, unsigned *wait_s);
/* The same for one that holds a certificate of ours: what strangers from
 * everywhere take together is no matter. */
bool est_limit_take_known(struct est_limit *limit, const struct address *from,
                          struct mono_time now, unsigned *wait_s);
/* Whether a failure may be written to the audit log; *missed failures before it
 * were not. */
bool est_limit_audit(struct est_limit *limit, struct mono_time now,
                     uint64_t *missed);

#endif
