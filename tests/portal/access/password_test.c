/* Passwords, and the accounts that have them (ORG-12). */
#include "portal/access/account.h"
#include "portal/access/password.h"
#include "portal/access/scope.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static const char RIGHT[] = "right password";

static struct wall_time at(int64_t minutes)
{
    return wall_from_s(1795420800 + minutes * 60);
}

static void test_hash(void)
{
    char hash[PASSWORD_HASH_LEN], again[PASSWORD_HASH_LEN];
    test_case("a password is checked against its hash");
    CHECK(password_hash(RIGHT, hash) && password_hash(RIGHT, again));
    CHECK(strcmp(hash, again) != 0);
    CHECK(strncmp(hash, "$argon2id$", 10) == 0);
    CHECK(password_check(hash, RIGHT));
    CHECK(!password_check(hash, "other password"));
    test_case("no hash: the same work, never right");
    CHECK(!password_check("", RIGHT));
    CHECK(!password_check("nonsense", RIGHT));
}

static void test_rules(void)
{
    static const struct {
        const char *password;
        bool good;
    } CASES[] = {
        {"", false},
        {"123456789", false},
        {"1234567890", true},
        {"\xe4\xb8\x80\xe4\xb8\x80\xe4\xb8\x80\xe4\xb8\x80", false},
        {"ten letters\x01", false},
        {"not utf-8 \xff\xff", false},
    };
    struct error_text error;
    test_case("a password has at least 10 characters of clean text");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        CHECK_I64(password_is_acceptable(CASES[i].password, &error),
                  CASES[i].good);
    char longest[400];
    memset(longest, 'a', sizeof(longest));
    longest[399] = '\0';
    CHECK(!password_is_acceptable(longest, &error));
}

static void test_judge(void)
{
    static const char *const WORDS[] = {
        "anna.wang", "anna@shanwei-test.example", "汕尾测试制造", NULL};
    static const struct {
        const char *password;
        enum password_fault fault;
    } CASES[] = {
        {"short", PASSWORD_SHORT},
        {"two horses behind a hedge", PASSWORD_FINE},
        {"tief-blau-Regen", PASSWORD_FINE},
        {"山上的风吹过稻田很久", PASSWORD_FINE},
        {"Password-2018", PASSWORD_KNOWN},
        {"password-anna", PASSWORD_KNOWN},
        {"Guangdong2018!", PASSWORD_KNOWN},
        {"1234567890", PASSWORD_KNOWN},
        {"aaaaaaaaaaaaaaaa", PASSWORD_KNOWN},
        {"Shanwei-Wang-1987", PASSWORD_KNOWN},
        {"汕尾测试制造12345678", PASSWORD_KNOWN},
        {"not utf-8 \xff\xff", PASSWORD_UNREADABLE},
    };
    test_case("ORG-12: what others try first is no password");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        CHECK_I64(password_judge(CASES[i].password, WORDS), CASES[i].fault);
}

static bool add(struct db *db, const char *name, enum account_role role,
                const char *organisation)
{
    struct error_text error;
    struct account account = {.role = role};
    snprintf(account.name, sizeof(account.name), "%s", name);
    snprintf(account.organisation, sizeof(account.organisation), "%s",
             organisation);
    return account_add(db, at(0), &account, RIGHT, &error);
}

static void test_accounts(struct db *db)
{
    struct account found;
    test_case("an account's organisation exists and fits the role");
    CHECK(add(db, "anna", ROLE_PROV, ""));
    CHECK(!add(db, "bert", ROLE_PROV, "441500"));
    CHECK(!add(db, "bert", ROLE_CITY, ""));
    CHECK(!add(db, "bert", ROLE_CITY, "999999"));
    CHECK(!add(db, "bert", ROLE_ENT, "441500"));
    CHECK(add(db, "bert", ROLE_CITY, "441500"));
    test_case("names: once, and of plain characters");
    CHECK(!add(db, "anna", ROLE_PROV, ""));
    CHECK(!add(db, "an na", ROLE_PROV, ""));
    CHECK(!add(db, "", ROLE_PROV, ""));
    CHECK(account_find(db, "bert", &found));
    CHECK(found.role == ROLE_CITY);
    CHECK(scope_of(&found, at(0)).kind == SCOPE_CITY);
    CHECK_TEXT(scope_of(&found, at(0)).id, "441500");
    test_case("the schema holds role and organisation together as well");
    CHECK(!db_run(db, "UPDATE account SET organisation = ''"
                      " WHERE name = 'bert'"));
    CHECK(!db_run(db, "UPDATE account SET role = 'PROV' WHERE name = 'bert'"));
    CHECK(!db_run(db, "UPDATE account SET role = 'OPC' WHERE name = 'bert'"));
    CHECK(!db_run(db, "UPDATE account SET role = 'BOSS' WHERE name = 'bert'"));
    CHECK(!db_run(db, "INSERT INTO account (name, role, display_name,"
                      " password_hash, created_at)"
                      " VALUES ('cleo', 'CITY', '', '', 0)"));
}

int main(void)
{
    struct scratch scratch;
    CHECK(password_init());
    scratch_open(&scratch);
    db_run(scratch.db, "INSERT INTO city (code, name_zh, name_en) VALUES"
                       " ('441500', '汕尾市', 'Shanwei')");
    test_hash();
    test_rules();
    test_judge();
    test_accounts(scratch.db);
    scratch_close(&scratch);
    return test_end();
}
