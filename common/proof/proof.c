/*
 * The three forms differ in their first lines only; behind an empty line always
 * stands a checkpoint. All sizes are bounded by PROOF_MAX and MERKLE_DEPTH.
 */
#include "common/proof/proof.h"

#include <inttypes.h>
#include <string.h>

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

bool proof_check_inclusion(const struct proof *proof, struct leaf_view *leaf,
                           struct error_text *error)
{
    const struct checkpoint *c = &proof->checkpoint;
    if (!merkle_check_inclusion(
            merkle_leaf_hash(proof->leaf, proof->leaf_length), proof->index,
            c->size, &proof->path, c->root))
        return error_set(error, "the proof does not lead from the leaf to the "
                                "checkpoint's root");
    if (!leaf_read(slice_of_bytes(proof->leaf, proof->leaf_length), leaf) ||
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

/* --- writing --- */

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

void proof_write_inclusion(struct slice leaf, uint64_t index,
                           const struct merkle_path *path, struct slice note,
                           struct buffer *out)
{
    buffer_add_text(out, FIRST_LINE "\nextra ");
    base64_add_word(out, leaf);
    buffer_addf(out, "\nindex %" PRIu64 "\n", index);
    add_path(path, note, out);
}

void proof_write_consistency(uint64_t old_size, const struct merkle_path *path,
                             struct slice note, struct buffer *out)
{
    buffer_addf(out, "old %" PRIu64 "\n", old_size);
    add_path(path, note, out);
}
