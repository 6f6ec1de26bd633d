/* The whole meter over made-up packets of any link type. The input is a run of
 * packets: link type index (1), milliseconds since the one before (1), wire
 * length beyond what follows (1), length (2), bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "meter/meter.h"

static const int link_types[] = {0, 1, 9, 12, 108, 113, 192, 228, 229, 276};
enum { LINK_TYPES = sizeof(link_types) / sizeof(link_types[0]) };

static void on_flow(void *context, const struct flow *flow)
{
    struct meter_counters *sum = context;
    if (flow->end.us < flow->start.us || strlen(flow->name) >= FLOW_NAME_LEN)
        abort();
    sum->packets += flow->forward.packets + flow->reverse.packets;
    sum->octets += flow->forward.octets + flow->reverse.octets;
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
    }
    meter_flush(meter);
    const struct meter_counters *counters = meter_counters(meter);
    if (sum.packets != counters->packets || sum.octets != counters->octets)
        abort();
    return 0;
}
