/*
 * The best window (VER-08): the days in a row, up to the cut-off, with the most
 * active days; of equals with the most covered days; of equals the latest.
 */
#ifndef RULES_WINDOW_H
#define RULES_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "rules/fact.h"

/* Use longer ago is not looked at. */
enum { WINDOW_PERIOD_DAYS_MAX = 3660 };

struct window_search {
    const struct day_fact *facts; /* by day, each day at most once */
    size_t fact_count;
    struct civil_day from; /* use before it does not count */
    struct wall_time cut_off;
    size_t days; /* of the window, when there are so many */
    uint64_t covered_minutes_permille; /* of a day that counts as covered */
};

struct window {
    struct civil_day start, end; /* end: first day after */
    uint32_t active_days, covered_days;
};

struct window window_best(const struct window_search *search);

#endif
