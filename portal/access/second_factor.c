/* See second_factor.h. */
#include "portal/access/second_factor.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/seal.h"

enum {
    MAC_LEN = 20,
    DIGITS = 6,
    CODE_MODULUS = 1000000,
    PAPER_BYTES = 10,
    ACCOUNT_AND_CODE_MAX = 200,
};

static const char BASE32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/* Without those that look alike. */
static const char PAPER[] = "abcdefghjkmnpqrstuvwxyz23456789";

unsigned second_factor_code(const uint8_t secret[static FACTOR_SECRET_BYTES],
                            int64_t step)
{
    uint8_t counter[8], mac[MAC_LEN];
    for (int i = 0; i < 8; i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    hmac_sha1(secret, FACTOR_SECRET_BYTES, counter, sizeof(counter), mac);
    const uint8_t *at = mac + (mac[MAC_LEN - 1] & 0xf);
    uint32_t value = ((uint32_t)(at[0] & 0x7f) << 24) |
                     ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | at[3];
    return value % CODE_MODULUS;
}

/* 20 bytes are 32 characters. */
static void to_base32(const uint8_t secret[static FACTOR_SECRET_BYTES],
                      char text[static FACTOR_SECRET_LEN])
{
    uint32_t bits = 0;
    int have = 0, length = 0;
    for (int i = 0; i < FACTOR_SECRET_BYTES; i++) {
        bits = (bits << 8) | secret[i];
        for (have += 8; have >= 5; have -= 5)
            text[length++] = BASE32[(bits >> (have - 5)) & 31];
    }
    text[length] = '\0';
}

/* --- the row --- */

struct factor {
    bool is_there, is_confirmed;
    int64_t last_step;
    uint8_t secret[FACTOR_SECRET_BYTES];
};

static bool read_factor(struct db *db, const struct portal_keys *keys,
                        const char *account, struct factor *factor)
{
    struct db_statement *s =
        db_prepare(db, "SELECT secret, confirmed_at, last_step"
                       " FROM account_totp WHERE account_name = :account");
    *factor = (struct factor){0};
    if (s == NULL)
        return false;
    db_bind_text(s, ":account", account);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        factor->is_confirmed = !db_is_null(s, 1);
        factor->last_step = db_i64(s, 2);
        struct slice sealed = db_blob(s, 0);
        factor->is_there =
            sealed.length == FACTOR_SECRET_BYTES + SEAL_EXTRA &&
            seal_open(&keys->totp, account, sealed, factor->secret);
    }
    db_reset(s);
    return step != DB_FAILED;
}

static bool run(struct db *db, const char *sql, const char *account)
{
    struct db_statement *s = db_prepare(db, sql);
    if (s == NULL)
        return false;
    db_bind_text(s, ":account", account);
    return db_do(s);
}

bool second_factor_begin(struct db *db, const struct portal_keys *keys,
                         struct wall_time now, const char *account)
{
    uint8_t secret[FACTOR_SECRET_BYTES];
    uint8_t sealed[FACTOR_SECRET_BYTES + SEAL_EXTRA];
    struct factor factor;
    if (!read_factor(db, keys, account, &factor) || factor.is_confirmed)
        return false;
    random_bytes(secret, sizeof(secret));
    seal(&keys->totp, account, secret, sizeof(secret), sealed);
    struct db_statement *s = db_prepare(
        db, "INSERT OR REPLACE INTO account_totp (account_name, secret,"
            " made_at) VALUES (:account, :secret, :now)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":account", account);
    db_bind_blob(s, ":secret", sealed, sizeof(sealed));
    db_bind_i64(s, ":now", now.us);
    return db_do(s);
}

bool second_factor_shown(struct db *db, const struct portal_keys *keys,
                         const char *account,
                         char text[static FACTOR_SECRET_LEN])
{
    struct factor factor;
    if (!read_factor(db, keys, account, &factor) || !factor.is_there ||
        factor.is_confirmed)
        return false;
    to_base32(factor.secret, text);
    return true;
}

/* --- codes --- */

/* What people type: "123 456". False for what is no code of six digits. */
static bool read_code(const char *text, unsigned *code)
{
    int digits = 0;
    *code = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        if (*text < '0' || *text > '9' || ++digits > DIGITS)
            return false;
        *code = *code * 10 + (unsigned)(*text - '0');
    }
    return digits == DIGITS;
}

/* The step that the code is of, one behind the last that was used; 0: none. */
static int64_t step_of(const struct factor *factor, struct wall_time now,
                       unsigned code)
{
    int64_t step = wall_to_s(now) / FACTOR_STEP_S;
    for (int64_t s = step - 1; s <= step + 1; s++)
        if (s > factor->last_step &&
            second_factor_code(factor->secret, s) == code)
            return s;
    return 0;
}

static bool note_step(struct db *db, struct wall_time now, const char *account,
                      int64_t step)
{
    struct db_statement *s =
        db_prepare(db, "UPDATE account_totp SET last_step = :step,"
                       " confirmed_at = ifnull(confirmed_at, :now)"
                       " WHERE account_name = :account");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":step", step);
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":account", account);
    return db_do(s);
}

/* Small letters and digits alone, so that blanks and dashes do not matter. */
static struct digest hash_of_paper(const struct portal_keys *keys,
                                   const char *account, const char *code)
{
    char clean[ACCOUNT_AND_CODE_MAX];
    int length = snprintf(clean, sizeof(clean), "%.64s:", account);
    for (; *code != '\0' && length < ACCOUNT_AND_CODE_MAX - 1; code++)
        if (*code != ' ' && *code != '-')
            clean[length++] = slice_lower(*code);
    return hmac_sha256(keys->code.bytes, SECRET_LEN, clean, (size_t)length);
}

static bool make_paper(struct db *db, const struct portal_keys *keys,
                       const char *account,
                       char paper[FACTOR_CODES][FACTOR_CODE_LEN])
{
    if (!run(db,
             "DELETE FROM account_recovery_code WHERE account_name = :account",
             account))
        return false;
    for (int i = 0; i < FACTOR_CODES; i++) {
        uint8_t bytes[PAPER_BYTES];
        random_bytes(bytes, sizeof(bytes));
        for (int j = 0, at = 0; j < PAPER_BYTES; j++) {
            paper[i][at++] = PAPER[bytes[j] % (sizeof(PAPER) - 1)];
            if (j == PAPER_BYTES / 2 - 1)
                paper[i][at++] = '-';
        }
        paper[i][FACTOR_CODE_LEN - 1] = '\0';
        struct digest hash = hash_of_paper(keys, account, paper[i]);
        struct db_statement *s = db_prepare(
            db, "INSERT INTO account_recovery_code (account_name, code_hash)"
                " VALUES (:account, :hash)");
        if (s == NULL)
            return false;
        db_bind_text(s, ":account", account);
        db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
        if (!db_do(s))
            return false;
    }
    return true;
}

enum factor_result
second_factor_confirm(struct db *db, const struct portal_keys *keys,
                      struct wall_time now, const char *account,
                      const char *code,
                      char paper[FACTOR_CODES][FACTOR_CODE_LEN])
{
    struct factor factor;
    unsigned number;
    if (!read_factor(db, keys, account, &factor))
        return FACTOR_FAILED;
    if (!factor.is_there || factor.is_confirmed || !read_code(code, &number))
        return FACTOR_WRONG;
    int64_t step = step_of(&factor, now, number);
    if (step == 0)
        return FACTOR_WRONG;
    return note_step(db, now, account, step) &&
                   make_paper(db, keys, account, paper)
               ? FACTOR_RIGHT
               : FACTOR_FAILED;
}

static enum factor_result check_paper(struct db *db,
                                      const struct portal_keys *keys,
                                      struct wall_time now, const char *account,
                                      const char *code)
{
    struct digest hash = hash_of_paper(keys, account, code);
    struct db_statement *s =
        db_prepare(db, "UPDATE account_recovery_code SET used_at = :now"
                       " WHERE account_name = :account AND code_hash = :hash"
                       " AND used_at IS NULL");
    if (s == NULL)
        return FACTOR_FAILED;
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":account", account);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    if (!db_do(s))
        return FACTOR_FAILED;
    return db_changes(db) == 1 ? FACTOR_RIGHT : FACTOR_WRONG;
}

enum factor_result second_factor_check(struct db *db,
                                       const struct portal_keys *keys,
                                       struct wall_time now,
                                       const char *account, const char *code)
{
    struct factor factor;
    unsigned number;
    if (!read_factor(db, keys, account, &factor))
        return FACTOR_FAILED;
    if (!factor.is_there || !factor.is_confirmed)
        return FACTOR_WRONG;
    if (!read_code(code, &number))
        return check_paper(db, keys, now, account, code);
    int64_t step = step_of(&factor, now, number);
    if (step == 0)
        return FACTOR_WRONG;
    return note_step(db, now, account, step) ? FACTOR_RIGHT : FACTOR_FAILED;
}

int64_t second_factor_left(struct db *db, const char *account)
{
    struct db_statement *s =
        db_prepare(db, "SELECT count(*) FROM account_recovery_code"
                       " WHERE account_name = :account AND used_at IS NULL");
    if (s == NULL)
        return 0;
    db_bind_text(s, ":account", account);
    int64_t left = db_step(s) == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return left;
}

bool second_factor_end(struct db *db, const char *account)
{
    return run(db, "DELETE FROM account_totp WHERE account_name = :account",
               account) &&
           run(db,
               "DELETE FROM account_recovery_code"
               " WHERE account_name = :account",
               account);
}
