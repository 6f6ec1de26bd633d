/* Chunks never used are taken in order, those given back last first. */
#include "probe/meter/text_pool.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 27 };

struct chunk {
    uint32_t next; /* number of the following chunk; 0: the last */
    uint8_t length;
    char bytes[CHUNK_BYTES];
};

struct text_pool {
    size_t count, used, left;
    uint32_t free_first;
    struct chunk chunks[]; /* from 1 */
};

struct text_pool *text_pool_new(size_t chunks)
{
    struct text_pool *pool = NULL;
    if (chunks < UINT32_MAX)
        pool = calloc(1, sizeof(*pool) + (chunks + 1) * sizeof(struct chunk));
    if (pool != NULL)
        pool->count = pool->left = chunks;
    return pool;
}

void text_pool_free(struct text_pool *pool)
{
    free(pool);
}

static uint32_t take_chunk(struct text_pool *pool)
{
    uint32_t number = pool->free_first;
    pool->left--;
    if (number == 0)
        return (uint32_t)++pool->used;
    pool->free_first = pool->chunks[number].next;
    return number;
}

uint32_t text_pool_put(struct text_pool *pool, struct slice text)
{
    size_t wanted = (text.length + CHUNK_BYTES - 1) / CHUNK_BYTES;
    uint32_t first = TEXT_POOL_NONE, *link = &first;
    if (wanted > pool->left)
        return TEXT_POOL_NONE;
    for (size_t at = 0; at < text.length; at += CHUNK_BYTES) {
        size_t left = text.length - at;
        uint32_t number = take_chunk(pool);
        struct chunk *chunk = &pool->chunks[number];
        chunk->next = 0;
        chunk->length = (uint8_t)(left < CHUNK_BYTES ? left : CHUNK_BYTES);
        memcpy(chunk->bytes, text.data + at, chunk->length);
        *link = number;
        link = &chunk->next;
    }
    return first;
}

size_t text_pool_get(const struct text_pool *pool, uint32_t number, char *out,
                     size_t size)
{
    size_t length = 0;
    while (number != TEXT_POOL_NONE) {
        const struct chunk *chunk = &pool->chunks[number];
        size_t left = size - length;
        size_t n = chunk->length < left ? chunk->length : left;
        memcpy(out + length, chunk->bytes, n);
        length += n;
        number = chunk->next;
    }
    return length;
}

void text_pool_release(struct text_pool *pool, uint32_t number)
{
    while (number != TEXT_POOL_NONE) {
        struct chunk *chunk = &pool->chunks[number];
        uint32_t next = chunk->next;
        chunk->next = pool->free_first;
        pool->free_first = number;
        pool->left++;
        number = next;
    }
}
