/* See load_row.h. */
#include "portal/load/load_row.h"

#include <stdio.h>
#include <string.h>

#include "common/buffer.h"

enum { SQL_MAX = 2048, RECORD_MAX = 64 * 1024 };

void load_row_show_key(const struct load_row *row, const char *columns,
                       char shown[static LOAD_SHOWN_MAX])
{
    struct slice rest = slice_of_text(columns), name;
    size_t at = 0;
    bool is_alone = strchr(columns, '|') == NULL;
    shown[0] = '\0';
    while (at < LOAD_SHOWN_MAX && slice_next(&rest, '|', &name)) {
        char value[LOAD_SHOWN_MAX];
        size_t i = load_table_find(row->table, name);
        const struct load_column *column = &row->table->columns[i];
        load_value_show(column, &row->values[i], value);
        at += (size_t)snprintf(shown + at, LOAD_SHOWN_MAX - at, "%s%s%s%s",
                               at > 0 ? ", " : "", is_alone ? "" : column->name,
                               is_alone ? "" : "=", value);
    }
}

void load_row_key(const struct load_row *row, char shown[static LOAD_SHOWN_MAX])
{
    const char *columns = row->table->keys[0].columns;
    load_row_show_key(
        row, columns != NULL ? columns : row->table->columns[0].name, shown);
}

/* Binds the columns of a key. */
static void bind_key(struct db_statement *s, const struct load_row *row,
                     const char *columns)
{
    struct slice rest = slice_of_text(columns), name;
    while (slice_next(&rest, '|', &name)) {
        size_t i = load_table_find(row->table, name);
        load_value_bind(s, load_column_stored(&row->table->columns[i]),
                        &row->values[i]);
    }
}

static void add_sql(char sql[static SQL_MAX], const char *before,
                    const char *name)
{
    size_t length = strlen(sql);
    snprintf(sql + length, SQL_MAX - length, "%s%s", before, name);
}

struct db_statement *load_row_find(struct db *db, const struct load_row *row,
                                   const char *columns)
{
    char sql[SQL_MAX] = "SELECT ";
    struct slice rest = slice_of_text(columns), name;
    for (size_t i = 0; i < load_table_columns(row->table); i++)
        add_sql(sql, i == 0 ? "" : ", ",
                load_column_stored(&row->table->columns[i]));
    add_sql(sql, " FROM ", load_table_stored(row->table));
    for (const char *before = " WHERE "; slice_next(&rest, '|', &name);
         before = " AND ") {
        size_t i = load_table_find(row->table, name);
        const char *stored = load_column_stored(&row->table->columns[i]);
        add_sql(sql, before, stored);
        add_sql(sql, " = :", stored);
    }
    struct db_statement *s = db_prepare(db, sql);
    if (s != NULL)
        bind_key(s, row, columns);
    return s;
}

/* Every column of a table whose rows have no key is one. */
static const char *identity_of(const struct load_table *table,
                               char all[static SQL_MAX])
{
    if (table->keys[0].columns != NULL)
        return table->keys[0].columns;
    all[0] = '\0';
    for (size_t i = 0; i < load_table_columns(table); i++)
        add_sql(all, i == 0 ? "" : "|", table->columns[i].name);
    return all;
}

bool load_row_look_up(struct db *db, struct load_row *row)
{
    char all[SQL_MAX];
    struct db_statement *s =
        load_row_find(db, row, identity_of(row->table, all));
    enum db_step step = s != NULL ? db_step(s) : DB_FAILED;
    row->is_there = step == DB_ROW;
    for (size_t i = 0; row->is_there && i < load_table_columns(row->table);
         i++) {
        row->there[i] = load_value_stored(s, (int)i, &row->table->columns[i]);
        if (!row->is_given[i])
            row->values[i] = row->there[i];
    }
    if (s != NULL)
        db_reset(s);
    return step != DB_FAILED;
}

bool load_row_differs(const struct load_row *row, size_t *index)
{
    size_t count = load_table_columns(row->table);
    while (*index < count &&
           load_value_equal(&row->values[*index], &row->there[*index]))
        ++*index;
    return *index < count;
}

static void bind_row(struct db_statement *s, const struct load_row *row)
{
    for (size_t i = 0; i < load_table_columns(row->table); i++)
        load_value_bind(s, load_column_stored(&row->table->columns[i]),
                        &row->values[i]);
}

bool load_row_insert(struct db *db, const struct load_row *row)
{
    char sql[SQL_MAX] = "INSERT INTO ", values[SQL_MAX] = "";
    const struct load_table *table = row->table;
    add_sql(sql, "", load_table_stored(table));
    for (size_t i = 0; i < load_table_columns(table); i++) {
        const char *name = load_column_stored(&table->columns[i]);
        add_sql(sql, i == 0 ? " (" : ", ", name);
        add_sql(values, i == 0 ? ":" : ", :", name);
    }
    if (table->computed != NULL) {
        add_sql(sql, ", ", table->computed);
        add_sql(values, ", :computed", "");
    }
    add_sql(sql, ") VALUES (", values);
    add_sql(sql, ")", "");
    struct db_statement *s = db_prepare(db, sql);
    if (s == NULL)
        return false;
    bind_row(s, row);
    if (table->computed != NULL)
        db_bind_i64(s, ":computed", row->computed);
    return db_do(s);
}

bool load_row_update(struct db *db, const struct load_row *row)
{
    char sql[SQL_MAX] = "UPDATE ", where[SQL_MAX] = "", all[SQL_MAX];
    const struct load_table *table = row->table;
    struct slice rest = slice_of_text(identity_of(table, all)), name;
    add_sql(sql, "", load_table_stored(table));
    for (size_t i = 0; i < load_table_columns(table); i++) {
        const char *stored = load_column_stored(&table->columns[i]);
        add_sql(sql, i == 0 ? " SET " : ", ", stored);
        add_sql(sql, " = :", stored);
    }
    for (const char *before = " WHERE "; slice_next(&rest, '|', &name);
         before = " AND ") {
        const char *stored =
            load_column_stored(&table->columns[load_table_find(table, name)]);
        add_sql(where, before, stored);
        add_sql(where, " = :", stored);
    }
    add_sql(sql, where, "");
    struct db_statement *s = db_prepare(db, sql);
    if (s == NULL)
        return false;
    bind_row(s, row);
    return db_do(s);
}

static void add_value(struct buffer *out, const struct load_value *value)
{
    if (value->is_text)
        buffer_add_text(out, value->text);
    else if (value->is_blob)
        for (size_t i = 0; i < value->blob_length; i++)
            buffer_addf(out, "%02x", value->blob[i]);
    else if (!value->is_null)
        buffer_addf(out, "%lld", (long long)value->integer);
}

struct digest load_row_digest(const struct load_table *table,
                              const struct load_value *values)
{
    struct buffer out;
    buffer_init(&out, RECORD_MAX);
    for (size_t i = 0; i < load_table_columns(table); i++) {
        buffer_addf(&out, "%s\t", table->columns[i].name);
        add_value(&out, &values[i]);
        buffer_add_text(&out, "\n");
    }
    struct digest digest = digest_of(out.data, out.length);
    buffer_clear(&out);
    return digest;
}
