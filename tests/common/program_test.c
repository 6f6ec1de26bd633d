/* Subcommands and options, run in children whose output is read. */
#include "common/program.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

static int run_work(int argc, char **argv)
{
    bool is_json = false;
    const char *path = "default", *from = "";
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--json", .flag = &is_json},
        {"--from", .value = &from, .is_required = true},
    };
    int operands = program_options(argc, argv, options, 3, 0, 2);
    if (operands < 0)
        return 2;
    printf("%s %s %s %d", argv[0], path, from, is_json);
    for (int i = 1; i <= operands; i++)
        printf(" [%s]", argv[i]);
    return 0;
}

static int run_failing(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 1;
}

static const struct program_command COMMANDS[] = {
    {"work", run_work, "-c FILE --from DATE [--json] [A [B]]"},
    {"user add", run_work, "--from DATE"},
    {"fail", run_failing, ""},
    {"user list", run_failing, ""},
};

static char output[4096];

static void read_all(int fd)
{
    size_t length = 0;
    for (ssize_t got;
         (got = read(fd, output + length, sizeof(output) - 1 - length)) > 0;)
        length += (size_t)got;
    output[length] = '\0';
}

/* Runs "yz-test WORDS" and gives its status; output holds what it said.
 * Words are separated by blanks; target is where its output goes, NULL: here. */
static int run(const char *words, const char *target)
{
    char copy[200], *argv[16], *word = copy;
    int argc = 0, ends[2], status = 0;
    snprintf(copy, sizeof(copy), "yz-test%s%s", words[0] ? " " : "", words);
    while (word != NULL && argc < 15) {
        char *blank = strchr(word, ' ');
        if (blank != NULL)
            *blank++ = '\0';
        argv[argc++] = word;
        word = blank;
    }
    argv[argc] = NULL;
    fflush(stdout);
    if (!CHECK(pipe(ends) == 0))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        if (target != NULL && freopen(target, "w", stdout) == NULL)
            _exit(99);
        status =
            program_main("yz-test", "tests things", COMMANDS, 4, argc, argv);
        fflush(stdout);
        _exit(status);
    }
    close(ends[1]);
    read_all(ends[0]);
    close(ends[0]);
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void test_runs(void)
{
    static const struct {
        const char *words;
        int status;
        const char *output;
    } CASES[] = {
        {"", 2,
         "yz-test: a command is missing; yz-test has: work, user, fail\n"},
        {"wrok", 2,
         "yz-test wrok: there is no such command; yz-test has: work, user, "
         "fail\n"},
        {"user", 2,
         "yz-test user: a command is missing; user has: add, list\n"},
        {"user ad", 2,
         "yz-test user ad: there is no such command; user has: add, list\n"},
        {"user \033[2J --lang zh", 2,
         "yz-test user ?[2J：没有这个命令；user 有：add, list\n"},
        {"--lang=zh", 2, "yz-test：缺少命令；yz-test 有：work, user, fail\n"},
        {"--lang zh wrok", 2,
         "yz-test wrok：没有这个命令；yz-test 有：work, user, fail\n"},
        {"work --lang zh", 2,
         "yz-test work：必须给出 --from；见 yz-test work --help\n"},
        {"work --from 1 --lang", 2, "yz-test: --lang: zh or en\n"},
        {"work --from 1 --lang fr", 2, "yz-test: --lang: zh or en\n"},
        {"work --from 1 --lang en --langue", 2,
         "yz-test work: --langue is no option here; see yz-test work --help\n"},
        {"work --from 1 -- --lang fr", 0, "work default 1 0 [--lang] [fr]"},
        {"--version", 0, "yz-test " PROGRAM_VERSION "\n"},
        {"work --help", 0,
         "usage: yz-test work -c FILE --from DATE [--json] [A [B]]\n"},
        {"work --from 1", 0, "work default 1 0"},
        {"work --from=1 -c x a --json b", 0, "work x 1 1 [a] [b]"},
        {"work --from= -- -c --json", 0, "work default  0 [-c] [--json]"},
        {"work --from 1 -", 0, "work default 1 0 [-]"},
        {"user add --from 1", 0, "user add default 1 0"},
        {"work", 2,
         "yz-test work: --from is required; see yz-test work --help\n"},
        {"work --from", 2,
         "yz-test work: --from needs a value; see yz-test work --help\n"},
        {"work --from 1 --from 2", 2,
         "yz-test work: --from is given twice; see yz-test work --help\n"},
        {"work --from 1 --json=yes", 2,
         "yz-test work: --json takes no value; see yz-test work --help\n"},
        {"work --form 1", 2,
         "yz-test work: --form is no option here; see yz-test work --help\n"},
        {"work --from 1 a b c", 2,
         "yz-test work: too many arguments; see yz-test work --help\n"},
        {"fail", 1, ""},
    };
    test_case("commands, options, operands, and each wrong usage in one line");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        CHECK_I64(run(CASES[i].words, NULL), CASES[i].status);
        CHECK_TEXT(output, CASES[i].output);
    }
    test_case("--help lists every command");
    CHECK_I64(run("--help", NULL), 0);
    CHECK(strstr(output, "  yz-test user add --from DATE\n") != NULL);
    test_case("output that cannot be written fails");
    CHECK_I64(run("work --from 1", "/dev/full"), 1);
    CHECK_TEXT(output, "yz-test: standard output: No space left on device\n");
}

/* What a program opens must not become its standard error. */
static int run_opening(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    int fd = dup(STDERR_FILENO);
    return fd > STDERR_FILENO && write(STDERR_FILENO, "x", 1) < 0 ? 7 : 8;
}

static void test_closed(void)
{
    static const struct program_command opening = {"open", run_opening, ""};
    char name[] = "yz-test", word[] = "open";
    char *argv[] = {name, word, NULL};
    int status = 0;
    test_case("standard descriptors that are closed are taken by nothing");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
            close(fd);
        _exit(program_main("yz-test", "tests things", &opening, 1, 2, argv));
    }
    waitpid(child, &status, 0);
    CHECK_I64(WEXITSTATUS(status), 7);
}

static void test_users(void)
{
    struct error_text error = {""};
    test_case("leaving root");
    CHECK(program_drop_to_user("", &error));
    CHECK(!program_drop_to_user("no-such-user-here", &error));
    CHECK_TEXT(error.text, "user no-such-user-here: no such user");
    if (geteuid() != 0) {
        CHECK(!program_drop_to_user("root", &error));
        return;
    }
    pid_t child = fork();
    if (child == 0)
        _exit(program_drop_to_user("nobody", NULL) && getuid() != 0 &&
                      geteuid() != 0 && setuid(0) != 0
                  ? 0
                  : 1);
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_I64(status, 0);
}

int main(void)
{
    setenv("LC_ALL", "C", 1);
    test_runs();
    test_closed();
    test_users();
    return test_end();
}
