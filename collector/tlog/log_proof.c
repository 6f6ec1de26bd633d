#include "collector/tlog/log_proof.h"

#include <inttypes.h>

#include "collector/ledger/ledger.h"
#include "collector/tlog/log_checkpoint.h"
#include "collector/tlog/log_tree.h"
#include "common/proof/leaf.h"
#include "common/proof/proof.h"

static bool tree_failed(struct db *db, struct error_text *error)
{
    return error_set(error,
                     "the Merkle tree has a hole or cannot be read (%s); run "
                     "'yz-collector check'",
                     db_error(db));
}

static bool find_leaf(struct db *db, uint64_t index, struct buffer *leaf,
                      struct error_text *error)
{
    struct ledger_row row;
    bool found;
    if (!ledger_find_row(db, index, &row, &found))
        return error_set(error, "%s", db_error(db));
    if (!found)
        return error_set(error, "there is no ledger row %" PRIu64, index);
    ledger_leaf_data(&row, leaf);
    return !leaf->failed || error_set(error, "the row is too long");
}

bool log_proof_make_inclusion(struct db *db, uint64_t ledger_index,
                              uint64_t size, struct buffer *out,
                              struct error_text *error)
{
    struct buffer leaf, note;
    struct checkpoint c;
    struct merkle_path path;
    bool good = false;
    buffer_init(&leaf, LEAF_MAX);
    buffer_init(&note, NOTE_MAX);
    if (!find_leaf(db, ledger_index, &leaf, error) ||
        !log_checkpoint_find(db, size, &c, &note, error))
        goto out;
    if (ledger_index > c.size) {
        error_set(error,
                  "batch %" PRIu64 " is not under a checkpoint yet: the last "
                  "one has %" PRIu64 "; 'yz-collector checkpoint' makes one",
                  ledger_index, c.size);
        goto out;
    }
    if (!log_tree_prove_inclusion(db, ledger_index - 1, c.size, &path)) {
        tree_failed(db, error);
        goto out;
    }
    proof_write_inclusion(buffer_slice(&leaf), ledger_index - 1, &path,
                          buffer_slice(&note), out);
    good = !out->failed || error_set(error, "the proof is too long");
out:
    buffer_clear(&leaf);
    buffer_clear(&note);
    return good;
}

bool log_proof_make_consistency(struct db *db, uint64_t old_size, uint64_t size,
                                struct buffer *out, struct error_text *error)
{
    struct buffer note;
    struct checkpoint c;
    struct merkle_path path;
    bool good = false;
    buffer_init(&note, NOTE_MAX);
    if (!log_checkpoint_find(db, size, &c, &note, error))
        goto out;
    if (old_size > c.size)
        error_set(error,
                  "--from %" PRIu64 ": the checkpoint has %" PRIu64 " batches",
                  old_size, c.size);
    else if (!log_tree_prove_consistency(db, old_size, c.size, &path))
        tree_failed(db, error);
    else
        good = true;
    if (good) {
        proof_write_consistency(old_size, &path, buffer_slice(&note), out);
        good = !out->failed || error_set(error, "the proof is too long");
    }
out:
    buffer_clear(&note);
    return good;
}
