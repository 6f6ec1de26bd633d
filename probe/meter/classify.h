/*
 * The kind of application protocol, by nDPI.
 *
 * Asked only about flows that our own parsers did not name, about their first
 * few packets, and only on registered traffic: nDPI reads hostile bytes with
 * much more code than ours. Its per-flow state comes from a pool of fixed size;
 * when that is used up the longest-held state is taken over.
 */
#ifndef PROBE_METER_CLASSIFY_H
#define PROBE_METER_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"
#include "probe/meter/pool.h"

struct classifier;

enum { CLASSIFY_PACKETS_MAX = 8 };

/* A flow's place in the pool; zero: has none yet. */
struct classify_state {
    struct pool_ref place;
    uint8_t packets; /* fed so far */
};

/* Lazy: nDPI, which takes megabytes, is started for the first flow that asks.
 * When it cannot be, flows stay unknown. */
struct classifier *classifier_init(size_t states, bool is_lazy,
                                   struct error_text *error);
/* One IP packet with payload. The protocol's name (static, such as "MQTT"), or
 * NULL while unknown. After CLASSIFY_PACKETS_MAX packets, or once the name is
 * known, the state is given back and later calls give NULL. */
const char *classifier_feed(struct classifier *classifier,
                            struct classify_state *state, const uint8_t *ip,
                            size_t length, struct wall_time when);
/* Gives back the state of a flow that ends. */
void classifier_release(struct classifier *classifier,
                        struct classify_state *state);
void classifier_free(struct classifier *classifier);

#endif
