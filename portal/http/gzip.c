#include "portal/http/gzip.h"

#include <stdio.h>
#include <unistd.h>

#include <zlib.h>

enum {
    WINDOW_BITS = 15,
    GZIP_WRAP = 16, /* added to the window's: gzip's head and end */
    MEMORY_LEVEL = 8,
    CHUNK_BYTES = 64 * 1024,
};

/* "q=0", "q=0.00": not this one. */
static bool is_refused(struct slice weight)
{
    weight = slice_trim(weight);
    if (weight.length < 3 || slice_lower(weight.data[0]) != 'q' ||
        weight.data[1] != '=')
        return false;
    for (size_t i = 2; i < weight.length; i++)
        if (weight.data[i] != '0' && weight.data[i] != '.')
            return false;
    return true;
}

bool gzip_is_accepted(struct slice accept_encoding)
{
    struct slice part, name;
    bool any = false;
    while (slice_next(&accept_encoding, ',', &part)) {
        if (!slice_next(&part, ';', &name))
            continue;
        name = slice_trim(name);
        if (slice_equal_nocase(name, SLICE("gzip")))
            return !is_refused(part);
        if (slice_equal_text(name, "*"))
            any = !is_refused(part);
    }
    return any;
}

static bool start(z_stream *stream)
{
    *stream = (z_stream){0};
    return deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED,
                        WINDOW_BITS + GZIP_WRAP, MEMORY_LEVEL,
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

bool gzip_buffer(struct buffer *buffer)
{
    z_stream stream;
    struct buffer out;
    if (buffer->length > UINT32_MAX || !start(&stream))
        return false;
    buffer_init(&out, buffer->limit);
    size_t room = deflateBound(&stream, buffer->length);
    stream.next_in = buffer->data;
    stream.avail_in = (uInt)buffer->length;
    stream.next_out = buffer_extend(&out, room);
    stream.avail_out = (uInt)room;
    bool good =
        stream.next_out != NULL && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    deflateEnd(&stream);
    if (good) {
        struct buffer old = *buffer;
        out.length -= stream.avail_out;
        *buffer = out;
        out = old;
    }
    buffer_clear(&out);
    return good;
}

/* All that the stream has to say for its input. */
static bool write_out(z_stream *stream, int flush, FILE *to)
{
    uint8_t bytes[CHUNK_BYTES];
    do {
        stream->next_out = bytes;
        stream->avail_out = sizeof(bytes);
        deflate(stream, flush);
        size_t length = sizeof(bytes) - stream->avail_out;
        if (fwrite(bytes, 1, length, to) != length)
            return false;
    } while (stream->avail_out == 0);
    return true;
}

static bool compress_file(int fd, FILE *to)
{
    z_stream stream;
    uint8_t bytes[CHUNK_BYTES];
    ssize_t count = 0;
    off_t at = 0;
    if (!start(&stream))
        return false;
    bool good = true;
    while (good && (count = pread(fd, bytes, sizeof(bytes), at)) > 0) {
        stream.next_in = bytes;
        stream.avail_in = (uInt)count;
        at += count;
        good = write_out(&stream, Z_NO_FLUSH, to);
    }
    good = good && count == 0 && write_out(&stream, Z_FINISH, to);
    deflateEnd(&stream);
    return good;
}

int gzip_file(int fd)
{
    FILE *to = tmpfile();
    int compressed = -1;
    if (to == NULL)
        return -1;
    if (compress_file(fd, to) && fflush(to) == 0)
        compressed = dup(fileno(to));
    fclose(to);
    return compressed;
}
