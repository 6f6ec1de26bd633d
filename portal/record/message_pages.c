#include "portal/record/message_pages.h"

#include <inttypes.h>
#include <string.h>

#include "common/writer.h"

enum { SHOWN_MAX = 100 };

/* ---- reading ---- */

/* Lines of a message are paragraphs of the page. */
static void add_lines(struct model *m, const char *body)
{
    struct slice rest = slice_of_text(body), line;
    model_list(m, "lines");
    while (slice_next(&rest, '\n', &line))
        model_slice(model_append(m, "lines"), "line", line);
}

static void add_message(struct visit *visit, struct db_statement *s)
{
    struct model *m = model_append(visit->model, "messages");
    int64_t id = db_i64(s, 0);
    model_textf(m, "number", "M-%06" PRId64, id);
    model_moment(m, "at", (struct wall_time){db_i64(s, 1)});
    model_text(m, "subject", visit_name(visit, db_text(s, 2), db_text(s, 3)));
    add_lines(m, visit_name(visit, db_text(s, 4), db_text(s, 5)));
    model_bool(m, "is_new", db_is_null(s, 6));
}

/* Those behind the message `after`, or from the newest on. One more than `most`
 * is taken, which says whether there are more. */
static struct db_statement *select_messages(struct visit *visit, int most,
                                            int64_t after, bool unread_only)
{
    struct db_statement *s = db_prepare(
        visit->db,
        unread_only
            ? "SELECT id, made_at, subject_zh, subject_en, body_zh, body_en,"
              " read_at, item_id FROM message WHERE account_name = :account"
              " AND is_secret = 0 AND read_at IS NULL AND id < :after"
              " ORDER BY id DESC LIMIT :most"
            : "SELECT id, made_at, subject_zh, subject_en, body_zh, body_en,"
              " read_at, item_id FROM message WHERE account_name = :account"
              " AND is_secret = 0 AND id < :after ORDER BY id DESC"
              " LIMIT :most");
    if (s == NULL)
        return NULL;
    db_bind_text(s, ":account", visit->caller.account.name);
    db_bind_i64(s, ":after", after);
    db_bind_i64(s, ":most", most + 1);
    return s;
}

/* ?after=ID, as in `next`; what is none counts as the newest. */
static int64_t read_after(struct visit *visit)
{
    int64_t after = INT64_MAX;
    parse_i64(slice_of_text(form_get(&visit->request.query, "after")), 1,
              INT64_MAX, &after);
    return after;
}

/* One number of the account's. */
static bool ask_number(struct visit *visit, const char *sql, int64_t *number)
{
    struct db_statement *s = db_prepare(visit->db, sql);
    if (s == NULL)
        return false;
    db_bind_text(s, ":account", visit->caller.account.name);
    bool good = db_step(s) == DB_ROW;
    *number = good ? db_i64(s, 0) : 0;
    db_reset(s);
    return good;
}

static bool add_messages(struct visit *visit, int most, int64_t after,
                         bool unread_only)
{
    enum db_step step = DB_FAILED;
    struct db_statement *s = select_messages(visit, most, after, unread_only);
    int64_t last = 0;
    model_list(visit->model, "messages");
    model_text(visit->model, "_next_link", "");
    for (int i = 0; s != NULL && (step = db_step(s)) == DB_ROW; i++) {
        if (i == most) {
            model_textf(visit->model, "_next_link", "/messages?after=%" PRId64,
                        last);
            db_reset(s);
            return true;
        }
        last = db_i64(s, 0);
        add_message(visit, s);
    }
    return step == DB_DONE;
}

bool message_fill(struct visit *visit, int most, bool unread_only)
{
    int64_t unread = 0, failing = 0;
    int64_t after = unread_only ? INT64_MAX : read_after(visit);
    bool good =
        add_messages(visit, most, after, unread_only) &&
        ask_number(visit,
                   "SELECT count(*) FROM message WHERE account_name = :account"
                   " AND is_secret = 0 AND read_at IS NULL",
                   &unread) &&
        /* To the address that the account has now. */
        ask_number(
            visit,
            "SELECT count(*) FROM account a JOIN message m"
            " ON m.account_name = a.name JOIN delivery d"
            " ON d.message_id = m.id WHERE a.name = :account"
            " AND d.address IN (a.mail, a.mobile)"
            " AND d.next_at IS NULL AND d.sent_at IS NULL AND d.tries > 0",
            &failing);
    model_i64(visit->model, "unread", unread);
    model_bool(visit->model, "mail_fails", failing > 0);
    return good;
}

static void write_message(struct json_writer *json, struct db_statement *s)
{
    char at[WALL_TEXT_LEN];
    wall_to_text((struct wall_time){db_i64(s, 1)}, at);
    json_object_begin(json, NULL);
    json_i64(json, "id", db_i64(s, 0));
    json_text(json, "at", at);
    json_text(json, "subject_zh", db_text(s, 2));
    json_text(json, "subject_en", db_text(s, 3));
    json_text(json, "body_zh", db_text(s, 4));
    json_text(json, "body_en", db_text(s, 5));
    json_bool(json, "is_read", !db_is_null(s, 6));
    if (db_is_null(s, 7))
        json_no_value(json, "item");
    else
        json_i64(json, "item", db_i64(s, 7));
    json_object_end(json);
}

static bool write_json(struct visit *visit)
{
    struct json_writer json;
    enum db_step step = DB_FAILED;
    struct db_statement *s =
        select_messages(visit, SHOWN_MAX, read_after(visit), false);
    int count = 0;
    int64_t last = 0;
    json_start(&json, &visit->response->body);
    json_object_begin(&json, NULL);
    json_array_begin(&json, "items");
    while (s != NULL && (step = db_step(s)) == DB_ROW && count++ < SHOWN_MAX) {
        last = db_i64(s, 0);
        write_message(&json, s);
    }
    json_array_end(&json);
    if (step == DB_ROW) {
        json_text(&json, "next",
                  arena_format(visit->arena, "/api/v1/messages?after=%" PRId64,
                               last));
        db_reset(s);
    } else {
        json_no_value(&json, "next");
    }
    json_object_end(&json);
    visit->response->content_type = "application/json; charset=utf-8";
    return step != DB_FAILED;
}

void message_list_show(struct visit *visit)
{
    bool good = visit->request.wants_json
                    ? write_json(visit)
                    : message_fill(visit, SHOWN_MAX, false);
    if (!good)
        visit_fail_db(visit);
    else if (!visit->request.wants_json)
        visit_show(visit, "messages", "messages.title");
}

static enum act_end mark_read(struct db *db, struct wall_time now,
                              void *context, struct error_text *error)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE message SET read_at = :now WHERE account_name = :account"
            " AND read_at IS NULL AND is_secret = 0");
    error_set(error, "%s", db_error(db));
    if (s == NULL)
        return ACT_FAILED;
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":account", context);
    return db_do(s) ? ACT_KEPT : ACT_FAILED;
}

void message_read_post(struct visit *visit)
{
    struct error_text error;
    if (portal_act(visit->portal, visit->now, NULL, mark_read,
                   visit->caller.account.name, &error) == ACT_KEPT)
        visit_redirect(visit, "/messages");
    else
        visit_refuse(visit, REFUSED_INTERNAL);
}

/* ---- what reached nobody ---- */

/* Addresses are persons' (PRIV-09): those who run the programme see them. */
static bool may_mend(struct visit *visit)
{
    bool may = visit->caller.account.role == ROLE_PROV;
    if (!may)
        visit_refuse(visit, REFUSED_ROLE);
    return may;
}

void message_lost_show(struct visit *visit)
{
    if (!may_mend(visit))
        return;
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT coalesce(m.account_name, ''), d.channel, d.address, d.problem,"
        " m.made_at, d.is_refused FROM delivery d"
        " JOIN message m ON m.id = d.message_id WHERE d.next_at IS NULL"
        " AND d.sent_at IS NULL AND d.seen_at IS NULL AND d.tries > 0"
        " ORDER BY d.id DESC"
        " LIMIT :most");
    model_list(visit->model, "lost");
    if (s != NULL)
        db_bind_i64(s, ":most", SHOWN_MAX);
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        struct model *m = model_append(visit->model, "lost");
        model_text(m, "account", db_text(s, 0));
        model_text(m, "channel", visit_word(visit, "channel.", db_text(s, 1)));
        model_text(m, "address", db_text(s, 2));
        model_text(m, "problem", db_text(s, 3));
        model_moment(m, "at", (struct wall_time){db_i64(s, 4)});
        model_bool(m, "is_refused", db_i64(s, 5) != 0);
    }
    if (step == DB_DONE)
        visit_show(visit, "undelivered", "messages.lost.title");
    else
        visit_fail_db(visit);
}

static enum act_end mark_seen(struct db *db, struct wall_time now,
                              void *context, struct error_text *error)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE delivery SET seen_at = :now WHERE next_at IS NULL"
            " AND sent_at IS NULL AND seen_at IS NULL");
    (void)context;
    error_set(error, "%s", db_error(db));
    if (s == NULL)
        return ACT_FAILED;
    db_bind_i64(s, ":now", now.us);
    return db_do(s) && db_run(db, "UPDATE task SET closed_at = opened_at"
                                  " WHERE kind = 'undelivered'"
                                  " AND closed_at IS NULL")
               ? ACT_KEPT
               : ACT_FAILED;
}

void message_lost_post(struct visit *visit)
{
    struct error_text error;
    if (!may_mend(visit))
        return;
    struct audit_entry entry = {visit->caller.account.name, "undelivered.seen",
                                "", "OK"};
    if (portal_act(visit->portal, visit->now, &entry, mark_seen, NULL,
                   &error) == ACT_KEPT)
        visit_redirect(visit, "/messages/undelivered");
    else
        visit_refuse(visit, REFUSED_INTERNAL);
}
