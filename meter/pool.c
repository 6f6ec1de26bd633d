/* A ring and a hand: the place at the hand is the one taken longest ago, give
 * or take those that were given back in between. */
#include "meter/pool.h"

#include <stdlib.h>

enum { STEPS = 8 }; /* how far the hand looks for a free place */

struct place {
    uint16_t owner;
    bool is_held;
};

struct pool {
    size_t count, hand;
    struct place places[];
};

struct pool *pool_new(size_t count)
{
    if (count == 0 || count > POOL_SIZE_MAX)
        return NULL;
    struct pool *pool = calloc(1, sizeof(*pool) + count * sizeof(struct place));
    if (pool != NULL)
        pool->count = count;
    return pool;
}

void pool_free(struct pool *pool)
{
    free(pool);
}

int pool_take(struct pool *pool, struct pool_ref *ref, bool *was_held)
{
    size_t start = pool->hand;
    for (int i = 0; i < STEPS && pool->places[pool->hand].is_held; i++)
        pool->hand = (pool->hand + 1) % pool->count;
    if (pool->places[pool->hand].is_held)
        pool->hand = start;
    size_t index = pool->hand;
    struct place *place = &pool->places[index];
    *was_held = place->is_held;
    place->is_held = true;
    place->owner++;
    *ref = (struct pool_ref){(uint16_t)(index + 1), place->owner};
    pool->hand = (index + 1) % pool->count;
    return (int)index;
}

int pool_find(const struct pool *pool, struct pool_ref ref)
{
    if (ref.place == 0 || ref.place > pool->count)
        return POOL_NO_PLACE;
    const struct place *place = &pool->places[ref.place - 1];
    return place->is_held && place->owner == ref.owner ? ref.place - 1
                                                       : POOL_NO_PLACE;
}

int pool_release(struct pool *pool, struct pool_ref *ref)
{
    int index = pool_find(pool, *ref);
    if (index != POOL_NO_PLACE)
        pool->places[index].is_held = false;
    *ref = (struct pool_ref){0};
    return index;
}
