/*
 * People at the portal, for tests/bench/portal.sh.
 *
 *   people_tool pages PORT SESSIONS PATHS VOUCHERS PEOPLE PAUSE_MS SECONDS
 *   people_tool logins PORT NAME PASSWORD COUNT [SESSIONS]
 *
 * pages: each of PEOPLE has a connection and wants a page every PAUSE_MS in the
 * mean (evenly between nothing and twice that), whatever became of the page
 * before: an open loop. A page's time runs from the moment at which it was
 * wanted, so that waiting for the page before counts, to the last byte of the
 * answer. With PAUSE_MS 0 each asks again as soon as it is answered, a closed
 * loop: what the machine can do at most; the times are then PEOPLE by rate.
 *
 * SESSIONS has lines "WHO COOKIE", as many of each as there are; PATHS first "KIND SHARE GOAL_MS" for each
 * kind of page, then "KIND WHO ADDRESS", in which NUMBER stands for a voucher's
 * digits.
 *
 * logins: COUNT people have the form open and press the button at one moment; their
 * sessions are added to a file.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/slice.h"

enum {
    PEOPLE_MAX = 1000,
    KINDS_MAX = 16,
    PATHS_MAX = 100,
    SESSIONS_MAX = 1000,
    LINE_BYTES = 512,
    HEAD_BYTES = 8192,
    REQUEST_BYTES = 2048,
    EVENTS = 64,
    PATIENCE_US = 30 * 1000 * 1000, /* after the end; then it is an error */
};

struct kind {
    char name[16];
    uint64_t share; /* per cent */
    double goal_ms;
    double *times_ms;
    size_t count, room, errors;
    uint64_t bytes;
};

struct path {
    struct kind *kind;
    char who[16], address[256];
};

/* One connection, and what is under way on it. */
struct person {
    int fd;
    bool is_waiting;
    int64_t wanted_us; /* this page, or when it is answered the next one */
    int64_t answered_us;
    struct kind *kind;
    char head[HEAD_BYTES];
    size_t head_length;
    uint64_t status, bytes, whole_bytes; /* 0: not known yet */
};

struct bench {
    int port, epoll;
    uint64_t vouchers, pause_us, people, seed;
    int64_t end_us;
    struct kind kinds[KINDS_MAX];
    struct path paths[PATHS_MAX];
    struct {
        char who[16], cookie[80];
    } sessions[SESSIONS_MAX];
    size_t kind_count, path_count, session_count;
    struct person persons[PEOPLE_MAX];
};

static void die(const char *what)
{
    fprintf(stderr, "people_tool: %s\n", what);
    exit(1);
}

static uint64_t number(const char *text, uint64_t max)
{
    uint64_t value;
    if (!parse_u64(slice_of_text(text), 0, max, &value))
        die(text);
    return value;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* Below `below`; the same numbers in each run (splitmix64). */
static uint64_t draw(struct bench *bench, uint64_t below)
{
    uint64_t x = bench->seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return below > 0 ? (x ^ (x >> 31)) % below : 0;
}

/* --- one request and its answer --- */

static void join(struct bench *bench, struct person *person)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)bench->port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = person};
    int on = 1;
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    person->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (person->fd < 0 ||
        connect(person->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("the portal cannot be reached");
    setsockopt(person->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_ctl(bench->epoll, EPOLL_CTL_ADD, person->fd, &event);
}

static void ask(struct person *person, const char *request)
{
    size_t length = strlen(request);
    person->is_waiting = true;
    person->head_length = 0;
    person->bytes = 0;
    person->whole_bytes = 0;
    if (send(person->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
        die("a connection ended");
}

/* Takes status and length; `end` is the head's. */
static void read_head(struct person *person, const char *end)
{
    static const char LENGTH[] = "\r\nContent-Length: ";
    const char *length = strstr(person->head, LENGTH);
    struct slice digits, rest;
    person->status = strtoull(person->head + 9, NULL, 10);
    if (length == NULL)
        die("an answer without its length");
    rest = slice_of_text(length + sizeof(LENGTH) - 1);
    slice_next(&rest, '\r', &digits);
    if (!parse_u64(digits, 0, UINT32_MAX, &person->whole_bytes))
        die("a length that is no number");
    person->whole_bytes += (uint64_t)(end + 4 - person->head);
}

/* More of the answer; true when it is whole. Its first part stays in `head`. */
static bool hear(struct person *person)
{
    static char part[65536];
    size_t room = sizeof(person->head) - 1 - person->head_length;
    ssize_t got = recv(person->fd, part, sizeof(part), 0);
    if (got <= 0) {
        fprintf(stderr,
                "people_tool: a connection ended, %s, after %" PRIu64
                " bytes: %s\n",
                person->is_waiting ? "waiting for an answer" : "idle",
                person->bytes, got < 0 ? strerror(errno) : "closed");
        exit(1);
    }
    room = (size_t)got < room ? (size_t)got : room;
    memcpy(person->head + person->head_length, part, room);
    person->head_length += room;
    person->head[person->head_length] = '\0';
    person->bytes += (uint64_t)got;
    const char *end =
        person->whole_bytes == 0 ? strstr(person->head, "\r\n\r\n") : NULL;
    if (end != NULL)
        read_head(person, end);
    if (person->whole_bytes == 0 || person->bytes < person->whole_bytes)
        return false;
    person->is_waiting = false;
    person->answered_us = now_us();
    return true;
}

static void note_time(struct kind *kind, double ms)
{
    if (kind->count == kind->room) {
        kind->room = kind->room > 0 ? 2 * kind->room : 1024;
        kind->times_ms =
            realloc(kind->times_ms, kind->room * sizeof(kind->times_ms[0]));
        if (kind->times_ms == NULL)
            die("no memory");
    }
    kind->times_ms[kind->count++] = ms;
}

static void note_answer(struct kind *kind, const struct person *person)
{
    note_time(kind, (double)(person->answered_us - person->wanted_us) / 1000);
    kind->bytes += person->bytes;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double at_share(const struct kind *kind, double share)
{
    size_t place = (size_t)((double)kind->count * share);
    return kind->times_ms[place < kind->count ? place : kind->count - 1];
}

static void print_kind(struct kind *kind)
{
    size_t good = 0;
    if (kind->count == 0)
        return;
    qsort(kind->times_ms, kind->count, sizeof(kind->times_ms[0]), by_value);
    while (good < kind->count && kind->times_ms[good] <= kind->goal_ms)
        good++;
    printf("  %-8s %6zu  p50 %6.1f  p90 %6.1f  p99 %6.1f  max %7.1f ms"
           "  %5.1f %% within %.0f ms  %5.1f kB  errors %zu\n",
           kind->name, kind->count, at_share(kind, 0.5), at_share(kind, 0.9),
           at_share(kind, 0.99), kind->times_ms[kind->count - 1],
           100.0 * (double)good / (double)kind->count, kind->goal_ms,
           (double)kind->bytes / (double)kind->count / 1024, kind->errors);
}

/* --- pages --- */

static struct kind *kind_of(struct bench *bench, const char *name)
{
    for (size_t i = 0; i < bench->kind_count; i++)
        if (strcmp(bench->kinds[i].name, name) == 0)
            return &bench->kinds[i];
    return NULL;
}

static void add_path_line(struct bench *bench, const char *line)
{
    char name[16], second[16], third[256];
    if (sscanf(line, "%15s %15s %255s", name, second, third) != 3 ||
        bench->kind_count == KINDS_MAX || bench->path_count == PATHS_MAX)
        die(line);
    struct kind *kind = kind_of(bench, name);
    if (kind == NULL) {
        kind = &bench->kinds[bench->kind_count++];
        memcpy(kind->name, name, sizeof(name));
        kind->share = number(second, 100);
        kind->goal_ms = (double)number(third, 10000);
        return;
    }
    struct path *path = &bench->paths[bench->path_count++];
    path->kind = kind;
    memcpy(path->who, second, sizeof(second));
    memcpy(path->address, third, sizeof(third));
}

static void add_session_line(struct bench *bench, const char *line)
{
    size_t i = bench->session_count++;
    if (i == SESSIONS_MAX || sscanf(line, "%15s %79s", bench->sessions[i].who,
                                    bench->sessions[i].cookie) != 2)
        die(line);
}

static void read_lines(struct bench *bench, const char *name,
                       void (*take)(struct bench *bench, const char *line))
{
    char line[LINE_BYTES];
    FILE *file = fopen(name, "r");
    if (file == NULL)
        die(name);
    while (fgets(line, sizeof(line), file) != NULL)
        take(bench, line);
    fclose(file);
}

static struct kind *draw_kind(struct bench *bench)
{
    uint64_t rest = draw(bench, 100);
    for (size_t i = 0; i + 1 < bench->kind_count; i++) {
        if (rest < bench->kinds[i].share)
            return &bench->kinds[i];
        rest -= bench->kinds[i].share;
    }
    return &bench->kinds[bench->kind_count - 1];
}

static const struct path *draw_path(struct bench *bench,
                                    const struct kind *kind)
{
    for (;;) {
        const struct path *path = &bench->paths[draw(bench, bench->path_count)];
        if (path->kind == kind)
            return path;
    }
}

/* Each person has a session of their own, as far as there are some. */
static const char *cookie_of(const struct bench *bench, const char *who,
                             const struct person *person)
{
    size_t number = (size_t)(person - bench->persons), count = 0;
    const char *cookie = NULL;
    for (size_t i = 0; i < bench->session_count; i++)
        if (strcmp(bench->sessions[i].who, who) == 0 && count++ <= number)
            cookie = bench->sessions[i].cookie;
    if (cookie == NULL)
        die(who);
    return cookie;
}

static void ask_page(struct bench *bench, struct person *person)
{
    char request[REQUEST_BYTES], digits[32] = "";
    person->kind = draw_kind(bench);
    const struct path *path = draw_path(bench, person->kind);
    size_t before = strcspn(path->address, "N");
    const char *rest = path->address + before;
    if (strncmp(rest, "NUMBER", 6) == 0) {
        snprintf(digits, sizeof(digits), "V-2026-%06" PRIu64,
                 draw(bench, bench->vouchers) + 1);
        rest += 6;
    }
    snprintf(request, sizeof(request),
             "GET %.*s%s%s HTTP/1.1\r\nHost: portal\r\n"
             "Accept-Encoding: gzip\r\nCookie: yz_session=%s\r\n\r\n",
             (int)before, path->address, digits, rest,
             cookie_of(bench, path->who, person));
    if (bench->pause_us == 0)
        person->wanted_us = now_us();
    ask(person, request);
}

static void hear_page(struct bench *bench, struct person *person)
{
    if (!hear(person))
        return;
    note_answer(person->kind, person);
    person->kind->errors += person->status != 200;
    if (bench->pause_us > 0)
        person->wanted_us += (int64_t)draw(bench, 2 * bench->pause_us);
}

/* Those whose time has come ask; gives the time until the next one's. */
static int64_t let_ask(struct bench *bench, int64_t now)
{
    int64_t next = now + 100000;
    for (size_t i = 0; i < bench->people; i++) {
        struct person *person = &bench->persons[i];
        if (person->is_waiting || person->wanted_us >= bench->end_us)
            continue;
        if (person->wanted_us <= now)
            ask_page(bench, person);
        else if (person->wanted_us < next)
            next = person->wanted_us;
    }
    return next - now;
}

static bool anyone_waits(const struct bench *bench)
{
    for (size_t i = 0; i < bench->people; i++)
        if (bench->persons[i].is_waiting)
            return true;
    return false;
}

static void listen_for(struct bench *bench, int64_t us,
                       void (*hears)(struct bench *bench, struct person *of))
{
    struct epoll_event events[EVENTS];
    struct timespec time = {.tv_sec = us / 1000000,
                            .tv_nsec = us % 1000000 * 1000};
    int count = epoll_pwait2(bench->epoll, events, EVENTS, &time, NULL);
    for (int i = 0; i < count; i++)
        hears(bench, events[i].data.ptr);
}

static int visit_pages(struct bench *bench, char **argv)
{
    bench->vouchers = number(argv[5], 1000000);
    bench->people = number(argv[6], PEOPLE_MAX);
    bench->pause_us = number(argv[7], 60000) * 1000;
    int64_t seconds = (int64_t)number(argv[8], 3600), now = now_us();
    read_lines(bench, argv[3], add_session_line);
    read_lines(bench, argv[4], add_path_line);
    for (size_t i = 0; i < bench->people; i++) {
        join(bench, &bench->persons[i]);
        bench->persons[i].wanted_us =
            now + (int64_t)draw(bench, 2 * bench->pause_us);
    }
    bench->end_us = now + seconds * 1000000;
    while ((now = now_us()) < bench->end_us ||
           (anyone_waits(bench) && now < bench->end_us + PATIENCE_US))
        listen_for(bench, now < bench->end_us ? let_ask(bench, now) : 100000,
                   hear_page);
    size_t count = 0;
    for (size_t i = 0; i < bench->kind_count; i++) {
        print_kind(&bench->kinds[i]);
        count += bench->kinds[i].count;
    }
    printf("  %.0f pages/s\n", (double)count / (double)seconds);
    return anyone_waits(bench) ? 1 : 0;
}

/* --- log-ins --- */

static void hear_login(struct bench *bench, struct person *person)
{
    if (hear(person) && person->kind != NULL) {
        note_answer(person->kind, person);
        bench->kinds[0].errors += person->status != 303;
    }
}

/* The text between two others in the head, or in the body's first part. */
static void cut_out(const struct person *person, const char *before, char end,
                    char *text, size_t size)
{
    const char *at = strstr(person->head, before);
    if (at == NULL)
        die("the log-in form lacks something");
    struct slice rest = slice_of_text(at + strlen(before)), part;
    slice_next(&rest, end, &part);
    if (!slice_copy(part, text, size))
        die("the log-in form is not as expected");
}

static void keep_sessions(struct bench *bench, const char *name,
                          const char *path)
{
    char cookie[80];
    FILE *file = fopen(path, "a");
    if (file == NULL)
        die(path);
    for (size_t i = 0; i < bench->people; i++) {
        cut_out(&bench->persons[i], "yz_session=", ';', cookie, sizeof(cookie));
        fprintf(file, "%s %s\n", name, cookie);
    }
    fclose(file);
}

static int log_in(struct bench *bench, char **argv)
{
    static char requests[PEOPLE_MAX][REQUEST_BYTES];
    char cookie[64], token[80], body[512];
    bench->people = number(argv[5], PEOPLE_MAX);
    snprintf(bench->kinds[0].name, sizeof(bench->kinds[0].name), "log-in");
    bench->kinds[0].goal_ms = 1000;
    for (size_t i = 0; i < bench->people; i++) {
        struct person *person = &bench->persons[i];
        join(bench, person);
        ask(person, "GET /login HTTP/1.1\r\nHost: portal\r\n\r\n");
        while (person->is_waiting)
            listen_for(bench, 1000000, hear_login);
        cut_out(person, "yz_form=", ';', cookie, sizeof(cookie));
        cut_out(person, "name=\"csrf\" value=\"", '"', token, sizeof(token));
        snprintf(body, sizeof(body), "csrf=%s&name=%s&password=%s", token,
                 argv[3], argv[4]);
        snprintf(
            requests[i], REQUEST_BYTES,
            "POST /login HTTP/1.1\r\nHost: portal\r\nCookie: yz_form=%s\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            "Content-Length: %zu\r\n\r\n%s",
            cookie, strlen(body), body);
    }
    for (size_t i = 0; i < bench->people; i++) {
        bench->persons[i].kind = &bench->kinds[0];
        bench->persons[i].wanted_us = now_us();
        ask(&bench->persons[i], requests[i]);
    }
    while (anyone_waits(bench))
        listen_for(bench, 1000000, hear_login);
    if (argv[6] != NULL)
        keep_sessions(bench, argv[3], argv[6]);
    print_kind(&bench->kinds[0]);
    return bench->kinds[0].errors > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc < 3)
        die("see the head of tests/bench/people_tool.c");
    bench.port = (int)number(argv[2], 65535);
    bench.seed = 1;
    bench.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (argc == 9 && strcmp(argv[1], "pages") == 0)
        return visit_pages(&bench, argv);
    if ((argc == 6 || argc == 7) && strcmp(argv[1], "logins") == 0)
        return log_in(&bench, argv);
    die("see the head of tests/bench/people_tool.c");
}
