/* The programme's rules, each from a file of its own. */
#ifndef RULES_RULE_RULE_TABLE_H
#define RULES_RULE_RULE_TABLE_H

#include "rules/rule.h"

extern const struct rule RULE_VER_15, RULE_VER_07, RULE_VER_08, RULE_DEAD_10;
extern const struct rule RULE_VER_16, RULE_VER_14, RULE_TIER;
extern const struct rule RULE_S9, RULE_S10, RULE_I1, RULE_S1, RULE_S2, RULE_S3;
extern const struct rule RULE_S4, RULE_S5, RULE_S6, RULE_S8, RULE_S11;

/* In the order of showing them; of equal outcomes the first decides. Ended by
 * NULL. */
extern const struct rule *const RULES[];

#endif
