/*
 * The two languages of what an administrator reads, and columns that line up
 * in both: a Chinese character takes two places on a terminal.
 */
#ifndef PROBE_STATE_LANGUAGE_H
#define PROBE_STATE_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"
#include "common/slice.h"
#include "common/text.h"

/* One text in both. */
struct bilingual {
    const char *text[LANGUAGE_COUNT]; /* index: enum language */
};

/* Adds one of two formats, which take the same arguments in the same order. */
void language_addf(struct buffer *out, enum language language, const char *zh,
                   const char *en, ...) __attribute__((format(printf, 3, 5)))
__attribute__((format(printf, 4, 5)));

/* Places on a terminal. */
size_t language_width(struct slice text);
/* The text, cut or filled with blanks to exactly `width` places. */
void language_add_column(struct buffer *out, struct slice text, size_t width);
/* Breaks the text into lines of at most `width` places, at blanks and between
 * Chinese characters. Lines after the first start with `indent` blanks; the
 * first is taken to stand behind as many. */
void language_add_wrapped(struct buffer *out, struct slice text, size_t width,
                          size_t indent);

#endif
