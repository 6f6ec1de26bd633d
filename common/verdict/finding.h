/*
 * What a rule found: numbers with their units, and which sentence they make.
 *
 * A finding is kept and handed on as numbers; what people read is made when it
 * is shown, by finding_text(), the same for the signed table, explain and pages.
 * The sentences are those of text/rules.po, found under
 *
 *   finding.S3.suspicious       the rule's own for this case
 *   finding.any.suspicious      what all rules say in this case
 *   finding.S3.any              the rule's for all its cases
 *
 * in this order, with .value, .threshold or .remedy behind it for those parts.
 * The {names} are those of the measures.
 */
#ifndef COMMON_VERDICT_FINDING_H
#define COMMON_VERDICT_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/slice.h"
#include "common/text.h"

enum rule_outcome {
    RULE_NOT_APPLICABLE,
    RULE_PASS,
    RULE_FLAG,         /* a hint for the city; stops nothing (VER-16) */
    RULE_OPEN,         /* evidence is lacking: insufficient, UNDETERMINED */
    RULE_INSUFFICIENT, /* use is lacking */
    RULE_SUSPICIOUS,   /* stops the line until the province answers */
};
/* The words of the verdict store: an open question is "insufficient" there. */
const char *rule_outcome_text(enum rule_outcome outcome);
bool rule_outcome_from(struct slice text, enum rule_outcome *outcome);

enum unit {
    UNIT_COUNT,
    UNIT_DAYS,
    UNIT_PERMILLE,    /* shown as 37.5% */
    UNIT_THOUSANDTHS, /* shown as 0.375 */
    UNIT_TIER,
};
const char *unit_text(enum unit unit); /* "permille" */
bool unit_from(struct slice text, enum unit *unit);

struct measure {
    const char *name;
    enum unit unit;
    bool is_unknown; /* nothing could be measured: "-", null */
    int64_t value;
};

enum { FINDING_MEASURES_MAX = 10 };

struct finding {
    const char *rule; /* "S3" */
    enum rule_outcome outcome;
    const char *case_name; /* "pass", "suspicious" */
    struct measure measures[FINDING_MEASURES_MAX];
    size_t count;
};

/* Counts above INT64_MAX stay there. */
void finding_measure(struct finding *finding, const char *name, enum unit unit,
                     uint64_t value);
void finding_measure_unknown(struct finding *finding, const char *name,
                             enum unit unit);
void finding_end(struct finding *finding, enum rule_outcome outcome,
                 const char *case_name);

enum finding_part {
    FINDING_SENTENCE,
    FINDING_VALUE,
    FINDING_THRESHOLD,
    FINDING_REMEDY, /* what would change it; nothing when nothing would */
    FINDING_PART_COUNT,
};
void finding_text(const struct finding *finding, enum finding_part part,
                  enum language language, struct buffer *out);

#endif
