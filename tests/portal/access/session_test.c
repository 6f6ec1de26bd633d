/* Sessions at made-up times: begin, find, idle, life, rotation, end. */
#include "portal/access/session.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

enum { IDLE = 15 };

static struct wall_time at(int64_t minutes)
{
    return wall_from_s(1795420800 + minutes * 60);
}

static void begin(struct db *db, int64_t minutes, const char *old,
                  char token[static SESSION_TOKEN_LEN])
{
    const struct session_start start = {.account_name = "anna",
                                        .old_token = old,
                                        .address = "203.0.113.7",
                                        .agent = "Browser/1.0",
                                        .stage = SESSION_FULL,
                                        .idle_minutes = IDLE};
    CHECK(db_begin(db) && session_begin(db, at(minutes), &start, token) &&
          db_commit(db));
}

static void test_life(struct db *db)
{
    char token[SESSION_TOKEN_LEN];
    struct session session;
    begin(db, 0, "", token);
    test_case("a session is found by its token only");
    CHECK_I64(strlen(token), 64);
    CHECK(session_find(db, at(1), IDLE, token, &session));
    CHECK_TEXT(session.account_name, "anna");
    CHECK_I64(strlen(session.csrf), 32);
    CHECK(!session_find(db, at(1), IDLE, "", &session));
    token[0] = token[0] == 'a' ? 'b' : 'a';
    CHECK(!session_find(db, at(1), IDLE, token, &session));
    token[0] = 'x';
    CHECK(!session_find(db, at(1), IDLE, token, &session));
}

static void test_idle(struct db *db)
{
    char token[SESSION_TOKEN_LEN];
    struct session session;
    begin(db, 0, "", token);
    test_case("ORG-12: a session ends after 15 minutes without use");
    CHECK(session_find(db, at(14), IDLE, token, &session));
    CHECK(!session_find(db, at(15), IDLE, token, &session));
    test_case("use keeps it, and not every use writes");
    CHECK(session_find(db, at(0), IDLE, token, &session));
    CHECK(!session_wants_touch(&session, at(0), IDLE));
    CHECK(session_wants_touch(&session, at(10), IDLE));
    CHECK(session_touch(db, at(10), &session));
    CHECK(session_find(db, at(24), IDLE, token, &session));
    CHECK(!session_find(db, at(25), IDLE, token, &session));
}

static void test_longest(struct db *db)
{
    char token[SESSION_TOKEN_LEN];
    struct session session;
    test_case("a session ends after 12 hours, however much it is used");
    begin(db, 0, "", token);
    for (int64_t m = 10; m < 720; m += 10)
        if (CHECK(session_find(db, at(m), IDLE, token, &session)))
            session_touch(db, at(m), &session);
    CHECK(!session_find(db, at(720), IDLE, token, &session));
}

static void test_over(struct db *db)
{
    char first[SESSION_TOKEN_LEN], second[SESSION_TOKEN_LEN];
    struct session session;
    test_case("logging in ends the session that was there");
    begin(db, 0, "", first);
    begin(db, 1, first, second);
    CHECK(strcmp(first, second) != 0);
    CHECK(!session_find(db, at(1), IDLE, first, &session));
    CHECK(session_find(db, at(1), IDLE, second, &session));
    test_case("logging out ends it");
    CHECK(session_end(db, second));
    CHECK(!session_find(db, at(1), IDLE, second, &session));
}

static void test_tokens(void)
{
    char a[SESSION_CSRF_LEN], b[SESSION_CSRF_LEN];
    char first[SESSION_MASKED_LEN], second[SESSION_MASKED_LEN];
    const struct secret key = {{1}}, other = {{2}};
    session_form_token(&key, "cookie-a", a);
    session_form_token(&key, "cookie-b", b);
    test_case("form tokens belong to their cookie");
    CHECK(strcmp(a, b) != 0);
    session_csrf_mask(a, first);
    session_csrf_mask(a, second);
    CHECK(session_csrf_matches(a, first) && session_csrf_matches(a, second));
    CHECK(!session_csrf_matches(b, first));
    CHECK(!session_csrf_matches("", ""));
    CHECK(!session_csrf_matches(a, ""));
    CHECK(!session_csrf_matches("", first));
    test_case("what a page carries of them is other bytes each time");
    CHECK(!session_csrf_matches(a, a));
    CHECK(strstr(first, a) == NULL && strstr(second, a) == NULL);
    CHECK(strncmp(first, second, 32) != 0);
    CHECK(strcmp(first + 32, second + 32) != 0);
    test_case("... and with any of them changed it matches no more");
    for (size_t i = 0; i < SESSION_MASKED_LEN - 1; i++) {
        char kept = first[i];
        first[i] = kept == '0' ? '1' : '0';
        CHECK(!session_csrf_matches(a, first));
        first[i] = kept;
    }
    test_case("a token belongs to the server's key");
    session_form_token(&other, "cookie-a", b);
    session_csrf_mask(a, first);
    CHECK(!session_csrf_matches(b, first));
}

int main(void)
{
    struct scratch scratch;
    scratch_open(&scratch);
    db_run(scratch.db,
           "INSERT INTO account (name, role, display_name, password_hash,"
           " created_at) VALUES ('anna', 'PROV', 'Anna', 'x', 0)");
    test_life(scratch.db);
    test_idle(scratch.db);
    test_longest(scratch.db);
    test_over(scratch.db);
    test_tokens();
    scratch_close(&scratch);
    return test_end();
}
