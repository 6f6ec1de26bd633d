/* See machine.h. machine_act() is the order in which an event is done. */
#include "portal/workflow/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "portal/form/field.h"
#include "portal/workflow/notice.h"

enum { ASKED_MAX = 1024 * 1024, RECORD_MAX = 16 * 1024 * 1024, WORD_MAX = 129 };

/* ---- finding ---- */

const struct machine *machine_find(const struct machines *machines,
                                   const char *name)
{
    for (size_t i = 0; i < machines->count; i++)
        if (strcmp(machines->of[i]->name, name) == 0)
            return machines->of[i];
    return NULL;
}

static const struct machine_state *find_state(const struct machine *machine,
                                              const char *name)
{
    for (size_t i = 0; i < machine->state_count; i++)
        if (strcmp(machine->states[i].name, name) == 0)
            return &machine->states[i];
    return NULL;
}

bool machine_has_state(const struct machine *machine, const char *name)
{
    return find_state(machine, name) != NULL;
}

/* Whether the word stands in a list with blanks between. */
static bool is_among(const char *list, const char *word)
{
    struct slice rest = slice_of_text(list), one;
    while (slice_next(&rest, ' ', &one))
        if (slice_equal_text(one, word))
            return true;
    return false;
}

/* The platform acts by its rows alone, people by the matrix as well. */
static bool may_do(const struct transition *row, const struct caller *caller)
{
    enum account_role role = caller->account.role;
    return (row->actors & ROLE_BIT(role)) != 0 &&
           (role == ROLE_SYS || permission_may_act(role, row->action));
}

size_t machine_events(const struct machine *machine, const struct item *item,
                      const struct caller *caller,
                      const struct transition **events, size_t max)
{
    size_t count = 0;
    if (!item_is_in_scope(item, machine->party_kind, &caller->scope))
        return 0;
    for (size_t i = 0; i < machine->transition_count && count < max; i++) {
        const struct transition *row = &machine->transitions[i];
        if (is_among(row->from, item->state) && may_do(row, caller))
            events[count++] = row;
    }
    return count;
}

struct caller machine_platform(void)
{
    struct caller caller = {.scope = {SCOPE_ALL, ""}};
    caller.account.role = ROLE_SYS;
    snprintf(caller.account.name, sizeof(caller.account.name), "%s",
             account_role_text(ROLE_SYS));
    return caller;
}

/* ---- the request's number ---- */

/* What a request asks for, for the question whether another one is the same. */
static bool hash_request(const struct machine_deed *deed, const char *asked,
                         struct digest *hash)
{
    struct buffer bytes;
    buffer_init(&bytes, ASKED_MAX + 4096);
    buffer_addf(&bytes, "%s\n%" PRId64 "\n%" PRId64 "\n%s\n%s",
                deed->machine->name, deed->item, deed->version, deed->event,
                asked);
    *hash = digest_of(bytes.data, bytes.length);
    bool good = !bytes.failed;
    buffer_clear(&bytes);
    return good;
}

enum repeat { REPEAT_NO, REPEAT_YES, REPEAT_OTHER, REPEAT_FAILED };

static enum repeat find_repeat(struct db *db, const struct machine_deed *deed,
                               const struct digest *hash)
{
    enum repeat repeat = REPEAT_NO;
    struct db_statement *s =
        db_prepare(db, "SELECT request_hash FROM item_event"
                       " WHERE actor = :actor AND request = :request");
    if (s == NULL)
        return REPEAT_FAILED;
    db_bind_text(s, ":actor", deed->caller->account.name);
    db_bind_text(s, ":request", deed->request);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        repeat =
            slice_equal(db_blob(s, 0), slice_of_bytes(hash->bytes, DIGEST_LEN))
                ? REPEAT_YES
                : REPEAT_OTHER;
    db_reset(s);
    return step == DB_FAILED ? REPEAT_FAILED : repeat;
}

/* ---- what is looked at before ---- */

/* NULL with a refusal: the row of the event that this caller may do here. */
static const struct transition *find_row(const struct machine_deed *deed,
                                         const struct item *item,
                                         struct refusal *refusal)
{
    bool is_known = false;
    for (size_t i = 0; i < deed->machine->transition_count; i++) {
        const struct transition *row = &deed->machine->transitions[i];
        if (strcmp(row->event, deed->event) != 0 || !may_do(row, deed->caller))
            continue;
        is_known = true;
        if (is_among(row->from, item->state) && deed->version == item->version)
            return row;
    }
    if (!is_known)
        refuse(refusal, "E_ROLE", NULL, "refusal.role");
    else if (deed->version != item->version)
        refuse(refusal, "E_STALE", NULL, "refusal.stale",
               text_code("state", deed->machine->state_words, item->state));
    else
        refuse(refusal, "E_STATE", NULL, "refusal.state",
               text_code("state", deed->machine->state_words, item->state));
    return NULL;
}

static bool guards_agree(struct step *step)
{
    for (int i = 0; i < TRANSITION_STEPS_MAX; i++)
        if (step->transition->guards[i].name != NULL &&
            !step->transition->guards[i].is_met(step))
            return false;
    return true;
}

/* ---- what is done ---- */

static bool note_submission(struct step *step)
{
    if (!step->transition->submits || step->item.is_submitted)
        return true;
    step->item.is_submitted = true;
    step->item.first_submitted_at = step->now;
    return item_give_number(step->db, step->machine->number_prefix, step->now,
                            &step->item);
}

static bool run_effects(struct step *step)
{
    for (int i = 0; i < TRANSITION_STEPS_MAX; i++)
        if (step->transition->effects[i].name != NULL &&
            !step->transition->effects[i].run(step))
            return false;
    return true;
}

static void move(struct step *step)
{
    const struct transition *row = step->transition;
    struct item *item = &step->item;
    if (row->to == NULL)
        return;
    snprintf(item->state, sizeof(item->state), "%s", row->to);
    item->state_at = step->now;
    item->holder = find_state(step->machine, row->to)->holder;
}

static void start_due(struct step *step)
{
    const struct transition *row = step->transition;
    struct item *item = &step->item;
    if (row->keeps_due)
        return;
    item->due_rule = row->due;
    if (row->due == DUE_NONE)
        return;
    struct due due = due_of(row->due, step->now, step->terms, step->now);
    item->due_from = step->now;
    item->due_at = due.at;
    item->due_is_provisional = due.is_provisional;
}

struct event_row {
    const char *event, *from;
    const char *asked, *request;
    const struct digest *hash;
    const char *reason;
    int64_t edition;
};

static bool insert_event(struct db *db, struct wall_time now,
                         const struct item *item, const struct caller *caller,
                         const struct event_row *row)
{
    bool has_request = row->request != NULL;
    struct db_statement *s = db_prepare(
        db, "INSERT INTO item_event (item_id, no, event, from_state, to_state,"
            " at, actor, role, organisation, edition, reason, asked, request,"
            " request_hash) SELECT :item, coalesce(max(no), 0) + 1, :event,"
            " :from, :to, :now, :actor, :role, :organisation,"
            " nullif(:edition, 0), :reason, :asked, :request, :hash"
            " FROM item_event WHERE item_id = :item");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item->id);
    db_bind_text(s, ":event", row->event);
    db_bind_text(s, ":from", row->from);
    db_bind_text(s, ":to", item->state);
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":actor", caller->account.name);
    db_bind_text(s, ":role", account_role_text(caller->account.role));
    db_bind_text(s, ":organisation", caller->account.organisation);
    db_bind_i64(s, ":edition", row->edition);
    db_bind_text(s, ":reason", row->reason != NULL ? row->reason : "");
    db_bind_text(s, ":asked", row->asked);
    if (has_request) {
        db_bind_text(s, ":request", row->request);
        db_bind_blob(s, ":hash", row->hash->bytes, DIGEST_LEN);
    } else {
        db_bind_null(s, ":request");
        db_bind_null(s, ":hash");
    }
    return db_do(s);
}

/* Of the item and what belongs to it, its newest event included. */
static bool hash_record(struct db *db, const struct machine *machine,
                        const struct item *item, struct digest *hash)
{
    struct buffer bytes;
    buffer_init(&bytes, RECORD_MAX);
    item_add_bytes(item, &bytes);
    bool good =
        machine->add_record == NULL || machine->add_record(db, item, &bytes);
    *hash = digest_of(bytes.data, bytes.length);
    good = good && !bytes.failed;
    buffer_clear(&bytes);
    return good;
}

static void name_act(char action[static WORD_MAX], char object[static WORD_MAX],
                     const struct machine *machine, const char *event,
                     int64_t item)
{
    snprintf(action, WORD_MAX, "%s.%s", machine->name, event);
    snprintf(object, WORD_MAX, "item/%" PRId64, item);
}

static bool audit(struct db *db, struct wall_time now,
                  const struct machine *machine, const struct caller *caller,
                  const char *event, int64_t item, const struct digest *before,
                  const struct digest *after)
{
    char action[WORD_MAX], object[WORD_MAX];
    name_act(action, object, machine, event, item);
    struct audit_entry entry = {
        caller->account.name, action, object, "OK", before, after};
    return audit_add(db, now, &entry);
}

static bool tell(const struct step *step)
{
    struct notice notice = {.machine = step->machine,
                            .item = &step->item,
                            .roles = step->transition->tells,
                            .subject = step->transition->subject,
                            .body = step->transition->body,
                            .reason = step->reason,
                            .rings = step->transition->rings};
    return notice_tell(step->db, step->now, &notice);
}

/* Everything that an event changes, in this order. */
static bool carry_out(struct step *step, const struct machine_deed *deed,
                      const char *asked, const struct digest *hash)
{
    struct digest before, after;
    if (!hash_record(step->db, step->machine, step->before, &before) ||
        !note_submission(step))
        return false;
    move(step);
    start_due(step);
    if (!run_effects(step))
        return false;
    struct event_row row = {
        deed->event, step->before->state, asked,        deed->request,
        hash,        step->reason,        step->edition};
    return item_update(step->db, &step->item) &&
           insert_event(step->db, step->now, &step->item, step->caller, &row) &&
           tell(step) &&
           hash_record(step->db, step->machine, &step->item, &after) &&
           audit(step->db, step->now, step->machine, step->caller, deed->event,
                 step->item.id, &before, &after);
}

/* ---- one event ---- */

static enum act_end done_already(struct machine_deed *deed,
                                 const struct item *item)
{
    deed->is_repeat = true;
    deed->after = *item;
    return ACT_KEPT;
}

static enum act_end act(struct db *db, struct wall_time now,
                        struct machine_deed *deed, const char *asked)
{
    struct item before;
    struct digest hash;
    if (!item_find(db, deed->item, &before) ||
        strcmp(before.machine, deed->machine->name) != 0 ||
        !item_is_in_scope(&before, deed->machine->party_kind,
                          &deed->caller->scope)) {
        refuse(&deed->refusal, "E_SCOPE", NULL, "refusal.scope");
        return ACT_REFUSED;
    }
    if (!hash_request(deed, asked, &hash))
        return ACT_FAILED;
    if (deed->request != NULL && strlen(deed->request) > MACHINE_REQUEST_MAX) {
        refuse(&deed->refusal, "E_FIELD_VALUE", "request", "refusal.request",
               text_number("most", MACHINE_REQUEST_MAX));
        return ACT_REFUSED;
    }
    enum repeat repeat =
        deed->request != NULL ? find_repeat(db, deed, &hash) : REPEAT_NO;
    if (repeat == REPEAT_FAILED)
        return ACT_FAILED;
    if (repeat == REPEAT_YES)
        return done_already(deed, &before);
    if (repeat == REPEAT_OTHER) {
        refuse(&deed->refusal, "E_IDEMPOTENCY", NULL, "refusal.idempotency");
        return ACT_REFUSED;
    }
    struct step step = {
        .db = db,
        .now = now,
        .machine = deed->machine,
        .transition = find_row(deed, &before, &deed->refusal),
        .caller = deed->caller,
        .terms = deed->terms,
        .arena = deed->arena,
        .before = &before,
        .item = before,
        .answers = deed->answers,
        .refusal = &deed->refusal,
    };
    if (step.transition == NULL)
        return ACT_REFUSED;
    bool good = guards_agree(&step) && carry_out(&step, deed, asked, &hash);
    deed->after = step.item;
    if (good)
        return ACT_KEPT;
    return deed->refusal.code != NULL ? ACT_REFUSED : ACT_FAILED;
}

enum act_end machine_act(struct db *db, struct wall_time now, void *context,
                         struct error_text *error)
{
    struct machine_deed *deed = context;
    struct buffer asked;
    buffer_init(&asked, ASKED_MAX);
    deed->refusal = (struct refusal){0};
    deed->is_repeat = false;
    if (deed->answers != NULL)
        answers_write_json(deed->answers, false, &asked);
    buffer_add_u8(&asked, 0);
    enum act_end end = asked.failed
                           ? ACT_FAILED
                           : act(db, now, deed, (const char *)asked.data);
    buffer_clear(&asked);
    if (end == ACT_REFUSED)
        error_set(error, "%s", deed->refusal.code);
    if (end == ACT_FAILED)
        error_set(error, "%s", db_error(db));
    return end;
}

static enum act_end run(struct portal *portal, struct db *db,
                        struct wall_time now, const struct audit_entry *entry,
                        act_fn *fn, void *context, struct error_text *error)
{
    return portal != NULL ? portal_act(portal, now, entry, fn, context, error)
                          : act_on(db, now, entry, fn, context, error);
}

/* A refusal has undone everything, and is audited by itself. */
static enum act_end do_and_note(struct portal *portal, struct db *db,
                                struct wall_time now, struct machine_deed *deed,
                                struct error_text *error)
{
    char action[WORD_MAX], object[WORD_MAX];
    struct error_text ignored;
    enum act_end end = run(portal, db, now, NULL, machine_act, deed, error);
    if (end != ACT_REFUSED)
        return end;
    name_act(action, object, deed->machine, deed->event, deed->item);
    struct audit_entry entry = {deed->caller->account.name, action, object,
                                deed->refusal.code};
    return run(portal, db, now, &entry, NULL, NULL, &ignored) == ACT_KEPT
               ? ACT_REFUSED
               : ACT_FAILED;
}

enum act_end machine_do(struct portal *portal, struct wall_time now,
                        struct machine_deed *deed, struct error_text *error)
{
    return do_and_note(portal, NULL, now, deed, error);
}

enum act_end machine_do_on(struct db *db, struct wall_time now,
                           struct machine_deed *deed, struct error_text *error)
{
    return do_and_note(NULL, db, now, deed, error);
}

/* ---- beginning ---- */

static void copy_or_empty(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text != NULL ? text : "");
}

bool machine_open(struct db *db, struct wall_time now,
                  const struct machine_opening *opening, struct item *item)
{
    const struct machine *machine = opening->machine;
    const struct machine_state *state = find_state(machine, opening->state);
    bool is_draft = state == &machine->states[0];
    struct digest after;
    *item = (struct item){.party_kind = machine->party_kind,
                          .holder = state->holder,
                          .opened_at = now,
                          .state_at = now,
                          .is_submitted = !is_draft};
    if (!is_draft)
        item->first_submitted_at = now;
    copy_or_empty(item->machine, sizeof(item->machine), machine->name);
    copy_or_empty(item->state, sizeof(item->state), opening->state);
    copy_or_empty(item->party, sizeof(item->party), opening->party);
    copy_or_empty(item->city_code, sizeof(item->city_code), opening->city_code);
    copy_or_empty(item->title, sizeof(item->title), opening->title);
    if (opening->singular != NULL &&
        item_find_singular(db, opening->singular, item))
        return true;
    struct event_row row = {
        is_draft ? "open" : "import", "", "", NULL, NULL, NULL, 0};
    return (is_draft ||
            item_give_number(db, machine->number_prefix, now, item)) &&
           item_insert(db, opening->singular, item) && item->id != 0 &&
           insert_event(db, now, item, opening->caller, &row) &&
           hash_record(db, machine, item, &after) &&
           audit(db, now, machine, opening->caller, row.event, item->id, NULL,
                 &after);
}

bool machine_set_title(struct db *db, int64_t item, const char *title)
{
    struct db_statement *s =
        db_prepare(db, "UPDATE item SET title = :title WHERE id = :id");
    if (s == NULL)
        return false;
    db_bind_text(s, ":title", title);
    db_bind_i64(s, ":id", item);
    return db_do(s);
}

/* ---- as a table ---- */

static void print_roles(unsigned roles, struct buffer *out)
{
    const char *blank = "";
    for (int role = ROLE_NONE + 1; role < ROLE_COUNT; role++) {
        if ((roles & ROLE_BIT(role)) == 0)
            continue;
        buffer_addf(out, "%s%s", blank,
                    account_role_text((enum account_role)role));
        blank = " ";
    }
}

static void print_guards(const struct transition *row, struct buffer *out)
{
    for (int i = 0; i < TRANSITION_STEPS_MAX; i++)
        if (row->guards[i].name != NULL)
            buffer_addf(out, "%s%s", i > 0 ? " " : "", row->guards[i].name);
}

static void print_effects(const struct transition *row, struct buffer *out)
{
    for (int i = 0; i < TRANSITION_STEPS_MAX; i++)
        if (row->effects[i].name != NULL)
            buffer_addf(out, "%s%s", i > 0 ? " " : "", row->effects[i].name);
}

void machine_print(const struct machine *machine, struct buffer *out)
{
    for (size_t i = 0; i < machine->transition_count; i++) {
        const struct transition *row = &machine->transitions[i];
        buffer_addf(out, "%s\t%s\t%s\t", machine->name, row->from, row->event);
        print_roles(row->actors, out);
        buffer_add_text(out, "\t");
        print_guards(row, out);
        buffer_addf(out, "\t%s\t", row->to != NULL ? row->to : "same");
        print_effects(row, out);
        buffer_addf(out, "\t%s\t",
                    row->keeps_due ? "goes_on" : due_rule_name(row->due));
        print_roles(row->tells, out);
        buffer_addf(out, "\t%s\n", row->requirement);
    }
}

void machine_print_states(const struct machine *machine, struct buffer *out)
{
    for (size_t i = 0; i < machine->state_count; i++) {
        const struct machine_state *state = &machine->states[i];
        buffer_addf(out, "%s\t%s\t%s\t%d\n", machine->name, state->name,
                    holder_text(state->holder), state->is_final);
    }
}
