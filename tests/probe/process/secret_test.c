/*
 * Planted secrets: what must never leave is put into packets of registered
 * services, and the batch, the very bytes that go to the wire before
 * encryption, is searched for it: as text, as raw bytes, and reversed. A
 * control shows that each secret was really there to be leaked.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/meter/meter.h"
#include "probe/process/exporter.h"
#include "tests/probe/meter/packets.h"
#include "tests/test.h"

enum { DLT_ETHERNET = 1 };

#define INSIDE      0x0ae739c7u /* 10.231.57.199 */
#define ENDPOINT    0xcb00710au /* 203.0.113.10 */
#define INSIDE_PORT 53977       /* 0xd2d9 */

static const char unregistered[] = "payroll.unregistered-secret.example";
static const char http[] =
    "GET /secret-path-4711?token=planted-token HTTP/1.1\r\n"
    "Host: erp.example\r\nCookie: planted-cookie\r\n\r\n";
static const char payload[] = "planted-payload-b7e1";
static const uint8_t mac[6] = {0x02, 0x5e, 0xc7, 0xe7, 0xa1, 0xb2};

/* Text, and what it looks like as bytes on the wire. */
static const struct secret {
    const char *name;
    const char *bytes;
    size_t length;
} secrets[] = {
    {"inside address", "\x0a\xe7\x39\xc7", 4},
    {"inside address as text", "10.231.57.199", 13},
    {"inside MAC", "\x02\x5e\xc7\xe7\xa1\xb2", 6},
    {"inside MAC as text", "02:5e:c7:e7:a1:b2", 17},
    {"URL", "secret-path-4711", 16},
    {"URL's query", "planted-token", 13},
    {"cookie", "planted-cookie", 14},
    {"payload", "planted-payload-b7e1", 20},
    {"unregistered name", "payroll.unregistered-secret", 27},
    {"part of that name", "unregistered-secret", 19},
    {"registered name", "erp.example", 11},
};

struct scene {
    struct exporter *exporter;
    struct meter *meter;
    struct buffer seen; /* all frames */
    int64_t now_us;
    uint64_t flows;
};

static void on_flow(void *context, const struct flow *flow)
{
    struct scene *s = context;
    s->flows++;
    CHECK(exporter_add(s->exporter, flow, wall_from_s(1800000000)));
}

static void feed(struct scene *s, struct frame *f, bool from_inside)
{
    memcpy(f->bytes + (from_inside ? 6 : 0), mac, 6);
    buffer_add(&s->seen, f->bytes, f->length);
    s->now_us += 1000;
    meter_packet(s->meter, DLT_ETHERNET, f->bytes, f->length, f->length,
                 (struct wall_time){s->now_us}, 0);
}

/* A TCP connection to the endpoint that says `data` first. */
static void play_tcp(struct scene *s, unsigned dport, const void *data,
                     size_t length)
{
    struct frame f;
    frame_of_tcp(&f, INSIDE, INSIDE_PORT, ENDPOINT, dport, 1, 0, 2, "", 0);
    feed(s, &f, true);
    frame_of_tcp(&f, ENDPOINT, dport, INSIDE, INSIDE_PORT, 1, 2, 0x12, "", 0);
    feed(s, &f, false);
    frame_of_tcp(&f, INSIDE, INSIDE_PORT, ENDPOINT, dport, 2, 2, 0x18, data,
                 length);
    feed(s, &f, true);
    frame_of_tcp(&f, ENDPOINT, dport, INSIDE, INSIDE_PORT, 2,
                 2 + (uint32_t)length, 0x18, payload, sizeof(payload) - 1);
    feed(s, &f, false);
}

static void play_all(struct scene *s)
{
    struct frame hello = {.length = 0}, record = {.length = 0};
    frame_client_hello(&hello, unregistered, 7, 0);
    frame_record(&record, &hello);
    play_tcp(s, 443, record.bytes, record.length);
    play_tcp(s, 8443, record.bytes, record.length);
    play_tcp(s, 80, http, sizeof(http) - 1);
    play_tcp(s, 9000, payload, sizeof(payload) - 1);
    struct frame f;
    frame_of_udp(&f, INSIDE, INSIDE_PORT, ENDPOINT, 9000, payload,
                 sizeof(payload) - 1);
    feed(s, &f, true);
}

static bool holds(const struct buffer *hay, const struct secret *secret)
{
    char reversed[64];
    for (size_t i = 0; i < secret->length; i++)
        reversed[i] = secret->bytes[secret->length - 1 - i];
    return memmem(hay->data, hay->length, secret->bytes, secret->length) !=
               NULL ||
           memmem(hay->data, hay->length, reversed, secret->length) != NULL;
}

int main(void)
{
    static const char endpoints[] =
        "id,supplier,service,address,host,protocol,ports,valid_from,valid_to,"
        "shared\n"
        "web,S,E,203.0.113.10,erp.example,tcp,80,,,\n"
        "tls,S,E,203.0.113.10,erp.example,tcp,443,,,\n"
        "cdn,S,E,203.0.113.10,erp.example,tcp,8443,,,yes\n"
        "raw,S,E,203.0.113.10,,,9000,,,\n";
    struct error_text error = {{0}};
    struct endpoint_list *list =
        endpoint_list_parse(SLICE(endpoints), "e.csv", &error);
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    struct exporter_options options = {.probe_id = "probe-1",
                                       .key = key,
                                       .endpoints = list,
                                       .start = wall_from_s(1800000000)};
    struct meter_options limits = {64, 30, 300};
    struct exporter_period period = {.clock_quality = CLOCK_SYNCHRONISED};
    struct scene s = {.now_us = 1800000000000000};
    struct buffer batch;
    struct digest hash;
    random_bytes(options.pseudonym_key, sizeof(options.pseudonym_key));
    buffer_init(&s.seen, 1 << 20);
    s.exporter = exporter_new(&options);
    s.meter = meter_new(&limits, list, on_flow, &s, &error);

    test_case("the planted packets are flows of registered endpoints");
    play_all(&s);
    meter_flush(s.meter);
    CHECK(s.flows >= 4);
    CHECK(exporter_finish(s.exporter, &period, wall_from_s(1800000300), &batch,
                          &hash));
    CHECK(memmem(batch.data, batch.length, "web", 3) != NULL);
    CHECK(memmem(batch.data, batch.length, "tls", 3) != NULL);
    CHECK(memmem(batch.data, batch.length, "raw", 3) != NULL);

    test_case("PRIV-02: on a shared address another name makes no record");
    CHECK(memmem(batch.data, batch.length, "cdn", 3) == NULL);

    test_case("PRIV-02: no planted secret is in the bytes that leave");
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        bool is_text = strstr(secrets[i].name, "as text") != NULL;
        if (!is_text && !CHECK(holds(&s.seen, &secrets[i])))
            printf("# not planted: %s\n", secrets[i].name);
        if (!CHECK(!holds(&batch, &secrets[i])))
            printf("# found: %s\n", secrets[i].name);
    }

    meter_free(s.meter);
    exporter_free(s.exporter);
    buffer_clear(&batch);
    buffer_clear(&s.seen);
    sign_key_free(key);
    endpoint_list_free(list);
    return test_end();
}
