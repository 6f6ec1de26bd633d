/* Whatever comes: each packet is counted once, and what is counted is reported.
 *
 * Random packets of a few conversations, with tags, fragments, times that jump,
 * lists that are exchanged, and tables that are far too small. COUNT_ROUNDS in
 * the environment makes more of them than the test needs. */
#include "tests/probe/meter/scene.h"

#include <stdlib.h>

static const char other_endpoints[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "mes,b,mes,203.0.113.8,,,443,,,yes\n"
    "mes,b,mes,,*.mes.example,,443,,,yes\n"
    "plain,d,plain,203.0.113.0/24,,,,,,no\n"
    "host,d,host,10.77.0.5,,,,,,no\n"
    "late,d,late,198.51.100.1,,,,2023-11-14T22:30:00Z,2023-11-14T23:00:00Z,"
    "no\n";

enum { SERVERS = 4, PORTS = 3, TUPLES = SERVERS * PORTS * 2 };

struct sums {
    uint64_t packets, octets, payload;
};

/* What came out, and what went in as far as the test knows. */
static struct {
    uint64_t random;
    struct sums out, tuples_in[TUPLES], tuples_out[TUPLES];
    uint64_t flows;
} c;

static uint32_t draw(uint32_t below)
{
    c.random ^= c.random << 13;
    c.random ^= c.random >> 7;
    c.random ^= c.random << 17;
    return (uint32_t)(c.random >> 32) % below;
}

static uint32_t server_of(unsigned i)
{
    const uint32_t servers[SERVERS] = {ERP, CDN, PLAIN, NEWS};
    return servers[i % SERVERS];
}

static void add_sums(struct sums *s, uint64_t packets, uint64_t octets,
                     uint64_t payload)
{
    s->packets += packets;
    s->octets += octets;
    s->payload += payload;
}

/* Of a flow to its conversation; -1: a fragment without its ports. */
static int tuple_of(const struct flow_key *key)
{
    bool is_back = key->source_port == 443;
    const struct address *a = is_back ? &key->source : &key->destination;
    unsigned port = is_back ? key->destination_port : key->source_port;
    uint32_t server = (uint32_t)a->bytes[0] << 24 |
                      (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 |
                      a->bytes[3];
    for (unsigned i = 0; i < SERVERS; i++)
        if (server_of(i) == server && port >= HOST_PORT &&
            port < HOST_PORT + PORTS)
            return (int)((i * PORTS + port - HOST_PORT) * 2 +
                         (key->protocol == PROTOCOL_TCP));
    return -1;
}

static void on_counted(void *context, const struct flow *f)
{
    (void)context;
    struct sums s = {f->forward.packets + f->reverse.packets,
                     f->forward.octets + f->reverse.octets,
                     f->forward.payload + f->reverse.payload};
    int tuple = tuple_of(&f->key);
    CHECK(s.packets > 0);
    CHECK(f->start.us <= f->end.us);
    CHECK(f->burst_count <= f->forward.packets);
    CHECK(f->burst_count == 0 || f->forward.payload > 0);
    CHECK(f->forward.retransmissions <= f->forward.packets);
    CHECK(f->reverse.retransmissions <= f->reverse.packets);
    add_sums(&c.out, s.packets, s.octets, s.payload);
    if (tuple >= 0)
        add_sums(&c.tuples_out[tuple], s.packets, s.octets, s.payload);
    c.flows++;
}

/* --- a packet --- */

struct piece {
    uint8_t bytes[600];
    size_t length;
};

static struct piece make_payload(void)
{
    static const char *const names[] = {"erp.example", "a.mes.example",
                                        "iot.example", "x.example"};
    static const char request[] = "GET / HTTP/1.1\r\nHost: iot.example\r\n\r\n";
    struct piece p = {.length = 0};
    struct frame record;
    switch (draw(8)) {
    case 0:
    case 1:
        make_hello(&record, names[draw(4)], draw(200));
        p.length = record.length;
        memcpy(p.bytes, record.bytes, p.length);
        break;
    case 2:
        p.length = sizeof(request) - 1;
        memcpy(p.bytes, request, p.length);
        break;
    case 3:
        p.length = 60;
        memcpy(p.bytes, server_hello(0x11), p.length);
        break;
    case 4:
        p.length = draw(100);
        memset(p.bytes, 'x', p.length);
        break;
    default:
        break;
    }
    if (draw(3) == 0 && p.length > 1)
        p.length = 1 + draw((uint32_t)p.length - 1);
    return p;
}

static unsigned make_flags(void)
{
    static const unsigned flags[] = {
        TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK,           TCP_ACK,
        TCP_ACK, TCP_ACK,           TCP_FIN | TCP_ACK, TCP_RST};
    return flags[draw(8)];
}

static void put_tag(struct frame *f, unsigned tag)
{
    memmove(f->bytes + 16, f->bytes + 12, f->length - 12);
    f->length += 4;
    frame_put_u16(f, 12, 0x8100);
    frame_put_u16(f, 14, tag);
}

/* Whole packets only, so that the conversation is known; its number. */
static int make_packet(struct frame *f, struct sums *size)
{
    unsigned server = draw(SERVERS), port = draw(PORTS);
    bool is_tcp = draw(3) > 0, is_back = draw(2) == 0;
    uint32_t from = is_back ? server_of(server) : (uint32_t)HOST;
    uint32_t to = is_back ? (uint32_t)HOST : server_of(server);
    unsigned sport = is_back ? 443 : HOST_PORT + port;
    unsigned dport = is_back ? HOST_PORT + port : 443;
    struct piece p = make_payload();
    if (is_tcp)
        frame_of_tcp(f, from, sport, to, dport, 100 + draw(300), draw(400),
                     make_flags(), p.bytes, p.length);
    else
        frame_of_udp(f, from, sport, to, dport, p.bytes, p.length);
    *size = (struct sums){1, f->length - 14, p.length};
    if (draw(4) == 0)
        put_tag(f, 1 + draw(3));
    return (int)((server * PORTS + port) * 2 + is_tcp);
}

/* Mostly soon, at times at the same moment, far ahead, or back. */
static int64_t make_pause(void)
{
    switch (draw(40)) {
    case 0:
        return (int64_t)draw(90) * S;
    case 1:
        return -(int64_t)draw(90) * S;
    case 2:
        return draw(20) == 0 ? (int64_t)draw(200000) * S : 0;
    case 3:
        return draw(20) == 0 ? -(int64_t)draw(20000) * S : 0;
    case 4:
        return (int64_t)draw(5000) * MS;
    default:
        return draw(20) * MS;
    }
}

/* --- a round --- */

static struct meter *make_meter(const struct endpoint_list *list,
                                uint64_t limit, uint64_t window_ms)
{
    struct meter_options options = {.flow_limit = limit,
                                    .idle_timeout_s = 1 + draw(40),
                                    .active_timeout_s = 1 + draw(60),
                                    .duplicate_window_ms = window_ms,
                                    .is_vlan_point = draw(2) == 0,
                                    .keeps_texts = draw(2) == 0};
    struct error_text error;
    struct meter *meter = meter_new(&options, list, on_counted, NULL, &error);
    CHECK(meter != NULL);
    memset(&c.out, 0, sizeof(c.out));
    memset(c.tuples_in, 0, sizeof(c.tuples_in));
    memset(c.tuples_out, 0, sizeof(c.tuples_out));
    c.flows = 0;
    t.now_us = START;
    return meter;
}

static void check_sums(struct meter *meter, uint64_t sent)
{
    const struct meter_counters *k = meter_counters(meter);
    uint64_t told = k->packets + k->filtered + k->duplicates;
    for (int i = 0; i < UNDECODABLE_COUNT; i++)
        told += k->undecodable[i];
    CHECK_I64(told, sent);
    CHECK_I64(c.out.packets, k->packets);
    CHECK_I64(c.out.octets, k->octets);
    CHECK_I64(k->active_flows, 0);
    CHECK(c.flows >= k->flows); /* and reports in between */
}

static void mix_in(struct meter *meter, struct frame *f)
{
    if (draw(12) == 0) /* a fragment, first or later */
        frame_put_u16(f, f->bytes[12] == 0x81 ? 24 : 20,
                      draw(2) == 0 ? 0x2000 : 0x2005);
    if (draw(30) == 0)
        f->length -= draw(30);
    meter_packet(meter, LINK_ETHERNET, f->bytes, f->length, f->length,
                 (struct wall_time){t.now_us}, draw(3));
}

static void run_lists(unsigned packets)
{
    struct error_text error;
    struct endpoint_list *lists[] = {
        endpoint_list_parse(slice_of_text(endpoints), "a.csv", &error),
        endpoint_list_parse(slice_of_text(other_endpoints), "b.csv", &error)};
    CHECK(lists[0] != NULL && lists[1] != NULL);
    struct meter *meter =
        make_meter(lists[0], 1 + draw(12), draw(2) == 0 ? 0 : 1000);
    struct frame f;
    struct sums size;
    for (unsigned i = 0; i < packets; i++) {
        make_packet(&f, &size);
        t.now_us += make_pause();
        mix_in(meter, &f);
        if (draw(50) == 0)
            meter_set_endpoints(meter, lists[draw(2)]);
        if (draw(100) == 0)
            meter_advance(meter,
                          (struct wall_time){t.now_us + draw(40) * (int64_t)S});
    }
    meter_flush(meter);
    check_sums(meter, packets);
    meter_free(meter);
    endpoint_list_free(lists[0]);
    endpoint_list_free(lists[1]);
}

/* Every address counts: then the sums of each conversation are known. */
static void run_any(unsigned packets)
{
    struct endpoint_list *any = endpoint_list_any();
    struct meter *meter = make_meter(any, 1 + draw(30), 0);
    struct frame f;
    struct sums size;
    for (unsigned i = 0; i < packets; i++) {
        int tuple = make_packet(&f, &size);
        t.now_us += make_pause();
        add_sums(&c.tuples_in[tuple], 1, size.octets, size.payload);
        meter_packet(meter, LINK_ETHERNET, f.bytes, f.length, f.length,
                     (struct wall_time){t.now_us}, draw(3));
    }
    meter_flush(meter);
    check_sums(meter, packets);
    CHECK(memcmp(c.tuples_in, c.tuples_out, sizeof(c.tuples_in)) == 0);
    meter_free(meter);
    endpoint_list_free(any);
}

/* Nothing counts twice. Where the point that owns a direction was silent for the
 * duplicate window within a block, the other may take over by a later packet
 * of that block, and what both saw just before is lost. */
static void check_points(void)
{
    uint64_t in = 0, out = 0;
    for (int i = 0; i < TUPLES; i++) {
        CHECK(c.tuples_out[i].packets <= c.tuples_in[i].packets);
        CHECK(c.tuples_out[i].octets <= c.tuples_in[i].octets);
        in += c.tuples_in[i].packets;
        out += c.tuples_out[i].packets;
    }
    CHECK(out >= in - in / 100);
}

/* Two interfaces see the same; their packets come in blocks, this one's or that
 * one's first. */
static void run_points(unsigned blocks)
{
    enum { BLOCK = 24 };
    static struct frame frames[BLOCK];
    int64_t times[BLOCK];
    struct endpoint_list *any = endpoint_list_any();
    struct meter *meter = make_meter(any, 200, 1000);
    struct sums size;
    for (unsigned i = 0; i < blocks; i++) {
        unsigned first = draw(2), n = 1 + draw(BLOCK);
        t.now_us += draw(5) == 0 ? draw(20) * (int64_t)S : 0;
        for (unsigned k = 0; k < n; k++) {
            int tuple;
            do /* one path, one tag */
                tuple = make_packet(&frames[k], &size);
            while (frames[k].bytes[12] == 0x81);
            times[k] = t.now_us += draw(20) * MS;
            add_sums(&c.tuples_in[tuple], 1, size.octets, size.payload);
        }
        for (unsigned k = 0; k < 2 * n; k++)
            meter_packet(meter, LINK_ETHERNET, frames[k % n].bytes,
                         frames[k % n].length, frames[k % n].length,
                         (struct wall_time){times[k % n]},
                         k < n ? first : 1 - first);
    }
    meter_flush(meter);
    check_points();
    meter_free(meter);
    endpoint_list_free(any);
}

int main(void)
{
    const char *more = getenv("COUNT_ROUNDS");
    unsigned rounds = more != NULL ? (unsigned)strtoul(more, NULL, 10) : 12;
    for (unsigned i = 1; i <= rounds; i++) {
        c.random = 0x9e3779b97f4a7c15u * i;
        test_case("lists exchanged, small tables, times that jump");
        run_lists(1500);
        test_case("every address: the sums of each conversation");
        run_any(1500);
        test_case("two interfaces, block by block");
        run_points(60);
    }
    return test_end();
}
