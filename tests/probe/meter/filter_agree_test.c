/*
 * The kernel filters and the decoder must see the same: thousands of made-up
 * frames, as built, with bytes changed, and cut, go to decode_packet(),
 * decode_inner() and the endpoint list on one side, to the eBPF program
 * (BPF_PROG_TEST_RUN) and the classic program (behind a socket pair) on the
 * other.
 *
 * What is to be counted must pass. What passes must be to be counted, but for
 * what filter.h says: later fragments go by address alone, and lengths are not
 * checked, so that malformed packets come through, not always through both
 * programs. The decoder goes through more labels and extension headers than
 * the programs do; frames of that kind are not built, and changed bytes make
 * one in some hundred thousand, none among these.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "common/wire/endpoint.h"
#include "probe/capture/filter_classic.h"
#include "probe/capture/filter_ebpf.h"
#include "probe/capture/filter_plan.h"
#include "probe/meter/decode.h"
#include "tests/test.h"

static const char registry[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "erp,S,E,203.0.113.0/24,,tcp,443,,,\n"
    "mes,S,M,203.0.113.128/25,,udp,\"4433,8000-8010\",,,\n"
    "any,S,A,198.51.100.7,,,,,,\n"
    "two,S,T,192.0.2.0/28,,,443,,,\n"
    "six,S,6,2001:db8:1::/48,,tcp,443,,,\n"
    "six,S,6,2001:db8:1:2::9,,,,,,\n";

enum { FRAMES = 30000, ROOM = 1024, DUMMY = 14 };

static uint64_t random_state = 88172645463325252u;
static unsigned below(unsigned bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 16) % bound;
}

/* --- frames, from the inside out --- */

struct frame {
    uint8_t bytes[ROOM];
    size_t start; /* up to ROOM */
};

static void front(struct frame *f, const void *data, size_t length)
{
    f->start -= length;
    memcpy(f->bytes + f->start, data, length);
}

static void front_number(struct frame *f, uint64_t value, size_t bytes)
{
    for (; bytes > 0; bytes--, value >>= 8)
        f->bytes[--f->start] = (uint8_t)value;
}

static size_t length_of(const struct frame *f)
{
    return ROOM - f->start;
}

static unsigned some_port(void)
{
    static const uint16_t ports[] = {443,  4433, 8005, 80,   50000,
                                     4789, 8472, 2152, 65535};
    return ports[below(sizeof(ports) / sizeof(ports[0]))];
}

static uint8_t add_transport(struct frame *f)
{
    static const uint8_t protocols[] = {6, 6, 6, 17, 17, 132, 1, 59, 50};
    uint8_t protocol = protocols[below(sizeof(protocols))];
    uint8_t header[20] = {0};
    size_t length = protocol == 6 ? 20 : protocol == 132 ? 12 : 8;
    header[12] = 0x50;
    if (protocol == 17)
        header[5] = (uint8_t)(8 + length_of(f));
    front(f, header + 4, length - 4);
    front_number(f, some_port(), 2);
    front_number(f, some_port(), 2);
    return protocol;
}

static void add_address(struct frame *f, int version)
{
    static const uint32_t v4[] = {0x0a000001, 0x0a000002, 0xcb007105,
                                  0xcb0071c8, 0xc6336407, 0xc6336408,
                                  0xc0000203, 0xc0000210};
    static const uint64_t v6[][2] = {{0x20010db800010000, 5},
                                     {0x20010db800010002, 9},
                                     {0x20010db800010002, 10},
                                     {0x20010db8ffff0000, 1}};
    if (version == 4) {
        front_number(f, v4[below(8)], 4);
        return;
    }
    unsigned i = below(4);
    front_number(f, v6[i][1], 8);
    front_number(f, v6[i][0], 8);
}

static void add_ipv4(struct frame *f, uint8_t protocol)
{
    size_t options = below(4) == 0 ? 4 * below(11) : 0;
    static const uint16_t fragments[] = {0x4000, 0, 0x2000, 0x2005, 0x0100};
    uint8_t pad[40];
    memset(pad, 1, sizeof(pad));
    front(f, pad, options);
    size_t total = 20 + length_of(f);
    add_address(f, 4);
    add_address(f, 4);
    front_number(f, 0, 2);
    front_number(f, protocol, 1);
    front_number(f, 64, 1);
    front_number(f, fragments[below(10) < 8 ? 0 : below(5)], 2);
    front_number(f, 1, 2);
    front_number(f, total, 2);
    front_number(f, 0x4500 + (options / 4 << 8), 2);
}

static void add_ipv6(struct frame *f, uint8_t next)
{
    static const uint8_t kinds[] = {0, 43, 60, 51, 44, 135, 139, 140};
    unsigned extensions = below(3) == 0 ? below(7) : 0;
    for (unsigned i = 0; i < extensions; i++) {
        uint8_t kind = kinds[below(8)];
        uint8_t header[24];
        size_t length = kind == 44 ? 8 : 8 + 8 * below(3);
        /* Not 0: read at a wrong place that would be more options, and more
         * than the kernel's programs go through. */
        memset(header, 0xfe, sizeof(header));
        header[0] = next;
        header[1] = (uint8_t)(kind == 51 ? length / 4 - 2 : length / 8 - 1);
        header[2] = kind == 44 ? 0 : 0xfe;
        if (kind == 44)
            header[3] = (uint8_t)(below(8) == 0 ? 9 : below(2));
        front(f, header, length);
        next = kind;
    }
    size_t payload = length_of(f);
    add_address(f, 6);
    add_address(f, 6);
    front_number(f, 64, 1);
    front_number(f, next, 1);
    front_number(f, payload, 2);
    front_number(f, 0x60000000, 4);
}

/* What is in front of an IP header: its version is given, its ethertype is
 * left in *type. */
static void add_between(struct frame *f, int version, unsigned *type)
{
    *type = version == 4 ? 0x0800 : 0x86dd;
    unsigned choice = below(8), ppp = version == 4 ? 0x21 : 0x57;
    if (choice == 0) { /* MPLS */
        unsigned labels = 1 + below(4);
        for (unsigned i = 0; i < labels; i++)
            front_number(f, 0x00010040 | (i == 0) << 8, 4);
        *type = 0x8847 + below(2);
    } else if (choice == 1) { /* PPPoE */
        front_number(f, ppp, 1 + below(2));
        if (below(2))
            front_number(f, 0xff03, 2);
        front_number(f, length_of(f), 2);
        front_number(f, 0x11000001, 4);
        *type = 0x8864;
    }
}

static void add_ethernet(struct frame *f, unsigned type)
{
    static const uint16_t tags[] = {0x8100, 0x88a8, 0x9100};
    if (below(6) == 0) {
        front_number(f, type, 2);
        front_number(f, 0xaaaa03000000, 6);
        type = (unsigned)length_of(f);
    }
    for (unsigned i = below(3) == 0 ? below(4) : 0; i > 0; i--) {
        front_number(f, type, 2);
        front_number(f, below(4096), 2);
        type = tags[below(3)];
    }
    front_number(f, type, 2);
    front(f, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
}

static void add_pptp(struct frame *f, int version)
{
    front_number(f, version == 4 ? 0x21 : 0x57, 1 + below(2));
    if (below(2))
        front_number(f, 0xff03, 2);
    size_t length = length_of(f);
    unsigned acknowledges = below(2);
    front_number(f, 1, 4 + 4 * acknowledges);
    front_number(f, length << 16 | 5, 4);
    front_number(f, 0x3001880b | acknowledges << 23, 4);
}

static void add_gre(struct frame *f, int version)
{
    unsigned type, flags = below(8);
    if (below(3) == 0) {
        add_pptp(f, version);
        return;
    }
    add_between(f, version, &type);
    if (below(2)) {
        add_ethernet(f, type);
        type = 0x6558;
    }
    for (unsigned i = 0; i < 3; i++)
        if (flags >> i & 1)
            front_number(f, 7, 4);
    front_number(f, type, 2);
    front_number(f, (flags & 1) << 15 | (flags & 2) << 12 | (flags & 4) << 10,
                 2);
}

static void add_udp(struct frame *f, unsigned port)
{
    size_t length = 8 + length_of(f);
    front_number(f, 0, 2);
    front_number(f, length, 2);
    front_number(f, port, 2);
    front_number(f, 50000, 2);
}

static void add_vxlan(struct frame *f, int version)
{
    unsigned type;
    add_between(f, version, &type);
    add_ethernet(f, type);
    front_number(f, 0x1200, 4);
    front_number(f, below(4) ? 0x08000000 : 0x88480007, 4);
    add_udp(f, below(2) ? 4789 : 8472);
}

static void add_gtp(struct frame *f)
{
    unsigned flags = below(3) ? 0 : below(8), type = 0;
    if (flags & 4)
        for (unsigned i = below(5); i > 0; i--) {
            uint8_t header[8] = {(uint8_t)(1 + below(2))};
            header[4 * header[0] - 1] = (uint8_t)type;
            front(f, header, (size_t)4 * header[0]);
            type = 0x85;
        }
    if (flags != 0)
        front_number(f, type, 4);
    size_t length = length_of(f);
    front_number(f, 7, 4);
    front_number(f, length, 2);
    front_number(f, 0x30ffu | flags << 8, 2);
    add_udp(f, 2152);
}

/* Around an IP packet; gives the protocol of what is now in front. */
static uint8_t add_tunnel(struct frame *f, int version)
{
    switch (below(5)) {
    case 0:
        add_gre(f, version);
        return 47;
    case 1:
        add_vxlan(f, version);
        return 17;
    case 2:
        add_gtp(f);
        return 17;
    default:
        return version == 4 ? 4 : 41;
    }
}

static int add_ip(struct frame *f, uint8_t protocol)
{
    int version = below(3) ? 4 : 6;
    if (version == 4)
        add_ipv4(f, protocol);
    else
        add_ipv6(f, protocol);
    return version;
}

/* An IP packet, with another inside in most cases. */
static int make_ip(struct frame *f)
{
    f->start = ROOM;
    front(f, "0123456789", 10);
    int version = add_ip(f, add_transport(f));
    for (unsigned i = below(4); i > 1; i--)
        version = add_ip(f, add_tunnel(f, version));
    return version;
}

static void make_frame(struct frame *f)
{
    unsigned type;
    int version = make_ip(f);
    add_between(f, version, &type);
    add_ethernet(f, type);
}

/* --- what the decoder says --- */

struct verdict {
    bool is_counted; /* must pass */
    bool may_pass;   /* malformed, or by address alone */
};

static struct address address_at(const struct packet *p, const uint8_t *bytes)
{
    struct address a = {.version = p->ip_version};
    memcpy(a.bytes, bytes, p->ip_version == 4 ? 4 : 16);
    return a;
}

static bool is_any_rule(const struct endpoint_list *list,
                        const struct address *a)
{
    for (size_t i = 0; i < endpoint_rule_count(list); i++) {
        struct prefix prefix = endpoint_rule_at(list, i).prefix;
        if (prefix_contains(&prefix, a))
            return true;
    }
    return false;
}

static bool is_registered(const struct endpoint_list *list,
                          const struct packet *p)
{
    struct address from = address_at(p, p->source);
    struct address to = address_at(p, p->destination);
    if (p->is_later_fragment)
        return is_any_rule(list, &from) || is_any_rule(list, &to);
    return endpoint_find(list, &from, p->protocol, p->source_port,
                         wall_from_s(1)) >= 0 ||
           endpoint_find(list, &to, p->protocol, p->destination_port,
                         wall_from_s(1)) >= 0;
}

/* As if the lengths in the headers around the tunnel were not there, and with
 * a malformed packet told from no tunnel. */
static bool passes_without_lengths(const struct endpoint_list *list,
                                   struct packet outer, const uint8_t *end)
{
    struct packet inner;
    outer.is_fragment = true;
    if (outer.protocol == PROTOCOL_UDP)
        outer.protocol = 255;
    if (outer.payload != NULL)
        outer.payload_captured = (uint32_t)(end - outer.payload);
    enum decode_status status = decode_inner(&outer, &inner);
    return status == DECODE_HEADER || status == DECODE_TRUNCATED ||
           (status == DECODE_OK && is_registered(list, &inner));
}

static struct verdict judge(const struct endpoint_list *list, int link,
                            const uint8_t *data, size_t length)
{
    struct verdict v = {false, false};
    struct packet outer, inner;
    enum decode_status status =
        decode_packet(link, data, length, length, &outer);
    if (status != DECODE_OK) {
        v.may_pass = status != DECODE_LINK;
        return v;
    }
    v.is_counted = is_registered(list, &outer);
    status = decode_inner(&outer, &inner);
    if (status == DECODE_OK)
        v.is_counted = v.is_counted || is_registered(list, &inner);
    v.may_pass = v.is_counted || status == DECODE_HEADER ||
                 status == DECODE_TRUNCATED ||
                 passes_without_lengths(list, outer, data + length);
    return v;
}

/* --- what the kernel says --- */

struct gates {
    struct filter_ebpf *ebpf; /* NULL: not allowed here */
    int program;
    int in, out; /* a socket pair with the classic program */
};

static bool gates_open(struct gates *g, const struct filter_plan *plan,
                       enum filter_link link)
{
    struct error_text error = {{0}};
    int pair[2] = {-1, -1};
    *g = (struct gates){.program = -1};
    g->ebpf = filter_ebpf_new(2048, &error);
    if (g->ebpf != NULL) {
        g->program = filter_ebpf_program(g->ebpf, link, &error);
        CHECK(g->program >= 0 && filter_ebpf_fill(g->ebpf, NULL, plan, &error));
    }
    struct filter_classic *classic =
        filter_classic_new(plan, link, 2048, &error);
    bool good =
        CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0) &&
        CHECK(classic != NULL) && CHECK(filter_classic_looks_inside(classic)) &&
        CHECK(filter_classic_attach(classic, pair[1], &error));
    g->in = pair[0];
    g->out = pair[1];
    filter_classic_free(classic);
    return good;
}

static void gates_close(struct gates *g)
{
    filter_ebpf_free(g->ebpf);
    close(g->in);
    close(g->out);
}

static bool passes_classic(const struct gates *g, const uint8_t *data,
                           size_t length)
{
    uint8_t back[ROOM];
    if (send(g->in, data, length, 0) < 0 && errno != EPERM)
        CHECK(false);
    return recv(g->out, back, sizeof(back), 0) > 0;
}

/* The kernel takes an Ethernet header off before it runs a socket filter. */
static bool passes_ebpf(const struct gates *g, unsigned type,
                        const uint8_t *data, size_t length)
{
    uint8_t bytes[DUMMY + ROOM] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    bytes[12] = (uint8_t)(type >> 8);
    bytes[13] = (uint8_t)type;
    memcpy(bytes + DUMMY, data, length);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bytes,
                .data_size_in = (uint32_t)(DUMMY + length), .repeat = 1);
    CHECK(bpf_prog_test_run_opts(g->program, &options) == 0);
    return options.retval != 0;
}

/* --- comparison --- */

struct tally {
    unsigned counted, passed, refused, malformed;
};

static void tell(const char *what, const uint8_t *data, size_t length)
{
    printf("# %s:", what);
    for (size_t i = 0; i < length; i++)
        printf(" %02x", data[i]);
    printf("\n");
}

static void compare(const struct gates *g, const struct endpoint_list *list,
                    enum filter_link link, const uint8_t *data, size_t length,
                    struct tally *tally)
{
    int decoder_link =
        link == FILTER_LINK_RAW ? (int)LINK_RAW : (int)LINK_ETHERNET;
    struct verdict v = judge(list, decoder_link, data, length);
    bool passes = passes_classic(g, data, length);
    if (g->ebpf != NULL && (v.is_counted || !v.may_pass) &&
        !CHECK(passes_ebpf(g, 0x88b5, data, length) == passes))
        tell(passes ? "only classic" : "only eBPF", data, length);
    if (!CHECK(passes || !v.is_counted))
        tell("lost", data, length);
    if (!CHECK(!passes || v.may_pass))
        tell("let through", data, length);
    tally->counted += v.is_counted;
    tally->passed += passes;
    tally->refused += !passes;
    tally->malformed += passes && !v.is_counted;
}

static void change(uint8_t *data, size_t length)
{
    for (unsigned i = 1 + below(2); i > 0; i--) {
        uint8_t *at = &data[below((unsigned)length)];
        *at = below(3) ? (uint8_t)(*at ^ 1u << below(8)) : (uint8_t)below(256);
    }
}

static void run(const struct filter_plan *plan,
                const struct endpoint_list *list, enum filter_link link)
{
    struct gates gates;
    struct tally tally = {0};
    if (!gates_open(&gates, plan, link))
        return;
    for (int i = 0; i < FRAMES; i++) {
        struct frame f;
        if (link == FILTER_LINK_RAW)
            (void)make_ip(&f);
        else
            make_frame(&f);
        size_t length = length_of(&f);
        if (i % 3 == 1)
            change(f.bytes + f.start, length);
        else if (i % 30 == 2)
            length = 1 + below((unsigned)length);
        compare(&gates, list, link, f.bytes + f.start, length, &tally);
    }
    printf("# %u to be counted, %u passed (%u of them malformed), %u refused\n",
           tally.counted, tally.passed, tally.malformed, tally.refused);
    CHECK(tally.counted > FRAMES / 10 && tally.refused > FRAMES / 10);
    CHECK(tally.malformed < FRAMES / 20);
    gates_close(&gates);
}

/* Cooked: the kernel tells the ethertype beside the packet; a socket pair
 * cannot, so eBPF alone. */
static void run_cooked(const struct filter_plan *plan,
                       const struct endpoint_list *list)
{
    struct error_text error = {{0}};
    struct gates gates = {.ebpf = filter_ebpf_new(2048, &error)};
    gates.program = filter_ebpf_program(gates.ebpf, FILTER_LINK_COOKED, &error);
    CHECK(filter_ebpf_fill(gates.ebpf, NULL, plan, &error));
    for (int i = 0; i < FRAMES / 10; i++) {
        struct frame f;
        unsigned type;
        add_between(&f, make_ip(&f), &type);
        size_t length = length_of(&f);
        bool passes = passes_ebpf(&gates, type, f.bytes + f.start, length);
        front_number(&f, type, 2);
        front(&f, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0", 14);
        struct verdict v =
            judge(list, LINK_LINUX_SLL, f.bytes + f.start, length_of(&f));
        if (!CHECK(passes || !v.is_counted) || !CHECK(!passes || v.may_pass))
            tell("cooked", f.bytes + f.start, length_of(&f));
    }
    filter_ebpf_free(gates.ebpf);
}

int main(void)
{
    struct error_text error = {{0}};
    struct endpoint_list *list =
        endpoint_list_parse(slice_of_text(registry), "test.csv", &error);
    struct filter_plan *plan = filter_plan_new(list, wall_from_s(1), &error);
    struct filter_ebpf *ebpf = filter_ebpf_new(2048, &error);
    test_case("Ethernet: decoder and kernel agree");
    run(plan, list, FILTER_LINK_ETHERNET);
    test_case("raw IP: decoder and kernel agree");
    run(plan, list, FILTER_LINK_RAW);
    test_case(ebpf != NULL ? "cooked: decoder and kernel agree"
                           : "cooked # skip no eBPF here");
    if (ebpf != NULL)
        run_cooked(plan, list);
    filter_ebpf_free(ebpf);
    filter_plan_free(plan);
    endpoint_list_free(list);
    return test_end();
}
