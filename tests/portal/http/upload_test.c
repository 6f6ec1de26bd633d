/* Forms with files over a real socket: what a handler finds, what is refused,
 * and that nothing stays of what nobody kept. */
#include "portal/http/upload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "portal/http/http_server.h"
#include "portal/store/attachment_type.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

enum { BODY_LIMIT = 3 << 20, FILES = 3, ANSWER_LEN = 8192 };

struct world {
    struct scratch scratch;
    struct portal_config config;
    struct attachments *attachments;
    struct http_server *server;
};

static struct http_plan plan(void *context, const struct http_request *request)
{
    struct world *w = context;
    const struct upload_limits limits = {FILES, ATTACHMENT_READABLE};
    struct http_plan plan = {BODY_LIMIT, HTTP_UPLOADS, 0, NULL};
    if (slice_equal_text(request->path, "/login"))
        plan.refused = 401;
    else if (request->method == HTTP_POST)
        plan.upload = upload_new(w->attachments, "ent1", &limits);
    return plan;
}

/* Answers with what it was given. */
static void echo(void *context, const struct http_request *request,
                 struct http_response *response)
{
    (void)context;
    response->status = request->refused != 0 ? request->refused : 200;
    response->content_type = "text/plain";
    const struct upload *upload = request->upload;
    if (upload == NULL || request->refused != 0) {
        buffer_add_text(&response->body, "[no form]");
        return;
    }
    const struct form_data *fields = upload_fields(upload);
    for (size_t i = 0; i < fields->count; i++)
        buffer_addf(&response->body, "[%s=%s]", fields->fields[i].name,
                    fields->fields[i].value);
    for (size_t i = 0; i < upload_file_count(upload); i++) {
        const struct upload_file *file = upload_file(upload, i);
        const char *code =
            attachment_state_code(attachment_file_state(file->file));
        char hex[DIGEST_HEX_LEN];
        digest_to_hex(attachment_file_digest(file->file), hex);
        buffer_addf(&response->body, "[%s:%s:%s:%llu:%.8s]", file->field,
                    file->name, code != NULL ? code : "good",
                    (unsigned long long)attachment_file_bytes(file->file),
                    code != NULL ? "-" : hex);
    }
}

static void world_open(struct world *w)
{
    struct error_text error = {""};
    scratch_open(&w->scratch);
    w->config = (struct portal_config){.attachment_mib = 1};
    snprintf(w->config.portal_db, sizeof(w->config.portal_db), "%s",
             w->scratch.path);
    w->attachments = attachments_open(&w->config, &error);
    const struct http_settings settings = {
        .listen = "127.0.0.1:0",
        .thread_count = 2,
        .connection_limit = 16,
        .idle_timeout_s = 2,
        .planner = plan,
        .handler = echo,
        .context = w,
    };
    if (w->attachments != NULL)
        w->server = http_server_start(&settings, &error);
    if (w->server == NULL)
        fatal(1, "%s", error.text);
}

static void world_close(struct world *w)
{
    http_server_stop(w->server);
    attachments_close(w->attachments);
    scratch_close(&w->scratch);
}

static int incoming_count(const struct world *w)
{
    char command[FOLDER_LEN + 64], line[32] = "";
    snprintf(command, sizeof(command), "ls %s/attachments/incoming | wc -l",
             w->scratch.folder);
    FILE *out = popen(command, "r");
    CHECK(out != NULL && fgets(line, sizeof(line), out) != NULL);
    pclose(out);
    return (int)strtol(line, NULL, 10);
}

/* ---- asking ---- */

static int connect_to(const struct world *w)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(http_server_port(w->server))};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static void send_head(int fd, const char *path, const char *type, size_t length)
{
    char head[512];
    int size = snprintf(head, sizeof(head),
                        "POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                        "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                        path, type, length);
    send(fd, head, (size_t)size, MSG_NOSIGNAL);
}

static void read_answer(int fd, char answer[static ANSWER_LEN])
{
    size_t got = 0;
    ssize_t n;
    while (got < ANSWER_LEN - 1 &&
           (n = recv(fd, answer + got, ANSWER_LEN - 1 - got, 0)) > 0)
        got += (size_t)n;
    answer[got] = '\0';
}

#define TYPE "multipart/form-data; boundary=XyZ"

static void ask(const struct world *w, const char *path, const char *type,
                struct slice body, char answer[static ANSWER_LEN])
{
    int fd = connect_to(w);
    send_head(fd, path, type, body.length);
    while (body.length > 0) {
        ssize_t n = send(fd, body.data, body.length, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        body = slice_of_bytes(body.data + n, body.length - (size_t)n);
    }
    read_answer(fd, answer);
    close(fd);
}

/* ---- forms ---- */

#define FIELD(name)                                                            \
    "--XyZ\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define A_FILE(name, file)                                                     \
    "--XyZ\r\nContent-Disposition: form-data; name=\"" name                    \
    "\"; filename=\"" file "\"\r\nContent-Type: application/x-odd\r\n\r\n"
#define END      "--XyZ--\r\n"
#define PDF      "%PDF-1.7 x"
#define PDF_HASH "9b8a1b1f"

static const struct {
    const char *name, *body, *wanted, *unwanted;
} FORMS[] = {
    {"fields beside a file",
     FIELD("a") "1\r\n" A_FILE("f", "执照.pdf") PDF
     "\r\n" FIELD("b") "二\r\n" END,
     "[a=1][b=二][f:执照.pdf:good:10:", NULL},
    {"an empty field, and one with lines",
     FIELD("a") "\r\n" FIELD("b") "x\r\ny\r\n" END, "[a=][b=x\ny]", NULL},
    {"two files of one field",
     A_FILE("f", "a.pdf") PDF "\r\n" A_FILE("f", "b.pdf") PDF "2\r\n" END,
     "[f:a.pdf:good:10:", NULL},
    {"a file input that was left empty is no file",
     FIELD("a") "1\r\n" A_FILE("f", "") "\r\n" END, "[a=1]", "[f:"},
    {"CON-10: an empty file",
     A_FILE("f", "a.pdf") "\r\n" FIELD("a") "1\r\n" END,
     "[a=1][f:a.pdf:E_FILE_EMPTY:0:-]", NULL},
    {"CON-10: a type by its bytes, whatever it is called",
     A_FILE("f", "a.pdf") "<html>\r\n" FIELD("a") "1\r\n" END,
     "[a=1][f:a.pdf:E_FILE_TYPE:", NULL},
    {"a value that looks like a boundary's start",
     FIELD("a") "x\r\n--Xy\r\n" END, "[a=x\n--Xy]", NULL},
    {"too many files",
     A_FILE("f", "1") PDF "\r\n" A_FILE("f", "2") PDF "\r\n" A_FILE("f", "3")
         PDF "\r\n" A_FILE("f", "4") PDF "\r\n" END,
     "HTTP/1.1 400", "200 OK"},
    {"a value that is no UTF-8", FIELD("a") "\xc4\xe3\r\n" END, "HTTP/1.1 400",
     "200 OK"},
    {"a value with control characters", FIELD("a") "x\x01\r\n" END,
     "HTTP/1.1 400", "200 OK"},
    {"a part without a name",
     "--XyZ\r\nContent-Disposition: form-data\r\n\r\n1\r\n" END, "HTTP/1.1 400",
     "200 OK"},
    {"a part in another encoding",
     "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n"
     "Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n" END,
     "HTTP/1.1 400", "200 OK"},
    {"a form that does not end", FIELD("a") "1\r\n", "HTTP/1.1 400", "200 OK"},
    {"a file that does not end", A_FILE("f", "a.pdf") PDF, "HTTP/1.1 400",
     "200 OK"},
    {"no form at all", "hello", "HTTP/1.1 400", "200 OK"},
};

static void test_forms(const struct world *w)
{
    char answer[ANSWER_LEN];
    for (size_t i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++) {
        test_case(FORMS[i].name);
        ask(w, "/", TYPE, slice_of_text(FORMS[i].body), answer);
        if (!CHECK(strstr(answer, FORMS[i].wanted) != NULL))
            printf("# %s\n", answer);
        CHECK(FORMS[i].unwanted == NULL ||
              strstr(answer, FORMS[i].unwanted) == NULL);
        CHECK_I64(incoming_count(w), 0);
    }
}

static void test_heads(const struct world *w)
{
    char answer[ANSWER_LEN];
    test_case("a boundary that is not told");
    ask(w, "/", "multipart/form-data", SLICE(FIELD("a") "1\r\n" END), answer);
    CHECK(strstr(answer, "HTTP/1.1 400") != NULL);
    test_case("who may not is refused before anything is read");
    int fd = connect_to(w);
    send_head(fd, "/login", TYPE, BODY_LIMIT);
    read_answer(fd, answer);
    close(fd);
    CHECK(strstr(answer, "HTTP/1.1 401") != NULL);
}

/* A form with one file of so many bytes, and a field behind it. */
static struct buffer large_form(size_t bytes)
{
    struct buffer body;
    buffer_init(&body, bytes + 1024);
    buffer_add_text(&body, A_FILE("f", "a.pdf") "%PDF-");
    memset(buffer_extend(&body, bytes - 5), 'x', bytes - 5);
    buffer_add_text(&body, "\r\n" FIELD("a") "1\r\n" END);
    return body;
}

static void test_sizes(const struct world *w)
{
    char answer[ANSWER_LEN];
    static const struct {
        const char *name;
        size_t bytes;
        const char *wanted;
    } SIZES[] = {
        {"CON-10: a file of the largest size", 1 << 20,
         "[a=1][f:a.pdf:good:1048576:"},
        {"CON-10: one byte more is refused, and the form is kept",
         (1 << 20) + 1, "[a=1][f:a.pdf:E_FILE_TOO_BIG:"},
        {"a form beyond its limit is read to its end, and refused",
         BODY_LIMIT + 1000, "HTTP/1.1 413"},
        {"a form far beyond it is refused at once", 2 * BODY_LIMIT,
         "HTTP/1.1 413"},
    };
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        struct buffer body = large_form(SIZES[i].bytes);
        test_case(SIZES[i].name);
        if (SIZES[i].bytes < 2 * BODY_LIMIT) {
            ask(w, "/", TYPE, buffer_slice(&body), answer);
        } else {
            int fd = connect_to(w);
            send_head(fd, "/", TYPE, body.length);
            read_answer(fd, answer);
            close(fd);
        }
        if (!CHECK(strstr(answer, SIZES[i].wanted) != NULL))
            printf("# %s\n", answer);
        CHECK_I64(incoming_count(w), 0);
        buffer_clear(&body);
    }
}

/* Waits for the server to notice. */
static bool comes_to(const struct world *w, int count)
{
    for (int i = 0; i < 200; i++) {
        if (incoming_count(w) == count)
            return true;
        usleep(50 * 1000);
    }
    return false;
}

static void test_cut(const struct world *w)
{
    struct slice start = SLICE(A_FILE("f", "a.pdf") PDF);
    test_case("an upload that is cut off leaves nothing");
    int fd = connect_to(w);
    send_head(fd, "/", TYPE, 1000);
    send(fd, start.data, start.length, MSG_NOSIGNAL);
    CHECK(comes_to(w, 1));
    close(fd);
    CHECK(comes_to(w, 0));
    test_case("nor does one that stands still");
    fd = connect_to(w);
    send_head(fd, "/", TYPE, 1000);
    send(fd, start.data, start.length, MSG_NOSIGNAL);
    CHECK(comes_to(w, 1));
    CHECK(comes_to(w, 0));
    close(fd);
}

int main(void)
{
    struct world w;
    world_open(&w);
    test_forms(&w);
    test_heads(&w);
    test_sizes(&w);
    test_cut(&w);
    world_close(&w);
    return test_end();
}
