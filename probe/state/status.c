#include "probe/state/status.h"

#include <errno.h>
#include <string.h>

#include "common/durable.h"
#include "common/log.h"
#include "common/writer.h"
#include "probe/state/probe_number.h"

enum { STATUS_MAX = 64 * 1024 };

static void add_time(struct json_writer *json, const char *key,
                     struct wall_time time)
{
    char text[WALL_TEXT_LEN];
    wall_to_text(time, text);
    json_text(json, key, text);
}

/* Left out when it never was. */
static void add_moment(struct json_writer *json, const char *key,
                       struct wall_time time)
{
    if (time.us > 0)
        add_time(json, key, time);
}

/* The numbers of a group, inside of its object. */
static void add_numbers(struct json_writer *json, const struct probe_status *s,
                        const char *group)
{
    const struct probe_number *n = NULL;
    while ((n = probe_number_next(group, n)) != NULL)
        json_u64(json, n->key, probe_number_value(n, s));
}

static void add_group(struct json_writer *json, const struct probe_status *s,
                      const char *group)
{
    json_object_begin(json, group);
    add_numbers(json, s, group);
    json_object_end(json);
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
    add_numbers(json, s, "kernel");
    json_object_end(json);
}

const char *status_refusal_word(enum registry_refusal refusal)
{
    static const char *const words[REFUSED_COUNT] = {
        [REFUSED_NONE] = "none",
        [REFUSED_SIGNATURE] = "signature",
        [REFUSED_OLDER] = "older",
        [REFUSED_ANOTHER] = "another"};
    return (unsigned)refusal < REFUSED_COUNT ? words[refusal] : "other";
}

static void add_interfaces(struct json_writer *json,
                           const struct probe_status *s)
{
    json_array_begin(json, "interfaces");
    for (size_t i = 0; i < s->interface_count; i++) {
        const struct probe_interface *n = &s->interfaces[i];
        json_object_begin(json, NULL);
        json_text(json, "name", n->name);
        json_text(json, "link_type", n->link_type);
        json_u64(json, "received", n->received);
        json_u64(json, "dropped", n->dropped);
        json_object_end(json);
    }
    json_array_end(json);
}

const char *status_undecodable_text(enum undecodable reason)
{
    static const char *const reasons[UNDECODABLE_COUNT] = {
        [UNDECODABLE_LINK] = "link",
        [UNDECODABLE_TRUNCATED] = "truncated",
        [UNDECODABLE_HEADER] = "header"};
    const char *text =
        (unsigned)reason < UNDECODABLE_COUNT ? reasons[reason] : NULL;
    return text == NULL ? "other" : text;
}

static void add_process(struct json_writer *json, const struct probe_status *s)
{
    const struct meter_counters *m = &s->meter;
    json_object_begin(json, "process");
    add_numbers(json, s, "process");
    json_object_begin(json, "undecodable");
    for (int i = 0; i < UNDECODABLE_COUNT; i++)
        json_u64(json, status_undecodable_text(i), m->undecodable[i]);
    json_object_end(json);
    json_object_end(json);
}

static void add_batches(struct json_writer *json, const struct probe_status *s)
{
    json_object_begin(json, "batches");
    add_numbers(json, s, "batches");
    if (s->disk_fault != NULL)
        json_text(json, "disk_fault", s->disk_fault);
    json_object_end(json);
}

static void add_uplink(struct json_writer *json, const struct probe_status *s)
{
    json_object_begin(json, "uplink");
    add_numbers(json, s, "uplink");
    if (s->uplink.failures > 0) {
        json_text(json, "fault", s->uplink.fault);
        add_moment(json, "fault_time", s->uplink_fault_time);
    }
    add_moment(json, "next_attempt", s->uplink_next);
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

static void add_receipts(struct json_writer *json, const struct probe_status *s)
{
    const struct receipts_view *r = &s->receipts;
    json_object_begin(json, "receipts");
    add_numbers(json, s, "receipts");
    if (r->oldest[0] != '\0')
        json_text(json, "oldest", r->oldest);
    json_bool(json, "has_failed", r->has_failed);
    json_object_end(json);
}

static void add_challenge(struct json_writer *json,
                          const struct probe_status *s)
{
    json_object_begin(json, "challenge");
    add_moment(json, "received", s->side.challenge_taken);
    add_moment(json, "answered", s->challenge_named);
    if (s->challenge_sequence > 0)
        json_u64(json, "batch", s->challenge_sequence);
    json_object_end(json);
}

static void add_refusal(struct json_writer *json,
                        const struct return_status_view *v)
{
    if (v->refusal == REFUSED_NONE)
        return;
    json_object_begin(json, "refused");
    json_u64(json, "serial", v->refused_serial);
    add_moment(json, "issued", v->refused_issued);
    json_text(json, "kind", status_refusal_word(v->refusal));
    json_text(json, "reason", return_side_refusal_text(v->refusal));
    add_moment(json, "last", v->refused_taken);
    json_object_end(json);
}

/* Of the list that the collector hands out; which one is in force says
 * registry_version. */
static void add_registry(struct json_writer *json, const struct probe_status *s)
{
    const struct return_status_view *v = &s->side;
    json_object_begin(json, "registry");
    if (v->registry_serial > 0)
        json_u64(json, "serial", v->registry_serial);
    add_moment(json, "issued", v->registry_issued);
    add_moment(json, "confirmed", v->registry_told);
    add_numbers(json, s, "registry");
    add_refusal(json, v);
    json_object_end(json);
}

static void add_sandbox(struct json_writer *json,
                        const struct sandbox_report *r)
{
    json_object_begin(json, NULL);
    json_text(json, "process", r->process);
    json_u64(json, "pid", r->pid);
    json_text(json, "user", r->user);
    json_u64(json, "uid", r->uid);
    json_u64(json, "capabilities", r->capabilities);
    json_bool(json, "no_new_privileges", r->no_new_privileges);
    json_bool(json, "seccomp_filter", r->seccomp_filter);
    json_i64(json, "landlock_abi", r->landlock_abi);
    json_bool(json, "files_denied", r->files_denied);
    json_bool(json, "sockets_denied", r->sockets_denied);
    json_bool(json, "root_left", r->root_left);
    json_text(json, "note", r->note);
    json_object_end(json);
}

static void add_sandboxes(struct json_writer *json,
                          const struct probe_status *s)
{
    json_array_begin(json, "processes");
    for (size_t i = 0; i < s->process_count; i++)
        add_sandbox(json, &s->processes[i]);
    json_array_end(json);
}

static void add_renewal(struct json_writer *json, const struct renewer_state *r)
{
    if (r == NULL) {
        json_no_value(json, "renewal");
        return;
    }
    json_object_begin(json, "renewal");
    if (r->next.us != 0)
        add_time(json, "next", r->next);
    json_u64(json, "renewals", r->renewals);
    json_u64(json, "failures", r->failures);
    json_text(json, "reason", r->reason);
    json_bool(json, "is_gone", r->is_gone);
    json_object_end(json);
}

const char *status_clock_text(enum clock_quality quality)
{
    static const char *const texts[] = {[CLOCK_UNSYNCHRONISED] =
                                            "unsynchronised",
                                        [CLOCK_INFORMATIVE] = "informative",
                                        [CLOCK_SYNCHRONISED] = "synchronised",
                                        [CLOCK_RELATIVE] = "relative"};
    return (unsigned)quality < sizeof(texts) / sizeof(texts[0]) ? texts[quality]
                                                                : "unknown";
}

bool status_has_offset(const struct probe_status *s)
{
    return s->side.clock_taken.us > 0 &&
           s->side.clock_offset_ms != CLOCK_OFFSET_UNKNOWN;
}

void status_print(const struct probe_status *s, struct buffer *out)
{
    struct json_writer json;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    json_text(&json, "probe", s->probe_id);
    json_u64(&json, "pid", s->pid);
    add_time(&json, "started", s->started);
    add_time(&json, "written", s->now);
    json_text(&json, "interface", s->interface);
    json_text(&json, "link_type", s->link_type);
    add_interfaces(&json, s);
    json_text(&json, "filter", filter_kind_text(s->filter_kind));
    if (s->looks_through != NULL)
        json_text(&json, "looks_through", s->looks_through);
    json_u64(&json, "rules", s->rules);
    if (digest_equal(s->registry_version, (struct digest){{0}}))
        json_no_value(&json, "registry_version");
    else
        json_hex(&json, "registry_version", s->registry_version.bytes,
                 DIGEST_LEN);
    add_kernel(&json, s);
    add_process(&json, s);
    add_group(&json, s, "flows");
    add_group(&json, s, "memory");
    add_batches(&json, s);
    add_group(&json, s, "loss_records"); /* of batches that were given up */
    json_bool(&json, "connected", s->uplink.is_connected);
    add_uplink(&json, s);
    add_receipt(&json, &s->uplink);
    add_receipts(&json, s);
    if (s->certificate_begin.us != 0)
        add_time(&json, "certificate_begin", s->certificate_begin);
    add_time(&json, "certificate_end", s->certificate_end);
    add_renewal(&json, s->renewal);
    json_text(&json, "clock", status_clock_text(s->clock_quality));
    if (status_has_offset(s))
        json_i64(&json, "clock_offset_ms", s->side.clock_offset_ms);
    add_moment(&json, "clock_compared", s->side.clock_taken);
    add_registry(&json, s);
    add_challenge(&json, s);
    add_sandboxes(&json, s);
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
