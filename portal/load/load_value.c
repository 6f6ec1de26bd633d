/*
 * Reading a cell of a registry file; see load_table.h. What is a field of a form
 * as well is read by the form's reader (portal/form/field_kind.h), which takes
 * what people type as they mean it; other kinds have a function here. What is
 * wrong is the key of a sentence, which gets the {value} and the column's
 * {words}: a form's sentence names a label, a file's a line and column.
 */
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/money.h"
#include "portal/form/field_kind.h"
#include "portal/form/typed.h"
#include "portal/load/load_refusal.h"

enum { ID_MAX = 64, INTEGER_MAX = 1000000 };

typedef const char *(*reader)(const struct load_column *column,
                              struct slice text, bool is_sample,
                              struct load_value *value);

/* A line end within a cell is LF, whatever wrote the file. */
static bool copy_text(struct slice text, char *copy, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\r' && i + 1 < text.length &&
            text.data[i + 1] == '\n')
            continue;
        if (length + 1 >= size)
            return false;
        copy[length++] = text.data[i];
    }
    copy[length] = '\0';
    return true;
}

static const char *read_text(const struct load_column *column,
                             struct slice text, bool is_sample,
                             struct load_value *value)
{
    (void)column;
    (void)is_sample;
    value->is_text = true;
    if (!copy_text(text, value->text, sizeof(value->text)))
        return TEXT_KEY("load.value.long");
    return slice_is_clean_utf8(slice_of_text(value->text)) &&
                   memchr(text.data, '\0', text.length) == NULL
               ? NULL
               : TEXT_KEY("load.value.text");
}

static const char *read_id(const struct load_column *column, struct slice text,
                           bool is_sample, struct load_value *value)
{
    if (text.length > ID_MAX || !slice_is_id(text))
        return TEXT_KEY("load.value.id");
    return read_text(column, text, is_sample, value);
}

static const char *read_word(const struct load_column *column,
                             struct slice text, bool is_sample,
                             struct load_value *value)
{
    struct slice rest = slice_of_text(column->words), word;
    while (slice_next(&rest, '|', &word))
        if (slice_equal(word, text))
            return read_text(column, text, is_sample, value);
    return TEXT_KEY("load.value.word");
}

/* A date as Excel writes it into a CSV, 2026/7/10, also with a time of day,
 * 2026/7/10 8:00 or 8:00:00, as the ISO text it means. */
static bool iso_of_excel(struct slice text, char iso[static WALL_TEXT_LEN])
{
    struct slice date, part, rest;
    uint64_t ymd[3] = {0}, hms[3] = {0};
    if (!slice_next(&text, ' ', &date))
        return false;
    rest = date;
    for (int i = 0; i < 3; i++)
        if (!slice_next(&rest, '/', &part) ||
            !parse_u64(part, 1, i == 0 ? 9999 : 31, &ymd[i]))
            return false;
    if (rest.data != NULL)
        return false;
    for (int i = 0; i < 3 && slice_next(&text, ':', &part); i++)
        if (!parse_u64(part, 0, 59, &hms[i]))
            return false;
    if (text.data != NULL)
        return false;
    snprintf(iso, WALL_TEXT_LEN, "%04u-%02u-%02uT%02u:%02u:%02u+08:00",
             (unsigned)ymd[0], (unsigned)ymd[1], (unsigned)ymd[2],
             (unsigned)hms[0], (unsigned)hms[1], (unsigned)hms[2]);
    return true;
}

static bool read_instant(struct slice text, struct wall_time *time)
{
    char iso[WALL_TEXT_LEN];
    return wall_from_text(text, time) ||
           (iso_of_excel(text, iso) &&
            wall_from_text(slice_of_text(iso), time));
}

static const char *read_time(const struct load_column *column,
                             struct slice text, bool is_sample,
                             struct load_value *value)
{
    (void)column;
    (void)is_sample;
    struct wall_time time;
    if (!read_instant(text, &time))
        return TEXT_KEY("load.value.time");
    value->integer = time.us;
    return NULL;
}

static const char *read_flag(const struct load_column *column,
                             struct slice text, bool is_sample,
                             struct load_value *value)
{
    (void)column;
    (void)is_sample;
    return parse_i64(text, 0, 1, &value->integer) ? NULL
                                                  : TEXT_KEY("load.value.flag");
}

static const char *read_hex(const struct load_column *column, struct slice text,
                            bool is_sample, struct load_value *value)
{
    (void)column;
    (void)is_sample;
    value->is_blob = true;
    value->blob_length = text.length / 2;
    return value->blob_length <= LOAD_BLOB_MAX &&
                   parse_hex(text, value->blob, value->blob_length)
               ? NULL
               : TEXT_KEY("load.value.hex");
}

static const char *read_address(const struct load_column *column,
                                struct slice text, bool is_sample,
                                struct load_value *value)
{
    char normal[ADDRESS_TEXT_LEN];
    struct address address;
    if (!address_from_text(text, &address))
        return TEXT_KEY("load.value.address");
    address_to_text(&address, normal);
    return read_text(column, slice_of_text(normal), is_sample, value);
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

static const reader READERS[LOAD_KIND_COUNT] = {
    [LOAD_TEXT] = read_text,       [LOAD_ID] = read_id,
    [LOAD_WORD] = read_word,       [LOAD_TIME] = read_time,
    [LOAD_FLAG] = read_flag,       [LOAD_HEX] = read_hex,
    [LOAD_ADDRESS] = read_address,
};

/* ---- what forms read, too ---- */

static const struct as_field {
    enum field_kind kind;
    int64_t min, max;
    const char *said; /* NULL: this kind has a reader of its own */
} AS_FIELD[LOAD_KIND_COUNT] = {
    [LOAD_CREDIT] = {FIELD_CREDIT_CODE, 0, 0, TEXT_KEY("load.value.credit")},
    [LOAD_DAY] = {FIELD_DAY, 0, 0, TEXT_KEY("load.value.day")},
    [LOAD_MONEY] = {FIELD_MONEY, 0, 0, TEXT_KEY("load.value.money")},
    [LOAD_INTEGER] = {FIELD_COUNT, 1, INTEGER_MAX,
                      TEXT_KEY("load.value.integer")},
    [LOAD_NET] = {FIELD_NET, 0, 0, TEXT_KEY("load.value.net")},
    [LOAD_HOST] = {FIELD_HOST, 0, 0, TEXT_KEY("load.value.host")},
    [LOAD_PORTS] = {FIELD_PORTS, 0, 0, TEXT_KEY("load.value.ports")},
};

/* Amounts are refused for more than one reason. */
static const char *wrong_amount(const char *code)
{
    if (code != NULL && strcmp(code, "E_MONEY_NEGATIVE") == 0)
        return TEXT_KEY("load.value.negative");
    return code != NULL && strcmp(code, "E_RANGE") == 0
               ? TEXT_KEY("load.value.range")
               : TEXT_KEY("load.value.money");
}

/* What a file may hold less than a form. */
static const char *check_field(enum load_kind kind, bool is_sample,
                               const struct load_value *value)
{
    struct prefix prefix;
    if (kind == LOAD_MONEY && value->integer == 0)
        return TEXT_KEY("load.value.zero");
    if (kind == LOAD_NET &&
        prefix_from_text(slice_of_text(value->text), &prefix) &&
        !prefix_is_public(&prefix) &&
        !(is_sample && is_documentation(&prefix.address)))
        return TEXT_KEY("load.value.public");
    return NULL;
}

static const char *read_as_field(enum load_kind kind, struct slice text,
                                 bool is_sample, struct arena *arena,
                                 struct load_value *value)
{
    const struct as_field *as = &AS_FIELD[kind];
    const struct field field = {.name = "",
                                .kind = as->kind,
                                .label = "",
                                .min = as->min,
                                .max = as->max};
    struct answer answer = {.field = &field,
                            .typed = arena_copy_text(arena, text)};
    if (!field_kind(&field)->read(&answer, text, arena))
        return kind == LOAD_MONEY ? wrong_amount(answer.refusal.code)
                                  : as->said;
    value->integer = answer.number;
    value->is_text =
        field_kind(&field)->json == FIELD_JSON_TEXT && kind != LOAD_DAY;
    if (!slice_copy(slice_of_text(answer.text), value->text,
                    sizeof(value->text)))
        return TEXT_KEY("load.value.long");
    return check_field(kind, is_sample, value);
}

const char *load_value_parse(const struct load_column *column,
                             struct slice text, bool is_sample,
                             struct arena *arena, struct load_value *value)
{
    struct slice typed = typed_trim(text);
    *value = (struct load_value){0};
    if (typed.length > 0 && AS_FIELD[column->kind].said != NULL)
        return read_as_field(column->kind, typed, is_sample, arena, value);
    if (typed.length > 0)
        return READERS[column->kind](column, typed, is_sample, value);
    value->is_null = column->empty == EMPTY_NULL;
    value->is_text = column->empty == EMPTY_TEXT;
    return column->empty != EMPTY_REFUSED ? NULL : TEXT_KEY("load.value.empty");
}

bool load_value_read(struct load_row *row, size_t index, struct slice text)
{
    const struct load_column *column = &row->table->columns[index];
    load_show_text(text, row->shown[index]);
    const char *wrong = load_value_parse(column, text, row->options->is_sample,
                                         row->arena, &row->values[index]);
    return wrong == NULL ||
           load_refuse(
               row, column->name, wrong, text_plain("value", row->shown[index]),
               text_plain("words", column->words != NULL ? column->words : ""));
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

static bool kind_is_number(enum load_kind kind)
{
    return kind == LOAD_TIME || kind == LOAD_DAY || kind == LOAD_MONEY ||
           kind == LOAD_INTEGER || kind == LOAD_FLAG;
}

struct load_value load_value_stored(struct db_statement *s, int column,
                                    const struct load_column *like)
{
    struct load_value value = {.is_null = db_is_null(s, column)};
    if (value.is_null)
        return value;
    if (like->kind == LOAD_HEX) {
        struct slice blob = db_blob(s, column);
        value.is_blob = true;
        value.blob_length =
            blob.length < LOAD_BLOB_MAX ? blob.length : LOAD_BLOB_MAX;
        memcpy(value.blob, blob.data, value.blob_length);
    } else if (kind_is_number(like->kind)) {
        value.integer = db_i64(s, column);
    } else {
        value.is_text = true;
        snprintf(value.text, sizeof(value.text), "%s", db_text(s, column));
    }
    return value;
}

bool load_value_equal(const struct load_value *a, const struct load_value *b)
{
    if (a->is_null || b->is_null)
        return a->is_null == b->is_null;
    if (a->is_text)
        return strcmp(a->text, b->text) == 0;
    if (a->is_blob)
        return a->blob_length == b->blob_length &&
               memcmp(a->blob, b->blob, a->blob_length) == 0;
    return a->integer == b->integer;
}

static void show_hex(const struct load_value *value,
                     char shown[static LOAD_SHOWN_MAX])
{
    size_t most = value->blob_length < 16 ? value->blob_length : 16, i = 0;
    for (shown[0] = '\0'; i < most; i++)
        snprintf(shown + 2 * i, LOAD_SHOWN_MAX - 2 * i, "%02x", value->blob[i]);
    if (most < value->blob_length)
        snprintf(shown + 2 * i, LOAD_SHOWN_MAX - 2 * i, "...");
}

/* As a file has it, in the zone in which days are judged. */
static void show_time(int64_t us, char shown[static LOAD_SHOWN_MAX])
{
    char local[WALL_TEXT_LEN];
    wall_to_local_text((struct wall_time){us}, local);
    snprintf(shown, LOAD_SHOWN_MAX, "%.10sT%s+08:00", local, local + 11);
}

void load_value_show(const struct load_column *column,
                     const struct load_value *value,
                     char shown[static LOAD_SHOWN_MAX])
{
    shown[0] = '\0';
    if (value->is_null)
        return;
    if (value->is_text)
        load_show_text(slice_of_text(value->text), shown);
    else if (value->is_blob)
        show_hex(value, shown);
    else if (column->kind == LOAD_TIME)
        show_time(value->integer, shown);
    else if (column->kind == LOAD_DAY)
        day_to_text((struct civil_day){(int32_t)value->integer}, shown);
    else if (column->kind == LOAD_MONEY)
        money_to_plain_text((struct money){value->integer}, shown);
    else
        snprintf(shown, LOAD_SHOWN_MAX, "%lld", (long long)value->integer);
}
