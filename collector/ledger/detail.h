/*
 * Flow detail: the connection records of counted batches (F27), one compressed
 * block a batch (common/wire/flow_block.h). Functions run inside the caller's
 * transaction on usage.db.
 */
#ifndef COLLECTOR_LEDGER_DETAIL_H
#define COLLECTOR_LEDGER_DETAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/db.h"
#include "common/slice.h"

/* Writes the block of a batch; a batch without records has none. */
bool detail_store(struct db *db, uint64_t ledger_index, size_t record_count,
                  struct slice block);

/* The block of a batch, borrowed until the statement is reset: prepare, step
 * (DB_DONE: there is none), detail_block. `schema` is "main" or "live". */
struct db_statement *detail_prepare_batch(struct db *db, const char *schema,
                                          uint64_t ledger_index);
struct slice detail_block(struct db_statement *s, size_t *record_count);

#endif
