/*
 * See enterprise_machine.h. Guards and effects read the draft and the
 * editions from the database, inside the transaction: what a page showed before
 * decides nothing.
 */
#include "portal/record/enterprise_machine.h"

#include <stdio.h>
#include <string.h>

#include "portal/record/enterprise_registration.h"
#include "portal/store/attachment.h"

enum { JSON_MAX = 1024 * 1024 };

/* ---- what is asked ---- */

/* A point is about a field of the form. */
static const char *const POINT_FIELDS[] = {"name",
                                           "credit_code",
                                           "legal_form",
                                           "industry",
                                           "established",
                                           "city",
                                           "county",
                                           "address",
                                           "revenue",
                                           "revenue_year",
                                           "staff",
                                           "size",
                                           "certified",
                                           "certificate_number",
                                           "certificate_day",
                                           "certificate",
                                           "award_received",
                                           "legal_representative",
                                           "shareholders",
                                           "contact",
                                           "mobile",
                                           "mail",
                                           "account_name",
                                           "account_bank",
                                           "account_number",
                                           "licence",
                                           "no_violation",
                                           "undertaking",
                                           NULL};
static const struct choices POINT_FIELD = {.codes = POINT_FIELDS,
                                           .words = "registration."};

static const struct field REPLY[] = {
    {.name = "point",
     .kind = FIELD_COUNT,
     .label = TEXT_KEY("registration.reply.point"),
     .min = 1,
     .max = 100},
    {.name = "reply",
     .kind = FIELD_LONG_TEXT,
     .label = TEXT_KEY("registration.reply.text"),
     .max = 1000,
     .is_optional = true}, /* the change may be the answer */
};
static const struct field SUBMIT_FIELDS[] = {
    {.name = "mark",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.mark"),
     .max = FORM_MARK_LEN,
     .is_optional = true},
    {.name = "replies",
     .kind = FIELD_ROWS,
     .label = TEXT_KEY("registration.replies"),
     .max = 100,
     .rows = REPLY,
     .row_fields = sizeof(REPLY) / sizeof(REPLY[0]),
     .is_optional = true},
};

static const struct field APPROVE_FIELDS[] = {
    {.name = "checked_identity",
     .kind = FIELD_YES,
     .label = TEXT_KEY("registration.check.identity"),
     .requirement = "ENT-02"},
    {.name = "checked_place",
     .kind = FIELD_YES,
     .label = TEXT_KEY("registration.check.place"),
     .requirement = "ENT-05"},
    {.name = "checked_facts",
     .kind = FIELD_YES,
     .label = TEXT_KEY("registration.check.facts"),
     .requirement = "ENT-02"},
    {.name = "checked_record",
     .kind = FIELD_YES,
     .label = TEXT_KEY("registration.check.record"),
     .requirement = "ELIG-06"},
    {.name = "industry_answer",
     .kind = FIELD_LONG_TEXT,
     .label = TEXT_KEY("registration.check.industry"),
     .hint = TEXT_KEY("registration.check.industry.hint"),
     .max = 1000,
     .is_optional = true,
     .requirement = "ELIG-02"},
};

static const struct field POINT[] = {
    {.name = "field",
     .kind = FIELD_CHOICE,
     .label = TEXT_KEY("registration.point.field"),
     .choices = &POINT_FIELD},
    {.name = "reason",
     .kind = FIELD_LONG_TEXT,
     .label = TEXT_KEY("registration.point.reason"),
     .max = 1000},
    {.name = "material",
     .kind = FIELD_LONG_TEXT,
     .label = TEXT_KEY("registration.point.material"),
     .max = 1000},
    {.name = "explanation",
     .kind = FIELD_LONG_TEXT,
     .label = TEXT_KEY("registration.point.explanation"),
     .max = 1000,
     .is_optional = true},
};
static const struct field RETURN_FIELDS[] = {
    {.name = "points",
     .kind = FIELD_ROWS,
     .label = TEXT_KEY("registration.points"),
     .hint = TEXT_KEY("registration.points.hint"),
     .max = 30,
     .rows = POINT,
     .row_fields = sizeof(POINT) / sizeof(POINT[0]),
     .is_optional = true,
     .requirement = "REV-01"},
};

static const char *const GROUNDS[] = {"ILLEGAL", "NOT_FIT", NULL};
static const struct choices GROUND = {.codes = GROUNDS,
                                      .words = "reject_ground."};
static const struct field REJECT_FIELDS[] = {
    {.name = "ground",
     .kind = FIELD_CHOICE,
     .label = TEXT_KEY("registration.ground"),
     .hint = TEXT_KEY("registration.ground.hint"),
     .choices = &GROUND,
     .requirement = "REV-02"},
    {.name = "reason",
     .kind = FIELD_LONG_TEXT,
     .label = TEXT_KEY("registration.reason"),
     .max = 2000,
     .is_optional = true,
     .requirement = "REV-02"},
};

#define ONE_STEP(fields)                                                       \
    {                                                                          \
        "", TEXT_KEY("registration.title"), NULL, fields,                      \
            sizeof(fields) / sizeof(fields[0])                                 \
    }
static const struct form_step SUBMIT_STEP = ONE_STEP(SUBMIT_FIELDS);
static const struct form_step APPROVE_STEP = ONE_STEP(APPROVE_FIELDS);
static const struct form_step RETURN_STEP = ONE_STEP(RETURN_FIELDS);
static const struct form_step REJECT_STEP = ONE_STEP(REJECT_FIELDS);

const struct form REGISTRATION_SUBMIT_FORM = {"registration_submit",
                                              &SUBMIT_STEP, 1, NULL};
const struct form REGISTRATION_APPROVE_FORM = {"registration_approve",
                                               &APPROVE_STEP, 1, NULL};
const struct form REGISTRATION_RETURN_FORM = {"registration_return",
                                              &RETURN_STEP, 1, NULL};
const struct form REGISTRATION_REJECT_FORM = {"registration_reject",
                                              &REJECT_STEP, 1, NULL};

/* The round of the last return of this review; 0: none. */
static int64_t open_round(struct step *step)
{
    return registration_returned_edition(step->db, step->item.id) > 0
               ? points_rounds(step->db, step->item.id)
               : 0;
}

/* As pages show it: looked at with the checks of its fields. */
static bool read_draft(struct step *step, struct answers *answers)
{
    struct edition edition;
    struct form_context context = {step->db, step->now};
    *answers = form_answers(&ENTERPRISE_FORM, step->arena);
    if (answers->failed ||
        !edition_read_draft(step->db, step->item.id, answers, &edition))
        return false;
    form_check(&ENTERPRISE_FORM, answers, false, &context);
    return true;
}

static bool read_edition(struct step *step, int64_t number,
                         struct answers *answers)
{
    struct edition edition;
    *answers = form_answers(&ENTERPRISE_FORM, step->arena);
    return !answers->failed && number > 0 &&
           edition_read(step->db, step->item.id, number, answers, &edition);
}

/* What changed in `after` since the edition; NULL: cannot be known. */
static const struct form_change *changes_since(struct step *step,
                                               int64_t number,
                                               const struct answers *after,
                                               size_t *count)
{
    struct answers before;
    *count = 0;
    if (!read_edition(step, number, &before))
        return NULL;
    return form_changes(&before, after, step->arena, count);
}

static bool has_change(const struct form_change *changes, size_t count,
                       const char *field)
{
    for (size_t i = 0; i < count; i++)
        if (form_change_is_of(&changes[i], field))
            return true;
    return false;
}

static const struct field *form_field(const char *name)
{
    for (size_t i = 0; i < ENTERPRISE_FORM.step_count; i++)
        for (size_t j = 0; j < ENTERPRISE_FORM.steps[i].count; j++)
            if (strcmp(ENTERPRISE_FORM.steps[i].fields[j].name, name) == 0)
                return &ENTERPRISE_FORM.steps[i].fields[j];
    return NULL;
}

/* ---- guards: of the enterprise ---- */

/* What was asked is complete and right. */
static bool asked_is_right(struct step *step)
{
    struct answers none = form_answers(step->transition->form, step->arena);
    struct answers *asked = &none;
    struct form_context context = {step->db, step->now};
    struct buffer json;
    buffer_init(&json, JSON_MAX);
    if (step->answers != NULL)
        answers_write_json(step->answers, true, &json);
    bool is_read = json.length == 0 ||
                   answers_read_json(asked, buffer_slice(&json), step->refusal);
    buffer_clear(&json);
    if (!is_read)
        return false;
    form_check(step->transition->form, asked, true, &context);
    const struct refusal *refusal = answers_refusal(asked);
    if (refusal != NULL)
        *step->refusal = *refusal;
    return refusal == NULL;
}

/* The draft is the one that was on the check page. */
static bool draft_is_seen(struct step *step)
{
    struct answers answers;
    char mark[FORM_MARK_LEN];
    const char *seen =
        step->answers != NULL ? answers_text(step->answers, "mark") : "";
    if (!read_draft(step, &answers))
        return false;
    form_mark(&answers, mark);
    return seen[0] == '\0' || strcmp(seen, mark) == 0 ||
           refuse(step->refusal, "E_STALE", NULL,
                  "registration.refusal.stale_submit");
}

static bool draft_is_complete(struct step *step)
{
    struct answers answers;
    struct form_context context = {step->db, step->now};
    if (!read_draft(step, &answers))
        return false;
    form_check(&ENTERPRISE_FORM, &answers, true, &context);
    const struct refusal *refusal = answers_refusal(&answers);
    if (refusal != NULL)
        *step->refusal = *refusal;
    return refusal == NULL;
}

/* ENT-06: one registration for a code. */
static bool code_is_free(struct step *step)
{
    struct answers answers;
    if (!read_draft(step, &answers))
        return false;
    const char *code = answers_text(&answers, "credit_code");
    struct db_statement *s = db_prepare(
        step->db, "SELECT 1 FROM enterprise WHERE credit_code = :code"
                  " AND id <> :party");
    if (s == NULL)
        return false;
    db_bind_text(s, ":code", code);
    db_bind_text(s, ":party", step->item.party);
    bool is_taken = db_step(s) == DB_ROW;
    db_reset(s);
    return !is_taken ||
           refuse(step->refusal, "E_DUPLICATE", "credit_code",
                  "registration.refusal.duplicate", text_plain("value", code));
}

static const char *reply_to(const struct step *step, int64_t no)
{
    const struct answer *replies =
        step->answers != NULL ? answers_find(step->answers, "replies") : NULL;
    for (size_t i = 0; replies != NULL && i < replies->row_count; i++)
        if (answers_number(&replies->rows[i], "point") == no)
            return answers_text(&replies->rows[i], "reply");
    return "";
}

/* REV-01: each point has its field changed, or a reply. */
static bool points_are_answered(struct step *step)
{
    struct answers answers;
    const struct point *points;
    size_t count, change_count;
    int64_t returned = registration_returned_edition(step->db, step->item.id);
    if (!read_draft(step, &answers) ||
        !points_list(step->db, step->item.id, open_round(step), step->arena,
                     &points, &count))
        return false;
    const struct form_change *changes =
        changes_since(step, returned, &answers, &change_count);
    for (size_t i = 0; i < count; i++) {
        const struct field *field = form_field(points[i].field);
        bool is_answered = has_change(changes, change_count, points[i].field) ||
                           reply_to(step, points[i].no)[0] != '\0';
        if (!is_answered)
            return refuse(step->refusal, "E_FIELD_REQUIRED", points[i].field,
                          "registration.refusal.points_open",
                          text_number("count", points[i].no),
                          text_words("label", field != NULL ? field->label
                                                            : points[i].field));
    }
    return true;
}

static bool something_changed(struct step *step)
{
    struct answers answers;
    size_t count;
    int64_t approved = registration_approved_edition(step->db, step->item.id);
    if (!read_draft(step, &answers))
        return false;
    const struct form_change *changes =
        changes_since(step, approved, &answers, &count);
    return changes == NULL || count > 0 ||
           refuse(step->refusal, "E_FIELD_VALUE", NULL,
                  "registration.refusal.nothing_changed");
}

/* ---- guards: of the bureau ---- */

/* ORG-13: nobody decides on what they have an interest in. */
static bool has_no_conflict(struct step *step)
{
    static const char *const REASONS[CONFLICT_COUNT] = {
        [CONFLICT_DECLARED] = TEXT_KEY("registration.conflict.declared"),
        [CONFLICT_CONTACT] = TEXT_KEY("registration.conflict.contact"),
    };
    enum conflict why = registration_conflict(
        step->db, step->caller->account.name, step->item.party);
    return why == CONFLICT_NONE ||
           refuse(step->refusal, "E_CONFLICT_OF_INTEREST", NULL,
                  "registration.refusal.conflict",
                  text_words("reason", REASONS[why]));
}

/* ELIG-02: the bureau answers the flag in writing. */
static bool flag_is_answered(struct step *step)
{
    struct answers answers;
    int64_t newest = edition_newest(step->db, step->item.id);
    if (!read_edition(step, newest, &answers))
        return true; /* an import, which has no such facts */
    const char *answer = step->answers != NULL
                             ? answers_text(step->answers, "industry_answer")
                             : "";
    return enterprise_is_industrial(&answers) ||
           answers_text(&answers, "industry")[0] == '\0' || answer[0] != '\0' ||
           refuse(step->refusal, "E_FLAG_UNANSWERED", "industry_answer",
                  "registration.refusal.flag",
                  text_plain("value", answers_text(&answers, "industry")));
}

static bool list_is_not_empty(struct step *step)
{
    const struct answer *points =
        step->answers != NULL ? answers_find(step->answers, "points") : NULL;
    return (points != NULL && points->row_count > 0) ||
           refuse(step->refusal, "E_RETURN_LIST_EMPTY", "points",
                  "registration.refusal.return_empty");
}

static bool was_told(const struct point *points, size_t count,
                     const char *field)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(points[i].field, field) == 0)
            return true;
    return false;
}

/* REV-01: a second return is about what was told, or has changed, or says why. */
static bool is_told_at_once(struct step *step)
{
    const struct answer *asked = answers_find(step->answers, "points");
    const struct point *told;
    struct answers answers;
    size_t told_count, change_count;
    int64_t returned = registration_returned_edition(step->db, step->item.id);
    int64_t newest = edition_newest(step->db, step->item.id);
    if (returned == 0)
        return true;
    if (!read_edition(step, newest, &answers) ||
        !points_list(step->db, step->item.id, open_round(step), step->arena,
                     &told, &told_count))
        return false;
    const struct form_change *changes =
        changes_since(step, returned, &answers, &change_count);
    for (size_t i = 0; i < asked->row_count; i++) {
        const char *name = answers_text(&asked->rows[i], "field");
        const struct field *field = form_field(name);
        bool is_fair = was_told(told, told_count, name) ||
                       has_change(changes, change_count, name) ||
                       answers_text(&asked->rows[i], "explanation")[0] != '\0';
        if (!is_fair && field != NULL)
            return refuse(step->refusal, "E_RETURN_NOT_ONCE", "points",
                          "registration.refusal.not_once",
                          text_words("label", field->label));
    }
    return true;
}

/* REV-03: the other ground is none for a registration. */
static bool ground_fits(struct step *step)
{
    return strcmp(answers_text(step->answers, "ground"), "ILLEGAL") == 0 ||
           refuse(step->refusal, "E_REJECT_GROUND", "ground",
                  "registration.refusal.ground");
}

static bool reason_is_given(struct step *step)
{
    return answers_text(step->answers, "reason")[0] != '\0' ||
           refuse(step->refusal, "E_REASON_REQUIRED", "reason",
                  "registration.refusal.reason");
}

/* ---- effects ---- */

static bool write_enterprise(struct step *step, const struct answers *answers)
{
    struct db_statement *s = db_prepare(
        step->db,
        "INSERT INTO enterprise (id, name_zh, name_en, credit_code, city_code,"
        " county) VALUES (:id, :name, '', :code, :city, :county)"
        " ON CONFLICT (id) DO UPDATE SET name_zh = :name, credit_code = :code,"
        " city_code = :city, county = :county");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", step->item.party);
    db_bind_text(s, ":name", answers_text(answers, "name"));
    db_bind_text(s, ":code", answers_text(answers, "credit_code"));
    db_bind_text(s, ":city", answers_text(answers, "city"));
    db_bind_text(s, ":county", answers_text(answers, "county"));
    return db_do(s);
}

/* The draft becomes an edition with its files; the bureau of its city reviews
 * (ENT-05). */
static bool keep_edition(struct step *step)
{
    struct answers answers;
    char owner[REGISTRATION_OWNER_LEN];
    if (!read_draft(step, &answers) ||
        !edition_submit(step->db, step->now, step->item.id, &answers,
                        step->caller->account.name, &step->edition) ||
        !attachment_submit(step->db, step->now, ENTERPRISE_MACHINE.name,
                           registration_owner(&step->item, owner)))
        return false;
    snprintf(step->item.city_code, sizeof(step->item.city_code), "%s",
             answers_text(&answers, "city"));
    snprintf(step->item.title, sizeof(step->item.title), "%s",
             answers_text(&answers, "name"));
    return true;
}

/* What was approved stays valid until a change is decided. */
static bool reserve_code(struct step *step)
{
    struct answers answers;
    return registration_was_approved(step->db, step->item.id) ||
           (read_edition(step, step->edition, &answers) &&
            write_enterprise(step, &answers));
}

static bool keep_replies(struct step *step)
{
    const struct point *points;
    size_t count;
    int64_t round = open_round(step);
    if (!points_list(step->db, step->item.id, round, step->arena, &points,
                     &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *reply = reply_to(step, points[i].no);
        if (reply[0] != '\0' && !point_set_reply(step->db, step->item.id, round,
                                                 points[i].no, reply))
            return false;
    }
    return true;
}

/* Which edition was decided on. */
static bool note_edition(struct step *step)
{
    step->edition = edition_newest(step->db, step->item.id);
    return true;
}

static bool bring_up_enterprise(struct step *step)
{
    struct answers answers;
    return read_edition(step, step->edition, &answers) &&
           write_enterprise(step, &answers);
}

static bool keep_points(struct step *step)
{
    const struct answer *asked = answers_find(step->answers, "points");
    int64_t round = points_rounds(step->db, step->item.id) + 1;
    struct buffer reasons;
    buffer_init(&reasons, JSON_MAX);
    bool is_kept = true;
    for (size_t i = 0; is_kept && i < asked->row_count; i++) {
        const struct answers *row = &asked->rows[i];
        struct point point = {.round = round,
                              .no = (int64_t)i + 1,
                              .field = answers_text(row, "field"),
                              .reason = answers_text(row, "reason"),
                              .material = answers_text(row, "material"),
                              .explanation = answers_text(row, "explanation")};
        is_kept = point_add(step->db, step->item.id, &point);
        buffer_addf(&reasons, "%s%zu. %s", i > 0 ? "\n" : "", i + 1,
                    point.reason);
    }
    step->reason = arena_copy_text(step->arena, buffer_slice(&reasons));
    buffer_clear(&reasons);
    return is_kept && step->reason != NULL;
}

static bool tell_reason(struct step *step)
{
    step->reason = answers_text(step->answers, "reason");
    return true;
}

/* A code that was never approved is free again for the one whose it is. */
static bool free_code(struct step *step)
{
    struct db_statement *s = db_prepare(
        step->db,
        "DELETE FROM enterprise WHERE id = :party"
        " AND NOT EXISTS (SELECT 1 FROM voucher_application"
        "  WHERE enterprise_id = :party)"
        " AND NOT EXISTS (SELECT 1 FROM site WHERE enterprise_id = :party)"
        " AND NOT EXISTS (SELECT 1 FROM probe WHERE enterprise_id = :party)");
    if (registration_was_approved(step->db, step->item.id))
        return true;
    if (s == NULL)
        return false;
    db_bind_text(s, ":party", step->item.party);
    return db_do(s);
}

/* ---- the machine ---- */

/* The editions, by their hashes. */
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
    {"PENDING_CITY", HOLDER_CITY},
    {"RETURNED", HOLDER_PARTY},
    {"ACTIVE", HOLDER_NONE},
    {"REJECTED", HOLDER_NONE, .is_final = true},
};

#define FILES                                                                  \
    .actors = ROLE_BIT(ROLE_ENT), .action = ACTION_ENTERPRISE_FILE,            \
    .tells = ROLE_BIT(ROLE_ENT) | ROLE_BIT(ROLE_CITY)
#define REVIEWS                                                                \
    .actors = ROLE_BIT(ROLE_CITY), .action = ACTION_ENTERPRISE_REVIEW,         \
    .tells = ROLE_BIT(ROLE_ENT)

static const struct transition TRANSITIONS[] = {
    {"DRAFT", "submit", FILES, .form = &REGISTRATION_SUBMIT_FORM,
     .guards = {GUARD(asked_is_right), GUARD(draft_is_seen),
                GUARD(draft_is_complete), GUARD(code_is_free)},
     .effects = {EFFECT(keep_edition), EFFECT(reserve_code)},
     .to = "PENDING_CITY", .submits = true, .due = DUE_REGISTRATION_REVIEW,
     .subject = TEXT_KEY("notice.registration.submit.subject"),
     .body = TEXT_KEY("notice.registration.submit.body"),
     .requirement = "ENT-01 ENT-03"},
    {"PENDING_CITY", "approve", REVIEWS, .form = &REGISTRATION_APPROVE_FORM,
     .guards = {GUARD(has_no_conflict), GUARD(asked_is_right),
                GUARD(flag_is_answered)},
     .effects = {EFFECT(note_edition), EFFECT(bring_up_enterprise)},
     .to = "ACTIVE", .subject = TEXT_KEY("notice.registration.approve.subject"),
     .body = TEXT_KEY("notice.registration.approve.body"),
     .requirement = "ENT-02"},
    {"PENDING_CITY", "return", REVIEWS, .form = &REGISTRATION_RETURN_FORM,
     .guards = {GUARD(has_no_conflict), GUARD(list_is_not_empty),
                GUARD(asked_is_right), GUARD(is_told_at_once)},
     .effects = {EFFECT(note_edition), EFFECT(keep_points)}, .to = "RETURNED",
     .due = DUE_CORRECTION, .rings = true,
     .subject = TEXT_KEY("notice.registration.return.subject"),
     .body = TEXT_KEY("notice.registration.return.body"),
     .requirement = "ENT-04 REV-01"},
    {"PENDING_CITY", "reject", REVIEWS, .form = &REGISTRATION_REJECT_FORM,
     .guards = {GUARD(has_no_conflict), GUARD(asked_is_right),
                GUARD(ground_fits), GUARD(reason_is_given)},
     .effects = {EFFECT(note_edition), EFFECT(tell_reason), EFFECT(free_code)},
     .to = "REJECTED",
     .subject = TEXT_KEY("notice.registration.reject.subject"),
     .body = TEXT_KEY("notice.registration.reject.body"),
     .requirement = "ENT-03 REV-02"},
    {"RETURNED", "resubmit", FILES, .form = &REGISTRATION_SUBMIT_FORM,
     .guards = {GUARD(asked_is_right), GUARD(draft_is_seen),
                GUARD(draft_is_complete), GUARD(code_is_free),
                GUARD(points_are_answered)},
     .effects = {EFFECT(keep_replies), EFFECT(keep_edition),
                 EFFECT(reserve_code)},
     .to = "PENDING_CITY", .due = DUE_REGISTRATION_REVIEW,
     .subject = TEXT_KEY("notice.registration.resubmit.subject"),
     .body = TEXT_KEY("notice.registration.resubmit.body"),
     .requirement = "REV-05 REV-07"},
    {"ACTIVE", "change_key_data", FILES, .form = &REGISTRATION_SUBMIT_FORM,
     .guards = {GUARD(asked_is_right), GUARD(draft_is_seen),
                GUARD(draft_is_complete), GUARD(code_is_free),
                GUARD(something_changed)},
     .effects = {EFFECT(keep_edition)}, .to = "PENDING_CITY",
     .due = DUE_REGISTRATION_REVIEW,
     .subject = TEXT_KEY("notice.registration.change.subject"),
     .body = TEXT_KEY("notice.registration.change.body"),
     .requirement = "ENT-07"},
};

const struct machine ENTERPRISE_MACHINE = {
    .name = "enterprise_registration",
    .title = TEXT_KEY("enterprise_registration.name"),
    .number_prefix = "R",
    .party_kind = SCOPE_ENTERPRISE,
    .state_words = "enterprise_registration.state.",
    .event_words = "enterprise_registration.event.",
    .consequence = TEXT_KEY("notice.registration.consequence"),
    .states = STATES,
    .state_count = sizeof(STATES) / sizeof(STATES[0]),
    .transitions = TRANSITIONS,
    .transition_count = sizeof(TRANSITIONS) / sizeof(TRANSITIONS[0]),
    .add_record = add_record,
    .page = "/registrations/",
    .own_page = "/registration",
};
