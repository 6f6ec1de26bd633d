/* See enterprise_form.h. */
#include "portal/record/enterprise_form.h"

#include <stdio.h>
#include <string.h>

#include "portal/form/typed.h"

/* 10,000,000 yuan (ELIG-05). */
#define REVENUE_LEAST_FEN INT64_C(1000000000)

/* ---- choices ---- */

/* The first ones have legal personality; behind NOT_LEGAL they have not
 * (ELIG-01). */
static const char *const LEGAL_FORMS[] = {
    "LIMITED", "JOINT_STOCK", "STATE_OWNED", "COLLECTIVE", "COOPERATIVE",
    "BRANCH",  "PARTNERSHIP", "SOLE_OWNER",  "TRADER",     NULL};
enum { NOT_LEGAL = 5 };
static const struct choices LEGAL_FORM = {.codes = LEGAL_FORMS,
                                          .words = "legal_form."};

static const char *const SIZES[] = {"LARGE", "MEDIUM", "SMALL", "MICRO", NULL};
static const struct choices SIZE = {.codes = SIZES, .words = "size_class."};

static const struct choices CITY = {
    .sql = "SELECT code, name_zh, name_en FROM city WHERE is_enabled = 1"
           " ORDER BY code"};

/* ---- checks of a field ---- */

static void check_legal_form(const struct answers *answers,
                             struct answer *answer,
                             const struct form_context *context)
{
    (void)answers, (void)context;
    for (size_t i = NOT_LEGAL; answer->is_good && LEGAL_FORMS[i] != NULL; i++)
        if (strcmp(LEGAL_FORMS[i], answer->text) == 0)
            answer->is_good = refuse(
                &answer->refusal, "E_NOT_LEGAL_PERSON", answer->field->name,
                "registration.refusal.not_legal_person",
                text_code("value", "legal_form.", answer->text));
}

/* The divisions of GB/T 4754-2017, by their first two digits. */
static char section_of(unsigned division)
{
    static const struct {
        unsigned last;
        char section;
    } SECTIONS[] = {
        {5, 'A'},  {12, 'B'}, {43, 'C'}, {46, 'D'}, {50, 'E'},
        {52, 'F'}, {60, 'G'}, {62, 'H'}, {65, 'I'}, {69, 'J'},
        {70, 'K'}, {72, 'L'}, {75, 'M'}, {79, 'N'}, {82, 'O'},
        {83, 'P'}, {85, 'Q'}, {90, 'R'}, {96, 'S'}, {97, 'T'},
    };
    for (size_t i = 0; division > 0 && i < sizeof(SECTIONS) / sizeof(*SECTIONS);
         i++)
        if (division <= SECTIONS[i].last)
            return SECTIONS[i].section;
    return '\0';
}

/* "3311", "c3311" and "C33" to "C3311" and "C33": the letter follows from the
 * digits. False for what the standard has not; of a division's classes the
 * number of digits alone is looked at. */
static bool read_industry(const char *typed, char code[static 8])
{
    uint64_t number;
    struct slice digits = slice_of_text(typed);
    char letter = '\0';
    if (digits.length > 0 && (digits.data[0] < '0' || digits.data[0] > '9')) {
        letter = digits.data[0] >= 'a' ? (char)(digits.data[0] - 'a' + 'A')
                                       : digits.data[0];
        digits = slice_of_bytes(digits.data + 1, digits.length - 1);
    }
    if (digits.length < 2 || digits.length > 4 ||
        !parse_u64(slice_of_bytes(digits.data, 2), 1, 99, &number))
        return false;
    for (size_t i = 0; i < digits.length; i++)
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
    char section = section_of((unsigned)number);
    if (section == '\0' || (letter != '\0' && letter != section))
        return false;
    snprintf(code, 8, "%c%.*s", section, (int)digits.length, digits.data);
    return true;
}

static void check_industry(const struct answers *answers, struct answer *answer,
                           const struct form_context *context)
{
    char code[8];
    (void)context;
    const char *typed =
        typed_code(slice_of_text(answer->typed), answers->arena);
    if (typed != NULL && read_industry(typed, code)) {
        const char *copy = arena_copy_text(answers->arena, slice_of_text(code));
        answer->text = copy != NULL ? copy : "";
        return;
    }
    answer->is_good = refuse(
        &answer->refusal, "E_FIELD_VALUE", answer->field->name,
        "registration.refusal.industry", text_plain("value", answer->typed));
}

/* 1: enabled, 0: not, -1: no city of the list (ORG-14). */
static int city_state(struct db *db, const char *code)
{
    struct db_statement *s = db != NULL
                                 ? db_prepare(db, "SELECT is_enabled FROM city"
                                                  " WHERE code = :code")
                                 : NULL;
    int state = -1;
    if (s == NULL)
        return state;
    db_bind_text(s, ":code", code);
    if (db_step(s) == DB_ROW)
        state = (int)db_i64(s, 0);
    db_reset(s);
    return state;
}

static void check_city(const struct answers *answers, struct answer *answer,
                       const struct form_context *context)
{
    (void)answers;
    int state = city_state(context->db, answer->typed);
    if (state == 1)
        return;
    answer->is_good = false;
    if (state == 0)
        refuse(&answer->refusal, "E_CITY_NOT_ENABLED", answer->field->name,
               "registration.refusal.city_not_enabled",
               text_plain("value", answer->typed));
    else
        refuse(&answer->refusal, "E_NOT_GUANGDONG", answer->field->name,
               "registration.refusal.not_guangdong",
               text_plain("value", answer->typed));
}

/* Brackets and blanks are written in two ways, and are the same name. */
static const char *plain_name(const char *name, struct arena *arena)
{
    const char *code = typed_code(slice_of_text(name), arena);
    return code != NULL ? code : "";
}

static void check_account_name(const struct answers *answers,
                               struct answer *answer,
                               const struct form_context *context)
{
    (void)context;
    const char *name = answers_text(answers, "name");
    if (!answer->is_good || name[0] == '\0' ||
        strcmp(plain_name(name, answers->arena),
               plain_name(answer->text, answers->arena)) == 0)
        return;
    answer->is_good =
        refuse(&answer->refusal, "E_ACCOUNT_NAME", answer->field->name,
               "registration.refusal.account_name",
               text_plain("value", answer->text), text_plain("name", name));
}

/* ---- the fields ---- */

static bool is_certified(const struct answers *answers)
{
    return answers_is_yes(answers, "certified");
}

static const struct field BASICS[] = {
    {.name = "name",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.name"),
     .hint = TEXT_KEY("registration.name.hint"),
     .min = 2,
     .max = 100,
     .autocomplete = "organization",
     .requirement = "ENT-01"},
    {.name = "credit_code",
     .kind = FIELD_CREDIT_CODE,
     .label = TEXT_KEY("registration.credit_code"),
     .hint = TEXT_KEY("registration.credit_code.hint"),
     .requirement = "ENT-01"},
    {.name = "legal_form",
     .kind = FIELD_CHOICE,
     .label = TEXT_KEY("registration.legal_form"),
     .hint = TEXT_KEY("registration.legal_form.hint"),
     .choices = &LEGAL_FORM,
     .check = check_legal_form,
     .requirement = "ELIG-01"},
    {.name = "industry",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.industry"),
     .hint = TEXT_KEY("registration.industry.hint"),
     .max = 20,
     .check = check_industry,
     .requirement = "ELIG-02"},
    {.name = "established",
     .kind = FIELD_DAY,
     .label = TEXT_KEY("registration.established"),
     .hint = TEXT_KEY("registration.established.hint"),
     .is_not_future = true,
     .requirement = "ELIG-04"},
};

static const struct field PLACE[] = {
    {.name = "city",
     .kind = FIELD_CHOICE,
     .label = TEXT_KEY("registration.city"),
     .hint = TEXT_KEY("registration.city.hint"),
     .choices = &CITY,
     .check = check_city,
     .requirement = "ENT-05"},
    {.name = "county",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.county"),
     .max = 40,
     .requirement = "ENT-05"},
    {.name = "address",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.address"),
     .hint = TEXT_KEY("registration.address.hint"),
     .autocomplete = "street-address",
     .requirement = "ENT-05"},
};

static const struct field BUSINESS[] = {
    {.name = "revenue",
     .kind = FIELD_MONEY,
     .label = TEXT_KEY("registration.revenue"),
     .hint = TEXT_KEY("registration.revenue.hint"),
     .requirement = "ELIG-05"},
    {.name = "revenue_year",
     .kind = FIELD_YEAR,
     .label = TEXT_KEY("registration.revenue_year"),
     .is_not_future = true,
     .requirement = "ELIG-05"},
    {.name = "staff",
     .kind = FIELD_COUNT,
     .label = TEXT_KEY("registration.staff"),
     .max = 1000000,
     .is_optional = true},
    {.name = "size",
     .kind = FIELD_CHOICE,
     .label = TEXT_KEY("registration.size"),
     .choices = &SIZE,
     .is_optional = true},
};

static const struct field CERTIFICATION[] = {
    {.name = "certified",
     .kind = FIELD_YES_NO,
     .label = TEXT_KEY("registration.certified"),
     .hint = TEXT_KEY("registration.certified.hint"),
     .is_optional = true,
     .requirement = "ENT-09"},
    {.name = "certificate_number",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.certificate_number"),
     .hint = TEXT_KEY("registration.if_certified"),
     .max = 64,
     .is_asked = is_certified,
     .requirement = "ENT-09"},
    {.name = "certificate_day",
     .kind = FIELD_DAY,
     .label = TEXT_KEY("registration.certificate_day"),
     .hint = TEXT_KEY("registration.if_certified"),
     .is_not_future = true,
     .is_asked = is_certified,
     .requirement = "ENT-09"},
    {.name = "certificate",
     .kind = FIELD_FILE,
     .label = TEXT_KEY("registration.certificate"),
     .hint = TEXT_KEY("registration.if_certified"),
     .max = 3,
     .is_asked = is_certified,
     .requirement = "ENT-09"},
    {.name = "award_received",
     .kind = FIELD_YES_NO,
     .label = TEXT_KEY("registration.award_received"),
     .hint = TEXT_KEY("registration.award_received.hint"),
     .is_asked = is_certified,
     .requirement = "AWARD-10"},
};

static const struct field SHAREHOLDER[] = {
    {.name = "name",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.shareholder_name"),
     .max = 100,
     .privacy = FIELD_PERSON},
    {.name = "share",
     .kind = FIELD_COUNT,
     .label = TEXT_KEY("registration.shareholder_share"),
     .min = 20,
     .max = 100},
};

static const struct field PEOPLE[] = {
    {.name = "legal_representative",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.legal_representative"),
     .max = 60,
     .is_optional = true,
     .privacy = FIELD_PERSON},
    {.name = "shareholders",
     .kind = FIELD_ROWS,
     .label = TEXT_KEY("registration.shareholders"),
     .hint = TEXT_KEY("registration.shareholders.hint"),
     .max = 5,
     .rows = SHAREHOLDER,
     .row_fields = sizeof(SHAREHOLDER) / sizeof(SHAREHOLDER[0]),
     .is_optional = true},
    {.name = "contact",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.contact"),
     .max = 60,
     .autocomplete = "name",
     .privacy = FIELD_PERSON},
    {.name = "mobile",
     .kind = FIELD_MOBILE,
     .label = TEXT_KEY("registration.mobile"),
     .privacy = FIELD_PERSON},
    {.name = "mail",
     .kind = FIELD_MAIL,
     .label = TEXT_KEY("registration.mail"),
     .privacy = FIELD_PERSON},
};

static const struct field BANK[] = {
    {.name = "account_name",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.account_name"),
     .hint = TEXT_KEY("registration.account_name.hint"),
     .max = 100,
     .check = check_account_name,
     .is_optional = true,
     .requirement = "ENT-08"},
    {.name = "account_bank",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.account_bank"),
     .hint = TEXT_KEY("registration.account_bank.hint"),
     .max = 100,
     .is_optional = true,
     .requirement = "ENT-08"},
    {.name = "account_number",
     .kind = FIELD_DIGITS,
     .label = TEXT_KEY("registration.account_number"),
     .min = 8,
     .max = 32,
     .privacy = FIELD_BANK,
     .is_optional = true,
     .requirement = "ENT-08"},
};

static const struct field PAPERS[] = {
    {.name = "licence",
     .kind = FIELD_FILE,
     .label = TEXT_KEY("registration.licence"),
     .hint = TEXT_KEY("registration.licence.hint"),
     .max = 3,
     .requirement = "ENT-01"},
    {.name = "no_violation",
     .kind = FIELD_YES,
     .label = TEXT_KEY("registration.no_violation"),
     .hint = TEXT_KEY("registration.no_violation.hint"),
     .requirement = "ELIG-06"},
    {.name = "undertaking",
     .kind = FIELD_YES,
     .label = TEXT_KEY("registration.undertaking"),
     .hint = TEXT_KEY("registration.undertaking.hint"),
     .requirement = "ENT-01"},
};

static const struct form_step STEPS[] = {
    {"basics", TEXT_KEY("registration.step.basics"), NULL, BASICS,
     sizeof(BASICS) / sizeof(BASICS[0])},
    {"place", TEXT_KEY("registration.step.place"), NULL, PLACE,
     sizeof(PLACE) / sizeof(PLACE[0])},
    {"business", TEXT_KEY("registration.step.business"),
     TEXT_KEY("registration.step.business.help"), BUSINESS,
     sizeof(BUSINESS) / sizeof(BUSINESS[0])},
    {"certification", TEXT_KEY("registration.step.certification"), NULL,
     CERTIFICATION, sizeof(CERTIFICATION) / sizeof(CERTIFICATION[0])},
    {"people", TEXT_KEY("registration.step.people"), NULL, PEOPLE,
     sizeof(PEOPLE) / sizeof(PEOPLE[0])},
    {"bank", TEXT_KEY("registration.step.bank"),
     TEXT_KEY("registration.step.bank.help"), BANK,
     sizeof(BANK) / sizeof(BANK[0])},
    {"papers", TEXT_KEY("registration.step.papers"), NULL, PAPERS,
     sizeof(PAPERS) / sizeof(PAPERS[0])},
};

/* An account is whole, or is not there yet (ENT-08). */
static void check_bank(struct answers *answers)
{
    bool is_begun = false;
    for (size_t i = 0; i < sizeof(BANK) / sizeof(BANK[0]); i++)
        is_begun |= answers_find(answers, BANK[i].name)->is_given;
    for (size_t i = 0; is_begun && i < sizeof(BANK) / sizeof(BANK[0]); i++) {
        struct answer *answer = answers_find(answers, BANK[i].name);
        if (!answer->is_given)
            refuse(&answer->refusal, "E_FIELD_REQUIRED", BANK[i].name,
                   "field.refusal.required",
                   text_words("label", BANK[i].label));
    }
}

static void check_whole(struct answers *answers, bool is_complete,
                        const struct form_context *context)
{
    (void)context;
    if (is_complete)
        check_bank(answers);
}

const struct form ENTERPRISE_FORM = {"enterprise_registration", STEPS,
                                     sizeof(STEPS) / sizeof(STEPS[0]),
                                     check_whole};

/* ---- what is said and refuses nothing ---- */

bool enterprise_is_industrial(const struct answers *answers)
{
    const char *code = answers_text(answers, "industry");
    return code[0] >= 'B' && code[0] <= 'D';
}

/* 29 February is followed by 28 February of the next year (ELIG-04). */
bool enterprise_first_day(const struct answers *answers, struct civil_day *day)
{
    const char *text = answers_text(answers, "established");
    struct civil_day established;
    char next[DAY_TEXT_LEN];
    if (!day_from_text(slice_of_text(text), &established))
        return false;
    const char *rest = strcmp(text + 4, "-02-29") == 0 ? "-02-28" : text + 4;
    snprintf(next, sizeof(next), "%04u%.6s",
             (unsigned)(day_year(established) + 1) % 10000, rest);
    return day_from_text(slice_of_text(next), day);
}

bool enterprise_is_small(const struct answers *answers)
{
    const struct answer *revenue = answers_find(answers, "revenue");
    return revenue->is_good && revenue->number < REVENUE_LEAST_FEN;
}
