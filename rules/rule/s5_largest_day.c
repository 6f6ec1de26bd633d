/* One day that has most of all connections. Few days are insufficient already,
 * and no sign of more. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    if (rule_ends_with_little(c, f))
        return;
    uint64_t share = permille_of(c->largest_day, c->flows);
    finding_measure(f, "share", UNIT_PERMILLE, share);
    finding_measure(f, "limit", UNIT_PERMILLE, c->p->s5_day_permille);
    if (share < c->p->s5_day_permille || !line_case_is_used(c))
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
}

const struct rule RULE_S5 = {
    .id = "S5",
    .role = RULE_WEAK_SIGN,
    .classes = FOR_A | FOR_B,
    .requirement = "VER-14",
    .ask = ask,
};
