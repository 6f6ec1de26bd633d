/* The decoder, into tunnels as deep as they go, and the whole meter, over made-up
 * packets of any link type. The input is a run of packets: link type index (1), milliseconds since the one before (1), wire
 * length beyond what follows (1), length (2), bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "probe/meter/decode.h"
#include "probe/meter/meter.h"

static const int link_types[] = {0,   1,   9,   12,  108, 113,
                                 192, 228, 229, 276, 14,  101};
enum { LINK_TYPES = sizeof(link_types) / sizeof(link_types[0]) };

static void on_flow(void *context, const struct flow *flow)
{
    struct meter_counters *sum = context;
    if (flow->end.us < flow->start.us || strlen(flow->name) >= FLOW_NAME_LEN)
        abort();
    sum->packets += flow->forward.packets + flow->reverse.packets;
    sum->octets += flow->forward.octets + flow->reverse.octets;
}

/* What a caller may rely on: pointers into the frame, lengths that agree. */
static void check_packet(const struct packet *p, const uint8_t *data,
                         size_t captured)
{
    size_t address = p->ip_version == 4 ? 4 : 16;
    const uint8_t *end = data + captured;
    if (p->ip < data || p->ip + p->ip_captured > end || p->ip > p->source ||
        p->source + address > p->destination || p->destination + address > end)
        abort();
    if (p->payload_captured > p->payload_length ||
        (p->payload == NULL && p->payload_captured > 0) ||
        (p->payload != NULL &&
         (p->payload < p->ip || p->payload + p->payload_captured > end)))
        abort();
    if ((!p->is_fragment && p->payload_length >= p->octets) ||
        (p->may_tunnel && (p->is_later_fragment || p->payload == NULL)))
        abort();
}

static void check_levels(int link, const uint8_t *data, size_t captured,
                         size_t length)
{
    struct packet outer, inner;
    uint8_t *copy = malloc(captured > 0 ? captured : 1);
    memcpy(copy, data, captured);
    enum decode_status status =
        decode_packet(link, copy, captured, length, &outer);
    while (status == DECODE_OK) {
        check_packet(&outer, copy, captured);
        status = decode_inner(&outer, &inner);
        if (status == DECODE_OK && inner.ip <= outer.ip)
            abort();
        outer = inner;
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct meter *meter;
    static struct endpoint_list *any;
    static struct meter_counters sum;
    static struct wall_time now = {1700000000000000};
    if (meter == NULL) {
        struct meter_options options = {32, 30, 300, 1000, .keeps_texts = true};
        any = endpoint_list_any();
        meter = meter_new(&options, any, on_flow, &sum, NULL);
    }
    struct cursor c = cursor_of(data, size);
    while (cursor_left(&c) > 5) {
        int link = link_types[cursor_u8(&c) % LINK_TYPES];
        now.us += 1000 * (int64_t)cursor_u8(&c);
        size_t beyond = cursor_u8(&c);
        size_t length = cursor_u16(&c);
        if (length > cursor_left(&c))
            length = cursor_left(&c);
        /* A copy of just this size shows every read behind it. */
        uint8_t *copy = malloc(length > 0 ? length : 1);
        memcpy(copy, cursor_bytes(&c, length), length);
        meter_packet(meter, link, copy, length, length + beyond, now, 0);
        free(copy);
        check_levels(link, data + size - cursor_left(&c) - length, length,
                     length + beyond);
    }
    meter_flush(meter);
    const struct meter_counters *counters = meter_counters(meter);
    if (sum.packets != counters->packets || sum.octets != counters->octets)
        abort();
    return 0;
}
