/* Flow blocks: every record comes back, and no bytes do harm. */
#include "common/wire/flow_block.h"

#include <stdlib.h>
#include <string.h>

#include "tests/common/wire/sample_flow.h"
#include "tests/test.h"

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* A record such as an office makes: few endpoints, many hosts. */
static struct flow_record usual_record(size_t i)
{
    uint64_t payload = next_random() % 9000, rpayload = next_random() % 90000;
    uint64_t packets = 4 + payload / 1300 + rpayload / 2600 + next_random() % 6;
    struct flow_record r =
        sample_flow(0, 77 + i % 40 * UINT64_C(0x9e3779b97f4a7c15));
    r.end_ms = INT64_C(1795420800000) + (int64_t)(i * 97);
    r.address[3] = (uint8_t)(i % 20);
    r.packets = packets;
    r.rpackets = 3 + rpayload / 1300 + next_random() % 6;
    r.payload = payload, r.rpayload = rpayload;
    r.rtt_us = 8000 + (uint32_t)(next_random() % 4000);
    r.burst_count = 1 + (uint32_t)(next_random() % 3);
    r.fingerprint[3] = (uint8_t)(i % 3);
    r.start_ms = r.end_ms - (int64_t)(next_random() % 60000);
    r.octets = r.payload + 52 * packets + 8;
    r.roctets = r.rpayload + 52 * r.rpackets;
    snprintf(r.endpoint_id, sizeof(r.endpoint_id), "EP-%zu", i % 20);
    for (int k = 0; k < FLOW_TOKEN_LEN; k++)
        r.token[k] = (uint8_t)next_random();
    return r;
}

/* As far from usual as a valid record can be. */
static struct flow_record odd_record(size_t i)
{
    struct flow_record r = {
        .start_ms = 0,
        .end_ms = i % 2 ? 0 : INT64_C(253402300799999),
        .is_ipv6 = i % 3 == 0,
        .octets = i % 2 ? INT64_MAX : 0,
        .payload = i % 4 ? INT64_MAX : 0,
        .packets = INT64_MAX,
        .rpackets = i,
        .rpayload = INT64_MAX,
        .tcp_flags = UINT16_MAX,
        .end_reason = FLOW_END_IDLE,
        .rtt_us = UINT32_MAX,
        .burst_count = UINT32_MAX,
        .host_pseudonym = UINT64_MAX - i,
        .protocol = (uint8_t)i,
        .port = (uint16_t)(i * 31),
    };
    memset(r.fingerprint, 0xff, sizeof(r.fingerprint));
    memset(r.endpoint_id, 'e', sizeof(r.endpoint_id) - 1);
    memset(r.application, '~', i % APPLICATION_LEN);
    memset(r.address, 0xfe, r.is_ipv6 ? 16 : 4);
    r.token[15] = i % 2;
    return r;
}

typedef struct flow_record make_fn(size_t i);

static struct flow_record *make_records(make_fn *make, size_t count)
{
    struct flow_record *records = calloc(count + 1, sizeof(*records));
    for (size_t i = 0; i < count; i++)
        records[i] = make(i);
    return records;
}

static void check_round(struct flow_packer *p, struct flow_block *b,
                        make_fn *make, size_t count, size_t most_bytes)
{
    struct flow_record *records = make_records(make, count);
    struct buffer out;
    buffer_init(&out, FLOW_BLOCK_MAX);
    CHECK(flow_packer_encode(p, records, count, &out));
    CHECK(flow_block_decode(b, buffer_slice(&out)));
    CHECK_I64((int64_t)flow_block_count(b), (int64_t)count);
    bool is_equal = true;
    for (size_t i = 0; i < count; i++)
        is_equal = is_equal &&
                   flow_record_equal(&records[i], &flow_block_records(b)[i]);
    CHECK(is_equal);
    if (!CHECK(out.length <= most_bytes))
        printf("# %zu of %zu bytes\n", out.length, most_bytes);
    const uint8_t *tokens;
    size_t token_count;
    CHECK(flow_block_tokens(buffer_slice(&out), &tokens, &token_count));
    CHECK(token_count <= count);
    buffer_clear(&out);
    free(records);
}

/* Each byte changed, and each shorter length: an answer, and no harm. */
static void check_damage(struct flow_packer *p, struct flow_block *b)
{
    struct flow_record *records = make_records(usual_record, 30);
    struct buffer out;
    buffer_init(&out, FLOW_BLOCK_MAX);
    CHECK(flow_packer_encode(p, records, 30, &out));
    for (size_t i = 0; i < out.length; i++) {
        CHECK(!flow_block_decode(b, slice_of_bytes(out.data, i)));
        for (int bit = 0; bit < 8; bit++) {
            out.data[i] ^= (uint8_t)(1 << bit);
            if (flow_block_decode(b, buffer_slice(&out)))
                CHECK(flow_block_count(b) <= 30);
            out.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    buffer_add_u8(&out, 0);
    CHECK(!flow_block_decode(b, buffer_slice(&out)));
    buffer_clear(&out);
    free(records);
}

int main(void)
{
    struct flow_packer *p = flow_packer_new();
    struct flow_block *b = flow_block_new();
    if (p == NULL || b == NULL)
        return 1;
    test_case("records come back, and are small");
    check_round(p, b, usual_record, 0, 64);
    check_round(p, b, usual_record, 1, 128);
    check_round(p, b, usual_record, 500, 500 * 28);
    check_round(p, b, usual_record, 5000, 5000 * 26);
    test_case("so do records with every member at its end");
    check_round(p, b, odd_record, 500, 500 * 250);
    test_case("one record differs from another in any member");
    struct flow_record x = usual_record(1), y = x;
    y.fingerprint[7] ^= 1;
    CHECK(flow_record_equal(&x, &x));
    CHECK(!flow_record_equal(&x, &y));
    test_case("damaged blocks are refused or harmless");
    check_damage(p, b);
    flow_packer_free(p);
    flow_block_free(b);
    return test_end();
}
