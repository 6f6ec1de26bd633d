/*
 * Room for the unfinished batches of all peers of a worker.
 *
 * Each peer has a share, the bytes that are held for it. Past the most, nothing
 * more is read from any of them but one, the favoured: reading none would leave
 * all of them waiting for each other. Favour lasts until its batch is stored,
 * and for FAVOUR_S at most while others wait: then its peer is to be closed.
 *
 * For the worker's thread; peer_budget_seen() is for others. Shares live in the
 * peers, start as {0}, and are set to 0 before their peer goes.
 */
#ifndef COLLECTOR_PEER_BUDGET_H
#define COLLECTOR_PEER_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"

enum { PEER_FAVOUR_S = 10 };

struct peer_share {
    size_t bytes;
    bool is_waiting; /* for room: not read */
};

struct peer_budget {
    size_t most, used;
    const struct peer_share *favoured;
    struct mono_time favoured_since;
    bool has_waiting;
    atomic_uint_fast64_t seen; /* `used`, for other threads */
};

void peer_budget_init(struct peer_budget *b, size_t most);
void peer_budget_set(struct peer_budget *b, struct peer_share *share,
                     size_t bytes);
/* Whether the peer may be read now; else its share waits. May favour it. */
bool peer_budget_ask(struct peer_budget *b, struct peer_share *share);
/* Its batch is stored: its next one waits like another's. */
void peer_budget_end_favour(struct peer_budget *b,
                            const struct peer_share *share);
/* It was favoured for too long, and others wait. */
bool peer_budget_is_overdue(const struct peer_budget *b,
                            const struct peer_share *share,
                            struct mono_time now);
/* There is room again for some that wait: all of them are to ask anew. */
bool peer_budget_has_news(struct peer_budget *b);
/* Bytes of all shares; from any thread. */
uint64_t peer_budget_seen(const struct peer_budget *b);

#endif
