/* See visit.h. */
#include "portal/http/visit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "portal/form/refusal.h"
#include "portal/pages/versions.inc"
#include "portal/show/template.h"
#include "portal/store/audit.h"

enum { AUDIT_OBJECT_MAX = 100, SENTENCE_MAX = 2048, FORM_COOKIE_BYTES = 16 };

void visit_set_cookie(struct visit *visit, const char *name, const char *value,
                      long max_age_s)
{
    char age[32] = "";
    if (value[0] == '\0')
        snprintf(age, sizeof(age), "; Max-Age=0");
    else if (max_age_s > 0)
        snprintf(age, sizeof(age), "; Max-Age=%ld", max_age_s);
    http_response_header(visit->response, "Set-Cookie",
                         "%s%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
                         visit->config->secure_cookie ? FORM_COOKIE_HOST : "",
                         name, value,
                         visit->config->secure_cookie ? "; Secure" : "", age);
}

bool visit_has_form_cookie(const struct visit *visit)
{
    return strlen(form_get(&visit->request.cookies, VISIT_FORM_COOKIE)) ==
           2 * FORM_COOKIE_BYTES;
}

void visit_form_token(struct visit *visit)
{
    char fresh[2 * FORM_COOKIE_BYTES + 1], token[SESSION_CSRF_LEN];
    char masked[SESSION_MASKED_LEN];
    const char *cookie = form_get(&visit->request.cookies, VISIT_FORM_COOKIE);
    if (!visit_has_form_cookie(visit)) {
        uint8_t bytes[FORM_COOKIE_BYTES];
        random_bytes(bytes, sizeof(bytes));
        hex_of(bytes, sizeof(bytes), fresh);
        visit_set_cookie(visit, VISIT_FORM_COOKIE, fresh, 0);
        cookie = fresh;
    }
    session_form_token(&portal_keys(visit->portal)->form, cookie, token);
    session_csrf_mask(token, masked);
    model_text(visit->model, "_form_token", masked);
}

bool visit_has_form_token(const struct visit *visit)
{
    char wanted[SESSION_CSRF_LEN];
    session_form_token(&portal_keys(visit->portal)->form,
                       form_get(&visit->request.cookies, VISIT_FORM_COOKIE),
                       wanted);
    return visit_has_form_cookie(visit) &&
           session_csrf_matches(wanted, form_get(&visit->request.form, "csrf"));
}

bool visit_needs_factor(const struct visit *visit)
{
    const struct account *account = &visit->caller.account;
    return visit->config->second_factor && visit->caller.has_account &&
           !visit->caller.is_program &&
           account_role_needs_factor(account->role) &&
           !account->has_second_factor;
}

void visit_redirect(struct visit *visit, const char *address)
{
    visit->response->status = 303;
    http_response_header(visit->response, "Location", "%s", address);
}

bool visit_audit(struct visit *visit, const char *action, const char *object,
                 const char *result)
{
    /* What is asked for comes from outside and can be long. */
    const char *shown = strlen(object) <= AUDIT_OBJECT_MAX ? object : "(long)";
    struct audit_entry entry = {visit->caller.account.name, action, shown,
                                result};
    struct error_text why;
    return portal_act(visit->portal, visit->now, &entry, NULL, NULL, &why) ==
           ACT_KEPT;
}

const char *visit_name(const struct visit *visit, const char *zh,
                       const char *en)
{
    return visit->caller.language == LANGUAGE_EN && en[0] != '\0' ? en : zh;
}

const char *visit_word(const struct visit *visit, const char *prefix,
                       const char *code)
{
    return text_word(visit->caller.language, prefix, code);
}

/* This page's address in a language: its other query fields stay. */
static void add_language_link(struct visit *visit, struct model *page,
                              const char *key, enum language language)
{
    struct buffer link;
    buffer_init(&link, HTTP_ADDRESS_MAX);
    buffer_add_text(&link, "?");
    for (size_t i = 0; i < visit->request.query.count; i++) {
        const struct form_field *field = &visit->request.query.fields[i];
        if (strcmp(field->name, "lang") != 0)
            buffer_addf(&link, "%s=%s&", form_encode(field->name, visit->arena),
                        form_encode(field->value, visit->arena));
    }
    buffer_addf(&link, "lang=%s", language_code(language));
    if (link.failed)
        buffer_reset(&link);
    model_slice(page, key, buffer_slice(&link));
    buffer_clear(&link);
}

static void add_account(struct visit *visit, struct model *page)
{
    if (!visit->caller.has_account)
        return;
    char token[SESSION_MASKED_LEN];
    const struct account *account = &visit->caller.account;
    struct model *m = model_object(page, "_account");
    model_text(m, "name", account->display_name);
    model_text(m, "role",
               visit_word(visit, "role.", account_role_text(account->role)));
    session_csrf_mask(visit->caller.session.csrf, token);
    model_text(page, "_csrf", token);
}

/* An entry stands there for whoever may open it. */
static void add_menu(struct visit *visit, struct model *page)
{
    static const struct {
        enum menu menu;
        const char *sees, *is_lit;
    } ENTRIES[] = {
        {MENU_WORK, "_sees_work", "_at_work"},
        {MENU_MESSAGES, "_sees_messages", "_at_messages"},
        {MENU_VOUCHERS, "_sees_vouchers", "_at_vouchers"},
        {MENU_TABLES, "_sees_tables", "_at_tables"},
        {MENU_PROBES, "_sees_probes", "_at_probes"},
        {MENU_EVENTS, "_sees_events", "_at_events"},
        {MENU_REGISTRATION, "_sees_registration", "_at_registration"},
        {MENU_REGISTRATIONS, "_sees_registrations", "_at_registrations"},
        {MENU_ACCOUNTS, "_sees_accounts", "_at_accounts"},
        {MENU_COLLEAGUES, "_sees_colleagues", "_at_colleagues"},
    };
    for (size_t i = 0; i < sizeof(ENTRIES) / sizeof(ENTRIES[0]); i++) {
        const struct route *route = route_of_menu(visit->site, ENTRIES[i].menu);
        model_bool(page, ENTRIES[i].sees,
                   route != NULL && visit->caller.has_account &&
                       route_is_open(route, &visit->caller.account));
        model_bool(page, ENTRIES[i].is_lit, visit->menu == ENTRIES[i].menu);
    }
}

static void add_frame(struct visit *visit, const char *page_name,
                      const char *title)
{
    struct model *page = visit->model;
    model_text(page, "_lang", language_tag(visit->caller.language));
    model_bool(page, "_is_zh", visit->caller.language == LANGUAGE_ZH);
    struct model_value value;
    model_text(page, "_title", title);
    if (!model_find(page, model_name_of(SLICE("_has_errors")), &value))
        model_bool(page, "_has_errors", false);
    model_text(page, "_style", STYLE_VERSION);
    model_text(page, "_icon", ICON_VERSION);
    model_bool(page, "_demo", visit->config->demo_banner);
    model_bool(page, "_has_usage", visit->worker->others.is_there[OTHER_USAGE]);
    model_bool(page, "_has_verdict",
               visit->worker->others.is_there[OTHER_VERDICT]);
    model_bool(page, "_usage_is_older",
               visit->worker->others.is_older[OTHER_USAGE]);
    model_bool(page, "_verdict_is_older",
               visit->worker->others.is_older[OTHER_VERDICT]);
    add_menu(visit, page);
    model_bool(page, "_is_full", strcmp(page_name, "table") == 0);
    add_language_link(visit, page, "_zh_link", LANGUAGE_ZH);
    add_language_link(visit, page, "_en_link", LANGUAGE_EN);
    add_account(visit, page);
}

static bool render(struct visit *visit, const char *page, const char *title)
{
    struct error_text error = {"no memory"};
    struct http_response *response = visit->response;
    buffer_reset(&response->body);
    response->content_type = "text/html; charset=utf-8";
    add_frame(visit, page, title);
    if (!model_failed(visit->model) &&
        template_render(visit->pages, page, visit->caller.language,
                        visit->model, &response->body, &error))
        return true;
    log_error("page %s: %s", page, error.text);
    return false;
}

void visit_show(struct visit *visit, const char *page, const char *title)
{
    assert(!visit->request.wants_json);
    if (!render(visit, page, visit_word(visit, "", title)))
        visit_refuse(visit, REFUSED_INTERNAL);
}

static void fill_sentence(struct visit *visit, const char *key,
                          const struct refused_words *words,
                          enum refused_part part)
{
    struct buffer text;
    buffer_init(&text, SENTENCE_MAX);
    refused_text(words, part, visit->caller.language, &text);
    model_slice(visit->model, key, buffer_slice(&text));
    buffer_clear(&text);
}

static bool show_refusal(struct visit *visit, const struct refused_words *words)
{
    const char *code = refused_code(words->refusal);
    visit->model = model_new(visit->arena);
    model_i64(visit->model, "status", visit->response->status);
    model_text(visit->model, "code", code);
    fill_sentence(visit, "error", words, REFUSED_MEANING);
    fill_sentence(visit, "help", words, REFUSED_HELP);
    model_bool(visit->model, "may_login",
               !visit->caller.has_account && visit->response->status == 401);
    return render(visit, "error", visit_word(visit, "refusal.", code));
}

static bool write_refusal(struct visit *visit,
                          const struct refused_words *words)
{
    struct http_response *response = visit->response;
    buffer_reset(&response->body);
    response->content_type = "application/json; charset=utf-8";
    refused_write_json(words, &response->body);
    return !response->body.failed;
}

void visit_refuse_with(struct visit *visit, const struct refused_words *words)
{
    struct http_response *response = visit->response;
    int retry_s = refused_retry_s(words->refusal);
    response->status = refused_status(words->refusal);
    if (retry_s > 0)
        http_response_header(response, "Retry-After", "%d", retry_s);
    if (visit->request.wants_json ? write_refusal(visit, words)
                                  : show_refusal(visit, words))
        return;
    response->status = 500;
    response->content_type = "text/plain; charset=utf-8";
    buffer_reset(&response->body);
    buffer_add_text(&response->body, "500\n");
}

void visit_refuse(struct visit *visit, enum refused refusal)
{
    visit_refuse_with(visit, &(struct refused_words){.refusal = refusal});
}

static void write_act_refusal(struct visit *visit,
                              const struct refusal *refusal)
{
    struct http_response *response = visit->response;
    struct refused_answer answer = {
        .status = response->status,
        .code = refusal->code,
        .field = refusal->field,
    };
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        enum language language = (enum language)i;
        answer.meaning[i] = refusal_words(refusal, language, visit->arena);
        answer.help[i] = text_word(language, "", "refusal.help.act");
    }
    buffer_reset(&response->body);
    response->content_type = "application/json; charset=utf-8";
    refused_answer_write(&answer, &response->body);
}

void visit_refuse_act(struct visit *visit, const struct refusal *refusal)
{
    const char *words =
        refusal_words(refusal, visit->caller.language, visit->arena);
    visit->response->status = refused_status_of_code(refusal->code);
    if (visit->request.wants_json) {
        write_act_refusal(visit, refusal);
        return;
    }
    visit->model = model_new(visit->arena);
    model_i64(visit->model, "status", visit->response->status);
    model_text(visit->model, "code", refusal->code);
    model_text(visit->model, "error", words);
    model_text(visit->model, "help", visit_word(visit, "", "refusal.help.act"));
    model_bool(visit->model, "may_login", false);
    if (!render(visit, "error", words))
        visit_refuse(visit, REFUSED_INTERNAL);
}

void visit_fail_db(struct visit *visit)
{
    log_error("%.*s: %s", (int)visit->request.http->path.length,
              visit->request.http->path.data, db_error(visit->db));
    visit_refuse(visit, REFUSED_INTERNAL);
}
