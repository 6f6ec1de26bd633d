/*
 * Who holds which place of a fixed pool, so that a full pool takes the place
 * held longest instead of growing or refusing. A place given back last is
 * handed out first: memory that was never needed stays untouched.
 *
 * A holder keeps a reference; when its place was taken over, the reference no
 * longer finds it. The things in the places belong to the pool's user, who
 * clears them.
 */
#ifndef PROBE_METER_POOL_H
#define PROBE_METER_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

/* Zero: no place. */
struct pool_ref {
    uint16_t place; /* from 1 */
    uint16_t owner; /* changes when the place changes hands */
};

enum { POOL_NO_PLACE = -1, POOL_SIZE_MAX = UINT16_MAX - 1 };

struct pool *pool_new(size_t count); /* NULL without memory */
void pool_free(struct pool *pool);
/* Index of a place, and whether somebody else had it until now. */
int pool_take(struct pool *pool, struct pool_ref *ref, bool *was_held);
int pool_find(const struct pool *pool, struct pool_ref ref);
/* Index of the place given back, or POOL_NO_PLACE; the reference is zero
 * afterwards. */
int pool_release(struct pool *pool, struct pool_ref *ref);

#endif
