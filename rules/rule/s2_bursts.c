/* People come in bursts; a random generator spreads its connections evenly. */
#include "rules/rule/rule_table.h"

static int64_t fano_of_day(const struct line_case *c,
                           const struct day_fact *day)
{
    return day->residual_flows >= c->p->s2_min_day_flows ? day->fano_permille
                                                         : -1;
}

static void ask(const struct line_case *c, struct finding *f)
{
    int64_t median = 0;
    if (rule_ends_with_little(c, f))
        return;
    size_t days = line_case_median(c, fano_of_day, &median);
    if (rule_ends_with_few_days(c, days, f))
        return;
    finding_measure(f, "dispersion", UNIT_THOUSANDTHS, (uint64_t)median);
    finding_measure(f, "limit", UNIT_THOUSANDTHS, c->p->s2_fano_max_permille);
    if (median > (int64_t)c->p->s2_fano_max_permille)
        finding_end(f, RULE_PASS, "pass");
    else
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
}

const struct rule RULE_S2 = {
    .id = "S2",
    .role = RULE_WEAK_SIGN,
    .classes = FOR_A,
    .requirement = "VER-14",
    .ask = ask,
};
