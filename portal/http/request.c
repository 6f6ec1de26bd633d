/* See request.h. A field without '=' has an empty value, as browsers mean it. */
#include "portal/http/request.h"

#include <string.h>

#include "common/writer.h"

/* %XX at text[i]: the byte, or -1. */
static int escaped_byte(struct slice text, size_t i)
{
    if (text.length - i < 3)
        return -1;
    int high = slice_hex_digit(text.data[i + 1]);
    int low = slice_hex_digit(text.data[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Control characters are UTF-8, too, but no part of a text. */
static enum form_reading judge(struct slice text)
{
    if (slice_is_clean_utf8(text))
        return FORM_GOOD;
    while (text.length > 0) {
        size_t length = slice_utf8_length(text);
        if (length == 0)
            return FORM_NOT_UTF8;
        text = slice_of_bytes(text.data + length, text.length - length);
    }
    return FORM_MALFORMED;
}

enum form_reading form_decode(struct slice text, bool plus_is_blank,
                              struct arena *arena, const char **decoded)
{
    char *out = arena_take(arena, text.length + 1);
    size_t length = 0;
    *decoded = "";
    if (out == NULL)
        return FORM_OUT_OF_ROOM;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%') {
            int byte = escaped_byte(text, i);
            if (byte <= 0)
                return FORM_MALFORMED;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        out[length++] = c;
    }
    enum form_reading reading = judge(slice_of_bytes(out, length));
    if (reading == FORM_GOOD)
        *decoded = out;
    return reading;
}

const char *form_encode(const char *text, struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, strlen(text) * 3 + 1);
    address_add(&out, slice_of_text(text));
    const char *copy = arena_copy_text(arena, buffer_slice(&out));
    buffer_clear(&out);
    return copy != NULL ? copy : "";
}

/* Splits "name=value"; without '=' all of it is the name. */
static void split_pair(struct slice part, struct slice *name,
                       struct slice *value)
{
    const char *equal =
        part.length > 0 ? memchr(part.data, '=', part.length) : NULL;
    size_t length = equal != NULL ? (size_t)(equal - part.data) : part.length;
    *name = slice_of_bytes(part.data, length);
    *value = equal != NULL ? slice_of_bytes(equal + 1, part.length - length - 1)
                           : slice_of_bytes(part.data, 0);
}

static enum form_reading read_field(struct slice part, struct arena *arena,
                                    struct form_field *field)
{
    struct slice name, value;
    split_pair(part, &name, &value);
    enum form_reading reading = form_decode(name, true, arena, &field->name);
    return reading == FORM_GOOD ? form_decode(value, true, arena, &field->value)
                                : reading;
}

enum form_reading form_parse(struct form_data *form, struct slice text,
                             struct arena *arena)
{
    struct slice part;
    enum form_reading reading = FORM_GOOD;
    form->count = 0;
    while (reading == FORM_GOOD && slice_next(&text, '&', &part)) {
        if (part.length == 0)
            continue;
        if (form->count == FORM_FIELDS_MAX)
            reading = FORM_TOO_MANY;
        else
            reading = read_field(part, arena, &form->fields[form->count++]);
    }
    if (reading != FORM_GOOD)
        form->count = 0;
    return reading;
}

static bool takes_off(struct slice *name, const char *prefix, bool stays)
{
    size_t length = strlen(prefix);
    if (name->length <= length || memcmp(name->data, prefix, length) != 0)
        return false;
    if (!stays)
        *name = slice_of_bytes(name->data + length, name->length - length);
    return true;
}

static bool is_own_cookie(struct slice *name, bool is_host)
{
    return (!is_host || takes_off(name, FORM_COOKIE_HOST, false)) &&
           takes_off(name, FORM_COOKIE_PREFIX, true);
}

void form_parse_cookies(struct form_data *form, struct slice text, bool is_host,
                        struct arena *arena)
{
    struct slice part, name, value;
    form->count = 0;
    while (slice_next(&text, ';', &part) && form->count < FORM_FIELDS_MAX) {
        split_pair(slice_trim(part), &name, &value);
        if (!is_own_cookie(&name, is_host) || !slice_is_clean_utf8(name) ||
            !slice_is_clean_utf8(value))
            continue;
        struct form_field field = {arena_copy_text(arena, name),
                                   arena_copy_text(arena, value)};
        if (field.name != NULL && field.value != NULL)
            form->fields[form->count++] = field;
    }
}

const char *form_typed(const void *source, const char *name)
{
    const struct form_data *form = source;
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    return NULL;
}

const char *form_get(const struct form_data *form, const char *name)
{
    const char *value = form_typed(form, name);
    return value != NULL ? value : "";
}
