/* Requests and certificates: what is issued verifies, what is turned over by one
 * bit does not, and a request says exactly what its keys say. */
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/pki.h"
#include "tests/folder.h"
#include "tests/test.h"

static const struct wall_time now = {1764000000000000}; /* 2025-11-24 */
enum { DAY_S = 86400 };

static char folder[FOLDER_LEN];

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* --- requests --- */

static void make_request(enum pki_key_type type, enum sign_algorithm algorithm,
                         struct buffer *der)
{
    struct pki_key *key = pki_key_generate(type);
    struct sign_key *batch =
        algorithm == SIGN_NONE ? NULL : sign_key_generate(algorithm);
    buffer_init(der, PKI_DER_MAX);
    CHECK(pki_request_make(key, batch, "P-TEST", der));
    sign_key_free(batch);
    pki_key_free(key);
}

static void test_requests(void)
{
    static const struct {
        const char *name;
        enum pki_key_type type;
        enum sign_algorithm algorithm;
        size_t key_length;
    } rows[] = {
        {"P-256 with an Ed25519 batch key", PKI_P256, SIGN_ED25519, 32},
        {"P-256 with an SM2 batch key", PKI_P256, SIGN_SM2_SM3, 65},
        {"Ed25519 with an Ed25519 batch key", PKI_ED25519, SIGN_ED25519, 32},
        {"Ed25519 without a batch key", PKI_ED25519, SIGN_NONE, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buffer der;
        struct pki_request r;
        struct error_text error = {""};
        test_case(rows[i].name);
        make_request(rows[i].type, rows[i].algorithm, &der);
        CHECK(pki_request_read(buffer_slice(&der), &r, &error));
        CHECK_TEXT(error.text, "");
        CHECK_TEXT(r.name, "P-TEST");
        CHECK_I64(r.has_batch_key, rows[i].algorithm != SIGN_NONE);
        CHECK_I64(r.batch_algorithm, rows[i].algorithm);
        CHECK_I64((int64_t)r.batch_key_length, (int64_t)rows[i].key_length);
        buffer_clear(&der);
    }
}

/* Every bit belongs to something that is signed, compared or bounded. */
static void test_bits(enum sign_algorithm algorithm)
{
    struct buffer der;
    struct pki_request r;
    struct error_text error;
    int taken = 0;
    make_request(PKI_P256, algorithm, &der);
    for (size_t i = 0; i < der.length * 8; i += 3) {
        der.data[i / 8] ^= (uint8_t)(1 << i % 8);
        taken += pki_request_read(buffer_slice(&der), &r, &error);
        der.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    CHECK_I64(taken, 0);
    for (size_t n = 0; n < der.length; n++)
        CHECK(!pki_request_read(slice_of_bytes(der.data, n), &r, &error));
    buffer_add_u8(&der, 0);
    CHECK(!pki_request_read(buffer_slice(&der), &r, &error));
    buffer_clear(&der);
}

static void test_wrong_kinds(void)
{
    struct error_text error;
    struct pki_request r;
    test_case("too long, empty");
    static uint8_t zeros[PKI_DER_MAX + 1];
    CHECK(!pki_request_read(slice_of_bytes(zeros, sizeof(zeros)), &r, &error));
    CHECK(!pki_request_read(slice_of_bytes(zeros, 0), &r, &error));
}

/* --- the authority --- */

static struct pki_authority *make_authority(void)
{
    struct buffer der, pem;
    struct error_text error = {""};
    struct pki_key *key = pki_key_generate(PKI_P256);
    buffer_init(&der, PKI_DER_MAX);
    buffer_init(&pem, 2 * PKI_DER_MAX);
    CHECK(pki_authority_make(key, "Test authority", now, 100, &der));
    pki_certificate_add_pem(&pem, buffer_slice(&der));
    FILE *f = fopen(path_of("ca.pem"), "wb");
    fwrite(pem.data, 1, pem.length, f);
    fclose(f);
    CHECK(pki_key_save(key, path_of("ca.key"), &error));
    CHECK(!pki_key_save(key, path_of("ca.key"), &error)); /* is there */
    pki_key_free(key);
    buffer_clear(&der);
    buffer_clear(&pem);
    char certificate[512];
    snprintf(certificate, sizeof(certificate), "%s", path_of("ca.pem"));
    struct pki_authority *a =
        pki_authority_load(certificate, path_of("ca.key"), now, &error);
    if (!CHECK(a != NULL))
        printf("# %s\n", error.text);
    return a;
}

static void issue(const struct pki_authority *a, enum pki_use use,
                  unsigned days, struct buffer *der)
{
    struct pki_request r;
    struct buffer request;
    struct error_text error = {""};
    make_request(PKI_P256, SIGN_ED25519, &request);
    CHECK(pki_request_read(buffer_slice(&request), &r, &error));
    const struct pki_order order = {
        .public_key = slice_of_bytes(r.public_key, r.public_key_length),
        .name = "P-7",
        .hosts = use == PKI_SERVER ? "DNS:a.example,IP:192.0.2.1" : NULL,
        .use = use,
        .now = now,
        .days = days};
    buffer_init(der, PKI_DER_MAX);
    if (!CHECK(pki_authority_issue(a, &order, der, &error)))
        printf("# %s\n", error.text);
    buffer_clear(&request);
}

static void test_certificate(const struct pki_authority *a)
{
    struct buffer der;
    struct pki_certificate c;
    struct error_text error;
    struct slice ca = pki_authority_certificate(a);
    test_case("a certificate: name, dates, use");
    issue(a, PKI_CLIENT, 30, &der);
    CHECK(pki_certificate_read(buffer_slice(&der), &c, &error));
    CHECK_TEXT(c.name, "P-7");
    CHECK(!c.is_authority);
    CHECK_I64(c.begins.us, now.us - PKI_BACKDATED_S * 1000000LL);
    CHECK_I64(c.ends.us, now.us + 30LL * DAY_S * 1000000);
    CHECK_I64((int64_t)strlen(c.serial), 32);
    CHECK(pki_certificate_verify(buffer_slice(&der), ca, PKI_CLIENT, now,
                                 &error));
    CHECK(!pki_certificate_verify(buffer_slice(&der), ca, PKI_SERVER, now,
                                  &error));
    test_case("five minutes early is in time, a second before is not");
    struct wall_time first = c.begins, before = {c.begins.us - 1000000};
    CHECK(pki_certificate_verify(buffer_slice(&der), ca, PKI_CLIENT, first,
                                 &error));
    CHECK(!pki_certificate_verify(buffer_slice(&der), ca, PKI_CLIENT, before,
                                  &error));
    test_case("over at its end, with a reason");
    struct wall_time after = {c.ends.us + 1000000};
    CHECK(!pki_certificate_verify(buffer_slice(&der), ca, PKI_CLIENT, after,
                                  &error));
    CHECK_TEXT(error.text, "certificate has expired");
    test_case("a bit of the certificate turned");
    der.data[der.length - 5] ^= 1;
    CHECK(!pki_certificate_verify(buffer_slice(&der), ca, PKI_CLIENT, now,
                                  &error));
    buffer_clear(&der);
    test_case("never longer than the authority");
    issue(a, PKI_SERVER, 397, &der);
    CHECK(pki_certificate_read(buffer_slice(&der), &c, &error));
    CHECK_I64(c.ends.us, now.us + 100LL * DAY_S * 1000000);
    CHECK(pki_certificate_verify(buffer_slice(&der), ca, PKI_SERVER, now,
                                 &error));
    buffer_clear(&der);
}

static void test_bundle(const struct pki_authority *a)
{
    struct buffer one, bundle, got;
    issue(a, PKI_CLIENT, 30, &one);
    const struct slice list[] = {buffer_slice(&one),
                                 pki_authority_certificate(a)};
    buffer_init(&bundle, 4 * PKI_DER_MAX);
    buffer_init(&got, PKI_DER_MAX);
    test_case("certificates alone in a PKCS#7, there and back");
    CHECK(pki_bundle_make(list, 2, &bundle));
    for (size_t i = 0; i < 2; i++) {
        buffer_reset(&got);
        CHECK(pki_bundle_get(buffer_slice(&bundle), i, &got));
        CHECK(slice_equal(buffer_slice(&got), list[i]));
    }
    CHECK(!pki_bundle_get(buffer_slice(&bundle), 2, &got));
    test_case("what is no PKCS#7");
    CHECK(!pki_bundle_get(buffer_slice(&one), 0, &got));
    CHECK(!pki_bundle_get(SLICE(""), 0, &got));
    buffer_clear(&one);
    buffer_clear(&bundle);
    buffer_clear(&got);
}

static void test_files(void)
{
    struct error_text error;
    char certificate[512];
    snprintf(certificate, sizeof(certificate), "%s", path_of("ca.pem"));
    test_case("an authority's key that others may read is refused");
    chmod(path_of("ca.key"), 0640);
    CHECK(pki_authority_load(certificate, path_of("ca.key"), now, &error) ==
          NULL);
    CHECK(strstr(error.text, "mode 640") != NULL);
    chmod(path_of("ca.key"), 0600);
    test_case("an authority whose time is over issues nothing");
    struct wall_time later = {now.us + 101LL * DAY_S * 1000000};
    CHECK(pki_authority_load(certificate, path_of("ca.key"), later, &error) ==
          NULL);
    test_case("another key is refused");
    struct pki_key *key = pki_key_generate(PKI_P256);
    CHECK(pki_key_save(key, path_of("other.key"), &error));
    pki_key_free(key);
    CHECK(pki_authority_load(certificate, path_of("other.key"), now, &error) ==
          NULL);
    unlink(path_of("other.key"));
}

int main(void)
{
    folder_make(folder);
    test_requests();
    test_case("no bit of a request can be turned (Ed25519)");
    test_bits(SIGN_ED25519);
    test_case("no bit of a request can be turned (SM2)");
    test_bits(SIGN_SM2_SM3);
    test_wrong_kinds();
    test_case("an authority of its own");
    struct pki_authority *a = make_authority();
    if (a != NULL) {
        test_certificate(a);
        test_bundle(a);
        test_files();
    }
    pki_authority_free(a);
    unlink(path_of("ca.pem"));
    unlink(path_of("ca.key"));
    folder_remove(folder);
    return test_end();
}
