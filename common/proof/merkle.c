/*
 * The compact range works like a binary counter: adding a leaf carries, and
 * every carry joins two subtrees of the same size. The root joins what is
 * left from the smallest subtree to the largest, which is RFC 6962's split at
 * the largest power of two below the count.
 */
#include "common/proof/merkle.h"

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

bool merkle_range_root(merkle_subtree_fn *subtree, void *context,
                       uint64_t start, uint64_t end, struct digest *root)
{
    struct merkle_tree tree = {.count = end - start};
    for (unsigned level = MERKLE_DEPTH; level-- > 0;) {
        if ((tree.count >> level & 1) == 0)
            continue;
        if (!subtree(context, start, level, &tree.peaks[level]))
            return false;
        start += UINT64_C(1) << level;
    }
    *root = merkle_root(&tree);
    return true;
}

/* --- proofs: made from the root down, and then turned round --- */

struct prover {
    merkle_subtree_fn *subtree;
    void *context;
    struct merkle_path *path;
};

static bool add_range(struct prover *p, uint64_t start, uint64_t end)
{
    return p->path->count < MERKLE_DEPTH &&
           merkle_range_root(p->subtree, p->context, start, end,
                             &p->path->hashes[p->path->count++]);
}

/* The largest power of two below n; n > 1. */
static uint64_t split_of(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void turn_round(struct merkle_path *path)
{
    for (size_t i = 0, k = path->count; i + 1 < k; i++) {
        struct digest hash = path->hashes[i];
        path->hashes[i] = path->hashes[--k];
        path->hashes[k] = hash;
    }
}

bool merkle_prove_inclusion(merkle_subtree_fn *subtree, void *context,
                            uint64_t index, uint64_t size,
                            struct merkle_path *path)
{
    struct prover p = {subtree, context, path};
    uint64_t start = 0, end = size;
    path->count = 0;
    while (end - start > 1) {
        uint64_t middle = start + split_of(end - start);
        bool is_left = index < middle;
        if (!(is_left ? add_range(&p, middle, end)
                      : add_range(&p, start, middle)))
            return false;
        *(is_left ? &end : &start) = middle;
    }
    turn_round(path);
    return true;
}

bool merkle_prove_consistency(merkle_subtree_fn *subtree, void *context,
                              uint64_t old_size, uint64_t size,
                              struct merkle_path *path)
{
    struct prover p = {subtree, context, path};
    uint64_t start = 0, end = size;
    bool is_whole = true; /* [start, old_size) is the whole older tree */
    path->count = 0;
    if (old_size == 0)
        return true;
    while (old_size != end) {
        uint64_t middle = start + split_of(end - start);
        bool is_left = old_size <= middle;
        if (!(is_left ? add_range(&p, middle, end)
                      : add_range(&p, start, middle)))
            return false;
        is_whole = is_whole && is_left;
        *(is_left ? &end : &start) = middle;
    }
    if (!is_whole && !add_range(&p, start, end))
        return false;
    turn_round(path);
    return true;
}

bool merkle_check_inclusion(struct digest leaf, uint64_t index, uint64_t size,
                            const struct merkle_path *path, struct digest root)
{
    uint64_t node = index, last = size - 1;
    struct digest hash = leaf;
    if (index >= size)
        return false;
    for (size_t i = 0; i < path->count; i++) {
        if (last == 0)
            return false;
        if ((node & 1) || node == last) {
            hash = merkle_node_hash(path->hashes[i], hash);
            for (; !(node & 1) && node != 0; node >>= 1)
                last >>= 1;
        } else {
            hash = merkle_node_hash(hash, path->hashes[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && digest_equal(hash, root);
}

/* Both roots are computed from the same hashes; `first` is where the older
 * tree's last complete subtree starts. */
static bool joins_to(struct digest first, const struct digest *hashes,
                     size_t count, uint64_t node, uint64_t last,
                     struct digest old_root, struct digest root)
{
    struct digest older = first, newer = first;
    for (size_t i = 0; i < count; i++) {
        if (last == 0)
            return false;
        if ((node & 1) || node == last) {
            older = merkle_node_hash(hashes[i], older);
            newer = merkle_node_hash(hashes[i], newer);
            for (; !(node & 1) && node != 0; node >>= 1)
                last >>= 1;
        } else {
            newer = merkle_node_hash(newer, hashes[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && digest_equal(older, old_root) &&
           digest_equal(newer, root);
}

bool merkle_check_consistency(uint64_t old_size, struct digest old_root,
                              uint64_t size, struct digest root,
                              const struct merkle_path *path)
{
    if (old_size > size)
        return false;
    if (old_size == size)
        return path->count == 0 && digest_equal(old_root, root);
    if (old_size == 0)
        return path->count == 0;
    uint64_t node = old_size - 1, last = size - 1;
    for (; node & 1; node >>= 1)
        last >>= 1;
    bool is_power = (old_size & (old_size - 1)) == 0;
    if (!is_power && path->count == 0)
        return false;
    return joins_to(is_power ? old_root : path->hashes[0],
                    path->hashes + (is_power ? 0 : 1),
                    path->count - (is_power ? 0 : 1), node, last, old_root,
                    root);
}
