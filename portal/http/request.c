/* See form.h. A field without '=' has an empty value, as browsers mean it. */
#include "portal/http/request.h"

#include <string.h>

#include "common/writer.h"

enum { FORM_TEXT_MAX = 64 * 1024 };

/* %XX at text[i]: the byte, or -1. */
static int escaped_byte(struct slice text, size_t i)
{
    if (text.length - i < 3)
        return -1;
    int high = slice_hex_digit(text.data[i + 1]);
    int low = slice_hex_digit(text.data[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

const char *form_decode(struct slice text, bool plus_is_blank,
                        struct arena *arena)
{
    char *out = arena_take(arena, text.length + 1);
    size_t length = 0;
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%') {
            int byte = escaped_byte(text, i);
            if (byte <= 0)
                return NULL;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        out[length++] = c;
    }
    return slice_is_clean_utf8(slice_of_bytes(out, length)) ? out : NULL;
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

bool form_parse(struct form_data *form, struct slice text, struct arena *arena)
{
    struct slice part, name, value;
    *form = (struct form_data){0};
    if (text.length > FORM_TEXT_MAX)
        return false;
    while (slice_next(&text, '&', &part)) {
        if (part.length == 0)
            continue;
        split_pair(part, &name, &value);
        struct form_field field = {form_decode(name, true, arena),
                                   form_decode(value, true, arena)};
        if (field.name == NULL || field.value == NULL ||
            form->count == FORM_FIELDS_MAX) {
            form->count = 0;
            return false;
        }
        form->fields[form->count++] = field;
    }
    return true;
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
    *form = (struct form_data){0};
    if (text.length > FORM_TEXT_MAX)
        return;
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

const char *form_get(const struct form_data *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    return "";
}
