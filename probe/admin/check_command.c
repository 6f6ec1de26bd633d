/*
 * The checks are rows of a table, in the order in which a failure explains
 * later ones. Each adds lines with REPORT and, where something is to be done,
 * ADVISE; what one opened and another needs is kept in struct check.
 */
#include "probe/admin/check_command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/columns.h"
#include "common/crypto/sign.h"
#include "common/crypto/tls.h"
#include "common/durable.h"
#include "common/program.h"
#include "common/wire/endpoint.h"
#include "probe/admin/reach.h"
#include "probe/capture/capture.h"
#include "probe/capture/filter.h"
#include "probe/meter/meter.h"
#include "probe/process/exporter.h"
#include "probe/state/probe_config.h"
#include "probe/state/probe_metrics.h"

enum {
    LINE_MAX_BYTES = 4096,
    ITEM_WIDTH = 14,
    PATIENCE_MS = 5000,
    SOON_DAYS = 14,
    CERTIFICATE_WARN_DAYS = 10,
    NAME_LEN = 32,
};
#define DAY_US (INT64_C(86400) * 1000000)

enum level { LEVEL_OK, LEVEL_WARN, LEVEL_FAIL };

struct check {
    struct probe_config config;
    const char *path; /* of the configuration */
    enum language language;
    struct wall_time now;
    const char *item;   /* key of what is being looked at */
    struct buffer line; /* the one that is being written */
    unsigned warnings, failures;
    struct endpoint_list *endpoints;
    struct tls_context *tls;
    bool is_running; /* a probe, on this state folder */
};

/* --- lines --- */

static void end_line(struct check *c)
{
    if (c->line.length == 0)
        return;
    fwrite(c->line.data, 1, c->line.length, stdout);
    fputc('\n', stdout);
    fflush(stdout); /* some checks take seconds */
    buffer_reset(&c->line);
}

static struct buffer *begin_line(struct check *c, enum level level)
{
    static const char *const words[] = {
        [LEVEL_OK] = "ok", [LEVEL_WARN] = "warn", [LEVEL_FAIL] = "FAIL"};
    end_line(c);
    c->warnings += level == LEVEL_WARN;
    c->failures += level == LEVEL_FAIL;
    buffer_addf(&c->line, "%-5s ", words[level]);
    columns_add(&c->line, slice_of_text(text_word(c->language, "", c->item)),
                ITEM_WIDTH);
    return &c->line;
}

static struct buffer *begin_advice(struct check *c)
{
    buffer_add_text(&c->line, " -> ");
    return &c->line;
}

/* A line with a whole sentence, and behind an arrow what is to be done. */
#define REPORT(c, level, ...)                                                  \
    text_fill(begin_line(c, level), (c)->language, __VA_ARGS__)
#define ADVISE(c, ...) text_fill(begin_advice(c), (c)->language, __VA_ARGS__)

/* What a module below says is wrong. */
static void report_reason(struct check *c, enum level level, const char *reason)
{
    buffer_add_text(begin_line(c, level), reason);
}

/* --- who --- */

static void check_user(struct check *c)
{
    const char *user = c->config.user;
    bool is_root = geteuid() == 0;
    const struct passwd *entry = user[0] == '\0' ? NULL : getpwnam(user);
    if (user[0] != '\0' && entry == NULL) {
        REPORT(c, LEVEL_FAIL, "probe.check.no_user", text_plain("user", user));
        buffer_addf(begin_advice(c),
                    "sudo useradd --system --shell /usr/sbin/nologin %s", user);
    } else if (user[0] == '\0' && is_root) {
        REPORT(c, LEVEL_WARN, "probe.check.user_not_set");
        ADVISE(c, "probe.check.do.set_user", text_plain("config", c->path));
    } else if (entry != NULL && !is_root && entry->pw_uid != geteuid()) {
        REPORT(c, LEVEL_FAIL, "probe.check.not_root", text_plain("user", user));
        buffer_addf(begin_advice(c), "sudo yz-probe check -c %s", c->path);
    } else if (is_root) {
        REPORT(c, LEVEL_OK, "probe.check.starts_as_root",
               text_plain("user", user));
    } else {
        REPORT(c, LEVEL_OK, "probe.check.starts_as_user",
               text_number("id", (unsigned)geteuid()));
    }
}

/* --- endpoints --- */

struct endpoint_counts {
    size_t all, valid, expired, soon;
};

static struct endpoint_counts count_endpoints(const struct check *c)
{
    struct endpoint_counts n = {.all = endpoint_rule_count(c->endpoints)};
    for (size_t i = 0; i < n.all; i++) {
        struct endpoint_rule rule = endpoint_rule_at(c->endpoints, i);
        bool has_begun = rule.from.us <= c->now.us;
        bool has_ended = rule.to.us <= c->now.us;
        n.valid += has_begun && !has_ended;
        n.expired += has_ended;
        n.soon += !has_begun && rule.from.us - c->now.us < SOON_DAYS * DAY_US;
    }
    return n;
}

static void check_endpoints(struct check *c)
{
    struct error_text error;
    c->endpoints = endpoint_list_load(c->config.endpoints, &error);
    if (c->endpoints == NULL) {
        report_reason(c, LEVEL_FAIL, error.text);
        ADVISE(c, "probe.check.do.get_list",
               text_plain("path", c->config.endpoints));
        return;
    }
    struct endpoint_counts n = count_endpoints(c);
    REPORT(c, n.valid > 0 ? LEVEL_OK : LEVEL_WARN, "probe.check.endpoints",
           text_count("all", n.all), text_count("valid", n.valid),
           text_count("expired", n.expired), text_count("soon", n.soon));
    if (n.valid == 0)
        ADVISE(c, "probe.check.do.update_list",
               text_plain("path", c->config.endpoints));
}

/* --- interface and kernel filter --- */

/* False without such an interface. */
static bool interface_flags(const char *name, unsigned *flags)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = slice_copy(slice_of_text(name), request.ifr_name,
                           sizeof(request.ifr_name)) &&
                fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    if (fd >= 0)
        close(fd);
    *flags = (unsigned)(unsigned short)request.ifr_flags;
    return good;
}

/* True when it is worth opening. */
static bool check_link(struct check *c, const char *name)
{
    unsigned flags;
    if (strcmp(name, "any") == 0)
        return true;
    if (!interface_flags(name, &flags)) {
        REPORT(c, LEVEL_FAIL, "probe.check.no_interface",
               text_plain("name", name));
        ADVISE(c, "probe.check.do.name_interface",
               text_plain("config", c->path));
        return false;
    }
    if (!(flags & IFF_UP)) {
        REPORT(c, LEVEL_FAIL, "probe.check.interface_down",
               text_plain("name", name));
        buffer_addf(begin_advice(c), "sudo ip link set %s up", name);
        return false;
    }
    if (!(flags & IFF_RUNNING)) {
        REPORT(c, LEVEL_WARN, "probe.check.no_link", text_plain("name", name));
        ADVISE(c, "probe.check.do.look_at_cable", text_plain("name", name));
    }
    return true;
}

static struct capture *open_interface(struct check *c, const char *name)
{
    struct error_text error;
    struct capture_options options = {.interface = name,
                                      .snap_length = c->config.snap_length,
                                      .buffer_mb = c->config.buffer_mb,
                                      .is_promiscuous =
                                          c->config.is_promiscuous};
    struct capture *capture = capture_open_live(&options, &error);
    if (capture == NULL) {
        report_reason(c, LEVEL_FAIL, error.text);
        ADVISE(c, "probe.check.do.run_as_starter",
               text_plain("config", c->path));
        return NULL;
    }
    if (meter_reads_link_type(capture_link_type(capture))) {
        REPORT(c, LEVEL_OK, "probe.check.interface", text_plain("name", name),
               text_plain("link", capture_link_name(capture)));
        return capture;
    }
    REPORT(c, LEVEL_FAIL, "probe.check.link_not_supported",
           text_plain("name", name),
           text_plain("link", capture_link_name(capture)));
    ADVISE(c, "probe.check.do.name_ethernet", text_plain("config", c->path));
    capture_close(capture);
    return NULL;
}

/* As run does. */
static struct filter *attach(const struct check *c, struct capture *capture,
                             struct error_text *error)
{
    return filter_attach((enum filter_kind)c->config.kernel_filter,
                         c->endpoints, &capture, 1,
                         (uint32_t)c->config.snap_length, c->now, error);
}

static void check_filter(struct check *c, struct capture *capture,
                         const char *name)
{
    const char *item = TEXT_KEY("probe.check.item.filter");
    const char *before = c->item;
    struct error_text error;
    c->item = item;
    struct filter *filter = attach(c, capture, &error);
    if (filter == NULL) {
        report_reason(c, LEVEL_FAIL, error.text);
        ADVISE(c, "probe.check.do.use_ebpf");
    } else {
        bool is_ebpf = filter_kind(filter) == FILTER_EBPF;
        REPORT(c, is_ebpf ? LEVEL_OK : LEVEL_WARN, "probe.check.filter",
               text_plain("name", name),
               text_plain("kind", is_ebpf ? "eBPF" : "classic BPF"),
               text_count("rules", filter_rule_count(filter)));
        if (!is_ebpf)
            ADVISE(c, "probe.check.do.newer_kernel");
    }
    filter_free(filter);
    c->item = before;
}

static void check_interface(struct check *c, struct slice name)
{
    char text[NAME_LEN];
    if (!slice_copy(slice_trim(name), text, sizeof(text)) ||
        !check_link(c, text))
        return;
    struct capture *capture = open_interface(c, text);
    if (capture == NULL)
        return;
    if (c->endpoints != NULL)
        check_filter(c, capture, text);
    capture_close(capture);
}

static void check_interfaces(struct check *c)
{
    struct slice rest = slice_of_text(c->config.interface), name;
    while (slice_next(&rest, ',', &name))
        check_interface(c, name);
}

/* --- keys and certificate --- */

static void check_private(struct check *c, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || (info.st_mode & 077) == 0)
        return; /* unreadable ones are told by who reads them */
    REPORT(c, LEVEL_WARN, "probe.check.readable_by_others",
           text_plain("path", path));
    buffer_addf(begin_advice(c), "sudo chmod 600 %s", path);
}

static void check_keys(struct check *c)
{
    struct error_text error;
    enum sign_algorithm algorithm;
    uint8_t bytes[SIGN_PUBLIC_MAX];
    struct sign_key *key = sign_key_load(c->config.signing_key, &error);
    if (key == NULL) {
        report_reason(c, LEVEL_FAIL, error.text);
        ADVISE(c, "probe.check.do.signing_key",
               text_plain("path", c->config.signing_key));
    } else {
        REPORT(c, LEVEL_OK, "probe.check.signing_key",
               text_plain("algorithm",
                          sign_algorithm_name(sign_key_algorithm(key))));
    }
    sign_key_free(key);
    if (sign_public_load(c->config.receipt_key, &algorithm, bytes, &error) ==
        0) {
        report_reason(c, LEVEL_FAIL, error.text);
        ADVISE(c, "probe.check.do.receipt_key",
               text_plain("path", c->config.receipt_key));
    } else {
        REPORT(c, LEVEL_OK, "probe.check.receipt_key",
               text_plain("algorithm", sign_algorithm_name(algorithm)));
    }
    check_private(c, c->config.tls_key);
}

static void check_days(struct check *c)
{
    int64_t left = tls_context_expires(c->tls).us - c->now.us;
    int64_t life =
        tls_context_expires(c->tls).us - tls_context_begins(c->tls).us;
    int64_t warn = CERTIFICATE_WARN_DAYS * DAY_US;
    warn = life / 3 < warn ? life / 3 : warn;
    REPORT(c, left < warn ? LEVEL_WARN : LEVEL_OK,
           "probe.check.certificate_days", text_number("days", left / DAY_US));
    if (left < warn)
        ADVISE(c, "probe.check.do.new_certificate",
               text_plain("path", c->config.certificate));
}

static void check_certificate(struct check *c)
{
    struct error_text error;
    char name[TLS_NAME_LEN];
    c->tls = tls_context_client(c->config.ca, c->config.certificate,
                                c->config.tls_key, c->now, &error);
    if (c->tls == NULL) {
        report_reason(c, LEVEL_FAIL, error.text);
        ADVISE(c, "probe.check.do.look_at_tls", text_plain("config", c->path));
        return;
    }
    check_days(c);
    if (!tls_context_name(c->tls, name) ||
        strcmp(name, c->config.probe_id) != 0) {
        REPORT(c, LEVEL_FAIL, "probe.check.certificate_name",
               text_plain("probe", c->config.probe_id));
        ADVISE(c, "probe.check.do.same_probe_id",
               text_plain("path", c->config.certificate));
    }
    if (!tls_context_is_issued(c->tls, &error)) {
        REPORT(c, LEVEL_FAIL, "probe.check.not_issued",
               text_plain("authority", c->config.ca),
               text_plain("reason", error.text));
        buffer_addf(begin_advice(c),
                    "openssl verify -purpose sslclient -CAfile %s %s",
                    c->config.ca, c->config.certificate);
    }
}

/* --- state folder --- */

/* In a process of its own, as the user that the probe becomes: creates, writes
 * and removes a file. 0, or why not. */
static int try_writing(const struct check *c, const char *folder)
{
    char path[DURABLE_PATH_LEN], name[32];
    struct error_text error;
    snprintf(name, sizeof(name), ".check-%ld", (long)getpid());
    if (!durable_path(path, folder, name))
        return ENAMETOOLONG;
    if (!program_drop_to_user(c->config.user, &error))
        return EPERM;
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    bool good = write(fd, "check\n", 6) == 6 && fsync(fd) == 0;
    int reason = good ? 0 : errno;
    close(fd);
    return unlink(path) == 0 ? reason : errno;
}

static int write_as_user(const struct check *c, const char *folder)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(try_writing(c, folder) & 0xff);
    if (child < 0)
        return errno;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* Held by a probe for as long as it runs (probe/uplink/spool.c). Ours is shared and
 * given back at once. */
static bool is_locked(const struct check *c)
{
    char path[DURABLE_PATH_LEN];
    if (!durable_path(path, c->config.state, "lock"))
        return false;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false; /* no probe has run here yet */
    bool is_held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return is_held;
}

static void check_space(struct check *c)
{
    struct statvfs fs;
    uint64_t wanted_mb =
        c->config.spool_mb + 2 * c->config.sent_mb + c->config.receipts_mb;
    if (statvfs(c->config.state, &fs) != 0)
        return;
    uint64_t free_mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
    bool has_room = free_mb >= wanted_mb;
    REPORT(c, has_room ? LEVEL_OK : LEVEL_WARN, "probe.check.space",
           text_count("free", free_mb), text_count("needed", wanted_mb));
    if (!has_room)
        ADVISE(c, "probe.check.do.make_room", text_plain("config", c->path));
}

static void check_state(struct check *c)
{
    const char *user = c->config.user[0] != '\0' ? c->config.user : "root";
    int reason = write_as_user(c, c->config.state);
    if (reason != 0) {
        REPORT(c, LEVEL_FAIL, "probe.check.not_writable",
               text_plain("path", c->config.state), text_plain("user", user),
               text_plain("reason", strerror(reason)));
        buffer_addf(begin_advice(c), "sudo install -d -m 700 -o %s %s", user,
                    c->config.state);
        return;
    }
    check_space(c);
    c->is_running = is_locked(c);
    if (c->is_running) {
        REPORT(c, LEVEL_WARN, "probe.check.is_running",
               text_plain("state", c->config.state));
        buffer_addf(begin_advice(c), "yz-probe status -c %s", c->path);
    }
}

/* --- renewal --- */

static void check_renewal(struct check *c)
{
    char folder[DURABLE_PATH_LEN];
    const struct probe_config *p = &c->config;
    const char *user = p->user[0] != '\0' ? p->user : "root";
    if (p->portal[0] == '\0') {
        REPORT(c, LEVEL_WARN, "probe.check.no_portal");
        ADVISE(c, "probe.check.do.enrol", text_plain("config", c->path));
        return;
    }
    int reason = durable_folder_of(folder, p->certificate)
                     ? write_as_user(c, folder)
                     : ENAMETOOLONG;
    if (reason == 0) {
        REPORT(c, LEVEL_OK, "probe.check.renewal",
               text_plain("portal", p->portal));
        return;
    }
    REPORT(c, LEVEL_FAIL, "probe.check.not_writable",
           text_plain("path", folder), text_plain("user", user),
           text_plain("reason", strerror(reason)));
    buffer_addf(begin_advice(c), "sudo chown -R %s %s", user, folder);
}

/* --- time, metrics --- */

static void check_clock(struct check *c)
{
    if (exporter_clock_quality() == CLOCK_SYNCHRONISED) {
        REPORT(c, LEVEL_OK, "probe.check.clock_good");
        return;
    }
    REPORT(c, LEVEL_WARN, "probe.check.clock_unknown");
    buffer_add_text(begin_advice(c), "sudo timedatectl set-ntp true");
}

static void check_metrics(struct check *c)
{
    struct error_text error;
    if (c->config.metrics[0] == '\0' || c->is_running)
        return; /* off, or in use by the probe that runs */
    struct metrics_server *server = metrics_open(c->config.metrics, &error);
    if (server != NULL) {
        REPORT(c, LEVEL_OK, "probe.check.metrics",
               text_plain("address", c->config.metrics));
    } else {
        report_reason(c, LEVEL_FAIL, error.text);
        ADVISE(c, "probe.check.do.change_metrics",
               text_plain("config", c->path));
    }
    metrics_close(server);
}

/* --- collector --- */

static void report_reach(struct check *c, enum reach_step step,
                         const struct reach_result *r)
{
    const char *host = r->host, *port = r->port;
    if (step == REACH_NAME) {
        REPORT(c, LEVEL_FAIL, "probe.check.no_address",
               text_plain("host", host), text_plain("reason", r->why.text));
        ADVISE(c, "probe.check.do.look_at_dns", text_plain("host", host));
        return;
    }
    if (step == REACH_PORT) {
        REPORT(c, LEVEL_FAIL, "probe.check.no_connection",
               text_plain("host", host), text_plain("address", r->address),
               text_plain("port", port), text_plain("reason", r->why.text));
        ADVISE(c, "probe.check.do.open_firewall", text_plain("host", host),
               text_plain("port", port));
        return;
    }
    REPORT(c, LEVEL_OK,
           r->is_numeric ? "probe.check.reachable"
                         : "probe.check.reachable_by_name",
           text_plain("address", r->address), text_plain("port", port));
}

static void report_tls(struct check *c, enum reach_step step,
                       const struct reach_result *r)
{
    const struct probe_config *p = &c->config;
    if (step == REACH_DONE) {
        REPORT(c, LEVEL_OK, "probe.check.tls",
               text_plain("name", p->collector_name),
               text_plain("protocol", TLS_ALPN_YZ1));
    } else if (step == REACH_ALPN) {
        REPORT(c, LEVEL_FAIL, "probe.check.no_alpn",
               text_plain("protocol", TLS_ALPN_YZ1));
        ADVISE(c, "probe.check.do.look_at_collector",
               text_plain("config", c->path));
    } else if (c->tls == NULL) {
        REPORT(c, LEVEL_WARN, "probe.check.tls_not_tried");
        ADVISE(c, "probe.check.do.certificate_first");
    } else {
        REPORT(c, LEVEL_FAIL, "probe.check.tls_failed",
               text_plain("reason", r->why.text));
        ADVISE(c, "probe.check.do.look_at_names",
               text_plain("collector", p->collector),
               text_plain("authority", p->ca));
    }
}

static void check_collector(struct check *c)
{
    struct reach_result r;
    enum reach_step step = reach_collector(
        c->config.collector, c->config.collector_name, c->tls, PATIENCE_MS, &r);
    if (step == REACH_FORM) {
        REPORT(c, LEVEL_FAIL, "probe.check.not_host_port",
               text_plain("text", c->config.collector));
        ADVISE(c, "probe.check.do.change_collector",
               text_plain("config", c->path));
        return;
    }
    report_reach(c, step, &r);
    if (step >= REACH_TLS)
        report_tls(c, step, &r);
}

/* --- what the kernel has for the sandbox --- */

static void check_sandbox(struct check *c)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    bool has_seccomp =
        syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                       LANDLOCK_CREATE_RULESET_VERSION);
    if (has_seccomp && abi > 0) {
        REPORT(c, LEVEL_OK, "probe.check.sandbox", text_number("abi", abi));
        return;
    }
    REPORT(c, LEVEL_WARN,
           has_seccomp ? "probe.check.no_landlock"
           : abi > 0   ? "probe.check.no_seccomp"
                       : "probe.check.no_sandbox");
    ADVISE(c, "probe.check.do.landlock");
}

/* --- the command --- */

static const struct {
    const char *item; /* key */
    void (*run)(struct check *c);
} checks[] = {
    {TEXT_KEY("probe.check.item.user"), check_user},
    {TEXT_KEY("probe.check.item.endpoints"), check_endpoints},
    {TEXT_KEY("probe.check.item.interface"), check_interfaces},
    {TEXT_KEY("probe.check.item.keys"), check_keys},
    {TEXT_KEY("probe.check.item.certificate"), check_certificate},
    {TEXT_KEY("probe.check.item.renewal"), check_renewal},
    {TEXT_KEY("probe.check.item.state"), check_state},
    {TEXT_KEY("probe.check.item.clock"), check_clock},
    {TEXT_KEY("probe.check.item.metrics"), check_metrics},
    {TEXT_KEY("probe.check.item.collector"), check_collector},
    {TEXT_KEY("probe.check.item.sandbox"), check_sandbox},
};

static void check_all(struct check *c)
{
    const char *whole = TEXT_KEY("probe.check.item.in_all");
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        c->item = checks[i].item;
        checks[i].run(c);
    }
    unsigned warnings = c->warnings, failures = c->failures;
    c->item = whole;
    REPORT(c, failures > 0 ? LEVEL_FAIL : LEVEL_OK, "probe.check.in_all",
           text_number("failures", failures),
           text_number("warnings", warnings));
    c->failures = failures;
    end_line(c);
}

static int check_with(struct check *c)
{
    const char *item = TEXT_KEY("probe.check.item.configuration");
    struct error_text error;
    int status = 2;
    signal(SIGPIPE, SIG_IGN);
    buffer_init(&c->line, LINE_MAX_BYTES);
    c->item = item;
    if (!probe_config_read(c->path, &c->config, &error)) {
        report_reason(c, LEVEL_FAIL, error.text);
        ADVISE(c, "probe.check.do.see_keys", text_plain("config", c->path));
        end_line(c);
    } else {
        REPORT(c, LEVEL_OK, "probe.check.configuration",
               text_plain("path", c->path),
               text_plain("probe", c->config.probe_id));
        check_all(c);
        status = c->failures > 0 ? 1 : 0;
    }
    buffer_clear(&c->line);
    tls_context_free(c->tls);
    endpoint_list_free(c->endpoints);
    return status;
}

int check_command_main(int argc, char **argv)
{
    struct check c = {.path = PROGRAM_CONFIG("probe"),
                      .now = wall_now(),
                      .language = program_language()};
    const struct program_option options[] = {{.name = "-c", .value = &c.path}};
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 0, 0) < 0)
        return 2;
    return check_with(&c);
}
