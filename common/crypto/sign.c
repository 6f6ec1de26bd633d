/*
 * Signatures through OpenSSL's EVP layer.
 *
 * A table row per algorithm holds what differs: the library's key name, the
 * digest it signs with, the raw public key's length. Ed25519 signs as it is.
 * SM2 signs the SM3 hash of the signer's identity and the data, and the library
 * speaks DER: SEQUENCE of two INTEGERs r and s. On the wire we keep 64 bytes,
 * r || s, and turn one into the other here; a raw form has one spelling only,
 * so no second signature can be made of a first.
 */
#include "common/crypto/sign.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/key_file.h"

struct sign_key {
    EVP_PKEY *pkey;
    enum sign_algorithm algorithm;
};

struct algorithm {
    const char *name;   /* ours */
    const char *key;    /* the library's */
    const char *digest; /* NULL: part of the algorithm */
    size_t public_length;
};

enum { SM2_HALF = 32, SM2_DER_MAX = 80 };
static const char sm2_identity[] = "1234567812345678";

static const struct algorithm algorithms[] = {
    [SIGN_ED25519] = {"ed25519", "ED25519", NULL, 32},
    [SIGN_SM2_SM3] = {"sm2", "SM2", "SM3", 65},
};
enum { ALGORITHM_COUNT = sizeof(algorithms) / sizeof(algorithms[0]) };

static const struct algorithm *algorithm_of(enum sign_algorithm id)
{
    if ((unsigned)id >= ALGORITHM_COUNT || algorithms[id].name == NULL)
        return NULL;
    return &algorithms[id];
}

const char *sign_algorithm_name(enum sign_algorithm algorithm)
{
    const struct algorithm *a = algorithm_of(algorithm);
    return a == NULL ? "none" : a->name;
}

enum sign_algorithm sign_algorithm_from(struct slice name)
{
    for (int i = SIGN_ED25519; i < ALGORITHM_COUNT; i++) {
        if (slice_equal_text(name, algorithms[i].name))
            return i;
    }
    return SIGN_NONE;
}

/* --- keys --- */

/* Takes pkey over, also when it is of no kind that we use. */
static struct sign_key *wrap_key(EVP_PKEY *pkey)
{
    struct sign_key *key = pkey == NULL ? NULL : calloc(1, sizeof(*key));
    for (int i = SIGN_ED25519; key != NULL && i < ALGORITHM_COUNT; i++) {
        if (EVP_PKEY_is_a(pkey, algorithms[i].key))
            key->algorithm = i;
    }
    if (key == NULL || key->algorithm == SIGN_NONE) {
        EVP_PKEY_free(pkey);
        free(key);
        return NULL;
    }
    key->pkey = pkey;
    return key;
}

struct sign_key *sign_key_generate(enum sign_algorithm algorithm)
{
    const struct algorithm *a = algorithm_of(algorithm);
    if (a == NULL)
        return NULL;
    return wrap_key(EVP_PKEY_Q_keygen(NULL, NULL, a->key));
}

void sign_key_free(struct sign_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

enum sign_algorithm sign_key_algorithm(const struct sign_key *key)
{
    return key->algorithm;
}

size_t sign_key_public(const struct sign_key *key,
                       uint8_t public_key[static SIGN_PUBLIC_MAX])
{
    size_t length = 0;
    if (EVP_PKEY_get_octet_string_param(key->pkey, OSSL_PKEY_PARAM_PUB_KEY,
                                        public_key, SIGN_PUBLIC_MAX,
                                        &length) != 1 ||
        length != algorithms[key->algorithm].public_length)
        return 0;
    return length;
}

/* --- files --- */

struct sign_key *sign_key_load(const char *path, struct error_text *error)
{
    EVP_PKEY *pkey = key_file_read(path, error);
    struct sign_key *key = pkey != NULL ? wrap_key(pkey) : NULL;
    if (pkey != NULL && key == NULL)
        error_set(error, "%s: no Ed25519 or SM2 private key in PEM form", path);
    return key;
}

bool sign_key_save(const struct sign_key *key, const char *path,
                   struct error_text *error)
{
    return key_file_write(path, key->pkey, error);
}

size_t sign_public_load(const char *path, enum sign_algorithm *algorithm,
                        uint8_t public_key[static SIGN_PUBLIC_MAX],
                        struct error_text *error)
{
    size_t length = 0;
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        error_set(error, "%s: %s", path, strerror(errno));
        return 0;
    }
    struct sign_key *key =
        wrap_key(PEM_read_PUBKEY(f, NULL, key_file_no_passphrase, NULL));
    if (key != NULL) {
        length = sign_key_public(key, public_key);
        *algorithm = key->algorithm;
    }
    if (length == 0)
        error_set(error, "%s: no Ed25519 or SM2 public key in PEM form", path);
    sign_key_free(key);
    fclose(f);
    ERR_clear_error();
    return length;
}

/* --- SM2's two forms --- */

static bool raw_from_der(const uint8_t *der, size_t length,
                         uint8_t raw[static SIGN_LEN])
{
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)length);
    bool good =
        sig != NULL &&
        BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, SM2_HALF) == SM2_HALF &&
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + SM2_HALF, SM2_HALF) ==
            SM2_HALF;
    ECDSA_SIG_free(sig);
    return good;
}

/* Gives the length, 0 on failure. */
static size_t der_from_raw(const uint8_t raw[static SIGN_LEN],
                           uint8_t der[static SM2_DER_MAX])
{
    int length = 0;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, SM2_HALF, NULL);
    BIGNUM *s = BN_bin2bn(raw + SM2_HALF, SM2_HALF, NULL);
    if (sig != NULL && r != NULL && s != NULL &&
        ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* the signature's now */
        if (i2d_ECDSA_SIG(sig, NULL) <= SM2_DER_MAX)
            length = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return length > 0 ? (size_t)length : 0;
}

/* --- signing --- */

typedef int init_fn(EVP_MD_CTX *context, EVP_PKEY_CTX **key_context,
                    const char *digest, OSSL_LIB_CTX *library,
                    const char *properties, EVP_PKEY *pkey,
                    const OSSL_PARAM parameters[]);

/* The identity is set behind the init call: given as its parameter, OpenSSL
 * 3.0.19 refuses it. */
static EVP_MD_CTX *begin(init_fn *init, enum sign_algorithm id, EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *key_context = NULL; /* the context's own */
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL &&
        init(context, &key_context, algorithms[id].digest, NULL, NULL, pkey,
             NULL) == 1 &&
        (id != SIGN_SM2_SM3 ||
         EVP_PKEY_CTX_set1_id(key_context, sm2_identity,
                              sizeof(sm2_identity) - 1) == 1))
        return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

bool sign_make(const struct sign_key *key, const void *data, size_t length,
               uint8_t signature[static SIGN_LEN])
{
    uint8_t made[SM2_DER_MAX];
    size_t made_length = sizeof(made);
    bool is_sm2 = key->algorithm == SIGN_SM2_SM3;
    EVP_MD_CTX *context =
        begin(EVP_DigestSignInit_ex, key->algorithm, key->pkey);
    bool good = context != NULL &&
                EVP_DigestSign(context, made, &made_length, data, length) == 1;
    if (good && is_sm2)
        good = raw_from_der(made, made_length, signature);
    else if (good && made_length == SIGN_LEN)
        memcpy(signature, made, SIGN_LEN);
    else
        good = false;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

/* SM2's private number is taken at its full width, so that no two keys that
 * differ in leading zeros alone look the same. */
struct digest sign_key_secret(const struct sign_key *key, const char *label)
{
    uint8_t raw[64] = {0};
    size_t length = sizeof(raw);
    if (key->algorithm == SIGN_SM2_SM3) {
        BIGNUM *number = NULL;
        length = SM2_HALF;
        if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY,
                                  &number) != 1 ||
            BN_bn2binpad(number, raw, SM2_HALF) != SM2_HALF)
            fatal(1, "no memory for a secret");
        BN_clear_free(number);
    } else if (EVP_PKEY_get_raw_private_key(key->pkey, raw, &length) != 1) {
        fatal(1, "no memory for a secret");
    }
    struct digest secret = hmac_sha256(raw, length, label, strlen(label));
    explicit_bzero(raw, sizeof(raw));
    return secret;
}

static EVP_PKEY *public_sm2(struct slice public_key)
{
    EVP_PKEY *pkey = NULL;
    char group[] = "SM2";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                          (void *)public_key.data,
                                          public_key.length),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    return pkey;
}

/* The y of the points whose order divides eight, also as spelled beyond the
 * prime (RFC 8032 5.1.3; the sign of x is the top bit). With such a key, which
 * nobody has a private half of, anybody can sign anything; the library takes
 * it. */
static const char small_orders[][65] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static bool is_small_order(struct slice public_key)
{
    uint8_t y[32];
    char hex[65];
    memcpy(y, public_key.data, sizeof(y));
    y[31] &= 0x7f;
    hex_of(y, sizeof(y), hex);
    for (size_t i = 0; i < sizeof(small_orders) / sizeof(small_orders[0]); i++)
        if (strcmp(hex, small_orders[i]) == 0)
            return true;
    return false;
}

/* One spelling of each key, and none that is nobody's. */
static bool is_sound(enum sign_algorithm id, struct slice public_key)
{
    return id == SIGN_SM2_SM3 ? public_key.data[0] == 4
                              : !is_small_order(public_key);
}

static EVP_PKEY *public_from_raw(enum sign_algorithm id,
                                 struct slice public_key)
{
    const struct algorithm *a = algorithm_of(id);
    if (a == NULL || public_key.length != a->public_length ||
        !is_sound(id, public_key))
        return NULL;
    if (id == SIGN_SM2_SM3)
        return public_sm2(public_key);
    return EVP_PKEY_new_raw_public_key_ex(NULL, a->key, NULL,
                                          (const uint8_t *)public_key.data,
                                          public_key.length);
}

bool sign_verify(enum sign_algorithm algorithm, struct slice public_key,
                 const void *data, size_t length,
                 const uint8_t signature[static SIGN_LEN])
{
    uint8_t der[SM2_DER_MAX];
    const uint8_t *given = signature;
    size_t given_length = SIGN_LEN;
    EVP_MD_CTX *context = NULL;
    EVP_PKEY *pkey = public_from_raw(algorithm, public_key);
    if (pkey != NULL && algorithm == SIGN_SM2_SM3) {
        given = der;
        given_length = der_from_raw(signature, der);
    }
    if (pkey != NULL && given_length > 0)
        context = begin(EVP_DigestVerifyInit_ex, algorithm, pkey);
    bool good =
        context != NULL &&
        EVP_DigestVerify(context, given, given_length, data, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return good;
}
