/*
 * Offline, nobody waits for a period to end: one batch holds the whole capture
 * unless it grows past a batch's size. Its clock quality is RELATIVE, for the
 * times are those of whoever made the capture. Without --key it is signed by a
 * key made for this run, so that the file is whole and checkable, though by
 * nobody's word.
 */
#include "probe/read.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/sign.h"
#include "common/program.h"
#include "probe/capture/capture.h"
#include "probe/local.h"
#include "probe/meter/meter.h"
#include "probe/process/exporter.h"
#include "probe/state/probe_config.h"

enum { LINE_MAX_LEN = 8192, DISPATCH_PACKETS = 1024 };

struct options {
    const char *config, *capture, *endpoints, *output, *key, *probe_id;
    bool is_local;
};

struct reading {
    struct options options;
    struct probe_config config;
    struct endpoint_list *endpoints;
    struct capture *capture;
    int link_type;
    struct meter *meter;
    struct buffer line;
    /* -w */
    FILE *output;
    struct sign_key *key;
    struct exporter *exporter;
    uint64_t packets_written, evicted_written; /* told in earlier batches */
    struct wall_time last;                     /* latest packet */
    bool has_packet;
    bool has_failed;
};

static bool parse_options(int argc, char **argv, struct options *o)
{
    const struct program_option options[] = {
        {"-r", NULL, &o->capture, true},
        {"-e", NULL, &o->endpoints, false},
        {"-w", NULL, &o->output, false},
        {"-c", NULL, &o->config, false},
        {"--key", NULL, &o->key, false},
        {"--probe", NULL, &o->probe_id, false},
        {"--local", &o->is_local, NULL, false},
    };
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 0, 0) != 0)
        return false;
    if (o->probe_id == NULL || probe_config_is_id(o->probe_id))
        return true;
    log_error("--probe \"%s\": 1 to 63 letters, digits, \".\", \"_\" or "
              "\"-\"",
              o->probe_id);
    return false;
}

/* --- writing batches --- */

static bool write_batch(struct reading *r)
{
    struct buffer batch;
    struct digest hash;
    const struct meter_counters *c = meter_counters(r->meter);
    struct exporter_period period = {
        .clock_offset_ms = CLOCK_OFFSET_UNKNOWN,
        .clock_quality = CLOCK_RELATIVE,
        .packets_seen = c->packets - r->packets_written,
        .flows_evicted = c->evicted - r->evicted_written,
    };
    /* Periods are half open: the last packet lies inside. */
    struct wall_time end = wall_from_ms(wall_to_ms(r->last) + 1);
    if (!exporter_finish(r->exporter, &period, end, &batch, &hash)) {
        log_error("%s: no memory for a batch", r->options.output);
        return false;
    }
    r->packets_written = c->packets;
    r->evicted_written = c->evicted;
    bool good = fwrite(batch.data, 1, batch.length, r->output) == batch.length;
    if (!good)
        log_error("%s: cannot write: %m", r->options.output);
    buffer_clear(&batch);
    return good;
}

/* The first period starts with the first packet. */
static bool start_exporter(struct reading *r, struct wall_time start)
{
    struct exporter_options options = {
        .probe_id =
            r->options.probe_id != NULL ? r->options.probe_id : "offline",
        .key = r->key,
        .endpoints = r->endpoints,
        .start = wall_from_ms(wall_to_ms(start)),
    };
    random_bytes(options.pseudonym_key, sizeof(options.pseudonym_key));
    (void)digest_of_file("/proc/self/exe", &options.software_hash);
    r->exporter = exporter_new(&options);
    if (r->exporter == NULL)
        log_error("%s: not usable as the id of a probe", options.probe_id);
    return r->exporter != NULL;
}

static void export_flow(struct reading *r, const struct flow *flow)
{
    if (r->output == NULL || r->has_failed || r->exporter == NULL)
        return;
    if (exporter_add(r->exporter, flow, r->last))
        return;
    r->has_failed =
        !write_batch(r) || !exporter_add(r->exporter, flow, r->last);
}

/* --- packets in, flows out --- */

static void print_line(struct reading *r)
{
    fwrite(r->line.data, 1, r->line.length, stdout);
    buffer_reset(&r->line);
}

static void on_flow(void *context, const struct flow *flow)
{
    struct reading *r = context;
    if (r->options.is_local) {
        local_add_flow(&r->line, flow);
        print_line(r);
    }
    export_flow(r, flow);
}

static void on_packet(void *context, const struct capture_packet *packet)
{
    struct reading *r = context;
    if (!r->has_packet || packet->when.us > r->last.us)
        r->last = packet->when;
    if (!r->has_packet && r->output != NULL)
        r->has_failed = !start_exporter(r, packet->when);
    r->has_packet = true;
    meter_packet(r->meter, r->link_type, packet->data, packet->captured,
                 packet->length, packet->when, 0);
}

static bool read_packets(struct reading *r)
{
    enum capture_status status = CAPTURE_OK;
    while (status == CAPTURE_OK && !r->has_failed)
        status = capture_dispatch(r->capture, DISPATCH_PACKETS, on_packet, r);
    /* What came before a damaged place is counted all the same. */
    meter_flush(r->meter);
    local_add_summary(&r->line, meter_counters(r->meter));
    print_line(r);
    if (status == CAPTURE_FAILED)
        log_error("%s: %s", r->options.capture, capture_error(r->capture));
    return status == CAPTURE_END && !r->has_failed;
}

static bool finish_output(struct reading *r)
{
    if (r->output == NULL)
        return true;
    bool good = r->exporter == NULL || write_batch(r);
    if (fclose(r->output) != 0) {
        log_error("%s: cannot write: %m", r->options.output);
        good = false;
    }
    r->output = NULL;
    return good;
}

/* --- opening, in the order of cause: exit status 2, then 1 --- */

/* Of a configuration only the limits, the id and the log level matter here:
 * endpoints and key are named where they are meant. */
static int open_config(struct reading *r)
{
    struct error_text error;
    if (r->options.config == NULL) {
        config_set_defaults(probe_config_keys, probe_config_key_count,
                            &r->config);
        return 0;
    }
    if (!probe_config_read(r->options.config, &r->config, &error)) {
        log_error("%s", error.text);
        return 2;
    }
    log_set_level((enum log_level)r->config.log_level);
    if (r->options.probe_id == NULL)
        r->options.probe_id = r->config.probe_id;
    return 0;
}

static int open_endpoints(struct reading *r)
{
    struct error_text error;
    r->endpoints = r->options.endpoints != NULL
                       ? endpoint_list_load(r->options.endpoints, &error)
                       : endpoint_list_any();
    if (r->endpoints != NULL)
        return 0;
    log_error("%s", r->options.endpoints != NULL ? error.text : "no memory");
    return 2;
}

static int open_output(struct reading *r)
{
    struct error_text error;
    if (r->options.output == NULL)
        return 0;
    r->key = r->options.key != NULL ? sign_key_load(r->options.key, &error)
                                    : sign_key_generate(SIGN_ED25519);
    if (r->key == NULL) {
        log_error("%s", r->options.key != NULL ? error.text : "no key");
        return 2;
    }
    r->output = fopen(r->options.output, "wb");
    if (r->output != NULL)
        return 0;
    log_error("%s: cannot write: %m", r->options.output);
    return 1;
}

static int open_capture(struct reading *r)
{
    struct error_text error;
    r->capture = capture_open_file(r->options.capture, &error);
    if (r->capture == NULL) {
        log_error("%s", error.text);
        return 1;
    }
    r->link_type = capture_link_type(r->capture);
    if (!meter_reads_link_type(r->link_type)) {
        log_error("%s: link type %s is not one that can be read",
                  r->options.capture, capture_link_name(r->capture));
        return 1;
    }
    const struct meter_options options = {
        .flow_limit = r->config.flow_limit,
        .idle_timeout_s = r->config.idle_timeout_s,
        .active_timeout_s = r->config.active_timeout_s,
        .keeps_texts = r->options.is_local,
        .is_lazy = true,
    };
    r->meter = meter_new(&options, r->endpoints, on_flow, r, &error);
    if (r->meter != NULL)
        return 0;
    log_error("%s", error.text);
    return 1;
}

static int open_all(struct reading *r)
{
    int status = open_config(r);
    if (status == 0)
        status = open_endpoints(r);
    if (status == 0)
        status = open_capture(r);
    return status == 0 ? open_output(r) : status;
}

static void close_all(struct reading *r)
{
    if (r->output != NULL)
        fclose(r->output);
    exporter_free(r->exporter);
    sign_key_free(r->key);
    meter_free(r->meter);
    capture_close(r->capture);
    endpoint_list_free(r->endpoints);
    buffer_clear(&r->line);
}

int read_main(int argc, char **argv)
{
    struct reading r = {0};
    if (!parse_options(argc, argv, &r.options))
        return 2;
    buffer_init(&r.line, LINE_MAX_LEN);
    int status = open_all(&r);
    if (status == 0) {
        bool good = read_packets(&r);
        good = finish_output(&r) && good;
        status = good ? 0 : 1; /* program.c looks after standard output */
    }
    close_all(&r);
    return status;
}
