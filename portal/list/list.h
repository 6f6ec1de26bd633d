/*
 * A list: one table of things, as a descriptor, from which come the page, the
 * files (CSV, XLSX) and the JSON.
 *
 * A descriptor says where rows come from, in which order, which of them each
 * kind of reader may see, what the columns are and what one can filter by. The
 * query is put together from its fragments, which are constants; values are
 * bound. What is not asked for is not in the query, so that each combination of
 * scope and filters has the indexes that fit it.
 *
 * A search may have several ways to find a row, each by an index of its own. Each
 * looks for the first rows of the page alone, of those that the scope and the
 * other filters leave, and forgets what comes behind them: a word that half of
 * all rows have costs little more than one that a few have.
 *
 * Closed by default: a scope kind whose condition is not named has no rows.
 *
 * Order is by up to LIST_KEYS_MAX keys that together are unique, all in one
 * direction. The next page starts behind the keys of the last row, so that a
 * page costs the same wherever it is.
 *
 * Columns are known by name alone: the query is made from them. To add a column
 * is to add a row; tests/portal/list compares files with pages and with the
 * database.
 */
#ifndef PORTAL_LIST_LIST_H
#define PORTAL_LIST_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/slice.h"
#include "portal/access/scope.h"

enum {
    LIST_COLUMNS_MAX = 24,
    LIST_FILTERS_MAX = 8,
    LIST_KEYS_MAX = 3,
    LIST_PAGE_ROWS = 100,
    LIST_PARTS_MAX = 3, /* SQL expressions of one column */
};

enum list_kind {
    LIST_TEXT,  /* as it is */
    LIST_LINK,  /* text that leads to the row's own page */
    LIST_NAMES, /* id, Chinese name, English name */
    LIST_CODE,  /* a code of a closed set; words are texts */
    LIST_MARK,  /* the same, with its sign */
    LIST_MONEY, /* fen */
    LIST_COUNT,
    LIST_DAY,  /* microseconds, of which the date is of interest */
    LIST_TIME, /* microseconds */
    LIST_HASH, /* bytes, shown in hex */
    LIST_TAG,  /* a claim; on the page a tag in the cell before it */
};

/* Where a column is: everywhere when none is named. */
enum list_place { LIST_PAGE = 1, LIST_FILE = 2, LIST_JSON = 4 };

struct list_column {
    const char *name; /* in JSON, and to find it by */
    enum list_kind kind;
    const char *sql[LIST_PARTS_MAX]; /* LIST_NAMES has three; a link may have a
                                        second part of its address */
    const char *title; /* text key: head of the column, or the tag */
    const char *words; /* text keys of codes start so: "state." */
    const char *link;  /* the address starts so: "/vouchers/" */
    unsigned places;
    bool is_summed;   /* LIST_MONEY: the sum stands below */
    bool is_note;     /* on the page a small line in the cell before it */
    const char *look; /* a tag's classes; NULL: "tag" */
};

/* One of a filter's choices. */
struct list_choice {
    const char *code;
    const char *from; /* NULL, or the tables in an order that suits it */
    const char *key;  /* with from: what the first key is called there */
};

enum list_filter_kind {
    LIST_SEARCH,  /* free text: `:text`, and `:text_end`, behind all that starts
                     so; ASCII letters small */
    LIST_CHOICES, /* one of a closed set */
    LIST_ROWS,    /* one of the rows of `choices_sql` (code, zh, en) */
    LIST_SINCE,   /* a date: `:NAME` is its start in microseconds */
};

/* One of the ways in which a search finds rows. */
struct list_way {
    const char *from; /* the tables in an order that suits it, and all that the
                         list's scopes and other filters ask */
    const char *condition;
};

struct list_filter {
    const char *name; /* in the address; its value is bound as :NAME */
    enum list_filter_kind kind;
    const char *title;     /* text key of the label */
    const char *condition; /* what has to hold when it is set */
    const char *from;      /* NULL, or the tables in an order that suits it */
    const struct list_way *ways; /* of a search, in place of a condition */
    size_t way_count;
    const struct list_choice *choices;
    size_t choice_count;
    const char *choices_sql;
    const char *words; /* text keys of choices start so */
    unsigned scopes;   /* 1 << kind of those who have it; 0: all */
};

struct list_scope {
    const char *condition; /* NULL: no rows; `:scope_id` is the scope's id */
    const char *from;      /* NULL, or the tables in an order that suits it */
};

struct list_key {
    const char *sql;
    bool is_integer;
};

/* Which other program's database has something to say here: the page says so
 * while it is not there. An empty one stands in for it (portal/store/others.h). */
enum list_source { LIST_FROM_PORTAL, LIST_FROM_USAGE, LIST_FROM_VERDICT };

struct list {
    const char *name; /* "vouchers": its address, also as file and JSON */
    /* Text keys: what it is; what the reader should know (NULL: nothing); that
     * there are none, and what to do; that the database is not there. */
    const char *title, *help, *none, *missing;
    const char *from; /* "FROM voucher v ..." */
    /* For totals in its place: only what scopes, filters and sums ask; or NULL */
    const char *counted_from;
    enum list_source source;
    struct list_key keys[LIST_KEYS_MAX];
    bool is_descending;
    struct list_scope scopes[SCOPE_COUNT];
    const struct list_column *columns;
    size_t column_count;
    const struct list_filter *filters;
    size_t filter_count;
};

/* What is asked of a list, by whom. */
struct list_query {
    struct scope scope;
    struct wall_time now;
    bool has_usage, has_verdict;
    const char *values[LIST_FILTERS_MAX]; /* of the filters; "": not set */
    const char *after[LIST_KEYS_MAX];     /* keys; [0] NULL: from the start */
};

/* A value of the current row, borrowed until the next one. */
struct list_value {
    bool is_null;
    int64_t number; /* fen, count, microseconds, claim */
    struct slice text, zh, en;
};

struct list_reader {
    const struct list *list;
    struct db_statement *statement;
    struct list_value values[LIST_COLUMNS_MAX];
    const char *keys[LIST_KEYS_MAX]; /* of the current row */
};

/* A value that no choice has is as none; a date that is none likewise. Values
 * are brought into the form in which they are bound. */
void list_query_check(const struct list *list, struct list_query *query,
                      struct arena *arena);
bool list_filter_is_for(const struct list_filter *filter, struct scope scope);
/* Whether any filter is set. */
bool list_is_filtered(const struct list *list, const struct list_query *query);
/* Nobody of this scope has rows. */
bool list_is_closed(const struct list *list, struct scope scope);
/* The database that the rows come from is not there. */
bool list_is_missing(const struct list *list, const struct list_query *query);

/* The query's text, for one who explains it; NULL without memory. */
const char *list_sql(const struct list *list, const struct list_query *query,
                     struct arena *arena);
/* Number and sums of all rows, for `columns` that are summed; the query's
 * `after` does not count. */
bool list_totals(struct db *db, const struct list *list,
                 const struct list_query *query, struct arena *arena,
                 int64_t *count, int64_t sums[LIST_COLUMNS_MAX]);

/* At most `limit` rows. A closed or missing list has none. False when the
 * query could not be prepared (see db_error). */
bool list_open(struct list_reader *reader, struct db *db,
               const struct list *list, const struct list_query *query,
               int64_t limit, struct arena *arena);
enum db_step list_next(struct list_reader *reader);
void list_close(struct list_reader *reader);
/* The value of a column by its name (assert: it is there). */
const struct list_value *list_value(const struct list_reader *reader,
                                    const char *name);

#endif
