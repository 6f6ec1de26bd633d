/* A least number of connections, where the programme asks for one. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    finding_measure(f, "flows", UNIT_COUNT, c->flows);
    finding_measure(f, "least", UNIT_COUNT, c->p->min_flows);
    if (c->flows >= c->p->min_flows)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_INSUFFICIENT, "few");
}

const struct rule RULE_I1 = {
    .id = "I1",
    .role = RULE_USE,
    .classes = FOR_A | FOR_B,
    .requirement = "VER-08",
    .ask = ask,
};
