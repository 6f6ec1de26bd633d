/*
 * Borrowed text, and numbers read from it.
 *
 * A slice points into memory that somebody else owns; it is not
 * NUL-terminated. Everything a stranger sends is handled as slices, and every
 * number enters through parse_u64() or parse_i64(), which refuse signs, blanks,
 * trailing characters and values outside the bounds given.
 */
#ifndef COMMON_SLICE_H
#define COMMON_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *data;
    size_t length; /* bytes */
};

struct slice slice_of_text(const char *text);
struct slice slice_of_bytes(const void *data, size_t length);

/* A string literal as a slice. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

bool slice_equal(struct slice a, struct slice b);
bool slice_equal_text(struct slice a, const char *text);
/* ASCII letters compare without case; host names are compared so. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_ends_with_nocase(struct slice text, struct slice suffix);
/* An ASCII letter as a small one or a great one, any other byte as it is. */
char slice_lower(char c);
char slice_upper(char c);
/* Of ASCII, whatever the locale. */
bool slice_is_digit(char c);
bool slice_is_letter_or_digit(char c);
/* What is of an id, as slice_is_id has it. */
bool slice_is_id_character(char c);
/* 0 to 15, or -1 for what is no hex digit. */
int slice_hex_digit(char c);
struct slice slice_trim(struct slice text);

/* Takes the part of *rest before separator and moves *rest behind it. False
 * when *rest was used up (its data is then NULL). "a,,b" gives a, "", b. */
bool slice_next(struct slice *rest, char separator, struct slice *part);

/* Copies into a NUL-terminated buffer; false (and "") when it does not fit. */
bool slice_copy(struct slice text, char *buffer, size_t buffer_size);

/* Decimal digits only, min <= value <= max; *value is untouched on failure. */
bool parse_u64(struct slice text, uint64_t min, uint64_t max, uint64_t *value);
bool parse_i64(struct slice text, int64_t min, int64_t max, int64_t *value);
/* "HOST:PORT" or "[V6]:PORT" into its two parts, which are not looked at
 * further; false without a colon. */
bool slice_split_port(struct slice text, struct slice *host,
                      struct slice *port);
/* One or more ASCII letters, digits, ".", "_", "-": ids of probes, endpoints,
 * enterprises and the like. Their length is the caller's to look at. */
bool slice_is_id(struct slice text);
/* Spreads texts over the slots of a table (FNV-1a); not against somebody who
 * chooses them to collide. */
uint32_t slice_hash(struct slice text);
/* Hex digits to bytes; the text must be exactly 2 * size digits. */
bool parse_hex(struct slice text, void *bytes, size_t size);
/* Bytes of the character that starts the text, 1 to 4; 0 when the text is
 * empty or does not start with well-formed UTF-8. */
size_t slice_utf8_length(struct slice text);
/* Well-formed UTF-8 without control characters other than tab and newline. */
bool slice_is_clean_utf8(struct slice text);

#endif
