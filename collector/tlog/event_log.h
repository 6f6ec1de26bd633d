/*
 * The events under the checkpoints: one hash over all of them in their order,
 *
 *   hash of none: zeros
 *   SHA-256(EVENT_LOG_PREFIX, hash until then, events since then)
 *
 * taken anew at each checkpoint, which signs count and hash. An event that is
 * changed, taken out or put in later shows. Of each goes in what never changes:
 * not how often it came again, nor how it ended.
 */
#ifndef COLLECTOR_TLOG_EVENT_LOG_H
#define COLLECTOR_TLOG_EVENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/db.h"
#include "common/proof/checkpoint.h"

#define EVENT_LOG_PREFIX "yunzheng events 1\n"

/* Adds the events after log->count, up to `end`; `schema` is "main" or "live".
 * log->count stays below `end` when an event is missing. False when they cannot
 * be read. */
bool event_log_extend(struct db *db, const char *schema, struct event_log *log,
                      uint64_t end);
/* The newest event's number, 0 without any. */
bool event_log_end(struct db *db, uint64_t *end);

#endif
