/* The return channel's messages, and the way from one list of endpoints to
 * another. */
#include <stdlib.h>
#include <string.h>

#include "common/wire/return_channel.h"
#include "tests/test.h"

static const struct return_message samples[] = {
    {.kind = RETURN_CHALLENGE,
     .nonce = {1, 2},
     .issued_ms = 5,
     .expires_ms = 6},
    {.kind = RETURN_CLOCK, .request_ms = 7, .receive_ms = 8, .transmit_ms = 9},
    {.kind = RETURN_REGISTRY_HEAD,
     .head = {.serial = 3, .hash = {{4}}, .issued_ms = 5, .algorithm = 1},
     .from = {{6}},
     .chunk_count = 7},
    {.kind = RETURN_REGISTRY_CHUNK,
     .head = {.hash = {{4}}},
     .chunk_index = 2,
     .chunk = {"+a,b\n", 5}},
    {.kind = RETURN_REGISTRY_REQUEST, .head = {.serial = 3, .hash = {{4}}}},
};

static void test_messages(void)
{
    test_case("every kind is there and back, and no cut or longer one is read");
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct return_message got, want = samples[i];
        struct buffer out;
        buffer_init(&out, 4096);
        CHECK(return_channel_encode(&want, 1000, &out));
        CHECK(return_channel_is_ours(out.data, out.length));
        CHECK_I64(return_channel_decode(out.data, out.length, &got), RETURN_OK);
        CHECK_I64(got.kind, want.kind);
        CHECK(slice_equal(got.chunk, want.chunk));
        got.chunk = want.chunk;
        CHECK(memcmp(&got, &want, sizeof(got)) == 0);
        for (size_t cut = 0; cut < out.length; cut++) {
            uint8_t *copy = malloc(cut + 1);
            memcpy(copy, out.data, cut);
            CHECK_I64(return_channel_decode(copy, cut, &got), RETURN_BAD);
            free(copy);
        }
        /* The template's number, and the set's, of a newer program. */
        out.data[16 + 4 + 1] = 0x70;
        uint8_t *set = memmem(out.data + 30, out.length - 30, "\x01\x36", 2);
        if (want.kind == RETURN_CHALLENGE && CHECK(set != NULL)) {
            set[1] = 0x70;
            CHECK_I64(return_channel_decode(out.data, out.length, &got),
                      RETURN_UNKNOWN);
        }
        buffer_clear(&out);
    }
}

static void make_list(struct buffer *out, int count, int without, int changed)
{
    buffer_init(out, REGISTRY_LIST_MAX);
    buffer_add_text(out, "id,supplier,service,address\r\n");
    for (int i = 0; i < count; i++)
        if (i != without)
            buffer_addf(out, "e%05d,S,%s,10.%d.%d.0/24\r\n", i,
                        i == changed ? "NEW" : "SV", i / 256, i % 256);
}

static void check_way(struct slice old, struct slice list, size_t *octets)
{
    struct buffer changes, made;
    CHECK(registry_changes(old, list, &changes));
    CHECK(registry_apply(old, buffer_slice(&changes), &made));
    CHECK(slice_equal(buffer_slice(&made), list));
    *octets = changes.length;
    buffer_clear(&changes);
    buffer_clear(&made);
}

static void test_changes(void)
{
    struct buffer a, b;
    size_t octets;
    test_case("5,000 endpoints: three changes are some hundred octets");
    make_list(&a, 5000, -1, -1);
    make_list(&b, 5001, 17, 4000); /* one gone, one other, one new */
    check_way(buffer_slice(&a), buffer_slice(&b), &octets);
    printf("# %zu octets of changes, %zu of the list\n", octets, b.length);
    CHECK(octets < 300);
    check_way(buffer_slice(&b), buffer_slice(&a), &octets);
    CHECK(octets < 300);
    check_way(buffer_slice(&a), buffer_slice(&a), &octets);
    CHECK(octets < 10);

    test_case("from nothing, from no list, another order, repeated lines");
    check_way((struct slice){NULL, 0}, buffer_slice(&a), &octets);
    check_way(SLICE("no newline"), buffer_slice(&a), &octets);
    check_way(SLICE("a\nb\nc\n"), SLICE("c\nb\na\n"), &octets);
    check_way(SLICE("a\na\nb\n"), SLICE("a\nb\nb\n"), &octets);
    check_way(SLICE("a\n"), SLICE("\n"), &octets);
    buffer_clear(&a);
    buffer_clear(&b);
}

static void test_bad_changes(void)
{
    static const char *const bad[] = {
        "=2\n",  "-2\n", "=0\n", "=\n", "x\n",
        "=-1\n", "\n",   "=1",   "+a",  "-99999999999999999999\n"};
    test_case("changes that are none, or do not fit the list, are refused");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buffer made;
        CHECK(!registry_apply(SLICE("a\n"), slice_of_text(bad[i]), &made));
        buffer_clear(&made);
    }
    struct buffer out;
    CHECK(!registry_changes(SLICE(""), SLICE("no newline"), &out));
    buffer_clear(&out);
}

static void test_head(void)
{
    test_case("a head is signed whole, with both algorithms");
    for (int algorithm = SIGN_ED25519; algorithm <= SIGN_SM2_SM3; algorithm++) {
        uint8_t raw[SIGN_PUBLIC_MAX];
        struct sign_key *key = sign_key_generate(algorithm);
        struct slice public_key =
            slice_of_bytes(raw, sign_key_public(key, raw));
        struct registry_head h = {.serial = 4, .hash = {{5}}, .issued_ms = 6};
        CHECK(registry_head_sign(&h, key));
        CHECK(registry_head_check(&h, algorithm, public_key));
        h.serial++;
        CHECK(!registry_head_check(&h, algorithm, public_key));
        h.serial--;
        h.issued_ms++;
        CHECK(!registry_head_check(&h, algorithm, public_key));
        h.issued_ms--;
        h.hash.bytes[31] ^= 1;
        CHECK(!registry_head_check(&h, algorithm, public_key));
        sign_key_free(key);
    }
}

int main(void)
{
    test_messages();
    test_changes();
    test_bad_changes();
    test_head();
    return test_end();
}
