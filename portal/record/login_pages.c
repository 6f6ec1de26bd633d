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
    const char *cookie = form_get(&visit->request.cookies, VISIT_FORM_COOKIE);
    if (strlen(cookie) != 2 * FORM_COOKIE_BYTES) {
        uint8_t bytes[FORM_COOKIE_BYTES];
        random_bytes(bytes, sizeof(bytes));
        hex_of(bytes, sizeof(bytes), fresh);
        visit_set_cookie(visit, VISIT_FORM_COOKIE, fresh, 0);
        cookie = fresh;
    }
    session_form_token(cookie, token);
    model_text(visit->model, "_form_token", token);
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

/* Second half of a login, in one transaction: the lock, the new session, the
 * audit row. */
static enum account_login finish(struct visit *visit, const char *name,
                                 enum account_login checked,
                                 char token[static SESSION_TOKEN_LEN])
{
    const char *old = form_get(&visit->request.cookies, VISIT_SESSION_COOKIE);
    unsigned idle = (unsigned)visit->config->session_idle_minutes;
    struct db *db = portal_write_begin(visit->portal);
    if (db == NULL)
        return LOGIN_FAILED;
    enum account_login result =
        account_note_login(db, visit->now, name, checked);
    if (result == LOGIN_OK &&
        !session_begin(db, visit->now, idle, name, old, token))
        result = LOGIN_FAILED;
    if (!portal_write_end(visit->portal, result != LOGIN_FAILED))
        result = LOGIN_FAILED;
    return result;
}

void login_post(struct visit *visit)
{
    char token[SESSION_TOKEN_LEN] = "";
    const char *name = form_get(&visit->request.form, "name");
    const char *next = safe_next(form_get(&visit->request.form, "next"));
    enum account_login result = account_check_password(
        visit->db, name, form_get(&visit->request.form, "password"));
    if (result == LOGIN_OK || result == LOGIN_REFUSED)
        result = finish(visit, name, result, token);
    if (result == LOGIN_OK) {
        visit_set_cookie(visit, VISIT_SESSION_COOKIE, token, 0);
        visit_redirect(visit, next);
    } else if (result == LOGIN_FAILED) {
        visit_fail_db(visit);
    } else {
        visit->response->status = 401;
        show_form(visit, name, next, true);
    }
}

void logout_post(struct visit *visit)
{
    struct audit_entry entry = {visit->caller.account.name, "logout", "", "OK"};
    struct db *db = portal_write_begin(visit->portal);
    bool good = db != NULL &&
                session_end(db, form_get(&visit->request.cookies,
                                         VISIT_SESSION_COOKIE)) &&
                audit_add(db, visit->now, &entry);
    if (db != NULL)
        good = portal_write_end(visit->portal, good);
    if (!good) {
        visit_fail(visit, 500);
        return;
    }
    visit_set_cookie(visit, VISIT_SESSION_COOKIE, "", 0);
    visit_redirect(visit, "/");
}
