/*
 * A capture file, whatever is in it, through libpcap into a meter whose tables
 * are small and whose timeouts are short, so that eviction, timeouts, clock
 * steps and the fragment table all happen in a few packets. Every packet is
 * counted once and every flow ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/capture/capture.h"
#include "probe/meter/meter.h"
#include "tests/fuzz/fuzz.h"

struct reading {
    int link_type;
    struct meter *meter;
    uint64_t handed, packets, octets, ended;
};

static const char endpoints_csv[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "low,S,V,0.0.0.0/1,,,,,,no\n"
    "shared,S,V,128.0.0.0/1,*.example,tcp,\"80,443\",,,yes\n"
    "quic,S,V,128.0.0.0/1,*.example,udp,443,,,yes\n"
    "six,S,V,::/1,*.example,,,,,no\n";

static void must(bool good)
{
    if (!good)
        abort();
}

static void on_flow(void *context, const struct flow *flow)
{
    struct reading *r = context;
    must(flow->end.us >= flow->start.us && flow->endpoint >= 0);
    for (const char *c = flow->name; *c != '\0'; c++)
        must(*c > ' ' && *c <= '~');
    r->packets += flow->forward.packets + flow->reverse.packets;
    r->octets += flow->forward.octets + flow->reverse.octets;
    r->ended += flow->end_reason != FLOW_END_ACTIVE;
}

/* A copy of just this size shows every read behind it. */
static void on_packet(void *context, const struct capture_packet *p)
{
    struct reading *r = context;
    uint8_t *copy = malloc(p->captured > 0 ? p->captured : 1);
    must(copy != NULL && p->captured <= p->length);
    memcpy(copy, p->data, p->captured);
    meter_packet(r->meter, r->link_type, copy, p->captured, p->length, p->when,
                 r->handed % 2);
    free(copy);
    r->handed++;
}

static void open_meter(struct reading *r)
{
    const struct meter_options options = {4, 2, 5, .keeps_texts = true};
    struct endpoint_list *list =
        endpoint_list_parse(slice_of_text(endpoints_csv), "fuzz.csv", NULL);
    must(list != NULL);
    r->meter = meter_new(&options, list, on_flow, r, NULL);
    must(r->meter != NULL);
}

static void read_all(struct reading *r, struct capture *capture)
{
    const struct meter_counters before = *meter_counters(r->meter);
    r->link_type = capture_link_type(capture);
    r->handed = r->packets = r->octets = r->ended = 0;
    while (capture_dispatch(capture, 16, on_packet, r) == CAPTURE_OK)
        continue;
    meter_flush(r->meter);
    const struct meter_counters *c = meter_counters(r->meter);
    uint64_t other = c->filtered - before.filtered;
    for (int i = 0; i < UNDECODABLE_COUNT; i++)
        other += c->undecodable[i] - before.undecodable[i];
    must(c->packets - before.packets == r->packets &&
         c->octets - before.octets == r->octets &&
         r->packets + other == r->handed);
    must(c->active_flows == 0 && c->flows - before.flows >= r->ended);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading r;
    static int file = -1;
    static char path[32];
    struct error_text error;
    if (file < 0) {
        open_meter(&r);
        file = memfd_create("capture", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    must(ftruncate(file, 0) == 0 &&
         pwrite(file, data, size, 0) == (ssize_t)size);
    struct capture *capture = capture_open_file(path, &error);
    if (capture != NULL)
        read_all(&r, capture);
    capture_close(capture);
    return 0;
}
