/*
 * The two directions of one connection, in a record each, become one record.
 *
 * Routers report ways apart (RFC 5103 calls them uniflows). A record of one way
 * waits for one of the other way: same user, endpoint, ports and protocol, at
 * the same time or less than CARRIER_PAIR_SLACK_MS apart. Of several the oldest
 * is taken, among the last CARRIER_PAIR_TRIES that wait with the same key: so a
 * file of one way only, or without ports, takes time in proportion to its
 * length. CARRIER_PAIRS_MAX may wait; past that the oldest goes on alone, as do
 * at the end those that nobody came for. What comes out depends on the records
 * and their order alone.
 */
#ifndef COLLECTOR_CARRIER_CARRIER_PAIR_H
#define COLLECTOR_CARRIER_CARRIER_PAIR_H

#include <stdbool.h>

#include "collector/carrier/carrier.h"

enum {
    CARRIER_PAIRS_MAX = 1 << 17,
    CARRIER_PAIR_TRIES = 256,
    CARRIER_PAIR_SLACK_MS = 2000,
};

struct carrier_pairs;

/* False stops. */
typedef bool carrier_pair_fn(void *context,
                             const struct carrier_record *record);

/* NULL without memory. */
struct carrier_pairs *carrier_pairs_new(carrier_pair_fn *fn, void *context);
void carrier_pairs_free(struct carrier_pairs *pairs);
/* Records with both ways, or none, go on at once. False when the callback said
 * so, or without memory. */
bool carrier_pairs_add(struct carrier_pairs *pairs,
                       const struct carrier_record *record);
bool carrier_pairs_end(struct carrier_pairs *pairs);

#endif
