/*
 * What people type, made clean without a question back: blanks of all kinds
 * around it (ideographic, no-break, zero-width, a byte order mark), signs of a
 * Chinese keyboard in numbers and codes, which are full-width forms of ASCII
 * (U+FF01 to U+FF5E).
 */
#ifndef PORTAL_FORM_TYPED_H
#define PORTAL_FORM_TYPED_H

#include <stddef.h>

#include "common/arena.h"
#include "common/slice.h"

/* Without blanks at both ends. Borrows the text. */
struct slice typed_trim(struct slice text);
/* One line: line breaks, tabs and runs of blanks become one blank. NULL without
 * memory. */
const char *typed_line(struct slice text, struct arena *arena);
/* Lines as they are, breaks as LF, without blanks at both ends. */
const char *typed_lines(struct slice text, struct arena *arena);
/* For numbers and codes: full-width forms become ASCII, blanks inside go. */
const char *typed_code(struct slice text, struct arena *arena);
/* Characters, not bytes. */
size_t typed_length(struct slice text);

#endif
