/* Receipts: there and back with both algorithms, and every way of forging. */
#include "common/wire/receipt.h"

#include "tests/test.h"

static struct sign_key *key;
static uint8_t public_bytes[SIGN_PUBLIC_MAX];
static struct slice public_key;

static void use_key(enum sign_algorithm algorithm)
{
    sign_key_free(key);
    key = sign_key_generate(algorithm);
    public_key =
        slice_of_bytes(public_bytes, sign_key_public(key, public_bytes));
}

static struct receipt sample(enum receipt_status status)
{
    struct receipt r = {.probe_id = "probe-0001",
                        .sequence = 77,
                        .batch_hash = {{1, 2, 3}},
                        .ledger_index = 123456789,
                        .received_ms = 1790000000123,
                        .status = status};
    return r;
}

static bool decode(const uint8_t *data, size_t length, struct receipt *r)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, data, length);
    bool good =
        receipt_decode(copy, length, sign_key_algorithm(key), public_key, r);
    free(copy);
    return good;
}

static void check_round_trip(void)
{
    static const enum receipt_status statuses[] = {
        RECEIPT_COUNTED, RECEIPT_LATE, RECEIPT_KEPT, RECEIPT_REPEATED,
        RECEIPT_REFUSED};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct receipt want = sample(statuses[i]), got;
        struct buffer out;
        buffer_init(&out, 4096);
        CHECK(receipt_encode(&want, key, &out));
        CHECK(decode(out.data, out.length, &got));
        CHECK_TEXT(got.probe_id, want.probe_id);
        CHECK_I64(got.sequence, want.sequence);
        CHECK(digest_equal(got.batch_hash, want.batch_hash));
        CHECK_I64(got.ledger_index, want.ledger_index);
        CHECK_I64(got.received_ms, want.received_ms);
        CHECK_I64(got.status, want.status);
        CHECK(strcmp(receipt_status_text(got.status), "unknown") != 0);
        buffer_clear(&out);
    }
    CHECK_TEXT(receipt_status_text(77), "unknown");
}

static bool is_same(const struct receipt *a, const struct receipt *b)
{
    return strcmp(a->probe_id, b->probe_id) == 0 &&
           a->sequence == b->sequence &&
           digest_equal(a->batch_hash, b->batch_hash) &&
           a->ledger_index == b->ledger_index &&
           a->received_ms == b->received_ms && a->status == b->status;
}

/* A changed bit is refused, or stands in the message header (export time,
 * sequence, domain), of which a receipt says nothing. */
static void test_every_bit(void)
{
    test_case("a changed bit never changes what a receipt says");
    struct receipt want = sample(RECEIPT_COUNTED), got;
    struct buffer out;
    size_t accepted = 0;
    buffer_init(&out, 4096);
    CHECK(receipt_encode(&want, key, &out));
    for (size_t bit = 0; bit < out.length * 8; bit++) {
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (decode(out.data, out.length, &got)) {
            accepted++;
            CHECK(is_same(&got, &want));
            CHECK(bit / 8 >= 4 && bit / 8 < 16);
        }
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_I64(accepted, 12 * 8);
    test_case("a receipt cut off at any byte, or longer, is none");
    for (size_t length = 0; length < out.length; length++)
        CHECK(!decode(out.data, length, &got));
    buffer_add_u32(&out, 0);
    CHECK(!decode(out.data, out.length, &got));
    buffer_clear(&out);
}

static void test_keys(void)
{
    test_case("another key, another algorithm");
    struct receipt want = sample(RECEIPT_COUNTED), got;
    struct buffer out;
    uint8_t raw[SIGN_PUBLIC_MAX];
    struct sign_key *other = sign_key_generate(SIGN_ED25519);
    size_t length = sign_key_public(other, raw);
    buffer_init(&out, 4096);
    CHECK(receipt_encode(&want, key, &out));
    CHECK(!receipt_decode(out.data, out.length, SIGN_ED25519,
                          slice_of_bytes(raw, length), &got));
    CHECK(
        !receipt_decode(out.data, out.length, SIGN_SM2_SM3, public_key, &got));
    CHECK(!receipt_decode(out.data, out.length, SIGN_NONE, public_key, &got));
    buffer_clear(&out);

    test_case("a buffer without room is said so");
    buffer_init(&out, 100);
    CHECK(!receipt_encode(&want, key, &out));
    buffer_clear(&out);
    sign_key_free(other);
}

/* The collector's bytes, a template of another's: the two counters change
 * places. The signature still covers the record's bytes. */
static void test_exchanged_fields(void)
{
    test_case("a template that reads the signed bytes otherwise is refused");
    struct receipt want = sample(RECEIPT_COUNTED), got;
    struct buffer out;
    buffer_init(&out, 4096);
    CHECK(receipt_encode(&want, key, &out));
    uint8_t *specifiers = out.data + 16 + 4 + 6;
    uint8_t sequence[8], ledger[8];
    memcpy(sequence, specifiers + 8, 8);
    memcpy(ledger, specifiers + 3 * 8, 8);
    memcpy(specifiers + 8, ledger, 8);
    memcpy(specifiers + 3 * 8, sequence, 8);
    CHECK(!decode(out.data, out.length, &got));
    buffer_clear(&out);
}

int main(void)
{
    test_case("there and back (SM2 with SM3)");
    use_key(SIGN_SM2_SM3);
    check_round_trip();
    test_case("there and back (Ed25519)");
    use_key(SIGN_ED25519);
    check_round_trip();
    test_every_bit();
    test_keys();
    test_exchanged_fields();
    sign_key_free(key);
    return test_end();
}
