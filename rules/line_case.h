/*
 * The case of a voucher's line: what is known of it, its best window (VER-08),
 * and sums and medians over that window. Rules look at the case only.
 */
#ifndef RULES_LINE_CASE_H
#define RULES_LINE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "rules/calendar.h"
#include "rules/client.h"
#include "rules/fact.h"
#include "rules/parameter.h"
#include "rules/window.h"

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

struct line_case {
    const struct judge_line *line;
    const struct parameters *p;
    const struct calendar *calendar;
    const struct client_list *clients;
    struct window window;
    const struct day_fact *days; /* of the window */
    size_t day_count;
    /* Sums over the window. */
    uint64_t flows, octets, one_way, residual, sizes;
    uint64_t batches, late, uncounted, lost_batches, unsynchronised;
    uint64_t human;       /* residual of days that are not as regular as S1 */
    uint64_t human_days;  /* with some of them */
    uint64_t largest_day; /* connections */
    uint64_t devices;     /* different hosts */
    uint8_t tier;         /* highest */
    /* Over all days of the line. */
    uint64_t repeated, elsewhere; /* tokens */
    bool is_sample;
};

/* Fills what follows from line, p, calendar and clients, which are set. */
void line_case_gather(struct line_case *c);

uint64_t line_case_window_days(const struct line_case *c); /* as asked for */
uint64_t line_case_active_days_wanted(const struct line_case *c);
/* Whether as many days are active as a use that counts has. */
bool line_case_is_used(const struct line_case *c);

/* Median over the window's days of what `measure` gives; days with a negative
 * measure are left out. Gives the number of days; without any *median stays. */
size_t line_case_median(const struct line_case *c,
                        int64_t (*measure)(const struct line_case *c,
                                           const struct day_fact *day),
                        int64_t *median);

/* The client program with the most connections, and its share of those that
 * name one, in permille. */
enum client_kind line_case_client(const struct line_case *c, uint64_t *share);

/* part / whole in permille, rounded down; of nothing it is zero. */
uint64_t permille_of(uint64_t part, uint64_t whole);

#endif
