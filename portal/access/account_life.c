/* See account_life.h. */
#include "portal/access/account_life.h"

#include <stdio.h>
#include <string.h>

#include "portal/access/login.h"
#include "portal/access/session.h"
#include "portal/store/outbox.h"

enum { ADDRESS_MAX = 400 };

static enum act_end failed(struct db *db, struct error_text *error)
{
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

static enum act_end refused(struct account_act *act, const char *text,
                            struct error_text *error)
{
    struct buffer out;
    act->refusal = text;
    buffer_init(&out, sizeof(error->text) - 1);
    text_add(&out, act->language, text);
    error_set(error, "%s: %.*s", act->name, (int)out.length,
              (const char *)out.data);
    buffer_clear(&out);
    return ACT_REFUSED;
}

static bool audit(struct db *db, struct wall_time now,
                  const struct account_act *act, const char *action)
{
    const struct audit_entry entry = {.actor = act->by,
                                      .action = action,
                                      .object = act->name,
                                      .result = "OK"};
    return audit_add(db, now, &entry);
}

static enum act_end end_of(struct db *db, bool good, struct error_text *error)
{
    return good ? ACT_KEPT : failed(db, error);
}

/* A statement about the account itself. */
static bool change(struct db *db, const char *sql, const char *name)
{
    struct db_statement *s = db_prepare(db, sql);
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", name);
    return db_do(s);
}

/* Whoever is in is out. */
static bool shut(struct db *db, const char *name)
{
    return session_end_others(db, name, NULL) && account_link_end(db, name);
}

/* --- links --- */

/* To the account's own inbox goes nothing: a link lets its reader in. */
static bool mail_link(struct db *db, struct wall_time now,
                      const struct account_act *act,
                      const struct account *account, enum link_kind kind)
{
    char address[ADDRESS_MAX];
    bool is_first = kind == LINK_ACTIVATE;
    int length = snprintf(address, sizeof(address), "%s/activate/%s",
                          act->public_url, act->token);
    const struct text_argument arguments[] = {
        text_plain("account", account->name),
        text_plain("link", address),
        text_number("hours", LINK_HOURS),
        {0}};
    const struct outbox_message message = {
        .mail = &account->mail,
        .language = act->language,
        .subject = is_first ? TEXT_KEY("mail.activate.subject")
                            : TEXT_KEY("mail.reset.subject"),
        .body = is_first ? TEXT_KEY("mail.activate.body")
                         : TEXT_KEY("mail.reset.body"),
        .arguments = arguments,
        .is_secret = true,
    };
    if (account->mail.text[0] == '\0' || act->public_url == NULL ||
        act->public_url[0] == '\0')
        return true;
    return length > 0 && length < ADDRESS_MAX && outbox_add(db, now, &message);
}

static bool give_link(struct db *db, struct wall_time now,
                      struct account_act *act, const struct account *account,
                      enum link_kind kind)
{
    return account_link_make(db, now, account->name, kind, act->token) &&
           mail_link(db, now, act, account, kind);
}

enum act_end account_invite(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    struct account_act *act = context;
    struct account account = *act->account;
    account.state = ACCOUNT_INVITED;
    if (!account_fits(db, &account, error))
        return ACT_REFUSED;
    return end_of(db,
                  account_insert(db, now, &account, "", act->by) &&
                      give_link(db, now, act, &account, LINK_ACTIVATE) &&
                      audit(db, now, act, "account.invite"),
                  error);
}

enum act_end account_reset(struct db *db, struct wall_time now, void *context,
                           struct error_text *error)
{
    struct account_act *act = context;
    struct account account;
    if (!account_find(db, act->name, &account))
        return refused(act, TEXT_KEY("account.refused.unknown"), error);
    if (account.state == ACCOUNT_DISABLED)
        return refused(act, TEXT_KEY("account.refused.disabled"), error);
    return end_of(
        db,
        change(db,
               "UPDATE account SET state = 'INVITED', password_hash = '',"
               " password_at = NULL WHERE name = :name",
               act->name) &&
            change(db, "DELETE FROM account_totp WHERE account_name = :name",
                   act->name) &&
            change(db,
                   "DELETE FROM account_recovery_code"
                   " WHERE account_name = :name",
                   act->name) &&
            shut(db, act->name) &&
            give_link(db, now, act, &account, LINK_ACTIVATE) &&
            audit(db, now, act, "account.reset"),
        error);
}

enum act_end account_forgotten(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    struct account_act *act = context;
    struct account account;
    if (!account_find(db, act->name, &account) ||
        account.state == ACCOUNT_DISABLED)
        return refused(act, TEXT_KEY("account.refused.unknown"), error);
    return end_of(db,
                  give_link(db, now, act, &account,
                            account.state == ACCOUNT_INVITED ? LINK_ACTIVATE
                                                             : LINK_RESET) &&
                      audit(db, now, act, "account.forgotten"),
                  error);
}

enum act_end account_choose(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    struct password_act *act = context;
    if (act->link != NULL &&
        !account_link_take(db, now, act->link, act->name)) {
        error_set(error, "E_ACTIVATION");
        return ACT_REFUSED;
    }
    const struct audit_entry entry = {
        .actor = act->name,
        .action = act->link != NULL ? "account.activate" : "account.password",
        .object = act->name,
        .result = "OK"};
    struct db_statement *s = db_prepare(
        db, "UPDATE account SET password_hash = :hash, password_at = :now,"
            " state = 'ACTIVE' WHERE name = :name AND state <> 'DISABLED'");
    if (s == NULL)
        return failed(db, error);
    db_bind_text(s, ":hash", act->hash);
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":name", act->name);
    return end_of(db,
                  db_do(s) && account_link_end(db, act->name) &&
                      session_end_others(db, act->name, act->session) &&
                      audit_add(db, now, &entry),
                  error);
}

/* --- shut and open --- */

enum act_end account_disable(struct db *db, struct wall_time now, void *context,
                             struct error_text *error)
{
    struct account_act *act = context;
    struct account account;
    if (!account_find(db, act->name, &account))
        return refused(act, TEXT_KEY("account.refused.unknown"), error);
    if (strcmp(act->by, act->name) == 0)
        return refused(act, TEXT_KEY("account.refused.self"), error);
    return end_of(db,
                  change(db,
                         "UPDATE account SET state = 'DISABLED'"
                         " WHERE name = :name",
                         act->name) &&
                      shut(db, act->name) &&
                      audit(db, now, act, "account.disable"),
                  error);
}

/* One that was handed over has nothing any more. */
enum act_end account_enable(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    struct account_act *act = context;
    struct account account;
    if (!account_find(db, act->name, &account))
        return refused(act, TEXT_KEY("account.refused.unknown"), error);
    if (account.state != ACCOUNT_DISABLED)
        return refused(act, TEXT_KEY("account.refused.not_disabled"), error);
    if (!change(db,
                "UPDATE account SET state = iif(password_hash = '', 'INVITED',"
                " 'ACTIVE') WHERE name = :name AND successor IS NULL",
                act->name))
        return failed(db, error);
    if (db_changes(db) == 0)
        return refused(act, TEXT_KEY("account.refused.handed_over"), error);
    return end_of(db, audit(db, now, act, "account.enable"), error);
}

enum act_end account_unlock(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    struct account_act *act = context;
    struct account account;
    if (!account_find(db, act->name, &account))
        return refused(act, TEXT_KEY("account.refused.unknown"), error);
    return end_of(db,
                  login_unlock(db, &act->keys->name, act->name) &&
                      audit(db, now, act, "account.unlock"),
                  error);
}

/* --- hand over --- */

/* What is somebody's own, apart from what is the body's. */
static bool move_own(struct db *db, const char *from, const char *to)
{
    static const char *const MOVES[] = {
        "UPDATE OR IGNORE account_task SET account_name = :to"
        " WHERE account_name = :from",
        "UPDATE message SET account_name = :to WHERE account_name = :from"
        " AND read_at IS NULL AND is_secret = 0",
    };
    for (size_t i = 0; i < sizeof(MOVES) / sizeof(MOVES[0]); i++) {
        struct db_statement *s = db_prepare(db, MOVES[i]);
        if (s == NULL)
            return false;
        db_bind_text(s, ":from", from);
        db_bind_text(s, ":to", to);
        if (!db_do(s))
            return false;
    }
    return true;
}

static bool leave(struct db *db, const char *from, const char *to)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE account SET state = 'DISABLED', password_hash = '',"
            " mail = '', mobile = '', successor = :to WHERE name = :from");
    if (s == NULL)
        return false;
    db_bind_text(s, ":from", from);
    db_bind_text(s, ":to", to);
    return db_do(s) && shut(db, from);
}

enum act_end account_hand_over(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    struct account_act *act = context;
    struct account from, to;
    if (!account_find(db, act->name, &from) || !account_find(db, act->to, &to))
        return refused(act, TEXT_KEY("account.refused.unknown"), error);
    if (strcmp(act->name, act->to) == 0 || from.role != to.role ||
        strcmp(from.organisation, to.organisation) != 0 ||
        to.state != ACCOUNT_ACTIVE)
        return refused(act, TEXT_KEY("account.refused.no_colleague"), error);
    return end_of(db,
                  move_own(db, act->name, act->to) &&
                      leave(db, act->name, act->to) &&
                      audit(db, now, act, "account.hand_over"),
                  error);
}
