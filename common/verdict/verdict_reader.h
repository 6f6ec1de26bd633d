/*
 * A verdict as verdict.db has it: one shape for explain, the page, the API and
 * bundles.
 *
 * The database is attached as `verdict`. Runs of before findings were kept as
 * numbers left words: these findings have texts, no case and no measures.
 */
#ifndef COMMON_VERDICT_VERDICT_READER_H
#define COMMON_VERDICT_VERDICT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/text.h"
#include "common/verdict/finding.h"

struct verdict_rule {
    struct finding finding; /* case_name "": of before */
    const char *texts[FINDING_PART_COUNT][LANGUAGE_COUNT];
    struct verdict_rule *next;
};

struct verdict_line {
    int64_t line_no;
    const char *service, *class, *word;        /* "SVC-1", "A", "genuine" */
    int64_t active_days, covered_days;         /* in the window */
    struct civil_day window_start, window_end; /* end: first day after */
    int64_t devices_seen, devices_contract;
    bool has_contract; /* of devices */
    int64_t flows, octets;
    struct verdict_rule *rules; /* in the order of showing */
    struct verdict_line *next;
};

struct verdict {
    const char *voucher, *word, *mark; /* "genuine", "COMPLETE" */
    bool is_genuine, is_effective, is_flagged, is_sample;
    int64_t tier;
    const char *reason[LANGUAGE_COUNT], *remedy[LANGUAGE_COUNT];
    int64_t run;
    bool is_newest_run; /* of its cycle: a later one left the voucher out */
    const char *cycle, *rules_version;
    struct wall_time run_at, cut_off;
    struct slice evidence_root;
    struct verdict_line *lines; /* by number */
};

enum verdict_found { VERDICT_FOUND, VERDICT_NONE, VERDICT_FAILED };

/* The newest verdict on the voucher; what it points to lives in the arena. */
enum verdict_found verdict_read(struct db *db, const char *voucher,
                                struct arena *arena, struct verdict *verdict);

/* NULL when it has no such line. */
const struct verdict_line *verdict_line_find(const struct verdict *verdict,
                                             int64_t line_no);
/* "2026-10-25/2026-11-23", both included. */
enum { VERDICT_WINDOW_LEN = 2 * DAY_TEXT_LEN };
void verdict_window_text(const struct verdict_line *line,
                         char text[static VERDICT_WINDOW_LEN]);

#endif
