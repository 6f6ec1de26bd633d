/* Log lines as they arrive on standard error, and the stop flag. */
#include "common/log.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

static char line[4096];

/* What a function writes to standard error, run in a child. */
static int capture(void (*run)(void))
{
    int ends[2], status = 0;
    size_t length = 0;
    fflush(stdout);
    if (!CHECK(pipe(ends) == 0))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        run();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got;
         length < sizeof(line) - 1 &&
         (got = read(ends[0], line + length, sizeof(line) - 1 - length)) > 0;)
        length += (size_t)got;
    line[length] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void log_plain(void)
{
    unsetenv("JOURNAL_STREAM");
    log_warn("probe %s sent %d", "p1", 7);
}

static void log_to_journal(void)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_error("e");
    log_warn("w");
    log_info("i");
    log_debug("unseen: below the level");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("d");
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("unseen");
}

static void log_hostile(void)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_info("name '%s'", "a\n<3>fake\x1b[2J\r\x7f\xc2\x85\xff\xe4\xba\x91");
}

static void log_long(void)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
}

static void end_badly(void)
{
    log_set_program("yz-test");
    fatal(2, "%s:%d: unknown key", "x.conf", 3);
}

static void test_lines(void)
{
    test_case("a line has time and level");
    CHECK_I64(capture(log_plain), 0);
    CHECK(line[0] == '2' && line[10] == 'T' && line[23] == 'Z');
    CHECK_TEXT(line + 24, " warn probe p1 sent 7\n");
    test_case("under systemd a line has its priority; levels hold");
    capture(log_to_journal);
    CHECK_TEXT(line, "<3>e\n<4>w\n<6>i\n<7>d\n");
    test_case("a stranger's text cannot start a line or drive a terminal");
    capture(log_hostile);
    CHECK_TEXT(line, "<6>name 'a?<3>fake?[2J?????\xe4\xba\x91'\n");
    test_case("a long line is cut and ended");
    capture(log_long);
    CHECK(strlen(line) > 1000 && strlen(line) <= 1024);
    CHECK(line[strlen(line) - 1] == '\n');
    test_case("fatal: one line with the program's name, and the status");
    CHECK_I64(capture(end_badly), 2);
    CHECK_TEXT(line, "yz-test: x.conf:3: unknown key\n");
}

static void test_errors(void)
{
    struct error_text error = {""};
    enum { ROOM = sizeof(error.text) };
    char text[2 * ROOM];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    test_case("error_set is false, one line, and says when it was cut");
    CHECK(!error_set(&error, "%s: %d\n", "file", 5));
    CHECK_TEXT(error.text, "file: 5?");
    CHECK(!error_set(&error, "%s", text));
    CHECK_I64((int64_t)strlen(error.text), ROOM - 1);
    CHECK_TEXT(error.text + ROOM - 5, "x...");
    CHECK(!error_set(NULL, "nobody asks"));
    test_case("a character cut at the end is not left half");
    memcpy(text + ROOM - 6, "\xe4\xba\x91", 3);
    CHECK(!error_set(&error, "%s", text));
    CHECK_TEXT(error.text + ROOM - 7, "x...");
}

static void test_stop(void)
{
    test_case("SIGTERM sets the stop flag, SIGPIPE does nothing");
    stop_on_signals();
    CHECK(!stop_requested());
    raise(SIGPIPE);
    CHECK(!stop_requested());
    raise(SIGTERM);
    CHECK(stop_requested());
}

int main(void)
{
    test_lines();
    test_errors();
    test_stop();
    return test_end();
}
