/*
 * Bytes of a handshake put together by offset, in any order.
 *
 * TCP segments and QUIC CRYPTO frames arrive late, twice or in the wrong order;
 * here they become one run of bytes from offset 0. Both the size and the number
 * of separate spans have a bound: what lies beyond is left out.
 */
#ifndef PROBE_METER_GATHER_H
#define PROBE_METER_GATHER_H

#include <stddef.h>
#include <stdint.h>

enum { GATHER_SPANS = 32 };

struct gather_span {
    uint32_t start, end; /* half open */
};

struct gather {
    uint8_t *bytes; /* the owner's, of this size */
    uint32_t size;
    uint32_t span_count; /* sorted, apart from one another */
    struct gather_span spans[GATHER_SPANS];
};

void gather_init(struct gather *gather, uint8_t *bytes, size_t size);
void gather_reset(struct gather *gather);
/* The first copy of a byte stays. */
void gather_add(struct gather *gather, uint64_t offset, const uint8_t *data,
                size_t length);
/* Number of bytes from offset 0 on without a gap. */
size_t gather_prefix(const struct gather *gather);

#endif
