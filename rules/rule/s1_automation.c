/*
 * Timers are all there is, or what remains is as regular as a timer.
 *
 * A day whose residual is that regular is a timer that escaped decomposition;
 * days on which others remain speak against the first.
 */
#include "rules/rule/rule_table.h"

static int64_t beacon_of_day(const struct line_case *c,
                             const struct day_fact *day)
{
    (void)c;
    return day->beacon_permille;
}

static bool is_all_automated(const struct line_case *c, uint64_t automated)
{
    return automated >= c->p->s1_automated_permille &&
           c->human < c->p->s1_residual_max &&
           c->human_days < line_case_active_days_wanted(c);
}

/* A browser left open polls like a script: then use is lacking, not feigned. */
static bool is_browser(const struct line_case *c)
{
    uint64_t share;
    return line_case_client(c, &share) == CLIENT_BROWSER;
}

static void ask(const struct line_case *c, struct finding *f)
{
    uint64_t automated = permille_of(c->flows - c->human, c->flows);
    uint64_t limit = c->p->s1_score_permille;
    int64_t regularity = 0;
    if (rule_ends_with_little(c, f))
        return;
    size_t days = line_case_median(c, beacon_of_day, &regularity);
    finding_measure(f, "automated", UNIT_PERMILLE, automated);
    finding_measure(f, "remaining", UNIT_COUNT, c->human);
    if (days > 0)
        finding_measure(f, "regularity", UNIT_THOUSANDTHS,
                        (uint64_t)regularity);
    else
        finding_measure_unknown(f, "regularity", UNIT_THOUSANDTHS);
    finding_measure(f, "automated_limit", UNIT_PERMILLE,
                    c->p->s1_automated_permille);
    finding_measure(f, "remaining_least", UNIT_COUNT, c->p->s1_residual_max);
    finding_measure(f, "regularity_limit", UNIT_THOUSANDTHS, limit);
    bool is_regular =
        days >= c->p->judge_min_days && (uint64_t)regularity >= limit;
    if (!is_regular && !is_all_automated(c, automated))
        finding_end(f, RULE_PASS, "pass");
    else if (is_browser(c))
        finding_end(f, RULE_OPEN, "browser");
    else
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
}

const struct rule RULE_S1 = {
    .id = "S1",
    .role = RULE_SIGN,
    .classes = FOR_A,
    .requirement = "VER-14",
    .ask = ask,
};
