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
    bool is_dated, needs_factor;
};

static const struct role_row ROLES[ROLE_COUNT] = {
    [ROLE_NONE] = {"", NULL, false, false},
    [ROLE_PROV] = {"PROV", NULL, false, true},
    [ROLE_EXP] = {"EXP", NULL, false, true},
    [ROLE_CITY] = {"CITY", "city", false, true},
    [ROLE_COUNTY] = {"COUNTY", "county", false, true},
    [ROLE_SUPP] = {"SUPP", "supplier", false, false},
    [ROLE_ENT] = {"ENT", "enterprise", false, false},
    [ROLE_OPP] = {"OPP", NULL, false, true},
    [ROLE_OPC] = {"OPC", "city", true, true},
    [ROLE_ALLI] = {"ALLI", NULL, false, true},
    [ROLE_AUDT] = {"AUDT", NULL, false, false},
    [ROLE_PUBLIC] = {"PUBLIC", NULL, false, false},
    [ROLE_SYS] = {"SYS", NULL, false, false},
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

static const char *const STATES[] = {
    [ACCOUNT_INVITED] = "INVITED",
    [ACCOUNT_ACTIVE] = "ACTIVE",
    [ACCOUNT_DISABLED] = "DISABLED",
};

const char *account_state_text(enum account_state state)
{
    return STATES[state];
}

static bool state_from(const char *text, enum account_state *state)
{
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++) {
        if (strcmp(STATES[i], text) == 0) {
            *state = (enum account_state)i;
            return true;
        }
    }
    return false;
}

bool account_role_is_dated(enum account_role role)
{
    return role_row_of(role)->is_dated;
}

bool account_role_needs_factor(enum account_role role)
{
    return role_row_of(role)->needs_factor;
}

bool account_has_ended(const struct account *account, struct wall_time now)
{
    if (account->has_begin && now.us < account->begin.us)
        return true;
    return account->has_end ? account->end.us <= now.us
                            : account_role_is_dated(account->role);
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

bool account_fits(struct db *db, const struct account *account,
                  struct error_text *error)
{
    struct account other;
    if (!is_good_name(account->name))
        return error_set(error,
                         "'%s': a name has 1 to 64 letters, digits, "
                         "'.', '-' or '_'",
                         account->name);
    if (!organisation_fits(db, account, error))
        return false;
    return !account_find(db, account->name, &other) ||
           error_set(error, "account '%s' is there already", account->name);
}

static void bind_time(struct db_statement *s, const char *name, bool is_there,
                      struct wall_time time)
{
    if (is_there)
        db_bind_i64(s, name, time.us);
    else
        db_bind_null(s, name);
}

bool account_insert(struct db *db, struct wall_time now,
                    const struct account *account, const char *hash,
                    const char *made_by)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO account (name, role, organisation, display_name, mail,"
            " mobile, state, password_hash, password_at, made_by, created_at,"
            " begins_at, ends_at) VALUES (:name, :role, :organisation,"
            " :display, :mail, :mobile, :state, :hash,"
            " iif(:hash = '', NULL, :now), :by, :now, :begin, :end)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", account->name);
    db_bind_text(s, ":role", account_role_text(account->role));
    db_bind_text(s, ":organisation", account->organisation);
    db_bind_text(s, ":display", account->display_name);
    db_bind_text(s, ":mail", account->mail.text);
    db_bind_text(s, ":mobile", account->mobile.text);
    db_bind_text(s, ":state", account_state_text(account->state));
    db_bind_text(s, ":hash", hash);
    db_bind_text(s, ":by", made_by);
    db_bind_i64(s, ":now", now.us);
    bind_time(s, ":begin", account->has_begin, account->begin);
    bind_time(s, ":end", account->has_end, account->end);
    return db_do(s);
}

struct adding {
    const struct account *account;
    char hash[PASSWORD_HASH_LEN];
};

static enum act_end insert_active(struct db *db, struct wall_time now,
                                  void *context, struct error_text *error)
{
    const struct adding *adding = context;
    struct account account = *adding->account;
    account.state = ACCOUNT_ACTIVE;
    if (account_insert(db, now, &account, adding->hash, "SYS"))
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
    if (!account_fits(db, account, error) ||
        !password_is_acceptable(password, error))
        return false;
    if (!password_hash(password, adding.hash))
        return error_set(error, "no memory to hash the password");
    return act_on(db, now, &entry, insert_active, &adding, error) == ACT_KEPT;
}

static void copy_column(struct db_statement *s, int column, char *out,
                        size_t size)
{
    snprintf(out, size, "%s", db_text(s, column));
}

static bool read_time(struct db_statement *s, int column,
                      struct wall_time *time)
{
    time->us = db_i64(s, column);
    return !db_is_null(s, column);
}

static bool read_account(struct db_statement *s, struct account *account)
{
    *account = (struct account){0};
    copy_column(s, 0, account->name, sizeof(account->name));
    copy_column(s, 2, account->organisation, sizeof(account->organisation));
    copy_column(s, 3, account->display_name, sizeof(account->display_name));
    account->has_end = read_time(s, 4, &account->end);
    account->has_begin = read_time(s, 8, &account->begin);
    account->has_second_factor = db_i64(s, 9) != 0;
    return account_role_from(db_text(s, 1), &account->role) &&
           state_from(db_text(s, 7), &account->state) &&
           (db_is_null(s, 5) ||
            mail_address_read(slice_of_text(db_text(s, 5)), &account->mail)) &&
           (db_is_null(s, 6) ||
            mobile_number_read(slice_of_text(db_text(s, 6)), &account->mobile));
}

bool account_find(struct db *db, const char *name, struct account *account)
{
    struct db_statement *s = db_prepare(
        db, "SELECT a.name, a.role, a.organisation, a.display_name, a.ends_at,"
            " nullif(a.mail, ''), nullif(a.mobile, ''), a.state, a.begins_at,"
            " t.confirmed_at IS NOT NULL FROM account a LEFT JOIN account_totp"
            " t ON t.account_name = a.name WHERE a.name = :name");
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", name);
    bool found = db_step(s) == DB_ROW && read_account(s, account);
    db_reset(s);
    return found;
}
