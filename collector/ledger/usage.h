/*
 * Usage: sums for (enterprise, site, endpoint, 5 minutes, source, demo or not).
 *
 * The records of one batch are added up in memory (struct usage_sums, pure, any
 * thread) and then written with one upsert for each cell (struct usage_table,
 * inside the caller's transaction). Counts fall into the 5 minutes in which a
 * record starts. `minutes` has a bit for each minute between start and end of a
 * two-way record; the cells it reaches into beyond its own get the bits and
 * zero counts. `hosts` is exact over all batches.
 */
#ifndef COLLECTOR_LEDGER_USAGE_H
#define COLLECTOR_LEDGER_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/wire/flow_record.h"

enum {
    USAGE_BUCKET_S = 300,
    USAGE_CELLS_MAX = 1 << 17, /* in one batch; a real one has hundreds */
    /* After so long no batch that counts can reach into 5 minutes any more: 72
     * hours until it comes, a day of its period, a day that a record may lie
     * outside of it (intake.h). Hosts are known by name until then. */
    USAGE_OPEN_S = 5 * 86400,
};

/* --- adding up --- */

struct usage_sums;

struct usage_sums *usage_sums_new(void); /* NULL without memory */
void usage_sums_free(struct usage_sums *sums);
/* Empties it. */
void usage_sums_reset(struct usage_sums *sums);
size_t usage_sums_size(const struct usage_sums *sums); /* bytes held */
enum usage_added {
    USAGE_ADDED,
    USAGE_TOO_MANY_CELLS,
    USAGE_NO_MEMORY,
};
/* Times must have passed intake: a record's duration is bounded. */
enum usage_added usage_sums_add(struct usage_sums *sums,
                                const struct flow_record *record);

/* --- writing --- */

struct usage_scope {
    const char *enterprise_id;
    const char *site_id;
    const char *source; /* ledger_source_text */
    bool is_sample, is_scaled;
    int64_t from_bucket; /* cells before it are left as they are */
};

struct ledger_row;
/* Where the records of this row's batch are added up; borrows from the row. */
struct usage_scope usage_scope_of(const struct ledger_row *row);

struct usage_table;

struct usage_table *usage_table_new(struct db *db); /* NULL without memory */
void usage_table_free(struct usage_table *table);
/* After a rollback: keys remembered may name rows that are gone. */
void usage_table_forget(struct usage_table *table);
/* Writes the sums and empties them. */
bool usage_store(struct usage_table *table, struct usage_sums *sums,
                 const struct usage_scope *scope);
/* Forgets who was seen in 5 minutes that are over for good (USAGE_OPEN_S);
 * demo data, which may come later, is kept until `demo`. */
bool usage_forget_hosts(struct db *db, struct wall_time now,
                        struct wall_time demo);

#endif
