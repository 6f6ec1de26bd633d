/* Names in QUIC, through the whole meter: each way in which a client may spread
 * its ClientHello, in each version. */
#include "tests/probe/meter/quic_packets.h"
#include "tests/probe/meter/scene.h"

static const struct quic_id FIRST = {8, {1, 3, 5, 7, 9, 11, 13, 15}};
static const struct quic_id SECOND = {12, {2, 4, 6, 8, 2, 4, 6, 8, 1, 1, 1, 1}};
static struct frame hello, datagram, plain;

/* A hello of this size, about; a post-quantum key share makes 1,200 more. */
static void begin_quic(const struct quic_kind *kind, const char *what,
                       size_t padding)
{
    static char name[128];
    snprintf(name, sizeof(name), "QUIC %08x: %s", (unsigned)kind->version,
             what);
    begin(name, false, 100);
    hello.length = 0;
    frame_client_hello(&hello, "iot.example", 0x33, padding);
    datagram.length = plain.length = 0;
}

static void send_datagram(bool is_back)
{
    udp(CDN, is_back, datagram.bytes, datagram.length);
    datagram.length = plain.length = 0;
}

static void send_initial(const struct quic_kind *kind, struct quic_id to,
                         unsigned number)
{
    quic_add_padding(&plain, 64);
    quic_add_initial(&datagram, kind, FIRST, to, 0, number, &plain);
    send_datagram(false);
}

static void expect_name(void)
{
    struct digest token = digest_of(FIRST.bytes, FIRST.length);
    meter_flush(t.meter);
    CHECK_I64(t.count, 1);
    CHECK_TEXT(t.texts[0].name, "iot.example");
    CHECK_TEXT(t.texts[0].application, "QUIC");
    CHECK_TEXT(t.texts[0].alpn, "h2");
    CHECK_I64(t.flows[0].name_evidence, NAME_QUIC_SNI);
    CHECK_I64(t.flows[0].tls_version, 0x0304);
    CHECK(memcmp(t.flows[0].token, token.bytes, FLOW_TOKEN_LEN) == 0);
    CHECK(t.flows[0].is_counted);
    CHECK_TEXT(endpoint_id(t.list, t.flows[0].endpoint), "iot");
    end(1);
}

static void test_orders(const struct quic_kind *kind)
{
    begin_quic(kind, "frames in any order, with padding between", 300);
    quic_add_crypto(&plain, kind, &hello, 200, 900);
    quic_add_padding(&plain, 3);
    frame_u8(&plain, 1); /* PING */
    quic_add_crypto(&plain, kind, &hello, 40, 160);
    quic_add_crypto(&plain, kind, &hello, 0, 50);
    send_initial(kind, FIRST, 0);
    expect_name();
    begin_quic(kind, "a post-quantum hello of two datagrams", 1200);
    quic_add_crypto(&plain, kind, &hello, 0, 1000);
    send_initial(kind, FIRST, 0);
    quic_add_crypto(&plain, kind, &hello, 1000, 1000);
    send_initial(kind, FIRST, 1);
    expect_name();
    begin_quic(kind, "the second datagram first, and each again", 1200);
    for (int i = 0; i < 2; i++) {
        quic_add_crypto(&plain, kind, &hello, 1000, 1000);
        send_initial(kind, FIRST, 1);
    }
    quic_add_crypto(&plain, kind, &hello, 0, 1000);
    send_initial(kind, FIRST, 0);
    expect_name();
    begin_quic(kind, "five datagrams, in pieces that overlap", 1200);
    for (unsigned i = 5; i-- > 0;) {
        quic_add_crypto(&plain, kind, &hello, i * 280, 300);
        send_initial(kind, FIRST, i);
    }
    expect_name();
}

static void test_company(const struct quic_kind *kind)
{
    begin_quic(kind, "0-RTT in a datagram before the Initial", 100);
    quic_add_zero_rtt(&datagram, kind, FIRST, 900);
    send_datagram(false);
    quic_add_crypto(&plain, kind, &hello, 0, 1000);
    send_initial(kind, FIRST, 0);
    expect_name();
    begin_quic(kind, "two Initials and 0-RTT in one datagram", 300);
    quic_add_zero_rtt(&datagram, kind, FIRST, 60);
    quic_add_crypto(&plain, kind, &hello, 0, 200);
    quic_add_initial(&datagram, kind, FIRST, FIRST, 0, 0, &plain);
    plain.length = 0;
    quic_add_crypto(&plain, kind, &hello, 200, 1000);
    quic_add_initial(&datagram, kind, FIRST, FIRST, 0, 1, &plain);
    send_datagram(false);
    expect_name();
    begin_quic(kind, "an acknowledgement before the rest", 300);
    quic_add_crypto(&plain, kind, &hello, 0, 100);
    send_initial(kind, FIRST, 0);
    frame_add(&plain, "\x02\x05\x00\x01\x00\x01\x01", 7); /* ACK, two ranges */
    quic_add_crypto(&plain, kind, &hello, 100, 1000);
    send_initial(kind, FIRST, 1);
    expect_name();
}

static void test_ids(const struct quic_kind *kind)
{
    begin_quic(kind, "the server's id after its first answer", 1200);
    quic_add_crypto(&plain, kind, &hello, 0, 1000);
    send_initial(kind, FIRST, 0);
    quic_add_ids(&datagram, kind, kind->initial | 1, SECOND);
    quic_add_padding(&datagram, 100); /* whatever the server says */
    send_datagram(true);
    quic_add_crypto(&plain, kind, &hello, 1000, 1000);
    send_initial(kind, SECOND, 1); /* its keys stay those of the first id */
    expect_name();
    begin_quic(kind, "Retry: a token, and keys of another id", 100);
    quic_add_crypto(&plain, kind, &hello, 0, 60); /* so far not enough */
    send_initial(kind, FIRST, 0);
    quic_add_ids(&datagram, kind, kind->retry | 0x0f, FIRST);
    frame_add(&datagram, "a token and its tag of 16 bytes", 31);
    send_datagram(true);
    quic_add_crypto(&plain, kind, &hello, 0, 1000);
    quic_add_padding(&plain, 64);
    quic_add_initial(&datagram, kind, SECOND, SECOND, 31, 1, &plain);
    send_datagram(false);
    expect_name();
}

/* The last versions before the drafts were Google's. */
static void test_google(const struct quic_kind *kind)
{
    begin_quic(kind, "two datagrams", 1200);
    quic_add_crypto(&plain, kind, &hello, 1000, 1000);
    send_initial(kind, FIRST, 1);
    quic_add_crypto(&plain, kind, &hello, 0, 1000);
    send_initial(kind, FIRST, 0);
    expect_name();
}

int main(void)
{
    for (int i = QUIC_IETF_KINDS; i < QUIC_KINDS; i++)
        test_google(&quic_kinds[i]);
    for (int i = 0; i < QUIC_IETF_KINDS; i++) {
        test_orders(&quic_kinds[i]);
        test_company(&quic_kinds[i]);
        test_ids(&quic_kinds[i]);
    }
    return test_end();
}
