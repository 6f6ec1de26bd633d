/* Scope is closed (ORG-02, ORG-12): what nobody named sees nothing. */
#include "portal/access/scope.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static struct account account_of(enum account_role role, const char *id)
{
    struct account account = {
        .role = role, .name = "anna", .state = ACCOUNT_ACTIVE};
    snprintf(account.organisation, sizeof(account.organisation), "%s", id);
    return account;
}

static void test_roles(void)
{
    static const struct {
        enum account_role role;
        enum scope_kind with, without; /* an organisation */
    } CASES[] = {
        {ROLE_NONE, SCOPE_NONE, SCOPE_NONE},
        {ROLE_PROV, SCOPE_ALL, SCOPE_ALL},
        {ROLE_EXP, SCOPE_ASSIGNED, SCOPE_ASSIGNED},
        {ROLE_CITY, SCOPE_CITY, SCOPE_NONE},
        {ROLE_COUNTY, SCOPE_COUNTY, SCOPE_NONE},
        {ROLE_SUPP, SCOPE_SUPPLIER, SCOPE_NONE},
        {ROLE_ENT, SCOPE_ENTERPRISE, SCOPE_NONE},
        {ROLE_OPP, SCOPE_SUMS, SCOPE_SUMS},
        {ROLE_OPC, SCOPE_NONE, SCOPE_NONE}, /* without an end */
        {ROLE_ALLI, SCOPE_PILOT, SCOPE_PILOT},
        {ROLE_AUDT, SCOPE_ALL, SCOPE_ALL},
        {ROLE_PUBLIC, SCOPE_PUBLISHED, SCOPE_PUBLISHED},
        {ROLE_SYS, SCOPE_NONE, SCOPE_NONE},
        {ROLE_COUNT, SCOPE_NONE, SCOPE_NONE},
    };
    const struct wall_time now = wall_from_s(1795420800);
    test_case("each role has its scope, none without its organisation");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct account with = account_of(CASES[i].role, "441500");
        struct account without = account_of(CASES[i].role, "");
        CHECK_I64(scope_of(&with, now).kind, CASES[i].with);
        CHECK_I64(scope_of(&without, now).kind, CASES[i].without);
    }
}

static void test_mandate(void)
{
    const struct wall_time now = wall_from_s(1795420800);
    const struct wall_time later = wall_from_s(1795420801);
    struct account account = account_of(ROLE_OPC, "441500");
    account.has_end = true;
    account.end = later;
    test_case("a mandate ends at its instant");
    CHECK_I64(scope_of(&account, now).kind, SCOPE_CITY);
    CHECK_TEXT(scope_of(&account, now).id, "441500");
    CHECK_I64(scope_of(&account, later).kind, SCOPE_NONE);
    test_case("ORG-04: ... and begins at its first");
    account.has_begin = true;
    account.begin = now;
    CHECK_I64(scope_of(&account, now).kind, SCOPE_CITY);
    CHECK_I64(scope_of(&account, wall_from_s(1795420799)).kind, SCOPE_NONE);
    test_case("an account that is not active sees nothing");
    account.state = ACCOUNT_DISABLED;
    CHECK_I64(scope_of(&account, now).kind, SCOPE_NONE);
}

/* As a list says it: of three kinds, ALL has no place in it. */
static int64_t rows_of(struct db *db, struct scope scope)
{
    struct db_statement *s =
        db_prepare(db, "SELECT count(*) FROM city WHERE CASE :scope"
                       " WHEN 'city' THEN code = :scope_id ELSE 0 END");
    if (s == NULL)
        return -1;
    scope_bind(s, &scope);
    int64_t count = db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    db_reset(s);
    return count;
}

static void test_query(struct db *db)
{
    test_case("a kind that a query does not name has no rows");
    for (int kind = SCOPE_NONE; kind < SCOPE_COUNT; kind++)
        CHECK_I64(rows_of(db, (struct scope){(enum scope_kind)kind, "441500"}),
                  kind == SCOPE_CITY ? 1 : 0);
    CHECK_I64(rows_of(db, (struct scope){0}), 0);
    CHECK_I64(rows_of(db, (struct scope){SCOPE_CITY, ""}), 0);
}

/* portal.db and the program say the same of every role. */
static void test_schema(struct db *db)
{
    enum account_role role = ROLE_NONE;
    int64_t count = 0;
    struct db_statement *s =
        db_prepare(db, "SELECT name, organisation_kind, is_dated FROM role");
    test_case("the table of roles and the program's agree");
    while (s != NULL && db_step(s) == DB_ROW) {
        CHECK(account_role_from(db_text(s, 0), &role));
        CHECK_I64(account_role_is_dated(role), db_i64(s, 2));
        struct account without = account_of(role, "");
        without.has_end = true;
        without.end.us = INT64_MAX;
        CHECK_I64(scope_of(&without, wall_from_s(0)).kind == SCOPE_NONE,
                  strcmp(db_text(s, 1), "none") != 0);
        count++;
    }
    CHECK_I64(count, ROLE_SYS - ROLE_NONE - 1);
}

int main(void)
{
    struct scratch scratch;
    scratch_open(&scratch);
    db_run(scratch.db, "INSERT INTO city (code, name_zh, name_en) VALUES"
                       " ('441500', '汕尾市', 'Shanwei'),"
                       " ('440600', '佛山市', 'Foshan')");
    test_roles();
    test_mandate();
    test_query(scratch.db);
    test_schema(scratch.db);
    scratch_close(&scratch);
    return test_end();
}
