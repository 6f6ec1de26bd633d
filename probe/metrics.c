/*
 * Metrics and their server.
 *
 * Each metric without labels is a row of a table; those with labels have a
 * function each. The server keeps a state per connection: reading the request,
 * writing the answer, and then waiting for the client's end, since closing with
 * unread bytes would make the kernel throw the answer away.
 */
#include "probe/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/address.h"
#include "common/program.h"

/* --- the text --- */

#define PREFIX "yunzheng_probe_"

struct metric {
    const char *name, *type, *help;
    size_t offset; /* of a uint64_t in struct probe_status */
    bool (*is_known)(const struct probe_status *status); /* NULL: always */
};

static bool kernel_counts(const struct probe_status *s)
{
    return s->kernel.is_known;
}

static bool has_memory(const struct probe_status *s)
{
    return s->memory_rss_bytes != 0;
}

static bool has_table(const struct probe_status *s)
{
    return s->flow_limit != 0;
}

static bool has_receipt(const struct probe_status *s)
{
    return s->uplink.has_receipt;
}

#define AT(member) offsetof(struct probe_status, member)

static const struct metric metrics[] = {
    {"filter_rules", "gauge", "Registered prefixes valid now in the kernel.",
     AT(rules)},
    {"kernel_seen_packets_total", "counter",
     "Packets that the kernel filter looked at.", AT(kernel.seen_packets),
     kernel_counts},
    {"kernel_seen_bytes_total", "counter",
     "Bytes of the packets that the kernel filter looked at.",
     AT(kernel.seen_octets), kernel_counts},
    {"kernel_matched_packets_total", "counter",
     "Packets of registered services, let through by the kernel filter.",
     AT(kernel.matched_packets), kernel_counts},
    {"kernel_matched_bytes_total", "counter",
     "Bytes of packets that the kernel filter let through.",
     AT(kernel.matched_octets), kernel_counts},
    {"captured_packets_total", "counter",
     "Packets that passed the kernel filter, dropped ones included.",
     AT(capture.received)},
    {"dropped_packets_total", "counter",
     "Packets of registered services that the kernel dropped, for lack of room "
     "in its buffer.",
     AT(capture.dropped)},
    {"counted_packets_total", "counter", "Packets counted in flows.",
     AT(meter.packets)},
    {"counted_bytes_total", "counter", "IP bytes counted in flows.",
     AT(meter.octets)},
    {"filtered_packets_total", "counter",
     "Well-formed packets that were towards nothing registered.",
     AT(meter.filtered)},
    {"duplicate_packets_total", "counter",
     "Packets seen twice and counted once.", AT(duplicates)},
    {"flows_total", "counter", "Flows begun.", AT(meter.flows)},
    {"flows_evicted_total", "counter",
     "Flows reported early because the table was full.", AT(meter.evicted)},
    {"flows_active", "gauge", "Flows held now.", AT(meter.active_flows)},
    {"flows_limit", "gauge", "Flows that can be held at once.", AT(flow_limit),
     has_table},
    {"flow_table_bytes", "gauge", "Memory of the flow table, fixed at start.",
     AT(flow_table_bytes), has_table},
    {"resident_memory_bytes", "gauge", "Resident memory of all processes.",
     AT(memory_rss_bytes), has_memory},
    {"resident_memory_peak_bytes", "gauge",
     "Highest resident memory of all processes.", AT(memory_peak_bytes),
     has_memory},
    {"batches_total", "counter", "Batches made.", AT(batches_made)},
    {"batches_waiting", "gauge", "Batches that wait for their receipt.",
     AT(spool.waiting)},
    {"batches_waiting_bytes", "gauge", "Bytes of batches that wait.",
     AT(spool.waiting_bytes)},
    {"batches_acknowledged_total", "counter", "Batches with a valid receipt.",
     AT(spool.acknowledged)},
    {"batches_refused_total", "counter",
     "Batches that the collector will not count.", AT(spool.refused)},
    {"batches_lost_total", "counter",
     "Batches given up for lack of room, or found damaged.", AT(spool.lost)},
    {"uplink_attempts_total", "counter", "Attempts to reach the collector.",
     AT(uplink.attempts)},
    {"receipts_total", "counter", "Receipts received.", AT(uplink.receipts)},
    {"last_receipt_ledger_index", "gauge",
     "Place of the last acknowledged batch in the collector's ledger.",
     AT(uplink.last_receipt.ledger_index), has_receipt},
};

static void add_head(struct buffer *out, const char *name, const char *type,
                     const char *help)
{
    buffer_addf(out,
                "# HELP " PREFIX "%s %s\n"
                "# TYPE " PREFIX "%s %s\n",
                name, help, name, type);
}

static void add_rows(const struct probe_status *s, struct buffer *out)
{
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        const struct metric *m = &metrics[i];
        uint64_t value;
        if (m->is_known != NULL && !m->is_known(s))
            continue;
        memcpy(&value, (const char *)s + m->offset, sizeof(value));
        add_head(out, m->name, m->type, m->help);
        buffer_addf(out, PREFIX "%s %" PRIu64 "\n", m->name, value);
    }
}

/* A label's value: backslash, quote and line feed escaped, bytes that are no
 * UTF-8 replaced, since one of them would spoil the whole scrape. */
static void add_label_value(struct buffer *out, const char *value)
{
    struct slice rest = slice_of_text(value == NULL ? "" : value);
    while (rest.length > 0) {
        size_t length = slice_utf8_length(rest);
        struct slice character = {rest.data, length};
        size_t step = length == 0 ? 1 : length;
        if (length == 0)
            buffer_add_u8(out, '?');
        else if (rest.data[0] == '\n')
            buffer_add_text(out, "\\n");
        else if (rest.data[0] == '\\' || rest.data[0] == '"')
            buffer_addf(out, "\\%c", rest.data[0]);
        else
            buffer_add_slice(out, character);
        rest.data += step;
        rest.length -= step;
    }
}

struct label {
    const char *name, *value;
};

static void add_sample(struct buffer *out, const char *name,
                       const struct label *labels, size_t count, uint64_t value)
{
    buffer_addf(out, PREFIX "%s{", name);
    for (size_t i = 0; i < count; i++) {
        buffer_addf(out, "%s%s=\"", i > 0 ? "," : "", labels[i].name);
        add_label_value(out, labels[i].value);
        buffer_add_u8(out, '"');
    }
    buffer_addf(out, "} %" PRIu64 "\n", value);
}

static void add_seconds(struct buffer *out, const char *name, const char *help,
                        struct wall_time time)
{
    int64_t ms = wall_to_ms(time);
    if (ms <= 0)
        return; /* not known */
    add_head(out, name, "gauge", help);
    buffer_addf(out, PREFIX "%s %" PRId64 ".%03" PRId64 "\n", name, ms / 1000,
                ms % 1000);
}

static void add_times(const struct probe_status *s, struct buffer *out)
{
    add_seconds(out, "start_time_seconds", "When the probe started.",
                s->started);
    add_seconds(out, "status_time_seconds", "When these numbers were read.",
                s->now);
    add_seconds(out, "certificate_expiry_time_seconds",
                "End of validity of the probe's certificate.",
                s->certificate_end);
    if (s->renewal != NULL && !s->renewal->is_gone)
        add_seconds(out, "certificate_renewal_time_seconds",
                    "When the certificate is renewed, or tried again.",
                    s->renewal->next);
    if (s->uplink.has_receipt)
        add_seconds(out, "last_receipt_time_seconds",
                    "When the collector received the last acknowledged batch.",
                    wall_from_ms(s->uplink.last_receipt.received_ms));
}

static void add_identity(const struct probe_status *s, struct buffer *out)
{
    char registry[DIGEST_HEX_LEN];
    digest_to_hex(s->registry_version, registry);
    if (digest_equal(s->registry_version, (struct digest){{0}}))
        registry[0] = '\0'; /* not known */
    const struct label labels[] = {{"probe", s->probe_id},
                                   {"version", PROGRAM_VERSION},
                                   {"filter", filter_kind_text(s->filter_kind)},
                                   {"registry", registry}};
    add_head(out, "info", "gauge", "Who the probe is; the value is always 1.");
    add_sample(out, "info", labels, 4, 1);
    add_head(out, "uplink_connected", "gauge",
             "1 while the collector is connected.");
    buffer_addf(out, PREFIX "uplink_connected %d\n", s->uplink.is_connected);
    add_head(out, "clock_synchronised", "gauge",
             "1 while the kernel says that its clock is synchronised.");
    buffer_addf(out, PREFIX "clock_synchronised %d\n",
                s->clock_quality == CLOCK_SYNCHRONISED);
}

static void add_renewal(const struct probe_status *s, struct buffer *out)
{
    if (s->renewal == NULL)
        return;
    add_head(out, "certificate_renewal_failures", "gauge",
             "Attempts to renew the certificate that failed in a row.");
    buffer_addf(out, PREFIX "certificate_renewal_failures %" PRIu32 "\n",
                s->renewal->failures);
    add_head(out, "certificate_renewer_up", "gauge",
             "1 while the process that renews the certificate is there.");
    buffer_addf(out, PREFIX "certificate_renewer_up %d\n",
                !s->renewal->is_gone);
}

static void add_undecodable(const struct probe_status *s, struct buffer *out)
{
    add_head(out, "undecodable_packets_total", "counter",
             "Packets that could not be read, by reason.");
    for (int i = 0; i < UNDECODABLE_COUNT; i++) {
        const struct label label = {
            "reason", status_undecodable_text((enum undecodable)i)};
        add_sample(out, "undecodable_packets_total", &label, 1,
                   s->meter.undecodable[i]);
    }
}

static void add_interface_series(const struct probe_status *s,
                                 struct buffer *out, const char *name,
                                 const char *help, size_t offset)
{
    if (s->interface_count == 0)
        return;
    add_head(out, name, "counter", help);
    for (size_t i = 0; i < s->interface_count; i++) {
        const struct probe_interface *n = &s->interfaces[i];
        const struct label labels[] = {{"interface", n->name},
                                       {"link_type", n->link_type}};
        uint64_t value;
        memcpy(&value, (const char *)n + offset, sizeof(value));
        add_sample(out, name, labels, 2, value);
    }
}

static void add_measure(struct buffer *out, const struct sandbox_report *r,
                        const char *measure, uint64_t value)
{
    const struct label labels[] = {{"process", r->process},
                                   {"measure", measure}};
    add_sample(out, "sandbox", labels, 2, value);
}

static void add_sandbox(const struct probe_status *s, struct buffer *out)
{
    if (s->process_count == 0)
        return;
    add_head(out, "sandbox", "gauge",
             "What the sandbox of a process reached: 1 in force; for "
             "capabilities how many are left, for landlock_abi its version.");
    for (size_t i = 0; i < s->process_count; i++) {
        const struct sandbox_report *r = &s->processes[i];
        uint64_t kept = (uint64_t)__builtin_popcountll(r->capabilities);
        add_measure(out, r, "root_left", r->root_left);
        add_measure(out, r, "no_new_privileges", r->no_new_privileges);
        add_measure(out, r, "seccomp_filter", r->seccomp_filter);
        add_measure(out, r, "files_denied", r->files_denied);
        add_measure(out, r, "sockets_denied", r->sockets_denied);
        add_measure(out, r, "capabilities", kept);
        add_measure(out, r, "landlock_abi",
                    r->landlock_abi > 0 ? (uint64_t)r->landlock_abi : 0);
    }
}

void metrics_print(const struct probe_status *s, struct buffer *out)
{
    add_identity(s, out);
    add_times(s, out);
    add_renewal(s, out);
    add_rows(s, out);
    add_undecodable(s, out);
    add_interface_series(s, out, "interface_received_packets_total",
                         "Packets that passed the kernel filter.",
                         offsetof(struct probe_interface, received));
    add_interface_series(s, out, "interface_dropped_packets_total",
                         "Packets that the kernel dropped.",
                         offsetof(struct probe_interface, dropped));
    add_sandbox(s, out);
}

/* --- requests --- */

/* Field names, methods and targets are visible ASCII. */
static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    }
    return text.length > 0;
}

static enum metrics_request judge_target(struct slice target)
{
    struct slice path;
    slice_next(&target, '?', &path); /* parameters do not matter */
    if (slice_equal_text(path, "/metrics"))
        return METRICS_GET;
    return slice_equal_text(path, "/") ? METRICS_ROOT : METRICS_NOT_FOUND;
}

static enum metrics_request judge_line(struct slice line)
{
    struct slice method, target, rest = line;
    if (rest.length > 0 && rest.data[rest.length - 1] == '\r')
        rest.length--;
    bool good = slice_next(&rest, ' ', &method) && is_visible(method) &&
                slice_next(&rest, ' ', &target) && is_visible(target) &&
                rest.data != NULL && target.data[0] == '/' &&
                (slice_equal_text(rest, "HTTP/1.1") ||
                 slice_equal_text(rest, "HTTP/1.0"));
    if (!good)
        return METRICS_MALFORMED;
    return slice_equal_text(method, "GET") ? judge_target(target)
                                           : METRICS_NOT_GET;
}

enum metrics_request metrics_parse_request(struct slice bytes)
{
    const char *end =
        bytes.length == 0 ? NULL : memchr(bytes.data, '\n', bytes.length);
    if (end == NULL)
        return bytes.length < METRICS_REQUEST_MAX ? METRICS_MORE
                                                  : METRICS_MALFORMED;
    struct slice line = {bytes.data, (size_t)(end - bytes.data)};
    enum metrics_request request = judge_line(line);
    bool is_whole = memmem(bytes.data, bytes.length, "\n\r\n", 3) != NULL ||
                    memmem(bytes.data, bytes.length, "\n\n", 2) != NULL;
    if (request == METRICS_MALFORMED || is_whole)
        return request;
    return bytes.length < METRICS_REQUEST_MAX ? METRICS_MORE
                                              : METRICS_MALFORMED;
}

/* --- connections --- */

enum connection_state { FREE, READING, WRITING, ENDING };

struct connection {
    enum connection_state state;
    int fd;
    struct mono_time until;
    uint8_t request[METRICS_REQUEST_MAX];
    size_t received;
    size_t drained; /* after the answer */
    struct buffer answer;
    size_t sent;
};

struct metrics_server {
    int fd;        /* -1: serves nobody */
    bool is_tired; /* accept failed: left out of the next poll() */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": no file */
    unsigned port;
    struct connection connections[METRICS_CONNECTIONS];
};

static void drop(struct connection *c)
{
    close(c->fd);
    buffer_clear(&c->answer);
    c->state = FREE;
    c->fd = -1;
}

static void compose(struct connection *c, enum metrics_request request,
                    const struct buffer *text)
{
    static const struct {
        const char *status, *body;
    } answers[METRICS_REQUEST_COUNT] = {
        [METRICS_GET] = {"200 OK", NULL},
        [METRICS_ROOT] = {"200 OK", "yz-probe: metrics are at /metrics\n"},
        [METRICS_NOT_FOUND] = {"404 Not Found", "only /metrics is here\n"},
        [METRICS_NOT_GET] = {"405 Method Not Allowed\r\nAllow: GET",
                             "only GET is answered\n"},
        [METRICS_MALFORMED] = {"400 Bad Request", "not a request of HTTP/1\n"},
    };
    struct slice body = answers[request].body == NULL
                            ? buffer_slice(text)
                            : slice_of_text(answers[request].body);
    buffer_init(&c->answer, METRICS_TEXT_MAX + 512);
    buffer_addf(&c->answer,
                "HTTP/1.1 %s\r\n"
                "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                "Content-Length: %zu\r\n"
                "Connection: close\r\n\r\n",
                answers[request].status, body.length);
    buffer_add_slice(&c->answer, body);
    c->sent = 0;
    c->state = WRITING;
}

static bool is_later(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void write_answer(struct connection *c)
{
    while (c->sent < c->answer.length) {
        ssize_t n = send(c->fd, c->answer.data + c->sent,
                         c->answer.length - c->sent, MSG_NOSIGNAL);
        if (n < 0 && !is_later())
            drop(c);
        if (n <= 0)
            return;
        c->sent += (size_t)n;
    }
    buffer_clear(&c->answer);
    shutdown(c->fd, SHUT_WR);
    c->drained = 0;
    c->state = ENDING;
}

static void read_request(struct connection *c, const struct buffer *text)
{
    ssize_t n = recv(c->fd, c->request + c->received,
                     sizeof(c->request) - c->received, 0);
    if (n < 0 && is_later())
        return;
    if (n <= 0) {
        drop(c);
        return;
    }
    c->received += (size_t)n;
    enum metrics_request request =
        metrics_parse_request(slice_of_bytes(c->request, c->received));
    if (request == METRICS_MORE)
        return;
    compose(c, request, text);
    if (c->answer.failed) /* no memory, or a text past its limit */
        drop(c);
    else
        write_answer(c);
}

/* Until the client closes, or has sent more than anybody needs to. */
static void drain(struct connection *c)
{
    enum { DRAIN_MAX = 64 * 1024 };
    ssize_t n = recv(c->fd, c->request, sizeof(c->request), 0);
    if (n < 0 && is_later())
        return;
    c->drained += n > 0 ? (size_t)n : 0;
    if (n <= 0 || c->drained > DRAIN_MAX)
        drop(c);
}

static void serve(struct connection *c, const struct buffer *text)
{
    if (c->state == READING)
        read_request(c, text);
    else if (c->state == WRITING)
        write_answer(c);
    else if (c->state == ENDING)
        drain(c);
}

static struct connection *free_place(struct metrics_server *s)
{
    for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
        if (s->connections[i].state == FREE)
            return &s->connections[i];
    }
    return NULL;
}

static void accept_some(struct metrics_server *s, struct mono_time now)
{
    for (struct connection *c; (c = free_place(s)) != NULL;) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) { /* nobody any more, or no descriptor: a round later */
            s->is_tired = !is_later();
            return;
        }
        c->state = READING;
        c->fd = fd;
        c->received = 0;
        c->until.us = now.us + METRICS_PATIENCE_S * INT64_C(1000000);
    }
}

/* --- the server --- */

int metrics_fds(const struct metrics_server *s, struct pollfd *fds, size_t size)
{
    size_t count = 0;
    bool has_place = false;
    for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
        const struct connection *c = &s->connections[i];
        has_place = has_place || c->state == FREE;
        if (c->state != FREE && count < size)
            fds[count++] = (struct pollfd){
                .fd = c->fd, .events = c->state == WRITING ? POLLOUT : POLLIN};
    }
    if (s->fd >= 0 && has_place && !s->is_tired && count < size)
        fds[count++] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    return (int)count;
}

static struct connection *connection_of(struct metrics_server *s, int fd)
{
    for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
        if (s->connections[i].state != FREE && s->connections[i].fd == fd)
            return &s->connections[i];
    }
    return NULL;
}

void metrics_step(struct metrics_server *s, const struct pollfd *fds,
                  size_t count, const struct buffer *text, struct mono_time now)
{
    bool has_caller = false;
    s->is_tired = false;
    for (size_t i = 0; i < count; i++) {
        struct connection *c = connection_of(s, fds[i].fd);
        if (fds[i].revents == 0)
            continue;
        if (c != NULL)
            serve(c, text);
        else if (fds[i].fd == s->fd)
            has_caller = true;
    }
    for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
        struct connection *c = &s->connections[i];
        if (c->state != FREE && now.us >= c->until.us)
            drop(c);
    }
    if (has_caller) /* last, so that a new descriptor meets no old event */
        accept_some(s, now);
}

static bool listen_on(struct metrics_server *s, const void *address,
                      socklen_t length, const char *text,
                      struct error_text *error)
{
    const struct sockaddr *name = address;
    int on = 1;
    s->fd =
        socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd >= 0 && name->sa_family != AF_UNIX)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (s->fd >= 0 && bind(s->fd, name, length) == 0 &&
        listen(s->fd, METRICS_CONNECTIONS) == 0)
        return true;
    return error_set(error, "metrics %s: %s", text, strerror(errno));
}

/* A socket file that nobody listens on was left by a probe that was killed. */
static void remove_dead_socket(const struct sockaddr_un *address)
{
    struct stat info;
    if (lstat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
}

static bool open_unix(struct metrics_server *s, const char *text,
                      struct slice path, struct error_text *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path.length == 0 || path.data[0] != '/' ||
        !slice_copy(path, address.sun_path, sizeof(address.sun_path)))
        return error_set(error,
                         "metrics %s: unix:/PATH of at most %zu characters is "
                         "expected",
                         text, sizeof(address.sun_path) - 1);
    remove_dead_socket(&address);
    mode_t before = umask(0111);
    bool good = listen_on(s, &address, sizeof(address), text, error);
    umask(before);
    if (good)
        slice_copy(path, s->path, sizeof(s->path));
    return good;
}

/* HOST:PORT with an address between brackets or without. */
static bool split(struct slice text, struct address *host, uint64_t *port)
{
    const char *colon = memrchr(text.data, ':', text.length);
    if (colon == NULL)
        return false;
    struct slice name = {text.data, (size_t)(colon - text.data)};
    struct slice digits = {colon + 1, text.length - name.length - 1};
    bool has_brackets = name.length > 2 && name.data[0] == '[' &&
                        name.data[name.length - 1] == ']';
    if (has_brackets)
        name = (struct slice){name.data + 1, name.length - 2};
    return address_from_text(name, host) &&
           (host->version == 6) == has_brackets &&
           parse_u64(digits, 0, UINT16_MAX, port);
}

static bool is_loopback(const struct address *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->version == 4 ? a->bytes[0] == 127
                           : memcmp(a->bytes, one, sizeof(one)) == 0;
}

static bool open_port(struct metrics_server *s, const char *text,
                      struct error_text *error)
{
    struct address host;
    uint64_t port;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (!split(slice_of_text(text), &host, &port))
        return error_set(error,
                         "metrics %s: unix:/PATH, 127.0.0.1:PORT or [::1]:PORT "
                         "is expected",
                         text);
    if (!is_loopback(&host))
        return error_set(error,
                         "metrics %s: only this machine is served; use "
                         "127.0.0.1, [::1] or unix:/PATH",
                         text);
    v4.sin_port = v6.sin6_port = htons((uint16_t)port);
    memcpy(&v4.sin_addr, host.bytes, sizeof(v4.sin_addr));
    memcpy(&v6.sin6_addr, host.bytes, sizeof(v6.sin6_addr));
    return host.version == 4 ? listen_on(s, &v4, sizeof(v4), text, error)
                             : listen_on(s, &v6, sizeof(v6), text, error);
}

static unsigned port_of(int fd)
{
    struct sockaddr_in6 name = {0}; /* the port stands alike in both kinds */
    socklen_t length = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        return 0;
    return ntohs(name.sin6_port);
}

struct metrics_server *metrics_open(const char *address,
                                    struct error_text *error)
{
    struct metrics_server *s = calloc(1, sizeof(*s));
    struct slice text = slice_of_text(address), scheme = SLICE("unix:");
    if (s == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    s->fd = -1;
    if (text.length == 0)
        return s;
    bool good;
    if (strncmp(address, scheme.data, scheme.length) == 0)
        good = open_unix(s, address, slice_of_text(address + scheme.length),
                         error);
    else if ((good = open_port(s, address, error)))
        s->port = port_of(s->fd);
    if (good)
        return s;
    metrics_close(s);
    return NULL;
}

void metrics_close(struct metrics_server *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < METRICS_CONNECTIONS; i++) {
        if (s->connections[i].state != FREE)
            drop(&s->connections[i]);
    }
    if (s->fd >= 0)
        close(s->fd);
    if (s->path[0] != '\0')
        unlink(s->path);
    free(s);
}

unsigned metrics_port(const struct metrics_server *s)
{
    return s->port;
}
