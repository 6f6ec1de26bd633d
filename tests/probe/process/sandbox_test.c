/* The sandbox from inside: children that enter it and then try what they may
 * not. No root is needed, but for a packet socket. */
#include "probe/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "probe/process/process.h"
#include "tests/test.h"

enum { REFUSED = 42 };

static int channel[2];

static bool enter(enum sandbox_role role, const char *file)
{
    struct sandbox_report report;
    struct error_text error;
    struct sandbox_options options = {.role = role,
                                      .user = "",
                                      .state = "/nowhere",
                                      .channel_fd = channel[1],
                                      .files = {file},
                                      .file_count = 1};
    int status_fd = process_open();
    return sandbox_leave_root(&options, &error) &&
           sandbox_enter(&options, status_fd, &report, &error);
}

/* What becomes of a reader that does so: its wait status. */
static int try_it(int (*act)(int value), int value)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(enter(SANDBOX_READER, NULL) ? act(value) : 1);
    waitpid(child, &status, 0);
    return status;
}

static int send_to(int fd)
{
    return send(fd, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : REFUSED;
}

static int write_to(int fd)
{
    return write(fd, "", 0) == 0 ? 0 : REFUSED;
}

static int end_thread_of(int pid)
{
    return syscall(SYS_tgkill, pid, pid, SIGTERM) == 0 ? 0 : REFUSED;
}

static int abort_self(int ignored)
{
    (void)ignored;
    abort();
}

static int open_file(int ignored)
{
    (void)ignored;
    return open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM ? REFUSED : 0;
}

static bool is_ended(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void test_sending(void)
{
    int other[2];
    test_case("a reader sends to its channel and writes to standard error");
    CHECK_I64(try_it(send_to, channel[1]), 0);
    CHECK_I64(try_it(write_to, STDERR_FILENO), 0);
    CHECK_I64(try_it(write_to, STDOUT_FILENO), 0);
    test_case("sending to another descriptor ends it");
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
    CHECK(is_ended(try_it(send_to, other[0])));
    CHECK(is_ended(try_it(write_to, other[0])));
    test_case("no frame leaves by a packet socket that it holds");
    int packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (packets >= 0) { /* else we are not root */
        CHECK(is_ended(try_it(send_to, packets)));
        CHECK(is_ended(try_it(write_to, packets)));
        close(packets);
    }
}

static void test_signals(void)
{
    test_case("a reader may end itself, not another process");
    int status = try_it(abort_self, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(is_ended(try_it(end_thread_of, getpid())));
    test_case("a reader opens no file");
    CHECK_I64(WEXITSTATUS(try_it(open_file, 0)), REFUSED);
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

static void write_file(const char *path)
{
    FILE *file = fopen(path, "w");
    if (CHECK(file != NULL))
        fclose(file);
}

static bool can_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* A configured file that is a link, whose target is replaced. */
static int read_again(void)
{
    if (!enter(SANDBOX_UPLINK, "links/list"))
        return 1;
    return can_read("links/list") && can_read("lists/new") &&
                   !can_read("others/list")
               ? 0
               : REFUSED;
}

static void test_links(void)
{
    static const char *const folders[] = {"links", "lists", "others"};
    static const char *const files[] = {"lists/list", "lists/new",
                                        "others/list", "links/list"};
    char work[] = "/tmp/yz-sandbox-XXXXXX";
    int status = -1;
    test_case("the uplink reads a list again that is a link to elsewhere");
    if (!CHECK(mkdtemp(work) != NULL && chdir(work) == 0))
        return;
    for (size_t i = 0; i < 3; i++)
        CHECK(mkdir(folders[i], 0755) == 0);
    for (size_t i = 0; i < 3; i++)
        write_file(files[i]);
    CHECK(symlink("../lists/list", files[3]) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(read_again());
    waitpid(child, &status, 0);
    CHECK_I64(WEXITSTATUS(status), has_landlock() ? 0 : REFUSED);
    for (size_t i = 0; i < 4; i++)
        unlink(files[i]);
    for (size_t i = 0; i < 3; i++)
        rmdir(folders[i]);
    rmdir(work);
}

int main(void)
{
    if (!CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0))
        return 1;
    test_sending();
    test_signals();
    test_links();
    return test_end();
}
