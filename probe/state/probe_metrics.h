/*
 * Metrics of the probe for Prometheus: their text, which a server hands out
 * (common/metrics_server.h).
 *
 * Text format 0.0.4. Names begin with yunzheng_probe_, units are seconds and
 * bytes, counters end in _total and count since the start of the probe.
 */
#ifndef PROBE_STATE_PROBE_METRICS_H
#define PROBE_STATE_PROBE_METRICS_H

#include "common/buffer.h"
#include "common/metrics_server.h"
#include "probe/state/status.h"

/* Adds all metrics to out. */
void probe_metrics_print(const struct probe_status *status, struct buffer *out);

#endif
