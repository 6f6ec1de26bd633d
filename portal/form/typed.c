/* See typed.h. The text is well-formed UTF-8: the request's reader saw to that. */
#include "portal/form/typed.h"

#include <string.h>

static uint32_t code_point(struct slice text, size_t length)
{
    static const uint8_t FIRST_BITS[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (uint8_t)text.data[0] & FIRST_BITS[length];
    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((uint8_t)text.data[i] & 0x3F);
    return code;
}

/* The next character of the rest; its bytes. A byte that is none is one. */
static size_t next(struct slice rest, uint32_t *code)
{
    size_t length = slice_utf8_length(rest);
    if (length == 0) {
        *code = 0xFFFD;
        return 1;
    }
    *code = code_point(rest, length);
    return length;
}

static bool is_blank(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } BLANKS[] = {
        {0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},
        {0xA0, 0xA0},     {0x2000, 0x200F}, {0x2028, 0x202F},
        {0x205F, 0x2060}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF},
    };
    for (size_t i = 0; i < sizeof(BLANKS) / sizeof(BLANKS[0]); i++)
        if (code >= BLANKS[i].first && code <= BLANKS[i].last)
            return true;
    return false;
}

struct slice typed_trim(struct slice text)
{
    const char *start = NULL, *end = NULL;
    uint32_t code;
    while (text.length > 0) {
        size_t length = next(text, &code);
        if (!is_blank(code)) {
            start = start != NULL ? start : text.data;
            end = text.data + length;
        }
        text = slice_of_bytes(text.data + length, text.length - length);
    }
    return start != NULL ? slice_of_bytes(start, (size_t)(end - start))
                         : SLICE("");
}

const char *typed_line(struct slice text, struct arena *arena)
{
    text = typed_trim(text);
    char *out = arena_take(arena, text.length + 1);
    size_t used = 0;
    bool was_blank = false;
    uint32_t code;
    while (out != NULL && text.length > 0) {
        size_t length = next(text, &code);
        if (!is_blank(code)) {
            memcpy(out + used, text.data, length);
            used += length;
        } else if (!was_blank) {
            out[used++] = ' ';
        }
        was_blank = is_blank(code);
        text = slice_of_bytes(text.data + length, text.length - length);
    }
    return out;
}

const char *typed_lines(struct slice text, struct arena *arena)
{
    text = typed_trim(text);
    char *out = arena_take(arena, text.length + 1);
    size_t used = 0;
    for (size_t i = 0; out != NULL && i < text.length; i++) {
        bool is_pair = text.data[i] == '\r' && i + 1 < text.length &&
                       text.data[i + 1] == '\n';
        if (!is_pair)
            out[used++] = text.data[i] == '\r' ? '\n' : text.data[i];
    }
    return out;
}

const char *typed_code(struct slice text, struct arena *arena)
{
    enum { WIDE_FIRST = 0xFF01, WIDE_LAST = 0xFF5E, WIDE_OFFSET = 0xFEE0 };
    text = typed_trim(text);
    char *out = arena_take(arena, text.length + 1);
    size_t used = 0;
    uint32_t code;
    while (out != NULL && text.length > 0) {
        size_t length = next(text, &code);
        if (code >= WIDE_FIRST && code <= WIDE_LAST) {
            out[used++] = (char)(code - WIDE_OFFSET);
        } else if (!is_blank(code)) {
            memcpy(out + used, text.data, length);
            used += length;
        }
        text = slice_of_bytes(text.data + length, text.length - length);
    }
    return out;
}

size_t typed_length(struct slice text)
{
    size_t count = 0;
    uint32_t code;
    while (text.length > 0) {
        size_t length = next(text, &code);
        text = slice_of_bytes(text.data + length, text.length - length);
        count++;
    }
    return count;
}
