/*
 * The share of each enterprise's connections that the supplier's probe saw too,
 * a day at a time (evidence tier 2).
 *
 * For each (enterprise, endpoint, day in Asia/Shanghai) with a supplier that
 * has a probe: connections of the enterprise's probes, how many of them were
 * matched (match.h), and how many minutes of the day the supplier's probe was
 * heard of. The result stands in match_day; it depends on the detail kept and
 * on the registry alone, so computing a day again gives the same, and it is
 * computed again when more batches of that day came. A supplier's probe is only
 * believed about its own supplier's endpoints: other records are left out, and
 * are an event.
 */
#ifndef COLLECTOR_REPORT_MATCH_DAY_H
#define COLLECTOR_REPORT_MATCH_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"

enum {
    /* Batches of that long around the day are looked at, so that what crosses
     * midnight finds its other side. */
    MATCH_SLACK_MS = 10 * 60 * 1000,
    MATCH_DAYS_MAX = 400, /* in one call */
    /* Connections of both sides in memory at a time, 96 bytes each, unless one
     * endpoint alone has more. */
    MATCH_PART_FLOWS = 8 * 1000 * 1000,
};

struct match_day_result {
    uint64_t days, skipped; /* computed; nothing new */
    uint64_t gone;          /* their detail was deleted (PRIV-05): as before */
    uint64_t flows, matched, foreign;
    uint64_t left_out; /* endpoints with too many connections for a day */
};

struct match_days {
    struct civil_day from, to; /* [from, to), at most MATCH_DAYS_MAX */
    bool is_forced;            /* days without anything new, too */
    uint64_t part_flows;       /* 0: MATCH_PART_FLOWS */
    uint64_t endpoint_flows;   /* 0: MATCH_FLOWS_MAX */
};

/* `registry` is portal.db. Each day is read without keeping the collector from
 * storing, and written by one short transaction on usage.db. */
bool match_days_run(struct db *usage_db, const char *registry,
                    const struct match_days *days, struct wall_time now,
                    struct match_day_result *result, struct error_text *error);

#endif
