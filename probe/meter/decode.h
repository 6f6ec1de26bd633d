/*
 * From a captured frame to addresses, ports, lengths and payload.
 *
 * Reads Ethernet (802.1Q, QinQ, PPPoE session, MPLS, LLC/SNAP), Linux cooked
 * v1 and v2, raw IP, loopback, PPP and PPI, then IPv4 with options or IPv6 with
 * extension headers, then TCP, UDP, SCTP; and on request the packet inside a
 * tunnel. Octets come from the IP length, so that Ethernet padding does not
 * count and offloaded super packets count as what they carry. Nothing is kept
 * between packets and nothing is copied: the pointers in struct packet point
 * into the frame.
 */
#ifndef PROBE_METER_DECODE_H
#define PROBE_METER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
};

enum {
    PROTOCOL_ICMP = 1,
    PROTOCOL_IPV4 = 4, /* IP in IP */
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_GRE = 47,
    PROTOCOL_NO_NEXT = 59,
    PROTOCOL_SCTP = 132,
};

/* Link types, as libpcap numbers them (DLT_). */
enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW_FILE = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_PPI = 192,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

enum decode_status {
    DECODE_OK,
    DECODE_LINK,      /* nothing here that we read, such as ARP */
    DECODE_TRUNCATED, /* cut off by the snap length */
    DECODE_HEADER,    /* lengths or versions that cannot be */
};

struct packet {
    uint8_t ip_version;
    uint8_t protocol;
    uint16_t vlan; /* outermost tag that is not 0; 0: none */
    uint16_t tags; /* all tags as one number, 0: none; so that places where the
                      same flow is seen can be told apart: vlan in the low 12
                      bits, above it what inner tags are mixed to */
    uint32_t interface; /* as a cooked v2 frame tells it; 0: not told */
    uint16_t source_port, destination_port; /* 0 where there are none */
    uint16_t tcp_flags;
    uint32_t tcp_sequence, tcp_acknowledgement;
    const uint8_t *source, *destination; /* 4 or 16 bytes */
    uint32_t octets;                     /* IP total length */
    uint32_t payload_length;             /* above TCP or UDP, on the wire */
    uint32_t payload_captured;           /* of these, bytes at payload */
    const uint8_t *payload;
    const uint8_t *ip; /* the IP header */
    uint32_t ip_captured;
    bool is_fragment;       /* first or later */
    bool is_later_fragment; /* carries no ports */
    bool may_tunnel; /* decode_inner may find a packet inside: cheap to ask
                        first */
    uint32_t fragment_id;
};

/* captured bytes are at data, of length on the wire; captured <= length. */
enum decode_status decode_packet(int link_type, const uint8_t *data,
                                 size_t captured, size_t length,
                                 struct packet *packet);
bool decode_reads_link_type(int link_type);

/* The packet inside a tunnel: GRE (RFC 2784 and 2890, also with Ethernet
 * inside, and PPTP's version 1 with PPP, RFC 2637), IP in IP (protocol 4), 6in4,
 * 4in6, 6in6 (41), VXLAN (UDP 4789, also 8472), GTP-U (UDP 2152).
 *
 * DECODE_OK: *inner is filled in; its vlan is the inner one or, when 0, the
 * outer's. DECODE_LINK: none that we read is in there; what goes to those UDP
 * ports and is not quite a tunnel, is none. How deep to go is up to the caller.
 *
 * Of a tunnel packet in fragments the first one has the inner headers, and with
 * them the octets of the whole inner packet; the later ones have nothing. */
enum decode_status decode_inner(const struct packet *outer,
                                struct packet *inner);

#endif
