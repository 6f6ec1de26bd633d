/* Cosignatures of witnesses, brought back to the collector. */
#ifndef COLLECTOR_TLOG_COSIGN_H
#define COLLECTOR_TLOG_COSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"
#include "common/proof/note.h"

enum { COSIGN_WITNESSES_MAX = 64 };

/* The public keys in a folder, one a file (note_key_load); names are unique.
 * "" has none. */
struct cosign_witnesses {
    struct note_key keys[COSIGN_WITNESSES_MAX];
    size_t count;
};
bool cosign_witnesses_load(const char *folder,
                           struct cosign_witnesses *witnesses,
                           struct error_text *error);

/* The one of this name, NULL without. */
const struct note_key *cosign_witness(const struct cosign_witnesses *witnesses,
                                      const char *name);

/* Takes what known witnesses signed on a checkpoint of ours and stores it
 * beside the row, in a transaction. *taken counts lines that were new. False
 * with a reason: no checkpoint of this log, a wrong signature, or none of a
 * known witness. */
bool cosign_take(struct db *db, const struct note_key *log,
                 const struct cosign_witnesses *witnesses, struct slice file,
                 size_t *taken, struct error_text *error);

#endif
