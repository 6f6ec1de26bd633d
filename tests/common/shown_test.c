/* How times and money are shown. */
#include "common/shown.h"

#include "tests/test.h"

static struct wall_time at(const char *text)
{
    struct wall_time time = {0};
    CHECK(wall_from_text(slice_of_text(text), &time));
    return time;
}

static void test_times(void)
{
    static const struct {
        const char *time, *moment, *end, *day;
    } rows[] = {
        {"2018-12-31T15:59:58Z", "2018-12-31 23:59:58", "2018-12-31 23:59:58",
         "2018-12-31"},
        {"2018-12-31T16:00:00Z", "2019-01-01 00:00:00", "2018-12-31 24:00",
         "2019-01-01"},
        {"2018-12-31T16:00:00.001Z", "2019-01-01 00:00:00", "2019-01-01 00:00",
         "2019-01-01"},
        {"2024-02-29T16:00:00Z", "2024-03-01 00:00:00", "2024-02-29 24:00",
         "2024-03-01"},
        {"2018-12-31T09:30:00Z", "2018-12-31 17:30:00", "2018-12-31 17:30",
         "2018-12-31"},
    };
    char text[SHOWN_LEN];
    test_case("moments, ends and days in Asia/Shanghai");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        shown_moment(at(rows[i].time), text);
        CHECK_TEXT(text, rows[i].moment);
        shown_end(at(rows[i].time), text);
        CHECK_TEXT(text, rows[i].end);
        shown_day_of(at(rows[i].time), text);
        CHECK_TEXT(text, rows[i].day);
    }
    test_case("any instant has a form");
    shown_end((struct wall_time){INT64_MIN}, text);
    shown_end((struct wall_time){INT64_MAX}, text);
    shown_moment((struct wall_time){INT64_MAX}, text);
}

static void test_spans(void)
{
    static const struct {
        int64_t seconds;
        const char *zh, *en;
    } rows[] = {
        {-5, "0 分 0 秒", "0 min 0 s"},
        {59, "0 分 59 秒", "0 min 59 s"},
        {3599, "59 分 59 秒", "59 min 59 s"},
        {3600, "1 小时 0 分", "1 h 0 min"},
        {86399, "23 小时 59 分", "23 h 59 min"},
        {2 * 86400 + 3 * 3600, "2 天 3 小时", "2 d 3 h"},
        {INT64_MAX, "106751991167300 天 15 小时", "106751991167300 d 15 h"},
    };
    char text[SHOWN_LEN];
    test_case("spans have their two largest units");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        shown_span(LANGUAGE_ZH, rows[i].seconds, text);
        CHECK_TEXT(text, rows[i].zh);
        shown_span(LANGUAGE_EN, rows[i].seconds, text);
        CHECK_TEXT(text, rows[i].en);
    }
}

static void test_money(void)
{
    char text[SHOWN_LEN];
    test_case("money has its unit once, or none in a column");
    shown_money(LANGUAGE_ZH, (struct money){8000050}, text);
    CHECK_TEXT(text, "80,000.50 元");
    shown_money(LANGUAGE_EN, (struct money){-1}, text);
    CHECK_TEXT(text, "-0.01 yuan");
    shown_amount((struct money){8000050}, text);
    CHECK_TEXT(text, "80,000.50");
    shown_money(LANGUAGE_EN, (struct money){INT64_MIN}, text);
    CHECK_TEXT(text, "-92,233,720,368,547,758.08 yuan");
    test_case("sizes");
    shown_size(1, text);
    CHECK_TEXT(text, "1 KiB");
    shown_size(0, text);
    CHECK_TEXT(text, "0 KiB");
    shown_size((3 << 20) + (1 << 19), text);
    CHECK_TEXT(text, "3.5 MiB");
    shown_size(UINT64_MAX, text);
    CHECK_TEXT(text, "17592186044415.9 MiB");
}

static void test_arguments(void)
{
    struct buffer out;
    test_case("as arguments of a sentence, with their zone and unit");
    buffer_init(&out, 1000);
    text_fill(&out, LANGUAGE_EN, "{a}|{b}|{c}|{d}|{e}|{f}",
              text_moment("a", at("2018-12-31T16:00:00Z")),
              text_end("b", at("2018-12-31T16:00:00Z")),
              text_day("c", (struct civil_day){0}),
              text_money("d", (struct money){100}), text_span("e", 61),
              text_size("f", 1024));
    buffer_add_u8(&out, '\0');
    CHECK_TEXT((const char *)out.data,
               "2019-01-01 00:00:00 +08:00|2018-12-31 24:00 +08:00|1970-01-01|"
               "1.00 yuan|1 min 1 s|1 KiB");
    buffer_clear(&out);
}

int main(void)
{
    test_times();
    test_spans();
    test_money();
    test_arguments();
    return test_end();
}
