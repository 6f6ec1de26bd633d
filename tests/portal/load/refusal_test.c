/*
 * Every refusal of `yz-portal load`, of every column of every table, in both
 * languages: file, line, column, the value, and a way out.
 *
 * What a cell is asked follows from its column (kind, whether it may be empty,
 * what it refers to), so those cases are made here from the tables: a new column
 * has them at once, a new kind without a bad value fails. What is asked of whole
 * rows stands in refusals.rows, and a rule, a key or a sentence of an award
 * without a row there fails. What was said is held against a golden file, where
 * a new refusal shows (make golden).
 */
#include <sys/stat.h>

#include "common/writer.h"
#include "portal/load/load.h"
#include "portal/load/load_rule.h"
#include "portal/load/load_table.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static const char RULES[] = "rules/guangdong-2018";
static const char REGISTRY[] = "tests/portal/registry";
static const char ROWS[] = "tests/portal/load/refusals.rows";
static const char GOLDEN[] = "tests/data/load/refusals.txt";

enum { ROWS_MAX = 8, CHANGES_MAX = 12, CELL = 512, SEEN_MAX = 400 };

/* ---- the registry, as cells ---- */

struct cells {
    const struct load_table *table;
    char cell[ROWS_MAX][LOAD_COLUMNS_MAX][CELL];
    size_t count;
};

static struct cells base[32];

/* A file of the registry; cells of columns that it does not have are empty. */
static void read_cells(struct cells *cells, const char *path)
{
    struct buffer text, scratch;
    struct slice fields[LOAD_COLUMNS_MAX];
    size_t order[LOAD_COLUMNS_MAX] = {0};
    unsigned line = 0;
    if (!buffer_read_file(&text, path, 1 << 20))
        fatal(1, "%s: cannot read", path);
    struct slice rest = buffer_slice(&text);
    buffer_init(&scratch, 1 << 16);
    int count = csv_read(&rest, &scratch, fields, LOAD_COLUMNS_MAX, &line);
    for (int i = 0; i < count; i++)
        order[i] = load_table_find(cells->table, fields[i]);
    while ((count = csv_read(&rest, &scratch, fields, LOAD_COLUMNS_MAX,
                             &line)) > 0) {
        for (int i = 0; i < count; i++)
            slice_copy(fields[i], cells->cell[cells->count][order[i]], CELL);
        cells->count++;
    }
    buffer_clear(&scratch);
    buffer_clear(&text);
}

static void read_base(void)
{
    for (size_t i = 0; i < LOAD_TABLE_COUNT; i++) {
        char path[256];
        base[i].table = &LOAD_TABLES[i];
        snprintf(path, sizeof(path), "%s/%s.csv", REGISTRY,
                 LOAD_TABLES[i].name);
        if (strcmp(LOAD_TABLES[i].name, "supplier_probe") == 0)
            snprintf(path, sizeof(path), "tests/portal/load/%s.csv",
                     LOAD_TABLES[i].name);
        read_cells(&base[i], path);
    }
}

static size_t table_index(struct slice name)
{
    size_t i = 0;
    while (i < LOAD_TABLE_COUNT && !slice_equal_text(name, LOAD_TABLES[i].name))
        i++;
    if (i == LOAD_TABLE_COUNT)
        fatal(1, "%s: no table %.*s", ROWS, (int)name.length, name.data);
    return i;
}

/* ---- a case ---- */

struct change {
    size_t table, column;
    struct slice value;
};

struct refusal_case {
    size_t table;
    const char *column, *key, *how;
    struct change changes[CHANGES_MAX];
    size_t change_count;
    struct slice sql[CHANGES_MAX];
    size_t sql_count;
};

static bool is_how(const struct refusal_case *c, const char *how)
{
    return strcmp(c->how, how) == 0;
}

/* Whether the registry is there before, and only what is changed is loaded. */
static bool is_second(const struct refusal_case *c)
{
    return !is_how(c, "new") && !is_how(c, "add");
}

static bool is_changed(const struct refusal_case *c, size_t table)
{
    bool found = c->table == table;
    for (size_t i = 0; i < c->change_count; i++)
        found = found || c->changes[i].table == table;
    return found;
}

static void write_row(struct csv_writer *csv, const struct cells *cells,
                      size_t row, const struct refusal_case *c, bool changed)
{
    size_t table = (size_t)(cells - base);
    for (size_t i = 0; i < load_table_columns(cells->table); i++) {
        struct slice value = slice_of_text(cells->cell[row][i]);
        for (size_t k = 0; changed && k < c->change_count; k++)
            if (c->changes[k].table == table && c->changes[k].column == i)
                value = c->changes[k].value;
        buffer_add_text(csv->out, i == 0 ? "\"" : ",\"");
        buffer_add_slice(csv->out, value);
        buffer_add_text(csv->out, "\"");
    }
    buffer_add_text(csv->out, "\r\n");
}

/* One file of the folder that is loaded; NULL: as the registry has it. */
static void write_file(const struct scratch *scratch, const char *folder,
                       size_t table, const struct refusal_case *c)
{
    const struct cells *cells = &base[table];
    struct buffer out;
    struct csv_writer csv;
    char name[128];
    buffer_init(&out, 1 << 20);
    csv_start(&csv, &out);
    for (size_t i = 0; i < load_table_columns(cells->table); i++)
        csv_text(&csv, cells->table->columns[i].name);
    csv_row_end(&csv);
    bool changed = c != NULL && is_changed(c, table);
    bool adds = changed && is_how(c, "add") && c->table == table;
    bool alone = c != NULL && is_second(c);
    for (size_t row = 0; row < (alone ? 1 : cells->count); row++)
        write_row(&csv, cells, row, c, changed && !adds && row == 0);
    if (adds)
        write_row(&csv, cells, 0, c, true);
    buffer_add_u8(&out, 0);
    snprintf(name, sizeof(name), "%s/%s.csv", folder, cells->table->name);
    scratch_write(scratch, name, (const char *)out.data);
    buffer_clear(&out);
}

static bool load(struct db *db, const char *folder, const char *how,
                 enum language language, struct error_text *error)
{
    struct parameters parameters;
    struct load_counts counts;
    parameters_set_defaults(&parameters);
    if (strcmp(how, "cap") == 0)
        parameters.item_cap_scope = ITEM_CAP_CYCLE;
    struct load_options options = {
        .folder = folder,
        .is_sample = strcmp(how, "real") != 0,
        .may_correct = strcmp(how, "correct") == 0 || strcmp(how, "real") == 0,
        .parameters = &parameters,
        .now = wall_from_s(1795420800), /* 2026-11-23T16:00+08:00 */
        .language = language,
    };
    return load_folder(db, &options, &counts, error);
}

/* Registries that no case changes: refused loads leave nothing. */
static struct scratch empty, full;

static void must_load(struct db *db, const char *folder)
{
    struct error_text error = {""};
    if (!load(db, folder, "new", LANGUAGE_EN, &error))
        fatal(1, "%s", error.text);
}

static void open_registry(struct scratch *scratch, bool is_full)
{
    char folder[FOLDER_LEN + 16];
    scratch_open(scratch);
    must_load(scratch->db, RULES);
    if (!is_full)
        return;
    snprintf(folder, sizeof(folder), "%s/base", scratch->folder);
    mkdir(folder, 0700);
    for (size_t i = 0; i < LOAD_TABLE_COUNT; i++)
        write_file(scratch, "base", i, NULL);
    must_load(scratch->db, folder);
}

/* ---- what was said ---- */

static struct buffer said;
static char seen[SEEN_MAX][160];
static size_t seen_count;

static void note_seen(const struct load_table *table, const char *column,
                      const char *key)
{
    if (seen_count < SEEN_MAX)
        snprintf(seen[seen_count++], sizeof(seen[0]), "%s %s %s", table->name,
                 column, key);
}

static bool was_seen(const char *table, const char *column, const char *key)
{
    char wanted[160];
    snprintf(wanted, sizeof(wanted), "%s %s %s", table, column, key);
    for (size_t i = 0; i < seen_count; i++)
        if (strcmp(seen[i], wanted) == 0)
            return true;
    return false;
}

/* The sentence without the folder before the file. */
static const char *without_folder(const char *text, const char *folder)
{
    const char *at = strstr(text, folder);
    return at != NULL ? at + strlen(folder) + 1 : text;
}

/* Where, and in the words of this key up to its first {name}. */
static void check_said(const struct refusal_case *c, const char *text,
                       enum language language)
{
    const struct load_table *table = &LOAD_TABLES[c->table];
    const char *pattern = text_find(language, slice_of_text(c->key));
    size_t line = is_how(c, "add") ? base[c->table].count + 2 : 2;
    char start[CELL];
    snprintf(start, sizeof(start), "%s.csv:%zu: %s: %.*s", table->name, line,
             c->column, (int)strcspn(pattern, "{"), pattern);
    if (!CHECK(strncmp(text, start, strlen(start)) == 0))
        printf("# wanted %s\n#    got %s\n", start, text);
    CHECK(strchr(text, '{') == NULL);
    CHECK(strstr(text, language == LANGUAGE_ZH ? "；" : "; ") != NULL ||
          strstr(text, language == LANGUAGE_ZH ? "：" : ": ") != NULL);
}

static void run_case(const struct refusal_case *c)
{
    struct scratch own = {.db = NULL};
    struct scratch *scratch = is_second(c) ? &full : &empty;
    char folder[FOLDER_LEN + 16];
    note_seen(&LOAD_TABLES[c->table], c->column, c->key);
    if (c->sql_count > 0) {
        open_registry(&own, is_second(c));
        scratch = &own;
    }
    for (size_t i = 0; i < c->sql_count; i++) {
        char sql[CELL];
        slice_copy(c->sql[i], sql, sizeof(sql));
        CHECK(db_run(scratch->db, sql));
    }
    snprintf(folder, sizeof(folder), "%s/in", scratch->folder);
    folder_remove(folder);
    mkdir(folder, 0700);
    for (size_t i = 0; i < LOAD_TABLE_COUNT; i++)
        if (!is_second(c) || is_changed(c, i))
            write_file(scratch, "in", i, c);
    buffer_addf(&said, "%s %s %s\n", LOAD_TABLES[c->table].name, c->column,
                c->key);
    for (int language = 0; language < LANGUAGE_COUNT; language++) {
        struct error_text error = {""};
        CHECK(!load(scratch->db, folder, c->how, language, &error));
        const char *text = without_folder(error.text, folder);
        check_said(c, text, language);
        buffer_addf(&said, "  %s\n", text);
    }
    if (own.db != NULL)
        scratch_close(&own);
}

/* ---- cases from the tables ---- */

static const char LONG[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaaaaaaaaaaaaaaaaaaaaaa";

/* What a kind refuses. */
static const struct {
    enum load_kind kind;
    const char *bad, *key;
} BAD[] = {
    {LOAD_TEXT, "海\x01丰", "load.value.text"},
    {LOAD_TEXT, LONG, "load.value.long"},
    {LOAD_ID, "编号 1", "load.value.id"},
    {LOAD_WORD, "HUH", "load.value.word"},
    {LOAD_CREDIT, "91441500MATEXT0010", "load.value.credit"},
    {LOAD_TIME, "7月10日", "load.value.time"},
    {LOAD_DAY, "2026-02-30", "load.value.day"},
    {LOAD_MONEY, "1.234", "load.value.money"},
    {LOAD_MONEY, "-1.00", "load.value.negative"},
    {LOAD_MONEY, "99999999999999999999", "load.value.range"},
    {LOAD_MONEY, "0.00", "load.value.zero"},
    {LOAD_INTEGER, "12.5", "load.value.integer"},
    {LOAD_FLAG, "是", "load.value.flag"},
    {LOAD_HEX, "xyz", "load.value.hex"},
    {LOAD_ADDRESS, "192.0.2.0/24", "load.value.address"},
    {LOAD_NET, "8.8.8.8.8", "load.value.net"},
    {LOAD_NET, "192.168.1.10", "load.value.public"},
    {LOAD_NET, "0.0.0.0/0", "load.value.public"},
    {LOAD_HOST, "a..b", "load.value.host"},
    {LOAD_PORTS, "0-70000", "load.value.ports"},
};
enum { BAD_COUNT = sizeof(BAD) / sizeof(BAD[0]) };

static void run_cell(size_t table, size_t column, const char *value,
                     const char *key)
{
    struct refusal_case c = {
        .table = table,
        .column = LOAD_TABLES[table].columns[column].name,
        .key = key,
        .how = "new",
        .changes = {{table, column, slice_of_text(value)}},
        .change_count = 1,
    };
    run_case(&c);
}

/* A value of the right form to which nothing answers. */
static const char *nothing_like(const struct load_column *column)
{
    return column->kind == LOAD_INTEGER ? "64" : "nowhere";
}

static void run_column(size_t table, size_t index)
{
    const struct load_column *column = &LOAD_TABLES[table].columns[index];
    bool has_bad = false;
    for (size_t i = 0; i < BAD_COUNT; i++) {
        if (BAD[i].kind != column->kind)
            continue;
        has_bad = true;
        run_cell(table, index, BAD[i].bad, BAD[i].key);
    }
    CHECK(has_bad);
    if (column->empty == EMPTY_REFUSED)
        run_cell(table, index, "", "load.value.empty");
    if (column->reference != NULL)
        run_cell(table, index, nothing_like(column), column->missing);
}

static void run_tables(void)
{
    for (size_t t = 0; t < LOAD_TABLE_COUNT; t++) {
        char name[160];
        snprintf(name, sizeof(name), "every column of %s, every refusal",
                 LOAD_TABLES[t].name);
        test_case(name);
        for (size_t i = 0; i < load_table_columns(&LOAD_TABLES[t]); i++)
            run_column(t, i);
    }
}

/* ---- cases of refusals.rows ---- */

static void read_change(struct refusal_case *c, struct slice text)
{
    struct slice name, table;
    if (text.length > 4 && memcmp(text.data, "sql:", 4) == 0) {
        c->sql[c->sql_count++] = (struct slice){text.data + 4, text.length - 4};
        return;
    }
    struct change *change = &c->changes[c->change_count++];
    slice_next(&text, '=', &name);
    change->value = text.data != NULL ? text : SLICE("");
    change->table = c->table;
    if (memchr(name.data, '.', name.length) != NULL) {
        slice_next(&name, '.', &table);
        change->table = table_index(table);
    }
    change->column = load_table_find(&LOAD_TABLES[change->table], name);
}

static void read_case(struct slice line, struct refusal_case *c)
{
    static char column[64], key[96], how[16];
    struct slice field;
    slice_next(&line, '\t', &field);
    c->table = table_index(field);
    slice_next(&line, '\t', &field);
    slice_copy(field, column, sizeof(column));
    slice_next(&line, '\t', &field);
    slice_copy(field, key, sizeof(key));
    slice_next(&line, '\t', &field);
    slice_copy(field, how, sizeof(how));
    c->column = column;
    c->key = key;
    c->how = how;
    while (slice_next(&line, '\t', &field) && field.length > 0)
        read_change(c, field);
}

/* The requirement of the rule, before the test's name. */
static const char *requirement_of(const struct refusal_case *c)
{
    for (size_t i = 0; i < LOAD_RULE_COUNT; i++)
        if (strcmp(LOAD_RULES[i].table, LOAD_TABLES[c->table].name) == 0 &&
            strcmp(LOAD_RULES[i].said, c->key) == 0)
            return LOAD_RULES[i].requirement;
    return "ORG-08";
}

static void run_rows(void)
{
    struct buffer text;
    struct slice line;
    if (!buffer_read_file(&text, ROWS, 1 << 20))
        fatal(1, "%s: cannot read", ROWS);
    for (struct slice rest = buffer_slice(&text);
         slice_next(&rest, '\n', &line);) {
        struct refusal_case c = {0};
        char name[200];
        if (line.length == 0 || line.data[0] == '#')
            continue;
        read_case(line, &c);
        snprintf(name, sizeof(name), "%s: %s: %s", requirement_of(&c),
                 LOAD_TABLES[c.table].name, c.key);
        test_case(name);
        run_case(&c);
    }
    buffer_clear(&text);
}

/* ---- whether all were there ---- */

static void check_rules(void)
{
    test_case("every rule has a row");
    for (size_t i = 0; i < LOAD_RULE_COUNT; i++) {
        const struct load_rule *rule = &LOAD_RULES[i];
        if (rule->is_flag) /* refuses nothing: load_test.c */
            continue;
        if (!CHECK(was_seen(rule->table, rule->column, rule->said)))
            printf("# %s %s %s\n", rule->table, rule->column, rule->said);
    }
}

static void check_keys(void)
{
    test_case("every second key has a row");
    for (size_t t = 0; t < LOAD_TABLE_COUNT; t++) {
        const struct load_key *key = &LOAD_TABLES[t].keys[1];
        if (key->columns == NULL)
            continue;
        const char *bar = strrchr(key->columns, '|');
        const char *column = bar != NULL ? bar + 1 : key->columns;
        if (!CHECK(was_seen(LOAD_TABLES[t].name, column, key->said)))
            printf("# %s %s\n", LOAD_TABLES[t].name, key->said);
    }
}

static void check_awards(void)
{
    test_case("everything that an award fails for has a row");
    for (size_t i = 0; i < text_row_count(); i++) {
        const char *key = text_row_key(i);
        bool found = strncmp(key, "load.award.", 11) != 0;
        for (size_t k = 0; !found && k < seen_count; k++)
            found = strstr(seen[k], key) != NULL;
        if (!CHECK(found))
            printf("# %s\n", key);
    }
}

int main(void)
{
    buffer_init(&said, 1 << 20);
    read_base();
    open_registry(&empty, false);
    open_registry(&full, true);
    run_tables();
    run_rows();
    check_rules();
    check_keys();
    check_awards();
    test_case("what is said, in both languages");
    test_golden(GOLDEN, said.data, said.length);
    scratch_close(&empty);
    scratch_close(&full);
    buffer_clear(&said);
    return test_end();
}
