/* The meter, packet by packet: what is counted where, when flows end, which
 * names count. Times are given, nothing waits. */
#include "tests/probe/meter/scene.h"

/* --- counting --- */

static void test_session(void)
{
    begin("a whole TCP session: counts, flags, round trip, who opened", false,
          100);
    open_tcp(ERP);
    tcp(ERP, false, 101, 501, TCP_ACK | TCP_PSH, "0123456789", 10);
    tcp(ERP, true, 501, 111, TCP_ACK, "01234", 5);
    tcp(ERP, true, 506, 111, TCP_FIN | TCP_ACK, "", 0);
    tcp(ERP, false, 111, 507, TCP_FIN | TCP_ACK, "", 0);
    tcp(ERP, true, 507, 112, TCP_ACK, "", 0);
    CHECK_I64(t.count, 0);
    meter_advance(t.meter, (struct wall_time){t.now_us + 4 * S});
    CHECK_I64(t.count, 1);
    const struct flow *f = &t.flows[0];
    CHECK_I64(f->forward.packets, 4);
    CHECK_I64(f->forward.octets, 4 * 40 + 10);
    CHECK_I64(f->forward.payload, 10);
    CHECK_I64(f->reverse.packets, 4);
    CHECK_I64(f->reverse.payload, 5);
    CHECK_I64(f->forward.tcp_flags, TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN);
    CHECK_I64(f->reverse.tcp_flags, TCP_SYN | TCP_ACK | TCP_FIN);
    CHECK_I64(f->rtt_us, MS);
    CHECK_I64(f->start.us, START);
    CHECK_I64(f->end.us, START + 7 * MS);
    CHECK_I64(f->end_reason, FLOW_END_DETECTED);
    CHECK_I64(f->key.source_port, HOST_PORT);
    CHECK(!f->endpoint_is_source && f->is_counted);
    CHECK_TEXT(endpoint_id(t.list, f->endpoint), "erp");
    CHECK_I64(f->burst_count, 1);
    end(1);
}

static void test_filtered(void)
{
    begin("PRIV-03: unregistered address or port is counted as filtered only",
          false, 100);
    tcp(NEWS, false, 1, 0, TCP_SYN, "", 0);
    tcp(NEWS, true, 1, 2, TCP_SYN | TCP_ACK, "", 0);
    frame_of_tcp(&t.frame, HOST, 40000, ERP, 80, 1, 0, TCP_SYN, "", 0);
    send_frame();
    udp(ERP, false, "x", 1);
    CHECK_I64(meter_counters(t.meter)->filtered, 4);
    CHECK_I64(meter_counters(t.meter)->packets, 0);
    end(0);
    begin("undecodable packets are counted by reason", false, 100);
    frame_ethernet(&t.frame, 0x0806);
    send_frame();
    t.frame.length = 5;
    send_frame();
    meter_packet(t.meter, LINK_ETHERNET, t.frame.bytes, 5, 60,
                 (struct wall_time){START}, 0);
    const struct meter_counters *c = meter_counters(t.meter);
    CHECK_I64(c->undecodable[UNDECODABLE_LINK], 1);
    CHECK_I64(c->undecodable[UNDECODABLE_HEADER], 1);
    CHECK_I64(c->undecodable[UNDECODABLE_TRUNCATED], 1);
    end(0);
}

static void test_opener(void)
{
    begin("begun before the capture: the endpoint was opened to", false, 100);
    tcp(ERP, true, 501, 111, TCP_ACK, "01234", 5);
    end(1);
    CHECK_I64(t.flows[0].key.source_port, HOST_PORT);
    CHECK_I64(t.flows[0].reverse.packets, 1);
    begin("only the SYN/ACK was seen: its receiver opened", true, 100);
    tcp(ERP, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
    end(1);
    CHECK_I64(t.flows[0].key.source_port, HOST_PORT);
    CHECK_I64(t.flows[0].rtt_us, 0);
    begin("the endpoint opened the flow itself", false, 100);
    tcp(ERP, true, 500, 0, TCP_SYN, "", 0);
    end(1);
    CHECK(t.flows[0].endpoint_is_source);
    CHECK_I64(t.flows[0].key.source_port, 443);
    begin("a hello tells the client where no SYN did", true, 100);
    tcp(ERP, true, 501, 101, TCP_ACK, "\x01\x02", 2);
    send_hello(ERP, "erp.example");
    end(1);
    CHECK_I64(t.flows[0].key.source_port, HOST_PORT);
}

static void test_crossing(void)
{
    begin("both sides open at once and a SYN is sent again: one flow", false,
          100);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    tcp(ERP, true, 900, 0, TCP_SYN, "", 0);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    tcp(ERP, true, 900, 101, TCP_SYN | TCP_ACK, "", 0);
    tcp(ERP, false, 100, 901, TCP_SYN | TCP_ACK, "", 0);
    tcp(ERP, false, 101, 901, TCP_ACK, "", 0);
    end(1);
    CHECK_I64(t.flows[0].forward.packets, 4);
    CHECK_I64(t.flows[0].reverse.packets, 2);
}

static void test_again(void)
{
    begin("a new SYN on the same ports is a new flow", false, 100);
    open_tcp(ERP);
    tcp(ERP, true, 501, 0, TCP_RST, "", 0);
    tcp(ERP, false, 9000, 0, TCP_SYN, "", 0);
    tcp(ERP, false, 9000, 0, TCP_SYN, "", 0); /* sent again: the same one */
    CHECK_I64(t.count, 1);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_DETECTED);
    tcp(ERP, false, 77, 0, TCP_SYN, "", 0);
    CHECK_I64(t.count, 2);
    CHECK_I64(t.flows[1].forward.packets, 2);
    end(3);
    CHECK_I64(t.flows[2].end_reason, FLOW_END_FORCED);
}

static void test_fragments(void)
{
    begin("later fragments count in the flow of the first", false, 100);
    frame_ethernet(&t.frame, 0x0800);
    frame_ipv4(&t.frame, PROTOCOL_UDP, HOST, CDN, 24, 0x2000);
    frame_udp(&t.frame, HOST_PORT, 443, 1000);
    frame_add(&t.frame, "1234567812345678", 16);
    send_frame();
    frame_ethernet(&t.frame, 0x0800);
    frame_ipv4(&t.frame, PROTOCOL_UDP, HOST, CDN, 8, 0x0003);
    frame_add(&t.frame, "12345678", 8);
    send_frame();
    end(1);
    CHECK_I64(t.flows[0].forward.packets, 2);
    CHECK_I64(t.flows[0].forward.payload, 24);
    begin("a later fragment alone has no ports, so it is not registered", false,
          100);
    send_frame();
    CHECK_I64(meter_counters(t.meter)->filtered, 1);
    end(0);
}

static void test_vlan(void)
{
    static const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x07};
    begin("seen with and without its tag, it is one flow", false, 100);
    udp(CDN, false, "x", 1);
    udp(CDN, true, "y", 1);
    memmove(t.frame.bytes + 16, t.frame.bytes + 12, t.frame.length - 12);
    memcpy(t.frame.bytes + 12, tag, 4);
    t.frame.length += 4;
    send_frame();
    end(1);
    CHECK_I64(t.flows[0].key.vlan, 7);
    CHECK_I64(t.flows[0].reverse.packets, 2);
}

static void test_bursts(void)
{
    begin("bursts: requests with a second between them", false, 100);
    for (int i = 0; i < 3; i++) {
        udp(CDN, false, "a", 1);
        udp(CDN, false, "b", 1);
        udp(CDN, true, "answer", 6);
        t.now_us += 5 * S;
        udp(CDN, true, "late answer", 11);
    }
    end(1);
    CHECK_I64(t.flows[0].burst_count, 3);
}

/* --- time --- */

static void test_timeouts(void)
{
    begin("idle: a pause of more than 30 s splits", false, 100);
    udp(CDN, false, "x", 1);
    t.now_us += 30 * S - MS;
    udp(CDN, false, "x", 1);
    t.now_us += 31 * S;
    udp(CDN, false, "x", 1);
    CHECK_I64(t.count, 1);
    CHECK_I64(t.flows[0].forward.packets, 2);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_IDLE);
    meter_advance(t.meter, (struct wall_time){t.now_us + 40 * S});
    CHECK_I64(t.count, 2);
    end(2);
    begin("active: reported every 300 s, and the parts add up", false, 100);
    for (int i = 0; i < 100; i++) {
        udp(CDN, false, "x", 1);
        t.now_us += 10 * S - MS;
    }
    end(4);
    uint64_t packets = 0;
    for (int i = 0; i < 4; i++)
        packets += t.flows[i].forward.packets;
    CHECK_I64(packets, 100);
    CHECK_I64(t.flows[0].forward.packets, 30);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_ACTIVE);
    CHECK_I64(t.flows[1].start.us, START + 300 * (int64_t)S);
    CHECK_I64(t.flows[3].end_reason, FLOW_END_FORCED);
}

static void test_jumps(void)
{
    begin("a jump back ends all flows; nothing is lost, no time runs backwards",
          false, 100);
    udp(CDN, false, "x", 1);
    t.now_us += 365 * 86400 * (int64_t)S;
    udp(CDN, false, "x", 1);
    t.now_us = START + S;
    udp(CDN, false, "x", 1);
    t.now_us = START + S / 2; /* a little disorder is none */
    udp(CDN, false, "x", 1);
    end(3);
    uint64_t packets = 0;
    for (int i = 0; i < 3; i++) {
        packets += t.flows[i].forward.packets;
        CHECK(t.flows[i].end.us >= t.flows[i].start.us);
    }
    CHECK_I64(packets, 4);
    CHECK_I64(t.flows[2].start.us, START + S / 2);
}

static void test_eviction(void)
{
    begin("full: the oldest flow makes room and is counted", false, 2);
    for (unsigned i = 0; i < 3; i++) {
        frame_of_udp(&t.frame, HOST, 1000 + i, CDN, 443, "x", 1);
        send_frame();
        t.now_us += 2 * S;
    }
    CHECK_I64(t.count, 1);
    CHECK_I64(t.flows[0].key.source_port, 1000);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_RESOURCES);
    CHECK_I64(meter_counters(t.meter)->evicted, 1);
    CHECK_I64(meter_counters(t.meter)->flows, 3);
    end(3);
}

/* --- names --- */

static void test_hello_orders(void)
{
    /* Pieces of a hello of four segments, in the order of their sending. */
    static const struct {
        const char *name;
        int order[6];
    } cases[] = {
        {"hello over segments", {0, 1, 2, 3, -1}},
        {"hello out of order", {2, 1, 3, 0, -1}},
        {"hello backwards", {3, 2, 1, 0, -1}},
        {"hello with segments sent again", {0, 0, 2, 1, 2, 3}},
    };
    struct frame record;
    make_hello(&record, "erp.example", 1500);
    size_t piece = record.length / 4 + 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(cases[i].name, false, 100);
        open_tcp(ERP);
        for (int k = 0; k < 6 && cases[i].order[k] >= 0; k++) {
            size_t at = (size_t)cases[i].order[k] * piece;
            size_t n = record.length - at < piece ? record.length - at : piece;
            tcp(ERP, false, 101 + (uint32_t)at, 501, TCP_ACK, record.bytes + at,
                n);
        }
        end(1);
        CHECK_TEXT(t.texts[0].name, "erp.example");
        CHECK_I64(t.flows[0].name_evidence, NAME_SNI);
        CHECK_TEXT(t.texts[0].application, "TLS");
    }
}

static void test_token(void)
{
    uint8_t randoms[64];
    memset(randoms, 0x5a, 32);
    memset(randoms + 32, 0x77, 32);
    struct digest want = digest_of(randoms, sizeof(randoms));
    begin("flow token of both randoms, past a HelloRetryRequest", false, 100);
    open_tcp(ERP);
    send_hello(ERP, "erp.example");
    static const uint8_t retry[32] = {
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
        0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
        0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    uint8_t first[60];
    memcpy(first, server_hello(0), sizeof(first));
    memcpy(first + 11, retry, sizeof(retry));
    tcp(ERP, true, 501, 300, TCP_ACK, first, sizeof(first));
    tcp(ERP, true, 561, 300, TCP_ACK, server_hello(0x77), 60);
    end(1);
    CHECK(memcmp(t.flows[0].token, want.bytes, FLOW_TOKEN_LEN) == 0);
    begin("half a handshake gives no token", false, 100);
    open_tcp(ERP);
    send_hello(ERP, "erp.example");
    end(1);
    static const uint8_t none[FLOW_TOKEN_LEN];
    CHECK(memcmp(t.flows[0].token, none, FLOW_TOKEN_LEN) == 0);
    CHECK_I64(strlen(t.texts[0].fingerprint), 36);
}

static const struct {
    const char *name;
    uint32_t server;
    const char *sni;
    const char *endpoint;
    enum name_evidence evidence;
    bool is_counted;
} name_cases[] = {
    {"the registered name", ERP, "ERP.example", "erp", NAME_SNI, true},
    {"VER-02: another name on an address of its own counts, marked", ERP,
     "www.example", "erp", NAME_MISMATCH, true},
    {"no name on an address of its own", ERP, NULL, "erp", NAME_NONE, true},
    {"VER-21: shared, one service's name", CDN, "a.mes.example", "mes",
     NAME_SNI, true},
    {"VER-21: shared, the other service's name", CDN, "iot.example", "iot",
     NAME_SNI, true},
    {"VER-21: shared, a foreign name does not count", CDN, "www.example", NULL,
     NAME_MISMATCH, false},
    {"VER-21: shared, no name does not count", CDN, NULL, NULL, NAME_NONE,
     false},
    {"no names registered: none to differ from", PLAIN, "www.example", "plain",
     NAME_NONE, true},
};

static void test_names(void)
{
    for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
        begin(name_cases[i].name, false, 100);
        open_tcp(name_cases[i].server);
        send_hello(name_cases[i].server, name_cases[i].sni);
        meter_flush(t.meter);
        CHECK_I64(t.flows[0].name_evidence, name_cases[i].evidence);
        CHECK_I64(t.flows[0].is_counted, name_cases[i].is_counted);
        if (name_cases[i].endpoint != NULL)
            CHECK_TEXT(endpoint_id(t.list, t.flows[0].endpoint),
                       name_cases[i].endpoint);
        end(1);
    }
}

static void test_other_names(void)
{
    static const char get[] =
        "GET /secret HTTP/1.1\r\nHost: erp.example\r\n\r\n";
    static const char connect[] =
        "CONNECT erp.example:443 HTTP/1.1\r\nHost: proxy\r\n\r\n";
    struct frame record;
    begin("HTTP Host", false, 100);
    open_tcp(ERP);
    tcp(ERP, false, 101, 501, TCP_ACK, get, sizeof(get) - 1);
    end(1);
    CHECK_TEXT(t.texts[0].name, "erp.example");
    CHECK_I64(t.flows[0].name_evidence, NAME_HTTP_HOST);
    CHECK_TEXT(t.texts[0].application, "HTTP");
    begin("TLS behind a CONNECT", false, 100);
    open_tcp(ERP);
    tcp(ERP, false, 101, 501, TCP_ACK, connect, sizeof(connect) - 1);
    make_hello(&record, "erp.example", 0);
    tcp(ERP, false, 101 + sizeof(connect) - 1, 501, TCP_ACK, record.bytes,
        record.length);
    end(1);
    CHECK_I64(t.flows[0].name_source, NAME_SNI);
    CHECK_TEXT(t.texts[0].application, "TLS");
    begin("what is no name we know goes to nDPI", false, 100);
    open_tcp(ERP);
    tcp(ERP, false, 101, 501, TCP_ACK,
        "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04line", 18);
    tcp(ERP, true, 501, 119, TCP_ACK, "\x20\x02\x00\x00", 4);
    end(1);
    CHECK_TEXT(t.texts[0].application, "MQTT");
}

/* "D" might become DELETE, until something else follows. */
static void test_letter_before(void)
{
    begin("one letter, then a hello: name and token", false, 100);
    open_tcp(CDN);
    tcp(CDN, false, 101, 501, TCP_ACK, "D", 1);
    tcp(CDN, true, 501, 102, TCP_ACK, "P", 1);
    struct frame record;
    make_hello(&record, "iot.example", 0);
    tcp(CDN, false, 102, 502, TCP_ACK, record.bytes, record.length);
    tcp(CDN, true, 502, 400, TCP_ACK, server_hello(9), 60);
    end(1);
    CHECK_TEXT(t.texts[0].name, "iot.example");
    CHECK(t.flows[0].token[0] != 0 || t.flows[0].token[1] != 0);
}

static void test_server_names(void)
{
    struct frame record;
    static const char request[] = "GET / HTTP/1.1\r\nHost: iot.example\r\n\r\n";
    make_hello(&record, "iot.example", 0);
    begin("a hello from the server's side names nothing", false, 100);
    open_tcp(CDN);
    send_hello(CDN, "other.example");
    tcp(CDN, true, 501, 400, TCP_ACK, record.bytes, record.length);
    end(1);
    CHECK_TEXT(t.texts[0].name, "other.example");
    CHECK(!t.flows[0].is_counted);
    begin("nor does a request from there", false, 100);
    open_tcp(CDN);
    send_hello(CDN, "other.example");
    tcp(CDN, true, 501, 400, TCP_ACK, request, sizeof(request) - 1);
    end(1);
    CHECK_TEXT(t.texts[0].name, "other.example");
    CHECK_I64(t.flows[0].name_source, NAME_SNI);
    CHECK(!t.flows[0].is_counted);
    begin("nor a second hello of the client", false, 100);
    open_tcp(CDN);
    send_hello(CDN, "other.example");
    tcp(CDN, false, 900, 501, TCP_ACK, record.bytes, record.length);
    end(1);
    CHECK_TEXT(t.texts[0].name, "other.example");
    CHECK(!t.flows[0].is_counted);
}

static void test_quic(void)
{
    static const uint8_t id[8] = {0x83, 0x94, 0xc8, 0xf0,
                                  0x3e, 0x51, 0x57, 0x08};
    struct digest want = digest_of(id, sizeof(id));
    struct buffer packet;
    begin("QUIC: name, evidence, token of the first connection id", true, 100);
    CHECK(buffer_read_file(&packet,
                           "tests/data/quic/rfc9001-client-initial.bin", 4096));
    udp(CDN, true, "\x40short header first", 19);
    udp(CDN, false, packet.data, packet.length);
    udp(CDN, true, "\x40short", 6);
    buffer_clear(&packet);
    end(1);
    CHECK_TEXT(t.texts[0].name, "example.com");
    CHECK_I64(t.flows[0].name_evidence, NAME_QUIC_SNI);
    CHECK_TEXT(t.texts[0].application, "QUIC");
    CHECK(memcmp(t.flows[0].token, want.bytes, FLOW_TOKEN_LEN) == 0);
    CHECK_I64(t.flows[0].key.source_port, HOST_PORT);
}

/* More hellos under way than places to gather them: the flows are counted,
 * those that lost their place have no name, the last ones have. */
static void test_many_hellos(void)
{
    enum { MANY = 400 };
    struct frame record;
    begin("more half hellos than places", false, 1000);
    make_hello(&record, "erp.example", 500);
    for (int half = 0; half < 2; half++)
        for (unsigned i = 0; i < MANY; i++) {
            size_t at = half == 0 ? 0 : 300;
            size_t n = half == 0 ? 300 : record.length - 300;
            frame_of_tcp(&t.frame, HOST, 1000 + i, ERP, 443, 1 + (uint32_t)at,
                         1, TCP_ACK, record.bytes + at, n);
            send_frame();
        }
    CHECK_I64(meter_counters(t.meter)->active_flows, MANY);
    CHECK_I64(meter_counters(t.meter)->packets, 2 * MANY);
    meter_flush(t.meter);
    t.count = 0;
    end(0);
}

/* --- a connection stays known --- */

/* Opened, and both hellos seen: a name, a fingerprint, a token. */
static void open_known(void)
{
    open_tcp(ERP);
    send_hello(ERP, "erp.example");
    tcp(ERP, true, 501, 300, TCP_ACK, server_hello(0x33), 60);
}

static void close_known(void)
{
    tcp(ERP, true, 561, 300, TCP_ACK | TCP_FIN, "", 0);
    tcp(ERP, false, 300, 562, TCP_ACK | TCP_FIN, "", 0);
    tcp(ERP, true, 562, 301, TCP_ACK, "", 0);
}

static void pause_s(int64_t seconds)
{
    t.now_us += seconds * S;
    meter_advance(t.meter, (struct wall_time){t.now_us});
}

/* The last two records are of one connection, which the later one began. */
static void check_same(const struct flow *a, const struct flow *b)
{
    static const uint8_t none[FLOW_TOKEN_LEN];
    CHECK(memcmp(a->token, none, FLOW_TOKEN_LEN) != 0);
    CHECK(memcmp(a->token, b->token, FLOW_TOKEN_LEN) == 0);
    CHECK(memcmp(a->fingerprint, b->fingerprint, FINGERPRINT_LEN) == 0);
    CHECK_I64(b->name_evidence, NAME_SNI);
    CHECK_I64(b->key.source_port, HOST_PORT);
    CHECK_I64(b->rtt_us, a->rtt_us);
    CHECK(b->is_answered);
}

static void test_pause(void)
{
    begin("a connection that was silent for longer than the idle timeout goes "
          "on under its name and token",
          false, 100);
    open_known();
    pause_s(60); /* a keep-alive */
    CHECK_I64(t.count, 1);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_IDLE);
    CHECK_I64(meter_counters(t.meter)->active_flows, 0);
    tcp(ERP, true, 561, 300, TCP_ACK, "after a while", 13);
    CHECK_I64(meter_counters(t.meter)->active_flows, 1);
    CHECK_I64(meter_counters(t.meter)->flows, 2);
    pause_s(7200); /* the longest that is usual */
    tcp(ERP, false, 300, 574, TCP_ACK, "and again", 9);
    end(3);
    check_same(&t.flows[0], &t.flows[1]);
    check_same(&t.flows[0], &t.flows[2]);
    CHECK_I64(t.flows[1].forward.packets, 0);
    CHECK_I64(t.flows[1].reverse.payload, 13);
    CHECK_I64(t.flows[2].forward.payload, 9);
    begin("... but not for ever", false, 100);
    open_known();
    pause_s(31);
    pause_s(9000);
    tcp(ERP, false, 300, 561, TCP_ACK, "who?", 4);
    end(2);
    CHECK_I64(t.flows[1].name_evidence, NAME_NONE);
    CHECK(!t.flows[1].is_answered);
}

static void test_late_packet(void)
{
    begin("what comes late of a closed connection is its own, and no new one",
          false, 100);
    open_known();
    close_known();
    pause_s(10);
    CHECK_I64(t.count, 1);
    tcp(ERP, false, 301, 562, TCP_RST | TCP_ACK, "", 0);
    end(2);
    check_same(&t.flows[0], &t.flows[1]);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_DETECTED);
    CHECK_I64(t.flows[1].end_reason, FLOW_END_DETECTED);
    CHECK_I64(t.flows[1].forward.packets, 1);
    begin("a SYN with the same addresses and ports is another connection",
          false, 100);
    open_known();
    close_known();
    pause_s(10);
    tcp(ERP, false, 9000, 0, TCP_SYN, "", 0);
    end(2);
    CHECK_I64(t.flows[1].name_evidence, NAME_NONE);
    CHECK_I64(t.flows[1].forward.packets, 1);
}

/* What is only remembered has no counts to lose. */
static void test_remembered_make_room(void)
{
    enum { LIMIT = 8 };
    begin("those that are only remembered make room, and nobody is evicted",
          false, LIMIT);
    open_known();
    close_known();
    pause_s(10);
    for (unsigned i = 0; i < LIMIT; i++) {
        frame_of_tcp(&t.frame, HOST, 1000 + i, ERP, 443, 1, 0, TCP_SYN, "", 0);
        send_frame();
    }
    CHECK_I64(t.count, 1);
    CHECK_I64(meter_counters(t.meter)->evicted, 0);
    CHECK_I64(meter_counters(t.meter)->active_flows, LIMIT);
    end(1 + LIMIT);
}

int main(void)
{
    test_session();
    test_filtered();
    test_opener();
    test_crossing();
    test_again();
    test_fragments();
    test_vlan();
    test_bursts();
    test_timeouts();
    test_jumps();
    test_eviction();
    test_hello_orders();
    test_token();
    test_names();
    test_other_names();
    test_letter_before();
    test_server_names();
    test_quic();
    test_many_hellos();
    test_pause();
    test_late_packet();
    test_remembered_make_room();
    return test_end();
}
