#include "rules/spread.h"

#include <assert.h>

typedef unsigned __int128 u128;

void spread_add(struct spread *spread, uint64_t value)
{
    assert(spread->count < SPREAD_VALUES_MAX);
    value = value > SPREAD_COUNT_MAX ? SPREAD_COUNT_MAX : value;
    spread->count++;
    spread->sum += value;
    spread->squares += (u128)value * value;
}

/* n^2 times the variance. */
static u128 variance_n2(const struct spread *s)
{
    return s->count * s->squares - (u128)s->sum * s->sum;
}

/* The largest root with root * root <= value; bit by bit. */
static u128 root_of(u128 value)
{
    u128 root = 0;
    for (u128 bit = (u128)1 << 63; bit > 0; bit >>= 1) {
        if ((root | bit) * (root | bit) <= value)
            root |= bit;
    }
    return root;
}

/* 2000 n times the deviation, rounded down. */
static u128 deviation_2000n(const struct spread *s)
{
    return root_of(variance_n2(s) * 4000000);
}

/* 1000 d / S + 1/2, rounded down, is (2000 d + S) / 2S, rounded down. */
uint64_t spread_variation(const struct spread *s)
{
    if (s->sum == 0)
        return 0;
    return (uint64_t)((deviation_2000n(s) + s->sum) / (2 * (u128)s->sum));
}

uint64_t spread_dispersion(const struct spread *s)
{
    u128 sum_n = (u128)s->sum * s->count;
    if (sum_n == 0)
        return 0;
    return (uint64_t)((variance_n2(s) * 2000 + sum_n) / (2 * sum_n));
}

/* 1000 - 1000 d / S + 1/2, rounded down: a half is rounded up, so that this is
 * not 1000 less the variation. */
uint64_t spread_evenness(const struct spread *s)
{
    if (s->sum == 0)
        return 0;
    u128 square = variance_n2(s) * 4000000, deviation = root_of(square);
    deviation += deviation * deviation < square; /* rounded up */
    u128 most = 2001 * (u128)s->sum;
    return deviation >= most
               ? 0
               : (uint64_t)((most - deviation) / (2 * (u128)s->sum));
}

bool spread_varies_less(const struct spread *s, uint64_t limit)
{
    u128 least = limit * (u128)s->sum;
    return variance_n2(s) * 1000000 < least * least;
}

bool spread_disperses_less(const struct spread *s, uint64_t limit)
{
    return variance_n2(s) * 1000 < (u128)s->sum * s->count * limit;
}
