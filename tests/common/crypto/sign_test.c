/* Signatures: RFC 8032 vectors, both algorithms there and back, keys in files,
 * and the openssl command line as a second opinion. */
#include "common/crypto/sign.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/digest.h"
#include "common/slice.h"
#include "tests/folder.h"
#include "tests/test.h"

static char folder[FOLDER_LEN];

static const char *in_folder(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* RFC 8032 section 7.1, tests 1 to 3. */
static const struct vector {
    const char *public_key, *message, *signature;
} vectors[] = {
    {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb882159"
     "0"
     "a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43"
     "e"
     "15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538"
     "d"
     "16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void test_rfc8032(void)
{
    test_case("Ed25519: RFC 8032 vectors verify, changed ones do not");
    for (int i = 0; i < 3; i++) {
        uint8_t key[32], message[64], signature[64];
        size_t length = strlen(vectors[i].message) / 2;
        CHECK(parse_hex(slice_of_text(vectors[i].public_key), key, 32));
        CHECK(parse_hex(slice_of_text(vectors[i].message), message, length));
        CHECK(parse_hex(slice_of_text(vectors[i].signature), signature, 64));
        struct slice public_key = slice_of_bytes(key, 32);
        CHECK(
            sign_verify(SIGN_ED25519, public_key, message, length, signature));
        signature[63] ^= 1;
        CHECK(
            !sign_verify(SIGN_ED25519, public_key, message, length, signature));
        signature[63] ^= 1;
        key[0] ^= 1;
        CHECK(
            !sign_verify(SIGN_ED25519, public_key, message, length, signature));
    }
}

static void check_round_trip(enum sign_algorithm algorithm)
{
    uint8_t public_key[SIGN_PUBLIC_MAX], signature[SIGN_LEN];
    const char text[] = "a batch of evidence";
    struct sign_key *key = sign_key_generate(algorithm);
    if (!CHECK(key != NULL))
        return;
    CHECK_I64(sign_key_algorithm(key), algorithm);
    size_t length = sign_key_public(key, public_key);
    CHECK_I64(length, algorithm == SIGN_SM2_SM3 ? 65 : 32);
    struct slice public = slice_of_bytes(public_key, length);
    for (int i = 0; i < 50; i++) { /* r and s with leading zeros come up */
        CHECK(sign_make(key, text, sizeof(text) - (size_t)i % 10, signature));
        CHECK(sign_verify(algorithm, public, text,
                          sizeof(text) - (size_t)i % 10, signature));
    }
    CHECK(!sign_verify(algorithm, public, text, sizeof(text), signature));
    for (size_t bit = 0; bit < SIGN_LEN * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(
            !sign_verify(algorithm, public, text, sizeof(text) - 9, signature));
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(sign_verify(algorithm, public, text, sizeof(text) - 9, signature));
    sign_key_free(key);
}

static void test_refusals(void)
{
    test_case("unknown algorithms, short keys and impossible signatures");
    uint8_t signature[SIGN_LEN] = {0}, public_key[SIGN_PUBLIC_MAX] = {4};
    struct slice whole = slice_of_bytes(public_key, 65);
    CHECK(sign_key_generate(SIGN_NONE) == NULL);
    CHECK(sign_key_generate(77) == NULL);
    CHECK(!sign_verify(SIGN_NONE, whole, "", 0, signature));
    CHECK(!sign_verify(77, whole, "", 0, signature));
    CHECK(!sign_verify(SIGN_ED25519, whole, "", 0, signature));
    CHECK(!sign_verify(SIGN_SM2_SM3, whole, "", 0, signature)); /* no point */
    CHECK(!sign_verify(SIGN_SM2_SM3, slice_of_bytes(public_key, 0), "", 0,
                       signature));
    CHECK_TEXT(sign_algorithm_name(SIGN_ED25519), "ed25519");
    CHECK_TEXT(sign_algorithm_name(SIGN_SM2_SM3), "sm2");
    CHECK_I64(sign_algorithm_from(SLICE("sm2")), SIGN_SM2_SM3);
    CHECK_I64(sign_algorithm_from(SLICE("ed25519")), SIGN_ED25519);
    CHECK_I64(sign_algorithm_from(SLICE("rsa")), SIGN_NONE);
}

/* With such a key the signature R = 1, S = 0 fits any text. */
static void test_keys_of_nobody(void)
{
    test_case("points of small order are no Ed25519 keys");
    static const char *const KEYS[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    };
    uint8_t key[32], signature[SIGN_LEN] = {1};
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
        int fits = 0;
        CHECK(parse_hex(slice_of_text(KEYS[i]), key, sizeof(key)));
        for (int text = 0; text < 64; text++) /* every eighth, at least */
            fits += sign_verify(SIGN_ED25519, slice_of_bytes(key, sizeof(key)),
                                &text, sizeof(text), signature);
        CHECK_I64(fits, 0);
    }
}

/* Else one key pair could be registered under two public keys. */
static void test_one_spelling(void)
{
    test_case("an SM2 key has one spelling");
    uint8_t public_key[SIGN_PUBLIC_MAX], signature[SIGN_LEN];
    struct sign_key *key = sign_key_generate(SIGN_SM2_SM3);
    size_t length = sign_key_public(key, public_key);
    struct slice public = slice_of_bytes(public_key, length);
    CHECK(sign_make(key, "x", 1, signature));
    CHECK(sign_verify(SIGN_SM2_SM3, public, "x", 1, signature));
    public_key[0] = (uint8_t)(6 | (public_key[64] & 1)); /* hybrid form */
    CHECK(!sign_verify(SIGN_SM2_SM3, public, "x", 1, signature));
    sign_key_free(key);
}

static bool run(const char *format, ...)
{
    char command[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    FILE *f = popen(command, "r");
    if (f == NULL)
        return false;
    char line[256];
    while (fgets(line, sizeof(line), f) != NULL)
        ;
    return pclose(f) == 0;
}

static void check_files(enum sign_algorithm algorithm)
{
    struct error_text error;
    struct stat st;
    uint8_t made[SIGN_PUBLIC_MAX], read_back[SIGN_PUBLIC_MAX];
    enum sign_algorithm found = SIGN_NONE;
    struct sign_key *key = sign_key_generate(algorithm);
    size_t length = sign_key_public(key, made);
    CHECK(sign_key_save(key, in_folder("a.pem"), &error));
    CHECK(stat(in_folder("a.pem"), &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(!sign_key_save(key, in_folder("a.pem"), &error)); /* exists */
    struct sign_key *loaded = sign_key_load(in_folder("a.pem"), &error);
    if (CHECK(loaded != NULL)) {
        CHECK_I64(sign_key_public(loaded, read_back), (int64_t)length);
        CHECK(memcmp(made, read_back, length) == 0);
    }
    CHECK(run("openssl pkey -in %s -pubout -out %s 2>&1", in_folder("a.pem"),
              in_folder("a.pub.pem")));
    CHECK_I64(
        sign_public_load(in_folder("a.pub.pem"), &found, read_back, &error),
        (int64_t)length);
    CHECK_I64(found, algorithm);
    CHECK(memcmp(made, read_back, length) == 0);
    CHECK(chmod(in_folder("a.pem"), 0640) == 0);
    CHECK(sign_key_load(in_folder("a.pem"), &error) == NULL);
    CHECK(strstr(error.text, "mode 640") != NULL);
    unlink(in_folder("a.pem"));
    CHECK(sign_key_load(in_folder("a.pem"), &error) == NULL);
    CHECK(strstr(error.text, "No such file") != NULL);
    unlink(in_folder("a.pub.pem"));
    sign_key_free(loaded);
    sign_key_free(key);
}

static void write_file(const char *path, const void *data, size_t length)
{
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL && fwrite(data, 1, length, f) == length);
    if (f != NULL)
        fclose(f);
}

static void test_command_line(void)
{
    test_case("keys and Ed25519 signatures agree with the openssl program");
    struct error_text error;
    uint8_t signature[SIGN_LEN];
    CHECK(run("openssl genpkey -algorithm ed25519 -out %s 2>&1",
              in_folder("e.pem")));
    CHECK(run("openssl pkey -in %s -pubout -out %s 2>&1", in_folder("e.pem"),
              in_folder("e.pub")));
    struct sign_key *key = sign_key_load(in_folder("e.pem"), &error);
    if (CHECK(key != NULL) && CHECK(sign_make(key, "hello", 5, signature))) {
        write_file(in_folder("m"), "hello", 5);
        write_file(in_folder("s"), signature, SIGN_LEN);
        CHECK(run("openssl pkeyutl -verify -rawin -pubin -inkey %s -in %s "
                  "-sigfile %s 2>&1",
                  in_folder("e.pub"), in_folder("m"), in_folder("s")));
    }
    sign_key_free(key);
}

static void test_sm2_command_line(void)
{
    test_case("SM2 keys and signatures agree with the openssl program");
    struct error_text error;
    enum sign_algorithm found = SIGN_NONE;
    uint8_t signature[SIGN_LEN], public_key[SIGN_PUBLIC_MAX];
    uint8_t der[8 + 66];
    size_t n = 0;
    CHECK(
        run("openssl genpkey -algorithm SM2 -out %s 2>&1", in_folder("m.pem")));
    CHECK(run("openssl pkey -in %s -pubout -out %s 2>&1", in_folder("m.pem"),
              in_folder("m.pub")));
    CHECK_I64(sign_public_load(in_folder("m.pub"), &found, public_key, &error),
              65);
    CHECK_I64(found, SIGN_SM2_SM3);
    struct sign_key *key = sign_key_load(in_folder("m.pem"), &error);
    if (CHECK(key != NULL) && CHECK(sign_make(key, "hello", 5, signature))) {
        der[n++] = 0x30;
        der[n++] = (uint8_t)(68 + (signature[0] >> 7) + (signature[32] >> 7));
        for (int half = 0; half < 2; half++) {
            const uint8_t *v = signature + 32 * half;
            der[n++] = 2;
            der[n++] = (uint8_t)(32 + (v[0] >> 7));
            if (v[0] >> 7)
                der[n++] = 0;
            memcpy(der + n, v, 32);
            n += 32;
        }
        /* One in 256 halves starts with a zero byte and has another spelling;
         * then there is nothing to compare. */
        write_file(in_folder("m"), "hello", 5);
        write_file(in_folder("s"), der, n);
        CHECK(signature[0] == 0 || signature[32] == 0 ||
              run("openssl pkeyutl -verify -rawin -digest sm3 -pkeyopt "
                  "distid:1234567812345678 -pubin -inkey %s -in %s -sigfile "
                  "%s 2>&1",
                  in_folder("m.pub"), in_folder("m"), in_folder("s")));
    }
    sign_key_free(key);
}

static void test_other_files(void)
{
    test_case("files that hold no key of ours are refused by name");
    struct error_text error;
    enum sign_algorithm found;
    uint8_t public_key[SIGN_PUBLIC_MAX];
    write_file(in_folder("x.pem"), "not a key\n", 10);
    CHECK(chmod(in_folder("x.pem"), 0600) == 0);
    CHECK(sign_key_load(in_folder("x.pem"), &error) == NULL);
    CHECK(strstr(error.text, "x.pem") != NULL);
    CHECK_I64(sign_public_load(in_folder("x.pem"), &found, public_key, &error),
              0);
    CHECK(sign_key_load(folder, &error) == NULL);
    CHECK(run("openssl genpkey -algorithm EC -pkeyopt "
              "ec_paramgen_curve:P-256 -out %s 2>&1",
              in_folder("p256.pem")));
    CHECK(sign_key_load(in_folder("p256.pem"), &error) == NULL);
    CHECK(strstr(error.text, "no Ed25519 or SM2") != NULL);
}

int main(void)
{
    folder_make(folder);
    test_rfc8032();
    test_case("Ed25519: there and back, every bit of the signature counts");
    check_round_trip(SIGN_ED25519);
    test_case(
        "SM2 with SM3: there and back, every bit of the signature counts");
    check_round_trip(SIGN_SM2_SM3);
    test_refusals();
    test_keys_of_nobody();
    test_one_spelling();
    test_case("Ed25519 keys in files");
    check_files(SIGN_ED25519);
    test_case("SM2 keys in files");
    check_files(SIGN_SM2_SM3);
    test_command_line();
    test_sm2_command_line();
    test_other_files();
    run("rm -rf %s", folder);
    return test_end();
}
