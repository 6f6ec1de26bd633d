/* See load_table.h. */
#include "portal/load/load_table.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "portal/load/load_award.h"

enum { ED25519_KEY = 32, SM2_KEY = 65, HASH_DIGITS = 64, EXPORTER_ID_MAX = 31 };
enum { PREFIX_MIN_V4 = 24, PREFIX_MIN_V6 = 48 };

const char *load_column_stored(const struct load_column *column)
{
    return column->stored != NULL ? column->stored : column->name;
}

const char *load_table_stored(const struct load_table *table)
{
    return table->stored != NULL ? table->stored : table->name;
}

size_t load_table_columns(const struct load_table *table)
{
    size_t count = 0;
    while (count < LOAD_COLUMNS_MAX && table->columns[count].name != NULL)
        count++;
    return count;
}

/* The value of a named column; the name is one of the table's. */
static const struct load_value *value_of(const struct load_row *row,
                                         const char *name)
{
    size_t i = 0;
    while (strcmp(row->table->columns[i].name, name) != 0)
        i++;
    return &row->values[i];
}

static int64_t integer_of(const struct load_row *row, const char *name)
{
    return value_of(row, name)->integer;
}

static const char *text_of(const struct load_row *row, const char *name)
{
    return value_of(row, name)->text;
}

static bool mark_sample(struct db *db, struct load_row *row,
                        struct error_text *error)
{
    (void)db;
    (void)error;
    row->computed = row->options->is_sample;
    return true;
}

static bool check_cycle(struct db *db, struct load_row *row,
                        struct error_text *error)
{
    (void)db;
    int64_t opens = integer_of(row, "application_opens");
    int64_t deadline = integer_of(row, "application_deadline");
    int64_t settlement = integer_of(row, "settlement_opens");
    int64_t last = integer_of(row, "settlement_deadline");
    return (opens < deadline && settlement <= last && deadline <= last) ||
           error_set(error, "E_CYCLE_ORDER: opening, deadline and settlement "
                            "are out of order");
}

static bool check_endpoint_address(struct db *db, struct load_row *row,
                                   struct error_text *error)
{
    (void)db;
    return text_of(row, "address")[0] != '\0' ||
           text_of(row, "host")[0] != '\0' ||
           error_set(error, "an address or a host is needed");
}

static bool check_probe(struct db *db, struct load_row *row,
                        struct error_text *error)
{
    bool is_sm2 = strcmp(text_of(row, "algorithm"), "sm2") == 0;
    size_t wanted = is_sm2 ? SM2_KEY : ED25519_KEY;
    if (value_of(row, "signing_key")->blob_length != wanted)
        return error_set(error, "signing_key: %zu bytes in hex are expected",
                         wanted);
    return mark_sample(db, row, error);
}

/* The address a router sends from, which may well be a private one. */
static bool check_exporter(struct db *db, struct load_row *row,
                           struct error_text *error)
{
    struct address address;
    char text[ADDRESS_TEXT_LEN];
    const char *given = text_of(row, "address");
    if (strlen(text_of(row, "id")) > EXPORTER_ID_MAX)
        return error_set(error, "id: more than %d characters", EXPORTER_ID_MAX);
    if (!address_from_text(slice_of_text(given), &address))
        return error_set(error, "address: \"%s\" is no single IP address",
                         given);
    address_to_text(&address, text);
    if (strcmp(given, text) != 0)
        return error_set(error, "address: is written %s", text);
    return mark_sample(db, row, error);
}

static bool check_application(struct db *db, struct load_row *row,
                              struct error_text *error)
{
    (void)db;
    int64_t submitted = integer_of(row, "submitted_at");
    int64_t confirmed = integer_of(row, "supplier_confirmed_at");
    return (submitted <= confirmed &&
            confirmed <= integer_of(row, "city_approved_at")) ||
           error_set(error, "submitted_at, supplier_confirmed_at and "
                            "city_approved_at are out of order");
}

/* The amount is settled when all lines are known; until then it is 1 fen. */
static bool check_voucher(struct db *db, struct load_row *row,
                          struct error_text *error)
{
    (void)db;
    (void)error;
    row->computed = 1;
    return true;
}

static bool note_voucher(struct db *db, const struct load_row *row)
{
    return load_award_note_voucher(db, text_of(row, "number"));
}

static bool check_line(struct db *db, struct load_row *row,
                       struct error_text *error)
{
    const struct load_value *sets = value_of(row, "networked_sets");
    struct load_line line = {
        .voucher = text_of(row, "voucher_number"),
        .service = text_of(row, "service_id"),
        .fee = {integer_of(row, "fee")},
        .sets = sets->is_null ? 0 : (uint64_t)sets->integer,
    };
    struct money award = {0};
    bool good =
        load_award_of_line(db, row->options->parameters, &line, &award, error);
    row->computed = award.fen;
    return good;
}

/* A prefix of the user side is narrow; the rest of VER-03 is as for LOAD_NET. */
static bool check_fixed_ip(struct load_row *row, struct error_text *error)
{
    static const struct load_column AS_NET = {"value", .kind = LOAD_NET};
    struct slice text = slice_of_text(text_of(row, "value"));
    struct load_value ignored;
    struct prefix prefix;
    if (!prefix_from_text(text, &prefix))
        return error_set(error, "value: an address or prefix is expected");
    if (prefix.length <
        (prefix.address.version == 4 ? PREFIX_MIN_V4 : PREFIX_MIN_V6))
        return error_set(error, "value: E_VER_PREFIX: wider than /%d",
                         prefix.address.version == 4 ? PREFIX_MIN_V4
                                                     : PREFIX_MIN_V6);
    return load_value_read(&AS_NET, text, row->options, &ignored, error);
}

static bool check_identifier(struct db *db, struct load_row *row,
                             struct error_text *error)
{
    (void)db;
    uint8_t hash[HASH_DIGITS / 2];
    const char *value = text_of(row, "value");
    if (strcmp(text_of(row, "kind"), "fixed_ip") == 0)
        return check_fixed_ip(row, error);
    if (!parse_hex(slice_of_text(value), hash, sizeof(hash)))
        return error_set(error,
                         "value: E_VER_NUMBER: numbers come as keyed "
                         "hash, %d hex digits (PRIV-04)",
                         HASH_DIGITS);
    return strchr(text_of(row, "mask"), '*') != NULL ||
           error_set(error, "mask: the number must be masked with '*' "
                            "(PRIV-04)");
}

#define REFERENCE(table, column, what)                                         \
    .reference = "SELECT 1 FROM " table " WHERE " column " = :value",          \
    .missing = what
#define REF_PROGRAMME   REFERENCE("programme", "id", "programme")
#define REF_CITY        REFERENCE("city", "code", "city")
#define REF_ENTERPRISE  REFERENCE("enterprise", "id", "enterprise")
#define REF_SITE        REFERENCE("site", "id", "site")
#define REF_SUPPLIER    REFERENCE("supplier", "id", "supplier")
#define REF_SERVICE     REFERENCE("service", "id", "service")
#define REF_ENDPOINT    REFERENCE("endpoint", "id", "endpoint")
#define REF_CYCLE       REFERENCE("cycle", "id", "cycle")
#define REF_VOUCHER     REFERENCE("voucher", "number", "voucher")
#define REF_APPLICATION REFERENCE("voucher_application", "id", "application")

const struct load_table LOAD_TABLES[] = {
    {"cycle",
     {{"id", NULL, LOAD_ID},
      {"programme_id", NULL, LOAD_ID, REF_PROGRAMME},
      {"name_zh", NULL, LOAD_TEXT},
      {"name_en", NULL, LOAD_TEXT},
      {"application_opens", NULL, LOAD_TIME},
      {"application_deadline", NULL, LOAD_TIME},
      {"settlement_opens", NULL, LOAD_TIME},
      {"settlement_deadline", NULL, LOAD_TIME}},
     .check = check_cycle,
     .keys = {"id"}},
    {"enterprise",
     {{"id", NULL, LOAD_ID},
      {"name_zh", NULL, LOAD_TEXT},
      {"name_en", NULL, LOAD_TEXT},
      {"credit_code", NULL, LOAD_CREDIT},
      {"city_code", NULL, LOAD_ID, REF_CITY},
      {"county", NULL, LOAD_TEXT, EMPTY_TEXT}},
     .computed = "is_sample",
     .check = mark_sample,
     .keys = {"id", "credit_code"}},
    {"site",
     {{"id", NULL, LOAD_ID},
      {"enterprise_id", NULL, LOAD_ID, REF_ENTERPRISE},
      {"name_zh", NULL, LOAD_TEXT},
      {"name_en", NULL, LOAD_TEXT},
      {"city_code", NULL, LOAD_ID, REF_CITY}},
     .keys = {"id"}},
    {"supplier",
     {{"id", NULL, LOAD_ID},
      {"name_zh", NULL, LOAD_TEXT},
      {"name_en", NULL, LOAD_TEXT},
      {"credit_code", NULL, LOAD_CREDIT}},
     .computed = "is_sample",
     .check = mark_sample,
     .keys = {"id", "credit_code"}},
    {"service",
     {{"id", NULL, LOAD_ID},
      {"supplier_id", NULL, LOAD_ID, REF_SUPPLIER},
      {"item_no", NULL, LOAD_INTEGER,
       REFERENCE("catalogue_item", "no", "item")},
      {"class", NULL, LOAD_WORD, .words = "A|B|C"},
      {"name_zh", NULL, LOAD_TEXT},
      {"name_en", NULL, LOAD_TEXT}},
     .keys = {"id"}},
    {"endpoint",
     {{"id", NULL, LOAD_ID},
      {"service_id", NULL, LOAD_ID, REF_SERVICE},
      {"protocol", NULL, LOAD_WORD, EMPTY_TEXT, .words = "tcp|udp"},
      {"ports", NULL, LOAD_PORTS, EMPTY_TEXT},
      {"is_shared", NULL, LOAD_FLAG, EMPTY_ZERO},
      {"valid_from", NULL, LOAD_TIME},
      {"valid_to", NULL, LOAD_TIME, EMPTY_NULL}},
     .keys = {"id"}},
    {"endpoint_address",
     {{"endpoint_id", NULL, LOAD_ID, REF_ENDPOINT},
      {"address", NULL, LOAD_NET, EMPTY_TEXT},
      {"host", NULL, LOAD_HOST, EMPTY_TEXT}},
     .check = check_endpoint_address},
    {"probe",
     {{"id", NULL, LOAD_ID},
      {"enterprise_id", NULL, LOAD_ID, REF_ENTERPRISE},
      {"site_id", NULL, LOAD_ID, REF_SITE},
      {"algorithm", NULL, LOAD_WORD, .words = "ed25519|sm2"},
      {"signing_key", NULL, LOAD_HEX},
      {"agreed_at", NULL, LOAD_TIME},
      {"denied_at", NULL, LOAD_TIME, EMPTY_NULL}},
     .computed = "is_sample",
     .check = check_probe,
     .keys = {"id"}},
    {"exporter",
     {{"id", NULL, LOAD_ID},
      {"address", NULL, LOAD_TEXT},
      {"enterprise_id", NULL, LOAD_ID, REF_ENTERPRISE},
      {"site_id", NULL, LOAD_ID, REF_SITE},
      {"sampling", NULL, LOAD_INTEGER, EMPTY_NULL},
      {"agreed_at", NULL, LOAD_TIME},
      {"denied_at", NULL, LOAD_TIME, EMPTY_NULL}},
     .computed = "is_sample",
     .check = check_exporter,
     .keys = {"id", "address"}},
    {"supplier_probe",
     {{"id", NULL, LOAD_ID},
      {"supplier_id", NULL, LOAD_ID, REF_SUPPLIER},
      {"algorithm", NULL, LOAD_WORD, .words = "ed25519|sm2"},
      {"signing_key", NULL, LOAD_HEX},
      {"agreed_at", NULL, LOAD_TIME},
      {"denied_at", NULL, LOAD_TIME, EMPTY_NULL}},
     .computed = "is_sample",
     .check = check_probe,
     .stored = "probe",
     .keys = {"id"}},
    {"voucher_application",
     {{"id", NULL, LOAD_ID},
      {"cycle_id", NULL, LOAD_ID, REF_CYCLE},
      {"enterprise_id", NULL, LOAD_ID, REF_ENTERPRISE},
      {"supplier_id", NULL, LOAD_ID, REF_SUPPLIER},
      {"contract_no", NULL, LOAD_TEXT},
      {"contract_day", NULL, LOAD_DAY},
      {"submitted_at", NULL, LOAD_TIME},
      {"supplier_confirmed_at", NULL, LOAD_TIME},
      {"city_approved_at", NULL, LOAD_TIME}},
     .check = check_application,
     .keys = {"id", "enterprise_id|supplier_id|contract_no"}},
    {"voucher",
     {{"number", NULL, LOAD_ID},
      {"application_id", NULL, LOAD_ID, REF_APPLICATION},
      {"issued_at", NULL, LOAD_TIME},
      {"is_pilot", NULL, LOAD_FLAG, EMPTY_ZERO},
      {"state", NULL, LOAD_WORD,
       .words = "ACTIVE|IN_SETTLEMENT|PAID|LAPSED|VOID"}},
     .computed = "amount_fen",
     .check = check_voucher,
     .note = note_voucher,
     .keys = {"number", "application_id"}},
    {"voucher_line",
     {{"voucher_number", NULL, LOAD_ID, REF_VOUCHER},
      {"line_no", NULL, LOAD_INTEGER},
      {"service_id", NULL, LOAD_ID, REF_SERVICE},
      {"fee", "fee_fen", LOAD_MONEY},
      {"networked_sets", NULL, LOAD_INTEGER, EMPTY_NULL}},
     .computed = "award_fen",
     .check = check_line,
     .keys = {"voucher_number|line_no"}},
    {"settlement",
     {{"id", NULL, LOAD_ID},
      {"voucher_number", NULL, LOAD_ID, REF_VOUCHER},
      {"submitted_at", NULL, LOAD_TIME},
      {"supplier_confirmed_at", NULL, LOAD_TIME, EMPTY_NULL},
      {"state", NULL, LOAD_WORD,
       .words = "PENDING_SUPPLIER|PENDING_VERIFICATION|NOT_COMPLETE|"
                "PENDING_CITY"}},
     .keys = {"id"}},
    {"user_side_identifier",
     {{"voucher_number", NULL, LOAD_ID, REF_VOUCHER},
      {"line_no", NULL, LOAD_INTEGER},
      {"kind", NULL, LOAD_WORD,
       .words = "fixed_ip|broadband_account|mobile_number|iot_sim"},
      {"value", NULL, LOAD_TEXT},
      {"mask", NULL, LOAD_TEXT},
      {"site_id", NULL, LOAD_ID, REF_SITE},
      {"valid_from", NULL, LOAD_TIME},
      {"valid_to", NULL, LOAD_TIME, EMPTY_NULL}},
     .check = check_identifier},
};
const size_t LOAD_TABLE_COUNT = sizeof(LOAD_TABLES) / sizeof(LOAD_TABLES[0]);
