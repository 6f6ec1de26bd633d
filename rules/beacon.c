/*
 * Regularity scores, in integers: the same on every machine (rules/spread.h).
 *
 * Quantiles interpolate between neighbours at quarters, so that they are kept as
 * four times their value. What leaves is rounded to the nearest permille.
 */
#include "rules/beacon.h"

#include <stdlib.h>

#include "rules/spread.h"

typedef __int128 i128;

enum {
    BIMODAL_MIN_HOURS = 11,
    DURATION_MIN_HOURS = 6,
    DURATION_RUN_HOURS = 12,
    DAY_LENGTH_MS = 86400000,
};
/* Terms of a score: no product of two overflows. */
static const i128 TERM_MAX = (i128)1 << 50;

static int compare_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A share between 0 and 1. */
struct part {
    i128 part, whole;
};

/* 1000 part / whole, rounded to the nearest, within 0 and 1000. */
static int32_t to_permille(i128 part, i128 whole)
{
    if (part <= 0)
        return 0;
    return part >= whole ? 1000
                         : (int32_t)((part * 2000 + whole) / (2 * whole));
}

/* Shares of numbers that no traffic has lose their last bits. */
static struct part part_of(i128 part, i128 whole)
{
    while (whole > TERM_MAX) {
        part /= 2;
        whole /= 2;
    }
    return (struct part){part, whole};
}

/* The mean of two shares. */
static int32_t mean_of(struct part a, struct part b)
{
    return to_permille(a.part * b.whole + b.part * a.whole,
                       2 * a.whole * b.whole);
}

/* Four times the quantile at `quarters`. */
static i128 quantile4(const int64_t *sorted, size_t count, size_t quarters)
{
    size_t place = quarters * (count - 1), low = place / 4;
    size_t high = low + 1 < count ? low + 1 : low;
    i128 part = (i128)(place % 4);
    return (i128)sorted[low] * (4 - part) + (i128)sorted[high] * part;
}

int64_t beacon_median(int64_t *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare_i64);
    return (int64_t)(quantile4(values, count, 2) / 4);
}

static i128 distance(i128 a, i128 b)
{
    return a > b ? a - b : b - a;
}

static struct part symmetry(const int64_t *sorted, size_t count, int64_t close)
{
    i128 q1 = quantile4(sorted, count, 1);
    i128 q2 = quantile4(sorted, count, 2);
    i128 q3 = quantile4(sorted, count, 3);
    if (q3 - q1 < (i128)close * 4 || q2 == q1 || q2 == q3)
        return (struct part){1, 1};
    return part_of(q3 - q1 - distance(q1 + q3, 2 * q2), q3 - q1);
}

int32_t beacon_regularity(int64_t *values, size_t count, int64_t close)
{
    if (count < BEACON_MIN_COUNT - 1)
        return BEACON_NONE;
    qsort(values, count, sizeof(values[0]), compare_i64);
    struct part even = symmetry(values, count, close);
    i128 median = quantile4(values, count, 2);
    if (median <= 0)
        return to_permille(even.part, 2 * even.whole);
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t)(distance((i128)values[i] * 4, median) / 4);
    qsort(values, count, sizeof(values[0]), compare_i64);
    i128 spread = quantile4(values, count, 2);
    i128 tight = spread < median ? median - spread : 0;
    return mean_of(even, part_of(tight, median));
}

int32_t beacon_of_starts(const int64_t *start_ms, size_t count, int64_t *work)
{
    size_t n = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t seconds = start_ms[i] / 1000 - start_ms[i - 1] / 1000;
        if (seconds > 0)
            work[n++] = seconds;
    }
    return beacon_regularity(work, n, 10);
}

static int longest_run(const uint32_t hours[DAY_HOURS])
{
    int run = 0, longest = 0;
    for (int h = 0; h < DAY_HOURS; h++) {
        run = hours[h] > 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static int busy_hours(const uint32_t hours[DAY_HOURS])
{
    int busy = 0;
    for (int h = 0; h < DAY_HOURS; h++)
        busy += hours[h] > 0;
    return busy;
}

int32_t beacon_of_duration(const uint32_t hours[DAY_HOURS], int64_t first_ms,
                           int64_t last_ms)
{
    if (busy_hours(hours) < DURATION_MIN_HOURS)
        return 0;
    int32_t span = to_permille(last_ms - first_ms, DAY_LENGTH_MS);
    int32_t run = to_permille(longest_run(hours), DURATION_RUN_HOURS);
    return span > run ? span : run;
}

static int32_t evenness(const uint32_t hours[DAY_HOURS])
{
    struct spread spread = {0};
    for (int h = 0; h < DAY_HOURS; h++)
        spread_add(&spread, hours[h]);
    return (int32_t)spread_evenness(&spread);
}

/* Heights fall into steps of a twentieth of the highest. One odd hour is
 * forgiven. */
static int32_t two_heights(const uint32_t hours[DAY_HOURS])
{
    uint32_t highest = 1, step;
    int steps[21] = {0}, first = 0, second = 0;
    int busy = busy_hours(hours);
    if (busy < BIMODAL_MIN_HOURS)
        return 0;
    for (int h = 0; h < DAY_HOURS; h++)
        highest = hours[h] > highest ? hours[h] : highest;
    step = (highest + 19) / 20;
    for (int h = 0; h < DAY_HOURS; h++) {
        if (hours[h] > 0)
            steps[hours[h] / step]++;
    }
    for (int i = 0; i < 21; i++) {
        if (steps[i] > first) {
            second = first;
            first = steps[i];
        } else if (steps[i] > second) {
            second = steps[i];
        }
    }
    return to_permille(first + second, busy - 1);
}

int32_t beacon_of_hours(const uint32_t hours[DAY_HOURS])
{
    int32_t even = evenness(hours), fit = two_heights(hours);
    return even > fit ? even : fit;
}

int32_t beacon_score(const int64_t *start_ms, const uint64_t *octets,
                     size_t count, int64_t day_start_ms, int64_t *work)
{
    uint32_t hours[DAY_HOURS] = {0};
    if (count < BEACON_MIN_COUNT)
        return BEACON_NONE;
    int32_t starts = beacon_of_starts(start_ms, count, work);
    if (starts == BEACON_NONE)
        return BEACON_NONE;
    for (size_t i = 0; i < count; i++) {
        int64_t hour = (start_ms[i] - day_start_ms) / 3600000;
        if (hour >= 0 && hour < DAY_HOURS)
            hours[hour]++;
        work[i] =
            octets[i] > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)octets[i];
    }
    int32_t sizes = beacon_regularity(work, count, 10);
    int32_t duration =
        beacon_of_duration(hours, start_ms[0], start_ms[count - 1]);
    return (starts + sizes + duration + beacon_of_hours(hours) + 2) / 4;
}

int32_t beacon_fano(const uint32_t bins[DAY_BINS])
{
    enum { PER_HOUR = DAY_BINS / DAY_HOURS };
    uint32_t hours[DAY_HOURS] = {0};
    int first = -1, last = -1;
    struct spread spread = {0};
    for (int b = 0; b < DAY_BINS; b++) {
        if (bins[b] == 0)
            continue;
        first = first < 0 ? b : first;
        last = b;
        hours[b / PER_HOUR]++;
    }
    for (int b = first; first >= 0 && b <= last; b++) {
        if (hours[b / PER_HOUR] == 0)
            continue;
        spread_add(&spread, bins[b]);
    }
    if (spread.count < PER_HOUR)
        return BEACON_NONE;
    uint64_t fano = spread_dispersion(&spread);
    return fano < INT32_MAX ? (int32_t)fano : INT32_MAX;
}
