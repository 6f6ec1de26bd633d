/* See login_pages.h. */
#include "portal/record/login_pages.h"

#include <string.h>

#include "common/crypto/digest.h"
#include "common/shown.h"
#include "portal/access/login.h"
#include "portal/access/sign_up.h"
#include "portal/store/audit.h"

/* Only an address of this site, as browsers send them: "/x", not "//host" or
 * "/\host", in plain characters without blanks. */
const char *login_next(const char *next)
{
    bool good = next[0] == '/' && next[1] != '/' && strlen(next) < 300;
    for (const char *c = next; good && *c != '\0'; c++)
        good = *c > ' ' && *c <= '~' && *c != '\\';
    return good ? next : "/";
}

/* What is said above the form. */
enum login_notice { NOTHING, REFUSED, BUSY, NO_COOKIE, EXPIRED };

static void show_form(struct visit *visit, const char *name, const char *next,
                      enum login_notice notice)
{
    bool is_secure = visit->config->secure_cookie;
    visit_form_token(visit);
    model_text(visit->model, "_name", name);
    model_text(visit->model, "_next", next);
    model_bool(visit->model, "_refused", notice == REFUSED);
    model_bool(visit->model, "_busy", notice == BUSY);
    model_bool(visit->model, "_no_cookie",
               notice == NO_COOKIE || (is_secure && visit->way == WAY_HTTP));
    model_bool(visit->model, "_expired", notice == EXPIRED);
    model_bool(visit->model, "_plain", !is_secure);
    model_bool(visit->model, "_is_chosen",
               form_get(&visit->request.query, "chosen")[0] != '\0');
    visit_show(visit, "login", "login.title");
}

void login_show(struct visit *visit)
{
    const char *next = login_next(form_get(&visit->request.query, "next"));
    if (visit->caller.has_account)
        visit_redirect(visit, next);
    else
        show_form(visit, "", next, NOTHING);
}

/* A login's second half: the count, the lock, the new session, the audit row. */
struct entrance {
    char name[ACCOUNT_NAME_LEN]; /* when the address was typed */
    struct login_try try;
    struct session_start start;
    enum login_gate gate;
    enum login_result result; /* in: what the password said */
    char token[SESSION_TOKEN_LEN];
};

static enum act_end let_in(struct db *db, struct wall_time now, void *context,
                           struct error_text *error)
{
    struct entrance *e = context;
    struct account account;
    if (e->gate == LOGIN_LOCKED)
        e->result =
            login_note_locked(db, now, &e->try) ? LOGIN_REFUSED : LOGIN_FAILED;
    else
        e->result = login_note(db, now, &e->try, e->result);
    if (e->result == LOGIN_OK && !account_find(db, e->try.name, &account))
        e->result = LOGIN_FAILED;
    if (e->result == LOGIN_OK && account.has_second_factor)
        e->start.stage = SESSION_PASSWORD;
    if (e->result == LOGIN_OK && !session_begin(db, now, &e->start, e->token))
        e->result = LOGIN_FAILED;
    if (e->result != LOGIN_FAILED)
        return ACT_KEPT; /* a refusal leaves its count */
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

/* The name as it was typed, or that of the account with this address. */
static const char *name_of(struct visit *visit, struct entrance *e)
{
    const char *typed = form_get(&visit->request.form, "name");
    return strchr(typed, '@') != NULL &&
                   account_name_of_mail(visit->db, typed, e->name)
               ? e->name
               : typed;
}

static void set_entrance(struct visit *visit, struct entrance *e)
{
    const struct slice agent = visit->request.http->user_agent;
    login_try_set(&e->try, &portal_keys(visit->portal)->name, name_of(visit, e),
                  &visit->visitor);
    const char *agent_text = arena_copy_text(visit->arena, agent);
    e->start = (struct session_start){
        .account_name = e->try.name,
        .old_token = form_get(&visit->request.cookies, VISIT_SESSION_COOKIE),
        .address = e->try.address,
        .agent = agent_text != NULL ? agent_text : "",
        .stage = SESSION_FULL,
        .idle_minutes = (unsigned)visit->config->session_idle_minutes,
    };
}

/* Both halves; a locked name costs no hash. */
static void try_to_enter(struct visit *visit, struct entrance *e)
{
    struct error_text why;
    if (e->gate == LOGIN_OPEN)
        e->result = login_check_password(
            visit->db, &e->try, form_get(&visit->request.form, "password"));
    if (e->result != LOGIN_FAILED && portal_act(visit->portal, visit->now, NULL,
                                                let_in, e, &why) != ACT_KEPT)
        e->result = LOGIN_FAILED;
    visit->response->wait_ms = login_wait_ms(visit->db, visit->now, &e->try);
}

static enum act_end keep_hash(struct db *db, struct wall_time now,
                              void *context, struct error_text *error)
{
    (void)now;
    if (login_keep_hash(db, context))
        return ACT_KEPT;
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

/* Only of one who is in: the time that it takes tells that the password was
 * right. When it fails the old hash is as good as before. */
static void renew_hash(struct visit *visit, const struct login_try *try)
{
    struct login_hash renewed;
    struct error_text why;
    const char *password = form_get(&visit->request.form, "password");
    if (login_renew_hash(visit->db, try->name, password, &renewed))
        portal_act(visit->portal, visit->now, NULL, keep_hash, &renewed, &why);
}

/* Said to who knows the password, and to nobody else. */
static void refuse_ended(struct visit *visit, const char *name)
{
    struct account account = {0};
    account_find(visit->db, name, &account);
    visit_refuse_with(
        visit, &(struct refused_words){
                   .refusal = REFUSED_MANDATE,
                   .values = TEXT_ARGUMENTS(text_end("end", account.end)),
               });
}

/* To where he wanted, by way of the second factor where there is one. */
static void go_on(struct visit *visit, const struct entrance *e,
                  const char *next)
{
    const char *encoded = form_encode(next, visit->arena);
    const char *code = arena_format(visit->arena, "/login/code?next=%s",
                                    encoded != NULL ? encoded : "");
    visit_redirect(
        visit, e->start.stage == SESSION_FULL || code == NULL ? next : code);
}

void login_post(struct visit *visit)
{
    const char *next = login_next(form_get(&visit->request.form, "next"));
    struct entrance e = {.result = LOGIN_REFUSED};
    unsigned wait_s = 0;
    set_entrance(visit, &e);
    if (!visit_has_form_token(visit)) {
        visit->response->status = 403;
        show_form(visit, form_get(&visit->request.form, "name"), next,
                  visit_has_form_cookie(visit) ? EXPIRED : NO_COOKIE);
        return;
    }
    e.gate = login_ask(visit->db, visit->now, &e.try, &wait_s);
    if (e.gate == LOGIN_PACED) {
        visit->response->status = 429;
        http_response_header(visit->response, "Retry-After", "%u", wait_s);
        show_form(visit, form_get(&visit->request.form, "name"), next, BUSY);
        return;
    }
    if (e.gate != LOGIN_UNREAD)
        try_to_enter(visit, &e);
    if (e.gate == LOGIN_UNREAD || e.result == LOGIN_FAILED) {
        visit_fail_db(visit);
    } else if (e.result == LOGIN_OK) {
        renew_hash(visit, &e.try);
        visit_set_cookie(visit, VISIT_SESSION_COOKIE, e.token, 0);
        go_on(visit, &e, next);
    } else if (e.result == LOGIN_ENDED) {
        refuse_ended(visit, e.try.name);
    } else {
        visit->response->status = 401;
        show_form(visit, form_get(&visit->request.form, "name"), next, REFUSED);
    }
}

static enum act_end let_out(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    (void)now;
    if (session_end(db, context))
        return ACT_KEPT;
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

void logout_post(struct visit *visit)
{
    struct error_text why;
    struct audit_entry entry = {visit->caller.account.name, "logout", "", "OK"};
    const char *token = form_get(&visit->request.cookies, VISIT_SESSION_COOKIE);
    bool good = portal_act(visit->portal, visit->now, &entry, let_out,
                           (void *)token, &why) == ACT_KEPT;
    if (!good) {
        visit_refuse(visit, REFUSED_INTERNAL);
        return;
    }
    visit_set_cookie(visit, VISIT_SESSION_COOKIE, "", 0);
    visit_redirect(visit, "/");
}
