/*
 * Completion tables, the newest first; those of one run by city. Their counts
 * are kept by the verifier's database: rows of a table never change.
 */
#include "portal/record/table_list.h"

#include "common/text.h"

static const struct list_column COLUMNS[] = {
    {"number",
     LIST_LINK,
     {"t.number", "t.version"},
     TEXT_KEY("tables.number"),
     .link = "/tables/"},
    {"is_sample",
     LIST_TAG,
     {"t.is_sample"},
     TEXT_KEY("tag.sample"),
     .look = "tag sample"},
    {"is_old",
     LIST_TAG,
     {"EXISTS (SELECT 1 FROM verdict.completion_table o"
      " WHERE o.number = t.number AND o.version > t.version)"},
     TEXT_KEY("tag.old")},
    {"version", LIST_COUNT, {"t.version"}, TEXT_KEY("tables.version")},
    {"city",
     LIST_NAMES,
     {"c.code", "c.name_zh", "c.name_en"},
     TEXT_KEY("col.city")},
    {"cycle",
     LIST_NAMES,
     {"t.cycle_id", "ifnull(y.name_zh, '')", "ifnull(y.name_en, '')"},
     TEXT_KEY("voucher.cycle")},
    {"complete",
     LIST_COUNT,
     {"ifnull(n.complete, 0)"},
     TEXT_KEY("mark.COMPLETE")},
    {"not_complete",
     LIST_COUNT,
     {"ifnull(n.not_complete, 0)"},
     TEXT_KEY("mark.NOT_COMPLETE")},
    {"undetermined",
     LIST_COUNT,
     {"ifnull(n.undetermined, 0)"},
     TEXT_KEY("mark.UNDETERMINED")},
    {"made_at", LIST_TIME, {"t.made_at"}, TEXT_KEY("tables.made")},
    {"fingerprint",
     LIST_HASH,
     {"t.fingerprint"},
     TEXT_KEY("table.fingerprint"),
     .places = LIST_FILE | LIST_JSON},
};

static const struct list_filter FILTERS[] = {
    {"city", LIST_ROWS, TEXT_KEY("col.city"), "t.city_code = :city",
     .choices_sql = "SELECT code, name_zh, name_en FROM city"
                    " WHERE is_enabled = 1 ORDER BY code",
     .scopes = 1u << SCOPE_ALL},
    {"cycle", LIST_ROWS, TEXT_KEY("voucher.cycle"), "t.cycle_id = :cycle",
     .choices_sql = "SELECT id, name_zh, name_en FROM cycle ORDER BY id DESC"},
};

const struct list TABLE_LIST = {
    .name = "tables",
    .title = TEXT_KEY("tables.title"),
    .help = TEXT_KEY("tables.help"),
    .none = TEXT_KEY("tables.none"),
    .missing = TEXT_KEY("missing.verdict"),
    .source = LIST_FROM_VERDICT,
    .from = "FROM verdict.completion_table t"
            " CROSS JOIN city c ON c.code = t.city_code"
            " LEFT JOIN verdict.completion_count n ON n.number = t.number"
            "  AND n.version = t.version"
            " LEFT JOIN cycle y ON y.id = t.cycle_id",
    .keys = {{"-t.made_at", .is_integer = true},
             {"t.number"},
             {"-t.version", .is_integer = true}},
    .scopes = {[SCOPE_ALL] = {"1"}, [SCOPE_CITY] = {"t.city_code = :scope_id"}},
    .columns = COLUMNS,
    .column_count = sizeof(COLUMNS) / sizeof(COLUMNS[0]),
    .filters = FILTERS,
    .filter_count = sizeof(FILTERS) / sizeof(FILTERS[0]),
};
