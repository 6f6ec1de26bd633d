/*
 * The bounded reader. Every read goes through cursor_bytes(), the only
 * function that moves the offset, so that its one comparison is the whole
 * proof that offset <= length.
 */
#include "common/cursor.h"

#include <assert.h>
#include <stddef.h>

struct cursor cursor_of(const void *data, size_t length)
{
    return (struct cursor){.data = data, .length = length};
}

size_t cursor_left(const struct cursor *cursor)
{
    return cursor->failed ? 0 : cursor->length - cursor->offset;
}

const uint8_t *cursor_bytes(struct cursor *cursor, size_t length)
{
    static const uint8_t nothing[1];
    if (cursor->failed || length > cursor->length - cursor->offset) {
        cursor->failed = true;
        return NULL;
    }
    /* An empty cursor may have no data; NULL would read as a failure. */
    const uint8_t *bytes =
        cursor->data == NULL ? nothing : cursor->data + cursor->offset;
    cursor->offset += length;
    return bytes;
}

uint64_t cursor_uint(struct cursor *cursor, size_t width)
{
    assert(width >= 1 && width <= 8);
    const uint8_t *bytes = cursor_bytes(cursor, width);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < width; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t cursor_u8(struct cursor *cursor)
{
    return (uint8_t)cursor_uint(cursor, 1);
}

uint16_t cursor_u16(struct cursor *cursor)
{
    return (uint16_t)cursor_uint(cursor, 2);
}

uint32_t cursor_u24(struct cursor *cursor)
{
    return (uint32_t)cursor_uint(cursor, 3);
}

uint32_t cursor_u32(struct cursor *cursor)
{
    return (uint32_t)cursor_uint(cursor, 4);
}

uint64_t cursor_u64(struct cursor *cursor)
{
    return cursor_uint(cursor, 8);
}

void cursor_skip(struct cursor *cursor, size_t length)
{
    (void)cursor_bytes(cursor, length);
}

struct cursor cursor_sub(struct cursor *cursor, size_t length)
{
    const uint8_t *bytes = cursor_bytes(cursor, length);
    if (bytes == NULL)
        return (struct cursor){.failed = true};
    return cursor_of(bytes, length);
}
