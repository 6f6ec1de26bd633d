/*
 * See table_pages.h.
 *
 * The page is made from the signed file itself, so that it cannot say anything
 * else, a hundred rows at a time (table_file.h).
 */
#include "portal/record/table_pages.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/digest.h"
#include "common/writer.h"
#include "portal/list/list.h"
#include "portal/record/table_file.h"
#include "portal/record/table_json.h"
#include "portal/show/file.h"

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
        " t.algorithm, t.signature, t.csv, r.cut_off, r.rules_version,"
        " t.city_code, t.cycle_id"
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

/* Long sentences go below their row. */
static bool is_note(const struct table_file *file, int place)
{
    const struct completion_column *column = table_file_column(file, place);
    return column != NULL && column->kind == COMPLETION_NOTE;
}

static void fill_columns(struct visit *visit, const struct table_file *file)
{
    if (file->has_english && visit->caller.language != LANGUAGE_EN)
        return;
    model_list(visit->model, "columns");
    for (int i = 0; i < file->count; i++)
        if (!is_note(file, i))
            model_slice(model_append(visit->model, "columns"), "text",
                        file->fields[i]);
}

static void fill_cell(struct visit *visit, struct model *cell,
                      const struct completion_column *column,
                      struct slice field)
{
    const char *code =
        column != NULL ? completion_code_of(column, field) : NULL;
    bool is_mark = code != NULL && column->kind == COMPLETION_MARK_WORD;
    bool is_voucher = column == &COMPLETION_COLUMNS[COMPLETION_VOUCHER];
    const char *number = arena_copy_text(visit->arena, field);
    model_slice(cell, "text", field);
    model_slice(cell, "_words", field);
    if (code != NULL)
        model_text(cell, "_words",
                   visit_word(visit, is_mark ? "mark." : "", code));
    model_text(cell, "_mark", is_mark ? code : "");
    model_text(cell, "_voucher",
               is_voucher && number != NULL ? form_encode(number, visit->arena)
                                            : "");
}

static void fill_row(struct visit *visit, const struct table_file *file)
{
    struct model *row = model_append(visit->model, "rows");
    model_list(row, "cells");
    model_list(row, "notes");
    for (int i = 0; i < file->count; i++) {
        bool is_below = is_note(file, i);
        if (is_below && file->fields[i].length == 0)
            continue;
        fill_cell(visit, model_append(row, is_below ? "notes" : "cells"),
                  table_file_column(file, i), file->fields[i]);
    }
}

static void fill_head_record(struct visit *visit, const struct table_file *file)
{
    struct model *m = model_append(visit->model, "head");
    model_bool(visit->model, "_has_head", true);
    model_slice(m, "name", file->fields[0]);
    model_slice(m, "value", file->count > 1 ? file->fields[1] : SLICE(""));
}

/* From which row on: those of the pages before. */
static int64_t after_of(const struct visit *visit)
{
    int64_t after = 0;
    parse_i64(slice_of_text(form_get(&visit->request.query, "after")), 1,
              INT32_MAX, &after);
    return after;
}

static const char *address_of(struct visit *visit, const char *before,
                              int64_t after)
{
    const char *address =
        arena_format(visit->arena, "%s/tables/%s/%s?after=%lld", before,
                     form_encode(visit->request.arguments[0], visit->arena),
                     form_encode(visit->request.arguments[1], visit->arena),
                     (long long)after);
    return address != NULL ? address : "";
}

static void fill_pager(struct visit *visit, int64_t after, int64_t last,
                       bool has_more)
{
    struct buffer shown;
    buffer_init(&shown, 1024);
    text_fill(&shown, visit->caller.language, "table.rows",
              text_count("first", (uint64_t)(last > 0 ? after + 1 : 0)),
              text_count("last", (uint64_t)last));
    model_slice(visit->model, "_shown", buffer_slice(&shown));
    buffer_clear(&shown);
    model_text(visit->model, "_first_link",
               after > 0 ? address_of(visit, "", 0) : "");
    model_text(visit->model, "_next_link",
               has_more ? address_of(visit, "", last) : "");
}

static bool fill_records(struct visit *visit, struct slice csv)
{
    struct table_file file;
    enum table_record record;
    int64_t after = after_of(visit), last = 0;
    model_list(visit->model, "head");
    model_list(visit->model, "rows");
    table_file_open(&file, csv);
    while ((record = table_file_next(&file)) < TABLE_END &&
           file.row <= after + LIST_PAGE_ROWS) {
        if (record == TABLE_HEAD)
            fill_head_record(visit, &file);
        else if (record == TABLE_NAMES)
            fill_columns(visit, &file);
        else if (file.row > after)
            fill_row(visit, &file);
        if (file.row > after)
            last = file.row;
    }
    model_i64(visit->model, "_column_count", file.column_count);
    fill_pager(visit, after, last, record == TABLE_ROW);
    table_file_close(&file);
    return record != TABLE_BROKEN;
}

/* --- for programs --- */

static void add_names(struct json_writer *json, const char *key, const char *id,
                      const char *zh, const char *en)
{
    json_object_begin(json, key);
    json_text(json, "id", id);
    json_text(json, "name_zh", zh);
    json_text(json, "name_en", en);
    json_object_end(json);
}

static void add_time(struct json_writer *json, const char *key, int64_t us)
{
    char text[WALL_TEXT_LEN];
    wall_to_text((struct wall_time){us}, text);
    json_text(json, key, text);
}

static void add_head(struct json_writer *json, struct db_statement *s)
{
    struct slice print = db_blob(s, 9), signature = db_blob(s, 11);
    json_text(json, "number", db_text(s, 0));
    json_i64(json, "version", db_i64(s, 1));
    add_names(json, "city", db_text(s, 15), db_text(s, 2), db_text(s, 3));
    add_names(json, "cycle", db_text(s, 16), db_text(s, 4), db_text(s, 5));
    add_time(json, "made_at", db_i64(s, 6));
    add_time(json, "cut_off", db_i64(s, 13));
    json_bool(json, "is_sample", db_i64(s, 7) != 0);
    json_text(json, "change_note", db_text(s, 8));
    json_hex(json, "fingerprint", print.data, print.length);
    json_text(json, "algorithm", db_text(s, 10));
    json_hex(json, "signature", signature.data, signature.length);
    json_text(json, "rules_version", db_text(s, 14));
}

static bool write_json(struct visit *visit, struct db_statement *s)
{
    struct json_writer json;
    int64_t last = 0;
    visit->response->content_type = "application/json; charset=utf-8";
    json_start(&json, &visit->response->body);
    json_object_begin(&json, NULL);
    add_head(&json, s);
    bool good = table_json_rows(&json, db_blob(s, 12), after_of(visit),
                                LIST_PAGE_ROWS, &last);
    if (last > 0)
        json_text(&json, "next", address_of(visit, "/api/v1", last));
    else
        json_no_value(&json, "next");
    json_object_end(&json);
    buffer_add_text(&visit->response->body, "\n");
    return good && !visit->response->body.failed;
}

/* A city's first look at its table is part of the record (VER-11). */
static bool note_opening(struct visit *visit)
{
    char object[200];
    if (!permission_has_limit(visit->caller.account.role,
                              ACTION_VERIFICATION_RUN, LIMIT_OWN_TABLE) ||
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
    visit_refuse(visit, REFUSED_NO_RECORD);
}

void table_show(struct visit *visit)
{
    bool failed = false;
    struct db_statement *s = find_table(visit, &failed);
    if (s == NULL) {
        show_missing(visit, failed);
        return;
    }
    bool is_json = visit->request.wants_json;
    if (!is_json)
        fill_head(visit, s);
    bool good =
        is_json ? write_json(visit, s) : fill_records(visit, db_blob(s, 12));
    db_reset(s);
    good = good && note_opening(visit);
    if (good && is_json)
        return;
    if (good)
        visit_show(visit, "table", "table.title");
    else
        visit_refuse(visit, REFUSED_INTERNAL);
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
    int fd = file_of_bytes(db_blob(s, 12));
    db_reset(s);
    if (fd < 0 || !visit_audit(visit, "table.download",
                               visit->request.arguments[0], "OK")) {
        if (fd >= 0)
            close(fd);
        visit_refuse(visit, REFUSED_INTERNAL);
        return;
    }
    http_response_file(response, fd);
    response->content_type = "text/csv; charset=utf-8";
    http_response_header(response, "Content-Disposition",
                         "attachment; filename=\"table-v%s.csv\"",
                         visit->request.arguments[1]);
}
