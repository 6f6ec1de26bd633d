#include "portal/store/others.h"

#include <unistd.h>

#include "common/log.h"

/* The schemas stay with their owners. */
static const struct db_migration USAGE[] = {
#include "collector/ledger/schema.inc"
};
static const struct db_migration VERDICT[] = {
#include "verifier/schema.inc"
};

struct other_row {
    const char *name;
    const struct db_migration *schema;
    size_t count;
    const char *probe; /* names every table that pages read */
};

static const struct other_row OTHERS[OTHER_COUNT] = {
    [OTHER_USAGE] = {"usage", USAGE, sizeof(USAGE) / sizeof(USAGE[0]),
                     "SELECT 1 FROM usage.usage, usage.endpoint_key,"
                     " usage.ledger, usage.match_day, usage.event,"
                     " usage.checkpoint, usage.cosignature, usage.merkle_leaf"
                     " LIMIT 0"},
    [OTHER_VERDICT] = {"verdict", VERDICT, sizeof(VERDICT) / sizeof(VERDICT[0]),
                       "SELECT 1 FROM verdict.run, verdict.fact,"
                       " verdict.verdict, verdict.verdict_line,"
                       " verdict.verdict_rule, verdict.verdict_finding,"
                       " verdict.verdict_measure, verdict.completion_table,"
                       " verdict.completion_row, verdict.voucher_mark,"
                       " verdict.completion_count LIMIT 0"},
};

static bool attach_empty(struct db *db, const struct other_row *row,
                         struct error_text *error)
{
    return db_attach_empty(db, row->schema, row->count, row->name, error);
}

bool others_open(struct db *db, struct error_text *error)
{
    for (size_t i = 0; i < OTHER_COUNT; i++)
        if (!attach_empty(db, &OTHERS[i], error))
            return false;
    return true;
}

static const char *path_of(const struct portal_config *config, size_t other)
{
    return other == OTHER_USAGE ? config->usage_db : config->verdict_db;
}

static bool has_tables(struct db *db, const char *probe)
{
    struct db_statement *s = db_prepare(db, probe);
    bool good = s != NULL && db_step(s) != DB_FAILED;
    if (s != NULL)
        db_reset(s);
    return good;
}

/* The file in place of the empty one, or the empty one again. */
static bool attach_file(struct db *db, const struct other_row *row,
                        const char *path, bool *is_there, bool *is_older)
{
    struct error_text reason;
    if (!db_detach(db, row->name))
        return true; /* later */
    if (db_attach(db, path, row->name, &reason)) {
        *is_there = has_tables(db, row->probe);
        *is_older = !*is_there;
        if (*is_there || !db_detach(db, row->name))
            return true;
    } else {
        log_warn("%s", reason.text);
    }
    return attach_empty(db, row, &reason);
}

bool others_look(struct db *db, const struct portal_config *config,
                 struct others *others)
{
    for (size_t i = 0; i < OTHER_COUNT; i++) {
        const char *path = path_of(config, i);
        if (others->is_there[i] || access(path, R_OK) != 0)
            continue;
        if (!attach_file(db, &OTHERS[i], path, &others->is_there[i],
                         &others->is_older[i]))
            return false;
    }
    return true;
}
