#include "collector/ledger/rebuild.h"

#include <inttypes.h>

#include "collector/ledger/boot.h"
#include "collector/ledger/detail.h"
#include "collector/ledger/prepare.h"
#include "collector/ledger/read_back.h"
#include "collector/ledger/retention.h"
#include "collector/ledger/store.h"
#include "collector/ledger/usage.h"

struct rebuild {
    struct db *db;
    struct archive *archive;
    struct preparer *preparer;
    struct usage_table *usage;
    struct retention retention;
    struct read_back rb;
    struct rebuild_result *result;
    struct error_text *error;
};

static bool database_failed(struct rebuild *b)
{
    return error_set(b->error, "%s", db_error(b->db));
}

/* What can be added up again: all of it, or what began after the last batch
 * whose bytes retention deleted. Children before parents: the foreign keys stay
 * in force. */
static bool empty_tables(struct rebuild *b)
{
    static const char *const STATEMENTS[] = {
        "DELETE FROM flow_block WHERE ledger_idx IN (SELECT idx FROM ledger "
        "WHERE archive_segment NOT IN (SELECT segment FROM archive_gone))",
        "DELETE FROM usage_host",
        "DELETE FROM host_key",
        "DELETE FROM boot_life",
    };
    for (size_t i = 0; i < sizeof(STATEMENTS) / sizeof(STATEMENTS[0]); i++)
        if (!db_run(b->db, STATEMENTS[i]))
            return database_failed(b);
    struct db_statement *s =
        db_prepare(b->db, "DELETE FROM usage WHERE bucket >= :from");
    if (s == NULL)
        return database_failed(b);
    db_bind_i64(s, ":from", b->retention.usage_from_s);
    return db_do(s) || database_failed(b);
}

static bool rebuild_row(struct rebuild *b, const struct ledger_row *row)
{
    struct usage_scope scope = usage_scope_of(row);
    struct prepared prepared;
    struct error_text why;
    if (!read_back_batch(&b->rb, row, &why))
        return error_set(b->error, "ledger row %" PRIu64 ": %s", row->index,
                         why.text);
    prepared_init(&prepared);
    scope.from_bucket = b->retention.usage_from_s;
    bool good = prepare_content(b->preparer, &prepared, b->rb.reader);
    if (!good || prepared.has_too_many_cells) {
        prepared_clear(&prepared);
        return error_set(b->error,
                         "ledger row %" PRIu64 ": its records cannot be added "
                         "up",
                         row->index);
    }
    size_t count = batch_reader_count(b->rb.reader);
    if (retention_keeps_detail(&b->retention, row))
        good = detail_store(b->db, row->index, count,
                            buffer_slice(&prepared.block));
    good = good && usage_store(b->usage, prepared.sums, &scope);
    prepared_clear(&prepared);
    b->result->records += count;
    b->result->batches++;
    return good || database_failed(b);
}

static bool rebuild_rows(struct rebuild *b)
{
    struct db_statement *s = ledger_prepare_all(b->db, "main");
    if (s == NULL)
        return database_failed(b);
    enum db_step step;
    bool good = true;
    while (good && (step = db_step(s)) == DB_ROW) {
        struct ledger_row row;
        if (!ledger_read_row(s, &row))
            good = error_set(b->error,
                             "ledger row %" PRIu64 " holds values that no row "
                             "can have",
                             row.index);
        else if (!boot_note(b->db, &row))
            good = database_failed(b);
        else if (!row.is_counted)
            continue;
        else if (retention_has_deleted(&b->retention, row.place.segment))
            b->result->gone++;
        else
            good = rebuild_row(b, &row);
    }
    db_reset(s);
    return good && (step == DB_DONE || database_failed(b));
}

bool rebuild_all(const struct ledger_paths *paths,
                 struct rebuild_result *result, struct error_text *error)
{
    struct rebuild b = {.result = result, .error = error};
    bool good = false;
    *result = (struct rebuild_result){0};
    if ((b.archive = archive_open_read(paths->archive, error)) == NULL ||
        (b.db = db_open(paths->usage_db, DB_WRITE, ledger_migrations,
                        ledger_migration_count, error)) == NULL)
        goto out;
    b.preparer = preparer_new();
    b.usage = usage_table_new(b.db);
    if (!read_back_init(&b.rb, b.archive) || b.preparer == NULL ||
        b.usage == NULL) {
        error_set(error, "out of memory");
        goto out;
    }
    if (!db_begin(b.db)) {
        database_failed(&b);
        goto out;
    }
    good =
        (retention_read(b.db, "main", &b.retention) || database_failed(&b)) &&
        empty_tables(&b) && rebuild_rows(&b);
    if (!good)
        db_rollback(b.db);
    else if (!db_commit(b.db))
        good = database_failed(&b);
out:
    read_back_clear(&b.rb);
    retention_clear(&b.retention);
    usage_table_free(b.usage);
    preparer_free(b.preparer);
    db_close(b.db);
    archive_close(b.archive);
    return good;
}
