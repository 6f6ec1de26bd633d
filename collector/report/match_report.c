#include "collector/report/match_report.h"

#include <inttypes.h>

#include "common/columns.h"
#include "common/writer.h"

static const struct {
    const char *name;
    int column;
} COUNTS[] = {
    {"flows", 5},
    {"octets", 6},
    {"matched_by_token", 7},
    {"matched_by_shape", 8},
    {"ambiguous", 9},
    {"matched_octets", 10},
    {"supplier_probe_covered_minutes", 11},
};

/* Thousandths of the flows that were matched. */
static int64_t share(struct db_statement *s)
{
    uint64_t flows = db_u64(s, 5), matched = db_u64(s, 7) + db_u64(s, 8);
    return flows > 0 ? (int64_t)(matched * 1000 / flows) : 0;
}

static const struct column COLUMNS[] = {
    {TEXT_KEY("collector.column.enterprise"), 16},
    {TEXT_KEY("collector.column.endpoint"), 24},
    {TEXT_KEY("collector.column.day"), 10},
    {TEXT_KEY("collector.column.demo"), 6},
    {TEXT_KEY("collector.column.supplier"), 12},
    {TEXT_KEY("collector.column.flows"), -12},
    {TEXT_KEY("collector.column.octets"), -12},
    {TEXT_KEY("collector.column.by_token"), -12},
    {TEXT_KEY("collector.column.by_shape"), -12},
    {TEXT_KEY("collector.column.ambiguous"), -12},
    {TEXT_KEY("collector.column.octets_both"), -12},
    {TEXT_KEY("collector.column.minutes"), -12},
    {TEXT_KEY("collector.column.matched"), -8},
};

static void table_row(struct db_statement *s, enum language language,
                      struct buffer *out)
{
    char day[DAY_TEXT_LEN];
    int64_t thousandths = share(s);
    day_to_text((struct civil_day){(int32_t)db_i64(s, 2)}, day);
    buffer_addf(out, "%-16s %-24s %-10s ", db_text(s, 0), db_text(s, 1), day);
    columns_add(out,
                slice_of_text(db_i64(s, 3)
                                  ? text_word(language, "", "collector.demo")
                                  : ""),
                6);
    buffer_addf(out, " %-12s", db_text(s, 4));
    for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++)
        buffer_addf(out, " %12" PRIu64, db_u64(s, COUNTS[i].column));
    buffer_addf(out, " %4" PRId64 ".%" PRId64 " %%\n", thousandths / 10,
                thousandths % 10);
}

static void json_row(struct db_statement *s, struct json_writer *json)
{
    char day[DAY_TEXT_LEN];
    day_to_text((struct civil_day){(int32_t)db_i64(s, 2)}, day);
    json_object_begin(json, NULL);
    json_text(json, "enterprise", db_text(s, 0));
    json_text(json, "endpoint", db_text(s, 1));
    json_text(json, "day", day);
    json_bool(json, "sample", db_i64(s, 3) != 0);
    json_text(json, "supplier", db_text(s, 4));
    for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++)
        json_u64(json, COUNTS[i].name, db_u64(s, COUNTS[i].column));
    json_thousandths(json, "matched_share", share(s));
    json_object_end(json);
}

bool match_report(struct db *usage_db, const char *enterprise_id,
                  struct civil_day from, struct civil_day to, bool as_json,
                  enum language language, struct buffer *out,
                  struct error_text *error)
{
    struct json_writer json;
    struct db_statement *s = db_prepare(
        usage_db,
        "SELECT enterprise_id, endpoint_id, day, is_sample, supplier_id, "
        "flows, octets, matched_by_token, matched_by_shape, ambiguous, "
        "matched_octets, supplier_probe_covered_minutes FROM match_day "
        "WHERE day >= :from AND day < :to "
        "AND (:enterprise IS NULL OR enterprise_id = :enterprise) "
        "ORDER BY enterprise_id, endpoint_id, day, is_sample");
    if (s == NULL)
        return error_set(error, "%s", db_error(usage_db));
    db_bind_i64(s, ":from", from.number);
    db_bind_i64(s, ":to", to.number);
    if (enterprise_id != NULL)
        db_bind_text(s, ":enterprise", enterprise_id);
    else
        db_bind_null(s, ":enterprise");
    json_start(&json, out);
    if (as_json)
        json_array_begin(&json, NULL);
    else
        columns_add_heads(out, language, COLUMNS,
                          sizeof(COLUMNS) / sizeof(COLUMNS[0]));
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW) {
        if (as_json)
            json_row(s, &json);
        else
            table_row(s, language, out);
    }
    if (as_json) {
        json_array_end(&json);
        buffer_add_text(out, "\n");
    }
    return step == DB_DONE || error_set(error, "%s", db_error(usage_db));
}
