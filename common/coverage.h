/*
 * Which minutes of a day were watched, and whether that is enough (VER-15): one
 * definition, for the verdict, for the page that shows the days before it, and
 * for what suppliers' probes watched.
 *
 * A batch watches the minutes whose middle lies in its period [start, end), on
 * the day in which the period begins and on the day after: what is longer is
 * seen from its start only. Minutes that several batches watch count once. Of
 * the day in which the cut-off lies only the minutes before it are asked for.
 */
#ifndef COMMON_COVERAGE_H
#define COMMON_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

struct coverage {
    bool is_watched[DAY_MINUTES];
};

/* Adds what a period watches of `day`; periods of other days add nothing. */
void coverage_add(struct coverage *coverage, struct civil_day day,
                  int64_t start_ms, int64_t end_ms);
uint32_t coverage_minutes(const struct coverage *coverage);

/* Minutes of the day that lie before the cut-off. */
uint32_t coverage_minutes_asked(struct civil_day day, struct wall_time cut_off);
/* Whether so many watched minutes are that share of those asked for, and so make
 * a covered day. A day of which no minute is asked for is none. */
bool coverage_is_enough(uint32_t minutes, struct civil_day day,
                        struct wall_time cut_off, uint64_t least_permille);

#endif
