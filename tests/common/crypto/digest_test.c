/* SHA-256 and HMAC-SHA-256 against the standards' own vectors (FIPS 180-4,
 * RFC 4231), and the streaming form against the whole. */
#include "common/crypto/digest.h"

#include <unistd.h>

#include "tests/test.h"

static const char *hex(struct digest digest)
{
    static char text[DIGEST_HEX_LEN];
    digest_to_hex(digest, text);
    return text;
}

static void test_vectors(void)
{
    test_case("SHA-256 of the empty string and of \"abc\"");
    CHECK_TEXT(hex(digest_of("", 0)),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
               "55");
    CHECK_TEXT(hex(digest_of("abc", 3)),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015"
               "ad");

    test_case("HMAC-SHA-256, RFC 4231 cases 1, 2 and 6");
    uint8_t key[131];
    memset(key, 0x0b, 20);
    CHECK_TEXT(hex(hmac_sha256(key, 20, "Hi There", 8)),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cf"
               "f7");
    CHECK_TEXT(hex(hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28)),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec38"
               "43");
    memset(key, 0xaa, sizeof(key));
    CHECK_TEXT(
        hex(hmac_sha256(
            key, sizeof(key),
            "Test Using Larger Than Block-Size Key - Hash Key First", 54)),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f"
        "54");
}

static void test_stream(void)
{
    test_case("a stream gives the digest so far and goes on");
    struct digest_stream *s = digest_stream_new();
    CHECK(digest_equal(digest_stream_now(s), digest_of("", 0)));
    digest_stream_add(s, "a", 1);
    CHECK(digest_equal(digest_stream_now(s), digest_of("a", 1)));
    digest_stream_add(s, "bc", 2);
    CHECK(digest_equal(digest_stream_now(s), digest_of("abc", 3)));
    CHECK(!digest_equal(digest_stream_now(s), digest_of("abd", 3)));
    digest_stream_free(s);
    digest_stream_free(NULL);
}

static void test_file(void)
{
    test_case("a file's digest; a missing file is said so");
    char path[256];
    const char *base = getenv("B");
    snprintf(path, sizeof(path), "%s/digest_test.XXXXXX",
             base != NULL ? base : "/tmp");
    struct digest digest, none;
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    uint8_t block[1000];
    struct digest_stream *s = digest_stream_new();
    for (int i = 0; i < 100; i++) {
        memset(block, i, sizeof(block));
        CHECK(write(fd, block, sizeof(block)) == (ssize_t)sizeof(block));
        digest_stream_add(s, block, sizeof(block));
    }
    close(fd);
    CHECK(digest_of_file(path, &digest));
    CHECK(digest_equal(digest, digest_stream_now(s)));
    unlink(path);
    CHECK(!digest_of_file(path, &none));
    CHECK(!digest_of_file("/tmp", &none));
    digest_stream_free(s);
}

static void test_hex_and_random(void)
{
    test_case("hex, and random bytes that differ");
    char text[7];
    uint8_t a[32], b[32];
    hex_of("\x00\x9f\xff", 3, text);
    CHECK_TEXT(text, "009fff");
    hex_of("", 0, text);
    CHECK_TEXT(text, "");
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
}

int main(void)
{
    test_vectors();
    test_stream();
    test_file();
    test_hex_and_random();
    return test_end();
}
