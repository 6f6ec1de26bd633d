/*
 * Proofs that an outsider can check with the log's public key alone.
 *
 * Inclusion (C2SP tlog-proof): the batch is in the log that the checkpoint
 * signed. `extra` is the leaf's data, whose hash the proof is about:
 *
 *   c2sp.org/tlog-proof@v1
 *   extra BASE64             the ledger row (leaf.h)
 *   index N                  from 0
 *   HASH ...                 base64, a line each, from the leaf up
 *   (empty line)
 *   the checkpoint with its signatures
 *
 * Consistency, in the form in which witnesses are asked (C2SP tlog-witness,
 * add-checkpoint): the log of M batches is the beginning of the checkpoint's:
 *
 *   old M
 *   HASH ...
 *   (empty line)
 *   the checkpoint with its signatures
 *
 * Reading takes either, or a checkpoint alone.
 */
#ifndef COMMON_PROOF_PROOF_H
#define COMMON_PROOF_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/proof/checkpoint.h"
#include "common/proof/leaf.h"
#include "common/proof/merkle.h"
#include "common/proof/note.h"

enum { PROOF_MAX = NOTE_MAX + 16 * 1024 };

enum proof_kind { PROOF_NONE, PROOF_INCLUSION, PROOF_CONSISTENCY };

struct proof {
    enum proof_kind kind; /* PROOF_NONE: a checkpoint alone */
    uint64_t index;       /* of an inclusion, from 0 */
    uint64_t old_size;    /* of a consistency */
    struct merkle_path path;
    uint8_t leaf[LEAF_MAX];
    size_t leaf_length;
    struct slice file; /* of the checkpoint; these are borrowed */
    struct note note;
    struct checkpoint checkpoint;
};

/* False with a reason. No signature and no hash is looked at. */
bool proof_read(struct slice file, struct proof *proof,
                struct error_text *error);
/* The leaf is in the checkpoint's tree; *leaf is what it says. */
bool proof_check_inclusion(const struct proof *proof, struct leaf_view *leaf,
                           struct error_text *error);
/* The older checkpoint's tree is the beginning of the proof's. */
bool proof_check_consistency(const struct proof *proof,
                             const struct checkpoint *older,
                             struct error_text *error);

/* The first two forms; `note` is the checkpoint with its signatures. A proof that is
 * too long leaves `out` failed. */
void proof_write_inclusion(struct slice leaf, uint64_t index,
                           const struct merkle_path *path, struct slice note,
                           struct buffer *out);
void proof_write_consistency(uint64_t old_size, const struct merkle_path *path,
                             struct slice note, struct buffer *out);

#endif
