/*
 * Merkle tree hashes as in RFC 6962, section 2.1, with SHA-256.
 *
 * Leaves are hashed with a 0x00 in front and inner nodes with a 0x01, so that
 * neither can be passed off as the other. The tree is kept as its compact
 * range: one hash for each complete subtree of a power-of-two size, at most
 * 64 of them, so that a log of any length needs 2 KiB.
 */
#ifndef LEDGER_MERKLE_H
#define LEDGER_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"

enum { MERKLE_DEPTH = 64 };

struct merkle_tree {
    uint64_t count; /* leaves; bit i set: peaks[i] holds 2^i of them */
    struct digest peaks[MERKLE_DEPTH];
};

struct digest merkle_leaf_hash(const void *data, size_t length);
struct digest merkle_node_hash(struct digest left, struct digest right);

/* A tree starts as {0}. */
void merkle_add(struct merkle_tree *tree, struct digest leaf);
/* MTH of the leaves so far; of none, the hash of the empty string. */
struct digest merkle_root(const struct merkle_tree *tree);

#endif
