/*
 * The text of the eBPF kernel filter, written instruction by instruction at
 * start; no compiler is needed at run time. filter_ebpf.h loads it and fills
 * the maps it reads.
 */
#ifndef PROBE_CAPTURE_FILTER_PROGRAM_H
#define PROBE_CAPTURE_FILTER_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/capture/ebpf_code.h"
#include "probe/capture/filter_plan.h"

enum {
    FILTER_HINT_BYTES = 8192, /* of one address family */
    FILTER_COUNTER_STRIDE = 64,
};

/* In the line of a processor. */
enum filter_counter {
    COUNT_SEEN,
    COUNT_SEEN_OCTETS,
    COUNT_MATCHED,
    COUNT_OCTETS,
    COUNT_NOTHING /* always 0 */
};

/* Value of the map `sets`: a bit a port, by enum port_class. */
struct filter_set_bits {
    uint8_t ports[3][8192];
    uint8_t other[8]; /* first bit; where the fourth class would begin */
};

/* Value of the tries: 16 bits each of class, port set number + 1, and the
 * lowest and highest port of the set's first range, which most packets want: it
 * spares them a look into `sets`. */
static inline uint64_t filter_trie_value(uint32_t set, struct port_set ports)
{
    struct port_range first = ports.ranges[0];
    return (uint64_t)first.class << 48 | (uint64_t)(set + 1) << 32 |
           (uint64_t)first.low << 16 | first.high;
}

struct filter_trie_key {
    uint32_t length;
    uint8_t bytes[16];
};

/*
 * Maps (descriptors):
 *
 *   trie4, trie6  longest prefix -> filter_trie_value()
 *   sets          port set number -> struct filter_set_bits, for those of more
 *                 than one range
 *   hints         a bit for each value of the upper 16 bits of an IPv4 address
 *                 (IPv6: of its first 32 bits folded to 16) under which
 *                 anything is registered. Most packets have no such address on
 *                 either side and are refused for the price of two bit tests;
 *                 the tries are walked only for the rest.
 *   counters      one cache line a processor
 */
struct filter_maps {
    int trie4, trie6, sets, hints, counters;
    int processors;
};

/* False when it is too long. */
bool filter_program_write(struct ebpf_code *code,
                          const struct filter_maps *maps, enum filter_link link,
                          uint32_t snap_length);

#endif
