/*
 * Makes a capture for benchmarks: many interleaved TLS 1.3 sessions from an
 * enterprise's hosts, some of them towards registered prefixes.
 *
 *   traffic_tool CAPTURE ENDPOINTS.csv FLOWS PACKETS REGISTERED_PERCENT PREFIXES
 *
 * Each session has the TCP handshake, a ClientHello with a server name, a
 * ServerHello, application data both ways, and FINs. Registered prefixes are
 * /24s from 198.18.0.0 on (the benchmark range, RFC 2544), the others lie in
 * 203.0.0.0/9. The same arguments give the same bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/slice.h"

enum { ACTIVE = 4000, FRAME_MAX = 1600, MSS = 1400 };
enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

struct peer_session {
    uint32_t client, server;
    uint16_t port;
    uint32_t client_seq, server_seq;
    unsigned step, steps; /* 0: the slot is free */
};

struct maker {
    FILE *out;
    uint64_t random;
    uint64_t now_us;
    uint64_t packets, octets;
    uint64_t packets_each, registered_percent, prefixes;
};

static uint32_t next_random(struct maker *m)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (uint32_t)(m->random >> 16);
}

static void add_le32(struct buffer *b, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        buffer_add_u8(b, (uint8_t)(value >> (8 * i)));
}

/* One frame with its pcap record header. */
static void write_packet(struct maker *m, struct peer_session *s, bool is_up,
                         unsigned flags, struct slice payload)
{
    static struct buffer frame = {.limit = FRAME_MAX};
    uint32_t *seq = is_up ? &s->client_seq : &s->server_seq;
    uint32_t ack = is_up ? s->server_seq : s->client_seq;
    uint32_t length = (uint32_t)(54 + payload.length);

    buffer_reset(&frame);
    add_le32(&frame, (uint32_t)(m->now_us / 1000000));
    add_le32(&frame, (uint32_t)(m->now_us % 1000000));
    add_le32(&frame, length);
    add_le32(&frame, length);
    buffer_add(&frame, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
    buffer_add_u16(&frame, 0x4500);
    buffer_add_u16(&frame, (uint16_t)(40 + payload.length));
    buffer_add(&frame, "\0\0\x40\0\x40\6\0\0", 8);
    buffer_add_u32(&frame, is_up ? s->client : s->server);
    buffer_add_u32(&frame, is_up ? s->server : s->client);
    buffer_add_u16(&frame, is_up ? s->port : 443);
    buffer_add_u16(&frame, is_up ? 443 : s->port);
    buffer_add_u32(&frame, *seq);
    buffer_add_u32(&frame, flags & ACK ? ack : 0);
    buffer_add_u16(&frame, (uint16_t)(0x5000 | flags));
    buffer_add(&frame, "\xff\xff\0\0\0\0", 6);
    buffer_add_slice(&frame, payload);
    fwrite(frame.data, 1, frame.length, m->out);
    *seq += (uint32_t)payload.length + (flags & (SYN | FIN) ? 1 : 0);
    m->now_us += 1 + next_random(m) % 3;
    m->packets++;
    m->octets += 40 + payload.length;
}

static void add_random(struct maker *m, struct buffer *b, int count)
{
    for (int i = 0; i < count; i++)
        buffer_add_u8(b, (uint8_t)next_random(m));
}

/* ClientHello with server_name, supported_groups, supported_versions, ALPN. */
static void make_client_hello(struct maker *m, const char *name,
                              struct buffer *out)
{
    size_t name_length = strlen(name);

    buffer_reset(out);
    buffer_add(out, "\x16\3\1\0\0\1\0\0\0\3\3", 11);
    add_random(m, out, 32);
    buffer_add_u8(out, 32);
    add_random(m, out, 32);
    buffer_add(out, "\0\6\x13\1\x13\2\x13\3\1\0", 10);
    size_t extensions = out->length;
    buffer_add_u16(out, 0);
    buffer_add_u16(out, 0);
    buffer_add_u16(out, (uint16_t)(name_length + 5));
    buffer_add_u16(out, (uint16_t)(name_length + 3));
    buffer_add_u8(out, 0);
    buffer_add_u16(out, (uint16_t)name_length);
    buffer_add_text(out, name);
    buffer_add(out, "\0\x0a\0\4\0\2\0\x1d\0\x2b\0\3\2\3\4", 15);
    buffer_add(out, "\0\x10\0\5\0\3\2h2", 9);
    buffer_put_u16(out, extensions, (uint16_t)(out->length - extensions - 2));
    buffer_put_u16(out, 3, (uint16_t)(out->length - 5));
    buffer_put_u16(out, 7, (uint16_t)(out->length - 9));
}

static void make_server_hello(struct maker *m, struct buffer *out)
{
    buffer_reset(out);
    buffer_add(out, "\x16\3\3\0\x4a\2\0\0\x46\3\3", 11);
    add_random(m, out, 32);
    buffer_add_u8(out, 32);
    buffer_add(out, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    buffer_add(out, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    buffer_add(out, "\x13\1\0\0\0", 5);
}

static void start_session(struct maker *m, struct peer_session *s)
{
    bool is_registered = next_random(m) % 100 < m->registered_percent;

    *s = (struct peer_session){
        .client = 0x0a4d0000u | (next_random(m) & 0xfff),
        .port = (uint16_t)(1024 + next_random(m) % 60000),
        .client_seq = next_random(m),
        .server_seq = next_random(m),
        .steps = (unsigned)(6 + next_random(m) % (2 * m->packets_each)),
    };
    if (is_registered)
        s->server = 0xc6120000u +
                    (uint32_t)(next_random(m) % m->prefixes) * 256u +
                    next_random(m) % 200;
    else
        s->server = 0xcb000000u + (next_random(m) & 0x7fffff);
}

static void step_session(struct maker *m, struct peer_session *s)
{
    static struct buffer hello = {.limit = 1024};
    static char data[MSS] = "\x17\3\3";
    char name[64];

    switch (s->step++) {
    case 0:
        write_packet(m, s, true, SYN, (struct slice){0});
        return;
    case 1:
        write_packet(m, s, false, SYN | ACK, (struct slice){0});
        return;
    case 2:
        write_packet(m, s, true, ACK, (struct slice){0});
        return;
    case 3:
        snprintf(name, sizeof(name), "app%" PRIu32 ".erp.example",
                 s->server % 997);
        make_client_hello(m, name, &hello);
        write_packet(m, s, true, PSH | ACK, buffer_slice(&hello));
        return;
    case 4:
        make_server_hello(m, &hello);
        write_packet(m, s, false, PSH | ACK, buffer_slice(&hello));
        return;
    }
    if (s->step < s->steps) {
        bool is_up = next_random(m) % 3 == 0;
        size_t size = is_up ? 80 + next_random(m) % 300
                            : 200 + next_random(m) % (MSS - 200);
        write_packet(m, s, is_up, PSH | ACK, slice_of_bytes(data, size));
        return;
    }
    write_packet(m, s, true, FIN | ACK, (struct slice){0});
    write_packet(m, s, false, FIN | ACK, (struct slice){0});
    write_packet(m, s, true, ACK, (struct slice){0});
    s->steps = 0;
}

static void make_traffic(struct maker *m, uint64_t flows)
{
    static struct peer_session sessions[ACTIVE];
    uint64_t begun = 0, ended = 0;

    while (ended < flows) {
        struct peer_session *s = &sessions[next_random(m) % ACTIVE];
        if (s->steps == 0) {
            if (begun == flows)
                continue;
            start_session(m, s);
            begun++;
        }
        step_session(m, s);
        ended += s->steps == 0;
    }
}

static bool write_endpoints(const char *path, uint64_t prefixes)
{
    FILE *f = fopen(path, "w");

    if (f == NULL)
        return false;
    fputs("id,supplier,service,address,host,protocol,ports,valid_from,"
          "valid_to,shared\n",
          f);
    for (uint64_t i = 0; i < prefixes; i++)
        fprintf(f,
                "bench-%" PRIu64 ",S,V,198.%" PRIu64 ".%" PRIu64
                ".0/24,,tcp,443,,,no\n",
                i, 18 + i / 256, i % 256);
    return fclose(f) == 0;
}

static bool write_capture(struct maker *m, const char *path, uint64_t flows)
{
    static char buffer[1 << 20];
    static const uint8_t header[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0,
                                       0,    0,    0,    0,    0, 0, 0, 0,
                                       0,    0,    4,    0,    1, 0, 0, 0};

    m->out = fopen(path, "wb");
    if (m->out == NULL)
        return false;
    setvbuf(m->out, buffer, _IOFBF, sizeof(buffer));
    fwrite(header, 1, sizeof(header), m->out);
    make_traffic(m, flows);
    return fclose(m->out) == 0;
}

int main(int argc, char **argv)
{
    struct maker m = {.random = 88172645463325252u,
                      .now_us = 1700000000000000u};
    uint64_t flows;

    if (argc != 7 || !parse_u64(slice_of_text(argv[3]), 1, 10000000, &flows) ||
        !parse_u64(slice_of_text(argv[4]), 1, 10000, &m.packets_each) ||
        !parse_u64(slice_of_text(argv[5]), 0, 100, &m.registered_percent) ||
        !parse_u64(slice_of_text(argv[6]), 1, 60000, &m.prefixes)) {
        fputs("usage: traffic_tool CAPTURE ENDPOINTS.csv FLOWS PACKETS "
              "REGISTERED_PERCENT PREFIXES\n",
              stderr);
        return 2;
    }
    if (!write_capture(&m, argv[1], flows) ||
        !write_endpoints(argv[2], m.prefixes)) {
        perror("traffic_tool");
        return 1;
    }
    printf("%" PRIu64 " packets, %" PRIu64 " octets, %" PRIu64 " flows\n",
           m.packets, m.octets, flows);
    return 0;
}
