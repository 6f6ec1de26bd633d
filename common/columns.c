#include "common/columns.h"

#include <string.h>

/* The characters of three bytes that we write are Chinese ones and their
 * punctuation, except the block of general punctuation (U+2000 to U+2BFF). */
static size_t character_width(struct slice text, size_t length)
{
    return length == 3 && (uint8_t)text.data[0] != 0xe2 ? 2 : 1;
}

static size_t step_of(struct slice text)
{
    size_t length = slice_utf8_length(text);
    return length == 0 ? 1 : length;
}

/* The longest start of the text that takes at most `width` places; *used of
 * them. */
static struct slice fit(struct slice text, size_t width, size_t *used)
{
    struct slice rest = text;
    *used = 0;
    while (rest.length > 0) {
        size_t length = step_of(rest);
        size_t places = character_width(rest, length);
        if (*used + places > width)
            break;
        *used += places;
        rest.data += length;
        rest.length -= length;
    }
    return (struct slice){text.data, text.length - rest.length};
}

void columns_add(struct buffer *out, struct slice text, size_t width)
{
    size_t used;
    buffer_add_slice(out, fit(text, width, &used));
    while (used++ < width)
        buffer_add_u8(out, ' ');
}

static void add_to_the_right(struct buffer *out, struct slice text,
                             size_t width)
{
    size_t used;
    struct slice fitting = fit(text, width, &used);
    for (; used < width; used++)
        buffer_add_u8(out, ' ');
    buffer_add_slice(out, fitting);
}

void columns_add_heads(struct buffer *out, enum language language,
                       const struct column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice head =
            slice_of_text(text_word(language, "", columns[i].head));
        if (i > 0)
            buffer_add_u8(out, ' ');
        if (columns[i].width < 0)
            add_to_the_right(out, head, (size_t)-columns[i].width);
        else
            columns_add(out, head, (size_t)columns[i].width);
    }
    buffer_add_u8(out, '\n');
}

void columns_add_cell(struct buffer *out, const struct column *column,
                      const char *text)
{
    columns_add(out, slice_of_text(text), (size_t)column->width);
    buffer_add_u8(out, ' ');
}

static bool starts_with_any(struct slice text, const char *const *marks)
{
    for (; *marks != NULL; marks++) {
        size_t length = strlen(*marks);
        if (text.length >= length && memcmp(text.data, *marks, length) == 0)
            return true;
    }
    return false;
}

/* Between two characters: behind a blank, or beside a Chinese one unless the
 * second is punctuation that may not start a line. */
static bool may_break(struct slice before, size_t length, struct slice after)
{
    static const char *const no_start[] = {"，", "。", "；", "：", "、",
                                           "）", "！", "？", ",",  ".",
                                           ";",  ":",  ")",  NULL};
    static const char *const no_end[] = {"（", "《", "“", NULL};
    if (before.data[0] == ' ')
        return true;
    if (after.data[0] == ' ') /* the line would end in it */
        return false;
    bool is_beside = character_width(before, length) == 2 ||
                     character_width(after, step_of(after)) == 2;
    return is_beside && !starts_with_any(after, no_start) &&
           !starts_with_any(before, no_end);
}

/* Bytes of the first line of a text that does not fit. */
static size_t break_at(struct slice text, size_t fitting)
{
    size_t best = 0;
    struct slice rest = text;
    if (text.data[fitting] == ' ')
        return fitting;
    while ((size_t)(rest.data - text.data) < fitting) {
        size_t length = step_of(rest);
        struct slice after = {rest.data + length, rest.length - length};
        size_t end = (size_t)(after.data - text.data);
        if (end <= fitting && after.length > 0 &&
            may_break(rest, length, after))
            best = end;
        rest = after;
    }
    return best > 0 ? best : fitting > 0 ? fitting : step_of(text);
}

void columns_add_wrapped(struct buffer *out, struct slice text, size_t width,
                         size_t indent)
{
    size_t used, room = width > indent ? width - indent : 1;
    for (text = slice_trim(text); text.length > 0; text = slice_trim(text)) {
        struct slice line = fit(text, room, &used);
        if (line.length < text.length)
            line.length = break_at(text, line.length);
        buffer_add_slice(out, slice_trim(line));
        text.data += line.length;
        text.length -= line.length;
        if (text.length > 0)
            buffer_addf(out, "\n%*s", (int)indent, "");
    }
}
