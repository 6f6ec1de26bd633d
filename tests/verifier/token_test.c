/* Repeats of connection tokens: what counts and what is one connection. */
#include "verifier/token.h"

#include "common/wire/flow_record.h"
#include "tests/test.h"
#include "verifier/evidence.h"

enum { DAY_MS = 86400000 };

static struct token_list list;
static struct token_repeat *repeats;
static size_t repeat_count;

static void add_at(const char *enterprise, const char *probe, bool is_sample,
                   uint8_t token, int64_t start_ms, int64_t end_ms,
                   uint8_t reason)
{
    struct token_record r = {
        .enterprise = enterprise,
        .probe = probe,
        .is_sample = is_sample,
        .service = 1,
        .endpoint = 7,
        .start_ms = start_ms,
        .end_ms = end_ms,
        .host = 3,
        .end_reason = reason,
    };
    memset(r.token, token, sizeof(r.token));
    CHECK(token_list_add(&list, &r));
}

static void add(const char *enterprise, uint8_t token, int64_t start_ms,
                int64_t end_ms, uint8_t reason)
{
    add_at(enterprise, enterprise, false, token, start_ms, end_ms, reason);
}

static void find(void)
{
    free(repeats);
    CHECK(token_list_find_repeats(&list, &repeats, &repeat_count));
    token_list_clear(&list);
}

static void test_one_connection(void)
{
    test_case("S9: records of one long connection are no repeat");
    for (int64_t i = 0; i < 500; i++)
        add("E1", 1, i * 300000, i * 300000 + 300000, FLOW_END_ACTIVE);
    find();
    CHECK_I64(repeat_count, 0);
    test_case("S9: a connection that pauses longer than a minute is one");
    for (int64_t i = 0; i < 288; i++)
        add("E1", 1, i * 360000, i * 360000 + 270000, FLOW_END_ACTIVE);
    for (int64_t i = 0; i < 24; i++)
        add("E1", 2, i * 3600000, i * 3600000, FLOW_END_ACTIVE);
    find();
    CHECK_I64(repeat_count, 0);
    test_case("S9: an empty list");
    find();
    CHECK_I64(repeat_count, 0);
}

static void test_repeats(void)
{
    test_case("S9: a later connection with the token is one");
    add("E1", 1, DAY_MS, DAY_MS + 10, FLOW_END_DETECTED);
    add("E1", 1, 0, 10, FLOW_END_DETECTED);
    add("E1", 1, DAY_MS + 60000, DAY_MS + 70000, FLOW_END_DETECTED);
    find();
    CHECK_I64(repeat_count, 1);
    CHECK_TEXT(repeats[0].enterprise_id, "E1");
    CHECK_I64(repeats[0].day, 1);
    CHECK_I64(repeats[0].repeated, 2);
    CHECK_I64(repeats[0].elsewhere, 0);
    test_case("S9: between enterprises the later one counts");
    add("E2", 1, DAY_MS, DAY_MS + 10, FLOW_END_DETECTED);
    add("E1", 1, 0, 10, FLOW_END_DETECTED);
    find();
    CHECK_I64(repeat_count, 1);
    CHECK_TEXT(repeats[0].enterprise_id, "E2");
    CHECK_I64(repeats[0].elsewhere, 1);
    test_case("S9: at the same moment it counts for both");
    add("E2", 1, 500, 510, FLOW_END_DETECTED);
    add("E1", 1, 0, 10, FLOW_END_DETECTED);
    find();
    CHECK_I64(repeat_count, 2);
    CHECK_TEXT(repeats[0].enterprise_id, "E1");
    CHECK_TEXT(repeats[1].enterprise_id, "E2");
    test_case("S9: different tokens have nothing to do with each other");
    add("E1", 1, 0, 10, FLOW_END_DETECTED);
    add("E1", 2, DAY_MS, DAY_MS + 10, FLOW_END_DETECTED);
    find();
    CHECK_I64(repeat_count, 0);
}

static void test_double_capture(void)
{
    test_case("S9: a second probe whose clock is seconds off sees no replay");
    for (int64_t i = 0; i < 100; i++) {
        add_at("E1", "P1", false, (uint8_t)i, i * 5000, i * 5000 + 900,
               FLOW_END_DETECTED);
        add_at("E1", "P2", false, (uint8_t)i, i * 5000 + 2500, i * 5000 + 3400,
               FLOW_END_DETECTED);
    }
    find();
    CHECK_I64(repeat_count, 0);
    test_case("S9: nor one that cuts a long connection otherwise");
    for (int64_t i = 0; i < 24; i++)
        add_at("E1", "P1", false, 1, i * 300000, i * 300000 + 300000,
               FLOW_END_ACTIVE);
    for (int64_t i = 0; i < 2; i++)
        add_at("E1", "P2", false, 1, i * 3600000 + 200000,
               i * 3600000 + 3800000, FLOW_END_ACTIVE);
    find();
    CHECK_I64(repeat_count, 0);
    test_case("S9: through the same probe, or much later, it is a replay");
    add_at("E1", "P1", false, 1, 0, 900, FLOW_END_DETECTED);
    add_at("E1", "P2", false, 1, 2500, 3400, FLOW_END_DETECTED);
    add_at("E1", "P1", false, 1, 240000, 240900, FLOW_END_DETECTED);
    add_at("E1", "P2", false, 2, DAY_MS, DAY_MS + 900, FLOW_END_DETECTED);
    add_at("E1", "P1", false, 2, 0, 900, FLOW_END_DETECTED);
    find();
    CHECK_I64(repeat_count, 2);
    CHECK_I64(repeats[0].repeated, 1);
    CHECK_I64(repeats[1].repeated, 1);
    CHECK_I64(repeats[1].day, 1);
}

static void test_samples(void)
{
    test_case("S9: demo data accuses nobody but demo data");
    add_at("DEMO", "PD", true, 1, 0, 10, FLOW_END_DETECTED);
    add_at("E1", "P1", false, 1, DAY_MS, DAY_MS + 10, FLOW_END_DETECTED);
    find();
    CHECK_I64(repeat_count, 0);
    add_at("DEMO", "PD", true, 1, 0, 10, FLOW_END_DETECTED);
    add_at("DEMO", "PD", true, 1, DAY_MS, DAY_MS + 10, FLOW_END_DETECTED);
    find();
    CHECK_I64(repeat_count, 1);
}

static void test_many(void)
{
    test_case(
        "S9: one token a hundred thousand times is found in bounded time");
    for (int64_t i = 0; i < 100000; i++)
        add(i % 2 ? "E1" : "E2", 9, i * 10000, i * 10000 + 5,
            FLOW_END_DETECTED);
    find();
    CHECK(repeat_count > 0);
}

int main(void)
{
    test_one_connection();
    test_repeats();
    test_double_capture();
    test_samples();
    test_many();
    free(repeats);
    return test_end();
}
