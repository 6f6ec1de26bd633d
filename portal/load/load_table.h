/*
 * The tables that can be loaded, as data: their columns, what kind of value
 * each holds, what must be there before, and checks of a whole row.
 */
#ifndef PORTAL_LOAD_LOAD_TABLE_H
#define PORTAL_LOAD_LOAD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "portal/load/load.h"

enum { LOAD_COLUMNS_MAX = 16, LOAD_BLOB_MAX = 65, LOAD_KEYS_MAX = 2 };

enum load_kind {
    LOAD_TEXT,    /* clean UTF-8, at most 400 bytes */
    LOAD_ID,      /* letters, digits, '.', '-', '_'; at most 64 */
    LOAD_WORD,    /* one of `words`, "A|B|C" */
    LOAD_CREDIT,  /* unified social credit code */
    LOAD_TIME,    /* ISO text; stored as microseconds */
    LOAD_DAY,     /* a date; stored as its number */
    LOAD_MONEY,   /* yuan text; stored as fen */
    LOAD_INTEGER, /* 1 to 1,000,000 */
    LOAD_FLAG,    /* 0 or 1 */
    LOAD_HEX,     /* up to LOAD_BLOB_MAX bytes */
    LOAD_NET,     /* address or prefix, in normal form; public (VER-05) */
    LOAD_HOST,    /* host name, "*." allowed in front */
    LOAD_PORTS,   /* "443,8000-8010" */
};

enum load_empty {
    EMPTY_REFUSED,
    EMPTY_TEXT, /* stays '' */
    EMPTY_NULL,
    EMPTY_ZERO, /* 0 */
};

struct load_column {
    const char *name;   /* in the file's header */
    const char *stored; /* in the table; NULL: the same */
    enum load_kind kind;
    enum load_empty empty;
    const char *words;
    const char *reference; /* SELECT 1 ... = :value; NULL: none */
    const char *missing;   /* when it finds nothing: load.missing.<this> */
};

struct load_value {
    bool is_null, is_text, is_blob;
    int64_t integer;
    char text[401];
    uint8_t blob[LOAD_BLOB_MAX];
    size_t blob_length;
};

struct load_table;

struct load_row {
    const struct load_table *table;
    const struct load_options *options;
    struct load_value values[LOAD_COLUMNS_MAX]; /* in the table's order */
    int64_t computed; /* of the table's computed column */
};

struct load_table {
    const char *name; /* of the file, and of the table if `stored` is NULL */
    struct load_column columns[LOAD_COLUMNS_MAX];
    const char *computed; /* a column that is in no file; NULL: none */
    /* A row about to be inserted: may refuse it, sets row->computed. */
    bool (*check)(struct db *db, struct load_row *row,
                  struct error_text *error);
    /* After it was inserted. */
    bool (*note)(struct db *db, const struct load_row *row);
    const char *stored; /* the table that the rows go into */
    /* What no two rows share: names of columns, "enterprise_id|contract_no". */
    const char *keys[LOAD_KEYS_MAX];
};

extern const struct load_table LOAD_TABLES[]; /* in order of loading */
extern const size_t LOAD_TABLE_COUNT;

const char *load_column_stored(const struct load_column *column);
const char *load_table_stored(const struct load_table *table);
size_t load_table_columns(const struct load_table *table);

/* Reads a cell by its column. False with a reason, without the place. */
bool load_value_read(const struct load_column *column, struct slice text,
                     const struct load_options *options,
                     struct load_value *value, struct error_text *error);
/* Binds a value to the parameter of that name, without its colon. */
void load_value_bind(struct db_statement *s, const char *name,
                     const struct load_value *value);

#endif
