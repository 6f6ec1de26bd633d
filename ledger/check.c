/*
 * The check works on a scratch database that SQLite deletes by itself, with
 * usage.db attached read-only as `live`. Each archived batch is added up into
 * the scratch's usage tables by the same code that counts in service; in the
 * end the two must hold the same rows. One transaction spans everything, so
 * that a collector at work next to it changes nothing underneath.
 */
#include "ledger/check.h"

#include <inttypes.h>
#include <string.h>

#include "ledger/store.h"
#include "ledger/detail.h"
#include "ledger/host_set.h"
#include "ledger/merkle.h"
#include "ledger/prepare.h"
#include "ledger/read_back.h"
#include "ledger/retention.h"
#include "ledger/usage.h"

struct check {
    struct db *db;
    struct archive *archive;
    struct usage_table *usage;
    struct flow_block *block;
    struct retention retention;
    struct read_back rb;
    struct merkle_tree tree;
    struct check_result *result;
    struct error_text *error;
};

static bool database_failed(struct check *c)
{
    return error_set(c->error, "%s", db_error(c->db));
}

/* "ledger row 12 (P-1, batch 7): reason" */
static bool row_fault(struct check *c, const struct ledger_row *row,
                      const char *reason)
{
    return error_set(
        c->error, "ledger row %" PRIu64 " (%s, batch %" PRIu64 "): %s",
        row->index, row->info.probe_id, row->info.sequence, reason);
}

static bool check_leaf(struct check *c, const struct ledger_row *row)
{
    struct digest leaf = ledger_leaf(row);
    struct db_statement *s =
        db_prepare(c->db, "SELECT hash FROM live.merkle_leaf WHERE idx = :idx");
    if (s == NULL)
        return database_failed(c);
    db_bind_u64(s, ":idx", row->index);
    enum db_step step = db_step(s);
    struct slice hash = step == DB_ROW ? db_blob(s, 0) : SLICE("");
    bool is_equal = hash.length == DIGEST_LEN &&
                    memcmp(hash.data, leaf.bytes, DIGEST_LEN) == 0;
    db_reset(s);
    if (step == DB_FAILED)
        return database_failed(c);
    if (step == DB_DONE)
        return row_fault(c, row, "its Merkle leaf is missing");
    if (!is_equal)
        return row_fault(c, row,
                         "the row is not what its Merkle leaf was "
                         "made from");
    merkle_add(&c->tree, leaf);
    return true;
}

/* What the block holds against the records of the archived batch. */
static bool block_equals(struct check *c, struct slice data, size_t count)
{
    if (!flow_block_decode(c->block, data) ||
        flow_block_count(c->block) != count ||
        count != batch_reader_count(c->rb.reader))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!flow_record_equal(&flow_block_records(c->block)[i],
                               batch_reader_record(c->rb.reader, i)))
            return false;
    return true;
}

/* The block of the batch holds its records, in their order; none when it was
 * not counted, or when retention took it. */
static bool check_detail(struct check *c, const struct ledger_row *row)
{
    bool is_wanted = row->is_counted && batch_reader_count(c->rb.reader) > 0 &&
                     retention_keeps_detail(&c->retention, row);
    struct db_statement *s = detail_prepare_batch(c->db, "live", row->index);
    if (s == NULL)
        return database_failed(c);
    enum db_step step = db_step(s);
    bool is_equal = step == DB_ROW ? false : !is_wanted;
    if (step == DB_ROW && row->is_counted) {
        size_t count;
        struct slice data = detail_block(s, &count);
        is_equal = block_equals(c, data, count);
    }
    db_reset(s);
    if (step == DB_FAILED)
        return database_failed(c);
    return is_equal || row_fault(c, row,
                                 "its flow block is not the records of the "
                                 "archived batch");
}

static bool add_usage(struct check *c, const struct ledger_row *row)
{
    struct usage_scope scope = usage_scope_of(row);
    struct prepared prepared;
    prepared_init(&prepared);
    scope.from_bucket = c->retention.usage_from_s;
    bool is_good =
        prepare_sums(&prepared, c->rb.reader) && !prepared.has_too_many_cells;
    bool is_stored = is_good && usage_store(c->usage, prepared.sums, &scope);
    prepared_clear(&prepared);
    if (!is_good)
        return row_fault(c, row, "its records cannot be added up");
    return is_stored || database_failed(c);
}

static bool check_row(struct check *c, const struct ledger_row *row)
{
    struct error_text why;
    if (!check_leaf(c, row))
        return false;
    if (retention_has_deleted(&c->retention, row->place.segment)) {
        c->result->batches++;
        c->result->gone++;
        return true;
    }
    if (!read_back_batch(&c->rb, row, &why))
        return row_fault(c, row, why.text);
    if (!check_detail(c, row) || (row->is_counted && !add_usage(c, row)))
        return false;
    c->result->batches++;
    c->result->bytes += row->place.length;
    if (row->is_counted)
        c->result->records += batch_reader_count(c->rb.reader);
    else
        c->result->kept++;
    return true;
}

static bool check_rows(struct check *c)
{
    struct db_statement *s = ledger_prepare_all(c->db, "live");
    if (s == NULL)
        return database_failed(c);
    enum db_step step;
    bool good = true;
    for (uint64_t index = 1; good && (step = db_step(s)) == DB_ROW; index++) {
        struct ledger_row row;
        bool is_readable = ledger_read_row(s, &row);
        if (row.index != index)
            good =
                error_set(c->error, "ledger row %" PRIu64 " is missing", index);
        else if (!is_readable)
            good = error_set(c->error,
                             "ledger row %" PRIu64 " holds values that no "
                             "row can have",
                             index);
        else
            good = check_row(c, &row);
    }
    db_reset(s);
    return good && (step == DB_DONE || database_failed(c));
}

/* Questions whose answer must be no row; a row is the sentence that says what
 * is wrong. */
static const char *const NONE_OF[] = {
    "SELECT 'Merkle leaf ' || idx || ' has no ledger row' "
    "FROM live.merkle_leaf WHERE idx > (SELECT count(*) FROM live.ledger) "
    "ORDER BY idx LIMIT 1",
    "SELECT 'a flow block names ledger row ' || ledger_idx || "
    "', which does not exist' FROM live.flow_block AS f WHERE NOT EXISTS "
    "(SELECT 1 FROM live.ledger AS l WHERE l.idx = f.ledger_idx) "
    "ORDER BY ledger_idx LIMIT 1",
    "SELECT 'chain of ' || l.probe_id || ': batch ' || l.sequence || "
    "' does not follow the one before it, and no event says so' "
    "FROM live.ledger AS l "
    "JOIN live.ledger AS p ON p.probe_id = l.probe_id "
    "AND p.boot_id = l.boot_id AND p.sequence = l.sequence - 1 "
    "WHERE p.batch_hash <> l.previous_hash AND NOT EXISTS "
    "(SELECT 1 FROM live.event AS e WHERE e.kind = 'fork' "
    "AND e.probe_id = l.probe_id AND e.sequence IN (l.sequence, p.sequence)) "
    "ORDER BY l.idx LIMIT 1",
};

static bool check_none_of(struct check *c)
{
    for (size_t i = 0; i < sizeof(NONE_OF) / sizeof(NONE_OF[0]); i++) {
        struct db_statement *s = db_prepare(c->db, NONE_OF[i]);
        enum db_step step = s ? db_step(s) : DB_FAILED;
        if (step == DB_FAILED)
            return database_failed(c);
        if (step == DB_DONE)
            continue;
        error_set(c->error, "%s", db_text(s, 0));
        db_reset(s);
        return false;
    }
    return true;
}

/* The same rows on both sides, with keys written out as texts. */
#define USAGE_ROWS(schema)                                                     \
    "SELECT u.enterprise_id, e.endpoint_id, u.bucket, u.site_id, u.source, "   \
    "u.is_sample, u.is_scaled, u.flows, u.octets, u.packets, u.roctets, "      \
    "u.rpackets, "                                                             \
    "u.minutes, u.hosts, u.names_confirmed, u.names_mismatched "               \
    "FROM " schema ".usage AS u "                                              \
    "LEFT JOIN " schema ".endpoint_key AS e ON e.key = u.endpoint"
#define DIFFERENCE(left, right)                                                \
    "SELECT * FROM (" USAGE_ROWS(left) " EXCEPT " USAGE_ROWS(                  \
        right) ") WHERE bucket >= :from LIMIT 1"

static const char *const DIFFERENCES[] = {
    DIFFERENCE("live", "main"),
    DIFFERENCE("main", "live"),
};

static bool check_usage(struct check *c)
{
    for (size_t i = 0; i < sizeof(DIFFERENCES) / sizeof(DIFFERENCES[0]); i++) {
        struct db_statement *s = db_prepare(c->db, DIFFERENCES[i]);
        if (s != NULL)
            db_bind_i64(s, ":from", c->retention.usage_from_s);
        enum db_step step = s ? db_step(s) : DB_FAILED;
        if (step == DB_FAILED)
            return database_failed(c);
        if (step == DB_DONE)
            continue;
        char when[WALL_TEXT_LEN], enterprise[REGISTRY_ID_LEN];
        wall_to_text(wall_from_s(db_i64(s, 2)), when);
        slice_copy(slice_of_text(db_text(s, 0)), enterprise,
                   sizeof(enterprise));
        error_set(c->error,
                  "usage of %s at %s in the 5 minutes from %s is not the sum "
                  "of the archived batches",
                  enterprise, db_text(s, 1), when);
        db_reset(s);
        return false;
    }
    return true;
}

/* Every cell whose hosts may still grow knows as many as it counts. */
static bool check_hosts(struct check *c)
{
    struct db_statement *s = db_prepare(
        c->db,
        "SELECT u.enterprise_id, u.bucket, u.hosts, h.hosts FROM live.usage "
        "AS u LEFT JOIN live.usage_scope AS s ON s.enterprise_id = "
        "u.enterprise_id AND s.site_id = u.site_id AND s.source = u.source "
        "AND s.is_sample = u.is_sample LEFT JOIN live.usage_host AS h ON "
        "h.scope = s.key AND h.endpoint = u.endpoint AND h.bucket = u.bucket "
        "WHERE u.hosts > 0 AND (h.hosts IS NOT NULL OR u.bucket >= "
        "(SELECT at_us / 1000000 FROM live.retention))");
    if (s == NULL)
        return database_failed(c);
    enum db_step step;
    bool good = true;
    while (good && (step = db_step(s)) == DB_ROW) {
        struct host_set_walk walk = {db_blob(s, 3), 0, false};
        uint64_t count = 0;
        while (host_set_next(&walk))
            count++;
        char when[WALL_TEXT_LEN];
        wall_to_text(wall_from_s(db_i64(s, 1)), when);
        good = (!walk.failed && count == db_u64(s, 2)) ||
               error_set(c->error,
                         "usage_host of %s in the 5 minutes from %s does not "
                         "name the hosts that were counted",
                         db_text(s, 0), when);
    }
    db_reset(s);
    return good && (step == DB_DONE || database_failed(c));
}

static bool read_number(struct check *c, const char *sql, uint64_t *number)
{
    struct db_statement *s = db_prepare(c->db, sql);
    if (s == NULL || db_step(s) != DB_ROW)
        return database_failed(c);
    *number = db_u64(s, 0);
    db_reset(s);
    return true;
}

static bool end_of_live_segment(void *db, uint32_t segment, uint64_t *end)
{
    struct db_statement *s =
        db_prepare(db, "SELECT ifnull(max(archive_offset + archive_length), 0) "
                       "FROM live.ledger WHERE archive_segment = :segment");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":segment", segment);
    bool good = db_step(s) == DB_ROW;
    *end = good ? db_u64(s, 0) : 0;
    db_reset(s);
    return good;
}

static bool count_loose_bytes(struct check *c)
{
    uint32_t last = archive_last_segment(c->archive);
    for (uint32_t segment = 1; segment <= last; segment++) {
        uint64_t end, size = archive_segment_size(c->archive, segment);
        if (!end_of_live_segment(c->db, segment, &end))
            return database_failed(c);
        c->result->loose_bytes += size > end ? size - end : 0;
    }
    return true;
}

static bool check_everything(struct check *c)
{
    struct check_result *r = c->result;
    if (!check_rows(c) || !check_none_of(c) || !check_usage(c) ||
        !check_hosts(c) || !count_loose_bytes(c))
        return false;
    r->root = merkle_root(&c->tree);
    return read_number(c, "SELECT count(DISTINCT probe_id) FROM live.ledger",
                       &r->probes) &&
           read_number(c,
                       "SELECT ifnull(sum(missing), 0) FROM (SELECT "
                       "max(sequence) - count(*) AS missing "
                       "FROM live.ledger GROUP BY probe_id, boot_id)",
                       &r->missing) &&
           read_number(c,
                       "SELECT count(*) FROM live.event "
                       "WHERE kind = 'fork'",
                       &r->forks);
}

bool check_all(const struct ledger_paths *paths, struct check_result *result,
               struct error_text *error)
{
    struct check c = {.result = result, .error = error};
    bool good = false;
    *result = (struct check_result){0};
    /* Opened for reading first: a usage.db of another version, or none, is
     * named so. */
    struct db *live = db_open(paths->usage_db, DB_READ, ledger_migrations,
                              ledger_migration_count, error);
    if (live == NULL ||
        (c.archive = archive_open_read(paths->archive, error)) == NULL ||
        (c.db = db_open("", DB_WRITE, ledger_migrations, ledger_migration_count,
                        error)) == NULL ||
        !db_attach(c.db, paths->usage_db, "live", error))
        goto out;
    c.block = flow_block_new();
    c.usage = usage_table_new(c.db);
    if (!read_back_init(&c.rb, c.archive) || c.block == NULL ||
        c.usage == NULL) {
        error_set(error, "out of memory");
        goto out;
    }
    good = db_begin(c.db) && retention_read(c.db, "live", &c.retention)
               ? check_everything(&c)
               : database_failed(&c);
    db_rollback(c.db);
out:
    read_back_clear(&c.rb);
    retention_clear(&c.retention);
    usage_table_free(c.usage);
    flow_block_free(c.block);
    db_close(c.db);
    archive_close(c.archive);
    db_close(live);
    return good;
}
