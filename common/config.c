/*
 * Configuration files, on inih.
 *
 * inih splits `key = value`; the lines are given to it one by one by our own
 * reader, which therefore knows the number of the line a value came from and
 * refuses early what inih would bend silently: sections (every key stands at
 * top level), continuation lines, " ;" inside a value (inih cuts there), lines
 * longer than its fixed buffer, bytes that are not text.
 *
 * Each kind of value is one row of KINDS: how it is read, how it is printed.
 * What is printed is what would be read, so the normal form is stable; relative
 * paths are made absolute when read, which is why it does not matter where the
 * print is stored.
 */
#include "common/config.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "common/address.h"
#include "common/slice.h"

enum {
    FILE_LIMIT = 1 << 20,
    LINE_LIMIT = 197, /* inih's buffer of 200 holds it with line end and NUL */
    SAMPLE_WIDTH = 76,
};

/* What one value is read with and into. */
struct target {
    const struct config_key *key;
    void *config;
    const char *folder; /* of the file, absolute; NULL: leave paths alone */
    struct error_text *reason;
};

struct kind {
    bool (*read)(const struct target *target, struct slice text);
    void (*print)(const struct config_key *key, const void *member,
                  struct buffer *out);
};

static void *member_of(const struct config_key *key, void *config)
{
    return (char *)config + key->offset;
}

static const void *const_member_of(const struct config_key *key,
                                   const void *config)
{
    return (const char *)config + key->offset;
}

/* ---- kinds ---- */

/* A ';' behind a blank, or first in a value, starts a comment for inih: such a
 * value would not be read back. */
static bool has_inline_comment(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char before = i > 0 ? text.data[i - 1] : ' ';
        if (text.data[i] == ';' && (before == ' ' || before == '\t'))
            return true;
    }
    return false;
}

static bool read_text(const struct target *target, struct slice text)
{
    const struct config_key *key = target->key;
    size_t room = LINE_LIMIT - strlen(key->name) - strlen(" = ");
    if (room > key->size - 1)
        room = key->size - 1;
    if (text.length > room)
        return error_set(target->reason, "%s is longer than %zu bytes",
                         key->name, room);
    if (has_inline_comment(text))
        return error_set(target->reason,
                         "%s has a ';' that would start a comment", key->name);
    return slice_copy(text, member_of(key, target->config), key->size);
}

static bool read_path(const struct target *target, struct slice text)
{
    char joined[PATH_MAX];
    if (text.length == 0 || text.data[0] == '/' || target->folder == NULL)
        return read_text(target, text);
    int length = snprintf(joined, sizeof(joined), "%s/%.*s", target->folder,
                          (int)text.length, text.data);
    if (length < 0 || (size_t)length >= sizeof(joined))
        return error_set(target->reason, "%s is too long a path",
                         target->key->name);
    return read_text(target, slice_of_text(joined));
}

static bool read_u64(const struct target *target, struct slice text)
{
    const struct config_key *key = target->key;
    uint64_t *member = member_of(key, target->config);
    if (!parse_u64(text, key->min, key->max, member))
        return error_set(
            target->reason,
            "%s: '%.*s' is not a number from %" PRIu64 " to %" PRIu64,
            key->name, (int)text.length, text.data, key->min, key->max);
    return true;
}

static bool read_bool(const struct target *target, struct slice text)
{
    bool *member = member_of(target->key, target->config);
    bool is_yes = slice_equal(text, SLICE("yes"));
    if (!is_yes && !slice_equal(text, SLICE("no")))
        return error_set(target->reason, "%s: '%.*s' is neither yes nor no",
                         target->key->name, (int)text.length, text.data);
    *member = is_yes;
    return true;
}

static bool read_choice(const struct target *target, struct slice text)
{
    const struct config_key *key = target->key;
    int *member = member_of(key, target->config);
    struct slice words = slice_of_text(key->choices), word;
    for (int i = 0; slice_next(&words, '|', &word); i++) {
        if (slice_equal(word, text)) {
            *member = i;
            return true;
        }
    }
    return error_set(target->reason, "%s: '%.*s' is not one of %s", key->name,
                     (int)text.length, text.data, key->choices);
}

static bool is_v6(struct slice text)
{
    struct address address;
    return address_from_text(text, &address) && address.version == 6;
}

/* Port 0 lets the system choose; tests listen so. */
static bool is_host_and_port(struct slice text)
{
    uint64_t port;
    struct slice host, digits;
    return slice_split_port(text, &host, &digits) &&
           parse_u64(digits, 0, UINT16_MAX, &port) &&
           (text.data[0] == '[' ? is_v6(host) : slice_is_id(host));
}

static bool read_address(const struct target *target, struct slice text)
{
    if (text.length > 0 && !is_host_and_port(text))
        return error_set(target->reason,
                         "%s: '%.*s' is neither HOST:PORT nor [IPV6]:PORT",
                         target->key->name, (int)text.length, text.data);
    return read_text(target, text);
}

static void print_text(const struct config_key *key, const void *member,
                       struct buffer *out)
{
    (void)key;
    buffer_add_text(out, member);
}

static void print_u64(const struct config_key *key, const void *member,
                      struct buffer *out)
{
    (void)key;
    buffer_addf(out, "%" PRIu64, *(const uint64_t *)member);
}

static void print_bool(const struct config_key *key, const void *member,
                       struct buffer *out)
{
    (void)key;
    buffer_add_text(out, *(const bool *)member ? "yes" : "no");
}

static void print_choice(const struct config_key *key, const void *member,
                         struct buffer *out)
{
    struct slice words = slice_of_text(key->choices), word = {0};
    for (int i = *(const int *)member; i >= 0; i--)
        slice_next(&words, '|', &word);
    buffer_add_slice(out, word);
}

static const struct kind KINDS[] = {
    [CONFIG_TEXT] = {read_text, print_text},
    [CONFIG_PATH] = {read_path, print_text},
    [CONFIG_U64] = {read_u64, print_u64},
    [CONFIG_BOOL] = {read_bool, print_bool},
    [CONFIG_CHOICE] = {read_choice, print_choice},
    [CONFIG_ADDRESS] = {read_address, print_text},
};

/* ---- reading ---- */

struct reader {
    char *folder;
    const struct config_key *keys;
    size_t count;
    void *config;
    unsigned *seen_lines; /* per key: the line that set it, 0 */
    struct slice rest;    /* of the file */
    unsigned line;
    unsigned failed_line; /* 0: nothing failed */
    struct error_text reason;
};

static bool refuse(struct reader *reader)
{
    reader->failed_line = reader->line > 0 ? reader->line : 1;
    return false;
}

/* What stands wrong in a line before inih sees it; NULL: nothing. */
static const char *complaint_about(struct slice line)
{
    if (line.length > LINE_LIMIT)
        return "the line is too long";
    if (!slice_is_clean_utf8(line))
        return "the line is not UTF-8 text";
    if (line.length == 0 || line.data[0] == '#' || line.data[0] == ';')
        return NULL;
    if (line.data[0] == '[')
        return "there are no sections in this file";
    if (has_inline_comment(line))
        return "a comment stands on a line of its own";
    return NULL;
}

/* inih's reader: the next line without its blanks, so that an indented line
 * does not become a continuation. */
static char *next_line(char *buffer, int size, void *stream)
{
    struct reader *reader = stream;
    struct slice line;
    if (reader->failed_line > 0 || reader->rest.length == 0 ||
        !slice_next(&reader->rest, '\n', &line))
        return NULL;
    reader->line++;
    line = slice_trim(line);
    const char *complaint = complaint_about(line);
    if (complaint == NULL && line.length + 2 > (size_t)size)
        complaint = "the line is too long";
    if (complaint != NULL) {
        error_set(&reader->reason, "%s", complaint);
        refuse(reader);
        return NULL;
    }
    memcpy(buffer, line.data, line.length);
    memcpy(buffer + line.length, "\n", 2);
    return buffer;
}

static bool read_value(const struct reader *reader,
                       const struct config_key *key, struct slice text,
                       struct error_text *reason)
{
    const struct target target = {key, reader->config, reader->folder, reason};
    return KINDS[key->kind].read(&target, text);
}

static bool take_value(struct reader *reader, size_t i, const char *value)
{
    const struct config_key *key = &reader->keys[i];
    if (reader->seen_lines[i] > 0)
        return error_set(&reader->reason, "%s was set already, in line %u",
                         key->name, reader->seen_lines[i]);
    if (key->initial == NULL && value[0] == '\0')
        return error_set(&reader->reason, "%s must not be empty", key->name);
    reader->seen_lines[i] = reader->line;
    return read_value(reader, key, slice_of_text(value), &reader->reason);
}

/* inih's handler; 0 is its failure. */
static int take_line(void *user, const char *section, const char *name,
                     const char *value)
{
    struct reader *reader = user;
    (void)section;
    if (reader->failed_line > 0)
        return 0;
    for (size_t i = 0; i < reader->count; i++) {
        if (strcmp(reader->keys[i].name, name) == 0)
            return take_value(reader, i, value) || refuse(reader);
    }
    error_set(&reader->reason, "unknown key '%s'", name);
    return refuse(reader);
}

static bool find_missing(struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->keys[i].initial == NULL && reader->seen_lines[i] == 0) {
            error_set(&reader->reason, "the file ends without the key %s",
                      reader->keys[i].name);
            return refuse(reader);
        }
    }
    return true;
}

static bool read_lines(struct reader *reader)
{
    int wrong_line = ini_parse_stream(next_line, reader, take_line, reader);
    if (wrong_line > 0 && (reader->failed_line == 0 ||
                           (unsigned)wrong_line < reader->failed_line)) {
        reader->line = (unsigned)wrong_line;
        error_set(&reader->reason, "the line is not 'key = value'");
        return refuse(reader);
    }
    if (wrong_line < 0) {
        error_set(&reader->reason, "out of memory");
        return refuse(reader);
    }
    return reader->failed_line == 0 && find_missing(reader);
}

/* A default that its own row refuses is a mistake in the table; only a path
 * may turn out too long, because of the folder it is taken from. */
static bool set_defaults(struct reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        const struct config_key *key = &reader->keys[i];
        if (key->initial == NULL ||
            read_value(reader, key, slice_of_text(key->initial),
                       &reader->reason))
            continue;
        assert(key->kind == CONFIG_PATH && reader->folder != NULL);
        return refuse(reader);
    }
    return true;
}

void config_set_defaults(const struct config_key *keys, size_t count,
                         void *config)
{
    struct reader reader = {.keys = keys, .count = count, .config = config};
    set_defaults(&reader);
}

/* The absolute folder that holds the file; the caller frees it. */
static char *folder_of(const char *path)
{
    char copy[PATH_MAX];
    if (!slice_copy(slice_of_text(path), copy, sizeof(copy)))
        return NULL;
    char *end = strrchr(copy, '/');
    if (end == NULL)
        return realpath(".", NULL);
    *end = '\0';
    return realpath(end == copy ? "/" : copy, NULL);
}

bool config_read(const char *path, const struct config_key *keys, size_t count,
                 void *config, struct error_text *error)
{
    struct buffer file;
    struct reader reader = {.keys = keys, .count = count, .config = config};
    bool is_good = buffer_read_file(&file, path, FILE_LIMIT);
    if (!is_good) {
        error_set(error, "%s: %s", path, strerror(errno));
        goto out;
    }
    reader.rest = buffer_slice(&file);
    reader.folder = folder_of(path);
    reader.seen_lines = calloc(count + 1, sizeof(*reader.seen_lines));
    is_good = reader.folder != NULL && reader.seen_lines != NULL;
    if (!is_good) {
        error_set(error, "%s: %s", path, strerror(errno));
        goto out;
    }
    is_good = set_defaults(&reader) && read_lines(&reader);
    if (!is_good)
        error_set(error, "%s:%u: %s", path, reader.failed_line,
                  reader.reason.text);
out:
    free(reader.seen_lines);
    free(reader.folder);
    buffer_clear(&file);
    return is_good;
}

/* ---- printing ---- */

void config_print(const struct config_key *keys, size_t count,
                  const void *config, struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct config_key *key = &keys[i];
        buffer_addf(out, "%s = ", key->name);
        size_t start = out->length;
        KINDS[key->kind].print(key, const_member_of(key, config), out);
        if (out->length == start && start > 0)
            out->length--; /* nothing printed: no blank at the line's end */
        buffer_add_u8(out, '\n');
    }
}

/* The help as comment lines, broken at blanks. */
static void add_comment(struct buffer *out, const char *text)
{
    struct slice words = slice_of_text(text), word;
    size_t column = 0;
    while (slice_next(&words, ' ', &word)) {
        if (column > 0 && column + 1 + word.length > SAMPLE_WIDTH) {
            buffer_add_u8(out, '\n');
            column = 0;
        }
        buffer_add_text(out, column == 0 ? "# " : " ");
        buffer_add_slice(out, word);
        column += (column == 0 ? 2 : 1) + word.length;
    }
    buffer_add_u8(out, '\n');
}

static void add_bounds(struct buffer *out, const struct config_key *key)
{
    if (key->kind == CONFIG_U64)
        buffer_addf(out, "# From %" PRIu64 " to %" PRIu64 ".\n", key->min,
                    key->max);
    else if (key->kind == CONFIG_BOOL)
        buffer_add_text(out, "# yes or no.\n");
    else if (key->kind == CONFIG_CHOICE)
        buffer_addf(out, "# One of %s.\n", key->choices);
    if (key->initial == NULL)
        buffer_add_text(out, "# Required.\n");
}

void config_print_sample(const struct config_key *keys, size_t count,
                         struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct config_key *key = &keys[i];
        if (i > 0)
            buffer_add_u8(out, '\n');
        add_comment(out, key->help);
        add_bounds(out, key);
        buffer_addf(out, "%s =%s%s\n", key->name,
                    key->initial != NULL && key->initial[0] ? " " : "",
                    key->initial != NULL ? key->initial : "");
    }
}
