/*
 * A connection record as a probe makes it, for the tests; who needs another one
 * changes what matters to it.
 */
#ifndef TESTS_COMMON_WIRE_SAMPLE_FLOW_H
#define TESTS_COMMON_WIRE_SAMPLE_FLOW_H

#include <string.h>

#include "common/wire/flow_record.h"

/* A two-way TLS connection of one minute. */
static inline struct flow_record sample_flow(int64_t start_ms, uint64_t host)
{
    struct flow_record r = {
        .start_ms = start_ms,
        .end_ms = start_ms + 60000,
        .endpoint_id = "EP-1",
        .address = {203, 0, 113, 10},
        .port = 443,
        .protocol = 6,
        .octets = 1000,
        .packets = 10,
        .payload = 600,
        .roctets = 5000,
        .rpackets = 12,
        .rpayload = 4500,
        .tcp_flags = 0x1b,
        .rtcp_flags = 0x1b,
        .end_reason = FLOW_END_DETECTED,
        .name_evidence = NAME_SNI,
        .direction = 1,
        .application = "TLS",
        .rtt_us = 12000,
        .burst_count = 2,
        .host_pseudonym = host,
        .fingerprint = {1, 2, 3, 4, 5, 6, 7, 8},
    };
    memcpy(r.token, &start_ms, sizeof(start_ms));
    memcpy(r.token + 8, &host, sizeof(host));
    return r;
}

#endif
