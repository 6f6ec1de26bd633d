/* Log-in that strangers cannot deny (ORG-12), at made-up times. */
#include <stdio.h>

#include "portal/access/account.h"
#include "portal/access/login.h"
#include "portal/access/password.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

static const char RIGHT[] = "right password", WRONG[] = "wrong password";
static const struct secret KEY = {{1}};

static struct wall_time at_s(int64_t seconds)
{
    return wall_from_s(1795420800 + seconds);
}

static void set(struct login_try *try, const char *name, const char *from)
{
    struct address address = {0};
    CHECK(address_from_text(slice_of_text(from), &address));
    login_try_set(try, &KEY, name, &address);
}

/* One attempt, all steps; LOGIN_FAILED: the network was told to wait. */
static enum login_result attempt(struct db *db, int64_t seconds,
                                 const char *name, const char *from,
                                 const char *password)
{
    struct login_try try;
    unsigned wait_s;
    set(&try, name, from);
    enum login_gate gate = login_ask(db, at_s(seconds), &try, &wait_s);
    enum login_result result = LOGIN_REFUSED;
    if (gate == LOGIN_PACED)
        return LOGIN_FAILED;
    if (gate == LOGIN_OPEN)
        result = login_check_password(db, &try, password);
    CHECK(db_begin(db));
    if (gate == LOGIN_LOCKED)
        CHECK(login_note_locked(db, at_s(seconds), &try));
    else
        result = login_note(db, at_s(seconds), &try, result);
    CHECK(db_commit(db));
    return result;
}

/* A failure as login_note leaves it, without the hash's time. */
static void fail(struct db *db, int64_t seconds, const char *name,
                 const char *from)
{
    struct login_try try;
    set(&try, name, from);
    CHECK(login_note(db, at_s(seconds), &try, LOGIN_REFUSED) == LOGIN_REFUSED);
}

static int64_t count(struct db *db, const char *sql)
{
    struct db_statement *s = db_prepare(db, sql);
    int64_t number = s != NULL && db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    if (s != NULL)
        db_reset(s);
    return number;
}

static void add(struct db *db, const char *name)
{
    struct account account = {.role = ROLE_PROV};
    struct error_text error;
    snprintf(account.name, sizeof(account.name), "%s", name);
    CHECK(account_add(db, at_s(0), &account, RIGHT, &error));
}

static void test_networks(void)
{
    static const struct {
        const char *address, *network;
    } CASES[] = {
        {"203.0.113.77", "203.0.113.0/24"},
        {"::ffff:203.0.113.77", "203.0.113.0/24"},
        {"2001:db8:1:2ff::1", "2001:db8:1:200::/56"},
    };
    struct login_try try;
    test_case("a network is /24 of IPv4, /56 of IPv6");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        set(&try, "x", CASES[i].address);
        CHECK_TEXT(try.network, CASES[i].network);
    }
}

static void test_lock(struct db *db)
{
    test_case("ORG-12: five wrong attempts lock the name for that network, "
              "also for the right password");
    CHECK(attempt(db, 0, "anna", "203.0.113.1", RIGHT) == LOGIN_OK);
    for (int i = 0; i < LOGIN_FAILURES; i++)
        CHECK(attempt(db, 60, "anna", "203.0.113.1", WRONG) == LOGIN_REFUSED);
    CHECK(attempt(db, 60, "anna", "203.0.113.200", RIGHT) == LOGIN_REFUSED);
    CHECK(attempt(db, 959, "anna", "203.0.113.1", RIGHT) == LOGIN_REFUSED);
    test_case("ORG-12: ... and for no other network");
    CHECK(attempt(db, 61, "anna", "198.51.100.9", RIGHT) == LOGIN_OK);
    test_case("ORG-12: a refused attempt at a locked name is in the audit log");
    CHECK_I64(count(db, "SELECT count(*) FROM audit WHERE actor = 'anna'"
                        " AND action = 'login.locked' AND result = 'DENIED'"
                        " AND object = '203.0.113.200'"),
              1);
    test_case("ORG-12: after 15 minutes the lock is over, and counting begins "
              "anew");
    CHECK(attempt(db, 960, "anna", "203.0.113.1", WRONG) == LOGIN_REFUSED);
    CHECK(attempt(db, 961, "anna", "203.0.113.1", RIGHT) == LOGIN_OK);
    test_case("a login clears the failures before it");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < LOGIN_FAILURES - 1; i++)
            CHECK(attempt(db, 5000, "anna", "192.0.2.1", WRONG) ==
                  LOGIN_REFUSED);
        CHECK(attempt(db, 5000, "anna", "192.0.2.1", RIGHT) == LOGIN_OK);
    }
    test_case("an unknown name is locked in the same way, and leaves no row");
    for (int i = 0; i <= LOGIN_FAILURES; i++)
        CHECK(attempt(db, 9000, "nobody", "192.0.2.9", WRONG) == LOGIN_REFUSED);
    CHECK_I64(count(db, "SELECT count(*) FROM audit WHERE actor = 'nobody'"),
              0);
    CHECK_I64(count(db, "SELECT count(*) FROM login_lock"), 1);
    test_case("a disabled account does not log in with the right password");
    CHECK(db_run(db, "UPDATE account SET state = 'DISABLED'"
                     " WHERE name = 'gone'"));
    CHECK(attempt(db, 9000, "gone", "192.0.2.77", RIGHT) == LOGIN_REFUSED);
}

/* ORG-12's own numbers: 10,000 attempts from 2,000 networks in an hour. */
static void test_from_everywhere(struct db *db)
{
    struct login_try owner;
    char from[32];
    unsigned wait_s;
    set(&owner, "bert", "198.51.100.9");
    test_case("ORG-12: guesses from everywhere make answers wait, longer with "
              "each, and 8 seconds at most");
    CHECK(db_begin(db));
    for (int i = 0; i < LOGIN_SLOW_FAILURES - 1; i++) {
        snprintf(from, sizeof(from), "10.0.%d.1", i);
        fail(db, 20000, "bert", from);
    }
    CHECK_I64(login_wait_ms(db, at_s(20000), &owner), 0);
    fail(db, 20000, "bert", "10.0.200.1");
    unsigned before = login_wait_ms(db, at_s(20000), &owner);
    fail(db, 20000, "bert", "10.0.201.1");
    CHECK(before > 0 && login_wait_ms(db, at_s(20000), &owner) > before);
    for (int i = 0; i < 10000; i++) {
        snprintf(from, sizeof(from), "10.%d.%d.1", 1 + i % 2000 / 250, i % 250);
        fail(db, 20001 + i / 4, "bert", from);
    }
    CHECK(db_commit(db));
    CHECK_I64(login_wait_ms(db, at_s(22501), &owner),
              LOGIN_SLOW_SECONDS * 1000);
    test_case("ORG-12: ... and the owner is let in from a network of its own");
    CHECK(login_ask(db, at_s(22501), &owner, &wait_s) == LOGIN_OPEN);
    CHECK(attempt(db, 22501, "bert", "198.51.100.9", RIGHT) == LOGIN_OK);
    test_case("an hour later nothing is slow, and nothing is kept");
    CHECK_I64(login_wait_ms(db, at_s(22501 + 3601), &owner), 0);
    fail(db, 22501 + 3601, "cleo", "10.0.0.1");
    CHECK_I64(count(db, "SELECT count(*) FROM login_failure"), 1);
}

static void test_pace(struct db *db)
{
    char name[32];
    test_case("a network that fails with many names has one attempt at a time");
    for (int i = 0; i < LOGIN_PACE_FAILURES; i++) {
        snprintf(name, sizeof(name), "guess-%d", i);
        CHECK(attempt(db, 50000, name, "192.0.2.1", WRONG) == LOGIN_REFUSED);
    }
    CHECK(attempt(db, 50000, "guess", "192.0.2.1", WRONG) == LOGIN_FAILED);
    CHECK(attempt(db, 50000, "bert", "192.0.2.1", RIGHT) == LOGIN_FAILED);
    test_case("... others have all of theirs, and it has its next one");
    CHECK(attempt(db, 50000, "bert", "198.51.100.9", RIGHT) == LOGIN_OK);
    CHECK(attempt(db, 50000 + LOGIN_PACE_SECONDS, "bert", "192.0.2.1", RIGHT) ==
          LOGIN_OK);
    test_case("an officer ends what holds a name back");
    for (int i = 0; i < LOGIN_FAILURES; i++)
        CHECK(attempt(db, 60000, "anna", "192.0.2.200", WRONG) ==
              LOGIN_REFUSED);
    CHECK(db_begin(db) && login_unlock(db, &KEY, "anna") && db_commit(db));
    CHECK(attempt(db, 60001, "anna", "192.0.2.200", RIGHT) == LOGIN_OK);
}

/* Of RIGHT, as they were made before. */
static void test_old_hash(struct db *db)
{
    static const char OLD[] =
        "$argon2id$v=19$m=65536,t=2,p=1$eDeDY2QGHSy93iCqqVP61A"
        "$HIRiCMXNTL58yMQ091Ju2xhBQBheFYgdhDcqQc9EYfE";
    struct login_try try;
    struct login_hash renewed, old = {.name = "olga"};
    snprintf(old.text, sizeof(old.text), "%s", OLD);
    test_case("a hash of other parameters is good, and made anew once");
    add(db, "olga");
    set(&try, "olga", "192.0.2.1");
    CHECK(!login_renew_hash(db, "olga", RIGHT, &renewed));
    CHECK(login_keep_hash(db, &old));
    CHECK(login_check_password(db, &try, RIGHT) == LOGIN_OK);
    CHECK(login_check_password(db, &try, "other") == LOGIN_REFUSED);
    CHECK(login_renew_hash(db, "olga", RIGHT, &renewed));
    CHECK(password_is_outdated(OLD) && !password_is_outdated(renewed.text));
    CHECK(login_keep_hash(db, &renewed));
    CHECK(login_check_password(db, &try, RIGHT) == LOGIN_OK);
    CHECK(!login_renew_hash(db, "olga", RIGHT, &renewed));
    CHECK(!login_renew_hash(db, "nobody", RIGHT, &renewed));
}

int main(void)
{
    struct scratch scratch;
    CHECK(password_init());
    scratch_open(&scratch);
    add(scratch.db, "anna");
    add(scratch.db, "bert");
    add(scratch.db, "gone");
    test_networks();
    test_lock(scratch.db);
    test_from_everywhere(scratch.db);
    test_pace(scratch.db);
    test_old_hash(scratch.db);
    scratch_close(&scratch);
    return test_end();
}
