/*
 * Writers that escape by themselves.
 *
 * JSON and HTML walk their text character by character: a well-formed UTF-8
 * character is copied or escaped by the first matching row of a table, a byte
 * that belongs to none becomes U+FFFD. So whatever a stranger sent, the output
 * is well formed and cannot end the string or element that it stands in.
 */
#include "common/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */

struct escape {
    char character;
    const char *text;
};

static const char *escape_of(const struct escape *escapes, size_t count, char c)
{
    for (size_t i = 0; i < count; i++) {
        if (escapes[i].character == c)
            return escapes[i].text;
    }
    return NULL;
}

/* ---- JSON (RFC 8259) ---- */

static const struct escape JSON_ESCAPES[] = {
    {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"},
    {'\t', "\\t"}, {'\b', "\\b"},  {'\f', "\\f"},
};

static void add_json_character(struct buffer *out, struct slice character)
{
    const char *escape =
        escape_of(JSON_ESCAPES, sizeof(JSON_ESCAPES) / sizeof(JSON_ESCAPES[0]),
                  character.data[0]);
    uint8_t first = (uint8_t)character.data[0];
    if (escape != NULL)
        buffer_add_text(out, escape);
    else if (first < 0x20 || first == 0x7f)
        buffer_addf(out, "\\u%04x", first);
    else
        buffer_add_slice(out, character);
}

/* Takes the text's first character; a byte that is none gives a length of 0
 * and is taken alone. */
static struct slice take_character(struct slice *text)
{
    struct slice character = {text->data, slice_utf8_length(*text)};
    size_t step = character.length > 0 ? character.length : 1;
    text->data += step;
    text->length -= step;
    return character;
}

static void add_json_string(struct buffer *out, struct slice text)
{
    buffer_add_u8(out, '"');
    while (text.length > 0 && !out->failed) {
        struct slice character = take_character(&text);
        if (character.length > 0)
            add_json_character(out, character);
        else
            buffer_add_text(out, REPLACEMENT);
    }
    buffer_add_u8(out, '"');
}

void json_start(struct json_writer *json, struct buffer *out)
{
    *json = (struct json_writer){.out = out};
}

/* The comma and the key in front of every value. */
static void begin_value(struct json_writer *json, const char *key)
{
    if (json->depth > 0 && json->has_item[json->depth - 1])
        buffer_add_u8(json->out, ',');
    if (json->depth > 0)
        json->has_item[json->depth - 1] = true;
    if (key != NULL) {
        add_json_string(json->out, slice_of_text(key));
        buffer_add_u8(json->out, ':');
    }
}

static void open_level(struct json_writer *json, const char *key, char mark)
{
    assert(json->depth < JSON_DEPTH);
    begin_value(json, key);
    buffer_add_u8(json->out, (uint8_t)mark);
    json->has_item[json->depth++] = false;
}

static void close_level(struct json_writer *json, char mark)
{
    assert(json->depth > 0);
    json->depth--;
    buffer_add_u8(json->out, (uint8_t)mark);
}

void json_object_begin(struct json_writer *json, const char *key)
{
    open_level(json, key, '{');
}

void json_object_end(struct json_writer *json)
{
    close_level(json, '}');
}

void json_array_begin(struct json_writer *json, const char *key)
{
    open_level(json, key, '[');
}

void json_array_end(struct json_writer *json)
{
    close_level(json, ']');
}

void json_slice(struct json_writer *json, const char *key, struct slice value)
{
    begin_value(json, key);
    add_json_string(json->out, value);
}

void json_text(struct json_writer *json, const char *key, const char *value)
{
    json_slice(json, key, slice_of_text(value));
}

void json_u64(struct json_writer *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    buffer_addf(json->out, "%" PRIu64, value);
}

void json_i64(struct json_writer *json, const char *key, int64_t value)
{
    begin_value(json, key);
    buffer_addf(json->out, "%" PRId64, value);
}

void json_bool(struct json_writer *json, const char *key, bool value)
{
    begin_value(json, key);
    buffer_add_text(json->out, value ? "true" : "false");
}

void json_no_value(struct json_writer *json, const char *key)
{
    begin_value(json, key);
    buffer_add_text(json->out, "null");
}

void json_hex(struct json_writer *json, const char *key, const void *data,
              size_t length)
{
    static const char DIGITS[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    begin_value(json, key);
    buffer_add_u8(json->out, '"');
    for (size_t i = 0; i < length; i++) {
        buffer_add_u8(json->out, (uint8_t)DIGITS[bytes[i] >> 4]);
        buffer_add_u8(json->out, (uint8_t)DIGITS[bytes[i] & 15]);
    }
    buffer_add_u8(json->out, '"');
}

void json_thousandths(struct json_writer *json, const char *key,
                      int64_t thousandths)
{
    uint64_t magnitude = (uint64_t)thousandths;
    if (thousandths < 0)
        magnitude = 0 - magnitude;
    begin_value(json, key);
    buffer_addf(json->out, "%s%" PRIu64 ".%03u", thousandths < 0 ? "-" : "",
                magnitude / 1000, (unsigned)(magnitude % 1000));
}

/* ---- CSV (RFC 4180) ---- */

void csv_start(struct csv_writer *csv, struct buffer *out)
{
    *csv = (struct csv_writer){.out = out};
}

/* -12, +86, 3.50: what a spreadsheet reads as a number and not as a formula. */
static bool is_number(struct slice text)
{
    bool has_digit = false, has_point = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool is_sign = i == 0 && (c == '-' || c == '+');
        bool is_point = c == '.' && !has_point && has_digit;
        if (!is_sign && !is_point && !slice_is_digit(c))
            return false;
        has_digit = has_digit || slice_is_digit(c);
        has_point = has_point || is_point;
    }
    return has_digit;
}

/* The signs of a formula as East Asian keyboards also have them, which some
 * spreadsheets take for the narrow ones. */
static bool starts_with_wide_sign(struct slice text)
{
    static const char WIDE[][4] = {"＝", "＋", "－", "＠"};
    for (size_t i = 0; i < sizeof(WIDE) / sizeof(WIDE[0]); i++)
        if (text.length >= 3 && memcmp(text.data, WIDE[i], 3) == 0)
            return true;
    return false;
}

static bool is_formula(struct slice text)
{
    return text.length > 0 &&
           ((memchr("=+-@\t\r", text.data[0], 6) != NULL && !is_number(text)) ||
            starts_with_wide_sign(text));
}

static bool needs_quotes(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (memchr(",\"\r\n", text.data[i], 4) != NULL)
            return true;
    }
    return text.length > 0 &&
           (text.data[0] == ' ' || text.data[text.length - 1] == ' ');
}

static void begin_field(struct csv_writer *csv)
{
    if (csv->has_field)
        buffer_add_u8(csv->out, ',');
    csv->has_field = true;
}

void csv_text(struct csv_writer *csv, const char *value)
{
    csv_slice(csv, slice_of_text(value));
}

void csv_slice(struct csv_writer *csv, struct slice text)
{
    bool is_quoted = needs_quotes(text);
    begin_field(csv);
    if (is_quoted)
        buffer_add_u8(csv->out, '"');
    if (is_formula(text))
        buffer_add_u8(csv->out, '\'');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"')
            buffer_add_u8(csv->out, '"');
        buffer_add_u8(csv->out, (uint8_t)text.data[i]);
    }
    if (is_quoted)
        buffer_add_u8(csv->out, '"');
}

void csv_i64(struct csv_writer *csv, int64_t value)
{
    begin_field(csv);
    buffer_addf(csv->out, "%" PRId64, value);
}

void csv_row_end(struct csv_writer *csv)
{
    buffer_add_text(csv->out, "\r\n");
    csv->has_field = false;
}

/* A field whose bytes were added to scratch, and what ended it: ',' or '\n'
 * (the end of the record), 0 when it is malformed. */
struct csv_field {
    size_t length;
    char end;
};

static char peek(struct slice rest)
{
    return rest.length > 0 ? rest.data[0] : '\n';
}

static void advance(struct slice *rest, size_t count)
{
    rest->data += count;
    rest->length -= count;
}

/* Behind a field: a comma, a line end (LF, CRLF) or the end of the text. */
static char take_field_end(struct slice *rest)
{
    if (rest->length >= 2 && rest->data[0] == '\r' && rest->data[1] == '\n')
        advance(rest, 1);
    char end = peek(*rest);
    if (end != ',' && end != '\n')
        return 0;
    if (rest->length > 0)
        advance(rest, 1);
    return end;
}

/* The text behind an opening quote, to its closing one. */
static bool take_quoted(struct slice *rest, struct buffer *scratch,
                        unsigned *line)
{
    advance(rest, 1);
    while (rest->length > 0) {
        char c = rest->data[0];
        bool is_pair = c == '"' && rest->length > 1 && rest->data[1] == '"';
        advance(rest, is_pair ? 2 : 1);
        if (c == '"' && !is_pair)
            return true;
        *line += c == '\n' ? 1 : 0;
        buffer_add_u8(scratch, (uint8_t)c);
    }
    return false;
}

static bool take_plain(struct slice *rest, struct buffer *scratch)
{
    while (rest->length > 0 && memchr(",\r\n", rest->data[0], 3) == NULL) {
        if (rest->data[0] == '"')
            return false;
        buffer_add_u8(scratch, (uint8_t)rest->data[0]);
        advance(rest, 1);
    }
    return true;
}

static struct csv_field take_field(struct slice *rest, struct buffer *scratch,
                                   unsigned *line)
{
    struct csv_field field = {0};
    size_t start = scratch->length;
    bool is_good = peek(*rest) == '"' ? take_quoted(rest, scratch, line)
                                      : take_plain(rest, scratch);
    if (is_good && !scratch->failed)
        field.end = take_field_end(rest);
    field.length = scratch->length - start;
    return field;
}

/* Scratch may move while it grows: fields are lengths until the record is
 * whole, and then pointers. */
int csv_read(struct slice *rest, struct buffer *scratch, struct slice *fields,
             int max, unsigned *line)
{
    static const char MARK[] = "\xef\xbb\xbf";
    buffer_reset(scratch);
    if (*line == 0 && rest->length >= 3 && memcmp(rest->data, MARK, 3) == 0)
        advance(rest, 3);
    if (rest->length == 0)
        return 0;
    ++*line;
    struct csv_field field = {.end = ','};
    int count = 0;
    while (field.end == ',') {
        if (count == max)
            return -1;
        field = take_field(rest, scratch, line);
        fields[count++].length = field.length;
    }
    if (field.end == 0)
        return -1;
    const char *data = buffer_slice(scratch).data;
    for (int i = 0; i < count; i++) {
        fields[i].data = data;
        data += fields[i].length;
    }
    return count;
}

/* ---- HTML ---- */

static const struct escape HTML_ESCAPES[] = {
    {'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"},
    {'"', "&quot;"}, {'\'', "&#39;"},
};

/* Control characters other than tab and line ends are not allowed in HTML. */
static bool is_html_character(struct slice character)
{
    return character.length > 0 &&
           (character.data[0] == '\r' || slice_is_clean_utf8(character));
}

void address_add(struct buffer *out, struct slice text)
{
    static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (memchr(PLAIN, c, sizeof(PLAIN) - 1) != NULL)
            buffer_add_u8(out, (uint8_t)c);
        else
            buffer_addf(out, "%%%02X", (unsigned char)c);
    }
}

/* What stands in place of a character; NULL: itself. */
static const char *html_escape_of(struct slice character)
{
    if (!is_html_character(character))
        return REPLACEMENT;
    return escape_of(HTML_ESCAPES,
                     sizeof(HTML_ESCAPES) / sizeof(HTML_ESCAPES[0]),
                     character.data[0]);
}

void html_add(struct buffer *out, struct slice text)
{
    struct slice plain = {text.data, 0}; /* not added yet */
    while (text.length > 0) {
        struct slice character = take_character(&text);
        const char *escape = html_escape_of(character);
        plain.length += escape == NULL ? character.length : 0;
        if (escape == NULL)
            continue;
        buffer_add_slice(out, plain);
        buffer_add_text(out, escape);
        plain = (struct slice){text.data, 0};
    }
    buffer_add_slice(out, plain);
}
