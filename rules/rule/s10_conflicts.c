/* One batch number that came with two contents. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    finding_measure(f, "conflicts", UNIT_COUNT, c->line->sequence_conflicts);
    finding_measure(f, "limit", UNIT_COUNT, 0);
    if (c->line->sequence_conflicts == 0)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
}

const struct rule RULE_S10 = {
    .id = "S10",
    .role = RULE_SIGN,
    .classes = FOR_ALL,
    .requirement = "VER-14",
    .ask = ask,
};
