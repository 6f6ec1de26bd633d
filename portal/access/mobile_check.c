#include "portal/access/mobile_check.h"

#include <stdio.h>
#include <string.h>

#include "portal/store/outbox.h"

enum { CODE_LEN = 7, TEXT_MAX = 200 };
#define SECOND_US INT64_C(1000000)

static struct digest hash_of(const struct portal_keys *keys,
                             const char *account, const char *mobile,
                             const char *code)
{
    char text[TEXT_MAX];
    int length =
        snprintf(text, sizeof(text), "%s:%s:%s", account, mobile, code);
    return hmac_sha256(keys->code.bytes, SECRET_LEN, text,
                       length > 0 && length < TEXT_MAX ? (size_t)length : 0);
}

static void make_code(char code[static CODE_LEN])
{
    uint32_t number;
    random_bytes(&number, sizeof(number));
    snprintf(code, CODE_LEN, "%06u", (unsigned)(number % 1000000));
}

static int64_t sent_at(struct db *db, const char *account)
{
    struct db_statement *s = db_prepare(
        db, "SELECT made_at FROM mobile_check WHERE account_name = :account");
    if (s == NULL)
        return 0;
    db_bind_text(s, ":account", account);
    int64_t at = db_step(s) == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return at;
}

static bool keep(struct db *db, struct wall_time now, const char *account,
                 const char *mobile, struct digest hash)
{
    struct db_statement *s = db_prepare(
        db, "INSERT OR REPLACE INTO mobile_check (account_name, mobile,"
            " code_hash, made_at) VALUES (:account, :mobile, :hash, :now)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":account", account);
    db_bind_text(s, ":mobile", mobile);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_i64(s, ":now", now.us);
    return db_do(s);
}

bool mobile_check_send(struct db *db, struct wall_time now,
                       const struct portal_keys *keys, const char *account,
                       const struct mobile_number *mobile,
                       enum language language)
{
    char code[CODE_LEN];
    if (now.us - sent_at(db, account) < CHECK_AGAIN_S * SECOND_US)
        return true;
    make_code(code);
    const struct text_argument arguments[] = {
        text_plain("code", code), text_number("minutes", CHECK_MINUTES), {0}};
    const struct outbox_message message = {
        .mobile = mobile,
        .language = language,
        .subject = TEXT_KEY("sms.code.subject"),
        .body = TEXT_KEY("sms.code.body"),
        .arguments = arguments,
        .is_secret = true,
    };
    return keep(db, now, account, mobile->text,
                hash_of(keys, account, mobile->text, code)) &&
           outbox_add(db, now, &message);
}

int mobile_check_code(struct db *db, struct wall_time now,
                      const struct portal_keys *keys, const char *account,
                      const struct mobile_number *mobile, const char *code)
{
    struct digest hash = hash_of(keys, account, mobile->text, code);
    struct db_statement *count =
        db_prepare(db, "UPDATE mobile_check SET tries = tries + 1"
                       " WHERE account_name = :account");
    struct db_statement *s = db_prepare(
        db, "UPDATE mobile_check SET confirmed_at = :now"
            " WHERE account_name = :account AND mobile = :mobile"
            " AND code_hash = :hash AND tries <= :most AND made_at > :since");
    if (count == NULL || s == NULL)
        return -1;
    db_bind_text(count, ":account", account);
    if (!db_do(count))
        return -1;
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":account", account);
    db_bind_text(s, ":mobile", mobile->text);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_i64(s, ":most", CHECK_TRIES);
    db_bind_i64(s, ":since", now.us - CHECK_MINUTES * 60 * SECOND_US);
    if (!db_do(s))
        return -1;
    return db_changes(db) == 1;
}

bool mobile_check_is_done(struct db *db, const char *account,
                          const char *mobile)
{
    struct db_statement *s = db_prepare(
        db, "SELECT 1 FROM mobile_check WHERE account_name = :account"
            " AND mobile = :mobile AND confirmed_at IS NOT NULL");
    if (s == NULL)
        return false;
    db_bind_text(s, ":account", account);
    db_bind_text(s, ":mobile", mobile);
    bool is_done = db_step(s) == DB_ROW;
    db_reset(s);
    return is_done;
}
