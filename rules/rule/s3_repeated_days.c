/* Days that repeat another day's times and sizes: a recording played again. */
#include "rules/rule/rule_table.h"

struct likeness {
    uint64_t compared, repeated; /* days */
    uint32_t likest;             /* permille */
};

static bool can_compare(const struct line_case *c, const struct day_fact *day)
{
    return day->residual_flows >= c->p->s3_min_day_flows &&
           day->residual_sizes >= c->p->s3_min_sizes;
}

static void compare_day(const struct line_case *c, size_t day,
                        struct likeness *like)
{
    bool is_repeated = false;
    if (!can_compare(c, &c->days[day]))
        return;
    for (size_t i = 0; i < c->day_count; i++) {
        if (i == day || !can_compare(c, &c->days[i]))
            continue;
        uint32_t share = fact_shape_likeness(&c->days[day], &c->days[i]);
        like->likest = share > like->likest ? share : like->likest;
        is_repeated |= share >= c->p->s3_same_permille;
    }
    like->compared++;
    like->repeated += is_repeated;
}

static void ask(const struct line_case *c, struct finding *f)
{
    struct likeness like = {0};
    if (rule_ends_with_little(c, f))
        return;
    for (size_t i = 0; i < c->day_count; i++)
        compare_day(c, i, &like);
    finding_measure(f, "repeated", UNIT_DAYS, like.repeated);
    finding_measure(f, "limit", UNIT_DAYS, c->p->s3_min_days);
    finding_measure(f, "compared", UNIT_DAYS, like.compared);
    finding_measure(f, "likest", UNIT_PERMILLE, like.likest);
    finding_measure(f, "alike", UNIT_PERMILLE, c->p->s3_same_permille);
    if (like.repeated >= c->p->s3_min_days)
        finding_end(f, RULE_SUSPICIOUS, "suspicious");
    else if (like.compared < 2)
        finding_end(f, RULE_NOT_APPLICABLE, "one_day");
    else
        finding_end(f, RULE_PASS, "pass");
}

const struct rule RULE_S3 = {
    .id = "S3",
    .role = RULE_SIGN,
    .classes = FOR_A,
    .requirement = "VER-14",
    .ask = ask,
};
