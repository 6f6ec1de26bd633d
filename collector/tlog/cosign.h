/* Cosignatures of witnesses, brought back to the collector. */
#ifndef COLLECTOR_TLOG_COSIGN_H
#define COLLECTOR_TLOG_COSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/db.h"
#include "common/log.h"
#include "common/proof/note.h"
#include "common/proof/note_keys.h"

/* Takes what known witnesses signed on a checkpoint of ours and stores it
 * beside the row, in a transaction. *taken counts lines that were new. False
 * with a reason: no checkpoint of this log, a wrong signature, or none of a
 * known witness. */
bool cosign_take(struct db *db, const struct note_key *log,
                 const struct note_keys *witnesses, struct slice file,
                 size_t *taken, struct error_text *error);

#endif
