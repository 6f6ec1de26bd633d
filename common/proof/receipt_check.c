#include "common/proof/receipt_check.h"

#include <inttypes.h>

#include "common/wire/receipt.h"

static bool is_kept(const struct proof *proof, const struct receipt *r,
                    struct receipt_check *result, struct error_text *error)
{
    const struct checkpoint *log = &proof->checkpoint;
    char received[WALL_TEXT_LEN], made[WALL_TEXT_LEN];
    if (r->ledger_index <= log->size) {
        result->covered++;
        return true;
    }
    if (!log->has_time ||
        r->received_ms + RECEIPT_AGE_MS >= wall_to_ms(log->made)) {
        result->newer++;
        return true;
    }
    wall_to_text(wall_from_ms(r->received_ms), received);
    wall_to_text(log->made, made);
    return error_set(error,
                     "cut: a receipt of %s promises ledger row %" PRIu64
                     ", the log signed at %s has %" PRIu64
                     ": its tail was cut off, or an older copy stands in its "
                     "place",
                     received, r->ledger_index, made, log->size);
}

/* Of the batch that the proof is about. */
static bool is_in_place(const struct leaf_view *leaf, const struct receipt *r,
                        struct error_text *error)
{
    return r->ledger_index == leaf->index ||
           error_set(error,
                     "rollback: the receipt promises the batch at ledger row "
                     "%" PRIu64 ", the proof has it at %" PRIu64,
                     r->ledger_index, leaf->index);
}

bool receipt_check(const struct proof *proof, struct slice receipts,
                   enum sign_algorithm algorithm, struct slice public_key,
                   struct receipt_check *result, struct error_text *error)
{
    struct leaf_view leaf;
    struct receipt r;
    bool is_about_batch = proof->kind == PROOF_INCLUSION;
    *result = (struct receipt_check){0};
    if (is_about_batch && !proof_check_inclusion(proof, &leaf, error))
        return false;
    while (receipt_next(&receipts, algorithm, public_key, &r)) {
        if (r.status == RECEIPT_REFUSED) {
            result->refused++;
            continue;
        }
        if (is_about_batch && digest_equal(r.batch_hash, leaf.hash)) {
            if (!is_in_place(&leaf, &r, error))
                return false;
            result->has_batch = true;
        }
        if (!is_kept(proof, &r, result, error))
            return false;
    }
    if (result->covered + result->newer + result->refused == 0)
        return error_set(error, "no receipt signed with this key");
    return !is_about_batch || result->has_batch ||
           error_set(error, "no receipt for the batch of the proof");
}
