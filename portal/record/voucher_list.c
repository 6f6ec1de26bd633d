/*
 * See voucher_list.h.
 *
 * The query is one text in three forms, for the places to start from: all
 * vouchers by number, those of an enterprise, those of a supplier; one filter
 * with "or" would read every voucher for each of them. The next page starts behind the last number shown, so
 * that a page costs the same wherever it is.
 */
#include "portal/record/voucher_list.h"

#include <string.h>

#include "common/money.h"
#include "common/writer.h"

enum { PAGE_ROWS = 50, EXPORT_ROWS = 200000 };

#define COLUMNS                                                                \
    "SELECT v.number, v.amount_fen, v.state, v.issued_at, v.is_pilot, e.id,"   \
    " e.name_zh, e.name_en, e.city_code, c.name_zh, c.name_en, s.name_zh,"     \
    " s.name_en, a.cycle_id, e.is_sample,"                                     \
    " (SELECT t.state FROM settlement t WHERE t.voucher_number = v.number"     \
    "  ORDER BY t.submitted_at DESC LIMIT 1),"                                 \
    " d.mark, d.verdict, d.is_flagged, d.is_sample"
#define BY_NUMBER                                                              \
    " FROM voucher v CROSS JOIN voucher_application a"                         \
    "   ON a.id = v.application_id"
#define BY_APPLICATION                                                         \
    " FROM voucher_application a CROSS JOIN voucher v"                         \
    "   ON v.application_id = a.id"
#define PARTIES                                                                \
    " CROSS JOIN enterprise e ON e.id = a.enterprise_id"                       \
    " CROSS JOIN city c ON c.code = e.city_code"                               \
    " CROSS JOIN supplier s ON s.id = a.supplier_id"
#define JOIN_VERDICT                                                           \
    " LEFT JOIN verdict.verdict d ON d.voucher_number = v.number"              \
    "   AND d.run_id = (SELECT max(r.id) FROM verdict.run r"                   \
    "                   WHERE r.cycle_id = a.cycle_id)"
#define FILTER                                                                 \
    " WHERE v.number > :after"                                                 \
    " AND CASE :scope WHEN 'all' THEN 1"                                       \
    "   WHEN 'city' THEN e.city_code = :scope_id"                              \
    "   WHEN 'enterprise' THEN a.enterprise_id = :scope_id"                    \
    "   WHEN 'supplier' THEN a.supplier_id = :scope_id ELSE 0 END"             \
    " AND (:city = '' OR e.city_code = :city)"                                 \
    " AND (:text = '' OR instr(lower(v.number), :text)"                        \
    "   OR instr(lower(e.name_zh), :text) OR instr(lower(e.name_en), :text)"   \
    "   OR instr(lower(s.name_zh), :text) OR instr(lower(s.name_en), :text))"
#define OF_ENTERPRISE " AND a.enterprise_id = :scope_id"
#define OF_SUPPLIER   " AND a.supplier_id = :scope_id"
#define THIS_MARK     " AND (:mark = '' OR ifnull(d.mark, 'NONE') = :mark)"
#define END           " ORDER BY v.number LIMIT :limit"

static const char *const LIST_SQL[] = {
    COLUMNS BY_NUMBER PARTIES JOIN_VERDICT FILTER THIS_MARK END,
    COLUMNS BY_APPLICATION PARTIES JOIN_VERDICT FILTER OF_ENTERPRISE THIS_MARK
        END,
    COLUMNS BY_APPLICATION PARTIES JOIN_VERDICT FILTER OF_SUPPLIER THIS_MARK
        END,
};

static const char *const MARKS[] = {"COMPLETE", "NOT_COMPLETE", "UNDETERMINED",
                                    "NONE"};
enum { MARK_COUNT = sizeof(MARKS) / sizeof(MARKS[0]) };

struct filter {
    const char *city, *mark, *text; /* "": any */
    const char *after;
    char *lower_text;
};

/* Borrowed from the statement's row. */
struct voucher_row {
    const char *number, *state, *enterprise_id, *enterprise_zh, *enterprise_en;
    const char *city_code, *city_zh, *city_en, *supplier_zh, *supplier_en;
    const char *cycle_id, *settlement, *mark, *verdict;
    struct money amount;
    struct wall_time issued_at;
    bool is_pilot, is_flagged, is_sample;
};

static struct filter read_filter(struct visit *visit)
{
    struct filter filter = {
        .city = form_get(&visit->request.query, "city"),
        .mark = form_get(&visit->request.query, "mark"),
        .text = form_get(&visit->request.query, "text"),
        .after = form_get(&visit->request.query, "after"),
    };
    bool known = false;
    for (size_t i = 0; i < MARK_COUNT; i++)
        known |= strcmp(MARKS[i], filter.mark) == 0;
    if (!known)
        filter.mark = "";
    filter.lower_text =
        arena_copy_text(visit->arena, slice_trim(slice_of_text(filter.text)));
    for (char *c = filter.lower_text; c != NULL && *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return filter;
}

static struct db_statement *prepare(struct visit *visit,
                                    const struct filter *filter, int64_t limit)
{
    enum scope_kind kind = visit->caller.scope.kind;
    size_t start = kind == SCOPE_ENTERPRISE ? 1
                   : kind == SCOPE_SUPPLIER ? 2
                                            : 0;
    struct db_statement *s = db_prepare(visit->db, LIST_SQL[start]);
    if (s == NULL)
        return NULL;
    scope_bind(s, &visit->caller.scope);
    db_bind_text(s, ":city", filter->city);
    db_bind_text(s, ":mark", filter->mark);
    db_bind_text(s, ":text", filter->lower_text);
    db_bind_text(s, ":after", filter->after);
    db_bind_i64(s, ":limit", limit);
    return s;
}

static struct voucher_row read_row(struct db_statement *s)
{
    return (struct voucher_row){
        .number = db_text(s, 0),
        .amount = {db_i64(s, 1)},
        .state = db_text(s, 2),
        .issued_at = {db_i64(s, 3)},
        .is_pilot = db_i64(s, 4) != 0,
        .enterprise_id = db_text(s, 5),
        .enterprise_zh = db_text(s, 6),
        .enterprise_en = db_text(s, 7),
        .city_code = db_text(s, 8),
        .city_zh = db_text(s, 9),
        .city_en = db_text(s, 10),
        .supplier_zh = db_text(s, 11),
        .supplier_en = db_text(s, 12),
        .cycle_id = db_text(s, 13),
        .is_sample = db_i64(s, 14) != 0 || db_i64(s, 19) != 0,
        .settlement = db_text(s, 15),
        .mark = db_is_null(s, 16) ? "NONE" : db_text(s, 16),
        .verdict = db_text(s, 17),
        .is_flagged = db_i64(s, 18) != 0,
    };
}

static void fill_row(struct visit *visit, const struct voucher_row *row,
                     struct model *m)
{
    char amount[MONEY_TEXT_LEN], issued[WALL_TEXT_LEN];
    money_to_yuan_text(row->amount, amount);
    wall_to_local_text(row->issued_at, issued);
    issued[10] = '\0'; /* the date */
    model_text(m, "number", row->number);
    model_text(m, "_link", form_encode(row->number, visit->arena));
    model_text(m, "enterprise",
               visit_name(visit, row->enterprise_zh, row->enterprise_en));
    model_text(m, "city_code", row->city_code);
    model_text(m, "city", visit_name(visit, row->city_zh, row->city_en));
    model_text(m, "supplier",
               visit_name(visit, row->supplier_zh, row->supplier_en));
    model_i64(m, "amount_fen", row->amount.fen);
    model_text(m, "amount_yuan", amount);
    model_text(m, "issued", issued);
    model_text(m, "state", row->state);
    model_text(m, "_state_words", visit_word(visit, "state.", row->state));
    model_text(m, "mark", row->mark);
    model_text(m, "_mark_words", visit_word(visit, "mark.", row->mark));
    model_bool(m, "is_flagged", row->is_flagged);
    model_bool(m, "is_sample", row->is_sample);
    model_bool(m, "is_pilot", row->is_pilot);
}

static void add_cities(struct visit *visit, const struct filter *filter)
{
    struct db_statement *s =
        db_prepare(visit->db, "SELECT code, name_zh, name_en FROM city"
                              " WHERE is_enabled = 1 ORDER BY code");
    if (visit->caller.scope.kind == SCOPE_CITY)
        return;
    model_list(visit->model, "_cities");
    model_bool(visit->model, "_has_cities", true);
    while (s != NULL && db_step(s) == DB_ROW) {
        struct model *m = model_append(visit->model, "_cities");
        model_text(m, "code", db_text(s, 0));
        model_text(m, "name", visit_name(visit, db_text(s, 1), db_text(s, 2)));
        model_bool(m, "chosen", strcmp(filter->city, db_text(s, 0)) == 0);
    }
}

/* The filter as a query, for the links to the export and the next page. */
static void add_links(struct visit *visit, const struct filter *filter,
                      const char *last)
{
    struct arena *arena = visit->arena;
    const char *query = arena_format(
        arena, "city=%s&mark=%s&text=%s", form_encode(filter->city, arena),
        filter->mark, form_encode(filter->text, arena));
    model_textf(visit->model, "_export_link", "/vouchers.csv?%s",
                query != NULL ? query : "");
    model_textf(visit->model, "_first_link", "/vouchers?%s",
                query != NULL ? query : "");
    if (last != NULL)
        model_textf(visit->model, "_next_link", "/vouchers?%s&after=%s",
                    query != NULL ? query : "", form_encode(last, arena));
}

static void add_filter(struct visit *visit, const struct filter *filter)
{
    model_text(visit->model, "_text", filter->text);
    for (size_t i = 0; i < MARK_COUNT; i++) {
        struct model *m = model_append(visit->model, "_marks");
        model_text(m, "code", MARKS[i]);
        model_text(m, "name", visit_word(visit, "mark.", MARKS[i]));
        model_bool(m, "chosen", strcmp(filter->mark, MARKS[i]) == 0);
    }
    add_cities(visit, filter);
    model_bool(visit->model, "_is_first", filter->after[0] == '\0');
    model_bool(visit->model, "_is_filtered",
               filter->city[0] != '\0' || filter->mark[0] != '\0' ||
                   filter->text[0] != '\0');
}

void voucher_list_show(struct visit *visit)
{
    struct filter filter = read_filter(visit);
    struct db_statement *s = prepare(visit, &filter, PAGE_ROWS + 1);
    enum db_step step = DB_FAILED;
    const char *last = NULL;
    int64_t count = 0;
    bool has_more = false;
    model_list(visit->model, "vouchers");
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        has_more = count == PAGE_ROWS;
        if (has_more)
            continue;
        struct voucher_row row = read_row(s);
        fill_row(visit, &row, model_append(visit->model, "vouchers"));
        last = arena_copy_text(visit->arena, slice_of_text(row.number));
        count++;
    }
    if (step == DB_FAILED) {
        visit_fail_db(visit);
        return;
    }
    model_i64(visit->model, "count", count);
    model_bool(visit->model, "has_more", has_more);
    add_filter(visit, &filter);
    add_links(visit, &filter, has_more ? last : NULL);
    visit_show(visit, "vouchers", "vouchers.title");
}

static void export_head(struct visit *visit, struct csv_writer *csv)
{
    static const char *const KEYS[] = {
        "col.voucher", "col.enterprise", "col.city",  "col.supplier",
        "col.amount",  "col.issued",     "col.state", "col.settlement",
        "col.mark",    "col.flag",       "col.demo"};
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
        csv_text(csv, visit_word(visit, "", KEYS[i]));
    csv_row_end(csv);
}

static void export_row(struct visit *visit, const struct voucher_row *row,
                       struct csv_writer *csv)
{
    char amount[MONEY_TEXT_LEN], issued[WALL_TEXT_LEN];
    money_to_yuan_text(row->amount, amount);
    wall_to_local_text(row->issued_at, issued);
    issued[10] = '\0';
    csv_text(csv, row->number);
    csv_text(csv, visit_name(visit, row->enterprise_zh, row->enterprise_en));
    csv_text(csv, visit_name(visit, row->city_zh, row->city_en));
    csv_text(csv, visit_name(visit, row->supplier_zh, row->supplier_en));
    csv_text(csv, amount);
    csv_text(csv, issued);
    csv_text(csv, visit_word(visit, "state.", row->state));
    csv_text(csv, row->settlement[0] != '\0'
                      ? visit_word(visit, "settlement.", row->settlement)
                      : "");
    csv_text(csv, visit_word(visit, "mark.", row->mark));
    csv_text(csv, visit_word(visit, row->is_flagged ? "yes" : "no", ""));
    csv_text(csv, visit_word(visit, row->is_sample ? "yes" : "no", ""));
    csv_row_end(csv);
}

void voucher_list_export(struct visit *visit)
{
    struct filter filter = read_filter(visit);
    struct http_response *response = visit->response;
    struct csv_writer csv;
    enum db_step step = DB_FAILED;
    struct db_statement *s = prepare(visit, &filter, EXPORT_ROWS);
    buffer_add_text(&response->body, "\xEF\xBB\xBF");
    csv_start(&csv, &response->body);
    export_head(visit, &csv);
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        struct voucher_row row = read_row(s);
        export_row(visit, &row, &csv);
    }
    if (step == DB_FAILED || response->body.failed) {
        visit_fail_db(visit);
        return;
    }
    visit_send_csv(visit, "vouchers.export", "vouchers.csv");
}
