/* Each metric without labels is a row of probe_numbers; those with labels have a
 * function each. */
#include "probe/state/probe_metrics.h"

#include <inttypes.h>
#include <string.h>

#include "common/program.h"
#include "probe/state/probe_number.h"

#define PREFIX "yunzheng_probe_"

static void add_head(struct buffer *out, const char *name, const char *type,
                     const char *help)
{
    metrics_add_head(out, PREFIX, name, type, help);
}

static void add_rows(const struct probe_status *s, struct buffer *out)
{
    for (size_t i = 0; i < probe_number_count; i++) {
        const struct probe_number *n = &probe_numbers[i];
        if (n->metric == NULL || (n->is_known != NULL && !n->is_known(s)))
            continue;
        add_head(out, n->metric, n->type, n->help);
        buffer_addf(out, PREFIX "%s %" PRIu64 "\n", n->metric,
                    probe_number_value(n, s));
    }
}

static void add_seconds(struct buffer *out, const char *name, const char *help,
                        struct wall_time time)
{
    int64_t ms = wall_to_ms(time);
    if (ms <= 0)
        return; /* not known */
    add_head(out, name, "gauge", help);
    buffer_addf(out, PREFIX "%s %" PRId64 ".%03" PRId64 "\n", name, ms / 1000,
                ms % 1000);
}

static void add_times(const struct probe_status *s, struct buffer *out)
{
    add_seconds(out, "start_time_seconds", "When the probe started.",
                s->started);
    add_seconds(out, "status_time_seconds", "When these numbers were read.",
                s->now);
    add_seconds(out, "certificate_expiry_time_seconds",
                "End of validity of the probe's certificate.",
                s->certificate_end);
    if (s->renewal != NULL && !s->renewal->is_gone)
        add_seconds(out, "certificate_renewal_time_seconds",
                    "When the certificate is renewed, or tried again.",
                    s->renewal->next);
    add_seconds(out, "clock_compared_time_seconds",
                "When the clock was compared with the collector's.",
                s->side.clock_taken);
    add_seconds(out, "registry_issued_time_seconds",
                "When the newest list of endpoints was issued.",
                s->side.registry_issued);
    add_seconds(out, "registry_confirmed_time_seconds",
                "When the collector last said which list is the newest.",
                s->side.registry_told);
    add_seconds(out, "challenge_time_seconds",
                "When the last challenge was received.",
                s->side.challenge_taken);
    add_seconds(out, "challenge_answered_time_seconds",
                "When a batch last answered a challenge.", s->challenge_named);
    if (s->uplink.has_receipt)
        add_seconds(out, "last_receipt_time_seconds",
                    "When the collector received the last acknowledged batch.",
                    wall_from_ms(s->uplink.last_receipt.received_ms));
}

/* Ours is behind when it is positive. */
static void add_offset(const struct probe_status *s, struct buffer *out)
{
    int64_t ms = s->side.clock_offset_ms;
    if (!status_has_offset(s))
        return;
    uint64_t gap = (uint64_t)(ms < 0 ? -ms : ms);
    add_head(out, "clock_offset_seconds", "gauge",
             "The collector's clock less the probe's.");
    buffer_addf(out,
                PREFIX "clock_offset_seconds %s%" PRIu64 ".%03" PRIu64 "\n",
                ms < 0 ? "-" : "", gap / 1000, gap % 1000);
}

/* The newest list, and whether the last that came was refused. */
static void add_registry(const struct probe_status *s, struct buffer *out)
{
    if (s->side.registry_serial > 0) {
        add_head(out, "registry_serial", "gauge",
                 "Number of the newest list of endpoints, as the collector "
                 "told in this run.");
        buffer_addf(out, PREFIX "registry_serial %" PRIu64 "\n",
                    s->side.registry_serial);
    }
    if (s->side.known_serial == 0 && s->side.refusals == 0)
        return;
    add_head(out, "registry_refused", "gauge",
             "1 while the list that the collector sends is refused, by "
             "reason.");
    for (int i = REFUSED_NONE + 1; i < REFUSED_COUNT; i++) {
        const struct metrics_label label = {
            "reason", status_refusal_word((enum registry_refusal)i)};
        metrics_add_sample(out, PREFIX, "registry_refused", &label, 1,
                           (int)s->side.refusal == i);
    }
}

static void add_identity(const struct probe_status *s, struct buffer *out)
{
    char registry[DIGEST_HEX_LEN];
    digest_to_hex(s->registry_version, registry);
    if (digest_equal(s->registry_version, (struct digest){{0}}))
        registry[0] = '\0'; /* not known */
    const struct metrics_label labels[] = {
        {"probe", s->probe_id},
        {"version", PROGRAM_VERSION},
        {"filter", filter_kind_text(s->filter_kind)},
        {"registry", registry}};
    add_head(out, "info", "gauge", "Who the probe is; the value is always 1.");
    metrics_add_sample(out, PREFIX, "info", labels, 4, 1);
    add_head(out, "uplink_connected", "gauge",
             "1 while the collector is connected.");
    buffer_addf(out, PREFIX "uplink_connected %d\n", s->uplink.is_connected);
    add_head(out, "clock_synchronised", "gauge",
             "1 while the kernel says that its clock is synchronised.");
    buffer_addf(out, PREFIX "clock_synchronised %d\n",
                s->clock_quality == CLOCK_SYNCHRONISED);
}

static void add_renewal(const struct probe_status *s, struct buffer *out)
{
    if (s->renewal == NULL)
        return;
    add_head(out, "certificate_renewal_failures", "gauge",
             "Attempts to renew the certificate that failed in a row.");
    buffer_addf(out, PREFIX "certificate_renewal_failures %" PRIu32 "\n",
                s->renewal->failures);
    add_head(out, "certificate_renewer_up", "gauge",
             "1 while the process that renews the certificate is there.");
    buffer_addf(out, PREFIX "certificate_renewer_up %d\n",
                !s->renewal->is_gone);
}

static void add_undecodable(const struct probe_status *s, struct buffer *out)
{
    add_head(out, "undecodable_packets_total", "counter",
             "Packets that could not be read, by reason.");
    for (int i = 0; i < UNDECODABLE_COUNT; i++) {
        const struct metrics_label label = {
            "reason", status_undecodable_text((enum undecodable)i)};
        metrics_add_sample(out, PREFIX, "undecodable_packets_total", &label, 1,
                           s->meter.undecodable[i]);
    }
}

static void add_interface_series(const struct probe_status *s,
                                 struct buffer *out, const char *name,
                                 const char *help, size_t offset)
{
    if (s->interface_count == 0)
        return;
    add_head(out, name, "counter", help);
    for (size_t i = 0; i < s->interface_count; i++) {
        const struct probe_interface *n = &s->interfaces[i];
        const struct metrics_label labels[] = {{"interface", n->name},
                                               {"link_type", n->link_type}};
        uint64_t value;
        memcpy(&value, (const char *)n + offset, sizeof(value));
        metrics_add_sample(out, PREFIX, name, labels, 2, value);
    }
}

static void add_measure(struct buffer *out, const struct sandbox_report *r,
                        const char *measure, uint64_t value)
{
    const struct metrics_label labels[] = {{"process", r->process},
                                           {"measure", measure}};
    metrics_add_sample(out, PREFIX, "sandbox", labels, 2, value);
}

static void add_sandbox(const struct probe_status *s, struct buffer *out)
{
    if (s->process_count == 0)
        return;
    add_head(out, "sandbox", "gauge",
             "What the sandbox of a process reached: 1 in force; for "
             "capabilities how many are left, for landlock_abi its version.");
    for (size_t i = 0; i < s->process_count; i++) {
        const struct sandbox_report *r = &s->processes[i];
        uint64_t kept = (uint64_t)__builtin_popcountll(r->capabilities);
        add_measure(out, r, "root_left", r->root_left);
        add_measure(out, r, "no_new_privileges", r->no_new_privileges);
        add_measure(out, r, "seccomp_filter", r->seccomp_filter);
        add_measure(out, r, "files_denied", r->files_denied);
        add_measure(out, r, "sockets_denied", r->sockets_denied);
        add_measure(out, r, "capabilities", kept);
        add_measure(out, r, "landlock_abi",
                    r->landlock_abi > 0 ? (uint64_t)r->landlock_abi : 0);
    }
}

void probe_metrics_print(const struct probe_status *s, struct buffer *out)
{
    add_identity(s, out);
    add_times(s, out);
    add_offset(s, out);
    add_registry(s, out);
    add_renewal(s, out);
    add_rows(s, out);
    add_undecodable(s, out);
    add_interface_series(s, out, "interface_received_packets_total",
                         "Packets that passed the kernel filter.",
                         offsetof(struct probe_interface, received));
    add_interface_series(s, out, "interface_dropped_packets_total",
                         "Packets that the kernel dropped.",
                         offsetof(struct probe_interface, dropped));
    add_sandbox(s, out);
}
