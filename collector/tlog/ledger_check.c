/*
 * The check works on a scratch database that SQLite deletes by itself, with
 * usage.db attached read-only as `live`. Each archived batch is added up into
 * the scratch's usage tables by the same code that counts in service; in the
 * end the two must hold the same rows. One transaction spans everything, so
 * that a collector at work next to it changes nothing underneath.
 */
#include "collector/tlog/ledger_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ledger/boot.h"
#include "collector/ledger/detail.h"
#include "collector/ledger/host_set.h"
#include "collector/ledger/loss.h"
#include "collector/ledger/prepare.h"
#include "collector/ledger/read_back.h"
#include "collector/ledger/retention.h"
#include "collector/ledger/store.h"
#include "collector/ledger/usage.h"
#include "common/proof/merkle.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { INSERT_SEARCH_MAX = 4096 }; /* batches: a few seconds */

struct check {
    struct db *db;
    struct archive *archive;
    struct usage_table *usage;
    struct flow_block *block;
    struct retention retention;
    struct read_back rb;
    struct merkle_tree tree;
    const struct check_options *options;
    struct log_check *log;
    struct check_result *result;
    struct error_text *error;
};

static bool database_failed(struct check *c)
{
    return error_set(c->error, "%s", db_error(c->db));
}

/* "edit: ledger row 12 (P-1, batch 7): reason" */
static bool row_fault_of(struct check *c, const char *class,
                         const struct ledger_row *row, const char *reason)
{
    return error_set(
        c->error, "%s: ledger row %" PRIu64 " (%s, batch %" PRIu64 "): %s",
        class, row->index, row->info.probe_id, row->info.sequence, reason);
}

static bool row_fault(struct check *c, const struct ledger_row *row,
                      const char *reason)
{
    return row_fault_of(c, "edit", row, reason);
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
    struct digest kept;
    bool is_equal = step == DB_ROW && digest_read(db_blob(s, 0), &kept) &&
                    digest_equal(kept, leaf);
    db_reset(s);
    if (step == DB_FAILED)
        return database_failed(c);
    if (step == DB_DONE)
        return row_fault_of(c, "delete", row, "its Merkle leaf is missing");
    if (!is_equal)
        return row_fault(c, row,
                         "the row is not what its Merkle leaf was "
                         "made from");
    merkle_add(&c->tree, leaf);
    return log_check_row(c->log, row, &c->tree, leaf, c->error);
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

static bool check_losses(struct check *c, const struct ledger_row *row)
{
    bool is_equal;
    if (!loss_compare(c->db, row->index, c->rb.reader, &is_equal))
        return database_failed(c);
    return is_equal || row_fault(c, row,
                                 "the losses noted of it are not those that "
                                 "the archived batch tells");
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

/* What it means that a row's batch cannot be read back. The archive is synced
 * before the row is committed, so a row without a frame lost it, or, past the
 * last checkpoint, was put in without one. */
static const char *archive_class(struct check *c, const struct ledger_row *row)
{
    uint64_t end = 0,
             segment = archive_segment_size(c->archive, row->place.segment);
    if (c->rb.is_unsigned)
        return "insert";
    if (!end_of_live_segment(c->db, row->place.segment, &end) || segment >= end)
        return "edit";
    return c->result->log.checkpoints > 0 &&
                   row->index > c->result->log.signed_size
               ? "insert"
               : "delete";
}

static bool is_read_back(const struct check *c, const struct ledger_row *row)
{
    const struct check_options *o = c->options;
    return !o->is_quick && (!o->has_since || row->received.us >= o->since.us);
}

/* The row against its leaf, and the tree against what was signed of it. */
static bool check_row_leaf(struct check *c, const struct ledger_row *row)
{
    c->result->batches++;
    if (!row->is_counted)
        c->result->kept++;
    return check_leaf(c, row) && (boot_note(c->db, row) || database_failed(c));
}

/* The row against its batch in the archive, and what was made of that. */
static bool check_row_batch(struct check *c, const struct ledger_row *row)
{
    struct error_text why;
    if (retention_has_deleted(&c->retention, row->place.segment)) {
        c->result->gone++;
        return true;
    }
    if (!is_read_back(c, row))
        return true;
    if (!read_back_batch(&c->rb, row, &why))
        return row_fault_of(c, archive_class(c, row), row, why.text);
    if (!check_detail(c, row) || !check_losses(c, row) ||
        (row->is_counted && !add_usage(c, row)))
        return false;
    c->result->read_back++;
    c->result->bytes += row->place.length;
    if (row->is_counted)
        c->result->records += batch_reader_count(c->rb.reader);
    return true;
}

static bool check_rows(struct check *c,
                       bool check_one(struct check *c,
                                      const struct ledger_row *row))
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
            good = error_set(
                c->error, "delete: ledger row %" PRIu64 " is missing", index);
        else if (!is_readable)
            good = error_set(c->error,
                             "edit: ledger row %" PRIu64 " holds values that "
                             "no row can have",
                             index);
        else
            good = check_one(c, &row);
    }
    db_reset(s);
    return good && (step == DB_DONE || database_failed(c));
}

/* Questions whose answer must be no row; a row is the sentence that says what
 * is wrong. These before the rows and the checkpoints are looked at one by
 * one: */
static const char *const NONE_BEFORE[] = {
    "SELECT 'delete: ledger row ' || n || ' is missing' FROM (SELECT idx, "
    "row_number() OVER (ORDER BY idx) AS n FROM live.ledger) "
    "WHERE idx <> n LIMIT 1",
    "SELECT 'delete: chain of ' || l.probe_id || ': the batch before ' || "
    "l.sequence || ' is not there, and no event says that it never came' "
    "FROM live.ledger AS l WHERE l.sequence > 1 AND NOT EXISTS "
    "(SELECT 1 FROM live.ledger AS p WHERE p.probe_id = l.probe_id "
    "AND p.boot_id = l.boot_id AND p.sequence = l.sequence - 1) "
    "AND NOT EXISTS (SELECT 1 FROM live.event AS e WHERE e.kind = 'gap' "
    "AND e.probe_id = l.probe_id AND e.sequence >= l.sequence) "
    "ORDER BY l.idx LIMIT 1",
};
/* These once the rows are known to be what was signed, */
static const char *const NONE_BETWEEN[] = {
    /* One writer appends to a segment, in the order of the ledger. */
    "SELECT 'reorder: ledger row ' || idx || ' stands before row ' || "
    "(idx - 1) || ' in the archive' FROM (SELECT idx, archive_offset < "
    "lag(archive_offset) OVER (PARTITION BY archive_segment ORDER BY idx) "
    "AS is_before FROM live.ledger) WHERE is_before ORDER BY idx LIMIT 1",
    "SELECT 'insert: ledger rows ' || min(idx) || ' and ' || max(idx) || "
    "' name the same archived batch' FROM live.ledger "
    "GROUP BY archive_segment, archive_offset HAVING count(*) > 1 LIMIT 1",
};
/* these once the batches are, */
static const char *const NONE_AFTER[] = {
    "SELECT 'cut: Merkle leaf ' || idx || ' has no ledger row' "
    "FROM live.merkle_leaf WHERE idx > (SELECT count(*) FROM live.ledger) "
    "ORDER BY idx LIMIT 1",
    "SELECT 'cut: a flow block names ledger row ' || ledger_idx || "
    "', which does not exist' FROM live.flow_block AS f WHERE NOT EXISTS "
    "(SELECT 1 FROM live.ledger AS l WHERE l.idx = f.ledger_idx) "
    "ORDER BY ledger_idx LIMIT 1",
    "SELECT 'cut: a loss names ledger row ' || ledger_idx || ', which does not "
    "exist' FROM live.loss WHERE ledger_idx > (SELECT count(*) FROM "
    "live.ledger) OR ledger_idx < 1 ORDER BY ledger_idx LIMIT 1",
    "SELECT 'edit: chain of ' || l.probe_id || ': batch ' || l.sequence || "
    "' does not follow the one before it, and no event says so' "
    "FROM live.ledger AS l "
    "JOIN live.ledger AS p ON p.probe_id = l.probe_id "
    "AND p.boot_id = l.boot_id AND p.sequence = l.sequence - 1 "
    "WHERE p.batch_hash <> l.previous_hash AND NOT EXISTS "
    "(SELECT 1 FROM live.event AS e WHERE e.kind = 'fork' "
    "AND e.probe_id = l.probe_id AND e.sequence IN (l.sequence, p.sequence)) "
    "ORDER BY l.idx LIMIT 1",
};

/* and these of what else is made of the ledger. */
static const char *const NONE_AT_END[] = {
    "SELECT 'edit: boot_life of ' || probe_id || ' is not what the ledger "
    "gives' FROM (SELECT * FROM (SELECT * FROM live.boot_life EXCEPT SELECT * "
    "FROM main.boot_life) UNION ALL SELECT * FROM (SELECT * FROM "
    "main.boot_life EXCEPT SELECT * FROM live.boot_life)) LIMIT 1",
};

static bool check_none_of(struct check *c, const char *const *questions,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct db_statement *s = db_prepare(c->db, questions[i]);
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

/* --- a row too many --- */

/* Leaves of the first rows as they are, and as they would be one place
 * earlier. */
struct shifted {
    struct digest *at, *before;
    uint64_t count;
};

static bool read_shifted(struct check *c, struct shifted *rows, uint64_t most)
{
    struct db_statement *s = ledger_prepare_all(c->db, "live");
    rows->at = calloc(most, sizeof(*rows->at));
    rows->before = calloc(most, sizeof(*rows->before));
    bool good = s != NULL && rows->at != NULL && rows->before != NULL;
    while (good && rows->count < most && db_step(s) == DB_ROW) {
        struct ledger_row row;
        good = ledger_read_row(s, &row);
        rows->at[rows->count] = ledger_leaf(&row);
        row.index--;
        rows->before[rows->count++] = ledger_leaf(&row);
    }
    if (s != NULL)
        db_reset(s);
    return good && rows->count == most;
}

/* The number of the row without which the root is right; 0: none. */
static uint64_t row_too_many(const struct shifted *rows, struct digest root)
{
    struct merkle_tree front = {0};
    for (uint64_t i = 0; i < rows->count; i++) {
        struct merkle_tree tree = front;
        for (uint64_t k = i + 1; k < rows->count; k++)
            merkle_add(&tree, rows->before[k]);
        if (digest_equal(merkle_root(&tree), root))
            return i + 1;
        merkle_add(&front, rows->at[i]);
    }
    return 0;
}

/* Somebody who put a row in and computed all hashes again is named by trying
 * the log without each row in turn; for short logs only, as it takes the
 * square of their length. */
static bool name_inserted_row(struct check *c, uint64_t number, uint64_t size,
                              struct digest root)
{
    struct shifted rows = {0};
    uint64_t row = 0;
    if (size < INSERT_SEARCH_MAX && read_shifted(c, &rows, size + 1))
        row = row_too_many(&rows, root);
    free(rows.at);
    free(rows.before);
    if (row != 0)
        error_set(c->error,
                  "insert: ledger row %" PRIu64 ": without it the log is the "
                  "one that checkpoint %" PRIu64 " signed",
                  row, number);
    return row != 0;
}

/* A tree that is not what a checkpoint signed says only that something was
 * changed; often more can be said. */
static void name_rewrite(struct check *c)
{
    uint64_t number, size;
    struct digest root;
    if (log_check_mismatch(c->log, &number, &size, &root) &&
        !name_inserted_row(c, number, size, root))
        check_none_of(c, NONE_BETWEEN, COUNT(NONE_BETWEEN));
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
                  "edit: usage of %s at %s in the 5 minutes from %s is not the "
                  "sum of the archived batches",
                  enterprise, db_text(s, 1), when);
        db_reset(s);
        return false;
    }
    return true;
}

/* Every cell whose hosts may still grow (usage_forget_hosts) knows as many as it counts. */
static bool check_hosts(struct check *c)
{
    struct db_statement *s = db_prepare(
        c->db,
        "SELECT u.enterprise_id, u.bucket, u.hosts, h.hosts FROM live.usage "
        "AS u LEFT JOIN live.usage_scope AS s ON s.enterprise_id = "
        "u.enterprise_id AND s.site_id = u.site_id AND s.source = u.source "
        "AND s.is_sample = u.is_sample LEFT JOIN live.usage_host AS h ON "
        "h.scope = s.key AND h.endpoint = u.endpoint AND h.bucket = u.bucket "
        "WHERE u.hosts > 0 AND (h.hosts IS NOT NULL OR u.bucket >= (SELECT "
        "iif(u.is_sample, min(at_us / 1000000 - :open, detail_before_ms / "
        "1000), at_us / 1000000 - :open) FROM live.retention))");
    if (s == NULL)
        return database_failed(c);
    db_bind_i64(s, ":open", USAGE_OPEN_S);
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
               error_set(
                   c->error,
                   "edit: usage_host of %s in the 5 minutes from %s does not "
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

/* Retention's marks are under nobody's signature: what they say is gone must
 * have been old enough, by the rows of the ledger and by the shortest times that
 * retention takes. */
static bool check_retention(struct check *c)
{
    static const char *const QUESTIONS[] = {
        "SELECT 'delete: the mark of retention is missing' WHERE "
        "(SELECT count(*) FROM live.retention) <> 1",
        "SELECT 'delete: archive segment ' || archive_segment || ' is marked "
        "as deleted by retention, and the batch of ledger row ' || idx || "
        "' in it was not old enough' FROM live.ledger WHERE archive_segment IN "
        "(SELECT segment FROM live.archive_gone) AND "
        "max(period_end_ms, received_us / 1000) >= "
        "(SELECT archive_before_ms FROM live.retention) ORDER BY idx LIMIT 1",
    };
    const int64_t day_ms = INT64_C(86400000);
    int64_t now_ms = wall_to_ms(c->options->now);
    if (!check_none_of(c, QUESTIONS, COUNT(QUESTIONS)))
        return false;
    struct db_statement *s = db_prepare(
        c->db, "SELECT 1 FROM live.retention WHERE archive_before_ms > "
               ":archive OR detail_before_ms > :detail OR at_us / 1000 > "
               ":tomorrow");
    if (s == NULL)
        return database_failed(c);
    db_bind_i64(s, ":archive", now_ms - ARCHIVE_DAYS_MIN * day_ms);
    db_bind_i64(s, ":detail", now_ms - DETAIL_DAYS_MIN * day_ms);
    db_bind_i64(s, ":tomorrow", now_ms + day_ms);
    enum db_step step = now_ms == 0 ? DB_DONE : db_step(s);
    db_reset(s);
    if (step == DB_ROW)
        return error_set(c->error, "edit: retention is marked as done for days "
                                   "that it never takes yet");
    return step == DB_DONE || database_failed(c);
}

static bool check_log_and_rows(struct check *c)
{
    uint64_t size;
    if (!check_none_of(c, NONE_BEFORE, COUNT(NONE_BEFORE)) ||
        !read_number(c, "SELECT count(*) FROM live.ledger", &size) ||
        !log_check_start(c->log, c->db, size, c->error))
        return false;
    if (!check_rows(c, check_row_leaf)) {
        name_rewrite(c);
        return false;
    }
    return log_check_end(c->log, c->error) &&
           check_none_of(c, NONE_BETWEEN, COUNT(NONE_BETWEEN)) &&
           check_retention(c) && check_rows(c, check_row_batch) &&
           check_none_of(c, NONE_AFTER, COUNT(NONE_AFTER));
}

static bool check_everything(struct check *c)
{
    struct check_result *r = c->result;
    bool is_whole = !c->options->is_quick && !c->options->has_since;
    if (!check_log_and_rows(c) ||
        (is_whole && (!check_usage(c) || !check_hosts(c))) ||
        !check_none_of(c, NONE_AT_END, COUNT(NONE_AT_END)) ||
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

bool ledger_check_run(const struct ledger_paths *paths,
                      const struct check_options *options,
                      struct check_result *result, struct error_text *error)
{
    struct check c = {.options = options, .result = result, .error = error};
    static const struct log_check_options nothing = {0};
    bool good = false;
    *result = (struct check_result){0};
    c.log = log_check_new(options->log != NULL ? options->log : &nothing,
                          &result->log, error);
    if (c.log == NULL)
        return false;
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
    log_check_free(c.log);
    read_back_clear(&c.rb);
    retention_clear(&c.retention);
    usage_table_free(c.usage);
    flow_block_free(c.block);
    db_close(c.db);
    archive_close(c.archive);
    db_close(live);
    return good;
}

bool ledger_check_all(const struct ledger_paths *paths,
                      struct check_result *result, struct error_text *error)
{
    static const struct check_options whole = {0};
    return ledger_check_run(paths, &whole, result, error);
}
