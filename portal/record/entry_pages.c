/* See entry_pages.h. */
#include "portal/record/entry_pages.h"

#include <string.h>

#include "portal/access/login.h"
#include "portal/access/password.h"
#include "portal/access/sign_up.h"
#include "portal/record/small_form.h"

/* --- signing up --- */

static const char *const KINDS[] = {"enterprise", "supplier", NULL};
static const struct choices KIND_CHOICES = {KINDS, "signup.kind.", NULL};

static const struct field REGISTER_FIELDS[] = {
    {"kind", FIELD_CHOICE, TEXT_KEY("signup.kind"), .choices = &KIND_CHOICES},
    {"person", FIELD_TEXT, TEXT_KEY("account.person"), .max = 40,
     .autocomplete = "name", .privacy = FIELD_PERSON},
    {"mail", FIELD_MAIL, TEXT_KEY("account.mail"),
     .hint = TEXT_KEY("signup.mail.hint"), .autocomplete = "email",
     .privacy = FIELD_PERSON},
    {"mobile", FIELD_MOBILE, TEXT_KEY("account.mobile"), .autocomplete = "tel",
     .privacy = FIELD_PERSON},
};
static const struct field MAIL_FIELD[] = {
    {"mail", FIELD_MAIL, TEXT_KEY("account.mail"), .autocomplete = "email",
     .privacy = FIELD_PERSON},
};

static const struct form_step REGISTER_STEP = {
    .fields = REGISTER_FIELDS,
    .count = sizeof(REGISTER_FIELDS) / sizeof(REGISTER_FIELDS[0])};
static const struct form_step MAIL_STEP = {.fields = MAIL_FIELD, .count = 1};
static const struct form REGISTER = SMALL_FORM("register", &REGISTER_STEP);
static const struct form FORGOTTEN = SMALL_FORM("forgotten", &MAIL_STEP);

static const struct form *form_of(bool is_sign_up)
{
    return is_sign_up ? &REGISTER : &FORGOTTEN;
}

/* Both pages: a form, or the sentence that a mail is on its way. */
static void show_asking(struct visit *visit, struct answers *answers,
                        bool is_sign_up)
{
    visit_form_token(visit);
    if (answers != NULL)
        small_form_show(visit, form_of(is_sign_up), answers);
    model_bool(visit->model, "_is_sign_up", is_sign_up);
    model_bool(visit->model, "_is_done", answers == NULL);
    model_bool(visit->model, "_has_mail", visit->config->public_url[0] != '\0');
    visit_show(visit, "asking",
               is_sign_up ? TEXT_KEY("signup.title")
                          : TEXT_KEY("forgotten.title"));
}

void register_show(struct visit *visit)
{
    struct answers answers = small_form_read(visit, &REGISTER);
    show_asking(visit, &answers, true);
}

void forgotten_show(struct visit *visit)
{
    struct answers answers = small_form_read(visit, &FORGOTTEN);
    show_asking(visit, &answers, false);
}

static void fill(struct visit *visit, const struct answers *answers,
                 struct login_try *try, struct sign_up *sign_up)
{
    login_try_set(try, &portal_keys(visit->portal)->name, "", &visit->visitor);
    *sign_up = (struct sign_up){
        .network = try->network,
        .display_name = answers_text(answers, "person"),
        .role = strcmp(answers_text(answers, "kind"), "supplier") == 0
                    ? ROLE_SUPP
                    : ROLE_ENT,
        .keys = portal_keys(visit->portal),
        .public_url = visit->config->public_url,
        .language = visit->caller.language,
    };
    mail_address_read(slice_of_text(answers_text(answers, "mail")),
                      &sign_up->mail);
    mobile_number_read(slice_of_text(answers_text(answers, "mobile")),
                       &sign_up->mobile);
}

static void ask(struct visit *visit, bool is_sign_up)
{
    struct answers answers = small_form_read(visit, form_of(is_sign_up));
    struct login_try try;
    struct sign_up sign_up;
    struct error_text why;
    if (!small_form_check(visit, form_of(is_sign_up), &answers)) {
        visit->response->status = 422;
        show_asking(visit, &answers, is_sign_up);
        return;
    }
    fill(visit, &answers, &try, &sign_up);
    enum act_end end = portal_act(
        visit->portal, visit->now, NULL,
        is_sign_up ? sign_up_account : sign_up_forgotten, &sign_up, &why);
    if (end == ACT_KEPT)
        show_asking(visit, NULL, is_sign_up);
    else if (sign_up.is_too_often)
        visit_refuse(visit, REFUSED_TOO_OFTEN);
    else
        visit_refuse(visit, REFUSED_INTERNAL);
}

void register_post(struct visit *visit)
{
    ask(visit, true);
}

void forgotten_post(struct visit *visit)
{
    ask(visit, false);
}

/* --- choosing a password --- */

/* The names of the body in both languages, as words of its people. */
static const char *body_words(struct visit *visit,
                              const struct account *account)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT name_zh || ' ' || name_en FROM city WHERE code = :id"
                   " UNION ALL SELECT name_zh || ' ' || name_en FROM supplier"
                   " WHERE id = :id UNION ALL SELECT name_zh || ' ' || name_en"
                   " FROM enterprise WHERE id = :id");
    const char *words = "";
    if (s == NULL)
        return words;
    db_bind_text(s, ":id", account->organisation);
    if (db_step(s) == DB_ROW)
        words = arena_copy_text(visit->arena, slice_of_text(db_text(s, 0)));
    db_reset(s);
    return words != NULL ? words : "";
}

const char *entry_password_fault(struct visit *visit,
                                 const struct account *account)
{
    const char *password = form_get(&visit->request.form, "password");
    const char *const words[] = {
        account->name,         account->display_name,      account->mail.text,
        account->organisation, body_words(visit, account), NULL};
    enum password_fault fault = password_judge(password, words);
    if (fault != PASSWORD_FINE)
        return password_fault_text(fault);
    return strcmp(password, form_get(&visit->request.form, "again")) == 0
               ? NULL
               : TEXT_KEY("password.fault.DIFFERENT");
}

static void show_choice(struct visit *visit, const struct account *account,
                        const char *fault)
{
    visit_form_token(visit);
    model_text(visit->model, "_account_name", account->name);
    model_textf(visit->model, "_action", "/activate/%s",
                visit->request.arguments[0]);
    model_text(visit->model, "_fault",
               fault != NULL ? text_word(visit->caller.language, "", fault)
                             : "");
    visit_show(visit, "activate", TEXT_KEY("activate.title"));
}

/* Whose link it is. What is used up, over or none of ours is one answer. */
static bool find_owner(struct visit *visit, struct account *account)
{
    char name[ACCOUNT_NAME_LEN];
    if (account_link_find(visit->db, visit->now, visit->request.arguments[0],
                          name) &&
        account_find(visit->db, name, account))
        return true;
    visit_refuse(visit, REFUSED_ACTIVATION);
    return false;
}

void activate_show(struct visit *visit)
{
    struct account account;
    if (find_owner(visit, &account))
        show_choice(visit, &account, NULL);
}

void activate_post(struct visit *visit)
{
    struct account account;
    struct error_text why;
    char hash[PASSWORD_HASH_LEN];
    struct password_act act = {.link = visit->request.arguments[0],
                               .hash = hash};
    if (!find_owner(visit, &account))
        return;
    const char *fault = entry_password_fault(visit, &account);
    if (fault != NULL) {
        visit->response->status = 422;
        show_choice(visit, &account, fault);
        return;
    }
    if (!password_hash(form_get(&visit->request.form, "password"), hash)) {
        visit_refuse(visit, REFUSED_INTERNAL);
        return;
    }
    enum act_end end =
        portal_act(visit->portal, visit->now, NULL, account_choose, &act, &why);
    if (end == ACT_KEPT)
        visit_redirect(visit, "/login?chosen=1");
    else
        visit_refuse(visit, end == ACT_REFUSED ? REFUSED_ACTIVATION
                                               : REFUSED_INTERNAL);
}
