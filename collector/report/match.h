/*
 * Which connections both sides saw: an enterprise's probe and one at the
 * supplier's end. Pure; reading and keeping is match_day.h's.
 *
 * First by token, which NAT does not change: the same token at the same
 * endpoint is the same connection. Then, where one side has no token (UDP that
 * is not QUIC, TCP without TLS), by shape: endpoint, protocol, port, start and
 * duration within 2 s, octets each way within 2 % (evidence tier 2). How far
 * the clocks of two probes are apart is taken from their connections with
 * tokens (the median) before starts are compared.
 *
 * One to one, the nearest first, by start, duration and octets; where two fit
 * equally well, neither counts. (Of a token's flows that several probes of one
 * supplier saw, the first is taken.) The result does not depend on the order of the flows.
 */
#ifndef COLLECTOR_REPORT_MATCH_H
#define COLLECTOR_REPORT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire/flow_record.h"

enum {
    MATCH_TIME_MS = 2000,
    MATCH_PERCENT = 2,
    MATCH_CLOCKS_MIN = 3,   /* tokens that tell how far clocks are apart */
    MATCH_FITTING_MAX = 32, /* shapes that fit one flow; with more, none does */
    MATCH_FLOWS_MAX = 16 * 1000 * 1000, /* of one side */
};

enum match_outcome {
    MATCH_NONE,
    MATCH_TOKEN,
    MATCH_SHAPE,
    MATCH_AMBIGUOUS, /* several fitted equally well */
};

/* A connection, or its piece between two active timeouts. */
struct match_flow {
    int64_t start_ms, end_ms;
    uint64_t octets, roctets;
    uint64_t matched_octets;       /* result: the smaller of both sides' sums */
    uint8_t token[FLOW_TOKEN_LEN]; /* zero: none */
    uint32_t group; /* only flows of one group can match: endpoint, demo */
    uint32_t probe; /* the caller's number of it */
    uint32_t owner; /* the caller's, such as the enterprise */
    uint16_t port;
    uint8_t protocol;
    /* Of another day: takes what is its own from others, and is not counted. */
    bool is_context;
    uint8_t outcome; /* result: enum match_outcome */
};

/* Joins the pieces with one token that one probe saw, those of the day and
 * those of another; gives how many flows are left. Reorders. */
size_t match_join(struct match_flow *flows, size_t count);

/* Sets outcome and matched_octets of both sides. Reorders both. False without
 * memory. At most MATCH_FLOWS_MAX of each. */
bool match_flows(struct match_flow *enterprise, size_t enterprise_count,
                 struct match_flow *supplier, size_t supplier_count);

#endif
