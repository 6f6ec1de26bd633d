#include "common/verdict/finding.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { KEY_LEN = 96 };

static const char *const OUTCOMES[] = {
    [RULE_NOT_APPLICABLE] = "not_applicable",
    [RULE_PASS] = "pass",
    [RULE_FLAG] = "flag",
    [RULE_OPEN] = "insufficient",
    [RULE_INSUFFICIENT] = "insufficient",
    [RULE_SUSPICIOUS] = "suspicious",
};

const char *rule_outcome_text(enum rule_outcome outcome)
{
    return OUTCOMES[outcome];
}

bool rule_outcome_from(struct slice text, enum rule_outcome *outcome)
{
    for (int i = RULE_NOT_APPLICABLE; i <= RULE_SUSPICIOUS; i++) {
        if (slice_equal_text(text, OUTCOMES[i])) {
            *outcome = (enum rule_outcome)i;
            return true;
        }
    }
    return false;
}

static const char *const UNITS[] = {
    [UNIT_COUNT] = "count",       [UNIT_DAYS] = "days",
    [UNIT_PERMILLE] = "permille", [UNIT_THOUSANDTHS] = "thousandths",
    [UNIT_TIER] = "tier",
};

const char *unit_text(enum unit unit)
{
    return UNITS[unit];
}

bool unit_from(struct slice text, enum unit *unit)
{
    for (int i = UNIT_COUNT; i <= UNIT_TIER; i++) {
        if (slice_equal_text(text, UNITS[i])) {
            *unit = (enum unit)i;
            return true;
        }
    }
    return false;
}

/* ---- making one ---- */

static struct measure *next_measure(struct finding *finding, const char *name,
                                    enum unit unit)
{
    struct measure *m = &finding->measures[finding->count];
    assert(finding->count < FINDING_MEASURES_MAX);
    finding->count++;
    *m = (struct measure){.name = name, .unit = unit};
    return m;
}

void finding_measure(struct finding *finding, const char *name, enum unit unit,
                     uint64_t value)
{
    next_measure(finding, name, unit)->value =
        value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

void finding_measure_unknown(struct finding *finding, const char *name,
                             enum unit unit)
{
    next_measure(finding, name, unit)->is_unknown = true;
}

void finding_end(struct finding *finding, enum rule_outcome outcome,
                 const char *case_name)
{
    finding->outcome = outcome;
    finding->case_name = case_name;
}

/* ---- in words ---- */

static void add_thousandths(struct buffer *out, enum language language,
                            const struct text_argument *argument)
{
    (void)language;
    buffer_addf(out, "%" PRId64 ".%03" PRId64, argument->number / 1000,
                argument->number % 1000);
}

static struct text_argument argument_of(const struct measure *m)
{
    if (m->is_unknown)
        return text_plain(m->name, "-");
    if (m->unit == UNIT_PERMILLE)
        return text_permille(m->name, (uint64_t)m->value);
    struct text_argument argument = text_number(m->name, m->value);
    if (m->unit == UNIT_THOUSANDTHS)
        argument.add = add_thousandths;
    return argument;
}

/* False when there is no such text. */
static bool make_key(char key[static KEY_LEN], const char *rule,
                     const char *case_name, enum finding_part part)
{
    static const char *const ENDS[FINDING_PART_COUNT] = {
        [FINDING_SENTENCE] = "",
        [FINDING_VALUE] = ".value",
        [FINDING_THRESHOLD] = ".threshold",
        [FINDING_REMEDY] = ".remedy",
    };
    int length = snprintf(key, KEY_LEN, "%s%s.%s%s", "finding.", rule,
                          case_name, ENDS[part]);
    return length > 0 && length < KEY_LEN &&
           text_find(LANGUAGE_ZH, slice_of_text(key)) != NULL;
}

void finding_text(const struct finding *finding, enum finding_part part,
                  enum language language, struct buffer *out)
{
    char key[KEY_LEN];
    struct text_argument arguments[FINDING_MEASURES_MAX + 1] = {0};
    if (!make_key(key, finding->rule, finding->case_name, part) &&
        !make_key(key, "any", finding->case_name, part) &&
        !make_key(key, finding->rule, "any", part))
        return;
    for (size_t i = 0; i < finding->count; i++)
        arguments[i] = argument_of(&finding->measures[i]);
    text_fill_list(out, language, key, arguments);
}
