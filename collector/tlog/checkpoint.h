/*
 * Checkpoints: what the collector signed about its log, hour by hour.
 *
 * A checkpoint (C2SP tlog-checkpoint) is a signed note of these lines:
 *
 *   ORIGIN                     the log's name, also the name of its key
 *   SIZE                       leaves, decimal
 *   ROOT                       RFC 6962 root of them, base64
 *   time 2026-11-25T08:00:00.000Z    an extension line: when it was signed
 *   events COUNT HASH          another: the first so many events, and the hash
 *                              over them (event_log.h), base64
 *
 * Each is a row of usage.db first and then a file NUMBER.checkpoint in a
 * folder, never written again. A checkpoint is only made of a tree that has
 * the last one's as its beginning. When it has not, or when the folder knows
 * checkpoints that usage.db does not, somebody put an older usage.db in place
 * or changed it: nothing more is signed under that origin (CHECKPOINT_ROLLBACK).
 * A log that begins anew, say from a backup, does so under another origin.
 */
#ifndef COLLECTOR_TLOG_CHECKPOINT_H
#define COLLECTOR_TLOG_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/tlog/event_log.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/db.h"
#include "common/proof/note.h"

struct checkpoint {
    uint64_t number; /* of the row and file; 0: not known */
    char origin[NOTE_NAME_LEN];
    uint64_t size;
    struct digest root;
    bool has_time; /* other logs' checkpoints may have none */
    struct wall_time made;
    bool has_events; /* so does every one of ours */
    struct event_log events;
};

/* The note's text. */
void checkpoint_write(const struct checkpoint *checkpoint, struct buffer *text);
bool checkpoint_read(struct slice text, struct checkpoint *checkpoint,
                     struct error_text *error);
/* A note's text. False with a reason, also when the signature of `key` is
 * missing or wrong. */
bool checkpoint_read_signed(const struct note *note, const struct note_key *key,
                            struct checkpoint *checkpoint,
                            struct error_text *error);

/* --- usage.db --- */

/* The newest, and whether there is one. False when it cannot be read. */
bool checkpoint_last(struct db *db, struct checkpoint *checkpoint, bool *found);
/* The newest one of this size (0: of any size); its note with all cosignatures
 * is added to `note`, which may be NULL. */
bool checkpoint_find(struct db *db, uint64_t size,
                     struct checkpoint *checkpoint, struct buffer *note,
                     struct error_text *error);

/* --- making --- */

struct log_settings {
    const char *folder; /* of the files */
    const char *origin;
    const struct sign_key *key;
};

enum checkpoint_status {
    CHECKPOINT_MADE,
    CHECKPOINT_ROLLBACK,
    CHECKPOINT_FAILED, /* for now: a disk, a lock */
};

/* Outside any transaction; runs several short ones. Both failures come with a
 * reason. */
enum checkpoint_status checkpoint_make(struct db *db,
                                       const struct log_settings *settings,
                                       struct wall_time now,
                                       struct checkpoint *made,
                                       struct error_text *error);
/* False when usage.db (NULL: there is none) is older than the folder's
 * checkpoints of this origin, or cannot be read; to be asked before anything is
 * written, because the archive's writer cuts what the ledger does not know. */
bool checkpoint_guard(struct db *db, const char *folder, const char *origin,
                      struct error_text *error);

#endif
