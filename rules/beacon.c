/*
 * Regularity scores.
 *
 * Quantiles interpolate between neighbours. Intermediate results are doubles
 * over sorted values, so the order in which records came cannot show; what
 * leaves is rounded to permille.
 */
#include "rules/beacon.h"

#include <math.h>
#include <stdlib.h>

enum {
    BIMODAL_MIN_HOURS = 11,
    DURATION_MIN_HOURS = 6,
    DURATION_RUN_HOURS = 12
};

static int compare_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int32_t to_permille(double score)
{
    if (!(score > 0))
        return 0;
    return score >= 1 ? 1000 : (int32_t)(score * 1000 + 0.5);
}

static double quantile(const int64_t *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t low = (size_t)place;
    size_t high = low + 1 < count ? low + 1 : low;
    double part = place - (double)low;
    return (double)sorted[low] * (1 - part) + (double)sorted[high] * part;
}

int64_t beacon_median(int64_t *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare_i64);
    return (int64_t)quantile(values, count, 0.5);
}

static double symmetry(const int64_t *sorted, size_t count, int64_t close)
{
    double q1 = quantile(sorted, count, 0.25);
    double q2 = quantile(sorted, count, 0.5);
    double q3 = quantile(sorted, count, 0.75);
    if (q3 - q1 < (double)close || q2 == q1 || q2 == q3)
        return 1;
    return 1 - fabs((q1 + q3 - 2 * q2) / (q3 - q1));
}

int32_t beacon_regularity(int64_t *values, size_t count, int64_t close)
{
    if (count < BEACON_MIN_COUNT - 1)
        return BEACON_NONE;
    qsort(values, count, sizeof(values[0]), compare_i64);
    double even = symmetry(values, count, close);
    double median = quantile(values, count, 0.5);
    if (!(median > 0))
        return to_permille(even / 2);
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t)fabs((double)values[i] - median);
    qsort(values, count, sizeof(values[0]), compare_i64);
    double spread = quantile(values, count, 0.5);
    double tight = spread < median ? (median - spread) / median : 0;
    return to_permille((even + tight) / 2);
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
    double span = (double)(last_ms - first_ms) / 86400000.0;
    double run = (double)longest_run(hours) / DURATION_RUN_HOURS;
    return to_permille(span > run ? span : run);
}

static double evenness(const uint32_t hours[DAY_HOURS])
{
    double sum = 0, squares = 0;
    for (int h = 0; h < DAY_HOURS; h++) {
        sum += hours[h];
        squares += (double)hours[h] * hours[h];
    }
    double mean = sum / DAY_HOURS;
    if (!(mean > 0))
        return 0;
    double variance = squares / DAY_HOURS - mean * mean;
    return 1 - sqrt(variance > 0 ? variance : 0) / mean;
}

/* Heights fall into steps of a twentieth of the highest. One odd hour is
 * forgiven. */
static double two_heights(const uint32_t hours[DAY_HOURS])
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
    return (double)(first + second) / (busy - 1);
}

int32_t beacon_of_hours(const uint32_t hours[DAY_HOURS])
{
    double even = evenness(hours), fit = two_heights(hours);
    return to_permille(even > fit ? even : fit);
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
    int first = -1, last = -1, n = 0;
    double sum = 0, squares = 0;
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
        n++;
        sum += bins[b];
        squares += (double)bins[b] * bins[b];
    }
    if (n < PER_HOUR)
        return BEACON_NONE;
    double mean = sum / n;
    double variance = squares / n - mean * mean;
    double fano = variance / mean * 1000 + 0.5;
    return fano < INT32_MAX ? (int32_t)fano : INT32_MAX;
}
