/*
 * The uplink process. It never sees a packet: it gets redacted records and
 * counters, makes batches, keeps the spool, talks to the collector, and holds
 * the kernel filter, whose content it alone can change. How it comes to be is
 * in parts.c.
 *
 * A batch is closed when all readers have answered a mark: their flows and
 * counters up to then are in it. A new endpoint list (SIGHUP) is in force in
 * the readers before the kernel lets its packets pass, and flows of endpoints
 * that are gone end in a batch of the old list.
 */
#include "probe/probe_run.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/digest.h"
#include "common/crypto/tls.h"
#include "common/durable.h"
#include "common/program.h"
#include "probe/capture/capture.h"
#include "probe/capture/filter.h"
#include "probe/meter/flow_table.h"
#include "probe/parts.h"
#include "probe/process/exporter.h"
#include "probe/process/process.h"
#include "probe/process/readers.h"
#include "probe/state/probe_config.h"
#include "probe/state/probe_metrics.h"
#include "probe/state/probe_number.h"
#include "probe/state/status.h"
#include "probe/uplink/spool.h"
#include "probe/uplink/uplink.h"

enum {
    TICK_MS = 500,
    STATUS_PERIOD_S = 10,
    ANSWER_WAIT_S = 60, /* for the readers */
    /* Together below TimeoutStopSec of the service, or the last batch is lost. */
    STOP_WAIT_S = 10, /* for the readers */
    FAREWELL_S = 5,   /* for the last batch */
    /* Batches in a period that are full before its end. Past it records are
     * dropped and their packets counted as such, so that a reader that floods us
     * cannot push older evidence out of the spool. */
    EARLY_BATCHES_MAX = 4,
};

struct run {
    struct parts parts;
    struct endpoint_list *next_endpoints; /* the readers are taking it */
    int next_fd;                          /* its bytes */
    struct buffer next_text;              /* the same, of a sent list */
    bool next_is_sent;                    /* it came through the collector */
    uint64_t memory_peak_bytes;
    /* What has been told in batches so far, of each of probe_numbers. */
    uint64_t told[PROBE_NUMBERS_MAX];
    uint64_t told_serial, told_refusals;      /* of lists, in the status */
    struct batch_loss losses[BATCH_LOSS_MAX]; /* that the next batch tells */
    enum clock_quality clock_quality;         /* as last told */
    uint8_t challenge[CHALLENGE_LEN];         /* the last that a batch named */
    struct mono_time challenge_named;
    uint64_t challenge_sequence; /* of that batch */
    uint64_t early_batches;      /* in this period */
    uint64_t
        refused_packets; /* of records without room, since the last batch */
    uint64_t mark;
    struct mono_time opened, last_batch, next_batch, next_status, next_tick;
    struct mono_time answer_end; /* of what was asked; 0: nothing was */
    struct stat certificate;     /* its file, as last read; inode 0: not yet */
    bool is_stopping, has_stopped;
    bool status_failed, disk_failed, has_failed;
};

static void fail(struct run *r, const char *reason)
{
    if (!r->has_failed)
        log_error("%s", reason);
    r->has_failed = true;
}

/* --- status --- */

/* Of all interfaces. */
static struct capture_counters sum_captures(const struct run *r,
                                            const struct reader_counters *c)
{
    struct capture_counters sum = {0};
    for (size_t i = 0; i < r->parts.config.interface_count; i++) {
        sum.received += c->captures[i].received;
        sum.dropped += c->captures[i].dropped;
        sum.delivered += c->captures[i].delivered;
    }
    return sum;
}

/* What status and metrics say; it points into *r and to the arrays. */
struct status_parts {
    struct probe_interface interfaces[READER_INTERFACES_MAX];
    struct sandbox_report processes[READERS_MAX + 2];
    size_t process_count;
};

static void fill_parts(struct run *r, const struct reader_counters *c,
                       struct status_parts *parts)
{
    size_t readers = readers_count(r->parts.readers);
    for (size_t i = 0; i < r->parts.config.interface_count; i++)
        parts->interfaces[i] = (struct probe_interface){
            .name = r->parts.config.interfaces[i],
            .link_type = capture_link_name(r->parts.captures[i]),
            .received = c->captures[i].received,
            .dropped = c->captures[i].dropped};
    for (size_t i = 0; i < readers; i++)
        parts->processes[i] = *readers_report(r->parts.readers, i);
    parts->processes[readers] = r->parts.sandbox;
    parts->process_count = readers + 1;
    if (r->parts.renewer != NULL)
        parts->processes[parts->process_count++] =
            *renewer_report(r->parts.renewer);
}

/* The same moment by the wall clock as it stands now; 0 stays 0. */
static struct wall_time moment_of(struct mono_time then, struct mono_time mono,
                                  struct wall_time now)
{
    return (struct wall_time){then.us == 0 ? 0 : now.us - (mono.us - then.us)};
}

static struct probe_status status_of(struct run *r, struct wall_time now,
                                     struct status_parts *parts)
{
    struct mono_time mono = mono_now();
    struct uplink_status uplink = uplink_status(r->parts.uplink);
    struct process_facts facts;
    struct reader_counters c = readers_counters(r->parts.readers);
    fill_parts(r, &c, parts);
    (void)process_read(r->parts.status_fd, &facts);
    uint64_t memory_bytes = facts.memory_bytes + c.memory_bytes;
    if (memory_bytes > r->memory_peak_bytes)
        r->memory_peak_bytes = memory_bytes;
    return (struct probe_status){
        .probe_id = r->parts.config.probe_id,
        .interface = r->parts.config.interface,
        .link_type = capture_link_name(r->parts.captures[0]),
        .pid = (uint32_t)getpid(),
        .started = r->parts.started,
        .now = now,
        .interfaces = parts->interfaces,
        .interface_count = r->parts.config.interface_count,
        .filter_kind = filter_kind(r->parts.filter),
        .looks_through = filter_looks_through(r->parts.filter),
        .rules = filter_rule_count(r->parts.filter),
        .registry_version = endpoint_list_version(r->parts.endpoints),
        .kernel = filter_counters(r->parts.filter),
        .capture = sum_captures(r, &c),
        .meter = c.meter,
        .duplicates = c.meter.duplicates,
        .memory_rss_bytes = memory_bytes,
        .memory_peak_bytes = r->memory_peak_bytes,
        .flow_limit = r->parts.config.flow_limit,
        .flow_table_bytes = r->parts.config.flow_limit *
                            flow_table_flow_bytes(r->parts.config.flow_limit),
        .batches_made = exporter_sequence(r->parts.exporter),
        .spool = spool_totals(r->parts.spool),
        .disk_fault = r->disk_failed ? spool_error(r->parts.spool) : NULL,
        .receipts = receipts_view(r->parts.receipts),
        .uplink = uplink,
        .uplink_fault_time = moment_of(uplink.fault_time, mono, now),
        .uplink_next = moment_of(uplink.next_attempt, mono, now),
        .side = return_side_status(r->parts.side, mono),
        .challenge_named = moment_of(r->challenge_named, mono, now),
        .challenge_sequence = r->challenge_sequence,
        .certificate_begin = tls_context_begins(r->parts.tls),
        .certificate_end = tls_context_expires(r->parts.tls),
        .clock_quality = exporter_clock_quality(),
        .processes = parts->processes,
        .process_count = parts->process_count,
        .renewal =
            r->parts.renewer == NULL ? NULL : renewer_state(r->parts.renewer),
    };
}

/* --- flows and batches --- */

/* Fills in what the numbers grew by, and gives what they are in `now`. */
static void count_period(const struct run *r, const struct probe_status *s,
                         uint64_t now[static PROBE_NUMBERS_MAX],
                         struct exporter_period *period)
{
    for (size_t i = 0; i < probe_number_count; i++) {
        const struct probe_number *n = &probe_numbers[i];
        now[i] = probe_number_value(n, s);
        uint64_t grown = now[i] - r->told[i];
        if (n->in_period != 0)
            memcpy((char *)period + n->in_period, &grown, sizeof(grown));
    }
}

static struct exporter_period period_of(struct run *r, struct wall_time wall,
                                        uint64_t now[static PROBE_NUMBERS_MAX])
{
    struct status_parts parts;
    struct probe_status s = status_of(r, wall, &parts);
    struct exporter_period period = {
        .clock_quality = s.clock_quality,
        .elapsed_ms = (mono_now().us - r->last_batch.us) / 1000,
        .losses = r->losses,
        .loss_count = spool_losses(r->parts.spool, r->losses),
        .clock_offset_ms = s.side.clock_offset_ms,
    };
    memcpy(period.challenge, s.side.challenge, CHALLENGE_LEN);
    count_period(r, &s, now, &period);
    period.packets_dropped += r->refused_packets;
    return period;
}

/* Once a batch at most: what an administrator should do something about. */
static void tell_losses(struct run *r, const struct exporter_period *p)
{
    for (size_t i = 0; i < probe_number_count; i++) {
        const struct probe_number *n = &probe_numbers[i];
        uint64_t grown = 0;
        if (n->in_period != 0)
            memcpy(&grown, (const char *)p + n->in_period, sizeof(grown));
        if (n->warning != NULL && grown > 0)
            log_warn("%" PRIu64 " %s", grown, n->warning);
    }
    if (p->loss_count > 0)
        log_warn("batches are lost: the spool was full or damaged; this batch "
                 "says which");
    if (p->clock_quality != r->clock_quality)
        log_info("clock: %s", status_clock_text(p->clock_quality));
    r->clock_quality = p->clock_quality;
}

/* A challenge counts as answered by the first batch that names it. */
static void note_challenge(struct run *r, const struct exporter_period *p)
{
    static const uint8_t none[CHALLENGE_LEN];
    if (memcmp(p->challenge, none, CHALLENGE_LEN) == 0 ||
        memcmp(p->challenge, r->challenge, CHALLENGE_LEN) == 0)
        return;
    memcpy(r->challenge, p->challenge, CHALLENGE_LEN);
    r->challenge_named = r->last_batch;
    r->challenge_sequence = exporter_sequence(r->parts.exporter);
}

static void close_batch(struct run *r, struct wall_time now)
{
    struct buffer batch = {0};
    struct digest hash;
    uint64_t told[PROBE_NUMBERS_MAX];
    struct exporter_period period = period_of(r, now, told);
    if (!exporter_finish(r->parts.exporter, &period, now, &batch, &hash)) {
        log_error("no memory for a batch; its flows go into the next one");
        return;
    }
    memcpy(r->told, told, sizeof(r->told));
    r->last_batch = mono_now();
    r->refused_packets = 0;
    note_challenge(r, &period);
    tell_losses(r, &period);
    log_debug("batch %" PRIu64 ": %zu bytes",
              exporter_sequence(r->parts.exporter), batch.length);
    if (!spool_add(r->parts.spool, &batch, hash) && !r->disk_failed) {
        log_error("%s; batches wait in memory until it can",
                  spool_error(r->parts.spool));
        r->disk_failed = true;
    }
}

static void on_flow(void *context, const struct flow_record *record)
{
    struct run *r = context;
    struct wall_time now = wall_now();
    if (exporter_add_record(r->parts.exporter, record, now))
        return;
    if (r->early_batches == EARLY_BATCHES_MAX) {
        r->refused_packets += record->packets + record->rpackets;
        return;
    }
    r->early_batches++;
    close_batch(r, now); /* full before its time */
    if (!exporter_add_record(r->parts.exporter, record, now))
        log_error("a flow could not be put into a batch");
}

/* All readers have answered. */
static void on_marked(void *context, uint64_t mark)
{
    struct run *r = context;
    (void)mark;
    r->answer_end.us = 0;
    r->has_stopped = r->is_stopping;
    r->early_batches = 0;
    close_batch(r, wall_now());
}

static bool is_waiting(const struct run *r)
{
    return r->answer_end.us != 0;
}

static void wait_for_answer(struct run *r, struct mono_time now)
{
    r->answer_end = mono_later(now, ANSWER_WAIT_S * 1000LL);
}

static void ask_for_batch(struct run *r, struct mono_time now)
{
    if (!readers_mark(r->parts.readers, ++r->mark))
        fail(r, "reader: cannot be asked");
    wait_for_answer(r, now);
}

/* --- a new endpoint list --- */

static bool give_list(struct run *r, int fd, const struct endpoint_list *list,
                      struct mono_time now)
{
    wait_for_answer(r, now);
    return readers_give_list(r->parts.readers, fd, endpoint_list_version(list));
}

/* The sealed bytes behind a descriptor; *text is initialised here. */
static bool read_bytes_of(int fd, struct buffer *text)
{
    uint8_t *room;
    struct stat info;
    off_t size = fstat(fd, &info) == 0 ? info.st_size : -1;
    buffer_init(text, ENDPOINT_BYTES_MAX);
    if (size < 0 ||
        (size > 0 && (room = buffer_extend(text, (size_t)size)) == NULL))
        return false;
    for (off_t done = 0; done < size;) {
        ssize_t n = pread(fd, room + done, (size_t)(size - done), done);
        if (n <= 0)
            return false;
        done += n;
    }
    return true;
}

/* What cannot be read changes nothing. */
static void reload(struct run *r, struct mono_time now)
{
    char kept[DURABLE_PATH_LEN];
    const char *path = parts_list_path(&r->parts.config, kept);
    struct error_text error;
    struct endpoint_list *list;
    int fd;
    if (!parts_read_list(path, &list, &fd, &error)) {
        log_error("%s; the list before stays in force", error.text);
        return;
    }
    if (digest_equal(endpoint_list_version(list),
                     endpoint_list_version(r->parts.endpoints))) {
        log_info("%s: nothing has changed", path);
        endpoint_list_free(list);
        close(fd);
        return;
    }
    r->next_endpoints = list;
    r->next_fd = fd;
    if (!give_list(r, fd, list, now))
        fail(r, "reader: a list cannot be handed over");
}

/* A newer list came through the collector. It is written to the state folder
 * once it is in force; one that does not parse changes nothing. */
static void take_sent_list(struct run *r, struct mono_time now)
{
    struct buffer old, text;
    struct error_text error;
    struct endpoint_list *list = NULL;
    int fd = -1;
    bool good = read_bytes_of(r->parts.list_fd, &old) ||
                error_set(&error, "the list of endpoints in force cannot be "
                                  "read");
    buffer_init(&text, 0);
    good =
        good &&
        return_side_build(r->parts.side, buffer_slice(&old), &text, &error) &&
        parts_take_list(buffer_slice(&text), "list from the collector", &list,
                        &fd, &error);
    buffer_clear(&old);
    if (!good) {
        log_error("%s; the list before stays in force", error.text);
        buffer_clear(&text);
        return;
    }
    r->next_endpoints = list;
    r->next_fd = fd;
    r->next_text = text;
    r->next_is_sent = true;
    if (!give_list(r, fd, list, now))
        fail(r, "reader: a list cannot be handed over");
}

static void keep_sent_list(struct run *r)
{
    struct error_text error;
    if (r->next_is_sent &&
        !return_side_keep(r->parts.side, buffer_slice(&r->next_text), &error))
        log_error("%s; it is in force until the probe stops", error.text);
    buffer_clear(&r->next_text);
    r->next_is_sent = false;
}

static void exchange_lists(struct run *r, struct endpoint_list *list, int fd)
{
    endpoint_list_free(r->parts.endpoints);
    close(r->parts.list_fd);
    r->parts.endpoints = list;
    r->parts.list_fd = fd;
    exporter_set_endpoints(r->parts.exporter, list);
    return_side_set_version(r->parts.side, endpoint_list_version(list));
}

/* The kernel took the new list not: the readers get the old one back. */
static void return_list(struct run *r, const char *reason)
{
    log_error("%s; the list before stays in force", reason);
    endpoint_list_free(r->next_endpoints);
    close(r->next_fd);
    r->next_endpoints = NULL;
    buffer_clear(&r->next_text);
    r->next_is_sent = false;
    if (!give_list(r, r->parts.list_fd, r->parts.endpoints, mono_now()))
        fail(r, "reader: a list cannot be handed over");
}

/* The readers have it; what follows belongs to the new list. */
static void on_taken(void *context)
{
    struct run *r = context;
    struct error_text error;
    struct wall_time now = wall_now();
    size_t before = filter_rule_count(r->parts.filter);
    r->answer_end.us = 0;
    close_batch(r, now);
    if (r->next_endpoints == NULL) /* it was the old one again */
        return;
    if (!filter_replace(r->parts.filter, r->next_endpoints, now, &error)) {
        return_list(r, error.text);
        return;
    }
    exchange_lists(r, r->next_endpoints, r->next_fd);
    keep_sent_list(r);
    r->next_endpoints = NULL;
    log_info("endpoints: %zu rules are in force now, %zu were before",
             filter_rule_count(r->parts.filter), before);
}

/* --- telling of it --- */

static void tell_status(struct run *r, struct wall_time now)
{
    struct status_parts parts;
    struct probe_status s = status_of(r, now, &parts);
    status_write(&s, r->parts.config.state, &r->status_failed);
}

/* Made anew for each answer, since it is rarely asked for. */
static void serve_metrics(struct run *r, const struct pollfd *fds, size_t count,
                          struct mono_time now)
{
    struct status_parts parts;
    struct buffer text;
    bool is_asked = false;
    for (size_t i = 0; i < count; i++)
        is_asked = is_asked || fds[i].revents != 0;
    buffer_init(&text, METRICS_TEXT_MAX);
    if (is_asked) {
        struct probe_status s = status_of(r, wall_now(), &parts);
        probe_metrics_print(&s, &text);
    }
    const struct metrics_pages pages = {"yz-probe", &text, NULL, true};
    metrics_step(r->parts.metrics, fds, count, &pages, now);
    buffer_clear(&text);
}

/* Every packet a reader was handed must have been let through by our program;
 * the readers' counters are the older ones. */
static void check_filter(struct run *r)
{
    struct reader_counters c = readers_counters(r->parts.readers);
    struct filter_counters k = filter_counters(r->parts.filter);
    uint64_t delivered = sum_captures(r, &c).delivered;
    if (!k.is_known ||
        delivered <= k.matched_packets + r->parts.before.delivered)
        return;
    log_error("kernel filter: %" PRIu64 " packets arrived, but it let only "
              "%" PRIu64 " pass; stopping",
              delivered - r->parts.before.delivered, k.matched_packets);
    r->has_failed = true;
}

/* --- a new certificate --- */

/* Whoever put it there. A file that cannot be used is told once. */
static void follow_certificate(struct run *r)
{
    struct error_text error;
    struct stat now;
    char end[WALL_TEXT_LEN];
    if (stat(r->parts.config.certificate, &now) != 0 ||
        (now.st_ino == r->certificate.st_ino &&
         now.st_mtim.tv_sec == r->certificate.st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == r->certificate.st_mtim.tv_nsec))
        return;
    bool is_first = r->certificate.st_ino == 0;
    r->certificate = now;
    if (!parts_renew_tls(&r->parts, &error)) {
        log_error("%s; the certificate before stays in use", error.text);
        return;
    }
    if (is_first) /* it may have been exchanged since it was read at the start */
        return;
    wall_to_text(tls_context_expires(r->parts.tls), end);
    log_info("certificate: a new one is used from the next connection on, good "
             "until %s",
             end);
}

/* --- the loop --- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Everything is looked at afterwards, but for the metrics, which are served
 * here while their descriptors' answers are at hand. */
static void wait_for_work(struct run *r, struct mono_time now)
{
    struct pollfd fds[READERS_MAX + 2 + METRICS_FDS];
    struct uplink_wait w = uplink_wait(r->parts.uplink, now);
    int64_t until = earlier(w.until.us, r->next_tick.us);
    until = earlier(until, r->next_batch.us);
    int64_t valid_us = filter_valid_to(r->parts.filter).us - wall_now().us;
    until = earlier(until, now.us + earlier(valid_us, TICK_MS * 1000LL));
    int64_t wait_ms = until <= now.us ? 0 : (until - now.us + 999) / 1000;
    size_t count = readers_poll(r->parts.readers, fds);
    fds[count++] = (struct pollfd){.fd = w.fd, .events = w.events};
    fds[count++] = renewer_poll(r->parts.renewer);
    size_t asked =
        (size_t)metrics_fds(r->parts.metrics, fds + count, METRICS_FDS);
    (void)poll(fds, count + asked, (int)earlier(wait_ms, TICK_MS));
    serve_metrics(r, fds + count, asked, mono_now());
}

/* The clock may have been set, so the time is looked at in every round. */
static void follow_validity(struct run *r, struct wall_time now)
{
    struct error_text error;
    size_t before = filter_rule_count(r->parts.filter);
    struct wall_time end = filter_valid_to(r->parts.filter);
    if (!filter_keep_valid(r->parts.filter, now, &error))
        fail(r, error.text);
    else if (filter_valid_to(r->parts.filter).us != end.us)
        log_info("kernel filter: %zu rules are valid now, %zu were before",
                 filter_rule_count(r->parts.filter), before);
}

static void do_tick(struct run *r, struct mono_time now)
{
    r->next_tick = mono_later(now, TICK_MS);
    if (r->disk_failed && spool_flush(r->parts.spool) &&
        !spool_is_failing(r->parts.spool)) {
        log_info("%s: batches are on disk again", r->parts.config.state);
        r->disk_failed = false;
    }
    if (is_waiting(r) && now.us > r->answer_end.us)
        fail(r, "reader: it does not answer");
    follow_certificate(r);
}

/* A list that came or was refused is what people look for in the status. */
static bool has_news(struct run *r, struct mono_time now)
{
    struct return_status_view view = return_side_status(r->parts.side, now);
    bool has = view.registry_serial != r->told_serial ||
               view.refusals != r->told_refusals;
    r->told_serial = view.registry_serial;
    r->told_refusals = view.refusals;
    return has;
}

static void do_what_is_due(struct run *r, struct mono_time now)
{
    if (now.us >= r->next_tick.us)
        do_tick(r, now);
    if (now.us >= r->next_batch.us && !is_waiting(r)) {
        ask_for_batch(r, now);
        int64_t period_ms = (int64_t)r->parts.config.batch_period_s * 1000;
        r->next_batch = mono_later(r->next_batch, period_ms);
        if (r->next_batch.us <= now.us) /* the machine slept */
            r->next_batch = mono_later(now, period_ms);
    }
    if (has_news(r, now) || now.us >= r->next_status.us) {
        check_filter(r);
        tell_status(r, wall_now());
        r->next_status = mono_later(now, STATUS_PERIOD_S * 1000LL);
    }
}

static void step(struct run *r, struct mono_time now)
{
    struct error_text error = {"reader: it is gone"};
    if (!readers_step(r->parts.readers, &error))
        fail(r, error.text);
    renewer_step(r->parts.renewer);
    uplink_step(r->parts.uplink, now);
}

static void loop(struct run *r)
{
    struct mono_time now = mono_now();
    r->next_tick = now;
    r->next_status = now;
    r->next_batch =
        mono_later(now, (int64_t)r->parts.config.batch_period_s * 1000);
    while (!stop_requested() && !r->has_failed) {
        wait_for_work(r, now);
        now = mono_now();
        step(r, now);
        follow_validity(r, wall_now());
        if (!is_waiting(r) && reload_requested())
            reload(r, now);
        if (!is_waiting(r) && return_side_has_list(r->parts.side))
            take_sent_list(r, now);
        do_what_is_due(r, now);
    }
}

/* --- the end --- */

/* What is still in the rings and in the flow tables becomes the last batch; of
 * one reader that failed nothing, of the others all. */
static void stop_readers(struct run *r)
{
    struct mono_time now = mono_now();
    struct mono_time end = mono_later(now, STOP_WAIT_S * 1000LL);
    while (is_waiting(r) && !r->has_failed && now.us < end.us) {
        wait_for_work(r, now);
        now = mono_now();
        step(r, now);
    }
    r->is_stopping = true;
    if (!readers_stop(r->parts.readers, ++r->mark))
        return;
    while (!r->has_stopped && now.us < end.us) {
        wait_for_work(r, now);
        now = mono_now();
        step(r, now);
    }
}

/* The collector gets some seconds to take the last batch. */
static void say_farewell(struct run *r)
{
    stop_readers(r);
    if (!r->has_stopped)
        close_batch(r, wall_now());
    struct mono_time now = mono_now(),
                     end = mono_later(now, FAREWELL_S * 1000LL);
    uplink_hurry(r->parts.uplink, now);
    while (spool_count(r->parts.spool) > 0 && now.us < end.us) {
        uplink_step(r->parts.uplink, now);
        struct uplink_wait w = uplink_wait(r->parts.uplink, now);
        struct pollfd fd = {.fd = w.fd, .events = w.events};
        int64_t until = earlier(w.until.us, end.us);
        int64_t wait_ms = until <= now.us ? 0 : (until - now.us) / 1000 + 1;
        if (spool_count(r->parts.spool) > 0)
            (void)poll(&fd, 1, (int)earlier(wait_ms, TICK_MS));
        now = mono_now();
    }
    (void)spool_flush(r->parts.spool);
    if (spool_count(r->parts.spool) > 0)
        log_info("%zu batches wait for the next start",
                 spool_count(r->parts.spool));
    tell_status(r, wall_now());
}

/* --- the whole --- */

static void tell_sandbox(const struct sandbox_report *s)
{
    log_info(
        "%s (process %u): user %s, capabilities %s, no_new_privs %s, "
        "seccomp %s, Landlock %s%d%s%s",
        s->process, s->pid, s->user, s->capabilities == 0 ? "none" : "LEFT",
        s->no_new_privileges ? "yes" : "NO", s->seccomp_filter ? "yes" : "NO",
        s->landlock_abi > 0 ? "version " : "NO, ", s->landlock_abi,
        s->note[0] != '\0' ? "; " : "", s->note);
    if (!s->root_left)
        log_warn("%s: still user 0, without capabilities; name a user in the "
                 "configuration",
                 s->process);
}

static void tell_start(struct run *r)
{
    const struct parts *p = &r->parts;
    for (size_t i = 0; i < readers_count(p->readers); i++)
        tell_sandbox(readers_report(p->readers, i));
    tell_sandbox(&p->sandbox);
    if (p->renewer != NULL)
        tell_sandbox(renewer_report(p->renewer));
    log_info("interface %s (%s): %s filter with %zu rules is in force",
             p->config.interface, capture_link_name(p->captures[0]),
             filter_kind_text(filter_kind(p->filter)),
             filter_rule_count(p->filter));
}

/* What came while the filter was proved is in no batch. */
static void begin_numbers(struct run *r)
{
    const struct probe_status before = {.capture = r->parts.before};
    for (size_t i = 0; i < probe_number_count; i++)
        r->told[i] = probe_number_value(&probe_numbers[i], &before);
}

static int run(struct run *r)
{
    struct parts *p = &r->parts;
    const struct parts_callbacks callbacks = {
        .flow = on_flow, .marked = on_marked, .taken = on_taken, .context = r};
    stop_on_signals();
    reload_on_signal();
    r->clock_quality = CLOCK_SYNCHRONISED; /* what needs no line */
    r->opened = mono_now();
    int status = parts_open(p, &callbacks);
    if (status == 0) {
        begin_numbers(r);
        r->last_batch = r->opened;
        tell_start(r);
        loop(r);
        say_farewell(r);
        status = r->has_failed ? 1 : 0;
    }
    parts_close(p);
    if (r->next_endpoints != NULL)
        close(r->next_fd);
    endpoint_list_free(r->next_endpoints);
    buffer_clear(&r->next_text);
    return status;
}

int probe_run_main(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("probe");
    bool is_dry = false;
    struct error_text error;
    const struct program_option options[] = {{.name = "-c", .value = &path},
                                             {.name = "-n", .flag = &is_dry}};
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 0, 0) < 0)
        return 2;
    struct run *r = calloc(1, sizeof(*r));
    if (r == NULL)
        fatal(1, "no memory");
    int status = 2;
    if (!probe_config_read(path, &r->parts.config, &error))
        log_error("%s", error.text);
    else if (is_dry)
        status = program_print_config(probe_config_keys, probe_config_key_count,
                                      &r->parts.config);
    else {
        log_set_level((enum log_level)r->parts.config.log_level);
        status = run(r);
    }
    free(r);
    return status;
}
