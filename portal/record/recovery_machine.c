/* See recovery_machine.h. */
#include "portal/record/recovery_machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "portal/access/account_link.h"
#include "portal/access/mobile_check.h"
#include "portal/access/second_factor.h"
#include "portal/access/session.h"
#include "portal/record/enterprise_registration.h"
#include "portal/store/attachment.h"
#include "portal/store/attachment_type.h"
#include "portal/store/audit.h"
#include "portal/store/outbox.h"

enum { OLD_MAX = 50, ID_LEN = ACCOUNT_TEXT_LEN };

/* ---- what is asked ---- */

static const struct field FIELDS[] = {
    {.name = "name",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("recovery.name"),
     .hint = TEXT_KEY("recovery.name.hint"),
     .autocomplete = "organization",
     .requirement = "ENT-06"},
    {.name = "credit_code",
     .kind = FIELD_CREDIT_CODE,
     .label = TEXT_KEY("recovery.credit_code"),
     .requirement = "ENT-06"},
    {.name = "licence",
     .kind = FIELD_FILE,
     .label = TEXT_KEY("recovery.licence"),
     .max = 3,
     .requirement = "ENT-06"},
    {.name = "letter",
     .kind = FIELD_FILE,
     .label = TEXT_KEY("recovery.letter"),
     .hint = TEXT_KEY("recovery.letter.hint"),
     .max = 3,
     .requirement = "ENT-06"},
    {.name = "why",
     .kind = FIELD_LONG_TEXT,
     .label = TEXT_KEY("recovery.why"),
     .max = 1000,
     .requirement = "ENT-06"},
    {.name = "mobile",
     .kind = FIELD_MOBILE,
     .label = TEXT_KEY("recovery.mobile"),
     .hint = TEXT_KEY("recovery.mobile.hint"),
     .privacy = FIELD_PERSON,
     .autocomplete = "tel",
     .requirement = "ENT-06"},
};
static const struct field CONFIRM_FIELDS[] = {
    {.name = "checked_papers",
     .kind = FIELD_YES,
     .label = TEXT_KEY("recovery.check.papers"),
     .requirement = "ENT-06"},
    {.name = "checked_agent",
     .kind = FIELD_YES,
     .label = TEXT_KEY("recovery.check.agent"),
     .requirement = "ENT-06"},
};
static const struct field REFUSE_FIELDS[] = {
    {.name = "reason",
     .kind = FIELD_LONG_TEXT,
     .label = TEXT_KEY("recovery.reason"),
     .max = 1000,
     .requirement = "ENT-06"},
};

#define ONE_STEP(fields)                                                       \
    {                                                                          \
        "", TEXT_KEY("recovery.title"), NULL, fields,                          \
            sizeof(fields) / sizeof(fields[0])                                 \
    }
static const struct form_step STEP = ONE_STEP(FIELDS);
static const struct form_step CONFIRM_STEP = ONE_STEP(CONFIRM_FIELDS);
static const struct form_step REFUSE_STEP = ONE_STEP(REFUSE_FIELDS);

const struct form RECOVERY_FORM = {"account_recovery", &STEP, 1, NULL};
const struct form RECOVERY_CONFIRM_FORM = {"recovery_confirm", &CONFIRM_STEP, 1,
                                           NULL};
const struct form RECOVERY_REFUSE_FORM = {"recovery_refuse", &REFUSE_STEP, 1,
                                          NULL};

/* ---- what is stored ---- */

bool recovery_of_party(struct db *db, const char *party, struct item *item)
{
    struct db_statement *s =
        db_prepare(db, "SELECT id FROM item WHERE machine = 'account_recovery'"
                       " AND party = :party ORDER BY id DESC LIMIT 1");
    if (s == NULL)
        return false;
    db_bind_text(s, ":party", party);
    int64_t id = db_step(s) == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return id > 0 && item_find(db, id, item);
}

static bool bind_field(struct answer *answer, const struct attachment *list,
                       size_t count, struct arena *arena)
{
    size_t found = 0;
    struct field_file *files =
        arena_take_array(arena, count + 1, sizeof(*files));
    for (size_t i = 0; files != NULL && i < count; i++) {
        if (strcmp(list[i].field, answer->field->name) != 0)
            continue;
        digest_to_hex(list[i].sha256, files[found].sha256);
        files[found].name = list[i].name;
        files[found].media_type = attachment_media_type(list[i].type);
        files[found].size = list[i].bytes;
        found++;
    }
    if (files != NULL)
        answer_files(answer, files, found);
    return files != NULL;
}

bool recovery_bind_files(struct db *db, const struct item *item,
                         struct answers *answers)
{
    struct attachment *list;
    size_t count;
    char owner[REGISTRATION_OWNER_LEN];
    if (!attachment_list(db, RECOVERY_MACHINE.name,
                         registration_owner(item, owner), NULL, false,
                         answers->arena, &list, &count))
        return false;
    for (size_t i = 0; i < answers->count; i++)
        if (answers->of[i].field->kind == FIELD_FILE &&
            !bind_field(&answers->of[i], list, count, answers->arena))
            return false;
    return true;
}

static bool read_draft(struct step *step, struct answers *answers)
{
    struct edition edition;
    *answers = form_answers(&RECOVERY_FORM, step->arena);
    return !answers->failed &&
           edition_read_draft(step->db, step->item.id, answers, &edition);
}

static bool read_newest(struct step *step, struct answers *answers)
{
    struct edition edition;
    int64_t newest = edition_newest(step->db, step->item.id);
    *answers = form_answers(&RECOVERY_FORM, step->arena);
    return !answers->failed && newest > 0 &&
           edition_read(step->db, step->item.id, newest, answers, &edition);
}

/* The firm of that name and code; "" for none. */
static bool find_firm(struct step *step, const struct answers *answers,
                      char id[static ID_LEN], char city[static ITEM_CITY_LEN])
{
    struct db_statement *s =
        db_prepare(step->db, "SELECT id, city_code FROM enterprise"
                             " WHERE credit_code = :code AND name_zh = :name");
    id[0] = city[0] = '\0';
    if (s == NULL)
        return false;
    db_bind_text(s, ":code", answers_text(answers, "credit_code"));
    db_bind_text(s, ":name", answers_text(answers, "name"));
    enum db_step row = db_step(s);
    if (row == DB_ROW) {
        snprintf(id, ID_LEN, "%s", db_text(s, 0));
        snprintf(city, ITEM_CITY_LEN, "%s", db_text(s, 1));
    }
    db_reset(s);
    return row != DB_FAILED;
}

/* Who did an event of this item last; "" for nobody. */
static bool find_actor(struct step *step, const char *event,
                       char name[static ACCOUNT_NAME_LEN])
{
    struct db_statement *s = db_prepare(
        step->db, "SELECT actor FROM item_event WHERE item_id = :item"
                  " AND event = :event ORDER BY no DESC LIMIT 1");
    name[0] = '\0';
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", step->item.id);
    db_bind_text(s, ":event", event);
    enum db_step row = db_step(s);
    if (row == DB_ROW)
        snprintf(name, ACCOUNT_NAME_LEN, "%s", db_text(s, 0));
    db_reset(s);
    return row != DB_FAILED;
}

/* ---- guards ---- */

/* Without licence or sealed letter: E_FILE_REQUIRED. */
static bool request_is_complete(struct step *step)
{
    struct answers answers;
    struct form_context context = {step->db, step->now};
    if (!read_draft(step, &answers))
        return false;
    form_check(&RECOVERY_FORM, &answers, true, &context);
    const struct refusal *refusal = answers_refusal(&answers);
    if (refusal != NULL)
        *step->refusal = *refusal;
    return refusal == NULL;
}

static bool firm_is_registered(struct step *step)
{
    struct answers answers;
    char firm[ID_LEN], city[ITEM_CITY_LEN];
    if (!read_draft(step, &answers) || !find_firm(step, &answers, firm, city))
        return false;
    return firm[0] != '\0' || refuse(step->refusal, "E_FIELD_VALUE",
                                     "credit_code", "recovery.refusal.no_firm");
}

static bool mobile_is_proved(struct step *step)
{
    struct answers answers;
    struct mobile_number mobile;
    if (!read_draft(step, &answers))
        return false;
    mobile_number_read(slice_of_text(answers_text(&answers, "mobile")),
                       &mobile);
    return mobile_check_is_done(step->db, step->caller->account.name,
                                mobile.text) ||
           refuse(step->refusal, "E_FIELD_REQUIRED", "mobile",
                  "recovery.refusal.mobile");
}

/* What the officer says he has looked at. */
static bool answer_is_complete(struct step *step)
{
    struct form_context context = {step->db, step->now};
    struct answers none = form_answers(step->transition->form, step->arena);
    struct answers asked = step->answers != NULL ? *step->answers : none;
    form_check(step->transition->form, &asked, true, &context);
    const struct refusal *refusal = answers_refusal(&asked);
    if (refusal != NULL)
        *step->refusal = *refusal;
    return refusal == NULL;
}

/* ORG-13 */
static bool has_no_conflict(struct step *step)
{
    struct answers answers;
    char firm[ID_LEN], city[ITEM_CITY_LEN];
    if (!read_newest(step, &answers) || !find_firm(step, &answers, firm, city))
        return false;
    return registration_conflict(step->db, step->caller->account.name, firm) ==
               CONFLICT_NONE ||
           refuse(step->refusal, "E_CONFLICT_OF_INTEREST", NULL,
                  "recovery.refusal.conflict");
}

static bool is_another_officer(struct step *step)
{
    char first[ACCOUNT_NAME_LEN];
    if (!find_actor(step, "confirm_first", first))
        return false;
    return strcmp(first, step->caller->account.name) != 0 ||
           refuse(step->refusal, "E_FOUR_EYES", NULL,
                  "recovery.refusal.four_eyes");
}

/* ---- effects ---- */

static bool keep_request(struct step *step)
{
    struct answers answers;
    char owner[REGISTRATION_OWNER_LEN], firm[ID_LEN];
    if (!read_draft(step, &answers) ||
        !find_firm(step, &answers, firm, step->item.city_code) ||
        !edition_submit(step->db, step->now, step->item.id, &answers,
                        step->caller->account.name, &step->edition) ||
        !attachment_submit(step->db, step->now, RECOVERY_MACHINE.name,
                           registration_owner(&step->item, owner)))
        return false;
    snprintf(step->item.title, sizeof(step->item.title), "%s",
             answers_text(&answers, "name"));
    return true;
}

static bool note_edition(struct step *step)
{
    step->edition = edition_newest(step->db, step->item.id);
    return true;
}

static bool tell_reason(struct step *step)
{
    step->reason = answers_text(step->answers, "reason");
    return note_edition(step);
}

/* All accounts of the firm that are not closed. */
static bool find_old(struct step *step, const char *firm, const char *agent,
                     char names[OLD_MAX][ACCOUNT_NAME_LEN], size_t *count)
{
    struct db_statement *s = db_prepare(
        step->db, "SELECT name FROM account WHERE role = 'ENT'"
                  " AND organisation = :firm AND name <> :agent"
                  " AND state <> 'DISABLED' ORDER BY name LIMIT :most");
    enum db_step row;
    *count = 0;
    if (s == NULL)
        return false;
    db_bind_text(s, ":firm", firm);
    db_bind_text(s, ":agent", agent);
    db_bind_i64(s, ":most", OLD_MAX);
    while ((row = db_step(s)) == DB_ROW)
        snprintf(names[(*count)++], ACCOUNT_NAME_LEN, "%s", db_text(s, 0));
    db_reset(s);
    return row == DB_DONE;
}

static bool tell_old(struct step *step, const struct account *old)
{
    const struct text_argument arguments[] = {
        text_plain("account", old->name),
        text_plain("title", step->item.title),
        text_plain("number", step->item.number),
        {0}};
    const struct outbox_message message = {
        .mail = old->mail.text[0] != '\0' ? &old->mail : NULL,
        .mobile = old->mobile.text[0] != '\0' ? &old->mobile : NULL,
        .subject = TEXT_KEY("mail.recovered.subject"),
        .body = TEXT_KEY("mail.recovered.body"),
        .arguments = arguments,
    };
    return outbox_add(step->db, step->now, &message);
}

static bool run(struct step *step, const char *sql, const char *old,
                const char *agent)
{
    struct db_statement *s = db_prepare(step->db, sql);
    if (s == NULL)
        return false;
    db_bind_text(s, ":old", old);
    db_bind_text(s, ":agent", agent);
    return db_do(s);
}

static bool close_old(struct step *step, const char *name, const char *agent)
{
    struct account old;
    const struct audit_entry entry = {.actor = step->caller->account.name,
                                      .action = "account.recovered",
                                      .object = name,
                                      .result = "OK"};
    return account_find(step->db, name, &old) && tell_old(step, &old) &&
           run(step,
               "UPDATE message SET account_name = :agent WHERE read_at IS NULL"
               " AND is_secret = 0 AND account_name = :old",
               name, agent) &&
           run(step,
               "UPDATE account SET state = 'DISABLED', password_hash = '',"
               " mail = '', mobile = '', successor = :agent WHERE name = :old",
               name, agent) &&
           session_end_others(step->db, name, NULL) &&
           account_link_end(step->db, name) &&
           second_factor_end(step->db, name) &&
           audit_add(step->db, step->now, &entry);
}

static bool end_codes(struct step *step, const char *firm)
{
    struct db_statement *s =
        db_prepare(step->db, "UPDATE enrolment_code SET revoked_at = :now"
                             " WHERE enterprise_id = :firm AND used_at IS NULL"
                             " AND revoked_at IS NULL");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", step->now.us);
    db_bind_text(s, ":firm", firm);
    return db_do(s);
}

static bool bind_agent(struct step *step, const char *agent, const char *firm)
{
    struct db_statement *s =
        db_prepare(step->db, "UPDATE account SET organisation = :firm"
                             " WHERE name = :agent AND state = 'ACTIVE'");
    if (s == NULL)
        return false;
    db_bind_text(s, ":firm", firm);
    db_bind_text(s, ":agent", agent);
    return db_do(s) && db_changes(step->db) == 1;
}

/* All in the transaction of the second confirmation. */
static bool carry_over(struct step *step)
{
    struct answers answers;
    char firm[ID_LEN], city[ITEM_CITY_LEN], agent[ACCOUNT_NAME_LEN];
    char old[OLD_MAX][ACCOUNT_NAME_LEN];
    size_t count;
    if (!read_newest(step, &answers) ||
        !find_firm(step, &answers, firm, city) || firm[0] == '\0' ||
        !find_actor(step, "submit", agent) ||
        !find_old(step, firm, agent, old, &count) ||
        !bind_agent(step, agent, firm) || !end_codes(step, firm))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!close_old(step, old[i], agent))
            return false;
    return true;
}

/* ---- the machine ---- */

static bool add_record(struct db *db, const struct item *item,
                       struct buffer *out)
{
    struct db_statement *s =
        db_prepare(db, "SELECT sha256 FROM item_edition WHERE item_id = :item"
                       " ORDER BY edition");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item->id);
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW)
        buffer_add_slice(out, db_blob(s, 0));
    db_reset(s);
    return step == DB_DONE;
}

static const struct machine_state STATES[] = {
    {"DRAFT", HOLDER_PARTY},
    {"PENDING_FIRST", HOLDER_CITY},
    {"PENDING_SECOND", HOLDER_CITY},
    {"RECOVERED", HOLDER_NONE, .is_final = true},
    {"REFUSED", HOLDER_NONE, .is_final = true},
};

#define CONFIRMS                                                               \
    .actors = ROLE_BIT(ROLE_CITY), .action = ACTION_ACCOUNT_RECOVERY_CONFIRM,  \
    .form = &RECOVERY_CONFIRM_FORM, .requirement = "ENT-06"

static const struct transition TRANSITIONS[] = {
    {"DRAFT", "submit", .actors = ROLE_BIT(ROLE_ENT),
     .action = ACTION_ACCOUNT_RECOVERY_ASK,
     .guards = {GUARD(request_is_complete), GUARD(firm_is_registered),
                GUARD(mobile_is_proved)},
     .effects = {EFFECT(keep_request)}, .to = "PENDING_FIRST", .submits = true,
     .tells = ROLE_BIT(ROLE_CITY) | ROLE_BIT(ROLE_ENT),
     .subject = TEXT_KEY("notice.recovery.submit.subject"),
     .body = TEXT_KEY("notice.recovery.submit.body"), .requirement = "ENT-06"},
    {"PENDING_FIRST", "confirm_first", CONFIRMS,
     .guards = {GUARD(has_no_conflict), GUARD(answer_is_complete)},
     .effects = {EFFECT(note_edition)}, .to = "PENDING_SECOND",
     .tells = ROLE_BIT(ROLE_CITY),
     .subject = TEXT_KEY("notice.recovery.first.subject"),
     .body = TEXT_KEY("notice.recovery.first.body")},
    {"PENDING_SECOND", "confirm_second", CONFIRMS,
     .guards = {GUARD(has_no_conflict), GUARD(is_another_officer),
                GUARD(answer_is_complete)},
     .effects = {EFFECT(note_edition), EFFECT(carry_over)}, .to = "RECOVERED"},
    {"PENDING_FIRST PENDING_SECOND", "refuse", .actors = ROLE_BIT(ROLE_CITY),
     .action = ACTION_ACCOUNT_RECOVERY_CONFIRM, .form = &RECOVERY_REFUSE_FORM,
     .guards = {GUARD(has_no_conflict), GUARD(answer_is_complete)},
     .effects = {EFFECT(tell_reason)}, .to = "REFUSED",
     .tells = ROLE_BIT(ROLE_ENT),
     .subject = TEXT_KEY("notice.recovery.refuse.subject"),
     .body = TEXT_KEY("notice.recovery.refuse.body"), .requirement = "ENT-06"},
};

const struct machine RECOVERY_MACHINE = {
    .name = "account_recovery",
    .title = TEXT_KEY("recovery.title"),
    .number_prefix = "F",
    .party_kind = SCOPE_ENTERPRISE,
    .state_words = "account_recovery.state.",
    .event_words = "account_recovery.event.",
    .states = STATES,
    .state_count = sizeof(STATES) / sizeof(STATES[0]),
    .transitions = TRANSITIONS,
    .transition_count = sizeof(TRANSITIONS) / sizeof(TRANSITIONS[0]),
    .add_record = add_record,
    .page = "/recoveries/",
    .own_page = "/recovery",
};
