/*
 * The readers' side that must not be believed: children that say what a reader
 * would after something took it over. Each case is a child that behaves so from
 * its fork on, and what readers_step() is to answer.
 */
#include "probe/process/readers.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/process/channel.h"
#include "tests/test.h"

enum { PATIENCE_MS = 10000 };

/* --- the child --- */

static void send_it(struct channel *c, enum channel_type type, const void *data,
                    size_t length)
{
    (void)channel_send(c, type, data, length);
    (void)channel_flush(c);
}

static void send_raw(struct channel *c, const void *data, size_t length)
{
    (void)send(channel_fd(c), data, length, MSG_NOSIGNAL);
}

static struct flow_record good_record(void)
{
    return (struct flow_record){.start_ms = 1,
                                .end_ms = 2,
                                .endpoint_id = "erp",
                                .protocol = 6,
                                .end_reason = FLOW_END_IDLE,
                                .direction = 1};
}

static void send_flow(struct channel *c)
{
    struct flow_record record = good_record();
    send_it(c, CHANNEL_FLOW, &record, sizeof(record));
}

static void send_strange_bool(struct channel *c)
{
    struct flow_record record = good_record();
    memset(&record.is_ipv6, 0xff, sizeof(record.is_ipv6));
    send_it(c, CHANNEL_FLOW, &record, sizeof(record));
}

static void send_backwards(struct channel *c)
{
    struct flow_record record = good_record();
    record.start_ms = 3;
    send_it(c, CHANNEL_FLOW, &record, sizeof(record));
}

static void send_half_flow(struct channel *c)
{
    struct flow_record record = good_record();
    send_it(c, CHANNEL_FLOW, &record, sizeof(record) / 2);
}

static void send_ready(struct channel *c)
{
    struct reader_ready ready = {0};
    send_it(c, CHANNEL_READY, &ready, sizeof(ready));
}

static void send_unknown(struct channel *c)
{
    send_it(c, (enum channel_type)99, NULL, 0);
}

static void send_order(struct channel *c)
{
    uint64_t mark = 1;
    send_it(c, CHANNEL_STOP, &mark, sizeof(mark));
}

static void send_answer(struct channel *c)
{
    struct reader_counters counters = {.mark = 7};
    send_it(c, CHANNEL_COUNTERS, &counters, sizeof(counters));
}

static void answer_twice(struct channel *c)
{
    struct reader_counters counters = {.mark = 1};
    usleep(300 * 1000); /* until it is asked */
    send_it(c, CHANNEL_COUNTERS, &counters, sizeof(counters));
    send_it(c, CHANNEL_COUNTERS, &counters, sizeof(counters));
}

static void count_down(struct channel *c)
{
    struct reader_counters counters = {.captures = {{.received = 5}}};
    send_it(c, CHANNEL_COUNTERS, &counters, sizeof(counters));
    counters.captures[0].received = 4;
    send_it(c, CHANNEL_COUNTERS, &counters, sizeof(counters));
}

static void count_too_much(struct channel *c)
{
    struct reader_counters counters = {.meter = {.evicted = UINT64_MAX}};
    send_it(c, CHANNEL_COUNTERS, &counters, sizeof(counters));
}

static void send_version(struct channel *c)
{
    struct digest version = {{0}};
    send_it(c, CHANNEL_TAKEN, &version, sizeof(version));
}

static void send_huge(struct channel *c)
{
    const uint32_t header[2] = {CHANNEL_FLOW, UINT32_MAX};
    send_raw(c, header, sizeof(header));
}

static void send_controls(struct channel *c)
{
    static const char text[] = "a\n<3>forged\x1b[2J\x80\x7f";
    send_it(c, CHANNEL_FAILED, text, sizeof(text));
}

static void send_long_text(struct channel *c)
{
    static char text[CHANNEL_MESSAGE_MAX];
    memset(text, 'x', sizeof(text));
    send_it(c, CHANNEL_FAILED, text, sizeof(text));
}

static void send_nothing(struct channel *c)
{
    (void)c;
}

static void send_half(struct channel *c)
{
    const uint32_t header[2] = {CHANNEL_FLOW, sizeof(struct flow_record)};
    send_raw(c, header, sizeof(header) - 1);
}

static void close_and_stay(struct channel *c)
{
    close(channel_fd(c));
    for (;;)
        pause();
}

static void end_at_once(struct channel *c)
{
    (void)c;
    _exit(3);
}

static void flood(struct channel *c)
{
    struct reader_counters counters = {0};
    while (channel_send(c, CHANNEL_COUNTERS, &counters, sizeof(counters)))
        ;
}

/* --- the cases --- */

struct act {
    const char *name;
    void (*do_it)(struct channel *c);
    const char *answer; /* NULL: none is due */
    bool is_early;      /* before it is ready */
    unsigned flows;     /* that are taken */
};

#define FORBIDDEN "reader: it sent what it may not"

static const struct act acts[] = {
    {"a flow", send_flow, NULL, .flows = 1},
    {"a flow of half the size", send_half_flow, FORBIDDEN},
    {"a flow that ends before it begins", send_backwards, FORBIDDEN},
    {"a flow with a byte that is no bool", send_strange_bool, FORBIDDEN},
    {"a flow before the start", send_flow, FORBIDDEN, true},
    {"ready twice", send_ready, FORBIDDEN},
    {"an unknown type", send_unknown, FORBIDDEN},
    {"an order, as if it were the uplink", send_order, FORBIDDEN},
    {"an answer that nobody asked for", send_answer, FORBIDDEN},
    {"an answer twice", answer_twice, FORBIDDEN},
    {"a counter that goes down", count_down, FORBIDDEN},
    {"a counter that no batch can tell", count_too_much, FORBIDDEN},
    {"a list's version that nobody gave", send_version, FORBIDDEN},
    {"a message without bound", send_huge,
     "reader: it sent what is no message"},
    {"a reason with controls", send_controls, "reader: a?<3>forged?[2J??"},
    {"its end", end_at_once, "reader: ended with status 3"},
    {"silence, and nothing is read", send_nothing, NULL},
    {"half a header, then silence", send_half, NULL},
    {"a flood", flood, NULL},
};

struct scene {
    const struct act *act;
    unsigned marked, flows;
};

/* In the child, instead of a reader's work: its channel is the only socket of
 * this machine that it has. */
static void on_forked(void *context)
{
    const struct scene *s = context;
    struct channel_message m;
    int fd = 3, family = 0;
    socklen_t size = sizeof(family);
    while (fd < 100 &&
           (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 ||
            family != AF_UNIX))
        fd++;
    struct channel *c = channel_new(fd);
    if (!s->act->is_early) {
        send_ready(c);
        while (channel_receive(c, &m) == CHANNEL_NOTHING)
            usleep(1000);
    }
    s->act->do_it(c);
    struct pollfd gone = {.fd = fd};
    (void)poll(&gone, 1, -1); /* it is told of the other end's close alone */
    _exit(0);
}

static void on_flow(void *context, const struct flow_record *record)
{
    struct scene *s = context;
    (void)record;
    s->flows++;
}

static void on_marked(void *context, uint64_t mark)
{
    struct scene *s = context;
    (void)mark;
    s->marked++;
}

static void on_taken(void *context)
{
    (void)context;
    CHECK(false);
}

static struct readers *start(struct scene *s, struct error_text *error)
{
    static const uint8_t key[PSEUDONYM_KEY_LEN];
    struct readers_options options = {.workers = 1,
                                      .user = "",
                                      .forked = on_forked,
                                      .forked_context = s,
                                      .flow = on_flow,
                                      .marked = on_marked,
                                      .taken = on_taken,
                                      .context = s};
    fflush(stdout);
    struct readers *r = readers_start(&options, error);
    if (r != NULL)
        CHECK(readers_begin(r, key) && readers_mark(r, 1));
    return r;
}

/* Steps until a reader is at fault, or for a while; the longest step. */
static int64_t follow(struct readers *r, int while_ms, struct error_text *error)
{
    struct pollfd fds[READERS_MAX];
    int64_t longest_us = 0, end_us = mono_now().us + while_ms * 1000LL;
    bool good = true;
    while (good && mono_now().us < end_us) {
        (void)poll(fds, readers_poll(r, fds), 50);
        int64_t before_us = mono_now().us;
        good = readers_step(r, error);
        int64_t step_us = mono_now().us - before_us;
        longest_us = step_us > longest_us ? step_us : longest_us;
    }
    return longest_us;
}

static void test_acts(void)
{
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        struct scene s = {.act = &acts[i]};
        struct error_text error = {""};
        test_case(acts[i].name);
        struct readers *r = start(&s, &error);
        CHECK((r == NULL) == acts[i].is_early);
        if (r != NULL)
            CHECK(follow(r, acts[i].answer ? PATIENCE_MS : 500, &error) <
                  2500 * 1000);
        CHECK_TEXT(error.text, acts[i].answer ? acts[i].answer : "");
        CHECK_I64(s.flows, acts[i].flows);
        readers_free(r);
    }
}

static void test_text(void)
{
    static const struct act act = {"", send_long_text, NULL};
    struct scene s = {.act = &act};
    struct error_text error = {""};
    test_case("a long reason is cut");
    struct readers *r = start(&s, &error);
    if (CHECK(r != NULL))
        (void)follow(r, PATIENCE_MS, &error);
    CHECK_I64(strlen(error.text), strlen("reader: ") + 200);
    readers_free(r);
}

/* The parent leaves root behind, so that it cannot kill a child that stays. */
static int leave_one_behind(void)
{
    static const struct act act = {"", close_and_stay, NULL};
    struct scene s = {.act = &act};
    struct error_text error = {""};
    struct readers *r = start(&s, &error);
    if (r == NULL || setresuid(65534, 65534, 65534) != 0)
        return 1;
    (void)follow(r, PATIENCE_MS, &error);
    readers_free(r);
    return strstr(error.text, "and does not end") != NULL ? 0 : 2;
}

static void test_staying(void)
{
    int status = -1;
    test_case("one that cannot be killed does not hold us");
    if (geteuid() != 0)
        return;
    fflush(stdout);
    int64_t before_us = mono_now().us;
    pid_t child = fork();
    if (child == 0) {
        (void)setpgid(0, 0);
        _exit(leave_one_behind());
    }
    while (waitpid(child, &status, WNOHANG) == 0 &&
           mono_now().us < before_us + 2 * PATIENCE_MS * 1000LL)
        usleep(10000);
    kill(-child, SIGKILL); /* the child's child */
    CHECK_I64(status, 0);
}

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    test_acts();
    test_text();
    test_staying();
    return test_end();
}
