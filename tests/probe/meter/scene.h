/* A meter with registered endpoints, and packets of a TCP or UDP conversation
 * between one inside host and a server; flows that come out are kept. */
#ifndef TESTS_PROBE_METER_SCENE_H
#define TESTS_PROBE_METER_SCENE_H

#include "tests/test.h"

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "probe/meter/meter.h"
#include "tests/probe/meter/packets.h"

enum { HOST = 0x0a4d0005, HOST_PORT = 40000, MS = 1000, S = 1000 * MS };
static const uint32_t ERP = 0xcb007107;   /* 203.0.113.7, alone */
static const uint32_t CDN = 0xcb007108;   /* 203.0.113.8, shared */
static const uint32_t PLAIN = 0xcb007109; /* 203.0.113.9, no host names */
static const uint32_t NEWS = 0xc6336401;  /* 198.51.100.1, not registered */
static const int64_t START = 1700000000000000;

static const char endpoints[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "erp,a,erp,203.0.113.7,,tcp,443,,,no\n"
    "erp,a,erp,,erp.example,tcp,443,,,no\n"
    "mes,b,mes,203.0.113.8,,,443,,,yes\n"
    "mes,b,mes,,*.mes.example,,443,,,yes\n"
    "iot,c,iot,203.0.113.8,,,443,,,yes\n"
    "iot,c,iot,,iot.example,,443,,,yes\n"
    "plain,d,plain,203.0.113.9,,,,,,no\n";

enum { FLOWS_MAX = 64 };
static struct {
    struct meter *meter;
    struct endpoint_list *list;
    struct flow flows[FLOWS_MAX];
    struct { /* borrowed by the flow, so copied */
        char name[FLOW_NAME_LEN];
        char alpn[FLOW_NAME_LEN];
        char application[APPLICATION_LEN];
        char fingerprint[FINGERPRINT_TEXT_LEN];
    } texts[FLOWS_MAX];
    int count;
    int64_t now_us;
    struct frame frame;
    struct meter_options options; /* others than those of begin() */
    unsigned point;
} t;

static inline void on_flow(void *context, const struct flow *flow)
{
    (void)context;
    if (t.count >= FLOWS_MAX)
        return;
    t.flows[t.count] = *flow;
    snprintf(t.texts[t.count].name, FLOW_NAME_LEN, "%s", flow->name);
    snprintf(t.texts[t.count].alpn, FLOW_NAME_LEN, "%s", flow->alpn);
    snprintf(t.texts[t.count].application, APPLICATION_LEN, "%s",
             flow->application);
    snprintf(t.texts[t.count].fingerprint, FINGERPRINT_TEXT_LEN, "%s",
             flow->fingerprint_text);
    t.count++;
}

static inline void begin(const char *name, bool is_any, uint64_t limit)
{
    struct meter_options options = t.options;
    struct error_text error;
    options.flow_limit = limit;
    options.idle_timeout_s = 30;
    options.active_timeout_s = 300;
    options.keeps_texts = true;
    test_case(name);
    t.count = 0;
    t.now_us = START;
    t.list = is_any ? endpoint_list_any()
                    : endpoint_list_parse(slice_of_text(endpoints), "test.csv",
                                          &error);
    CHECK(t.list != NULL);
    t.meter = meter_new(&options, t.list, on_flow, NULL, &error);
    CHECK(t.meter != NULL);
}

static inline void end(int flows)
{
    meter_flush(t.meter);
    CHECK_I64(t.count, flows);
    CHECK_I64(meter_counters(t.meter)->active_flows, 0);
    meter_free(t.meter);
    endpoint_list_free(t.list);
}

static inline void send_frame(void)
{
    meter_packet(t.meter, LINK_ETHERNET, t.frame.bytes, t.frame.length,
                 t.frame.length, (struct wall_time){t.now_us}, t.point);
    t.now_us += MS;
}

/* From the host to the server, or back. */
static inline void tcp(uint32_t server, bool is_back, uint32_t sequence,
                       uint32_t acknowledgement, unsigned flags,
                       const void *data, size_t length)
{
    if (is_back)
        frame_of_tcp(&t.frame, server, 443, HOST, HOST_PORT, sequence,
                     acknowledgement, flags, data, length);
    else
        frame_of_tcp(&t.frame, HOST, HOST_PORT, server, 443, sequence,
                     acknowledgement, flags, data, length);
    send_frame();
}

static inline void udp(uint32_t server, bool is_back, const void *data,
                       size_t length)
{
    if (is_back)
        frame_of_udp(&t.frame, server, 443, HOST, HOST_PORT, data, length);
    else
        frame_of_udp(&t.frame, HOST, HOST_PORT, server, 443, data, length);
    send_frame();
}

static inline void open_tcp(uint32_t server)
{
    tcp(server, false, 100, 0, TCP_SYN, "", 0);
    tcp(server, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
    tcp(server, false, 101, 501, TCP_ACK, "", 0);
}

static inline void make_hello(struct frame *record, const char *name,
                              size_t padding)
{
    struct frame message = {.length = 0};
    frame_client_hello(&message, name, 0x5a, padding);
    record->length = 0;
    frame_record(record, &message);
}

static inline void send_hello(uint32_t server, const char *name)
{
    struct frame record;
    make_hello(&record, name, 0);
    tcp(server, false, 101, 501, TCP_ACK, record.bytes, record.length);
}

static inline const uint8_t *server_hello(uint8_t random)
{
    static uint8_t bytes[60];
    memcpy(bytes, "\x16\x03\x03\x00\x37\x02\x00\x00\x33\x03\x03", 11);
    memset(bytes + 11, random, 32);
    return bytes;
}

#endif
