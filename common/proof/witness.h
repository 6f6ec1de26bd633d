/*
 * The witness: an outsider who signs that a log only ever grew.
 *
 * It knows the log's public key, and keeps the last checkpoint that it
 * cosigned in a file of its own; nothing of the collector is needed. A new
 * checkpoint is cosigned (C2SP tlog-cosignature, version 1) when its signature
 * is right and a consistency proof shows the last one's tree as its beginning.
 * What else is shown to it is refused and named: a split view (another history
 * than the one cosigned) or a rollback (a shorter log).
 */
#ifndef COMMON_PROOF_WITNESS_H
#define COMMON_PROOF_WITNESS_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/proof/note.h"
#include "common/proof/proof.h"

struct witness {
    const char *state; /* file; all borrowed */
    const struct note_key *log;
    const struct sign_key *key;
    const struct note_key *public_key;
};

/* The checkpoint with one signature line more is added to `out`, after the
 * state is on disk. False with a reason; then nothing changed. */
bool witness_cosign(const struct witness *witness, const struct proof *proof,
                    struct wall_time now, struct buffer *out,
                    struct error_text *error);

#endif
