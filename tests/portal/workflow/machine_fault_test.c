/* What holds when others are at it in the same instant, and when a program ends
 * in the middle: real processes on one file (SYS-02, SYS-06). */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/portal/workflow/office.h"

enum { ROUNDS = 30, KILLS = 60 };

static const struct machine *const MACHINE = &OFFICE_MACHINE;

/* A process needs its own connection. */
static void reopen(struct office *o)
{
    struct error_text error;
    o->db = portal_db_open(o->scratch.path, &error);
    if (o->db == NULL)
        _exit(9);
}

/* ---- two reviewers in the same instant ---- */

enum { WON, WAS_STALE, OTHER };

/* Waits until the gate is shut, so that both start at once. */
static void decide(struct office *o, struct item item, const char *who,
                   const char *event, int gate)
{
    char byte;
    reopen(o);
    while (read(gate, &byte, 1) > 0)
        ;
    const char *code = office_do(o, MACHINE, who, &item, event, NULL);
    _exit(code[0] == '\0'                ? WON
          : strcmp(code, "E_STALE") == 0 ? WAS_STALE
                                         : OTHER);
}

static pid_t start(struct office *o, const struct item *item, const char *who,
                   const char *event, const int gate[2])
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(gate[1]);
        decide(o, *item, who, event, gate[0]);
    }
    return child;
}

static int end_of(pid_t child)
{
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : OTHER;
}

static void test_same_instant(struct office *o)
{
    int wins = 0, stale = 0;
    int64_t rows = office_count(o->db, "SELECT count(*) FROM audit");
    for (int i = 0; i < ROUNDS; i++) {
        int gate[2];
        struct item item = office_begin(o, MACHINE, "li", "ENT-1", NULL);
        CHECK_TEXT(office_do(o, MACHINE, "li", &item, "submit", NULL), "");
        CHECK(pipe(gate) == 0);
        pid_t one = start(o, &item, "wang", "approve", gate);
        pid_t two = start(o, &item, "zhao", "reject", gate);
        close(gate[0]);
        close(gate[1]);
        int ends[] = {end_of(one), end_of(two)};
        for (int j = 0; j < 2; j++) {
            wins += ends[j] == WON;
            stale += ends[j] == WAS_STALE;
        }
    }
    test_case("SYS-02: of two who decide in the same instant one wins and one "
              "is told that it was late");
    CHECK_I64(wins, ROUNDS);
    CHECK_I64(stale, ROUNDS);
    test_case("AUD-01: each of them has one audit row");
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM audit"),
              rows + ROUNDS * 4); /* open, submit, and the two */
    CHECK_I64(office_count(o->db, "SELECT count(*) FROM item_event"
                                  " WHERE event IN ('approve', 'reject')"),
              ROUNDS);
}

/* ---- killed at any moment ---- */

/* Returns and resubmits without end; says the version of each that was done. */
static void work_on(struct office *o, struct item item, int out)
{
    reopen(o);
    for (;;) {
        bool returned = strcmp(item.state, "RETURNED") == 0;
        const char *code =
            office_do(o, MACHINE, returned ? "li" : "wang", &item,
                      returned ? "resubmit" : "return", NULL);
        if (code[0] != '\0' ||
            write(out, &item.version, sizeof(item.version)) !=
                sizeof(item.version))
            _exit(1);
    }
}

/* The last version that was said to be done. */
static int64_t kill_after(struct office *o, const struct item *item, int us)
{
    int said[2];
    int64_t version = item->version, next;
    CHECK(pipe(said) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(said[0]);
        work_on(o, *item, said[1]);
    }
    close(said[1]);
    /* From its first event on, so that it is in the middle of something. */
    if (read(said[0], &next, sizeof(next)) == sizeof(next))
        version = next;
    usleep((useconds_t)us);
    kill(child, SIGKILL);
    while (read(said[0], &next, sizeof(next)) == sizeof(next))
        version = next;
    close(said[0]);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    return version;
}

/* What belongs to an event is there for each, and for none that is not. */
static int count_halves(struct office *o)
{
    static const char *const SAME[] = {
        "SELECT count(*) FROM item_event WHERE item_id = :id",
        "SELECT version FROM item WHERE id = :id",
        "SELECT count(*) FROM audit WHERE object = 'item/' || :id",
        "SELECT count(*) + 1 FROM message WHERE item_id = :id"
        " AND account_name = 'li'",
    };
    int halves = 0;
    int64_t first = 0;
    for (size_t i = 0; i < sizeof(SAME) / sizeof(SAME[0]); i++) {
        struct db_statement *s = db_prepare(o->db, SAME[i]);
        CHECK(s != NULL);
        db_bind_i64(s, ":id", office_count(o->db, "SELECT max(id) FROM item"));
        CHECK(db_step(s) == DB_ROW);
        if (i == 0)
            first = db_i64(s, 0);
        halves += db_i64(s, 0) != first;
        db_reset(s);
    }
    return halves;
}

static void test_killed(struct office *o)
{
    int halves = 0, lost = 0;
    uint64_t count;
    struct error_text error = {""};
    struct item item = office_begin(o, MACHINE, "li", "ENT-1", NULL);
    CHECK_TEXT(office_do(o, MACHINE, "li", &item, "submit", NULL), "");
    int64_t before = item.version;
    for (int i = 0; i < KILLS; i++) {
        int64_t told = kill_after(o, &item, i * 97 % 3000);
        CHECK(item_find(o->db, item.id, &item));
        lost += item.version < told;
        halves += count_halves(o);
    }
    test_case(
        "SYS-06: killed at any moment, everything of an event is there or "
        "nothing");
    CHECK_I64(halves, 0);
    CHECK(item.version > before + KILLS);
    test_case("SYS-06: what was said to be done is there");
    CHECK_I64(lost, 0);
    test_case("AUD-02: and the chain of the log is whole");
    CHECK(audit_check(o->db, &count, &error));
}

int main(void)
{
    struct office office;
    office_open(&office);
    test_same_instant(&office);
    test_killed(&office);
    office_close(&office);
    return test_end();
}
