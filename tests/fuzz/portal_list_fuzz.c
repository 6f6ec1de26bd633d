/*
 * What stands behind the question mark of a list's address: filters, order, where
 * the next page starts. First byte: which list and which reader; the rest is the
 * query as a browser sends it.
 *
 * Nothing that a stranger writes makes a query fail. The JSON is JSON, its rows
 * are at most a page, a reader whose scope the list does not name has none, and
 * the way on leads to rows that come later: followed from page to page it ends.
 */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "portal/http/request.h"
#include "portal/list/list_view.h"
#include "portal/record/event_list.h"
#include "portal/record/probe_list.h"
#include "portal/record/table_list.h"
#include "portal/record/voucher_list.h"
#include "portal/store/others.h"
#include "portal/store/portal_db.h"
#include "tests/fuzz/fuzz.h"

enum {
    ARENA_LIMIT = 1 << 24,
    ANSWER_LIMIT = 1 << 22,
    VOUCHERS = 150,
    PAGES_MAX = VOUCHERS / LIST_PAGE_ROWS + 2,
};

static const struct list *const LISTS[] = {&VOUCHER_LIST, &PROBE_LIST,
                                           &TABLE_LIST, &EVENT_LIST};
static const char *const ORGANISATIONS[SCOPE_COUNT] = {
    [SCOPE_CITY] = "441500",
    [SCOPE_COUNTY] = "441500/A",
    [SCOPE_SUPPLIER] = "S-1",
    [SCOPE_ENTERPRISE] = "E-1",
};

/* Vouchers of two enterprises in two cities, so that there are several pages. */
static const char *const ROWS[] = {
    "INSERT INTO programme VALUES ('p', 'v', 't', 't', 0)",
    "INSERT INTO city (code, name_zh, name_en) VALUES ('441500', 'a', 'a'), "
    "('440600', 'b', 'b')",
    "INSERT INTO cycle VALUES ('c', 'p', 'c', 'c', 0, 10, 5, 20)",
    "INSERT INTO enterprise (id, name_zh, name_en, credit_code, city_code, "
    "county) VALUES ('E-1', 'e', 'e', 'X1', '441500', 'A'), "
    "('E-2', '50%_', 'f', 'X2', '440600', '')",
    "INSERT INTO supplier (id, name_zh, name_en, credit_code) VALUES "
    "('S-1', 's', 's', 'Y1')",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
    "WHERE i < 150) INSERT INTO voucher_application SELECT 'A-' || i, 'c', "
    "'E-' || (1 + i % 2), 'S-1', 'K-' || i, 1, i, i, i FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
    "WHERE i < 150) INSERT INTO voucher (number, application_id, amount_fen, "
    "issued_at, state) SELECT 'V-' || i, 'A-' || i, i, i, 'ACTIVE' FROM n",
};

static struct db *open_once(void)
{
    static struct db *db;
    struct error_text error;
    if (db != NULL)
        return db;
    db = portal_db_open(":memory:", &error);
    if (db == NULL || !others_open(db, &error))
        abort();
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        if (!db_run(db, ROWS[i]))
            abort();
    return db;
}

/* The rows of one page; the arena's copy of the way on, or NULL. */
static size_t read_page(const struct list_view *view, const char **next)
{
    struct buffer out;
    struct error_text error;
    buffer_init(&out, ANSWER_LIMIT);
    if (!list_write_json(view, &out) || out.failed)
        abort();
    struct json_document *doc =
        json_parse(slice_of_bytes(out.data, out.length), "list", &error);
    const struct json_node *way = json_member(json_root(doc), "next");
    size_t count =
        json_count(json_as_array(json_want(json_root(doc), "items")));
    *next = NULL;
    if (json_kind_of(way) == JSON_TEXT_KIND)
        *next = arena_format(view->arena, "%s", json_as_text(way));
    if (doc == NULL || json_error(doc) != NULL || count > LIST_PAGE_ROWS)
        abort();
    json_free(doc);
    buffer_clear(&out);
    return count;
}

static void read_query(const struct list *list, struct slice text,
                       struct list_query *query, struct arena *arena)
{
    struct form_data form;
    form_parse(&form, text, arena);
    for (size_t i = 0; i < list->filter_count; i++)
        query->values[i] = form_get(&form, list->filters[i].name);
    memset(query->after, 0, sizeof(query->after));
    list_read_after(list, form_get(&form, "after"), query, arena);
    list_query_check(list, query, arena);
}

static void follow(const struct list *list, struct scope scope,
                   struct slice text, struct arena *arena)
{
    struct list_query query = {
        .scope = scope,
        .now = {1},
        .has_usage = true,
        .has_verdict = true,
    };
    struct list_view view = {.list = list,
                             .query = &query,
                             .db = open_once(),
                             .arena = arena,
                             .language = LANGUAGE_EN};
    for (int page = 0; page < PAGES_MAX; page++) {
        const char *next;
        read_query(list, text, &query, arena);
        size_t count = read_page(&view, &next);
        if (count > 0 && list_is_closed(list, scope))
            abort();
        if (next == NULL)
            return;
        const char *mark = strchr(next, '?');
        text = slice_of_text(mark != NULL ? mark + 1 : "");
    }
    abort(); /* there are not so many rows: the way on leads in a circle */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena *arena = arena_new(ARENA_LIMIT);
    enum scope_kind kind = (data[0] >> 2) % SCOPE_COUNT;
    struct scope scope = {
        kind, ORGANISATIONS[kind] != NULL ? ORGANISATIONS[kind] : ""};
    follow(LISTS[data[0] & 3], scope, slice_of_bytes(data + 1, size - 1),
           arena);
    arena_free(arena);
    return 0;
}
