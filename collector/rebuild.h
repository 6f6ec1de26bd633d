/*
 * `yz-collector rebuild`: flow detail and usage again from the archive.
 *
 * Ledger, leaves and events stay as they are; what was derived from counted
 * batches is deleted and added up anew, in one transaction. A batch that
 * cannot be read back stops it and leaves everything as it was.
 */
#ifndef COLLECTOR_REBUILD_H
#define COLLECTOR_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/collector_config.h"
#include "common/log.h"

struct rebuild_result {
    uint64_t batches, records;
};

bool rebuild_all(const struct collector_config *config,
                 struct rebuild_result *result, struct error_text *error);

#endif
