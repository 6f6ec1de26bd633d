/* Reading a cell of a registry file; see load_table.h. One function for each
 * kind of value, found through a table. */
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/money.h"
#include "portal/form/credit_code.h"
#include "portal/load/load_table.h"

enum { ID_MAX = 64, HOST_MAX = 253, INTEGER_MAX = 1000000 };

typedef bool (*reader)(const struct load_column *column, struct slice text,
                       const struct load_options *options,
                       struct load_value *value, struct error_text *error);

static bool read_text(const struct load_column *column, struct slice text,
                      const struct load_options *options,
                      struct load_value *value, struct error_text *error)
{
    (void)column;
    (void)options;
    value->is_text = true;
    if (!slice_is_clean_utf8(text))
        return error_set(error, "not clean UTF-8 text");
    return slice_copy(text, value->text, sizeof(value->text)) ||
           error_set(error, "longer than %zu bytes", sizeof(value->text) - 1);
}

static bool has_only(struct slice text, const char *allowed)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] == '\0' || strchr(allowed, text.data[i]) == NULL)
            return false;
    return true;
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

static bool read_id(const struct load_column *column, struct slice text,
                    const struct load_options *options,
                    struct load_value *value, struct error_text *error)
{
    if (text.length > ID_MAX || !has_only(text, LETTERS DIGITS ".-_"))
        return error_set(error,
                         "1 to %d letters, digits, '.', '-' or '_' are "
                         "expected",
                         ID_MAX);
    return read_text(column, text, options, value, error);
}

static bool read_word(const struct load_column *column, struct slice text,
                      const struct load_options *options,
                      struct load_value *value, struct error_text *error)
{
    struct slice rest = slice_of_text(column->words), word;
    while (slice_next(&rest, '|', &word))
        if (slice_equal(word, text))
            return read_text(column, text, options, value, error);
    return error_set(error, "one of %s is expected", column->words);
}

static bool read_credit(const struct load_column *column, struct slice text,
                        const struct load_options *options,
                        struct load_value *value, struct error_text *error)
{
    if (!credit_code_is_good(text))
        return error_set(error, "not a unified social credit code (18 "
                                "characters, the last one checks the others)");
    return read_text(column, text, options, value, error);
}

static bool read_time(const struct load_column *column, struct slice text,
                      const struct load_options *options,
                      struct load_value *value, struct error_text *error)
{
    (void)column;
    (void)options;
    struct wall_time time;
    if (!wall_from_text(text, &time))
        return error_set(error, "a time such as 2026-11-23T08:00:00+08:00 is "
                                "expected");
    value->integer = time.us;
    return true;
}

static bool read_day(const struct load_column *column, struct slice text,
                     const struct load_options *options,
                     struct load_value *value, struct error_text *error)
{
    (void)column;
    (void)options;
    struct civil_day day;
    if (!day_from_text(text, &day))
        return error_set(error, "a date such as 2026-11-23 is expected");
    value->integer = day.number;
    return true;
}

static bool read_money(const struct load_column *column, struct slice text,
                       const struct load_options *options,
                       struct load_value *value, struct error_text *error)
{
    (void)column;
    (void)options;
    struct money money = {0};
    enum money_status status = money_from_yuan_text(text, &money);
    if (status != MONEY_OK)
        return error_set(error,
                         "%s: an amount in yuan such as 80000.00 is "
                         "expected",
                         money_status_text(status));
    if (money.fen == 0)
        return error_set(error, "E_LINE_EMPTY: the amount is zero");
    value->integer = money.fen;
    return true;
}

static bool read_integer(const struct load_column *column, struct slice text,
                         const struct load_options *options,
                         struct load_value *value, struct error_text *error)
{
    (void)column;
    (void)options;
    return parse_i64(text, 1, INTEGER_MAX, &value->integer) ||
           error_set(error, "a number from 1 to %d is expected", INTEGER_MAX);
}

static bool read_flag(const struct load_column *column, struct slice text,
                      const struct load_options *options,
                      struct load_value *value, struct error_text *error)
{
    (void)column;
    (void)options;
    return parse_i64(text, 0, 1, &value->integer) ||
           error_set(error, "0 or 1 is expected");
}

static bool read_hex(const struct load_column *column, struct slice text,
                     const struct load_options *options,
                     struct load_value *value, struct error_text *error)
{
    (void)column;
    (void)options;
    value->is_blob = true;
    value->blob_length = text.length / 2;
    if (value->blob_length > LOAD_BLOB_MAX ||
        !parse_hex(text, value->blob, value->blob_length))
        return error_set(error, "up to %d bytes in hex are expected",
                         LOAD_BLOB_MAX);
    return true;
}

/* Documentation ranges (RFC 5737, RFC 3849): for demonstrations only. */
static bool is_documentation(const struct address *address)
{
    static const char *const RANGES[] = {"192.0.2.0/24", "198.51.100.0/24",
                                         "203.0.113.0/24", "2001:db8::/32"};
    struct prefix prefix;
    for (size_t i = 0; i < sizeof(RANGES) / sizeof(RANGES[0]); i++)
        if (prefix_from_text(slice_of_text(RANGES[i]), &prefix) &&
            prefix_contains(&prefix, address))
            return true;
    return false;
}

/* A prefix is public when both its ends are, and it is not so short that it
 * could hold a range that is not. */
static bool prefix_is_public(const struct prefix *prefix)
{
    struct address last = prefix->address;
    unsigned bits = last.version == 4 ? 32 : 128;
    if (prefix->length < (last.version == 4 ? 16 : 32))
        return false;
    for (unsigned i = prefix->length; i < bits; i++)
        last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return address_is_public(&prefix->address) && address_is_public(&last);
}

static bool read_net(const struct load_column *column, struct slice text,
                     const struct load_options *options,
                     struct load_value *value, struct error_text *error)
{
    struct prefix prefix;
    if (!prefix_from_text(text, &prefix))
        return error_set(error, "an address or prefix such as 8.8.8.0/24 is "
                                "expected");
    if (!prefix_is_public(&prefix) &&
        !(options->is_sample && is_documentation(&prefix.address)))
        return error_set(error,
                         "E_VER_IP_NOT_PUBLIC: %.*s is not a public "
                         "address",
                         (int)text.length, text.data);
    return read_text(column, text, options, value, error);
}

static bool read_host(const struct load_column *column, struct slice text,
                      const struct load_options *options,
                      struct load_value *value, struct error_text *error)
{
    struct slice name = text, label;
    if (name.length > 2 && memcmp(name.data, "*.", 2) == 0)
        name = slice_of_bytes(name.data + 2, name.length - 2);
    bool good =
        name.length <= HOST_MAX && memchr(name.data, '.', name.length) != NULL;
    while (good && slice_next(&name, '.', &label))
        good = label.length >= 1 && label.length <= 63 &&
               label.data[0] != '-' && has_only(label, LETTERS DIGITS "-_");
    return (good && read_text(column, text, options, value, error)) ||
           error_set(error, "E_VER_HOST: a host name is expected");
}

static bool is_port_range(struct slice part)
{
    struct slice first;
    uint64_t low = 0, high = 0;
    return slice_next(&part, '-', &first) && parse_u64(first, 1, 65535, &low) &&
           (part.data == NULL || part.length == 0 ||
            (parse_u64(part, 1, 65535, &high) && low <= high));
}

static bool read_ports(const struct load_column *column, struct slice text,
                       const struct load_options *options,
                       struct load_value *value, struct error_text *error)
{
    struct slice rest = text, part;
    while (slice_next(&rest, ',', &part))
        if (!is_port_range(part))
            return error_set(error, "ports such as 443,8000-8010 are expected");
    return read_text(column, text, options, value, error);
}

static const reader READERS[] = {
    [LOAD_TEXT] = read_text,   [LOAD_ID] = read_id,
    [LOAD_WORD] = read_word,   [LOAD_CREDIT] = read_credit,
    [LOAD_TIME] = read_time,   [LOAD_DAY] = read_day,
    [LOAD_MONEY] = read_money, [LOAD_INTEGER] = read_integer,
    [LOAD_FLAG] = read_flag,   [LOAD_HEX] = read_hex,
    [LOAD_NET] = read_net,     [LOAD_HOST] = read_host,
    [LOAD_PORTS] = read_ports,
};

bool load_value_read(const struct load_column *column, struct slice text,
                     const struct load_options *options,
                     struct load_value *value, struct error_text *error)
{
    *value = (struct load_value){0};
    if (text.length > 0)
        return READERS[column->kind](column, text, options, value, error);
    value->is_null = column->empty == EMPTY_NULL;
    value->is_text = column->empty == EMPTY_TEXT;
    return column->empty != EMPTY_REFUSED || error_set(error, "empty");
}

void load_value_bind(struct db_statement *s, const char *name,
                     const struct load_value *value)
{
    char parameter[64];
    snprintf(parameter, sizeof(parameter), ":%s", name);
    if (value->is_null)
        db_bind_null(s, parameter);
    else if (value->is_text)
        db_bind_text(s, parameter, value->text);
    else if (value->is_blob)
        db_bind_blob(s, parameter, value->blob, value->blob_length);
    else
        db_bind_i64(s, parameter, value->integer);
}
