/* Metrics: the text obeys a strict grammar of the format, the numbers are
 * those of the status, and the server survives slow, broken and many clients
 * without ever waiting. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/state/probe_metrics.h"
#include "tests/test.h"

static const struct probe_interface interfaces[] = {
    {"eth1", "EN10MB", 11, 1}, {"odd\"\\\n\xff name", "RAW", 22, 2}};
static const struct sandbox_report processes[] = {
    {.process = "reader",
     .pid = 7,
     .user = "yz-probe",
     .no_new_privileges = true,
     .seccomp_filter = true,
     .landlock_abi = 6,
     .files_denied = true,
     .sockets_denied = true,
     .root_left = true},
    {.process = "uplink", .capabilities = 5}};

static struct probe_status sample(void)
{
    struct probe_status s = {
        .probe_id = "gate-1",
        .started = wall_from_ms(1700000000123),
        .now = wall_from_ms(1700000010000),
        .interfaces = interfaces,
        .interface_count = 2,
        .filter_kind = FILTER_EBPF,
        .rules = 500,
        .kernel = {true, 1000, 100000, 300, 30000},
        .capture = {300, 4, 296},
        .meter = {.packets = 290,
                  .octets = 29000,
                  .undecodable = {1, 2, 3},
                  .filtered = 0,
                  .flows = 40,
                  .evicted = 5,
                  .active_flows = 35},
        .duplicates = 6,
        .memory_rss_bytes = 9 << 20,
        .memory_peak_bytes = 10 << 20,
        .flow_limit = 65536,
        .flow_table_bytes = 20 << 20,
        .batches_made = 12,
        .spool = {.waiting = 2,
                  .waiting_bytes = 4096,
                  .acknowledged = 9,
                  .refused = 1,
                  .bound_bytes = 1 << 28,
                  .losses = {3, 1, 4}},
        .side = {.clock_offset_ms = -1500,
                 .clock_taken = wall_from_s(1700000001),
                 .registry_serial = 7,
                 .known_serial = 7,
                 .refusal = REFUSED_OLDER,
                 .refusals = 2},
        .certificate_end = wall_from_ms(1800000000000),
        .clock_quality = CLOCK_SYNCHRONISED,
        .processes = processes,
        .process_count = 2,
    };
    return s;
}

/* --- the text --- */

struct series {
    char name[100]; /* of the TYPE line in force */
    char type[10];
    bool has_help, has_sample;
};

static regex_t help_line, type_line, sample_line;

static void compile(regex_t *regex, const char *pattern)
{
    if (regcomp(regex, pattern, REG_EXTENDED) != 0)
        abort();
}

static struct slice group(const char *line, regmatch_t m)
{
    return slice_of_bytes(line + m.rm_so, (size_t)(m.rm_eo - m.rm_so));
}

/* HELP, TYPE, samples of that name; a counter ends in _total and nothing else
 * does; a name has one block only. */
static bool check_line(struct series *s, const char *line)
{
    regmatch_t m[6];
    char name[100];
    if (regexec(&help_line, line, 6, m, 0) == 0) {
        *s = (struct series){.has_help = true};
        return slice_copy(group(line, m[1]), s->name, sizeof(s->name));
    }
    if (regexec(&type_line, line, 6, m, 0) == 0) {
        bool is_same = slice_copy(group(line, m[1]), name, sizeof(name)) &&
                       strcmp(name, s->name) == 0 && s->has_help;
        slice_copy(group(line, m[2]), s->type, sizeof(s->type));
        bool has_total =
            slice_ends_with_nocase(slice_of_text(name), SLICE("_total"));
        return is_same && has_total == (strcmp(s->type, "counter") == 0);
    }
    if (regexec(&sample_line, line, 6, m, 0) != 0)
        return false;
    s->has_sample = true;
    return s->type[0] != '\0' &&
           slice_copy(group(line, m[1]), name, sizeof(name)) &&
           strcmp(name, s->name) == 0;
}

static bool check_text(char *text)
{
    struct series s = {0};
    bool good = text[0] != '\0' && text[strlen(text) - 1] == '\n';
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (!check_line(&s, line)) {
            printf("# not in the grammar: %s\n", line);
            good = false;
        }
        *end = '\n';
    }
    return good;
}

static const char *print(const struct probe_status *s)
{
    static char text[METRICS_TEXT_MAX + 1];
    struct buffer out;
    buffer_init(&out, METRICS_TEXT_MAX);
    probe_metrics_print(s, &out);
    CHECK(!out.failed);
    CHECK(slice_copy(buffer_slice(&out), text, sizeof(text)));
    buffer_clear(&out);
    return text;
}

static void test_text(void)
{
    struct probe_status s = sample(), empty = {.probe_id = "x"};
    static const char *const wanted[] = {
        "yunzheng_probe_info{probe=\"gate-1\",version=",
        "\nyunzheng_probe_start_time_seconds 1700000000.123\n",
        "\nyunzheng_probe_kernel_matched_packets_total 300\n",
        "\nyunzheng_probe_dropped_packets_total 4\n",
        "\nyunzheng_probe_duplicate_packets_total 6\n",
        "\nyunzheng_probe_undecodable_packets_total{reason=\"header\"} 3\n",
        "\nyunzheng_probe_batches_acknowledged_total 9\n",
        "\nyunzheng_probe_loss_records_waiting 1\n",
        "\nyunzheng_probe_clock_offset_seconds -1.500\n",
        "\nyunzheng_probe_registry_serial 7\n",
        "\nyunzheng_probe_registry_refused{reason=\"older\"} 1\n",
        "\nyunzheng_probe_registry_refused{reason=\"signature\"} 0\n",
        "\nyunzheng_probe_certificate_expiry_time_seconds 1800000000.000\n",
        "\nyunzheng_probe_interface_dropped_packets_total{interface=\"odd"
        "\\\"\\\\\\n? name\",link_type=\"RAW\"} 2\n",
        "\nyunzheng_probe_sandbox{process=\"reader\",measure=\"landlock_abi\"} "
        "6\n",
        "\nyunzheng_probe_sandbox{process=\"uplink\",measure=\"capabilities\"} "
        "2\n",
    };
    test_case("the text obeys the format's grammar, with everything in it");
    char *text = strdup(print(&s));
    CHECK(check_text(text));
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (!CHECK(strstr(text, wanted[i]) != NULL))
            printf("# missing: %s\n", wanted[i]);
    }
    free(text);
    test_case("what is not known has no sample");
    text = strdup(print(&empty));
    CHECK(check_text(text));
    CHECK(strstr(text, ",registry=\"\"} 1\n") != NULL);
    CHECK(strstr(text, "kernel_seen") == NULL);
    CHECK(strstr(text, "resident_memory") == NULL);
    CHECK(strstr(text, "certificate_expiry") == NULL);
    CHECK(strstr(text, "last_receipt") == NULL);
    free(text);
    test_case("the grammar of this test refuses what is wrong");
    char wrong[] =
        "# HELP yunzheng_probe_a X.\n# TYPE yunzheng_probe_a counter\n";
    char label[] = "# HELP yunzheng_probe_a X.\n# TYPE yunzheng_probe_a gauge\n"
                   "yunzheng_probe_a{b=\"c\"d\"} 1\n";
    char other[] = "# HELP yunzheng_probe_a X.\n# TYPE yunzheng_probe_a gauge\n"
                   "yunzheng_probe_b 1\n";
    printf("# three complaints follow and are wanted\n");
    CHECK(!check_text(wrong));
    CHECK(!check_text(label));
    CHECK(!check_text(other));
}

/* --- requests --- */

static void test_requests(void)
{
    static const struct {
        const char *text;
        enum metrics_request want;
    } cases[] = {
        {"", METRICS_MORE},
        {"GET /metrics HTTP/1.1\r\n", METRICS_MORE},
        {"GET /metrics HTTP/1.1\r\n\r\n", METRICS_GET},
        {"GET /metrics HTTP/1.0\n\n", METRICS_GET},
        {"GET /metrics?x=1&y HTTP/1.1\r\nHost: a\r\n\r\n", METRICS_GET},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", METRICS_ROOT},
        {"GET /metricsx HTTP/1.1\r\n\r\n", METRICS_NOT_FOUND},
        {"GET /../etc/passwd HTTP/1.1\r\n\r\n", METRICS_NOT_FOUND},
        {"POST /metrics HTTP/1.1\r\n\r\n", METRICS_NOT_GET},
        {"get /metrics HTTP/1.1\r\n\r\n", METRICS_NOT_GET},
        {"GET /metrics HTTP/2.0\r\n", METRICS_MALFORMED},
        {"GET /metrics\r\n", METRICS_MALFORMED},
        {"GET  /metrics HTTP/1.1\r\n", METRICS_MALFORMED},
        {"GET metrics HTTP/1.1\r\n", METRICS_MALFORMED},
        {"GET http://a/metrics HTTP/1.1\r\n", METRICS_MALFORMED},
        {"GET /metrics HTTP/1.1 x\r\n", METRICS_MALFORMED},
        {"\x16\x03\x01\n", METRICS_MALFORMED},
        {"\n", METRICS_MALFORMED},
    };
    test_case("requests are told apart");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum metrics_request got =
            metrics_parse_request(slice_of_text(cases[i].text));
        if (!CHECK(got == cases[i].want))
            printf("# case %zu gave %d\n", i, (int)got);
    }
    static char big[METRICS_REQUEST_MAX];
    memset(big, 'a', sizeof(big));
    CHECK(metrics_parse_request(slice_of_bytes(big, sizeof(big) - 1)) ==
          METRICS_MORE);
    CHECK(metrics_parse_request(slice_of_bytes(big, sizeof(big))) ==
          METRICS_MALFORMED);
}

/* --- the server --- */

static struct buffer body;
static int64_t clock_us = 1000000;

/* One round of a poll loop, at the test's own time. */
static void step(struct metrics_server *s)
{
    struct pollfd fds[METRICS_FDS];
    int count = metrics_fds(s, fds, METRICS_FDS);
    CHECK(count >= 0 && count <= METRICS_FDS);
    (void)poll(fds, (nfds_t)count, 10);
    const struct metrics_pages pages = {"yz-probe", &body, NULL, true};
    metrics_step(s, fds, (size_t)count, &pages, (struct mono_time){clock_us});
}

static int call(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        return -1;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void say(int fd, const char *text)
{
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* Steps until the server has ended the connection; what came. */
static const char *hear(struct metrics_server *s, int fd)
{
    static char text[METRICS_TEXT_MAX + 1000];
    size_t length = 0;
    for (int round = 0; round < 500; round++) {
        step(s);
        ssize_t n;
        while ((n = recv(fd, text + length, sizeof(text) - 1 - length, 0)) > 0)
            length += (size_t)n;
        if (n == 0 || (n < 0 && errno != EAGAIN))
            break;
    }
    text[length] = '\0';
    close(fd);
    step(s); /* it notices that we closed */
    return text;
}

static bool answers(struct metrics_server *s, const char *request,
                    const char *status)
{
    int fd = call(metrics_port(s));
    say(fd, request);
    const char *text = hear(s, fd);
    bool good = strncmp(text, status, strlen(status)) == 0 &&
                strstr(text, "Connection: close\r\n") != NULL;
    if (!good)
        printf("# %.60s answered %.60s\n", request, text);
    return good;
}

static void test_server(struct metrics_server *s)
{
    test_case("GET, and what is not GET /metrics");
    CHECK(answers(s, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
                  "HTTP/1.1 200 OK\r\nContent-Type: text/plain; "
                  "version=0.0.4; charset=utf-8\r\n"));
    CHECK(answers(s, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 "));
    CHECK(answers(s, "GET /x HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "));
    CHECK(answers(s, "PUT /metrics HTTP/1.1\r\n\r\n",
                  "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n"));
    CHECK(answers(s, "nonsense\r\n\r\n", "HTTP/1.1 400 "));

    test_case("a request in single bytes, and one that is too long");
    int fd = call(metrics_port(s));
    for (const char *c = "GET /metrics HTTP/1.1\r\nA: b\r\n\r\n"; *c; c++) {
        char one[2] = {*c, '\0'};
        say(fd, one);
        step(s);
    }
    CHECK(strstr(hear(s, fd), "yunzheng_probe_info") != NULL);
    fd = call(metrics_port(s));
    say(fd, "GET /metrics HTTP/1.1\r\nA: ");
    for (int i = 0; i < 1000; i++)
        say(fd, "0123456789");
    CHECK(strncmp(hear(s, fd), "HTTP/1.1 400 ", 13) == 0);
}

static void test_slow_clients(struct metrics_server *s)
{
    int fds[METRICS_CONNECTIONS];
    test_case("clients that do nothing: the ninth waits, then gets its turn");
    for (int i = 0; i < METRICS_CONNECTIONS; i++) {
        fds[i] = call(metrics_port(s));
        step(s);
    }
    int ninth = call(metrics_port(s));
    say(ninth, "GET /metrics HTTP/1.1\r\n\r\n");
    step(s);
    char c;
    CHECK(recv(ninth, &c, 1, 0) == -1 && errno == EAGAIN);
    clock_us += METRICS_PATIENCE_S * 1000000;
    step(s);
    CHECK(strncmp(hear(s, ninth), "HTTP/1.1 200 ", 13) == 0);
    for (int i = 0; i < METRICS_CONNECTIONS; i++) {
        CHECK(recv(fds[i], &c, 1, 0) == 0); /* was let go */
        close(fds[i]);
    }

    test_case("a client that does not read, and one that resets");
    struct buffer big, kept = body;
    buffer_init(&big, METRICS_TEXT_MAX);
    memset(buffer_extend(&big, METRICS_TEXT_MAX), '#', METRICS_TEXT_MAX);
    body = big;
    int small = 2048, deaf = call(metrics_port(s));
    setsockopt(deaf, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    say(deaf, "GET /metrics HTTP/1.1\r\n\r\n");
    for (int i = 0; i < 20; i++)
        step(s); /* would hang here if it waited */
    struct linger hard = {1, 0};
    int rude = call(metrics_port(s));
    setsockopt(rude, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    say(rude, "GET /metrics HTTP/1.1\r\n\r\n");
    step(s);
    close(rude);
    body = kept;
    CHECK(answers(s, "GET /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 200 "));
    clock_us += METRICS_PATIENCE_S * 1000000;
    step(s);
    struct pollfd left[METRICS_FDS];
    CHECK_I64(metrics_fds(s, left, METRICS_FDS), 1); /* the listener alone */
    close(deaf);
    buffer_clear(&big);
}

/* --- as others see it --- */

static void test_curl(struct metrics_server *s, const char *way,
                      const char *value, const char *url)
{
    char path[] = "/tmp/yz-metrics-XXXXXX";
    int out = mkstemp(path), status = -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(out, STDOUT_FILENO);
        execlp("curl", "curl", "-sS", "--max-time", "5", "--noproxy", "*", way,
               value, url, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 800 && waitpid(child, &status, WNOHANG) == 0; i++)
        step(s);
    static char text[METRICS_TEXT_MAX];
    ssize_t length = pread(out, text, sizeof(text) - 1, 0);
    close(out);
    unlink(path);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return; /* no curl here */
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    text[length > 0 ? length : 0] = '\0';
    CHECK(check_text(text));
    CHECK(slice_equal(slice_of_text(text), buffer_slice(&body)));
}

static void test_unix(void)
{
    struct error_text error = {{0}};
    struct stat info;
    char folder[] = "/tmp/yz-metrics-XXXXXX", address[64];
    if (!CHECK(mkdtemp(folder) != NULL))
        return;
    snprintf(address, sizeof(address), "unix:%s/sock", folder);
    test_case("a Unix socket: its mode, curl, one left behind, one in use");
    struct metrics_server *s = metrics_open(address, &error);
    if (!CHECK(s != NULL))
        return;
    CHECK(stat(address + 5, &info) == 0 && (info.st_mode & 0777) == 0666);
    test_curl(s, "--unix-socket", address + 5, "http://localhost/metrics");
    CHECK(metrics_open(address, &error) == NULL); /* somebody is there */
    CHECK(strstr(error.text, "in use") != NULL);
    metrics_close(s);
    CHECK(access(address + 5, F_OK) != 0);

    struct sockaddr_un dead = {.sun_family = AF_UNIX};
    slice_copy(slice_of_text(address + 5), dead.sun_path,
               sizeof(dead.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&dead, sizeof(dead)) == 0);
    close(fd); /* as a killed probe leaves it */
    s = metrics_open(address, &error);
    CHECK(s != NULL);
    metrics_close(s);
    int file = open(address + 5, O_WRONLY | O_CREAT, 0600);
    close(file);
    CHECK(metrics_open(address, &error) == NULL); /* a file is not touched */
    CHECK(access(address + 5, F_OK) == 0);
    unlink(address + 5);
    rmdir(folder);
}

static void test_addresses(void)
{
    static const char *const refused[] = {
        "0.0.0.0:9465",    "192.168.1.1:9465",
        "[::]:9465",       "[2001:db8::1]:1",
        "localhost:9465",  "127.0.0.1",
        "127.0.0.1:65536", "127.0.0.1:",
        "::1:9465",        "[127.0.0.1]:1",
        "unix:",           "unix:relative",
        ":9465",           "[::ffff:127.0.0.1]:1",
    };
    struct error_text error;
    test_case("addresses that reach beyond this machine are refused");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        error.text[0] = '\0';
        struct metrics_server *s = metrics_open(refused[i], &error);
        if (!CHECK(s == NULL && strstr(error.text, refused[i]) != NULL))
            printf("# %s: %s\n", refused[i], error.text);
        metrics_close(s);
    }
    struct pollfd fds[METRICS_FDS];
    struct metrics_server *none = metrics_open("", &error);
    CHECK(none != NULL && metrics_fds(none, fds, METRICS_FDS) == 0);
    metrics_close(none);
    struct metrics_server *v6 = metrics_open("[::1]:0", &error);
    if (v6 != NULL) /* a machine may have no IPv6 */
        CHECK(metrics_port(v6) != 0);
    metrics_close(v6);
}

int main(void)
{
    struct error_text error = {{0}};
    struct probe_status status = sample();
    signal(SIGPIPE, SIG_DFL); /* a signal would end the test */
    compile(&help_line, "^# HELP (yunzheng_probe_[a-z_]+) [A-Z0-9][ -~]*\\.$");
    compile(&type_line, "^# TYPE (yunzheng_probe_[a-z_]+) (counter|gauge)$");
    compile(&sample_line, "^(yunzheng_probe_[a-z_]+)"
                          "(\\{[a-z_]+=\"([^\"\\\\]|\\\\[\\\\\"n])*\""
                          "(,[a-z_]+=\"([^\"\\\\]|\\\\[\\\\\"n])*\")*\\})? "
                          "-?[0-9]+(\\.[0-9]{3})?$");
    test_text();
    test_requests();
    test_addresses();
    buffer_init(&body, METRICS_TEXT_MAX);
    probe_metrics_print(&status, &body);
    struct metrics_server *s = metrics_open("127.0.0.1:0", &error);
    test_case("a loopback port is opened");
    if (CHECK(s != NULL && metrics_port(s) != 0)) {
        char url[64];
        test_server(s);
        test_slow_clients(s);
        test_case("curl on the loopback port");
        snprintf(url, sizeof(url), "http://127.0.0.1:%u/metrics",
                 metrics_port(s));
        test_curl(s, "-A", "test", url);
    }
    metrics_close(s);
    test_unix();
    buffer_clear(&body);
    regfree(&help_line);
    regfree(&type_line);
    regfree(&sample_line);
    return test_end();
}
