/*
 * libmicrohttpd calls twice or more for a request: first with the headers, then
 * with pieces of the body, last with none. The first call measures and decides;
 * the last one answers. Its memory per connection is twice our own limit on
 * headers, so that slightly too much gets our page and much too much its own.
 *
 * For a lane the last call suspends the connection and puts the exchange into it. From then until `is_over` the exchange is the job's; it is resumed,
 * and called once more, when the answer is there. The exchange does not end
 * before its job.
 *
 * The library's post processor takes a multipart body apart. It is given a piece
 * of the body at a time and calls with a piece of a part at a time; neither is
 * kept.
 */
#include "portal/http/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "common/clock.h"
#include "portal/http/gzip.h"
#include "portal/http/lane.h"
#include "portal/http/upload.h"

enum {
    CONNECTION_MEMORY = 2 * HTTP_HEADER_MAX + HTTP_ADDRESS_MAX + 4096,
    /* What is read and dropped of a body that is too long, before the
     * connection ends without an answer. */
    DRAIN_MAX = 1024 * 1024,
    PART_MEMORY = 16 * 1024, /* a part's headers have to fit */
    /* A form with files may be slow, and not stand still: so many bytes a second
     * after the first minute. */
    UPLOAD_RATE_MIN = 4096,
    UPLOAD_GRACE_S = 60,
    HOST_LEN = 256,
    PORT_LEN = 8,
    HOPS_LEN = 1024,
};

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_settings settings;
    uint16_t port;
    struct lane *lanes[HTTP_LANES];
    pthread_mutex_t lock; /* of is_stopping and of what exchanges share */
    pthread_cond_t changed;
    bool is_stopping;
};

/* One request and its answer. */
struct exchange {
    struct http_server *server;
    char *address; /* as sent, with the query */
    bool has_started;
    size_t body_bytes, body_limit, drained_bytes;
    struct buffer body;
    struct upload *upload;           /* in place of the body, with its parser */
    struct MHD_PostProcessor *parts; /* until all of it has come */
    struct mono_time began;
    struct http_request request;
    struct http_response response;
    enum http_lane where;
    char hops[2][HOPS_LEN]; /* of X-Forwarded-For and Forwarded, joined */

    struct lane_job job;
    struct MHD_Connection *connection;
    bool is_queued, is_over; /* with the server's lock */
};

/* The value of a header, where it fits and is clean. */
static void __attribute__((format(printf, 4, 0)))
fill_header(struct http_response *response, struct http_header *header,
            const char *name, const char *format, va_list arguments)
{
    int length =
        vsnprintf(header->value, sizeof(header->value), format, arguments);
    bool good = length >= 0 && (size_t)length < sizeof(header->value);
    for (const char *c = header->value; good && *c != '\0'; c++)
        good = (unsigned char)*c >= 0x20 && *c != 0x7f;
    if (!good) {
        response->status = 500;
        return;
    }
    header->name = name;
    if (header == &response->headers[response->header_count])
        response->header_count++;
}

void http_response_header(struct http_response *response, const char *name,
                          const char *format, ...)
{
    if (response->header_count == HTTP_HEADERS_OUT_MAX) {
        response->status = 500;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    fill_header(response, &response->headers[response->header_count], name,
                format, arguments);
    va_end(arguments);
}

void http_response_replace(struct http_response *response, const char *name,
                           const char *format, ...)
{
    size_t i = 0;
    while (i < response->header_count &&
           strcmp(response->headers[i].name, name) != 0)
        i++;
    if (i == HTTP_HEADERS_OUT_MAX) {
        response->status = 500;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    fill_header(response, &response->headers[i], name, format, arguments);
    va_end(arguments);
}

void http_response_file(struct http_response *response, int fd)
{
    response->has_file = true;
    response->file = fd;
}

void http_response_when_over(struct http_response *response,
                             void (*when_over)(void *of), void *of)
{
    response->when_over = when_over;
    response->of = of;
}

/* Called as soon as the request line is read; its result is the exchange. */
static void *exchange_begin(void *context, const char *address,
                            struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    exchange->server = context;
    exchange->connection = connection;
    exchange->address = strdup(address);
    exchange->response = (struct http_response){.status = 200};
    buffer_init(&exchange->response.body, HTTP_RESPONSE_MAX);
    return exchange;
}

static void wait_for_job(struct exchange *exchange)
{
    pthread_mutex_lock(&exchange->server->lock);
    while (exchange->is_queued && !exchange->is_over)
        pthread_cond_wait(&exchange->server->changed, &exchange->server->lock);
    pthread_mutex_unlock(&exchange->server->lock);
}

static void response_clear(struct http_response *response)
{
    if (response->has_file)
        close(response->file);
    if (response->when_over != NULL)
        response->when_over(response->of);
    buffer_clear(&response->body);
}

static void exchange_end(void *context, struct MHD_Connection *connection,
                         void **state, enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    struct exchange *exchange = *state;
    if (exchange == NULL)
        return;
    wait_for_job(exchange);
    response_clear(&exchange->response);
    if (exchange->parts != NULL)
        MHD_destroy_post_processor(exchange->parts);
    upload_free(exchange->upload);
    buffer_clear(&exchange->body);
    free(exchange->address);
    free(exchange);
    *state = NULL;
}

struct header_count {
    size_t bytes;
    int lengths, transfers, hosts;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
    (void)kind;
    struct header_count *count = context;
    count->bytes += strlen(name) + (value != NULL ? strlen(value) : 0) + 4;
    count->lengths += strcasecmp(name, "Content-Length") == 0;
    count->transfers += strcasecmp(name, "Transfer-Encoding") == 0;
    count->hosts += strcasecmp(name, "Host") == 0;
    return MHD_YES;
}

static struct slice header_value(struct MHD_Connection *connection,
                                 const char *name)
{
    const char *value =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return slice_of_text(value != NULL ? value : "");
}

static enum http_method method_of(const char *method)
{
    if (strcmp(method, "GET") == 0)
        return HTTP_GET;
    if (strcmp(method, "HEAD") == 0)
        return HTTP_HEAD;
    return strcmp(method, "POST") == 0 ? HTTP_POST : HTTP_OTHER;
}

/* The status for a request that must not be handled, or 0. */
static int judge_headers(struct MHD_Connection *connection,
                         const struct exchange *exchange, uint64_t *body_bytes)
{
    struct header_count count = {0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header,
                              &count);
    if (strlen(exchange->address) > HTTP_ADDRESS_MAX)
        return 414;
    if (count.bytes > HTTP_HEADER_MAX)
        return 431;
    if (count.lengths + count.transfers > 1 || count.hosts > 1)
        return 400;
    struct slice length = header_value(connection, "Content-Length");
    if (length.length > 0 && !parse_u64(length, 0, UINT64_MAX, body_bytes))
        return 400;
    return 0;
}

static struct address address_of(const struct sockaddr *from)
{
    struct address address = {0};
    if (from != NULL && from->sa_family == AF_INET) {
        address.version = 4;
        memcpy(address.bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
    } else if (from != NULL && from->sa_family == AF_INET6) {
        address.version = 6;
        memcpy(address.bytes, &((const struct sockaddr_in6 *)from)->sin6_addr,
               sizeof(address.bytes));
    }
    return address;
}

/* Headers of one name, which a proxy may add a line to; of what does not fit,
 * the end, where the nearest hops stand. */
struct joining {
    const char *name;
    char *text;
};

static enum MHD_Result join_header(void *context, enum MHD_ValueKind kind,
                                   const char *name, const char *value)
{
    (void)kind;
    struct joining *joining = context;
    if (value == NULL || strcasecmp(name, joining->name) != 0)
        return MHD_YES;
    size_t before = strlen(joining->text), more = strlen(value) + 1;
    if (more >= HOPS_LEN) {
        value += more - HOPS_LEN + 1;
        more = HOPS_LEN - 1;
    }
    size_t cut = before + more < HOPS_LEN ? 0 : before + more - HOPS_LEN + 1;
    memmove(joining->text, joining->text + cut, before - cut + 1);
    snprintf(joining->text + before - cut, HOPS_LEN - before + cut, ",%s",
             value);
    return MHD_YES;
}

static struct slice joined_header(struct MHD_Connection *connection,
                                  const char *name, char *text)
{
    struct joining joining = {name, text};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, join_header,
                              &joining);
    return slice_of_text(text[0] == ',' ? text + 1 : text);
}

static void read_way(struct MHD_Connection *connection,
                     struct exchange *exchange)
{
    struct proxy_words *words = &exchange->request.proxy;
    words->x_forwarded_for =
        joined_header(connection, "X-Forwarded-For", exchange->hops[0]);
    words->forwarded =
        joined_header(connection, "Forwarded", exchange->hops[1]);
    words->x_forwarded_proto = header_value(connection, "X-Forwarded-Proto");
}

/* The library's own memory, there as long as the connection. */
static struct slice certificate_of(struct MHD_Connection *connection)
{
    unsigned count = 0;
    const gnutls_datum_t *list = NULL;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info != NULL && info->tls_session != NULL)
        list = gnutls_certificate_get_peers(info->tls_session, &count);
    return list != NULL && count > 0
               ? slice_of_bytes(list[0].data, list[0].size)
               : (struct slice){0};
}

static void read_peer(struct MHD_Connection *connection,
                      struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    request->peer = address_of(info != NULL ? info->client_addr : NULL);
    request->peer_certificate = certificate_of(connection);
}

static void read_head(struct MHD_Connection *connection, const char *method,
                      struct exchange *exchange, uint64_t *body_bytes)
{
    struct http_request *request = &exchange->request;
    size_t path_length = strcspn(exchange->address, "?");
    const char *behind = exchange->address + path_length;
    request->method = method_of(method);
    request->path = slice_of_bytes(exchange->address, path_length);
    request->query = slice_of_text(*behind == '?' ? behind + 1 : behind);
    request->cookies = header_value(connection, "Cookie");
    request->content_type = header_value(connection, "Content-Type");
    request->if_none_match = header_value(connection, "If-None-Match");
    request->accept_encoding = header_value(connection, "Accept-Encoding");
    request->authorization = header_value(connection, "Authorization");
    request->user_agent = header_value(connection, "User-Agent");
    read_way(connection, exchange);
    read_peer(connection, request);
    request->refused = judge_headers(connection, exchange, body_bytes);
}

static struct http_plan plan_of(const struct exchange *exchange)
{
    const struct http_settings *settings = &exchange->server->settings;
    return settings->planner != NULL && exchange->request.refused == 0
               ? settings->planner(settings->context, &exchange->request)
               : (struct http_plan){HTTP_BODY_MAX, HTTP_AT_ONCE, 0, NULL};
}

/* --- forms with files --- */

/* Parts come as they are: browsers encode none. */
static bool is_plain(const char *encoding)
{
    return encoding == NULL || strcasecmp(encoding, "binary") == 0 ||
           strcasecmp(encoding, "8bit") == 0 ||
           strcasecmp(encoding, "7bit") == 0;
}

static enum MHD_Result on_part(void *context, enum MHD_ValueKind kind,
                               const char *name, const char *file_name,
                               const char *content_type, const char *encoding,
                               const char *data, uint64_t offset, size_t size)
{
    (void)kind;
    (void)content_type;
    struct exchange *exchange = context;
    const struct upload_piece piece = {name, file_name, offset,
                                       slice_of_bytes(data, size)};
    return is_plain(encoding) && upload_take(exchange->upload, &piece) ? MHD_YES
                                                                       : MHD_NO;
}

static void begin_parts(struct MHD_Connection *connection,
                        struct exchange *exchange)
{
    exchange->began = mono_now();
    exchange->parts =
        MHD_create_post_processor(connection, PART_MEMORY, on_part, exchange);
    if (exchange->parts == NULL)
        exchange->request.refused = 400;
}

static bool is_fast_enough(const struct exchange *exchange)
{
    int64_t s = (mono_now().us - exchange->began.us) / 1000000;
    return s <= UPLOAD_GRACE_S ||
           exchange->body_bytes / (uint64_t)s >= UPLOAD_RATE_MIN;
}

/* False when the connection is to end. */
static bool take_parts(struct exchange *exchange, struct slice piece)
{
    if (MHD_post_process(exchange->parts, piece.data, piece.length) != MHD_YES)
        exchange->request.refused = 400;
    return is_fast_enough(exchange);
}

/* All of the body has come; whether all of the form has is for its parser. */
static void end_parts(struct exchange *exchange)
{
    bool good = MHD_destroy_post_processor(exchange->parts) == MHD_YES &&
                exchange->request.refused == 0;
    exchange->parts = NULL;
    if ((!good || !upload_end(exchange->upload)) &&
        exchange->request.refused == 0)
        exchange->request.refused = 400;
}

/* A body that announces more than this is refused before it is read. Browsers
 * show an answer only when they could send everything, so a form with files that
 * is somewhat too large is read to its end. */
static uint64_t refused_at(const struct exchange *exchange)
{
    return exchange->body_limit * (exchange->upload != NULL ? 2 : 1);
}

static size_t drain_limit(const struct exchange *exchange)
{
    return exchange->upload != NULL ? 2 * exchange->body_limit : DRAIN_MAX;
}

/* Whether the request goes on; else its status is set. */
static bool may_go_on(struct MHD_Connection *connection, const char *method,
                      struct exchange *exchange)
{
    uint64_t body_bytes = 0;
    read_head(connection, method, exchange, &body_bytes);
    struct http_plan plan = plan_of(exchange);
    exchange->where = plan.lane;
    exchange->upload = plan.upload;
    exchange->request.upload = plan.upload;
    exchange->body_limit = plan.body_limit;
    buffer_init(&exchange->body, plan.body_limit);
    if (exchange->request.refused == 0)
        exchange->request.refused = plan.refused;
    if (exchange->request.refused == 0 && body_bytes > refused_at(exchange))
        exchange->request.refused = 413;
    if (exchange->request.refused == 0 && exchange->upload != NULL)
        begin_parts(connection, exchange);
    return exchange->request.refused == 0;
}

static bool add_headers(struct MHD_Response *answer,
                        const struct http_response *response)
{
    if (response->content_type != NULL &&
        MHD_add_response_header(answer, "Content-Type",
                                response->content_type) != MHD_YES)
        return false;
    for (size_t i = 0; i < response->header_count; i++)
        if (MHD_add_response_header(answer, response->headers[i].name,
                                    response->headers[i].value) != MHD_YES)
            return false;
    return true;
}

/* --- answers --- */

static struct MHD_Response *answer_of_file(struct http_response *response)
{
    struct stat file;
    if (fstat(response->file, &file) != 0)
        return NULL;
    struct MHD_Response *made =
        MHD_create_response_from_fd64((uint64_t)file.st_size, response->file);
    response->has_file = made == NULL;
    return made;
}

/* The body, or the file, becomes the library's. */
static struct MHD_Response *make_answer(struct http_response *response)
{
    if (response->has_file)
        return answer_of_file(response);
    if (response->body.length == 0)
        return MHD_create_response_from_buffer(0, (void *)"",
                                               MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *made = MHD_create_response_from_buffer(
        response->body.length, response->body.data, MHD_RESPMEM_MUST_FREE);
    if (made != NULL)
        buffer_init(&response->body, HTTP_RESPONSE_MAX);
    return made;
}

static enum MHD_Result answer(struct MHD_Connection *connection,
                              struct exchange *exchange)
{
    enum MHD_Result result = MHD_NO;
    struct MHD_Response *out = make_answer(&exchange->response);
    if (out != NULL && add_headers(out, &exchange->response)) {
        /* After a refusal the rest of the request is of no interest. */
        if (exchange->request.refused != 0)
            MHD_add_response_header(out, "Connection", "close");
        result = MHD_queue_response(connection,
                                    (unsigned)exchange->response.status, out);
    }
    if (out != NULL)
        MHD_destroy_response(out);
    return result;
}

static bool is_text(const char *content_type)
{
    static const char *const TEXTS[] = {"text/", "application/json",
                                        "image/svg+xml"};
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        if (content_type != NULL &&
            strncmp(content_type, TEXTS[i], strlen(TEXTS[i])) == 0)
            return true;
    return false;
}

static bool compress_file(struct http_response *response)
{
    int fd = gzip_file(response->file);
    if (fd < 0)
        return false;
    close(response->file);
    response->file = fd;
    return true;
}

/* Also for readers that take it as it is, the answer depends on what they take.
 */
static void encode(const struct http_request *request,
                   struct http_response *response)
{
    if (!is_text(response->content_type) ||
        (!response->has_file && response->body.length < GZIP_BYTES_MIN))
        return;
    http_response_header(response, "Vary", "Accept-Encoding");
    if (gzip_is_accepted(request->accept_encoding) &&
        (response->has_file ? compress_file(response)
                            : gzip_buffer(&response->body)))
        http_response_header(response, "Content-Encoding", "gzip");
}

static void handle(struct exchange *exchange)
{
    const struct http_settings *settings = &exchange->server->settings;
    exchange->request.body = buffer_slice(&exchange->body);
    if (exchange->request.refused == 0 && exchange->request.upload != NULL)
        upload_settle(exchange->request.upload);
    settings->handler(settings->context, &exchange->request,
                      &exchange->response);
    encode(&exchange->request, &exchange->response);
}

static struct exchange *exchange_of(struct lane_job *job)
{
    return (struct exchange *)(void *)((char *)job -
                                       offsetof(struct exchange, job));
}

static void end_job(struct lane_job *job)
{
    struct exchange *exchange = exchange_of(job);
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    exchange->is_over = true;
    MHD_resume_connection(exchange->connection);
    pthread_cond_broadcast(&exchange->server->changed);
    pthread_mutex_unlock(&server->lock);
}

static void run_job(struct lane_job *job)
{
    struct exchange *exchange = exchange_of(job);
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    if (server->is_stopping)
        exchange->request.refused = 503;
    pthread_mutex_unlock(&server->lock);
    handle(exchange);
    if (exchange->response.wait_ms > 0) {
        job->run = end_job;
        lane_put_later(server->lanes[exchange->where], job,
                       exchange->response.wait_ms);
        return;
    }
    end_job(job);
}

/* Suspends the connection; false when the server is about to stop. */
static bool put_into_lane(struct MHD_Connection *connection,
                          struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    bool good = !server->is_stopping;
    if (!good)
        exchange->request.refused = 503;
    if (good) {
        exchange->is_queued = true;
        exchange->job.run = run_job;
        MHD_suspend_connection(connection);
        lane_put(server->lanes[exchange->where], &exchange->job);
    }
    pthread_mutex_unlock(&server->lock);
    return good;
}

/* MHD_NO ends the connection. */
static enum MHD_Result take_body(struct exchange *exchange, const char *data,
                                 size_t *size)
{
    struct slice piece = slice_of_bytes(data, *size);
    bool goes_on = true;
    *size = 0;
    exchange->body_bytes += piece.length;
    if (exchange->request.refused != 0)
        exchange->drained_bytes += piece.length;
    else if (exchange->body_bytes > exchange->body_limit)
        exchange->request.refused = 413;
    else if (exchange->parts != NULL)
        goes_on = take_parts(exchange, piece);
    else
        buffer_add_slice(&exchange->body, piece);
    if (exchange->body.failed && exchange->request.refused == 0)
        exchange->request.refused = 503;
    return goes_on && exchange->drained_bytes <= drain_limit(exchange) ? MHD_YES
                                                                       : MHD_NO;
}

static enum MHD_Result on_request(void *context,
                                  struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *data,
                                  size_t *size, void **state)
{
    (void)context;
    (void)url;
    (void)version;
    struct exchange *exchange = *state;
    if (exchange == NULL || exchange->address == NULL)
        return MHD_NO;
    if (!exchange->has_started) {
        exchange->has_started = true;
        if (may_go_on(connection, method, exchange))
            return MHD_YES;
    } else if (exchange->is_queued) {
        return answer(connection, exchange);
    } else if (*size > 0) {
        return take_body(exchange, data, size);
    }
    if (exchange->parts != NULL)
        end_parts(exchange);
    if (exchange->where != HTTP_AT_ONCE && exchange->request.refused == 0 &&
        put_into_lane(connection, exchange)) {
        return MHD_YES;
    }
    handle(exchange);
    return answer(connection, exchange);
}

static void __attribute__((format(printf, 2, 0)))
on_message(void *context, const char *format, va_list arguments)
{
    (void)context;
    char line[256];
    int length = vsnprintf(line, sizeof(line), format, arguments);
    if (length > 0) {
        line[strcspn(line, "\n")] = '\0';
        log_debug("http: %s", line);
    }
}

/* HOST:PORT or [V6]:PORT into its two parts. */
static bool split_listen(const char *listen, char host[static HOST_LEN],
                         char port[static PORT_LEN])
{
    struct slice name, number;
    return slice_split_port(slice_of_text(listen), &name, &number) &&
           slice_copy(name, host, HOST_LEN) &&
           slice_copy(number, port, PORT_LEN);
}

static int bind_address(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int open_socket(const char *listen, struct error_text *error)
{
    char host[HOST_LEN], port[PORT_LEN];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    if (!split_listen(listen, host, port)) {
        error_set(error, "%s: HOST:PORT is expected", listen);
        return -1;
    }
    int problem = getaddrinfo(host, port, &hints, &list);
    if (problem != 0) {
        error_set(error, "%s: %s", listen, gai_strerror(problem));
        return -1;
    }
    int fd = bind_address(list);
    if (fd < 0)
        error_set(error, "%s: cannot listen: %s", listen, strerror(errno));
    freeaddrinfo(list);
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

/* What the options of MHD_start_daemon() are with TLS. */
static void add_tls(const struct http_settings *settings,
                    struct MHD_OptionItem options[static 5])
{
    static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
    const struct MHD_OptionItem list[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)settings->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)settings->key},
        {MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)settings->trust},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    memcpy(options, list, sizeof(list));
}

static struct MHD_Daemon *start_daemon(struct http_server *server, int fd)
{
    const struct http_settings *settings = &server->settings;
    struct MHD_OptionItem tls[5] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG |
                     MHD_ALLOW_SUSPEND_RESUME;
    if (settings->certificate != NULL) {
        flags |= MHD_USE_TLS;
        add_tls(settings, tls);
    }
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
        on_message, NULL, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, server,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_end, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
        settings->thread_count, MHD_OPTION_CONNECTION_LIMIT,
        settings->connection_limit, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        settings->address_limit, MHD_OPTION_CONNECTION_TIMEOUT,
        settings->idle_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static void free_server(struct http_server *server)
{
    for (size_t i = 0; i < HTTP_LANES; i++)
        lane_stop(server->lanes[i]);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

struct lane_row {
    unsigned threads; /* at most */
    int nice;
    bool
        is_half; /* of the cores at most: a hash wants a core to itself, and the
                     memory's bandwidth with it */
};

static const struct lane_row LANE_ROWS[HTTP_LANES] = {
    [HTTP_PAGES] = {HTTP_PAGE_THREADS, 0, false},
    [HTTP_SEARCHES] = {HTTP_SEARCH_THREADS, 0, false},
    [HTTP_ACTS] = {HTTP_ACT_THREADS, 0, false},
    [HTTP_LOGINS] = {HTTP_LOGIN_THREADS, 5, true},
    [HTTP_EXPORTS] = {HTTP_EXPORT_THREADS, 15, false},
    [HTTP_UPLOADS] = {HTTP_UPLOAD_THREADS, 5, false},
};

static unsigned threads_of(const struct lane_row *row)
{
    long half = sysconf(_SC_NPROCESSORS_ONLN) / 2;
    if (!row->is_half || half >= (long)row->threads)
        return row->threads;
    return half > 1 ? (unsigned)half : 1;
}

static bool start_lanes(struct http_server *server, struct error_text *error)
{
    bool good = true;
    for (size_t i = HTTP_AT_ONCE + 1; good && i < HTTP_LANES; i++) {
        server->lanes[i] =
            lane_start(threads_of(&LANE_ROWS[i]), LANE_ROWS[i].nice, error);
        good = server->lanes[i] != NULL;
    }
    return good;
}

struct http_server *http_server_start(const struct http_settings *settings,
                                      struct error_text *error)
{
    struct http_server *server = calloc(1, sizeof(*server));
    int fd = -1;
    if (server == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    server->settings = *settings;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    if (settings->planner != NULL && !start_lanes(server, error))
        goto fail;
    fd = open_socket(settings->listen, error);
    if (fd < 0)
        goto fail;
    server->port = port_of(fd);
    server->daemon = start_daemon(server, fd);
    if (server->daemon != NULL)
        return server;
    error_set(error, "%s: the HTTP server does not start", settings->listen);
    close(fd);
fail:
    free_server(server);
    return NULL;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->is_stopping = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    for (size_t i = 0; i < HTTP_LANES; i++) {
        lane_stop(server->lanes[i]);
        server->lanes[i] = NULL;
    }
    MHD_stop_daemon(server->daemon);
    free_server(server);
}
