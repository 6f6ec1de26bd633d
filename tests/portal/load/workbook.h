/* Workbooks for tests, made by hand: a ZIP whose parts are stored as they are. */
#ifndef TESTS_PORTAL_LOAD_WORKBOOK_H
#define TESTS_PORTAL_LOAD_WORKBOOK_H

#include <stdint.h>
#include <string.h>

#include "common/buffer.h"

struct workbook {
    struct buffer zip, directory;
    unsigned parts;
};

static inline uint32_t workbook_crc(const char *data, size_t length)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= (uint8_t)data[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* ZIP's numbers have their low byte first. */
static inline void workbook_number(struct buffer *out, uint32_t number,
                                   int bytes)
{
    for (int i = 0; i < bytes; i++)
        buffer_add_u8(out, (uint8_t)(number >> 8 * i));
}

static inline void workbook_open(struct workbook *w)
{
    *w = (struct workbook){.parts = 0};
    buffer_init(&w->zip, 64 << 20);
    buffer_init(&w->directory, 1 << 20);
}

/* What local header and directory have in common, from the version needed on. */
static inline void workbook_head(struct buffer *out, const char *name,
                                 const char *text, size_t length)
{
    workbook_number(out, 20, 2);         /* version needed */
    workbook_number(out, 0, 4);          /* flags, stored */
    workbook_number(out, 0x5c210000, 4); /* some day */
    workbook_number(out, workbook_crc(text, length), 4);
    workbook_number(out, (uint32_t)length, 4);
    workbook_number(out, (uint32_t)length, 4);
    workbook_number(out, (uint32_t)strlen(name), 2);
    workbook_number(out, 0, 2); /* extra */
}

static inline void workbook_part(struct workbook *w, const char *name,
                                 const char *text)
{
    size_t length = strlen(text);
    uint32_t at = (uint32_t)w->zip.length;
    buffer_add(&w->zip, "PK\x03\x04", 4);
    workbook_head(&w->zip, name, text, length);
    buffer_add_text(&w->zip, name);
    buffer_add(&w->zip, text, length);
    buffer_add(&w->directory, "PK\x01\x02", 4);
    workbook_number(&w->directory, 20, 2);
    workbook_head(&w->directory, name, text, length);
    workbook_number(&w->directory, 0, 2); /* comment */
    workbook_number(&w->directory, 0, 4); /* disk, inner attributes */
    workbook_number(&w->directory, 0, 4);
    workbook_number(&w->directory, at, 4);
    buffer_add_text(&w->directory, name);
    w->parts++;
}

/* Ends it; the slice lives until workbook_clear(). */
static inline struct slice workbook_close(struct workbook *w)
{
    uint32_t at = (uint32_t)w->zip.length;
    buffer_add_slice(&w->zip, buffer_slice(&w->directory));
    buffer_add(&w->zip, "PK\x05\x06", 4);
    workbook_number(&w->zip, 0, 4);
    workbook_number(&w->zip, w->parts, 2);
    workbook_number(&w->zip, w->parts, 2);
    workbook_number(&w->zip, (uint32_t)w->directory.length, 4);
    workbook_number(&w->zip, at, 4);
    workbook_number(&w->zip, 0, 2);
    return buffer_slice(&w->zip);
}

static inline void workbook_clear(struct workbook *w)
{
    buffer_clear(&w->zip);
    buffer_clear(&w->directory);
}

#endif
