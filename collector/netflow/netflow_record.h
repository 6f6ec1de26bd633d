/*
 * One flow as a foreign exporter reports it, whatever the protocol: NetFlow v5
 * and v9, NetStream in their forms, IPFIX. Decoders fill it, aggregation reads
 * it; nothing of it is kept unless the flow goes to a registered endpoint.
 *
 * A record is oriented as the exporter wrote it. Reverse counts are there for
 * biflows (RFC 5103, PEN 29305) only. Texts point into the message: they are
 * there for as long as the decoder's callback runs.
 */
#ifndef COLLECTOR_NETFLOW_NETFLOW_RECORD_H
#define COLLECTOR_NETFLOW_NETFLOW_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

/* So many packets were chosen of so many; 0 of 0: not told. */
struct netflow_rate {
    uint32_t chosen, population;
};

/* Bits of netflow_record.totals: the count is one since the flow's start and
 * replaces the one before (RFC 7012, octetTotalCount), it does not add. */
enum {
    NETFLOW_TOTAL_OCTETS = 1,
    NETFLOW_TOTAL_PACKETS = 2,
    NETFLOW_TOTAL_ROCTETS = 4,
    NETFLOW_TOTAL_RPACKETS = 8,
};

enum { NETFLOW_NO_TIME = INT64_MIN };

enum { NETFLOW_INGRESS = 0, NETFLOW_EGRESS = 1 }; /* flowDirection (61) */

struct netflow_record {
    struct slice user_name, imsi, msisdn; /* as they stand there, or empty */
    uint64_t octets, packets, roctets, rpackets;
    /* Milliseconds since 1970, or NETFLOW_NO_TIME. While a record is being
     * decoded, as the exporter wrote them. */
    int64_t start_ms, end_ms;
    uint64_t selector;           /* selectorId, samplerId */
    uint64_t init_ms;            /* systemInitTimeMilliseconds, 0: none */
    uint64_t flow_id;            /* flowId, 0: none */
    uint64_t probability;        /* of a packet's choice: a float's bits */
    uint32_t input, output;      /* SNMP indexes of interfaces */
    uint32_t domain;             /* observation domain, source id, engine */
    uint32_t one_in;             /* samplingInterval: one packet in so many */
    uint32_t interval, space;    /* packets taken, then packets left out */
    uint32_t size, sampled_from; /* so many of so many */
    struct netflow_rate rate;    /* what of the above holds for this record */
    uint16_t source_port, destination_port;
    uint16_t post_source_port, post_destination_port; /* after NAPT */
    uint16_t tcp_flags, rtcp_flags;
    uint8_t version; /* of the addresses: 4, 6; 0: there are none */
    uint8_t protocol;
    uint8_t direction;  /* NETFLOW_INGRESS or NETFLOW_EGRESS */
    uint8_t end_reason; /* flowEndReason, 0: not told */
    uint8_t totals;     /* NETFLOW_TOTAL_ bits */
    bool has_post_source, has_post_destination;
    uint8_t source[16], destination[16]; /* IPv4 in the first 4 bytes */
    uint8_t post_source[16], post_destination[16]; /* after NAT */
    /* Of a template that has addresses of both versions, IPv6; while a record
     * is being decoded. */
    uint8_t source6[16], destination6[16];
};

#endif
