#include "portal/record/table_json.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/money.h"
#include "portal/record/table_file.h"

enum { NAME_LEN = 40 };

/* An amount's name says its unit. */
static const char *name_of(const struct completion_column *column,
                           char name[static NAME_LEN])
{
    snprintf(name, NAME_LEN, "%s%s", column->id,
             column->kind == COMPLETION_YUAN ? "_fen" : "");
    return name;
}

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

static void add_amount(struct json_writer *json, const char *name,
                       struct slice cell)
{
    struct money amount;
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
    char name[NAME_LEN];
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
        add_amount(json, name_of(column, name), cell);
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

static void add_column(struct json_writer *json, const struct table_file *file,
                       const struct completion_column *column)
{
    char name[NAME_LEN];
    for (int i = 0; i < file->count; i++) {
        if (table_file_column(file, i) == column) {
            add_cell(json, column, file->fields[i]);
            return;
        }
    }
    json_no_value(json, name_of(column, name));
}

static void add_row(struct json_writer *json, const struct table_file *file)
{
    json_object_begin(json, NULL);
    for (int i = 0; i < COMPLETION_COLUMN_COUNT; i++)
        add_column(json, file, &COMPLETION_COLUMNS[i]);
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

void table_json_openapi(struct buffer *out)
{
    static const char *const TYPES[] = {
        [COMPLETION_TEXT] = "{type: [string, \"null\"]}",
        [COMPLETION_CODE] = "{type: [string, \"null\"]}",
        [COMPLETION_NUMBER] = "{type: [integer, \"null\"], format: int64}",
        [COMPLETION_YUAN] = ("{type: [integer, \"null\"], format: int64, "
                             "description: fen}"),
        [COMPLETION_TIME] = "{type: [string, \"null\"], format: date-time}",
        [COMPLETION_YES_NO] = "{type: [boolean, \"null\"]}",
        [COMPLETION_MARK_WORD] = "{type: [string, \"null\"]}",
        [COMPLETION_NOTE] = "{type: [string, \"null\"]}",
    };
    char name[NAME_LEN];
    buffer_add_text(out,
                    "    table_row:\n      type: object\n"
                    "      additionalProperties: false\n"
                    "      description: A column that the signed file does "
                    "not have is null.\n      required: [");
    for (int i = 0; i < COMPLETION_COLUMN_COUNT; i++)
        buffer_addf(out, "%s\"%s\"", i > 0 ? ", " : "",
                    name_of(&COMPLETION_COLUMNS[i], name));
    buffer_add_text(out, "]\n      properties:\n");
    for (int i = 0; i < COMPLETION_COLUMN_COUNT; i++)
        buffer_addf(out, "        \"%s\": %s\n",
                    name_of(&COMPLETION_COLUMNS[i], name),
                    TYPES[COMPLETION_COLUMNS[i].kind]);
}
