/* A portal.db from before there were versions has none. */
#include "collector/ledger/published_version.h"

#include <string.h>

#include "common/db.h"

static bool fail(struct probe_directory *r)
{
    return probe_directory_note_failure(r);
}

/* *has_table is whether versions can be asked for. */
static struct db *open_versions(struct probe_directory *r, bool *has_table)
{
    struct db *db = probe_directory_db(r);
    *has_table = false;
    if (db == NULL)
        return NULL;
    struct db_statement *s = db_prepare(
        db, "SELECT 1 FROM sqlite_schema WHERE name = 'registry_version'");
    if (s == NULL)
        return NULL;
    enum db_step step = db_step(s);
    *has_table = step == DB_ROW;
    db_reset(s);
    return step == DB_FAILED ? NULL : db;
}

bool published_version_newest(struct probe_directory *r,
                              struct registry_head *head)
{
    bool has_table;
    *head = (struct registry_head){0};
    struct db *db = open_versions(r, &has_table);
    if (db == NULL || !has_table)
        return db != NULL || fail(r);
    struct db_statement *s =
        db_prepare(db, "SELECT serial, hash, issued_ms, algorithm, signature "
                       "FROM registry_version ORDER BY serial DESC LIMIT 1");
    enum db_step step = s == NULL ? DB_FAILED : db_step(s);
    if (step == DB_ROW) {
        struct slice signature = db_blob(s, 4);
        digest_read(db_blob(s, 1), &head->hash);
        head->serial = db_u64(s, 0);
        head->issued_ms = db_i64(s, 2);
        head->algorithm = db_u64(s, 3);
        if (signature.length == SIGN_LEN)
            memcpy(head->signature, signature.data, SIGN_LEN);
    }
    if (s != NULL)
        db_reset(s);
    return step != DB_FAILED || fail(r);
}

bool published_version_list(struct probe_directory *r, struct digest hash,
                            struct buffer *list, bool *is_found)
{
    bool has_table;
    *is_found = false;
    struct db *db = open_versions(r, &has_table);
    if (db == NULL || !has_table)
        return db != NULL || fail(r);
    struct db_statement *s = db_prepare(
        db, "SELECT list FROM registry_version WHERE hash = :hash LIMIT 1");
    if (s == NULL)
        return fail(r);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        buffer_add_slice(list, db_blob(s, 0));
        *is_found = !list->failed;
    }
    db_reset(s);
    return step != DB_FAILED || fail(r);
}

bool published_version_age(struct probe_directory *r, struct digest hash,
                           enum registry_age *age, int64_t *replaced_ms)
{
    bool has_table;
    *age = REGISTRY_NEVER_PUBLISHED;
    *replaced_ms = 0;
    struct db *db = open_versions(r, &has_table);
    if (db == NULL || !has_table)
        return db != NULL || fail(r);
    struct db_statement *s =
        db_prepare(db, "SELECT max(v.serial), (SELECT min(n.issued_ms) FROM "
                       "registry_version AS n WHERE n.serial > v.serial), "
                       "EXISTS (SELECT 1 FROM registry_version) "
                       "FROM registry_version AS v WHERE v.hash = :hash");
    if (s == NULL)
        return fail(r);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    bool good = db_step(s) == DB_ROW;
    if (good && db_i64(s, 2) != 0) {
        *age = db_is_null(s, 0)   ? REGISTRY_NO_VERSION
               : db_is_null(s, 1) ? REGISTRY_CURRENT
                                  : REGISTRY_REPLACED;
        *replaced_ms = db_i64(s, 1);
    }
    db_reset(s);
    return good || fail(r);
}
