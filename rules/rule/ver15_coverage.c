/* Lack of use may be concluded only from days that were watched. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    uint64_t window = line_case_window_days(c);
    uint64_t wanted = (window * c->p->covered_days_permille + 999) / 1000;
    finding_measure(f, "covered", UNIT_DAYS, c->window.covered_days);
    finding_measure(f, "wanted", UNIT_DAYS, wanted);
    finding_measure(f, "window", UNIT_DAYS, window);
    finding_measure(f, "days", UNIT_DAYS,
                    (uint64_t)(c->window.end.number - c->window.start.number));
    finding_measure(f, "batches", UNIT_COUNT, c->batches);
    finding_measure(f, "late", UNIT_PERMILLE, permille_of(c->late, c->batches));
    finding_measure(f, "uncounted", UNIT_COUNT, c->uncounted);
    finding_measure(f, "lost", UNIT_COUNT, c->lost_batches);
    finding_measure(f, "unsynchronised", UNIT_COUNT, c->unsynchronised);
    if (c->window.covered_days >= wanted || line_case_is_used(c))
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_OPEN, "few_covered");
}

const struct rule RULE_VER_15 = {
    .id = "VER-15",
    .role = RULE_COVERAGE,
    .classes = FOR_ALL,
    .requirement = "VER-15",
    .ask = ask,
};
