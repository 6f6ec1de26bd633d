/* Receipts against a signed checkpoint: what agrees, what shows that the log's
 * tail was cut off or that a batch was moved, and what proves nothing. */
#include <stdio.h>
#include <string.h>

#include "common/proof/receipt_check.h"
#include "common/wire/receipt.h"
#include "tests/test.h"

#define NOON INT64_C(1790000000000)

static struct sign_key *key;
static uint8_t raw[SIGN_PUBLIC_MAX];
static struct slice public_key;
static struct buffer file;
static struct receipt_check result;
static struct error_text error;

static void add(uint64_t index, uint8_t hash, int64_t received_ms,
                enum receipt_status status)
{
    struct receipt r = {.probe_id = "P-1",
                        .sequence = index,
                        .batch_hash = {{hash}},
                        .ledger_index = index,
                        .received_ms = received_ms,
                        .status = status};
    struct buffer one;
    buffer_init(&one, 4096);
    CHECK(receipt_encode(&r, key, &one));
    buffer_add_slice(&file, buffer_slice(&one));
    buffer_clear(&one);
}

static bool ask(const struct proof *proof)
{
    error.text[0] = '\0';
    return receipt_check(proof, buffer_slice(&file), SIGN_ED25519, public_key,
                         &result, &error);
}

static bool says(const char *start)
{
    bool good = strncmp(error.text, start, strlen(start)) == 0;
    if (!good)
        printf("# %s\n", error.text);
    return good;
}

/* A checkpoint alone, signed an hour and a bit after NOON. */
static struct proof checkpoint_of(uint64_t size)
{
    return (struct proof){
        .kind = PROOF_NONE,
        .checkpoint = {.size = size,
                       .has_time = true,
                       .made = wall_from_ms(NOON + RECEIPT_AGE_MS + 1)}};
}

static void test_tail(void)
{
    struct proof p = checkpoint_of(3);
    test_case("no receipt of this key proves nothing");
    CHECK(!ask(&p) && says("no receipt"));
    add(2, 2, NOON, RECEIPT_COUNTED);
    add(3, 3, NOON, RECEIPT_REPEATED);
    add(0, 9, NOON, RECEIPT_REFUSED);
    test_case("what the log can have");
    CHECK(ask(&p));
    CHECK(result.covered == 2 && result.newer == 0 && result.refused == 1);
    test_case("a log that is shorter than a receipt of more than an hour ago");
    p = checkpoint_of(2);
    CHECK(!ask(&p) && says("cut: a receipt of 2026-09-21T14:13:20.000Z "
                           "promises ledger row 3, the log signed at "
                           "2026-09-21T15:13:20.001Z has 2"));
    test_case("within the hour, and without a time, nothing is said");
    p.checkpoint.made = wall_from_ms(NOON + RECEIPT_AGE_MS);
    CHECK(ask(&p) && result.newer == 1);
    p = checkpoint_of(2);
    p.checkpoint.has_time = false;
    CHECK(ask(&p) && result.newer == 1);
    test_case("another key");
    raw[0] ^= 1;
    CHECK(!ask(&p) && says("no receipt"));
    raw[0] ^= 1;
}

static void add_bytes(struct buffer *leaf, const void *data, uint32_t length)
{
    buffer_add_u32(leaf, length);
    buffer_add(leaf, data, length);
}

/* The leaf of row 1 (leaf.h), up to what a proof is about. */
static void add_leaf(struct buffer *leaf, struct digest batch)
{
    const struct digest before = {0};
    const uint8_t boot[BOOT_ID_LEN] = {0};
    buffer_add_text(leaf, LEAF_PREFIX);
    buffer_add_u64(leaf, 1);
    add_bytes(leaf, "P-1", 3);
    add_bytes(leaf, boot, sizeof(boot));
    buffer_add_u64(leaf, 1); /* sequence */
    add_bytes(leaf, batch.bytes, DIGEST_LEN);
    add_bytes(leaf, before.bytes, DIGEST_LEN);
    add_bytes(leaf, "ENT-1", 5);
    add_bytes(leaf, "SITE-1", 6);
}

/* Of a log with one batch in it. */
static struct proof inclusion_of(uint8_t hash)
{
    struct proof p = checkpoint_of(1);
    struct buffer leaf;
    buffer_init(&leaf, LEAF_MAX);
    add_leaf(&leaf, (struct digest){{hash}});
    p.kind = PROOF_INCLUSION;
    memcpy(p.leaf, leaf.data, leaf.length);
    p.leaf_length = leaf.length;
    p.checkpoint.root = merkle_leaf_hash(leaf.data, leaf.length);
    buffer_clear(&leaf);
    return p;
}

static void test_place(void)
{
    buffer_reset(&file);
    add(1, 7, NOON, RECEIPT_COUNTED);
    struct proof p = inclusion_of(7);
    test_case("the proof's batch stands where its receipt says");
    CHECK(ask(&p) && result.has_batch && result.covered == 1);
    test_case("a proof of another batch");
    p = inclusion_of(8);
    CHECK(!ask(&p) && says("no receipt for the batch"));
    test_case("the batch at another row");
    buffer_reset(&file);
    add(2, 8, NOON, RECEIPT_COUNTED);
    CHECK(!ask(&p) && says("rollback: the receipt promises the batch at "
                           "ledger row 2, the proof has it at 1"));
    test_case("a proof that does not hold");
    p.checkpoint.root.bytes[0] ^= 1;
    CHECK(!ask(&p));
}

int main(void)
{
    key = sign_key_generate(SIGN_ED25519);
    public_key = slice_of_bytes(raw, sign_key_public(key, raw));
    buffer_init(&file, 1 << 16);
    test_tail();
    test_place();
    buffer_clear(&file);
    sign_key_free(key);
    return test_end();
}
