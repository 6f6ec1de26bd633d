/*
 * Vouchers by number. Who sees one city, supplier or enterprise walks its range
 * of an index of voucher; a mark alone walks that of voucher_mark. A search finds
 * codes by index from their start, and names by their words anywhere: instr()
 * over ten thousand names takes three milliseconds, and Chinese words have two
 * characters, which no index of SQLite 3.40 finds. The vouchers of who is found
 * are read from the indexes alone, which carry what a scope asks.
 */
#include "portal/record/voucher_list.h"

#include "common/text.h"

#define PARTIES                                                                \
    " CROSS JOIN voucher_application a ON a.id = v.application_id"             \
    " CROSS JOIN enterprise e ON e.id = v.enterprise_id"                       \
    " CROSS JOIN city c ON c.code = v.city_code"                               \
    " CROSS JOIN supplier s ON s.id = v.supplier_id"
#define MARKED    "FROM voucher v LEFT JOIN voucher_mark m ON m.number = v.number"
#define BY_NUMBER MARKED PARTIES
#define BY_MARK                                                                \
    "FROM voucher_mark m CROSS JOIN voucher v"                                 \
    " ON v.number = m.number AND m.mark = :mark" PARTIES

#define VOUCHERS_OF(party)                                                     \
    "FROM " party " o CROSS JOIN voucher v INDEXED BY voucher_by_" party       \
    " ON v." party "_id = o.id"                                                \
    " LEFT JOIN voucher_mark m ON m.number = v.number"
#define NAMED_SO                                                               \
    "instr(lower(o.name_zh), :text) OR instr(lower(o.name_en), :text)"

#define BY_CODE(index)                                                         \
    "FROM voucher v INDEXED BY voucher_by_" index                              \
    " LEFT JOIN voucher_mark m ON m.number = v.number"

static const struct list_way WAYS[] = {
    {BY_CODE("text"), "v.number COLLATE NOCASE >= :text"
                      " AND v.number COLLATE NOCASE < :text_end"},
    {BY_CODE("contract"), "v.contract_no COLLATE NOCASE >= :text"
                          " AND v.contract_no COLLATE NOCASE < :text_end"},
    {VOUCHERS_OF("enterprise"),
     "o.credit_code COLLATE NOCASE >= :text"
     " AND o.credit_code COLLATE NOCASE < :text_end"},
    {VOUCHERS_OF("enterprise"), NAMED_SO},
    {VOUCHERS_OF("supplier"), NAMED_SO},
};

static const struct list_column COLUMNS[] = {
    {"number",
     LIST_LINK,
     {"v.number"},
     TEXT_KEY("col.voucher"),
     .link = "/vouchers/"},
    {"is_sample",
     LIST_TAG,
     {"e.is_sample OR ifnull(m.is_sample, 0)"},
     TEXT_KEY("tag.sample"),
     .look = "tag sample"},
    {"is_pilot", LIST_TAG, {"v.is_pilot"}, TEXT_KEY("tag.pilot")},
    {"enterprise",
     LIST_NAMES,
     {"e.id", "e.name_zh", "e.name_en"},
     TEXT_KEY("col.enterprise")},
    {"credit_code",
     LIST_TEXT,
     {"e.credit_code"},
     TEXT_KEY("col.credit_code"),
     .places = LIST_FILE | LIST_JSON},
    {"city",
     LIST_NAMES,
     {"c.code", "c.name_zh", "c.name_en"},
     TEXT_KEY("col.city")},
    {"supplier",
     LIST_NAMES,
     {"s.id", "s.name_zh", "s.name_en"},
     TEXT_KEY("col.supplier")},
    {"contract_no",
     LIST_TEXT,
     {"v.contract_no"},
     TEXT_KEY("col.contract"),
     .places = LIST_FILE | LIST_JSON},
    {"cycle_id",
     LIST_TEXT,
     {"a.cycle_id"},
     TEXT_KEY("voucher.cycle"),
     .places = LIST_FILE | LIST_JSON},
    {"amount_fen",
     LIST_MONEY,
     {"v.amount_fen"},
     TEXT_KEY("col.amount"),
     .is_summed = true},
    {"issued_at",
     LIST_TIME,
     {"v.issued_at"},
     TEXT_KEY("col.issued"),
     .places = LIST_FILE | LIST_JSON},
    {"state", LIST_CODE, {"v.state"}, TEXT_KEY("col.state"), .words = "state."},
    {"settlement_state",
     LIST_CODE,
     {"(SELECT t.state FROM settlement t WHERE t.voucher_number = v.number"
      " ORDER BY t.submitted_at DESC LIMIT 1)"},
     TEXT_KEY("col.settlement"),
     .words = "settlement.",
     .places = LIST_FILE | LIST_JSON},
    {"mark",
     LIST_MARK,
     {"ifnull(m.mark, 'NONE')"},
     TEXT_KEY("col.mark"),
     .words = "mark."},
    {"is_flagged",
     LIST_TAG,
     {"ifnull(m.is_flagged, 0)"},
     TEXT_KEY("tag.flag"),
     .look = "mark flag"},
};

static const struct list_choice MARKS[] = {
    {"COMPLETE", BY_MARK, "m.number"},
    {"NOT_COMPLETE", BY_MARK, "m.number"},
    {"UNDETERMINED", BY_MARK, "m.number"},
    {"NONE", BY_NUMBER, "v.number"},
};

static const struct list_filter FILTERS[] = {
    {"text", LIST_SEARCH, TEXT_KEY("vouchers.search"), .from = BY_NUMBER,
     .ways = WAYS, .way_count = sizeof(WAYS) / sizeof(WAYS[0])},
    {"city", LIST_ROWS, TEXT_KEY("col.city"), "v.city_code = :city", BY_NUMBER,
     .choices_sql = "SELECT code, name_zh, name_en FROM city"
                    " WHERE is_enabled = 1 ORDER BY code",
     .scopes = 1u << SCOPE_ALL},
    {"mark", LIST_CHOICES, TEXT_KEY("col.mark"),
     "ifnull(m.mark, 'NONE') = :mark", .choices = MARKS,
     .choice_count = sizeof(MARKS) / sizeof(MARKS[0]), .words = "mark."},
};

const struct list VOUCHER_LIST = {
    .name = "vouchers",
    .title = TEXT_KEY("vouchers.title"),
    .none = TEXT_KEY("vouchers.none"),
    .missing = TEXT_KEY("missing.verdict"),
    .source = LIST_FROM_VERDICT,
    .from = BY_NUMBER,
    .counted_from = MARKED,
    .keys = {{"v.number"}},
    .scopes = {[SCOPE_ALL] = {"1"},
               [SCOPE_CITY] = {"v.city_code = :scope_id", BY_NUMBER},
               [SCOPE_SUPPLIER] = {"v.supplier_id = :scope_id", BY_NUMBER},
               [SCOPE_ENTERPRISE] = {"v.enterprise_id = :scope_id", BY_NUMBER}},
    .columns = COLUMNS,
    .column_count = sizeof(COLUMNS) / sizeof(COLUMNS[0]),
    .filters = FILTERS,
    .filter_count = sizeof(FILTERS) / sizeof(FILTERS[0]),
};
