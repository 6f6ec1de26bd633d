/* See api_token.h. */
#include "portal/access/api_token.h"

#include <string.h>

#include "common/crypto/digest.h"
#include "portal/store/act.h"

enum { TOKEN_BYTES = 32, HANDLE_BYTES = 6 };

/* What happens to one token. */
struct token_act {
    const char *handle, *supplier_id;
    struct digest hash;
};

static enum act_end failed(struct db *db, struct error_text *error)
{
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

static enum act_end insert(struct db *db, struct wall_time now, void *context,
                           struct error_text *error)
{
    const struct token_act *act = context;
    struct db_statement *s = db_prepare(
        db, "INSERT INTO api_token (handle, hash, supplier_id, created_at)"
            " VALUES (:handle, :hash, :supplier, :now)");
    if (s == NULL)
        return failed(db, error);
    db_bind_text(s, ":handle", act->handle);
    db_bind_blob(s, ":hash", act->hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":supplier", act->supplier_id);
    db_bind_i64(s, ":now", now.us);
    return db_do(s) ? ACT_KEPT : failed(db, error);
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
    struct token_act act = {handle, supplier_id,
                            digest_of(token, strlen(token))};
    const struct audit_entry entry = {"SYS", "token.add", handle, "OK"};
    hex_of(act.hash.bytes, HANDLE_BYTES, handle);
    return act_on(db, now, &entry, insert, &act, error) == ACT_KEPT;
}

static enum act_end revoke(struct db *db, struct wall_time now, void *context,
                           struct error_text *error)
{
    const struct token_act *act = context;
    struct db_statement *s =
        db_prepare(db, "UPDATE api_token SET revoked_at = :now"
                       " WHERE handle = :handle AND revoked_at IS NULL");
    if (s == NULL)
        return failed(db, error);
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":handle", act->handle);
    if (!db_do(s))
        return failed(db, error);
    if (db_changes(db) > 0)
        return ACT_KEPT;
    error_set(error, "%s: no such token that still works", act->handle);
    return ACT_REFUSED;
}

bool api_token_revoke(struct db *db, struct wall_time now, const char *handle,
                      struct error_text *error)
{
    struct token_act act = {.handle = handle};
    const struct audit_entry entry = {"SYS", "token.revoke", handle, "OK"};
    return act_on(db, now, &entry, revoke, &act, error) == ACT_KEPT;
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
