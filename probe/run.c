/*
 * Start: configuration and captures are opened with the rights we were given;
 * the kernel filter is proved; the readers are forked (reader.h) before any key
 * is in memory; then come the keys, and rights are dropped; only then are files
 * of our own touched and packets looked at.
 *
 * This process, the uplink, never sees a packet: it gets redacted records and
 * counters, makes batches, keeps the spool, talks to the collector, and holds
 * the kernel filter, whose content it alone can change.
 *
 * A batch is closed when all readers have answered a mark: their flows and
 * counters up to then are in it. A new endpoint list (SIGHUP) is in force in
 * the readers before the kernel lets its packets pass, and flows of endpoints
 * that are gone end in a batch of the old list.
 */
#include "probe/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/filter.h"
#include "common/digest.h"
#include "common/program.h"
#include "common/sign.h"
#include "common/tls.h"
#include "meter/flow_table.h"
#include "meter/meter.h"
#include "probe/durable.h"
#include "probe/exporter.h"
#include "probe/metrics.h"
#include "probe/probe_config.h"
#include "probe/process.h"
#include "probe/readers.h"
#include "probe/sandbox.h"
#include "probe/spool.h"
#include "probe/status.h"
#include "probe/uplink.h"

enum {
    TICK_MS = 500,
    STATUS_PERIOD_S = 10,
    ANSWER_WAIT_S = 60, /* for the readers */
    /* Together below TimeoutStopSec of the service, or the last batch is lost. */
    STOP_WAIT_S = 10, /* for the readers */
    FAREWELL_S = 5,   /* for the last batch */
    ANSWER_TIMEOUT_S = 30,
    PAUSE_MIN_MS = 1000,
    PAUSE_MAX_MS = 300 * 1000,
    DNS_PORT = 53,
    LIST_BYTES_MAX = 256 * 1024 * 1024,
    CAPTURES_MAX = READERS_MAX * READER_INTERFACES_MAX,
};

/* What has been told in batches so far. */
struct told {
    uint64_t received, dropped, evicted;
};

struct run {
    struct probe_config config;
    struct endpoint_list *endpoints;
    struct endpoint_list *next_endpoints; /* the readers are taking it */
    int list_fd, next_fd;                 /* the bytes of both */
    struct sign_key *key;
    enum sign_algorithm receipt_algorithm;
    uint8_t receipt_key[SIGN_PUBLIC_MAX];
    size_t receipt_key_length;
    struct tls_context *tls;
    struct digest software_hash;
    struct capture *captures[CAPTURES_MAX]; /* by worker, then interface */
    size_t capture_count;
    struct filter *filter;
    struct readers *readers;
    struct exporter *exporter;
    struct spool *spool;
    struct uplink *uplink;
    struct metrics_server *metrics;
    int status_fd;
    uint64_t memory_peak_bytes;
    struct sandbox_report sandbox;
    uint64_t delivered_before; /* thrown away while proving the filter */
    struct told told;
    uint64_t lost;                    /* batches, not yet told */
    enum clock_quality clock_quality; /* as last told */
    uint64_t mark;
    struct wall_time started;
    struct mono_time next_batch, next_status, next_tick;
    struct mono_time answer_end; /* of what was asked; 0: nothing was */
    bool is_stopping, has_stopped;
    bool status_failed, disk_failed, has_failed;
};

static struct mono_time plus_ms(struct mono_time time, int64_t ms)
{
    return (struct mono_time){time.us + ms * 1000};
}

static void fail(struct run *r, const char *reason)
{
    if (!r->has_failed)
        log_error("%s", reason);
    r->has_failed = true;
}

/* --- flows and batches --- */

/* Of all interfaces. */
static struct capture_counters sum_captures(const struct run *r,
                                            const struct reader_counters *c)
{
    struct capture_counters sum = {0};
    for (size_t i = 0; i < r->config.interface_count; i++) {
        sum.received += c->captures[i].received;
        sum.dropped += c->captures[i].dropped;
        sum.delivered += c->captures[i].delivered;
    }
    return sum;
}

static struct exporter_period period_of(struct run *r, struct told *now)
{
    struct reader_counters c = readers_counters(r->readers);
    struct capture_counters sum = sum_captures(r, &c);
    *now = (struct told){sum.received, sum.dropped, c.meter.evicted};
    return (struct exporter_period){
        .clock_quality = exporter_clock_quality(),
        .packets_seen = now->received - r->told.received,
        .packets_dropped = now->dropped - r->told.dropped,
        .flows_evicted = now->evicted - r->told.evicted,
        .batches_lost = r->lost,
    };
}

/* Once a batch at most: what an administrator should do something about. */
static void tell_losses(struct run *r, const struct exporter_period *p)
{
    if (p->packets_dropped > 0)
        log_warn("the kernel dropped %" PRIu64 " of %" PRIu64 " packets since "
                 "the last batch; raise buffer_mb or workers",
                 p->packets_dropped, p->packets_seen);
    if (p->flows_evicted > 0)
        log_warn("%" PRIu64 " flows were reported early since the last batch, "
                 "for want of room; raise flow_limit",
                 p->flows_evicted);
    if (p->batches_lost > 0)
        log_warn("%" PRIu64 " batches are lost: the spool was full or damaged",
                 p->batches_lost);
    if (p->clock_quality != r->clock_quality)
        log_info("clock: %s", status_clock_text(p->clock_quality));
    r->clock_quality = p->clock_quality;
}

static void close_batch(struct run *r, struct wall_time now)
{
    struct buffer batch = {0};
    struct digest hash;
    struct told told;
    r->lost += spool_take_lost(r->spool);
    struct exporter_period period = period_of(r, &told);
    if (!exporter_finish(r->exporter, &period, now, &batch, &hash)) {
        log_error("no memory for a batch; its flows go into the next one");
        return;
    }
    r->told = told;
    r->lost = 0;
    tell_losses(r, &period);
    log_debug("batch %" PRIu64 ": %zu bytes", exporter_sequence(r->exporter),
              batch.length);
    if (!spool_add(r->spool, &batch, hash) && !r->disk_failed) {
        log_error("%s; batches wait in memory until it can",
                  spool_error(r->spool));
        r->disk_failed = true;
    }
}

static void on_flow(void *context, const struct flow_record *record)
{
    struct run *r = context;
    struct wall_time now = wall_now();
    if (exporter_add_record(r->exporter, record, now))
        return;
    close_batch(r, now); /* full before its time */
    if (!exporter_add_record(r->exporter, record, now))
        log_error("a flow could not be put into a batch");
}

/* All readers have answered. */
static void on_marked(void *context, uint64_t mark)
{
    struct run *r = context;
    (void)mark;
    r->answer_end.us = 0;
    r->has_stopped = r->is_stopping;
    close_batch(r, wall_now());
}

static bool is_waiting(const struct run *r)
{
    return r->answer_end.us != 0;
}

static void wait_for_answer(struct run *r, struct mono_time now)
{
    r->answer_end = plus_ms(now, ANSWER_WAIT_S * 1000LL);
}

static void ask_for_batch(struct run *r, struct mono_time now)
{
    if (!readers_mark(r->readers, ++r->mark))
        fail(r, "reader: cannot be asked");
    wait_for_answer(r, now);
}

/* --- a new endpoint list --- */

/* The very bytes that were parsed, for the readers, which cannot change them
 * for one another. */
static int memory_of(struct slice text)
{
    int fd = memfd_create("endpoints", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (size_t done = 0; fd >= 0 && done < text.length;) {
        ssize_t n = write(fd, text.data + done, text.length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fd >= 0 &&
        fcntl(fd, F_ADD_SEALS,
              F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool give_list(struct run *r, int fd, const struct endpoint_list *list,
                      struct mono_time now)
{
    wait_for_answer(r, now);
    return readers_give_list(r->readers, fd, endpoint_list_version(list));
}

static bool offer_list(struct run *r, struct slice text, struct mono_time now,
                       struct error_text *error)
{
    struct endpoint_list *list =
        endpoint_list_parse(text, r->config.endpoints, error);
    if (list == NULL)
        return false;
    if (digest_equal(endpoint_list_version(list),
                     endpoint_list_version(r->endpoints))) {
        log_info("%s: nothing has changed", r->config.endpoints);
        endpoint_list_free(list);
        return true;
    }
    r->next_fd = memory_of(text);
    if (r->next_fd < 0) {
        endpoint_list_free(list);
        return error_set(error, "%s: no memory", r->config.endpoints);
    }
    r->next_endpoints = list;
    if (!give_list(r, r->next_fd, list, now))
        fail(r, "reader: a list cannot be handed over");
    return true;
}

/* What cannot be read changes nothing. */
static void reload(struct run *r, struct mono_time now)
{
    struct buffer text;
    struct error_text error;
    bool good = buffer_read_file(&text, r->config.endpoints, LIST_BYTES_MAX);
    if (!good)
        error_set(&error, "%s: %s", r->config.endpoints, strerror(errno));
    if (!good || !offer_list(r, buffer_slice(&text), now, &error))
        log_error("%s; the list before stays in force", error.text);
    buffer_clear(&text);
}

static void exchange_lists(struct run *r, struct endpoint_list *list, int fd)
{
    endpoint_list_free(r->endpoints);
    close(r->list_fd);
    r->endpoints = list;
    r->list_fd = fd;
    exporter_set_registry(r->exporter, endpoint_list_version(list));
}

/* The kernel took the new list not: the readers get the old one back. */
static void return_list(struct run *r, const char *reason)
{
    log_error("%s; the list before stays in force", reason);
    endpoint_list_free(r->next_endpoints);
    close(r->next_fd);
    r->next_endpoints = NULL;
    if (!give_list(r, r->list_fd, r->endpoints, mono_now()))
        fail(r, "reader: a list cannot be handed over");
}

/* The readers have it; what follows belongs to the new list. */
static void on_taken(void *context)
{
    struct run *r = context;
    struct error_text error;
    struct wall_time now = wall_now();
    size_t before = filter_rule_count(r->filter);
    r->answer_end.us = 0;
    close_batch(r, now);
    if (r->next_endpoints == NULL) /* it was the old one again */
        return;
    if (!filter_replace(r->filter, r->next_endpoints, now, &error)) {
        return_list(r, error.text);
        return;
    }
    exchange_lists(r, r->next_endpoints, r->next_fd);
    r->next_endpoints = NULL;
    log_info("%s: %zu rules are in force now, %zu were before",
             r->config.endpoints, filter_rule_count(r->filter), before);
}

/* --- status --- */

/* What status and metrics say; it points into *r and to the arrays. */
struct status_parts {
    struct probe_interface interfaces[READER_INTERFACES_MAX];
    struct sandbox_report processes[READERS_MAX + 1];
};

static void fill_parts(struct run *r, const struct reader_counters *c,
                       struct status_parts *parts)
{
    size_t readers = readers_count(r->readers);
    for (size_t i = 0; i < r->config.interface_count; i++)
        parts->interfaces[i] = (struct probe_interface){
            .name = r->config.interfaces[i],
            .link_type = capture_link_name(r->captures[i]),
            .received = c->captures[i].received,
            .dropped = c->captures[i].dropped};
    for (size_t i = 0; i < readers; i++)
        parts->processes[i] = *readers_report(r->readers, i);
    parts->processes[readers] = r->sandbox;
}

static struct probe_status status_of(struct run *r, struct wall_time now,
                                     struct status_parts *parts)
{
    struct process_facts facts;
    struct reader_counters c = readers_counters(r->readers);
    fill_parts(r, &c, parts);
    (void)process_read(r->status_fd, &facts);
    uint64_t memory_bytes = facts.memory_bytes + c.memory_bytes;
    if (memory_bytes > r->memory_peak_bytes)
        r->memory_peak_bytes = memory_bytes;
    return (struct probe_status){
        .probe_id = r->config.probe_id,
        .interface = r->config.interface,
        .link_type = capture_link_name(r->captures[0]),
        .pid = (uint32_t)getpid(),
        .started = r->started,
        .now = now,
        .interfaces = parts->interfaces,
        .interface_count = r->config.interface_count,
        .filter_kind = filter_kind(r->filter),
        .looks_through = filter_looks_through(r->filter),
        .rules = filter_rule_count(r->filter),
        .registry_version = endpoint_list_version(r->endpoints),
        .kernel = filter_counters(r->filter),
        .capture = sum_captures(r, &c),
        .meter = c.meter,
        .duplicates = c.meter.duplicates,
        .memory_rss_bytes = memory_bytes,
        .memory_peak_bytes = r->memory_peak_bytes,
        .flow_limit = r->config.flow_limit,
        .flow_table_bytes =
            r->config.flow_limit * flow_table_flow_bytes(r->config.flow_limit),
        .batches_made = exporter_sequence(r->exporter),
        .spool = spool_totals(r->spool),
        .uplink = uplink_status(r->uplink),
        .certificate_begin = tls_context_begins(r->tls),
        .certificate_end = tls_context_expires(r->tls),
        .clock_quality = exporter_clock_quality(),
        .processes = parts->processes,
        .process_count = readers_count(r->readers) + 1,
    };
}

static void tell_status(struct run *r, struct wall_time now)
{
    struct status_parts parts;
    struct probe_status s = status_of(r, now, &parts);
    status_write(&s, r->config.state, &r->status_failed);
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
        metrics_print(&s, &text);
    }
    metrics_step(r->metrics, fds, count, &text, now);
    buffer_clear(&text);
}

/* Every packet a reader was handed must have been let through by our program;
 * the readers' counters are the older ones. */
static void check_filter(struct run *r)
{
    struct reader_counters c = readers_counters(r->readers);
    struct filter_counters k = filter_counters(r->filter);
    uint64_t delivered = sum_captures(r, &c).delivered;
    if (!k.is_known || delivered <= k.matched_packets + r->delivered_before)
        return;
    log_error("kernel filter: %" PRIu64 " packets arrived, but it let only "
              "%" PRIu64 " pass; stopping",
              delivered - r->delivered_before, k.matched_packets);
    r->has_failed = true;
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
    struct pollfd fds[READERS_MAX + 1 + METRICS_FDS];
    struct uplink_wait w = uplink_wait(r->uplink, now);
    int64_t until = earlier(w.until.us, r->next_tick.us);
    until = earlier(until, r->next_batch.us);
    int64_t valid_us = filter_valid_to(r->filter).us - wall_now().us;
    until = earlier(until, now.us + earlier(valid_us, TICK_MS * 1000LL));
    int64_t wait_ms = until <= now.us ? 0 : (until - now.us + 999) / 1000;
    size_t count = readers_poll(r->readers, fds);
    fds[count++] = (struct pollfd){.fd = w.fd, .events = w.events};
    size_t asked = (size_t)metrics_fds(r->metrics, fds + count, METRICS_FDS);
    (void)poll(fds, count + asked, (int)earlier(wait_ms, TICK_MS));
    serve_metrics(r, fds + count, asked, mono_now());
}

/* The clock may have been set, so the time is looked at in every round. */
static void follow_validity(struct run *r, struct wall_time now)
{
    struct error_text error;
    size_t before = filter_rule_count(r->filter);
    struct wall_time end = filter_valid_to(r->filter);
    if (!filter_keep_valid(r->filter, now, &error))
        fail(r, error.text);
    else if (filter_valid_to(r->filter).us != end.us)
        log_info("kernel filter: %zu rules are valid now, %zu were before",
                 filter_rule_count(r->filter), before);
}

static void do_tick(struct run *r, struct mono_time now)
{
    r->next_tick = plus_ms(now, TICK_MS);
    if (r->disk_failed && spool_flush(r->spool)) {
        log_info("%s: batches are on disk again", r->config.state);
        r->disk_failed = false;
    }
    if (is_waiting(r) && now.us > r->answer_end.us)
        fail(r, "reader: it does not answer");
}

static void do_what_is_due(struct run *r, struct mono_time now)
{
    if (now.us >= r->next_tick.us)
        do_tick(r, now);
    if (now.us >= r->next_batch.us && !is_waiting(r)) {
        ask_for_batch(r, now);
        int64_t period_ms = (int64_t)r->config.batch_period_s * 1000;
        r->next_batch = plus_ms(r->next_batch, period_ms);
        if (r->next_batch.us <= now.us) /* the machine slept */
            r->next_batch = plus_ms(now, period_ms);
    }
    if (now.us >= r->next_status.us) {
        check_filter(r);
        tell_status(r, wall_now());
        r->next_status = plus_ms(now, STATUS_PERIOD_S * 1000LL);
    }
}

static void step(struct run *r, struct mono_time now)
{
    struct error_text error = {"reader: it is gone"};
    if (!readers_step(r->readers, &error))
        fail(r, error.text);
    uplink_step(r->uplink, now);
}

static void loop(struct run *r)
{
    struct mono_time now = mono_now();
    r->next_tick = now;
    r->next_status = now;
    r->next_batch = plus_ms(now, (int64_t)r->config.batch_period_s * 1000);
    while (!stop_requested() && !r->has_failed) {
        wait_for_work(r, now);
        now = mono_now();
        step(r, now);
        follow_validity(r, wall_now());
        if (!is_waiting(r) && reload_requested())
            reload(r, now);
        do_what_is_due(r, now);
    }
}

/* --- the end --- */

/* What is still in the rings and in the flow tables becomes the last batch; of
 * one reader that failed nothing, of the others all. */
static void stop_readers(struct run *r)
{
    struct mono_time now = mono_now();
    struct mono_time end = plus_ms(now, STOP_WAIT_S * 1000LL);
    while (is_waiting(r) && !r->has_failed && now.us < end.us) {
        wait_for_work(r, now);
        now = mono_now();
        step(r, now);
    }
    r->is_stopping = true;
    if (!readers_stop(r->readers, ++r->mark))
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
    struct mono_time now = mono_now(), end = plus_ms(now, FAREWELL_S * 1000LL);
    uplink_hurry(r->uplink, now);
    while (spool_count(r->spool) > 0 && now.us < end.us) {
        uplink_step(r->uplink, now);
        struct uplink_wait w = uplink_wait(r->uplink, now);
        struct pollfd fd = {.fd = w.fd, .events = w.events};
        int64_t until = earlier(w.until.us, end.us);
        int64_t wait_ms = until <= now.us ? 0 : (until - now.us) / 1000 + 1;
        if (spool_count(r->spool) > 0)
            (void)poll(&fd, 1, (int)earlier(wait_ms, TICK_MS));
        now = mono_now();
    }
    (void)spool_flush(r->spool);
    if (spool_count(r->spool) > 0)
        log_info("%zu batches wait for the next start", spool_count(r->spool));
    tell_status(r, wall_now());
}

/* --- start --- */

static bool open_keys(struct run *r, struct error_text *error)
{
    const struct probe_config *c = &r->config;
    r->key = sign_key_load(c->signing_key, error);
    if (r->key == NULL)
        return false;
    r->receipt_key_length = sign_public_load(
        c->receipt_key, &r->receipt_algorithm, r->receipt_key, error);
    if (r->receipt_key_length == 0)
        return false;
    r->tls = tls_context_client(c->ca, c->certificate, c->tls_key, wall_now(),
                                error);
    return r->tls != NULL;
}

/* Whether the keys will do, tried in a process of its own: faults are told
 * before an interface is touched, and the readers, forked from this process,
 * never have a key in their memory. */
static bool try_keys(struct run *r)
{
    struct error_text error;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        bool good = open_keys(r, &error);
        if (!good)
            log_error("%s", error.text);
        _exit(good ? 0 : 1);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid < 0 || status == 0; /* they are opened again in any case */
}

static bool open_list(struct run *r, struct error_text *error)
{
    struct buffer text;
    const char *path = r->config.endpoints;
    if (buffer_read_file(&text, path, LIST_BYTES_MAX)) {
        r->endpoints = endpoint_list_parse(buffer_slice(&text), path, error);
        r->list_fd = memory_of(buffer_slice(&text));
    } else {
        error_set(error, "%s: %s", path, strerror(errno));
    }
    buffer_clear(&text);
    if (r->endpoints != NULL && r->list_fd < 0)
        return error_set(error, "%s: no memory", path);
    return r->endpoints != NULL;
}

/* What a wrong configuration shows in. A fault of a key is told already. */
static bool open_configured(struct run *r, struct error_text *error)
{
    const struct probe_config *c = &r->config;
    if (!open_list(r, error) || !try_keys(r))
        return false;
    if (!digest_of_file("/proc/self/exe", &r->software_hash))
        return error_set(error, "/proc/self/exe: %s", strerror(errno));
    for (size_t i = 0; i < c->interface_count; i++)
        if (strcmp(c->interfaces[i], "any") != 0 &&
            if_nametoindex(c->interfaces[i]) == 0)
            return error_set(error, "interface %s: there is no such interface",
                             c->interfaces[i]);
    return true;
}

/* A group number of PACKET_FANOUT is one of the network namespace's. */
static uint16_t fanout_group(size_t interface)
{
    return (uint16_t)((unsigned)getpid() * READER_INTERFACES_MAX + interface);
}

static bool open_one_capture(struct run *r, size_t interface,
                             struct error_text *error)
{
    const struct probe_config *c = &r->config;
    struct capture_options options = {.interface = c->interfaces[interface],
                                      .snap_length = c->snap_length,
                                      .buffer_mb = c->buffer_mb,
                                      .is_promiscuous = c->is_promiscuous};
    struct capture *capture = capture_open_live(&options, error);
    if (capture == NULL)
        return false;
    r->captures[r->capture_count++] = capture;
    if (!meter_reads_link_type(capture_link_type(capture)))
        return error_set(error, "interface %s: link type %s is not supported",
                         options.interface, capture_link_name(capture));
    return true;
}

static bool open_captures(struct run *r, struct error_text *error)
{
    const struct probe_config *c = &r->config;
    for (size_t w = 0; w < c->workers; w++)
        for (size_t i = 0; i < c->interface_count; i++)
            if (!open_one_capture(r, i, error))
                return false;
    for (size_t i = 0; i < r->capture_count && c->workers > 1; i++)
        if (!capture_join_fanout(r->captures[i],
                                 fanout_group(i % c->interface_count), error))
            return false;
    r->filter = filter_attach((enum filter_kind)c->kernel_filter, r->endpoints,
                              r->captures, r->capture_count,
                              (uint32_t)c->snap_length, wall_now(), error);
    if (r->filter == NULL)
        return false;
    for (size_t i = 0; i < r->capture_count; i++) {
        struct capture_counters before = capture_counters(r->captures[i]);
        r->delivered_before += before.delivered;
        r->told.received += before.received;
        r->told.dropped += before.dropped;
    }
    return true;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The maps of the kernel filter are not for readers. */
static void on_forked(void *context)
{
    struct run *r = context;
    filter_free(r->filter);
    close_fd(r->list_fd);
    close_fd(r->status_fd);
}

static bool start_readers(struct run *r, struct error_text *error)
{
    const struct probe_config *c = &r->config;
    struct readers_options options = {
        .captures = r->captures,
        .workers = c->workers,
        .interfaces = c->interface_count,
        .endpoints = r->endpoints,
        .meter = probe_config_meter(c),
        .user = c->user,
        .forked = on_forked,
        .flow = on_flow,
        .marked = on_marked,
        .taken = on_taken,
        .context = r,
    };
    r->readers = readers_start(&options, error);
    return r->readers != NULL;
}

/* From here on no packet can be seen in this process. */
static bool leave_captures(struct run *r, struct error_text *error)
{
    bool is_exchanged = filter_kind(r->filter) == FILTER_CLASSIC;
    for (size_t i = 0; i < r->capture_count; i++)
        if (!capture_leave(r->captures[i], is_exchanged))
            return error_set(
                error, "interface %s: %s",
                r->config.interfaces[i % r->config.interface_count],
                strerror(errno));
    return true;
}

/* The port of "HOST:PORT"; 0 when it is none. */
static uint16_t port_of(const char *address)
{
    const char *colon = strrchr(address, ':');
    uint64_t port = 0;
    if (colon == NULL ||
        !parse_u64(slice_of_text(colon + 1), 1, UINT16_MAX, &port))
        return 0;
    return (uint16_t)port;
}

static struct sandbox_options sandbox_of(const struct run *r)
{
    const struct probe_config *c = &r->config;
    return (struct sandbox_options){.role = SANDBOX_UPLINK,
                                    .user = c->user,
                                    .state = c->state,
                                    .files = {c->endpoints, c->ca,
                                              c->certificate, c->tls_key,
                                              c->signing_key, c->receipt_key},
                                    .file_count = 6,
                                    .ports = {port_of(c->collector), DNS_PORT},
                                    .port_count = 2};
}

/* Reads or makes the pseudonym key, which is then the readers' alone. */
static bool begin_reading(struct run *r, struct error_text *error)
{
    char path[DURABLE_PATH_LEN];
    uint8_t key[PSEUDONYM_KEY_LEN];
    if (!durable_path(path, r->config.state, "pseudonym.key"))
        return error_set(error, "%s: too long", r->config.state);
    if (!exporter_load_key(path, r->config.voucher_period, key, error))
        return false;
    bool good = readers_begin(r->readers, key) ||
                error_set(error, "reader: cannot be started");
    explicit_bzero(key, sizeof(key));
    return good;
}

static bool open_own(struct run *r, struct error_text *error)
{
    const struct probe_config *c = &r->config;
    struct exporter_options exporter = {.probe_id = c->probe_id,
                                        .key = r->key,
                                        .endpoints = r->endpoints,
                                        .software_hash = r->software_hash,
                                        .start = r->started};
    struct uplink_options uplink = {
        .collector = c->collector,
        .collector_name = c->collector_name,
        .probe_id = c->probe_id,
        .receipt_algorithm = r->receipt_algorithm,
        .receipt_key = slice_of_bytes(r->receipt_key, r->receipt_key_length),
        .answer_timeout_s = ANSWER_TIMEOUT_S,
        .pause_min_ms = PAUSE_MIN_MS,
        .pause_max_ms = PAUSE_MAX_MS};
    r->spool = spool_open(c->state, c->spool_mb << 20, c->sent_mb << 20, error);
    if (r->spool == NULL)
        return false;
    r->exporter = exporter_new(&exporter);
    if (r->exporter == NULL)
        return error_set(error, "no memory");
    r->uplink = uplink_new(&uplink, r->tls, r->spool);
    return r->uplink != NULL ||
           error_set(error, "collector %s: not HOST:PORT", c->collector);
}

/* Tried twice: a folder below /run is root's, and may be the user's, where root
 * without all its capabilities makes no file. */
static bool open_metrics(struct run *r, struct error_text *error)
{
    if (r->metrics == NULL)
        r->metrics = metrics_open(r->config.metrics, error);
    return r->metrics != NULL;
}

static bool enter_sandbox(struct run *r, struct error_text *error)
{
    struct sandbox_options sandbox = sandbox_of(r);
    (void)open_metrics(r, error);
    return sandbox_leave_root(&sandbox, error) && open_metrics(r, error) &&
           open_own(r, error) &&
           sandbox_enter(&sandbox, r->status_fd, &r->sandbox, error) &&
           begin_reading(r, error);
}

static void close_all(struct run *r)
{
    readers_free(r->readers);
    metrics_close(r->metrics);
    uplink_free(r->uplink);
    exporter_free(r->exporter);
    spool_close(r->spool);
    filter_free(r->filter);
    for (size_t i = 0; i < r->capture_count; i++)
        capture_close(r->captures[i]);
    tls_context_free(r->tls);
    sign_key_free(r->key);
    endpoint_list_free(r->endpoints);
    close_fd(r->list_fd);
    close_fd(r->status_fd);
    if (r->next_endpoints != NULL)
        close_fd(r->next_fd);
    endpoint_list_free(r->next_endpoints);
}

/* Exit status; 0: everything is open. */
static int open_all(struct run *r)
{
    struct error_text error = {{0}};
    int status = 0;
    r->status_fd = process_open();
    r->list_fd = r->next_fd = -1;
    if (!open_configured(r, &error))
        status = 2;
    else if (!open_captures(r, &error) || !start_readers(r, &error) ||
             !leave_captures(r, &error))
        status = 1;
    else if (!open_keys(r, &error) || !enter_sandbox(r, &error))
        status = 2;
    if (status != 0 && error.text[0] != '\0')
        log_error("%s", error.text);
    return status;
}

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

static int run(struct run *r)
{
    stop_on_signals();
    reload_on_signal();
    r->started = wall_now();
    r->clock_quality = CLOCK_SYNCHRONISED; /* what needs no line */
    int status = open_all(r);
    if (status == 0) {
        for (size_t i = 0; i < readers_count(r->readers); i++)
            tell_sandbox(readers_report(r->readers, i));
        tell_sandbox(&r->sandbox);
        log_info("interface %s (%s): %s filter with %zu rules is in force",
                 r->config.interface, capture_link_name(r->captures[0]),
                 filter_kind_text(filter_kind(r->filter)),
                 filter_rule_count(r->filter));
        loop(r);
        say_farewell(r);
        status = r->has_failed ? 1 : 0;
    }
    close_all(r);
    return status;
}

int run_main(int argc, char **argv)
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
    if (!probe_config_read(path, &r->config, &error))
        log_error("%s", error.text);
    else if (is_dry)
        status = program_print_config(probe_config_keys, probe_config_key_count,
                                      &r->config);
    else {
        log_set_level((enum log_level)r->config.log_level);
        status = run(r);
    }
    free(r);
    return status;
}
