/* The border: what reaches a handler, and what is refused before it, asked over
 * a real socket byte for byte. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "portal/http/http_server.h"
#include "tests/test.h"

static const char *const METHODS[] = {"GET", "HEAD", "POST", "other"};

/* Answers with what it was asked. */
static void echo(void *context, const struct http_request *request,
                 struct http_response *response)
{
    (void)context;
    response->status = request->refused != 0 ? request->refused : 200;
    response->content_type = "text/plain";
    http_response_header(response, "X-Test", "%s", "yes");
    buffer_addf(&response->body, "[%s|%.*s|%.*s|%.*s|%zu]",
                METHODS[request->method], (int)request->path.length,
                request->path.data, (int)request->query.length,
                request->query.data, (int)request->cookies.length,
                request->cookies.data, request->body.length);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Sends and reads until the other side ends or nothing more comes. */
static void ask(uint16_t port, const char *request, size_t length, char *answer,
                size_t size)
{
    size_t got = 0;
    int fd = connect_to(port);
    answer[0] = '\0';
    if (!CHECK(fd >= 0))
        return;
    size_t sent = 0;
    while (sent < length) {
        ssize_t n = send(fd, request + sent, length - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    while (got < size - 1) {
        ssize_t n = recv(fd, answer + got, size - 1 - got, 0);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    answer[got] = '\0';
    close(fd);
}

struct http_case {
    const char *name, *request, *wanted, *unwanted;
};

#define END "Host: a\r\nConnection: close\r\n\r\n"

static const struct http_case CASES[] = {
    {"GET with query and cookies",
     "GET /a/b?x=1 HTTP/1.1\r\nCookie: c=2\r\n" END, "[GET|/a/b|x=1|c=2|0]",
     NULL},
    {"the path stays escaped", "GET /a%2Fb%00?%41 HTTP/1.1\r\n" END,
     "[GET|/a%2Fb%00|%41||0]", NULL},
    {"headers of the handler", "GET / HTTP/1.1\r\n" END, "X-Test: yes", NULL},
    {"HEAD has no body", "HEAD /a HTTP/1.1\r\n" END, "200 OK", "[HEAD"},
    {"POST with a body", "POST /p HTTP/1.1\r\nContent-Length: 3\r\n" END "a=1",
     "[POST|/p|||3]", NULL},
    {"other methods are named so", "DELETE /p HTTP/1.1\r\n" END,
     "[other|/p|||0]", NULL},
    {"Content-Length twice is refused",
     "POST /p HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n" END "a=1",
     "HTTP/1.1 400", "200 OK"},
    {"two lengths are refused",
     "POST /p HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 30\r\n" END
     "a=1",
     "HTTP/1.1 400", "200 OK"},
    {"length and chunks together are refused",
     "POST /p HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: "
     "chunked\r\n" END "0\r\n\r\n",
     "HTTP/1.1 400", "200 OK"},
    {"a length that is no number",
     "POST /p HTTP/1.1\r\nContent-Length: +3\r\n" END "a=1", "HTTP/1.1 4",
     "200 OK"},
    {"two hosts are refused", "GET / HTTP/1.1\r\nHost: b\r\n" END,
     "HTTP/1.1 400", "200 OK"},
    {"a body that announces too much",
     "POST /p HTTP/1.1\r\nContent-Length: 99999999\r\n" END "a=1",
     "HTTP/1.1 413", "200 OK"},
    {"no HTTP at all", "\x16\x03\x01 hello\r\n\r\n", "", "200 OK"},
};

static void test_long(uint16_t port)
{
    static char request[200000], answer[70000];
    test_case("an address that is too long");
    memset(request, 'a', sizeof(request));
    memcpy(request, "GET /", 5);
    memcpy(request + 6000, " HTTP/1.1\r\n" END, 11 + sizeof(END));
    ask(port, request, strlen(request), answer, sizeof(answer));
    CHECK(strstr(answer, "HTTP/1.1 414") != NULL);
    test_case("headers that are too large");
    memset(request, 'a', sizeof(request));
    memcpy(request, "GET / HTTP/1.1\r\nX: ", 19);
    memcpy(request + 20000, "\r\n" END, 2 + sizeof(END));
    ask(port, request, strlen(request), answer, sizeof(answer));
    CHECK(strstr(answer, "HTTP/1.1 431") != NULL);
    test_case("headers that are far too large end the connection");
    memcpy(request + 199000, "\r\n" END, 2 + sizeof(END));
    memset(request + 19, 'a', 199000 - 19);
    ask(port, request, strlen(request), answer, sizeof(answer));
    CHECK(strstr(answer, "200 OK") == NULL);
}

static void test_chunks(uint16_t port)
{
    static char request[70000], answer[4096];
    size_t length = (size_t)snprintf(
        request, sizeof(request),
        "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END "6000\r\n");
    memset(request + length, 'a', 0x6000);
    memcpy(request + length + 0x6000, "\r\n0\r\n\r\n", 7);
    test_case("a chunked body that grows too long");
    ask(port, request, length + 0x6000 + 7, answer, sizeof(answer));
    CHECK(strstr(answer, "HTTP/1.1 413") != NULL);
}

static void test_occupied(uint16_t port)
{
    char listen[40];
    struct error_text error = {""};
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
    struct http_settings settings = {.listen = listen,
                                     .thread_count = 2,
                                     .connection_limit = 8,
                                     .idle_timeout_s = 5,
                                     .handler = echo};
    test_case("a port that is taken is one clear line");
    CHECK(http_server_start(&settings, &error) == NULL);
    CHECK(strstr(error.text, listen) != NULL);
    CHECK(strstr(error.text, "in use") != NULL);
    settings.listen = "nonsense";
    CHECK(http_server_start(&settings, &error) == NULL);
}

static void test_headers(void)
{
    struct http_response response = {.status = 200};
    test_case("a header with a line end makes a 500, not a second header");
    http_response_header(&response, "Location", "%s", "/a\r\nX: y");
    CHECK_I64(response.status, 500);
    CHECK_I64(response.header_count, 0);
}

int main(void)
{
    struct error_text error = {""};
    struct http_settings settings = {.listen = "127.0.0.1:0",
                                     .thread_count = 2,
                                     .connection_limit = 16,
                                     .idle_timeout_s = 5,
                                     .handler = echo};
    struct http_server *server = http_server_start(&settings, &error);
    if (!CHECK(server != NULL)) {
        printf("# %s\n", error.text);
        return 1;
    }
    uint16_t port = http_server_port(server);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const struct http_case *c = &CASES[i];
        char answer[4096];
        test_case(c->name);
        ask(port, c->request, strlen(c->request), answer, sizeof(answer));
        if (!CHECK(strstr(answer, c->wanted) != NULL) ||
            !CHECK(c->unwanted == NULL || strstr(answer, c->unwanted) == NULL))
            printf("# %.60s\n", answer);
    }
    test_long(port);
    test_chunks(port);
    test_occupied(port);
    test_headers();
    http_server_stop(server);
    return test_end();
}
