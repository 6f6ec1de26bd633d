/* The reference leaves and roots of RFC 6962 implementations. */
#include "common/proof/merkle.h"

#include "tests/test.h"

static const struct {
    const char *leaf;
    size_t length;
    const char *root; /* of the leaves up to this one */
} VECTORS[] = {
    {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"\x00", 1,
     "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"\x10", 1,
     "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"\x20\x21", 2,
     "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"\x30\x31", 2,
     "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"\x40\x41\x42\x43", 4,
     "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
     "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

/* The definition itself: split at the largest power of two below n. */
static struct digest root_by_definition(const struct digest *leaves, size_t n)
{
    if (n == 1)
        return leaves[0];
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    return merkle_node_hash(root_by_definition(leaves, k),
                            root_by_definition(leaves + k, n - k));
}

enum { PROOF_LEAVES = 70 };
static struct digest proof_leaves[PROOF_LEAVES];

static bool subtree_of_leaves(void *context, uint64_t start, unsigned level,
                              struct digest *root)
{
    (void)context;
    *root = root_by_definition(proof_leaves + start, (size_t)1 << level);
    return true;
}

/* The proof holds, and not for anything beside it. */
static bool inclusion_holds(uint64_t index, uint64_t size)
{
    struct merkle_path path;
    struct digest root = root_by_definition(proof_leaves, size);
    if (!merkle_prove_inclusion(subtree_of_leaves, NULL, index, size, &path) ||
        !merkle_check_inclusion(proof_leaves[index], index, size, &path, root))
        return false;
    struct digest other = proof_leaves[index];
    other.bytes[0] ^= 1;
    bool is_loose = merkle_check_inclusion(other, index, size, &path, root) ||
                    (size > 1 && merkle_check_inclusion(proof_leaves[index],
                                                        (index + 1) % size,
                                                        size, &path, root));
    path.count++;
    is_loose = is_loose || merkle_check_inclusion(proof_leaves[index], index,
                                                  size, &path, root);
    return !is_loose;
}

static bool consistency_holds(uint64_t old_size, uint64_t size)
{
    struct merkle_path path;
    struct digest old_root = root_by_definition(proof_leaves, old_size);
    struct digest root = root_by_definition(proof_leaves, size);
    if (!merkle_prove_consistency(subtree_of_leaves, NULL, old_size, size,
                                  &path) ||
        !merkle_check_consistency(old_size, old_root, size, root, &path))
        return false;
    struct digest other = old_root;
    other.bytes[31] ^= 1;
    bool is_loose =
        merkle_check_consistency(old_size, other, size, root, &path);
    other = root;
    other.bytes[0] ^= 1;
    is_loose = is_loose ||
               merkle_check_consistency(old_size, old_root, size, other, &path);
    if (old_size < size) {
        path.count++;
        is_loose = is_loose || merkle_check_consistency(old_size, old_root,
                                                        size, root, &path);
    }
    return !is_loose;
}

static void test_proofs(void)
{
    int failed = 0;
    for (size_t i = 0; i < PROOF_LEAVES; i++)
        proof_leaves[i] = merkle_leaf_hash(&i, sizeof(i));

    test_case("every leaf of every tree up to 70 is proved, and no other");
    for (uint64_t size = 1; size <= PROOF_LEAVES; size++)
        for (uint64_t index = 0; index < size; index++)
            failed += !inclusion_holds(index, size);
    CHECK_I64(failed, 0);

    test_case("every older tree of every tree is proved, and no other");
    for (uint64_t size = 1; size <= PROOF_LEAVES; size++)
        for (uint64_t old_size = 1; old_size <= size; old_size++)
            failed += !consistency_holds(old_size, size);
    CHECK_I64(failed, 0);

    test_case("proofs at the edges");
    struct merkle_path path = {0};
    struct digest any = proof_leaves[0];
    CHECK(!merkle_check_inclusion(any, 0, 0, &path, any));
    CHECK(!merkle_check_inclusion(any, 5, 5, &path, any));
    CHECK(merkle_check_consistency(0, any, 9, any, &path));
    CHECK(!merkle_check_consistency(9, any, 8, any, &path));
    CHECK(!merkle_check_consistency(3, any, 8, any, &path));
}

int main(void)
{
    struct merkle_tree tree = {0};
    char hex[DIGEST_HEX_LEN];

    test_case("the empty tree has the hash of nothing");
    digest_to_hex(merkle_root(&tree), hex);
    CHECK_TEXT(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
                    "7852b855");

    test_case("reference vectors for 1 to 8 leaves");
    for (size_t i = 0; i < sizeof(VECTORS) / sizeof(VECTORS[0]); i++) {
        merkle_add(&tree, merkle_leaf_hash(VECTORS[i].leaf, VECTORS[i].length));
        digest_to_hex(merkle_root(&tree), hex);
        CHECK_TEXT(hex, VECTORS[i].root);
    }

    test_case("the running root is the root by definition, 1 to 130 leaves");
    struct digest leaves[130];
    tree = (struct merkle_tree){0};
    for (size_t i = 0; i < 130; i++) {
        leaves[i] = merkle_leaf_hash(&i, sizeof(i));
        merkle_add(&tree, leaves[i]);
        CHECK(digest_equal(merkle_root(&tree),
                           root_by_definition(leaves, i + 1)));
    }

    test_case("a leaf is never hashed like a node");
    struct digest two[2] = {leaves[0], leaves[1]};
    CHECK(!digest_equal(merkle_leaf_hash(two, sizeof(two)),
                        merkle_node_hash(leaves[0], leaves[1])));
    test_proofs();
    return test_end();
}
