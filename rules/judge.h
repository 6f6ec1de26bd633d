/*
 * Judging a voucher: a pure function of facts, the programme's parameters and
 * the class of the service (VER-17).
 *
 * A line's days become a case (rules/line_case.h); every rule (rules/rule.h) is
 * asked about it and leaves a finding: measured numbers, thresholds, outcome,
 * also when it found nothing. The findings are weighed against each other by
 * the rules' roles; the worst decides the line, the lines decide the voucher.
 *
 *   genuine       use is real and sustained                  COMPLETE
 *   insufficient  use is lacking                             NOT_COMPLETE
 *                 or evidence is lacking (VER-15)            UNDETERMINED
 *   suspicious    held for a person; never refused by us     UNDETERMINED and
 *                                                            flagged
 */
#ifndef RULES_JUDGE_H
#define RULES_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/text.h"
#include "rules/calendar.h"
#include "rules/client.h"
#include "rules/line_case.h"
#include "rules/parameter.h"
#include "rules/rule.h"
#include "rules/verdict_mark.h"

enum { JUDGE_RULES_MAX = 24, JUDGE_SENTENCE_LEN = 480 };

enum verdict_word { VERDICT_GENUINE, VERDICT_INSUFFICIENT, VERDICT_SUSPICIOUS };
const char *verdict_word_text(enum verdict_word word); /* "genuine" */

struct judge_rules {
    const struct parameters *parameters;
    const struct calendar *calendar;
    const struct client_list *clients;
    const struct rule *const
        *rules; /* ended by NULL; at most JUDGE_RULES_MAX */
};

struct line_verdict {
    enum verdict_word word;
    enum verdict_mark mark;
    bool is_genuine, is_effective, is_flagged, is_sample;
    uint8_t tier;
    struct window window;
    uint64_t devices_seen;
    uint64_t flows, octets; /* in the window, both directions */
    struct finding findings[JUDGE_RULES_MAX];
    size_t finding_count;
    /* Index of the finding that decided; finding_count: none did. */
    size_t decisive;
};

struct voucher_verdict {
    enum verdict_word word;
    enum verdict_mark mark;
    bool is_genuine, is_effective, is_flagged, is_sample;
    uint8_t tier;
    /* One plain sentence, and what would change it; the second may be "". */
    char reason[LANGUAGE_COUNT][JUDGE_SENTENCE_LEN];
    char remedy[LANGUAGE_COUNT][JUDGE_SENTENCE_LEN];
};

void judge_line(const struct judge_line *line, const struct judge_rules *rules,
                struct line_verdict *verdict);
/* The lines together (VER-09); line_nos are named in the reason. count is at
 * least 1. */
void judge_voucher(const struct line_verdict *lines, const int *line_nos,
                   size_t count, const struct parameters *parameters,
                   struct voucher_verdict *verdict);

#endif
