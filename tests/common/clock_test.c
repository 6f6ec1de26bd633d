/* Time and the calendar of Asia/Shanghai. */
#include "common/clock.h"

#include <time.h>

#include "tests/test.h"

static void test_wall_texts(void)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } CASES[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1970-01-01T00:00:00.5Z", 500000},
        {"2018-12-31T16:00:00.000Z", 1546272000000000},
        {"2019-01-01T00:00:00+08:00", 1546272000000000},
        {"2019-01-01", 1546272000000000},
        {"2018-12-31T12:30:00-03:30", 1546272000000000},
        {"9999-12-31T23:59:59.999999Z", 253402300799999999},
        {"2020-02-29T00:00:00Z", 1582934400000000},
        {"2019-02-29T00:00:00Z", -1},
        {"1900-01-01T00:00:00Z", -1},
        {"2019-13-01", -1},
        {"2019-00-01", -1},
        {"2019-04-31", -1},
        {"2019-1-1", -1},
        {"2019-01-01T24:00:00Z", -1},
        {"2019-01-01T00:60:00Z", -1},
        {"2019-01-01T00:00:60Z", -1},
        {"2019-01-01T00:00:00", -1},
        {"2019-01-01T00:00Z", -1},
        {"2019-01-01T00:00:00.Z", -1},
        {"2019-01-01T00:00:00.1234567Z", -1},
        {"2019-01-01T00:00:00+0800", -1},
        {"2019-01-01T00:00:00+24:00", -1},
        {"2019-01-01T00:00:00Zx", -1},
        {"2019-01-01 ", -1},
        {"+019-01-01", -1},
        {"", -1},
    };
    test_case("1.4: wall_from_text");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct wall_time time = {-1};
        bool is_good = wall_from_text(slice_of_text(CASES[i].text), &time);
        if (!CHECK(is_good == (CASES[i].us >= 0) && time.us == CASES[i].us))
            printf("# '%s' gives %" PRId64 "\n", CASES[i].text, time.us);
    }
}

static void test_printing(void)
{
    char text[WALL_TEXT_LEN];
    test_case("UTC text with milliseconds, also before 1970");
    wall_to_text((struct wall_time){1546272000123999}, text);
    CHECK_TEXT(text, "2018-12-31T16:00:00.123Z");
    wall_to_text((struct wall_time){-1}, text);
    CHECK_TEXT(text, "1969-12-31T23:59:59.999Z");
    test_case("1.4: local text is Asia/Shanghai");
    wall_to_local_text((struct wall_time){1546272000123999}, text);
    CHECK_TEXT(text, "2019-01-01 00:00:00");
    test_case("the ends of the range have a text");
    wall_to_text((struct wall_time){INT64_MAX}, text);
    CHECK_TEXT(text, "294247-01-10T04:00:54.775Z");
    wall_to_text((struct wall_time){INT64_MIN}, text);
    CHECK(text[0] == '-');
    test_case("seconds and milliseconds from outside stay in range");
    CHECK(wall_from_s(INT64_MAX).us == INT64_MAX);
    CHECK(wall_from_ms(INT64_MIN).us == INT64_MIN);
    CHECK_I64(wall_from_ms(-1).us, -1000);
    CHECK_I64(wall_to_s((struct wall_time){-1}), -1);
    CHECK_I64(wall_to_ms((struct wall_time){1999}), 1);
}

/* Every day of 400 years against the C library's calendar. */
static void test_calendar(void)
{
    test_case("1.4: days agree with the C library from 1970 to 2400");
    for (int32_t number = 0; number < 157000; number++) {
        char text[DAY_TEXT_LEN], want[80];
        struct civil_day day = {number}, again = {-1};
        time_t seconds = (time_t)number * 86400;
        struct tm utc;
        gmtime_r(&seconds, &utc);
        snprintf(want, sizeof(want), "%04d-%02d-%02d", utc.tm_year + 1900,
                 utc.tm_mon + 1, utc.tm_mday);
        day_to_text(day, text);
        bool is_good = strcmp(text, want) == 0 &&
                       day_from_text(slice_of_text(text), &again) &&
                       again.number == number &&
                       day_of_week(day) == (utc.tm_wday + 6) % 7 &&
                       day_year(day) == utc.tm_year + 1900;
        if (!CHECK(is_good)) {
            printf("# day %d is %s, expected %s\n", (int)number, text, want);
            break;
        }
    }
    struct civil_day day;
    test_case("day_from_text takes a date and nothing else");
    CHECK(!day_from_text(SLICE("2018-12-31 "), &day));
    CHECK(!day_from_text(SLICE("2018-12-31T00:00:00Z"), &day));
    CHECK(!day_from_text(SLICE("31.12.2018"), &day));
    CHECK(!day_from_text(SLICE("2100-02-29"), &day));
    CHECK(day_from_text(SLICE("2000-02-29"), &day));
}

static void test_days(void)
{
    struct wall_time midnight = {1546272000000000}; /* 2019-01-01 +08:00 */
    struct civil_day day = day_of_wall(midnight);
    char text[DAY_TEXT_LEN];
    test_case("1.4: a day is the half-open range between two midnights");
    day_to_text(day, text);
    CHECK_TEXT(text, "2019-01-01");
    CHECK_I64(day_start(day).us, midnight.us);
    CHECK_I64(day_of_wall((struct wall_time){midnight.us - 1}).number,
              day.number - 1);
    CHECK_I64(
        day_of_wall((struct wall_time){midnight.us + 86400000000 - 1}).number,
        day.number);
    CHECK_I64(day_of_wall((struct wall_time){midnight.us + 86400000000}).number,
              day.number + 1);
    test_case("1.4: minutes of the day in Asia/Shanghai");
    CHECK_I64(wall_minute_of_day(midnight), 0);
    CHECK_I64(wall_minute_of_day((struct wall_time){midnight.us - 1}), 1439);
    CHECK_I64(wall_minute_of_day((struct wall_time){0}), 480);
    test_case("week days");
    CHECK_I64(day_of_week(day), 1); /* a Tuesday */
    CHECK_I64(day_of_week((struct civil_day){-1}), 2);
    CHECK_I64(day_of_week((struct civil_day){4}), DAY_MONDAY);
    CHECK_I64(day_of_week((struct civil_day){3}), DAY_SUNDAY);
    test_case("both clocks run");
    CHECK(wall_now().us > midnight.us);
    struct mono_time before = mono_now();
    CHECK(mono_now().us >= before.us);
}

int main(void)
{
    test_wall_texts();
    test_printing();
    test_calendar();
    test_days();
    return test_end();
}
