/*
 * STATE/status.json: how the probe is doing, for people and for `status`.
 *
 * Rewritten whole, so that a reader never sees half of it. Numbers are since
 * the start of the process unless they say otherwise.
 */
#ifndef PROBE_STATE_STATUS_H
#define PROBE_STATE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/wire/batch.h"
#include "probe/capture/capture.h"
#include "probe/capture/filter.h"
#include "probe/meter/meter.h"
#include "probe/process/sandbox_report.h"
#include "probe/state/renewer.h"
#include "probe/uplink/receipts.h"
#include "probe/uplink/return_side.h"
#include "probe/uplink/spool.h"
#include "probe/uplink/uplink.h"

struct probe_interface {
    const char *name, *link_type;
    uint64_t received, dropped; /* packets, as in struct capture_counters */
};

/* A member that the writer does not know stays zero, and is then left out or
 * null in the text: pid, interfaces, certificate_begin, memory, processes. */
struct probe_status {
    const char *probe_id, *interface, *link_type;
    uint32_t pid; /* of the process that outlives the others */
    struct wall_time started, now;
    const struct probe_interface *interfaces;
    size_t interface_count;
    enum filter_kind filter_kind;
    const char *looks_through; /* filter_looks_through(); NULL: not told */
    uint64_t rules;            /* valid now, in the kernel */
    struct digest registry_version;
    struct filter_counters kernel;
    struct capture_counters capture;
    struct meter_counters meter;
    uint64_t duplicates; /* packets seen twice and counted once */
    uint64_t memory_rss_bytes,
        memory_peak_bytes;                 /* of all processes, their own;
                                                     the peak as sampled */
    uint64_t flow_limit, flow_table_bytes; /* fixed at start */
    uint64_t batches_made;
    struct spool_totals spool;
    const char *disk_fault; /* why it does not take batches; NULL: it does */
    struct receipts_view receipts;
    struct uplink_status uplink;
    struct wall_time uplink_fault_time, uplink_next; /* 0: none */
    struct return_status_view side;
    struct wall_time challenge_named; /* the last was, in a batch; 0: never */
    uint64_t challenge_sequence;      /* that batch's */
    struct wall_time certificate_begin, certificate_end;
    const struct renewer_state *renewal; /* NULL: it is not renewed by itself */
    enum clock_quality clock_quality;
    const struct sandbox_report *processes;
    size_t process_count;
};

/* "synchronised" and so on, as in the text. */
const char *status_clock_text(enum clock_quality quality);
/* Why a packet was not counted: "link", "truncated", "header". */
const char *status_undecodable_text(enum undecodable reason);
/* Of a refused list: "signature", "older", "another". */
const char *status_refusal_word(enum registry_refusal refusal);
/* The offset to the collector's clock is known. */
bool status_has_offset(const struct probe_status *status);
/* The JSON text, with a final newline. */
void status_print(const struct probe_status *status, struct buffer *out);
/* STATE/status.json; a failure is logged once until it works again. */
void status_write(const struct probe_status *status, const char *state,
                  bool *has_failed);

#endif
