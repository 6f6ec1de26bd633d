/*
 * The compact range works like a binary counter: adding a leaf carries, and
 * every carry joins two subtrees of the same size. The root joins what is
 * left from the smallest subtree to the largest, which is RFC 6962's split at
 * the largest power of two below the count.
 */
#include "ledger/merkle.h"

#include <string.h>

struct digest merkle_leaf_hash(const void *data, size_t length)
{
    struct digest_stream *s = digest_stream_new();
    digest_stream_add(s, "\x00", 1);
    digest_stream_add(s, data, length);
    struct digest hash = digest_stream_now(s);
    digest_stream_free(s);
    return hash;
}

struct digest merkle_node_hash(struct digest left, struct digest right)
{
    uint8_t bytes[1 + 2 * DIGEST_LEN] = {0x01};
    memcpy(bytes + 1, left.bytes, DIGEST_LEN);
    memcpy(bytes + 1 + DIGEST_LEN, right.bytes, DIGEST_LEN);
    return digest_of(bytes, sizeof(bytes));
}

void merkle_add(struct merkle_tree *tree, struct digest leaf)
{
    int i = 0;
    for (uint64_t carry = tree->count; carry & 1; carry >>= 1, i++)
        leaf = merkle_node_hash(tree->peaks[i], leaf);
    tree->peaks[i] = leaf;
    tree->count++;
}

struct digest merkle_root(const struct merkle_tree *tree)
{
    if (tree->count == 0)
        return digest_of("", 0);
    int i = __builtin_ctzll(tree->count);
    struct digest root = tree->peaks[i];
    while (++i < MERKLE_DEPTH)
        if (tree->count >> i & 1)
            root = merkle_node_hash(tree->peaks[i], root);
    return root;
}
