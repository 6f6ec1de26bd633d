/*
 * A bounded reader that remembers its first failure.
 *
 * Parsers of hostile bytes read through a cursor and check `failed` once, at
 * the end of a structure: after a failure every read gives 0 and moves nothing.
 * Integers are big-endian (network order).
 */
#ifndef COMMON_CURSOR_H
#define COMMON_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *data;
    size_t length;
    size_t offset; /* <= length, always */
    bool failed;
};

struct cursor cursor_of(const void *data, size_t length);
size_t cursor_left(const struct cursor *cursor);
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint32_t cursor_u24(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);
/* Big-endian unsigned integer of width 1 to 8 bytes. */
uint64_t cursor_uint(struct cursor *cursor, size_t width);
/* `length` bytes where they stand, or NULL when fewer are left. */
const uint8_t *cursor_bytes(struct cursor *cursor, size_t length);
void cursor_skip(struct cursor *cursor, size_t length);
/* A cursor over the next `length` bytes, which this one then has passed. A
 * failed cursor when fewer are left. */
struct cursor cursor_sub(struct cursor *cursor, size_t length);

#endif
