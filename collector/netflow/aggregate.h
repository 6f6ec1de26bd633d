/*
 * Aggregation: foreign exporters' records to connection records.
 *
 * Only flows to or from a registered endpoint are kept (PRIV-01, PRIV-02); all
 * others are dropped at once and only counted. What is kept is put together by
 * exporter and 5-tuple, so that the two directions that routers report apart
 * become one biflow whose forward side goes to the endpoint:
 *  - a router that reports a packet where it comes in and where it leaves
 *    reports it twice: of both the larger counts;
 *  - behind NAT the inside address is the one before translation outwards and
 *    the one after it inwards (postNAT elements), so both directions meet;
 *  - sampled counts are scaled by what the exporter tells, or by what the
 *    registry tells for it, which wins; such flows are marked;
 *  - total counts replace the ones before of the same flow; how much is new is
 *    remembered in a table of its own, bounded like the other;
 *  - on a shared address (CDN) a flow counts only with a matching name, and a
 *    router tells none: such flows are refused and counted.
 * What a router cannot see is left unknown: names, applications, tokens, round
 * trips, bursts. Payload is reckoned from octets less the shortest headers.
 *
 * Inside addresses do not leave: they become pseudonyms under the key given.
 */
#ifndef COLLECTOR_NETFLOW_AGGREGATE_H
#define COLLECTOR_NETFLOW_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/netflow/netflow_session.h"
#include "common/crypto/secret.h"
#include "common/wire/endpoint.h"
#include "common/wire/flow_record.h"

enum {
    NETFLOW_FLOWS_MAX = 1 << 18,  /* at a time, over all exporters */
    NETFLOW_TOTALS_MAX = 1 << 16, /* flows with total counts remembered */
    NETFLOW_FUTURE_S = 5 * 60,
    NETFLOW_OLD_S = 72 * 3600,
    /* A flow that has one direction waits so long for the other. */
    NETFLOW_HOLD_S = 60,
};
/* No flow of one period has more octets or packets; the ledger refuses
 * batches with such records. */
#define NETFLOW_COUNT_MAX (UINT64_C(1) << 40)

struct netflow_tally {
    uint64_t kept;       /* records that count */
    uint64_t elsewhere;  /* neither side is registered */
    uint64_t shared;     /* registered on a shared address only */
    uint64_t old;        /* more than 72 h */
    uint64_t future;     /* more than 5 minutes ahead */
    uint64_t impossible; /* no addresses, end before start, absurd counts */
    uint64_t empty;      /* no packets, or nothing new in a total */
    uint64_t unsettled;  /* a total whose start was not seen */
    uint64_t early;      /* flows given out early: the table was full */
};
enum { NETFLOW_TALLY_COUNT = sizeof(struct netflow_tally) / sizeof(uint64_t) };
extern const struct netflow_counter_name netflow_tally_names[];

struct netflow_aggregate;

/* An exporter, as far as its records need it. */
struct netflow_origin {
    uint32_t number; /* tells exporters apart */
    /* Not 0 of 0: holds instead of what the exporter tells. */
    struct netflow_rate override;
    bool is_any_time; /* demo data: old records are good */
    /* Records are taken since then: what total counts of flows that began
     * before were counted already, nobody remembers. 0: from ever. */
    int64_t since_ms;
    struct netflow_tally *tally;
};

/* A finished flow. `is_scaled`: its counts are scaled up. */
typedef void netflow_flow_fn(void *context, uint32_t exporter, bool is_scaled,
                             const struct flow_record *flow);

/* `flows`: room, at most NETFLOW_FLOWS_MAX. The callback gets flows when they
 * are drained, or early when the room is used up. NULL without memory. */
struct netflow_aggregate *netflow_aggregate_new(size_t flows,
                                                const struct secret *key,
                                                netflow_flow_fn *fn,
                                                void *context);
void netflow_aggregate_free(struct netflow_aggregate *aggregate);
/* The list is borrowed; what stands in the table is drained before it changes.
 * NULL: nothing is registered. */
void netflow_aggregate_set_endpoints(struct netflow_aggregate *aggregate,
                                     const struct endpoint_list *endpoints);
void netflow_aggregate_add(struct netflow_aggregate *aggregate,
                           const struct netflow_origin *origin,
                           const struct netflow_record *record, int64_t now_ms);
/* Gives out all flows; unless `is_all`, those that wait for their other
 * direction stay. */
void netflow_aggregate_drain(struct netflow_aggregate *aggregate,
                             int64_t now_ms, bool is_all);

#endif
