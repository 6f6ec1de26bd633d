/* The timeline's geometry and its numbers. */
#include "portal/show/chart.h"
#include "tests/test.h"

static const char *text_of(const struct model *model, const char *key)
{
    struct model_value value;
    if (!model_find(model, model_name_of(slice_of_text(key)), &value))
        return "(none)";
    return value.kind == MODEL_TEXT ? value.text : "(other)";
}

static size_t count_of(const struct model *model, const char *key, char c)
{
    size_t count = 0;
    for (const char *p = text_of(model, key); *p != '\0'; p++)
        count += *p == c;
    return count;
}

static size_t list_length(const struct model *model, const char *key)
{
    struct model_value value;
    size_t count = 0;
    if (model_find(model, model_name_of(slice_of_text(key)), &value))
        for (const struct model *m = value.object; m != NULL; m = model_next(m))
            count++;
    return count;
}

static void test_octets(void)
{
    static const struct {
        uint64_t octets;
        const char *text;
    } CASES[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1000, "1.0 kB"},
        {1250, "1.2 kB"},
        {999999, "999.9 kB"},
        {1000000, "1.0 MB"},
        {34000000, "34.0 MB"},
        {UINT64_MAX, "18.4 EB"},
    };
    test_case("octets for people");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char text[CHART_VALUE_TEXT_LEN];
        chart_octets_text(CASES[i].octets, text);
        CHECK_TEXT(text, CASES[i].text);
    }
}

static void test_axis(void)
{
    test_case("the axis ends at a round number not below the largest value");
    CHECK_I64(chart_axis_top(0, CHART_MINUTES), 30);
    CHECK_I64(chart_axis_top(31, CHART_MINUTES), 60);
    CHECK_I64(chart_axis_top(1440, CHART_MINUTES), 1440);
    CHECK_I64(chart_axis_top(0, CHART_OCTETS), 1000);
    CHECK_I64(chart_axis_top(1900000, CHART_OCTETS), 2000000);
    CHECK_I64(chart_axis_top(4900000, CHART_OCTETS), 5000000);
    CHECK_I64(chart_axis_top(5100000, CHART_OCTETS), 10000000);
    CHECK(chart_axis_top(UINT64_MAX, CHART_OCTETS) > 0);
}

/* 2026-11-02 is a Monday: a fortnight with a gap, an idle day, a weekend. */
static void make_chart(struct chart *chart)
{
    *chart = (struct chart){.count = 14, .unit = CHART_MINUTES};
    day_from_text(SLICE("2026-11-02"), &chart->first);
    for (size_t i = 0; i < 14; i++) {
        bool works = i % 7 < 5 && i != 3 && i != 8;
        chart->days[i] = (struct chart_day){i != 3, works, works ? 100 + i : 0};
    }
}

static void test_shapes(struct arena *arena)
{
    struct chart chart;
    struct model *m = model_new(arena);
    make_chart(&chart);
    chart_fill(&chart, m);
    test_case("VER-15: a day without coverage is a gap, not an empty day");
    CHECK_I64(count_of(m, "gaps", 'M'), 1);
    CHECK_I64(count_of(m, "bars", 'M'), 8);
    CHECK_I64(count_of(m, "active", 'M'), 8);
    CHECK_I64(count_of(m, "idle", 'M'), 5);
    test_case("weekends and Mondays");
    CHECK_I64(count_of(m, "weekends", 'M'), 4);
    CHECK_I64(list_length(m, "dates"), 2);
    CHECK_I64(list_length(m, "levels"), 3);
    test_case("no window, no bracket");
    CHECK_TEXT(text_of(m, "window"), "(none)");
}

static void test_window(struct arena *arena)
{
    struct chart chart;
    struct model *m = model_new(arena);
    make_chart(&chart);
    chart.has_window = true;
    chart.window_start.number = chart.first.number - 30;
    chart.window_end.number = chart.first.number + 5;
    chart_fill(&chart, m);
    test_case("the bracket is cut to what is drawn");
    CHECK_TEXT(text_of(m, "window"), "(other)");
    test_case("values of any size stay in the drawing");
    chart.unit = CHART_OCTETS;
    chart.days[0].value = UINT64_MAX;
    struct model *large = model_new(arena);
    chart_fill(&chart, large);
    CHECK(!model_failed(large));
    CHECK(strchr(text_of(large, "bars"), '-') != NULL);
    test_case("the longest chart keeps all its shapes");
    chart.count = CHART_DAYS_MAX;
    for (size_t i = 0; i < CHART_DAYS_MAX; i++)
        chart.days[i] = (struct chart_day){false, true, 1000};
    struct model *longest = model_new(arena);
    chart_fill(&chart, longest);
    CHECK_I64(count_of(longest, "bars", 'M'), CHART_DAYS_MAX);
    CHECK_I64(count_of(longest, "gaps", 'z'), CHART_DAYS_MAX);
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    test_octets();
    test_axis();
    test_shapes(arena);
    test_window(arena);
    arena_free(arena);
    return test_end();
}
