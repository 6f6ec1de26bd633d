/*
 * Usage: sums for (enterprise, site, endpoint, 5 minutes, source, demo or not).
 *
 * The records of one batch are added up in memory and then written with one
 * upsert for each cell, inside the caller's transaction. Counts fall into the
 * 5 minutes in which a record starts. `minutes` has a bit for each minute
 * between start and end of a two-way record; the cells it reaches into beyond
 * its own get the bits and zero counts. `hosts` is exact over all batches.
 */
#ifndef LEDGER_USAGE_H
#define LEDGER_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/db.h"
#include "common/flow_record.h"

enum {
    USAGE_BUCKET_S = 300,
    USAGE_CELLS_MAX = 1 << 20, /* in one batch; a real one has hundreds */
};

struct usage;

struct usage_scope {
    const char *enterprise_id;
    const char *site_id;
    const char *source; /* ledger_source_text */
    bool is_sample, is_scaled;
};

struct ledger_row;
/* Where the records of this row's batch are added up; borrows from the row. */
struct usage_scope usage_scope_of(const struct ledger_row *row);

struct usage *usage_new(struct db *db); /* NULL without memory */
void usage_free(struct usage *usage);
/* Empties it. */
void usage_reset(struct usage *usage);
/* False when the batch has too many cells, or memory is short. Times must have
 * passed intake: a record's duration is bounded. */
bool usage_add(struct usage *usage, int64_t endpoint,
               const struct flow_record *record);
/* Writes what was added and empties it. */
bool usage_store(struct usage *usage, const struct usage_scope *scope);

#endif
