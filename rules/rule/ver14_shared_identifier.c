/* User-side identifiers that another enterprise declares too. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    uint64_t shared = c->line->shared_identifiers;
    finding_measure(f, "shared", UNIT_COUNT, shared);
    finding_measure(f, "limit", UNIT_COUNT, 0);
    if (shared == 0)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
}

const struct rule RULE_VER_14 = {
    .id = "VER-14",
    .role = RULE_SIGN,
    .classes = FOR_ALL,
    .requirement = "VER-14",
    .ask = ask,
};
