/* See login_pages.h. */
#include "portal/record/login_pages.h"

#include <string.h>

#include "common/crypto/digest.h"
#include "portal/store/audit.h"

enum { FORM_COOKIE_BYTES = 16 };

/* Only an address of this site: "/x", not "//host" or "/\host". */
static const char *safe_next(const char *next)
{
    bool good = next[0] == '/' && next[1] != '/' && next[1] != '\\' &&
                strlen(next) < 300;
    return good ? next : "/vouchers";
}

/* The form's token belongs to a cookie, which is set when it is not there. */
static void add_form_token(struct visit *visit)
{
    char fresh[2 * FORM_COOKIE_BYTES + 1], token[SESSION_CSRF_LEN];
    char masked[SESSION_MASKED_LEN];
    const char *cookie = form_get(&visit->request.cookies, VISIT_FORM_COOKIE);
    if (strlen(cookie) != 2 * FORM_COOKIE_BYTES) {
        uint8_t bytes[FORM_COOKIE_BYTES];
        random_bytes(bytes, sizeof(bytes));
        hex_of(bytes, sizeof(bytes), fresh);
        visit_set_cookie(visit, VISIT_FORM_COOKIE, fresh, 0);
        cookie = fresh;
    }
    session_form_token(cookie, token);
    session_csrf_mask(token, masked);
    model_text(visit->model, "_form_token", masked);
}

static void show_form(struct visit *visit, const char *name, const char *next,
                      bool is_refused)
{
    add_form_token(visit);
    model_text(visit->model, "_name", name);
    model_text(visit->model, "_next", next);
    model_bool(visit->model, "_refused", is_refused);
    visit_show(visit, "login", "login.title");
}

void login_show(struct visit *visit)
{
    const char *next = safe_next(form_get(&visit->request.query, "next"));
    if (visit->caller.has_account)
        visit_redirect(visit, next);
    else
        show_form(visit, "", next, false);
}

/* A login's second half: the lock, the new session, the audit row. */
struct entrance {
    const char *name, *old_token;
    unsigned idle_minutes;
    enum account_login result; /* in: what the password said */
    char token[SESSION_TOKEN_LEN];
};

static enum act_end let_in(struct db *db, struct wall_time now, void *context,
                           struct error_text *error)
{
    struct entrance *e = context;
    e->result = account_note_login(db, now, e->name, e->result);
    if (e->result == LOGIN_OK &&
        !session_begin(db, now, e->idle_minutes, e->name, e->old_token,
                       e->token))
        e->result = LOGIN_FAILED;
    if (e->result != LOGIN_FAILED)
        return ACT_KEPT; /* a refusal leaves its count */
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

void login_post(struct visit *visit)
{
    const char *next = safe_next(form_get(&visit->request.form, "next"));
    struct error_text why;
    struct entrance e = {
        .name = form_get(&visit->request.form, "name"),
        .old_token = form_get(&visit->request.cookies, VISIT_SESSION_COOKIE),
        .idle_minutes = (unsigned)visit->config->session_idle_minutes,
    };
    e.result = account_check_password(
        visit->db, e.name, form_get(&visit->request.form, "password"));
    if (e.result != LOGIN_FAILED && portal_act(visit->portal, visit->now, NULL,
                                               let_in, &e, &why) != ACT_KEPT)
        e.result = LOGIN_FAILED;
    if (e.result == LOGIN_OK) {
        visit_set_cookie(visit, VISIT_SESSION_COOKIE, e.token, 0);
        visit_redirect(visit, next);
    } else if (e.result == LOGIN_FAILED) {
        visit_fail_db(visit);
    } else {
        visit->response->status = 401;
        show_form(visit, e.name, next, true);
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
        visit_fail(visit, 500);
        return;
    }
    visit_set_cookie(visit, VISIT_SESSION_COOKIE, "", 0);
    visit_redirect(visit, "/");
}
