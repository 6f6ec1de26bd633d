/* Slow work: files as answers, readers that leave or do not read, and a stop
 * amid it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "portal/http/http_server.h"
#include "tests/test.h"

enum { LONG_BYTES = 8 * 1024 * 1024, WAITERS = 12 };

struct counts {
    atomic_bool may_end; /* log-ins, once a page was served */
    atomic_int under_way, most, order, refused, files, over;
};

static struct http_plan plan(void *context, const struct http_request *request)
{
    (void)context;
    struct http_plan plan = {100, HTTP_AT_ONCE};
    if (slice_equal_text(request->path, "/login"))
        plan.lane = HTTP_LOGINS;
    if (slice_equal_text(request->path, "/long"))
        plan.lane = HTTP_EXPORTS;
    if (slice_equal_text(request->path, "/upload"))
        plan.body_limit = 200000;
    return plan;
}

static void note_over(void *of)
{
    struct counts *counts = of;
    counts->over++;
}

static void write_long(struct counts *counts, struct http_response *response)
{
    static const char LINE[] = "0123456789abcdef0123456789abcdef\n";
    FILE *file = tmpfile();
    if (!CHECK(file != NULL))
        return;
    for (size_t sent = 0; sent < LONG_BYTES; sent += sizeof(LINE) - 1)
        CHECK(fputs(LINE, file) >= 0);
    CHECK(fflush(file) == 0);
    http_response_file(response, dup(fileno(file)));
    http_response_when_over(response, note_over, counts);
    counts->files++;
    fclose(file);
}

static void handle(void *context, const struct http_request *request,
                   struct http_response *response)
{
    struct counts *counts = context;
    response->status = request->refused != 0 ? request->refused : 200;
    response->content_type = "text/plain";
    counts->refused += request->refused != 0;
    if (request->refused != 0) {
        buffer_add_text(&response->body, "refused");
    } else if (slice_equal_text(request->path, "/login")) {
        int now = ++counts->under_way, most = counts->most;
        while (now > most &&
               !atomic_compare_exchange_weak(&counts->most, &most, now))
            ;
        while (!counts->may_end)
            usleep(1000);
        counts->under_way--;
        buffer_addf(&response->body, "turn %d", counts->order++);
    } else if (slice_equal_text(request->path, "/long")) {
        write_long(counts, response);
    } else {
        counts->may_end = true;
        buffer_addf(&response->body, "body %zu", request->body.length);
    }
}

static int send_to(uint16_t port, const char *request)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
    return fd;
}

/* All that comes until the other side ends; its start stays in `head`. */
static size_t read_all(int fd, char head[static 1024])
{
    static char more[65536];
    size_t got = 0;
    for (;;) {
        ssize_t n = recv(fd, more, sizeof(more), 0);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n && got + (size_t)i < 1023; i++)
            head[got + (size_t)i] = more[i];
        got += (size_t)n;
    }
    head[got < 1023 ? got : 1023] = '\0';
    close(fd);
    return got;
}

static size_t body_of(uint16_t port, const char *request,
                      char head[static 1024])
{
    size_t got = read_all(send_to(port, request), head);
    const char *body = strstr(head, "\r\n\r\n");
    return body != NULL ? got - (size_t)(body + 4 - head) : 0;
}

static void test_long(uint16_t port, const struct counts *counts)
{
    char head[1024], length[64];
    size_t line = 33, lines = (LONG_BYTES + line - 1) / line;
    snprintf(length, sizeof(length), "Content-Length: %zu\r\n", lines * line);
    test_case("a file comes whole, and its length first");
    CHECK_I64(body_of(port, "GET /long HTTP/1.0\r\n\r\n", head), lines * line);
    CHECK(strstr(head, " 200 ") != NULL && strstr(head, length) != NULL);
    test_case("HEAD has its length and no body");
    CHECK_I64(body_of(port, "HEAD /long HTTP/1.0\r\n\r\n", head), 0);
    CHECK(strstr(head, length) != NULL);
    CHECK_I64(counts->files, 2);
}

/* More readers that stop reading than there are threads. */
static void test_slow_readers(uint16_t port, const struct counts *counts)
{
    char head[1024];
    int fds[3 * HTTP_EXPORT_THREADS];
    test_case("readers that do not read keep no thread from others");
    for (int i = 0; i < 3 * HTTP_EXPORT_THREADS; i++) {
        fds[i] = send_to(port, "GET /long HTTP/1.0\r\n\r\n");
        CHECK(recv(fds[i], head, 100, 0) > 0);
    }
    CHECK(body_of(port, "GET /long HTTP/1.0\r\n\r\n", head) >= LONG_BYTES);
    test_case("an answer is over when it has been sent or its reader has left");
    CHECK(counts->over <= counts->files - 3 * HTTP_EXPORT_THREADS);
    for (int i = 0; i < 3 * HTTP_EXPORT_THREADS; i++)
        close(fds[i]);
    for (int i = 0; i < 1000 && counts->over < counts->files; i++)
        usleep(10000);
    CHECK_I64(counts->over, counts->files);
}

/* Whoever came is answered; a page does not wait for them. */
static void test_logins(uint16_t port, struct counts *counts)
{
    char head[1024];
    int waiting[WAITERS];
    test_case("log-ins wait in a queue, none is refused");
    for (int i = 0; i < WAITERS; i++)
        waiting[i] = send_to(port, "GET /login HTTP/1.0\r\n\r\n");
    CHECK(body_of(port, "GET / HTTP/1.0\r\n\r\n", head) > 0);
    for (int i = 0; i < WAITERS; i++) {
        read_all(waiting[i], head);
        CHECK(strstr(head, " 200 ") != NULL && strstr(head, "turn ") != NULL);
    }
    CHECK(counts->most <= HTTP_LOGIN_THREADS);
}

static void test_limits(uint16_t port)
{
    char head[1024];
    test_case("a body's limit is its route's, said before it is read");
    body_of(port, "POST / HTTP/1.0\r\nContent-Length: 101\r\n\r\n", head);
    CHECK(strstr(head, " 413 ") != NULL);
    body_of(port, "POST /upload HTTP/1.0\r\nContent-Length: 200001\r\n\r\n",
            head);
    CHECK(strstr(head, " 413 ") != NULL);
    body_of(port, "POST /upload HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
            head);
    CHECK(strstr(head, "body 3") != NULL);
}

int main(void)
{
    struct error_text error = {""};
    struct counts counts = {0};
    struct http_settings settings = {
        .listen = "127.0.0.1:0",
        .thread_count = 2,
        .connection_limit = 64,
        .idle_timeout_s = 120, /* no reader of these is cut off */
        .planner = plan,
        .handler = handle,
        .context = &counts};
    struct http_server *server = http_server_start(&settings, &error);
    if (!CHECK(server != NULL))
        return 1;
    uint16_t port = http_server_port(server);
    test_long(port, &counts);
    test_slow_readers(port, &counts);
    counts.may_end = false;
    test_logins(port, &counts);
    test_limits(port);
    test_case("a stop ends answers that are under way, and what waits");
    int fds[2 * HTTP_EXPORT_THREADS];
    for (int i = 0; i < 2 * HTTP_EXPORT_THREADS; i++)
        fds[i] = send_to(port, "GET /long HTTP/1.0\r\n\r\n");
    char head[1024];
    CHECK(recv(fds[0], head, 100, 0) > 0); /* the others may wait or not */
    http_server_stop(server);
    CHECK_I64(counts.over, counts.files);
    for (int i = 0; i < 2 * HTTP_EXPORT_THREADS; i++)
        read_all(fds[i], head);
    return test_end();
}
