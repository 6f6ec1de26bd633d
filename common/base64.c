/* Four characters carry three bytes. There is one spelling of every content,
 * but for the blanks, so that a text that was signed cannot be said anew. */
#include "common/base64.h"

#include <stdint.h>

enum { LINE_BYTES = 48, GROUP = 4 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_group(struct buffer *out, const uint8_t *bytes, size_t count)
{
    uint32_t bits = (uint32_t)bytes[0] << 16;
    bits |= count > 1 ? (uint32_t)bytes[1] << 8 : 0;
    bits |= count > 2 ? (uint32_t)bytes[2] : 0;
    for (size_t i = 0; i < GROUP; i++)
        buffer_add_u8(out, i <= count
                               ? (uint8_t)alphabet[bits >> (18 - 6 * i) & 63]
                               : '=');
}

void base64_add(struct buffer *out, struct slice bytes)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        add_group(out, data + i, left < 3 ? left : 3);
        if ((i + 3) % LINE_BYTES == 0 || left <= 3)
            buffer_add_u8(out, '\n');
    }
}

void base64_add_word(struct buffer *out, struct slice bytes)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    for (size_t i = 0; i < bytes.length; i += 3)
        add_group(out, data + i, bytes.length - i < 3 ? bytes.length - i : 3);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* 0 to 63, or -1. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_read(struct slice text, struct buffer *out)
{
    uint32_t bits = 0;
    size_t count = 0, padding = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (is_blank(c))
            continue;
        int value = value_of(c);
        if (c == '=') { /* how many there must be is looked at below */
            padding++;
            continue;
        }
        if (value < 0 || padding > 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (++count % GROUP == 0)
            buffer_add_uint(out, bits & 0xffffff, 3);
    }
    size_t rest = count % GROUP;
    if (rest == 0)
        return padding == 0 && !out->failed;
    if (rest == 1 || rest + padding != GROUP)
        return false;
    if (rest == 2 && (bits & 15) == 0)
        buffer_add_u8(out, (uint8_t)(bits >> 4));
    else if (rest == 3 && (bits & 3) == 0)
        buffer_add_uint(out, bits >> 2 & 0xffff, 2);
    else
        return false;
    return !out->failed;
}
