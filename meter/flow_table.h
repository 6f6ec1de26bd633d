/*
 * The flow table: all memory taken at the start, nothing allocated per packet.
 *
 * A flow is found by its five-tuple, the same for both directions, under a
 * hash with a secret key; the whole tuple is compared. Flows stand in one of
 * two lists: open flows in the order of their last packet (to one second), so
 * that the idle ones are at its end, and closing flows in the order of their
 * closing. What to do with flows is the meter's business; this is where they
 * are kept.
 */
#ifndef METER_FLOW_TABLE_H
#define METER_FLOW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meter/decode.h"
#include "meter/inspect.h"
#include "meter/keyed_hash.h"

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
    uint16_t tcp_flags;
};

/* What every packet touches; the rest is in its inspection. */
struct flow_entry {
    struct flow_tuple tuple;
    struct flow_counts sides[2];
    int64_t start_us, end_us; /* of this report's packets */
    int64_t last_us;          /* last packet of all */
    int64_t listed_us;        /* when its place in the list was set */
    int64_t request_us;       /* last payload of the opener */
    int64_t syn_us;           /* last SYN without an answer */
    uint32_t syn_sequence;
    uint32_t rtt_us;
    uint32_t burst_count;
    int32_t endpoint;
    uint32_t previous, next; /* in its list */
    uint32_t slot_hash;
    uint16_t vlan;
    uint8_t opener;    /* SIDE_ of who opened the flow */
    bool has_syn;      /* a SYN told who opened it */
    bool has_reported; /* a report was made: the opener stays */
    bool is_closing;
    bool is_inspected;  /* nothing more to learn from payload */
    uint8_t fin_sides;  /* bit per side */
    uint8_t registered; /* SIDE_ of the registered address */
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
 * list; NULL when the table is full. */
struct flow_entry *flow_table_add(struct flow_table *table,
                                  const struct flow_tuple *tuple, uint32_t hash,
                                  int64_t now_us);
/* Moves an open flow to the young end; cheap when called often. */
void flow_table_touch(struct flow_table *table, struct flow_entry *entry,
                      int64_t now_us);
/* Moves a flow to the list of the closing ones. */
void flow_table_close(struct flow_table *table, struct flow_entry *entry,
                      int64_t now_us);
void flow_table_remove(struct flow_table *table, struct flow_entry *entry);
struct flow_entry *flow_table_oldest_open(const struct flow_table *table);
struct flow_entry *flow_table_oldest_closing(const struct flow_table *table);
size_t flow_table_count(const struct flow_table *table);
/* What was learnt from the entry's payload. */
struct inspection *flow_table_inspection(const struct flow_table *table,
                                         const struct flow_entry *entry);

#endif
