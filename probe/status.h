/*
 * STATE/status.json: how the probe is doing, for people and for `status`.
 *
 * Rewritten whole, so that a reader never sees half of it. Numbers are since
 * the start of the process unless they say otherwise.
 */
#ifndef PROBE_STATUS_H
#define PROBE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "capture/filter.h"
#include "common/batch.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "meter/meter.h"
#include "probe/renewer.h"
#include "probe/sandbox_report.h"
#include "probe/spool.h"
#include "probe/uplink.h"

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
    struct uplink_status uplink;
    bool has_clock_offset;
    int64_t clock_offset_ms;  /* to the collector's clock */
    uint64_t registry_serial; /* of the list in force; 0: not known */
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
/* The JSON text, with a final newline. */
void status_print(const struct probe_status *status, struct buffer *out);
/* STATE/status.json; a failure is logged once until it works again. */
void status_write(const struct probe_status *status, const char *state,
                  bool *has_failed);

#endif
