/* People's work that one tool makes, which is no browser. */
#include "rules/rule/rule_table.h"

static void ask(const struct line_case *c, struct finding *f)
{
    uint64_t share;
    if (rule_ends_with_little(c, f))
        return;
    enum client_kind kind = line_case_client(c, &share);
    finding_measure(f, "share", UNIT_PERMILLE, share);
    finding_measure(f, "limit", UNIT_PERMILLE, c->p->s8_client_permille);
    if (kind == CLIENT_UNKNOWN)
        finding_end(f, RULE_NOT_APPLICABLE, "unknown");
    else if (kind == CLIENT_BROWSER)
        finding_end(f, RULE_PASS, "browser");
    else if (share < c->p->s8_client_permille)
        finding_end(f, RULE_PASS, "tool");
    else
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
}

const struct rule RULE_S8 = {
    .id = "S8",
    .role = RULE_SIGN,
    .classes = FOR_A,
    .requirement = "VER-14",
    .ask = ask,
};
