/* Deadlines, by the programme's own calendar and parameters. */
#include "common/buffer.h"
#include "rules/due.h"
#include "tests/test.h"

static struct calendar calendar;
static struct parameters parameters;
static const struct due_terms TERMS = {&parameters, &calendar};

static void read_rules(void)
{
    struct error_text error = {""};
    struct buffer text;
    CHECK(
        buffer_read_file(&text, "rules/guangdong-2018/calendar.csv", 1 << 20));
    CHECK(calendar_parse(buffer_slice(&text), &calendar, &error));
    buffer_clear(&text);
    CHECK(buffer_read_file(&text, "rules/guangdong-2018/parameters.conf",
                           1 << 20));
    CHECK(parameters_parse(buffer_slice(&text), &parameters, &error));
    buffer_clear(&text);
}

static struct wall_time at(const char *text)
{
    struct wall_time time = {0};
    CHECK(wall_from_text(slice_of_text(text), &time));
    return time;
}

struct due_case {
    const char *name;
    enum due_rule rule;
    const char *start, *now, *day;
    bool is_provisional;
};

static const struct due_case DUES[] = {
    {"DEAD-05: the Mid-Autumn holiday is not counted", DUE_REGISTRATION_REVIEW,
     "2018-09-20", "2018-09-20", "2018-09-28", false},
    {"DEAD-06: Saturdays and Sundays that are worked count", DUE_VOUCHER_REVIEW,
     "2018-09-27", "2018-09-27", "2018-10-16", false},
    {"DEAD-06, DEAD-10: National Day with both worked weekend days",
     DUE_VOUCHER_REVIEW, "2018-09-28", "2018-09-28", "2018-10-17", false},
    {"DEAD-06, REV-05: a resubmission gets a new full period",
     DUE_VOUCHER_REVIEW, "2018-11-26", "2018-11-26", "2018-12-10", false},
    {"DEAD-09: a window that runs past the New Year", DUE_CORRECTION,
     "2018-12-28", "2018-12-28", "2019-01-14", false},
    {"DEAD-10: ten working days around the Spring Festival", DUE_VOUCHER_REVIEW,
     "2019-01-31", "2019-01-31", "2019-02-19", false},
    {"DEAD-10: the calendar as it was changed", DUE_REGISTRATION_REVIEW,
     "2019-04-25", "2019-04-25", "2019-05-05", false},
    {"DEAD-10: the same before the change", DUE_REGISTRATION_REVIEW,
     "2019-04-25", "2019-03-21", "2019-05-03", false},
    {"DEAD-10: a year without a calendar is provisional", DUE_CORRECTION,
     "2026-12-25", "2026-12-25", "2027-01-08", true},
    {"DEAD-05: what comes at 23:59:59 came that day", DUE_REGISTRATION_REVIEW,
     "2018-09-20T23:59:59+08:00", "2018-09-20", "2018-09-28", false},
    {"DEAD-05: what comes at 00:00 came the next day", DUE_REGISTRATION_REVIEW,
     "2018-09-21T00:00:00+08:00", "2018-09-21", "2018-09-29", false},
};

static void test_dues(void)
{
    for (size_t i = 0; i < sizeof(DUES) / sizeof(DUES[0]); i++) {
        const struct due_case *c = &DUES[i];
        char day[DAY_TEXT_LEN];
        test_case(c->name);
        struct due due = due_of(c->rule, at(c->start), &TERMS, at(c->now));
        day_to_text(due.day, day);
        CHECK_TEXT(day, c->day);
        CHECK_I64(due.is_provisional, c->is_provisional);
        CHECK_I64(due.at.us, day_start(due.day).us + INT64_C(86400000000));
    }
}

struct late_case {
    const char *name, *now;
    bool is_over;
    unsigned late;
};

static const struct late_case LATES[] = {
    {"DEAD-11: the last second of the last day is in time",
     "2018-10-16T23:59:59.999999+08:00", false, 0},
    {"DEAD-11: 24:00 is too late", "2018-10-17T00:00:00+08:00", true, 1},
    {"DEAD-11: two working days late", "2018-10-18T09:00:00+08:00", true, 2},
    {"DEAD-11: a weekend adds nothing", "2018-10-21T09:00:00+08:00", true, 3},
};

static void test_late(void)
{
    struct due due =
        due_of(DUE_VOUCHER_REVIEW, at("2018-09-27"), &TERMS, at("2018-09-27"));
    for (size_t i = 0; i < sizeof(LATES) / sizeof(LATES[0]); i++) {
        test_case(LATES[i].name);
        CHECK_I64(due_is_over(&due, at(LATES[i].now)), LATES[i].is_over);
        CHECK_I64(due_workdays_late(&due, &TERMS, at(LATES[i].now)),
                  LATES[i].late);
    }
}

struct reminder_case {
    const char *name, *now;
    unsigned reminder;
};

/* Returned 2018-12-28, window to 2019-01-14. */
static const struct reminder_case REMINDERS[] = {
    {"DEAD-16: nothing on the day of the return", "2018-12-28", 0},
    {"DEAD-16: nothing with six working days left", "2019-01-04", 0},
    {"DEAD-16: one with five left", "2019-01-07", 5},
    {"DEAD-16: the same one until one is left", "2019-01-10", 5},
    {"DEAD-16: one with one left", "2019-01-11", 1},
    {"DEAD-16: the same on the last day", "2019-01-14", 1},
    {"DEAD-16: none when it is over", "2019-01-15", 0},
};

static void test_reminders(void)
{
    struct due due =
        due_of(DUE_CORRECTION, at("2018-12-28"), &TERMS, at("2018-12-28"));
    for (size_t i = 0; i < sizeof(REMINDERS) / sizeof(REMINDERS[0]); i++) {
        test_case(REMINDERS[i].name);
        CHECK_I64(
            due_reminder(DUE_CORRECTION, &due, &TERMS, at(REMINDERS[i].now)),
            REMINDERS[i].reminder);
    }
    test_case("DEAD-16: a review is not reminded of");
    CHECK_I64(due_reminder(DUE_VOUCHER_REVIEW, &due, &TERMS, at("2019-01-11")),
              0);
    test_case("a rule is found by its name, and no other is");
    enum due_rule rule = DUE_NONE;
    CHECK(due_rule_from(SLICE("correction"), &rule) && rule == DUE_CORRECTION);
    CHECK(!due_rule_from(SLICE("corrections"), &rule));
    CHECK_TEXT(due_rule_name(DUE_REGISTRATION_REVIEW), "registration_review");
}

int main(void)
{
    read_rules();
    test_dues();
    test_late();
    test_reminders();
    return test_end();
}
