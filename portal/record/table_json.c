#include "portal/record/table_json.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/money.h"
#include "portal/record/table_file.h"

/* "2026-11-23 16:00:00" in Asia/Shanghai. */
static void add_time(struct json_writer *json, const char *id,
                     struct slice cell)
{
    char text[64];
    struct wall_time time;
    snprintf(text, sizeof(text), "%.*s+08:00", (int)cell.length, cell.data);
    if (cell.length >= 19 && cell.length < sizeof(text) - 6)
        text[10] = 'T';
    if (!wall_from_text(slice_of_text(text), &time)) {
        json_no_value(json, id);
        return;
    }
    wall_to_text(time, text);
    json_text(json, id, text);
}

static void add_amount(struct json_writer *json, const char *id,
                       struct slice cell)
{
    char name[40];
    struct money amount;
    snprintf(name, sizeof(name), "%s_fen", id);
    if (money_from_yuan_text(cell, &amount) == MONEY_OK)
        json_i64(json, name, amount.fen);
    else
        json_no_value(json, name);
}

static void add_number(struct json_writer *json, const char *id,
                       struct slice cell)
{
    int64_t number;
    if (parse_i64(cell, INT64_MIN, INT64_MAX, &number))
        json_i64(json, id, number);
    else
        json_no_value(json, id);
}

static void add_cell(struct json_writer *json,
                     const struct completion_column *column, struct slice cell)
{
    const char *code = completion_code_of(column, cell);
    switch (column->kind) {
    case COMPLETION_TEXT:
    case COMPLETION_CODE:
    case COMPLETION_NOTE:
        json_slice(json, column->id, cell);
        break;
    case COMPLETION_NUMBER:
        add_number(json, column->id, cell);
        break;
    case COMPLETION_YUAN:
        add_amount(json, column->id, cell);
        break;
    case COMPLETION_TIME:
        add_time(json, column->id, cell);
        break;
    case COMPLETION_YES_NO:
        if (code != NULL)
            json_bool(json, column->id, strcmp(code, "yes") == 0);
        else
            json_no_value(json, column->id);
        break;
    case COMPLETION_MARK_WORD:
        if (code != NULL)
            json_text(json, column->id, code);
        else
            json_no_value(json, column->id);
        break;
    }
}

static void add_row(struct json_writer *json, const struct table_file *file)
{
    json_object_begin(json, NULL);
    for (int i = 0; i < file->count; i++)
        if (table_file_column(file, i) != NULL)
            add_cell(json, table_file_column(file, i), file->fields[i]);
    json_object_end(json);
}

bool table_json_rows(struct json_writer *json, struct slice csv, int64_t after,
                     int64_t most, int64_t *last)
{
    struct table_file file;
    enum table_record record;
    table_file_open(&file, csv);
    *last = 0;
    json_array_begin(json, "rows");
    while ((record = table_file_next(&file)) < TABLE_END) {
        if (record != TABLE_ROW || file.row <= after)
            continue;
        if (file.row > after + most) {
            *last = file.row - 1;
            break;
        }
        add_row(json, &file);
    }
    json_array_end(json);
    table_file_close(&file);
    return record != TABLE_BROKEN;
}
