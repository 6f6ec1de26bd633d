/*
 * Rows of the usage table come ordered so that the cells of one line, and in
 * it those of one 5 minutes (several sites), stand together: minutes of
 * several sites are joined before they are counted.
 */
#include "collector/report/usage_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/columns.h"
#include "common/shown.h"
#include "common/writer.h"

/* A line being added up. */
struct adding {
    struct usage_line *line;
    int64_t bucket;
    uint32_t minutes;
    uint64_t hosts;
};

static void close_bucket(struct adding *a)
{
    if (a->line == NULL)
        return;
    a->line->active_minutes += (uint64_t)__builtin_popcount(a->minutes);
    if (a->hosts > a->line->hosts_peak)
        a->line->hosts_peak = a->hosts;
    a->minutes = 0;
    a->hosts = 0;
}

static struct usage_line *new_line(struct usage_report *report)
{
    if (report->count == report->capacity) {
        size_t capacity = report->capacity ? 2 * report->capacity : 64;
        struct usage_line *lines =
            realloc(report->lines, capacity * sizeof(*lines));
        if (lines == NULL)
            return NULL;
        report->lines = lines;
        report->capacity = capacity;
    }
    struct usage_line *line = &report->lines[report->count++];
    *line = (struct usage_line){0};
    return line;
}

static bool is_same_line(const struct usage_line *a, const struct usage_line *b)
{
    return a != NULL && strcmp(a->endpoint_id, b->endpoint_id) == 0 &&
           a->day.number == b->day.number && a->source == b->source &&
           a->is_sample == b->is_sample;
}

static bool add_row(struct usage_report *report, struct adding *a,
                    struct db_statement *s)
{
    int64_t bucket = db_i64(s, 1);
    struct usage_line key = {
        .day = day_of_wall(wall_from_s(bucket)),
        .is_sample = db_i64(s, 3) != 0,
    };
    slice_copy(slice_of_text(db_text(s, 0)), key.endpoint_id,
               sizeof(key.endpoint_id));
    ledger_source_from(db_text(s, 2), &key.source);
    if (!is_same_line(a->line, &key) || a->bucket != bucket)
        close_bucket(a);
    if (!is_same_line(a->line, &key)) {
        a->line = new_line(report);
        if (a->line == NULL)
            return false;
        *a->line = key;
    }
    a->bucket = bucket;
    a->line->flows += db_u64(s, 4);
    a->line->octets += db_u64(s, 5);
    a->line->packets += db_u64(s, 6);
    a->line->roctets += db_u64(s, 7);
    a->line->rpackets += db_u64(s, 8);
    a->minutes |= (uint32_t)db_i64(s, 9);
    a->hosts += db_u64(s, 10);
    a->line->names_confirmed += db_u64(s, 11);
    a->line->names_mismatched += db_u64(s, 12);
    return true;
}

static bool read_lines(struct db *db, struct usage_report *report)
{
    struct adding adding = {0};
    struct db_statement *s = db_prepare(
        db, "SELECT e.endpoint_id, u.bucket, u.source, u.is_sample, u.flows, "
            "u.octets, u.packets, u.roctets, u.rpackets, u.minutes, u.hosts, "
            "u.names_confirmed, u.names_mismatched FROM usage AS u "
            "JOIN endpoint_key AS e ON e.key = u.endpoint "
            "WHERE u.enterprise_id = :enterprise AND u.bucket >= :start "
            "AND u.bucket < :end "
            "ORDER BY e.endpoint_id, (u.bucket + 28800) / 86400, u.source, "
            "u.is_sample, u.bucket, u.site_id");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", report->enterprise_id);
    db_bind_i64(s, ":start", wall_to_s(day_start(report->from)));
    db_bind_i64(s, ":end", wall_to_s(day_start(report->to)));
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW)
        if (!add_row(report, &adding, s))
            break;
    close_bucket(&adding);
    db_reset(s);
    return step == DB_DONE;
}

/* Batches whose period starts in the report's. */
static bool read_batches(struct db *db, struct usage_report *report)
{
    struct db_statement *s = db_prepare(
        db,
        "SELECT is_sample, ifnull(sum(is_counted), 0), "
        "ifnull(sum(is_late AND is_counted), 0), "
        "ifnull(sum(NOT is_counted), 0), "
        "ifnull(sum(iif(is_counted, record_count - dropped_records, 0)), 0), "
        "ifnull(sum(dropped_records), 0) FROM ledger "
        "WHERE enterprise_id = :enterprise AND source = 'probe' "
        "AND period_start_ms >= :start AND period_start_ms < :end GROUP BY "
        "is_sample");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", report->enterprise_id);
    db_bind_i64(s, ":start", wall_to_ms(day_start(report->from)));
    db_bind_i64(s, ":end", wall_to_ms(day_start(report->to)));
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW)
        *(db_i64(s, 0) ? &report->sample_batches : &report->batches) =
            (struct usage_batches){db_u64(s, 1), db_u64(s, 2), db_u64(s, 3),
                                   db_u64(s, 4), db_u64(s, 5)};
    return step == DB_DONE;
}

static void add_to_total(struct usage_line *total, const struct usage_line *l)
{
    total->flows += l->flows;
    total->octets += l->octets;
    total->packets += l->packets;
    total->roctets += l->roctets;
    total->rpackets += l->rpackets;
    total->active_minutes += l->active_minutes;
    if (l->hosts_peak > total->hosts_peak)
        total->hosts_peak = l->hosts_peak;
    total->names_confirmed += l->names_confirmed;
    total->names_mismatched += l->names_mismatched;
}

static bool add_claim(struct usage_report *report, struct db_statement *s)
{
    if (report->claim_count == report->claim_capacity) {
        size_t capacity =
            report->claim_capacity ? 2 * report->claim_capacity : 64;
        struct usage_claim *claims =
            realloc(report->claims, capacity * sizeof(*claims));
        if (claims == NULL)
            return false;
        report->claims = claims;
        report->claim_capacity = capacity;
    }
    struct usage_claim *claim = &report->claims[report->claim_count++];
    *claim = (struct usage_claim){
        .day = {(int32_t)db_i64(s, 1)},
        .connections = db_u64(s, 2),
        .octets_up = db_u64(s, 3),
        .octets_down = db_u64(s, 4),
        .is_late = db_i64(s, 5) != 0,
    };
    return slice_copy(slice_of_text(db_text(s, 0)), claim->service_id,
                      sizeof(claim->service_id));
}

static bool has_claims(struct db *registry)
{
    struct db_statement *s =
        db_prepare(registry, "SELECT 1 FROM sqlite_schema WHERE name = "
                             "'supplier_count_now'");
    bool has = s != NULL && db_step(s) == DB_ROW;
    if (s != NULL)
        db_reset(s);
    return has;
}

static bool query_claims(struct db *registry, struct usage_report *report)
{
    struct db_statement *s = db_prepare(
        registry, "SELECT service_id, day, connections, octets_up, "
                  "octets_down, is_late FROM supplier_count_now "
                  "WHERE enterprise_id = :enterprise AND day >= :from "
                  "AND day < :to ORDER BY service_id, day");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", report->enterprise_id);
    db_bind_i64(s, ":from", report->from.number);
    db_bind_i64(s, ":to", report->to.number);
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW)
        if (!add_claim(report, s))
            break;
    db_reset(s);
    return step == DB_DONE;
}

static bool read_claims(const char *path, struct usage_report *report,
                        struct error_text *error)
{
    if (path == NULL)
        return true;
    struct db *registry = db_open(path, DB_READ, NULL, 0, error);
    if (registry == NULL)
        return false;
    bool good = !has_claims(registry) || query_claims(registry, report) ||
                error_set(error, "%s", db_error(registry));
    db_close(registry);
    return good;
}

bool usage_report_read(struct db *db, const char *registry,
                       const char *enterprise_id, struct civil_day from,
                       struct civil_day to, struct usage_report *report,
                       struct error_text *error)
{
    *report = (struct usage_report){.from = from, .to = to};
    if (!slice_copy(slice_of_text(enterprise_id), report->enterprise_id,
                    sizeof(report->enterprise_id)))
        return error_set(error, "%s: no enterprise id is that long",
                         enterprise_id);
    if (!db_begin(db) || !read_lines(db, report) || !read_batches(db, report)) {
        db_rollback(db);
        return error_set(error, "%s", db_error(db));
    }
    db_rollback(db);
    for (size_t i = 0; i < report->count; i++)
        if (report->lines[i].source == SOURCE_PROBE)
            add_to_total(report->lines[i].is_sample ? &report->sample_total
                                                    : &report->total,
                         &report->lines[i]);
    return read_claims(registry, report, error);
}

void usage_report_clear(struct usage_report *report)
{
    free(report->lines);
    free(report->claims);
    report->lines = NULL;
    report->claims = NULL;
    report->count = report->capacity = 0;
    report->claim_count = report->claim_capacity = 0;
}

/* --- table --- */

struct table {
    struct buffer *out;
    enum language language;
};

static const struct column COLUMNS[] = {
    {TEXT_KEY("collector.column.endpoint"), 24},
    {TEXT_KEY("collector.column.day"), 10},
    {TEXT_KEY("collector.column.source"), 14},
    {TEXT_KEY("collector.column.tier"), -4},
    {TEXT_KEY("collector.column.demo"), 6},
    {TEXT_KEY("collector.column.flows"), -8},
    {TEXT_KEY("collector.column.octets"), -14},
    {TEXT_KEY("collector.column.packets"), -10},
    {TEXT_KEY("collector.column.octets_back"), -14},
    {TEXT_KEY("collector.column.packets_back"), -10},
    {TEXT_KEY("collector.column.minutes"), -7},
    {TEXT_KEY("collector.column.hosts"), -6},
    {TEXT_KEY("collector.column.named"), -7},
    {TEXT_KEY("collector.column.mismatch"), -8},
};

static const char *word(const struct table *t, const char *key)
{
    return text_word(t->language, "", key);
}

static void table_line(const struct table *t, const char *endpoint,
                       const char *day, const struct usage_line *l)
{
    columns_add(t->out, slice_of_text(endpoint), 24);
    buffer_addf(t->out, " %-10s %-14s %4d ", day, ledger_source_text(l->source),
                ledger_source_tier(l->source));
    columns_add(
        t->out,
        slice_of_text(l->is_sample ? word(t, TEXT_KEY("collector.demo")) : ""),
        6);
    buffer_addf(t->out,
                " %8" PRIu64 " %14" PRIu64 " %10" PRIu64 " %14" PRIu64
                " %10" PRIu64 " %7" PRIu64 " %6" PRIu64 " %7" PRIu64
                " %8" PRIu64 "\n",
                l->flows, l->octets, l->packets, l->roctets, l->rpackets,
                l->active_minutes, l->hosts_peak, l->names_confirmed,
                l->names_mismatched);
}

static void table_batches(const struct table *t, bool is_demo,
                          const struct usage_batches *b)
{
    text_fill(t->out, t->language,
              is_demo ? "collector.usage.batches_demo"
                      : "collector.usage.batches",
              text_count("counted", b->counted), text_count("late", b->late),
              text_count("kept", b->kept), text_count("records", b->records),
              text_count("dropped", b->dropped_records));
    buffer_add_text(t->out, "\n");
}

static bool has_sample(const struct usage_report *report)
{
    return report->sample_total.flows > 0 ||
           report->sample_batches.counted + report->sample_batches.kept > 0;
}

/* Apart from the rows above: nobody but the supplier saw these. */
static void table_claims(const struct table *t,
                         const struct usage_report *report)
{
    for (size_t i = 0; i < report->claim_count; i++) {
        const struct usage_claim *c = &report->claims[i];
        text_fill(
            t->out, t->language,
            c->is_late ? "collector.usage.claim_late" : "collector.usage.claim",
            text_plain("service", c->service_id), text_day("day", c->day),
            text_count("connections", c->connections),
            text_count("up", c->octets_up), text_count("down", c->octets_down));
        buffer_add_text(t->out, "\n");
    }
}

void usage_report_table(const struct usage_report *report,
                        enum language language, struct buffer *out)
{
    const struct table t = {out, language};
    char day[DAY_TEXT_LEN];
    text_fill(out, language, "collector.usage.head",
              text_plain("enterprise", report->enterprise_id),
              text_day("from", report->from), text_day("to", report->to));
    buffer_add_text(out, "\n");
    columns_add_heads(out, language, COLUMNS,
                      sizeof(COLUMNS) / sizeof(COLUMNS[0]));
    for (size_t i = 0; i < report->count; i++) {
        day_to_text(report->lines[i].day, day);
        table_line(&t, report->lines[i].endpoint_id, day, &report->lines[i]);
    }
    table_line(&t, word(&t, TEXT_KEY("collector.usage.total")), "",
               &report->total);
    table_claims(&t, report);
    if (has_sample(report)) {
        struct usage_line demo = report->sample_total;
        demo.is_sample = true;
        table_line(&t, word(&t, TEXT_KEY("collector.usage.total_demo")), "",
                   &demo);
    }
    table_batches(&t, false, &report->batches);
    if (has_sample(report))
        table_batches(&t, true, &report->sample_batches);
}

/* --- JSON --- */

static void json_counts(struct json_writer *json, const struct usage_line *l)
{
    json_u64(json, "flows", l->flows);
    json_u64(json, "octets", l->octets);
    json_u64(json, "packets", l->packets);
    json_u64(json, "roctets", l->roctets);
    json_u64(json, "rpackets", l->rpackets);
    json_u64(json, "active_minutes", l->active_minutes);
    json_u64(json, "hosts_peak", l->hosts_peak);
    json_u64(json, "names_confirmed", l->names_confirmed);
    json_u64(json, "names_mismatched", l->names_mismatched);
}

static void json_total(struct json_writer *json, const char *key,
                       const struct usage_line *total,
                       const struct usage_batches *batches)
{
    json_object_begin(json, key);
    json_counts(json, total);
    json_u64(json, "batches_counted", batches->counted);
    json_u64(json, "batches_late", batches->late);
    json_u64(json, "batches_kept", batches->kept);
    json_u64(json, "records", batches->records);
    json_u64(json, "records_dropped", batches->dropped_records);
    json_object_end(json);
}

static void json_claims(struct json_writer *json,
                        const struct usage_report *report)
{
    char day[DAY_TEXT_LEN];
    json_array_begin(json, "supplier_counts");
    for (size_t i = 0; i < report->claim_count; i++) {
        const struct usage_claim *c = &report->claims[i];
        json_object_begin(json, NULL);
        json_text(json, "service", c->service_id);
        day_to_text(c->day, day);
        json_text(json, "day", day);
        json_i64(json, "tier", 1);
        json_u64(json, "connections", c->connections);
        json_u64(json, "octets_up", c->octets_up);
        json_u64(json, "octets_down", c->octets_down);
        json_bool(json, "late", c->is_late);
        json_object_end(json);
    }
    json_array_end(json);
}

void usage_report_json(const struct usage_report *report, struct buffer *out)
{
    char day[DAY_TEXT_LEN];
    struct json_writer json;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_text(&json, "enterprise", report->enterprise_id);
    day_to_text(report->from, day);
    json_text(&json, "from", day);
    day_to_text(report->to, day);
    json_text(&json, "to", day);
    json_text(&json, "zone", "Asia/Shanghai");
    json_array_begin(&json, "rows");
    for (size_t i = 0; i < report->count; i++) {
        const struct usage_line *l = &report->lines[i];
        json_object_begin(&json, NULL);
        json_text(&json, "endpoint", l->endpoint_id);
        day_to_text(l->day, day);
        json_text(&json, "day", day);
        json_text(&json, "source", ledger_source_text(l->source));
        json_i64(&json, "tier", ledger_source_tier(l->source));
        json_bool(&json, "sample", l->is_sample);
        json_counts(&json, l);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_claims(&json, report);
    json_total(&json, "total", &report->total, &report->batches);
    json_total(&json, "sample_total", &report->sample_total,
               &report->sample_batches);
    json_object_end(&json);
    buffer_add_text(out, "\n");
}
