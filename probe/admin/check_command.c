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
#include "probe/state/language.h"
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
    const struct bilingual *item;
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
    language_add_column(&c->line, slice_of_text(c->item->text[c->language]),
                        ITEM_WIDTH);
    return &c->line;
}

static struct buffer *begin_advice(struct check *c)
{
    buffer_add_text(&c->line, " -> ");
    return &c->line;
}

/* Both formats take the same arguments. */
#define REPORT(c, level, zh, ...)                                              \
    language_addf(begin_line(c, level), (c)->language, zh, __VA_ARGS__)
#define ADVISE(c, zh, ...)                                                     \
    language_addf(begin_advice(c), (c)->language, zh, __VA_ARGS__)

/* --- who --- */

static void check_user(struct check *c)
{
    const char *user = c->config.user;
    bool is_root = geteuid() == 0;
    const struct passwd *entry = user[0] == '\0' ? NULL : getpwnam(user);
    if (user[0] != '\0' && entry == NULL) {
        REPORT(c, LEVEL_FAIL, "用户 %s 不存在", "there is no user %s", user);
        ADVISE(c, "sudo useradd --system --shell /usr/sbin/nologin %s",
               "sudo useradd --system --shell /usr/sbin/nologin %s", user);
    } else if (user[0] == '\0' && is_root) {
        REPORT(c, LEVEL_WARN, "未设置 user%s，探针将一直以root运行",
               "user is not set%s: the probe would stay root", "");
        ADVISE(c, "在 %s 中设置 user = yz-probe", "set user = yz-probe in %s",
               c->path);
    } else if (entry != NULL && !is_root && entry->pw_uid != geteuid()) {
        REPORT(c, LEVEL_FAIL, "只有root能改用用户 %s",
               "only root can become user %s", user);
        ADVISE(c, "sudo yz-probe check -c %s", "sudo yz-probe check -c %s",
               c->path);
    } else if (is_root) {
        REPORT(c, LEVEL_OK, "以root启动，打开网口后改用 %s",
               "starts as root, then becomes %s", user);
    } else {
        REPORT(c, LEVEL_OK, "以用户编号 %u 启动", "starts as user id %u",
               (unsigned)geteuid());
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
        REPORT(c, LEVEL_FAIL, "%s", "%s", error.text);
        ADVISE(c, "请从平台重新下载登记表，存为 %s",
               "get the list from the portal again and store it as %s",
               c->config.endpoints);
        return;
    }
    struct endpoint_counts n = count_endpoints(c);
    REPORT(c, n.valid > 0 ? LEVEL_OK : LEVEL_WARN,
           "%zu 条，现在有效 %zu，已过期 %zu，14 天内生效 %zu",
           "%zu prefixes: %zu valid now, %zu expired, %zu begin within 14 days",
           n.all, n.valid, n.expired, n.soon);
    if (n.valid == 0)
        ADVISE(c, "现在什么也不会记录；请更新 %s",
               "nothing would be recorded now; update %s", c->config.endpoints);
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
        REPORT(c, LEVEL_FAIL, "没有接口 %s", "there is no interface %s", name);
        ADVISE(c, "ip -br link 列出接口名；在 %s 中改 interface",
               "ip -br link lists them; change interface in %s", c->path);
        return false;
    }
    if (!(flags & IFF_UP)) {
        REPORT(c, LEVEL_FAIL, "接口 %s 未启用", "interface %s is down", name);
        ADVISE(c, "sudo ip link set %s up", "sudo ip link set %s up", name);
        return false;
    }
    if (!(flags & IFF_RUNNING)) {
        REPORT(c, LEVEL_WARN, "接口 %s 没有链路", "interface %s has no link",
               name);
        ADVISE(c, "请检查网线和交换机端口：ip link show %s",
               "look at the cable and the switch port: ip link show %s", name);
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
        REPORT(c, LEVEL_FAIL, "%s", "%s", error.text);
        ADVISE(c, "以启动探针的用户执行：sudo yz-probe check -c %s",
               "run it as the user that starts the probe: sudo yz-probe check "
               "-c %s",
               c->path);
        return NULL;
    }
    if (meter_reads_link_type(capture_link_type(capture))) {
        REPORT(c, LEVEL_OK, "%s 已启用，可以抓包，链路类型 %s",
               "%s is up and can be captured, link type %s", name,
               capture_link_name(capture));
        return capture;
    }
    REPORT(c, LEVEL_FAIL, "%s 的链路类型 %s 不受支持",
           "%s has link type %s, which is not supported", name,
           capture_link_name(capture));
    ADVISE(c, "在 %s 中改用以太网接口", "name an Ethernet interface in %s",
           c->path);
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
    static const struct bilingual item = {{"内核过滤", "kernel filter"}};
    const struct bilingual *before = c->item;
    struct error_text error;
    c->item = &item;
    struct filter *filter = attach(c, capture, &error);
    if (filter == NULL) {
        REPORT(c, LEVEL_FAIL, "%s", "%s", error.text);
        ADVISE(c, "须由root启动，内核须支持eBPF：uname -r；%s",
               "start as root on a kernel with eBPF: uname -r; %s",
               "kernel_filter = auto");
    } else {
        bool is_ebpf = filter_kind(filter) == FILTER_EBPF;
        REPORT(c, is_ebpf ? LEVEL_OK : LEVEL_WARN,
               "%s 上已证实生效：%s，%zu 条",
               "proved to be in force on %s: %s with %zu prefixes", name,
               is_ebpf ? "eBPF" : "classic BPF", filter_rule_count(filter));
        if (!is_ebpf)
            ADVISE(c, "只容数百条；建议 kernel_filter = %s 并用较新内核",
                   "holds some hundred; better kernel_filter = %s and a newer "
                   "kernel",
                   "ebpf");
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
    REPORT(c, LEVEL_WARN, "%s 可被其他用户读取", "%s can be read by others",
           path);
    ADVISE(c, "sudo chmod 600 %s", "sudo chmod 600 %s", path);
}

static void check_keys(struct check *c)
{
    struct error_text error;
    enum sign_algorithm algorithm;
    uint8_t bytes[SIGN_PUBLIC_MAX];
    struct sign_key *key = sign_key_load(c->config.signing_key, &error);
    if (key == NULL) {
        REPORT(c, LEVEL_FAIL, "%s", "%s", error.text);
        ADVISE(c, "sudo chmod 600 %s；没有则重新登记探针",
               "sudo chmod 600 %s; without one the probe must be registered "
               "again",
               c->config.signing_key);
    } else {
        REPORT(c, LEVEL_OK, "批次签名密钥可读，算法 %s",
               "the signing key is readable, algorithm %s",
               sign_algorithm_name(sign_key_algorithm(key)));
    }
    sign_key_free(key);
    if (sign_public_load(c->config.receipt_key, &algorithm, bytes, &error) ==
        0) {
        REPORT(c, LEVEL_FAIL, "%s", "%s", error.text);
        ADVISE(c, "请向项目主管部门索取回执公钥，存为 %s",
               "get the receipt key from the programme office, store it as %s",
               c->config.receipt_key);
    } else {
        REPORT(c, LEVEL_OK, "回执公钥可读，算法 %s",
               "the receipt key is readable, algorithm %s",
               sign_algorithm_name(algorithm));
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
           "还有 %" PRId64 " 天到期，与私钥相符",
           "%" PRId64 " days left, and the key belongs to it", left / DAY_US);
    if (left < warn)
        ADVISE(c, "请向项目主管部门换发，存为 %s",
               "ask the programme office for a new one, store it as %s",
               c->config.certificate);
}

static void check_certificate(struct check *c)
{
    struct error_text error;
    char name[TLS_NAME_LEN];
    c->tls = tls_context_client(c->config.ca, c->config.certificate,
                                c->config.tls_key, c->now, &error);
    if (c->tls == NULL) {
        REPORT(c, LEVEL_FAIL, "%s", "%s", error.text);
        ADVISE(c, "请核对 %s 中的 ca、certificate、tls_key",
               "look at ca, certificate and tls_key in %s", c->path);
        return;
    }
    check_days(c);
    if (!tls_context_name(c->tls, name) ||
        strcmp(name, c->config.probe_id) != 0) {
        REPORT(c, LEVEL_FAIL, "证书名称不是 %s", "it does not name %s",
               c->config.probe_id);
        ADVISE(c, "openssl x509 -noout -subject -in %s；使 probe_id 与之一致",
               "openssl x509 -noout -subject -in %s; make probe_id the same",
               c->config.certificate);
    }
    if (!tls_context_is_issued(c->tls, &error)) {
        REPORT(c, LEVEL_FAIL, "不是由 %s 签发：%s",
               "it was not issued by %s: %s", c->config.ca, error.text);
        ADVISE(c, "openssl verify -purpose sslclient -CAfile %s %s",
               "openssl verify -purpose sslclient -CAfile %s %s", c->config.ca,
               c->config.certificate);
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
    REPORT(c, has_room ? LEVEL_OK : LEVEL_WARN,
           "可写，空闲 %" PRIu64 " MiB，最多需要 %" PRIu64 " MiB",
           "writable, %" PRIu64 " MiB free, at most %" PRIu64 " MiB needed",
           free_mb, wanted_mb);
    if (!has_room)
        ADVISE(c, "请腾出空间，或在 %s 中减小 spool_mb、sent_mb",
               "make room, or lower spool_mb and sent_mb in %s", c->path);
}

static void check_state(struct check *c)
{
    const char *user = c->config.user[0] != '\0' ? c->config.user : "root";
    int reason = write_as_user(c, c->config.state);
    if (reason != 0) {
        REPORT(c, LEVEL_FAIL, "%s 不能由用户 %s 写入：%s",
               "%s cannot be written by user %s: %s", c->config.state, user,
               strerror(reason));
        ADVISE(c, "sudo install -d -m 700 -o %s %s",
               "sudo install -d -m 700 -o %s %s", user, c->config.state);
        return;
    }
    check_space(c);
    c->is_running = is_locked(c);
    if (c->is_running) {
        REPORT(c, LEVEL_WARN, "已有探针在 %s 上运行，不要再启动一个",
               "a probe is running on %s, do not start another",
               c->config.state);
        ADVISE(c, "yz-probe status -c %s", "yz-probe status -c %s", c->path);
    }
}

/* --- renewal --- */

static void check_renewal(struct check *c)
{
    char folder[DURABLE_PATH_LEN];
    const struct probe_config *p = &c->config;
    const char *user = p->user[0] != '\0' ? p->user : "root";
    if (p->portal[0] == '\0') {
        REPORT(c, LEVEL_WARN, "未设置 portal，证书不会自动续期%s",
               "portal is not set: the certificate is not renewed by itself%s",
               "");
        ADVISE(c, "yz-probe enrol -c %s，或到期前手动换发",
               "yz-probe enrol -c %s, or exchange it by hand in time", c->path);
        return;
    }
    int reason = durable_folder_of(folder, p->certificate)
                     ? write_as_user(c, folder)
                     : ENAMETOOLONG;
    if (reason == 0) {
        REPORT(c, LEVEL_OK, "由 %s 自动续期", "by itself, from %s", p->portal);
        return;
    }
    REPORT(c, LEVEL_FAIL, "%s 不能由用户 %s 写入：%s",
           "%s cannot be written by user %s: %s", folder, user,
           strerror(reason));
    ADVISE(c, "sudo chown -R %s %s", "sudo chown -R %s %s", user, folder);
}

/* --- time, metrics --- */

static void check_clock(struct check *c)
{
    if (exporter_clock_quality() == CLOCK_SYNCHRONISED) {
        REPORT(c, LEVEL_OK, "内核时钟已同步%s",
               "the kernel says its clock is synchronised%s", "");
        return;
    }
    REPORT(c, LEVEL_WARN, "内核时钟未同步，误差未知%s",
           "the kernel's clock is not synchronised, its error is unknown%s",
           "");
    ADVISE(c, "%s", "%s", "sudo timedatectl set-ntp true");
}

static void check_metrics(struct check *c)
{
    struct error_text error;
    if (c->config.metrics[0] == '\0' || c->is_running)
        return; /* off, or in use by the probe that runs */
    struct metrics_server *server = metrics_open(c->config.metrics, &error);
    if (server != NULL) {
        REPORT(c, LEVEL_OK, "可在 %s 提供", "can be served at %s",
               c->config.metrics);
    } else {
        REPORT(c, LEVEL_FAIL, "%s", "%s", error.text);
        ADVISE(c, "在 %s 中改 metrics", "change metrics in %s", c->path);
    }
    metrics_close(server);
}

/* --- collector --- */

static void report_reach(struct check *c, enum reach_step step,
                         const struct reach_result *r)
{
    const char *host = r->host, *port = r->port;
    if (step == REACH_NAME) {
        REPORT(c, LEVEL_FAIL, "%s 无法解析：%s", "%s has no address: %s", host,
               r->why.text);
        ADVISE(c, "getent hosts %s；请检查DNS",
               "getent hosts %s; look at this machine's DNS", host);
        return;
    }
    if (step == REACH_PORT) {
        REPORT(c, LEVEL_FAIL, "连接 %s（%s）端口 %s 失败：%s",
               "%s (%s), port %s: %s", host, r->address, port, r->why.text);
        ADVISE(c, "请在防火墙放行本机到 %s 的TCP端口 %s",
               "let this machine through the firewall to %s, TCP port %s", host,
               port);
        return;
    }
    REPORT(c, LEVEL_OK, "%s%s 的端口 %s 可达", "%s%s, port %s can be reached",
           r->is_numeric ? "" : "DNS+TCP ", r->address, port);
}

static void report_tls(struct check *c, enum reach_step step,
                       const struct reach_result *r)
{
    const struct probe_config *p = &c->config;
    if (step == REACH_DONE) {
        REPORT(c, LEVEL_OK, "TLS 1.3 双向认证成功，对方为 %s，协议 %s",
               "TLS 1.3 with both certificates, it is %s and speaks %s",
               p->collector_name, TLS_ALPN_YZ1);
    } else if (step == REACH_ALPN) {
        REPORT(c, LEVEL_FAIL, "TLS成功，但对方不支持 %s，不会有回执",
               "TLS works, but it does not speak %s: no receipts",
               TLS_ALPN_YZ1);
        ADVISE(c, "请核对 %s 中的 collector", "look at collector in %s",
               c->path);
    } else if (c->tls == NULL) {
        REPORT(c, LEVEL_WARN, "证书未就绪，未试TLS%s",
               "TLS was not tried, as there is no certificate%s", "");
        ADVISE(c, "请先解决上面的证书问题%s", "settle the certificate first%s",
               "");
    } else {
        REPORT(c, LEVEL_FAIL, "TLS握手失败：%s", "TLS: %s", r->why.text);
        ADVISE(c,
               "请核对 collector_name、ca 和证书；途中不得拆解TLS：openssl "
               "s_client -connect %s -CAfile %s",
               "look at collector_name, ca and the certificate; nothing may "
               "open TLS on the way: openssl s_client -connect %s -CAfile %s",
               p->collector, p->ca);
    }
}

static void check_collector(struct check *c)
{
    struct reach_result r;
    enum reach_step step = reach_collector(
        c->config.collector, c->config.collector_name, c->tls, PATIENCE_MS, &r);
    if (step == REACH_FORM) {
        REPORT(c, LEVEL_FAIL, "%s 不是 HOST:PORT", "%s is not HOST:PORT",
               c->config.collector);
        ADVISE(c, "在 %s 中改 collector", "change collector in %s", c->path);
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
        REPORT(c, LEVEL_OK, "内核支持seccomp和Landlock %ld",
               "the kernel has seccomp and Landlock %ld", abi);
        return;
    }
    REPORT(c, LEVEL_WARN, "内核缺少：%s%s", "the kernel lacks:%s%s",
           has_seccomp ? "" : " seccomp", abi > 0 ? "" : " Landlock");
    ADVISE(
        c,
        "探针仍可运行，沙箱较弱；Landlock须内核5.13起并在启动参数 lsm= 中：%s",
        "the probe works, its sandbox is weaker; Landlock needs Linux 5.13 "
        "and its name in lsm=: %s",
        "cat /sys/kernel/security/lsm");
}

/* --- the command --- */

static const struct {
    struct bilingual item;
    void (*run)(struct check *c);
} checks[] = {
    {{{"用户", "user"}}, check_user},
    {{{"登记表", "endpoints"}}, check_endpoints},
    {{{"网络接口", "interface"}}, check_interfaces},
    {{{"密钥", "keys"}}, check_keys},
    {{{"证书", "certificate"}}, check_certificate},
    {{{"证书续期", "renewal"}}, check_renewal},
    {{{"状态目录", "state"}}, check_state},
    {{{"时钟", "clock"}}, check_clock},
    {{{"指标", "metrics"}}, check_metrics},
    {{{"采集方", "collector"}}, check_collector},
    {{{"沙箱", "sandbox"}}, check_sandbox},
};

static void check_all(struct check *c)
{
    static const struct bilingual whole = {{"合计", "in all"}};
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        c->item = &checks[i].item;
        checks[i].run(c);
    }
    unsigned warnings = c->warnings, failures = c->failures;
    c->item = &whole;
    REPORT(c, failures > 0 ? LEVEL_FAIL : LEVEL_OK, "%u 项失败，%u 项警告",
           "%u failed, %u warnings", failures, warnings);
    c->failures = failures;
    end_line(c);
}

static int check_with(struct check *c)
{
    static const struct bilingual item = {{"配置", "configuration"}};
    struct error_text error;
    int status = 2;
    signal(SIGPIPE, SIG_IGN);
    buffer_init(&c->line, LINE_MAX_BYTES);
    c->item = &item;
    if (!probe_config_read(c->path, &c->config, &error)) {
        REPORT(c, LEVEL_FAIL, "%s", "%s", error.text);
        ADVISE(c, "yz-probe run -n -c %s；各项说明：man yz-probe",
               "yz-probe run -n -c %s; the keys: man yz-probe", c->path);
        end_line(c);
    } else {
        REPORT(c, LEVEL_OK, "%s，探针 %s", "%s, probe %s", c->path,
               c->config.probe_id);
        check_all(c);
        status = c->failures > 0 ? 1 : 0;
    }
    buffer_clear(&c->line);
    tls_context_free(c->tls);
    endpoint_list_free(c->endpoints);
    return status;
}

int check_main(int argc, char **argv)
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
