/* Frames of every link type and layer, hand-made; each also cut at every byte,
 * in a copy of just that size so that the sanitizer sees a read behind it. */
#include "tests/test.h"

#include "probe/meter/decode.h"
#include "tests/probe/meter/packets.h"

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

static void vlan_snap(struct frame *f)
{
    frame_ethernet(f, 0x8100);
    frame_u16(f, 7);
    frame_u16(f, 60);
    frame_add(f, "\xaa\xaa\x03\0\0\0\x08\0", 8);
    add_tcp(f);
}

static void sll_snap(struct frame *f)
{
    f->length = 0;
    frame_add(f, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\0\4", 16);
    frame_add(f, "\xaa\xaa\x03\0\0\0\x08\0", 8);
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
    {"VLAN around LLC/SNAP", LINK_ETHERNET, vlan_snap, 7, 45},
    {"Linux cooked v1", LINK_LINUX_SLL, sll, 0, 45},
    {"Linux cooked v1 with LLC/SNAP", LINK_LINUX_SLL, sll_snap, 0, 45},
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

/* --- tunnels --- */

static const uint32_t NEAR = 0x0a000001, FAR = 0x0a000002;

static void outer_ipv4(struct frame *f, unsigned protocol, size_t payload)
{
    frame_ethernet(f, 0x8100);
    frame_u16(f, 3);
    frame_u16(f, 0x0800);
    frame_ipv4(f, protocol, NEAR, FAR, payload, 0);
}

static void inner_ethernet(struct frame *f)
{
    frame_add(f, "\2\0\0\0\0\1\2\0\0\0\0\2\x81\0\0\x09\x08\0", 18);
    add_tcp(f);
}

static void ip_in_ip(struct frame *f)
{
    outer_ipv4(f, 4, 45);
    add_tcp(f);
}

static void sixin4(struct frame *f)
{
    outer_ipv4(f, 41, 65);
    frame_ipv6(f, PROTOCOL_TCP, 5, 7, 25);
    frame_tcp(f, 40000, 443, 7, 9, TCP_ACK | TCP_PSH);
    frame_add(f, "hello", 5);
}

static void fourin6(struct frame *f)
{
    frame_ethernet(f, 0x86dd);
    frame_ipv6(f, 4, 1, 2, 45);
    add_tcp(f);
}

static void sixin6(struct frame *f)
{
    frame_ethernet(f, 0x86dd);
    frame_ipv6(f, 41, 1, 2, 65);
    frame_ipv6(f, PROTOCOL_TCP, 5, 7, 25);
    frame_tcp(f, 40000, 443, 7, 9, TCP_ACK | TCP_PSH);
    frame_add(f, "hello", 5);
}

static void gre(struct frame *f)
{
    outer_ipv4(f, 47, 4 + 45);
    frame_u32(f, 0x00000800);
    add_tcp(f);
}

static void gre_all(struct frame *f) /* checksum, key, sequence number */
{
    outer_ipv4(f, 47, 16 + 45);
    frame_u32(f, 0xb0000800);
    frame_u32(f, 0x12340000);
    frame_u32(f, 99);
    frame_u32(f, 1);
    add_tcp(f);
}

static void gre_bridged(struct frame *f)
{
    outer_ipv4(f, 47, 8 + 18 + 45);
    frame_u32(f, 0x20006558);
    frame_u32(f, 77);
    inner_ethernet(f);
}

static void gre_mpls(struct frame *f)
{
    outer_ipv4(f, 47, 4 + 4 + 45);
    frame_u32(f, 0x00008847);
    frame_u32(f, 0x00020140);
    add_tcp(f);
}

static void pptp(struct frame *f)
{
    outer_ipv4(f, 47, 16 + 4 + 45);
    frame_u32(f, 0x3081880b);
    frame_u32(f, (4 + 45) << 16 | 5);
    frame_u32(f, 1);
    frame_u32(f, 2);
    frame_u32(f, 0xff030021);
    add_tcp(f);
}

static void pptp_short(struct frame *f) /* compressed, not acknowledging */
{
    outer_ipv4(f, 47, 12 + 1 + 45);
    frame_u32(f, 0x3001880b);
    frame_u32(f, (1 + 45) << 16 | 5);
    frame_u32(f, 1);
    frame_u8(f, 0x21);
    add_tcp(f);
}

static void vxlan_to(struct frame *f, unsigned port)
{
    outer_ipv4(f, PROTOCOL_UDP, 8 + 8 + 18 + 45);
    frame_udp(f, 50000, port, 8 + 18 + 45);
    frame_u32(f, 0x08000000);
    frame_u32(f, 0x00001200);
    inner_ethernet(f);
}

static void vxlan(struct frame *f)
{
    vxlan_to(f, 4789);
}

static void vxlan_old(struct frame *f)
{
    vxlan_to(f, 8472);
}

static void gtp(struct frame *f)
{
    outer_ipv4(f, PROTOCOL_UDP, 8 + 8 + 45);
    frame_udp(f, 2152, 2152, 8 + 45);
    frame_gtp(f, 0, 45);
    add_tcp(f);
}

static void gtp_extension(struct frame *f) /* as on N3 of 5G */
{
    outer_ipv4(f, PROTOCOL_UDP, 8 + 8 + 4 + 4 + 45);
    frame_udp(f, 2152, 2152, 8 + 8 + 45);
    frame_gtp(f, 4, 8 + 45);
    frame_u32(f, 0x00000085);
    frame_u32(f, 0x01100900);
    add_tcp(f);
}

static const struct tunnel {
    const char *name;
    void (*make)(struct frame *f);
    uint16_t vlan;
    uint32_t octets;
    size_t header; /* where the innermost IP header begins */
} tunnels[] = {
    {"IP in IP", ip_in_ip, 3, 45, 38},
    {"6in4", sixin4, 3, 65, 38},
    {"4in6", fourin6, 0, 45, 54},
    {"6in6", sixin6, 0, 65, 54},
    {"GRE", gre, 3, 45, 42},
    {"GRE with all options", gre_all, 3, 45, 54},
    {"GRE with Ethernet", gre_bridged, 9, 45, 64},
    {"GRE with MPLS", gre_mpls, 3, 45, 46},
    {"PPTP", pptp, 3, 45, 58},
    {"PPTP, compressed", pptp_short, 3, 45, 51},
    {"VXLAN", vxlan, 9, 45, 72},
    {"VXLAN on Linux's old port", vxlan_old, 9, 45, 72},
    {"GTP-U", gtp, 3, 45, 54},
    {"GTP-U with an extension header", gtp_extension, 3, 45, 62},
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

/* As decode_copy, and then the packet inside. */
static enum decode_status inner_copy(const struct frame *f, size_t captured,
                                     size_t length, struct packet *inner)
{
    struct packet outer;
    uint8_t *copy = malloc(captured > 0 ? captured : 1);
    memcpy(copy, f->bytes, captured);
    enum decode_status status =
        decode_packet(LINK_ETHERNET, copy, captured, length, &outer);
    if (status == DECODE_OK)
        status = decode_inner(&outer, inner);
    free(copy);
    return status;
}

static void test_tunnels(void)
{
    for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
        const struct tunnel *t = &tunnels[i];
        struct frame f = {.length = 0};
        struct packet outer, p;
        test_case(t->name);
        t->make(&f);
        CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &outer),
                  DECODE_OK);
        CHECK(outer.may_tunnel && outer.ip != NULL);
        CHECK_I64(decode_inner(&outer, &p), DECODE_OK);
        CHECK(!p.may_tunnel && p.ip == f.bytes + t->header);
        CHECK_I64(p.octets, t->octets);
        CHECK_I64(p.vlan, t->vlan);
        CHECK_I64(p.source_port, 40000);
        CHECK_I64(p.destination_port, 443);
        CHECK_I64(p.payload_length, 5);
        CHECK(p.payload_captured == 5 && memcmp(p.payload, "hello", 5) == 0);
        CHECK(decode_inner(&p, &outer) == DECODE_LINK);
    }
}

static void test_cut_tunnels(void)
{
    for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
        struct frame f = {.length = 0};
        struct packet p;
        char name[100];
        snprintf(name, sizeof(name), "cut at every byte: %s", tunnels[i].name);
        test_case(name);
        tunnels[i].make(&f);
        for (size_t n = 0; n < f.length; n++) {
            enum decode_status s = inner_copy(&f, n, f.length, &p);
            CHECK(s == DECODE_TRUNCATED ||
                  (s == DECODE_OK && p.payload_captured < 5 &&
                   p.payload_length == 5));
            s = inner_copy(&f, n, n, &p);
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

/* Behind a VLAN tag IPv4 begins at 18, what is in it at 38, in UDP at 46. */
static const struct change tunnel_changes[] = {
    {"GRE with a source route", gre, 38, 0x40, DECODE_LINK},
    {"GRE of version 2", gre, 39, 2, DECODE_LINK},
    {"GRE with something else", gre, 41, 0x06, DECODE_LINK},
    {"GRE, IPv4 that is none", gre, 42, 0x55, DECODE_HEADER},
    {"PPTP without sequence number", pptp, 38, 0x20, DECODE_LINK},
    {"PPTP length past the packet", pptp, 42, 9, DECODE_HEADER},
    {"IP in IP that is IPv6", ip_in_ip, 38, 0x65, DECODE_HEADER},
    {"IP in IP, too long", ip_in_ip, 41, 46, DECODE_HEADER},
    {"VXLAN without its flag", vxlan, 46, 0, DECODE_LINK},
    {"VXLAN, reserved bits", vxlan, 46, 0x0c, DECODE_LINK},
    {"VXLAN, reserved byte", vxlan, 53, 1, DECODE_LINK},
    {"VXLAN with ARP", vxlan, 71, 6, DECODE_LINK},
    {"VXLAN, inner length past the datagram", vxlan, 75, 46, DECODE_LINK},
    {"VXLAN, inner TCP header of 16 bytes", vxlan, 104, 0x40, DECODE_HEADER},
    {"GTP version 2", gtp, 46, 0x50, DECODE_LINK},
    {"GTP', not GTP", gtp, 46, 0x20, DECODE_LINK},
    {"GTP echo request", gtp, 47, 1, DECODE_LINK},
    {"GTP length too small", gtp, 49, 44, DECODE_LINK},
    {"GTP length too large", gtp, 49, 46, DECODE_LINK},
    {"GTP with Ethernet", gtp, 54, 0x02, DECODE_LINK},
    {"GTP extension of no length", gtp_extension, 58, 0, DECODE_LINK},
    {"GTP extension past the datagram", gtp_extension, 58, 99, DECODE_LINK},
};

static void test_no_tunnels(void)
{
    struct frame f;
    struct packet p;
    for (size_t i = 0; i < sizeof(tunnel_changes) / sizeof(tunnel_changes[0]);
         i++) {
        const struct change *c = &tunnel_changes[i];
        test_case(c->name);
        c->make(&f);
        f.bytes[c->at] = c->value;
        CHECK_I64(inner_copy(&f, f.length, f.length, &p), c->status);
    }
    test_case("an ICMP error is no tunnel");
    frame_ethernet(&f, 0x0800);
    frame_ipv4(&f, PROTOCOL_ICMP, FAR, NEAR, 8 + 45, 0);
    frame_u32(&f, 0x03030000);
    frame_u32(&f, 0);
    add_tcp(&f);
    CHECK_I64(inner_copy(&f, f.length, f.length, &p), DECODE_LINK);
    test_case("an answer from a tunnel port is ordinary UDP");
    vxlan(&f);
    frame_put_u16(&f, 38, 4789);
    frame_put_u16(&f, 40, 50000);
    CHECK_I64(inner_copy(&f, f.length, f.length, &p), DECODE_LINK);
}

static void test_tunnel_fragments(void)
{
    struct frame f;
    struct packet outer, p;
    test_case("first fragment of a tunnel packet: octets of the whole inside");
    vxlan(&f);
    f.bytes[24] = 0x20;          /* more fragments */
    frame_put_u16(&f, 42, 2000); /* UDP length */
    frame_put_u16(&f, 74, 1966); /* inner IPv4 length */
    CHECK_I64(inner_copy(&f, f.length, f.length, &p), DECODE_OK);
    CHECK_I64(p.octets, 1966);
    CHECK_I64(p.payload_length, 1966 - 40);
    CHECK_I64(p.payload_captured, 5);
    test_case("first fragment of a tunnel packet: length 0 says nothing");
    frame_put_u16(&f, 74, 0);
    CHECK_I64(inner_copy(&f, f.length, f.length, &p), DECODE_LINK);
    test_case("later fragment of a tunnel packet: none inside");
    gre(&f);
    f.bytes[25] = 9;
    CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &outer), DECODE_OK);
    CHECK(!outer.may_tunnel);
    CHECK_I64(decode_inner(&outer, &p), DECODE_LINK);
}

static void test_tags(void)
{
    struct frame f;
    struct packet p, q;
    test_case("tags: none, one, two, and which is inside");
    ethernet(&f);
    CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &p), DECODE_OK);
    CHECK_I64(p.tags, 0);
    vlan(&f);
    CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &p), DECODE_OK);
    CHECK_I64(p.tags, 7);
    qinq(&f);
    CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &p), DECODE_OK);
    CHECK(p.tags % 4096 == 7 && p.tags > 4095);
    f.bytes[19]++;
    CHECK_I64(decode_packet(1, f.bytes, f.length, f.length, &q), DECODE_OK);
    CHECK(q.tags % 4096 == 7 && q.tags > 4095 && q.tags != p.tags);
}

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
    test_tags();
    test_tunnels();
    test_cut_tunnels();
    test_no_tunnels();
    test_tunnel_fragments();
    return test_end();
}
