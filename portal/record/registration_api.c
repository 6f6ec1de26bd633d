/* See registration_api.h. */
#include "portal/record/registration_api.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/writer.h"

enum { EVENTS_MAX = 16 };

/* ---- answers out ---- */

static void begin(struct visit *visit, struct json_writer *json)
{
    buffer_reset(&visit->response->body);
    visit->response->content_type = "application/json; charset=utf-8";
    json_start(json, &visit->response->body);
    json_object_begin(json, NULL);
}

static void end(struct visit *visit, struct json_writer *json)
{
    json_object_end(json);
    buffer_add_text(&visit->response->body, "\n");
    if (visit->response->body.failed)
        visit_refuse(visit, REFUSED_INTERNAL);
}

static void add_time(struct json_writer *json, const char *key, bool is_there,
                     struct wall_time time)
{
    char text[WALL_TEXT_LEN];
    wall_to_text(time, text);
    if (is_there)
        json_text(json, key, text);
    else
        json_no_value(json, key);
}

static void add_text_or_null(struct json_writer *json, const char *key,
                             const char *text)
{
    if (text[0] != '\0')
        json_text(json, key, text);
    else
        json_no_value(json, key);
}

static void add_state(const struct desk *desk, struct json_writer *json)
{
    const struct item *item = &desk->item;
    add_text_or_null(json, "number", item->number);
    add_text_or_null(json, "state", item->state);
    json_i64(json, "version", item->version);
    add_text_or_null(json, "city", item->city_code);
    add_text_or_null(json, "holder", holder_text(item->holder));
    add_time(json, "first_submitted_at", item->is_submitted,
             item->first_submitted_at);
    add_time(json, "due_at", item->due_rule != DUE_NONE, item->due_at);
}

static void add_answers(struct desk *desk, bool is_draft,
                        struct json_writer *json)
{
    struct form_view view = desk_view(desk);
    form_view_mask(&view, &desk->answers);
    json_object_begin(json, "answers");
    answers_write_members(&desk->answers, is_draft, json);
    json_object_end(json);
}

/* What a submission would be refused for. */
static void add_refusals(const struct answers *answers,
                         struct json_writer *json, struct arena *arena)
{
    for (size_t i = 0; i < answers->count; i++) {
        const struct answer *answer = &answers->of[i];
        if (answer->refusal.code != NULL) {
            json_object_begin(json, NULL);
            refusal_write_json(&answer->refusal, json, arena);
            json_object_end(json);
        }
        for (size_t row = 0; row < answer->row_count; row++)
            add_refusals(&answer->rows[row], json, arena);
    }
}

static void add_points(const struct desk *desk, struct json_writer *json)
{
    json_array_begin(json, "points");
    for (size_t i = 0; i < desk->point_count; i++) {
        const struct point *point = &desk->points[i];
        json_object_begin(json, NULL);
        json_i64(json, "no", point->no);
        json_text(json, "field", point->field);
        json_text(json, "reason", point->reason);
        json_text(json, "material", point->material);
        json_text(json, "explanation", point->explanation);
        json_text(json, "reply", point->reply);
        json_object_end(json);
    }
    json_array_end(json);
}

/* The events that the caller may do now, with their addresses. */
static void add_events(const struct desk *desk, struct json_writer *json)
{
    const struct transition *events[EVENTS_MAX];
    size_t count = 0;
    if (desk->is_there)
        count = machine_events(&ENTERPRISE_MACHINE, &desk->item,
                               &desk->visit->caller, events, EVENTS_MAX);
    json_array_begin(json, "events");
    for (size_t i = 0; i < count; i++) {
        bool is_own = events[i]->form == &REGISTRATION_SUBMIT_FORM;
        json_object_begin(json, NULL);
        json_text(json, "event", events[i]->event);
        json_text(json, "href",
                  is_own ? "/api/v1/registration/submit"
                         : arena_format(desk->visit->arena,
                                        "/api/v1/registrations/%s/%s",
                                        desk->item.number, events[i]->event));
        json_object_end(json);
    }
    json_array_end(json);
}

static void show(struct desk *desk, bool is_own)
{
    struct visit *visit = desk->visit;
    struct json_writer json;
    char mark[FORM_MARK_LEN], hex[DIGEST_HEX_LEN] = "";
    char token[SESSION_MASKED_LEN];
    form_check(&ENTERPRISE_FORM, &desk->answers, true, &desk->context);
    form_mark(&desk->answers, mark);
    if (desk->edition.number > EDITION_DRAFT)
        digest_to_hex(desk->edition.sha256, hex);
    begin(visit, &json);
    add_state(desk, &json);
    json_i64(&json, "edition", desk->edition.number);
    add_text_or_null(&json, "sha256", hex);
    json_text(&json, "mark", mark);
    add_answers(desk, desk->edition.number == EDITION_DRAFT, &json);
    json_array_begin(&json, "refusals");
    if (is_own)
        add_refusals(&desk->answers, &json, visit->arena);
    json_array_end(&json);
    add_points(desk, &json);
    add_events(desk, &json);
    if (is_own) { /* for forms with files, which carry it */
        session_csrf_mask(visit->caller.session.csrf, token);
        json_text(&json, "csrf", token);
    } else {
        json_no_value(&json, "csrf");
    }
    end(visit, &json);
}

void registration_api_show(struct visit *visit)
{
    struct desk desk;
    if (desk_open_own(visit, &desk))
        show(&desk, true);
}

void registration_api_show_named(struct visit *visit)
{
    struct desk desk;
    if (desk_open_named(visit, visit->request.arguments[0], 0, &desk))
        show(&desk, false);
}

/* ---- what was posted ---- */

static bool refuse_body(struct visit *visit, const char *reason)
{
    struct refusal refusal;
    refuse(&refusal, "E_FIELD_VALUE", NULL, "field.refusal.json",
           text_plain("reason", reason));
    visit_refuse_act(visit, &refusal);
    return false;
}

/* The body as an object, to be freed; NULL: answered. */
static struct json_document *read_body(struct visit *visit)
{
    struct error_text error = {"{...}"};
    struct json_document *body =
        json_parse(visit->request.http->body, "body", &error);
    if (body != NULL && json_kind_of(json_root(body)) == JSON_OBJECT_KIND)
        return body;
    json_free(body);
    refuse_body(visit, error.text);
    return NULL;
}

/* A member that is a text; "" when it is not there. */
static const char *text_of(const struct json_node *body, const char *key,
                           struct arena *arena)
{
    const struct json_node *node = json_member(body, key);
    const char *copy =
        node != NULL && json_kind_of(node) == JSON_TEXT_KIND
            ? arena_copy_text(arena, slice_of_text(json_as_text(node)))
            : NULL;
    return copy != NULL ? copy : "";
}

/* The answers of a member into these; without it they stay empty. */
static bool read_member(struct visit *visit, const struct json_node *body,
                        const char *key, struct answers *answers)
{
    struct refusal refusal = {0};
    const struct json_node *node = json_member(body, key);
    if (node == NULL || answers_read_node(answers, node, &refusal))
        return true;
    visit_refuse_act(visit, &refusal);
    return false;
}

/* ---- saving ---- */

static void answer_saved(struct desk *desk)
{
    form_check(&ENTERPRISE_FORM, &desk->answers, true, &desk->context);
    show(desk, true);
}

void registration_api_saved(struct desk *desk, const struct refusal *bad_file)
{
    if (bad_file->code != NULL)
        visit_refuse_act(desk->visit, bad_file);
    else
        answer_saved(desk);
}

void registration_api_save(struct visit *visit)
{
    struct desk desk;
    struct error_text error = {""};
    char seen[FORM_MARK_LEN];
    struct json_document *body = read_body(visit);
    if (body == NULL || !desk_open_own(visit, &desk)) {
        json_free(body);
        return;
    }
    form_check(&ENTERPRISE_FORM, &desk.answers, false, &desk.context);
    form_mark(&desk.answers, seen);
    const char *mark = text_of(json_root(body), "mark", visit->arena);
    bool is_read =
        read_member(visit, json_root(body), "answers", &desk.answers);
    json_free(body);
    if (!is_read)
        return;
    struct registration_save save = {
        .caller = &visit->caller,
        .answers = &desk.answers,
        .mark = mark[0] != '\0' ? mark : seen,
    };
    struct audit_entry entry = {visit->caller.account.name,
                                "enterprise_registration.save",
                                "api",
                                "OK",
                                NULL,
                                NULL};
    enum act_end act = portal_act(visit->portal, visit->now, &entry,
                                  registration_save, &save, &error);
    if (act == ACT_REFUSED) {
        visit_refuse_act(visit, &save.refusal);
    } else if (act == ACT_FAILED) {
        visit_refuse(visit, REFUSED_INTERNAL);
    } else {
        desk.answers = save.stored;
        desk.item = save.item;
        desk.is_there = true;
        desk.edition.number = EDITION_DRAFT;
        answer_saved(&desk);
    }
}

/* ---- events ---- */

static void do_event(struct desk *desk, const char *event,
                     const struct form *form, const struct json_node *body)
{
    struct visit *visit = desk->visit;
    struct refusal refusal = {0};
    struct json_writer json;
    int64_t version = 0;
    const struct json_node *node = json_member(body, "version");
    if (node == NULL || json_kind_of(node) != JSON_INTEGER_KIND) {
        refuse_body(visit, "version: an integer is expected");
        return;
    }
    version = json_as_i64(node, 0, INT64_MAX);
    struct answers asked = form_answers(form, visit->arena);
    if (!read_member(visit, body, "asked", &asked))
        return;
    enum act_end act =
        desk_do(desk, event, version, text_of(body, "request", visit->arena),
                &asked, &refusal);
    if (act == ACT_REFUSED) {
        visit_refuse_act(visit, &refusal);
    } else if (act == ACT_KEPT) {
        begin(visit, &json);
        add_state(desk, &json);
        add_events(desk, &json);
        end(visit, &json);
    }
}

void registration_api_submit(struct visit *visit)
{
    struct desk desk;
    struct json_document *body = read_body(visit);
    if (body != NULL && desk_open_own(visit, &desk))
        do_event(&desk, text_of(json_root(body), "event", visit->arena),
                 &REGISTRATION_SUBMIT_FORM, json_root(body));
    json_free(body);
}

void registration_api_decide(struct visit *visit)
{
    static const struct {
        const char *event;
        const struct form *form;
    } EVENTS[] = {
        {"approve", &REGISTRATION_APPROVE_FORM},
        {"return", &REGISTRATION_RETURN_FORM},
        {"reject", &REGISTRATION_REJECT_FORM},
    };
    struct desk desk;
    const struct form *form = NULL;
    const char *event = visit->request.arguments[1];
    for (size_t i = 0; i < sizeof(EVENTS) / sizeof(EVENTS[0]); i++)
        if (strcmp(EVENTS[i].event, event) == 0)
            form = EVENTS[i].form;
    if (form == NULL) {
        visit_refuse(visit, REFUSED_NO_PAGE);
        return;
    }
    struct json_document *body = read_body(visit);
    if (body != NULL &&
        desk_open_named(visit, visit->request.arguments[0], 0, &desk))
        do_event(&desk, event, form, json_root(body));
    json_free(body);
}
