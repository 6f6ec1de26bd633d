/*
 * Judging a voucher: a pure function of facts, the programme's parameters and
 * the class of the service (VER-17).
 *
 * Each rule is a row of a table in judge.c and one function. Every rule that
 * was asked leaves its measured value, threshold, window, outcome and one plain
 * sentence in both languages, also when it found nothing.
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
#include "rules/calendar.h"
#include "rules/client.h"
#include "rules/fact.h"
#include "rules/parameter.h"
#include "rules/verdict_mark.h"

enum {
    JUDGE_RULES_MAX = 24,
    JUDGE_SHORT_LEN = 96,
    JUDGE_SENTENCE_LEN = 480,
    JUDGE_PERIOD_DAYS_MAX = 3660,
};

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

enum verdict_word { VERDICT_GENUINE, VERDICT_INSUFFICIENT, VERDICT_SUSPICIOUS };
const char *verdict_word_text(enum verdict_word word); /* "genuine" */

struct rule_result {
    const char *rule; /* "VER-08", "S3" */
    enum rule_outcome outcome;
    char value[JUDGE_SHORT_LEN], threshold[JUDGE_SHORT_LEN]; /* in English */
    char value_zh[JUDGE_SHORT_LEN], threshold_zh[JUDGE_SHORT_LEN];
    char window[JUDGE_SHORT_LEN]; /* "2026-10-25/2026-11-23", both included */
    char zh[JUDGE_SENTENCE_LEN], en[JUDGE_SENTENCE_LEN];
    /* What would change it; empty when there is nothing to do. */
    char remedy_zh[JUDGE_SENTENCE_LEN], remedy_en[JUDGE_SENTENCE_LEN];
};

/* What is known of a line beside its own days. */
struct judge_line {
    enum service_class class;
    uint64_t contract_sets; /* networked sets; 0: the item has none */
    struct civil_day from;  /* contract date: use before it is not judged */
    struct wall_time cut_off;
    const struct day_fact *facts; /* by day, each day at most once */
    size_t fact_count;
    uint64_t sequence_conflicts; /* one sequence, two contents (S10) */
    uint64_t twin_days;          /* days exactly like another enterprise's of
                                    the same supplier */
    uint64_t shared_identifiers; /* user-side identifiers that another
                                    enterprise declared too (VER-14) */
};

struct judge_rules {
    const struct parameters *parameters;
    const struct calendar *calendar;
    const struct client_list *clients;
};

struct line_verdict {
    enum verdict_word word;
    enum verdict_mark mark;
    bool is_genuine, is_effective, is_flagged, is_sample;
    uint8_t tier;
    uint32_t active_days, covered_days;        /* in the window */
    struct civil_day window_start, window_end; /* end: first day after */
    uint64_t devices_seen;
    uint64_t flows, octets; /* in the window, both directions */
    struct rule_result results[JUDGE_RULES_MAX];
    size_t result_count;
    /* Index of the result that decided; result_count: none did. */
    size_t decisive;
};

struct voucher_verdict {
    enum verdict_word word;
    enum verdict_mark mark;
    bool is_genuine, is_effective, is_flagged, is_sample;
    uint8_t tier;
    char reason_zh[JUDGE_SENTENCE_LEN], reason_en[JUDGE_SENTENCE_LEN];
    char remedy_zh[JUDGE_SENTENCE_LEN], remedy_en[JUDGE_SENTENCE_LEN];
};

void judge_line(const struct judge_line *line, const struct judge_rules *rules,
                struct line_verdict *verdict);
/* The lines together (VER-09); line_nos are named in the reason. count is at
 * least 1. */
void judge_voucher(const struct line_verdict *lines, const int *line_nos,
                   size_t count, const struct parameters *parameters,
                   struct voucher_verdict *verdict);

#endif
