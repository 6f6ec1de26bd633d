/*
 * What is looked at from time to time beside the work, in a thread of its own
 * with databases of its own: once a day what retention deletes (PRIV-05), every
 * minute how many registered probes are silent, and whether the registry can be
 * read.
 */
#ifndef COLLECTOR_DAILY_H
#define COLLECTOR_DAILY_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/collector_config.h"
#include "collector/ledger/retention.h"
#include "common/clock.h"
#include "common/log.h"

/* A probe sends every 5 minutes, also when nothing happened. */
enum { DAILY_SILENT_S = 15 * 60 };

struct daily_status {
    bool is_registry_readable;
    uint64_t probes, silent_probes; /* registered and not denied; of those */
    struct wall_time retention_at;  /* of the last run, 0: none yet */
    bool has_retention_failed;
    struct retention_result retention; /* of that run */
    uint64_t free_bytes;               /* on the archive's file system */
};

struct daily;

/* The config is borrowed. NULL with a reason. */
struct daily *daily_start(const struct collector_config *config,
                          struct error_text *error);
void daily_free(struct daily *d); /* ends it; what it does is finished first */
void daily_read(struct daily *d, struct daily_status *status);

#endif
