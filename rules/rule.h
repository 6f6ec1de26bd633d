/*
 * A rule: a pure function that measures a case and answers (VER-17).
 *
 * Each stands in a file of its own in rules/rule/, with a row in the table there
 * and its sentences in text/rules.po. Rules I1 to S11 are ours and carry their
 * thresholds as parameters; the rules of the programme carry its requirement
 * ids. Behaviour is judged on the residual, after automatic groups were taken
 * out (rules/fact.c), and only with enough data: a wrong suspicion hurts an
 * honest factory.
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include <stdbool.h>

#include "common/verdict/finding.h"
#include "rules/line_case.h"

/* What a rule's answer means for the others and for the line (rules/judge.c). */
enum rule_role {
    RULE_COVERAGE,  /* while it is open, no lack of use is concluded */
    RULE_SUSTAINED, /* its passing makes the line effective */
    RULE_USE,
    RULE_EVIDENCE,
    RULE_SIGN,
    /* A sign that an honest factory can meet by chance: alone it is shown. */
    RULE_WEAK_SIGN,
    RULE_SHOWN, /* explains, and decides nothing */
};

enum rule_classes {
    FOR_A = 1 << CLASS_A,
    FOR_B = 1 << CLASS_B,
    FOR_C = 1 << CLASS_C,
    FOR_ALL = FOR_A | FOR_B | FOR_C,
};

struct rule {
    const char *id; /* "S3" */
    enum rule_role role;
    unsigned classes;        /* enum rule_classes: of the services it is for */
    const char *requirement; /* of the programme */
    /* Adds measures and ends the finding. */
    void (*ask)(const struct line_case *c, struct finding *f);
};

/* For rules of behaviour. Too little to judge it by: measures and ends the
 * finding, and the rule has nothing to add. */
bool rule_ends_with_little(const struct line_case *c, struct finding *f);
bool rule_ends_with_few_days(const struct line_case *c, size_t days,
                             struct finding *f);

#endif
