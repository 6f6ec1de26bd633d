#include "probe/status.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "common/writer.h"
#include "probe/durable.h"

enum { STATUS_MAX = 16 * 1024 };

static void add_time(struct json_writer *json, const char *key,
                     struct wall_time time)
{
    char text[WALL_TEXT_LEN];
    wall_to_text(time, text);
    json_text(json, key, text);
}

static void add_kernel(struct json_writer *json, const struct probe_status *s)
{
    const struct filter_counters *k = &s->kernel;
    json_object_begin(json, "kernel");
    if (k->is_known) {
        json_u64(json, "seen", k->seen_packets);
        json_u64(json, "seen_octets", k->seen_octets);
        json_u64(json, "matched", k->matched_packets);
        json_u64(json, "matched_octets", k->matched_octets);
        json_u64(json, "refused", k->seen_packets - k->matched_packets);
        json_u64(json, "refused_octets", k->seen_octets - k->matched_octets);
    } else { /* the classic filter does not count what it refuses */
        json_no_value(json, "seen");
        json_u64(json, "matched", s->capture.received);
        json_no_value(json, "refused");
    }
    json_u64(json, "dropped", s->capture.dropped);
    json_object_end(json);
}

static void add_process(struct json_writer *json,
                        const struct meter_counters *m)
{
    static const char *const reasons[UNDECODABLE_COUNT] = {
        [UNDECODABLE_LINK] = "link",
        [UNDECODABLE_TRUNCATED] = "truncated",
        [UNDECODABLE_HEADER] = "header"};
    json_object_begin(json, "process");
    json_u64(json, "packets", m->packets);
    json_u64(json, "octets", m->octets);
    json_object_begin(json, "undecodable");
    for (int i = 0; i < UNDECODABLE_COUNT; i++)
        json_u64(json, reasons[i], m->undecodable[i]);
    json_object_end(json);
    json_u64(json, "filtered", m->filtered);
    json_object_end(json);
}

static void add_flows(struct json_writer *json, const struct meter_counters *m)
{
    json_object_begin(json, "flows");
    json_u64(json, "begun", m->flows);
    json_u64(json, "active", m->active_flows);
    json_u64(json, "evicted", m->evicted);
    json_object_end(json);
}

static void add_batches(struct json_writer *json, const struct probe_status *s)
{
    json_object_begin(json, "batches");
    json_u64(json, "made", s->batches_made);
    json_u64(json, "waiting", s->spool.waiting);
    json_u64(json, "waiting_octets", s->spool.waiting_bytes);
    json_u64(json, "acknowledged", s->spool.acknowledged);
    json_u64(json, "refused", s->spool.refused);
    json_u64(json, "lost", s->spool.lost);
    json_object_end(json);
}

static void add_receipt(struct json_writer *json, const struct uplink_status *u)
{
    const struct receipt *r = &u->last_receipt;
    if (!u->has_receipt) {
        json_no_value(json, "last_receipt");
        return;
    }
    json_object_begin(json, "last_receipt");
    json_u64(json, "sequence", r->sequence);
    json_text(json, "status", receipt_status_text(r->status));
    json_u64(json, "ledger_index", r->ledger_index);
    json_hex(json, "batch_hash", r->batch_hash.bytes, DIGEST_LEN);
    add_time(json, "received", wall_from_ms(r->received_ms));
    json_object_end(json);
}

static const char *quality_text(enum clock_quality quality)
{
    static const char *const texts[] = {[CLOCK_UNSYNCHRONISED] =
                                            "unsynchronised",
                                        [CLOCK_INFORMATIVE] = "informative",
                                        [CLOCK_SYNCHRONISED] = "synchronised",
                                        [CLOCK_RELATIVE] = "relative"};
    return texts[quality];
}

void status_print(const struct probe_status *s, struct buffer *out)
{
    struct json_writer json;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_text(&json, "probe", s->probe_id);
    add_time(&json, "started", s->started);
    add_time(&json, "written", s->now);
    json_text(&json, "interface", s->interface);
    json_text(&json, "link_type", s->link_type);
    json_text(&json, "filter", filter_kind_text(s->filter_kind));
    json_u64(&json, "rules", s->rules);
    add_kernel(&json, s);
    add_process(&json, &s->meter);
    add_flows(&json, &s->meter);
    add_batches(&json, s);
    json_bool(&json, "connected", s->uplink.is_connected);
    add_receipt(&json, &s->uplink);
    add_time(&json, "certificate_end", s->certificate_end);
    json_text(&json, "clock", quality_text(s->clock_quality));
    json_object_end(&json);
    buffer_add_text(out, "\n");
}

void status_write(const struct probe_status *s, const char *state,
                  bool *has_failed)
{
    char path[DURABLE_PATH_LEN];
    struct buffer text;
    buffer_init(&text, STATUS_MAX);
    status_print(s, &text);
    bool good = !text.failed && durable_path(path, state, "status.json") &&
                durable_write(path, buffer_slice(&text), 0644);
    if (!good && !*has_failed)
        log_warn("%s/status.json: cannot be written: %s", state,
                 strerror(errno));
    *has_failed = !good;
    buffer_clear(&text);
}
