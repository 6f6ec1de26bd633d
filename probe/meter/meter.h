/*
 * The meter: packets in, flows out. The same path live and offline.
 *
 * Each packet is decoded (decode.h), matched with the endpoint list, counted
 * in its flow (flow_table.h), and its first payload is looked at for a name
 * (hello.h) and a kind of application (classify.h). A flow is handed to `emit`
 * when it ends, when it was idle, every active timeout, or to make room.
 * Nothing here allocates after meter_new.
 *
 * Of a packet in tunnels the innermost that is registered counts (three levels
 * deep); where every address counts, the innermost.
 *
 * Observation points: the same packet may pass at two interfaces, or with and
 * without a VLAN tag. In each direction of a flow the point that saw it first
 * owns it, and what other points see is a duplicate, until the owner has been
 * silent for the duplicate window. A connection that takes the place of another
 * with the same addresses and ports goes on with its owners.
 * Nothing is counted twice; where the packets of two points come in blocks, and
 * the owner changes between two of them, a packet that only the owner before has
 * may be taken for a duplicate.
 */
#ifndef PROBE_METER_METER_H
#define PROBE_METER_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire/endpoint.h"
#include "probe/meter/flow.h"

struct meter;

enum {
    METER_HELLO_LIMIT = 8192, /* unless told otherwise */
    METER_HELLO_LIMIT_MIN = 1024,
    METER_HELLO_LIMIT_MAX = 65536,
    METER_DUPLICATE_WINDOW_MS = 1000, /* what a gateway should take */
};

struct meter_options {
    uint64_t flow_limit;          /* flows held at once */
    uint64_t idle_timeout_s;      /* 30 */
    uint64_t active_timeout_s;    /* 300 */
    uint64_t duplicate_window_ms; /* 0: nothing is a duplicate */
    uint64_t hello_limit;         /* bytes gathered of one hello; 0: as above */
    bool is_vlan_point; /* the same interface with another tag is another point
                         */
    bool keeps_texts;   /* names and the like are put into struct flow */
    bool is_lazy;       /* parts are started when first needed */
};

/* Reasons for which a packet was not counted. */
enum undecodable {
    UNDECODABLE_LINK,      /* link type or ethertype that we do not read */
    UNDECODABLE_TRUNCATED, /* headers cut off by the snap length */
    UNDECODABLE_HEADER,    /* lengths or versions that cannot be */
    UNDECODABLE_COUNT
};

struct meter_counters {
    uint64_t packets, octets; /* counted in flows; IP total length */
    uint64_t undecodable[UNDECODABLE_COUNT];
    uint64_t filtered;     /* well-formed, towards nothing registered */
    uint64_t flows;        /* begun */
    uint64_t evicted;      /* to make room */
    uint64_t active_flows; /* held now */
    uint64_t duplicates;   /* seen at another point as well */
    uint64_t texts_missed; /* names that found no room to be kept */
};

typedef void meter_emit_fn(void *context, const struct flow *flow);

/* The endpoint list stays the caller's. */
struct meter *meter_new(const struct meter_options *options,
                        const struct endpoint_list *endpoints,
                        meter_emit_fn *emit, void *context,
                        struct error_text *error);
void meter_free(struct meter *meter);

/* Another list takes over, also with flows open: those go on under the same id,
 * and end (FLOW_END_FORCED, emitted before this returns and with the index in
 * the old list) when it is gone. The old list may be freed afterwards. */
void meter_set_endpoints(struct meter *meter,
                         const struct endpoint_list *endpoints);

/* `link_type` is libpcap's DLT_ number; captured <= length bytes are at data.
 * `point` is the number of the interface. */
void meter_packet(struct meter *meter, int link_type, const uint8_t *data,
                  size_t captured, size_t length, struct wall_time when,
                  unsigned point);
/* Lets timeouts happen up to `now` (capture time). */
void meter_advance(struct meter *meter, struct wall_time now);
/* Emits every flow that is left, as FLOW_END_FORCED. */
void meter_flush(struct meter *meter);
const struct meter_counters *meter_counters(struct meter *meter);
/* Adds every counter of `c` to those of `sum`. */
void meter_counters_add(struct meter_counters *sum,
                        const struct meter_counters *c);
/* For the link types we read; a capture of another is refused at opening. */
bool meter_reads_link_type(int link_type);

#endif
