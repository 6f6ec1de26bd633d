/*
 * Columns and lines on a terminal, in both languages: a Chinese character takes
 * two places there.
 */
#ifndef PROBE_STATE_LANGUAGE_H
#define PROBE_STATE_LANGUAGE_H

#include <stddef.h>

#include "common/buffer.h"
#include "common/slice.h"

/* The text, cut or filled with blanks to exactly `width` places. */
void language_add_column(struct buffer *out, struct slice text, size_t width);
/* Breaks the text into lines of at most `width` places, at blanks and between
 * Chinese characters. Lines after the first start with `indent` blanks; the
 * first is taken to stand behind as many. */
void language_add_wrapped(struct buffer *out, struct slice text, size_t width,
                          size_t indent);

#endif
