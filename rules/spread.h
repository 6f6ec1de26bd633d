/*
 * How far counts lie apart, in integers only: the same on every machine.
 *
 * With n counts, their sum S and the sum of their squares Q, the variance is
 * (nQ - S^2) / n^2, so that everything asked of deviation and mean is a
 * comparison of whole numbers. Counts above SPREAD_COUNT_MAX stand for it: no
 * sum overflows 128 bits then.
 */
#ifndef RULES_SPREAD_H
#define RULES_SPREAD_H

#include <stdbool.h>
#include <stdint.h>

enum { SPREAD_COUNT_MAX = 1000000000, SPREAD_VALUES_MAX = 4096 };

struct spread {
    uint64_t count; /* at most SPREAD_VALUES_MAX */
    uint64_t sum;
    unsigned __int128 squares;
};

void spread_add(struct spread *spread, uint64_t value);

/* Standard deviation over mean, and variance over mean, in thousandths, rounded
 * to the nearest; 0 without anything. */
uint64_t spread_variation(const struct spread *spread);
uint64_t spread_dispersion(const struct spread *spread);
/* 1 - deviation over mean, in permille, rounded to the nearest; not below 0. */
uint64_t spread_evenness(const struct spread *spread);

/* Whether they are below a limit (at most a million thousandths), exactly: what
 * rounds up to the limit still is. */
bool spread_varies_less(const struct spread *spread, uint64_t limit);
bool spread_disperses_less(const struct spread *spread, uint64_t limit);

#endif
