/* Working days with the arrangements of 2018, 2019 and 2026. */
#include "rules/calendar.h"

#include "common/buffer.h"
#include "tests/test.h"

static struct calendar calendar;

static struct civil_day day(const char *text)
{
    struct civil_day d = {0};
    if (!day_from_text(slice_of_text(text), &d))
        printf("# bad date %s\n", text);
    return d;
}

static const struct {
    const char *name, *start;
    unsigned count;
    const char *as_of, *due;
    bool is_provisional;
} DUES[] = {
    {"DEAD-05: 5 working days over Mid-Autumn 2018", "2018-09-20", 5,
     "2018-12-31", "2018-09-28", false},
    {"DEAD-10: 10 working days over Spring Festival 2019", "2019-01-31", 10,
     "2019-01-31", "2019-02-19", false},
    {"DEAD-10: 5 working days, May 2019 as changed", "2019-04-25", 5,
     "2019-03-22", "2019-05-05", false},
    {"DEAD-10: the same before the change was published", "2019-04-25", 5,
     "2019-03-21", "2019-05-03", false},
    {"DEAD-09: window of 10 working days over New Year", "2018-12-28", 10,
     "2018-12-28", "2019-01-14", false},
    {"DEAD-15: 10 working days after 2018-12-31", "2018-12-31", 10,
     "2018-12-31", "2019-01-15", false},
    {"DEAD-06: 10 working days in October 2018", "2018-09-28", 10, "2018-12-31",
     "2018-10-17", false},
    {"DEAD-10: National Day 2026", "2026-09-30", 1, "2026-09-30", "2026-10-08",
     false},
    {"DEAD-10: working Saturday 2026", "2026-10-09", 1, "2026-10-09",
     "2026-10-10", false},
    {"DEAD-10: a year without a calendar is provisional", "2020-01-02", 1,
     "2026-01-01", "2020-01-03", true},
    {"DEAD-10: so is a year not yet published", "2018-12-28", 3, "2018-12-01",
     "2019-01-02", true},
    {"DEAD-10: crossing into such a year is provisional", "2026-12-31", 1,
     "2026-12-31", "2027-01-01", true},
    {"DEAD-10: zero days is the day itself", "2018-09-20", 0, "2018-12-31",
     "2018-09-20", false},
};

static void test_dues(void)
{
    for (size_t i = 0; i < sizeof(DUES) / sizeof(DUES[0]); i++) {
        char text[DAY_TEXT_LEN];
        test_case(DUES[i].name);
        struct calendar_due due = calendar_due_day(
            &calendar, day(DUES[i].start), DUES[i].count, day(DUES[i].as_of));
        day_to_text(due.day, text);
        CHECK_TEXT(text, DUES[i].due);
        CHECK_I64(due.is_provisional, DUES[i].is_provisional);
    }
}

static const struct {
    const char *name, *text;
} BAD[] = {
    {"DEAD-10: no header", "2019-01-01,holiday\n"},
    {"DEAD-10: not a date", "date,kind\n2019-13-01,holiday\n"},
    {"DEAD-10: unknown kind", "date,kind\n2019-01-01,half\n"},
    {"DEAD-10: published is no date",
     "date,kind,published\n2019-01-01,holiday,soon\n"},
    {"DEAD-10: the same row twice",
     "date,kind\n2019-01-01,holiday\n2019-01-01,workday\n"},
    {"DEAD-10: a field too many", "date,kind\n2019-01-01,holiday,,\n"},
    {"DEAD-10: an empty file", ""},
};

static void test_bad(void)
{
    static struct calendar other;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct error_text error = {""};
        test_case(BAD[i].name);
        CHECK(!calendar_parse(slice_of_text(BAD[i].text), &other, &error));
        CHECK(error.text[0] != '\0');
    }
    test_case("DEAD-10: without the column published a row always holds");
    struct error_text error = {""};
    CHECK(calendar_parse(SLICE("date,kind\r\n2020-01-01,holiday\r\n"), &other,
                         &error));
    CHECK(!calendar_is_workday(&other, day("2020-01-01"), day("1999-01-01")));
    CHECK(calendar_is_workday(&other, day("2020-01-02"), day("1999-01-01")));
}

int main(void)
{
    struct buffer text;
    struct error_text error = {""};
    test_case("DEAD-10: the programme's calendar is read");
    CHECK(
        buffer_read_file(&text, "rules/guangdong-2018/calendar.csv", 1 << 20));
    CHECK(calendar_parse(buffer_slice(&text), &calendar, &error));
    CHECK_TEXT(error.text, "");
    buffer_clear(&text);
    test_dues();
    test_case("DEAD-11: working days overdue");
    CHECK_I64(calendar_count_workdays(&calendar, day("2018-10-17"),
                                      day("2018-10-19"), day("2018-12-31")),
              2);
    CHECK_I64(calendar_count_workdays(&calendar, day("2019-05-01"),
                                      day("2019-05-06"), day("2019-04-01")),
              1);
    test_bad();
    return test_end();
}
