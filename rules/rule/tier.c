/* How strong the evidence is that the programme asks for. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    finding_measure(f, "tier", UNIT_TIER, c->tier);
    finding_measure(f, "wanted", UNIT_TIER, c->p->min_tier);
    if (c->tier >= c->p->min_tier)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_OPEN, "low");
}

const struct rule RULE_TIER = {
    .id = "TIER",
    .role = RULE_EVIDENCE,
    .classes = FOR_ALL,
    .requirement = "VER-09",
    .ask = ask,
};
