/*
 * STATE/status.json: how the probe is doing, for people and for `status`.
 *
 * Rewritten whole, so that a reader never sees half of it. Numbers are since
 * the start of the process unless they say otherwise.
 */
#ifndef PROBE_STATUS_H
#define PROBE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/capture.h"
#include "capture/filter.h"
#include "common/batch.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "meter/meter.h"
#include "probe/spool.h"
#include "probe/uplink.h"

struct probe_status {
    const char *probe_id, *interface, *link_type;
    struct wall_time started, now;
    enum filter_kind filter_kind;
    uint64_t rules;
    struct filter_counters kernel;
    struct capture_counters capture;
    struct meter_counters meter;
    uint64_t batches_made;
    struct spool_totals spool;
    struct uplink_status uplink;
    struct wall_time certificate_end;
    enum clock_quality clock_quality;
};

/* The JSON text, with a final newline. */
void status_print(const struct probe_status *status, struct buffer *out);
/* STATE/status.json; a failure is logged once until it works again. */
void status_write(const struct probe_status *status, const char *state,
                  bool *has_failed);

#endif
