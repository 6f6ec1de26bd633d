/* See account.h. */
#include "portal/access/account.h"

#include <stdio.h>
#include <string.h>

#include "portal/access/password.h"
#include "portal/store/act.h"

/* The organisation that fits a role: as the table `role` in portal.db says it,
 * in words for people. */
struct role_row {
    const char *text;
    const char *organisation; /* NULL: the role has none */
    bool is_dated;
};

static const struct role_row ROLES[ROLE_COUNT] = {
    [ROLE_NONE] = {"", NULL, false},
    [ROLE_PROV] = {"PROV", NULL, false},
    [ROLE_EXP] = {"EXP", NULL, false},
    [ROLE_CITY] = {"CITY", "city", false},
    [ROLE_COUNTY] = {"COUNTY", "county", false},
    [ROLE_SUPP] = {"SUPP", "supplier", false},
    [ROLE_ENT] = {"ENT", "enterprise", false},
    [ROLE_OPP] = {"OPP", NULL, false},
    [ROLE_OPC] = {"OPC", "city", true},
    [ROLE_ALLI] = {"ALLI", NULL, false},
    [ROLE_AUDT] = {"AUDT", NULL, false},
    [ROLE_PUBLIC] = {"PUBLIC", NULL, false},
    [ROLE_SYS] = {"SYS", NULL, false},
};

static const struct role_row *role_row_of(enum account_role role)
{
    return &ROLES[role < ROLE_COUNT ? role : ROLE_NONE];
}

const char *account_role_text(enum account_role role)
{
    return role_row_of(role)->text;
}

bool account_role_from(const char *text, enum account_role *role)
{
    for (int i = ROLE_NONE + 1; i < ROLE_SYS; i++) {
        if (strcmp(ROLES[i].text, text) == 0) {
            *role = (enum account_role)i;
            return true;
        }
    }
    return false;
}

bool account_role_is_dated(enum account_role role)
{
    return role_row_of(role)->is_dated;
}

/* Letters, digits, '.', '-', '_'; 1 to 64. */
static bool is_good_name(const char *name)
{
    return strlen(name) < ACCOUNT_NAME_LEN && slice_is_id(slice_of_text(name));
}

static bool is_organisation(struct db *db, const char *kind, const char *id)
{
    struct db_statement *s = db_prepare(
        db, "SELECT 1 FROM organisation WHERE kind = :kind AND id = :id");
    if (s == NULL)
        return false;
    db_bind_text(s, ":kind", kind);
    db_bind_text(s, ":id", id);
    bool found = db_step(s) == DB_ROW;
    db_reset(s);
    return found;
}

/* What the schema holds as well, said in words. */
static bool organisation_fits(struct db *db, const struct account *account,
                              struct error_text *error)
{
    const struct role_row *row = role_row_of(account->role);
    if (row->is_dated && !account->has_end)
        return error_set(error, "role %s needs --until DATE", row->text);
    if (row->organisation == NULL)
        return account->organisation[0] == '\0' ||
               error_set(error, "role %s has no organisation", row->text);
    if (account->organisation[0] == '\0')
        return error_set(error, "role %s needs --organisation (%s)", row->text,
                         row->organisation);
    return is_organisation(db, row->organisation, account->organisation) ||
           error_set(error, "there is no %s '%s'", row->organisation,
                     account->organisation);
}

struct adding {
    const struct account *account;
    char hash[PASSWORD_HASH_LEN];
};

static enum act_end insert_account(struct db *db, struct wall_time now,
                                   void *context, struct error_text *error)
{
    const struct adding *adding = context;
    const struct account *account = adding->account;
    struct db_statement *s = db_prepare(
        db, "INSERT INTO account (name, role, organisation, display_name,"
            " password_hash, created_at, ends_at) VALUES (:name, :role,"
            " :organisation, :display, :hash, :now, :end)");
    if (s == NULL) {
        error_set(error, "%s", db_error(db));
        return ACT_FAILED;
    }
    db_bind_text(s, ":name", account->name);
    db_bind_text(s, ":role", account_role_text(account->role));
    db_bind_text(s, ":organisation", account->organisation);
    db_bind_text(s, ":display", account->display_name);
    db_bind_text(s, ":hash", adding->hash);
    db_bind_i64(s, ":now", now.us);
    if (account->has_end)
        db_bind_i64(s, ":end", account->end.us);
    else
        db_bind_null(s, ":end");
    if (db_do(s))
        return ACT_KEPT;
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

bool account_add(struct db *db, struct wall_time now,
                 const struct account *account, const char *password,
                 struct error_text *error)
{
    struct adding adding = {.account = account};
    struct audit_entry entry = {"SYS", "account.add", account->name, "OK"};
    struct account other;
    if (!is_good_name(account->name))
        return error_set(error,
                         "'%s': a name has 1 to 64 letters, digits, "
                         "'.', '-' or '_'",
                         account->name);
    if (!organisation_fits(db, account, error) ||
        !password_is_acceptable(password, error))
        return false;
    if (account_find(db, account->name, &other))
        return error_set(error, "account '%s' is there already", account->name);
    if (!password_hash(password, adding.hash))
        return error_set(error, "no memory to hash the password");
    return act_on(db, now, &entry, insert_account, &adding, error) == ACT_KEPT;
}

bool account_find(struct db *db, const char *name, struct account *account)
{
    struct db_statement *s =
        db_prepare(db, "SELECT name, role, organisation, display_name,"
                       " ends_at FROM account WHERE name = :name");
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", name);
    bool found = db_step(s) == DB_ROW &&
                 account_role_from(db_text(s, 1), &account->role);
    if (found) {
        snprintf(account->name, sizeof(account->name), "%s", db_text(s, 0));
        snprintf(account->organisation, sizeof(account->organisation), "%s",
                 db_text(s, 2));
        snprintf(account->display_name, sizeof(account->display_name), "%s",
                 db_text(s, 3));
        account->has_end = !db_is_null(s, 4);
        account->end.us = db_i64(s, 4);
    }
    db_reset(s);
    return found;
}

enum account_login account_check_password(struct db *db, const char *name,
                                          const char *password)
{
    char hash[PASSWORD_HASH_LEN] = "";
    struct db_statement *s =
        db_prepare(db, "SELECT password_hash FROM account WHERE name = :name");
    if (s == NULL)
        return LOGIN_FAILED;
    db_bind_text(s, ":name", name);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        snprintf(hash, sizeof(hash), "%s", db_text(s, 0));
    db_reset(s);
    if (step == DB_FAILED)
        return LOGIN_FAILED;
    return password_check(hash, password) ? LOGIN_OK : LOGIN_REFUSED;
}

struct lock_state {
    bool is_known;
    int64_t failures;
    int64_t locked_until;
};

static bool read_lock(struct db *db, const char *name, struct lock_state *lock)
{
    struct db_statement *s =
        db_prepare(db, "SELECT failures, locked_until FROM account"
                       " WHERE name = :name");
    *lock = (struct lock_state){0};
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", name);
    enum db_step step = db_step(s);
    if (step == DB_ROW) {
        lock->is_known = true;
        lock->failures = db_i64(s, 0);
        lock->locked_until = db_i64(s, 1);
    }
    db_reset(s);
    return step != DB_FAILED;
}

static bool write_lock(struct db *db, const char *name, int64_t failures,
                       int64_t locked_until)
{
    struct db_statement *s =
        db_prepare(db, "UPDATE account SET failures = :failures,"
                       " locked_until = :until WHERE name = :name");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":failures", failures);
    if (locked_until > 0)
        db_bind_i64(s, ":until", locked_until);
    else
        db_bind_null(s, ":until");
    db_bind_text(s, ":name", name);
    return db_do(s);
}

static bool note_failure(struct db *db, struct wall_time now, const char *name,
                         const struct lock_state *lock)
{
    int64_t failures = lock->failures + 1, until = 0;
    bool locks = failures >= ACCOUNT_FAILURES_MAX;
    if (locks) {
        until = now.us + ACCOUNT_LOCK_MINUTES * INT64_C(60000000);
        failures = 0;
    }
    struct audit_entry entry = {name, locks ? "login.lock" : "login", "",
                                "DENIED"};
    return write_lock(db, name, failures, until) && audit_add(db, now, &entry);
}

/* A write that changes nothing, so that a refusal without a row takes as long
 * as one with: the time of an answer would tell which names there are. */
static bool write_nothing(struct db *db)
{
    struct db_statement *s =
        db_prepare(db, "UPDATE account SET failures = failures"
                       " WHERE name = (SELECT min(name) FROM account)");
    return s != NULL && db_do(s);
}

/* Refused attempts at a locked account and at unknown names leave no row:
 * strangers could fill the log with them. A lock's row says enough. */
enum account_login account_note_login(struct db *db, struct wall_time now,
                                      const char *name,
                                      enum account_login checked)
{
    struct lock_state lock;
    struct audit_entry entry = {name, "login", "", "OK"};
    if (checked != LOGIN_OK && checked != LOGIN_REFUSED)
        return checked;
    if (!read_lock(db, name, &lock))
        return LOGIN_FAILED;
    if (!lock.is_known || lock.locked_until > now.us)
        return write_nothing(db) ? LOGIN_REFUSED : LOGIN_FAILED;
    if (checked == LOGIN_REFUSED)
        return note_failure(db, now, name, &lock) ? LOGIN_REFUSED
                                                  : LOGIN_FAILED;
    return write_lock(db, name, 0, 0) && audit_add(db, now, &entry)
               ? LOGIN_OK
               : LOGIN_FAILED;
}
