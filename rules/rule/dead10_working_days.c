/* Working days, as an explanation only. */
#include "rules/rule/rule_table.h"

/* Whether the holidays of the window's years were announced. */
static bool is_known(const struct line_case *c, struct civil_day as_of)
{
    struct civil_day last = {c->window.end.number - 1};
    return calendar_has_year(c->calendar, day_year(c->window.start), as_of) &&
           calendar_has_year(c->calendar, day_year(last), as_of);
}

static void ask(const struct line_case *c, struct finding *f)
{
    struct civil_day as_of = day_of_wall(c->line->cut_off);
    uint64_t active = 0;
    for (size_t i = 0; i < c->day_count; i++)
        active += c->days[i].flows > 0 &&
                  calendar_is_workday(c->calendar, c->days[i].day, as_of);
    finding_measure(f, "active", UNIT_DAYS, active);
    finding_measure(f, "all", UNIT_DAYS,
                    calendar_count_workdays(c->calendar, c->window.start,
                                            c->window.end, as_of));
    finding_end(f, RULE_PASS, is_known(c, as_of) ? "pass" : "provisional");
}

const struct rule RULE_DEAD_10 = {
    .id = "DEAD-10",
    .role = RULE_SHOWN,
    .classes = FOR_ALL,
    .requirement = "DEAD-10",
    .ask = ask,
};
