/*
 * probe_tool: a probe without packets, for the durability drill.
 *
 *   probe_tool CONF [--batches N] [--records N] [--pace-ms N] [--seed N]
 *              [--from TIME --period-s N] [--offline]
 *
 * It makes batches of invented records through the probe's own exporter, keeps
 * them in its own spool and sends them by its own uplink; only the reader's
 * half is missing, and with it the need for root and an interface. CONF is a
 * probe's. It ends when N batches are made (0: never) and none waits; --offline
 * does not send and ends when they are made. --from dates the periods from then
 * on instead of now, one after the other.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/tls.h"
#include "common/program.h"
#include "probe/process/exporter.h"
#include "probe/state/probe_config.h"
#include "probe/uplink/spool.h"
#include "probe/uplink/uplink.h"

enum { PAUSE_MIN_MS = 50, PAUSE_MAX_MS = 400, ANSWER_S = 10, WAIT_MS = 50 };

struct tool {
    struct probe_config config;
    uint64_t batches, records, pace_ms, period_s, seed;
    struct wall_time from;
    bool is_dated, is_offline;
    struct sign_key *key;
    uint8_t receipt_key[SIGN_PUBLIC_MAX];
    size_t receipt_key_length;
    enum sign_algorithm receipt_algorithm;
    struct endpoint_list *endpoints;
    struct tls_context *tls;
    struct spool *spool;
    struct receipts *receipts;
    struct exporter *exporter;
    struct uplink *uplink;
    uint64_t made;
    struct batch_loss losses[BATCH_LOSS_MAX]; /* that the next batch tells */
};

static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

/* --- opening --- */

static void open_keys(struct tool *t)
{
    const struct probe_config *c = &t->config;
    struct error_text error;
    struct buffer text;
    t->key = sign_key_load(c->signing_key, &error);
    if (t->key == NULL)
        fatal(2, "%s", error.text);
    t->receipt_key_length = sign_public_load(
        c->receipt_key, &t->receipt_algorithm, t->receipt_key, &error);
    if (t->receipt_key_length == 0)
        fatal(2, "%s", error.text);
    t->tls = tls_context_client(c->ca, c->certificate, c->tls_key, wall_now(),
                                &error);
    if (t->tls == NULL)
        fatal(2, "%s", error.text);
    if (!buffer_read_file(&text, c->endpoints, 1 << 20))
        fatal(2, "%s: cannot be read", c->endpoints);
    t->endpoints =
        endpoint_list_parse(buffer_slice(&text), c->endpoints, &error);
    if (t->endpoints == NULL)
        fatal(2, "%s", error.text);
    buffer_clear(&text);
}

static void open_parts(struct tool *t)
{
    const struct probe_config *c = &t->config;
    struct error_text error;
    struct exporter_options exporter = {
        .probe_id = c->probe_id,
        .key = t->key,
        .endpoints = t->endpoints,
        .software_hash = digest_of("probe_tool", 10),
        .start = t->is_dated ? t->from : wall_now()};
    struct uplink_options uplink = {
        .collector = c->collector,
        .collector_name = c->collector_name,
        .probe_id = c->probe_id,
        .receipt_algorithm = t->receipt_algorithm,
        .receipt_key = slice_of_bytes(t->receipt_key, t->receipt_key_length),
        .answer_timeout_s = ANSWER_S,
        .pause_min_ms = PAUSE_MIN_MS,
        .pause_max_ms = PAUSE_MAX_MS};
    t->spool =
        spool_open(c->state, c->spool_mb << 20, c->sent_mb << 20, &error);
    if (t->spool == NULL)
        fatal(1, "%s", error.text);
    t->receipts = receipts_open(c->state, c->receipts_mb << 20, &error);
    if (t->receipts == NULL)
        fatal(1, "%s", error.text);
    uplink.receipts = t->receipts;
    t->exporter = exporter_new(&exporter);
    t->uplink = uplink_new(&uplink, t->tls, t->spool);
    if (t->exporter == NULL || t->uplink == NULL)
        fatal(1, "no memory");
}

static void close_parts(struct tool *t)
{
    uplink_free(t->uplink);
    exporter_free(t->exporter);
    receipts_free(t->receipts);
    spool_close(t->spool);
    tls_context_free(t->tls);
    endpoint_list_free(t->endpoints);
    sign_key_free(t->key);
}

/* --- records and batches --- */

/* A two-way TLS connection of some seconds, in the period that ends at `now`. */
static struct flow_record invent(struct tool *t, int64_t end_ms)
{
    uint64_t *s = &t->seed;
    struct flow_record r = {
        .start_ms = end_ms - (int64_t)draw(s, 4000),
        .end_ms = end_ms,
        .address = {203, 0, 113, 10},
        .port = 443,
        .protocol = 6,
        .octets = 100 + draw(s, 100000),
        .packets = 1 + draw(s, 100),
        .payload = draw(s, 50000),
        .roctets = 100 + draw(s, 1000000),
        .rpackets = 1 + draw(s, 1000),
        .rpayload = draw(s, 500000),
        .tcp_flags = 0x1b,
        .rtcp_flags = 0x1b,
        .end_reason = FLOW_END_DETECTED,
        .name_evidence = (uint8_t)draw(s, NAME_EVIDENCE_COUNT),
        .direction = 1,
        .application = "TLS",
        .burst_count = 1,
        .host_pseudonym = draw(s, 20),
    };
    snprintf(r.endpoint_id, sizeof(r.endpoint_id), "%s",
             endpoint_id(t->endpoints, 0));
    return r;
}

static void make_batch(struct tool *t)
{
    struct wall_time now = wall_now();
    struct exporter_period period = {.clock_quality = CLOCK_SYNCHRONISED,
                                     .clock_offset_ms = CLOCK_OFFSET_UNKNOWN};
    struct buffer batch;
    struct digest hash;
    t->made++;
    if (t->is_dated)
        now =
            wall_from_s(wall_to_s(t->from) + (int64_t)(t->made * t->period_s));
    for (uint64_t i = 0; i < t->records; i++) {
        struct flow_record r = invent(t, wall_to_ms(now));
        if (!exporter_add_record(t->exporter, &r, now))
            fatal(1, "a batch is full");
    }
    period.losses = t->losses;
    period.loss_count = spool_losses(t->spool, t->losses);
    period.packets_seen = t->records;
    if (!exporter_finish(t->exporter, &period, now, &batch, &hash))
        fatal(1, "no memory for a batch");
    if (!spool_add(t->spool, &batch, hash))
        log_warn("%s", spool_error(t->spool));
}

/* --- the loop --- */

static bool is_done(const struct tool *t)
{
    return t->batches > 0 && t->made >= t->batches &&
           (t->is_offline || spool_count(t->spool) == 0);
}

static void send_some(struct tool *t, struct mono_time now, int64_t wait_ms)
{
    struct uplink_wait w = uplink_wait(t->uplink, now);
    struct pollfd fd = {.fd = w.fd, .events = w.events};
    int64_t until_ms = w.until.us <= now.us ? 0 : (w.until.us - now.us) / 1000;
    if (until_ms > wait_ms)
        until_ms = wait_ms;
    (void)poll(&fd, 1, (int)until_ms);
    uplink_step(t->uplink, mono_now());
}

static void loop(struct tool *t)
{
    struct mono_time next = mono_now();
    while (!stop_requested() && !is_done(t)) {
        struct mono_time now = mono_now();
        bool has_more = t->batches == 0 || t->made < t->batches;
        if (has_more && now.us >= next.us) {
            make_batch(t);
            next = mono_later(now, (int64_t)t->pace_ms);
        }
        (void)spool_flush(t->spool);
        if (!t->is_offline)
            send_some(t, now, t->pace_ms > 0 && has_more ? 5 : WAIT_MS);
        else if (t->pace_ms > 0)
            (void)poll(NULL, 0, (int)t->pace_ms);
    }
}

static uint64_t number(const char *name, const char *text, uint64_t otherwise)
{
    uint64_t value = otherwise;
    if (text != NULL && !parse_u64(slice_of_text(text), 0, UINT32_MAX, &value))
        fatal(2, "%s %s: not a number", name, text);
    return value;
}

int main(int argc, char **argv)
{
    static struct tool t;
    const char *batches = NULL, *records = NULL, *pace = NULL, *seed = NULL,
               *from = NULL, *period = NULL;
    struct error_text error;
    const struct program_option options[] = {
        {"--batches", .value = &batches},    {"--records", .value = &records},
        {"--pace-ms", .value = &pace},       {"--seed", .value = &seed},
        {"--from", .value = &from},          {"--period-s", .value = &period},
        {"--offline", .flag = &t.is_offline}};
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 1, 1) < 0)
        return 2;
    t.batches = number("--batches", batches, 0);
    t.records = number("--records", records, 20);
    t.pace_ms = number("--pace-ms", pace, 20);
    t.seed = number("--seed", seed, 1);
    t.period_s = number("--period-s", period, 300);
    t.is_dated = from != NULL;
    if (t.is_dated && !wall_from_text(slice_of_text(from), &t.from))
        fatal(2, "--from %s: not a time", from);
    if (!probe_config_read(argv[1], &t.config, &error))
        fatal(2, "%s", error.text);
    log_set_level((enum log_level)t.config.log_level);
    stop_on_signals();
    open_keys(&t);
    open_parts(&t);
    loop(&t);
    close_parts(&t);
    return 0;
}
