/* Which minutes and days were watched (VER-15). */
#include "common/coverage.h"

#include "tests/test.h"

static const struct civil_day DAY = {20750};

/* Milliseconds since the start of DAY in Asia/Shanghai. */
static int64_t at(int64_t hours, int64_t minutes, int64_t seconds)
{
    return wall_to_ms(day_start(DAY)) +
           ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

static uint32_t watched_on(int32_t offset, int64_t start_ms, int64_t end_ms)
{
    struct coverage coverage = {0};
    struct civil_day day = {DAY.number + offset};
    coverage_add(&coverage, day, start_ms, end_ms);
    return coverage_minutes(&coverage);
}

static void test_periods(void)
{
    static const struct {
        const char *name;
        int64_t start, end; /* seconds of DAY */
        uint32_t before, on, after;
    } PERIODS[] = {
        {"VER-15: 10:00:50 to 10:01:10 watches no minute", 36050, 36070, 0, 0,
         0},
        {"VER-15: a minute counts by its middle, the start included", 36030,
         36060, 0, 1, 0},
        {"VER-15: and the end not", 36000, 36030, 0, 0, 0},
        {"VER-15: ten minutes", 36000, 36600, 0, 10, 0},
        {"VER-15: ten minutes and a half", 36000, 36631, 0, 11, 0},
        {"VER-15: over midnight", 86100, 86700, 0, 5, 5},
        {"VER-15: begun on the day before", -600, 1200, 10, 20, 0},
        {"VER-15: a whole day from noon", 43200, 129600, 0, 720, 720},
        {"VER-15: longer than a day: the day after the start, no more", 43200,
         400000, 0, 720, 1440},
        {"VER-15: a period that ends before it starts", 36600, 36000, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(PERIODS) / sizeof(PERIODS[0]); i++) {
        int64_t start = at(0, 0, PERIODS[i].start);
        int64_t end = at(0, 0, PERIODS[i].end);
        test_case(PERIODS[i].name);
        CHECK_I64(watched_on(-1, start, end), PERIODS[i].before);
        CHECK_I64(watched_on(0, start, end), PERIODS[i].on);
        CHECK_I64(watched_on(1, start, end), PERIODS[i].after);
        CHECK_I64(watched_on(2, start, end), 0);
    }
}

static void test_overlap(void)
{
    struct coverage coverage = {0};
    test_case("VER-15: minutes that two batches watch count once");
    coverage_add(&coverage, DAY, at(10, 0, 0), at(10, 10, 0));
    coverage_add(&coverage, DAY, at(10, 5, 0), at(10, 15, 0));
    CHECK_I64(coverage_minutes(&coverage), 15);
    test_case("VER-15: neighbours leave no gap and share no minute");
    coverage = (struct coverage){0};
    coverage_add(&coverage, DAY, at(10, 0, 0), at(10, 5, 30));
    coverage_add(&coverage, DAY, at(10, 5, 30), at(10, 10, 0));
    CHECK_I64(coverage_minutes(&coverage), 10);
}

static void test_days(void)
{
    struct wall_time later = day_start((struct civil_day){DAY.number + 9});
    struct wall_time midnight = day_start(DAY);
    struct wall_time evening = {midnight.us + INT64_C(1080) * 60000000};
    struct civil_day next = {DAY.number + 1};
    test_case("VER-15: 1,296 of 1,440 minutes are covered, 1,295 are not");
    CHECK(coverage_is_enough(1296, DAY, later, 900));
    CHECK(!coverage_is_enough(1295, DAY, later, 900));
    test_case("VER-15: the day of the cut-off counts up to it");
    CHECK_I64(coverage_minutes_asked(DAY, evening), 1080);
    CHECK(coverage_is_enough(972, DAY, evening, 900));
    CHECK(!coverage_is_enough(971, DAY, evening, 900));
    test_case("VER-15: no minute watched is no covered day, however few are "
              "asked for");
    struct wall_time one = {midnight.us + INT64_C(60000000)};
    CHECK_I64(coverage_minutes_asked(DAY, one), 1);
    CHECK(!coverage_is_enough(0, DAY, one, 900));
    CHECK(coverage_is_enough(1, DAY, one, 900));
    test_case("VER-15: half of three minutes are two");
    struct wall_time three = {midnight.us + INT64_C(180000000)};
    CHECK(!coverage_is_enough(1, DAY, three, 500));
    CHECK(coverage_is_enough(2, DAY, three, 500));
    test_case("VER-15: at the cut-off's midnight nothing is asked for, and the "
              "day is not covered");
    CHECK_I64(coverage_minutes_asked(DAY, midnight), 0);
    CHECK(!coverage_is_enough(0, DAY, midnight, 900));
    CHECK(!coverage_is_enough(1440, DAY, midnight, 900));
    test_case("VER-15: a day behind the cut-off is none");
    CHECK_I64(coverage_minutes_asked(next, evening), 0);
    CHECK(!coverage_is_enough(1440, next, evening, 900));
}

int main(void)
{
    test_periods();
    test_overlap();
    test_days();
    return test_end();
}
