/* See sign_up.h. */
#include "portal/access/sign_up.h"

#include <stdio.h>
#include <string.h>

#include "portal/store/outbox.h"

#define HOUR_US INT64_C(3600000000)

enum { NAME_BYTES = 5, MAIL_ACCOUNTS_MAX = 20 };

static enum act_end failed(struct db *db, struct error_text *error)
{
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

static int64_t count_since(struct db *db, const char *sql,
                           struct wall_time since, const char *network)
{
    struct db_statement *s = db_prepare(db, sql);
    if (s == NULL)
        return -1;
    db_bind_i64(s, ":since", since.us);
    if (network != NULL)
        db_bind_text(s, ":network", network);
    int64_t count = db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    db_reset(s);
    return count;
}

/* Notes the request; 0 when there were too many, -1 when the database failed. */
static int may_ask(struct db *db, struct wall_time now, const char *network)
{
    const struct wall_time hour = {now.us - HOUR_US};
    int64_t own = count_since(db,
                              "SELECT count(*) FROM account_request"
                              " WHERE network = :network AND at > :since",
                              hour, network);
    int64_t all = count_since(
        db, "SELECT count(*) FROM account_request WHERE at > :since", hour,
        NULL);
    struct db_statement *old =
        db_prepare(db, "DELETE FROM account_request WHERE at <= :hour");
    struct db_statement *add = db_prepare(
        db, "INSERT INTO account_request (at, network) VALUES (:now, :net)");
    if (own < 0 || all < 0 || old == NULL || add == NULL)
        return -1;
    if (own >= SIGN_UP_OF_NETWORK || all >= SIGN_UP_OF_ALL)
        return 0;
    db_bind_i64(old, ":hour", hour.us);
    db_bind_i64(add, ":now", now.us);
    db_bind_text(add, ":net", network);
    return db_do(old) && db_do(add) ? 1 : -1;
}

/* Accounts of which nobody has opened the link in time, and what they were for. */
static bool forget_unopened(struct db *db, struct wall_time now)
{
    static const char *const STEPS[] = {
        "DELETE FROM account_link WHERE account_name IN (SELECT name FROM"
        " account WHERE made_by = 'PUBLIC' AND state = 'INVITED'"
        " AND created_at <= :old)",
        "DELETE FROM account WHERE made_by = 'PUBLIC' AND state = 'INVITED'"
        " AND created_at <= :old",
        "DELETE FROM applicant WHERE created_at <= :old AND NOT EXISTS"
        " (SELECT 1 FROM account WHERE organisation = applicant.id)",
    };
    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
        struct db_statement *s = db_prepare(db, STEPS[i]);
        if (s == NULL)
            return false;
        db_bind_i64(s, ":old", now.us - LINK_HOURS * HOUR_US);
        if (!db_do(s))
            return false;
    }
    return true;
}

static enum act_end too_often(struct sign_up *sign_up, struct error_text *error)
{
    sign_up->is_too_often = true;
    error_set(error, "too many requests from this network");
    return ACT_REFUSED;
}

/* --- the address --- */

/* Every account that the address is of, and not disabled. */
static int names_of(struct db *db, const char *mail,
                    char names[MAIL_ACCOUNTS_MAX][ACCOUNT_NAME_LEN])
{
    int count = 0;
    struct db_statement *s = db_prepare(
        db, "SELECT name FROM account WHERE mail = :mail COLLATE NOCASE"
            " AND mail <> '' AND state <> 'DISABLED' ORDER BY name");
    if (s == NULL)
        return -1;
    db_bind_text(s, ":mail", mail);
    while (count < MAIL_ACCOUNTS_MAX && db_step(s) == DB_ROW)
        snprintf(names[count++], ACCOUNT_NAME_LEN, "%s", db_text(s, 0));
    db_reset(s);
    return count;
}

bool account_name_of_mail(struct db *db, const char *mail,
                          char name[static ACCOUNT_NAME_LEN])
{
    char names[MAIL_ACCOUNTS_MAX][ACCOUNT_NAME_LEN];
    if (names_of(db, mail, names) != 1)
        return false;
    memcpy(name, names[0], ACCOUNT_NAME_LEN);
    return true;
}

static bool tell_owner(struct db *db, struct wall_time now,
                       const struct sign_up *sign_up, const char *name)
{
    const struct text_argument arguments[] = {
        text_plain("account", name),
        text_plain("url", sign_up->public_url),
        {0}};
    const struct outbox_message message = {
        .mail = &sign_up->mail,
        .language = sign_up->language,
        .subject = TEXT_KEY("mail.known.subject"),
        .body = TEXT_KEY("mail.known.body"),
        .arguments = arguments,
    };
    return outbox_add(db, now, &message);
}

/* --- signing up --- */

static void random_name(const char *prefix, char *name, size_t size)
{
    uint8_t bytes[NAME_BYTES];
    char hex[2 * NAME_BYTES + 1];
    random_bytes(bytes, sizeof(bytes));
    hex_of(bytes, sizeof(bytes), hex);
    snprintf(name, size, "%s%s", prefix, hex);
}

static bool add_applicant(struct db *db, struct wall_time now, const char *id,
                          enum account_role role)
{
    struct db_statement *s =
        db_prepare(db, "INSERT INTO applicant (id, kind, created_at)"
                       " VALUES (:id, :kind, :now)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", id);
    db_bind_text(s, ":kind", role == ROLE_SUPP ? "supplier" : "enterprise");
    db_bind_i64(s, ":now", now.us);
    return db_do(s);
}

static enum act_end invite(struct db *db, struct wall_time now,
                           const struct sign_up *sign_up,
                           struct error_text *error)
{
    struct account account = {.role = sign_up->role,
                              .mail = sign_up->mail,
                              .mobile = sign_up->mobile};
    struct account_act act = {.by = "PUBLIC",
                              .name = account.name,
                              .account = &account,
                              .keys = sign_up->keys,
                              .public_url = sign_up->public_url,
                              .language = sign_up->language};
    random_name("A-", account.organisation, sizeof(account.organisation));
    random_name(sign_up->role == ROLE_SUPP ? "s" : "e", account.name,
                sizeof(account.name));
    snprintf(account.display_name, sizeof(account.display_name), "%s",
             sign_up->display_name);
    if (!add_applicant(db, now, account.organisation, account.role))
        return failed(db, error);
    return account_invite(db, now, &act, error);
}

enum act_end sign_up_account(struct db *db, struct wall_time now, void *context,
                             struct error_text *error)
{
    struct sign_up *sign_up = context;
    char names[MAIL_ACCOUNTS_MAX][ACCOUNT_NAME_LEN];
    int may = may_ask(db, now, sign_up->network);
    if (may == 0)
        return too_often(sign_up, error);
    if (may < 0 || !forget_unopened(db, now))
        return failed(db, error);
    int count = names_of(db, sign_up->mail.text, names);
    if (count < 0)
        return failed(db, error);
    if (count > 0)
        return tell_owner(db, now, sign_up, names[0]) ? ACT_KEPT
                                                      : failed(db, error);
    return invite(db, now, sign_up, error);
}

enum act_end sign_up_forgotten(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    struct sign_up *sign_up = context;
    char names[MAIL_ACCOUNTS_MAX][ACCOUNT_NAME_LEN];
    int may = may_ask(db, now, sign_up->network);
    if (may == 0)
        return too_often(sign_up, error);
    int count = may < 0 ? -1 : names_of(db, sign_up->mail.text, names);
    if (count < 0)
        return failed(db, error);
    for (int i = 0; i < count; i++) {
        struct account_act act = {.by = names[i],
                                  .name = names[i],
                                  .keys = sign_up->keys,
                                  .public_url = sign_up->public_url,
                                  .language = sign_up->language};
        if (account_forgotten(db, now, &act, error) == ACT_FAILED)
            return ACT_FAILED;
    }
    return ACT_KEPT;
}
