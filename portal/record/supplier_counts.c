/* See supplier_counts.h. */
#include "portal/record/supplier_counts.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "common/json.h"

static const int64_t CONNECTIONS_MAX = INT64_C(1000000000000);
static const int64_t USERS_MAX = INT64_C(1000000000);
enum { MINUTE_US = 60 * 1000 * 1000 };

/* --- reading --- */

static bool is_id(const char *text)
{
    return strlen(text) < COUNTS_ID_LEN && slice_is_id(slice_of_text(text));
}

static void read_id(const struct json_node *object, const char *key,
                    char id[static COUNTS_ID_LEN])
{
    const struct json_node *node = json_want(object, key);
    const char *text = json_as_text(node);
    if (node != NULL && !is_id(text))
        json_fail(node, "1 to 64 letters, digits, \".\", \"_\", \"-\"");
    else
        slice_copy(slice_of_text(text), id, COUNTS_ID_LEN);
}

static void read_day(const struct json_node *object, struct wall_time now,
                     struct supplier_row *row)
{
    const struct json_node *node = json_want(object, "day");
    const char *text = json_as_text(node);
    int32_t today = day_of_wall(now).number;
    if (node == NULL)
        return;
    if (!day_from_text(slice_of_text(text), &row->day))
        json_fail(node, "not a date such as 2026-11-23");
    else if (row->day.number > today)
        json_fail(node, "in the future");
    else if (today - row->day.number > COUNTS_DAYS_MAX)
        json_fail(node, "more than %d days ago", COUNTS_DAYS_MAX);
    row->is_late = today - row->day.number > COUNTS_LATE_DAYS;
}

static void read_row(const struct json_node *node, struct wall_time now,
                     struct supplier_row *row)
{
    static const char *const KEYS[] = {
        "enterprise", "service",     "day",          "connections",
        "octets_up",  "octets_down", "active_users", NULL};
    *row = (struct supplier_row){0};
    json_only_keys(json_as_object(node), KEYS);
    read_id(node, "enterprise", row->enterprise_id);
    read_id(node, "service", row->service_id);
    read_day(node, now, row);
    row->connections = json_want_i64(node, "connections", 0, CONNECTIONS_MAX);
    row->octets_up = json_want_i64(node, "octets_up", 0, COUNTS_OCTETS_MAX);
    row->octets_down = json_want_i64(node, "octets_down", 0, COUNTS_OCTETS_MAX);
    const struct json_node *users = json_member(node, "active_users");
    row->has_active_users =
        users != NULL && json_kind_of(users) != JSON_NULL_KIND;
    if (row->has_active_users)
        row->active_users = json_as_i64(users, 0, USERS_MAX);
}

static bool is_same_day(const struct supplier_row *a,
                        const struct supplier_row *b)
{
    return a->day.number == b->day.number &&
           strcmp(a->enterprise_id, b->enterprise_id) == 0 &&
           strcmp(a->service_id, b->service_id) == 0;
}

static void read_rows(const struct json_node *list, struct wall_time now,
                      struct supplier_counts *counts)
{
    size_t count = json_count(list);
    if (list != NULL && (count == 0 || count > COUNTS_ROWS_MAX)) {
        json_fail(list, "1 to %d rows", COUNTS_ROWS_MAX);
        return;
    }
    for (const struct json_node *n = json_first(list); n != NULL;
         n = json_next(n)) {
        struct supplier_row *row = &counts->rows[counts->count++];
        read_row(n, now, row);
        for (size_t i = 0; i + 1 < counts->count; i++)
            if (is_same_day(&counts->rows[i], row))
                json_fail(n, "enterprise, service and day stand twice");
    }
}

bool supplier_counts_parse(struct slice body, struct wall_time now,
                           struct supplier_counts *counts,
                           struct error_text *error)
{
    static const char *const KEYS[] = {"request", "rows", NULL};
    struct json_document *doc = json_parse(body, "body", error);
    if (doc == NULL)
        return false;
    counts->count = 0;
    const struct json_node *root = json_as_object(json_root(doc));
    json_only_keys(root, KEYS);
    read_id(root, "request", counts->request);
    read_rows(json_as_array(json_want(root, "rows")), now, counts);
    const char *fault = json_error(doc);
    if (fault != NULL)
        error_set(error, "%s", fault);
    json_free(doc);
    return fault == NULL;
}

/* --- taking --- */

struct taking {
    struct db *db;
    const struct api_caller *caller;
    struct wall_time now;
    struct error_text *error;
    enum refused refusal; /* REFUSED_NONE: nothing is wrong so far */
};

static bool refuse(struct taking *t, enum refused refusal)
{
    t->refusal = refusal;
    return false;
}

static bool fail(struct taking *t)
{
    error_set(t->error, "%s", db_error(t->db));
    return refuse(t, REFUSED_INTERNAL);
}

/* The same number before: with this content the answer of then. */
static bool find_request(struct taking *t, const char *number,
                         struct digest hash, struct supplier_receipt *receipt)
{
    struct db_statement *s = db_prepare(
        t->db, "SELECT body_hash, added, corrected, unchanged"
               " FROM supplier_request"
               " WHERE supplier_id = :supplier AND number = :number");
    if (s == NULL)
        return fail(t);
    db_bind_text(s, ":supplier", t->caller->supplier_id);
    db_bind_text(s, ":number", number);
    enum db_step step = db_step(s);
    bool is_same = false;
    if (step == DB_ROW) {
        struct slice before = db_blob(s, 0);
        is_same = before.length == DIGEST_LEN &&
                  memcmp(before.data, hash.bytes, DIGEST_LEN) == 0;
        *receipt = (struct supplier_receipt){db_i64(s, 1), db_i64(s, 2),
                                             db_i64(s, 3), is_same};
    }
    db_reset(s);
    if (step == DB_FAILED)
        return fail(t);
    if (step == DB_DONE || is_same)
        return true;
    error_set(t->error, "request %s was sent before with other content",
              number);
    return refuse(t, REFUSED_IDEMPOTENCY);
}

static bool check_rate(struct taking *t)
{
    struct db_statement *s = db_prepare(
        t->db, "SELECT count(*) FROM supplier_request"
               " WHERE supplier_id = :supplier AND received_at > :since");
    if (s == NULL)
        return fail(t);
    db_bind_text(s, ":supplier", t->caller->supplier_id);
    db_bind_i64(s, ":since", t->now.us - MINUTE_US);
    int64_t count = db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    db_reset(s);
    if (count < 0)
        return fail(t);
    if (count < COUNTS_REQUESTS_A_MINUTE)
        return true;
    error_set(t->error, "more than %d requests a minute",
              COUNTS_REQUESTS_A_MINUTE);
    return refuse(t, REFUSED_RATE);
}

static bool has_row(struct taking *t, const char *sql, const char *name,
                    const char *value)
{
    struct db_statement *s = db_prepare(t->db, sql);
    if (s == NULL)
        return false;
    db_bind_text(s, ":supplier", t->caller->supplier_id);
    db_bind_text(s, name, value);
    bool found = db_step(s) == DB_ROW;
    db_reset(s);
    return found;
}

static bool check_row(struct taking *t, const struct supplier_row *row)
{
    if (!has_row(t,
                 "SELECT 1 FROM service WHERE id = :service"
                 " AND supplier_id = :supplier",
                 ":service", row->service_id)) {
        error_set(t->error, "service %s is none of supplier %s",
                  row->service_id, t->caller->supplier_id);
        return refuse(t, REFUSED_FIELD_VALUE);
    }
    if (has_row(t,
                "SELECT 1 FROM voucher_application WHERE enterprise_id ="
                " :enterprise AND supplier_id = :supplier",
                ":enterprise", row->enterprise_id))
        return true;
    error_set(t->error, "enterprise %s has no contract with supplier %s",
              row->enterprise_id, t->caller->supplier_id);
    return refuse(t, REFUSED_FIELD_VALUE);
}

static bool add_request(struct taking *t, const struct supplier_counts *counts,
                        struct digest hash, int64_t *request)
{
    struct db_statement *s = db_prepare(
        t->db, "INSERT INTO supplier_request (supplier_id, number, body_hash,"
               " token, received_at, added, corrected, unchanged) VALUES"
               " (:supplier, :number, :hash, :token, :now, 0, 0, 0)");
    if (s == NULL)
        return fail(t);
    db_bind_text(s, ":supplier", t->caller->supplier_id);
    db_bind_text(s, ":number", counts->request);
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":token", t->caller->handle);
    db_bind_i64(s, ":now", t->now.us);
    if (!db_do(s))
        return fail(t);
    *request = db_last_rowid(t->db);
    return true;
}

/* The version that holds, 0 without one; and whether it says the same. */
static bool find_version(struct taking *t, const struct supplier_row *row,
                         int64_t *version, bool *is_same)
{
    struct db_statement *s = db_prepare(
        t->db, "SELECT version, connections = :connections"
               " AND octets_up = :up AND octets_down = :down"
               " AND active_users IS :users FROM supplier_count"
               " WHERE enterprise_id = :enterprise AND service_id = :service"
               " AND day = :day ORDER BY version DESC LIMIT 1");
    if (s == NULL)
        return fail(t);
    db_bind_text(s, ":enterprise", row->enterprise_id);
    db_bind_text(s, ":service", row->service_id);
    db_bind_i64(s, ":day", row->day.number);
    db_bind_i64(s, ":connections", row->connections);
    db_bind_i64(s, ":up", row->octets_up);
    db_bind_i64(s, ":down", row->octets_down);
    if (row->has_active_users)
        db_bind_i64(s, ":users", row->active_users);
    else
        db_bind_null(s, ":users");
    enum db_step step = db_step(s);
    *version = step == DB_ROW ? db_i64(s, 0) : 0;
    *is_same = step == DB_ROW && db_i64(s, 1) != 0;
    db_reset(s);
    return step != DB_FAILED || fail(t);
}

static bool add_version(struct taking *t, const struct supplier_row *row,
                        int64_t version, int64_t request)
{
    struct db_statement *s = db_prepare(
        t->db, "INSERT INTO supplier_count (enterprise_id, service_id, day,"
               " version, request, is_late, connections, octets_up,"
               " octets_down, active_users) VALUES (:enterprise, :service,"
               " :day, :version, :request, :late, :connections, :up, :down,"
               " :users)");
    if (s == NULL)
        return fail(t);
    db_bind_text(s, ":enterprise", row->enterprise_id);
    db_bind_text(s, ":service", row->service_id);
    db_bind_i64(s, ":day", row->day.number);
    db_bind_i64(s, ":version", version);
    db_bind_i64(s, ":request", request);
    db_bind_i64(s, ":late", row->is_late);
    db_bind_i64(s, ":connections", row->connections);
    db_bind_i64(s, ":up", row->octets_up);
    db_bind_i64(s, ":down", row->octets_down);
    if (row->has_active_users)
        db_bind_i64(s, ":users", row->active_users);
    else
        db_bind_null(s, ":users");
    return db_do(s) || fail(t);
}

static bool take_row(struct taking *t, const struct supplier_row *row,
                     int64_t request, struct supplier_receipt *receipt)
{
    int64_t version;
    bool is_same;
    if (!check_row(t, row) || !find_version(t, row, &version, &is_same))
        return false;
    if (is_same) {
        receipt->unchanged++;
        return true;
    }
    *(version > 0 ? &receipt->corrected : &receipt->added) += 1;
    return add_version(t, row, version + 1, request);
}

static bool note_receipt(struct taking *t, int64_t request,
                         const struct supplier_receipt *receipt)
{
    struct db_statement *s =
        db_prepare(t->db, "UPDATE supplier_request SET added = :added,"
                          " corrected = :corrected, unchanged = :unchanged"
                          " WHERE id = :id");
    if (s == NULL)
        return fail(t);
    db_bind_i64(s, ":added", receipt->added);
    db_bind_i64(s, ":corrected", receipt->corrected);
    db_bind_i64(s, ":unchanged", receipt->unchanged);
    db_bind_i64(s, ":id", request);
    return db_do(s) || fail(t);
}

static bool take(struct taking *t, const struct supplier_counts *counts,
                 struct digest hash, struct supplier_receipt *receipt)
{
    int64_t request;
    if (!find_request(t, counts->request, hash, receipt))
        return false;
    if (receipt->is_repeated)
        return true;
    if (!check_rate(t) || !add_request(t, counts, hash, &request))
        return false;
    for (size_t i = 0; i < counts->count; i++)
        if (!take_row(t, &counts->rows[i], request, receipt))
            return false;
    return note_receipt(t, request, receipt);
}

enum refused supplier_counts_take(struct db *db,
                                  const struct api_caller *caller,
                                  const struct supplier_counts *counts,
                                  struct slice body, struct wall_time now,
                                  struct supplier_receipt *receipt,
                                  struct error_text *error)
{
    struct taking t = {.db = db, .caller = caller, .now = now, .error = error};
    *receipt = (struct supplier_receipt){0};
    take(&t, counts, digest_of(body.data, body.length), receipt);
    return t.refusal;
}
