/*
 * Messages of routers for tests and benchmarks.
 *
 *   netflow_tool make FILE RECORDS ENDPOINTS PERCENT   IPFIX messages of 25
 *                            records each; ENDPOINTS.csv gets the registered
 *                            network that so many of the flows go to
 *   netflow_tool decode FILE [ENDPOINTS]       reads the messages, ROUNDS times,
 *                            and with endpoints aggregates; CPU time per record
 *   netflow_tool send udp|tcp HOST PORT FILE [PAUSE_US]   sends the messages of
 *                            a file, one datagram each; pauses after 32
 *   netflow_tool cut IN OUT  the same records in messages that fit a datagram
 *                            of 1400 bytes (RFC 7011 10.3.3)
 *   netflow_tool hex udp|tcp HOST PORT FILE   the same of a hex text (hex.h)
 *   netflow_tool bytes FILE  its bytes to standard output
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "collector/netflow/aggregate.h"
#include "collector/netflow/netflow_session.h"
#include "common/buffer.h"
#include "common/cursor.h"
#include "common/wire/ipfix.h"
#include "common/wire/ipfix_decode.h"
#include "tests/collector/netflow/hex.h"

enum {
    RECORDS_EACH = 25,
    FILE_MAX = 1 << 30,
    TEMPLATE = 256,
    ROUNDS = 5,
    TEMPLATE_EVERY = 1000, /* messages */
    PAUSE_EVERY = 32,
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "netflow_tool: %s\n", what);
    exit(1);
}

/* What a router sends of a flow; 13 fields, 55 bytes. */
static const struct {
    uint16_t id, length;
} FIELDS[] = {
    {8, 4}, {12, 4}, {7, 2},  {11, 2},  {4, 1},   {6, 1},   {1, 8},
    {2, 8}, {10, 4}, {14, 4}, {152, 8}, {153, 8}, {136, 1},
};
enum { FIELD_COUNT = sizeof(FIELDS) / sizeof(FIELDS[0]) };

static void add_template(struct buffer *b)
{
    buffer_add_u16(b, IPFIX_SET_TEMPLATE);
    buffer_add_u16(b, 8 + 4 * FIELD_COUNT);
    buffer_add_u16(b, TEMPLATE);
    buffer_add_u16(b, FIELD_COUNT);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        buffer_add_u16(b, FIELDS[i].id);
        buffer_add_u16(b, FIELDS[i].length);
    }
}

/* Records in pairs, the two directions of one flow. */
static void add_record(struct buffer *b, uint64_t number, uint64_t percent,
                       uint64_t now_ms)
{
    uint64_t flow = number / 2;
    uint32_t inside =
        0x0a000000 + (uint32_t)(flow * 2654435761u >> 12 & 0xffff);
    uint32_t outside = (flow % 100 < percent ? 0xc6120000 : 0x08000000) +
                       (uint32_t)(flow * 40503 & 0xffff);
    bool is_reverse = number & 1;
    uint16_t port = (uint16_t)(1024 + flow % 60000);
    buffer_add_u32(b, is_reverse ? outside : inside);
    buffer_add_u32(b, is_reverse ? inside : outside);
    buffer_add_u16(b, is_reverse ? 443 : port);
    buffer_add_u16(b, is_reverse ? port : 443);
    buffer_add_u8(b, 6);
    buffer_add_u8(b, 0x1b);
    buffer_add_u64(b, 1000 + number % 5000);
    buffer_add_u64(b, 3 + number % 20);
    buffer_add_u32(b, 1);
    buffer_add_u32(b, 2);
    buffer_add_u64(b, now_ms - 5000);
    buffer_add_u64(b, now_ms - 1000);
    buffer_add_u8(b, 3);
}

static void add_message(struct buffer *b, uint64_t first, uint64_t count,
                        bool has_template, uint64_t percent, uint64_t now_ms)
{
    size_t start = b->length;
    buffer_add_u16(b, IPFIX_VERSION);
    buffer_add_u16(b, 0);
    buffer_add_u32(b, (uint32_t)(now_ms / 1000));
    buffer_add_u32(b, (uint32_t)first);
    buffer_add_u32(b, 7);
    if (has_template)
        add_template(b);
    size_t set = b->length;
    buffer_add_u16(b, TEMPLATE);
    buffer_add_u16(b, 0);
    for (uint64_t i = 0; i < count; i++)
        add_record(b, first + i, percent, now_ms);
    buffer_put_u16(b, set + 2, (uint16_t)(b->length - set));
    buffer_put_u16(b, start + 2, (uint16_t)(b->length - start));
}

static void write_file(const char *path, const void *data, size_t length)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(data, 1, length, f) != length || fclose(f) != 0)
        fail(path);
}

static int make(char **argv)
{
    static const char ENDPOINTS[] =
        "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
        "shared\n"
        "cloud-1,SUP-1,SRV-1,198.18.0.0/16,,tcp,443,2020-01-01,,no\n";
    uint64_t records = strtoull(argv[1], NULL, 10);
    uint64_t percent = strtoull(argv[3], NULL, 10);
    uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    for (uint64_t at = 0; at < records; at += RECORDS_EACH)
        add_message(&b, at,
                    records - at < RECORDS_EACH ? records - at : RECORDS_EACH,
                    at / RECORDS_EACH % TEMPLATE_EVERY == 0, percent, now_ms);
    if (b.failed)
        fail("out of memory");
    write_file(argv[0], b.data, b.length);
    write_file(argv[2], ENDPOINTS, strlen(ENDPOINTS));
    buffer_clear(&b);
    return 0;
}

/* --- decoding --- */

struct decoding {
    struct netflow_aggregate *aggregate; /* NULL: decode only */
    struct netflow_origin origin;
    int64_t now_ms;
    uint64_t octets, flows;
};

static void take_record(void *context, const struct netflow_record *record)
{
    struct decoding *d = context;
    d->octets += record->octets;
    if (d->aggregate != NULL)
        netflow_aggregate_add(d->aggregate, &d->origin, record, d->now_ms);
}

static void take_flow(void *context, uint32_t exporter, bool is_scaled,
                      const struct flow_record *flow)
{
    struct decoding *d = context;
    (void)exporter;
    (void)is_scaled;
    d->flows += flow->packets > 0;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t decode_all(struct decoding *d, const struct buffer *b)
{
    struct netflow_budget budget = {0, 1 << 26};
    struct netflow_session *session =
        netflow_session_new(NETFLOW_UDP, INT64_C(1800000), &budget);
    const uint8_t *at = (const uint8_t *)b->data;
    size_t left = b->length;
    while (left > 0) {
        int64_t length = netflow_message_length(at, left, true);
        if (length <= 0)
            fail("not messages to the end");
        netflow_session_take(session, at, (size_t)length, d->now_ms,
                             take_record, d);
        at += length;
        left -= (size_t)length;
    }
    if (d->aggregate != NULL)
        netflow_aggregate_drain(d->aggregate, d->now_ms, true);
    uint64_t records = netflow_session_counters(session)->records;
    netflow_session_free(session);
    return records;
}

static int decode(int argc, char **argv)
{
    struct buffer b;
    struct secret key = {{1}};
    struct netflow_tally tally = {0};
    struct error_text error;
    struct decoding d = {.origin.tally = &tally,
                         .now_ms = (int64_t)time(NULL) * 1000};
    buffer_init(&b, FILE_MAX);
    if (!buffer_read_file(&b, argv[0], FILE_MAX))
        fail(argv[0]);
    struct endpoint_list *list =
        argc > 1 ? endpoint_list_load(argv[1], &error) : NULL;
    if (argc > 1 && list == NULL)
        fail(error.text);
    if (list != NULL) {
        d.aggregate =
            netflow_aggregate_new(NETFLOW_FLOWS_MAX, &key, take_flow, &d);
        netflow_aggregate_set_endpoints(d.aggregate, list);
    }
    for (int i = 0; i < ROUNDS; i++) {
        double start = cpu_s();
        uint64_t records = decode_all(&d, &b);
        double used = cpu_s() - start;
        printf("%" PRIu64 " records, %.3f s, %.2f M records/s\n", records, used,
               (double)records / used / 1e6);
    }
    printf("octets %" PRIu64 ", flows %" PRIu64 ", kept %" PRIu64
           ", elsewhere %" PRIu64 "\n",
           d.octets, d.flows, tally.kept, tally.elsewhere);
    netflow_aggregate_free(d.aggregate);
    endpoint_list_free(list);
    buffer_clear(&b);
    return 0;
}

/* --- sending --- */

static int connect_to(int kind, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = kind}, *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        fail(host);
    int fd = socket(found->ai_family, kind, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        fail("cannot connect");
    freeaddrinfo(found);
    return fd;
}

/* A whole file as one message when it is none that can be cut. */
static size_t next_length(const uint8_t *at, size_t left, bool is_udp)
{
    int64_t length = netflow_message_length(at, left, true);
    size_t most = is_udp ? 65000 : 65535;
    if (length <= 0 || (size_t)length > left)
        return left < most ? left : most;
    return (size_t)length;
}

static void send_all(int fd, const uint8_t *at, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, at, length);
        if (n < 0)
            return; /* refused by a closed port, or by the peer */
        at += n;
        length -= (size_t)n;
    }
}

static int send_file(int argc, char **argv)
{
    struct buffer b;
    bool is_udp = strcmp(argv[0], "udp") == 0;
    uint64_t pause_us = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    int fd = connect_to(is_udp ? SOCK_DGRAM : SOCK_STREAM, argv[1], argv[2]);
    buffer_init(&b, FILE_MAX);
    if (!buffer_read_file(&b, argv[3], FILE_MAX))
        fail(argv[3]);
    const uint8_t *at = (const uint8_t *)b.data;
    uint64_t sent = 0;
    for (size_t left = b.length; left > 0;) {
        size_t length = next_length(at, left, is_udp);
        send_all(fd, at, length);
        at += length;
        left -= length;
        if (pause_us > 0 && ++sent % PAUSE_EVERY == 0)
            usleep((useconds_t)pause_us);
    }
    close(fd);
    buffer_clear(&b);
    return 0;
}

/* --- cutting --- */

struct cutting {
    const uint8_t *message; /* being read */
    struct buffer out;
    size_t start, set; /* of the message and set being written; set 0: none */
    uint16_t set_id;
    uint32_t sequence, records, domain, time_s;
};

static void end_message(struct cutting *c)
{
    if (c->set > 0)
        buffer_put_u16(&c->out, c->set + 2, (uint16_t)(c->out.length - c->set));
    if (c->out.length > c->start)
        buffer_put_u16(&c->out, c->start + 2,
                       (uint16_t)(c->out.length - c->start));
    c->sequence += c->records;
    c->records = 0;
    c->set = 0;
    c->start = c->out.length;
}

static void begin_message(struct cutting *c)
{
    buffer_add_u16(&c->out, IPFIX_VERSION);
    buffer_add_u16(&c->out, 0);
    buffer_add_u32(&c->out, c->time_s);
    buffer_add_u32(&c->out, c->sequence);
    buffer_add_u32(&c->out, c->domain);
}

static bool cut_record(void *context, const struct ipfix_record *r)
{
    enum { MOST = 1400 };
    struct cutting *c = context;
    c->domain = r->domain;
    c->time_s = r->export_time_s;
    if (c->out.length > c->start &&
        c->out.length - c->start + r->length + IPFIX_SET_HEADER_LEN > MOST)
        end_message(c);
    if (c->out.length == c->start)
        begin_message(c);
    if (c->set == 0 || c->set_id != r->template_id) {
        if (c->set > 0)
            buffer_put_u16(&c->out, c->set + 2,
                           (uint16_t)(c->out.length - c->set));
        c->set = c->out.length;
        c->set_id = r->template_id;
        buffer_add_u16(&c->out, r->template_id);
        buffer_add_u16(&c->out, 0);
    }
    buffer_add(&c->out, c->message + r->offset, r->length);
    c->records++;
    return true;
}

/* Templates first, in a message of their own. */
static void copy_templates(struct cutting *c, size_t length)
{
    struct cursor in = cursor_of(c->message, length);
    cursor_skip(&in, 4);
    c->time_s = cursor_u32(&in);
    cursor_skip(&in, 4);
    c->domain = cursor_u32(&in);
    begin_message(c);
    while (cursor_left(&in) > 0) {
        const uint8_t *set = c->message + in.offset;
        uint16_t id = cursor_u16(&in), size = cursor_u16(&in);
        cursor_skip(&in, size - (size_t)IPFIX_SET_HEADER_LEN);
        if (id < IPFIX_SET_DATA_MIN)
            buffer_add(&c->out, set, size);
    }
    end_message(c);
}

static int cut(char **argv)
{
    struct cutting c = {0};
    struct buffer in;
    struct ipfix_session *session = ipfix_session_new();
    buffer_init(&in, FILE_MAX);
    buffer_init(&c.out, FILE_MAX);
    if (!buffer_read_file(&in, argv[0], FILE_MAX))
        fail(argv[0]);
    c.message = (const uint8_t *)in.data;
    for (size_t left = in.length; left > 0;) {
        int length = ipfix_message_length(c.message, left);
        if (length <= 0 || (size_t)length > left)
            fail("not IPFIX to the end");
        copy_templates(&c, (size_t)length);
        if (ipfix_decode_message(session, c.message, (size_t)length, cut_record,
                                 &c) != IPFIX_OK)
            fail("not IPFIX");
        end_message(&c);
        c.message += length;
        left -= (size_t)length;
    }
    write_file(argv[1], c.out.data, c.out.length);
    ipfix_session_free(session);
    buffer_clear(&in);
    buffer_clear(&c.out);
    return 0;
}

/* The messages of a hex text, each as often as it says. */
static void send_text(int fd, FILE *f)
{
    struct buffer text, bytes;
    uint32_t counter = 0;
    buffer_init(&text, HEX_MESSAGE_MAX);
    buffer_init(&bytes, HEX_MESSAGE_MAX);
    while (hex_read(f, &text))
        for (unsigned long n = hex_times(&text); n > 0; n--) {
            if (!hex_bytes(&text, &bytes, &counter))
                fail("not hex");
            send_all(fd, (const uint8_t *)bytes.data, bytes.length);
        }
    buffer_clear(&text);
    buffer_clear(&bytes);
}

static int send_hex(int fd, const char *path)
{
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail(path);
    send_text(fd, f);
    fclose(f);
    close(fd);
    return 0;
}

static int hex(char **argv)
{
    bool is_udp = strcmp(argv[0], "udp") == 0;
    return send_hex(
        connect_to(is_udp ? SOCK_DGRAM : SOCK_STREAM, argv[1], argv[2]),
        argv[3]);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(verb, "make") == 0 && argc == 6)
        return make(argv + 2);
    if (strcmp(verb, "decode") == 0 && argc >= 3)
        return decode(argc - 2, argv + 2);
    if (strcmp(verb, "send") == 0 && argc >= 6)
        return send_file(argc - 2, argv + 2);
    if (strcmp(verb, "bytes") == 0 && argc == 3)
        return send_hex(STDOUT_FILENO, argv[2]);
    if (strcmp(verb, "cut") == 0 && argc == 4)
        return cut(argv + 2);
    if (strcmp(verb, "hex") == 0 && argc == 6)
        return hex(argv + 2);
    fail("make FILE RECORDS ENDPOINTS PERCENT | decode FILE [ENDPOINTS] | "
         "send udp|tcp HOST PORT FILE [PAUSE_US] | cut IN OUT | "
         "hex udp|tcp HOST PORT FILE | bytes FILE");
}
