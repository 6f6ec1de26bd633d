/*
 * Writers that escape by themselves: JSON, CSV, HTML text, addresses.
 *
 * All of them add to a buffer, whose limit and `failed` flag cover running out
 * of room. Invalid UTF-8 is replaced by U+FFFD in JSON and HTML.
 */
#ifndef COMMON_WRITER_H
#define COMMON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"

/* JSON. Commas are placed by the writer; `key` is NULL inside arrays and at
 * top level. Nesting at most JSON_DEPTH. */
enum { JSON_DEPTH = 16 };
struct json_writer {
    struct buffer *out;
    int depth;
    bool has_item[JSON_DEPTH];
};
void json_start(struct json_writer *json, struct buffer *out);
void json_object_begin(struct json_writer *json, const char *key);
void json_object_end(struct json_writer *json);
void json_array_begin(struct json_writer *json, const char *key);
void json_array_end(struct json_writer *json);
void json_text(struct json_writer *json, const char *key, const char *value);
void json_slice(struct json_writer *json, const char *key, struct slice value);
void json_u64(struct json_writer *json, const char *key, uint64_t value);
void json_i64(struct json_writer *json, const char *key, int64_t value);
void json_bool(struct json_writer *json, const char *key, bool value);
/* null; json_null() is jansson's. */
void json_no_value(struct json_writer *json, const char *key);
void json_hex(struct json_writer *json, const char *key, const void *data,
              size_t length);
/* thousandths / 1000 with exactly three decimals: seconds from ms. */
void json_thousandths(struct json_writer *json, const char *key,
                      int64_t thousandths);

/* CSV (RFC 4180): quoted where needed, CRLF. A field that a spreadsheet would
 * take for a formula (= + - @, narrow or full-width, tab, carriage return;
 * numbers excepted) gets an apostrophe in front. */
struct csv_writer {
    struct buffer *out;
    bool has_field;
};
void csv_start(struct csv_writer *csv, struct buffer *out);
void csv_text(struct csv_writer *csv, const char *value);
void csv_slice(struct csv_writer *csv, struct slice value);
void csv_i64(struct csv_writer *csv, int64_t value);
void csv_row_end(struct csv_writer *csv);

/* CSV in: the next record of a text, RFC 4180 with LF or CRLF, a byte order
 * mark skipped. Field slices point into `scratch`, which is emptied first.
 * Gives the number of fields, 0 at the end, -1 on a malformed record or more
 * than `max` fields. *line is moved on by the lines read (start it at 0). */
int csv_read(struct slice *rest, struct buffer *scratch, struct slice *fields,
             int max, unsigned *line);

/* Text for a segment of an address, or a value of its query: letters, digits and
 * -_.~ stay. */
void address_add(struct buffer *out, struct slice text);

/* Text for HTML element content and quoted attributes. */
void html_add(struct buffer *out, struct slice text);

#endif
