/*
 * The flow table: all memory taken at the start, nothing allocated per packet.
 *
 * A flow is found by its five-tuple, the same for both directions, under a
 * hash with a secret key; the whole tuple is compared. Flows stand in the list
 * of their state: open flows in the order of their last packet (by the second),
 * so that the idle ones are at its end, all others in the order in which they
 * came into it. All stand in one list more, in the order in which the counts
 * of their next report began. What to do with flows is the meter's business;
 * this is where they are kept.
 *
 * A flow costs at most 400 bytes: its entry, its inspection, its slots and a
 * chunk of text (flow_table_test.c adds them up).
 */
#ifndef PROBE_METER_FLOW_TABLE_H
#define PROBE_METER_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/meter/decode.h"
#include "probe/meter/inspect.h"
#include "probe/meter/keyed_hash.h"
#include "probe/meter/tcp_track.h"

/* The lower end (by address, then port) comes first. Compared as bytes: no
 * padding, unused bytes are zero. */
struct flow_tuple {
    uint8_t low[16], high[16];
    uint16_t low_port, high_port;
    uint8_t version, protocol;
    uint16_t zero;
};

enum { SIDE_LOW = 0, SIDE_HIGH = 1 }; /* who sent */

struct flow_counts {
    uint64_t packets, octets, payload;
};

enum flow_state {
    FLOW_OPEN,
    FLOW_CLOSING, /* FIN or RST was seen; its last packets are counted */
    FLOW_SILENT,  /* reported, and nothing came for long */
    FLOW_ENDED,   /* reported after FIN or RST */
    FLOW_STATES
};

/* What every packet touches comes first; what was learnt from payload is in
 * the inspection. Masks have a bit per side. */
struct flow_entry {
    struct flow_tuple tuple;
    int64_t last_us;          /* last packet of all */
    int64_t start_us, end_us; /* of this report's packets */
    struct flow_counts sides[2];
    struct tcp_side tcp[2];
    int64_t request_us; /* last payload of the opener */
    int64_t report_us;  /* when the counts began */
    int64_t syn_us;     /* last SYN without an answer */
    uint32_t syn_sequence;
    uint32_t rtt_us, rtt_client_us;
    uint32_t burst_count;
    uint32_t state_s; /* since when it is not open, modulo 2^32 */
    int32_t endpoint;
    int32_t named_endpoint;  /* the one whose registered name was seen */
    uint32_t previous, next; /* in the list of its state */
    uint32_t previous_report, next_report; /* in the list of reports */
    uint32_t slot_hash;
    /* The observation point that owns each direction's counts, and when it
     * saw a packet last, modulo 2^32. */
    uint32_t point_ms[2];
    uint16_t points[2];
    uint16_t tcp_flags[2];
    uint16_t vlan;
    uint8_t epoch; /* of the endpoint list's answers, see meter.c */
    uint8_t name_evidence;
    unsigned opener : 1;       /* SIDE_ of who opened the flow */
    unsigned registered : 1;   /* SIDE_ of the registered address */
    unsigned has_syn : 1;      /* a SYN told who opened it */
    unsigned has_reported : 1; /* a report was made: the opener stays */
    unsigned state : 2;        /* enum flow_state */
    unsigned is_inspected : 1; /* nothing more to learn from payload */
    unsigned has_syn_answer : 1;
    unsigned has_handshake : 1; /* TCP: SYN, SYN/ACK, ACK */
    unsigned fin_sides : 2;
    unsigned payload_sides : 2; /* who sent payload, in its whole life */
    unsigned packet_sides : 2;
    unsigned point_sides : 2; /* which of points are set */
};

struct flow_table;

/* NULL without memory. */
struct flow_table *flow_table_new(size_t limit, struct hash_key key);
void flow_table_free(struct flow_table *table);

/* The side that sent the packet. */
int flow_packet_side(const struct packet *packet);
void flow_tuple_of(const struct packet *packet, int side,
                   struct flow_tuple *tuple);
uint32_t flow_table_hash(const struct flow_table *table,
                         const struct flow_tuple *tuple);
struct flow_entry *flow_table_find(const struct flow_table *table,
                                   const struct flow_tuple *tuple,
                                   uint32_t hash);
/* A zeroed entry for a tuple that is not there, at the young end of the open
 * list and of the reports; NULL when the table is full. */
struct flow_entry *flow_table_add(struct flow_table *table,
                                  const struct flow_tuple *tuple, uint32_t hash,
                                  int64_t now_us);
/* A packet of the flow: an open one moves to the young end, at most once a
 * second. */
void flow_table_touch(struct flow_table *table, struct flow_entry *entry,
                      int64_t now_us);
/* Moves a flow to the young end of another state's list. To the open ones
 * only a moment after a packet. */
void flow_table_move(struct flow_table *table, struct flow_entry *entry,
                     enum flow_state state, int64_t now_us);
/* Its counts begin now: the young end of the reports. */
void flow_table_restart(struct flow_table *table, struct flow_entry *entry,
                        int64_t now_us);
void flow_table_remove(struct flow_table *table, struct flow_entry *entry);
struct flow_entry *flow_table_oldest(const struct flow_table *table,
                                     enum flow_state state);
struct flow_entry *flow_table_oldest_report(const struct flow_table *table);
/* The next younger report; NULL at the end. */
struct flow_entry *flow_table_younger_report(const struct flow_table *table,
                                             const struct flow_entry *entry);
size_t flow_table_state_count(const struct flow_table *table,
                              enum flow_state state);
/* What was learnt from the entry's payload. */
struct inspection *flow_table_inspection(const struct flow_table *table,
                                         const struct flow_entry *entry);
/* Bytes that one flow takes of the table at this limit, slots included. */
size_t flow_table_flow_bytes(size_t limit);

#endif
