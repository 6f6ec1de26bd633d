/*
 * Borrowed text and the number readers.
 *
 * Bytes are compared as unsigned; letter case exists for ASCII only, because
 * the names compared without case (hosts, header fields) are ASCII. Nothing
 * here looks at the locale.
 */
#include "common/slice.h"

#include <assert.h>
#include <string.h>

#include "common/checked.h"

struct slice slice_of_text(const char *text)
{
    return (struct slice){text, strlen(text)};
}

struct slice slice_of_bytes(const void *data, size_t length)
{
    return (struct slice){data, length};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length &&
           (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool slice_equal_text(struct slice a, const char *text)
{
    return slice_equal(a, slice_of_text(text));
}

char slice_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

char slice_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool slice_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool slice_is_letter_or_digit(char c)
{
    return slice_is_digit(c) ||
           (slice_lower(c) >= 'a' && slice_lower(c) <= 'z');
}

bool slice_is_id_character(char c)
{
    return slice_is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
}

int slice_hex_digit(char c)
{
    if (slice_is_digit(c))
        return c - '0';
    c = slice_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        if (slice_lower(a.data[i]) != slice_lower(b.data[i]))
            return false;
    }
    return true;
}

bool slice_ends_with_nocase(struct slice text, struct slice suffix)
{
    if (suffix.length > text.length)
        return false;
    if (suffix.length == 0)
        return true;
    struct slice end = {text.data + (text.length - suffix.length),
                        suffix.length};
    return slice_equal_nocase(end, suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice text)
{
    while (text.length > 0 && is_blank(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

bool slice_next(struct slice *rest, char separator, struct slice *part)
{
    if (rest->data == NULL)
        return false;
    const char *end =
        rest->length == 0 ? NULL : memchr(rest->data, separator, rest->length);
    if (end == NULL) {
        *part = *rest;
        *rest = (struct slice){NULL, 0};
        return true;
    }
    *part = (struct slice){rest->data, (size_t)(end - rest->data)};
    rest->data = end + 1;
    rest->length -= part->length + 1;
    return true;
}

bool slice_copy(struct slice text, char *buffer, size_t buffer_size)
{
    assert(buffer_size > 0);
    buffer[0] = '\0';
    if (text.length >= buffer_size)
        return false;
    if (text.length > 0)
        memcpy(buffer, text.data, text.length);
    buffer[text.length] = '\0';
    return true;
}

/* Leading zeros are accepted: they are digits. */
static bool read_digits(struct slice text, uint64_t *value)
{
    uint64_t sum = 0;
    if (text.length == 0)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c < '0' || c > '9' || !checked_mul_u64(sum, 10, &sum) ||
            !checked_add_u64(sum, (uint64_t)(c - '0'), &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool parse_u64(struct slice text, uint64_t min, uint64_t max, uint64_t *value)
{
    uint64_t number;
    if (!read_digits(text, &number) || number < min || number > max)
        return false;
    *value = number;
    return true;
}

bool parse_i64(struct slice text, int64_t min, int64_t max, int64_t *value)
{
    bool is_negative = text.length > 0 && text.data[0] == '-';
    if (is_negative) {
        text.data++;
        text.length--;
    }
    uint64_t magnitude, limit = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    if (!parse_u64(text, 0, limit, &magnitude))
        return false;
    /* Negated in unsigned arithmetic, where INT64_MIN is an ordinary value. */
    int64_t number = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    if (number < min || number > max)
        return false;
    *value = number;
    return true;
}

bool parse_hex(struct slice text, void *bytes, size_t size)
{
    uint8_t *out = bytes;
    if (text.length % 2 != 0 || text.length / 2 != size)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (slice_hex_digit(text.data[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(slice_hex_digit(text.data[2 * i]) << 4 |
                           slice_hex_digit(text.data[2 * i + 1]));
    return true;
}

/* How the first byte of a UTF-8 sequence decides what may follow (RFC 3629,
 * section 4): the second byte's range excludes overlong forms, surrogates and
 * values above U+10FFFF. */
static const struct utf8_form {
    uint8_t first_min, first_max, second_min, second_max, length;
} UTF8_FORMS[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct utf8_form *utf8_form_of(uint8_t first)
{
    for (size_t i = 0; i < sizeof(UTF8_FORMS) / sizeof(UTF8_FORMS[0]); i++) {
        if (first >= UTF8_FORMS[i].first_min &&
            first <= UTF8_FORMS[i].first_max)
            return &UTF8_FORMS[i];
    }
    return NULL;
}

size_t slice_utf8_length(struct slice text)
{
    const uint8_t *p = (const uint8_t *)text.data;
    const struct utf8_form *form = text.length > 0 ? utf8_form_of(p[0]) : NULL;
    if (form == NULL || form->length > text.length)
        return 0;
    if (form->length > 1 &&
        (p[1] < form->second_min || p[1] > form->second_max))
        return 0;
    for (size_t i = 2; i < form->length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return form->length;
}

/* C0 other than tab and newline, DEL, and C1 (U+0080 to U+009F). */
static bool is_control(const uint8_t *p)
{
    if (p[0] == 0xc2)
        return p[1] < 0xa0;
    return (p[0] < 0x20 && p[0] != '\t' && p[0] != '\n') || p[0] == 0x7f;
}

bool slice_is_clean_utf8(struct slice text)
{
    while (text.length > 0) {
        size_t length = slice_utf8_length(text);
        if (length == 0 || is_control((const uint8_t *)text.data))
            return false;
        text.data += length;
        text.length -= length;
    }
    return true;
}

bool slice_split_port(struct slice text, struct slice *host, struct slice *port)
{
    size_t colon = text.length;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    *host = slice_of_bytes(text.data, colon - 1);
    *port = slice_of_bytes(text.data + colon, text.length - colon);
    if (host->length > 2 && host->data[0] == '[' &&
        host->data[host->length - 1] == ']')
        *host = slice_of_bytes(host->data + 1, host->length - 2);
    return true;
}

bool slice_is_id(struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!slice_is_id_character(text.data[i]))
            return false;
    return text.length > 0;
}

uint32_t slice_hash(struct slice text)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ (uint8_t)text.data[i]) * 16777619u;
    return hash;
}
