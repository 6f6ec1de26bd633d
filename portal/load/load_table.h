/*
 * The tables that can be loaded, as data: their columns, what kind of value
 * each holds, what must be there before, and whether it may be corrected.
 *
 * Adding a column is a row; the test of refusals (tests/portal/load) then asks
 * for its rows. What must hold between columns and tables: load_rule.h.
 */
#ifndef PORTAL_LOAD_LOAD_TABLE_H
#define PORTAL_LOAD_LOAD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/slice.h"
#include "portal/load/load.h"

enum {
    LOAD_COLUMNS_MAX = 16,
    LOAD_BLOB_MAX = 65,
    LOAD_KEYS_MAX = 2,
    LOAD_SHOWN_MAX = 112,
};

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
    LOAD_ADDRESS, /* one address; stored in normal form */
    LOAD_NET,     /* address or prefix; public (VER-05) */
    LOAD_HOST,    /* host name, "*." allowed in front */
    LOAD_PORTS,   /* "443,8000-8010" */
    LOAD_KIND_COUNT,
};

enum load_empty {
    EMPTY_REFUSED,
    EMPTY_TEXT, /* stays '' */
    EMPTY_NULL,
    EMPTY_ZERO, /* 0 */
};

/* What a later file may do to the value of a row that is there. */
enum load_correct {
    CORRECT_NOT, /* another row is wanted instead */
    CORRECT_FREE,
    CORRECT_END, /* from when on the row no longer holds */
};

struct load_column {
    const char *name;   /* in the file's header */
    const char *stored; /* in the table; NULL: the same */
    enum load_kind kind;
    enum load_empty empty;
    enum load_correct correct;
    const char *words;
    const char *reference; /* SELECT 1 ... = :value; NULL: none */
    const char *missing;   /* when it finds nothing: a key */
};

struct load_value {
    bool is_null, is_text, is_blob;
    int64_t integer;
    char text[401];
    uint8_t blob[LOAD_BLOB_MAX];
    size_t blob_length;
};

struct load_table;

/* A row of a file, on its way. */
struct load_row {
    const struct load_table *table;
    const struct load_options *options;
    struct arena *arena; /* of the row, emptied before the next one */
    const char *path;    /* of the file */
    unsigned line;
    struct load_value values[LOAD_COLUMNS_MAX]; /* in the table's order */
    bool is_given[LOAD_COLUMNS_MAX];            /* the file has the column */
    /* The cells as people may see them, cut and without control characters. */
    char shown[LOAD_COLUMNS_MAX][LOAD_SHOWN_MAX];
    bool is_there; /* a row with the same key, `there` */
    struct load_value there[LOAD_COLUMNS_MAX];
    int64_t computed; /* of the table's computed column */
    /* Why it is refused, and for which column (NULL: the row as a whole). */
    const char *refused_column;
    struct error_text refusal;
};

/* What no two rows share. */
struct load_key {
    const char *columns; /* "enterprise_id|contract_no" */
    const char *said;    /* when another row has it: a key of text/load.po */
};

struct load_table {
    const char *name; /* of the file, and of the table if `stored` is NULL */
    struct load_column columns[LOAD_COLUMNS_MAX];
    const char *computed; /* a column that is in no file; NULL: none */
    /* Before it is inserted: sets row->computed; or refuses the row. */
    bool (*compute)(struct db *db, struct load_row *row);
    /* After it was inserted. */
    bool (*note)(struct db *db, const struct load_row *row);
    const char *stored; /* the table that the rows go into */
    /* The first says which row it is; without one, all columns do. */
    struct load_key keys[LOAD_KEYS_MAX];
};

extern const struct load_table LOAD_TABLES[]; /* in order of loading */
extern const size_t LOAD_TABLE_COUNT;

const char *load_column_stored(const struct load_column *column);
const char *load_table_stored(const struct load_table *table);
size_t load_table_columns(const struct load_table *table);
/* The place of a column; the name is one of the table's. */
size_t load_table_find(const struct load_table *table, struct slice name);

const struct load_value *load_row_value(const struct load_row *row,
                                        const char *column);
/* As it stood in the file. */
const char *load_row_shown(const struct load_row *row, const char *column);

/* Reads cell `index` into the row. False when it is refused. */
bool load_value_read(struct load_row *row, size_t index, struct slice text);
/* NULL when the text can be a value of this kind, else what is wrong with it, a
 * key of text/load.po. */
const char *load_value_parse(const struct load_column *column,
                             struct slice text, bool is_sample,
                             struct arena *arena, struct load_value *value);
/* Binds a value to the parameter of that name, without its colon. */
void load_value_bind(struct db_statement *s, const char *name,
                     const struct load_value *value);
/* A column of the current row; `like` says what kind of value it is. */
struct load_value load_value_stored(struct db_statement *s, int column,
                                    const struct load_column *like);
bool load_value_equal(const struct load_value *a, const struct load_value *b);
/* As it would stand in a file; one that is not there as "". */
void load_value_show(const struct load_column *column,
                     const struct load_value *value,
                     char shown[static LOAD_SHOWN_MAX]);

#endif
