/*
 * See event_pages.h. Events come from usage.db; whose they are is said by the
 * registry of now.
 */
#include "portal/record/event_pages.h"

#include <inttypes.h>

#include <string.h>

#include "common/crypto/digest.h"
#include "common/writer.h"

enum {
    PAGE_ROWS = 50,
    EXPORT_ROWS = 100000,
    EXPORT_BYTES = HTTP_RESPONSE_MAX / 4 * 3,
};
static const int64_t DAY_US = INT64_C(86400) * 1000000;

#define EVENTS                                                                 \
    "SELECT e.id, e.at_us, e.last_us, e.times, e.kind, e.probe_id,"            \
    " e.sequence, e.known_hash, e.other_hash, e.detail,"                       \
    " ifnull(n.id, ''), ifnull(n.name_zh, ''), ifnull(n.name_en, '')"          \
    " FROM usage.event e LEFT JOIN probe p ON p.id = e.probe_id"               \
    " LEFT JOIN enterprise n ON n.id = p.enterprise_id"                        \
    " WHERE e.id < :before AND e.last_us >= :since"                            \
    " AND (:kind = '' OR e.kind = :kind)"                                      \
    " AND (:text = '' OR instr(lower(e.probe_id), :text)"                      \
    "   OR instr(lower(ifnull(n.id, '')), :text)"                              \
    "   OR instr(lower(ifnull(n.name_zh, '')), :text)"                         \
    "   OR instr(lower(ifnull(n.name_en, '')), :text))"                        \
    " ORDER BY e.id DESC LIMIT :limit"

struct filter {
    const char *kind, *text, *since_text; /* "": any */
    char *lower_text;
    struct wall_time since;
    int64_t before; /* events with a smaller id */
};

/* Borrowed from the statement's row. */
struct event_row {
    int64_t id;
    struct wall_time first, last;
    int64_t times;
    const char *kind, *probe_id, *detail;
    int64_t sequence; /* 0: none */
    char known[DIGEST_HEX_LEN], other[DIGEST_HEX_LEN];
    const char *enterprise_id, *enterprise_zh, *enterprise_en;
};

static struct filter read_filter(struct visit *visit)
{
    struct civil_day day;
    struct filter filter = {
        .kind = form_get(&visit->request.query, "kind"),
        .text = form_get(&visit->request.query, "enterprise"),
        .since_text = form_get(&visit->request.query, "since"),
        .before = INT64_MAX,
    };
    if (day_from_text(slice_of_text(filter.since_text), &day))
        filter.since = day_start(day);
    else
        filter.since_text = "";
    parse_i64(slice_of_text(form_get(&visit->request.query, "before")), 1,
              INT64_MAX, &filter.before);
    filter.lower_text =
        arena_copy_text(visit->arena, slice_trim(slice_of_text(filter.text)));
    for (char *c = filter.lower_text; c != NULL && *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return filter;
}

static struct db_statement *prepare(struct visit *visit,
                                    const struct filter *filter, int64_t limit)
{
    struct db_statement *s = db_prepare(visit->db, EVENTS);
    if (s == NULL)
        return NULL;
    db_bind_i64(s, ":before", filter->before);
    db_bind_i64(s, ":since", filter->since.us);
    db_bind_text(s, ":kind", filter->kind);
    db_bind_text(s, ":text",
                 filter->lower_text != NULL ? filter->lower_text : "");
    db_bind_i64(s, ":limit", limit);
    return s;
}

static void read_hash(struct slice blob, char hex[static DIGEST_HEX_LEN])
{
    hex[0] = '\0';
    if (blob.length == DIGEST_LEN)
        hex_of(blob.data, DIGEST_LEN, hex);
}

static struct event_row read_row(struct db_statement *s)
{
    struct event_row row = {
        .id = db_i64(s, 0),
        .first = {db_i64(s, 1)},
        .last = {db_i64(s, 2)},
        .times = db_i64(s, 3),
        .kind = db_text(s, 4),
        .probe_id = db_text(s, 5),
        .sequence = db_i64(s, 6),
        .detail = db_text(s, 9),
        .enterprise_id = db_text(s, 10),
        .enterprise_zh = db_text(s, 11),
        .enterprise_en = db_text(s, 12),
    };
    read_hash(db_blob(s, 7), row.known);
    read_hash(db_blob(s, 8), row.other);
    return row;
}

static void fill_row(struct visit *visit, const struct event_row *row,
                     struct model *m)
{
    char first[WALL_TEXT_LEN], last[WALL_TEXT_LEN];
    wall_to_local_text(row->first, first);
    wall_to_local_text(row->last, last);
    model_text(m, "kind", row->kind);
    model_text(m, "sentence", visit_word(visit, "event.", row->kind));
    model_text(m, "probe", row->probe_id);
    model_text(m, "enterprise_id", row->enterprise_id);
    model_text(m, "enterprise",
               visit_name(visit, row->enterprise_zh, row->enterprise_en));
    model_i64(m, "sequence", row->sequence);
    model_text(m, "first", first);
    model_text(m, "last", last);
    model_bool(m, "_is_repeated", row->times > 1);
    model_i64(m, "times", row->times);
    model_text(m, "known_hash", row->known);
    model_text(m, "other_hash", row->other);
    model_text(m, "detail", row->detail);
}

/* --- the log --- */

static void add_checkpoint(struct visit *visit, struct model *log)
{
    char made[WALL_TEXT_LEN];
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT number, size, made_us, (SELECT count(*) FROM usage.cosignature"
        " WHERE checkpoint = c.number), ifnull((SELECT group_concat(witness,"
        " ', ') FROM usage.cosignature WHERE checkpoint = c.number), '')"
        " FROM usage.checkpoint c ORDER BY number DESC LIMIT 1");
    if (s == NULL || db_step(s) != DB_ROW)
        return;
    struct model *m = model_object(log, "checkpoint");
    wall_to_local_text((struct wall_time){db_i64(s, 2)}, made);
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

/* --- counts, filter, links --- */

static void add_counts(struct visit *visit)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT kind, sum(times) FROM usage.event"
                   " WHERE last_us >= :since GROUP BY kind ORDER BY 2 DESC, 1");
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

static void add_filter(struct visit *visit, const struct filter *filter)
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT DISTINCT kind FROM usage.event ORDER BY kind");
    while (s != NULL && db_step(s) == DB_ROW) {
        struct model *m = model_append(visit->model, "_kinds");
        model_text(m, "code", db_text(s, 0));
        model_text(m, "name", visit_word(visit, "event.", db_text(s, 0)));
        model_bool(m, "chosen", strcmp(filter->kind, db_text(s, 0)) == 0);
    }
    model_text(visit->model, "_text", filter->text);
    model_text(visit->model, "_since", filter->since_text);
    model_bool(visit->model, "_is_first", filter->before == INT64_MAX);
    model_bool(visit->model, "_is_filtered",
               filter->kind[0] != '\0' || filter->text[0] != '\0' ||
                   filter->since_text[0] != '\0');
}

/* The filter as a query, for the links to the export and the next page. */
static const char *query_of(const struct filter *filter, struct arena *arena)
{
    const char *query = arena_format(arena, "kind=%s&enterprise=%s&since=%s",
                                     form_encode(filter->kind, arena),
                                     form_encode(filter->text, arena),
                                     form_encode(filter->since_text, arena));
    return query == NULL ? "" : query;
}

static void add_links(struct visit *visit, const struct filter *filter,
                      int64_t next)
{
    const char *query = query_of(filter, visit->arena);
    model_textf(visit->model, "_export_link", "/events.csv?%s", query);
    model_textf(visit->model, "_first_link", "/events?%s", query);
    if (next > 0)
        model_textf(visit->model, "_next_link", "/events?%s&before=%lld", query,
                    (long long)next);
}

void event_list_show(struct visit *visit)
{
    struct filter filter = read_filter(visit);
    struct db_statement *s = prepare(visit, &filter, PAGE_ROWS + 1);
    enum db_step step = DB_FAILED;
    int64_t count = 0, last = 0;
    bool has_more = false;
    add_log(visit);
    model_list(visit->model, "events");
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        has_more = count == PAGE_ROWS;
        if (has_more)
            continue;
        struct event_row row = read_row(s);
        fill_row(visit, &row, model_append(visit->model, "events"));
        last = row.id;
        count++;
    }
    if (step == DB_FAILED) {
        visit_fail_db(visit);
        return;
    }
    model_i64(visit->model, "count", count);
    model_bool(visit->model, "has_more", has_more);
    add_counts(visit);
    add_filter(visit, &filter);
    add_links(visit, &filter, has_more ? last : 0);
    visit_show(visit, "events", "events.title");
}

/* --- export --- */

static void export_head(struct visit *visit, struct csv_writer *csv)
{
    static const char *const KEYS[] = {
        "events.kind",       "events.what",     "col.enterprise",
        "events.probe",      "events.sequence", "events.first",
        "events.last",       "events.times",    "events.known_hash",
        "events.other_hash", "events.detail"};
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
        csv_text(csv, visit_word(visit, "", KEYS[i]));
    csv_row_end(csv);
}

static void export_row(struct visit *visit, const struct event_row *row,
                       struct csv_writer *csv)
{
    char first[WALL_TEXT_LEN], last[WALL_TEXT_LEN];
    wall_to_local_text(row->first, first);
    wall_to_local_text(row->last, last);
    csv_text(csv, row->kind);
    csv_text(csv, visit_word(visit, "event.", row->kind));
    csv_text(csv, visit_name(visit, row->enterprise_zh, row->enterprise_en));
    csv_text(csv, row->probe_id);
    if (row->sequence > 0)
        csv_i64(csv, row->sequence);
    else
        csv_text(csv, "");
    csv_text(csv, first);
    csv_text(csv, last);
    csv_i64(csv, row->times);
    csv_text(csv, row->known);
    csv_text(csv, row->other);
    csv_text(csv, row->detail);
    csv_row_end(csv);
}

/* What did not fit is said in the last row, with the address of the rest. */
static void export_rest(struct visit *visit, const struct filter *filter,
                        int64_t last, struct csv_writer *csv)
{
    const char *address =
        arena_format(visit->arena, "/events.csv?%s&before=%" PRId64,
                     query_of(filter, visit->arena), last);
    csv_text(csv, visit_word(visit, "", "events.cut"));
    csv_text(csv, address == NULL ? "" : address);
    csv_row_end(csv);
}

void event_list_export(struct visit *visit)
{
    struct filter filter = read_filter(visit);
    struct http_response *response = visit->response;
    struct csv_writer csv;
    enum db_step step = DB_FAILED;
    int64_t count = 0, last = 0;
    struct db_statement *s = prepare(visit, &filter, EXPORT_ROWS + 1);
    buffer_add_text(&response->body, "\xEF\xBB\xBF");
    csv_start(&csv, &response->body);
    export_head(visit, &csv);
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        if (count++ == EXPORT_ROWS || response->body.length > EXPORT_BYTES) {
            export_rest(visit, &filter, last, &csv);
            db_reset(s);
            break;
        }
        struct event_row row = read_row(s);
        export_row(visit, &row, &csv);
        last = row.id;
    }
    if (step == DB_FAILED || response->body.failed) {
        visit_fail_db(visit);
        return;
    }
    visit_send_csv(visit, "events.export", "events.csv");
}
