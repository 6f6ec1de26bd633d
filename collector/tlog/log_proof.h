/* Proofs of the log (common/proof/proof.h), made from usage.db. */
#ifndef COLLECTOR_TLOG_LOG_PROOF_H
#define COLLECTOR_TLOG_LOG_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/db.h"
#include "common/log.h"

/* Against the newest checkpoint of that size (0: the
 * newest). False with a reason, also when the batch is not under it yet. */
bool log_proof_make_inclusion(struct db *db, uint64_t ledger_index,
                              uint64_t size, struct buffer *out,
                              struct error_text *error);
bool log_proof_make_consistency(struct db *db, uint64_t old_size, uint64_t size,
                                struct buffer *out, struct error_text *error);

#endif
