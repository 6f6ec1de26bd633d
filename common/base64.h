/* Base64 (RFC 4648, section 4). */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/slice.h"

/* With padding, in lines of at most 64 characters that each end in '\n'. */
void base64_add(struct buffer *out, struct slice bytes);
/* With padding, all in one and without a line end. */
void base64_add_word(struct buffer *out, struct slice bytes);
/* Adds the bytes. Blanks and line ends between the characters are skipped; false
 * for anything else that is not of the form: a strange character, missing
 * padding, bits behind the last byte, or a full buffer. */
bool base64_read(struct slice text, struct buffer *out);

#endif
