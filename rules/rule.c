#include "rules/rule.h"

bool rule_ends_with_little(const struct line_case *c, struct finding *f)
{
    if (c->flows >= c->p->judge_min_flows)
        return false;
    finding_measure(f, "flows", UNIT_COUNT, c->flows);
    finding_measure(f, "least", UNIT_COUNT, c->p->judge_min_flows);
    finding_end(f, RULE_NOT_APPLICABLE, "too_little");
    return true;
}

bool rule_ends_with_few_days(const struct line_case *c, size_t days,
                             struct finding *f)
{
    if (days >= c->p->judge_min_days)
        return false;
    finding_measure(f, "days", UNIT_DAYS, days);
    finding_measure(f, "least", UNIT_DAYS, c->p->judge_min_days);
    finding_end(f, RULE_NOT_APPLICABLE, "few_days");
    return true;
}
