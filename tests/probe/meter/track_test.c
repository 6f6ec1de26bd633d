/* What the meter keeps of a flow over time: reports, round trips, data sent
 * again, observation points, tunnels, endpoint lists that change. */
#include "tests/probe/meter/scene.h"

#include "probe/meter/flow_table.h"

/* --- reports --- */

static void test_active_pause(void)
{
    begin("active: reported when due, though no packet comes", false, 100);
    udp(CDN, false, "x", 1);
    for (int i = 1; i < 300; i += 20) { /* by whoever else keeps time */
        t.now_us = START + i * (int64_t)S;
        udp(CDN, false, "x", 1);
    }
    meter_advance(t.meter, (struct wall_time){START + 300 * (int64_t)S - 1});
    CHECK_I64(t.count, 0);
    meter_advance(t.meter, (struct wall_time){START + 300 * (int64_t)S});
    CHECK_I64(t.count, 1);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_ACTIVE);
    CHECK_I64(t.flows[0].forward.packets, 16);
    CHECK_I64(t.flows[0].end.us, START + 281 * (int64_t)S);
    test_case("active: nothing came since, so there is nothing more to tell");
    meter_advance(t.meter, (struct wall_time){START + 400 * (int64_t)S});
    end(1);
}

static void test_active_order(void)
{
    begin("active: each flow has its own time, to the microsecond", true, 100);
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned k = 0; k < 3; k++) {
            frame_of_udp(&t.frame, HOST, 1000 + k, CDN, 443, "x", 1);
            send_frame();
            t.now_us += 2 * S;
        }
        t.now_us = START + (i + 1) * 10 * (int64_t)S;
    }
    end(6);
    for (int i = 0; i < 3; i++) {
        CHECK_I64(t.flows[i].end_reason, FLOW_END_ACTIVE);
        CHECK_I64(t.flows[i].forward.packets, 30);
        CHECK_I64(t.flows[i].key.source_port, 1000 + i);
        CHECK_I64(t.flows[3 + i].forward.packets, 10);
    }
}

static void test_steps_in_lists(void)
{
    begin("a small step back does not hold up reports or idle flows", false,
          100);
    udp(CDN, false, "x", 1);
    t.now_us += 20 * S;
    udp(CDN, false, "x", 1);
    t.now_us -= 15 * S; /* an NTP correction */
    udp(CDN, false, "x", 1);
    CHECK_I64(t.count, 0);
    t.now_us = START + 60 * (int64_t)S;
    udp(PLAIN, false, "x", 1);
    CHECK_I64(t.count, 1);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_IDLE);
    CHECK_I64(t.flows[0].forward.packets, 3);
    end(2);
    begin("closing flows end after a jump of a hundred years, and of 2^32 s",
          false, 100);
    for (int i = 0; i < 2; i++) {
        open_tcp(ERP);
        tcp(ERP, true, 501, 0, TCP_RST, "", 0);
        udp(CDN, false, "x", 1);
        t.now_us +=
            i == 0 ? INT64_C(3155760000) * S : (INT64_C(1) << 32) * S + S;
    }
    udp(PLAIN, false, "x", 1);
    CHECK_I64(t.count, 4);
    for (int i = 0; i < 4; i++)
        CHECK(t.flows[i].end.us - t.flows[i].start.us < S);
    end(5);
}

static void test_linger(void)
{
    enum { MANY = 3000 };
    begin("closed flows do not pile up: the table stays small", true, 8192);
    for (unsigned i = 0; i < MANY; i++) {
        frame_of_tcp(&t.frame, HOST, 1000 + i, ERP, 443, 1, 0, TCP_SYN, "", 0);
        send_frame();
        frame_of_tcp(&t.frame, ERP, 443, HOST, 1000 + i, 9, 2, TCP_RST, "", 0);
        send_frame();
        t.now_us -= 2 * MS - 1;
    }
    CHECK(meter_counters(t.meter)->active_flows <= 1100);
    CHECK_I64(meter_counters(t.meter)->evicted, 0);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_DETECTED);
    meter_flush(t.meter);
    t.count = 0;
    end(0);
}

static void test_reset_not_believed(void)
{
    begin("a RST that the ends do not believe: the flow keeps its name", false,
          100);
    open_tcp(CDN);
    send_hello(CDN, "iot.example");
    tcp(CDN, true, 9, 0, TCP_RST, "", 0);
    for (int i = 0; i < 20; i++) {
        tcp(CDN, true, 501 + (uint32_t)i, 300, TCP_ACK, "x", 1);
        t.now_us += 500 * MS;
    }
    CHECK_I64(t.count, 0);
    t.now_us += 40 * S;
    end(1);
    CHECK_I64(t.flows[0].reverse.packets, 22);
    CHECK(t.flows[0].is_counted);
    begin("a RST that is heeded ends the flow after a moment", false, 100);
    open_tcp(CDN);
    tcp(CDN, true, 9, 0, TCP_RST, "", 0);
    tcp(CDN, true, 501, 101, TCP_ACK, "x", 1); /* was on its way */
    meter_advance(t.meter, (struct wall_time){t.now_us + 5 * S});
    CHECK_I64(t.count, 1);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_DETECTED);
    end(1);
}

static void test_bursts_of_client(void)
{
    begin("bursts: what the server sent before the hello is none", true, 100);
    tcp(ERP, true, 700, 101, TCP_ACK, "220 ready", 9);
    t.now_us += 2 * S;
    send_hello(ERP, "erp.example");
    end(1);
    CHECK_I64(t.flows[0].key.source_port, HOST_PORT);
    CHECK_I64(t.flows[0].burst_count, 1);
}

/* --- TCP --- */

static void test_round_trips(void)
{
    begin("handshake: round trips to the server and to the client", false, 100);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    t.now_us += 19 * MS;
    tcp(ERP, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
    t.now_us += 6 * MS;
    tcp(ERP, false, 101, 501, TCP_ACK, "", 0);
    t.now_us += 50 * MS;
    tcp(ERP, false, 101, 501, TCP_ACK, "x", 1);
    end(1);
    CHECK_I64(t.flows[0].rtt_us, 20 * MS);
    CHECK_I64(t.flows[0].rtt_client_us, 7 * MS);
    CHECK(t.flows[0].is_answered);
    begin("handshake seen from its middle: nothing to reckon with", false, 100);
    tcp(ERP, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
    tcp(ERP, false, 101, 501, TCP_ACK, "", 0);
    end(1);
    CHECK_I64(t.flows[0].rtt_us, 0);
    CHECK_I64(t.flows[0].rtt_client_us, 0);
    CHECK(t.flows[0].is_answered);
}

static void test_answered(void)
{
    begin("a scan without answer", false, 100);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    end(1);
    CHECK(!t.flows[0].is_answered);
    begin("an opening that is refused", false, 100);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    tcp(ERP, true, 0, 101, TCP_RST | TCP_ACK, "", 0);
    end(1);
    CHECK(!t.flows[0].is_answered);
    begin("half a handshake, then the scanner's reset", false, 100);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    tcp(ERP, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
    tcp(ERP, false, 101, 501, TCP_RST, "", 0);
    end(1);
    CHECK(!t.flows[0].is_answered);
    begin("begun before the capture: payload both ways", false, 100);
    tcp(ERP, false, 700, 900, TCP_ACK, "x", 1);
    tcp(ERP, true, 900, 701, TCP_ACK, "y", 1);
    end(1);
    CHECK(t.flows[0].is_answered);
    begin("UDP one way, then both", false, 100);
    udp(PLAIN, false, "x", 1);
    meter_flush(t.meter);
    udp(PLAIN, false, "x", 1);
    udp(PLAIN, true, "", 0);
    end(2);
    CHECK(!t.flows[0].is_answered && t.flows[1].is_answered);
}

static void icmp(uint32_t from, uint32_t to, unsigned type)
{
    frame_ethernet(&t.frame, 0x0800);
    frame_ipv4(&t.frame, PROTOCOL_ICMP, from, to, 8, 0);
    frame_u32(&t.frame, type << 24);
    frame_u32(&t.frame, 1);
    send_frame();
}

static void test_icmp(void)
{
    begin("an echo and its answer are a flow, and no use", false, 100);
    icmp(HOST, PLAIN, 8);
    icmp(PLAIN, HOST, 0);
    end(1);
    CHECK_I64(t.flows[0].forward.packets + t.flows[0].reverse.packets, 2);
    CHECK(!t.flows[0].is_counted);
    begin("ICMPv6 as well, where every address counts", true, 100);
    frame_ethernet(&t.frame, 0x86dd);
    frame_ipv6(&t.frame, 58, 1, 2, 8);
    frame_u32(&t.frame, 0x80000000);
    frame_u32(&t.frame, 1);
    send_frame();
    end(1);
    CHECK(!t.flows[0].is_counted);
}

/* A segment of a stream: where it starts and how long it is. */
struct segment {
    uint32_t start, length;
    unsigned flags;
};

static const struct {
    const char *name;
    struct segment segments[6];
    unsigned count;
} segment_cases[] = {
    {"in order", {{1, 10, 0}, {11, 10, 0}, {21, 5, 0}}, 0},
    {"one sent again", {{1, 10, 0}, {11, 10, 0}, {11, 10, 0}}, 1},
    {"two and again", {{1, 9, 0}, {10, 9, 0}, {1, 18, 0}, {1, 9, 0}}, 2},
    {"out of order", {{1, 10, 0}, {21, 10, 0}, {11, 10, 0}, {31, 1, 0}}, 0},
    {"a gap filled from behind, then again",
     {{1, 10, 0}, {31, 10, 0}, {21, 10, 0}, {11, 10, 0}, {21, 10, 0}},
     1},
    {"lost before it came by, sent again once",
     {{1, 10, 0}, {21, 10, 0}, {31, 10, 0}, {11, 10, 0}},
     0},
    {"keepalives", {{1, 10, 0}, {10, 0, 0}, {10, 1, 0}, {10, 1, 0}}, 0},
    {"part of it is new", {{1, 10, 0}, {6, 10, 0}}, 0},
    {"FIN sent again", {{1, 10, TCP_FIN}, {11, 0, TCP_FIN}}, 1},
    {"past the end of the numbers",
     {{0xfffffff0, 16, 0}, {0, 10, 0}, {0xfffffff0, 16, 0}},
     1},
};

static void test_retransmissions(void)
{
    static const char data[32];
    size_t cases = sizeof(segment_cases) / sizeof(segment_cases[0]);
    for (size_t i = 0; i < cases; i++) {
        begin(segment_cases[i].name, false, 100);
        for (int k = 0; k < 6; k++) {
            const struct segment *s = &segment_cases[i].segments[k];
            if (s->length > 0 || s->flags != 0 || s->start != 0)
                tcp(ERP, true, s->start, 1, TCP_ACK | s->flags, data,
                    s->length);
        }
        end(1);
        CHECK_I64(t.flows[0].reverse.retransmissions, segment_cases[i].count);
        CHECK_I64(t.flows[0].forward.retransmissions, 0);
    }
    begin("SYN and SYN/ACK sent again", false, 100);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
    tcp(ERP, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
    tcp(ERP, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
    end(1);
    CHECK_I64(t.flows[0].forward.retransmissions, 1);
    CHECK_I64(t.flows[0].reverse.retransmissions, 1);
}

static void test_versions(void)
{
    uint8_t hello[60];
    begin("TLS version and ALPN: offered", false, 100);
    open_tcp(ERP);
    send_hello(ERP, "erp.example");
    end(1);
    CHECK_I64(t.flows[0].tls_version, 0x0304);
    CHECK_TEXT(t.texts[0].alpn, "h2");
    begin("TLS version: agreed on", false, 100);
    open_tcp(ERP);
    send_hello(ERP, "erp.example");
    memcpy(hello, server_hello(7), sizeof(hello));
    memset(hello + 43, 0,
           sizeof(hello) - 43); /* session id, suite, none else */
    tcp(ERP, true, 501, 300, TCP_ACK, hello, sizeof(hello));
    end(1);
    CHECK_I64(t.flows[0].tls_version, 0x0303);
}

/* --- observation points --- */

static void at_point(unsigned point)
{
    t.point = point;
    t.now_us -= MS; /* the copy comes a moment later */
    send_frame();
    t.point = 0;
}

static void test_points(void)
{
    t.options = (struct meter_options){.duplicate_window_ms = 1000};
    begin("seen at two points, counted once", false, 100);
    open_tcp(ERP);
    struct frame record;
    make_hello(&record, "erp.example", 600);
    for (size_t at = 0; at < record.length; at += 200) {
        size_t n = record.length - at < 200 ? record.length - at : 200;
        tcp(ERP, false, 101 + (uint32_t)at, 501, TCP_ACK, record.bytes + at, n);
        at_point(1);
    }
    const struct meter_counters *c = meter_counters(t.meter);
    uint64_t segments = (record.length + 199) / 200;
    CHECK_I64(c->duplicates, segments);
    CHECK_I64(c->packets, 3 + segments);
    test_case("the answer's owner is another point");
    frame_of_tcp(&t.frame, ERP, 443, HOST, HOST_PORT, 501, 900, TCP_ACK, "a",
                 1);
    t.now_us += 2 * S; /* the point of the handshake is long silent */
    t.point = 1;
    send_frame();
    at_point(0);
    CHECK_I64(c->duplicates, segments + 1);
    end(1);
    CHECK_TEXT(t.texts[0].name, "erp.example");
    CHECK_I64(t.flows[0].forward.retransmissions, 0);
    CHECK_I64(t.flows[0].forward.packets, 2 + segments);
    CHECK_I64(t.flows[0].reverse.packets, 2);
    begin("the owner fell silent: the other point takes over", false, 100);
    udp(CDN, false, "x", 1);
    t.now_us += 1000 * MS;
    at_point(1); /* a second later: still a duplicate */
    t.now_us += 2 * MS;
    at_point(1);
    at_point(0);
    CHECK_I64(meter_counters(t.meter)->duplicates, 2);
    end(1);
    CHECK_I64(t.flows[0].forward.packets, 2);
    t.options = (struct meter_options){0};
    begin("window 0: every point counts", false, 100);
    udp(CDN, false, "x", 1);
    at_point(1);
    end(1);
    CHECK_I64(t.flows[0].forward.packets, 2);
}

/* Each interface hands its packets over in blocks, so a short connection comes
 * whole from one, and then whole from the other. */
static void test_point_blocks(void)
{
    int64_t start = t.now_us;
    t.options = (struct meter_options){.duplicate_window_ms = 1000};
    begin("a whole connection at one point, then at the other: one flow", false,
          100);
    start = t.now_us;
    for (t.point = 0; t.point < 2; t.point++) {
        t.now_us = start;
        tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
        tcp(ERP, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
        tcp(ERP, false, 101, 501, TCP_ACK, "request", 7);
        tcp(ERP, true, 501, 108, TCP_ACK | TCP_FIN, "", 0);
        tcp(ERP, false, 108, 502, TCP_ACK | TCP_FIN, "", 0);
    }
    t.point = 0;
    CHECK_I64(meter_counters(t.meter)->duplicates, 5);
    end(1);
    CHECK_I64(t.flows[0].forward.packets, 3);
    CHECK_I64(t.flows[0].reverse.packets, 2);
    CHECK_I64(t.flows[0].end_reason, FLOW_END_DETECTED);
    t.options = (struct meter_options){0};
}

/* Many short connections in a block, from one interface and then the other. */
static void test_point_many(void)
{
    enum { MANY = 3000 };
    t.options = (struct meter_options){.duplicate_window_ms = 1000};
    begin("thousands of connections closed at one point, then at the other",
          true, 8192);
    int64_t start = t.now_us;
    for (t.point = 0; t.point < 2; t.point++) {
        t.now_us = start;
        for (unsigned i = 0; i < MANY; i++) {
            frame_of_tcp(&t.frame, HOST, 1000 + i, ERP, 443, 1, 0, TCP_SYN, "",
                         0);
            send_frame();
            frame_of_tcp(&t.frame, ERP, 443, HOST, 1000 + i, 9, 2, TCP_RST, "",
                         0);
            send_frame();
            t.now_us -= 2 * MS - 100;
        }
    }
    t.point = 0;
    CHECK_I64(meter_counters(t.meter)->packets, 2 * MANY);
    CHECK_I64(meter_counters(t.meter)->duplicates, 2 * MANY);
    test_case("and then they do not pile up");
    for (unsigned i = 0; i < 20000; i++) {
        frame_of_tcp(&t.frame, HOST, 5000 + i, ERP, 443, 1, 0, TCP_SYN, "", 0);
        send_frame();
        frame_of_tcp(&t.frame, ERP, 443, HOST, 5000 + i, 9, 2, TCP_RST, "", 0);
        send_frame();
        t.now_us -= MS; /* a thousand a second */
    }
    CHECK(meter_counters(t.meter)->active_flows <= 3100);
    meter_flush(t.meter);
    t.count = 0;
    end(0);
    t.options = (struct meter_options){0};
}

/* The client's port is used again before the other interface's block comes. */
static void test_point_port_again(void)
{
    int64_t start = t.now_us;
    t.options = (struct meter_options){.duplicate_window_ms = 1000};
    begin("a port used again: late copies of the connection before it", false,
          100);
    start = t.now_us;
    for (t.point = 0; t.point < 2; t.point++) {
        t.now_us = start;
        tcp(ERP, false, 100, 0, TCP_SYN, "", 0);
        tcp(ERP, true, 500, 101, TCP_SYN | TCP_ACK, "", 0);
        tcp(ERP, false, 101, 501, TCP_ACK, "request", 7);
        tcp(ERP, true, 501, 108, TCP_ACK | TCP_FIN, "", 0);
        tcp(ERP, false, 108, 502, TCP_ACK | TCP_FIN, "", 0);
        tcp(ERP, false, 7000, 0, TCP_SYN, "", 0);
    }
    t.point = 0;
    CHECK_I64(meter_counters(t.meter)->duplicates, 6);
    end(2);
    CHECK_I64(t.flows[0].forward.packets, 3);
    CHECK_I64(t.flows[0].reverse.packets, 2);
    CHECK_I64(t.flows[1].forward.packets, 1);
    CHECK_I64(t.flows[1].reverse.packets, 0);
    t.options = (struct meter_options){0};
}

static void send_tagged(void)
{
    static const uint8_t tag[4] = {0x81, 0x00, 0x00, 0x07};
    memmove(t.frame.bytes + 16, t.frame.bytes + 12, t.frame.length - 12);
    memcpy(t.frame.bytes + 12, tag, 4);
    t.frame.length += 4;
    send_frame();
}

static void test_tagged_points(void)
{
    for (int is_part = 0; is_part < 2; is_part++) {
        t.options = (struct meter_options){.duplicate_window_ms = 1000,
                                           .is_vlan_point = is_part == 1};
        begin(is_part ? "with and without its tag: counted once"
                      : "the tag is no part of the point: counted twice",
              false, 100);
        udp(CDN, false, "x", 1);
        send_tagged();
        CHECK_I64(meter_counters(t.meter)->duplicates, is_part);
        end(1);
        CHECK_I64(t.flows[0].forward.packets, 2 - is_part);
    }
    t.options = (struct meter_options){0};
}

/* --- tunnels --- */

static const uint32_t GATE_A = 0xc0000201, GATE_B = 0xc0000202;

/* IP in IP, `levels` deep, around a UDP packet to the server. */
static void tunnelled(uint32_t gate, uint32_t server, int levels)
{
    frame_ethernet(&t.frame, 0x0800);
    for (int i = levels; i > 0; i--)
        frame_ipv4(&t.frame, PROTOCOL_IPV4, GATE_A, gate,
                   (size_t)(20 * i + 8 + 4), 0);
    frame_ipv4(&t.frame, PROTOCOL_UDP, HOST, server, 12, 0);
    frame_udp(&t.frame, HOST_PORT, 443, 4);
    frame_add(&t.frame, "data", 4);
    send_frame();
}

static void test_tunnels(void)
{
    begin("tunnel: what is registered inside counts, with its own octets",
          false, 100);
    tunnelled(GATE_B, CDN, 1);
    tunnelled(GATE_B, CDN, 3);
    end(1);
    CHECK_I64(t.flows[0].forward.packets, 2);
    CHECK_I64(t.flows[0].forward.octets, 2 * 32);
    begin("tunnel: the registered end of the tunnel, when nothing is inside",
          false, 100);
    tunnelled(PLAIN, NEWS, 1);
    tunnelled(GATE_B, NEWS, 1);
    CHECK_I64(meter_counters(t.meter)->filtered, 1);
    end(1);
    CHECK_I64(t.flows[0].key.protocol, PROTOCOL_IPV4);
    CHECK_I64(t.flows[0].forward.octets, 52);
    begin("tunnel: deeper than three levels is not looked at", false, 100);
    tunnelled(GATE_B, CDN, 4);
    CHECK_I64(meter_counters(t.meter)->filtered, 1);
    end(0);
    begin("tunnel: where every address counts, the innermost", true, 100);
    tunnelled(GATE_B, NEWS, 2);
    CHECK_I64(meter_counters(t.meter)->packets, 1);
    end(1);
    CHECK_I64(t.flows[0].key.protocol, PROTOCOL_UDP);
}

/* --- endpoint lists --- */

static const char other_endpoints[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "new,z,new,198.51.100.1,,,,,,no\n"
    "plain,d,plain,203.0.113.9,,,,,,no\n"
    "iot,c,iot,203.0.113.8,,,443,,,yes\n"
    "iot,c,iot,,iot.example,,443,,,yes\n";

static void test_exchange(void)
{
    struct error_text error;
    begin("another list: flows go on under their id, or end", false, 100);
    struct endpoint_list *other = endpoint_list_parse(
        slice_of_text(other_endpoints), "other.csv", &error);
    open_tcp(ERP);
    send_hello(ERP, "erp.example");
    open_tcp(CDN);
    send_hello(CDN, "iot.example");
    udp(PLAIN, false, "x", 1);
    meter_set_endpoints(t.meter, other);
    /* That of "erp", and that on the address of "mes" with the name of "iot":
     * its address stood under "mes" first. */
    int ended = t.count;
    CHECK_I64(t.flows[0].end_reason, FLOW_END_FORCED);
    CHECK_TEXT(endpoint_id(t.list, t.flows[0].endpoint), "erp");
    for (int i = 0; i < ended; i++)
        CHECK_I64(t.flows[i].end_reason, FLOW_END_FORCED);
    endpoint_list_free(t.list);
    t.list = other;
    test_case("another list: nothing is counted twice or lost");
    udp(PLAIN, true, "y", 1);
    tcp(ERP, false, 400, 501, TCP_ACK, "x", 1);
    udp(NEWS, false, "x", 1);
    CHECK_I64(meter_counters(t.meter)->filtered, 1);
    uint64_t packets = meter_counters(t.meter)->packets;
    CHECK_I64(packets, 2 * 4 + 3);
    meter_flush(t.meter);
    uint64_t sum = 0;
    bool has_plain = false;
    for (int i = 0; i < t.count; i++) {
        const struct flow *f = &t.flows[i];
        sum += f->forward.packets + f->reverse.packets;
        if (i >= ended &&
            strcmp(endpoint_id(t.list, f->endpoint), "plain") == 0)
            has_plain = f->forward.packets == 1 && f->reverse.packets == 1;
    }
    CHECK_I64(sum, packets);
    CHECK(has_plain);
    end(t.count);
}

static void talk(unsigned port)
{
    frame_of_tcp(&t.frame, PLAIN, port, ERP, 443, 1, 0, TCP_SYN, "", 0);
    send_frame();
    frame_of_tcp(&t.frame, ERP, 443, PLAIN, port, 9, 2, TCP_SYN | TCP_ACK, "",
                 0);
    send_frame();
    frame_of_tcp(&t.frame, PLAIN, port, ERP, 443, 2, 10, TCP_ACK, "x", 1);
    send_frame();
}

static void test_both_registered(void)
{
    struct error_text error;
    begin("both ends are registered: one flow, over an exchange as well", false,
          100);
    struct endpoint_list *again =
        endpoint_list_parse(slice_of_text(endpoints), "again.csv", &error);
    talk(1000);
    meter_set_endpoints(t.meter, again);
    endpoint_list_free(t.list);
    t.list = again;
    frame_of_tcp(&t.frame, ERP, 443, PLAIN, 1000, 10, 3, TCP_ACK, "y", 1);
    send_frame();
    frame_of_tcp(&t.frame, PLAIN, 1000, ERP, 443, 3, 11, TCP_ACK, "z", 1);
    send_frame();
    meter_flush(t.meter);
    CHECK_TEXT(endpoint_id(t.list, t.flows[0].endpoint), "erp");
    end(1);
    CHECK_I64(t.flows[0].forward.packets, 3);
    CHECK_I64(t.flows[0].reverse.packets, 2);
}

/* More exchanges than the meter has numbers for. */
static void test_many_exchanges(void)
{
    begin("the list is exchanged a thousand times under an open flow", false,
          100);
    for (int i = 0; i < 1000; i++) {
        udp(PLAIN, i % 2 != 0, "x", 1);
        udp(CDN, false, "x", 1);
        meter_set_endpoints(t.meter, t.list);
    }
    CHECK_I64(meter_counters(t.meter)->flows, 2);
    end(2);
    CHECK_I64(t.flows[0].forward.packets + t.flows[0].reverse.packets, 1000);
}

static const char dated_endpoints[] =
    "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
    "shared\n"
    "early,a,x,203.0.113.7,,,,,2023-11-14T22:13:30Z,no\n"
    "late,a,x,203.0.113.7,,,,2023-11-14T22:13:40Z,,no\n";

/* 1,700,000,000 is 22:13:20 on that day. */
static void test_validity(void)
{
    struct error_text error;
    begin("validity ends and begins within a connection", false, 100);
    struct endpoint_list *dated = endpoint_list_parse(
        slice_of_text(dated_endpoints), "dated.csv", &error);
    meter_set_endpoints(t.meter, dated);
    endpoint_list_free(t.list);
    t.list = dated;
    for (int i = 0; i < 30; i++) {
        t.now_us = START + i * (int64_t)S;
        udp(ERP, false, "x", 1);
        t.now_us = START + 5 * (int64_t)S; /* one that comes late */
        if (i == 12)
            udp(ERP, false, "x", 1);
    }
    CHECK_I64(meter_counters(t.meter)->filtered, 10);
    meter_flush(t.meter);
    CHECK_TEXT(endpoint_id(t.list, t.flows[0].endpoint), "early");
    CHECK_I64(t.flows[0].forward.packets, 11);
    CHECK_TEXT(endpoint_id(t.list, t.flows[1].endpoint), "late");
    CHECK_I64(t.flows[1].forward.packets, 10);
    end(2);
}

/* --- limits --- */

static void send_long_hello(size_t padding, size_t piece)
{
    static struct frame record;
    make_hello(&record, "erp.example", padding);
    open_tcp(ERP);
    for (size_t at = 0; at < record.length; at += piece) {
        size_t n = record.length - at < piece ? record.length - at : piece;
        tcp(ERP, false, 101 + (uint32_t)at, 501, TCP_ACK, record.bytes + at, n);
    }
}

static void test_hello_limit(void)
{
    t.options = (struct meter_options){.hello_limit = METER_HELLO_LIMIT_MIN};
    begin("a hello within hello_limit", false, 100);
    send_long_hello(800, 500);
    end(1);
    CHECK_TEXT(t.texts[0].name, "erp.example");
    begin("a hello past hello_limit has no name, and does no harm", false, 100);
    send_long_hello(1500, 500);
    end(1);
    CHECK_TEXT(t.texts[0].name, "");
    CHECK_I64(t.flows[0].forward.packets, 2 + 4);
    t.options = (struct meter_options){.hello_limit = METER_HELLO_LIMIT_MAX};
    begin("the largest hello_limit", false, 100);
    send_long_hello(3500, 100);
    end(1);
    CHECK_TEXT(t.texts[0].name, "erp.example");
    t.options = (struct meter_options){0};
}

/* Names longer than a chunk, more of them than there is room for. */
static void test_texts(void)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: "
                              "a-long-name-of-a-host.with-many-labels.and-one-"
                              "more.example\r\n\r\n";
    enum { MANY = 40 };
    begin("texts that find no room are counted, and nothing else changes", true,
          MANY);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            frame_of_tcp(&t.frame, HOST, 1000 + i, ERP, 80, 1, 1, TCP_ACK, get,
                         sizeof(get) - 1);
            send_frame();
        }
        uint64_t missed = meter_counters(t.meter)->texts_missed;
        CHECK(missed > 0 && missed < MANY * (uint64_t)(round + 1));
        meter_flush(t.meter);
        int named = 0;
        for (int i = 0; i < MANY; i++) {
            CHECK_I64(t.flows[i].name_evidence, NAME_HTTP_HOST);
            named += t.texts[i].name[0] != '\0';
        }
        CHECK_I64(named, MANY - missed / (unsigned)(round + 1));
        t.count = 0;
    }
    end(0);
}

static void test_sizes(void)
{
    static const size_t limits[] = {10000, 65536, 100000, 1000000};
    enum { CHUNK = 32 };
    test_case("a flow takes at most 400 bytes, a text's chunk included");
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        CHECK(flow_table_flow_bytes(limits[i]) + CHUNK <= 400);
}

int main(void)
{
    test_active_pause();
    test_active_order();
    test_steps_in_lists();
    test_linger();
    test_reset_not_believed();
    test_bursts_of_client();
    test_round_trips();
    test_answered();
    test_icmp();
    test_retransmissions();
    test_versions();
    test_points();
    test_point_blocks();
    test_point_port_again();
    test_point_many();
    test_tagged_points();
    test_tunnels();
    test_exchange();
    test_both_registered();
    test_many_exchanges();
    test_validity();
    test_hello_limit();
    test_texts();
    test_sizes();
    return test_end();
}
