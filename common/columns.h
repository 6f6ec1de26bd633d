/*
 * Columns and lines on a terminal, in both languages: a Chinese character takes
 * two places there.
 */
#ifndef COMMON_COLUMNS_H
#define COMMON_COLUMNS_H

#include <stddef.h>

#include "common/buffer.h"
#include "common/slice.h"
#include "common/text.h"

/* The text, cut or filled with blanks to exactly `width` places. */
void columns_add(struct buffer *out, struct slice text, size_t width);
/* A column of a table: the key of its head, and its width; below 0 it is set to
 * the right, as numbers are. */
struct column {
    const char *head;
    int width;
};
/* The line of heads, with a blank between columns. */
void columns_add_heads(struct buffer *out, enum language language,
                       const struct column *columns, size_t count);
/* One cell of a column that is set to the left, with the blank behind it. */
void columns_add_cell(struct buffer *out, const struct column *column,
                      const char *text);
/* Breaks the text into lines of at most `width` places, at blanks and between
 * Chinese characters. Lines after the first start with `indent` blanks; the
 * first is taken to stand behind as many. */
void columns_add_wrapped(struct buffer *out, struct slice text, size_t width,
                         size_t indent);

#endif
