/* See registration_desk.h. */
#include "portal/record/registration_desk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "common/shown.h"

enum { ADDRESS_MAX = 64, REQUEST_BYTES = 16 };

/* ---- opened ---- */

static bool read_files(struct desk *desk)
{
    struct attachment *list;
    char owner[REGISTRATION_OWNER_LEN];
    bool is_read =
        attachment_list(desk->visit->db, ENTERPRISE_MACHINE.name,
                        registration_owner(&desk->item, owner), NULL, true,
                        desk->visit->arena, &list, &desk->file_count);
    desk->files = list;
    return is_read;
}

static bool read_points(struct desk *desk)
{
    struct db *db = desk->visit->db;
    desk->returned = registration_returned_edition(db, desk->item.id);
    if (desk->returned == 0)
        return true;
    return points_list(db, desk->item.id, 0, desk->visit->arena, &desk->points,
                       &desk->point_count);
}

static bool begin(struct visit *visit, struct desk *desk)
{
    *desk = (struct desk){
        .visit = visit,
        .context = {visit->db, visit->now},
        .edition = {.saved_by = ""},
        .opens_all = form_get(&visit->request.query, "all")[0] == '1' ||
                     form_get(&visit->request.form, "all")[0] == '1'};
    desk->answers = form_answers(&ENTERPRISE_FORM, visit->arena);
    return !desk->answers.failed;
}

/* An enterprise that came by another way counts as registered; its item begins
 * with the first save. */
static bool stand_in(struct desk *desk, const char *party)
{
    struct item *item = &desk->item;
    desk->is_there = true;
    snprintf(item->party, sizeof(item->party), "%s", party);
    snprintf(item->state, sizeof(item->state), "ACTIVE");
    return registration_from_registry(desk->visit->db, item, &desk->answers);
}

bool desk_open_own(struct visit *visit, struct desk *desk)
{
    const char *party = visit->caller.account.organisation;
    bool good = begin(visit, desk);
    desk->is_there =
        good && registration_of_party(visit->db, party, &desk->item);
    if (good && desk->is_there)
        good = edition_read_draft(visit->db, desk->item.id, &desk->answers,
                                  &desk->edition) &&
               read_files(desk) && read_points(desk);
    if (good && !desk->is_there && registration_is_imported(visit->db, party))
        good = stand_in(desk, party);
    if (good && desk->is_there && strcmp(desk->item.state, "REJECTED") == 0)
        registration_forget_files(&desk->answers);
    if (!good)
        visit_fail_db(visit);
    return good;
}

static bool find_named(struct visit *visit, const char *name, struct item *item)
{
    int64_t id;
    bool found = parse_i64(slice_of_text(name), 1, INT64_MAX, &id)
                     ? item_find(visit->db, id, item)
                     : item_find_number(visit->db, name, item);
    return found && strcmp(item->machine, ENTERPRISE_MACHINE.name) == 0 &&
           item_is_in_scope(item, ENTERPRISE_MACHINE.party_kind,
                            &visit->caller.scope);
}

bool desk_open_named(struct visit *visit, const char *name, int64_t edition,
                     struct desk *desk)
{
    bool good = begin(visit, desk);
    if (good && !find_named(visit, name, &desk->item)) {
        visit_refuse(visit, REFUSED_NO_RECORD);
        return false;
    }
    desk->is_there = true;
    int64_t newest = edition_newest(visit->db, desk->item.id);
    int64_t wanted = edition > 0 ? edition : newest;
    if (good && wanted > 0 &&
        !edition_read(visit->db, desk->item.id, wanted, &desk->answers,
                      &desk->edition)) {
        visit_refuse(visit, REFUSED_NO_RECORD);
        return false;
    }
    if (good && wanted == 0)
        good =
            registration_from_registry(visit->db, &desk->item, &desk->answers);
    good = good && read_files(desk) && read_points(desk);
    if (!good)
        visit_fail_db(visit);
    return good;
}

/* ---- shown ---- */

static const struct attachment *find_file(const struct desk *desk,
                                          const struct field_file *file)
{
    char hex[DIGEST_HEX_LEN];
    for (size_t i = desk->file_count; i > 0; i--) {
        digest_to_hex(desk->files[i - 1].sha256, hex);
        if (strcmp(hex, file->sha256) == 0)
            return &desk->files[i - 1];
    }
    return NULL;
}

static struct form_view_file show_file(const void *source,
                                       const struct field_file *file)
{
    const struct desk *desk = source;
    const struct attachment *found = find_file(desk, file);
    struct form_view_file shown = {0};
    if (found == NULL)
        return shown;
    shown.link = arena_format(desk->visit->arena, "/files/%" PRId64, found->id);
    shown.remove = arena_format(desk->visit->arena, "%" PRId64, found->id);
    shown.scan = text_word(desk->visit->caller.language, "attachment.scan.",
                           attachment_scan_name(found->scan));
    return shown;
}

/* After a return the points are open, and what their owner opens besides. */
static bool is_open(const void *source, const struct field *field)
{
    const struct desk *desk = source;
    if (desk->opens_all || strcmp(desk->item.state, "RETURNED") != 0)
        return true;
    for (size_t i = 0; i < desk->point_count; i++)
        if (strcmp(desk->points[i].field, field->name) == 0)
            return true;
    return false;
}

struct form_view desk_view(struct desk *desk)
{
    return (struct form_view){
        .context = &desk->context,
        .language = desk->visit->caller.language,
        .arena = desk->visit->arena,
        .role = desk->visit->caller.account.role,
        .is_open = is_open,
        .file = show_file,
        .source = desk,
        .visible_to = TEXT_KEY("registration.files.visible_to"),
    };
}

static const char *bureau_of(const struct desk *desk)
{
    struct visit *visit = desk->visit;
    struct db_statement *s = db_prepare(
        visit->db, "SELECT name_zh, name_en FROM city WHERE code = :code");
    const char *name = "";
    if (s == NULL)
        return name;
    db_bind_text(s, ":code", desk->item.city_code);
    if (db_step(s) == DB_ROW)
        name = arena_copy_text(
            visit->arena,
            slice_of_text(visit_name(visit, db_text(s, 0), db_text(s, 1))));
    db_reset(s);
    return name != NULL ? name : "";
}

static void add_due(const struct desk *desk, struct model *model)
{
    const struct item *item = &desk->item;
    bool is_due = desk->is_there && item->due_rule != DUE_NONE;
    bool is_review = item->due_rule == DUE_REGISTRATION_REVIEW;
    model_text(model, "_due_words",
               text_word(desk->visit->caller.language, "registration.due.",
                         is_review ? "review" : "correction"));
    if (is_due)
        model_end(model, "_due", item->due_at);
    else
        model_text(model, "_due", "");
}

void desk_add_state(const struct desk *desk, struct model *model)
{
    struct visit *visit = desk->visit;
    const struct item *item = &desk->item;
    const char *holder = holder_text(item->holder);
    const char *bureau = bureau_of(desk);
    bool is_sent = desk->is_there && strcmp(item->state, "PENDING_CITY") == 0;
    bool is_kept = desk->is_there && (strcmp(item->state, "ACTIVE") == 0 ||
                                      strcmp(item->state, "REJECTED") == 0);
    model_text(model, "number", item->number);
    model_text(model, "title", item->title);
    model_text(model, "state", item->state);
    model_i64(model, "version", item->version);
    model_i64(model, "edition", desk->edition.number);
    model_text(
        model, "_state",
        desk->is_there
            ? visit_word(visit, ENTERPRISE_MACHINE.state_words, item->state)
            : "");
    model_bool(model, "_is_draft",
               !is_sent &&
                   (!is_kept || (desk->edition.number == EDITION_DRAFT &&
                                 desk->edition.saved_by[0] != '\0')));
    model_text(model, "_bureau", bureau);
    if (holder[0] == '\0')
        model_text(model, "_holder", "");
    else if (item->holder == HOLDER_CITY)
        model_textf(model, "_holder", "%s%s", bureau,
                    visit_word(visit, "registration.holder.", holder));
    else
        model_text(model, "_holder",
                   visit_word(visit, "registration.holder.", holder));
    add_due(desk, model);
}

/* What changed from the edition to the desk's answers. */
static const struct form_change *changes_of(struct desk *desk, int64_t since,
                                            size_t *count)
{
    struct visit *visit = desk->visit;
    struct answers before = form_answers(&ENTERPRISE_FORM, visit->arena);
    struct edition edition;
    *count = 0;
    if (before.failed || since <= 0 ||
        !edition_read(visit->db, desk->item.id, since, &before, &edition))
        return NULL;
    return form_changes(&before, &desk->answers, visit->arena, count);
}

static bool is_own(const struct desk *desk)
{
    return desk->visit->caller.scope.kind == ENTERPRISE_MACHINE.party_kind;
}

static void add_point(struct desk *desk, const struct point *point,
                      size_t index, const struct form_change *changes,
                      size_t change_count, bool wants_replies,
                      struct model *model)
{
    struct form_view view = desk_view(desk);
    const struct form_step *step = form_step_of(&ENTERPRISE_FORM, point->field);
    struct model *m = model_append(model, "points");
    model_text(
        m, "label",
        text_word(desk->visit->caller.language, "registration.", point->field));
    model_text(m, "field", point->field);
    model_i64(m, "no", point->no);
    model_i64(m, "index", (int64_t)index);
    model_text(m, "reason", point->reason);
    model_text(m, "material", point->material);
    model_text(m, "explanation", point->explanation);
    model_text(m, "reply", point->reply);
    model_bool(m, "wants_reply", wants_replies);
    bool may_go = step != NULL && is_own(desk) &&
                  strcmp(desk->item.state, "RETURNED") == 0;
    model_textf(m, "link", "%s%s%s%s", may_go ? "/registration/" : "",
                may_go ? step->name : "", may_go ? "#" : "",
                may_go ? point->field : "");
    size_t changed = form_view_changes(&view, changes, change_count,
                                       point->field, m, "changes");
    model_bool(m, "is_unchanged", changed == 0 && changes != NULL);
}

void desk_add_points(struct desk *desk, bool wants_replies, struct model *model)
{
    size_t count;
    const struct form_change *changes =
        changes_of(desk, desk->returned, &count);
    model_list(model, "points");
    model_bool(model, "_has_points", desk->point_count > 0);
    for (size_t i = 0; i < desk->point_count; i++)
        add_point(desk, &desk->points[i], i, changes, count, wants_replies,
                  model);
}

static bool is_asked_for(const struct desk *desk,
                         const struct form_change *change)
{
    for (size_t i = 0; i < desk->point_count; i++)
        if (form_change_is_of(change, desk->points[i].field))
            return true;
    return false;
}

size_t desk_add_others(struct desk *desk, int64_t since, struct model *model)
{
    size_t count, kept = 0;
    struct form_view view = desk_view(desk);
    const struct form_change *changes = changes_of(desk, since, &count);
    struct form_change *others =
        arena_take_array(desk->visit->arena, count + 1, sizeof(*others));
    for (size_t i = 0; others != NULL && i < count; i++)
        if (since != desk->returned || !is_asked_for(desk, &changes[i]))
            others[kept++] = changes[i];
    return form_view_changes(&view, others, kept, NULL, model, "_others");
}

/* The paper of a decision, where there is one (F19). */
static void add_notice(const struct desk *desk, const char *event, int64_t no,
                       struct model *m)
{
    bool is_paper = strcmp(event, "return") == 0 ||
                    strcmp(event, "reject") == 0 ||
                    strcmp(event, "approve") == 0;
    const char *number = desk->item.number;
    if (is_paper) {
        model_textf(m, "notice", "/registrations/%s/notices/%" PRId64, number,
                    no);
        model_textf(m, "notice_number", "%s-%" PRId64, number, no);
    } else {
        model_text(m, "notice", "");
        model_text(m, "notice_number", "");
    }
}

void desk_add_timeline(const struct desk *desk, struct model *model)
{
    struct visit *visit = desk->visit;
    struct db_statement *s = db_prepare(
        visit->db, "SELECT e.no, e.event, e.at, e.role, e.reason,"
                   " ifnull(a.display_name, e.actor) FROM item_event e"
                   " LEFT JOIN account a ON a.name = e.actor"
                   " WHERE e.item_id = :item ORDER BY e.no DESC");
    bool has_events = false;
    model_list(model, "_events");
    if (s != NULL && desk->is_there) {
        db_bind_i64(s, ":item", desk->item.id);
        while (db_step(s) == DB_ROW) {
            struct model *m = model_append(model, "_events");
            model_text(m, "event",
                       visit_word(visit, ENTERPRISE_MACHINE.event_words,
                                  db_text(s, 1)));
            model_moment(m, "at", (struct wall_time){db_i64(s, 2)});
            model_textf(m, "who", "%s · %s", db_text(s, 5),
                        visit_word(visit, "role.", db_text(s, 3)));
            model_text(m, "reason", db_text(s, 4));
            add_notice(desk, db_text(s, 1), db_i64(s, 0), m);
            has_events = true;
        }
        db_reset(s);
    }
    model_bool(model, "_has_events", has_events);
}

void desk_add_request(struct model *model, const char *key)
{
    uint8_t bytes[REQUEST_BYTES];
    char hex[2 * REQUEST_BYTES + 1];
    random_bytes(bytes, sizeof(bytes));
    hex_of(bytes, sizeof(bytes), hex);
    model_text(model, key, hex);
}

/* ---- done ---- */

enum act_end desk_do(struct desk *desk, const char *event, int64_t version,
                     const char *request, const struct answers *asked,
                     struct refusal *refusal)
{
    struct visit *visit = desk->visit;
    struct error_text error = {""};
    struct machine_deed deed = {
        .machine = &ENTERPRISE_MACHINE,
        .caller = &visit->caller,
        .terms = portal_due_terms(visit->portal),
        .arena = visit->arena,
        .item = desk->item.id,
        .version = version,
        .event = event,
        .request = request[0] != '\0' ? request : NULL,
        .answers = asked,
    };
    enum act_end end = machine_do(visit->portal, visit->now, &deed, &error);
    *refusal = deed.refusal;
    if (end == ACT_KEPT)
        desk->item = deed.after;
    if (end == ACT_FAILED)
        visit_refuse(visit, REFUSED_INTERNAL);
    return end;
}
