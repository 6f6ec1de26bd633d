/* Repeats of connection tokens: what counts and what is one connection. */
#include "verifier/token.h"

#include "common/flow_record.h"
#include "tests/test.h"
#include "verifier/evidence.h"

enum { DAY_MS = 86400000 };

static struct token_list list;
static struct token_repeat *repeats;
static size_t repeat_count;

static void add(const char *enterprise, uint8_t token, int64_t start_ms,
                int64_t end_ms, uint8_t reason)
{
    struct token_record r = {
        .service = 1,
        .endpoint = 7,
        .start_ms = start_ms,
        .end_ms = end_ms,
        .host = 3,
        .end_reason = reason,
    };
    memset(r.token, token, sizeof(r.token));
    CHECK(token_list_add(&list, enterprise, &r));
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
    test_case("S9: a second probe that saw it within two seconds is none");
    add("E1", 1, 1000, 5000, FLOW_END_DETECTED);
    add("E1", 1, 2500, 5000, FLOW_END_DETECTED);
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
    test_many();
    free(repeats);
    return test_end();
}
