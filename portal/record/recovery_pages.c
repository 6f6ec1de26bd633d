/*
 * See recovery_pages.h. One page for who asks: the request is saved with its
 * files whatever is in it, a code goes to the mobile, and with the code it is
 * handed in. One page for the officers.
 */
#include "portal/record/recovery_pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "portal/access/mobile_check.h"
#include "portal/form/form_view.h"
#include "portal/http/upload.h"
#include "portal/record/attachment_pages.h"
#include "portal/record/enterprise_registration.h"
#include "portal/record/recovery_machine.h"
#include "portal/store/attachment_type.h"

enum { ADDRESS_LEN = 96, SINGULAR_LEN = 200 };

/* --- the list --- */

static const struct list_column COLUMNS[] = {
    {"number",
     LIST_LINK,
     {"i.number"},
     TEXT_KEY("recovery.number"),
     .link = "/recoveries/"},
    {"name", LIST_TEXT, {"i.title"}, TEXT_KEY("recovery.name")},
    {"city",
     LIST_NAMES,
     {"c.code", "c.name_zh", "c.name_en"},
     TEXT_KEY("col.city")},
    {"state",
     LIST_CODE,
     {"i.state"},
     TEXT_KEY("col.state"),
     .words = "account_recovery.state."},
    {"first_submitted_at",
     LIST_TIME,
     {"i.first_submitted_at"},
     TEXT_KEY("recovery.asked_at")},
};

#define SUBMITTED "i.machine = 'account_recovery' AND i.number IS NOT NULL"

const struct list RECOVERY_LIST = {
    .name = "recoveries",
    .title = TEXT_KEY("recovery.list"),
    .help = TEXT_KEY("recovery.list.help"),
    .none = TEXT_KEY("recovery.list.none"),
    .from = "FROM item i LEFT JOIN city c ON c.code = i.city_code",
    .keys = {{"i.id", .is_integer = true}},
    .is_descending = true,
    .scopes = {[SCOPE_ALL] = {SUBMITTED},
               [SCOPE_CITY] = {SUBMITTED " AND i.city_code = :scope_id"}},
    .columns = COLUMNS,
    .column_count = sizeof(COLUMNS) / sizeof(COLUMNS[0]),
};

/* --- what a visit is about --- */

struct recovery {
    struct visit *visit;
    bool is_there;
    struct item item;
    struct answers answers;
    struct edition edition;
    struct form_context context;
    const struct attachment *files;
    size_t file_count;
};

static bool begin(struct visit *visit, struct recovery *r)
{
    *r = (struct recovery){.visit = visit,
                           .context = {visit->db, visit->now},
                           .edition = {.saved_by = ""}};
    r->answers = form_answers(&RECOVERY_FORM, visit->arena);
    return !r->answers.failed;
}

static bool read_files(struct recovery *r)
{
    struct attachment *list;
    char owner[REGISTRATION_OWNER_LEN];
    bool good = attachment_list(r->visit->db, RECOVERY_MACHINE.name,
                                registration_owner(&r->item, owner), NULL, true,
                                r->visit->arena, &list, &r->file_count);
    r->files = list;
    return good;
}

static bool open_own(struct visit *visit, struct recovery *r)
{
    bool good = begin(visit, r);
    r->is_there =
        good && recovery_of_party(visit->db, visit->caller.account.organisation,
                                  &r->item);
    if (r->is_there && strcmp(r->item.state, "REFUSED") == 0)
        r->is_there = false; /* another one begins */
    if (good && r->is_there)
        good = edition_read_draft(visit->db, r->item.id, &r->answers,
                                  &r->edition) &&
               read_files(r);
    if (!good)
        visit_fail_db(visit);
    return good;
}

static bool open_named(struct visit *visit, struct recovery *r)
{
    bool good = begin(visit, r);
    if (good &&
        (!item_find_number(visit->db, visit->request.arguments[0], &r->item) ||
         strcmp(r->item.machine, RECOVERY_MACHINE.name) != 0 ||
         !item_is_in_scope(&r->item, RECOVERY_MACHINE.party_kind,
                           &visit->caller.scope))) {
        visit_refuse(visit, REFUSED_NO_RECORD);
        return false;
    }
    r->is_there = true;
    good = good &&
           edition_read(visit->db, r->item.id,
                        edition_newest(visit->db, r->item.id), &r->answers,
                        &r->edition) &&
           read_files(r);
    if (!good)
        visit_fail_db(visit);
    return good;
}

static struct form_view_file show_file(const void *source,
                                       const struct field_file *file)
{
    const struct recovery *r = source;
    struct form_view_file shown = {0};
    char hex[DIGEST_HEX_LEN];
    for (size_t i = 0; i < r->file_count; i++) {
        digest_to_hex(r->files[i].sha256, hex);
        if (strcmp(hex, file->sha256) != 0)
            continue;
        shown.link =
            arena_format(r->visit->arena, "/files/%" PRId64, r->files[i].id);
        shown.remove =
            arena_format(r->visit->arena, "%" PRId64, r->files[i].id);
        shown.scan = text_word(r->visit->caller.language, "attachment.scan.",
                               attachment_scan_name(r->files[i].scan));
    }
    return shown;
}

static struct form_view view_of(struct recovery *r)
{
    return (struct form_view){
        .context = &r->context,
        .language = r->visit->caller.language,
        .arena = r->visit->arena,
        .role = r->visit->caller.account.role,
        .file = show_file,
        .source = r,
        .visible_to = TEXT_KEY("recovery.files.visible_to"),
    };
}

static void add_request(struct model *model, const char *key)
{
    uint8_t bytes[16];
    char hex[2 * sizeof(bytes) + 1];
    random_bytes(bytes, sizeof(bytes));
    hex_of(bytes, sizeof(bytes), hex);
    model_text(model, key, hex);
}

static void add_state(const struct recovery *r, struct model *m)
{
    model_text(m, "number", r->item.number);
    model_text(m, "title", r->item.title);
    model_text(m, "state", r->is_there ? r->item.state : "");
    model_i64(m, "version", r->item.version);
    model_text(m, "_state_words",
               r->is_there ? visit_word(r->visit, RECOVERY_MACHINE.state_words,
                                        r->item.state)
                           : "");
}

/* --- who asks --- */

/* Who belongs to a registered firm has nothing to ask for. */
static bool is_applicant(struct visit *visit)
{
    struct db_statement *s =
        db_prepare(visit->db, "SELECT 1 FROM applicant a WHERE a.id = :id"
                              " AND NOT EXISTS (SELECT 1 FROM enterprise"
                              " WHERE id = a.id)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":id", visit->caller.account.organisation);
    bool is = db_step(s) == DB_ROW;
    db_reset(s);
    return is;
}

static bool is_open(const struct recovery *r)
{
    return !r->is_there || strcmp(r->item.state, "DRAFT") == 0;
}

static bool is_proved(struct recovery *r)
{
    struct mobile_number mobile;
    return mobile_number_read(
               slice_of_text(answers_text(&r->answers, "mobile")), &mobile) &&
           mobile_check_is_done(r->visit->db, r->visit->caller.account.name,
                                mobile.text);
}

static void show_own(struct recovery *r, const struct refusal *refusal)
{
    struct model *model = r->visit->model;
    struct form_view view = view_of(r);
    struct answer *answer = refusal != NULL && refusal->field != NULL
                                ? answers_find(&r->answers, refusal->field)
                                : NULL;
    if (answer != NULL)
        answer->refusal = *refusal;
    add_state(r, model);
    model_bool(model, "_is_applicant", is_applicant(r->visit));
    model_bool(model, "_is_open", is_open(r));
    model_bool(model, "_is_saved", r->is_there);
    model_bool(model, "_is_proved", is_proved(r));
    add_request(model, "_request");
    form_view_errors(&view, &RECOVERY_FORM, &r->answers, NULL, model);
    if (refusal != NULL && answer == NULL) {
        struct model *m = model_append(model, "_errors");
        model_text(
            m, "words",
            refusal_words(refusal, r->visit->caller.language, r->visit->arena));
        model_text(m, "link", "");
        model_bool(model, "_has_errors", true);
    }
    form_view_fields(&view, &r->answers, model);
    for (size_t i = 0; !is_open(r) && i < r->answers.count; i++)
        r->answers.of[i].refusal = (struct refusal){0};
    form_view_answers(&view, &RECOVERY_FORM, &r->answers, NULL, model);
    visit_show(r->visit, "recovery", TEXT_KEY("recovery.title"));
}

void recovery_show(struct visit *visit)
{
    struct recovery r;
    if (!open_own(visit, &r))
        return;
    form_check(&RECOVERY_FORM, &r.answers, false, &r.context);
    show_own(&r, NULL);
}

/* --- a save --- */

struct saving {
    struct recovery *r;
    struct refusal bad_file;
    bool sends_code;
};

static const struct field *file_field(const char *name)
{
    const struct form_step *step = RECOVERY_FORM.steps;
    for (size_t i = 0; i < step->count; i++)
        if (step->fields[i].kind == FIELD_FILE &&
            strcmp(step->fields[i].name, name) == 0)
            return &step->fields[i];
    return NULL;
}

static bool add_file(struct db *db, struct wall_time now, struct saving *saving,
                     const struct upload_file *upload, struct error_text *error)
{
    struct visit *visit = saving->r->visit;
    char owner[REGISTRATION_OWNER_LEN];
    struct refusal refusal = {0};
    if (file_field(upload->field) == NULL)
        return true;
    bool has_place = attachment_has_place(
        db, RECOVERY_MACHINE.name, registration_owner(&saving->r->item, owner));
    if (!attachment_check_upload(portal_attachments(visit->portal), upload,
                                 ATTACHMENT_READABLE, has_place, visit->arena,
                                 &refusal)) {
        saving->bad_file = refusal;
        return true;
    }
    const struct attachment_place place = {
        .owner_kind = RECOVERY_MACHINE.name,
        .owner_id = owner,
        .field = upload->field,
        .name = slice_of_text(upload->name),
        .uploaded_by = visit->caller.account.name,
    };
    return attachment_add(db, now, &place, upload->file, error) != 0;
}

static bool add_files(struct db *db, struct wall_time now,
                      struct saving *saving, struct error_text *error)
{
    struct upload *upload = saving->r->visit->request.http->upload;
    size_t count = upload != NULL ? upload_file_count(upload) : 0;
    for (size_t i = 0; i < count; i++)
        if (!add_file(db, now, saving, upload_file(upload, i), error))
            return false;
    return true;
}

static bool remove_file(struct db *db, struct wall_time now,
                        const struct recovery *r)
{
    struct attachment found;
    char owner[REGISTRATION_OWNER_LEN];
    int64_t id;
    if (!parse_i64(slice_of_text(form_get(&r->visit->request.form, "remove")),
                   1, INT64_MAX, &id) ||
        !attachment_find(db, id, r->visit->arena, &found) ||
        strcmp(found.owner_kind, RECOVERY_MACHINE.name) != 0 ||
        strcmp(found.owner_id, registration_owner(&r->item, owner)) != 0)
        return true; /* somebody else's, or gone */
    return attachment_remove(db, now, id);
}

/* One open request for each who asks. */
static bool open_item(struct db *db, struct wall_time now, struct recovery *r)
{
    const char *party = r->visit->caller.account.organisation;
    char singular[SINGULAR_LEN];
    struct item last;
    int64_t before = recovery_of_party(db, party, &last) ? last.id : 0;
    if (r->is_there)
        return true;
    snprintf(singular, sizeof(singular), "F/%s/%" PRId64, party, before);
    const struct machine_opening opening = {.machine = &RECOVERY_MACHINE,
                                            .caller = &r->visit->caller,
                                            .state = "DRAFT",
                                            .party = party,
                                            .singular = singular};
    return machine_open(db, now, &opening, &r->item);
}

static bool send_code(struct db *db, struct wall_time now,
                      const struct recovery *r)
{
    struct mobile_number mobile;
    const struct caller *caller = &r->visit->caller;
    return !mobile_number_read(
               slice_of_text(answers_text(&r->answers, "mobile")), &mobile) ||
           mobile_check_send(db, now, portal_keys(r->visit->portal),
                             caller->account.name, &mobile, caller->language);
}

static enum act_end save(struct db *db, struct wall_time now, void *context,
                         struct error_text *error)
{
    struct saving *saving = context;
    struct recovery *r = saving->r;
    bool good = open_item(db, now, r) && remove_file(db, now, r);
    error_set(error, "%s", db_error(db));
    if (!good || !add_files(db, now, saving, error))
        return ACT_FAILED;
    good =
        recovery_bind_files(db, &r->item, &r->answers) &&
        edition_save_draft(db, now, r->item.id, &r->answers,
                           r->visit->caller.account.name) &&
        machine_set_title(db, r->item.id, answers_text(&r->answers, "name")) &&
        (!saving->sends_code || send_code(db, now, r));
    if (!good)
        error_set(error, "%s", db_error(db));
    return good ? ACT_KEPT : ACT_FAILED;
}

void recovery_save_post(struct visit *visit)
{
    struct recovery r;
    struct error_text error = {""};
    if (!open_own(visit, &r))
        return;
    if (!is_applicant(visit) || !is_open(&r)) {
        show_own(&r, NULL);
        return;
    }
    answers_read(&r.answers, form_typed, &visit->request.form);
    struct saving saving = {
        .r = &r,
        .sends_code =
            strcmp(form_get(&visit->request.form, "go"), "code") == 0};
    const struct audit_entry entry = {.actor = visit->caller.account.name,
                                      .action = "account_recovery.save",
                                      .object =
                                          visit->caller.account.organisation,
                                      .result = "OK"};
    if (portal_act(visit->portal, visit->now, &entry, save, &saving, &error) !=
        ACT_KEPT) {
        visit_refuse(visit, REFUSED_INTERNAL);
    } else if (saving.bad_file.code != NULL) {
        r.is_there = true;
        visit->response->status = refused_status_of_code(saving.bad_file.code);
        show_own(&r, &saving.bad_file);
    } else {
        visit_redirect(visit, "/recovery?saved=1");
    }
}

/* --- handed in --- */

struct proving {
    const struct recovery *r;
    struct mobile_number mobile;
    const char *code;
};

static enum act_end prove(struct db *db, struct wall_time now, void *context,
                          struct error_text *error)
{
    const struct proving *p = context;
    int is_right = mobile_check_code(db, now, portal_keys(p->r->visit->portal),
                                     p->r->visit->caller.account.name,
                                     &p->mobile, p->code);
    if (is_right < 0)
        error_set(error, "%s", db_error(db));
    return is_right < 0 ? ACT_FAILED : ACT_KEPT; /* a wrong one counts */
}

static enum act_end do_event(struct recovery *r, const char *event,
                             const struct answers *asked,
                             struct refusal *refusal)
{
    struct visit *visit = r->visit;
    struct error_text error = {""};
    const struct form_data *form = &visit->request.form;
    const char *request = form_get(form, "request");
    struct machine_deed deed = {
        .machine = &RECOVERY_MACHINE,
        .caller = &visit->caller,
        .terms = portal_due_terms(visit->portal),
        .arena = visit->arena,
        .item = r->item.id,
        .version = r->item.version,
        .event = event,
        .request = request[0] != '\0' ? request : NULL,
        .answers = asked,
    };
    parse_i64(slice_of_text(form_get(form, "version")), 0, INT64_MAX,
              &deed.version);
    enum act_end end = machine_do(visit->portal, visit->now, &deed, &error);
    *refusal = deed.refusal;
    if (end == ACT_FAILED)
        visit_refuse(visit, REFUSED_INTERNAL);
    return end;
}

void recovery_submit_post(struct visit *visit)
{
    struct recovery r;
    struct error_text error = {""};
    struct refusal refusal;
    if (!open_own(visit, &r))
        return;
    if (!r.is_there) {
        visit_redirect(visit, "/recovery");
        return;
    }
    struct proving proving = {.r = &r,
                              .code = form_get(&visit->request.form, "code")};
    if (proving.code[0] != '\0' &&
        mobile_number_read(slice_of_text(answers_text(&r.answers, "mobile")),
                           &proving.mobile) &&
        portal_act(visit->portal, visit->now, NULL, prove, &proving, &error) !=
            ACT_KEPT) {
        visit_refuse(visit, REFUSED_INTERNAL);
        return;
    }
    enum act_end end = do_event(&r, "submit", NULL, &refusal);
    if (end == ACT_KEPT) {
        visit_redirect(visit, "/recovery");
    } else if (end == ACT_REFUSED) {
        form_check(&RECOVERY_FORM, &r.answers, true, &r.context);
        visit->response->status = refused_status_of_code(refusal.code);
        show_own(&r, &refusal);
    }
}

/* --- the officers --- */

static bool may_do(const struct recovery *r, const char *event)
{
    enum { MOST = 8 };
    const struct transition *events[MOST];
    size_t count = machine_events(&RECOVERY_MACHINE, &r->item,
                                  &r->visit->caller, events, MOST);
    for (size_t i = 0; i < count; i++)
        if (strcmp(events[i]->event, event) == 0)
            return true;
    return false;
}

static void add_timeline(struct recovery *r)
{
    struct db_statement *s = db_prepare(
        r->visit->db, "SELECT e.event, e.at, e.role, e.reason,"
                      " ifnull(a.display_name, e.actor) FROM item_event e"
                      " LEFT JOIN account a ON a.name = e.actor"
                      " WHERE e.item_id = :item ORDER BY e.no DESC");
    model_list(r->visit->model, "_events");
    model_bool(r->visit->model, "_has_events", true);
    if (s == NULL)
        return;
    db_bind_i64(s, ":item", r->item.id);
    while (db_step(s) == DB_ROW) {
        struct model *m = model_append(r->visit->model, "_events");
        model_text(
            m, "event",
            visit_word(r->visit, RECOVERY_MACHINE.event_words, db_text(s, 0)));
        model_moment(m, "at", (struct wall_time){db_i64(s, 1)});
        model_textf(m, "who", "%s · %s", db_text(s, 4),
                    visit_word(r->visit, "role.", db_text(s, 2)));
        model_text(m, "reason", db_text(s, 3));
        model_text(m, "notice", "");
        model_text(m, "notice_number", "");
    }
}

/* Who asks, and whom it would close. */
static void add_people(struct recovery *r)
{
    struct model *model = r->visit->model;
    struct account agent;
    struct db_statement *s = db_prepare(
        r->visit->db, "SELECT a.name, a.display_name FROM account a"
                      " JOIN enterprise e ON e.id = a.organisation"
                      " WHERE e.credit_code = :code AND a.role = 'ENT'"
                      " AND a.state <> 'DISABLED' ORDER BY a.name");
    if (account_find(r->visit->db, r->edition.saved_by, &agent)) {
        model_text(model, "_agent", agent.display_name);
        model_text(model, "_agent_mail", agent.mail.text);
    } else {
        model_text(model, "_agent", r->edition.saved_by);
        model_text(model, "_agent_mail", "");
    }
    model_list(model, "_old");
    if (s == NULL)
        return;
    db_bind_text(s, ":code", answers_text(&r->answers, "credit_code"));
    while (db_step(s) == DB_ROW) {
        struct model *m = model_append(model, "_old");
        model_text(m, "old", db_text(s, 0));
        model_text(m, "old_person", db_text(s, 1));
    }
}

static void show_review(struct recovery *r, const struct form *tried,
                        struct answers *typed, const struct refusal *refusal)
{
    struct visit *visit = r->visit;
    struct model *model = visit->model;
    struct form_view view = view_of(r);
    bool is_first = may_do(r, "confirm_first");
    struct answers confirm = form_answers(&RECOVERY_CONFIRM_FORM, visit->arena);
    struct answers refuse = form_answers(&RECOVERY_REFUSE_FORM, visit->arena);
    if (tried == &RECOVERY_CONFIRM_FORM)
        confirm = *typed;
    if (tried == &RECOVERY_REFUSE_FORM)
        refuse = *typed;
    add_state(r, model);
    add_people(r);
    form_view_answers(&view, &RECOVERY_FORM, &r->answers, NULL, model);
    view.file = NULL;
    form_view_fields(&view, &confirm, model_object(model, "_confirm"));
    form_view_fields(&view, &refuse, model_object(model, "_refuse"));
    add_request(model, "_request");
    model_text(model, "_event", is_first ? "confirm_first" : "confirm_second");
    model_bool(model, "_is_first", is_first);
    model_bool(model, "_may_decide", is_first || may_do(r, "confirm_second"));
    model_list(model, "_errors");
    model_bool(model, "_has_errors", refusal != NULL);
    if (refusal != NULL) {
        struct model *m = model_append(model, "_errors");
        model_text(
            m, "words",
            refusal_words(refusal, visit->caller.language, visit->arena));
        model_textf(m, "link", "%s%s", refusal->field != NULL ? "#" : "",
                    refusal->field != NULL ? refusal->field : "");
    }
    add_timeline(r);
    visit_show(visit, "recovery_review", TEXT_KEY("recovery.title"));
}

void recovery_review_show(struct visit *visit)
{
    struct recovery r;
    if (open_named(visit, &r))
        show_review(&r, NULL, NULL, NULL);
}

void recovery_decide_post(struct visit *visit)
{
    struct recovery r;
    struct refusal refusal;
    char address[ADDRESS_LEN];
    const char *event = visit->request.arguments[1];
    const struct form *form = strcmp(event, "refuse") == 0
                                  ? &RECOVERY_REFUSE_FORM
                                  : &RECOVERY_CONFIRM_FORM;
    if (!open_named(visit, &r))
        return;
    struct answers asked = form_answers(form, visit->arena);
    answers_read(&asked, form_typed, &visit->request.form);
    enum act_end end = do_event(&r, event, &asked, &refusal);
    snprintf(address, sizeof(address), "/recoveries/%s", r.item.number);
    if (end == ACT_KEPT) {
        visit_redirect(visit, address);
    } else if (end == ACT_REFUSED) {
        form_check(form, &asked, true, &r.context);
        visit->response->status = refused_status_of_code(refusal.code);
        show_review(&r, form, &asked, &refusal);
    }
}
