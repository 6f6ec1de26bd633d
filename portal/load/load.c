/*
 * See load.h.
 *
 * The statements of a table are made from its column names, which are ours
 * (load_table.c); values are bound. A row is looked up whole first: the very
 * same row is fine, and only another one under the same key reaches INSERT and
 * its refusal.
 */
#include "portal/load/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/buffer.h"
#include "common/writer.h"
#include "portal/load/load_award.h"
#include "portal/load/load_programme.h"
#include "portal/load/load_refusal.h"
#include "portal/load/load_table.h"
#include "portal/store/act.h"

enum {
    FILE_MAX_BYTES = 256 * 1024 * 1024,
    RECORD_MAX_BYTES = 16 * 1024,
    SQL_MAX = 2048,
    ARENA_LIMIT = 256 * 1024 * 1024,
    PATH_LEN = 4096,
};

struct loader {
    struct db *db;
    const struct load_options *options;
    struct load_counts *counts;
    const struct load_table *table;
    char path[PATH_LEN];
    unsigned line;
    int order[LOAD_COLUMNS_MAX]; /* place of a column in the file, or -1 */
    int field_count;             /* in the header */
    struct db_statement *find, *insert;
    struct load_row row;
};

static void add_sql(char sql[static SQL_MAX], const char *text)
{
    size_t length = strlen(sql);
    snprintf(sql + length, SQL_MAX - length, "%s", text);
}

static void add_name(char sql[static SQL_MAX], const char *before,
                     const char *name)
{
    add_sql(sql, before);
    add_sql(sql, name);
}

static struct db_statement *prepare_find(struct loader *l)
{
    char sql[SQL_MAX] = "SELECT 1 FROM ";
    add_sql(sql, load_table_stored(l->table));
    for (size_t i = 0; i < load_table_columns(l->table); i++) {
        const char *name = load_column_stored(&l->table->columns[i]);
        add_name(sql, i == 0 ? " WHERE " : " AND ", name);
        add_name(sql, " IS :", name);
    }
    return db_prepare(l->db, sql);
}

static struct db_statement *prepare_insert(struct loader *l)
{
    char sql[SQL_MAX] = "INSERT INTO ", values[SQL_MAX] = "";
    size_t count = load_table_columns(l->table);
    add_name(sql, "", load_table_stored(l->table));
    for (size_t i = 0; i < count; i++) {
        const char *name = load_column_stored(&l->table->columns[i]);
        add_name(sql, i == 0 ? " (" : ", ", name);
        add_name(values, i == 0 ? ":" : ", :", name);
    }
    if (l->table->computed != NULL) {
        add_name(sql, ", ", l->table->computed);
        add_sql(values, ", :computed");
    }
    add_name(sql, ") VALUES (", values);
    add_sql(sql, ")");
    return db_prepare(l->db, sql);
}

static bool complain(const struct loader *l, const char *column,
                     const struct error_text *reason, struct error_text *error)
{
    if (column != NULL)
        return error_set(error, "%s:%u: %s: %s", l->path, l->line, column,
                         reason->text);
    return error_set(error, "%s:%u: %s", l->path, l->line, reason->text);
}

static void bind_row(struct loader *l, struct db_statement *s)
{
    db_reset(s);
    for (size_t i = 0; i < load_table_columns(l->table); i++)
        load_value_bind(s, load_column_stored(&l->table->columns[i]),
                        &l->row.values[i]);
}

/* Whether what a column refers to is there. */
static bool reference_holds(struct loader *l, const struct load_column *column,
                            const struct load_value *value,
                            struct error_text *reason)
{
    if (column->reference == NULL || value->is_null)
        return true;
    struct db_statement *s = db_prepare(l->db, column->reference);
    if (s == NULL)
        return error_set(reason, "%s", db_trouble(l->db));
    load_value_bind(s, "value", value);
    bool found = db_step(s) == DB_ROW;
    db_reset(s);
    if (found)
        return true;
    return load_refuse_reference(&l->row, column, value, reason);
}

static bool read_header(struct loader *l, const struct slice *fields, int count,
                        struct error_text *error)
{
    size_t columns = load_table_columns(l->table);
    struct error_text reason;
    l->field_count = count;
    for (size_t c = 0; c < columns; c++)
        l->order[c] = -1;
    for (int i = 0; i < count; i++) {
        size_t c = 0;
        while (c < columns &&
               !slice_equal_text(fields[i], l->table->columns[c].name))
            c++;
        if (c == columns || l->order[c] >= 0) {
            error_set(&reason, "column '%.*s' is %s",
                      (int)(fields[i].length < 40 ? fields[i].length : 40),
                      fields[i].data, c == columns ? "unknown" : "repeated");
            return complain(l, NULL, &reason, error);
        }
        l->order[c] = i;
    }
    for (size_t c = 0; c < columns; c++) {
        const struct load_column *column = &l->table->columns[c];
        if (l->order[c] < 0 && column->empty == EMPTY_REFUSED) {
            error_set(&reason, "column '%s' is missing", column->name);
            return complain(l, NULL, &reason, error);
        }
    }
    return true;
}

static bool read_row(struct loader *l, const struct slice *fields,
                     struct error_text *error)
{
    struct error_text reason;
    for (size_t c = 0; c < load_table_columns(l->table); c++) {
        const struct load_column *column = &l->table->columns[c];
        struct slice text = l->order[c] >= 0 ? fields[l->order[c]] : SLICE("");
        if (!load_value_read(column, text, l->options, &l->row.values[c],
                             &reason) ||
            !reference_holds(l, column, &l->row.values[c], &reason))
            return complain(l, column->name, &reason, error);
    }
    return true;
}

static bool put_row(struct loader *l, struct error_text *error)
{
    struct error_text reason;
    const struct load_table *table = l->table;
    bind_row(l, l->find);
    enum db_step step = db_step(l->find);
    db_reset(l->find);
    if (step == DB_ROW)
        return true;
    l->row.computed = 0;
    if (table->check != NULL && !table->check(l->db, &l->row, &reason))
        return complain(l, NULL, &reason, error);
    bind_row(l, l->insert);
    if (table->computed != NULL)
        db_bind_i64(l->insert, ":computed", l->row.computed);
    if (step == DB_FAILED || !db_do(l->insert)) {
        const char *column = NULL;
        load_refuse_row(l->db, &l->row, &column, &reason);
        return complain(l, column, &reason, error);
    }
    l->counts->added++;
    if (table->note == NULL || table->note(l->db, &l->row))
        return true;
    error_set(&reason, "%s", db_trouble(l->db));
    return complain(l, NULL, &reason, error);
}

static bool read_records(struct loader *l, struct slice rest,
                         struct error_text *error)
{
    struct slice fields[LOAD_COLUMNS_MAX];
    struct buffer scratch;
    bool good = true, has_header = false;
    int count = 0;
    buffer_init(&scratch, RECORD_MAX_BYTES);
    while (good && (count = csv_read(&rest, &scratch, fields, LOAD_COLUMNS_MAX,
                                     &l->line)) > 0) {
        if (!has_header) {
            good = read_header(l, fields, count, error);
            has_header = true;
            continue;
        }
        l->counts->rows++;
        good =
            count == l->field_count
                ? read_row(l, fields, error) && put_row(l, error)
                : error_set(error, "%s:%u: %d fields where the header has %d",
                            l->path, l->line, count, l->field_count);
    }
    if (good && count < 0)
        good = error_set(error, "%s:%u: malformed CSV", l->path, l->line);
    if (good && !has_header)
        good = error_set(error, "%s: the header is missing", l->path);
    buffer_clear(&scratch);
    return good;
}

static bool load_table(struct loader *l, const struct load_table *table,
                       struct error_text *error)
{
    struct buffer text;
    l->table = table;
    l->row.table = table;
    l->row.options = l->options;
    l->line = 0;
    int length = snprintf(l->path, sizeof(l->path), "%s/%s.csv",
                          l->options->folder, table->name);
    if (length < 0 || (size_t)length >= sizeof(l->path))
        return error_set(error, "%s: the name is too long", l->options->folder);
    if (access(l->path, F_OK) != 0)
        return true;
    l->find = prepare_find(l);
    l->insert = prepare_insert(l);
    if (l->find == NULL || l->insert == NULL)
        return error_set(error, "%s", db_trouble(l->db));
    bool good = buffer_read_file(&text, l->path, FILE_MAX_BYTES);
    good = good ? read_records(l, buffer_slice(&text), error)
                : error_set(error, "%s: %s", l->path, strerror(errno));
    buffer_clear(&text);
    return good;
}

static bool is_known_file(const char *name, bool has_programme)
{
    static const char *const RULES[] = {"calendar.csv", "cities.csv",
                                        "clients.csv"};
    struct slice stem = slice_of_text(name);
    if (!slice_ends_with_nocase(stem, SLICE(".csv")))
        return true; /* of no interest */
    stem.length -= 4;
    for (size_t i = 0; has_programme && i < 3; i++)
        if (strcmp(RULES[i], name) == 0)
            return true;
    for (size_t i = 0; i < LOAD_TABLE_COUNT; i++)
        if (slice_equal_text(stem, LOAD_TABLES[i].name))
            return true;
    return false;
}

/* A misspelt file must not pass for one that is not there; and a folder with
 * nothing to load is a mistake. */
static bool check_names(const struct load_options *options, bool has_programme,
                        struct error_text *error)
{
    size_t tables = 0;
    bool good = true;
    DIR *dir = opendir(options->folder);
    if (dir == NULL)
        return error_set(error, "%s: %s", options->folder, strerror(errno));
    for (struct dirent *e = readdir(dir); good && e != NULL; e = readdir(dir)) {
        good = is_known_file(e->d_name, has_programme) ||
               error_set(error, "%s/%s: no table of that name", options->folder,
                         e->d_name);
        tables +=
            slice_ends_with_nocase(slice_of_text(e->d_name), SLICE(".csv"));
    }
    closedir(dir);
    if (good && tables == 0 && !has_programme)
        good = error_set(error, "%s: no programme.json and no <table>.csv",
                         options->folder);
    return good;
}

static bool load_all(struct loader *l, struct arena *arena,
                     struct error_text *error)
{
    struct audit_entry entry = {"SYS", "load", l->options->folder, "OK"};
    if (!load_award_begin(l->db))
        return error_set(error, "%s", db_trouble(l->db));
    if (!load_programme(l->db, l->options, l->counts, error) ||
        !check_names(l->options, l->counts->has_programme, error))
        return false;
    for (size_t i = 0; i < LOAD_TABLE_COUNT; i++)
        if (!load_table(l, &LOAD_TABLES[i], error))
            return false;
    if (!load_award_finish(l->db, arena, error))
        return false;
    return audit_add(l->db, l->options->now, &entry) ||
           error_set(error, "%s", db_trouble(l->db));
}

struct loading {
    struct loader loader;
    struct arena *arena;
};

static enum act_end load_it(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    struct loading *loading = context;
    (void)db;
    (void)now;
    return load_all(&loading->loader, loading->arena, error) ? ACT_KEPT
                                                             : ACT_REFUSED;
}

bool load_folder(struct db *db, const struct load_options *options,
                 struct load_counts *counts, struct error_text *error)
{
    struct loading loading = {
        .loader = {.db = db, .options = options, .counts = counts},
        .arena = arena_new(ARENA_LIMIT),
    };
    *counts = (struct load_counts){0};
    if (loading.arena == NULL)
        return error_set(error, "no memory");
    enum act_end end = act_on(db, options->now, NULL, load_it, &loading, error);
    arena_free(loading.arena);
    return end == ACT_KEPT;
}
