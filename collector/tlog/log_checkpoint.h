/*
 * Checkpoints (common/proof/checkpoint.h) that the collector makes, hour by hour.
 *
 * Each is a row of usage.db first and then a file NUMBER.checkpoint in a
 * folder, never written again. A checkpoint is only made of a tree that has
 * the last one's as its beginning. When it has not, or when the folder knows
 * checkpoints that usage.db does not, somebody put an older usage.db in place
 * or changed it: nothing more is signed under that origin (LOG_CHECKPOINT_ROLLBACK).
 * A log that begins anew, say from a backup, does so under another origin.
 */
#ifndef COLLECTOR_TLOG_LOG_CHECKPOINT_H
#define COLLECTOR_TLOG_LOG_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/proof/checkpoint.h"

/* The newest, and whether there is one. False when it cannot be read. */
bool log_checkpoint_last(struct db *db, struct checkpoint *checkpoint,
                         bool *found);
/* The newest one of this size (0: of any size); its note with all cosignatures
 * is added to `note`, which may be NULL. */
bool log_checkpoint_find(struct db *db, uint64_t size,
                         struct checkpoint *checkpoint, struct buffer *note,
                         struct error_text *error);

/* --- making --- */

struct log_settings {
    const char *folder; /* of the files */
    const char *origin;
    const struct sign_key *key;
};

enum log_checkpoint_status {
    LOG_CHECKPOINT_MADE,
    LOG_CHECKPOINT_ROLLBACK,
    LOG_CHECKPOINT_FAILED, /* for now: a disk, a lock */
};

/* Outside any transaction; runs several short ones. Both failures come with a
 * reason. */
enum log_checkpoint_status
log_checkpoint_make(struct db *db, const struct log_settings *settings,
                    struct wall_time now, struct checkpoint *made,
                    struct error_text *error);
/* False when usage.db (NULL: there is none) is older than the folder's
 * checkpoints of this origin, or cannot be read; to be asked before anything is
 * written, because the archive's writer cuts what the ledger does not know. */
bool log_checkpoint_guard(struct db *db, const char *folder, const char *origin,
                          struct error_text *error);
/* False when the newest checkpoint of this log's name was signed with another
 * key: a name belongs to one key for ever, or nobody outside could go on from
 * what he kept. */
bool log_checkpoint_key_fits(struct db *db, const struct note_key *log,
                             struct error_text *error);

#endif
