/* See account_pages.h. */
#include "portal/record/account_pages.h"

#include <stdio.h>
#include <string.h>

#include "portal/access/account_life.h"
#include "portal/http/list_page.h"
#include "portal/record/account_list.h"
#include "portal/record/small_form.h"

/* --- whose --- */

static bool is_official(enum account_role role)
{
    return role != ROLE_ENT && role != ROLE_SUPP && role != ROLE_PUBLIC;
}

static bool is_same_body(const struct account *a, const struct account *b)
{
    return a->role == b->role && strcmp(a->organisation, b->organisation) == 0;
}

/* Of the same city; a county's id begins with its city's. */
static bool is_of_city(const struct account *account, const char *city)
{
    size_t length = strlen(city);
    return (account->role == ROLE_CITY || account->role == ROLE_OPC ||
            account->role == ROLE_COUNTY) &&
           strncmp(account->organisation, city, length) == 0 &&
           (account->organisation[length] == '\0' ||
            account->organisation[length] == '/');
}

/* By the matrix, "accounts of bureaux": D for the province, P for a city's own
 * operator; and everybody's own people, who ask for their recovery. */
static bool may_manage(const struct account *caller,
                       const struct account *account)
{
    if (caller->role == ROLE_ENT || caller->role == ROLE_SUPP)
        return is_same_body(caller, account);
    if (!permission_is_given(caller->role, ACTION_BUREAU_ACCOUNT))
        return false;
    if (permission_has_limit(caller->role, ACTION_BUREAU_ACCOUNT,
                             LIMIT_OWN_OPERATOR))
        return account->role == ROLE_OPC &&
               strcmp(caller->organisation, account->organisation) == 0;
    return caller->role == ROLE_PROV && is_official(account->role);
}

static bool may_see(const struct account *caller, const struct account *account)
{
    return may_manage(caller, account) ||
           (caller->role == ROLE_CITY &&
            is_of_city(account, caller->organisation));
}

static bool may_invite(const struct account *caller)
{
    return caller->role == ROLE_PROV || caller->role == ROLE_CITY ||
           caller->role == ROLE_ENT || caller->role == ROLE_SUPP;
}

static const char *list_of(const struct account *caller)
{
    return is_official(caller->role) ? "/accounts" : "/colleagues";
}

/* --- lists --- */

static void show_list(struct visit *visit, const struct list *list)
{
    if (visit->request.wants_json) {
        list_page_json(visit, list);
    } else if (list_page_fill(visit, list)) {
        model_bool(visit->model, "_may_invite",
                   may_invite(&visit->caller.account));
        visit_show(visit, "accounts", list->title);
    } else {
        visit_fail_db(visit);
    }
}

void accounts_show(struct visit *visit)
{
    show_list(visit, &ACCOUNT_LIST);
}

void colleagues_show(struct visit *visit)
{
    show_list(visit, &COLLEAGUE_LIST);
}

/* --- one account --- */

static bool find_account(struct visit *visit, struct account *account)
{
    if (account_find(visit->db, visit->request.arguments[0], account) &&
        may_see(&visit->caller.account, account))
        return true;
    visit_refuse(visit, REFUSED_NO_RECORD);
    return false;
}

/* To whom its work can go. */
static void add_colleagues(struct visit *visit, const struct account *account)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT name, display_name FROM account WHERE role = :role"
                   " AND organisation = :organisation AND state = 'ACTIVE'"
                   " AND name <> :name ORDER BY name");
    model_list(visit->model, "_colleagues");
    if (s == NULL)
        return;
    db_bind_text(s, ":role", account_role_text(account->role));
    db_bind_text(s, ":organisation", account->organisation);
    db_bind_text(s, ":name", account->name);
    int count = 0;
    for (; db_step(s) == DB_ROW; count++) {
        struct model *m = model_append(visit->model, "_colleagues");
        model_text(m, "colleague", db_text(s, 0));
        model_text(m, "person", db_text(s, 1));
    }
    model_bool(visit->model, "_has_colleagues", count > 0);
}

static void add_history(struct visit *visit, const struct account *account)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT at, action, actor FROM audit WHERE object = :name"
                   " AND (action GLOB 'account.*' OR action GLOB 'factor.*')"
                   " ORDER BY seq DESC LIMIT 20");
    model_list(visit->model, "_history");
    if (s == NULL)
        return;
    db_bind_text(s, ":name", account->name);
    while (db_step(s) == DB_ROW) {
        struct model *m = model_append(visit->model, "_history");
        model_moment(m, "at", (struct wall_time){db_i64(s, 0)});
        model_text(m, "what", visit_word(visit, "act.", db_text(s, 1)));
        model_text(m, "by", db_text(s, 2));
    }
}

/* What its body is called. */
static const char *body_of(struct visit *visit, const struct account *account)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT name_zh, name_en FROM city WHERE code = :id"
                   " UNION ALL SELECT name_zh, name_en FROM enterprise"
                   " WHERE id = :id UNION ALL SELECT name_zh, name_en"
                   " FROM supplier WHERE id = :id");
    const char *name = account->organisation;
    if (s == NULL)
        return name;
    db_bind_text(s, ":id", account->organisation);
    if (db_step(s) == DB_ROW)
        name = arena_copy_text(
            visit->arena,
            slice_of_text(visit_name(visit, db_text(s, 0), db_text(s, 1))));
    db_reset(s);
    return name != NULL ? name : account->organisation;
}

static void show_account(struct visit *visit, const struct account *account,
                         const char *refusal)
{
    struct model *m = visit->model;
    bool is_there = account->state != ACCOUNT_DISABLED;
    bool may = may_manage(&visit->caller.account, account);
    bool is_self = strcmp(account->name, visit->caller.account.name) == 0;
    model_text(m, "name", account->name);
    model_text(m, "person", account->display_name);
    model_text(m, "role", account_role_text(account->role));
    model_text(m, "state", account_state_text(account->state));
    model_text(m, "organisation", account->organisation);
    model_text(m, "mail", is_there ? account->mail.text : "");
    model_text(m, "mobile", is_there ? account->mobile.text : "");
    model_text(m, "_body", body_of(visit, account));
    model_text(m, "_role_words",
               visit_word(visit, "role.", account_role_text(account->role)));
    model_text(m, "_state_words",
               visit_word(visit, "account.state.",
                          account_state_text(account->state)));
    model_bool(m, "_has_factor", account->has_second_factor);
    model_text(m, "_list", list_of(&visit->caller.account));
    model_bool(m, "_may", may && !is_self);
    model_bool(m, "_is_disabled", !is_there);
    model_text(m, "_refusal",
               refusal != NULL ? text_word(visit->caller.language, "", refusal)
                               : "");
    model_text(m, "_done", form_get(&visit->request.query, "done"));
    add_colleagues(visit, account);
    add_history(visit, account);
    visit_show(visit, "account", TEXT_KEY("account.title"));
}

void account_show(struct visit *visit)
{
    struct account account;
    if (find_account(visit, &account))
        show_account(visit, &account, NULL);
}

/* --- acts --- */

static const struct {
    const char *word;
    act_fn *fn;
} ACTS[] = {
    {"disable", account_disable},     {"enable", account_enable},
    {"unlock", account_unlock},       {"reset", account_reset},
    {"hand-over", account_hand_over},
};

static act_fn *act_of(const char *word)
{
    for (size_t i = 0; i < sizeof(ACTS) / sizeof(ACTS[0]); i++)
        if (strcmp(ACTS[i].word, word) == 0)
            return ACTS[i].fn;
    return NULL;
}

static struct account_act new_act(struct visit *visit, const char *name)
{
    return (struct account_act){.by = visit->caller.account.name,
                                .name = name,
                                .to = form_get(&visit->request.form, "to"),
                                .keys = portal_keys(visit->portal),
                                .public_url = visit->config->public_url,
                                .language = visit->caller.language};
}

void account_act_post(struct visit *visit)
{
    struct account account;
    struct error_text why;
    act_fn *fn = act_of(visit->request.arguments[1]);
    if (!find_account(visit, &account))
        return;
    if (fn == NULL) {
        visit_refuse(visit, REFUSED_NO_PAGE);
        return;
    }
    if (!may_manage(&visit->caller.account, &account) ||
        strcmp(account.name, visit->caller.account.name) == 0) {
        visit_audit(visit, "account.act", account.name, "DENIED");
        visit_refuse(visit, REFUSED_ROLE);
        return;
    }
    struct account_act act = new_act(visit, account.name);
    enum act_end end =
        portal_act(visit->portal, visit->now, NULL, fn, &act, &why);
    const char *address =
        arena_format(visit->arena, "/accounts/%s?done=1", account.name);
    if (end == ACT_FAILED || address == NULL) {
        visit_refuse(visit, REFUSED_INTERNAL);
    } else if (end == ACT_REFUSED) {
        visit->response->status = 409;
        show_account(visit, &account, act.refusal);
    } else {
        visit_redirect(visit, address);
    }
}

/* --- a new one --- */

static const char *const ROLE_CODES[] = {
    "PROV", "EXP", "CITY", "COUNTY", "OPP", "OPC", "ALLI", "AUDT", NULL};
static const struct choices ROLE_CHOICES = {ROLE_CODES, "role.", NULL};
static const struct choices BODY_CHOICES = {
    .sql = "SELECT code, name_zh, name_en FROM city WHERE is_enabled = 1"
           " UNION ALL SELECT DISTINCT e.city_code || '/' || e.county,"
           " c.name_zh || ' ' || e.county, c.name_en || ' ' || e.county"
           " FROM enterprise e JOIN city c ON c.code = e.city_code"
           " WHERE e.county <> '' ORDER BY 1"};

static bool is_bound(const struct answers *answers)
{
    const char *role = answers_text(answers, "role");
    return strcmp(role, "CITY") == 0 || strcmp(role, "COUNTY") == 0 ||
           strcmp(role, "OPC") == 0;
}

#define PERSON_FIELDS                                                          \
    {"person", FIELD_TEXT, TEXT_KEY("account.person"), .max = 40,              \
     .privacy = FIELD_PERSON},                                                 \
        {"mail", FIELD_MAIL, TEXT_KEY("account.mail"),                         \
         .hint = TEXT_KEY("account.mail.hint"), .privacy = FIELD_PERSON},      \
    {                                                                          \
        "mobile", FIELD_MOBILE, TEXT_KEY("account.mobile"),                    \
            .is_optional = true, .privacy = FIELD_PERSON                       \
    }
#define NAME_FIELD                                                             \
    {                                                                          \
        "account", FIELD_TEXT, TEXT_KEY("account.name"),                       \
            .max = 64, .hint = TEXT_KEY("account.name.hint")                   \
    }

static const struct field OFFICIAL_FIELDS[] = {
    {"role", FIELD_CHOICE, TEXT_KEY("account.role"), .choices = &ROLE_CHOICES},
    {"body", FIELD_CHOICE, TEXT_KEY("account.organisation"),
     .hint = TEXT_KEY("account.organisation.hint"), .choices = &BODY_CHOICES,
     .is_optional = true, .is_asked = is_bound},
    NAME_FIELD,
    PERSON_FIELDS,
    {"until", FIELD_DAY, TEXT_KEY("account.ends"),
     .hint = TEXT_KEY("account.ends.hint"), .is_optional = true},
};
static const struct field OPERATOR_FIELDS[] = {
    NAME_FIELD,
    PERSON_FIELDS,
    {"until", FIELD_DAY, TEXT_KEY("account.ends")},
};
static const struct field COLLEAGUE_FIELDS[] = {NAME_FIELD, PERSON_FIELDS};

#define COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

static const struct form_step OFFICIAL_STEP = {.fields = OFFICIAL_FIELDS,
                                               .count = COUNT(OFFICIAL_FIELDS)};
static const struct form_step OPERATOR_STEP = {.fields = OPERATOR_FIELDS,
                                               .count = COUNT(OPERATOR_FIELDS)};
static const struct form_step COLLEAGUE_STEP = {
    .fields = COLLEAGUE_FIELDS, .count = COUNT(COLLEAGUE_FIELDS)};
static const struct form OFFICIAL = SMALL_FORM("official", &OFFICIAL_STEP);
static const struct form OPERATOR = SMALL_FORM("operator", &OPERATOR_STEP);
static const struct form COLLEAGUE = SMALL_FORM("colleague", &COLLEAGUE_STEP);

/* Which form somebody fills in for a new account. */
static const struct form *form_of(const struct visit *visit)
{
    if (visit->caller.account.role == ROLE_PROV)
        return &OFFICIAL;
    return visit->caller.account.role == ROLE_CITY ? &OPERATOR : &COLLEAGUE;
}

static void show_new(struct visit *visit, struct answers *answers)
{
    small_form_show(visit, form_of(visit), answers);
    model_text(visit->model, "_list", list_of(&visit->caller.account));
    model_bool(visit->model, "_has_mail", visit->config->public_url[0] != '\0');
    visit_show(visit, "account_new", TEXT_KEY("account.new.title"));
}

void account_new_show(struct visit *visit)
{
    if (!may_invite(&visit->caller.account)) {
        visit_refuse(visit, REFUSED_ROLE);
        return;
    }
    struct answers answers = small_form_read(visit, form_of(visit));
    show_new(visit, &answers);
}

/* What the form does not ask follows from who fills it in. */
static void fill_new(struct visit *visit, const struct answers *answers,
                     struct account *account)
{
    const struct account *caller = &visit->caller.account;
    struct civil_day day = {(int32_t)answers_number(answers, "until")};
    *account = (struct account){.role = caller->role};
    const char *body = caller->organisation;
    if (caller->role == ROLE_PROV) {
        account_role_from(answers_text(answers, "role"), &account->role);
        body = is_bound(answers) ? answers_text(answers, "body") : "";
    } else if (caller->role == ROLE_CITY) {
        account->role = ROLE_OPC;
    }
    snprintf(account->organisation, sizeof(account->organisation), "%s", body);
    snprintf(account->name, sizeof(account->name), "%s",
             answers_text(answers, "account"));
    snprintf(account->display_name, sizeof(account->display_name), "%s",
             answers_text(answers, "person"));
    mail_address_read(slice_of_text(answers_text(answers, "mail")),
                      &account->mail);
    mobile_number_read(slice_of_text(answers_text(answers, "mobile")),
                       &account->mobile);
    account->has_end = answers_text(answers, "until")[0] != '\0';
    account->end = day_start((struct civil_day){day.number + 1});
}

/* Why the row would not fit, at the field that it is about. */
static bool fits(struct visit *visit, struct answers *answers,
                 const struct account *account)
{
    struct account other;
    struct error_text why;
    if (account_find(visit->db, account->name, &other)) {
        small_form_refuse(answers, "account", "E_DUPLICATE",
                          TEXT_KEY("account.refused.taken"));
        return false;
    }
    if (account_role_is_dated(account->role) && !account->has_end) {
        small_form_refuse(answers, "until", "E_FIELD_REQUIRED",
                          TEXT_KEY("account.refused.until"));
        return false;
    }
    if (account_fits(visit->db, account, &why))
        return true;
    bool is_name = !slice_is_id(slice_of_text(account->name));
    small_form_refuse(
        answers,
        is_name || answers_find(answers, "body") == NULL ? "account" : "body",
        "E_FIELD_VALUE",
        is_name ? TEXT_KEY("account.refused.name")
                : TEXT_KEY("account.refused.body"));
    return false;
}

void account_new_post(struct visit *visit)
{
    struct account account;
    struct error_text why;
    if (!may_invite(&visit->caller.account)) {
        visit_refuse(visit, REFUSED_ROLE);
        return;
    }
    struct answers answers = small_form_read(visit, form_of(visit));
    bool good = small_form_check(visit, form_of(visit), &answers);
    fill_new(visit, &answers, &account);
    if (!good || !fits(visit, &answers, &account)) {
        visit->response->status = 422;
        show_new(visit, &answers);
        return;
    }
    struct account_act act = new_act(visit, account.name);
    act.account = &account;
    const char *address =
        arena_format(visit->arena, "/accounts/%s?done=1", account.name);
    if (address != NULL && portal_act(visit->portal, visit->now, NULL,
                                      account_invite, &act, &why) == ACT_KEPT)
        visit_redirect(visit, address);
    else
        visit_refuse(visit, REFUSED_INTERNAL);
}
