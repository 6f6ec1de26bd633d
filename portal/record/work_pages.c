/*
 * In this order: what waits for me, the most urgent first, with the days that are
 * left; what I wait for and who holds it; what is new; then numbers. Nothing is
 * stored for it: a deadline that moved, or a review that was done, is so at once.
 */
#include "portal/record/work_pages.h"

#include <string.h>

#include "common/writer.h"
#include "portal/record/machines.h"
#include "portal/record/message_pages.h"
#include "portal/workflow/work.h"

enum { NEW_MAX = 5, SILENT_HOURS = 24 };

/* ---- rows ---- */

static const char *page_of(struct visit *visit, const struct machine *machine,
                           const struct item *item)
{
    const struct account *account = &visit->caller.account;
    if (machine->own_page != NULL &&
        strcmp(account->organisation, item->party) == 0)
        return machine->own_page;
    return arena_format(visit->arena, "%s%s", machine->page, item->number);
}

/* "2 working days left", "3 working days overdue", "today is the last day". */
static const char *days_words(struct visit *visit, const struct item *item)
{
    const struct due_terms *terms = portal_due_terms(visit->portal);
    struct due due = {.day =
                          day_of_wall((struct wall_time){item->due_at.us - 1}),
                      .at = item->due_at};
    bool is_over = due_is_over(&due, visit->now);
    unsigned days = is_over ? due_workdays_late(&due, terms, visit->now)
                            : due_workdays_left(&due, terms, visit->now);
    struct buffer words;
    buffer_init(&words, 256);
    text_fill(&words, visit->caller.language,
              is_over     ? "work.days.over"
              : days == 0 ? "work.days.last"
                          : "work.days.left",
              text_count("days", days));
    const char *copy = arena_copy_text(visit->arena, buffer_slice(&words));
    buffer_clear(&words);
    return copy != NULL ? copy : "";
}

static void add_due(struct visit *visit, struct model *m,
                    const struct item *item)
{
    bool is_due = item->due_rule != DUE_NONE;
    model_bool(m, "is_due", is_due);
    if (!is_due)
        return;
    model_end(m, "due", item->due_at);
    model_text(m, "days", days_words(visit, item));
    model_bool(m, "is_over", item->due_at.us <= visit->now.us);
    model_bool(m, "is_provisional", item->due_is_provisional);
}

static void add_row(struct visit *visit, struct model *m,
                    const struct item *item)
{
    const struct machine *machine = machine_find(&MACHINES, item->machine);
    bool is_known = machine != NULL;
    model_text(m, "number", item->number);
    model_text(m, "title", item->title);
    model_text(m, "link", is_known ? page_of(visit, machine, item) : "");
    model_text(m, "what",
               is_known ? visit_word(visit, "", machine->title) : "");
    model_text(m, "state",
               is_known ? visit_word(visit, machine->state_words, item->state)
                        : item->state);
    model_text(m, "holder",
               visit_word(visit, "holder.", holder_text(item->holder)));
    model_moment(m, "since", item->state_at);
    add_due(visit, m, item);
}

static void add_work(struct visit *visit, const char *list, const char *total,
                     const char *more, const struct work *work)
{
    model_list(visit->model, list);
    for (size_t i = 0; i < work->count; i++)
        add_row(visit, model_append(visit->model, list), &work->items[i]);
    model_i64(visit->model, total, work->total);
    model_i64(visit->model, more, work->total - (int64_t)work->count);
}

/* ---- tasks that are no records ---- */

static const char *task_words(struct visit *visit, const char *kind,
                              const char *about)
{
    struct buffer words;
    buffer_init(&words, 1024);
    if (strcmp(kind, "calendar") == 0)
        text_fill(&words, visit->caller.language, "work.task.calendar",
                  text_plain("year", about));
    else if (strcmp(kind, "clock") == 0)
        text_add(&words, visit->caller.language, "work.task.clock");
    else
        text_add(&words, visit->caller.language, "work.task.undelivered");
    const char *copy = arena_copy_text(visit->arena, buffer_slice(&words));
    buffer_clear(&words);
    return copy != NULL ? copy : "";
}

static bool add_tasks(struct visit *visit, const struct desk *desk)
{
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        visit->db, "SELECT kind, about FROM task WHERE holder = :holder"
                   " AND closed_at IS NULL ORDER BY opened_at, id LIMIT 50");
    model_list(visit->model, "tasks");
    if (s == NULL)
        return false;
    db_bind_text(s, ":holder", holder_text(desk->holder));
    while ((step = db_step(s)) == DB_ROW) {
        struct model *m = model_append(visit->model, "tasks");
        model_text(m, "words", task_words(visit, db_text(s, 0), db_text(s, 1)));
        model_text(m, "link",
                   strcmp(db_text(s, 0), "undelivered") == 0
                       ? "/messages/undelivered"
                       : "");
    }
    return step == DB_DONE;
}

/* ---- numbers ---- */

/* Kept sums where there are many vouchers. */
#define SUMS "state, sum(vouchers), sum(fen) FROM voucher_total WHERE "
static const char *const VOUCHERS_OF[SCOPE_COUNT] = {
    [SCOPE_ALL] = SUMS "1",
    [SCOPE_CITY] = SUMS "city_code = :id",
    [SCOPE_SUPPLIER] = SUMS "supplier_id = :id",
    [SCOPE_ENTERPRISE] = "state, count(*), sum(amount_fen) FROM voucher"
                         " WHERE enterprise_id = :id",
};
static const char *const SCOPES_OF_PROBES[SCOPE_COUNT] = {
    [SCOPE_ALL] = "1",
    [SCOPE_CITY] = "city_code = :id",
    [SCOPE_ENTERPRISE] = "enterprise_id = :id",
};

static bool add_vouchers(struct visit *visit)
{
    const struct scope *scope = &visit->caller.scope;
    const char *vouchers = VOUCHERS_OF[scope->kind];
    enum db_step step = DB_DONE;
    model_list(visit->model, "vouchers");
    if (vouchers == NULL)
        return true;
    const char *sql = arena_format(
        visit->arena, "SELECT %s GROUP BY state ORDER BY state", vouchers);
    struct db_statement *s = sql != NULL ? db_prepare(visit->db, sql) : NULL;
    if (s == NULL)
        return false;
    if (scope->kind != SCOPE_ALL)
        db_bind_text(s, ":id", scope->id);
    while ((step = db_step(s)) == DB_ROW) {
        if (db_i64(s, 1) == 0) /* the last one has left */
            continue;
        struct model *m = model_append(visit->model, "vouchers");
        model_text(m, "state", visit_word(visit, "state.", db_text(s, 0)));
        model_i64(m, "count", db_i64(s, 1));
        model_money(m, "amount", visit->caller.language,
                    (struct money){db_i64(s, 2)});
    }
    return step == DB_DONE;
}

/* Probes that nobody denied and from which no batch begins within a day. -1 when
 * the database failed. */
static int64_t count_silent(struct visit *visit, const char *condition)
{
    const struct scope *scope = &visit->caller.scope;
    const char *sql = arena_format(
        visit->arena,
        "SELECT count(*) FROM probe WHERE %s AND denied_at IS NULL"
        " AND coalesce((SELECT max(l.period_start_ms) FROM usage.ledger l"
        "  WHERE l.probe_id = probe.id), 0) < :since",
        condition);
    struct db_statement *s = sql != NULL ? db_prepare(visit->db, sql) : NULL;
    if (s == NULL)
        return -1;
    if (scope->kind != SCOPE_ALL)
        db_bind_text(s, ":id", scope->id);
    db_bind_i64(s, ":since",
                wall_to_ms(visit->now) - SILENT_HOURS * INT64_C(3600000));
    int64_t count = db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    db_reset(s);
    return count;
}

/* Of all probes there are too many to be looked at for each page. */
static bool add_silent_probes(struct visit *visit)
{
    enum scope_kind kind = visit->caller.scope.kind;
    const char *condition = SCOPES_OF_PROBES[kind];
    struct memo *memo = portal_memo(visit->portal);
    int64_t count = 0;
    model_bool(visit->model, "sees_probes", condition != NULL);
    if (condition == NULL)
        return true;
    if (kind != SCOPE_ALL ||
        !memo_find(memo, "silent probes", visit->now, &count)) {
        count = count_silent(visit, condition);
        if (kind == SCOPE_ALL && count >= 0)
            memo_keep(memo, "silent probes", visit->now, count);
    }
    model_i64(visit->model, "silent", count);
    return count >= 0;
}

/* ---- the page ---- */

void work_show(struct visit *visit)
{
    struct desk desk = desk_of(&visit->caller.account);
    struct work waiting, elsewhere;
    if (!work_of_desk(visit->db, &desk, visit->arena, &waiting) ||
        !work_elsewhere(visit->db, &desk, visit->now, visit->arena,
                        &elsewhere) ||
        !add_tasks(visit, &desk) || !add_vouchers(visit) ||
        !add_silent_probes(visit) || !message_fill(visit, NEW_MAX, true)) {
        visit_fail_db(visit);
        return;
    }
    model_bool(visit->model, "has_desk", desk.holder != HOLDER_NONE);
    add_work(visit, "waiting", "waiting_total", "waiting_more", &waiting);
    add_work(visit, "elsewhere", "elsewhere_total", "elsewhere_more",
             &elsewhere);
    visit_show(visit, "work", "work.title");
}

/* ---- for programs ---- */

static void write_time(struct json_writer *json, const char *key, bool is_there,
                       struct wall_time time)
{
    char text[WALL_TEXT_LEN];
    if (!is_there) {
        json_no_value(json, key);
        return;
    }
    wall_to_text(time, text);
    json_text(json, key, text);
}

static void write_work(struct json_writer *json, const char *key,
                       const struct work *work)
{
    json_object_begin(json, key);
    json_i64(json, "total", work->total);
    json_array_begin(json, "items");
    for (size_t i = 0; i < work->count; i++) {
        const struct item *item = &work->items[i];
        json_object_begin(json, NULL);
        json_i64(json, "id", item->id);
        json_text(json, "machine", item->machine);
        json_text(json, "number", item->number);
        json_text(json, "title", item->title);
        json_text(json, "state", item->state);
        json_text(json, "holder", holder_text(item->holder));
        write_time(json, "since", true, item->state_at);
        write_time(json, "due", item->due_rule != DUE_NONE, item->due_at);
        json_bool(json, "due_is_provisional", item->due_is_provisional);
        json_i64(json, "version", item->version);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

void work_list_show(struct visit *visit)
{
    struct desk desk = desk_of(&visit->caller.account);
    struct work waiting, elsewhere;
    struct json_writer json;
    if (!visit->request.wants_json) {
        visit_redirect(visit, "/");
        return;
    }
    if (!work_of_desk(visit->db, &desk, visit->arena, &waiting) ||
        !work_elsewhere(visit->db, &desk, visit->now, visit->arena,
                        &elsewhere)) {
        visit_fail_db(visit);
        return;
    }
    json_start(&json, &visit->response->body);
    json_object_begin(&json, NULL);
    json_text(&json, "desk", holder_text(desk.holder));
    write_work(&json, "waiting", &waiting);
    write_work(&json, "elsewhere", &elsewhere);
    json_object_end(&json);
    visit->response->content_type = "application/json; charset=utf-8";
}
