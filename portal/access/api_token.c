/* See api_token.h. */
#include "portal/access/api_token.h"

#include <string.h>

#include "common/crypto/digest.h"
#include "portal/store/audit.h"

enum { TOKEN_BYTES = 32, HANDLE_BYTES = 6 };

static bool end(struct db *db, struct wall_time now, const char *action,
                const char *handle, bool good, struct error_text *error)
{
    const struct audit_entry entry = {"SYS", action, handle, "OK"};
    if (good && audit_add(db, now, &entry) && db_commit(db))
        return true;
    error_set(error, "%s", db_error(db));
    db_rollback(db);
    return false;
}

static bool insert(struct db *db, struct wall_time now, const char *supplier_id,
                   struct digest hash, const char *handle)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO api_token (handle, hash, supplier_id, created_at)"
            " VALUES (:handle, :hash, :supplier, :now)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":handle", handle);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":supplier", supplier_id);
    db_bind_i64(s, ":now", now.us);
    return db_do(s);
}

static bool is_supplier(struct db *db, const char *id)
{
    struct db_statement *s =
        db_prepare(db, "SELECT 1 FROM supplier WHERE id = :id");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", id);
    bool found = db_step(s) == DB_ROW;
    db_reset(s);
    return found;
}

bool api_token_add(struct db *db, struct wall_time now, const char *supplier_id,
                   char token[static API_TOKEN_LEN],
                   char handle[static API_HANDLE_LEN], struct error_text *error)
{
    uint8_t bytes[TOKEN_BYTES];
    if (!is_supplier(db, supplier_id))
        return error_set(error, "%s: no such supplier", supplier_id);
    random_bytes(bytes, sizeof(bytes));
    hex_of(bytes, sizeof(bytes), token);
    struct digest hash = digest_of(token, strlen(token));
    hex_of(hash.bytes, HANDLE_BYTES, handle);
    if (!db_begin(db))
        return error_set(error, "%s", db_error(db));
    return end(db, now, "token.add", handle,
               insert(db, now, supplier_id, hash, handle), error);
}

bool api_token_revoke(struct db *db, struct wall_time now, const char *handle,
                      struct error_text *error)
{
    if (!db_begin(db))
        return error_set(error, "%s", db_error(db));
    struct db_statement *s =
        db_prepare(db, "UPDATE api_token SET revoked_at = :now"
                       " WHERE handle = :handle AND revoked_at IS NULL");
    bool good = s != NULL;
    if (good) {
        db_bind_i64(s, ":now", now.us);
        db_bind_text(s, ":handle", handle);
        good = db_do(s);
    }
    if (good && db_changes(db) == 0) {
        db_rollback(db);
        return error_set(error, "%s: no such token that still works", handle);
    }
    return end(db, now, "token.revoke", handle, good, error);
}

bool api_token_find(struct db *db, struct slice authorization,
                    struct api_caller *caller)
{
    struct slice scheme, rest = authorization;
    uint8_t bytes[TOKEN_BYTES];
    if (!slice_next(&rest, ' ', &scheme) || rest.data == NULL ||
        !slice_equal_nocase(scheme, SLICE("Bearer")) ||
        !parse_hex(slice_trim(rest), bytes, sizeof(bytes)))
        return false;
    rest = slice_trim(rest);
    struct digest hash = digest_of(rest.data, rest.length);
    struct db_statement *s =
        db_prepare(db, "SELECT handle, supplier_id FROM api_token"
                       " WHERE hash = :hash AND revoked_at IS NULL");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    bool found = db_step(s) == DB_ROW &&
                 slice_copy(slice_of_text(db_text(s, 0)), caller->handle,
                            sizeof(caller->handle)) &&
                 slice_copy(slice_of_text(db_text(s, 1)), caller->supplier_id,
                            sizeof(caller->supplier_id));
    db_reset(s);
    return found;
}
