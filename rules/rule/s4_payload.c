/* What machines report differs in size. Telemetry of fixed length may be lawful. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    if (rule_ends_with_little(c, f))
        return;
    uint64_t distinct = permille_of(c->sizes, c->flows);
    finding_measure(f, "distinct", UNIT_PERMILLE, distinct);
    finding_measure(f, "limit", UNIT_PERMILLE, c->p->s4_distinct_permille);
    if (distinct >= c->p->s4_distinct_permille)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_OPEN, "same");
}

const struct rule RULE_S4 = {
    .id = "S4",
    .role = RULE_EVIDENCE,
    .classes = FOR_B,
    .requirement = "VER-14",
    .ask = ask,
};
