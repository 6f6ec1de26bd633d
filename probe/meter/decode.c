/*
 * The decoder: a chain of layers, each of which checks its header against two
 * lengths, what was captured and what was on the wire.
 *
 * A header that passes the captured bytes but would fit on the wire was cut
 * off by the snap length (TRUNCATED); one that passes the wire's bytes cannot
 * be (HEADER). Chains that a sender could make long (tags, labels, extension
 * headers) have a bound.
 */
#include "probe/meter/decode.h"

#include <string.h>

enum {
    TAGS_MAX = 8,
    LABELS_MAX = 16,
    EXTENSIONS_MAX = 16,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_VLAN_OLD = 0x9100,
    ETHERTYPE_QINQ = 0x88a8,
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_MULTICAST = 0x8848,
    ETHERTYPE_PPPOE = 0x8864,
    ETHERTYPE_PPP_GRE = 0x880b,
    ETHERTYPE_BRIDGED = 0x6558, /* Ethernet in GRE */
    ETHERTYPE_MIN = 1536,       /* below: IEEE 802.3 length */
    PPP_IPV4 = 0x21,
    PPP_IPV6 = 0x57,
    PORT_VXLAN = 4789,
    PORT_VXLAN_OLD = 8472, /* Linux before the number was assigned */
    PORT_GTP_U = 2152,
    GTP_EXTENSIONS_MAX = 3,
    UDP_HEADER = 8,
};

/* What is left of the frame. */
struct layer {
    const uint8_t *at;
    size_t captured, wire;
    bool is_open; /* goes on in later fragments: wire is just a bound */
};

static uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

static enum decode_status need(const struct layer *l, size_t length)
{
    if (length <= l->captured)
        return DECODE_OK;
    return length <= l->wire ? DECODE_TRUNCATED : DECODE_HEADER;
}

static void pass(struct layer *l, size_t length)
{
    l->at += length;
    l->captured -= length;
    l->wire -= length;
}

/* Cuts what lies behind `length` bytes: padding, trailers. */
static void cut(struct layer *l, size_t length)
{
    if (length < l->wire)
        l->wire = length;
    if (l->captured > l->wire)
        l->captured = l->wire;
}

/* --- transport --- */

static void set_payload(struct layer *l, size_t header, struct packet *p)
{
    pass(l, header);
    p->payload = l->at;
    p->payload_captured = (uint32_t)l->captured;
    p->payload_length = (uint32_t)l->wire;
}

static enum decode_status decode_tcp(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 20);
    if (status != DECODE_OK)
        return status;
    const uint8_t *t = l->at;
    size_t header = (size_t)(t[12] >> 4) * 4;
    if (header < 20 || header > l->wire)
        return DECODE_HEADER;
    p->source_port = get_u16(t);
    p->destination_port = get_u16(t + 2);
    p->tcp_sequence = get_u32(t + 4);
    p->tcp_acknowledgement = get_u32(t + 8);
    p->tcp_flags = get_u16(t + 12) & 0x1ff;
    if (header > l->captured) { /* options cut off: still countable */
        p->payload_length = (uint32_t)(l->wire - header);
        return DECODE_OK;
    }
    set_payload(l, header, p);
    return DECODE_OK;
}

static enum decode_status decode_udp(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, UDP_HEADER);
    if (status != DECODE_OK)
        return status;
    p->source_port = get_u16(l->at);
    p->destination_port = get_u16(l->at + 2);
    size_t length = get_u16(l->at + 4);
    /* 0 stands in datagrams longer than 65,535 and in offloaded ones. */
    if (length != 0 && length < UDP_HEADER)
        return DECODE_HEADER;
    if (length != 0 && !p->is_fragment)
        cut(l, length);
    set_payload(l, UDP_HEADER, p);
    p->may_tunnel = p->destination_port == PORT_VXLAN ||
                    p->destination_port == PORT_VXLAN_OLD ||
                    p->destination_port == PORT_GTP_U;
    return DECODE_OK;
}

static enum decode_status decode_sctp(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 12);
    if (status != DECODE_OK)
        return status;
    p->source_port = get_u16(l->at);
    p->destination_port = get_u16(l->at + 2);
    set_payload(l, 12, p);
    return DECODE_OK;
}

static enum decode_status decode_other(struct layer *l, struct packet *p)
{
    p->may_tunnel = !p->is_later_fragment && (p->protocol == PROTOCOL_IPV4 ||
                                              p->protocol == PROTOCOL_IPV6 ||
                                              p->protocol == PROTOCOL_GRE);
    set_payload(l, 0, p);
    return DECODE_OK;
}

static enum decode_status decode_transport(struct layer *l, struct packet *p)
{
    if (!p->is_later_fragment) {
        if (p->protocol == PROTOCOL_TCP)
            return decode_tcp(l, p);
        if (p->protocol == PROTOCOL_UDP)
            return decode_udp(l, p);
        if (p->protocol == PROTOCOL_SCTP)
            return decode_sctp(l, p);
    }
    return decode_other(l, p);
}

/* --- IP --- */

static void set_ip(const struct layer *l, size_t total, struct packet *p)
{
    p->octets = (uint32_t)total;
    p->ip = l->at;
    p->ip_captured = (uint32_t)l->captured;
}

static enum decode_status decode_ipv4(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 20);
    if (status != DECODE_OK)
        return status;
    const uint8_t *h = l->at;
    size_t header = (size_t)(h[0] & 15) * 4;
    size_t total = get_u16(h + 2);
    if (total == 0 && !l->is_open) /* left to the network card by offload */
        total = l->wire;
    if (h[0] >> 4 != 4 || header < 20 || total < header || total > l->wire)
        return DECODE_HEADER;
    cut(l, total);
    if ((status = need(l, header)) != DECODE_OK)
        return status;
    set_ip(l, total, p);
    p->ip_version = 4;
    p->protocol = h[9];
    p->source = h + 12;
    p->destination = h + 16;
    uint16_t fragment = get_u16(h + 6);
    p->is_later_fragment = (fragment & 0x1fff) != 0;
    p->is_fragment = (fragment & 0x3fff) != 0;
    p->fragment_id = get_u16(h + 4);
    pass(l, header);
    return decode_transport(l, p);
}

/* Kinds of IPv6 extension header, by protocol number. */
enum extension {
    EXTENSION_NONE, /* a transport */
    EXTENSION_OPTIONS,
    EXTENSION_FRAGMENT,
    EXTENSION_AUTHENTICATION,
};
static const uint8_t extension_kinds[256] = {
    [0] = EXTENSION_OPTIONS,  /* hop by hop */
    [43] = EXTENSION_OPTIONS, /* routing */
    [44] = EXTENSION_FRAGMENT, [51] = EXTENSION_AUTHENTICATION,
    [60] = EXTENSION_OPTIONS,  /* destination options */
    [135] = EXTENSION_OPTIONS, /* mobility */
    [139] = EXTENSION_OPTIONS, /* host identity */
    [140] = EXTENSION_OPTIONS, /* shim6 */
};

static void read_fragment_header(const uint8_t *h, struct packet *p)
{
    uint16_t field = get_u16(h + 2);
    p->is_later_fragment = (field & 0xfff8) != 0;
    p->is_fragment = (field & 0xfff9) != 0; /* atomic ones are whole */
    p->fragment_id = get_u32(h + 4);
}

static enum decode_status decode_extensions(struct layer *l, uint8_t next,
                                            struct packet *p)
{
    enum decode_status status;
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        enum extension kind = extension_kinds[next];
        p->protocol = next;
        if (kind == EXTENSION_NONE || p->is_later_fragment)
            return decode_transport(l, p);
        if ((status = need(l, 8)) != DECODE_OK)
            return status;
        const uint8_t *h = l->at;
        size_t length = 8;
        if (kind == EXTENSION_FRAGMENT)
            read_fragment_header(h, p);
        else if (kind == EXTENSION_AUTHENTICATION)
            length = ((size_t)h[1] + 2) * 4;
        else
            length = ((size_t)h[1] + 1) * 8;
        if ((status = need(l, length)) != DECODE_OK)
            return status;
        next = h[0];
        pass(l, length);
    }
    return DECODE_HEADER;
}

static enum decode_status decode_ipv6(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 40);
    if (status != DECODE_OK)
        return status;
    const uint8_t *h = l->at;
    size_t total = 40 + (size_t)get_u16(h + 4);
    /* Jumbograms and super packets past 64 KiB carry 0 (RFC 2675). */
    if (total == 40 && h[6] != PROTOCOL_NO_NEXT && !l->is_open)
        total = l->wire;
    if (h[0] >> 4 != 6 || total > l->wire)
        return DECODE_HEADER;
    cut(l, total);
    set_ip(l, total, p);
    p->ip_version = 6;
    p->source = h + 8;
    p->destination = h + 24;
    pass(l, 40);
    return decode_extensions(l, h[6], p);
}

static enum decode_status decode_ip(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 1);
    if (status != DECODE_OK)
        return status;
    switch (l->at[0] >> 4) {
    case 4:
        return decode_ipv4(l, p);
    case 6:
        return decode_ipv6(l, p);
    default:
        return DECODE_HEADER;
    }
}

/* --- between link and IP --- */

static enum decode_status decode_mpls(struct layer *l, struct packet *p)
{
    enum decode_status status;
    for (int i = 0; i < LABELS_MAX; i++) {
        if ((status = need(l, 4)) != DECODE_OK)
            return status;
        bool is_bottom = l->at[2] & 1;
        pass(l, 4);
        if (!is_bottom)
            continue;
        if ((status = need(l, 1)) != DECODE_OK)
            return status;
        /* What follows is not said; IP begins with its version. */
        uint8_t version = l->at[0] >> 4;
        return version == 4 || version == 6 ? decode_ip(l, p) : DECODE_LINK;
    }
    return DECODE_HEADER;
}

static enum decode_status decode_ppp(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 2);
    if (status != DECODE_OK)
        return status;
    if (l->at[0] == 0xff && l->at[1] == 0x03) { /* address and control */
        pass(l, 2);
        if ((status = need(l, 2)) != DECODE_OK)
            return status;
    }
    /* One byte when compressed (RFC 1661 section 6.5): then it is odd. */
    size_t width = l->at[0] & 1 ? 1 : 2;
    uint16_t protocol = width == 1 ? l->at[0] : get_u16(l->at);
    pass(l, width);
    if (protocol == PPP_IPV4)
        return decode_ipv4(l, p);
    return protocol == PPP_IPV6 ? decode_ipv6(l, p) : DECODE_LINK;
}

static enum decode_status decode_pppoe(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 6);
    if (status != DECODE_OK)
        return status;
    if (l->at[0] != 0x11 || l->at[1] != 0)
        return DECODE_HEADER;
    pass(l, 6);
    return decode_ppp(l, p);
}

/* The payload is told by an ethertype; no tags. */
static enum decode_status decode_untagged(struct layer *l, uint16_t type,
                                          struct packet *p)
{
    switch (type) {
    case ETHERTYPE_IPV4:
        return decode_ipv4(l, p);
    case ETHERTYPE_IPV6:
        return decode_ipv6(l, p);
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST:
        return decode_mpls(l, p);
    case ETHERTYPE_PPPOE:
        return decode_pppoe(l, p);
    default:
        return DECODE_LINK;
    }
}

/* IEEE 802.2: only with SNAP and an ethertype does it carry IP. */
static enum decode_status decode_llc(struct layer *l, struct packet *p)
{
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    enum decode_status status = need(l, 8);
    if (status != DECODE_OK)
        return status == DECODE_TRUNCATED ? status : DECODE_LINK;
    if (memcmp(l->at, snap, sizeof(snap)) != 0)
        return DECODE_LINK;
    uint16_t type = get_u16(l->at + 6);
    pass(l, 8);
    return decode_untagged(l, type, p);
}

static bool is_tag(uint16_t type)
{
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ ||
           type == ETHERTYPE_VLAN_OLD;
}

/* The first tag that is not 0 is the VLAN; those behind it share 4 bits, which
 * are not 0 when there is one. */
static void note_tag(struct packet *p, uint16_t tag)
{
    if (tag == 0)
        return;
    if (p->vlan == 0) {
        p->vlan = tag;
        p->tags = tag;
    } else {
        unsigned mixed = 31u * (p->tags >> 12) + tag;
        p->tags = (uint16_t)(p->vlan | (1 + mixed % 15) << 12);
    }
}

static enum decode_status decode_ethertype(struct layer *l, uint16_t type,
                                           struct packet *p)
{
    enum decode_status status;
    for (int i = 0; i < TAGS_MAX && is_tag(type); i++) {
        if ((status = need(l, 4)) != DECODE_OK)
            return status;
        note_tag(p, get_u16(l->at) & 0xfff);
        type = get_u16(l->at + 2);
        pass(l, 4);
    }
    if (is_tag(type))
        return DECODE_HEADER;
    return type < ETHERTYPE_MIN ? decode_llc(l, p)
                                : decode_untagged(l, type, p);
}

/* --- links --- */

static enum decode_status decode_ethernet(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 14);
    if (status != DECODE_OK)
        return status;
    uint16_t type = get_u16(l->at + 12);
    pass(l, 14);
    return decode_ethertype(l, type, p);
}

static enum decode_status decode_sll(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 16);
    if (status != DECODE_OK)
        return status;
    uint16_t type = get_u16(l->at + 14);
    pass(l, 16);
    return decode_ethertype(l, type, p);
}

static enum decode_status decode_sll2(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 20);
    if (status != DECODE_OK)
        return status;
    uint16_t type = get_u16(l->at);
    p->interface = get_u32(l->at + 4);
    pass(l, 20);
    return decode_ethertype(l, type, p);
}

/* The family is in the byte order of the host that captured; IPv6 has other
 * numbers on other systems. The IP version decides. */
static enum decode_status decode_loopback(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 4);
    if (status != DECODE_OK)
        return status;
    uint32_t family = get_u32(l->at);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    pass(l, 4);
    if (family == 2)
        return decode_ipv4(l, p);
    bool is_ipv6 = family == 10 || family == 24 || family == 28 || family == 30;
    return is_ipv6 ? decode_ipv6(l, p) : DECODE_LINK;
}

/* Per-packet information header: version, flags, length (little-endian), then
 * the link type of the frame that follows. */
static enum decode_status decode_ppi(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 8);
    if (status != DECODE_OK)
        return status;
    size_t length = (size_t)l->at[3] << 8 | l->at[2];
    uint32_t link = __builtin_bswap32(get_u32(l->at + 4));
    if (length < 8)
        return DECODE_HEADER;
    if ((status = need(l, length)) != DECODE_OK)
        return status;
    pass(l, length);
    if (link == LINK_ETHERNET)
        return decode_ethernet(l, p);
    if (link == LINK_PPP)
        return decode_ppp(l, p);
    return link == LINK_RAW_FILE ? decode_ip(l, p) : DECODE_LINK;
}

static const struct {
    int type;
    enum decode_status (*decode)(struct layer *l, struct packet *p);
} links[] = {
    {LINK_ETHERNET, decode_ethernet}, {LINK_LINUX_SLL, decode_sll},
    {LINK_LINUX_SLL2, decode_sll2},   {LINK_RAW, decode_ip},
    {LINK_RAW_OPENBSD, decode_ip},    {LINK_RAW_FILE, decode_ip},
    {LINK_IPV4, decode_ipv4},         {LINK_IPV6, decode_ipv6},
    {LINK_NULL, decode_loopback},     {LINK_LOOP, decode_loopback},
    {LINK_PPP, decode_ppp},           {LINK_PPI, decode_ppi},
};

enum decode_status decode_packet(int link_type, const uint8_t *data,
                                 size_t captured, size_t length,
                                 struct packet *packet)
{
    *packet = (struct packet){0};
    if (length > UINT32_MAX)
        return DECODE_HEADER;
    struct layer l = {.at = data, .captured = captured, .wire = length};
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (links[i].type == link_type)
            return links[i].decode(&l, packet);
    return DECODE_LINK;
}

bool decode_reads_link_type(int link_type)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (links[i].type == link_type)
            return true;
    return false;
}

/* --- tunnels --- */

/* PPTP (RFC 2637 section 4.1): key and sequence number always with a payload,
 * an acknowledgement at times; the key begins with the payload's length. */
static enum decode_status decode_pptp(struct layer *l, uint16_t flags,
                                      struct packet *p)
{
    enum decode_status status;
    size_t header = (flags & 0x0080) != 0 ? 16 : 12;
    if ((flags & ~0x0080) != 0x3001 || get_u16(l->at + 2) != ETHERTYPE_PPP_GRE)
        return DECODE_LINK;
    if ((status = need(l, header)) != DECODE_OK)
        return status;
    size_t length = get_u16(l->at + 4);
    pass(l, header);
    if (length > l->wire)
        return DECODE_HEADER;
    if (!l->is_open)
        cut(l, length);
    return decode_ppp(l, p);
}

/* Flags: checksum 0x8000, key 0x2000, sequence number 0x1000; each adds four
 * bytes. Source routes (RFC 1701) are gone and not read. */
static enum decode_status decode_gre(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 4);
    if (status != DECODE_OK)
        return status;
    uint16_t flags = get_u16(l->at), type = get_u16(l->at + 2);
    if ((flags & 7) == 1)
        return decode_pptp(l, flags, p);
    if ((flags & 0x4fff) != 0)
        return DECODE_LINK;
    size_t options = (flags >> 15) + (flags >> 13 & 1) + (flags >> 12 & 1);
    if ((status = need(l, 4 + 4 * options)) != DECODE_OK)
        return status;
    pass(l, 4 + 4 * options);
    return type == ETHERTYPE_BRIDGED ? decode_ethernet(l, p)
                                     : decode_ethertype(l, type, p);
}

/* RFC 7348, with the bits of the group policy extension: the flag "I", the
 * rest 0, a network number, 0. */
static enum decode_status decode_vxlan(struct layer *l, struct packet *p)
{
    enum decode_status status = need(l, 8);
    if (status != DECODE_OK)
        return status;
    if ((get_u32(l->at) & 0x7fb70000) != 0x08000000 || l->at[7] != 0)
        return DECODE_LINK;
    pass(l, 8);
    return decode_ethernet(l, p);
}

/* Extension headers of GTP-U: length in 4 octets, content, the next's type. */
static enum decode_status pass_gtp_extensions(struct layer *l, uint8_t type)
{
    for (int i = 0; i < GTP_EXTENSIONS_MAX && type != 0; i++) {
        enum decode_status status = need(l, 4);
        if (status != DECODE_OK)
            return status;
        size_t length = (size_t)l->at[0] * 4;
        if (length == 0)
            return DECODE_LINK;
        if ((status = need(l, length)) != DECODE_OK)
            return status;
        type = l->at[length - 1];
        pass(l, length);
    }
    return type == 0 ? DECODE_OK : DECODE_LINK;
}

/* 3GPP TS 29.281: version 1, a G-PDU whose length is that of the datagram. */
static enum decode_status decode_gtp(struct layer *l, struct packet *p)
{
    size_t datagram = get_u16(l->at - UDP_HEADER + 4);
    enum decode_status status = need(l, 8);
    if (status != DECODE_OK)
        return status;
    uint8_t flags = l->at[0];
    if ((flags & 0xf8) != 0x30 || l->at[1] != 255 ||
        get_u16(l->at + 2) + 8u + UDP_HEADER != datagram)
        return DECODE_LINK;
    pass(l, 8);
    if ((flags & 7) != 0) { /* sequence, N-PDU number, extension type */
        if ((status = need(l, 4)) != DECODE_OK)
            return status;
        uint8_t type = (flags & 4) != 0 ? l->at[3] : 0;
        pass(l, 4);
        if ((status = pass_gtp_extensions(l, type)) != DECODE_OK)
            return status;
    }
    return decode_ip(l, p);
}

static enum decode_status
decode_tunnel(struct layer *l, const struct packet *outer, struct packet *inner)
{
    switch (outer->protocol) {
    case PROTOCOL_IPV4:
        return decode_ipv4(l, inner);
    case PROTOCOL_IPV6:
        return decode_ipv6(l, inner);
    case PROTOCOL_GRE:
        return decode_gre(l, inner);
    default:
        return outer->destination_port == PORT_GTP_U ? decode_gtp(l, inner)
                                                     : decode_vxlan(l, inner);
    }
}

enum decode_status decode_inner(const struct packet *outer,
                                struct packet *inner)
{
    *inner = (struct packet){0};
    if (!outer->may_tunnel)
        return DECODE_LINK;
    struct layer l = {.at = outer->payload,
                      .captured = outer->payload_captured,
                      .wire = outer->payload_length,
                      .is_open = outer->is_fragment};
    if (l.is_open)
        l.wire = UINT16_MAX;
    enum decode_status status = decode_tunnel(&l, outer, inner);
    /* Other datagrams may look like a tunnel up to where IP should be. */
    if (status == DECODE_HEADER && outer->protocol == PROTOCOL_UDP &&
        inner->ip == NULL)
        status = DECODE_LINK;
    inner->interface = outer->interface;
    if (inner->vlan == 0) {
        inner->vlan = outer->vlan;
        inner->tags = outer->tags;
    }
    return status;
}
