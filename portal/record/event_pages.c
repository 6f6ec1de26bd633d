/* See event_pages.h. A usage.db without the log's tables (yet) shows none. */
#include "portal/record/event_pages.h"

#include "common/shown.h"
#include "common/writer.h"
#include "portal/http/list_page.h"
#include "portal/record/event_list.h"

static const int64_t DAY_US = INT64_C(86400) * 1000000;

/* --- the log --- */

static void add_checkpoint(struct visit *visit, struct model *log)
{
    char made[SHOWN_LEN];
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT number, size, made_us, (SELECT count(*) FROM usage.cosignature"
        " WHERE checkpoint = c.number), ifnull((SELECT group_concat(witness,"
        " ', ') FROM usage.cosignature WHERE checkpoint = c.number), '')"
        " FROM usage.checkpoint c ORDER BY number DESC LIMIT 1");
    if (s == NULL || db_step(s) != DB_ROW)
        return;
    struct model *m = model_object(log, "checkpoint");
    shown_moment((struct wall_time){db_i64(s, 2)}, made);
    model_i64(m, "number", db_i64(s, 0));
    model_i64(m, "size", db_i64(s, 1));
    model_text(m, "made", made);
    model_i64(m, "cosignatures", db_i64(s, 3));
    model_text(m, "witnesses", db_text(s, 4));
    db_reset(s);
}

/* Checkpoints of the last 24 hours, and those with the quorum. */
static void add_quorum(struct visit *visit, struct model *log)
{
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT count(*), ifnull(sum((SELECT count(*) FROM usage.cosignature"
        " WHERE checkpoint = c.number) >= :quorum), 0)"
        " FROM usage.checkpoint c WHERE made_us >= :since");
    uint64_t quorum = visit->config->witness_quorum;
    if (s == NULL)
        return;
    db_bind_i64(s, ":since", visit->now.us - DAY_US);
    db_bind_u64(s, ":quorum", quorum > 0 ? quorum : 1);
    if (db_step(s) != DB_ROW)
        return;
    model_i64(log, "day_checkpoints", db_i64(s, 0));
    model_i64(log, "day_cosigned", db_i64(s, 1));
    model_i64(log, "quorum", (int64_t)(quorum > 0 ? quorum : 1));
    db_reset(s);
}

static void add_log(struct visit *visit)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT ifnull(max(idx), 0) FROM usage.merkle_leaf");
    if (s == NULL || db_step(s) != DB_ROW)
        return;
    struct model *log = model_object(visit->model, "log");
    model_i64(log, "size", db_i64(s, 0));
    db_reset(s);
    add_checkpoint(visit, log);
    add_quorum(visit, log);
}

/* --- what happened --- */

/* The plus keeps SQLite from walking all events there are in the order of their
 * kinds: those of a day are a range of another index. */
static void add_counts(struct visit *visit)
{
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT kind, sum(times) FROM usage.event"
        " WHERE last_us >= :since GROUP BY +kind ORDER BY 2 DESC, 1");
    model_list(visit->model, "counts");
    if (s == NULL)
        return;
    db_bind_i64(s, ":since", visit->now.us - DAY_US);
    while (db_step(s) == DB_ROW) {
        struct model *m = model_append(visit->model, "counts");
        model_text(m, "kind", db_text(s, 0));
        model_text(m, "sentence", visit_word(visit, "event.", db_text(s, 0)));
        model_textf(m, "_link", "/events?kind=%s",
                    form_encode(db_text(s, 0), visit->arena));
        model_i64(m, "times", db_i64(s, 1));
    }
}

void event_list_show(struct visit *visit)
{
    if (visit->request.wants_json) {
        list_page_json(visit, &EVENT_LIST);
        return;
    }
    add_log(visit);
    add_counts(visit);
    if (list_page_fill(visit, &EVENT_LIST))
        visit_show(visit, "events", EVENT_LIST.title);
    else
        visit_fail_db(visit);
}

/* --- the log for programs --- */

/* A table that is not there yet has no rows; one that cannot be read is a
 * failure, and no answer. */
static enum db_step first_row(struct db_statement *s)
{
    return s != NULL ? db_step(s) : DB_DONE;
}

static bool write_witnesses(struct visit *visit, struct json_writer *json,
                            int64_t number)
{
    enum db_step step;
    struct db_statement *s =
        db_prepare(visit->db, "SELECT witness FROM usage.cosignature"
                              " WHERE checkpoint = :number ORDER BY witness");
    json_array_begin(json, "witnesses");
    if (s != NULL)
        db_bind_i64(s, ":number", number);
    for (step = first_row(s); step == DB_ROW; step = db_step(s))
        json_text(json, NULL, db_text(s, 0));
    json_array_end(json);
    return step == DB_DONE;
}

static bool write_checkpoint(struct visit *visit, struct json_writer *json)
{
    char made[WALL_TEXT_LEN];
    struct db_statement *s = db_prepare(
        visit->db, "SELECT number, size, made_us FROM usage.checkpoint"
                   " ORDER BY number DESC LIMIT 1");
    enum db_step step = first_row(s);
    if (step != DB_ROW) {
        json_no_value(json, "checkpoint");
        return step == DB_DONE;
    }
    int64_t number = db_i64(s, 0);
    wall_to_text((struct wall_time){db_i64(s, 2)}, made);
    json_object_begin(json, "checkpoint");
    json_i64(json, "number", number);
    json_i64(json, "size", db_i64(s, 1));
    json_text(json, "made_at", made);
    db_reset(s);
    bool good = write_witnesses(visit, json, number);
    json_object_end(json);
    return good;
}

static bool write_log(struct visit *visit, struct json_writer *json)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT ifnull(max(idx), 0) FROM usage.merkle_leaf");
    enum db_step step = first_row(s);
    json_object_begin(json, NULL);
    json_i64(json, "size", step == DB_ROW ? db_i64(s, 0) : 0);
    if (s != NULL)
        db_reset(s);
    bool good = step != DB_FAILED && write_checkpoint(visit, json);
    json_object_end(json);
    return good;
}

void event_log_show(struct visit *visit)
{
    struct json_writer json;
    if (!visit->request.wants_json) {
        visit_redirect(visit, "/events");
        return;
    }
    visit->response->content_type = "application/json; charset=utf-8";
    json_start(&json, &visit->response->body);
    if (!write_log(visit, &json)) {
        visit_fail_db(visit);
        return;
    }
    buffer_add_text(&visit->response->body, "\n");
}
