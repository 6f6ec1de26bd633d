/*
 * Certificates of a private authority: keys, requests, issuing, reading.
 *
 * X.509 (RFC 5280) and PKCS#10 (RFC 2986) through OpenSSL, whose types stop in
 * pki.c; outside it a certificate or a request is its DER bytes. TLS keys are
 * P-256 or Ed25519. What comes from a stranger is read from at most PKI_DER_MAX
 * bytes.
 *
 * A probe's request also carries its batch key, which signs what was recorded
 * and has nothing to do with TLS, in one extension
 *
 *   1.3.6.1.4.1.32473.1.1   SEQUENCE {
 *                             batchKey  SubjectPublicKeyInfo,
 *                             proof     OCTET STRING (64 bytes) }
 *
 * proof is the batch key's signature (common/crypto/sign.h: raw form) over
 *
 *   "yunzheng enrol 1\n" || algorithm (1 byte, enum sign_algorithm) ||
 *   SHA-256 of the SubjectPublicKeyInfo of the TLS key (32 bytes)
 *
 * so that nobody can have the key of somebody else registered as their own, and
 * no proof serves another request. The number is the one set aside for
 * documentation, as in common/wire/ipfix.h.
 */
#ifndef COMMON_CRYPTO_PKI_H
#define COMMON_CRYPTO_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/crypto/sign.h"
#include "common/log.h"
#include "common/slice.h"

enum {
    PKI_NAME_LEN = 64,     /* of a common name, with its NUL */
    PKI_SERIAL_LEN = 41,   /* 20 bytes as hex, with the NUL */
    PKI_PUBLIC_MAX = 128,  /* a SubjectPublicKeyInfo of ours */
    PKI_DER_MAX = 8192,    /* a certificate or request that we read */
    PKI_CERTIFICATES = 8,  /* in one PKCS#7 */
    PKI_BACKDATED_S = 300, /* so that a slow clock takes a new certificate */
};

/* --- keys --- */

enum pki_key_type { PKI_P256, PKI_ED25519 };

struct pki_key;

struct pki_key *pki_key_generate(enum pki_key_type type); /* NULL: no memory */
/* PKCS#8 PEM of any kind. Refused when others than the owner may read it. */
struct pki_key *pki_key_load(const char *path, struct error_text *error);
/* Mode 0600, synced; an existing file is refused. */
bool pki_key_save(const struct pki_key *key, const char *path,
                  struct error_text *error);
void pki_key_free(struct pki_key *key);
/* SubjectPublicKeyInfo; gives its length, 0 when it is too long. */
size_t pki_key_public(const struct pki_key *key,
                      uint8_t public_key[static PKI_PUBLIC_MAX]);
struct digest pki_key_hash(const struct pki_key *key);

/* --- certificates --- */

struct pki_certificate {
    char name[PKI_NAME_LEN];     /* common name; "" when not exactly one */
    char serial[PKI_SERIAL_LEN]; /* hex */
    struct wall_time begins, ends;
    struct digest key_hash;    /* SHA-256 of its SubjectPublicKeyInfo */
    struct digest fingerprint; /* SHA-256 of the whole */
    bool is_authority;
};

enum pki_use { PKI_CLIENT, PKI_SERVER };

bool pki_certificate_read(struct slice der, struct pki_certificate *certificate,
                          struct error_text *error);
/* The first certificate of a PEM file, as DER. */
bool pki_certificate_load(const char *path, struct buffer *der,
                          struct error_text *error);
/* The certificate with this index in PEM text; false behind the last one. */
bool pki_pem_get(struct slice pem, size_t index, struct buffer *der);
void pki_certificate_add_pem(struct buffer *out, struct slice der);
/* Issued by the authority, for this use, valid now; false and why. */
bool pki_certificate_verify(struct slice der, struct slice authority,
                            enum pki_use use, struct wall_time now,
                            struct error_text *error);

/* Certificates alone in a PKCS#7 (RFC 7030, 4.1.3 and 4.2.3), and the one with
 * this index out of such; false without it. */
bool pki_bundle_make(const struct slice *certificates, size_t count,
                     struct buffer *der);
bool pki_bundle_get(struct slice bundle, size_t index, struct buffer *der);

/* --- requests --- */

struct pki_request {
    char
        name[PKI_NAME_LEN]; /* common name asked for; "" when not exactly one */
    uint8_t public_key[PKI_PUBLIC_MAX];
    size_t public_key_length;
    struct digest key_hash;
    bool has_batch_key;
    enum sign_algorithm batch_algorithm;
    uint8_t batch_key[SIGN_PUBLIC_MAX]; /* raw, as in common/crypto/sign.h */
    size_t batch_key_length;
};

/* `batch` may be NULL: none then. */
bool pki_request_make(const struct pki_key *key, const struct sign_key *batch,
                      const char *name, struct buffer *der);
/* False with a sentence for anything malformed, a key of another kind, a wrong
 * signature or a wrong proof. */
bool pki_request_read(struct slice der, struct pki_request *request,
                      struct error_text *error);

/* --- the authority --- */

struct pki_authority;

/* A new self-signed certificate for the key, as DER. */
bool pki_authority_make(const struct pki_key *key, const char *name,
                        struct wall_time now, unsigned days,
                        struct buffer *der);
/* PEM files; a key that is not the certificate's, or a certificate that may not
 * issue others, is not signed by itself or has ended at `now`, is refused. */
struct pki_authority *pki_authority_load(const char *certificate,
                                         const char *key, struct wall_time now,
                                         struct error_text *error);
void pki_authority_free(struct pki_authority *authority);
struct slice pki_authority_certificate(const struct pki_authority *authority);

struct pki_order {
    struct slice public_key; /* SubjectPublicKeyInfo */
    const char *name;        /* common name */
    const char *hosts;       /* "DNS:a.example,IP:192.0.2.1"; NULL: none */
    enum pki_use use;
    struct wall_time now;
    unsigned days; /* ends earlier when the authority does */
};
bool pki_authority_issue(const struct pki_authority *authority,
                         const struct pki_order *order, struct buffer *der,
                         struct error_text *error);

#endif
