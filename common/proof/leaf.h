/*
 * The leaf of a batch in the log: what its ledger row says, in a fixed form.
 *
 *   LEAF_PREFIX, then the members of the row; integers as 8 bytes big-endian,
 *   texts and byte strings as a 4-byte length and the bytes:
 *   index, probe, boot, sequence, hash of the batch, hash of the one before,
 *   enterprise, site, and what a proof is not about
 *
 * Its hash in the tree is SHA-256(0x00 || data) (merkle.h). The collector's
 * ledger writes it; what a proof is about is read back here.
 */
#ifndef COMMON_PROOF_LEAF_H
#define COMMON_PROOF_LEAF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/digest.h"
#include "common/slice.h"
#include "common/wire/batch.h"

#define LEAF_PREFIX "yunzheng ledger 1\n"

enum { LEAF_MAX = 2048, LEAF_ID_LEN = 64 };

struct leaf_view {
    uint64_t index, sequence;
    char probe_id[PROBE_ID_LEN];
    struct digest hash; /* of the batch */
    char enterprise_id[LEAF_ID_LEN], site_id[LEAF_ID_LEN];
};
bool leaf_read(struct slice data, struct leaf_view *view);

#endif
