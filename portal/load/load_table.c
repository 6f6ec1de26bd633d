/* See load_table.h. */
#include "portal/load/load_table.h"

#include <string.h>

#include "portal/load/load_award.h"

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

size_t load_table_find(const struct load_table *table, struct slice name)
{
    size_t i = 0;
    while (!slice_equal_text(name, table->columns[i].name))
        i++;
    return i;
}

const struct load_value *load_row_value(const struct load_row *row,
                                        const char *column)
{
    return &row->values[load_table_find(row->table, slice_of_text(column))];
}

const char *load_row_shown(const struct load_row *row, const char *column)
{
    return row->shown[load_table_find(row->table, slice_of_text(column))];
}

static bool mark_sample(struct db *db, struct load_row *row)
{
    (void)db;
    row->computed = row->options->is_sample;
    return true;
}

/* The amount is settled when all lines are known; until then it is 1 fen. */
static bool begin_voucher(struct db *db, struct load_row *row)
{
    (void)db;
    row->computed = 1;
    return true;
}

/* What a column refers to, and behind it what is said when it is not there. */
#define REFERS(table, column)                                                  \
    .reference = "SELECT 1 FROM " table " WHERE " column " = :value"
/* An item of a programme's newest catalogue (SUP-08). */
#define REFERS_TO_ITEM                                                         \
    .reference = "SELECT 1 FROM catalogue_item AS i WHERE i.no = :value"       \
                 " AND NOT EXISTS (SELECT 1 FROM catalogue AS c"               \
                 " WHERE c.programme_id = i.programme_id"                      \
                 " AND c.version > i.version)"

#define FREE .correct = CORRECT_FREE
#define ENDS .correct = CORRECT_END

const struct load_table LOAD_TABLES[] = {
    {"cycle",
     {{"id", NULL, LOAD_ID},
      {"programme_id", NULL, LOAD_ID, REFERS("programme", "id"),
       TEXT_KEY("load.missing.programme")},
      {"name_zh", NULL, LOAD_TEXT},
      {"name_en", NULL, LOAD_TEXT},
      {"application_opens", NULL, LOAD_TIME},
      {"application_deadline", NULL, LOAD_TIME},
      {"settlement_opens", NULL, LOAD_TIME},
      {"settlement_deadline", NULL, LOAD_TIME}},
     .keys = {{"id", NULL}}},
    {"enterprise",
     {{"id", NULL, LOAD_ID},
      {"name_zh", NULL, LOAD_TEXT},
      {"name_en", NULL, LOAD_TEXT},
      {"credit_code", NULL, LOAD_CREDIT},
      {"city_code", NULL, LOAD_ID, REFERS("city", "code"),
       TEXT_KEY("load.missing.city")},
      {"county", NULL, LOAD_TEXT, EMPTY_TEXT}},
     .computed = "is_sample",
     .compute = mark_sample,
     .keys = {{"id", NULL},
              {"credit_code", TEXT_KEY("load.taken.enterprise_code")}}},
    {"site",
     {{"id", NULL, LOAD_ID},
      {"enterprise_id", NULL, LOAD_ID, REFERS("enterprise", "id"),
       TEXT_KEY("load.missing.enterprise")},
      {"name_zh", NULL, LOAD_TEXT, FREE},
      {"name_en", NULL, LOAD_TEXT, FREE},
      {"city_code", NULL, LOAD_ID, FREE, REFERS("city", "code"),
       TEXT_KEY("load.missing.place")},
      {"valid_to", NULL, LOAD_TIME, EMPTY_NULL, ENDS}},
     .keys = {{"id", NULL}}},
    {"supplier",
     {{"id", NULL, LOAD_ID},
      {"name_zh", NULL, LOAD_TEXT, FREE},
      {"name_en", NULL, LOAD_TEXT, FREE},
      {"credit_code", NULL, LOAD_CREDIT, FREE},
      {"valid_from", NULL, LOAD_TIME, EMPTY_NULL, FREE},
      {"valid_to", NULL, LOAD_TIME, EMPTY_NULL, ENDS}},
     .computed = "is_sample",
     .compute = mark_sample,
     .keys = {{"id", NULL},
              {"credit_code", TEXT_KEY("load.taken.supplier_code")}}},
    {"service",
     {{"id", NULL, LOAD_ID},
      {"supplier_id", NULL, LOAD_ID, REFERS("supplier", "id"),
       TEXT_KEY("load.missing.supplier")},
      {"item_no", NULL, LOAD_INTEGER, FREE, REFERS_TO_ITEM,
       TEXT_KEY("load.missing.item")},
      {"class", NULL, LOAD_WORD, FREE, .words = "A|B|C"},
      {"name_zh", NULL, LOAD_TEXT, FREE},
      {"name_en", NULL, LOAD_TEXT, FREE},
      {"valid_from", NULL, LOAD_TIME, EMPTY_NULL, FREE},
      {"valid_to", NULL, LOAD_TIME, EMPTY_NULL, ENDS}},
     .keys = {{"id", NULL}}},
    {"endpoint",
     {{"id", NULL, LOAD_ID},
      {"service_id", NULL, LOAD_ID, REFERS("service", "id"),
       TEXT_KEY("load.missing.service")},
      {"protocol", NULL, LOAD_WORD, EMPTY_TEXT, .words = "tcp|udp"},
      {"ports", NULL, LOAD_PORTS, EMPTY_TEXT},
      {"is_shared", NULL, LOAD_FLAG, EMPTY_ZERO},
      {"valid_from", NULL, LOAD_TIME},
      {"valid_to", NULL, LOAD_TIME, EMPTY_NULL, ENDS}},
     .keys = {{"id", NULL}}},
    {"endpoint_address",
     {{"endpoint_id", NULL, LOAD_ID, REFERS("endpoint", "id"),
       TEXT_KEY("load.missing.endpoint")},
      {"address", NULL, LOAD_NET, EMPTY_TEXT},
      {"host", NULL, LOAD_HOST, EMPTY_TEXT}}},
    {"probe",
     {{"id", NULL, LOAD_ID},
      {"enterprise_id", NULL, LOAD_ID, REFERS("enterprise", "id"),
       TEXT_KEY("load.missing.enterprise")},
      {"site_id", NULL, LOAD_ID, REFERS("site", "id"),
       TEXT_KEY("load.missing.site")},
      {"algorithm", NULL, LOAD_WORD, .words = "ed25519|sm2"},
      {"signing_key", NULL, LOAD_HEX},
      {"agreed_at", NULL, LOAD_TIME},
      {"denied_at", NULL, LOAD_TIME, EMPTY_NULL}},
     .computed = "is_sample",
     .compute = mark_sample,
     .keys = {{"id", NULL}}},
    {"exporter",
     {{"id", NULL, LOAD_ID},
      {"address", NULL, LOAD_ADDRESS},
      {"enterprise_id", NULL, LOAD_ID, REFERS("enterprise", "id"),
       TEXT_KEY("load.missing.enterprise")},
      {"site_id", NULL, LOAD_ID, REFERS("site", "id"),
       TEXT_KEY("load.missing.site")},
      {"sampling", NULL, LOAD_INTEGER, EMPTY_NULL},
      {"agreed_at", NULL, LOAD_TIME},
      {"denied_at", NULL, LOAD_TIME, EMPTY_NULL, ENDS}},
     .computed = "is_sample",
     .compute = mark_sample,
     .keys = {{"id", NULL}, {"address", TEXT_KEY("load.taken.address")}}},
    {"supplier_probe",
     {{"id", NULL, LOAD_ID},
      {"supplier_id", NULL, LOAD_ID, REFERS("supplier", "id"),
       TEXT_KEY("load.missing.supplier")},
      {"algorithm", NULL, LOAD_WORD, .words = "ed25519|sm2"},
      {"signing_key", NULL, LOAD_HEX},
      {"agreed_at", NULL, LOAD_TIME},
      {"denied_at", NULL, LOAD_TIME, EMPTY_NULL}},
     .computed = "is_sample",
     .compute = mark_sample,
     .stored = "probe",
     .keys = {{"id", NULL}}},
    {"voucher_application",
     {{"id", NULL, LOAD_ID},
      {"cycle_id", NULL, LOAD_ID, REFERS("cycle", "id"),
       TEXT_KEY("load.missing.cycle")},
      {"enterprise_id", NULL, LOAD_ID, REFERS("enterprise", "id"),
       TEXT_KEY("load.missing.enterprise")},
      {"supplier_id", NULL, LOAD_ID, REFERS("supplier", "id"),
       TEXT_KEY("load.missing.supplier")},
      {"contract_no", NULL, LOAD_TEXT},
      {"contract_day", NULL, LOAD_DAY},
      {"submitted_at", NULL, LOAD_TIME},
      {"supplier_confirmed_at", NULL, LOAD_TIME},
      {"city_approved_at", NULL, LOAD_TIME}},
     .keys = {{"id", NULL},
              {"enterprise_id|supplier_id|contract_no",
               TEXT_KEY("load.taken.contract")}}},
    {"voucher",
     {{"number", NULL, LOAD_ID},
      {"application_id", NULL, LOAD_ID, REFERS("voucher_application", "id"),
       TEXT_KEY("load.missing.application")},
      {"issued_at", NULL, LOAD_TIME},
      {"is_pilot", NULL, LOAD_FLAG, EMPTY_ZERO},
      {"state", NULL, LOAD_WORD,
       .words = "ACTIVE|IN_SETTLEMENT|PAID|LAPSED|VOID"}},
     .computed = "amount_fen",
     .compute = begin_voucher,
     .note = load_award_note,
     .keys = {{"number", NULL},
              {"application_id", TEXT_KEY("load.taken.application")}}},
    {"voucher_line",
     {{"voucher_number", NULL, LOAD_ID, REFERS("voucher", "number"),
       TEXT_KEY("load.missing.voucher")},
      {"line_no", NULL, LOAD_INTEGER},
      {"service_id", NULL, LOAD_ID, REFERS("service", "id"),
       TEXT_KEY("load.missing.service")},
      {"fee", "fee_fen", LOAD_MONEY},
      {"networked_sets", NULL, LOAD_INTEGER, EMPTY_NULL}},
     .computed = "award_fen",
     .compute = load_award_line,
     .keys = {{"voucher_number|line_no", NULL}}},
    {"settlement",
     {{"id", NULL, LOAD_ID},
      {"voucher_number", NULL, LOAD_ID, REFERS("voucher", "number"),
       TEXT_KEY("load.missing.voucher")},
      {"submitted_at", NULL, LOAD_TIME},
      {"supplier_confirmed_at", NULL, LOAD_TIME, EMPTY_NULL},
      {"state", NULL, LOAD_WORD,
       .words = "PENDING_SUPPLIER|PENDING_VERIFICATION|NOT_COMPLETE|"
                "PENDING_CITY"}},
     .keys = {{"id", NULL}}},
    {"user_side_identifier",
     {{"voucher_number", NULL, LOAD_ID, REFERS("voucher", "number"),
       TEXT_KEY("load.missing.voucher")},
      {"line_no", NULL, LOAD_INTEGER},
      {"kind", NULL, LOAD_WORD,
       .words = "fixed_ip|broadband_account|mobile_number|iot_sim"},
      {"value", NULL, LOAD_TEXT},
      {"mask", NULL, LOAD_TEXT},
      {"site_id", NULL, LOAD_ID, REFERS("site", "id"),
       TEXT_KEY("load.missing.site")},
      {"valid_from", NULL, LOAD_TIME},
      {"valid_to", NULL, LOAD_TIME, EMPTY_NULL, ENDS}},
     .keys = {{"voucher_number|line_no|kind|value|valid_from", NULL}}},
};
const size_t LOAD_TABLE_COUNT = sizeof(LOAD_TABLES) / sizeof(LOAD_TABLES[0]);
