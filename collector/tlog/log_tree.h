/*
 * The Merkle tree of the ledger as usage.db keeps it: every leaf, and the roots
 * of complete subtrees of 256, 65536, ... leaves (merkle_leaf, merkle_node).
 *
 * log_tree_extend() adds the subtrees that have become complete; root and
 * proofs then read at most 255 hashes a level. Leaf numbers count from 0 here:
 * ledger row i is leaf i - 1.
 */
#ifndef COLLECTOR_TLOG_LOG_TREE_H
#define COLLECTOR_TLOG_LOG_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/db.h"
#include "common/proof/merkle.h"

enum {
    LOG_TREE_BITS = 8, /* a stored subtree has 2^8 of those below it */
    LOG_TREE_LEVELS = 7,
};

/* Leaves so far. */
bool log_tree_size(struct db *db, uint64_t *size);
/* Stores subtrees of the first `size` leaves, at most `most` of them, inside
 * the caller's transaction; *is_done says that none is missing any more. */
bool log_tree_extend(struct db *db, uint64_t size, uint64_t most,
                     bool *is_done);

/* Of the first `size` leaves, for which log_tree_extend() is done. False when
 * something cannot be read or is missing. */
bool log_tree_root(struct db *db, uint64_t size, struct digest *root);
bool log_tree_prove_inclusion(struct db *db, uint64_t index, uint64_t size,
                              struct merkle_path *path);
bool log_tree_prove_consistency(struct db *db, uint64_t old_size, uint64_t size,
                                struct merkle_path *path);

#endif
