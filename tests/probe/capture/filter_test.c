/*
 * Both kernel filters against the endpoint list's own answer.
 *
 * A socket filter runs for every datagram of a Unix socket pair, so the kernel
 * itself judges packets that we write, without root (classic) and without an
 * interface. eBPF needs privileges; without them its cases are skipped.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/wire/endpoint.h"
#include "probe/capture/filter_classic.h"
#include "probe/capture/filter_ebpf.h"
#include "probe/capture/filter_plan.h"
#include "tests/test.h"

#define HEADER                                                                 \
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"     \
    "shared\n"

static const char few[] =
    HEADER "erp,S,E,203.0.113.0/24,,tcp,443,,,\n"
           "mes,S,M,203.0.113.128/25,,udp,4433,,,\n"
           "any,S,A,198.51.100.7,,,,,,\n"
           "mqtt,S,Q,192.0.2.0/28,,tcp,\"8883,9000-9010\",,,\n"
           "six,S,6,2001:db8:1::/48,,tcp,443,,,\n"
           "six,S,6,2001:db8:1:2::9,,udp,,,,\n"
           "wide,S,W,2400::/12,,tcp,443,,,\n";

/* --- packets --- */

struct packet {
    uint8_t bytes[256];
    size_t length;
};

enum layer { PLAIN, ONE_TAG, TWO_TAGS, PPPOE };

static void put(struct packet *p, const void *data, size_t length)
{
    memcpy(p->bytes + p->length, data, length);
    p->length += length;
}

static void put16(struct packet *p, unsigned value)
{
    uint8_t b[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(p, b, 2);
}

static void put_link(struct packet *p, enum layer layer, bool is_ipv6)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    static const uint8_t session[6] = {0x11, 0, 0, 1, 0, 100};
    put(p, macs, 12);
    if (layer == TWO_TAGS) {
        put16(p, 0x88a8);
        put16(p, 7);
    }
    if (layer == ONE_TAG || layer == TWO_TAGS) {
        put16(p, 0x8100);
        put16(p, 8);
    }
    if (layer == PPPOE) {
        put16(p, 0x8864);
        put(p, session, 6);
        put16(p, is_ipv6 ? 0x57 : 0x21);
    } else {
        put16(p, is_ipv6 ? 0x86dd : 0x0800);
    }
}

struct flow_end {
    struct address address;
    uint16_t port;
};

static struct flow_end end_of(const char *text, uint16_t port)
{
    struct flow_end end = {.port = port};
    CHECK(address_from_text(slice_of_text(text), &end.address));
    return end;
}

static struct packet make_packet(struct flow_end from, struct flow_end to,
                                 uint8_t protocol, enum layer layer,
                                 unsigned fragment_offset, int extensions)
{
    struct packet p = {0};
    bool is_ipv6 = from.address.version == 6;
    put_link(&p, layer, is_ipv6);
    if (is_ipv6) {
        uint8_t head[8] = {0x60, 0, 0, 0, 0, 100, extensions ? 0 : protocol, 9};
        if (fragment_offset)
            head[6] = 44;
        put(&p, head, 8);
        put(&p, from.address.bytes, 16);
        put(&p, to.address.bytes, 16);
        for (int i = 0; i < extensions; i++) {
            uint8_t option[16] = {i + 1 < extensions ? 60 : protocol, 1};
            put(&p, option, 16);
        }
        if (fragment_offset) {
            uint8_t fragment[8] = {protocol, 0, (uint8_t)(fragment_offset >> 5),
                                   (uint8_t)(fragment_offset << 3)};
            put(&p, fragment, 8);
        }
    } else {
        uint8_t head[12] = {0x45, 0, 0, 100, 0, 1};
        head[0] = (uint8_t)(0x45 + extensions);
        head[6] = (uint8_t)(fragment_offset >> 8);
        head[7] = (uint8_t)fragment_offset;
        head[8] = 64;
        head[9] = protocol;
        put(&p, head, 12);
        put(&p, from.address.bytes, 4);
        put(&p, to.address.bytes, 4);
        for (int i = 0; i < extensions; i++)
            put(&p, "\1\1\1\1", 4);
    }
    put16(&p, from.port);
    put16(&p, to.port);
    put(&p, "0123456789abcdef", 16);
    return p;
}

/* --- a filter behind a socket pair --- */

struct gate {
    int in, out;
    struct filter_ebpf *ebpf;
};

static bool gate_open(struct gate *gate)
{
    int pair[2];
    *gate = (struct gate){-1, -1, NULL};
    if (!CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0))
        return false;
    gate->in = pair[0];
    gate->out = pair[1];
    return true;
}

static void gate_close(struct gate *gate)
{
    close(gate->in);
    close(gate->out);
    filter_ebpf_free(gate->ebpf);
}

static bool passes(const struct gate *gate, const struct packet *p)
{
    uint8_t back[256];
    if (send(gate->in, p->bytes, p->length, 0) < 0 && errno != EPERM)
        CHECK(false);
    return recv(gate->out, back, sizeof(back), 0) > 0;
}

static bool load_classic(struct gate *gate, const struct filter_plan *plan)
{
    struct error_text error = {{0}};
    struct filter_classic *f =
        filter_classic_new(plan, FILTER_LINK_ETHERNET, 2048, &error);
    bool good = f != NULL && filter_classic_attach(f, gate->out, &error);
    if (!good)
        printf("# %s\n", error.text);
    filter_classic_free(f);
    return good;
}

static bool load_ebpf(struct gate *gate, const struct filter_plan *plan)
{
    struct error_text error = {{0}};
    gate->ebpf = filter_ebpf_new(2048, &error);
    bool good = gate->ebpf != NULL &&
                filter_ebpf_attach(gate->ebpf, FILTER_LINK_ETHERNET, gate->out,
                                   &error) &&
                filter_ebpf_fill(gate->ebpf, NULL, plan, &error);
    if (!good)
        printf("# %s\n", error.text);
    return good;
}

typedef bool load_fn(struct gate *gate, const struct filter_plan *plan);

/* --- cases --- */

static const struct probe_case {
    const char *name, *from, *to;
    uint16_t from_port, to_port;
    uint8_t protocol;
    enum layer layer;
    unsigned fragment;
    int extensions;
    bool passes;
} cases[] = {
    {"registered", "10.0.0.1", "203.0.113.1", 5000, 443, 6, PLAIN, 0, 0, true},
    {"answer", "203.0.113.1", "10.0.0.1", 443, 5000, 6, PLAIN, 0, 0, true},
    {"wrong port", "10.0.0.1", "203.0.113.1", 5000, 80, 6, PLAIN, 0, 0, false},
    {"port of the wrong side", "10.0.0.1", "203.0.113.1", 443, 5000, 6, PLAIN,
     0, 0, false},
    {"wrong protocol", "10.0.0.1", "203.0.113.1", 5000, 443, 17, PLAIN, 0, 0,
     false},
    {"nested prefix", "10.0.0.1", "203.0.113.200", 5000, 4433, 17, PLAIN, 0, 0,
     true},
    {"rule of the wider prefix", "10.0.0.1", "203.0.113.200", 5000, 443, 6,
     PLAIN, 0, 0, true},
    {"nested rule outside", "10.0.0.1", "203.0.113.100", 5000, 4433, 17, PLAIN,
     0, 0, false},
    {"before the prefix", "10.0.0.1", "203.0.112.255", 5000, 443, 6, PLAIN, 0,
     0, false},
    {"after the prefix", "10.0.0.1", "203.0.114.0", 5000, 443, 6, PLAIN, 0, 0,
     false},
    {"any protocol", "10.0.0.1", "198.51.100.7", 0, 0, 1, PLAIN, 0, 0, true},
    {"any port", "10.0.0.1", "198.51.100.7", 1, 65535, 17, PLAIN, 0, 0, true},
    {"ICMP to a tcp rule", "10.0.0.1", "203.0.113.1", 0, 0, 1, PLAIN, 0, 0,
     false},
    {"port range", "10.0.0.1", "192.0.2.3", 1, 9005, 6, PLAIN, 0, 0, true},
    {"past the range", "10.0.0.1", "192.0.2.3", 1, 9011, 6, PLAIN, 0, 0, false},
    {"VLAN", "10.0.0.1", "203.0.113.1", 1, 443, 6, ONE_TAG, 0, 0, true},
    {"VLAN, other", "10.0.0.1", "203.0.110.1", 1, 443, 6, ONE_TAG, 0, 0, false},
    {"QinQ", "10.0.0.1", "203.0.113.1", 1, 443, 6, TWO_TAGS, 0, 0, true},
    {"PPPoE", "10.0.0.1", "203.0.113.1", 1, 443, 6, PPPOE, 0, 0, true},
    {"PPPoE, other", "10.0.0.1", "203.0.113.1", 1, 444, 6, PPPOE, 0, 0, false},
    {"later fragment", "10.0.0.1", "203.0.113.1", 0, 0, 6, PLAIN, 100, 0, true},
    {"later fragment, other", "10.0.0.1", "8.8.8.8", 0, 0, 6, PLAIN, 100, 0,
     false},
    {"IPv4 options", "10.0.0.1", "203.0.113.1", 1, 443, 6, PLAIN, 0, 5, true},
    {"IPv4 options, port", "10.0.0.1", "203.0.113.1", 1, 80, 6, PLAIN, 0, 5,
     false},
    {"IPv6", "2001:db8:ffff::1", "2001:db8:1::5", 1, 443, 6, PLAIN, 0, 0, true},
    {"IPv6 answer", "2001:db8:1::5", "2001:db8:ffff::1", 443, 1, 6, ONE_TAG, 0,
     0, true},
    {"IPv6 other", "2001:db8:ffff::1", "2001:db8:2::5", 1, 443, 6, PLAIN, 0, 0,
     false},
    {"IPv6 just before", "2001:db8:ffff::1", "2001:db8:0:ffff::", 1, 443, 6,
     PLAIN, 0, 0, false},
    {"IPv6 host", "2001:db8:ffff::1", "2001:db8:1:2::9", 1, 77, 17, PLAIN, 0, 0,
     true},
    {"IPv6 next host", "2001:db8:ffff::1", "2001:db8:1:2::a", 1, 77, 17, PLAIN,
     0, 0, false},
    {"IPv6 short prefix", "2001:db8:ffff::1", "240f:ffff::1", 1, 443, 6, PLAIN,
     0, 0, true},
    {"IPv6 past the short prefix", "2001:db8:ffff::1", "2410::1", 1, 443, 6,
     PLAIN, 0, 0, false},
    {"IPv6 options", "2001:db8:ffff::1", "2001:db8:1::5", 1, 443, 6, PLAIN, 0,
     3, true},
    {"IPv6 options, port", "2001:db8:ffff::1", "2001:db8:1::5", 1, 80, 6, PLAIN,
     0, 3, false},
    {"IPv6 too many options", "2001:db8:ffff::1", "2001:db8:1::5", 1, 443, 6,
     PLAIN, 0, 7, false},
    {"IPv6 later fragment", "2001:db8:ffff::1", "2001:db8:1::5", 0, 0, 6, PLAIN,
     9, 0, true},
    {"IPv6 later fragment, other", "2001:db8:ffff::1", "2001:db8:9::5", 0, 0, 6,
     PLAIN, 9, 0, false},
};

static struct filter_plan *plan_at(const char *text, int64_t when_s,
                                   struct endpoint_list **list)
{
    struct error_text error = {{0}};
    *list = endpoint_list_parse(slice_of_text(text), "test.csv", &error);
    struct filter_plan *plan = NULL;
    if (CHECK(*list != NULL))
        plan = filter_plan_new(*list, wall_from_s(when_s), &error);
    if (!CHECK(plan != NULL))
        printf("# %s\n", error.text);
    return plan;
}

static struct filter_plan *plan_of(const char *text,
                                   struct endpoint_list **list)
{
    return plan_at(text, 1, list);
}

static void run_cases(const struct gate *gate)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct probe_case *c = &cases[i];
        struct packet p = make_packet(end_of(c->from, c->from_port),
                                      end_of(c->to, c->to_port), c->protocol,
                                      c->layer, c->fragment, c->extensions);
        if (!CHECK(passes(gate, &p) == c->passes))
            printf("# case: %s\n", c->name);
    }
}

/* Every cut of a packet: no cut may pass that lacks its ports, and nothing
 * crashes; the whole one passes. */
static void run_truncated(const struct gate *gate)
{
    struct packet p = make_packet(
        end_of("10.0.0.1", 1), end_of("203.0.113.1", 443), 6, TWO_TAGS, 0, 2);
    size_t ports_end = 14 + 8 + 20 + 8 + 4;
    for (size_t length = 1; length <= p.length; length++) {
        struct packet cut = p;
        cut.length = length;
        if (!CHECK(passes(gate, &cut) == (length >= ports_end)))
            printf("# cut at %zu\n", length);
    }
}

static uint64_t random_state = 88172645463325252u;
static uint32_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

/* A registry of `count` prefixes from 20 bits down, both families. */
static void random_registry(struct buffer *out, int count)
{
    static const char *const ports[] = {"443", "8883", "443,8000-8100", ""};
    static const char *const protocols[] = {"tcp", "udp", ""};
    buffer_init(out, 1 << 24);
    buffer_add_text(out, HEADER);
    for (int i = 0; i < count; i++) {
        struct address a = {.version = i % 4 == 3 ? 6 : 4};
        uint8_t length = (uint8_t)(a.version == 4 ? 20 + next_random() % 13
                                                  : 30 + next_random() % 99);
        for (int b = 0; b < (a.version == 4 ? 4 : 16); b++)
            a.bytes[b] = (uint8_t)(next_random() & (b < 1 ? 0x03 : 0xff));
        for (int bit = length; bit < (a.version == 4 ? 32 : 128); bit++)
            a.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
        char text[ADDRESS_TEXT_LEN];
        address_to_text(&a, text);
        buffer_addf(out, "e%d,S,V,%s/%u,,%s,\"%s\",,,\n", i, text, length,
                    protocols[next_random() % 3], ports[next_random() % 4]);
    }
    buffer_add_u8(out, 0);
}

/* Addresses near registered prefixes: at the first, before, inside, after. */
static struct address near_prefix(const struct endpoint_list *list)
{
    size_t count = endpoint_rule_count(list);
    struct address a =
        endpoint_rule_at(list, next_random() % count).prefix.address;
    int last = a.version == 4 ? 3 : 15;
    int byte = last - (int)(next_random() % 3);
    if (next_random() % 2)
        a.bytes[byte] = (uint8_t)(a.bytes[byte] + next_random() % 3 - 1);
    return a;
}

static struct address any_address(int version)
{
    struct address a = {.version = (uint8_t)version};
    for (int b = 0; b < (version == 4 ? 4 : 16); b++)
        a.bytes[b] = (uint8_t)next_random();
    a.bytes[0] |= 0x80;
    return a;
}

static void run_random(load_fn *load, int prefixes, int packets)
{
    static const uint16_t ports[] = {443, 8883, 8000, 8100, 8101, 80, 0};
    static const uint8_t protocols[] = {6, 17, 1};
    struct buffer text;
    struct endpoint_list *list;
    struct gate gate;
    random_registry(&text, prefixes);
    struct filter_plan *plan = plan_of((const char *)text.data, &list);
    if (plan == NULL || !gate_open(&gate))
        return;
    int passed = 0;
    if (CHECK(load(&gate, plan))) {
        for (int i = 0; i < packets; i++) {
            struct flow_end far_end = {near_prefix(list),
                                       ports[next_random() % 7]};
            struct flow_end near_end = {any_address(far_end.address.version),
                                        50000};
            uint8_t protocol = protocols[next_random() % 3];
            bool want = endpoint_find(list, &far_end.address, protocol,
                                      protocol == 1 ? 0 : far_end.port,
                                      wall_from_s(1)) >= 0;
            struct packet p =
                next_random() % 2
                    ? make_packet(near_end, far_end, protocol, PLAIN, 0, 0)
                    : make_packet(far_end, near_end, protocol, ONE_TAG, 0, 0);
            CHECK(passes(&gate, &p) == want);
            passed += want;
        }
        CHECK(passed > packets / 20 && passed < packets);
    }
    gate_close(&gate);
    filter_plan_free(plan);
    endpoint_list_free(list);
    buffer_clear(&text);
}

static void run_empty(load_fn *load)
{
    struct endpoint_list *list;
    struct filter_plan *plan = plan_of(HEADER, &list);
    struct gate gate;
    if (plan == NULL || !gate_open(&gate))
        return;
    if (CHECK(load(&gate, plan))) {
        struct packet p = make_packet(
            end_of("10.0.0.1", 1), end_of("203.0.113.1", 443), 6, PLAIN, 0, 0);
        CHECK(!passes(&gate, &p));
        p = make_packet(end_of("0.0.0.0", 0), end_of("255.255.255.255", 0), 17,
                        PLAIN, 0, 0);
        CHECK(!passes(&gate, &p));
    }
    gate_close(&gate);
    filter_plan_free(plan);
    endpoint_list_free(list);
}

static void run_table(load_fn *load, bool truncated)
{
    struct endpoint_list *list;
    struct filter_plan *plan = plan_of(few, &list);
    struct gate gate;
    if (plan == NULL || !gate_open(&gate))
        return;
    if (CHECK(load(&gate, plan))) {
        if (truncated)
            run_truncated(&gate);
        else
            run_cases(&gate);
    }
    gate_close(&gate);
    filter_plan_free(plan);
    endpoint_list_free(list);
}

static void test_plan(void)
{
    struct endpoint_list *list;
    struct filter_plan *plan = plan_of(few, &list);
    test_case("plan: nested prefixes inherit, equal sets are kept once");
    CHECK_I64(filter_plan_set_count(plan), 5);
    CHECK_I64(prefix_map_count(filter_plan_map(plan)), 7);
    filter_plan_free(plan);
    endpoint_list_free(list);
}

static void test_too_long(void)
{
    struct buffer text;
    struct endpoint_list *list;
    struct error_text error = {{0}};
    test_case("classic: what does not fit is refused with a sentence");
    random_registry(&text, 5000);
    struct filter_plan *plan = plan_of((const char *)text.data, &list);
    CHECK(filter_classic_new(plan, FILTER_LINK_ETHERNET, 64, &error) == NULL);
    CHECK(strstr(error.text, "the kernel takes 4096") != NULL);
    filter_plan_free(plan);
    endpoint_list_free(list);
    buffer_clear(&text);
}

static void test_counters(void)
{
    struct endpoint_list *list;
    struct filter_plan *plan = plan_of(few, &list);
    struct gate gate;
    test_case("eBPF: seen, matched and refused packets and octets are counted");
    if (plan == NULL || !gate_open(&gate))
        return;
    if (CHECK(load_ebpf(&gate, plan))) {
        struct packet good = make_packet(
            end_of("10.0.0.1", 1), end_of("203.0.113.1", 443), 6, PLAIN, 0, 0);
        struct packet bad = make_packet(
            end_of("10.0.0.1", 1), end_of("203.0.113.1", 80), 6, PLAIN, 0, 0);
        for (int i = 0; i < 5; i++) {
            CHECK(passes(&gate, &good));
            CHECK(!passes(&gate, &bad));
            CHECK(!passes(&gate, &bad));
        }
        struct filter_ebpf_counters c = filter_ebpf_counters(gate.ebpf);
        CHECK_I64(c.seen_packets, 15);
        CHECK_I64(c.matched_packets, 5);
        CHECK_I64(c.seen_octets, 15 * good.length);
        CHECK_I64(c.matched_octets, 5 * good.length);
    }
    gate_close(&gate);
    filter_plan_free(plan);
    endpoint_list_free(list);
}

/* Validities in seconds of 2001-09-09T01:46:40Z = 1000000000. */
static const char changing[] =
    HEADER "old,S,O,203.0.113.0/24,,tcp,443,,2001-09-09T01:46:40Z,\n"
           "new,S,N,203.0.113.0/25,,tcp,8443,2001-09-09T01:46:40Z,,\n"
           "six,S,6,2001:db8::/32,,,,2001-09-09T01:46:40Z,"
           "2001-09-09T01:48:20Z,\n"
           "ever,S,E,198.51.100.7,,tcp,443,,,\n";

static const struct {
    const char *to;
    uint16_t port;
    bool passes[3]; /* before, while six is valid, after */
} validities[] = {
    {"203.0.113.1", 443, {true, false, false}},
    {"203.0.113.200", 443, {true, false, false}},
    {"203.0.113.1", 8443, {false, true, true}},
    {"203.0.113.200", 8443, {false, false, false}},
    {"2001:db8::1", 77, {false, true, false}},
    {"198.51.100.7", 443, {true, true, true}},
};

static void check_validities(const struct gate *gate, int when)
{
    for (size_t i = 0; i < sizeof(validities) / sizeof(validities[0]); i++) {
        bool is_ipv6 = strchr(validities[i].to, ':') != NULL;
        struct flow_end from = end_of(is_ipv6 ? "2400::1" : "10.0.0.1", 5000);
        struct flow_end to = end_of(validities[i].to, validities[i].port);
        struct packet p = make_packet(from, to, 6, PLAIN, 0, 0);
        if (!CHECK(passes(gate, &p) == validities[i].passes[when]))
            printf("# %s at time %d\n", validities[i].to, when);
    }
}

static const int64_t change_times[] = {999999999, 1000000000, 1000000100};

static void run_validity(load_fn *load)
{
    for (int i = 0; i < 3; i++) {
        struct endpoint_list *list;
        struct filter_plan *plan = plan_at(changing, change_times[i], &list);
        struct gate gate;
        if (plan == NULL || !gate_open(&gate))
            return;
        if (CHECK(load(&gate, plan)))
            check_validities(&gate, i);
        gate_close(&gate);
        filter_plan_free(plan);
        endpoint_list_free(list);
    }
}

static void test_steady(void)
{
    struct endpoint_list *list;
    struct wall_time from, to;
    filter_plan_free(plan_of(changing, &list));
    test_case("between which times the same endpoints are valid");
    endpoint_list_steady(list, wall_from_s(999999999), &from, &to);
    CHECK(from.us == INT64_MIN && to.us == 1000000000000000);
    endpoint_list_steady(list, to, &from, &to);
    CHECK(from.us == 1000000000000000 && to.us == 1000000100000000);
    endpoint_list_steady(list, to, &from, &to);
    CHECK(from.us == 1000000100000000 && to.us == INT64_MAX);
    endpoint_list_free(list);
}

/* Forth and back, as a clock may go; the program stays attached. */
static void test_refill(void)
{
    static const int order[] = {0, 1, 2, 0, 2, 1, 0};
    struct endpoint_list *lists[3];
    struct filter_plan *plans[3];
    struct error_text error;
    struct gate gate;
    test_case("eBPF: the maps follow when validities begin and end");
    for (int i = 0; i < 3; i++)
        plans[i] = plan_at(changing, change_times[i], &lists[i]);
    if (!gate_open(&gate))
        return;
    if (CHECK(load_ebpf(&gate, plans[0])))
        for (size_t i = 1; i < sizeof(order) / sizeof(order[0]); i++) {
            CHECK(filter_ebpf_fill(gate.ebpf, plans[order[i - 1]],
                                   plans[order[i]], &error));
            check_validities(&gate, order[i]);
        }
    gate_close(&gate);
    for (int i = 0; i < 3; i++) {
        filter_plan_free(plans[i]);
        endpoint_list_free(lists[i]);
    }
}

/* --- another list takes over --- */

static struct filter_plan *counted_plan(int from, int count, int sets,
                                        struct endpoint_list **list)
{
    struct buffer text;
    buffer_init(&text, 1 << 24);
    buffer_add_text(&text, HEADER "keep,S,K,203.0.113.7,,tcp,443,,,\n");
    for (int i = from; i < from + count; i++)
        buffer_addf(&text, "e%d,S,V,%d.%d.%d.0/24,,tcp,\"%d,%d\",,,\n", i,
                    20 + i / 65536, i / 256 % 256, i % 256, 1000 + i % sets,
                    5000);
    buffer_add_u8(&text, 0);
    struct filter_plan *plan = plan_of((const char *)text.data, list);
    buffer_clear(&text);
    return plan;
}

static bool passes_to(const struct gate *gate, const char *to, uint16_t port)
{
    struct packet p = make_packet(end_of("10.0.0.1", 50000), end_of(to, port),
                                  6, PLAIN, 0, 0);
    return passes(gate, &p);
}

/* The list grows by far and shrinks again; thousands of port sets. */
static void test_growth(void)
{
    enum { STEPS = 4, SETS = 1500 };
    static const struct {
        int from, count;
    } steps[STEPS] = {{0, 10}, {0, 100000}, {50000, 5000}, {3, 1}};
    struct endpoint_list *lists[STEPS];
    struct filter_plan *plans[STEPS];
    struct error_text error = {{0}};
    struct gate gate;
    test_case("eBPF: a list of 10 prefixes becomes one of 100,000 and back");
    for (int i = 0; i < STEPS; i++)
        plans[i] = counted_plan(steps[i].from, steps[i].count, SETS, &lists[i]);
    if (gate_open(&gate) && CHECK(load_ebpf(&gate, plans[0])))
        for (int i = 1; i < STEPS; i++) {
            if (!CHECK(filter_ebpf_fill(gate.ebpf, plans[i - 1], plans[i],
                                        &error)))
                printf("# %s\n", error.text);
            CHECK(passes_to(&gate, "203.0.113.7", 443));
            CHECK(!passes_to(&gate, "203.0.113.7", 1000));
            CHECK(passes_to(&gate, "20.0.0.1", 5000) == (steps[i].from == 0));
            CHECK(passes_to(&gate, "20.255.255.1", 1000 + 65535 % SETS) ==
                  (steps[i].count > 20000));
            CHECK(!passes_to(&gate, "20.255.255.1", 999));
            CHECK(passes_to(&gate, "20.0.3.1", 1003) == (steps[i].from <= 3));
        }
    gate_close(&gate);
    for (int i = 0; i < STEPS; i++) {
        filter_plan_free(plans[i]);
        endpoint_list_free(lists[i]);
    }
}

struct sender {
    const struct gate *gate;
    atomic_bool stops;
    unsigned sent, lost;
};

static void *send_all_the_time(void *context)
{
    struct sender *s = context;
    struct packet p = make_packet(end_of("10.0.0.1", 50000),
                                  end_of("203.0.113.7", 443), 6, PLAIN, 0, 0);
    while (!atomic_load(&s->stops)) {
        s->lost += !passes(s->gate, &p);
        s->sent++;
    }
    return NULL;
}

/* The filter runs while the maps change: not one packet of what is in both
 * lists may be lost. */
static void test_no_gap(void)
{
    struct endpoint_list *lists[2];
    struct filter_plan *plans[2] = {counted_plan(0, 4000, 20, &lists[0]),
                                    counted_plan(2000, 4000, 30, &lists[1])};
    struct error_text error = {{0}};
    struct gate gate;
    pthread_t thread;
    test_case("eBPF: what is in both lists passes throughout");
    if (gate_open(&gate) && CHECK(load_ebpf(&gate, plans[0]))) {
        struct sender sender = {.gate = &gate};
        CHECK(pthread_create(&thread, NULL, send_all_the_time, &sender) == 0);
        for (int i = 0; i < 10; i++)
            CHECK(filter_ebpf_fill(gate.ebpf, plans[i % 2], plans[(i + 1) % 2],
                                   &error));
        atomic_store(&sender.stops, true);
        pthread_join(thread, NULL);
        printf("# %u sent, %u lost\n", sender.sent, sender.lost);
        CHECK(sender.sent > 100);
        CHECK_I64(sender.lost, 0);
    }
    gate_close(&gate);
    for (int i = 0; i < 2; i++) {
        filter_plan_free(plans[i]);
        endpoint_list_free(lists[i]);
    }
}

/* Says why eBPF cannot be tested here, or gives true. Whether the kernel takes
 * the programs is not asked: that is tested. */
static bool has_ebpf(struct error_text *error)
{
    struct filter_ebpf *f = filter_ebpf_new(2048, error);
    filter_ebpf_free(f);
    return f != NULL;
}

static void test_programs(void)
{
    struct error_text error = {{0}};
    struct filter_ebpf *f = filter_ebpf_new(2048, &error);
    test_case("eBPF: the kernel takes the program for every link");
    for (int link = 0; link < FILTER_LINKS; link++)
        if (!CHECK(filter_ebpf_program(f, (enum filter_link)link, &error) >= 0))
            printf("# link %d: %s\n", link, error.text);
    filter_ebpf_free(f);
}

/* How far tunnels reach: a longer list gets a program without them. */
static void test_classic_room(void)
{
    static const struct {
        int prefixes;
        bool looks_inside;
    } cases_of_room[] = {{300, true}, {700, false}};
    for (int i = 0; i < 2; i++) {
        struct endpoint_list *list;
        struct error_text error = {{0}};
        test_case(i == 0 ? "classic: room for tunnels with 300 prefixes"
                         : "classic: 700 prefixes fit without tunnels");
        struct buffer text;
        buffer_init(&text, 1 << 20);
        buffer_add_text(&text, HEADER);
        for (int k = 0; k < cases_of_room[i].prefixes; k++)
            buffer_addf(&text, "e%d,S,V,20.%d.%d.0/24,,tcp,443,,,\n", k,
                        k / 100, 2 * (k % 100));
        buffer_add_u8(&text, 0);
        struct filter_plan *plan = plan_of((const char *)text.data, &list);
        struct filter_classic *f =
            filter_classic_new(plan, FILTER_LINK_ETHERNET, 64, &error);
        if (CHECK(f != NULL))
            CHECK(filter_classic_looks_inside(f) ==
                  cases_of_room[i].looks_inside);
        printf("# %zu instructions %s\n",
               f != NULL ? filter_classic_length(f) : 0, error.text);
        filter_classic_free(f);
        filter_plan_free(plan);
        endpoint_list_free(list);
        buffer_clear(&text);
    }
}

int main(void)
{
    struct error_text error = {{0}};
    test_plan();
    test_case("classic: table of packets");
    run_table(load_classic, false);
    test_case("classic: cut packets");
    run_table(load_classic, true);
    test_case("classic: nothing registered, nothing passes");
    run_empty(load_classic);
    test_case("classic: random prefixes agree with the endpoint list");
    run_random(load_classic, 60, 20000);
    run_random(load_classic, 300, 20000);
    test_too_long();
    test_classic_room();
    test_steady();
    test_case("classic: endpoints that are not valid are refused");
    run_validity(load_classic);
    if (!has_ebpf(&error)) {
        char name[sizeof(error.text) + 32];
        snprintf(name, sizeof(name), "eBPF # skip %s", error.text);
        test_case(name);
        return test_end();
    }
    test_programs();
    test_case("eBPF: table of packets");
    run_table(load_ebpf, false);
    test_case("eBPF: cut packets");
    run_table(load_ebpf, true);
    test_case("eBPF: nothing registered, nothing passes");
    run_empty(load_ebpf);
    test_case("eBPF: random prefixes agree with the endpoint list");
    run_random(load_ebpf, 60, 20000);
    run_random(load_ebpf, 5000, 20000);
    test_case("eBPF: endpoints that are not valid are refused");
    run_validity(load_ebpf);
    test_refill();
    test_growth();
    test_no_gap();
    test_counters();
    return test_end();
}
