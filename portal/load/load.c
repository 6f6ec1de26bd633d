/*
 * See load.h.
 *
 * A row goes through its cells (load_value.c), what they refer to, whether it is
 * there already (load_row.c), the rules (load_rule.c), and then into the table.
 * A row that is refused does not end the file: the others are looked at, too,
 * so that a person gets all there is to mend in it at once. The next file is
 * not begun, since it would mostly complain about rows that were refused.
 */
#include "portal/load/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/arena.h"
#include "portal/load/load_award.h"
#include "portal/load/load_programme.h"
#include "portal/load/load_refusal.h"
#include "portal/load/load_row.h"
#include "portal/load/load_rule.h"
#include "portal/load/load_sheet.h"
#include "portal/load/load_table.h"
#include "portal/store/act.h"

enum {
    ARENA_LIMIT = 256 * 1024 * 1024,
    ROW_ARENA_LIMIT = 1024 * 1024,
    PATH_LEN = 4096,
    FIELDS_MAX = 64,
    TOLD_MAX = 50, /* refused rows of a file that are told one by one */
};

struct loader {
    struct db *db;
    const struct load_options *options;
    struct load_counts *counts;
    const struct load_table *table;
    char path[PATH_LEN];
    struct load_sheet sheet;
    int order[LOAD_COLUMNS_MAX]; /* place of a column in the file, or -1 */
    int field_count;             /* in the header */
    struct load_row row;
    struct arena *row_arena;
    struct error_text first; /* what was refused first */
};

static void tell(const struct loader *l, enum load_news news, const char *line)
{
    if (l->options->tell != NULL)
        l->options->tell(l->options->context, news, line);
}

/* Counts a refused row and tells it; the first one is kept. */
static void note_refused(struct loader *l)
{
    struct error_text line;
    load_place(&l->row, l->row.refused_column, l->row.refusal.text, &line);
    if (l->counts->refused++ == 0)
        l->first = line;
    if (l->counts->refused <= TOLD_MAX)
        tell(l, LOAD_REFUSED, line.text);
}

/* ---- the header ---- */

static int find_column(const struct load_table *table, struct slice name)
{
    for (size_t c = 0; c < load_table_columns(table); c++)
        if (slice_equal_text(name, table->columns[c].name))
            return (int)c;
    return -1;
}

/* The names of all columns, for a sentence. */
static void list_columns(const struct load_table *table, struct buffer *out)
{
    for (size_t c = 0; c < load_table_columns(table); c++) {
        buffer_add_text(out, c == 0 ? "" : ",");
        buffer_add_text(out, table->columns[c].name);
    }
    buffer_add_u8(out, 0);
}

static bool refuse_header(struct loader *l, const char *key, struct slice name)
{
    struct buffer columns;
    char shown[LOAD_SHOWN_MAX];
    load_show_text(name, shown);
    l->row.line = l->row.line > 0 ? l->row.line : 1;
    buffer_init(&columns, 1024);
    list_columns(l->table, &columns);
    load_refuse(&l->row, shown[0] != '\0' ? shown : NULL, key,
                text_plain("value", shown), text_plain("table", l->table->name),
                text_plain("columns", (const char *)columns.data));
    buffer_clear(&columns);
    note_refused(l);
    return false;
}

static bool read_header(struct loader *l, const struct slice *fields, int count)
{
    l->field_count = count;
    for (size_t c = 0; c < LOAD_COLUMNS_MAX; c++)
        l->order[c] = -1;
    for (int i = 0; i < count; i++) {
        int c = find_column(l->table, slice_trim(fields[i]));
        if (c < 0)
            return refuse_header(l, TEXT_KEY("load.header.unknown"), fields[i]);
        if (l->order[c] >= 0)
            return refuse_header(l, TEXT_KEY("load.header.twice"), fields[i]);
        l->order[c] = i;
    }
    for (size_t c = 0; c < load_table_columns(l->table); c++) {
        const struct load_column *column = &l->table->columns[c];
        l->row.is_given[c] = l->order[c] >= 0;
        if (l->order[c] < 0 && column->empty == EMPTY_REFUSED)
            return refuse_header(l, TEXT_KEY("load.header.missing"),
                                 slice_of_text(column->name));
    }
    return true;
}

/* ---- a row ---- */

/* Whether what a column refers to is there. */
static bool reference_holds(struct loader *l, size_t index)
{
    const struct load_column *column = &l->table->columns[index];
    const struct load_value *value = &l->row.values[index];
    if (column->reference == NULL || value->is_null)
        return true;
    struct db_statement *s = db_prepare(l->db, column->reference);
    bool found = false;
    if (s != NULL) {
        load_value_bind(s, "value", value);
        found = db_step(s) == DB_ROW;
        db_reset(s);
    }
    return found || load_refuse_reference(&l->row, index);
}

static bool read_row(struct loader *l, const struct slice *fields, int count)
{
    if (count != l->field_count)
        return load_refuse(&l->row, NULL, "load.row.fields",
                           text_number("fields", count),
                           text_number("columns", l->field_count));
    arena_reset(l->row_arena);
    for (size_t c = 0; c < load_table_columns(l->table); c++) {
        struct slice text = l->order[c] >= 0 ? fields[l->order[c]] : SLICE("");
        if (!load_value_read(&l->row, c, text) || !reference_holds(l, c))
            return false;
    }
    return true;
}

static bool refuse_trouble(struct loader *l)
{
    return load_refuse(&l->row, NULL, "load.store",
                       text_plain("trouble", db_trouble(l->db)));
}

static bool insert_row(struct loader *l)
{
    struct load_row *row = &l->row;
    row->computed = 0;
    if (!load_rule_check(l->db, row) ||
        (l->table->compute != NULL && !l->table->compute(l->db, row)))
        return false;
    if (!load_row_insert(l->db, row))
        return db_is_full(l->db) ? refuse_trouble(l)
                                 : load_refuse_taken(l->db, row);
    if (l->table->note != NULL && !l->table->note(l->db, row))
        return refuse_trouble(l);
    l->counts->added++;
    return true;
}

/* A row ends when the column that says so was empty and now has a value. */
static bool is_ended(const struct load_row *row, size_t index)
{
    return row->table->columns[index].correct == CORRECT_END &&
           row->there[index].is_null && !row->values[index].is_null;
}

static bool audit_change(struct loader *l, bool ends)
{
    char key[LOAD_SHOWN_MAX], object[LOAD_SHOWN_MAX + 32];
    const struct digest before = load_row_digest(l->table, l->row.there);
    const struct digest after = load_row_digest(l->table, l->row.values);
    load_row_key(&l->row, key);
    snprintf(object, sizeof(object), "%s/%s", load_table_stored(l->table), key);
    const struct audit_entry entry = {
        .actor = "SYS",
        .action = ends ? "registry.end" : "registry.correct",
        .object = object,
        .result = "OK",
        .before = &before,
        .after = &after,
    };
    return audit_add(l->db, l->options->now, &entry);
}

static bool correct_row(struct loader *l)
{
    struct load_row *row = &l->row;
    bool may_correct = l->options->may_correct || l->options->is_preview;
    bool ends = false;
    for (size_t i = 0; load_row_differs(row, &i); i++) {
        if (!may_correct || l->table->columns[i].correct == CORRECT_NOT)
            return load_refuse_change(row, i);
        ends = ends || is_ended(row, i);
    }
    if (!load_rule_check(l->db, row))
        return false;
    if (!load_row_update(l->db, row))
        return db_is_full(l->db) ? refuse_trouble(l)
                                 : load_refuse_taken(l->db, row);
    if (!audit_change(l, ends))
        return refuse_trouble(l);
    *(ends ? &l->counts->ended : &l->counts->changed) += 1;
    return true;
}

static bool put_row(struct loader *l)
{
    size_t first = 0;
    if (!load_row_look_up(l->db, &l->row))
        return refuse_trouble(l);
    if (!l->row.is_there)
        return insert_row(l);
    if (load_row_differs(&l->row, &first))
        return correct_row(l);
    l->counts->same++;
    return true;
}

/* ---- what is told of it ---- */

static void tell_change(struct loader *l, size_t index)
{
    const struct load_row *row = &l->row;
    const struct load_column *column = &l->table->columns[index];
    struct error_text sentence, line;
    char key[LOAD_SHOWN_MAX], value[LOAD_SHOWN_MAX], there[LOAD_SHOWN_MAX];
    load_row_key(row, key);
    load_value_show(column, &row->values[index], value);
    load_value_show(column, &row->there[index], there);
    load_say(&sentence, l->options,
             is_ended(row, index) ? TEXT_KEY("load.news.ended")
                                  : TEXT_KEY("load.news.changed"),
             text_plain("id", key), text_plain("value", value),
             text_plain("there", there));
    load_place(row, column->name, sentence.text, &line);
    tell(l, LOAD_CHANGE, line.text);
}

static void tell_row(struct loader *l)
{
    struct error_text sentence, line;
    char key[LOAD_SHOWN_MAX];
    for (size_t i = 0; l->row.is_there && load_row_differs(&l->row, &i); i++)
        tell_change(l, i);
    if (l->row.is_there)
        return;
    load_row_key(&l->row, key);
    load_say(&sentence, l->options, "load.news.added", text_plain("id", key));
    load_place(&l->row, NULL, sentence.text, &line);
    tell(l, LOAD_CHANGE, line.text);
}

static void tell_flags(struct loader *l)
{
    struct error_text line;
    size_t index = 0;
    while (load_rule_flag(l->db, &l->row, &index)) {
        load_place(&l->row, l->row.refused_column, l->row.refusal.text, &line);
        tell(l, LOAD_FLAGGED, line.text);
    }
}

static void tell_encoding(struct loader *l)
{
    struct error_text line;
    load_say(&line, l->options, "load.news.gb18030",
             text_plain("file", l->path));
    tell(l, LOAD_CHANGE, line.text);
}

/* ---- a file ---- */

/* The file as a whole is refused, at a line of it. */
static bool refuse_file(struct loader *l)
{
    l->row.line = l->sheet.line;
    load_refuse(&l->row, NULL, l->sheet.wrong);
    note_refused(l);
    return false;
}

static bool read_rows(struct loader *l)
{
    struct slice fields[FIELDS_MAX];
    bool has_header = false;
    int count = 0;
    while ((count = load_sheet_next(&l->sheet, fields, FIELDS_MAX)) > 0) {
        l->row.line = l->sheet.row;
        if (!has_header) {
            has_header = true;
            if (!read_header(l, fields, count))
                return false;
            continue;
        }
        l->counts->rows++;
        if (!read_row(l, fields, count) || !put_row(l))
            note_refused(l);
        else if (l->options->is_preview)
            tell_row(l);
        if (l->counts->refused == 0 && !l->row.is_there)
            tell_flags(l);
    }
    if (count < 0)
        return refuse_file(l);
    if (!has_header)
        return refuse_header(l, TEXT_KEY("load.header.none"), SLICE(""));
    return l->counts->refused == 0;
}

static bool read_file(struct loader *l)
{
    bool good = load_sheet_open(&l->sheet, l->path);
    if (!good && l->sheet.wrong != NULL) {
        refuse_file(l);
    } else if (!good) {
        load_say(&l->first, l->options, "load.file.unread",
                 text_plain("file", l->path),
                 text_plain("trouble", strerror(errno)));
    } else {
        if (l->sheet.was_gb18030)
            tell_encoding(l);
        good = read_rows(l);
    }
    load_sheet_close(&l->sheet);
    return good;
}

/* Whether the folder has the table's file of this kind; sets the path to it. */
static bool has_file(struct loader *l, const char *extension)
{
    int length = snprintf(l->path, sizeof(l->path), "%s/%s%s",
                          l->options->folder, l->table->name, extension);
    return length > 0 && (size_t)length < sizeof(l->path) &&
           access(l->path, F_OK) == 0;
}

static bool load_table(struct loader *l, const struct load_table *table)
{
    l->table = table;
    l->row = (struct load_row){.table = table,
                               .options = l->options,
                               .path = l->path,
                               .arena = l->row_arena};
    bool has_csv = has_file(l, ".csv"), has_book = has_file(l, ".xlsx");
    if (has_csv && has_book)
        return load_say(&l->first, l->options, "load.folder.both",
                        text_plain("folder", l->options->folder),
                        text_plain("table", table->name));
    if (has_csv)
        has_file(l, ".csv");
    return (!has_csv && !has_book) || read_file(l);
}

/* ---- the folder ---- */

/* How long the end is that makes it a file of rows; 0: it is none. */
static size_t extension_of(const char *name)
{
    if (slice_ends_with_nocase(slice_of_text(name), SLICE(".csv")))
        return 4;
    return slice_ends_with_nocase(slice_of_text(name), SLICE(".xlsx")) ? 5 : 0;
}

static bool is_known_file(const char *name, bool has_programme)
{
    static const char *const RULES[] = {"calendar.csv", "cities.csv",
                                        "clients.csv"};
    struct slice stem = slice_of_text(name);
    size_t extension = extension_of(name);
    if (extension == 0)
        return true; /* of no interest */
    stem.length -= extension;
    for (size_t i = 0; has_programme && i < 3; i++)
        if (strcmp(RULES[i], name) == 0)
            return true;
    for (size_t i = 0; i < LOAD_TABLE_COUNT; i++)
        if (slice_equal_text(stem, LOAD_TABLES[i].name))
            return true;
    return false;
}

static bool refuse_name(struct loader *l, const char *name)
{
    struct buffer tables;
    char shown[LOAD_SHOWN_MAX];
    load_show_text(slice_of_text(name), shown);
    buffer_init(&tables, 1024);
    for (size_t i = 0; i < LOAD_TABLE_COUNT; i++)
        buffer_addf(&tables, "%s%s", i == 0 ? "" : ", ", LOAD_TABLES[i].name);
    buffer_add_u8(&tables, 0);
    load_say(&l->first, l->options, "load.folder.name",
             text_plain("folder", l->options->folder),
             text_plain("value", shown),
             text_plain("tables", (const char *)tables.data));
    buffer_clear(&tables);
    return false;
}

/* A misspelt file must not pass for one that is not there; and a folder with
 * nothing to load is a mistake. */
static bool check_names(struct loader *l)
{
    const char *folder = l->options->folder;
    if (strlen(folder) + 64 > sizeof(l->path))
        return load_say(&l->first, l->options, "load.folder.long",
                        text_plain("folder", folder));
    bool has_programme = l->counts->has_programme, good = true;
    size_t tables = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return load_say(&l->first, l->options, "load.folder.unread",
                        text_plain("folder", folder),
                        text_plain("trouble", strerror(errno)));
    for (struct dirent *e = readdir(dir); good && e != NULL; e = readdir(dir)) {
        good = is_known_file(e->d_name, has_programme) ||
               refuse_name(l, e->d_name);
        tables += extension_of(e->d_name) > 0;
    }
    closedir(dir);
    if (good && tables == 0 && !has_programme)
        good = load_say(&l->first, l->options, "load.folder.empty",
                        text_plain("folder", folder));
    return good;
}

static bool finish_awards(struct loader *l, struct arena *arena)
{
    l->table = load_award_table();
    l->row = (struct load_row){
        .table = l->table, .options = l->options, .path = l->path};
    if (load_award_finish(l->db, &l->row, arena))
        return true;
    note_refused(l);
    return false;
}

static bool load_all(struct loader *l, struct arena *arena)
{
    struct audit_entry entry = {"SYS", "load", l->options->folder, "OK"};
    if (!load_award_begin(l->db))
        return load_say_trouble(&l->first, l->options, l->db);
    if (!load_programme(l->db, l->options, l->counts, &l->first) ||
        !check_names(l))
        return false;
    for (size_t i = 0; i < LOAD_TABLE_COUNT; i++)
        if (!load_table(l, &LOAD_TABLES[i]))
            return false;
    if (!finish_awards(l, arena))
        return false;
    return audit_add(l->db, l->options->now, &entry) ||
           load_say_trouble(&l->first, l->options, l->db);
}

struct loading {
    struct loader loader;
    struct arena *arena;
    bool is_good;
};

static enum act_end load_it(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    struct loading *loading = context;
    (void)db;
    (void)now;
    (void)error;
    loading->is_good = load_all(&loading->loader, loading->arena);
    return loading->is_good && !loading->loader.options->is_preview
               ? ACT_KEPT
               : ACT_REFUSED;
}

bool load_folder(struct db *db, const struct load_options *options,
                 struct load_counts *counts, struct error_text *error)
{
    struct loading loading = {
        .loader = {.db = db, .options = options, .counts = counts},
        .arena = arena_new(ARENA_LIMIT),
    };
    loading.loader.row_arena = arena_new(ROW_ARENA_LIMIT);
    *counts = (struct load_counts){0};
    enum act_end end = ACT_REFUSED;
    if (loading.arena != NULL && loading.loader.row_arena != NULL)
        end = act_on(db, options->now, NULL, load_it, &loading, error);
    else
        load_say(&loading.loader.first, options, "load.memory");
    arena_free(loading.loader.row_arena);
    arena_free(loading.arena);
    if (end == ACT_FAILED)
        return load_say_trouble(error, options, db);
    if (!loading.is_good)
        *error = loading.loader.first;
    return loading.is_good;
}
