/* Days that are exactly those of another enterprise of the same supplier. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    finding_measure(f, "twins", UNIT_DAYS, c->line->twin_days);
    finding_measure(f, "limit", UNIT_DAYS, c->p->s11_min_days);
    if (c->line->twin_days < c->p->s11_min_days)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
}

const struct rule RULE_S11 = {
    .id = "S11",
    .role = RULE_SIGN,
    .classes = FOR_A,
    .requirement = "VER-14",
    .ask = ask,
};
