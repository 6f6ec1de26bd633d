#include "portal/access/account_link.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/digest.h"

enum { TOKEN_BYTES = 32 };

static const char *const KINDS[] = {
    [LINK_ACTIVATE] = "activate",
    [LINK_RESET] = "reset",
};

bool account_link_end(struct db *db, const char *account)
{
    struct db_statement *s =
        db_prepare(db, "DELETE FROM account_link WHERE account_name = :account"
                       " AND used_at IS NULL");
    if (s == NULL)
        return false;
    db_bind_text(s, ":account", account);
    return db_do(s);
}

bool account_link_make(struct db *db, struct wall_time now, const char *account,
                       enum link_kind kind, char token[static LINK_TOKEN_LEN])
{
    uint8_t bytes[TOKEN_BYTES];
    random_bytes(bytes, sizeof(bytes));
    hex_of(bytes, sizeof(bytes), token);
    struct digest hash = digest_of(token, strlen(token));
    struct db_statement *s = db_prepare(
        db, "INSERT INTO account_link (token_hash, account_name, kind, made_at,"
            " expires_at) VALUES (:hash, :account, :kind, :now, :end)");
    if (s == NULL || !account_link_end(db, account))
        return false;
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":account", account);
    db_bind_text(s, ":kind", KINDS[kind]);
    db_bind_i64(s, ":now", now.us);
    db_bind_i64(s, ":end", now.us + LINK_HOURS * INT64_C(3600000000));
    return db_do(s);
}

bool account_link_find(struct db *db, struct wall_time now, const char *token,
                       char account[static 65])
{
    struct digest hash = digest_of(token, strlen(token));
    struct db_statement *s = db_prepare(
        db, "SELECT l.account_name FROM account_link l JOIN account a"
            " ON a.name = l.account_name WHERE l.token_hash = :hash"
            " AND l.used_at IS NULL AND l.expires_at > :now"
            " AND a.state <> 'DISABLED'");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_i64(s, ":now", now.us);
    bool found = db_step(s) == DB_ROW;
    if (found)
        snprintf(account, 65, "%s", db_text(s, 0));
    db_reset(s);
    return found;
}

bool account_link_take(struct db *db, struct wall_time now, const char *token,
                       char account[static 65])
{
    struct digest hash = digest_of(token, strlen(token));
    struct db_statement *s = db_prepare(
        db, "UPDATE account_link SET used_at = :now WHERE token_hash = :hash");
    if (s == NULL || !account_link_find(db, now, token, account))
        return false;
    db_bind_i64(s, ":now", now.us);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    return db_do(s);
}
