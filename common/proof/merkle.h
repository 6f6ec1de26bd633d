/*
 * Merkle tree hashes as in RFC 6962, section 2.1, with SHA-256.
 *
 * Leaves are hashed with a 0x00 in front and inner nodes with a 0x01, so that
 * neither can be passed off as the other. The tree is kept as its compact
 * range: one hash for each complete subtree of a power-of-two size, at most
 * 64 of them, so that a log of any length needs 2 KiB.
 *
 * Proofs (RFC 6962, sections 2.1.1 and 2.1.2) are made from the roots of
 * complete subtrees, which the caller supplies, so that no proof reads more
 * than a handful of them; they are checked with nothing but the proof.
 */
#ifndef COMMON_PROOF_MERKLE_H
#define COMMON_PROOF_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/digest.h"

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

/* Root of the complete subtree of 2^level leaves from leaf `start` (counted
 * from 0, a multiple of 2^level). False when it cannot be had. */
typedef bool merkle_subtree_fn(void *context, uint64_t start, unsigned level,
                               struct digest *root);

/* Root of leaves [start, end), where start is a multiple of the largest power
 * of two in end - start, as it is wherever RFC 6962 splits. */
bool merkle_range_root(merkle_subtree_fn *subtree, void *context,
                       uint64_t start, uint64_t end, struct digest *root);

/* A proof's hashes, from the leaf's side to the root's. */
struct merkle_path {
    size_t count;
    struct digest hashes[MERKLE_DEPTH];
};

/* Leaf `index` (from 0) is in the tree of the first `size` leaves: index < size.
 * False when a subtree cannot be had. */
bool merkle_prove_inclusion(merkle_subtree_fn *subtree, void *context,
                            uint64_t index, uint64_t size,
                            struct merkle_path *path);
/* The first old_size of `size` leaves are the older tree: old_size <= size.
 * Empty from 0 and between equals. */
bool merkle_prove_consistency(merkle_subtree_fn *subtree, void *context,
                              uint64_t old_size, uint64_t size,
                              struct merkle_path *path);

/* Checked as in RFC 9162, sections 2.1.3.2 and 2.1.4.2. */
bool merkle_check_inclusion(struct digest leaf, uint64_t index, uint64_t size,
                            const struct merkle_path *path, struct digest root);
bool merkle_check_consistency(uint64_t old_size, struct digest old_root,
                              uint64_t size, struct digest root,
                              const struct merkle_path *path);

#endif
