/* Frames of every link type and layer, hand-made; each also cut at every byte,
 * in a copy of just that size so that the sanitizer sees a read behind it. */
#include "tests/test.h"

#include "meter/decode.h"
#include "tests/meter/packets.h"

static const uint32_t HOST = 0x0a4d0005, SERVER = 0xcb007107;

static void add_tcp(struct frame *f)
{
    frame_ipv4(f, PROTOCOL_TCP, HOST, SERVER, 25, 0x4000);
    frame_tcp(f, 40000, 443, 7, 9, TCP_ACK | TCP_PSH);
    frame_add(f, "hello", 5);
}

static void ethernet(struct frame *f)
{
    frame_ethernet(f, 0x0800);
    add_tcp(f);
    frame_add(f, "\0\0\0\0\0\0", 6); /* padding does not count */
}

static void vlan(struct frame *f)
{
    frame_ethernet(f, 0x8100);
    frame_u16(f, 0x2007);
    frame_u16(f, 0x0800);
    add_tcp(f);
}

static void qinq(struct frame *f)
{
    frame_ethernet(f, 0x88a8);
    frame_u16(f, 7);
    frame_u16(f, 0x8100);
    frame_u16(f, 9);
    frame_u16(f, 0x0800);
    add_tcp(f);
}

static void pppoe(struct frame *f)
{
    frame_ethernet(f, 0x8864);
    frame_u32(f, 0x11000001);
    frame_u16(f, 47);
    frame_u16(f, 0x0021);
    add_tcp(f);
}

static void mpls(struct frame *f)
{
    frame_ethernet(f, 0x8847);
    frame_u32(f, 0x00010040);
    frame_u32(f, 0x00020140);
    add_tcp(f);
}

static void snap(struct frame *f)
{
    frame_ethernet(f, 60);
    frame_add(f, "\xaa\xaa\x03\0\0\0\x08\0", 8);
    add_tcp(f);
}

static void sll(struct frame *f)
{
    f->length = 0;
    frame_add(f, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0", 16);
    add_tcp(f);
}

static void sll2(struct frame *f)
{
    f->length = 0;
    frame_add(f, "\x08\0\0\0\0\0\0\2\0\1\0\6\2\0\0\0\0\1\0\0", 20);
    add_tcp(f);
}

static void raw(struct frame *f)
{
    f->length = 0;
    add_tcp(f);
}

static void loopback(struct frame *f)
{
    f->length = 0;
    frame_add(f, "\2\0\0\0", 4);
    add_tcp(f);
}

static void loop_big_endian(struct frame *f)
{
    f->length = 0;
    frame_u32(f, 2);
    add_tcp(f);
}

static void ppp(struct frame *f)
{
    f->length = 0;
    frame_u32(f, 0xff030021);
    add_tcp(f);
}

static void ipv4_options(struct frame *f)
{
    frame_ethernet(f, 0x0800);
    frame_ipv4(f, PROTOCOL_TCP, HOST, SERVER, 33, 0);
    f->bytes[14] = 0x47; /* 28 bytes of header */
    frame_add(f, "\1\1\1\1\1\1\1\0", 8);
    frame_tcp(f, 40000, 443, 7, 9, TCP_ACK | TCP_PSH);
    frame_add(f, "hello", 5);
}

static void ipv6(struct frame *f)
{
    frame_ethernet(f, 0x86dd);
    frame_ipv6(f, PROTOCOL_TCP, 5, 7, 25);
    frame_tcp(f, 40000, 443, 7, 9, TCP_ACK | TCP_PSH);
    frame_add(f, "hello", 5);
}

static void ipv6_extensions(struct frame *f)
{
    frame_ethernet(f, 0x86dd);
    frame_ipv6(f, 0, 5, 7, 25 + 8 + 16 + 8 + 16);
    frame_add(f, "\x3c\0\1\4\0\0\0\0", 8);                   /* hop by hop */
    frame_add(f, "\x2c\1\1\xc\0\0\0\0\0\0\0\0\0\0\0\0", 16); /* options */
    frame_add(f, "\x33\0\0\0\0\0\0\1", 8);                /* atomic fragment */
    frame_add(f, "\6\2\0\0\0\0\0\1\0\0\0\1\0\0\0\0", 16); /* authentication */
    frame_tcp(f, 40000, 443, 7, 9, TCP_ACK | TCP_PSH);
    frame_add(f, "hello", 5);
}

static const struct {
    const char *name;
    int link;
    void (*make)(struct frame *f);
    uint16_t vlan;
    uint32_t octets;
} good[] = {
    {"Ethernet with padding", LINK_ETHERNET, ethernet, 0, 45},
    {"802.1Q", LINK_ETHERNET, vlan, 7, 45},
    {"QinQ: the outer tag", LINK_ETHERNET, qinq, 7, 45},
    {"PPPoE session", LINK_ETHERNET, pppoe, 0, 45},
    {"MPLS, two labels", LINK_ETHERNET, mpls, 0, 45},
    {"LLC/SNAP", LINK_ETHERNET, snap, 0, 45},
    {"Linux cooked v1", LINK_LINUX_SLL, sll, 0, 45},
    {"Linux cooked v2", LINK_LINUX_SLL2, sll2, 0, 45},
    {"raw IP", LINK_RAW, raw, 0, 45},
    {"IPv4 link", LINK_IPV4, raw, 0, 45},
    {"loopback, host order", LINK_NULL, loopback, 0, 45},
    {"loopback, network order", LINK_LOOP, loop_big_endian, 0, 45},
    {"PPP", LINK_PPP, ppp, 0, 45},
    {"IPv4 options", LINK_ETHERNET, ipv4_options, 0, 53},
    {"IPv6", LINK_ETHERNET, ipv6, 0, 65},
    {"IPv6 extension headers", LINK_ETHERNET, ipv6_extensions, 0, 113},
};

static enum decode_status decode_copy(int link, const struct frame *f,
                                      size_t captured, size_t length,
                                      struct packet *p)
{
    uint8_t *copy = malloc(captured > 0 ? captured : 1);
    memcpy(copy, f->bytes, captured);
    enum decode_status status = decode_packet(link, copy, captured, length, p);
    free(copy);
    return status;
}

static void test_good(void)
{
    struct packet p;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct frame f = {.length = 0};
        test_case(good[i].name);
        good[i].make(&f);
        CHECK_I64(decode_packet(good[i].link, f.bytes, f.length, f.length, &p),
                  DECODE_OK);
        CHECK_I64(p.octets, good[i].octets);
        CHECK_I64(p.vlan, good[i].vlan);
        CHECK_I64(p.protocol, PROTOCOL_TCP);
        CHECK_I64(p.source_port, 40000);
        CHECK_I64(p.destination_port, 443);
        CHECK_I64(p.tcp_flags, TCP_ACK | TCP_PSH);
        CHECK_I64(p.tcp_sequence, 7);
        CHECK_I64(p.payload_length, 5);
        CHECK(p.payload_captured == 5 && memcmp(p.payload, "hello", 5) == 0);
    }
}

/* Cut by the snap length it is truncated, or countable once the ports are
 * there; cut on the wire it is malformed. Never more than what is there. */
static void test_cut(void)
{
    struct packet p;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct frame f = {.length = 0};
        char name[100];
        snprintf(name, sizeof(name), "cut at every byte: %s", good[i].name);
        test_case(name);
        good[i].make(&f);
        size_t padding = good[i].make == ethernet ? 6 : 0;
        for (size_t n = 0; n < f.length - padding; n++) {
            enum decode_status s =
                decode_copy(good[i].link, &f, n, f.length, &p);
            CHECK(s == DECODE_TRUNCATED ||
                  (s == DECODE_OK && p.payload_captured < 5 &&
                   p.payload_length == 5));
            s = decode_copy(good[i].link, &f, n, n, &p);
            CHECK(s == DECODE_HEADER || s == DECODE_LINK);
        }
    }
}

struct change {
    const char *name;
    void (*make)(struct frame *f);
    size_t at;
    uint8_t value;
    enum decode_status status;
};

static const struct change changes[] = {
    {"ARP is not read", ethernet, 13, 0x06, DECODE_LINK},
    {"IP version 5", ethernet, 14, 0x55, DECODE_HEADER},
    {"IPv4 header of 16 bytes", ethernet, 14, 0x44, DECODE_HEADER},
    {"IPv4 header longer than the packet", ethernet, 17, 19, DECODE_HEADER},
    {"IPv4 length past the frame", ethernet, 16, 9, DECODE_HEADER},
    {"TCP header of 16 bytes", ethernet, 46, 0x40, DECODE_HEADER},
    {"TCP header past the packet", ethernet, 46, 0xf0, DECODE_HEADER},
    {"IPv6 length past the frame", ipv6, 18, 9, DECODE_HEADER},
    {"IPv6 extension past the packet", ipv6_extensions, 55, 99, DECODE_HEADER},
    {"no IP behind the labels", mpls, 22, 0x00, DECODE_LINK},
    {"PPPoE of another version", pppoe, 14, 0x21, DECODE_HEADER},
    {"PPP with something else", pppoe, 21, 0x23, DECODE_LINK},
};

static void test_malformed(void)
{
    struct packet p;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct frame f = {.length = 0};
        test_case(changes[i].name);
        changes[i].make(&f);
        f.bytes[changes[i].at] = changes[i].value;
        CHECK_I64(decode_copy(LINK_ETHERNET, &f, f.length, f.length, &p),
                  changes[i].status);
    }
    struct frame f;
    test_case("too many VLAN tags end");
    frame_ethernet(&f, 0x8100);
    for (int i = 0; i < 300; i++)
        frame_u32(&f, 0x00018100);
    CHECK_I64(decode_copy(LINK_ETHERNET, &f, f.length, f.length, &p),
              DECODE_HEADER);
    test_case("too many MPLS labels end");
    frame_ethernet(&f, 0x8847);
    memset(f.bytes + f.length, 0, 1000);
    CHECK_I64(decode_packet(LINK_ETHERNET, f.bytes, 1000, 1000, &p),
              DECODE_HEADER);
    test_case("a link type that is not read");
    CHECK_I64(decode_packet(105, f.bytes, 1000, 1000, &p), DECODE_LINK);
    CHECK(!decode_reads_link_type(105));
    CHECK(decode_reads_link_type(LINK_ETHERNET));
}

static void test_fragments(void)
{
    struct frame f;
    struct packet p;
    test_case("first fragment: ports, and it is one");
    frame_ethernet(&f, 0x0800);
    frame_ipv4(&f, PROTOCOL_UDP, HOST, SERVER, 16, 0x2000);
    frame_udp(&f, 5000, 53, 2000);
    frame_add(&f, "12345678", 8);
    CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &p), DECODE_OK);
    CHECK(p.is_fragment && !p.is_later_fragment);
    CHECK_I64(p.destination_port, 53);
    CHECK_I64(p.payload_length, 8);
    test_case("later fragment: no ports, all payload");
    frame_ethernet(&f, 0x0800);
    frame_ipv4(&f, PROTOCOL_UDP, HOST, SERVER, 16, 0x0002);
    frame_add(&f, "1234567812345678", 16);
    CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &p), DECODE_OK);
    CHECK(p.is_fragment && p.is_later_fragment);
    CHECK_I64(p.destination_port, 0);
    CHECK_I64(p.payload_length, 16);
    CHECK_I64(p.fragment_id, 0x1234);
    test_case("IPv6 later fragment");
    frame_ethernet(&f, 0x86dd);
    frame_ipv6(&f, 44, 5, 7, 16);
    frame_add(&f, "\x11\0\0\x08\0\0\0\x2a", 8);
    frame_add(&f, "12345678", 8);
    CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &p), DECODE_OK);
    CHECK(p.is_later_fragment && p.fragment_id == 42);
    CHECK_I64(p.protocol, PROTOCOL_UDP);
}

static void test_offload(void)
{
    struct frame f;
    struct packet p;
    test_case("super packet: octets from the IP length, past the snap length");
    ethernet(&f);
    frame_put_u16(&f, 16, 40000);
    CHECK_I64(decode_packet(1, f.bytes, 54, 40014, &p), DECODE_OK);
    CHECK_I64(p.octets, 40000);
    CHECK_I64(p.payload_length, 40000 - 40);
    CHECK_I64(p.payload_captured, 0);
    test_case("IPv4 length 0: left to the network card");
    frame_put_u16(&f, 16, 0);
    CHECK_I64(decode_packet(1, f.bytes, 54, 3014, &p), DECODE_OK);
    CHECK_I64(p.octets, 3000);
    test_case("IPv6 length 0: past 64 KiB");
    ipv6(&f);
    frame_put_u16(&f, 18, 0);
    CHECK_I64(decode_packet(1, f.bytes, f.length, 100014, &p), DECODE_OK);
    CHECK_I64(p.octets, 100000);
    test_case("TCP options cut off: still counted");
    ethernet(&f);
    f.bytes[46] = 0x60;
    CHECK_I64(decode_packet(1, f.bytes, 54, f.length, &p), DECODE_OK);
    CHECK_I64(p.payload_length, 1);
    CHECK_I64(p.payload_captured, 0);
}

int main(void)
{
    test_good();
    test_cut();
    test_malformed();
    test_fragments();
    test_offload();
    return test_end();
}
