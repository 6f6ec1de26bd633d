#include "probe/process/reader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "probe/process/channel.h"
#include "probe/process/process.h"
#include "probe/process/sandbox.h"

enum {
    DISPATCH_MAX = 4096,
    TICK_MS = 500,
    RING_DELAY_MS = 1000, /* packets may come so late out of the ring */
    LAST_BLOCK_MS = 150,  /* longer than the ring's time-out */
    BACKLOG_MS = 5000,    /* for what waits in the ring at the end */
    START_WAIT_MS = 60 * 1000,
};

/* What a packet's callback is told: from which interface it is. */
struct source {
    struct reader *reader;
    struct capture *capture;
    int link_type;
    unsigned point;
    struct wall_time last; /* packet */
};

struct reader {
    struct channel *channel;
    struct source sources[READER_INTERFACES_MAX];
    size_t count;
    struct endpoint_list *endpoints;
    struct meter *meter;
    uint8_t pseudonym_key[PSEUDONYM_KEY_LEN];
    int status_fd;
    struct mono_time next_tick;
    bool is_stopping, is_over;
    struct wall_time stop; /* packets from then on need not be counted */
};

/* --- out --- */

/* The other end is gone: nobody is left to count for. */
static void send_message(struct reader *r, enum channel_type type,
                         const void *data, size_t length)
{
    if (!channel_send(r->channel, type, data, length))
        r->is_over = true;
}

static void fail(struct reader *r, const char *reason)
{
    send_message(r, CHANNEL_FAILED, reason, strlen(reason));
    (void)channel_flush(r->channel);
    r->is_over = true;
}

static void send_counters(struct reader *r, uint64_t mark)
{
    struct process_facts facts;
    struct reader_counters c = {.mark = mark,
                                .meter = *meter_counters(r->meter)};
    for (size_t i = 0; i < r->count; i++)
        c.captures[i] = capture_counters(r->sources[i].capture);
    (void)process_read(r->status_fd, &facts);
    c.memory_bytes = facts.memory_bytes;
    send_message(r, CHANNEL_COUNTERS, &c, sizeof(c));
}

static void on_flow(void *context, const struct flow *flow)
{
    struct reader *r = context;
    struct flow_record record;
    if (exporter_redact(flow, r->endpoints, r->pseudonym_key, &record))
        send_message(r, CHANNEL_FLOW, &record, sizeof(record));
}

/* --- in --- */

static void on_packet(void *context, const struct capture_packet *p)
{
    struct source *s = context;
    s->last = p->when;
    meter_packet(s->reader->meter, s->link_type, p->data, p->captured,
                 p->length, p->when, s->point);
}

static void read_packets(struct reader *r)
{
    for (size_t i = 0; i < r->count && !r->is_over; i++) {
        struct source *s = &r->sources[i];
        if (capture_dispatch(s->capture, DISPATCH_MAX, on_packet, s) ==
            CAPTURE_FAILED)
            fail(r, capture_error(s->capture));
    }
}

/* Until something is there to read, or for a while. True when packets wait
 * that may be older than the stop. */
static bool wait_for_work(struct reader *r, int timeout_ms)
{
    bool is_behind = false;
    struct pollfd fds[READER_INTERFACES_MAX + 1];
    for (size_t i = 0; i < r->count; i++)
        fds[i] = (struct pollfd){.fd = capture_fd(r->sources[i].capture),
                                 .events = POLLIN};
    fds[r->count] =
        (struct pollfd){.fd = channel_fd(r->channel), .events = POLLIN};
    if (channel_has_queued(r->channel))
        fds[r->count].events |= POLLOUT;
    (void)poll(fds, r->count + 1, timeout_ms);
    for (size_t i = 0; i < r->count; i++)
        is_behind = is_behind ||
                    (fds[i].revents != 0 && r->sources[i].last.us < r->stop.us);
    return is_behind;
}

/* A block of the ring is handed over when it is full or its time is up. There
 * may be many, when we are late. */
static void stop(struct reader *r)
{
    struct mono_time now = mono_now(), end = mono_later(now, LAST_BLOCK_MS);
    struct mono_time backlog_end = mono_later(now, BACKLOG_MS);
    bool is_behind = false;
    r->is_stopping = true;
    r->stop = wall_now();
    while (!r->is_over &&
           (now.us < end.us || (is_behind && now.us < backlog_end.us))) {
        is_behind = wait_for_work(r, 10);
        read_packets(r);
        now = mono_now();
    }
    meter_flush(r->meter);
}

/* --- a new endpoint list --- */

static bool read_list(int fd, struct buffer *text)
{
    struct stat info;
    buffer_init(text, ENDPOINT_BYTES_MAX);
    if (fstat(fd, &info) != 0 || info.st_size > ENDPOINT_BYTES_MAX)
        return false;
    uint8_t *at = buffer_extend(text, (size_t)info.st_size);
    for (size_t done = 0; at != NULL && done < (size_t)info.st_size;) {
        ssize_t n =
            pread(fd, at + done, (size_t)info.st_size - done, (off_t)done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return at != NULL || info.st_size == 0;
}

static void take_list(struct reader *r)
{
    struct buffer text;
    struct error_text error = {"no bytes came"};
    int fd = channel_take_fd(r->channel);
    struct endpoint_list *list = NULL;
    if (read_list(fd, &text))
        list = endpoint_list_parse(buffer_slice(&text), "endpoints", &error);
    buffer_clear(&text);
    if (fd >= 0)
        close(fd);
    if (list == NULL) {
        fail(r, error.text);
        return;
    }
    meter_set_endpoints(r->meter, list);
    endpoint_list_free(r->endpoints);
    r->endpoints = list;
    struct digest version = endpoint_list_version(list);
    send_message(r, CHANNEL_TAKEN, &version, sizeof(version));
}

/* --- messages --- */

static void take_message(struct reader *r, const struct channel_message *m)
{
    uint64_t mark = 0;
    switch (m->type) {
    case CHANNEL_MARK:
    case CHANNEL_STOP:
        if (m->length != sizeof(mark))
            break;
        memcpy(&mark, m->data, sizeof(mark));
        if (m->type == CHANNEL_STOP)
            stop(r);
        send_counters(r, mark);
        return;
    case CHANNEL_LIST:
        take_list(r);
        return;
    default:
        break;
    }
    fail(r, "an unknown message");
}

static void take_messages(struct reader *r)
{
    struct channel_message m;
    enum channel_status status = CHANNEL_MESSAGE;
    while (!r->is_over && status == CHANNEL_MESSAGE) {
        status = channel_receive(r->channel, &m);
        if (status == CHANNEL_MESSAGE)
            take_message(r, &m);
    }
    if (status == CHANNEL_CLOSED || status == CHANNEL_BROKEN)
        r->is_over = true;
}

static void tick(struct reader *r)
{
    struct mono_time now = mono_now();
    if (now.us < r->next_tick.us)
        return;
    r->next_tick = mono_later(now, TICK_MS);
    meter_advance(r->meter,
                  (struct wall_time){wall_now().us - RING_DELAY_MS * 1000LL});
    send_counters(r, 0);
}

static void loop(struct reader *r)
{
    while (!r->is_over) {
        (void)wait_for_work(r, TICK_MS);
        if (!r->is_stopping)
            read_packets(r);
        take_messages(r);
        if (!r->is_stopping)
            tick(r);
        if (!channel_flush(r->channel))
            r->is_over = true;
    }
}

/* --- start --- */

/* SIGTERM and SIGINT are for the uplink process, which tells us in time. */
static void leave_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
}

static bool open_reader(struct reader *r, const struct reader_options *o,
                        int fd, struct error_text *error)
{
    r->channel = channel_new(fd);
    if (r->channel == NULL)
        return error_set(error, "no memory");
    channel_accept_fds(r->channel);
    r->endpoints = o->endpoints;
    r->count = o->count;
    for (size_t i = 0; i < o->count; i++)
        r->sources[i] =
            (struct source){.reader = r,
                            .capture = o->captures[i],
                            .link_type = capture_link_type(o->captures[i]),
                            .point = (unsigned)i};
    r->meter = meter_new(&o->meter, r->endpoints, on_flow, r, error);
    r->status_fd = process_open();
    return r->meter != NULL;
}

static bool enter_sandbox(struct reader *r, const struct reader_options *o,
                          struct error_text *error)
{
    struct reader_ready ready = {0};
    struct sandbox_options sandbox = {.role = SANDBOX_READER,
                                      .user = o->user,
                                      .state = "",
                                      .channel_fd = channel_fd(r->channel)};
    if (!sandbox_leave_root(&sandbox, error) ||
        !sandbox_enter(&sandbox, r->status_fd, &ready.sandbox, error))
        return false;
    ready.sandbox.process = NULL;
    send_message(r, CHANNEL_READY, &ready, sizeof(ready));
    return channel_flush(r->channel);
}

/* No packet is looked at before the key is there. */
static bool wait_for_start(struct reader *r)
{
    struct channel_message m;
    struct pollfd fd = {.fd = channel_fd(r->channel), .events = POLLIN};
    enum channel_status status = CHANNEL_NOTHING;
    while (status == CHANNEL_NOTHING && poll(&fd, 1, START_WAIT_MS) > 0)
        status = channel_receive(r->channel, &m);
    if (status != CHANNEL_MESSAGE || m.type != CHANNEL_START ||
        m.length != sizeof(struct reader_start))
        return false;
    memcpy(r->pseudonym_key, m.data, sizeof(r->pseudonym_key));
    return true;
}

/* _exit(): the buffers of standard output and the like are the parent's. */
void reader_run(const struct reader_options *options, int fd)
{
    struct reader r = {0};
    struct error_text error = {{0}};
    leave_signals();
    if (!open_reader(&r, options, fd, &error) ||
        !enter_sandbox(&r, options, &error)) {
        if (r.channel != NULL)
            fail(&r, error.text);
        _exit(1);
    }
    if (wait_for_start(&r))
        loop(&r);
    _exit(0);
}
