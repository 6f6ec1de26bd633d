/*
 * Metrics and health of the collector, as text (common/metrics_server.h hands
 * it out).
 *
 * Names begin with yunzheng_collector_, counters end in _total and count since
 * the start. There is no series for each probe: a province has ten thousand.
 */
#ifndef COLLECTOR_COLLECTOR_METRICS_H
#define COLLECTOR_COLLECTOR_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/committer.h"
#include "collector/daily.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metrics_server.h"

struct collector_status {
    struct wall_time started, now;
    uint64_t workers, max_connections;
    uint64_t connections, strangers; /* strangers: in their handshake */
    uint64_t handshakes, failed_handshakes, superseded, overdue;
    uint64_t batches, received_bytes, pending_bytes;
    struct commit_status commits;
    struct daily_status daily;
    bool is_log_ill;           /* no checkpoint can be signed */
    struct error_text log_why; /* then the reason */
};

/* Adds all metrics to out. */
void collector_metrics_print(const struct collector_status *status,
                             struct buffer *out);
/* "ok", or a line for each thing that is wrong; true when none is. */
bool collector_metrics_health(const struct collector_status *status,
                              struct buffer *out);

#endif
