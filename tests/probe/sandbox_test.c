/* The sandbox from inside: children that enter it and then try what they may
 * not. No root is needed, but for a packet socket. */
#include "probe/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "probe/process.h"
#include "tests/test.h"

enum { REFUSED = 42 };

static int channel[2];

static bool enter(enum sandbox_role role)
{
    struct sandbox_report report;
    struct error_text error;
    struct sandbox_options options = {.role = role,
                                      .user = "",
                                      .state = "/nowhere",
                                      .channel_fd = channel[1]};
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
        _exit(enter(SANDBOX_READER) ? act(value) : 1);
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

int main(void)
{
    if (!CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0))
        return 1;
    test_sending();
    test_signals();
    return test_end();
}
