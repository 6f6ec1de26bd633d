/*
 * See table_pages.h.
 *
 * The page is made from the signed file itself, so that it cannot say anything
 * else: short records in front are the table's head (name, value), then come the
 * names of its columns in Chinese and English, then its rows.
 */
#include "portal/record/table_pages.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "common/writer.h"
#include "rules/completion_table.h"

enum {
    FIELDS_MAX = 40,
    HEADER_FIELDS_MIN = 6, /* fewer: a record of the head */
    ROWS_SHOWN_MAX = 2000,
    RECORD_MAX_BYTES = 64 * 1024,
};

static void fill_head(struct visit *visit, struct db_statement *s)
{
    char hex[2 * 64 + 1];
    struct model *m = visit->model;
    struct slice print = db_blob(s, 9), signature = db_blob(s, 11);
    model_text(m, "number", db_text(s, 0));
    model_i64(m, "version", db_i64(s, 1));
    model_text(m, "city", visit_name(visit, db_text(s, 2), db_text(s, 3)));
    model_text(m, "cycle", visit_name(visit, db_text(s, 4), db_text(s, 5)));
    model_moment(m, "made", (struct wall_time){db_i64(s, 6)});
    model_bool(m, "is_sample", db_i64(s, 7) != 0);
    model_text(m, "change_note", db_text(s, 8));
    hex_of(print.data, print.length <= 64 ? print.length : 0, hex);
    model_text(m, "fingerprint", hex);
    model_text(m, "algorithm", db_text(s, 10));
    hex_of(signature.data, signature.length <= 64 ? signature.length : 0, hex);
    model_text(m, "signature", hex);
    model_textf(m, "_file_link", "/tables/%s/%lld/table.csv",
                form_encode(db_text(s, 0), visit->arena),
                (long long)db_i64(s, 1));
    model_end(m, "cut_off", (struct wall_time){db_i64(s, 13)});
    model_text(m, "rules_version", db_text(s, 14));
}

/* The statement at the table's row; NULL when there is none in scope, or
 * *failed. The caller resets it. */
static struct db_statement *find_table(struct visit *visit, bool *failed)
{
    int64_t version = 0;
    *failed = false;
    if (!parse_i64(slice_of_text(visit->request.arguments[1]), 1, INT32_MAX,
                   &version))
        return NULL;
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT t.number, t.version, c.name_zh, c.name_en, y.name_zh,"
        " y.name_en, t.made_at, t.is_sample, t.change_note, t.fingerprint,"
        " t.algorithm, t.signature, t.csv, r.cut_off, r.rules_version"
        " FROM verdict.completion_table t JOIN city c ON c.code = t.city_code"
        " JOIN verdict.run r ON r.id = t.run_id"
        " LEFT JOIN cycle y ON y.id = t.cycle_id"
        " WHERE t.number = :number AND t.version = :version"
        " AND CASE :scope WHEN 'all' THEN 1"
        "  WHEN 'city' THEN t.city_code = :scope_id ELSE 0 END");
    *failed = s == NULL;
    if (s == NULL)
        return NULL;
    db_bind_text(s, ":number", visit->request.arguments[0]);
    db_bind_i64(s, ":version", version);
    scope_bind(s, &visit->caller.scope);
    enum db_step step = db_step(s);
    *failed = step == DB_FAILED;
    return step == DB_ROW ? s : NULL;
}

/* The columns of a file, as its own lines name them. */
struct table_columns {
    int count;
    const struct completion_column *of[FIELDS_MAX]; /* NULL: none of ours */
    bool has_english;
};

static const struct completion_column *
column_at(const struct table_columns *columns, int place)
{
    return place < columns->count ? columns->of[place] : NULL;
}

/* Long sentences go below their row. */
static bool is_note(const struct table_columns *columns, int place)
{
    const struct completion_column *column = column_at(columns, place);
    return column != NULL && column->kind == COMPLETION_NOTE;
}

/* The file names its columns in Chinese and below that in English. */
static void fill_columns(struct visit *visit, struct table_columns *columns,
                         const struct slice *fields, int count)
{
    bool is_first = columns->count == 0;
    columns->has_english = !is_first;
    columns->count = count;
    for (int i = 0; is_first && i < count; i++)
        columns->of[i] = completion_column_of(fields[i]);
    if (!is_first && visit->caller.language != LANGUAGE_EN)
        return;
    model_list(visit->model, "columns");
    model_list(visit->model, "note_columns");
    for (int i = 0; i < count; i++)
        model_slice(model_append(visit->model, is_note(columns, i)
                                                   ? "note_columns"
                                                   : "columns"),
                    "text", fields[i]);
}

static void fill_cell(struct visit *visit, struct model *cell,
                      const struct completion_column *column,
                      struct slice field)
{
    const char *code =
        column != NULL ? completion_code_of(column, field) : NULL;
    bool is_mark = code != NULL && column->kind == COMPLETION_MARK_WORD;
    model_slice(cell, "text", field);
    model_slice(cell, "_words", field);
    if (code != NULL)
        model_text(cell, "_words",
                   visit_word(visit, is_mark ? "mark." : "", code));
    model_text(cell, "_mark", is_mark ? code : "");
    if (column == &COMPLETION_COLUMNS[COMPLETION_VOUCHER]) {
        const char *number = arena_copy_text(visit->arena, field);
        model_text(cell, "_voucher",
                   form_encode(number != NULL ? number : "", visit->arena));
    }
}

static void fill_row(struct visit *visit, const struct table_columns *columns,
                     const struct slice *fields, int count)
{
    struct model *row = model_append(visit->model, "rows");
    model_list(row, "cells");
    model_list(row, "notes");
    for (int i = 0; i < count; i++) {
        bool is_below = is_note(columns, i);
        if (is_below && fields[i].length == 0)
            continue;
        fill_cell(visit, model_append(row, is_below ? "notes" : "cells"),
                  column_at(columns, i), fields[i]);
    }
}

static void fill_head_record(struct visit *visit, const struct slice *fields,
                             int count)
{
    struct model *m = model_append(visit->model, "head");
    model_bool(visit->model, "_has_head", true);
    model_slice(m, "name", fields[0]);
    model_slice(m, "value", count > 1 ? fields[1] : SLICE(""));
}

static bool starts_with_digit(struct slice text)
{
    return text.length > 0 && text.data[0] >= '0' && text.data[0] <= '9';
}

static bool fill_records(struct visit *visit, struct slice csv)
{
    struct slice fields[FIELDS_MAX];
    struct table_columns columns = {0};
    struct buffer scratch;
    unsigned line = 0;
    int count = 0, rows = 0;
    model_list(visit->model, "head");
    model_list(visit->model, "rows");
    buffer_init(&scratch, RECORD_MAX_BYTES);
    while ((count = csv_read(&csv, &scratch, fields, FIELDS_MAX, &line)) > 0 &&
           rows < ROWS_SHOWN_MAX) {
        if (columns.count == 0 && count < HEADER_FIELDS_MIN) {
            fill_head_record(visit, fields, count);
        } else if (rows == 0 && !columns.has_english &&
                   !starts_with_digit(fields[0])) {
            fill_columns(visit, &columns, fields, count);
        } else {
            fill_row(visit, &columns, fields, count);
            rows++;
        }
    }
    buffer_clear(&scratch);
    model_bool(visit->model, "_is_cut", count > 0);
    model_i64(visit->model, "_column_count", columns.count);
    return count >= 0;
}

/* A city's first look at its table is part of the record (VER-11). */
static bool note_opening(struct visit *visit)
{
    char object[200];
    if (visit->caller.account.role != ROLE_CITY ||
        strlen(visit->request.arguments[0]) +
                strlen(visit->request.arguments[1]) >
            90)
        return true;
    snprintf(object, sizeof(object), "%s/%s", visit->request.arguments[0],
             visit->request.arguments[1]);
    struct db_statement *s =
        db_prepare(visit->db, "SELECT 1 FROM audit WHERE object = :object"
                              " AND action = 'table.open' AND result = 'OK'");
    if (s == NULL)
        return false;
    db_bind_text(s, ":object", object);
    bool known = db_step(s) == DB_ROW;
    db_reset(s);
    return known || visit_audit(visit, "table.open", object, "OK");
}

static void show_missing(struct visit *visit, bool failed)
{
    if (failed) {
        visit_fail_db(visit);
        return;
    }
    visit_audit(visit, "table.open", visit->request.arguments[0], "DENIED");
    visit_fail(visit, 404);
}

void table_show(struct visit *visit)
{
    bool failed = false;
    struct db_statement *s = find_table(visit, &failed);
    if (s == NULL) {
        show_missing(visit, failed);
        return;
    }
    fill_head(visit, s);
    bool good = fill_records(visit, db_blob(s, 12));
    db_reset(s);
    if (good && note_opening(visit))
        visit_show(visit, "table", "table.title");
    else
        visit_fail(visit, 500);
}

void table_download(struct visit *visit)
{
    bool failed = false;
    struct http_response *response = visit->response;
    struct db_statement *s = find_table(visit, &failed);
    if (s == NULL) {
        show_missing(visit, failed);
        return;
    }
    buffer_add_slice(&response->body, db_blob(s, 12));
    db_reset(s);
    if (response->body.failed ||
        !visit_audit(visit, "table.download", visit->request.arguments[0],
                     "OK")) {
        visit_fail(visit, 500);
        return;
    }
    response->content_type = "text/csv; charset=utf-8";
    http_response_header(response, "Content-Disposition",
                         "attachment; filename=\"table-v%s.csv\"",
                         visit->request.arguments[1]);
}
