/* See session.h. */
#include "portal/access/session.h"

#include <stdio.h>
#include <string.h>

enum { TOKEN_BYTES = 32, CSRF_BYTES = 16 };

static struct digest hash_of_token(const char *token)
{
    return digest_of(token, strlen(token));
}

static int64_t idle_us(unsigned idle_minutes)
{
    return (int64_t)idle_minutes * 60000000;
}

static int64_t life_us(void)
{
    return SESSION_HOURS_MAX * INT64_C(3600000000);
}

static bool forget_old(struct db *db, struct wall_time now,
                       unsigned idle_minutes, const char *old_token)
{
    struct digest old = hash_of_token(old_token);
    struct db_statement *s =
        db_prepare(db, "DELETE FROM session WHERE token_hash = :old"
                       " OR used_at <= :idle OR created_at <= :life");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":old", old.bytes, DIGEST_LEN);
    db_bind_i64(s, ":idle", now.us - idle_us(idle_minutes));
    db_bind_i64(s, ":life", now.us - life_us());
    return db_do(s);
}

static const char *const STAGES[] = {
    [SESSION_PASSWORD] = "PASSWORD",
    [SESSION_FULL] = "FULL",
};

/* Of what a browser says of itself, the clean start. */
static struct slice clean_agent(const char *agent)
{
    struct slice text = slice_of_text(agent);
    size_t length = 0;
    while (length < text.length && length < SESSION_AGENT_MAX &&
           text.data[length] >= ' ' && text.data[length] <= '~')
        length++;
    return slice_of_bytes(text.data, length);
}

static bool insert(struct db *db, struct wall_time now,
                   const struct session_start *start, const char *csrf,
                   struct digest hash)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO session (token_hash, account_name, stage, csrf,"
            " address, agent, created_at, used_at) VALUES (:hash, :name,"
            " :stage, :csrf, :address, :agent, :now, :now)");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":name", start->account_name);
    db_bind_text(s, ":stage", STAGES[start->stage]);
    db_bind_text(s, ":csrf", csrf);
    db_bind_text(s, ":address", start->address);
    db_bind_slice(s, ":agent", clean_agent(start->agent));
    db_bind_i64(s, ":now", now.us);
    return db_do(s);
}

bool session_begin(struct db *db, struct wall_time now,
                   const struct session_start *start,
                   char token[static SESSION_TOKEN_LEN])
{
    uint8_t secret[TOKEN_BYTES], random[CSRF_BYTES];
    char csrf[SESSION_CSRF_LEN];
    random_bytes(secret, sizeof(secret));
    random_bytes(random, sizeof(random));
    hex_of(secret, sizeof(secret), token);
    hex_of(random, sizeof(random), csrf);
    return forget_old(db, now, start->idle_minutes, start->old_token) &&
           insert(db, now, start, csrf, hash_of_token(token));
}

bool session_find(struct db *db, struct wall_time now, unsigned idle_minutes,
                  const char *token, struct session *session)
{
    if (strlen(token) != SESSION_TOKEN_LEN - 1)
        return false;
    *session = (struct session){.token_hash = hash_of_token(token)};
    struct db_statement *s =
        db_prepare(db, "SELECT account_name, csrf, used_at, stage FROM session"
                       " WHERE token_hash = :hash AND used_at > :idle"
                       " AND created_at > :life");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", session->token_hash.bytes, DIGEST_LEN);
    db_bind_i64(s, ":idle", now.us - idle_us(idle_minutes));
    db_bind_i64(s, ":life", now.us - life_us());
    bool found = db_step(s) == DB_ROW;
    if (found) {
        snprintf(session->account_name, sizeof(session->account_name), "%s",
                 db_text(s, 0));
        snprintf(session->csrf, sizeof(session->csrf), "%s", db_text(s, 1));
        session->used_at.us = db_i64(s, 2);
        session->stage = strcmp(db_text(s, 3), STAGES[SESSION_FULL]) == 0
                             ? SESSION_FULL
                             : SESSION_PASSWORD;
    }
    db_reset(s);
    return found;
}

bool session_wants_touch(const struct session *session, struct wall_time now,
                         unsigned idle_minutes)
{
    return now.us - session->used_at.us > idle_us(idle_minutes) / 16;
}

bool session_touch(struct db *db, struct wall_time now,
                   const struct session *session)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE session SET used_at = :now WHERE token_hash = :hash");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", now.us);
    db_bind_blob(s, ":hash", session->token_hash.bytes, DIGEST_LEN);
    return db_do(s);
}

bool session_end(struct db *db, const char *token)
{
    struct digest hash = hash_of_token(token);
    struct db_statement *s =
        db_prepare(db, "DELETE FROM session WHERE token_hash = :hash");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    return db_do(s);
}

bool session_end_others(struct db *db, const char *account_name,
                        const struct digest *but)
{
    struct db_statement *s =
        db_prepare(db, "DELETE FROM session WHERE account_name = :name"
                       " AND token_hash IS NOT :but");
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", account_name);
    if (but != NULL)
        db_bind_blob(s, ":but", but->bytes, DIGEST_LEN);
    else
        db_bind_null(s, ":but");
    return db_do(s);
}

bool session_end_one(struct db *db, const char *account_name,
                     const char *handle)
{
    struct db_statement *s =
        db_prepare(db, "DELETE FROM session WHERE account_name = :name"
                       " AND substr(lower(hex(token_hash)), 1, 16) = :handle");
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", account_name);
    db_bind_text(s, ":handle", handle);
    return db_do(s);
}

void session_csrf_mask(const char *token,
                       char masked[static SESSION_MASKED_LEN])
{
    uint8_t bytes[2 * CSRF_BYTES], secret[CSRF_BYTES] = {0};
    parse_hex(slice_of_text(token), secret, sizeof(secret));
    random_bytes(bytes, CSRF_BYTES);
    for (size_t i = 0; i < CSRF_BYTES; i++)
        bytes[CSRF_BYTES + i] = bytes[i] ^ secret[i];
    hex_of(bytes, sizeof(bytes), masked);
}

bool session_csrf_matches(const char *wanted, const char *given)
{
    uint8_t bytes[2 * CSRF_BYTES], secret[CSRF_BYTES], difference = 0;
    if (!parse_hex(slice_of_text(wanted), secret, sizeof(secret)) ||
        !parse_hex(slice_of_text(given), bytes, sizeof(bytes)))
        return false;
    for (size_t i = 0; i < CSRF_BYTES; i++)
        difference |= (uint8_t)(bytes[i] ^ bytes[CSRF_BYTES + i] ^ secret[i]);
    return difference == 0;
}

void session_form_token(const struct secret *key, const char *cookie,
                        char token[static SESSION_CSRF_LEN])
{
    struct digest digest =
        hmac_sha256(key->bytes, sizeof(key->bytes), cookie, strlen(cookie));
    hex_of(digest.bytes, CSRF_BYTES, token);
}
