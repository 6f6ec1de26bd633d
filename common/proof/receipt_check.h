/*
 * Receipts that a probe kept, held against a signed checkpoint or proof: with
 * public keys alone, far from the collector's database.
 *
 * A receipt goes out when its batch is in the log, and a checkpoint is signed
 * each hour. So the log of a checkpoint that was signed an hour after a receipt
 * has the receipt's batch; when it is shorter, its tail was cut off, or an older
 * copy took its place. And when the proof is that a batch is in the log, the
 * batch stands at the row that its receipt names.
 */
#ifndef COMMON_PROOF_RECEIPT_CHECK_H
#define COMMON_PROOF_RECEIPT_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/sign.h"
#include "common/proof/proof.h"

enum { RECEIPT_AGE_MS = 3600 * 1000 };

struct receipt_check {
    uint64_t covered; /* receipts whose batch the checkpoint's log can have */
    uint64_t newer;   /* given out too shortly before it was signed, or later */
    uint64_t refused; /* batches that the collector did not take */
    bool has_batch;   /* the proof is about a batch, and its receipt agrees */
};

/* Signatures and paths of the proof are the caller's to check. False with a
 * reason that begins with "cut:" or "rollback:" where the two contradict each
 * other; also without a receipt of this key, or without that of the batch. */
bool receipt_check(const struct proof *proof, struct slice receipts,
                   enum sign_algorithm algorithm, struct slice public_key,
                   struct receipt_check *result, struct error_text *error);

#endif
