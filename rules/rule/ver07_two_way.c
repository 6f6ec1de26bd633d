/* Genuine: two-way connections with the registered endpoints were observed. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    finding_measure(f, "flows", UNIT_COUNT, c->flows);
    finding_measure(f, "least", UNIT_COUNT, 1);
    finding_measure(f, "one_way", UNIT_COUNT, c->one_way);
    if (c->flows > 0)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_INSUFFICIENT, "none");
}

const struct rule RULE_VER_07 = {
    .id = "VER-07",
    .role = RULE_USE,
    .classes = FOR_ALL,
    .requirement = "VER-07",
    .ask = ask,
};
