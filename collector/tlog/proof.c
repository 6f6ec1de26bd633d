/*
 * The three forms differ in their first lines only; behind an empty line always
 * stands a checkpoint. All sizes are bounded by PROOF_MAX and MERKLE_DEPTH.
 */
#include "collector/tlog/proof.h"

#include <inttypes.h>
#include <string.h>

#include "collector/tlog/log_tree.h"
#include "common/base64.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

/* --- reading --- */

/* "WORD rest" of a line. */
static bool after_word(struct slice line, const char *word, struct slice *rest)
{
    struct slice first;
    *rest = line;
    return slice_next(rest, ' ', &first) && slice_equal_text(first, word) &&
           rest->data != NULL;
}

static bool read_number(struct slice text, uint64_t *number)
{
    return parse_u64(text, 0, INT64_MAX, number) &&
           (text.length == 1 || text.data[0] != '0');
}

/* Up to the empty line. */
static bool read_path(struct slice *rest, struct merkle_path *path)
{
    struct slice line;
    while (slice_next(rest, '\n', &line) && rest->data != NULL) {
        if (line.length == 0)
            return true;
        if (path->count == MERKLE_DEPTH ||
            !note_read_base64(line, path->hashes[path->count].bytes,
                              DIGEST_LEN))
            return false;
        path->count++;
    }
    return false;
}

static bool read_leaf(struct slice text, struct proof *proof)
{
    struct buffer leaf;
    buffer_init(&leaf, sizeof(proof->leaf));
    bool good = base64_read(text, &leaf);
    proof->leaf_length = good ? leaf.length : 0;
    if (good && leaf.length > 0)
        memcpy(proof->leaf, leaf.data, leaf.length);
    buffer_clear(&leaf);
    return good;
}

static bool read_inclusion(struct slice *rest, struct proof *proof)
{
    struct slice line, value;
    proof->kind = PROOF_INCLUSION;
    return slice_next(rest, '\n', &line) && after_word(line, "extra", &value) &&
           read_leaf(value, proof) && slice_next(rest, '\n', &line) &&
           after_word(line, "index", &value) &&
           read_number(value, &proof->index) && read_path(rest, &proof->path);
}

bool proof_read(struct slice file, struct proof *proof,
                struct error_text *error)
{
    struct slice rest = file, line = {0}, value;
    bool good = true;
    *proof = (struct proof){0};
    if (file.length > PROOF_MAX)
        return error_set(error, "more than %d bytes", PROOF_MAX);
    slice_next(&rest, '\n', &line);
    if (slice_equal_text(line, FIRST_LINE)) {
        good = read_inclusion(&rest, proof);
    } else if (after_word(line, "old", &value)) {
        proof->kind = PROOF_CONSISTENCY;
        good = read_number(value, &proof->old_size) &&
               read_path(&rest, &proof->path);
    } else {
        rest = file;
    }
    if (!good)
        return error_set(error, "a proof that is not of the form");
    proof->file = rest;
    return note_split(rest, &proof->note, error) &&
           checkpoint_read(proof->note.text, &proof->checkpoint, error);
}

/* --- checking --- */

bool proof_check_inclusion(const struct proof *proof,
                           struct ledger_leaf_view *leaf,
                           struct error_text *error)
{
    const struct checkpoint *c = &proof->checkpoint;
    if (!merkle_check_inclusion(
            merkle_leaf_hash(proof->leaf, proof->leaf_length), proof->index,
            c->size, &proof->path, c->root))
        return error_set(error, "the proof does not lead from the leaf to the "
                                "checkpoint's root");
    if (!ledger_leaf_view(slice_of_bytes(proof->leaf, proof->leaf_length),
                          leaf) ||
        leaf->index != proof->index + 1)
        return error_set(error, "the leaf is not a ledger row of that place");
    return true;
}

bool proof_check_consistency(const struct proof *proof,
                             const struct checkpoint *older,
                             struct error_text *error)
{
    const struct checkpoint *c = &proof->checkpoint;
    if (strcmp(older->origin, c->origin) != 0)
        return error_set(error, "the older checkpoint is of %s, this one of %s",
                         older->origin, c->origin);
    if (older->size != proof->old_size)
        return error_set(error,
                         "the proof starts at %" PRIu64 " batches, the older "
                         "checkpoint has %" PRIu64,
                         proof->old_size, older->size);
    return merkle_check_consistency(older->size, older->root, c->size, c->root,
                                    &proof->path) ||
           error_set(error,
                     "split view: the log of %" PRIu64 " batches is not the "
                     "beginning of the one of %" PRIu64,
                     older->size, c->size);
}

/* --- making --- */

static void add_path(const struct merkle_path *path, struct slice note,
                     struct buffer *out)
{
    for (size_t i = 0; i < path->count; i++) {
        base64_add_word(out, slice_of_bytes(path->hashes[i].bytes, DIGEST_LEN));
        buffer_add_u8(out, '\n');
    }
    buffer_add_u8(out, '\n');
    buffer_add_slice(out, note);
}

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

bool proof_make_inclusion(struct db *db, uint64_t ledger_index, uint64_t size,
                          struct buffer *out, struct error_text *error)
{
    struct buffer leaf, note;
    struct checkpoint c;
    struct merkle_path path;
    bool good = false;
    buffer_init(&leaf, LEDGER_LEAF_MAX);
    buffer_init(&note, NOTE_MAX);
    if (!find_leaf(db, ledger_index, &leaf, error) ||
        !checkpoint_find(db, size, &c, &note, error))
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
    buffer_add_text(out, FIRST_LINE "\nextra ");
    base64_add_word(out, slice_of_bytes(leaf.data, leaf.length));
    buffer_addf(out, "\nindex %" PRIu64 "\n", ledger_index - 1);
    add_path(&path, buffer_slice(&note), out);
    good = !out->failed || error_set(error, "the proof is too long");
out:
    buffer_clear(&leaf);
    buffer_clear(&note);
    return good;
}

bool proof_make_consistency(struct db *db, uint64_t old_size, uint64_t size,
                            struct buffer *out, struct error_text *error)
{
    struct buffer note;
    struct checkpoint c;
    struct merkle_path path;
    bool good = false;
    buffer_init(&note, NOTE_MAX);
    if (!checkpoint_find(db, size, &c, &note, error))
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
        buffer_addf(out, "old %" PRIu64 "\n", old_size);
        add_path(&path, buffer_slice(&note), out);
        good = !out->failed || error_set(error, "the proof is too long");
    }
out:
    buffer_clear(&note);
    return good;
}
