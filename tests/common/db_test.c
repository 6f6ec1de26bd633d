/* SQLite behind one door: opening, migrations, statements, full disks. */
#include "common/db.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/test.h"

static const struct db_migration MIGRATIONS[] = {
    {"001-first.sql", "CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT;"
                      "CREATE TABLE item (id INTEGER PRIMARY KEY,"
                      " parent INTEGER REFERENCES parent(id),"
                      " name TEXT, data BLOB) STRICT;"},
    {"002-second.sql", "ALTER TABLE item ADD COLUMN size INTEGER;"
                       "INSERT INTO parent VALUES (7);"},
};
static const struct db_migration BROKEN[] = {
    {"001-first.sql", "CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT;"},
    {"002-broken.sql",
     "CREATE TABLE half (id INTEGER) STRICT; CREATE TALBE x;"},
};

static char folder[FOLDER_LEN];

static const char *path_of(const char *name)
{
    static char path[300];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static struct db *open_or_fail(const char *name, enum db_mode mode)
{
    struct error_text error = {""};
    bool is_writer = mode == DB_WRITE;
    struct db *db = db_open(path_of(name), mode, is_writer ? MIGRATIONS : NULL,
                            is_writer ? 2 : 0, &error);
    CHECK_TEXT(error.text, "");
    return db;
}

static int64_t count_of(struct db *db, const char *sql)
{
    struct db_statement *s = db_prepare(db, sql);
    int64_t count = -1;
    if (s != NULL && db_step(s) == DB_ROW)
        count = db_i64(s, 0);
    if (s != NULL)
        db_reset(s);
    return count;
}

static bool insert_item(struct db *db, const char *name)
{
    struct db_statement *s =
        db_prepare(db, "INSERT INTO item (name) VALUES (:name)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":name", name);
    return db_do(s);
}

static void test_migrations(void)
{
    struct error_text error = {""};
    struct db *db;
    test_case("a new database gets every migration, an old one the rest");
    db = db_open(path_of("m.db"), DB_WRITE, MIGRATIONS, 1, &error);
    CHECK_I64(count_of(db, "PRAGMA user_version"), 1);
    CHECK_I64(count_of(db, "SELECT count(*) FROM parent"), 0);
    db_close(db);
    db = open_or_fail("m.db", DB_WRITE);
    CHECK_I64(count_of(db, "PRAGMA user_version"), 2);
    CHECK_I64(count_of(db, "SELECT count(*) FROM parent"), 1);
    db_close(db);
    db = open_or_fail("m.db", DB_WRITE);
    CHECK_I64(count_of(db, "SELECT count(*) FROM parent"), 1);
    db_close(db);

    test_case("a database newer than the program is refused");
    db = db_open(path_of("m.db"), DB_WRITE, MIGRATIONS, 1, &error);
    CHECK(db == NULL);
    CHECK(strstr(error.text, "/m.db: schema version 2 is newer than this "
                             "program knows (1)") != NULL);
    CHECK(db_open(path_of("m.db"), DB_READ, MIGRATIONS, 1, &error) == NULL);

    test_case("a migration is applied whole or not at all");
    db = db_open(path_of("b.db"), DB_WRITE, BROKEN, 2, &error);
    CHECK(db == NULL);
    CHECK(strstr(error.text, "/b.db: near \"TALBE\": syntax error "
                             "(002-broken.sql)") != NULL);
    db = db_open(path_of("b.db"), DB_WRITE, BROKEN, 1, &error);
    CHECK_I64(count_of(db, "PRAGMA user_version"), 1);
    CHECK_I64(count_of(db, "SELECT count(*) FROM sqlite_schema"), 1);
    db_close(db);
}

static void test_pragmas(void)
{
    struct db *db = open_or_fail("p.db", DB_WRITE);
    test_case("WAL, synchronous FULL, foreign keys");
    struct db_statement *s = db_prepare(db, "PRAGMA journal_mode");
    CHECK(db_step(s) == DB_ROW);
    CHECK_TEXT(db_text(s, 0), "wal");
    db_reset(s);
    CHECK_I64(count_of(db, "PRAGMA synchronous"), 2);
    CHECK(!db_run(db, "INSERT INTO item (parent) VALUES (99)"));
    CHECK(strstr(db_error(db), "FOREIGN KEY constraint failed") != NULL);
    CHECK(strchr(db_error(db), '\n') == NULL);
    CHECK(db_run(db, "INSERT INTO item (parent) VALUES (7)"));
    db_close(db);
}

static void test_opening(void)
{
    struct error_text error = {""};
    char want[400];
    test_case("files that cannot be opened are named with a reason");
    CHECK(db_open(path_of("none.db"), DB_READ, NULL, 0, &error) == NULL);
    snprintf(want, sizeof(want),
             "%s: unable to open database file: No such file or directory",
             path_of("none.db"));
    CHECK_TEXT(error.text, want);
    CHECK(access(path_of("none.db"), F_OK) != 0);
    CHECK(db_open(path_of("no/where.db"), DB_WRITE, MIGRATIONS, 2, &error) ==
          NULL);
    CHECK(db_open(folder, DB_WRITE, MIGRATIONS, 2, &error) == NULL);
    FILE *f = fopen(path_of("text.db"), "w");
    for (int i = 0; i < 100; i++)
        fputs("this is no database\n", f);
    fclose(f);
    CHECK(db_open(path_of("text.db"), DB_WRITE, MIGRATIONS, 2, &error) == NULL);
    CHECK(strstr(error.text, "file is not a database") != NULL);
    CHECK(db_open(path_of("text.db"), DB_READ, NULL, 0, &error) == NULL);
    CHECK(strstr(error.text, "file is not a database") != NULL);

    test_case("a path may hold what a URI gives a meaning to");
    struct db *db = open_or_fail("odd %20?mode=ro#x&.db", DB_WRITE);
    CHECK(db != NULL && insert_item(db, "x"));
    db_close(db);
    CHECK(access(path_of("odd %20?mode=ro#x&.db"), F_OK) == 0);
    db_close(NULL);
}

static void test_binding(void)
{
    struct db *db = open_or_fail("v.db", DB_WRITE);
    static const char INSERT[] = "INSERT INTO item (id, name, data, size)"
                                 " VALUES (:id, :name, :data, :size)";
    test_case("values go in by name and come out");
    struct db_statement *s = db_prepare(db, INSERT);
    db_bind_i64(s, ":id", INT64_MIN);
    db_bind_slice(s, ":name", SLICE("a\0b"));
    db_bind_blob(s, ":data", "\x00\xff", 2);
    db_bind_u64(s, ":size", INT64_MAX);
    CHECK(db_do(s));
    CHECK_I64(db_changes(db), 1);
    CHECK(db_last_rowid(db) == INT64_MIN);
    s = db_prepare(db, "SELECT id, data, size, parent FROM item");
    CHECK(db_step(s) == DB_ROW);
    CHECK(db_i64(s, 0) == INT64_MIN);
    CHECK_I64((int64_t)db_blob(s, 1).length, 2);
    CHECK(db_u64(s, 2) == INT64_MAX);
    CHECK(db_u64(s, 0) == 0);
    CHECK(db_is_null(s, 3) && !db_is_null(s, 2));
    CHECK_TEXT(db_text(s, 3), "");
    CHECK(db_blob(s, 3).length == 0 && db_i64(s, 3) == 0);
    CHECK(db_step(s) == DB_DONE);

    test_case("a counter that does not fit fails instead of wrapping");
    s = db_prepare(db, INSERT);
    db_bind_u64(s, ":size", (uint64_t)INT64_MAX + 1);
    CHECK(!db_do(s));
    CHECK(strstr(db_error(db), "a value does not fit (INSERT INTO item") !=
          NULL);
    CHECK(!db_is_full(db));

    test_case("the same text gives the same statement, without bindings");
    CHECK(db_prepare(db, INSERT) == s);
    CHECK(db_do(s));
    CHECK_I64(count_of(db, "SELECT count(*) FROM item WHERE name IS NULL"), 1);

    test_case("empty texts and blobs are not NULL");
    s = db_prepare(db, INSERT);
    db_bind_slice(s, ":name", (struct slice){NULL, 0});
    db_bind_blob(s, ":data", NULL, 0);
    db_bind_null(s, ":size");
    CHECK(db_do(s));
    CHECK_I64(count_of(db, "SELECT count(*) FROM item WHERE name = ''"
                           " AND data = x'' AND size IS NULL"),
              1);

    test_case("a wrong statement is a failure with its text");
    CHECK(db_prepare(db, "SELECT\n  absent\nFROM   nowhere") == NULL);
    CHECK(strstr(db_error(db), "no such table: nowhere (SELECT absent FROM "
                               "nowhere)") != NULL);
    db_close(db);
}

static void test_transactions(void)
{
    struct db *db = open_or_fail("t.db", DB_WRITE);
    test_case("rollback and commit");
    CHECK(db_begin(db) && insert_item(db, "a"));
    db_rollback(db);
    db_rollback(db);
    CHECK_I64(count_of(db, "SELECT count(*) FROM item"), 0);
    CHECK(db_begin(db) && insert_item(db, "a") && db_commit(db));
    CHECK_I64(count_of(db, "SELECT count(*) FROM item"), 1);
    CHECK(!db_commit(db));

    test_case("a full disk is told apart, and work goes on with room");
    CHECK(db_run(db, "PRAGMA max_page_count = 8"));
    bool is_good = db_begin(db);
    char large[4000];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    for (int i = 0; is_good && i < 100; i++)
        is_good = insert_item(db, large);
    CHECK(!is_good && db_is_full(db));
    CHECK(strstr(db_error(db), "database or disk is full") != NULL);
    CHECK(strstr(db_trouble(db), "database or disk is full") != NULL);
    CHECK(strstr(db_trouble(db), "INSERT") == NULL);
    db_rollback(db);
    CHECK_I64(count_of(db, "SELECT count(*) FROM item"), 1);
    CHECK(db_run(db, "PRAGMA max_page_count = 1000"));
    CHECK(db_begin(db) && insert_item(db, large) && db_commit(db));
    CHECK(!db_run(db, "nonsense") && !db_is_full(db));
    db_close(db);
}

static void test_readers(void)
{
    struct error_text error = {""};
    static const char COUNT[] = "SELECT count(*) FROM item";
    struct db *writer = open_or_fail("r.db", DB_WRITE);
    struct db *reader = open_or_fail("r.db", DB_READ);
    test_case("a reader works while the writer is in a transaction");
    CHECK(db_begin(writer) && insert_item(writer, "a"));
    CHECK_I64(count_of(reader, COUNT), 0);
    CHECK(db_commit(writer));
    CHECK_I64(count_of(reader, COUNT), 1);

    test_case("a reader's transaction sees one state");
    CHECK(db_begin(reader));
    CHECK_I64(count_of(reader, COUNT), 1);
    CHECK(insert_item(writer, "b"));
    CHECK_I64(count_of(reader, COUNT), 1);
    CHECK(db_commit(reader));
    CHECK_I64(count_of(reader, COUNT), 2);

    test_case("a reader cannot write");
    CHECK(!insert_item(reader, "c"));
    CHECK(!db_run(reader, "CREATE TABLE t (x)"));

    test_case("a reader works after the writer closed");
    db_close(writer);
    CHECK_I64(count_of(reader, COUNT), 2);
    db_close(reader);
    reader = open_or_fail("r.db", DB_READ);
    CHECK_I64(count_of(reader, COUNT), 2);

    test_case("another database attached is readable only");
    db_close(open_or_fail("other.db", DB_WRITE));
    writer = open_or_fail("r.db", DB_WRITE);
    CHECK(db_attach(writer, path_of("other.db"), "other", &error));
    CHECK_I64(count_of(writer, "SELECT count(*) FROM other.parent"), 1);
    CHECK(!db_run(writer, "INSERT INTO other.parent VALUES (1)"));
    CHECK(strstr(db_error(writer), "readonly") != NULL);
    CHECK(db_attach(reader, path_of("other.db"), "other", &error));
    CHECK_I64(count_of(reader, "SELECT count(*) FROM other.parent"), 1);
    CHECK(!db_attach(reader, path_of("none.db"), "none", &error));
    CHECK(strstr(error.text, "/none.db: No such file or directory") != NULL);
    CHECK(access(path_of("none.db"), F_OK) != 0);
    db_close(reader);
    db_close(writer);
}

/* As another user than the writer, without permission to write the folder. */
static int read_as_stranger(void)
{
    struct error_text error = {""};
    char absolute[PATH_MAX]; /* SQLite opens by absolute path, too */
    if (realpath(folder, absolute) == NULL)
        return 2;
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 2;
    if (access(absolute, X_OK) != 0)
        return 0; /* the checkout lies in a folder of root's own */
    struct db *db = db_open(path_of("u.db"), DB_READ, NULL, 0, &error);
    int status =
        db != NULL && count_of(db, "SELECT count(*) FROM item") == 1 ? 0 : 1;
    if (status != 0)
        printf("# %s\n", db != NULL ? db_error(db) : error.text);
    fflush(stdout);
    db_close(db);
    return status;
}

static void test_stranger(bool is_open)
{
    test_case(is_open ? "a reader without write permission, writer open"
                      : "a reader without write permission, writer closed");
    if (geteuid() != 0)
        return; /* only root can become somebody else */
    struct db *writer = open_or_fail("u.db", DB_WRITE);
    if (count_of(writer, "SELECT count(*) FROM item") == 0)
        CHECK(insert_item(writer, "a"));
    if (!is_open)
        db_close(writer);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(read_as_stranger());
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_I64(status, 0);
    if (is_open)
        db_close(writer);
}

int main(void)
{
    folder_make(folder);
    chmod(folder, 0755);
    test_migrations();
    test_pragmas();
    test_opening();
    test_binding();
    test_transactions();
    test_readers();
    test_stranger(true);
    test_stranger(false);
    folder_remove(folder);
    return test_end();
}
