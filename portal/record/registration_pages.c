/*
 * See registration_pages.h. A step is saved whatever is in it; what is wrong
 * stands beside its field when the step is opened again. Nothing is written by
 * looking: the registration begins with the first save.
 */
#include "portal/record/registration_pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/shown.h"
#include "portal/http/upload.h"
#include "portal/record/attachment_pages.h"
#include "portal/record/register_extract.h"
#include "portal/record/registration_api.h"
#include "portal/record/registration_desk.h"
#include "portal/store/attachment_type.h"

enum { ADDRESS_LEN = 96, VERSION_MAX_DIGITS = 20 };

/* ---- the overview ---- */

/* How a step stands, as its look and its words. */
static const char *step_look(struct desk *desk, const struct form_step *step)
{
    struct answers part =
        form_step_answers(&ENTERPRISE_FORM, &desk->answers, step);
    bool is_begun = false, is_wrong = false;
    for (size_t i = 0; i < part.count; i++) {
        const char *code = part.of[i].refusal.code;
        is_begun |= part.of[i].is_given;
        is_wrong |= code != NULL && part.of[i].is_given;
    }
    if (is_wrong)
        return "wrong";
    if (answers_refusal(&part) != NULL)
        return is_begun ? "begun" : "empty";
    return is_begun ? "done" : "optional";
}

static void add_steps(struct desk *desk, struct model *model)
{
    enum language language = desk->visit->caller.language;
    form_check(&ENTERPRISE_FORM, &desk->answers, true, &desk->context);
    model_list(model, "_steps");
    for (size_t i = 0; i < ENTERPRISE_FORM.step_count; i++) {
        const struct form_step *step = &ENTERPRISE_FORM.steps[i];
        const char *look = step_look(desk, step);
        struct model *m = model_append(model, "_steps");
        model_text(m, "name", step->name);
        model_text(m, "title", text_word(language, "", step->title));
        model_text(m, "look", look);
        model_text(m, "words", text_word(language, "registration.task.", look));
    }
}

static bool may_write(const struct desk *desk)
{
    return !desk->is_there || registration_is_open(&desk->item) ||
           strcmp(desk->item.state, "REJECTED") == 0;
}

void registration_show(struct visit *visit)
{
    struct desk desk;
    struct model *model = visit->model;
    if (!desk_open_own(visit, &desk))
        return;
    const char *state = desk.is_there ? desk.item.state : "NONE";
    bool is_returned = strcmp(state, "RETURNED") == 0;
    bool is_sent = desk.is_there && desk.item.number[0] != '\0';
    struct form_view view = desk_view(&desk);
    desk_add_state(&desk, model);
    if (!is_returned)
        desk.point_count = 0;
    desk_add_points(&desk, false, model);
    add_steps(&desk, model);
    model_bool(model, "_can_write", may_write(&desk));
    model_bool(model, "_is_sent", is_sent);
    model_bool(model, "_was_submitted",
               form_get(&visit->request.query, "submitted")[0] == '1');
    model_text(model, "_lead", visit_word(visit, "registration.lead.", state));
    model_text(model, "_tasks_title",
               visit_word(visit, "registration.tasks.", state));
    model_bool(model, "_shows_answers", !may_write(&desk));
    if (!may_write(&desk))
        for (size_t i = 0; i < desk.answers.count; i++)
            desk.answers.of[i].refusal = (struct refusal){0};
    form_view_answers(&view, &ENTERPRISE_FORM, &desk.answers, NULL, model);
    desk_add_timeline(&desk, model);
    visit_show(visit, "registration", "registration.title");
}

/* ---- a step ---- */

/* A value that is missing is told when it is handed in, not while it is
 * written. */
static void show_step(struct desk *desk, const struct form_step *step,
                      const struct answers *theirs)
{
    struct visit *visit = desk->visit;
    struct model *model = visit->model;
    struct form_view view = desk_view(desk);
    struct answers part =
        form_step_answers(&ENTERPRISE_FORM, &desk->answers, step);
    char mark[FORM_MARK_LEN];
    size_t place = (size_t)(step - ENTERPRISE_FORM.steps) + 1;
    const struct answers *seen = &part;
    struct answers stored;
    if (theirs != NULL) {
        stored = form_step_answers(&ENTERPRISE_FORM, theirs, step);
        seen = &stored;
    }
    form_mark(seen, mark);
    view.theirs = theirs;
    desk_add_state(desk, model);
    model_text(model, "_step", step->name);
    model_text(model, "_mark", mark);
    model_text(model, "_help",
               step->help != NULL
                   ? text_word(visit->caller.language, "", step->help)
                   : "");
    model_textf(model, "_step_place", "%zu / %zu", place,
                ENTERPRISE_FORM.step_count);
    model_bool(model, "_all", desk->opens_all);
    model_bool(model, "_may_open",
               strcmp(desk->item.state, "RETURNED") == 0 && !desk->opens_all);
    model_text(model, "_saved",
               form_get(&visit->request.query, "saved")[0] == '1'
                   ? text_word(visit->caller.language, "", "registration.saved")
                   : "");
    model_bool(model, "_is_stale", theirs != NULL);
    form_view_errors(&view, &ENTERPRISE_FORM, &part, NULL, model);
    model_bool(model, "_has_errors", answers_refusal(&part) != NULL);
    form_view_fields(&view, &part, model);
    visit_show(visit, "registration_step", step->title);
}

static const struct form_step *find_step(struct visit *visit)
{
    const struct form_step *step =
        form_step_find(&ENTERPRISE_FORM, visit->request.arguments[0]);
    if (step == NULL)
        visit_refuse(visit, REFUSED_NO_PAGE);
    return step;
}

static void refuse_closed(struct desk *desk)
{
    struct refusal refusal;
    refuse(
        &refusal, "E_STATE", NULL, "registration.refusal.closed",
        text_code("state", "enterprise_registration.state.", desk->item.state));
    visit_refuse_act(desk->visit, &refusal);
}

void registration_step_show(struct visit *visit)
{
    struct desk desk;
    const struct form_step *step = find_step(visit);
    if (step == NULL || !desk_open_own(visit, &desk))
        return;
    if (!may_write(&desk)) {
        refuse_closed(&desk);
        return;
    }
    form_check(&ENTERPRISE_FORM, &desk.answers, false, &desk.context);
    show_step(&desk, step, NULL);
}

/* Fields that were shown closed were not sent, and stay. */
static void read_step(struct desk *desk, const struct form_step *step)
{
    struct form_view view = desk_view(desk);
    struct answers part =
        form_step_answers(&ENTERPRISE_FORM, &desk->answers, step);
    for (size_t i = 0; i < part.count; i++) {
        struct answers one = part;
        one.of = &part.of[i];
        one.count = 1;
        if (view.is_open(view.source, part.of[i].field))
            answers_read(&one, form_typed, &desk->visit->request.form);
    }
}

/* What a save does with files, inside its act. */
struct paper_work {
    struct desk *desk;
    const struct form_step *step;
    struct refusal refusal; /* of the first file that is not good */
};

static const struct field *file_field(const struct form_step *step,
                                      const char *name)
{
    for (size_t i = 0; i < step->count; i++)
        if (step->fields[i].kind == FIELD_FILE &&
            strcmp(step->fields[i].name, name) == 0)
            return &step->fields[i];
    return NULL;
}

static bool remove_file(struct db *db, struct wall_time now,
                        const struct item *item, struct paper_work *work)
{
    struct visit *visit = work->desk->visit;
    struct attachment found;
    char owner[REGISTRATION_OWNER_LEN];
    int64_t id;
    if (!parse_i64(slice_of_text(form_get(&visit->request.form, "remove")), 1,
                   INT64_MAX, &id) ||
        !attachment_find(db, id, visit->arena, &found) ||
        strcmp(found.owner_kind, ENTERPRISE_MACHINE.name) != 0 ||
        strcmp(found.owner_id, registration_owner(item, owner)) != 0 ||
        file_field(work->step, found.field) == NULL)
        return true; /* somebody else's, or gone: nothing to do */
    return attachment_remove(db, now, id);
}

static bool add_file(struct db *db, struct wall_time now,
                     const struct item *item, struct paper_work *work,
                     const struct upload_file *upload, struct error_text *error)
{
    struct visit *visit = work->desk->visit;
    char owner[REGISTRATION_OWNER_LEN];
    struct refusal refusal = {0};
    if (file_field(work->step, upload->field) == NULL)
        return true;
    bool has_place = attachment_has_place(db, ENTERPRISE_MACHINE.name,
                                          registration_owner(item, owner));
    if (!attachment_check_upload(portal_attachments(visit->portal), upload,
                                 ATTACHMENT_READABLE, has_place, visit->arena,
                                 &refusal)) {
        if (work->refusal.code == NULL)
            work->refusal = refusal;
        return true;
    }
    struct attachment_place place = {
        .owner_kind = ENTERPRISE_MACHINE.name,
        .owner_id = owner,
        .field = upload->field,
        .name = slice_of_text(upload->name),
        .uploaded_by = visit->caller.account.name,
    };
    return attachment_add(db, now, &place, upload->file, error) != 0;
}

static bool do_files(struct db *db, struct wall_time now,
                     const struct item *item, void *source,
                     struct error_text *error)
{
    struct paper_work *work = source;
    struct upload *upload = work->desk->visit->request.http->upload;
    size_t count = upload != NULL ? upload_file_count(upload) : 0;
    if (!remove_file(db, now, item, work)) {
        error_set(error, "%s", db_error(db));
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!add_file(db, now, item, work, upload_file(upload, i), error))
            return false;
    return true;
}

/* On to the next step, or the same again: what is wrong is shown there. */
static void go_on(struct desk *desk, const struct form_step *step)
{
    struct visit *visit = desk->visit;
    char address[ADDRESS_LEN];
    const struct form_data *form = &visit->request.form;
    struct answers part =
        form_step_answers(&ENTERPRISE_FORM, &desk->answers, step);
    size_t place = (size_t)(step - ENTERPRISE_FORM.steps) + 1;
    bool stays = form_get(form, "remove")[0] != '\0' ||
                 strcmp(form_get(form, "go"), "stay") == 0 ||
                 answers_refusal(&part) != NULL;
    bool is_last = place == ENTERPRISE_FORM.step_count;
    const char *all = desk->opens_all ? "&all=1" : "";
    if (stays)
        snprintf(address, sizeof(address), "/registration/%s?saved=1%s",
                 step->name, all);
    else if (is_last || strcmp(desk->item.state, "RETURNED") == 0)
        snprintf(address, sizeof(address), "/registration%s",
                 is_last ? "/check" : "");
    else
        snprintf(address, sizeof(address), "/registration/%s",
                 ENTERPRISE_FORM.steps[place].name);
    visit_redirect(visit, address);
}

/* A file that is not good spoils nothing: all else is kept, and the step says
 * what is wrong with it. */
static void show_bad_file(struct desk *desk, const struct form_step *step,
                          const struct refusal *refusal)
{
    struct answer *answer = answers_find(&desk->answers, refusal->field);
    if (answer != NULL)
        answer->refusal = *refusal;
    desk->visit->response->status = refused_status_of_code(refusal->code);
    show_step(desk, step, NULL);
}

static void end_save(struct desk *desk, const struct form_step *step,
                     struct registration_save *save, enum act_end end,
                     const struct refusal *bad_file)
{
    if (end == ACT_KEPT) {
        desk->answers = save->stored;
        desk->item = save->item;
        desk->is_there = true;
        form_check(&ENTERPRISE_FORM, &desk->answers, false, &desk->context);
        desk->edition.number = EDITION_DRAFT;
        if (desk->visit->request.wants_json)
            registration_api_saved(desk, bad_file);
        else if (bad_file->code != NULL)
            show_bad_file(desk, step, bad_file);
        else
            go_on(desk, step);
    } else if (save->is_stale && !desk->visit->request.wants_json) {
        struct model *model = desk->visit->model;
        desk->visit->response->status = 409;
        model_text(model, "_stale_words",
                   refusal_words(&save->refusal, desk->visit->caller.language,
                                 desk->visit->arena));
        show_step(desk, step, &save->stored);
    } else if (end == ACT_REFUSED) {
        visit_refuse_act(desk->visit, &save->refusal);
    } else {
        visit_refuse(desk->visit, REFUSED_INTERNAL);
    }
}

void registration_step_post(struct visit *visit)
{
    struct desk desk;
    struct error_text error = {""};
    const struct form_step *step = find_step(visit);
    if (step == NULL || !desk_open_own(visit, &desk))
        return;
    read_step(&desk, step);
    struct paper_work work = {&desk, step, {0}};
    struct registration_save save = {
        .caller = &visit->caller,
        .step = step,
        .answers = &desk.answers,
        .mark = form_get(&visit->request.form, "mark"),
        .files = do_files,
        .source = &work,
    };
    struct audit_entry entry = {visit->caller.account.name,
                                "enterprise_registration.save",
                                step->name,
                                "OK",
                                NULL,
                                NULL};
    enum act_end end = portal_act(visit->portal, visit->now, &entry,
                                  registration_save, &save, &error);
    if (end == ACT_FAILED)
        log_error("registration of %s: %s", visit->caller.account.organisation,
                  error.text);
    end_save(&desk, step, &save, end, &work.refusal);
}

/* ---- the check ---- */

static void tell(struct model *model, const char *words)
{
    struct model *m = model_append(model, "_told");
    model_text(m, "words", words);
    model_bool(model, "_has_told", true);
}

/* What will count at an application, and refuses nothing here. */
static void add_told(struct desk *desk, struct model *model)
{
    struct visit *visit = desk->visit;
    struct civil_day first, today = day_of_wall(visit->now);
    struct buffer words;
    model_list(model, "_told");
    model_bool(model, "_has_told", false);
    buffer_init(&words, 2048);
    if (enterprise_first_day(&desk->answers, &first) &&
        first.number > today.number) {
        text_fill(&words, visit->caller.language, "registration.told.age",
                  text_day("day", first));
        tell(model, arena_copy_text(visit->arena, buffer_slice(&words)));
    }
    if (enterprise_is_small(&desk->answers))
        tell(model, text_word(visit->caller.language, "",
                              "registration.told.revenue"));
    if (answers_text(&desk->answers, "industry")[0] != '\0' &&
        !enterprise_is_industrial(&desk->answers))
        tell(model, text_word(visit->caller.language, "",
                              "registration.told.industry"));
    buffer_clear(&words);
}

static void show_check(struct desk *desk, bool is_refused)
{
    struct visit *visit = desk->visit;
    struct model *model = visit->model;
    struct form_view view = desk_view(desk);
    const char *event =
        desk->is_there ? registration_submit_event(&desk->item) : "submit";
    char mark[FORM_MARK_LEN];
    form_mark(&desk->answers, mark);
    desk_add_state(desk, model);
    model_text(model, "_mark", mark);
    model_i64(model, "_version", desk->item.version);
    model_text(model, "_event", event != NULL ? event : "submit");
    desk_add_request(model, "_request");
    model_text(model, "_submit_words",
               text_word(visit->caller.language, ENTERPRISE_MACHINE.event_words,
                         event != NULL ? event : "submit"));
    form_view_errors(&view, &ENTERPRISE_FORM, &desk->answers, "/registration/",
                     model);
    model_bool(model, "_has_errors",
               is_refused || answers_refusal(&desk->answers) != NULL);
    form_view_answers(&view, &ENTERPRISE_FORM, &desk->answers, "/registration/",
                      model);
    register_add_hints(visit, &desk->answers, model);
    add_told(desk, model);
    desk_add_points(desk, true, model);
    visit_show(visit, "registration_check", "registration.check");
}

void registration_check_show(struct visit *visit)
{
    struct desk desk;
    if (!desk_open_own(visit, &desk))
        return;
    if (!may_write(&desk)) {
        refuse_closed(&desk);
        return;
    }
    form_check(&ENTERPRISE_FORM, &desk.answers, true, &desk.context);
    show_check(&desk, false);
}

/* The refusal stands at its field when there is one of that name. */
static void show_refused(struct desk *desk, const struct refusal *refusal)
{
    struct answer *answer = refusal->field != NULL
                                ? answers_find(&desk->answers, refusal->field)
                                : NULL;
    form_check(&ENTERPRISE_FORM, &desk->answers, true, &desk->context);
    if (answer == NULL && answers_refusal(&desk->answers) == NULL) {
        visit_refuse_act(desk->visit, refusal);
        return;
    }
    if (answer != NULL)
        answer->refusal = *refusal;
    desk->visit->response->status = refused_status_of_code(refusal->code);
    show_check(desk, true);
}

void registration_submit_post(struct visit *visit)
{
    struct desk desk;
    struct refusal refusal;
    const struct form_data *form = &visit->request.form;
    int64_t version = 0;
    if (!desk_open_own(visit, &desk))
        return;
    struct answers asked =
        form_answers(&REGISTRATION_SUBMIT_FORM, visit->arena);
    answers_read(&asked, form_typed, form);
    parse_i64(slice_of_text(form_get(form, "version")), 0, INT64_MAX, &version);
    /* What comes second finds it handed in; the machine knows it by its number
     * and by what the form asked for. */
    enum act_end end = desk_do(&desk, form_get(form, "event"), version,
                               form_get(form, "request"), &asked, &refusal);
    if (end == ACT_KEPT)
        visit_redirect(visit, "/registration?submitted=1");
    else if (end == ACT_REFUSED)
        show_refused(&desk, &refusal);
}

/* ---- the receipt ---- */

void registration_receipt_show(struct visit *visit)
{
    struct desk desk;
    char hex[DIGEST_HEX_LEN];
    struct model *model = visit->model;
    if (!desk_open_own(visit, &desk))
        return;
    int64_t newest =
        desk.is_there ? edition_newest(visit->db, desk.item.id) : 0;
    desk.answers = form_answers(&ENTERPRISE_FORM, visit->arena);
    if (newest == 0 || !edition_read(visit->db, desk.item.id, newest,
                                     &desk.answers, &desk.edition)) {
        visit_refuse(visit, REFUSED_NO_RECORD);
        return;
    }
    struct form_view view = desk_view(&desk);
    digest_to_hex(desk.edition.sha256, hex);
    desk_add_state(&desk, model);
    model_text(model, "name", answers_text(&desk.answers, "name"));
    model_text(model, "sha256", hex);
    model_moment(model, "_submitted_at", desk.edition.saved_at);
    form_view_answers(&view, &ENTERPRISE_FORM, &desk.answers, NULL, model);
    visit_show(visit, "registration_receipt", "registration.receipt");
}
