/*
 * The numbers that the probe counts, each one row of a table. Of a row are made
 * its member of status.json, what `status` says of it in words, its metric for
 * Prometheus, and, where it has them, what each batch tells of the time since the
 * batch before and the line in the log about that.
 *
 * To add one: its member in struct probe_status (status.h), a row here, and for
 * people {key} in the sentence probe.status.GROUP of text/probe.po.
 */
#ifndef PROBE_STATE_PROBE_NUMBER_H
#define PROBE_STATE_PROBE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/state/status.h"

struct probe_number {
    /* Its place in status.json; NULL: it has none. */
    const char *group, *key;
    /* The metric; NULL: it is none. */
    const char *metric, *type, *help;
    size_t offset; /* of a uint64_t in struct probe_status */
    /* NULL: always. What is not known is no metric. */
    bool (*is_known)(const struct probe_status *status);
    /* A text that says what to do when it is not 0. */
    const char *fault;
    /* What it grew by since the last batch, in struct exporter_period; 0: the
     * batch says nothing of it. */
    size_t in_period;
    /* The log's words behind that number, when it is not 0. */
    const char *warning;
};

extern const struct probe_number probe_numbers[];
extern const size_t probe_number_count;
enum { PROBE_NUMBERS_MAX = 64 };

uint64_t probe_number_value(const struct probe_number *number,
                            const struct probe_status *status);
/* The next of a group of status.json behind `after` (NULL: the first of it);
 * NULL at the end. */
const struct probe_number *probe_number_next(const char *group,
                                             const struct probe_number *after);

#endif
