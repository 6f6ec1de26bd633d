/*
 * From a captured frame to addresses, ports, lengths and payload.
 *
 * Reads Ethernet (802.1Q, QinQ, PPPoE session, MPLS, LLC/SNAP), Linux cooked
 * v1 and v2, raw IP, loopback, PPP and PPI, then IPv4 with options or IPv6 with
 * extension headers, then TCP, UDP, SCTP. Octets come from the IP length, so
 * that Ethernet padding does not count and offloaded super packets count as
 * what they carry. Nothing is kept between packets and nothing is copied: the
 * pointers in struct packet point into the frame.
 */
#ifndef METER_DECODE_H
#define METER_DECODE_H

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
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
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
    uint32_t fragment_id;
};

/* captured bytes are at data, of length on the wire; captured <= length. */
enum decode_status decode_packet(int link_type, const uint8_t *data,
                                 size_t captured, size_t length,
                                 struct packet *packet);
bool decode_reads_link_type(int link_type);

#endif
