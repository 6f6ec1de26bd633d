/*
 * The loss records of batches, and the gaps that they or late batches explain.
 * Inside the caller's transaction on usage.db.
 */
#ifndef COLLECTOR_LEDGER_LOSS_H
#define COLLECTOR_LEDGER_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/db.h"
#include "common/wire/batch.h"

/* Stores what the batch in ledger row `index` says it lost, and gives open gaps
 * their outcome: of the batch's own boot when it is `is_reorder`, and of every
 * boot in its loss records. */
bool loss_store(struct db *db, uint64_t index,
                const struct batch_reader *reader, bool is_reorder);
/* Whether what is stored for that row is what its batch says; `live` is attached.
 * False when it cannot be read. */
bool loss_compare(struct db *db, uint64_t index,
                  const struct batch_reader *reader, bool *is_equal);
/* Notes at the gap's event, just added, which batches are missing; `first` to the batch's
 * own sequence, half open. */
bool loss_note_gap(struct db *db, const struct batch_info *info,
                   struct digest hash, uint64_t first);

#endif
