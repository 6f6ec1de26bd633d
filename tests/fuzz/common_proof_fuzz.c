/* Proofs, checkpoints and notes, as strangers hand them to verify, witness and
 * cosign. The key is the one that signed the seeds, so that what stands behind
 * a right signature is reached, too. */
#include <stdlib.h>
#include <string.h>

#include "common/proof/proof.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct proof *proof)
{
    struct leaf_view leaf;
    struct error_text error;
    struct checkpoint older = proof->checkpoint, again;
    struct buffer text;
    if (proof->path.count > MERKLE_DEPTH ||
        proof->leaf_length > sizeof(proof->leaf) ||
        proof->checkpoint.size > INT64_MAX)
        abort();
    if (proof->kind == PROOF_INCLUSION)
        proof_check_inclusion(proof, &leaf, &error);
    older.size = proof->old_size;
    if (proof->kind == PROOF_CONSISTENCY)
        proof_check_consistency(proof, &older, &error);
    /* What was read is written and read back the same. */
    buffer_init(&text, NOTE_MAX);
    checkpoint_write(&proof->checkpoint, &text);
    if (!checkpoint_read(buffer_slice(&text), &again, &error) ||
        again.size != proof->checkpoint.size ||
        !digest_equal(again.root, proof->checkpoint.root))
        abort();
    buffer_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t raw[32] = {
        0x8a, 0x52, 0xb8, 0x22, 0x57, 0xc6, 0x69, 0x75, 0x70, 0x37, 0x6a,
        0xf1, 0x04, 0x6b, 0xd7, 0x52, 0xd9, 0x13, 0xc4, 0x86, 0x2b, 0xbf,
        0x4b, 0x19, 0x9a, 0x03, 0x21, 0xce, 0x55, 0xba, 0x26, 0x3b};
    struct note_key key = {.name = "drill.example/log",
                           .algorithm = SIGN_ED25519,
                           .key_length = 32,
                           .id = {0x95, 0x51, 0x90, 0x0d}};
    struct proof proof;
    struct error_text error;
    struct slice line;
    int64_t signed_s;
    memcpy(key.key, raw, sizeof(raw));
    if (!proof_read(slice_of_bytes(data, size), &proof, &error))
        return 0;
    check(&proof);
    note_verify(&proof.note, &key, &line, NULL);
    key.is_witness = true;
    note_verify(&proof.note, &key, &line, &signed_s);
    return 0;
}
