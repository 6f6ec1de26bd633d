/*
 * Start: configuration, keys and interface are opened with the rights we were
 * given; then the kernel filter is proved; then rights are dropped; only then
 * are files of our own touched and packets looked at.
 */
#include "probe/run.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "capture/capture.h"
#include "capture/filter.h"
#include "common/digest.h"
#include "common/program.h"
#include "common/sign.h"
#include "common/tls.h"
#include "meter/meter.h"
#include "probe/durable.h"
#include "probe/exporter.h"
#include "probe/probe_config.h"
#include "probe/spool.h"
#include "probe/status.h"
#include "probe/uplink.h"

enum {
    DISPATCH_MAX = 4096,
    TICK_MS = 500,
    STATUS_PERIOD_S = 10,
    LAST_BLOCK_MS = 150, /* longer than the ring's time-out */
    FAREWELL_S = 5,      /* for the last batch */
    ANSWER_TIMEOUT_S = 30,
    PAUSE_MIN_MS = 1000,
    PAUSE_MAX_MS = 300 * 1000,
    RING_DELAY_MS = 1000, /* packets may come so late out of the ring */
};

struct run {
    struct probe_config config;
    struct endpoint_list *endpoints;
    struct sign_key *key;
    enum sign_algorithm receipt_algorithm;
    uint8_t receipt_key[SIGN_PUBLIC_MAX];
    size_t receipt_key_length;
    struct tls_context *tls;
    struct digest software_hash;
    struct capture *capture;
    struct filter *filter;
    struct meter *meter;
    struct exporter *exporter;
    struct spool *spool;
    struct uplink *uplink;
    int link_type;
    uint64_t delivered_before; /* thrown away while proving the filter */
    uint64_t received_told, dropped_told, evicted_told; /* in batches so far */
    uint64_t lost;                                      /* not yet told */
    struct wall_time started;
    struct mono_time next_batch, next_status, next_tick;
    bool status_failed, disk_failed, has_failed;
};

/* --- flows and batches --- */

static void close_batch(struct run *r, struct wall_time now)
{
    struct buffer batch = {0};
    struct digest hash;
    struct capture_counters c = capture_counters(r->capture);
    uint64_t evicted = meter_counters(r->meter)->evicted;
    r->lost += spool_take_lost(r->spool);
    struct exporter_period period = {
        .clock_quality = exporter_clock_quality(),
        .packets_seen = c.received - r->received_told,
        .packets_dropped = c.dropped - r->dropped_told,
        .flows_evicted = evicted - r->evicted_told,
        .batches_lost = r->lost,
    };
    if (!exporter_finish(r->exporter, &period, now, &batch, &hash)) {
        log_error("no memory for a batch; its flows go into the next one");
        return;
    }
    r->received_told = c.received;
    r->dropped_told = c.dropped;
    r->evicted_told = evicted;
    r->lost = 0;
    log_debug("batch %" PRIu64 ": %zu bytes", exporter_sequence(r->exporter),
              batch.length);
    if (!spool_add(r->spool, &batch, hash) && !r->disk_failed) {
        log_error("%s; batches wait in memory until it can",
                  spool_error(r->spool));
        r->disk_failed = true;
    }
}

static void on_flow(void *context, const struct flow *flow)
{
    struct run *r = context;
    struct wall_time now = wall_now();
    if (exporter_add(r->exporter, flow, now))
        return;
    close_batch(r, now); /* full before its time */
    if (!exporter_add(r->exporter, flow, now))
        log_error("a flow could not be put into a batch");
}

static void on_packet(void *context, const struct capture_packet *p)
{
    struct run *r = context;
    meter_packet(r->meter, r->link_type, p->data, p->captured, p->length,
                 p->when, 0);
}

/* --- status --- */

static void tell_status(struct run *r, struct wall_time now)
{
    struct probe_status s = {
        .probe_id = r->config.probe_id,
        .interface = r->config.interface,
        .link_type = capture_link_name(r->capture),
        .started = r->started,
        .now = now,
        .filter_kind = filter_kind(r->filter),
        .rules = filter_rule_count(r->filter),
        .kernel = filter_counters(r->filter),
        .capture = capture_counters(r->capture),
        .meter = *meter_counters(r->meter),
        .batches_made = exporter_sequence(r->exporter),
        .spool = spool_totals(r->spool),
        .uplink = uplink_status(r->uplink),
        .certificate_end = tls_context_expires(r->tls),
        .clock_quality = exporter_clock_quality(),
    };
    status_write(&s, r->config.state, &r->status_failed);
}

/* Every packet we were handed must have been let through by our program. */
static void check_filter(struct run *r)
{
    struct capture_counters c = capture_counters(r->capture);
    struct filter_counters k = filter_counters(r->filter);
    uint64_t delivered = c.delivered - r->delivered_before;
    if (!k.is_known || delivered <= k.matched_packets)
        return;
    log_error("kernel filter: %" PRIu64 " packets arrived, but it let only "
              "%" PRIu64 " pass; stopping",
              delivered, k.matched_packets);
    r->has_failed = true;
}

/* --- the loop --- */

static struct mono_time plus_ms(struct mono_time time, int64_t ms)
{
    return (struct mono_time){time.us + ms * 1000};
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void wait_for_work(const struct run *r, struct mono_time now)
{
    struct uplink_wait w = uplink_wait(r->uplink, now);
    int64_t until = earlier(w.until.us, r->next_tick.us);
    until = earlier(until, r->next_batch.us);
    int64_t valid_us = filter_valid_to(r->filter).us - wall_now().us;
    until = earlier(until, now.us + earlier(valid_us, TICK_MS * 1000LL));
    int64_t wait_ms = until <= now.us ? 0 : (until - now.us + 999) / 1000;
    struct pollfd fds[] = {
        {.fd = capture_fd(r->capture), .events = POLLIN},
        {.fd = w.fd, .events = w.events},
    };
    (void)poll(fds, 2, (int)earlier(wait_ms, TICK_MS));
}

static void read_packets(struct run *r)
{
    if (capture_dispatch(r->capture, DISPATCH_MAX, on_packet, r) !=
        CAPTURE_FAILED)
        return;
    log_error("interface %s: %s", r->config.interface,
              capture_error(r->capture));
    r->has_failed = true;
}

/* The clock may have been set, so the time is looked at in every round. */
static void follow_validity(struct run *r, struct wall_time now)
{
    struct error_text error;
    size_t before = filter_rule_count(r->filter);
    struct wall_time end = filter_valid_to(r->filter);
    if (!filter_keep_valid(r->filter, now, &error)) {
        log_error("%s", error.text);
        r->has_failed = true;
    } else if (filter_valid_to(r->filter).us != end.us) {
        log_info("kernel filter: %zu rules are valid now, %zu were before",
                 filter_rule_count(r->filter), before);
    }
}

static void do_what_is_due(struct run *r, struct mono_time now)
{
    struct wall_time wall = wall_now();
    follow_validity(r, wall);
    if (now.us >= r->next_tick.us) {
        r->next_tick = plus_ms(now, TICK_MS);
        meter_advance(r->meter,
                      (struct wall_time){wall.us - RING_DELAY_MS * 1000LL});
        if (r->disk_failed && spool_flush(r->spool)) {
            log_info("%s: batches are on disk again", r->config.state);
            r->disk_failed = false;
        }
    }
    bool is_batch = now.us >= r->next_batch.us;
    if (is_batch) {
        close_batch(r, wall);
        int64_t period_ms = (int64_t)r->config.batch_period_s * 1000;
        r->next_batch = plus_ms(r->next_batch, period_ms);
        if (r->next_batch.us <= now.us) /* the machine slept */
            r->next_batch = plus_ms(now, period_ms);
    }
    if (is_batch || now.us >= r->next_status.us) {
        check_filter(r);
        tell_status(r, wall);
        r->next_status = plus_ms(now, STATUS_PERIOD_S * 1000LL);
    }
}

static void loop(struct run *r)
{
    struct mono_time now = mono_now();
    r->next_tick = now;
    r->next_status = now;
    r->next_batch = plus_ms(now, (int64_t)r->config.batch_period_s * 1000);
    while (!stop_requested() && !r->has_failed) {
        wait_for_work(r, now);
        read_packets(r);
        now = mono_now();
        do_what_is_due(r, now);
        uplink_step(r->uplink, now);
    }
}

/* A block of the ring is handed over when it is full or its time is up. */
static void empty_ring(struct run *r)
{
    struct mono_time now = mono_now(), end = plus_ms(now, LAST_BLOCK_MS);
    struct pollfd fd = {.fd = capture_fd(r->capture), .events = POLLIN};
    for (; now.us < end.us && !r->has_failed; now = mono_now()) {
        (void)poll(&fd, 1, 10);
        read_packets(r);
    }
}

/* What is still in the ring and in the flow table becomes the last batch, and
 * the collector gets some seconds to take it. */
static void say_farewell(struct run *r)
{
    empty_ring(r);
    meter_flush(r->meter);
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

/* What a wrong configuration shows in. */
static bool open_configured(struct run *r, struct error_text *error)
{
    const struct probe_config *c = &r->config;
    r->endpoints = endpoint_list_load(c->endpoints, error);
    if (r->endpoints == NULL)
        return false;
    r->key = sign_key_load(c->signing_key, error);
    if (r->key == NULL)
        return false;
    r->receipt_key_length = sign_public_load(
        c->receipt_key, &r->receipt_algorithm, r->receipt_key, error);
    if (r->receipt_key_length == 0)
        return false;
    r->tls = tls_context_client(c->ca, c->certificate, c->tls_key, wall_now(),
                                error);
    if (r->tls == NULL)
        return false;
    if (!digest_of_file("/proc/self/exe", &r->software_hash))
        return error_set(error, "/proc/self/exe: %s", strerror(errno));
    if (strcmp(c->interface, "any") != 0 && if_nametoindex(c->interface) == 0)
        return error_set(error, "interface %s: there is no such interface",
                         c->interface);
    return true;
}

static bool open_capture(struct run *r, struct error_text *error)
{
    const struct probe_config *c = &r->config;
    struct capture_options options = {.interface = c->interface,
                                      .snap_length = c->snap_length,
                                      .buffer_mb = c->buffer_mb,
                                      .is_promiscuous = c->is_promiscuous};
    r->capture = capture_open_live(&options, error);
    if (r->capture == NULL)
        return false;
    r->link_type = capture_link_type(r->capture);
    if (!meter_reads_link_type(r->link_type))
        return error_set(error, "interface %s: link type %s is not supported",
                         c->interface, capture_link_name(r->capture));
    r->filter =
        filter_attach((enum filter_kind)c->kernel_filter, r->endpoints,
                      r->capture, (uint32_t)c->snap_length, wall_now(), error);
    if (r->filter == NULL)
        return false;
    struct capture_counters counters = capture_counters(r->capture);
    r->delivered_before = counters.delivered;
    r->received_told = counters.received;
    r->dropped_told = counters.dropped;
    return true;
}

static bool drop_rights(const struct run *r, struct error_text *error)
{
    if (!program_drop_to_user(r->config.user, error))
        return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ||
           error_set(error, "no_new_privs: %s", strerror(errno));
}

static bool open_exporter(struct run *r, struct error_text *error)
{
    char path[DURABLE_PATH_LEN];
    struct exporter_options options = {.probe_id = r->config.probe_id,
                                       .key = r->key,
                                       .endpoints = r->endpoints,
                                       .software_hash = r->software_hash,
                                       .start = r->started};
    if (!durable_path(path, r->config.state, "pseudonym.key"))
        return error_set(error, "%s: too long", r->config.state);
    if (!exporter_load_key(path, r->config.voucher_period,
                           options.pseudonym_key, error))
        return false;
    r->exporter = exporter_new(&options);
    explicit_bzero(options.pseudonym_key, sizeof(options.pseudonym_key));
    return r->exporter != NULL || error_set(error, "no memory");
}

static bool open_own(struct run *r, struct error_text *error)
{
    const struct probe_config *c = &r->config;
    struct meter_options meter = {.flow_limit = c->flow_limit,
                                  .idle_timeout_s = c->idle_timeout_s,
                                  .active_timeout_s = c->active_timeout_s};
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
    if (r->spool == NULL || !open_exporter(r, error))
        return false;
    r->meter = meter_new(&meter, r->endpoints, on_flow, r, error);
    if (r->meter == NULL)
        return false;
    r->uplink = uplink_new(&uplink, r->tls, r->spool);
    return r->uplink != NULL ||
           error_set(error, "collector %s: not HOST:PORT", c->collector);
}

static void close_all(struct run *r)
{
    uplink_free(r->uplink);
    meter_free(r->meter);
    exporter_free(r->exporter);
    spool_close(r->spool);
    filter_free(r->filter);
    capture_close(r->capture);
    tls_context_free(r->tls);
    sign_key_free(r->key);
    endpoint_list_free(r->endpoints);
}

/* Exit status; 0: everything is open. */
static int open_all(struct run *r)
{
    struct error_text error = {{0}};
    int status = 0;
    if (!open_configured(r, &error))
        status = 2;
    else if (!open_capture(r, &error))
        status = 1;
    else if (!drop_rights(r, &error) || !open_own(r, &error))
        status = 2;
    if (status != 0)
        log_error("%s", error.text);
    return status;
}

static int run(struct run *r)
{
    signal(SIGPIPE, SIG_IGN);
    stop_on_signals();
    r->started = wall_now();
    int status = open_all(r);
    if (status == 0) {
        log_info("interface %s (%s): %s filter with %zu rules is in force",
                 r->config.interface, capture_link_name(r->capture),
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
