/*
 * Growing bytes with a ceiling.
 *
 * Memory doubles, so that adding is cheap on average, but never passes the
 * limit. Every way of adding goes through buffer_extend(), the only function
 * that decides whether there is room.
 */
#include "common/buffer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 256, READ_STEP = 65536 };

void buffer_init(struct buffer *buffer, size_t limit)
{
    *buffer = (struct buffer){.limit = limit};
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->data);
    buffer_init(buffer, buffer->limit);
}

void buffer_reset(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
}

void buffer_consume(struct buffer *buffer, size_t count)
{
    assert(count <= buffer->length);
    buffer->length -= count;
    if (buffer->length > 0 && count > 0)
        memmove(buffer->data, buffer->data + count, buffer->length);
}

/* length <= limit on entry. */
static bool grow(struct buffer *buffer, size_t length)
{
    size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < length && capacity <= buffer->limit / 2)
        capacity *= 2;
    if (capacity < length || capacity > buffer->limit)
        capacity = buffer->limit;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t length)
{
    if (buffer->failed)
        return NULL;
    bool has_room =
        length <= buffer->limit && buffer->length <= buffer->limit - length;
    size_t end = buffer->length + length;
    if (!has_room || ((end > buffer->capacity || buffer->data == NULL) &&
                      !grow(buffer, end))) {
        buffer->failed = true;
        return NULL;
    }
    uint8_t *room = buffer->data + buffer->length;
    buffer->length = end;
    return room;
}

void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
    if (length == 0)
        return;
    uint8_t *room = buffer_extend(buffer, length);
    if (room != NULL)
        memcpy(room, data, length);
}

void buffer_add_slice(struct buffer *buffer, struct slice text)
{
    buffer_add(buffer, text.data, text.length);
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_addf(struct buffer *buffer, const char *format, ...)
{
    char small[512], *text = small;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(small, sizeof(small), format, arguments);
    if (length >= (int)sizeof(small) && vasprintf(&text, format, again) < 0) {
        text = NULL;
        length = -1;
    }
    va_end(again);
    va_end(arguments);
    if (length < 0)
        buffer->failed = true;
    else
        buffer_add(buffer, text, (size_t)length);
    if (text != small)
        free(text);
}

void buffer_add_uint(struct buffer *buffer, uint64_t value, size_t width)
{
    assert(width >= 1 && width <= 8);
    uint8_t *room = buffer_extend(buffer, width);
    for (size_t i = 0; room != NULL && i < width; i++)
        room[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

void buffer_add_u8(struct buffer *buffer, uint8_t value)
{
    buffer_add_uint(buffer, value, 1);
}

void buffer_add_u16(struct buffer *buffer, uint16_t value)
{
    buffer_add_uint(buffer, value, 2);
}

void buffer_add_u32(struct buffer *buffer, uint32_t value)
{
    buffer_add_uint(buffer, value, 4);
}

void buffer_add_u64(struct buffer *buffer, uint64_t value)
{
    buffer_add_uint(buffer, value, 8);
}

void buffer_put_u16(struct buffer *buffer, size_t offset, uint16_t value)
{
    /* After a failed addition the place may not exist; nobody will read it. */
    if (buffer->failed)
        return;
    assert(buffer->length >= 2 && offset <= buffer->length - 2);
    buffer->data[offset] = (uint8_t)(value >> 8);
    buffer->data[offset + 1] = (uint8_t)value;
}

struct slice buffer_slice(const struct buffer *buffer)
{
    /* Never a NULL pointer: slice_next() takes that for a used-up text. */
    return buffer->data == NULL ? SLICE("")
                                : slice_of_bytes(buffer->data, buffer->length);
}

/* Reads to the end of the file; one step more than the limit would hold tells
 * a full buffer from a file that is too large. */
static bool read_all(struct buffer *buffer, int fd)
{
    uint8_t step[READ_STEP];
    for (;;) {
        ssize_t count = read(fd, step, sizeof(step));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count == 0;
        if ((size_t)count > buffer->limit - buffer->length) {
            errno = EFBIG;
            return false;
        }
        buffer_add(buffer, step, (size_t)count);
        if (buffer->failed) {
            errno = ENOMEM;
            return false;
        }
    }
}

bool buffer_read_file(struct buffer *buffer, const char *path, size_t limit)
{
    buffer_init(buffer, limit);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = read_all(buffer, fd);
    int reason = errno;
    close(fd);
    errno = reason;
    return good;
}
