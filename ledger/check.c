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
#include "ledger/merkle.h"
#include "ledger/read_back.h"
#include "ledger/usage.h"

struct check {
    struct db *db;
    struct archive *archive;
    struct detail *detail;
    struct usage *usage;
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

/* The flow rows of the batch are its records, in their order, or none when it
 * was not counted. */
static bool check_detail(struct check *c, const struct ledger_row *row)
{
    size_t count = row->is_counted ? batch_reader_count(c->rb.reader) : 0;
    struct db_statement *s = detail_prepare_batch(c->db, "live", row->index);
    if (s == NULL)
        return database_failed(c);
    enum db_step step;
    size_t i = 0;
    bool is_equal = true;
    while ((step = db_step(s)) == DB_ROW && is_equal) {
        is_equal = i < count &&
                   detail_row_equals(s, batch_reader_record(c->rb.reader, i));
        i++;
    }
    db_reset(s);
    if (step == DB_FAILED)
        return database_failed(c);
    if (!is_equal || i != count)
        return row_fault(c, row,
                         "its flow rows are not the records of the "
                         "archived batch");
    return true;
}

static bool add_usage(struct check *c, const struct ledger_row *row)
{
    const struct usage_scope scope = usage_scope_of(row);
    for (size_t i = 0; i < batch_reader_count(c->rb.reader); i++) {
        const struct flow_record *r = batch_reader_record(c->rb.reader, i);
        int64_t endpoint;
        if (!detail_endpoint_key(c->detail, r->endpoint_id, &endpoint))
            return database_failed(c);
        if (!usage_add(c->usage, endpoint, r))
            return row_fault(c, row, "its records cannot be added up");
    }
    return usage_store(c->usage, &scope) || database_failed(c);
}

static bool check_row(struct check *c, const struct ledger_row *row)
{
    struct error_text why;
    if (!check_leaf(c, row))
        return false;
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
    "SELECT 'flow row ' || id || ' names ledger row ' || ledger_idx || "
    "', which does not exist' FROM live.flow AS f WHERE NOT EXISTS "
    "(SELECT 1 FROM live.ledger AS l WHERE l.idx = f.ledger_idx) "
    "ORDER BY id LIMIT 1",
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
#define HOST_ROWS(schema)                                                      \
    "SELECT s.enterprise_id, e.endpoint_id, h.bucket, s.site_id, s.source, "   \
    "s.is_sample, h.host FROM " schema ".usage_host AS h "                     \
    "LEFT JOIN " schema ".usage_scope AS s ON s.key = h.scope "                \
    "LEFT JOIN " schema ".endpoint_key AS e ON e.key = h.endpoint"
#define DIFFERENCE(rows, left, right)                                          \
    rows(left) " EXCEPT " rows(right) " LIMIT 1"

static const struct {
    const char *what;
    const char *sql;
} DIFFERENCES[] = {
    {"usage", DIFFERENCE(USAGE_ROWS, "live", "main")},
    {"usage", DIFFERENCE(USAGE_ROWS, "main", "live")},
    {"usage_host", DIFFERENCE(HOST_ROWS, "live", "main")},
    {"usage_host", DIFFERENCE(HOST_ROWS, "main", "live")},
};

static bool check_usage(struct check *c)
{
    for (size_t i = 0; i < sizeof(DIFFERENCES) / sizeof(DIFFERENCES[0]); i++) {
        struct db_statement *s = db_prepare(c->db, DIFFERENCES[i].sql);
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
                  "%s of %s at %s in the 5 minutes from %s is not the sum of "
                  "the archived batches",
                  DIFFERENCES[i].what, enterprise, db_text(s, 1), when);
        db_reset(s);
        return false;
    }
    return true;
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
        !count_loose_bytes(c))
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
    c.detail = detail_new(c.db);
    c.usage = usage_new(c.db);
    if (!read_back_init(&c.rb, c.archive) || c.detail == NULL ||
        c.usage == NULL) {
        error_set(error, "out of memory");
        goto out;
    }
    good = db_begin(c.db) ? check_everything(&c) : database_failed(&c);
    db_rollback(c.db);
out:
    read_back_clear(&c.rb);
    usage_free(c.usage);
    detail_free(c.detail);
    db_close(c.db);
    archive_close(c.archive);
    db_close(live);
    return good;
}
