/* See enterprise_registration.h. */
#include "portal/record/enterprise_registration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/shown.h"
#include "portal/record/enterprise_machine.h"
#include "portal/store/attachment.h"
#include "portal/store/attachment_type.h"

enum { SINGULAR_MAX = 200 };

/* ---- what is stored ---- */

bool registration_of_party(struct db *db, const char *party, struct item *item)
{
    struct db_statement *s = db_prepare(
        db, "SELECT id FROM item WHERE machine = 'enterprise_registration'"
            " AND party = :party ORDER BY id DESC LIMIT 1");
    if (s == NULL)
        return false;
    db_bind_text(s, ":party", party);
    int64_t id = db_step(s) == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return id > 0 && item_find(db, id, item);
}

/* One number of an item. */
static int64_t ask_item(struct db *db, const char *sql, int64_t item)
{
    struct db_statement *s = db_prepare(db, sql);
    if (s == NULL)
        return 0;
    db_bind_i64(s, ":item", item);
    int64_t number = db_step(s) == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return number;
}

int64_t registration_returned_edition(struct db *db, int64_t item)
{
    return ask_item(db,
                    "SELECT edition FROM item_event WHERE item_id = :item"
                    " AND event = 'return' AND no > ifnull((SELECT max(no)"
                    "  FROM item_event WHERE item_id = :item"
                    "  AND event = 'approve'), 0)"
                    " ORDER BY no DESC LIMIT 1",
                    item);
}

int64_t registration_approved_edition(struct db *db, int64_t item)
{
    return ask_item(db,
                    "SELECT ifnull(edition, 1) FROM item_event"
                    " WHERE item_id = :item AND to_state = 'ACTIVE'"
                    " ORDER BY no DESC LIMIT 1",
                    item);
}

bool registration_is_open(const struct item *item)
{
    return registration_submit_event(item) != NULL;
}

const char *registration_submit_event(const struct item *item)
{
    const struct machine *machine = &ENTERPRISE_MACHINE;
    for (size_t i = 0; i < machine->transition_count; i++)
        if (machine->transitions[i].form == &REGISTRATION_SUBMIT_FORM &&
            strcmp(machine->transitions[i].from, item->state) == 0)
            return machine->transitions[i].event;
    return NULL;
}

bool registration_was_approved(struct db *db, int64_t item)
{
    return ask_item(db,
                    "SELECT count(*) FROM item_event WHERE item_id = :item"
                    " AND to_state = 'ACTIVE'",
                    item) > 0;
}

const char *registration_owner(const struct item *item,
                               char owner[static REGISTRATION_OWNER_LEN])
{
    snprintf(owner, REGISTRATION_OWNER_LEN, "%" PRId64, item->id);
    return owner;
}

/* ---- interest ---- */

/* The rows of :account and :party that say so. Numbers are compared by their 11
 * digits, mail as it is delivered. */
static const char *const CONFLICTS[CONFLICT_COUNT] = {
    [CONFLICT_DECLARED] = "SELECT 1 FROM declared_interest"
                          " WHERE account_name = :account AND party = :party",
    [CONFLICT_CONTACT] =
        "SELECT 1 FROM account a JOIN ("
        " SELECT json_extract(e.answers, '$.mobile') AS mobile,"
        "  json_extract(e.answers, '$.mail') AS mail"
        "  FROM item i JOIN item_edition e ON e.item_id = i.id"
        "  WHERE i.party = :party"
        "   AND i.machine = 'enterprise_registration' AND e.edition > 0"
        " UNION ALL SELECT p.mobile, p.mail FROM account p"
        "  WHERE p.organisation = :party AND p.name <> :account) o"
        " WHERE a.name = :account"
        "  AND ((a.mobile <> '' AND o.mobile <> ''"
        "    AND substr(a.mobile, -11) = substr(o.mobile, -11))"
        "   OR (a.mail <> '' AND lower(a.mail) = lower(o.mail)))",
};

enum conflict registration_conflict(struct db *db, const char *account,
                                    const char *party)
{
    for (enum conflict why = CONFLICT_DECLARED; why < CONFLICT_COUNT; why++) {
        struct db_statement *s = db_prepare(db, CONFLICTS[why]);
        if (s == NULL)
            return CONFLICT_DECLARED;
        db_bind_text(s, ":account", account);
        db_bind_text(s, ":party", party);
        enum db_step step = db_step(s);
        db_reset(s);
        if (step != DB_DONE)
            return step == DB_ROW ? why : CONFLICT_DECLARED;
    }
    return CONFLICT_NONE;
}

bool registration_declare_interest(struct db *db, struct wall_time now,
                                   const char *account, const char *party)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO declared_interest (account_name, party, declared_at)"
            " VALUES (:account, :party, :at) ON CONFLICT DO NOTHING");
    if (s == NULL)
        return false;
    db_bind_text(s, ":account", account);
    db_bind_text(s, ":party", party);
    db_bind_i64(s, ":at", now.us);
    return db_do(s);
}

/* ---- drafts ---- */

static enum act_end failed(struct db *db, struct error_text *error)
{
    error_set(error, "%s", db_error(db));
    return ACT_FAILED;
}

void registration_forget_files(struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        if (answers->of[i].field->kind == FIELD_FILE)
            answer_files(&answers->of[i], NULL, 0);
}

bool registration_from_registry(struct db *db, const struct item *item,
                                struct answers *answers)
{
    static const char *const NAMES[] = {"name", "credit_code", "city",
                                        "county"};
    struct db_statement *s = db_prepare(
        db, "SELECT name_zh, credit_code, city_code, county FROM enterprise"
            " WHERE id = :party");
    if (s == NULL)
        return false;
    db_bind_text(s, ":party", item->party);
    enum db_step step = db_step(s);
    for (int i = 0; step == DB_ROW && i < 4; i++)
        answer_read(answers_find(answers, NAMES[i]), db_text(s, i), answers);
    db_reset(s);
    return step != DB_FAILED;
}

bool registration_is_imported(struct db *db, const char *party)
{
    struct db_statement *s =
        db_prepare(db, "SELECT 1 FROM enterprise WHERE id = :party");
    if (s == NULL)
        return false;
    db_bind_text(s, ":party", party);
    bool is_there = db_step(s) == DB_ROW;
    db_reset(s);
    return is_there;
}

/* An enterprise that came by another way (yz-portal load) counts as registered;
 * the registry's columns are its first edition. */
static bool open_imported(struct db *db, struct wall_time now,
                          struct registration_save *save,
                          const struct machine_opening *opening)
{
    int64_t number;
    struct answers first = form_answers(&ENTERPRISE_FORM, save->stored.arena);
    return machine_open(db, now, opening, &save->item) && !first.failed &&
           registration_from_registry(db, &save->item, &first) &&
           machine_set_title(db, save->item.id, answers_text(&first, "name")) &&
           edition_submit(db, now, save->item.id, &first, "SYS", &number) &&
           edition_read_draft(db, save->item.id, &save->stored, &save->edition);
}

/* The registration that is written on, and what is stored of it; a rejected one
 * is followed by a new one with its answers (REV-04). */
static bool find_or_open(struct db *db, struct wall_time now,
                         struct registration_save *save)
{
    const char *party = save->caller->account.organisation;
    char singular[SINGULAR_MAX];
    bool is_there = registration_of_party(db, party, &save->item);
    if (is_there &&
        !edition_read_draft(db, save->item.id, &save->stored, &save->edition))
        return false;
    if (is_there && strcmp(save->item.state, "REJECTED") != 0)
        return true;
    registration_forget_files(&save->stored);
    snprintf(singular, sizeof(singular), "R/%s/%lld", party,
             is_there ? (long long)save->item.id : 0LL);
    struct machine_opening opening = {.machine = &ENTERPRISE_MACHINE,
                                      .caller = save->caller,
                                      .state = "DRAFT",
                                      .party = party,
                                      .singular = singular};
    if (is_there || !registration_is_imported(db, party))
        return machine_open(db, now, &opening, &save->item);
    opening.state = "ACTIVE";
    return open_imported(db, now, save, &opening);
}

/* Files as they are now stand in the answers. */
static bool bind_files(struct db *db, const struct item *item,
                       struct answers *answers)
{
    struct attachment *list;
    size_t count;
    char owner[REGISTRATION_OWNER_LEN];
    if (!attachment_list(db, ENTERPRISE_MACHINE.name,
                         registration_owner(item, owner), NULL, false,
                         answers->arena, &list, &count))
        return false;
    for (size_t i = 0; i < answers->count; i++) {
        struct answer *answer = &answers->of[i];
        if (answer->field->kind != FIELD_FILE)
            continue;
        struct field_file *files =
            arena_take_array(answers->arena, count + 1, sizeof(*files));
        size_t found = 0;
        if (files == NULL)
            return false;
        for (size_t j = 0; j < count; j++) {
            if (strcmp(list[j].field, answer->field->name) != 0)
                continue;
            digest_to_hex(list[j].sha256, files[found].sha256);
            files[found].name = list[j].name;
            files[found].media_type = attachment_media_type(list[j].type);
            files[found].size = list[j].bytes;
            found++;
        }
        answer_files(answer, files, found);
    }
    return true;
}

/* What was typed in the step, in what is stored. */
static void take_over(struct registration_save *save, struct answers *stored)
{
    struct answers all = *save->answers, into = *stored;
    if (save->step != NULL) {
        all = form_step_answers(&ENTERPRISE_FORM, save->answers, save->step);
        into = form_step_answers(&ENTERPRISE_FORM, stored, save->step);
    }
    for (size_t i = 0; i < all.count; i++)
        if (all.of[i].field->kind != FIELD_FILE)
            into.of[i] = all.of[i];
}

static bool is_stale(const struct registration_save *save,
                     const struct answers *stored)
{
    char mark[FORM_MARK_LEN];
    struct answers seen =
        save->step != NULL
            ? form_step_answers(&ENTERPRISE_FORM, stored, save->step)
            : *stored;
    if (save->mark == NULL || save->edition.saved_by == NULL)
        return false; /* nobody has saved anything yet */
    form_mark(&seen, mark);
    return strcmp(mark, save->mark) != 0;
}

enum act_end registration_save(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    struct registration_save *save = context;
    struct arena *arena = save->answers->arena;
    save->stored = form_answers(&ENTERPRISE_FORM, arena);
    struct form_context seen = {db, now};
    if (save->stored.failed || !find_or_open(db, now, save))
        return failed(db, error);
    form_check(&ENTERPRISE_FORM, &save->stored, false, &seen);
    if (!registration_is_open(&save->item)) {
        refuse(&save->refusal, "E_STATE", NULL, "registration.refusal.closed",
               text_code("state", "enterprise_registration.state.",
                         save->item.state));
        return ACT_REFUSED;
    }
    save->is_stale = is_stale(save, &save->stored);
    if (save->is_stale) {
        refuse(&save->refusal, "E_STALE", NULL, "registration.refusal.stale",
               text_plain("name", save->edition.saved_by),
               text_moment("time", save->edition.saved_at));
        return ACT_REFUSED;
    }
    take_over(save, &save->stored);
    form_check(&ENTERPRISE_FORM, &save->stored, false, &seen);
    if (save->files != NULL &&
        !save->files(db, now, &save->item, save->source, error))
        return ACT_FAILED;
    if (!bind_files(db, &save->item, &save->stored) ||
        !edition_save_draft(db, now, save->item.id, &save->stored,
                            save->caller->account.name) ||
        (save->item.number[0] == '\0' &&
         !machine_set_title(db, save->item.id,
                            answers_text(&save->stored, "name"))))
        return failed(db, error);
    return ACT_KEPT;
}
