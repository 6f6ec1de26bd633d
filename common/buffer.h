/*
 * Growing bytes with a ceiling, and the big-endian writers of the wire formats.
 *
 * A buffer is given its limit when it is made: what a stranger sends cannot
 * decide how much memory we use. The first addition that would pass the limit
 * (or that finds no memory) sets `failed`; later ones do nothing, so a caller
 * may add many things and look once.
 */
#ifndef COMMON_BUFFER_H
#define COMMON_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

struct buffer {
    uint8_t *data; /* owned; NULL while empty */
    size_t length;
    size_t capacity;
    size_t limit;
    bool failed;
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_clear(struct buffer *buffer); /* frees; may be used again */
void buffer_reset(struct buffer *buffer); /* empties, keeps the memory */
/* Takes the first `count` bytes away; the rest moves to the front. */
void buffer_consume(struct buffer *buffer, size_t count);

void buffer_add(struct buffer *buffer, const void *data, size_t length);
void buffer_add_slice(struct buffer *buffer, struct slice text);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_addf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_add_u8(struct buffer *buffer, uint8_t value);
void buffer_add_u16(struct buffer *buffer, uint16_t value);
void buffer_add_u32(struct buffer *buffer, uint32_t value);
void buffer_add_u64(struct buffer *buffer, uint64_t value);
/* The low `width` bytes of value, big-endian; width 1 to 8. */
void buffer_add_uint(struct buffer *buffer, uint64_t value, size_t width);
/* Overwrites bytes already written, for lengths known only at the end. */
void buffer_put_u16(struct buffer *buffer, size_t offset, uint16_t value);
/* Room for `length` more bytes to be filled by the caller, or NULL. */
uint8_t *buffer_extend(struct buffer *buffer, size_t length);
struct slice buffer_slice(const struct buffer *buffer);

/* Reads a whole file of at most `limit` bytes. False with errno set; EFBIG
 * when it is larger. The buffer is initialised here and is the caller's. */
bool buffer_read_file(struct buffer *buffer, const char *path, size_t limit);

#endif
