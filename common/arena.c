/*
 * The arena: a list of blocks, filled from the front.
 *
 * A piece that does not fit into the current block starts a new one of at least
 * BLOCK_SIZE. Reset keeps the blocks of the usual size and gives back larger
 * ones, so that one unusual request does not hold memory for ever. The ceiling
 * counts the pieces, not the blocks' rests.
 */
#include "common/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checked.h"

enum { BLOCK_SIZE = 16384 - 64 };

struct block {
    struct block *next;
    size_t size;
    size_t used;
    max_align_t data[];
};

struct arena {
    size_t limit;
    size_t used;
    struct block *blocks; /* the one being filled is the first */
    struct block *spare;  /* empty, of BLOCK_SIZE */
};

struct arena *arena_new(size_t limit)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (arena != NULL)
        arena->limit = limit;
    return arena;
}

static void free_blocks(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    free_blocks(arena->blocks);
    free_blocks(arena->spare);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct block *block = arena->blocks;
        arena->blocks = block->next;
        if (block->size > BLOCK_SIZE) {
            free(block);
            continue;
        }
        block->used = 0;
        block->next = arena->spare;
        arena->spare = block;
    }
    arena->used = 0;
}

static bool add_block(struct arena *arena, size_t size)
{
    struct block *block = arena->spare;
    size_t bytes;
    if (size <= BLOCK_SIZE && block != NULL) {
        arena->spare = block->next;
    } else {
        size = size < BLOCK_SIZE ? BLOCK_SIZE : size;
        if (!checked_add_size(size, sizeof(*block), &bytes))
            return false;
        block = malloc(bytes);
        if (block == NULL)
            return false;
        *block = (struct block){.size = size};
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return true;
}

/* A size of 0 gives a piece too, so that NULL always means failure. */
void *arena_take(struct arena *arena, size_t size)
{
    const size_t unit = sizeof(max_align_t);
    size_t rounded;
    if (!checked_add_size(size > 0 ? size : 1, unit - 1, &rounded))
        return NULL;
    rounded -= rounded % unit;
    if (rounded > arena->limit || arena->used > arena->limit - rounded)
        return NULL;
    struct block *block = arena->blocks;
    if (block == NULL || block->size - block->used < rounded) {
        if (!add_block(arena, rounded))
            return NULL;
        block = arena->blocks;
    }
    void *piece = (char *)block->data + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memset(piece, 0, size);
}

void *arena_take_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return arena_take(arena, bytes);
}

char *arena_copy_text(struct arena *arena, struct slice text)
{
    size_t size;
    if (!checked_add_size(text.length, 1, &size))
        return NULL;
    char *copy = arena_take(arena, size);
    if (copy != NULL && text.length > 0)
        memcpy(copy, text.data, text.length);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    char *copy = NULL;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0)
        copy = arena_take(arena, (size_t)length + 1);
    if (copy != NULL)
        vsnprintf(copy, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return copy;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
