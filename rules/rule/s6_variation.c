/*
 * Daily counts of people vary by more than chance: they are away, they hurry.
 *
 * Deviation over mean alone shrinks with size, so the variance must also be no
 * more than that of counting independent events.
 */
#include "rules/rule/rule_table.h"
#include "rules/spread.h"

static void end_with_few(const struct line_case *c, uint64_t days,
                         struct finding *f)
{
    finding_measure(f, "flows", UNIT_COUNT, c->flows);
    finding_measure(f, "least", UNIT_COUNT, c->p->judge_min_flows);
    finding_measure(f, "days", UNIT_DAYS, days);
    finding_measure(f, "least_days", UNIT_DAYS, c->p->s6_min_days);
    finding_end(f, RULE_NOT_APPLICABLE, "few_remaining");
}

static void ask(const struct line_case *c, struct finding *f)
{
    struct spread spread = {0};
    if (rule_ends_with_little(c, f))
        return;
    for (size_t i = 0; i < c->day_count; i++) {
        if (c->days[i].residual_flows > 0)
            spread_add(&spread, c->days[i].residual_flows);
    }
    if (spread.count < c->p->s6_min_days ||
        c->residual < c->p->judge_min_flows) {
        end_with_few(c, spread.count, f);
        return;
    }
    finding_measure(f, "variation", UNIT_THOUSANDTHS,
                    spread_variation(&spread));
    finding_measure(f, "variation_limit", UNIT_THOUSANDTHS,
                    c->p->s6_variation_permille);
    finding_measure(f, "dispersion", UNIT_THOUSANDTHS,
                    spread_dispersion(&spread));
    finding_measure(f, "dispersion_limit", UNIT_THOUSANDTHS,
                    c->p->s6_dispersion_permille);
    finding_measure(f, "days", UNIT_DAYS, spread.count);
    if (spread_varies_less(&spread, c->p->s6_variation_permille) &&
        spread_disperses_less(&spread, c->p->s6_dispersion_permille))
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
    else
        finding_end(f, RULE_PASS, "pass");
}

const struct rule RULE_S6 = {
    .id = "S6",
    .role = RULE_WEAK_SIGN,
    .classes = FOR_A,
    .requirement = "VER-14",
    .ask = ask,
};
