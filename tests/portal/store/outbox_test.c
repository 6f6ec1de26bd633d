/* Messages: written with their act or not at all, delivered at least once under
 * one name, given up after days, forgotten where they hold a secret (SYS-01). */
#include "portal/store/act.h"
#include "portal/store/outbox.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

enum { START_S = 1795420800 };

static const struct text_argument ARGUMENTS[] = {{0}};
static const struct mail_address LI = {"li@example.com"};

static int64_t count_of(struct db *db, const char *sql)
{
    struct db_statement *s = db_prepare(db, sql);
    int64_t count = s != NULL && db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    if (s != NULL)
        db_reset(s);
    return count;
}

static enum act_end add(struct db *db, struct wall_time now, void *context,
                        struct error_text *error)
{
    const struct outbox_message *message = context;
    error_set(error, "refused");
    if (!outbox_add(db, now, message))
        return ACT_FAILED;
    return message->is_secret && message->mail == NULL ? ACT_REFUSED : ACT_KEPT;
}

static enum act_end add_at(struct db *db, int64_t s,
                           struct outbox_message *message)
{
    struct error_text error = {""};
    message->subject = TEXT_KEY("command.user.role");
    message->body = TEXT_KEY("command.user.role");
    message->arguments = ARGUMENTS;
    return act_on(db, wall_from_s(s), NULL, add, message, &error);
}

static enum outbox_take take(struct db *db, int64_t s,
                             struct outbox_letter *letter)
{
    CHECK(db_begin(db));
    enum outbox_take taken =
        outbox_take(db, wall_from_s(s), 1u << OUTBOX_MAIL, letter);
    CHECK(db_commit(db));
    return taken;
}

static void note(struct db *db, int64_t s, const struct outbox_letter *letter,
                 enum outbox_end end)
{
    CHECK(db_begin(db));
    CHECK(outbox_note(db, wall_from_s(s), letter, end, "no\r\nroute"));
    CHECK(db_commit(db));
}

static void test_with_the_act(struct db *db)
{
    struct outbox_message refused = {.is_secret = true};
    struct outbox_message told = {.once = "reminder/1/5"};
    test_case("SYS-01: a message stands and falls with its act");
    CHECK_I64(add_at(db, START_S, &refused), ACT_REFUSED);
    CHECK_I64(count_of(db, "SELECT count(*) FROM message"), 0);
    test_case("DEAD-16: what is told once is told once");
    CHECK_I64(add_at(db, START_S, &told), ACT_KEPT);
    CHECK_I64(add_at(db, START_S + 60, &told), ACT_KEPT);
    CHECK_I64(count_of(db, "SELECT count(*) FROM message"), 1);
    CHECK_I64(count_of(db, "SELECT count(*) FROM delivery"), 0);
}

static void test_tries(struct db *db)
{
    struct outbox_message message = {.mail = &LI, .is_secret = true};
    struct outbox_letter first, again;
    test_case("SYS-01: a mail is tried again under the same name");
    CHECK_I64(add_at(db, START_S, &message), ACT_KEPT);
    CHECK_I64(take(db, START_S, &first), OUTBOX_TAKEN);
    CHECK_TEXT(first.mail.text, "li@example.com");
    CHECK(first.body[LANGUAGE_EN][0] != '\0');
    test_case("a sender that was killed tries again, and not at once");
    CHECK_I64(take(db, START_S + 59, &again), OUTBOX_EMPTY);
    CHECK_I64(take(db, START_S + 60, &again), OUTBOX_TAKEN);
    CHECK_TEXT(again.token, first.token);
    test_case("a mail is still tried on the fourth day, then given up");
    note(db, START_S + 4 * 86400, &again, OUTBOX_AGAIN);
    CHECK_I64(take(db, START_S + 5 * 86400, &again), OUTBOX_TAKEN);
    note(db, START_S + 5 * 86400, &again, OUTBOX_AGAIN);
    CHECK_I64(take(db, START_S + 90 * 86400, &again), OUTBOX_EMPTY);
    CHECK_I64(count_of(db, "SELECT count(*) FROM delivery WHERE sent_at IS NULL"
                           " AND next_at IS NULL AND problem = 'no??route'"),
              1);
    test_case("what held a secret is forgotten with the last try");
    CHECK_I64(count_of(db, "SELECT count(*) FROM message"
                           " WHERE is_secret = 1 AND body_en <> ''"),
              0);
}

static void test_ends(struct db *db)
{
    struct outbox_message message = {.mail = &LI};
    struct outbox_letter letter;
    test_case("what is sent is over, and so is what has no address");
    CHECK_I64(add_at(db, START_S, &message), ACT_KEPT);
    CHECK_I64(add_at(db, START_S, &message), ACT_KEPT);
    CHECK_I64(take(db, START_S, &letter), OUTBOX_TAKEN);
    note(db, START_S, &letter, OUTBOX_SENT);
    CHECK_I64(take(db, START_S, &letter), OUTBOX_TAKEN);
    note(db, START_S, &letter, OUTBOX_REFUSED);
    CHECK_I64(take(db, START_S + 86400, &letter), OUTBOX_EMPTY);
    CHECK_I64(count_of(db, "SELECT count(*) FROM delivery"
                           " WHERE sent_at IS NOT NULL"),
              1);
    CHECK_I64(count_of(db, "SELECT count(*) FROM delivery WHERE is_refused"),
              1);
    test_case("an address that was tampered with is never sent to");
    CHECK_I64(add_at(db, START_S, &message), ACT_KEPT);
    CHECK(db_run(db, "UPDATE delivery SET address = 'a@b.c' || char(13, 10)"
                     " || 'RCPT TO:<x@y.z>' WHERE next_at IS NOT NULL"));
    CHECK_I64(take(db, START_S, &letter), OUTBOX_EMPTY);
}

int main(void)
{
    struct scratch scratch;
    scratch_open(&scratch);
    test_with_the_act(scratch.db);
    test_tries(scratch.db);
    test_ends(scratch.db);
    scratch_close(&scratch);
    return test_end();
}
