/*
 * SQLite behind one door.
 *
 * Files are opened and attached by URI, which is where "read-only" is said. The
 * writer keeps its -wal and -shm files when it closes (truncated): a reader
 * without write permission in the folder can then open the database whether or
 * not the writer is running.
 *
 * Statements live in a hash table keyed by their text, so that functions can
 * "prepare" where they stand and pay for it once. A statement that is stepped
 * to its end is reset at once: an open read would hold back checkpoints.
 *
 * After SQLITE_FULL or an I/O error SQLite may have ended the transaction by
 * itself; commit and rollback ask it instead of counting.
 */
#include "common/db.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/buffer.h"

enum {
    BUSY_TIMEOUT_MS = 10000,
    STATEMENT_CHAINS = 64,
    URI_LIMIT = 16384,
    ERROR_SQL_LENGTH = 120,
};

struct db_statement {
    struct db_statement *next; /* of the same chain */
    struct db *db;
    sqlite3_stmt *handle;
    bool is_running; /* stepped and not reset */
    bool has_bad_binding;
    char sql[]; /* as prepared */
};

struct db {
    sqlite3 *handle;
    enum db_mode mode;
    bool is_full;
    char error[1024], trouble[1024];
    struct db_statement *chains[STATEMENT_CHAINS];
    char path[]; /* for messages */
};

/* ---- errors ---- */

/* The start of a statement on one line. */
static void flatten_sql(const char *sql, char text[static ERROR_SQL_LENGTH])
{
    size_t length = 0;
    bool was_blank = true;
    for (; *sql != '\0' && length < ERROR_SQL_LENGTH - 4; sql++) {
        bool is_blank = strchr(" \t\r\n", *sql) != NULL;
        if (!is_blank)
            text[length++] = *sql;
        else if (!was_blank)
            text[length++] = ' ';
        was_blank = is_blank;
    }
    snprintf(text + length, 4, "%s", *sql != '\0' ? "..." : "");
}

/* Remembers what the handle last failed with; sql may be NULL. */
static void note_failure(struct db *db, const char *sql)
{
    char text[ERROR_SQL_LENGTH] = "";
    int system = sqlite3_system_errno(db->handle);
    int code = sqlite3_errcode(db->handle) & 0xff;
    bool is_system =
        (code == SQLITE_CANTOPEN || code == SQLITE_IOERR) && system != 0;
    if (sql != NULL)
        flatten_sql(sql, text);
    db->is_full = code == SQLITE_FULL || (is_system && system == ENOSPC);
    snprintf(db->error, sizeof(db->error), "%s: %s%s%s%s%s%s", db->path,
             sqlite3_errmsg(db->handle), is_system ? ": " : "",
             is_system ? strerror(system) : "", sql != NULL ? " (" : "", text,
             sql != NULL ? ")" : "");
    snprintf(db->trouble, sizeof(db->trouble), "%s: %s%s%s", db->path,
             sqlite3_errstr(code), is_system ? ": " : "",
             is_system ? strerror(system) : "");
}

static void note_text(struct db *db, const char *what, const char *sql)
{
    char text[ERROR_SQL_LENGTH];
    flatten_sql(sql, text);
    db->is_full = false;
    snprintf(db->error, sizeof(db->error), "%s: %s (%s)", db->path, what, text);
    snprintf(db->trouble, sizeof(db->trouble), "%s: %s", db->path, what);
}

const char *db_error(const struct db *db)
{
    return db->error;
}

const char *db_trouble(const struct db *db)
{
    return db->trouble;
}

bool db_is_full(const struct db *db)
{
    return db->is_full;
}

/* ---- transactions ---- */

bool db_run(struct db *db, const char *sql)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    note_failure(db, sql);
    return false;
}

bool db_begin(struct db *db)
{
    db->is_full = false; /* said of the last failure only */
    /* A writer takes the lock now: asking later can fail half way. */
    return db_run(db, db->mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN");
}

bool db_begin_reading(struct db *db)
{
    db->is_full = false;
    return db_run(db, "BEGIN");
}

void db_end_reading(struct db *db)
{
    for (size_t i = 0; i < STATEMENT_CHAINS; i++)
        for (struct db_statement *s = db->chains[i]; s != NULL; s = s->next)
            if (s->is_running)
                db_reset(s);
    db_rollback(db);
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_commit(struct db *db)
{
    if (db_run(db, "COMMIT"))
        return true;
    db_rollback(db);
    return false;
}

/* ---- opening ---- */

/* "file:///a/b%20c.db?mode=ro"; a relative path stays relative. */
static bool make_uri(struct buffer *uri, const char *path, const char *mode)
{
    buffer_init(uri, URI_LIMIT);
    buffer_add_text(uri, path[0] == '/' ? "file://" : "file:");
    for (const char *p = path; *p != '\0'; p++) {
        if (strchr("%?# ", *p) != NULL)
            buffer_addf(uri, "%%%02x", (unsigned char)*p);
        else
            buffer_add_u8(uri, (uint8_t)*p);
    }
    buffer_addf(uri, "?mode=%s", mode);
    buffer_add_u8(uri, '\0');
    return !uri->failed;
}

static bool read_version(struct db *db, int64_t *version)
{
    struct db_statement *s = db_prepare(db, "PRAGMA user_version");
    if (s == NULL || db_step(s) != DB_ROW)
        return false;
    *version = db_i64(s, 0);
    db_reset(s);
    return true;
}

/* The version is read again inside the transaction: two programs may have
 * started at the same moment. */
/* Every reference leads to a row. */
static bool references_hold(struct db *db)
{
    struct db_statement *s = db_prepare(db, "PRAGMA foreign_key_check");
    enum db_step step = s != NULL ? db_step(s) : DB_FAILED;
    if (step == DB_ROW)
        snprintf(db->error, sizeof(db->error),
                 "%s: table %s has a row that refers to none in %s", db->path,
                 db_text(s, 0), db_text(s, 2));
    if (s != NULL)
        db_reset(s);
    return step == DB_DONE;
}

static bool apply_migration(struct db *db, const struct db_migration *migration,
                            size_t number)
{
    char set_version[64];
    int64_t version;
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %zu",
             number);
    if (!db_begin(db))
        return false;
    if (!read_version(db, &version))
        goto failed;
    if (version >= (int64_t)number)
        return db_commit(db);
    if (sqlite3_exec(db->handle, migration->sql, NULL, NULL, NULL)) {
        note_failure(db, migration->name);
        goto failed;
    }
    if (!db_run(db, set_version) || !references_hold(db))
        goto failed;
    return db_commit(db);
failed:
    db_rollback(db);
    return false;
}

static bool migrate(struct db *db, const struct db_migration *migrations,
                    size_t count)
{
    int64_t version;
    if (!read_version(db, &version))
        return false;
    if (version < 0 || (migrations != NULL && version > (int64_t)count)) {
        snprintf(db->error, sizeof(db->error),
                 "%s: schema version %lld is newer than this program knows "
                 "(%zu)",
                 db->path, (long long)version, count);
        return false;
    }
    if (db->mode == DB_READ || version == (int64_t)count)
        return true;
    /* A table that others refer to can be rebuilt then (SQLite, "Making other
     * kinds of table schema changes"); each migration looks at its end. */
    bool good = db_run(db, "PRAGMA foreign_keys = OFF");
    for (size_t i = (size_t)version; good && i < count; i++)
        good = apply_migration(db, &migrations[i], i + 1);
    return good && db_run(db, "PRAGMA foreign_keys = ON");
}

/* SQLite answers with the mode it could set; a database in memory and a
 * temporary one have their own. */
static bool set_journal(struct db *db)
{
    static const char SQL[] = "PRAGMA journal_mode = WAL";
    struct db_statement *s = db_prepare(db, SQL);
    if (s == NULL || db_step(s) != DB_ROW)
        return false;
    bool is_good = strcmp(db_text(s, 0), "wal") == 0 ||
                   strcmp(db_text(s, 0), "memory") == 0 || db->path[0] == '\0';
    db_reset(s);
    if (!is_good)
        note_text(db, "write-ahead logging is not possible here", SQL);
    return is_good;
}

/* A program that was killed may have left a commit in the write-ahead log that
 * the kernel has and the disk has not. Readers take it for done, so it is made
 * sure before anybody is told of it: the log is synced, and copied into the
 * database as far as readers allow. */
static bool secure_log(struct db *db)
{
    return db_run(db, "PRAGMA wal_checkpoint(PASSIVE)");
}

static bool set_up(struct db *db)
{
    int keep = 1;
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (!db_run(db, "PRAGMA foreign_keys = ON"))
        return false;
    if (db->mode == DB_READ)
        return db_run(db, "PRAGMA query_only = ON");
    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    return set_journal(db) && db_run(db, "PRAGMA synchronous = FULL") &&
           db_run(db, "PRAGMA journal_size_limit = 67108864") && secure_log(db);
}

static bool open_handle(struct db *db, const char *path)
{
    struct buffer uri;
    bool is_reader = db->mode == DB_READ;
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
    flags |= is_reader ? SQLITE_OPEN_READONLY
                       : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    bool is_good = make_uri(&uri, path, is_reader ? "ro" : "rwc");
    if (!is_good) {
        snprintf(db->error, sizeof(db->error), "%s: out of memory", db->path);
        goto out;
    }
    is_good = sqlite3_open_v2((const char *)uri.data, &db->handle, flags,
                              NULL) == SQLITE_OK;
    if (!is_good)
        note_failure(db, NULL);
out:
    buffer_clear(&uri);
    return is_good;
}

/* SQLite counts its memory under one lock for all connections: threads would
 * wait there for one another, and busy ones for those that yield. */
static void set_up_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct db *db_open(const char *path, enum db_mode mode,
                   const struct db_migration *migrations, size_t count,
                   struct error_text *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t path_size = strlen(path) + 1;
    struct db *db = calloc(1, sizeof(*db) + path_size);
    pthread_once(&once, set_up_library);
    if (db == NULL) {
        error_set(error, "%s: out of memory", path);
        return NULL;
    }
    memcpy(db->path, path, path_size);
    db->mode = mode;
    snprintf(db->error, sizeof(db->error), "%s: no failure", path);
    snprintf(db->trouble, sizeof(db->trouble), "%s", db->error);
    if (open_handle(db, path) && set_up(db) && migrate(db, migrations, count))
        return db;
    error_set(error, "%s", db->error);
    db_close(db);
    return NULL;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_CHAINS; i++) {
        while (db->chains[i] != NULL) {
            struct db_statement *s = db->chains[i];
            db->chains[i] = s->next;
            sqlite3_finalize(s->handle);
            free(s);
        }
    }
    sqlite3_close(db->handle);
    free(db);
}

bool db_attach(struct db *db, const char *path, const char *name,
               struct error_text *error)
{
    struct buffer uri;
    struct db_statement *s = NULL;
    bool is_good = make_uri(&uri, path, "ro");
    if (is_good)
        s = db_prepare(db, "ATTACH DATABASE :uri AS :name");
    if (s != NULL) {
        db_bind_text(s, ":uri", (const char *)uri.data);
        db_bind_text(s, ":name", name);
    }
    is_good = s != NULL && db_do(s);
    if (!is_good) {
        int system = sqlite3_system_errno(db->handle);
        bool is_missing =
            (sqlite3_errcode(db->handle) & 0xff) == SQLITE_CANTOPEN;
        error_set(error, "%s: %s", path,
                  is_missing && system != 0 ? strerror(system)
                                            : sqlite3_errmsg(db->handle));
    }
    buffer_clear(&uri);
    return is_good;
}

static bool attach_memory(struct db *db, const char *name)
{
    struct db_statement *s =
        db_prepare(db, "ATTACH DATABASE 'file:empty?mode=memory' AS :name");
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", name);
    return db_do(s);
}

/* Page by page, since the migrations name no database. */
static bool copy_database(struct db *to, const char *name, struct db *from)
{
    sqlite3_backup *backup =
        sqlite3_backup_init(to->handle, name, from->handle, "main");
    if (backup == NULL)
        return false;
    sqlite3_backup_step(backup, -1);
    return sqlite3_backup_finish(backup) == SQLITE_OK;
}

bool db_attach_empty(struct db *db, const struct db_migration *migrations,
                     size_t count, const char *name, struct error_text *error)
{
    struct db *made = db_open(":memory:", DB_WRITE, migrations, count, error);
    if (made == NULL)
        return false;
    bool good = (attach_memory(db, name) && copy_database(db, name, made)) ||
                error_set(error, "%s: %s", name, sqlite3_errmsg(db->handle));
    db_close(made);
    return good;
}

bool db_detach(struct db *db, const char *name)
{
    struct db_statement *s = db_prepare(db, "DETACH DATABASE :name");
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", name);
    return db_do(s);
}

/* ---- statements ---- */

static struct db_statement **chain_of(struct db *db, const char *sql)
{
    return &db->chains[slice_hash(slice_of_text(sql)) % STATEMENT_CHAINS];
}

void db_reset(struct db_statement *s)
{
    sqlite3_reset(s->handle);
    s->is_running = false;
    s->has_bad_binding = false;
}

static struct db_statement *new_statement(struct db *db, const char *sql)
{
    size_t size = strlen(sql) + 1;
    const char *rest = NULL;
    struct db_statement *s = calloc(1, sizeof(*s) + size);
    if (s == NULL) {
        note_text(db, "out of memory", sql);
        return NULL;
    }
    s->db = db;
    memcpy(s->sql, sql, size);
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &s->handle, &rest) != SQLITE_OK) {
        note_failure(db, sql);
        free(s);
        return NULL;
    }
    /* The rest of the text would silently never run. */
    assert(s->handle != NULL && rest[strspn(rest, " \t\r\n;")] == '\0');
    return s;
}

struct db_statement *db_prepare(struct db *db, const char *sql)
{
    struct db_statement **chain = chain_of(db, sql);
    for (struct db_statement *s = *chain; s != NULL; s = s->next) {
        if (strcmp(s->sql, sql) == 0) {
            db_reset(s);
            sqlite3_clear_bindings(s->handle);
            return s;
        }
    }
    struct db_statement *s = new_statement(db, sql);
    if (s != NULL) {
        s->next = *chain;
        *chain = s;
    }
    return s;
}

/* Where the name stands in the text; a running statement takes no values. */
static int index_of(struct db_statement *s, const char *name)
{
    int index = sqlite3_bind_parameter_index(s->handle, name);
    assert(index > 0);
    if (s->is_running)
        db_reset(s);
    return index;
}

/* Fails for lack of memory or a value beyond SQLite's size limit. */
static void check_binding(struct db_statement *s, int code)
{
    if (code != SQLITE_OK)
        s->has_bad_binding = true;
}

void db_bind_i64(struct db_statement *s, const char *name, int64_t value)
{
    check_binding(s, sqlite3_bind_int64(s->handle, index_of(s, name), value));
}

void db_bind_u64(struct db_statement *s, const char *name, uint64_t value)
{
    if (value > INT64_MAX)
        s->has_bad_binding = true;
    else
        db_bind_i64(s, name, (int64_t)value);
}

void db_bind_slice(struct db_statement *s, const char *name, struct slice text)
{
    const char *data = text.data != NULL ? text.data : "";
    check_binding(s,
                  sqlite3_bind_text64(s->handle, index_of(s, name), data,
                                      text.length, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_text(struct db_statement *s, const char *name, const char *text)
{
    if (text == NULL)
        db_bind_null(s, name);
    else
        db_bind_slice(s, name, slice_of_text(text));
}

void db_bind_blob(struct db_statement *s, const char *name, const void *data,
                  size_t length)
{
    const void *bytes = data != NULL ? data : "";
    check_binding(s, sqlite3_bind_blob64(s->handle, index_of(s, name), bytes,
                                         length, SQLITE_STATIC));
}

void db_bind_null(struct db_statement *s, const char *name)
{
    check_binding(s, sqlite3_bind_null(s->handle, index_of(s, name)));
}

enum db_step db_step(struct db_statement *s)
{
    if (s->has_bad_binding) {
        note_text(s->db, "a value does not fit", s->sql);
        return DB_FAILED;
    }
    int code = sqlite3_step(s->handle);
    s->is_running = code == SQLITE_ROW;
    if (code == SQLITE_ROW)
        return DB_ROW;
    if (code != SQLITE_DONE)
        note_failure(s->db, s->sql);
    sqlite3_reset(s->handle);
    return code == SQLITE_DONE ? DB_DONE : DB_FAILED;
}

bool db_do(struct db_statement *s)
{
    enum db_step step = db_step(s);
    db_reset(s);
    return step != DB_FAILED;
}

int64_t db_i64(struct db_statement *s, int column)
{
    return sqlite3_column_int64(s->handle, column);
}

uint64_t db_u64(struct db_statement *s, int column)
{
    int64_t value = db_i64(s, column);
    return value < 0 ? 0 : (uint64_t)value;
}

const char *db_text(struct db_statement *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s->handle, column);
    return text != NULL ? (const char *)text : "";
}

struct slice db_blob(struct db_statement *s, int column)
{
    const void *data = sqlite3_column_blob(s->handle, column);
    int length = sqlite3_column_bytes(s->handle, column);
    if (data == NULL)
        return SLICE("");
    return slice_of_bytes(data, (size_t)length);
}

bool db_is_null(struct db_statement *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

int db_column(struct db_statement *s, const char *name)
{
    int column = 0, count = sqlite3_column_count(s->handle);
    while (column < count &&
           strcmp(sqlite3_column_name(s->handle, column), name) != 0)
        column++;
    assert(column < count);
    return column;
}

const char *db_column_name(struct db_statement *s, int column)
{
    return column < sqlite3_column_count(s->handle)
               ? sqlite3_column_name(s->handle, column)
               : NULL;
}

int64_t db_last_rowid(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}
