/*
 * What a voucher is worth (AWARD-01 to AWARD-09).
 *
 * A line's award is the smaller of its fee and its cap; lines are computed
 * alone and added; then the enterprise's cumulative cap of the cycle bounds
 * the sum, in the order of first submission. Every step is kept, so that the
 * amount can be explained (AWARD-16). Amounts are fen and overflow is a status.
 */
#ifndef RULES_AWARD_H
#define RULES_AWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/money.h"
#include "rules/catalogue.h"

enum award_status {
    AWARD_OK,
    AWARD_LINE_EMPTY,    /* E_LINE_EMPTY: fee is zero or negative */
    AWARD_SETS_MISSING,  /* E_SETS_REQUIRED: the cap of this item needs sets */
    AWARD_SETS_GIVEN,    /* E_SETS_NOT_APPLICABLE: this one has none */
    AWARD_RANGE,         /* E_RANGE: does not fit */
    AWARD_CAP_EXHAUSTED, /* E_CUM_CAP_EXHAUSTED: nothing left (AWARD-09) */
};

struct award_line {
    struct money fee;   /* in */
    uint64_t sets;      /* in; 0: the contract names none */
    struct money used;  /* in; what earlier lines of the same item took of the
                           cap: zero under award.item_cap_scope = voucher_line,
                           else the enterprise's sum in the cycle (AWARD-04) */
    struct money cap;   /* out */
    struct money award; /* out; may be zero only when `used` ate the cap, and
                           then the status is AWARD_CAP_EXHAUSTED */
};

/* AWARD-01 to AWARD-04: fills in cap and award. */
enum award_status award_of_line(const struct catalogue_item *item,
                                struct award_line *line);

/* Raw amount of a voucher: the sum of its lines' awards (AWARD-05). */
enum award_status award_sum(const struct award_line *lines, size_t count,
                            struct money *raw);

/* An earlier live application or voucher of the enterprise in the cycle: not
 * withdrawn, rejected, expired, lapsed or void (AWARD-06, AWARD-08). */
struct award_claim {
    bool is_issued;     /* then `award` holds; else it is undecided */
    struct money raw;   /* what it asks for; reserved while undecided */
    struct money award; /* what it got */
};

enum award_answer {
    AWARD_ISSUE,        /* may be issued with `award` now */
    AWARD_QUEUE,        /* wait for earlier ones (AWARD-07) */
    AWARD_NOTHING_LEFT, /* AWARD-09: issued ones use up the cap */
};

struct award_decision {
    enum award_answer answer;
    struct money room;  /* cumulative cap less the earlier issued ones */
    struct money award; /* min(raw, room); with AWARD_QUEUE what it would be
                           if all earlier undecided ones came to nothing */
};

/* `earlier` in any order: all have been first submitted before this one. */
enum award_status award_decide(struct money cumulative_cap,
                               const struct award_claim *earlier, size_t count,
                               struct money raw,
                               struct award_decision *decision);

#endif
