/*
 * The part of `yz-collector check` that is about the log: checkpoints in
 * usage.db, their files, cosignatures, stored subtrees; and, where given,
 * checkpoints and receipts that others kept. Only these last show what
 * somebody did who has the whole machine and its keys: a cut tail, a rollback,
 * another history for everybody (split view).
 *
 * What disagrees is named with its class in front: "cut: ...", "edit: ...",
 * "delete: ...", "insert: ...", "reorder: ...", "rollback: ...",
 * "split view: ...".
 *
 * Walk: new before the database is read (a file that is listed then has its
 * row in whatever is read later, also beside a running collector); start; each
 * ledger row in order; end.
 */
#ifndef COLLECTOR_TLOG_LOG_CHECK_H
#define COLLECTOR_TLOG_LOG_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/ledger/ledger.h"
#include "collector/tlog/cosign.h"
#include "common/db.h"
#include "common/log.h"
#include "common/proof/merkle.h"
#include "common/proof/note.h"
#include "common/proof/note_keys.h"

/* All borrowed, any may be NULL or 0. */
struct log_check_options {
    const struct note_key *log;     /* else none of its name is looked at */
    const struct note_keys *former; /* of names that the log had before */
    const struct note_key *receipt; /* key of receipts */
    const char *folder;             /* of checkpoint files */
    const struct note_keys *witnesses;
    uint64_t quorum; /* cosignatures wanted of them */
    struct wall_time recent_since;
    char *const *checkpoints; /* files that others kept */
    size_t checkpoint_count;
    char *const *receipts; /* files of receipts, one or many in each */
    size_t receipt_count;
};

struct log_check_result {
    uint64_t checkpoints, files, missing_files;
    uint64_t without_key;          /* of a name whose key is not there */
    uint64_t cosignatures;         /* of known witnesses, verified */
    uint64_t unknown_cosignatures; /* of others: not looked at */
    /* Checkpoints made since recent_since, and those with the quorum. */
    uint64_t recent, recent_with_quorum;
    uint64_t kept_checkpoints, kept_receipts; /* held against the log */
    uint64_t signed_size; /* batches under the newest checkpoint */
};

struct log_check;

/* NULL with a reason. */
struct log_check *log_check_new(const struct log_check_options *options,
                                struct log_check_result *result,
                                struct error_text *error);
void log_check_free(struct log_check *check);
/* `db` has usage.db attached as `live`, which holds `size` rows. False with the
 * first disagreement or what could not be read, as below. */
bool log_check_start(struct log_check *check, struct db *db, uint64_t size,
                     struct error_text *error);
/* The next row, and its leaf, already in `tree`. */
bool log_check_row(struct log_check *check, const struct ledger_row *row,
                   const struct merkle_tree *tree, struct digest leaf,
                   struct error_text *error);
bool log_check_end(struct log_check *check, struct error_text *error);

/* After a row failed because the tree was not a checkpoint's: its number, size
 * and root, so that the caller can look what would make it right. */
bool log_check_mismatch(const struct log_check *check, uint64_t *number,
                        uint64_t *size, struct digest *root);

#endif
