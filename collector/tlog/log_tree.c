/*
 * A complete subtree of 2^level leaves is joined from at most 255 stored hashes
 * of the level below it that is a multiple of 8: leaves, or rows of merkle_node.
 * A hole shows as a count that is not right, never as another root.
 */
#include "collector/tlog/log_tree.h"

#include <string.h>

enum { FANOUT = 1 << LOG_TREE_BITS };

static bool read_number(struct db_statement *s, uint64_t *number)
{
    bool good = s != NULL && db_step(s) == DB_ROW;
    if (good)
        *number = db_u64(s, 0);
    if (s != NULL)
        db_reset(s);
    return good;
}

bool log_tree_size(struct db *db, uint64_t *size)
{
    return read_number(
        db_prepare(db, "SELECT ifnull(max(idx), 0) FROM merkle_leaf"), size);
}

static struct db_statement *prepare_hashes(struct db *db, unsigned level)
{
    if (level == 0)
        return db_prepare(db, "SELECT hash FROM merkle_leaf WHERE idx > :first "
                              "AND idx <= :first + :count ORDER BY idx");
    struct db_statement *s = db_prepare(
        db, "SELECT hash FROM merkle_node WHERE level = :level "
            "AND idx >= :first AND idx < :first + :count ORDER BY idx");
    if (s != NULL)
        db_bind_i64(s, ":level", level);
    return s;
}

/* Root over `count` (a power of two) hashes of a level from `first`. */
static bool join_hashes(struct db *db, unsigned level, uint64_t first,
                        uint64_t count, struct digest *root)
{
    struct db_statement *s = prepare_hashes(db, level);
    struct merkle_tree tree = {0};
    enum db_step step = DB_FAILED;
    if (s == NULL)
        return false;
    db_bind_u64(s, ":first", first);
    db_bind_u64(s, ":count", count);
    while ((step = db_step(s)) == DB_ROW) {
        struct digest node;
        if (!digest_read(db_blob(s, 0), &node))
            break;
        merkle_add(&tree, node);
    }
    db_reset(s);
    *root = merkle_root(&tree);
    return step == DB_DONE && tree.count == count;
}

static bool subtree(void *context, uint64_t start, unsigned level,
                    struct digest *root)
{
    unsigned stored = level / LOG_TREE_BITS;
    if (stored > LOG_TREE_LEVELS)
        return false;
    return join_hashes(context, stored, start >> (stored * LOG_TREE_BITS),
                       UINT64_C(1) << (level % LOG_TREE_BITS), root);
}

static bool count_stored(struct db *db, unsigned level, uint64_t *count)
{
    struct db_statement *s =
        db_prepare(db, "SELECT ifnull(max(idx) + 1, 0) FROM merkle_node "
                       "WHERE level = :level");
    if (s != NULL)
        db_bind_i64(s, ":level", level);
    return read_number(s, count);
}

static bool store_node(struct db *db, unsigned level, uint64_t index)
{
    struct digest root;
    if (!join_hashes(db, level - 1, index * FANOUT, FANOUT, &root))
        return false;
    struct db_statement *s =
        db_prepare(db, "INSERT INTO merkle_node (level, idx, hash) "
                       "VALUES (:level, :idx, :hash)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":level", level);
    db_bind_u64(s, ":idx", index);
    db_bind_blob(s, ":hash", root.bytes, DIGEST_LEN);
    return db_do(s);
}

bool log_tree_extend(struct db *db, uint64_t size, uint64_t most, bool *is_done)
{
    *is_done = false;
    for (unsigned level = 1; level <= LOG_TREE_LEVELS; level++) {
        uint64_t stored, complete = size >> (level * LOG_TREE_BITS);
        if (!count_stored(db, level, &stored))
            return false;
        for (; stored < complete; stored++) {
            if (most-- == 0)
                return true;
            if (!store_node(db, level, stored))
                return false;
        }
    }
    *is_done = true;
    return true;
}

bool log_tree_root(struct db *db, uint64_t size, struct digest *root)
{
    return merkle_range_root(subtree, db, 0, size, root);
}

bool log_tree_prove_inclusion(struct db *db, uint64_t index, uint64_t size,
                              struct merkle_path *path)
{
    return merkle_prove_inclusion(subtree, db, index, size, path);
}

bool log_tree_prove_consistency(struct db *db, uint64_t old_size, uint64_t size,
                                struct merkle_path *path)
{
    return merkle_prove_consistency(subtree, db, old_size, size, path);
}
