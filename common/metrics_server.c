/*
 * The server keeps a state per connection: reading the request, writing the
 * answer, and then waiting for the client's end, since closing with unread
 * bytes would make the kernel throw the answer away.
 */
#include "common/metrics_server.h"

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

/* --- the text --- */

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

void metrics_add_head(struct buffer *out, const char *prefix, const char *name,
                      const char *type, const char *help)
{
    buffer_addf(out,
                "# HELP %s%s %s\n"
                "# TYPE %s%s %s\n",
                prefix, name, help, prefix, name, type);
}

void metrics_add_sample(struct buffer *out, const char *prefix,
                        const char *name, const struct metrics_label *labels,
                        size_t count, uint64_t value)
{
    buffer_addf(out, "%s%s{", prefix, name);
    for (size_t i = 0; i < count; i++) {
        buffer_addf(out, "%s%s=\"", i > 0 ? "," : "", labels[i].name);
        add_label_value(out, labels[i].value);
        buffer_add_u8(out, '"');
    }
    buffer_addf(out, "} %" PRIu64 "\n", value);
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
    if (slice_equal_text(path, "/healthz"))
        return METRICS_HEALTH;
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
                    const struct metrics_pages *pages)
{
    static const struct {
        const char *status, *body;
    } answers[METRICS_REQUEST_COUNT] = {
        [METRICS_GET] = {"200 OK", NULL},
        [METRICS_HEALTH] = {"200 OK", NULL},
        [METRICS_ROOT] = {"200 OK", ": metrics are at /metrics\n"},
        [METRICS_NOT_FOUND] = {"404 Not Found", "only /metrics is here\n"},
        [METRICS_NOT_GET] = {"405 Method Not Allowed\r\nAllow: GET",
                             "only GET is answered\n"},
        [METRICS_MALFORMED] = {"400 Bad Request", "not a request of HTTP/1\n"},
    };
    bool is_health = request == METRICS_HEALTH;
    const char *status = is_health && !pages->is_healthy
                             ? "503 Service Unavailable"
                             : answers[request].status;
    const char *program = request == METRICS_ROOT ? pages->program : "";
    struct slice body =
        answers[request].body != NULL
            ? slice_of_text(answers[request].body)
            : buffer_slice(is_health ? pages->health : pages->metrics);
    buffer_init(&c->answer, METRICS_TEXT_MAX + 512);
    buffer_addf(&c->answer,
                "HTTP/1.1 %s\r\n"
                "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                "Content-Length: %zu\r\n"
                "Connection: close\r\n\r\n",
                status, strlen(program) + body.length);
    buffer_add_text(&c->answer, program);
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

static void read_request(struct connection *c,
                         const struct metrics_pages *pages)
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
    if (request == METRICS_HEALTH && pages->health == NULL)
        request = METRICS_NOT_FOUND;
    compose(c, request, pages);
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

static void serve(struct connection *c, const struct metrics_pages *pages)
{
    if (c->state == READING)
        read_request(c, pages);
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
                  size_t count, const struct metrics_pages *pages,
                  struct mono_time now)
{
    bool has_caller = false;
    s->is_tired = false;
    for (size_t i = 0; i < count; i++) {
        struct connection *c = connection_of(s, fds[i].fd);
        if (fds[i].revents == 0)
            continue;
        if (c != NULL)
            serve(c, pages);
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
    struct slice name, digits;
    return slice_split_port(text, &name, &digits) &&
           address_from_text(name, host) &&
           (host->version == 6) == (text.data[0] == '[') &&
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
