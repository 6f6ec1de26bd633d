/*
 * log_tool LEAVES FOLDER: how long a log of that many leaves takes. Fills
 * FOLDER/usage.db with leaves and prints one figure a line; every proof is also
 * checked. Times are medians of ROUNDS; the clock is read in this tool alone.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "collector/ledger/schema.h"
#include "collector/tlog/log_checkpoint.h"
#include "collector/tlog/log_tree.h"
#include "common/clock.h"
#include "common/db.h"
#include "common/proof/proof.h"

enum { ROUNDS = 101, GROUP = 65536, NEWS = 120000 };
#define ORIGIN "bench.example/log"

static struct db *db;

static void must(bool good, const char *what)
{
    if (!good)
        fatal(1, "%s: %s", what, db_error(db));
}

static struct digest leaf_of(uint64_t i)
{
    return merkle_leaf_hash(&i, sizeof(i));
}

static void add_leaves(uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        if ((i - from) % GROUP == 0)
            must(db_begin(db), "begin");
        struct digest leaf = leaf_of(i);
        struct db_statement *s =
            db_prepare(db, "INSERT INTO merkle_leaf VALUES (:idx, :hash)");
        db_bind_u64(s, ":idx", i + 1);
        db_bind_blob(s, ":hash", leaf.bytes, DIGEST_LEN);
        must(db_do(s), "insert");
        if ((i - from) % GROUP == GROUP - 1 || i + 1 == to)
            must(db_commit(db), "commit");
    }
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_median(const char *what, int64_t us[static ROUNDS])
{
    qsort(us, ROUNDS, sizeof(us[0]), compare);
    printf("%-44s %8.3f ms (slowest %.3f)\n", what,
           (double)us[ROUNDS / 2] / 1000, (double)us[ROUNDS - 1] / 1000);
}

static void make(const struct log_settings *settings, const char *what)
{
    struct checkpoint made;
    struct error_text error;
    struct mono_time start = mono_now();
    if (log_checkpoint_make(db, settings, wall_now(), &made, &error) !=
        LOG_CHECKPOINT_MADE)
        fatal(1, "%s", error.text);
    printf("%-44s %8.1f ms\n", what, (double)(mono_now().us - start.us) / 1000);
}

static uint64_t some(uint64_t below)
{
    uint64_t value;
    random_bytes(&value, sizeof(value));
    return value % below;
}

static void measure_proofs(uint64_t size)
{
    struct digest root, old_root;
    struct merkle_path path;
    int64_t inclusion[ROUNDS], consistency[ROUNDS];
    must(log_tree_root(db, size, &root), "root");
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t index = some(size), old_size = 1 + some(size);
        struct mono_time start = mono_now();
        must(log_tree_prove_inclusion(db, index, size, &path), "inclusion");
        inclusion[i] = mono_now().us - start.us;
        if (!merkle_check_inclusion(leaf_of(index), index, size, &path, root))
            fatal(1, "a proof of inclusion does not hold");
        must(log_tree_root(db, old_size, &old_root), "older root");
        start = mono_now();
        must(log_tree_prove_consistency(db, old_size, size, &path),
             "consistency");
        consistency[i] = mono_now().us - start.us;
        if (!merkle_check_consistency(old_size, old_root, size, root, &path))
            fatal(1, "a proof of consistency does not hold");
    }
    print_median("proof of inclusion", inclusion);
    print_median("proof of consistency", consistency);
}

static int64_t pages_of(const char *table)
{
    struct db_statement *s = db_prepare(
        db, "SELECT ifnull(sum(pgsize), 0) FROM dbstat WHERE name = :name");
    if (s == NULL)
        return 0; /* SQLite without its statistics */
    db_bind_text(s, ":name", table);
    int64_t bytes = db_step(s) == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return bytes;
}

int main(int argc, char **argv)
{
    struct error_text error;
    char usage[PATH_MAX], folder[PATH_MAX];
    uint64_t leaves;
    log_set_program("log_tool");
    if (argc != 3 || !parse_u64(slice_of_text(argv[1]), 1, INT64_MAX, &leaves))
        fatal(2, "usage: log_tool LEAVES FOLDER");
    snprintf(usage, sizeof(usage), "%s/usage.db", argv[2]);
    snprintf(folder, sizeof(folder), "%s/checkpoints", argv[2]);
    db = db_open(usage, DB_WRITE, ledger_migrations, ledger_migration_count,
                 &error);
    if (db == NULL)
        fatal(1, "%s", error.text);
    must(db_run(db, "PRAGMA foreign_keys = OFF"), "pragma");
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    const struct log_settings settings = {folder, ORIGIN, key};
    add_leaves(0, leaves);
    make(&settings, "first checkpoint, all subtrees made");
    add_leaves(leaves, leaves + NEWS);
    make(&settings, "checkpoint, 120,000 batches later");
    make(&settings, "checkpoint, nothing new");
    measure_proofs(leaves + NEWS);
    printf("%-44s %8.2f bytes a leaf\n", "leaves in usage.db",
           (double)pages_of("merkle_leaf") / (double)(leaves + NEWS));
    printf("%-44s %8.2f bytes a leaf\n", "subtrees in usage.db",
           (double)pages_of("merkle_node") / (double)(leaves + NEWS));
    sign_key_free(key);
    db_close(db);
    return 0;
}
