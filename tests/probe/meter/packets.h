/* Hand-made packets for the probe's tests: an Ethernet frame around IPv4 or
 * IPv6 around TCP or UDP, and a ClientHello. Little is checked: a test may ask
 * for what could not be. */
#ifndef TESTS_PROBE_METER_PACKETS_H
#define TESTS_PROBE_METER_PACKETS_H

#include <stdint.h>
#include <string.h>

#include "probe/meter/decode.h"

enum { FRAME_MAX = 4096 };

struct frame {
    uint8_t bytes[FRAME_MAX];
    size_t length;
};

static inline void frame_add(struct frame *f, const void *data, size_t length)
{
    memcpy(f->bytes + f->length, data, length);
    f->length += length;
}

static inline void frame_u8(struct frame *f, unsigned v)
{
    f->bytes[f->length++] = (uint8_t)v;
}

static inline void frame_u16(struct frame *f, unsigned v)
{
    frame_u8(f, v >> 8);
    frame_u8(f, v);
}

static inline void frame_u32(struct frame *f, uint32_t v)
{
    frame_u16(f, v >> 16);
    frame_u16(f, v & 0xffff);
}

static inline void frame_ethernet(struct frame *f, unsigned type)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    f->length = 0;
    frame_add(f, macs, sizeof(macs));
    frame_u16(f, type);
}

/* fragment is the flags and offset field. */
static inline void frame_ipv4(struct frame *f, unsigned protocol,
                              uint32_t source, uint32_t destination,
                              size_t payload, unsigned fragment)
{
    frame_u16(f, 0x4500);
    frame_u16(f, (unsigned)(20 + payload));
    frame_u16(f, 0x1234);
    frame_u16(f, fragment);
    frame_u8(f, 64);
    frame_u8(f, protocol);
    frame_u16(f, 0);
    frame_u32(f, source);
    frame_u32(f, destination);
}

/* The addresses are 2001:db8::source and ::destination. */
static inline void frame_ipv6(struct frame *f, unsigned next, unsigned source,
                              unsigned destination, size_t payload)
{
    frame_u32(f, 0x60000000);
    frame_u16(f, (unsigned)payload);
    frame_u8(f, next);
    frame_u8(f, 64);
    for (int i = 0; i < 2; i++) {
        frame_u32(f, 0x20010db8);
        frame_u32(f, 0);
        frame_u32(f, 0);
        frame_u32(f, i == 0 ? source : destination);
    }
}

static inline void frame_tcp(struct frame *f, unsigned source,
                             unsigned destination, uint32_t sequence,
                             uint32_t acknowledgement, unsigned flags)
{
    frame_u16(f, source);
    frame_u16(f, destination);
    frame_u32(f, sequence);
    frame_u32(f, acknowledgement);
    frame_u16(f, 0x5000 | flags);
    frame_u16(f, 65535);
    frame_u32(f, 0);
}

static inline void frame_udp(struct frame *f, unsigned source,
                             unsigned destination, size_t payload)
{
    frame_u16(f, source);
    frame_u16(f, destination);
    frame_u16(f, (unsigned)(8 + payload));
    frame_u16(f, 0);
}

/* A GTP-U header; the length is of what follows its first 8 bytes. */
static inline void frame_gtp(struct frame *f, unsigned flags, size_t length)
{
    frame_u8(f, 0x30 | flags);
    frame_u8(f, 255);
    frame_u16(f, (unsigned)length);
    frame_u32(f, 0x1a);
}

/* Ethernet, IPv4 and TCP around the payload. */
static inline void frame_of_tcp(struct frame *f, uint32_t from, unsigned sport,
                                uint32_t to, unsigned dport, uint32_t sequence,
                                uint32_t acknowledgement, unsigned flags,
                                const void *payload, size_t length)
{
    frame_ethernet(f, 0x0800);
    frame_ipv4(f, PROTOCOL_TCP, from, to, 20 + length, 0x4000);
    frame_tcp(f, sport, dport, sequence, acknowledgement, flags);
    frame_add(f, payload, length);
}

static inline void frame_of_udp(struct frame *f, uint32_t from, unsigned sport,
                                uint32_t to, unsigned dport,
                                const void *payload, size_t length)
{
    frame_ethernet(f, 0x0800);
    frame_ipv4(f, PROTOCOL_UDP, from, to, 8 + length, 0);
    frame_udp(f, sport, dport, length);
    frame_add(f, payload, length);
}

static inline void frame_put_u16(struct frame *f, size_t at, size_t v)
{
    f->bytes[at] = (uint8_t)(v >> 8);
    f->bytes[at + 1] = (uint8_t)v;
}

/* A ClientHello as handshake message: TLS 1.3, two cipher suites and a GREASE
 * one, this server name (NULL: no such extension), ALPN h2, and `padding`
 * bytes of padding extension. The random is 32 times `seed`. */
static inline void frame_client_hello(struct frame *f, const char *name,
                                      uint8_t seed, size_t padding)
{
    size_t start = f->length;
    frame_u32(f, 0x01000000);
    frame_u16(f, 0x0303);
    memset(f->bytes + f->length, seed, 32);
    f->length += 32;
    frame_u8(f, 0); /* session id */
    frame_u16(f, 6);
    frame_u16(f, 0x1302);
    frame_u16(f, 0x1a1a);
    frame_u16(f, 0x1301);
    frame_u16(f, 0x0100); /* one compression method: none */
    size_t list = f->length;
    frame_u16(f, 0);
    if (name != NULL) {
        size_t n = strlen(name);
        frame_u16(f, 0);
        frame_u16(f, (unsigned)n + 5);
        frame_u16(f, (unsigned)n + 3);
        frame_u8(f, 0);
        frame_u16(f, (unsigned)n);
        frame_add(f, name, n);
    }
    frame_add(f, "\x00\x0d\x00\x06\x00\x04\x04\x03\x08\x04", 10);
    frame_add(f, "\x00\x10\x00\x05\x00\x03\x02h2", 9);
    frame_add(f, "\x00\x2b\x00\x05\x04\x2a\x2a\x03\x04", 9);
    if (padding > 0) {
        frame_u16(f, 21);
        frame_u16(f, (unsigned)padding);
        memset(f->bytes + f->length, 0, padding);
        f->length += padding;
    }
    frame_put_u16(f, list, f->length - list - 2);
    frame_put_u16(f, start + 2, f->length - start - 4);
}

/* A whole handshake message as one TLS record. */
static inline void frame_record(struct frame *f, const struct frame *message)
{
    frame_u8(f, 22);
    frame_u16(f, 0x0301);
    frame_u16(f, (unsigned)message->length);
    frame_add(f, message->bytes, message->length);
}

#endif
