/*
 * Both directions of one TCP connection in segments of any order, as the
 * inspector's gathering meets them: lost, repeated, overlapping, ahead of their
 * predecessor, around the wrap of sequence numbers.
 *
 *   offset size meaning, again and again
 *   0      1    1: sent by the server; 2: SYN; 4: FIN; 8: RST; 16: other flow
 *   1      2    sequence number, from the side's start
 *   3      2    length of the payload
 *   5      ..   payload
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "probe/meter/meter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/probe/meter/packets.h"

enum { HEAD = 54, PAYLOAD_MAX = FRAME_MAX - HEAD };

static void on_flow(void *context, const struct flow *flow)
{
    uint64_t *packets = context;
    for (const char *c = flow->name; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            abort();
    /* Not the other way round: a long name may find no room. */
    if (flow->name[0] != '\0' && flow->name_source == NAME_NONE)
        abort();
    *packets += flow->forward.packets + flow->reverse.packets;
}

static void make_frame(struct frame *f, uint8_t kind, uint16_t offset,
                       const uint8_t *payload, size_t length)
{
    bool is_reverse = kind & 1;
    uint32_t client = 0x0a000001, server = 0xc6120001;
    unsigned port = kind & 16 ? 40001 : 40000;
    uint32_t start = is_reverse ? 0x1000 : 0xfffffff0;
    unsigned flags = (kind & 2 ? TCP_SYN : TCP_ACK) |
                     (kind & 2 && is_reverse ? TCP_ACK : 0u) |
                     (kind & 4 ? TCP_FIN : 0u) | (kind & 8 ? TCP_RST : 0u);
    frame_ethernet(f, 0x0800);
    frame_ipv4(f, PROTOCOL_TCP, is_reverse ? server : client,
               is_reverse ? client : server, 20 + length, 0);
    frame_u16(f, is_reverse ? 443 : port);
    frame_u16(f, is_reverse ? port : 443);
    frame_u32(f, start + offset);
    frame_u32(f, 0);
    frame_u16(f, 0x5000 | flags);
    frame_add(f, "\xff\xff\0\0\0\0", 6);
    frame_add(f, payload, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct meter *meter;
    static uint64_t packets;
    static struct wall_time now = {1700000000000000};
    struct frame frame;
    if (meter == NULL) {
        struct meter_options options = {8, 30, 300, .keeps_texts = true};
        meter =
            meter_new(&options, endpoint_list_any(), on_flow, &packets, NULL);
    }
    uint64_t sent = 0;
    packets = 0;
    struct cursor c = cursor_of(data, size);
    for (; cursor_left(&c) > 5; sent++) {
        uint8_t kind = cursor_u8(&c);
        uint16_t offset = cursor_u16(&c);
        size_t length = cursor_u16(&c) % PAYLOAD_MAX;
        if (length > cursor_left(&c))
            length = cursor_left(&c);
        make_frame(&frame, kind, offset, cursor_bytes(&c, length), length);
        uint8_t *copy = malloc(frame.length);
        memcpy(copy, frame.bytes, frame.length);
        now.us += 1000;
        meter_packet(meter, LINK_ETHERNET, copy, frame.length, frame.length,
                     now, 0);
        free(copy);
    }
    meter_flush(meter);
    if (packets != sent)
        abort();
    return 0;
}
