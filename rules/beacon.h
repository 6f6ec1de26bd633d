/*
 * How regular is it? Scores of a host's connections in one day.
 *
 * The ideas are the published ones of beacon hunting: symmetry and spread of
 * intervals and sizes, how long the activity goes on, how even the hours are.
 * A score finds regularity, not intent; the rules decide what it means for a
 * class of service. Results are permille, so that what is kept and compared is
 * an integer; -1 says that there was too little to measure.
 */
#ifndef RULES_BEACON_H
#define RULES_BEACON_H

#include <stddef.h>
#include <stdint.h>

enum { BEACON_NONE = -1, BEACON_MIN_COUNT = 4 };
enum { DAY_HOURS = 24, DAY_BINS = 144 };

/* Regularity of values: the mean of 1 - |Bowley skewness| and
 * (median - MAD) / median. Sorts the values. Skewness is taken as 0 when the
 * quartiles are less than `close` apart or the median equals one of them. */
int32_t beacon_regularity(int64_t *values, size_t count, int64_t close);
/* Regularity of the non-zero intervals, in whole seconds, between starts in
 * ascending order; `work` has room for count values. */
int32_t beacon_of_starts(const int64_t *start_ms, size_t count, int64_t *work);
/* max(first to last activity / day, longest run of hours / 12); 0 with
 * activity in fewer than 6 hours. */
int32_t beacon_of_duration(const uint32_t hours[DAY_HOURS], int64_t first_ms,
                           int64_t last_ms);
/* max(1 - coefficient of variation of the hours, share of the busy hours that
 * fall into the two most common heights when at least 11 are busy). */
int32_t beacon_of_hours(const uint32_t hours[DAY_HOURS]);

/* The four with equal weight, over one host's connections of a day in order of
 * start. `work` has room for count values. */
int32_t beacon_score(const int64_t *start_ms, const uint64_t *octets,
                     size_t count, int64_t day_start_ms, int64_t *work);

/* Fano factor: variance over mean of ten-minute counts, between the first and
 * the last busy one, within hours that have any activity. A random generator
 * with a steady rate has 1000, people come in bursts. */
int32_t beacon_fano(const uint32_t bins[DAY_BINS]);

/* Median; sorts. count is at least 1. */
int64_t beacon_median(int64_t *values, size_t count);

#endif
