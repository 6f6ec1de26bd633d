/* Devices seen against the sets of the contract. One gateway may stand for
 * many, so a difference alone changes no amount. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    uint64_t sets = c->line->contract_sets, seen = c->devices;
    finding_measure(f, "seen", UNIT_COUNT, seen);
    if (sets == 0) {
        finding_end(f, RULE_NOT_APPLICABLE, "no_sets");
        return;
    }
    finding_measure(f, "sets", UNIT_COUNT, sets);
    if (seen >= sets || c->p->device_count_mismatch == DEVICE_IGNORE)
        finding_end(f, RULE_PASS, "pass");
    else if (c->p->device_count_mismatch == DEVICE_STOP &&
             permille_of(seen, sets) < c->p->device_min_permille)
        finding_end(f, RULE_OPEN, "fewer");
    else
        finding_end(f, RULE_FLAG, "fewer");
}

const struct rule RULE_VER_16 = {
    .id = "VER-16",
    .role = RULE_EVIDENCE,
    .classes = FOR_ALL,
    .requirement = "VER-16",
    .ask = ask,
};
