/*
 * X.509 through OpenSSL.
 *
 * The batch key's extension is not decoded but compared: of each algorithm a
 * SubjectPublicKeyInfo has one DER spelling, a fixed start and then the key, so
 * the whole extension has one length and one layout. What is not exactly that
 * is refused.
 */
#include "common/crypto/pki.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/crypto/key_file.h"

struct pki_key {
    EVP_PKEY *pkey;
};

struct pki_authority {
    X509 *x509;
    EVP_PKEY *pkey;
    struct buffer der;
};

enum { SERIAL_BYTES = 16, DAY_S = 86400, FILE_MAX = 64 * 1024 };

static const char batch_extension[] = "1.3.6.1.4.1.32473.1.1";
static const char proof_start[] = "yunzheng enrol 1\n";

/* Empties the library's list of errors; gives its last reason. */
static const char *library_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    return reason == NULL ? "unknown reason" : reason;
}

/* --- keys --- */

static struct pki_key *wrap_key(EVP_PKEY *pkey)
{
    struct pki_key *key = pkey == NULL ? NULL : calloc(1, sizeof(*key));
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    key->pkey = pkey;
    return key;
}

struct pki_key *pki_key_generate(enum pki_key_type type)
{
    return wrap_key(type == PKI_ED25519
                        ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
}

void pki_key_free(struct pki_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

struct pki_key *pki_key_load(const char *path, struct error_text *error)
{
    EVP_PKEY *pkey = key_file_read(path, error);
    struct pki_key *key = pkey != NULL ? wrap_key(pkey) : NULL;
    if (pkey != NULL && key == NULL)
        error_set(error, "%s: no private key in PEM form", path);
    return key;
}

bool pki_key_save(const struct pki_key *key, const char *path,
                  struct error_text *error)
{
    return key_file_write(path, key->pkey, error);
}

/* SubjectPublicKeyInfo; gives its length, 0 when it does not fit. */
static size_t public_of(EVP_PKEY *pkey, uint8_t out[static PKI_PUBLIC_MAX])
{
    uint8_t *p = out;
    int length = i2d_PUBKEY(pkey, NULL);
    if (length <= 0 || length > PKI_PUBLIC_MAX || i2d_PUBKEY(pkey, &p) <= 0) {
        ERR_clear_error();
        return 0;
    }
    return (size_t)length;
}

size_t pki_key_public(const struct pki_key *key,
                      uint8_t public_key[static PKI_PUBLIC_MAX])
{
    return public_of(key->pkey, public_key);
}

struct digest pki_key_hash(const struct pki_key *key)
{
    uint8_t public_key[PKI_PUBLIC_MAX];
    return digest_of(public_key, pki_key_public(key, public_key));
}

static bool is_tls_key(EVP_PKEY *pkey)
{
    char group[32] = "";
    size_t length = 0;
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return true;
    return EVP_PKEY_is_a(pkey, "EC") &&
           EVP_PKEY_get_group_name(pkey, group, sizeof(group), &length) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

/* --- DER in and out --- */

typedef int encode_fn(const void *object, uint8_t **out);

static bool add_der(struct buffer *out, const void *object, encode_fn *encode)
{
    uint8_t *der = NULL;
    int length = object == NULL ? 0 : encode(object, &der);
    if (length > 0)
        buffer_add(out, der, (size_t)length);
    OPENSSL_free(der);
    ERR_clear_error();
    return length > 0 && !out->failed;
}

static int encode_x509(const void *object, uint8_t **out)
{
    return i2d_X509(object, out);
}

static int encode_request(const void *object, uint8_t **out)
{
    return i2d_X509_REQ(object, out);
}

static int encode_bundle(const void *object, uint8_t **out)
{
    return i2d_PKCS7((PKCS7 *)object, out);
}

/* NULL for what is no certificate, too long, or has bytes behind it. */
static X509 *x509_of(struct slice der)
{
    const uint8_t *p = (const uint8_t *)der.data;
    X509 *x509 = NULL;
    if (der.length > 0 && der.length <= PKI_DER_MAX)
        x509 = d2i_X509(NULL, &p, (long)der.length);
    if (x509 != NULL && p != (const uint8_t *)der.data + der.length) {
        X509_free(x509);
        x509 = NULL;
    }
    ERR_clear_error();
    return x509;
}

/* --- certificates --- */

/* Two common names would let two readers see two peers. */
static void common_name(const X509_NAME *subject,
                        char name[static PKI_NAME_LEN])
{
    uint8_t *text = NULL;
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    name[0] = '\0';
    if (index < 0 ||
        X509_NAME_get_index_by_NID(subject, NID_commonName, index) >= 0)
        return;
    int length = ASN1_STRING_to_UTF8(
        &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (length > 0 && memchr(text, '\0', (size_t)length) == NULL)
        (void)slice_copy(slice_of_bytes(text, (size_t)length), name,
                         PKI_NAME_LEN);
    OPENSSL_free(text);
}

static bool wall_from_asn1(const ASN1_TIME *asn1, struct wall_time *time)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(asn1, &tm) != 1)
        return false;
    *time = wall_from_s(timegm(&tm));
    return true;
}

static bool serial_text(const X509 *x509, char text[static PKI_SERIAL_LEN])
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    int length = ASN1_STRING_length(serial);
    if (length <= 0 || 2 * length >= PKI_SERIAL_LEN)
        return false;
    hex_of(ASN1_STRING_get0_data(serial), (size_t)length, text);
    return true;
}

bool pki_certificate_read(struct slice der, struct pki_certificate *c,
                          struct error_text *error)
{
    uint8_t *public_key = NULL;
    X509 *x509 = x509_of(der);
    *c = (struct pki_certificate){{0}};
    bool good = x509 != NULL && serial_text(x509, c->serial) &&
                wall_from_asn1(X509_get0_notBefore(x509), &c->begins) &&
                wall_from_asn1(X509_get0_notAfter(x509), &c->ends);
    int length =
        good ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &public_key) : 0;
    if (length > 0) {
        common_name(X509_get_subject_name(x509), c->name);
        c->key_hash = digest_of(public_key, (size_t)length);
        c->fingerprint = digest_of(der.data, der.length);
        c->is_authority = X509_check_ca(x509) == 1;
    }
    OPENSSL_free(public_key);
    X509_free(x509);
    ERR_clear_error();
    return length > 0 || error_set(error, "not a certificate");
}

bool pki_certificate_load(const char *path, struct buffer *der,
                          struct error_text *error)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    X509 *x509 = PEM_read_X509(f, NULL, key_file_no_passphrase, NULL);
    fclose(f);
    bool good = add_der(der, x509, encode_x509) && der->length <= PKI_DER_MAX;
    X509_free(x509);
    ERR_clear_error();
    return good || error_set(error, "%s: no certificate in PEM form", path);
}

bool pki_pem_get(struct slice pem, size_t index, struct buffer *der)
{
    X509 *x509 = NULL;
    BIO *bio = pem.length <= FILE_MAX
                   ? BIO_new_mem_buf(pem.data, (int)pem.length)
                   : NULL;
    for (size_t i = 0; bio != NULL && i <= index; i++) {
        X509_free(x509);
        x509 = PEM_read_bio_X509(bio, NULL, key_file_no_passphrase, NULL);
        if (x509 == NULL)
            break;
    }
    bool good = add_der(der, x509, encode_x509) && der->length <= PKI_DER_MAX;
    X509_free(x509);
    BIO_free(bio);
    ERR_clear_error();
    return good;
}

void pki_certificate_add_pem(struct buffer *out, struct slice der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio == NULL ||
        PEM_write_bio(bio, PEM_STRING_X509, "", (const uint8_t *)der.data,
                      (long)der.length) <= 0)
        out->failed = true;
    else
        buffer_add(out, text, (size_t)BIO_get_mem_data(bio, &text));
    BIO_free(bio);
    ERR_clear_error();
}

static bool verify(X509 *x509, X509 *authority, enum pki_use use,
                   struct wall_time now, struct error_text *error)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    bool good = store != NULL && check != NULL &&
                X509_STORE_add_cert(store, authority) == 1 &&
                X509_STORE_CTX_init(check, store, x509, NULL) == 1 &&
                X509_STORE_CTX_set_default(check, use == PKI_CLIENT
                                                      ? "ssl_client"
                                                      : "ssl_server") == 1;
    if (good) {
        X509_STORE_CTX_set_time(check, 0, (time_t)wall_to_s(now));
        good = X509_verify_cert(check) == 1;
        if (!good)
            error_set(
                error, "%s",
                X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)));
    } else {
        error_set(error, "%s", library_reason());
    }
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    ERR_clear_error();
    return good;
}

bool pki_certificate_verify(struct slice der, struct slice authority,
                            enum pki_use use, struct wall_time now,
                            struct error_text *error)
{
    X509 *x509 = x509_of(der), *issuer = x509_of(authority);
    bool good = x509 != NULL && issuer != NULL
                    ? verify(x509, issuer, use, now, error)
                    : error_set(error, "not a certificate");
    X509_free(x509);
    X509_free(issuer);
    return good;
}

/* --- PKCS#7 --- */

static PKCS7 *new_bundle(void)
{
    PKCS7 *p7 = PKCS7_new();
    if (p7 != NULL && PKCS7_set_type(p7, NID_pkcs7_signed) == 1 &&
        PKCS7_content_new(p7, NID_pkcs7_data) == 1) {
        PKCS7_set_detached(p7, 1); /* there is no content to be signed */
        return p7;
    }
    PKCS7_free(p7);
    return NULL;
}

bool pki_bundle_make(const struct slice *certificates, size_t count,
                     struct buffer *der)
{
    PKCS7 *p7 = new_bundle();
    bool good = p7 != NULL;
    for (size_t i = 0; good && i < count; i++) {
        X509 *x509 = x509_of(certificates[i]);
        good = x509 != NULL && PKCS7_add_certificate(p7, x509) == 1;
        X509_free(x509);
    }
    good = good && add_der(der, p7, encode_bundle);
    PKCS7_free(p7);
    ERR_clear_error();
    return good;
}

bool pki_bundle_get(struct slice bundle, size_t index, struct buffer *der)
{
    const uint8_t *p = (const uint8_t *)bundle.data;
    PKCS7 *p7 = NULL;
    bool good = false;
    if (bundle.length <= PKI_CERTIFICATES * PKI_DER_MAX &&
        index < PKI_CERTIFICATES)
        p7 = d2i_PKCS7(NULL, &p, (long)bundle.length);
    if (p7 != NULL && PKCS7_type_is_signed(p7) && p7->d.sign != NULL &&
        (int)index < sk_X509_num(p7->d.sign->cert))
        good = add_der(der, sk_X509_value(p7->d.sign->cert, (int)index),
                       encode_x509) &&
               der->length <= PKI_DER_MAX;
    PKCS7_free(p7);
    ERR_clear_error();
    return good;
}

/* --- the batch key's extension --- */

/* How the extension starts, up to the raw key; behind the key come the proof's
 * tag and length, and the proof. */
struct batch_layout {
    enum sign_algorithm algorithm;
    size_t start_length, key_length;
    const char *start;
};

static const struct batch_layout layouts[] = {
    /* SEQUENCE (110) { SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING */
    {SIGN_ED25519, 14, 32,
     "\x30\x6e\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"},
    /* SEQUENCE (157) { SEQUENCE { SEQUENCE { id-ecPublicKey, sm2 }, ... */
    {SIGN_SM2_SM3, 29, 65,
     "\x30\x81\x9d\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06"
     "\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x03\x42\x00"},
};
enum { LAYOUTS = sizeof(layouts) / sizeof(layouts[0]), PROOF_HEAD = 2 };
static const uint8_t proof_head[PROOF_HEAD] = {0x04, SIGN_LEN};

static size_t extension_length(const struct batch_layout *l)
{
    return l->start_length + l->key_length + PROOF_HEAD + SIGN_LEN;
}

/* What the batch key signs; gives its length. */
static size_t proof_text(enum sign_algorithm algorithm, struct digest key_hash,
                         uint8_t text[static 64])
{
    size_t length = sizeof(proof_start) - 1;
    memcpy(text, proof_start, length);
    text[length++] = (uint8_t)algorithm;
    memcpy(text + length, key_hash.bytes, DIGEST_LEN);
    return length + DIGEST_LEN;
}

static bool make_extension(const struct sign_key *batch, struct digest key_hash,
                           struct buffer *out)
{
    uint8_t public_key[SIGN_PUBLIC_MAX], signature[SIGN_LEN], text[64];
    size_t length = sign_key_public(batch, public_key);
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct batch_layout *l = &layouts[i];
        if (l->algorithm != sign_key_algorithm(batch) ||
            l->key_length != length)
            continue;
        size_t text_length = proof_text(l->algorithm, key_hash, text);
        if (!sign_make(batch, text, text_length, signature))
            return false;
        buffer_add(out, l->start, l->start_length);
        buffer_add(out, public_key, length);
        buffer_add(out, proof_head, PROOF_HEAD);
        buffer_add(out, signature, SIGN_LEN);
        return !out->failed;
    }
    return false;
}

static bool read_extension(struct slice value, struct pki_request *r,
                           struct error_text *error)
{
    uint8_t text[64];
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct batch_layout *l = &layouts[i];
        const uint8_t *data = (const uint8_t *)value.data;
        const uint8_t *tail = data + l->start_length + l->key_length;
        if (value.length != extension_length(l) ||
            memcmp(data, l->start, l->start_length) != 0 ||
            memcmp(tail, proof_head, PROOF_HEAD) != 0)
            continue;
        r->has_batch_key = true;
        r->batch_algorithm = l->algorithm;
        r->batch_key_length = l->key_length;
        memcpy(r->batch_key, data + l->start_length, l->key_length);
        size_t length = proof_text(l->algorithm, r->key_hash, text);
        return sign_verify(l->algorithm,
                           slice_of_bytes(r->batch_key, l->key_length), text,
                           length, tail + PROOF_HEAD) ||
               error_set(error, "the batch key's proof is wrong");
    }
    return error_set(error, "the batch key is neither Ed25519 nor SM2, or its "
                            "extension is malformed");
}

/* --- requests --- */

static bool add_extension(X509_REQ *request, struct slice value)
{
    STACK_OF(X509_EXTENSION) *list = NULL;
    ASN1_OBJECT *object = OBJ_txt2obj(batch_extension, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;
    if (object != NULL && octets != NULL &&
        ASN1_OCTET_STRING_set(octets, (const uint8_t *)value.data,
                              (int)value.length) == 1)
        extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
    bool good = extension != NULL && X509v3_add_ext(&list, extension, -1) &&
                X509_REQ_add_extensions(request, list) == 1;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
    return good;
}

static bool set_name(X509_NAME *subject, const char *name)
{
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                      (const uint8_t *)name, -1, -1, 0) == 1;
}

/* Ed25519 and Ed448 have their own digest inside. */
static const EVP_MD *digest_for(EVP_PKEY *pkey)
{
    if (EVP_PKEY_is_a(pkey, "ED25519") || EVP_PKEY_is_a(pkey, "ED448"))
        return NULL;
    return EVP_PKEY_is_a(pkey, "SM2") ? EVP_sm3() : EVP_sha256();
}

bool pki_request_make(const struct pki_key *key, const struct sign_key *batch,
                      const char *name, struct buffer *der)
{
    struct buffer extension;
    X509_REQ *request = X509_REQ_new();
    buffer_init(&extension, PKI_DER_MAX);
    bool good = request != NULL && X509_REQ_set_version(request, 0) == 1 &&
                X509_REQ_set_pubkey(request, key->pkey) == 1 &&
                set_name(X509_REQ_get_subject_name(request), name);
    if (good && batch != NULL)
        good = make_extension(batch, pki_key_hash(key), &extension) &&
               add_extension(request, buffer_slice(&extension));
    good = good && X509_REQ_sign(request, key->pkey, digest_for(key->pkey)) > 0;
    good = good && add_der(der, request, encode_request);
    buffer_clear(&extension);
    X509_REQ_free(request);
    ERR_clear_error();
    return good;
}

static bool find_extension(X509_REQ *request, struct pki_request *r,
                           struct error_text *error)
{
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(request);
    ASN1_OBJECT *object = OBJ_txt2obj(batch_extension, 1);
    int at = X509v3_get_ext_by_OBJ(list, object, -1);
    bool good = object != NULL;
    if (good && at >= 0 && X509v3_get_ext_by_OBJ(list, object, at) >= 0) {
        good = error_set(error, "two batch keys");
    } else if (good && at >= 0) {
        const ASN1_OCTET_STRING *octets =
            X509_EXTENSION_get_data(X509v3_get_ext(list, at));
        good =
            read_extension(slice_of_bytes(ASN1_STRING_get0_data(octets),
                                          (size_t)ASN1_STRING_length(octets)),
                           r, error);
    }
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    ASN1_OBJECT_free(object);
    return good;
}

static bool read_request(X509_REQ *request, struct pki_request *r,
                         struct error_text *error)
{
    EVP_PKEY *pkey = X509_REQ_get0_pubkey(request);
    if (pkey == NULL || !is_tls_key(pkey))
        return error_set(error, "the key is neither P-256 nor Ed25519");
    if (X509_REQ_verify(request, pkey) != 1)
        return error_set(error, "the request is not signed with its own key");
    r->public_key_length = public_of(pkey, r->public_key);
    if (r->public_key_length == 0)
        return error_set(error, "the key cannot be read");
    r->key_hash = digest_of(r->public_key, r->public_key_length);
    common_name(X509_REQ_get_subject_name(request), r->name);
    return find_extension(request, r, error);
}

bool pki_request_read(struct slice der, struct pki_request *r,
                      struct error_text *error)
{
    const uint8_t *p = (const uint8_t *)der.data;
    X509_REQ *request = NULL;
    *r = (struct pki_request){{0}};
    if (der.length == 0 || der.length > PKI_DER_MAX)
        return error_set(error,
                         "a PKCS#10 request of 1 to %d bytes is "
                         "expected, these are %zu",
                         PKI_DER_MAX, der.length);
    request = d2i_X509_REQ(NULL, &p, (long)der.length);
    bool good = request != NULL && p == (const uint8_t *)der.data + der.length
                    ? read_request(request, r, error)
                    : error_set(error, "not a PKCS#10 request");
    X509_REQ_free(request);
    ERR_clear_error();
    return good;
}

/* --- the authority --- */

struct extension_row {
    int nid;
    const char *value;
};

static bool add_x509_extension(X509 *x509, X509 *issuer,
                               const struct extension_row *row)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, &context, row->nid, row->value);
    bool good = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

/* A positive number that nobody can guess. */
static bool set_serial(X509 *x509)
{
    uint8_t bytes[SERIAL_BYTES];
    random_bytes(bytes, sizeof(bytes));
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool good = number != NULL &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return good;
}

static bool set_dates(X509 *x509, struct wall_time now, unsigned days,
                      const ASN1_TIME *latest)
{
    time_t begin = (time_t)wall_to_s(now) - PKI_BACKDATED_S;
    time_t end = (time_t)wall_to_s(now) + (time_t)days * DAY_S;
    if (ASN1_TIME_set(X509_getm_notBefore(x509), begin) == NULL)
        return false;
    if (latest != NULL && ASN1_TIME_cmp_time_t(latest, end) < 0)
        return X509_set1_notAfter(x509, latest) == 1;
    return ASN1_TIME_set(X509_getm_notAfter(x509), end) != NULL;
}

bool pki_authority_make(const struct pki_key *key, const char *name,
                        struct wall_time now, unsigned days, struct buffer *der)
{
    static const struct extension_row rows[] = {
        {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
        {NID_key_usage, "critical,keyCertSign,cRLSign"},
        {NID_subject_key_identifier, "hash"},
    };
    X509 *x509 = X509_new();
    bool good = x509 != NULL && X509_set_version(x509, 2) == 1 &&
                set_serial(x509) && set_dates(x509, now, days, NULL) &&
                set_name(X509_get_subject_name(x509), name) &&
                X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1 &&
                X509_set_pubkey(x509, key->pkey) == 1;
    for (size_t i = 0; good && i < sizeof(rows) / sizeof(rows[0]); i++)
        good = add_x509_extension(x509, x509, &rows[i]);
    good = good && X509_sign(x509, key->pkey, digest_for(key->pkey)) > 0 &&
           add_der(der, x509, encode_x509);
    X509_free(x509);
    ERR_clear_error();
    return good;
}

static bool fill_authority(struct pki_authority *a, const char *certificate,
                           const char *path, struct wall_time now,
                           struct error_text *error)
{
    if (!pki_certificate_load(certificate, &a->der, error))
        return false;
    struct pki_key *key = pki_key_load(path, error);
    if (key == NULL)
        return false;
    a->pkey = key->pkey;
    free(key);
    a->x509 = x509_of(buffer_slice(&a->der));
    if (a->x509 == NULL || X509_check_ca(a->x509) != 1)
        return error_set(error, "%s: not the certificate of an authority",
                         certificate);
    if (X509_check_issued(a->x509, a->x509) != X509_V_OK)
        return error_set(error,
                         "%s: an authority under another one; probes trust one "
                         "that signed itself",
                         certificate);
    if (X509_check_private_key(a->x509, a->pkey) != 1)
        return error_set(error, "%s: not the key of the certificate in %s",
                         path, certificate);
    if (ASN1_TIME_cmp_time_t(X509_get0_notAfter(a->x509),
                             (time_t)wall_to_s(now)) <= 0)
        return error_set(error, "%s: the authority's time is over",
                         certificate);
    return true;
}

struct pki_authority *pki_authority_load(const char *certificate,
                                         const char *key, struct wall_time now,
                                         struct error_text *error)
{
    struct pki_authority *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    buffer_init(&a->der, FILE_MAX);
    if (fill_authority(a, certificate, key, now, error)) {
        ERR_clear_error();
        return a;
    }
    ERR_clear_error();
    pki_authority_free(a);
    return NULL;
}

void pki_authority_free(struct pki_authority *a)
{
    if (a == NULL)
        return;
    buffer_clear(&a->der);
    X509_free(a->x509);
    EVP_PKEY_free(a->pkey);
    free(a);
}

struct slice pki_authority_certificate(const struct pki_authority *a)
{
    return buffer_slice(&a->der);
}

static bool add_order_extensions(X509 *x509, const struct pki_authority *a,
                                 const struct pki_order *order)
{
    const struct extension_row rows[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage,
         order->use == PKI_CLIENT ? "clientAuth" : "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid"},
        {NID_subject_alt_name, order->hosts},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        good = good && (rows[i].value == NULL ||
                        add_x509_extension(x509, a->x509, &rows[i]));
    return good;
}

bool pki_authority_issue(const struct pki_authority *a,
                         const struct pki_order *order, struct buffer *der,
                         struct error_text *error)
{
    const uint8_t *p = (const uint8_t *)order->public_key.data;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)order->public_key.length);
    X509 *x509 = X509_new();
    const ASN1_TIME *latest = X509_get0_notAfter(a->x509);
    bool good =
        pkey != NULL && x509 != NULL &&
        ASN1_TIME_cmp_time_t(latest, (time_t)wall_to_s(order->now)) > 0 &&
        X509_set_version(x509, 2) == 1 && set_serial(x509) &&
        set_dates(x509, order->now, order->days, latest) &&
        set_name(X509_get_subject_name(x509), order->name) &&
        X509_set_issuer_name(x509, X509_get_subject_name(a->x509)) == 1 &&
        X509_set_pubkey(x509, pkey) == 1 &&
        add_order_extensions(x509, a, order) &&
        X509_sign(x509, a->pkey, digest_for(a->pkey)) > 0 &&
        add_der(der, x509, encode_x509);
    if (!good)
        error_set(error, "a certificate for %s cannot be made: %s", order->name,
                  library_reason());
    X509_free(x509);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return good;
}
