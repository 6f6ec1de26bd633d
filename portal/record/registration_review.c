/* See registration_review.h. */
#include "portal/record/registration_review.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/shown.h"
#include "portal/record/register_extract.h"
#include "portal/record/registration_desk.h"

enum { ADDRESS_LEN = 128, EVENTS_MAX = 16 };

/* What can be decided, and with which form. */
struct decision {
    const char *event;
    const struct form *form;
    const char *object, *request, *is_open; /* names in the model */
};
static const struct decision DECISIONS[] = {
    {"approve", &REGISTRATION_APPROVE_FORM, "_approve", "_request_approve",
     "_at_approve"},
    {"return", &REGISTRATION_RETURN_FORM, "_return", "_request_return",
     "_at_return"},
    {"reject", &REGISTRATION_REJECT_FORM, "_reject", "_request_reject",
     "_at_reject"},
};
enum { DECISION_COUNT = sizeof(DECISIONS) / sizeof(DECISIONS[0]) };

/* What was typed into a decision that was refused. */
struct attempt {
    const struct decision *decision; /* NULL: none */
    struct answers answers;
};

static bool may_decide(const struct desk *desk)
{
    const struct transition *events[EVENTS_MAX];
    size_t count = machine_events(&ENTERPRISE_MACHINE, &desk->item,
                                  &desk->visit->caller, events, EVENTS_MAX);
    for (size_t i = 0; i < count; i++)
        if (strcmp(events[i]->event, DECISIONS[0].event) == 0)
            return true;
    return false;
}

static void add_decisions(struct desk *desk, const struct attempt *attempt,
                          struct model *model)
{
    struct form_view view = desk_view(desk);
    view.is_open = NULL;
    for (size_t i = 0; i < DECISION_COUNT; i++) {
        const struct decision *d = &DECISIONS[i];
        struct answers answers = form_answers(d->form, desk->visit->arena);
        bool is_tried = attempt->decision == d;
        if (is_tried)
            answers = attempt->answers;
        form_view_fields(&view, &answers, model_object(model, d->object));
        desk_add_request(model, d->request);
        model_bool(model, d->is_open, is_tried);
    }
}

/* Each file of the edition, in the order of the form. */
static void add_papers(struct desk *desk, struct model *model)
{
    struct form_view view = desk_view(desk);
    bool has_papers = false;
    char size[SHOWN_LEN];
    model_list(model, "_papers");
    for (size_t i = 0; i < desk->answers.count; i++) {
        const struct answer *answer = &desk->answers.of[i];
        for (size_t j = 0; j < answer->file_count; j++) {
            struct form_view_file file =
                view.file(view.source, &answer->files[j]);
            struct model *m = model_append(model, "_papers");
            model_text(m, "label",
                       text_word(desk->visit->caller.language, "",
                                 answer->field->label));
            shown_size(answer->files[j].size, size);
            model_text(m, "name", answer->files[j].name);
            model_text(m, "size", size);
            model_text(m, "link", file.link != NULL ? file.link : "");
            model_text(
                m, "scan",
                file.scan != NULL
                    ? text_word(desk->visit->caller.language, "", file.scan)
                    : "");
            has_papers = true;
        }
    }
    model_bool(model, "_no_papers", !has_papers);
}

static void add_editions(const struct desk *desk, struct model *model)
{
    int64_t newest = edition_newest(desk->visit->db, desk->item.id);
    model_list(model, "_editions");
    for (int64_t i = 1; i <= newest; i++)
        model_i64(model_append(model, "_editions"), "edition", i);
}

static void add_flag(struct desk *desk, struct model *model)
{
    const char *code = answers_text(&desk->answers, "industry");
    bool is_flagged =
        code[0] != '\0' && !enterprise_is_industrial(&desk->answers);
    model_text(model, "_flag",
               is_flagged ? text_word(desk->visit->caller.language, "",
                                      "registration.told.industry")
                          : "");
}

/* What changed: since the return beside its points; of a change of data since the
 * approval. */
static void add_changes(struct desk *desk, struct model *model)
{
    int64_t approved =
        registration_approved_edition(desk->visit->db, desk->item.id);
    bool is_change =
        desk->returned == 0 && approved > 0 && approved < desk->edition.number;
    desk_add_points(desk, false, model);
    size_t others =
        desk_add_others(desk, is_change ? approved : desk->returned, model);
    model_bool(model, "_has_others", others > 0);
    model_bool(model, "_is_change", is_change);
    add_editions(desk, model);
}

/* A page of a record is called by it: "Review of a registration R-2026-000001". */
static const char *title_of(const struct desk *desk, const char *key)
{
    struct visit *visit = desk->visit;
    const char *title = arena_format(visit->arena, "%s %s",
                                     text_word(visit->caller.language, "", key),
                                     desk->item.number);
    return title != NULL ? title : key;
}

static void show_review(struct desk *desk, const struct attempt *attempt,
                        const struct refusal *refusal)
{
    struct visit *visit = desk->visit;
    struct model *model = visit->model;
    struct form_view view = desk_view(desk);
    static const char *const WHY[CONFLICT_COUNT] = {
        [CONFLICT_NONE] = "",
        [CONFLICT_DECLARED] = TEXT_KEY("registration.interest.own"),
        [CONFLICT_CONTACT] = TEXT_KEY("registration.interest.contact"),
    };
    enum conflict conflict = registration_conflict(
        visit->db, visit->caller.account.name, desk->item.party);
    desk_add_state(desk, model);
    form_view_answers(&view, &ENTERPRISE_FORM, &desk->answers, NULL, model);
    add_papers(desk, model);
    add_changes(desk, model);
    add_flag(desk, model);
    register_add_hints(visit, &desk->answers, model);
    add_decisions(desk, attempt, model);
    model_bool(model, "_may_decide",
               may_decide(desk) && conflict == CONFLICT_NONE);
    model_text(model, "_conflict",
               may_decide(desk) && conflict != CONFLICT_NONE
                   ? visit_word(visit, WHY[conflict], "")
                   : "");
    desk_add_timeline(desk, model);
    if (attempt->decision != NULL)
        form_view_errors(&view, NULL, &attempt->answers, NULL, model);
    else
        model_list(model, "_errors");
    if (refusal != NULL && refusal->field == NULL) {
        struct model *m = model_append(model, "_errors");
        model_text(
            m, "words",
            refusal_words(refusal, visit->caller.language, visit->arena));
        model_text(m, "link", "");
    }
    model_bool(model, "_has_errors", refusal != NULL);
    visit_show(visit, "registration_review",
               title_of(desk, "registration.review"));
}

static bool is_own(const struct visit *visit)
{
    return visit->caller.scope.kind == ENTERPRISE_MACHINE.party_kind;
}

void registration_review_show(struct visit *visit)
{
    struct desk desk;
    struct attempt none = {0};
    if (!desk_open_named(visit, visit->request.arguments[0], 0, &desk))
        return;
    if (is_own(visit))
        visit_redirect(visit, "/registration");
    else
        show_review(&desk, &none, NULL);
}

void registration_edition_show(struct visit *visit)
{
    struct desk desk;
    char hex[DIGEST_HEX_LEN];
    int64_t number = 0;
    if (!parse_i64(slice_of_text(visit->request.arguments[1]), 1, INT64_MAX,
                   &number)) {
        visit_refuse(visit, REFUSED_NO_PAGE);
        return;
    }
    if (!desk_open_named(visit, visit->request.arguments[0], number, &desk))
        return;
    struct form_view view = desk_view(&desk);
    digest_to_hex(desk.edition.sha256, hex);
    desk_add_state(&desk, visit->model);
    model_text(visit->model, "sha256", hex);
    model_moment(visit->model, "_saved", desk.edition.saved_at);
    form_view_answers(&view, &ENTERPRISE_FORM, &desk.answers, NULL,
                      visit->model);
    const char *title = arena_format(
        visit->arena, "%s · %s %" PRId64, title_of(&desk, "registration.title"),
        text_word(visit->caller.language, "", "registration.edition"), number);
    visit_show(visit, "registration_edition",
               title != NULL ? title : "registration.edition");
}

/* ---- deciding ---- */

static const struct decision *find_decision(const char *event)
{
    for (size_t i = 0; i < DECISION_COUNT; i++)
        if (strcmp(DECISIONS[i].event, event) == 0)
            return &DECISIONS[i];
    return NULL;
}

/* All that is wrong with it at once, and what the machine said. */
static void show_attempt(struct desk *desk, struct attempt *attempt,
                         const struct refusal *refusal)
{
    form_check(attempt->decision->form, &attempt->answers, true,
               &desk->context);
    struct answer *answer =
        refusal->field != NULL ? answers_find(&attempt->answers, refusal->field)
                               : NULL;
    if (answer != NULL && answer->refusal.code == NULL)
        answer->refusal = *refusal;
    desk->visit->response->status = refused_status_of_code(refusal->code);
    show_review(desk, attempt, refusal);
}

void registration_decide_post(struct visit *visit)
{
    struct desk desk;
    struct refusal refusal;
    char address[ADDRESS_LEN];
    int64_t version = 0;
    const struct form_data *form = &visit->request.form;
    struct attempt attempt = {.decision =
                                  find_decision(visit->request.arguments[1])};
    if (attempt.decision == NULL) {
        visit_refuse(visit, REFUSED_NO_PAGE);
        return;
    }
    if (!desk_open_named(visit, visit->request.arguments[0], 0, &desk))
        return;
    attempt.answers = form_answers(attempt.decision->form, visit->arena);
    answers_read(&attempt.answers, form_typed, form);
    parse_i64(slice_of_text(form_get(form, "version")), 0, INT64_MAX, &version);
    enum act_end end =
        desk_do(&desk, attempt.decision->event, version,
                form_get(form, "request"), &attempt.answers, &refusal);
    snprintf(address, sizeof(address), "/registrations/%s", desk.item.number);
    if (end == ACT_KEPT)
        visit_redirect(visit, address);
    else if (end == ACT_REFUSED)
        show_attempt(&desk, &attempt, &refusal);
}

void registration_rows_post(struct visit *visit)
{
    struct desk desk;
    struct attempt attempt = {.decision = find_decision("return")};
    if (!desk_open_named(visit, visit->request.arguments[0], 0, &desk))
        return;
    attempt.answers = form_answers(attempt.decision->form, visit->arena);
    answers_read(&attempt.answers, form_typed, &visit->request.form);
    show_review(&desk, &attempt, NULL);
}

struct declaration {
    const char *account, *party;
};

static enum act_end declare(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    const struct declaration *d = context;
    if (registration_declare_interest(db, now, d->account, d->party))
        return ACT_KEPT;
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

void registration_interest_post(struct visit *visit)
{
    struct desk desk;
    struct error_text error;
    char address[ADDRESS_LEN];
    if (!desk_open_named(visit, visit->request.arguments[0], 0, &desk))
        return;
    struct declaration d = {visit->caller.account.name, desk.item.party};
    struct audit_entry entry = {
        d.account, "interest.declare", desk.item.number, "OK", NULL, NULL};
    snprintf(address, sizeof(address), "/registrations/%s", desk.item.number);
    if (portal_act(visit->portal, visit->now, &entry, declare, &d, &error) ==
        ACT_KEPT)
        visit_redirect(visit, address);
    else
        visit_refuse(visit, REFUSED_INTERNAL);
}

/* ---- the paper of a decision ---- */

struct event {
    const char *event, *reason, *asked, *bureau_zh, *bureau_en;
    struct wall_time at;
};

static const char *keep(struct visit *visit, const char *text)
{
    const char *copy = arena_copy_text(visit->arena, slice_of_text(text));
    return copy != NULL ? copy : "";
}

static bool find_event(struct visit *visit, int64_t item, int64_t no,
                       struct event *event)
{
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT e.event, e.reason, e.asked, e.at, ifnull(c.name_zh, ''),"
        " ifnull(c.name_en, '') FROM item_event e"
        " LEFT JOIN city c ON c.code = e.organisation"
        " WHERE e.item_id = :item AND e.no = :no AND e.event IN"
        " ('approve', 'return', 'reject')");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item);
    db_bind_i64(s, ":no", no);
    bool found = db_step(s) == DB_ROW;
    if (found)
        *event = (struct event){
            .event = keep(visit, db_text(s, 0)),
            .reason = keep(visit, db_text(s, 1)),
            .asked = keep(visit, db_text(s, 2)),
            .at = {db_i64(s, 3)},
            .bureau_zh = keep(visit, db_text(s, 4)),
            .bureau_en = keep(visit, db_text(s, 5)),
        };
    db_reset(s);
    return found;
}

/* Of a rejection its ground; of a return its points, as they were told. */
static void add_asked(struct desk *desk, const struct event *event,
                      struct model *model)
{
    struct visit *visit = desk->visit;
    const struct decision *decision = find_decision(event->event);
    struct answers asked = form_answers(decision->form, visit->arena);
    struct refusal refusal;
    struct point *points = arena_take_array(visit->arena, 32, sizeof(*points));
    answers_read_json(&asked, slice_of_text(event->asked), &refusal);
    const struct answer *rows = answers_find(&asked, "points");
    desk->point_count = 0;
    for (size_t i = 0;
         points != NULL && rows != NULL && i < rows->row_count && i < 32; i++)
        points[desk->point_count++] = (struct point){
            .no = (int64_t)i + 1,
            .field = answers_text(&rows->rows[i], "field"),
            .reason = answers_text(&rows->rows[i], "reason"),
            .material = answers_text(&rows->rows[i], "material"),
            .explanation = answers_text(&rows->rows[i], "explanation"),
            .reply = "",
        };
    desk->points = points;
    desk->returned = 0;
    desk_add_points(desk, false, model);
    const char *ground = answers_text(&asked, "ground");
    model_text(model, "_ground",
               ground[0] != '\0' ? visit_word(visit, "reject_ground.", ground)
                                 : "");
}

void registration_notice_show(struct visit *visit)
{
    struct desk desk;
    struct event event;
    int64_t no = 0;
    struct model *model = visit->model;
    if (!desk_open_named(visit, visit->request.arguments[0], 0, &desk))
        return;
    if (!parse_i64(slice_of_text(visit->request.arguments[1]), 1, INT64_MAX,
                   &no) ||
        !find_event(visit, desk.item.id, no, &event)) {
        visit_refuse(visit, REFUSED_NO_RECORD);
        return;
    }
    bool is_return = strcmp(event.event, "return") == 0;
    desk_add_state(&desk, model);
    add_asked(&desk, &event, model);
    model_textf(model, "notice_number", "%s-%" PRId64, desk.item.number, no);
    model_text(model, "_kind",
               visit_word(visit, "registration.paper.", event.event));
    model_textf(model, "_bureau", "%s%s",
                visit_name(visit, event.bureau_zh, event.bureau_en),
                visit_word(visit, "registration.holder.", "city"));
    model_moment(model, "_at", event.at);
    model_day_of(model, "_day", event.at);
    model_text(model, "_reason", is_return ? "" : event.reason);
    model_text(model, "_next",
               visit_word(visit, "registration.next.", event.event));
    const char *title =
        arena_format(visit->arena, "%s-%" PRId64,
                     title_of(&desk, "registration.notice"), no);
    visit_show(visit, "registration_notice",
               title != NULL ? title : "registration.notice");
}
