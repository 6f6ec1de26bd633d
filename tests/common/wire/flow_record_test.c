/* Connection records: there and back, and what is no record of ours. */
#include "common/wire/flow_record.h"

#include "tests/test.h"

static struct flow_record full(bool is_ipv6)
{
    struct flow_record r = {
        .start_ms = 1790000000000,
        .end_ms = 1790000000001,
        .endpoint_id = "a.b_c-D9",
        .is_ipv6 = is_ipv6,
        .address = {203, 0, 113, 7},
        .port = 65535,
        .protocol = 17,
        .octets = INT64_MAX,
        .packets = 1,
        .payload = 2,
        .roctets = 3,
        .rpackets = 4,
        .rpayload = 5,
        .tcp_flags = 0xffff,
        .rtcp_flags = 0x1ff,
        .end_reason = FLOW_END_RESOURCES,
        .name_evidence = NAME_MISMATCH,
        .direction = 2,
        .application = "OPC-UA/TLS 1",
        .rtt_us = UINT32_MAX,
        .burst_count = UINT32_MAX,
        .host_pseudonym = UINT64_MAX,
    };
    memset(r.token, 0xa5, sizeof(r.token));
    memset(r.fingerprint, 0x5a, sizeof(r.fingerprint));
    if (is_ipv6)
        memset(r.address, 0x26, sizeof(r.address));
    return r;
}

struct result {
    bool is_good;
    struct flow_record record;
};

static bool take(void *context, const struct ipfix_record *in)
{
    struct result *result = context;
    result->is_good = flow_record_decode(in, &result->record);
    return true;
}

static struct result decode(struct buffer *out)
{
    struct result result = {0};
    struct ipfix_session *session = ipfix_session_new();
    CHECK_I64(
        ipfix_decode_message(session, out->data, out->length, take, &result),
        IPFIX_OK);
    ipfix_session_free(session);
    buffer_clear(out);
    return result;
}

static struct result round_trip(const struct flow_record *r)
{
    struct buffer out;
    struct ipfix_message m;
    buffer_init(&out, 65536);
    ipfix_message_begin(&m, &out, 1, 0, 1);
    ipfix_add_template(&m, &flow_template_ipv4);
    ipfix_add_template(&m, &flow_template_ipv6);
    ipfix_set_begin(&m, r->is_ipv6 ? TEMPLATE_FLOW_IPV6 : TEMPLATE_FLOW_IPV4);
    size_t before = out.length;
    flow_record_encode(&m, r);
    CHECK(out.length - before <= FLOW_RECORD_MAX);
    ipfix_set_end(&m);
    CHECK(ipfix_message_end(&m));
    return decode(&out);
}

static void check_same(const struct flow_record *a, const struct flow_record *b)
{
    CHECK_I64(a->start_ms, b->start_ms);
    CHECK_I64(a->end_ms, b->end_ms);
    CHECK_TEXT(a->endpoint_id, b->endpoint_id);
    CHECK_TEXT(a->application, b->application);
    CHECK(a->is_ipv6 == b->is_ipv6 && a->port == b->port &&
          a->protocol == b->protocol);
    CHECK(memcmp(a->address, b->address, a->is_ipv6 ? 16 : 4) == 0);
    CHECK(a->octets == b->octets && a->packets == b->packets &&
          a->payload == b->payload);
    CHECK(a->roctets == b->roctets && a->rpackets == b->rpackets &&
          a->rpayload == b->rpayload);
    CHECK(a->tcp_flags == b->tcp_flags && a->rtcp_flags == b->rtcp_flags);
    CHECK(a->end_reason == b->end_reason && a->direction == b->direction &&
          a->name_evidence == b->name_evidence);
    CHECK(a->rtt_us == b->rtt_us && a->burst_count == b->burst_count &&
          a->host_pseudonym == b->host_pseudonym);
    CHECK(memcmp(a->token, b->token, FLOW_TOKEN_LEN) == 0);
    CHECK(memcmp(a->fingerprint, b->fingerprint, FINGERPRINT_LEN) == 0);
}

static void test_round_trip(void)
{
    test_case("PRIV-02: every field there and back, IPv4");
    struct flow_record r = full(false);
    struct result got = round_trip(&r);
    CHECK(got.is_good);
    check_same(&got.record, &r);
    test_case("and IPv6");
    r = full(true);
    got = round_trip(&r);
    CHECK(got.is_good);
    check_same(&got.record, &r);
    test_case("texts of every length that fits");
    r = full(false);
    memset(r.endpoint_id, 'e', ENDPOINT_ID_LEN - 1);
    memset(r.application, 'a', APPLICATION_LEN - 1);
    got = round_trip(&r);
    CHECK(got.is_good);
    check_same(&got.record, &r);
    r.application[0] = '\0';
    CHECK(round_trip(&r).is_good);
}

static void test_ranges(void)
{
    struct flow_record r;
    test_case("values out of their range");
#define REFUSED(change)                                                        \
    (r = full(false), change, CHECK(!round_trip(&r).is_good))
    REFUSED(r.end_ms = r.start_ms - 1);
    REFUSED(r.end_ms = INT64_MAX);
    REFUSED(r.start_ms = -1);
    REFUSED(r.endpoint_id[0] = '\0');
    REFUSED(r.endpoint_id[1] = ' ');
    REFUSED(r.endpoint_id[1] = '/');
    REFUSED(r.endpoint_id[1] = (char)0xc3);
    REFUSED(r.application[1] = '\n');
    REFUSED(r.application[1] = (char)0xff);
    REFUSED(r.octets = (uint64_t)INT64_MAX + 1);
    REFUSED(r.rpayload = UINT64_MAX);
    REFUSED(r.end_reason = 0);
    REFUSED(r.end_reason = 6);
    REFUSED(r.name_evidence = NAME_EVIDENCE_COUNT);
    REFUSED(r.direction = 3);
#undef REFUSED
    r = full(false);
    r.end_ms = r.start_ms;
    CHECK(round_trip(&r).is_good);
}

/* A record under a template that is ours but for `change`. */
static bool decode_changed(void (*change)(enum ipfix_element_id *fields,
                                          uint16_t *count))
{
    enum ipfix_element_id fields[64];
    uint16_t count = flow_template_ipv4.field_count;
    struct buffer out;
    struct ipfix_message m;
    memcpy(fields, flow_template_ipv4.fields, count * sizeof(fields[0]));
    change(fields, &count);
    const struct ipfix_template template = {256, 0, count, fields};
    buffer_init(&out, 65536);
    ipfix_message_begin(&m, &out, 1, 0, 1);
    ipfix_add_template(&m, &template);
    ipfix_set_begin(&m, 256);
    for (uint16_t i = 0; i < count; i++) {
        static const uint8_t zero[64] = {1};
        if (ipfix_elements[fields[i]].length == IPFIX_VARIABLE)
            ipfix_add_string(&m, SLICE("x"));
        else
            ipfix_add_octets(&m, fields[i], zero + 1);
        if (fields[i] == IE_FLOW_END_REASON)
            out.data[out.length - 1] = FLOW_END_IDLE;
    }
    ipfix_set_end(&m);
    CHECK(ipfix_message_end(&m));
    return decode(&out).is_good;
}

static void change_nothing(enum ipfix_element_id *fields, uint16_t *count)
{
    (void)fields;
    (void)count;
}

static void change_order(enum ipfix_element_id *fields, uint16_t *count)
{
    enum ipfix_element_id first = fields[0];
    fields[0] = fields[*count - 1];
    fields[*count - 1] = first;
}

static void drop_last(enum ipfix_element_id *fields, uint16_t *count)
{
    (void)fields;
    (*count)--;
}

static void add_probe_id(enum ipfix_element_id *fields, uint16_t *count)
{
    fields[(*count)++] = IE_PROBE_ID;
}

static void exchange_for_probe_id(enum ipfix_element_id *fields,
                                  uint16_t *count)
{
    fields[*count - 1] = IE_PROBE_ID;
}

static void repeat_first(enum ipfix_element_id *fields, uint16_t *count)
{
    fields[*count - 1] = fields[0];
}

static void both_addresses(enum ipfix_element_id *fields, uint16_t *count)
{
    for (uint16_t i = 0; i < *count; i++) {
        if (fields[i] == IE_DESTINATION_PORT)
            fields[i] = IE_DESTINATION_IPV6;
    }
}

static void test_fields(void)
{
    test_case("VER-06: missing, further, repeated and foreign fields");
    CHECK(decode_changed(change_nothing));
    CHECK(decode_changed(change_order)); /* order is no matter */
    CHECK(!decode_changed(drop_last));
    CHECK(!decode_changed(add_probe_id));
    CHECK(!decode_changed(exchange_for_probe_id));
    CHECK(!decode_changed(repeat_first));
    CHECK(!decode_changed(both_addresses));
}

static void test_words(void)
{
    test_case("VER-07: two-way; words of name evidence");
    struct flow_record r = full(false);
    CHECK(flow_record_is_two_way(&r));
    r.rpackets = 0;
    CHECK(!flow_record_is_two_way(&r));
    test_case("VER-07: a refused or unfinished TCP opening is no connection");
    CHECK(flow_is_refused(6, 0x02, 0x14, 0));   /* SYN, RST ACK */
    CHECK(flow_is_refused(6, 0x06, 0x12, 0));   /* SYN scan */
    CHECK(!flow_is_refused(6, 0x12, 0x12, 0));  /* established */
    CHECK(!flow_is_refused(6, 0x10, 0x10, 0));  /* keepalives of a long one */
    CHECK(!flow_is_refused(6, 0x1a, 0x1e, 90)); /* used, then reset */
    CHECK(flow_is_refused(6, 0x14, 0x02, 0));   /* scanned by the endpoint */
    CHECK(flow_is_refused(6, 0x04, 0x12, 0));   /* answer to a forged SYN */
    CHECK(flow_is_refused(6, 0x04, 0x18, 5));   /* forged data, reset */
    CHECK(!flow_is_refused(6, 0, 0, 5));        /* flags not told */
    CHECK(flow_is_refused(1, 0, 0, 32));        /* ping */
    CHECK(flow_is_refused(58, 0, 0, 32));
    CHECK(!flow_is_refused(17, 0, 0, 0));
    test_case("names of name evidence");
    CHECK_TEXT(name_evidence_text(NAME_QUIC_SNI), "quic-sni");
    CHECK_TEXT(name_evidence_text(NAME_NONE), "none");
    CHECK_TEXT(name_evidence_text(99), "unknown");
}

int main(void)
{
    test_round_trip();
    test_ranges();
    test_fields();
    test_words();
    return test_end();
}
