/*
 * SQLite: opening, migrations, statements. sqlite3.h stops at db.c.
 *
 * Each database has one writing program, which opens it with DB_WRITE and its
 * migrations; all others open it read-only. The writer sets WAL, synchronous
 * FULL (a receipt promises durability), foreign keys and a busy timeout. Readers work
 * while the writer writes.
 *
 * A migration is a numbered .sql file of the owner's folder, embedded by the
 * build, applied in one transaction and recorded in user_version. It may rebuild
 * a table that others refer to: references are looked at before it commits. A
 * database newer than the program is refused.
 *
 * Statements are prepared once and bind by name. Errors are remembered by the
 * db with the statement's text; the caller looks at the step's result.
 */
#ifndef COMMON_DB_H
#define COMMON_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "common/slice.h"

struct db;
struct db_statement;

enum db_mode { DB_WRITE, DB_READ };
enum db_step { DB_ROW, DB_DONE, DB_FAILED };

struct db_migration {
    const char *name; /* "001-ledger.sql", for messages */
    const char *sql;
};

/* NULL with a reason such as "usage.db: unable to open database file". With
 * DB_READ migrations are not applied and may be NULL, 0. The path "" gives a
 * temporary database on disk that goes away with db_close(), ":memory:" one in
 * memory. With DB_WRITE what is found committed is on disk when this returns,
 * also when its writer was killed before it could see to it. */
struct db *db_open(const char *path, enum db_mode mode,
                   const struct db_migration *migrations, size_t count,
                   struct error_text *error);
void db_close(struct db *db); /* also finalises its statements */
/* The last failure, one line, naming the file; never NULL. */
const char *db_error(const struct db *db);
/* The same for somebody who does not know our tables: the file and its
 * trouble, "portal.db: database or disk is full", never a statement. */
const char *db_trouble(const struct db *db);
/* The disk is full: work may go on once there is room again. */
bool db_is_full(const struct db *db);

/* Makes another database readable as `name.table`, read-only. */
bool db_attach(struct db *db, const char *path, const char *name,
               struct error_text *error);
/* The same name, with the tables of these migrations and no rows, in memory:
 * for a reader while the file is not there. */
bool db_attach_empty(struct db *db, const struct db_migration *migrations,
                     size_t count, const char *name, struct error_text *error);
/* Takes it off again; outside a transaction, with all statements reset. */
bool db_detach(struct db *db, const char *name);

bool db_begin(struct db *db);
/* One view of what is committed, without keeping other writers waiting; ended
 * by db_rollback, or by the second, which also resets every statement, so that
 * none that was left half read keeps the view. */
bool db_begin_reading(struct db *db);
void db_end_reading(struct db *db);
bool db_commit(struct db *db); /* rolls back by itself on failure */
void db_rollback(struct db *db);
/* Statements without results or parameters, such as a pragma. */
bool db_run(struct db *db, const char *sql);

/* Prepared once for the life of the db: the same text gives the same
 * statement, reset and with no bindings. NULL on failure (a bug in the text,
 * or a database without the table; see db_error). */
struct db_statement *db_prepare(struct db *db, const char *sql);
/* Names are written as in the text, with the colon: ":voucher". A name that
 * the text does not have is a bug (assert). */
void db_bind_i64(struct db_statement *s, const char *name, int64_t value);
/* Counters above INT64_MAX make the next step fail instead of wrapping. */
void db_bind_u64(struct db_statement *s, const char *name, uint64_t value);
void db_bind_text(struct db_statement *s, const char *name, const char *text);
void db_bind_slice(struct db_statement *s, const char *name, struct slice text);
void db_bind_blob(struct db_statement *s, const char *name, const void *data,
                  size_t length);
void db_bind_null(struct db_statement *s, const char *name);
/* Bound text and blobs are borrowed until the statement is stepped to its end
 * or prepared again. */
enum db_step db_step(struct db_statement *s);
/* Steps once and resets: for INSERT, UPDATE, DELETE. True when done. */
bool db_do(struct db_statement *s);
void db_reset(struct db_statement *s);

/* Columns of the current row, from 0. Text and blobs are borrowed until the
 * next step. NULL reads as 0, "" or an empty slice. */
int64_t db_i64(struct db_statement *s, int column);
uint64_t db_u64(struct db_statement *s, int column);
const char *db_text(struct db_statement *s, int column);
struct slice db_blob(struct db_statement *s, int column);
bool db_is_null(struct db_statement *s, int column);
/* The place of a column by its name in the text; a name that is not there is a
 * bug (assert). */
int db_column(struct db_statement *s, const char *name);
/* The name of a column; NULL when there are not so many. */
const char *db_column_name(struct db_statement *s, int column);
int64_t db_last_rowid(const struct db *db);
int64_t db_changes(const struct db *db);

#endif
