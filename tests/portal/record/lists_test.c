/*
 * Lists over a registry of 3,000 vouchers: every list, scope and filter walks
 * an index in the order of the list; a scope that is not named has no rows;
 * pages together, file and database have the same rows and sums.
 */
#include "portal/list/list.h"

#include <string.h>

#include "common/json.h"
#include "common/writer.h"
#include "portal/list/list_view.h"
#include "portal/record/account_list.h"
#include "portal/record/event_list.h"
#include "portal/record/probe_list.h"
#include "portal/record/registration_list.h"
#include "portal/record/table_list.h"
#include "portal/record/voucher_list.h"
#include "portal/store/others.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

enum { VOUCHERS = 3000, FILE_MAX = 16 * 1024 * 1024 };

#define MANY                                                                   \
    "CREATE TEMP TABLE many (vouchers, enterprises, suppliers, probes);"       \
    "INSERT INTO many VALUES (3000, 300, 20, 300);"

static const struct list *const LISTS[] = {
    &VOUCHER_LIST,      &PROBE_LIST,   &TABLE_LIST,     &EVENT_LIST,
    &REGISTRATION_LIST, &ACCOUNT_LIST, &COLLEAGUE_LIST,
};
enum { LIST_COUNT_ALL = sizeof(LISTS) / sizeof(LISTS[0]) };

/* One id for each scope kind that has rows somewhere. */
static const struct scope SCOPES[] = {{SCOPE_ALL, ""},
                                      {SCOPE_CITY, "440300"},
                                      {SCOPE_SUPPLIER, "SUP-M1"},
                                      {SCOPE_ENTERPRISE, "ENT-M3"}};
enum { SCOPE_ROWS = sizeof(SCOPES) / sizeof(SCOPES[0]) };

static struct arena *arena;
static struct db *db;

static void run_file(struct db *at, const char *path)
{
    struct buffer text;
    if (!buffer_read_file(&text, path, 1 << 20))
        fatal(1, "%s: cannot read", path);
    buffer_add_u8(&text, 0);
    if (text.failed || !db_run(at, (const char *)text.data))
        fatal(1, "%s: %s", path, db_error(at));
    buffer_clear(&text);
}

static void make_other(const struct scratch *scratch, const char *name,
                       const char *const *files)
{
    char path[512];
    struct error_text error;
    snprintf(path, sizeof(path), "%s/%s.db", scratch->folder, name);
    struct db *other = db_open(path, DB_WRITE, NULL, 0, &error);
    if (other == NULL || !db_run(other, MANY) || !db_begin(other))
        fatal(1, "%s", path);
    for (size_t i = 0; files[i] != NULL; i++)
        run_file(other, files[i]);
    if (!db_commit(other))
        fatal(1, "%s: %s", path, db_error(other));
    db_close(other);
    CHECK(db_attach(scratch->db, path, name, &error));
}

static void make_world(struct scratch *scratch)
{
    static const char *const USAGE[] = {
        "collector/ledger/001-ledger.sql", "collector/ledger/004-log.sql",
        "collector/ledger/008-event-list.sql", "tests/portal/events.sql", NULL};
    static const char *const VERDICT[] = {
        "verifier/001-verdict.sql", "verifier/002-list.sql",
        "tests/portal/many_verdict.sql", NULL};
    scratch_open(scratch);
    if (!db_run(scratch->db, MANY))
        fatal(1, "%s", db_error(scratch->db));
    run_file(scratch->db, "tests/portal/many.sql");
    make_other(scratch, "usage", USAGE);
    make_other(scratch, "verdict", VERDICT);
    db = scratch->db;
}

static struct list_query query_of(struct scope scope)
{
    struct list_query query = {.scope = scope,
                               .now = {1796000000000000},
                               .has_usage = true,
                               .has_verdict = true};
    for (size_t i = 0; i < LIST_FILTERS_MAX; i++)
        query.values[i] = "";
    return query;
}

/* A value of each kind of filter. */
static const char *value_for(const struct list_filter *filter, size_t choice)
{
    switch (filter->kind) {
    case LIST_SEARCH:
        return "电子";
    case LIST_CHOICES:
        return filter->choices[choice].code;
    case LIST_SINCE:
        return "2026-11-01";
    case LIST_ROWS:
        return strcmp(filter->name, "city") == 0    ? "441900"
               : strcmp(filter->name, "cycle") == 0 ? "many"
                                                    : "conflict";
    }
    return "";
}

static size_t values_of(const struct list_filter *filter)
{
    return filter->kind == LIST_CHOICES ? filter->choice_count : 1;
}

/* --- plans --- */

/* Tables that do not grow with the programme may be scanned, and names are
 * looked through: suppliers and enterprises, never vouchers. What a search's way
 * has found are the rows of a page. */
static bool is_small(const char *detail)
{
    static const char *const SMALL[] = {"SCAN o", "SCAN c", "SCAN y",
                                        "SCAN k", "SCAN t", "SCAN w"};
    for (size_t i = 0; i < sizeof(SMALL) / sizeof(SMALL[0]); i++)
        if (strcmp(detail, SMALL[i]) == 0)
            return true;
    return strstr(detail, "CONSTANT ROW") != NULL ||
           strncmp(detail, "SCAN (subquery-", 15) == 0;
}

/* A walk of an index in the list's order, which ends with the page. */
static bool is_walk(const char *detail)
{
    return strncmp(detail, "SCAN ", 5) == 0 &&
           strstr(detail, "USING INDEX") != NULL;
}

static void check_plan(const struct list *list, struct list_query *query,
                       const char *what)
{
    list_query_check(list, query, arena);
    const char *sql = list_sql(list, query, arena);
    const char *explain = arena_format(arena, "EXPLAIN QUERY PLAN %s", sql);
    struct db_statement *s = db_prepare(db, explain);
    if (!CHECK(s != NULL))
        fatal(1, "%s: %s", sql, db_error(db));
    while (db_step(s) == DB_ROW) {
        const char *detail = db_text(s, 3);
        /* A way's rows are sorted, as many as a page has. */
        bool is_outer = db_i64(s, 1) == 0;
        bool is_bad =
            (is_outer && strstr(detail, "B-TREE FOR ORDER") != NULL) ||
            (strncmp(detail, "SCAN ", 5) == 0 && !is_small(detail) &&
             !is_walk(detail));
        if (!CHECK(!is_bad))
            printf("# %s, scope %s, %s: %s\n# %s\n", list->name,
                   scope_kind_text(query->scope.kind), what, detail, sql);
    }
}

static void test_plans(void)
{
    test_case("every list, scope and filter reads by an index, in order");
    for (size_t i = 0; i < LIST_COUNT_ALL; i++) {
        for (size_t k = 0; k < SCOPE_ROWS; k++) {
            struct list_query plain = query_of(SCOPES[k]);
            if (list_is_closed(LISTS[i], SCOPES[k]))
                continue;
            check_plan(LISTS[i], &plain, "no filter");
            plain.after[0] = plain.after[1] = plain.after[2] = "5";
            check_plan(LISTS[i], &plain, "second page");
            for (size_t f = 0; f < LISTS[i]->filter_count; f++)
                for (size_t v = 0; v < values_of(&LISTS[i]->filters[f]); v++) {
                    struct list_query query = query_of(SCOPES[k]);
                    query.values[f] = value_for(&LISTS[i]->filters[f], v);
                    check_plan(LISTS[i], &query, LISTS[i]->filters[f].name);
                }
            arena_reset(arena);
        }
    }
}

/* --- rows --- */

static int64_t count_rows(const struct list *list, const struct list_query *q)
{
    struct list_reader reader;
    int64_t count = 0;
    CHECK(list_open(&reader, db, list, q, VOUCHERS * 2, arena));
    while (list_next(&reader) == DB_ROW)
        count++;
    return count;
}

static void test_closed(void)
{
    test_case("SYS-01: a scope kind that a list does not name has no rows");
    for (size_t i = 0; i < LIST_COUNT_ALL; i++)
        for (int kind = SCOPE_NONE; kind < SCOPE_COUNT; kind++) {
            struct list_query query = query_of((struct scope){kind, ""});
            list_query_check(LISTS[i], &query, arena);
            if (LISTS[i]->scopes[kind].condition == NULL || kind == SCOPE_NONE)
                CHECK(count_rows(LISTS[i], &query) == 0);
            else if (kind != SCOPE_ALL) /* no id: nobody's rows */
                CHECK(count_rows(LISTS[i], &query) == 0);
            else
                CHECK(count_rows(LISTS[i], &query) > 0);
        }
}

struct sum {
    int64_t rows, fen;
};

static struct sum sum_of_pages(struct list_query query)
{
    struct sum sum = {0};
    for (int page = 0; page < 100; page++) {
        struct list_reader reader;
        int64_t count = 0;
        CHECK(list_open(&reader, db, &VOUCHER_LIST, &query, LIST_PAGE_ROWS,
                        arena));
        while (list_next(&reader) == DB_ROW) {
            sum.fen += list_value(&reader, "amount_fen")->number;
            query.after[0] =
                arena_copy_text(arena, slice_of_text(reader.keys[0]));
            count++;
        }
        sum.rows += count;
        if (count < LIST_PAGE_ROWS)
            return sum;
    }
    return sum;
}

static struct sum sum_of_file(const struct list_query *query)
{
    struct slice fields[LIST_COLUMNS_MAX], rest;
    struct sum sum = {-1, 0}; /* the head */
    struct buffer scratch, text;
    unsigned line = 0;
    bool is_cut = true;
    struct list_view view = {&VOUCHER_LIST, query,       db,
                             arena,         LANGUAGE_ZH, false};
    int fd = list_write_file(&view, &FILE_CSV, VOUCHERS * 2, &is_cut);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (!CHECK(fd >= 0 && buffer_read_file(&text, path, FILE_MAX)))
        return sum;
    close(fd);
    CHECK(!is_cut);
    buffer_init(&scratch, 1 << 16);
    rest = buffer_slice(&text);
    while (csv_read(&rest, &scratch, fields, LIST_COLUMNS_MAX, &line) > 0) {
        struct money fee = {0};
        if (sum.rows++ >= 0)
            CHECK(money_from_yuan_text(fields[9], &fee) == MONEY_OK);
        sum.fen += fee.fen;
    }
    buffer_clear(&scratch);
    buffer_clear(&text);
    return sum;
}

static struct sum sum_of_database(const char *condition)
{
    struct sum sum = {0};
    const char *sql = arena_format(
        arena,
        "SELECT count(*), sum(v.amount_fen) FROM voucher v"
        " JOIN voucher_application a ON a.id = v.application_id"
        " JOIN enterprise e ON e.id = a.enterprise_id"
        " JOIN supplier s ON s.id = a.supplier_id"
        " LEFT JOIN verdict.verdict d ON d.voucher_number = v.number"
        " WHERE %s",
        condition);
    struct db_statement *s = db_prepare(db, sql);
    if (CHECK(s != NULL && db_step(s) == DB_ROW))
        sum = (struct sum){db_i64(s, 0), db_i64(s, 1)};
    if (s != NULL)
        db_reset(s);
    return sum;
}

/* A contract's number that was wrong is found by the right one from then on. */
static void test_changed(void)
{
    struct list_query query = query_of((struct scope){SCOPE_ALL, ""});
    test_case("a search finds what was changed by what it is now");
    query.values[0] = "ht-other";
    list_query_check(&VOUCHER_LIST, &query, arena);
    CHECK_I64(count_rows(&VOUCHER_LIST, &query), 0);
    CHECK(db_run(db, "UPDATE voucher_application SET contract_no = 'HT-OTHER-1'"
                     " WHERE id = 'APP-M7'"));
    CHECK_I64(count_rows(&VOUCHER_LIST, &query), 1);
    CHECK(db_run(db, "UPDATE voucher_application SET contract_no ="
                     " 'HT-2026-000007' WHERE id = 'APP-M7'"));
}

/* Rows in which kept totals and vouchers differ. */
static int64_t count_wrong_totals(void)
{
    struct db_statement *s = db_prepare(
        db, "WITH now AS (SELECT city_code, supplier_id, state, count(*) AS n,"
            " sum(amount_fen) AS fen FROM voucher GROUP BY 1, 2, 3),"
            " kept AS (SELECT * FROM voucher_total WHERE vouchers > 0)"
            " SELECT count(*) FROM (SELECT * FROM (SELECT * FROM now EXCEPT"
            " SELECT * FROM kept) UNION ALL SELECT * FROM (SELECT * FROM kept"
            " EXCEPT SELECT * FROM now))");
    int64_t count = s != NULL && db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    if (s != NULL)
        db_reset(s);
    return count;
}

static void test_kept_totals(void)
{
    static const char *const CHANGES[] = {
        "UPDATE voucher SET state = 'IN_SETTLEMENT' WHERE number < "
        "'V-2026-000100'",
        "UPDATE voucher SET amount_fen = amount_fen + 5 WHERE number LIKE '%7'",
        "UPDATE enterprise SET city_code = '440300' WHERE id = 'ENT-M5'",
        "DELETE FROM settlement WHERE voucher_number = 'V-2026-000009'",
        "DELETE FROM voucher WHERE number = 'V-2026-000009'",
        "INSERT OR REPLACE INTO voucher (number, application_id, amount_fen,"
        " issued_at, state) VALUES ('V-2026-000009', 'APP-M9', 7, 1, 'ACTIVE')",
    };
    test_case(
        "totals that are kept are those of the vouchers, whatever changes");
    CHECK_I64(count_wrong_totals(), 0);
    CHECK(db_run(db, "SAVEPOINT totals"));
    for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++) {
        if (!CHECK(db_run(db, CHANGES[i])) ||
            !CHECK_I64(count_wrong_totals(), 0))
            printf("# %s: %s\n", CHANGES[i], db_error(db));
    }
    CHECK(db_run(db, "ROLLBACK TO totals"));
    CHECK(db_run(db, "RELEASE totals"));
}

static void test_sums(void)
{
    static const struct {
        enum scope_kind kind;
        const char *id, *text, *city, *mark, *condition;
        int64_t at_least;
    } ROWS[] = {
        {SCOPE_ALL, "", "", "", "", "1", 3000},
        {SCOPE_ALL, "", "", "440300", "", "e.city_code = '440300'", 100},
        {SCOPE_ALL, "", "", "441900", "", "e.city_code = '441900'", 0},
        {SCOPE_ALL, "", "", "", "NONE", "d.mark IS NULL", 700},
        {SCOPE_ALL, "", "", "", "NOT_COMPLETE", "d.mark = 'NOT_COMPLETE'", 300},
        {SCOPE_ALL, "", "电子", "", "",
         "instr(e.name_zh, '电子') OR instr(s.name_zh, '电子')", 500},
        {SCOPE_ALL, "", "电子", "440300", "COMPLETE",
         "instr(e.name_zh, '电子') AND e.city_code = '440300'"
         " AND d.mark = 'COMPLETE'",
         0},
        {SCOPE_ALL, "", "v-2026-0001", "", "", "v.number LIKE 'V-2026-0001%'",
         100},
        {SCOPE_ALL, "", "ht-2026-00077", "", "",
         "a.contract_no LIKE 'HT-2026-00077%'", 10},
        {SCOPE_ALL, "", "914403000000000077", "", "",
         "e.credit_code = '914403000000000077'", 10},
        {SCOPE_ALL, "", "cloud supplier 1", "", "",
         "instr(s.name_en, 'Cloud supplier 1')", 600},
        {SCOPE_CITY, "440300", "", "", "", "e.city_code = '440300'", 100},
        {SCOPE_CITY, "440300", "", "", "COMPLETE",
         "e.city_code = '440300' AND d.mark = 'COMPLETE'", 100},
        {SCOPE_CITY, "440300", "佛山", "", "", "0", 0},
        {SCOPE_CITY, "440300", "", "440600", "", "e.city_code = '440300'", 100},
        {SCOPE_SUPPLIER, "SUP-M1", "", "", "", "a.supplier_id = 'SUP-M1'", 600},
        {SCOPE_SUPPLIER, "SUP-M1", "广州", "", "NONE",
         "a.supplier_id = 'SUP-M1' AND d.mark IS NULL"
         " AND instr(e.name_zh, '广州')",
         0},
        {SCOPE_SUPPLIER, "SUP-M1", "works", "", "", "a.supplier_id = 'SUP-M1'",
         600},
        {SCOPE_SUPPLIER, "SUP-M1", "限公", "", "NOT_COMPLETE",
         "a.supplier_id = 'SUP-M1' AND d.mark = 'NOT_COMPLETE'", 60},
        {SCOPE_ALL, "", "ht-2026", "", "NONE", "d.mark IS NULL", 700},
        {SCOPE_ALL, "", "9144", "", "", "1", 3000},
        {SCOPE_ENTERPRISE, "ENT-M3", "", "", "", "a.enterprise_id = 'ENT-M3'",
         10},
        {SCOPE_ENTERPRISE, "ENT-M3", "v-2026", "", "",
         "a.enterprise_id = 'ENT-M3'", 10},
        {SCOPE_ENTERPRISE, "ENT-M3", "works 4", "", "", "0", 0},
    };
    test_case("AUD-07: pages, file and database: the same rows, the same fen");
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct list_query query =
            query_of((struct scope){ROWS[i].kind, ROWS[i].id});
        query.values[0] = ROWS[i].text;
        query.values[1] = ROWS[i].city;
        query.values[2] = ROWS[i].mark;
        list_query_check(&VOUCHER_LIST, &query, arena);
        struct sum wanted = sum_of_database(ROWS[i].condition);
        struct sum pages = sum_of_pages(query), file = sum_of_file(&query);
        int64_t count, sums[LIST_COLUMNS_MAX];
        CHECK(list_totals(db, &VOUCHER_LIST, &query, arena, &count, sums));
        CHECK(wanted.rows >= ROWS[i].at_least);
        if (!CHECK(pages.rows == wanted.rows && pages.fen == wanted.fen &&
                   file.rows == wanted.rows && file.fen == wanted.fen &&
                   count == wanted.rows && sums[9] == wanted.fen))
            printf("# row %zu: database %lld, pages %lld, file %lld\n", i,
                   (long long)wanted.rows, (long long)pages.rows,
                   (long long)file.rows);
        arena_reset(arena);
    }
}

static int write_file(const struct file_form *form, struct buffer *bytes)
{
    static const char *const CELLS[] = {"=1+1",
                                        "＝1+1",
                                        "@x",
                                        "914403001922038216",
                                        "12345678901234567890",
                                        "007",
                                        "汕尾测试电子有限公司",
                                        "a,\"b\"",
                                        "\x01\xff"};
    struct file_writer *file = form->open("t");
    for (size_t i = 0; i < sizeof(CELLS) / sizeof(CELLS[0]); i++)
        form->text(file, slice_of_text(CELLS[i]));
    form->money(file, (struct money){123456789});
    form->money(file, (struct money){5});
    form->money(file, (struct money){INT64_MAX});
    form->count(file, 42);
    form->row_end(file);
    char path[64];
    int fd = form->close(file);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(fd >= 0 && buffer_read_file(bytes, path, FILE_MAX));
    close(fd);
    return fd;
}

static void test_files(void)
{
    struct buffer once, again;
    test_case("a file's cells are as they were stored, nothing is a formula");
    write_file(&FILE_CSV, &once);
    buffer_add_u8(&once, 0);
    CHECK_TEXT((const char *)once.data,
               "\xEF\xBB\xBF'=1+1,'＝1+1,'@x,914403001922038216\t,"
               "12345678901234567890\t,007\t,汕尾测试电子有限公司,"
               "\"a,\"\"b\"\"\",\x01\xff,1234567.89,0.05,"
               "92233720368547758.07,42\r\n");
    buffer_clear(&once);
    test_case("equal rows give equal bytes, also as XLSX");
    write_file(&FILE_XLSX, &once);
    sleep(1); /* a clock in the file would have moved on */
    write_file(&FILE_XLSX, &again);
    CHECK(once.length > 1000 &&
          slice_equal(buffer_slice(&once), buffer_slice(&again)));
    buffer_clear(&once);
    buffer_clear(&again);
}

/* A text cell, and whether a spreadsheet would show another one for it. */
static const struct spoiled {
    const char *text;
    bool is_spoiled;
} SPOILED[] = {
    {"1", false},
    {"42", false},
    {"12345678901", false},
    {"123456789012", true},
    {"007", true},
    {"1E5", true},
    {"3-4", true},
    {"2018/3", true},
    {"2018-03-04", true},
    {"1.20", true},
    {"1,000", true},
    {"50%", true},
    {"(5)", true},
    {"10:30", true},
    {"10:30 pm", true},
    {"Mar1", true},
    {"1-DEC-2018", true},
    {"\u00a55", true},
    {"2018\u5e743\u67084\u65e5", true},
    {"true", true},
    {"FALSE", true},
    {"truely", false},
    {"May", false},
    {"", false},
    {"HT-2026-000001", false},
    {"3M", false},
    {"3\u53f7\u697c", false}, /* building no. 3 */
};

static void test_spoiled(void)
{
    test_case("a text that a spreadsheet takes for another is kept in CSV");
    for (size_t i = 0; i < sizeof(SPOILED) / sizeof(SPOILED[0]); i++) {
        char path[64];
        struct buffer bytes;
        struct file_writer *file = FILE_CSV.open("t");
        FILE_CSV.text(file, slice_of_text(SPOILED[i].text));
        FILE_CSV.row_end(file);
        int fd = FILE_CSV.close(file);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        CHECK(fd >= 0 && buffer_read_file(&bytes, path, FILE_MAX));
        close(fd);
        bool has_tab = memchr(bytes.data, '\t', bytes.length) != NULL;
        if (has_tab != SPOILED[i].is_spoiled)
            printf("# %s\n", SPOILED[i].text);
        CHECK(has_tab == SPOILED[i].is_spoiled);
        buffer_clear(&bytes);
    }
}

static bool is_kind(const struct json_node *node, enum list_kind kind)
{
    enum json_kind is = json_kind_of(node);
    if (kind == LIST_TAG)
        return is == JSON_BOOL_KIND;
    if (is == JSON_NULL_KIND)
        return true;
    if (kind == LIST_MONEY || kind == LIST_COUNT)
        return is == JSON_INTEGER_KIND;
    if (kind == LIST_NAMES)
        return is == JSON_OBJECT_KIND && json_count(node) == 3 &&
               json_member(node, "name_en") != NULL;
    return is == JSON_TEXT_KIND;
}

/* As list_openapi.c says it: these members, of these types, and no others. */
static void check_item(const struct list *list, const struct json_node *item)
{
    size_t members = 0;
    for (size_t i = 0; i < list->column_count; i++) {
        const struct list_column *column = &list->columns[i];
        if (column->places != 0 && (column->places & LIST_JSON) == 0)
            continue;
        const struct json_node *node = json_member(item, column->name);
        if (!CHECK(node != NULL && is_kind(node, column->kind)))
            printf("# %s.%s\n", list->name, column->name);
        members++;
    }
    CHECK(json_count(item) == members);
}

/* The first who has rows of it. */
static struct scope reader_of(const struct list *list)
{
    size_t i = 0;
    while (i + 1 < SCOPE_ROWS && list_is_closed(list, SCOPES[i]))
        i++;
    return SCOPES[i];
}

static void check_json(const struct list *list)
{
    struct buffer texts[LANGUAGE_COUNT];
    struct list_query query = query_of(reader_of(list));
    struct error_text error;
    list_query_check(list, &query, arena);
    for (int l = 0; l < LANGUAGE_COUNT; l++) {
        struct list_view view = {list, &query, db, arena, l, false};
        buffer_init(&texts[l], 1 << 20);
        CHECK(list_write_json(&view, &texts[l]));
    }
    CHECK(slice_equal(buffer_slice(&texts[0]), buffer_slice(&texts[1])));
    struct json_document *doc =
        json_parse(buffer_slice(&texts[0]), list->name, &error);
    const struct json_node *items =
        json_as_array(json_want(json_root(doc), "items"));
    if (!CHECK(json_count(json_root(doc)) == 2 && json_count(items) > 0))
        printf("# %s\n", list->name);
    for (const struct json_node *n = json_first(items); n; n = json_next(n))
        check_item(list, n);
    json_free(doc);
    for (int l = 0; l < LANGUAGE_COUNT; l++)
        buffer_clear(&texts[l]);
}

static void test_json(void)
{
    test_case("JSON has what doc/portal-api.yaml says, whatever the language");
    for (size_t i = 0; i < LIST_COUNT_ALL; i++)
        check_json(LISTS[i]);
}

static void test_city_moves(void)
{
    test_case("ORG-02: an enterprise that moves takes its vouchers along");
    struct list_query query = query_of((struct scope){SCOPE_CITY, "441900"});
    list_query_check(&VOUCHER_LIST, &query, arena);
    CHECK(count_rows(&VOUCHER_LIST, &query) == 0);
    CHECK(db_run(db, "UPDATE enterprise SET city_code = '441900'"
                     " WHERE id = 'ENT-M7'"));
    CHECK(count_rows(&VOUCHER_LIST, &query) == 10);
    CHECK(count_rows(&PROBE_LIST, &query) == 1);
}

int main(void)
{
    struct scratch scratch;
    make_world(&scratch);
    arena = arena_new(64 * 1024 * 1024);
    test_plans();
    test_closed();
    test_changed();
    test_kept_totals();
    test_sums();
    test_files();
    test_spoiled();
    test_json();
    test_city_moves();
    arena_free(arena);
    scratch_close(&scratch);
    return test_end();
}
