/* Connections that were seen before: here, or at another enterprise. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    finding_measure(f, "here", UNIT_COUNT, c->repeated);
    finding_measure(f, "elsewhere", UNIT_COUNT, c->elsewhere);
    finding_measure(f, "limit", UNIT_COUNT, c->p->s9_min_repeats);
    if (c->repeated + c->elsewhere < c->p->s9_min_repeats)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
}

const struct rule RULE_S9 = {
    .id = "S9",
    .role = RULE_SIGN,
    .classes = FOR_ALL,
    .requirement = "VER-14",
    .ask = ask,
};
