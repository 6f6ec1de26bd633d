/*
 * What was seen of one service at one enterprise, day by day, for the timeline.
 *
 * After a verification run the days are the very facts that were judged
 * (verdict.db). Before the first run they are sums of what the collector has
 * counted so far of the enterprise's probes (usage.db), where the number of
 * hosts of a day is not known.
 *
 * What others say of the same days (routers, the supplier, carriers) stands
 * beside it, each with its tier of trust, and is never added.
 */
#ifndef PORTAL_RECORD_TIMELINE_H
#define PORTAL_RECORD_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"

enum { TIMELINE_DAYS = 35 };

struct timeline_day {
    uint32_t covered_minutes; /* of the day, under batches that count */
    uint32_t active_minutes;
    uint64_t flows, octets; /* octets of both directions */
    uint64_t hosts;
    bool has_hosts;
    bool is_active; /* at least one two-way connection (VER-08) */
    bool is_sample; /* any demo data */
};

struct timeline {
    struct civil_day first;
    struct timeline_day days[TIMELINE_DAYS];
    struct wall_time end; /* the cut-off, or now; the caller sets it */
    bool is_judged;       /* from the facts of a run, else from counted usage */
};

/* Both fill days first .. first + TIMELINE_DAYS - 1; days without a row stay
 * zero. False when a query failed. */
bool timeline_read_facts(struct db *db, const char *enterprise_id,
                         const char *service_id, struct civil_day first,
                         struct timeline *timeline);
bool timeline_read_usage(struct db *db, const char *enterprise_id,
                         const char *service_id, struct civil_day first,
                         struct timeline *timeline);

enum timeline_witness {
    WITNESS_ROUTER,
    WITNESS_SUPPLIER_COUNTS,
    WITNESS_SUPPLIER_PROBE,
    WITNESS_CARRIER,
    WITNESS_COUNT,
};

struct timeline_testimony {
    const char *name;   /* as sources are named in usage.db */
    unsigned tier;      /* of trust */
    uint32_t days;      /* of the timeline, with anything */
    uint64_t flows;     /* the supplier's probe: of the enterprise's */
    uint64_t octets;    /* both directions */
    uint64_t confirmed; /* the supplier's probe: of `flows`, seen there too */
};

/* Days first .. first + TIMELINE_DAYS - 1. False when a query failed. */
bool timeline_read_witnesses(
    struct db *db, const char *enterprise_id, const char *service_id,
    struct civil_day first,
    struct timeline_testimony said[static WITNESS_COUNT]);

/* Whether so much of a day was watched that it counts, as the verifier asks
 * it: of the day in which `end` lies, only what is before it can be asked for. */
bool timeline_is_covered(const struct timeline *timeline, size_t index,
                         uint64_t least_permille);
/* 0 to 100, of the same minutes. */
unsigned timeline_covered_percent(const struct timeline *timeline,
                                  size_t index);

#endif
