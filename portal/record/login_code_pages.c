/* See login_code_pages.h. */
#include "portal/record/login_code_pages.h"

#include <stdio.h>
#include <string.h>

#include "portal/access/login.h"
#include "portal/access/second_factor.h"
#include "portal/record/login_pages.h"

static void show(struct visit *visit, const char *next, bool is_wrong)
{
    visit_form_token(visit);
    model_text(visit->model, "_next", next);
    model_bool(visit->model, "_is_wrong", is_wrong);
    visit_show(visit, "login_code", TEXT_KEY("code.title"));
}

/* The session that waits for its code. */
static bool find_waiting(struct visit *visit, struct session *session)
{
    return session_find(visit->db, visit->now,
                        (unsigned)visit->config->session_idle_minutes,
                        form_get(&visit->request.cookies, VISIT_SESSION_COOKIE),
                        session) &&
           session->stage == SESSION_PASSWORD;
}

void login_code_show(struct visit *visit)
{
    struct session session;
    if (find_waiting(visit, &session))
        show(visit, login_next(form_get(&visit->request.query, "next")), false);
    else
        visit_redirect(visit, "/login");
}

struct second_half {
    const struct portal_keys *keys;
    struct login_try try;
    struct session_start start;
    const char *code;
    enum factor_result result;
    char token[SESSION_TOKEN_LEN];
};

static enum act_end enter(struct db *db, struct wall_time now, void *context,
                          struct error_text *error)
{
    struct second_half *h = context;
    const struct audit_entry entry = {.actor = h->try.name,
                                      .action = "login.code",
                                      .object = h->try.address,
                                      .result = "OK"};
    h->result = second_factor_check(db, h->keys, now, h->try.name, h->code);
    bool good = h->result != FACTOR_FAILED;
    if (h->result == FACTOR_WRONG)
        good = login_note(db, now, &h->try, LOGIN_REFUSED) != LOGIN_FAILED;
    if (h->result == FACTOR_RIGHT)
        good = session_begin(db, now, &h->start, h->token) &&
               audit_add(db, now, &entry);
    if (!good)
        error_set(error, "%s", db_error(db));
    return good ? ACT_KEPT : ACT_FAILED;
}

static void set_half(struct visit *visit, const struct session *session,
                     struct second_half *h)
{
    const char *agent =
        arena_copy_text(visit->arena, visit->request.http->user_agent);
    *h = (struct second_half){.keys = portal_keys(visit->portal),
                              .code = form_get(&visit->request.form, "code")};
    login_try_set(&h->try, &h->keys->name, session->account_name,
                  &visit->visitor);
    h->start = (struct session_start){
        .account_name = session->account_name,
        .old_token = form_get(&visit->request.cookies, VISIT_SESSION_COOKIE),
        .address = h->try.address,
        .agent = agent != NULL ? agent : "",
        .stage = SESSION_FULL,
        .idle_minutes = (unsigned)visit->config->session_idle_minutes,
    };
}

void login_code_post(struct visit *visit)
{
    const char *next = login_next(form_get(&visit->request.form, "next"));
    struct session session;
    struct second_half h;
    struct error_text why;
    unsigned wait_s;
    if (!find_waiting(visit, &session)) {
        visit_redirect(visit, "/login");
        return;
    }
    set_half(visit, &session, &h);
    if (login_ask(visit->db, visit->now, &h.try, &wait_s) != LOGIN_OPEN) {
        visit->response->status = 401;
        show(visit, next, true);
        return;
    }
    if (portal_act(visit->portal, visit->now, NULL, enter, &h, &why) !=
        ACT_KEPT) {
        visit_refuse(visit, REFUSED_INTERNAL);
    } else if (h.result == FACTOR_RIGHT) {
        visit_set_cookie(visit, VISIT_SESSION_COOKIE, h.token, 0);
        visit_redirect(visit, next);
    } else {
        visit->response->status = 401;
        show(visit, next, true);
    }
}
