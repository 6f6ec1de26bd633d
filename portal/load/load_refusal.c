/*
 * See load_refusal.h. A table's keys are looked up only after it refused the
 * row, so that rows that are fine cost nothing more. What the database says is
 * for the log: nobody who loads a file knows its constraints.
 */
#include "portal/load/load_refusal.h"

#include <stdio.h>
#include <string.h>

#include "common/buffer.h"
#include "common/money.h"

enum { SHOWN_MAX = 48, SQL_MAX = 2048 };

bool load_refuse_list(struct error_text *error, enum language language,
                      const char *key, const struct text_argument *arguments)
{
    struct buffer out;
    buffer_init(&out, sizeof(error->text) * 4);
    text_fill_list(&out, language, key, arguments);
    struct slice said = buffer_slice(&out);
    error_set(error, "%.*s", (int)said.length, said.data);
    buffer_clear(&out);
    return false;
}

/* Long text is cut where a character begins. */
static void show_text(const char *text, char shown[static SHOWN_MAX])
{
    size_t length = strlen(text);
    if (length >= SHOWN_MAX) {
        length = SHOWN_MAX - 4;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    snprintf(shown, SHOWN_MAX, "%.*s%s", (int)length, text,
             text[length] != '\0' ? "..." : "");
}

static void show_hex(const struct load_value *value,
                     char shown[static SHOWN_MAX])
{
    size_t most = value->blob_length < 16 ? value->blob_length : 16, i = 0;
    for (shown[0] = '\0'; i < most; i++)
        snprintf(shown + 2 * i, SHOWN_MAX - 2 * i, "%02x", value->blob[i]);
    if (most < value->blob_length)
        snprintf(shown + 2 * i, SHOWN_MAX - 2 * i, "...");
}

/* A value as it would stand in a file; one that is not there as "". */
static void show(const struct load_column *column,
                 const struct load_value *value, char shown[static SHOWN_MAX])
{
    shown[0] = '\0';
    if (value->is_null)
        return;
    if (value->is_text)
        show_text(value->text, shown);
    else if (value->is_blob)
        show_hex(value, shown);
    else if (column->kind == LOAD_TIME)
        wall_to_text((struct wall_time){value->integer}, shown);
    else if (column->kind == LOAD_DAY)
        day_to_text((struct civil_day){(int32_t)value->integer}, shown);
    else if (column->kind == LOAD_MONEY)
        money_to_plain_text((struct money){value->integer}, shown);
    else
        snprintf(shown, SHOWN_MAX, "%lld", (long long)value->integer);
}

bool load_refuse_reference(const struct load_row *row,
                           const struct load_column *column,
                           const struct load_value *value,
                           struct error_text *error)
{
    char shown[SHOWN_MAX], key[64] = "load.missing.";
    size_t length = strlen(key);
    show(column, value, shown);
    snprintf(key + length, sizeof(key) - length, "%s", column->missing);
    return load_refuse(error, row->options->language, key,
                       text_plain("value", shown));
}

static size_t find_column(const struct load_table *table, struct slice name)
{
    size_t i = 0;
    while (!slice_equal_text(name, table->columns[i].name))
        i++;
    return i;
}

static void add_sql(char sql[static SQL_MAX], const char *before,
                    const char *name)
{
    size_t length = strlen(sql);
    snprintf(sql + length, SQL_MAX - length, "%s%s", before, name);
}

/* The row that has the key already, all its columns in the table's order. */
static struct db_statement *
find_taken(struct db *db, const struct load_row *row, const char *key)
{
    char sql[SQL_MAX] = "SELECT ";
    struct slice rest = slice_of_text(key), name;
    for (size_t i = 0; i < load_table_columns(row->table); i++)
        add_sql(sql, i == 0 ? "" : ", ",
                load_column_stored(&row->table->columns[i]));
    add_sql(sql, " FROM ", load_table_stored(row->table));
    for (const char *before = " WHERE "; slice_next(&rest, '|', &name);
         before = " AND ") {
        size_t i = find_column(row->table, name);
        const char *stored = load_column_stored(&row->table->columns[i]);
        add_sql(sql, before, stored);
        add_sql(sql, " = :", stored);
    }
    struct db_statement *s = db_prepare(db, sql);
    rest = slice_of_text(key);
    while (s != NULL && slice_next(&rest, '|', &name)) {
        size_t i = find_column(row->table, name);
        load_value_bind(s, load_column_stored(&row->table->columns[i]),
                        &row->values[i]);
    }
    return s;
}

/* A column's value of the row that is there. */
static struct load_value read_value(struct db_statement *s, size_t i,
                                    const struct load_value *like)
{
    struct load_value value = {.is_null = db_is_null(s, (int)i),
                               .is_text = like->is_text,
                               .is_blob = like->is_blob};
    if (value.is_null)
        return value;
    if (value.is_text) {
        snprintf(value.text, sizeof(value.text), "%s", db_text(s, (int)i));
    } else if (value.is_blob) {
        struct slice blob = db_blob(s, (int)i);
        value.blob_length =
            blob.length < LOAD_BLOB_MAX ? blob.length : LOAD_BLOB_MAX;
        memcpy(value.blob, blob.data, value.blob_length);
    } else {
        value.integer = db_i64(s, (int)i);
    }
    return value;
}

/* The sentence of one taken key: the first column that differs. */
static void say_taken(const struct load_row *row, struct db_statement *s,
                      const char **column, struct error_text *error)
{
    char shown[SHOWN_MAX], there[SHOWN_MAX], id[SHOWN_MAX], id_there[SHOWN_MAX];
    const struct load_table *table = row->table;
    struct load_value first = read_value(s, 0, &row->values[0]);
    show(&table->columns[0], &row->values[0], id);
    show(&table->columns[0], &first, id_there);
    for (size_t i = 0; i < load_table_columns(table); i++) {
        struct load_value value = read_value(s, i, &row->values[i]);
        show(&table->columns[i], &row->values[i], shown);
        show(&table->columns[i], &value, there);
        if (strcmp(shown, there) == 0)
            continue;
        *column = table->columns[i].name;
        if (i == 0)
            load_refuse(error, row->options->language, "load.key.other",
                        text_plain("value", shown), text_plain("there", there));
        else
            load_refuse(error, row->options->language, "load.key.differs",
                        text_plain("id", id), text_plain("value", shown),
                        text_plain("there", there));
        return;
    }
    load_refuse(error, row->options->language, "load.key.taken",
                text_plain("id", id_there));
}

bool load_refuse_row(struct db *db, const struct load_row *row,
                     const char **column, struct error_text *error)
{
    const struct load_table *table = row->table;
    *column = NULL;
    log_debug("load: %s: %s", table->name, db_error(db));
    for (size_t i = 0; i < LOAD_KEYS_MAX && table->keys[i] != NULL; i++) {
        struct db_statement *s = find_taken(db, row, table->keys[i]);
        bool is_taken = s != NULL && db_step(s) == DB_ROW;
        if (is_taken)
            say_taken(row, s, column, error);
        if (s != NULL)
            db_reset(s);
        if (is_taken)
            return false;
    }
    return load_refuse(error, row->options->language, "load.row.unfit",
                       text_plain("table", table->name));
}
