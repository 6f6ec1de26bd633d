/*
 * What `read --local` prints: a flow as the probe sees it, before redaction, as
 * one JSON object on a line. For the enterprise's own eyes; nothing here is
 * ever sent.
 */
#ifndef PROBE_LOCAL_H
#define PROBE_LOCAL_H

#include "common/buffer.h"
#include "probe/meter/flow.h"
#include "probe/meter/meter.h"

void local_add_flow(struct buffer *out, const struct flow *flow);
/* {"summary": {...}}, the line behind all flows. */
void local_add_summary(struct buffer *out,
                       const struct meter_counters *counters);

#endif
