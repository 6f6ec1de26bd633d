/* Awards: the worked examples of the requirements, to the fen. */
#include "rules/award.h"

#include "common/buffer.h"
#include "tests/test.h"

static struct catalogue catalogue;

static bool load_catalogue(void)
{
    struct buffer text;
    struct error_text error = {""};
    bool good = buffer_read_file(
        &text, "rules/guangdong-2018/catalogue-v1.json", 1 << 20);
    good = good && catalogue_parse(buffer_slice(&text), &catalogue, &error);
    buffer_clear(&text);
    if (!good)
        printf("# %s\n", error.text);
    return good;
}

static const struct {
    const char *name;
    int item;
    int64_t fee;
    uint64_t sets;
    int64_t used;
    enum award_status status;
    int64_t award;
} LINES[] = {
    {"AWARD-01: fee below the cap is paid whole", 1, 8000000, 0, 0, AWARD_OK,
     8000000},
    {"AWARD-01: fee above the cap gives the cap", 1, 13500000, 0, 0, AWARD_OK,
     10000000},
    {"AWARD-01: fee at the cap", 1, 10000000, 0, 0, AWARD_OK, 10000000},
    {"AWARD-01: one fen", 1, 1, 0, 0, AWARD_OK, 1},
    {"AWARD-01: no fee is refused", 1, 0, 0, 0, AWARD_LINE_EMPTY, 0},
    {"AWARD-01: a negative fee is refused", 1, -5, 0, 0, AWARD_LINE_EMPTY, 0},
    {"AWARD-02: item 3 at its cap", 3, 50000000, 0, 0, AWARD_OK, 50000000},
    {"AWARD-02: item 8 one fen above", 8, 3000001, 0, 0, AWARD_OK, 3000000},
    {"AWARD-02: item 8 one fen below", 8, 2999999, 0, 0, AWARD_OK, 2999999},
    {"AWARD-02: sets for an item without them", 8, 100, 3, 0, AWARD_SETS_GIVEN,
     0},
    {"AWARD-03: item 2, 12 sets, fee above", 2, 3000000, 12, 0, AWARD_OK,
     2400000},
    {"AWARD-03: item 2, 12 sets, fee below", 2, 1999999, 12, 0, AWARD_OK,
     1999999},
    {"AWARD-03: item 2, 300 sets", 2, 70000000, 300, 0, AWARD_OK, 60000000},
    {"AWARD-03: item 2, 1 set, 2,000 yuan", 2, 200000, 1, 0, AWARD_OK, 200000},
    {"AWARD-03: item 7, 45 sets", 7, 6000000, 45, 0, AWARD_OK, 4500000},
    {"AWARD-03: sets are missing", 2, 200000, 0, 0, AWARD_SETS_MISSING, 0},
    {"AWARD-03: sets times rate does not fit", 2, 200000, UINT64_MAX / 2, 0,
     AWARD_RANGE, 0},
    {"AWARD-04: with scope cycle the first took the cap", 8, 2500000, 0,
     3000000, AWARD_CAP_EXHAUSTED, 0},
    {"AWARD-04: with scope cycle the rest of the cap", 8, 2500000, 0, 1000000,
     AWARD_OK, 2000000},
};

static void test_lines(void)
{
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        test_case(LINES[i].name);
        struct award_line line = {.fee = {LINES[i].fee},
                                  .sets = LINES[i].sets,
                                  .used = {LINES[i].used}};
        const struct catalogue_item *item =
            catalogue_find(&catalogue, LINES[i].item);
        if (!CHECK(item != NULL))
            continue;
        CHECK_I64(award_of_line(item, &line), LINES[i].status);
        CHECK_I64(line.award.fen, LINES[i].award);
    }
}

static void test_every_cap(void)
{
    test_case("AWARD-02: each fixed cap, one fen above and below");
    for (size_t i = 0; i < catalogue.item_count; i++) {
        const struct catalogue_item *item = &catalogue.items[i];
        if (item->cap_kind != CAP_FIXED)
            continue;
        struct award_line above = {.fee = {item->cap.fen + 1}};
        struct award_line below = {.fee = {item->cap.fen - 1}};
        CHECK_I64(award_of_line(item, &above), AWARD_OK);
        CHECK_I64(above.award.fen, item->cap.fen);
        CHECK_I64(award_of_line(item, &below), AWARD_OK);
        CHECK_I64(below.award.fen, item->cap.fen - 1);
    }
}

static void test_sum(void)
{
    struct award_line lines[2] = {{.fee = {25000000}}, {.fee = {4000000}}};
    struct money raw;
    test_case("AWARD-05: two services, each alone, then added");
    CHECK_I64(award_of_line(catalogue_find(&catalogue, 5), &lines[0]), 0);
    CHECK_I64(award_of_line(catalogue_find(&catalogue, 9), &lines[1]), 0);
    CHECK_I64(award_sum(lines, 2, &raw), AWARD_OK);
    CHECK_I64(raw.fen, 24000000);
    lines[0].award.fen = INT64_MAX;
    CHECK_I64(award_sum(lines, 2, &raw), AWARD_RANGE);
}

static const struct {
    const char *name;
    int64_t raw;
    struct award_claim earlier[3];
    size_t count;
    enum award_status status;
    enum award_answer answer;
    int64_t award;
} DECISIONS[] = {
    {"AWARD-06: first voucher of the cycle",
     45000000,
     {{0}},
     0,
     AWARD_OK,
     AWARD_ISSUE,
     45000000},
    {"AWARD-06: the second gets the rest",
     12000000,
     {{true, {45000000}, {45000000}}},
     1,
     AWARD_OK,
     AWARD_ISSUE,
     5000000},
    {"AWARD-06: one voucher above the cumulative cap",
     60000000,
     {{0}},
     0,
     AWARD_OK,
     AWARD_ISSUE,
     50000000},
    {"AWARD-07: undecided earlier one, the cap does not bind",
     4000000,
     {{false, {45000000}, {0}}},
     1,
     AWARD_OK,
     AWARD_ISSUE,
     4000000},
    {"AWARD-07: undecided earlier one, the cap binds",
     12000000,
     {{false, {45000000}, {0}}},
     1,
     AWARD_OK,
     AWARD_QUEUE,
     12000000},
    {"AWARD-08: an issued voucher is not raised, a new one finds room",
     60000000,
     {{true, {12000000}, {5000000}}},
     1,
     AWARD_OK,
     AWARD_ISSUE,
     45000000},
    {"AWARD-09: nothing left",
     4000000,
     {{true, {45000000}, {45000000}}, {true, {12000000}, {5000000}}},
     2,
     AWARD_CAP_EXHAUSTED,
     AWARD_NOTHING_LEFT,
     0},
    {"AWARD-09: undecided ones reserve all: it waits",
     4000000,
     {{false, {50000000}, {0}}},
     1,
     AWARD_OK,
     AWARD_QUEUE,
     4000000},
    {"AWARD-15: an earlier award above this version's cap",
     4000000,
     {{true, {60000000}, {60000000}}},
     1,
     AWARD_CAP_EXHAUSTED,
     AWARD_NOTHING_LEFT,
     0},
    {"AWARD-06: sums that do not fit are refused",
     4000000,
     {{false, {INT64_MAX}, {0}}, {false, {INT64_MAX}, {0}}},
     2,
     AWARD_RANGE,
     AWARD_ISSUE,
     0},
};

static void test_decisions(void)
{
    for (size_t i = 0; i < sizeof(DECISIONS) / sizeof(DECISIONS[0]); i++) {
        struct award_decision d;
        test_case(DECISIONS[i].name);
        CHECK_I64(award_decide(catalogue.cumulative_cap, DECISIONS[i].earlier,
                               DECISIONS[i].count,
                               (struct money){DECISIONS[i].raw}, &d),
                  DECISIONS[i].status);
        CHECK_I64(d.answer, DECISIONS[i].answer);
        CHECK_I64(d.award.fen, DECISIONS[i].award);
    }
}

int main(void)
{
    test_case("CAT-02: the catalogue is there");
    if (!CHECK(load_catalogue()))
        return test_end();
    test_lines();
    test_every_cap();
    test_sum();
    test_decisions();
    return test_end();
}
