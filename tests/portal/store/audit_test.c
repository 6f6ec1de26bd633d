/* The audit chain: whole, append-only, and any change is found (AUD-02). */
#include "portal/store/act.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static void add_rows(struct db *db, int count)
{
    struct audit_entry entry = {"anna", "login", "", "OK"};
    struct error_text error;
    const struct digest one = digest_of("1", 1), two = digest_of("2", 1);
    for (int i = 0; i < count; i++) {
        entry.before = i % 3 == 0 ? NULL : &one;
        entry.after = i % 3 == 2 ? NULL : &two;
        CHECK(act_on(db, wall_from_s(1795420800 + i), &entry, NULL, NULL,
                     &error) == ACT_KEPT);
    }
}

static enum act_end half_done(struct db *db, struct wall_time now,
                              void *context, struct error_text *error)
{
    (void)now;
    error_set(error, "no");
    return db_run(db, "INSERT INTO city (code, name_zh, name_en)"
                      " VALUES ('1', '', '')")
               ? *(enum act_end *)context
               : ACT_FAILED;
}

static int64_t count_of(struct db *db, const char *sql)
{
    struct db_statement *s = db_prepare(db, sql);
    int64_t count = s != NULL && db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    if (s != NULL)
        db_reset(s);
    return count;
}

/* An act and its row, or neither. */
static void test_acts(struct db *db)
{
    static const enum act_end ENDS[] = {ACT_REFUSED, ACT_FAILED, ACT_KEPT};
    const struct audit_entry entry = {"anna", "half", "", "OK"};
    test_case("AUD-01: an act is kept with its row, or neither is");
    for (size_t i = 0; i < sizeof(ENDS) / sizeof(ENDS[0]); i++) {
        struct error_text error = {""};
        enum act_end end = ENDS[i];
        int64_t kept = end == ACT_KEPT;
        CHECK_I64(act_on(db, wall_from_s(1), &entry, half_done, &end, &error),
                  end);
        CHECK_I64(count_of(db, "SELECT count(*) FROM city"), kept);
        CHECK_I64(count_of(db, "SELECT count(*) FROM audit"
                               " WHERE action = 'half'"),
                  kept);
    }
}

/* Changes the log as somebody with the file in hands would. */
static void tamper(struct db *db, const char *sql)
{
    CHECK(db_run(db, "DROP TRIGGER audit_no_update"));
    CHECK(db_run(db, "DROP TRIGGER audit_no_delete"));
    CHECK(db_run(db, sql));
}

struct tamper_case {
    const char *name, *sql, *reason;
};

static const struct tamper_case CASES[] = {
    {"AUD-02: a changed text", "UPDATE audit SET actor = 'bert' WHERE seq = 3",
     "broken at row 3"},
    {"AUD-02: a changed time", "UPDATE audit SET at = at + 1 WHERE seq = 5",
     "broken at row 5"},
    {"AUD-02: a removed row", "DELETE FROM audit WHERE seq = 2",
     "broken at row 2"},
    {"AUD-02: a changed hash",
     "UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", "broken at row 4"},
    {"AUD-02: another record before",
     "UPDATE audit SET before_hash = zeroblob(32) WHERE seq = 2",
     "broken at row 2"},
    {"AUD-02: no record after",
     "UPDATE audit SET after_hash = NULL"
     " WHERE seq = 5",
     "broken at row 5"},
    {"AUD-02: a record moved from before to after",
     "UPDATE audit SET before_hash = NULL, after_hash = before_hash"
     " WHERE seq = 3",
     "broken at row 3"},
    {"AUD-02: text moved between columns",
     "UPDATE audit SET actor = 'annalo', action = 'gin' WHERE seq = 1",
     "broken at row 1"},
};

static void run_case(const struct tamper_case *c)
{
    struct scratch scratch;
    struct error_text error = {""};
    uint64_t count = 0;
    scratch_open(&scratch);
    test_case(c->name);
    add_rows(scratch.db, 6);
    tamper(scratch.db, c->sql);
    CHECK(!audit_check(scratch.db, &count, &error));
    if (!CHECK(strstr(error.text, c->reason) != NULL))
        printf("# %s\n", error.text);
    scratch_close(&scratch);
}

int main(void)
{
    struct scratch scratch;
    struct error_text error;
    uint64_t count = 99;
    scratch_open(&scratch);
    test_case("an empty log is whole");
    CHECK(audit_check(scratch.db, &count, &error));
    CHECK_I64(count, 0);
    add_rows(scratch.db, 20);
    test_case("rows written one after the other make a chain");
    CHECK(audit_check(scratch.db, &count, &error));
    CHECK_I64(count, 20);
    test_case("AUD-01: rows are neither changed nor removed");
    CHECK(!db_run(scratch.db, "UPDATE audit SET actor = 'bert'"));
    CHECK(!db_run(scratch.db, "DELETE FROM audit"));
    test_acts(scratch.db);
    scratch_close(&scratch);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        run_case(&CASES[i]);
    return test_end();
}
