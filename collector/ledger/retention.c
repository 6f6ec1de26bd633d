/*
 * Deleting goes in steps, each a transaction of its own: the mark; detail in
 * slices of the ledger, each looked at once, so that the collector is not kept
 * waiting; then each segment, whose row in archive_gone is committed before its
 * file goes. A crash between the two leaves a file that nothing names, and the
 * next run deletes it.
 */
#include "collector/ledger/retention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ledger/archive.h"
#include "collector/ledger/intake.h"
#include "collector/ledger/usage.h"

enum { SLICE_BATCHES = 1000, SLICE_INTERVALS = 100000 };

/* --- how far it went --- */

/* How far the deleted batches' records may reach: as the rows say, which stay,
 * and not as the mark says, which is under nobody's signature. */
#define MARKS(schema)                                                          \
    "SELECT detail_before_ms, ifnull((SELECT max(period_end_ms) FROM " schema  \
    ".ledger WHERE archive_segment IN (SELECT segment FROM " schema            \
    ".archive_gone)), -1) FROM " schema ".retention"

static bool read_marks(struct db *db, bool is_main, struct retention *r)
{
    struct db_statement *s =
        db_prepare(db, is_main ? MARKS("main") : MARKS("live"));
    if (s == NULL)
        return false;
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        int64_t newest_ms = db_i64(s, 1);
        r->detail_before_ms = db_i64(s, 0);
        r->usage_from_s =
            newest_ms >= 0 ? newest_ms / 1000 + 1 + INTAKE_REACH_S : 0;
    }
    db_reset(s);
    return step != DB_FAILED;
}

bool retention_read(struct db *db, const char *schema, struct retention *r)
{
    bool is_main = strcmp(schema, "main") == 0;
    size_t capacity = 0;
    *r = (struct retention){0};
    if (!read_marks(db, is_main, r))
        return false;
    struct db_statement *s = db_prepare(
        db, is_main ? "SELECT segment FROM main.archive_gone ORDER BY segment"
                    : "SELECT segment FROM live.archive_gone ORDER BY segment");
    if (s == NULL)
        return false;
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW) {
        if (r->gone_count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            uint32_t *more = realloc(r->gone, capacity * sizeof(*more));
            if (more == NULL)
                break;
            r->gone = more;
        }
        r->gone[r->gone_count++] = (uint32_t)db_i64(s, 0);
    }
    db_reset(s);
    return step == DB_DONE;
}

void retention_clear(struct retention *r)
{
    free(r->gone);
    *r = (struct retention){0};
}

static int compare_segments(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool retention_has_deleted(const struct retention *r, uint32_t segment)
{
    return r->gone_count > 0 &&
           bsearch(&segment, r->gone, r->gone_count, sizeof(segment),
                   compare_segments) != NULL;
}

bool retention_keeps_detail(const struct retention *r,
                            const struct ledger_row *row)
{
    return row->info.period_end_ms >= r->detail_before_ms;
}

/* --- deleting --- */

struct deleting {
    struct db *db;
    struct archive *archive;
    const struct retention_plan *plan;
    struct wall_time now;
    int64_t detail_before_ms, archive_before_ms;
    struct retention_result *result;
    struct error_text *error;
};

static bool database_failed(struct deleting *d)
{
    db_rollback(d->db);
    return error_set(d->error, "%s", db_error(d->db));
}

static int64_t days_before(struct civil_day today, uint64_t days)
{
    struct civil_day day = {today.number - (int32_t)days};
    return wall_to_ms(day_start(day));
}

static bool count_detail(struct deleting *d)
{
    struct db_statement *s =
        db_prepare(d->db, "SELECT count(*), ifnull(sum(f.record_count), 0), "
                          "ifnull(sum(length(f.data)), 0) FROM flow_block AS f "
                          "JOIN ledger AS l ON l.idx = f.ledger_idx "
                          "WHERE l.period_end_ms < :before");
    if (s == NULL)
        return database_failed(d);
    db_bind_i64(s, ":before", d->detail_before_ms);
    if (db_step(s) != DB_ROW)
        return database_failed(d);
    d->result->batches = db_u64(s, 0);
    d->result->records = db_u64(s, 1);
    d->result->bytes = db_u64(s, 2);
    db_reset(s);
    return true;
}

/* The mark first: what is missing from then on is missing rightly. It never
 * goes back, also when more days are asked for. */
static bool mark(struct deleting *d, const char *sql, int64_t before_ms)
{
    struct db_statement *s = db_prepare(d->db, sql);
    if (s == NULL)
        return database_failed(d);
    db_bind_i64(s, ":before", before_ms);
    db_bind_i64(s, ":now", d->now.us);
    return db_do(s) || database_failed(d);
}

static bool mark_detail(struct deleting *d)
{
    if (!db_begin(d->db) || !mark(d,
                                  "UPDATE retention SET at_us = :now, "
                                  "detail_before_ms = max(detail_before_ms, "
                                  ":before)",
                                  d->detail_before_ms))
        return database_failed(d);
    return db_commit(d->db) || database_failed(d);
}

/* Where the slice that begins behind `from` ends; 0: there is none. */
static bool find_slice(struct deleting *d, uint64_t from, uint64_t *to)
{
    struct db_statement *s = db_prepare(
        d->db, "SELECT ifnull(max(ledger_idx), 0) FROM (SELECT ledger_idx FROM "
               "flow_block WHERE ledger_idx > :from ORDER BY ledger_idx LIMIT "
               ":slice)");
    if (s == NULL)
        return database_failed(d);
    db_bind_u64(s, ":from", from);
    db_bind_i64(s, ":slice", SLICE_BATCHES);
    bool good = db_step(s) == DB_ROW;
    *to = good ? db_u64(s, 0) : 0;
    db_reset(s);
    return good || database_failed(d);
}

static bool delete_slice(struct deleting *d, uint64_t from, uint64_t to)
{
    struct db_statement *s = db_prepare(
        d->db, "DELETE FROM flow_block WHERE ledger_idx > :from AND ledger_idx "
               "<= :to AND (SELECT period_end_ms FROM ledger WHERE idx = "
               "ledger_idx) < :before");
    if (s == NULL || !db_begin(d->db))
        return database_failed(d);
    db_bind_u64(s, ":from", from);
    db_bind_u64(s, ":to", to);
    db_bind_i64(s, ":before", d->detail_before_ms);
    if (!db_do(s))
        return database_failed(d);
    return db_commit(d->db) || database_failed(d);
}

static bool delete_detail(struct deleting *d)
{
    uint64_t from = 0, to = 0;
    if (!count_detail(d) || d->plan->only_count)
        return !d->error->text[0];
    if (!mark_detail(d))
        return false;
    do {
        from = to;
        if (!find_slice(d, from, &to) || (to > 0 && !delete_slice(d, from, to)))
            return false;
    } while (to > 0);
    if (!db_begin(d->db) ||
        !usage_forget_hosts(d->db, d->now, wall_from_ms(d->detail_before_ms)))
        return database_failed(d);
    return db_commit(d->db) || database_failed(d);
}

/* Whose newest batch is old enough. The segments still written are newer, or
 * locked (archive_delete_segment). */
static bool next_segment(struct deleting *d, uint32_t after, uint32_t *segment,
                         uint64_t *batches)
{
    struct db_statement *s = db_prepare(
        d->db,
        "SELECT archive_segment, count(*) FROM ledger "
        "WHERE archive_segment > :after AND archive_segment NOT IN "
        "(SELECT segment FROM archive_gone) GROUP BY archive_segment "
        "HAVING max(period_end_ms) < :before AND max(received_us) < :before * "
        "1000 ORDER BY archive_segment LIMIT 1");
    if (s == NULL)
        return database_failed(d);
    db_bind_i64(s, ":after", after);
    db_bind_i64(s, ":before", d->archive_before_ms);
    enum db_step step = db_step(s);
    *segment = step == DB_ROW ? (uint32_t)db_i64(s, 0) : 0;
    *batches = step == DB_ROW ? db_u64(s, 1) : 0;
    db_reset(s);
    return step != DB_FAILED || database_failed(d);
}

static bool note_segment(struct deleting *d, uint32_t segment, uint64_t bytes)
{
    struct db_statement *s =
        db_prepare(d->db, "INSERT INTO archive_gone (segment, bytes, "
                          "deleted_us) VALUES (:segment, :bytes, :now)");
    if (s == NULL || !db_begin(d->db))
        return database_failed(d);
    db_bind_i64(s, ":segment", segment);
    db_bind_u64(s, ":bytes", bytes);
    db_bind_i64(s, ":now", d->now.us);
    if (!db_do(s) || !mark(d,
                           "UPDATE retention SET at_us = :now, "
                           "archive_before_ms = max(archive_before_ms, "
                           ":before)",
                           d->archive_before_ms))
        return database_failed(d);
    return db_commit(d->db) || database_failed(d);
}

/* Files that a crash left behind their row. */
static bool delete_forgotten(struct deleting *d)
{
    struct retention r;
    bool good = retention_read(d->db, "main", &r);
    for (size_t i = 0; good && i < r.gone_count; i++)
        if (archive_segment_size(d->archive, r.gone[i]) > 0)
            good = archive_delete_segment(d->archive, r.gone[i]);
    retention_clear(&r);
    return good || error_set(d->error, "archive: %s", strerror(errno));
}

static bool delete_segments(struct deleting *d)
{
    uint32_t segment = 0;
    uint64_t batches = 0;
    if (!d->plan->only_count && !delete_forgotten(d))
        return false;
    while (next_segment(d, segment, &segment, &batches) && segment != 0) {
        uint64_t bytes = archive_segment_size(d->archive, segment);
        if (!d->plan->only_count) {
            if (archive_is_written(d->archive, segment))
                continue;
            if (!note_segment(d, segment, bytes))
                return false;
            if (!archive_delete_segment(d->archive, segment))
                return error_set(d->error, "archive segment %06u: %s", segment,
                                 strerror(errno));
        }
        d->result->segments++;
        d->result->segment_batches += batches;
        d->result->bytes += bytes;
    }
    return d->error->text[0] == '\0';
}

static bool count_intervals(struct deleting *d)
{
    struct db_statement *s = db_prepare(
        d->db, "SELECT count(*) FROM number_interval WHERE to_ms < :before");
    if (s == NULL)
        return database_failed(d);
    db_bind_i64(s, ":before", d->archive_before_ms);
    if (db_step(s) != DB_ROW)
        return database_failed(d);
    d->result->intervals = db_u64(s, 0);
    db_reset(s);
    return true;
}

static bool delete_interval_slice(struct deleting *d, int64_t *deleted)
{
    struct db_statement *s = db_prepare(
        d->db,
        "DELETE FROM number_interval WHERE (carrier, address, prefix_length, "
        "port_from, port_to, from_ms) IN (SELECT carrier, address, "
        "prefix_length, port_from, port_to, from_ms FROM number_interval "
        "WHERE to_ms < :before LIMIT :slice)");
    if (s == NULL || !db_begin(d->db))
        return database_failed(d);
    db_bind_i64(s, ":before", d->archive_before_ms);
    db_bind_i64(s, ":slice", SLICE_INTERVALS);
    if (!db_do(s))
        return database_failed(d);
    *deleted = db_changes(d->db);
    return db_commit(d->db) || database_failed(d);
}

static bool delete_nameless_numbers(struct deleting *d)
{
    struct db_statement *s =
        db_prepare(d->db, "DELETE FROM number WHERE key NOT IN "
                          "(SELECT number FROM number_interval)");
    if (s == NULL || !db_begin(d->db) || !db_do(s))
        return database_failed(d);
    return db_commit(d->db) || database_failed(d);
}

static bool delete_intervals(struct deleting *d)
{
    int64_t deleted = 0;
    if (!count_intervals(d))
        return false;
    if (d->plan->only_count || d->result->intervals == 0)
        return true;
    do
        if (!delete_interval_slice(d, &deleted))
            return false;
    while (deleted > 0);
    return delete_nameless_numbers(d);
}

bool retention_apply(const struct ledger_paths *paths,
                     const struct retention_plan *plan, struct wall_time now,
                     struct retention_result *result, struct error_text *error)
{
    struct deleting d = {
        .plan = plan,
        .now = now,
        .detail_before_ms = days_before(plan->today, plan->detail_days),
        .archive_before_ms = days_before(plan->today, plan->archive_days),
        .result = result,
        .error = error};
    *result = (struct retention_result){0};
    error->text[0] = '\0';
    bool good = (d.archive = archive_open_read(paths->archive, error)) &&
                (d.db = db_open(paths->usage_db, DB_WRITE, ledger_migrations,
                                ledger_migration_count, error)) &&
                delete_detail(&d) && delete_segments(&d) &&
                delete_intervals(&d);
    db_close(d.db);
    archive_close(d.archive);
    return good;
}
