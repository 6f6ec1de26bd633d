/*
 * Memory of one batch or one request, given back all at once.
 *
 * There is no free for a single piece. The arena has a ceiling; past it (or
 * without memory) arena_take() gives NULL. Pieces are zeroed and aligned for
 * any type.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

#include "common/slice.h"

struct arena;

struct arena *arena_new(size_t limit); /* NULL without memory */
void arena_free(struct arena *arena);
void arena_reset(struct arena *arena); /* all pieces are gone, memory kept */
void *arena_take(struct arena *arena, size_t size);
void *arena_take_array(struct arena *arena, size_t count, size_t size);
/* A NUL-terminated copy. */
char *arena_copy_text(struct arena *arena, struct slice text);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *arena);

#endif
