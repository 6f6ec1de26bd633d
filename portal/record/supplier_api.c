/* See supplier_api.h. */
#include "portal/record/supplier_api.h"

#include <string.h>

#include "common/writer.h"
#include "portal/access/api_token.h"
#include "portal/record/supplier_counts.h"
#include "portal/store/audit.h"

enum { SHOWN_MAX = 5000, PERIOD_DAYS_MAX = 400 };

static void answer_begin(struct visit *visit, struct json_writer *json)
{
    visit->response->content_type = "application/json; charset=utf-8";
    json_start(json, &visit->response->body);
    json_object_begin(json, NULL);
}

static void answer_end(struct visit *visit, struct json_writer *json)
{
    json_object_end(json);
    buffer_add_text(&visit->response->body, "\n");
    if (visit->response->body.failed)
        visit_refuse(visit, REFUSED_INTERNAL);
}

/* detail: what it is about. */
static void refuse(struct visit *visit, enum refused refusal,
                   const char *detail)
{
    struct refused_words words = {
        .refusal = refusal,
        .values = TEXT_ARGUMENTS(text_number("limit", COUNTS_REQUESTS_A_MINUTE),
                                 text_plain("type", "application/json")),
        .detail = detail,
    };
    visit_refuse_with(visit, &words);
}

static bool find_caller(struct visit *visit, struct api_caller *caller)
{
    if (api_token_find(visit->db, visit->request.http->authorization, caller))
        return true;
    http_response_header(visit->response, "WWW-Authenticate",
                         "Bearer realm=\"yunzheng\"");
    refuse(visit, REFUSED_TOKEN, NULL);
    return false;
}

static bool is_json(struct slice type)
{
    struct slice name;
    return slice_next(&type, ';', &name) &&
           slice_equal_nocase(slice_trim(name), SLICE("application/json"));
}

struct taking {
    const struct api_caller *caller;
    const struct supplier_counts *counts;
    struct slice body;
    struct supplier_receipt *receipt;
    enum refused refusal;
};

/* A request that was here before changes nothing and leaves no row. */
static enum act_end take(struct db *db, struct wall_time now, void *context,
                         struct error_text *error)
{
    struct taking *t = context;
    t->refusal = supplier_counts_take(db, t->caller, t->counts, t->body, now,
                                      t->receipt, error);
    return t->refusal == REFUSED_NONE && !t->receipt->is_repeated ? ACT_KEPT
                                                                  : ACT_REFUSED;
}

static enum refused take_counts(struct visit *visit,
                                const struct api_caller *caller,
                                const struct supplier_counts *counts,
                                struct supplier_receipt *receipt,
                                struct error_text *error)
{
    const struct audit_entry entry = {caller->supplier_id, "supplier.counts",
                                      counts->request, "OK"};
    struct taking t = {caller, counts, visit->request.http->body, receipt,
                       REFUSED_INTERNAL};
    return portal_act(visit->portal, visit->now, &entry, take, &t, error) ==
                   ACT_FAILED
               ? REFUSED_INTERNAL
               : t.refusal;
}

static void show_receipt(struct visit *visit, const char *request,
                         const struct supplier_receipt *receipt)
{
    struct json_writer json;
    answer_begin(visit, &json);
    json_text(&json, "request", request);
    json_i64(&json, "added", receipt->added);
    json_i64(&json, "corrected", receipt->corrected);
    json_i64(&json, "unchanged", receipt->unchanged);
    json_bool(&json, "repeated", receipt->is_repeated);
    answer_end(visit, &json);
}

void supplier_counts_post(struct visit *visit)
{
    struct api_caller caller;
    struct supplier_receipt receipt;
    struct error_text error = {""};
    if (!find_caller(visit, &caller))
        return;
    if (!is_json(visit->request.http->content_type)) {
        refuse(visit, REFUSED_CONTENT_TYPE, NULL);
        return;
    }
    struct supplier_counts *counts = arena_take(visit->arena, sizeof(*counts));
    if (counts == NULL) {
        visit_refuse(visit, REFUSED_INTERNAL);
        return;
    }
    if (!supplier_counts_parse(visit->request.http->body, visit->now, counts,
                               &error)) {
        refuse(visit, REFUSED_BODY, error.text);
        return;
    }
    enum refused refusal =
        take_counts(visit, &caller, counts, &receipt, &error);
    if (refusal == REFUSED_INTERNAL) {
        log_error("supplier counts of %s: %s", caller.supplier_id, error.text);
        refuse(visit, refusal, NULL);
    } else if (refusal != REFUSED_NONE) {
        refuse(visit, refusal, error.text);
    } else {
        show_receipt(visit, counts->request, &receipt);
    }
}

static bool read_period(struct visit *visit, struct civil_day *from,
                        struct civil_day *to)
{
    const char *first = form_get(&visit->request.query, "from");
    const char *last = form_get(&visit->request.query, "to");
    return day_from_text(slice_of_text(first), from) &&
           day_from_text(slice_of_text(last), to) &&
           to->number > from->number &&
           to->number - from->number <= PERIOD_DAYS_MAX;
}

static void add_row(struct json_writer *json, struct db_statement *s)
{
    char day[DAY_TEXT_LEN], at[WALL_TEXT_LEN];
    day_to_text((struct civil_day){(int32_t)db_i64(s, 2)}, day);
    wall_to_text((struct wall_time){db_i64(s, 10)}, at);
    json_object_begin(json, NULL);
    json_text(json, "enterprise", db_text(s, 0));
    json_text(json, "service", db_text(s, 1));
    json_text(json, "day", day);
    json_i64(json, "version", db_i64(s, 3));
    json_bool(json, "late", db_i64(s, 4) != 0);
    json_i64(json, "connections", db_i64(s, 5));
    json_i64(json, "octets_up", db_i64(s, 6));
    json_i64(json, "octets_down", db_i64(s, 7));
    if (!db_is_null(s, 8))
        json_i64(json, "active_users", db_i64(s, 8));
    else
        json_no_value(json, "active_users");
    json_text(json, "request", db_text(s, 9));
    json_text(json, "received_at", at);
    json_object_end(json);
}

void supplier_counts_show(struct visit *visit)
{
    struct api_caller caller;
    struct civil_day from, to;
    struct json_writer json;
    size_t count = 0;
    if (!find_caller(visit, &caller))
        return;
    if (!read_period(visit, &from, &to)) {
        refuse(visit, REFUSED_FIELD_VALUE,
               "from and to: dates such as 2026-11-23, at most 400 days; the "
               "last one is not included");
        return;
    }
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT c.enterprise_id, c.service_id, c.day, c.version, c.is_late,"
        " c.connections, c.octets_up, c.octets_down, c.active_users, r.number,"
        " r.received_at FROM service AS s"
        " JOIN supplier_count_now AS c ON c.service_id = s.id"
        " JOIN supplier_request AS r ON r.id = c.request"
        " WHERE s.supplier_id = :supplier AND c.day >= :from AND c.day < :to"
        " ORDER BY c.day, c.enterprise_id, c.service_id LIMIT :most");
    if (s == NULL) {
        visit_fail_db(visit);
        return;
    }
    db_bind_text(s, ":supplier", caller.supplier_id);
    db_bind_i64(s, ":from", from.number);
    db_bind_i64(s, ":to", to.number);
    db_bind_i64(s, ":most", SHOWN_MAX + 1);
    enum db_step step;
    answer_begin(visit, &json);
    json_array_begin(&json, "rows");
    while ((step = db_step(s)) == DB_ROW && count++ < SHOWN_MAX)
        add_row(&json, s);
    db_reset(s);
    if (step == DB_FAILED) {
        visit_fail_db(visit);
        return;
    }
    json_array_end(&json);
    json_bool(&json, "is_cut", count > SHOWN_MAX);
    answer_end(visit, &json);
}
