#include "portal/list/list.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/buffer.h"

enum { SQL_MAX = 16 * 1024 };

/* Behind every text: the last code point there is. */
#define TEXT_END "\xF4\x8F\xBF\xBF"

static const char *const AFTER[LIST_KEYS_MAX] = {":after0", ":after1",
                                                 ":after2"};

/* --- what is asked --- */

bool list_filter_is_for(const struct list_filter *filter, struct scope scope)
{
    return filter->scopes == 0 || (filter->scopes & 1u << scope.kind) != 0;
}

static const struct list_choice *find_choice(const struct list_filter *filter,
                                             const char *code)
{
    for (size_t i = 0; i < filter->choice_count; i++)
        if (strcmp(filter->choices[i].code, code) == 0)
            return &filter->choices[i];
    return NULL;
}

static const char *small_letters(const char *text, struct arena *arena)
{
    char *small = arena_copy_text(arena, slice_trim(slice_of_text(text)));
    for (char *c = small; c != NULL && *c != '\0'; c++)
        *c = slice_lower(*c);
    return small != NULL ? small : "";
}

static const char *check_value(const struct list_filter *filter,
                               const char *value, struct arena *arena)
{
    struct civil_day day;
    switch (filter->kind) {
    case LIST_SEARCH:
        return small_letters(value, arena);
    case LIST_CHOICES:
        return find_choice(filter, value) != NULL ? value : "";
    case LIST_SINCE:
        return day_from_text(slice_of_text(value), &day) ? value : "";
    case LIST_ROWS:
        return value;
    }
    return "";
}

void list_query_check(const struct list *list, struct list_query *query,
                      struct arena *arena)
{
    for (size_t i = 0; i < list->filter_count; i++) {
        const struct list_filter *filter = &list->filters[i];
        const char *value = query->values[i];
        query->values[i] = value != NULL && value[0] != '\0' &&
                                   list_filter_is_for(filter, query->scope)
                               ? check_value(filter, value, arena)
                               : "";
    }
    for (size_t i = 0; i < LIST_KEYS_MAX && list->keys[i].sql != NULL; i++) {
        int64_t number;
        if (query->after[i] == NULL ||
            (list->keys[i].is_integer &&
             !parse_i64(slice_of_text(query->after[i]), INT64_MIN, INT64_MAX,
                        &number)))
            query->after[0] = NULL;
    }
}

bool list_is_filtered(const struct list *list, const struct list_query *query)
{
    for (size_t i = 0; i < list->filter_count; i++)
        if (query->values[i][0] != '\0')
            return true;
    return false;
}

bool list_is_closed(const struct list *list, struct scope scope)
{
    return scope.kind <= SCOPE_NONE || scope.kind >= SCOPE_COUNT ||
           list->scopes[scope.kind].condition == NULL;
}

bool list_is_missing(const struct list *list, const struct list_query *query)
{
    return (list->source == LIST_FROM_USAGE && !query->has_usage) ||
           (list->source == LIST_FROM_VERDICT && !query->has_verdict);
}

/* --- the query --- */

/* The tables, and what the first key is called there: as suits the scope, else
 * the first filter that is set and says so, else as the list has them. */
static struct list_choice tables_of(const struct list *list,
                                    const struct list_query *query)
{
    struct list_choice tables = {"", list->scopes[query->scope.kind].from,
                                 list->keys[0].sql};
    for (size_t i = 0; tables.from == NULL && i < list->filter_count; i++) {
        const struct list_filter *filter = &list->filters[i];
        const struct list_choice *choice =
            find_choice(filter, query->values[i]);
        if (query->values[i][0] == '\0')
            continue;
        if (choice != NULL && choice->from != NULL)
            tables = *choice;
        else
            tables.from = filter->from;
    }
    if (tables.from == NULL)
        tables.from = list->from;
    return tables;
}

static const char *key_of(const struct list *list,
                          const struct list_query *query, size_t i)
{
    return i == 0 ? tables_of(list, query).key : list->keys[i].sql;
}

static void add_columns(const struct list *list, const struct list_query *query,
                        struct buffer *sql)
{
    for (size_t i = 0; i < list->column_count; i++)
        for (size_t part = 0; part < LIST_PARTS_MAX; part++)
            if (list->columns[i].sql[part] != NULL)
                buffer_addf(sql, "%s, ", list->columns[i].sql[part]);
    for (size_t i = 0; i < LIST_KEYS_MAX && list->keys[i].sql != NULL; i++)
        buffer_addf(sql, "%s%s", i > 0 ? ", " : "", key_of(list, query, i));
}

/* "(a, b)" or "a": row values are compared from the left. */
static void add_keys(const struct list *list, const struct list_query *query,
                     const char *const *texts, struct buffer *sql)
{
    bool is_row = list->keys[1].sql != NULL;
    buffer_add_text(sql, is_row ? "(" : "");
    for (size_t i = 0; i < LIST_KEYS_MAX && list->keys[i].sql != NULL; i++)
        buffer_addf(sql, "%s%s", i > 0 ? ", " : "",
                    texts != NULL ? texts[i] : key_of(list, query, i));
    buffer_add_text(sql, is_row ? ")" : "");
}

static void add_after(const struct list *list, const struct list_query *query,
                      struct buffer *sql)
{
    if (query->after[0] == NULL)
        return;
    buffer_add_text(sql, " AND ");
    add_keys(list, query, NULL, sql);
    buffer_add_text(sql, list->is_descending ? " < " : " > ");
    add_keys(list, query, AFTER, sql);
}

static void add_order(const struct list *list, const struct list_query *query,
                      struct buffer *sql)
{
    buffer_add_text(sql, " ORDER BY ");
    for (size_t i = 0; i < LIST_KEYS_MAX && list->keys[i].sql != NULL; i++)
        buffer_addf(sql, "%s%s%s", i > 0 ? ", " : "", key_of(list, query, i),
                    list->is_descending ? " DESC" : "");
    buffer_add_text(sql, " LIMIT :limit");
}

/* What the scope and the filters leave, but for searches with ways. */
static void add_conditions(const struct list *list,
                           const struct list_query *query, struct buffer *sql)
{
    buffer_addf(sql, "(%s)", list->scopes[query->scope.kind].condition);
    for (size_t i = 0; i < list->filter_count; i++)
        if (query->values[i][0] != '\0' && list->filters[i].ways == NULL)
            buffer_addf(sql, " AND (%s)", list->filters[i].condition);
}

/* One way, with all that has to hold: "SELECT key FROM ... WHERE ...". */
static void add_way(const struct list *list, const struct list_query *query,
                    const struct list_way *way, bool is_page,
                    struct buffer *sql)
{
    buffer_addf(sql, "SELECT found FROM (SELECT %s AS found %s WHERE (%s) AND ",
                key_of(list, query, 0), way->from, way->condition);
    add_conditions(list, query, sql);
    if (is_page) {
        add_after(list, query, sql);
        add_order(list, query, sql);
    }
    buffer_add_text(sql, ")");
}

static const struct list_filter *search_of(const struct list *list,
                                           const struct list_query *query)
{
    for (size_t i = 0; i < list->filter_count; i++)
        if (query->values[i][0] != '\0' && list->filters[i].ways != NULL)
            return &list->filters[i];
    return NULL;
}

/* The tables and which of their rows; for a page only those behind `after`. */
static void add_rows(const struct list *list, const struct list_query *query,
                     bool is_page, struct buffer *sql)
{
    const struct list_filter *search = search_of(list, query);
    const char *from = tables_of(list, query).from;
    if (!is_page && list->counted_from != NULL && strcmp(from, list->from) == 0)
        from = list->counted_from;
    buffer_addf(sql, " %s WHERE ", from);
    if (search == NULL) {
        add_conditions(list, query, sql);
    } else {
        assert(list->keys[1].sql == NULL);
        buffer_addf(sql, "%s IN (", key_of(list, query, 0));
        for (size_t i = 0; i < search->way_count; i++) {
            buffer_add_text(sql, i > 0 ? " UNION " : "");
            add_way(list, query, &search->ways[i], is_page, sql);
        }
        buffer_add_text(sql, ")");
    }
    if (is_page) {
        add_after(list, query, sql);
        add_order(list, query, sql);
    }
}

static const char *take_text(struct buffer *sql, struct arena *arena)
{
    const char *text =
        sql->failed ? NULL : arena_copy_text(arena, buffer_slice(sql));
    buffer_clear(sql);
    return text;
}

const char *list_sql(const struct list *list, const struct list_query *query,
                     struct arena *arena)
{
    struct buffer sql;
    buffer_init(&sql, SQL_MAX);
    buffer_add_text(&sql, "SELECT ");
    add_columns(list, query, &sql);
    add_rows(list, query, true, &sql);
    return take_text(&sql, arena);
}

static const char *totals_sql(const struct list *list,
                              const struct list_query *query,
                              struct arena *arena)
{
    struct buffer sql;
    buffer_init(&sql, SQL_MAX);
    buffer_add_text(&sql, "SELECT count(*)");
    for (size_t i = 0; i < list->column_count; i++)
        if (list->columns[i].is_summed)
            buffer_addf(&sql, ", sum(%s)", list->columns[i].sql[0]);
    add_rows(list, query, false, &sql);
    return take_text(&sql, arena);
}

static void bind_filter(struct db_statement *s,
                        const struct list_filter *filter, const char *value,
                        struct arena *arena)
{
    char name[40];
    struct civil_day day;
    const char *end;
    snprintf(name, sizeof(name), ":%s", filter->name);
    switch (filter->kind) {
    case LIST_SEARCH:
        end = arena_format(arena, "%s" TEXT_END, value);
        db_bind_text(s, name, value);
        db_bind_text(s, ":text_end", end != NULL ? end : "");
        break;
    case LIST_SINCE:
        if (day_from_text(slice_of_text(value), &day))
            db_bind_i64(s, name, day_start(day).us);
        break;
    case LIST_CHOICES:
    case LIST_ROWS:
        db_bind_text(s, name, value);
        break;
    }
}

static void bind_conditions(struct db_statement *s, const char *sql,
                            const struct list *list,
                            const struct list_query *query, struct arena *arena)
{
    if (strstr(sql, ":scope_id") != NULL)
        db_bind_text(s, ":scope_id", query->scope.id);
    if (strstr(sql, ":now") != NULL)
        db_bind_i64(s, ":now", query->now.us);
    for (size_t i = 0; i < list->filter_count; i++)
        if (query->values[i][0] != '\0')
            bind_filter(s, &list->filters[i], query->values[i], arena);
}

static void bind_after(struct db_statement *s, const struct list *list,
                       const struct list_query *query)
{
    for (size_t i = 0; i < LIST_KEYS_MAX && list->keys[i].sql != NULL; i++) {
        int64_t number = 0;
        if (!list->keys[i].is_integer)
            db_bind_text(s, AFTER[i], query->after[i]);
        else if (parse_i64(slice_of_text(query->after[i]), INT64_MIN, INT64_MAX,
                           &number))
            db_bind_i64(s, AFTER[i], number);
    }
}

/* --- reading --- */

bool list_open(struct list_reader *reader, struct db *db,
               const struct list *list, const struct list_query *query,
               int64_t limit, struct arena *arena)
{
    assert(list->column_count <= LIST_COLUMNS_MAX &&
           list->filter_count <= LIST_FILTERS_MAX);
    *reader = (struct list_reader){.list = list};
    if (list_is_closed(list, query->scope))
        return true;
    const char *sql = list_sql(list, query, arena);
    struct db_statement *s = sql != NULL ? db_prepare(db, sql) : NULL;
    if (s == NULL)
        return false;
    bind_conditions(s, sql, list, query, arena);
    if (query->after[0] != NULL)
        bind_after(s, list, query);
    db_bind_i64(s, ":limit", limit);
    reader->statement = s;
    return true;
}

static struct list_value read_value(const struct list_column *column,
                                    struct db_statement *s, int *at)
{
    struct list_value value = {.is_null = db_is_null(s, *at)};
    struct slice parts[LIST_PARTS_MAX] = {0};
    int first = *at;
    for (size_t part = 0; part < LIST_PARTS_MAX; part++)
        if (column->sql[part] != NULL)
            parts[part] = db_blob(s, (*at)++);
    value.text = parts[0];
    value.zh = parts[1];
    value.en = parts[2];
    if (column->kind == LIST_MONEY || column->kind == LIST_COUNT ||
        column->kind == LIST_DAY || column->kind == LIST_TIME ||
        column->kind == LIST_TAG)
        value.number = db_i64(s, first);
    return value;
}

enum db_step list_next(struct list_reader *reader)
{
    struct db_statement *s = reader->statement;
    enum db_step step = s != NULL ? db_step(s) : DB_DONE;
    int at = 0;
    if (step != DB_ROW)
        return step;
    for (size_t i = 0; i < reader->list->column_count; i++)
        reader->values[i] = read_value(&reader->list->columns[i], s, &at);
    for (size_t i = 0; i < LIST_KEYS_MAX && reader->list->keys[i].sql != NULL;
         i++)
        reader->keys[i] = db_text(s, at++);
    return step;
}

void list_close(struct list_reader *reader)
{
    if (reader->statement != NULL)
        db_reset(reader->statement);
    reader->statement = NULL;
}

const struct list_value *list_value(const struct list_reader *reader,
                                    const char *name)
{
    for (size_t i = 0; i < reader->list->column_count; i++)
        if (strcmp(reader->list->columns[i].name, name) == 0)
            return &reader->values[i];
    assert(!"no such column");
    return NULL;
}

bool list_totals(struct db *db, const struct list *list,
                 const struct list_query *query, struct arena *arena,
                 int64_t *count, int64_t sums[LIST_COLUMNS_MAX])
{
    *count = 0;
    memset(sums, 0, LIST_COLUMNS_MAX * sizeof(*sums));
    if (list_is_closed(list, query->scope))
        return true;
    const char *sql = totals_sql(list, query, arena);
    struct db_statement *s = sql != NULL ? db_prepare(db, sql) : NULL;
    if (s == NULL)
        return false;
    bind_conditions(s, sql, list, query, arena);
    if (db_step(s) != DB_ROW)
        return false;
    int at = 0;
    *count = db_i64(s, at++);
    for (size_t i = 0; i < list->column_count; i++)
        if (list->columns[i].is_summed)
            sums[i] = db_i64(s, at++);
    db_reset(s);
    return true;
}
