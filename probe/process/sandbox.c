/* The order matters: capabilities go before no_new_privs is of use to anybody,
 * Landlock before seccomp forbids its calls, and the report comes last. */
#include "probe/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sockios.h>

#include <seccomp.h>

#include "common/program.h"
#include "probe/process/process.h"

/* The sanitizers' runtime makes calls of its own at the end of a process; in
 * such a build those that are not listed are let through. */
#ifdef __SANITIZE_ADDRESS__
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

enum { NOBODY = 65534, CAPABILITIES = 64 };

static void add_note(struct sandbox_report *report, const char *text)
{
    size_t used = strlen(report->note);
    snprintf(report->note + used, sizeof(report->note) - used, "%s%s",
             used > 0 ? "; " : "", text);
}

/* --- root and capabilities --- */

static bool become(uid_t user, gid_t group, struct error_text *error)
{
    if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 ||
        setresuid(user, user, user) != 0)
        return error_set(error, "user %u: %s", (unsigned)user, strerror(errno));
    if (setuid(0) == 0)
        return error_set(error, "user %u: root could not be left",
                         (unsigned)user);
    return true;
}

static void empty_bounding_set(void)
{
    for (int i = 0; i < CAPABILITIES; i++)
        (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* as far as we may */
}

bool sandbox_leave_root(const struct sandbox_options *o,
                        struct error_text *error)
{
    struct stat owner;
    if (geteuid() == 0)
        empty_bounding_set();
    if (o->user[0] != '\0')
        return program_drop_to_user(o->user, error);
    if (geteuid() != 0)
        return true;
    if (o->role == SANDBOX_READER)
        return become(NOBODY, NOBODY, error);
    if (stat(o->state, &owner) == 0 && owner.st_uid != 0)
        return become(owner.st_uid, owner.st_gid, error);
    return true; /* the report says so */
}

static bool drop_capabilities(struct error_text *error)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none) != 0)
        return error_set(error, "capabilities: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_set(error, "no_new_privs: %s", strerror(errno));
    if (!IS_SANITIZED) /* the leak check traces */
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return true;
}

/* --- Landlock --- */

/* The header of Debian 12 knows the first two versions; the numbers behind are
 * the kernel's (include/uapi/linux/landlock.h). */
enum {
    FS_TRUNCATE = 1 << 14,     /* version 3 */
    FS_IOCTL_DEVICE = 1 << 15, /* 5 */
    NET_BIND_TCP = 1 << 0,     /* 4 */
    NET_CONNECT_TCP = 1 << 1,
    RULE_NET_PORT = 2,
    SCOPE_ABSTRACT_SOCKET = 1 << 0, /* 6 */
    SCOPE_SIGNAL = 1 << 1,
};

struct ruleset {
    uint64_t files, network, scopes;
};

struct port_rule {
    uint64_t access, port;
};

static const uint64_t READ_ACCESS =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/* All that a version can forbid is forbidden, but for what rules allow. The
 * uplink may signal: a reader that does not end is killed. */
static struct ruleset everything(int abi, enum sandbox_role role)
{
    struct ruleset r = {.files = LANDLOCK_ACCESS_FS_REFER - 1};
    if (abi >= 2)
        r.files |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        r.files |= FS_TRUNCATE;
    if (abi >= 4)
        r.network = NET_BIND_TCP | NET_CONNECT_TCP;
    if (abi >= 5)
        r.files |= FS_IOCTL_DEVICE;
    if (abi >= 6)
        r.scopes = role == SANDBOX_UPLINK
                       ? SCOPE_ABSTRACT_SOCKET
                       : SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
    return r;
}

static size_t ruleset_size(int abi)
{
    return abi >= 6 ? sizeof(struct ruleset)
                    : (abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t));
}

/* A path that is not there needs no rule. */
static bool allow_path(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return true;
    bool good = syscall(SYS_landlock_add_rule, ruleset,
                        LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return good;
}

static bool allow_parent(int ruleset, const char *file)
{
    char folder[1024];
    const char *slash = strrchr(file, '/');
    int length = slash == NULL ? 1 : (int)(slash - file) + (slash == file);
    int n = snprintf(folder, sizeof(folder), "%.*s", length,
                     slash == NULL ? "." : file);
    return n > 0 && (size_t)n < sizeof(folder) &&
           allow_path(ruleset, folder, READ_ACCESS);
}

/* The folder, since files are replaced by renaming; of a link also the folder
 * that it leads to. */
static bool allow_folder_of(int ruleset, const char *file)
{
    char *target = realpath(file, NULL);
    bool good = allow_parent(ruleset, file) &&
                (target == NULL || allow_parent(ruleset, target));
    free(target);
    return good;
}

static bool allow_port(int ruleset, uint16_t port)
{
    struct port_rule rule = {NET_CONNECT_TCP, port};
    return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) ==
           0;
}

static bool allow_sender(const struct sandbox_options *o, int ruleset, int abi)
{
    /* What glibc reads to resolve a name and to load its modules. */
    static const char *const system[] = {
        "/etc",           "/usr/lib", "/lib", "/lib64", "/run/systemd/resolve",
        "/run/resolvconf"};
    struct ruleset all = everything(abi, o->role);
    uint64_t state =
        all.files & ~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | FS_IOCTL_DEVICE);
    bool good = allow_path(ruleset, o->state, state);
    for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++)
        good = good && allow_path(ruleset, system[i], READ_ACCESS);
    if (IS_SANITIZED)
        good = good && allow_path(ruleset, "/proc", READ_ACCESS);
    for (size_t i = 0; i < o->file_count; i++)
        good = good && allow_folder_of(ruleset, o->files[i]);
    for (size_t i = 0; i < o->port_count && abi >= 4; i++)
        good = good && allow_port(ruleset, o->ports[i]);
    return good;
}

static bool enter_landlock(const struct sandbox_options *o,
                           struct sandbox_report *report,
                           struct error_text *error)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
                           LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) {
        add_note(report, errno == EOPNOTSUPP ? "Landlock is switched off"
                                             : "this kernel has no Landlock");
        return true;
    }
    struct ruleset all = everything(abi, o->role);
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &all, ruleset_size(abi), 0);
    bool good = ruleset >= 0 &&
                (o->role == SANDBOX_READER || allow_sender(o, ruleset, abi));
    good = good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int reason = errno;
    if (ruleset >= 0)
        close(ruleset);
    if (!good)
        return error_set(error, "Landlock: %s", strerror(reason));
    report->landlock_abi = abi;
    return true;
}

/* --- seccomp --- */

/* What both need: memory, time, the descriptors they have, an orderly end. */
static const char *const allowed_both[] = {
    "brk",          "clock_gettime", "clock_nanosleep",
    "close",        "exit",          "exit_group",
    "fstat",        "futex",         "getpid",
    "getrandom",    "getsockname",   "getsockopt",
    "gettid",       "gettimeofday",  "lseek",
    "madvise",      "mremap",        "munmap",
    "newfstatat",   "poll",          "ppoll",
    "pread64",      "read",          "readv",
    "recvfrom",     "recvmsg",       "restart_syscall",
    "rseq",         "rt_sigaction",  "rt_sigprocmask",
    "rt_sigreturn", "sched_yield",   "set_robust_list",
    "sigaltstack",  "sysinfo",       "time",
};

static const char *const allowed_uplink[] = {
    "accept4",       "access",       "adjtimex",  "chmod",
    "clock_adjtime", "connect",      "dup",       "eventfd2",
    "faccessat",     "faccessat2",   "fallocate", "fchmod",
    "fcntl",         "fdatasync",    "flock",     "fsync",
    "ftruncate",     "getdents64",   "getegid",   "geteuid",
    "getgid",        "getpeername",  "getppid",   "getuid",
    "ioctl",         "kill",         "link",      "linkat",
    "lstat",         "memfd_create", "mkdir",     "mkdirat",
    "mmap",          "mprotect",     "nanosleep", "open",
    "openat",        "pipe2",        "prlimit64", "pwrite64",
    "readlink",      "readlinkat",   "recvmmsg",  "rename",
    "renameat",      "renameat2",    "rmdir",     "sched_getaffinity",
    "select",        "sendmmsg",     "sendmsg",   "sendto",
    "setsockopt",    "shutdown",     "stat",      "statfs",
    "fstatfs",       "statx",        "uname",     "unlink",
    "unlinkat",      "wait4",        "waitid",    "write",
    "writev",
};

/* What libraries try and live without. */
static const char *const refused[] = {
    "access",
    "clone3",
    "connect",
    "fcntl",
    "getcwd",
    "getdents64",
    "lstat",
    "open",
    "openat",
    "openat2",
    "prctl",
    "prlimit64",
    "readlink",
    "readlinkat",
    "sched_getaffinity",
    "sched_setaffinity",
    "socket",
    "socketpair",
    "stat",
    "statx",
    "uname",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
};

static bool add_rules(scmp_filter_ctx filter, uint32_t action,
                      const char *const *names, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        /* Not every architecture has all of them. */
        if (number == __NR_SCMP_ERROR)
            continue;
        int result = seccomp_rule_add(filter, action, number, 0);
        good = good && (result == 0 || result == -EEXIST || result == -EDOM);
    }
    return good;
}

/* A call is allowed so, and otherwise ends the process; that is to be said only
 * where it is not the default. */
static bool add_either(scmp_filter_ctx filter, int call,
                       struct scmp_arg_cmp allowed, struct scmp_arg_cmp other)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, allowed) == 0 &&
           (!IS_SANITIZED || seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS,
                                              call, 1, other) == 0);
}

static bool add_first(scmp_filter_ctx filter, int call, int number)
{
    scmp_datum_t value = (scmp_datum_t)number;
    return add_either(filter, call, SCMP_A0(SCMP_CMP_EQ, value),
                      SCMP_A0(SCMP_CMP_NE, value));
}

/* Standard output too: a library may print. */
static bool add_standard(scmp_filter_ctx filter, int call)
{
    return add_either(filter, call, SCMP_A0(SCMP_CMP_LE, STDERR_FILENO),
                      SCMP_A0(SCMP_CMP_GT, STDERR_FILENO));
}

/* When an interface goes down, libpcap asks whether it is still there, and goes
 * on when it is. */
static bool add_flags_rule(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                            SCMP_A1(SCMP_CMP_NE, SIOCGIFFLAGS)) == 0;
}

/* Memory of the reader is never both written by it and run. It writes to its
 * channel and the standard descriptors alone: a packet socket would take whole
 * frames for the network. */
static bool add_reader_rules(scmp_filter_ctx filter, int channel_fd)
{
    static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    bool good = true;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        good = good &&
               seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    return good && add_flags_rule(filter) &&
           add_first(filter, SCMP_SYS(sendto), channel_fd) &&
           add_standard(filter, SCMP_SYS(write)) &&
           add_standard(filter, SCMP_SYS(writev));
}

/* Sockets of the Internet and of this machine, threads but no processes. */
static bool add_network_rules(scmp_filter_ctx filter)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    bool good = true;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        good =
            good && seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                        SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i])) == 0;
    return good &&
           seccomp_rule_add(
               filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
                            0) == 0;
}

/* Of bpf() what changes the content of maps that are open. */
static bool add_map_rules(scmp_filter_ctx filter)
{
    static const int commands[] = {BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,
                                   BPF_MAP_DELETE_ELEM,  BPF_MAP_GET_NEXT_KEY,
                                   BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH};
    bool good = true;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        good =
            good && seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
                        SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)commands[i])) == 0;
    return good;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* tgkill: abort() ends this process; the reader may not end the uplink, which
 * can have the same user. */
static bool fill_filter(scmp_filter_ctx filter, const struct sandbox_options *o)
{
    bool good =
        add_rules(filter, SCMP_ACT_ALLOW, allowed_both, COUNT(allowed_both)) &&
        add_first(filter, SCMP_SYS(tgkill), getpid());
    if (o->role == SANDBOX_READER)
        return good && add_reader_rules(filter, o->channel_fd) &&
               add_rules(filter, SCMP_ACT_ERRNO(EPERM), refused,
                         COUNT(refused));
    good = good && add_network_rules(filter) &&
           add_rules(filter, SCMP_ACT_ALLOW, allowed_uplink,
                     COUNT(allowed_uplink));
    if (o->role == SANDBOX_UPLINK)
        return good && add_map_rules(filter);
    /* libcurl wakes its threads so. */
    return good && add_first(filter, SCMP_SYS(socketpair), AF_UNIX);
}

static bool enter_seccomp(const struct sandbox_options *o,
                          struct sandbox_report *report,
                          struct error_text *error)
{
    scmp_filter_ctx filter =
        seccomp_init(IS_SANITIZED ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
    bool good = filter != NULL && fill_filter(filter, o);
    int result = good ? seccomp_load(filter) : -ENOMEM;
    seccomp_release(filter);
    if (result == 0)
        return true;
    if (result != -ENOSYS && result != -EINVAL && result != -ECANCELED)
        return error_set(error, "seccomp: %s", strerror(-result));
    add_note(report, "this kernel has no seccomp filters");
    return true;
}

/* --- all --- */

static bool is_refused(int fd)
{
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

/* By trying, and by what the kernel says of us. */
static void look(enum sandbox_role role, int status_fd,
                 struct sandbox_report *report)
{
    struct process_facts facts;
    report->files_denied =
        is_refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    report->sockets_denied =
        role == SANDBOX_READER &&
        is_refused(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!process_read(status_fd, &facts))
        add_note(report, "/proc/self/status cannot be read");
    report->uid = facts.uid;
    report->root_left = facts.uid != 0;
    report->capabilities = facts.capabilities;
    report->no_new_privileges = facts.no_new_privileges;
    report->seccomp_filter = facts.has_seccomp_filter;
}

/* The name while it can still be looked up. */
static void name_user(struct sandbox_report *report)
{
    const struct passwd *entry = getpwuid(geteuid());
    if (entry != NULL)
        snprintf(report->user, sizeof(report->user), "%.31s", entry->pw_name);
    else
        snprintf(report->user, sizeof(report->user), "%u", (unsigned)geteuid());
}

/* A reader that strangers may have taken over writes no log lines: what it has
 * to say comes through its channel. */
static bool leave_output(struct error_text *error)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool good = null >= 0;
    for (int fd = STDIN_FILENO; good && fd <= STDERR_FILENO; fd++)
        good = dup2(null, fd) == fd;
    if (null > STDERR_FILENO)
        close(null);
    return good || error_set(error, "/dev/null: %s", strerror(errno));
}

bool sandbox_enter(const struct sandbox_options *o, int status_fd,
                   struct sandbox_report *report, struct error_text *error)
{
    static const char *const names[] = {[SANDBOX_READER] = "reader",
                                        [SANDBOX_UPLINK] = "uplink",
                                        [SANDBOX_RENEWER] = "renewer"};
    *report = (struct sandbox_report){.process = names[o->role],
                                      .pid = (uint32_t)getpid()};
    name_user(report);
    if (o->role == SANDBOX_READER && !IS_SANITIZED && !leave_output(error))
        return false;
    if (!drop_capabilities(error) || !enter_landlock(o, report, error) ||
        !enter_seccomp(o, report, error))
        return false;
    look(o->role, status_fd, report);
    return true;
}
