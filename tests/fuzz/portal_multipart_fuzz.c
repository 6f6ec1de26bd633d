/*
 * Forms with files: any body, through a real server over a socket. The answer
 * comes, nothing stays on the disk, what the handler finds is clean, and a file's
 * hash is that of bytes which stood in the body.
 *
 * The first byte chooses how the body is cut into packets.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "portal/http/http_server.h"
#include "portal/http/upload.h"
#include "portal/store/attachment_type.h"
#include "tests/folder.h"
#include "tests/fuzz/fuzz.h"

enum { BODY_MAX = 64 * 1024, HEAD_LEN = 256, ANSWER_LEN = 512 };

static struct attachments *attachments;
static struct http_server *server;
static struct slice sent; /* the body that is on its way */
static atomic_uint answered;
static char folder[FOLDER_LEN];

static struct http_plan plan(void *context, const struct http_request *request)
{
    const struct upload_limits limits = {4, ATTACHMENT_INVOICE};
    (void)context;
    (void)request;
    return (struct http_plan){BODY_MAX, HTTP_UPLOADS, 0,
                              upload_new(attachments, "ent1", &limits)};
}

static void check_file(const struct upload_file *file)
{
    if (!slice_is_clean_utf8(slice_of_text(file->field)))
        abort();
    if (attachment_file_state(file->file) != ATTACHMENT_GOOD)
        return;
    size_t length = (size_t)attachment_file_bytes(file->file);
    struct digest wanted = attachment_file_digest(file->file);
    for (size_t i = 0; i + length <= sent.length; i++)
        if (digest_equal(digest_of(sent.data + i, length), wanted))
            return;
    abort();
}

static void check(void *context, const struct http_request *request,
                  struct http_response *response)
{
    (void)context;
    answered++;
    response->status = request->refused != 0 ? request->refused : 200;
    if (request->upload == NULL || request->refused != 0)
        return;
    const struct form_data *fields = upload_fields(request->upload);
    for (size_t i = 0; i < fields->count; i++)
        if (!slice_is_clean_utf8(slice_of_text(fields->fields[i].value)))
            abort();
    for (size_t i = 0; i < upload_file_count(request->upload); i++)
        check_file(upload_file(request->upload, i));
}

static void remove_folder(void)
{
    http_server_stop(server);
    attachments_close(attachments);
    folder_remove(folder);
}

static void start(void)
{
    static struct portal_config config = {.attachment_mib = 1};
    struct error_text error = {""};
    const struct http_settings settings = {
        .listen = "127.0.0.1:0",
        .thread_count = 1,
        .connection_limit = 8,
        .idle_timeout_s = 60,
        .planner = plan,
        .handler = check,
    };
    folder_make(folder);
    snprintf(config.attachments, sizeof(config.attachments), "%s/files",
             folder);
    attachments = attachments_open(&config, &error);
    if (attachments != NULL)
        server = http_server_start(&settings, &error);
    if (server == NULL)
        fatal(1, "%s", error.text);
    atexit(remove_folder);
}

static bool send_all(int fd, struct slice data, size_t step)
{
    while (data.length > 0) {
        size_t length = data.length < step ? data.length : step;
        ssize_t n = send(fd, data.data, length, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        data = slice_of_bytes(data.data + n, data.length - (size_t)n);
    }
    return true;
}

static int connect_to_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(server))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fatal(1, "no connection");
    return fd;
}

static void ask(struct slice body, size_t step)
{
    char head[HEAD_LEN], answer[ANSWER_LEN];
    int fd = connect_to_server();
    int length = snprintf(head, sizeof(head),
                          "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                          "Content-Type: multipart/form-data; boundary=X\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          body.length);
    if (send_all(fd, slice_of_bytes(head, (size_t)length), HEAD_LEN))
        send_all(fd, body, step);
    while (recv(fd, answer, sizeof(answer), 0) > 0)
        continue;
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FOLDER_LEN + 32];
    if (size < 1 || size > BODY_MAX)
        return 0;
    if (server == NULL)
        start();
    unsigned before = answered;
    sent = slice_of_bytes(data + 1, size - 1);
    ask(sent, data[0] == 0 ? BODY_MAX : data[0]);
    if (answered != before + 1)
        abort();
    /* The folder goes only when it is empty. */
    snprintf(path, sizeof(path), "%s/files/incoming", folder);
    for (int i = 0; rmdir(path) != 0; i++) {
        if (i == 20000)
            abort();
        usleep(1000);
    }
    if (mkdir(path, 0700) != 0)
        abort();
    return 0;
}
