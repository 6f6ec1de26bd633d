/* The JA4 form of a hand-made hello; the texts that its parts are hashes of are
 * written out here by hand. */
#include "tests/test.h"

#include "common/crypto/digest.h"
#include "probe/meter/fingerprint.h"
#include "tests/probe/meter/packets.h"

static struct frame message;

static void make(const char *name, struct hello *hello)
{
    message.length = 0;
    frame_client_hello(&message, name, 1, 0);
    CHECK_I64(hello_from_handshake(message.bytes, message.length, hello),
              HELLO_CLIENT);
}

static struct fingerprinter *fingerprinter;

static void to_text(const struct hello *hello, bool is_quic,
                    char text[static FINGERPRINT_TEXT_LEN])
{
    struct fingerprint fingerprint;
    fingerprint_of_hello(fingerprinter, hello, is_quic, &fingerprint);
    CHECK(!fingerprint_is_none(&fingerprint));
    fingerprint_to_text(&fingerprint, text);
}

/* The middle and last part: sorted ciphers; sorted extensions without name and
 * ALPN, then signature algorithms in their order. */
static void expect_parts(const char *text)
{
    char ciphers[DIGEST_HEX_LEN], extensions[DIGEST_HEX_LEN];
    digest_to_hex(digest_of("1301,1302", 9), ciphers);
    digest_to_hex(digest_of("000d,002b_0403,0804", 19), extensions);
    CHECK(strncmp(text + 11, ciphers, 12) == 0);
    CHECK(text[23] == '_' && strcmp(text + 24, "") != 0);
    CHECK(strncmp(text + 24, extensions, 12) == 0);
}

int main(void)
{
    struct hello hello;
    char text[FINGERPRINT_TEXT_LEN], other[FINGERPRINT_TEXT_LEN];
    uint8_t hash[FINGERPRINT_LEN];
    struct digest digest;

    fingerprinter = fingerprinter_new();
    test_case("TCP, TLS 1.3, name, 2 ciphers, 4 extensions, h2; no GREASE");
    make("erp.example", &hello);
    to_text(&hello, false, text);
    CHECK(strncmp(text, "t13d0204h2_", 11) == 0);
    expect_parts(text);
    CHECK_I64(strlen(text), 36);

    test_case("QUIC differs in the first letter only");
    to_text(&hello, true, other);
    CHECK(other[0] == 'q' && strcmp(text + 1, other + 1) == 0);

    test_case("the name itself does not matter, its absence does");
    make("www.other.example", &hello);
    to_text(&hello, false, other);
    CHECK_TEXT(other, text);
    make(NULL, &hello);
    to_text(&hello, false, other);
    CHECK(strncmp(other, "t13i0203h2_", 11) == 0);
    CHECK_TEXT(other + 11, text + 11);

    test_case("an ALPN that is no text shows as hex digits");
    make("erp.example", &hello);
    hello.alpn = slice_of_bytes("\x02\xab\xcd", 3);
    to_text(&hello, false, other);
    CHECK(strncmp(other + 8, "ad", 2) == 0);

    test_case("empty lists");
    hello = (struct hello){.legacy_version = 0x0301};
    to_text(&hello, false, text);
    CHECK_TEXT(text, "t10i000000_000000000000_000000000000");

    test_case("lists of any length stay within bounds");
    static uint8_t big[65534];
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (uint8_t)(i * 7 + (i >> 8));
    hello.ciphers = slice_of_bytes(big, sizeof(big));
    hello.signature_algorithms = slice_of_bytes(big, sizeof(big));
    hello.extensions = slice_of_bytes(big, sizeof(big));
    hello.alpn = slice_of_bytes("\xff", 1);
    to_text(&hello, false, text);
    CHECK_I64(strlen(text), 36);

    test_case("the hash is the first 64 bits of SHA-256 of the text");
    struct fingerprint fingerprint;
    fingerprint_of_hello(fingerprinter, &hello, false, &fingerprint);
    for (int i = 0; i < 2; i++) /* reckoned, then remembered */
        fingerprint_hash(fingerprinter, &fingerprint, hash);
    digest = digest_of(text, strlen(text));
    CHECK(memcmp(hash, digest.bytes, FINGERPRINT_LEN) == 0);
    fingerprinter_free(fingerprinter);
    return test_end();
}
