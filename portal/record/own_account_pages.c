/* See own_account_pages.h. */
#include "portal/record/own_account_pages.h"

#include <stdio.h>
#include <string.h>

#include "portal/access/account_life.h"
#include "portal/access/login.h"
#include "portal/access/password.h"
#include "portal/access/second_factor.h"
#include "portal/record/entry_pages.h"
#include "portal/show/qr.h"

enum { HANDLE_BYTES = 8, HANDLE_LEN = 2 * HANDLE_BYTES + 1 };

static enum act_end end_of(struct db *db, bool good, struct error_text *error)
{
    if (!good)
        error_set(error, "%s", db_error(db));
    return good ? ACT_KEPT : ACT_FAILED;
}

/* --- the page --- */

static void add_sessions(struct visit *visit)
{
    char own[HANDLE_LEN];
    struct db_statement *s = db_prepare(
        visit->db, "SELECT substr(lower(hex(token_hash)), 1, 16), address,"
                   " agent, created_at, used_at FROM session"
                   " WHERE account_name = :name AND stage = 'FULL'"
                   " ORDER BY used_at DESC");
    hex_of(visit->caller.session.token_hash.bytes, HANDLE_BYTES, own);
    model_list(visit->model, "_sessions");
    if (s == NULL)
        return;
    db_bind_text(s, ":name", visit->caller.account.name);
    int count = 0;
    while (db_step(s) == DB_ROW) {
        struct model *m = model_append(visit->model, "_sessions");
        model_text(m, "handle", db_text(s, 0));
        model_text(m, "address", db_text(s, 1));
        model_text(m, "agent", db_text(s, 2));
        model_moment(m, "since", (struct wall_time){db_i64(s, 3)});
        model_moment(m, "used", (struct wall_time){db_i64(s, 4)});
        model_bool(m, "is_own", strcmp(db_text(s, 0), own) == 0);
        count++;
    }
    model_bool(visit->model, "_has_others", count > 1);
}

static void show_page(struct visit *visit, const char *fault)
{
    const struct account *account = &visit->caller.account;
    struct model *m = visit->model;
    model_text(m, "_own_name", account->name);
    model_text(m, "_own_display", account->display_name);
    model_text(m, "_own_mail", account->mail.text);
    model_text(m, "_own_mobile", account->mobile.text);
    model_text(m, "_fault",
               fault != NULL ? text_word(visit->caller.language, "", fault)
                             : "");
    model_bool(m, "_is_changed",
               form_get(&visit->request.query, "changed")[0] != '\0');
    model_bool(m, "_has_factor", account->has_second_factor);
    model_bool(m, "_needs_factor",
               visit_needs_factor(visit) ||
                   (visit->config->second_factor &&
                    account_role_needs_factor(account->role)));
    model_i64(m, "_codes_left", second_factor_left(visit->db, account->name));
    add_sessions(visit);
    visit_show(visit, "own_account", TEXT_KEY("own.title"));
}

void own_account_show(struct visit *visit)
{
    show_page(visit, NULL);
}

/* --- password --- */

/* A stolen session is no password: guesses are counted as at the log-in. */
static enum act_end count_wrong(struct db *db, struct wall_time now,
                                void *context, struct error_text *error)
{
    return end_of(
        db, login_note(db, now, context, LOGIN_REFUSED) != LOGIN_FAILED, error);
}

static const char *judge_old(struct visit *visit)
{
    struct login_try try;
    struct error_text why;
    unsigned wait_s;
    login_try_set(&try, &portal_keys(visit->portal)->name,
                  visit->caller.account.name, &visit->visitor);
    if (login_ask(visit->db, visit->now, &try, &wait_s) != LOGIN_OPEN)
        return TEXT_KEY("own.password.wrong");
    if (login_check_password(visit->db, &try,
                             form_get(&visit->request.form, "old")) == LOGIN_OK)
        return NULL;
    portal_act(visit->portal, visit->now, NULL, count_wrong, &try, &why);
    return TEXT_KEY("own.password.wrong");
}

void own_password_post(struct visit *visit)
{
    const struct account *account = &visit->caller.account;
    struct error_text why;
    char hash[PASSWORD_HASH_LEN];
    struct password_act act = {.hash = hash,
                               .session = &visit->caller.session.token_hash};
    const char *fault = entry_password_fault(visit, account);
    if (fault == NULL)
        fault = judge_old(visit);
    if (fault != NULL) {
        visit->response->status = 422;
        show_page(visit, fault);
        return;
    }
    snprintf(act.name, sizeof(act.name), "%s", account->name);
    if (password_hash(form_get(&visit->request.form, "password"), hash) &&
        portal_act(visit->portal, visit->now, NULL, account_choose, &act,
                   &why) == ACT_KEPT)
        visit_redirect(visit, "/account?changed=1");
    else
        visit_refuse(visit, REFUSED_INTERNAL);
}

/* --- sessions --- */

struct ending {
    const struct caller *caller;
    const char *handle; /* "": all others */
};

static enum act_end end_sessions(struct db *db, struct wall_time now,
                                 void *context, struct error_text *error)
{
    (void)now;
    const struct ending *ending = context;
    const char *name = ending->caller->account.name;
    return end_of(
        db,
        ending->handle[0] != '\0'
            ? session_end_one(db, name, ending->handle)
            : session_end_others(db, name, &ending->caller->session.token_hash),
        error);
}

/* Acts with one audit row; then back to the page. */
static void act(struct visit *visit, const char *action, act_fn *fn,
                void *context)
{
    const char *name = visit->caller.account.name;
    const struct audit_entry entry = {
        .actor = name, .action = action, .object = name, .result = "OK"};
    struct error_text why;
    enum act_end end =
        portal_act(visit->portal, visit->now, &entry, fn, context, &why);
    if (end == ACT_FAILED)
        visit_refuse(visit, REFUSED_INTERNAL);
    else
        visit_redirect(visit, "/account");
}

void own_session_end(struct visit *visit)
{
    struct ending ending = {&visit->caller,
                            form_get(&visit->request.form, "session")};
    act(visit, "session.end", end_sessions, &ending);
}

/* --- second factor --- */

struct factor_act {
    const struct portal_keys *keys;
    const char *account, *code;
    enum factor_result result;
    char paper[FACTOR_CODES][FACTOR_CODE_LEN];
};

static enum act_end begin_factor(struct db *db, struct wall_time now,
                                 void *context, struct error_text *error)
{
    const struct factor_act *f = context;
    return end_of(db, second_factor_begin(db, f->keys, now, f->account), error);
}

static enum act_end confirm_factor(struct db *db, struct wall_time now,
                                   void *context, struct error_text *error)
{
    struct factor_act *f = context;
    f->result =
        second_factor_confirm(db, f->keys, now, f->account, f->code, f->paper);
    error_set(error, "%s", db_error(db));
    if (f->result == FACTOR_FAILED)
        return ACT_FAILED;
    return f->result == FACTOR_RIGHT ? ACT_KEPT : ACT_REFUSED;
}

static enum act_end end_factor(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    (void)now;
    const struct factor_act *f = context;
    return end_of(db, second_factor_end(db, f->account), error);
}

static struct factor_act factor_act(struct visit *visit)
{
    return (struct factor_act){.keys = portal_keys(visit->portal),
                               .account = visit->caller.account.name,
                               .code = form_get(&visit->request.form, "code")};
}

/* As the apps read it: otpauth://totp/ISSUER:ACCOUNT?secret=...&issuer=... */
static void add_secret(struct visit *visit, const char *secret)
{
    const char *issuer = form_encode(
        text_word(visit->caller.language, "", TEXT_KEY("factor.issuer")),
        visit->arena);
    const char *address =
        arena_format(visit->arena, "otpauth://totp/%s:%s?secret=%s&issuer=%s",
                     issuer != NULL ? issuer : "", visit->caller.account.name,
                     secret, issuer != NULL ? issuer : "");
    char grouped[FACTOR_SECRET_LEN + FACTOR_SECRET_LEN / 4] = "";
    size_t length = 0;
    for (size_t i = 0; secret[i] != '\0'; i++) {
        if (i > 0 && i % 4 == 0)
            grouped[length++] = ' ';
        grouped[length++] = secret[i];
    }
    model_text(visit->model, "_secret", grouped);
    if (address != NULL)
        qr_add(visit->model, "_qr", address);
}

static void show_factor(struct visit *visit, bool is_wrong)
{
    char secret[FACTOR_SECRET_LEN] = "";
    if (visit->caller.account.has_second_factor) {
        visit_redirect(visit, "/account");
        return;
    }
    model_bool(visit->model, "_is_forced", visit_needs_factor(visit));
    model_bool(visit->model, "_is_wrong", is_wrong);
    model_text(visit->model, "_secret", "");
    if (second_factor_shown(visit->db, portal_keys(visit->portal),
                            visit->caller.account.name, secret))
        add_secret(visit, secret);
    visit_show(visit, "factor", TEXT_KEY("factor.title"));
}

void own_factor_show(struct visit *visit)
{
    show_factor(visit, false);
}

void own_factor_begin(struct visit *visit)
{
    struct factor_act f = factor_act(visit);
    const struct audit_entry entry = {.actor = f.account,
                                      .action = "factor.begin",
                                      .object = f.account,
                                      .result = "OK"};
    struct error_text why;
    portal_act(visit->portal, visit->now, &entry, begin_factor, &f, &why);
    visit_redirect(visit, "/account/second-factor");
}

/* The codes on paper are to be seen this once. */
static void show_paper(struct visit *visit, const struct factor_act *f)
{
    model_list(visit->model, "_paper");
    for (int i = 0; i < FACTOR_CODES; i++)
        model_text(model_append(visit->model, "_paper"), "code", f->paper[i]);
    visit_show(visit, "factor_codes", TEXT_KEY("factor.codes.title"));
}

void own_factor_confirm(struct visit *visit)
{
    struct factor_act f = factor_act(visit);
    const struct audit_entry entry = {.actor = f.account,
                                      .action = "factor.confirm",
                                      .object = f.account,
                                      .result = "OK"};
    struct error_text why;
    enum act_end end =
        portal_act(visit->portal, visit->now, &entry, confirm_factor, &f, &why);
    if (end == ACT_KEPT) {
        show_paper(visit, &f);
    } else if (end == ACT_REFUSED) {
        visit->response->status = 422;
        show_factor(visit, true);
    } else {
        visit_refuse(visit, REFUSED_INTERNAL);
    }
}

/* Whoever must have one exchanges it: without one there is nothing but the page
 * that sets up the next. */
void own_factor_end(struct visit *visit)
{
    struct factor_act f = factor_act(visit);
    act(visit, "factor.end", end_factor, &f);
}
