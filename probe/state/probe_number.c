#include "probe/state/probe_number.h"

#include <string.h>

#include "common/text.h"
#include "probe/process/exporter.h"

static bool kernel_counts(const struct probe_status *s)
{
    return s->kernel.is_known;
}

static bool has_memory(const struct probe_status *s)
{
    return s->memory_rss_bytes != 0;
}

static bool has_table(const struct probe_status *s)
{
    return s->flow_limit != 0;
}

static bool has_receipt(const struct probe_status *s)
{
    return s->uplink.has_receipt;
}

static bool has_serial(const struct probe_status *s)
{
    return s->side.known_serial > 0;
}

#define AT(member)   offsetof(struct probe_status, member)
#define INTO(member) offsetof(struct exporter_period, member)

const struct probe_number probe_numbers[] = {
    {NULL, NULL, "filter_rules", "gauge",
     "Registered prefixes valid now in the kernel.", AT(rules)},
    {NULL, NULL, "kernel_seen_packets_total", "counter",
     "Packets that the kernel filter looked at.", AT(kernel.seen_packets),
     .is_known = kernel_counts},
    {NULL, NULL, "kernel_seen_bytes_total", "counter",
     "Bytes of the packets that the kernel filter looked at.",
     AT(kernel.seen_octets), .is_known = kernel_counts},
    {NULL, NULL, "kernel_matched_packets_total", "counter",
     "Packets of registered services, let through by the kernel filter.",
     AT(kernel.matched_packets), .is_known = kernel_counts},
    {NULL, NULL, "kernel_matched_bytes_total", "counter",
     "Bytes of packets that the kernel filter let through.",
     AT(kernel.matched_octets), .is_known = kernel_counts},
    {NULL, NULL, "captured_packets_total", "counter",
     "Packets that passed the kernel filter, dropped ones included.",
     AT(capture.received), .in_period = INTO(packets_seen)},
    {"kernel", "dropped", "dropped_packets_total", "counter",
     "Packets of registered services that the kernel dropped, for lack of room "
     "in its buffer.",
     AT(capture.dropped), .fault = TEXT_KEY("probe.status.fault.dropped"),
     .in_period = INTO(packets_dropped),
     .warning = "packets were dropped by the kernel since the last batch; "
                "raise buffer_mb or workers"},
    {"process", "packets", "counted_packets_total", "counter",
     "Packets counted in flows.", AT(meter.packets)},
    {"process", "octets", "counted_bytes_total", "counter",
     "IP bytes counted in flows.", AT(meter.octets)},
    {"process", "filtered", "filtered_packets_total", "counter",
     "Well-formed packets that were towards nothing registered.",
     AT(meter.filtered)},
    {"process", "duplicates", "duplicate_packets_total", "counter",
     "Packets seen twice and counted once.", AT(duplicates)},
    {"flows", "begun", "flows_total", "counter", "Flows begun.",
     AT(meter.flows)},
    {"flows", "evicted", "flows_evicted_total", "counter",
     "Flows reported early because the table was full.", AT(meter.evicted),
     .fault = TEXT_KEY("probe.status.fault.evicted"),
     .in_period = INTO(flows_evicted),
     .warning = "flows were reported early since the last batch, for want of "
                "room; raise flow_limit"},
    {"flows", "active", "flows_active", "gauge", "Flows held now.",
     AT(meter.active_flows)},
    {"memory", "flow_limit", "flows_limit", "gauge",
     "Flows that can be held at once.", AT(flow_limit), .is_known = has_table},
    {"memory", "flow_table_bytes", "flow_table_bytes", "gauge",
     "Memory of the flow table, fixed at start.", AT(flow_table_bytes),
     .is_known = has_table},
    {"memory", "rss_bytes", "resident_memory_bytes", "gauge",
     "Resident memory of all processes.", AT(memory_rss_bytes),
     .is_known = has_memory},
    {"memory", "peak_bytes", "resident_memory_peak_bytes", "gauge",
     "Highest resident memory of all processes.", AT(memory_peak_bytes),
     .is_known = has_memory},
    {"batches", "made", "batches_total", "counter", "Batches made.",
     AT(batches_made)},
    {"batches", "waiting", "batches_waiting", "gauge",
     "Batches that wait for their receipt.", AT(spool.waiting)},
    {"batches", "waiting_octets", "batches_waiting_bytes", "gauge",
     "Bytes of batches that wait.", AT(spool.waiting_bytes)},
    {"batches", "acknowledged", "batches_acknowledged_total", "counter",
     "Batches with a valid receipt.", AT(spool.acknowledged)},
    {"batches", "refused", "batches_refused_total", "counter",
     "Batches that the collector will not count.", AT(spool.refused),
     .fault = TEXT_KEY("probe.status.fault.refused")},
    {"batches", "lost", "batches_lost_total", "counter",
     "Batches given up for lack of room, or found damaged.", AT(spool.lost),
     .fault = TEXT_KEY("probe.status.fault.lost")},
    {"batches", "bound_octets", "spool_limit_bytes", "gauge",
     "Bound of the batches that wait.", AT(spool.bound_bytes)},
    {"batches", "in_memory_octets", "batches_in_memory_bytes", "gauge",
     "Bytes of batches that the disk does not take.",
     AT(spool.in_memory_bytes)},
    {"loss_records", "told", "loss_records_total", "counter",
     "Signed records of lost batches that are in batches on disk.",
     AT(spool.losses.told)},
    {"loss_records", "waiting", "loss_records_waiting", "gauge",
     "Records of lost batches for the next batch to carry.",
     AT(spool.losses.waiting)},
    {"loss_records", "waiting_batches",
     .offset = AT(spool.losses.waiting_batches)},
    {"uplink", "failures", "uplink_failures", "gauge",
     "Connections that failed since a receipt.", AT(uplink.failures)},
    {"receipts", "kept_octets", "receipts_kept_bytes", "gauge",
     "Bytes of receipts that are kept.", AT(receipts.bytes)},
    {"receipts", "days", .offset = AT(receipts.days)},
    {"registry", "known_serial", "registry_known_serial", "gauge",
     "Highest number of a list of endpoints that is known.",
     AT(side.known_serial), .is_known = has_serial},
    {"registry", "refusals", "registry_refused_total", "counter",
     "Lists of endpoints from the collector that were refused.",
     AT(side.refusals)},
    {NULL, NULL, "challenges_total", "counter", "Challenges received.",
     AT(side.challenges)},
    {"uplink", "attempts", "uplink_attempts_total", "counter",
     "Attempts to reach the collector.", AT(uplink.attempts)},
    {NULL, NULL, "receipts_total", "counter", "Receipts received.",
     AT(uplink.receipts)},
    {NULL, NULL, "last_receipt_ledger_index", "gauge",
     "Place of the last acknowledged batch in the collector's ledger.",
     AT(uplink.last_receipt.ledger_index), .is_known = has_receipt},
};
const size_t probe_number_count =
    sizeof(probe_numbers) / sizeof(probe_numbers[0]);
_Static_assert(sizeof(probe_numbers) / sizeof(probe_numbers[0]) <=
                   PROBE_NUMBERS_MAX,
               "what was told of each finds room");

uint64_t probe_number_value(const struct probe_number *number,
                            const struct probe_status *status)
{
    uint64_t value;
    memcpy(&value, (const char *)status + number->offset, sizeof(value));
    return value;
}

const struct probe_number *probe_number_next(const char *group,
                                             const struct probe_number *after)
{
    const struct probe_number *n = after == NULL ? probe_numbers : after + 1;
    for (; n < probe_numbers + probe_number_count; n++)
        if (n->group != NULL && strcmp(n->group, group) == 0)
            return n;
    return NULL;
}
