/* What time does: reminders once, overdue reviews told and left open, deadlines
 * that follow the calendar, events of the platform; and no clock is believed
 * that lies days off (DEAD-10, DEAD-11, DEAD-16). */
#include "portal/workflow/clock_job.h"
#include "tests/portal/workflow/office.h"

/* A window that passes ends the registration: no paper's rule, a row to test. */
static struct transition rows[8];
static struct machine machine;
static const struct machine *const ALL[] = {&machine};
static const struct machines MACHINES_HERE = {ALL, 1};

static void make_machine(void)
{
    machine = OFFICE_MACHINE;
    memcpy(rows, OFFICE_TRANSITIONS, sizeof(OFFICE_TRANSITIONS));
    rows[machine.transition_count] =
        (struct transition){"RETURNED",
                            "lapse",
                            ROLE_BIT(ROLE_SYS),
                            ACTION_NONE,
                            .to = "REJECTED",
                            .is_at_due = true,
                            .tells = ROLE_BIT(ROLE_ENT),
                            OFFICE_SAYS};
    machine.transition_count++;
    machine.transitions = rows;
}

static struct wall_time at(const char *text)
{
    struct wall_time time = {0};
    CHECK(wall_from_text(slice_of_text(text), &time));
    return time;
}

static enum clock_end tick(struct portal *portal, const char *now,
                           bool is_confirmed)
{
    struct clock_count count;
    struct error_text error = {""};
    enum clock_end end = clock_job_tick(portal, at(now), &MACHINES_HERE,
                                        is_confirmed, &count, &error);
    if (end == CLOCK_FAILED)
        printf("# %s\n", error.text);
    return end;
}

/* Every quarter of a day between two days. */
static void tick_through(struct portal *portal, const char *from,
                         const char *to)
{
    struct clock_count count;
    struct error_text error = {""};
    for (int64_t us = at(from).us; us < at(to).us; us += INT64_C(21600000000))
        CHECK(clock_job_tick(portal, (struct wall_time){us}, &MACHINES_HERE,
                             false, &count, &error) == CLOCK_DONE);
}

static int64_t told(struct office *o, const char *what)
{
    char sql[200];
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM message WHERE once LIKE '%s/%%'", what);
    return office_count(o->db, sql);
}

/* Submitted on 23 November 2026, returned the same day: a window of ten working
 * days, to 7 December. */
static struct item returned_item(struct office *o)
{
    struct item item = office_begin(o, &machine, "li", "ENT-1", NULL);
    CHECK_TEXT(office_do(o, &machine, "li", &item, "submit", "a"), "");
    CHECK_TEXT(office_do(o, &machine, "wang", &item, "return", "b"), "");
    return item;
}

static void test_reminders(struct office *o, struct portal *portal)
{
    struct item item = returned_item(o);
    test_case("DEAD-16: nothing before five working days are left");
    tick_through(portal, "2026-11-23T12:00:00+08:00",
                 "2026-11-30T00:00:00+08:00");
    CHECK_I64(told(o, "reminder"), 0);
    test_case(
        "DEAD-16: then one to each account, however often the clock runs");
    tick_through(portal, "2026-11-30T00:00:00+08:00",
                 "2026-12-04T00:00:00+08:00");
    CHECK_I64(told(o, "reminder"), 2);
    test_case("DEAD-16: it names the last day and what follows");
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM message WHERE once LIKE"
                                  " 'reminder/%' AND body_zh LIKE"
                                  " '%2026-12-07 24:00%企业注册不会通过%'"),
              2);
    test_case("DEAD-16: one more with one working day left");
    tick_through(portal, "2026-12-04T00:00:00+08:00",
                 "2026-12-05T00:00:00+08:00");
    CHECK_I64(told(o, "reminder"), 4);
    test_case("DEAD-16: nothing after the resubmission");
    CHECK_TEXT(office_do_at(o, &machine, at("2026-12-05"), "li", &item,
                            "resubmit", "c"),
               "");
    tick_through(portal, "2026-12-05T00:00:00+08:00",
                 "2026-12-08T00:00:00+08:00");
    CHECK_I64(told(o, "reminder"), 4);
    test_case("DEAD-11: an overdue review is told once, and stays open");
    tick_through(portal, "2026-12-08T00:00:00+08:00",
                 "2026-12-15T00:00:00+08:00");
    CHECK_I64(told(o, "overdue"), 3);
    CHECK(item_find(o->db, item.id, &item));
    CHECK_TEXT(item.state, "PENDING_CITY");
    test_case("DEAD-11: a late approval is an approval");
    CHECK_TEXT(office_do_at(o, &machine, at("2026-12-15"), "wang", &item,
                            "approve", "d"),
               "");
}

static void test_at_due(struct office *o, struct portal *portal)
{
    struct item item = office_begin(o, &machine, "bai", "ENT-2", NULL);
    CHECK_TEXT(office_do_at(o, &machine, at("2026-12-15"), "bai", &item,
                            "submit", "x"),
               "");
    CHECK_TEXT(office_do_at(o, &machine, at("2026-12-15"), "wang", &item,
                            "return", "x"),
               "");
    test_case("the clock does nothing in the last second");
    CHECK_I64(tick(portal, "2026-12-22T10:00:00+08:00", false), CLOCK_DONE);
    CHECK_I64(tick(portal, "2026-12-29T23:59:59.999999+08:00", false),
              CLOCK_DONE);
    CHECK(item_find(o->db, item.id, &item));
    CHECK_TEXT(item.state, "RETURNED");
    test_case("and its event at 24:00, once, as SYS");
    CHECK_I64(tick(portal, "2026-12-30T00:00:00+08:00", false), CLOCK_DONE);
    CHECK_I64(tick(portal, "2026-12-30T00:01:00+08:00", false), CLOCK_DONE);
    CHECK(item_find(o->db, item.id, &item));
    CHECK_TEXT(item.state, "REJECTED");
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM item_event"
                                  " WHERE actor = 'SYS' AND role = 'SYS'"),
              1);
}

static void test_calendar(struct office *o, struct portal **portal,
                          struct portal_config *config)
{
    struct buffer text;
    struct item item = office_begin(o, &machine, "lin", "ENT-1", NULL);
    CHECK_TEXT(office_do_at(o, &machine, at("2026-12-30"), "lin", &item,
                            "submit", "p"),
               "");
    test_case("DEAD-10: a date in a year without a calendar is provisional");
    CHECK(item.due_is_provisional);
    CHECK_I64(item.due_at.us, at("2027-01-07").us);
    test_case("DEAD-10: and a task for the province, once");
    CHECK_I64(tick(*portal, "2026-12-30T12:00:00+08:00", false), CLOCK_DONE);
    CHECK_I64(tick(*portal, "2026-12-30T13:00:00+08:00", false), CLOCK_DONE);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM task WHERE kind ="
                                  " 'calendar' AND about = '2027'"
                                  " AND closed_at IS NULL"),
              1);
    portal_close(*portal);
    CHECK(
        buffer_read_file(&text, "rules/guangdong-2018/calendar.csv", 1 << 20));
    buffer_add_text(&text, "2027-01-01,holiday,2026-12-30\n"
                           "2027-01-02,workday,2026-12-30\n");
    buffer_add_u8(&text, 0);
    scratch_write(&o->scratch, "calendar.csv", (const char *)text.data);
    buffer_clear(&text);
    scratch_write(&o->scratch, "parameters.conf", "");
    *portal = office_portal(o, config, o->scratch.folder);
    test_case("DEAD-10: a published calendar moves what is not reached, with a "
              "row in the log, and closes the task");
    CHECK_I64(tick(*portal, "2026-12-31T08:00:00+08:00", false), CLOCK_DONE);
    CHECK(item_find(o->db, item.id, &item));
    CHECK(!item.due_is_provisional);
    CHECK_I64(item.due_at.us, at("2027-01-07").us);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM audit"
                                  " WHERE action = 'due.move'"),
              1);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM task WHERE kind ="
                                  " 'calendar' AND closed_at IS NULL"),
              0);
}

static void test_doubts(struct office *o, struct portal *portal)
{
    int64_t rows_before = office_count(o->db, "SELECT count(*) FROM message");
    test_case("a clock that fell back by days does nothing");
    CHECK_I64(tick(portal, "2026-12-28T08:00:00+08:00", false), CLOCK_DOUBTED);
    test_case("one that is years ahead does nothing");
    CHECK_I64(tick(portal, "2036-01-01T08:00:00+08:00", false), CLOCK_DOUBTED);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM message"), rows_before);
    test_case("those who can mend it see it among their work");
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM task WHERE kind ="
                                  " 'clock' AND closed_at IS NULL"),
              1);
    test_case("until somebody says that it is right");
    CHECK_I64(tick(portal, "2027-02-01T08:00:00+08:00", true), CLOCK_DONE);
    CHECK_I64(tick(portal, "2027-02-01T08:01:00+08:00", false), CLOCK_DONE);
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM task WHERE kind ="
                                  " 'clock' AND closed_at IS NULL"),
              0);
}

int main(void)
{
    struct office office;
    struct portal_config config = {0};
    office_open(&office);
    make_machine();
    struct portal *portal =
        office_portal(&office, &config, "rules/guangdong-2018");
    test_reminders(&office, portal);
    test_at_due(&office, portal);
    test_calendar(&office, &portal, &config);
    test_doubts(&office, portal);
    portal_close(portal);
    office_close(&office);
    return test_end();
}
