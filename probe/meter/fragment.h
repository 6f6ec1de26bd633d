/*
 * Ports of fragmented datagrams.
 *
 * Only the first fragment of an IP datagram carries the ports; they are
 * remembered here so that the later ones are counted in the same flow. The
 * table is of fixed size: a newer datagram takes the oldest place among the
 * few it may stand in, and a place is good for 30 seconds (RFC 1122 asks
 * receivers to give up after 60 to 120; gateways see fragments close together).
 */
#ifndef PROBE_METER_FRAGMENT_H
#define PROBE_METER_FRAGMENT_H

#include <stdbool.h>

#include "common/clock.h"
#include "probe/meter/decode.h"
#include "probe/meter/keyed_hash.h"

struct fragment_table;

struct fragment_table *fragment_table_new(struct hash_key key);
void fragment_table_free(struct fragment_table *table);
/* A first fragment is remembered; a later one gets protocol and ports filled
 * in, or keeps ports 0 when its first fragment was not seen. */
void fragment_table_apply(struct fragment_table *table, struct packet *packet,
                          struct wall_time when);

#endif
