/* Effective: enough active days in the best window. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    uint64_t wanted = line_case_active_days_wanted(c);
    uint64_t active = c->window.active_days;
    finding_measure(f, "active", UNIT_DAYS, active);
    finding_measure(f, "wanted", UNIT_DAYS, wanted);
    finding_measure(f, "window", UNIT_DAYS, line_case_window_days(c));
    if (line_case_is_used(c)) {
        finding_end(f, RULE_PASS, "pass");
        return;
    }
    finding_measure(f, "lacking", UNIT_DAYS, wanted - active);
    finding_end(f, RULE_INSUFFICIENT, "few_active");
}

const struct rule RULE_VER_08 = {
    .id = "VER-08",
    .role = RULE_SUSTAINED,
    .classes = FOR_ALL,
    .requirement = "VER-08",
    .ask = ask,
};
