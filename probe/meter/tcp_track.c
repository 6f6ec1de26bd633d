/* Sequence numbers are compared by their distance, modulo 2^32. */
#include "probe/meter/tcp_track.h"

enum { RETRANSMISSIONS_MAX = 0x7fffffff };

static int32_t distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

/* Room that the segment takes: payload, SYN and FIN count (RFC 9293). */
static uint32_t room_of(const struct packet *p)
{
    return p->payload_length + ((p->tcp_flags & TCP_SYN) != 0) +
           ((p->tcp_flags & TCP_FIN) != 0);
}

static void open_gap(struct tcp_side *s, uint32_t start, uint32_t end)
{
    if (s->gap_start == s->gap_end)
        s->gap_start = start;
    s->gap_end = end;
}

/* Does a segment below the highest byte bring something of the gap? Then the
 * gap shrinks where the segment touches an end of it. */
static bool fill_gap(struct tcp_side *s, uint32_t start, uint32_t end)
{
    if (s->gap_start == s->gap_end || distance(s->gap_start, end) <= 0 ||
        distance(start, s->gap_end) <= 0)
        return false;
    if (distance(s->gap_start, start) <= 0)
        s->gap_start = distance(end, s->gap_end) > 0 ? end : s->gap_end;
    else if (distance(s->gap_end, end) >= 0)
        s->gap_end = start;
    return true;
}

void tcp_track(struct tcp_side *s, const struct packet *p)
{
    uint32_t room = room_of(p);
    uint32_t start = p->tcp_sequence, end = start + room;
    if (room == 0 || (p->tcp_flags & TCP_RST) != 0)
        return;
    if (!s->has_next) {
        s->has_next = true;
        s->next = end;
        return;
    }
    if (distance(s->next, end) > 0) {
        if (distance(s->next, start) > 0)
            open_gap(s, s->next, start);
        s->next = end;
        return;
    }
    bool is_keepalive = room == 1 && p->payload_length == 1 && end == s->next;
    if (!fill_gap(s, start, end) && !is_keepalive &&
        s->retransmissions < RETRANSMISSIONS_MAX)
        s->retransmissions++;
}
