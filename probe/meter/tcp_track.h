/*
 * What the sequence numbers of a TCP flow tell: data sent again.
 *
 * Counted again is a segment whose bytes (or SYN, or FIN) had all been seen
 * from the same side. What comes late into a gap was out of order, or lost
 * before it came by, and is not; nor is a keepalive, which is 0 or 1 byte below
 * what was sent. One gap is remembered per side: when more are open they are
 * taken for one, so that too few are counted rather than too many.
 */
#ifndef PROBE_METER_TCP_TRACK_H
#define PROBE_METER_TCP_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/meter/decode.h"

/* One side's stream; zero at the start. */
struct tcp_side {
    uint32_t next;                 /* sequence number behind the highest byte */
    uint32_t gap_start, gap_end;   /* not seen yet; equal: none */
    uint32_t retransmissions : 31; /* stays at its highest */
    uint32_t has_next : 1;
};

void tcp_track(struct tcp_side *side, const struct packet *packet);

#endif
