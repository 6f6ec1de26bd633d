/*
 * `yz-collector rebuild`: flow detail and usage again from the archive.
 *
 * Ledger, leaves and events stay as they are; what was derived from counted
 * batches is deleted and added up anew, in one transaction. A batch that
 * cannot be read back stops it and leaves everything as it was. Usage that
 * batches reach whose bytes retention deleted stays as it is, too.
 */
#ifndef COLLECTOR_LEDGER_REBUILD_H
#define COLLECTOR_LEDGER_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/ledger/schema.h"
#include "common/log.h"

struct rebuild_result {
    uint64_t batches, records;
    uint64_t gone; /* counted batches whose bytes retention deleted */
};

bool rebuild_all(const struct ledger_paths *paths,
                 struct rebuild_result *result, struct error_text *error);

#endif
