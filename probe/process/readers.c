#include "probe/process/readers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/process/channel.h"

enum {
    READY_WAIT_MS = 30 * 1000,
    END_WAIT_MS = 2000,
    MESSAGES_MAX = 20000, /* of one reader in one step */
    REASON_MAX = 200,
};

struct one {
    pid_t pid;
    struct channel *channel;
    struct sandbox_report report;
    struct reader_counters counters;
    bool is_ready, has_answered, has_taken, has_ended;
};

struct readers {
    struct readers_options options;
    struct one list[READERS_MAX];
    size_t count;
    uint64_t mark; /* that is waited for; 0: none */
    bool has_begun, is_giving, is_stopping;
    struct digest version; /* of the list that is given */
};

/* --- start --- */

/* In the child: what belongs to the other workers is closed. */
static void run_child(const struct readers_options *o, size_t worker, int fd)
{
    struct reader_options reader = {.captures =
                                        o->captures + worker * o->interfaces,
                                    .count = o->interfaces,
                                    .endpoints = o->endpoints,
                                    .meter = o->meter,
                                    .user = o->user};
    reader.meter.flow_limit =
        (o->meter.flow_limit + o->workers - 1) / o->workers;
    for (size_t i = 0; i < o->workers * o->interfaces; i++)
        if (i / o->interfaces != worker)
            capture_close(o->captures[i]);
    o->forked(o->forked_context);
    reader_run(&reader, fd);
}

/* What the captures have counted so far, for as long as the reader has told
 * nothing. Read before the fork: reading takes it from the kernel. */
static void count_before(struct readers *r, size_t worker)
{
    const struct readers_options *o = &r->options;
    for (size_t i = 0; i < o->interfaces; i++)
        r->list[worker].counters.captures[i] =
            capture_counters(o->captures[worker * o->interfaces + i]);
}

static bool start_one(struct readers *r, size_t worker,
                      struct error_text *error)
{
    struct one *one = &r->list[worker];
    int fds[2];
    if (!channel_pair(fds))
        return error_set(error, "reader: %s", strerror(errno));
    count_before(r, worker);
    one->pid = fork();
    if (one->pid == 0) {
        close(fds[0]);
        for (size_t i = 0; i < worker; i++)
            close(channel_fd(r->list[i].channel));
        run_child(&r->options, worker, fds[1]);
    }
    int reason = errno;
    close(fds[1]);
    if (one->pid < 0) {
        close(fds[0]);
        return error_set(error, "reader: %s", strerror(reason));
    }
    r->count++;
    one->channel = channel_new(fds[0]);
    return one->channel != NULL || error_set(error, "reader: no memory");
}

static bool are_ready(const struct readers *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->list[i].is_ready)
            return false;
    return true;
}

static bool wait_ready(struct readers *r, struct error_text *error)
{
    struct pollfd fds[READERS_MAX];
    int64_t end = mono_now().us + READY_WAIT_MS * 1000LL;
    while (!are_ready(r)) {
        if (mono_now().us > end)
            return error_set(error, "reader: it does not start");
        (void)poll(fds, readers_poll(r, fds), 100);
        if (!readers_step(r, error))
            return false;
    }
    return true;
}

struct readers *readers_start(const struct readers_options *options,
                              struct error_text *error)
{
    struct readers *r = calloc(1, sizeof(*r));
    bool good = r != NULL && options->workers <= READERS_MAX;
    if (!good)
        error_set(error, "reader: no memory");
    else
        r->options = *options;
    for (size_t i = 0; good && i < options->workers; i++)
        good = start_one(r, i, error);
    if (good && wait_ready(r, error))
        return r;
    readers_free(r);
    return NULL;
}

/* --- end --- */

/* Waits for the end of a child up to `end`; kills it then. False when it is
 * still there: as another user's process it cannot be killed without root. The
 * service manager does that when we end, so we must. */
static bool reap(struct one *one, struct mono_time end, int *status)
{
    pid_t pid = one->pid, got;
    one->pid = 0;
    while ((got = waitpid(pid, status, WNOHANG)) == 0 && mono_now().us < end.us)
        (void)poll(NULL, 0, 5);
    if (got == 0 && kill(pid, SIGKILL) == 0)
        got = waitpid(pid, status, 0);
    return got == pid;
}

void readers_free(struct readers *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++) {
        channel_free(r->list[i].channel); /* it sees that and ends */
        r->list[i].channel = NULL;
    }
    struct mono_time end = {mono_now().us + END_WAIT_MS * 1000LL};
    for (size_t i = 0; i < r->count; i++) {
        pid_t pid = r->list[i].pid;
        int status;
        if (pid > 0 && !reap(&r->list[i], end, &status))
            log_error("reader (process %d): it does not end, and cannot be "
                      "killed without root",
                      (int)pid);
    }
    free(r);
}

static bool tell_end(struct one *one, struct error_text *error)
{
    struct mono_time end = {mono_now().us + END_WAIT_MS * 1000LL};
    int status, pid = (int)one->pid;
    if (!reap(one, end, &status))
        return error_set(error,
                         "reader (process %d): it closed its channel "
                         "and does not end",
                         pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return error_set(error, "reader: ended by the kernel for a system call "
                                "that it may not make");
    if (WIFSIGNALED(status))
        return error_set(error, "reader: ended by signal %d", WTERMSIG(status));
    return error_set(error, "reader: ended with status %d",
                     WEXITSTATUS(status));
}

/* --- messages --- */

static bool take_ready(struct one *one, const struct channel_message *m)
{
    struct reader_ready ready;
    if (m->length != sizeof(ready) || one->is_ready)
        return false;
    memcpy(&ready, m->data, sizeof(ready));
    one->report = ready.sandbox;
    one->report.process = "reader";
    one->report.pid = (uint32_t)one->pid;
    one->report.user[sizeof(one->report.user) - 1] = '\0';
    one->report.note[sizeof(one->report.note) - 1] = '\0';
    one->is_ready = true;
    return true;
}

static bool take_flow(struct readers *r, const struct channel_message *m)
{
    struct flow_record record;
    if (m->length != sizeof(record) || !r->has_begun)
        return false;
    memcpy(&record, m->data, sizeof(record));
    if (!flow_record_is_valid(&record))
        return false;
    r->options.flow(r->options.context, &record);
    return true;
}

static void answer_mark(struct readers *r)
{
    uint64_t mark = r->mark;
    for (size_t i = 0; i < r->count; i++)
        if (!r->list[i].has_answered)
            return;
    r->mark = 0;
    r->options.marked(r->options.context, mark);
}

/* The sum of all readers and interfaces has to fit into a batch. */
static bool is_higher(uint64_t before, uint64_t now)
{
    return before <= now &&
           now <= INT64_MAX / (READERS_MAX * READER_INTERFACES_MAX);
}

/* Those that are told in batches, as differences. */
static bool have_grown(const struct reader_counters *before,
                       const struct reader_counters *now)
{
    bool good = is_higher(before->meter.evicted, now->meter.evicted);
    for (size_t i = 0; i < READER_INTERFACES_MAX; i++)
        good = good &&
               is_higher(before->captures[i].received,
                         now->captures[i].received) &&
               is_higher(before->captures[i].dropped, now->captures[i].dropped);
    return good;
}

static bool take_counters(struct readers *r, struct one *one,
                          const struct channel_message *m)
{
    struct reader_counters now;
    if (m->length != sizeof(now))
        return false;
    memcpy(&now, m->data, sizeof(now));
    if (!have_grown(&one->counters, &now))
        return false;
    one->counters = now;
    if (now.mark == 0 || now.mark < r->mark) /* of an order before this one */
        return true;
    if (one->counters.mark != r->mark || one->has_answered)
        return false;
    one->has_answered = true;
    one->has_ended = r->is_stopping;
    answer_mark(r);
    return true;
}

static bool take_version(struct readers *r, struct one *one,
                         const struct channel_message *m)
{
    struct digest version;
    if (m->length != sizeof(version) || !r->is_giving || one->has_taken)
        return false;
    memcpy(&version, m->data, sizeof(version));
    if (!digest_equal(version, r->version))
        return false;
    one->has_taken = true;
    for (size_t i = 0; i < r->count; i++)
        if (!r->list[i].has_taken)
            return true;
    r->is_giving = false;
    r->options.taken(r->options.context);
    return true;
}

static bool take_failure(const struct channel_message *m,
                         struct error_text *error)
{
    int length = m->length < REASON_MAX ? (int)m->length : REASON_MAX;
    return error_set(error, "reader: %.*s", length, (const char *)m->data);
}

static bool take(struct readers *r, struct one *one,
                 const struct channel_message *m, struct error_text *error)
{
    bool good = false;
    switch (m->type) {
    case CHANNEL_READY:
        good = take_ready(one, m);
        break;
    case CHANNEL_FLOW:
        good = take_flow(r, m);
        break;
    case CHANNEL_COUNTERS:
        good = take_counters(r, one, m);
        break;
    case CHANNEL_TAKEN:
        good = take_version(r, one, m);
        break;
    case CHANNEL_FAILED:
        return take_failure(m, error);
    default:
        break;
    }
    return good || error_set(error, "reader: it sent what it may not");
}

static bool step_one(struct readers *r, struct one *one,
                     struct error_text *error)
{
    struct channel_message m;
    for (int i = 0; i < MESSAGES_MAX && !one->has_ended; i++) {
        switch (channel_receive(one->channel, &m)) {
        case CHANNEL_MESSAGE:
            if (!take(r, one, &m, error))
                return false;
            break;
        case CHANNEL_NOTHING:
            return true;
        case CHANNEL_CLOSED:
            return tell_end(one, error);
        case CHANNEL_BROKEN:
            return error_set(error, "reader: it sent what is no message");
        }
    }
    return true;
}

/* The others are not to wait for it. */
static void lose(struct readers *r, struct one *one)
{
    one->has_ended = one->has_answered = true;
    if (r->is_stopping && r->mark != 0)
        answer_mark(r);
}

bool readers_step(struct readers *r, struct error_text *error)
{
    bool good = true;
    for (size_t i = 0; i < r->count; i++) {
        struct one *one = &r->list[i];
        if (one->has_ended || (step_one(r, one, good ? error : NULL) &&
                               channel_flush(one->channel)))
            continue;
        good = false;
        lose(r, one);
    }
    return good;
}

size_t readers_poll(const struct readers *r, struct pollfd *fds)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct one *one = &r->list[i];
        if (one->has_ended)
            continue;
        fds[n] =
            (struct pollfd){.fd = channel_fd(one->channel), .events = POLLIN};
        if (channel_has_queued(one->channel))
            fds[n].events |= POLLOUT;
        n++;
    }
    return n;
}

/* --- what they are told --- */

static bool tell_all(struct readers *r, enum channel_type type,
                     const void *data, size_t length)
{
    bool good = true;
    for (size_t i = 0; i < r->count; i++) {
        const struct one *one = &r->list[i];
        bool is_told =
            one->has_ended || (channel_send(one->channel, type, data, length) &&
                               channel_flush(one->channel));
        good = good && is_told;
    }
    return good;
}

bool readers_begin(struct readers *r,
                   const uint8_t key[static PSEUDONYM_KEY_LEN])
{
    struct reader_start start;
    r->has_begun = true;
    memcpy(start.pseudonym_key, key, PSEUDONYM_KEY_LEN);
    bool good = tell_all(r, CHANNEL_START, &start, sizeof(start));
    explicit_bzero(&start, sizeof(start));
    return good;
}

static bool ask(struct readers *r, enum channel_type type, uint64_t mark)
{
    r->mark = mark;
    for (size_t i = 0; i < r->count; i++)
        r->list[i].has_answered = r->list[i].has_ended;
    return tell_all(r, type, &mark, sizeof(mark));
}

bool readers_mark(struct readers *r, uint64_t mark)
{
    return ask(r, CHANNEL_MARK, mark);
}

bool readers_stop(struct readers *r, uint64_t mark)
{
    bool is_one_left = false;
    for (size_t i = 0; i < r->count; i++)
        is_one_left = is_one_left || !r->list[i].has_ended;
    r->is_stopping = true;
    (void)ask(r, CHANNEL_STOP, mark); /* who is gone shows in the next step */
    return is_one_left;
}

bool readers_give_list(struct readers *r, int fd, struct digest version)
{
    bool good = true;
    r->is_giving = true;
    r->version = version;
    for (size_t i = 0; i < r->count; i++) {
        r->list[i].has_taken = false;
        good = good && channel_send_fd(r->list[i].channel, CHANNEL_LIST, fd);
    }
    return good;
}

/* --- what is known of them --- */

size_t readers_count(const struct readers *r)
{
    return r->count;
}

const struct sandbox_report *readers_report(const struct readers *r,
                                            size_t index)
{
    return &r->list[index].report;
}

static void add_counters(struct reader_counters *sum,
                         const struct reader_counters *c, size_t interfaces)
{
    meter_counters_add(&sum->meter, &c->meter);
    for (size_t i = 0; i < interfaces; i++) {
        sum->captures[i].received += c->captures[i].received;
        sum->captures[i].dropped += c->captures[i].dropped;
        sum->captures[i].delivered += c->captures[i].delivered;
    }
    sum->memory_bytes += c->memory_bytes;
}

struct reader_counters readers_counters(const struct readers *r)
{
    struct reader_counters sum = {0};
    for (size_t i = 0; i < r->count; i++)
        add_counters(&sum, &r->list[i].counters, r->options.interfaces);
    return sum;
}
