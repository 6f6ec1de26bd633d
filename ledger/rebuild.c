#include "ledger/rebuild.h"

#include <inttypes.h>

#include "ledger/store.h"
#include "ledger/detail.h"
#include "ledger/read_back.h"
#include "ledger/usage.h"

struct rebuild {
    struct db *db;
    struct archive *archive;
    struct detail *detail;
    struct usage *usage;
    struct read_back rb;
    struct rebuild_result *result;
    struct error_text *error;
};

static bool database_failed(struct rebuild *b)
{
    return error_set(b->error, "%s", db_error(b->db));
}

/* Children before parents: the foreign keys stay in force. */
static bool empty_tables(struct rebuild *b)
{
    static const char *const STATEMENTS[] = {
        "DELETE FROM flow",
        "DELETE FROM usage",
        "DELETE FROM usage_host",
        "DELETE FROM usage_scope",
    };
    for (size_t i = 0; i < sizeof(STATEMENTS) / sizeof(STATEMENTS[0]); i++)
        if (!db_run(b->db, STATEMENTS[i]))
            return database_failed(b);
    return true;
}

static bool rebuild_row(struct rebuild *b, const struct ledger_row *row)
{
    const struct usage_scope scope = usage_scope_of(row);
    struct error_text why;
    if (!read_back_batch(&b->rb, row, &why))
        return error_set(b->error, "ledger row %" PRIu64 ": %s", row->index,
                         why.text);
    for (size_t i = 0; i < batch_reader_count(b->rb.reader); i++) {
        const struct flow_record *r = batch_reader_record(b->rb.reader, i);
        int64_t endpoint;
        if (!detail_add(b->detail, row->index, r, &endpoint))
            return database_failed(b);
        if (!usage_add(b->usage, endpoint, r))
            return error_set(b->error,
                             "ledger row %" PRIu64 ": its records cannot be "
                             "added up",
                             row->index);
        b->result->records++;
    }
    b->result->batches++;
    return usage_store(b->usage, &scope) || database_failed(b);
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
        else if (row.is_counted)
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
    b.detail = detail_new(b.db);
    b.usage = usage_new(b.db);
    if (!read_back_init(&b.rb, b.archive) || b.detail == NULL ||
        b.usage == NULL) {
        error_set(error, "out of memory");
        goto out;
    }
    if (!db_begin(b.db)) {
        database_failed(&b);
        goto out;
    }
    good = empty_tables(&b) && rebuild_rows(&b);
    if (!good)
        db_rollback(b.db);
    else if (!db_commit(b.db))
        good = database_failed(&b);
out:
    read_back_clear(&b.rb);
    usage_free(b.usage);
    detail_free(b.detail);
    db_close(b.db);
    archive_close(b.archive);
    return good;
}
