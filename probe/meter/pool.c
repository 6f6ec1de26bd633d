/* Places that are held stand in a list by age, those given back on a stack;
 * both by number (index + 1), 0 ends them. */
#include "probe/meter/pool.h"

#include <stdlib.h>

struct place {
    uint16_t owner;
    uint16_t older,
        younger; /* of those held; a free one's .older is below it */
    bool is_held;
};

struct pool {
    size_t count, used; /* places from `used` on were never held */
    uint16_t free_top, oldest, youngest;
    struct place places[]; /* from 1 */
};

struct pool *pool_new(size_t count)
{
    if (count == 0 || count > POOL_SIZE_MAX)
        return NULL;
    struct pool *pool =
        calloc(1, sizeof(*pool) + (count + 1) * sizeof(struct place));
    if (pool != NULL)
        pool->count = count;
    return pool;
}

void pool_free(struct pool *pool)
{
    free(pool);
}

static void list_append(struct pool *pool, uint16_t number)
{
    struct place *place = &pool->places[number];
    place->older = pool->youngest;
    place->younger = 0;
    if (pool->youngest != 0)
        pool->places[pool->youngest].younger = number;
    else
        pool->oldest = number;
    pool->youngest = number;
}

static void list_remove(struct pool *pool, uint16_t number)
{
    const struct place *place = &pool->places[number];
    if (place->older != 0)
        pool->places[place->older].younger = place->younger;
    else
        pool->oldest = place->younger;
    if (place->younger != 0)
        pool->places[place->younger].older = place->older;
    else
        pool->youngest = place->older;
}

static uint16_t free_place(struct pool *pool)
{
    uint16_t number = pool->free_top;
    if (number != 0)
        pool->free_top = pool->places[number].older;
    else if (pool->used < pool->count)
        number = (uint16_t)++pool->used;
    return number;
}

int pool_take(struct pool *pool, struct pool_ref *ref, bool *was_held)
{
    uint16_t number = free_place(pool);
    *was_held = number == 0;
    if (*was_held) {
        number = pool->oldest;
        list_remove(pool, number);
    }
    list_append(pool, number);
    struct place *place = &pool->places[number];
    place->is_held = true;
    place->owner++;
    *ref = (struct pool_ref){number, place->owner};
    return number - 1;
}

int pool_find(const struct pool *pool, struct pool_ref ref)
{
    if (ref.place == 0 || ref.place > pool->count)
        return POOL_NO_PLACE;
    const struct place *place = &pool->places[ref.place];
    return place->is_held && place->owner == ref.owner ? ref.place - 1
                                                       : POOL_NO_PLACE;
}

int pool_release(struct pool *pool, struct pool_ref *ref)
{
    int index = pool_find(pool, *ref);
    if (index != POOL_NO_PLACE) {
        struct place *place = &pool->places[ref->place];
        list_remove(pool, ref->place);
        place->is_held = false;
        place->older = pool->free_top;
        pool->free_top = ref->place;
    }
    *ref = (struct pool_ref){0};
    return index;
}
