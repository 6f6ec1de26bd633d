#include "rules/rule/rule_table.h"

#include <stddef.h>

const struct rule *const RULES[] = {
    /* Coverage first: it explains the two after it. */
    &RULE_VER_15,
    &RULE_VER_07,
    &RULE_VER_08,
    &RULE_DEAD_10,
    &RULE_VER_16,
    &RULE_VER_14,
    &RULE_TIER,
    /* What cannot be chance, before what is statistics. */
    &RULE_S9,
    &RULE_S10,
    &RULE_I1,
    &RULE_S1,
    &RULE_S2,
    &RULE_S3,
    &RULE_S4,
    &RULE_S5,
    &RULE_S6,
    &RULE_S8,
    &RULE_S11,
    NULL,
};
