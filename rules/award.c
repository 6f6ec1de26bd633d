/*
 * Amounts of lines and vouchers. Nothing here rounds: the rate is the whole
 * fee up to the cap (AWARD-01), so every result is a smaller-of or a sum.
 */
#include "rules/award.h"

#include "common/checked.h"

static enum award_status cap_of_line(const struct catalogue_item *item,
                                     uint64_t sets, struct money *cap)
{
    if (item->cap_kind == CAP_FIXED) {
        *cap = item->cap;
        return sets == 0 ? AWARD_OK : AWARD_SETS_GIVEN;
    }
    if (sets == 0)
        return AWARD_SETS_MISSING;
    if (money_multiply(item->cap, sets, cap) != MONEY_OK)
        return AWARD_RANGE;
    return AWARD_OK;
}

enum award_status award_of_line(const struct catalogue_item *item,
                                struct award_line *line)
{
    line->cap = line->award = (struct money){0};
    if (line->fee.fen <= 0)
        return AWARD_LINE_EMPTY;
    enum award_status status = cap_of_line(item, line->sets, &line->cap);
    if (status != AWARD_OK)
        return status;
    if (line->used.fen < 0)
        return AWARD_RANGE;
    if (line->used.fen >= line->cap.fen)
        return AWARD_CAP_EXHAUSTED;
    struct money left = {line->cap.fen - line->used.fen};
    line->award = money_min(left, line->fee);
    return AWARD_OK;
}

enum award_status award_sum(const struct award_line *lines, size_t count,
                            struct money *raw)
{
    struct money sum = {0};
    for (size_t i = 0; i < count; i++) {
        if (money_add(sum, lines[i].award, &sum) != MONEY_OK)
            return AWARD_RANGE;
    }
    *raw = sum;
    return AWARD_OK;
}

/* Sums of what earlier claims got, and of what they may still get. */
static bool sum_claims(const struct award_claim *claims, size_t count,
                       int64_t *issued, int64_t *reserved)
{
    *issued = *reserved = 0;
    for (size_t i = 0; i < count; i++) {
        const struct award_claim *c = &claims[i];
        int64_t *sum = c->is_issued ? issued : reserved;
        int64_t amount = c->is_issued ? c->award.fen : c->raw.fen;
        if (amount < 0 || !checked_add_i64(*sum, amount, sum))
            return false;
    }
    return true;
}

enum award_status award_decide(struct money cumulative_cap,
                               const struct award_claim *earlier, size_t count,
                               struct money raw,
                               struct award_decision *decision)
{
    int64_t issued, reserved, wanted;
    *decision = (struct award_decision){0};
    if (raw.fen <= 0)
        return AWARD_LINE_EMPTY;
    if (!sum_claims(earlier, count, &issued, &reserved) ||
        !checked_add_i64(reserved, raw.fen, &wanted))
        return AWARD_RANGE;
    if (issued >= cumulative_cap.fen) {
        decision->answer = AWARD_NOTHING_LEFT;
        return AWARD_CAP_EXHAUSTED;
    }
    decision->room = (struct money){cumulative_cap.fen - issued};
    decision->award = money_min(raw, decision->room);
    bool cap_binds = wanted > decision->room.fen;
    decision->answer = reserved > 0 && cap_binds ? AWARD_QUEUE : AWARD_ISSUE;
    return AWARD_OK;
}
